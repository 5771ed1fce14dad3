//! Who is in which room. A plain connection is in one, an extended one in several or none: the first of them is read by its
//! outbox, each further one by an outbox of its own.

use super::client::{Client, Extended, Other};
use super::outbox::Outbox;
use super::rooms::{Encoding, NOWHERE, Place, Rooms};
use super::sink::Sink;
use super::writing::Flushed;
use super::{Chat, ClientId, RoomId};
use crate::sabotage::{self, Bug};

impl Chat {
    /// The room whose lines the connection's outbox hears; [`NOWHERE`] for an extended one that is in none.
    pub(super) fn room_of(&self, client: ClientId) -> Option<RoomId> {
        self.client(client)?.room
    }

    /// The rooms it is in.
    pub(super) fn rooms_of(&self, client: ClientId) -> Vec<RoomId> {
        let Some(state) = self.client(client) else { return Vec::new() };
        let mut rooms = Vec::new();
        rooms.extend(state.room.filter(|room| *room != NOWHERE));
        let others = state.others().iter().filter(|other| other.is_seated);
        rooms.extend(others.map(|other| other.outbox.place.room));
        rooms
    }

    /// The log behind whose end an answer to the connection stands.
    pub(super) fn place_of(&self, client: ClientId) -> Option<Place> {
        let state = self.client(client)?;
        Some(Place { room: state.room?, encoding: state.encoding() })
    }

    /// The connection's outbox with a seat in that room.
    pub(super) fn outbox_in(&mut self, client: ClientId, place: Place) -> Option<&mut Outbox> {
        let room = place.room;
        let state = self.clients.get_mut(client.0 as usize)?.as_mut()?;
        if state.encoding() != place.encoding {
            return None;
        }
        if state.room == Some(room) {
            return self.outboxes.get_mut(client.0 as usize);
        }
        let others = &mut state.extended.as_mut()?.others;
        let other = others.iter_mut().find(|other| other.is_seated && other.outbox.place.room == room)?;
        Some(&mut other.outbox)
    }

    /// The connection's outbox that has still to read something of that log.
    pub(super) fn outbox_reading(&mut self, client: ClientId, place: Place) -> Option<&mut Outbox> {
        find_outbox(&mut self.outboxes, &mut self.clients, client, |outbox| outbox.oldest_in(place).is_some())
    }

    /// Offset of the first byte of that log that the connection has still to read.
    pub(super) fn oldest_in(&self, client: ClientId, place: Place) -> Option<u64> {
        self.outboxes_of(client).filter_map(|outbox| outbox.oldest_in(place)).min()
    }

    /// Whether the connection's own input may add to what waits for it. While it has still to hear of a room that it left,
    /// it may not: what comes of its next commands is to stand behind that.
    pub(super) fn has_place(&self, client: ClientId) -> bool {
        let others = self.client(client).map_or(&[][..], Client::others);
        self.outboxes_of(client).all(Outbox::has_place) && others.iter().all(|other| other.is_seated)
    }

    /// All outboxes of the connection, the first one first.
    fn outboxes_of(&self, client: ClientId) -> impl Iterator<Item = &Outbox> {
        let others = self.client(client).map_or(&[][..], Client::others);
        self.outbox(client).into_iter().chain(others.iter().map(|other| &other.outbox))
    }

