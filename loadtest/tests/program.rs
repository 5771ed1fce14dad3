//! The program itself, against a real relay that it does not start: exit codes and the JSON.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes each line on to all other connections.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let hearers = Arc::new(Mutex::new(Vec::new()));
    thread::spawn(move || {
        for (own, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            hearers.lock().unwrap().push(stream.try_clone().unwrap());
            let hearers = Arc::clone(&hearers);
            thread::spawn(move || {
                for mut line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                    line.push(b'\n');
                    let mut hearers = hearers.lock().unwrap();
                    hearers.iter_mut().enumerate().filter(|(other, _)| *other != own).for_each(
                        |(_, hearer)| {
                            let _ = hearer.write_all(&line);
                        },
                    );
                }
            });
        }
    });
    address
}

fn run(flags: &[&str]) -> Output {
    let address = server().to_string();
    Command::new(env!("CARGO_BIN_EXE_tertulia-loadtest"))
        .args(["run", "--target", &address, "--clients", "4", "--senders", "2"])
        // A closed loop: nothing is late there, however busy the machine that tests is.
        .args(["--duration", "300ms", "--warmup", "100ms", "--window", "1"])
        .args(flags)
        .output()
        .unwrap()
}

#[test]
fn a_run_writes_its_figures_as_json_and_ends_with_0() {
    let output = run(&["--json", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema_version"], 1);
    let sent = report["sent"].as_u64().unwrap();
    assert!(sent > 0);
    assert_eq!(report["delivered"], sent * 3);
    assert_eq!(report["lost"], 0);
    assert!(report["latency_us"]["last"]["count"].as_u64().unwrap() < sent, "the warm-up is not left out");
    assert_eq!(report["is_partial"], false);
}

#[test]
fn a_broken_bound_ends_with_2_and_is_named() {
    let output = run(&["--fail-if", "lost>0", "--fail-if", "rate<1000000000"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("broken: rate<1000000000") && !said.contains("broken: lost"), "{said}");
}

#[test]
fn what_is_wrong_with_the_flags_is_said_and_ends_with_1() {
    for (flags, word) in
        [(&["--senders", "9"][..], "--senders"), (&["--fail-if", "p99>5"], "p99>5"), (&["--nope"], "--nope")]
    {
        let output = run(flags);
        assert_eq!(output.status.code(), Some(1), "{flags:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn nobody_listening_is_said_with_the_address() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_tertulia-loadtest"))
        .args(["run", "--target", &free])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&free));
}
