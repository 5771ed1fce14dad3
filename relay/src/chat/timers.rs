//! What is due when. A timer only says "look": whoever set it keeps what it was for, so one that comes too
//! early, twice, or for a connection that is gone does no harm.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::sessions::SessionId;
use super::{ClientId, RoomId};
use crate::moment::Moment;

/// What to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// Input that waits: to be decided on, for its rest, or for flood control.
    Input(ClientId),
    /// An unframed client whose next write was not yet allowed.
    Pace(ClientId),
    /// A connection that is being closed and may not take forever.
    Close(ClientId),
    /// A room whose storm is over.
    Storm(RoomId),
    /// A connection whose token is not kept yet.
    Greeting(ClientId),
    /// A session whose connection is gone.
    Away(SessionId),
    /// Rooms of before the relay's start, in which nobody may be.
    Restart,
    /// Extended connections that may have gone silent.
    Ping,
}

/// All timers, the next one first.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Moment, Look)>>,
}

impl Timers {
    pub(super) fn set(&mut self, due: Moment, look: Look) {
        self.heap.push(Reverse((due, look)));
    }

    pub(super) fn next_due(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse((due, _))| *due)
    }

    /// The next timer that is due, taken off.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<Look> {
        self.heap.peek().filter(|Reverse((due, _))| *due <= now)?;
        self.heap.pop().map(|Reverse((_, look))| look)
    }
}
