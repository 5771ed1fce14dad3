//! The generator's side: many sockets in one loop, and the lines they carry.
//!
//! Chat lines of the bench all have the same length and end in a mark no other line holds, so a
//! receiver counts marks instead of taking lines apart.

use std::io::{self, Read, Write};
use std::net::{self, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::SockRef;

use crate::Outcome;

/// How long a chat line of the bench is: `s00: `, 64 bytes of text and the line feed.
pub(crate) const LINE_BYTES: usize = 70;
/// Where the number in a chat line begins.
const NUMBER_AT: usize = 5;
const NUMBER_BYTES: usize = 10;
/// The last byte of each chat line's text.
const MARK: u8 = b'~';
const EVENTS_PER_TURN: usize = 4096;
const READ_BYTES: usize = 256 * 1024;

/// The line `number` of a sender.
pub(crate) fn chat_line(sender: usize, number: u64) -> String {
    format!("s{sender:02}: {number:010} {:.<52}~\n", "")
}

/// The line with which a name joins.
pub(crate) fn join_line(name: &str) -> String {
    format!("{name} se ha unido al chat.\n")
}

/// The number in a chat line.
pub(crate) fn number_in(line: &[u8]) -> Option<u64> {
    let digits = line.get(NUMBER_AT..NUMBER_AT + NUMBER_BYTES)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// How many chat lines end in these bytes. Small sums let the compiler use wide registers.
pub(crate) fn count_marks(bytes: &[u8]) -> u64 {
    bytes.chunks(192).map(|part| u64::from(part.iter().map(|byte| u8::from(*byte == MARK)).sum::<u8>())).sum()
}

/// Takes a stream of bytes apart into lines.
#[derive(Default)]
pub(crate) struct LineSplitter {
    begun: Vec<u8>,
}

impl LineSplitter {
    /// Calls `each` with every line that these bytes complete, line feed included.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        let mut rest = bytes;
        if !self.begun.is_empty() {
            let Some((end, after)) = split_line(rest) else {
                self.begun.extend_from_slice(rest);
                return;
            };
            self.begun.extend_from_slice(end);
            each(&self.begun);
            self.begun.clear();
            rest = after;
        }
        while let Some((line, after)) = split_line(rest) {
            each(line);
            rest = after;
        }
        self.begun.extend_from_slice(rest);
    }
}

/// The first line and what follows it. A chat line is known by where its mark stands.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some((line, after)) = bytes.split_at_checked(LINE_BYTES) {
        if line.ends_with(&[MARK, b'\n']) {
            return Some((line, after));
        }
    }
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    bytes.split_at_checked(end + 1)
}

/// Many connections to one server, all read in one loop.
pub(crate) struct Fleet {
    poll: Poll,
    events: Events,
    streams: Vec<TcpStream>,
    buffer: Vec<u8>,
}

impl Fleet {
    /// No connection yet.
    pub(crate) fn new() -> Outcome<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_PER_TURN),
            streams: Vec::new(),
            buffer: vec![0; READ_BYTES],
        })
    }

    /// Opens `count` connections, one after another.
    pub(crate) fn connect(address: SocketAddr, count: usize) -> Outcome<Self> {
        let mut fleet = Self::new()?;
        for _ in 0..count {
            fleet.add(address)?;
        }
        Ok(fleet)
    }

    /// Opens `count` connections whose indices lie scattered over the order in which they were opened, so that
    /// it does not matter in which order the server writes.
    pub(crate) fn connect_scattered(address: SocketAddr, count: usize) -> Outcome<Self> {
        let mut streams = Vec::new();
        for _ in 0..count {
            let stream = net::TcpStream::connect(address)?;
            stream.set_nonblocking(true)?;
            streams.push(Some(TcpStream::from_std(stream)));
        }
        // Multiples of a number near the golden section, without a common divisor, come to each place once.
        let is_coprime = |stride: &usize| (2..=*stride).all(|by| stride % by != 0 || count % by != 0);
        let stride = (count * 5 / 8..).find(|stride| *stride > 0 && is_coprime(stride)).unwrap_or(1);
        let mut fleet = Self::new()?;
        for index in 0..count {
            let stream = streams.get_mut(index * stride % count).and_then(Option::take);
            fleet.adopt(stream.ok_or("a place comes twice")?)?;
        }
        Ok(fleet)
    }

    /// Opens one more connection and tells its index.
    pub(crate) fn add(&mut self, address: SocketAddr) -> Outcome<usize> {
        let stream = net::TcpStream::connect(address)?;
        stream.set_nonblocking(true)?;
        self.adopt(TcpStream::from_std(stream))
    }

    /// Takes a connected stream into the loop and tells its index.
    pub(crate) fn adopt(&mut self, mut stream: TcpStream) -> Outcome<usize> {
        prepare(&stream)?;
        let index = self.streams.len();
        self.poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
        self.streams.push(stream);
        Ok(index)
    }

    /// How many connections there are.
    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }

    /// Sends one line, which has to fit.
    pub(crate) fn send(&mut self, index: usize, line: &str) -> Outcome<()> {
        let stream = self.streams.get_mut(index).ok_or("no such connection")?;
        let count = stream.write(line.as_bytes())?;
        if count < line.len() { Err("the server does not take a line".into()) } else { Ok(()) }
    }

    /// Waits for bytes, hands each read's to `heard` with the connection's index, and tells how
    /// many there were.
    pub(crate) fn turn(&mut self, wait: Duration, mut heard: impl FnMut(usize, &[u8])) -> Outcome<usize> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(0),
            outcome => outcome?,
        }
        let mut sum = 0;
        for event in &self.events {
            let index = event.token().0;
            let Some(stream) = self.streams.get_mut(index) else { continue };
            loop {
                let count = match stream.read(&mut self.buffer) {
                    Ok(0) => return Err(format!("the server closed connection {index}").into()),
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(format!("connection {index}: {error}").into()),
                };
                heard(index, self.buffer.get(..count).unwrap_or_default());
                sum += count;
                if count < self.buffer.len() {
                    break;
                }
            }
        }
        Ok(sum)
    }

    /// Reads and forgets until nothing has come for `quiet`.
    pub(crate) fn await_quiet(&mut self, quiet: Duration, max: Duration) -> Outcome<()> {
        let begin = Instant::now();
        let mut since = begin;
        while since.elapsed() < quiet {
            if self.turn(Duration::from_millis(20), |_, _| {})? > 0 {
                since = Instant::now();
            }
            if begin.elapsed() > max {
                return Err("the room does not come to rest".into());
            }
        }
        Ok(())
    }
}

/// Sets what each of the generator's sockets has: no delay, and no waiting state after it closes.
pub(crate) fn prepare(stream: &TcpStream) -> Outcome<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
    Ok(())
}
