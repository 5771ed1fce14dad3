//! When the next message may be sent to a chat, whichever of its topics it is for. Knows neither the clock nor what is sent.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::settings::PaceSettings;

const MINUTE: Duration = Duration::from_secs(60);

/// Messages of a second in all chats together, as Telegram's own FAQ advises. Without an interval there is no such limit either:
/// then it is another server's.
const PER_SECOND_MAX: usize = 30;

/// Chats whose pace is remembered. Those written to longest ago are forgotten; by then they may be written to.
const CHATS_MAX: usize = 256;

/// The paces of all chats, and of all together.
#[derive(Debug)]
pub(super) struct Paces {
    settings: PaceSettings,
    chats: BTreeMap<i64, Pace>,
    /// Of the last second, oldest first.
    sent: VecDeque<Duration>,
}

impl Paces {
    pub(super) fn new(settings: PaceSettings) -> Self {
        Self { settings, chats: BTreeMap::new(), sent: VecDeque::new() }
    }

    fn chat(&mut self, chat: i64) -> &mut Pace {
        if self.chats.len() >= CHATS_MAX && !self.chats.contains_key(&chat) {
            let oldest = self.chats.iter().min_by_key(|(_, pace)| pace.next_at()).map(|(chat, _)| *chat);
            oldest.into_iter().for_each(|oldest| drop(self.chats.remove(&oldest)));
        }
        let settings = self.settings;
        self.chats.entry(chat).or_insert_with(|| Pace::new(settings, chat))
    }

    /// A message is sent to a chat now.
    pub(super) fn take(&mut self, chat: i64, now: Duration) {
        self.chat(chat).take(now);
        self.sent.push_back(now);
        if self.sent.len() > PER_SECOND_MAX {
            self.sent.pop_front();
        }
    }

    /// Nothing is sent to a chat before then.
    pub(super) fn block(&mut self, chat: i64, until: Duration) {
        self.chat(chat).block(until);
    }

    /// The chat has another number.
    pub(super) fn rename(&mut self, old: i64, new: i64) {
        if let Some(pace) = self.chats.remove(&old) {
            self.chats.insert(new, pace);
        }
    }

    /// When the next message may be sent to a chat; a moment that has passed means now.
    pub(super) fn next_at(&self, chat: i64) -> Duration {
        let is_full = self.sent.len() >= PER_SECOND_MAX && !self.settings.interval.is_zero();
        let first = self.sent.front().filter(|_| is_full);
        let of_all = first.map(|first| first.saturating_add(Duration::from_secs(1))).unwrap_or_default();
        self.chats.get(&chat).map(Pace::next_at).unwrap_or_default().max(of_all)
    }
}

/// The pace of one chat.
#[derive(Debug)]
struct Pace {
    settings: PaceSettings,
    /// Of the last minute, oldest first; at most as many as the minute may have.
    sent: VecDeque<Duration>,
    /// Not before: Telegram said so, or something failed.
    blocked_until: Duration,
}

impl Pace {
    /// Only groups and channels, whose numbers are negative, have a limit by the minute.
    fn new(settings: PaceSettings, chat: i64) -> Self {
        let per_minute = if chat < 0 { settings.per_minute } else { 0 };
        let settings = PaceSettings { per_minute, ..settings };
        Self { settings, sent: VecDeque::new(), blocked_until: Duration::ZERO }
    }

    /// A message is sent now.
    fn take(&mut self, now: Duration) {
        self.sent.push_back(now);
        while self.sent.len() > self.settings.per_minute.max(1) {
            self.sent.pop_front();
        }
    }

    /// Nothing is sent before then.
    fn block(&mut self, until: Duration) {
        self.blocked_until = self.blocked_until.max(until);
    }

    /// When the next message may be sent; a moment that has passed means now.
    fn next_at(&self) -> Duration {
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
    fn all_chats_together_get_thirty_a_second_unless_there_is_no_interval() {
        for (interval, longest) in [(1, Duration::from_secs(3)), (0, Duration::ZERO)] {
            let settings = PaceSettings { interval: Duration::from_secs(interval), per_minute: 0 };
            let mut paces = Paces::new(settings);
            let mut now = Duration::ZERO;
            for chat in 1..=100 {
                now = now.max(paces.next_at(chat));
                paces.take(chat, now);
            }
            assert_eq!(now, longest);
        }
    }

    #[test]
    fn of_any_number_of_chats_some_are_remembered() {
        let mut paces = Paces::new(PaceSettings::default());
        (0..5000).for_each(|chat| paces.take(chat, Duration::from_secs(u64::try_from(chat).unwrap())));
        assert_eq!(paces.chats.len(), CHATS_MAX);
        assert_eq!(paces.next_at(4999), Duration::from_secs(5000));
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
