//! What is known of one connection, apart from its outbox.

use tertulia_wire::lines::Lines;
use tertulia_wire::name::Name;
use tertulia_wire::secret::Secret;

use super::RoomId;
#[cfg(feature = "history")]
use super::accounts::Standing;
use super::origin::Origin;
use super::outbox::Outbox;
use super::rare::{Rare, Unchanged};
use super::rooms::Encoding;
use super::sessions::SessionId;
use super::unframed::Unframed;
use crate::flood::Bucket;
use crate::moment::Moment;

/// One connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) mode: Mode,
    /// The room it is in. Its cursor may still be in one it has left.
    pub(super) room: Option<RoomId>,
    /// The start of an incomplete line.
    pub(super) lines: Lines,
    pub(super) input: Rare<Input>,
    pub(super) origin: Origin,
    #[cfg(feature = "history")]
    pub(super) standing: Standing,
    pub(super) bucket: Bucket,
    /// No line was taken yet: it may still be another protocol.
    pub(super) is_first: bool,
    /// `input.waiting` is held back by flood control or a full outbox; nothing is read.
    pub(super) is_held_back: bool,
    /// It has asked the history something.
    pub(super) awaits_history: bool,
    /// The peer will send no more.
    pub(super) has_ended: bool,
    /// The outbox has its last line; nothing is read.
    pub(super) is_closing: bool,
    pub(super) named: Option<Box<Named>>,
    pub(super) unframed: Option<Box<Unframed>>,
    pub(super) extended: Option<Box<Extended>>,
}

/// What waits of a connection's input, and when to look at it.
#[derive(Debug)]
pub(super) struct Input {
    /// Not yet looked at: before the mode is decided, for the rest of a message, or held back.
    pub(super) waiting: Secret<Vec<u8>>,
    /// Since when [`Client::held_bytes`] are some.
    pub(super) since: Moment,
    /// [`Client::held_bytes`] as counted in the sum of all.
    pub(super) counted: usize,
    /// When to look at `waiting`, or, while closing, to stop waiting for the peer; else [`Moment::NEVER`].
    pub(super) due: Moment,
    /// A line was too long, and that is still to be said, with this label; empty: it had none.
    pub(super) owes_refusal: Option<Box<str>>,
    /// Until when it may wait for the last answers; [`Moment::NEVER`]: it does not wait yet.
    pub(super) ends_by: Moment,
}

impl Input {
    const NONE: Self = Self {
        waiting: Secret(Vec::new()),
        since: Moment::NEVER,
        counted: 0,
        due: Moment::NEVER,
        owes_refusal: None,
        ends_by: Moment::NEVER,
    };
}

impl Unchanged for Input {
    const UNCHANGED: &'static Self = &Self::NONE;
}

impl Default for Input {
    fn default() -> Self {
        Self::NONE
    }
}

/// What an extended connection has besides.
#[derive(Debug)]
pub(super) struct Extended {
    pub(super) session: SessionId,
    /// Its token, while that is not kept yet: it was not greeted, and nothing is taken from it.
    pub(super) greeting: Option<Secret<Box<str>>>,
    /// Outboxes in further rooms: it is in these, or left them and still reads what was said before.
    pub(super) others: Vec<Other>,
    /// When something was last heard of it.
    pub(super) heard_at: Moment,
    /// It was asked whether it is there, at this moment.
    pub(super) pinged_at: Option<Moment>,
}

/// An outbox in a further room.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) outbox: Outbox,
    /// It is still in that room.
    pub(super) is_seated: bool,
    /// It holds what is to be written before what the first outbox holds: it was that one.
    pub(super) goes_first: bool,
}

/// How a connection's bytes are cut into messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Not decided yet.
    Undecided,
    /// Lines.
    Framed,
    /// Each read is a message.
    Unframed,
}

/// The name of a connection.
#[derive(Debug)]
pub(super) struct Named {
    /// `NAME` or `NAME - WHO`, as others see it.
    pub(super) shown: String,
    /// Bytes of `NAME`, which is what is held.
    pub(super) base_bytes: usize,
    /// The `NAME` it asked for, where that was taken.
    pub(super) asked: Option<String>,
    /// Others have seen it join.
    pub(super) is_announced: bool,
}

impl Client {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            mode: Mode::Undecided,
            room: None,
            lines: Lines::default(),
            input: Rare::default(),
            origin,
            #[cfg(feature = "history")]
            standing: Standing::default(),
            bucket: Bucket::default(),
            is_first: true,
            is_held_back: false,
            awaits_history: false,
            has_ended: false,
            is_closing: false,
            named: None,
            unframed: None,
            extended: None,
        }
    }

    /// How it hears what is said.
    pub(super) fn encoding(&self) -> Encoding {
        if self.extended.is_some() { Encoding::Tagged } else { Encoding::Plain }
    }

    /// Its outboxes for further rooms.
    pub(super) fn others(&self) -> &[Other] {
        self.extended.as_ref().map_or(&[], |extended| &extended.others)
    }

    /// Bytes of memory held for input.
    pub(super) fn held_bytes(&self) -> usize {
        self.lines.held_bytes() + self.input.waiting.capacity()
    }
}

impl Named {
    pub(super) fn base(&self) -> &str {
        self.shown.get(..self.base_bytes).unwrap_or_default()
    }

    /// Others see no ` - WHO` any more.
    #[cfg(feature = "history")]
    pub(super) fn drop_tail(&mut self) {
        self.shown.truncate(self.base_bytes);
    }

    /// Whether this is the connection's own name, or the one it asked for.
    pub(super) fn is_own(&self, name: &Name<'_>) -> bool {
        name.base() == self.base() || self.asked.as_deref() == Some(name.base())
    }
}
