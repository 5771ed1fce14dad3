//! What is to be done: how many clients, who speaks, how fast, how long. Checked before anything starts.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::schedule::Pace;
use crate::stamp::{SENDERS_MAX, STAMP_BYTES_MIN, Sizes};

/// Connections of one run.
pub const CLIENTS_MAX: usize = 1_000_000;

/// Lines of one sender under way.
const WINDOW_MAX: u32 = 10_000;

/// The longest run: what a stamp can tell of when its line was due is a little more.
pub const LENGTH_MAX: Duration = Duration::from_secs(10 * 24 * 3600);

/// Pairs of receiver and sender: four bytes of memory each.
const PAIRS_MAX: usize = 1 << 28;

/// Lines, connects or clients a second.
const PER_S_MAX: f64 = 1e7;
const PER_S_MIN: f64 = 1e-3;

/// Addresses of `--source`.
const SOURCES_MAX: u32 = 65_536;

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
    /// How long the texts are.
    pub sizes: Sizes,
    /// What the server speaks.
    pub protocol: Protocol,
    /// Clients that connect and never read; the last ones, none of them senders.
    pub slow: usize,
    /// Clients that leave and come back each second; 0: all stay.
    pub churn_per_s: f64,
    /// Connects a second; none: as fast as the server takes them.
    pub connect_rate_per_s: Option<f64>,
    /// Addresses that the clients come from, in turns; none: as the system chooses.
    pub sources: Vec<IpAddr>,
    /// Who says that it joins. Where the protocol knows no such words, it makes no difference.
    pub joins: Joins,
}

/// Who says that it joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Joins {
    /// Only those that send.
    Senders,
    /// Everybody.
    All,
    /// Nobody: the first line is also the first word.
    None,
}

/// The plan as it stands in a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// As [`Plan::protocol`].
    pub protocol: Protocol,
    /// As [`Plan::clients`].
    pub clients: usize,
    /// As [`Plan::senders`].
    pub senders: usize,
    /// As [`Plan::slow`].
    pub slow: usize,
    /// As [`Plan::churn_per_s`].
    pub churn_per_s: f64,
    /// As [`Plan::joins`].
    pub joins: Joins,
    /// Open loop: lines a second of all senders together.
    pub rate_per_s: Option<f64>,
    /// Closed loop: lines of each sender under way.
    pub window: Option<u32>,
    /// As [`Plan::duration`].
    pub duration_s: f64,
    /// As [`Plan::warmup`].
    pub warmup_s: f64,
    /// The shortest text.
    pub size_min_bytes: usize,
    /// The longest text.
    pub size_max_bytes: usize,
    /// As [`Plan::connect_rate_per_s`].
    pub connect_rate_per_s: Option<f64>,
    /// How many addresses the clients come from; 0: as the system chooses.
    pub sources: usize,
    /// The generator never sleeps.
    #[serde(default)]
    pub spins: bool,
    /// In turns with the reference server.
    #[serde(default)]
    pub with_floor: bool,
    /// All that passed over the wires was written down.
    #[serde(default)]
    pub traces: bool,
}

impl Plan {
    /// What cannot be done as it was asked for: what is wrong, and what to do.
    pub fn check(&self) -> Result<(), String> {
        self.check_clients()?;
        let Sizes { min_bytes, max_bytes } = self.sizes;
        let most = self.protocol.text_bytes_max();
        if min_bytes > max_bytes {
            return Err(format!(
                "--size {}: the shorter length comes first: {max_bytes}-{min_bytes}",
                self.sizes
            ));
        }
        if min_bytes < STAMP_BYTES_MIN || max_bytes > most {
            return Err(format!(
                "--size {}: from {STAMP_BYTES_MIN} to {most} bytes with --protocol {}; every line carries a stamp",
                self.sizes, self.protocol
            ));
        }
        if self.duration.is_zero() || self.duration > LENGTH_MAX || self.warmup > LENGTH_MAX - self.duration {
            return Err(format!(
                "--duration {}, --warmup {}: longer than nothing, and at most ten days together",
                told_duration(self.duration),
                told_duration(self.warmup)
            ));
        }
        match self.pace {
            Pace::Rate(rate) => check_per_s("--rate", rate),
            Pace::Window(window) if !(1..=WINDOW_MAX).contains(&window) => {
                Err(format!("--window {window}: from 1 to {WINDOW_MAX} lines under way"))
            }
            Pace::Window(_) => Ok(()),
        }
    }

