//! `ramp`: more and more of one thing, each step in front of a fresh server, until the first bound breaks.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::bounds::Bound;
use crate::ground::{self, Ground};
use crate::live::Live;
use crate::options::{Axis, Ramp};
use crate::output;
use crate::plan::Plan;
use crate::report::Report;
use crate::schedule::Pace;
use crate::stage::Stage;
use crate::text::grouped;

/// Steps of one ramp.
const STEPS_MAX: f64 = 10_000.0;

/// Bounds where nobody names any: a server that loses or spoils lines, or lets people wait a second, is over its limit.
const BOUNDS: [&str; 6] = ["lost>0", "doubled>0", "out_of_order>0", "corrupt>0", "under_way>0", "p99>1s"];

const STOPPED: &str = "stopped before its time: PARTIAL";

/// Does what `ramp` is asked for. Ends with 0 where a step was good and the next one was not, or all were; with 3 where
/// a step that says nothing of the server ended it, whatever it broke.
pub fn ramp(options: &Ramp) -> Result<ExitCode, String> {
    let values = values(options)?;
    let usual: Vec<Bound> = BOUNDS.iter().map(|bound| Bound::parse(bound)).collect::<Result<_, _>>()?;
    let bounds = if options.output.fail_if.is_empty() { &usual } else { &options.output.fail_if };
    let stop = ground::stop_flag()?;
    let mut reports: Vec<Report> = Vec::new();
    let mut last_good = None;
    let mut end = String::from("no bound broke up to the last step");
    output::say(&options.output, Step::HEAD);
    for value in values {
        let plan = plan(options, value)?;
        ground::make_place(&options.whom, plan.clients, 1)?;
        let mut report = step(options, &plan, &stop)?;
        report.server_name = format!("{} {}", axis_name(options.of), value);
        output::say(&options.output, &Step { value, report: &report }.to_string());
        if stop.load(Ordering::Relaxed) {
            // What was cut short has broken nothing.
            reports.push(report);
            end = STOPPED.into();
            break;
        }
        if report.is_deserted {
            end = format!("at {} {value}: the server closed every connection", axis_name(options.of));
            reports.push(report);
            break;
        }
        let broken = bounds.iter().find_map(|bound| Some((bound, bound.broken_by(&report)?)));
        let why = match (report.invalid.first(), broken) {
            (Some(reason), _) => Some(format!("INVALID: {reason}")),
            (None, Some((bound, value))) => Some(format!("{bound} broke: it is {value}")),
            (None, None) => None,
        };
        reports.push(report);
        if let Some(why) = why {
            end = format!("at {} {value}: {why}", axis_name(options.of));
            break;
        }
        last_good = Some(value);
    }
    finish(options, &reports, last_good, &end)
}

fn finish(options: &Ramp, reports: &[Report], last_good: Option<f64>, end: &str) -> Result<ExitCode, String> {
    let axis = axis_name(options.of);
    let text = match last_good {
        Some(value) => format!("last good step: {axis} {value}\n{end}\n"),
        None => format!("no good step\n{end}\n"),
    };
    let json = serde_json::json!({
        "schema_version": crate::report::SCHEMA_VERSION,
        "of": axis,
        "last_good": last_good,
        "end": end,
        "steps": reports,
    });
    output::write(&options.output, &text, &json, reports)?;
    if end == STOPPED {
        return Ok(ExitCode::SUCCESS);
    }
    let is_invalid = reports.last().is_some_and(|report| !report.invalid.is_empty());
    Ok(match (is_invalid, last_good) {
        (true, _) => ExitCode::from(3),
        (false, Some(_)) => ExitCode::SUCCESS,
        (false, None) => ExitCode::from(2),
    })
}

fn values(options: &Ramp) -> Result<Vec<f64>, String> {
    let Ramp { from, to, step, .. } = *options;
    if !(from > 0.0 && to >= from && step > 0.0 && to.is_finite() && (to - from) / step < STEPS_MAX) {
        return Err(format!(
            "--from {from} --to {to} --step {step}: expected a first step above 0, a last one above it, and at most \
             {STEPS_MAX} steps"
        ));
    }
    // A tenth has no end in binary: the last step may fall short of a whole one by a hair.
    let last = ((to - from) / step + 1e-9).floor() as u32;
    Ok((0..=last).map(|index| (from + step * f64::from(index)).min(to)).collect())
}

