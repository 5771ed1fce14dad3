//! Who comes back as whom: tokens, and what a relay remembers of those who hold them. Knows no connection's bytes.

mod idle;
mod labels;

use std::collections::HashMap;

use blake2::digest::consts::U16;
use blake2::{Blake2s, Digest};
use tertulia_wire::limits::TOKEN_LAPSES_AFTER;

use super::ClientId;
use crate::batch::{SessionRow, Work};
use crate::moment::Moment;
use idle::Idle;
pub use labels::LABELS_MAX;
use labels::Labels;
pub(in crate::chat) use labels::{Fate, Known};

/// Sessions known at once, those that may come back too; beyond it one that never said anything is forgotten, else the one
/// unused for longest.
pub const SESSIONS_MAX: usize = 65_536;

/// Numbers of sessions that are set apart at once, so that they are never given twice, whatever is lost; and how many of
/// them are left when the next ones are.
pub const SIDS_AHEAD: u64 = 4096;
const SIDS_LEFT: u64 = 2048;

/// A session, by its place in memory. Whoever has one of a session that was forgotten has none, whoever is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SessionId {
    index: u32,
    generation: u32,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    token_hash: [u8; 16],
    /// The number that others see in keys; never given twice.
    pub(super) sid: u64,
    /// The name it holds, or held.
    pub(super) name: String,
    /// The rooms it is in, or was in.
    pub(super) rooms: Vec<String>,
    /// The number of the account that it logged in as.
    pub(super) account: Option<u64>,
    /// The account's, when it logged in.
    pub(super) token_epoch: u64,
    pub(super) state: Presence,
    used_unix_ms: u64,
    /// It has said nothing under a greater id.
    pub(super) newest: u64,
    /// None: the history knows them.
    labels: Option<Labels>,
    /// Greater than of those whose labels were used before.
    last_use: u64,
    /// It has said something, or may have in an earlier run.
    has_spoken: bool,
    /// While the history has to be asked: labels of which it knows nothing, because their lines were not kept.
    not_kept: Vec<(u64, Known)>,
    /// Lines whose answer is still to come.
    pub(super) unanswered: usize,
    /// Until when it may say nothing, whatever it logs in to, in milliseconds since 1970.
    pub(super) muted_until: u64,
    /// Nobody saw it come, because it was muted: nobody is to see that it goes.
    pub(super) is_hidden: bool,
    /// What it has said will never be known: it cannot be taken up again.
    pub(super) is_damaged: bool,
    /// It differs from what was kept of it.
    is_changed: bool,
}

/// Whether a session is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// A connection holds it.
    Online(ClientId),
    /// Its connection is gone; until then nobody is told.
    Away(Moment),
    /// It was there when the relay ended: nobody saw it go.
    BeforeRestart,
    Offline,
}

/// A place in memory.
#[derive(Debug, Default)]
struct Slot {
    session: Option<Session>,
    /// Sessions that were here before.
    generation: u32,
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Their places.
    by_token: HashMap<[u8; 16], u32>,
    idle: Idle,
    last_sid: u64,
    /// Numbers up to it were set apart, and that is kept.
    sid_ceiling_kept: u64,
    sid_ceiling_asked: u64,
    label_count: usize,
    mark_count: usize,
    labels_max: usize,
    /// With so many labels in memory it is worth while to look again which of them may go.
    crowded_at: usize,
    /// Counts labels that were used.
    last_use: u64,
    /// The history can tell labels again.
    is_kept: bool,
    changed: Vec<SessionId>,
    /// Numbers of those that are to be kept no more.
    forgotten: Vec<u64>,
}

/// What is kept of a token, so that a stolen file opens no session.
fn token_hash(token: &str) -> [u8; 16] {
    secure_hash(token.as_bytes())
}

/// 128 bits from which nobody finds what they were made of.
pub(super) fn secure_hash(bytes: &[u8]) -> [u8; 16] {
    Blake2s::<U16>::digest(bytes).into()
}

impl Session {
    fn row(&self) -> SessionRow {
        SessionRow {
            token_hash: self.token_hash,
            sid: self.sid,
            name: self.name.clone(),
            rooms: self.rooms.clone(),
            account: self.account,
            token_epoch: self.token_epoch,
            muted_until_unix_ms: self.muted_until,
            is_present: !matches!(self.state, Presence::Offline) && !self.is_hidden,
            used_unix_ms: self.used_unix_ms,
        }
    }
}

