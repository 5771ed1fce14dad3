//! A disk that is full, and a file that another program holds: the chat goes on, nothing is acknowledged that is not kept, and
//! all is well by itself when there is place again.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tertulia_relay::history::WAITING_BYTES_MAX;

use crate::extended::{Speaker, assert_whole, in_file, word};
use crate::is_thorough;
use crate::support::{DEADLINE, Folder, Relay};

/// Twice what may wait, and as much again for the log.
const DISK_MIB: usize = 40;
/// So long that no disk that is full has place for it left.
const LONG: usize = 15_000;

/// A disk for one file, which can be full. Where none can be had, the relay's files may not grow instead.
struct Disk {
    folder: Folder,
    is_mounted: bool,
}

impl Disk {
    fn new() -> Self {
        let folder = Folder::new();
        let size = format!("size={DISK_MIB}m");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder.0).output();
        let refused = match mount {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = &refused {
            println!("no tmpfs can be mounted here: {why}; the relay's files may not grow instead");
        }
        Self { folder, is_mounted: refused.is_none() }
    }

    fn ballast(&self) -> PathBuf {
        self.folder.0.join("ballast")
    }

    fn fill(&self, relay: &Relay) {
        if !self.is_mounted {
            return limit_files(relay, "1:unlimited");
        }
        self.fill_up();
    }

    fn fill_up(&self) {
        let mut file = File::create(self.ballast()).unwrap();
        // The last pages too.
        for bytes in [64 * 1024, 4096] {
            let piece = vec![0; bytes];
            while file.write_all(&piece).is_ok() {}
        }
    }

    fn free(&self, relay: &Relay) {
        if !self.is_mounted {
            return limit_files(relay, "unlimited:unlimited");
        }
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount").arg("--lazy").arg(&self.folder.0).status();
        }
    }
}

fn limit_files(relay: &Relay, bytes: &str) {
    let pid = relay.pid().to_string();
    let done = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}")]).status();
    assert!(done.expect("prlimit").success());
}

/// The labels of the lines that begin so.
fn labels(lines: &[String], start: &str) -> Vec<String> {
    lines.iter().filter(|line| line.starts_with(start)).map(|line| word(line, "label").to_owned()).collect()
}

#[test]
fn while_the_disk_is_full_the_chat_goes_on_and_all_is_acknowledged_when_there_is_place_again() {
    let disk = Disk::new();
    let relay = disk.folder.relay(&["--lang", "en"]);
    let [mut luis] = relay.people(["Luis"]);
    let mut ana = Speaker::greet(relay.address(), "Ana");
    luis.forget();
    ana.say("antes", "antes");
    ana.acknowledged("antes");
    luis.hears(&["Ana: antes"]);
    disk.fill(&relay);
    let long = "x".repeat(LONG);
    ana.say("0", &long);
    luis.expect_line(&format!("Ana: {long}"));
    luis.expect_line("* NOTE HISTORY TROUBLE :…");
    for number in 1..20 {
        ana.say(&number.to_string(), "mientras");
        luis.expect_line("Ana: mientras");
    }
    let mut eva = Speaker::greet(relay.address(), "Eva");
    luis.expect_line("Eva se ha unido al chat.");
    eva.say("e", "soy nueva");
    luis.expect_line("Eva: soy nueva");
    assert_eq!(ana.count("* ACK") + eva.count("* ACK"), 0, "what is not kept is acknowledged");
    disk.free(&relay);
    luis.expect_line("* NOTE HISTORY KEPT :…");
    for number in 0..20 {
        ana.acknowledged(&number.to_string());
    }
    eva.acknowledged("e");
    assert_eq!((ana.count("* NOTE HISTORY TROUBLE"), ana.count("* NOTE HISTORY KEPT")), (1, 1));
    assert_eq!(eva.count("* NOTE HISTORY KEPT"), 1);
    luis.hears(&[]);
    relay.stop();
    assert_whole(&disk.folder.file());
    let kept: Vec<String> = in_file(&disk.folder.file()).into_iter().map(|line| line.label).collect();
    let numbers = (0..20).map(|number| number.to_string());
    let expected: Vec<String> =
        ["antes".to_owned()].into_iter().chain(numbers).chain(["e".to_owned()]).collect();
    assert_eq!(kept, expected);
}

