//! Answers that are given once what they tell of is kept. Until then nothing more is taken from whoever waits for one.

use tertulia_wire::secret::Secret;

use super::super::promises::Promise;
use super::super::{Chat, ClientId};
use crate::account::Role;

/// An answer that waits.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) client: ClientId,
    /// What is said, line endings included; it may hold a token.
    pub(super) answer: Secret<String>,
    /// What is said instead as soon as nothing can be kept for now. None: it waits until something can.
    pub(super) unkept: Option<Secret<String>>,
    /// It is a log-in: what was read is told behind it, and another role where the account has one by then.
    pub(super) role: Option<Role>,
}

impl Chat {
    /// A number that no other answer has.
    pub(super) fn next_ticket(&mut self) -> u64 {
        self.accounts.last_ticket += 1;
        self.accounts.last_ticket
    }

    /// Answers as soon as what was changed up to now is kept. There must be something: for nothing it would wait for ever.
    pub(super) fn owe(&mut self, owed: Owed) {
        let (ticket, client) = (self.next_ticket(), owed.client);
        self.accounts.owed.insert(ticket, owed);
        self.set_awaiting(client, true);
        if let Some((_, is_kept)) = self.put_off(Promise::Account(ticket)) {
            self.pay(ticket, is_kept);
        }
    }

    /// Whether an answer is given as well while nothing can be kept.
    pub(in crate::chat) fn has_other_answer(&self, ticket: u64) -> bool {
        self.accounts.owed.get(&ticket).is_some_and(|owed| owed.unkept.is_some())
    }

    /// Whether the connection is to hear as what it has logged in.
    pub(super) fn is_owed_a_role(&self, client: ClientId) -> bool {
        self.accounts.owed.values().any(|owed| owed.client == client && owed.role.is_some())
    }

    /// What an answer tells of is kept, or cannot be for now: it is given, if whom it is for is still there.
    pub(in crate::chat) fn pay(&mut self, ticket: u64, is_kept: bool) {
        let Some(Owed { client, answer, unkept, role }) = self.accounts.owed.remove(&ticket) else {
            return;
        };
        let answer = unkept.filter(|_| !is_kept).unwrap_or(answer);
        self.insert(client, &answer);
        if role.is_some() {
            self.tell_markers(client);
            if self.role_of(client) != role {
                self.tell_role_to(client);
            }
        }
        self.set_awaiting(client, false);
    }

    /// Until it is answered, nothing more is taken of a connection.
    pub(super) fn set_awaiting(&mut self, client: ClientId, is_awaiting: bool) {
        if let Some(state) = self.client_mut(client) {
            state.awaits_history = is_awaiting;
        }
        if !is_awaiting {
            self.resumed.push_back(client);
        }
    }
}
