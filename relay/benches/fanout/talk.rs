//! Senders with one line in flight each, and those who listen to them.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::fleet::{Fleet, LineSplitter, chat_line, count_marks, join_line, number_in};
use crate::probes;
use crate::server::Server;
use crate::{Outcome, QUIET, REST_MAX, WARM_UP};

/// Nothing heard for this long is a loss.
const STALL: Duration = Duration::from_secs(5);
const SAMPLE_EVERY: Duration = Duration::from_millis(500);

/// When a sender's next line goes out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// When the sender's own watcher, one of the listeners, has heard the last one.
    Watcher,
    /// When everybody has.
    Everybody,
}

/// Who takes part.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// How many speak.
    pub(crate) senders: usize,
    /// How many only listen; no fewer than the senders under `Pace::Watcher`.
    pub(crate) listeners: usize,
    /// How many connect and never read.
    pub(crate) stuck: usize,
    /// Whether the senders say first that they joined.
    pub(crate) joined: bool,
    /// When the next line goes out.
    pub(crate) pace: Pace,
}

impl Shape {
    /// All connections of this shape.
    pub(crate) fn clients(&self) -> usize {
        self.senders + self.listeners + self.stuck
    }

    /// A sender's connection.
    fn connection_of(&self, sender: usize) -> usize {
        self.listeners + sender
    }
}

/// What came of a talk.
#[derive(Default)]
pub(crate) struct Talk {
    /// Lines heard while measured, over all receivers.
    pub(crate) deliveries: f64,
    /// How long that took.
    pub(crate) seconds: f64,
    /// What the server's processor time was meanwhile.
    pub(crate) cpu_ns: f64,
    /// The most memory the server held.
    pub(crate) resident_peak_kib: u64,
    /// The most memory the kernel held for TCP.
    pub(crate) socket_peak_kib: u64,
}

impl Talk {
    /// Deliveries in a second.
    pub(crate) fn rate(&self) -> f64 {
        self.deliveries / self.seconds
    }

    /// The server's processor time for one delivery.
    pub(crate) fn cpu_per_delivery_ns(&self) -> f64 {
        self.cpu_ns / self.deliveries
    }
}

/// What has been said and heard so far.
struct Tally {
    shape: Shape,
    sent: Vec<u64>,
    heard: Vec<u64>,
    heard_sum: u64,
    watchers: Vec<LineSplitter>,
    /// Senders whose last line was heard.
    due: Vec<usize>,
    fault: Option<String>,
}

impl Tally {
    fn new(shape: Shape) -> Self {
        let watchers = if shape.pace == Pace::Watcher { shape.senders } else { 0 };
        Self {
            shape,
            sent: vec![0; shape.senders],
            heard: vec![0; shape.senders + shape.listeners],
            heard_sum: 0,
            watchers: (0..watchers).map(|_| LineSplitter::default()).collect(),
            due: (0..shape.senders).collect(),
            fault: None,
        }
    }

    fn hear(&mut self, index: usize, bytes: &[u8]) {
        let marks = count_marks(bytes);
        self.heard_sum += marks;
        if let Some(heard) = self.heard.get_mut(index) {
            *heard += marks;
        }
        // The first listeners are the watchers, each of the sender with its own number.
        let sender = index;
        if let Some(watcher) = self.watchers.get_mut(sender) {
            let tag = tag(sender);
            let last = self.sent.get(sender).map_or(0, |sent| sent.wrapping_sub(1));
            watcher.feed(bytes, |line| {
                if !line.starts_with(&tag) || line.get(4) != Some(&b' ') {
                    return;
                }
                if line == chat_line(sender, last).as_bytes() {
                    self.due.push(sender);
                } else if number_in(line).is_some() {
                    self.fault = Some(format!("line {last} of sender {sender} came changed"));
                }
            });
        }
    }

    fn sent_sum(&self) -> u64 {
        self.sent.iter().sum()
    }

    /// How many lines a receiver has to hear.
    fn expected(&self, index: usize) -> u64 {
        let own = index.checked_sub(self.shape.listeners).and_then(|sender| self.sent.get(sender));
        self.sent_sum() - own.copied().unwrap_or(0)
    }

    fn is_complete(&self) -> bool {
        self.heard_sum == (self.heard.len() as u64) * self.sent_sum() - self.sent_sum()
    }

