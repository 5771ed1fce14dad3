//! What a run came to, for people and for programs.

use std::fmt::Write;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::plan::Planned;
use crate::stats::{Counts, Latency};

/// Of the JSON. A field that changes its meaning or goes makes this one more; a new field does not.
pub const SCHEMA_VERSION: u32 = 1;

/// A line that goes out later than this is late.
pub const LATE_US: u64 = 10_000;
/// With more than this share of lines late, the generator did not keep its schedule.
const LATE_SHARE_MAX: f64 = 0.01;
/// With more than this share of a processor used, the generator itself may be what is slow.
const OWN_CPU_SHARE_MAX: f64 = 0.95;

/// A run, as it is reported.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Of this program.
    pub version: &'static str,
    /// Kernel and processors.
    pub machine: String,
    /// What was to be done.
    pub plan: Planned,
    /// Where to.
    pub target: String,
    /// Lines that the server took from the senders, warm-up included.
    pub sent: u64,
    /// The four checks and what passed them.
    #[serde(flatten)]
    pub counts: Counts,
    /// Lines heard a second, by all receivers together, behind the warm-up.
    pub rate_per_s: f64,
    /// From when a line was due.
    pub latency_us: Latencies,
    /// The generator itself.
    pub generator: Generator,
    /// The server's process, where it is known.
    pub server: Option<Server>,
    /// What the server said against it.
    pub complaints: Vec<String>,
    /// Why the figures are not to be trusted; empty: they are.
    pub invalid: Vec<String>,
    /// The run was ended before its time.
    pub is_partial: bool,
}

/// The three latencies of a line.
#[derive(Debug, Clone, Serialize)]
pub struct Latencies {
    /// Until the first receiver had it.
    pub first: Percentiles,
    /// Until each receiver had it.
    pub each: Percentiles,
    /// Until the last receiver had it.
    pub last: Percentiles,
}

/// In microseconds.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names say it all")]
pub struct Percentiles {
    pub count: u64,
    pub min: u64,
    pub p50: u64,
    pub p90: u64,
    pub p95: u64,
    pub p99: u64,
    pub p99_9: u64,
    pub p99_99: u64,
    pub max: u64,
}

/// How well the generator did its own part.
#[derive(Debug, Clone, Serialize)]
pub struct Generator {
    /// Share of a processor that it used.
    pub cpu_share: f64,
    /// Processor time for each delivery, in microseconds.
    pub cpu_us_per_delivery: f64,
    /// Lines that went out more than [`LATE_US`] after they were due.
    pub late: u64,
    /// How late lines went out: the worst of a hundred, in microseconds.
    pub lateness_p99_us: u64,
    /// Lines that were due and never went out.
    pub unsent: u64,
}

/// What the server's process used.
#[derive(Debug, Clone, Serialize)]
pub struct Server {
    /// Share of a processor that it used.
    pub cpu_share: f64,
    /// Processor time for each delivery, in microseconds.
    pub cpu_us_per_delivery: f64,
    /// Resident memory at the end, in KiB.
    pub resident_kib: u64,
}

impl Latencies {
    /// Of what was recorded.
    pub fn of(latency: &Latency) -> Self {
        Self {
            first: Percentiles::of(&latency.first),
            each: Percentiles::of(&latency.each),
            last: Percentiles::of(&latency.last),
        }
    }
}

impl Percentiles {
    /// Of a histogram of microseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile);
        Self {
            count: histogram.len(),
            min: histogram.min(),
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p99_9: at(0.999),
            p99_99: at(0.9999),
            max: histogram.max(),
        }
    }
}

/// Lines that went out late, of all that did.
pub fn late(lateness: &Histogram<u64>) -> u64 {
    lateness.len().saturating_sub(lateness.count_between(0, LATE_US))
}

/// Why a run is not to be trusted.
pub fn why_invalid(sent: u64, late: u64, unsent: u64, own_cpu_share: f64) -> Vec<String> {
    let mut reasons = Vec::new();
    if sent > 0 && late as f64 / sent as f64 > LATE_SHARE_MAX {
        reasons.push(format!(
            "{late} of {sent} lines went out more than {} ms late: the generator did not keep its schedule; \
             try a lower --rate or fewer --clients",
            LATE_US / 1000
        ));
    }
    if unsent > 0 {
        reasons.push(format!(
            "{unsent} lines that were due never went out: the server stopped taking them; \
             try a lower --rate, or switch its flood control off"
        ));
    }
    if own_cpu_share > OWN_CPU_SHARE_MAX {
        reasons.push(format!(
            "the generator used {:.0} % of its processor: it may be what is slow, not the server",
            own_cpu_share * 100.0
        ));
    }
    reasons
}

