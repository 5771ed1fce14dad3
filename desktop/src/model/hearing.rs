//! What is heard: where it belongs, whether it is new, whom it concerns.

use std::time::Duration;

use tertulia_wire::heard::Notice;
use tertulia_wire::session::{Line, Source, Ticket};

use super::asks::Purpose;
use super::conversation::{Conversation, ConversationId, End, Kind};
use super::entry::{Body, Entry, Gap, Place, Said, State};
use super::saying::base_name;
use super::tally::Tally;
use super::{Model, PRIVATE_MAX, Sentence};
use crate::calendar::Day;
use crate::phrases::Phrase;

/// Comings and goings that are further apart are told apart.
const NOTICES_TOGETHER_MS: u64 = 10 * 60 * 1000;

/// How often it is told at most that strangers write for whom there is no place.
const STRANGERS_TOLD_EVERY: Duration = Duration::from_secs(60);

impl Model {
    /// A line, from wherever it came. `label`: it is our own.
    pub(super) fn handle_heard(&mut self, line: Line, label: Option<&str>, source: Source) {
        if let Some(ticket) = ticket_of(source) {
            return self.handle_read(line, label, ticket);
        }
        if let Some(label) = label.filter(|label| self.unsent.contains_key(*label)) {
            if let Some(id) = line.id {
                return self.handle_acknowledged(label, id, line.unix_ms);
            }
        }
        // Of an own private line that is not waited for nobody knows whom it was for.
        let is_lost = label.is_some() && line.room.is_none() && line.to.is_none();
        let Some(id) = self.conversation_of(&line).filter(|_| !is_lost) else { return };
        match line.notice {
            Some(notice) => self.handle_notice(id, &line, notice),
            None => {
                let is_own = label.is_some() || self.is_own_name(&line.name);
                self.handle_said(id, line, is_own, source);
            }
        }
    }

    /// Where a line belongs. None: to a room that was left, or to somebody who is not listened to.
    fn conversation_of(&mut self, line: &Line) -> Option<ConversationId> {
        match &line.room {
            Some(room) => self.conversations.find(Kind::Room, &room.to_lowercase()),
            None if self.settings.is_ignored(&line.name) => None,
            None => {
                // Of what the account says on another device: whom it was for.
                let own = line.to.as_deref().filter(|_| self.is_own_name(&line.name));
                let name = own.unwrap_or(&line.name);
                let id = self.open_private(base_name(name));
                if id.is_none() {
                    self.tell_of_strangers(name);
                }
                id
            }
        }
    }

    /// There is no place for a stranger's private line. Told seldom, since anybody can write under any name.
    fn tell_of_strangers(&mut self, name: &str) {
        let now = self.now.monotonic;
        if self.strangers_told.is_some_and(|at| now.saturating_sub(at) < STRANGERS_TOLD_EVERY) {
            return;
        }
        self.strangers_told = Some(now);
        let shown = self.conversations.shown().id;
        let most = PRIVATE_MAX.to_string();
        self.tell(shown, Sentence::new(Phrase::StrangersWait, &[name, &most]));
    }

    fn handle_said(&mut self, id: ConversationId, line: Line, is_own: bool, source: Source) {
        let is_ignored = !is_own && self.settings.is_ignored(&line.name);
        let entry = self.entry_of(line, is_own);
        let (now, is_watched) = (self.now.monotonic, self.is_watched(id));
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let place = entry.place_in(conversation);
        let entry = Entry { place, ..entry };
        if let (Body::Said(said), false) = (&entry.body, is_own) {
            conversation.people.note_spoken(&said.name, now);
        }
        let said = entry.said().filter(|_| !is_own && !is_ignored && !is_watched).cloned();
        let is_new = conversation.put_live(entry);
        if !is_new {
            return;
        }
        if let Some(said) = said {
            self.note_unread(id, place, &said, source);
        }
        if is_watched {
            self.note_read();
        }
        self.trim_conversation(id);
    }

    /// A line that the history gave.
    fn handle_read(&mut self, line: Line, label: Option<&str>, ticket: Ticket) {
        let Some(purpose) = self.asks.asked(ticket).map(|ask| ask.purpose) else { return };
        if purpose == Purpose::Search {
            return self.take_result(line, label.is_some());
        }
        if let (Some(label), Some(line_id)) = (label, line.id) {
            if self.unsent.contains_key(label) {
                return self.handle_acknowledged(label, line_id, line.unix_ms);
            }
        }
        let is_own = label.is_some() || self.is_own_name(&line.name);
        let entry = self.entry_of(line, is_own);
        match purpose {
            Purpose::Older { conversation, before } => {
                let Some(conversation) = self.conversations.get_mut(conversation) else { return };
                // What it was to stand before may have been dropped since: there would be a hole.
                if before == u64::MAX || conversation.transcript.line(before).is_some() {
                    conversation.transcript.insert(entry);
                }
            }
            Purpose::Newer(id) => {
                let Some(conversation) = self.conversations.get_mut(id) else { return };
                if conversation.end == End::Fetching {
                    conversation.transcript.insert(entry);
                }
            }
            Purpose::Around { .. } => {
                self.asks.asked(ticket).into_iter().for_each(|ask| ask.page.push(entry.clone()));
            }
            Purpose::Search => {}
        }
    }

