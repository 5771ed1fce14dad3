//! What can be wrong with a line by itself, whatever the others are.

use std::fmt;

/// Why no client can take a line as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is longer than [`TAGGED_LINE_BYTES_MAX`](crate::limits::TAGGED_LINE_BYTES_MAX).
    TooLong,
    /// It is not UTF-8.
    NotUtf8,
    /// It is no line that an extended client hears.
    Unreadable,
    /// It answers, or tells of a room, and the connection was not greeted yet.
    BeforeHello,
    /// It tells of a room that the connection is not in.
    NotInRoom,
    /// It lets the connection into more rooms than it may be in.
    TooManyRooms,
    /// It acknowledges, and does not say when the line was said.
    NoTime,
}

/// What follows "which".
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "is longer than any line may be",
            Self::NotUtf8 => "is not UTF-8",
            Self::Unreadable => "is no line of extended mode",
            Self::BeforeHello => "came before HELLO",
            Self::NotInRoom => "tells of a room that the connection is not in",
            Self::TooManyRooms => "lets the connection into more rooms than it may be in",
            Self::NoTime => "acknowledges without a time",
        })
    }
}
