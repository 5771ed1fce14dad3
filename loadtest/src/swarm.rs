//! The clients: one loop that sends what is due, reads what comes, and tells the core who heard what when.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::plan::{Plan, micros};
use crate::process::{self, Usage};
use crate::schedule::{Due, Pace, Schedule};
use crate::stamp::{Stamp, Unstamped};
use crate::stats::{Arrivals, Counts, Flights, histogram};

const EVENTS_MAX: usize = 1024;
const READ_BYTES: usize = 64 * 1024;
/// Lines of one sender that the server has not taken yet; past it nothing more is made for that sender.
const UNSENT_BYTES_MAX: usize = 1024 * 1024;
/// Nothing more came for so long behind the last line: what is not there by then is lost.
const QUIET: Duration = Duration::from_secs(2);
/// Nobody says or hears anything else: the notices of those who joined are all there.
const JOINED_QUIET: Duration = Duration::from_millis(1300);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Refusals of the server that a report repeats.
const COMPLAINTS_MAX: usize = 5;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The four checks, warm-up included.
    pub counts: Counts,
    /// Lines that the server's sockets took.
    pub sent: u64,
    /// Lines heard for the first time, behind the warm-up.
    pub delivered_measured: u64,
    /// From the end of the warm-up to the last line heard, in seconds.
    pub measured_s: f64,
    /// The latencies.
    pub flights: Flights,
    /// How late lines went out, in microseconds.
    pub lateness: Histogram<u64>,
    /// Lines that were due and never went out.
    pub unsent: u64,
    /// Of this process, from first to last line.
    pub own_cpu_ns: u64,
    /// How long that was, in nanoseconds.
    pub wall_ns: u64,
    /// Of the server, if it is known: at the first line, and at the last.
    pub server: Option<(Usage, Usage)>,
    /// What the server said against it, at most five lines.
    pub complaints: Vec<String>,
    /// It was told to stop before its time.
    pub is_partial: bool,
}

/// All clients, connected.
#[derive(Debug)]
pub struct Swarm {
    poll: Poll,
    clients: Vec<Client>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    /// The start of a line.
    begun: Vec<u8>,
    unsent: VecDeque<u8>,
    is_over: bool,
}

/// One run under way.
struct Run<'a> {
    plan: &'a Plan,
    epoch: Instant,
    arrivals: Arrivals,
    flights: Flights,
    lateness: Histogram<u64>,
    /// By sender.
    sent: Vec<u32>,
    unsent: u64,
    delivered_measured: u64,
    last_heard_us: u64,
    /// Senders whose line everybody has.
    freed: Vec<u16>,
    complaints: Vec<String>,
}

impl Swarm {
    /// Connects so many clients, one after another.
    pub fn connect(target: SocketAddr, count: usize) -> Result<Self, String> {
        let poll = Poll::new().map_err(|error| format!("epoll: {error}"))?;
        let mut clients = Vec::new();
        for number in 0..count {
            let client = connect(target, number, &poll)
                .map_err(|error| format!("client {} of {count} to {target}: {error}", number + 1))?;
            clients.push(client);
        }
        Ok(Self { poll, clients, buffer: vec![0; READ_BYTES] })
    }

    /// Lets the senders join, and waits until the room is quiet.
    pub fn join(&mut self, senders: usize) -> Result<(), String> {
        for number in 0..senders {
            let line = format!("{} se ha unido al chat.\n", sender_name(number as u16));
            if let Some(client) = self.clients.get_mut(number) {
                client.send(line.as_bytes()).map_err(|error| format!("a sender cannot join: {error}"))?;
            }
        }
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut quiet_since = Instant::now();
        while quiet_since.elapsed() < JOINED_QUIET {
            self.wait(&mut events, Duration::from_millis(100))?;
            for event in &events {
                let Some(client) = self.clients.get_mut(event.token().0) else { continue };
                while client.read(&mut self.buffer)? > 0 {
                    quiet_since = Instant::now();
                }
            }
        }
        Ok(())
    }

