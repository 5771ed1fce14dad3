//! When Telegram is asked for updates, from which on, and what to do where it does not give any.

use std::collections::VecDeque;
use std::time::Duration;

use tertulia_wire::retry;

use super::{Bridge, Now, Output, Poll};
use crate::phrases::{Language, Phrase};
use crate::telegram::reply::CallError;
use crate::telegram::types::Update;

/// Updates of one poll at most; as many as Telegram gives.
pub const UPDATES_MAX: usize = 100;

/// The pause behind a poll that was answered at once with nothing new: an implementation that does not wait must not make
/// the bridge spin.
pub const EMPTY_POLL_PAUSE: Duration = Duration::from_secs(1);

/// A poll that took longer than this has waited.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Polls refused within a quarter of an hour because another program uses the token; then the bridge ends, unless it takes over.
/// Polls that are not refused in between do not count: of two programs, each gets some.
pub const CONFLICTS_MAX: usize = 10;
/// See [`CONFLICTS_MAX`].
const CONFLICTS_WITHIN: Duration = Duration::from_secs(15 * 60);

/// What is older than this tells nothing of Telegram's clock.
const CLOCK_AGE_MAX: Duration = Duration::from_secs(120);

/// How often one update is asked for alone that cannot be read; then it is stepped over.
const UNREAD_MAX: u32 = 3;

/// The wait after the first poll with a token that Telegram does not know any more; it doubles with each, up to half an hour.
const TOKEN_WAIT: Duration = Duration::from_secs(5);
/// See [`TOKEN_WAIT`].
const TOKEN_WAIT_MAX: Duration = Duration::from_secs(30 * 60);

/// The wait before a refused poll is tried again.
const CONFLICT_WAIT: Duration = Duration::from_secs(5);

/// After a week without any, the ids of updates begin anew anywhere. One day less, to be safe.
const IDS_LAST_MS: u64 = 6 * 24 * 60 * 60 * 1000;

#[derive(Debug)]
pub(super) struct Polling {
    /// The next update that is wanted; 0: whichever there is.
    pub(super) offset: i64,
    pub(super) last_update_unix_ms: u64,
    /// When the poll was asked that is on its way.
    asked_at: Option<Duration>,
    next_at: Duration,
    attempt: u32,
    /// When polls were refused because another program uses the token; at most [`CONFLICTS_MAX`].
    conflicts: VecDeque<Duration>,
    limit: usize,
    /// Answers one after another that could not be read although just one update was asked for.
    unread: u32,
    /// What was logged last.
    trouble: Option<String>,
    /// The offset of the last poll: what it confirmed.
    confirmed: i64,
    /// When the last poll was asked that brought nothing: all that came since was written since.
    empty_at: Option<Duration>,
    /// How old what a poll brought can be at most, by this program's own time. None: as old as it likes.
    pub(super) age_max: Option<Duration>,
    /// How far Telegram's clock is before this one's, as far as it is known.
    pub(super) clock_offset_ms: i64,
    /// A message that had just been written told so.
    is_clock_told: bool,
}

impl Polling {
    pub(super) fn new(offset: i64, last_update_unix_ms: u64) -> Self {
        Self {
            offset,
            last_update_unix_ms,
            asked_at: None,
            next_at: Duration::ZERO,
            attempt: 0,
            conflicts: VecDeque::new(),
            limit: UPDATES_MAX,
            unread: 0,
            trouble: None,
            confirmed: offset,
            empty_at: None,
            age_max: None,
            clock_offset_ms: 0,
            is_clock_told: false,
        }
    }

    /// When the next poll is due. None: one is on its way.
    pub(super) fn due(&self) -> Option<Duration> {
        self.asked_at.is_none().then_some(self.next_at)
    }

    /// Whether an update is new. Ids below the offset were confirmed, unless they have begun anew.
    pub(super) fn is_new(&self, id: i64, unix_ms: u64) -> bool {
        id >= self.offset || self.has_begun_anew(unix_ms)
    }

    fn has_begun_anew(&self, unix_ms: u64) -> bool {
        unix_ms.saturating_sub(self.last_update_unix_ms) > IDS_LAST_MS
    }
}

impl Bridge {
    /// What Telegram's own clock showed when it answered just now. To be handed over before what the answer holds: how old that is
    /// may have to be known before any message has told. One that had just been written counts more, because others may have
    /// answered in between.
    pub fn handle_clock(&mut self, there_unix_ms: u64, now: Now) {
        if !self.polling.is_clock_told {
            self.polling.clock_offset_ms = offset_ms(there_unix_ms, now);
        }
    }

