//! Each write and each sync of the file fails once, in its turn, until there is none left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use crate::extended::{Speaker, assert_whole, in_file};
use crate::is_thorough;
use crate::strace::{Attached, Tracing, assert_can_trace};
use crate::support::{Folder, Refusal, Relay};

/// System calls that change the file.
const CALLS: &str = "pwrite64,fdatasync,fsync,ftruncate";
/// One of them, and how it fails. The database syncs by `fsync` alone.
const FAULTS: [(&str, &str); 4] =
    [("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("fsync", "EIO"), ("ftruncate", "EIO")];
/// Places of a series that are tried if not all are.
const SPREAD: u32 = 3;
/// Relays at once: most of the time they wait to try again.
const AT_ONCE: usize = 8;
const NO_FAULT: &str = "";
/// What an acknowledgement may promise where there is a file.
const DURABILITIES: [&str; 2] = ["commit", "sync"];

/// Where in the life of a relay the fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// A file is made.
    Start,
    /// A few lines are written, and the log is put into the file at the end.
    Lines,
    /// The log is so long that it is put into the file meanwhile.
    Checkpoint,
}

/// A file, and how many lines are said.
struct Ground {
    moment: Moment,
    durability: &'static str,
    /// Its files are what the relay finds, with so many lines in them.
    template: Folder,
    before: usize,
    lines: u32,
}

/// What a relay did.
struct Outcome {
    /// The fault was met.
    is_struck: bool,
    /// Calls, by name, that were made.
    calls: BTreeMap<String, u32>,
    /// The relay said why it does not start.
    has_refused: bool,
}

impl Ground {
    fn new(moment: Moment, durability: &'static str) -> Self {
        let template = Folder::new();
        let lines = if moment == Moment::Checkpoint { 25 } else { 5 };
        let before = if moment == Moment::Checkpoint { fill_log(&template) } else { 0 };
        Self { moment, durability, template, before, lines }
    }

    /// A relay meets the fault, and must have kept what it acknowledged.
    fn strike(&self, inject: &str) -> Outcome {
        let folder = Folder::new();
        copy(&self.template.0, &folder.0);
        let mut flags = vec!["-e".to_owned(), format!("trace={CALLS}")];
        if inject != NO_FAULT {
            flags.extend(["-e".to_owned(), format!("inject={inject}")]);
        }
        let tracing = Tracing { flags, output: folder.0.join("trace") };
        let (started, attached) = self.start(&folder, &tracing);
        let has_refused = started.is_err();
        let relay = started.unwrap_or_else(|(status, said)| {
            let sentence = said.last().cloned().unwrap_or_default();
            let is_clear = status.code() == Some(2) && sentence.contains("the history ");
            assert!(is_clear, "{inject}: {status} {said:?}");
            Relay::from_command(self.plain(&folder))
        });
        let acknowledged = self.talk(&relay);
        relay.stop();
        attached.into_iter().for_each(Attached::await_end);
        assert_whole(&folder.file());
        let kept = in_file(&folder.file());
        assert_eq!(kept.len(), self.before + self.lines as usize, "{inject}");
        let kept: BTreeSet<(u64, &str)> =
            kept[self.before..].iter().map(|line| (line.id, line.label.as_str())).collect();
        for (id, label) in &acknowledged {
            assert!(kept.contains(&(*id, label)), "{inject}: {label} is not kept as {id}: {kept:?}");
        }
        assert_eq!(acknowledged.len(), kept.len(), "{inject}");
        let lines = tracing.lines();
        let is_struck = lines.iter().any(|line| line.ends_with("(INJECTED)"));
        let mut calls = BTreeMap::new();
        for (name, _) in lines.iter().filter_map(|line| line.split_once('(')) {
            *calls.entry(name.to_owned()).or_default() += 1;
        }
        Outcome { is_struck, calls, has_refused }
    }

    fn start(&self, folder: &Folder, tracing: &Tracing) -> (Result<Relay, Refusal>, Option<Attached>) {
        if self.moment == Moment::Start {
            return (Relay::try_from_command(tracing.around(&self.plain(folder))), None);
        }
        let relay = Relay::from_command(self.plain(folder));
        let attached = Attached::to_thread(&relay, "history", tracing);
        (Ok(relay), Some(attached))
    }

    fn plain(&self, folder: &Folder) -> Command {
        let mut command = plain(folder);
        command.args(["--durability", self.durability]);
        command
    }

    /// Says the lines one after the other; each is acknowledged in the end. Then says one again, as somebody who came back.
    fn talk(&self, relay: &Relay) -> Vec<(u64, String)> {
        let mut ana = Speaker::greet(relay.address(), "Ana");
        let mut acknowledged = Vec::new();
        for number in 0..self.lines {
            let label = number.to_string();
            ana.say(&label, &format!("línea {number}"));
            acknowledged.push((ana.acknowledged(&label), label));
        }
        let mut ana = Speaker::back(relay.address(), &ana.token);
        ana.say("0", "línea 0");
        assert_eq!(ana.acknowledged("0"), acknowledged[0].0, "said again, it is another line");
        acknowledged
    }

    /// All faults of one kind. Gives at how many places it was met, and how often the relay did not start.
    fn series(&self, (call, error): (&str, &str), count: u32) -> (u32, u32) {
        let strike = |place: u32| self.strike(&format!("{call}:error={error}:when={place}"));
        let mut chosen: Vec<u32> = match is_thorough() {
            true => (1..=count).collect(),
            false => (0..SPREAD).map(|step| 1 + step * count.saturating_sub(1) / (SPREAD - 1)).collect(),
        };
        chosen.retain(|place| *place <= count);
        chosen.dedup();
        let places = Mutex::new(chosen.into_iter());
        let met = Mutex::new((0, 0));
        let take = || places.lock().unwrap().next();
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(place) = take() {
                        let outcome = strike(place);
                        let mut met = met.lock().unwrap();
                        met.0 += u32::from(outcome.is_struck);
                        met.1 += u32::from(outcome.has_refused);
                    }
                });
            }
        });
        let (mut struck, mut refused) = met.into_inner().unwrap();
        // How many there are differs by a few from run to run.
        let mut place = count;
        let mut is_left = is_thorough() && count > 0;
        while is_left {
            place += 1;
            let outcome = strike(place);
            is_left = outcome.is_struck;
            struck += u32::from(outcome.is_struck);
            refused += u32::from(outcome.has_refused);
        }
        (struck, refused)
    }

    fn all_series(&self) {
        let calls = self.strike(NO_FAULT).calls;
        for fault in FAULTS {
            let count = calls.get(fault.0).copied().unwrap_or_default();
            let (struck, refused) = self.series(fault, count);
            let Self { moment, durability, .. } = self;
            println!("{moment:?} {durability} {fault:?}: {count} calls, {struck} struck, {refused} refused");
            assert!(struck > 0, "{durability}: {fault:?} was never met: {calls:?}");
        }
        let is_tried = |call: &&String| FAULTS.iter().any(|(tried, _)| tried == call);
        assert!(calls.keys().all(|call| is_tried(&call)), "no fault is tried on some: {calls:?}");
        self.assert_syncs(&calls);
    }

    /// Where a line is to outlive a power cut there is a sync for each, else there are few.
    fn assert_syncs(&self, calls: &BTreeMap<String, u32>) {
        let syncs = calls.get("fsync").copied().unwrap_or_default();
        if self.moment == Moment::Lines {
            assert_eq!(syncs >= self.lines, self.durability == "sync", "{calls:?}");
        }
    }
}

