//! A Telegram of the tests' own: it does what the Bot API's documentation says, and what it is told to do wrong.
//!
//! Faults are a script, in order for each method: `sendMessage 429 2; getUpdates hang; sendMessage taken-cut x3`.
//!
//! - a status alone (`500`, `502`): refused with it; `429 N`: with `retry_after`; `409`: another program polls;
//! - `hang`: never answered; `cut`: an answer that breaks off, nothing was done; `taken-cut`: it was done all the same;
//! - `400 WORDS`: refused with these words (`_` for a space); `html`: no answer of the Bot API at all.

#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// The secret that nothing may ever show.
pub(crate) const SECRET: &str = "AAEsecretoDeVerdad_42-zZ";
pub(crate) const BOT_ID: i64 = 4242;
pub(crate) const GROUP: i64 = -1_001_234;

/// A message that a chat has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) id: i64,
    pub(crate) chat: i64,
    pub(crate) thread: Option<i64>,
    pub(crate) text: String,
    pub(crate) reply_to: Option<i64>,
}

#[derive(Default)]
pub(crate) struct World {
    updates: VecDeque<Value>,
    last_update: i64,
    last_message: i64,
    pub(crate) sent: Vec<Sent>,
    /// Lines in them, those that were forgotten included.
    pub(crate) lines_sent: usize,
    /// Only the newest message is kept.
    pub(crate) forgets_sent: bool,
    faults: HashMap<String, VecDeque<String>>,
    /// Methods that this implementation lacks.
    pub(crate) missing: HashSet<String>,
    /// It does not wait for updates.
    pub(crate) is_hasty: bool,
    pub(crate) polls: usize,
    /// Texts whose sender cannot know whether they were taken.
    pub(crate) unanswered: Vec<String>,
    poll_generation: u64,
    pub(crate) migrated: HashMap<i64, i64>,
    /// Where updates are sent to; while it is set, they cannot be asked for.
    pub(crate) webhook: Option<String>,
    /// Answers that differ from the usual ones.
    pub(crate) answers: HashMap<String, Value>,
}

impl World {
    /// Nothing more is to go wrong.
    pub(crate) fn forget_faults(&mut self) {
        self.faults.clear();
    }
}

pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    changed: Notify,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

impl Fake {
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Shared { world: Mutex::new(World::default()), changed: Notify::new() });
        let router = Router::new().route("/{bot}/{method}", post(answer)).with_state(shared.clone());
        let (sender, receiver) = std::sync::mpsc::channel();
        // Goes with the test's process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { address: receiver.recv().unwrap(), shared }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// What is to go wrong next.
    pub(crate) fn script(&self, script: &str) {
        let mut world = self.world();
        for fault in script.split(';').map(str::trim).filter(|fault| !fault.is_empty()) {
            let (method, fault) = fault.split_once(' ').unwrap();
            let (fault, count) = match fault.rsplit_once(" x") {
                Some((fault, count)) => (fault, count.parse().unwrap()),
                None => (fault, 1),
            };
            let faults = world.faults.entry(method.to_owned()).or_default();
            faults.extend(std::iter::repeat_n(fault.to_owned(), count));
        }
    }

    /// An update with these keys, and its id.
    pub(crate) fn update(&self, content: Value) -> i64 {
        let mut world = self.world();
        world.last_update += 1;
        let id = 900_000 + world.last_update;
        let mut update = json!({ "update_id": id, "a_field_of_tomorrow": {"x": [1]} });
        update.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        world.updates.push_back(update);
        drop(world);
        self.shared.changed.notify_waiters();
        id
    }

    /// A message in the group, with these keys besides the usual ones; its number.
    pub(crate) fn message(&self, name: &str, content: Value) -> i64 {
        self.message_in(GROUP, name, content)
    }

    pub(crate) fn message_in(&self, chat: i64, name: &str, content: Value) -> i64 {
        let id = {
            let mut world = self.world();
            world.last_message += 1;
            world.last_message
        };
        let date = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let mut message = json!({
            "message_id": id, "date": date, "chat": {"id": chat, "type": "supergroup", "title": "Grupo"},
            "from": {"id": 77, "is_bot": false, "first_name": name},
        });
        message.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        self.update(json!({ "message": message }));
        id
    }

    /// All that the chats got, in order.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.world().sent.clone()
    }

    /// The lines that a chat got.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.sent()
            .iter()
            .flat_map(|sent| sent.text.split('\n').map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }
}

fn refuse(code: u16, description: &str, parameters: Value) -> Response {
    let body = json!({"ok": false, "error_code": code, "description": description, "parameters": parameters});
    (StatusCode::from_u16(code).unwrap(), body.to_string()).into_response()
}

