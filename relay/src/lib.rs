//! The relay of Tertulia: a core that decides, and a shell that moves bytes.
//!
//! The core, without sockets, clocks or threads; it is given bytes and the time:
//!
//! - [`chat`]: who is where, who may say what, to whom it goes.
//! - `account`: accounts, bans and closed rooms as they are kept.
//! - [`batch`]: lines on their way to and from the history.
//! - [`log`]: a room's lines, stored once, and offsets into them.
//! - [`flood`]: the token bucket.
//! - [`cidr`]: blocks of addresses.
//! - `proxy`: who stands behind a proxy.
//! - [`moment`], [`phrases`]: time as the core sees it; sentences in two languages.
//!
//! The shell:
//!
//! - [`server`]: the poll loop, the only owner of `Poll` and of the slab of connections.
//! - [`history`]: what was said, kept in a file, by threads of its own.
//! - `certificate`: certificate and key, and making one to start with.
//! - `check`: whether a relay could run like this.
//! - [`options`], [`listen`], [`systemd`], [`clock`], [`metrics`]: the command line, listening sockets, the
//!   service manager, the system's clock, and what the relay counts.

#[cfg(feature = "history")]
pub mod account;
pub mod batch;
#[cfg(feature = "tls")]
pub mod certificate;
pub mod chat;
#[cfg(feature = "config")]
pub mod check;
pub mod cidr;
pub mod clock;
pub mod flood;
mod help;
#[cfg(feature = "history")]
pub mod history;
pub mod listen;
pub mod log;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod moment;
pub mod options;
pub mod phrases;
#[cfg(feature = "proxy")]
pub mod proxy;
pub mod sabotage;
pub mod server;
pub mod systemd;
