//! The program itself: exit codes, files, and what it says of servers that it does not start.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpgid, kill_process};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tertulia-loadtest");

/// The reference server, which ends with this value.
struct Floor {
    child: Child,
    address: String,
}

impl Floor {
    fn start() -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["floor", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split_whitespace().next_back().unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of one test, which goes with this value.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tertulia-loadtest-{}-{test}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn program(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

/// A short closed loop against the reference server, in which nothing is late however busy the machine that tests is.
fn run(flags: &[&str]) -> Output {
    let floor = Floor::start();
    let pid = floor.child.id().to_string();
    let base = ["run", "--target", &floor.address, "--pid", &pid, "--clients", "4", "--senders", "2"];
    let time = ["--duration", "300ms", "--warmup", "100ms", "--window", "1"];
    program(&[&base[..], &time, flags].concat())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether the report on standard output, text or JSON, says that it is not to be trusted.
fn is_invalid(output: &Output) -> bool {
    match serde_json::from_slice::<serde_json::Value>(&output.stdout) {
        Ok(report) => report["invalid"].as_array().is_some_and(|reasons| !reasons.is_empty()),
        Err(_) => String::from_utf8_lossy(&output.stdout).contains("\nINVALID: "),
    }
}

/// The code; 3 where the machine was so busy that the report says INVALID, and only there.
fn assert_ended(output: &Output, code: i32) {
    let code = if is_invalid(output) { 3 } else { code };
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
}

/// A run that is valid, if there is one in a few.
fn valid(run: impl Fn() -> Output) -> Output {
    let mut output = run();
    for _ in 0..2 {
        if !is_invalid(&output) {
            break;
        }
        output = run();
    }
    output
}

/// The program, until somebody is to tell it something.
fn begun(arguments: &[&str]) -> Child {
    Command::new(PROGRAM).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until the program says that it measures.
fn await_measures(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("; measures")));
    lines
}

fn tell(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// The code that the program ends with; it is killed, and that is an error, where it does not end.
fn ends(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    panic!("it does not end");
}

#[test]
fn a_run_writes_its_figures_as_json_and_ends_with_0() {
    let output = valid(|| run(&["--json", "-"]));
    assert_ended(&output, 0);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema_version"], 1);
    let accepted = report["accepted"].as_u64().unwrap();
    assert!(accepted > 0);
    assert_eq!(report["delivered"], accepted * 3);
    assert_eq!(report["expected"], accepted * 3);
    for check in ["lost", "doubled", "out_of_order", "corrupt"] {
        assert_eq!(report[check], 0, "{check}");
    }
    let last = report["latency_us"]["last"]["count"].as_u64().unwrap();
    assert!(last < accepted, "the warm-up is not left out");
    assert_eq!(report["connect_us"]["count"], 4);
    assert!(report["server"]["resident_kib"].as_u64().unwrap() > 0);
    assert!(report["machine"]["processors"].as_u64().unwrap() > 0);
    assert_eq!(report["server_name"], "tertulia-loadtest");
    assert_eq!(report["server_file_fnv1a"].as_str().unwrap().len(), 16);
    assert!(!report["commit"].as_str().unwrap().is_empty());
    assert_eq!(report["is_partial"], false);
}

#[test]
fn a_run_writes_a_page_and_a_log_that_merge_reads() {
    let folder = Folder::new("page");
    let (page, log) = (folder.file("run.html"), folder.file("run.hlog"));
    let output = run(&["--html", &page, "--hdr", &log, "--repeat", "2"]);
    assert_ended(&output, 0);
    assert!(folder.read("run.html").contains("<svg"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("lost 0, doubled 0, out of order 0, corrupt 0"), "{text}");
    let merged = program(&["merge", &log, &log, "--out", &folder.file("both.hlog")]);
    assert_eq!(merged.status.code(), Some(0), "{}", said(&merged));
    let samples = |text: &[u8]| {
        let text = String::from_utf8(text.to_vec()).unwrap();
        text.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let once = program(&["merge", &log]);
    assert_eq!(samples(&merged.stdout), 2 * samples(&once.stdout));
}

#[test]
fn a_broken_bound_ends_with_2_and_is_named() {
    let output = valid(|| run(&["--fail-if", "lost>0", "--fail-if", "rate<1000000000"]));
    assert_ended(&output, 2);
    let said = said(&output);
    assert!(said.contains("broken: rate<1000000000") && !said.contains("broken: lost"), "{said}");
}

#[test]
fn a_schedule_that_cannot_be_kept_ends_with_3_and_says_why() {
    let floor = Floor::start();
    let flags =
        ["run", "--target", &floor.address, "--clients", "200", "--senders", "100", "--rate", "9000000"];
    let output = program(&[&flags[..], &["--duration", "100ms", "--warmup", "0s"]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\nINVALID: "), "{text}");
}

#[test]
fn what_is_wrong_with_the_flags_is_said_and_ends_with_1() {
    for (flags, word) in [
        (&["run", "--senders", "0"][..], "--senders 0"),
        (&["run", "--fail-if", "p99>5"], "p99>5"),
        (&["run", "--nope"], "--nope"),
        (&["run", "--protocol", "smtp"], "there are plain, extended, unframed, irc"),
        (&["run", "--clients", "900000"], "open files"),
        (&["run", "--pid", "4194305", "--target", "127.0.0.1:9"], "--pid 4194305"),
        (&["run", "--with-floor", "--protocol", "irc", "--target", "127.0.0.1:9"], "--with-floor"),
        (&["run", "--source", "::1"], "--source ::1: that is IPv6"),
        (&["hold", "--source", "127.0.0.2", "--target", "[::1]:9"], "--source 127.0.0.2: that is IPv4"),
        (&["run", "--target", "127.0.0.1:9", "--source", "192.0.2.1"], "no address of this machine"),
        (&["run", "--target", ":2000"], "expected HOST:PORT"),
        (&["run", "--target", "localhost"], "expected HOST:PORT"),
        (&["run", "--protocol", "irc"], "--target HOST:PORT"),
        (&["hold", "--protocol", "nats"], "--target HOST:PORT"),
        (&["ramp", "--from", "10", "--to", "5", "--step", "1"], "--from 10"),
        (&["ramp", "--from", "1", "--to", "5", "--step", "1", "--rate", "5"], "--rate 5: "),
        (&["compare", "/nowhere/a.json", "/nowhere/b.json"], "/nowhere/a.json"),
        (&["merge", "/nowhere/a.hlog"], "/nowhere/a.hlog"),
        (&["peers", "--only", "icq"], "--only icq"),
    ] {
        let output = program(flags);
        assert_eq!(output.status.code(), Some(1), "{flags:?}");
        assert!(said(&output).contains(word), "{flags:?}: {}", said(&output));
    }
}

#[test]
fn a_named_server_behind_tls_needs_a_word_on_whom_to_trust() {
    let run = |flags: &[&str]| program(&[&["run", "--target", "127.0.0.1:9"], flags].concat());
    let output = run(&["--tls"]);
    assert_ended(&output, 1);
    assert!(said(&output).contains("--tls-fingerprint HEX"), "{}", said(&output));
    for flags in
        [&["--tls-insecure"][..], &["--tls", "--tls-fingerprint", "AB"], &["--tls", "--tls-name", "x"]]
    {
        assert_ended(&run(flags), 1);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_before_anybody_connects() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let ramp = ["ramp", "--from", "1", "--to", "1", "--step", "1"];
    for (command, flag) in [
        (&["run"][..], "--json"),
        (&["run"], "--html"),
        (&["run"], "--hdr"),
        (&["soak"], "--json"),
        (&["soak"], "--html"),
        (&ramp, "--json"),
        (&ramp, "--html"),
        (&["hold"], "--json"),
    ] {
        let output = program(&[command, &["--target", &address, flag, "/nowhere/report"]].concat());
        assert_eq!(output.status.code(), Some(1), "{command:?} {flag}");
        assert!(said(&output).contains("/nowhere/report: "), "{command:?} {flag}: {}", said(&output));
        assert!(listener.accept().is_err(), "{command:?} {flag}: somebody has connected");
    }
    for flag in ["--json", "--html"] {
        let output = program(&["peers", "--only", "floor", flag, "/nowhere/report"]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}", said(&output));
        assert!(said(&output).contains("/nowhere/report: "), "{}", said(&output));
    }
}

#[test]
fn the_text_is_printed_though_every_file_is_full() {
    let files = ["--json", "/dev/full", "--html", "/dev/full", "--hdr", "/dev/full"];
    let output = run(&files);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(text.contains("lost 0, doubled 0"), "{text}");
    assert!(said(&output).contains("/dev/full: No space left"), "{}", said(&output));
    assert_ended(&output, 1);
}

#[test]
fn a_file_keeps_what_it_held_until_there_is_a_report() {
    let folder = Folder::new("kept");
    let json = folder.file("run.json");
    std::fs::write(&json, vec![b'x'; 100_000]).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    assert_eq!(program(&["run", "--target", &free, "--json", &json]).status.code(), Some(1));
    assert_eq!(folder.read("run.json").len(), 100_000);
    run(&["--json", &json]);
    let report: serde_json::Value = serde_json::from_str(&folder.read("run.json")).unwrap();
    assert_eq!(report["schema_version"], 1);
}

#[test]
fn the_flags_that_most_want_stand_first_in_the_help() {
    let help = String::from_utf8(program(&["run", "--help"]).stdout).unwrap();
    let flags: Vec<&str> = help.lines().filter_map(|line| line.trim_start().strip_prefix("--")).collect();
    let first: Vec<&str> = flags.iter().take(4).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(first, ["clients", "senders", "rate", "duration"], "{help}");
    let under = |flag: &str| {
        let before = help.split(flag).next().unwrap();
        before.lines().rfind(|line| line.ends_with(':') && !line.starts_with(' ')).unwrap().to_owned()
    };
    assert_eq!(under("--with-floor"), "More of the work:", "{help}");
    assert_eq!(under("--spin"), "Whom to load:", "{help}");
    assert_eq!(under("--hdr"), "What comes of it:", "{help}");
}

#[test]
fn nobody_listening_is_said_with_the_address() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = program(&["run", "--target", &free]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains(&free) && said(&output).contains("refused"), "{}", said(&output));
}

#[test]
fn clients_come_from_every_address_that_was_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut child = Command::new(PROGRAM)
        .args(["run", "--target", &address, "--clients", "6", "--source", "127.0.0.2-127.0.0.4"])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut addresses: Vec<String> = (0..6).map(|_| listener.accept().unwrap().1.ip().to_string()).collect();
    addresses.sort();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(addresses, ["127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3", "127.0.0.4", "127.0.0.4"]);
}

#[test]
fn an_interrupt_ends_the_run_with_a_partial_report() {
    let floor = Floor::start();
    let base = ["run", "--target", &floor.address, "--clients", "3", "--rate", "50", "--duration", "10m"];
    let mut child = begun(&[&base[..], &["--warmup", "100ms", "--json", "-"]].concat());
    let _lines = await_measures(&mut child);
    // So that at least one line is due behind the warm-up.
    thread::sleep(Duration::from_millis(200));
    tell(&child, Signal::INT);
    let mut json = String::new();
    child.stdout.take().unwrap().read_to_string(&mut json).unwrap();
    child.wait().unwrap();
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["is_partial"], true);
    assert!(report["delivered"].as_u64().unwrap() > 0);
    assert_eq!(report["lost"], 0);
}

#[test]
fn an_interrupt_while_clients_connect_ends_with_a_report_of_what_there_is() {
    // It takes connections, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut child = begun(&["run", "--target", &address, "--clients", "3", "--json", "-"]);
    let _kept: Vec<_> = (0..3).map(|_| listener.accept().unwrap()).collect();
    tell(&child, Signal::INT);
    let mut json = String::new();
    child.stdout.take().unwrap().read_to_string(&mut json).unwrap();
    // Nothing was measured.
    assert_eq!(ends(&mut child), Some(3));
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((report["is_partial"].as_bool(), report["accepted"].as_u64()), (Some(true), Some(0)));
}

#[test]
fn a_server_that_was_started_for_a_run_is_in_no_group_that_a_terminal_interrupts() {
    let floor = Floor::start();
    let base = ["run", "--target", &floor.address, "--clients", "3", "--with-floor", "--duration", "10m"];
    let mut child = begun(&[&base[..], &["--json", "-"]].concat());
    let path = format!("/proc/{0}/task/{0}/children", child.id());
    let deadline = Instant::now() + Duration::from_secs(60);
    let started = loop {
        let children = std::fs::read_to_string(&path).unwrap();
        if let Some(pid) = children.split_whitespace().next() {
            break pid.parse::<i32>().ok().and_then(Pid::from_raw).unwrap();
        }
        assert!(Instant::now() < deadline, "no server was started");
        thread::sleep(Duration::from_millis(5));
    };
    let group = |pid: Option<Pid>| getpgid(pid).unwrap();
    // It is forked first, and then has its own group.
    while group(Some(started)) == group(None) {
        assert!(Instant::now() < deadline, "it is in the same group");
        thread::sleep(Duration::from_millis(5));
    }
    // The second one ends the program at once, and the server with it.
    tell(&child, Signal::INT);
    tell(&child, Signal::INT);
    ends(&mut child);
    let stat =
        std::fs::read_to_string(format!("/proc/{}/stat", started.as_raw_nonzero())).unwrap_or_default();
    // Nobody may have asked yet how it ended.
    assert!(stat.is_empty() || stat.contains(") Z "), "the server is still there: {stat}");
}

#[test]
fn an_interrupt_of_a_later_repeat_keeps_those_that_are_finished() {
    let floor = Floor::start();
    let base = ["run", "--target", &floor.address, "--clients", "3", "--window", "1", "--duration", "200ms"];
    let mut child = begun(&[&base[..], &["--warmup", "0s", "--repeat", "50", "--json", "-"]].concat());
    let _lines = await_measures(&mut child);
    // More than the first takes, and less than the second, which has to wait until the room is at rest.
    thread::sleep(Duration::from_millis(900));
    tell(&child, Signal::INT);
    let mut json = String::new();
    child.stdout.take().unwrap().read_to_string(&mut json).unwrap();
    ends(&mut child);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["is_partial"], true);
    assert!(report["delivered"].as_u64().unwrap() > 0);
    let repeats = report["repeats"].as_array().unwrap();
    assert!(!repeats.is_empty());
    assert!(repeats.iter().all(|figures| figures["rate_per_s"].as_f64().unwrap() > 0.0), "{repeats:?}");
}

#[test]
fn an_interrupt_of_the_first_step_of_a_ramp_breaks_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let steps = ["--from", "10", "--to", "20", "--step", "10"];
    let mut child = begun(&[&["ramp", "--target", &address, "--clients", "3"][..], &steps].concat());
    let _kept: Vec<_> = (0..3).map(|_| listener.accept().unwrap()).collect();
    tell(&child, Signal::INT);
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(ends(&mut child), Some(0));
    assert!(text.contains("PARTIAL") && !text.contains("broke"), "{text}");
}

#[test]
fn a_generator_that_was_stopped_is_invalid_however_closed_its_loop() {
    let floor = Floor::start();
    let base = ["run", "--target", &floor.address, "--clients", "3", "--window", "1", "--duration", "3s"];
    let mut child = begun(&[&base[..], &["--warmup", "0s"]].concat());
    let _lines = await_measures(&mut child);
    while child.try_wait().unwrap().is_none() {
        tell(&child, Signal::STOP);
        thread::sleep(Duration::from_millis(400));
        tell(&child, Signal::CONT);
        thread::sleep(Duration::from_millis(100));
    }
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("INVALID: the generator itself stood still for"), "{text}");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_server_that_ends_within_the_run_is_told_with_all_that_was_measured() {
    let mut floor = Floor::start();
    let pid = floor.child.id().to_string();
    let base = ["run", "--target", &floor.address, "--pid", &pid, "--clients", "3", "--rate", "50"];
    let mut child = begun(&[&base[..], &["--warmup", "0s", "--duration", "10m", "--json", "-"]].concat());
    let _lines = await_measures(&mut child);
    thread::sleep(Duration::from_millis(200));
    floor.child.kill().unwrap();
    floor.child.wait().unwrap();
    let mut stdout = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
    let code = ends(&mut child);
    let report: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
    assert_eq!((report["is_deserted"].as_bool(), report["closed"].as_u64()), (Some(true), Some(3)));
    assert!(report["delivered"].as_u64().unwrap() > 0);
    let is_invalid = !report["invalid"].as_array().unwrap().is_empty();
    assert_eq!(code, Some(if is_invalid { 3 } else { 1 }));
}

#[test]
fn a_server_that_ends_within_a_step_of_a_ramp_ends_it_there() {
    let mut floor = Floor::start();
    let steps = ["--from", "50", "--to", "100", "--step", "50", "--duration", "1h", "--warmup", "0s"];
    let work = ["--clients", "3", "--fail-if", "rate>1000000000"];
    let mut child = begun(&[&["ramp", "--target", &floor.address][..], &steps, &work].concat());
    // Longer than it takes until all hear each other.
    thread::sleep(Duration::from_secs(5));
    floor.child.kill().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    let code = ends(&mut child);
    assert!(text.contains("at rate 50: the server closed every connection"), "{text}");
    assert!(matches!(code, Some(2 | 3)), "{code:?}");
}

#[test]
fn more_clients_that_leave_than_anybody_can_let_go_end_the_run_in_time_and_invalid() {
    let floor = Floor::start();
    let base = ["run", "--target", &floor.address, "--clients", "6", "--window", "1", "--duration", "300ms"];
    let mut child = begun(&[&base[..], &["--warmup", "0s", "--churn", "2000000"]].concat());
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(ends(&mut child), Some(3));
    assert!(text.contains("clients that were to leave and come back did"), "{text}");
}

#[test]
fn compare_finds_no_more_than_noise_between_a_run_and_itself_and_refuses_another_plan() {
    let folder = Folder::new("compare");
    let (one, other) = (folder.file("one.json"), folder.file("other.json"));
    assert_ended(&run(&["--repeat", "3", "--json", &one]), 0);
    assert_ended(&run(&["--size", "80", "--json", &other]), 0);
    let same = program(&["compare", &one, &one, "--force"]);
    assert_eq!(same.status.code(), Some(0), "{}", said(&same));
    let text = String::from_utf8(same.stdout).unwrap();
    assert!(text.contains("noise") && !text.contains("WORSE") && !text.contains("better"), "{text}");
    let refused = program(&["compare", &one, &other]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("other plan"), "{}", said(&refused));
}

#[test]
fn a_ramp_stops_at_the_first_broken_bound_and_names_the_last_good_step() {
    let floor = Floor::start();
    let base =
        ["ramp", "--target", &floor.address, "--of", "clients", "--from", "2", "--to", "8", "--step", "2"];
    let work = ["--window", "1", "--duration", "200ms", "--warmup", "0s", "--fail-if", "rate>1000000000"];
    let output = program(&[&base[..], &work].concat());
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let is_busy = text.contains(": INVALID: ");
    assert!(is_busy || text.contains("last good step: clients 8"), "{text}{}", said(&output));
    let work = ["--window", "1", "--duration", "200ms", "--warmup", "0s", "--fail-if", "rate>0"];
    let folder = Folder::new("ramp");
    let files = ["--json", &folder.file("ramp.json"), "--html", &folder.file("ramp.html")];
    let output = program(&[&base[..], &work, &files].concat());
    let json: serde_json::Value = serde_json::from_str(&folder.read("ramp.json")).unwrap();
    let is_busy = json["ended_by"] == "invalid";
    assert!(is_busy || json["ended_by"] == "broken", "{json}");
    assert_eq!(
        (json["steps"][0]["value"].as_f64(), json["steps"][0]["tries"].as_u64()),
        (Some(2.0), Some(1))
    );
    assert!(folder.read("ramp.html").contains("<b>no good step</b>"));
    assert_eq!(output.status.code(), Some(if is_busy { 3 } else { 2 }));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("no good step") && (is_busy || text.contains("rate>0 broke")), "{text}");
}

#[test]
fn peers_puts_every_server_in_one_table() {
    let folder = Folder::new("peers");
    let (json, page) = (folder.file("peers.json"), folder.file("peers.html"));
    let work = ["peers", "--only", "floor", "--only", "threads", "--repeat", "2", "--duration", "200ms"];
    let output = program(
        &[&work[..], &["--clients", "6", "--senders", "2", "--json", &json, "--html", &page]].concat(),
    );
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let code = if text.contains(": INVALID: ") { 3 } else { 0 };
    assert_eq!(output.status.code(), Some(code), "{text}{}", said(&output));
    assert!(text.contains("| floor |") && text.contains("| threads, Python 3"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&folder.read("peers.json")).unwrap();
    assert_eq!(json["peers"].as_array().unwrap().len(), 2);
    assert_eq!(json["peers"][0]["crowd"]["repeats"].as_array().unwrap().len(), 2);
    assert!(folder.read("peers.html").contains("threads, Python 3"));
}

#[test]
fn hold_tells_what_silent_clients_cost() {
    let floor = Floor::start();
    let pid = floor.child.id().to_string();
    let base = ["hold", "--target", &floor.address, "--pid", &pid, "--clients", "50", "--duration", "200ms"];
    let output = program(&[&base[..], &["--json", "-"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let held: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((held["clients"].as_u64(), held["closed"].as_u64()), (Some(50), Some(0)));
    assert_eq!(held["server"]["wakeups"], 0);
    assert_eq!((held["own_wakeups"].as_u64(), held["own_cpu_ns"].as_u64()), (Some(0), Some(0)));
}

#[test]
fn what_is_wrong_with_a_later_step_of_a_ramp_is_said_before_the_first() {
    let steps = ["--from", "1", "--to", "20000001", "--step", "20000000"];
    for flags in [&steps[..], &["--from", "1", "--to", "2", "--step", "1", "--window", "5"]] {
        let output = program(&[&["ramp"][..], flags].concat());
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (Some(1), &b""[..]),
            "{}",
            said(&output)
        );
    }
}

#[test]
fn the_first_line_of_soak_tells_nothing_of_the_warm_up_and_the_last_one_the_rest() {
    let floor = Floor::start();
    let base = ["soak", "--target", &floor.address, "--clients", "3", "--rate", "100", "--every", "2s"];
    let output = program(&[&base[..], &["--duration", "3s", "--warmup", "2s"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().skip(1).take_while(|line| line.starts_with("   ")).collect();
    assert_eq!(lines.len(), 2, "{text}");
    let accepted: f64 = lines[0].split_whitespace().nth(1).unwrap().parse().unwrap();
    // Twice as much with the warm-up.
    assert!(accepted < 150.0, "{text}");
}

#[test]
fn soak_says_how_it_goes_every_so_often() {
    let floor = Floor::start();
    let base = ["soak", "--target", &floor.address, "--clients", "3", "--rate", "50", "--every", "1s"];
    let output = program(&[&base[..], &["--duration", "2500ms", "--warmup", "0s"]].concat());
    assert_ended(&output, 0);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().skip(1).take_while(|line| line.starts_with("   ")).count();
    assert_eq!(lines, 3, "two, and one of the rest: {text}");
}

/// Takes 20 lines of each connection at once and then 5 a second, as flood control does: by not reading on.
fn flood_controlled() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let hearers = Arc::new(Mutex::new(Vec::new()));
    thread::spawn(move || {
        for (own, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            hearers.lock().unwrap().push(stream.try_clone().unwrap());
            let hearers = Arc::clone(&hearers);
            thread::spawn(move || {
                for (number, mut line) in
                    BufReader::new(stream).split(b'\n').map_while(Result::ok).enumerate()
                {
                    if number > 20 {
                        thread::sleep(Duration::from_millis(200));
                    }
                    line.push(b'\n');
                    let mut hearers = hearers.lock().unwrap();
                    let others = hearers.iter_mut().enumerate().filter(|(other, _)| *other != own);
                    others.for_each(|(_, hearer): (usize, &mut std::net::TcpStream)| {
                        let _ = hearer.write_all(&line);
                    });
                }
            });
        }
    });
    address
}

#[test]
fn flood_control_is_recognised_and_named_with_the_flag_that_helps() {
    let address = flood_controlled().to_string();
    let output = program(&[
        "run",
        "--target",
        &address,
        "--clients",
        "4",
        "--senders",
        "2",
        "--rate",
        "60",
        "--duration",
        "4s",
        "--warmup",
        "0s",
    ]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("this is flood control") && text.contains("--flood 0"), "{text}");
    assert!(text.contains("lost 0,"), "{text}");
}

#[test]
fn a_name_that_somebody_else_has_already_is_an_error_that_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let hearers = Arc::new(Mutex::new(Vec::new()));
        for stream in listener.incoming().map_while(Result::ok) {
            hearers.lock().unwrap().push(stream.try_clone().unwrap());
            let hearers = Arc::clone(&hearers);
            thread::spawn(move || {
                let mut own = stream.try_clone().unwrap();
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if let Some(name) = line.strip_suffix(" se ha unido al chat.") {
                        let _ = own.write_all(format!("* NOTE JOIN RENAMED {name}_2 :taken\n").as_bytes());
                    }
                    for hearer in hearers.lock().unwrap().iter_mut() {
                        let _ = hearer.write_all(format!("{line}\n").as_bytes());
                    }
                }
            });
        }
    });
    let output = program(&["run", "--target", &address, "--clients", "3"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let said = said(&output);
    assert!(said.contains("gave client 1 the name") && said.contains("0000_2"), "{said}");
}

/// A relay that hangs up, at the 20th line, on every client whose number is this or more.
fn hangs_up_on(first: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        // Streams with their clients' numbers, and lines.
        let all = Arc::new(Mutex::new((Vec::<(usize, TcpStream)>::new(), 0)));
        for (own, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            all.lock().unwrap().0.push((0, stream.try_clone().unwrap()));
            let all = Arc::clone(&all);
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let (hearers, lines) = &mut *all.lock().unwrap();
                    if let Some(name) = line.strip_suffix(" se ha unido al chat.") {
                        hearers[own].0 = usize::from_str_radix(&name[name.len() - 4..], 16).unwrap();
                    }
                    *lines += usize::from(line.contains('~'));
                    for (other, (number, hearer)) in hearers.iter_mut().enumerate() {
                        if *lines == 20 && *number >= first {
                            let _ = hearer.shutdown(Shutdown::Both);
                        } else if other != own {
                            let _ = hearer.write_all(format!("{line}\n").as_bytes());
                        }
                    }
                }
            });
        }
    });
    address
}

#[test]
fn slow_clients_that_the_server_hangs_up_on_are_told() {
    let address = hangs_up_on(3);
    let base = ["run", "--target", &address, "--clients", "5", "--slow", "2", "--join", "all"];
    let time = ["--rate", "100", "--duration", "500ms", "--warmup", "0s", "--json", "-"];
    let output = program(&[&base[..], &time].concat());
    assert_ended(&output, 0);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["closed"].as_u64(), report["lost"].as_u64()), (Some(2), Some(0)));
    assert!(report["hints"].to_string().contains("closed 2 of 5 connections"), "{}", report["hints"]);
}

