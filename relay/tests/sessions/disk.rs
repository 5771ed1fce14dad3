//! What a relay keeps, and what of it outlives the relay: a disk that takes its time, fails and loses.

use std::collections::{BTreeMap, VecDeque};

use tertulia_relay::batch::{Batch, ID_COUNTER_BITS, Kept, Key, SessionRow, Work};
use tertulia_relay::chat::{Question, Remembered, SIDS_AHEAD, Wanted, ceiling_ahead};
use tertulia_wire::limits::LABELS_KEPT;

/// A line as it was kept.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) unix_ms: u64,
    pub(crate) room: String,
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) key: Option<(u64, String, u32)>,
    reply: Option<u64>,
    quote: Option<String>,
}

impl Row {
    fn of(line: &Kept<'_>) -> Self {
        Self {
            id: line.id,
            unix_ms: line.unix_ms,
            room: line.room.to_owned(),
            name: line.name.to_owned(),
            text: line.text.to_owned(),
            key: line.key.map(|key| (key.sid, key.label.to_owned(), key.hash)),
            reply: line.reply,
            quote: line.quote.map(str::to_owned),
        }
    }

    /// Whether each of the words is one of the line's.
    pub(crate) fn has(&self, words: &str) -> bool {
        words.split(' ').all(|word| self.text.split(' ').any(|own| own == word))
    }

    fn kept(&self) -> Kept<'_> {
        let key = self.key.as_ref().map(|(sid, label, hash)| Key { sid: *sid, label, hash: *hash });
        Kept {
            id: self.id,
            unix_ms: self.unix_ms,
            room: &self.room,
            name: &self.name,
            reply: self.reply,
            quote: self.quote.as_deref(),
            key,
            text: &self.text,
        }
    }
}

/// What came of a work, as the relay is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Kept(u64),
    Lost(u64),
}

#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) rows: Vec<Row>,
    sessions: BTreeMap<u64, SessionRow>,
    ceiling: u64,
    sid_ceiling: u64,
    /// Handed over and not yet written.
    waiting: VecDeque<Work>,
    /// Of the last work that was written or lost.
    done: u64,
    /// Of the last work that was handed over.
    put: u64,
    outcomes: VecDeque<Outcome>,
    questions: Vec<(Question, u64)>,
}

impl Disk {
    /// `is_lost`: there is no place for its lines. What else it holds is kept all the same.
    pub(crate) fn put(&mut self, mut work: Work, is_lost: bool) {
        assert_eq!(work.number, self.put + 1, "works are numbered without gaps");
        self.put = work.number;
        if is_lost {
            work.lines = Batch::default();
            self.outcomes.push_back(Outcome::Lost(work.number));
        }
        self.waiting.push_back(work);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.outcomes.is_empty() && self.questions.is_empty()
    }

    /// Writes so many works in one transaction.
    pub(crate) fn commit(&mut self, count: usize) {
        let count = count.min(self.waiting.len());
        for work in self.waiting.drain(..count).collect::<Vec<_>>() {
            self.rows.extend(work.lines.iter().map(|line| Row::of(&line)));
            for row in work.sessions {
                self.sessions.insert(row.sid, row);
            }
            self.ceiling = self.ceiling.max(work.id_ceiling.unwrap_or_default());
            self.sid_ceiling = self.sid_ceiling.max(work.sid_ceiling.unwrap_or_default());
            self.done = work.number;
            self.outcomes.push_back(Outcome::Kept(work.number));
        }
    }

    /// What the relay is to be told next.
    pub(crate) fn next_outcome(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    pub(crate) fn ask(&mut self, question: Question) {
        self.questions.push((question, self.put));
    }

    /// The answers that can be given: what was said before a question is part of its answer.
    pub(crate) fn answers(&mut self) -> Vec<(u64, Batch)> {
        let (ready, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.questions).into_iter().partition(|(_, behind)| *behind <= self.done);
        self.questions = waiting;
        ready.into_iter().map(|(question, _)| (question.ticket, self.answer(&question.what))).collect()
    }

    fn answer(&self, wanted: &Wanted) -> Batch {
        let (found, limit, is_oldest) = match wanted {
            Wanted::Lines { room, before, after, limit } => {
                let is_meant = |row: &&Row| {
                    row.room == *room
                        && before.is_none_or(|before| row.id < before)
                        && after.is_none_or(|after| row.id > after)
                };
                (self.rows.iter().filter(is_meant).collect::<Vec<_>>(), *limit as usize, after.is_some())
            }
            #[cfg(feature = "history")]
            Wanted::Accounts { .. } => panic!("nobody has an account here"),
            Wanted::Labels(sid, to) => {
                let is_own =
                    |row: &&Row| row.id <= *to && row.key.as_ref().is_some_and(|(own, _, _)| own == sid);
                (self.rows.iter().filter(is_own).collect(), LABELS_KEPT, false)
            }
            Wanted::Search { room, words, before, limit } => {
                let is_meant = |row: &&Row| {
                    room.as_ref().is_none_or(|room| row.room == *room)
                        && before.is_none_or(|before| row.id < before)
                        && row.has(words)
                };
                (self.rows.iter().filter(is_meant).collect(), *limit as usize, false)
            }
        };
        let first = if is_oldest { 0 } else { found.len().saturating_sub(limit) };
        let mut lines = Batch::default();
        found.iter().skip(first).take(limit).for_each(|row| lines.push(row.kept()));
        lines
    }

    /// The relay was killed: what was not written is gone.
    pub(crate) fn lose_memory(&mut self) {
        self.waiting.clear();
        self.outcomes.clear();
        self.questions.clear();
        (self.done, self.put) = (0, 0);
    }

    /// What the next relay finds, with so many of the newest lines at hand.
    pub(crate) fn remembered(&mut self, recent_count: usize, unix_ms: u64) -> Remembered {
        let first = self.rows.len().saturating_sub(recent_count);
        let mut recent = Batch::default();
        self.rows.iter().skip(first).for_each(|row| recent.push(row.kept()));
        let recent_after = first.checked_sub(1).and_then(|last| self.rows.get(last)).map_or(0, |row| row.id);
        let newest = self.rows.last().map_or(0, |row| row.id).max(self.ceiling);
        let last_sid = self.sid_ceiling;
        self.ceiling = ceiling_ahead(unix_ms.max(newest >> ID_COUNTER_BITS));
        self.sid_ceiling = last_sid + SIDS_AHEAD;
        let (id_ceiling, sid_ceiling) = (self.ceiling, self.sid_ceiling);
        let sessions = self.sessions.values().cloned().collect();
        #[allow(clippy::needless_update, reason = "accounts are there only with a history")]
        Remembered {
            newest,
            id_ceiling,
            last_sid,
            sid_ceiling,
            sessions,
            recent,
            recent_after,
            ..Remembered::default()
        }
    }
}
