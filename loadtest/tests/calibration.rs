//! The generator against a server that does known harm: the report must say exactly that.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tertulia_loadtest::measured::Measured;
use tertulia_loadtest::names::{NAME_BYTES, Names};
use tertulia_loadtest::plan::{Joins, Plan};
use tertulia_loadtest::process;
use tertulia_loadtest::protocol::Protocol;
use tertulia_loadtest::schedule::{Due, Pace, Schedule};
use tertulia_loadtest::stage::{Stage, Target};
use tertulia_loadtest::stamp::Sizes;
use tertulia_loadtest::stats::Counts;
use tertulia_loadtest::swarm::{Settings, Swarm};
use tertulia_loadtest::tally::Tally;
use tertulia_loadtest::verdict::why_invalid;

/// What becomes of the n-th chat line (from 0) on its way to everybody else: the lines to write instead.
type Harm = fn(usize, &[u8]) -> Vec<Vec<u8>>;

/// What the server does to connections.
#[derive(Clone, Copy, Default)]
struct Door {
    /// The chat line (from 0) at which it closes the connection that the line came from.
    closes_sender_at: Option<usize>,
    /// The chat line at which it closes all connections.
    closes_all_at: Option<usize>,
    /// It lets so many in, and nobody after them.
    room: Option<usize>,
}

/// A relay that passes every line on to all others, but for the harm.
fn server(harm: Harm) -> SocketAddr {
    server_with(harm, Door::default())
}

