//! Many connections, and the limits that hold them off: PROTOCOL.md, section 4.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::net::IpAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use support::{Client, DEADLINE, Heard, Relay, matches};

/// What the unfinished lines of all clients together may hold.
const HALF_LINES_BYTES_MAX: usize = 8 * 1024 * 1024;

/// As many connections as this process may open, with enough left for the tests that run beside this one.
/// 10,000 where the limits allow it.
fn many() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft: usize = line.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    (soft / 5 * 3).min(10_000)
}

/// Whether a caller is let in; otherwise the line it was turned away with.
fn call(mut client: Client) -> Result<Client, String> {
    // Fails where the relay has turned it away already; its line is there to be read all the same.
    client.try_send_bytes(b"/ping dentro\n");
    match client.next_line() {
        line if line == "* PONG dentro" => Ok(client),
        line => {
            client.expect_closed();
            Err(line)
        }
    }
}

/// A caller that is let in sooner or later: the relay learns of a place that became free when it reads.
fn call_until_let_in(relay: &Relay) -> Client {
    let until = Instant::now() + DEADLINE;
    loop {
        match call(relay.client()) {
            Ok(client) => return client,
            Err(line) => assert!(Instant::now() < until, "no place becomes free: {line}"),
        }
    }
}

#[test]
fn of_too_many_half_lines_the_one_that_waited_longest_is_cut() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let count = many();
    let half = "x".repeat(HALF_LINES_BYTES_MAX / 8 * 9 / count);
    assert!(half.len() < 16_000, "{count} connections are too few; raise `ulimit -n`");
    let mut clients = Vec::new();
    for number in 0..count {
        let mut client = relay.client();
        client.send_bytes(half.as_bytes());
        clients.push(client);
        if number % 100 == 0 {
            luis.sync();
        }
    }
    let over = half.len() * count - HALF_LINES_BYTES_MAX;
    for client in &mut clients[..over / half.len()] {
        client.expect_line("* FAIL LINE INCOMPLETE :…");
        client.expect_closed();
    }
    let newest = clients.last_mut().unwrap();
    newest.send("");
    newest.expect_line("* FAIL SAY NAME_NEEDED :…");
    ana.tell("Ana: sigo");
    luis.hears(&["Ana: sigo"]);
}

#[test]
fn two_thousand_callers_that_say_nothing_leave_no_trace() {
    let relay = Relay::calm();
    let mut witness = relay.client();
    witness.sync();
    let callers: Vec<Client> = (0..2000.min(many())).map(|_| relay.client()).collect();
    callers
        .into_iter()
        .enumerate()
        .filter(|(number, _)| number % 2 == 0)
        .for_each(|(_, caller)| caller.reset());
    relay.client().sync();
    witness.hears(&[]);
    let said = relay.stop();
    assert_eq!(said.len(), 1, "not only where it listens: {said:?}");
}

#[test]
fn a_relay_without_descriptors_turns_callers_away_and_goes_on() {
    let mut command = Command::new("/bin/sh");
    let script = "ulimit -n 64; exec \"$0\" --history none --flood 0 --listen 127.0.0.1:0";
    command.env_clear().args(["-c", script, env!("CARGO_BIN_EXE_tertulia-relay")]);
    let relay = Relay::from_command(command);
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let (mut inside, mut refused) = (Vec::new(), 0);
    for _ in 0..100 {
        match call(relay.client()) {
            Ok(client) => inside.push(client),
            Err(line) => {
                assert!(matches("* FAIL RELAY FULL :…", &line), "{line}");
                refused += 1;
            }
        }
    }
    assert!(inside.len() >= 20 && refused >= 36, "{} inside, {refused} refused", inside.len());
    ana.tell("Ana: hola");
    luis.hears(&["Ana: hola"]);
    inside.truncate(5);
    let newcomers: Vec<Client> = (0..5).map(|_| call_until_let_in(&relay)).collect();
    drop(newcomers);
}

#[test]
fn callers_that_crowd_a_relay_without_descriptors_are_all_told() {
    let mut command = Command::new("/bin/sh");
    let script = "ulimit -n 64; exec \"$0\" --history none --flood 0 --listen 127.0.0.1:0";
    command.env_clear().args(["-c", script, env!("CARGO_BIN_EXE_tertulia-relay")]);
    let relay = Relay::from_command(command);
    let [mut luis] = relay.people(["Luis"]);
    let callers: Vec<Client> = relay.in_one_batch(|| (0..200).map(|_| relay.client()).collect());
    let refused =
        callers.into_iter().map(call).collect::<Vec<_>>().iter().filter(|called| called.is_err()).count();
    assert!(refused >= 136, "{refused} of 200 refused");
    luis.hears(&[]);
}

