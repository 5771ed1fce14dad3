//! Runs every example of PROTOCOL.md, each against a relay of its own, or against the one whose address stands
//! in RELAY_ADDRESS (where nobody else may be chatting meanwhile).
//!
//! A connection is opened where it first appears. After each line sent the relay's answer to a `/ping` is
//! awaited, so that the order between connections is certain. Only the lines listed may be heard. `{word}` stands for
//! whatever the relay said where it first appears, and for the same ever after. `A!` cuts a connection off.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use support::{CHEAP, Client, DEADLINE, Folder, Heard, Relay, matches};

const PROTOCOL: &str = include_str!("../../PROTOCOL.md");

#[test]
fn every_example_of_the_protocol_is_true() {
    let sessions = sessions(PROTOCOL);
    assert!(sessions.len() >= 8, "only {} examples found", sessions.len());
    let elsewhere = std::env::var("RELAY_ADDRESS").ok().map(|address| {
        address.to_socket_addrs().ok().and_then(|mut found| found.next()).expect("RELAY_ADDRESS is host:port")
    });
    let wrong: Vec<String> = sessions
        .iter()
        .filter(|session| {
            session.needs == Needs::Nothing || (cfg!(feature = "history") && elsewhere.is_none())
        })
        .filter_map(|session| match elsewhere {
            Some(address) => {
                let_the_notices_of_a_second_pass(address);
                run(address, session, DEADLINE).err()
            }
            None if session.needs != Needs::Nothing => {
                let folder = Folder::new();
                if session.needs == Needs::Operator {
                    folder.make_accounts(&[("Jefa", "operator")]);
                }
                run(folder.relay(&CHEAP).address(), session, DEADLINE).err()
            }
            None => run(Relay::calm().address(), session, DEADLINE).err(),
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_wrong_example_is_found_out_with_its_line_and_what_was_heard() {
    let joins = "```session\nA> Ana se ha unido al chat.\nB> Luis se ha unido al chat.\n";
    let cases = [
        ("A< Eva se ha unido al chat.", "line 4: A hears \"Eva", "Line(\"Luis se ha unido al chat.\")"),
        ("", "line 4: A hears nothing more", "Line(\"Luis se ha unido al chat.\")"),
        ("A< Luis se ha unido al chat.\nB< hola", "line 5: B hears \"hola\"", "Nothing"),
        ("A< Luis se ha unido al chat.\nB<.", "line 5: B is closed", "Nothing"),
        ("A< Luis se ha unido al chat.\nB.\nB<.", "line 7: A hears nothing more", "Luis ha abandonado"),
        ("A< Luis se ha unido al chat.\nA> x\nB< Ana: x :…", "line 6: B hears", "Line(\"Ana: x\")"),
    ];
    for (rest, place, heard) in cases {
        let text = format!("{joins}{rest}\n```\n");
        let sessions = sessions(&text);
        let error = run(Relay::calm().address(), &sessions[0], Duration::from_millis(300)).unwrap_err();
        assert!(error.contains(place) && error.contains(heard), "{rest:?}: {error}");
    }
}

#[test]
#[should_panic(expected = "line 3: no step of a session: \"A: hola\"")]
fn a_line_that_is_no_step_is_not_passed_over() {
    sessions("```session\nA> x\nA: hola\n```\n");
}

/// A block of the page.
struct Session {
    number: usize,
    needs: Needs,
    steps: Vec<Step>,
    /// Line number behind the last step.
    end: usize,
}

/// What the relay of a block has to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// It keeps what is said.
    History,
    /// The same, and an operator.
    Operator,
}

struct Step {
    line_number: usize,
    who: char,
    what: What,
}

enum What {
    Send(String),
    Hear(String),
    HalfClose,
    Closed,
    Cut,
}

fn sessions(page: &str) -> Vec<Session> {
    let mut sessions = Vec::new();
    let mut lines = (1..).zip(page.lines());
    while let Some((start, fence)) = lines.find(|(_, line)| line.starts_with("```session")) {
        let needs = match fence {
            "```session" => Needs::Nothing,
            "```session history" => Needs::History,
            "```session operator" => Needs::Operator,
            _ => panic!("line {start}: no kind of session: {fence:?}"),
        };
        let block = lines.by_ref().take_while(|(_, line)| *line != "```");
        let steps: Vec<Step> =
            block.filter(|(_, line)| !line.is_empty()).map(|(number, line)| step(number, line)).collect();
        let end = steps.last().map_or(start, |step| step.line_number) + 1;
        sessions.push(Session { number: sessions.len() + 1, needs, steps, end });
    }
    sessions
}

fn step(line_number: usize, line: &str) -> Step {
    let who = line.chars().next().filter(char::is_ascii_uppercase);
    let what = who.and_then(|_| match line.get(1..)? {
        "." => Some(What::HalfClose),
        "!" => Some(What::Cut),
        "<." => Some(What::Closed),
        rest => {
            let sent = rest.strip_prefix("> ").map(|text| What::Send(text.to_owned()));
            sent.or_else(|| rest.strip_prefix("< ").map(|text| What::Hear(text.to_owned())))
        }
    });
    let (Some(who), Some(what)) = (who, what) else {
        panic!("line {line_number}: no step of a session: {line:?}")
    };
    Step { line_number, who, what }
}

/// Plays a block. The error says which line of which example is wrong, and what was heard instead.
fn run(address: SocketAddr, session: &Session, patience: Duration) -> Result<(), String> {
    let mut clients: BTreeMap<char, Client> = BTreeMap::new();
    let mut words = BTreeMap::new();
    let wrong = |line: usize, expected: String, heard: Heard| {
        Err(format!("example {}, line {line}: {expected}; heard {heard:?}", session.number))
    };
    for (at, step) in session.steps.iter().enumerate() {
        let client = clients.entry(step.who).or_insert_with(|| Client::connect(address));
        match &step.what {
            What::Send(line) if is_closed_next(session, at) => client.send(&filled(line, &words)),
            What::Send(line) => client.tell(&filled(line, &words)),
            What::Cut => clients.remove(&step.who).into_iter().for_each(Client::reset),
            What::HalfClose => client.half_close(),
            What::Hear(pattern) => match client.hear(patience) {
                Heard::Line(line) if is_like(pattern, &line, &mut words) => {}
                heard => return wrong(step.line_number, format!("{} hears {pattern:?}", step.who), heard),
            },
            What::Closed => match client.hear(patience) {
                Heard::Closed => {}
                heard => return wrong(step.line_number, format!("{} is closed", step.who), heard),
            },
        }
    }
    for (who, client) in &mut clients {
        if let Some(line) = unexpected(client, has_ended(session, *who)) {
            return wrong(session.end, format!("{who} hears nothing more"), Heard::Line(line));
        }
    }
    hang_up(clients);
    Ok(())
}

/// The line with what the relay said for its `{words}`.
fn filled(line: &str, words: &BTreeMap<String, String>) -> String {
    words.iter().fold(line.to_owned(), |line, (word, value)| line.replace(&format!("{{{word}}}"), value))
}

/// Whether the line is what the pattern says. Its `{words}` are learnt, or must be what they were.
fn is_like(pattern: &str, line: &str, words: &mut BTreeMap<String, String>) -> bool {
    let pattern = filled(pattern, words);
    let Some((before, rest)) = pattern.split_once('{') else { return matches(&pattern, line) };
    let Some((word, behind)) = rest.split_once('}') else { return false };
    let Some(found) = line.strip_prefix(before) else { return false };
    let length = found.find([' ', ';', ',', '.']).unwrap_or(found.len());
    let (value, found) = found.split_at(length);
    words.insert(word.to_owned(), value.to_owned());
    !value.is_empty() && is_like(behind, found, words)
}

/// Whether the relay closes this step's connection before it sends again: then no ping may be sent on it.
fn is_closed_next(session: &Session, at: usize) -> bool {
    let who = session.steps[at].who;
    let later = session.steps[at + 1..].iter().filter(|step| step.who == who);
    matches!(later.map(|step| &step.what).find(|what| !matches!(what, What::Hear(_))), Some(What::Closed))
}

fn has_ended(session: &Session, who: char) -> bool {
    session.steps.iter().any(|step| step.who == who && matches!(step.what, What::Closed | What::HalfClose))
}

fn unexpected(client: &mut Client, ended: bool) -> Option<String> {
    let lines = if ended { client.lines_until_closed() } else { client.all_lines() };
    lines.into_iter().next()
}

/// Ends all connections and waits until the relay has noticed.
fn hang_up(clients: BTreeMap<char, Client>) {
    for mut client in clients.into_values() {
        // Fails where the relay has closed already.
        let _ = client.stream().shutdown(std::net::Shutdown::Write);
        client.lines_until_closed();
    }
}

/// Above 20 notices in a second a room hears a summary; a relay shared by all examples would come to that.
fn let_the_notices_of_a_second_pass(address: SocketAddr) {
    Client::connect(address).expect_silence(1100);
}
