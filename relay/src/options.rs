//! The command line: what the operator wants, or a sentence that says what is wrong with it.

mod accounts;

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;
use tertulia_wire::limits::PORT;

use crate::batch::Durability;
pub use crate::cidr::Cidr;
use crate::flood::Flood;
pub use crate::help::help;
use crate::log::LOG_BYTES_MIN;
use crate::phrases::Language;
pub use accounts::AccountOptions;

#[cfg(feature = "proxy")]
mod proxy;
#[cfg(feature = "config")]
mod sources;
#[cfg(feature = "tls")]
mod tls;
mod values;

#[cfg(feature = "proxy")]
pub use proxy::ProxyOptions;
#[cfg(feature = "config")]
pub use sources::parse_all;
#[cfg(feature = "tls")]
pub use tls::TlsOptions;

use values::{number, parse_address, parse_age, parse_blocks, parse_flood};

/// Default bound of a room's log: some ten thousand lines.
pub const ROOM_LOG_BYTES: usize = 4 * 1024 * 1024;

const DAY_S: u64 = 24 * 3600;

/// What the command line asks for.
#[derive(Debug)]
pub enum Asked {
    /// To run.
    Run(Box<Options>),
    /// To explain the flags, in this language.
    Help(Language),
    /// To say the version.
    Version,
    /// To do something with the history.
    #[cfg(feature = "history")]
    History(crate::history::tools::Tool, HistoryOptions),
    /// To do something with the accounts.
    #[cfg(feature = "history")]
    Account(crate::history::accounts::AccountTool, Box<Options>),
    /// To say whether it could run, and well.
    #[cfg(feature = "config")]
    Check(Box<Options>),
    /// To make a certificate.
    #[cfg(feature = "tls")]
    Certificate(crate::certificate::SelfSigned),
}

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen. Empty: on what the service manager passes, else on port 2000 of all addresses.
    pub listen: Vec<SocketAddr>,
    /// Where TLS is spoken.
    #[cfg(feature = "tls")]
    pub tls: TlsOptions,
    /// Where proxies bring clients.
    #[cfg(feature = "proxy")]
    pub proxy: ProxyOptions,
    /// `None`: no flood control.
    pub flood: Option<Flood>,
    /// Connections at once. `None`: as many as the descriptors allow; 0: no limit.
    pub max_clients: Option<usize>,
    /// Connections at once from one address (IPv6: from one /64); 0: no limit.
    pub max_per_ip: usize,
    /// Addresses free of flood control and of `max_per_ip`.
    pub trusted: Vec<Cidr>,
    /// Bound of each room's log; 0: no limit.
    pub room_log_bytes: usize,
    /// Language of the sentences for people.
    pub language: Language,
    /// Where to serve metrics.
    pub metrics: Option<SocketAddr>,
    /// The file that some of this comes from.
    pub config: Option<PathBuf>,
    /// What was said is kept there, and how.
    pub history: HistoryOptions,
    /// Who may come in.
    pub accounts: AccountOptions,
}

/// How the history is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryOptions {
    /// Where.
    pub place: HistoryPlace,
    /// Lines that are older go; zero is no limit.
    pub age_max: Duration,
    /// The oldest lines go beyond so many; 0 is no limit.
    pub rows_max: u64,
    /// When a line counts as kept, where that was said; see [`HistoryOptions::durability`].
    pub durability: Option<Durability>,
    /// A damaged file is moved aside.
    pub repairs: bool,
}

/// Where the history is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryPlace {
    /// Where programs of this user, or of this service, remember things.
    Default,
    /// Nowhere.
    None,
    /// In this file.
    File(PathBuf),
}

impl HistoryOptions {
    /// When a line counts as kept.
    pub fn durability(&self) -> Durability {
        if self.place == HistoryPlace::None || !cfg!(feature = "history") {
            return Durability::None;
        }
        self.durability.unwrap_or_default()
    }

