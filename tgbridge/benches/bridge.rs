//! What a bridge costs: memory after many messages in both directions, and time of each. The core with its
//! state text, as the shell drives it; the resident size is that of this program, which holds all of the bridge's code.
//!
//! `make bench-tgbridge`; `BRIDGE_MESSAGES=n` for another number than a million.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a bench")]

use std::time::{Duration, Instant};

use serde_json::json;
use tertulia_tgbridge::bridge::{
    Backlog, Bridge, InDoubt, LinkSettings, Naming, Notices, Now, Output, PaceSettings, Saved, Settings,
};
use tertulia_tgbridge::phrases::Language;
use tertulia_tgbridge::telegram::types::updates;
use tertulia_wire::session::Line;

const RESIDENT_KIB_MAX: u64 = 12 * 1024;

fn settings(pace: PaceSettings) -> Settings {
    Settings {
        name: "Telegram".to_owned(),
        bot_id: 1,
        language: Language::Es,
        links: vec![LinkSettings { chat: -5, thread: None, room: "r".to_owned() }],
        naming: Naming::Full,
        tells_edits: true,
        hears_bots: false,
        hears_bridges: false,
        notices: Notices::Off,
        backlog: Backlog::Replay,
        in_doubt: InDoubt::Resend,
        pace,
        poll_timeout: Duration::from_secs(50),
        takes_over: false,
        started_unix_ms: 1,
        seed: 5,
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn main() {
    let count: u64 = std::env::var("BRIDGE_MESSAGES").map_or(1_000_000, |text| text.parse().unwrap());
    let free = PaceSettings { interval: Duration::ZERO, per_minute: 0 };
    let mut bridge = Bridge::new(settings(free), Saved::default());
    let now = Now { at: Duration::ZERO, unix_ms: 1 };
    bridge.handle_relay_ready(now);
    bridge.handle_fetched(0, false, now);
    let started = Instant::now();
    let (mut said, mut sent) = (0_u64, 0_u64);
    for number in 0..count / 2 {
        let text = format!("mensaje número {number}, de unas cuantas palabras");
        bridge.handle_line(&line(number + 1, &text), now);
        let mut update = json!([{"update_id": number + 1, "message": {"message_id": number, "date": 1, "chat": {"id": -5},
            "from": {"id": 7, "first_name": "Ana"}, "text": text}}]);
        bridge.handle_updates(Ok(updates(&mut update)), now);
        while let Some(output) = bridge.poll_output() {
            match output {
                Output::Say(line) => {
                    said += 1;
                    bridge.handle_acknowledged(&line.label, number + 1, now);
                }
                Output::Send(message) => {
                    sent += 1;
                    bridge.handle_sent(message.target, Ok(i64::try_from(number).unwrap()), now);
                }
                _ => {}
            }
        }
        if number % 1000 == 0 {
            std::hint::black_box(bridge.saved().to_text());
        }
    }
    let each = started.elapsed() / u32::try_from(count).unwrap();
    let kib = resident_kib();
    println!("{count} messages: {said} said, {sent} sent, {each:?} each, {kib} KiB resident");
    println!("state file: {} bytes", bridge.saved().to_text().len());
    assert!(said + sent >= count - 2, "all of them crossed");
    assert!(kib <= RESIDENT_KIB_MAX, "{kib} KiB is more than {RESIDENT_KIB_MAX}");
}

fn line(id: u64, text: &str) -> Line {
    Line {
        id: Some(id),
        unix_ms: Some(1),
        room: Some("r".to_owned()),
        key: Some((3, id.to_string())),
        reply: None,
        quote: None,
        is_private: false,
        notice: None,
        name: "Luis".to_owned(),
        text: text.to_owned(),
    }
}
