//! That the threads of the history are there. One that ends before the relay does, whatever ended it, is told of at once:
//! nobody waits for what it will not do.

use std::sync::Arc;

use super::desk::{Bell, Shared};

/// A line with these words ends the thread that is to write it, and a search for them the one that is to read.
#[cfg(feature = "sabotage")]
#[doc(hidden)]
pub const DEADLY_WORDS: &str = "deadly words";

/// What a thread does for the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    Write,
    Read,
    /// Where the file can be opened only once.
    Both,
}

impl Duty {
    pub(super) fn writes(self) -> bool {
        self != Self::Read
    }

    pub(super) fn reads(self) -> bool {
        self != Self::Write
    }

    /// As it is told to the operator.
    pub(super) fn trouble(self) -> &'static str {
        match self {
            Self::Write | Self::Both => "the thread that writes the history has ended; start the relay again",
            Self::Read => "the thread that reads the history has ended; start the relay again",
        }
    }
}

/// Held by a thread for as long as it does its duty.
pub(super) struct OnDuty {
    duty: Duty,
    shared: Arc<Shared>,
    bell: Bell,
}

impl OnDuty {
    pub(super) fn begin(duty: Duty, shared: &Arc<Shared>, bell: &Bell) -> Self {
        Self { duty, shared: Arc::clone(shared), bell: Arc::clone(bell) }
    }
}

impl Drop for OnDuty {
    fn drop(&mut self) {
        let mut desk = self.shared.desk();
        if desk.is_ending {
            return;
        }
        desk.note_end_of(self.duty);
        drop(desk);
        // A question may wait for what will not be written.
        self.shared.reads.notify_one();
        (self.bell)();
    }
}

/// Ends the thread where a test wants that.
#[cfg(feature = "sabotage")]
pub(super) fn end_for(words: &str) {
    if words == DEADLY_WORDS {
        std::panic::resume_unwind(Box::new(DEADLY_WORDS));
    }
}
