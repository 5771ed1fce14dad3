//! Logging in: when the password goes, and what the account is told.

use std::time::Duration;

use super::config::TOKEN_WAIT;
use super::error::AskError;
use super::event::Event;
use super::{Link, Session};
use crate::account::is_password;
use crate::name::check_room;
use crate::secret::Secret;
use crate::tags::escape;
use crate::text::is_dirty;

/// How long after a log-in for which the relay had no place it is tried again, where the relay does not say.
const BUSY_WAIT: Duration = Duration::from_secs(3);

/// What a new account may do. The answer to who registers does not say it.
const REGISTERED_ROLE: &str = "user";

/// What is known of the account.
#[derive(Debug, Default)]
pub(super) struct Login {
    /// None: there is none, or the relay has refused it.
    password: Option<Secret<String>>,
    role: Option<String>,
}

impl Session {
    /// The password of the account that has the session's name. It is sent where the relay asks for a log-in, and never
    /// before it; only over a connection that the caller has called private ([`Session::handle_connected_privately`]); and
    /// kept, in memory alone, for the connections to come, until the relay refuses it.
    pub fn log_in(&mut self, password: &str) -> Result<(), AskError> {
        let password = password.trim();
        if !is_password(password) || password.contains(is_dirty) {
            return Err(AskError::Password);
        }
        self.login.password = Some(Secret(password.to_owned()));
        self.ask_hello_again();
        Ok(())
    }

    /// The connection is there, and nobody can read on its way what is sent: it is encrypted, or does not leave the machine.
    pub fn handle_connected_privately(&mut self, now: Duration) {
        self.begin_connection(now, true);
    }

    /// What the account may do besides speaking: `user`, `bridge`, `operator`, or a newer word. None: the session has not
    /// logged in.
    pub fn role(&self) -> Option<&str> {
        self.login.role.as_deref()
    }

    /// What was read of a room up to this id, for the account's other devices, and for this one when it comes back. They
    /// are told by [`Event::Read`]. It is not kept through a cut.
    pub fn mark_read(&mut self, room: &str, id: u64) -> Result<(), AskError> {
        let room = room.to_lowercase();
        check_room(&room).map_err(AskError::Name)?;
        self.queue_command(format!("/read room={} id={id}", escape(&room)))
    }

    /// The relay wants a log-in before it greets. False: it cannot be done now.
    pub(super) fn answer_login_needed(&mut self) -> bool {
        let Some(password) = self.login.password.clone().filter(|_| self.connection.is_private) else {
            let (name, is_private) = (self.connection.hello_name.clone(), self.connection.is_private);
            self.events.push_back(Event::LoginNeeded { name, is_private });
            return false;
        };
        let line = Secret(format!("/login {} {}", escape(&self.connection.hello_name), *password));
        self.send_urgent(&line);
        self.link = Link::Greeting { until: self.now.saturating_add(TOKEN_WAIT) };
        true
    }

    /// The password was right: now the relay greets.
    pub(super) fn handle_logged_in(&mut self) {
        self.send_hello();
    }

    /// What HELLO, or the answer to a log-in, says of the account.
    pub(super) fn note_role(&mut self, role: Option<String>) {
        if let Some(identity) = &mut self.identity {
            identity.is_of_account |= role.is_some();
        }
        self.login.role.clone_from(&role);
        self.events.extend(role.map(|role| Event::LoggedIn { role }));
    }

    /// The relay tells what the account may do from now on. Of who has none, there is nothing to tell.
    pub(super) fn handle_role(&mut self, role: String) {
        if self.login.role.as_ref().is_some_and(|before| *before != role) {
            self.login.role = Some(role.clone());
            self.events.push_back(Event::RoleChanged { role });
        }
    }

    /// Somebody has registered. Who has no account can do so for nobody else; who has one is an operator, and does it for others.
    pub(super) fn handle_registered(&mut self) {
        self.login.role.get_or_insert_with(|| REGISTERED_ROLE.to_owned());
    }

    /// The session is an account's from now on, and its token from before no key to it.
    pub(super) fn handle_new_token(&mut self, token: String) {
        if let Some(identity) = self.identity.as_mut().filter(|_| !token.is_empty()) {
            (identity.token, identity.is_of_account) = (Secret(token), true);
            self.events.push_back(Event::NewToken);
        }
    }

    pub(super) fn handle_login_refused(&mut self, code: &str, words: &str, sentence: &str) {
        let wait = match code {
            "TOO_SOON" => {
                words.split(' ').next().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs)
            }
            "BUSY" => Some(BUSY_WAIT),
            _ => None,
        };
        if wait.is_none() {
            self.login.password = None;
        }
        self.link = Link::Refused { again_at: wait.map(|wait| self.now.saturating_add(wait)) };
        let (code, sentence) = (code.to_owned(), sentence.to_owned());
        self.events.push_back(Event::LoginRefused { code, sentence, again_in: wait });
    }
}
