//! What is asked of the history: gaps, lines that may have been said already, and what the caller wants to read. One
//! question at a time, because the relay answers one at a time.

use std::time::Duration;

use super::event::Ticket;
use crate::command::{Command, History, Search};

/// Fetches and searches of the caller that may wait.
pub const FETCHES_MAX: usize = 16;

/// Bytes that the words of a search may have; more is refused. The relay looks for a few words.
pub const WORDS_BYTES_MAX: usize = 1024;

/// Gaps that may be open; a further one is announced and left.
pub const GAPS_MAX: usize = 64;

/// Lines that one page is asked to have.
const PAGE_LINES: u32 = 500;

/// How often a question is asked again whose answer the relay cannot read; one that it is too busy for, always.
const UNREADABLE_MAX: u32 = 6;

/// The wait before a question is asked again; it doubles up to [`AGAIN_CAP`].
const AGAIN_FIRST: Duration = Duration::from_secs(1);
/// See [`AGAIN_FIRST`].
const AGAIN_CAP: Duration = Duration::from_secs(30);

/// What the lines are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// To know which lines without an answer the relay has. First, because all that is said waits for it.
    Reconcile,
    /// The caller asked.
    Reading(Ticket),
    /// Lines up to this id were missed.
    Gap { to: u64 },
}

/// A fetch.
#[derive(Debug, Clone)]
pub(super) struct Fetch {
    pub(super) purpose: Purpose,
    pub(super) room: String,
    /// Only lines behind this id are wanted; it grows with what comes.
    pub(super) cursor: u64,
    /// Backwards: only lines before this id, the newest of them.
    before: Option<u64>,
    /// Looked for, the newest line first, and `before` falls with what comes. None: all lines are wanted.
    words: Option<String>,
    limit: u32,
    /// The label under which the page is asked for. None: it is still to be.
    label: Option<String>,
    not_before: Duration,
    tries: u32,
    unreadable: u32,
    /// Lines that came.
    pub(super) lines: u64,
    /// Lines of this page.
    page_lines: u64,
}

impl Fetch {
    pub(super) fn behind(purpose: Purpose, room: &str, cursor: u64, limit: u32) -> Self {
        Self {
            purpose,
            room: room.to_owned(),
            cursor,
            before: None,
            words: None,
            limit,
            label: None,
            not_before: Duration::ZERO,
            tries: 0,
            unreadable: 0,
            lines: 0,
            page_lines: 0,
        }
    }

    pub(super) fn paging(purpose: Purpose, room: &str, cursor: u64) -> Self {
        Self::behind(purpose, room, cursor, PAGE_LINES)
    }

    pub(super) fn before(purpose: Purpose, room: &str, before: u64, limit: u32) -> Self {
        Self { before: Some(before), ..Self::behind(purpose, room, 0, limit) }
    }

    pub(super) fn search(purpose: Purpose, room: &str, words: &str, before: u64, limit: u32) -> Self {
        Self { words: Some(words.to_owned()), ..Self::before(purpose, room, before, limit) }
    }

    pub(super) fn is_search(&self) -> bool {
        self.words.is_some()
    }

    /// Takes a line. False: it was given before, or is not what was asked for.
    pub(super) fn accept(&mut self, id: u64) -> bool {
        if id <= self.cursor || self.before.is_some_and(|before| id >= before) {
            return false;
        }
        match self.is_search() {
            true => self.before = Some(id),
            false => self.cursor = id,
        }
        self.page_lines += 1;
        true
    }

    /// A page is whole. What it leads to.
    pub(super) fn end_page(&mut self, is_more: bool) -> PageEnd {
        let is_empty = std::mem::take(&mut self.page_lines) == 0;
        match self.purpose {
            Purpose::Reading(_) => PageEnd::Whole,
            Purpose::Gap { to } if self.cursor >= to => PageEnd::Whole,
            _ if !is_more => PageEnd::Whole,
            // Asked again it would be the same.
            _ if is_empty => PageEnd::Stuck,
            _ => PageEnd::Next,
        }
    }

    /// The next page is to be asked for.
    pub(super) fn go_on(&mut self) {
        self.label = None;
        self.tries = 0;
        self.unreadable = 0;
    }

    /// The relay cannot answer now. False: it is not asked again.
    pub(super) fn try_later(&mut self, code: &str, now: Duration) -> bool {
        self.page_lines = 0;
        self.tries = self.tries.saturating_add(1);
        self.unreadable += u32::from(code == "UNREADABLE");
        // The caller can ask again itself; nobody asks again for the others.
        let is_asked_again =
            !matches!(self.purpose, Purpose::Reading(_)) && self.unreadable <= UNREADABLE_MAX;
        let may_pass = code == "BUSY" || (code == "UNREADABLE" && is_asked_again);
        let wait = AGAIN_FIRST.saturating_mul(1u32.checked_shl(self.tries - 1).unwrap_or(u32::MAX));
        self.not_before = now.saturating_add(wait.min(AGAIN_CAP));
        if may_pass {
            self.label = None;
        }
        may_pass
    }

