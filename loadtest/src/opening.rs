//! How the clients come in: they connect, say hello, and are known to hear each other before anything is measured.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use memchr::memmem::Finder;

use crate::client::Client;
use crate::names::PROBE;
use crate::protocol::Protocol;
use crate::swarm::Swarm;

const PROBE_EVERY: Duration = Duration::from_millis(300);
/// Connects that may be under way at once.
const CONNECTING_MAX: u64 = 1024;
/// Between this many connects those that are through are looked at.
const CONNECTS_PER_LOOK: usize = 16;
/// No line of a run has such a number.
const PROBE_NUMBERS: u64 = 1 << 32;
/// For so long nothing may come that is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// The relay puts the notices of those who joined off for a second.
const QUIET_PLAIN: Duration = Duration::from_millis(1300);
const QUIET_OTHERS: Duration = Duration::from_millis(200);

/// In which order the clients connect: scattered, so that it does not matter in which order a server writes to those
/// it has. Multiples of a number near the golden section, without a common divisor, come to each place once.
fn scattered(count: usize) -> impl Iterator<Item = usize> {
    let is_coprime =
        |stride: &usize| (2..=*stride).all(|by| !stride.is_multiple_of(by) || !count.is_multiple_of(by));
    let stride = (count * 5 / 8..).find(|stride| *stride > 0 && is_coprime(stride)).unwrap_or(1);
    (0..count).map(move |index| index * stride % count)
}

/// Who has come as far as all are to come.
struct Roll {
    is_there: Vec<bool>,
    missing: usize,
}

impl Roll {
    fn new(count: usize) -> Self {
        Self { is_there: vec![false; count], missing: count }
    }

    fn mark(&mut self, number: usize) {
        if let Some(is_there) = self.is_there.get_mut(number).filter(|is_there| !**is_there) {
            *is_there = true;
            self.missing -= 1;
        }
    }
}

impl Swarm {
    /// Connects all clients and has them say hello; those that are there, once `stop` is true.
    pub fn connect(&mut self, stop: &AtomicBool) -> Result<(), String> {
        let begun = Instant::now();
        for (index, number) in scattered(self.plan.clients).enumerate() {
            let due = match self.plan.connect_rate_per_s {
                Some(rate) => begun + Duration::from_secs_f64(index as f64 / rate),
                None => Instant::now(),
            };
            self.await_connects(due, (index as u64).saturating_sub(CONNECTING_MAX), stop)?;
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let due = if self.plan.connect_rate_per_s.is_some() { due } else { Instant::now() };
            let client = self.begin_connect(number, due)?;
            if let Some(place) = self.clients.get_mut(number) {
                *place = Some(client);
            }
            if index % CONNECTS_PER_LOOK == 0 {
                self.look(Duration::ZERO, &mut |_, _| ())?;
            }
        }
        self.await_connects(Instant::now(), self.plan.clients as u64, stop)
    }

