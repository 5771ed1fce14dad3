//! The clients: one loop that sleeps until something comes, reads it, and tells the core who heard what when.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use hdrhistogram::Histogram;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use rustix::fd::OwnedFd;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

use crate::client::{Client, State};
use crate::connect;
use crate::latency::histogram;
use crate::login::Logins;
use crate::names::Names;
use crate::plan::{Plan, micros};
use crate::protocol::Protocol;
use crate::pulse::Pulse;
use crate::returns::Returns;
use crate::stage::Target;
use crate::tally::Tally;
use crate::traced::Traced;
use crate::trust::Trust;
use crate::wire::Wire;

const EVENTS_MAX: usize = 1024;
const BUFFER_BYTES: usize = 128 * 1024;
const TIMER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);

/// Names that no swarm before had, nor, but by rare chance, one of another process.
fn fresh_names() -> Names {
    static FIRST: OnceLock<u64> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let first = FIRST.get_or_init(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        micros(now).wrapping_add(u64::from(std::process::id()) << 20)
    });
    Names::new(first.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// Clients of one server, connected, and what they said and heard.
#[derive(Debug)]
pub struct Swarm {
    pub(crate) plan: Plan,
    pub(crate) target: SocketAddr,
    /// What a client must be shown, where TLS is spoken.
    trust: Option<Trust>,
    pub(crate) clients: Vec<Option<Client>>,
    /// Where clients are to log in first.
    pub(crate) logins: Option<Logins>,
    pub(crate) connect_us: Histogram<u64>,
    pub(crate) tally: Tally,
    /// Where a trace is wanted.
    pub(crate) traced: Option<Box<Traced>>,
    poll: Poll,
    events: Events,
    pub(crate) ready: Vec<Token>,
    buffer: Vec<u8>,
    /// A line that goes out.
    pub(crate) line: Vec<u8>,
    timer: OwnedFd,
    /// What the timer is set for.
    wakes_at_us: u64,
    pub(crate) epoch: Instant,
    pub(crate) pulse: Pulse,
    settings: Settings,
    pub(crate) lateness_us: Histogram<u64>,
    pub(crate) outgoing: Outgoing,
    pub(crate) last_sent_us: u64,
    /// All have come in: whoever connects from now on comes back.
    pub(crate) is_open: bool,
    pub(crate) next_churner: usize,
    pub(crate) returns: Returns,
    pub(crate) peaks: Peaks,
    /// When memory is looked at next.
    pub(crate) looks_at_us: u64,
}

/// How a swarm goes about it; none of this changes what the server has to do.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Never sleep. The server then never has to wake the generator, and figures spread less.
    pub spins: bool,
    /// How long each piece of the timeline is, in microseconds.
    pub interval_us: u64,
    /// Keep the histogram of each piece.
    pub keeps_log: bool,
    /// Place for so many records in a trace of all that passes over the wires; 0: no trace.
    pub trace_records: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { spins: false, interval_us: 1_000_000, keeps_log: false, trace_records: 0 }
    }
}

/// What became of the lines that were due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// All of them.
    pub due: u64,
    /// Of those, the ones that never went out, as the server stopped taking what their senders said.
    pub unsent: u64,
    /// Of those, the ones that never went out, as the server had closed their senders.
    pub to_closed: u64,
}

/// The most that was seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Peaks {
    /// Process of the server, where it is known.
    pub server: Option<u32>,
    /// Its resident memory, in KiB.
    pub resident_kib: u64,
    /// The kernel's memory for TCP, in KiB.
    pub tcp_memory_kib: u64,
}

/// Somebody who wants to know how it goes, ten times a second.
pub type Watcher<'a> = &'a mut dyn FnMut(&Swarm);

