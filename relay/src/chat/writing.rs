//! From an outbox to its socket: what comes next, in one write if the socket takes it, and how far that moves the cursor. Knows no
//! socket: a [`Sink`] takes the bytes.
//!
//! This is the fan-out path. A receiver that is up to date and has no exceptions costs one look at its cursor, one look
//! into the log and one write.

use std::io::IoSlice;

use super::ClientId;
use super::outbox::{Mark, Outbox, What};
use super::rooms::Rooms;
use super::sink::{Outcome, Sink, offer, put_bytes};
use crate::log::Log;
use crate::sabotage::{self, Bug};

/// Pieces in one vectored write; the system's own limit is 1,024.
const PIECES_MAX: usize = 32;

/// Writes to one connection in a row before the others get their turn.
const WRITES_MAX: usize = 8;

/// An emptied queue larger than this gives its memory back.
const KEPT_BYTES_MAX: usize = 512;

/// What a flush came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flushed {
    /// Everything was taken.
    All,
    /// The socket is full.
    Blocked,
    /// There is more, but others come first.
    More,
    /// Everything was taken, and it was the last.
    Ended,
    /// The socket is broken.
    Broken,
}

impl Outbox {
    /// Writes what there is to write, as long as the socket takes it.
    pub(super) fn flush(&mut self, client: ClientId, rooms: &Rooms, sink: &mut dyn Sink) -> Flushed {
        if self.has_no_marks() {
            let Some(log) = rooms.log(self.place) else { return Flushed::All };
            return self.flush_plain(client, log, sink);
        }
        self.tell_gap(rooms);
        self.flush_marked(client, rooms, sink)
    }

    /// The common case: no exceptions, straight from the log.
    fn flush_plain(&mut self, client: ClientId, log: &Log, sink: &mut dyn Sink) -> Flushed {
        for _ in 0..WRITES_MAX {
            let piece = log.read(self.cursor, log.end());
            if piece.is_empty() {
                return Flushed::All;
            }
            match self.note(offer(client, &[IoSlice::new(piece)], sink)) {
                Ok(bytes) => self.cursor += bytes as u64,
                Err(flushed) => return flushed,
            }
            if self.blocked {
                if sabotage::has(Bug::SkippedCursor) {
                    self.cursor = self.cursor.saturating_add(4).min(log.end());
                }
                return Flushed::Blocked;
            }
            if self.cursor == log.end() {
                return Flushed::All;
            }
        }
        Flushed::More
    }

    fn flush_marked(&mut self, client: ClientId, rooms: &Rooms, sink: &mut dyn Sink) -> Flushed {
        for _ in 0..WRITES_MAX {
            let mut pieces = [IoSlice::new(&[]); PIECES_MAX];
            let count = self.gather(rooms, &mut pieces);
            if count == 0 {
                return self.pass_marks(rooms);
            }
            let outcome = offer(client, pieces.get(..count).unwrap_or_default(), sink);
            match self.note(outcome) {
                Ok(bytes) => self.advance(bytes, rooms),
                Err(flushed) => return flushed,
            }
            if self.blocked {
                return Flushed::Blocked;
            }
        }
        Flushed::More
    }

    /// Notes what became of a write: how many bytes to step over, or why it is over.
    fn note(&mut self, outcome: Outcome) -> Result<usize, Flushed> {
        match outcome {
            Outcome::Whole(bytes) => {
                self.inside_line = false;
                self.has_taken = true;
                Ok(bytes)
            }
            Outcome::Short { bytes, offered, is_inside_line } => {
                self.blocked = true;
                self.has_taken |= bytes > 0;
                self.inside_line = is_inside_line.unwrap_or(self.inside_line);
                Ok(if sabotage::has(Bug::ShortWriteForgotten) { offered } else { bytes })
            }
            Outcome::Broken => Err(Flushed::Broken),
        }
    }

