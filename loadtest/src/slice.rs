//! A run, slice by slice: what is due is sent, what comes is heard, and what was sent is heard out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::plan::{Plan, micros};
use crate::process;
use crate::schedule::{Due, Pace, Schedule};
use crate::swarm::{Swarm, Watcher};

/// Nothing more came for so long behind the last line: what is not there by then is lost.
const QUIET_US: u64 = 2_000_000;
/// Lines that still come so long behind the last one that was due are not waited for.
const DRAIN_MAX_US: u64 = 10_000_000;
/// So many clients are heard between looks at what is due.
const CLIENTS_PER_LOOK: usize = 32;
/// Between looks at what is late, at memory, and at who wants to know how it goes.
const TICK_US: u64 = 100_000;

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
        // All senders begin anew; those whose last line was heard out in the slice before are among them.
        self.tally.take_freed();
        let mut sending = Sending::new(&self.plan, self.now_us(), length);
        let (delivered, accepted) = (self.tally.counts_so_far().delivered, self.tally.accepted());
        self.tally.record(is_recorded, sending.begin_us);
        let mut next_tick_us = sending.begin_us;
        self.woken_us = sending.begin_us;
        loop {
            let mut now_us = self.now_us();
            let mut has_sent = false;
            if sending.is_on && stop.load(Ordering::Relaxed) {
                sending.end_us = sending.end_us.min(now_us);
                sending.schedule = None;
            }
            if sending.is_on {
                has_sent = self.send_due(&mut sending, now_us);
                self.churn_due(&mut sending, now_us)?;
                sending.is_on = now_us < sending.end_us;
            } else if self.is_heard_out(sending.end_us, now_us) {
                break;
            }
            if now_us >= next_tick_us {
                next_tick_us = now_us + TICK_US;
                self.tick(now_us);
                if self.closed() == self.plan.clients {
                    return Err(format!(
                        "the server at {} closed every connection: did it end?",
                        self.target
                    ));
                }
                watcher(self);
            }
            if has_sent {
                now_us = self.now_us();
            }
            self.loop_lag_us.saturating_record(now_us.saturating_sub(self.woken_us));
            self.turn(sending.next_us().min(next_tick_us), now_us)?;
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
    fn is_heard_out(&self, end_us: u64, now_us: u64) -> bool {
        if self.tally.flights().under_way() == 0 {
            return true;
        }
        let is_quiet = now_us > self.tally.last_heard_us().max(end_us) + QUIET_US;
        is_quiet || now_us > end_us + DRAIN_MAX_US
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
        let due = self.due;
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
        self.due > due
    }

    fn send(&mut self, due: Due) {
        self.due += 1;
        let sender = usize::from(due.sender);
        let Some(client) = self.clients.get_mut(sender).and_then(Option::as_mut) else { return };
        self.line.clear();
        self.tally.write(due, &mut self.line);
        // Before the line goes out: what is heard of it must know of it.
        let now_us = micros(self.epoch.elapsed());
        if !client.send(&self.line) {
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
            sending.next_churn_us =
                sending.next_churn_us.saturating_add((1e6 / self.plan.churn_per_s) as u64);
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

    fn tick(&mut self, now_us: u64) {
        self.tally.tick(now_us);
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
        let due_us = due_us.map_or(self.end_us, |due_us| self.begin_us.saturating_add(due_us));
        due_us.min(self.next_churn_us).min(self.end_us)
    }
}
