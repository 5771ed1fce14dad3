//! How connections end: cut for a reason, or closed when they have heard what waits for them.

use super::timers::Look;
use super::{CLOSING_AFTER, Chat, ClientId, Cut};
use crate::moment::Moment;
use crate::phrases::Phrase;

impl Chat {
    /// Ends a connection for a reason: the others see it leave, it hears one last line.
    pub(super) fn cut(&mut self, client: ClientId, cut: Cut, now: Moment) {
        self.cut_saying(client, cut, "", now);
    }

    /// The same, with what somebody has said of it besides.
    pub(super) fn cut_saying(&mut self, client: ClientId, cut: Cut, why: &str, now: Moment) {
        // Who is being closed may still fall out of the log that it reads to its end.
        if self.client(client).is_none_or(|state| state.is_closing && cut != Cut::Slow) {
            return;
        }
        if let Some(count) = self.counts.cut.get_mut(cut.index()) {
            *count += 1;
        }
        let (words, phrase) = match cut {
            Cut::Slow => ("FAIL SLOW".to_owned(), Phrase::Slow),
            Cut::Silent => ("FAIL PING TIMEOUT".to_owned(), Phrase::PingTimeout),
            Cut::Resumed => ("FAIL HELLO RESUMED".to_owned(), Phrase::Resumed),
            #[cfg(feature = "history")]
            Cut::Kicked => ("FAIL RELAY KICKED".to_owned(), Phrase::Kicked),
            #[cfg(feature = "history")]
            Cut::PasswordChanged => ("FAIL RELAY PASSWORD_CHANGED".to_owned(), Phrase::PasswordChanged),
            #[cfg(feature = "history")]
            Cut::AccountRemoved => ("FAIL RELAY ACCOUNT_REMOVED".to_owned(), Phrase::AccountRemoved),
            #[cfg(feature = "history")]
            Cut::NameRegistered => ("FAIL RELAY NAME_REGISTERED".to_owned(), Phrase::NameRegistered),
            #[cfg(feature = "history")]
            Cut::Banned => ("FAIL RELAY BANNED".to_owned(), Phrase::Banned),
            Cut::Incomplete => ("FAIL LINE INCOMPLETE".to_owned(), Phrase::LineIncomplete),
            Cut::Foreign(foreign) => {
                (format!("FAIL RELAY FOREIGN_PROTOCOL {}", foreign.word()), Phrase::Foreign)
            }
        };
        let (sentence, mark) =
            (phrase.in_language(self.settings.language), if why.is_empty() { "" } else { ": " });
        let line = format!("* {words} :{sentence}{mark}{why}\n");
        self.step_away(client, Some(cut), now);
        self.forget_name(client, Some(cut), now);
        if cut == Cut::Slow {
            self.end_with(client, &line);
        } else {
            self.insert(client, &line);
            self.end_outbox(client);
        }
        self.start_closing(client, now);
    }

    /// Ends a connection once it has heard what is queued; the others see it leave now.
    pub(super) fn close(&mut self, client: ClientId, now: Moment) {
        self.step_away(client, None, now);
        self.forget_name(client, None, now);
        self.end_outbox(client);
        self.start_closing(client, now);
    }

    fn start_closing(&mut self, client: ClientId, now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        state.is_closing = true;
        *state.input.waiting = Vec::new();
        state.lines = tertulia_wire::lines::Lines::default();
        self.count_held(client, now);
        self.list(client);
        self.wait_for_closing(client, now);
    }

    fn wait_for_closing(&mut self, client: ClientId, now: Moment) {
        let due = now.after(CLOSING_AFTER);
        if let Some(outbox) = self.outbox_mut(client) {
            outbox.has_taken = false;
        }
        let Some(state) = self.client_mut(client) else { return };
        state.input.due = due;
        self.timers.set(due, Look::Close(client));
    }

    /// A connection is to read its last lines: it has time as long as it reads at all.
    pub(super) fn look_at_closing(&mut self, client: ClientId, now: Moment) {
        if self.client(client).is_none_or(|state| !state.is_closing || state.input.due > now) {
            return;
        }
        if self.outbox(client).is_none_or(|outbox| !outbox.has_taken) {
            self.ended.push_back(client);
        } else {
            self.wait_for_closing(client, now);
        }
    }
}
