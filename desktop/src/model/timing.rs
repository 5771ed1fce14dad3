//! What is due when. Holds no clock.

use std::time::Duration;

use super::connection::seconds_until;
use super::{Command, Model, Now, ViewCommand};
use crate::calendar::rest_of_day_ms;

/// How long a sentence below the transcript is shown.
pub const HINT_SHOWN: Duration = Duration::from_secs(8);

/// How long the window waits for the goodbye when it is closed: what a session waits, and a little.
pub const CLOSE_WAIT: Duration = Duration::from_secs(11);

/// How long after a change the drafts are written down: what a pause in typing takes.
const DRAFTS_AFTER: Duration = Duration::from_secs(1);

impl Model {
    /// When [`super::Event::Tick`] is to be handed over, if nothing happens before; a moment that has passed means now.
    /// None: nothing is due, and nothing on the screen changes by itself. Of a quiet window only the next midnight is due.
    pub fn next_due(&self) -> Option<Duration> {
        let now = self.now.monotonic;
        let hint = self.hint.as_ref().map(|hint| hint.until);
        let closing = self.closing_since.map(|since| since.saturating_add(CLOSE_WAIT));
        let countdown = self.status.again_at().filter(|at| *at > now).map(|at| {
            let seconds = seconds_until(at, now);
            at.saturating_sub(Duration::from_secs(seconds.saturating_sub(1)))
        });
        let due = [hint, closing, countdown, self.drafts_due, self.lists.next_due(), self.next_day()];
        let accounts = [self.account.next_due(), self.marks_due];
        due.into_iter().chain(accounts).flatten().min()
    }

    /// When «today» becomes «yesterday» above the rows.
    fn next_day(&self) -> Option<Duration> {
        let Now { monotonic, unix_ms, utc_offset_seconds } = self.now;
        let rest = Duration::from_millis(rest_of_day_ms(unix_ms, utc_offset_seconds));
        let has_rows = self.conversations.shown().transcript.len() > 0;
        has_rows.then(|| monotonic.saturating_add(rest))
    }

    pub(super) fn do_what_is_due(&mut self) {
        let now = self.now.monotonic;
        if self.hint.as_ref().is_some_and(|hint| hint.until <= now) {
            self.hint = None;
        }
        self.ask_stale_lists();
        self.give_up_keyring();
        self.tell_marks();
        let is_late = |since: Duration| since.saturating_add(CLOSE_WAIT) <= now;
        if self.closing_since.is_some_and(is_late) {
            self.closing_since = None;
            self.commands.push_back(Command::View(ViewCommand::Close));
        }
    }

    /// The drafts are to be written down, soon.
    pub(super) fn drafts_changed(&mut self) {
        let due = self.now.monotonic.saturating_add(DRAFTS_AFTER);
        self.drafts_due.get_or_insert(due);
    }

    /// The drafts are to be written down before anything else happens: something is kept nowhere else.
    pub(super) fn drafts_are_due(&mut self) {
        self.drafts_due = Some(self.now.monotonic);
    }
}