    /// The lines of a reading that the last connection still gave are not asked for again.
    fn limit_left(&self) -> u32 {
        let given = u32::try_from(self.lines).unwrap_or(u32::MAX);
        let left = self.limit.saturating_sub(given);
        match self.purpose {
            // With none left, the relay still says whether there are more.
            Purpose::Reading(_) if self.is_search() => left,
            Purpose::Reading(_) if self.before.is_none() => left.max(1),
            _ => self.limit,
        }
    }

    fn ask(&mut self, label: String) -> String {
        let (room, limit) = (Some(self.room.as_str().into()), Some(self.limit_left()));
        let line = match &self.words {
            None => {
                let after = if self.before.is_some() { None } else { Some(self.cursor) };
                let history = History { room, before: self.before, after, limit };
                format!("{} label={label}", Command::History(history))
            }
            Some(words) => {
                // A first word that looks like an option is none behind a sign, and signs are not looked for.
                let is_option_like = words.split(' ').next().is_some_and(|first| first.contains('='));
                let sign = if is_option_like { "\"" } else { "" };
                let words = format!("label={label} {sign}{words}");
                Command::Search(Search { room, before: self.before, limit, words: &words }).to_string()
            }
        };
        self.label = Some(label);
        line
    }
}

/// What the end of a page means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageEnd {
    /// All has come.
    Whole,
    /// The next page is to be asked for.
    Next,
    /// There is more, but it does not come.
    Stuck,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Fetches {
    fetches: Vec<Fetch>,
}

impl Fetches {
    pub(super) fn push(&mut self, fetch: Fetch) {
        self.fetches.push(fetch);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Fetch> {
        self.fetches.iter()
    }

    /// Those of the caller that wait.
    pub(super) fn readings(&self) -> usize {
        self.fetches.iter().filter(|fetch| matches!(fetch.purpose, Purpose::Reading(_))).count()
    }

    /// Gaps that are open.
    pub(super) fn gaps(&self) -> usize {
        self.fetches.iter().filter(|fetch| matches!(fetch.purpose, Purpose::Gap { .. })).count()
    }

    pub(super) fn is_reconciling(&self) -> bool {
        self.fetches.iter().any(|fetch| fetch.purpose == Purpose::Reconcile)
    }

    /// The question under this label.
    pub(super) fn asked(&mut self, label: &str) -> Option<&mut Fetch> {
        self.fetches.iter_mut().find(|fetch| fetch.label.as_deref() == Some(label))
    }

    /// Takes the fetch away that was asked under this label.
    pub(super) fn remove_asked(&mut self, label: &str) -> Option<Fetch> {
        let index = self.fetches.iter().position(|fetch| fetch.label.as_deref() == Some(label))?;
        Some(self.fetches.remove(index))
    }

    pub(super) fn retain(&mut self, is_kept: impl Fn(&Fetch) -> bool) {
        self.fetches.retain(is_kept);
    }

    /// There is a new connection: what was being answered is asked again.
    pub(super) fn rewind(&mut self) {
        for fetch in &mut self.fetches {
            fetch.label = None;
            fetch.page_lines = 0;
            fetch.not_before = Duration::ZERO;
        }
    }

    fn next(&self, now: Duration) -> Option<usize> {
        if self.fetches.iter().any(|fetch| fetch.label.is_some()) {
            return None;
        }
        let ready = self.fetches.iter().enumerate().filter(|(_, fetch)| fetch.not_before <= now);
        ready.min_by_key(|(_, fetch)| fetch.purpose).map(|(index, _)| index)
    }

    /// Whether a question can be asked now.
    pub(super) fn has_question(&self, now: Duration) -> bool {
        self.next(now).is_some()
    }

    /// The next question, noted as asked under this label.
    pub(super) fn take_question(&mut self, label: String, now: Duration) -> Option<String> {
        let index = self.next(now)?;
        self.fetches.get_mut(index).map(|fetch| fetch.ask(label))
    }

    /// When a question that waits can be asked.
    pub(super) fn next_due(&self, now: Duration) -> Option<Duration> {
        self.fetches
            .iter()
            .filter(|fetch| fetch.label.is_none())
            .map(|fetch| fetch.not_before)
            .filter(|due| *due > now)
            .min()
    }
}
