//! What was said is kept, whatever happens to the relay, and given to who asks.

#![cfg(feature = "history")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use rusqlite::Connection;
use support::{Client, DEADLINE, Folder, Relay};
use tertulia_relay::clock::unix_ms;
use tertulia_relay::history::CLOCK_SET_MS;
use tertulia_wire::time::rfc3339;

/// What `/history WORDS` answers: the lines as they were said, and the last line.
fn history(client: &mut Client, words: &str) -> (Vec<String>, String) {
    client.send(&format!("/history {words}"));
    let mut lines = Vec::new();
    loop {
        let line = client.next_line();
        let Some((time, said)) = line.strip_prefix("* HISTORY ").and_then(|rest| rest.split_once(" :"))
        else {
            assert!(line.starts_with("* END HISTORY") || line.starts_with("* FAIL"), "{line}");
            return (lines, line);
        };
        assert!(time.len() == 24 && time.ends_with('Z'), "{line}");
        lines.push(said.to_owned());
    }
}

/// All lines of the file, in the order of their ids.
fn in_file(path: &Path) -> Vec<(u64, String)> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT id, text FROM line ORDER BY id").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn what_was_said_is_given_again_also_after_the_relay_was_killed() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("Ana: hola");
    luis.tell("[RESPUESTA a 'hola'] Luis: ¿qué tal? 🙂");
    ana.tell("sin nombre delante");
    let said = ["Ana: hola", "[RESPUESTA a 'hola'] Luis: ¿qué tal? 🙂", "Ana: sin nombre delante"];
    luis.forget();
    assert_eq!(history(&mut luis, "").0, said);
    drop(relay);
    let relay = folder.relay(&[]);
    let mut eva = relay.client();
    let (lines, end) = history(&mut eva, "");
    assert_eq!(lines, said);
    assert!(end.starts_with("* END HISTORY room=general shown=3 first="), "{end}");
    let [mut ana] = relay.people(["Ana"]);
    eva.forget();
    ana.tell("Ana: otra vez");
    eva.forget();
    assert_eq!(history(&mut eva, "2").0, ["Ana: sin nombre delante", "Ana: otra vez"]);
}

#[test]
fn the_history_is_read_backwards_page_by_page_and_each_room_has_its_own() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let [mut ana] = relay.people(["Ana"]);
    for number in 0..25 {
        ana.tell(&format!("Ana: {number}"));
    }
    ana.tell("/join cocina");
    ana.tell("Ana: aquí huele bien");
    ana.forget();
    assert_eq!(history(&mut ana, "").0, ["Ana: aquí huele bien"]);
    let mut before = String::new();
    let mut pages = Vec::new();
    loop {
        let (lines, end) = history(&mut ana, &format!("limit=10 room=GENERAL{before}"));
        if lines.is_empty() {
            assert_eq!(end, "* END HISTORY room=general shown=0");
            break;
        }
        pages.insert(0, lines);
        before = format!(" before={}", end.split_once("first=").unwrap().1);
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [5, 10, 10]);
    let expected: Vec<String> = (0..25).map(|number| format!("Ana: {number}")).collect();
    assert_eq!(pages.concat(), expected);
    assert_eq!(history(&mut ana, "room=nadie").1, "* END HISTORY room=nadie shown=0");
}

#[test]
fn who_comes_and_goes_and_what_is_said_to_one_alone_are_not_kept() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let [mut ana, luis] = relay.people(["Ana", "Luis"]);
    ana.tell("/msg Luis esto no lo lee nadie más");
    ana.tell("/nick Eva");
    ana.tell("//barra");
    ana.forget();
    drop(luis);
    assert_eq!(ana.next_line(), "Luis ha abandonado el chat.");
    assert_eq!(history(&mut ana, "").0, ["Eva: /barra"]);
}

#[test]
fn a_wrong_question_and_a_relay_that_keeps_nothing_say_so() {
    let folder = Folder::new();
    let relay = folder.relay(&["--lang", "en"]);
    let mut client = relay.client();
    assert!(history(&mut client, "many").1.starts_with("* FAIL HISTORY NO_NUMBER many :"));
    assert!(history(&mut client, "room=a:b").1.starts_with("* FAIL HISTORY ROOM_INVALID :"));
    let relay = Relay::calm();
    let mut client = relay.client();
    assert!(history(&mut client, "").1.starts_with("* FAIL HISTORY NOT_KEPT :"));
}

