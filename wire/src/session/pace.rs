//! When the next line may be sent, so that the relay never has to hold the connection back: a token bucket as large as
//! the HELLO says, less one line for what the network pushes together.

use std::time::Duration;

/// The bucket of one connection, kept as the moment at which it is full again.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// Time that one line costs. Zero: lines cost nothing.
    interval: Duration,
    /// How far ahead of the present the bucket may be spent.
    ahead_max: Duration,
    full_at: Duration,
}

impl Pace {
    /// `burst` lines at once, then `rate` a second; either zero: no limit. Full at `now`.
    pub(super) fn new(burst: u32, rate: u32, now: Duration) -> Self {
        if burst == 0 || rate == 0 {
            return Self::default();
        }
        let interval = Duration::from_secs(1) / rate;
        Self { interval, ahead_max: interval.saturating_mul(burst.saturating_sub(1).max(1)), full_at: now }
    }

    /// When the next line may be sent: `now`, or later.
    pub(super) fn next_at(&self, now: Duration) -> Duration {
        let spent_up_to = self.full_at.max(now).saturating_add(self.interval);
        spent_up_to.saturating_sub(self.ahead_max).max(now)
    }

    /// Takes a line, whether it may be sent or does not wait.
    pub(super) fn take(&mut self, now: Duration) {
        self.full_at = self.full_at.max(now).saturating_add(self.interval);
    }
}