fn plan(options: &Ramp, value: f64) -> Result<Plan, String> {
    let mut work = options.work.clone();
    match options.of {
        Axis::Rate if work.window.is_some() => {
            return Err(
                "--of rate: a closed loop has no rate; leave --window out, or ramp --of clients".into()
            );
        }
        Axis::Rate => work.rate = Some(value),
        Axis::Clients => work.clients = value as usize,
    }
    work.plan(&options.whom, options.duration)
}

fn step(options: &Ramp, plan: &Plan, stop: &AtomicBool) -> Result<Report, String> {
    let ground = Ground::of(&options.whom)?;
    let _pin = ground::apart(&[&ground]);
    let mut live = Live::new(&match plan.pace {
        Pace::Rate(rate) => format!("rate {rate}, {} clients", plan.clients),
        Pace::Window(_) => format!("{} clients", plan.clients),
    });
    let settings = ground::settings(&options.whom, plan.duration.as_secs_f64(), false);
    let mut stage = Stage::open(plan, &ground.target, settings, stop, &mut |swarm| live.show(swarm))?;
    stage.measure(plan.duration, stop, &mut |swarm| live.show(swarm))?;
    Ok(stage.report())
}

fn axis_name(axis: Axis) -> &'static str {
    match axis {
        Axis::Rate => "rate",
        Axis::Clients => "clients",
    }
}

/// One line of the table.
struct Step<'a> {
    value: f64,
    report: &'a Report,
}

impl Step<'_> {
    const HEAD: &'static str = "      step   accepted/s   delivered/s    p50 us    p99 us   last p99   server %   \
        lost  doubled  disorder  corrupt  under way";
}

impl std::fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let report = self.report;
        let share = report.server.as_ref().map(|server| format!("{:.1}", server.cpu_share * 100.0));
        write!(
            f,
            "{:>10} {:>12} {:>13} {:>9} {:>9} {:>10} {:>10} {:>6} {:>8} {:>9} {:>8} {:>10}",
            self.value,
            grouped(report.accepted_per_s),
            grouped(report.rate_per_s),
            report.latency_us.each.p50,
            report.latency_us.each.p99,
            report.latency_us.last.p99,
            share.as_deref().unwrap_or("-"),
            report.counts.lost,
            report.counts.doubled,
            report.counts.out_of_order,
            report.counts.corrupt,
            report.under_way
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::options::{Command, Options};
    use crate::report::example;
    use crate::stats::Counts;

    fn steps(from: &str, to: &str, step: &str) -> Vec<f64> {
        let words = ["loadtest", "ramp", "--from", from, "--to", to, "--step", step];
        let Command::Ramp(ramp) = Options::try_parse_from(words).unwrap().command else { panic!("a ramp") };
        values(&ramp).unwrap()
    }

    #[test]
    fn the_last_step_is_among_them_though_steps_are_no_whole_numbers() {
        assert_eq!(steps("0.1", "0.3", "0.1").len(), 3);
        assert_eq!(steps("0.1", "0.3", "0.1").last(), Some(&0.3));
        assert_eq!(steps("1", "2", "0.1").len(), 11);
        assert_eq!(steps("2", "8", "4"), [2.0, 6.0]);
        assert_eq!(steps("5", "5", "1"), [5.0]);
    }

    #[test]
    fn a_step_that_spoils_lines_breaks_a_bound_though_nobody_named_any() {
        let clean = Counts { delivered: 100, ..Counts::default() };
        let breaks = |counts: Counts| {
            let report = Report { counts, ..example() };
            BOUNDS.iter().any(|bound| Bound::parse(bound).unwrap().broken_by(&report).is_some())
        };
        assert!(!breaks(clean));
        for spoilt in [
            Counts { lost: 1, ..clean },
            Counts { doubled: 1, ..clean },
            Counts { out_of_order: 1, ..clean },
            Counts { corrupt: 1, ..clean },
        ] {
            assert!(breaks(spoilt), "{spoilt:?}");
        }
    }

    #[test]
    fn a_step_tells_all_four_counts_below_their_heads() {
        let counts = Counts { delivered: 0, lost: 11, doubled: 22, out_of_order: 33, corrupt: 44 };
        let line = Step { value: 1.0, report: &Report { counts, ..example() } }.to_string();
        assert_eq!(line.len(), Step::HEAD.len(), "{line}");
        for (head, count) in [("lost", "11"), ("doubled", "22"), ("disorder", "33"), ("corrupt", "44")] {
            let end = Step::HEAD.find(head).unwrap() + head.len();
            assert!(line[..end].ends_with(count), "{head}: {line}");
        }
    }
}
