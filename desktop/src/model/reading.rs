//! Reading: which conversation is shown, where it stands, what is older, and where to jump.

use tertulia_wire::session::{Ticket, Way};

use super::asks::Purpose;
use super::conversation::{ConversationId, End, Older};
use super::entry::{Entry, EntryId, Place};
use super::event::Scroll;
use super::{Model, ViewCommand};
use crate::phrases::Phrase;

use std::time::Duration;

/// How long after older lines could not be had they are asked for again.
const OLDER_AGAIN: Duration = Duration::from_secs(5);

impl Model {
    /// Shows a conversation.
    pub(super) fn select(&mut self, id: ConversationId) {
        let last = self.conversations.shown().id;
        if id == last {
            return;
        }
        if self.conversations.get(id).is_some() {
            self.end_walk();
        }
        if self.conversations.show(id) {
            if let Some(last) = self.conversations.get_mut(last).filter(|last| last.unread == 0) {
                last.clear_unread_line();
            }
            self.show_selected();
        }
    }

    /// The view is to show the conversation that is selected now.
    pub(super) fn show_selected(&mut self) {
        self.completion = None;
        self.pasting = None;
        let shown = self.conversations.shown_mut();
        shown.transcript.reset_changes();
        let first = shown.scroll.first.filter(|_| !shown.scroll.is_at_end);
        let conversation = shown.id;
        let (text, cursor) = (shown.draft.text.clone(), shown.draft.cursor);
        self.view(ViewCommand::Show { conversation, first });
        self.view(ViewCommand::SetInput { text, cursor });
        self.search_again();
        self.read_if_watched();
    }

    /// The next conversation with something unread, mentions first.
    pub(super) fn select_unread(&mut self) {
        let shown = self.conversations.shown().id;
        let others = || self.conversations.iter().filter(|other| other.id != shown);
        let mentioned = others().find(|other| other.mentions > 0);
        let next = mentioned.or_else(|| others().find(|other| other.unread > 0)).map(|other| other.id);
        if let Some(id) = next {
            self.select(id);
        }
    }

    /// The transcript was scrolled.
    pub(super) fn scrolled(&mut self, scroll: Scroll) {
        let now = self.now.monotonic;
        let shown = self.conversations.shown_mut();
        shown.scroll = scroll;
        let (id, end) = (shown.id, shown.end);
        // Who is not in a room yet is told nothing of it; coming in, one asks anyway.
        let is_in = shown.kind != super::Kind::Room || shown.seat == super::Seat::In;
        let may_fetch = match shown.older {
            _ if !is_in => false,
            Older::Unknown => true,
            Older::Failed { until } => until <= now,
            Older::Fetching | Older::None | Older::NotKept => false,
        };
        if scroll.is_near_start && may_fetch {
            self.fetch_older(id);
        }
        if scroll.is_at_end && end == End::Dropped {
            self.fetch_newer(id);
        }
        self.read_if_watched();
    }

    /// Whether somebody sees what is said there now.
    pub(super) fn is_watched(&self, id: ConversationId) -> bool {
        let shown = self.conversations.shown();
        self.is_focused && shown.id == id && shown.scroll.is_at_end && shown.end == End::Here
    }

    pub(super) fn read_if_watched(&mut self) {
        if self.is_watched(self.conversations.shown().id) {
            self.conversations.shown_mut().mark_read();
            self.note_read();
        }
    }

