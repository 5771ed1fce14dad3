//! What single flags mean: links, times, the pace. Knows neither the command line nor files; `options` calls it.

use std::time::Duration;

use tertulia_wire::limits::{ROOM_DEFAULT, ROOMS_PER_CLIENT_MAX};
use tertulia_wire::name::check_room;

use crate::bridge::{Backlog, LinkSettings, PaceSettings};
use crate::phrases::Told;
use crate::telegram::types::THREAD_GENERAL;

/// A link as it is given; what is wrong with it is found out by [`check_links`].
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenLink {
    chat: i64,
    thread: Option<i64>,
    room: String,
}

pub(super) fn links_of(chats: &[String], rooms: &[String]) -> Result<Vec<GivenLink>, Told> {
    if chats.is_empty() {
        return Err(Told::new(
            "--room va con --chat: di también de qué grupo es la sala",
            "--room goes with --chat: say also of which group the room is",
        ));
    }
    if rooms.len() != chats.len() && !(rooms.is_empty() && chats.len() == 1) {
        let (chats, rooms) = (chats.len(), rooms.len());
        return Err(Told::new(
            format!("{chats} --chat y {rooms} --room: cada grupo necesita una sala"),
            format!("{chats} --chat and {rooms} --room: each chat needs a room"),
        ));
    }
    let rooms = rooms.iter().map(String::as_str).chain(std::iter::repeat(ROOM_DEFAULT));
    chats.iter().zip(rooms).map(|(chat, room)| link(chat, room)).collect()
}

/// What was given is not repeated: it may be a token, in the wrong place.
fn link(text: &str, room: &str) -> Result<GivenLink, Told> {
    let (chat, thread) = text.split_once('/').map_or((text, None), |(chat, thread)| (chat, Some(thread)));
    let number = |text: &str| {
        text.parse::<i64>().map_err(|_| {
            Told::new(
                "--chat: eso no es el número de un chat; escribe /start en el chat y el bot lo dirá",
                "--chat: that is no number of a chat; write /start in the chat to be told it",
            )
        })
    };
    Ok(GivenLink { chat: number(chat)?, thread: thread.map(number).transpose()?, room: room.to_owned() })
}

/// Each chat, or topic, and each room once: else what is said would not come to all, or go round in circles.
pub(super) fn check_links(given: Vec<GivenLink>) -> Result<Vec<LinkSettings>, Told> {
    if given.len() > ROOMS_PER_CLIENT_MAX {
        let count = given.len();
        return Err(Told::new(
            format!("{count} enlaces: un puente tiene {ROOMS_PER_CLIENT_MAX} como mucho; arranca otro"),
            format!("{count} links: a bridge has at most {ROOMS_PER_CLIENT_MAX}; start another one"),
        ));
    }
    let mut links: Vec<LinkSettings> = Vec::new();
    for GivenLink { chat, thread, room } in given {
        let room = room.to_lowercase();
        // What is written there names no topic, and no topic may be named to write there.
        let thread = thread.filter(|thread| *thread != THREAD_GENERAL);
        check_room(&room).map_err(|error| {
            Told::new(
                format!("--room {room}: no puede ser una sala ({error})"),
                format!("--room {room}: {error}"),
            )
        })?;
        if links.iter().any(|link| link.room == room) {
            return Err(Told::new(
                format!("la sala {room} está dos veces; cada sala tiene un grupo"),
                format!("room {room} is joined twice; each room has one chat"),
            ));
        }
        if links.iter().any(|link| link.chat == chat && link.thread == thread) {
            return Err(Told::new(
                format!("el chat {chat} está dos veces; cada chat, o tema suyo, tiene una sala"),
                format!("chat {chat} is joined twice; each chat, or topic of it, has one room"),
            ));
        }
        links.push(LinkSettings { chat, thread, room });
    }
    Ok(links)
}

pub(super) fn backlog(text: &str) -> Result<Backlog, Told> {
    match text.strip_prefix("max-age=") {
        Some(age) => duration(age).map(Backlog::MaxAge),
        None if text == "replay" => Ok(Backlog::Replay),
        None if text == "skip" => Ok(Backlog::Skip),
        None => Err(Told::new(
            format!("--backlog {text}: replay, skip o max-age=10m"),
            format!("--backlog {text}: replay, skip or max-age=10m"),
        )),
    }
}

fn duration(text: &str) -> Result<Duration, Told> {
    let wrong = || {
        Told::new(
            format!("{text} no es un tiempo: 90s, 10m, 12h, 2d"),
            format!("{text} is no time: 90s, 10m, 12h, 2d"),
        )
    };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(count.saturating_mul(unit)))
}

pub(super) fn pace(text: &str) -> Result<PaceSettings, Told> {
    let wrong = || {
        Told::new(
            format!("--pace {text}: SEGUNDOS,POR_MINUTO como 1,20; 0 es sin límite"),
            format!("--pace {text}: SECONDS,PER_MINUTE as 1,20; 0 is no limit"),
        )
    };
    let (seconds, per_minute) = text.split_once(',').ok_or_else(wrong)?;
    let interval = seconds
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(wrong)?;
    Ok(PaceSettings { interval, per_minute: per_minute.parse::<u16>().map_err(|_| wrong())?.into() })
}
