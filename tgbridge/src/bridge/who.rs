//! Who speaks: the name under which a message from Telegram is said, and who is not let through. Knows no links.

use serde_json::Value;
use tertulia_wire::limits::NAME_BYTES_MAX;
use tertulia_wire::name::{Name, SEPARATOR, is_printable};
use tertulia_wire::text::cut;

use crate::telegram::types::{Message, User, sender, string, user};

/// Which name of a person is shown first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Naming {
    /// First and last name.
    #[default]
    Full,
    /// First name.
    First,
    /// The name behind the `@`.
    Username,
}

/// The name of whoever speaks, as a right side of `NAME - WHO`; the number where nothing else is left of it.
pub(super) fn speaker(message: &Message, naming: Naming) -> String {
    if let Some(chat) = &message.sender_chat {
        return clean_name(&chat.title).unwrap_or_else(|| chat.id.to_string());
    }
    match &message.from {
        Some(person) => person_name(person, naming),
        // A channel's post may name its author only.
        None => {
            clean_name(string(&message.body, "author_signature")).unwrap_or_else(|| message.chat.to_string())
        }
    }
}

fn person_name(person: &User, naming: Naming) -> String {
    let full = format!("{} {}", person.first_name, person.last_name);
    let order = match naming {
        Naming::Full => [&full, &person.username, &person.first_name],
        Naming::First => [&person.first_name, &full, &person.username],
        Naming::Username => [&person.username, &full, &person.first_name],
    };
    order.into_iter().find_map(|name| clean_name(name)).unwrap_or_else(|| person.id.to_string())
}

/// What of a name may stand behind ` - `. None: nothing.
pub fn clean_name(name: &str) -> Option<String> {
    let kept: String = name.chars().filter(|c| is_printable(*c) && *c != ':').collect();
    let words = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    let who = cut(&words, NAME_BYTES_MAX).trim();
    Name::parse(&format!("T{SEPARATOR}{who}")).ok().map(|_| who.to_owned())
}

/// Whether it comes from a bot that no chat speaks through: anonymous administrators and channels come as bots too.
pub(super) fn is_bot(message: &Message) -> bool {
    message.sender_chat.is_none() && message.from.as_ref().is_some_and(|from| from.is_bot)
}

/// Who said the original of a forwarded message.
pub(super) fn forwarded_from(body: &Value) -> Option<String> {
    let origin = body.get("forward_origin");
    let name_of = |value: &Value| match (value.get("title"), user(value)) {
        (None, Some(person)) => Some(person_name(&person, Naming::Full)),
        _ => sender(value).map(|chat| chat.title),
    };
    let found = match origin {
        Some(origin) => ["sender_user", "sender_chat", "chat"]
            .iter()
            .find_map(|key| origin.get(*key).and_then(name_of))
            .or_else(|| clean_name(string(origin, "sender_user_name"))),
        None => ["forward_from_chat", "forward_from"]
            .iter()
            .find_map(|key| body.get(*key).and_then(name_of))
            .or_else(|| clean_name(string(body, "forward_sender_name"))),
    };
    let is_forwarded = origin.is_some() || body.get("forward_date").is_some();
    // What a channel posts in its own group is no forward that anybody made.
    let is_automatic = body.get("is_automatic_forward").and_then(Value::as_bool).unwrap_or(false);
    (is_forwarded && !is_automatic).then(|| found.unwrap_or_else(|| "?".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telegram::types::message;
    use serde_json::json;

    fn said_by(who: Value) -> Message {
        let mut body = json!({"message_id": 1, "chat": {"id": -7, "title": "Grupo"}});
        body.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        message(body, false).unwrap()
    }

    #[test]
    fn whoever_speaks_has_a_name() {
        let ana = json!({"from": {"id": 5, "first_name": "Ana", "last_name": "Gil", "username": "anagil"}});
        assert_eq!(speaker(&said_by(ana.clone()), Naming::Full), "Ana Gil");
        assert_eq!(speaker(&said_by(ana.clone()), Naming::First), "Ana");
        assert_eq!(speaker(&said_by(ana), Naming::Username), "anagil");
        let cases = [
            (json!({"from": {"id": 5, "first_name": "\u{200d}:", "username": "u"}}), "u"),
            (json!({"from": {"id": 5, "first_name": ""}}), "5"),
            (
                json!({"from": {"id": 1087968824, "is_bot": true, "first_name": "Group"}, "sender_chat": {"id": -7, "title": "Grupo"}}),
                "Grupo",
            ),
            (json!({"sender_chat": {"id": -9, "title": "Canal: hoy"}}), "Canal hoy"),
            (json!({"author_signature": "Eva"}), "Eva"),
            (json!({}), "-7"),
            (json!({"from": {"id": 6, "first_name": "Luis se ha unido al chat."}}), "6"),
        ];
        for (who, name) in cases {
            assert_eq!(speaker(&said_by(who), Naming::Full), name);
        }
    }

    #[test]
    fn a_long_name_is_cut_at_a_character() {
        let name = clean_name(&"ñ".repeat(60)).unwrap();
        assert_eq!(name, "ñ".repeat(32));
    }

    #[test]
    fn anonymous_administrators_and_channels_are_no_bots() {
        let chat = json!({"from": {"id": 1, "is_bot": true}, "sender_chat": {"id": -7, "title": "Grupo"}});
        assert!(!is_bot(&said_by(chat)));
        assert!(is_bot(&said_by(json!({"from": {"id": 1, "is_bot": true}}))));
    }

    #[test]
    fn forwards_say_from_whom_in_each_form_that_they_come_in() {
        let cases = [
            (
                json!({"forward_origin": {"type": "user", "sender_user": {"id": 1, "first_name": "Eva"}}}),
                Some("Eva"),
            ),
            (
                json!({"forward_origin": {"type": "hidden_user", "sender_user_name": "Sombra"}}),
                Some("Sombra"),
            ),
            (
                json!({"forward_origin": {"type": "channel", "chat": {"id": -1, "title": "Noticias"}}}),
                Some("Noticias"),
            ),
            (json!({"forward_date": 1, "forward_from": {"id": 1, "first_name": "Eva"}}), Some("Eva")),
            (json!({"forward_origin": {"type": "of_tomorrow"}}), Some("?")),
            (
                json!({"is_automatic_forward": true, "forward_origin": {"chat": {"id": -1, "title": "N"}}}),
                None,
            ),
            (json!({"text": "x"}), None),
        ];
        for (body, from) in cases {
            assert_eq!(forwarded_from(&body).as_deref(), from);
        }
    }
}
