//! The rules on addresses and on time, in the core: there an address can be any, and time passes when it is told to.

use std::time::Duration;

use tertulia_relay::account::{AccountRow, AccountsKept, Change, Role, Verdict};
use tertulia_relay::batch::Durability;
use tertulia_relay::chat::{Answer, ClientId, Origin, Remembered, Rules};
use tertulia_relay::flood::Flood;
use tertulia_relay::phrases::Language;
use tertulia_wire::secret::Secret;

use crate::support::core::Core;

/// Somewhere, and on this machine.
pub(crate) const FAR: &str = "198.51.100.7";
pub(crate) const NEAR: &str = "127.0.0.1";

pub(crate) fn begun() -> Core {
    begun_with(Durability::None)
}

fn begun_with(durability: Durability) -> Core {
    let row = |number, name: &str, role| AccountRow {
        number,
        name: name.to_owned(),
        password: Secret(format!("{name}-password")),
        role,
    };
    let accounts = vec![row(1, "Ana", Role::User), row(2, "Jefa", Role::Operator)];
    let accounts = AccountsKept { accounts, ..AccountsKept::default() };
    let remembered =
        Remembered { id_ceiling: u64::MAX, sid_ceiling: 1000, accounts, ..Remembered::default() };
    let mut core = Core::keeping(durability, remembered);
    core.seconds = 100.0;
    core
}

pub(crate) fn connect(core: &mut Core, client: u32, address: &str, is_private: bool) {
    let is_here = address == NEAR;
    let origin = Origin { address: address.parse().ok(), is_private, is_here, is_trusted: false };
    core.chat.handle_connect(ClientId(client), origin);
}

/// Sends a line, looks at the password if there is one, and gives the last answer.
fn ask(core: &mut Core, client: u32, line: &str) -> String {
    core.heard(client);
    ask_all(core, client, line).pop().unwrap_or_default()
}

/// The same with all that is heard then.
pub(crate) fn ask_all(core: &mut Core, client: u32, line: &str) -> Vec<String> {
    core.send(client, line);
    core.answer_with(|_| Answer::Accounts(None));
    while let Some(task) = core.chat.poll_password() {
        let verdict = match task.kept {
            None => Verdict { is_right: true, hash: Some(task.password) },
            Some(kept) => Verdict { is_right: kept == Some(task.password), hash: None },
        };
        let now = core.now();
        core.chat.handle_verdict(task.ticket, verdict, now);
        core.turn();
    }
    core.heard(client)
}

#[track_caller]
fn expect(core: &mut Core, client: u32, line: &str, answer: &str) {
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
    expect(&mut core, 1, "/ban Eva 1h ruido", "* NOTE BAN DONE Eva :");
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
    expect(&mut core, 1, "/mute Eva", "* NOTE MUTE DONE Eva :");
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
    let row = |number, name: &str, role| AccountRow {
        number,
        name: name.to_owned(),
        password: Secret(format!("{name}-password")),
        role,
    };
    let accounts = vec![row(1, "Ana", role), row(2, "Jefa", Role::Operator)];
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
