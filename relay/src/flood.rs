//! Flood control: a token bucket per connection. It slows, it does not kill: the caller stops reading.
//!
//! Kept as one moment per connection (the generic cell rate algorithm, ITU-T I.371): when the bucket would be
//! full again.

use std::time::Duration;

use crate::moment::Moment;

/// What everybody may send: `burst` lines at once, then `rate` a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flood {
    burst: u32,
    rate_per_s: u32,
    /// Time one line costs.
    interval: Duration,
    /// How far ahead of the present a bucket may be spent.
    ahead_max: Duration,
}

/// The state of one connection's bucket. A new one is full.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bucket {
    full_at: Moment,
}

impl Flood {
    /// `burst` lines at once, then `rate_per_s` a second; at least one of each.
    pub fn new(burst: u32, rate_per_s: u32) -> Self {
        let (burst, rate_per_s) = (burst.max(1), rate_per_s.max(1));
        let interval = Duration::from_secs(1) / rate_per_s;
        Self { burst, rate_per_s, interval, ahead_max: interval.saturating_mul(burst) }
    }

    /// Lines at once.
    pub fn burst(self) -> u32 {
        self.burst
    }

    /// Lines a second.
    pub fn rate_per_s(self) -> u32 {
        self.rate_per_s
    }
}

impl Bucket {
    /// When the next line may be taken: `now`, or later.
    pub fn next_at(&self, flood: Flood, now: Moment) -> Moment {
        let spent_up_to = self.full_at.max(now).after(flood.interval);
        spent_up_to.before(flood.ahead_max).max(now)
    }

    /// Takes a line, which [`Bucket::next_at`] allows now.
    pub fn take(&mut self, flood: Flood, now: Moment) {
        self.full_at = self.full_at.max(now).after(flood.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::from_start(Duration::from_millis(ms))
    }

    #[test]
    fn a_burst_passes_at_once_and_then_a_line_each_interval() {
        let flood = Flood::new(20, 5);
        let mut bucket = Bucket::default();
        for _ in 0..20 {
            assert_eq!(bucket.next_at(flood, at(1000)), at(1000));
            bucket.take(flood, at(1000));
        }
        assert_eq!(bucket.next_at(flood, at(1000)), at(1200));
        bucket.take(flood, at(1200));
        assert_eq!(bucket.next_at(flood, at(1200)), at(1400));
    }

    #[test]
    fn a_bucket_fills_up_to_its_burst_and_no_further() {
        let flood = Flood::new(3, 1);
        let mut bucket = Bucket::default();
        let now = at(1_000_000);
        for _ in 0..3 {
            assert_eq!(bucket.next_at(flood, now), now);
            bucket.take(flood, now);
        }
        assert_eq!(bucket.next_at(flood, now), at(1_001_000));
    }
}
