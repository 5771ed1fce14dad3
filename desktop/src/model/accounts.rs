//! The account that the window has, or is to have: the certificate that is confirmed first, the password that is asked for,
//! and, in `answers`, what the relay says to it. A password is never written down here; the desktop's keyring may keep it.

mod answers;

use std::time::Duration;

use tertulia_wire::account::{ActKind, is_password};
use tertulia_wire::secret::Secret;
use tertulia_wire::tags::{escape, unescape};
use tertulia_wire::text::is_dirty;
use tertulia_wire::tls::Fingerprint;

use super::event::{Answer, Keyring};
use super::{Command, KeyringCommand, LinkCommand, Model, Sentence, Status};
use crate::fold::name_key;
use crate::phrases::AccountPhrase as Words;

/// How long the desktop's keyring may take: it may ask the person to open it. Then the password is asked for here.
pub const KEYRING_WAIT: Duration = Duration::from_secs(20);

/// What is known of the account, and what is asked about it.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// What it may do besides speaking. None: nobody has logged in.
    pub(crate) role: Option<String>,
    /// What the person is asked, in front of all else but the name.
    pub(crate) asked: Option<Asked>,
    pub(crate) has_keyring: bool,
    asked_before: u64,
    /// A password may go over the connection there is.
    is_private: bool,
    /// The relay has said that the account is banned.
    pub(super) is_banned: bool,
    /// The relay has said that the password is another one now.
    is_password_changed: bool,
    /// The relay has just greeted, and says next whether it knows an account.
    is_just_greeted: bool,
    /// A password on its way.
    sent: Option<SentPassword>,
    /// Until then the keyring is waited for, to log in as somebody.
    keyring: Option<(Duration, String)>,
    /// The certificate that the person did not want.
    declined: Option<Fingerprint>,
}

/// A question to the person.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Another one for each, so that no answer is taken for another question's.
    pub(crate) number: u64,
    pub(crate) what: What,
    /// What was wrong with the last answer.
    pub(crate) error: Option<Sentence>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// Whether this certificate is the relay's.
    Certificate { relay: String, fingerprint: Fingerprint },
    /// The password of an account, so that the relay greets.
    Password { name: String, is_needed_by_all: bool },
    /// The same of who has been greeted, as somebody else.
    Login { name: String },
    /// Nothing, while the relay looks at the password of this account: whoever types it once more does not say it aloud.
    Checking { name: String },
    /// The password that an account is to have.
    Register { name: String },
    /// Another one.
    Passwd { name: String },
    /// What an operator's act needs.
    Act { kind: ActKind, name: String },
}

#[derive(Debug)]
struct SentPassword {
    what: What,
    name: String,
    password: Secret<String>,
    is_kept: bool,
}

impl Account {
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.keyring.as_ref().map(|(until, _)| *until)
    }

    pub(crate) fn is_operator(&self) -> bool {
        self.role.as_deref() == Some("operator")
    }
}

impl Model {
    pub(super) fn ask_what(&mut self, what: What, error: Option<Sentence>) {
        self.account.asked_before = self.account.asked_before.saturating_add(1);
        self.account.asked = Some(Asked { number: self.account.asked_before, what, error });
    }

    /// Nobody vouches for the certificate: the person is asked once.
    pub(super) fn handle_certificate(&mut self, fingerprint: Fingerprint) {
        let is_asked = matches!(&self.account.asked, Some(Asked { what: What::Certificate { .. }, .. }));
        if !is_asked && self.account.declined != Some(fingerprint) {
            self.ask_what(What::Certificate { relay: self.settings.relay.clone(), fingerprint }, None);
        }
    }

    /// The person wants to connect now: what was declined is asked again.
    pub(super) fn forget_refusals(&mut self) {
        self.account.declined = None;
        self.account.is_banned = false;
    }

    /// Another session begins: what was asked for the last one is of no use.
    pub(super) fn forget_account(&mut self) {
        self.forget_refusals();
        self.account.is_password_changed = false;
        self.account.role = None;
        self.account.asked = None;
        self.account.sent = None;
        self.account.keyring = None;
    }

    pub(super) fn handle_login_needed(&mut self, is_private: bool) {
        self.account.is_private = is_private;
    }

    /// The relay does not greet without a log-in. What the keyring has is tried before the person is asked.
    pub(super) fn handle_account_needed(&mut self, code: &str, name: String) {
        let is_needed_by_all = code == "LOGIN_NEEDED";
        if self.account.is_banned {
            let why = Sentence::new(Words::Banned, &[&name]);
            self.status = Status::HelloRefused { why };
        } else if !self.account.is_private && is_needed_by_all {
            self.status = Status::HelloRefused { why: Words::LoginNotPrivateAny.into() };
        } else if !self.account.is_private {
            self.ask_name(Some((name.clone(), Words::LoginNotPrivate.into())));
            self.status = Status::NameRefused { name, again_at: None };
        } else {
            self.status = Status::HelloRefused { why: Sentence::new(Words::PasswordWaits, &[&name]) };
            let what = What::Password { name: name.clone(), is_needed_by_all };
            // The person may be typing it: what comes behind would go into the input.
            if self.account.asked.as_ref().is_some_and(|asked| asked.what == what) {
                return;
            }
            if self.account.has_keyring {
                let until = self.now.monotonic.saturating_add(KEYRING_WAIT);
                self.account.keyring = Some((until, name.clone()));
                return self.use_keyring(name, None);
            }
            let why = self.why_asked_again(&name);
            self.ask_what(what, why);
        }
    }

