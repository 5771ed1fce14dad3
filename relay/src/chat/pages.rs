//! Answers of the history: lines as they are shown, as many as find place.

use tertulia_wire::tags::escape;
use tertulia_wire::time::rfc3339;

use super::ANSWER_BYTES_MAX;
use super::tagged::{TagValues, plain};
use crate::batch::{Batch, Kept};

/// Which lines are shown where not all of them can be, and which comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Of a room: the newest, in the order in which they were said.
    Newest,
    /// Behind an id: the oldest, in the same order.
    Oldest,
    /// Of a search: the newest, and that one first.
    Found,
}

/// A page that somebody asked for.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) room: String,
    pub(super) label: Option<String>,
    pub(super) order: Order,
    /// Lines shown at most.
    pub(super) limit: usize,
}

/// A line as it is written, with its ending and its id.
type Shown = (u64, String);

impl Page {
    /// The command's English name, in capitals.
    pub(super) fn command(&self) -> &'static str {
        if self.order == Order::Found { "SEARCH" } else { "HISTORY" }
    }

    /// The whole answer, of lines in the order in which they were said: one more than [`Page::limit`], if there are more.
    pub(super) fn write(&self, lines: &Batch, is_extended: bool) -> String {
        let label = self.label.as_deref().unwrap_or_default();
        let tagged = |line: Kept<'_>| {
            let mut text = String::new();
            TagValues::of(&line, label).write(&mut text);
            (line.id, format!("{text}{}: {}\n", line.name, line.text))
        };
        let word = if self.order == Order::Found { "FOUND" } else { "HISTORY" };
        let untagged = |line: Kept<'_>| {
            let said = plain(line.name, line.quote, line.text);
            (line.id, format!("* {word} {} :{said}\n", rfc3339(line.unix_ms)))
        };
        let all: Vec<Shown> = match is_extended {
            true => lines.iter().map(tagged).collect(),
            false => lines.iter().map(untagged).collect(),
        };
        let (shown, is_more) = self.fit(all);
        let mut text: String = shown.iter().map(|(_, line)| line.as_str()).collect();
        text.push_str(&self.end(&shown, is_more, is_extended));
        text
    }

    fn end(&self, shown: &[Shown], is_more: bool, is_extended: bool) -> String {
        let start = format!("* END {} room={}", self.command(), escape(&self.room));
        if is_extended {
            let label = self.label.as_ref().map_or_else(String::new, |label| format!(" label={label}"));
            return format!("{start} more={}{label}\n", u8::from(is_more));
        }
        let first = shown.iter().map(|(id, _)| *id).min();
        let first = first.map_or_else(String::new, |id| format!(" first={id}"));
        format!("{start} shown={}{first}\n", shown.len())
    }

    /// The lines that find place in an outbox, and whether there are more.
    fn fit(&self, mut all: Vec<Shown>) -> (Vec<Shown>, bool) {
        let total = all.len();
        if self.order != Order::Oldest {
            all.reverse();
        }
        let mut bytes = 0;
        let fits = all.iter().take(self.limit).take_while(|(_, line)| {
            bytes += line.len();
            bytes <= ANSWER_BYTES_MAX
        });
        let shown = fits.count();
        all.truncate(shown);
        if self.order == Order::Newest {
            all.reverse();
        }
        (all, shown < total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hundred_lines() -> Batch {
        let mut lines = Batch::default();
        let text = "x".repeat(1_000);
        let (room, name) = ("general", "Ana");
        let line = Kept { id: 0, unix_ms: 0, room, name, reply: None, quote: None, key: None, text: &text };
        (1..=100).for_each(|id| lines.push(Kept { id, ..line }));
        lines
    }

    fn page(order: Order, limit: usize) -> Page {
        Page { room: "general".into(), label: Some("q".into()), order, limit }
    }

    #[test]
    fn an_answer_that_is_too_long_keeps_the_newest_lines_and_says_where_it_begins() {
        let answer = page(Order::Newest, 1000).write(&hundred_lines(), false);
        assert!(answer.len() <= ANSWER_BYTES_MAX + 100);
        let shown = answer.lines().count() - 1;
        assert!(
            answer.ends_with(&format!("* END HISTORY room=general shown={shown} first={}\n", 101 - shown))
        );
    }

    #[test]
    fn a_page_behind_an_id_keeps_the_oldest_lines_and_says_that_there_are_more() {
        let text = page(Order::Oldest, 1000).write(&hundred_lines(), true);
        assert!(text.starts_with("@label=q;id=1;"), "{text}");
        assert!(text.ends_with("* END HISTORY room=general more=1 label=q\n"));
        let text = page(Order::Oldest, 3).write(&hundred_lines(), true);
        assert!(text.ends_with(" more=1 label=q\n"));
    }

    #[test]
    fn what_was_found_begins_with_the_newest_line() {
        let text = page(Order::Found, 2).write(&hundred_lines(), true);
        let ids: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("@label=q;id=")?.split(';').next()).collect();
        assert_eq!(ids, ["100", "99"]);
        assert!(text.ends_with("* END SEARCH room=general more=1 label=q\n"));
        let text = page(Order::Found, 2).write(&hundred_lines(), false);
        assert!(
            text.starts_with("* FOUND ") && text.ends_with("* END SEARCH room=general shown=2 first=99\n")
        );
    }
}
