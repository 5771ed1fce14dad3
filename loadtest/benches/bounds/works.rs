//! The works taken in pairs: relay and floor by turns, the median of their ratios against a bound.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tertulia_loadtest::ground::{self, Ground};
use tertulia_loadtest::limits;
use tertulia_loadtest::live::Live;
use tertulia_loadtest::measured::Measured;
use tertulia_loadtest::plan::{Joins, Plan};
use tertulia_loadtest::protocol::Protocol;
use tertulia_loadtest::report::Figures;
use tertulia_loadtest::run::{Pair, pair};
use tertulia_loadtest::schedule::Pace;
use tertulia_loadtest::stamp::Sizes;
use tertulia_loadtest::swarm::Settings;

use crate::table::{Bound, Row};
use crate::{Options, Outcome};

/// Even, as the sides change places from pair to pair.
const USUAL_PAIRS: u32 = 6;
const RATE_PAIRS: u32 = 9;
pub(crate) const TALK: Duration = Duration::from_millis(2500);
const RATE: Duration = Duration::from_secs(10);
const STUCK: Duration = Duration::from_secs(30);
const STUCK_RESIDENT_MAX_KIB: f64 = 24.0 * 1024.0;

/// A generator that never sleeps: to wake it would be the server's work, and vary with its pace.
pub(crate) const SPINNING: Settings =
    Settings { spins: true, interval_us: 1_000_000, keeps_log: false, trace_records: 0 };

/// How a server is started.
pub(crate) type Start = fn() -> Result<Ground, String>;

/// A closed loop with one line of each sender under way.
pub(crate) fn plan(clients: usize, senders: usize) -> Plan {
    Plan {
        clients,
        senders,
        pace: Pace::Window(1),
        duration: TALK,
        warmup: Duration::from_millis(500),
        sizes: Sizes::of(64),
        protocol: Protocol::Plain,
        slow: 0,
        churn_per_s: 0.0,
        connect_rate_per_s: None,
        sources: Vec::new(),
        joins: Joins::Senders,
    }
}

/// 64 senders and 100 more listeners.
pub(crate) fn crowd_plan() -> Plan {
    plan(164, 64)
}

/// One sender and 100 listeners.
pub(crate) fn lone_plan() -> Plan {
    plan(101, 1)
}

/// One sender, 100 lines a second, 1,000 listeners.
pub(crate) fn rate_plan() -> Plan {
    Plan { pace: Pace::Rate(100.0), duration: RATE, warmup: Duration::from_secs(1), ..plan(1001, 1) }
}

/// Pairs of two plans, each on a server of its own. A lost line is an error.
pub(crate) fn pairs(
    options: &Options,
    count: u32,
    length: Duration,
    settings: Settings,
    sides: [(&Plan, Start); 2],
) -> Outcome<Vec<(Measured, Measured)>> {
    let [(first, start_first), (second, start_second)] = sides;
    let stop = AtomicBool::new(false);
    let mut outcomes = Vec::new();
    for number in 0..count {
        limits::make_place(first.clients + second.clients, 1)?;
        let grounds = [start_first()?, start_second()?];
        let _pin = ground::apart(&[&grounds[0], &grounds[1]]);
        let mut live = Live::new(&format!("pair {} of {count}", number + 1));
        let sides = [(first, &grounds[0]), (second, &grounds[1])];
        let Pair { ours, floor } = pair(sides, number, settings, length, &stop, &mut live)?;
        let both = (ours.finish().1, floor.finish().1);
        options.check("the first side", &both.0)?;
        options.check("the second side", &both.1)?;
        outcomes.push(both);
    }
    Ok(outcomes)
}

/// One figure of both sides of the pairs.
pub(crate) fn figures(
    pairs: &[(Measured, Measured)],
    figure: impl Fn(&Figures) -> Option<f64>,
) -> Vec<(f64, f64)> {
    let both = |(ours, floor): &(Measured, Measured)| figure(&ours.figures()).zip(figure(&floor.figures()));
    pairs.iter().filter_map(both).collect()
}