#[test]
fn whoever_asks_and_sends_no_more_hears_the_answer_before_it_is_closed() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let [mut ana] = relay.people(["Ana"]);
    ana.tell("Ana: hola");
    let mut stream = TcpStream::connect(relay.address()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(b"/historial 5\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    assert!(heard.contains(" :Ana: hola\n* END HISTORY room=general shown=1 first="), "{heard}");
}

#[test]
fn what_a_client_says_behind_its_question_waits_for_the_answer() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let [mut ana] = relay.people(["Ana"]);
    ana.tell("Ana: uno");
    ana.send_bytes(b"/history\nAna: dos\n/history\n/ping fin\n");
    let heard: Vec<String> = (0..6).map(|_| ana.next_line()).collect();
    let said = |line: &String| line.split_once(" :").map_or(line.clone(), |(_, said)| said.to_owned());
    assert_eq!(said(&heard[0]), "Ana: uno");
    assert!(heard[1].starts_with("* END HISTORY room=general shown=1"));
    assert_eq!([said(&heard[2]), said(&heard[3])], ["Ana: uno", "Ana: dos"]);
    assert!(heard[4].starts_with("* END HISTORY room=general shown=2"));
    assert_eq!(heard[5], "* PONG fin");
}

#[test]
fn a_relay_killed_at_any_moment_has_kept_the_lines_up_to_one_of_them_and_none_twice() {
    let kills: u32 = std::env::var("RELAY_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(8);
    let folder = Folder::new();
    let mut before: Vec<(u64, String)> = Vec::new();
    for kill in 0..kills {
        let relay = folder.relay(&[]);
        let [mut ana] = relay.people([format!("Ana{kill}").as_str()]);
        // A moment that differs from kill to kill, and does not depend on a clock: so many lines are on their way.
        let lines = 1 + (kill * 7919) % 3000;
        for number in 0..lines {
            ana.send(&format!("Ana{kill}: {kill}.{number}"));
        }
        relay.signal("KILL");
        drop(relay);
        let now = in_file(&folder.file());
        assert_eq!(now.get(..before.len()), Some(before.as_slice()), "what was kept stays");
        let added: Vec<&str> = now[before.len()..].iter().map(|(_, text)| text.as_str()).collect();
        let expected: Vec<String> = (0..added.len()).map(|number| format!("{kill}.{number}")).collect();
        assert_eq!(added, expected, "in order, without a gap, none twice");
        before = now;
    }
    assert!(before.is_sorted_by(|(one, _), (other, _)| one < other));
    assert!(!before.is_empty(), "no line was ever kept");
}

#[test]
fn at_its_end_the_relay_writes_all_that_was_said() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let [mut ana] = relay.people(["Ana"]);
    for number in 0..2_000 {
        ana.send(&format!("Ana: {number}"));
    }
    ana.sync();
    relay.stop();
    let texts: Vec<String> = in_file(&folder.file()).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, (0..2_000).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn lines_too_many_or_too_old_go_the_oldest_first() {
    let folder = Folder::new();
    let relay = folder.relay(&["--history-max-rows", "16"]);
    let [mut ana] = relay.people(["Ana"]);
    for number in 0..100 {
        ana.tell(&format!("Ana: {number}"));
    }
    ana.forget();
    // What is too much goes right behind the write, so that a question may come in between.
    let until = Instant::now() + DEADLINE;
    let mut lines = history(&mut ana, "1000").0;
    while lines.len() > 17 && Instant::now() < until {
        lines = history(&mut ana, "1000").0;
    }
    assert!((16..=17).contains(&lines.len()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "Ana: 99");
    drop(relay);
    // All go as soon as they are a second old: at a start, or soon after.
    let until = Instant::now() + DEADLINE;
    let mut left = 1;
    while left > 0 && Instant::now() < until {
        let relay = folder.relay(&["--history-max-age", "1s"]);
        left = history(&mut relay.client(), "").0.len();
    }
    assert_eq!(left, 0);
}

fn run_to_end(folder: &Folder, flags: &[&str]) -> (Option<i32>, String) {
    let mut command = Relay::command();
    command.args(["--listen", "127.0.0.1:0", "--history"]).arg(folder.file()).args(flags);
    let output = command.stdin(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_damaged_file_is_named_and_moved_aside_only_when_that_is_asked_for() {
    let folder = Folder::new();
    let damage = vec![b'x'; 8192];
    std::fs::write(folder.file(), &damage).unwrap();
    let (code, sentence) = run_to_end(&folder, &[]);
    assert_eq!(code, Some(2), "{sentence}");
    assert!(
        sentence.contains("history.db is damaged") && sentence.contains("--history-repair"),
        "{sentence}"
    );
    assert_eq!(std::fs::read(folder.file()).unwrap(), damage);
    let relay = folder.relay(&["--history-repair"]);
    let [mut ana] = relay.people(["Ana"]);
    ana.tell("Ana: hola");
    ana.forget();
    assert_eq!(history(&mut ana, "").0, ["Ana: hola"]);
    let aside: Vec<PathBuf> = std::fs::read_dir(&folder.0)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("history.db.damaged-"))
        .collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(std::fs::read(&aside[0]).unwrap(), damage);
}

#[test]
fn a_second_relay_does_not_start_on_the_file_of_one_that_runs_and_does_on_that_of_one_that_was_killed() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    for flags in [&[][..], &["--history-repair"]] {
        let (code, said) = run_to_end(&folder, flags);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("is that of another relay which runs") && said.contains("--history"), "{said}");
    }
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("Ana: hola");
    luis.hears(&["Ana: hola"]);
    let (code, _, said) = tool(&folder, &["check"], "");
    assert_eq!(code, Some(0), "{said}");
    // Dropped is killed.
    drop(relay);
    let relay = folder.relay(&[]);
    let mut eva = relay.client();
    assert_eq!(history(&mut eva, "").0, ["Ana: hola"]);
}

#[test]
fn a_file_of_another_program_or_of_a_newer_relay_is_left_alone() {
    let folder = Folder::new();
    let connection = Connection::open(folder.file()).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    let (code, sentence) = run_to_end(&folder, &["--history-repair"]);
    assert_eq!(code, Some(2));
    assert!(sentence.contains("another program"), "{sentence}");
    let folder = Folder::new();
    folder.relay(&[]).stop();
    Connection::open(folder.file()).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let (code, sentence) = run_to_end(&folder, &["--history-repair"]);
    assert_eq!(code, Some(2));
    assert!(sentence.contains("newer relay (schema 99)"), "{sentence}");
}

#[test]
fn while_another_program_holds_the_file_the_chat_goes_on_and_nothing_is_lost() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for number in 0..500 {
        ana.send(&format!("Ana: {number}"));
    }
    for number in 0..500 {
        assert_eq!(luis.next_line(), format!("Ana: {number}"));
    }
    assert_eq!(in_file(&folder.file()), []);
    other.execute_batch("ROLLBACK").unwrap();
    let until = Instant::now() + DEADLINE;
    while in_file(&folder.file()).len() < 500 {
        assert!(Instant::now() < until, "the lines are never written");
        std::thread::yield_now();
    }
    let (lines, _) = history(&mut luis, "1000");
    assert_eq!(lines, (0..500).map(|number| format!("Ana: {number}")).collect::<Vec<_>>());
}