    fn check_clients(&self) -> Result<(), String> {
        let (clients, senders, slow) = (self.clients, self.senders, self.slow);
        let senders_max = SENDERS_MAX - 1;
        if !(2..=CLIENTS_MAX).contains(&clients) {
            return Err(format!("--clients {clients}: from 2 (nobody hears a lone client) to {CLIENTS_MAX}"));
        }
        if senders == 0 || senders > clients {
            return Err(format!("--senders {senders}: must be from 1 to {clients} (--clients)"));
        }
        if senders > senders_max {
            return Err(format!("--senders {senders}: at most {senders_max}"));
        }
        if slow > 0 && senders + slow > clients {
            return Err(format!(
                "--slow {slow}: with {senders} senders there are {} others",
                clients - senders
            ));
        }
        if self.hearers() < 2 && !self.protocol.hears_itself() {
            return Err(format!("--slow {slow}: at least one more client has to read"));
        }
        if clients.saturating_mul(senders) > PAIRS_MAX {
            return Err(format!(
                "--clients {clients} --senders {senders}: each pair takes four bytes, and at most {PAIRS_MAX} are kept"
            ));
        }
        if self.churn_per_s != 0.0 {
            check_per_s("--churn", self.churn_per_s)?;
            if self.churners().is_empty() {
                return Err("--churn: there are fewer than two listeners that read; raise --clients".into());
            }
        }
        self.connect_rate_per_s.map_or(Ok(()), |rate| check_per_s("--connect-rate", rate))
    }

    /// Clients that read.
    pub fn hearers(&self) -> usize {
        self.clients.saturating_sub(self.slow)
    }

    /// Numbers of those that leave and come back: half of the clients that only listen. None without churn.
    pub fn churners(&self) -> Range<usize> {
        let end = self.hearers();
        if self.churn_per_s > 0.0 { end - end.saturating_sub(self.senders) / 2..end } else { end..end }
    }