    /// Keeps the bounds of a conversation, and of all together.
    pub(super) fn trim_conversation(&mut self, id: ConversationId) {
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.trim();
        }
        self.conversations.trim();
    }

    /// Nothing of what is at hand is next to what is to come.
    fn begin_anew(&mut self, end: End, older: Older) {
        let shown = self.conversations.shown_mut();
        let id = shown.id;
        shown.transcript.clear();
        shown.end = end;
        shown.older = older;
        shown.drop_held();
        self.asks.forget(|purpose| purpose.is_of(id));
    }

    /// To the newest line; where the newest were dropped, they are fetched anew.
    pub(super) fn jump_to_end(&mut self) {
        let shown = self.conversations.shown_mut();
        shown.scroll.is_at_end = true;
        shown.scroll.first = None;
        if shown.end != End::Here {
            let id = shown.id;
            shown.unread_line = None;
            self.begin_anew(End::Here, Older::Unknown);
            self.fetch_older(id);
        }
        self.view(ViewCommand::ScrollToEnd);
        self.read_if_watched();
    }

    /// To the first line that was not read.
    pub(super) fn jump_to_unread(&mut self) {
        let shown = self.conversations.shown();
        let position = shown.unread_line.and_then(|place| shown.transcript.at(place));
        let first = position.and_then(|position| shown.transcript.get(position)).map(|entry| entry.id);
        match first {
            Some(entry) => self.reveal(entry),
            None => self.jump_to_end(),
        }
    }

    /// A line is to be seen. It may be in sight already: where the view stands then, it tells.
    pub(super) fn reveal(&mut self, entry: EntryId) {
        self.view(ViewCommand::Reveal(entry));
    }

    /// To the line that this one answers.
    pub(super) fn jump_to_quoted(&mut self, entry: EntryId) {
        let shown = self.conversations.shown();
        let reply = shown.transcript.entry(entry).and_then(|entry| entry.said()).and_then(|said| said.reply);
        if let Some(line_id) = reply {
            self.jump_to_line(line_id);
        }
    }

    /// To a line, which is fetched with its neighbours where it is not at hand.
    pub(super) fn jump_to_line(&mut self, line_id: u64) {
        let shown = self.conversations.shown();
        let position = shown.transcript.line(line_id);
        if let Some(id) = position.and_then(|position| shown.transcript.get(position)).map(|entry| entry.id) {
            return self.reveal(id);
        }
        let (id, room) = (shown.id, shown.name.clone());
        let is_room = shown.kind == super::Kind::Room;
        let purpose = Purpose::Around { conversation: id, line_id };
        // Up to the line itself, and some before it.
        let way = Way::Before(line_id.saturating_add(1));
        if is_room && self.asks.fetch(purpose, &room, way) {
            self.hint(Phrase::OlderFetching);
        } else {
            self.complain(Phrase::QuoteGone);
        }
        self.ask_next();
    }

    fn fetch_newer(&mut self, id: ConversationId) {
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let Some(newest) = conversation.transcript.newest_line() else { return };
        let room = conversation.name.clone();
        if self.asks.fetch(Purpose::Newer(id), &room, Way::After(newest)) {
            conversation.end = End::Fetching;
        }
        self.ask_next();
    }

    /// A page is whole.
    pub(super) fn handle_fetched(&mut self, ticket: Ticket, is_more: bool) {
        let Some(ask) = self.asks.remove(ticket) else { return };
        match ask.purpose {
            Purpose::Older { conversation, before } => self.take_older(conversation, before, is_more),
            Purpose::Newer(id) => self.take_newer(id, is_more),
            Purpose::Around { conversation, line_id } => {
                self.take_around(conversation, line_id, ask.page, is_more);
            }
            Purpose::Search => self.handle_search_end(is_more),
        }
        self.ask_next();
        self.search_again();
    }

    fn take_older(&mut self, id: ConversationId, before: u64, is_more: bool) {
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let is_in_place = before == u64::MAX || conversation.transcript.line(before).is_some();
        conversation.older = if is_more || !is_in_place { Older::Unknown } else { Older::None };
        conversation.transcript.mark_first_changed();
        self.trim_conversation(id);
    }

    fn take_newer(&mut self, id: ConversationId, is_more: bool) {
        let Some(conversation) = self.conversations.get_mut(id).filter(|found| found.end == End::Fetching)
        else {
            return;
        };
        let is_whole = conversation.end_fetching(is_more);
        let is_at_end = conversation.scroll.is_at_end;
        self.trim_conversation(id);
        if !is_whole && is_at_end {
            self.fetch_newer(id);
        }
        self.read_if_watched();
    }

    /// The lines up to one that is to be seen: they take the place of those at hand, which are not next to them.
    fn take_around(&mut self, id: ConversationId, line_id: u64, page: Vec<Entry>, is_more: bool) {
        let found = page.iter().find(|entry| entry.line_id() == Some(line_id)).map(|entry| entry.id);
        let Some(found) = found.filter(|_| self.conversations.shown().id == id) else {
            return self.complain(Phrase::QuoteGone);
        };
        self.hint = None;
        self.begin_anew(End::Dropped, if is_more { Older::Unknown } else { Older::None });
        let shown = self.conversations.shown_mut();
        page.into_iter().for_each(|entry| {
            shown.transcript.insert(entry);
        });
        shown.scroll = Scroll { is_at_end: false, is_near_start: false, first: Some(found) };
        self.fetch_newer(id);
        self.reveal(found);
    }

    /// A page does not come.
    pub(super) fn handle_fetch_refused(&mut self, ticket: Ticket, code: &str) {
        if let Some(ask) = self.asks.remove(ticket) {
            self.give_up_asking(ask.purpose, code);
        }
        self.ask_next();
    }

    pub(super) fn handle_page_refused(&mut self, id: ConversationId, code: &str) {
        let until = self.now.monotonic.saturating_add(OLDER_AGAIN);
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        if conversation.older == Older::Fetching {
            conversation.older = if code == "NOT_KEPT" { Older::NotKept } else { Older::Failed { until } };
            conversation.transcript.mark_first_changed();
        }
        if conversation.end == End::Fetching {
            conversation.end = End::Dropped;
            conversation.drop_held();
        }
    }

    /// A line of others that nobody may have seen: the first of them has a rule above it.
    pub(super) fn note_unread_place(&mut self, id: ConversationId, place: Place) {
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let is_first = conversation.unread == 0 || conversation.unread_line.is_some_and(|line| place < line);
        if is_first {
            conversation.clear_unread_line();
            conversation.unread_line = Some(place);
            if let Some(position) = conversation.transcript.at(place) {
                conversation.transcript.change(position, |_| {});
            }
        }
    }

    /// All rows of all conversations look other than before.
    pub(super) fn restyle_rows(&mut self) {
        self.look = self.look.wrapping_add(1);
        self.conversations.shown_mut().transcript.reset_changes();
    }
}
