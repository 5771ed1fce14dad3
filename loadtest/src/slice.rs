//! A run, slice by slice: what is due is sent, what comes is heard, and what was sent is heard out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::State;
use crate::plan::{Plan, micros};
use crate::process;
use crate::pulse::Still;
use crate::schedule::{Churn, Due, Pace, Schedule};
use crate::swarm::{Swarm, Watcher};

/// What is not there so long behind the last line that was due is lost, or, where lines still come, under way.
const DRAIN_MAX_US: u64 = 10_000_000;
/// Nothing came for so long: no lines still come. Then, and as often again, it is looked at whether any can.
const QUIET_US: u64 = 2_000_000;
/// So many clients leave at most between looks at everything else.
const CHURNS_PER_TURN: usize = 16;
/// So many clients are heard between looks at what is due.
const CLIENTS_PER_LOOK: usize = 32;
/// Between looks at what is late, and at who wants to know how it goes.
const TICK_US: u64 = 100_000;
/// Between looks at memory: the kernel has to write down much more than is read.
const LOOK_US: u64 = 500_000;

/// How a slice went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slice {
    /// From its begin to the last line heard, or to the end of sending, in seconds.
    pub length_s: f64,
    /// What was used while lines were due.
    pub sending: Spent,
    /// Deliveries of its lines; where nothing is recorded, of all lines.
    pub delivered: u64,
    /// Lines accepted.
    pub accepted: u64,
    /// How many deliveries were still coming when it ended.
    pub under_way: u64,
    /// For how long the generator stood still.
    pub still: Still,
    /// The server closed every connection.
    pub is_deserted: bool,
}

/// Time, and what was used of processors meanwhile.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// In seconds.
    pub length_s: f64,
    /// By the generator, in nanoseconds.
    pub own_ns: u64,
    /// By the server, in nanoseconds; 0 where its process is not known.
    pub server_ns: u64,
}

impl Spent {
    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            length_s: self.length_s + other.length_s,
            own_ns: self.own_ns + other.own_ns,
            server_ns: self.server_ns + other.server_ns,
        }
    }
}

impl Swarm {
    /// Carries the plan out for so long, and hears out what was sent. `stop`: once true, nothing more is sent.
    /// `is_recorded`: latencies count.
    pub fn slice(
        &mut self,
        length: Duration,
        is_recorded: bool,
        stop: &AtomicBool,
        watcher: Watcher<'_>,
    ) -> Result<Slice, String> {
        // Those whose last line was heard out in the slice before are among them.
        self.tally.begin_anew();
        self.is_open = true;
        let before = self.sums(is_recorded);
        let mut sending = Sending::new(&self.plan, self.now_us(), length);
        self.tally.record(is_recorded, sending.begin_us);
        let mut next_tick_us = sending.begin_us;
        self.pulse.begin(sending.begin_us);
        loop {
            let mut now_us = self.now_us();
            let mut has_sent = false;
            if sending.is_on && stop.load(Ordering::Relaxed) {
                sending.end_us = sending.end_us.min(now_us);
                sending.schedule = None;
            }
            if sending.is_on {
                has_sent = self.send_due(&mut sending, now_us);
                self.churn_due(&mut sending, now_us);
                if now_us >= sending.end_us {
                    self.end_sending(&mut sending, &before);
                }
            } else if self.is_heard_out(&mut sending, now_us) {
                break;
            }
            if now_us >= next_tick_us {
                next_tick_us = now_us + TICK_US;
                self.tick(now_us);
                watcher(self);
                if self.is_deserted() {
                    sending.end_us = sending.end_us.min(now_us);
                    break;
                }
            }
            if has_sent {
                now_us = self.now_us();
            }
            self.pulse.rest(now_us);
            self.turn(sending.next_us().min(next_tick_us), now_us)?;
            self.hear_and_send(&mut sending)?;
        }
        if sending.is_on {
            self.end_sending(&mut sending, &before);
        }
        Ok(self.end_slice(&sending, is_recorded, &before))
    }

