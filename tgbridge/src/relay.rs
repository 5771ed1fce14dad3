//! The socket to the relay: it drives a `tertulia_wire::session`. Reads and writes bytes, and tells the session; what was
//! said is the session's to know, what to do about it the caller's.

use std::io;
use std::time::Duration;

use tertulia_wire::session::{Action, Session};
use tokio::time::{Instant, sleep_until, timeout};

use crate::socket::{Connecting, Moved, Socket, Way, connect, turned_away};

/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;

/// A session and its socket.
pub struct Relay {
    /// The session; the caller takes its events and says lines.
    pub session: Session,
    way: Way,
    socket: Option<Socket>,
    /// Taken from the session, and not yet by the socket.
    unsent: Vec<u8>,
    connecting: Option<Connecting>,
    /// Why the last connection could not be made.
    trouble: Option<io::Error>,
    started: Instant,
    buffer: Vec<u8>,
}

impl Relay {
    /// A session with the relay that is reached like this. `started` is the moment from which its time counts.
    pub fn new(session: Session, way: Way, started: Instant) -> Self {
        Self {
            session,
            way,
            socket: None,
            unsent: Vec::new(),
            connecting: None,
            trouble: None,
            started,
            buffer: vec![0; READ_BYTES],
        }
    }

    /// Does what the session asks, and takes what it wants to write. To be called once what it said is kept.
    pub fn obey(&mut self) {
        while let Some(action) = self.session.poll_action() {
            self.unsent.clear();
            self.socket = None;
            self.connecting = (action == Action::Connect).then(|| connect(self.way.clone()));
        }
        if self.socket.is_some() {
            while self.unsent.len() < READ_BYTES {
                let Some(bytes) = self.session.poll_transmit() else { break };
                self.unsent.extend_from_slice(&bytes);
            }
        }
    }

    /// Waits until something has happened, and tells the session. Nothing is lost when the wait is given up.
    pub async fn turn(&mut self) {
        if let Some(connecting) = &mut self.connecting {
            let connected = connecting.await;
            self.connecting = None;
            return self.note_connected(connected);
        }
        let due = self.session.next_due().map(|due| self.started + due);
        let wants_read = self.session.wants_read();
        let happened = match &mut self.socket {
            Some(socket) => tokio::select! {
                moved = socket.transfer(&self.unsent, &mut self.buffer, wants_read) => Some(moved),
                () = wait(due) => None,
            },
            None => {
                wait(due).await;
                None
            }
        };
        self.note(happened);
    }

    /// None: time has passed.
    fn note(&mut self, happened: Option<Moved>) {
        let now = self.started.elapsed();
        match happened {
            None => self.session.handle_time(now),
            Some(Moved::Read(Ok(count @ 1..))) => {
                let bytes = self.buffer.get(..count).unwrap_or_default();
                self.session.handle_bytes(bytes, now);
            }
            Some(Moved::Written(Ok(count))) => drop(self.unsent.drain(..count.min(self.unsent.len()))),
            Some(Moved::Read(_) | Moved::Written(Err(_))) => {
                self.socket = None;
                self.unsent.clear();
                self.session.handle_disconnected(now);
            }
        }
    }

    fn note_connected(&mut self, connected: io::Result<Socket>) {
        let now = self.started.elapsed();
        match connected {
            Ok(socket) => {
                let is_private = socket.is_private();
                (self.socket, self.trouble) = (Some(socket), None);
                if is_private {
                    self.session.handle_connected_privately(now);
                } else {
                    self.session.handle_connected(now);
                }
            }
            Err(error) => {
                match turned_away(&error) {
                    Some(away) => self.session.handle_turned_away(away.line(), now),
                    None => self.session.handle_connect_failed(now),
                }
                self.trouble = Some(error);
            }
        }
    }

    /// Why there is no connection, where none could be made.
    pub fn trouble(&self) -> Option<&io::Error> {
        self.trouble.as_ref()
    }

    /// Writes what the session still has to say, and waits for its end, at most so long.
    pub async fn finish(&mut self, wait: Duration) {
        self.session.quit(self.started.elapsed());
        let until = self.started.elapsed().saturating_add(wait);
        self.obey();
        while self.socket.is_some() && self.started.elapsed() < until {
            if timeout(wait, self.turn()).await.is_err() {
                break;
            }
            self.obey();
        }
    }
}

async fn wait(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
