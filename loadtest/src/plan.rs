//! What is to be done: how many clients, who speaks, how fast, how long. Checked before anything starts.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::schedule::Pace;
use crate::stamp::{SENDERS_MAX, STAMP_BYTES_MAX, STAMP_BYTES_MIN};

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Connections, senders included.
    pub clients: usize,
    /// Clients that send; all others only listen.
    pub senders: usize,
    /// What sets the senders' pace.
    pub pace: Pace,
    /// Measured for so long.
    pub duration: Duration,
    /// Before that, for so long, the same without recording latencies. Lines are checked all the same.
    pub warmup: Duration,
    /// Bytes of each line's text.
    pub size_bytes: usize,
}

/// The plan as it stands in a report.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// As [`Plan::clients`].
    pub clients: usize,
    /// As [`Plan::senders`].
    pub senders: usize,
    /// Open loop: lines a second of all senders together.
    pub rate_per_s: Option<f64>,
    /// Closed loop: lines of each sender under way.
    pub window: Option<u32>,
    /// As [`Plan::duration`].
    pub duration_s: f64,
    /// As [`Plan::warmup`].
    pub warmup_s: f64,
    /// As [`Plan::size_bytes`].
    pub size_bytes: usize,
}

impl Plan {
    /// What cannot be done as it was asked for: what is wrong, and what to do.
    pub fn check(&self) -> Result<(), String> {
        let senders_max = SENDERS_MAX - 1;
        if self.senders == 0 || self.senders > self.clients {
            return Err(format!(
                "--senders {}: must be from 1 to {} (--clients)",
                self.senders, self.clients
            ));
        }
        if self.senders > senders_max {
            return Err(format!("--senders {}: at most {senders_max}", self.senders));
        }
        if self.clients < 2 {
            return Err("--clients 1: nobody hears a lone client; at least 2".into());
        }
        if !(STAMP_BYTES_MIN..=STAMP_BYTES_MAX).contains(&self.size_bytes) {
            return Err(format!(
                "--size {}: from {STAMP_BYTES_MIN} to {STAMP_BYTES_MAX} bytes; every line carries a stamp",
                self.size_bytes
            ));
        }
        if self.duration.is_zero() {
            return Err("--duration 0s: longer than nothing".into());
        }
        match self.pace {
            Pace::Rate(rate) if !(rate > 0.0 && rate <= 1e7) => {
                Err(format!("--rate {rate}: more than 0, and at most 10000000 lines a second"))
            }
            Pace::Window(0) => Err("--window 0: at least 1 line under way".into()),
            _ => Ok(()),
        }
    }

    /// From the first line due to the last, in microseconds.
    pub fn length_us(&self) -> u64 {
        micros(self.warmup + self.duration)
    }

    /// For a report.
    pub fn planned(&self) -> Planned {
        let (rate_per_s, window) = match self.pace {
            Pace::Rate(rate) => (Some(rate), None),
            Pace::Window(window) => (None, Some(window)),
        };
        Planned {
            clients: self.clients,
            senders: self.senders,
            rate_per_s,
            window,
            duration_s: self.duration.as_secs_f64(),
            warmup_s: self.warmup.as_secs_f64(),
            size_bytes: self.size_bytes,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (clients, senders, size) = (self.clients, self.senders, self.size_bytes);
        write!(f, "{clients} clients, {senders} of them send lines of {size} bytes, ")?;
        match self.pace {
            Pace::Rate(rate) => write!(f, "{rate} a second together (open loop)")?,
            Pace::Window(window) => write!(f, "each with {window} under way (closed loop)")?,
        }
        write!(f, ", for {:?} after {:?}", self.duration, self.warmup)
    }
}

/// A time as people write it: `500ms`, `10s`, `2m`, `1h`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text}: expected a time like 500ms, 10s, 2m or 1h");
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// In microseconds.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            clients: 10,
            senders: 2,
            pace: Pace::Rate(100.0),
            duration: Duration::from_secs(1),
            warmup: Duration::ZERO,
            size_bytes: 64,
        }
    }

    #[test]
    fn what_cannot_be_done_is_named_with_its_flag() {
        assert_eq!(plan().check(), Ok(()));
        let wrong = [
            (Plan { senders: 0, ..plan() }, "--senders 0"),
            (Plan { senders: 11, ..plan() }, "--senders 11"),
            (Plan { clients: 1, senders: 1, ..plan() }, "--clients 1"),
            (Plan { size_bytes: 8, ..plan() }, "--size 8"),
            (Plan { duration: Duration::ZERO, ..plan() }, "--duration"),
            (Plan { pace: Pace::Rate(0.0), ..plan() }, "--rate 0"),
            (Plan { pace: Pace::Rate(f64::NAN), ..plan() }, "--rate NaN"),
            (Plan { pace: Pace::Window(0), ..plan() }, "--window 0"),
        ];
        for (plan, flag) in wrong {
            let error = plan.check().unwrap_err();
            assert!(error.starts_with(flag), "{error}");
        }
    }

    #[test]
    fn times_are_read_with_their_unit() {
        for (text, ms) in
            [("500ms", 500), ("10s", 10_000), ("1.5s", 1500), ("2m", 120_000), ("1h", 3_600_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "10", "s", "10 s", "-1s", "1d", "1e400s", "1.2.3s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
