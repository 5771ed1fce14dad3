//! The thread that writes the history. Where the file can be opened only once, it reads it too, between two writes.

use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::desk::{Bell, Desk, Shared, wait_until};
use super::duty::{Duty, OnDuty};
use super::filling::Filling;
use super::parcel::Parcel;
use super::reader::answer;
use super::store::{Backlog, Retention, Store, StoreError, Sweep};
use crate::chat::Question;
use crate::clock::unix_ms;

/// How long after a write that failed it is tried again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Lines that go at once when they are too old or too many, and how often that is looked at. A write that comes
/// meanwhile waits for no more.
const PRUNE_ROWS: u64 = 256;
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// How long a relay must have run since it asked for the present that it asks at its end.
const LONG_RUN: Duration = Duration::from_secs(60);

/// How often, and at the start, the index of labels is looked through for lines that are gone: that reads all of it.
const SWEEP_LABELS_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Writer {
    store: Store,
    shared: Arc<Shared>,
    retention: Retention,
    bell: Bell,
    prune_at: Instant,
    sweep: Sweep,
    /// By which time the sweep goes, in milliseconds since 1970; none where nothing is too old. And when it was asked.
    present: Option<u64>,
    present_at: Instant,
    /// When labels of lines that are gone are looked for again.
    labels_at: Instant,
    filling: Filling,
    /// Goes after the store.
    _duty: OnDuty,
}

/// What the thread does next.
enum Task {
    /// To write this; work up to this number is in it. The relay may be ending.
    Write(Parcel, u64, bool),
    /// To answer this; work up to this number was put before it.
    Answer(Question, u64),
    /// To see what others did to the file.
    LookAround,
    /// What there is time for when nothing waits.
    TidyUp,
    End,
}

impl Writer {
    pub(super) fn new(store: Store, shared: Arc<Shared>, retention: Retention, bell: Bell) -> Self {
        let now = Instant::now();
        let duty = if store.journal().has_readers() { Duty::Write } else { Duty::Both };
        let duty = OnDuty::begin(duty, &shared, &bell);
        let mut writer = Self {
            store,
            shared,
            retention,
            bell,
            prune_at: now,
            sweep: Sweep { after: 0, limit: PRUNE_ROWS },
            present: None,
            present_at: now,
            labels_at: now,
            filling: Filling::new(Backlog::default(), now),
            _duty: duty,
        };
        writer.look_at_index();
        writer
    }

    pub(super) fn run(mut self) {
        loop {
            match self.next_task() {
                Task::Write(parcel, number, is_ending) => self.write(&parcel, number, is_ending),
                Task::Answer(question, behind) => {
                    answer(&self.store, &question, behind, &self.shared, &self.bell);
                }
                Task::LookAround => self.look_around(),
                Task::TidyUp => self.tidy_up(),
                Task::End => return self.end(),
            }
        }
    }

    /// A relay that never runs for long still comes to see time pass.
    fn end(&mut self) {
        let passed = self.present_at.elapsed();
        if self.present.is_some() && passed >= LONG_RUN {
            // Where this fails, it is behind by as much.
            let _ = self.store.present(unix_ms(), passed);
        }
    }

    fn next_task(&self) -> Task {
        let until = self.filling.due().map_or(self.prune_at, |due| due.min(self.prune_at));
        let mut desk = self.shared.desk();
        loop {
            if !desk.waiting.is_empty() {
                let parcel = std::mem::take(&mut desk.waiting);
                desk.writing = parcel.len() as u64;
                return Task::Write(parcel, desk.put, desk.is_ending);
            }
            // Who closes the file last puts its log into it, and a reader cannot.
            if desk.is_ending && !desk.has_reader {
                return Task::End;
            }
            if let Some((question, behind)) = self.question(&mut desk) {
                return Task::Answer(question, behind);
            }
            // However many search, what they are to find is made.
            if until <= Instant::now() {
                return Task::TidyUp;
            }
            if std::mem::take(&mut desk.is_searched) {
                return Task::LookAround;
            }
            let is_early;
            (desk, is_early) = wait_until(&self.shared.writes, desk, until);
            if !is_early {
                return Task::TidyUp;
            }
        }
    }

    fn question(&self, desk: &mut Desk) -> Option<(Question, u64)> {
        if self.store.journal().has_readers() {
            return None;
        }
        desk.take_question()
    }

