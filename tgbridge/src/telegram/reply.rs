//! What an answer of the Bot API means: the result, or why there is none and whether the call may have been carried out.
//! Knows no network; `client` hands it what came.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::types::{Update, integer, string, update};
use crate::phrases::Told;

/// Longest description that is kept, in characters.
const DESCRIPTION_CHARS_MAX: usize = 300;

/// Longest wait that is believed in.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The status of a request that was given up on its way, which may have come on all the same.
const REQUEST_TIMEOUT: u16 = 408;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// Telegram has not done it, and says why.
    Refused {
        /// The HTTP status, or the number in the answer; 429, 409, 403…
        code: i64,
        /// For people, in English.
        description: String,
        /// Not before so long.
        retry_after: Option<Duration>,
        /// The group has this number now.
        migrate_to: Option<i64>,
    },
    /// Telegram has never seen the call.
    NotSent(Told),
    /// Something else than a Bot API has refused it.
    NotApi {
        /// The HTTP status.
        status: u16,
    },
    /// It may have been carried out, or not: the answer is missing, or is none.
    Unknown(Told),
    /// The answer is larger than this program takes.
    TooLarge,
    /// The answer is one of the Bot API's, and holds something that cannot be read.
    Undecodable,
}

impl CallError {
    /// Why, in a few words for people. Telegram's own are in English.
    pub fn told(&self) -> Told {
        match self {
            Self::Refused { code, description, .. } => Told::same(format!("{code} {description}")),
            Self::NotSent(why) | Self::Unknown(why) => why.clone(),
            Self::NotApi { status } => without_envelope(*status),
            Self::TooLarge => Told::new("la respuesta es demasiado grande", "the answer is too large"),
            Self::Undecodable => Told::new(
                "la respuesta lleva algo que no se puede leer",
                "the answer holds something that cannot be read",
            ),
        }
    }

    /// Telegram does not know the token. That does not pass by itself.
    pub fn is_of_token(&self) -> bool {
        matches!(self, Self::Refused { code: 401 | 404, .. })
    }

    /// The same with its words put through `hide`, and cut only then: of half a token nothing would be found.
    pub fn hidden(self, hide: impl Fn(&str) -> String) -> Self {
        let cut = |words: String| hide(&words).chars().take(DESCRIPTION_CHARS_MAX).collect();
        match self {
            Self::Refused { code, description, retry_after, migrate_to } => {
                Self::Refused { code, description: cut(description), retry_after, migrate_to }
            }
            Self::NotSent(why) => Self::NotSent(why.changed(cut)),
            Self::Unknown(why) => Self::Unknown(why.changed(cut)),
            other @ (Self::NotApi { .. } | Self::TooLarge | Self::Undecodable) => other,
        }
    }
}

/// The result in an answer. Whatever is behind the address may have answered, so the status counts where the text is none of
/// the Bot API's.
pub fn decode(status: u16, body: &[u8]) -> Result<Value, CallError> {
    let Ok(mut envelope) = serde_json::from_str::<Value>(&readable(body)) else {
        return Err(no_answer(status));
    };
    match envelope.get("ok").and_then(Value::as_bool) {
        Some(true) => Ok(envelope.get_mut("result").map(Value::take).unwrap_or_default()),
        Some(false) => Err(refusal(status, &envelope)),
        None => Err(no_answer(status)),
    }
}

/// An answer with a result, of which nothing is decoded yet.
#[derive(serde::Deserialize)]
struct Given<'a> {
    ok: bool,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
}

#[derive(serde::Deserialize)]
struct Numbered {
    update_id: i64,
}

/// The updates in an answer, one by one: one that cannot be read gives its id and nothing else.
pub fn decode_updates(status: u16, body: &[u8]) -> Result<Vec<Update>, CallError> {
    let text = readable(body);
    let result = match serde_json::from_str::<Given<'_>>(&text) {
        Ok(Given { ok: true, result }) => result.map(RawValue::get).unwrap_or_default(),
        Err(error) if error.is_syntax() && is_given(&text) => return Err(CallError::Undecodable),
        _ => return decode(status, body).map(|_| Vec::new()),
    };
    let all: Vec<&RawValue> = serde_json::from_str(result).unwrap_or_default();
    Ok(all.into_iter().filter_map(|raw| decode_update(raw.get())).collect())
}

fn decode_update(raw: &str) -> Option<Update> {
    match serde_json::from_str::<Value>(raw) {
        Ok(value) => update(value),
        Err(_) => {
            let Numbered { update_id } = serde_json::from_str(raw).ok()?;
            Some(Update { id: update_id, message: None, is_unreadable: true })
        }
    }
}

/// The text of an answer; what is no text in it is replaced, so that it costs a sign and not the whole.
fn readable(body: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(body);
    let is_raw_control = |c: char| c < ' ' && !matches!(c, '\n' | '\r' | '\t');
    if text.contains(is_raw_control) { Cow::Owned(text.replace(is_raw_control, " ")) } else { text }
}

/// Whether it begins as an answer with a result.
fn is_given(text: &str) -> bool {
    let start: String = text.chars().filter(|c| !c.is_whitespace()).take(10).collect();
    start == r#"{"ok":true"#
}