impl Swarm {
    /// No client yet.
    pub fn new(plan: &Plan, target: &Target, settings: Settings) -> Result<Self, String> {
        let error = |error| format!("epoll: {error}");
        let poll = Poll::new().map_err(error)?;
        let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)
            .map_err(|error| format!("timerfd: {error}"))?;
        poll.registry()
            .register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)
            .map_err(error)?;
        let logins = target.login.clone().map(|login| Logins::new(login, plan.clients)).transpose()?;
        let names = logins.as_ref().map_or_else(fresh_names, |logins| logins.login.names());
        Ok(Self {
            logins,
            tally: Tally::new(plan, names, settings.interval_us, settings.keeps_log)?,
            traced: Traced::wanted(plan.clients, settings.trace_records),
            plan: plan.clone(),
            target: target.address,
            trust: target.trust.clone(),
            clients: (0..plan.clients).map(|_| None).collect(),
            connect_us: histogram()?,
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            ready: Vec::with_capacity(EVENTS_MAX),
            buffer: vec![0; BUFFER_BYTES],
            line: Vec::new(),
            timer,
            wakes_at_us: 0,
            epoch: Instant::now(),
            pulse: Pulse::new()?,
            settings,
            lateness_us: histogram()?,
            outgoing: Outgoing::default(),
            last_sent_us: 0,
            is_open: false,
            next_churner: plan.churners().start,
            returns: Returns::default(),
            peaks: Peaks { server: target.pid, ..Peaks::default() },
            looks_at_us: 0,
        })
    }

    /// Microseconds since the swarm was made.
    pub(crate) fn now_us(&self) -> u64 {
        micros(self.epoch.elapsed())
    }

    /// A connect of this client that was due then, known to the poll.
    pub(crate) fn begin_connect(&self, number: usize, due: Instant) -> Result<Client, String> {
        let sources = &self.plan.sources;
        let source = sources.get(number % sources.len().max(1)).copied();
        let explain = |error| connect::explain(&error, number, self.plan.clients, self.target);
        let wire = connect::begin(self.target, source)
            .and_then(|stream| Wire::new(stream, self.trust.as_ref()))
            .map_err(explain)?;
        let mut client = Client::new(wire, due);
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut client.wire.stream, Token(number), interest).map_err(explain)?;
        Ok(client)
    }

    /// Sleeps until something comes or it is time.
    pub(crate) fn turn(&mut self, until_us: u64, now_us: u64) -> Result<(), String> {
        let (wait, until_us) = if self.settings.spins || until_us <= now_us {
            (Some(Duration::ZERO), now_us)
        } else {
            self.wake_at(until_us, now_us)?;
            (None, until_us)
        };
        match self.poll.poll(&mut self.events, wait) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(format!("epoll_wait: {error}"));
            }
            _ => {}
        }
        self.pulse.wake(self.now_us(), now_us, until_us);
        self.ready.clear();
        self.ready.extend(self.events.iter().map(mio::event::Event::token));
        self.note_slow_closed();
        Ok(())
    }

    /// Who never reads hears of the end of its connection by the event alone.
    fn note_slow_closed(&mut self) {
        let hearers = self.plan.hearers();
        if self.plan.slow == 0 {
            return;
        }
        let is_end = |event: &&mio::event::Event| event.is_read_closed() || event.is_error();
        for event in self.events.iter().filter(|event| event.token().0 >= hearers).filter(is_end) {
            let client = self.clients.get_mut(event.token().0).and_then(Option::as_mut);
            // That a connect failed is told by the socket, with the reason.
            if let Some(client) = client.filter(|client| client.state == State::Up) {
                client.state = State::Over;
            }
        }
    }

    /// Sets the timer, unless it is set for then already. The poll's own timeout is right to a millisecond only.
    fn wake_at(&mut self, until_us: u64, now_us: u64) -> Result<(), String> {
        if self.wakes_at_us == until_us {
            return Ok(());
        }
        self.wakes_at_us = until_us;
        let wait_us = until_us.saturating_sub(now_us).max(1);
        let wait =
            Timespec { tv_sec: (wait_us / 1_000_000) as i64, tv_nsec: (wait_us % 1_000_000 * 1_000) as i64 };
        let none = Timespec { tv_sec: 0, tv_nsec: 0 };
        let timer = Itimerspec { it_interval: none, it_value: wait };
        rustix::time::timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &timer)
            .map(drop)
            .map_err(|error| format!("timerfd: {error}"))
    }

    /// Hears those of the first `count` clients that are ready. `each` is shown the number and what was read.
    pub(crate) fn hear_all(
        &mut self,
        count: usize,
        each: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(), String> {
        let ready = std::mem::take(&mut self.ready);
        let mut numbers = ready.iter().map(|token| token.0).filter(|number| *number < count);
        let outcome = numbers.try_for_each(|number| self.hear(number, each));
        self.ready = ready;
        outcome
    }

    /// Reads one client until it is empty, and writes what it had still to send.
    pub(crate) fn hear(&mut self, number: usize, each: &mut dyn FnMut(usize, &[u8])) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(number).and_then(Option::as_mut) else { return Ok(()) };
        match client.newly_up() {
            Ok(Some(due)) => {
                self.connect_us.saturating_record(micros(due.elapsed()));
                let hello = self.tally.hello(number);
                // Its token is worth as much as the password.
                let is_known = self.is_open && self.plan.protocol == Protocol::Extended;
                if let Some(traced) = &mut self.traced {
                    traced.connects(number, &hello);
                }
                let logins = self.logins.as_ref().filter(|_| !is_known);
                client
                    .send(&logins.map_or(hello.clone(), |logins| logins.hello(number, hello, self.is_open)));
            }
            Ok(None) => {}
            Err(error) => {
                let why = connect::explain(&error, number, self.plan.clients, self.target);
                if !self.is_open {
                    return Err(why);
                }
                client.state = State::Failed;
                self.returns.note_failed(why);
            }
        }
        client.flush();
        while let Some((bytes, is_more)) = client.read(&mut self.buffer) {
            let now_us = micros(self.epoch.elapsed());
            let bytes = self.buffer.get(..bytes).unwrap_or_default();
            let heard = self.tally.hear(number as u32, bytes, now_us);
            client.is_ready |= heard.is_ready;
            each(number, bytes);
            if let Some(traced) = &mut self.traced {
                // What was kept of the last read stands in front, and what is kept of this one behind.
                traced.hears(number, bytes.get(..heard.bytes).unwrap_or_default());
            }
            if let Some(logins) = self.logins.as_mut().filter(|_| heard.is_logged_in && !self.is_open) {
                logins.note_done(number);
                client.send(&self.tally.hello(number));
            }
            if !heard.answer.is_empty() {
                client.send(&heard.answer);
            }
            client.keep(bytes.get(heard.bytes..).unwrap_or_default());
            if !is_more {
                break;
            }
        }
        Ok(())
    }

    /// Says nothing, and hears what comes, while `watch` runs beside it; sleeps without a timeout where nothing comes. The
    /// sender of what `watch` is given goes as soon as `stop` is seen.
    pub fn idle_beside<T: Send>(
        &mut self,
        stop: &AtomicBool,
        watch: impl FnOnce(Receiver<()>) -> T + Send,
    ) -> Result<T, String> {
        let waker = Waker::new(self.poll.registry(), WAKER).map_err(|error| format!("eventfd: {error}"))?;
        let is_over = AtomicBool::new(false);
        let (stops, is_stopped) = mpsc::channel();
        thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let outcome = watch(is_stopped);
                is_over.store(true, Ordering::Release);
                // The eventfd takes a one.
                let _ = waker.wake();
                outcome
            });
            while !is_over.load(Ordering::Acquire) && !stop.load(Ordering::Relaxed) {
                self.turn(u64::MAX, self.now_us())?;
                self.hear_all(self.plan.hearers(), &mut |_, _| ())?;
            }
            drop(stops);
            watcher.join().map_err(|_| "the watch ended in a panic".to_owned())
        })
    }

    /// Clients of which the server closed the connection.
    pub fn closed(&self) -> usize {
        self.clients.iter().flatten().filter(|client| client.state == State::Over).count()
    }

    /// No connection stands any more: there is no server.
    pub fn is_deserted(&self) -> bool {
        let mut clients = self.clients.iter().flatten().peekable();
        clients.peek().is_some() && clients.all(|client| matches!(client.state, State::Over | State::Failed))
    }

    /// What became of the lines that were due. Those that a socket has not wholly taken have not gone out.
    pub fn outgoing(&self) -> Outgoing {
        let mut outgoing = self.outgoing;
        for client in self.clients.iter().take(self.plan.senders).flatten() {
            let lines = client.waiting_lines() as u64;
            if client.state == State::Over {
                outgoing.to_closed += lines;
            } else {
                outgoing.unsent += lines;
            }
        }
        outgoing
    }

    /// Has the tally know of the lines that no socket has wholly taken.
    pub(crate) fn note_waiting(&mut self) {
        for (sender, client) in self.clients.iter().take(self.plan.senders).enumerate() {
            let lines = client.as_ref().map_or(0, Client::waiting_lines);
            self.tally.note_waiting(sender, lines as u32);
        }
    }

    /// What became of the clients that were to leave and come back.
    pub fn returns(&self) -> &Returns {
        &self.returns
    }

    /// How late lines went out, in microseconds.
    pub fn lateness_us(&self) -> &Histogram<u64> {
        &self.lateness_us
    }

    /// Whether the loop ran when it was to.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// What was said and heard.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How long connects took, in microseconds.
    pub fn connect_us(&self) -> &Histogram<u64> {
        &self.connect_us
    }

    /// The most that was seen.
    pub fn peaks(&self) -> Peaks {
        self.peaks
    }
}