    /// Puts the connection into the room; its first outbox hears what is said there.
    pub(super) fn seat(&mut self, client: ClientId, room: RoomId) {
        let seat = self.take_seat(client, room);
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.seat = seat;
        }
        if let Some(state) = self.client_mut(client) {
            state.room = Some(room);
        }
    }

    fn take_seat(&mut self, client: ClientId, room: RoomId) -> u32 {
        let Some(members) = self.rooms.get_mut(room).map(|room| &mut room.members) else { return 0 };
        members.push(client);
        u32::try_from(members.len() - 1).unwrap_or(u32::MAX)
    }

    /// Takes the connection out of the room of its first outbox. It still reads what was said there up to now.
    pub(super) fn unseat(&mut self, client: ClientId) {
        let Some(room) = self.client_mut(client).and_then(|state| state.room.take()) else { return };
        let Some(seat) = self.outbox(client).map(|outbox| outbox.seat) else { return };
        self.give_seat_up(client, room, seat);
    }

    fn give_seat_up(&mut self, client: ClientId, room: RoomId, seat: u32) {
        let seat = seat as usize;
        let Some(state) = self.rooms.get_mut(room) else { return };
        if state.members.get(seat) == Some(&client) {
            state.members.swap_remove(seat);
        }
        if let Some(moved) = state.members.get(seat).copied() {
            let encoding = self.client(moved).map_or(Encoding::Plain, Client::encoding);
            if let Some(outbox) = self.outbox_in(moved, Place { room, encoding }) {
                outbox.seat = u32::try_from(seat).unwrap_or(u32::MAX);
            }
        }
        if !self.reads_room(client, room) {
            return self.settle_room(room);
        }
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.lingering = true;
        }
        if let Some(lingering) = self.rooms.get_mut(room).map(|room| &mut room.lingering) {
            if !lingering.contains(&client) {
                lingering.push(client);
            }
        }
    }

    fn reads_room(&self, client: ClientId, room: RoomId) -> bool {
        self.outboxes_of(client).any(|outbox| outbox.reads(room, &self.rooms))
    }

    /// Moves a plain connection to another room: it hears all of the old one up to now, then the new one.
    pub(super) fn move_to(&mut self, client: ClientId, room: RoomId) {
        let Some(left) = self.place_of(client) else { return };
        let place = Place { room, encoding: left.encoding };
        let (left_end, log_end) = (self.rooms.log_end(left), self.rooms.log_end(place));
        if !sabotage::has(Bug::TwoRooms) {
            self.unseat(client);
        }
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.switch(left, left_end, place, log_end);
        }
        self.seat(client, room);
    }

    /// From here on the connection hears tags. It leaves the room it is in, and is in none.
    pub(super) fn go_nowhere(&mut self, client: ClientId) {
        let Some(left) = self.place_of(client) else { return };
        let left_end = self.rooms.log_end(left);
        self.unseat(client);
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.switch(left, left_end, Place { room: NOWHERE, encoding: Encoding::Tagged }, 0);
        }
        if let Some(state) = self.client_mut(client) {
            state.room = Some(NOWHERE);
        }
    }

    /// Puts an extended connection into one more room, which it hears from `cursor` on; lines from `missed` on are a gap.
    pub(super) fn enter(&mut self, client: ClientId, room: RoomId, cursor: u64, missed: Option<u64>) {
        let place = Place { room, encoding: Encoding::Tagged };
        let nowhere = Place { room: NOWHERE, encoding: Encoding::Tagged };
        let is_first = self.room_of(client) == Some(NOWHERE);
        if is_first {
            if let Some(outbox) = self.outbox_mut(client) {
                outbox.switch(nowhere, 0, place, cursor);
                missed.into_iter().for_each(|from| outbox.miss_from(cursor, from));
            }
            self.seat(client, room);
        } else {
            let mut outbox = Outbox::new(place, cursor);
            missed.into_iter().for_each(|from| outbox.miss_from(cursor, from));
            outbox.seat = self.take_seat(client, room);
            if let Some(extended) = self.client_mut(client).and_then(|state| state.extended.as_mut()) {
                extended.others.push(Other { outbox, is_seated: true, goes_first: false });
            }
            if let Some(outbox) = self.outbox_mut(client) {
                outbox.has_others = true;
            }
        }
        self.list(client);
    }

    /// Takes an extended connection out of one room. What was said there before is still written, and then this.
    pub(super) fn part(&mut self, client: ClientId, room: RoomId, last_words: &str) {
        let log_end = self.rooms.log_end(Place { room, encoding: Encoding::Tagged });
        if self.room_of(client) == Some(room) {
            self.swap_first(client, log_end, last_words);
        } else {
            let Some(extended) = self.client_mut(client).and_then(|state| state.extended.as_mut()) else {
                return;
            };
            let found =
                extended.others.iter_mut().find(|other| other.is_seated && other.outbox.place.room == room);
            let Some(other) = found else { return };
            other.is_seated = false;
            other.outbox.insert(last_words, log_end);
            other.outbox.end(log_end);
            let seat = other.outbox.seat;
            self.give_seat_up(client, room, seat);
        }
        self.list(client);
    }

    /// Another of the connection's outboxes becomes the first; the first one ends with what it has.
    fn swap_first(&mut self, client: ClientId, log_end: u64, last_words: &str) {
        let Some(state) = self.clients.get_mut(client.0 as usize).and_then(Option::as_mut) else { return };
        let Some(outbox) = self.outboxes.get_mut(client.0 as usize) else { return };
        let Some(extended) = state.extended.as_deref_mut() else { return };
        let nowhere = Outbox::new(Place { room: NOWHERE, encoding: Encoding::Tagged }, 0);
        let next = extended.others.iter().position(|other| other.is_seated);
        let mut first = next.map_or(nowhere, |index| extended.others.swap_remove(index).outbox);
        first.take_flags(outbox);
        let room = state.room.replace(first.place.room);
        let mut left = std::mem::replace(outbox, first);
        left.insert(last_words, log_end);
        left.end(log_end);
        let seat = left.seat;
        outbox.has_others = true;
        extended.others.push(Other { outbox: left, is_seated: false, goes_first: true });
        if let Some(room) = room {
            self.give_seat_up(client, room, seat);
        }
    }

    /// Nothing is heard beyond what is queued now; the connection is in no room any more.
    pub(super) fn end_outbox(&mut self, client: ClientId) {
        for room in self.rooms_of(client).into_iter().skip(1) {
            self.part(client, room, "");
        }
        let Some(place) = self.place_of(client) else { return };
        let log_end = self.rooms.log_end(place);
        if let Some(outbox) = self.outbox_mut(client) {
            // Before the seat goes: the mark keeps the outbox reading this room.
            outbox.end(log_end);
        }
        self.unseat(client);
    }

    /// Nothing is heard any more but this line.
    pub(super) fn end_with(&mut self, client: ClientId, line: &str) {
        self.leave_others(client);
        self.unseat(client);
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.end_with(line);
        }
        self.stop_lingering(client);
    }

    /// Drops all but the first outbox of the connection, with what they had still to write.
    pub(super) fn leave_others(&mut self, client: ClientId) {
        let Some(extended) = self.client_mut(client).and_then(|state| state.extended.as_mut()) else {
            return;
        };
        let others = std::mem::take(&mut extended.others);
        for Other { outbox: left, is_seated, .. } in others {
            if let Some(outbox) = self.outbox_mut(client) {
                outbox.inside_line |= left.inside_line;
                outbox.has_others = false;
            }
            if is_seated {
                self.give_seat_up(client, left.place.room, left.seat);
            }
        }
    }

    /// Takes the connection off the lists of rooms whose logs it no longer reads.
    pub(super) fn settle_lingering(&mut self, client: ClientId) {
        let mut left = self.lingering_in(client);
        let all = left.len();
        left.retain(|room| !self.reads_room(client, *room));
        self.leave_logs(client, &left, left.len() < all);
    }

    pub(super) fn stop_lingering(&mut self, client: ClientId) {
        if self.outbox(client).is_some_and(|outbox| outbox.lingering) {
            let left = self.lingering_in(client);
            self.leave_logs(client, &left, false);
        }
    }

    /// The rooms that the connection has left and still reads, or did until now.
    fn lingering_in(&mut self, client: ClientId) -> Vec<RoomId> {
        let rooms = self.rooms.iter_mut().filter(|(_, room)| room.lingering.contains(&client));
        rooms.map(|(id, _)| id).collect()
    }

    fn leave_logs(&mut self, client: ClientId, left: &[RoomId], lingers: bool) {
        for room in left {
            if let Some(state) = self.rooms.get_mut(*room) {
                state.lingering.retain(|lingering| *lingering != client);
            }
            self.settle_room(*room);
        }
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.lingering = lingers;
        }
    }
}

