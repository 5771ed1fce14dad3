//! What is answered only once it is kept: acknowledgements, and tokens. The shell says what was kept, by the number of the
//! work.

use tertulia_wire::limits::LABELS_KEPT;
use tertulia_wire::time::rfc3339;

use super::sessions::{Fate, Known, Presence, SessionId};
use super::{Chat, ClientId};
use crate::batch::Durability;
use crate::moment::Moment;
use crate::phrases::Phrase;
use crate::sabotage::{self, Bug};

/// An answer that waits.
#[derive(Debug)]
pub(super) enum Promise {
    /// Of a line.
    Ack(Ack),
    /// HELLO, with a new token.
    Hello(ClientId, SessionId),
    /// Ids, and numbers of sessions, may go up to here.
    Ceilings(Option<u64>, Option<u64>),
    /// Of what was done with an account, or by an operator; the answer has this ticket.
    #[cfg(feature = "history")]
    Account(u64),
}

/// A labeled line that was said.
#[derive(Debug)]
pub(super) struct Ack {
    pub(super) session: SessionId,
    pub(super) label: Box<str>,
    pub(super) known: Known,
}

impl Chat {
    /// Answers as soon as what was said and changed up to now is kept.
    pub(super) fn promise(&mut self, promise: Promise, now: Moment) {
        if let Some((promise, is_kept)) = self.put_off(promise) {
            self.fulfil(promise, is_kept, now);
        }
    }

    /// The same, but where nobody waits for that it is given back, with whether that counts as kept.
    pub(super) fn put_off(&mut self, promise: Promise) -> Option<(Promise, bool)> {
        let waits = |keeping: &super::history::Keeping| {
            let is_in_vain = keeping.is_in_trouble && self.may_do_without(&promise);
            keeping.durability != Durability::None && !is_in_vain && !sabotage::has(Bug::AckTooEarly)
        };
        let Some(keeping) = self.keeping.as_ref() else { return Some((promise, true)) };
        if !waits(keeping) {
            let is_kept = !keeping.is_in_trouble || keeping.durability == Durability::None;
            return Some((promise, is_kept));
        }
        let number = keeping.number;
        self.promises.push_back((number, promise));
        None
    }

    pub(super) fn promise_ceilings(&mut self, number: u64, id: Option<u64>, sid: Option<u64>) {
        if id.is_some() || sid.is_some() {
            self.promises.push_back((number, Promise::Ceilings(id, sid)));
        }
    }

    /// A newcomer does not wait for a disk that is full: its token may be forgotten if the relay dies, but its number is
    /// never another's. Nor does whoever can be told that it is not kept.
    fn may_do_without(&self, promise: &Promise) -> bool {
        match promise {
            Promise::Hello(_, session) => self.sessions.has_number_set_apart(*session),
            #[cfg(feature = "history")]
            Promise::Account(ticket) => self.has_other_answer(*ticket),
            _ => false,
        }
    }

    /// All work up to this number is kept, or was reported as lost.
    pub fn handle_kept(&mut self, number: u64, now: Moment) {
        self.note_kept(number);
        while self.promises.front().is_some_and(|(waits_for, _)| *waits_for <= number) {
            if let Some((_, promise)) = self.promises.pop_front() {
                self.fulfil(promise, true, now);
            }
        }
    }

    /// The work with this number will never be kept.
    pub fn handle_lost(&mut self, number: u64, now: Moment) {
        self.note_lost(number);
        let first = self.promises.partition_point(|(waits_for, _)| *waits_for < number);
        let behind = self.promises.partition_point(|(waits_for, _)| *waits_for <= number);
        let lost: Vec<Promise> = self.promises.drain(first..behind).map(|(_, promise)| promise).collect();
        for promise in lost {
            match promise {
                #[cfg(feature = "history")]
                Promise::Account(_) => self.promise(promise, now),
                // Only lines are lost: the session is kept with what comes next.
                Promise::Hello(_, session) => {
                    self.sessions.note_change(session);
                    self.promise(promise, now);
                }
                promise => self.fulfil(promise, sabotage::has(Bug::LostAcknowledged), now),
            }
        }
    }

    /// The history is in trouble: who can do without is answered all the same.
    pub(super) fn answer_without_keeping(&mut self, now: Moment) {
        let mut others = std::mem::take(&mut self.promises);
        for (number, promise) in others.drain(..) {
            if self.may_do_without(&promise) {
                self.fulfil(promise, false, now);
            } else {
                self.promises.push_back((number, promise));
            }
        }
    }

    fn fulfil(&mut self, promise: Promise, is_kept: bool, now: Moment) {
        match promise {
            Promise::Ack(ack) => {
                let fate = if is_kept { Fate::Kept } else { Fate::NotKept };
                let known = Known { fate, ..ack.known };
                self.sessions.set_label(ack.session, &ack.label, known);
                self.count_answered(ack.session);
                if !sabotage::has(Bug::AckLost) {
                    self.tell_fate(ack.session, &ack.label, known);
                }
            }
            Promise::Hello(client, session) => {
                if self.is_held_by(session, client) {
                    self.greet_new(client, session, now);
                }
            }
            Promise::Ceilings(id, sid) if is_kept => {
                id.into_iter().for_each(|id| self.ids.ceiling_was_kept(id));
                sid.into_iter().for_each(|sid| self.sessions.ceiling_was_kept(sid));
            }
            Promise::Ceilings(..) => {}
            #[cfg(feature = "history")]
            Promise::Account(ticket) => self.pay(ticket, is_kept),
        }
    }

    /// One line less is unanswered; who had too many of them may go on.
    fn count_answered(&mut self, session: SessionId) {
        let Some(session) = self.sessions.get_mut(session) else { return };
        let was_full = session.unanswered >= LABELS_KEPT;
        session.unanswered = session.unanswered.saturating_sub(1);
        let is_free = session.unanswered == 0;
        if let Presence::Online(client) = session.state {
            if was_full || is_free {
                self.resumed.push_back(client);
            }
        }
    }

    /// Answers a labeled line, to whoever holds its session now.
    pub(super) fn tell_fate(&mut self, session: SessionId, label: &str, known: Known) {
        let Some(Presence::Online(client)) = self.sessions.get(session).map(|session| session.state) else {
            return;
        };
        let id = known.id;
        match known.fate {
            Fate::Open => {}
            Fate::Kept => {
                let time = rfc3339(known.unix_ms);
                self.answer(client, &format!("ACK label={label} id={id} time={time}"), None);
            }
            Fate::NotKept => {
                let words = format!("NOTE SAY NOT_KEPT label={label} id={id}");
                self.answer(client, &words, Some(Phrase::NotKept));
            }
        }
    }
}
