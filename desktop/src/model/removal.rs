//! When an operator does not want us there: the window says so, stays away, and comes back when the person wants it.

use super::{Model, Sentence, Status};
use crate::phrases::AccountPhrase as Words;

impl Model {
    /// The session stays away from now on.
    pub(super) fn handle_removed(&mut self, code: &str, sentence: &str) {
        let relay = self.settings.relay.clone();
        let sentence = if sentence.is_empty() { code } else { sentence };
        let why = match code {
            "BANNED" if self.account.is_banned => Sentence::new(Words::Banned, &[&self.name]),
            "BANNED" => Sentence::new(Words::RemovedBanned, &[&relay, sentence]),
            _ => Sentence::new(Words::RemovedKicked, &[&relay, sentence]),
        };
        self.forget_account();
        self.naming.take_if(|_| !self.name.is_empty());
        self.handle_cut();
        // The banner goes when the person comes back; what has happened does not.
        if self.status == Status::Ready {
            let shown = self.conversations.shown().id;
            self.tell(shown, why.clone());
        }
        self.status = Status::Removed { why };
    }

    /// Whether Enter, with nothing written, is to come back.
    pub(super) fn come_back(&mut self) -> bool {
        let is_away = matches!(self.status, Status::Removed { .. });
        if is_away {
            self.hint = None;
            self.reconnect();
        }
        is_away
    }
}
