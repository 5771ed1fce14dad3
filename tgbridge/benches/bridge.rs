//! What a bridge costs, as a process between a Telegram of the tests' own and a real relay: latency of single messages, how a burst
//! arrives, memory after many messages in both directions, size of the program.
//!
//! `make bench-tgbridge`; `BRIDGE_MESSAGES=n` for another number than a million in each direction.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a bench")]

#[path = "../tests/fake/mod.rs"]
mod fake;
#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use fake::Fake;
use serde_json::json;
use support::{Bridge, Client, Folder, Relay, until};

const RESIDENT_KIB_MAX: u64 = 12 * 1024;
const LATENCY_MAX: Duration = Duration::from_millis(50);
const BINARY_BYTES_MAX: u64 = 3 * 1024 * 1024;
const BURST_LINES: usize = 5000;

/// Messages that wait in the fake at once: Telegram has them all, and this program is to stay small.
const AHEAD: u64 = 1000;

/// Lines that Telegram does not have yet: more than the bridge keeps, so that it fetches the others from the history.
const BEHIND: u64 = 10_000;

/// One message goes after another in the flood at less than Telegram's own limit of thirty a second in all.
const PACE: &str = "0.034,0";

/// Parts of the flood after which it is told what it came to.
const TOLD_PERCENT: [u64; 3] = [10, 50, 100];

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// What the process has used of processors, in seconds.
fn cpu_seconds(pid: u32) -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS_PER_SECOND
}

fn latency(fake: &Fake, ana: &Client) {
    let mut times: Vec<Duration> = (0..200)
        .map(|number| {
            let text = format!("latencia {number}.");
            let started = Instant::now();
            fake.message("Luis", json!({ "text": &text }));
            until(|| ana.last().is_some_and(|line| line.ends_with(&text)).then_some(()), String::new);
            started.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "from Telegram to a client: median {:?}, 99th of 100 {:?}, longest {:?}",
        times[100], times[198], times[199]
    );
    assert!(times[100] <= LATENCY_MAX, "more than {LATENCY_MAX:?}");
}

fn burst(fake: &Fake, ana: &mut Client) {
    let lines: Vec<String> = (0..BURST_LINES).map(|number| format!("Ana: línea número {number}")).collect();
    let before = fake.sent().len();
    let started = Instant::now();
    lines.iter().for_each(|line| ana.tell(line));
    let last = &lines[BURST_LINES - 1];
    until(
        || fake.world().sent.last().is_some_and(|sent| sent.text.ends_with(last)).then_some(()),
        String::new,
    );
    let sent = &fake.sent()[before..];
    let arrived: Vec<&str> = sent.iter().flat_map(|sent| sent.text.split('\n')).collect();
    assert!(arrived.iter().eq(lines.iter()), "whole, and in order");
    let units: usize = lines.iter().map(|line| line.encode_utf16().count() + 1).sum();
    println!(
        "a burst of {BURST_LINES} lines: {} messages in {:?}; {} would hold the text, and the first went at once with {} of them",
        sent.len(),
        started.elapsed(),
        units.div_ceil(4096),
        sent[0].text.lines().count()
    );
}

/// So many messages from Telegram and so many lines to it, at once; the most memory that was seen.
fn flood(fake: &Fake, ana: &mut Client, pid: u32, count: u64) -> u64 {
    let (heard, sent) = (ana.count(), fake.world().lines_sent);
    let (started, cpu) = (Instant::now(), cpu_seconds(pid));
    let mut most = resident_kib(pid);
    println!("0 %: {most} KiB resident");
    for number in 0..count {
        let is_near = || {
            let said = u64::try_from(ana.count() - heard).unwrap();
            let told = u64::try_from(fake.world().lines_sent - sent).unwrap();
            number < said + AHEAD && number < told + BEHIND
        };
        until(|| is_near().then_some(()), || format!("message {number}"));
        fake.message("Luis", json!({"text": format!("mensaje número {number}, de unas cuantas palabras")}));
        ana.tell(&format!("Ana: línea número {number}, de unas cuantas palabras"));
        for percent in TOLD_PERCENT.iter().filter(|percent| number + 1 == count * **percent / 100) {
            if *percent == 100 {
                let all = usize::try_from(count).unwrap();
                let is_all = || ana.count() - heard >= all && fake.world().lines_sent - sent >= all;
                until(|| is_all().then_some(()), || "the rest".to_owned());
            }
            let (kib, cpu) = (resident_kib(pid), cpu_seconds(pid) - cpu);
            most = most.max(kib);
            println!("{percent} %: {kib} KiB resident, {:?}, {cpu} s of a processor", started.elapsed());
        }
    }
    most
}

fn main() {
    let count: u64 = std::env::var("BRIDGE_MESSAGES").map_or(1_000_000, |text| text.parse().unwrap());
    let (fake, folder) = (Fake::start(), Folder::new());
    let relay = Relay::start(&folder);
    let bridge = Bridge::start(&fake, &relay, &folder, &["--pace", PACE, "--poll-timeout", "50"]);
    bridge.await_ready();
    let mut ana = relay.client("Ana");
    latency(&fake, &ana);
    burst(&fake, &mut ana);
    fake.world().forgets_sent = true;
    let pid = bridge.process.pid();
    println!("{count} messages in each direction");
    let kib = flood(&fake, &mut ana, pid, count);
    let state = std::fs::metadata(folder.path("bridge.json")).unwrap().len();
    println!("state file: {state} bytes");
    assert!(kib <= RESIDENT_KIB_MAX, "{kib} KiB is more than {RESIDENT_KIB_MAX}");
    let bytes = std::fs::metadata(env!("CARGO_BIN_EXE_tertulia-tgbridge")).unwrap().len();
    println!("program: {bytes} bytes");
    // Without its optimisations the program says nothing about its size.
    assert!(cfg!(debug_assertions) || bytes <= BINARY_BYTES_MAX, "more than {BINARY_BYTES_MAX}");
}
