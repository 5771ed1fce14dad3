//! Whether somebody may try: to log in, to register a name, to change a password.

use std::time::Duration;

use tertulia_wire::account::is_password;
use tertulia_wire::name::Name;
use tertulia_wire::tags::escape;

use super::super::answers::refusal;
use super::super::history::QUESTIONS_MAX;
use super::super::{Chat, ClientId};
use super::attempts::Subject;
use super::{ACCOUNTS_MAX, TASKS_MAX};
use crate::account::Role;
use crate::moment::Moment;
use crate::phrases::Phrase;

/// Code, further words, and sentence of a refusal.
pub(super) type Refusal = (&'static str, String, Phrase);

pub(super) fn refused(code: &'static str, phrase: Phrase) -> Refusal {
    (code, String::new(), phrase)
}

impl Chat {
    pub(super) fn check_private(&self, client: ClientId) -> Result<(), Refusal> {
        if self.takes_passwords(client) { Ok(()) } else { Err(refused("NOT_PRIVATE", Phrase::NotPrivate)) }
    }

    /// What cannot be kept now is not promised.
    pub(super) fn check_keeping(&self) -> Result<(), Refusal> {
        let is_in_trouble = self.keeping.as_ref().is_none_or(|keeping| keeping.is_in_trouble);
        if is_in_trouble { Err(refused("NOT_KEPT", Phrase::HistoryTrouble)) } else { Ok(()) }
    }

    pub(super) fn check_login(&mut self, client: ClientId, name: &str, now: Moment) -> Result<(), Refusal> {
        self.check_private(client)?;
        if self.account_of(client).is_some() {
            return Err(refused("ALREADY", Phrase::AlreadyLoggedIn));
        }
        let subjects = self.subjects(client, name);
        let waits = subjects.iter().map(|subject| match subject {
            Subject::Address(_) | Subject::Nowhere => self.accounts.by_address.wait(subject, now),
            _ => self.accounts.by_name.wait(subject, now),
        });
        check_wait(waits.max().unwrap_or_default())?;
        self.check_place()?;
        for subject in subjects {
            match subject {
                Subject::Address(_) | Subject::Nowhere => self.accounts.by_address.charge(subject, now),
                _ => self.accounts.by_name.charge(subject, now),
            }
        }
        Ok(())
    }

    /// Whose tries a log-in counts among.
    pub(super) fn subjects(&self, client: ClientId, name: &str) -> Vec<Subject> {
        let origin = self.counted_origin(client);
        // A guess under a name that looks the same is one for the same account.
        let mut keys = super::keys(name);
        keys.sort_unstable();
        keys.dedup();
        origin.into_iter().chain(keys.into_iter().map(|key| Subject::Name(key.into()))).collect()
    }

    pub(super) fn check_passwd(
        &mut self,
        client: ClientId,
        password: &str,
        now: Moment,
    ) -> Result<(), Refusal> {
        self.check_private(client)?;
        self.check_keeping()?;
        let Some(number) = self.account_of(client) else {
            return Err(refused("LOGIN_NEEDED", Phrase::LoginNeeded));
        };
        if !is_password(password) {
            return Err(refused("PASSWORD_INVALID", Phrase::PasswordInvalid));
        }
        let subject = Subject::Account(number);
        check_wait(self.accounts.passwds.wait(&subject, now))?;
        self.check_place()?;
        self.accounts.passwds.charge(subject, now);
        Ok(())
    }

    pub(super) fn check_register(
        &mut self,
        client: ClientId,
        name: &str,
        password: &str,
        now: Moment,
    ) -> Result<(), Refusal> {
        self.check_private(client)?;
        self.check_keeping()?;
        let is_operator = self.role_of(client) == Some(Role::Operator);
        if self.account_of(client).is_some() && !is_operator {
            return Err(refused("ALREADY", Phrase::AlreadyLoggedIn));
        }
        if self.accounts.rules.is_registered_only && !is_operator {
            return Err(refused("CLOSED", Phrase::RegisterClosed));
        }
        self.check_new_name(client, name)?;
        if !is_password(password) {
            return Err(refused("PASSWORD_INVALID", Phrase::PasswordInvalid));
        }
        if self.accounts.by_number.len() >= ACCOUNTS_MAX {
            return Err(refused("FULL", Phrase::AccountsFull));
        }
        let origin = self.counted_origin(client).filter(|_| !is_operator);
        let wait = origin.as_ref().map(|subject| self.accounts.registers.wait(subject, now));
        check_wait(wait.unwrap_or_default())?;
        self.check_place()?;
        origin.into_iter().for_each(|subject| self.accounts.registers.charge(subject, now));
        Ok(())
    }

    /// Whether the name can become an account of this connection's: it is nobody else's.
    pub(super) fn check_new_name(&self, client: ClientId, name: &str) -> Result<(), Refusal> {
        if Name::parse(name).map_or(true, |name| !name.tail().is_empty()) {
            return Err(refused("NAME_INVALID", Phrase::NameInvalid));
        }
        self.names.check_free(name, client).map_err(|why| {
            let (code, phrase) = refusal(why);
            (code, escape(name).into_owned(), phrase)
        })
    }

    /// Whether there is place for one more who waits.
    pub(super) fn check_place(&self) -> Result<(), Refusal> {
        let asked = self.keeping.as_ref().map_or(0, |keeping| keeping.waiting_questions());
        let is_full = self.accounts.waiting.len() >= TASKS_MAX || asked >= QUESTIONS_MAX;
        if is_full { Err(refused("BUSY", Phrase::LoginBusy)) } else { Ok(()) }
    }
}

/// Too soon: the connection is told how long it is.
fn check_wait(wait: Duration) -> Result<(), Refusal> {
    let seconds = wait.as_millis().div_ceil(1000);
    if seconds == 0 { Ok(()) } else { Err(("TOO_SOON", seconds.to_string(), Phrase::TooSoon)) }
}
