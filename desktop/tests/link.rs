//! The link with a real relay: what is ordered is done, nothing waits, and whoever is killed, nothing is lost or doubled.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use support::{DEADLINE, Folder, Relay, until};
use tertulia_desktop::link::{BELL_EVERY, Link, Report};
use tertulia_desktop::model::{ConnectError, LinkCommand, LinkEvent, Refusal, SayLine, Secure, Unsent};
use tertulia_desktop::phrases::{Phrase, Sentence};
use tertulia_wire::session::{Event, Reason};
use tertulia_wire::tls::Fingerprint;

fn start(address: &str, name: &str) -> LinkCommand {
    let (relay, name, rooms) = (address.to_owned(), name.to_owned(), vec!["general".to_owned()]);
    LinkCommand::Start { relay, name, rooms, tls: None }
}

fn link(address: &str, name: &str, file: &Path) -> Link {
    let link = Link::begin(file, || {}).unwrap();
    link.give(start(address, name)).unwrap();
    link
}

fn say(label: &str, text: &str) -> LinkCommand {
    let (label, room, text) = (label.to_owned(), "general".to_owned(), text.to_owned());
    LinkCommand::Say(SayLine { label, room, to: None, reply: None, text })
}

/// Waits for a report that is right. Those before it are dropped.
fn await_report<T>(link: &Link, what: &str, pick: impl Fn(&Report) -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    let mut others = Vec::new();
    loop {
        link.answer_bell();
        let Some(report) = link.wait(deadline) else { panic!("{what} has not come, but {others:?}") };
        if let Some(found) = pick(&report) {
            return found;
        }
        others.push(report);
    }
}

fn await_event<T>(link: &Link, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
    await_report(link, what, |report| match report {
        Report::Event(LinkEvent::Session(event)) => pick(event),
        _ => None,
    })
}

fn await_acknowledged(link: &Link, label: &str) {
    await_event(link, label, |event| match event {
        Event::Acknowledged { label: answered, .. } if answered == label => Some(()),
        _ => None,
    });
}

/// Leaves, and waits for the end.
fn quit(link: Link) {
    link.give(LinkCommand::Quit).unwrap();
    await_event(&link, "the end", |event| matches!(event, Event::Ended).then_some(()));
    assert!(link.end(|_, _| {}));
}

#[test]
fn what_is_ordered_is_said_and_what_is_said_is_heard() {
    let (relay, folder) = (Relay::start(), Folder::new());
    let ana = link(&relay.address().to_string(), "Ana", &folder.file("session"));
    let mut luis = relay.plain("Luis");
    ana.give(say("a1", "hola\n¿qué tal? 🙂")).unwrap();
    await_acknowledged(&ana, "a1");
    luis.await_said("Ana: hola\u{2028}¿qué tal? 🙂");
    luis.say("bien");
    let line = await_event(&ana, "the answer", |event| match event {
        Event::Heard { line, .. } if line.notice.is_none() => Some(line.clone()),
        _ => None,
    });
    assert_eq!((line.name.as_str(), line.text.as_str()), ("Luis", "bien"));
    quit(ana);
    luis.await_line("the notice", |line| line == "Ana ha abandonado el chat.");
}

/// A port that nobody has, since it was this test's until now.
fn free_address() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

fn await_connect_error(link: &Link) -> ConnectError {
    await_report(link, "why there is no connection", |report| match report {
        Report::Event(LinkEvent::ConnectFailed(error)) => Some(error.clone()),
        _ => None,
    })
}

#[test]
fn nobody_listening_is_told_in_the_systems_terms_and_the_wait_can_be_cut_short() {
    let folder = Folder::new();
    let address = free_address();
    let ana = link(&address, "Ana", &folder.file("session"));
    for _ in 0..2 {
        assert_eq!(await_connect_error(&ana), ConnectError::Refused);
        await_event(&ana, "the wait", |event| match event {
            Event::Waiting { reason: Reason::ConnectFailed, .. } => Some(()),
            _ => None,
        });
        ana.give(LinkCommand::Reconnect).unwrap();
    }
    quit(ana);
}

