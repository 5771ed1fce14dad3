//! What a line costs in allocations, counted on the loop's own thread while it runs on real sockets.
//!
//! The loop is not seen from outside here, it runs within the test: only so can its allocations be told from those of
//! everybody else. Two runs of different length are set against each other, so that what a start costs does not count.

#![cfg(all(feature = "tls", feature = "history", feature = "config"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "tls/client.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod client;
mod support;

use std::io::{IoSlice, Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

use allocation_counter::measure;
use client::{BOTH, Secure, pinned};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConnection};
use support::{Client, DEADLINE, Folder};
use tertulia_relay::certificate::{CERTIFICATE_FILE, Files, Identity, KEY_FILE, SelfSigned};
use tertulia_relay::listen::{Transport, bind_all};
use tertulia_relay::options::{Asked, parse};
use tertulia_relay::server::{Server, Signals};

/// Who hears each line.
const LISTENERS: usize = 20;

/// Lines of the shorter run, which fill every buffer, and of the longer one.
const LINES: [usize; 2] = [300, 700];

/// What a run may cost more than another by chance, as when two lines are read at once: less than one in ten lines.
const STRAY: u64 = (LINES[1] - LINES[0]) as u64 / 10;

/// As long as a line of a chat is.
const TEXT: &str =
    "the quick brown fox jumps over the lazy dog, and over a second one of about the same size";

/// A certificate of its own, and how a client knows it.
struct Ground {
    folder: Folder,
    identity: Identity,
    config: Arc<ClientConfig>,
}

impl Ground {
    fn new() -> Self {
        let folder = Folder::new();
        let hosts = vec!["relay.example".to_owned()];
        SelfSigned { folder: folder.0.clone(), hosts }.make().unwrap();
        let (certificate, key) = (folder.0.join(CERTIFICATE_FILE), folder.0.join(KEY_FILE));
        let identity = Identity::load(&Files { certificate, key }, None).unwrap();
        let config = pinned(identity.fingerprint(), &BOTH);
        Self { folder, identity, config }
    }

    /// A relay on a thread of its own, which returns its allocations once `end` is written to.
    fn relay(&self) -> Running {
        let file = |name: &str| self.folder.0.join(name).into_os_string();
        let flags = ["--flood", "0", "--history", "none", "--tls-cert"].map(Into::into).into_iter();
        let tls = [file(CERTIFICATE_FILE), "--tls-key".into(), file(KEY_FILE)];
        let Ok(Asked::Run(options)) = parse(flags.chain(tls)) else { panic!("the flags are good") };
        let loopback: SocketAddr = ([127, 0, 0, 1], 0).into();
        let listeners = [Transport::Plain, Transport::Tls].map(|kind| bind_all(&[loopback], kind).unwrap());
        let (ends, reloads) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
        let signals = Signals { end: ends.0, reload: reloads.0 };
        signals.end.set_nonblocking(true).unwrap();
        signals.reload.set_nonblocking(true).unwrap();
        let (tell, told) = channel();
        let thread = std::thread::spawn(move || {
            let listeners = listeners.into_iter().flatten().collect();
            let mut server = Server::new(*options, listeners, signals, None).unwrap();
            server.open_tls().unwrap();
            tell.send(server.addresses()).unwrap();
            measure(|| server.run().unwrap()).count_total
        });
        let addresses = told.recv_timeout(DEADLINE).unwrap();
        let at = |wanted| addresses.iter().find(|(kind, _)| *kind == wanted).unwrap().1;
        let (plain, tls) = (at(Transport::Plain), at(Transport::Tls));
        Running { plain, tls, thread, end: ends.1, _reload: reloads.1 }
    }

    /// Allocations of the loop while `lines` lines are said, one after the other, each heard by all.
    fn allocations(&self, transport: Transport, voice: &str, lines: usize) -> u64 {
        let running = self.relay();
        let mut peers: Vec<Peer> =
            (0..=LISTENERS).map(|number| self.peer(&running, transport, number)).collect();
        let (speaker, listeners) = peers.split_first_mut().unwrap();
        for number in 0..lines {
            speaker.send(&format!("{voice}{TEXT} {number:04}"));
            listeners
                .iter_mut()
                .for_each(|listener| listener.await_line(&format!("p00: {TEXT} {number:04}")));
        }
        running.finish()
    }