#[test]
fn a_relay_starts_on_a_full_disk_too_and_keeps_what_is_said_once_there_is_place() {
    for is_killed in [true, false] {
        let disk = Disk::new();
        if !disk.is_mounted {
            return;
        }
        let relay = disk.folder.relay(&[]);
        let mut ana = Speaker::greet(relay.address(), "Ana");
        let before: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        for label in &before {
            ana.say(label, "antes");
            ana.acknowledged(label);
        }
        if is_killed {
            drop(relay);
        } else {
            drop(relay.stop());
        }
        disk.fill_up();
        let relay = disk.folder.relay(&[]);
        let mut ana = Speaker::back(relay.address(), &ana.token);
        ana.say("7", "antes");
        ana.acknowledged("7");
        ana.say("nueva", "mientras");
        ana.wait_for("* NOTE HISTORY TROUBLE ");
        assert_eq!(ana.count("* ACK label=nueva"), 0, "what is not kept is acknowledged");
        disk.free(&relay);
        ana.acknowledged("nueva");
        relay.stop();
        assert_whole(&disk.folder.file());
        let kept: Vec<String> = in_file(&disk.folder.file()).into_iter().map(|line| line.label).collect();
        assert_eq!(kept, [before, vec!["nueva".to_owned()]].concat());
    }
}

#[test]
fn lines_that_find_no_place_while_the_disk_is_full_are_answered_so_once_and_are_not_in_the_file() {
    let disk = Disk::new();
    let relay = disk.folder.relay(&[]);
    let mut ana = Speaker::greet(relay.address(), "Ana");
    disk.fill(&relay);
    let long = "x".repeat(LONG);
    let count = WAITING_BYTES_MAX / LONG + 50;
    for number in 0..count {
        ana.say(&number.to_string(), &long);
        if number % 20 == 0 {
            ana.count("");
        }
    }
    assert!(ana.count("* NOTE SAY NOT_KEPT ") >= 40, "the queue has no bound");
    assert_eq!(ana.count("* ACK"), 0);
    disk.free(&relay);
    ana.wait_for("* NOTE HISTORY KEPT ");
    let until = Instant::now() + DEADLINE;
    while ana.count("* ACK") + ana.count("* NOTE SAY NOT_KEPT ") < count {
        assert!(Instant::now() < until, "{} of {count} lines are acknowledged", ana.count("* ACK"));
    }
    let (acknowledged, lost) = (labels(&ana.heard, "* ACK "), labels(&ana.heard, "* NOTE SAY NOT_KEPT "));
    let all: BTreeSet<&String> = acknowledged.iter().chain(&lost).collect();
    assert_eq!((all.len(), acknowledged.len() + lost.len()), (count, count), "a line has two answers");
    ana.say(&lost[0], &long);
    ana.wait_for(&format!("* NOTE SAY NOT_KEPT label={} ", lost[0]));
    ana.say("fin", "al fin");
    ana.acknowledged("fin");
    relay.stop();
    assert_whole(&disk.folder.file());
    let kept: Vec<String> = in_file(&disk.folder.file()).into_iter().map(|line| line.label).collect();
    assert_eq!(kept, [acknowledged, vec!["fin".to_owned()]].concat());
}

#[test]
fn while_another_program_holds_the_file_nobody_waits_but_for_acknowledgements() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let [mut luis, mut eva] = relay.people(["Luis", "Eva"]);
    let mut ana = Speaker::greet(relay.address(), "Ana");
    luis.forget();
    eva.forget();
    let other = Connection::open(folder.file()).unwrap();
    let begun = Instant::now();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for number in 0..20 {
        ana.say(&number.to_string(), &format!("línea {number}"));
        luis.expect_line(&format!("Ana: línea {number}"));
    }
    eva.send("/history");
    luis.sync();
    assert_eq!(ana.count("* ACK"), 0, "what is not kept is acknowledged");
    // The question gives up waiting for what was said before it.
    let line = loop {
        let line = eva.next_line();
        if !line.starts_with("Ana: ") {
            break line;
        }
    };
    assert_eq!(line, "* END HISTORY room=general shown=0");
    if is_thorough() {
        std::thread::sleep(Duration::from_secs(10).saturating_sub(begun.elapsed()));
    }
    luis.sync();
    assert_eq!(ana.count("* ACK"), 0, "what is not kept is acknowledged");
    other.execute_batch("ROLLBACK").unwrap();
    let ids: Vec<u64> = (0..20).map(|number| ana.acknowledged(&number.to_string())).collect();
    relay.stop();
    let kept: Vec<u64> = in_file(&folder.file()).into_iter().map(|line| line.id).collect();
    assert_eq!(kept, ids);
}