/// A link that speaks TLS with whoever is at that port.
fn link_by_tls(door: &TcpListener, file: &Path) -> Link {
    let link = Link::begin(file, || {}).unwrap();
    let relay = door.local_addr().unwrap().to_string();
    let tls = Some(Secure { fingerprint: Some(Fingerprint([7; 32])) });
    let (name, rooms) = ("Ana".to_owned(), vec!["general".to_owned()]);
    link.give(LinkCommand::Start { relay, name, rooms, tls }).unwrap();
    link
}

#[test]
fn who_is_banned_where_tls_is_spoken_hears_why_and_stays_away_until_it_comes_back() {
    let folder = Folder::new();
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let ana = link_by_tls(&door, &folder.file("session"));
    for _ in 0..2 {
        // Closed on what was never read, as a relay does.
        let (mut caller, _) = door.accept().unwrap();
        caller.write_all("* FAIL RELAY BANNED :no puedes entrar\n".as_bytes()).unwrap();
        drop(caller);
        let sentence = await_report(&ana, "why nobody is let in", |report| match report {
            Report::Event(LinkEvent::ConnectFailed(error)) => panic!("{error:?}"),
            Report::Event(LinkEvent::Session(Event::Waiting { .. })) => panic!("it would come by itself"),
            Report::Event(LinkEvent::Session(Event::Removed { code, sentence })) if code == "BANNED" => {
                Some(sentence.clone())
            }
            _ => None,
        });
        assert_eq!(sentence, "no puedes entrar");
        ana.give(LinkCommand::Reconnect).unwrap();
    }
    ana.give(LinkCommand::Quit).unwrap();
    drop(door);
    assert!(ana.end(|_, _| {}));
}

#[test]
fn a_full_relay_where_tls_is_spoken_is_told_however_its_line_is_cut_and_tried_again() {
    let folder = Folder::new();
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let ana = link_by_tls(&door, &folder.file("session"));
    let (mut caller, _) = door.accept().unwrap();
    let mut hello = [0; 1024];
    let count = caller.read(&mut hello).unwrap();
    caller.write_all(b"* FAIL RELAY").unwrap();
    // The alert: what came was taken for TLS, and is none.
    while !hello[..count].is_empty() && caller.read(&mut hello[..1]).unwrap() > 0 && hello[0] != 0x15 {}
    caller.write_all(" FULL :no cabe nadie más\n".as_bytes()).unwrap();
    let words = await_report(&ana, "why nobody is let in", |report| match report {
        Report::Event(LinkEvent::ConnectFailed(error)) => panic!("{error:?}"),
        Report::Event(LinkEvent::Session(Event::Other { words, sentence, .. })) => {
            Some((words.clone(), sentence.clone()))
        }
        _ => None,
    });
    assert_eq!(words, ("FAIL RELAY FULL".to_owned(), "no cabe nadie más".to_owned()));
    await_event(&ana, "the wait", |event| match event {
        Event::Waiting { reason: Reason::Disconnected, .. } => Some(()),
        _ => None,
    });
    quit(ana);
}

#[test]
fn whoever_else_speaks_no_tls_is_told_as_such() {
    let folder = Folder::new();
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let ana = link_by_tls(&door, &folder.file("session"));
    // The second is what a relay's port for plain connections says.
    for line in ["* FAIL HELLO BANNED :no\n", "* FAIL RELAY FOREIGN_PROTOCOL :no\n"] {
        let (mut caller, _) = door.accept().unwrap();
        caller.write_all(line.as_bytes()).unwrap();
        assert_eq!(await_connect_error(&ana), ConnectError::NotTls);
        ana.give(LinkCommand::Reconnect).unwrap();
    }
    ana.give(LinkCommand::Quit).unwrap();
    drop(door);
    assert!(ana.end(|_, _| {}));
}

#[test]
fn a_name_that_is_nobodys_is_told_as_such() {
    let folder = Folder::new();
    let ana = link("no-such-host.invalid:2000", "Ana", &folder.file("session"));
    assert_eq!(await_connect_error(&ana), ConnectError::NameNotFound);
    quit(ana);
}

