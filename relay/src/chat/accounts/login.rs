//! Log-ins, new accounts, new passwords: what may be tried, and what comes of it once the password was looked at. Until
//! then nothing more is taken from the connection; the others do not wait.

use tertulia_wire::secret::Secret;
use tertulia_wire::tags::escape;

use super::super::history::{Answer, Purpose, Wanted};
use super::super::names::Holder;
use super::super::sessions::{Presence, SessionId};
use super::super::{Chat, ClientId, Cut, Event};
use super::attempts::Subject;
use super::owed::Owed;
use super::permits::{Refusal, refused};
use crate::account::{AccountRow, Change, PasswordTask, Role, Verdict};
use crate::moment::Moment;
use crate::phrases::Phrase;

/// What somebody waits for.
#[derive(Debug, Clone)]
pub(in crate::chat) struct Pending {
    what: What,
    name: String,
    password: Secret<String>,
    /// Number and password of the account that it was compared with.
    kept: Option<(u64, Secret<String>)>,
    label: Option<Box<str>>,
}

/// What came of it, where it was done.
struct Done {
    /// Behind `NOTE COMMAND DONE`.
    words: String,
    phrase: Phrase,
    /// Another one, for the session that is the account's now.
    token: Option<Secret<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Register,
    Login,
    Passwd,
}

impl What {
    fn command(self) -> &'static str {
        match self {
            Self::Register => "REGISTER",
            Self::Login => "LOGIN",
            Self::Passwd => "PASSWD",
        }
    }
}

impl Chat {
    /// `/register NAME PASSWORD`
    pub(super) fn register_name(&mut self, client: ClientId, name: &str, password: &str, now: Moment) {
        let outcome = self.check_register(client, name, password, now);
        self.begin_task(client, What::Register, name, password, outcome);
    }

    /// `/login NAME PASSWORD`
    pub(super) fn log_in(&mut self, client: ClientId, name: &str, password: &str, now: Moment) {
        let outcome = self.check_login(client, name, now);
        self.begin_task(client, What::Login, name, password, outcome);
    }

    /// `/passwd PASSWORD`
    pub(super) fn change_password(&mut self, client: ClientId, password: &str, now: Moment) {
        let name = self.account_name(client).unwrap_or_default();
        let outcome = self.check_passwd(client, password, now);
        self.begin_task(client, What::Passwd, &name, password, outcome);
    }

    /// First the file is looked at, in which a tool may have changed something.
    fn begin_task(
        &mut self,
        client: ClientId,
        what: What,
        name: &str,
        password: &str,
        outcome: Result<(), Refusal>,
    ) {
        if let Err((code, words, phrase)) = outcome {
            let words = format!("FAIL {} {code} {words}", what.command());
            return self.answer(client, words.trim_end(), Some(phrase));
        }
        let label = self.labeling.as_ref().filter(|(asker, _)| *asker == client);
        let label = label.map(|(_, label)| label.clone());
        let (name, password) = (name.to_owned(), Secret(password.to_owned()));
        let pending = Pending { what, name, password, kept: None, label };
        self.ask(client, Purpose::Accounts(pending), Wanted::Accounts { after: self.accounts.version });
    }

    /// The file was looked at: now the password is.
    pub(in crate::chat) fn handle_accounts(
        &mut self,
        client: ClientId,
        pending: Pending,
        ticket: u64,
        answer: &Answer,
    ) {
        if !self.take_accounts(client, ticket, answer) {
            return;
        }
        self.look_at_password(client, pending);
    }

    fn look_at_password(&mut self, client: ClientId, mut pending: Pending) {
        let is_login = pending.what == What::Login;
        pending.kept = self.kept_password(&pending.name).filter(|_| is_login);
        let ticket = self.next_ticket();
        let kept = pending.kept.as_ref().map(|(_, kept)| kept.clone());
        let (password, kept) = (pending.password.clone(), is_login.then_some(kept));
        self.accounts.tasks.push_back(PasswordTask { ticket, password, kept });
        self.accounts.waiting.insert(ticket, (client, pending));
        self.set_awaiting(client, true);
    }

    fn kept_password(&self, name: &str) -> Option<(u64, Secret<String>)> {
        let row = self.find_account(name).and_then(|number| self.accounts.row(number));
        row.map(|row| (row.number, row.password.clone()))
    }

