//! Searching: among the lines at hand, all of whose matches are marked, and then in the relay's history.

use tertulia_wire::session::Line;

use super::asks::Purpose;
use super::conversation::ConversationId;
use super::entry::{Entry, EntryId};
use super::{Kind, Model};
use crate::fold::search_key;
use crate::phrases::Phrase;

/// Matches that are counted in the lines at hand: as many as there can be.
pub const MATCHES_MAX: usize = super::ENTRIES_KEPT;

/// Lines that the history's answer shows at once.
pub const RESULTS_MAX: usize = 100;

/// Lines that the history's answers may show together; then older ones are not asked for.
const RESULTS_KEPT: usize = 1000;

/// How the question to the history stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SearchAsked {
    /// It was not asked.
    #[default]
    No,
    /// It is open.
    Open,
    /// It was answered; there is more.
    More,
    /// It was answered, and that is all.
    All,
}

/// What is looked for, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// Where it is looked for.
    conversation: Option<ConversationId>,
    pub(crate) words: String,
    /// As [`search_key`] has it.
    pub(crate) key: String,
    /// Entries that have the words, the oldest first.
    pub(crate) matches: Vec<EntryId>,
    /// Which of them is looked at.
    pub(crate) current: Option<EntryId>,
    pub(crate) asked: SearchAsked,
    /// What the history found, the newest first.
    pub(crate) results: Vec<Entry>,
    /// Why the history gave nothing.
    pub(crate) error: Option<Phrase>,
}

impl Model {
    pub(super) fn open_search(&mut self, words: &str) {
        if self.search.is_none() {
            self.search = Some(Search::default());
        }
        if !words.is_empty() {
            self.search_for(words);
        }
    }

    pub(super) fn close_search(&mut self) {
        if self.search.take().is_some() {
            self.asks.forget(|purpose| purpose == Purpose::Search);
            self.restyle_rows();
        }
    }

    /// Looks for other words.
    pub(super) fn search_for(&mut self, words: &str) {
        let Some(search) = &mut self.search else { return };
        if search.words == words {
            return;
        }
        let (words, key) = (words.to_owned(), search_key(words.trim()));
        *search = Search { words, key, conversation: search.conversation, ..Search::default() };
        self.asks.forget(|purpose| purpose == Purpose::Search);
        self.search_again();
        let newest = self.search.as_ref().and_then(|search| search.matches.last().copied());
        self.go_to_match(newest);
        self.restyle_rows();
    }

    /// The lines at hand are others now.
    pub(super) fn search_again(&mut self) {
        let Some(search) = &mut self.search else { return };
        let shown = self.conversations.shown();
        // What the history found is another conversation's.
        if search.conversation.replace(shown.id).is_some_and(|last| last != shown.id) {
            search.results.clear();
            (search.asked, search.error, search.current) = (SearchAsked::No, None, None);
            self.asks.forget(|purpose| purpose == Purpose::Search);
        }
        if search.key.is_empty() {
            return;
        }
        let settings = &self.settings;
        let has_words = |entry: &&Entry| {
            entry.said().is_some_and(|said| {
                search_key(&said.text).contains(&search.key)
                    && (said.is_own || !settings.is_ignored(&said.name))
            })
        };
        search.matches = shown.transcript.iter().filter(has_words).map(|entry| entry.id).collect();
        search.current = search.current.filter(|current| search.matches.contains(current));
    }

    /// The next match, upwards or downwards, around the ends.
    pub(super) fn search_step(&mut self, is_forwards: bool) {
        self.search_again();
        let Some(search) = &self.search else { return };
        let count = search.matches.len();
        if count == 0 {
            return;
        }
        let current = search.current.and_then(|id| search.matches.iter().position(|entry| *entry == id));
        let next = match (current, is_forwards) {
            (None, _) => count - 1,
            (Some(position), true) => (position + 1) % count,
            (Some(position), false) => (position + count - 1) % count,
        };
        let next = search.matches.get(next).copied();
        self.go_to_match(next);
    }

    fn go_to_match(&mut self, entry: Option<EntryId>) {
        let Some(search) = &mut self.search else { return };
        search.current = entry;
        if let Some(entry) = entry {
            self.reveal(entry);
        }
    }

    /// Looks in the history; again: for older lines.
    pub(super) fn search_history(&mut self) {
        let shown = self.conversations.shown();
        let (room, is_room) = (shown.name.clone(), shown.kind == Kind::Room);
        let Some(search) = &mut self.search else { return };
        let may_ask =
            is_room && matches!(search.asked, SearchAsked::No | SearchAsked::More) && !search.key.is_empty();
        if !may_ask || search.results.len() >= RESULTS_KEPT {
            return;
        }
        let before = search.results.last().and_then(Entry::line_id).unwrap_or(u64::MAX);
        let limit = u32::try_from(RESULTS_MAX).unwrap_or(u32::MAX);
        let words = search.words.trim().to_owned();
        if self.asks.search(&room, &words, before, limit) {
            search.asked = SearchAsked::Open;
            search.error = None;
        }
        self.ask_next();
    }

    /// A line that the history found.
    pub(super) fn take_result(&mut self, line: Line, is_own: bool) {
        let entry = self.entry_of(line, is_own);
        if let Some(search) = self.search.as_mut().filter(|search| search.results.len() < RESULTS_KEPT) {
            search.results.push(entry);
        }
    }

    pub(super) fn handle_search_end(&mut self, is_more: bool) {
        if let Some(search) = &mut self.search {
            search.asked = if is_more { SearchAsked::More } else { SearchAsked::All };
        }
    }

    pub(super) fn handle_search_refused(&mut self, code: &str) {
        if let Some(search) = &mut self.search {
            search.asked = SearchAsked::No;
            search.error = Some(if code == "NOT_KEPT" { Phrase::OlderNotKept } else { Phrase::SearchFailed });
        }
    }

    /// Goes to a line that the history found.
    pub(super) fn open_result(&mut self, index: usize) {
        let line_id = self.search.as_ref().and_then(|search| search.results.get(index)?.line_id());
        if let Some(line_id) = line_id {
            self.jump_to_line(line_id);
        }
    }
}
