//! Flags and the configuration file. A flag counts more than the file. The token comes from the environment or from a file
//! of its own, never from the command line, which every program of the machine can read.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use tertulia_wire::limits::{PORT, ROOM_DEFAULT, ROOMS_PER_CLIENT_MAX};
use tertulia_wire::name::{Name, SEPARATOR, check_room};

use crate::bridge::{Backlog, InDoubt, LinkSettings, Naming, Notices, PaceSettings, Settings};
use crate::phrases::Language;
use crate::telegram::client::API_URL;
use crate::telegram::token::Token;

/// The variable that may hold the token.
pub const TOKEN_VARIABLE: &str = "TERTULIA_TELEGRAM_TOKEN";

/// How long Telegram may hold a poll back, in seconds: as long as its own server does.
const POLL_SECONDS: u64 = 50;

/// What is older is not forwarded, unless one says otherwise: Telegram itself keeps no update for longer.
const BACKLOG_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Command {
    /// Join chats and rooms, for years.
    Run,
    /// Find out what is wrong.
    Check,
}

/// Flags, and what may stand in the file under the same names.
#[derive(Debug, Default, Parser, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
#[command(
    name = "tertulia-tgbridge",
    disable_help_flag = true,
    disable_version_flag = true,
    args_override_self = true
)]
struct Given {
    #[serde(skip)]
    command: Option<Command>,
    #[arg(long)]
    #[serde(skip)]
    config: Option<PathBuf>,
    #[arg(long)]
    relay: Option<String>,
    #[arg(long, allow_hyphen_values = true)]
    #[serde(skip)]
    chat: Vec<String>,
    #[arg(long)]
    #[serde(skip)]
    room: Vec<String>,
    #[arg(skip)]
    links: Vec<GivenLink>,
    #[arg(long)]
    api_url: Option<String>,
    #[arg(long)]
    proxy: Option<String>,
    #[arg(long)]
    token_file: Option<PathBuf>,
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    names: Option<Naming>,
    #[arg(long)]
    lang: Option<Language>,
    #[arg(long)]
    state: Option<PathBuf>,
    #[arg(long)]
    status: Option<PathBuf>,
    #[arg(long)]
    metrics: Option<SocketAddr>,
    #[arg(long)]
    edits: Option<Switch>,
    #[arg(long)]
    bots: Option<Switch>,
    #[arg(long)]
    bridges: Option<Switch>,
    #[arg(long)]
    notices: Option<Notices>,
    #[arg(long)]
    backlog: Option<String>,
    #[arg(long)]
    in_doubt: Option<InDoubt>,
    #[arg(long)]
    pace: Option<String>,
    #[arg(long)]
    poll_timeout: Option<u64>,
    #[arg(long)]
    #[serde(skip)]
    delete_webhook: bool,
    #[arg(long)]
    takeover: bool,
    #[arg(long, short)]
    #[serde(skip)]
    help: bool,
    #[arg(long, short = 'V')]
    #[serde(skip)]
    version: bool,
}

#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenLink {
    chat: i64,
    thread: Option<i64>,
    room: String,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Switch {
    On,
    Off,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Asked {
    /// To run, or to check.
    Do(Command, Box<Options>),
    /// What the flags mean.
    Help(Language),
    /// Which version it is.
    Version,
}

/// All that a bridge needs to know.
#[derive(Debug)]
pub struct Options {
    /// How it behaves.
    pub settings: Settings,
    /// The bot's token.
    pub token: Token,
    /// The relay, `HOST:PORT`.
    pub relay: String,
    /// Where the Bot API is.
    pub api_url: String,
    /// Through which proxy; its address may hold a password.
    pub proxy: Option<String>,
    /// The state file.
    pub state: PathBuf,
    /// Where to tell how it is.
    pub status: Option<PathBuf>,
    /// The same over HTTP.
    pub metrics: Option<SocketAddr>,
    /// Take a webhook away first.
    pub deletes_webhook: bool,
}

/// Reads the command line, without the program's name, and what it names. Why not, for people.
pub fn parse(arguments: impl Iterator<Item = std::ffi::OsString>) -> Result<Asked, String> {
    let arguments = std::iter::once("tertulia-tgbridge".into()).chain(arguments);
    let flags = Given::try_parse_from(arguments).map_err(|error| {
        let words = error.to_string();
        let first = words.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("{first}; --help tells the flags")
    })?;
    if flags.help {
        return Ok(Asked::Help(flags.lang.unwrap_or_default()));
    }
    if flags.version {
        return Ok(Asked::Version);
    }
    let file = match &flags.config {
        Some(path) => read_file(path)?,
        None => Given::default(),
    };
    let command = flags.command.unwrap_or(Command::Run);
    let secret = std::env::var(TOKEN_VARIABLE).ok();
    resolve(flags, file, secret).map(|options| Asked::Do(command, Box::new(options)))
}

fn read_file(path: &Path) -> Result<Given, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {}", path.display(), error.message()))
}