#[test]
fn a_relay_that_is_killed_and_started_again_has_each_line_once() {
    let (mut relay, folder) = (Relay::start(), Folder::new());
    let ana = link(&relay.address().to_string(), "Ana", &folder.file("session"));
    let mut said = Vec::new();
    for round in 0..3 {
        for number in 0..40 {
            let text = format!("{round}-{number}");
            ana.give(say(&format!("a{text}"), &text)).unwrap();
            said.push(format!("Ana: {text}"));
            if number == 20 {
                relay.kill();
            }
        }
        relay.start_again();
        ana.give(LinkCommand::Reconnect).unwrap();
        await_acknowledged(&ana, &format!("a{round}-39"));
    }
    quit(ana);
    assert_eq!(relay.said(), said);
}

fn await_restored(link: &Link) -> Vec<Unsent> {
    await_report(link, "the lines of before", |report| match report {
        Report::Event(LinkEvent::Restored(lines)) => Some(lines.clone()),
        _ => None,
    })
}

#[test]
fn what_was_said_to_nobody_is_told_at_the_next_start_and_said_to_whoever_listens_then() {
    let (mut relay, folder) = (Relay::start(), Folder::new());
    let (address, file) = (relay.address().to_string(), folder.file("session"));
    relay.kill();
    let ana = link(&address, "Ana", &file);
    ana.give(say("a1", "uno")).unwrap();
    assert_eq!(await_connect_error(&ana), ConnectError::Refused);
    quit(ana);
    let ana = link(&address, "Ana", &file);
    let lines = await_restored(&ana);
    assert_eq!((lines.len(), lines[0].label.as_str(), lines[0].text.as_str()), (1, "a1", "uno"));
    assert_eq!(lines[0].refusal, None);
    relay.start_again();
    ana.give(LinkCommand::Reconnect).unwrap();
    await_acknowledged(&ana, "a1");
    quit(ana);
    assert_eq!(relay.said(), ["Ana: uno"]);
}

#[test]
fn what_was_written_for_one_relay_is_never_said_to_another_and_is_kept_until_the_window_has_it() {
    let (folder, other) = (Folder::new(), Relay::start());
    let (address, file) = (free_address(), folder.file("session"));
    let ana = link(&address, "Ana", &file);
    ana.give(say("a1", "secreto")).unwrap();
    assert_eq!(await_connect_error(&ana), ConnectError::Refused);
    // While the window is open, and at the next start.
    ana.give(start(&other.address().to_string(), "Ana")).unwrap();
    let refused = |lines: Vec<Unsent>| {
        assert_eq!((lines.len(), lines[0].text.as_str()), (1, "secreto"));
        assert_eq!(lines[0].refusal, Some(Refusal::OtherRelay(address.clone())));
    };
    refused(await_restored(&ana));
    ana.give(say("a2", "hola")).unwrap();
    await_acknowledged(&ana, "a2");
    quit(ana);
    let ana = link(&other.address().to_string(), "Ana", &file);
    refused(await_restored(&ana));
    ana.give(LinkCommand::ForgetRefused { label: "a1".to_owned() }).unwrap();
    quit(ana);
    assert!(!std::fs::read_to_string(&file).unwrap().contains("secreto"));
    assert_eq!(other.said(), ["Ana: hola"]);
}

#[test]
fn a_refused_line_stays_in_the_file_until_the_window_has_it() {
    let (relay, folder) = (Relay::start(), Folder::new());
    let (address, file) = (relay.address().to_string(), folder.file("session"));
    let ana = link(&address, "Ana", &file);
    let line = SayLine {
        label: "a1".to_owned(),
        room: String::new(),
        to: Some("Nadie".to_owned()),
        reply: None,
        text: "¿estás?".to_owned(),
    };
    ana.give(LinkCommand::Say(line)).unwrap();
    await_event(&ana, "the refusal", |event| matches!(event, Event::Refused { .. }).then_some(()));
    // The window closes without a word that it has the line.
    quit(ana);
    let ana = link(&address, "Ana", &file);
    let lines = await_restored(&ana);
    assert_eq!((lines[0].text.as_str(), &lines[0].refusal), ("¿estás?", &Some(Refusal::Before)));
    ana.give(LinkCommand::ForgetRefused { label: "a1".to_owned() }).unwrap();
    quit(ana);
    assert!(!std::fs::read_to_string(&file).unwrap().contains("¿estás?"));
}

