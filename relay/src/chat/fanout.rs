//! From a line said to the sockets of those who hear it.

use super::client::Mode;
use super::rooms::{Encoding, Place};
use super::seats::{find_outbox, flush_all};
use super::sink::Sink;
use super::timers::Look;
use super::writing::Flushed;
use super::{Chat, ClientId, Cut, RoomId};
use crate::log::{BLOCK_BYTES, Log};
use crate::moment::Moment;
use crate::sabotage::{self, Bug};

impl Chat {
    /// Writes what there is to write: first the outboxes that asked for it, then every room in which something
    /// was said, each receiver once.
    pub fn flush(&mut self, now: Moment, sink: &mut dyn Sink) {
        self.cut_fallen(now);
        #[cfg(feature = "history")]
        self.cut_unwelcome(now);
        for _ in 0..self.listed.len() {
            let Some(client) = self.listed.pop_front() else { break };
            self.flush_one(client, now, sink);
        }
        let dirty = self.rooms.take_dirty();
        for &room in &dirty {
            self.flush_room(room, now, sink);
        }
        self.rooms.give_back_dirty(dirty);
    }

    /// Whether [`Chat::flush`] has something to do that waits for no socket and no time.
    pub fn needs_flush(&self) -> bool {
        self.rooms.has_dirty() || !self.listed.is_empty()
    }

    /// About how many writes the next [`Chat::flush`] will take.
    pub fn flush_writes(&self) -> usize {
        self.listed.len() + self.rooms.dirty_members()
    }

    /// The socket takes bytes again.
    pub fn handle_writable(&mut self, client: ClientId) {
        if self.client(client).is_none() {
            return;
        }
        if let Some(outbox) = self.outbox_mut(client).filter(|outbox| outbox.blocked) {
            outbox.blocked = false;
            self.list(client);
        }
    }