fn resolve(flags: Given, file: Given, secret: Option<String>) -> Result<Options, String> {
    let token = read_token(flags.token_file.as_deref().or(file.token_file.as_deref()), secret)?;
    let name = flags.name.or(file.name).unwrap_or_else(|| "Telegram".to_owned());
    if name.contains(SEPARATOR) {
        return Err("--name: it cannot hold « - », which stands between it and whom it speaks for".to_owned());
    }
    Name::parse(&name).map_err(|error| format!("--name: {error}"))?;
    let links = if flags.chat.is_empty() { file.links } else { links_of(&flags.chat, &flags.room)? };
    let is_on = |flag: Option<Switch>, file: Option<Switch>, usual| {
        flag.or(file).map_or(usual, |it| it == Switch::On)
    };
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let settings = Settings {
        name,
        bot_id: token.bot_id(),
        language: flags.lang.or(file.lang).unwrap_or_default(),
        links: check_links(links)?,
        naming: flags.names.or(file.names).unwrap_or_default(),
        tells_edits: is_on(flags.edits, file.edits, true),
        hears_bots: is_on(flags.bots, file.bots, false),
        hears_bridges: is_on(flags.bridges, file.bridges, false),
        notices: flags.notices.or(file.notices).unwrap_or_default(),
        backlog: flags
            .backlog
            .or(file.backlog)
            .map_or(Ok(Backlog::MaxAge(BACKLOG_AGE)), |text| backlog(&text))?,
        in_doubt: flags.in_doubt.or(file.in_doubt).unwrap_or_default(),
        pace: flags.pace.or(file.pace).map_or(Ok(PaceSettings::default()), |text| pace(&text))?,
        poll_timeout: Duration::from_secs(
            flags.poll_timeout.or(file.poll_timeout).unwrap_or(POLL_SECONDS).min(POLL_SECONDS),
        ),
        takes_over: flags.takeover || file.takeover,
        started_unix_ms: u64::try_from(started.as_millis()).unwrap_or(u64::MAX),
    };
    Ok(Options {
        relay: flags.relay.or(file.relay).unwrap_or_else(|| format!("127.0.0.1:{PORT}")),
        api_url: flags.api_url.or(file.api_url).unwrap_or_else(|| API_URL.to_owned()),
        proxy: flags.proxy.or(file.proxy),
        state: flags.state.or(file.state).unwrap_or_else(|| usual_state(token.bot_id())),
        status: flags.status.or(file.status),
        metrics: flags.metrics.or(file.metrics),
        deletes_webhook: flags.delete_webhook,
        settings,
        token,
    })
}

fn read_token(file: Option<&Path>, secret: Option<String>) -> Result<Token, String> {
    let (text, place) = match (file, secret) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path);
            (
                text.map_err(|error| format!("cannot read {}: {error}", path.display()))?,
                path.display().to_string(),
            )
        }
        (None, Some(secret)) => (secret, TOKEN_VARIABLE.to_owned()),
        (None, None) => {
            return Err(format!(
                "no token: put the one that BotFather gave into {TOKEN_VARIABLE}, or into a file for --token-file"
            ));
        }
    };
    Token::parse(&text).map_err(|why| format!("what is in {place} is no token: {why}"))
}

fn links_of(chats: &[String], rooms: &[String]) -> Result<Vec<GivenLink>, String> {
    if rooms.len() != chats.len() && !(rooms.is_empty() && chats.len() == 1) {
        return Err(format!("{} --chat and {} --room: each chat needs a room", chats.len(), rooms.len()));
    }
    let rooms = rooms.iter().map(String::as_str).chain(std::iter::repeat(ROOM_DEFAULT));
    chats.iter().zip(rooms).map(|(chat, room)| link(chat, room)).collect()
}

fn link(text: &str, room: &str) -> Result<GivenLink, String> {
    let (chat, thread) = text.split_once('/').map_or((text, None), |(chat, thread)| (chat, Some(thread)));
    let number = |text: &str| {
        text.parse::<i64>().map_err(|_| {
            format!("--chat: {text} is no number of a chat; write /start in the chat to be told it")
        })
    };
    Ok(GivenLink { chat: number(chat)?, thread: thread.map(number).transpose()?, room: room.to_owned() })
}

