//! The socket to the relay: it drives a `tertulia_wire::session`. Reads and writes bytes, and tells the session; what was
//! said is the session's to know, what to do about it the caller's.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use tertulia_wire::session::{Action, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

/// How long establishing a connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;

/// A session and its socket.
pub struct Relay {
    /// The session; the caller takes its events and says lines.
    pub session: Session,
    address: String,
    socket: Option<TcpStream>,
    /// Taken from the session, and not yet by the socket.
    unsent: Vec<u8>,
    connecting: Option<Connecting>,
    started: Instant,
    buffer: Vec<u8>,
}

impl Relay {
    /// A session with the relay at `address`, `HOST:PORT`. `started` is the moment from which its time counts.
    pub fn new(session: Session, address: &str, started: Instant) -> Self {
        Self {
            session,
            address: address.to_owned(),
            socket: None,
            unsent: Vec::new(),
            connecting: None,
            started,
            buffer: vec![0; READ_BYTES],
        }
    }

    /// Does what the session asks, and takes what it wants to write. To be called once what it said is kept.
    pub fn obey(&mut self) {
        while let Some(action) = self.session.poll_action() {
            self.unsent.clear();
            self.socket = None;
            self.connecting = (action == Action::Connect).then(|| connect(self.address.clone()));
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
            Some(socket) => {
                let (mut reader, mut writer) = socket.split();
                tokio::select! {
                    read = reader.read(&mut self.buffer), if wants_read => Happened::Read(read),
                    written = writer.write(&self.unsent), if !self.unsent.is_empty() => Happened::Written(written),
                    () = wait(due) => Happened::Time,
                }
            }
            None => {
                wait(due).await;
                Happened::Time
            }
        };
        self.note(happened);
    }

    fn note(&mut self, happened: Happened) {
        let now = self.started.elapsed();
        match happened {
            Happened::Time => self.session.handle_time(now),
            Happened::Read(Ok(count @ 1..)) => {
                let bytes = self.buffer.get(..count).unwrap_or_default();
                self.session.handle_bytes(bytes, now);
            }
            Happened::Written(Ok(count)) => drop(self.unsent.drain(..count.min(self.unsent.len()))),
            Happened::Read(_) | Happened::Written(Err(_)) => {
                self.socket = None;
                self.unsent.clear();
                self.session.handle_disconnected(now);
            }
        }
    }

    fn note_connected(&mut self, connected: io::Result<TcpStream>) {
        let now = self.started.elapsed();
        match connected {
            Ok(socket) => {
                // Without it, lines only come a little later.
                let _ = socket.set_nodelay(true);
                self.socket = Some(socket);
                self.session.handle_connected(now);
            }
            Err(_) => self.session.handle_connect_failed(now),
        }
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

/// Goes on where it was when a turn is given up.
type Connecting = Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>;

fn connect(address: String) -> Connecting {
    Box::pin(async move {
        let connected = timeout(CONNECT_WAIT, TcpStream::connect(address)).await;
        connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    })
}

enum Happened {
    Time,
    Read(io::Result<usize>),
    Written(io::Result<usize>),
}

async fn wait(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
