//! `peers`: the same work for our relay and for other servers, in turns, in one table.

pub mod servers;

use std::fmt::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ground::{self, Ground};
use crate::html::{self, Section};
use crate::live::Live;
use crate::measured::Measured;
use crate::options::Peers;
use crate::output::{self, Files, INVALID};
use crate::plan::{Joins, Plan};
use crate::process::Pin;
use crate::protocol::Protocol;
use crate::report::{Report, SCHEMA_VERSION};
use crate::schedule::Pace;
use crate::stage::{Origin, Stage, Target};
use crate::stamp::Sizes;
use crate::swarm::Settings;
use crate::text::grouped;
use servers::{Peer, PeerServer};

/// Not measured, before each turn.
const WARMUP: Duration = Duration::from_millis(500);
/// ngIRCd has a backlog of ten, and if that runs over, it accepts nobody until yet another one comes.
const CONNECTS_PER_S: f64 = 500.0;

/// Who is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contestant {
    Relay,
    Floor,
    Peer(Peer),
}

/// A server under test, which ends with this value.
type Running = Box<dyn std::any::Any>;

/// What came of one server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Compared {
    /// Of the closed loop: as much as it carries.
    pub crowd: Report,
    /// Of the open loop: how late lines are at a rate that it carries.
    pub rate: Report,
}

/// One server's turns so far.
#[derive(Default)]
struct Turns {
    crowd: Option<(Origin, Measured)>,
    rate: Option<(Origin, Measured)>,
    error: Option<String>,
}

impl Contestant {
    fn all() -> Vec<Self> {
        [Self::Relay, Self::Floor].into_iter().chain(Peer::ALL.map(Self::Peer)).collect()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Floor => "floor",
            Self::Peer(peer) => peer.name(),
        }
    }

    fn protocol(self) -> Protocol {
        match self {
            Self::Relay | Self::Floor => Protocol::Plain,
            Self::Peer(peer) => peer.protocol(),
        }
    }

    fn is_there(self) -> bool {
        match self {
            Self::Relay | Self::Floor => true,
            Self::Peer(peer) => peer.path().is_some(),
        }
    }

    fn start(self) -> Result<(Running, Target), String> {
        let server = match self {
            Self::Relay => return Ok(own(Ground::relay()?)),
            Self::Floor => return Ok(own(Ground::floor()?)),
            Self::Peer(peer) => (PeerServer::start(peer)?, peer.version()),
        };
        let (server, name) = server;
        let target = Target {
            address: server.address(),
            pid: server.pid(),
            name,
            is_fresh: true,
            trust: None,
            login: None,
        };
        Ok((Box::new(server), target))
    }
}

fn own(ground: Ground) -> (Running, Target) {
    let target = ground.target.clone();
    (Box::new(ground), target)
}

