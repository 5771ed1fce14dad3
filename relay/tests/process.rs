//! The relay as a program: flags, errors, signals, systemd, metrics.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use support::{Client, DEADLINE, Relay};

const FLAGS: [&str; 22] = [
    "--listen",
    "--flood",
    "--max-clients",
    "--max-per-ip",
    "--trusted",
    "--room-log-bytes",
    "--lang",
    "--metrics",
    "--tls-listen",
    "--tls-cert",
    "--tls-key",
    "--max-per-ip-exempt",
    "--proxy-listen",
    "--proxy-from",
    "--config",
    "--history",
    "--history-max-age",
    "--history-max-rows",
    "--history-repair",
    "--durability",
    "--version",
    "--help",
];

/// How a relay that is not to run ended.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the relay to its end, which must come.
fn run_to_end(flags: &[&str]) -> Ended {
    let mut command = Relay::command();
    command.args(flags).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the relay starts");
    let (stdout, stderr) = (text_of(child.stdout.take().unwrap()), text_of(child.stderr.take().unwrap()));
    let mut text = |pipe: &Receiver<String>| {
        pipe.recv_timeout(DEADLINE).unwrap_or_else(|_| still_runs(&mut child, flags))
    };
    let (stdout, stderr) = (text(&stdout), text(&stderr));
    Ended { code: child.wait().unwrap().code(), stdout, stderr }
}

fn still_runs(child: &mut Child, flags: &[&str]) -> ! {
    child.kill().unwrap();
    panic!("the relay runs with {flags:?}")
}

fn text_of(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).expect("a pipe with UTF-8 text");
        sender.send(text)
    });
    receiver
}

#[test]
fn a_wrong_flag_or_value_is_named_in_one_sentence_and_the_code_is_2() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["--colour"], &["--colour"]),
        (&["-x"], &["-x"]),
        (&["hola"], &["hola"]),
        (&["--listen"], &["--listen"]),
        (&["--listen", "nowhere"], &["--listen", "nowhere"]),
        (&["--listen", "127.0.0.1:99999"], &["--listen", "99999"]),
        (&["--flood", "20"], &["--flood", "20"]),
        (&["--flood", "many,5"], &["--flood", "many,5"]),
        (&["--flood", "-1,5"], &["--flood", "-1,5"]),
        (&["--max-clients", "many"], &["--max-clients", "many"]),
        (&["--max-per-ip", "-1"], &["--max-per-ip", "-1"]),
        (&["--max-per-ip"], &["--max-per-ip"]),
        (&["--trusted", "300.0.0.0/8"], &["--trusted", "300.0.0.0/8"]),
        (&["--trusted", "10.0.0.0/64"], &["--trusted", "10.0.0.0/64"]),
        (&["--room-log-bytes", "131071"], &["--room-log-bytes", "131071", "131072"]),
        (&["--lang", "fr"], &["--lang", "fr", "es", "en"]),
        (&["--history"], &["--history"]),
        (&["--history-max-age", "90"], &["--history-max-age", "90", "90d", "12h"]),
        (&["--history-max-rows", "-1"], &["--history-max-rows", "-1"]),
        (&["--durability", "always"], &["--durability", "always", "none", "commit", "sync"]),
        (&["--history", "none", "--durability", "sync"], &["--durability sync", "none"]),
    ];
    for (flags, named) in cases {
        let ended = run_to_end(flags);
        assert_eq!(ended.code, Some(2), "{flags:?}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{flags:?}: {}", ended.stderr);
        assert!(named.iter().all(|word| ended.stderr.contains(word)), "{flags:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{flags:?}");
    }
}

#[test]
fn a_port_in_use_is_named_with_what_to_do_and_the_code_is_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let flags: &[&str] = if cfg!(feature = "metrics") { &["--listen", "--metrics"] } else { &["--listen"] };
    for flag in flags {
        let ended = run_to_end(&["--listen", "127.0.0.1:0", flag, &address]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        let sentence = ended.stderr.lines().last().unwrap();
        assert!(sentence.contains(&address) && sentence.contains(flag), "{sentence}");
    }
}

