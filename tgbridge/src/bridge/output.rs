//! What goes into the bridge and comes out of it: the time, what to do, what was counted. Decides nothing.

use std::time::Duration;

#[cfg(doc)]
use super::Bridge;

/// The time, as both clocks tell it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Now {
    /// Since the caller's own start; never goes back.
    pub at: Duration,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

/// What the caller is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Say a line in a room. [`Bridge::handle_acknowledged`] or [`Bridge::handle_say_refused`] answers.
    Say(SayLine),
    /// Fetch lines of a room; [`Bridge::handle_fetched_line`] for each, then [`Bridge::handle_fetched`], or
    /// [`Bridge::handle_fetch_refused`].
    Fetch {
        /// Which link asks.
        link: usize,
        /// The room.
        room: String,
        /// Where to begin.
        from: FetchFrom,
        /// Lines at most.
        limit: u32,
    },
    /// Ask who is in a room; [`Bridge::handle_who`] for each name, then [`Bridge::handle_who_end`], or
    /// [`Bridge::handle_who_refused`].
    Who {
        /// To be given back with the answers.
        question: u64,
        /// The room.
        room: String,
    },
    /// Be in a room; [`Bridge::handle_room_joined`] or [`Bridge::handle_room_lost`] answers.
    Join {
        /// The room.
        room: String,
    },
    /// Send a message; [`Bridge::handle_sent`] answers.
    Send(SendMessage),
    /// Ask Telegram for updates; [`Bridge::handle_updates`] answers.
    Poll(Poll),
    /// Tell whoever runs the bridge.
    Log(String),
    /// Tell why, and end.
    Stop {
        /// For people.
        why: String,
        /// It does not pass by itself: somebody has to put it right.
        is_final: bool,
    },
}

/// A line for a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SayLine {
    /// The same for the same line, whenever it is said.
    pub label: String,
    /// The room.
    pub room: String,
    /// The text; line feeds are line breaks.
    pub text: String,
    /// The id of the line it answers.
    pub reply: Option<u64>,
    /// For whom; None: for the bridge itself.
    pub as_who: Option<String>,
}

/// Where a fetch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchFrom {
    /// Behind this id.
    After(u64),
    /// The newest line of all.
    Newest,
}

/// For whom a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// For a link's chat.
    Link(usize),
    /// For a chat without one.
    Elsewhere,
}

/// A message for Telegram, plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendMessage {
    /// To be given back with the answer.
    pub target: Target,
    /// The chat.
    pub chat: i64,
    /// The topic.
    pub thread: Option<i64>,
    /// The text.
    pub text: String,
    /// The message it answers.
    pub reply_to: Option<i64>,
}

/// A poll for updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// The first update that is wanted; it confirms all before. None: whichever there is.
    pub offset: Option<i64>,
    /// Updates at most.
    pub limit: usize,
    /// How long Telegram may wait for one.
    pub timeout: Duration,
}

/// What was counted since the start, and what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Lines of the chat that Telegram took.
    pub lines_to_telegram: u64,
    /// Messages that they took.
    pub messages_to_telegram: u64,
    /// Lines said in the chat, and acknowledged.
    pub lines_to_chat: u64,
    /// Answers that told to send less often.
    pub too_many_requests: u64,
    /// Calls that failed otherwise.
    pub calls_failed: u64,
    /// Lines and messages that were too old.
    pub skipped: u64,
    /// When Telegram answered a poll last, in milliseconds since 1970; 0: never.
    pub last_good_poll_unix_ms: u64,
}