    /// Waits until it is time, and at least so many connects are through.
    fn await_connects(&mut self, due: Instant, through_min: u64, stop: &AtomicBool) -> Result<(), String> {
        let mut through = self.connect_us.len();
        let mut since = Instant::now();
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if (left.is_zero() && through >= through_min) || stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let wait = if left.is_zero() { Duration::from_millis(100) } else { left };
            self.look(wait.min(Duration::from_millis(100)), &mut |_, _| ())?;
            if self.connect_us.len() > through || !left.is_zero() {
                (through, since) = (self.connect_us.len(), Instant::now());
            }
            if since.elapsed() > PATIENCE {
                let (target, clients) = (self.target, self.plan.clients);
                return Err(format!(
                    "{through} of {clients} connects to {target} came through, and none for {} s",
                    PATIENCE.as_secs()
                ));
            }
        }
    }

    /// Waits until every client that reads is known to hear the others, and until nothing is said any more, or until
    /// `stop` is true.
    pub fn join(&mut self, stop: &AtomicBool) -> Result<(), String> {
        if self.plan.protocol.says_ready() {
            let mut ready = Roll::new(self.plan.clients);
            self.await_all("told that they are in the room", &mut ready, false, stop)?;
        }
        let mut heard = Roll::new(self.plan.hearers());
        if self.plan.senders == 1 && !self.plan.protocol.hears_itself() {
            heard.mark(0);
        }
        self.await_all("in reach of what the others say", &mut heard, true, stop)?;
        self.await_quiet(stop)?;
        self.check_names()
    }

    /// Lines that come back under another name would all count as corrupt and lost.
    fn check_names(&self) -> Result<(), String> {
        let Some((sender, name)) = self.tally.renamed() else { return Ok(()) };
        Err(format!(
            "{} gave client {} the name {name}, since somebody there is called {} already: another run at the same \
             time, or one that the server has not let go of yet; run it again",
            self.target,
            sender + 1,
            self.tally.names().of(sender as usize)
        ))
    }

    /// Waits until all are there: until the server said so, or until each has heard a probe.
    fn await_all(
        &mut self,
        what: &str,
        roll: &mut Roll,
        is_probing: bool,
        stop: &AtomicBool,
    ) -> Result<(), String> {
        let finder = Finder::new(PROBE);
        let mut since = Instant::now();
        let mut next_probe = Instant::now();
        let mut probe_numbers = PROBE_NUMBERS..;
        while roll.missing > 0 && !stop.load(Ordering::Relaxed) {
            if is_probing && Instant::now() >= next_probe {
                self.probe(probe_numbers.next().unwrap_or_default());
                next_probe = Instant::now() + PROBE_EVERY;
            }
            let before = roll.missing;
            self.look(Duration::from_millis(50), &mut |number, bytes| {
                if is_probing && finder.find(bytes).is_some() {
                    roll.mark(number);
                }
            })?;
            if !is_probing {
                // Some were told while others still connected.
                let ready = self.clients.iter().enumerate();
                let ready = ready.filter(|(_, client)| client.as_ref().is_some_and(|client| client.is_ready));
                ready.for_each(|(number, _)| roll.mark(number));
            }
            if roll.missing < before {
                since = Instant::now();
            }
            if since.elapsed() > PATIENCE || self.closed() == self.plan.clients {
                return Err(self.why_not_all(what, roll));
            }
        }
        Ok(())
    }

    fn why_not_all(&self, what: &str, roll: &Roll) -> String {
        let count = roll.is_there.len();
        let words = match self.tally.complaints().0.first() {
            Some(complaint) => format!("; the server said: {complaint}"),
            None => String::new(),
        };
        format!(
            "{} of {count} clients of {} are {what}, {} were closed by the server{words}; \
             does it speak --protocol {}, and has it room for so many?",
            count - roll.missing,
            self.target,
            self.closed(),
            self.plan.protocol
        )
    }

    /// The first two senders say something that is no line of the run.
    fn probe(&mut self, probe: u64) {
        for number in 0..self.plan.senders.min(2) {
            let mut line = Vec::new();
            self.plan.protocol.say(&self.tally.names().of(number), probe, PROBE, &mut line);
            let Some(client) = self.clients.get_mut(number).and_then(Option::as_mut) else { continue };
            if let Some(traced) = self.traced.as_mut().filter(|_| client.takes()) {
                traced.sends(number, &line);
            }
            client.send(&line);
        }
    }

    /// Waits until nothing has come for a while: notices, above all.
    fn await_quiet(&mut self, stop: &AtomicBool) -> Result<(), String> {
        let is_ours = matches!(self.plan.protocol, Protocol::Plain | Protocol::Extended | Protocol::Unframed);
        let quiet = if is_ours { QUIET_PLAIN } else { QUIET_OTHERS };
        let begun = Instant::now();
        let mut since = begun;
        while since.elapsed() < quiet && !stop.load(Ordering::Relaxed) {
            self.look(Duration::from_millis(50), &mut |_, _| since = Instant::now())?;
            if begun.elapsed() > PATIENCE + quiet {
                return Err(format!("others talk at {}: the room does not come to rest", self.target));
            }
        }
        // A probe without an end would be taken for the begin of the first line.
        self.clients.iter_mut().flatten().for_each(Client::forget);
        Ok(())
    }

    /// One turn of the loop, in which all are heard, also those that are not going to read.
    pub(crate) fn look(&mut self, wait: Duration, each: &mut dyn FnMut(usize, &[u8])) -> Result<(), String> {
        let now_us = self.now_us();
        self.turn(now_us + crate::plan::micros(wait), now_us)?;
        self.hear_all(self.plan.clients, each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_connects_once_and_neighbours_far_from_each_other() {
        for count in [2, 3, 10, 64, 100, 164, 1001] {
            let order: Vec<usize> = scattered(count).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..count).collect::<Vec<_>>(), "{count}");
            let is_scattered = order.windows(2).all(|pair| pair[0].abs_diff(pair[1]) > count / 4);
            assert!(is_scattered || count < 10, "{count}");
        }
    }
}
