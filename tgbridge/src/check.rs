//! What is wrong with a bot, its groups and the relay, and how to put it right. What the Bot API behind the address lacks
//! costs a warning: the bridge itself needs only `getUpdates` and `sendMessage`.

mod chat;
mod relay;

use std::time::Duration;

use serde_json::{Value, json};

use crate::bridge::{LinkSettings, Saved, Settings};
use crate::options::Options;
use crate::phrases::{Language, Phrase, Told};
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
    told: Told,
}

/// What Telegram told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// The bot's name behind the `@`; empty where it is not known.
    pub username: String,
    /// In the order of the questions.
    pub findings: Vec<Finding>,
    /// Telegram does not know the token.
    pub is_token_unknown: bool,
}

impl Finding {
    fn new(level: Level, spanish: impl Into<String>, english: impl Into<String>) -> Self {
        Self { level, told: Told::new(spanish, english) }
    }

    /// For people.
    pub fn shown(&self, language: Language) -> String {
        let word = match (language, self.level) {
            (Language::Es, Level::Well) => "bien",
            (Language::Es, Level::Warning) => "aviso",
            (Language::Es, Level::Wrong) => "mal",
            (Language::En, Level::Well) => "well",
            (Language::En, Level::Warning) => "warning",
            (Language::En, Level::Wrong) => "wrong",
        };
        format!("{word}: {}", self.told.shown(language))
    }
}

/// Checks everything; what to show, and whether nothing is wrong.
pub async fn check(options: &Options) -> Result<(String, bool), String> {
    let client = Client::new(&options.api_url, options.token.clone(), options.proxy.as_deref())
        .map_err(|told| told.shown(options.settings.language).to_owned())?;
    if options.deletes_webhook {
        let _ = client.call("deleteWebhook", &json!({}), WAIT).await;
    }
    let (saved, of_state) = state(options);
    let chats = saved.chats(&options.settings.links);
    let mut findings = telegram(&client, &options.settings, &chats).await.findings;
    findings.extend(relay::find(&options.way, options.login.as_ref(), WAIT).await);
    findings.extend(of_state);
    let is_well = findings.iter().all(|finding| finding.level != Level::Wrong);
    let text: String =
        findings.iter().map(|finding| finding.shown(options.settings.language) + "\n").collect();
    Ok((text, is_well))
}

/// Asks Telegram about the bot and its groups; `chats` are the numbers that they have now, in the order of the links.
pub async fn telegram(client: &Client, settings: &Settings, chats: &[i64]) -> Diagnosis {
    let me = client.call("getMe", &json!({}), WAIT).await;
    let mut findings = vec![of_bot(&me)];
    let mut is_token_unknown = matches!(me, Err(CallError::Refused { code: 401, .. }));
    let username = me.as_ref().map(|me| string(me, "username").to_owned()).unwrap_or_default();
    if is_missing(&me) {
        // Whoever has no token is answered the same; what the bridge cannot do without tells.
        let updates = client.call("getUpdates", &json!({ "limit": 1, "timeout": 0 }), WAIT).await;
        findings.extend(is_missing(&updates).then(nobody));
        is_token_unknown = updates.is_err_and(|error| error.is_of_token());
    }
    if findings.iter().any(|finding| finding.level == Level::Wrong) {
        return Diagnosis { username, findings, is_token_unknown };
    }
    let reads_all =
        me.as_ref().ok().and_then(|me| me.get("can_read_all_group_messages")).and_then(Value::as_bool);
    findings.extend(of_webhook(&client.call("getWebhookInfo", &json!({}), WAIT).await));
    for (link, chat) in settings.links.iter().zip(chats) {
        let link = LinkSettings { chat: *chat, ..link.clone() };
        findings.extend(of_link(client, settings.bot_id, link, reads_all).await);
    }
    Diagnosis { username, findings, is_token_unknown }
}

