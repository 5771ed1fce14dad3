//! What a power cut would leave: with `--durability sync` the disk has a line before it is acknowledged.

use std::collections::HashMap;
use std::process::Command;

use crate::extended::Speaker;
use crate::strace::{Tracing, assert_can_trace};
use crate::support::{Folder, Relay};

const LINES: u32 = 20;
const CALLS: &str = "trace=read,recvfrom,write,writev,sendto,sendmsg,pwrite64,fsync,fdatasync";

/// A system call that was done: it began and ended with these lines of the trace.
#[derive(Debug)]
struct Call {
    begin: usize,
    end: usize,
    /// As strace shows it; what is said while it waits for its end is joined.
    text: String,
}

impl Call {
    fn is_sync(&self) -> bool {
        let is_sync = self.text.starts_with("fsync(") || self.text.starts_with("fdatasync(");
        is_sync && self.is_of_log() && self.text.ends_with("= 0")
    }

    fn is_write(&self) -> bool {
        self.text.starts_with("pwrite64(") && self.is_of_log()
    }

    fn is_of_log(&self) -> bool {
        self.text.contains("history.db-wal>")
    }

    fn is_network(&self, starts: [&str; 4], words: &str) -> bool {
        starts.iter().any(|start| self.text.starts_with(start)) && self.text.contains(words)
    }
}

/// The calls of a trace of several threads, where one may begin, and end, within another.
fn calls(lines: &[String]) -> Vec<Call> {
    let mut open: HashMap<&str, Call> = HashMap::new();
    let mut calls = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some((thread, text)) = line.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(text) = text.strip_suffix("<unfinished ...>") {
            open.insert(thread, Call { begin: number, end: number, text: text.to_owned() });
        } else if let Some((_, rest)) =
            text.strip_prefix("<... ").and_then(|text| text.split_once(" resumed>"))
        {
            let mut call = open.remove(thread).unwrap_or_else(|| panic!("what is resumed began: {line}"));
            call.end = number;
            call.text.push_str(rest);
            calls.push(call);
        } else {
            calls.push(Call { begin: number, end: number, text: text.to_owned() });
        }
    }
    calls
}

/// The calls of a relay to which lines are said, one after the other is acknowledged.
fn trace(durability: &str) -> Vec<Call> {
    assert_can_trace();
    let folder = Folder::new();
    let flags = ["-f", "-y", "-s", "64", "-e", CALLS].map(str::to_owned).to_vec();
    let tracing = Tracing { flags, output: folder.0.join("trace") };
    let mut command: Command = Relay::command();
    command.args(["--listen", "127.0.0.1:0", "--flood", "0", "--durability", durability, "--history"]);
    command.arg(folder.file());
    let relay = Relay::from_command(tracing.around(&command));
    let mut ana = Speaker::greet(relay.address(), "Ana");
    for number in 0..LINES {
        let label = format!("l{number}");
        ana.say(&label, "hola");
        ana.acknowledged(&label);
    }
    relay.stop();
    calls(&tracing.lines())
}

/// From where the line with this label was read to where its acknowledgement began to be written.
fn span(calls: &[Call], number: u32) -> (usize, usize) {
    let of = |starts, words: &str| {
        let call = calls.iter().find(|call| call.is_network(starts, words));
        call.unwrap_or_else(|| panic!("{words} is not in the trace"))
    };
    let read = of(["read(", "recvfrom(", "readv(", "recvmsg("], &format!("@label=l{number} "));
    let written = of(["write(", "sendto(", "writev(", "sendmsg("], &format!("* ACK label=l{number} "));
    (read.end, written.begin)
}

#[test]
fn with_durability_sync_the_log_is_on_the_disk_before_a_line_is_acknowledged() {
    let calls = trace("sync");
    for number in 0..LINES {
        let (read, acknowledged) = span(&calls, number);
        let is_within = |call: &&Call| call.begin > read && call.end < acknowledged;
        let last_write =
            calls.iter().filter(is_within).filter(|call| call.is_write()).map(|call| call.end).max();
        let last_write = last_write.unwrap_or_else(|| panic!("line {number} was not written"));
        let is_synced = calls.iter().filter(is_within).any(|call| call.is_sync() && call.begin > last_write);
        assert!(is_synced, "line {number} was acknowledged before it was on the disk");
    }
}

#[test]
fn with_durability_commit_no_line_waits_for_the_disk() {
    let calls = trace("commit");
    let (first, last) = (span(&calls, 0).0, span(&calls, LINES - 1).1);
    let within: Vec<&Call> = calls.iter().filter(|call| call.begin > first && call.end < last).collect();
    assert!(within.iter().filter(|call| call.is_write()).count() >= LINES as usize);
    assert_eq!(within.iter().filter(|call| call.is_sync()).count(), 0);
}

#[test]
fn calls_that_overlap_are_told_apart() {
    let lines = [
        "7 fsync(3</a/history.db-wal> <unfinished ...>",
        "8 sendto(4<socket:[1]>, \"* ACK label=l0 \", 15, 0, NULL, 0 <unfinished ...>",
        "7 <... fsync resumed>)              = 0",
        "8 <... sendto resumed>) = 15",
        "7 fsync(3</a/history.db-wal>) = -1 EIO (Input/output error)",
    ];
    let calls = calls(&lines.map(str::to_owned));
    assert_eq!(calls.iter().map(|call| (call.begin, call.end)).collect::<Vec<_>>(), [(0, 2), (1, 3), (4, 4)]);
    assert_eq!(calls.iter().map(Call::is_sync).collect::<Vec<_>>(), [true, false, false]);
}
