//! What opens an account, and what does no more.

use tertulia_relay::account::{AccountsKept, Verdict};
use tertulia_relay::batch::Durability;
use tertulia_relay::chat::Answer;
use tertulia_wire::secret::Secret;

use crate::core::{FAR, NEAR, ask, ask_all, begun, begun_with, connect, expect, row};
use crate::support::core::Core;

fn token_in(lines: &[String], start: &str) -> String {
    let line = lines.iter().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{lines:?}"));
    line.split(' ').find_map(|word| word.strip_prefix("token=")).unwrap().to_owned()
}

/// A guest's session that began where others can read its token, and goes on where nobody can.
fn guest_with_a_token_that_was_read(core: &mut Core) -> String {
    connect(core, 1, FAR, false);
    core.send(1, "/hello v=1 name=Eva");
    let token = token_in(&core.heard(1), "* HELLO ");
    connect(core, 2, FAR, true);
    core.send(2, &format!("/hello v=1 name=Eva resume={token}"));
    assert_eq!(token_in(&core.heard(2), "* HELLO "), token);
    token
}

#[test]
fn a_token_from_before_a_log_in_opens_nothing_of_the_account() {
    for (line, name) in
        [("/login label=e Ana Ana-password", "Ana"), ("/register label=e Eva una clave", "Eva")]
    {
        let mut core = begun();
        let read = guest_with_a_token_that_was_read(&mut core);
        let told = ask_all(&mut core, 2, line);
        let own = token_in(&told, "* NOTE HELLO TOKEN ");
        assert!(told[0].contains(" label=e :") && told[1].contains(" DONE ") && own != read, "{told:?}");
        connect(&mut core, 3, "203.0.113.9", true);
        let resume = |token: &str| format!("/hello v=1 name={name} resume={token}");
        expect(&mut core, 3, &resume(&read), &format!("* FAIL HELLO NAME_REGISTERED {name} :"));
        core.send(2, "@label=1 hola");
        assert!(core.heard(2).iter().any(|line| line.starts_with("* ACK label=1 ")));
        connect(&mut core, 4, "203.0.113.9", true);
        core.send(4, &resume(&own));
        let told = core.heard(4);
        assert_eq!(token_in(&told, "* HELLO "), own);
        // It is the session from before: what it has said is known.
        core.send(4, "@label=1 hola");
        assert!(core.heard(4).iter().any(|line| line.starts_with("* ACK label=1 ")));
    }
}

#[test]
fn a_token_for_a_log_in_is_given_once_it_is_kept_and_at_once_while_nothing_can_be() {
    let mut core = begun_with(Durability::Commit);
    connect(&mut core, 1, FAR, true);
    core.send(1, "/hello v=1 name=Eva");
    core.keep_all();
    let read = token_in(&core.heard(1), "* HELLO ");
    assert_eq!(ask_all(&mut core, 1, "/login Ana Ana-password"), [""; 0]);
    let works = core.keep_all();
    let session = &works.iter().rev().find_map(|work| work.sessions.last()).unwrap();
    assert_eq!(session.account, Some(1));
    let told = core.heard(1);
    assert_ne!(token_in(&told, "* NOTE HELLO TOKEN "), read);
    connect(&mut core, 2, FAR, true);
    core.send(2, "/hello v=1 name=Luis");
    core.keep_all();
    core.heard(2);
    assert_eq!(ask_all(&mut core, 2, "/login Ana Ana-password"), [""; 0]);
    let now = core.now();
    core.chat.handle_history_trouble(true, now);
    core.turn();
    let told = core.heard(2);
    assert!(told.iter().any(|line| line.starts_with("* NOTE LOGIN DONE name=Ana ")), "{told:?}");
}

#[test]
fn a_log_in_to_an_account_that_is_another_ones_by_the_time_its_password_was_looked_at_is_looked_at_anew() {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    core.send(1, "/login Ana Ana-password");
    core.answer_with(|_| Answer::Accounts(None));
    let first = core.chat.poll_password().unwrap();
    core.chat.look_at_accounts();
    // As if two hashes could be the same: the number is another one.
    core.answer_with(|_| {
        let accounts = vec![row(9, "Ana")];
        Answer::Accounts(Some(Box::new(AccountsKept { version: 1, accounts, ..AccountsKept::default() })))
    });
    let now = core.now();
    let hash = Some(Secret("Ana-password hashed anew".to_owned()));
    core.chat.handle_verdict(first.ticket, Verdict { is_right: true, hash, ..Verdict::default() }, now);
    core.turn();
    assert_eq!(core.heard(1), [""; 0]);
    assert!(core.chat.poll_password().is_some());
    assert!(core.keep_all().iter().all(|work| work.changes.is_empty()));
}

#[test]
fn who_goes_before_its_log_in_is_kept_leaves_nothing_for_the_next_one() {
    let mut core = begun_with(Durability::Commit);
    connect(&mut core, 1, FAR, true);
    core.send(1, "/hello v=1 name=Eva");
    core.keep_all();
    core.heard(1);
    assert_eq!(ask(&mut core, 1, "/login Ana Ana-password"), "");
    core.gone(1);
    connect(&mut core, 1, FAR, true);
    core.send(1, "/ping otra");
    core.keep_all();
    assert_eq!(core.heard(1), ["* PONG otra"]);
}
