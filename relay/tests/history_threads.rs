//! A thread of the history that ends while the relay runs, whatever ended it: nobody is promised anything any more, and
//! nobody waits.

#![cfg(all(feature = "history", feature = "sabotage"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "every test file uses a part of it")]
#[path = "support/extended.rs"]
mod extended;
#[path = "support/mod.rs"]
mod support;

use extended::{Speaker, in_file};
use support::Folder;
use tertulia_relay::history::DEADLY_WORDS;

#[test]
fn without_its_writer_a_relay_says_so_and_acknowledges_nothing_more() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let mut ana = Speaker::greet(relay.address(), "Ana");
    ana.say("1", "antes");
    ana.acknowledged("1");
    ana.say("2", DEADLY_WORDS);
    ana.wait_for("* NOTE HISTORY TROUBLE ");
    ana.wait_for("* NOTE SAY NOT_KEPT label=2 ");
    ana.say("3", "después");
    ana.wait_for("* NOTE SAY NOT_KEPT label=3 ");
    // Who is there goes on, who comes is greeted, and what is there can be read.
    let mut luis = Speaker::greet(relay.address(), "Luis");
    luis.say("1", "hola");
    luis.wait_for("* NOTE SAY NOT_KEPT label=1 ");
    luis.client.send("/history after=0 label=h");
    assert!(luis.wait_for("@label=h;").ends_with(" Ana: antes"));
    luis.wait_for("* END HISTORY room=general more=0 label=h");
    assert_eq!((ana.count("* ACK"), ana.count("* NOTE HISTORY")), (0, 0), "nothing more of it");
    let said = relay.stop();
    assert!(said.iter().any(|line| line.starts_with("not kept: the thread that writes")), "{said:?}");
    assert_eq!(in_file(&folder.file()).len(), 1);
}

#[test]
fn without_its_reader_a_relay_refuses_questions_and_keeps_what_is_said() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let mut ana = Speaker::greet(relay.address(), "Ana");
    ana.client.send(&format!("/search label=s {DEADLY_WORDS}"));
    let heard = [ana.client.next_line(), ana.client.next_line()];
    assert!(heard.iter().any(|line| line.starts_with("* FAIL SEARCH UNREADABLE label=s ")), "{heard:?}");
    assert!(heard.iter().any(|line| line.starts_with("* NOTE HISTORY TROUBLE ")), "{heard:?}");
    ana.client.send("/history label=h");
    let line = ana.client.next_line();
    assert!(line.starts_with("* FAIL HISTORY UNREADABLE label=h "), "{line}");
    ana.say("1", "hola");
    ana.acknowledged("1");
    relay.stop();
    assert_eq!(in_file(&folder.file()).len(), 1);
}
