//! Entering and leaving rooms, talking to one person, one's own name.

use tertulia_wire::limits::ROOMS_PER_CLIENT_MAX;
use tertulia_wire::name::Name;
use tertulia_wire::session::Way;

use super::asks::Purpose;
use super::conversation::{ConversationId, Kind, Older, Seat};
use super::{LinkCommand, Model, PRIVATE_MAX, Sentence, Status};
use crate::fold::name_key;
use crate::phrases::Phrase;
use crate::settings::{LIST_MAX, room_key};

impl Model {
    /// Enters a room and shows it.
    pub(super) fn join(&mut self, room: &str) {
        let Ok(room) = room_key(room) else { return self.complain(Phrase::RoomInvalid) };
        if let Some(id) = self.conversations.find(Kind::Room, &room) {
            let seat = self.conversations.get(id).map(|conversation| conversation.seat);
            if seat != Some(Seat::In) {
                self.ask_for_seat(id, room);
            }
            return self.select(id);
        }
        if self.conversations.rooms().len() >= ROOMS_PER_CLIENT_MAX {
            let most = ROOMS_PER_CLIENT_MAX.to_string();
            return self.complain(Sentence::new(Phrase::TooManyRooms, &[&most]));
        }
        let id = self.enter(&room);
        self.keep_rooms();
        self.select(id);
    }

    /// Opens a room that the relay is to have us in, unless it is open.
    pub(super) fn enter(&mut self, room: &str) -> ConversationId {
        if let Some(id) = self.conversations.find(Kind::Room, room) {
            return id;
        }
        let id = self.open(Kind::Room, room);
        self.ask_for_seat(id, room.to_owned());
        id
    }

    /// Opens a conversation, unless it is open; what was kept of it is taken up.
    pub(super) fn open(&mut self, kind: Kind, name: &str) -> ConversationId {
        let count = self.conversations.len();
        let id = self.conversations.open(kind, name);
        if self.conversations.len() > count {
            self.take_up_apart(id);
        }
        id
    }

    /// Opens a conversation with a person, unless it is open. None: there are as many as there may be, and something would be
    /// lost with each of them.
    pub(super) fn open_private(&mut self, name: &str) -> Option<ConversationId> {
        if let Some(id) = self.conversations.find(Kind::Private, &name_key(name)) {
            return Some(id);
        }
        if self.conversations.private_count() >= PRIVATE_MAX {
            let idle = self.conversations.idle_private()?;
            self.close_conversation(idle);
        }
        Some(self.open(Kind::Private, name))
    }