    /// What is counted on over all slices.
    fn sums(&mut self, is_recorded: bool) -> Sums {
        self.note_waiting();
        Sums {
            delivered: if is_recorded {
                self.tally.flights().recorded()
            } else {
                self.tally.counts_so_far().delivered
            },
            accepted: self.tally.accepted(),
            own_ns: process::cpu_ns(std::process::id()).unwrap_or_default(),
            server_ns: self.peaks.server.and_then(process::cpu_ns).unwrap_or_default(),
        }
    }

    /// From now on nothing is due any more.
    fn end_sending(&mut self, sending: &mut Sending, before: &Sums) {
        sending.is_on = false;
        let since = |now: Option<u64>, before: u64| now.unwrap_or_default().saturating_sub(before);
        let length_us = sending.end_us - sending.begin_us;
        // Those that are late go out behind the end.
        let sent_us = self.last_sent_us.max(sending.end_us) - sending.begin_us;
        sending.spent = Spent {
            length_s: sent_us as f64 / 1e6,
            own_ns: since(process::cpu_ns(std::process::id()), before.own_ns),
            server_ns: since(self.peaks.server.and_then(process::cpu_ns), before.server_ns),
        };
        self.returns.left += sending.churn.left();
        self.returns.missed += sending.churn.missed(length_us);
    }

    fn end_slice(&mut self, sending: &Sending, is_recorded: bool, before: &Sums) -> Slice {
        let last_us = self.tally.last_heard_us();
        let is_cut =
            self.tally.flights().under_way() > 0 && self.now_us() < last_us + QUIET_US && !self.is_deserted();
        let end_us = last_us.max(sending.end_us);
        self.tally.record(false, end_us);
        self.look_at_memory();
        let now = self.sums(is_recorded);
        let (whole, jumped_over) = (self.tally.counts(), self.tally.counts_under_way());
        if !is_cut && self.tally.flights().under_way() > 0 {
            // The next slice does not wait for them again.
            self.tally.give_up_all();
        }
        Slice {
            length_s: (end_us - sending.begin_us) as f64 / 1e6,
            sending: sending.spent,
            delivered: now.delivered - before.delivered,
            accepted: now.accepted.saturating_sub(before.accepted),
            under_way: if is_cut { whole.lost - jumped_over.lost } else { 0 },
            still: self.pulse.still(),
            is_deserted: self.is_deserted(),
        }
    }

    /// Whether all is there that is still to come. Lines that come more than ten seconds behind the last one due are
    /// not waited for, nor those that cannot come: their receiver is gone, or has heard a later one of their sender.
    fn is_heard_out(&self, sending: &mut Sending, now_us: u64) -> bool {
        let stands = |receiver: u32| {
            let client = self.clients.get(receiver as usize).and_then(Option::as_ref);
            client.is_some_and(|client| client.state == State::Up)
        };
        // Lines are under way to those that stay; who has come back may hear the last ones behind all others.
        let is_all_there = self.tally.flights().under_way() == 0
            && !self.tally.awaits_answers()
            && (self.plan.churners().is_empty() || self.tally.behind(stands) == 0);
        if is_all_there || now_us > sending.end_us + DRAIN_MAX_US {
            return true;
        }
        let heard_us = self.tally.last_sign_us().max(sending.end_us).max(sending.looked_us);
        if now_us <= heard_us + QUIET_US {
            return false;
        }
        sending.looked_us = now_us;
        self.tally.behind(stands) == 0
    }

    /// Hears every client that is ready. Lines that fall due meanwhile do not wait until all are heard.
    fn hear_and_send(&mut self, sending: &mut Sending) -> Result<(), String> {
        let hearers = self.plan.hearers();
        let ready = std::mem::take(&mut self.ready);
        for some in ready.chunks(CLIENTS_PER_LOOK) {
            for token in some.iter().filter(|token| token.0 < hearers) {
                self.hear(token.0, &mut |_, _| ())?;
            }
            if !sending.is_on || sending.schedule.is_none() {
                continue;
            }
            let now_us = self.now_us();
            if sending.next_us() <= now_us {
                self.send_due(sending, now_us);
            }
        }
        self.ready = ready;
        Ok(())
    }

