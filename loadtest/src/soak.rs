//! `soak`: a steady load for hours, with a line a minute.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::ground::{self, Ground};
use crate::live::Live;
use crate::options::Soak;
use crate::output;
use crate::plan::LENGTH_MAX;
use crate::process;
use crate::stage::Stage;
use crate::swarm::Swarm;
use crate::text::grouped;

/// Does what `soak` is asked for.
pub fn soak(options: &Soak) -> Result<ExitCode, String> {
    let plan = options.work.plan(&options.whom, options.duration)?;
    if options.every < Duration::from_secs(1) || options.every > LENGTH_MAX {
        return Err(format!("--every {:?}: at least 1s, and at most ten days", options.every));
    }
    ground::make_place(&options.whom, plan.clients, 1)?;
    let stop = ground::stop_flag()?;
    eprintln!("{}", plan.planned());
    let ground = Ground::of(&options.whom)?;
    let _pin = ground::apart(&[&ground]);
    let settings = ground::settings(&options.whom, options.duration.as_secs_f64(), false);
    let live = Live::new("soak");
    live.say("connects");
    let mut stage = Stage::open(&plan, &ground.target, settings, &stop, &mut |_| ())?;
    drop(live);
    let mut minutes = Minutes::new(options.every, ground.target.pid);
    println!("{HEAD}");
    stage.measure(plan.duration, &stop, &mut |swarm| minutes.look(swarm))?;
    output::finish(&options.output, &stage.report())
}

const HEAD: &str = "  seconds  accepted/s  delivered/s  under way       lost  doubled  disorder  corrupt  server KiB  server %";

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
    fn new(every: Duration, server: Option<u32>) -> Self {
        let now = Instant::now();
        let server_cpu_ns = server.and_then(|pid| process::usage(pid).ok()).map_or(0, |usage| usage.cpu_ns);
        Self { every, begun: now, last: now, lines: 0, delivered: 0, accepted: 0, server, server_cpu_ns }
    }

    fn look(&mut self, swarm: &Swarm) {
        if self.begun.elapsed() < self.every.saturating_mul(self.lines + 1) {
            return;
        }
        self.lines += 1;
        let seconds = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        let tally = swarm.tally();
        let counts = tally.counts_under_way();
        let accepted = tally.accepted();
        let usage = self.server.and_then(|pid| process::usage(pid).ok()).unwrap_or_default();
        let share = usage.cpu_ns.saturating_sub(self.server_cpu_ns) as f64 / 1e7 / seconds;
        println!(
            "{:>9.0} {:>11} {:>12} {:>10} {:>10} {:>8} {:>9} {:>8} {:>11} {:>9.1}",
            self.begun.elapsed().as_secs_f64(),
            grouped((accepted - self.accepted) as f64 / seconds),
            grouped((counts.delivered - self.delivered) as f64 / seconds),
            tally.flights().under_way(),
            counts.lost,
            counts.doubled,
            counts.out_of_order,
            counts.corrupt,
            usage.resident_kib,
            share
        );
        (self.accepted, self.delivered, self.server_cpu_ns) = (accepted, counts.delivered, usage.cpu_ns);
    }
}
