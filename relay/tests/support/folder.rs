//! Relays that keep what is said, and who has an account, in a file of their own.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::Relay;

/// Passwords that cost next to nothing.
pub(crate) const CHEAP: [&str; 4] = ["--argon2-memory", "32", "--argon2-passes", "1"];

/// A folder that goes with the value.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tertulia-test-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("history.db")
    }

    /// A relay without flood control that keeps its history there.
    pub(crate) fn relay(&self, flags: &[&str]) -> Relay {
        let file = self.file();
        let all = [&["--flood", "0", "--history", file.to_str().unwrap()], flags].concat();
        Relay::start(&all)
    }

    /// Runs `account WORDS` on the file, with this on standard input.
    pub(crate) fn account(&self, words: &[&str], input: &str) -> Output {
        let mut command = Relay::program();
        command.arg("account").args(words).arg("--history").arg(self.file()).args(CHEAP);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // One that wants nothing has perhaps ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Makes accounts with these names, roles, and their names and `-password` as passwords.
    pub(crate) fn make_accounts(&self, accounts: &[(&str, &str)]) {
        for (name, role) in accounts {
            let made = self.account(&["add", name, "--role", role], &format!("{name}-password\n"));
            assert!(made.status.success(), "{made:?}");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
