//! `soak`: a steady load for hours, with a line a minute.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::ground::{self, Ground};
use crate::live::Live;
use crate::options::Soak;
use crate::output::{self, Files};
use crate::plan::{LENGTH_MAX, Planned, told_duration};
use crate::process;
use crate::stage::Stage;
use crate::swarm::Swarm;
use crate::text::grouped;

/// Does what `soak` is asked for.
pub fn soak(options: &Soak) -> Result<ExitCode, String> {
    let plan = options.work.plan(&options.whom, options.duration)?;
    if options.every < Duration::from_secs(1) || options.every > LENGTH_MAX {
        return Err(format!("--every {}: at least 1s, and at most ten days", told_duration(options.every)));
    }
    let mut files = Files::of(&options.output)?;
    ground::make_place(&options.whom, plan.clients, 1)?;
    let stop = ground::stop_flag()?;
    files.announce(&Planned { spins: options.whom.spin, ..plan.planned() });
    let ground = Ground::of(&options.whom)?;
    let _pin = ground::apart(&[&ground]);
    let settings = ground::settings(&options.whom, options.duration.as_secs_f64(), false);
    let mut live = Live::new("soak");
    live.say("connects");
    let mut stage = Stage::open(&plan, &ground.target, settings, &stop, &mut |swarm| live.show(swarm))?;
    let mut minutes = Minutes::new(options.every, ground.target.pid, stage.swarm());
    live.aside(|| files.say(HEAD));
    stage.measure(plan.duration, &stop, &mut |swarm| {
        if let Some(line) = minutes.look(swarm) {
            live.aside(|| files.say(&line));
        }
        live.show(swarm);
    })?;
    drop(live);
    if let Some(line) = minutes.rest(stage.swarm()) {
        files.say(&line);
    }
    let (origin, measured) = stage.finish();
    output::finish(&files, &options.bounds.fail_if, &origin.report(&measured), &measured)
}

/// Lost is also what was given up, and has not come since; what is closed, the server closed.
const HEAD: &str = "  seconds  accepted/s  delivered/s  under way       lost  doubled  disorder  corrupt   closed  \
    server KiB  server %";

/// A rest shorter than one of so many parts of what a line tells of has no line of its own.
const REST_PARTS: u32 = 4;

/// What the last line told, so that the next one tells what came since.
struct Minutes {
    every: Duration,
    begun: Instant,
    last: Instant,
    lines: u32,
    delivered: u64,
    accepted: u64,
    server: Option<u32>,
    server_cpu_ns: u64,
}

impl Minutes {
    /// What the warm-up brought is nobody's minute.
    fn new(every: Duration, server: Option<u32>, swarm: &Swarm) -> Self {
        let now = Instant::now();
        let tally = swarm.tally();
        let (delivered, accepted) = (tally.counts_given_up().delivered, tally.accepted());
        let server_cpu_ns = server.and_then(|pid| process::usage(pid).ok()).map_or(0, |usage| usage.cpu_ns);
        Self { every, begun: now, last: now, lines: 0, delivered, accepted, server, server_cpu_ns }
    }

    /// A line, where it is time for one.
    fn look(&mut self, swarm: &Swarm) -> Option<String> {
        if self.begun.elapsed() < self.every.saturating_mul(self.lines + 1) {
            return None;
        }
        Some(self.line(swarm))
    }

    /// The line of what came since the last one, at the end, where that is worth one.
    fn rest(&mut self, swarm: &Swarm) -> Option<String> {
        (self.last.elapsed() > self.every / REST_PARTS).then(|| self.line(swarm))
    }

    fn line(&mut self, swarm: &Swarm) -> String {
        self.lines += 1;
        let seconds = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        let tally = swarm.tally();
        let counts = tally.counts_given_up();
        let accepted = tally.accepted();
        let usage = self.server.and_then(|pid| process::usage(pid).ok()).unwrap_or_default();
        let share = usage.cpu_ns.saturating_sub(self.server_cpu_ns) as f64 / 1e7 / seconds;
        let line = format!(
            "{:>9.0} {:>11} {:>12} {:>10} {:>10} {:>8} {:>9} {:>8} {:>8} {:>11} {:>9.1}",
            self.begun.elapsed().as_secs_f64(),
            grouped((accepted - self.accepted) as f64 / seconds),
            grouped((counts.delivered - self.delivered) as f64 / seconds),
            tally.flights().under_way(),
            counts.lost,
            counts.doubled,
            counts.out_of_order,
            counts.corrupt,
            swarm.closed(),
            usage.resident_kib,
            share
        );
        (self.accepted, self.delivered, self.server_cpu_ns) = (accepted, counts.delivered, usage.cpu_ns);
        line
    }
}
