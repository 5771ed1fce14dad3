//! How often somebody may try: a few times at once, then with delays that grow.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use crate::cidr::Cidr;
use crate::moment::Moment;

/// Who or what is remembered at once; beyond it whoever has tried least goes.
pub const ATTEMPTS_MAX: usize = 4096;

/// The delay behind the last try that is free; it doubles from there.
const DELAY_FIRST: Duration = Duration::from_secs(1);

/// After so long without a try, all is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(3600);

/// Whose tries are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// Those from there.
    Address(Cidr),
    /// Those of all whom a proxy does not name, together: nobody knows where they are.
    Nowhere,
    /// Those for this name, whether there is such an account or not.
    Name(Box<str>),
    /// Those of the account with this number.
    Account(u64),
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    last: Moment,
    next_at: Moment,
}

/// Tries of one kind.
#[derive(Debug)]
pub(super) struct Attempts {
    free: u32,
    delay_max: Duration,
    tries: HashMap<Subject, Tries>,
}

impl Attempts {
    /// `free` tries at once; then a delay, which grows up to `delay_max`.
    pub(super) fn new(free: u32, delay_max: Duration) -> Self {
        Self { free, delay_max, tries: HashMap::new() }
    }

    /// How long it is until the next try. Zero: now.
    pub(super) fn wait(&self, subject: &Subject, now: Moment) -> Duration {
        self.tries.get(subject).map_or(Duration::ZERO, |tries| tries.next_at.since(now))
    }

    /// Counts a try, before it is known what comes of it.
    pub(super) fn charge(&mut self, subject: Subject, now: Moment) {
        if self.tries.len() >= ATTEMPTS_MAX && !self.tries.contains_key(&subject) {
            self.make_place(now);
        }
        let (free, delay_max) = (self.free, self.delay_max);
        let fresh = Tries { count: 0, last: now, next_at: now };
        let tries = self.tries.entry(subject).or_insert(fresh);
        if is_stale(tries, now) {
            *tries = fresh;
        }
        tries.count = tries.count.saturating_add(1);
        tries.last = now;
        let doublings = tries.count.checked_sub(free);
        let factor = doublings.map_or(0, |doublings| 1u32.checked_shl(doublings).unwrap_or(u32::MAX));
        tries.next_at = now.after(DELAY_FIRST.saturating_mul(factor).min(delay_max));
    }

    /// A try that was counted was a right one.
    pub(super) fn forgive(&mut self, subject: &Subject) {
        if let Some(tries) = self.tries.get_mut(subject) {
            tries.count = tries.count.saturating_sub(1);
            tries.next_at = tries.last;
        }
    }

    /// All tries were its owner's.
    pub(super) fn clear(&mut self, subject: &Subject) {
        self.tries.remove(subject);
    }

    fn make_place(&mut self, now: Moment) {
        self.tries.retain(|_, tries| !is_stale(tries, now));
        if self.tries.len() >= ATTEMPTS_MAX {
            let least = self.tries.iter().min_by_key(|(_, tries)| (tries.count, tries.last));
            if let Some(subject) = least.map(|(subject, _)| subject.clone()) {
                self.tries.remove(&subject);
            }
        }
    }
}

fn is_stale(tries: &Tries, now: Moment) -> bool {
    now.since(tries.last) >= FORGET_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_start(Duration::from_secs(seconds))
    }

    fn name(number: usize) -> Subject {
        Subject::Name(format!("n{number}").into())
    }

    #[test]
    fn a_few_tries_are_free_and_then_the_delay_doubles_up_to_its_end() {
        let mut attempts = Attempts::new(3, Duration::from_secs(60));
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..10 {
            attempts.charge(name(1), at(now));
            let wait = attempts.wait(&name(1), at(now)).as_secs();
            waits.push(wait);
            now += wait;
        }
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(attempts.wait(&name(2), at(now)), Duration::ZERO);
        attempts.charge(name(1), at(now + 3600));
        assert_eq!(attempts.wait(&name(1), at(now + 3600)), Duration::ZERO);
    }

    #[test]
    fn whoever_has_tried_often_is_remembered_however_many_others_try() {
        let mut attempts = Attempts::new(1, Duration::from_secs(900));
        (0..9).for_each(|_| attempts.charge(name(0), at(1)));
        (1..3 * ATTEMPTS_MAX).for_each(|number| attempts.charge(name(number), at(2)));
        assert!(attempts.wait(&name(0), at(2)) >= Duration::from_secs(200));
        assert_eq!(attempts.tries.len(), ATTEMPTS_MAX);
    }

    #[test]
    fn a_right_try_costs_nothing() {
        let mut attempts = Attempts::new(1, Duration::from_secs(900));
        for _ in 0..50 {
            attempts.charge(name(0), at(1));
            attempts.forgive(&name(0));
        }
        assert_eq!(attempts.wait(&name(0), at(1)), Duration::ZERO);
    }
}