#[test]
fn a_thread_that_has_ended_is_told_once_and_takes_nothing() {
    let folder = Folder::new();
    let ana = Link::begin(&folder.file("session"), || {}).unwrap();
    ana.give(LinkCommand::Quit).unwrap();
    await_report(&ana, "the end of the thread", |report| {
        matches!(report, Report::Event(LinkEvent::Gone)).then_some(())
    });
    assert_eq!(ana.give(say("a1", "hola")), Err(say("a1", "hola")));
    assert_eq!(ana.take(), None);
}

#[test]
fn what_the_thread_reports_while_the_window_closes_is_heard() {
    let (relay, folder) = (Relay::start(), Folder::new());
    let ana = link(&relay.address().to_string(), "Ana", &folder.file("session"));
    await_event(&ana, "the room", |event| matches!(event, Event::Joined { .. }).then_some(()));
    ana.give(say("a1", "adiós")).unwrap();
    ana.give(LinkCommand::Quit).unwrap();
    let mut heard = Vec::new();
    assert!(ana.end(|_, report| heard.push(report)));
    let is_answer = |report: &Report| matches!(report, Report::Event(LinkEvent::Session(Event::Acknowledged { label, .. })) if label == "a1");
    assert!(heard.iter().any(is_answer), "{heard:?}");
    assert!(matches!(heard.last(), Some(Report::Event(LinkEvent::Gone))), "{heard:?}");
}

#[test]
fn a_file_that_is_no_session_is_told_and_kept_aside() {
    let (relay, folder) = (Relay::start(), Folder::new());
    let file = folder.file("session");
    std::fs::write(&file, "qué es esto\n").unwrap();
    let ana = link(&relay.address().to_string(), "Ana", &file);
    let (path, why) = await_report(&ana, "what is wrong", |report| match report {
        Report::SetAside { path, why } => Some((path.clone(), why.clone())),
        _ => None,
    });
    assert_eq!(why, Sentence::from(Phrase::NoSession));
    assert_eq!(std::fs::read_to_string(path).unwrap(), "qué es esto\n");
    ana.give(say("a1", "hola")).unwrap();
    await_acknowledged(&ana, "a1");
    quit(ana);
}

#[test]
fn what_cannot_be_kept_is_told_and_said_all_the_same() {
    let (relay, folder) = (Relay::start(), Folder::new());
    let ana = link(&relay.address().to_string(), "Ana", &folder.file("gone/session"));
    await_report(&ana, "the trouble", |report| match report {
        Report::Event(LinkEvent::OutboxFailed { reason }) => Some(reason.clone()),
        _ => None,
    });
    ana.give(say("a1", "hola")).unwrap();
    await_acknowledged(&ana, "a1");
    std::fs::create_dir(folder.file("gone")).unwrap();
    await_report(&ana, "the relief", |report| {
        matches!(report, Report::Event(LinkEvent::OutboxWritten)).then_some(())
    });
    quit(ana);
}

#[test]
fn the_bell_rings_once_until_it_is_answered_and_not_too_often() {
    let (relay, folder) = (Relay::start(), Folder::new());
    let rings = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&rings);
    let begin = Instant::now();
    let ana = Link::begin(&folder.file("session"), move || {
        counted.fetch_add(1, Ordering::Relaxed);
    })
    .unwrap();
    ana.give(start(&relay.address().to_string(), "Ana")).unwrap();
    let mut luis = relay.plain("Luis");
    until("the first ring", || (rings.load(Ordering::Relaxed) == 1).then_some(()));
    for number in 0..100 {
        luis.say(&number.to_string());
    }
    ana.give(say("a1", "hola")).unwrap();
    luis.await_said("Ana: hola");
    assert_eq!(rings.load(Ordering::Relaxed), 1, "nobody answered the bell");
    await_acknowledged(&ana, "a1");
    let most = u32::try_from(begin.elapsed().as_millis() / BELL_EVERY.as_millis()).unwrap() + 2;
    assert!(rings.load(Ordering::Relaxed) <= most);
    quit(ana);
}

