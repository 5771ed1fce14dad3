//! Clients in front of a server, ready to be measured: in one piece, or slice by slice, in turns with another stage.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crate::login::Login;
use crate::measured::{MEASURED_S_MIN, Measured, Place};
use crate::plan::Plan;
use crate::process::{self, Usage};
use crate::report::Report;
use crate::schedule::Pace;
use crate::slice::Slice;
use crate::swarm::{Settings, Swarm, Watcher};
use crate::trust::Trust;

/// Where to, and what is known of it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    /// Its process, where it is known.
    pub pid: Option<u32>,
    /// Program and version, where they are known.
    pub name: String,
    /// Its resident memory is that of a server without clients.
    pub is_fresh: bool,
    /// Which certificate it must show; `None`: it speaks no TLS.
    pub trust: Option<Trust>,
    /// As whom clients log in; `None`: they do not.
    pub login: Option<Login>,
}

/// What a report says of where it comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    plan: Plan,
    target: Target,
    server_file_fnv1a: Option<String>,
    begun_unix_s: u64,
}

impl Origin {
    /// The report of what was measured here, and elsewhere in the same way.
    pub fn report(&self, measured: &Measured) -> Report {
        let place = Place {
            machine: process::machine(),
            target: self.target.address.to_string(),
            server_name: self.target.name.clone(),
            server_file_fnv1a: self.server_file_fnv1a.clone(),
            begun_unix_s: self.begun_unix_s,
        };
        measured.report(&self.plan, place)
    }
}

/// A swarm in front of a server.
#[derive(Debug)]
pub struct Stage {
    swarm: Swarm,
    origin: Origin,
    measured: Measured,
}

impl Stage {
    /// Connects everybody, waits until all hear each other, and warms up.
    pub fn open(
        plan: &Plan,
        target: &Target,
        settings: Settings,
        stop: &AtomicBool,
        watcher: Watcher<'_>,
    ) -> Result<Self, String> {
        let mut stage = Self::connect(plan, target, settings, stop)?;
        if !plan.warmup.is_zero() {
            let warmed = stage.swarm.slice(plan.warmup, false, stop, watcher)?;
            stage.measured.warmup_delivered = warmed.delivered;
        }
        Ok(stage)
    }

    /// Connects everybody and waits until all hear each other.
    pub fn connect(
        plan: &Plan,
        target: &Target,
        settings: Settings,
        stop: &AtomicBool,
    ) -> Result<Self, String> {
        let mut measured = Measured::new()?;
        measured.spins = settings.spins;
        measured.is_closed = matches!(plan.pace, Pace::Window(_));
        if let Some(pid) = target.pid {
            let usage = process::usage(pid)
                .map_err(|error| format!("--pid {pid}: {error}; is that process still there?"))?;
            measured.resident_before_kib = target.is_fresh.then_some(usage.resident_kib);
            measured.server = Some(Usage::default());
        }
        let mut swarm = Swarm::new(plan, target, settings)?;
        swarm.begin_trace()?;
        swarm.connect(stop)?;
        swarm.log_in(stop)?;
        swarm.join(stop)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let begun_unix_s = now.map_or(0, |now| now.as_secs());
        let server_file_fnv1a = target.pid.and_then(process::program_fnv1a);
        let origin = Origin { plan: plan.clone(), target: target.clone(), server_file_fnv1a, begun_unix_s };
        Ok(Self { swarm, origin, measured })
    }

    /// Measures for so long, and hears out what was sent.
    pub fn measure(
        &mut self,
        length: Duration,
        stop: &AtomicBool,
        watcher: Watcher<'_>,
    ) -> Result<Slice, String> {
        let own_before = process::usage(std::process::id())?;
        let server_before = self.origin.target.pid.and_then(|pid| process::usage(pid).ok());
        let slice = self.swarm.slice(length, true, stop, watcher)?;
        let own = process::usage(std::process::id())?.since(own_before);
        let measured = &mut self.measured;
        measured.own = measured.own.plus(own);
        // A server that has ended tells nothing any more.
        let server_after = self.origin.target.pid.and_then(|pid| process::usage(pid).ok());
        if let (Some(after), Some(before)) = (server_after, server_before) {
            measured.server = measured.server.map(|usage| usage.plus(after.since(before)));
        }
        measured.measured_s += slice.length_s;
        measured.sending = measured.sending.plus(slice.sending);
        measured.still = measured.still.plus(slice.still);
        measured.is_deserted = slice.is_deserted;
        measured.delivered_measured += slice.delivered;
        measured.accepted_measured += slice.accepted;
        measured.under_way = slice.under_way;
        measured.is_partial |= stop.load(Ordering::Relaxed);
        Ok(slice)
    }

    /// What was measured.
    pub fn measured(&self) -> Measured {
        let swarm = &self.swarm;
        let tally = swarm.tally();
        let flights = tally.flights();
        let timeline = flights.timeline();
        let outgoing = swarm.outgoing();
        let (complaints, complained) = tally.complaints();
        let is_cut = self.measured.under_way > 0;
        let counts = if is_cut { tally.counts_under_way() } else { tally.counts() };
        let mut measured = Measured {
            counts,
            expected: tally.expected(),
            due: outgoing.due,
            unsent: outgoing.unsent,
            to_closed: outgoing.to_closed,
            accepted: tally.accepted(),
            latency: flights.latency().clone(),
            connect_us: swarm.connect_us().clone(),
            login_us: swarm.login_us().cloned(),
            lateness_us: swarm.lateness_us().clone(),
            loop_lag_us: swarm.pulse().turns_us().clone(),
            negative: flights.negative(),
            beyond_horizon: flights.beyond_horizon(),
            timeline: timeline.intervals().to_vec(),
            log: timeline.logged().map(|(interval, samples)| (interval.clone(), samples.clone())).collect(),
            resident_peak_kib: swarm.peaks().resident_kib,
            tcp_memory_peak_kib: swarm.peaks().tcp_memory_kib,
            closed: swarm.closed(),
            returns: swarm.returns().clone(),
            others_max: tally.others_max(),
            complaints: (complaints.to_vec(), complained),
            answered: tally.answered(),
            repeats: Vec::new(),
            ..self.measured.clone()
        };
        if measured.measured_s > MEASURED_S_MIN {
            measured.repeats.push(measured.figures());
        }
        measured
    }

    /// The report of what was measured.
    pub fn report(&self) -> Report {
        self.origin.report(&self.measured())
    }

    /// Closes all connections. Gives what was measured, and where.
    pub fn finish(self) -> (Origin, Measured) {
        let measured = self.measured();
        (self.origin, measured)
    }

    /// The same, where a trace is written: behind all that was measured, the history is read back, and the trace judged.
    pub fn finish_judged(mut self) -> Result<(Origin, Measured), String> {
        let mut measured = self.measured();
        measured.trace = self.swarm.judge()?;
        Ok((self.origin, measured))
    }

    /// The clients.
    pub fn swarm(&self) -> &Swarm {
        &self.swarm
    }
}
