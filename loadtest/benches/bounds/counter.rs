//! An independent, minimal counter: what the generator says of the floor must be what this says. It shares no code with
//! it but the poll.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::Outcome;

/// As long as the generator's lines with 64 bytes of text.
const LINE_BYTES: usize = 74;
const STALL: Duration = Duration::from_secs(5);
const SETTLE: Duration = Duration::from_millis(300);

struct Counter {
    poll: Poll,
    events: Events,
    streams: Vec<TcpStream>,
    /// By client: bytes of a line that has begun, and its sender and number once they are there.
    begun: Vec<Vec<u8>>,
    buffer: Vec<u8>,
}

impl Counter {
    fn connect(address: SocketAddr, count: usize) -> Outcome<Self> {
        let poll = Poll::new()?;
        let mut streams = Vec::new();
        // Scattered as those of the generator: a floor writes in the order of arrival, and where in it the one stands
        // whose hearing lets the next line go out makes a difference of a tenth.
        let stride = (count * 5 / 8..).find(|stride| greatest_common_divisor(*stride, count) == 1);
        let stride = stride.ok_or("no stride")?;
        for index in 0..count {
            let stream = StdTcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let token = Token(index * stride % count);
            poll.registry().register(&mut stream, token, Interest::READABLE)?;
            streams.push((token.0, stream));
        }
        streams.sort_by_key(|(number, _)| *number);
        let streams = streams.into_iter().map(|(_, stream)| stream).collect();
        std::thread::sleep(SETTLE);
        let events = Events::with_capacity(1024);
        Ok(Self { poll, events, streams, begun: vec![Vec::new(); count], buffer: vec![0; 64 * 1024] })
    }

    fn send(&mut self, sender: usize, number: u64) -> Outcome<()> {
        let mut line = format!("{sender:04x} {number:010} ");
        line.push_str(&"x".repeat(LINE_BYTES - 1 - line.len()));
        line.push('\n');
        let stream = self.streams.get_mut(sender).ok_or("no such sender")?;
        let taken = stream.write(line.as_bytes())?;
        if taken < line.len() { Err("the floor does not take a line".into()) } else { Ok(()) }
    }

