//! How late lines were. Knows no socket and no clock: it is told who heard what when.

use std::collections::VecDeque;

use hdrhistogram::Histogram;

use crate::report::{Bucket, Interval};
use crate::stamp::Stamp;

/// Latencies above this are recorded as this: an hour.
const LATENCY_US_MAX: u64 = 3_600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// Lines on their way of which more is known than when they were due.
pub const FLIGHTS_MAX: usize = 1_000_000;

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
}

impl Latency {
    /// Nothing yet.
    pub fn new() -> Result<Self, String> {
        Ok(Self { first: histogram()?, each: histogram()?, last: histogram()?, service: histogram()? })
    }

    /// Adds what another run recorded: samples are merged, percentiles never averaged.
    pub fn merge(&mut self, other: &Self) -> Result<(), String> {
        let pairs = [
            (&mut self.first, &other.first),
            (&mut self.each, &other.each),
            (&mut self.last, &other.last),
            (&mut self.service, &other.service),
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

/// Lines on their way: how many receivers have each, and the latencies that follow.
#[derive(Debug)]
pub struct Flights {
    /// By sender: its lines that not everybody has, from sequence `base` on.
    senders: Vec<Flight>,
    /// All together.
    under_way: usize,
    is_recording: bool,
    /// Lines go out when they are due: service is the same as response, and is not counted twice.
    is_closed: bool,
    latency: Latency,
    timeline: Timeline,
    /// Deliveries of lines that were recorded.
    recorded: u64,
    negative: u64,
    beyond_horizon: u64,
}

#[derive(Debug, Default)]
struct Flight {
    base: u32,
    lines: VecDeque<Line>,
}

#[derive(Debug)]
struct Line {
    due_us: u64,
    sent_us: u64,
    /// Receivers that do not have it yet.
    waiting: u32,
    is_heard: bool,
    is_recorded: bool,
    /// The sender may go on: its watcher has it.
    is_watched: bool,
    /// Its number in the transcript, once it is there.
    place: Option<u64>,
}

impl Flights {
    /// Nothing on its way, nothing recorded. `is_closed`: lines are sent when they are due. `interval_us`: how long each piece of the timeline is.
    pub fn new(senders: usize, is_closed: bool, interval_us: u64, keeps_log: bool) -> Result<Self, String> {
        Ok(Self {
            senders: (0..senders).map(|_| Flight::default()).collect(),
            under_way: 0,
            is_recording: false,
            is_closed,
            latency: Latency::new()?,
            timeline: Timeline::new(interval_us, keeps_log)?,
            recorded: 0,
            negative: 0,
            beyond_horizon: 0,
        })
    }

    /// From now on lines that are launched are recorded, or not: not in the warm-up.
    pub fn record(&mut self, is_recording: bool, now_us: u64) {
        if self.is_recording {
            self.end_interval(now_us);
        }
        self.is_recording = is_recording;
        self.timeline.begin(now_us);
    }

    /// The sender's next line goes out, to so many receivers.
    pub fn launch(&mut self, sender: u16, due_us: u64, sent_us: u64, receivers: u32) {
        let Some(flight) = self.senders.get_mut(usize::from(sender)) else { return };
        let is_recorded = self.is_recording;
        let line = Line {
            due_us,
            sent_us,
            waiting: receivers,
            is_heard: false,
            is_recorded,
            is_watched: false,
            place: None,
        };
        flight.lines.push_back(line);
        self.under_way += 1;
        self.timeline.accepted += u64::from(is_recorded);
        if self.under_way > FLIGHTS_MAX {
            self.forget_oldest(sender);
        }
    }

    /// A receiver heard the line for the first time. `is_awaited`: it is one of those that were counted at the launch.
    #[inline(always)]
    pub fn land(&mut self, stamp: &Stamp, now_us: u64, is_awaited: bool) {
        let Some(flight) = self.senders.get_mut(usize::from(stamp.sender)) else { return };
        let line = stamp.sequence.checked_sub(flight.base);
        let Some(line) = line.and_then(|index| flight.lines.get_mut(index as usize)) else {
            return self.land_beyond(stamp, now_us);
        };
        if line.due_us > now_us {
            self.negative += 1;
        } else if line.is_recorded {
            let late_us = now_us - line.due_us;
            self.recorded += 1;
            self.timeline.record(late_us);
            if !self.is_closed {
                self.latency.service.saturating_record(now_us.saturating_sub(line.sent_us));
            }
            if !line.is_heard {
                self.latency.first.saturating_record(late_us);
            }
        }
        line.is_heard = true;
        if !is_awaited {
            return;
        }
        line.waiting = line.waiting.saturating_sub(1);
        if line.waiting > 0 {
            return;
        }
        if line.is_recorded {
            self.latency.last.saturating_record(now_us.saturating_sub(line.due_us));
        }
        while flight.lines.front().is_some_and(|line| line.waiting == 0) {
            flight.lines.pop_front();
            flight.base += 1;
            self.under_way -= 1;
        }
    }

    /// A line that was given up came after all: only how late it is can be told.
    #[cold]
    fn land_beyond(&mut self, stamp: &Stamp, now_us: u64) {
        self.beyond_horizon += 1;
        match now_us.checked_sub(stamp.due_us) {
            Some(late_us) if self.is_recording => {
                self.recorded += 1;
                self.timeline.record(late_us);
            }
            Some(_) => {}
            None => self.negative += 1,
        }
    }

    /// Where a line stands in the transcript; none where it was never heard, or everybody has it.
    pub fn place(&self, stamp: &Stamp) -> Option<u64> {
        let flight = self.senders.get(usize::from(stamp.sender))?;
        flight.lines.get(stamp.sequence.checked_sub(flight.base)? as usize)?.place
    }

    /// Notes where a line stands in the transcript.
    pub fn set_place(&mut self, stamp: &Stamp, place: u64) {
        let Some(flight) = self.senders.get_mut(usize::from(stamp.sender)) else { return };
        let index = stamp.sequence.checked_sub(flight.base);
        if let Some(line) = index.and_then(|index| flight.lines.get_mut(index as usize)) {
            line.place = Some(place);
        }
    }

    /// The sender's watcher has the line. False: it was given up before, or is not known.
    pub fn note_watched(&mut self, stamp: &Stamp) -> bool {
        let Some(flight) = self.senders.get_mut(usize::from(stamp.sender)) else { return false };
        let index = stamp.sequence.checked_sub(flight.base);
        let line = index.and_then(|index| flight.lines.get_mut(index as usize));
        line.is_some_and(|line| !std::mem::replace(&mut line.is_watched, true))
    }

    /// When a line on its way was due; none where it is not on its way.
    pub fn due_us(&self, stamp: &Stamp) -> Option<u64> {
        let flight = self.senders.get(usize::from(stamp.sender))?;
        Some(flight.lines.get(stamp.sequence.checked_sub(flight.base)? as usize)?.due_us)
    }

    /// Gives up lines that were sent before this. Gives the senders that still wait for one of them, each as often.
    pub fn give_up(&mut self, sent_before_us: u64, given_up: &mut Vec<u16>) {
        for (sender, flight) in self.senders.iter_mut().enumerate() {
            while flight.lines.front().is_some_and(|line| line.sent_us < sent_before_us || line.waiting == 0)
            {
                if flight.lines.pop_front().is_some_and(|line| line.waiting > 0 && !line.is_watched) {
                    given_up.push(sender as u16);
                }
                flight.base += 1;
                self.under_way -= 1;
            }
        }
    }

    fn forget_oldest(&mut self, sender: u16) {
        if let Some(flight) = self.senders.get_mut(usize::from(sender)) {
            flight.lines.pop_front();
            flight.base += 1;
            self.under_way -= 1;
        }
    }

    /// Lines that not everybody has.
    pub fn under_way(&self) -> usize {
        self.under_way
    }

    /// Deliveries of lines that are recorded.
    pub fn recorded(&self) -> u64 {
        self.recorded
    }

    /// Samples that came before they could: in no histogram.
    pub fn negative(&self) -> u64 {
        self.negative
    }

    /// Deliveries of lines that had been given up.
    pub fn beyond_horizon(&self) -> u64 {
        self.beyond_horizon
    }

    /// Ends a piece of the timeline where it is time to.
    pub fn tick(&mut self, now_us: u64) -> Option<&Interval> {
        let is_due = self.is_recording && self.timeline.is_due(now_us);
        if !is_due {
            return None;
        }
        self.end_interval(now_us);
        self.timeline.intervals.last()
    }

    fn end_interval(&mut self, now_us: u64) {
        self.timeline.end_interval(now_us, &mut self.latency.each);
        if self.is_closed {
            self.latency.service.clone_from(&self.latency.each);
        }
    }

    /// The latencies recorded, up to the last call of [`Self::record`] or [`Self::tick`] that ended an interval.
    pub fn latency(&self) -> &Latency {
        &self.latency
    }

    /// What was recorded by time.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }
}

/// What was recorded, interval by interval.
#[derive(Debug)]
pub struct Timeline {
    interval_us: u64,
    begun_us: u64,
    /// Time recorded before the interval under way, in microseconds.
    before_us: u64,
    accepted: u64,
    current: Histogram<u64>,
    /// A latency that is not in `current` yet, and how often it came.
    repeated_us: u64,
    repeated: u64,
    intervals: Vec<Interval>,
    /// Each interval's histogram, where they are to be kept.
    log: Option<Vec<Histogram<u64>>>,
}

impl Timeline {
    fn new(interval_us: u64, keeps_log: bool) -> Result<Self, String> {
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
    fn record(&mut self, late_us: u64) {
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

    fn begin(&mut self, now_us: u64) {
        self.begun_us = now_us;
    }

    fn is_due(&self, now_us: u64) -> bool {
        now_us.saturating_sub(self.begun_us) >= self.interval_us
    }

    fn end_interval(&mut self, now_us: u64, total: &mut Histogram<u64>) {
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

    /// What was recorded by time.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// Each interval with its histogram; none where they were not to be kept.
    pub fn logged(&self) -> impl Iterator<Item = (&Interval, &Histogram<u64>)> {
        self.intervals.iter().zip(self.log.iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(sequence: u32, due_us: u64) -> Stamp {
        Stamp { sender: 0, sequence, due_us }
    }

    fn flights() -> Flights {
        let mut flights = Flights::new(1, false, 1_000_000, false).unwrap();
        flights.record(true, 0);
        flights
    }

    #[test]
    fn latency_counts_from_when_a_line_was_due_to_the_first_each_and_last_receiver() {
        let mut flights = flights();
        flights.launch(0, 1_000, 1_050, 3);
        let line = stamp(0, 1_000);
        flights.land(&line, 1_100, true);
        flights.land(&line, 1_150, false);
        flights.land(&line, 1_200, true);
        flights.land(&line, 1_700, true);
        flights.record(false, 2_000);
        let latency = flights.latency();
        let all = |histogram: &Histogram<u64>| (histogram.len(), histogram.min(), histogram.max());
        assert_eq!(all(&latency.first), (1, 100, 100));
        assert_eq!(all(&latency.each), (4, 100, 700));
        assert_eq!(all(&latency.last), (1, 700, 700));
        assert_eq!(all(&latency.service), (4, 50, 650));
        assert_eq!((flights.under_way(), flights.recorded()), (0, 4));
    }

    #[test]
    fn a_stall_shows_in_all_lines_that_were_due_meanwhile() {
        // 1,000 lines a second, each heard at once, but for a stall of 300 ms.
        let mut flights = flights();
        for sequence in 0..1_000u32 {
            let due_us = u64::from(sequence) * 1_000;
            flights.launch(0, due_us, due_us, 1);
            let is_stalled = (500_000..800_000).contains(&due_us);
            let heard_us = if is_stalled { 800_000 } else { due_us + 10 };
            flights.land(&stamp(sequence, due_us), heard_us, true);
        }
        flights.record(false, 1_000_000);
        let each = &flights.latency().each;
        assert_eq!(each.value_at_quantile(0.5), 10);
        assert!(each.value_at_quantile(0.99) >= 289_000);
        assert_eq!(each.max(), each.highest_equivalent(300_000));
    }

    #[test]
    fn lines_of_the_warm_up_are_not_recorded() {
        let mut flights = Flights::new(1, false, 1_000_000, false).unwrap();
        flights.launch(0, 0, 0, 1);
        flights.record(true, 100);
        flights.land(&stamp(0, 0), 200, true);
        flights.record(false, 300);
        assert_eq!((flights.latency().each.len(), flights.recorded()), (0, 0));
        assert!(flights.timeline().intervals().iter().all(|interval| interval.delivered == 0));
    }

    #[test]
    fn a_line_that_was_given_up_frees_its_sender_and_still_counts_when_it_comes() {
        let mut flights = flights();
        flights.launch(0, 1_000, 1_000, 1);
        flights.launch(0, 9_000, 9_000, 1);
        let mut given_up = Vec::new();
        flights.give_up(5_000, &mut given_up);
        assert_eq!((given_up.as_slice(), flights.under_way()), (&[0][..], 1));
        flights.land(&stamp(0, 1_000), 60_001_000, true);
        flights.record(false, 70_000_000);
        assert_eq!(flights.beyond_horizon(), 1);
        let each = &flights.latency().each;
        assert_eq!(each.max(), each.highest_equivalent(60_000_000));
    }

    #[test]
    fn a_sample_before_its_time_is_counted_apart_and_never_made_zero() {
        let mut flights = flights();
        flights.launch(0, 1_000, 1_000, 1);
        flights.land(&stamp(0, 1_000), 900, true);
        flights.record(false, 2_000);
        assert_eq!((flights.negative(), flights.latency().each.len()), (1, 0));
    }

    #[test]
    fn intervals_add_up_to_the_whole() {
        let mut flights = Flights::new(1, false, 1_000, true).unwrap();
        flights.record(true, 0);
        for sequence in 0..10u32 {
            let due_us = u64::from(sequence) * 400;
            flights.launch(0, due_us, due_us, 1);
            flights.land(&stamp(sequence, due_us), due_us + 7, true);
            flights.tick(due_us + 7);
        }
        flights.record(false, 4_000);
        let intervals = flights.timeline().intervals();
        assert_eq!(intervals.iter().map(|interval| interval.delivered).sum::<u64>(), 10);
        assert_eq!(intervals.iter().map(|interval| interval.accepted).sum::<u64>(), 10);
        assert_eq!(intervals.last().unwrap().end_s, 0.004);
        assert_eq!(flights.latency().each.len(), 10);
        assert_eq!(flights.timeline().logged().count(), intervals.len());
    }

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
