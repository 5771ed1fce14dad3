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

/// Bounds where nobody names any: a server that loses lines, or lets people wait a second, is over its limit.
const BOUNDS: [&str; 3] = ["lost>0", "under_way>0", "p99>1s"];

const STOPPED: &str = "stopped before its time: PARTIAL";

/// Does what `ramp` is asked for. Ends with 0 where a step was good and the next one was not, or all were.
pub fn ramp(options: &Ramp) -> Result<ExitCode, String> {
    let values = values(options)?;
    let usual: Vec<Bound> = BOUNDS.iter().map(|bound| Bound::parse(bound)).collect::<Result<_, _>>()?;
    let bounds = if options.output.fail_if.is_empty() { &usual } else { &options.output.fail_if };
    let stop = ground::stop_flag()?;
    let mut reports: Vec<Report> = Vec::new();
    let mut last_good = None;
    let mut end = String::from("no bound broke up to the last step");
    println!("{}", Step::HEAD);
    for value in values {
        let plan = plan(options, value)?;
        ground::make_place(&options.whom, plan.clients, 1)?;
        let mut report = step(options, &plan, &stop)?;
        report.server_name = format!("{} {}", axis_name(options.of), value);
        println!("{}", Step { value, report: &report });
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
        let why = match (broken, report.invalid.first()) {
            (Some((bound, value)), _) => Some(format!("{bound} broke: it is {value}")),
            (None, Some(reason)) => Some(format!("INVALID: {reason}")),
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
    let invalid = reports.last().is_some_and(|report| !report.invalid.is_empty()) && last_good.is_none();
    if end == STOPPED {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(match (last_good, invalid) {
        (Some(_), _) => ExitCode::SUCCESS,
        (None, true) => ExitCode::from(3),
        (None, false) => ExitCode::from(2),
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
    Ok((0..).map(|index| from + step * f64::from(index)).take_while(|value| *value <= to).collect())
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
    const HEAD: &'static str =
        "      step   accepted/s   delivered/s    p50 us    p99 us   last p99   server %   lost  under way";
}

impl std::fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let report = self.report;
        let share = report.server.as_ref().map(|server| format!("{:.1}", server.cpu_share * 100.0));
        write!(
            f,
            "{:>10} {:>12} {:>13} {:>9} {:>9} {:>10} {:>10} {:>6} {:>10}",
            self.value,
            grouped(report.accepted_per_s),
            grouped(report.rate_per_s),
            report.latency_us.each.p50,
            report.latency_us.each.p99,
            report.latency_us.last.p99,
            share.as_deref().unwrap_or("-"),
            report.counts.lost,
            report.under_way
        )
    }
}
