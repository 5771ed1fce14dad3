//! Flags and the configuration file. A flag counts more than the file. The token, and the password of an account at the relay, come
//! from the environment or from files of their own, never from the command line, which every program of the machine can read. What is typed is not repeated where it
//! looks like a token: it may be one, in the wrong place.

mod values;
mod way;

use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use tertulia_wire::name::{Name, SEPARATOR};
use tertulia_wire::secret::Secret;

use crate::bridge::{Backlog, InDoubt, Naming, Notices, PaceSettings, Settings};
use crate::phrases::{Language, Told};
use crate::socket::Way;
use crate::telegram::client::API_URL;
use crate::telegram::token::{Token, hide_lookalikes};
use values::{GivenLink, backlog, check_links, links_of, pace};
use way::GivenWay;
pub use way::{Login, PASSWORD_VARIABLE};

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
    #[arg(long)]
    relay_tls: bool,
    #[arg(long)]
    relay_fingerprint: Option<String>,
    #[arg(long)]
    login: Option<String>,
    #[arg(long)]
    password_file: Option<PathBuf>,
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
    /// How the relay is reached.
    pub way: Way,
    /// As whom.
    pub login: Option<Login>,
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

/// Reads the command line, without the program's name, and what it names. Why not, for people, in the language that it asks for.
pub fn parse(arguments: impl Iterator<Item = std::ffi::OsString>) -> Result<Asked, String> {
    let arguments: Vec<_> = std::iter::once("tertulia-tgbridge".into()).chain(arguments).collect();
    let mut language = wanted_language(&arguments);
    let secret = std::env::var(TOKEN_VARIABLE).ok();
    let own = secret.as_deref().and_then(|text| Token::parse(text).ok());
    let password = std::env::var(PASSWORD_VARIABLE).ok().map(Secret);
    let secrets = Secrets { token: secret, password: password.clone() };
    read(&arguments, secrets, &mut language).map_err(|told| {
        let shown = hide_lookalikes(told.shown(language));
        let shown = own.iter().fold(shown, |shown, token| token.hide_in(&shown));
        let passwords = password.iter().filter(|password| !password.trim().is_empty());
        passwords.fold(shown, |shown, password| shown.replace(password.trim(), "<password>"))
    })
}

/// What the environment holds.
#[derive(Default)]
struct Secrets {
    token: Option<String>,
    password: Option<Secret<String>>,
}

fn read(arguments: &[std::ffi::OsString], secrets: Secrets, language: &mut Language) -> Result<Asked, Told> {
    let flags = Given::try_parse_from(arguments).map_err(|error| {
        let words = error.to_string();
        let first = words.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Told::new(
            format!("{first}; --help --lang es explica las opciones"),
            format!("{first}; --help tells the flags"),
        )
    })?;
    if flags.help {
        return Ok(Asked::Help(*language));
    }
    if flags.version {
        return Ok(Asked::Version);
    }
    let file = match &flags.config {
        Some(path) => read_file(path)?,
        None => Given::default(),
    };
    *language = flags.lang.or(file.lang).unwrap_or_default();
    let command = flags.command.unwrap_or(Command::Run);
    resolve(flags, file, secrets).map(|options| Asked::Do(command, Box::new(options)))
}

