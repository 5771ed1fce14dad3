//! What a connection hears that has sent all it will, and what becomes of those who speak faster than the disk takes it. The
//! core alone, with a history that answers when it is told to.

#![cfg(feature = "history")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::core::Core;
use tertulia_relay::batch::{Batch, Durability};
use tertulia_relay::chat::{ClientId, LAST_ANSWERS_AFTER, Remembered, UNKEPT_BYTES_MAX};

const ANA: u32 = 1;
const LUIS: u32 = 2;

fn keeping() -> Core {
    let begun = Remembered { id_ceiling: u64::MAX, sid_ceiling: 1000, ..Remembered::default() };
    Core::keeping(Durability::Commit, begun)
}

/// Sends all that it will, without a last ending.
fn send_all(core: &mut Core, client: u32, bytes: &str) {
    let now = core.now();
    core.connect(client);
    core.chat.handle_bytes(ClientId(client), bytes.as_bytes(), now);
    core.chat.handle_end_of_input(ClientId(client), now);
    core.turn();
}

#[test]
fn a_question_that_is_the_last_line_is_answered_before_the_connection_ends() {
    for (question, end) in [
        ("/history 5", "* END HISTORY "),
        ("/search uno", "* END SEARCH "),
        ("x\n/historial\n", "* END HISTORY "),
    ] {
        let mut core = keeping();
        send_all(&mut core, ANA, question);
        assert_eq!(core.closed, [0; 0], "{question}");
        core.answer_all(|_| Batch::default());
        let heard = core.heard(ANA);
        assert!(heard.last().unwrap().starts_with(end), "{heard:?}");
        assert_eq!(core.closed, [ANA]);
    }
}

#[test]
fn what_was_said_before_the_end_is_acknowledged_before_the_connection_ends() {
    let mut core = keeping();
    send_all(&mut core, ANA, "/hello v=1 name=Ana\n@label=q1 x\n@label=q2 y\n@label=q3 z");
    core.keep_all();
    assert_eq!(core.closed, [0; 0]);
    core.keep_all();
    let heard = core.heard(ANA);
    let token = heard[0].split("token=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let acks = |heard: &[String]| heard.iter().filter(|line| line.starts_with("* ACK ")).count();
    assert_eq!((acks(&heard), core.closed.clone()), (2, vec![ANA]));
    // The same where the session comes back, and nothing but the end tells that these are lines.
    send_all(&mut core, LUIS, &format!("/hello v=1 resume={token}\n@label=q4 x\n@label=q5 y"));
    assert_eq!(core.closed, [ANA]);
    core.keep_all();
    let heard = core.heard(LUIS);
    assert_eq!((acks(&heard), core.closed.clone()), (1, vec![ANA, LUIS]), "{heard:?}");
}

#[test]
fn who_has_sent_all_does_not_wait_for_ever() {
    let mut core = keeping();
    send_all(&mut core, ANA, "/history 5");
    core.pass(LAST_ANSWERS_AFTER.as_secs_f64() - 1.0);
    assert_eq!(core.closed, [0; 0]);
    core.pass(2.0);
    assert_eq!(core.closed, [ANA]);
}

/// Ana in extended mode, who says long lines until she is not read.
fn pressed() -> (Core, usize) {
    let mut core = keeping();
    core.connect(LUIS);
    core.send(LUIS, "Luis se ha unido al chat.");
    core.connect(ANA);
    core.send(ANA, "/hello v=1 name=Ana");
    core.keep_all();
    core.heard(ANA);
    core.heard(LUIS);
    let mut lines = 0;
    while core.chat.wants_read(ClientId(ANA)) {
        lines += 1;
        core.send(ANA, &format!("@label={lines} {}", "a".repeat(16_000)));
        assert!(lines <= UNKEPT_BYTES_MAX / 16_000, "she is read on and on");
    }
    assert_eq!(core.heard(LUIS).len(), lines);
    (core, lines)
}

#[test]
fn who_speaks_faster_than_the_disk_is_read_again_once_enough_is_kept() {
    let (mut core, lines) = pressed();
    assert!(core.chat.wants_read(ClientId(LUIS)));
    // What was read already waits.
    core.send(ANA, "@label=una más");
    core.send(ANA, "@label=otra más");
    assert_eq!(core.heard(LUIS), [""; 0]);
    let third = core.works.len() / 3;
    core.chat.handle_kept(core.works[third].number, core.now());
    core.turn();
    assert!(!core.chat.wants_read(ClientId(ANA)));
    core.keep_all();
    assert!(core.chat.wants_read(ClientId(ANA)));
    assert_eq!(core.heard(LUIS), ["Ana: más", "Ana: más"]);
    core.keep_all();
    let heard = core.heard(ANA);
    assert_eq!(heard.iter().filter(|line| line.starts_with("* ACK ")).count(), lines + 2);
}

#[test]
fn where_nothing_can_be_kept_nobody_is_held_up() {
    let (mut core, _) = pressed();
    core.chat.handle_history_trouble(true, core.now());
    core.turn();
    assert!(core.chat.wants_read(ClientId(ANA)));
    core.send(ANA, &format!("@label=una {}", "a".repeat(16_000)));
    assert!(core.chat.wants_read(ClientId(ANA)));
    assert_eq!(core.heard(LUIS).len(), 2);
    // And once it can again, only until too much waits.
    core.chat.handle_history_trouble(false, core.now());
    core.send(ANA, "@label=otra a");
    assert!(!core.chat.wants_read(ClientId(ANA)));
}

#[test]
fn lines_that_will_never_be_kept_hold_nobody_up() {
    let (mut core, _) = pressed();
    for number in core.works.iter().map(|work| work.number).collect::<Vec<_>>() {
        core.chat.handle_lost(number, core.now());
    }
    core.turn();
    assert!(core.chat.wants_read(ClientId(ANA)));
}
