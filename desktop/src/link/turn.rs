//! The turn of the thread: wait, take what has come, do what the session says, keep it, write.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use tertulia_wire::session::{Action, Event, Session};
use tertulia_wire::tls::Trust;

use super::Report;
use super::begin::{Begin, restore};
use super::dial::{Dial, Failure, Progress};
use super::mouth::Mouth;
use super::queue::Receiver;
use super::secure;
use super::signals::{SIGNALS, Signals};
use super::stream::Stream;
use crate::files::Lasting;
use crate::model::{ConnectError, LinkCommand, LinkEvent, Secure};
use crate::outbox::{Change, Outbox};
use crate::trouble;

pub(super) const WAKE: Token = Token(0);
const SOCKET: Token = Token(1);

/// Events of the poll that one turn takes: there are three sources.
pub(super) const EVENTS_OF_A_TURN: usize = 8;

/// Bytes of one read, and how often a turn reads: then orders have their turn again.
const READ_BYTES: usize = 32 * 1024;
/// See [`READ_BYTES`].
const READS_OF_A_TURN: u32 = 8;

/// How long the end waits for the window to take the last reports: one that closes takes them at once.
const LAST_REPORTS_WAIT: Duration = Duration::from_secs(2);

/// What there is of a connection.
pub(super) enum Socket {
    None,
    Dialing(Dial),
    Open(Open),
}

/// A connection. Edges are remembered: nobody is told twice that it is ready.
pub(super) struct Open {
    stream: Stream,
    is_readable: bool,
    is_writable: bool,
    unsent: Vec<u8>,
    /// How much of it the socket has taken.
    taken: usize,
}

/// The thread's state.
pub(super) struct Turn {
    poll: Poll,
    waker: Arc<Waker>,
    signals: Signals,
    pub(super) began: Instant,
    pub(super) address: String,
    pub(super) tls: Option<Secure>,
    /// Whom to trust, once that was found out.
    pub(super) trust: Option<Trust>,
    pub(super) session: Session,
    pub(super) outbox: Outbox,
    /// Something was said or decided that must be kept before the session writes again.
    pub(super) must_keep: bool,
    pub(super) orders: Receiver<LinkCommand>,
    pub(super) has_orders: bool,
    pub(super) mouth: Mouth,
    pub(super) socket: Socket,
    is_over: bool,
}

impl Turn {
    /// The session that the file keeps, or a new one.
    pub(super) fn new(
        begin: &Begin,
        session_file: &Path,
        poll: Poll,
        waker: Arc<Waker>,
        signals: Signals,
        orders: Receiver<LinkCommand>,
        mut mouth: Mouth,
    ) -> Self {
        let outbox = Outbox::new(session_file);
        let session = restore(begin, &outbox, &mut mouth);
        Self {
            poll,
            waker,
            signals,
            began: Instant::now(),
            address: begin.relay.clone(),
            tls: begin.tls,
            trust: None,
            session,
            outbox,
            must_keep: true,
            orders,
            has_orders: true,
            mouth,
            socket: Socket::None,
            is_over: false,
        }
    }

