//! One conversation: a room, or a person. What is read of it and what is not; what is being written in it.

use std::time::Duration;

use super::entry::{Entry, EntryId, Place};
use super::event::Scroll;
use super::marks::Marks;
use super::people::People;
use super::transcript::{BYTES_KEPT, Transcript};
use crate::fold::name_key;

/// Tells a conversation from all others of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId(pub(super) u32);

impl ConversationId {
    /// Another one for each conversation.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A room, or a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A room.
    Room,
    /// One person.
    Private,
}

/// Whether the relay has us in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seat {
    /// Asked for, or to be asked for once there is a connection.
    Asked,
    /// In it. A private conversation always is.
    In,
    /// Not any more.
    Out,
}

/// What is known of older lines than those at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Older {
    /// There may be some.
    #[default]
    Unknown,
    /// They are being fetched.
    Fetching,
    /// There are none.
    None,
    /// The relay keeps none.
    NotKept,
    /// They could not be had; not asked for again before then.
    Failed {
        /// Since the start.
        until: Duration,
    },
}

/// Whether the newest lines are at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    /// They are, and what comes is put behind them.
    #[default]
    Here,
    /// They were dropped, because somebody reads far above.
    Dropped,
    /// They are being fetched; what comes is put in.
    Fetching,
}

/// What is being written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) text: String,
    /// In bytes, between characters.
    pub(crate) cursor: usize,
    /// The line it answers.
    pub(crate) reply: Option<EntryId>,
}

/// Lines that are held while newer ones are fetched; with more, these are fetched as well.
const HELD_MAX: usize = 1000;

/// Bytes that they hold, about; with more, these are fetched as well.
const HELD_BYTES_MAX: usize = 1024 * 1024;

/// Lines that came while newer ones than those at hand were fetched, and stand behind them.
#[derive(Debug, Default)]
struct Held {
    entries: Vec<Entry>,
    bytes: usize,
    /// There were more than are held.
    is_over: bool,
}

impl Held {
    fn push(&mut self, entry: Entry) {
        let bytes = self.bytes.saturating_add(entry.bytes());
        self.is_over |= self.entries.len() >= HELD_MAX || bytes > HELD_BYTES_MAX;
        if !self.is_over {
            self.bytes = bytes;
            self.entries.push(entry);
        }
    }
}

/// A conversation.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) id: ConversationId,
    pub(crate) kind: Kind,
    /// As it is shown: a room's as the relay has it, a person's as it was written last.
    pub(crate) name: String,
    pub(crate) seat: Seat,
    pub(crate) transcript: Transcript,
    pub(crate) people: People,
    pub(crate) draft: Draft,
    /// Lines of others that nobody has seen yet.
    pub(crate) unread: u64,
    /// Of these, those that name the reader; of a private conversation all.
    pub(crate) mentions: u64,
    /// The first line that was not read when it was last looked at.
    pub(crate) unread_line: Option<Place>,
    pub(crate) scroll: Scroll,
    pub(crate) older: Older,
    pub(crate) end: End,
    pub(super) marks: Marks,
    /// The reader has said something here.
    pub(super) is_answered: bool,
    held: Held,
}

impl Conversation {
    pub(super) fn new(id: ConversationId, kind: Kind, name: &str) -> Self {
        let seat = if kind == Kind::Room { Seat::Asked } else { Seat::In };
        // Of what is said privately the relay keeps nothing.
        let older = if kind == Kind::Room { Older::Unknown } else { Older::None };
        Self {
            id,
            kind,
            name: name.to_owned(),
            seat,
            transcript: Transcript::default(),
            people: People::default(),
            draft: Draft::default(),
            unread: 0,
            mentions: 0,
            unread_line: None,
            scroll: Scroll { is_at_end: true, is_near_start: false, first: None },
            older,
            end: End::Here,
            marks: Marks::default(),
            is_answered: false,
            held: Held::default(),
        }
    }

    /// Whether it is the conversation with this room or person.
    pub(super) fn is(&self, kind: Kind, key: &str) -> bool {
        self.kind == kind
            && match kind {
                Kind::Room => self.name == key,
                Kind::Private => name_key(&self.name) == key,
            }
    }

