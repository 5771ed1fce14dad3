//! The generator against a server that does known harm: the report must say exactly that.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tertulia_loadtest::plan::Plan;
use tertulia_loadtest::schedule::Pace;
use tertulia_loadtest::stats::Counts;
use tertulia_loadtest::swarm::{Outcome, Swarm};

/// What becomes of the n-th chat line (from 0) on its way to everybody else: the lines to write instead.
type Harm = fn(usize, &[u8]) -> Vec<Vec<u8>>;

/// A relay that passes every line on to all others, but for the harm.
fn server(harm: Harm) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let hearers: Arc<Mutex<(Vec<TcpStream>, usize)>> = Arc::default();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let index = {
                let mut hearers = hearers.lock().unwrap();
                hearers.0.push(stream.try_clone().unwrap());
                hearers.0.len() - 1
            };
            let hearers = Arc::clone(&hearers);
            thread::spawn(move || {
                for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                    let mut hearers = hearers.lock().unwrap();
                    let written = if line.contains(&b'~') {
                        hearers.1 += 1;
                        harm(hearers.1 - 1, &line)
                    } else {
                        vec![line]
                    };
                    let bytes: Vec<u8> =
                        written.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
                    for (other, hearer) in hearers.0.iter_mut().enumerate() {
                        if other != index {
                            let _ = hearer.write_all(&bytes);
                        }
                    }
                }
            });
        }
    });
    address
}

const LINES: u64 = 400;
const RECEIVERS: u64 = 3;

/// 400 lines of one sender to three receivers.
fn run(harm: Harm) -> Outcome {
    let plan = Plan {
        clients: RECEIVERS as usize + 1,
        senders: 1,
        pace: Pace::Rate(800.0),
        duration: Duration::from_millis(500),
        warmup: Duration::ZERO,
        size_bytes: 64,
    };
    let mut swarm = Swarm::connect(server(harm), plan.clients).unwrap();
    swarm.join(plan.senders).unwrap();
    let outcome = swarm.run(&plan, None, &AtomicBool::new(false)).unwrap();
    assert_eq!(outcome.sent, LINES);
    outcome
}

#[test]
fn a_server_that_does_no_harm_has_a_clean_report() {
    let outcome = run(|_, line| vec![line.to_vec()]);
    assert_eq!(outcome.counts, Counts { delivered: LINES * RECEIVERS, ..Counts::default() });
    let latency = outcome.flights.latency();
    let counted = (latency.first.len(), latency.each.len(), latency.last.len());
    assert_eq!(counted, (LINES, LINES * RECEIVERS, LINES));
    assert!(outcome.complaints.is_empty());
}

#[test]
fn one_line_of_a_hundred_dropped_is_lost_for_each_receiver() {
    let outcome = run(|number, line| if number % 100 == 50 { vec![] } else { vec![line.to_vec()] });
    let lost = LINES / 100 * RECEIVERS;
    assert_eq!(outcome.counts, Counts { delivered: LINES * RECEIVERS - lost, lost, ..Counts::default() });
}

#[test]
fn one_line_of_two_hundred_twice_is_doubled_for_each_receiver() {
    let outcome = run(|number, line| vec![line.to_vec(); if number % 200 == 7 { 2 } else { 1 }]);
    let doubled = LINES / 200 * RECEIVERS;
    assert_eq!(outcome.counts, Counts { delivered: LINES * RECEIVERS, doubled, ..Counts::default() });
}

#[test]
fn neighbours_that_change_places_are_out_of_order_once_for_each_receiver() {
    thread_local!(static KEPT: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) });
    // All lines are of one sender, so that one thread of the server handles them.
    let outcome = run(|number, line| match number % 100 {
        20 => {
            KEPT.with_borrow_mut(|kept| *kept = line.to_vec());
            vec![]
        }
        21 => vec![line.to_vec(), KEPT.with_borrow_mut(std::mem::take)],
        _ => vec![line.to_vec()],
    });
    let out_of_order = LINES / 100 * RECEIVERS;
    assert_eq!(outcome.counts, Counts { delivered: LINES * RECEIVERS, out_of_order, ..Counts::default() });
}

#[test]
fn one_changed_byte_is_corrupt_and_the_line_lost() {
    let outcome = run(|number, line| {
        let mut line = line.to_vec();
        if number == 123 {
            let last = line.len() - 1;
            line[last] ^= 1;
        }
        vec![line]
    });
    let expected = Counts {
        delivered: (LINES - 1) * RECEIVERS,
        lost: RECEIVERS,
        corrupt: RECEIVERS,
        ..Counts::default()
    };
    assert_eq!(outcome.counts, expected);
}

#[test]
fn a_server_that_says_no_is_quoted() {
    let outcome = run(|number, line| {
        if number == 0 {
            vec![b"* FAIL SAY NAME_NEEDED :quien".to_vec(), line.to_vec()]
        } else {
            vec![line.to_vec()]
        }
    });
    assert_eq!(outcome.complaints.len(), RECEIVERS as usize);
    assert!(outcome.counts.is_clean());
}