    /// An error when a receiver heard more or less than was sent.
    fn check(&self) -> Outcome<()> {
        for (index, heard) in self.heard.iter().enumerate() {
            let expected = self.expected(index);
            if *heard != expected {
                return Err(format!("receiver {index} heard {heard} of {expected} lines").into());
            }
        }
        Ok(())
    }
}

/// What the lines of a sender begin with.
fn tag(sender: usize) -> [u8; 4] {
    let digit = |value: usize| b'0' + (value % 10) as u8;
    [b's', digit(sender / 10), digit(sender), b':']
}

/// A shape connected to a server, talking slice by slice.
pub(crate) struct Stage {
    pid: u32,
    fleet: Fleet,
    tally: Tally,
    talk: Talk,
    sampled: Instant,
    /// Open, and never read.
    _stuck: Vec<TcpStream>,
}

impl Stage {
    /// Connects everybody, lets the senders join and warms up.
    pub(crate) fn open(server: &Server, shape: Shape) -> Outcome<Self> {
        let mut fleet = Fleet::connect_scattered(server.address(), shape.senders + shape.listeners)?;
        let mut stuck = Vec::new();
        for _ in 0..shape.stuck {
            stuck.push(TcpStream::connect(server.address())?);
        }
        server.await_clients(shape.clients())?;
        if shape.joined {
            for sender in 0..shape.senders {
                fleet.send(shape.connection_of(sender), &join_line(&format!("s{sender:02}")))?;
            }
        }
        fleet.await_quiet(QUIET, REST_MAX)?;
        let mut stage = Self {
            pid: server.pid(),
            fleet,
            tally: Tally::new(shape),
            talk: Talk::default(),
            sampled: Instant::now(),
            _stuck: stuck,
        };
        stage.slice(WARM_UP)?;
        stage.talk = Talk::default();
        Ok(stage)
    }

    /// What came of all slices.
    pub(crate) fn into_talk(self) -> Talk {
        self.talk
    }

    /// Talks for a while, hears all of it out and adds it up. Anything lost is an error.
    pub(crate) fn slice(&mut self, length: Duration) -> Outcome<()> {
        let (begin, heard) = (Instant::now(), self.tally.heard_sum);
        let cpu_ns = probes::cpu_ns(self.pid)?;
        let mut progress = begin;
        while begin.elapsed() < length {
            self.send_due()?;
            self.hear(&mut progress)?;
            self.sample()?;
        }
        while !self.tally.is_complete() {
            self.hear(&mut progress)?;
        }
        self.talk.seconds += begin.elapsed().as_secs_f64();
        self.talk.deliveries += (self.tally.heard_sum - heard) as f64;
        // A line too many would come now; and the server goes to sleep, which books its time.
        self.fleet.turn(Duration::from_millis(2), |index, bytes| self.tally.hear(index, bytes))?;
        self.talk.cpu_ns += (probes::cpu_ns(self.pid)? - cpu_ns) as f64;
        self.tally.check()
    }

    fn hear(&mut self, progress: &mut Instant) -> Outcome<()> {
        // It never sleeps: to wake it would be the server's work, and vary with its pace.
        if self.fleet.turn(Duration::ZERO, |index, bytes| self.tally.hear(index, bytes))? > 0 {
            *progress = Instant::now();
        } else if progress.elapsed() > STALL {
            self.tally.check()?;
            return Err("all was heard, but no sender goes on".into());
        }
        self.tally.fault.take().map_or(Ok(()), |fault| Err(fault.into()))
    }

    fn sample(&mut self) -> Outcome<()> {
        if self.sampled.elapsed() >= SAMPLE_EVERY {
            self.sampled = Instant::now();
            let resident_kib = probes::memory(self.pid)?.resident_kib;
            self.talk.resident_peak_kib = self.talk.resident_peak_kib.max(resident_kib);
            self.talk.socket_peak_kib = self.talk.socket_peak_kib.max(probes::socket_memory_kib()?);
        }
        Ok(())
    }

    fn send_due(&mut self) -> Outcome<()> {
        let tally = &mut self.tally;
        if tally.shape.pace == Pace::Everybody && tally.sent_sum() > 0 && tally.is_complete() {
            tally.due.extend(0..tally.shape.senders);
        }
        while let Some(sender) = tally.due.pop() {
            let Some(sent) = tally.sent.get_mut(sender) else { continue };
            self.fleet.send(tally.shape.connection_of(sender), &chat_line(sender, *sent))?;
            *sent += 1;
        }
        Ok(())
    }
}