#[test]
fn above_max_clients_a_caller_is_turned_away_until_a_place_is_free() {
    let relay = Relay::start(&["--max-clients", "3"]);
    let mut inside: Vec<Client> = (0..3).map(|_| call(relay.client()).expect("a place")).collect();
    for _ in 0..3 {
        let refused = call(relay.client()).expect_err("no place");
        assert!(matches("* FAIL RELAY FULL :…", &refused), "{refused}");
    }
    inside.pop();
    inside.push(call_until_let_in(&relay));
    assert!(call(relay.client()).is_err());
    inside.iter_mut().for_each(|client| client.hears(&[]));
}

#[test]
fn above_max_per_ip_only_that_address_is_turned_away() {
    let relay = Relay::start(&["--max-per-ip", "2"]);
    let _inside = [call(relay.client()).expect("a place"), call(relay.client()).expect("a place")];
    let refused = call(relay.client()).expect_err("no place");
    assert!(matches("* FAIL RELAY ADDRESS_FULL :…", &refused), "{refused}");
    let elsewhere = Client::connect_from(IpAddr::from([127, 0, 0, 2]), relay.address());
    assert!(call(elsewhere).is_ok());
}

#[test]
fn trusted_addresses_are_free_of_the_limit_per_address_and_of_flood_control() {
    let relay = Relay::start(&["--max-per-ip", "1", "--trusted", "10.0.0.0/8,127.0.0.2/31"]);
    let trusted = || Client::connect_from(IpAddr::from([127, 0, 0, 3]), relay.address());
    let mut ana = call(trusted()).expect("a place");
    let _more: Vec<Client> = (0..5).map(|_| call(trusted()).expect("a place")).collect();
    let mut luis = call(relay.client()).expect("a place");
    assert!(call(relay.client()).is_err());
    ana.send("Ana se ha unido al chat.");
    luis.expect_line("Ana se ha unido al chat.");
    let begun = Instant::now();
    (0..200).for_each(|number| ana.send(&format!("Ana: {number}")));
    (0..200).for_each(|number| luis.expect_line(&format!("Ana: {number}")));
    assert!(begun.elapsed() < DEADLINE, "with flood control they take 36 s");
}

#[test]
fn flood_control_lets_20_lines_pass_at_once_and_the_rest_at_5_a_second() {
    let relay = Relay::start(&[]);
    let [mut luis] = relay.people(["Luis"]);
    let mut ana = relay.client();
    let lines: String = (0..40).map(|number| format!("Ana: {number}\n")).collect();
    let begun = Instant::now();
    ana.send_bytes(format!("Ana se ha unido al chat.\n{lines}").as_bytes());
    luis.expect_line("Ana se ha unido al chat.");
    (0..19).for_each(|number| luis.expect_line(&format!("Ana: {number}")));
    let burst = begun.elapsed();
    (19..40).for_each(|number| luis.expect_line(&format!("Ana: {number}")));
    // 41 lines less 20 are 21, at 5 a second 4.2 s.
    let all = begun.elapsed();
    assert!(burst < Duration::from_secs(2), "{burst:?}");
    assert!(all > Duration::from_secs(4), "{all:?}");
    assert_eq!(luis.hear(Duration::from_millis(1)), Heard::Nothing);
}

#[test]
fn flood_control_does_not_lose_the_lines_of_one_who_goes() {
    let relay = Relay::start(&["--flood", "10,50"]);
    let [mut luis] = relay.people(["Luis"]);
    let mut ana = relay.client();
    // With nothing said before, a first read without an ending would make all of it one message.
    ana.sync();
    let lines: String = (0..60).map(|number| format!("Ana: {number}\n")).collect();
    ana.send_bytes(format!("Ana se ha unido al chat.\n{lines}Ana: y ya").as_bytes());
    ana.half_close();
    luis.expect_line("Ana se ha unido al chat.");
    (0..60).for_each(|number| luis.expect_line(&format!("Ana: {number}")));
    luis.expect_line("Ana: y ya");
    luis.expect_line("Ana ha abandonado el chat.");
    ana.expect_closed();
}