impl Sessions {
    /// None yet. `labels_max`: of all of them together, in memory.
    pub(super) fn new(labels_max: usize) -> Self {
        Self { labels_max, ..Self::default() }
    }

    /// Whether sessions are kept. Never in a build for use without the feature `history`, and the compiler is to know that.
    fn is_kept(&self) -> bool {
        cfg!(any(feature = "history", debug_assertions)) && self.is_kept
    }

    /// What was kept, when the relay starts. `last_sid`: no greater number was ever given; up to `sid_ceiling` they were
    /// set apart. `newest`: nor was a greater id. Who has lapsed is not among them, or is not found by the clock of that time:
    /// now, it may be wrong.
    pub(super) fn restore(
        &mut self,
        rows: Vec<SessionRow>,
        (last_sid, sid_ceiling): (u64, u64),
        newest: u64,
    ) {
        self.is_kept = true;
        self.last_sid = last_sid;
        (self.sid_ceiling_kept, self.sid_ceiling_asked) = (sid_ceiling, sid_ceiling);
        for row in rows {
            if self.by_token.len() >= SESSIONS_MAX {
                break;
            }
            let state = if row.is_present { Presence::BeforeRestart } else { Presence::Offline };
            self.last_sid = self.last_sid.max(row.sid);
            self.put(Session {
                token_hash: row.token_hash,
                sid: row.sid,
                name: row.name,
                rooms: row.rooms,
                account: row.account,
                token_epoch: row.token_epoch,
                state,
                used_unix_ms: row.used_unix_ms,
                newest,
                labels: None,
                last_use: 0,
                has_spoken: true,
                not_kept: Vec::new(),
                unanswered: 0,
                muted_until: row.muted_until_unix_ms,
                is_hidden: false,
                is_damaged: false,
                is_changed: false,
            });
        }
    }

