//! One account, several devices: one name, seen to come with the first and to go with the last; and what was read.

use tertulia_wire::name::check_room;
use tertulia_wire::tags::escape;

use super::super::rooms::{DEFAULT_ROOM, NOWHERE};
use super::super::sessions::{Presence, SessionId};
use super::super::tagged::TagValues;
use super::super::{Chat, ClientId, RoomId};
use crate::account::{Change, ReadMarker, Role};
use crate::phrases::Phrase;

/// Rooms of which an account's marker is kept; beyond it the one that was read longest ago goes.
const MARKERS_MAX: usize = 256;

/// How often it is kept that somebody has come in as an account.
const SEEN_EVERY_MS: u64 = 24 * 60 * 60 * 1000;

impl Chat {
    /// The connection is one of the account's devices.
    pub(in crate::chat) fn enter_as(&mut self, client: ClientId, number: u64) {
        if let Some(account) = self.accounts.by_number.get_mut(&number) {
            if !account.devices.contains(&client) {
                account.devices.push(client);
            }
        }
        if let Some(state) = self.client_mut(client) {
            state.standing.account = Some(number);
        }
        self.note_seen(number);
        self.settle_standing(client);
    }

    /// The session's token stands for the account from now on, for as long as its password does.
    pub(in crate::chat) fn log_session_in(&mut self, session: SessionId, account: Option<u64>) {
        let row = account.and_then(|number| self.accounts.row(number));
        let token_epoch = row.map_or(0, |row| row.token_epoch);
        if let Some(session) = self.sessions.get_mut(session) {
            (session.account, session.token_epoch) = (account, token_epoch);
        }
    }

    /// Somebody has come in as the account. That is kept once in a day: it is for operators, and not worth a write for each.
    fn note_seen(&mut self, number: u64) {
        let unix_ms = self.ids.unix_ms();
        let Some(account) = self.accounts.by_number.get_mut(&number) else { return };
        if account.row.seen_unix_ms.is_none_or(|seen| unix_ms.abs_diff(seen) >= SEEN_EVERY_MS) {
            account.row.seen_unix_ms = Some(unix_ms);
            self.accounts.changes.push(Change::Seen(number, unix_ms));
        }
    }

    /// What follows from an account that has changed.
    pub(super) fn settle_account(&mut self, number: u64) {
        let devices = self.accounts.by_number.get(&number).map(|account| account.devices.clone());
        devices.unwrap_or_default().into_iter().for_each(|client| self.settle_standing(client));
    }

    /// The same where its role may be another one: rooms that operators alone may enter without being named.
    pub(super) fn settle_role(&mut self, number: u64) {
        self.settle_account(number);
        self.accounts.is_role_changed = true;
    }

    /// The account may do other things than before: its devices are told, whatever they are doing. One that is still to be
    /// greeted, or to hear that it has logged in, hears it behind that.
    pub(super) fn tell_role(&mut self, number: u64) {
        let devices = self.accounts.by_number.get(&number).map(|account| account.devices.clone());
        for device in devices.unwrap_or_default() {
            if !self.is_greeting(device) && !self.is_owed_a_role(device) {
                self.tell_role_to(device);
            }
        }
    }

    pub(super) fn tell_role_to(&mut self, client: ClientId) {
        let Some(role) = self.role_of(client) else { return };
        let phrase = match role {
            Role::User => Phrase::NowUser,
            Role::Bridge => Phrase::NowBridge,
            Role::Operator => Phrase::NowOperator,
        };
        // No answer to anything: it repeats no label.
        let line = format!("* ROLE role={} :{}\n", role.word(), phrase.in_language(self.settings.language));
        let is_open = self.client(client).is_some_and(|state| !state.is_closing);
        if is_open && self.outbox(client).is_some_and(|outbox| outbox.has_place()) {
            self.insert(client, &line);
        }
    }

