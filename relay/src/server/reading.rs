//! Whose turn it is to be read, and for how long.

use super::Server;
#[cfg(any(feature = "tls", feature = "proxy"))]
use super::conn::Awaits;
use super::conn::{Received, client_id};
use crate::moment::Moment;

/// Reads from one connection before the others get their turn.
const READS_MAX: usize = 4;

impl Server {
    /// Puts a connection on the list of those to read.
    pub(super) fn list(&mut self, index: usize) {
        if let Some(conn) = self.conns.get_mut(index).filter(|conn| conn.is_readable && !conn.is_listed) {
            conn.is_listed = true;
            self.ready.push_back(index);
        }
    }

    pub(super) fn read_ready(&mut self, now: Moment) {
        for _ in 0..self.ready.len() {
            let Some(index) = self.ready.pop_front() else { return };
            let Some(conn) = self.conns.get_mut(index).filter(|conn| conn.is_listed) else { continue };
            conn.is_listed = false;
            if conn.is_lingering {
                self.drain(index, now);
                continue;
            }
            #[cfg(any(feature = "tls", feature = "proxy"))]
            if conn.awaits != Awaits::Nothing {
                self.introduce(index, now);
                continue;
            }
            self.read(index, now);
        }
    }

    /// Reads one connection until it is empty, the chat wants no more of it, or it is another's turn.
    fn read(&mut self, index: usize, now: Moment) {
        let client = client_id(index);
        for _ in 0..READS_MAX {
            if !self.chat.wants_read(client) {
                return;
            }
            let Some(conn) = self.conns.get_mut(index) else { return };
            let received = conn.receive(&mut self.buffer);
            if !matches!(received, Received::Some(_)) {
                conn.is_readable = false;
            }
            match received {
                Received::Some(bytes) | Received::Last(bytes) => {
                    self.counts.bytes_in += bytes as u64;
                    self.chat.handle_bytes(client, self.buffer.get(..bytes).unwrap_or_default(), now);
                }
                Received::Ended => {
                    conn.has_ended = true;
                    self.chat.handle_end_of_input(client, now);
                }
                Received::Broken => self.break_off(index, now),
            }
            if !self.conns.get(index).is_some_and(|conn| conn.is_readable) {
                return;
            }
        }
        self.list(index);
    }
}
