//! What the poll says is ready, and whom that is for.

use std::io::Read;

use mio::Events;

#[cfg(any(feature = "tls", feature = "proxy"))]
use super::conn::Awaits;
use super::conn::{client_id, live_index};
use super::{DOORS, Server, signals};

impl Server {
    /// Notes what is ready. True: the relay is to end.
    pub(super) fn take_events(&mut self, events: &Events) -> bool {
        let mut is_told_to_end = false;
        for event in events {
            let token = event.token();
            if let Some(index) = live_index(&self.conns, token) {
                self.take_event(index, event);
            } else if token == signals::END {
                let _ = self.signals.end.read(&mut self.buffer);
                is_told_to_end = true;
            } else if let Some(door) =
                token.0.checked_sub(DOORS.0).and_then(|number| self.doors.get_mut(number))
            {
                door.is_ready = true;
            } else {
                #[cfg(any(feature = "config", feature = "tls"))]
                if token == signals::RELOAD {
                    let _ = self.signals.reload.read(&mut self.buffer);
                    self.reload();
                    #[cfg(feature = "history")]
                    self.chat.look_at_accounts();
                    continue;
                }
                #[cfg(feature = "history")]
                if token == super::history::HISTORY {
                    self.take_history_event();
                    continue;
                }
                #[cfg(feature = "metrics")]
                self.take_metrics_event(event);
            }
        }
        is_told_to_end
    }

    fn take_event(&mut self, index: usize, event: &mio::event::Event) {
        if event.is_writable() || event.is_error() {
            #[cfg(feature = "tls")]
            let is_pushed = self.push_tls(index, self.now());
            #[cfg(not(feature = "tls"))]
            let is_pushed = true;
            if is_pushed {
                self.chat.handle_writable(client_id(index));
            }
        }
        #[cfg(any(feature = "tls", feature = "proxy"))]
        let is_known = self.conns.get(index).is_some_and(|conn| conn.awaits == Awaits::Nothing);
        #[cfg(not(any(feature = "tls", feature = "proxy")))]
        let is_known = true;
        if event.is_error() && is_known && !self.chat.wants_read(client_id(index)) {
            // It was reset, and what it had sent was not to be read yet: nobody waits for it any more.
            return self.remove(index, self.now());
        }
        let is_end_near = event.is_read_closed() || event.is_error();
        if event.is_readable() || is_end_near {
            if let Some(conn) = self.conns.get_mut(index) {
                conn.is_readable = true;
                conn.is_end_near |= is_end_near;
            }
            self.list(index);
        }
    }
}
