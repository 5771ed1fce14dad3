//! Ids of lines: milliseconds since 1970 and a counter, always growing, whatever the clock does.

use crate::batch::ID_COUNTER_BITS;
use crate::sabotage::{self, Bug};

/// How far ahead of the clock the ceiling is raised, and how long before it is reached: a raise takes a commit.
const CEILING_AHEAD_MS: u64 = 10_000;
const CEILING_RAISED_MS: u64 = 5_000;

/// Ids that are left below the ceiling when the clock has come near it, for as long as it cannot be raised.
const CEILING_RESERVE: u64 = 1_000 << ID_COUNTER_BITS;

/// The ceiling that is asked for at this time, in milliseconds since 1970.
pub fn ceiling_ahead(unix_ms: u64) -> u64 {
    unix_ms.saturating_add(CEILING_AHEAD_MS).min(u64::MAX >> ID_COUNTER_BITS) << ID_COUNTER_BITS
}

/// Gives ids.
#[derive(Debug, Default)]
pub(super) struct Ids {
    unix_ms: u64,
    last: u64,
    /// No id above it is given while there are any below; it is kept before it is used. None: nothing is kept.
    ceiling: Option<Ceiling>,
}

#[derive(Debug, Clone, Copy)]
struct Ceiling {
    kept: u64,
    /// On its way to be kept.
    asked: u64,
}

impl Ids {
    /// Ids above all that were ever given: nothing is kept.
    pub(super) fn set_clock(&mut self, unix_ms: u64) {
        self.unix_ms = unix_ms;
    }

    /// What the clock says.
    pub(super) fn unix_ms(&self) -> u64 {
        self.unix_ms
    }

    /// From now on ids are above `newest`, and none is above a ceiling that was kept; `ceiling` was.
    pub(super) fn keep(&mut self, newest: u64, ceiling: u64) {
        self.last = self.last.max(newest);
        self.ceiling = Some(Ceiling { kept: ceiling, asked: ceiling });
    }

    /// The newest id given.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn next(&mut self) -> u64 {
        let clock = self.unix_ms << ID_COUNTER_BITS;
        if sabotage::has(Bug::IdsFollowTheClock) {
            self.last = clock;
            return clock;
        }
        self.last = clock.min(self.highest()).max(self.last + 1);
        self.last
    }

    /// How far ids may follow the clock. Where no ceiling could be kept at all, or all below it was given, only the clock
    /// is left to tell ids of this run from those of the next.
    fn highest(&self) -> u64 {
        match self.ceiling {
            Some(ceiling) if ceiling.kept > self.last => ceiling.kept.saturating_sub(CEILING_RESERVE),
            _ => u64::MAX,
        }
    }

    /// A ceiling that is to be kept now.
    pub(super) fn ceiling_to_keep(&mut self) -> Option<u64> {
        let clock = self.unix_ms.max(self.last >> ID_COUNTER_BITS);
        let ceiling = self.ceiling.as_mut()?;
        if ceiling.asked >> ID_COUNTER_BITS > clock + CEILING_RAISED_MS {
            return None;
        }
        ceiling.asked = ceiling_ahead(clock);
        Some(ceiling.asked)
    }

    /// This ceiling was kept.
    pub(super) fn ceiling_was_kept(&mut self, kept: u64) {
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.kept = ceiling.kept.max(kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_also_when_the_clock_goes_back_and_hold_the_time() {
        let mut ids = Ids { unix_ms: 1_000, ..Ids::default() };
        let first = ids.next();
        assert_eq!(first >> ID_COUNTER_BITS, 1_000);
        ids.set_clock(10);
        let second = ids.next();
        ids.set_clock(2_000);
        let third = ids.next();
        assert!(first < second && second < third);
        assert_eq!(third >> ID_COUNTER_BITS, 2_000);
        let many: Vec<u64> = (0..100_000).map(|_| ids.next()).collect();
        assert!(many.is_sorted_by(|one, other| one < other));
    }

    #[test]
    fn no_id_passes_a_ceiling_that_was_not_kept_and_a_kept_one_lets_them_follow_the_clock() {
        let mut ids = Ids::default();
        ids.set_clock(1_000_000);
        ids.keep(5, 1_002_000 << ID_COUNTER_BITS);
        assert_eq!(ids.next(), 1_000_000 << ID_COUNTER_BITS);
        let ceiling = ids.ceiling_to_keep().unwrap();
        assert_eq!(ceiling >> ID_COUNTER_BITS, 1_010_000);
        assert_eq!(ids.ceiling_to_keep(), None);
        ids.set_clock(1_009_000);
        assert_eq!(ids.next() >> ID_COUNTER_BITS, 1_001_000);
        ids.ceiling_was_kept(ceiling);
        assert_eq!(ids.next(), 1_009_000 << ID_COUNTER_BITS);
        ids.set_clock(1_000_000);
        ids.set_clock(1_006_000);
        assert_eq!(ids.ceiling_to_keep().map(|next| next >> ID_COUNTER_BITS), Some(1_019_000));
        // It is never kept: the disk is full.
        ids.set_clock(2_000_000);
        for _ in 0..1000 {
            assert!(ids.next() <= ceiling);
        }
    }

    #[test]
    fn two_runs_in_which_nothing_can_be_kept_give_no_id_twice() {
        let kept = 1_000 << ID_COUNTER_BITS;
        let mut given = Vec::new();
        for start_ms in [2_000, 3_000] {
            let mut ids = Ids::default();
            ids.set_clock(start_ms);
            ids.keep(kept, kept);
            given.extend((0..10).map(|_| ids.next()));
        }
        assert!(given.is_sorted_by(|one, other| one < other), "{given:?}");
    }
}