fn refusal(status: u16, envelope: &Value) -> CallError {
    let code = integer(envelope, "error_code").unwrap_or(i64::from(status));
    let description = string(envelope, "description").to_owned();
    if !(400..500).contains(&code) {
        return CallError::Unknown(Told::same(format!("{code} {description}")));
    }
    let parameters = envelope.get("parameters");
    let number = |key| parameters.and_then(|all| integer(all, key));
    let seconds = number("retry_after").and_then(|seconds| u64::try_from(seconds).ok());
    CallError::Refused {
        code,
        description,
        retry_after: seconds.map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX)),
        migrate_to: number("migrate_to_chat_id"),
    }
}

/// Whoever is on the way and refuses a call has not passed it on; of all else nothing is known.
fn no_answer(status: u16) -> CallError {
    match status {
        REQUEST_TIMEOUT => CallError::Unknown(without_envelope(status)),
        400..500 => CallError::NotApi { status },
        _ => CallError::Unknown(without_envelope(status)),
    }
}

fn without_envelope(status: u16) -> Told {
    Told::new(
        format!("HTTP {status}, sin respuesta de la Bot API"),
        format!("HTTP {status} without an answer of the Bot API"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> CallError {
        decode(status, body.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_result_is_given_and_a_refusal_tells_when_and_where_to() {
        assert_eq!(decode(200, br#"{"ok":true,"result":[1]}"#), Ok(serde_json::json!([1])));
        let error = refused(
            429,
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":7}}"#,
        );
        let CallError::Refused { code, retry_after, .. } = error else { panic!("{error:?}") };
        assert_eq!((code, retry_after), (429, Some(Duration::from_secs(7))));
        let error = refused(
            400,
            r#"{"ok":false,"error_code":400,"description":"x","parameters":{"migrate_to_chat_id":-1005}}"#,
        );
        assert!(matches!(error, CallError::Refused { migrate_to: Some(-1005), .. }));
    }

    #[test]
    fn what_may_have_been_carried_out_is_unknown() {
        for (status, body) in [
            (200, r#"{"ok":true,"resu"#),
            (200, "<html>"),
            (502, "<html>Bad Gateway"),
            (500, r#"{"ok":false,"error_code":500,"description":"Internal Server Error"}"#),
            (200, "[]"),
        ] {
            assert!(matches!(refused(status, body), CallError::Unknown(_)), "{status} {body}");
        }
        assert!(matches!(refused(408, "<html>"), CallError::Unknown(_)));
    }

    #[test]
    fn what_is_refused_by_something_else_than_a_bot_api_is_no_refusal_of_telegrams() {
        for (status, body) in [(404, "not here"), (403, "<html>"), (429, "{}"), (400, "[]")] {
            assert_eq!(refused(status, body), CallError::NotApi { status }, "{body}");
        }
    }

    #[test]
    fn no_wait_is_longer_than_a_day() {
        let body = format!(r#"{{"ok":false,"error_code":429,"parameters":{{"retry_after":{}}}}}"#, i64::MAX);
        let CallError::Refused { retry_after, .. } = refused(429, &body) else { panic!("{body}") };
        assert_eq!(retry_after, Some(RETRY_AFTER_MAX));
    }

    #[test]
    fn one_update_that_cannot_be_read_costs_itself_and_no_other() {
        let strange: [&[u8]; 3] = [br"\ud800", b"\xff\x01", br"\u00e9"];
        for (text, reads_all) in strange.into_iter().zip([false, true, true]) {
            let body = [
                br#"{"ok":true,"result":[{"update_id":7,"message":{"message_id":1,"chat":{"id":5},"text":""#,
                text,
                br#""}},{"update_id":8,"message":{"message_id":2,"chat":{"id":5},"text":"x"}}]}"#,
            ];
            let found = decode_updates(200, &body.concat()).unwrap();
            assert_eq!(found.iter().map(|update| update.id).collect::<Vec<_>>(), [7, 8]);
            assert_eq!((found[0].is_unreadable, found[0].message.is_some()), (!reads_all, reads_all));
            assert!(found[1].message.is_some());
        }
    }

    #[test]
    fn an_answer_that_breaks_off_is_missing_and_one_with_broken_words_cannot_be_read() {
        let broken = br#"{"ok": true, "result": [{"update_id": 7, "message": {"text": "\q"}}]}"#;
        assert_eq!(decode_updates(200, broken), Err(CallError::Undecodable));
        assert!(matches!(decode_updates(200, &broken[..40]), Err(CallError::Unknown(_))));
        assert!(matches!(decode_updates(200, b"<html>"), Err(CallError::Unknown(_))));
        assert_eq!(decode_updates(200, br#"{"ok":true,"result":null}"#), Ok(vec![]));
        let refused = br#"{"ok":false,"error_code":409,"description":"Conflict"}"#;
        assert!(matches!(decode_updates(409, refused), Err(CallError::Refused { code: 409, .. })));
    }

    #[test]
    fn words_are_hidden_before_they_are_cut() {
        let description = format!("{}SECRET", "x".repeat(DESCRIPTION_CHARS_MAX - 3));
        let error = CallError::Refused { code: 400, description, retry_after: None, migrate_to: None };
        let CallError::Refused { description, .. } = error.hidden(|text| text.replace("SECRET", "-")) else {
            panic!("it is still refused")
        };
        assert!(!description.contains('S'), "{description}");
    }
}
