//! What an answer of the Bot API means: the result, or why there is none and whether the call may have been carried out.
//! Knows no network; `client` hands it what came.

use std::time::Duration;

use serde_json::Value;

use super::types::{integer, string};

/// Longest description that is kept, in characters.
const DESCRIPTION_CHARS_MAX: usize = 300;

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
    NotSent(String),
    /// It may have been carried out, or not: the answer is missing, or is none.
    Unknown(String),
    /// The answer is larger than this program takes.
    TooLarge,
}

impl CallError {
    /// Why, in a few words.
    pub fn words(&self) -> String {
        match self {
            Self::Refused { code, description, .. } => format!("{code} {description}"),
            Self::NotSent(why) | Self::Unknown(why) => why.clone(),
            Self::TooLarge => "the answer is too large".to_owned(),
        }
    }
}

/// The result in an answer. Whatever is behind the address may have answered, so the status counts where the text is none of
/// the Bot API's.
pub fn decode(status: u16, body: &[u8]) -> Result<Value, CallError> {
    let Ok(mut envelope) = serde_json::from_slice::<Value>(body) else {
        return Err(without_envelope(status));
    };
    match envelope.get("ok").and_then(Value::as_bool) {
        Some(true) => Ok(envelope.get_mut("result").map(Value::take).unwrap_or_default()),
        Some(false) => Err(refusal(status, &envelope)),
        None => Err(without_envelope(status)),
    }
}

fn refusal(status: u16, envelope: &Value) -> CallError {
    let code = integer(envelope, "error_code").unwrap_or(i64::from(status));
    let description: String = string(envelope, "description").chars().take(DESCRIPTION_CHARS_MAX).collect();
    if !(400..500).contains(&code) {
        return CallError::Unknown(format!("{code} {description}"));
    }
    let parameters = envelope.get("parameters");
    let number = |key| parameters.and_then(|all| integer(all, key));
    let seconds = number("retry_after").and_then(|seconds| u64::try_from(seconds).ok());
    CallError::Refused {
        code,
        description,
        retry_after: seconds.map(Duration::from_secs),
        migrate_to: number("migrate_to_chat_id"),
    }
}

fn without_envelope(status: u16) -> CallError {
    let description = format!("HTTP {status} without an answer of the Bot API");
    if (400..500).contains(&status) {
        return CallError::Refused {
            code: i64::from(status),
            description,
            retry_after: None,
            migrate_to: None,
        };
    }
    CallError::Unknown(description)
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
        assert!(matches!(refused(404, "not here"), CallError::Refused { code: 404, .. }));
    }
}