    /// What follows from the account's role; from its mutes, that the connection is looked at.
    fn settle_standing(&mut self, client: ClientId) {
        let is_bridge = self.role_of(client) == Some(Role::Bridge);
        if let Some(state) = self.client_mut(client) {
            state.standing.is_restrained = true;
            let was_bridge = state.standing.is_freed;
            if is_bridge != was_bridge && (was_bridge || !state.origin.is_trusted) {
                (state.standing.is_freed, state.origin.is_trusted) = (is_bridge, is_bridge);
            }
        }
        let is_for_itself = !self.speaks_for_others(client);
        if let Some(named) = self.client_mut(client).and_then(|state| state.named.as_mut()) {
            if is_for_itself {
                named.drop_tail();
            }
        }
    }

    /// Who has only now logged in hears what is said from here on.
    pub(super) fn leave_nowhere(&mut self, client: ClientId) {
        if self.room_of(client) == Some(NOWHERE) && !self.is_extended(client) {
            self.move_to(client, DEFAULT_ROOM);
        }
    }

    /// The connection is no device any more.
    pub(in crate::chat) fn forget_device(&mut self, client: ClientId) {
        self.forget_verdicts(client);
        let Some(number) = self.account_of(client) else { return };
        if let Some(account) = self.accounts.by_number.get_mut(&number) {
            account.devices.retain(|device| *device != client);
        }
    }

    /// Whether somebody sees the account in that room because of another of its devices, be it one that may come back.
    pub(in crate::chat) fn is_elsewhere(&self, client: ClientId, room: RoomId) -> bool {
        self.account_of(client).is_some_and(|number| self.has_device(number, room, Some(client)))
    }

    /// The same of a session whose connection is gone.
    pub(in crate::chat) fn is_session_elsewhere(&self, session: SessionId, room: RoomId) -> bool {
        let account = self.sessions.get(session).and_then(|session| session.account);
        account.is_some_and(|number| {
            let is_other = |away: &SessionId| *away != session && self.is_away_as(*away, number);
            self.has_seen_device(number, room, None)
                || self.rooms.get(room).is_some_and(|room| room.away.iter().any(is_other))
        })
    }

    fn has_device(&self, number: u64, room: RoomId, except: Option<ClientId>) -> bool {
        let is_away = |session: &SessionId| self.is_away_as(*session, number);
        self.has_seen_device(number, room, except)
            || self.rooms.get(room).is_some_and(|room| room.away.iter().any(is_away))
    }

    fn is_away_as(&self, session: SessionId, number: u64) -> bool {
        let state = self.sessions.get(session).filter(|session| session.account == Some(number));
        state.is_some_and(|session| !matches!(session.state, Presence::Online(_)))
    }

    fn has_seen_device(&self, number: u64, room: RoomId, except: Option<ClientId>) -> bool {
        let devices = self.accounts.by_number.get(&number).map_or(&[][..], |account| &account.devices);
        let mut others = devices.iter().filter(|device| Some(**device) != except);
        others.any(|device| {
            let is_seen = |state: &super::super::client::Client| {
                !state.is_closing && state.named.as_ref().is_some_and(|named| named.is_announced)
            };
            self.client(*device).is_some_and(is_seen) && self.rooms_of(*device).contains(&room)
        })
    }

    /// Whether the connection's name stands in a list of the room's because of another device already.
    pub(in crate::chat) fn is_listed_before(&self, client: ClientId, room: RoomId) -> bool {
        let account = self.account_of(client).and_then(|number| self.accounts.by_number.get(&number));
        let devices = account.map_or(&[][..], |account| &account.devices);
        let mut before = devices.iter().take_while(|device| **device != client);
        before.any(|device| {
            self.client(*device).is_some_and(|state| state.named.is_some())
                && self.rooms_of(*device).contains(&room)
        })
    }

