//! What a message says, as one text: words as they are, all else as one honest line in brackets, captions kept. Never a
//! link to a file: it would hold the token. Knows nothing of who says it.

use serde_json::Value;

use super::rich;
use crate::phrases::{Language, Phrase};
use crate::telegram::types::{integer, string};

/// What accompanies a message, and is not what it says.
const COMPANIONS: &[&str] = &[
    "message_id",
    "message_thread_id",
    "direct_messages_topic",
    "from",
    "sender_chat",
    "sender_boost_count",
    "sender_business_bot",
    "sender_tag",
    "date",
    "business_connection_id",
    "chat",
    "forward_origin",
    "forward_from",
    "forward_from_chat",
    "forward_from_message_id",
    "forward_signature",
    "forward_sender_name",
    "forward_date",
    "is_topic_message",
    "is_automatic_forward",
    "reply_to_message",
    "external_reply",
    "quote",
    "reply_to_story",
    "reply_to_checklist_task_id",
    "via_bot",
    "edit_date",
    "has_protected_content",
    "is_from_offline",
    "is_paid_post",
    "media_group_id",
    "author_signature",
    "paid_star_count",
    "entities",
    "link_preview_options",
    "suggested_post_info",
    "effect_id",
    "caption",
    "caption_entities",
    "show_caption_above_media",
    "has_media_spoiler",
    "reply_markup",
];

/// The longest piece of another message that is quoted, in UTF-16 units.
pub(super) const QUOTE_UNITS_MAX: usize = 46;

/// What the message says; never empty.
pub fn describe(body: &Value, language: Language) -> String {
    let text = with_links(string(body, "text"), body.get("entities"));
    if !text.is_empty() {
        return text;
    }
    if let Some(rich) = body.get("rich_message") {
        let text = rich::flatten(rich, language);
        if !text.is_empty() {
            return text;
        }
    }
    let what =
        media(body, language).or_else(|| service(body, language)).unwrap_or_else(|| unknown(body, language));
    let caption = with_links(string(body, "caption"), body.get("caption_entities"));
    if caption.is_empty() { format!("[{what}]") } else { format!("[{what}] {caption}") }
}

/// A text with the addresses behind its words, where the words do not show them.
pub(super) fn with_links(text: &str, entities: Option<&Value>) -> String {
    let entities = entities.and_then(Value::as_array).into_iter().flatten();
    let mut links: Vec<(usize, &str)> = entities
        .filter(|entity| string(entity, "type") == "text_link")
        .filter_map(|entity| {
            let end = integer(entity, "offset")?.checked_add(integer(entity, "length")?)?;
            Some((usize::try_from(end).ok()?, string(entity, "url")))
        })
        .collect();
    links.sort_by_key(|(end, _)| *end);
    let (mut shown, mut at, mut links) =
        (String::with_capacity(text.len()), 0_usize, links.into_iter().peekable());
    for c in text.chars() {
        shown.push(c);
        at = at.saturating_add(c.len_utf16());
        while let Some((_, url)) = links.next_if(|(end, _)| *end <= at) {
            if !url.is_empty() && !shown.ends_with(url) {
                shown.push_str(&format!(" ({url})"));
            }
        }
    }
    shown
}

fn media(body: &Value, language: Language) -> Option<String> {
    let word = |phrase: Phrase| phrase.in_language(language);
    let get = |key: &str| body.get(key).filter(|value| !value.is_null());
    let named = |phrase, value: &Value| details(word(phrase), &[length(value), size(value)]);
    if get("photo").is_some() {
        return Some(word(Phrase::Photo).to_owned());
    }
    if let Some(sticker) = get("sticker") {
        return Some(format!("{} {}", word(Phrase::Sticker), string(sticker, "emoji")).trim_end().to_owned());
    }
    // A document comes along with an animation, for old clients.
    if let Some(animation) = get("animation") {
        return Some(details(word(Phrase::Animation), &[length(animation)]));
    }
    if let Some(file) = get("document") {
        let name = format!("{} {}", word(Phrase::File), string(file, "file_name"));
        return Some(details(name.trim_end(), &[size(file)]));
    }
    if let Some(audio) = get("audio") {
        let title = [string(audio, "performer"), string(audio, "title")].map(str::trim);
        let title = title.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" – ");
        let title = if title.is_empty() { string(audio, "file_name").to_owned() } else { title };
        return Some(details(format!("{} {title}", word(Phrase::Audio)).trim_end(), &[length(audio)]));
    }
    let with_length = [("voice", Phrase::Voice), ("video_note", Phrase::VideoNote)];
    if let Some((value, phrase)) = with_length.into_iter().find_map(|(key, phrase)| Some((get(key)?, phrase)))
    {
        return Some(details(word(phrase), &[length(value)]));
    }
    if let Some(video) = get("video") {
        return Some(named(Phrase::Video, video));
    }
    if let Some(venue) = get("venue") {
        let place = [string(venue, "title"), string(venue, "address")];
        let place = place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        return Some(format!("{}: {place}", word(Phrase::Venue)));
    }
    if let Some(location) = get("location") {
        let degrees = |key| location.get(key).and_then(Value::as_f64).unwrap_or_default();
        return Some(format!("{} {}, {}", word(Phrase::Location), degrees("latitude"), degrees("longitude")));
    }
    asked(body, language)
}