    /// Whose hearing a sender's line lets the next one go out: a client that only listens, where there is one, and another
    /// one for each sender as far as they go.
    pub fn watcher(&self, sender: usize) -> u32 {
        let steady = self.churners().start;
        let listeners = steady.saturating_sub(self.senders);
        let number = match listeners {
            0 if self.senders == 1 => 0,
            0 => (sender + 1) % self.senders,
            _ => self.senders + sender % listeners,
        };
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// From the first line due to the last, in microseconds.
    pub fn length_us(&self) -> u64 {
        micros(self.warmup + self.duration)
    }

    /// For a report. Whether the generator spins, or has the reference server beside it, is not the plan's to know.
    pub fn planned(&self) -> Planned {
        let (rate_per_s, window) = match self.pace {
            Pace::Rate(rate) => (Some(rate), None),
            Pace::Window(window) => (None, Some(window)),
        };
        Planned {
            protocol: self.protocol,
            clients: self.clients,
            senders: self.senders,
            slow: self.slow,
            churn_per_s: self.churn_per_s,
            joins: self.joins,
            rate_per_s,
            window,
            duration_s: self.duration.as_secs_f64(),
            warmup_s: self.warmup.as_secs_f64(),
            size_min_bytes: self.sizes.min_bytes,
            size_max_bytes: self.sizes.max_bytes,
            connect_rate_per_s: self.connect_rate_per_s,
            sources: self.sources.len(),
            spins: false,
            with_floor: false,
            traces: false,
        }
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = Sizes { min_bytes: self.size_min_bytes, max_bytes: self.size_max_bytes };
        write!(f, "{} clients ({}), ", self.clients, self.protocol)?;
        write!(f, "{} of them send lines of {sizes} bytes, ", self.senders)?;
        if let Some(rate) = self.rate_per_s {
            write!(f, "{rate} a second together (open loop)")?;
        }
        if let Some(window) = self.window {
            write!(f, "each with {window} under way (closed loop)")?;
        }
        if self.slow > 0 {
            write!(f, ", {} never read", self.slow)?;
        }
        if self.churn_per_s > 0.0 {
            write!(f, ", {} a second leave and come back", self.churn_per_s)?;
        }
        write!(f, "; {} s measured after {} s", self.duration_s, self.warmup_s)?;
        if self.spins {
            f.write_str(", by a generator that never sleeps")?;
        }
        if self.with_floor {
            f.write_str(", in turns with the floor")?;
        }
        if self.traces {
            f.write_str(", with a trace of all that is said and heard")?;
        }
        Ok(())
    }
}

fn check_per_s(flag: &str, per_s: f64) -> Result<(), String> {
    if (PER_S_MIN..=PER_S_MAX).contains(&per_s) {
        Ok(())
    } else {
        Err(format!("{flag} {per_s}: from {PER_S_MIN} to {PER_S_MAX} a second"))
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

/// A time as people read it, and as [`parse_duration`] takes it.
pub fn told_duration(duration: Duration) -> String {
    if duration.is_zero() { "0s".to_owned() } else { format!("{duration:?}") }
}

/// Lengths as people write them: `64`, or `40-200`.
pub fn parse_sizes(text: &str) -> Result<Sizes, String> {
    let wrong = |_| format!("{text}: expected a number of bytes like 64, or a range like 40-200");
    let (min, max) = text.split_once('-').unwrap_or((text, text));
    Ok(Sizes { min_bytes: min.parse().map_err(wrong)?, max_bytes: max.parse().map_err(wrong)? })
}

/// One address, or the first and the last of several, of version 4: `127.0.0.1-127.0.0.20`.
pub fn parse_sources(text: &str) -> Result<Vec<IpAddr>, String> {
    let wrong = |_| format!("{text}: expected an address, or two like 127.0.0.1-127.0.0.20");
    let Some((first, last)) = text.split_once('-') else {
        return Ok(vec![text.parse().map_err(wrong)?]);
    };
    let first = u32::from(first.parse::<Ipv4Addr>().map_err(wrong)?);
    let last = u32::from(last.parse::<Ipv4Addr>().map_err(wrong)?);
    if last < first || last - first >= SOURCES_MAX {
        return Err(format!("{text}: the last address must be above the first, by less than {SOURCES_MAX}"));
    }
    Ok((first..=last).map(|bits| IpAddr::V4(Ipv4Addr::from(bits))).collect())
}

/// In microseconds.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A plan of ten clients, for tests.
#[cfg(test)]
pub(crate) fn example() -> Plan {
    Plan {
        clients: 10,
        senders: 2,
        pace: Pace::Rate(100.0),
        duration: Duration::from_secs(1),
        warmup: Duration::ZERO,
        sizes: Sizes::of(64),
        protocol: Protocol::Plain,
        slow: 0,
        churn_per_s: 0.0,
        connect_rate_per_s: None,
        sources: Vec::new(),
        joins: Joins::Senders,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_done_is_named_with_its_flag() {
        let plan = example;
        assert_eq!(plan().check(), Ok(()));
        let sizes = |min_bytes, max_bytes| Sizes { min_bytes, max_bytes };
        let wrong = [
            (Plan { senders: 0, ..plan() }, "--senders 0"),
            (Plan { senders: 11, ..plan() }, "--senders 11"),
            (Plan { clients: 1, senders: 1, ..plan() }, "--clients 1"),
            (Plan { sizes: Sizes::of(8), ..plan() }, "--size 8"),
            (Plan { sizes: sizes(100, 50), ..plan() }, "--size 100-50"),
            (Plan { sizes: sizes(64, 500), protocol: Protocol::Irc, ..plan() }, "--size 64-500"),
            (Plan { duration: Duration::ZERO, ..plan() }, "--duration"),
            (Plan { duration: Duration::MAX, ..plan() }, "--duration"),
            (Plan { warmup: LENGTH_MAX, ..plan() }, "--duration"),
            (Plan { clients: 1_000_000, senders: 60_000, ..plan() }, "--clients 1000000 --senders 60000"),
            (Plan { pace: Pace::Rate(1e-300), ..plan() }, "--rate"),
            (Plan { connect_rate_per_s: Some(1e-300), ..plan() }, "--connect-rate"),
            (Plan { pace: Pace::Rate(0.0), ..plan() }, "--rate 0"),
            (Plan { pace: Pace::Rate(f64::NAN), ..plan() }, "--rate NaN"),
            (Plan { pace: Pace::Window(0), ..plan() }, "--window 0"),
            (Plan { slow: 9, ..plan() }, "--slow 9"),
            (Plan { slow: 9, senders: 1, ..plan() }, "--slow 9"),
            (Plan { churn_per_s: -1.0, ..plan() }, "--churn -1"),
            (Plan { churn_per_s: 1.0, slow: 7, ..plan() }, "--churn"),
            (Plan { connect_rate_per_s: Some(0.0), ..plan() }, "--connect-rate 0"),
        ];
        for (plan, flag) in wrong {
            let error = plan.check().unwrap_err();
            assert!(error.starts_with(flag), "{error}");
        }
    }

    #[test]
    fn a_range_that_is_reversed_and_a_time_of_nothing_are_said_to_be_so() {
        let reversed = Plan { sizes: Sizes { min_bytes: 200, max_bytes: 40 }, ..example() }.check();
        assert_eq!(reversed, Err("--size 200-40: the shorter length comes first: 40-200".into()));
        let nothing = Plan { duration: Duration::ZERO, ..example() }.check().unwrap_err();
        assert!(nothing.starts_with("--duration 0s, --warmup 0s: "), "{nothing}");
    }

    #[test]
    fn half_of_the_listeners_that_read_leave_and_come_back() {
        let plan = Plan { churn_per_s: 1.0, slow: 2, ..example() };
        assert_eq!(plan.churners(), 5..8);
        assert_eq!(example().churners(), 10..10);
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

    #[test]
    fn lengths_are_one_number_or_two() {
        assert_eq!(parse_sizes("64"), Ok(Sizes::of(64)));
        assert_eq!(parse_sizes("40-200"), Ok(Sizes { min_bytes: 40, max_bytes: 200 }));
        for text in ["", "-", "40-", "-40", "many"] {
            assert!(parse_sizes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_are_one_or_a_range() {
        assert_eq!(parse_sources("::1").unwrap().len(), 1);
        let sources = parse_sources("127.0.0.254-127.0.1.1").unwrap();
        assert_eq!(sources.last(), Some(&"127.0.1.1".parse().unwrap()));
        assert_eq!(sources.len(), 4);
        for text in ["", "127.0.0.2-127.0.0.1", "127.0.0.1-", "0.0.0.0-255.255.255.255", "::1-::2"] {
            assert!(parse_sources(text).is_err(), "{text}");
        }
    }
}