    /// The same of a session whose connection is gone.
    pub(in crate::chat) fn is_session_listed_before(&self, session: SessionId, room: RoomId) -> bool {
        let Some(number) = self.sessions.get(session).and_then(|session| session.account) else {
            return false;
        };
        let away = self.rooms.get(room).map_or(&[][..], |room| &room.away);
        let mut before = away.iter().take_while(|other| **other != session);
        self.has_seen_device(number, room, None) || before.any(|other| self.is_away_as(*other, number))
    }

    /// A private line that was handed over is told to the sender's other devices that hear tags, which say whom it was for.
    pub(in crate::chat) fn tell_own_devices(
        &mut self,
        client: ClientId,
        receivers: &[ClientId],
        shown: &str,
        text: &str,
        values: TagValues<'_>,
    ) {
        let account = self.account_of(client).and_then(|number| self.accounts.by_number.get(&number));
        let devices = account.map_or(Vec::new(), |account| account.devices.clone());
        let is_other = |device: &ClientId| {
            *device != client
                && !receivers.contains(device)
                && self.is_extended(*device)
                && self.has_place(*device)
                && !self.is_greeting(*device)
        };
        let others: Vec<ClientId> = devices.into_iter().filter(is_other).collect();
        let mut line = String::new();
        TagValues { unix_ms: self.ids.unix_ms(), ..values }.write(&mut line);
        line.push_str(&format!("{shown}: {text}\n"));
        others.into_iter().for_each(|device| self.insert(device, &line));
    }

    /// `/read`: a marker only grows, and the account's devices are told.
    pub(super) fn mark_read(&mut self, client: ClientId, room: Option<&str>, id: u64) {
        let Some(number) = self.account_of(client) else {
            return self.answer(client, "FAIL READ LOGIN_NEEDED", Some(Phrase::LoginNeeded));
        };
        let room = match room.filter(|room| !room.is_empty()) {
            Some(room) => room.to_lowercase(),
            None => self.room_of(client).map_or_else(String::new, |room| self.room_name(room)),
        };
        if check_room(&room).is_err() {
            return self.answer(client, "FAIL READ ROOM_INVALID", Some(Phrase::RoomInvalid));
        }
        if !self.admits(client, "READ", &room) {
            return;
        }
        // What was not said yet was not read.
        let id = id.min(self.ids.last());
        let Some(account) = self.accounts.by_number.get_mut(&number) else { return };
        let marker = account.markers.get(room.as_str()).copied().unwrap_or_default();
        if id > marker {
            if account.markers.len() >= MARKERS_MAX && marker == 0 {
                let oldest = account.markers.iter().min_by_key(|(_, id)| **id).map(|(room, _)| room.clone());
                if let Some(room) = oldest {
                    account.markers.remove(&room);
                    self.accounts.changes.push(Change::ReadGone(number, room.into()));
                }
            }
            account.markers.insert(room.as_str().into(), id);
        }
        let devices = account.devices.clone();
        let words = format!("READ room={} id={}", escape(&room), id.max(marker));
        if id > marker {
            self.accounts.changes.push(Change::Read(ReadMarker { account: number, room, id }));
            for device in devices {
                if device != client && self.is_extended(device) {
                    self.answer(device, &words, None);
                }
            }
        }
        self.answer(client, &words, None);
    }

    /// What was read, for a device that has just come.
    pub(in crate::chat) fn tell_markers(&mut self, client: ClientId) {
        let account = self.account_of(client).and_then(|number| self.accounts.by_number.get(&number));
        let Some(account) = account else { return };
        let allowed = account.markers.iter().filter(|(room, _)| self.may_enter(client, room));
        let lines: String =
            allowed.map(|(room, id)| format!("* READ room={} id={id}\n", escape(room))).collect();
        if !lines.is_empty() {
            self.answer_lines(client, lines);
        }
    }

    /// What stands in HELLO of an account.
    pub(in crate::chat) fn hello_words(&self, client: ClientId) -> String {
        self.role_of(client).map_or_else(String::new, |role| format!(" role={}", role.word()))
    }
}
