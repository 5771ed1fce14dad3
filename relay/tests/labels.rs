//! Labels of lines and commands, and what an extended connection is told where it made a mistake. The core alone.

#![cfg(feature = "history")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::core::Core;
use tertulia_relay::batch::{Batch, Durability, Kept, Key, Work};
use tertulia_relay::chat::{ClientId, Remembered, Wanted};

const ANA: u32 = 1;
const LUIS: u32 = 2;
const EVA: u32 = 3;

/// Ana in extended mode and Luis not.
fn ana_and_luis(mut core: Core) -> Core {
    core.connect(ANA);
    core.send(ANA, "/hello v=1 name=Ana");
    core.keep_all();
    core.connect(LUIS);
    core.send(LUIS, "Luis se ha unido al chat.");
    core.heard(ANA);
    core
}

fn keeping() -> Core {
    let begun = Remembered { id_ceiling: u64::MAX, sid_ceiling: 1000, ..Remembered::default() };
    ana_and_luis(Core::keeping(Durability::Commit, begun))
}

/// What the connection is told, without the sentences for people.
fn words(core: &mut Core, client: u32) -> Vec<String> {
    core.heard(client).iter().map(|line| line.split(" :").next().unwrap().to_owned()).collect()
}

#[test]
fn the_label_of_a_command_is_no_word_of_it() {
    let mut core = ana_and_luis(Core::new(None));
    core.send(ANA, "/msg label=3 Luis hola label=x");
    core.send(ANA, "/ping label=x uno  dos");
    core.send(ANA, "/nick label=9 Lola");
    core.send(ANA, "/nick Ana María label=9");
    let told = [
        "* PONG uno  dos label=x",
        "* NOTE NICK RENAMED Lola label=9",
        "* NOTE NICK RENAMED Ana\\sMaría label=9",
    ];
    assert_eq!(words(&mut core, ANA), told);
    assert_eq!(core.heard(LUIS)[0], "* PRIVATE Ana :hola label=x");
    core.send(LUIS, "/ping label=x uno");
    assert_eq!(core.heard(LUIS).last().unwrap(), "* PONG label=x uno");
}

#[test]
fn what_is_looked_for_is_what_stands_beside_the_label() {
    let mut core = keeping();
    for line in ["/search hola label=z", "/search label=z hola"] {
        core.send(ANA, line);
        let mut asked = Vec::new();
        core.answer_all(|wanted| {
            asked.push(wanted.clone());
            Batch::default()
        });
        assert!(matches!(&asked[..], [Wanted::Search { words, .. }] if words == "hola"), "{asked:?}");
        assert_eq!(words(&mut core, ANA), ["* END SEARCH room=general more=0 label=z"]);
    }
}

#[test]
fn a_repeat_may_name_the_room_or_leave_it_out_and_another_room_is_another_line() {
    let mut core = ana_and_luis(Core::new(None));
    core.send(ANA, "@label=1 uno");
    core.send(ANA, "@label=2;room=General dos");
    let first = core.heard(ANA);
    assert_eq!(core.heard(LUIS), ["Ana: uno", "Ana: dos"]);
    core.send(ANA, "@label=1;room=general uno");
    core.send(ANA, "@label=2 dos");
    assert_eq!(core.heard(ANA), first);
    core.send(ANA, "/join cocina");
    core.heard(ANA);
    core.send(ANA, "@label=1 uno");
    core.send(ANA, "@label=2;room=GENERAL dos");
    assert_eq!(core.heard(ANA), first);
    core.send(ANA, "@label=1;room=cocina uno");
    core.send(ANA, "@label=2;room=general tres");
    let reused = ["* FAIL SAY LABEL_REUSED label=1", "* FAIL SAY LABEL_REUSED label=2"];
    assert_eq!(words(&mut core, ANA), reused);
    assert_eq!(core.heard(LUIS), [""; 0]);
}

#[test]
fn a_line_that_cannot_be_read_is_refused_under_its_label() {
    let mut core = ana_and_luis(Core::new(None));
    let now = core.now();
    let send = |core: &mut Core, bytes: &[u8]| {
        core.chat.handle_bytes(ClientId(ANA), bytes, now);
        core.turn();
    };
    send(&mut core, b"@label=7;room=general a\xff\n");
    send(&mut core, format!("@room=general;label=8 {}\n", "a".repeat(17_000)).as_bytes());
    // The same in pieces, and what comes without a label.
    send(&mut core, b"@label=9 ");
    send(&mut core, "a".repeat(17_000).as_bytes());
    send(&mut core, b"\na\xff\n");
    let told = [
        "* FAIL SAY NOT_UTF8 label=7",
        "* FAIL SAY LINE_TOO_LONG 16384 label=8",
        "* FAIL SAY LINE_TOO_LONG 16384 label=9",
        "* FAIL SAY NOT_UTF8",
    ];
    assert_eq!(words(&mut core, ANA), told);
    core.chat.handle_bytes(ClientId(LUIS), b"@label=7 a\xff\n", now);
    core.turn();
    assert_eq!(words(&mut core, LUIS).last().unwrap(), "* FAIL SAY NOT_UTF8");
}

