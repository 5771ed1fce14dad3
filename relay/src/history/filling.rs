//! When the index of words is filled, and how much at once. Knows no file: the writer tells what was written, and asks.

use std::time::{Duration, Instant};

use super::store::{Backlog, INDEX_LAG_LINES_MAX, INDEX_LEAP_LINES, INDEX_STEP_LINES};
use super::writer::RETRY_AFTER;

/// How long nothing must have been written before the index is filled in large steps, which write least: who speaks on waits
/// for one of them at most.
const SILENCE: Duration = Duration::from_millis(500);

/// Between two small steps, where lines come without a pause and the index lacks too many: those lines hardly wait for them.
const STEP_EVERY: Duration = Duration::from_millis(240);

/// Lines said in that time beyond which small steps are of no use.
const STEP_EVERY_LINES_MAX: u64 = 490;

/// Bytes of text in few lines that are worth a step all the same: of so many, a search looks at some one by one.
const WORTH_BYTES: u64 = 128 * 1024;

#[derive(Debug)]
pub(super) struct Filling {
    lacks: Backlog,
    written_at: Instant,
    last_step: Instant,
    /// After a step that failed.
    not_before: Instant,
    pace: Pace,
}

/// Lines said within [`STEP_EVERY`].
#[derive(Debug)]
struct Pace {
    since: Instant,
    before: u64,
    now: u64,
}

impl Pace {
    fn note(&mut self, lines: u64, now: Instant) {
        if now >= self.since + STEP_EVERY {
            (self.since, self.before, self.now) = (now, self.now, 0);
        }
        self.now = self.now.saturating_add(lines);
    }

    fn lines(&self) -> u64 {
        self.before.max(self.now)
    }
}

impl Filling {
    /// Nothing was written yet.
    pub(super) fn new(lacks: Backlog, now: Instant) -> Self {
        let pace = Pace { since: now, before: 0, now: 0 };
        // What an earlier run left waits for nobody.
        let written_at = now.checked_sub(SILENCE).unwrap_or(now);
        Self { lacks, written_at, last_step: now, not_before: now, pace }
    }

    /// What the index lacks was looked at.
    pub(super) fn set_backlog(&mut self, lacks: Backlog) {
        self.lacks = lacks;
    }

    pub(super) fn note_write(&mut self, lines: u64, bytes: u64, now: Instant) {
        self.lacks.lines = self.lacks.lines.saturating_add(lines);
        self.lacks.bytes = self.lacks.bytes.saturating_add(bytes);
        self.written_at = now;
        self.pace.note(lines, now);
    }

    /// A step took these in. True: how much is left is to be looked at.
    pub(super) fn note_step(&mut self, taken: Backlog, now: Instant) -> bool {
        self.lacks.lines = self.lacks.lines.saturating_sub(taken.lines);
        self.lacks.bytes = self.lacks.bytes.saturating_sub(taken.bytes);
        self.last_step = now;
        taken.lines == 0 || !self.is_worth_it()
    }

    pub(super) fn note_failure(&mut self, now: Instant) {
        self.not_before = now + RETRY_AFTER;
    }

    /// When the next step is due. None: the index lacks too little.
    pub(super) fn due(&self) -> Option<Instant> {
        let is_calm = self.pace.lines() <= STEP_EVERY_LINES_MAX;
        let silent_at = self.written_at + SILENCE;
        let due = match self.lacks.lines > INDEX_LAG_LINES_MAX && is_calm {
            true => silent_at.min(self.last_step + STEP_EVERY),
            false => silent_at,
        };
        self.is_worth_it().then_some(due.max(self.not_before))
    }

    /// Lines of the next step.
    pub(super) fn step_lines(&self, now: Instant) -> u32 {
        if now >= self.written_at + SILENCE { INDEX_LEAP_LINES } else { INDEX_STEP_LINES }
    }

    fn is_worth_it(&self) -> bool {
        self.lacks.lines >= u64::from(INDEX_STEP_LINES) || self.lacks.bytes >= WORTH_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Backlog = Backlog { lines: 0, bytes: 0 };

    #[test]
    fn the_index_is_filled_in_silence_and_in_large_steps() {
        let start = Instant::now();
        let mut filling = Filling::new(NOTHING, start);
        filling.note_write(u64::from(INDEX_STEP_LINES) - 1, 10_000, start);
        assert_eq!(filling.due(), None, "too few lines are not worth a step");
        filling.note_write(1, 100, start);
        assert_eq!(filling.due(), Some(start + SILENCE));
        assert_eq!(filling.step_lines(start + SILENCE), INDEX_LEAP_LINES);
        let taken = Backlog { lines: u64::from(INDEX_STEP_LINES), bytes: 10_100 };
        assert!(filling.note_step(taken, start + SILENCE));
        assert_eq!(filling.due(), None);
        filling.note_write(2, WORTH_BYTES, start);
        assert!(filling.due().is_some(), "long lines are worth one");
    }

    #[test]
    fn while_lines_come_small_steps_are_taken_only_where_the_index_lacks_too_many() {
        let start = Instant::now();
        let mut filling = Filling::new(Backlog { lines: INDEX_LAG_LINES_MAX - 100, bytes: 0 }, start);
        let mut now = start + Duration::from_millis(100);
        filling.note_write(100, 1_000, now);
        assert_eq!(filling.due(), Some(now + SILENCE));
        now += Duration::from_millis(100);
        filling.note_write(100, 1_000, now);
        assert_eq!(filling.due(), Some(start + STEP_EVERY));
        assert_eq!(filling.step_lines(now), INDEX_STEP_LINES);
        assert!(!filling.note_step(Backlog { lines: 256, bytes: 320 }, now));
        assert_eq!(filling.due(), Some(now + SILENCE));
        // More than small steps take.
        now += Duration::from_millis(1);
        filling.note_write(10_000, 100_000, now);
        assert_eq!(filling.due(), Some(now + SILENCE));
    }

    #[test]
    fn a_step_that_failed_is_tried_again_later() {
        let start = Instant::now();
        let mut filling = Filling::new(Backlog { lines: 5_000, bytes: 0 }, start);
        assert_eq!(filling.due(), Some(start));
        filling.note_failure(start);
        assert_eq!(filling.due(), Some(start + RETRY_AFTER));
    }
}
