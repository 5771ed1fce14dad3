//! A client that knows lines and nothing else of the protocol. It panics with what it heard instead.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

use super::DEADLINE;

/// What a connection gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A line, without its ending.
    Line(String),
    /// The relay closed, or reset, the connection.
    Closed,
    /// Nothing in the time given.
    Nothing,
}

/// A connection to a relay.
#[derive(Debug)]
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
    /// The start of a line whose end has not come.
    partial: Vec<u8>,
    /// Lines heard while waiting for a pong, not asked for yet.
    pending: VecDeque<String>,
    pings: u32,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::from_stream(TcpStream::connect_timeout(&address, DEADLINE).expect("the relay accepts"))
    }

    /// A connection whose kernel keeps little of what it has not read yet.
    pub(crate) fn connect_with_small_buffers(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_send_buffer_size(8192).unwrap();
        socket.connect_timeout(&address.into(), DEADLINE).expect("the relay accepts");
        Self::from_stream(socket.into())
    }

    /// A connection from another address of this machine: all of 127.0.0.0/8 is.
    pub(crate) fn connect_from(source: IpAddr, address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(source, 0).into()).unwrap();
        socket.connect_timeout(&address.into(), DEADLINE).expect("the relay accepts");
        Self::from_stream(socket.into())
    }

    fn from_stream(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Self { reader: BufReader::new(stream), partial: Vec::new(), pending: VecDeque::new(), pings: 0 }
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        self.reader.get_ref()
    }

    /// Sends a line and does not wait for anything.
    pub(crate) fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\n").as_bytes());
    }

    /// Sends bytes as they are, in one write if the kernel takes them.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream().write_all(bytes).expect("the relay reads");
    }

    /// Sends bytes to a relay that may close meanwhile. Says whether it took them.
    pub(crate) fn try_send_bytes(&mut self, bytes: &[u8]) -> bool {
        self.stream().write_all(bytes).is_ok()
    }

    /// Sends a line and waits until the relay has dealt with it.
    pub(crate) fn tell(&mut self, line: &str) {
        self.send(line);
        self.sync();
    }

    /// Waits until the relay has dealt with all that was sent here, and all that it dealt with before is heard.
    /// The lines heard meanwhile are kept for the methods that ask for them.
    pub(crate) fn sync(&mut self) {
        self.pings += 1;
        let word = format!("sync-{}", self.pings);
        self.send(&format!("/ping {word}"));
        let pong = format!("* PONG {word}");
        let until = Instant::now() + DEADLINE;
        loop {
            match self.hear_from_socket(until.saturating_duration_since(Instant::now())) {
                Heard::Line(line) if line == pong => return,
                Heard::Line(line) => self.pending.push_back(line),
                end => panic!("{end:?} instead of {pong:?}; before it came {:?}", self.pending),
            }
        }
    }

    /// Forgets all that was said so far.
    pub(crate) fn forget(&mut self) {
        self.sync();
        self.pending.clear();
    }

    /// The next line, or what there is instead after `patience`.
    pub(crate) fn hear(&mut self, patience: Duration) -> Heard {
        match self.pending.pop_front() {
            Some(line) => Heard::Line(line),
            None => self.hear_from_socket(patience),
        }
    }

    fn hear_from_socket(&mut self, patience: Duration) -> Heard {
        let until = Instant::now() + patience;
        loop {
            if !self.reader.buffer().contains(&b'\n') {
                let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
                self.stream().set_read_timeout(Some(left)).unwrap();
            }
            match self.reader.read_until(b'\n', &mut self.partial) {
                Ok(_) if self.partial.last() == Some(&b'\n') => return Heard::Line(self.take_line()),
                Ok(0) if self.partial.is_empty() => return Heard::Closed,
                Ok(_) => panic!("closed within a line: {:?}", String::from_utf8_lossy(&self.partial)),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Heard::Closed,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => panic!("reading failed: {error}"),
            }
            if Instant::now() >= until {
                return Heard::Nothing;
            }
        }
    }

    fn take_line(&mut self) -> String {
        let mut line = std::mem::take(&mut self.partial);
        line.pop();
        String::from_utf8(line).expect("the relay writes UTF-8")
    }

    pub(crate) fn next_line(&mut self) -> String {
        match self.hear(DEADLINE) {
            Heard::Line(line) => line,
            end => panic!("{end:?} instead of a line"),
        }
    }

    /// The next line must be this one; ` :…` at its end stands for any sentence.
    #[track_caller]
    pub(crate) fn expect_line(&mut self, pattern: &str) {
        let heard = self.hear(DEADLINE);
        assert!(
            matches!(&heard, Heard::Line(line) if matches(pattern, line)),
            "{heard:?} instead of {pattern:?}"
        );
    }

    /// All that was said up to now and not asked for yet must be these lines.
    #[track_caller]
    pub(crate) fn hears(&mut self, patterns: &[&str]) {
        self.sync();
        let heard: Vec<String> = self.pending.drain(..).collect();
        let right =
            heard.len() == patterns.len() && heard.iter().zip(patterns).all(|(line, p)| matches(p, line));
        assert!(right, "heard {heard:?} instead of {patterns:?}");
    }

    /// All lines heard up to now and not asked for yet.
    pub(crate) fn all_lines(&mut self) -> Vec<String> {
        self.sync();
        self.pending.drain(..).collect()
    }

    #[track_caller]
    pub(crate) fn expect_closed(&mut self) {
        let heard = self.hear(DEADLINE);
        assert_eq!(heard, Heard::Closed);
    }

    /// All lines up to the end of the connection, which must come.
    pub(crate) fn lines_until_closed(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.hear(DEADLINE) {
                Heard::Line(line) => lines.push(line),
                Heard::Closed => return lines,
                Heard::Nothing => panic!("the relay does not close; it said {lines:?}"),
            }
        }
    }

    /// For connections that cannot ping: nothing may come for so long. The only wait that always takes its time.
    #[track_caller]
    pub(crate) fn expect_silence(&mut self, milliseconds: u64) {
        let heard = self.hear(Duration::from_millis(milliseconds));
        assert_eq!(heard, Heard::Nothing);
    }

    /// One read of at most `size` bytes from the socket: empty at its end, `None` if nothing comes in `patience`.
    pub(crate) fn read_piece(&mut self, size: usize, patience: Duration) -> Option<Vec<u8>> {
        assert!(self.reader.buffer().is_empty(), "some of it was read as lines already");
        let mut piece = vec![0; size];
        self.stream().set_read_timeout(Some(patience)).unwrap();
        match self.stream().read(&mut piece) {
            Ok(length) => piece.truncate(length),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return None,
            Err(error) => panic!("reading failed: {error}"),
        }
        Some(piece)
    }

    /// Sends no more.
    pub(crate) fn half_close(&mut self) {
        self.stream().shutdown(Shutdown::Write).expect("the connection is open");
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        SockRef::from(self.stream()).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

/// Whether the line is what the pattern says: ` :…` at its end stands for any sentence, any other `…` for text without a
/// space or semicolon.
pub(crate) fn matches(pattern: &str, line: &str) -> bool {
    let Some((before, behind)) = pattern.split_once('…').filter(|_| pattern != line) else {
        return pattern == line;
    };
    let Some(rest) = line.strip_prefix(before).filter(|rest| !rest.is_empty()) else { return false };
    if before.ends_with(" :") && behind.is_empty() {
        return true;
    }
    let length = rest.find([' ', ';']).unwrap_or(rest.len());
    let (_, rest) = rest.split_at(length);
    length > 0 && matches(behind, rest)
}