    fn put(&mut self, session: Session) -> SessionId {
        let index = self.free.pop().unwrap_or(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        if self.slots.len() <= index as usize {
            self.slots.push(Slot::default());
        }
        let generation = self.slots.get(index as usize).map_or(0, |slot| slot.generation);
        let id = SessionId { index, generation };
        self.by_token.insert(session.token_hash, index);
        if session.state == Presence::Offline {
            self.note_restored(id, session.used_unix_ms);
        }
        if let Some(slot) = self.slots.get_mut(index as usize) {
            slot.session = Some(session);
        }
        id
    }

    /// A new session for this token, also where there are too many. `unix_ms` also begins the numbers where none were kept: they must not be those of
    /// an earlier run.
    pub(super) fn add(&mut self, token: &str, name: &str, client: ClientId, unix_ms: u64) -> SessionId {
        self.last_sid += 1;
        if !self.is_kept() && self.by_token.is_empty() {
            self.last_sid = self.last_sid.max(unix_ms);
        }
        let id = self.put(Session {
            token_hash: token_hash(token),
            sid: self.last_sid,
            name: name.to_owned(),
            rooms: Vec::new(),
            account: None,
            token_epoch: 0,
            state: Presence::Online(client),
            used_unix_ms: unix_ms,
            newest: 0,
            labels: Some(Labels::default()),
            last_use: 0,
            has_spoken: false,
            not_kept: Vec::new(),
            unanswered: 0,
            muted_until: 0,
            is_hidden: false,
            is_damaged: false,
            is_changed: false,
        });
        self.note_change(id);
        id
    }

    /// It has this token from now on; the one from before is not known any more.
    #[cfg(feature = "history")]
    pub(super) fn renew(&mut self, id: SessionId, token: &str) {
        let token_hash = token_hash(token);
        let Some(session) = self.get_mut(id) else { return };
        let before = std::mem::replace(&mut session.token_hash, token_hash);
        self.by_token.remove(&before);
        self.by_token.insert(token_hash, id.index);
        self.note_change(id);
    }

    /// Its token is not known any more, and it is to be kept no longer. Its number is not given again.
    pub(super) fn forget(&mut self, id: SessionId) {
        let is_kept = self.is_kept();
        if let Some(session) = self.remove(id).filter(|_| is_kept) {
            self.forgotten.push(session.sid);
        }
    }

    fn remove(&mut self, id: SessionId) -> Option<Session> {
        let slot = self.slots.get_mut(id.index as usize).filter(|slot| slot.generation == id.generation)?;
        let session = slot.session.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.by_token.remove(&session.token_hash);
        self.label_count -= session.labels.as_ref().map_or(0, Labels::len);
        self.mark_count -= session.labels.as_ref().map_or(0, Labels::mark_count);
        self.free.push(id.index);
        Some(session)
    }

    /// The session of this token, unless it has lapsed.
    pub(super) fn find(&self, token: &str, unix_ms: u64) -> Option<SessionId> {
        let index = *self.by_token.get(&token_hash(token))?;
        let slot = self.slots.get(index as usize)?;
        let (id, session) = (SessionId { index, generation: slot.generation }, slot.session.as_ref()?);
        let is_there = session.state != Presence::Offline;
        let is_known = is_there || !is_lapsed(session.used_unix_ms, unix_ms);
        (is_known && !session.is_damaged).then_some(id)
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Session> {
        let slot = self.slots.get(id.index as usize).filter(|slot| slot.generation == id.generation)?;
        slot.session.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        let slot = self.slots.get_mut(id.index as usize).filter(|slot| slot.generation == id.generation)?;
        slot.session.as_mut()
    }

    /// All sessions that have logged in as the account.
    #[cfg(feature = "history")]
    pub(super) fn of_account(&self, account: u64) -> Vec<SessionId> {
        let is_of_it = |slot: &Slot| slot.session.as_ref().is_some_and(|one| one.account == Some(account));
        let all = (0..).zip(&self.slots).filter(|(_, slot)| is_of_it(slot));
        all.map(|(index, slot)| SessionId { index, generation: slot.generation }).collect()
    }

    /// Sessions of this name that no connection holds, and that are muted.
    #[cfg(feature = "history")]
    pub(super) fn muted_away(&self, name: &str) -> Vec<SessionId> {
        let is_it = |slot: &Slot| {
            let is_away = |one: &&Session| !matches!(one.state, Presence::Online(_));
            let session = slot.session.as_ref().filter(is_away);
            session.is_some_and(|one| one.name == name && one.muted_until > 0)
        };
        let all = (0..).zip(&self.slots).filter(|(_, slot)| is_it(slot));
        all.map(|(index, slot)| SessionId { index, generation: slot.generation }).collect()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_token.len()
    }

    /// Somebody comes back. Whether that is worth keeping: not if nothing but the hour is new.
    pub(super) fn take_up(&mut self, id: SessionId, client: ClientId, unix_ms: u64) {
        let Some(session) = self.get_mut(id) else { return };
        let (was_offline, used_unix_ms) = (session.state == Presence::Offline, session.used_unix_ms);
        session.state = Presence::Online(client);
        let is_another_day = unix_ms.abs_diff(used_unix_ms) > 24 * 60 * 60 * 1000;
        if was_offline || is_another_day {
            session.used_unix_ms = unix_ms;
            self.note_change(id);
        }
    }

    /// It is there no more.
    pub(super) fn end(&mut self, id: SessionId, unix_ms: u64) {
        if let Some(session) = self.get_mut(id) {
            session.state = Presence::Offline;
            session.used_unix_ms = unix_ms;
            self.note_offline(id, unix_ms);
            self.note_change(id);
        }
    }

    /// Those that were there when the relay ended and are not yet back.
    pub(super) fn before_restart(&self) -> Vec<SessionId> {
        let is_before = |session: &Session| session.state == Presence::BeforeRestart;
        let all = (0..).zip(&self.slots).filter(|(_, slot)| slot.session.as_ref().is_some_and(is_before));
        all.map(|(index, slot)| SessionId { index, generation: slot.generation }).collect()
    }

    /// What is known of it is to be kept.
    pub(super) fn note_change(&mut self, id: SessionId) {
        if !self.is_kept() {
            return;
        }
        if let Some(session) = self.get_mut(id).filter(|session| !session.is_changed) {
            session.is_changed = true;
            self.changed.push(id);
        }
    }

    /// Puts what has changed into the work.
    pub(super) fn add_changes(&mut self, work: &mut Work) {
        for id in std::mem::take(&mut self.changed) {
            let Some(session) = self.get_mut(id) else { continue };
            session.is_changed = false;
            work.sessions.push(session.row());
        }
        work.forgotten = std::mem::take(&mut self.forgotten);
    }

    /// Numbers are to be set apart up to this one, now.
    pub(super) fn ceiling_to_keep(&mut self) -> Option<u64> {
        if !self.is_kept() || self.last_sid.saturating_add(SIDS_LEFT) <= self.sid_ceiling_asked {
            return None;
        }
        self.sid_ceiling_asked = self.last_sid.saturating_add(SIDS_AHEAD);
        Some(self.sid_ceiling_asked)
    }

    /// This was kept.
    pub(super) fn ceiling_was_kept(&mut self, kept: u64) {
        self.sid_ceiling_kept = self.sid_ceiling_kept.max(kept);
    }

    /// Whether the session's number is its own for ever, also if the session itself is never kept.
    pub(super) fn has_number_set_apart(&self, id: SessionId) -> bool {
        self.get(id).is_some_and(|session| session.sid <= self.sid_ceiling_kept)
    }

    pub(super) fn has_changes(&self) -> bool {
        !self.changed.is_empty() || !self.forgotten.is_empty()
    }
}

fn is_lapsed(used_unix_ms: u64, unix_ms: u64) -> bool {
    u128::from(unix_ms.saturating_sub(used_unix_ms)) > TOKEN_LAPSES_AFTER.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    const ONE: ClientId = ClientId(1);

    #[test]
    fn a_token_is_known_until_it_was_unused_for_30_days() {
        let mut sessions = Sessions::new(LABELS_MAX);
        let id = sessions.add("secreto", "Ana", ONE, DAY_MS);
        assert_eq!(sessions.find("secreto", 100 * DAY_MS), Some(id));
        sessions.end(id, DAY_MS);
        assert_eq!(sessions.find("secreto", 31 * DAY_MS), Some(id));
        assert_eq!(sessions.find("secreto", 31 * DAY_MS + 1), None);
        assert_eq!(sessions.find("otro", DAY_MS), None);
    }

    #[test]
    fn of_too_many_sessions_one_that_said_nothing_is_forgotten_else_the_one_unused_for_longest() {
        let mut sessions = Sessions::new(LABELS_MAX);
        for number in 0..5_u64 {
            let id = sessions.add(&number.to_string(), "Ana", ONE, number);
            if number < 3 {
                sessions.set_label(id, "1", known(1));
            }
            sessions.end(id, number);
        }
        let mut forget = |is_silent, is_some| assert_eq!(sessions.forget_offline(is_silent), is_some);
        forget(true, true);
        forget(false, true);
        let there = (0..5).filter(|number| sessions.find(&number.to_string(), 5).is_some());
        assert_eq!(there.collect::<Vec<_>>(), [1, 2, 4]);
        for is_silent in [true, false, false] {
            assert!(sessions.forget_offline(is_silent));
        }
        assert_eq!(
            (sessions.len(), sessions.forget_offline(true), sessions.forget_offline(false)),
            (0, false, false)
        );
    }

    #[test]
    fn the_last_labels_of_a_session_are_known_and_all_together_are_bounded() {
        let mut sessions = Sessions::new(LABELS_MAX);
        for number in 0..100 {
            let id = sessions.add(&number.to_string(), "Ana", ONE, 0);
            (0..5000).for_each(|label| sessions.set_label(id, &label.to_string(), known(label)));
            assert_eq!(sessions.label(id, "4999").map(|known| known.id), Some(4999));
            assert!(sessions.label_count <= LABELS_MAX);
            if number == 0 {
                assert!(sessions.label(id, "904").is_some() && sessions.label(id, "903").is_none());
            }
        }
    }

    #[test]
    fn what_was_kept_is_there_again_and_numbers_go_on() {
        let mut sessions = Sessions { is_kept: true, ..Sessions::new(LABELS_MAX) };
        let id = sessions.add("secreto", "Ana", ONE, DAY_MS);
        sessions.get_mut(id).unwrap().rooms.push("sala".into());
        let mut work = Work::default();
        sessions.add_changes(&mut work);
        let mut again = Sessions::new(LABELS_MAX);
        again.restore(work.sessions, (7, 100), 0);
        let found = again.find("secreto", DAY_MS).and_then(|id| again.get(id)).unwrap();
        assert_eq!((found.name.as_str(), found.state), ("Ana", Presence::BeforeRestart));
        let next = again.add("otro", "Luis", ONE, DAY_MS);
        assert_eq!(again.get(next).unwrap().sid, 8);
    }

    fn known(id: u64) -> Known {
        Known { id, unix_ms: 0, hash: 1, fate: Fate::Kept }
    }

    fn say(sessions: &mut Sessions, id: SessionId, labels: std::ops::Range<u64>) {
        labels.for_each(|label| sessions.set_label(id, &label.to_string(), known(label)));
    }

    #[test]
    fn with_a_history_labels_leave_the_memory_and_who_speaks_keeps_its_own() {
        let mut sessions = Sessions { is_kept: true, ..Sessions::new(10) };
        let [one, other] = ["a", "b"].map(|token| sessions.add(token, "Ana", ONE, 0));
        say(&mut sessions, one, 0..8);
        say(&mut sessions, other, 0..12);
        assert_eq!(sessions.label(other, "0").map(|known| known.id), Some(0));
        // A new label is known to be one; a repeat has to be asked about.
        assert!(sessions.knows_labels(one) && sessions.label(one, "0").is_none());
        assert!((0..8).all(|label| sessions.is_unsure_of(one, &label.to_string())));
        assert!(!sessions.is_unsure_of(one, "8") && !sessions.is_unsure_of(other, "0"));
        sessions.set_label(one, "8", known(8));
        let told: Vec<String> = (0..8).map(|label| label.to_string()).collect();
        sessions.set_labels(one, told.iter().zip(0..).map(|(label, id)| (label.as_str(), known(id))));
        for label in 0..9 {
            let found = sessions.label(one, &label.to_string()).map(|known| known.id);
            assert_eq!((found, sessions.is_unsure_of(one, &label.to_string())), (Some(label), false));
        }
    }

    #[test]
    fn first_the_labels_of_those_go_who_are_away_and_then_of_those_who_were_silent_for_longest() {
        let mut sessions = Sessions { is_kept: true, ..Sessions::new(80) };
        let ids: Vec<SessionId> =
            (0..5).map(|number| sessions.add(&number.to_string(), "Ana", ONE, 0)).collect();
        ids.iter().for_each(|id| say(&mut sessions, *id, 0..16));
        // The busiest of all, and the one that came last.
        say(&mut sessions, ids[0], 0..16);
        sessions.end(ids[4], 0);
        let faded = |sessions: &Sessions| -> Vec<bool> {
            ids.iter().map(|id| sessions.is_unsure_of(*id, "0")).collect()
        };
        assert_eq!(faded(&sessions), [false; 5]);
        say(&mut sessions, ids[3], 16..17);
        assert_eq!(faded(&sessions), [false, false, false, false, true]);
        say(&mut sessions, ids[3], 17..40);
        assert_eq!(faded(&sessions), [false, true, false, false, true]);
    }

    #[test]
    fn what_is_remembered_of_labels_is_bounded_and_no_repeat_is_taken_for_a_new_line() {
        let mut sessions = Sessions { is_kept: true, ..Sessions::new(100) };
        let ids: Vec<SessionId> =
            (0..40).map(|number| sessions.add(&number.to_string(), "Ana", ONE, 0)).collect();
        for label in 0..60 {
            for id in &ids {
                if sessions.knows_labels(*id) {
                    say(&mut sessions, *id, label..label + 1);
                } else {
                    let told: Vec<String> = (0..label).map(|label| label.to_string()).collect();
                    let told = told.iter().zip(0..).map(|(label, id)| (label.as_str(), known(id)));
                    sessions.set_labels(*id, told);
                    say(&mut sessions, *id, label..label + 1);
                }
                assert!(sessions.label_count <= 100 && sessions.mark_count <= 800);
                let first = (sessions.label(*id, "0").is_some(), sessions.is_unsure_of(*id, "0"));
                assert!(first.0 || first.1, "{label}");
            }
        }
        let counted = |count: fn(&Labels) -> usize| -> usize {
            let labels = sessions.slots.iter().filter_map(|slot| slot.session.as_ref()?.labels.as_ref());
            labels.map(count).sum()
        };
        assert_eq!(
            (counted(Labels::len), counted(Labels::mark_count)),
            (sessions.label_count, sessions.mark_count)
        );
        ids.into_iter().for_each(|id| drop(sessions.remove(id)));
        assert_eq!((sessions.label_count, sessions.mark_count), (0, 0));
    }
}
