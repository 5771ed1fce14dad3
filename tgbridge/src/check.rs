//! What is wrong with a bot, its groups and the relay, and how to put it right. What the Bot API behind the address lacks
//! costs a warning: the bridge itself needs only `getUpdates` and `sendMessage`.

use std::time::Duration;

use serde_json::{Value, json};
use tertulia_wire::limits::TAGGED_LINE_BYTES_MAX;
use tertulia_wire::lines::{Line, Lines};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::bridge::{LinkSettings, Saved, Settings};
use crate::options::Options;
use crate::phrases::Language;
use crate::telegram::client::Client;
use crate::telegram::reply::CallError;
use crate::telegram::types::string;

/// How long each question may take.
const WAIT: Duration = Duration::from_secs(10);

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Well,
    /// It may work all the same.
    Warning,
    /// It does not work like this.
    Wrong,
}

/// Something that was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    spanish: String,
    english: String,
}

/// What Telegram told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// The bot's name behind the `@`; empty where it is not known.
    pub username: String,
    /// In the order of the questions.
    pub findings: Vec<Finding>,
}

impl Finding {
    fn new(level: Level, spanish: impl Into<String>, english: impl Into<String>) -> Self {
        Self { level, spanish: spanish.into(), english: english.into() }
    }

    /// For people.
    pub fn shown(&self, language: Language) -> String {
        let (word, text) = match (language, self.level) {
            (Language::Es, Level::Well) => ("bien", &self.spanish),
            (Language::Es, Level::Warning) => ("aviso", &self.spanish),
            (Language::Es, Level::Wrong) => ("mal", &self.spanish),
            (Language::En, Level::Well) => ("well", &self.english),
            (Language::En, Level::Warning) => ("warning", &self.english),
            (Language::En, Level::Wrong) => ("wrong", &self.english),
        };
        format!("{word}: {text}")
    }
}

/// Checks everything; what to show, and whether nothing is wrong.
pub async fn check(options: &Options) -> Result<(String, bool), String> {
    let client = Client::new(&options.api_url, options.token.clone(), options.proxy.as_deref())?;
    if options.deletes_webhook {
        let _ = client.call("deleteWebhook", &json!({}), WAIT).await;
    }
    let mut findings = telegram(&client, &options.settings).await.findings;
    findings.push(relay(&options.relay).await);
    findings.extend(state(options));
    let is_well = findings.iter().all(|finding| finding.level != Level::Wrong);
    let text: String =
        findings.iter().map(|finding| finding.shown(options.settings.language) + "\n").collect();
    Ok((text, is_well))
}

/// Asks Telegram about the bot and its groups.
pub async fn telegram(client: &Client, settings: &Settings) -> Diagnosis {
    let me = client.call("getMe", &json!({}), WAIT).await;
    let mut findings = vec![of_bot(&me)];
    let is_known = !matches!(findings.first(), Some(Finding { level: Level::Wrong, .. }));
    let username = me.as_ref().map(|me| string(me, "username").to_owned()).unwrap_or_default();
    if !is_known {
        return Diagnosis { username, findings };
    }
    let reads_all =
        me.as_ref().ok().and_then(|me| me.get("can_read_all_group_messages")).and_then(Value::as_bool);
    findings.extend(of_webhook(&client.call("getWebhookInfo", &json!({}), WAIT).await));
    for link in &settings.links {
        let chat = client.call("getChat", &json!({ "chat_id": link.chat }), WAIT).await;
        findings.extend(of_chat(link, &chat));
        let asked = json!({ "chat_id": link.chat, "user_id": settings.bot_id });
        let member = client.call("getChatMember", &asked, WAIT).await;
        findings.extend(of_member(link, &member, reads_all));
        let mut action = json!({ "chat_id": link.chat, "action": "typing" });
        if let (Some(thread), Some(all)) = (link.thread, action.as_object_mut()) {
            all.insert("message_thread_id".to_owned(), thread.into());
        }
        findings.extend(of_writing(link, &client.call("sendChatAction", &action, WAIT).await));
    }
    Diagnosis { username, findings }
}

fn of_bot(me: &Result<Value, CallError>) -> Finding {
    match me {
        Ok(me) => {
            let name = string(me, "username");
            Finding::new(
                Level::Well,
                format!("el token es de @{name}"),
                format!("the token is that of @{name}"),
            )
        }
        Err(CallError::Refused { code: 401, .. }) => Finding::new(
            Level::Wrong,
            "Telegram no conoce este token; pide a @BotFather el de tu bot con /token",
            "Telegram does not know this token; ask @BotFather for your bot's with /token",
        ),
        Err(CallError::Refused { code: 404, .. }) => Finding::new(
            Level::Warning,
            "getMe no existe aquí, o el token no es de nadie",
            "getMe does not exist here, or the token is nobody's",
        ),
        Err(error) => Finding::new(
            Level::Warning,
            format!("no se puede preguntar a Telegram: {}", error.words()),
            format!("Telegram cannot be asked: {}", error.words()),
        ),
    }
}