    /// Writes what is in the parcel, and tries again as long as that fails and the relay lives.
    fn write(&mut self, parcel: &Parcel, number: u64, mut is_ending: bool) {
        #[cfg(feature = "sabotage")]
        parcel
            .lines
            .iter()
            .flat_map(crate::batch::Batch::iter)
            .for_each(|line| super::duty::end_for(line.text));
        loop {
            let outcome = self.store.keep(parcel);
            let mut desk = self.shared.desk();
            let before = desk.state.trouble.clone();
            desk.note_write(outcome.as_ref().map(drop));
            let is_news = desk.state.trouble != before;
            if outcome.is_ok() || is_ending {
                if outcome.is_err() {
                    desk.state.not_kept = desk.state.not_kept.saturating_add(parcel.len() as u64);
                } else {
                    desk.kept = number;
                    desk.gone = desk.gone.saturating_add(outcome.unwrap_or_default());
                }
                desk.bytes = desk.bytes.saturating_sub(parcel.bytes());
                desk.writing = 0;
                desk.state.rows = self.store.rows();
                // A reader that waits for nothing is not to be woken by each write.
                let is_waited_for = desk.is_answering();
                drop(desk);
                if is_waited_for {
                    self.shared.reads.notify_one();
                }
                (self.bell)();
                self.filling.note_write(parcel.len() as u64, parcel.bytes() as u64, Instant::now());
                if let Err(error) = self.store.tidy() {
                    self.note(&error);
                }
                self.look_around();
                if self.is_too_much() {
                    self.prune_at = Instant::now();
                }
                return;
            }
            if is_news {
                self.shared.reads.notify_one();
                (self.bell)();
            }
            is_ending = self.pause(desk);
        }
    }

    /// Waits before the next try. True: the relay ends.
    fn pause<'a>(&'a self, mut desk: MutexGuard<'a, Desk>) -> bool {
        let end = Instant::now() + RETRY_AFTER;
        let mut is_early = true;
        while is_early && !desk.is_ending {
            if let Some((question, behind)) = self.question(&mut desk) {
                drop(desk);
                answer(&self.store, &question, behind, &self.shared, &self.bell);
                desk = self.shared.desk();
            } else {
                (desk, is_early) = wait_until(&self.shared.writes, desk, end);
            }
        }
        desk.is_ending
    }

    fn tidy_up(&mut self) {
        let now = Instant::now();
        if now >= self.prune_at {
            self.prune_at = now + self.prune();
            // Whoever prunes counts anew, and finds what others have put in meanwhile.
            self.look_at_index();
        } else if self.filling.due().is_some_and(|due| now >= due) {
            self.fill_index(now);
        }
    }

    fn fill_index(&mut self, now: Instant) {
        match self.store.fill_index(self.filling.step_lines(now)) {
            Ok(taken) if self.filling.note_step(taken, Instant::now()) => self.look_at_index(),
            Ok(_) => {}
            Err(error) => {
                self.note(&error);
                self.filling.note_failure(Instant::now());
            }
        }
    }

    /// How much waits for the index, as far as that matters.
    fn look_at_index(&mut self) {
        self.filling.set_backlog(self.store.index_backlog().unwrap_or_default());
    }

    /// What others did to the file meanwhile: they take lines in, which the index lacks, and drop some. Looked at with each
    /// write and when somebody searches, so that a relay where nothing happens sleeps on.
    fn look_around(&mut self) {
        match self.store.recount() {
            Ok(true) => {
                self.shared.desk().state.rows = self.store.rows();
                self.look_at_index();
            }
            Ok(false) => {}
            Err(error) => self.note(&error),
        }
    }

    /// Whether there are more lines than there are to be, by so many that it is worth a write.
    fn is_too_much(&self) -> bool {
        let rows_max = self.retention.rows_max;
        rows_max > 0 && self.store.rows() > rows_max.saturating_add(rows_max / 16)
    }

    /// Drops what is too old or too much. Gives after what time there may be more of it.
    fn prune(&mut self) -> Duration {
        let is_over = self.prune_some();
        self.shared.desk().state.rows = self.store.rows();
        match is_over {
            Ok(false) => Duration::ZERO,
            Ok(true) => PRUNE_EVERY,
            // Where this fails, writing does too, and says so.
            Err(error) => {
                self.note(&error);
                // What is damaged is not whole a second later.
                if error.is_damaged() { PRUNE_EVERY } else { RETRY_AFTER }
            }
        }
    }

    /// True: all were looked at, of lines and of the rest.
    fn prune_some(&mut self) -> Result<bool, StoreError> {
        let passed = self.present_at.elapsed();
        if self.present.is_none() || passed >= PRUNE_EVERY {
            self.present = self.store.present(unix_ms(), passed)?;
            self.present_at += passed;
        }
        // At the beginning of time nothing is too old.
        let present = self.present.unwrap_or_default();
        let pruned = self.store.prune_from(self.retention, present, self.sweep)?;
        if let Some(next) = pruned.next {
            self.sweep.after = next;
            return Ok(false);
        }
        self.store.prune_sessions(present)?;
        self.store.prune_rooms()?;
        if Instant::now() >= self.labels_at {
            // What an earlier run dropped was perhaps too little to be looked for.
            self.store.sweep_labels()?;
            self.labels_at = Instant::now() + SWEEP_LABELS_EVERY;
        }
        self.sweep.after = 0;
        Ok(true)
    }

    fn note(&self, error: &StoreError) {
        self.shared.desk().note_damage(error);
        if error.is_damaged() {
            (self.bell)();
        }
    }
}
