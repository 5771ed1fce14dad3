//! Who may come in, enter a room, speak for others; and which lines of those are taken who may not do everything.

use tertulia_wire::account::{AccountCommand, ActKind, NAMES};
use tertulia_wire::extended::Labeled;
use tertulia_wire::limits::ROOM_BYTES_MAX;
use tertulia_wire::message::Message;
use tertulia_wire::tags::escape;
use tertulia_wire::text::cut;

use super::super::commands::echoed;
use super::super::names::Refused;
use super::super::rooms::{DEFAULT_ROOM, NOWHERE};
use super::super::sessions::SessionId;
use super::super::{Chat, ClientId, Cut, Origin, RoomId};
use super::attempts::Subject;
use crate::account::{Role, RoomAccess, SanctionKind, Target};
use crate::cidr::Cidr;
use crate::moment::Moment;
use crate::phrases::Phrase;

/// Commands, by their English and Spanish names, of those who have not logged in and have to.
const BEFORE_LOGIN: [&str; 11] =
    ["hello", "login", "entrar", "help", "ayuda", "ping", "pong", "quit", "salir", "register", "registrar"];

/// Commands with which something is said, be it by a name.
const SPEAKING: [&str; 6] = ["msg", "privado", "nick", "nombre", "register", "registrar"];

/// The same of who has no account: it would be there under another name.
const SPEAKING_AS_GUEST: [&str; 1] = ["hello"];

