//! What a connection has still to hear: not a copy, but a cursor into its room's log, and a small queue of
//! exceptions that lie ahead of the cursor.

use std::collections::VecDeque;

use tertulia_wire::secret::Secret;

use super::RoomId;
use super::rooms::{Place, Rooms};
use crate::sabotage::{self, Bug};

/// Bytes of answers that may wait for a connection before it is no longer read: two full answers to `/who`.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Exceptions that may lie ahead of a cursor before its connection is no longer read.
pub const MARKS_MAX: usize = 256;

/// One connection's outbox. Kept small: the flush looks at every receiver's, each round.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Offset in the log of `place` of the first byte not yet written. At the end of the log, without marks:
    /// there is nothing to write.
    pub(super) cursor: u64,
    pub(super) place: Place,
    /// Position in the member list of its room.
    pub(super) seat: u32,
    /// Exceptions ahead of the cursor; absent while there never was one.
    pub(super) private: Option<Box<Private>>,
    /// The socket was full; nothing is written until it says that it is writable.
    pub(super) blocked: bool,
    /// The last byte written was not the end of a line.
    pub(super) inside_line: bool,
    /// The socket took something since this was last made false.
    pub(super) has_taken: bool,
    /// Written by `unframed`, at its own pace.
    pub(super) unframed: bool,
    /// Stands in the list of outboxes to flush by themselves.
    pub(super) listed: bool,
    /// The connection is not read because of what waits here.
    pub(super) gated: bool,
    /// It stands in the `lingering` list of a room it has left.
    pub(super) lingering: bool,
    /// Its connection has further outboxes, in other rooms.
    pub(super) has_others: bool,
}

#[derive(Debug, Default)]
pub(super) struct Private {
    /// In order of `at`, none behind the cursor.
    pub(super) marks: VecDeque<Mark>,
    /// The bytes of all `Insert` marks, in order. A token may be among them.
    pub(super) bytes: Secret<VecDeque<u8>>,
}

/// Something other than log bytes, where the cursor comes to `at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) at: u64,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The connection's own words: so many bytes are not written.
    Skip(u64),
    /// So many bytes of `Private::bytes` are written.
    Insert(usize),
    /// The cursor goes on in another log, at this offset.
    Switch(Place, u64),
    /// Lines are missing here, from this id on; to be said before anything else is written.
    Gap(u64),
    /// Nothing more is written.
    End,
}

impl Outbox {
    pub(super) fn new(place: Place, cursor: u64) -> Self {
        Self {
            cursor,
            place,
            seat: 0,
            private: None,
            blocked: false,
            inside_line: false,
            has_taken: false,
            unframed: false,
            listed: false,
            gated: false,
            lingering: false,
            has_others: false,
        }
    }

    /// The connection's own line, which it does not hear: `length` bytes at `start`, the newest of the log.
    pub(super) fn skip(&mut self, start: u64, length: u64) {
        if sabotage::has(Bug::OwnLineEchoed) {
            return;
        }
        if self.cursor == start && self.has_no_marks() {
            self.cursor += length;
            return;
        }
        let private = self.private.get_or_insert_default();
        match private.marks.back_mut() {
            Some(Mark { at, what: What::Skip(skipped) }) if *at + *skipped == start => *skipped += length,
            _ => private.marks.push_back(Mark { at: start, what: What::Skip(length) }),
        }
    }

    /// A line for this connection alone, heard after everything that was said up to now.
    pub(super) fn insert(&mut self, line: &str, log_end: u64) {
        let at = if sabotage::has(Bug::AnswerTooEarly) { self.cursor } else { log_end };
        let private = self.private.get_or_insert_default();
        private.bytes.extend(line.as_bytes());
        match private.marks.back_mut() {
            Some(Mark { at: last, what: What::Insert(length) }) if *last == at => *length += line.len(),
            _ if at < log_end => private.marks.push_front(Mark { at, what: What::Insert(line.len()) }),
            _ => private.marks.push_back(Mark { at, what: What::Insert(line.len()) }),
        }
    }

    /// A line feed before everything else: ends what was written without one.
    pub(super) fn insert_line_feed(&mut self) {
        self.inside_line = true;
        let at = self.cursor;
        let private = self.private.get_or_insert_default();
        private.bytes.push_front(b'\n');
        private.marks.push_front(Mark { at, what: What::Insert(1) });
    }

    /// From the end of the log that it leaves, `log_end`, the connection hears `place`, from `cursor` on.
    pub(super) fn switch(&mut self, left: Place, log_end: u64, place: Place, cursor: u64) {
        if self.is_done_with(left, log_end) {
            (self.place, self.cursor) = (place, cursor);
        } else {
            self.push(Mark { at: log_end, what: What::Switch(place, cursor) });
        }
    }

    /// Nothing is heard beyond the present end of the room's log.
    pub(super) fn end(&mut self, log_end: u64) {
        self.push(Mark { at: log_end, what: What::End });
    }

    /// Drops everything not yet written but `line`, which becomes the last.
    pub(super) fn end_with(&mut self, line: &str) {
        self.private = None;
        if self.inside_line {
            self.insert("\n", self.cursor);
        }
        self.insert(line, self.cursor);
        self.end(self.cursor);
    }

    /// Takes over what is true of the connection, and not of a room.
    pub(super) fn take_flags(&mut self, before: &mut Self) {
        self.blocked = std::mem::take(&mut before.blocked);
        self.has_taken = before.has_taken;
        self.listed = before.listed;
        self.gated = before.gated;
        self.lingering = before.lingering;
    }

    /// From here on whole messages are written. The rest of a line that was begun is one.
    pub(super) fn become_unframed(&mut self) {
        self.unframed = true;
        self.inside_line = false;
    }

    /// Offset of the first byte of this log that it has still to read, if it reads it at all.
    pub(super) fn oldest_in(&self, place: Place) -> Option<u64> {
        if self.place == place {
            return Some(self.cursor);
        }
        self.private.iter().flat_map(|private| &private.marks).find_map(|mark| match mark.what {
            What::Switch(next, offset) if next == place => Some(offset),
            _ => None,
        })
    }

    /// Whether it has still to read something of a log of this room.
    pub(super) fn reads(&self, room: RoomId, rooms: &Rooms) -> bool {
        let is_done = self.is_done_with(self.place, rooms.log_end(self.place));
        let later = self.private.iter().flat_map(|private| &private.marks);
        (self.place.room == room && !is_done)
            || later.into_iter().any(|mark| matches!(mark.what, What::Switch(next, _) if next.room == room))
    }

    /// Whether everything up to `log_end` of this log was written.
    pub(super) fn is_done_with(&self, place: Place, log_end: u64) -> bool {
        self.place == place && self.cursor == log_end && self.has_no_marks()
    }

    /// Whether the connection's own input may add to this outbox.
    pub(super) fn has_place(&self) -> bool {
        self.private
            .as_ref()
            .is_none_or(|private| private.marks.len() < MARKS_MAX && private.bytes.len() < ANSWER_BYTES_MAX)
    }

    /// Bytes waiting, those of the log and the private ones. Own lines count.
    pub(super) fn waiting_bytes(&self, log_end: u64) -> u64 {
        let private = self.private.as_ref().map_or(0, |private| private.bytes.len());
        log_end.saturating_sub(self.cursor) + private as u64
    }

    pub(super) fn has_no_marks(&self) -> bool {
        self.private.as_ref().is_none_or(|private| private.marks.is_empty())
    }

    fn push(&mut self, mark: Mark) {
        self.private.get_or_insert_default().marks.push_back(mark);
    }
}
