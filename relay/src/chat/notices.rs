//! Who came and who left, told to the others; and many at once, counted.

use tertulia_wire::name::{JOIN_WORDS, LEAVE_WORDS};
use tertulia_wire::tags::escape;

use super::rooms::Notice;
use super::tagged::TagValues;
use super::timers::Look;
use super::{Chat, ClientId, RoomId};
use crate::moment::Moment;
use crate::phrases::Phrase;
use crate::sabotage::{self, Bug};

impl Chat {
    /// Shows a join or leave notice to the others in the connection's rooms, or counts it in a storm.
    pub(super) fn notice(&mut self, client: ClientId, notice: Notice, now: Moment) {
        let Some(shown) = self.shown_name(client) else { return };
        for room in self.rooms_of(client) {
            self.notice_in(room, Some(client), &shown, notice, now);
        }
    }

    /// Shows a notice in one room.
    pub(super) fn notice_in(
        &mut self,
        room: RoomId,
        client: Option<ClientId>,
        shown: &str,
        notice: Notice,
        now: Moment,
    ) {
        if client.is_some_and(|client| self.is_elsewhere(client, room)) {
            return;
        }
        let Some(state) = self.rooms.get_mut(room) else { return };
        let was_raging = state.storm.is_raging();
        if !state.storm.count(notice, now) {
            if !was_raging {
                let due = state.storm.window_end();
                self.timers.set(due, Look::Storm(room));
            }
            return;
        }
        let words = if notice == Notice::Join { JOIN_WORDS } else { LEAVE_WORDS };
        let mut tags = String::new();
        if state.tagged.is_some() {
            let id = self.ids.next();
            state.newest = id;
            let unix_ms = self.ids.unix_ms();
            let notice = Some(notice);
            TagValues { id, unix_ms, room: Some(&state.name), notice, ..TagValues::default() }
                .write(&mut tags);
        }
        let plain = [shown, words, "\n"].map(str::as_bytes);
        let tagged = [&tags, shown, words, "\n"].map(str::as_bytes);
        self.say_in(room, client, &plain, &tagged);
    }

    /// A storm's second is over: everybody hears how many came and went.
    pub(super) fn end_storm(&mut self, room: RoomId, now: Moment) {
        let Some(storm) = self.rooms.get_mut(room).map(|room| &mut room.storm) else { return };
        if !storm.is_raging() || storm.window_end() > now {
            return;
        }
        let (mut joined, left) = storm.take();
        if sabotage::has(Bug::StormMiscounted) {
            joined = joined.saturating_sub(1);
        }
        let sentence = Phrase::Storm.in_language(self.settings.language);
        let words = format!("joined={joined} left={left} :{sentence}\n");
        let plain = format!("* NOTE ROOM STORM {words}");
        let tagged = format!("* NOTE ROOM STORM room={} {words}", escape(&self.room_name(room)));
        self.say_in(room, None, &[plain.as_bytes()], &[tagged.as_bytes()]);
    }
}