#[test]
fn a_disk_that_is_full_is_told_once_and_all_is_kept_when_there_is_place_again() {
    let folder = Folder::new();
    let relay = folder.relay(&["--lang", "en"]);
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("Ana: antes");
    luis.forget();
    history(&mut luis, "");
    // No file of the relay may grow any more.
    let limit = |bytes: &str| {
        let pid = relay.pid().to_string();
        let done = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}")]).status();
        assert!(done.expect("prlimit").success());
    };
    limit("1:unlimited");
    ana.send("Ana: mientras");
    assert_eq!(luis.next_line(), "Ana: mientras");
    let note = luis.next_line();
    assert!(note.starts_with("* NOTE HISTORY TROUBLE :"), "{note}");
    for number in 0..50 {
        ana.send(&format!("Ana: {number}"));
        assert_eq!(luis.next_line(), format!("Ana: {number}"));
    }
    limit("unlimited:unlimited");
    let note = luis.next_line();
    assert!(note.starts_with("* NOTE HISTORY KEPT :"), "{note}");
    let (lines, _) = history(&mut luis, "1000");
    let numbers = (0..50).map(|number| format!("Ana: {number}"));
    let expected: Vec<String> =
        ["Ana: antes", "Ana: mientras"].map(str::to_owned).into_iter().chain(numbers).collect();
    assert_eq!(lines, expected);
    let said = relay.stop();
    assert!(said.iter().any(|line| line.starts_with("not kept: the history")), "{said:?}");
    assert!(said.iter().any(|line| line == "history kept again"), "{said:?}");
}