    /// What a poll brought.
    pub fn handle_updates(&mut self, result: Result<Vec<Update>, CallError>, now: Now) {
        let asked_at = self.polling.asked_at.take().unwrap_or(now.at);
        match result {
            Ok(updates) => {
                let is_at_once = now.at.saturating_sub(asked_at) < AT_ONCE;
                self.note_good_poll(&updates, asked_at, now);
                let news = self.take_updates(updates, now);
                let pause = if news == 0 && is_at_once { EMPTY_POLL_PAUSE } else { Duration::ZERO };
                self.polling.next_at = now.at.saturating_add(pause);
            }
            Err(error) => self.note_failed_poll(&error, now),
        }
        self.advance(now);
    }

    fn note_good_poll(&mut self, updates: &[Update], asked_at: Duration, now: Now) {
        self.counters.last_good_poll_unix_ms = now.unix_ms;
        let polling = &mut self.polling;
        (polling.attempt, polling.unread) = (0, 0);
        polling.limit = polling.limit.saturating_mul(2).min(UPDATES_MAX);
        polling.age_max = polling.empty_at.map(|at| now.at.saturating_sub(at));
        polling.empty_at = if updates.is_empty() { Some(asked_at) } else { polling.empty_at };
        let messages = updates.iter().filter_map(|update| update.message.as_ref());
        let newest = messages.filter(|message| !message.is_edit).map(|message| message.date).max();
        let is_live = polling.age_max.is_some_and(|age| age <= CLOCK_AGE_MAX);
        if let Some(date) = newest.filter(|date| *date > 0 && is_live) {
            let there = u64::try_from(date).unwrap_or_default().saturating_mul(1000);
            (polling.clock_offset_ms, polling.is_clock_told) = (offset_ms(there, now), true);
        }
        let unreadable = updates.iter().filter(|update| update.is_unreadable).map(|update| update.id);
        let unreadable: Vec<String> = unreadable.map(|id| id.to_string()).collect();
        if self.polling.trouble.take().is_some() {
            self.log("Telegram contesta de nuevo".to_owned(), "Telegram answers again".to_owned());
        }
        if !unreadable.is_empty() {
            let ids = unreadable.join(", ");
            self.log(
                format!("no se puede leer lo que trae la actualización {ids} de Telegram; se pasa por alto"),
                format!("what Telegram's update {ids} brings cannot be read; it is left out"),
            );
        }
    }

    fn note_failed_poll(&mut self, error: &CallError, now: Now) {
        let wait = match error {
            CallError::Refused { retry_after: Some(after), .. } => {
                self.counters.too_many_requests += 1;
                let seconds = after.as_secs();
                self.log_trouble(
                    &format!("Telegram pide esperar {seconds} s antes de leer más"),
                    &format!("Telegram asks to wait {seconds} s before more is read"),
                );
                *after
            }
            CallError::Refused { code: 409, description, .. } => {
                self.note_conflict(description, now.at);
                let count = u32::try_from(self.polling.conflicts.len()).unwrap_or(u32::MAX);
                CONFLICT_WAIT.saturating_mul(count)
            }
            error if error.is_of_token() => {
                self.counters.calls_failed += 1;
                self.note_unknown_token(error);
                let doubled =
                    TOKEN_WAIT.saturating_mul(1_u32.checked_shl(self.polling.attempt).unwrap_or(u32::MAX));
                doubled.min(TOKEN_WAIT_MAX)
            }
            CallError::TooLarge | CallError::Undecodable => {
                self.counters.calls_failed += 1;
                self.ask_for_less(error);
                AT_ONCE
            }
            other => {
                self.counters.calls_failed += 1;
                self.log_poll_trouble(other);
                retry::delay(self.polling.attempt, spread(now))
            }
        };
        self.polling.attempt = self.polling.attempt.saturating_add(1);
        self.polling.next_at = now.at.saturating_add(wait.max(AT_ONCE));
    }

    /// An answer is too large, or some update in it stops all of it from being read: fewer are asked for. One that comes alone and
    /// cannot be read even so is stepped over: else nothing would ever be read again.
    fn ask_for_less(&mut self, error: &CallError) {
        self.log_poll_trouble(error);
        let polling = &mut self.polling;
        if polling.limit > 1 {
            polling.limit = if *error == CallError::TooLarge { polling.limit / 2 } else { 1 };
            return;
        }
        polling.unread = polling.unread.saturating_add(1);
        if polling.unread >= UNREAD_MAX && polling.offset > 0 {
            let id = polling.offset;
            polling.offset = id.saturating_add(1);
            polling.unread = 0;
            self.log(
                format!("no se puede leer la actualización {id} de Telegram; se pasa por alto"),
                format!("Telegram's update {id} cannot be read; it is left out"),
            );
        }
    }

