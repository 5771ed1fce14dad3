//! The poll loop: moves bytes between sockets and the chat, and knows nothing of what they mean. The only
//! owner of `Poll` and of the slab of connections; one thread.
//!
//! A turn: take the events, which only note what is ready; accept; do what is due; read every ready
//! connection, and again what came meanwhile if many are to hear it; flush, each receiver once; close what has
//! ended. Connections are closed only here, after the events, so that none can meet a slot's next use.

mod accept;
mod closing;
mod conn;
mod entry;
mod events;
#[cfg(feature = "tls")]
mod handshake;
#[cfg(feature = "history")]
mod history;
mod journal;
#[cfg(feature = "metrics")]
mod measure;
#[cfg(feature = "proxy")]
mod proxied;
mod reading;
#[cfg(feature = "config")]
mod settings;
mod signals;
mod system;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "config")]
mod watchdog;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
#[cfg(feature = "metrics")]
use std::net::TcpListener;
use std::time::{Duration, Instant};

use mio::net::UnixStream;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

pub use accept::Refusal;
#[cfg(feature = "config")]
pub use settings::Reread;
pub use signals::Signals;

#[cfg(feature = "history")]
use crate::chat::Event;
use crate::chat::{Chat, LABELS_MAX, Settings};
use crate::clock::unix_ms;
use crate::listen::{Listener, Transport};
#[cfg(feature = "metrics")]
use crate::metrics::MetricsServer;
use crate::moment::Moment;
use crate::options::Options;
use accept::{Door, Gate};
use conn::{Conn, INDEX_MAX, Sockets};
use journal::Journal;
use system::{raise_descriptor_limit, random_key};
#[cfg(feature = "config")]
use watchdog::Watchdog;

/// Bytes of one read. Longer lines come in several; an idle relay holds this and little else.
const READ_BYTES: usize = 8 * 1024;

/// Steps in one turn of connections that the chat does not know of yet. One of a TLS handshake takes some hundred
/// microseconds: the others get their lines in between.
#[cfg(any(feature = "tls", feature = "proxy"))]
const STEPS_MAX: usize = 8;

/// Events taken at once.
const EVENTS_MAX: usize = 1024;

/// Writes from which on a flush is worth another look for lines that could go with it, and how many looks: each
/// costs one system call and is followed by a further one only if it found something.
const GATHER_WRITES_MIN: usize = 16;
const GATHERS_MAX: usize = 16;

/// How long everybody's last lines may take when the relay ends.
const SHUTDOWN_AFTER: Duration = Duration::from_secs(2);

/// Descriptors that are not for connections: standard streams, the poll, doors, signals, metrics, the spare.
const DESCRIPTORS_RESERVED: usize = 24;

const DOORS: Token = Token(INDEX_MAX + 32);
/// Doors there may be.
pub const DOORS_MAX: usize = 16;
/// The metrics' own sockets.
#[cfg(feature = "metrics")]
pub(crate) const METRICS: Token = Token(INDEX_MAX + 2);

/// Counted by the loop since the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Connections let in.
    pub accepted: u64,
    /// Callers not let in, by the order of [`Refusal::ALL`].
    pub refused: [u64; Refusal::ALL.len()],
    /// Bytes read.
    pub bytes_in: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// TLS handshakes that were finished.
    pub handshakes: u64,
    /// Connections that broke at TLS, in the handshake or later.
    pub handshakes_failed: u64,
}

