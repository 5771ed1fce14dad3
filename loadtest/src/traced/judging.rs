//! What a swarm does for its trace beside the load: asks before whether there is a history, and reads it back behind.

use super::witness::{Tapped, Witness};
use crate::client::State;
use crate::judged::Judged;
use crate::plan::micros;
use crate::swarm::Swarm;

/// Who has heard nothing for so long has no line under way.
const QUIET_US: u64 = 2_000_000;
/// Lines that come later than this behind the last word are not waited for.
const HEAR_MAX_US: u64 = 30_000_000;
/// Between looks at who has heard the last word.
const LOOK_US: u64 = 50_000;

impl Swarm {
    /// Where a trace is wanted: asks where the history stands. An error where there is none to hold a trace against.
    pub(crate) fn begin_trace(&mut self) -> Result<(), String> {
        let Some(traced) = &mut self.traced else { return Ok(()) };
        let name = self.tally.names().of(self.plan.clients + 1);
        let explain = |why| format!("--trace: {}: {why}", self.target);
        traced.behind = Witness::before(self.target, &name).map_err(explain)?;
        Ok(())
    }

    /// Reads the history back, hears out whoever is behind, and has the trace judged; none where none is written. All that
    /// is to be measured has been.
    pub(crate) fn judge(&mut self) -> Result<Option<Judged>, String> {
        let name = self.tally.names().of(self.plan.clients);
        let Some(traced) = &mut self.traced else { return Ok(None) };
        let behind = traced.behind;
        let tapped = Tapped { traced, number: self.plan.clients };
        let (last, history) = match Witness::behind(self.target, &name, tapped, behind) {
            Ok(read) => read,
            Err(why) => return Ok(Some(Judged::unread(why))),
        };
        let is_quiet = self.hear_out(last)?;
        let behind = self.behind(last);
        let Some(traced) = &mut self.traced else { return Ok(None) };
        for number in 0..self.plan.hearers() {
            let stands = self.clients.get(number).and_then(Option::as_ref).is_some_and(stands);
            // Where lines still come, those that have not are no more than late.
            if stands && (is_quiet || !behind.contains(&number)) {
                traced.caught_up(number, last);
            }
        }
        let late = if is_quiet { 0 } else { behind.len() as u64 };
        Ok(Some(Judged::of(&traced.check(&history), late)))
    }

    /// Hears until all have what has this id, or nothing comes any more: true. False: something still comes, and nobody
    /// waits longer.
    fn hear_out(&mut self, id: u64) -> Result<bool, String> {
        let begun_us = self.now_us();
        let mut heard_us = begun_us;
        while !self.behind(id).is_empty() {
            let now_us = self.now_us();
            if now_us > begun_us + HEAR_MAX_US {
                return Ok(false);
            }
            if now_us > heard_us + QUIET_US {
                break;
            }
            self.turn(now_us + LOOK_US, now_us)?;
            let epoch = self.epoch;
            self.hear_all(self.plan.hearers(), &mut |_, _| heard_us = micros(epoch.elapsed()))?;
        }
        Ok(true)
    }

    /// Those who read, are there, and have not heard what has this id.
    fn behind(&self, id: u64) -> Vec<usize> {
        let Some(traced) = &self.traced else { return Vec::new() };
        let hearers = self.clients.iter().enumerate().take(self.plan.hearers());
        let standing = hearers.filter(|(_, client)| client.as_ref().is_some_and(stands));
        standing.map(|(number, _)| number).filter(|number| !traced.has_heard(*number, id)).collect()
    }
}

fn stands(client: &crate::client::Client) -> bool {
    client.state == State::Up
}
