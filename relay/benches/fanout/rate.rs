//! One sender in an open loop: how late each line reaches each listener.

use std::time::{Duration, Instant};

use crate::fleet::{Fleet, LineSplitter, chat_line, join_line, number_in};
use crate::server::Server;
use crate::{Outcome, QUIET, REST_MAX};

const LINES_PER_SECOND: u32 = 100;
const STALL: Duration = Duration::from_secs(5);
/// The first lines of a slice find cold caches and are not measured.
const SLICE_WARM_UP: Duration = Duration::from_millis(100);

/// Lateness of the lines of one run, in microseconds.
pub(crate) struct Lateness {
    /// Half of the lines came sooner.
    pub(crate) p50_us: f64,
    /// 99 of 100 came sooner.
    pub(crate) p99_us: f64,
    /// 999 of 1000 came sooner.
    pub(crate) p999_us: f64,
}

/// The samples and who heard how many lines.
struct Ears {
    begin: Instant,
    measured_from_us: u64,
    splitters: Vec<LineSplitter>,
    heard: Vec<u64>,
    heard_sum: u64,
    samples_us: Vec<u32>,
}

impl Ears {
    fn hear(&mut self, index: usize, bytes: &[u8]) {
        let now_us = self.begin.elapsed().as_micros() as u64;
        let Some(listener) = index.checked_sub(1) else { return };
        let Some(splitter) = self.splitters.get_mut(listener) else { return };
        let mut heard = 0;
        splitter.feed(bytes, |line| {
            if !line.starts_with(b"s00: ") {
                return;
            }
            let Some(intended_us) = number_in(line) else { return };
            heard += 1;
            if intended_us >= self.measured_from_us {
                self.samples_us.push(now_us.saturating_sub(intended_us) as u32);
            }
        });
        self.heard_sum += heard;
        if let Some(sum) = self.heard.get_mut(listener) {
            *sum += heard;
        }
    }
}

/// A sender and its listeners, connected to a server.
pub(crate) struct Stage {
    fleet: Fleet,
    ears: Ears,
    lines: u64,
}

impl Stage {
    /// Connects everybody and lets the sender join.
    pub(crate) fn open(server: &Server, listeners: usize) -> Outcome<Self> {
        let mut fleet = Fleet::connect(server.address(), listeners + 1)?;
        server.await_clients(listeners + 1)?;
        fleet.send(0, &join_line("s00"))?;
        fleet.await_quiet(QUIET, REST_MAX)?;
        let ears = Ears {
            begin: Instant::now(),
            measured_from_us: 0,
            splitters: (0..listeners).map(|_| LineSplitter::default()).collect(),
            heard: vec![0; listeners],
            heard_sum: 0,
            samples_us: Vec::new(),
        };
        Ok(Self { fleet, ears, lines: 0 })
    }

    /// Sends lines at their times, measures how late each is heard, and hears all of them out.
    pub(crate) fn slice(&mut self, measured: Duration) -> Outcome<()> {
        let period = Duration::from_secs(1) / LINES_PER_SECOND;
        let begin = self.ears.begin.elapsed() + period;
        self.ears.measured_from_us = (begin + SLICE_WARM_UP).as_micros() as u64;
        let lines = (SLICE_WARM_UP + measured).as_micros() / period.as_micros();
        for line in 0..lines as u32 {
            let intended = begin + period * line;
            while self.ears.begin.elapsed() < intended {
                self.hear()?;
            }
            self.fleet.send(0, &chat_line(0, intended.as_micros() as u64))?;
        }
        self.lines += lines as u64;
        self.drain()
    }

    /// How late the lines of all slices were.
    pub(crate) fn into_lateness(self) -> Outcome<Lateness> {
        lateness(self.ears.samples_us)
    }

    fn hear(&mut self) -> Outcome<usize> {
        // It never sleeps: to wake it would be the server's work, and the system's timer is coarse.
        self.fleet.turn(Duration::ZERO, |index, bytes| self.ears.hear(index, bytes))
    }

    fn drain(&mut self) -> Outcome<()> {
        let mut progress = Instant::now();
        while self.ears.heard_sum < self.lines * self.ears.heard.len() as u64 && progress.elapsed() < STALL {
            if self.hear()? > 0 {
                progress = Instant::now();
            }
        }
        let lines = self.lines;
        match self.ears.heard.iter().enumerate().find(|(_, heard)| **heard != lines) {
            Some((listener, heard)) => {
                Err(format!("listener {listener} heard {heard} of {lines} lines").into())
            }
            None => Ok(()),
        }
    }
}

fn lateness(mut samples_us: Vec<u32>) -> Outcome<Lateness> {
    samples_us.sort_unstable();
    let at = |per_mille: usize| -> Outcome<f64> {
        let rank = (samples_us.len() * per_mille).div_ceil(1000).saturating_sub(1);
        Ok(f64::from(*samples_us.get(rank).ok_or("no sample")?))
    };
    Ok(Lateness { p50_us: at(500)?, p99_us: at(990)?, p999_us: at(999)? })
}