#[test]
fn a_line_of_soak_tells_how_many_connections_the_server_closed() {
    let address = hangs_up_on(3);
    let base = ["soak", "--target", &address, "--clients", "4", "--join", "all", "--rate", "100"];
    let time = ["--every", "1s", "--duration", "1500ms", "--warmup", "0s"];
    let output = program(&[&base[..], &time].concat());
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut lines = text.lines();
    let heads: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    let figures: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    // "under way", "server KiB" and "server %" are two words each.
    let at = heads.iter().position(|head| *head == "closed").unwrap() - 1;
    assert_eq!(figures[at], "1", "{text}{}", said(&output));
}

#[test]
fn json_on_standard_output_is_alone_there() {
    let floor = Floor::start();
    let work = ["--clients", "3", "--warmup", "0s", "--json", "-", "--target", &floor.address];
    let ramp = ["ramp", "--from", "50", "--to", "50", "--step", "1", "--duration", "200ms"];
    let soak = ["soak", "--rate", "50", "--every", "1s", "--duration", "1200ms"];
    for command in [&ramp[..], &soak] {
        let output = program(&[command, &work].concat());
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["schema_version"], 1);
        assert!(said(&output).contains("disorder"), "{}", said(&output));
    }
}

#[test]
fn a_ramp_that_the_generator_cannot_keep_ends_with_3_though_a_bound_broke_and_a_step_was_good() {
    let floor = Floor::start();
    let base = ["ramp", "--target", &floor.address, "--clients", "10", "--senders", "5"];
    let steps = ["--from", "100", "--to", "9000100", "--step", "9000000"];
    let time = ["--duration", "100ms", "--warmup", "0s", "--fail-if", "rate>10000000000"];
    // A busy machine may not let the first step be good either.
    let mut runs = (0..20).map(|_| {
        let output = program(&[&base[..], &steps, &time].concat());
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        (output, text)
    });
    let good = runs.find(|(_, text)| !text.contains("gave up at rate 100,"));
    let (output, text) = good.expect("a machine that has time for 100 lines a second");
    assert_eq!(output.status.code(), Some(3), "{text}{}", said(&output));
    assert!(text.contains(": INVALID: "), "{text}");
    assert!(text.contains("the generator, not the server, gave up at rate 9000100, in 2 tries"), "{text}");
    assert!(
        text.lines().next().unwrap().starts_with("plan        a ramp from 100 to 9000100 by 9000000"),
        "{text}"
    );
    assert!(text.contains(&format!("\ntarget      {}\n", floor.address)), "{text}");
    let steps = ["--from", "9000000", "--to", "9000000", "--step", "1"];
    let time = ["--duration", "100ms", "--warmup", "0s", "--fail-if", "rate>0"];
    let output = program(&[&base[..], &steps, &time].concat());
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}{}", said(&output));
    assert!(text.contains(": INVALID: ") && !text.contains("rate>0 broke"), "{text}");
}

/// What the program writes to a terminal.
fn on_a_terminal(arguments: &[&str]) -> String {
    let code = "import pty, sys; pty.spawn(sys.argv[1:])";
    let output = Command::new("python3")
        .args(["-c", code, PROGRAM])
        .args(arguments)
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output()
        .expect("python3");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn soak_has_a_live_line_on_a_terminal() {
    let floor = Floor::start();
    let base = ["soak", "--target", &floor.address, "--clients", "3", "--rate", "50"];
    let text = on_a_terminal(&[&base[..], &["--duration", "1500ms", "--warmup", "0s"]].concat());
    assert!(text.contains("deliveries a second") && text.contains("lines under way, lost 0"), "{text}");
    assert_eq!(text.matches("of them send lines of").count(), 1, "the plan is told once: {text}");
}
