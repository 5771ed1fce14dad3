//! Extended connections come and go in rooms: they may be in several.

use tertulia_wire::limits::ROOMS_PER_CLIENT_MAX;
use tertulia_wire::tags::escape;

use super::rooms::{Encoding, NOWHERE, Notice, Place, RoomError};
use super::{Chat, ClientId, ROOMS_MAX, RoomId};
use crate::moment::Moment;
use crate::phrases::Phrase;

impl Chat {
    /// `/join ROOM` of an extended connection: one more room.
    pub(super) fn add_room(&mut self, client: ClientId, room: &str, now: Moment) {
        if !self.admits(client, "JOIN", room) {
            return;
        }
        let rooms = self.rooms_of(client);
        let found = self.rooms.find(room);
        if let Some(room) = found.filter(|room| rooms.contains(room)) {
            return self.tell_joined(client, room);
        }
        if rooms.len() >= ROOMS_PER_CLIENT_MAX {
            let words = format!("FAIL JOIN TOO_MANY_ROOMS {ROOMS_PER_CLIENT_MAX}");
            return self.answer(client, &words, Some(Phrase::TooManyRoomsHere));
        }
        let room = match self.rooms.find_or_add(room) {
            Ok(room) => room,
            Err(error) => return self.refuse_room(client, error),
        };
        self.rooms.write_tagged(room);
        self.tell_joined(client, room);
        let log_end = self.rooms.log_end(Place { room, encoding: Encoding::Tagged });
        self.enter(client, room, log_end, None);
        self.note_session(client);
        if let Some(name) = self.shown_name(client).filter(|_| self.is_announced(client)) {
            self.notice_in(room, Some(client), &name, Notice::Join, now);
        }
    }

    /// A room that cannot be entered.
    pub(super) fn refuse_room(&mut self, client: ClientId, error: RoomError) {
        match error {
            RoomError::Name(_) => self.answer(client, "FAIL JOIN ROOM_INVALID", Some(Phrase::RoomInvalid)),
            RoomError::TooMany => {
                let words = format!("FAIL JOIN TOO_MANY_ROOMS {ROOMS_MAX}");
                self.answer(client, &words, Some(Phrase::TooManyRooms));
            }
        }
    }

    /// `/part ROOM`.
    pub(super) fn leave_room(&mut self, client: ClientId, room: &str, now: Moment) {
        if !self.is_extended(client) {
            return self.answer(client, "FAIL PART NOT_EXTENDED", Some(Phrase::NotExtended));
        }
        let rooms = self.rooms_of(client);
        let Some(room) = self.rooms.find(room).filter(|room| rooms.contains(room)) else {
            return self.answer(client, "FAIL PART NO_ROOM", Some(Phrase::NoRoom));
        };
        let words = format!("PARTED room={}", escape(&self.room_name(room)));
        let last_words = self.answer_text(client, &words, Some(Phrase::Parted));
        if let Some(name) = self.shown_name(client).filter(|_| self.is_announced(client)) {
            self.notice_in(room, Some(client), &name, Notice::Leave, now);
        }
        self.part(client, room, &last_words);
        self.note_session(client);
    }

    /// The session's name and rooms are those of its connection.
    pub(super) fn note_session(&mut self, client: ClientId) {
        let Some(session) = self.session_of(client) else { return };
        let named = self.client(client).and_then(|state| state.named.as_ref());
        let name = named.map(|named| named.base().to_owned());
        let rooms = self.rooms_of(client).iter().map(|room| self.room_name(*room)).collect();
        if let Some(session) = self.sessions.get_mut(session) {
            session.name = name.unwrap_or_default();
            session.rooms = rooms;
        }
        self.sessions.note_change(session);
    }

    /// Somebody or something is no longer in the room: without anybody who hears tags they are no longer written, and
    /// without anybody the room is freed.
    pub(super) fn settle_room(&mut self, room: RoomId) {
        let Some(state) = self.rooms.get(room) else { return };
        let hears_tags = |client: &ClientId| self.is_extended(*client);
        let is_needed = || {
            !state.away.is_empty()
                || state.members.iter().any(hears_tags)
                || state.lingering.iter().any(hears_tags)
        };
        if state.tagged.is_some() && room != NOWHERE && !is_needed() {
            self.rooms.stop_tagged(room);
        }
        self.rooms.free_if_empty(room, self.ids.last());
    }
}
