//! Whether the generator's loop ran when it was to: it is told when each turn ends, and when the next one begins. Knows
//! no clock.

use hdrhistogram::Histogram;

use crate::latency::histogram;

/// The loop stood still where it ran this much later than it was to.
pub const STILL_US: u64 = 10_000;

/// How the loop ran.
#[derive(Debug, Clone)]
pub struct Pulse {
    /// When the turn under way began.
    woken_us: u64,
    /// How long turns took, in microseconds: whatever came meanwhile was heard that much later.
    turns_us: Histogram<u64>,
    still: Still,
}

/// For how long the loop stood still though it had something to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Still {
    /// All such times together, in microseconds.
    pub sum_us: u64,
    /// The longest, in microseconds.
    pub longest_us: u64,
}

impl Pulse {
    /// No turn yet.
    pub fn new() -> Result<Self, String> {
        Ok(Self { woken_us: 0, turns_us: histogram()?, still: Still::default() })
    }

    /// A turn begins now. For how long it stood still is counted anew.
    pub fn begin(&mut self, now_us: u64) {
        self.woken_us = now_us;
        self.still = Still::default();
    }

    /// The turn ends.
    pub fn rest(&mut self, now_us: u64) {
        let turn_us = now_us.saturating_sub(self.woken_us);
        self.turns_us.saturating_record(turn_us);
        self.still.note(turn_us);
    }

    /// The next turn begins now. It was to begin by `until_us`, or as soon as it could, where that was over when the last
    /// one ended at `rested_us`.
    pub fn wake(&mut self, now_us: u64, rested_us: u64, until_us: u64) {
        self.woken_us = now_us;
        self.still.note(now_us.saturating_sub(until_us.max(rested_us)));
    }

    /// How long turns took, in microseconds.
    pub fn turns_us(&self) -> &Histogram<u64> {
        &self.turns_us
    }

    /// For how long the loop stood still since it was told to begin.
    pub fn still(&self) -> Still {
        self.still
    }
}

impl Still {
    #[inline]
    fn note(&mut self, late_us: u64) {
        if late_us > STILL_US {
            self.sum_us += late_us;
            self.longest_us = self.longest_us.max(late_us);
        }
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self { sum_us: self.sum_us + other.sum_us, longest_us: self.longest_us.max(other.longest_us) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_wakes_in_time_and_works_shortly_never_stood_still() {
        let mut pulse = Pulse::new().unwrap();
        pulse.begin(0);
        for turn in 0..100 {
            let now_us = turn * 100_000;
            pulse.rest(now_us + 500);
            pulse.wake(now_us + 100_000, now_us + 500, now_us + 100_000);
        }
        assert_eq!(pulse.still(), Still::default());
        assert_eq!((pulse.turns_us().len(), pulse.turns_us().max()), (100, 500));
    }

    #[test]
    fn whether_it_slept_too_long_or_stopped_within_a_turn_it_stood_still() {
        let mut pulse = Pulse::new().unwrap();
        pulse.begin(0);
        pulse.rest(100);
        // It was to wake at 100 ms, and was stopped until two seconds later.
        pulse.wake(2_100_000, 100, 100_000);
        assert_eq!(pulse.still(), Still { sum_us: 2_000_000, longest_us: 2_000_000 });
        pulse.rest(2_400_000);
        assert_eq!(pulse.still(), Still { sum_us: 2_300_000, longest_us: 2_000_000 });
        // It was not to sleep at all: what was due is over.
        pulse.wake(2_450_000, 2_400_000, 2_000_000);
        assert_eq!(pulse.still(), Still { sum_us: 2_350_000, longest_us: 2_000_000 });
        pulse.begin(2_500_000);
        assert_eq!(pulse.still(), Still::default());
    }
}
