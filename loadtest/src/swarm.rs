//! The clients: one loop that sends what is due, reads what comes, and tells the core who heard what when.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::fd::OwnedFd;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

use crate::client::{Client, State};
use crate::latency::histogram;
use crate::plan::{Plan, micros};
use crate::schedule::{Due, Pace, Schedule};
use crate::tally::{Tally, hello};
use crate::{connect, process};

const EVENTS_MAX: usize = 1024;
const BUFFER_BYTES: usize = 128 * 1024;
const TIMER: Token = Token(usize::MAX);
/// Nothing more came for so long behind the last line: what is not there by then is lost.
const QUIET_US: u64 = 2_000_000;
/// Lines that still come so long behind the last one that was due are not waited for.
const DRAIN_MAX_US: u64 = 10_000_000;
/// So many clients are heard between looks at what is due.
const CLIENTS_PER_LOOK: usize = 32;
/// Between looks at what is late, at memory, and at who wants to know how it goes.
const TICK_US: u64 = 100_000;

/// Clients of one server, connected, and what they said and heard.
#[derive(Debug)]
pub struct Swarm {
    pub(crate) plan: Plan,
    pub(crate) target: SocketAddr,
    pub(crate) clients: Vec<Option<Client>>,
    pub(crate) connect_us: Histogram<u64>,
    pub(crate) tally: Tally,
    poll: Poll,
    events: Events,
    ready: Vec<Token>,
    buffer: Vec<u8>,
    timer: OwnedFd,
    epoch: Instant,
    /// When the loop last began a turn.
    woken_us: u64,
    settings: Settings,
    lateness_us: Histogram<u64>,
    loop_lag_us: Histogram<u64>,
    due: u64,
    unsent: u64,
    next_churner: usize,
    pub(crate) peaks: Peaks,
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
}

impl Default for Settings {
    fn default() -> Self {
        Self { spins: false, interval_us: 1_000_000, keeps_log: false }
    }
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

/// How a slice went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slice {
    /// From its begin to the last line heard, or to the end of sending, in seconds.
    pub length_s: f64,
    /// Deliveries of its lines.
    pub delivered: u64,
    /// Lines accepted.
    pub accepted: u64,
    /// How many deliveries were still coming when it ended.
    pub under_way: u64,
}

/// Somebody who wants to know how it goes, ten times a second.
pub type Watcher<'a> = &'a mut dyn FnMut(&Swarm);