/// What is neither a file nor a place.
fn asked(body: &Value, language: Language) -> Option<String> {
    let word = |phrase: Phrase| phrase.in_language(language);
    let get = |key: &str| body.get(key).filter(|value| !value.is_null());
    if let Some(poll) = get("poll") {
        let answers = texts(poll.get("options"), "text").join(" / ");
        return Some(format!("{}: {} — {answers}", word(Phrase::Poll), string(poll, "question")));
    }
    if let Some(contact) = get("contact") {
        let parts = ["first_name", "last_name", "phone_number"].map(|key| string(contact, key));
        let parts = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        return Some(format!("{}: {parts}", word(Phrase::Contact)));
    }
    if let Some(dice) = get("dice") {
        let value = integer(dice, "value").unwrap_or_default();
        return Some(format!("{} {} {value}", word(Phrase::Dice), string(dice, "emoji")));
    }
    if let Some(list) = get("checklist") {
        let tasks = texts(list.get("tasks"), "text").join(" / ");
        return Some(format!("{}: {} — {tasks}", word(Phrase::Checklist), string(list, "title")));
    }
    if let Some(titled) =
        get("game").map(|game| (Phrase::Game, game)).or(get("invoice").map(|it| (Phrase::Invoice, it)))
    {
        return Some(format!("{}: {}", word(titled.0), string(titled.1, "title")));
    }
    let bare = [("story", Phrase::Story), ("paid_media", Phrase::PaidMedia)];
    bare.into_iter().find(|(key, _)| get(key).is_some()).map(|(_, phrase)| word(phrase).to_owned())
}

fn service(body: &Value, language: Language) -> Option<String> {
    let get = |key: &str| body.get(key).filter(|value| !value.is_null());
    if let Some(members) = get("new_chat_members").and_then(Value::as_array) {
        let names: Vec<String> = members.iter().map(short_name).collect();
        let phrase = if names.len() > 1 { Phrase::MembersJoined } else { Phrase::MemberJoined };
        return Some(phrase.with(language, &[&names.join(", ")]));
    }
    if let Some(member) = get("left_chat_member") {
        return Some(Phrase::MemberLeft.with(language, &[&short_name(member)]));
    }
    if let Some(pinned) = get("pinned_message") {
        let text = super::split::shorten(&describe(pinned, language), QUOTE_UNITS_MAX).into_owned();
        return Some(Phrase::Pinned.with(language, &[&text]));
    }
    if get("new_chat_title").is_some() {
        return Some(Phrase::NewTitle.with(language, &[string(body, "new_chat_title")]));
    }
    if let Some(topic) = get("forum_topic_created") {
        return Some(Phrase::TopicCreated.with(language, &[string(topic, "name")]));
    }
    let bare = [
        ("new_chat_photo", Phrase::NewPhoto),
        ("delete_chat_photo", Phrase::PhotoDeleted),
        ("group_chat_created", Phrase::GroupCreated),
        ("supergroup_chat_created", Phrase::GroupCreated),
        ("channel_chat_created", Phrase::GroupCreated),
        ("migrate_to_chat_id", Phrase::Migrated),
        ("migrate_from_chat_id", Phrase::Migrated),
        ("forum_topic_closed", Phrase::TopicClosed),
        ("forum_topic_reopened", Phrase::TopicReopened),
        ("forum_topic_edited", Phrase::TopicEdited),
        ("video_chat_scheduled", Phrase::CallScheduled),
        ("video_chat_started", Phrase::CallStarted),
        ("video_chat_ended", Phrase::CallEnded),
    ];
    bare.into_iter().find(|(key, _)| get(key).is_some()).map(|(_, phrase)| phrase.with(language, &[]))
}

/// A kind that is not known yet is at least named.
fn unknown(body: &Value, language: Language) -> String {
    let keys = body.as_object().into_iter().flat_map(serde_json::Map::keys);
    let kind = keys.map(String::as_str).find(|key| !COMPANIONS.contains(key));
    kind.map_or_else(|| Phrase::Empty.with(language, &[]), |kind| Phrase::Unknown.with(language, &[kind]))
}

