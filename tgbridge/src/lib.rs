//! The bridge between Telegram groups and rooms of a relay: a core that decides, and a shell that moves bytes.
//!
//! In reading order:
//!
//! - [`bridge`]: what is said, sent, fetched, kept and left out. Knows no socket, no clock and no token.
//! - [`phrases`]: the sentences for people.
//! - [`telegram`]: the Bot HTTP API; its `token` is the only place that knows the token.
//! - [`relay`]: the session with the relay; [`socket`], [`trust`]: its bytes, and whose certificate counts.
//! - [`network`]: why something did not go over the network.
//! - [`store`], [`status`]: the state file; what is told of a running bridge.
//! - [`options`]: flags and the configuration file.
//! - [`help`]: what `--help` says.
//! - [`check`]: what is wrong, and how to put it right.
//! - [`run`]: puts all of it together.

pub mod bridge;
pub mod check;
pub mod help;
pub mod network;
pub mod options;
pub mod phrases;
pub mod relay;
pub mod run;
pub mod socket;
pub mod status;
pub mod store;
pub mod telegram;
pub mod trust;