fn against_floor(
    options: &Options,
    usual: u32,
    length: Duration,
    plan: &Plan,
) -> Outcome<Vec<(Measured, Measured)>> {
    let length = if options.is_quick { length / 4 } else { length };
    let count = options.pairs(usual);
    pairs(options, count, length, SPINNING, [(plan, Ground::relay), (plan, Ground::floor)])
}

fn crowd_rows(options: &Options, work: &str, plan: &Plan) -> Outcome<Vec<Row>> {
    let pairs = against_floor(options, USUAL_PAIRS, TALK, plan)?;
    let rates = figures(&pairs, |figures| Some(figures.rate_per_s));
    let costs = figures(&pairs, |figures| figures.server_cpu_us_per_delivery);
    Ok(vec![
        Row::paired(work, "deliveries/s", &rates, Bound::AtLeast(0.85)),
        Row::paired(work, "server µs/delivery", &costs, Bound::AtMost(1.3)),
    ])
}

pub(crate) fn crowd(options: &Options) -> Outcome<Vec<Row>> {
    crowd_rows(options, "crowd", &crowd_plan())
}

/// With senders which never said that they join, so that the name check is on the path.
pub(crate) fn crowd_unjoined(options: &Options) -> Outcome<Vec<Row>> {
    crowd_rows(options, "crowd-unjoined", &Plan { joins: Joins::None, ..crowd_plan() })
}

pub(crate) fn lone(options: &Options) -> Outcome<Vec<Row>> {
    let pairs = against_floor(options, USUAL_PAIRS, TALK, &lone_plan())?;
    let costs = figures(&pairs, |figures| figures.server_cpu_us_per_delivery);
    let rates = figures(&pairs, |figures| Some(figures.rate_per_s));
    Ok(vec![
        Row::paired("lone", "server µs/delivery", &costs, Bound::AtMost(1.06)),
        Row::paired("lone", "deliveries/s", &rates, Bound::None),
    ])
}

pub(crate) fn rate(options: &Options) -> Outcome<Vec<Row>> {
    let pairs = against_floor(options, RATE_PAIRS, RATE, &rate_plan())?;
    let row = |name: &str, figure: fn(&Figures) -> Option<f64>, bound| {
        Row::paired("rate", name, &figures(&pairs, figure), bound)
    };
    Ok(vec![
        row("p50 µs, 1,000 listeners", |figures| Some(figures.p50_us), Bound::AtMost(1.15)),
        row("p99 µs", |figures| Some(figures.p99_us), Bound::AtMost(1.3)),
        row("p99.9 µs", |figures| Some(figures.p99_9_us), Bound::None),
    ])
}

/// The crowd with 180 who listen and 20 who never read, against the same without them, both on the relay.
pub(crate) fn stuck(options: &Options) -> Outcome<Vec<Row>> {
    let calm = plan(64 + 180, 64);
    let with_stuck = Plan { clients: 64 + 200, slow: 20, ..calm.clone() };
    let length = if options.is_quick { STUCK / 6 } else { STUCK };
    let sides: [(&Plan, Start); 2] = [(&with_stuck, Ground::relay), (&calm, Ground::relay)];
    let pairs = pairs(options, options.pairs.unwrap_or(1), length, SPINNING, sides)?;
    let rates = figures(&pairs, |figures| Some(figures.rate_per_s));
    let most = |figure: fn(&Measured) -> u64, side: fn(&(Measured, Measured)) -> &Measured| {
        pairs.iter().map(|pair| figure(side(pair))).max().unwrap_or_default() as f64
    };
    let both = |figure: fn(&Measured) -> u64| (most(figure, |pair| &pair.0), most(figure, |pair| &pair.1));
    let resident = both(|measured| measured.resident_peak_kib);
    let kernel = both(|measured| measured.tcp_memory_peak_kib);
    let bound = Bound::AtMost(STUCK_RESIDENT_MAX_KIB);
    Ok(vec![
        Row::paired("stuck", "deliveries/s (beside it: without the stuck)", &rates, Bound::AtLeast(0.95)),
        Row::plain("stuck", "KiB resident at most", Some(resident.1), resident.0, bound),
        Row::plain("stuck", "KiB of the kernel's TCP memory at most", Some(kernel.1), kernel.0, Bound::None),
    ])
}