fn texts<'a>(list: Option<&'a Value>, key: &str) -> Vec<&'a str> {
    list.and_then(Value::as_array).into_iter().flatten().map(|entry| string(entry, key)).collect()
}

fn short_name(user: &Value) -> String {
    format!("{} {}", string(user, "first_name"), string(user, "last_name")).trim().to_owned()
}

fn details(what: &str, further: &[Option<String>]) -> String {
    let further = further.iter().flatten();
    further.fold(what.to_owned(), |text, detail| format!("{text}, {detail}"))
}

/// `1:05`, from a duration in seconds.
fn length(value: &Value) -> Option<String> {
    let seconds = integer(value, "duration")?.max(0);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    Some(format!("{minutes}:{seconds:02}"))
}

/// `2,1 MB` would differ by language; whole numbers do not.
fn size(value: &Value) -> Option<String> {
    let bytes = integer(value, "file_size")?;
    Some(match bytes {
        1_000_000.. => format!("{} MB", bytes / 1_000_000),
        1_000.. => format!("{} kB", bytes / 1_000),
        _ => format!("{bytes} B"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_message_is_one_honest_line() {
        let cases = [
            (json!({"text": "hola"}), "hola"),
            (json!({"photo": [{"file_id": "x"}], "caption": "el mar"}), "[foto] el mar"),
            (json!({"sticker": {"emoji": "😀"}}), "[pegatina 😀]"),
            (json!({"document": {"file_name": "n.pdf", "file_size": 2_100_000}}), "[archivo n.pdf, 2 MB]"),
            (json!({"animation": {"duration": 3}, "document": {"file_name": "g.mp4"}}), "[animación, 0:03]"),
            (json!({"voice": {"duration": 65}}), "[nota de voz, 1:05]"),
            (json!({"video_note": {"duration": 9}}), "[videomensaje, 0:09]"),
            (json!({"video": {"duration": 30, "file_size": 5000}}), "[vídeo, 0:30, 5 kB]"),
            (
                json!({"audio": {"performer": "Falla", "title": "Jota", "duration": 61}}),
                "[audio Falla – Jota, 1:01]",
            ),
            (json!({"location": {"latitude": 40.4, "longitude": -3.7}}), "[ubicación 40.4, -3.7]"),
            (
                json!({"venue": {"title": "Bar", "address": "Sol 1"}, "location": {"latitude": 1.0}}),
                "[lugar: Bar, Sol 1]",
            ),
            (
                json!({"poll": {"question": "¿Sí?", "options": [{"text": "a"}, {"text": "b"}]}}),
                "[encuesta: ¿Sí? — a / b]",
            ),
            (json!({"contact": {"first_name": "Eva", "phone_number": "+34"}}), "[contacto: Eva +34]"),
            (json!({"dice": {"emoji": "🎲", "value": 5}}), "[dado 🎲 5]"),
            (json!({"story": {}}), "[historia]"),
            (
                json!({"new_chat_members": [{"first_name": "Ana"}, {"first_name": "Luis"}]}),
                "[Ana, Luis han entrado en el grupo]",
            ),
            (
                json!({"left_chat_member": {"first_name": "Ana", "last_name": "Gil"}}),
                "[Ana Gil ha salido del grupo]",
            ),
            (json!({"new_chat_title": "Peña"}), "[el grupo se llama ahora «Peña»]"),
            (json!({"pinned_message": {"text": "lee esto"}}), "[mensaje fijado: lee esto]"),
            (json!({"forum_topic_created": {"name": "Cine"}}), "[tema nuevo: Cine]"),
            (
                json!({"message_id": 1, "date": 2, "hologram": {}}),
                "[mensaje de un tipo que este puente no conoce: hologram]",
            ),
            (json!({"message_id": 1}), "[mensaje vacío]"),
        ];
        for (body, expected) in cases {
            assert_eq!(describe(&body, Language::Es), expected);
        }
    }

    #[test]
    fn no_line_holds_what_a_file_could_be_fetched_with() {
        let file = json!({"document": {"file_id": "SECRETO", "file_path": "documents/1", "file_name": "a"}});
        assert_eq!(describe(&file, Language::En), "[file a]");
    }

    #[test]
    fn addresses_behind_words_are_shown_by_offsets_in_utf16() {
        let body = json!({"text": "😀 mira aquí ya", "entities": [
            {"type": "text_link", "offset": 8, "length": 4, "url": "https://example.org/"},
            {"type": "bold", "offset": 0, "length": 2}]});
        assert_eq!(describe(&body, Language::Es), "😀 mira aquí (https://example.org/) ya");
    }
}
