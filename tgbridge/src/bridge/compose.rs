//! What the next message of a link is: as many waiting lines as fit, or a part of one that is too long.

use super::describe::QUOTE_UNITS_MAX;
use super::link::{Item, Link, Sending};
use super::split::{Part, first_part, indent, shorten, units};
use crate::phrases::{Language, Phrase};

/// A message that is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) text: String,
    /// The message it answers.
    pub(super) reply_to: Option<i64>,
    pub(super) sending: Sending,
}

/// The next message; None where nothing waits.
///
/// Lines of which Telegram may have some are never in a message with others, and a line that answers one of Telegram's
/// begins a message, because only a whole message can be an answer.
pub(super) fn compose(link: &Link, language: Language) -> Option<Draft> {
    let first = link.queue.front()?;
    let mark =
        if first.is_doubt { format!("{}\n", Phrase::InDoubt.in_language(language)) } else { String::new() };
    let reply_to = answered(link, first);
    let (part, is_whole) = next_part(link, first, language);
    let mut text = format!("{mark}{}", part.shown);
    if !is_whole {
        return Some(Draft { text, reply_to, sending: Sending::Part(part.bytes) });
    }
    let (mut count, mut used) = (1_usize, units(&text));
    let further = link.queue.iter().skip(1).take_while(|_| link.alone == 0);
    for item in further.take_while(|item| item.is_doubt == first.is_doubt && answered(link, item).is_none()) {
        let line = format!("\n{}{}", self::heading(link, item, language), indent(&item.text));
        used = used.saturating_add(units(&line));
        if used > link.units_max {
            break;
        }
        text.push_str(&line);
        count = count.saturating_add(1);
    }
    Some(Draft { text, reply_to, sending: Sending::Whole(count) })
}

/// What of an item its next message holds, and whether that is all that is left. Room is left for the mark, whether it is there
/// or not: what is sent again is then exactly what was sent.
pub(super) fn next_part(link: &Link, item: &Item, language: Language) -> (Part, bool) {
    let mark = units(Phrase::InDoubt.in_language(language)).saturating_add(1);
    let body = item.text.get(item.done..).unwrap_or_default();
    let part = first_part(&heading(link, item, language), body, link.units_max.saturating_sub(mark));
    let is_whole = part.bytes >= body.len();
    (part, is_whole)
}

/// The message of Telegram that an item answers.
fn answered(link: &Link, item: &Item) -> Option<i64> {
    item.reply.filter(|_| !item.is_reply_lost).and_then(|line| link.ids.message_of(line))
}

/// `NAME: `, and what it answers where that cannot be shown otherwise.
fn heading(link: &Link, item: &Item, language: Language) -> String {
    if item.name.is_empty() {
        return String::new();
    }
    let answers = match (&item.quote, item.reply) {
        (Some(quote), _) => {
            format!("(re {}) ", shorten(&indent(quote), QUOTE_UNITS_MAX))
        }
        (None, Some(_)) if answered(link, item).is_none() => {
            format!("{} ", Phrase::Reply.in_language(language))
        }
        _ => String::new(),
    };
    let quote = answers.replace("\n  ", " ");
    format!("{}: {quote}", item.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::link::NoticeKind;
    use crate::bridge::settings::LinkSettings;
    use crate::bridge::split::MESSAGE_UNITS_MAX;

    fn link() -> Link {
        let settings = LinkSettings { chat: -5, thread: None, room: "general".to_owned() };
        Link::new(settings, None)
    }

    fn item(id: u64, name: &str, text: &str) -> Item {
        Item { id: Some(id), name: name.to_owned(), text: text.to_owned(), ..Item::empty() }
    }

    fn text(link: &Link) -> String {
        compose(link, Language::Es).unwrap().text
    }

    #[test]
    fn lines_that_wait_are_merged_into_one_message() {
        let mut link = link();
        link.push(item(1, "Ana", "hola"));
        link.push(item(2, "Luis", "buenas\u{2028}Ana: qué tal"));
        link.notify(NoticeKind::Presence, "entran: Eva");
        assert_eq!(text(&link), "Ana: hola\nLuis: buenas\n  Ana: qué tal\n* entran: Eva");
        assert_eq!(compose(&link, Language::Es).unwrap().sending, Sending::Whole(3));
    }

    #[test]
    fn a_message_is_as_full_as_the_limit_allows_and_no_fuller() {
        let mut link = link();
        (0..400).for_each(|number| link.push(item(number + 1, "Ana", "0123456789")));
        let draft = compose(&link, Language::Es).unwrap();
        // 15 units a line, and a line break between two.
        assert_eq!(draft.sending, Sending::Whole((MESSAGE_UNITS_MAX + 1) / 16));
        assert!(units(&draft.text) <= MESSAGE_UNITS_MAX);
    }

    #[test]
    fn a_line_that_is_too_long_goes_in_parts_under_its_name() {
        let mut link = link();
        link.push(item(1, "Ana", &"palabra ".repeat(1000)));
        let mut parts = Vec::new();
        loop {
            let draft = compose(&link, Language::Es).unwrap();
            assert!(draft.text.starts_with("Ana: ") && units(&draft.text) <= MESSAGE_UNITS_MAX);
            parts.push(draft.text);
            let Sending::Part(bytes) = draft.sending else { break };
            link.queue[0].done += bytes;
        }
        let joined: String = parts.iter().map(|part| part.trim_start_matches("Ana: ")).collect();
        assert_eq!((parts.len(), joined), (2, "palabra ".repeat(1000)));
    }

    #[test]
    fn an_answer_to_a_known_message_begins_one_and_another_is_quoted() {
        let mut link = link();
        link.ids.pair(77, 5);
        link.push(item(10, "Ana", "uno"));
        link.push(Item { reply: Some(5), ..item(11, "Luis", "dos") });
        link.push(Item { quote: Some("Eva: ¿venís?".to_owned()), ..item(12, "Ana", "sí") });
        assert_eq!(text(&link), "Ana: uno");
        link.pop();
        let draft = compose(&link, Language::Es).unwrap();
        assert_eq!((draft.text.as_str(), draft.reply_to), ("Luis: dos\nAna: (re Eva: ¿venís?) sí", Some(77)));
    }

    #[test]
    fn what_is_sent_again_in_parts_holds_what_was_sent() {
        let mut link = link();
        link.push(item(1, "Ana", &"palabra ".repeat(1000)));
        let first = compose(&link, Language::Es).unwrap();
        link.queue[0].is_doubt = true;
        let again = compose(&link, Language::Es).unwrap();
        assert_eq!(again.text, format!("(quizá repetido)\n{}", first.text));
        assert!(units(&again.text) <= MESSAGE_UNITS_MAX);
    }

    #[test]
    fn of_what_the_bridge_says_itself_the_newest_of_each_kind_stays() {
        let mut link = link();
        link.notify(NoticeKind::Lost, "falta algo");
        (0..100).for_each(|number| link.notify(NoticeKind::Presence, &format!("entran: {number}")));
        assert_eq!(link.queue.len(), crate::bridge::NOTICES_MAX);
        let text = text(&link);
        assert!(text.starts_with("* falta algo\n") && text.ends_with("* entran: 99"), "{text}");
    }

    #[test]
    fn what_is_in_doubt_is_marked_and_stands_alone() {
        let mut link = link();
        link.doubt = Some((1, 2));
        (1..=3).for_each(|id| link.push(item(id, "Ana", "x")));
        assert_eq!(text(&link), "(quizá repetido)\nAna: x\nAna: x");
        link.pop();
        link.pop();
        assert_eq!(text(&link), "Ana: x");
    }
}
