//! The four checks: what arrived, and what did not. Knows no socket and no clock: it is told who heard what.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::stamp::Stamp;

/// Lines that may be missing at once, of one sender to one receiver; a larger jump is not believed.
pub const GAP_LINES_MAX: u32 = 1_000_000;

/// The sequence of whoever has heard nothing since it came back: what comes first, counts.
const UNKNOWN: u32 = u32::MAX;

/// The four checks, and what passed them. Each is a number of lines, summed over all receivers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Heard for the first time.
    pub delivered: u64,
    /// Accepted, and never heard.
    pub lost: u64,
    /// Heard again.
    pub doubled: u64,
    /// Heard after a later line of the same sender.
    pub out_of_order: u64,
    /// Not what was sent.
    pub corrupt: u64,
}

impl Counts {
    /// Whether nothing went wrong.
    pub fn is_clean(&self) -> bool {
        (self.lost, self.doubled, self.out_of_order, self.corrupt) == (0, 0, 0, 0)
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            delivered: self.delivered + other.delivered,
            lost: self.lost + other.lost,
            doubled: self.doubled + other.doubled,
            out_of_order: self.out_of_order + other.out_of_order,
            corrupt: self.corrupt + other.corrupt,
        }
    }
}

/// Checks every line of every receiver.
#[derive(Debug, Clone)]
pub struct Arrivals {
    senders: usize,
    /// Receivers that leave and come back.
    churners: Range<usize>,
    /// By receiver and sender: the sequence that comes next.
    next: Vec<u32>,
    /// By receiver and sender, where some are: those that were jumped over.
    missing: HashMap<(u32, u16), Gaps>,
    counts: Counts,
}

/// Sequences that were jumped over: from each key up to, not including, its value.
#[derive(Debug, Clone, Default)]
struct Gaps(BTreeMap<u32, u32>);

impl Gaps {
    fn add(&mut self, gap: Range<u32>) {
        self.0.insert(gap.start, gap.end);
    }

    /// True: it was missing.
    fn remove(&mut self, sequence: u32) -> bool {
        let Some((&start, &end)) = self.0.range(..=sequence).next_back() else { return false };
        if sequence >= end {
            return false;
        }
        self.0.remove(&start);
        if start < sequence {
            self.0.insert(start, sequence);
        }
        if sequence + 1 < end {
            self.0.insert(sequence + 1, end);
        }
        true
    }

    fn lines(&self) -> u64 {
        self.0.iter().map(|(start, end)| u64::from(end - start)).sum()
    }
}

impl Arrivals {
    /// For so many receivers and senders: four bytes for each pair.
    pub fn new(receivers: usize, senders: usize, churners: Range<usize>) -> Self {
        let mut next = vec![0; receivers * senders];
        for place in next.get_mut(churners.start * senders..churners.end * senders).into_iter().flatten() {
            *place = UNKNOWN;
        }
        Self { senders, churners, next, missing: HashMap::new(), counts: Counts::default() }
    }

    /// A receiver heard a line. True: for the first time.
    pub fn note(&mut self, receiver: u32, stamp: &Stamp) -> bool {
        let sender = usize::from(stamp.sender);
        let place = receiver as usize * self.senders + sender;
        let Some(next) = self.next.get_mut(place).filter(|_| sender < self.senders) else {
            self.counts.corrupt += 1;
            return false;
        };
        if stamp.sequence == *next || *next == UNKNOWN {
            *next = stamp.sequence.saturating_add(1);
            self.counts.delivered += 1;
            return true;
        }
        self.note_out_of_turn(receiver, stamp, place)
    }

    #[cold]
    fn note_out_of_turn(&mut self, receiver: u32, stamp: &Stamp, place: usize) -> bool {
        let Some(next) = self.next.get_mut(place) else { return false };
        let sequence = stamp.sequence;
        if sequence > *next {
            if sequence - *next > GAP_LINES_MAX {
                self.counts.corrupt += 1;
                return false;
            }
            self.missing.entry((receiver, stamp.sender)).or_default().add(*next..sequence);
            *next = sequence.saturating_add(1);
        } else {
            let missing = self.missing.get_mut(&(receiver, stamp.sender));
            if !missing.is_some_and(|missing| missing.remove(sequence)) {
                self.counts.doubled += 1;
                return false;
            }
            self.counts.out_of_order += 1;
        }
        self.counts.delivered += 1;
        true
    }

    /// A receiver whose row is not kept heard so many lines, each behind its sender's last.
    pub fn note_in_turn(&mut self, lines: u64) {
        self.counts.delivered += lines;
    }

    /// By sender: the sequence that a receiver is to hear next.
    pub fn row(&self, receiver: u32) -> &[u32] {
        let begin = receiver as usize * self.senders;
        self.next.get(begin..begin + self.senders).unwrap_or_default()
    }

    /// The same, to be so from now on.
    pub fn set_row(&mut self, receiver: u32, row: &[u32]) {
        let begin = receiver as usize * self.senders;
        let places = self.next.get_mut(begin..begin + self.senders).unwrap_or_default();
        places.iter_mut().zip(row).for_each(|(place, next)| *place = *next);
    }

    /// A receiver heard something that was not what any sender wrote.
    pub fn note_corrupt(&mut self) {
        self.counts.corrupt += 1;
    }