    fn flush_room(&mut self, room: RoomId, now: Moment, sink: &mut dyn Sink) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        state.is_dirty = false;
        // Another one is first each time, so that nobody is always last.
        state.flush_first = (state.flush_first + 1) % state.members.len().max(1);
        let mut others = Vec::new();
        let Some(state) = self.rooms.get(room) else { return };
        let (last, first) =
            state.members.split_at_checked(state.flush_first).unwrap_or((&state.members, &[]));
        for &member in first.iter().chain(last) {
            let Some(outbox) = self.outboxes.get_mut(member.0 as usize) else { continue };
            if outbox.blocked {
                continue;
            }
            if outbox.unframed || outbox.gated || outbox.lingering || outbox.has_others {
                others.push(member);
                continue;
            }
            match outbox.flush(member, &self.rooms, sink) {
                Flushed::All | Flushed::Blocked => {}
                Flushed::More if !outbox.listed => {
                    outbox.listed = true;
                    self.listed.push_back(member);
                }
                Flushed::More => {}
                Flushed::Ended | Flushed::Broken => self.ended.push_back(member),
            }
        }
        for member in others {
            self.flush_one(member, now, sink);
        }
    }

    /// Flushes one outbox, with all that may follow from it.
    fn flush_one(&mut self, client: ClientId, now: Moment, sink: &mut dyn Sink) {
        let Some(state) = self.clients.get_mut(client.0 as usize).and_then(Option::as_mut) else { return };
        let Some(outbox) = self.outboxes.get_mut(client.0 as usize) else { return };
        outbox.listed = false;
        if outbox.blocked {
            return;
        }
        let is_between = state.unframed.as_ref().is_some_and(|unframed| unframed.waiting_bytes() == 0);
        if is_between && state.mode == Mode::Framed {
            // It has turned out to send lines: it hears lines from here on.
            if state.unframed.take().is_some_and(|unframed| unframed.has_written()) {
                outbox.insert_line_feed();
            }
            outbox.unframed = false;
        }
        let unframed = state.unframed.as_deref_mut().filter(|_| outbox.unframed);
        let flushed = match (unframed, state.extended.as_deref_mut()) {
            (Some(unframed), _) => unframed.flush(client, outbox, &self.rooms, now, sink),
            (None, Some(extended)) => flush_all(client, outbox, extended, &self.rooms, sink),
            (None, None) => outbox.flush(client, &self.rooms, sink),
        };
        if self.outbox(client).is_some_and(|outbox| outbox.gated) && self.has_place(client) {
            if let Some(outbox) = self.outbox_mut(client) {
                outbox.gated = false;
            }
            self.resumed.push_back(client);
        }
        match flushed {
            Flushed::All | Flushed::Blocked => {}
            Flushed::More => self.flush_later(client),
            Flushed::Ended | Flushed::Broken => self.ended.push_back(client),
        }
        if self.outbox(client).is_some_and(|outbox| outbox.lingering) {
            self.settle_lingering(client);
        }
    }

    /// There is more to write: to a framed client in the next turn, to an unframed one when it is time.
    fn flush_later(&mut self, client: ClientId) {
        let Some(state) = self.clients.get_mut(client.0 as usize).and_then(Option::as_mut) else { return };
        let Some(outbox) = self.outboxes.get_mut(client.0 as usize) else { return };
        let Some(unframed) = state.unframed.as_deref_mut().filter(|_| outbox.unframed) else {
            return self.list(client);
        };
        if !unframed.is_timed {
            unframed.is_timed = true;
            self.timers.set(unframed.next_at(), Look::Pace(client));
        }
    }

    /// An unframed client may be written to again.
    pub(super) fn look_at_pace(&mut self, client: ClientId) {
        let Some(unframed) = self.client_mut(client).and_then(|state| state.unframed.as_deref_mut()) else {
            return;
        };
        unframed.is_timed = false;
        self.list(client);
    }

    /// Has the outbox flushed by itself.
    pub(super) fn list(&mut self, client: ClientId) {
        if let Some(outbox) = self.outbox_mut(client).filter(|outbox| !outbox.listed) {
            outbox.listed = true;
            self.listed.push_back(client);
        }
    }

    /// A line for everybody in the room but the speaker: as plain connections hear it, and as extended ones do.
    pub(super) fn say_in(
        &mut self,
        room: RoomId,
        speaker: Option<ClientId>,
        plain: &[&[u8]],
        tagged: &[&[u8]],
    ) {
        let Some(state) = self.rooms.get(room) else { return };
        let hearers = state.members.len() as u64;
        let is_tagged = state.tagged.is_some();
        self.counts.lines_out += hearers - u64::from(speaker.is_some()).min(hearers);
        self.append(Place { room, encoding: Encoding::Plain }, speaker, plain);
        if is_tagged {
            self.append(Place { room, encoding: Encoding::Tagged }, speaker, tagged);
        }
    }

    fn append(&mut self, place: Place, speaker: Option<ClientId>, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        while let Some(start) = self.rooms.log(place).and_then(|log| log.start_after(length)) {
            self.drop_oldest(place, start);
        }
        let start = self.rooms.append(place, parts);
        let end = self.rooms.log_end(place);
        if let Some(outbox) = speaker.and_then(|speaker| self.outbox_in(speaker, place)) {
            outbox.skip(start, end - start);
        }
        if start / (BLOCK_BYTES as u64) != end / (BLOCK_BYTES as u64) {
            self.tidy_logs(place);
        }
    }

    /// Once a block: keeps the logs within their bounds.
    fn tidy_logs(&mut self, place: Place) {
        while let Some(largest) = self.rooms.largest_of_too_many() {
            let Some(start) = self.rooms.log(largest).and_then(Log::second_start) else { break };
            self.drop_oldest(largest, start);
        }
        let readers = self.readers(place.room);
        let read_up_to = readers.iter().filter_map(|&reader| self.oldest_in(reader, place)).min();
        self.rooms.drop_read(place, read_up_to.unwrap_or_else(|| self.rooms.log_end(place)));
    }

    fn readers(&self, room: RoomId) -> Vec<ClientId> {
        self.rooms.get(room).map_or_else(Vec::new, |room| [&room.members[..], &room.lingering[..]].concat())
    }

    /// Drops the oldest block of a log, which starts at `start` from then on. Who has still to read of it falls out: who
    /// hears tags is told of a gap, the others are cut. Their leave notices are said only when all are known: they may
    /// make the log lose another block.
    fn drop_oldest(&mut self, place: Place, start: u64) {
        for reader in self.readers(place.room) {
            if self.oldest_in(reader, place).is_none_or(|oldest| oldest >= start) {
                continue;
            }
            if sabotage::has(Bug::GapUntold) {
                if let Some(outbox) = self.outbox_reading(reader, place) {
                    outbox.cursor = start;
                }
                continue;
            }
            let (outboxes, clients, rooms) = (&mut self.outboxes, &mut self.clients, &self.rooms);
            let is_telling = place.encoding == Encoding::Tagged;
            let outbox = find_outbox(outboxes, clients, reader, |outbox| is_telling && outbox.place == place);
            match outbox.zip(rooms.log(place)) {
                Some((outbox, log)) => outbox.fall(log, start),
                None => self.fallen_out(reader),
            }
        }
        self.rooms.drop_oldest(place);
    }

    fn fallen_out(&mut self, client: ClientId) {
        if !self.fallen.contains(&client) {
            self.fallen.push(client);
        }
    }

    /// Cuts the readers that fell out of a log since the last call.
    fn cut_fallen(&mut self, now: Moment) {
        while let Some(client) = self.fallen.pop() {
            self.cut(client, Cut::Slow, now);
        }
    }
}