    /// Drops what was heard.
    pub(super) fn forget_lines(&mut self) {
        self.transcript.clear();
        self.people.replace(&[]);
        self.drop_held();
        self.mark_read();
        self.unread_line = None;
        self.marks = Marks::default();
        self.draft.reply = None;
        self.end = End::Here;
        if self.kind == Kind::Room {
            self.seat = Seat::Asked;
            self.older = Older::Unknown;
        }
    }

    /// All of it was seen.
    pub(super) fn mark_read(&mut self) {
        self.unread = 0;
        self.mentions = 0;
    }

    /// Takes the rule above what was not read away.
    pub(super) fn clear_unread_line(&mut self) {
        if let Some(position) = self.unread_line.take().and_then(|place| self.transcript.at(place)) {
            self.transcript.change(position, |_| {});
        }
    }

    /// Puts in a line that has just come. False: it is there already.
    pub(super) fn put_live(&mut self, entry: Entry) -> bool {
        match self.end {
            End::Here => self.transcript.insert(entry),
            End::Dropped => true,
            End::Fetching => {
                self.held.push(entry);
                true
            }
        }
    }

    /// Newer lines than those at hand have come. False: there are more, which are still to be fetched.
    pub(super) fn end_fetching(&mut self, is_more: bool) -> bool {
        let held = std::mem::take(&mut self.held);
        // What was held past the bound is to be fetched as well.
        let is_whole = !is_more && !held.is_over;
        self.end = if is_whole { End::Here } else { End::Dropped };
        if is_whole {
            held.entries.into_iter().for_each(|entry| {
                self.transcript.insert(entry);
            });
        }
        is_whole
    }

    /// What was held is fetched, if it is wanted.
    pub(super) fn drop_held(&mut self) {
        self.held = Held::default();
    }

    /// How many entries there are, those that are held included.
    pub(super) fn entries(&self) -> usize {
        self.transcript.len() + self.held.entries.len()
    }

    /// The bytes of all of them, about.
    pub(super) fn bytes(&self) -> usize {
        self.transcript.bytes() + self.held.bytes
    }

    /// Keeps the bounds of this one.
    pub(super) fn trim(&mut self) {
        self.trim_to(BYTES_KEPT);
    }

    /// Drops what is farthest from where somebody reads: the oldest lines where they are at the end, else the newest or the
    /// oldest. Only what the relay keeps can be fetched again.
    pub(super) fn trim_to(&mut self, bytes_max: usize) {
        let can_fetch = self.kind == Kind::Room && self.older != Older::NotKept;
        let reading = self.scroll.first.filter(|_| !self.scroll.is_at_end && can_fetch);
        let reading = reading.filter(|_| self.transcript.is_over(bytes_max));
        let place = reading.and_then(|entry| self.transcript.position(entry));
        let Some(place) = place else {
            let dropped = self.transcript.trim(bytes_max, usize::MAX);
            return self.note_front_dropped(dropped);
        };
        let is_in_upper_half = place < self.transcript.len() / 2;
        if is_in_upper_half {
            self.drop_end(bytes_max, place);
        }
        let dropped = self.transcript.trim(bytes_max, place);
        self.note_front_dropped(dropped);
        if !is_in_upper_half {
            self.drop_end(bytes_max, place.saturating_sub(dropped));
        }
    }

    /// The newest lines behind this place go, as far as there are too many.
    fn drop_end(&mut self, bytes_max: usize, place: usize) {
        if self.transcript.trim_end(bytes_max, place) > 0 {
            self.end = End::Dropped;
            self.drop_held();
        }
    }

    fn note_front_dropped(&mut self, count: usize) {
        if count > 0 && self.kind == Kind::Room && self.older != Older::NotKept {
            self.older = Older::Unknown;
        }
    }

    /// Whether something would be lost with it, or goes unseen: then it does not make room for another.
    pub(super) fn is_idle(&self) -> bool {
        let is_empty = self.draft.text.is_empty() && !self.has_unsent();
        is_empty && self.unread == 0 && !self.is_answered
    }

    /// Whether something would be lost with it.
    pub(super) fn has_unsent(&self) -> bool {
        self.transcript.unsent() > 0
    }
}