#[test]
fn a_window_that_takes_no_reports_stops_the_reading_and_loses_nothing() {
    let (relay, folder) = (Relay::start(), Folder::new());
    let ana = link(&relay.address().to_string(), "Ana", &folder.file("session"));
    await_event(&ana, "the room", |event| matches!(event, Event::Joined { .. }).then_some(()));
    let mut luis = relay.plain("Luis");
    let lines = 3 * tertulia_desktop::link::REPORTS_MAX;
    for number in 0..lines {
        luis.say(&number.to_string());
    }
    relay.await_said(&format!("Luis: {}", lines - 1));
    for number in 0..lines {
        let text = await_event(&ana, "the next line", |event| match event {
            Event::Heard { line, .. } if line.notice.is_none() => Some(line.text.clone()),
            _ => None,
        });
        assert_eq!(text, number.to_string());
    }
    quit(ana);
}

/// What the child process reads where to go.
const CHILD_ADDRESS: &str = "TERTULIA_TEST_ADDRESS";
/// See [`CHILD_ADDRESS`].
const CHILD_FILE: &str = "TERTULIA_TEST_FILE";
/// See [`CHILD_ADDRESS`].
const CHILD_WORD: &str = "TERTULIA_TEST_WORD";

/// Says lines until somebody kills it, and tells of each that stands in the file.
#[test]
#[ignore = "the process that another test kills"]
fn says_lines_until_it_is_killed() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let (file, word) = (variable(CHILD_FILE), variable(CHILD_WORD));
    let link = link(&variable(CHILD_ADDRESS), "Ana", Path::new(&file));
    for number in 0.. {
        let label = format!("{word}-{number}");
        link.give(say(&label, &label)).unwrap();
        let mut is_answered = false;
        until("the line in the file", || {
            link.answer_bell();
            while let Some(report) = link.take() {
                let answered =
                    |event: &Event| matches!(event, Event::Acknowledged { label: l, .. } if *l == label);
                is_answered |= matches!(&report, Report::Event(LinkEvent::Session(event)) if answered(event));
            }
            let is_kept =
                std::fs::read_to_string(&file).is_ok_and(|text| text.contains(&format!("label={label} ")));
            (is_answered || is_kept).then_some(())
        });
        println!("kept {number}");
    }
}

fn child(address: &str, file: &Path, word: &str) -> Child {
    let arguments = ["--ignored", "--exact", "--nocapture", "says_lines_until_it_is_killed"];
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments).env(CHILD_ADDRESS, address).env(CHILD_FILE, file).env(CHILD_WORD, word);
    command.stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn whoever_is_killed_each_line_that_was_typed_is_said_once() {
    let (mut relay, folder) = (Relay::start(), Folder::new());
    let (address, file) = (relay.address().to_string(), folder.file("session"));
    let mut kept = Vec::new();
    for round in 0..4 {
        let mut child = child(&address, &file, &format!("w{round}"));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut numbers = lines.filter_map(|line| line.split_once("kept ")?.1.parse::<u32>().ok());
        let killed_at = 7 + 5 * round;
        if round % 2 == 1 {
            numbers.find(|number| *number == 3).unwrap();
            relay.kill();
        }
        numbers.find(|number| *number == killed_at).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        kept.push(killed_at);
        if round % 2 == 1 {
            relay.start_again();
        }
    }
    let last = link(&address, "Ana", &file);
    last.give(say("end", "end")).unwrap();
    await_acknowledged(&last, "end");
    quit(last);
    let said = relay.said();
    let mut expected = Vec::new();
    for (round, kept) in kept.iter().enumerate() {
        let own = said.iter().filter(|line| line.starts_with(&format!("Ana: w{round}-"))).count();
        assert!(own > *kept as usize, "round {round}: {own} lines, of which {kept} and one were kept");
        expected.extend((0..own).map(|number| format!("Ana: w{round}-{number}")));
    }
    expected.push("Ana: end".into());
    assert_eq!(said, expected);
}
