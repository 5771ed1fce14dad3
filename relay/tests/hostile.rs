//! Clients that do not read, do not end their lines, or go away at the worst moment: nobody else may notice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{ErrorKind, Write};
use std::time::Duration;

use support::{Client, DEADLINE, Relay, matches};
use tertulia_relay::chat::{ANSWER_BYTES_MAX, HELD_BYTES_MAX};

/// More than any kernel buffer between a relay and a client that were made small.
const LONG_TEXT_BYTES: usize = 16_000;

fn long_line(number: usize) -> String {
    format!("Ana: {number:04} {}", "x".repeat(LONG_TEXT_BYTES))
}

/// Sends lines to a relay that has to stop reading them sometime. Returns how many were sent, and what is left
/// of the last of them.
fn send_until_refused(client: &mut Client, line: impl Fn(usize) -> String) -> (usize, Vec<u8>) {
    const LINES_MAX: usize = 200_000;
    client.stream().set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    for number in 0..LINES_MAX {
        let mut rest = format!("{}\n", line(number)).into_bytes();
        while !rest.is_empty() {
            match client.stream().write(&rest) {
                Ok(length) => drop(rest.drain(..length)),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    client.stream().set_write_timeout(Some(DEADLINE)).unwrap();
                    return (number + 1, rest);
                }
                Err(error) => panic!("writing failed: {error}"),
            }
        }
    }
    panic!("the relay took {LINES_MAX} lines of a client that never reads")
}

#[test]
fn a_reader_that_never_reads_is_cut_when_it_does_and_the_others_lose_nothing() {
    let relay = Relay::start(&["--flood", "0", "--room-log-bytes", "131072"]);
    let mut sleeper = Client::connect_with_small_buffers(relay.address());
    sleeper.sync();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let resident_kib = relay.resident_kib();
    for number in 0..400 {
        ana.send(&long_line(number));
        luis.expect_line(&long_line(number));
    }
    let grown_kib = relay.resident_kib().saturating_sub(resident_kib);
    assert!(grown_kib < 4096, "{grown_kib} KiB for one who sleeps");
    let mut lines = sleeper.lines_until_closed();
    let last = lines.pop().unwrap();
    assert!(matches("* FAIL SLOW :…", &last), "{last:.80?}");
    assert_eq!(
        lines.drain(..2).collect::<Vec<_>>(),
        ["Ana se ha unido al chat.", "Luis se ha unido al chat."]
    );
    // The line that it was in the middle of may be cut.
    let cut = lines.pop().unwrap_or_default();
    assert!(long_line(lines.len()).starts_with(&cut), "{cut:.80?} after {} lines", lines.len());
    assert!((0..).zip(&lines).all(|(number, line)| *line == long_line(number)));
    luis.hears(&[]);
}

#[test]
fn a_reader_of_single_bytes_hears_everything() {
    let relay = Relay::start(&["--flood", "0", "--room-log-bytes", "131072"]);
    let mut slow = Client::connect_with_small_buffers(relay.address());
    slow.sync();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let mut said = "Ana se ha unido al chat.\nLuis se ha unido al chat.\n".to_owned();
    let mut heard = Vec::new();
    for number in 0..300 {
        let line = format!("Ana: {number} {}", "x".repeat(250));
        ana.tell(&line);
        luis.expect_line(&line);
        said.push_str(&format!("{line}\n"));
        heard.extend(slow.read_piece(1, DEADLINE).unwrap());
    }
    while heard.len() < said.len() {
        heard.extend(slow.read_piece(1, DEADLINE).expect("the rest"));
    }
    assert!(heard == said.into_bytes());
    slow.hears(&[]);
}

#[test]
fn who_asks_and_never_reads_is_not_read_until_it_does_and_then_gets_every_answer() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let mut asking = Client::connect_with_small_buffers(relay.address());
    asking.sync();
    let resident_kib = relay.resident_kib();
    let (sent, rest) = send_until_refused(&mut asking, |number| format!("/ping {number:050}"));
    let grown_kib = relay.resident_kib().saturating_sub(resident_kib);
    assert!(grown_kib < 4096, "{grown_kib} KiB for one who only asks");
    ana.tell("Ana: hola");
    luis.hears(&["Ana: hola"]);
    let mut answers = Vec::new();
    while answers.len() + 1 < sent {
        match asking.next_line() {
            line if line == "Ana: hola" => {}
            line => answers.push(line),
        }
    }
    asking.send_bytes(&rest);
    answers.extend(asking.all_lines().into_iter().filter(|line| line != "Ana: hola"));
    assert_eq!(answers.len(), sent);
    assert!((0..).zip(&answers).all(|(number, line)| *line == format!("* PONG {number:050}")));
}

