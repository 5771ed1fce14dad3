//! From a line said to the sockets of those who hear it: seats in rooms, and the flush.

use super::client::Mode;
use super::outbox::Flushed;
use super::sink::Sink;
use super::timers::Look;
use super::{Chat, ClientId, Cut, RoomId};
use crate::log::BLOCK_BYTES;
use crate::moment::Moment;
use crate::phrases::Phrase;
use crate::sabotage::{self, Bug};

impl Chat {
    /// Writes what there is to write: first the outboxes that asked for it, then every room in which something
    /// was said, each receiver once.
    pub fn flush(&mut self, now: Moment, sink: &mut dyn Sink) {
        self.cut_fallen(now);
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
            if outbox.unframed || outbox.gated || outbox.lingering {
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
        let flushed = match state.unframed.as_deref_mut().filter(|_| outbox.unframed) {
            Some(unframed) => unframed.flush(client, outbox, &self.rooms, now, sink),
            None => outbox.flush(client, &self.rooms, sink),
        };
        let is_place_again = outbox.gated && outbox.has_place();
        if is_place_again {
            outbox.gated = false;
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

    /// A line of the relay for one connection: `* WORDS :SENTENCE`.
    pub(super) fn answer(&mut self, client: ClientId, words: &str, phrase: Option<Phrase>) {
        let line = match phrase {
            Some(phrase) => format!("* {words} :{}\n", phrase.in_language(self.settings.language)),
            None => format!("* {words}\n"),
        };
        self.insert(client, &line);
    }

    /// A line, its ending included, for one connection.
    pub(super) fn insert(&mut self, client: ClientId, line: &str) {
        let Some(log_end) = self.room_of(client).map(|room| self.rooms.log_end(room)) else { return };
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.insert(line, log_end);
            self.counts.lines_out += 1;
            self.list(client);
        }
    }

    /// A line, in parts, its ending included, for everybody in the room but the speaker.
    pub(super) fn say_in(&mut self, room: RoomId, speaker: Option<ClientId>, parts: &[&[u8]]) {
        let Some(state) = self.rooms.get(room) else { return };
        let (kept_from, hearers) = (state.log.start(), state.members.len() as u64);
        let start = self.rooms.append(room, parts);
        let end = self.rooms.log_end(room);
        self.counts.lines_out += hearers - u64::from(speaker.is_some()).min(hearers);
        if let Some(outbox) = speaker.and_then(|speaker| self.outbox_mut(speaker)) {
            outbox.skip(start, end - start);
        }
        if start / (BLOCK_BYTES as u64) != end / (BLOCK_BYTES as u64) {
            self.tidy_logs(room);
        }
        if self.rooms.log(room).is_some_and(|log| log.start() != kept_from) {
            self.cut_fallen_out(room);
        }
    }

    /// Once a block: keeps the logs within their bounds.
    fn tidy_logs(&mut self, room: RoomId) {
        while let Some(shrunk) = self.rooms.shrink_largest() {
            self.cut_fallen_out(shrunk);
        }
        let read_up_to =
            self.readers(room).iter().filter_map(|&reader| self.outbox(reader)?.oldest_in(room)).min();
        self.rooms.drop_read(room, read_up_to.unwrap_or_else(|| self.rooms.log_end(room)));
    }

    fn readers(&self, room: RoomId) -> Vec<ClientId> {
        self.rooms.get(room).map_or_else(Vec::new, |room| [&room.members[..], &room.lingering[..]].concat())
    }

    /// Cuts those whose next byte the room's log no longer keeps. Their leave notices are said only when all
    /// are known: they may make the log lose another block.
    fn cut_fallen_out(&mut self, room: RoomId) {
        let Some(kept_from) = self.rooms.log(room).map(crate::log::Log::start) else { return };
        let has_fallen = |reader: &ClientId| {
            self.outbox(*reader)
                .and_then(|outbox| outbox.oldest_in(room))
                .is_some_and(|oldest| oldest < kept_from)
        };
        let fallen: Vec<ClientId> = self.readers(room).into_iter().filter(has_fallen).collect();
        for client in fallen {
            if sabotage::has(Bug::GapUntold) {
                if let Some(outbox) = self.outbox_mut(client) {
                    outbox.cursor = kept_from;
                }
                continue;
            }
            self.fallen_out(client);
        }
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

    pub(super) fn room_of(&self, client: ClientId) -> Option<RoomId> {
        self.client(client)?.room
    }

    /// Puts the connection into the room; it hears what is said there from now on.
    pub(super) fn seat(&mut self, client: ClientId, room: RoomId) {
        let Some(members) = self.rooms.get_mut(room).map(|room| &mut room.members) else { return };
        let seat = u32::try_from(members.len()).unwrap_or(u32::MAX);
        members.push(client);
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.seat = seat;
        }
        if let Some(state) = self.client_mut(client) {
            state.room = Some(room);
        }
    }

    /// Takes the connection out of its room. It still reads what was said there up to now.
    pub(super) fn unseat(&mut self, client: ClientId) {
        let Some(room) = self.client_mut(client).and_then(|state| state.room.take()) else { return };
        let Some(seat) = self.outbox(client).map(|outbox| outbox.seat as usize) else { return };
        let Some(state) = self.rooms.get_mut(room) else { return };
        if state.members.get(seat) == Some(&client) {
            state.members.swap_remove(seat);
        }
        let moved = state.members.get(seat).copied();
        let log_end = state.log.end();
        if let Some(outbox) = moved.and_then(|moved| self.outbox_mut(moved)) {
            outbox.seat = u32::try_from(seat).unwrap_or(u32::MAX);
        }
        let Some(outbox) = self.outbox_mut(client) else { return };
        if outbox.is_done_with(room, log_end) {
            self.rooms.free_if_empty(room);
        } else {
            outbox.lingering = true;
            if let Some(state) = self.rooms.get_mut(room) {
                state.lingering.push(client);
            }
        }
    }

    /// Moves the connection to another room: it hears all of the old one up to now, then the new one.
    pub(super) fn move_to(&mut self, client: ClientId, room: RoomId) {
        let Some(left) = self.room_of(client) else { return };
        let (left_end, log_end) = (self.rooms.log_end(left), self.rooms.log_end(room));
        if !sabotage::has(Bug::TwoRooms) {
            self.unseat(client);
        }
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.switch(left, left_end, room, log_end);
        }
        self.seat(client, room);
    }

    /// Nothing is heard beyond what is queued now; the connection is in no room any more.
    pub(super) fn end_outbox(&mut self, client: ClientId) {
        let Some(room) = self.room_of(client) else { return };
        let log_end = self.rooms.log_end(room);
        if let Some(outbox) = self.outbox_mut(client) {
            // Before the seat goes: the mark keeps the outbox reading this room.
            outbox.end(log_end);
        }
        self.unseat(client);
    }

    /// Nothing is heard any more but this line.
    pub(super) fn end_with(&mut self, client: ClientId, line: &str) {
        self.unseat(client);
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.end_with(line);
        }
        self.stop_lingering(client);
    }

    /// Takes the connection off the lists of rooms whose logs it no longer reads.
    fn settle_lingering(&mut self, client: ClientId) {
        let Some(outbox) = self.outboxes.get_mut(client.0 as usize) else { return };
        let mut lingers = false;
        let mut done = Vec::new();
        for (room, state) in self.rooms.iter_mut() {
            if state.lingering.contains(&client) {
                let reads = outbox.oldest_in(room).is_some() && !outbox.is_done_with(room, state.log.end());
                lingers |= reads;
                if !reads {
                    state.lingering.retain(|&lingering| lingering != client);
                    done.push(room);
                }
            }
        }
        outbox.lingering = lingers;
        for room in done {
            self.rooms.free_if_empty(room);
        }
    }

    pub(super) fn stop_lingering(&mut self, client: ClientId) {
        let Some(outbox) = self.outbox_mut(client).filter(|outbox| outbox.lingering) else { return };
        outbox.lingering = false;
        let mut left = Vec::new();
        for (room, state) in self.rooms.iter_mut() {
            if state.lingering.contains(&client) {
                state.lingering.retain(|&lingering| lingering != client);
                left.push(room);
            }
        }
        for room in left {
            self.rooms.free_if_empty(room);
        }
    }
}