    /// Runs until the session has ended.
    pub(super) fn run(&mut self) {
        let mut events = Events::with_capacity(EVENTS_OF_A_TURN);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            self.take_orders();
            self.dial();
            self.read(&mut buffer);
            self.session.handle_time(self.began.elapsed());
            self.act();
            self.tell();
            self.write();
            let now = Instant::now();
            self.keep_what_was_heard(now);
            let bell = self.mouth.ring(now);
            if self.is_over {
                self.finish();
                return;
            }
            let timeout = self.timeout(bell, Instant::now());
            match self.poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Without a poll nothing can be waited for; what was said is in the file, and the window finds the link gone.
                Err(_) => return self.finish(),
            }
            self.note(&events);
        }
    }

    /// Keeps what there is, and gives the window what it has still to hear.
    fn finish(&mut self) {
        self.keep(Lasting::Power);
        self.mouth.empty(Instant::now() + LAST_REPORTS_WAIT);
    }

    fn note(&mut self, events: &Events) {
        for event in events {
            match event.token() {
                SIGNALS => {
                    self.signals.drain();
                    self.mouth.say(Report::Signal);
                }
                SOCKET => {
                    if let Socket::Open(open) = &mut self.socket {
                        open.is_readable |= event.is_readable() || event.is_read_closed() || event.is_error();
                        open.is_writable |= event.is_writable();
                    }
                }
                _ => self.has_orders = true,
            }
        }
    }

    /// How long nothing is to be done, if nothing happens.
    fn timeout(&mut self, bell: Option<Instant>, now: Instant) -> Option<Duration> {
        let is_free = self.mouth.is_free();
        let can_read = matches!(&self.socket, Socket::Open(open) if open.is_readable)
            && is_free
            && self.session.wants_read();
        if can_read || self.has_orders || (is_free && self.must_keep) {
            return Some(Duration::ZERO);
        }
        let session = self.session.next_due().map(|due| self.began + due);
        let dial = match &self.socket {
            Socket::Dialing(dial) => Some(dial.next_due()),
            Socket::None | Socket::Open(_) => None,
        };
        // What the session waits to send cannot be sent to a socket that takes nothing; its edge comes.
        let is_stuck = matches!(&self.socket, Socket::Open(open) if !open.unsent.is_empty());
        let session = session.filter(|due| !is_stuck || *due > now);
        let due = [session, dial, self.outbox.next_due(), bell].into_iter().flatten().min()?;
        // A whole millisecond more: the poll counts in them and must not wake before its time.
        Some(due.saturating_duration_since(now).saturating_add(Duration::from_millis(1)))
    }

    fn dial(&mut self) {
        let Socket::Dialing(dial) = &mut self.socket else { return };
        let progress = dial.advance(self.poll.registry(), SOCKET);
        let now = self.began.elapsed();
        match progress {
            Progress::Waits => {}
            Progress::Connected(stream) => {
                // What came with the connection was told before anybody looked.
                let is_private = stream.is_private();
                let open =
                    Open { stream, is_readable: true, is_writable: true, unsent: Vec::new(), taken: 0 };
                self.socket = Socket::Open(open);
                if is_private {
                    self.session.handle_connected_privately(now);
                } else {
                    self.session.handle_connected(now);
                }
            }
            Progress::Failed(Failure::TurnedAway(away)) => {
                self.socket = Socket::None;
                self.session.handle_turned_away(away.line(), now);
            }
            Progress::Failed(Failure::Error(error)) => {
                self.socket = Socket::None;
                self.mouth.say_event(LinkEvent::ConnectFailed(error));
                self.session.handle_connect_failed(now);
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8]) {
        for _ in 0..READS_OF_A_TURN {
            if !self.session.wants_read() || !self.mouth.is_free() {
                return;
            }
            let Socket::Open(open) = &mut self.socket else { return };
            if !open.is_readable {
                return;
            }
            match open.stream.read(buffer) {
                Ok(0) => return self.disconnect(),
                Ok(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    self.session.handle_bytes(bytes, self.began.elapsed());
                    self.act();
                    self.tell();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => open.is_readable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.disconnect(),
            }
        }
    }

    /// However a connection ends, the session takes it for cut.
    fn disconnect(&mut self) {
        self.socket = Socket::None;
        self.session.handle_disconnected(self.began.elapsed());
    }

    fn act(&mut self) {
        while let Some(action) = self.session.poll_action() {
            self.socket = match action {
                Action::Connect => {
                    self.mouth.say_event(LinkEvent::Connecting);
                    let trust = self.trust();
                    Socket::Dialing(Dial::begin(&self.address, trust, &self.waker))
                }
                Action::Close => Socket::None,
            };
        }
    }

    /// Whom to trust, where TLS is to be spoken.
    fn trust(&mut self) -> Result<Option<Trust>, ConnectError> {
        let Some(tls) = self.tls else { return Ok(None) };
        if self.trust.is_none() {
            self.trust = Some(secure::trust(&self.address, tls)?);
        }
        Ok(self.trust.clone())
    }

    /// Tells the window what happened, as far as there is place.
    fn tell(&mut self) {
        while self.mouth.is_free() {
            let Some(event) = self.session.poll_event() else { return };
            match &event {
                // Another token, other rooms: nothing that could be had again.
                Event::Ready { .. } | Event::NewToken | Event::Joined { .. } | Event::Parted { .. } => {
                    self.must_keep = true;
                }
                Event::Ended => self.is_over = true,
                _ => self.outbox.touch(Instant::now()),
            }
            self.mouth.say_event(LinkEvent::Session(event));
        }
    }

    /// Writes while the socket takes it. Nothing is written that is not kept.
    fn write(&mut self) {
        if self.must_keep {
            self.keep(Lasting::Power);
        }
        loop {
            let Socket::Open(open) = &mut self.socket else { return };
            if !open.is_writable {
                return;
            }
            if open.taken >= open.unsent.len() {
                self.session.handle_time(self.began.elapsed());
                open.taken = 0;
                open.unsent = self.session.poll_transmit().unwrap_or_default();
            }
            let rest = open.unsent.get(open.taken..).unwrap_or_default();
            let is_all = rest.is_empty();
            // What lies between may still hold what it was given.
            match if is_all { open.stream.flush().map(|()| 0) } else { open.stream.write(rest) } {
                Ok(_) if is_all => return,
                Ok(0) => return self.disconnect(),
                Ok(count) => open.taken = open.taken.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => open.is_writable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.disconnect(),
            }
        }
    }

    fn keep(&mut self, lasting: Lasting) {
        self.must_keep = false;
        let change = self.outbox.keep(&self.session, lasting, Instant::now());
        self.tell_change(change);
    }

    fn keep_what_was_heard(&mut self, now: Instant) {
        let change = self.outbox.keep_if_due(&self.session, now);
        self.tell_change(change);
    }

    fn tell_change(&mut self, change: Option<Change>) {
        match change {
            Some(Change::Failed(error)) => {
                self.mouth.say_event(LinkEvent::OutboxFailed { reason: trouble::why(&error.error) });
            }
            Some(Change::Kept) => self.mouth.say_event(LinkEvent::OutboxWritten),
            None => {}
        }
    }
}
