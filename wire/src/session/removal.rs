//! What the relay says before it closes the connection for who the session is: whether the session comes back by itself,
//! and with which password.

use super::Session;
use super::event::{Action, Event, Reason};
use super::login::Login;
use super::{Link, retry};

impl Session {
    /// `FAIL RELAY CODE`. True: the connection is given up, and nothing more is to be told of it.
    pub(super) fn handle_relay_failure(&mut self, words: &str, sentence: &str) -> bool {
        let code = words.split(' ').next().unwrap_or_default();
        match code {
            "KICKED" | "BANNED" => {
                self.handle_removed(code, sentence);
                true
            }
            // What was known of the account is true no more: another try with it is one of a stranger's.
            "PASSWORD_CHANGED" | "ACCOUNT_REMOVED" if self.is_attended => {
                self.login = Login::default();
                false
            }
            _ => false,
        }
    }

    /// An operator does not want the session there. It is not there again at once, and where somebody sits, not before
    /// that person wants it.
    pub(super) fn handle_removed(&mut self, code: &str, sentence: &str) {
        let (code, sentence) = (code.to_owned(), sentence.to_owned());
        self.actions.push_back(Action::Close);
        if self.quit.is_some() {
            return self.end();
        }
        self.events.push_back(Event::Removed { code, sentence });
        if self.is_attended {
            return self.disconnect(Link::Ended);
        }
        let attempt = retry::EARLY_ATTEMPTS.saturating_add(self.removals);
        self.removals = self.removals.saturating_add(1);
        self.attempt = self.attempt.max(attempt);
        self.wait(Reason::Disconnected);
    }
}