fn of_webhook(info: &Result<Value, CallError>) -> Option<Finding> {
    let info = info.as_ref().ok()?;
    (!string(info, "url").is_empty()).then(|| {
        Finding::new(
            Level::Wrong,
            "el bot tiene un webhook puesto, y con él no se pueden leer mensajes: arranca una vez con --delete-webhook",
            "the bot has a webhook set, which keeps its messages from being read: start once with --delete-webhook",
        )
    })
}

/// A method that is missing, or no answer.
fn not_told(method: &str, link: &LinkSettings, error: &CallError) -> Finding {
    let (chat, why) = (link.chat, error.words());
    Finding::new(
        Level::Warning,
        format!("{method} del chat {chat} no contesta nada útil ({why}); se sigue sin ello"),
        format!("{method} of chat {chat} answers nothing useful ({why}); it goes on without"),
    )
}

fn of_chat(link: &LinkSettings, chat: &Result<Value, CallError>) -> Option<Finding> {
    let number = link.chat;
    match chat {
        Ok(chat) => {
            let title = string(chat, "title").to_owned();
            let is_forum = chat.get("is_forum").and_then(Value::as_bool).unwrap_or(false);
            Some(match link.thread {
                Some(thread) if !is_forum => Finding::new(
                    Level::Warning,
                    format!("el grupo {number} «{title}» no tiene temas, y se pide el tema {thread}"),
                    format!("group {number} “{title}” has no topics, and topic {thread} is asked for"),
                ),
                _ => Finding::new(
                    Level::Well,
                    format!("el chat {number} es «{title}», unido a la sala {}", link.room),
                    format!("chat {number} is “{title}”, joined to room {}", link.room),
                ),
            })
        }
        Err(CallError::Refused { description, .. })
            if description.to_lowercase().contains("chat not found") =>
        {
            Some(Finding::new(
                Level::Wrong,
                format!(
                    "el chat {number} no existe para este bot: añádelo al grupo, o escribe /start en él para saber su número"
                ),
                format!(
                    "chat {number} does not exist for this bot: add it to the group, or write /start there to learn its number"
                ),
            ))
        }
        Err(error) => Some(not_told("getChat", link, error)),
    }
}

fn of_member(
    link: &LinkSettings,
    member: &Result<Value, CallError>,
    reads_all: Option<bool>,
) -> Option<Finding> {
    let chat = link.chat;
    let member = match member {
        Ok(member) => member,
        Err(error) => return Some(not_told("getChatMember", link, error)),
    };
    let status = string(member, "status");
    let may_write = member.get("can_send_messages").and_then(Value::as_bool).unwrap_or(true);
    if matches!(status, "left" | "kicked") {
        return Some(Finding::new(
            Level::Wrong,
            format!("el bot no está en el chat {chat}: añádelo como a una persona más"),
            format!("the bot is not in chat {chat}: add it like a person"),
        ));
    }
    if status == "restricted" && !may_write {
        return Some(Finding::new(
            Level::Wrong,
            format!("el bot no puede escribir en el chat {chat}: permíteselo en la lista de miembros"),
            format!("the bot may not write in chat {chat}: allow it in the list of members"),
        ));
    }
    // Administrators hear everything, whatever the privacy mode.
    (reads_all == Some(false) && chat < 0 && !matches!(status, "administrator" | "creator")).then(|| {
        Finding::new(
            Level::Wrong,
            format!(
                "el bot tiene el modo privado y no oye lo que se escribe en el chat {chat}: en @BotFather, /setprivacy, elige el bot, Disable; \
                 después saca el bot del grupo y vuelve a añadirlo (o hazlo administrador)"
            ),
            format!(
                "the bot has privacy mode on and does not hear what is written in chat {chat}: in @BotFather, /setprivacy, choose the bot, Disable; \
                 then remove the bot from the group and add it again (or make it an administrator)"
            ),
        )
    })
}

fn of_writing(link: &LinkSettings, action: &Result<Value, CallError>) -> Option<Finding> {
    let (chat, thread) = (link.chat, link.thread.unwrap_or_default());
    let Err(CallError::Refused { code: 400 | 403, description, .. }) = action else { return None };
    if description.to_lowercase().contains("thread") {
        return Some(Finding::new(
            Level::Wrong,
            format!(
                "el tema {thread} del chat {chat} no existe: escribe /start dentro de él para saber su número"
            ),
            format!("topic {thread} of chat {chat} does not exist: write /start in it to learn its number"),
        ));
    }
    Some(Finding::new(
        Level::Wrong,
        format!("el bot no puede escribir en el chat {chat}: {description}"),
        format!("the bot cannot write in chat {chat}: {description}"),
    ))
}