    /// A receiver left. Lines that it had jumped over are lost; what it hears first when it is back, counts.
    pub fn note_left(&mut self, receiver: u32) {
        for sender in 0..self.senders {
            if let Some(gaps) = self.missing.remove(&(receiver, sender as u16)) {
                self.counts.lost += gaps.lines();
            }
            if let Some(next) = self.next.get_mut(receiver as usize * self.senders + sender) {
                *next = UNKNOWN;
            }
        }
    }

    /// So far. Lines not heard yet are not lost yet.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The four counts where lines still come: lost is what was jumped over, and what those left behind that went away.
    pub fn counts_under_way(&self) -> Counts {
        let gaps = self.missing.values().map(Gaps::lines).sum::<u64>();
        Counts { lost: self.counts.lost + gaps, ..self.counts }
    }

    /// Lines below these sequences, by sender, that receivers have still to hear: gaps left out.
    pub fn behind(&self, sequences: &[u32], hears: impl Fn(u32, u16) -> bool) -> u64 {
        let mut behind = 0;
        for (place, next) in self.next.iter().enumerate() {
            let receiver = u32::try_from(place / self.senders.max(1)).unwrap_or(u32::MAX);
            let sender = u16::try_from(place % self.senders.max(1)).unwrap_or(u16::MAX);
            let is_away = *next == UNKNOWN && self.churners.contains(&(receiver as usize));
            if !is_away && hears(receiver, sender) {
                let end = sequences.get(usize::from(sender)).copied().unwrap_or_default();
                behind += u64::from(end.saturating_sub(*next));
            }
        }
        behind
    }

    /// The four counts, if nothing more came, when so many lines of each sender were sent. `hears(receiver, sender)`
    /// says who was to hear whom.
    pub fn finish(&self, sent: &[u32], hears: impl Fn(u32, u16) -> bool) -> Counts {
        let mut lost = self.counts.lost + self.behind(sent, &hears);
        let heard = |&(receiver, sender): &(u32, u16)| hears(receiver, sender);
        lost +=
            self.missing.iter().filter(|(pair, _)| heard(pair)).map(|(_, gaps)| gaps.lines()).sum::<u64>();
        Counts { lost, ..self.counts }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stamp(sender: u16, sequence: u32) -> Stamp {
        Stamp { sender, sequence, due_us: 0 }
    }

    fn heard(sequences: &[u32], sent: u32) -> Counts {
        let mut arrivals = Arrivals::new(1, 1, 0..0);
        for &sequence in sequences {
            arrivals.note(0, &stamp(0, sequence));
        }
        arrivals.finish(&[sent], |_, _| true)
    }

    #[test]
    fn the_four_counts_say_exactly_what_happened() {
        let counts = |delivered, lost, doubled, out_of_order| Counts {
            delivered,
            lost,
            doubled,
            out_of_order,
            corrupt: 0,
        };
        assert_eq!(heard(&[0, 1, 2, 3], 4), counts(4, 0, 0, 0));
        assert_eq!(heard(&[0, 2, 3], 4), counts(3, 1, 0, 0));
        assert_eq!(heard(&[0, 1, 2], 4), counts(3, 1, 0, 0));
        assert_eq!(heard(&[0, 1, 1, 2, 3], 4), counts(4, 0, 1, 0));
        assert_eq!(heard(&[0, 2, 1, 3], 4), counts(4, 0, 0, 1));
        assert_eq!(heard(&[0, 2, 1, 1, 3], 4), counts(4, 0, 1, 1));
        assert_eq!(heard(&[], 4), counts(0, 4, 0, 0));
    }

    #[test]
    fn a_stamp_of_nobody_is_corrupt() {
        let mut arrivals = Arrivals::new(2, 1, 0..0);
        assert!(!arrivals.note(1, &stamp(1, 0)));
        assert!(!arrivals.note(0, &stamp(0, GAP_LINES_MAX + 1)));
        assert_eq!(arrivals.counts(), Counts { corrupt: 2, ..Counts::default() });
    }

    #[test]
    fn whoever_was_not_to_hear_a_line_has_not_lost_it() {
        let arrivals = Arrivals::new(2, 2, 0..0);
        let counts = arrivals.finish(&[10, 10], |receiver, sender| receiver != u32::from(sender));
        assert_eq!(counts.lost, 20);
    }

    #[test]
    fn whoever_comes_back_has_lost_only_what_it_jumped_over_while_it_was_there() {
        let mut arrivals = Arrivals::new(2, 1, 1..2);
        for sequence in [5, 6, 8] {
            assert!(arrivals.note(1, &stamp(0, sequence)));
        }
        arrivals.note_left(1);
        assert!(arrivals.note(1, &stamp(0, 40)));
        let counts = arrivals.finish(&[50], |receiver, _| receiver == 1);
        assert_eq!(counts, Counts { delivered: 4, lost: 1 + 9, ..Counts::default() });
        arrivals.note_left(1);
        assert_eq!(arrivals.finish(&[50], |receiver, _| receiver == 1).lost, 1);
    }

    proptest! {
        #[test]
        fn in_whatever_order_lines_come_each_is_counted_once(
            order in Just((0..40u32).collect::<Vec<_>>()).prop_shuffle(), kept in 0usize..=40,
        ) {
            let heard = heard(order.get(..kept).unwrap_or_default(), 40);
            prop_assert_eq!((heard.delivered, heard.lost, heard.doubled), (kept as u64, 40 - kept as u64, 0));
        }
    }
}
