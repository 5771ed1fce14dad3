//! The rules on addresses and on time, in the core: there an address can be any, and time passes when it is told to.

use std::time::Duration;

use tertulia_relay::account::{AccountRow, AccountsKept, Change, Role, Sanction, Verdict};
use tertulia_relay::batch::{Batch, Durability, SessionRow};
use tertulia_relay::chat::{Answer, ClientId, Origin, Remembered, Rules, TASKS_MAX, Wanted};
use tertulia_relay::flood::Flood;
use tertulia_relay::phrases::Language;
use tertulia_wire::secret::Secret;

use crate::support::core::Core;

/// Somewhere, and on this machine.
pub(crate) const FAR: &str = "198.51.100.7";
pub(crate) const NEAR: &str = "127.0.0.1";

/// An account whose password is `NAME-password`.
pub(crate) fn row(number: u64, name: &str) -> AccountRow {
    AccountRow {
        number,
        name: name.to_owned(),
        password: Secret(format!("{name}-password")),
        role: Role::User,
        seen_unix_ms: None,
        token_epoch: 0,
    }
}

pub(crate) fn begun() -> Core {
    begun_with(Durability::None)
}

/// The same relay, started again where these sessions and bans were kept.
pub(crate) fn begun_again(sessions: Vec<SessionRow>, sanctions: Vec<Sanction>) -> Core {
    let mut remembered = remembered();
    (remembered.sessions, remembered.accounts.sanctions) = (sessions, sanctions);
    let mut core = Core::keeping(Durability::None, remembered);
    core.seconds = 100.0;
    core
}

pub(crate) fn begun_with(durability: Durability) -> Core {
    let mut core = Core::keeping(durability, remembered());
    core.seconds = 100.0;
    core
}

fn remembered() -> Remembered {
    let accounts = vec![row(1, "Ana"), AccountRow { role: Role::Operator, ..row(2, "Jefa") }];
    let accounts = AccountsKept { accounts, ..AccountsKept::default() };
    Remembered { id_ceiling: u64::MAX, sid_ceiling: 1000, accounts, ..Remembered::default() }
}

pub(crate) fn connect(core: &mut Core, client: u32, address: &str, is_private: bool) {
    let is_here = address == NEAR;
    let origin = Origin { address: address.parse().ok(), is_private, is_here, is_trusted: false };
    core.chat.handle_connect(ClientId(client), origin);
}

/// Sends a line, looks at the password if there is one, and gives the last answer.
pub(crate) fn ask(core: &mut Core, client: u32, line: &str) -> String {
    core.heard(client);
    ask_all(core, client, line).pop().unwrap_or_default()
}

/// The same with all that is heard then.
pub(crate) fn ask_all(core: &mut Core, client: u32, line: &str) -> Vec<String> {
    core.send(client, line);
    core.answer_with(|wanted| match wanted {
        Wanted::Labels(..) => Answer::Lines(Batch::default()),
        _ => Answer::Accounts(None),
    });
    while let Some(task) = core.chat.poll_password() {
        let verdict = match task.kept {
            None => Verdict { is_right: true, hash: Some(task.password), ..Verdict::default() },
            Some(kept) => Verdict { is_right: kept == Some(task.password), ..Verdict::default() },
        };
        let now = core.now();
        core.chat.handle_verdict(task.ticket, verdict, now);
        core.turn();
    }
    core.heard(client)
}

#[track_caller]
pub(crate) fn expect(core: &mut Core, client: u32, line: &str, answer: &str) {
    let heard = ask(core, client, line);
    assert!(heard.starts_with(answer), "{line}: {heard:?} instead of {answer:?}");
}

#[test]
fn a_password_is_taken_only_where_nobody_can_read_it_on_its_way() {
    let mut core = begun();
    connect(&mut core, 1, FAR, false);
    for (line, command) in [
        ("/login Ana Ana-password", "LOGIN"),
        ("/register Eva una clave", "REGISTER"),
        ("/passwd una clave", "PASSWD"),
    ] {
        expect(&mut core, 1, line, &format!("* FAIL {command} NOT_PRIVATE :"));
    }
    connect(&mut core, 2, FAR, true);
    expect(&mut core, 2, "/login Ana Ana-password", "* NOTE LOGIN DONE name=Ana role=user :");
    core.chat.set_rules(Rules { takes_plaintext: true, ..Rules::default() });
    expect(&mut core, 1, "/login Ana Ana-password", "* NOTE LOGIN DONE name=Ana role=user :");
}

