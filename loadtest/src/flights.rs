//! Lines on their way: how many receivers have each, and the latencies that follow. Knows no socket and no clock: it is
//! told who heard what when.

use std::collections::VecDeque;

use crate::latency::Latency;
use crate::report::Interval;
use crate::stamp::Stamp;
use crate::timeline::Timeline;

/// Lines that are remembered until everybody has them; past it the oldest is forgotten.
pub const FLIGHTS_MAX: usize = 1_000_000;

/// No receiver has this number.
pub const NOBODY: u32 = u32::MAX;
/// No line of the transcript has this number.
const NOWHERE: u64 = u64::MAX;

/// Lines on their way.
#[derive(Debug)]
pub struct Flights {
    /// In the order in which they went out, from number `first` on, through or not; the front one is not, unless
    /// they are kept. All in one piece, since each is looked up once for each receiver.
    lines: VecDeque<Line>,
    first: u64,
    /// By sender: where its lines are.
    senders: Vec<Sender>,
    under_way: usize,
    is_recording: bool,
    /// When it last began to.
    recorded_from_us: u64,
    /// Lines that everybody has are remembered until they are given up: others may hear them yet.
    keeps: bool,
    /// Lines go out when they are due: service is the same as response, and is not counted twice.
    is_closed: bool,
    latency: Latency,
    timeline: Timeline,
    recorded: u64,
    negative: u64,
    beyond_horizon: u64,
}

/// The lines of one sender.
#[derive(Debug, Default)]
struct Sender {
    /// Sequence of the first of them.
    first: u32,
    /// Their numbers among all.
    numbers: VecDeque<u64>,
}

#[derive(Debug)]
struct Line {
    due_us: u64,
    /// Where it stands in the transcript, once it is there.
    place: u64,
    /// How long after it was due it went out.
    sent_after_us: u32,
    /// Receivers that do not have it yet.
    waiting: u32,
    /// The receiver whose hearing it lets the sender go on, until it has.
    watcher: u32,
    sender: u16,
    is_heard: bool,
    is_recorded: bool,
}

impl Flights {
    /// Nothing on its way, nothing recorded. `is_closed`: lines are sent when they are due. `interval_us`: how long
    /// each piece of the timeline is.
    pub fn new(senders: usize, is_closed: bool, interval_us: u64, keeps_log: bool) -> Result<Self, String> {
        Ok(Self {
            lines: VecDeque::new(),
            first: 0,
            senders: (0..senders).map(|_| Sender::default()).collect(),
            under_way: 0,
            is_recording: false,
            recorded_from_us: 0,
            keeps: false,
            is_closed,
            latency: Latency::new()?,
            timeline: Timeline::new(interval_us, keeps_log)?,
            recorded: 0,
            negative: 0,
            beyond_horizon: 0,
        })
    }

    /// The same; lines that everybody has are remembered until they are given up, as others may hear them yet.
    pub fn keeping(self) -> Self {
        Self { keeps: true, ..self }
    }

    /// From now on lines that are launched are recorded, or not: not in the warm-up.
    pub fn record(&mut self, is_recording: bool, now_us: u64) {
        if self.is_recording {
            self.end_interval(now_us);
            self.timeline.trim(now_us);
        }
        self.is_recording = is_recording;
        self.recorded_from_us = now_us;
        self.timeline.begin(now_us);
    }

    /// The sender's next line goes out, to so many receivers. `watcher`: the one whose hearing it lets the sender go
    /// on, or [`NOBODY`].
    pub fn launch(&mut self, sender: u16, due_us: u64, sent_us: u64, receivers: u32, watcher: u32) {
        let number = self.first + self.lines.len() as u64;
        let Some(of_sender) = self.senders.get_mut(usize::from(sender)) else { return };
        of_sender.numbers.push_back(number);
        self.lines.push_back(Line {
            due_us,
            place: NOWHERE,
            sent_after_us: u32::try_from(sent_us.saturating_sub(due_us)).unwrap_or(u32::MAX),
            waiting: receivers,
            watcher,
            sender,
            is_heard: false,
            is_recorded: self.is_recording,
        });
        self.under_way += usize::from(receivers > 0);
        self.timeline.accepted += u64::from(self.is_recording);
        if self.lines.len() > FLIGHTS_MAX {
            self.pop();
        }
    }

