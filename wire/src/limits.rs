//! Every number of the protocol, with its reason and what happens at it.

use std::time::Duration;

/// The port of the relay, as it has always been.
pub const PORT: u16 = 2000;

/// The same for TLS.
pub const TLS_PORT: u16 = 2001;

/// Longest line of a client, its ending not counted: 16 KiB, a long letter. A longer one is refused with
/// `LINE_TOO_LONG`, read to its end and dropped; its sender lives.
pub const LINE_BYTES_MAX: usize = 16 * 1024;

/// Longest line of the relay: a client's and what the relay writes around it (name, quote, machine words).
pub const RELAY_LINE_BYTES_MAX: usize = LINE_BYTES_MAX + 1024;

/// Longest line that an extended client hears: a relay's, and its tags (label, id, time, room, key, reply, quote).
pub const TAGGED_LINE_BYTES_MAX: usize = RELAY_LINE_BYTES_MAX + 1024;

/// Longest name, and longest right side of `NAME - WHO`; a longer right side is cut at a character.
pub const NAME_BYTES_MAX: usize = 64;

/// Longest name of a room.
pub const ROOM_BYTES_MAX: usize = 32;

/// Longest quote that the relay writes in a reply's bracket; a longer one is cut and ends in `…`.
pub const QUOTE_BYTES_MAX: usize = 200;

/// Longest word that `/ping` gives back; a longer one is cut at a character.
pub const PING_BYTES_MAX: usize = 64;

/// How long after a connection's first byte it is decided whether it sends lines or whole messages.
pub const UNFRAMED_AFTER: Duration = Duration::from_millis(200);

/// How long an unframed message that looks cut waits for its rest.
pub const UNFRAMED_REST_AFTER: Duration = Duration::from_millis(20);

/// Shortest time between two writes to an unframed client, so that each arrives as a read of its own.
pub const UNFRAMED_PACE: Duration = Duration::from_millis(20);

/// Longest write to an unframed client: it reads with `recv(1024)` and decodes each read by itself.
pub const UNFRAMED_WRITE_BYTES_MAX: usize = 1024;

/// A read of at least so many bytes from an unframed client may be the start of a longer message: its own
/// `recv` and `send` sizes are 1,024.
pub const UNFRAMED_READ_BYTES: usize = 1000;

/// Longest password.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// The room every connection starts in.
pub const ROOM_DEFAULT: &str = "general";

/// Longest label of a line.
pub const LABEL_BYTES_MAX: usize = 64;

/// Labels of a token that the relay knows at least: so many lines may be unanswered, and a repeat of any of them gets
/// the first answer.
pub const LABELS_KEPT: usize = 4096;

/// Rooms that an extended connection may be in.
pub const ROOMS_PER_CLIENT_MAX: usize = 32;

/// How long a token's leave notices wait for it to come back.
pub const RESUME_GRACE: Duration = Duration::from_secs(10);

/// How long after a relay's start who comes back with a token is taken to have been there all the time.
pub const RESTART_GRACE: Duration = Duration::from_secs(60);

/// How long an unused token is known.
pub const TOKEN_LAPSES_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// An extended client that says nothing for so long is asked whether it is there.
pub const PING_AFTER: Duration = Duration::from_secs(90);

/// How long it may take to answer that.
pub const PONG_WAIT: Duration = Duration::from_secs(30);