/// The relay.
pub struct Server {
    options: Options,
    max_clients: usize,
    /// As many as there are descriptors for.
    #[cfg(feature = "config")]
    clients_that_fit: usize,
    #[cfg(feature = "config")]
    reread: Option<Reread>,
    #[cfg(feature = "config")]
    watchdog: Option<Watchdog>,
    poll: Poll,
    doors: Vec<Door>,
    gate: Gate,
    signals: Signals<UnixStream>,
    conns: Slab<Conn>,
    chat: Chat,
    /// Connections to read.
    ready: VecDeque<usize>,
    /// Closed connections that wait for their peer, with when that ends.
    lingering: VecDeque<(Moment, Token)>,
    /// Certificate and key.
    #[cfg(feature = "tls")]
    identity: Option<crate::certificate::Identity>,
    /// Until when connections must have shown what they have to, in that order; one that has leaves its time behind.
    #[cfg(any(feature = "tls", feature = "proxy"))]
    entries: VecDeque<(Moment, Token)>,
    /// Steps of connections that the chat does not know of yet, which this turn may still take.
    #[cfg(any(feature = "tls", feature = "proxy"))]
    steps_left: usize,
    buffer: Box<[u8]>,
    started: Instant,
    counts: Counts,
    journal: Journal,
    #[cfg(feature = "metrics")]
    metrics: Option<MetricsServer>,
    #[cfg(feature = "history")]
    keeper: Option<crate::history::Keeper>,
    #[cfg(feature = "history")]
    history_trouble: Option<String>,
    #[cfg(feature = "history")]
    passwords: Option<crate::history::passwords::Passwords>,
}

impl Server {
    /// A relay on these listening sockets, already bound.
    pub fn new(
        options: Options,
        listeners: Vec<Listener>,
        signals: Signals<std::os::unix::net::UnixStream>,
        #[cfg(feature = "metrics")] metrics: Option<TcpListener>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut doors = Vec::new();
        for (number, listener) in listeners.into_iter().take(DOORS_MAX).enumerate() {
            let Listener { socket, transport } = listener;
            let mut listener = mio::net::TcpListener::from_std(socket);
            poll.registry().register(&mut listener, Token(DOORS.0 + number), Interest::READABLE)?;
            doors.push(Door { listener, is_ready: true, transport });
        }
        let signals = signals.register(poll.registry())?;
        let settings = Settings {
            flood: options.flood,
            language: options.language,
            room_log_bytes: options.room_log_bytes,
            token_key: random_key()?.into(),
            labels_max: LABELS_MAX,
        };
        let clients_that_fit = raise_descriptor_limit().saturating_sub(DESCRIPTORS_RESERVED).max(1);
        Ok(Self {
            max_clients: options.max_clients.unwrap_or(clients_that_fit),
            #[cfg(feature = "config")]
            clients_that_fit,
            #[cfg(feature = "config")]
            reread: None,
            #[cfg(feature = "config")]
            watchdog: Watchdog::wanted(),
            options,
            doors,
            gate: Gate::new(),
            signals,
            conns: Slab::new(),
            chat: Chat::new(settings),
            ready: VecDeque::new(),
            lingering: VecDeque::new(),
            #[cfg(feature = "tls")]
            identity: None,
            #[cfg(any(feature = "tls", feature = "proxy"))]
            entries: VecDeque::new(),
            #[cfg(any(feature = "tls", feature = "proxy"))]
            steps_left: 0,
            buffer: vec![0; READ_BYTES].into(),
            started: Instant::now(),
            counts: Counts::default(),
            journal: Journal::default(),
            #[cfg(feature = "metrics")]
            metrics: metrics.map(|listener| MetricsServer::new(listener, poll.registry())).transpose()?,
            #[cfg(feature = "history")]
            keeper: None,
            #[cfg(feature = "history")]
            history_trouble: None,
            #[cfg(feature = "history")]
            passwords: None,
            poll,
        })
    }

    /// Where it listens, and for what.
    pub fn addresses(&self) -> Vec<(Transport, SocketAddr)> {
        let address = |door: &Door| Some((door.transport, door.listener.local_addr().ok()?));
        self.doors.iter().filter_map(address).collect()
    }