async fn of_link(client: &Client, bot: i64, mut link: LinkSettings, reads_all: Option<bool>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut told = client.call("getChat", &json!({ "chat_id": link.chat }), WAIT).await;
    if let Err(CallError::Refused { migrate_to: Some(chat), .. }) = told {
        findings.push(chat::moved(&link, chat));
        link.chat = chat;
        told = client.call("getChat", &json!({ "chat_id": chat }), WAIT).await;
    }
    findings.extend(chat::of_chat(&link, &told));
    let asked = json!({ "chat_id": link.chat, "user_id": bot });
    let member = client.call("getChatMember", &asked, WAIT).await;
    findings.extend(chat::of_member(&link, &member, reads_all));
    let mut action = json!({ "chat_id": link.chat, "action": "typing" });
    if let (Some(thread), Some(all)) = (link.thread, action.as_object_mut()) {
        all.insert("message_thread_id".to_owned(), thread.into());
    }
    findings.extend(chat::of_writing(&link, &client.call("sendChatAction", &action, WAIT).await));
    findings
}

/// The method does not exist here; nobody's bot has any.
fn is_missing(answer: &Result<Value, CallError>) -> bool {
    matches!(answer, Err(CallError::Refused { code: 404, .. } | CallError::NotApi { status: 404 }))
}

fn nobody() -> Finding {
    Finding::new(
        Level::Wrong,
        "en esa dirección no hay una Bot API para este token: compruébalo con @BotFather, y --api-url si lo has puesto",
        "at that address there is no Bot API for this token: check it with @BotFather, and --api-url if you gave it",
    )
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
            Phrase::Unauthorized.in_language(Language::Es),
            Phrase::Unauthorized.in_language(Language::En),
        ),
        Err(_) if is_missing(me) => Finding::new(
            Level::Warning,
            "getMe no existe aquí, o el token no es de nadie",
            "getMe does not exist here, or the token is nobody's",
        ),
        Err(error @ CallError::Refused { .. }) => Finding::new(
            Level::Warning,
            format!("Telegram no dice qué bot es: {}", error.told().shown(Language::Es)),
            format!("Telegram does not tell which bot it is: {}", error.told().shown(Language::En)),
        ),
        Err(error) => Finding::new(
            Level::Wrong,
            format!(
                "no se llega a Telegram: {}; ¿hay red?, ¿hace falta --proxy?",
                error.told().shown(Language::Es)
            ),
            format!(
                "Telegram cannot be reached: {}; is there a network? is --proxy needed?",
                error.told().shown(Language::En)
            ),
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

/// Reads the state file without locking it: a bridge may be running.
fn state(options: &Options) -> (Saved, Option<Finding>) {
    let shown = options.state.display().to_string();
    match std::fs::read_to_string(&options.state).map(|text| Saved::parse(&text)) {
        Ok(Ok(saved)) => {
            let well = Finding::new(
                Level::Well,
                format!("el estado se recuerda en {shown}"),
                format!("the state is remembered in {shown}"),
            );
            (saved, Some(well))
        }
        Ok(Err(why)) => {
            let wrong = Finding::new(
                Level::Wrong,
                format!("{shown} no es un fichero de estado ({why}); apártalo para empezar de nuevo"),
                format!("{shown} is no state file ({why}); move it away to begin anew"),
            );
            (Saved::default(), Some(wrong))
        }
        Err(_) => (Saved::default(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64) -> Result<Value, CallError> {
        let description = "Unauthorized".to_owned();
        Err(CallError::Refused { code, description, retry_after: None, migrate_to: None })
    }

    #[test]
    fn a_token_of_nobody_and_a_telegram_that_is_not_there_are_wrong_and_a_poor_one_is_not() {
        assert_eq!(of_bot(&refused(401)).level, Level::Wrong);
        assert_eq!(of_bot(&Err(CallError::NotSent(Told::same("no connection")))).level, Level::Wrong);
        assert_eq!(of_bot(&Err(CallError::Unknown(Told::same("no answer")))).level, Level::Wrong);
        assert_eq!(of_bot(&refused(404)).level, Level::Warning);
        assert!(is_missing(&refused(404)) && !is_missing(&refused(409)));
        assert_eq!(nobody().level, Level::Wrong);
    }

    #[test]
    fn a_webhook_is_wrong() {
        assert_eq!(of_webhook(&Ok(json!({"url": "https://example.org"}))).unwrap().level, Level::Wrong);
        assert_eq!(of_webhook(&refused(404)), None);
    }
}
