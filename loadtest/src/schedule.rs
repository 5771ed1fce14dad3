//! When each line is due. Knows no clock: it is told the time.

/// What sets the pace of the senders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Open loop: so many lines a second of all senders together, whatever the server does. A line that is sent
    /// late was due on time all the same.
    Rate(f64),
    /// Closed loop: each sender has so many lines under way, and sends the next when a listener of its own
    /// has heard one.
    Window(u32),
}

/// A line that is to go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Number of the sender.
    pub sender: u16,
    /// Which of the sender's lines.
    pub sequence: u32,
    /// When it was to go out, in microseconds since the run began.
    pub due_us: u64,
}

/// Open loop: the lines of all senders in turn, evenly spread over time.
#[derive(Debug)]
pub struct Schedule {
    senders: u64,
    rate_per_s: f64,
    next: u64,
    end_us: u64,
}

impl Schedule {
    /// `senders` take turns from 0 up to `end_us`.
    pub fn new(senders: u16, rate_per_s: f64, end_us: u64) -> Self {
        Self { senders: u64::from(senders.max(1)), rate_per_s, next: 0, end_us }
    }

    /// When the next line is due, in microseconds; none behind the end.
    pub fn next_due_us(&self) -> Option<u64> {
        let due_us = (self.next as f64 * 1e6 / self.rate_per_s) as u64;
        (due_us < self.end_us).then_some(due_us)
    }

    /// The next line that is due by `now_us`.
    pub fn take(&mut self, now_us: u64) -> Option<Due> {
        let due_us = self.next_due_us().filter(|due_us| *due_us <= now_us)?;
        let sender = u16::try_from(self.next % self.senders).unwrap_or(u16::MAX);
        let sequence = u32::try_from(self.next / self.senders).unwrap_or(u32::MAX);
        self.next += 1;
        Some(Due { sender, sequence, due_us })
    }
}

/// Clients that leave and come back, evenly spread over time.
#[derive(Debug)]
pub struct Churn {
    per_s: f64,
    left: u64,
}

impl Churn {
    /// From 0 on, so many a second; 0: none.
    pub fn new(per_s: f64) -> Self {
        Self { per_s, left: 0 }
    }

    /// When the next one is to leave, in microseconds; none where all stay.
    pub fn next_due_us(&self) -> Option<u64> {
        (self.per_s > 0.0).then(|| (self.left as f64 * 1e6 / self.per_s) as u64)
    }

    /// Another one leaves, if it is time. False: it is not.
    pub fn take(&mut self, now_us: u64) -> bool {
        let is_due = self.next_due_us().is_some_and(|due_us| due_us <= now_us);
        self.left += u64::from(is_due);
        is_due
    }

    /// Those that have left.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Those that were to leave before `end_us`, and have not.
    pub fn missed(&self, end_us: u64) -> u64 {
        let due = (self.per_s * end_us as f64 / 1e6).ceil() as u64;
        due.saturating_sub(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_however_many_leave_in_a_second() {
        let mut churn = Churn::new(2e6);
        for _ in 0..2_000_000 {
            assert!(churn.take(999_999));
        }
        assert!(!churn.take(999_999));
        assert_eq!(churn.next_due_us(), Some(1_000_000));
        assert_eq!(
            (churn.left(), churn.missed(1_000_000), churn.missed(1_500_000)),
            (2_000_000, 0, 1_000_000)
        );
        assert_eq!((Churn::new(0.0).next_due_us(), Churn::new(0.0).missed(9)), (None, 0));
    }

    #[test]
    fn senders_take_turns_at_even_intervals_until_the_end() {
        let mut schedule = Schedule::new(2, 1000.0, 4_000);
        assert_eq!(schedule.take(0), Some(Due { sender: 0, sequence: 0, due_us: 0 }));
        assert_eq!(schedule.take(999), None);
        assert_eq!(schedule.take(1_000), Some(Due { sender: 1, sequence: 0, due_us: 1_000 }));
        assert_eq!(schedule.take(9_999), Some(Due { sender: 0, sequence: 1, due_us: 2_000 }));
        assert_eq!(schedule.take(9_999), Some(Due { sender: 1, sequence: 1, due_us: 3_000 }));
        assert_eq!(schedule.take(9_999), None);
        assert_eq!(schedule.next_due_us(), None);
    }

    #[test]
    fn a_late_look_changes_nothing_of_when_lines_were_due() {
        let mut on_time = Schedule::new(3, 333.0, 1_000_000);
        let mut late = Schedule::new(3, 333.0, 1_000_000);
        let punctual: Vec<Due> = (0..1_000_000).step_by(100).filter_map(|now| on_time.take(now)).collect();
        let all_at_once: Vec<Due> = std::iter::from_fn(|| late.take(1_000_000)).collect();
        assert_eq!(punctual, all_at_once);
        assert_eq!(punctual.len(), 333);
    }
}
