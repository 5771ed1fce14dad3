//! What arrived, and how late. Knows no socket and no clock: it is told who heard what when.

use std::collections::{BTreeSet, HashMap, VecDeque};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::stamp::Stamp;

/// Lines that may be missing at once, of one sender to one receiver; a larger jump is not believed.
pub const GAP_LINES_MAX: u32 = 1_000_000;

/// Latencies above this are recorded as this: an hour.
const LATENCY_US_MAX: u64 = 3_600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// The four checks, and what passed them. Each is a number of lines, summed over all receivers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Heard for the first time.
    pub delivered: u64,
    /// Sent, and never heard.
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
}

/// Checks every line of every receiver.
#[derive(Debug)]
pub struct Arrivals {
    senders: usize,
    /// By receiver and sender: the sequence that comes next.
    next: Vec<u32>,
    /// By receiver and sender, where some are: those that were jumped over.
    missing: HashMap<(u32, u16), BTreeSet<u32>>,
    counts: Counts,
}

impl Arrivals {
    /// For so many receivers and senders: four bytes for each pair.
    pub fn new(receivers: usize, senders: usize) -> Self {
        let next = vec![0; receivers * senders];
        Self { senders, next, missing: HashMap::new(), counts: Counts::default() }
    }

    /// A receiver heard a line. True: for the first time.
    pub fn note(&mut self, receiver: u32, stamp: &Stamp) -> bool {
        let sender = usize::from(stamp.sender);
        let place = receiver as usize * self.senders + sender;
        let Some(next) = self.next.get_mut(place).filter(|_| sender < self.senders) else {
            self.counts.corrupt += 1;
            return false;
        };
        let sequence = stamp.sequence;
        if sequence >= *next {
            if sequence > *next {
                if sequence - *next > GAP_LINES_MAX {
                    self.counts.corrupt += 1;
                    return false;
                }
                self.missing.entry((receiver, stamp.sender)).or_default().extend(*next..sequence);
            }
            *next = sequence.saturating_add(1);
        } else {
            let missing = self.missing.get_mut(&(receiver, stamp.sender));
            if !missing.is_some_and(|missing| missing.remove(&sequence)) {
                self.counts.doubled += 1;
                return false;
            }
            self.counts.out_of_order += 1;
        }
        self.counts.delivered += 1;
        true
    }

    /// A receiver heard something that was not what any sender wrote.
    pub fn note_corrupt(&mut self) {
        self.counts.corrupt += 1;
    }

    /// So far. Lines not heard yet are not lost yet.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The four counts at the end, when so many lines of each sender were sent. `hears(receiver, sender)` says
    /// who was to hear whom.
    pub fn finish(&self, sent: &[u32], hears: impl Fn(u32, u16) -> bool) -> Counts {
        let mut lost = 0;
        for (place, next) in self.next.iter().enumerate() {
            let receiver = u32::try_from(place / self.senders.max(1)).unwrap_or(u32::MAX);
            let sender = u16::try_from(place % self.senders.max(1)).unwrap_or(u16::MAX);
            if hears(receiver, sender) {
                let sent = sent.get(usize::from(sender)).copied().unwrap_or_default();
                let missing = self.missing.get(&(receiver, sender)).map_or(0, BTreeSet::len);
                lost += u64::from(sent.saturating_sub(*next)) + missing as u64;
            }
        }
        Counts { lost, ..self.counts }
    }
}

/// Latencies, in microseconds from when a line was due.
#[derive(Debug)]
pub struct Latency {
    /// Until the first receiver had it.
    pub first: Histogram<u64>,
    /// Until each receiver had it.
    pub each: Histogram<u64>,
    /// Until the last receiver had it.
    pub last: Histogram<u64>,
}

impl Latency {
    /// Nothing yet.
    pub fn new() -> Result<Self, String> {
        Ok(Self { first: histogram()?, each: histogram()?, last: histogram()? })
    }
}

/// An empty histogram of microseconds, from 1 to an hour.
pub fn histogram() -> Result<Histogram<u64>, String> {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, SIGNIFICANT_DIGITS)
        .map_err(|error| format!("a histogram: {error}"))
}

/// Lines on their way: how many receivers have each, and the latencies that follow.
#[derive(Debug)]
pub struct Flights {
    /// By sender: its lines that not everybody has, from sequence `base` on.
    senders: Vec<Flight>,
    /// Lines due before this are not recorded.
    from_us: u64,
    latency: Latency,
}

#[derive(Debug, Default)]
struct Flight {
    base: u32,
    lines: VecDeque<Line>,
}

