//! `run`: one load, or several repeats of it, alone or in turns with the reference server.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tertulia_wire::trace::RECORDS_MAX;

use crate::bounds::Bound;
use crate::ground::{self, Ground};
use crate::live::Live;
use crate::measured::Measured;
use crate::options::{Output, Run, Whom};
use crate::output::{self, Files};
use crate::plan::{Plan, Planned};
use crate::protocol::Protocol;
use crate::report::{BesideFloor, Figures, Ratio, Report};
use crate::schedule::Pace;
use crate::stage::{Origin, Stage};
use crate::swarm::Settings;
use crate::verdict;

/// Pairs, where nobody says how many.
const PAIRS: u32 = 3;
/// What `--trace` adds to `--fail-if`: a trace is there to be clean.
const TRACE_BOUND: &str = "trace.violations>0";
/// Turns are so short that whatever else the machine does meets both alike.
const TURN_CLOSED: Duration = Duration::from_millis(125);
/// An open loop needs longer ones, so that enough lines are due in each.
const TURN_OPEN: Duration = Duration::from_secs(1);

/// Does what `run` is asked for.
pub fn run(options: &Run) -> Result<ExitCode, String> {
    let plan = options.work.plan(&options.whom, options.duration)?;
    if options.with_floor {
        check_floor(&options.whom)?;
    }
    if options.trace {
        check_trace(&options.whom)?;
    }
    let Output { json, html } = &options.output;
    let mut files = Files::open(json.as_deref(), html.as_deref(), options.hdr.as_deref())?;
    let stages = if options.with_floor { 2 } else { 1 };
    ground::make_place(&options.whom, plan.clients, stages)?;
    let stop = ground::stop_flag()?;
    let (spins, with_floor, traces) = (options.whom.spin, options.with_floor, options.trace);
    files.announce(&Planned { spins, with_floor, traces, ..plan.planned() });
    let settings = Settings {
        trace_records: if options.trace { RECORDS_MAX } else { 0 },
        ..ground::settings(&options.whom, options.duration.as_secs_f64(), options.hdr.is_some())
    };
    let (report, measured) = if options.with_floor {
        beside_floor(options, &plan, settings, &stop)?
    } else {
        repeats(options, &plan, settings, &stop)?
    };
    let mut bounds = options.bounds.fail_if.clone();
    if options.trace {
        bounds.push(Bound::parse(TRACE_BOUND)?);
    }
    output::finish(&files, &bounds, &report, &measured)
}

fn repeats(
    options: &Run,
    plan: &Plan,
    settings: Settings,
    stop: &AtomicBool,
) -> Result<(Report, Measured), String> {
    let mut sum: Option<(Origin, Measured)> = None;
    for number in 1..=options.repeat.unwrap_or(1) {
        let ground = if options.trace { Ground::keeping(&options.whom)? } else { Ground::of(&options.whom)? };
        let _pin = ground::apart(&[&ground]);
        let mut live = Live::new(&format!("run {number}"));
        live.say("connects");
        let mut watcher = |swarm: &_| live.show(swarm);
        let mut stage = Stage::open(plan, &ground.target, settings, stop, &mut watcher)?;
        eprintln!("all clients hear each other; measures");
        let slice = stage.measure(plan.duration, stop, &mut watcher)?;
        if options.trace {
            eprintln!("reads the history back; judges the trace");
        }
        let (origin, measured) = stage.finish_judged()?;
        match &mut sum {
            Some((_, sum)) => sum.merge(measured)?,
            None => sum = Some((origin, measured)),
        }
        if stop.load(Ordering::Relaxed) || (slice.is_deserted && options.whom.target.is_some()) {
            break;
        }
    }
    let (origin, measured) = sum.ok_or("nothing was run")?;
    Ok((origin.report(&measured), measured))
}

fn check_floor(whom: &Whom) -> Result<(), String> {
    if whom.target.is_some_and(|target| !target.ip().is_loopback()) {
        return Err("--with-floor: the floor runs on this machine, and --target does not".into());
    }
    if !matches!(whom.protocol, Protocol::Plain | Protocol::Unframed) {
        return Err(format!("--with-floor: the floor does not speak {}", whom.protocol));
    }
    Ok(())
}

fn check_trace(whom: &Whom) -> Result<(), String> {
    if whom.protocol != Protocol::Extended {
        return Err(format!(
            "--trace: {} has no ids and no acknowledgements to hold a run against; pass --protocol extended",
            whom.protocol
        ));
    }
    Ok(())
}

/// What came of a pair.
pub struct Pair {
    /// In front of the server.
    pub ours: Stage,
    /// In front of the reference server.
    pub floor: Stage,
}

