//! What the relay says to one connection alone.

use tertulia_wire::account::holds_password;

use super::names::Refused;
use super::{Chat, ClientId};
use crate::phrases::Phrase;

impl Chat {
    /// A line of the relay for one connection: `* WORDS :SENTENCE`.
    pub(super) fn answer(&mut self, client: ClientId, words: &str, phrase: Option<Phrase>) {
        let line = self.answer_text(client, words, phrase);
        self.insert(client, &line);
    }

    /// The line that [`Chat::answer`] gives.
    pub(super) fn answer_text(&self, client: ClientId, words: &str, phrase: Option<Phrase>) -> String {
        let line = match phrase {
            Some(phrase) => format!("* {words} :{}\n", phrase.in_language(self.settings.language)),
            None => format!("* {words}\n"),
        };
        self.labeled(client, line)
    }

    /// The same, with the label of what it answers, where that was asked some time ago.
    pub(super) fn answer_labeled(
        &mut self,
        client: ClientId,
        words: &str,
        label: Option<&str>,
        phrase: Option<Phrase>,
    ) {
        match label {
            Some(label) => self.answer(client, &format!("{words} label={label}"), phrase),
            None => self.answer(client, words, phrase),
        }
    }

    /// Refuses to say a text that may hold a password: whoever wrote it meant the relay, and not the others. False: it is said.
    pub(super) fn withholds(&mut self, client: ClientId, command: &str, text: &str) -> bool {
        let is_withheld = holds_password(text);
        if is_withheld {
            self.answer(client, &format!("FAIL {command} HOLDS_PASSWORD"), Some(Phrase::HoldsPassword));
        }
        is_withheld
    }

    /// Lines of the relay for one connection, their endings included. They repeat the label of its command.
    pub(super) fn answer_lines(&mut self, client: ClientId, lines: String) {
        let lines = self.labeled(client, lines);
        self.insert(client, &lines);
    }

    /// The label of the connection's command that is being done.
    pub(super) fn label_of(&self, client: ClientId) -> Option<String> {
        let (_, label) = self.labeling.as_ref().filter(|(asker, _)| *asker == client)?;
        Some(label.to_string())
    }

    fn labeled(&self, client: ClientId, lines: String) -> String {
        match self.labeling.as_ref().filter(|(asker, _)| *asker == client) {
            Some((_, label)) => lines.split_inclusive('\n').map(|line| with_label(line, label)).collect(),
            None => lines,
        }
    }

    /// A line, its ending included, for one connection.
    pub(super) fn insert(&mut self, client: ClientId, line: &str) {
        let Some(log_end) = self.place_of(client).map(|place| self.rooms.log_end(place)) else { return };
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.insert(line, log_end);
            self.counts.lines_out += 1;
            self.list(client);
        }
    }
}

/// The label stands behind the other words, before the sentence for people.
fn with_label(line: &str, label: &str) -> String {
    let words = line.trim_end_matches('\n');
    match words.split_once(" :") {
        Some((words, sentence)) => format!("{words} label={label} :{sentence}\n"),
        None => format!("{words} label={label}\n"),
    }
}

/// Code and sentence of a refusal.
pub(super) fn refusal(refused: Refused) -> (&'static str, Phrase) {
    match refused {
        Refused::InUse => ("NAME_IN_USE", Phrase::NameInUse),
        Refused::Reserved => ("NAME_RESERVED", Phrase::NameReserved),
        #[cfg(feature = "history")]
        Refused::Registered => ("NAME_REGISTERED", Phrase::NameRegistered),
        #[cfg(feature = "history")]
        Refused::NotYours => ("NAME_NOT_YOURS", Phrase::NameNotYours),
        #[cfg(feature = "history")]
        Refused::NotBridge => ("NOT_BRIDGE", Phrase::NotBridge),
    }
}
