//! The four checks: what arrived, and what did not. Knows no socket and no clock: it is told who heard what.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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

/// Lines that the server refused: nobody is to hear them. Past so many they count as lost.
const UNSAID_MAX: usize = 1_000_000;

/// By sender: sequences of lines that were never said.
#[derive(Debug, Clone, Default)]
pub struct Unsaid {
    sequences: HashMap<u16, BTreeSet<u32>>,
    count: usize,
}

impl Unsaid {
    fn add(&mut self, sender: u16, sequence: u32) {
        if self.count < UNSAID_MAX && self.sequences.entry(sender).or_default().insert(sequence) {
            self.count += 1;
        }
    }

    /// How many of a sender's lines were said, of so many.
    fn said(&self, sender: u16, lines: Range<u32>) -> u64 {
        let unsaid = self.sequences.get(&sender).filter(|_| !lines.is_empty());
        let unsaid = unsaid.map_or(0, |sequences| sequences.range(lines.clone()).count());
        (lines.len() as u64).saturating_sub(unsaid as u64)
    }
}

/// Checks every line of every receiver that is noted for itself. Of a receiver that hears nothing out of turn, somebody
/// else may know how far it is.
#[derive(Debug, Clone)]
pub struct Arrivals {
    senders: usize,
    /// Receivers that leave and come back.
    churners: Range<usize>,
    /// By receiver, where something was noted of it, and by sender: the sequence that comes next.
    rows: Vec<Option<Box<[u32]>>>,
    /// By receiver and sender, where some are: those that were jumped over.
    missing: HashMap<(u32, u16), Gaps>,
    unsaid: Unsaid,
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

    /// Those that were said.
    fn lines(&self, sender: u16, unsaid: &Unsaid) -> u64 {
        self.0.iter().map(|(start, end)| unsaid.said(sender, *start..*end)).sum()
    }
}

impl Arrivals {
    /// For so many receivers and senders: four bytes for each pair of those receivers that are noted for themselves.
    pub fn new(receivers: usize, senders: usize, churners: Range<usize>) -> Self {
        let rows = vec![None; receivers];
        Self {
            senders,
            churners,
            rows,
            missing: HashMap::new(),
            unsaid: Unsaid::default(),
            counts: Counts::default(),
        }
    }

    /// A receiver heard a line. True: for the first time.
    pub fn note(&mut self, receiver: u32, stamp: &Stamp) -> bool {
        let Self { rows, senders, churners, .. } = self;
        let first = || if churners.contains(&(receiver as usize)) { UNKNOWN } else { 0 };
        let row = rows.get_mut(receiver as usize).map(|row| {
            // Most are there already.
            row.get_or_insert_with(|| vec![first(); *senders].into_boxed_slice())
        });
        let Some(next) = row.and_then(|row| row.get_mut(usize::from(stamp.sender))) else {
            self.counts.corrupt += 1;
            return false;
        };
        if stamp.sequence == *next || *next == UNKNOWN {
            *next = stamp.sequence.saturating_add(1);
            self.counts.delivered += 1;
            return true;
        }
        self.note_out_of_turn(receiver, stamp)
    }

    #[cold]
    fn note_out_of_turn(&mut self, receiver: u32, stamp: &Stamp) -> bool {
        let row = self.rows.get_mut(receiver as usize).and_then(Option::as_mut);
        let Some(next) = row.and_then(|row| row.get_mut(usize::from(stamp.sender))) else { return false };
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

    /// By sender: the sequence that a receiver is to hear next; none where nothing was noted of it.
    pub fn row(&self, receiver: u32) -> Option<&[u32]> {
        self.rows.get(receiver as usize)?.as_deref()
    }

    /// The same, to be so from now on; none where somebody else knows of it from now on.
    pub fn set_row(&mut self, receiver: u32, row: Option<Vec<u32>>) {
        if let Some(place) = self.rows.get_mut(receiver as usize) {
            *place = row.map(Vec::into_boxed_slice);
        }
    }

    /// A receiver heard something that was not what any sender wrote.
    pub fn note_corrupt(&mut self) {
        self.counts.corrupt += 1;
    }

    /// A receiver heard a line that has another name for somebody else.
    pub fn note_doubled(&mut self) {
        self.counts.doubled += 1;
    }

    /// A receiver heard a line that others heard before one that it has heard already.
    pub fn note_out_of_order(&mut self) {
        self.counts.out_of_order += 1;
    }

    /// The server did not say this line: nobody has lost it.
    pub fn note_unsaid(&mut self, stamp: &Stamp) {
        self.unsaid.add(stamp.sender, stamp.sequence);
    }

    /// Lines that were never said.
    pub fn unsaid(&self) -> &Unsaid {
        &self.unsaid
    }

    /// A receiver left. Lines that it had jumped over are lost; what it hears first when it is back, counts.
    pub fn note_left(&mut self, receiver: u32) {
        for sender in 0..self.senders {
            if let Some(gaps) = self.missing.remove(&(receiver, sender as u16)) {
                self.counts.lost += gaps.lines(sender as u16, &self.unsaid);
            }
        }
        self.set_row(receiver, None);
    }

    /// So far. Lines not heard yet are not lost yet.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The four counts, if nothing more came, when so many lines of each sender were sent. `hears(receiver, sender)`
    /// says who was to hear whom.
    pub fn finish(&self, sent: &[u32], hears: impl Fn(u32, u16) -> bool) -> Counts {
        let counts = self.jumped_over(&hears);
        Counts { lost: counts.lost + self.behind(sent, hears), ..counts }
    }

    /// The four counts, where only what was jumped over is lost.
    pub fn jumped_over(&self, hears: impl Fn(u32, u16) -> bool) -> Counts {
        let heard = self.missing.iter().filter(|((receiver, sender), _)| hears(*receiver, *sender));
        let lost = self.counts.lost
            + heard.map(|((_, sender), gaps)| gaps.lines(*sender, &self.unsaid)).sum::<u64>();
        Counts { lost, ..self.counts }
    }

    /// Lines of so many of each sender that come behind the last that was heard, of all receivers together.
    pub fn behind(&self, sent: &[u32], hears: impl Fn(u32, u16) -> bool) -> u64 {
        let rows = (0..).zip(&self.rows);
        // Whoever has not come back yet hears what comes next.
        let there =
            rows.filter(|(receiver, row)| row.is_some() || !self.churners.contains(&(*receiver as usize)));
        there
            .map(|(receiver, row)| {
                let row = row.as_deref().unwrap_or_default();
                behind(row, sent, &self.unsaid, |sender| hears(receiver, sender))
            })
            .sum()
    }
}

/// Lines of so many of each sender that come behind those of one receiver's row. Where that is unknown, there are none.
pub fn behind(row: &[u32], sent: &[u32], unsaid: &Unsaid, hears: impl Fn(u16) -> bool) -> u64 {
    let senders = (0..).zip(sent).filter(|(sender, _)| hears(*sender));
    let next = |sender: u16| row.get(usize::from(sender)).copied().unwrap_or_default();
    senders.map(|(sender, sent)| unsaid.said(sender, next(sender)..*sent)).sum()
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