#[test]
fn without_a_word_about_it_the_history_is_where_the_service_manager_or_the_user_keeps_such_things() {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tertulia-relay"));
    command.env_clear().env("XDG_STATE_HOME", &folder.0).args(["--listen", "127.0.0.1:0"]);
    let said = Relay::from_command(command).stop();
    let path = folder.0.join("tertulia/history.db");
    let line = format!("history in {}: 0 lines, WAL", path.display());
    assert!(said.contains(&line), "{said:?}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tertulia-relay"));
    command.env_clear().env("STATE_DIRECTORY", &folder.0).args(["--listen", "127.0.0.1:0"]);
    Relay::from_command(command).stop();
    assert!(folder.file().exists());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tertulia-relay"));
    let output = command.env_clear().args(["--listen", "127.0.0.1:0"]).output().unwrap();
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert!(sentence.contains("--history FILE") && output.status.code() == Some(2), "{sentence}");
}

/// Runs `tertulia-relay history TOOL` with this on its standard input: exit code, standard output, last line of
/// standard error.
fn tool(folder: &Folder, words: &[&str], input: &str) -> (Option<i32>, String, String) {
    tool_of_bytes(folder, words, input.as_bytes())
}

fn tool_of_bytes(folder: &Folder, words: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tertulia-relay"));
    command.env_clear().arg("history").args(words).arg("--history").arg(folder.file());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let said = text(output.stderr);
    (output.status.code(), text(output.stdout), said.lines().last().unwrap_or_default().to_owned())
}

#[test]
fn what_is_taken_out_of_one_history_can_be_put_into_another_and_twice_is_once() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let [mut ana] = relay.people(["Ana María"]);
    ana.tell("Ana María: hola; con = y \\ y 🙂");
    ana.tell("[RESPUESTA a 'uno; dos'] Ana María: sí");
    ana.tell("/join cocina");
    ana.tell("Ana María: huele bien");
    ana.forget();
    history(&mut ana, "");
    // The relay runs meanwhile.
    let (code, lines, said) = tool(&folder, &["export"], "");
    assert_eq!((code, said.as_str()), (Some(0), "3 lines written"));
    let shown: Vec<&str> = lines.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(shown, ["Ana María: hola; con = y \\ y 🙂", "Ana María: sí", "Ana María: huele bien"]);
    assert!(lines.lines().nth(1).unwrap().contains(";room=general;quote=uno\\:\\sdos "), "{lines}");
    let other = Folder::new();
    let (code, _, said) = tool(&other, &["import"], &lines);
    assert_eq!((code, said.as_str()), (Some(0), "3 lines taken in, 3 there now"));
    let (_, _, said) = tool(&other, &["import"], &lines);
    assert_eq!(said, "0 lines taken in, 3 there now");
    assert_eq!(tool(&other, &["export"], "").1, lines);
    let (code, _, said) = tool(&other, &["check"], "");
    assert_eq!(code, Some(0));
    assert!(said.starts_with("whole: 3 lines in 2 rooms, from 20"), "{said}");
    assert!(said.contains("Z, 0 lines indexed, "), "{said}");
    let single = Folder::new();
    let first = format!("{}\n", lines.lines().next().unwrap());
    tool(&single, &["import"], &first);
    let (_, _, said) = tool(&single, &["check"], "");
    assert!(said.starts_with("whole: 1 line in 1 room, from 20"), "{said}");
}

