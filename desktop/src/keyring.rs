//! The desktop's keyring, by the program that desktops have for it: a library for their bus costs more memory and more of
//! the binary than all that is kept. The password goes over the program's standard input and output, never over its command
//! line, which everybody can read. Nobody waits for it: it may ask the person to open the keyring.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tertulia_wire::limits::PASSWORD_BYTES_MAX;
use tertulia_wire::secret::Secret;

use crate::model::KeyringCommand;

/// What keeps passwords.
const PROGRAM: &str = "secret-tool";

/// The keyring is asked so many things at once, at most: a further one is not asked.
pub const ASKED_MAX: usize = 4;

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What was looked for.
    Found {
        /// Whose password.
        name: String,
        /// None: the keyring has none, or does not tell.
        password: Option<Secret<String>>,
    },
    /// Whether it was kept.
    Kept(bool),
}

/// Asks the keyring.
pub struct Keyring {
    outcomes: Receiver<Outcome>,
    ended: Sender<Outcome>,
    asked: usize,
    bell: Arc<dyn Fn() + Send + Sync>,
}

impl Keyring {
    /// The bell is rung from another thread when there may be something to take.
    pub fn new(bell: impl Fn() + Send + Sync + 'static) -> Self {
        let (ended, outcomes) = channel();
        Self { outcomes, ended, asked: 0, bell: Arc::new(bell) }
    }

    /// Whether there may be one: a bus, and the program that speaks to it.
    pub fn is_there() -> bool {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let has_program = std::env::split_paths(&paths).any(|folder| folder.join(PROGRAM).is_file());
        has_program && crate::notify::has_bus()
    }

    /// Does it, some time. What cannot be asked is answered as if there were no keyring.
    pub fn ask(&mut self, command: KeyringCommand) {
        let (ended, bell) = (self.ended.clone(), Arc::clone(&self.bell));
        let failure = failure(&command);
        let is_begun = self.asked < ASKED_MAX && {
            let thread = thread::Builder::new().name("keyring".to_owned()).stack_size(128 * 1024);
            let ask = move || {
                // Nobody is left who wants to know, or the outcome is there.
                let _ = ended.send(ask(&command));
                bell();
            };
            thread.spawn(ask).is_ok()
        };
        self.asked += 1;
        if !is_begun {
            let _ = self.ended.send(failure);
            (self.bell)();
        }
    }

    /// The next outcome.
    pub fn take(&mut self) -> Option<Outcome> {
        let outcome = self.outcomes.try_recv().ok()?;
        self.asked = self.asked.saturating_sub(1);
        Some(outcome)
    }
}

fn failure(command: &KeyringCommand) -> Outcome {
    match command.password {
        Some(_) => Outcome::Kept(false),
        None => Outcome::Found { name: command.name.clone(), password: None },
    }
}

fn ask(command: &KeyringCommand) -> Outcome {
    let outcome = match &command.password {
        Some(password) => keep(command, password).map(Outcome::Kept),
        None => find(command)
            .map(|password| Outcome::Found { name: command.name.clone(), password: Some(password) }),
    };
    outcome.unwrap_or_else(|| failure(command))
}

fn start(arguments: &[&str], command: &KeyringCommand) -> Option<Child> {
    let whose = ["service", "tertulia", "relay", &command.relay, "name", &command.name];
    let mut program = Command::new(PROGRAM);
    program.args(arguments).args(whose).stderr(Stdio::null());
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()
}

fn keep(command: &KeyringCommand, password: &str) -> Option<bool> {
    let label = format!("Tertulia: {} ({})", command.name, command.relay);
    let mut child = start(&["store", "--label", &label], command)?;
    let written = child.stdin.take()?.write_all(password.as_bytes());
    let status = child.wait().ok()?;
    Some(written.is_ok() && status.success())
}

fn find(command: &KeyringCommand) -> Option<Secret<String>> {
    let mut child = start(&["lookup"], command)?;
    drop(child.stdin.take());
    let mut password = Secret(String::new());
    let most = u64::try_from(PASSWORD_BYTES_MAX + 2).unwrap_or(u64::MAX);
    let read = child.stdout.take()?.take(most).read_to_string(&mut password);
    let status = child.wait().ok()?;
    password.0.truncate(password.trim_end_matches('\n').len());
    (read.is_ok() && status.success() && !password.is_empty()).then_some(password)
}
