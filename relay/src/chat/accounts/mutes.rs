//! Who may say nothing: an account, a connection with its session, and all without an account who come from an address.

use std::collections::BTreeSet;

use super::super::sessions::SessionId;
use super::super::{Chat, ClientId};
use super::acts::{Meant, Refusal};
use crate::account::{SanctionKind, Target};
use crate::cidr::Cidr;
use crate::phrases::Phrase;

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

    /// Where these come from, as far as those are muted who come from there.
    pub(super) fn blocks_of(&self, guests: &[ClientId]) -> BTreeSet<Cidr> {
        guests.iter().filter_map(|guest| self.guests_block(*guest)).collect()
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

    /// Takes a mute back: of a name, wherever it is, or of an address and those who come from there.
    pub(super) fn unmute(&mut self, target: &str) -> Result<(), Refusal> {
        // Of an address as those are muted who come from there.
        let address = target.parse().ok().map(Cidr::around).or_else(|| Cidr::parse(target));
        let is_taken = match address {
            Some(block) => {
                let is_taken = self.take_sanction(SanctionKind::Mute, Target::Block(block)).is_some();
                self.unmute_guests(block) || is_taken
            }
            None => self.unmute_name(target)?,
        };
        if is_taken { Ok(()) } else { Err(("NO_SUCH", Phrase::NoSuchSanction)) }
    }

    fn unmute_name(&mut self, name: &str) -> Result<bool, Refusal> {
        let was_away = self.unmute_away(name);
        match self.meant(name) {
            Ok(Meant::Account(number)) => {
                let was_muted = self.unmute_devices(number) || was_away;
                Ok(self.take_sanction(SanctionKind::Mute, Target::Account(number)).is_some() || was_muted)
            }
            Ok(Meant::Guests(guests)) => {
                for block in self.blocks_of(&guests) {
                    self.take_sanction(SanctionKind::Mute, Target::Block(block));
                }
                guests.into_iter().for_each(|guest| self.mute_itself(guest, 0));
                Ok(true)
            }
            Err(_) if was_away => Ok(true),
            Err(refusal) => Err(refusal),
        }
    }

    /// Lets the devices of an account speak that were muted before they logged in. False: none was.
    fn unmute_devices(&mut self, number: u64) -> bool {
        let devices = self.accounts.by_number.get(&number).map(|account| account.devices.clone());
        let mut devices = devices.unwrap_or_default();
        devices.retain(|device| self.is_muted_itself(*device));
        let mut sessions = self.sessions.of_account(number);
        sessions.retain(|session| self.sessions.get(*session).is_some_and(|state| state.muted_until > 0));
        devices.iter().for_each(|device| self.mute_itself(*device, 0));
        sessions.iter().for_each(|session| self.mute_session(*session, 0));
        !devices.is_empty() || !sessions.is_empty()
    }

    /// Lets those without an account speak who come from there. False: none was muted.
    fn unmute_guests(&mut self, block: Cidr) -> bool {
        let mut guests = self.clients_from(block);
        guests.retain(|guest| self.account_of(*guest).is_none() && self.is_muted_itself(*guest));
        guests.iter().for_each(|guest| self.mute_itself(*guest, 0));
        !guests.is_empty()
    }

    /// The same of sessions of that name that nobody holds. False: there is none that is muted.
    fn unmute_away(&mut self, name: &str) -> bool {
        let away = self.sessions.muted_away(name);
        away.iter().for_each(|session| self.mute_session(*session, 0));
        !away.is_empty()
    }
}
