//! Between the socket that was accepted and the connection that the chat knows of: what is still to be shown, and how long
//! a peer may take for it. Until then the chat knows nothing of it: it hears nothing and costs no look of the fan-out.

#[cfg(any(feature = "tls", feature = "proxy"))]
use std::time::Duration;

use super::Server;
use super::conn::client_id;
#[cfg(any(feature = "tls", feature = "proxy"))]
use super::conn::{Awaits, Conn, live_index, token};
use crate::chat::Origin;
#[cfg(any(feature = "tls", feature = "proxy"))]
use crate::moment::Moment;

/// How long a peer has to show what is to be shown, counted from the beginning: one that sends a byte now and then gains
/// nothing.
#[cfg(any(feature = "tls", feature = "proxy"))]
const ENTRY_AFTER: Duration = Duration::from_secs(10);

impl Server {
    /// From now on the chat knows of the connection.
    pub(super) fn open(&mut self, index: usize, origin: Origin) {
        #[cfg(any(feature = "tls", feature = "proxy"))]
        if let Some(conn) = self.conns.get_mut(index) {
            conn.awaits = Awaits::Nothing;
        }
        self.chat.handle_connect(client_id(index), origin);
    }
}

#[cfg(any(feature = "tls", feature = "proxy"))]
impl Server {
    /// Goes on with a connection that the chat does not know of yet, when it is its turn.
    pub(super) fn introduce(&mut self, index: usize, now: Moment) {
        if self.steps_left == 0 {
            return self.list(index);
        }
        self.steps_left -= 1;
        match self.conns.get(index).map(|conn| conn.awaits) {
            #[cfg(feature = "tls")]
            Some(Awaits::Handshake) => self.shake(index, now),
            #[cfg(feature = "proxy")]
            Some(Awaits::Header) => self.read_header(index, now),
            _ => self.remove(index, now),
        }
    }

    /// When [`Server::end_entries`] has something to do. Those that are through have left their times behind.
    pub(super) fn next_entry_due(&self) -> Option<Moment> {
        self.entries.front().map(|(at, _)| *at)
    }

    /// The connection has something to show first, and so long for it.
    pub(super) fn begin_entry(&mut self, index: usize, awaits: Awaits) {
        let until = self.now().after(ENTRY_AFTER);
        if let Some(conn) = self.conns.get_mut(index) {
            conn.awaits = awaits;
            self.entries.push_back((until, token(index, conn.generation)));
        }
    }

    /// Cuts those who have had their time.
    pub(super) fn end_entries(&mut self, now: Moment) {
        while let Some((until, token)) = self.entries.front().copied() {
            let index = live_index(&self.conns, token);
            let waiting = index.filter(|index| self.conns.get(*index).is_some_and(is_waiting));
            if waiting.is_some() && until > now {
                return;
            }
            self.entries.pop_front();
            if let Some(index) = waiting {
                self.end_entry(index, now);
            }
        }
    }

    fn end_entry(&mut self, index: usize, now: Moment) {
        match self.conns.get(index).map(|conn| conn.awaits) {
            #[cfg(feature = "tls")]
            Some(Awaits::Handshake) => self.end_handshake(index, now),
            _ => self.remove(index, now),
        }
    }
}

#[cfg(any(feature = "tls", feature = "proxy"))]
fn is_waiting(conn: &Conn) -> bool {
    conn.awaits != Awaits::Nothing && !conn.is_lingering
}
