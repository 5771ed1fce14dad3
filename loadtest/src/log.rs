//! HdrHistogram logs: one histogram of each receiver's latency for each piece of time, in the format that the tools of
//! HdrHistogram read (HistogramLogProcessor), in microseconds.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, IntervalLogWriterBuilder, LogEntry};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};

use crate::latency::histogram;
use crate::report::{Interval, Percentiles};

/// Writes a log.
pub fn write(path: &Path, begun_unix_s: u64, log: &[(Interval, Histogram<u64>)]) -> Result<(), String> {
    let bytes = encode(begun_unix_s, log)?;
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// A log, as the tools read it.
pub fn encode(begun_unix_s: u64, log: &[(Interval, Histogram<u64>)]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let begun = SystemTime::UNIX_EPOCH + Duration::from_secs(begun_unix_s);
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment("Latency of each receiver from when a line was due, in microseconds")
        .with_start_time(begun)
        .with_base_time(begun)
        .with_max_value_divisor(1.0)
        .begin_log_with(&mut bytes, &mut serializer)
        .map_err(|error| format!("the log: {error}"))?;
    for (interval, samples) in log {
        let length = Duration::from_secs_f64(interval.length_s.max(0.0));
        let start = Duration::from_secs_f64((interval.end_s - interval.length_s).max(0.0));
        writer
            .write_histogram(samples, start, length, None)
            .map_err(|error| format!("the log: {error:?}"))?;
    }
    Ok(bytes)
}

/// All samples of several logs.
pub fn merge(paths: &[impl AsRef<Path>]) -> Result<Histogram<u64>, String> {
    let mut sum = histogram()?;
    for path in paths {
        let name = path.as_ref().display();
        let bytes = fs::read(path).map_err(|error| format!("{name}: {error}"))?;
        let entries = add(&bytes, &mut sum).map_err(|error| format!("{name}: {error}"))?;
        if entries == 0 {
            return Err(format!("{name}: no histogram in it; expected a log of run --hdr"));
        }
    }
    Ok(sum)
}

fn add(bytes: &[u8], sum: &mut Histogram<u64>) -> Result<usize, String> {
    let mut deserializer = Deserializer::new();
    let mut entries = 0;
    for entry in IntervalLogIterator::new(bytes) {
        let entry = entry.map_err(|_| "not an HdrHistogram log; expected a log of run --hdr".to_owned())?;
        let LogEntry::Interval(interval) = entry else { continue };
        let encoded =
            STANDARD.decode(interval.encoded_histogram()).map_err(|error| format!("a histogram: {error}"))?;
        let samples: Histogram<u64> = deserializer
            .deserialize(&mut encoded.as_slice())
            .map_err(|error| format!("a histogram cannot be read: {error:?}"))?;
        sum.add(&samples).map_err(|error| format!("a histogram of another kind: {error}"))?;
        entries += 1;
    }
    Ok(entries)
}

/// A histogram in one line of figures.
pub fn to_text(samples: &Histogram<u64>) -> String {
    let p = Percentiles::of(samples);
    format!(
        "{} samples, in microseconds\nmin {}  p50 {}  p90 {}  p95 {}  p99 {}  p99.9 {}  p99.99 {}  max {}\n",
        p.count, p.min, p.p50, p.p90, p.p95, p.p99, p.p99_9, p.p99_99, p.max
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again_and_merged_sample_by_sample() {
        let mut first = histogram().unwrap();
        first.record_n(100, 98).unwrap();
        let mut second = histogram().unwrap();
        second.record_n(9_000, 2).unwrap();
        let interval = |end_s| Interval { end_s, length_s: 1.0, ..Interval::default() };
        let bytes = encode(1_800_000_000, &[(interval(1.0), first), (interval(2.0), second)]).unwrap();
        let mut sum = histogram().unwrap();
        assert_eq!(add(&bytes, &mut sum), Ok(2));
        assert_eq!((sum.len(), sum.value_at_quantile(0.5)), (100, 100));
        assert_eq!(sum.max(), sum.highest_equivalent(9_000));
    }

    #[test]
    fn what_is_no_log_is_an_error() {
        let mut sum = histogram().unwrap();
        assert!(add(b"hello\n", &mut sum).is_err());
        assert!(merge(&["/nowhere.hlog"]).unwrap_err().starts_with("/nowhere.hlog: "));
    }
}
