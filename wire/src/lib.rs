//! The protocol of Tertulia, as PROTOCOL.md specifies it, shared by the relay and its clients.
//!
//! In reading order:
//!
//! - [`limits`]: every number of the protocol, with its reason.
//! - [`lines`]: bytes to lines, whatever way TCP cut them.
//! - [`text`]: what may stand in a line: removing what a terminal would obey, line breaks inside a message.
//! - [`name`]: names of people and of rooms.
//! - [`message`]: what a line says: join, leave, text, reply, command; and what the relay says.
//! - [`command`]: the lines that start with `/`.
//! - [`account`]: those of accounts and of operators.
//! - [`extended`]: how extended mode is asked for, and how a line is said in it.
//! - [`heard`]: what the relay says, as an extended client hears it.
//! - [`tags`]: the escaping of words, and `key=value` lists.
//! - [`retry`]: how long to wait before trying again.
//! - [`secret`]: what is not to be shown, as tokens and what may hold one.
//! - [`time`]: moments as they are written.
//! - `tls`: which certificate a relay must show; with the feature of that name.
//! - [`trace`]: taps on the wires of clients, and whether the run that they recorded kept the promises of extended mode;
//!   for tests and measurements.
//! - [`session`]: a client of extended mode, without its socket: it connects again, says again, hears once.
//!
//! Nothing here opens a socket, reads a clock, starts a thread or allocates per line on the way of a relay's
//! fan-out.

pub mod account;
pub mod command;
pub mod extended;
pub mod heard;
pub mod limits;
pub mod lines;
pub mod message;
pub mod name;
pub mod retry;
pub mod secret;
pub mod session;
pub mod tags;
pub mod text;
pub mod time;
#[cfg(feature = "tls")]
pub mod tls;
pub mod trace;