impl Swarm {
    /// No client yet.
    pub fn new(
        plan: &Plan,
        target: SocketAddr,
        server: Option<u32>,
        settings: Settings,
    ) -> Result<Self, String> {
        let error = |error| format!("epoll: {error}");
        let poll = Poll::new().map_err(error)?;
        let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)
            .map_err(|error| format!("timerfd: {error}"))?;
        poll.registry()
            .register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)
            .map_err(error)?;
        Ok(Self {
            tally: Tally::new(plan, settings.interval_us, settings.keeps_log)?,
            plan: plan.clone(),
            target,
            clients: (0..plan.clients).map(|_| None).collect(),
            connect_us: histogram()?,
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            ready: Vec::with_capacity(EVENTS_MAX),
            buffer: vec![0; BUFFER_BYTES],
            timer,
            epoch: Instant::now(),
            woken_us: 0,
            settings,
            lateness_us: histogram()?,
            loop_lag_us: histogram()?,
            due: 0,
            unsent: 0,
            next_churner: plan.churners().start,
            peaks: Peaks { server, ..Peaks::default() },
        })
    }

    /// Microseconds since the swarm was made.
    pub(crate) fn now_us(&self) -> u64 {
        micros(self.epoch.elapsed())
    }

    /// Carries the plan out for so long, and hears out what was sent. `stop`: once true, nothing more is sent.
    /// `is_recorded`: latencies count.
    pub fn slice(
        &mut self,
        length: Duration,
        is_recorded: bool,
        stop: &AtomicBool,
        watcher: Watcher<'_>,
    ) -> Result<Slice, String> {
        let mut sending = Sending::new(&self.plan, self.now_us(), length);
        let (delivered, accepted) = (self.tally.counts_so_far().delivered, self.tally.accepted());
        self.tally.record(is_recorded, sending.begin_us);
        let mut next_tick_us = sending.begin_us;
        self.woken_us = sending.begin_us;
        loop {
            let now_us = self.now_us();
            if sending.is_on && stop.load(Ordering::Relaxed) {
                sending.end_us = sending.end_us.min(now_us);
                sending.schedule = None;
            }
            if sending.is_on {
                self.send_due(&mut sending, now_us);
                self.churn_due(&mut sending, now_us)?;
                sending.is_on = now_us < sending.end_us;
            } else if self.is_heard_out(sending.end_us, now_us)? {
                break;
            }
            if now_us >= next_tick_us {
                next_tick_us = now_us + TICK_US;
                self.tick(now_us);
                watcher(self);
            }
            self.loop_lag_us.saturating_record(self.now_us() - self.woken_us);
            self.turn(sending.next_us().min(next_tick_us))?;
            self.hear_and_send(&mut sending)?;
        }
        self.end_slice(&sending, delivered, accepted)
    }

    fn end_slice(&mut self, sending: &Sending, delivered: u64, accepted: u64) -> Result<Slice, String> {
        let last_us = self.tally.last_heard_us();
        let is_cut = self.tally.flights().under_way() > 0 && self.now_us() < last_us + QUIET_US;
        let end_us = last_us.max(sending.end_us);
        self.tally.record(false, end_us);
        let (whole, jumped_over) = (self.tally.counts(), self.tally.counts_under_way());
        Ok(Slice {
            length_s: (end_us - sending.begin_us) as f64 / 1e6,
            delivered: self.tally.counts_so_far().delivered - delivered,
            accepted: self.tally.accepted() - accepted,
            under_way: if is_cut { whole.lost - jumped_over.lost } else { 0 },
        })
    }

    /// Whether all is there that is still to come. Lines that come more than ten seconds behind the last one due are
    /// not waited for.
    fn is_heard_out(&self, end_us: u64, now_us: u64) -> Result<bool, String> {
        if self.tally.flights().under_way() == 0 {
            return Ok(true);
        }
        if self.closed() == self.plan.clients {
            return Err(format!("the server at {} closed every connection: did it end?", self.target));
        }
        let is_quiet = now_us > self.tally.last_heard_us().max(end_us) + QUIET_US;
        Ok(is_quiet || now_us > end_us + DRAIN_MAX_US)
    }

    /// Hears every client that is ready. Lines that fall due meanwhile do not wait until all are heard.
    fn hear_and_send(&mut self, sending: &mut Sending) -> Result<(), String> {
        let hearers = self.plan.hearers();
        let ready = std::mem::take(&mut self.ready);
        for some in ready.chunks(CLIENTS_PER_LOOK) {
            for token in some.iter().filter(|token| token.0 < hearers) {
                self.hear(token.0, &mut |_, _| ())?;
            }
            let now_us = self.now_us();
            if sending.is_on && sending.schedule.is_some() && sending.next_us() <= now_us {
                self.send_due(sending, now_us);
            }
        }
        self.ready = ready;
        Ok(())
    }

    /// Sends what is due now, by the schedule or because a line was heard.
    fn send_due(&mut self, sending: &mut Sending, now_us: u64) {
        if let Some(schedule) = &mut sending.schedule {
            while let Some(due) = schedule.take(now_us - sending.begin_us) {
                self.send(Due { due_us: due.due_us + sending.begin_us, ..due });
            }
        } else if now_us < sending.end_us && matches!(self.plan.pace, Pace::Window(_)) {
            let mut freed = std::mem::take(&mut sending.freed);
            freed.append(&mut self.tally.take_freed());
            for sender in freed {
                self.send(Due { sender, sequence: 0, due_us: now_us });
            }
        }
    }

    fn send(&mut self, due: Due) {
        self.due += 1;
        let sender = usize::from(due.sender);
        let Some(client) = self.clients.get_mut(sender).and_then(Option::as_mut) else { return };
        let mut line = Vec::with_capacity(self.plan.sizes.max_bytes + 32);
        self.tally.write(due, &mut line);
        // Before the line goes out: what is heard of it must know of it.
        let now_us = micros(self.epoch.elapsed());
        if !client.send(&line) {
            self.unsent += 1;
            return;
        }
        self.tally.note_sent(due, now_us);
        self.lateness_us.saturating_record(now_us.saturating_sub(due.due_us));
    }

    /// Lets those go and come back whose time it is.
    fn churn_due(&mut self, sending: &mut Sending, now_us: u64) -> Result<(), String> {
        let churners = self.plan.churners();
        while !churners.is_empty() && sending.next_churn_us <= now_us {
            sending.next_churn_us += (1e6 / self.plan.churn_per_s) as u64;
            let number = self.next_churner;
            self.next_churner = if number + 1 < churners.end { number + 1 } else { churners.start };
            self.tally.note_left(number as u32);
            let client = self.begin_connect(number, Instant::now())?;
            if let Some(place) = self.clients.get_mut(number) {
                // The stream that was here is closed, which takes it out of the poll.
                *place = Some(client);
            }
        }
        Ok(())
    }

    /// A connect of this client that was due then, known to the poll.
    pub(crate) fn begin_connect(&self, number: usize, due: Instant) -> Result<Client, String> {
        let sources = &self.plan.sources;
        let source = sources.get(number % sources.len().max(1)).copied();
        let explain = |error| connect::explain(&error, number, self.plan.clients, self.target);
        let mut client = Client::new(connect::begin(self.target, source).map_err(explain)?, due);
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut client.stream, Token(number), interest).map_err(explain)?;
        Ok(client)
    }

    /// Sleeps until something comes or it is time.
    pub(crate) fn turn(&mut self, until_us: u64) -> Result<(), String> {
        let now_us = self.now_us();
        let wait = if self.settings.spins || until_us <= now_us {
            Some(Duration::ZERO)
        } else {
            // The poll's own timeout is right to a millisecond only.
            self.set_timer(until_us - now_us)?;
            None
        };
        match self.poll.poll(&mut self.events, wait) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(format!("epoll_wait: {error}"));
            }
            _ => {}
        }
        self.woken_us = self.now_us();
        self.ready.clear();
        self.ready.extend(self.events.iter().map(mio::event::Event::token));
        Ok(())
    }

    fn set_timer(&self, wait_us: u64) -> Result<(), String> {
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
    fn hear(&mut self, number: usize, each: &mut dyn FnMut(usize, &[u8])) -> Result<(), String> {
        let Some(client) = self.clients.get_mut(number).and_then(Option::as_mut) else { return Ok(()) };
        match client.newly_up() {
            Ok(Some(due)) => {
                self.connect_us.saturating_record(micros(due.elapsed()));
                client.send(&hello(&self.plan, number));
            }
            Ok(None) => {}
            Err(error) => return Err(connect::explain(&error, number, self.plan.clients, self.target)),
        }
        client.flush();
        while let Some((bytes, is_more)) = client.read(&mut self.buffer) {
            let now_us = micros(self.epoch.elapsed());
            let bytes = self.buffer.get(..bytes).unwrap_or_default();
            let heard = self.tally.hear(number as u32, bytes, now_us);
            client.is_ready |= heard.is_ready;
            each(number, bytes);
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

    fn tick(&mut self, now_us: u64) {
        self.tally.tick(now_us);
        let peaks = &mut self.peaks;
        peaks.tcp_memory_kib = peaks.tcp_memory_kib.max(process::tcp_memory_kib());
        if let Some(resident_kib) = peaks.server.and_then(process::resident_kib) {
            peaks.resident_kib = peaks.resident_kib.max(resident_kib);
        }
    }

    /// Says nothing for so long, and hears what comes.
    pub fn idle(&mut self, length: Duration, stop: &AtomicBool) -> Result<(), String> {
        let end_us = self.now_us() + micros(length);
        while self.now_us() < end_us && !stop.load(Ordering::Relaxed) {
            self.turn(end_us)?;
            self.hear_all(self.plan.hearers(), &mut |_, _| ())?;
        }
        Ok(())
    }

    /// Clients of which the server closed the connection.
    pub fn closed(&self) -> usize {
        self.clients.iter().flatten().filter(|client| client.state == State::Over).count()
    }

    /// Lines that were due, and of those, those that never went out.
    pub fn due(&self) -> (u64, u64) {
        (self.due, self.unsent)
    }

    /// How late lines went out, and how long the turns of the loop were, in microseconds.
    pub fn lags(&self) -> (&Histogram<u64>, &Histogram<u64>) {
        (&self.lateness_us, &self.loop_lag_us)
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

/// What is to be sent in a slice.
#[derive(Debug)]
struct Sending {
    begin_us: u64,
    end_us: u64,
    is_on: bool,
    schedule: Option<Schedule>,
    /// Closed loop: those that may send at once.
    freed: Vec<u16>,
    next_churn_us: u64,
}

impl Sending {
    fn new(plan: &Plan, begin_us: u64, length: Duration) -> Self {
        let senders = u16::try_from(plan.senders).unwrap_or(u16::MAX);
        let length_us = micros(length);
        let (schedule, freed) = match plan.pace {
            Pace::Rate(rate) => (Some(Schedule::new(senders, rate, length_us)), Vec::new()),
            Pace::Window(window) => (None, (0..window).flat_map(|_| 0..senders).collect()),
        };
        let next_churn_us = if plan.churn_per_s > 0.0 { begin_us } else { u64::MAX };
        Self { begin_us, end_us: begin_us + length_us, is_on: true, schedule, freed, next_churn_us }
    }

    /// When something is to be done next.
    fn next_us(&self) -> u64 {
        if !self.is_on {
            return u64::MAX;
        }
        let due_us = self.schedule.as_ref().and_then(Schedule::next_due_us);
        let due_us = due_us.map_or(self.end_us, |due_us| self.begin_us + due_us);
        due_us.min(self.next_churn_us).min(self.end_us)
    }
}