/// Each chat, or topic, and each room once: else what is said would not come to all, or go round in circles.
fn check_links(given: Vec<GivenLink>) -> Result<Vec<LinkSettings>, String> {
    if given.len() > ROOMS_PER_CLIENT_MAX {
        return Err(format!(
            "{} links: a bridge has at most {ROOMS_PER_CLIENT_MAX}; start another one",
            given.len()
        ));
    }
    let mut links: Vec<LinkSettings> = Vec::new();
    for GivenLink { chat, thread, room } in given {
        let room = room.to_lowercase();
        check_room(&room).map_err(|error| format!("--room {room}: {error}"))?;
        if links.iter().any(|link| link.room == room) {
            return Err(format!("room {room} is joined twice; each room has one chat"));
        }
        if links.iter().any(|link| link.chat == chat && link.thread == thread) {
            return Err(format!("chat {chat} is joined twice; each chat, or topic of it, has one room"));
        }
        links.push(LinkSettings { chat, thread, room });
    }
    Ok(links)
}

fn backlog(text: &str) -> Result<Backlog, String> {
    match text.strip_prefix("max-age=") {
        Some(age) => duration(age).map(Backlog::MaxAge),
        None if text == "replay" => Ok(Backlog::Replay),
        None if text == "skip" => Ok(Backlog::Skip),
        None => Err(format!("--backlog {text}: replay, skip or max-age=10m")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(format!("{text} is no time: 90s, 10m, 12h, 2d")),
    };
    let count: u64 = digits.parse().map_err(|_| format!("{text} is no time: 90s, 10m, 12h, 2d"))?;
    Ok(Duration::from_secs(count.saturating_mul(unit)))
}

fn pace(text: &str) -> Result<PaceSettings, String> {
    let wrong = || format!("--pace {text}: SECONDS,PER_MINUTE as 1,20; 0 is no limit");
    let (seconds, per_minute) = text.split_once(',').ok_or_else(wrong)?;
    let interval = seconds
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(wrong)?;
    Ok(PaceSettings { interval, per_minute: per_minute.parse::<u16>().map_err(|_| wrong())?.into() })
}

/// Where the user's programs remember; each bot has a file of its own.
fn usual_state(bot_id: i64) -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("STATE_DIRECTORY")
        .or_else(|| variable("XDG_STATE_HOME").map(|folder| folder.join("tertulia")))
        .or_else(|| variable("HOME").map(|home| home.join(".local/state/tertulia")));
    folder.unwrap_or_default().join(format!("tgbridge-{bot_id}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "123:AAbb";

    fn options(flags: &[&str], file: &str) -> Result<Options, String> {
        let flags =
            Given::try_parse_from(std::iter::once(&"x").chain(flags)).map_err(|error| error.to_string())?;
        let file = toml::from_str(file).map_err(|error| error.to_string())?;
        resolve(flags, file, Some(SECRET.to_owned()))
    }

    fn links(options: &Options) -> Vec<(i64, Option<i64>, &str)> {
        options.settings.links.iter().map(|link| (link.chat, link.thread, link.room.as_str())).collect()
    }

    #[test]
    fn the_simple_case_needs_one_flag_and_a_negative_number_is_a_value() {
        let found = options(&["--chat", "-1001"], "").unwrap();
        assert_eq!(links(&found), [(-1001, None, "general")]);
        assert_eq!((found.relay.as_str(), found.settings.bot_id), ("127.0.0.1:2000", 123));
        let found =
            options(&["--chat", "-1001/7", "--room", "Cine", "--chat=-5", "--room", "b"], "").unwrap();
        assert_eq!(links(&found), [(-1001, Some(7), "cine"), (-5, None, "b")]);
    }

    #[test]
    fn flags_count_more_than_the_file() {
        let file = "relay = 'a:1'\nname = 'TG'\nbacklog = 'skip'\nedits = 'off'\n\n[[links]]\nchat = -5\nthread = 3\nroom = 'r'\n";
        let found = options(&["--relay", "b:2"], file).unwrap();
        assert_eq!((found.relay.as_str(), found.settings.name.as_str()), ("b:2", "TG"));
        assert_eq!(links(&found), [(-5, Some(3), "r")]);
        assert_eq!(found.settings.backlog, Backlog::Skip);
        assert!(!found.settings.tells_edits);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        for (flags, file, words) in [
            (&["--chat", "grupo"][..], "", "/start"),
            (&["--chat", "-1", "--room", "a", "--chat", "-2", "--room", "A"], "", "twice"),
            (&["--chat", "-1", "--chat", "-2"], "", "needs a room"),
            (&["--backlog", "max-age=10"], "", "10m"),
            (&["--pace", "1"], "", "1,20"),
            (&["--name", "a - b"], "", "--name"),
            (&[], "nombre = 1", "unknown field"),
        ] {
            let error = options(flags, file).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        assert!(resolve(Given::default(), Given::default(), None).unwrap_err().contains("BotFather"));
    }

    #[test]
    fn neither_options_nor_errors_show_the_token() {
        let found = options(&["--chat", "-1"], "").unwrap();
        assert!(!format!("{found:?}").contains("AAbb"));
        let error = resolve(Given::default(), Given::default(), Some("123:AA bb".to_owned())).unwrap_err();
        assert!(!error.contains("bb"), "{error}");
    }
}
