//! Clients that know no lines: the programs this relay replaces. They send whole messages, and take each
//! `recv(1024)` for one. Here messages become lines, and lines become paced writes.

use std::io::IoSlice;

use tertulia_wire::limits::{UNFRAMED_PACE, UNFRAMED_READ_BYTES, UNFRAMED_WRITE_BYTES_MAX};
use tertulia_wire::message::{Message, RELAY_MARK};
use tertulia_wire::name::{JOIN_WORDS, LEAVE_WORDS, Name};
use tertulia_wire::text::{LINE_BREAK, cut, join_lines};

use super::ClientId;
use super::outbox::Outbox;
use super::rooms::Rooms;
use super::sink::{Sent, Sink};
use super::writing::Flushed;
use crate::moment::Moment;

/// What is being written to an unframed client.
#[derive(Debug, Default)]
pub(super) struct Unframed {
    /// One write: whole messages, or a piece of a long one. At most [`UNFRAMED_WRITE_BYTES_MAX`] bytes.
    chunk: String,
    /// Bytes of `chunk` that the socket took.
    written: usize,
    /// What is left of a message too long for one write.
    rest: String,
    /// When the next write may be.
    next_at: Moment,
    /// A timer is set for `next_at`.
    pub(super) is_timed: bool,
}

impl Unframed {
    /// Bytes taken from the outbox and not yet written.
    pub(super) fn waiting_bytes(&self) -> u64 {
        (self.chunk.len() - self.written + self.rest.len()) as u64
    }

    /// Whether anything was written in this way.
    pub(super) fn has_written(&self) -> bool {
        self.next_at > Moment::START
    }

    /// Writes one chunk, if it is time. `Flushed::More`: look again at [`Unframed::next_at`].
    pub(super) fn flush(
        &mut self,
        client: ClientId,
        outbox: &mut Outbox,
        rooms: &Rooms,
        now: Moment,
        sink: &mut dyn Sink,
    ) -> Flushed {
        if self.chunk.is_empty() {
            if now < self.next_at {
                return Flushed::More;
            }
            self.fill(outbox, rooms);
        }
        let Some(left) = self.chunk.as_bytes().get(self.written..).filter(|left| !left.is_empty()) else {
            return if outbox.is_at_end(rooms) { Flushed::Ended } else { Flushed::All };
        };
        match sink.write(client, &[IoSlice::new(left)]) {
            Sent::Bytes(bytes) => {
                self.written += bytes;
                outbox.has_taken |= bytes > 0;
            }
            Sent::Full => {}
            Sent::Broken => return Flushed::Broken,
        }
        if self.written < self.chunk.len() {
            outbox.blocked = true;
            return Flushed::Blocked;
        }
        self.chunk.clear();
        self.written = 0;
        self.next_at = now.after(UNFRAMED_PACE);
        // There may be nothing more; looking again costs one timer per write.
        Flushed::More
    }

    pub(super) fn next_at(&self) -> Moment {
        self.next_at
    }

    /// Makes the next chunk.
    fn fill(&mut self, outbox: &mut Outbox, rooms: &Rooms) {
        let mut line = Vec::new();
        while self.chunk.is_empty() || self.rest.is_empty() {
            if !self.rest.is_empty() {
                self.take_piece();
                return;
            }
            line.clear();
            let Some(bytes) = outbox.next_line(rooms, &mut line) else { return };
            let message = to_message(&String::from_utf8_lossy(&line));
            if self.chunk.is_empty() {
                self.rest = message;
            } else if self.chunk.len() + 1 + message.len() > UNFRAMED_WRITE_BYTES_MAX {
                return;
            } else {
                self.chunk.push('\n');
                self.chunk.push_str(&message);
            }
            outbox.advance(bytes, rooms);
            if self.chunk.is_empty() && self.rest.len() <= UNFRAMED_WRITE_BYTES_MAX {
                self.chunk = std::mem::take(&mut self.rest);
            }
        }
    }

    /// One write's worth of a long message. What is left will be shown as a line of its own, so it is guarded
    /// like one.
    fn take_piece(&mut self) {
        let piece = cut(&self.rest, UNFRAMED_WRITE_BYTES_MAX);
        self.chunk.push_str(piece);
        let rest = self.rest.split_off(piece.len());
        self.rest = rest;
        let first_line = self.rest.split('\n').next().unwrap_or_default();
        if forges(first_line) {
            self.rest.insert_str(0, "  ");
        }
    }
}

/// A line as an unframed client shows it: without its ending, with line feeds for the breaks inside.
fn to_message(line: &str) -> String {
    let line = line.trim_end_matches('\n');
    let mut parts = line.split(LINE_BREAK);
    let mut message = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        message.push('\n');
        if forges(part) {
            message.push_str("  ");
        }
        message.push_str(part);
    }
    message
}

/// Whether a reader would take this line, standing alone, for somebody else's or the relay's.
fn forges(line: &str) -> bool {
    line.starts_with(RELAY_MARK) || Message::parse(line).names_somebody()
}

/// Whether what has arrived begins as a line that carries a name does.
pub(super) fn begins_with_name(bytes: &[u8]) -> bool {
    let text = valid_start(bytes);
    let text = join_lines(text);
    let first_line = text.split(LINE_BREAK).next().unwrap_or_default();
    Message::parse(&text).names_somebody()
        || Message::parse(first_line).names_somebody()
        || split_leading_join(&text).is_some()
}

/// Whether more of this message may be on its way: it fills a read of the old programs, or ends inside a
/// character.
pub(super) fn looks_cut(read_bytes: usize, message: &[u8]) -> bool {
    read_bytes >= UNFRAMED_READ_BYTES
        || std::str::from_utf8(message).is_err_and(|error| error.error_len().is_none())
}

/// `NAME se ha unido al chat.` at the start of a message, and what follows it.
pub(super) fn split_leading_join(message: &str) -> Option<(Name<'_>, &str)> {
    let (name, rest) = message.split_once(JOIN_WORDS)?;
    Some((Name::parse(name).ok()?, rest))
}

/// What stands before `NAME ha abandonado el chat.` at the end of a message, and the NAME.
pub(super) fn split_trailing_leave<'a>(message: &'a str, own: &str) -> Option<&'a str> {
    message.strip_suffix(LEAVE_WORDS)?.strip_suffix(own)
}

fn valid_start(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes
            .get(..error.valid_up_to())
            .and_then(|start| std::str::from_utf8(start).ok())
            .unwrap_or_default(),
    }
}
