//! How a session begins, and the times and bounds it keeps.

use std::time::Duration;

use crate::limits::{PING_AFTER, RESUME_GRACE};

/// How long after connecting, or after asking again, a greeting may take. Who takes longer is no relay.
pub const HELLO_WAIT: Duration = Duration::from_secs(3);

/// How long it may take a relay that has begun to greet, and has to keep a new token first.
pub const TOKEN_WAIT: Duration = Duration::from_secs(30);

/// How long after a name is refused that the session held before it asks again: ghosts go within [`RESUME_GRACE`].
pub const NAME_AGAIN_AFTER: Duration = Duration::from_secs(3);

const _: () = assert!(NAME_AGAIN_AFTER.as_millis() < RESUME_GRACE.as_millis());

/// A relay that says nothing for so long is asked whether it is there; it then has [`PONG_WAIT`](crate::limits::PONG_WAIT) to answer.
pub const QUIET_MAX: Duration = PING_AFTER;

/// How long the answer to a line may take before the line is sent again over the same connection.
pub const ANSWER_WAIT: Duration = Duration::from_secs(15);

/// How long [`super::Session::quit`] waits for answers to what was said, and then for the relay's end.
pub const QUIT_WAIT: Duration = Duration::from_secs(5);

/// Events that may wait before [`super::Session::wants_read`] says no. More than a read brings, so that nobody is stopped who
/// takes them after each read.
pub const EVENTS_MAX: usize = 4096;

/// Keys heard that are remembered, if the caller does not say otherwise: what may be on its way to the disk when a relay
/// is killed.
pub const KEYS_KEPT: usize = 4096;

/// How a session begins.
#[derive(Debug, Clone)]
pub struct Config {
    /// The relay's address as the caller knows it. A token goes to no other.
    pub address: String,
    /// The name to ask for.
    pub name: String,
    /// The rooms to be in; none stands for [`ROOM_DEFAULT`](crate::limits::ROOM_DEFAULT).
    pub rooms: Vec<String>,
    /// Any bits; other ones for each session, so that not all connect again at the same time.
    pub seed: u64,
    /// Keys heard that are remembered, to know a line that comes twice.
    pub keys_kept: usize,
    /// Lines of a gap that are fetched at most; the rest is announced as left.
    pub gap_lines_max: u64,
    /// Whether refused lines are kept until [`super::Session::forget_refused`].
    pub keeps_refused: bool,
    /// Whether somebody sits there. Then the session stays away after [`super::Event::Removed`] until [`super::Session::start`], and
    /// forgets a password that the relay calls another one now. Else it comes back, after waits that grow.
    pub is_attended: bool,
}

impl Config {
    /// A session with the usual bounds.
    pub fn new(address: &str, name: &str, rooms: &[&str], seed: u64) -> Self {
        Self {
            address: address.to_owned(),
            name: name.to_owned(),
            rooms: rooms.iter().map(|room| (*room).to_owned()).collect(),
            seed,
            keys_kept: KEYS_KEPT,
            gap_lines_max: u64::MAX,
            keeps_refused: false,
            is_attended: false,
        }
    }
}
