//! `hold`: many clients that say nothing, and what they cost the server.

use std::fmt;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::ground::{self, Ground};
use crate::live::Live;
use crate::options::Hold;
use crate::output::{Files, no_page};
use crate::plan::Plan;
use crate::process::{self, Usage};
use crate::report::{self, Machine, Percentiles, SCHEMA_VERSION};
use crate::schedule::Pace;
use crate::stage::Target;
use crate::stamp::Sizes;
use crate::swarm::{Settings, Swarm};

/// Before the server is watched, so that what it put off is done.
const SETTLE: Duration = Duration::from_secs(2);

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Held {
    /// As that of a report.
    pub schema_version: u32,
    /// As that of a report.
    pub version: String,
    /// As that of a report.
    pub commit: String,
    /// Where it ran.
    pub machine: Machine,
    /// Where to.
    pub target: String,
    /// Connections.
    pub clients: usize,
    /// From the first connect until all clients heard each other, in seconds.
    pub joined_s: f64,
    /// How long the connects took.
    pub connect_us: Percentiles,
    /// First packets of connects that the kernel had to send again, whole machine.
    pub syns_resent: u64,
    /// What the server held before the first client and with all of them, in KiB; where its process is known.
    pub server: Option<HeldServer>,
    /// The kernel's memory for TCP that came with the clients, whole machine, in KiB.
    pub tcp_memory_kib: u64,
    /// Resident memory of this program, in KiB.
    pub own_resident_kib: u64,
    /// Of that, what came with the clients, in KiB.
    pub own_memory_kib: u64,
    /// Processor time of the thread of this program that has the clients, while the server was watched, in nanoseconds.
    pub own_cpu_ns: u64,
    /// How often that thread was woken meanwhile.
    pub own_wakeups: u64,
    /// How long the server was watched, in seconds.
    pub watched_s: f64,
    /// The most pieces that one client heard: notices of the others' joining, above all.
    pub heard_max: u32,
    /// Connections that the server closed.
    pub closed: usize,
    /// It was ended before its time.
    pub is_partial: bool,
}

/// What the server's process was seen to do.
#[derive(Debug, Clone, Serialize)]
pub struct HeldServer {
    /// Resident memory before the first client, in KiB.
    pub resident_before_kib: u64,
    /// Resident memory with all clients, in KiB.
    pub resident_kib: u64,
    /// What no file stands behind, for each client, in KiB.
    pub anonymous_kib_per_client: f64,
    /// Resident memory for each client, in KiB.
    pub resident_kib_per_client: f64,
    /// Processor time until all had joined, in nanoseconds.
    pub joining_cpu_ns: u64,
    /// How often it was woken while it was watched.
    pub wakeups: u64,
    /// Processor time while it was watched, in nanoseconds.
    pub cpu_ns: u64,
}

/// Does what `hold` is asked for.
pub fn hold(options: &Hold) -> Result<ExitCode, String> {
    let plan = plan(options)?;
    let files = Files::open(options.json.as_deref(), None, None)?;
    ground::make_place(&options.whom, options.clients, 1)?;
    let stop = ground::stop_flag()?;
    let ground = Ground::of(&options.whom)?;
    let live = Live::new("hold");
    live.say(&format!("connects {} clients, then watches the server", options.clients));
    let settings = ground::settings(&options.whom, 1.0, false);
    let held = watch(&plan, settings, &ground.target, options.duration, &stop)?;
    drop(live);
    files.write(&held.to_string(), &held, no_page)?;
    Ok(code(&held))
}

