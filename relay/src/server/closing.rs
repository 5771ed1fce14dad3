//! How connections end: what was written still reaches the peer, and the slot is freed once.

use std::time::Duration;

use super::Server;
use super::conn::{self, Finish, Received, client_id, live_index};
use crate::moment::Moment;

/// How long a closed connection may take to read what was written before its socket goes.
const LINGER: Duration = Duration::from_secs(1);

/// How many times as long it may take to take what the kernel has not taken yet.
#[cfg(feature = "tls")]
const OWING_LINGERS_MAX: u8 = 9;

/// Bytes that a closed connection may still send.
const LINGER_READS_MAX: usize = 64;

impl Server {
    /// The chat is done with this connection. If its peer is still there, it gets time to read: closing at
    /// once, with bytes of its own unread, would throw away what is on the way to it.
    pub(super) fn close(&mut self, index: usize, now: Moment) {
        self.chat.handle_gone(client_id(index), now);
        let Some(conn) = self.conns.get_mut(index).filter(|conn| !conn.is_lingering) else { return };
        match conn.finish() {
            #[cfg(feature = "tls")]
            Finish::Owing => {}
            Finish::Done if !conn.has_ended => {}
            Finish::Done | Finish::Broken => return self.remove(index, now),
        }
        conn.is_lingering = true;
        self.lingering.push_back((now.after(LINGER), conn::token(index, conn.generation)));
        self.list(index);
    }

    /// Reads and drops what a closed connection still sends.
    pub(super) fn drain(&mut self, index: usize, now: Moment) {
        for _ in 0..LINGER_READS_MAX {
            let Some(conn) = self.conns.get_mut(index) else { return };
            match conn.receive_raw(&mut self.buffer) {
                Received::Some(_) => {}
                Received::Last(_) => {
                    conn.is_readable = false;
                    return;
                }
                #[cfg(feature = "tls")]
                Received::Ended if conn.owes() => {
                    conn.is_readable = false;
                    return;
                }
                Received::Ended | Received::Broken => return self.remove(index, now),
            }
        }
        self.remove(index, now);
    }

    pub(super) fn end_lingering(&mut self, now: Moment) {
        while let Some((_, token)) = self.lingering.front().copied().filter(|(at, _)| *at <= now) {
            self.lingering.pop_front();
            let Some(index) = live_index(&self.conns, token) else { continue };
            match self.conns.get_mut(index) {
                #[cfg(feature = "tls")]
                Some(conn) if conn.owes() && conn.lingers < OWING_LINGERS_MAX => {
                    conn.lingers += 1;
                    self.lingering.push_back((now.after(LINGER), token));
                }
                _ => self.remove(index, now),
            }
        }
    }

    /// The connection is of no use any more.
    pub(super) fn break_off(&mut self, index: usize, now: Moment) {
        #[cfg(feature = "tls")]
        self.note_fault(index, now);
        self.remove(index, now);
    }

    /// The one place where a connection ends.
    pub(super) fn remove(&mut self, index: usize, now: Moment) {
        self.chat.handle_gone(client_id(index), now);
        if let Some(mut conn) = self.conns.try_remove(index) {
            let _ = self.poll.registry().deregister(&mut conn.stream);
            self.leave_address(conn.group.map(|group| *group));
        }
    }
}