    fn peer(&self, running: &Running, transport: Transport, number: usize) -> Peer {
        let name = format!("p{number:02}");
        match transport {
            Transport::Tls => Peer::Tls(Box::new(Secure::connect(running.tls, &self.config).named(&name))),
            _ => {
                let mut client = Client::connect(running.plain);
                client.send(&format!("{name} se ha unido al chat."));
                client.sync();
                Peer::Plain(client)
            }
        }
    }

    /// What rustls alone takes to read so many lines and to write so many, as records of their own.
    fn rustls_allocations(&self, read: usize, written: usize) -> u64 {
        let name = ServerName::try_from("relay.example").unwrap();
        let mut client = ClientConnection::new(Arc::clone(&self.config), name).unwrap();
        let mut server = ServerConnection::new(Arc::clone(self.identity.config())).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            carry(|bytes| client.write_tls(bytes), |mut bytes| server.read_tls(&mut bytes));
            server.process_new_packets().unwrap();
            carry(|bytes| server.write_tls(bytes), |mut bytes| client.read_tls(&mut bytes));
            client.process_new_packets().unwrap();
        }
        let line = format!("p00: {TEXT} 0000\n");
        let said: Vec<Vec<u8>> = (0..read)
            .map(|_| {
                let mut record = Vec::new();
                client.writer().write_all(line.as_bytes()).unwrap();
                client.write_tls(&mut record).unwrap();
                record
            })
            .collect();
        let mut buffer = [0; 8192];
        let counted = measure(|| {
            for record in &said {
                server.read_tls(&mut &record[..]).unwrap();
                server.process_new_packets().unwrap();
                assert!(server.reader().read(&mut buffer).unwrap() > 0);
            }
            for _ in 0..written {
                let taken = server.writer().write_vectored(&[IoSlice::new(line.as_bytes())]).unwrap();
                assert_eq!(taken, line.len());
                server.write_tls(&mut std::io::sink()).unwrap();
            }
        });
        counted.count_total
    }
}

/// Takes what one side has to say to the other.
fn carry(
    mut write: impl FnMut(&mut Vec<u8>) -> std::io::Result<usize>,
    mut read: impl FnMut(&[u8]) -> std::io::Result<usize>,
) {
    let mut bytes = Vec::new();
    write(&mut bytes).unwrap();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        rest = &rest[read(rest).unwrap()..];
    }
}

struct Running {
    plain: SocketAddr,
    tls: SocketAddr,
    thread: JoinHandle<u64>,
    end: UnixStream,
    _reload: UnixStream,
}

impl Running {
    fn finish(mut self) -> u64 {
        self.end.write_all(b"!").unwrap();
        self.thread.join().unwrap()
    }
}

enum Peer {
    Plain(Client),
    Tls(Box<Secure>),
}

impl Peer {
    fn send(&mut self, line: &str) {
        match self {
            Self::Plain(client) => client.send(line),
            Self::Tls(client) => client.send(line),
        }
    }

    /// Notices of those who came later stand before it.
    fn await_line(&mut self, line: &str) {
        loop {
            let heard = match self {
                Self::Plain(client) => client.next_line(),
                Self::Tls(client) => client.next_line(),
            };
            if heard == line {
                return;
            }
        }
    }
}

/// Of two runs, what the lines cost by which the second is longer.
fn more([shorter, longer]: [u64; 2]) -> u64 {
    longer - shorter
}

#[test]
fn a_line_costs_no_allocation_however_many_hear_it() {
    let ground = Ground::new();
    for voice in ["", "p00: "] {
        let counted = LINES.map(|lines| ground.allocations(Transport::Plain, voice, lines));
        assert!(more(counted) < STRAY, "{counted:?} for {LINES:?} lines said as {voice:?}");
    }
}

#[test]
fn through_tls_a_line_costs_what_rustls_takes_for_its_records_and_nothing_more() {
    let ground = Ground::new();
    let counted = LINES.map(|lines| ground.allocations(Transport::Tls, "", lines));
    let rustls = LINES.map(|lines| ground.rustls_allocations(lines, lines * LISTENERS));
    assert!(more(counted) < more(rustls) + STRAY, "{counted:?} for {LINES:?} lines, rustls alone {rustls:?}");
}
