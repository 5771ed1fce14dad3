//! The generator itself: what it costs, and whether it tells the truth.

use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tertulia_loadtest::ground::{self, Ground};
use tertulia_loadtest::measured::Measured;
use tertulia_loadtest::plan::Plan;
use tertulia_loadtest::process::{self, Usage};
use tertulia_loadtest::slice::Spent;
use tertulia_loadtest::stage::Stage;
use tertulia_loadtest::swarm::Settings;
use tertulia_loadtest::{connect, limits};

use crate::table::{Bound, Row};
use crate::works::{SPINNING, crowd_plan, lone_plan, rate_plan};
use crate::{Options, Outcome, counter};

const CROWD_USER_US_MAX: f64 = 0.06;
const MANY: usize = 15_000;
const REPEATS: u32 = 6;
const TURN: Duration = Duration::from_millis(125);
/// Of the plan of `rate`.
const LINES_PER_S: u32 = 100;

/// One run in front of a fresh floor.
fn before_floor(options: &Options, plan: &Plan, length: Duration) -> Outcome<Measured> {
    limits::make_place(plan.clients, 1)?;
    let ground = Ground::floor()?;
    let _pin = ground::apart(&[&ground]);
    let stop = AtomicBool::new(false);
    let mut stage = Stage::open(plan, &ground.target, Settings::default(), &stop, &mut |_| ())?;
    stage.measure(length, &stop, &mut |_| ())?;
    let measured = stage.finish().1;
    // What it costs is asked for: that it is as busy as its processor lets it be is no doubt of that.
    let own = Usage { cpu_ns: 0, ..measured.own };
    options.check("before the floor", &Measured { own, sending: Spent::default(), ..measured.clone() })?;
    Ok(measured)
}

/// Processor time of the generator and of the floor for each delivery, several times.
fn costs(options: &Options, plan: &Plan, length: Duration) -> Outcome<Vec<(f64, f64)>> {
    let mut pairs = Vec::new();
    for _ in 0..options.pairs(REPEATS) {
        let measured = before_floor(options, plan, length)?;
        let server = measured.server.ok_or("no process")?;
        let cost = |ns: u64| measured.us_per_delivery(ns as f64);
        pairs.push((cost(measured.own.cpu_ns), cost(server.cpu_ns)));
    }
    Ok(pairs)
}

pub(crate) fn generator(options: &Options) -> Outcome<Vec<Row>> {
    let length = Duration::from_secs(if options.is_quick { 1 } else { 3 });
    let mut user_us = Vec::new();
    for _ in 0..options.pairs(REPEATS) {
        let measured = before_floor(options, &crowd_plan(), length)?;
        user_us.push(measured.us_per_delivery(measured.own.exact_user_ns()));
    }
    let user_us = tertulia_loadtest::report::median(&user_us).ok_or("no run")?;
    let lone = costs(options, &lone_plan(), length)?;
    let rate = costs(options, &rate_plan(), length)?;
    let bound = Bound::AtMost(1.0);
    let mut rows = vec![
        Row::plain("generator", "user µs/delivery, crowd", None, user_us, Bound::AtMost(CROWD_USER_US_MAX)),
        Row::paired("generator", "µs/delivery, lone (beside it: floor)", &lone, bound),
        Row::paired("generator", "µs/delivery, rate (beside it: floor)", &rate, bound),
    ];
    options.settle("generator", &mut rows);
    rows.extend(hold()?);
    let mut agreement = agreement(options, length)?;
    options.settle("generator", &mut agreement);
    rows.extend(agreement);
    Ok(rows)
}

