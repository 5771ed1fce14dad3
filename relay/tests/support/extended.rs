//! A client of extended mode that knows how to be greeted, to say a line and to come back, and nothing of what to do then.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use crate::support::{Client, DEADLINE, Relay};

/// A greeted connection, and what is needed to come back.
pub(crate) struct Speaker {
    pub(crate) client: Client,
    pub(crate) token: String,
    pub(crate) sid: u64,
    /// What was heard while something else was waited for.
    pub(crate) heard: Vec<String>,
}

impl Speaker {
    /// A new session.
    pub(crate) fn greet(address: SocketAddr, name: &str) -> Self {
        Self::hello(address, &format!("name={name}"))
    }

    /// The session that the token stands for.
    pub(crate) fn back(address: SocketAddr, token: &str) -> Self {
        let speaker = Self::hello(address, &format!("resume={token}"));
        assert_eq!(speaker.token, token, "the session is a new one: {:?}", speaker.heard);
        speaker
    }

    fn hello(address: SocketAddr, words: &str) -> Self {
        let mut client = Client::connect(address);
        client.send(&format!("/hello v=1 {words}"));
        let mut speaker = Self { client, token: String::new(), sid: 0, heard: Vec::new() };
        let hello = speaker.wait_for("* HELLO ");
        speaker.token = word(&hello, "token").to_owned();
        speaker.sid = word(&hello, "sid").parse().unwrap();
        speaker.wait_for("* JOINED ");
        speaker
    }

    /// Says a line under a label and does not wait for anything.
    pub(crate) fn say(&mut self, label: &str, text: &str) {
        self.client.send(&format!("@label={label} {text}"));
    }

    /// The id under which the line with this label was acknowledged.
    #[track_caller]
    pub(crate) fn acknowledged(&mut self, label: &str) -> u64 {
        let ack = self.wait_for(&format!("* ACK label={label} "));
        word(&ack, "id").parse().unwrap()
    }

    /// The next line that begins so. What comes before it is put aside, but for refusals, which nobody waits for.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, start: &str) -> String {
        let until = Instant::now() + 2 * DEADLINE;
        loop {
            let line = self.client.next_line();
            if line.starts_with(start) {
                return line;
            }
            assert!(
                !line.starts_with("* FAIL") && !line.contains("RESUME_UNKNOWN"),
                "{line:?} instead of {start:?}"
            );
            assert!(Instant::now() < until, "{start:?} never comes; before it came {:?}", self.heard);
            self.heard.push(line);
        }
    }

    /// How many of the lines heard begin so, all up to now.
    pub(crate) fn count(&mut self, start: &str) -> usize {
        self.heard.extend(self.client.all_lines());
        self.heard.iter().filter(|line| line.starts_with(start)).count()
    }
}

/// The value of `key=` in a line of the relay.
pub(crate) fn word<'a>(line: &'a str, key: &str) -> &'a str {
    let value = |word: &'a str| word.strip_prefix(key)?.strip_prefix('=');
    line.split(' ').find_map(value).unwrap_or_else(|| panic!("{key} is missing in {line:?}"))
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kept {
    pub(crate) id: u64,
    pub(crate) label: String,
    pub(crate) text: String,
}

/// All lines of the file, in the order of their ids.
pub(crate) fn in_file(path: &Path) -> Vec<Kept> {
    let connection = Connection::open(path).unwrap();
    let mut statement =
        connection.prepare("SELECT id, coalesce(label, ''), text FROM line ORDER BY id").unwrap();
    let rows =
        statement.query_map([], |row| Ok(Kept { id: row.get(0)?, label: row.get(1)?, text: row.get(2)? }));
    rows.unwrap().map(Result::unwrap).collect()
}

/// What the operator's tool says of the file: exit code, and sentence.
pub(crate) fn history_check(path: &Path) -> (Option<i32>, String) {
    let mut command = Relay::program();
    let output = command.args(["history", "check", "--history"]).arg(path).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[track_caller]
pub(crate) fn assert_whole(path: &Path) {
    let (code, sentence) = history_check(path);
    assert!(code == Some(0) && sentence.starts_with("whole: "), "{sentence}");
}
