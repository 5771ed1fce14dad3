//! Bans and mutes: whom they are for, and what they do at once.

use super::super::sessions::SessionId;
use super::super::{Chat, ClientId, Cut};
use crate::account::{Change, Sanction, SanctionKind, Target};
use crate::cidr::Cidr;
use crate::moment::Moment;

/// Bans and mutes there may be, those that have lapsed not counted; beyond it no new one.
pub(super) const SANCTIONS_MAX: usize = 10_000;

impl Chat {
    /// Whether the connection may say nothing now: an operator wanted that of itself, of its account, or of those from its address
    /// who have none.
    pub(super) fn is_muted(&self, client: ClientId) -> bool {
        let account = self.account_of(client).map(Target::Account);
        let target = account.or_else(|| self.guests_block(client).map(Target::Block));
        let mute = target.and_then(|it| self.accounts.sanction(SanctionKind::Mute, it, self.ids.unix_ms()));
        mute.is_some() || self.is_muted_itself(client)
    }

    /// The same of the connection itself, whatever it logs in to.
    pub(super) fn is_muted_itself(&self, client: ClientId) -> bool {
        self.client(client).is_some_and(|state| state.standing.muted_until > self.ids.unix_ms())
    }

    /// Whether it has no account, and may say nothing: nobody is to see by which name it comes and goes.
    pub(in crate::chat) fn is_muted_guest(&self, client: ClientId) -> bool {
        self.account_of(client).is_none() && self.is_muted(client)
    }

    /// Where those come from who are muted with the connection while they have no account. None: many people may be there.
    pub(super) fn guests_block(&self, client: ClientId) -> Option<Cidr> {
        let origin = self.client(client)?.origin;
        origin.address.filter(|_| !origin.is_here && !origin.is_trusted).map(Cidr::around)
    }

    /// Puts a ban or mute in force. False: there are too many.
    pub(super) fn put_sanction(&mut self, sanction: Sanction) -> bool {
        let unix_ms = self.ids.unix_ms();
        let key = (sanction.kind, sanction.target);
        if self.accounts.sanctions.len() >= SANCTIONS_MAX && !self.accounts.sanctions.contains_key(&key) {
            let lapsed = self.accounts.sanctions.iter().filter(|(_, one)| !super::is_in_force(one, unix_ms));
            let lapsed: Vec<_> = lapsed.map(|(key, _)| *key).collect();
            lapsed.into_iter().for_each(|(kind, target)| drop(self.take_sanction(kind, target)));
            if self.accounts.sanctions.len() >= SANCTIONS_MAX {
                return false;
            }
        }
        self.accounts.changes.push(Change::Sanction(sanction.clone()));
        self.accounts.sanctions.insert(key, sanction);
        true
    }

    /// Takes a ban or mute back. None: there is none.
    pub(super) fn take_sanction(&mut self, kind: SanctionKind, target: Target) -> Option<Sanction> {
        let taken = self.accounts.sanctions.remove(&(kind, target))?;
        self.accounts.changes.push(Change::SanctionGone(kind, target));
        Some(taken)
    }

    /// Cuts whoever is there as the account, and may not.
    pub(super) fn cut_account(&mut self, number: u64, cut: Cut, why: &str, now: Moment) {
        let devices = self.accounts.by_number.get(&number).map(|account| account.devices.clone());
        for client in devices.unwrap_or_default() {
            if cut == Cut::Kicked || self.is_kept_out(client, number) {
                self.cut_for_good(client, cut, why, now);
            }
        }
    }

    /// Cuts whoever comes from there, but for operators on this machine.
    pub(super) fn cut_block(&mut self, block: Cidr, why: &str, now: Moment) {
        for client in self.clients_from(block) {
            self.cut_for_good(client, Cut::Banned, why, now);
        }
    }

    pub(super) fn clients_from(&self, block: Cidr) -> Vec<ClientId> {
        let is_there = |client: &ClientId| {
            let origin = self.client(*client).map(|state| state.origin).filter(|origin| !origin.is_here);
            origin.and_then(|origin| origin.address).is_some_and(|address| block.contains(address))
        };
        let numbers = 0..u32::try_from(self.clients.len()).unwrap_or(u32::MAX);
        numbers.map(ClientId).filter(is_there).collect()
    }

    /// The others see it go at once, and do not wait for it to come back.
    pub(super) fn cut_for_good(&mut self, client: ClientId, cut: Cut, why: &str, now: Moment) {
        self.sign_off(client);
        self.cut_saying(client, cut, why, now);
    }

    /// Mutes a connection and its session, whatever they log in to. 0: not any more.
    pub(super) fn mute_itself(&mut self, client: ClientId, until: u64) {
        if let Some(state) = self.client_mut(client) {
            (state.standing.muted_until, state.standing.is_restrained) = (until, true);
        }
        if let Some(session) = self.session_of(client) {
            self.mute_session(session, until);
        }
    }

    fn mute_session(&mut self, session: SessionId, until: u64) {
        let state = self.sessions.get_mut(session).filter(|state| state.muted_until != until);
        if let Some(state) = state {
            state.muted_until = until;
            self.sessions.note_change(session);
        }
    }

    /// Lets the devices of an account speak that were muted before they logged in. False: none was.
    pub(super) fn unmute_devices(&mut self, number: u64) -> bool {
        let devices = self.accounts.by_number.get(&number).map(|account| account.devices.clone());
        let mut devices = devices.unwrap_or_default();
        devices.retain(|device| self.is_muted_itself(*device));
        let mut sessions = self.sessions.of_account(number);
        sessions.retain(|session| self.sessions.get(*session).is_some_and(|state| state.muted_until > 0));
        devices.iter().for_each(|device| self.mute_itself(*device, 0));
        sessions.iter().for_each(|session| self.mute_session(*session, 0));
        !devices.is_empty() || !sessions.is_empty()
    }

    /// Whoever comes from there is looked at before it says something.
    pub(super) fn restrain_block(&mut self, block: Cidr) {
        for client in self.clients_from(block) {
            if let Some(state) = self.client_mut(client) {
                state.standing.is_restrained = true;
            }
        }
    }

    /// The connection has a session now: what the one may not, the other may not.
    pub(in crate::chat) fn share_mute(&mut self, client: ClientId) {
        let own = self.client(client).map_or(0, |state| state.standing.muted_until);
        let session = self.session_of(client).and_then(|session| self.sessions.get(session));
        let until = own.max(session.map_or(0, |session| session.muted_until));
        if until > 0 {
            self.mute_itself(client, until);
        }
    }
}
