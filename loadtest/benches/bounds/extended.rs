//! What ids and acknowledgements cost: how soon a line is known to be kept, and how much of the floor is left to whoever
//! hears tags.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tertulia_loadtest::ground::{self, Ground};
use tertulia_loadtest::limits;
use tertulia_loadtest::measured::Measured;
use tertulia_loadtest::plan::Plan;
use tertulia_loadtest::protocol::Protocol;
use tertulia_loadtest::report::median;
use tertulia_loadtest::schedule::Pace;
use tertulia_loadtest::stage::Stage;
use tertulia_loadtest::stamp::Sizes;

use crate::history::Scratch;
use crate::table::{Bound, Row};
use crate::works::{SPINNING, crowd_plan, figures, pairs};
use crate::{Options, Outcome};

const PAIRS: u32 = 6;
const RUNS: u32 = 3;
const TALK: Duration = Duration::from_millis(2500);
const RATE: Duration = Duration::from_secs(10);
const LINES_PER_S: f64 = 1000.0;
const ACK_MS_MAX: f64 = 10.0;

/// What stands before the name of a line of the crowd; always as long. A relay without a history numbers its sessions from
/// the time on, in milliseconds.
const TAGS: &str =
    "@id=117678169420988417;time=2026-11-25T17:06:04.456Z;room=general;key=1795626364451.0000a000 ";

pub(crate) fn extended(options: &Options) -> Outcome<Vec<Row>> {
    let mut rows = acknowledgements(options)?;
    options.settle("extended", &mut rows);
    let mut crowd = crowd(options)?;
    options.settle("extended", &mut crowd);
    rows.extend(crowd);
    Ok(rows)
}

/// The crowd's clients, a thousand lines a second, with everything kept.
fn acknowledgements(options: &Options) -> Outcome<Vec<Row>> {
    let plan = Plan {
        protocol: Protocol::Extended,
        pace: Pace::Rate(LINES_PER_S),
        duration: if options.is_quick { RATE / 5 } else { RATE },
        ..crowd_plan()
    };
    let (mut p50, mut p99, mut unanswered) = (Vec::new(), Vec::new(), 0);
    for number in 0..options.pairs(RUNS) {
        let measured = acknowledged(&plan, number)?;
        options.check("with a history", &measured)?;
        let ack = &measured.latency.ack;
        p50.push(ack.value_at_quantile(0.5) as f64 / 1e3);
        p99.push(ack.value_at_quantile(0.99) as f64 / 1e3);
        let answered = measured.answered.ok_or("no answers")?;
        unanswered += answered.unanswered + answered.refused + answered.not_kept;
    }
    let row = |figure: &str, value, bound| Row::plain("extended", figure, None, value, bound);
    let middle = |values: &[f64]| median(values).ok_or("no run");
    Ok(vec![
        row("ms until a line is known to be kept, p99", middle(&p99)?, Bound::AtMost(ACK_MS_MAX)),
        row("ms, p50", middle(&p50)?, Bound::None),
        row("lines of it that were not acknowledged", unanswered as f64, Bound::AtMost(0.0)),
    ])
}

fn acknowledged(plan: &Plan, number: u32) -> Outcome<Measured> {
    let scratch = Scratch::new(&format!("ack-{number}"))?;
    limits::make_place(plan.clients, 1)?;
    let ground = scratch.relay()?;
    let _pin = ground::apart(&[&ground]);
    let stop = AtomicBool::new(false);
    let mut stage = Stage::open(plan, &ground.target, SPINNING, &stop, &mut |_| ())?;
    stage.measure(plan.duration, &stop, &mut |_| ())?;
    Ok(stage.finish().1)
}

/// The crowd with tags, beside a floor that passes on plain lines of as many bytes.
fn crowd(options: &Options) -> Outcome<Vec<Row>> {
    let ours = Plan { protocol: Protocol::Extended, ..crowd_plan() };
    let floor = Plan { sizes: Sizes::of(ours.sizes.max_bytes + TAGS.len()), ..crowd_plan() };
    let length = if options.is_quick { TALK / 4 } else { TALK };
    let sides: [(&Plan, crate::works::Start); 2] = [(&ours, Ground::relay), (&floor, Ground::floor)];
    let pairs = pairs(options, options.pairs(PAIRS), length, SPINNING, sides)?;
    let rates = figures(&pairs, |figures| Some(figures.rate_per_s));
    let costs = figures(&pairs, |figures| figures.server_cpu_us_per_delivery);
    Ok(vec![
        Row::paired("extended", "deliveries/s, crowd, lines as long", &rates, Bound::AtLeast(0.7)),
        Row::paired("extended", "server µs/delivery", &costs, Bound::None),
    ])
}
