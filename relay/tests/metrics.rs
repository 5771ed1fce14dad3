//! What the relay counts, as Prometheus text over HTTP.

#![cfg(feature = "metrics")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use support::{Client, DEADLINE, Relay};

fn start() -> Relay {
    Relay::start(&[
        "--flood",
        "0",
        "--metrics",
        "127.0.0.1:0",
        "--max-clients",
        "3",
        "--room-log-bytes",
        "131072",
    ])
}

/// Sends a request and returns the answer's head and body.
fn request(relay: &Relay, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(relay.metrics.unwrap()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer and the end");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_owned(), body.to_owned())
}

/// Each sample under its name and labels.
fn samples(relay: &Relay) -> BTreeMap<String, f64> {
    let (head, body) = request(relay, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
    let lines = body.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

fn sum(samples: &BTreeMap<String, f64>, start: &str) -> f64 {
    samples.iter().filter(|(name, _)| name.starts_with(start)).map(|(_, value)| value).sum()
}

/// The relay closes and counts in its own time.
fn await_samples(relay: &Relay, enough: impl Fn(&BTreeMap<String, f64>) -> bool) -> BTreeMap<String, f64> {
    let until = Instant::now() + DEADLINE;
    loop {
        let samples = samples(relay);
        if enough(&samples) {
            return samples;
        }
        assert!(Instant::now() < until, "{samples:#?}");
    }
}

#[test]
fn clients_and_those_turned_away_are_counted() {
    let relay = start();
    let people = relay.people(["Ana", "Luis", "Eva"]);
    let mut refused = relay.client();
    refused.expect_line("* FAIL RELAY FULL :…");
    refused.expect_closed();
    let found = await_samples(&relay, |found| sum(found, "tertulia_refused_total{reason=\"") == 1.0);
    assert_eq!((found["tertulia_clients"], found["tertulia_accepted_total"]), (3.0, 3.0));
    drop(people);
    await_samples(&relay, |found| found["tertulia_clients"] == 0.0);
}

#[test]
fn lines_and_bytes_in_and_out_are_counted() {
    let relay = start();
    let [mut ana, mut luis, mut eva] = relay.people(["Ana", "Luis", "Eva"]);
    let before = samples(&relay);
    ana.tell(&"x".repeat(1000));
    luis.sync();
    eva.sync();
    let after = samples(&relay);
    let grown = |name: &str| after[name] - before[name];
    // One line said and three pings; two lines heard and three pongs, or the two alone.
    assert!((4.0..=4.0).contains(&grown("tertulia_lines_in_total")), "{}", grown("tertulia_lines_in_total"));
    assert!(
        (2.0..=5.0).contains(&grown("tertulia_lines_out_total")),
        "{}",
        grown("tertulia_lines_out_total")
    );
    assert!(
        (1000.0..1100.0).contains(&grown("tertulia_bytes_in_total")),
        "{}",
        grown("tertulia_bytes_in_total")
    );
    assert!(
        (2000.0..2200.0).contains(&grown("tertulia_bytes_out_total")),
        "{}",
        grown("tertulia_bytes_out_total")
    );
}

#[test]
fn who_is_cut_is_counted_with_the_reason_and_what_waits_for_it_too() {
    let relay = start();
    let mut sleeper = Client::connect_with_small_buffers(relay.address());
    sleeper.sync();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    assert_eq!(samples(&relay)["tertulia_queued_bytes"], 0.0);
    for _ in 0..60 {
        ana.send(&"x".repeat(2000));
        luis.next_line();
    }
    assert!(samples(&relay)["tertulia_queued_bytes"] > 10_000.0);
    let cut = |found: &BTreeMap<String, f64>| sum(found, "tertulia_cut_total{reason=\"");
    assert_eq!(cut(&samples(&relay)), 0.0);
    for _ in 0..400 {
        ana.send(&"x".repeat(16_000));
        luis.next_line();
    }
    sleeper.lines_until_closed();
    let found = await_samples(&relay, |found| cut(found) == 1.0);
    assert!(found.keys().any(|name| name.contains("reason=\"slow\"")), "{found:#?}");
    drop(ana);
    luis.expect_line("Ana ha abandonado el chat.");
    luis.forget();
    let mut foreign = relay.client();
    foreign.send("GET / HTTP/1.1");
    foreign.lines_until_closed();
    await_samples(&relay, |found| cut(found) + sum(found, "tertulia_refused_total{reason=\"") == 2.0);
}

#[test]
fn turns_of_the_loop_are_a_histogram() {
    let relay = start();
    relay.client().sync();
    let found = samples(&relay);
    let buckets: Vec<f64> = found
        .iter()
        .filter(|(name, _)| name.starts_with("tertulia_turn_seconds_bucket{le=\""))
        .map(|(_, &value)| value)
        .collect();
    let count = found["tertulia_turn_seconds_count"];
    assert!(
        buckets.len() > 3 && count > 0.0 && found.contains_key("tertulia_turn_seconds_sum"),
        "{found:#?}"
    );
    assert_eq!(found["tertulia_turn_seconds_bucket{le=\"+Inf\"}"], count);
    assert!(buckets.iter().all(|&bucket| bucket <= count));
}

#[test]
fn each_family_says_what_it_is() {
    let (_, body) = request(&start(), "GET /metrics HTTP/1.0\r\n\r\n");
    for line in body.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let family =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(
            body.contains(&format!("# HELP {family} ")) && body.contains(&format!("# TYPE {family} ")),
            "{line}"
        );
    }
}

#[test]
fn another_path_and_a_client_that_asks_nothing_do_no_harm() {
    let relay = start();
    assert!(request(&relay, "GET /nada HTTP/1.1\r\n\r\n").0.starts_with("HTTP/1.1 404 "));
    let silent: Vec<TcpStream> =
        (0..50).map(|_| TcpStream::connect(relay.metrics.unwrap()).unwrap()).collect();
    assert!(samples(&relay).contains_key("tertulia_clients"));
    drop(silent);
    relay.client().sync();
}