#[test]
fn a_new_account_is_promised_once_it_is_kept_and_not_at_all_while_nothing_can_be() {
    let mut core = begun_with(Durability::Commit);
    connect(&mut core, 1, NEAR, true);
    assert_eq!(ask(&mut core, 1, "/register Eva una clave"), "");
    core.send(1, "/ping después");
    assert_eq!(core.heard(1), [""; 0]);
    let works = core.keep_all();
    assert!(works.iter().any(|work| work.changes.len() == 1), "{works:?}");
    let told = core.heard(1);
    assert!(
        told[0].starts_with("* NOTE REGISTER DONE name=Eva :") && told[1] == "* PONG después",
        "{told:?}"
    );
    connect(&mut core, 2, NEAR, true);
    let now = core.now();
    core.chat.handle_history_trouble(true, now);
    core.turn();
    expect(&mut core, 2, "/register Luis una clave", "* FAIL REGISTER NOT_KEPT :");
    expect(&mut core, 2, "/login Ana Ana-password", "* NOTE LOGIN DONE name=Ana");
}

#[test]
fn who_goes_before_its_account_is_kept_hears_nothing_of_it_under_the_next_ones_number() {
    let mut core = begun_with(Durability::Commit);
    connect(&mut core, 1, NEAR, true);
    assert_eq!(ask(&mut core, 1, "/register Eva una clave"), "");
    core.gone(1);
    connect(&mut core, 1, NEAR, true);
    core.send(1, "/ping otra");
    core.keep_all();
    assert_eq!(core.heard(1), ["* PONG otra"]);
    expect(&mut core, 1, "/login Eva una clave", "* NOTE LOGIN DONE name=Eva");
}

#[test]
fn a_token_of_an_account_is_honoured_only_where_a_password_is() {
    let mut core = begun();
    connect(&mut core, 1, FAR, true);
    expect(&mut core, 1, "/hello v=1 name=Ana", "* FAIL HELLO NAME_REGISTERED Ana :");
    ask(&mut core, 1, "/login Ana Ana-password");
    core.send(1, "/hello v=1 name=Ana");
    let hello = core.heard(1).into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    let token = hello.split(' ').find_map(|word| word.strip_prefix("token=")).unwrap().to_owned();
    connect(&mut core, 2, FAR, false);
    let resume = format!("/hello v=1 name=Ana resume={token}");
    expect(&mut core, 2, &resume, "* FAIL HELLO NOT_PRIVATE :");
    connect(&mut core, 3, NEAR, true);
    core.send(3, &resume);
    assert!(core.heard(3).iter().any(|line| line.starts_with("* HELLO ")));
}