    /// The line as an entry, with its place still to be found where it has no id.
    pub(super) fn entry_of(&mut self, line: Line, is_own: bool) -> Entry {
        let id = self.take_entry_id();
        let said = Said {
            is_mention: !is_own && self.names_reader(&line.text),
            name: line.name.into(),
            text: line.text.into(),
            is_own,
            state: State::Said,
            reply: line.reply,
            quote: line.quote.map(Into::into),
            label: None,
        };
        let place = line.id.map_or(Place::at_end(id), Place::of_line);
        let unix_ms = line.unix_ms.unwrap_or(self.now.unix_ms);
        Entry { id, place, unix_ms, revision: 0, body: Body::Said(said) }
    }

    /// Somebody came or went.
    fn handle_notice(&mut self, id: ConversationId, line: &Line, notice: Notice) {
        let (now, offset) = (self.now.monotonic, self.now.utc_offset_seconds);
        if let Some(room) = &line.room {
            self.note_move(&room.to_lowercase(), &line.name, notice == Notice::Join);
        }
        let entry_id = self.take_entry_id();
        let unix_ms = line.unix_ms.unwrap_or(self.now.unix_ms);
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let has_joined = notice == Notice::Join;
        let has_spoken = conversation.people.has_spoken(&line.name, now);
        conversation.people.move_one(&line.name, has_joined);
        let place = match line.id {
            Some(line_id) => Place::of_line(line_id),
            None => conversation.transcript.place_now(entry_id),
        };
        let add = |tally: &mut Tally| tally.add(&line.name, has_joined, has_spoken);
        add_notice(
            conversation,
            Entry { id: entry_id, place, unix_ms, revision: 0, body: Body::Notices(Box::default()) },
            offset,
            add,
        );
        self.trim_conversation(id);
    }

    /// So many came and went without a line each.
    pub(super) fn handle_storm(&mut self, room: &str, joined: u64, left: u64) {
        let Some(id) = self.conversations.find(Kind::Room, &room.to_lowercase()) else { return };
        let (entry_id, offset, unix_ms) =
            (self.take_entry_id(), self.now.utc_offset_seconds, self.now.unix_ms);
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let place = conversation.transcript.place_now(entry_id);
        let entry = Entry { id: entry_id, place, unix_ms, revision: 0, body: Body::Notices(Box::default()) };
        add_notice(conversation, entry, offset, |tally| tally.add_storm(joined, left));
        self.trim_conversation(id);
        self.note_storm(&room.to_lowercase());
    }

    pub(super) fn handle_gap_found(&mut self, room: &str, from: u64, to: u64) {
        self.put_gap(room, Gap { from, to, is_left: false });
    }

    pub(super) fn handle_gap_closed(&mut self, room: &str, to: u64) {
        self.take_gap(room, to);
    }

    pub(super) fn handle_gap_left(&mut self, room: &str, from: u64, to: u64) {
        self.take_gap(room, to);
        self.put_gap(room, Gap { from, to, is_left: true });
    }

    fn put_gap(&mut self, room: &str, gap: Gap) {
        let (id, unix_ms) = (self.take_entry_id(), self.now.unix_ms);
        let Some(conversation) = self.room_mut(room) else { return };
        if conversation.end == End::Dropped {
            return;
        }
        let place = Place::behind_all_of(gap.from.saturating_sub(1));
        // It is about the time of the line before it; what comes into it has its own.
        let before = conversation.transcript.iter().rev().find(|entry| entry.place < place);
        let unix_ms = before.map_or(unix_ms, |entry| entry.unix_ms);
        conversation.transcript.insert(Entry { id, place, unix_ms, revision: 0, body: Body::Gap(gap) });
    }

    fn take_gap(&mut self, room: &str, to: u64) {
        let Some(conversation) = self.room_mut(room) else { return };
        let is_it = |entry: &Entry| matches!(entry.body, Body::Gap(gap) if gap.to == to && !gap.is_left);
        if let Some(position) = conversation.transcript.rposition(is_it) {
            conversation.transcript.remove(position);
        }
    }

    fn room_mut(&mut self, room: &str) -> Option<&mut Conversation> {
        let id = self.conversations.find(Kind::Room, &room.to_lowercase())?;
        self.conversations.get_mut(id)
    }
}

impl Entry {
    /// Where it belongs there: what has no id stands behind what is there.
    fn place_in(&self, conversation: &Conversation) -> Place {
        if self.place.is_at_end() { conversation.transcript.place_now(self.id) } else { self.place }
    }
}

fn ticket_of(source: Source) -> Option<Ticket> {
    match source {
        Source::Fetch(ticket) | Source::Search(ticket) => Some(ticket),
        Source::Live | Source::Gap => None,
    }
}

/// Adds to the entry that stands last, if it is of the same kind and time; else puts a new one there.
fn add_notice(conversation: &mut Conversation, mut entry: Entry, offset: i32, add: impl FnOnce(&mut Tally)) {
    if conversation.end != End::Here {
        return;
    }
    let is_together = |last: &Entry| {
        let is_same_day = Day::of(last.unix_ms, offset) == Day::of(entry.unix_ms, offset);
        is_same_day && last.unix_ms.abs_diff(entry.unix_ms) < NOTICES_TOGETHER_MS && last.place < entry.place
    };
    let last = conversation.transcript.last_answered();
    let last = last.filter(|(_, last)| matches!(last.body, Body::Notices(_)) && is_together(last));
    let unix_ms = entry.unix_ms;
    if let Some(position) = last.map(|(position, _)| position) {
        return conversation.transcript.change(position, |last| {
            // The time of the last of them: what is told is how it stands then.
            last.unix_ms = last.unix_ms.max(unix_ms);
            if let Body::Notices(tally) = &mut last.body {
                add(tally);
            }
        });
    }
    if let Body::Notices(tally) = &mut entry.body {
        add(tally);
    }
    conversation.transcript.insert(entry);
}
