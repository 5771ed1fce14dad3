//! The lines that the relay has not answered: kept until it does, in the order in which they were said, and sent again
//! under the same labels.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use super::error::SayError;
use super::sending::Say;
use crate::extended::Labeled;
use crate::limits::LABELS_KEPT;

/// Bytes that unanswered lines may hold together; beyond it the next one is refused as [`SayError::Full`]. Room for
/// hundreds of the longest lines, or for [`LABELS_KEPT`] of some 800 bytes.
pub const UNANSWERED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a line costs beyond its text.
const LINE_BYTES: usize = std::mem::size_of::<Unanswered>();

/// A line without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unanswered {
    pub(super) label: String,
    /// Empty where it is private.
    pub(super) room: String,
    pub(super) reply: Option<u64>,
    pub(super) as_who: Option<String>,
    pub(super) to: Option<String>,
    pub(super) text: String,
    /// None: no relay can have it.
    pub(super) sent: Option<Sent>,
    /// When it was sent over this connection.
    pub(super) sent_at: Option<Duration>,
}

/// How a line may have come to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    /// The session it was sent under: its key is this and its label.
    pub(super) sid: u64,
    /// The newest id known when it was sent first: its own is greater.
    pub(super) after: u64,
}

impl Unanswered {
    /// The line as it is sent, without its ending. The same each time, so that it is the same to the relay.
    pub(super) fn encode(&self) -> String {
        let word = |word: &Option<String>| word.clone().map(Cow::Owned);
        let labeled = Labeled {
            label: &self.label,
            room: Some(self.room.as_str()).filter(|room| !room.is_empty()).map(Cow::Borrowed),
            reply: self.reply,
            as_who: word(&self.as_who),
            to: word(&self.to),
            text: &self.text,
        };
        labeled.to_string()
    }

    /// What it was to say.
    pub(super) fn as_say(&self) -> Say<'_> {
        let (as_who, to) = (self.as_who.as_deref(), self.to.as_deref());
        Say { room: &self.room, text: &self.text, reply: self.reply, as_who, to }
    }

    fn bytes(&self) -> usize {
        let words = [&self.as_who, &self.to].into_iter().flatten().map(String::len).sum::<usize>();
        LINE_BYTES + self.label.len() + self.room.len() + self.text.len() + words
    }

    /// Whether it says the same, under whatever label.
    fn says_as(&self, other: &Self) -> bool {
        let said = |line: &Self| (line.room.clone(), line.reply, line.as_who.clone(), line.to.clone());
        self.text == other.text && said(self) == said(other)
    }
}

/// All of them, in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lines: VecDeque<Unanswered>,
    bytes: usize,
    /// So many from the front were sent over this connection.
    sent_count: usize,
    /// The first one is to be sent again, since its answer is late.
    is_first_due: bool,
}

impl Queue {
    /// Takes a line in. One that is in already is taken for the same.
    pub(super) fn push(&mut self, line: Unanswered, has_own_label: bool) -> Result<(), SayError> {
        if has_own_label {
            if let Some(known) = self.lines.iter().find(|known| known.label == line.label) {
                return if known.says_as(&line) { Ok(()) } else { Err(SayError::LabelReused) };
            }
        }
        let bytes = line.bytes();
        if self.lines.len() >= LABELS_KEPT || self.bytes + bytes > UNANSWERED_BYTES_MAX {
            return Err(SayError::Full);
        }
        self.bytes += bytes;
        self.lines.push_back(line);
        Ok(())
    }

    /// The relay has answered it.
    pub(super) fn remove(&mut self, label: &str) -> Option<Unanswered> {
        let index = self.lines.iter().position(|line| line.label == label)?;
        let line = self.lines.remove(index)?;
        self.bytes -= line.bytes();
        if index < self.sent_count {
            self.sent_count -= 1;
        }
        self.is_first_due &= index > 0;
        Some(line)
    }

    /// Whether a line with this label may have come to the relay, under whichever of the session's numbers: under a later one
    /// than is noted, if that was not kept in time.
    pub(super) fn is_sent(&self, label: &str) -> bool {
        self.lines.iter().any(|line| line.label == label && line.sent.is_some())
    }

    /// There is a new connection: all are to be sent over it.
    pub(super) fn rewind(&mut self) {
        self.sent_count = 0;
        self.is_first_due = false;
        self.lines.iter_mut().for_each(|line| line.sent_at = None);
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.is_first_due || self.sent_count < self.lines.len()
    }

    /// The next line that is to be sent, noted as sent now.
    pub(super) fn send_next(&mut self, sid: u64, after: u64, now: Duration) -> Option<&Unanswered> {
        let index = if self.is_first_due { 0 } else { self.sent_count };
        let line = self.lines.get_mut(index)?;
        if !std::mem::take(&mut self.is_first_due) {
            self.sent_count += 1;
        }
        line.sent_at = Some(now);
        if line.sent.is_none_or(|sent| sent.sid != sid) {
            line.sent = Some(Sent { sid, after });
        }
        Some(line)
    }

    /// When the first one was sent over this connection. None: it is still to be sent.
    pub(super) fn first_sent_at(&self) -> Option<Duration> {
        self.lines.front().filter(|_| !self.is_first_due)?.sent_at
    }

    /// The answer to the first one is late: it is sent again.
    pub(super) fn send_first_again(&mut self) {
        self.is_first_due = self.sent_count > 0;
    }

    /// Takes all of them out.
    pub(super) fn take_all(&mut self) -> VecDeque<Unanswered> {
        std::mem::take(self).lines
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Unanswered> {
        self.lines.iter()
    }
}
