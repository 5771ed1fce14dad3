//! A file that is damaged, when the relay starts or while it runs: said in words, moved aside only when that is asked for.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::extended::{Speaker, history_check};
use tertulia_relay::clock::unix_ms;

use crate::support::{DEADLINE, Folder, Heard, Relay};

/// A file with so many lines of so many bytes.
fn written(lines: u64, bytes: usize) -> Folder {
    let folder = Folder::new();
    // Of just now, so that they are not too old to be kept.
    import(&folder, unix_ms() - lines, lines, bytes);
    folder
}

/// Takes in a line for each millisecond from this one on.
fn import(folder: &Folder, first: u64, lines: u64, bytes: usize) {
    let text = "x".repeat(bytes);
    let line = |number: u64| format!("@id={};room=general Eva: {text}\n", (first + number) << 16);
    let lines: String = (0..lines).map(line).collect();
    let mut import = Relay::program();
    import.args(["history", "import", "--history"]).arg(folder.file());
    let mut child = import.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// A file of a relay that was killed: its log lies beside it.
fn killed() -> Folder {
    let folder = written(50, 400);
    let relay = folder.relay(&[]);
    let mut ana = Speaker::greet(relay.address(), "Ana");
    for label in ["1", "2", "3"] {
        ana.say(label, "hola");
        ana.acknowledged(label);
    }
    relay.signal("KILL");
    relay.await_end();
    assert!(folder.0.join("history.db-wal").metadata().unwrap().len() > 0);
    folder
}

/// Overwrites these thousandths of the file.
fn damage(file: &Path, from: usize, to: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    let length = bytes.len();
    bytes[length * from / 1000..length * to / 1000].fill(0xa5);
    std::fs::write(file, bytes).unwrap();
}

/// Overwrites the texts of old lines, in the file of a relay that may be running: nothing of it is ever missing.
fn damage_old_lines(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let old = bytes.len() / 4;
    let is_text = |page: &&mut [u8]| page.iter().filter(|byte| **byte == b'x').count() > 900;
    bytes[..old].chunks_mut(1024).skip(1).filter(is_text).for_each(|page| page.fill(0xa5));
    std::fs::File::options().write(true).open(file).unwrap().write_all(&bytes).unwrap();
}

/// Overwrites the first page that is full of this letter.
fn damage_page_with(file: &Path, letter: u8) {
    let mut bytes = std::fs::read(file).unwrap();
    let is_meant = |page: &&mut [u8]| page.iter().filter(|byte| **byte == letter).count() > 500;
    bytes.chunks_mut(1024).find(is_meant).unwrap().fill(0xa5);
    std::fs::write(file, bytes).unwrap();
}

/// Overwrites the first hundred bytes.
fn damage_header(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[..100].fill(0xa5);
    std::fs::write(file, bytes).unwrap();
}

/// What is in the folder, but for the memory that programs share and what is empty.
fn files(folder: &Folder) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let all = entries.map(|path| (name(&path), std::fs::read(&path).unwrap()));
    all.filter(|(name, bytes)| !name.ends_with("-shm") && !bytes.is_empty()).collect()
}

/// The files that were moved aside, by the names that they had.
fn moved_aside(folder: &Folder) -> BTreeMap<String, Vec<u8>> {
    let original = |name: &str| {
        let (before, behind) = name.split_once(".damaged-")?;
        Some(format!("{before}{}", behind.trim_start_matches(|letter: char| letter.is_ascii_digit())))
    };
    files(folder).into_iter().filter_map(|(name, bytes)| Some((original(&name)?, bytes))).collect()
}

fn assert_refused(folder: &Folder, what: &str) {
    let mut command = Relay::command();
    command.args(["--listen", "127.0.0.1:0", "--history"]).arg(folder.file());
    let Err((status, said)) = Relay::try_from_command(command) else { panic!("{what}: the relay starts") };
    let sentence = said.join("; ");
    assert_eq!(status.code(), Some(2), "{what}: {sentence}");
    assert!(
        sentence.contains("history.db is damaged; --history-repair moves it aside"),
        "{what}: {sentence}"
    );
}