    /// The connection is gone: nobody waits for what comes of its password.
    pub(in crate::chat) fn forget_verdicts(&mut self, client: ClientId) {
        self.accounts.waiting.retain(|_, (waiting, _)| *waiting != client);
        self.accounts.owed.retain(|_, owed| owed.client != client);
        let waiting = &self.accounts.waiting;
        self.accounts.tasks.retain(|task| waiting.contains_key(&task.ticket));
    }

    /// What came of a password.
    pub fn handle_verdict(&mut self, ticket: u64, verdict: Verdict, now: Moment) {
        let Some((client, pending)) = self.accounts.waiting.remove(&ticket) else { return };
        self.set_awaiting(client, false);
        if self.client(client).is_none_or(|state| state.is_closing) {
            return;
        }
        // Somebody has changed it meanwhile: what was looked at says nothing of what is kept now.
        if pending.what == What::Login && self.kept_password(&pending.name) != pending.kept {
            return self.look_at_password(client, pending);
        }
        let outcome = match pending.what {
            _ if verdict.is_undecided => Err(refused("BUSY", Phrase::LoginBusy)),
            What::Login => self.finish_login(client, &pending.name, verdict, now),
            What::Register => self.finish_register(client, &pending.name, verdict, now),
            What::Passwd => self.finish_passwd(client, verdict, now),
        };
        match outcome {
            Ok(done) => self.tell_done(client, &pending, done),
            Err((code, words, phrase)) => {
                let words = format!("FAIL {} {code} {words}", pending.what.command());
                self.answer_labeled(client, words.trim_end(), pending.label.as_deref(), Some(phrase));
                if code == "BANNED" {
                    self.cut(client, Cut::Banned, now);
                }
            }
        }
    }

    /// What is new is told once it is kept.
    fn tell_done(&mut self, client: ClientId, pending: &Pending, done: Done) {
        let label = pending.label.as_deref().map_or_else(String::new, |label| format!(" label={label}"));
        let words = format!("NOTE {} DONE {}", pending.what.command(), done.words);
        let mut answer = self.answer_text(client, &format!("{}{label}", words.trim_end()), Some(done.phrase));
        let is_login = pending.what == What::Login;
        if is_login && done.token.is_none() {
            self.insert(client, &answer);
            return self.tell_markers(client);
        }
        if let Some(token) = done.token {
            let words = format!("NOTE HELLO TOKEN token={}{label}", *token);
            answer.insert_str(0, &self.answer_text(client, &words, Some(Phrase::NewToken)));
        }
        let answer = Secret(answer);
        // Who logs in does not wait for a disk that is full.
        let unkept = is_login.then(|| answer.clone());
        self.owe(Owed { client, answer, unkept, role: self.role_of(client).filter(|_| is_login) });
    }

    fn finish_login(
        &mut self,
        client: ClientId,
        name: &str,
        verdict: Verdict,
        now: Moment,
    ) -> Result<Done, Refusal> {
        let number = self.find_account(name).filter(|_| verdict.is_right);
        let Some(row) = number.and_then(|number| self.accounts.row(number)).cloned() else {
            let address = self.address_of(client);
            // What was typed may be a password in the wrong place: only an account's own name is told.
            let number = self.find_account(name);
            let name = number.and_then(|number| self.accounts.row(number)).map(|row| row.name.clone());
            self.events.push_back(Event::LoginFailed { client, name: name.unwrap_or_default(), address });
            return Err(refused("REFUSED", Phrase::LoginRefused));
        };
        // Not those for the name as it was written: that may look like somebody else's, too.
        for subject in self.subjects(client, &row.name) {
            match subject {
                Subject::Address(_) | Subject::Nowhere => self.accounts.by_address.forgive(&subject),
                _ => self.accounts.by_name.clear(&subject),
            }
        }
        if self.is_kept_out(client, row.number) {
            return Err(refused("BANNED", Phrase::Banned));
        }
        let number = row.number;
        let words = format!("name={} role={}", escape(&row.name), row.role.word());
        if let Some(password) = verdict.hash {
            self.change_account(Change::Password { number, before: Some(row.password), password });
        }
        let token = self.become_account(client, number, now);
        self.events.push_back(Event::LoggedIn { name: row.name, address: self.address_of(client) });
        Ok(Done { words, phrase: Phrase::LoginDone, token })
    }

