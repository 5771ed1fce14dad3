//! What a run stands on: a server, place for descriptors and ports, and a way to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{process as this, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::options::Whom;
use crate::server::Started;
use crate::stage::Target;
use crate::swarm::Settings;
use crate::{connect, limits, process, server};

/// A server to load.
#[derive(Debug)]
pub struct Ground {
    /// The server.
    pub target: Target,
    own: Option<Started>,
}

impl Ground {
    /// The server that was named, or a relay of our own.
    pub fn of(whom: &Whom) -> Result<Self, String> {
        let Some(address) = whom.target else { return Self::relay() };
        let name = whom.pid.and_then(process::program_name).unwrap_or_default();
        let target = Target { address, pid: whom.pid, name, is_fresh: false };
        Ok(Self { target, own: None })
    }

    /// A relay of our own.
    pub fn relay() -> Result<Self, String> {
        Self::relay_with(&["--history", "none"])
    }

    /// The same with more flags.
    pub fn relay_with(flags: &[&str]) -> Result<Self, String> {
        Started::relay(flags).map(Self::own)
    }

    /// The reference server.
    pub fn floor() -> Result<Self, String> {
        Started::floor().map(Self::own)
    }

    fn own(started: Started) -> Self {
        let target = Target {
            address: started.address(),
            pid: Some(started.pid()),
            name: started.name().to_owned(),
            is_fresh: true,
        };
        Self { target, own: Some(started) }
    }

    /// Its process, where it was started for this.
    pub fn own_pid(&self) -> Option<u32> {
        self.own.as_ref().map(Started::pid)
    }
}

/// Keeps the generator and servers that it started on processors of their own, as long as this lives. Where they share
/// one for a while, or change places, figures spread several times as wide.
pub fn apart(grounds: &[&Ground]) -> Option<process::Pin> {
    let servers: Vec<u32> = grounds.iter().filter_map(|ground| ground.own_pid()).collect();
    if servers.is_empty() { None } else { process::Pin::apart(&servers) }
}

/// Whether there are descriptors and ports for so many clients at once; raises the limit of descriptors.
pub fn make_place(whom: &Whom, clients: usize, stages: usize) -> Result<(), String> {
    limits::make_place(clients, stages)?;
    connect::check_ports(clients, whom.source.as_ref().map_or(0, |sources| sources.len()))
}

/// True once the program was told to stop; the second time it ends at once.
pub fn stop_flag() -> Result<Arc<AtomicBool>, String> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|error| format!("signals: {error}"))?;
    let told = Arc::clone(&stop);
    thread::spawn(move || {
        for _ in &mut signals {
            if told.swap(true, Ordering::Relaxed) {
                server::end_all();
                this::exit(1);
            }
        }
    });
    Ok(stop)
}

/// How a swarm goes about it.
pub fn settings(whom: &Whom, measured_s: f64, keeps_log: bool) -> Settings {
    // About three hundred points are as many as a picture shows.
    let interval_us = ((measured_s / 300.0).ceil().max(1.0) * 1e6) as u64;
    let interval_us = if measured_s < 20.0 { 250_000 } else { interval_us };
    Settings { spins: whom.spin, interval_us, keeps_log }
}