#[test]
fn who_does_not_read_its_answers_gets_no_private_lines() {
    let relay = Relay::calm();
    let mut deaf = Client::connect_with_small_buffers(relay.address());
    deaf.tell("Sorda se ha unido al chat.");
    let [mut luis] = relay.people(["Luis"]);
    send_until_refused(&mut deaf, |number| format!("/ping {number:050}"));
    luis.tell("/msg Sorda ¿me oyes?");
    luis.hears(&["* FAIL MSG NOT_READING Sorda :…"]);
}

#[test]
fn who_talks_and_never_reads_loses_nothing_and_neither_do_the_others() {
    let relay = Relay::calm();
    let mut talker = Client::connect_with_small_buffers(relay.address());
    talker.tell("Eva se ha unido al chat.");
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    talker.forget();
    for number in 0..64 {
        ana.send(&long_line(number));
        luis.expect_line(&long_line(number));
    }
    for number in 0..400 {
        talker.send(&format!("Eva: {number}"));
        // Up to 256 of its own ranges may lie ahead of what it has heard; these surely do.
        if number < 200 {
            luis.expect_line(&format!("Eva: {number}"));
        }
        ana.tell(&format!("Ana: {number}"));
        if number < 200 {
            luis.expect_line(&format!("Ana: {number}"));
        }
    }
    (0..64).for_each(|number| talker.expect_line(&long_line(number)));
    (0..400).for_each(|number| talker.expect_line(&format!("Ana: {number}")));
    let mut heard: Vec<String> = (0..200 + 200).map(|_| luis.next_line()).collect();
    // Stable: each one's own order stays.
    heard.sort_by_key(|line| line.starts_with("Eva"));
    let anas = (200..400).map(|number| format!("Ana: {number}"));
    let evas = (200..400).map(|number| format!("Eva: {number}"));
    assert_eq!(heard, anas.chain(evas).collect::<Vec<_>>());
    talker.hears(&[]);
}

#[test]
fn two_hundred_slow_clients_at_once_delay_nobody_and_take_no_more_memory_than_is_bounded() {
    const WRITERS: usize = 80;
    const SLEEPERS: usize = 80;
    const ASKERS: usize = 40;
    const ROUNDS: usize = 300;
    let relay = Relay::start(&["--flood", "0", "--room-log-bytes", "131072"]);
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let slow = || {
        let mut client = Client::connect_with_small_buffers(relay.address());
        client.sync();
        client
    };
    let mut writers: Vec<Client> = (0..WRITERS).map(|_| relay.client()).collect();
    let mut sleepers: Vec<Client> = (0..SLEEPERS).map(|_| slow()).collect();
    let mut askers: Vec<Client> = (0..ASKERS).map(|_| slow()).collect();
    let resident_kib = relay.resident_kib();
    let questions: String = (0..2000).map(|number| format!("/ping {number:050}\n")).collect();
    for asker in &mut askers {
        asker.stream().set_nonblocking(true).unwrap();
        let _ = asker.stream().write(questions.as_bytes());
    }
    writers.iter_mut().for_each(|writer| writer.send_bytes(b"/ping "));
    for number in 0..ROUNDS {
        // One byte now and then, and never a line's end.
        if number % 5 == 0 {
            writers.iter_mut().for_each(|writer| writer.send_bytes(b"x"));
        }
        ana.send(&long_line(number));
        writers.iter_mut().chain([&mut luis]).for_each(|reader| reader.expect_line(&long_line(number)));
    }
    let grown_kib = relay.resident_kib().saturating_sub(resident_kib);
    // Unfinished lines of all together, answers of each, the room's log, and as much again for what the system rounds up.
    let bound_kib = 2 * (HELD_BYTES_MAX + ASKERS * ANSWER_BYTES_MAX + 131_072) / 1024;
    let copies_kib = (SLEEPERS + ASKERS) * ROUNDS * LONG_TEXT_BYTES / 1024;
    assert!(
        (grown_kib as usize) < bound_kib && bound_kib < copies_kib / 10,
        "{grown_kib} of {bound_kib} KiB"
    );
    // Who only reads slowly is told; who only writes slowly has lost nothing.
    for sleeper in &mut sleepers {
        assert!(matches("* FAIL SLOW :…", sleeper.lines_until_closed().last().unwrap()));
    }
    for writer in &mut writers {
        writer.send("");
        writer.expect_line(&format!("* PONG {}", "x".repeat(ROUNDS / 5)));
    }
    luis.hears(&[]);
}