#[test]
fn a_reply_to_an_id_that_no_line_can_have_is_refused() {
    let mut core = ana_and_luis(Core::new(None));
    core.send(ANA, &format!("@label=1;reply={} hola", i64::MAX as u64 + 1));
    assert_eq!(words(&mut core, ANA), ["* FAIL SAY TAG_INVALID reply label=1"]);
    core.send(ANA, &format!("@label=1;reply={} hola", i64::MAX));
    assert!(words(&mut core, ANA)[0].starts_with("* ACK label=1 "));
}

#[test]
fn a_name_of_which_only_a_part_would_be_taken_is_refused() {
    let mut core = ana_and_luis(Core::new(None));
    core.send(ANA, "/nick Ana - Bot");
    assert_eq!(words(&mut core, ANA), ["* FAIL NICK NAME_INVALID"]);
    core.connect(EVA);
    core.send(EVA, "/hello v=1 name=Eva - Bot");
    assert_eq!(words(&mut core, EVA), ["* FAIL HELLO STRAY_WORD -"]);
    core.send(EVA, "/hello v=1 name=Eva  label=x");
    assert!(words(&mut core, EVA)[0].starts_with("* HELLO v=1 name=Eva "));
    // A plain connection is called so.
    core.send(LUIS, "/nick Luis - Bot");
    assert_eq!(words(&mut core, LUIS).last().unwrap(), "* NOTE NICK RENAMED Luis\\s-\\sBot");
}

#[test]
fn nobody_is_advised_what_would_be_refused() {
    let mut core = ana_and_luis(Core::new(None));
    core.heard(LUIS);
    for client in [ANA, LUIS] {
        core.send(client, "/baila");
        let told = core.heard(client).remove(0);
        assert_eq!(
            (told.contains("//"), told.contains("@label=")),
            (client == LUIS, client == ANA),
            "{told}"
        );
    }
}

#[test]
fn lines_with_tags_are_kept_only_while_somebody_hears_them_or_may_come_back_for_them() {
    let mut core = Core::new(None);
    core.connect(EVA);
    core.connect(LUIS);
    core.send(LUIS, "Luis se ha unido al chat.");
    let say = |core: &mut Core| {
        let before = core.chat.log_bytes();
        core.send(LUIS, "hola");
        core.chat.log_bytes() - before
    };
    let plain = say(&mut core);
    assert_eq!(plain, "Luis: hola\n".len());
    core.connect(ANA);
    core.send(ANA, "/hello v=1 name=Ana");
    assert!(say(&mut core) > 2 * plain);
    core.gone(ANA);
    assert!(say(&mut core) > 2 * plain, "she may come back");
    core.pass(11.0);
    assert_eq!(say(&mut core), plain);
    // Nor is anything left of what stood there: only what a plain listener has heard.
    let heard: usize = core.heard(EVA).iter().map(|line| line.len() + 1).sum();
    assert_eq!(core.chat.log_bytes(), heard);
}

/// Lines of Ana and Eva, so many each; more than their labels find place in memory.
fn crowded(core: &mut Core) -> Vec<Work> {
    core.connect(EVA);
    core.send(EVA, "/hello v=1 name=Eva");
    let mut works = core.keep_all();
    for client in [ANA, EVA] {
        for label in 0..700 {
            core.send(client, &format!("@label={label} hola"));
        }
        works.extend(core.keep_all());
    }
    for client in [ANA, LUIS, EVA] {
        core.heard(client);
    }
    works
}

/// What the history says of a session.
fn labels_of(works: &[Work], sid: u64) -> Batch {
    let mut batch = Batch::default();
    let lines = works.iter().flat_map(|work| work.lines.iter());
    let own = |line: &Kept<'_>| line.key.is_some_and(|Key { sid: of, .. }| of == sid);
    lines.filter(own).for_each(|line| batch.push(line));
    batch
}

#[test]
fn whose_labels_have_left_the_memory_says_new_lines_at_once_and_repeats_are_looked_up() {
    let mut core = keeping();
    let works = crowded(&mut core);
    core.send(ANA, "@label=700 nueva");
    assert_eq!(core.heard(LUIS), ["Ana: nueva"]);
    assert!(core.chat.poll_question().is_none());
    core.keep_all();
    core.heard(ANA);
    let now = core.now();
    core.chat.handle_bytes(ClientId(ANA), b"@label=701 a\n@label=5 hola\n@label=702 b\n@label=70", now);
    core.turn();
    core.keep_all();
    assert_eq!(core.heard(LUIS), ["Ana: a"]);
    assert!(!core.chat.wants_read(ClientId(ANA)));
    core.answer_all(|wanted| {
        let newest = labels_of(&works, 1).iter().last().unwrap().id;
        assert!(matches!(wanted, Wanted::Labels(1, to) if *to >= newest), "{wanted:?}");
        labels_of(&works, 1)
    });
    core.send(ANA, "3 c");
    core.keep_all();
    assert_eq!(core.heard(LUIS), ["Ana: b", "Ana: c"]);
    let told = words(&mut core, ANA);
    let labels: Vec<&str> = told.iter().map(|line| line.split(' ').nth(2).unwrap()).collect();
    assert_eq!(labels, ["label=701", "label=5", "label=702", "label=703"]);
    let first = labels_of(&works, 1).iter().find(|line| line.key.unwrap().label == "5").unwrap().id;
    assert!(told[1].contains(&format!(" id={first} ")), "{told:?}");
    // What was said meanwhile is known, too.
    core.send(ANA, "@label=701 otra");
    assert_eq!(words(&mut core, ANA), ["* FAIL SAY LABEL_REUSED label=701"]);
}