    fn ask_for_seat(&mut self, id: ConversationId, room: String) {
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.seat = Seat::Asked;
        }
        self.link(LinkCommand::Join { room });
    }

    /// Leaves a room, or closes a private conversation.
    pub(super) fn leave(&mut self, id: ConversationId) {
        let Some(conversation) = self.conversations.get(id) else { return };
        let (kind, name) = (conversation.kind, conversation.name.clone());
        if conversation.has_unsent() {
            return self.complain(Sentence::new(Phrase::LeaveUnsent, &[&name]));
        }
        if self.conversations.len() < 2 || (kind == Kind::Room && self.conversations.rooms().len() < 2) {
            return self.complain(Phrase::LeaveLast);
        }
        if kind == Kind::Room {
            self.link(LinkCommand::Part { room: name });
        }
        self.close_conversation(id);
        self.keep_rooms();
    }

    pub(super) fn close_conversation(&mut self, id: ConversationId) {
        let was_shown = self.conversations.shown().id == id;
        if self.conversations.len() < 2 {
            return;
        }
        if was_shown {
            self.end_walk();
        }
        self.put_draft_apart(id);
        self.conversations.close(id);
        self.asks.forget(|purpose| purpose.is_of(id));
        self.notified.remove(&id);
        self.drafts_changed();
        if was_shown {
            self.show_selected();
        }
    }

    pub(super) fn close_if_nothing_is_lost(&mut self, id: ConversationId) {
        let is_kept = self.conversations.get(id).is_none_or(|conversation| {
            conversation.has_unsent()
                || conversation.transcript.len() > 0
                || !conversation.draft.text.is_empty()
        });
        if !is_kept && self.conversations.rooms().len() > 1 {
            self.close_conversation(id);
            self.keep_rooms();
        }
    }

    /// Opens a private conversation and shows it.
    pub(super) fn talk(&mut self, name: &str) -> Option<ConversationId> {
        let Ok(name) = Name::parse(name.trim()) else {
            self.complain(Phrase::NameInvalid);
            return None;
        };
        if name_key(name.base()) == name_key(&self.name) {
            self.complain(Phrase::NotYourself);
            return None;
        }
        let Some(id) = self.open_private(name.base()) else {
            let most = PRIVATE_MAX.to_string();
            self.complain(Sentence::new(Phrase::TooManyPrivate, &[&most]));
            return None;
        };
        self.select(id);
        Some(id)
    }

    /// The relay has us in a room.
    pub(super) fn handle_joined(&mut self, room: &str) {
        self.note_entered();
        let is_known = self.conversations.find(Kind::Room, room).is_some();
        let id = self.open(Kind::Room, room);
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        conversation.seat = Seat::In;
        let wants_lines =
            conversation.older == Older::Unknown && conversation.transcript.newest_line().is_none();
        if !is_known {
            self.keep_rooms();
        }
        if wants_lines {
            self.fetch_older(id);
        }
        self.ask_people(room, false);
    }

    /// The relay has us in a room no more.
    pub(super) fn handle_parted(&mut self, room: &str) {
        let Some(id) = self.conversations.find(Kind::Room, room) else { return };
        if let Some(conversation) = self.conversations.get_mut(id) {
            // Entered again meanwhile: that is still to be answered.
            if conversation.seat == Seat::In {
                conversation.seat = Seat::Out;
                conversation.people.replace(&[]);
            }
        }
    }

    /// The rooms are written down.
    fn keep_rooms(&mut self) {
        let rooms = self.conversations.rooms();
        if self.settings.rooms != rooms {
            self.settings.rooms = rooms;
            self.save_settings();
        }
    }

    /// Asks for a page of older lines.
    pub(super) fn fetch_older(&mut self, id: ConversationId) {
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let before = conversation.transcript.oldest_line().unwrap_or(u64::MAX);
        let room = conversation.name.clone();
        let purpose = Purpose::Older { conversation: id, before };
        if self.asks.fetch(purpose, &room, Way::Before(before)) {
            conversation.older = Older::Fetching;
            conversation.transcript.mark_first_changed();
        }
        self.ask_next();
    }

    /// The answer to the question for a name.
    pub(super) fn choose_name(&mut self, name: &str) {
        let Some(naming) = &self.naming else { return };
        let name = name.trim();
        let is_given = !name.is_empty();
        let name = if is_given { name.to_owned() } else { naming.guest.clone() };
        let is_good = Name::parse(&name).is_ok_and(|parsed| parsed.tail().is_empty());
        if !is_good {
            return self.ask_name(Some((name, Phrase::NameInvalid)));
        }
        self.naming = None;
        self.is_guest = !is_given;
        self.take_name(name.clone());
        if self.status == Status::NotBegun { self.start() } else { self.link(LinkCommand::Rename { name }) }
    }

    pub(super) fn rename(&mut self, name: &str) {
        let name = name.trim();
        if !Name::parse(name).is_ok_and(|parsed| parsed.tail().is_empty()) {
            return self.complain(Phrase::NameInvalid);
        }
        self.renaming = Some(name.to_owned());
        self.link(LinkCommand::Rename { name: name.to_owned() });
        if self.status != Status::Ready {
            self.take_name(name.to_owned());
        }
    }

    pub(super) fn handle_renamed(&mut self, name: String) {
        self.renaming = None;
        self.hint(Sentence::new(Phrase::Renamed, &[&name]));
        self.take_name(name);
    }

    /// This is our name now.
    pub(super) fn take_name(&mut self, name: String) {
        // Who gave no name is asked again the next time.
        let is_chosen = !self.is_guest || name != self.guest;
        if is_chosen && self.settings.name != name {
            self.is_guest = false;
            self.settings.name.clone_from(&name);
            self.save_settings();
        }
        if self.name != name {
            self.name = name;
            self.restyle_rows();
        }
    }

    pub(super) fn ignore(&mut self, name: &str, is_ignored: bool) {
        let name = name.trim();
        let key = name_key(name);
        if name.is_empty() {
            return;
        }
        if key == name_key(&self.name) {
            return self.complain(Phrase::NotYourself);
        }
        if is_ignored && self.settings.ignored.len() >= LIST_MAX {
            return self.complain(Phrase::ListFull);
        }
        self.settings.ignored.retain(|ignored| name_key(ignored) != key);
        if is_ignored {
            self.settings.ignored.push(name.to_owned());
        }
        self.conversations.for_each_mut(|conversation| conversation.people.restyle());
        let phrase = if is_ignored { Phrase::Ignored } else { Phrase::Unignored };
        self.hint(Sentence::new(phrase, &[name]));
        self.restyle_rows();
        self.save_settings();
    }

    pub(super) fn mute(&mut self, id: ConversationId, is_muted: bool) {
        let Some(conversation) = self.conversations.get(id) else { return };
        if conversation.kind != Kind::Room {
            return self.complain(Phrase::NotARoom);
        }
        if is_muted && self.settings.muted.len() >= LIST_MAX {
            return self.complain(Phrase::ListFull);
        }
        let room = conversation.name.clone();
        self.settings.muted.retain(|muted| muted.to_lowercase() != room);
        if is_muted {
            self.settings.muted.push(room.clone());
        }
        let phrase = if is_muted { Phrase::Muted } else { Phrase::Unmuted };
        self.hint(Sentence::new(phrase, &[&room]));
        self.save_settings();
    }
}

impl Purpose {
    /// Whether it is about this conversation.
    pub(super) fn is_of(self, id: ConversationId) -> bool {
        match self {
            Self::Older { conversation, .. }
            | Self::Around { conversation, .. }
            | Self::Newer(conversation) => conversation == id,
            Self::Search => false,
        }
    }
}
