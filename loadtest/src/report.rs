//! What a run came to, for programs: the JSON of `--json`, with a version, and units in the names.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::answers::Answered;
use crate::judged::Judged;
use crate::latency::Latency;
use crate::plan::Planned;
use crate::stats::Counts;

/// Of the JSON. A field that changes its meaning or goes makes this one more; a new field does not.
pub const SCHEMA_VERSION: u32 = 1;

/// A run, as it is reported.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Of this program.
    pub version: String,
    /// The commit that this program was built from; `unknown` where nobody could tell.
    #[serde(default = "unknown")]
    pub commit: String,
    /// When it began, in seconds since 1970.
    pub begun_unix_s: u64,
    /// Where it ran.
    pub machine: Machine,
    /// What was to be done.
    pub plan: Planned,
    /// Where to, as address and port.
    pub target: String,
    /// What was loaded, in a few words, where it is known: program and version.
    pub server_name: String,
    /// Of the file of the server's program: FNV-1a of 64 bits, in hexadecimal digits. Two builds differ in it. None where
    /// its process is not known.
    #[serde(default)]
    pub server_file_fnv1a: Option<String>,
    /// Lines that were due, warm-up included.
    pub due: u64,
    /// Lines that the server's sockets took, warm-up included, and of which it did not say that it refused them, or will
    /// never keep them.
    pub accepted: u64,
    /// Lines a second that the server's sockets took, behind the warm-up, while lines were due.
    pub accepted_per_s: f64,
    /// Deliveries that there should have been: each line accepted, for each receiver that was to hear it.
    pub expected: u64,
    /// Of those, the ones that were still coming when nobody waited any more. They are not lost.
    pub under_way: u64,
    /// The four checks and what passed them, warm-up included.
    #[serde(flatten)]
    pub counts: Counts,
    /// Deliveries a second, of all receivers together, behind the warm-up.
    pub rate_per_s: f64,
    /// What the warm-up delivered, which no latency tells of.
    pub warmup_delivered: u64,
    /// Response: from when a line was due.
    pub latency_us: Latencies,
    /// Service: from when a line was really sent, until each receiver had it.
    pub service_us: Percentiles,
    /// From the first packet of a connect until the connection stood, of all clients.
    pub connect_us: Percentiles,
    /// From sending a password until the server let the client in, at most eight at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_us: Option<Percentiles>,
    /// Samples that came before they could: a clock that is wrong. They are in no percentile.
    pub negative: u64,
    /// Deliveries so late that only `latency_us.each` and the counts know of them.
    pub beyond_horizon: u64,
    /// By time, behind the warm-up.
    pub timeline: Vec<Interval>,
    /// Of each receiver's latency: how many samples there were up to each value.
    pub histogram: Vec<Bucket>,
    /// The generator itself.
    pub generator: Generator,
    /// The server's process, where it is known.
    pub server: Option<Server>,
    /// The kernel's memory for TCP of the whole machine, at most, in KiB.
    pub tcp_memory_peak_kib: u64,
    /// The most pieces that one client heard which no sender said: notices, above all.
    pub others_max: u32,
    /// Connections that the server closed.
    pub closed: u64,
    /// Lines that were due and never went out, as the server had closed their senders.
    #[serde(default)]
    pub to_closed: u64,
    /// Clients that left, and whose connect failed when they came back.
    #[serde(default)]
    pub not_back: u64,
    /// The server closed every connection: it is gone.
    #[serde(default)]
    pub is_deserted: bool,
    /// What the senders were answered, where the server answers; warm-up included.
    #[serde(default)]
    pub answered: Option<Answered>,
    /// What the checker says of the trace, where one was written.
    #[serde(default)]
    pub trace: Option<Judged>,
    /// What the server said against it, at most five lines.
    pub complaints: Vec<String>,
    /// What a person must know before the figures: that the server held the senders back.
    #[serde(default)]
    pub cautions: Vec<String>,
    /// What a person should know to read the figures.
    pub hints: Vec<String>,
    /// Why the figures are not to be trusted; empty: they are.
    pub invalid: Vec<String>,
    /// The run was ended before its time.
    pub is_partial: bool,
    /// The figures of each repeat by itself; one where there was one run.
    pub repeats: Vec<Figures>,
    /// What the reference server did at the same time.
    pub floor: Option<BesideFloor>,
}

