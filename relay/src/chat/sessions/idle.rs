//! Who is forgotten where there are too many sessions: first those that never said anything, which anybody can make as many
//! of as it likes; of the others the one that went first. Nobody who is there.

use std::collections::VecDeque;

use super::{Presence, Session, SessionId, Sessions};
use crate::moment::Moment;

/// Places in each queue, the stale ones too.
const IDLE_MAX: usize = 2 * super::SESSIONS_MAX;

/// Those that went, the first ones first. Who has come back since, or was forgotten, is still there.
#[derive(Debug, Default)]
pub(super) struct Idle {
    /// Who never said anything.
    silent: Gone,
    others: Gone,
}

#[derive(Debug, Default)]
struct Gone {
    /// Offline, with the time when that began.
    offline: VecDeque<(u64, SessionId)>,
    /// Perhaps coming back soon, with the moment until when that is soon.
    away: VecDeque<(Moment, SessionId)>,
}

impl Session {
    fn is_silent(&self) -> bool {
        !self.has_spoken && self.account.is_none()
    }
}

impl Sessions {
    /// Restored sessions come newest first.
    pub(super) fn note_restored(&mut self, id: SessionId, unix_ms: u64) {
        self.idle.others.offline.push_front((unix_ms, id));
    }

    pub(super) fn note_offline(&mut self, id: SessionId, unix_ms: u64) {
        let mut idle = std::mem::take(&mut self.idle);
        let gone = if self.is_silent(id) { &mut idle.silent } else { &mut idle.others };
        if gone.offline.len() >= IDLE_MAX {
            gone.offline.retain(|place| self.is_offline_since(*place));
        }
        gone.offline.push_back((unix_ms, id));
        self.idle = idle;
    }

    /// Its connection is gone, and it may come back until then.
    pub(in crate::chat) fn step_away(&mut self, id: SessionId, until: Moment) {
        let Some(session) = self.get_mut(id) else { return };
        session.state = Presence::Away(until);
        let mut idle = std::mem::take(&mut self.idle);
        let gone = if self.is_silent(id) { &mut idle.silent } else { &mut idle.others };
        if gone.away.len() >= IDLE_MAX {
            gone.away.retain(|place| self.is_away_until(*place));
        }
        gone.away.push_back((until, id));
        self.idle = idle;
    }

    /// Forgets one that is offline, if there is one: of those that never said anything, or of all.
    pub(in crate::chat) fn forget_offline(&mut self, is_silent: bool) -> bool {
        let mut idle = std::mem::take(&mut self.idle);
        let gone = if is_silent { &mut idle.silent } else { &mut idle.others };
        let queue = &mut gone.offline;
        while queue.front().is_some_and(|place| !self.is_offline_since(*place)) {
            queue.pop_front();
        }
        // Few of those who are gone wait for an answer, and not for long.
        let is_free = |id: SessionId| self.get(id).is_some_and(|session| session.unanswered == 0);
        let found = queue.iter().find(|place| self.is_offline_since(**place) && is_free(place.1)).copied();
        self.idle = idle;
        let Some((_, id)) = found else { return false };
        if is_silent {
            // Else it would take the place of somebody in the file, where nobody knows who has spoken.
            self.forget(id);
        } else {
            // The file drops those unused for longest by itself.
            self.remove(id);
        }
        true
    }

    /// The session that has been away for longest: of those that never said anything, or of all.
    pub(in crate::chat) fn first_away(&mut self, is_silent: bool) -> Option<SessionId> {
        let mut idle = std::mem::take(&mut self.idle);
        let queue = if is_silent { &mut idle.silent.away } else { &mut idle.others.away };
        while queue.front().is_some_and(|place| !self.is_away_until(*place)) {
            queue.pop_front();
        }
        let first = queue.front().map(|(_, id)| *id);
        self.idle = idle;
        first
    }

    fn is_silent(&self, id: SessionId) -> bool {
        self.get(id).is_some_and(Session::is_silent)
    }

    fn is_offline_since(&self, (unix_ms, id): (u64, SessionId)) -> bool {
        let is_since =
            |session: &Session| session.state == Presence::Offline && session.used_unix_ms == unix_ms;
        self.get(id).is_some_and(is_since)
    }

    fn is_away_until(&self, (until, id): (Moment, SessionId)) -> bool {
        self.get(id).is_some_and(|session| session.state == Presence::Away(until))
    }
}
