//! Connections that a proxy brings: each rule on addresses is about the client that the proxy names.

use super::Server;
use super::accept::Refusal;
use super::conn::{Awaits, Received};
use crate::chat::Origin;
use crate::moment::Moment;
use crate::proxy::{Behind, Parsed, parse};

impl Server {
    /// Looks at what the proxy says first. It stays in the socket until it is whole.
    pub(super) fn read_header(&mut self, index: usize, now: Moment) {
        let Some(conn) = self.conns.get_mut(index) else { return };
        let bytes = match conn.stream.peek(&mut self.buffer) {
            Ok(bytes @ 1..) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                conn.is_readable = false;
                return;
            }
            // It looked whether the port is open, or is gone.
            _ => return self.remove(index, now),
        };
        match parse(self.buffer.get(..bytes).unwrap_or_default()) {
            Parsed::Header(length, behind) => {
                let header = self.buffer.get_mut(..length).unwrap_or_default();
                match conn.receive_raw(header) {
                    Received::Some(taken) | Received::Last(taken) if taken == length => {
                        self.let_in(index, behind, now);
                    }
                    _ => self.remove(index, now),
                }
            }
            Parsed::Incomplete if conn.is_end_near => self.remove(index, now),
            Parsed::Incomplete => conn.is_readable = false,
            Parsed::Invalid => self.turn_away(index, Refusal::Stranger, now),
        }
    }

    fn let_in(&mut self, index: usize, behind: Behind, now: Moment) {
        let Some(conn) = self.conns.get(index) else { return };
        let proxy = conn.stream.peer_addr().ok().map(|address| address.ip());
        let (address, is_encrypted) = match behind {
            Behind::Client { address, is_encrypted } => (Some(address.to_canonical()), is_encrypted),
            // Nobody knows where it is: the proxy's own address would give it what the proxy may, or a ban of it to the proxy.
            Behind::Itself | Behind::Unknown => (None, false),
        };
        // Whom the proxy does not name counts as the proxy, but for trust: flood control holds for it.
        let Some(counted) = address.or(proxy) else { return self.remove(index, now) };
        // That an address is a loopback one says nothing here: the proxy may be another machine, and the client of
        // a proxy on this one may be anywhere. What the client encrypted came in the clear from the proxy on.
        let is_near = proxy.is_some_and(|proxy| proxy.to_canonical().is_loopback());
        let is_private = is_encrypted && is_near;
        let origin = Origin { address, is_private, is_here: false, is_trusted: false };
        match self.enter_address(&origin, counted) {
            Ok((is_trusted, group)) => {
                let is_trusted = is_trusted && address.is_some();
                if let Some(conn) = self.conns.get_mut(index) {
                    conn.group = group;
                }
                self.open(index, Origin { is_trusted, ..origin });
                // What came behind the header is there already.
                self.list(index);
            }
            Err(refusal) => self.turn_away(index, refusal, now),
        }
    }

    fn turn_away(&mut self, index: usize, refusal: Refusal, now: Moment) {
        let line = self.note_refused(refusal);
        if let Some(conn) = self.conns.get_mut(index).filter(|conn| conn.awaits == Awaits::Header) {
            conn.tell(&line);
        }
        self.close(index, now);
    }
}