fn give(result: &Value) -> Response {
    json!({ "ok": true, "result": result }).to_string().into_response()
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    Path((bot, method)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    if bot != format!("bot{BOT_ID}:{SECRET}") {
        return refuse(401, "Unauthorized", json!({}));
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let fault = {
        let mut world = shared.world();
        if method == "getUpdates" {
            world.polls += 1;
        }
        if world.missing.contains(&method) {
            return refuse(404, "Not Found", json!({}));
        }
        world.faults.get_mut(&method).and_then(VecDeque::pop_front)
    };
    let Some(fault) = fault else { return carry_out(&shared, &method, &asked).await };
    let (kind, argument) = fault.split_once(' ').unwrap_or((&fault, ""));
    let is_unknown =
        matches!(kind, "hang" | "cut" | "html" | "taken-cut" | "broken") || kind.starts_with('5');
    if is_unknown && method == "sendMessage" {
        shared.world().unanswered.push(asked["text"].as_str().unwrap().to_owned());
    }
    match kind {
        "hang" => std::future::pending().await,
        "cut" => r#"{"ok":true,"resu"#.into_response(),
        "html" => (StatusCode::BAD_GATEWAY, "<html>Bad Gateway</html>").into_response(),
        "taken-cut" => {
            carry_out(&shared, &method, &asked).await;
            r#"{"ok":true,"resu"#.into_response()
        }
        "429" => {
            let seconds: i64 = argument.parse().unwrap();
            refuse(
                429,
                &format!("Too Many Requests: retry after {seconds}"),
                json!({ "retry_after": seconds }),
            )
        }
        "409" => refuse(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            json!({}),
        ),
        // An implementation that repeats the address that it was asked at.
        "echo" => refuse(400, &format!("cannot serve /{bot}/{method}"), json!({})),
        code => refuse(code.parse().unwrap(), &argument.replace('_', " "), json!({})),
    }
}

async fn carry_out(shared: &Arc<Shared>, method: &str, asked: &Value) -> Response {
    if let Some(answer) = shared.world().answers.get(method) {
        return give(answer);
    }
    match method {
        "getUpdates" => updates(shared, asked).await,
        "sendMessage" => send(&mut shared.world(), asked),
        "getMe" => give(
            &json!({"id": BOT_ID, "is_bot": true, "username": "puente_bot", "can_read_all_group_messages": true}),
        ),
        "getWebhookInfo" => give(&json!({"url": shared.world().webhook.clone().unwrap_or_default()})),
        "deleteWebhook" => {
            shared.world().webhook = None;
            give(&json!(true))
        }
        "getChat" => give(&json!({"id": asked["chat_id"], "type": "supergroup", "title": "Grupo"})),
        "getChatMember" => give(&json!({"status": "member"})),
        "sendChatAction" => give(&json!(true)),
        _ => refuse(404, "Not Found", json!({})),
    }
}

/// An update is confirmed once a call asks for a greater one; of two polls the older one is ended.
async fn updates(shared: &Arc<Shared>, asked: &Value) -> Response {
    let generation = {
        let mut world = shared.world();
        if world.webhook.is_some() {
            let words = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
            return refuse(409, words, json!({}));
        }
        world.poll_generation += 1;
        world.poll_generation
    };
    shared.changed.notify_waiters();
    let wait = Duration::from_secs(asked["timeout"].as_u64().unwrap_or_default());
    let until = tokio::time::Instant::now() + wait;
    loop {
        let changed = shared.changed.notified();
        {
            let mut world = shared.world();
            if world.poll_generation != generation {
                return refuse(409, "Conflict: terminated by other getUpdates request", json!({}));
            }
            if let Some(offset) = asked["offset"].as_i64() {
                world.updates.retain(|update| update["update_id"].as_i64().unwrap() >= offset);
            }
            let limit = asked["limit"].as_u64().unwrap_or(100);
            let found: Vec<Value> =
                world.updates.iter().take(usize::try_from(limit).unwrap()).cloned().collect();
            if !found.is_empty() || world.is_hasty {
                return give(&json!(found));
            }
        }
        if tokio::time::timeout_at(until, changed).await.is_err() {
            return give(&json!([]));
        }
    }
}

fn send(world: &mut World, asked: &Value) -> Response {
    let chat = asked["chat_id"].as_i64().unwrap();
    if let Some(to) = world.migrated.get(&chat) {
        let description = "Bad Request: group chat was upgraded to a supergroup chat";
        return refuse(400, description, json!({ "migrate_to_chat_id": to }));
    }
    let text = asked["text"].as_str().unwrap().trim().to_owned();
    if text.is_empty() || asked.get("parse_mode").is_some() {
        return refuse(400, "Bad Request: message text is empty", json!({}));
    }
    if text.encode_utf16().count() > 4096 {
        return refuse(400, "Bad Request: message is too long", json!({}));
    }
    world.last_message += 1;
    let sent = Sent {
        id: world.last_message,
        chat,
        thread: asked["message_thread_id"].as_i64(),
        text,
        reply_to: asked["reply_parameters"]["message_id"].as_i64(),
    };
    let answer = json!({"message_id": sent.id, "chat": {"id": chat}, "text": sent.text});
    world.lines_sent += sent.text.lines().count();
    if world.forgets_sent {
        world.sent.clear();
    }
    world.sent.push(sent);
    give(&answer)
}