    fn finish_register(
        &mut self,
        client: ClientId,
        name: &str,
        verdict: Verdict,
        now: Moment,
    ) -> Result<Done, Refusal> {
        // Somebody may have been faster.
        self.check_new_name(client, name)?;
        let password = verdict.hash.ok_or(refused("UNREADABLE", Phrase::HistoryTrouble))?;
        let last = self.accounts.by_number.keys().max().copied().unwrap_or_default();
        // Also above those that are gone: a token of theirs must not be this one's.
        let number = self.ids.unix_ms().max(last.saturating_add(1));
        let by = self.account_name(client);
        let seen_unix_ms = Some(self.ids.unix_ms()).filter(|_| by.is_none());
        let (name, role) = (name.to_owned(), Role::User);
        let own = name.clone();
        let row = AccountRow { number, name: own, password, role, seen_unix_ms, token_epoch: 0 };
        self.change_account(Change::Account(row));
        let address = self.address_of(client);
        let token = if by.is_none() { self.become_account(client, number, now) } else { None };
        let words = format!("name={}", escape(&name));
        let phrase = if by.is_none() { Phrase::RegisterDone } else { Phrase::RegisterOtherDone };
        self.events.push_back(Event::Registered { name, by, address });
        Ok(Done { words, phrase, token })
    }

    fn finish_passwd(&mut self, client: ClientId, verdict: Verdict, now: Moment) -> Result<Done, Refusal> {
        let row = self.row_of(client).cloned();
        let (Some(row), Some(password)) = (row, verdict.hash) else {
            return Err(refused("UNREADABLE", Phrase::HistoryTrouble));
        };
        let number = row.number;
        self.change_account(Change::Password { number, before: Some(row.password), password });
        self.revoke(number, Some(client), now);
        let address = self.address_of(client);
        self.events.push_back(Event::NewPassword { name: row.name, address });
        Ok(Done { words: String::new(), phrase: Phrase::PasswdDone, token: None })
    }

    /// Whoever else is there as the account, or could come back, is to log in anew: the old password may have been known.
    pub(super) fn revoke(&mut self, number: u64, except: Option<ClientId>, now: Moment) {
        let own = except.and_then(|client| self.session_of(client));
        let devices = self.accounts.by_number.get(&number).map(|account| account.devices.clone());
        for device in devices.unwrap_or_default().into_iter().filter(|device| Some(*device) != except) {
            self.cut_for_good(device, Cut::PasswordChanged, "", now);
        }
        for session in self.sessions.of_account(number).into_iter().filter(|session| Some(*session) != own) {
            self.drop_session(session, now);
        }
    }

    /// Nobody can take the session up any more; who was only away is gone.
    pub(super) fn drop_session(&mut self, session: SessionId, now: Moment) {
        let state = self.sessions.get(session).map(|session| session.state);
        if matches!(state, Some(Presence::Away(_) | Presence::BeforeRestart)) {
            self.give_up(session, now);
        }
        self.sessions.forget(session);
    }

    fn address_of(&self, client: ClientId) -> Option<core::net::IpAddr> {
        self.client(client)?.origin.address
    }

    /// From now on the connection is known as the account, and has its name. Its session, if it has one, has the token that this
    /// gives: whoever has read the one from before has no key to the account.
    pub(super) fn become_account(
        &mut self,
        client: ClientId,
        number: u64,
        now: Moment,
    ) -> Option<Secret<String>> {
        let name = self.accounts.row(number)?.name.clone();
        self.remember_place(client, number);
        let named = self.client(client).and_then(|state| state.named.as_ref());
        let was_here = named.is_some_and(|named| named.is_announced && named.base() == name);
        if was_here {
            self.names.release(&name, client);
        } else {
            self.forget_name(client, None, now);
        }
        self.evict_guests(&name, number, now);
        self.enter_as(client, number);
        let _ = self.names.claim(&name, client, Some(number));
        self.leave_nowhere(client);
        let waits =
            self.client(client).is_some_and(|state| state.standing.wants_hello) && !self.is_extended(client);
        if !was_here {
            self.set_name(client, &name, "", None, !waits);
        }
        let token = self.session_of(client).map(|session| {
            let token = Secret(self.new_token());
            self.sessions.renew(session, &token);
            self.log_session_in(session, Some(number));
            self.note_session(client);
            token
        });
        if !was_here && !waits {
            self.notice(client, super::super::rooms::Notice::Join, now);
        }
        token
    }

    /// Whoever has the name and not the account loses it.
    pub(super) fn evict_guests(&mut self, name: &str, number: u64, now: Moment) {
        for holder in self.names.evict(name, number) {
            match holder {
                Holder::Client(guest) => {
                    self.sign_off(guest);
                    self.cut(guest, Cut::NameRegistered, now);
                }
                Holder::Away(session) => self.give_up(session, now),
            }
        }
    }
}
