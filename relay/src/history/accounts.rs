//! What an operator does with accounts, beside a relay or without one. Passwords come from the terminal, without echo, or
//! from standard input.

use std::fs::File;
use std::io::{BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tertulia_wire::account::is_password;
use tertulia_wire::name::Name;
use tertulia_wire::secret::Secret;
use tertulia_wire::text::clean;
use tertulia_wire::time::rfc3339;

use super::passwords::Cost;
use super::path;
use super::store::{Opening, Store};
use super::tools::{BUSY_WAIT, sentence};
use crate::account::{AccountRow, AccountsKept, Change, Role};
use crate::chat::{ACCOUNTS_MAX, RESERVED, is_same_name};
use crate::clock::unix_ms;
use crate::options::{AccountOptions, HistoryOptions};

/// Bytes read of a password, white space around it included.
const PASSWORD_INPUT_BYTES_MAX: u64 = 1024;

/// Bytes of the day in RFC 3339.
const DAY_BYTES: usize = "2026-11-26".len();

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountTool {
    /// Makes an account.
    Add {
        /// Its name.
        name: String,
    },
    /// Says which there are, each with its role and the day on which somebody last came in as it.
    List,
    /// Takes one away.
    Remove {
        /// Its name.
        name: String,
    },
    /// Gives one another password.
    Passwd {
        /// Its name.
        name: String,
    },
    /// Gives one another role.
    Role {
        /// Its name.
        name: String,
        /// The role.
        role: Role,
    },
}

/// Does it, and says in a sentence what came of it. A relay that runs meanwhile sees it at SIGHUP, and when next
/// somebody logs in.
pub fn run(
    tool: &AccountTool,
    history: &HistoryOptions,
    options: &AccountOptions,
    mut output: impl Write,
) -> Result<String, String> {
    let path = path(history)?.ok_or("--history none: there is no file")?;
    if !path.exists() && !matches!(tool, AccountTool::Add { .. }) {
        return Err(format!("{}: there is no such history; pass --history FILE", path.display()));
    }
    let opening = Opening { busy_wait: BUSY_WAIT, ..Opening::default() };
    let mut store = Store::open(&path, opening).map_err(|error| sentence(&error))?;
    let kept = store.accounts().map_err(|error| sentence(&error))?;
    let (changes, said) = match tool {
        AccountTool::List => {
            for row in &kept.accounts {
                let seen = row.seen_unix_ms.map(rfc3339);
                let day = seen.as_deref().and_then(|time| time.get(..DAY_BYTES)).unwrap_or("-");
                let _ = writeln!(output, "{}\t{}\t{day}", row.role.word(), row.name);
            }
            return Ok(format!("{} accounts", kept.accounts.len()));
        }
        AccountTool::Add { name } => {
            let number = check_new(&kept, name)?;
            let password = ask_password(options.cost)?;
            let role = options.role.unwrap_or_default();
            let row =
                AccountRow { number, name: name.clone(), password, role, seen_unix_ms: None, token_epoch: 0 };
            (Change::Account(row), format!("{name} is an account ({})", role.word()))
        }
        AccountTool::Remove { name } => {
            let row = find(&kept, name)?;
            (Change::AccountGone(row.number), format!("{} is an account no more", row.name))
        }
        AccountTool::Passwd { name } => {
            let row = find(&kept, name)?;
            let password = ask_password(options.cost)?;
            let change = Change::Password { number: row.number, before: None, password };
            (change, format!("{name} has another password"))
        }
        AccountTool::Role { name, role } => {
            let row = find(&kept, name)?;
            (Change::Role(row.number, *role), format!("{name} is {}", role.word()))
        }
    };
    store.change_accounts(&[changes]).map_err(|error| sentence(&error))?;
    Ok(said)
}

fn find(kept: &AccountsKept, name: &str) -> Result<AccountRow, String> {
    let found = kept.accounts.iter().find(|row| row.name == name).cloned();
    found.ok_or(format!("{name}: there is no such account; see account list"))
}

/// The number of a new account of this name, which must be nobody's, nor look like somebody's.
fn check_new(kept: &AccountsKept, name: &str) -> Result<u64, String> {
    let parsed = Name::parse(name).map_err(|error| format!("{name}: {error}"))?;
    if !parsed.tail().is_empty() {
        return Err(format!("{name}: an account has no « - » in its name"));
    }
    if RESERVED.iter().any(|reserved| is_same_name(reserved, name)) {
        return Err(format!("{name}: the name is reserved"));
    }
    if let Some(row) = kept.accounts.iter().find(|row| is_same_name(&row.name, name)) {
        return Err(format!("{name}: the account {} is there, or looks the same", row.name));
    }
    if kept.accounts.len() >= ACCOUNTS_MAX {
        return Err(format!("there are {ACCOUNTS_MAX} accounts, and no place for more"));
    }
    let last = kept.accounts.iter().map(|row| row.number).max().unwrap_or_default();
    Ok(unix_ms().max(last.saturating_add(1)))
}

fn ask_password(cost: Cost) -> Result<Secret<String>, String> {
    let password = read_password()?;
    if !is_password(&password) {
        return Err("a password has 8 to 256 bytes".to_owned());
    }
    // What the chat takes out of a line cannot be typed there.
    if *clean(&password) != **password {
        return Err("a password has no control characters: nobody could log in with them".to_owned());
    }
    cost.hash(&password).ok_or("the password cannot be hashed at this cost; see --argon2-memory".to_owned())
}

/// A line of standard input; where that is a terminal, it is asked for twice and not shown.
fn read_password() -> Result<Secret<String>, String> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return read_line(stdin.lock());
    }
    let _echo = Echo::off()?;
    let ask = |sentence: &str| {
        let _ = write!(std::io::stderr(), "{sentence}");
        let line = read_line(std::io::stdin().lock());
        let _ = writeln!(std::io::stderr());
        line
    };
    let password = ask("password: ")?;
    if ask("again: ")? == password { Ok(password) } else { Err("the two passwords differ".to_owned()) }
}

fn read_line(input: impl BufRead) -> Result<Secret<String>, String> {
    let mut line = Secret(String::new());
    // No more is read than a password can have: whoever passes a file by mistake is told.
    input
        .take(PASSWORD_INPUT_BYTES_MAX)
        .read_line(&mut line)
        .map_err(|error| format!("no password can be read: {error}"))?;
    Ok(Secret(line.trim_end_matches(['\n', '\r']).trim().to_owned()))
}

/// As long as it lives, the terminal does not show what is typed.
struct Echo {
    terminal: File,
    before: Termios,
}

impl Echo {
    fn off() -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| {
            format!(
                "the terminal cannot be kept from showing the password: {error}; pass it on standard input"
            )
        };
        let terminal = File::open("/dev/tty").map_err(|error| wrong(&error))?;
        let before = tcgetattr(&terminal).map_err(|error| wrong(&error))?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(|error| wrong(&error))?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}
