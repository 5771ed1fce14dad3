//! `tertulia-loadtest`: see `--help`.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use tertulia_loadtest::limits;
use tertulia_loadtest::options::{Command, Options, Run};
use tertulia_loadtest::plan::Plan;
use tertulia_loadtest::process;
use tertulia_loadtest::relay::Relay;
use tertulia_loadtest::report::{Generator, Latencies, Report, SCHEMA_VERSION, Server, late, why_invalid};
use tertulia_loadtest::swarm::{Outcome, Swarm};

/// A bound of `--fail-if` is broken.
const BROKEN: u8 = 2;
/// The figures are not to be trusted.
const INVALID: u8 = 3;

fn main() -> ExitCode {
    let Command::Run(options) = match Options::try_parse() {
        Ok(options) => options.command,
        Err(error) => {
            let _ = error.print();
            // Not clap's 2, which says here that a bound is broken.
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match run(&options) {
        Ok(report) if !report.invalid.is_empty() => ExitCode::from(INVALID),
        Ok(report) if is_broken(&options, &report) => ExitCode::from(BROKEN),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tertulia-loadtest: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken(options: &Run, report: &Report) -> bool {
    let broken = options.fail_if.iter().filter_map(|bound| Some((bound, bound.broken_by(report)?)));
    let told = broken.map(|(bound, value)| eprintln!("broken: {bound}: it is {value}"));
    told.count() > 0
}

fn run(options: &Run) -> Result<Report, String> {
    let plan = options.plan()?;
    limits::make_place(plan.clients)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The second one ends the program at once.
        flag::register_conditional_default(signal, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| format!("signals: {error}"))?;
    }
    let own = if options.target.is_none() { Some(Relay::start()?) } else { None };
    let target = options.target.or(own.as_ref().map(Relay::address)).ok_or("no target")?;
    let pid = options.pid.or(own.as_ref().map(Relay::pid));
    eprintln!("{plan}");
    let mut swarm = Swarm::connect(target, plan.clients)?;
    swarm.join(plan.senders)?;
    let outcome = swarm.run(&plan, pid, &stop)?;
    let report = report(&plan, target.to_string(), outcome);
    write(options, &report)?;
    Ok(report)
}

fn report(plan: &Plan, target: String, outcome: Outcome) -> Report {
    let wall_ns = outcome.wall_ns.max(1) as f64;
    let deliveries = outcome.counts.delivered.max(1) as f64;
    let own_cpu_share = outcome.own_cpu_ns as f64 / wall_ns;
    let late = late(&outcome.lateness);
    Report {
        schema_version: SCHEMA_VERSION,
        version: env!("CARGO_PKG_VERSION"),
        machine: process::machine(),
        plan: plan.planned(),
        target,
        sent: outcome.sent,
        counts: outcome.counts,
        rate_per_s: outcome.delivered_measured as f64 / outcome.measured_s.max(1e-9),
        latency_us: Latencies::of(outcome.flights.latency()),
        generator: Generator {
            cpu_share: own_cpu_share,
            cpu_us_per_delivery: outcome.own_cpu_ns as f64 / 1e3 / deliveries,
            late,
            lateness_p99_us: outcome.lateness.value_at_quantile(0.99),
            unsent: outcome.unsent,
        },
        server: outcome.server.map(|(before, after)| {
            let cpu_ns = after.cpu_ns.saturating_sub(before.cpu_ns) as f64;
            Server {
                cpu_share: cpu_ns / wall_ns,
                cpu_us_per_delivery: cpu_ns / 1e3 / deliveries,
                resident_kib: after.resident_kib,
            }
        }),
        complaints: outcome.complaints,
        is_partial: outcome.is_partial,
        invalid: why_invalid(outcome.sent, late, outcome.unsent, own_cpu_share),
    }
}

fn write(options: &Run, report: &Report) -> Result<(), String> {
    let mut stdout = std::io::stdout();
    let json = serde_json::to_string_pretty(report).map_err(|error| format!("the report: {error}"))?;
    match &options.json {
        Some(path) if path.as_os_str() == "-" => writeln!(stdout, "{json}"),
        Some(path) => {
            std::fs::write(path, json + "\n").and_then(|()| stdout.write_all(report.to_text().as_bytes()))
        }
        None => stdout.write_all(report.to_text().as_bytes()),
    }
    .map_err(|error| format!("the report cannot be written: {error}"))
}