    /// One sentence, not one for each poll.
    fn note_conflict(&mut self, description: &str, now: Duration) {
        let conflicts = &mut self.polling.conflicts;
        conflicts.retain(|at| now.saturating_sub(*at) < CONFLICTS_WITHIN);
        conflicts.push_back(now);
        if description.contains("webhook") {
            return self.log_trouble(
                "este bot tiene un webhook puesto, y con él no se pueden leer mensajes: arranca una vez con --delete-webhook",
                "this bot has a webhook set, which keeps its messages from being read: start once with --delete-webhook",
            );
        }
        self.log_trouble(
            "otro programa está leyendo con este mismo token; apágalo, o pide otro token a BotFather",
            "another program is reading with this same token; stop it, or get another token from BotFather",
        );
        while self.polling.conflicts.len() > CONFLICTS_MAX {
            self.polling.conflicts.pop_front();
        }
        if self.polling.conflicts.len() >= CONFLICTS_MAX && !self.settings.takes_over {
            let words = match self.language() {
                Language::Es => "otro programa usa este token; con --takeover se insiste",
                Language::En => "another program uses this token; --takeover keeps trying",
            };
            self.outputs.push_back(Output::Stop { why: words.to_owned(), is_final: false });
        }
    }

    /// One that never worked is a mistake, and whoever has just made it is told so at once. One that did may work again, but hardly.
    fn note_unknown_token(&mut self, error: &CallError) {
        if self.counters.last_good_poll_unix_ms == 0 {
            let why = Phrase::Unauthorized.in_language(self.language()).to_owned();
            return self.outputs.push_back(Output::Stop { why, is_final: true });
        }
        let why = error.told();
        let (spanish, english) = (why.shown(Language::Es), why.shown(Language::En));
        self.log_trouble(
            &format!("Telegram ya no conoce este token ({spanish}): si lo has anulado, pide el nuevo a @BotFather con /token y arranca con él; entretanto se sigue intentando, cada vez menos"),
            &format!("Telegram does not know this token any more ({english}): if it was revoked, ask @BotFather for the new one with /token and start with that; meanwhile it is tried again, less and less often"),
        );
    }

    fn log_poll_trouble(&mut self, error: &CallError) {
        let why = error.told();
        let (spanish, english) = (why.shown(Language::Es), why.shown(Language::En));
        self.log_trouble(
            &format!("no se puede leer de Telegram ({spanish}); se sigue intentando"),
            &format!("cannot read from Telegram ({english}); it is tried again"),
        );
    }

    fn log_trouble(&mut self, spanish: &str, english: &str) {
        if self.polling.trouble.as_deref() != Some(english) {
            self.polling.trouble = Some(english.to_owned());
            self.log(spanish.to_owned(), english.to_owned());
        }
    }

    pub(super) fn poll_if_due(&mut self, now: Now) {
        if self.polling.due().is_none_or(|due| due > now.at) || !self.inbound.is_settled() {
            return;
        }
        self.polling.asked_at = Some(now.at);
        // What a poll confirms does not come again, so it is kept first.
        self.is_dirty |=
            std::mem::replace(&mut self.polling.confirmed, self.polling.offset) != self.polling.offset;
        let knows_next = self.polling.offset > 0 && !self.polling.has_begun_anew(now.unix_ms);
        self.outputs.push_back(Output::Poll(Poll {
            offset: knows_next.then_some(self.polling.offset),
            limit: self.polling.limit,
            timeout: self.settings.poll_timeout,
        }));
    }
}

/// How far a clock that shows this is before this program's.
fn offset_ms(there_unix_ms: u64, now: Now) -> i64 {
    let signed = |unix_ms| i64::try_from(unix_ms).unwrap_or(i64::MAX);
    signed(there_unix_ms).saturating_sub(signed(now.unix_ms))
}

/// Bits that differ from one failure to the next; so many bridges do not come back at the same moment.
pub(super) fn spread(now: Now) -> u64 {
    let mixed = now.unix_ms ^ u64::from(now.at.subsec_nanos()).rotate_left(20);
    mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}