/// A server that closed some of the clients did not hold them.
fn code(held: &Held) -> ExitCode {
    if held.closed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plan(options: &Hold) -> Result<Plan, String> {
    let whom = &options.whom;
    whom.check()?;
    let plan = Plan {
        clients: options.clients,
        senders: 1,
        pace: Pace::Window(1),
        duration: options.duration,
        warmup: Duration::ZERO,
        sizes: Sizes::of(64),
        protocol: whom.protocol,
        slow: 0,
        churn_per_s: 0.0,
        connect_rate_per_s: whom.connect_rate,
        sources: whom.sources()?,
        joins: options.join,
    };
    plan.check()?;
    Ok(plan)
}

/// Connects the clients of the plan, and watches the server while nobody says anything.
pub fn watch(
    plan: &Plan,
    settings: Settings,
    target: &Target,
    length: Duration,
    stop: &AtomicBool,
) -> Result<Held, String> {
    let usage = || target.pid.map(process::usage).transpose();
    let before = usage()?;
    let own_before = process::usage(std::process::id())?;
    let (tcp_before_kib, syns_before) = (process::tcp_memory_kib(), process::tcp_counter("TCPSynRetrans"));
    let begun = Instant::now();
    let mut swarm = Swarm::new(plan, target, settings)?;
    swarm.connect(stop)?;
    swarm.log_in(stop)?;
    swarm.join(stop)?;
    let joined_s = begun.elapsed().as_secs_f64();
    let joined = usage()?;
    let own_thread = rustix::thread::gettid().as_raw_nonzero().get();
    let watched = swarm.idle_beside(stop, |stop| silence(target.pid, own_thread, length, &stop))??;
    let own = process::usage(std::process::id())?;
    let server = before.zip(joined).zip(watched.server);
    Ok(Held {
        schema_version: SCHEMA_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: report::commit(),
        machine: process::machine(),
        target: format!("{} {}", target.address, target.name).trim_end().to_owned(),
        clients: plan.clients,
        joined_s,
        connect_us: Percentiles::of(swarm.connect_us()),
        syns_resent: process::tcp_counter("TCPSynRetrans").saturating_sub(syns_before),
        server: server.map(|((before, joined), used)| HeldServer::of(plan.clients, before, joined, used)),
        tcp_memory_kib: process::tcp_memory_kib().saturating_sub(tcp_before_kib),
        own_resident_kib: own.resident_kib,
        own_memory_kib: own.resident_kib.saturating_sub(own_before.resident_kib),
        own_cpu_ns: watched.own_cpu_ns,
        own_wakeups: watched.own_wakeups,
        watched_s: watched.length_s,
        heard_max: swarm.tally().others_max(),
        closed: swarm.closed(),
        is_partial: stop.load(Ordering::Relaxed),
    })
}

/// What was used while nobody said anything.
struct Silence {
    length_s: f64,
    server: Option<Usage>,
    own_cpu_ns: u64,
    own_wakeups: u64,
}

/// Watches, beside the thread that has the clients, the server and that thread; both should sleep. Ends early when the
/// other end of `stop` goes.
fn silence(
    server: Option<u32>,
    own_thread: i32,
    length: Duration,
    stop: &Receiver<()>,
) -> Result<Silence, String> {
    let look = || {
        let own = process::thread_usage(std::process::id(), own_thread)?;
        Ok::<_, String>((own, server.map(process::usage).transpose()?))
    };
    let _ = stop.recv_timeout(SETTLE);
    let ((cpu_before_ns, sleeps_before), server_before) = look()?;
    let begun = Instant::now();
    let _ = stop.recv_timeout(length);
    let length_s = begun.elapsed().as_secs_f64();
    let ((cpu_ns, sleeps), server) = look()?;
    Ok(Silence {
        length_s,
        server: server.zip(server_before).map(|(after, before)| after.since(before)),
        own_cpu_ns: cpu_ns.saturating_sub(cpu_before_ns),
        own_wakeups: sleeps.saturating_sub(sleeps_before),
    })
}

impl HeldServer {
    fn of(clients: usize, before: Usage, joined: Usage, watched: Usage) -> Self {
        let each =
            |after_kib: u64, before_kib: u64| (after_kib as f64 - before_kib as f64) / clients.max(1) as f64;
        Self {
            resident_before_kib: before.resident_kib,
            resident_kib: watched.resident_kib,
            anonymous_kib_per_client: each(watched.anonymous_kib, before.anonymous_kib),
            resident_kib_per_client: each(watched.resident_kib, before.resident_kib),
            joining_cpu_ns: joined.since(before).cpu_ns,
            wakeups: watched.sleeps,
            cpu_ns: watched.cpu_ns,
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p = &self.connect_us;
        writeln!(f, "target     {}", self.target)?;
        writeln!(f, "clients    {}, all in reach of each other after {:.3} s", self.clients, self.joined_s)?;
        writeln!(
            f,
            "connects   p50 {} µs, p99 {} µs, slowest {} µs; {} first packets sent again",
            p.p50, p.p99, p.max, self.syns_resent
        )?;
        if let Some(server) = &self.server {
            writeln!(
                f,
                "server     {} KiB resident, {} before: {:.3} KiB a client ({:.3} of it its own data, no file's)",
                server.resident_kib,
                server.resident_before_kib,
                server.resident_kib_per_client,
                server.anonymous_kib_per_client
            )?;
            writeln!(
                f,
                "           {:.1} ms of processor until all were there; in {:.1} s of silence {} wake-ups, {:.3} ms",
                server.joining_cpu_ns as f64 / 1e6,
                self.watched_s,
                server.wakeups,
                server.cpu_ns as f64 / 1e6
            )?;
        } else {
            writeln!(f, "server     unknown: --pid PID tells which process it is")?;
        }
        writeln!(f, "kernel     {} KiB more for TCP, whole machine", self.tcp_memory_kib)?;
        writeln!(
            f,
            "generator  {} KiB, {:.2} a client; in the silence {} wake-ups, {:.3} ms",
            self.own_resident_kib,
            self.own_memory_kib as f64 / self.clients.max(1) as f64,
            self.own_wakeups,
            self.own_cpu_ns as f64 / 1e6
        )?;
        if self.is_partial {
            writeln!(f, "PARTIAL: it was ended before its time")?;
        }
        let noun = if self.heard_max == 1 { "piece" } else { "pieces" };
        write!(f, "heard      at most {} {noun} by one client", self.heard_max)?;
        writeln!(
            f,
            "{}",
            if self.closed > 0 { format!("; {} closed by the server", self.closed) } else { String::new() }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(closed: usize) -> Held {
        Held {
            schema_version: SCHEMA_VERSION,
            version: String::new(),
            commit: String::new(),
            machine: Machine::default(),
            target: String::new(),
            clients: 10,
            joined_s: 1.0,
            connect_us: Percentiles::default(),
            syns_resent: 0,
            server: None,
            tcp_memory_kib: 0,
            own_resident_kib: 0,
            own_memory_kib: 0,
            own_cpu_ns: 0,
            own_wakeups: 0,
            watched_s: 1.0,
            heard_max: 0,
            closed,
            is_partial: false,
        }
    }

    #[test]
    fn one_piece_is_one_piece() {
        let heard = |heard_max| Held { heard_max, ..held(0) }.to_string();
        assert!(heard(1).ends_with("at most 1 piece by one client\n"));
        assert!(heard(2).ends_with("at most 2 pieces by one client\n"));
    }

    #[test]
    fn a_server_that_closed_clients_ends_it_with_an_error_and_is_told() {
        assert_eq!((code(&held(0)), code(&held(3))), (ExitCode::SUCCESS, ExitCode::FAILURE));
        assert!(held(3).to_string().ends_with("; 3 closed by the server\n"));
    }
}
