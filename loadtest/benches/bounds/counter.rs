//! An independent, minimal counter: what the generator says of the floor must be what this says. It shares no code with
//! it but the poll.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::Outcome;

/// As long as the generator's lines with 64 bytes of text.
const LINE_BYTES: usize = 72;
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
        for index in 0..count {
            let stream = StdTcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            // Scattered, as those of the generator.
            let token = Token(index * 103 % count);
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

    /// Hears what there is, and gives each line's sender and number.
    fn hear(&mut self, each: &mut dyn FnMut(usize, u64)) -> Outcome<()> {
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
                        each_line(begun, each)?;
                        begun.clear();
                    }
                }
                let lines = rest.chunks_exact(LINE_BYTES);
                begun.extend_from_slice(lines.remainder());
                for line in lines {
                    each_line(line, each)?;
                }
                if bytes < self.buffer.len() {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn each_line(line: &[u8], each: &mut dyn FnMut(usize, u64)) -> Outcome<()> {
    let text = std::str::from_utf8(line)?;
    let mut words = text.split(' ');
    let sender = usize::from_str_radix(words.next().unwrap_or_default(), 16)?;
    each(sender, words.next().unwrap_or_default().parse()?);
    Ok(())
}

/// Closed loop, each sender with one line under way until everybody has it: deliveries a second.
pub(crate) fn crowd(address: SocketAddr, clients: usize, senders: usize, length: Duration) -> Outcome<f64> {
    let mut counter = Counter::connect(address, clients)?;
    let mut missing = vec![0usize; senders];
    let mut heard = 0u64;
    let mut freed: Vec<usize> = (0..senders).collect();
    let begin = Instant::now();
    let mut progress = begin;
    loop {
        let is_on = begin.elapsed() < length;
        for sender in std::mem::take(&mut freed) {
            if is_on {
                counter.send(sender, 0)?;
                missing[sender] = clients - 1;
            }
        }
        let before = heard;
        counter.hear(&mut |sender, _| {
            heard += 1;
            missing[sender] -= 1;
            if missing[sender] == 0 {
                freed.push(sender);
            }
        })?;
        if heard > before {
            progress = Instant::now();
        }
        if !is_on && missing.iter().all(|missing| *missing == 0) {
            return Ok(heard as f64 / begin.elapsed().as_secs_f64());
        }
        if progress.elapsed() > STALL {
            return Err("lines are missing".into());
        }
    }
}

/// Open loop of one sender: the median from when a line was due until each listener had it, in microseconds.
pub(crate) fn rate(address: SocketAddr, clients: usize, lines: u64, per_s: u32) -> Outcome<f64> {
    let mut counter = Counter::connect(address, clients)?;
    let period = Duration::from_secs(1) / per_s;
    let begin = Instant::now() + period;
    let mut late_us = Vec::new();
    let mut sent = 0;
    let expected = lines as usize * (clients - 1);
    let mut progress = Instant::now();
    while late_us.len() < expected {
        if sent < lines && Instant::now() >= begin + period * sent as u32 {
            counter.send(0, sent)?;
            sent += 1;
        }
        let before = late_us.len();
        counter.hear(&mut |_, number| {
            late_us.push((begin + period * number as u32).elapsed().as_micros() as u64);
        })?;
        if late_us.len() > before {
            progress = Instant::now();
        }
        if progress.elapsed() > STALL {
            return Err(format!("{} of {expected} deliveries", late_us.len()).into());
        }
    }
    late_us.sort_unstable();
    Ok(late_us[late_us.len() / 2] as f64)
}
