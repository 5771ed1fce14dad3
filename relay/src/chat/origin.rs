//! Where a connection comes from, as far as that matters to the chat.

use core::net::IpAddr;

/// What the shell knows of a connection before it has said anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin {
    /// The address of the peer, or the one that a proxy named for it. `None`: there is none.
    pub address: Option<IpAddr>,
    /// Nobody on the way can read what it sends: it is encrypted, or does not leave this machine.
    pub is_private: bool,
    /// It was made on this machine, and no proxy says so.
    pub is_here: bool,
    /// Free of flood control.
    pub is_trusted: bool,
}
