//! The thread that reads the history.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::desk::{Bell, Reading, Shared, wait_until};
use super::duty::{Duty, OnDuty};
use super::store::{Store, StoreError};
use crate::chat::{Answer, Question, Wanted};

/// How long a question waits for what was said before it to be written.
const CATCH_UP_MAX: Duration = Duration::from_secs(2);

pub(super) struct Reader {
    store: Store,
    shared: Arc<Shared>,
    bell: Bell,
    /// Both go after the store.
    _reading: Reading,
    _duty: OnDuty,
}

impl Reader {
    pub(super) fn new(store: Store, shared: Arc<Shared>, bell: Bell) -> Self {
        let reading = Reading::begin(&shared);
        let duty = OnDuty::begin(Duty::Read, &shared, &bell);
        Self { store, shared, bell, _reading: reading, _duty: duty }
    }

    /// Answers what is asked until the relay ends.
    pub(super) fn run(self) {
        while let Some((question, behind)) = self.take() {
            answer(&self.store, &question, behind, &self.shared, &self.bell);
        }
    }

    /// The next question, once what was said before it is written. None: the relay ends.
    fn take(&self) -> Option<(Question, u64)> {
        let reads = &self.shared.reads;
        let mut desk = self.shared.desk();
        let (question, behind) = loop {
            if desk.is_ending {
                return None;
            }
            match desk.take_question() {
                Some(taken) => break taken,
                None => desk = reads.wait(desk).unwrap_or_else(PoisonError::into_inner),
            }
        };
        let end = Instant::now() + CATCH_UP_MAX;
        let mut is_early = true;
        while is_early && !desk.has_caught_up(behind) {
            (desk, is_early) = wait_until(reads, desk, end);
        }
        Some((question, behind))
    }
}

/// Answers one question, before which work up to `behind` was put.
pub(super) fn answer(store: &Store, question: &Question, behind: u64, shared: &Shared, bell: &Bell) {
    let is_early = !shared.desk().is_settled(behind);
    #[cfg(feature = "sabotage")]
    if let Wanted::Search { words, .. } = &question.what {
        super::duty::end_for(words);
    }
    let lines = if is_early { Answer::Early } else { Answer::Lines };
    let outcome = match &question.what {
        Wanted::Lines { room, before, after, limit } => store.lines(room, *before, *after, *limit).map(lines),
        Wanted::Labels(sid, to) => store.labeled(*sid, *to).map(lines),
        Wanted::Accounts { after } => {
            store.accounts_since(*after).map(|kept| Answer::Accounts(kept.map(Box::new)))
        }
        Wanted::Search { room, words, before, limit } => {
            store.search(room.as_deref(), words, *before, *limit).map(lines)
        }
    };
    let mut desk = shared.desk();
    if let Err(error) = &outcome {
        desk.note_damage(error);
    }
    desk.answer(question.ticket, outcome.unwrap_or_else(|error| failed(&question.what, &error)));
    drop(desk);
    bell();
}

fn failed(what: &Wanted, error: &StoreError) -> Answer {
    match what {
        Wanted::Accounts { .. } => Answer::AccountsUnreadable(error.to_string()),
        _ if error.is_damaged() => Answer::Damaged,
        _ if error.is_costly() => Answer::Costly,
        _ => Answer::Unreadable,
    }
}
