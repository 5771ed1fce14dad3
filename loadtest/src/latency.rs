//! How late lines were: samples, and how they are added up.

use hdrhistogram::Histogram;

use crate::report::Bucket;

/// Latencies above this are recorded as this: an hour.
const LATENCY_US_MAX: u64 = 3_600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// Latencies, in microseconds.
#[derive(Debug, Clone)]
pub struct Latency {
    /// From when a line was due until the first receiver had it.
    pub first: Histogram<u64>,
    /// From when a line was due until each receiver had it.
    pub each: Histogram<u64>,
    /// From when a line was due until the last receiver had it.
    pub last: Histogram<u64>,
    /// From when a line was sent until each receiver had it.
    pub service: Histogram<u64>,
    /// From when a line was due until its sender was told that it is kept.
    pub ack: Histogram<u64>,
}

impl Latency {
    /// Nothing yet.
    pub fn new() -> Result<Self, String> {
        Ok(Self {
            first: histogram()?,
            each: histogram()?,
            last: histogram()?,
            service: histogram()?,
            ack: histogram()?,
        })
    }

    /// Adds what another run recorded: samples are merged, percentiles never averaged.
    pub fn merge(&mut self, other: &Self) -> Result<(), String> {
        let pairs = [
            (&mut self.first, &other.first),
            (&mut self.each, &other.each),
            (&mut self.last, &other.last),
            (&mut self.service, &other.service),
            (&mut self.ack, &other.ack),
        ];
        for (ours, theirs) in pairs {
            ours.add(theirs).map_err(|error| format!("histograms of different kinds: {error}"))?;
        }
        Ok(())
    }
}

/// An empty histogram of microseconds, from 1 to an hour, right to three digits.
pub fn histogram() -> Result<Histogram<u64>, String> {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, SIGNIFICANT_DIGITS)
        .map_err(|error| format!("a histogram: {error}"))
}

/// How many samples there were up to each value, with twenty buckets for each power of ten.
pub fn buckets(histogram: &Histogram<u64>) -> Vec<Bucket> {
    let mut bounds = (0u32..).map(|step| 10f64.powf(f64::from(step) / 20.0) as u64);
    let mut buckets: Vec<Bucket> = Vec::new();
    for recorded in histogram.iter_recorded() {
        let value = recorded.value_iterated_to();
        while buckets.last().is_none_or(|bucket| bucket.up_to_us < value) {
            let last = buckets.last().map_or(0, |bucket| bucket.up_to_us);
            let Some(up_to_us) = bounds.find(|bound| *bound > last) else { return buckets };
            buckets.push(Bucket { up_to_us, count: 0 });
        }
        if let Some(bucket) = buckets.last_mut() {
            bucket.count += recorded.count_since_last_iteration();
        }
    }
    // Nothing is to be seen below the fastest.
    let empty = buckets.iter().take_while(|bucket| bucket.count == 0).count();
    buckets.split_off(empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_every_sample_once() {
        let mut histogram = histogram().unwrap();
        for value in [0u64, 1, 1, 2, 9, 10, 11, 400, 401, 1_000_000] {
            histogram.saturating_record(value);
        }
        let buckets = buckets(&histogram);
        assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u64>(), 10);
        assert!(buckets.iter().any(|bucket| bucket.up_to_us == 10 && bucket.count > 0));
        assert!(buckets.is_sorted_by_key(|bucket| bucket.up_to_us));
    }
}