    /// What was said about it must not contradict itself.
    fn check(&self) -> Result<(), OptionsError> {
        let asked = self.durability.unwrap_or(Durability::None);
        let word = asked.word();
        if asked == self.durability() || asked == Durability::None {
            return Ok(());
        }
        let why = if cfg!(feature = "history") {
            "with --history none there is nothing that it could be kept in; leave out one of the two"
        } else {
            "expected none: this relay was built without history"
        };
        Err(OptionsError(format!("--durability {word}: {why}")))
    }
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self {
            place: HistoryPlace::Default,
            age_max: Duration::from_secs(90 * DAY_S),
            rows_max: 1_000_000,
            durability: None,
            repairs: false,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            #[cfg(feature = "tls")]
            tls: TlsOptions::default(),
            #[cfg(feature = "proxy")]
            proxy: ProxyOptions::default(),
            flood: Some(Flood::new(20, 5)),
            max_clients: None,
            max_per_ip: 0,
            trusted: Vec::new(),
            room_log_bytes: ROOM_LOG_BYTES,
            language: Language::Es,
            metrics: None,
            config: None,
            history: HistoryOptions::default(),
            accounts: AccountOptions::default(),
        }
    }
}

/// A wrong command line: which flag, what was given, and what was expected.
#[derive(Debug)]
pub struct OptionsError(String);

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; see tertulia-relay --help", self.0)
    }
}

impl std::error::Error for OptionsError {}

/// Reads the arguments, the program's name not among them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, OptionsError> {
    let mut options = Options::default();
    let mut wants_help = false;
    #[cfg(feature = "config")]
    let mut wants_check = false;
    #[cfg(feature = "history")]
    let (mut tool, mut account) = (None, None);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| OptionsError(error.to_string()))? {
        match argument {
            Long("help") | Short('h') => wants_help = true,
            Long("version") | Short('V') => return Ok(Asked::Version),
            Long("allow-plaintext-login") => options.accounts.takes_plaintext = true,
            Long("history-repair") => options.history.repairs = true,
            Long(flag) => {
                let flag = flag.to_owned();
                read_flag(&mut options, &flag, &mut parser)?;
            }
            #[cfg(feature = "history")]
            Value(word) if word == "history" && tool.is_none() => tool = Some(read_tool(&mut parser)?),
            #[cfg(feature = "history")]
            word if accounts::is_tool(&word) && account.is_none() => {
                account = Some(accounts::read_tool(&mut parser)?);
            }
            #[cfg(feature = "config")]
            Value(word) if word == "check" && !wants_check => wants_check = true,
            #[cfg(feature = "tls")]
            Value(word) if word == "cert" => return tls::read_tool(&mut parser).map(Asked::Certificate),
            other => return Err(OptionsError(format!("{}: no such argument", shown(&other)))),
        }
    }
    if wants_help {
        return Ok(Asked::Help(options.language));
    }
    options.history.check()?;
    let has_history = cfg!(feature = "history") && options.history.place != HistoryPlace::None;
    options.accounts.check(has_history)?;
    #[cfg(feature = "tls")]
    options.tls.check()?;
    #[cfg(feature = "proxy")]
    options.proxy.check()?;
    #[cfg(feature = "config")]
    if wants_check {
        return Ok(Asked::Check(Box::new(options)));
    }
    #[cfg(feature = "history")]
    if let Some(tool) = tool {
        return Ok(Asked::History(tool, options.history));
    }
    #[cfg(feature = "history")]
    if let Some(tool) = account {
        return Ok(Asked::Account(tool, Box::new(options)));
    }
    Ok(Asked::Run(Box::new(options)))
}

/// Flags without a value.
#[cfg(feature = "config")]
const SWITCHES: [&str; 2] = ["history-repair", "allow-plaintext-login"];

/// Whether it can stand in a file of settings.
#[cfg(feature = "config")]
fn is_flag(flag: &str) -> bool {
    takes_value(flag) || SWITCHES.contains(&flag)
}

fn takes_value(flag: &str) -> bool {
    #[cfg(feature = "tls")]
    if tls::FLAGS.contains(&flag) {
        return true;
    }
    #[cfg(feature = "proxy")]
    if proxy::FLAGS.contains(&flag) {
        return true;
    }
    FLAGS.contains(&flag) || accounts::FLAGS.contains(&flag)
}

const FLAGS: [&str; 12] = [
    "listen",
    "flood",
    "max-clients",
    "max-per-ip",
    "trusted",
    "room-log-bytes",
    "lang",
    "metrics",
    "history",
    "history-max-age",
    "history-max-rows",
    "durability",
];

