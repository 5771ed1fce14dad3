//! What a run stands on: a server, place for descriptors and ports, and a way to stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::{env, fs, process as this, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::options::Whom;
use crate::server::Started;
use crate::stage::Target;
use crate::swarm::Settings;
use crate::trust;
use crate::{connect, limits, process, server};

/// A server to load.
#[derive(Debug)]
pub struct Ground {
    /// The server.
    pub target: Target,
    own: Option<Started>,
    /// What it keeps, which goes behind it.
    #[expect(dead_code, reason = "held until the server has ended")]
    scratch: Option<Scratch>,
}

/// A folder that goes with this value, and all that is in it.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("tertulia-loadtest-{}-{number}", this::id()));
        fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Ground {
    /// The server that was named, or a relay of our own.
    pub fn of(whom: &Whom) -> Result<Self, String> {
        let Some(address) = whom.target else {
            return if whom.secure.tls { Self::relay_tls() } else { Self::relay() };
        };
        let name = whom.pid.and_then(process::program_name).unwrap_or_default();
        let (trust, login) = (whom.secure.trust(address)?, whom.secure.login()?);
        let target = Target { address, pid: whom.pid, name, is_fresh: false, trust, login };
        Ok(Self { target, own: None, scratch: None })
    }

    /// The same, but that a relay of our own keeps all that is said, until this value goes.
    pub fn keeping(whom: &Whom) -> Result<Self, String> {
        if whom.target.is_some() {
            return Self::of(whom);
        }
        let scratch = Scratch::new()?;
        let file = scratch.0.join("history.db").display().to_string();
        let ground =
            Self::relay_with(&["--history", &file, "--history-max-rows", "0", "--history-max-age", "0"])?;
        Ok(Self { scratch: Some(scratch), ..ground })
    }

    /// A relay of our own.
    pub fn relay() -> Result<Self, String> {
        Self::relay_with(&["--history", "none"])
    }

    /// The same with more flags.
    pub fn relay_with(flags: &[&str]) -> Result<Self, String> {
        Started::relay(flags).map(Self::own)
    }

    /// A relay of our own that is spoken to through TLS, with a certificate made for it.
    pub fn relay_tls() -> Result<Self, String> {
        let scratch = Scratch::new()?;
        let (certificate, key, fingerprint) = server::make_certificate(&scratch.0)?;
        let started = Started::relay_tls(&certificate, &key)?;
        let trust = trust::pinned(fingerprint, started.address().ip())?;
        let mut ground = Self::own(started);
        ground.target.trust = Some(trust);
        ground.target.name.push_str(" through TLS");
        Ok(Self { scratch: Some(scratch), ..ground })
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
            trust: None,
            login: None,
        };
        Self { target, own: Some(started), scratch: None }
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
    Settings { spins: whom.spin, interval_us, keeps_log, trace_records: 0 }
}