/// Does what `peers` is asked for.
pub fn peers(options: &Peers) -> Result<ExitCode, String> {
    let known = Contestant::all();
    if let Some(name) = options.only.iter().find(|name| !known.iter().any(|one| one.name() == *name)) {
        let names: Vec<&str> = known.iter().map(|one| one.name()).collect();
        return Err(format!("--only {name}: there are {}", names.join(", ")));
    }
    let wanted =
        |one: &Contestant| options.only.is_empty() || options.only.iter().any(|name| name == one.name());
    let (there, missing): (Vec<_>, Vec<_>) = known.into_iter().filter(wanted).partition(|one| one.is_there());
    for one in missing {
        eprintln!("{}: not installed, left out", one.name());
    }
    let files = Files::open(options.json.as_deref(), options.html.as_deref(), None)?;
    crate::limits::make_place(options.clients, 1)?;
    let stop = ground::stop_flag()?;
    let mut turns: Vec<(Contestant, Turns)> = there.into_iter().map(|one| (one, Turns::default())).collect();
    for number in 0..options.repeat {
        // Everybody goes first once.
        let begin = number as usize % turns.len().max(1);
        turns.rotate_left(begin);
        for (one, turns) in &mut turns {
            let what = format!("{}, turn {} of {}", one.name(), number + 1, options.repeat);
            if let Err(error) = take_turn(options, *one, turns, &what, &stop) {
                eprintln!("{}: {error}", one.name());
                turns.error = Some(error);
            }
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        turns.rotate_right(begin);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    finish(&files, turns, stop.load(Ordering::Relaxed))
}

fn plan(options: &Peers, one: Contestant, pace: Pace) -> Result<Plan, String> {
    let plan = Plan {
        clients: options.clients,
        senders: options.senders,
        pace,
        duration: options.duration,
        warmup: WARMUP,
        sizes: Sizes::of(64),
        protocol: one.protocol(),
        slow: 0,
        churn_per_s: 0.0,
        connect_rate_per_s: Some(CONNECTS_PER_S),
        sources: Vec::new(),
        joins: Joins::Senders,
    };
    plan.check()?;
    Ok(plan)
}

/// One turn: a fresh server for each of the two works.
fn take_turn(
    options: &Peers,
    one: Contestant,
    turns: &mut Turns,
    what: &str,
    stop: &AtomicBool,
) -> Result<(), String> {
    let works = [
        (&mut turns.crowd, Pace::Window(1), "as much as it carries"),
        (&mut turns.rate, Pace::Rate(options.rate), "at a rate"),
    ];
    for (sum, pace, words) in works {
        let plan = plan(options, one, pace)?;
        let (running, target) = one.start()?;
        let _pin = target.pid.and_then(|pid| Pin::apart(&[pid]));
        let mut live = Live::new(&format!("{what}, {words}"));
        live.say("connects");
        let settings = Settings { interval_us: 250_000, ..Settings::default() };
        let mut stage = Stage::open(&plan, &target, settings, stop, &mut |swarm| live.show(swarm))?;
        let slice = stage.measure(plan.duration, stop, &mut |swarm| live.show(swarm))?;
        let (origin, measured) = stage.finish();
        drop(running);
        if slice.is_deserted {
            return Err(format!("{words}: it closed every connection"));
        }
        if measured.repeats.is_empty() {
            // Stopped before anything was measured.
            continue;
        }
        match sum {
            Some((_, sum)) => sum.merge(measured)?,
            None => *sum = Some((origin, measured)),
        }
    }
    Ok(())
}

fn finish(files: &Files, turns: Vec<(Contestant, Turns)>, is_partial: bool) -> Result<ExitCode, String> {
    let mut all = Vec::new();
    let mut errors = String::new();
    for (one, Turns { crowd, rate, error }) in turns {
        if let (Some((origin, crowd)), Some((rate_origin, rate))) = (crowd, rate) {
            all.push(Compared { crowd: origin.report(&crowd), rate: rate_origin.report(&rate) });
        }
        if let Some(error) = error {
            let _ = writeln!(errors, "{}: {error}", one.name());
        }
    }
    all.sort_by(|one, other| other.crowd.rate_per_s.total_cmp(&one.crowd.rate_per_s));
    let mut text = table(&all) + &errors;
    if is_partial {
        text.push_str("PARTIAL: ended before its time\n");
    }
    let json =
        serde_json::json!({ "schema_version": SCHEMA_VERSION, "is_partial": is_partial, "peers": all });
    let written = files.write(&text, &json, || page(&all));
    output::ends(code(&all, !errors.is_empty()), written)
}

/// How the program ends: with 1 where a server could not be measured, with 3 where a run is not to be trusted.
fn code(all: &[Compared], has_errors: bool) -> u8 {
    let is_invalid = all.iter().any(|one| !one.crowd.invalid.is_empty() || !one.rate.invalid.is_empty());
    match (has_errors, is_invalid) {
        (true, _) => 1,
        (false, true) => INVALID,
        (false, false) => 0,
    }
}

/// What the names of the table do not tell.
const NAMES: &str = "floor: a server that only passes bytes on, what this machine's sockets allow; threads: a server with \
    a thread for each client, like the one that Tertulia replaces";

/// How often each had its turn, and what became of that.
fn turns_told(all: &[Compared]) -> String {
    let turns = all.first().map_or(0, |one| one.crowd.repeats.len());
    let noun = if turns == 1 { "turn" } else { "turns" };
    format!(
        "{turns} {noun} of each, one after the other, each server fresh and on a processor of its own; figures are of all \
         turns together, percentiles of all their samples"
    )
}

fn page(all: &[Compared]) -> Result<String, String> {
    let sections = [
        Section {
            title: "As much as it carries (closed loop)".into(),
            note: String::new(),
            runs: all.iter().map(|one| one.crowd.clone()).collect(),
        },
        Section {
            note: "Every server was given the same lines a second, so that only how late they come, and at what cost, \
                   differs."
                .into(),
            title: "How late lines are at a steady rate (open loop)".into(),
            runs: all.iter().map(|one| one.rate.clone()).collect(),
        },
    ];
    html::page_of("Chat servers compared", &[turns_told(all), NAMES.to_owned()], &sections)
}

/// Of all turns together, as on the page; the most carried first.
fn table(all: &[Compared]) -> String {
    let mut text = String::new();
    let Some(first) = all.first() else { return "no server was measured\n".into() };
    let _ = writeln!(text, "crowd: {}", first.crowd.plan);
    let _ = writeln!(text, "rate:  {}", first.rate.plan);
    let _ = writeln!(text, "{}\n{NAMES}\n", turns_told(all));
    text.push_str(
        "| server | deliveries/s | least to greatest | µs CPU/delivery | p50 µs at rate | p99 µs at rate | KiB | lost, \
         doubled, disordered, corrupt |\n|---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for one in all {
        let Compared { crowd, rate } = one;
        let each = &rate.latency_us.each;
        let server = crowd.server.as_ref();
        let rates = || crowd.repeats.iter().map(|figures| figures.rate_per_s);
        let counts = crowd.counts.plus(rate.counts);
        let _ = writeln!(
            text,
            "| {} | {} | {} to {} | {} | {} | {} | {} | {}, {}, {}, {} |",
            crowd.server_name,
            grouped(crowd.rate_per_s),
            grouped(rates().fold(f64::INFINITY, f64::min)),
            grouped(rates().fold(0.0, f64::max)),
            server.map_or("-".into(), |server| format!("{:.3}", server.cpu_us_per_delivery)),
            grouped(each.p50 as f64),
            grouped(each.p99 as f64),
            server.map_or("-".into(), |server| grouped(server.resident_kib as f64)),
            counts.lost,
            counts.doubled,
            counts.out_of_order,
            counts.corrupt
        );
    }
    for one in all {
        for (work, report) in [("crowd", &one.crowd), ("rate", &one.rate)] {
            for reason in &report.invalid {
                let _ = writeln!(text, "{}, {work}: INVALID: {reason}", report.server_name);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Figures, example};

    fn compared() -> Compared {
        Compared { crowd: example(), rate: example() }
    }

    #[test]
    fn table_and_page_have_the_same_figures() {
        let mut one = compared();
        // Three turns of which the percentiles' median is not the percentile of all.
        one.rate.repeats =
            [1_000.0, 2_000.0, 300_000.0].map(|p99_us| Figures { p99_us, ..Figures::default() }).to_vec();
        one.rate.latency_us.each.p99 = 280_000;
        one.crowd.rate_per_s = 12_345.0;
        let text = table(std::slice::from_ref(&one));
        assert!(text.contains("| 280,000 |") && text.contains("| 12,345 |"), "{text}");
        let page = page(&[one, compared()]).unwrap();
        assert!(page.contains("280 ms") && page.contains("12,345"));
    }

    #[test]
    fn table_and_page_tell_how_many_turns_there_were_and_what_floor_and_threads_are() {
        let mut one = compared();
        one.crowd.repeats = vec![Figures::default(); 7];
        let page = page(&[one.clone(), compared()]).unwrap().replace("&#39;", "'");
        for text in [table(&[one]), page] {
            assert!(text.contains("7 turns of each") && text.contains(NAMES), "{text}");
        }
    }

    #[test]
    fn it_ends_with_3_where_a_run_is_not_to_be_trusted() {
        let mut invalid = compared();
        invalid.rate.invalid.push("late".into());
        assert_eq!(code(&[compared()], false), 0);
        assert_eq!(code(&[compared(), invalid.clone()], false), 3);
        assert_eq!(code(&[invalid], true), 1);
    }
}
