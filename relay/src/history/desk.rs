//! What lies between the poll loop and the threads of the history, behind a lock that is never held while they work.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::duty::Duty;
use super::keeper::State;
use super::parcel::Parcel;
use super::store::StoreError;
use crate::chat::{Answer, Question};

/// Rings where somebody is to look for what is new; called from other threads.
pub type Bell = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub(super) struct Shared {
    desk: Mutex<Desk>,
    /// For the writer: something lies on the desk.
    pub(super) writes: Condvar,
    /// For the reader: a question lies on the desk, or what one waits for was written.
    pub(super) reads: Condvar,
}

#[derive(Default)]
pub(super) struct Desk {
    pub(super) waiting: Parcel,
    /// Of the lines that wait, and of those that are being written.
    pub(super) bytes: usize,
    /// Number of the last work put here, and of the last that is in the file; those that will never be count as if they
    /// were.
    pub(super) put: u64,
    pub(super) kept: u64,
    /// Lines that are being written.
    pub(super) writing: u64,
    /// Until that was told: lines that had ids which others were given.
    pub(super) gone: u64,
    /// Nothing is written any more, nor anything read.
    pub(super) has_no_writer: bool,
    pub(super) has_no_reader: bool,
    /// Until that was told: work up to this number that is not kept will never be.
    pub(super) lost: Option<u64>,
    /// Each with the last work that was put before it.
    pub(super) questions: VecDeque<(Question, u64)>,
    /// The same; answered where nothing else is asked, because each may take long. The chat bounds them.
    pub(super) searches: VecDeque<(Question, u64)>,
    /// Ticket of the question that is being answered.
    answering: Option<u64>,
    pub(super) answers: Vec<(u64, Answer)>,
    pub(super) state: State,
    /// Why nothing can be written now.
    write_trouble: Option<String>,
    /// What does not go away: the file is damaged, or nothing reads it.
    lasting_trouble: Option<String>,
    pub(super) is_ending: bool,
    /// Until the writer has looked around: somebody searches, and is to find what others took in.
    pub(super) is_searched: bool,
    /// The reader has the file open.
    pub(super) has_reader: bool,
}

/// Whoever has it reads the file, as the writer is told.
pub(super) struct Reading(Arc<Shared>);

impl Reading {
    pub(super) fn begin(shared: &Arc<Shared>) -> Self {
        shared.desk().has_reader = true;
        Self(Arc::clone(shared))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.desk().has_reader = false;
        self.0.writes.notify_one();
    }
}

impl Shared {
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// Whether what was put up to here is in the file, or will not be soon.
    pub(super) fn has_caught_up(&self, behind: u64) -> bool {
        self.is_settled(behind) || self.write_trouble.is_some() || self.is_ending
    }

    /// Whether what was put up to here is in the file, or will never be.
    pub(super) fn is_settled(&self, behind: u64) -> bool {
        self.kept >= behind || self.has_no_writer
    }

    /// The next question, which is to be answered by [`Desk::answer`].
    pub(super) fn take_question(&mut self) -> Option<(Question, u64)> {
        let (question, behind) = self.questions.pop_front().or_else(|| self.searches.pop_front())?;
        self.answering = Some(question.ticket);
        Some((question, behind))
    }

    /// Whether somebody answers a question, or waits for what that needs.
    pub(super) fn is_answering(&self) -> bool {
        self.answering.is_some()
    }

    pub(super) fn answer(&mut self, ticket: u64, answer: Answer) {
        self.answering = None;
        self.answers.push((ticket, answer));
    }

    /// A thread has ended before the relay does: what it had to do is not done.
    pub(super) fn note_end_of(&mut self, duty: Duty) {
        let trouble = Some(duty.trouble().to_owned());
        if duty.writes() {
            let lines = std::mem::take(&mut self.waiting).len() as u64;
            let lost = lines.saturating_add(std::mem::take(&mut self.writing));
            self.state.not_kept = self.state.not_kept.saturating_add(lost);
            (self.bytes, self.has_no_writer) = (0, true);
            self.lost = Some(self.put);
            self.write_trouble = trouble.clone();
        }
        if duty.reads() {
            self.has_no_reader = true;
            let waiting =
                self.questions.drain(..).chain(self.searches.drain(..)).map(|(question, _)| question.ticket);
            let unanswered: Vec<u64> = self.answering.take().into_iter().chain(waiting).collect();
            self.answers.extend(unanswered.into_iter().map(|ticket| (ticket, Answer::Unreadable)));
            self.lasting_trouble = trouble;
        }
        self.tell();
    }

    /// What came of a write.
    pub(super) fn note_write(&mut self, outcome: Result<(), &StoreError>) {
        self.write_trouble = outcome.err().map(ToString::to_string);
        self.tell();
    }

    /// What came of anything else.
    pub(super) fn note_damage(&mut self, error: &StoreError) {
        if error.is_damaged() {
            self.lasting_trouble = Some(error.to_string());
            self.tell();
        }
    }

    fn tell(&mut self) {
        self.state.trouble = self.write_trouble.clone().or_else(|| self.lasting_trouble.clone());
    }
}

/// Waits on the desk until then. False: it is then.
pub(super) fn wait_until<'a>(
    bell: &Condvar,
    desk: MutexGuard<'a, Desk>,
    until: Instant,
) -> (MutexGuard<'a, Desk>, bool) {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return (desk, false);
    }
    let woken = bell.wait_timeout(desk, left);
    (woken.map_or_else(|error| error.into_inner().0, |(desk, _)| desk), true)
}