/// Asks the relay whether it is one, without a name, so that nobody there notices.
async fn relay(address: &str) -> Finding {
    match timeout(WAIT, ping(address)).await {
        Ok(Ok(true)) => Finding::new(
            Level::Well,
            format!("en {address} contesta un relay de Tertulia"),
            format!("a Tertulia relay answers at {address}"),
        ),
        Ok(Err(error)) => Finding::new(
            Level::Wrong,
            format!("no se puede conectar con {address}: {error}; ¿está en marcha tertulia-relay?"),
            format!("cannot connect to {address}: {error}; is tertulia-relay running?"),
        ),
        Ok(Ok(false)) | Err(_) => Finding::new(
            Level::Wrong,
            format!("lo que contesta en {address} no es un relay de Tertulia"),
            format!("what answers at {address} is no Tertulia relay"),
        ),
    }
}

async fn ping(address: &str) -> std::io::Result<bool> {
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(b"/ping tgbridge\n").await?;
    let (mut lines, mut buffer) = (Lines::new(TAGGED_LINE_BYTES_MAX), [0; 4096]);
    loop {
        let count = socket.read(&mut buffer).await?;
        let mut bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(false);
        }
        while let Some(line) = lines.next(&mut bytes) {
            if matches!(line, Line::Whole(line) if line.starts_with(b"* PONG")) {
                return Ok(true);
            }
        }
    }
}

/// Reads the state file without locking it: a bridge may be running.
fn state(options: &Options) -> Option<Finding> {
    let shown = options.state.display().to_string();
    match std::fs::read_to_string(&options.state).map(|text| Saved::parse(&text)) {
        Ok(Ok(_)) => Some(Finding::new(
            Level::Well,
            format!("el estado se recuerda en {shown}"),
            format!("the state is remembered in {shown}"),
        )),
        Ok(Err(why)) => Some(Finding::new(
            Level::Wrong,
            format!("{shown} no es un fichero de estado ({why}); apártalo para empezar de nuevo"),
            format!("{shown} is no state file ({why}); move it away to begin anew"),
        )),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(thread: Option<i64>) -> LinkSettings {
        LinkSettings { chat: -1005, thread, room: "general".to_owned() }
    }

    fn refused(code: i64, description: &str) -> Result<Value, CallError> {
        Err(CallError::Refused {
            code,
            description: description.to_owned(),
            retry_after: None,
            migrate_to: None,
        })
    }

    #[test]
    fn privacy_mode_is_explained_with_removing_and_adding_again_unless_the_bot_is_administrator() {
        let finding = of_member(&link(None), &Ok(json!({"status": "member"})), Some(false)).unwrap();
        assert_eq!(finding.level, Level::Wrong);
        for words in ["/setprivacy", "Disable", "vuelve a añadirlo"] {
            assert!(finding.shown(Language::Es).contains(words), "{words}");
        }
        assert_eq!(of_member(&link(None), &Ok(json!({"status": "administrator"})), Some(false)), None);
        assert_eq!(of_member(&link(None), &Ok(json!({"status": "member"})), Some(true)), None);
    }

    #[test]
    fn a_method_that_is_missing_costs_a_warning() {
        let missing = refused(404, "Not Found");
        assert_eq!(of_chat(&link(None), &missing).unwrap().level, Level::Warning);
        assert_eq!(of_member(&link(None), &missing, None).unwrap().level, Level::Warning);
        assert_eq!(of_bot(&missing).level, Level::Warning);
        assert_eq!(of_webhook(&missing), None);
        assert_eq!(of_writing(&link(None), &missing), None);
    }

    #[test]
    fn what_does_not_work_is_wrong() {
        assert_eq!(of_bot(&refused(401, "Unauthorized")).level, Level::Wrong);
        assert_eq!(of_webhook(&Ok(json!({"url": "https://example.org"}))).unwrap().level, Level::Wrong);
        assert_eq!(
            of_chat(&link(None), &refused(400, "Bad Request: chat not found")).unwrap().level,
            Level::Wrong
        );
        for member in
            [json!({"status": "kicked"}), json!({"status": "restricted", "can_send_messages": false})]
        {
            assert_eq!(of_member(&link(None), &Ok(member), Some(true)).unwrap().level, Level::Wrong);
        }
        let topic =
            of_writing(&link(Some(9)), &refused(400, "Bad Request: message thread not found")).unwrap();
        assert!(topic.shown(Language::En).contains("topic 9"));
    }
}
