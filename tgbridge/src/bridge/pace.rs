//! When the next message may be sent to a chat. Knows neither the clock nor what is sent.

use std::collections::VecDeque;
use std::time::Duration;

use super::settings::PaceSettings;

const MINUTE: Duration = Duration::from_secs(60);

/// The pace of one chat.
#[derive(Debug)]
pub(super) struct Pace {
    settings: PaceSettings,
    /// Of the last minute, oldest first; at most as many as the minute may have.
    sent: VecDeque<Duration>,
    /// Not before: Telegram said so, or something failed.
    blocked_until: Duration,
}

impl Pace {
    /// Only groups and channels, whose numbers are negative, have a limit by the minute.
    pub(super) fn new(settings: PaceSettings, chat: i64) -> Self {
        let per_minute = if chat < 0 { settings.per_minute } else { 0 };
        let settings = PaceSettings { per_minute, ..settings };
        Self { settings, sent: VecDeque::new(), blocked_until: Duration::ZERO }
    }

    /// A message is sent now.
    pub(super) fn take(&mut self, now: Duration) {
        self.sent.push_back(now);
        while self.sent.len() > self.settings.per_minute.max(1) {
            self.sent.pop_front();
        }
    }

    /// Nothing is sent before then.
    pub(super) fn block(&mut self, until: Duration) {
        self.blocked_until = self.blocked_until.max(until);
    }

    /// When the next message may be sent; a moment that has passed means now.
    pub(super) fn next_at(&self) -> Duration {
        let after_last = self.sent.back().map(|last| last.saturating_add(self.settings.interval));
        let is_full = self.settings.per_minute > 0 && self.sent.len() >= self.settings.per_minute;
        let after_minute = self.sent.front().filter(|_| is_full).map(|first| first.saturating_add(MINUTE));
        [after_last, after_minute, Some(self.blocked_until)].into_iter().flatten().max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_gets_one_message_a_second_and_twenty_a_minute() {
        let mut pace = Pace::new(PaceSettings::default(), -5);
        let mut sent = Vec::new();
        let mut now = Duration::from_secs(100);
        while sent.len() < 45 {
            now = now.max(pace.next_at());
            pace.take(now);
            sent.push(now);
        }
        assert!(sent.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(1)));
        assert!(sent.windows(21).all(|window| window[20] - window[0] >= MINUTE));
        assert_eq!(sent[44] - sent[0], Duration::from_secs(124));
    }

    #[test]
    fn a_private_chat_has_no_limit_by_the_minute() {
        let mut pace = Pace::new(PaceSettings::default(), 5);
        (0..60).for_each(|second| pace.take(Duration::from_secs(second)));
        assert_eq!(pace.next_at(), Duration::from_secs(60));
    }

    #[test]
    fn a_block_is_never_shortened() {
        let mut pace = Pace::new(PaceSettings::default(), 5);
        pace.block(Duration::from_secs(5820));
        pace.block(Duration::from_secs(3));
        assert_eq!(pace.next_at(), Duration::from_secs(5820));
    }
}
