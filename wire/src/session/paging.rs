//! The history: closing gaps, finding out what the relay has already, reading for the caller.

use super::Session;
use super::event::{Event, Source};
use super::fetch::{Fetch, GAPS_MAX, PageEnd, Purpose};
use crate::heard::Said;

impl Session {
    /// Lines of a room behind `after` and up to `to` were missed.
    pub(super) fn open_gap(&mut self, room: &str, after: u64, to: u64) {
        let (room, from) = (room.to_owned(), after.saturating_add(1));
        self.events.push_back(Event::GapFound { room: room.clone(), from, to });
        if self.fetches.gaps() >= GAPS_MAX {
            self.events.push_back(Event::GapLeft { room, from, to, code: "TOO_MANY".to_owned() });
            return;
        }
        self.fetches.push(Fetch::paging(Purpose::Gap { to }, &room, after));
    }

    pub(super) fn forget_gaps(&mut self, room: &str) {
        self.fetches.retain(|fetch| fetch.room != room || !matches!(fetch.purpose, Purpose::Gap { .. }));
    }

    /// Lines that were sent under another number than `sid` may have been said: the history knows. Nothing is said before
    /// it has answered. Each room is read from where the first of them can be.
    pub(super) fn reconcile(&mut self, sid: u64) {
        self.fetches.retain(|fetch| fetch.purpose != Purpose::Reconcile);
        let mut starts: Vec<(String, u64)> = Vec::new();
        for line in self.unanswered.iter().filter(|line| line.to.is_none()) {
            let Some(sent) = line.sent.filter(|sent| sent.sid != sid) else { continue };
            match starts.iter_mut().find(|(room, _)| *room == line.room) {
                Some((_, start)) => *start = sent.after.min(*start),
                None => starts.push((line.room.clone(), sent.after)),
            }
        }
        for (room, start) in starts {
            self.fetches.push(Fetch::paging(Purpose::Reconcile, &room, start));
        }
    }

    /// A line of a page. One of the session's own that is in the history is as good as acknowledged.
    pub(super) fn handle_fetched(&mut self, label: &str, said: Said<'_>) {
        let Some(id) = said.id else { return };
        let Some(fetch) = self.fetches.asked(label) else { return };
        if !fetch.accept(id) {
            return;
        }
        let (purpose, is_search) = (fetch.purpose, fetch.is_search());
        self.highest = self.highest.max(id);
        if let Some(key) = said.key.filter(|key| self.is_own(key.sid) && self.unanswered.is_sent(key.label)) {
            self.acknowledge(key.label, id, said.unix_ms);
        }
        let is_told = match purpose {
            Purpose::Reconcile => false,
            Purpose::Reading(ticket) => {
                let source = if is_search { Source::Search(ticket) } else { Source::Fetch(ticket) };
                self.tell(said, source);
                true
            }
            // What is behind the gap comes, or has come, by itself.
            Purpose::Gap { to } => id <= to && self.tell_once(said, Source::Gap),
        };
        if let Some(fetch) = self.fetches.asked(label).filter(|_| is_told) {
            fetch.lines += 1;
        }
    }

    pub(super) fn handle_history_end(&mut self, label: &str, is_more: bool) {
        let lines_max = self.gap_lines_max;
        let Some(fetch) = self.fetches.asked(label) else { return };
        let is_too_much = matches!(fetch.purpose, Purpose::Gap { .. }) && fetch.lines >= lines_max;
        match fetch.end_page(is_more) {
            PageEnd::Next if !is_too_much => fetch.go_on(),
            PageEnd::Next => {
                let fetch = self.fetches.remove_asked(label);
                fetch.into_iter().for_each(|fetch| self.leave(fetch, "TOO_MANY"));
            }
            PageEnd::Stuck => {
                let fetch = self.fetches.remove_asked(label);
                fetch.into_iter().for_each(|fetch| self.leave(fetch, "NO_END"));
            }
            PageEnd::Whole => {
                let Some(fetch) = self.fetches.remove_asked(label) else { return };
                match fetch.purpose {
                    Purpose::Reconcile => {}
                    Purpose::Reading(ticket) => self.events.push_back(Event::Fetched { ticket, is_more }),
                    Purpose::Gap { to } => {
                        self.events.push_back(Event::GapClosed { room: fetch.room, to, lines: fetch.lines });
                    }
                }
            }
        }
    }

    pub(super) fn handle_history_refused(&mut self, label: &str, code: &str) {
        let now = self.now;
        if self.fetches.asked(label).is_none_or(|fetch| fetch.try_later(code, now)) {
            return;
        }
        let fetch = self.fetches.remove_asked(label);
        fetch.into_iter().for_each(|fetch| self.leave(fetch, code));
    }

    /// The rest of a fetch does not come.
    fn leave(&mut self, fetch: Fetch, code: &str) {
        let code = code.to_owned();
        self.events.push_back(match fetch.purpose {
            Purpose::Reconcile => Event::MayBeDoubled { room: fetch.room },
            Purpose::Reading(ticket) => Event::FetchRefused { ticket, code },
            Purpose::Gap { to } => {
                Event::GapLeft { room: fetch.room, from: fetch.cursor.saturating_add(1), to, code }
            }
        });
    }
}
