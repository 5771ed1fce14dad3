//! What operators do to people, from a menu or by an order. The relay decides whether they may.

use tertulia_wire::account::{AccountCommand, ActKind};
use tertulia_wire::command::CommandError;
use tertulia_wire::secret::Secret;
use tertulia_wire::tags::{escape, unescape};
use tertulia_wire::text::{clean, cut};
use tertulia_wire::time::{rfc3339, unix_ms};

use super::accounts::What;
use super::saying::base_name;
use super::{LinkCommand, Model, Sentence};
use crate::phrases::{AccountPhrase as Words, Phrase};

/// How long somebody is muted or banned, as it can be chosen; the last is without end.
pub(crate) const SPANS: [(Words, &str); 5] = [
    (Words::TenMinutes, "10m"),
    (Words::OneHour, "1h"),
    (Words::OneDay, "1d"),
    (Words::OneWeek, "7d"),
    (Words::Always, ""),
];

/// Whether an act can be for a time only.
pub(crate) fn has_span(kind: ActKind) -> bool {
    matches!(kind, ActKind::Mute | ActKind::Ban)
}

/// Whether a reason is asked for.
pub(crate) fn has_reason(kind: ActKind) -> bool {
    matches!(kind, ActKind::Kick | ActKind::Mute | ActKind::Ban)
}

impl Model {
    /// An act is wanted: what it needs is asked for first, and so is whether it is meant.
    pub(super) fn operate(&mut self, kind: ActKind, name: &str) {
        let name = base_name(name).to_owned();
        if kind == ActKind::Unmute {
            return self.order_act(kind, &name, "", "");
        }
        self.ask_what(What::Act { kind, name }, None);
    }

    /// The act as it was filled in: for how long, where that can be said, and why.
    pub(super) fn order_act(&mut self, kind: ActKind, name: &str, first: &str, second: &str) {
        let (span, why) = if has_span(kind) { (first, second) } else { ("", first) };
        let span = span.parse::<usize>().ok().and_then(|index| SPANS.get(index)).map_or("", |(_, span)| span);
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = [format!("/{}", kind.word()), escape(name).into_owned(), span.to_owned(), why];
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        self.order_line(&words.join(" "));
    }

    fn order_line(&mut self, line: &str) {
        let line = Secret(line.to_owned());
        self.with_connection(|model| model.link(LinkCommand::Command { line }));
    }

    /// An order of operators, as it was written with its slash. None: it is none.
    pub(super) fn obey_act(&mut self, line: &str) -> Option<bool> {
        let rest = line.strip_prefix('/')?;
        match AccountCommand::parse(rest) {
            Ok(AccountCommand::Act(_)) => {
                let line = Secret(line.to_owned());
                Some(self.with_connection(|model| model.link(LinkCommand::Command { line })))
            }
            Err(CommandError::Missing { what, .. }) => {
                self.complain(Sentence::new(Phrase::CommandMissing, &[what]));
                Some(false)
            }
            Err(CommandError::NoTime { word, .. }) => {
                self.complain(Sentence::new(Words::NoTime, &[word]));
                Some(false)
            }
            _ => None,
        }
    }

    /// What the relay says of an act that was done. False: it is something else.
    pub(super) fn handle_act_done(&mut self, words: &str, sentence: &str) -> bool {
        let mut each = words.split(' ');
        let (Some("NOTE"), Some(act), Some(how @ ("DONE" | "NOT_KEPT"))) =
            (each.next(), each.next(), each.next())
        else {
            return false;
        };
        let whom: Vec<_> = each.map(unescape).collect();
        let whom = whom.join(" ");
        if how == "DONE" {
            self.hint(Sentence::new(Words::ActDone, &[&act.to_lowercase(), &clean(&whom)]));
        } else {
            self.hint(Sentence::quoted(sentence));
        }
        true
    }

    /// What the relay lists of bans and mutes: a line each in the conversation that is shown. False: it is something else.
    pub(super) fn handle_sanctions(&mut self, words: &str) -> bool {
        let value = |key: &str| {
            let mut pairs = words.split(' ').filter_map(|word| word.split_once('='));
            let value = pairs.find(|(name, _)| *name == key).map(|(_, value)| unescape(value));
            value.map(|value| clean(&value).into_owned())
        };
        let sentence = if words.starts_with("BANS ") {
            let until = value("until").and_then(|until| unix_ms(&until)).map(|at| self.local_time(at));
            let words = match (value("kind").as_deref(), &until) {
                (Some("mute"), Some(_)) => Words::ListedMute,
                (Some("mute"), None) => Words::ListedMuteWithoutEnd,
                (_, Some(_)) => Words::ListedBan,
                (_, None) => Words::ListedBanWithoutEnd,
            };
            let why = value("why").map(|why| format!(" («{why}»)")).unwrap_or_default();
            let (target, by) = (value("target").unwrap_or_default(), value("by").unwrap_or_default());
            Sentence::new(words, &[&target, &until.unwrap_or_default(), &by, &why])
        } else if words.starts_with("END BANS ") {
            let count = |key| value(key).unwrap_or_default();
            Sentence::new(Words::ListedAll, &[&count("shown"), &count("of")])
        } else {
            return false;
        };
        let shown = self.conversations.shown().id;
        self.tell(shown, sentence);
        true
    }

    /// Day and minute, by this machine's clock.
    fn local_time(&self, unix_ms: u64) -> String {
        let offset_ms = i64::from(self.now.utc_offset_seconds) * 1000;
        let local = rfc3339(unix_ms.saturating_add_signed(offset_ms)).replace('T', " ");
        cut(&local, "2026-11-26 05:00".len()).to_owned()
    }
}