fn read_flag(options: &mut Options, flag: &str, parser: &mut lexopt::Parser) -> Result<(), OptionsError> {
    if !takes_value(flag) {
        return Err(OptionsError(format!("--{flag}: no such flag")));
    }
    let value = parser.value().map_err(|_| OptionsError(format!("--{flag}: a value must follow")))?;
    let value = value.to_string_lossy().into_owned();
    let wrong = |expected: &str| OptionsError(format!("--{flag} {value}: expected {expected}"));
    match flag {
        "listen" => options.listen.push(
            parse_address(&value, Some(PORT))
                .ok_or_else(|| wrong("an address, as 0.0.0.0:2000 or [::]:2000"))?,
        ),
        "flood" => {
            let expected = "BURST,RATE, as 20,5: lines at once, then lines a second; or 0 for no limit";
            options.flood = parse_flood(&value).ok_or_else(|| wrong(expected))?;
        }
        "max-clients" => {
            options.max_clients = Some(number(&value).ok_or_else(|| wrong("a number; 0 is no limit"))?);
        }
        "max-per-ip" => {
            options.max_per_ip = number(&value).ok_or_else(|| wrong("a number; 0 is no limit"))?;
        }
        "trusted" => {
            let blocks = parse_blocks(&value);
            options.trusted.extend(blocks.ok_or_else(|| wrong("addresses, as 127.0.0.0/8,fd00::/8"))?);
        }
        "room-log-bytes" => {
            let expected = format!("a number of bytes, at least {LOG_BYTES_MIN}; 0 is no limit");
            let bytes: usize = number(&value).ok_or_else(|| wrong(&expected))?;
            if bytes != 0 && bytes < LOG_BYTES_MIN {
                return Err(wrong(&expected));
            }
            options.room_log_bytes = bytes;
        }
        "lang" => {
            options.language = match value.as_str() {
                "es" => Language::Es,
                "en" => Language::En,
                _ => return Err(wrong("es or en")),
            };
        }
        _ if accounts::FLAGS.contains(&flag) => options.accounts.read(flag, &value, wrong)?,
        _ if flag.starts_with("history") || flag == "durability" => {
            read_history_flag(&mut options.history, flag, &value, wrong)?;
        }
        #[cfg(feature = "proxy")]
        _ if proxy::FLAGS.contains(&flag) => options.proxy.read_flag(flag, &value, wrong)?,
        #[cfg(feature = "tls")]
        _ if tls::FLAGS.contains(&flag) => options.tls.read_flag(flag, &value, wrong)?,
        _ if cfg!(feature = "metrics") => {
            let address = parse_address(&value, None);
            options.metrics =
                Some(address.ok_or_else(|| wrong("an address with a port, as 127.0.0.1:9200"))?);
        }
        _ => return Err(OptionsError(format!("--{flag}: this relay was built without metrics"))),
    }
    Ok(())
}

/// What stands behind the word `history`.
#[cfg(feature = "history")]
fn read_tool(parser: &mut lexopt::Parser) -> Result<crate::history::tools::Tool, OptionsError> {
    use crate::history::tools::Tool;
    let word = parser.value().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let tool = Tool::ALL.iter().find(|(name, _)| *name == word).map(|(_, tool)| *tool);
    tool.ok_or_else(|| {
        let names = Tool::ALL.map(|(name, _)| name).join(", ");
        OptionsError(format!("history {word}: expected one of {names}"))
    })
}

fn read_history_flag(
    history: &mut HistoryOptions,
    flag: &str,
    value: &str,
    wrong: impl Fn(&str) -> OptionsError,
) -> Result<(), OptionsError> {
    match flag {
        "history" if value == "none" => history.place = HistoryPlace::None,
        "history" if !cfg!(feature = "history") => {
            return Err(wrong("none: this relay was built without history"));
        }
        "history" if value.is_empty() => return Err(wrong("a file, or none")),
        "history" => history.place = HistoryPlace::File(value.into()),
        "history-max-age" => {
            history.age_max =
                parse_age(value).ok_or_else(|| wrong("a time, as 90d, 12h or 30m; 0 is no limit"))?;
        }
        "history-max-rows" => {
            history.rows_max = number(value).ok_or_else(|| wrong("a number of lines; 0 is no limit"))?;
        }
        _ => {
            let found = Durability::ALL.iter().find(|(word, _)| *word == value);
            let expected = "none (nobody waits), commit (outlives the relay) or sync (outlives a power cut)";
            history.durability = Some(found.ok_or_else(|| wrong(expected))?.1);
        }
    }
    Ok(())
}

