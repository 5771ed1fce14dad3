//! Bans and mutes: whom they are for, and what they do at once.

use super::super::{Chat, ClientId, Cut};
use crate::account::{Change, Sanction, SanctionKind, Target};
use crate::cidr::Cidr;
use crate::moment::Moment;

/// Bans and mutes there may be, those that have lapsed not counted; beyond it no new one.
pub(super) const SANCTIONS_MAX: usize = 10_000;

impl Chat {
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
}