/// The same with a door of its own.
fn server_with(harm: Harm, door: Door) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let hearers: Arc<Mutex<(Vec<TcpStream>, usize)>> = Arc::default();
    thread::spawn(move || {
        for stream in listener.incoming().take(door.room.unwrap_or(usize::MAX)) {
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
                        let number = hearers.1;
                        hearers.1 += 1;
                        let close = |hearer: &TcpStream| hearer.shutdown(Shutdown::Both).unwrap();
                        if door.closes_all_at == Some(number) {
                            hearers.0.iter().for_each(close);
                            return;
                        }
                        if door.closes_sender_at == Some(number) {
                            close(&hearers.0[index]);
                            return;
                        }
                        harm(number, &line)
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

/// The same in the client protocol of NATS: lines come and go with their lengths before them.
fn nats_server(harm: Harm) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let hearers: Arc<Mutex<(Vec<TcpStream>, usize)>> = Arc::default();
    thread::spawn(move || {
        for (own, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            hearers.lock().unwrap().0.push(stream.try_clone().unwrap());
            let hearers = Arc::clone(&hearers);
            thread::spawn(move || {
                let mut answers = stream.try_clone().unwrap();
                let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
                while let Some(line) = lines.next() {
                    if line.starts_with("PING") {
                        let _ = answers.write_all(b"PONG\r\n");
                    }
                    if !line.starts_with("PUB ") {
                        continue;
                    }
                    let Some(text) = lines.next() else { return };
                    let mut hearers = hearers.lock().unwrap();
                    let is_probe = !text.starts_with('~');
                    hearers.1 += usize::from(!is_probe);
                    let number = hearers.1.wrapping_sub(1);
                    let texts =
                        if is_probe { vec![text.into_bytes()] } else { harm(number, text.as_bytes()) };
                    for text in texts {
                        let head = format!("MSG carga 1 {}\r\n", text.len());
                        let bytes = [head.as_bytes(), &text, b"\r\n"].concat();
                        let others = hearers.0.iter_mut().enumerate().filter(|(other, _)| *other != own);
                        others.for_each(|(_, hearer)| {
                            let _ = hearer.write_all(&bytes);
                        });
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
fn plan() -> Plan {
    Plan {
        clients: RECEIVERS as usize + 1,
        senders: 1,
        pace: Pace::Rate(800.0),
        duration: Duration::from_millis(500),
        warmup: Duration::ZERO,
        sizes: Sizes { min_bytes: 40, max_bytes: 90 },
        protocol: Protocol::Plain,
        slow: 0,
        churn_per_s: 0.0,
        connect_rate_per_s: None,
        sources: Vec::new(),
        joins: Joins::Senders,
    }
}

fn run_plan(plan: &Plan, harm: Harm) -> Measured {
    let address = if plan.protocol == Protocol::Nats { nats_server(harm) } else { server(harm) };
    run_before(plan, address)
}

fn run_before(plan: &Plan, address: SocketAddr) -> Measured {
    let target =
        Target { address, pid: None, name: String::new(), is_fresh: false, trust: None, login: None };
    let stop = AtomicBool::new(false);
    let mut stage = Stage::open(plan, &target, Settings::default(), &stop, &mut |_| ()).unwrap();
    stage.measure(plan.duration, &stop, &mut |_| ()).unwrap();
    stage.measured()
}

fn run(harm: Harm) -> Measured {
    let measured = run_plan(&plan(), harm);
    assert_eq!((measured.accepted, measured.expected), (LINES, LINES * RECEIVERS));
    assert_eq!(measured.counts.delivered + measured.counts.lost, measured.expected);
    measured
}

#[test]
fn a_server_that_does_no_harm_has_a_clean_report() {
    let measured = run(|_, line| vec![line.to_vec()]);
    assert_eq!(measured.counts, Counts { delivered: LINES * RECEIVERS, ..Counts::default() });
    let latency = &measured.latency;
    let counted = (latency.first.len(), latency.each.len(), latency.last.len(), latency.service.len());
    assert_eq!(counted, (LINES, LINES * RECEIVERS, LINES, LINES * RECEIVERS));
    assert_eq!(measured.connect_us.len(), RECEIVERS + 1);
    assert!(measured.complaints.0.is_empty());
}

#[test]
fn one_line_of_a_hundred_dropped_is_lost_for_each_receiver() {
    let measured = run(|number, line| if number % 100 == 50 { vec![] } else { vec![line.to_vec()] });
    let lost = LINES / 100 * RECEIVERS;
    assert_eq!(measured.counts, Counts { delivered: LINES * RECEIVERS - lost, lost, ..Counts::default() });
}

#[test]
fn one_line_of_two_hundred_twice_is_doubled_for_each_receiver() {
    let measured = run(|number, line| vec![line.to_vec(); if number % 200 == 7 { 2 } else { 1 }]);
    let doubled = LINES / 200 * RECEIVERS;
    assert_eq!(measured.counts, Counts { delivered: LINES * RECEIVERS, doubled, ..Counts::default() });
}

#[test]
fn neighbours_that_change_places_are_out_of_order_once_for_each_receiver() {
    thread_local!(static KEPT: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) });
    // All lines are of one sender, so that one thread of the server handles them.
    let measured = run(|number, line| match number % 100 {
        20 => {
            KEPT.with_borrow_mut(|kept| *kept = line.to_vec());
            vec![]
        }
        21 => vec![line.to_vec(), KEPT.with_borrow_mut(std::mem::take)],
        _ => vec![line.to_vec()],
    });
    let out_of_order = LINES / 100 * RECEIVERS;
    assert_eq!(measured.counts, Counts { delivered: LINES * RECEIVERS, out_of_order, ..Counts::default() });
}

/// One changed line, which is corrupt at each receiver, and lost.
fn corrupts_one(harm: Harm) {
    let measured = run(harm);
    let (lost, corrupt) = (RECEIVERS, RECEIVERS);
    let delivered = LINES * RECEIVERS - lost;
    assert_eq!(measured.counts, Counts { delivered, lost, corrupt, ..Counts::default() });
}

#[test]
fn one_changed_byte_is_corrupt_and_the_line_lost() {
    corrupts_one(|number, line| {
        let mut line = line.to_vec();
        if number == 123 {
            let last = line.len() - 1;
            line[last] ^= 1;
        }
        vec![line]
    });
}

#[test]
fn a_line_whose_mark_was_changed_is_corrupt_and_lost() {
    corrupts_one(|number, line| {
        let mut line = line.to_vec();
        if number == 123 {
            line[NAME_BYTES + 2] = b'!';
        }
        vec![line]
    });
}

#[test]
fn two_runs_have_no_name_in_common_so_that_a_server_may_still_hold_those_of_the_first() {
    static SAID: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    for _ in 0..2 {
        run(|number, line| {
            if number == 0 {
                SAID.lock().unwrap().push(line[..NAME_BYTES].to_vec());
            }
            vec![line.to_vec()]
        });
    }
    let said = SAID.lock().unwrap();
    assert_eq!(said.len(), 2);
    assert_ne!(said[0], said[1]);
}

#[test]
fn a_line_cut_short_is_corrupt_and_lost() {
    corrupts_one(|number, line| vec![line[..line.len() - usize::from(number == 123)].to_vec()]);
}

#[test]
fn a_line_under_another_name_is_corrupt_and_lost() {
    corrupts_one(|number, line| {
        let line = line.to_vec();
        vec![if number == 123 { [b"x", &line[1..]].concat() } else { line }]
    });
}

#[test]
fn in_another_protocol_the_four_counts_are_as_exact() {
    let plan = Plan { protocol: Protocol::Nats, ..plan() };
    let measured = run_plan(&plan, |number, text| {
        let text = text.to_vec();
        match number % 100 {
            50 => vec![],
            60 => vec![text.clone(), text],
            // The mark, and a byte behind it.
            70 => vec![[b"!", &text[1..]].concat()],
            80 => vec![[&text[..20], b"!", &text[21..]].concat()],
            _ => vec![text],
        }
    });
    assert_eq!((measured.accepted, measured.expected), (LINES, LINES * RECEIVERS));
    let each = LINES / 100 * RECEIVERS;
    let delivered = LINES * RECEIVERS - 3 * each;
    let counts = Counts { delivered, lost: 3 * each, doubled: each, corrupt: 2 * each, out_of_order: 0 };
    assert_eq!(measured.counts, counts);
}

#[test]
fn a_line_that_nobody_has_sent_yet_is_corrupt() {
    let measured = run(|number, line| {
        if number != 200 {
            return vec![line.to_vec()];
        }
        let stamp = tertulia_loadtest::stamp::Stamp { sender: 0, sequence: 100_000, due_us: 1 };
        let mut forged = line[..NAME_BYTES + 2].to_vec();
        stamp.write(plan().sizes, &mut forged);
        vec![line.to_vec(), forged]
    });
    let counts = Counts { delivered: LINES * RECEIVERS, corrupt: RECEIVERS, ..Counts::default() };
    assert_eq!(measured.counts, counts);
}

#[test]
fn the_last_line_is_not_lost_though_it_comes_seconds_behind_the_others_nor_is_the_rate_less() {
    let measured = run(|number, line| {
        if number as u64 == LINES - 1 {
            thread::sleep(Duration::from_secs(3));
        }
        vec![line.to_vec()]
    });
    assert_eq!(measured.counts, Counts { delivered: LINES * RECEIVERS, ..Counts::default() });
    assert_eq!(measured.under_way, 0);
    let sending_s = measured.sending.length_s;
    assert!(measured.measured_s > sending_s + 2.9, "{}, {sending_s}", measured.measured_s);
    assert_eq!(measured.figures().accepted_per_s, LINES as f64 / sending_s);
}

#[test]
fn lines_that_a_closed_sender_was_to_say_are_the_servers_failure_and_no_reason_for_invalid() {
    let plan = Plan { senders: 2, ..plan() };
    let door = Door { closes_sender_at: Some(100), ..Door::default() };
    let measured = run_before(&plan, server_with(|_, line| vec![line.to_vec()], door));
    assert_eq!((measured.closed, measured.unsent), (1, 0));
    assert!(measured.to_closed > 50, "{}", measured.to_closed);
    assert_eq!(measured.accepted + measured.to_closed, LINES);
    let reasons = why_invalid(&measured);
    assert!(!reasons.iter().any(|reason| reason.contains("never went out")), "{reasons:?}");
    assert!(measured.counts.lost > 0);
}

#[test]
fn a_server_that_ends_within_the_run_leaves_a_report_of_what_was_before() {
    let door = Door { closes_all_at: Some(100), ..Door::default() };
    let measured = run_before(&plan(), server_with(|_, line| vec![line.to_vec()], door));
    assert!(measured.is_deserted);
    assert_eq!(measured.closed as u64, RECEIVERS + 1);
    assert_eq!(measured.counts.delivered, 100 * RECEIVERS);
    assert_eq!(measured.counts.lost, (measured.accepted - 100) * RECEIVERS);
}

#[test]
fn clients_that_are_not_let_in_again_are_counted_and_end_nothing() {
    let plan = Plan { clients: 8, churn_per_s: 100.0, ..plan() };
    let door = Door { room: Some(8), ..Door::default() };
    let measured = run_before(&plan, server_with(|_, line| vec![line.to_vec()], door));
    let returns = &measured.returns;
    assert_eq!((returns.left, returns.failed), (50, 50));
    assert!(returns.why.as_ref().unwrap().contains("refused"), "{returns:?}");
    assert_eq!(measured.accepted, LINES);
}

#[test]
fn refusals_are_repeated_and_are_none_of_the_four() {
    let measured = run(|number, line| {
        let refusal = if number < 7 { vec![b"* FAIL ROOM FULL :no".to_vec()] } else { vec![] };
        [refusal, vec![line.to_vec()]].concat()
    });
    assert_eq!(measured.counts, Counts { delivered: LINES * RECEIVERS, ..Counts::default() });
    assert_eq!(measured.complaints.0, vec!["* FAIL ROOM FULL :no"; 5]);
    assert_eq!(measured.complaints.1, 7 * RECEIVERS);
}

#[test]
fn a_closed_loop_goes_on_behind_a_line_that_was_lost() {
    // Of four lines under way, one never comes: the loop of three goes on, and the fourth is taken for lost.
    let plan = Plan { pace: Pace::Window(4), ..plan() };
    let measured = run_plan(&plan, |number, line| if number == 2 { vec![] } else { vec![line.to_vec()] });
    assert!(measured.accepted > 10, "{}", measured.accepted);
    assert_eq!((measured.counts.lost, measured.counts.doubled), (RECEIVERS, 0));
}

#[test]
fn a_closed_loop_has_never_more_under_way_than_its_window_however_often_it_begins_anew() {
    // One listener: whoever hears a line is everybody who is to.
    let plan = Plan { clients: 2, pace: Pace::Window(3), ..plan() };
    let address = server(|_, line| vec![line.to_vec()]);
    let target =
        Target { address, pid: None, name: String::new(), is_fresh: false, trust: None, login: None };
    let stop = AtomicBool::new(false);
    let mut stage = Stage::open(&plan, &target, Settings::default(), &stop, &mut |_| ()).unwrap();
    let mut most = 0;
    for _ in 0..5 {
        let mut watcher = |swarm: &Swarm| most = most.max(swarm.tally().flights().under_way());
        stage.measure(Duration::from_millis(30), &stop, &mut watcher).unwrap();
    }
    assert_eq!(most, 3);
    assert!(stage.measured().counts.is_clean());
}

#[test]
fn whoever_never_reads_is_not_waited_for_and_loses_nothing() {
    let plan = Plan { clients: 6, slow: 2, ..plan() };
    let measured = run_plan(&plan, |_, line| vec![line.to_vec()]);
    assert_eq!(measured.counts, Counts { delivered: LINES * 3, ..Counts::default() });
    assert_eq!(measured.expected, LINES * 3);
    assert_eq!(measured.latency.last.len(), LINES);
}

#[test]
fn whoever_leaves_and_comes_back_loses_nothing_while_it_is_there() {
    let plan = Plan { clients: 8, churn_per_s: 100.0, ..plan() };
    let measured = run_plan(&plan, |_, line| vec![line.to_vec()]);
    assert!(measured.counts.is_clean(), "{:?}", measured.counts);
    assert!(measured.connect_us.len() > 40, "{}", measured.connect_us.len());
    // However many hear a line that all who stay have already, they are timed.
    assert_eq!(measured.beyond_horizon, 0);
    assert_eq!(measured.latency.service.len(), measured.latency.each.len());
    // Four listeners of seven stay.
    assert!(measured.counts.delivered >= LINES * 4);
}

/// What a simulated server does to latency: when a line that was sent then is heard.
type Delay = fn(u64) -> u64;

/// A second at 1,000 lines a second, by a clock of its own: each line is sent when it is due, and heard by two when the
/// server passes it on.
fn simulated(delay: Delay) -> Measured {
    let plan = Plan { clients: 3, pace: Pace::Rate(1000.0), duration: Duration::from_secs(1), ..plan() };
    let mut tally = Tally::new(&plan, Names::new(0), 1_000_000, false).unwrap();
    tally.record(true, 0);
    let mut schedule = Schedule::new(1, 1000.0, 1_000_000);
    let mut under_way: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
    for now_us in 0..2_000_000 {
        while let Some(due) = schedule.take(now_us) {
            let mut line = Vec::new();
            tally.write(due, &mut line);
            tally.note_sent(due, now_us);
            under_way.push_back((delay(now_us), line));
        }
        while under_way.front().is_some_and(|(heard_us, _)| *heard_us <= now_us) {
            let (_, line) = under_way.pop_front().unwrap();
            for receiver in [1, 2] {
                assert_eq!(tally.hear(receiver, &line, now_us).bytes, line.len());
            }
        }
    }
    tally.record(false, 2_000_000);
    let mut measured = Measured::new().unwrap();
    measured.counts = tally.counts();
    measured.latency = tally.flights().latency().clone();
    measured
}

#[test]
fn lines_that_no_socket_has_wholly_taken_are_not_accepted_and_cannot_be_lost() {
    let mut tally = Tally::new(&plan(), Names::new(0), 1_000_000, false).unwrap();
    let mut schedule = Schedule::new(1, 1000.0, 10_000);
    for _ in 0..10 {
        tally.note_sent(schedule.take(10_000).unwrap(), 10_000);
    }
    tally.note_waiting(0, 4);
    assert_eq!((tally.accepted(), tally.expected()), (6, 6 * RECEIVERS));
    assert_eq!(tally.counts().lost, 6 * RECEIVERS);
    tally.note_waiting(0, 0);
    assert_eq!((tally.accepted(), tally.counts().lost), (10, 10 * RECEIVERS));
}

#[test]
fn a_delay_is_told_as_it_is() {
    let measured = simulated(|sent_us| sent_us + 5_000);
    assert_eq!(measured.counts, Counts { delivered: 2_000, ..Counts::default() });
    for latency in [&measured.latency.first, &measured.latency.each, &measured.latency.last] {
        assert_eq!((latency.value_at_quantile(0.5), latency.value_at_quantile(0.9999)), (5_003, 5_003));
    }
}

#[test]
fn what_was_given_up_is_lost_where_lines_still_come_until_it_comes_after_all() {
    let plan = Plan { clients: 3, ..plan() };
    let mut tally = Tally::new(&plan, Names::new(0), 1_000_000, false).unwrap();
    tally.record(true, 0);
    let mut late = Vec::new();
    for sequence in 0..10 {
        let due = Due { sender: 0, sequence, due_us: u64::from(sequence) };
        let mut line = Vec::new();
        tally.write(due, &mut line);
        tally.note_sent(due, due.due_us);
        tally.hear(1, &line, 1_000);
        late.extend(line);
    }
    tally.tick(2_000_000);
    assert_eq!(tally.counts_given_up(), Counts { delivered: 10, ..Counts::default() });
    tally.tick(61_000_000);
    assert_eq!(tally.flights().under_way(), 0);
    assert_eq!(tally.counts_given_up(), Counts { delivered: 10, lost: 10, ..Counts::default() });
    tally.hear(2, &late, 62_000_000);
    assert_eq!(tally.counts_given_up(), Counts { delivered: 20, ..Counts::default() });
}

#[test]
fn a_stall_of_300_ms_shows_in_the_p99_of_the_open_loop() {
    // Whoever counted from when the server took the next line would see one slow line of a thousand.
    let stall = |sent_us: u64| if (500_000..800_000).contains(&sent_us) { 800_000 } else { sent_us + 100 };
    let latency = simulated(stall).latency;
    assert_eq!(latency.each.value_at_quantile(0.5), 100);
    let p99_us = latency.each.value_at_quantile(0.99);
    assert!((289_000..=301_000).contains(&p99_us), "{p99_us}");
    assert_eq!(latency.each.max(), latency.each.highest_equivalent(300_000));
    // 300 of 1,000 lines were due meanwhile, one each millisecond.
    assert!((699..=701).contains(&(latency.each.count_between(0, 200) / 2)));
}

/// What a program in Python is seen to have used once it has printed something.
fn used_by(code: &str) -> process::Usage {
    let mut child = Command::new("python3")
        .args(["-c", code])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 4]).unwrap();
    let usage = process::usage(child.id()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    usage
}

#[test]
fn a_process_that_burns_a_known_time_is_told_to_have() {
    // To ask for the time costs time in the kernel: it asks seldom.
    let usage = used_by(
        "import sys, time\nwhile time.process_time() < 0.3: sum(range(20000))\n\
        print(time.process_time(), flush=True)\nsys.stdin.read()",
    );
    // It counts its own start; printing costs it a little.
    assert!((295_000_000..400_000_000).contains(&usage.cpu_ns), "{usage:?}");
    let user_ns = usage.exact_user_ns();
    assert!(user_ns > 200_000_000.0 && user_ns <= usage.cpu_ns as f64, "{usage:?}");
}

#[test]
fn a_server_of_which_every_thread_that_works_ends_is_told_to_have_worked() {
    let usage = used_by(
        "import sys, threading, time\ndef work():\n  while time.thread_time() < 0.1: sum(range(20000))\n\
        for _ in range(3): one = threading.Thread(target=work); one.start(); one.join()\n\
        print('over', flush=True)\nsys.stdin.read()",
    );
    assert!((300_000_000..500_000_000).contains(&usage.cpu_ns), "{usage:?}");
}