/// Very many clients, as many as the hard limit of descriptors and the ports of one address allow.
fn hold() -> Outcome<Vec<Row>> {
    let limit = process::machine().open_files_max.saturating_sub(64) as usize;
    let (first, last) = connect::local_ports();
    let count = MANY.min(limit).min(usize::from(last - first));
    limits::make_place(count, 1)?;
    let ground = Ground::floor()?;
    // A process of its own: this one has held memory before.
    let output = Command::new(std::env::var_os("TERTULIA_LOADTEST").ok_or("run this by make bench")?)
        .args(["hold", "--target", &ground.target.address.to_string(), "--clients", &count.to_string()])
        .args(["--pid", &ground.own_pid().ok_or("no process")?.to_string(), "--json", "-"])
        .stderr(Stdio::inherit())
        .output()?;
    let held: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let number = |value: &serde_json::Value| value.as_f64().ok_or("no such figure");
    let each = number(&held["own_memory_kib"])? / count as f64;
    let (own_ns, floor_ns) = (number(&held["own_cpu_ns"])?, number(&held["server"]["cpu_ns"])?);
    let row =
        |figure: &str, reference, value, bound| Row::plain("generator", figure, reference, value, bound);
    Ok(vec![
        row("clients held at once", None, count as f64, Bound::AtLeast(MANY as f64)),
        row("KiB for each of them", None, each, Bound::AtMost(1.0)),
        row("ms of CPU in 5 s of silence", Some(floor_ns / 1e6), own_ns / 1e6, Bound::AtMost(floor_ns / 1e6)),
    ])
}

/// The generator's figures of the floor beside those of the minimal counter, each on a floor of its own, by turns.
fn agreement(options: &Options, length: Duration) -> Outcome<Vec<Row>> {
    let (mut crowds, mut lones, mut medians) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..options.pairs(REPEATS) {
        crowds.push(closed(options, &crowd_plan(), number, length)?);
        lones.push(closed(options, &lone_plan(), number, length)?);
        medians.push(steady(options, number, length)?);
    }
    Ok(vec![
        Row::paired("generator", "deliveries/s, crowd (beside it: counter)", &crowds, Bound::Within(0.05)),
        Row::paired("generator", "deliveries/s, lone (beside it: counter)", &lones, Bound::Within(0.05)),
        Row::paired("generator", "p50 µs, rate (beside it: counter)", &medians, Bound::Within(0.1)),
    ])
}

/// Deliveries a second: the generator's, the counter's.
fn closed(options: &Options, plan: &Plan, number: u32, length: Duration) -> Outcome<(f64, f64)> {
    let grounds = [Ground::floor()?, Ground::floor()?];
    let _pin = ground::apart(&[&grounds[0], &grounds[1]]);
    let stop = AtomicBool::new(false);
    let [ours, theirs] = order(number, &grounds);
    let mut counter = counter::Crowd::connect(theirs.target.address, plan.clients, plan.senders)?;
    let mut stage = Stage::open(plan, &ours.target, SPINNING, &stop, &mut |_| ())?;
    counter.slice(plan.warmup)?;
    counter.forget();
    for _ in 0..length.as_millis() / TURN.as_millis() {
        stage.measure(TURN, &stop, &mut |_| ())?;
        counter.slice(TURN)?;
    }
    let measured = stage.finish().1;
    options.check("beside the counter", &measured)?;
    Ok((measured.figures().rate_per_s, counter.rate_per_s()))
}

/// Median latency in microseconds: the generator's, the counter's.
fn steady(options: &Options, number: u32, length: Duration) -> Outcome<(f64, f64)> {
    let plan = rate_plan();
    limits::make_place(2 * plan.clients, 1)?;
    let grounds = [Ground::floor()?, Ground::floor()?];
    let _pin = ground::apart(&[&grounds[0], &grounds[1]]);
    let stop = AtomicBool::new(false);
    let [ours, theirs] = order(number, &grounds);
    let mut counter = counter::Rate::connect(theirs.target.address, plan.clients)?;
    let mut stage = Stage::open(&plan, &ours.target, SPINNING, &stop, &mut |_| ())?;
    counter.slice(LINES_PER_S as usize, LINES_PER_S)?;
    counter.forget();
    for _ in 0..length.as_secs() {
        stage.measure(Duration::from_secs(1), &stop, &mut |_| ())?;
        counter.slice(LINES_PER_S as usize, LINES_PER_S)?;
    }
    let measured = stage.finish().1;
    options.check("beside the counter", &measured)?;
    Ok((measured.figures().p50_us, counter.p50_us()))
}

/// Each floor is the generator's in every other pair.
fn order(number: u32, grounds: &[Ground; 2]) -> [&Ground; 2] {
    let [first, second] = grounds;
    if number.is_multiple_of(2) { [first, second] } else { [second, first] }
}
