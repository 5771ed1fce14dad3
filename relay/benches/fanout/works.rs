//! The works taken in pairs: floor and relay by turns, the median of their ratios against a bound.

use std::time::Duration;

use crate::options::Options;
use crate::pin::Pin;
use crate::rate::{self, Lateness};
use crate::report::{Bound, Row};
use crate::server::{Program, Server};
use crate::talk::{self, Pace, Shape, Talk};
use crate::{Outcome, masses};

const CROWD: Shape = Shape { senders: 64, listeners: 100, stuck: 0, joined: true, pace: Pace::Watcher };
const LONE: Shape = Shape { senders: 1, listeners: 100, stuck: 0, joined: true, pace: Pace::Everybody };
/// Those who listen, with `CROWD`'s senders, while others do not read.
const HEEDFUL: usize = 180;
const STUCK: usize = 20;
const STUCK_RESIDENT_MAX_KIB: f64 = 24.0 * 1024.0;
const RATE_LISTENERS: usize = 1000;
/// Even, as the sides change places from pair to pair.
const USUAL_PAIRS: usize = 6;
const RATE_PAIRS: usize = 9;
const TALK_SLICE: Duration = Duration::from_millis(125);
const RATE_SLICE: Duration = Duration::from_secs(1);

/// Two servers side by side, and what they run.
type Sides<T> = [(Program, T); 2];

/// Starts both servers of a pair, apart from the generator.
fn start_both<T>(
    options: &Options,
    sides: &Sides<T>,
    clients: impl Fn(&T) -> usize,
) -> Outcome<([Server; 2], Pin)> {
    let [first, second] = sides;
    let servers = [
        Server::start(options, first.0, clients(&first.1))?,
        Server::start(options, second.0, clients(&second.1))?,
    ];
    let pin = Pin::apart(&servers.each_ref().map(Server::pid));
    Ok((servers, pin))
}

/// Takes pairs; in every other one the sides change places, since the server that is set up second
/// is found to run a little cheaper.
fn take_pairs<S, T>(
    pairs: usize,
    sides: &Sides<S>,
    mut once: impl FnMut(Sides<S>) -> Outcome<(T, T)>,
) -> Outcome<Vec<(T, T)>>
where
    S: Copy,
{
    let [floor, relay] = *sides;
    let mut outcomes = Vec::new();
    for pair in 0..pairs {
        outcomes.push(if pair % 2 == 0 {
            once([floor, relay])?
        } else {
            let (first, second) = once([relay, floor])?;
            (second, first)
        });
    }
    Ok(outcomes)
}

/// Gives both sides of a pair their slices by turns, so that whatever else the machine does meets
/// both alike; who goes first changes from turn to turn.
fn alternate<T>(
    stages: &mut [T; 2],
    slices: u32,
    mut slice: impl FnMut(&mut T) -> Outcome<()>,
) -> Outcome<()> {
    let [first, second] = stages;
    for turn in 0..slices {
        if turn % 2 == 0 {
            slice(first)?;
            slice(second)?;
        } else {
            slice(second)?;
            slice(first)?;
        }
    }
    Ok(())
}

/// One pair of talks.
fn talk_pair(options: &Options, sides: Sides<Shape>, measured: Duration) -> Outcome<(Talk, Talk)> {
    let (servers, _pin) = start_both(options, &sides, Shape::clients)?;
    let [first, second] = &servers;
    let [(_, first_shape), (_, second_shape)] = sides;
    let mut stages = [talk::Stage::open(first, first_shape)?, talk::Stage::open(second, second_shape)?];
    let slices = (measured.as_millis() / TALK_SLICE.as_millis()) as u32;
    alternate(&mut stages, slices, |stage| stage.slice(TALK_SLICE))?;
    let [first, second] = stages.map(talk::Stage::into_talk);
    Ok((first, second))
}

/// One pair of the open loop.
fn rate_pair(options: &Options, sides: Sides<usize>, slices: u32) -> Outcome<(Lateness, Lateness)> {
    let [(_, listeners), _] = sides;
    let (servers, _pin) = start_both(options, &sides, |listeners| listeners + 1)?;
    let [first, second] = &servers;
    let mut stages = [rate::Stage::open(first, listeners)?, rate::Stage::open(second, listeners)?];
    alternate(&mut stages, slices, |stage| stage.slice(RATE_SLICE))?;
    let [first, second] = stages.map(rate::Stage::into_lateness);
    Ok((first?, second?))
}

/// The pairs of one shape on floor and relay.
fn talk_pairs(options: &Options, shape: Shape) -> Outcome<Vec<(Talk, Talk)>> {
    let measured = Duration::from_millis(if options.quick { 1000 } else { 2500 });
    let sides = [(Program::Floor, shape), (Program::Relay, shape)];
    take_pairs(options.pairs_or(USUAL_PAIRS), &sides, |sides| talk_pair(options, sides, measured))
}

/// One figure of each side of the pairs.
fn figures<T>(pairs: &[(T, T)], figure: impl Fn(&T) -> f64) -> Vec<(f64, f64)> {
    pairs.iter().map(|(floor, relay)| (figure(floor), figure(relay))).collect()
}