#[derive(Debug)]
struct Line {
    due_us: u64,
    /// Receivers that do not have it yet.
    waiting: u32,
    is_heard: bool,
}

impl Flights {
    /// Records lines that are due at `from_us` or later.
    pub fn new(senders: usize, from_us: u64) -> Result<Self, String> {
        let senders = (0..senders).map(|_| Flight::default()).collect();
        Ok(Self { senders, from_us, latency: Latency::new()? })
    }

    /// The sender's next line goes out, to so many receivers.
    pub fn launch(&mut self, sender: u16, due_us: u64, receivers: u32) {
        if let Some(flight) = self.senders.get_mut(usize::from(sender)) {
            flight.lines.push_back(Line { due_us, waiting: receivers, is_heard: false });
        }
    }

    /// A receiver heard the line for the first time. True: it was the last one to.
    pub fn land(&mut self, stamp: &Stamp, now_us: u64) -> bool {
        let Some(flight) = self.senders.get_mut(usize::from(stamp.sender)) else { return false };
        let Some(index) = stamp.sequence.checked_sub(flight.base) else { return false };
        let Some(line) = flight.lines.get_mut(index as usize) else { return false };
        let late_us = now_us.saturating_sub(line.due_us);
        let is_recorded = line.due_us >= self.from_us;
        if is_recorded {
            self.latency.each.saturating_record(late_us);
            if !line.is_heard {
                self.latency.first.saturating_record(late_us);
            }
        }
        line.is_heard = true;
        line.waiting = line.waiting.saturating_sub(1);
        if line.waiting > 0 {
            return false;
        }
        if is_recorded {
            self.latency.last.saturating_record(late_us);
        }
        while flight.lines.front().is_some_and(|line| line.waiting == 0) {
            flight.lines.pop_front();
            flight.base += 1;
        }
        true
    }

    /// Lines that not everybody has.
    pub fn under_way(&self) -> usize {
        self.senders.iter().map(|flight| flight.lines.len()).sum()
    }

    /// The latencies recorded.
    pub fn latency(&self) -> &Latency {
        &self.latency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(sender: u16, sequence: u32) -> Stamp {
        Stamp { sender, sequence, due_us: 0 }
    }

    fn heard(sequences: &[u32], sent: u32) -> Counts {
        let mut arrivals = Arrivals::new(1, 1);
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
        let mut arrivals = Arrivals::new(2, 1);
        assert!(!arrivals.note(1, &stamp(1, 0)));
        assert!(!arrivals.note(0, &stamp(0, GAP_LINES_MAX + 1)));
        assert_eq!(arrivals.counts(), Counts { corrupt: 2, ..Counts::default() });
    }

    #[test]
    fn whoever_was_not_to_hear_a_line_has_not_lost_it() {
        let arrivals = Arrivals::new(2, 2);
        let counts = arrivals.finish(&[10, 10], |receiver, sender| receiver != u32::from(sender));
        assert_eq!(counts.lost, 20);
    }

    #[test]
    fn latency_counts_from_when_a_line_was_due_to_the_first_each_and_last_receiver() {
        let mut flights = Flights::new(1, 0).unwrap();
        flights.launch(0, 1_000, 3);
        let line = Stamp { sender: 0, sequence: 0, due_us: 1_000 };
        assert!(!flights.land(&line, 1_100));
        assert!(!flights.land(&line, 1_200));
        assert!(flights.land(&line, 1_700));
        let latency = flights.latency();
        let all = |histogram: &Histogram<u64>| (histogram.len(), histogram.min(), histogram.max());
        assert_eq!(all(&latency.first), (1, 100, 100));
        assert_eq!(all(&latency.each), (3, 100, 700));
        assert_eq!(all(&latency.last), (1, 700, 700));
        assert_eq!(flights.under_way(), 0);
    }

    #[test]
    fn a_stall_shows_in_all_lines_that_were_due_meanwhile() {
        // 1,000 lines a second, each heard at once, but for a stall of 300 ms.
        let mut flights = Flights::new(1, 0).unwrap();
        for sequence in 0..1_000u32 {
            let due_us = u64::from(sequence) * 1_000;
            flights.launch(0, due_us, 1);
            let is_stalled = (500_000..800_000).contains(&due_us);
            let heard_us = if is_stalled { 800_000 } else { due_us + 10 };
            flights.land(&Stamp { sender: 0, sequence, due_us }, heard_us);
        }
        let each = &flights.latency().each;
        assert_eq!(each.value_at_quantile(0.5), 10);
        assert!(each.value_at_quantile(0.99) >= 289_000);
        assert_eq!(each.max(), each.highest_equivalent(300_000));
    }
}