/// Code, further words and sentence of a refusal to greet.
type HelloRefusal = (&'static str, String, Phrase);

impl Chat {
    /// Where a connection that has just come begins; [`NOWHERE`]: it hears nothing yet.
    pub(in crate::chat) fn first_room(&mut self, client: ClientId) -> RoomId {
        let origin = self.client(client).map(|state| state.origin).unwrap_or_default();
        // The ban may be newer than what the shell was told: a handshake takes its time.
        let is_unwelcome = self.is_banned(&origin);
        let is_registered_only = self.accounts.rules.is_registered_only;
        let is_restrained = is_unwelcome || is_registered_only || self.is_muted(client);
        if let Some(state) = self.client_mut(client).filter(|_| is_restrained) {
            (state.standing.is_unwelcome, state.standing.is_restrained) = (is_unwelcome, true);
        }
        if is_unwelcome {
            self.accounts.unwelcome.push((client, Cut::Banned));
        }
        if is_unwelcome || is_registered_only { NOWHERE } else { DEFAULT_ROOM }
    }

    /// Whether nobody may come in from there. Who is on this machine always may: whoever runs the relay must be able to.
    pub fn is_banned(&self, origin: &Origin) -> bool {
        let Some(address) = origin.address.filter(|_| !origin.is_here) else { return false };
        let unix_ms = self.ids.unix_ms();
        let bans = self.accounts.sanctions.values().filter(|sanction| sanction.kind == SanctionKind::Ban);
        let is_of_it = |target: Target| matches!(target, Target::Block(block) if block.contains(address));
        bans.into_iter().any(|ban| super::is_in_force(ban, unix_ms) && is_of_it(ban.target))
    }

    /// Those who may not be here are told, and go; so do those from rooms who may not be there.
    pub(in crate::chat) fn cut_unwelcome(&mut self, now: Moment) {
        for (client, cut) in std::mem::take(&mut self.accounts.unwelcome) {
            self.cut(client, cut, now);
        }
        for number in std::mem::take(&mut self.accounts.revoked) {
            self.revoke(number, None, now);
            if let Some(name) = self.accounts.row(number).map(|row| row.name.clone()) {
                self.evict_guests(&name, number, now);
            }
        }
        if std::mem::take(&mut self.accounts.is_role_changed) {
            let closed: Vec<Box<str>> = self.accounts.rooms.keys().cloned().collect();
            closed.iter().for_each(|room| self.empty_room(room, now));
        }
    }

    /// Whether a connection stands in the lists that another asks for. Operators see who is hidden.
    pub(in crate::chat) fn is_listed_for(&self, member: ClientId, asker: ClientId) -> bool {
        !self.is_hidden(member) || member == asker || self.role_of(asker) == Some(Role::Operator)
    }

    /// Whether each line of the connection is to be looked at by [`Chat::restrain`].
    pub(in crate::chat) fn is_restrained(&self, client: ClientId) -> bool {
        self.client(client).is_some_and(|state| state.standing.is_restrained)
    }

    /// Refuses what the connection may not say or do. False: it may.
    pub(in crate::chat) fn restrain(&mut self, client: ClientId, line: &str, now: Moment) -> bool {
        let Some(state) = self.client_mut(client) else { return true };
        if state.standing.is_unwelcome {
            return true;
        }
        let is_muted = self.is_muted(client);
        let is_let_in = self.is_let_in(client);
        if is_let_in && !is_muted {
            if let Some(state) = self.client_mut(client) {
                state.standing.is_restrained = false;
            }
            self.come_into_sight(client, now);
            return false;
        }
        let message = Message::parse(line);
        let command = match &message {
            Message::Command(rest) => rest.split(' ').next(),
            _ => None,
        };
        let is_one_of = |names: &[&str]| {
            command.is_some_and(|word| names.iter().any(|name| name.eq_ignore_ascii_case(word)))
        };
        if !is_let_in {
            if is_one_of(&BEFORE_LOGIN) {
                return false;
            }
            let what = command.map_or("SAY".into(), |word| {
                echoed(&cut(word, ROOM_BYTES_MAX).to_ascii_uppercase()).unwrap_or("COMMAND".into())
            });
            self.answer(client, &format!("FAIL {what} LOGIN_NEEDED"), Some(Phrase::LoginNeeded));
            return true;
        }
        let is_goodbye = matches!(message, Message::Leave(_));
        let is_known_guest = self.account_of(client).is_none() && self.is_muted_itself(client);
        let is_speaking = is_one_of(&SPEAKING) || (is_known_guest && is_one_of(&SPEAKING_AS_GUEST));
        let is_silent = command.is_some() && !is_speaking;
        if is_silent || (is_goodbye && self.is_own_goodbye(client, line)) {
            return false;
        }
        let label = Labeled::parse(line).ok().filter(|_| self.is_extended(client));
        let label = label.map_or_else(String::new, |labeled| format!(" label={}", labeled.label));
        self.answer(client, &format!("FAIL SAY MUTED{label}"), Some(Phrase::Muted));
        true
    }

    fn is_own_goodbye(&self, client: ClientId, line: &str) -> bool {
        let words = tertulia_wire::name::LEAVE_WORDS;
        self.own_names(client).iter().any(|own| line.strip_prefix(own.as_str()) == Some(words))
    }

    fn is_let_in(&self, client: ClientId) -> bool {
        !self.accounts.rules.is_registered_only || self.account_of(client).is_some()
    }

    /// Whether the connection may say a line as `NAME - WHO`.
    pub(in crate::chat) fn speaks_for_others(&self, client: ClientId) -> bool {
        !self.accounts.rules.is_registered_only || self.role_of(client) == Some(Role::Bridge)
    }

    /// Whether the connection may use a name with this behind ` - `.
    pub(in crate::chat) fn check_tail(&self, client: ClientId, tail: &str) -> Result<(), Refused> {
        if tail.is_empty() || self.speaks_for_others(client) { Ok(()) } else { Err(Refused::NotBridge) }
    }

    /// Whether the connection may enter, or read, the room of this name.
    pub(in crate::chat) fn may_enter(&self, client: ClientId, room: &str) -> bool {
        let Some(row) = self.accounts.rooms.get(room) else { return true };
        let Some(account) = self.row_of(client) else { return row.access == RoomAccess::Open };
        match row.access {
            RoomAccess::Open | RoomAccess::Registered => true,
            RoomAccess::Members => row.members.contains(&account.number) || account.role == Role::Operator,
        }
    }

    /// The same of an id; and the connection is told where it may not.
    pub(in crate::chat) fn admits(&mut self, client: ClientId, command: &str, room: &str) -> bool {
        let room = room.to_lowercase();
        let may_enter = self.may_enter(client, &room);
        if !may_enter {
            let words = format!("FAIL {command} NOT_ALLOWED {}", escape(&room));
            self.answer(client, &words, Some(Phrase::RoomClosed));
        }
        may_enter
    }

    /// Lets the connection hold a name: who has logged in has one, and no other.
    pub(in crate::chat) fn claim_name(&mut self, client: ClientId, base: &str) -> Result<(), Refused> {
        if self.account_name(client).is_some_and(|own| own != base) {
            return Err(Refused::NotYours);
        }
        self.names.claim(base, client, self.account_of(client))
    }

    /// Whether the connection may be greeted with a new session.
    pub(in crate::chat) fn check_newcomer(&mut self, client: ClientId) -> Result<(), HelloRefusal> {
        if self.is_let_in(client) {
            return Ok(());
        }
        self.note_wants_hello(client);
        Err(("LOGIN_NEEDED", String::new(), Phrase::LoginNeeded))
    }

    /// Whether a new session may begin in that room.
    pub(in crate::chat) fn check_first_room(&self, client: ClientId, room: &str) -> Result<(), HelloRefusal> {
        if self.may_enter(client, room) {
            return Ok(());
        }
        Err(("NOT_ALLOWED", escape(room).into_owned(), Phrase::RoomClosed))
    }

    /// Extended mode was refused, and will be asked for again.
    pub(in crate::chat) fn note_wants_hello(&mut self, client: ClientId) {
        if let Some(state) = self.client_mut(client) {
            state.standing.wants_hello = true;
        }
    }

    /// Whether extended mode may be asked for: a connection that has only logged in for it has a name already.
    pub(in crate::chat) fn has_logged_in_for_hello(&self, client: ClientId) -> bool {
        self.client(client).is_some_and(|state| {
            let is_silent = state.named.as_ref().is_none_or(|named| !named.is_announced);
            state.standing.account.is_some() && state.standing.wants_hello && is_silent
        })
    }

    /// The session of a token, as far as this connection may take it up. None: it is as if the token were not known.
    pub(in crate::chat) fn check_resume(
        &mut self,
        client: ClientId,
        session: SessionId,
        now: Moment,
    ) -> Result<Option<SessionId>, HelloRefusal> {
        let Some(state) = self.sessions.get(session) else { return Ok(None) };
        let (account, name, token_epoch) = (state.account, state.name.clone(), state.token_epoch);
        if let Some(own) = self.account_of(client) {
            if account != Some(own) {
                return Ok(None);
            }
            self.log_session_in(session, account);
            return Ok(Some(session));
        }
        let Some(number) = account else {
            self.check_newcomer(client)?;
            if self.find_account(&name).is_some() {
                self.note_wants_hello(client);
                return Err(("NAME_REGISTERED", escape(&name).into_owned(), Phrase::NameRegistered));
            }
            return Ok(Some(session));
        };
        if self.accounts.row(number).is_none_or(|row| row.token_epoch != token_epoch) {
            self.drop_session(session, now);
            return Ok(None);
        }
        if self.is_kept_out(client, number) {
            return Err(("BANNED", String::new(), Phrase::Banned));
        }
        if !self.takes_passwords(client) {
            return Err(("NOT_PRIVATE", String::new(), Phrase::NotPrivate));
        }
        Ok(Some(session))
    }

    /// Whether a password, or what is worth as much, may be taken of the connection.
    pub(super) fn takes_passwords(&self, client: ClientId) -> bool {
        let is_private = self.client(client).is_some_and(|state| state.origin.is_private);
        is_private || self.accounts.rules.takes_plaintext
    }

    /// Whether the account is banned, from where the connection comes. An operator on this machine never is.
    pub(super) fn is_kept_out(&self, client: ClientId, number: u64) -> bool {
        let ban = self.accounts.sanction(SanctionKind::Ban, Target::Account(number), self.ids.unix_ms());
        ban.is_some() && !self.is_protected(client, number)
    }

    pub(super) fn is_protected(&self, client: ClientId, number: u64) -> bool {
        let is_operator = self.accounts.row(number).is_some_and(|row| row.role == Role::Operator);
        is_operator && self.client(client).is_some_and(|state| state.origin.is_here)
    }

    /// Among whose tries those of the connection count, because of where it comes from. None: it is trusted.
    pub(super) fn counted_origin(&self, client: ClientId) -> Option<Subject> {
        let origin = self.client(client).map(|state| state.origin).filter(|origin| !origin.is_trusted)?;
        Some(origin.address.map_or(Subject::Nowhere, |address| Subject::Address(Cidr::around(address))))
    }

    /// What `/help` says of the commands that the connection may use.
    pub(in crate::chat) fn help_accounts(&self, client: ClientId, answer: &mut String) {
        let is_operator = self.role_of(client) == Some(Role::Operator);
        let known =
            NAMES.iter().filter(|(_, _, _, kind)| self.accounts.is_kept && (kind.is_none() || is_operator));
        let line = |(english, spanish, words, kind): &(&str, &str, &str, Option<ActKind>)| {
            let phrase = match *english {
                "register" => Phrase::HelpRegister,
                "login" => Phrase::HelpLogin,
                "passwd" => Phrase::HelpPasswd,
                "read" => Phrase::HelpRead,
                _ => Phrase::HelpAct,
            };
            let also = if spanish == english { String::new() } else { format!(" /{spanish}") };
            debug_assert_eq!(kind.is_some(), phrase == Phrase::HelpAct);
            let line = format!("/{english} {words}");
            format!("* HELP {}{also} :{}\n", line.trim_end(), phrase.in_language(self.settings.language))
        };
        answer.extend(known.map(line));
    }

    /// A command that only a relay with accounts knows. False: it is none.
    pub(in crate::chat) fn do_account_command(&mut self, client: ClientId, line: &str, now: Moment) -> bool {
        let word = line.split(' ').next().unwrap_or_default();
        let is_known = |(english, spanish, _, _): &(&str, &str, _, _)| {
            word.eq_ignore_ascii_case(english) || word.eq_ignore_ascii_case(spanish)
        };
        let Some((english, ..)) = NAMES.iter().find(|names| is_known(names)) else { return false };
        if !self.accounts.is_kept {
            let words = format!("FAIL {} NO_ACCOUNTS", english.to_uppercase());
            self.answer(client, &words, Some(Phrase::NoAccounts));
            return true;
        }
        match AccountCommand::parse(line) {
            Ok(AccountCommand::Register { name, password }) => {
                self.register_name(client, &name, *password, now);
            }
            Ok(AccountCommand::Login { name, password }) => self.log_in(client, &name, *password, now),
            Ok(AccountCommand::Passwd { password }) => self.change_password(client, *password, now),
            Ok(AccountCommand::Read { room, id }) => self.mark_read(client, room.as_deref(), id),
            Ok(AccountCommand::Act(act)) => self.act(client, &act, now),
            Err(error) => self.refuse_command(client, error),
        }
        true
    }
}
