//! What Telegram's answers about one chat mean. `check` asks.

use serde_json::Value;

use super::{Finding, Level};
use crate::bridge::LinkSettings;
use crate::phrases::Language;
use crate::telegram::reply::CallError;
use crate::telegram::types::string;

/// The group has become a supergroup, under another number.
pub(super) fn moved(link: &LinkSettings, chat: i64) -> Finding {
    let old = link.chat;
    Finding::new(
        Level::Warning,
        format!(
            "el grupo {old} es ahora el supergrupo {chat}: ponlo en la configuración; el puente lo sigue él solo"
        ),
        format!(
            "group {old} is supergroup {chat} now: put it into the configuration; the bridge follows it by itself"
        ),
    )
}

/// A method that is missing, or no answer.
fn not_told(method: &str, link: &LinkSettings, error: &CallError) -> Finding {
    let (chat, why) = (link.chat, error.told());
    let (spanish, english) = (why.shown(Language::Es), why.shown(Language::En));
    Finding::new(
        Level::Warning,
        format!("{method} del chat {chat} no contesta nada útil ({spanish}); se sigue sin ello"),
        format!("{method} of chat {chat} answers nothing useful ({english}); it goes on without"),
    )
}

pub(super) fn of_chat(link: &LinkSettings, chat: &Result<Value, CallError>) -> Option<Finding> {
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
        Err(CallError::Refused { code: 403, .. }) => Some(put_out(number)),
        Err(error) => Some(not_told("getChat", link, error)),
    }
}

fn put_out(chat: i64) -> Finding {
    Finding::new(
        Level::Wrong,
        format!("han sacado al bot del chat {chat}: vuelve a añadirlo, o quita el chat"),
        format!("the bot was put out of chat {chat}: add it again, or take the chat away"),
    )
}

pub(super) fn of_member(
    link: &LinkSettings,
    member: &Result<Value, CallError>,
    reads_all: Option<bool>,
) -> Option<Finding> {
    let chat = link.chat;
    let member = match member {
        Ok(member) => member,
        Err(CallError::Refused { code: 403, .. }) => return Some(put_out(chat)),
        // It may be an administrator; else privacy mode is why nothing comes.
        Err(_) if reads_all == Some(false) && chat < 0 => return Some(private(chat, Level::Warning)),
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
    let hears_all = matches!(status, "administrator" | "creator");
    (reads_all == Some(false) && chat < 0 && !hears_all).then(|| private(chat, Level::Wrong))
}

fn private(chat: i64, level: Level) -> Finding {
    Finding::new(
        level,
        format!(
            "el bot tiene el modo privado y no oye lo que se escribe en el chat {chat}: en @BotFather, /setprivacy, elige el bot, Disable; \
             después saca el bot del grupo y vuelve a añadirlo (o hazlo administrador)"
        ),
        format!(
            "the bot has privacy mode on and does not hear what is written in chat {chat}: in @BotFather, /setprivacy, choose the bot, Disable; \
             then remove the bot from the group and add it again (or make it an administrator)"
        ),
    )
}

pub(super) fn of_writing(link: &LinkSettings, action: &Result<Value, CallError>) -> Option<Finding> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrases::Language;
    use serde_json::json;

    fn link(thread: Option<i64>) -> LinkSettings {
        LinkSettings { chat: -1005, thread, room: "general".to_owned() }
    }

    fn refused(code: i64, description: &str) -> Result<Value, CallError> {
        let description = description.to_owned();
        Err(CallError::Refused { code, description, retry_after: None, migrate_to: None })
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
        let unknown =
            of_member(&link(None), &refused(400, "Bad Request: member list is inaccessible"), Some(false));
        let unknown = unknown.unwrap();
        assert_eq!(unknown.level, Level::Warning);
        assert!(unknown.shown(Language::En).contains("/setprivacy"));
    }

    #[test]
    fn a_method_that_is_missing_costs_a_warning() {
        for missing in [refused(404, "Not Found"), Err(CallError::NotApi { status: 404 })] {
            assert_eq!(of_chat(&link(None), &missing).unwrap().level, Level::Warning);
            assert_eq!(of_member(&link(None), &missing, None).unwrap().level, Level::Warning);
            assert_eq!(of_writing(&link(None), &missing), None);
        }
    }

    #[test]
    fn a_bot_that_was_put_out_is_told_so() {
        let kicked = refused(403, "Forbidden: bot was kicked from the supergroup chat");
        for finding in [of_chat(&link(None), &kicked), of_member(&link(None), &kicked, Some(true))] {
            let finding = finding.unwrap();
            assert_eq!(finding.level, Level::Wrong);
            assert!(finding.shown(Language::Es).contains("han sacado al bot"), "{finding:?}");
        }
    }

    #[test]
    fn what_does_not_work_is_wrong() {
        let missing = refused(400, "Bad Request: chat not found");
        assert_eq!(of_chat(&link(None), &missing).unwrap().level, Level::Wrong);
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