    /// Carries the plan out. The clients `0..plan.senders` have joined.
    ///
    /// `stop`: once true, nothing more is sent, and what is under way is awaited.
    pub fn run(&mut self, plan: &Plan, server: Option<u32>, stop: &AtomicBool) -> Result<Outcome, String> {
        let usage = |pid: Option<u32>| pid.map(process::usage).transpose();
        let server_before = usage(server)?;
        let own_before = process::usage(std::process::id())?;
        let mut run = Run::new(plan)?;
        let end_us = plan.length_us();
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut schedule = match plan.pace {
            Pace::Rate(rate) => Some(Schedule::new(run.senders(), rate, end_us)),
            Pace::Window(window) => {
                run.freed = (0..window).flat_map(|_| 0..run.senders()).collect();
                None
            }
        };
        let mut wall_ns = 0;
        let mut own_after = own_before;
        let mut server_after = server_before;
        let mut is_sending = true;
        let mut is_partial = false;
        let mut end_us = end_us;
        loop {
            let now_us = run.now_us();
            if is_sending && stop.load(Ordering::Relaxed) {
                is_partial = true;
                end_us = end_us.min(now_us);
                schedule = schedule.map(|_| Schedule::new(1, 1.0, 0));
            }
            if is_sending {
                self.send_due(&mut run, schedule.as_mut(), now_us, end_us);
                is_sending = now_us < end_us;
                if !is_sending {
                    wall_ns = run.epoch.elapsed().as_nanos() as u64;
                    own_after = process::usage(std::process::id())?;
                    server_after = usage(server)?;
                }
            } else if run.flights.under_way() == 0 || now_us > run.last_heard_us.max(end_us) + micros(QUIET) {
                break;
            }
            let next_us = schedule.as_ref().and_then(Schedule::next_due_us).unwrap_or(end_us);
            let wait_us =
                if is_sending { next_us.saturating_sub(run.now_us()).min(100_000) } else { 100_000 };
            self.wait(&mut events, Duration::from_micros(wait_us))?;
            for event in &events {
                self.take(&mut run, event.token().0)?;
            }
        }
        let counts = run.arrivals.finish(&run.sent, |receiver, sender| receiver != u32::from(sender));
        let measured_us = run.last_heard_us.max(end_us).saturating_sub(micros(plan.warmup));
        Ok(Outcome {
            counts,
            sent: run.sent.iter().map(|sent| u64::from(*sent)).sum(),
            delivered_measured: run.delivered_measured,
            measured_s: measured_us as f64 / 1e6,
            flights: run.flights,
            lateness: run.lateness,
            unsent: run.unsent,
            own_cpu_ns: own_after.cpu_ns - own_before.cpu_ns,
            wall_ns,
            server: server_before.zip(server_after),
            complaints: run.complaints,
            is_partial,
        })
    }

    /// Sends what is due now, by the schedule or because a line was heard.
    fn send_due(&mut self, run: &mut Run<'_>, schedule: Option<&mut Schedule>, now_us: u64, end_us: u64) {
        match schedule {
            Some(schedule) => {
                while let Some(due) = schedule.take(now_us) {
                    self.send(run, due);
                }
            }
            None if now_us < end_us => {
                for sender in std::mem::take(&mut run.freed) {
                    let sequence = run.sent.get(usize::from(sender)).copied().unwrap_or_default();
                    self.send(run, Due { sender, sequence, due_us: now_us });
                }
            }
            None => {}
        }
    }

    fn send(&mut self, run: &mut Run<'_>, due: Due) {
        let sender = usize::from(due.sender);
        let Some(client) = self.clients.get_mut(sender) else { return };
        let Some(sent) = run.sent.get_mut(sender) else { return };
        if client.is_over || client.unsent.len() > UNSENT_BYTES_MAX {
            run.unsent += 1;
            return;
        }
        // Its own count: a line that was left out leaves no gap.
        let stamp = Stamp { sender: due.sender, sequence: *sent, due_us: due.due_us };
        let mut line = format!("{}: ", sender_name(due.sender)).into_bytes();
        stamp.write(run.plan.size_bytes, &mut line);
        line.push(b'\n');
        if client.send(&line).is_err() {
            client.is_over = true;
            run.unsent += 1;
            return;
        }
        *sent += 1;
        let late_us = run.now_us().saturating_sub(due.due_us);
        run.lateness.saturating_record(late_us);
        run.flights.launch(due.sender, due.due_us, (run.plan.clients - 1) as u32);
    }