/// A relay that is to repair it moves all of it aside, and works.
fn assert_repaired(folder: &Folder, before: &BTreeMap<String, Vec<u8>>, what: &str) {
    let relay = folder.relay(&["--history-repair"]);
    let mut ana = Speaker::greet(relay.address(), "Ana");
    ana.say("1", "otra vez");
    ana.acknowledged("1");
    ana.client.send("/history room=general");
    let first = ana.client.next_line();
    assert!(first.ends_with(" Ana: otra vez"), "{what}: {first}");
    relay.stop();
    assert_eq!(history_check(&folder.file()).0, Some(0), "{what}");
    let aside = moved_aside(folder);
    assert_eq!(aside.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{what}");
    assert!(aside == *before, "{what}: what was moved aside is not what was there");
}

#[test]
fn a_file_that_is_damaged_anywhere_is_left_as_it_is_until_its_repair_is_asked_for() {
    for what in ["the header", "the middle", "the end", "the middle beside a log"] {
        let folder = if what == "the middle beside a log" { killed() } else { written(300, 400) };
        match what {
            "the header" => damage_header(&folder.file()),
            "the end" => damage(&folder.file(), 700, 1000),
            _ => damage(&folder.file(), 200, 900),
        }
        let before = files(&folder);
        for _ in 0..2 {
            assert_refused(&folder, what);
            assert!(files(&folder) == before, "{what}: the file was touched");
        }
        assert_repaired(&folder, &before, what);
    }
}

#[test]
fn damage_that_is_met_later_is_told_with_what_to_do_and_the_chat_goes_on_and_that_mends_it() {
    // More than the relay reads of the newest lines when it starts, and too few lines to fill an index.
    let folder = written(90, 16_300);
    let relay = folder.relay(&[]);
    let [mut luis] = relay.people(["Luis"]);
    // Only now: the relay looks through its file from the start on, and whoever comes after the damage is met was not told.
    damage_old_lines(&folder.file());
    luis.send("/history limit=3 after=0");
    let mut heard = Vec::new();
    while !heard.iter().any(|line: &String| line.starts_with("* NOTE HISTORY TROUBLE ")) {
        match luis.hear(DEADLINE) {
            Heard::Line(line) => heard.push(line),
            end => panic!("{end:?}; before it came {heard:?}"),
        }
    }
    let mut eva = relay.named("Ana");
    luis.forget();
    eva.tell("Ana: ¿sigues ahí?");
    luis.hears(&["Ana: ¿sigues ahí?"]);
    let said = relay.stop();
    let sentence = said.iter().find(|line| line.starts_with("not kept: "));
    assert!(sentence.is_some_and(|sentence| sentence.contains("--history-repair")), "{said:?}");
    let (code, sentence) = history_check(&folder.file());
    assert!(code == Some(2) && sentence.contains("--history-repair"), "{sentence}");
    assert_repaired(&folder, &files(&folder), "what the start does not read");
}

#[test]
fn who_has_said_what_cannot_be_read_is_cut_once_and_then_begins_anew() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let mut ana = Speaker::greet(relay.address(), "Ana");
    for label in ["1", "2", "3", "4", "5", "6"] {
        ana.say(label, &"z".repeat(300));
        ana.acknowledged(label);
    }
    relay.stop();
    // Three times what the relay reads of the newest lines when it starts.
    import(&folder, unix_ms(), 200, 15_000);
    damage_page_with(&folder.file(), b'z');
    let relay = folder.relay(&[]);
    let mut client = relay.client();
    client.send(&format!("/hello v=1 resume={}", ana.token));
    let heard = client.lines_until_closed();
    assert!(heard.iter().any(|line| line.starts_with("* FAIL HISTORY UNREADABLE")), "{heard:?}");
    let mut client = relay.client();
    client.send(&format!("/hello v=1 name=Ana resume={}", ana.token));
    let unknown = client.next_line();
    assert!(unknown.starts_with("* WARN HELLO RESUME_UNKNOWN"), "{unknown}");
    let hello = client.next_line();
    assert!(hello.starts_with("* HELLO v=1 name=Ana ") && !hello.contains(&ana.token), "{hello}");
    client.send("@label=1 hola");
    client.expect_line("* JOINED room=general last=… :…");
    client.expect_line("* NOTE HISTORY TROUBLE :…");
    client.expect_line("* ACK label=1 id=… time=…");
    // The next relay does not know the old token either, and has not to find that out again.
    relay.stop();
    let relay = folder.relay(&[]);
    let mut client = relay.client();
    client.send(&format!("/hello v=1 name=Eva resume={}", ana.token));
    let unknown = client.next_line();
    assert!(unknown.starts_with("* WARN HELLO RESUME_UNKNOWN"), "{unknown}");
    relay.stop();
}