    /// Hears what there is, and gives each line's receiver, sender and number.
    fn hear(&mut self, each: &mut dyn FnMut(usize, usize, u64)) -> Outcome<()> {
        self.poll.poll(&mut self.events, Some(Duration::ZERO))?;
        for event in &self.events {
            let number = event.token().0;
            let (Some(stream), Some(begun)) = (self.streams.get_mut(number), self.begun.get_mut(number))
            else {
                continue;
            };
            loop {
                let bytes = match stream.read(&mut self.buffer) {
                    Ok(0) => return Err("the floor closed a connection".into()),
                    Ok(bytes) => bytes,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                };
                let mut rest = self.buffer.get(..bytes).unwrap_or_default();
                if !begun.is_empty() {
                    let missing = (LINE_BYTES - begun.len()).min(rest.len());
                    let (front, behind) = rest.split_at(missing);
                    begun.extend_from_slice(front);
                    rest = behind;
                    if begun.len() == LINE_BYTES {
                        each_line(number, begun, each)?;
                        begun.clear();
                    }
                }
                let lines = rest.chunks_exact(LINE_BYTES);
                begun.extend_from_slice(lines.remainder());
                for line in lines {
                    each_line(number, line, each)?;
                }
                if bytes < self.buffer.len() {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The sender, in four hexadecimal digits, and the number, in ten decimal ones: both at their places.
fn each_line(number: usize, line: &[u8], each: &mut dyn FnMut(usize, usize, u64)) -> Outcome<()> {
    let digits = |from: usize, to: usize, base: u64| {
        line[from..to].iter().fold(0, |sum, digit| {
            sum * base + u64::from(if *digit > b'9' { digit - b'a' + 10 } else { digit - b'0' })
        })
    };
    if line[4] != b' ' || line[15] != b' ' || line[LINE_BYTES - 1] != b'\n' {
        return Err("a line came changed".into());
    }
    each(number, digits(0, 4, 16) as usize, digits(5, 15, 10));
    Ok(())
}

fn greatest_common_divisor(one: usize, other: usize) -> usize {
    if other == 0 { one } else { greatest_common_divisor(other, one % other) }
}

/// Closed loop: each sender with one line under way until a listener of its own has it.
pub(crate) struct Crowd {
    counter: Counter,
    /// By sender: deliveries that are still to come.
    missing: Vec<usize>,
    heard: u64,
    seconds: f64,
}

impl Crowd {
    pub(crate) fn connect(address: SocketAddr, clients: usize, senders: usize) -> Outcome<Self> {
        let counter = Counter::connect(address, clients)?;
        Ok(Self { counter, missing: vec![0; senders], heard: 0, seconds: 0.0 })
    }

    /// Sends for so long, and hears all of it out.
    pub(crate) fn slice(&mut self, length: Duration) -> Outcome<()> {
        let Self { counter, missing, heard, seconds } = self;
        let senders = missing.len();
        let (receivers, listeners) = (counter.streams.len() - 1, counter.streams.len() - senders);
        let mut freed: Vec<usize> = (0..senders).collect();
        let begin = Instant::now();
        let mut progress = begin;
        loop {
            if begin.elapsed() < length {
                for sender in std::mem::take(&mut freed) {
                    counter.send(sender, 0)?;
                    missing[sender] += receivers;
                }
            } else if missing.iter().all(|missing| *missing == 0) {
                *seconds += begin.elapsed().as_secs_f64();
                return Ok(());
            }
            let before = *heard;
            counter.hear(&mut |receiver, sender, _| {
                *heard += 1;
                missing[sender] -= 1;
                if receiver == senders + sender % listeners {
                    freed.push(sender);
                }
            })?;
            if *heard > before {
                progress = Instant::now();
            }
            if progress.elapsed() > STALL {
                return Err("lines are missing".into());
            }
        }
    }

    /// Forgets what was counted: that was the warm-up.
    pub(crate) fn forget(&mut self) {
        (self.heard, self.seconds) = (0, 0.0);
    }

    /// Deliveries a second.
    pub(crate) fn rate_per_s(&self) -> f64 {
        self.heard as f64 / self.seconds
    }
}

/// Open loop of one sender.
pub(crate) struct Rate {
    counter: Counter,
    late_us: Vec<u64>,
}

impl Rate {
    pub(crate) fn connect(address: SocketAddr, clients: usize) -> Outcome<Self> {
        Ok(Self { counter: Counter::connect(address, clients)?, late_us: Vec::new() })
    }

    /// Sends so many lines, so many a second, and hears them out.
    pub(crate) fn slice(&mut self, lines: usize, per_s: u32) -> Outcome<()> {
        let Self { counter, late_us } = self;
        let period = Duration::from_secs(1) / per_s;
        let begin = Instant::now();
        let expected = late_us.len() + lines * (counter.streams.len() - 1);
        let mut sent = 0;
        let mut progress = Instant::now();
        while late_us.len() < expected {
            if sent < lines && Instant::now() >= begin + period * sent as u32 {
                counter.send(0, sent as u64)?;
                sent += 1;
            }
            let before = late_us.len();
            counter.hear(&mut |_, _, number| {
                late_us.push((begin + period * number as u32).elapsed().as_micros() as u64);
            })?;
            if late_us.len() > before {
                progress = Instant::now();
            }
            if progress.elapsed() > STALL {
                return Err(format!("{} of {expected} deliveries", late_us.len()).into());
            }
        }
        Ok(())
    }

    /// Forgets what was counted: that was the warm-up.
    pub(crate) fn forget(&mut self) {
        self.late_us.clear();
    }

    /// The median from when a line was due until each listener had it, in microseconds.
    pub(crate) fn p50_us(mut self) -> f64 {
        self.late_us.sort_unstable();
        self.late_us[self.late_us.len() / 2] as f64
    }
}