    /// Runs until a signal comes, says goodbye to everybody, and returns.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut end_at = None;
        while end_at.is_none_or(|end_at| self.now() < end_at && !self.conns.is_empty()) {
            let timeout = self.timeout(end_at);
            self.wait_for_events(&mut events, timeout)?;
            let now = self.now();
            #[cfg(any(feature = "tls", feature = "proxy"))]
            {
                self.steps_left = STEPS_MAX;
            }
            #[cfg(feature = "config")]
            if let Some(watchdog) = &mut self.watchdog {
                watchdog.tell(now);
            }
            let mut is_told_to_end = self.take_events(&events);
            self.chat.handle_clock(unix_ms());
            self.accept_ready(now);
            self.chat.handle_time(now);
            self.read_ready(now);
            is_told_to_end |= self.gather(&mut events, now)?;
            self.write_and_close(now);
            if is_told_to_end && end_at.is_none() {
                end_at = Some(now.after(SHUTDOWN_AFTER));
                self.start_shutdown(now);
            }
            #[cfg(feature = "metrics")]
            self.measure_turn(now);
        }
        Ok(())
    }

    fn now(&self) -> Moment {
        Moment::from_start(self.started.elapsed())
    }

    /// How long to sleep: not at all if there is work, forever if nothing is due.
    fn timeout(&self, end_at: Option<Moment>) -> Option<Duration> {
        let is_accepting = self.gate.retry_at.is_none() && self.doors.iter().any(|door| door.is_ready);
        if !self.ready.is_empty() || self.chat.needs_flush() || is_accepting {
            return Some(Duration::ZERO);
        }
        let linger_ends = self.lingering.front().map(|(at, _)| *at);
        let journal_due = self.journal.next_due();
        #[cfg(feature = "config")]
        let watchdog_due = self.watchdog.as_ref().map(Watchdog::due);
        #[cfg(not(feature = "config"))]
        let watchdog_due = None;
        #[cfg(any(feature = "tls", feature = "proxy"))]
        let entry_due = self.next_entry_due();
        #[cfg(not(any(feature = "tls", feature = "proxy")))]
        let entry_due = None;
        let shell_due = [linger_ends, journal_due, entry_due, watchdog_due];
        let due = [self.chat.next_due(), self.gate.retry_at, end_at].into_iter().chain(shell_due);
        let next = due.flatten().min()?;
        Some(next.since(self.now()))
    }

    fn wait_for_events(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            result => result,
        }
    }

    /// Before a large flush: reads what has come in the meantime, so that it goes out in the same writes.
    fn gather(&mut self, events: &mut Events, now: Moment) -> io::Result<bool> {
        let mut is_told_to_end = false;
        for _ in 0..GATHERS_MAX {
            if self.chat.flush_writes() < GATHER_WRITES_MIN {
                break;
            }
            self.wait_for_events(events, Some(Duration::ZERO))?;
            if events.is_empty() {
                break;
            }
            is_told_to_end |= self.take_events(events);
            self.read_ready(now);
        }
        Ok(is_told_to_end)
    }

    fn write_and_close(&mut self, now: Moment) {
        // Where there is a second processor, a line is kept while it goes out.
        #[cfg(feature = "history")]
        let is_kept = self.keep();
        self.chat.flush(now, &mut Sockets { conns: &mut self.conns, bytes_out: &mut self.counts.bytes_out });
        while let Some(client) = self.chat.poll_resumed(now) {
            self.list(client.0 as usize);
        }
        while let Some(client) = self.chat.poll_ended() {
            self.close(client.0 as usize, now);
        }
        #[cfg(feature = "history")]
        {
            let is_more_kept = self.keep();
            self.ask_history();
            self.ask_passwords();
            if is_kept || is_more_kept {
                // Where there is none, the writer would else wait until this thread has used up its share of it.
                std::thread::yield_now();
            }
        }
        self.end_lingering(now);
        #[cfg(any(feature = "tls", feature = "proxy"))]
        self.end_entries(now);
        self.write_journal(now);
    }

    fn start_shutdown(&mut self, now: Moment) {
        self.doors.clear();
        self.gate.retry_at = None;
        self.chat.handle_shutdown(now);
        let _ = crate::systemd::notify("STOPPING=1");
    }

    fn write_journal(&mut self, now: Moment) {
        while let Some(event) = self.chat.poll_event() {
            #[cfg(feature = "history")]
            if let Event::AccountsUnread { why } = &event {
                self.tell_accounts_unread(why);
                continue;
            }
            self.journal.note(&event, &self.conns, now);
        }
        self.journal.tidy(now);
    }
}