/// The language of a command line that may be wrong.
fn wanted_language(arguments: &[std::ffi::OsString]) -> Language {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let is_english = words.contains(&"--lang=en") || words.windows(2).any(|pair| pair == ["--lang", "en"]);
    if is_english { Language::En } else { Language::default() }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Told {
    let path = path.display();
    Told::new(format!("no se puede leer {path}: {error}"), format!("cannot read {path}: {error}"))
}

fn read_file(path: &Path) -> Result<Given, Told> {
    let text = std::fs::read_to_string(path).map_err(|error| cannot_read(path, &error))?;
    toml::from_str(&text).map_err(|error| Told::same(format!("{}: {}", path.display(), error.message())))
}

fn resolve(flags: Given, file: Given, secrets: Secrets) -> Result<Options, Told> {
    let token = read_token(flags.token_file.as_deref().or(file.token_file.as_deref()), secrets.token)?;
    let login =
        way::login(flags.login.or(file.login), flags.password_file.or(file.password_file), secrets.password)?;
    let name = check_name(flags.name.or(file.name), login.as_ref())?;
    let way = way::way(GivenWay {
        relay: flags.relay.or(file.relay),
        is_tls: flags.relay_tls || file.relay_tls,
        fingerprint: flags.relay_fingerprint.or(file.relay_fingerprint),
    })?;
    let is_from_file = flags.chat.is_empty() && flags.room.is_empty();
    let links = if is_from_file { file.links } else { links_of(&flags.chat, &flags.room)? };
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
        seed: std::collections::hash_map::RandomState::new().hash_one(started),
    };
    Ok(Options {
        way,
        login,
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

/// The bridge's name in the chat: who logs in has the account's and no other.
fn check_name(given: Option<String>, login: Option<&Login>) -> Result<String, Told> {
    let account = login.map(|login| login.name.clone());
    if given.is_some() && account.is_some() && given != account {
        return Err(Told::new(
            "--name y --login: quien entra con una cuenta se llama como ella; quita --name",
            "--name and --login: who logs in has the account's name; leave --name out",
        ));
    }
    let flag = if account.is_some() { "--login" } else { "--name" };
    let name = account.or(given).unwrap_or_else(|| "Telegram".to_owned());
    if name.contains(SEPARATOR) {
        return Err(Told::new(
            format!("{flag}: no puede llevar « - », que separa su nombre del de quien habla por él"),
            format!("{flag}: it cannot hold « - », which stands between it and whom it speaks for"),
        ));
    }
    Name::parse(&name).map_err(|error| {
        Told::new(format!("{flag}: no puede ser un nombre ({error})"), format!("{flag}: {error}"))
    })?;
    Ok(name)
}

fn read_token(file: Option<&Path>, secret: Option<String>) -> Result<Token, Told> {
    let (text, place) = match (file, secret) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path).map_err(|error| cannot_read(path, &error))?;
            (text, path.display().to_string())
        }
        (None, Some(secret)) => (secret, TOKEN_VARIABLE.to_owned()),
        (None, None) => {
            return Err(Told::new(
                format!(
                    "no hay token: pon el que dio BotFather en {TOKEN_VARIABLE}, o en un fichero para --token-file"
                ),
                format!(
                    "no token: put the one that BotFather gave into {TOKEN_VARIABLE}, or into a file for --token-file"
                ),
            ));
        }
    };
    Token::parse(&text).map_err(|why| {
        Told::new(
            format!("lo que hay en {place} no es un token: {}", why.shown(Language::Es)),
            format!("what is in {place} is no token: {}", why.shown(Language::En)),
        )
    })
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
    use tertulia_wire::tls::Fingerprint;

    use super::*;

    const SECRET: &str = "123:AAbb";
    const PASSWORD: &str = "caballo correcto";

    fn options(flags: &[&str], file: &str) -> Result<Options, String> {
        let flags =
            Given::try_parse_from(std::iter::once(&"x").chain(flags)).map_err(|error| error.to_string())?;
        let file = toml::from_str(file).map_err(|error| error.to_string())?;
        let secrets = Secrets { token: Some(SECRET.to_owned()), password: Some(Secret(PASSWORD.to_owned())) };
        resolve(flags, file, secrets).map_err(|told| told.shown(Language::En).to_owned())
    }

    fn links(options: &Options) -> Vec<(i64, Option<i64>, &str)> {
        options.settings.links.iter().map(|link| (link.chat, link.thread, link.room.as_str())).collect()
    }

    #[test]
    fn the_simple_case_needs_one_flag_and_a_negative_number_is_a_value() {
        let found = options(&["--chat", "-1001"], "").unwrap();
        assert_eq!(links(&found), [(-1001, None, "general")]);
        assert_eq!((found.way.address.as_str(), found.settings.bot_id), ("127.0.0.1:2000", 123));
        let found =
            options(&["--chat", "-1001/7", "--room", "Cine", "--chat=-5", "--room", "b"], "").unwrap();
        assert_eq!(links(&found), [(-1001, Some(7), "cine"), (-5, None, "b")]);
    }

    #[test]
    fn the_general_topic_of_a_forum_is_the_chat_itself() {
        assert_eq!(links(&options(&["--chat", "-1001/1"], "").unwrap()), [(-1001, None, "general")]);
    }

    #[test]
    fn a_wrong_command_line_is_told_in_the_language_that_it_asks_for() {
        let told = |flags: &[&str]| parse(flags.iter().map(Into::into)).map(|_| ()).unwrap_err();
        assert!(told(&["--lang", "en", "--no-such"]).ends_with("--help tells the flags"));
        assert!(told(&["--no-such"]).ends_with("explica las opciones"));
    }

    #[test]
    fn flags_count_more_than_the_file() {
        let file = "relay = 'a:1'\nname = 'TG'\nbacklog = 'skip'\nedits = 'off'\n\n[[links]]\nchat = -5\nthread = 3\nroom = 'r'\n";
        let found = options(&["--relay", "b:2"], file).unwrap();
        assert_eq!((found.way.address.as_str(), found.settings.name.as_str()), ("b:2", "TG"));
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
            (&["--room", "cine"], "", "--chat"),
            (&["--chat", "-1", "--room", "a", "--chat", "-1/1", "--room", "b"], "", "twice"),
            (&[], "nombre = 1", "unknown field"),
        ] {
            let error = options(flags, file).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        let error = resolve(Given::default(), Given::default(), Secrets::default()).unwrap_err();
        assert!(
            error.shown(Language::Es).contains("BotFather") && error.shown(Language::Es).contains("no hay")
        );
    }

    #[test]
    fn neither_options_nor_errors_show_the_token() {
        let found = options(&["--chat", "-1"], "").unwrap();
        assert!(!format!("{found:?}").contains("AAbb"));
        let secrets = Secrets { token: Some("123:AA bb".to_owned()), password: None };
        let error = resolve(Given::default(), Given::default(), secrets).unwrap_err();
        assert!(!format!("{error:?}").contains("bb"), "{error:?}");
    }

    #[test]
    fn an_account_is_the_bridges_name_and_its_password_is_never_shown() {
        let found = options(&["--login", "Puente"], "").unwrap();
        assert_eq!(found.settings.name, "Puente");
        assert_eq!(found.login.as_ref().unwrap().password.0, PASSWORD);
        assert!(!format!("{found:?}").contains("caballo"));
        let file = "login = 'Puente'\nrelay_tls = true\nrelay_fingerprint = '";
        let found = options(&[], &format!("{file}{}'\n", "ab".repeat(32))).unwrap();
        assert_eq!(found.way.address, "127.0.0.1:2001");
        assert_eq!(found.way.trust.unwrap().expected(), Some(Fingerprint([0xab; 32])));
        for (flags, words) in [
            (&["--login", "Puente", "--name", "Otro"][..], "leave --name out"),
            (&["--login", "a - b"], "--login"),
            (&["--password-file", "x"], "--login"),
            (&["--relay-fingerprint", PASSWORD], "64 hexadecimal"),
        ] {
            let error = options(flags, "").unwrap_err();
            assert!(error.contains(words) && !error.contains("caballo"), "{error}");
        }
        let flags = || Given { login: Some("Puente".to_owned()), ..Given::default() };
        for password in [None, Some("corta"), Some("dos\nlíneas de ella")] {
            let password = password.map(|text| Secret(text.to_owned()));
            let secrets = Secrets { token: Some(SECRET.to_owned()), password };
            let error = format!("{:?}", resolve(flags(), Given::default(), secrets).unwrap_err());
            assert!(error.contains("TERTULIA_RELAY_PASSWORD"), "{error}");
            assert!(!error.contains("corta") && !error.contains("dos\\nl"), "{error}");
        }
    }
}