/// A relay that writes to the folder, not traced.
fn plain(folder: &Folder) -> Command {
    let mut command = Relay::command();
    command.args(["--listen", "127.0.0.1:0", "--flood", "0", "--history"]).arg(folder.file());
    command
}

/// Leaves a log behind that lacks a little until it is put into the file. Gives how many lines are in it.
fn fill_log(folder: &Folder) -> usize {
    /// A page of the file in the log, and how many of them there may be.
    const FRAME_BYTES: u64 = 1024 + 24;
    const FRAMES: u64 = 4000 - 50;
    let relay = Relay::from_command(plain(folder));
    let mut eva = Speaker::greet(relay.address(), "Eva");
    let log = folder.0.join("history.db-wal");
    let mut lines = 0;
    while log.metadata().unwrap().len() < FRAMES * FRAME_BYTES {
        lines += 1;
        let label = lines.to_string();
        eva.say(&label, "de antes");
        eva.acknowledged(&label);
    }
    relay.signal("KILL");
    relay.await_end();
    lines
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn whichever_write_fails_while_a_file_is_made_the_relay_says_so_or_keeps_everything() {
    assert_can_trace();
    DURABILITIES.iter().for_each(|durability| Ground::new(Moment::Start, durability).all_series());
}

#[test]
fn whichever_write_fails_while_lines_are_written_all_are_kept_and_acknowledged_in_the_end() {
    assert_can_trace();
    DURABILITIES.iter().for_each(|durability| Ground::new(Moment::Lines, durability).all_series());
}

#[test]
fn whichever_write_fails_while_the_log_is_put_into_the_file_all_are_kept_and_acknowledged_in_the_end() {
    assert_can_trace();
    DURABILITIES.iter().for_each(|durability| Ground::new(Moment::Checkpoint, durability).all_series());
}