#[test]
fn a_line_is_taken_out_with_all_that_belongs_to_it_and_a_key_only_goes_where_no_others_are() {
    let folder = Folder::new();
    let lines = "@id=65536;time=2024-02-29T23:59:59.999Z;room=general Ana: a otra hora\n\
                 @id=131072;time=1970-01-01T00:00:00.002Z;room=general;reply=65536;quote=a\\sotra;key=7.x.1;hash=9 Ana: sí\n";
    let (code, _, said) = tool(&folder, &["import"], lines);
    assert_eq!((code, said.as_str()), (Some(0), "2 lines taken in, 2 there now"));
    assert_eq!(tool(&folder, &["export"], "").1, lines);
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let mut ana = relay.client();
    ana.send("/hello v=1 name=Ana");
    ana.send("@label=1 hola");
    while !ana.next_line().starts_with("* ACK label=1 ") {}
    assert_eq!(tool(&folder, &["import"], lines).0, Some(0));
    let (_, lines, _) = tool(&folder, &["export"], "");
    assert_eq!(lines.lines().filter(|line| line.contains(";key=")).count(), 1, "its own: {lines}");
}

#[test]
fn a_file_that_a_relay_holds_alone_is_said_to_be_so() {
    let folder = Folder::new();
    let shared = folder.0.join("history.db-shm");
    std::os::unix::fs::symlink(&shared, &shared).unwrap();
    let relay = folder.relay(&[]);
    let [mut ana] = relay.people(["Ana"]);
    ana.tell("Ana: hola");
    ana.forget();
    assert_eq!(history(&mut ana, "").0, ["Ana: hola"]);
    let (code, _, said) = tool(&folder, &["export"], "");
    assert!(code == Some(2) && said.contains("is locked by another program; if that is a relay"), "{said}");
    let said = relay.stop();
    assert!(said.iter().any(|line| line.ends_with(": 0 lines, WAL, held by this relay alone")), "{said:?}");
    assert_eq!(tool(&folder, &["export"], "").2, "1 lines written");
}

#[test]
fn a_line_that_cannot_be_taken_in_is_named_with_its_number_and_those_before_it_are_in() {
    let folder = Folder::new();
    let good = "@id=65536;room=general Ana: hola\n";
    for (bad, why) in [
        ("Ana: hola", "it does not begin with @id="),
        ("@room=general Ana: hola", "it has no id"),
        ("@id=0;room=general Ana: hola", "it has no id"),
        ("@id=99999999999999999999;room=general Ana: hola", "it has no id"),
        ("@id=7 Ana: hola", "it has no room"),
        ("@id=7;room=a:b Ana: hola", "it has no room"),
        ("@id=7;room=general hola", "it is not NAME: TEXT"),
        ("@id=7;room=general *x: hola", "*x is no name"),
        ("@id=7;time=2026-02-30T00:00:00.000Z;room=general Ana: hola", "2026-02-30T00:00:00.000Z is no time"),
        ("@id=7;room=general;reply=x Ana: hola", "x is no id"),
        ("@id=7;room=general;key=1.a/b Ana: hola", "1.a/b is no key"),
    ] {
        let (code, _, said) = tool(&folder, &["import"], &format!("{good}{bad}\n{good}"));
        assert_eq!(code, Some(2), "{bad}");
        assert!(said.contains("line 2: ") && said.contains(why) && said.contains("the 1 lines"), "{said}");
    }
    assert_eq!(in_file(&folder.file()), [(65536, "hola".to_owned())]);
}