#[test]
fn an_endless_line_is_refused_once_and_its_sender_lives() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let mut fresh = relay.client();
    for _ in 0..64 {
        ana.send_bytes(&[b'x'; LONG_TEXT_BYTES]);
        fresh.send_bytes(&[b'x'; LONG_TEXT_BYTES]);
    }
    ana.send("");
    ana.tell("Ana: sigo viva");
    ana.hears(&["* FAIL SAY LINE_TOO_LONG 16384 :…"]);
    fresh.send("");
    fresh.expect_line("* FAIL SAY LINE_TOO_LONG 16384 :…");
    fresh.expect_line("Ana: sigo viva");
    fresh.hears(&[]);
    luis.hears(&["Ana: sigo viva"]);
}

#[test]
fn who_half_closes_gets_all_that_was_queued_before_the_end() {
    let relay = Relay::calm();
    let mut quiet = Client::connect_with_small_buffers(relay.address());
    quiet.sync();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    quiet.forget();
    for number in 0..100 {
        ana.send(&long_line(number));
        luis.expect_line(&long_line(number));
    }
    quiet.half_close();
    (0..100).for_each(|number| quiet.expect_line(&long_line(number)));
    quiet.expect_closed();
}

#[test]
fn an_end_that_comes_together_with_the_last_bytes_is_noticed() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    for last_words in ["Ana: adiós\n", "Ana: adiós"] {
        let mut ana = relay.named("Ana");
        luis.expect_line("Ana se ha unido al chat.");
        relay.in_one_batch(|| {
            ana.send_bytes(last_words.as_bytes());
            ana.half_close();
        });
        luis.expect_line("Ana: adiós");
        luis.expect_line("Ana ha abandonado el chat.");
        ana.expect_closed();
    }
}

#[test]
fn a_reset_in_the_middle_of_a_write_is_a_leave_and_nothing_more() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    for round in 0..5 {
        let mut victim = Client::connect_with_small_buffers(relay.address());
        victim.tell("Eva se ha unido al chat.");
        luis.expect_line("Eva se ha unido al chat.");
        for number in 0..30 {
            ana.send(&long_line(number));
            luis.expect_line(&long_line(number));
        }
        victim.reset();
        luis.expect_line("Eva ha abandonado el chat.");
        ana.tell(&format!("Ana: ronda {round}"));
        luis.hears(&[&format!("Ana: ronda {round}")]);
    }
}

#[test]
fn who_closes_while_others_speak_in_the_same_turn_takes_nobody_along() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    for round in 0..10 {
        let mut crowd: Vec<Client> = (0..80).map(|_| relay.client()).collect();
        for (number, client) in crowd.iter_mut().enumerate() {
            client.tell(&format!("p{number}: aquí"));
        }
        // Who closes with something unread resets its connection, and what it sent last may be lost.
        crowd.iter_mut().for_each(Client::forget);
        luis.forget();
        let newcomers = relay.in_one_batch(|| speak_and_go(&relay, crowd, round));
        ana.tell("Ana: sigo");
        drop(newcomers);
        let mut heard: Vec<String> = (0..61).map(|_| luis.next_line()).collect();
        let last_words =
            (0..80).filter(|number| number % 4 != 3).map(|number| format!("p{number}: adiós {round}"));
        let mut said: Vec<String> = last_words.chain(["Ana: sigo".to_owned()]).collect();
        heard.sort();
        said.sort();
        assert_eq!(heard, said);
        luis.hears(&[]);
    }
}

/// All at once: some say a last line and close, quit or half-close, some write to those who go, some are reset,
/// and new ones come.
fn speak_and_go(relay: &Relay, crowd: Vec<Client>, round: usize) -> Vec<Client> {
    for (number, mut client) in crowd.into_iter().enumerate() {
        let last_words = format!("p{number}: adiós {round}");
        let neighbour = format!("/msg p{} hola", number ^ 1);
        match number % 4 {
            0 => client.send_bytes(format!("{neighbour}\n{last_words}").as_bytes()),
            1 => client.send_bytes(format!("{last_words}\n/quit\n").as_bytes()),
            2 => {
                client.send_bytes(format!("{last_words}\n{neighbour}\n").as_bytes());
                client.half_close();
            }
            _ => client.reset(),
        }
    }
    (0..20).map(|_| relay.client()).collect()
}

#[test]
fn a_connection_that_is_reset_gives_up_its_name_at_once_and_its_waiting_lines() {
    let relay = Relay::start(&["--flood", "2,1"]);
    let mut witness = relay.client();
    witness.sync();
    let mut eva = relay.client();
    let lines: String = (0..60).map(|number| format!("Eva: {number}\n")).collect();
    eva.send_bytes(format!("Eva se ha unido al chat.\n{lines}").as_bytes());
    witness.expect_line("Eva se ha unido al chat.");
    witness.expect_line("Eva: 0");
    eva.reset();
    // At a line a second, her last one would be due in a minute.
    loop {
        match witness.next_line().as_str() {
            "Eva ha abandonado el chat." => return,
            line => assert_ne!(line, "Eva: 59"),
        }
    }
}