    /// The number of a line; none where it is not remembered.
    pub fn number(&self, stamp: &Stamp) -> Option<u64> {
        let of_sender = self.senders.get(usize::from(stamp.sender))?;
        of_sender.numbers.get(stamp.sequence.checked_sub(of_sender.first)? as usize).copied()
    }

    #[inline]
    fn line(&mut self, number: u64) -> Option<&mut Line> {
        self.lines.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// When a line was due; none where it is not remembered.
    pub fn due_us(&self, stamp: &Stamp) -> Option<u64> {
        let index = self.number(stamp)?.checked_sub(self.first)?;
        self.lines.get(usize::try_from(index).ok()?).map(|line| line.due_us)
    }

    /// Where the line of this number stands in the transcript; none where it was never heard.
    pub fn place(&mut self, number: u64) -> Option<u64> {
        self.line(number).map(|line| line.place).filter(|place| *place != NOWHERE)
    }

    /// Notes where a line stands in the transcript.
    pub fn set_place(&mut self, number: u64, place: u64) {
        if let Some(line) = self.line(number) {
            line.place = place;
        }
    }

    /// A receiver heard the line of this number for the first time. `is_awaited`: it is one of those that were counted
    /// at the launch. True: this lets its sender go on.
    #[inline(always)]
    pub fn land(&mut self, number: u64, stamp: &Stamp, receiver: u32, now_us: u64, is_awaited: bool) -> bool {
        let index = number.wrapping_sub(self.first) as usize;
        let Some(line) = self.lines.get_mut(index) else {
            self.land_beyond(stamp, now_us);
            return false;
        };
        if line.due_us > now_us {
            self.negative += 1;
        } else if line.is_recorded {
            let late_us = now_us - line.due_us;
            self.recorded += 1;
            self.timeline.record(late_us);
            if !self.is_closed {
                let service_us = late_us.saturating_sub(u64::from(line.sent_after_us));
                self.latency.service.saturating_record(service_us);
            }
            if !line.is_heard {
                self.latency.first.saturating_record(late_us);
            }
        }
        line.is_heard = true;
        let is_watched = line.watcher == receiver;
        if is_watched {
            line.watcher = NOBODY;
        }
        // Nobody awaits a line that was cancelled.
        if is_awaited && line.waiting > 0 {
            line.waiting -= 1;
            if line.waiting == 0 {
                self.end_flight(index, now_us);
            }
        }
        is_watched
    }

    /// Everybody has the line there.
    #[inline(never)]
    fn end_flight(&mut self, index: usize, now_us: u64) {
        self.under_way -= 1;
        if let Some(line) = self.lines.get(index).filter(|line| line.is_recorded) {
            self.latency.last.saturating_record(now_us.saturating_sub(line.due_us));
        }
        self.pop_through();
    }

    /// Forgets lines that everybody has.
    fn pop_through(&mut self) {
        while !self.keeps && self.lines.front().is_some_and(|line| line.waiting == 0) {
            self.pop();
        }
    }

    /// The line was refused: nobody is to hear it.
    pub fn cancel(&mut self, stamp: &Stamp) {
        let Some(number) = self.number(stamp) else { return };
        if let Some(line) = self.line(number).filter(|line| line.waiting > 0) {
            line.waiting = 0;
            self.under_way -= 1;
        }
        self.pop_through();
    }

    /// A sender was told that its line is kept, so long after it was due.
    pub fn record_ack(&mut self, late_us: u64) {
        self.latency.ack.saturating_record(late_us);
    }

    /// A line that is not remembered came after all: only how late it is can be told.
    #[cold]
    fn land_beyond(&mut self, stamp: &Stamp, now_us: u64) {
        self.beyond_horizon += 1;
        match now_us.checked_sub(stamp.due_us) {
            Some(late_us) if self.is_recording && stamp.due_us >= self.recorded_from_us => {
                self.recorded += 1;
                self.timeline.record(late_us);
            }
            Some(_) => {}
            None => self.negative += 1,
        }
    }

    /// Forgets the oldest line, which is the oldest of its sender as well.
    fn pop(&mut self) -> Option<Line> {
        let line = self.lines.pop_front()?;
        self.first += 1;
        self.under_way -= usize::from(line.waiting > 0);
        if let Some(of_sender) = self.senders.get_mut(usize::from(line.sender)) {
            of_sender.numbers.pop_front();
            of_sender.first += 1;
        }
        Some(line)
    }

    /// Gives up lines that were sent before `sent_before_us`, and those that everybody has and that were sent before
    /// `through_before_us`. Gives the senders that still wait for one of them, each as often.
    pub fn give_up(&mut self, sent_before_us: u64, through_before_us: u64, given_up: &mut Vec<u16>) {
        let is_over = |line: &Line| {
            let sent_us = line.due_us.saturating_add(u64::from(line.sent_after_us));
            sent_us < sent_before_us || (line.waiting == 0 && sent_us < through_before_us)
        };
        while self.lines.front().is_some_and(is_over) {
            let line = self.pop();
            given_up.extend(line.filter(|line| line.watcher != NOBODY).map(|line| line.sender));
        }
    }

    /// By sender: how many of its lines are not remembered any more, since everybody has them or they were given up.
    pub fn forgotten(&self) -> Vec<u32> {
        self.senders.iter().map(|sender| sender.first).collect()
    }

    /// The same of one sender.
    pub fn forgotten_of(&self, sender: u16) -> u32 {
        self.senders.get(usize::from(sender)).map_or(0, |sender| sender.first)
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

    /// Deliveries of lines that were not remembered any more.
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
        self.timeline.intervals().last()
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

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;

    use super::*;

    fn stamp(sequence: u32, due_us: u64) -> Stamp {
        Stamp { sender: 0, sequence, due_us }
    }

    const WATCHER: u32 = 7;

    fn land(flights: &mut Flights, stamp: &Stamp, now_us: u64, is_awaited: bool) {
        let number = flights.number(stamp).unwrap_or(u64::MAX);
        flights.land(number, stamp, 1, now_us, is_awaited);
    }

    fn flights() -> Flights {
        let mut flights = Flights::new(1, false, 1_000_000, false).unwrap();
        flights.record(true, 0);
        flights
    }

    #[test]
    fn latency_counts_from_when_a_line_was_due_to_the_first_each_and_last_receiver() {
        let mut flights = flights();
        flights.launch(0, 1_000, 1_050, 3, WATCHER);
        let line = stamp(0, 1_000);
        land(&mut flights, &line, 1_100, true);
        land(&mut flights, &line, 1_150, false);
        land(&mut flights, &line, 1_200, true);
        land(&mut flights, &line, 1_700, true);
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
            flights.launch(0, due_us, due_us, 1, WATCHER);
            let is_stalled = (500_000..800_000).contains(&due_us);
            let heard_us = if is_stalled { 800_000 } else { due_us + 10 };
            land(&mut flights, &stamp(sequence, due_us), heard_us, true);
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
        flights.launch(0, 0, 0, 1, WATCHER);
        flights.record(true, 100);
        land(&mut flights, &stamp(0, 0), 200, true);
        flights.record(false, 300);
        assert_eq!((flights.latency().each.len(), flights.recorded()), (0, 0));
        assert!(flights.timeline().intervals().iter().all(|interval| interval.delivered == 0));
    }

    #[test]
    fn a_line_that_was_given_up_frees_its_sender_and_still_counts_when_it_comes() {
        let mut flights = flights();
        flights.launch(0, 1_000, 1_000, 1, WATCHER);
        flights.launch(0, 9_000, 9_000, 1, WATCHER);
        let mut given_up = Vec::new();
        flights.give_up(5_000, 5_000, &mut given_up);
        assert_eq!((given_up.as_slice(), flights.under_way()), (&[0][..], 1));
        land(&mut flights, &stamp(0, 1_000), 60_001_000, true);
        flights.record(false, 70_000_000);
        assert_eq!(flights.beyond_horizon(), 1);
        let each = &flights.latency().each;
        assert_eq!(each.max(), each.highest_equivalent(60_000_000));
    }

    #[test]
    fn whoever_has_just_come_back_is_timed_though_all_others_have_the_line() {
        let mut flights = flights().keeping();
        flights.launch(0, 1_000, 1_050, 1, NOBODY);
        let line = stamp(0, 1_000);
        land(&mut flights, &line, 1_100, true);
        land(&mut flights, &line, 1_300, false);
        let mut given_up = Vec::new();
        flights.give_up(0, 1_000, &mut given_up);
        land(&mut flights, &line, 1_400, false);
        assert_eq!((flights.beyond_horizon(), flights.under_way()), (0, 0));
        flights.give_up(0, 2_000, &mut given_up);
        assert_eq!(flights.number(&line), None);
        flights.record(false, 2_000);
        assert_eq!((flights.latency().each.len(), flights.latency().service.len()), (3, 3));
        assert_eq!(flights.latency().last.len(), 1);
    }

    #[test]
    fn a_line_of_the_warm_up_that_comes_behind_its_time_is_not_recorded() {
        let mut flights = Flights::new(1, false, 1_000_000, false).unwrap();
        flights.launch(0, 1_000, 1_000, 1, NOBODY);
        flights.give_up(u64::MAX, u64::MAX, &mut Vec::new());
        flights.record(true, 5_000);
        land(&mut flights, &stamp(0, 1_000), 6_000, true);
        assert_eq!((flights.beyond_horizon(), flights.recorded()), (1, 0));
    }

    #[test]
    fn the_wait_for_what_never_came_is_no_time_of_the_timeline() {
        let mut flights = Flights::new(1, false, 1_000, true).unwrap();
        flights.record(true, 0);
        for sequence in 0..3u32 {
            let due_us = u64::from(sequence) * 1_000;
            flights.launch(0, due_us, due_us, 1, NOBODY);
            if sequence < 2 {
                land(&mut flights, &stamp(sequence, due_us), due_us + 500, true);
            }
            flights.tick(due_us + 900);
            flights.tick(due_us + 1_000);
        }
        for now_us in (4_000..20_000).step_by(1_000) {
            flights.tick(now_us);
        }
        flights.record(false, 3_400);
        let intervals = flights.timeline().intervals();
        assert_eq!(intervals.last().map(|interval| interval.end_s), Some(0.003_4));
        assert_eq!(flights.timeline().logged().count(), intervals.len());
        assert_eq!(intervals.iter().map(|interval| interval.accepted).sum::<u64>(), 3);
        // What is recorded next goes on where this ended.
        flights.record(true, 30_000);
        flights.record(false, 31_000);
        assert_eq!(flights.timeline().intervals().last().map(|interval| interval.end_s), Some(0.004_4));
    }

    #[test]
    fn a_sample_before_its_time_is_counted_apart_and_never_made_zero() {
        let mut flights = flights();
        flights.launch(0, 1_000, 1_000, 1, WATCHER);
        land(&mut flights, &stamp(0, 1_000), 900, true);
        flights.record(false, 2_000);
        assert_eq!((flights.negative(), flights.latency().each.len()), (1, 0));
    }

    #[test]
    fn intervals_add_up_to_the_whole() {
        let mut flights = Flights::new(1, false, 1_000, true).unwrap();
        flights.record(true, 0);
        for sequence in 0..10u32 {
            let due_us = u64::from(sequence) * 400;
            flights.launch(0, due_us, due_us, 1, WATCHER);
            land(&mut flights, &stamp(sequence, due_us), due_us + 7, true);
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
    fn a_sender_goes_on_when_its_watcher_has_the_line_and_not_twice() {
        let mut flights = flights();
        flights.launch(0, 1_000, 1_000, 3, WATCHER);
        let line = stamp(0, 1_000);
        let number = flights.number(&line).unwrap();
        assert!(!flights.land(number, &line, 6, 1_100, true));
        assert!(flights.land(number, &line, WATCHER, 1_100, true));
        assert!(!flights.land(number, &line, WATCHER, 1_100, true));
        let mut given_up = Vec::new();
        flights.give_up(5_000, 5_000, &mut given_up);
        assert!(given_up.is_empty());
    }

    #[test]
    fn lines_behind_one_that_is_lost_end_as_they_are_heard() {
        let mut flights = flights();
        for sequence in 0..10 {
            flights.launch(0, 1_000, 1_000, 1, WATCHER);
            if sequence > 0 {
                land(&mut flights, &stamp(sequence, 1_000), 1_100, true);
            }
        }
        assert_eq!((flights.under_way(), flights.latency().last.len()), (1, 9));
        land(&mut flights, &stamp(0, 1_000), 1_200, true);
        assert_eq!((flights.under_way(), flights.beyond_horizon(), flights.recorded()), (0, 0, 10));
        assert_eq!(flights.number(&stamp(9, 1_000)), None);
    }

    #[test]
    fn no_more_lines_are_remembered_than_there_is_place_for() {
        let mut flights = flights();
        for sequence in 0..FLIGHTS_MAX as u32 + 2 {
            flights.launch(0, u64::from(sequence), u64::from(sequence), 1, NOBODY);
        }
        assert_eq!(flights.under_way(), FLIGHTS_MAX);
        assert_eq!((flights.number(&stamp(1, 1)), flights.number(&stamp(2, 2))), (None, Some(2)));
    }
}
