//! Bugs put in on purpose, which the simulation must catch: a test of the tests. Without the feature
//! `sabotage` every question here is answered `false` at compile time.

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A reader that was blocked goes on one line later.
    SkippedCursor,
    /// A sender hears its own line.
    OwnLineEchoed,
    /// A name in use is given out again as it is.
    NameHeldTwice,
    /// A connection may say a line under any name.
    ForgedName,
    /// Control characters pass.
    UncleanText,
    /// A short write counts as a whole one.
    ShortWriteForgotten,
    /// Who vanishes leaves no notice.
    VanishedSilently,
    /// Who goes to another room stays in the first.
    TwoRooms,
    /// Lines that flood control held back are dropped.
    HeldBackLost,
    /// An answer overtakes the lines that were said before it.
    AnswerTooEarly,
    /// A storm's line counts one too few.
    StormMiscounted,
    /// A reader that fell out of the log goes on without a word.
    GapUntold,
    /// A reply is kept without what it answers.
    QuoteNotKept,
    /// Ids follow the clock, also when it goes back.
    IdsFollowTheClock,
    /// Tags say nothing of whose line it is.
    KeyLost,
    /// The history says nothing of whose line it is.
    KeyNotKept,
    /// A line that is sent again is said again.
    LabelForgotten,
    /// A line is acknowledged before it is kept.
    AckTooEarly,
    /// A line that was not kept is acknowledged.
    LostAcknowledged,
    /// Lines are kept, and nobody is told.
    AckLost,
}

impl Bug {
    /// Those of extended mode.
    pub const EXTENDED: [Self; 6] = [
        Self::KeyLost,
        Self::KeyNotKept,
        Self::LabelForgotten,
        Self::AckTooEarly,
        Self::LostAcknowledged,
        Self::AckLost,
    ];

    /// Those of plain mode.
    pub const ALL: [Self; 14] = [
        Self::SkippedCursor,
        Self::OwnLineEchoed,
        Self::NameHeldTwice,
        Self::ForgedName,
        Self::UncleanText,
        Self::ShortWriteForgotten,
        Self::VanishedSilently,
        Self::TwoRooms,
        Self::HeldBackLost,
        Self::AnswerTooEarly,
        Self::StormMiscounted,
        Self::GapUntold,
        Self::QuoteNotKept,
        Self::IdsFollowTheClock,
    ];
}

#[cfg(feature = "sabotage")]
mod switch {
    use super::Bug;
    use std::cell::Cell;

    thread_local! {
        static ACTIVE: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Puts a bug in, for this thread; `None` takes it out.
    pub fn set(bug: Option<Bug>) {
        ACTIVE.set(bug);
    }

    pub(crate) fn has(bug: Bug) -> bool {
        ACTIVE.get() == Some(bug)
    }
}

#[cfg(not(feature = "sabotage"))]
mod switch {
    pub(crate) const fn has(_: super::Bug) -> bool {
        false
    }
}

#[cfg(feature = "sabotage")]
pub use switch::set;

pub(crate) use switch::has;
