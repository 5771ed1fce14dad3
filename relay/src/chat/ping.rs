//! Extended connections that have gone silent are asked whether they are there.

use tertulia_wire::limits::{PING_AFTER, PONG_WAIT};

use super::timers::Look;
use super::{Chat, ClientId, Cut};
use crate::moment::Moment;

/// All are looked at in one tick, so that a thousand of them do not wake the relay a thousand times.
const TICK: std::time::Duration = std::time::Duration::from_secs(10);

impl Chat {
    /// An extended connection is there: it is looked at from now on.
    pub(super) fn watch_for_silence(&mut self, now: Moment) {
        if self.ping_due == Moment::NEVER {
            self.set_ping_tick(now.after(PING_AFTER));
        }
    }

    /// Rounded up to whole ticks since the start.
    fn set_ping_tick(&mut self, due: Moment) {
        let since = due.since(Moment::START).as_micros().div_ceil(TICK.as_micros());
        let ticks = u32::try_from(since).unwrap_or(u32::MAX);
        self.ping_due = Moment::from_start(TICK.saturating_mul(ticks));
        self.timers.set(self.ping_due, Look::Ping);
    }

    /// Something came from the connection.
    pub(super) fn note_heard(&mut self, client: ClientId, now: Moment) {
        if let Some(extended) = self.client_mut(client).and_then(|state| state.extended.as_mut()) {
            extended.heard_at = now;
            extended.pinged_at = None;
        }
    }

    /// It is time: asks who has been silent for long, and cuts who did not answer.
    pub(super) fn look_for_silence(&mut self, now: Moment) {
        if self.ping_due > now {
            return;
        }
        self.ping_due = Moment::NEVER;
        let mut next = Moment::NEVER;
        for index in 0..u32::try_from(self.clients.len()).unwrap_or(u32::MAX) {
            let client = ClientId(index);
            let wants_read = self.wants_read(client);
            let Some(state) = self.client_mut(client).filter(|state| !state.is_closing) else { continue };
            let Some(extended) = state.extended.as_mut() else { continue };
            if !wants_read {
                // What it may have answered was not read: the clock stands still.
                extended.heard_at = now;
                extended.pinged_at = extended.pinged_at.map(|_| now);
            }
            let due = match extended.pinged_at {
                Some(at) if at.after(PONG_WAIT) <= now => {
                    self.cut(client, Cut::Silent, now);
                    continue;
                }
                Some(at) => at.after(PONG_WAIT),
                None if extended.heard_at.after(PING_AFTER) <= now => {
                    extended.pinged_at = Some(now);
                    let word = now.since(Moment::START).as_secs();
                    self.answer(client, &format!("PING {word}"), None);
                    now.after(PONG_WAIT)
                }
                None => extended.heard_at.after(PING_AFTER),
            };
            next = next.min(due);
        }
        if next != Moment::NEVER {
            self.set_ping_tick(next);
        }
    }
}
