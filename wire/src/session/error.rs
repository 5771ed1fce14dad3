//! Why a session refuses what it is asked.

use std::fmt;

use super::fetch::WORDS_BYTES_MAX;
use crate::limits::{LABELS_KEPT, ROOMS_PER_CLIENT_MAX};
use crate::name::NameError;

/// Why a line is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SayError {
    /// Nothing is left of the text once it is clean.
    Empty,
    /// The line, its tags included, has more bytes than a relay takes.
    TooLong {
        /// What it has.
        bytes: usize,
        /// What it may have.
        bytes_max: usize,
    },
    /// The label is none.
    Label,
    /// Another line that waits has that label.
    LabelReused,
    /// The room's name is none.
    Room(NameError),
    /// Too many lines, or bytes, wait for an answer. Nothing is lost: say it again once some were acknowledged.
    Full,
}

impl fmt::Display for SayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is nothing to say"),
            Self::TooLong { bytes, bytes_max } => {
                write!(f, "a line of {bytes} bytes; {bytes_max} are the most")
            }
            Self::Label => f.write_str("a label is 1 to 64 of A-Z a-z 0-9 . _ -"),
            Self::LabelReused => f.write_str("another line that waits has that label"),
            Self::Room(error) => write!(f, "that is no room: {error}"),
            Self::Full => write!(
                f,
                "too much waits for an answer of the relay ({LABELS_KEPT} lines at most); try again later"
            ),
        }
    }
}

impl std::error::Error for SayError {}

/// Why the session does not do what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskError {
    /// The name, or the room's, is none.
    Name(NameError),
    /// It is in too many rooms.
    TooManyRooms,
    /// Too many questions wait for an answer.
    Full,
    /// There is no session with the relay now.
    NotReady,
    /// No words to look for, or too many.
    Words,
    /// It is no single line that starts with `/`, or a command that the session gives itself.
    Command,
    /// It holds a password, and others may read it on its way.
    NotPrivate,
    /// It is no password.
    Password,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::TooManyRooms => write!(f, "{ROOMS_PER_CLIENT_MAX} rooms are the most"),
            Self::Full => f.write_str("too many questions wait for an answer"),
            Self::NotReady => f.write_str("there is no connection to the relay"),
            Self::Words => write!(f, "1 to {WORDS_BYTES_MAX} bytes of words can be looked for"),
            Self::NotPrivate => f.write_str(
                "a password goes over an encrypted connection only, or to a relay on this machine",
            ),
            Self::Password => f.write_str("a password has 8 to 256 bytes, in one line"),
            Self::Command => f.write_str("no command that can be sent like that"),
        }
    }
}

impl std::error::Error for AskError {}