#[test]
fn version_and_help_are_printed_and_the_code_is_0() {
    let ended = run_to_end(&["--version"]);
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stdout, format!("tertulia-relay {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(ended.stderr, "");
    let ended = run_to_end(&["--help"]);
    assert_eq!(ended.code, Some(0));
    for flag in FLAGS {
        let is_left_out = match flag {
            "--metrics" => !cfg!(feature = "metrics"),
            flag if flag.starts_with("--proxy") || flag == "--max-per-ip-exempt" => !cfg!(feature = "proxy"),
            "--config" => !cfg!(feature = "config"),
            flag if flag.starts_with("--tls") => !cfg!(feature = "tls"),
            flag => (flag.starts_with("--history") || flag == "--durability") && !cfg!(feature = "history"),
        };
        assert!(ended.stdout.contains(flag) != is_left_out, "{flag}");
    }
    assert_eq!(ended.stderr, "");
}

#[test]
fn at_a_signal_to_end_every_client_is_told_and_the_code_is_0() {
    for signal in ["TERM", "INT"] {
        let relay = Relay::calm();
        let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
        let mut nobody = relay.client();
        nobody.sync();
        ana.tell("hola");
        let address = relay.address();
        relay.signal(signal);
        ana.expect_line("* NOTE RELAY CLOSING :…");
        ana.expect_closed();
        luis.expect_line("Ana: hola");
        luis.expect_line("* NOTE RELAY CLOSING :…");
        luis.expect_closed();
        nobody.expect_line("Ana: hola");
        nobody.expect_line("* NOTE RELAY CLOSING :…");
        nobody.expect_closed();
        let (status, said) = relay.await_end();
        assert_eq!(status.code(), Some(0), "{said:?}");
        assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    }
}

#[test]
fn a_client_that_sends_whole_messages_is_told_too_when_the_relay_ends() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut window = relay.client();
    window.send_bytes("Ana se ha unido al chat.".as_bytes());
    luis.expect_line("Ana se ha unido al chat.");
    relay.signal("TERM");
    let told = window.read_piece(1024, DEADLINE).unwrap();
    assert!(told.starts_with("* NOTE RELAY CLOSING :".as_bytes()), "{}", String::from_utf8_lossy(&told));
    assert_eq!(relay.await_end().0.code(), Some(0));
}

#[test]
fn a_reader_that_is_stuck_holds_the_end_up_for_two_seconds_at_most() {
    let relay = Relay::calm();
    let mut stuck = Client::connect_with_small_buffers(relay.address());
    stuck.sync();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    for _ in 0..200 {
        ana.send(&"x".repeat(16_000));
        luis.next_line();
    }
    let begun = Instant::now();
    relay.signal("TERM");
    luis.expect_line("* NOTE RELAY CLOSING :…");
    luis.expect_closed();
    assert_eq!(relay.await_end().0.code(), Some(0));
    // Two seconds, and as much again for a machine with other things to do.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[test]
fn two_listeners_lead_into_the_same_room_over_both_families() {
    let relay = Relay::start(&["--listen", "127.0.0.1:0", "--listen", "[::1]:0"]);
    assert_eq!(relay.addresses.iter().map(SocketAddr::is_ipv6).collect::<Vec<_>>(), [false, true]);
    let mut luis = Client::connect(relay.addresses[1]);
    luis.tell("Luis se ha unido al chat.");
    let mut ana = relay.named("Ana");
    ana.tell("hola");
    luis.hears(&["Ana se ha unido al chat.", "Ana: hola"]);
}

#[test]
fn a_listener_handed_over_by_systemd_is_used() {
    let script = "import os, socket, sys
listener = socket.create_server(('127.0.0.1', 0))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.execve(sys.argv[1], sys.argv[1:], {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '1'})";
    let path = std::env::var("PATH").unwrap_or_default();
    let python = Command::new("python3").arg("--version").env("PATH", &path).output();
    assert!(python.is_ok_and(|output| output.status.success()), "this test needs python3 in PATH");
    let mut command = Command::new("python3");
    command.args(["-c", script, env!("CARGO_BIN_EXE_tertulia-relay"), "--history", "none"]);
    let relay = Relay::from_command(command);
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("hola");
    luis.hears(&["Ana: hola"]);
    let said = relay.stop();
    let doors: Vec<&String> = said.iter().filter(|line| line.starts_with("listening on ")).collect();
    assert_eq!(doors.len(), 1, "{doors:?}");
}

#[test]
fn systemd_is_told_when_the_relay_is_ready() {
    let name = format!("tertulia-test-{}", std::process::id());
    let path = std::env::temp_dir().join(format!("{name}.sock"));
    let by_path = UnixDatagram::bind(&path).unwrap();
    let by_name =
        UnixDatagram::bind_addr(&UnixAddress::from_abstract_name(name.as_bytes()).unwrap()).unwrap();
    for (socket, address) in [(by_path, path.to_str().unwrap().to_owned()), (by_name, format!("@{name}"))] {
        let mut command = Relay::command();
        command.args(["--listen", "127.0.0.1:0"]).env("NOTIFY_SOCKET", address);
        let relay = Relay::from_command(command);
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut state = [0; 1024];
        let length = socket.recv(&mut state).expect("the relay tells its state");
        let state = String::from_utf8_lossy(&state[..length]);
        assert!(state.lines().any(|line| line == "READY=1"), "{state:?}");
        relay.client().sync();
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut filler = theirs.try_clone().unwrap();
    let mut command = Relay::command();
    command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(OwnedFd::from(theirs));
    let mut relay = command.spawn().unwrap();
    let mut announcement = String::new();
    BufReader::new(ours.try_clone().unwrap()).read_line(&mut announcement).unwrap();
    let address: SocketAddr = announcement.split_whitespace().last().unwrap().parse().unwrap();
    filler.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    while filler.write(&[b'x'; 4096]).is_ok() {}
    // The relay's end is the same socket: from here on it would wait for ever.
    filler.set_write_timeout(None).unwrap();
    let mut ana = Client::connect(address);
    for number in 0..20 {
        ana.send(&format!("/nick Ana{number}"));
        ana.expect_line(&format!("* NOTE NICK RENAMED Ana{number} :…"));
    }
    relay.kill().unwrap();
    relay.wait().unwrap();
}
