//! Calls of the Bot HTTP API. Every request and every error goes through one function, and no error leaves it with an
//! address, which holds the token.

use std::time::Duration;

use serde_json::{Value, json};

use super::date;
use super::reply::{CallError, decode, decode_updates};
use super::token::Token;
use super::types::{ALLOWED_UPDATES, Update, integer};
use crate::bridge::{Poll, SendMessage};
use crate::network;
use crate::phrases::Told;

/// Where Telegram's own Bot API is.
pub const API_URL: &str = "https://api.telegram.org";

/// How long an answer may take beyond what Telegram was asked to wait.
pub const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// How long a call may take that waits for nothing.
pub const CALL_WAIT: Duration = Duration::from_secs(30);

/// Longest answer that is taken; a hundred of the longest messages would be longer, so fewer are asked for then.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long establishing a connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// A connection on which nothing comes is probed after so long.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What a poll gave.
#[derive(Debug, Clone)]
pub struct Given {
    /// In the order in which they came.
    pub updates: Vec<Update>,
    /// What the clock there showed when it answered, in milliseconds since 1970, to the second.
    pub unix_ms: Option<u64>,
}

/// What came back, whoever answered.
struct Answer {
    status: u16,
    unix_ms: Option<u64>,
    body: Vec<u8>,
}

/// Calls Telegram. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Token,
}

impl Client {
    /// A client of the API at `base`, through a proxy if one is named. Why not, for people, without secrets.
    pub fn new(base: &str, token: Token, proxy: Option<&str>) -> Result<Self, Told> {
        // A second installation is refused, and is the same.
        let _ = tertulia_wire::tls::rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("tertulia-tgbridge/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WAIT)
            .tcp_keepalive(KEEPALIVE)
            .pool_max_idle_per_host(2);
        builder = match proxy {
            // Its address may hold a password: the error does not repeat it.
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy).map_err(|_| {
                Told::new("--proxy no es la dirección de un proxy", "--proxy is no address of a proxy")
            })?),
            None => builder,
        };
        let hide = |words: String| token.hide_in(&words);
        let http = builder.build().map_err(|error| network::told(&error.without_url()).changed(hide))?;
        if reqwest::Url::parse(base).is_err() {
            return Err(Told::new(
                "--api-url no es una dirección como https://api.telegram.org; un nombre con letras de fuera del inglés se escribe como xn--…",
                "--api-url is no address like https://api.telegram.org; a name with letters beyond English ones is written as xn--…",
            ));
        }
        Ok(Self { http, base: base.to_owned(), token })
    }

    /// The token that it calls with.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Asks for updates. The wait for the answer follows from the poll's own, so that neither can be too short for the other.
    pub async fn updates(&self, poll: Poll) -> Result<Given, CallError> {
        let mut parameters = json!({
            "limit": poll.limit,
            "timeout": poll.timeout.as_secs(),
            "allowed_updates": ALLOWED_UPDATES,
        });
        if let (Some(offset), Some(all)) = (poll.offset, parameters.as_object_mut()) {
            all.insert("offset".to_owned(), offset.into());
        }
        let wait = poll.timeout.saturating_add(ANSWER_WAIT);
        let answer = self.answer("getUpdates", &parameters, wait).await?;
        let updates = decode_updates(answer.status, &answer.body).map_err(|error| self.hide(error))?;
        Ok(Given { updates, unix_ms: answer.unix_ms })
    }

    /// Sends a message, as plain text; its number.
    pub async fn send(&self, message: &SendMessage) -> Result<i64, CallError> {
        let mut parameters = json!({ "chat_id": message.chat, "text": message.text });
        if let Some(all) = parameters.as_object_mut() {
            if let Some(thread) = message.thread {
                all.insert("message_thread_id".to_owned(), thread.into());
            }
            if let Some(answered) = message.reply_to {
                let reply = json!({ "message_id": answered, "allow_sending_without_reply": true });
                all.insert("reply_parameters".to_owned(), reply);
            }
        }
        let result = self.call("sendMessage", &parameters, CALL_WAIT).await?;
        Ok(integer(&result, "message_id").unwrap_or_default())
    }

    /// Calls a method and waits for its result.
    pub async fn call(&self, method: &str, parameters: &Value, wait: Duration) -> Result<Value, CallError> {
        let answer = self.answer(method, parameters, wait).await?;
        decode(answer.status, &answer.body).map_err(|error| self.hide(error))
    }

    /// Whatever is answered.
    async fn answer(&self, method: &str, parameters: &Value, wait: Duration) -> Result<Answer, CallError> {
        let body = serde_json::to_vec(parameters).unwrap_or_default();
        let request = self
            .http
            .post(self.token.address(&self.base, method))
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .timeout(wait)
            .body(body);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Err(self.failure(error)),
        };
        let status = answer.status().as_u16();
        let date = answer.headers().get(reqwest::header::DATE).and_then(|date| date.to_str().ok());
        let unix_ms = date.and_then(date::unix_ms);
        Ok(Answer { status, unix_ms, body: self.body(answer).await? })
    }

    async fn body(&self, mut answer: reqwest::Response) -> Result<Vec<u8>, CallError> {
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) <= ANSWER_BYTES_MAX => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => return Err(CallError::TooLarge),
                Ok(None) => return Ok(body),
                Err(error) => return Err(CallError::Unknown(self.why(error))),
            }
        }
    }

    /// Where there was no connection, nothing can have been carried out.
    fn failure(&self, error: reqwest::Error) -> CallError {
        let is_unsent = error.is_connect() || error.is_builder();
        let why = self.why(error);
        if is_unsent { CallError::NotSent(why) } else { CallError::Unknown(why) }
    }

    fn why(&self, error: reqwest::Error) -> Told {
        network::told(&error.without_url()).changed(|words| self.token.hide_in(&words))
    }

    /// Whoever answers may repeat the address.
    fn hide(&self, error: CallError) -> CallError {
        error.hidden(|words| self.token.hide_in(words))
    }
}