#[test]
fn a_line_from_far_ahead_is_not_taken_in_and_one_from_a_clock_that_is_a_little_fast_is() {
    let folder = Folder::new();
    let hour = 60 * 60 * 1000;
    let line = |ahead: u64| format!("@id={};room=general Ana: hola\n", (unix_ms() + ahead) << 16);
    let (code, _, said) = tool(&folder, &["import"], &line(23 * hour));
    assert_eq!((code, said.as_str()), (Some(0), "1 lines taken in, 1 there now"));
    for ahead in [25 * hour, 1 << 45] {
        let (code, _, said) = tool(&folder, &["import"], &(line(0) + &line(ahead)));
        let is_told = said.contains("line 2: its id is of ") && said.contains("more than a day from now");
        assert!(code == Some(2) && is_told, "{said}");
    }
    let ahead = "@id=7;time=2999-01-01T00:00:00.000Z;room=general Ana: hola\n";
    let (code, _, said) = tool(&folder, &["import"], ahead);
    assert!(
        code == Some(2) && said.contains("line 1: its time is 2999-01-01T00:00:00.000Z, which is"),
        "{said}"
    );
    assert_eq!(in_file(&folder.file()).len(), 3);
}

#[test]
fn a_line_that_is_there_is_never_replaced_and_whose_id_it_is_is_said() {
    let folder = Folder::new();
    let line = |id: u64, text: &str| format!("@id={};room=general Ana: {text}\n", id << 16);
    tool(&folder, &["import"], &(line(1, "uno") + &line(2, "dos")));
    let again = line(1, "uno") + &line(2, "otra") + &line(3, "tres") + "\n" + &line(3, "cuatro");
    let (code, _, said) = tool(&folder, &["import"], &again);
    let expected = "line 2: its id belongs to another line, which stays, and so do those of 1 further line; \
                    1 lines taken in, 3 there now";
    assert!(code == Some(2) && said.ends_with(expected), "{said}");
    let texts: Vec<String> = in_file(&folder.file()).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["uno", "dos", "tres"]);
    let (code, _, said) = tool(&folder, &["import"], &line(2, "otra"));
    assert!(
        code == Some(2) && said.contains("line 1: its id belongs to another line, which stays; 0 "),
        "{said}"
    );
}

#[test]
fn a_history_is_shortened_and_looked_at_by_hand() {
    let folder = Folder::new();
    let said = |id: u64| format!("@id={};room=general Ana: {id}\n", (CLOCK_SET_MS + id) << 16);
    let lines: String = (1..=100u64).map(said).collect();
    tool(&folder, &["import"], &lines);
    let (code, _, said) = tool(&folder, &["prune", "--history-max-age", "0", "--history-max-rows", "30"], "");
    assert_eq!((code, said.as_str()), (Some(0), "70 lines dropped, 30 kept"));
    assert_eq!(in_file(&folder.file())[0].1, "71");
    let (_, _, said) = tool(&folder, &["prune"], "");
    assert_eq!(said, "30 lines dropped, 0 kept", "they are of 2025");
    std::fs::write(folder.file(), vec![b'x'; 4096]).unwrap();
    let (code, _, said) = tool(&folder, &["check"], "");
    assert!(code == Some(2) && said.contains("is damaged"), "{said}");
    let nothing = Folder::new();
    let (code, _, said) = tool(&nothing, &["check"], "");
    assert!(code == Some(2) && said.contains("there is no such history"), "{said}");
    assert!(!nothing.file().exists());
    let (code, _, said) = tool(&nothing, &["burn"], "");
    assert!(
        code == Some(2) && said.contains("history burn: expected one of export, import, prune, check"),
        "{said}"
    );
}

/// Waits until the file has so many lines.
fn await_lines(folder: &Folder, count: usize) {
    let until = Instant::now() + DEADLINE;
    let mut lines = in_file(&folder.file()).len();
    while lines != count {
        assert!(Instant::now() < until, "{lines} lines are in the file, not {count}");
        std::thread::yield_now();
        lines = in_file(&folder.file()).len();
    }
}