/// The first of the connection's outboxes of which this holds.
pub(super) fn find_outbox<'a>(
    outboxes: &'a mut [Outbox],
    clients: &'a mut [Option<Client>],
    client: ClientId,
    is_meant: impl Fn(&Outbox) -> bool,
) -> Option<&'a mut Outbox> {
    let extended = clients.get_mut(client.0 as usize)?.as_mut()?.extended.as_deref_mut();
    let others =
        extended.into_iter().flat_map(|extended| &mut extended.others).map(|other| &mut other.outbox);
    outboxes.get_mut(client.0 as usize).into_iter().chain(others).find(|outbox| is_meant(outbox))
}

/// Flushes all outboxes of an extended connection. A line that was begun is ended first. The first outbox goes before the
/// others, because it holds the answers that speak of them; so did the one that was it before.
pub(super) fn flush_all(
    client: ClientId,
    outbox: &mut Outbox,
    extended: &mut Extended,
    rooms: &Rooms,
    sink: &mut dyn Sink,
) -> Flushed {
    let is_next = |other: &Other| other.outbox.inside_line;
    let was_first = |other: &Other| other.goes_first;
    let others = &extended.others;
    if let Some(index) = others.iter().position(is_next).or_else(|| others.iter().position(was_first)) {
        match flush_other(index, client, outbox, extended, rooms, sink) {
            Flushed::All | Flushed::Ended => {}
            stopped => return stopped,
        }
    }
    let first = outbox.flush(client, rooms, sink);
    if !matches!(first, Flushed::All | Flushed::Ended) {
        return first;
    }
    let mut index = 0;
    while index < extended.others.len() {
        match flush_other(index, client, outbox, extended, rooms, sink) {
            Flushed::All => index += 1,
            Flushed::Ended => {}
            stopped => return stopped,
        }
    }
    first
}

/// Flushes one of the others; one that has ended is taken away.
fn flush_other(
    index: usize,
    client: ClientId,
    outbox: &mut Outbox,
    extended: &mut Extended,
    rooms: &Rooms,
    sink: &mut dyn Sink,
) -> Flushed {
    let Some(other) = extended.others.get_mut(index) else { return Flushed::All };
    let flushed = other.outbox.flush(client, rooms, sink);
    // What is true of the socket is noted with the first.
    outbox.blocked |= std::mem::take(&mut other.outbox.blocked);
    outbox.has_taken |= std::mem::take(&mut other.outbox.has_taken);
    if flushed == Flushed::Ended {
        extended.others.swap_remove(index);
        outbox.has_others = !extended.others.is_empty();
        outbox.lingering = true;
    }
    flushed
}
