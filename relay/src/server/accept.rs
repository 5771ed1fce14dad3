//! New connections: who gets in, and what those hear who do not.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown};
use std::time::Duration;

use mio::Interest;
use mio::net::{TcpListener, TcpStream};

use super::Server;
use super::conn::{Awaits, Conn, INDEX_MAX, client_id, token};
use crate::chat::Origin;
use crate::listen::{Transport, address_group};
use crate::moment::Moment;
use crate::phrases::Phrase;

/// Connections accepted on one socket before the others get their turn.
const ACCEPTS_MAX: usize = 1024;

/// How long to wait when the system has no descriptor or memory left: no edge will tell when it has again.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Why a caller was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `--max-clients`.
    Clients,
    /// `--max-per-ip`.
    Address,
    /// The system has no descriptor left.
    Descriptors,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Clients, Self::Address, Self::Descriptors];

    /// As it is written in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Address => "address",
            Self::Descriptors => "descriptors",
        }
    }

    fn words(self) -> (&'static str, Phrase) {
        match self {
            Self::Clients | Self::Descriptors => ("FAIL RELAY FULL", Phrase::Full),
            Self::Address => ("FAIL RELAY ADDRESS_FULL", Phrase::AddressFull),
        }
    }
}

/// A listening socket.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    /// Callers may be waiting.
    pub(super) is_ready: bool,
    /// What they are to say first.
    pub(super) transport: Transport,
}

/// What is needed to accept, besides the doors.
#[derive(Default)]
pub(super) struct Gate {
    /// Connections of each address; kept only with `--max-per-ip`.
    pub(super) per_address: HashMap<[u8; 16], u32>,
    /// Given up for a moment to tell a caller that there is no descriptor left.
    spare: Option<File>,
    /// When to try again.
    pub(super) retry_at: Option<Moment>,
    next_generation: usize,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self { spare: open_spare(), ..Self::default() }
    }
}

fn open_spare() -> Option<File> {
    File::open("/dev/null").ok()
}

impl Server {
    /// Accepts whoever waits at the doors that are ready.
    pub(super) fn accept_ready(&mut self, now: Moment) {
        if self.gate.retry_at.is_some_and(|at| at <= now) {
            self.gate.retry_at = None;
            self.doors.iter_mut().for_each(|door| door.is_ready = true);
        }
        if self.gate.retry_at.is_some() {
            return;
        }
        for number in 0..self.doors.len() {
            self.accept_at(number, now);
        }
    }

    fn accept_at(&mut self, number: usize, now: Moment) {
        for _ in 0..ACCEPTS_MAX {
            let Some(door) = self.doors.get_mut(number).filter(|door| door.is_ready) else { return };
            match door.listener.accept() {
                Ok((stream, address)) => {
                    let transport = door.transport;
                    self.admit(stream, address.ip(), transport);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => door.is_ready = false,
                // The caller has gone again; or a signal came.
                Err(error) if is_passing(&error) => {}
                Err(_) => {
                    self.refuse_with_spare(number);
                    self.gate.retry_at = Some(now.after(RETRY_AFTER));
                    return;
                }
            }
        }
    }

    fn admit(&mut self, mut stream: TcpStream, address: IpAddr, transport: Transport) {
        let is_trusted = self.options.trusted.iter().any(|block| block.contains(address));
        if self.max_clients != 0 && self.conns.len() >= self.max_clients.min(INDEX_MAX) {
            return self.refuse(stream, Refusal::Clients);
        }
        let group = (self.options.max_per_ip != 0 && !is_trusted).then(|| address_group(address));
        if let Some(group) = group {
            let present = self.gate.per_address.entry(group).or_insert(0);
            if *present as usize >= self.options.max_per_ip {
                return self.refuse(stream, Refusal::Address);
            }
            *present += 1;
        }
        let entry = self.conns.vacant_entry();
        let index = entry.key();
        let generation = self.gate.next_generation;
        self.gate.next_generation = generation.wrapping_add(1) & (usize::MAX >> (usize::BITS * 5 / 8));
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.poll.registry().register(&mut stream, token(index, generation), interest).is_err() {
            self.leave_address(group);
            return self.refuse(stream, Refusal::Descriptors);
        }
        entry.insert(Conn {
            stream,
            #[cfg(feature = "tls")]
            tls: None,
            awaits: Awaits::Nothing,
            generation,
            is_readable: false,
            is_listed: false,
            is_end_near: false,
            has_ended: false,
            is_lingering: false,
            lingers: 0,
            group,
            origin: Origin {
                address: Some(address),
                is_private: address.to_canonical().is_loopback(),
                is_trusted,
            },
        });
        self.counts.accepted += 1;
        match transport {
            Transport::Plain => self.open(index),
            #[cfg(feature = "tls")]
            Transport::Tls if self.begin_tls(index) => {}
            #[cfg(feature = "tls")]
            Transport::Tls => self.remove(index, self.now()),
        }
    }

    /// From now on the chat knows of the connection.
    pub(super) fn open(&mut self, index: usize) {
        let Some(conn) = self.conns.get_mut(index) else { return };
        conn.awaits = Awaits::Nothing;
        self.chat.handle_connect(client_id(index), conn.origin);
    }

    /// Goes on with a connection that the chat does not know of yet, when it is its turn.
    pub(super) fn introduce(&mut self, index: usize, now: Moment) {
        if self.steps_left == 0 {
            return self.list(index);
        }
        self.steps_left -= 1;
        match self.conns.get(index).map(|conn| conn.awaits) {
            #[cfg(feature = "tls")]
            Some(Awaits::Handshake) => self.shake(index, now),
            _ => {
                let _ = now;
            }
        }
    }

    pub(super) fn leave_address(&mut self, group: Option<[u8; 16]>) {
        let Some(group) = group else { return };
        if let Some(present) = self.gate.per_address.get_mut(&group) {
            *present -= 1;
            if *present == 0 {
                self.gate.per_address.remove(&group);
            }
        }
    }

    fn refuse(&mut self, mut stream: TcpStream, refusal: Refusal) {
        if let Some(count) = Refusal::ALL.iter().position(|other| *other == refusal) {
            if let Some(count) = self.counts.refused.get_mut(count) {
                *count += 1;
            }
        }
        let (words, phrase) = refusal.words();
        let line = format!("* {words} :{}\n", phrase.in_language(self.options.language));
        // What it has already sent is read: closing on unread bytes could take the sentence away again.
        let _ = stream.read(&mut self.buffer);
        let _ = stream.write(line.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
    }

    /// With the last descriptor: takes a caller, tells it, closes.
    fn refuse_with_spare(&mut self, number: usize) {
        drop(self.gate.spare.take());
        if let Some(Ok((stream, _))) = self.doors.get(number).map(|door| door.listener.accept()) {
            self.refuse(stream, Refusal::Descriptors);
        }
        self.gate.spare = open_spare();
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}