    /// Reads one client until it is empty, and writes what it had still to send.
    fn take(&mut self, run: &mut Run<'_>, number: usize) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(number) else { return Ok(()) };
        if !client.unsent.is_empty() && client.flush().is_err() {
            client.is_over = true;
        }
        loop {
            let bytes = client.read(&mut self.buffer)?;
            if bytes == 0 {
                return Ok(());
            }
            let now_us = run.now_us();
            let mut rest = self.buffer.get(..bytes).unwrap_or_default();
            while let Some(end) = memchr::memchr(b'\n', rest) {
                let line = rest.get(..end).unwrap_or_default();
                rest = rest.get(end + 1..).unwrap_or_default();
                if client.begun.is_empty() {
                    run.note(number as u32, line, now_us);
                } else {
                    client.begun.extend_from_slice(line);
                    run.note(number as u32, &client.begun, now_us);
                    client.begun.clear();
                }
            }
            client.begun.extend_from_slice(rest);
            if bytes < self.buffer.len() {
                return Ok(());
            }
        }
    }

    fn wait(&mut self, events: &mut Events, at_most: Duration) -> Result<(), String> {
        match self.poll.poll(events, Some(at_most)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => Err(format!("epoll_wait: {error}")),
            _ => Ok(()),
        }
    }
}

impl Client {
    /// Sends, or keeps for later what the socket does not take.
    fn send(&mut self, line: &[u8]) -> io::Result<()> {
        self.unsent.extend(line);
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            let (front, _) = self.unsent.as_slices();
            match self.stream.write(front) {
                Ok(bytes) => drop(self.unsent.drain(..bytes)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One read: how many bytes there were, 0 where there is none now or never more.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        if self.is_over {
            return Ok(0);
        }
        loop {
            match self.stream.read(buffer) {
                Ok(0) => self.is_over = true,
                Ok(bytes) => return Ok(bytes),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.is_over = true,
            }
            return Ok(0);
        }
    }
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan) -> Result<Self, String> {
        let lateness = histogram()?;
        Ok(Self {
            plan,
            epoch: Instant::now(),
            arrivals: Arrivals::new(plan.clients, plan.senders),
            flights: Flights::new(plan.senders, micros(plan.warmup))?,
            lateness,
            sent: vec![0; plan.senders],
            unsent: 0,
            delivered_measured: 0,
            last_heard_us: 0,
            freed: Vec::new(),
            complaints: Vec::new(),
        })
    }

    fn senders(&self) -> u16 {
        u16::try_from(self.plan.senders).unwrap_or(u16::MAX)
    }

    fn now_us(&self) -> u64 {
        micros(self.epoch.elapsed())
    }

    /// A client heard a line.
    fn note(&mut self, receiver: u32, line: &[u8], now_us: u64) {
        let text = memchr::memchr(b'~', line).and_then(|at| line.get(at..)).unwrap_or_default();
        let stamp = match Stamp::read(text) {
            Ok(stamp) => stamp,
            Err(Unstamped::Corrupt) => return self.arrivals.note_corrupt(),
            Err(Unstamped::Foreign) => {
                if line.starts_with(b"* FAIL") && self.complaints.len() < COMPLAINTS_MAX {
                    self.complaints.push(String::from_utf8_lossy(line).into_owned());
                }
                return;
            }
        };
        if !self.arrivals.note(receiver, &stamp) {
            return;
        }
        self.last_heard_us = now_us;
        if now_us >= micros(self.plan.warmup) {
            self.delivered_measured += 1;
        }
        if self.flights.land(&stamp, now_us) && matches!(self.plan.pace, Pace::Window(_)) {
            self.freed.push(stamp.sender);
        }
    }
}

/// What a sender is called in the room.
fn sender_name(number: u16) -> String {
    format!("s{number:04x}")
}

fn connect(target: SocketAddr, number: usize, poll: &Poll) -> io::Result<Client> {
    let stream = StdTcpStream::connect_timeout(&target, CONNECT_TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut stream = TcpStream::from_std(stream);
    let interest = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(&mut stream, Token(number), interest)?;
    Ok(Client { stream, begun: Vec::new(), unsent: VecDeque::new(), is_over: false })
}