/// One pair: both stages stand, and are measured in turns. In every other pair the sides change places, since whoever is
/// set up second is found to run a little cheaper.
pub fn pair(
    sides: [(&Plan, &Ground); 2],
    number: u32,
    settings: Settings,
    length: Duration,
    stop: &AtomicBool,
    live: &mut Live,
) -> Result<Pair, String> {
    let [ours, floor] = sides;
    let (plan, _) = ours;
    let mut open = |(plan, ground): (&Plan, &Ground)| {
        Stage::open(plan, &ground.target, settings, stop, &mut |swarm| live.show(swarm))
    };
    let (mut ours, mut floor) = if number.is_multiple_of(2) {
        let ours = open(ours)?;
        (ours, open(floor)?)
    } else {
        let floor = open(floor)?;
        (open(ours)?, floor)
    };
    let turn = match plan.pace {
        Pace::Window(_) => TURN_CLOSED,
        Pace::Rate(_) => TURN_OPEN,
    };
    let turns = (length.as_secs_f64() / turn.as_secs_f64()).round().max(1.0) as u32;
    for index in 0..turns {
        let [first, second] = if index % 2 == 0 { [&mut ours, &mut floor] } else { [&mut floor, &mut ours] };
        let first = first.measure(turn, stop, &mut |swarm| live.show(swarm))?;
        let second = second.measure(turn, stop, &mut |swarm| live.show(swarm))?;
        if stop.load(Ordering::Relaxed) || first.is_deserted || second.is_deserted {
            break;
        }
    }
    Ok(Pair { ours, floor })
}

fn beside_floor(
    options: &Run,
    plan: &Plan,
    settings: Settings,
    stop: &AtomicBool,
) -> Result<(Report, Measured), String> {
    let pairs = options.repeat.unwrap_or(PAIRS);
    let length = plan.duration / pairs;
    let mut sum: Option<(Origin, Measured)> = None;
    let mut floor_sum: Option<Measured> = None;
    for number in 0..pairs {
        let (ours, floor) = (Ground::of(&options.whom)?, Ground::floor()?);
        let _pin = ground::apart(&[&ours, &floor]);
        let mut live = Live::new(&format!("pair {} of {pairs}", number + 1));
        let Pair { ours, floor } =
            pair([(plan, &ours), (plan, &floor)], number, settings, length, stop, &mut live)?;
        let ((origin, measured), (_, floor)) = (ours.finish(), floor.finish());
        match &mut sum {
            Some((_, sum)) => sum.merge(measured)?,
            None => sum = Some((origin, measured)),
        }
        match &mut floor_sum {
            Some(sum) => sum.merge(floor)?,
            None => floor_sum = Some(floor),
        }
        let is_deserted = sum.as_ref().is_some_and(|(_, sum)| sum.is_deserted);
        if stop.load(Ordering::Relaxed) || (is_deserted && options.whom.target.is_some()) {
            break;
        }
    }
    let (origin, measured) = sum.ok_or("nothing was run")?;
    let floor = floor_sum.ok_or("nothing was run")?;
    let mut report = origin.report(&measured);
    report.plan.with_floor = true;
    report.floor = compared(&measured.repeats, &floor.repeats);
    report.invalid.extend(why_floor_invalid(&floor));
    Ok((report, measured))
}

/// Why nothing can be told of a server beside this reference server.
fn why_floor_invalid(floor: &Measured) -> Vec<String> {
    let of_floor = |reason| format!("beside the floor: {reason}");
    let mut reasons: Vec<String> = verdict::why_invalid(floor).into_iter().map(of_floor).collect();
    if !floor.counts.is_clean() {
        reasons.push(format!("the floor itself lost lines: {:?}", floor.counts));
    }
    reasons
}

/// The ratios of several pairs; none where there is none.
pub fn compared(ours: &[Figures], floor: &[Figures]) -> Option<BesideFloor> {
    let ratio = |figure: &dyn Fn(&Figures) -> Option<f64>| {
        let pairs = ours.iter().zip(floor).filter_map(|(ours, floor)| figure(ours).zip(figure(floor)));
        Ratio::of(&pairs.collect::<Vec<_>>())
    };
    Some(BesideFloor {
        figures: floor.to_vec(),
        rate: ratio(&|figures| Some(figures.rate_per_s))?,
        p50: ratio(&|figures| Some(figures.p50_us))?,
        p99: ratio(&|figures| Some(figures.p99_us))?,
        server_cpu: ratio(&|figures| figures.server_cpu_us_per_delivery),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Usage;

    #[test]
    fn a_run_beside_a_floor_that_is_not_to_be_trusted_is_not_either() {
        let mut floor = Measured::new().unwrap();
        floor.measured_s = 10.0;
        assert!(why_floor_invalid(&floor).is_empty());
        floor.own = Usage { cpu_ns: 9_700_000_000, ..Usage::default() };
        let reasons = why_floor_invalid(&floor);
        assert!(reasons.len() == 1 && reasons[0].starts_with("beside the floor: "), "{reasons:?}");
        floor.counts.lost = 1;
        assert_eq!(why_floor_invalid(&floor).len(), 2);
    }
}