fn shown(argument: &lexopt::Arg<'_>) -> String {
    match argument {
        Short(letter) => format!("-{letter}"),
        Long(flag) => format!("--{flag}"),
        Value(value) => value.to_string_lossy().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str]) -> Result<Options, String> {
        match parse(arguments.iter().map(OsString::from)) {
            Ok(Asked::Run(options)) => Ok(*options),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        let options = run(&["--listen", "127.0.0.1:0", "--listen=[::]", "--listen", "10.0.0.1"]).unwrap();
        let expected = ["127.0.0.1:0", "[::]:2000", "10.0.0.1:2000"].map(|text| text.parse().unwrap());
        assert_eq!(options.listen, expected);
    }

    #[test]
    fn zero_is_no_limit() {
        let options = run(&["--flood", "0", "--max-clients", "0", "--room-log-bytes", "0"]).unwrap();
        assert_eq!((options.flood, options.max_clients, options.room_log_bytes), (None, Some(0), 0));
    }

    #[test]
    fn how_the_history_is_kept_is_read() {
        let history =
            run(&["--history", "none", "--history-max-age", "12h", "--durability", "none"]).unwrap().history;
        assert_eq!((&history.place, history.age_max.as_secs()), (&HistoryPlace::None, 43_200));
        assert_eq!(history.durability(), Durability::None);
        let history =
            run(&["--history-max-age=0", "--history-max-rows", "7", "--history-repair"]).unwrap().history;
        assert_eq!(history.place, HistoryPlace::Default);
        assert_eq!((history.age_max, history.rows_max, history.repairs), (Duration::ZERO, 7, true));
        let file = run(&["--history", "none", "--history", "x.db"]);
        match file {
            Ok(options) if cfg!(feature = "history") => {
                assert_eq!(options.history.place, HistoryPlace::File("x.db".into()));
            }
            outcome => assert!(outcome.unwrap_err().contains("built without history")),
        }
    }

    #[test]
    fn a_relay_that_keeps_nothing_promises_nothing() {
        assert_eq!(run(&["--history", "none"]).unwrap().history.durability(), Durability::None);
        for word in ["commit", "sync"] {
            let error = run(&["--durability", word, "--history", "none"]).unwrap_err();
            assert!(error.starts_with(&format!("--durability {word}: ")), "{error}");
        }
        if cfg!(feature = "history") {
            assert_eq!(run(&[]).unwrap().history.durability(), Durability::Commit);
            assert_eq!(run(&["--durability", "sync"]).unwrap().history.durability(), Durability::Sync);
            assert_eq!(run(&["--durability", "none"]).unwrap().history.durability(), Durability::None);
        }
    }

    #[test]
    fn a_block_of_addresses_holds_its_own_also_in_ipv6_clothing() {
        let options = run(&["--trusted", "10.1.0.0/16, ::1,fd00::/8"]).unwrap();
        let is_trusted =
            |address: &str| options.trusted.iter().any(|block| block.contains(address.parse().unwrap()));
        for inside in ["10.1.2.3", "::ffff:10.1.2.3", "::1", "fd12::1"] {
            assert!(is_trusted(inside), "{inside}");
        }
        for outside in ["10.2.0.1", "::2", "fe80::1", "127.0.0.1"] {
            assert!(!is_trusted(outside), "{outside}");
        }
        assert!(run(&["--trusted", "0.0.0.0/0"]).unwrap().trusted[0].contains("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn a_wrong_flag_or_value_is_named_with_what_was_expected() {
        let cases = [
            (&["--flood", "x"][..], "--flood x: expected BURST,RATE"),
            (&["--listen", "localhost:1"], "--listen localhost:1: expected an address"),
            (&["--lang", "fr"], "--lang fr: expected es or en"),
            (&["--durability", "always"], "--durability always: expected none"),
            (&["--nope"], "--nope: no such flag"),
            (&["--flood"], "--flood: a value must follow"),
            (&["extra"], "extra: no such argument"),
            (&["--trusted", "10.0.0.0/33"], "--trusted 10.0.0.0/33: expected addresses"),
            (&["--room-log-bytes", "10"], "--room-log-bytes 10: expected a number of bytes, at least"),
        ];
        for (arguments, start) in cases {
            let error = run(arguments).unwrap_err();
            assert!(error.starts_with(start), "{error}");
        }
    }
}