#[test]
fn guesses_are_slowed_for_each_address_and_for_each_name_and_the_owner_comes_in_soon() {
    let mut core = begun();
    connect(&mut core, 1, FAR, true);
    let mut looked_at = 0;
    for number in 0..10_000 {
        core.pass(0.01);
        let answer = ask(&mut core, 1, &format!("/login Ana guess-{number}"));
        looked_at += usize::from(answer.starts_with("* FAIL LOGIN REFUSED"));
        assert!(answer.starts_with("* FAIL LOGIN REFUSED") || answer.starts_with("* FAIL LOGIN TOO_SOON"));
    }
    assert!(looked_at < 20, "{looked_at} of 10,000 guesses in 100 s were looked at");
    connect(&mut core, 2, "203.0.113.9", true);
    assert!(ask(&mut core, 2, "/login Ana Ana-password").starts_with("* FAIL LOGIN TOO_SOON"));
    core.pass(61.0);
    expect(&mut core, 2, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    // Another name from the same address is a guess too.
    assert!(ask(&mut core, 1, "/login Nadie adivinada").starts_with("* FAIL LOGIN"));
    assert!(ask(&mut core, 1, "/login Nadie adivinada").starts_with("* FAIL LOGIN TOO_SOON"));
}

#[test]
fn those_of_whom_nobody_knows_where_they_are_share_their_tries_and_the_others_do_not_wait() {
    let mut core = begun();
    let mut answers = Vec::new();
    for client in 1..=20 {
        connect(&mut core, client, "unknown", true);
        answers.push(ask(&mut core, client, &format!("/login Nadie{client} adivinada")));
    }
    let looked_at = answers.iter().filter(|answer| answer.starts_with("* FAIL LOGIN REFUSED")).count();
    assert_eq!(looked_at, 8, "{answers:?}");
    assert!(answers.iter().skip(8).all(|answer| answer.starts_with("* FAIL LOGIN TOO_SOON")), "{answers:?}");
    let mut made = 0;
    for client in 21..=40 {
        connect(&mut core, client, "unknown", true);
        made += u32::from(
            ask(&mut core, client, &format!("/register Nueva{client} una clave"))
                .starts_with("* NOTE REGISTER DONE"),
        );
    }
    assert_eq!(made, 4);
    connect(&mut core, 50, FAR, true);
    expect(&mut core, 50, "/login Nadie adivinada", "* FAIL LOGIN REFUSED");
}

#[test]
fn an_address_that_is_banned_is_told_and_cut_until_its_time_is_over() {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    ask(&mut core, 1, "/login Jefa Jefa-password");
    connect(&mut core, 2, FAR, false);
    core.send(2, "Eva se ha unido al chat.");
    expect(&mut core, 1, "/ban Eva 1h ruido", "* NOTE BAN DONE Eva ");
    assert!(core.heard(2).iter().any(|line| line.starts_with("* FAIL RELAY BANNED :")));
    assert!(core.closed.contains(&2));
    core.heard(1);
    connect(&mut core, 3, FAR, false);
    core.send(3, "Eva: otra vez");
    assert!(core.heard(3).iter().any(|line| line.starts_with("* FAIL RELAY BANNED :")));
    assert!(core.closed.contains(&3));
    assert!(!core.heard(1).iter().any(|line| line.contains("otra vez")));
    connect(&mut core, 4, "198.51.100.8", false);
    let from =
        |address: &str, is_here| Origin { address: address.parse().ok(), is_here, ..Origin::default() };
    let is_banned = |core: &Core, address, is_here| core.chat.is_banned(&from(address, is_here));
    assert!(is_banned(&core, FAR, false) && is_banned(&core, "::ffff:198.51.100.7", false));
    // Whoever runs the relay comes in, whatever the ban is of.
    assert!(!is_banned(&core, FAR, true));
    assert!(!is_banned(&core, "198.51.100.8", false) && !core.chat.is_banned(&Origin::default()));
    core.send(4, "Pepe: hola");
    assert!(core.heard(1).iter().any(|line| line == "Pepe: hola"));
    core.chat.handle_clock(1_700_000_000_000 + 3_600_001);
    assert!(!is_banned(&core, FAR, false));
    connect(&mut core, 5, FAR, false);
    core.send(5, "Eva: ya puedo");
    assert!(core.heard(1).iter().any(|line| line == "Eva: ya puedo"));
}

#[test]
fn a_banned_operator_comes_in_from_this_machine_and_from_nowhere_else() {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    ask(&mut core, 1, "/login Jefa Jefa-password");
    expect(&mut core, 1, "/op Ana", "* NOTE OP DONE Ana :");
    expect(&mut core, 1, "/ban Ana", "* NOTE BAN DONE Ana :");
    connect(&mut core, 2, FAR, true);
    expect(&mut core, 2, "/login Ana Ana-password", "* FAIL RELAY BANNED :");
    connect(&mut core, 3, NEAR, true);
    expect(&mut core, 3, "/login Ana Ana-password", "* NOTE LOGIN DONE name=Ana role=operator :");
}

#[test]
fn a_device_is_missed_by_nobody_until_the_last_one_has_not_come_back() {
    let mut core = begun();
    connect(&mut core, 9, FAR, false);
    for client in [1, 2] {
        connect(&mut core, client, FAR, true);
        core.send(client, "/hello v=1 name=Ana");
        ask(&mut core, client, "/login Ana Ana-password");
        core.send(client, "/hello v=1 name=Ana");
    }
    assert_eq!(core.heard(9), ["Ana se ha unido al chat."]);
    core.gone(1);
    core.pass(11.0);
    assert_eq!(core.heard(9), [""; 0]);
    core.gone(2);
    core.pass(Duration::from_secs(11).as_secs_f64());
    assert_eq!(core.heard(9), ["Ana ha abandonado el chat."]);
}

#[cfg(feature = "confusables")]
#[test]
fn guesses_under_names_that_look_the_same_are_guesses_for_one_account() {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    expect(&mut core, 1, "/register Will una clave", "* NOTE REGISTER DONE name=Will");
    let names = ["Will", "WilI", "WiIl", "WiII", "Wi1l", "WI1I", "wIII", "Wil|", "WiI|"];
    let guess = |core: &mut Core, number: usize| {
        let client = 10 + u32::try_from(number).unwrap();
        connect(core, client, &format!("203.0.113.{number}"), true);
        ask(core, client, &format!("/login {} guess-{number}", names[number % names.len()]))
    };
    let looked_at =
        (0..90).filter(|number| guess(&mut core, *number).starts_with("* FAIL LOGIN REFUSED")).count();
    // Each account's name has a few keys, and each of them a few tries.
    assert!(looked_at < 16, "{looked_at}");
}

#[cfg(feature = "confusables")]
#[test]
fn a_log_in_as_oneself_makes_nothing_good_for_who_looks_alike() {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    expect(&mut core, 1, "/register Paypal una clave", "* NOTE REGISTER DONE");
    connect(&mut core, 2, NEAR, true);
    expect(&mut core, 2, "/register paypai clave propia", "* NOTE REGISTER DONE");
    let mut looked_at = 0;
    for number in 0..100 {
        // From ever new addresses, so that only the name counts.
        let address = |more: u32| format!("203.0.{more}.{number}");
        connect(&mut core, 10, &address(113), true);
        looked_at +=
            u32::from(ask(&mut core, 10, "/login Paypal adivinada").starts_with("* FAIL LOGIN REFUSED"));
        connect(&mut core, 11, &address(114), true);
        ask(&mut core, 11, "/login PaypaI clave propia");
        core.gone(10);
        core.gone(11);
    }
    assert!(looked_at <= 4, "{looked_at}");
}

#[test]
fn new_passwords_of_one_account_keep_no_log_in_of_others_waiting() {
    let mut core = begun();
    for client in 1..=40 {
        connect(&mut core, client, NEAR, true);
        if client == 1 {
            ask(&mut core, client, "/login Ana Ana-password");
        } else {
            core.pass(61.0);
            expect(&mut core, client, "/login Ana Ana-password", "* NOTE LOGIN DONE");
        }
    }
    for client in 1..=40 {
        core.send(client, "/passwd otra clave");
    }
    core.answer_with(|_| Answer::Accounts(None));
    connect(&mut core, 50, FAR, true);
    core.send(50, "/login Jefa Jefa-password");
    assert!(!core.heard(50).iter().any(|line| line.contains(" BUSY ")));
    let tasks = std::iter::from_fn(|| core.chat.poll_password()).count();
    assert!((4..8).contains(&tasks), "{tasks}");
}

#[test]
fn a_guest_who_is_muted_comes_with_no_other_name_either() {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    ask(&mut core, 1, "/login Jefa Jefa-password");
    connect(&mut core, 2, FAR, false);
    core.send(2, "Eva se ha unido al chat.");
    expect(&mut core, 1, "/mute Eva", "* NOTE MUTE DONE Eva ");
    core.send(2, "Eva ha abandonado el chat.");
    core.heard(1);
    expect(&mut core, 2, "/hello v=1 name=ComprenAhora", "* FAIL SAY MUTED :");
    assert_eq!(core.heard(1), [""; 0]);
}

#[test]
fn who_is_a_bridge_no_more_is_slowed_like_everybody() {
    let mut core = begun();
    core.chat.handle_settings(Some(Flood::new(2, 1)), Language::En);
    connect(&mut core, 1, NEAR, true);
    ask(&mut core, 1, "/login Jefa Jefa-password");
    connect(&mut core, 2, FAR, true);
    ask(&mut core, 2, "/login Ana Ana-password");
    let said = |core: &mut Core| {
        core.pass(30.0);
        core.heard(1);
        (0..10).for_each(|_| core.send(2, "Ana: hola"));
        core.heard(1).iter().filter(|line| *line == "Ana: hola").count()
    };
    assert_eq!(said(&mut core), 2);
    core.chat.look_at_accounts();
    core.answer_with(|_| changed(Role::Bridge));
    core.pass(30.0);
    assert_eq!(said(&mut core), 10);
    expect(&mut core, 1, "/deop Ana", "* NOTE DEOP DONE Ana :");
    assert_eq!(said(&mut core), 2);
}

/// What a tool has made of Ana.
fn changed(role: Role) -> Answer {
    let accounts =
        vec![AccountRow { role, ..row(1, "Ana") }, AccountRow { role: Role::Operator, ..row(2, "Jefa") }];
    Answer::Accounts(Some(Box::new(AccountsKept { version: 1, accounts, ..AccountsKept::default() })))
}

#[test]
fn a_loopback_address_that_a_proxy_names_protects_nobody() {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    ask(&mut core, 1, "/login Jefa Jefa-password");
    expect(&mut core, 1, "/op Ana", "* NOTE OP DONE Ana :");
    expect(&mut core, 1, "/ban Ana", "* NOTE BAN DONE Ana :");
    let origin = Origin { address: NEAR.parse().ok(), is_private: true, ..Origin::default() };
    core.chat.handle_connect(ClientId(2), origin);
    expect(&mut core, 2, "/login Ana Ana-password", "* FAIL RELAY BANNED :");
}

#[test]
fn markers_of_more_rooms_than_are_remembered_do_not_stay_in_the_file() {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    ask(&mut core, 1, "/login Ana Ana-password");
    core.send(1, "Ana: hola");
    core.keep_all();
    let mut kept = std::collections::BTreeSet::new();
    for number in 0..1000 {
        core.send(1, &format!("/read room=r{number} id={}", number + 1));
        for change in core.keep_all().into_iter().flat_map(|work| work.changes) {
            match change {
                Change::Read(marker) => drop(kept.insert(marker.room)),
                Change::ReadGone(_, room) => assert!(kept.remove(&room), "{room}"),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(kept.len(), 256);
}

/// What a tool has made of Ana's password.
fn with_password(version: u64, password: &str) -> Answer {
    let Answer::Accounts(Some(mut kept)) = changed(Role::User) else { unreachable!() };
    (kept.version, kept.accounts[0].password) = (version, Secret(password.to_owned()));
    Answer::Accounts(Some(kept))
}

#[test]
fn a_password_that_was_right_when_it_was_looked_at_and_is_not_any_more_is_looked_at_anew() {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    core.send(1, "/login Ana Ana-password");
    core.answer_with(|_| Answer::Accounts(None));
    let first = core.chat.poll_password().unwrap();
    core.chat.look_at_accounts();
    core.answer_with(|_| with_password(1, "otra clave"));
    let hash = Some(Secret("Ana-password hashed anew".to_owned()));
    let now = core.now();
    core.chat.handle_verdict(first.ticket, Verdict { is_right: true, hash, is_undecided: false }, now);
    core.turn();
    assert_eq!(core.heard(1), [""; 0]);
    let second = core.chat.poll_password().unwrap();
    assert_eq!(second.kept, Some(Some(Secret("otra clave".to_owned()))));
    core.chat.handle_verdict(second.ticket, Verdict::default(), now);
    core.turn();
    assert!(core.heard(1)[0].starts_with("* FAIL LOGIN REFUSED :"));
    let changes = core.keep_all().into_iter().flat_map(|work| work.changes);
    assert_eq!(changes.collect::<Vec<_>>(), []);
}

#[test]
fn what_a_tool_has_changed_is_asked_for_again_where_an_account_was_changed_here_meanwhile() {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    ask(&mut core, 1, "/login Jefa Jefa-password");
    // Asked, and not answered yet.
    core.chat.look_at_accounts();
    let question = core.chat.poll_question().unwrap();
    expect(&mut core, 1, "/op Ana", "* NOTE OP DONE Ana :");
    core.chat.handle_answer(question.ticket, &with_password(1, "otra clave"));
    core.turn();
    connect(&mut core, 2, NEAR, true);
    core.send(2, "/login Ana otra clave");
    core.answer_with(|wanted| {
        assert_eq!(*wanted, Wanted::Accounts { after: 0 });
        with_password(1, "otra clave")
    });
    let task = core.chat.poll_password().unwrap();
    assert_eq!(task.kept, Some(Some(Secret("otra clave".to_owned()))));
}

/// Tries for the name as `clients` do, each from an address of its own that is nobody's. What the relay said, without sentences.
fn strangers_try(core: &mut Core, name: &str, count: u32) -> Vec<String> {
    let try_once = |number: u32| {
        connect(core, 1000, &format!("203.0.{}.{}", number / 250, number % 250), true);
        let answer = ask(core, 1000, &format!("/login {name} adivinada"));
        core.gone(1000);
        answer.split(" :").next().unwrap_or_default().to_owned()
    };
    (0..count).map(try_once).collect()
}

#[test]
fn strangers_who_try_for_a_name_do_not_keep_its_owner_out_where_it_has_logged_in_before() {
    let mut core = begun();
    connect(&mut core, 1, FAR, true);
    expect(&mut core, 1, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    connect(&mut core, 2, "2001:db8:1:2::3", true);
    expect(&mut core, 2, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    strangers_try(&mut core, "Ana", 500);
    for (client, address) in [(3, FAR), (4, "2001:db8:1:2:ffff::9")] {
        connect(&mut core, client, address, true);
        expect(&mut core, client, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    }
    connect(&mut core, 5, "198.51.100.8", true);
    expect(&mut core, 5, "/login Ana Ana-password", "* FAIL LOGIN TOO_SOON ");
    // The owner's log-in makes nothing good for them.
    let answers = strangers_try(&mut core, "Ana", 3);
    assert!(answers.iter().all(|answer| answer.starts_with("* FAIL LOGIN TOO_SOON ")), "{answers:?}");
}

#[test]
fn tries_from_where_an_account_has_logged_in_before_are_counted_too() {
    let mut core = begun();
    connect(&mut core, 1, FAR, true);
    expect(&mut core, 1, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    connect(&mut core, 2, FAR, true);
    let answers: Vec<String> = (0..20).map(|_| ask(&mut core, 2, "/login Ana adivinada")).collect();
    let looked_at = answers.iter().filter(|answer| answer.starts_with("* FAIL LOGIN REFUSED")).count();
    assert!((1..=4).contains(&looked_at), "{answers:?}");
    expect(&mut core, 2, "/login Ana Ana-password", "* FAIL LOGIN TOO_SOON ");
    // Whoever comes from elsewhere has tried nothing yet.
    connect(&mut core, 3, "198.51.100.8", true);
    expect(&mut core, 3, "/login Ana Ana-password", "* NOTE LOGIN DONE");
}

#[test]
fn strangers_are_told_the_same_of_an_account_that_was_there_and_of_none() {
    let mut core = begun();
    connect(&mut core, 1, FAR, true);
    expect(&mut core, 1, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    let of_ana = strangers_try(&mut core, "Ana", 100);
    assert_eq!(of_ana, strangers_try(&mut core, "Nadie", 100));
    // Nor does the first one from where it is learn more of it than of nobody.
    let answers = |core: &mut Core, client, name: &str| -> Vec<String> {
        connect(core, client, FAR, true);
        (0..10).map(|_| ask(core, client, &format!("/login {name} adivinada"))).collect()
    };
    let mut fresh = begun();
    connect(&mut fresh, 1, FAR, true);
    expect(&mut fresh, 1, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    let of_ana = answers(&mut fresh, 2, "Ana");
    let mut fresh = begun();
    assert_eq!(of_ana, answers(&mut fresh, 2, "Nadie"));
}

#[test]
fn of_the_places_from_which_an_account_has_logged_in_the_last_ones_are_remembered() {
    let mut core = begun();
    let log_in = |core: &mut Core, number: u32| {
        connect(core, number, &format!("198.51.100.{number}"), true);
        let answer = ask(core, number, "/login Ana Ana-password");
        core.gone(number);
        answer.starts_with("* NOTE LOGIN DONE")
    };
    for number in 1..=9 {
        assert!(log_in(&mut core, number));
    }
    strangers_try(&mut core, "Ana", 500);
    let (first, others) = (log_in(&mut core, 1), (2..=9).all(|number| log_in(&mut core, number)));
    assert_eq!((first, others), (false, true));
}

#[test]
fn a_command_with_a_password_that_something_stands_before_is_said_to_nobody() {
    let mut core = begun();
    for client in 1..=4 {
        connect(&mut core, client, NEAR, true);
    }
    core.send(1, "Luis se ha unido al chat.");
    core.send(2, "/hello v=1 name=Eva");
    core.send(3, "/hello v=1 name=Oyente");
    for client in 1..=4 {
        core.heard(client);
    }
    for command in ["/login Ana secreta", "/ENTRAR Ana secreta", "/registrar Luis secreta", "/Passwd secreta"]
    {
        for before in ["", " ", "\t", "\u{a0} ", "\u{feff}", "hola\u{2028}", "hola\u{2029}\u{3000}"] {
            let text = format!("{before}{command}");
            let plain = [
                format!(" {text}"),
                format!("Luis: {text}"),
                format!("Pepe: {text}"),
                format!("Luis - Pepe: {text}"),
                format!("[RESPUESTA a 'x'] Luis: {text}"),
            ];
            for line in plain {
                expect(&mut core, 1, &line, "* FAIL SAY HOLDS_PASSWORD :");
                expect(&mut core, 4, &line, "* FAIL SAY HOLDS_PASSWORD :");
            }
            expect(&mut core, 1, &format!("/msg Eva {text}"), "* FAIL MSG HOLDS_PASSWORD :");
            for tags in ["@label=x", "@label=y;to=Luis", "@label=z;as=Pepe", "@label=w;reply=7"] {
                let label = &tags[1..8];
                let answer = format!("* FAIL SAY HOLDS_PASSWORD {label} :");
                expect(&mut core, 2, &format!("{tags} {text}"), &answer);
            }
            let answer = "* FAIL MSG HOLDS_PASSWORD label=m :";
            expect(&mut core, 2, &format!("/msg label=m Luis {text}"), answer);
        }
    }
    assert_eq!([1, 2, 3].map(|client| core.heard(client)), [[""; 0]; 3]);
    let lines: usize = core.keep_all().iter().map(|work| work.lines.len()).sum();
    assert_eq!(lines, 0);
    // Whoever wants it said, says so; and what only looks like one is said.
    core.send(1, "//login NOMBRE CLAVE");
    core.send(1, "mira /login.html o escribe /login");
    assert_eq!(core.heard(4), ["Luis: /login NOMBRE CLAVE", "Luis: mira /login.html o escribe /login"]);
}

/// Eva, a guest, is in `cocina` alone, and Ana is there besides; Luis listens in the default room; Jefa may close rooms. Gives
/// Eva's token.
fn in_the_kitchen(core: &mut Core) -> String {
    connect(core, 1, NEAR, true);
    ask(core, 1, "/login Jefa Jefa-password");
    connect(core, 2, FAR, true);
    ask(core, 2, "/login Ana Ana-password");
    core.send(2, "/join cocina");
    connect(core, 3, FAR, false);
    core.send(3, "Luis se ha unido al chat.");
    connect(core, 4, FAR, false);
    core.send(4, "/hello v=1 name=Eva room=cocina");
    let hello = core.heard(4).into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    [1, 2, 3].into_iter().for_each(|client| drop(core.heard(client)));
    hello.split(' ').find_map(|word| word.strip_prefix("token=")).unwrap().to_owned()
}

/// Eva is in the default room, and everybody sees it like that.
#[track_caller]
fn expect_in_the_default_room(core: &mut Core, client: u32) {
    assert_eq!(core.heard(2), ["Eva ha abandonado el chat."], "in the room that was closed");
    assert_eq!(core.heard(3), ["Eva se ha unido al chat."], "in the default room");
    core.send(client, "@label=1;room=general ¿y ahora?");
    assert_eq!(core.heard(3), ["Eva: ¿y ahora?"]);
    assert_eq!(core.heard(2), [""; 0]);
    core.send(3, "Luis: hola");
    assert!(core.heard(client).iter().any(|line| line.ends_with(" Luis: hola")));
}

#[test]
fn a_guest_who_comes_back_after_its_only_room_was_closed_is_in_the_default_room_and_told_why() {
    for away_s in [1.0, 30.0] {
        let mut core = begun();
        let token = in_the_kitchen(&mut core);
        core.gone(4);
        expect(&mut core, 1, "/room cocina registered", "* NOTE ROOM DONE cocina registered :");
        core.pass(away_s);
        core.send(3, "Luis: aquí no estabas");
        connect(&mut core, 5, FAR, false);
        core.send(5, &format!("/hello v=1 name=Eva resume={token} after=1"));
        let told = core.heard(5);
        assert!(told[0].starts_with("* HELLO v=1 name=Eva "), "{told:?}");
        assert!(told[1].starts_with("* FAIL JOIN NOT_ALLOWED cocina :"), "{told:?}");
        assert!(told[2].starts_with("* JOINED room=general last=") && told.len() == 3, "{told:?}");
        expect_in_the_default_room(&mut core, 5);
        // The next time it is there from the beginning.
        core.gone(5);
        core.pass(30.0);
        connect(&mut core, 6, FAR, false);
        core.send(6, &format!("/hello v=1 name=Eva resume={token}"));
        let told = core.heard(6);
        assert!(told.len() == 2 && told[1].starts_with("* JOINED room=general last="), "{told:?}");
    }
}

#[test]
fn a_guest_whose_only_room_is_closed_while_it_is_there_goes_to_the_default_room() {
    let mut core = begun();
    in_the_kitchen(&mut core);
    expect(&mut core, 1, "/room cocina registered", "* NOTE ROOM DONE cocina registered :");
    let told = core.heard(4);
    assert!(told[0].starts_with("* PARTED room=cocina :"), "{told:?}");
    assert!(told[1].starts_with("* JOINED room=general last=") && told.len() == 2, "{told:?}");
    expect_in_the_default_room(&mut core, 4);
    // Who is somewhere else besides stays there.
    core.send(4, "/join patio");
    core.send(4, "/part general");
    core.send(4, "/join tercera");
    core.heard(4);
    expect(&mut core, 1, "/room tercera members", "* NOTE ROOM DONE tercera members :");
    let told = core.heard(4);
    assert!(told.len() == 1 && told[0].starts_with("* PARTED room=tercera :"), "{told:?}");
}

#[test]
fn so_many_passwords_wait_to_be_compared_and_the_next_log_in_is_refused_as_busy() {
    let mut core = begun();
    let log_in = |core: &mut Core, number: usize| {
        let client = u32::try_from(number).unwrap();
        connect(core, client, &format!("203.0.113.{number}"), true);
        core.send(client, &format!("/login n{number} adivinada"));
        core.answer_with(|_| Answer::Accounts(None));
        core.heard(client).pop().unwrap_or_default()
    };
    assert!((1..=TASKS_MAX).all(|number| log_in(&mut core, number).is_empty()));
    assert!(log_in(&mut core, TASKS_MAX + 1).starts_with("* FAIL LOGIN BUSY :"));
    let task = core.chat.poll_password().unwrap();
    // Whoever takes it out compares it: it waits still.
    assert!(log_in(&mut core, TASKS_MAX + 2).starts_with("* FAIL LOGIN BUSY :"));
    let now = core.now();
    core.chat.handle_verdict(task.ticket, Verdict::default(), now);
    core.turn();
    assert!(core.heard(1)[0].starts_with("* FAIL LOGIN REFUSED :"));
    assert_eq!(log_in(&mut core, TASKS_MAX + 3), "");
}

#[test]
fn when_somebody_last_came_in_as_an_account_is_kept_once_in_a_day() {
    let mut core = begun();
    let seen = |core: &mut Core| -> Vec<Change> {
        let changes = core.keep_all().into_iter().flat_map(|work| work.changes);
        changes.filter(|change| matches!(change, Change::Seen(..))).collect()
    };
    let (begin, day) = (1_700_000_000_000, 24 * 3_600_000);
    connect(&mut core, 1, NEAR, true);
    core.send(1, "/hello v=1 name=Ana");
    ask(&mut core, 1, "/login Ana Ana-password");
    core.send(1, "/hello v=1 name=Ana");
    let hello = core.heard(1).into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    let token = hello.split(' ').find_map(|word| word.strip_prefix("token=")).unwrap().to_owned();
    assert_eq!(seen(&mut core), [Change::Seen(1, begin)]);
    core.chat.handle_clock(begin + day - 1);
    connect(&mut core, 2, NEAR, true);
    ask(&mut core, 2, "/login Ana Ana-password");
    assert_eq!(seen(&mut core), []);
    core.chat.handle_clock(begin + day);
    core.gone(1);
    connect(&mut core, 1, NEAR, true);
    core.send(1, &format!("/hello v=1 name=Ana resume={token}"));
    assert_eq!(seen(&mut core), [Change::Seen(1, begin + day)]);
    // One that its owner makes was seen then, and a wrong password is nobody's.
    connect(&mut core, 3, NEAR, true);
    ask(&mut core, 3, "/login Ana adivinada");
    ask(&mut core, 3, "/register Eva una clave");
    assert_eq!(seen(&mut core), []);
}