    /// Sends what is due now, by the schedule or because a line was heard. False: nothing was.
    fn send_due(&mut self, sending: &mut Sending, now_us: u64) -> bool {
        let due = self.outgoing.due;
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
        self.outgoing.due > due
    }

    fn send(&mut self, due: Due) {
        self.outgoing.due += 1;
        let sender = usize::from(due.sender);
        let Some(client) = self.clients.get_mut(sender).and_then(Option::as_mut) else { return };
        self.line.clear();
        self.tally.write(due, &mut self.line);
        if let Some(traced) = self.traced.as_mut().filter(|_| client.takes()) {
            traced.sends(sender, &self.line);
        }
        // Before the line goes out: what is heard of it must know of it.
        let now_us = micros(self.epoch.elapsed());
        if !client.send_line(&self.line) {
            let is_over = client.state == State::Over;
            let count = if is_over { &mut self.outgoing.to_closed } else { &mut self.outgoing.unsent };
            *count += 1;
            return;
        }
        self.last_sent_us = now_us;
        self.tally.note_sent(due, now_us);
        self.lateness_us.saturating_record(now_us.saturating_sub(due.due_us));
    }

    /// Lets those go and come back whose time it is.
    fn churn_due(&mut self, sending: &mut Sending, now_us: u64) {
        let churners = self.plan.churners();
        let now_us = now_us.min(sending.end_us.saturating_sub(1));
        for _ in 0..CHURNS_PER_TURN {
            if churners.is_empty() || !sending.churn.take(now_us - sending.begin_us) {
                return;
            }
            let number = self.next_churner;
            self.next_churner = if number + 1 < churners.end { number + 1 } else { churners.start };
            self.tally.note_left(number as u32);
            if let Some(traced) = &mut self.traced {
                traced.leaves();
            }
            let client = self.begin_connect(number, Instant::now());
            let client = client.map_err(|why| self.returns.note_failed(why)).ok();
            if let Some(place) = self.clients.get_mut(number) {
                // The stream that was here is closed, which takes it out of the poll.
                *place = client;
            }
        }
    }

    fn tick(&mut self, now_us: u64) {
        self.note_waiting();
        self.tally.tick(now_us);
        if now_us >= self.looks_at_us {
            self.looks_at_us = now_us + LOOK_US;
            self.look_at_memory();
        }
    }

    fn look_at_memory(&mut self) {
        let peaks = &mut self.peaks;
        peaks.tcp_memory_kib = peaks.tcp_memory_kib.max(process::tcp_memory_kib());
        if let Some(resident_kib) = peaks.server.and_then(process::resident_kib) {
            peaks.resident_kib = peaks.resident_kib.max(resident_kib);
        }
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
    churn: Churn,
    /// When it was last looked at whether any line can still come.
    looked_us: u64,
    /// What was used until the last line was due.
    spent: Spent,
}

/// Sums over all slices so far.
#[derive(Debug)]
struct Sums {
    delivered: u64,
    accepted: u64,
    own_ns: u64,
    server_ns: u64,
}

impl Sending {
    fn new(plan: &Plan, begin_us: u64, length: Duration) -> Self {
        let senders = u16::try_from(plan.senders).unwrap_or(u16::MAX);
        let length_us = micros(length);
        let (schedule, freed) = match plan.pace {
            Pace::Rate(rate) => (Some(Schedule::new(senders, rate, length_us)), Vec::new()),
            Pace::Window(window) => (None, (0..window).flat_map(|_| 0..senders).collect()),
        };
        Self {
            begin_us,
            end_us: begin_us + length_us,
            is_on: true,
            schedule,
            freed,
            churn: Churn::new(plan.churn_per_s),
            looked_us: begin_us,
            spent: Spent::default(),
        }
    }

    /// When something is to be done next.
    fn next_us(&self) -> u64 {
        if !self.is_on {
            return u64::MAX;
        }
        let due_us = self.schedule.as_ref().and_then(Schedule::next_due_us);
        let next_us = [due_us, self.churn.next_due_us()].into_iter().flatten().min();
        next_us.map_or(self.end_us, |next_us| self.begin_us.saturating_add(next_us).min(self.end_us))
    }
}
