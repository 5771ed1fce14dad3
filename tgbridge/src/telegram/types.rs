//! What Telegram sends, decoded by what the bridge needs; all else stays as the JSON that came. Nothing that is missing,
//! of another type or new makes an update undecodable: its id is what counts, so that polling goes on behind it. Knows
//! no network; `client` and the fuzz target call it.

use serde_json::Value;

/// An update of `getUpdates`.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Its id; the next poll asks for greater ones.
    pub id: i64,
    /// What happened. None: nothing that the bridge passes on.
    pub message: Option<Message>,
    /// Something happened that cannot be read.
    pub is_unreadable: bool,
}

/// A message, in a group or in a channel, new or changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its number in its chat.
    pub id: i64,
    /// When it was sent, in seconds since 1970.
    pub date: i64,
    /// The chat.
    pub chat: i64,
    /// The topic, where it is in one.
    pub thread: Option<i64>,
    /// Its text was changed.
    pub is_edit: bool,
    /// A person or a bot.
    pub from: Option<User>,
    /// A chat that speaks: a channel, or the group itself for an anonymous administrator.
    pub sender_chat: Option<Sender>,
    /// All of it, as it came.
    pub body: Value,
}

/// A person or a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub id: i64,
    /// It is a program.
    pub is_bot: bool,
    /// First name.
    pub first_name: String,
    /// Last name; may be empty.
    pub last_name: String,
    /// The name behind the `@`; may be empty.
    pub username: String,
}

/// A chat that speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Its number.
    pub id: i64,
    /// Its title, else its username; may be empty.
    pub title: String,
}

/// The topic that every forum begins with. Messages of it are as those of a group without topics.
pub const THREAD_GENERAL: i64 = 1;

/// The kinds of update that are asked for.
pub const ALLOWED_UPDATES: [&str; 4] = ["message", "edited_message", "channel_post", "edited_channel_post"];

/// The updates of a result, in their order. What has no id is none.
pub fn updates(result: &mut Value) -> Vec<Update> {
    let Value::Array(all) = result else { return Vec::new() };
    all.drain(..).filter_map(update).collect()
}

/// An update; None where it has no id.
pub fn update(mut value: Value) -> Option<Update> {
    let id = integer(&value, "update_id")?;
    let found = ALLOWED_UPDATES.iter().find_map(|kind| {
        let body = value.get_mut(*kind).map(Value::take)?;
        message(body, kind.starts_with("edited"))
    });
    Some(Update { id, message: found, is_unreadable: false })
}

/// A message; None where it names no chat.
pub fn message(body: Value, is_edit: bool) -> Option<Message> {
    let chat = integer(body.get("chat")?, "id")?;
    let is_topic = body.get("is_topic_message").and_then(Value::as_bool).unwrap_or(false);
    Some(Message {
        id: integer(&body, "message_id").unwrap_or_default(),
        date: integer(&body, "date").unwrap_or_default(),
        chat,
        thread: integer(&body, "message_thread_id").filter(|thread| is_topic && *thread != THREAD_GENERAL),
        is_edit,
        from: body.get("from").and_then(user),
        sender_chat: body.get("sender_chat").and_then(sender),
        body,
    })
}

/// A person or a bot.
pub fn user(value: &Value) -> Option<User> {
    Some(User {
        id: integer(value, "id")?,
        is_bot: value.get("is_bot").and_then(Value::as_bool).unwrap_or(false),
        first_name: string(value, "first_name").to_owned(),
        last_name: string(value, "last_name").to_owned(),
        username: string(value, "username").to_owned(),
    })
}

/// A chat as one that speaks.
pub fn sender(value: &Value) -> Option<Sender> {
    let titles = ["title", "first_name", "username"].map(|key| string(value, key));
    let title = titles.into_iter().find(|title| !title.is_empty()).unwrap_or_default().to_owned();
    Some(Sender { id: integer(value, "id")?, title })
}

/// The integer under a key.
pub fn integer(value: &Value, key: &str) -> Option<i64> {
    value.get(key)?.as_i64()
}

/// The text under a key; empty where there is none.
pub fn string<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_update_that_is_broken_or_unknown_still_gives_its_id() {
        let mut result = json!([
            {"update_id": 7, "message": "no object"},
            {"update_id": 8, "a_kind_of_tomorrow": {"x": 1}},
            {"no_id": true},
            {"update_id": 9, "message": {"message_id": 1, "chat": {"id": -5}, "date": "yesterday"}},
        ]);
        let found = updates(&mut result);
        assert_eq!(found.iter().map(|update| update.id).collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!(found[1].message, None);
        assert_eq!(found[2].message.as_ref().map(|message| message.chat), Some(-5));
    }

    #[test]
    fn what_is_not_known_of_a_message_is_kept() {
        let body = json!({"message_id": 3, "chat": {"id": 1}, "tomorrow": {"deep": [1, 2]}});
        let message = message(body.clone(), false).unwrap();
        assert_eq!(message.body, body);
    }

    #[test]
    fn a_thread_counts_only_in_a_topic() {
        let reply = json!({"chat": {"id": 1}, "message_thread_id": 4});
        assert_eq!(message(reply, false).unwrap().thread, None);
        let topic = json!({"chat": {"id": 1}, "message_thread_id": 4, "is_topic_message": true});
        assert_eq!(message(topic, false).unwrap().thread, Some(4));
        let general = json!({"chat": {"id": 1}, "message_thread_id": 1, "is_topic_message": true});
        assert_eq!(message(general, false).unwrap().thread, None);
    }
}
