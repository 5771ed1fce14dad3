//! What the relay says of the account: that it is there, what it may do, which password was right, which was not.

use std::time::Duration;

use tertulia_wire::secret::Secret;
use tertulia_wire::session::AskError;

use super::{Asked, SentPassword, What};
use crate::fold::name_key;
use crate::model::{LinkCommand, Model, Sentence, Status};
use crate::phrases::{AccountPhrase as Words, Phrase};

impl Model {
    pub(in crate::model) fn note_greeted(&mut self) {
        self.account.role = None;
        self.account.is_password_changed = false;
        self.account.is_just_greeted = true;
        self.account.keyring = None;
        self.end_checking();
        self.account
            .asked
            .take_if(|asked| matches!(asked.what, What::Certificate { .. } | What::Password { .. }));
    }

    /// The relay has said all that it says of an account: there may be none where one was meant.
    pub(in crate::model) fn note_entered(&mut self) {
        let is_first = std::mem::take(&mut self.account.is_just_greeted);
        if is_first && self.account.role.is_none() && self.settings.login {
            let (name, relay) = (self.name.clone(), self.settings.relay.clone());
            self.complain(Sentence::new(Words::NoAccount, &[&name, &relay]));
        }
    }

    pub(in crate::model) fn handle_logged_in(&mut self, role: String) {
        self.account.role = Some(role);
        self.end_checking();
        self.account.asked.take_if(|asked| matches!(asked.what, What::Login { .. }));
        self.keep_sent_password();
        self.conversations.for_each_mut(|conversation| conversation.marks.told = 0);
    }

    /// The relay has looked at the password, or will not.
    pub(in crate::model) fn end_checking(&mut self) {
        self.account.asked.take_if(|asked| matches!(asked.what, What::Checking { .. }));
    }

    /// The relay has taken the password that was sent last.
    fn keep_sent_password(&mut self) {
        if let Some(SentPassword { name, password, is_kept: true, .. }) = self.account.sent.take() {
            self.use_keyring(name, Some(password));
        }
    }

    /// The account may do other things from now on.
    pub(in crate::model) fn handle_role(&mut self, role: String) {
        let was_operator = self.account.is_operator();
        self.account.role = Some(role);
        let is_operator = self.account.is_operator();
        if was_operator == is_operator {
            return;
        }
        if !is_operator {
            self.account.asked.take_if(|Asked { what, .. }| matches!(what, What::Act { .. }));
        }
        let shown = self.conversations.shown().id;
        self.tell(shown, if is_operator { Words::NowOperator } else { Words::OperatorNoMore });
    }

    pub(in crate::model) fn handle_login_refused(
        &mut self,
        code: &str,
        sentence: &str,
        again_in: Option<Duration>,
    ) {
        if let Some(wait) = again_in {
            let again_at = self.now.monotonic.saturating_add(wait);
            self.status = Status::LoginAgain { why: Sentence::quoted(sentence), again_at };
            return;
        }
        self.end_checking();
        let is_greeted = self.status == Status::Ready;
        let sent = self.account.sent.take().map(|sent| (sent.what, sent.name));
        // The session may have sent one that it had from before.
        let own = || (What::Password { name: self.name.clone(), is_needed_by_all: false }, self.name.clone());
        let Some((what, name)) = sent.or_else(|| (!is_greeted).then(own)) else { return };
        match code {
            "REFUSED" => {
                let changed = self.why_asked_again(&name);
                let wrong = changed.unwrap_or_else(|| Sentence::new(Words::PasswordWrong, &[&name]));
                if !is_greeted {
                    let why = Sentence::new(Words::PasswordWaits, &[&name]);
                    self.status = Status::HelloRefused { why };
                }
                self.ask_what(what, Some(wrong));
            }
            _ if is_greeted => self.complain(Sentence::quoted(sentence)),
            "BANNED" => {
                self.account.is_banned = true;
                let why = Sentence::new(Words::Banned, &[&name]);
                self.status = Status::HelloRefused { why };
            }
            _ => self.status = Status::HelloRefused { why: Sentence::quoted(sentence) },
        }
    }

    /// What the relay answers to who registers or takes another password. False: it is something else.
    pub(in crate::model) fn handle_account_answer(&mut self, words: &str) -> bool {
        let mut each = words.split(' ');
        match (each.next(), each.next(), each.next()) {
            (Some("NOTE"), Some("REGISTER"), Some("DONE")) => {
                let name = self.account.sent.as_ref().map(|sent| sent.name.clone()).unwrap_or_default();
                // An operator registers others.
                if name_key(&name) == name_key(&self.name) && self.account.role.is_none() {
                    self.account.role = Some("user".to_owned());
                }
                self.note_password(&name);
                self.hint(Sentence::new(Words::Registered, &[&name]));
            }
            (Some("NOTE"), Some("PASSWD"), Some("DONE")) => {
                let name = self.name.clone();
                self.note_password(&name);
                self.hint(Words::PasswdDone);
            }
            (Some("FAIL"), Some("REGISTER" | "PASSWD"), _) => {
                self.account.sent = None;
                return false;
            }
            // The sheet that asks for the new one tells it.
            (Some("FAIL"), Some("RELAY"), Some("PASSWORD_CHANGED")) => {
                self.account.is_password_changed = true;
            }
            (Some("FAIL"), Some("RELAY"), Some("TLS_NEEDED")) => {
                let relay = self.settings.relay.clone();
                self.complain(Sentence::new(Words::TlsNeeded, &[&relay]));
            }
            _ => return false,
        }
        true
    }

    /// The session comes back with the new password; the keyring has it too, where that is wanted.
    fn note_password(&mut self, name: &str) {
        if let Some(sent) = self.account.sent.as_ref().filter(|_| name_key(name) == name_key(&self.name)) {
            let password = Secret(sent.password.trim().to_owned());
            self.link(LinkCommand::LogIn { password });
        }
        self.keep_sent_password();
    }

    pub(in crate::model) fn handle_command_failed(&mut self, error: AskError) {
        self.account.sent = None;
        self.end_checking();
        match error {
            AskError::NotPrivate => self.complain(Words::NotPrivate),
            AskError::NotReady => self.complain(Phrase::NeedsConnection),
            other => self.complain(Sentence::quoted(&other.to_string())),
        }
    }

    /// Why a password is asked for that was known. Told once: the next answer may simply be wrong.
    pub(super) fn why_asked_again(&mut self, name: &str) -> Option<Sentence> {
        std::mem::take(&mut self.account.is_password_changed)
            .then(|| Sentence::new(Words::PasswordChanged, &[name]))
    }
}
