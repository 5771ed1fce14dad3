//! Carries lines and questions from the chat to the history, and answers back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mio::{Token, Waker};

use super::Server;
use super::conn::INDEX_MAX;
use crate::chat::{Remembered, Rules};
use crate::clock::unix_ms;
use crate::history::passwords::Passwords;
use crate::history::{BUSY_WAIT, Bell, Hold, Keeper, Manner, News, Opening, Retention, Store, path};
use crate::options::{AccountOptions, HistoryOptions};
use crate::phrases::Phrase;

/// The history has something to say.
pub(super) const HISTORY: Token = Token(INDEX_MAX + 16);

impl Server {
    /// Opens the history, if there is to be one. Says where it is.
    pub fn open_history(&mut self) -> Result<Option<String>, String> {
        let Some(path) = path(&self.options.history)? else { return Ok(None) };
        let waker = Waker::new(self.poll.registry(), HISTORY);
        let waker = Arc::new(waker.map_err(|error| format!("cannot be woken by the history: {error}"))?);
        let bell: Bell = Arc::new(move || drop(waker.wake()));
        let (keeper, remembered) = start(&path, &self.options.history, &bell)?;
        self.chat.handle_clock(unix_ms());
        self.chat.keep_history(self.options.history.durability(), remembered);
        self.start_passwords(&bell)?;
        let (rows, journal) = (keeper.state().rows, keeper.journal().words());
        self.keeper = Some(keeper);
        Ok(Some(format!("history in {}: {rows} lines, {journal}", path.display())))
    }

    /// Hands over what was said, and what is to be kept besides. True: there was something.
    pub(super) fn keep(&mut self) -> bool {
        let Some(keeper) = &self.keeper else { return false };
        let Some(work) = self.chat.poll_kept() else { return false };
        let number = work.number;
        if !keeper.put(work) {
            self.chat.handle_lost(number, self.now());
        }
        true
    }

    /// At the end of a turn: hands over what was asked in it.
    pub(super) fn ask_history(&mut self) {
        let Some(keeper) = &self.keeper else { return };
        while keeper.takes_questions() {
            let Some(question) = self.chat.poll_question() else { break };
            keeper.ask(question);
        }
    }

    fn start_passwords(&mut self, bell: &Bell) -> Result<(), String> {
        let AccountOptions { is_registered_only, takes_plaintext, cost, .. } = self.options.accounts;
        self.chat.set_rules(Rules { is_registered_only, takes_plaintext });
        let passwords = Passwords::start(cost, Arc::clone(bell));
        self.passwords = Some(passwords.map_err(|error| format!("no thread to compare passwords: {error}"))?);
        Ok(())
    }

    /// At the end of a turn: hands over passwords that were typed in it.
    pub(super) fn ask_passwords(&mut self) {
        let Some(passwords) = &mut self.passwords else { return };
        while let Some(task) = self.chat.poll_password() {
            passwords.put(task);
        }
    }

    /// The operator wanted accounts to be looked at, and they could not be.
    pub(super) fn tell_accounts_unread(&mut self, why: &str) {
        let lasting = self.history_trouble.as_deref().unwrap_or("nothing reads the history any more");
        let why = if why.is_empty() { lasting } else { why };
        let kept = Phrase::AccountsKept.in_language(self.options.language);
        self.journal.tell(&format!("accounts not read: {why}; {kept}"));
    }

    /// The history has answers, or fares differently; or passwords were looked at.
    pub(super) fn take_history_event(&mut self) {
        let now = self.now();
        let verdicts = self.passwords.as_mut().map(Passwords::take_verdicts);
        for (ticket, verdict) in verdicts.unwrap_or_default() {
            self.chat.handle_verdict(ticket, verdict, now);
        }
        let Some(keeper) = &self.keeper else { return };
        let News { kept, lost, gone, answers, trouble } = keeper.take_news();
        self.chat.handle_kept(kept, now);
        for (ticket, answer) in answers {
            self.chat.handle_answer(ticket, &answer);
        }
        self.chat.handle_history_trouble(trouble.is_some(), now);
        let lost = kept.saturating_add(1)..=lost.unwrap_or_default();
        lost.for_each(|number| self.chat.handle_lost(number, now));
        if gone > 0 {
            self.journal
                .tell(&format!("{gone} imported lines had the ids of lines that were said, and are gone"));
        }
        if trouble != self.history_trouble {
            let line =
                trouble.as_deref().map_or("history kept again".to_owned(), |why| format!("not kept: {why}"));
            self.journal.tell(&line);
            self.history_trouble = trouble;
        }
    }
}

fn start(path: &Path, options: &HistoryOptions, bell: &Bell) -> Result<(Keeper, Remembered), String> {
    let manner = Manner {
        opening: Opening { durability: options.durability(), ..Opening::default() },
        retention: Retention { age_max: options.age_max, rows_max: options.rows_max },
    };
    if options.repairs {
        let _hold = Hold::of(path).map_err(|error| error.to_string())?;
        if is_damaged(path) {
            move_aside(path)?;
        }
    }
    Keeper::start(path, manner, Arc::clone(bell)).map_err(|error| error.to_string())
}

/// Looks at the whole file: where it is only opened, damage among the old lines is not met.
fn is_damaged(path: &Path) -> bool {
    let look = || Store::open_to_read(path, BUSY_WAIT)?.check();
    path.exists() && look().map_or_else(|error| error.is_damaged(), |checked| checked.fault.is_some())
}

/// Moves a damaged file away under another name; it is never deleted.
fn move_aside(path: &Path) -> Result<(), String> {
    let stamp = unix_ms();
    // The file last: without it, what is left of its log is nobody's.
    for ending in ["-wal", "-shm", ""] {
        let with = |more: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(more);
            PathBuf::from(name)
        };
        let (from, to) = (with(ending), with(&format!(".damaged-{stamp}{ending}")));
        match std::fs::rename(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("{} cannot be moved aside: {error}", from.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