fn crowd_rows(options: &Options, work: &str, shape: Shape) -> Outcome<Vec<Row>> {
    let pairs = talk_pairs(options, shape)?;
    let rates = figures(&pairs, Talk::rate);
    let costs = figures(&pairs, Talk::cpu_per_delivery_ns);
    Ok(vec![
        Row::paired(work, "deliveries/s", &rates, Bound::AtLeast(0.85)),
        Row::paired(work, "server ns/delivery", &costs, Bound::AtMost(1.3)),
    ])
}

/// 64 senders which joined, 100 listeners.
pub(crate) fn crowd(options: &Options) -> Outcome<Vec<Row>> {
    crowd_rows(options, "crowd", CROWD)
}

/// The same with senders which never said that they join.
pub(crate) fn crowd_unjoined(options: &Options) -> Outcome<Vec<Row>> {
    crowd_rows(options, "crowd-unjoined", Shape { joined: false, ..CROWD })
}

/// One sender, one line under way, 100 listeners.
pub(crate) fn lone(options: &Options) -> Outcome<Vec<Row>> {
    let pairs = talk_pairs(options, LONE)?;
    let costs = figures(&pairs, Talk::cpu_per_delivery_ns);
    let rates = figures(&pairs, Talk::rate);
    Ok(vec![
        Row::paired("lone", "server ns/delivery", &costs, Bound::AtMost(1.06)),
        Row::paired("lone", "deliveries/s", &rates, Bound::None),
    ])
}

/// 100 lines a second to 1,000 listeners, each line timed from when it was meant to go out.
pub(crate) fn steady_rate(options: &Options) -> Outcome<Vec<Row>> {
    let listeners = masses::affordable(RATE_LISTENERS)?;
    let slices = if options.quick { 2 } else { 10 };
    let sides = [(Program::Floor, listeners), (Program::Relay, listeners)];
    let pairs = take_pairs(options.pairs_or(RATE_PAIRS), &sides, |sides| rate_pair(options, sides, slices))?;
    let row = |figure: &str, values: Vec<(f64, f64)>, bound| {
        Row::paired("rate", &format!("{figure} µs, {listeners} listeners"), &values, bound)
    };
    Ok(vec![
        row("p50", figures(&pairs, |late| late.p50_us), Bound::AtMost(1.15)),
        row("p99", figures(&pairs, |late| late.p99_us), Bound::AtMost(1.3)),
        row("p99.9", figures(&pairs, |late| late.p999_us), Bound::None),
    ])
}

/// The crowd with some who never read, against the same without them, both on the relay.
pub(crate) fn stuck(options: &Options) -> Outcome<Vec<Row>> {
    let measured = Duration::from_secs(if options.quick { 5 } else { 30 });
    let calm = Shape { listeners: HEEDFUL, ..CROWD };
    let sides = [(Program::Relay, calm), (Program::Relay, Shape { stuck: STUCK, ..calm })];
    let pairs = take_pairs(options.pairs.unwrap_or(1), &sides, |sides| talk_pair(options, sides, measured))?;
    let rates = figures(&pairs, Talk::rate);
    let worst = |figure: fn(&Talk) -> u64, side: fn(&(Talk, Talk)) -> &Talk| {
        pairs.iter().map(|pair| figure(side(pair))).max().unwrap_or(0) as f64
    };
    let resident = |talk: &Talk| talk.resident_peak_kib;
    let sockets = |talk: &Talk| talk.socket_peak_kib;
    let against = "(relay without / with stuck)";
    Ok(vec![
        Row::paired("stuck", &format!("deliveries/s {against}"), &rates, Bound::AtLeast(0.95)),
        Row::beside(
            "stuck",
            &format!("peak VmRSS KiB {against}"),
            Some(worst(resident, |pair| &pair.0)),
            worst(resident, |pair| &pair.1),
            Bound::AtMost(STUCK_RESIDENT_MAX_KIB),
        ),
        Row::beside(
            "stuck",
            &format!("peak TCP memory KiB {against}"),
            Some(worst(sockets, |pair| &pair.0)),
            worst(sockets, |pair| &pair.1),
            Bound::None,
        ),
    ])
}

/// One server under one work, for a profiler.
pub(crate) fn profile(options: &Options, work: &str) -> Outcome<()> {
    let measured = Duration::from_secs(options.profile_seconds.unwrap_or(10));
    let shape = match work {
        "crowd" => Some(CROWD),
        "crowd-unjoined" => Some(Shape { joined: false, ..CROWD }),
        "lone" => Some(LONE),
        "rate" => None,
        other => return Err(format!("no work {other} for a profiler: see --help").into()),
    };
    let clients = shape.map_or(RATE_LISTENERS + 1, |shape| shape.clients());
    let server = Server::start(options, Program::Relay, clients)?;
    let _pin = Pin::apart(&[server.pid()]);
    println!("server: process {}", server.pid());
    if let Some(shape) = shape {
        let mut stage = talk::Stage::open(&server, shape)?;
        stage.slice(measured)?;
        let talk = stage.into_talk();
        println!("{:.0} deliveries/s, {:.0} ns/delivery", talk.rate(), talk.cpu_per_delivery_ns());
    } else {
        let mut stage = rate::Stage::open(&server, RATE_LISTENERS)?;
        stage.slice(measured)?;
        let late = stage.into_lateness()?;
        println!("p50 {} µs, p99 {} µs, p99.9 {} µs", late.p50_us, late.p99_us, late.p999_us);
    }
    Ok(())
}
