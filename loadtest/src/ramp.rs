//! `ramp`: more and more of one thing, each step in front of a fresh server, until the first bound breaks.

mod climb;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::bounds::Bound;
use crate::ground::{self, Ground};
use crate::html;
use crate::live::Live;
use crate::options::{Axis, Ramp};
use crate::output::{self, Files, INVALID};
use crate::plan::Plan;
use crate::process;
use crate::report::Report;
use crate::schedule::Pace;
use crate::stage::Stage;
use crate::text::grouped;
use climb::{Climb, End, Step};

/// Steps of one ramp.
const STEPS_MAX: f64 = 10_000.0;

/// Bounds where nobody names any: a server that loses or spoils lines, or lets people wait a second, is over its limit.
const BOUNDS: [&str; 6] = ["lost>0", "doubled>0", "out_of_order>0", "corrupt>0", "under_way>0", "p99>1s"];

/// Does what `ramp` is asked for. Ends with 0 where a step was good and the next one was not, or all were; with 3 where
/// a step that says nothing of the server ended it, whatever it broke.
pub fn ramp(options: &Ramp) -> Result<ExitCode, String> {
    let plans = plans(options)?;
    let usual: Vec<Bound> = BOUNDS.iter().map(|bound| Bound::parse(bound)).collect::<Result<_, _>>()?;
    let bounds = if options.fail_if.is_empty() { &usual } else { &options.fail_if };
    let clients_most = plans.iter().map(|(_, plan)| plan.clients).max().unwrap_or_default();
    let files = Files::of(&options.output)?;
    ground::make_place(&options.whom, clients_most, 1)?;
    let stop = ground::stop_flag()?;
    let words = Words::of(options, &plans, bounds);
    files.say(&format!(
        "plan        {}\ntarget      {}\nbounds      {}",
        words.plan, words.target, words.bounds
    ));
    files.say(Row::HEAD);
    let mut measure = |plan: &Plan| {
        let report = step(options, plan, &stop)?;
        Ok((report, stop.load(Ordering::Relaxed)))
    };
    let climb = Climb::new(axis_name(options.of), &plans, bounds, &mut measure, &mut |step| {
        files.say(&Row(step).to_string());
    })?;
    output::ends(code(&climb), write(&files, &climb, &words))
}

/// What the ramp is to do, for people.
struct Words {
    plan: String,
    target: String,
    bounds: String,
}

impl Words {
    fn of(options: &Ramp, plans: &[(f64, Plan)], bounds: &[Bound]) -> Self {
        let Ramp { from, to, step, whom, .. } = options;
        let first = plans.first().map(|(_, plan)| plan.planned().to_string()).unwrap_or_default();
        let of = match options.of {
            Axis::Rate => "rate, lines a second of all senders together",
            Axis::Clients => "clients",
        };
        let target = match whom.target {
            Some(address) => {
                let name = whom.pid.and_then(process::program_name).unwrap_or_default();
                format!("{address} {name}").trim_end().to_owned()
            }
            None => "a fresh tertulia-relay for each step, flood control off".to_owned(),
        };
        let bounds: Vec<String> = bounds.iter().map(Bound::to_string).collect();
        Self {
            plan: format!("a ramp from {from} to {to} by {step} ({of}); the first step: {first}"),
            target,
            bounds: format!("it ends at the first step with {}", bounds.join(" or ")),
        }
    }
}

fn write(files: &Files, climb: &Climb, words: &Words) -> Result<(), String> {
    let text = format!("{}\n{}\n", climb.headline(), climb.told().join("\n"));
    let json = serde_json::json!({
        "schema_version": crate::report::SCHEMA_VERSION,
        "of": climb.axis,
        "last_good": climb.last_good,
        "ended_by": climb.end.name(),
        "end": climb.told().join("; "),
        "steps": climb.steps,
    });
    let steps: Vec<html::RampStep<'_>> = climb
        .steps
        .iter()
        .map(|step| html::RampStep { value: step.value, is_again: step.tries > 1, run: &step.report })
        .collect();
    files.write(&text, &json, || {
        html::ramp_page(&html::Ramp {
            axis: climb.axis,
            plan: &words.plan,
            target: &words.target,
            bounds: &words.bounds,
            headline: &climb.headline(),
            told: &climb.told(),
            says_of_server: climb.end.says_of_server(),
            steps: &steps,
        })
    })
}

fn code(climb: &Climb) -> u8 {
    match (&climb.end, climb.last_good) {
        (End::Stopped, _) => 0,
        (End::Failed { .. }, _) => 1,
        (End::Invalid { .. }, _) => INVALID,
        _ if climb.steps.last().is_some_and(|step| !step.report.invalid.is_empty()) => INVALID,
        (_, Some(_)) => 0,
        (_, None) => output::BROKEN,
    }
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

/// The plan of each step, so that what is wrong with a later one is said before the first begins.
fn plans(options: &Ramp) -> Result<Vec<(f64, Plan)>, String> {
    if let (Axis::Rate, Some(rate)) = (options.of, options.work.rate) {
        return Err(format!(
            "--rate {rate}: a ramp of the rate takes it from --from, --to and --step; leave --rate out, or ramp --of clients"
        ));
    }
    if options.of == Axis::Rate && options.work.window.is_some() {
        return Err("--of rate: a closed loop has no rate; leave --window out, or ramp --of clients".into());
    }
    values(options)?.into_iter().map(|value| Ok((value, plan(options, value)?))).collect()
}

fn plan(options: &Ramp, value: f64) -> Result<Plan, String> {
    let mut work = options.work.clone();
    match options.of {
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
struct Row<'a>(&'a Step);

impl Row<'_> {
    const HEAD: &'static str = "      step   accepted/s   delivered/s    p50 µs    p99 µs   last p99   server %   \
        lost  doubled  disorder  corrupt  under way";
}

impl std::fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Step { value, report, .. } = self.0;
        let share = report.server.as_ref().map(|server| format!("{:.1}", server.cpu_share * 100.0));
        write!(
            f,
            "{value:>10} {:>12} {:>13} {:>9} {:>9} {:>10} {:>10} {:>6} {:>8} {:>9} {:>8} {:>10}",
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
        )?;
        if report.invalid.is_empty() { Ok(()) } else { f.write_str("  INVALID") }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

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
    fn the_bounds_that_nobody_named_stand_in_the_help() {
        let help = Options::command().find_subcommand_mut("ramp").unwrap().render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(&BOUNDS.join(", ")), "{help}");
        assert!(!help.contains("code 2 if"), "{help}");
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
        let mut step = Step { value: 1.0, tries: 1, report: Report { counts, ..example() } };
        let line = Row(&step).to_string();
        assert_eq!(line.len(), Row::HEAD.replace('µ', "u").len(), "{line}");
        for (head, count) in [("lost", "11"), ("doubled", "22"), ("disorder", "33"), ("corrupt", "44")] {
            let end = Row::HEAD.replace('µ', "u").find(head).unwrap() + head.len();
            assert!(line[..end].ends_with(count), "{head}: {line}");
        }
        step.report.invalid.push("late".into());
        assert!(Row(&step).to_string().ends_with("  INVALID"));
    }
}