#[test]
fn what_is_dropped_by_hand_beside_a_relay_does_not_make_it_drop_more() {
    let folder = Folder::new();
    let relay = folder.relay(&["--history-max-rows", "100"]);
    let [mut ana] = relay.people(["Ana"]);
    let mut talk = |numbers: std::ops::Range<u32>| {
        for number in numbers {
            ana.tell(&format!("Ana: {number}"));
            ana.forget();
            assert_eq!(history(&mut ana, "1").0, [format!("Ana: {number}")]);
        }
    };
    talk(0..100);
    await_lines(&folder, 100);
    let (code, _, said) = tool(&folder, &["prune", "--history-max-rows", "10"], "");
    assert_eq!((code, said.as_str()), (Some(0), "90 lines dropped, 10 kept"));
    talk(100..160);
    relay.stop();
    let texts: Vec<String> = in_file(&folder.file()).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, (90..160).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn what_is_taken_in_beside_a_relay_counts_as_what_was_said() {
    let folder = Folder::new();
    let relay = folder.relay(&["--history-max-rows", "100", "--history-max-age", "0"]);
    let [mut ana] = relay.people(["Ana"]);
    ana.tell("Ana: antes");
    await_lines(&folder, 1);
    let lines: String = (1..=300u64).map(|id| format!("@id={};room=general Ana: {id}\n", id << 16)).collect();
    let (code, _, said) = tool(&folder, &["import"], &lines);
    assert_eq!((code, said.as_str()), (Some(0), "300 lines taken in, 301 there now"));
    ana.tell("Ana: después");
    await_lines(&folder, 100);
    let lines = in_file(&folder.file());
    assert_eq!((lines[0].1.as_str(), lines[99].1.as_str()), ("203", "después"));
}

#[test]
fn a_line_that_its_room_does_not_know_is_found_by_a_look_at_the_file() {
    let folder = Folder::new();
    let lines: String = (1..=9u64).map(|id| format!("@id={};room=general Ana: {id}\n", id << 16)).collect();
    tool(&folder, &["import"], &lines);
    // Once opened to write, the index has all.
    tool(&folder, &["import"], "");
    assert_eq!(tool(&folder, &["check"], "").0, Some(0));
    Connection::open(folder.file()).unwrap().execute_batch("DELETE FROM room_line WHERE id = 65536").unwrap();
    let (code, _, said) = tool(&folder, &["check"], "");
    assert!(code == Some(2) && said.contains("the index of rooms has 8 lines of 9"), "{said}");
}

#[test]
fn once_a_relay_has_sessions_of_its_own_no_keys_are_taken_in_also_not_by_what_began_before() {
    let folder = Folder::new();
    let line = |id: u64| format!("@id={};room=general;key={id}.x Ana: {id}\n", id << 16);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tertulia-relay"));
    command.env_clear().args(["history", "import", "--history"]).arg(folder.file());
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // As many as are put in at once.
    input.write_all((1..=10_000).map(line).collect::<String>().as_bytes()).unwrap();
    let until = Instant::now() + DEADLINE;
    let has_some = || folder.file().exists() && tool(&folder, &["check"], "").2.contains(" 10000 lines ");
    while !has_some() {
        assert!(Instant::now() < until, "the first lines are never in");
    }
    let relay = folder.relay(&["--history-max-age", "0"]);
    input.write_all(line(10_001).as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let why = "10001 lines taken in, 10001 there now; from line 10001 on keys were left out, since a relay has its own";
    assert!(output.status.success() && said.contains(why), "{said}");
    relay.stop();
    let (_, lines, _) = tool(&folder, &["export"], "");
    assert_eq!(lines.lines().filter(|line| line.contains(";key=")).count(), 10_000);
    assert!(lines.lines().last().unwrap().ends_with(" Ana: 10001"));
}

#[test]
fn old_lines_go_wherever_they_stand_also_behind_some_that_stay() {
    let now = unix_ms();
    let young = |id: u64| format!("@id={id};time={};room=general Ana: se queda\n", rfc3339(now));
    let old = |place: u64| format!("@id={};room=general Ana: se va\n", (CLOCK_SET_MS << 16) + place);
    let below: String = (2..=20_001).map(old).collect();
    let above: String = (1..=3_000).map(|place| young((now << 16) + place)).collect();
    let odd =
        format!("@id={};time=1970-01-01T00:00:00.001Z;room=general Ana: se queda\n", (now << 16) + 3_001);
    let lines = young(1) + &below + &above + &odd;
    let folder = Folder::new();
    assert_eq!(tool(&folder, &["import"], &lines).0, Some(0));
    let (_, _, said) = tool(&folder, &["prune", "--history-max-age", "1d"], "");
    assert_eq!(said, "20000 lines dropped, 3002 kept");
    let folder = Folder::new();
    assert_eq!(tool(&folder, &["import"], &lines).0, Some(0));
    let relay = folder.relay(&["--history-max-age", "1d"]);
    await_lines(&folder, 3_002);
    relay.stop();
    assert!(in_file(&folder.file()).iter().all(|(_, text)| text == "se queda"));
}

#[test]
fn whatever_goes_by_hand_leaves_no_room_and_no_label_behind() {
    let folder = Folder::new();
    let line = |id: u64| format!("@id={};room=sala{id};key=1.x Ana: {id}\n", id << 16);
    tool(&folder, &["import"], &(1..=1_500).map(line).collect::<String>());
    // To write, it is opened with all indexes filled.
    let (_, _, said) = tool(&folder, &["prune", "--history-max-age", "0", "--history-max-rows", "2"], "");
    assert_eq!(said, "1498 lines dropped, 2 kept");
    let connection = Connection::open(folder.file()).unwrap();
    let count = |query: &str| connection.query_row(query, [], |row| row.get::<_, u64>(0)).unwrap();
    assert_eq!((count("SELECT count(*) FROM room"), count("SELECT count(*) FROM label")), (2, 2));
}

#[test]
fn a_relay_drops_the_rooms_and_labels_whose_lines_it_drops() {
    let folder = Folder::new();
    let line = |id: u64| format!("@id={};room=sala{id};key=1.x Ana: {id}\n", id << 16);
    tool(&folder, &["import"], &(1..=9).map(line).collect::<String>());
    let relay = folder.relay(&["--history-max-age", "0", "--history-max-rows", "4"]);
    let connection = Connection::open(folder.file()).unwrap();
    let count = |query: &str| connection.query_row(query, [], |row| row.get::<_, u64>(0)).unwrap();
    let counts = || (count("SELECT count(*) FROM room"), count("SELECT count(*) FROM label"));
    let until = Instant::now() + DEADLINE;
    while counts() != (4, 4) {
        assert!(Instant::now() < until, "rooms and labels that are left: {:?}", counts());
        std::thread::yield_now();
    }
    relay.stop();
}

#[test]
fn a_line_that_is_no_text_is_named_as_any_other_and_so_is_whatever_was_refused_before() {
    let folder = Folder::new();
    let good = |id: u64, text: &str| format!("@id={id};room=general Ana: {text}\n");
    tool(&folder, &["import"], &good(7, "hola"));
    let input = [(good(5, "uno") + &good(7, "otra")).as_bytes(), b"@id=9;room=general Ana: \xff\n"].concat();
    let (code, _, said) = tool_of_bytes(&folder, &["import"], &input);
    let expected = "line 3: it is not UTF-8; the 2 lines before it are in; line 2: its id belongs to another line, \
                    which stays";
    assert!(code == Some(2) && said.ends_with(expected), "{said}");
    assert_eq!(in_file(&folder.file()), [(5, "uno".to_owned()), (7, "hola".to_owned())]);
}

#[test]
fn what_is_taken_in_is_as_clean_as_what_is_said() {
    let folder = Folder::new();
    let line = "@id=65536;room=COCINA;quote=a\u{1b}[2Jb\u{202e}c Ana: x\u{1b}[31m\u{202e}y\u{2067}z\n";
    let (code, _, said) = tool(&folder, &["import"], line);
    assert_eq!((code, said.as_str()), (Some(0), "1 lines taken in, 1 there now"));
    let lines = tool(&folder, &["export"], "").1;
    assert!(lines.ends_with(";room=cocina;quote=a[2Jbc Ana: x[31myz\n"), "{lines:?}");
    let relay = folder.relay(&["--history-max-age", "0"]);
    let mut client = relay.client();
    assert_eq!(history(&mut client, "room=Cocina").0.len(), 1);
}
