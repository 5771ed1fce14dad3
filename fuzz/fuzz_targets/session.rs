//! Whatever a relay sends, cut anywhere: a session holds no more than its bounds, comes to rest, writes only whole lines of
//! its own grammar, and what it saves it restores.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tertulia_wire::command::{Command, CommandError};
use tertulia_wire::extended::Labeled;
use tertulia_wire::limits::LABELS_KEPT;
use tertulia_wire::session::{Action, Config, Say, Session};

const HELLO: &[u8] =
    b"* HELLO v=1 name=Ana token=T sid=7 line=16384 burst=20 rate=5\n* JOINED room=general last=10\n";

fn check_written(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        match line.strip_prefix('/') {
            // A room whose name holds `=` cannot be named by a command; the relay says so.
            Some(command) => assert!(!matches!(Command::parse(command), Err(CommandError::Unknown { .. }))),
            None => drop(Labeled::parse(line).expect("a labeled line")),
        }
    }
}

fuzz_target!(|actions: Vec<(u8, u8, &[u8])>| {
    let config = || Config::new("relay.example:2000", "Ana", &["general"], 1);
    let mut session = Session::new(config());
    let mut now = Duration::ZERO;
    for (what, amount, bytes) in actions {
        match what % 8 {
            0 => now += Duration::from_secs(u64::from(amount)),
            1 => session.handle_disconnected(now),
            2 => session.handle_bytes(HELLO, now),
            3 => {
                let text = String::from_utf8_lossy(bytes);
                let _ = session.say(&Say { room: "general", text: &text, ..Say::default() });
            }
            _ => bytes.chunks(usize::from(amount) + 1).for_each(|piece| session.handle_bytes(piece, now)),
        }
        session.handle_time(now);
        while let Some(action) = session.poll_action() {
            if action == Action::Connect {
                session.handle_connected(now);
            }
        }
        while let Some(bytes) = session.poll_transmit() {
            check_written(&bytes);
        }
        while session.poll_event().is_some() {}
        assert!(session.unanswered() <= LABELS_KEPT);
        let saved = session.saved();
        let again = Session::restore(config(), &saved).expect("what was saved");
        assert_eq!(again.unanswered(), session.unanswered());
    }
});
