//! New connections: who gets in, and what those hear who do not.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown};
use std::time::Duration;

use mio::Interest;
use mio::net::{TcpListener, TcpStream};

use super::Server;
#[cfg(any(feature = "tls", feature = "proxy"))]
use super::conn::Awaits;
use super::conn::{Conn, GENERATION_MASK, INDEX_MAX, token};
use crate::chat::Origin;
use crate::cidr::Cidr;
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
    /// Nobody may come in from there.
    #[cfg(feature = "history")]
    Banned,
    /// The system has no descriptor left.
    Descriptors,
    /// It is no proxy, and came where only proxies may.
    #[cfg(feature = "proxy")]
    Stranger,
}

impl Refusal {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Clients,
        Self::Address,
        #[cfg(feature = "history")]
        Self::Banned,
        Self::Descriptors,
        #[cfg(feature = "proxy")]
        Self::Stranger,
    ];

    /// As it is written in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Address => "address",
            #[cfg(feature = "history")]
            Self::Banned => "banned",
            Self::Descriptors => "descriptors",
            #[cfg(feature = "proxy")]
            Self::Stranger => "stranger",
        }
    }

    fn words(self) -> (&'static str, Phrase) {
        match self {
            Self::Clients | Self::Descriptors => ("FAIL RELAY FULL", Phrase::Full),
            Self::Address => ("FAIL RELAY ADDRESS_FULL", Phrase::AddressFull),
            #[cfg(feature = "history")]
            Self::Banned => ("FAIL RELAY BANNED", Phrase::Banned),
            #[cfg(feature = "proxy")]
            Self::Stranger => ("FAIL RELAY PROXY_ONLY", Phrase::ProxyOnly),
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
    next_generation: u32,
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
        if self.max_clients != 0 && self.conns.len() >= self.max_clients.min(INDEX_MAX) {
            return self.refuse(stream, Refusal::Clients);
        }
        let (origin, group) = match self.origin_of(address, transport) {
            Ok(known) => known,
            Err(refusal) => return self.refuse(stream, refusal),
        };
        let entry = self.conns.vacant_entry();
        let index = entry.key();
        let generation = self.gate.next_generation;
        self.gate.next_generation = generation.wrapping_add(1) & GENERATION_MASK;
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.poll.registry().register(&mut stream, token(index, generation), interest).is_err() {
            self.leave_address(group);
            return self.refuse(stream, Refusal::Descriptors);
        }
        entry.insert(Conn {
            stream,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(any(feature = "tls", feature = "proxy"))]
            awaits: Awaits::Nothing,
            generation,
            is_readable: false,
            is_listed: false,
            is_end_near: false,
            has_ended: false,
            is_lingering: false,
            #[cfg(feature = "tls")]
            lingers: 0,
            group,
        });
        self.counts.accepted += 1;
        match transport {
            Transport::Plain => self.open(index, origin),
            #[cfg(feature = "tls")]
            Transport::Tls => self.begin_tls(index, origin),
            #[cfg(feature = "proxy")]
            Transport::Proxy => self.begin_entry(index, Awaits::Header),
        }
    }

    /// What is known of a caller from its address, and where it counts. Of one that a proxy brings, nothing yet.
    fn origin_of(
        &mut self,
        address: IpAddr,
        transport: Transport,
    ) -> Result<(Origin, Option<[u8; 16]>), Refusal> {
        #[cfg(feature = "proxy")]
        if transport == Transport::Proxy {
            let is_known = self.options.proxy.from.iter().any(|block| block.contains(address));
            return if is_known { Ok((Origin::default(), None)) } else { Err(Refusal::Stranger) };
        }
        let _ = transport;
        let address = address.to_canonical();
        let is_here = address.is_loopback();
        let origin = Origin { address: Some(address), is_private: is_here, is_here, is_trusted: false };
        let (is_trusted, group) = self.enter_address(&origin, address)?;
        Ok((Origin { is_trusted, ..origin }, group))
    }

    /// Takes a place of those of the address that the caller counts as. Says whether that is trusted, and where the place is
    /// to be given back. Who is banned is turned away here: before a TLS handshake, which costs more than all before it.
    pub(super) fn enter_address(
        &mut self,
        origin: &Origin,
        address: IpAddr,
    ) -> Result<(bool, Option<[u8; 16]>), Refusal> {
        #[cfg(feature = "history")]
        if self.chat.is_banned(origin) {
            return Err(Refusal::Banned);
        }
        #[cfg(not(feature = "history"))]
        let _ = origin;
        let options = &self.options;
        let is_in = |blocks: &[Cidr]| blocks.iter().any(|block| block.contains(address));
        let is_trusted = is_in(&options.trusted);
        if options.max_per_ip == 0 || is_trusted {
            return Ok((is_trusted, None));
        }
        #[cfg(feature = "proxy")]
        if is_in(&options.proxy.exempt) {
            return Ok((is_trusted, None));
        }
        let group = address_group(address);
        let present = self.gate.per_address.entry(group).or_insert(0);
        if *present as usize >= options.max_per_ip {
            return Err(Refusal::Address);
        }
        *present += 1;
        Ok((is_trusted, Some(group)))
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
        let line = self.note_refused(refusal);
        // What it has already sent is read: closing on unread bytes could take the sentence away again.
        let _ = stream.read(&mut self.buffer);
        let _ = stream.write(line.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
    }

    /// Counts a caller that is not let in. Returns what it is told.
    pub(super) fn note_refused(&mut self, refusal: Refusal) -> String {
        let place = Refusal::ALL.iter().position(|other| *other == refusal);
        if let Some(count) = place.and_then(|place| self.counts.refused.get_mut(place)) {
            *count += 1;
        }
        let (words, phrase) = refusal.words();
        format!("* {words} :{}\n", phrase.in_language(self.options.language))
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
