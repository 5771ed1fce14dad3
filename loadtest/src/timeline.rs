//! What was recorded by time, interval by interval.

use hdrhistogram::Histogram;

use crate::latency::histogram;
use crate::report::Interval;

/// Latencies recorded, in pieces of time of one length.
#[derive(Debug)]
pub struct Timeline {
    interval_us: u64,
    begun_us: u64,
    /// Time recorded before the interval under way, in microseconds.
    before_us: u64,
    pub(crate) accepted: u64,
    current: Histogram<u64>,
    /// A latency that is not in `current` yet, and how often it came.
    repeated_us: u64,
    repeated: u64,
    intervals: Vec<Interval>,
    /// Each interval's histogram, where they are to be kept.
    log: Option<Vec<Histogram<u64>>>,
}

impl Timeline {
    /// Nothing yet.
    pub fn new(interval_us: u64, keeps_log: bool) -> Result<Self, String> {
        Ok(Self {
            interval_us,
            begun_us: 0,
            before_us: 0,
            accepted: 0,
            current: histogram()?,
            repeated_us: 0,
            repeated: 0,
            intervals: Vec::new(),
            log: keeps_log.then(Vec::new),
        })
    }

    /// Lines that are heard in one read were often due at the same time: they are recorded together.
    #[inline]
    pub(crate) fn record(&mut self, late_us: u64) {
        if late_us != self.repeated_us {
            self.record_repeated();
            self.repeated_us = late_us;
        }
        self.repeated += 1;
    }

    fn record_repeated(&mut self) {
        self.current.saturating_record_n(self.repeated_us, self.repeated);
        self.repeated = 0;
    }

    pub(crate) fn begin(&mut self, now_us: u64) {
        self.begun_us = now_us;
    }

    pub(crate) fn is_due(&self, now_us: u64) -> bool {
        now_us.saturating_sub(self.begun_us) >= self.interval_us
    }

    pub(crate) fn end_interval(&mut self, now_us: u64, total: &mut Histogram<u64>) {
        self.record_repeated();
        let length_us = now_us.saturating_sub(self.begun_us);
        if length_us == 0 && self.current.is_empty() {
            return;
        }
        self.before_us += length_us;
        self.begun_us = now_us;
        self.intervals.push(Interval {
            end_s: self.before_us as f64 / 1e6,
            length_s: length_us as f64 / 1e6,
            accepted: std::mem::take(&mut self.accepted),
            delivered: self.current.len(),
            p50_us: self.current.value_at_quantile(0.5),
            p99_us: self.current.value_at_quantile(0.99),
            max_us: self.current.max(),
        });
        // Both were made with the same bounds.
        let _ = total.add(&self.current);
        if let Some(log) = &mut self.log {
            log.push(self.current.clone());
        }
        self.current.reset();
    }

    /// Takes back the end of what was recorded, as far as nothing came in it and it lies behind `now_us`.
    pub(crate) fn trim(&mut self, now_us: u64) {
        while self.begun_us > now_us {
            let Some(last) = self.intervals.last_mut().filter(|last| last.delivered + last.accepted == 0)
            else {
                return;
            };
            let length_us = (last.length_s * 1e6).round() as u64;
            let cut_us = length_us.min(self.begun_us - now_us);
            self.begun_us -= cut_us;
            self.before_us -= cut_us;
            if cut_us < length_us {
                last.end_s = self.before_us as f64 / 1e6;
                last.length_s = (length_us - cut_us) as f64 / 1e6;
            } else {
                self.intervals.pop();
                if let Some(log) = &mut self.log {
                    log.pop();
                }
            }
        }
    }

    /// What was recorded by time.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// Each interval with its histogram; none where they were not to be kept.
    pub fn logged(&self) -> impl Iterator<Item = (&Interval, &Histogram<u64>)> {
        self.intervals.iter().zip(self.log.iter().flatten())
    }
}
