//! The flags and words of the command line that are about accounts.

#[cfg(feature = "history")]
use lexopt::prelude::*;

use super::OptionsError;
#[cfg(feature = "history")]
use crate::account::Role;
#[cfg(feature = "history")]
use crate::history::accounts::AccountTool;
#[cfg(feature = "history")]
use crate::history::passwords::{Cost, MEMORY_KIB_MAX, MEMORY_KIB_MIN, PASSES_MAX};

/// The flags that have a value.
pub(super) const FLAGS: [&str; 4] = ["access", "argon2-memory", "argon2-passes", "role"];

/// Who may come in, and what passwords cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountOptions {
    /// Nothing is heard or said before a log-in.
    pub is_registered_only: bool,
    /// A password is taken also where others may read it on its way.
    pub takes_plaintext: bool,
    /// What a guess costs.
    #[cfg(feature = "history")]
    pub cost: Cost,
    /// Of the account that is added.
    #[cfg(feature = "history")]
    pub role: Option<Role>,
}

impl AccountOptions {
    /// What was said must not contradict itself.
    pub(super) fn check(&self, has_history: bool) -> Result<(), OptionsError> {
        if !self.is_registered_only || has_history {
            return Ok(());
        }
        let why = if cfg!(feature = "history") {
            "accounts are kept in the history; leave out --history none"
        } else {
            "expected open: this relay was built without history, which keeps the accounts"
        };
        Err(OptionsError(format!("--access registered: {why}")))
    }

    #[cfg(not(feature = "history"))]
    pub(super) fn read(
        &mut self,
        flag: &str,
        value: &str,
        wrong: impl Fn(&str) -> OptionsError,
    ) -> Result<(), OptionsError> {
        match (flag, value) {
            ("access", "open") => Ok(()),
            ("access", "registered") => {
                self.is_registered_only = true;
                Ok(())
            }
            ("access", _) => Err(wrong("open or registered")),
            _ => Err(OptionsError(format!(
                "--{flag}: this relay was built without history, which keeps the accounts"
            ))),
        }
    }

    #[cfg(feature = "history")]
    pub(super) fn read(
        &mut self,
        flag: &str,
        value: &str,
        wrong: impl Fn(&str) -> OptionsError,
    ) -> Result<(), OptionsError> {
        match flag {
            "access" => {
                self.is_registered_only = match value {
                    "open" => false,
                    "registered" => true,
                    _ => return Err(wrong("open or registered")),
                };
            }
            "role" => self.role = Some(Role::parse(value).ok_or_else(|| wrong("user, bridge or operator"))?),
            "argon2-memory" => {
                let range = MEMORY_KIB_MIN..=MEMORY_KIB_MAX;
                let expected =
                    format!("a number of KiB from {MEMORY_KIB_MIN} to {MEMORY_KIB_MAX}, as 65536 (RFC 9106)");
                let kib = super::number(value).filter(|kib| range.contains(kib));
                self.cost.memory_kib = kib.ok_or_else(|| wrong(&expected))?;
            }
            _ => {
                let expected = format!("a number of passes from 1 to {PASSES_MAX}, as 3 (RFC 9106)");
                let passes = super::number(value).filter(|passes| (1..=PASSES_MAX).contains(passes));
                self.cost.passes = passes.ok_or_else(|| wrong(&expected))?;
            }
        }
        Ok(())
    }
}

/// What stands behind the word `account`. A password never does: everybody on the machine can read a command line.
#[cfg(feature = "history")]
pub(super) fn read_tool(parser: &mut lexopt::Parser) -> Result<AccountTool, OptionsError> {
    let mut word = |what: &str| {
        let value = parser.value().map_err(|_| OptionsError(format!("account: {what} must follow")))?;
        Ok(value.to_string_lossy().into_owned())
    };
    let tool = word("add, list, remove, passwd or role")?;
    let mut word = |what: &str| {
        let word = word(what)?;
        // A flag in its place would become a name that nobody meant.
        if word.starts_with('-') {
            return Err(OptionsError(format!("account {tool}: {what} must follow, and {word} is a flag")));
        }
        Ok(word)
    };
    match tool.as_str() {
        "list" => Ok(AccountTool::List),
        "add" => Ok(AccountTool::Add { name: word("a NAME")? }),
        "remove" => Ok(AccountTool::Remove { name: word("a NAME")? }),
        "passwd" => Ok(AccountTool::Passwd { name: word("a NAME")? }),
        "role" => {
            let (name, role) = (word("a NAME")?, word("a ROLE")?);
            let expected = || OptionsError(format!("account role {role}: expected user, bridge or operator"));
            Ok(AccountTool::Role { name, role: Role::parse(&role).ok_or_else(expected)? })
        }
        _ => Err(OptionsError(format!("account {tool}: expected add, list, remove, passwd or role"))),
    }
}

/// Whether the argument is the word that begins a tool.
#[cfg(feature = "history")]
pub(super) fn is_tool(argument: &lexopt::Arg<'_>) -> bool {
    matches!(argument, Value(word) if word == "account")
}