impl Report {
    /// One self-contained text for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let counts = &self.counts;
        let mut line = |args: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "{args}");
        };
        line(format_args!("target      {}", self.target));
        line(format_args!("accepted    {} lines, warm-up included", self.sent));
        line(format_args!("delivered   {} lines, {:.0} a second", counts.delivered, self.rate_per_s));
        line(format_args!(
            "checks      lost {}, doubled {}, out of order {}, corrupt {}",
            counts.lost, counts.doubled, counts.out_of_order, counts.corrupt
        ));
        line(format_args!("until the first, each, last receiver had a line, from when it was due, in us"));
        line(format_args!(
            "                 min      p50      p90      p95      p99    p99.9   p99.99      max"
        ));
        for (name, p) in [
            ("first", &self.latency_us.first),
            ("each", &self.latency_us.each),
            ("last", &self.latency_us.last),
        ] {
            line(format_args!(
                "  {name:8}{:>10} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
                p.min, p.p50, p.p90, p.p95, p.p99, p.p99_9, p.p99_99, p.max
            ));
        }
        if let Some(server) = &self.server {
            line(format_args!(
                "server      {:.1} % of a processor, {:.3} us a delivery, {} KiB resident",
                server.cpu_share * 100.0,
                server.cpu_us_per_delivery,
                server.resident_kib
            ));
        }
        line(format_args!(
            "generator   {:.1} % of a processor, {:.3} us a delivery, {} lines late",
            self.generator.cpu_share * 100.0,
            self.generator.cpu_us_per_delivery,
            self.generator.late
        ));
        if self.is_partial {
            line(format_args!("PARTIAL: the run was ended before its time"));
        }
        for complaint in &self.complaints {
            line(format_args!("the server said: {complaint}"));
        }
        for reason in &self.invalid {
            line(format_args!("INVALID: {reason}"));
        }
        text
    }
}

/// A report with figures of all kinds, for tests.
#[cfg(test)]
pub(crate) fn example() -> Report {
    let percentiles = |us| Percentiles {
        count: 1,
        min: us,
        p50: us,
        p90: us,
        p95: us,
        p99: us,
        p99_9: us,
        p99_99: us,
        max: us,
    };
    let planned = Planned {
        clients: 2,
        senders: 1,
        rate_per_s: Some(1.0),
        window: None,
        duration_s: 1.0,
        warmup_s: 0.0,
        size_bytes: 64,
    };
    Report {
        schema_version: SCHEMA_VERSION,
        version: "",
        machine: String::new(),
        plan: planned,
        target: String::new(),
        sent: 1,
        counts: Counts { lost: 7, ..Counts::default() },
        rate_per_s: 500.0,
        latency_us: Latencies {
            first: percentiles(10_000),
            each: percentiles(60_000),
            last: percentiles(90_000),
        },
        generator: Generator {
            cpu_share: 0.1,
            cpu_us_per_delivery: 0.1,
            late: 0,
            lateness_p99_us: 1,
            unsent: 0,
        },
        server: None,
        complaints: Vec::new(),
        invalid: Vec::new(),
        is_partial: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_the_names_that_programs_look_for() {
        let json: serde_json::Value = serde_json::to_value(example()).unwrap();
        for name in ["lost", "doubled", "out_of_order", "corrupt", "delivered", "rate_per_s"] {
            assert!(json[name].is_number(), "{name}");
        }
        for whose in ["first", "each", "last"] {
            for name in ["min", "p50", "p90", "p95", "p99", "p99_9", "p99_99", "max"] {
                assert!(json["latency_us"][whose][name].is_number(), "{whose}.{name}");
            }
        }
    }

    #[test]
    fn a_generator_that_kept_its_schedule_is_trusted() {
        assert_eq!(why_invalid(1000, 10, 0, 0.5), [""; 0]);
    }

    #[test]
    fn late_and_unsent_lines_and_a_saturated_processor_are_named() {
        assert!(why_invalid(1000, 11, 0, 0.5)[0].contains("11 of 1000"));
        assert!(why_invalid(1000, 0, 3, 0.5)[0].contains("3 lines"));
        assert!(why_invalid(1000, 0, 0, 0.97)[0].contains("97 %"));
    }

    #[test]
    fn percentiles_are_those_of_the_histogram() {
        let mut histogram = crate::stats::histogram().unwrap();
        (1..=1000u64).for_each(|value| histogram.saturating_record(value));
        let percentiles = Percentiles::of(&histogram);
        assert_eq!((percentiles.min, percentiles.p50, percentiles.p99, percentiles.max), (1, 500, 990, 1000));
        assert_eq!(late(&histogram), 0);
        histogram.saturating_record(LATE_US * 2);
        assert_eq!(late(&histogram), 1);
    }
}