/// Where a run ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Kernel's release.
    pub kernel: String,
    /// Name of the processor.
    pub processor: String,
    /// How many of them.
    pub processors: usize,
    /// Memory, in MiB.
    pub memory_mib: u64,
    /// Files that this program may open.
    pub open_files_max: u64,
    /// Ports that a connection may come from: first and last.
    pub local_ports: (u16, u16),
}

/// The latencies of a line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Latencies {
    /// Until the first receiver had it.
    pub first: Percentiles,
    /// Until each receiver had it.
    pub each: Percentiles,
    /// Until the last receiver had it.
    pub last: Percentiles,
    /// Until its sender was told that it is kept; no samples where the server does not tell.
    #[serde(default)]
    pub ack: Percentiles,
}

/// In microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// A while of the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// When it ended, in seconds behind the warm-up.
    pub end_s: f64,
    /// How long it was, in seconds.
    pub length_s: f64,
    /// Lines accepted.
    pub accepted: u64,
    /// Deliveries.
    pub delivered: u64,
    /// Of each receiver's latency, in microseconds.
    pub p50_us: u64,
    /// The same.
    pub p99_us: u64,
    /// The same.
    pub max_us: u64,
}

/// Samples from the last bucket's end up to this one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// The greatest value that counts here, in microseconds.
    pub up_to_us: u64,
    /// How many there were.
    pub count: u64,
}

/// How well the generator did its own part.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Generator {
    /// Share of a processor that it used while lines were due.
    pub cpu_share: f64,
    /// Processor time for each delivery, in microseconds.
    pub cpu_us_per_delivery: f64,
    /// Of that, outside the kernel.
    pub user_us_per_delivery: f64,
    /// Lines that went out more than ten milliseconds after they were due.
    pub late: u64,
    /// How late lines went out: the worst of a hundred, in microseconds.
    pub lateness_p99_us: u64,
    /// How long a turn of its loop took, for which whatever came meanwhile had to wait: the worst of a hundred.
    pub loop_lag_p99_us: u64,
    /// The longest turn.
    pub loop_lag_max_us: u64,
    /// Share of the time in which it could have run, and had no processor.
    #[serde(default)]
    pub waited_share: f64,
    /// For how long it stood still though it had something to do, ten milliseconds and more at a time, in microseconds.
    #[serde(default)]
    pub still_us: u64,
    /// The longest such time.
    #[serde(default)]
    pub still_max_us: u64,
    /// Lines that were due and never went out, as the server did not take them.
    pub unsent: u64,
    /// Resident memory at the end, in KiB.
    pub resident_kib: u64,
    /// The same for each client.
    pub resident_kib_per_client: f64,
}

/// What the server's process used.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Server {
    /// Share of a processor that it used while lines were due.
    pub cpu_share: f64,
    /// Processor time for each delivery, in microseconds.
    pub cpu_us_per_delivery: f64,
    /// Resident memory before the first client, in KiB; where it was started for this.
    pub resident_before_kib: Option<u64>,
    /// Resident memory at the end, in KiB.
    pub resident_kib: u64,
    /// Resident memory at most, in KiB, as far as it was looked at.
    pub resident_peak_kib: u64,
    /// How often a second it slept and was woken.
    pub wakeups_per_s: f64,
}

/// The figures of a run that another one is compared with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Deliveries a second.
    pub rate_per_s: f64,
    /// Lines accepted a second.
    pub accepted_per_s: f64,
    /// Of each receiver's latency.
    pub p50_us: f64,
    /// The same.
    pub p99_us: f64,
    /// The same.
    pub p99_9_us: f64,
    /// Until the last receiver had it.
    pub last_p99_us: f64,
    /// Of the server.
    pub server_cpu_us_per_delivery: Option<f64>,
    /// Of the server.
    pub server_resident_kib: Option<f64>,
}

