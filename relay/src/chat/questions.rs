//! What the chat asks of the history, and what that answers.

use crate::batch::Batch;

/// What is asked of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// To tell answers apart.
    pub ticket: u64,
    /// What is to be read.
    pub what: Wanted,
}

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Lines of a room, ascending.
    Lines {
        /// Which room.
        room: String,
        /// Only lines before this one; then the newest of them.
        before: Option<u64>,
        /// Only lines after this one; then the oldest of them.
        after: Option<u64>,
        /// At most so many.
        limit: u32,
    },
    /// Lines that have all of these words, the newest of them, ascending.
    Search {
        /// Which room; all of them.
        room: Option<String>,
        /// As somebody wrote them.
        words: String,
        /// Only lines before this one.
        before: Option<u64>,
        /// At most so many.
        limit: u32,
    },
    /// The newest labeled lines of the session with this number, ascending. It has said none above this id.
    Labels(u64, u64),
    /// The accounts, if somebody else than this relay has changed one since this version of them.
    #[cfg(feature = "history")]
    Accounts {
        /// The version that is known.
        after: u64,
    },
}

/// What came of a question.
#[derive(Debug)]
pub enum Answer {
    /// These lines, in the order in which they were said.
    Lines(Batch),
    /// The same, but some that were said before the question are not written yet.
    Early(Batch),
    /// It cannot be read now.
    Unreadable,
    /// It is damaged, and cannot be read later either.
    Damaged,
    /// A search that takes too long.
    Costly,
    /// The accounts, where somebody else has changed them.
    #[cfg(feature = "history")]
    Accounts(Option<Box<crate::account::AccountsKept>>),
    /// They cannot be read: which file, and why.
    #[cfg(feature = "history")]
    AccountsUnreadable(String),
}