    fn use_keyring(&mut self, name: String, password: Option<Secret<String>>) {
        let relay = self.settings.relay.clone();
        self.commands.push_back(Command::Keyring(KeyringCommand { relay, name, password }));
    }

    /// The keyring has taken too long.
    pub(super) fn give_up_keyring(&mut self) {
        let now = self.now.monotonic;
        if let Some((_, name)) = self.account.keyring.take_if(|(until, _)| *until <= now) {
            let why = self.why_asked_again(&name);
            self.ask_what(What::Password { name, is_needed_by_all: false }, why);
        }
    }

    pub(super) fn handle_keyring(&mut self, keyring: Keyring) {
        let (name, password) = match keyring {
            Keyring::IsThere => {
                self.account.has_keyring = true;
                return;
            }
            Keyring::Found { name, password } => (name, password),
        };
        if self.account.keyring.take_if(|(_, asked)| *asked == name).is_none() {
            return;
        }
        let what = What::Password { name: name.clone(), is_needed_by_all: false };
        match password.filter(|password| is_good(password)) {
            Some(password) => self.send_password(what, name, password, false),
            None => {
                let why = self.why_asked_again(&name);
                self.ask_what(what, why);
            }
        }
    }

    /// An answer of the person. One to a question that stands no more is nothing.
    pub(super) fn answer_question(&mut self, answer: Answer) {
        let Some(asked) = self.account.asked.take_if(|asked| asked.number == answer.number) else { return };
        let value = |index: usize| answer.values.get(index).cloned().unwrap_or_default();
        match asked.what {
            What::Certificate { fingerprint, .. } if !answer.is_accepted => {
                self.account.declined = Some(fingerprint);
            }
            What::Password { .. } if !answer.is_accepted => self.ask_name(None),
            _ if !answer.is_accepted => {}
            What::Checking { .. } => self.ask_what(asked.what, None),
            What::Certificate { relay, fingerprint } => self.confirm_certificate(relay, fingerprint),
            What::Act { kind, name } => self.order_act(kind, &name, &value(0), &value(1)),
            What::Password { .. } | What::Login { .. } => {
                let is_kept = *value(1) == "1";
                self.take_password(asked.what, value(0), is_kept);
            }
            What::Register { .. } | What::Passwd { .. } if *value(0) != *value(1) => {
                self.ask_what(asked.what, Some(Words::PasswordsDiffer.into()));
            }
            What::Register { .. } | What::Passwd { .. } => {
                let is_kept = *value(2) == "1";
                self.take_password(asked.what, value(0), is_kept);
            }
        }
    }

    fn confirm_certificate(&mut self, relay: String, fingerprint: Fingerprint) {
        let is_shown = relay == self.settings.relay;
        self.settings.confirm_certificate(relay, fingerprint);
        self.save_settings();
        if is_shown {
            self.start();
        }
    }

    /// A password that the person gave. One that can be none is asked for again.
    fn take_password(&mut self, what: What, password: Secret<String>, is_kept: bool) {
        if !is_good(&password) {
            return self.ask_what(what, Some(Words::PasswordInvalid.into()));
        }
        let (What::Password { name, .. }
        | What::Login { name }
        | What::Register { name }
        | What::Passwd { name }) = &what
        else {
            return;
        };
        let name = name.clone();
        let checking = What::Checking { name: name.clone() };
        let is_login = matches!(what, What::Password { .. } | What::Login { .. });
        self.send_password(what, name, password, is_kept);
        if is_login {
            self.ask_what(checking, None);
        }
    }

    fn send_password(&mut self, what: What, name: String, password: Secret<String>, is_kept: bool) {
        let (escaped, trimmed) = (escape(&name).into_owned(), password.trim());
        let line = match &what {
            What::Login { .. } => format!("/login {escaped} {trimmed}"),
            What::Register { .. } => format!("/register {escaped} {trimmed}"),
            What::Passwd { .. } => format!("/passwd {trimmed}"),
            What::Password { .. } | What::Certificate { .. } | What::Checking { .. } | What::Act { .. } => {
                String::new()
            }
        };
        if line.is_empty() {
            self.status = Status::Connecting;
            self.link(LinkCommand::LogIn { password: Secret(trimmed.to_owned()) });
        } else {
            self.link(LinkCommand::Command { line: Secret(line) });
        }
        self.account.sent = Some(SentPassword { what, name, password, is_kept });
    }

    /// An order with a password, or without one: then a sheet asks for it. True: it was taken.
    pub(super) fn obey_password(&mut self, rest: &str, of: fn(String) -> What) -> bool {
        if self.account.sent.is_some() {
            self.complain(Words::PasswordBusy);
            return false;
        }
        self.with_connection(|model| {
            let is_passwd = matches!(of(String::new()), What::Passwd { .. });
            let (name, password) = match rest.split_once(' ') {
                _ if is_passwd => ("", rest),
                Some((name, password)) => (name, password.trim()),
                None => (rest, ""),
            };
            let name = if name.is_empty() { model.name.clone() } else { unescape(name).into_owned() };
            let what = of(name);
            if password.is_empty() {
                model.ask_what(what, None);
            } else {
                model.take_password(what, Secret(password.to_owned()), false);
            }
        })
    }

    /// Whether this is said by one of the account's own devices.
    pub(crate) fn is_own_name(&self, name: &str) -> bool {
        self.account.role.is_some() && name_key(name) == name_key(&self.name)
    }
}

fn is_good(password: &str) -> bool {
    is_password(password.trim()) && !password.contains(is_dirty)
}
