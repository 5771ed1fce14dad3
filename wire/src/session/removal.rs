//! What the relay says before it closes the connection for who the session is: whether the session comes back by itself,
//! and with which password.

use std::time::Duration;

use super::event::{Action, Event, Reason};
use super::login::Login;
use super::{Link, Session, retry};
use crate::heard::Heard;
use crate::text::clean;

impl Session {
    /// The connection cannot be had: where TLS was to be spoken, a relay said in plain text why it lets nobody in from here,
    /// `* FAIL RELAY CODE :…`. It is told like over a connection, and nothing is sent.
    ///
    /// Anybody on the way can have written that line. So it does what they could do by a cut: the session comes back later, or,
    /// banned where somebody sits, when that person wants it. Of the other codes none counts: what is known of the account,
    /// its password and the token stay as they were.
    pub fn handle_turned_away(&mut self, line: &str, now: Duration) {
        self.advance(now);
        if self.link != Link::Connecting {
            return;
        }
        let line = clean(line);
        let Heard::Other { words, sentence, .. } = Heard::parse(&line) else {
            return self.wait(Reason::ConnectFailed);
        };
        if words.strip_prefix("FAIL RELAY ").and_then(|rest| rest.split(' ').next()) == Some("BANNED") {
            return self.handle_removed("BANNED", sentence);
        }
        let (words, sentence) = (words.to_owned(), sentence.to_owned());
        self.events.push_back(Event::Other { words, label: None, sentence });
        self.wait(Reason::Disconnected);
    }

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