/// What came of the reference server, in turns with the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BesideFloor {
    /// Of the reference server: the same work, at the same time, in turns.
    pub figures: Vec<Figures>,
    /// Deliveries a second: ours divided by its.
    pub rate: Ratio,
    /// Of each receiver's latency.
    pub p50: Ratio,
    /// The same.
    pub p99: Ratio,
    /// Processor time of the server for each delivery.
    pub server_cpu: Option<Ratio>,
}

/// Of several pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it all")]
pub struct Ratio {
    pub median: f64,
    pub least: f64,
    pub greatest: f64,
    pub pairs: usize,
}

impl Latencies {
    /// Of what was recorded.
    pub fn of(latency: &Latency) -> Self {
        Self {
            first: Percentiles::of(&latency.first),
            each: Percentiles::of(&latency.each),
            last: Percentiles::of(&latency.last),
            ack: Percentiles::of(&latency.ack),
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

impl BesideFloor {
    /// In one sentence: how much is carried in a closed loop; how late lines are in an open one, whose rate is given.
    pub fn headline(&self, is_closed: bool) -> String {
        if is_closed {
            format!("{:.2} of what this machine can do", self.rate.median)
        } else {
            format!("lines {:.2} times as late as sockets of this machine alone, p50", self.p50.median)
        }
    }
}

impl Ratio {
    /// The first of each pair divided by the second; none without pairs.
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let mut ratios: Vec<f64> =
            pairs.iter().filter(|(_, below)| *below > 0.0).map(|(above, below)| above / below).collect();
        ratios.sort_by(f64::total_cmp);
        Some(Self {
            median: median(&ratios)?,
            least: *ratios.first()?,
            greatest: *ratios.last()?,
            pairs: ratios.len(),
        })
    }
}

/// The middle of these values; of an even number, the middle of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some((upper + lower) / 2.0)
}

/// The commit that this program was built from, or `unknown`.
pub fn commit() -> String {
    env!("TERTULIA_COMMIT").to_owned()
}

fn unknown() -> String {
    "unknown".to_owned()
}

#[cfg(test)]
mod example;
#[cfg(test)]
pub(crate) use example::{example, judged};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_is_one_or_is_said_to_be_unknown() {
        let commit = commit();
        let is_hash = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_hash || commit == "unknown", "{commit}");
    }

    #[test]
    fn the_json_has_the_names_that_programs_look_for() {
        let json: serde_json::Value = serde_json::to_value(example()).unwrap();
        for name in ["lost", "doubled", "out_of_order", "corrupt", "delivered", "rate_per_s", "accepted"] {
            assert!(json[name].is_number(), "{name}");
        }
        for whose in ["first", "each", "last", "ack"] {
            for name in ["min", "p50", "p90", "p95", "p99", "p99_9", "p99_99", "max"] {
                assert!(json["latency_us"][whose][name].is_number(), "{whose}.{name}");
            }
        }
        let again: Report = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(again).unwrap(), json);
    }

    #[test]
    fn percentiles_are_those_of_the_histogram() {
        let mut histogram = crate::latency::histogram().unwrap();
        (1..=1000u64).for_each(|value| histogram.saturating_record(value));
        let percentiles = Percentiles::of(&histogram);
        assert_eq!((percentiles.min, percentiles.p50, percentiles.p99, percentiles.max), (1, 500, 990, 1000));
    }

    #[test]
    fn a_ratio_is_the_median_of_the_pairs() {
        let ratio = Ratio::of(&[(1.0, 2.0), (3.0, 1.0), (1.0, 1.0)]).unwrap();
        assert_eq!((ratio.median, ratio.least, ratio.greatest, ratio.pairs), (1.0, 0.5, 3.0, 3));
        assert_eq!(Ratio::of(&[]), None);
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
    }
}
