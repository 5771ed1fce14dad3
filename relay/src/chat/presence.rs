//! Sessions whose connection is gone: for a while nobody is told, and nobody else gets the name.

use tertulia_wire::limits::{RESTART_GRACE, RESUME_GRACE};

use super::names::Holder;
use super::rooms::Notice;
use super::sessions::{Presence, SESSIONS_MAX, SessionId};
use super::timers::Look;
use super::{Chat, ClientId, Cut, Event, RoomId};
use crate::moment::Moment;

impl Chat {
    /// The connection of a session is going, or gone: it may come back. Nothing, where it holds none.
    pub(super) fn step_away(&mut self, client: ClientId, cut: Option<Cut>, now: Moment) {
        let Some(session) = self.session_of(client).filter(|session| self.is_held_by(*session, client))
        else {
            return;
        };
        let rooms = self.rooms_of(client);
        let is_damaged = self.sessions.get(session).is_some_and(|session| session.is_damaged);
        // Nobody has its token.
        if is_damaged || self.is_greeting(client) {
            return self.sessions.forget(session);
        }
        let named = self.client_mut(client).and_then(|state| state.named.take_if(|named| named.is_announced));
        let Some(named) = named else {
            // Nobody has seen it come, and nobody misses it.
            self.forget_name(client, cut, now);
            return self.sign_off(client);
        };
        self.names.leave_to(named.base(), client, session);
        let due = now.after(RESUME_GRACE);
        self.sessions.step_away(session, due);
        self.timers.set(due, Look::Away(session));
        self.count_away(session, &rooms);
        self.events.push_back(Event::Left { client, name: named.shown, cut });
    }

    /// Notes in the connection's session whether the others have seen it come.
    pub(super) fn note_sight(&mut self, client: ClientId, is_seen: bool) {
        let Some(session) = self.session_of(client) else { return };
        if let Some(state) = self.sessions.get_mut(session).filter(|state| state.is_hidden == is_seen) {
            state.is_hidden = !is_seen;
            self.sessions.note_change(session);
        }
    }

    /// Whether the connection is there without anybody having seen it come.
    #[cfg(feature = "history")]
    pub(super) fn is_hidden(&self, client: ClientId) -> bool {
        let session = self.session_of(client).and_then(|session| self.sessions.get(session));
        session.is_some_and(|session| session.is_hidden)
    }

    /// Whoever was hidden may speak: first the others see it come.
    #[cfg(feature = "history")]
    pub(super) fn come_into_sight(&mut self, client: ClientId, now: Moment) {
        if !self.is_hidden(client) {
            return;
        }
        if let Some(named) = self.client_mut(client).and_then(|state| state.named.as_mut()) {
            named.is_announced = true;
        }
        self.note_sight(client, true);
        self.notice(client, Notice::Join, now);
    }

    fn count_away(&mut self, session: SessionId, rooms: &[RoomId]) {
        for room in rooms {
            if let Some(room) = self.rooms.get_mut(*room) {
                room.away.push(session);
            }
        }
    }

    /// Whoever holds the session says goodbye: the others are to see it go at once.
    pub(super) fn sign_off(&mut self, client: ClientId) {
        if let Some(session) = self.session_of(client).filter(|session| self.is_held_by(*session, client)) {
            self.sessions.end(session, self.ids.unix_ms());
        }
    }

    pub(super) fn is_held_by(&self, session: SessionId, client: ClientId) -> bool {
        self.sessions.get(session).is_some_and(|session| session.state == Presence::Online(client))
    }

    /// A session is there again: no room waits for it any more.
    pub(super) fn come_back(&mut self, session: SessionId) {
        for room in self.rooms_of_away(session) {
            if let Some(room) = self.rooms.get_mut(room) {
                room.away.retain(|away| *away != session);
            }
            self.rooms.free_if_empty(room, self.ids.last());
        }
    }

    fn rooms_of_away(&self, session: SessionId) -> Vec<RoomId> {
        let names = self.sessions.get(session).map_or(&[][..], |session| &session.rooms);
        names.iter().filter_map(|name| self.rooms.find(name)).collect()
    }

    /// A session did not come back in time.
    pub(super) fn look_at_away(&mut self, session: SessionId, now: Moment) {
        let state = self.sessions.get(session).map(|session| session.state);
        if matches!(state, Some(Presence::Away(due)) if due <= now) {
            self.give_up(session, now);
        }
    }

    /// The others see it leave, and its name is free.
    pub(super) fn give_up(&mut self, session: SessionId, now: Moment) {
        let Some(name) = self.sessions.get(session).map(|session| session.name.clone()) else { return };
        let rooms = self.rooms_of_away(session);
        self.sessions.end(session, self.ids.unix_ms());
        self.names.release_from(&name, Holder::Away(session));
        for room in rooms {
            if !self.is_session_elsewhere(session, room) {
                self.notice_in(room, None, &name, Notice::Leave, now);
            }
            if let Some(room) = self.rooms.get_mut(room) {
                room.away.retain(|away| *away != session);
            }
            self.settle_room(room);
        }
    }

    /// Where there are as many sessions as may be, one of them goes for a new one. Only where all are there, none does: of
    /// those there are no more than connections.
    pub(super) fn make_place_for_session(&mut self, now: Moment) {
        if self.sessions.len() < SESSIONS_MAX {
            return;
        }
        for is_silent in [true, false] {
            if self.sessions.forget_offline(is_silent) {
                return;
            }
            if let Some(session) = self.sessions.first_away(is_silent) {
                self.give_up(session, now);
                self.sessions.forget_offline(is_silent);
                return;
            }
        }
    }

    /// The relay has started, and nobody saw these go: their names and places wait for them.
    pub(super) fn hold_places(&mut self) {
        for session in self.sessions.before_restart() {
            let Some((name, rooms, account)) =
                self.sessions.get(session).map(|one| (one.name.clone(), one.rooms.clone(), one.account))
            else {
                continue;
            };
            self.names.hold_for(&name, session, account);
            let rooms: Vec<RoomId> =
                rooms.iter().filter_map(|room| self.rooms.find_or_add(room).ok()).collect();
            rooms.iter().for_each(|room| self.rooms.write_tagged(*room));
            self.count_away(session, &rooms);
        }
        self.timers.set(Moment::START.after(RESTART_GRACE), Look::Restart);
    }

    /// Who has not come back by now is gone.
    pub(super) fn end_restart(&mut self, now: Moment) {
        for session in self.sessions.before_restart() {
            self.give_up(session, now);
        }
    }
}