    /// Fills `pieces` with what comes next, stepping over own lines, and says how many there are.
    fn gather<'a>(&'a self, rooms: &'a Rooms, pieces: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        let mut put = |piece: &'a [u8]| match pieces.get_mut(count) {
            Some(place) => {
                *place = IoSlice::new(piece);
                count += 1;
                true
            }
            None => false,
        };
        let (mut place, mut cursor) = (self.place, self.cursor);
        let mut inserted = 0;
        for mark in self.private.iter().flat_map(|private| &private.marks) {
            if !rooms.pieces(place, cursor, mark.at).all(&mut put) {
                return count;
            }
            cursor = mark.at;
            match mark.what {
                What::Skip(length) => cursor += length,
                What::Insert(length) => {
                    if !self
                        .private
                        .iter()
                        .all(|private| put_bytes(&private.bytes, inserted, length, &mut put))
                    {
                        return count;
                    }
                    inserted += length;
                }
                What::Switch(next, offset) => (place, cursor) = (next, offset),
                What::Gap(_) | What::End => return count,
            }
        }
        let _ = rooms.pieces(place, cursor, u64::MAX).all(&mut put);
        count
    }

    /// Moves behind `bytes` bytes that were written, and over whatever writes nothing.
    pub(super) fn advance(&mut self, mut bytes: usize, rooms: &Rooms) {
        while let Some(private) = self.private.as_deref_mut() {
            let Some(mark) = private.marks.front_mut() else { break };
            let before = usize::try_from(mark.at.saturating_sub(self.cursor)).unwrap_or(usize::MAX);
            if bytes < before || (bytes == 0 && before > 0) {
                break;
            }
            bytes -= before;
            self.cursor = mark.at;
            match mark.what {
                What::Skip(length) => self.cursor += length,
                What::Insert(length) => {
                    let taken = length.min(bytes);
                    private.bytes.drain(..taken);
                    bytes -= taken;
                    if taken < length {
                        mark.what = What::Insert(length - taken);
                        return;
                    }
                }
                What::Switch(place, offset) => (self.place, self.cursor) = (place, offset),
                What::Gap(_) | What::End => return,
            }
            private.marks.pop_front();
        }
        self.cursor += bytes as u64;
        self.shrink();
        debug_assert!(rooms.log(self.place).is_none_or(|log| self.cursor <= log.end()));
    }

    /// With nothing left to write: passes the marks that write nothing.
    fn pass_marks(&mut self, rooms: &Rooms) -> Flushed {
        self.advance(0, rooms);
        match self.private.as_ref().and_then(|private| private.marks.front()) {
            Some(Mark { what: What::End, .. }) => Flushed::Ended,
            // What comes before it was written: now it can be told.
            Some(Mark { what: What::Gap(_), .. }) => Flushed::More,
            _ => Flushed::All,
        }
    }

    fn shrink(&mut self) {
        if let Some(private) = &self.private {
            let kept = private.bytes.capacity() + private.marks.capacity() * size_of::<Mark>();
            if private.marks.is_empty() && kept > KEPT_BYTES_MAX {
                self.private = None;
            }
        }
    }

    /// The next whole line to write, its ending included, copied behind what is in `line`. `None`: there is
    /// none. The caller takes it off with [`Outbox::advance`].
    pub(super) fn next_line(&self, rooms: &Rooms, line: &mut Vec<u8>) -> Option<usize> {
        let mut pieces = [IoSlice::new(&[]); PIECES_MAX];
        let count = self.gather(rooms, &mut pieces);
        let before = line.len();
        for piece in pieces.iter().take(count) {
            if let Some(end) = memchr::memchr(b'\n', piece) {
                line.extend_from_slice(piece.get(..=end).unwrap_or_default());
                return Some(line.len() - before);
            }
            line.extend_from_slice(piece);
        }
        line.truncate(before);
        None
    }

    /// With nothing left to write: whether it was the last.
    pub(super) fn is_at_end(&mut self, rooms: &Rooms) -> bool {
        self.pass_marks(rooms) == Flushed::Ended
    }
}
