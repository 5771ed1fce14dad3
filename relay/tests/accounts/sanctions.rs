//! Bans and mutes: when they are told, which there are, how they are taken back.

use tertulia_relay::batch::Durability;
use tertulia_relay::chat::{ClientId, Event};

use crate::core::{FAR, NEAR, ask_all, begun, begun_with, connect, expect};
use crate::support::Folder;
use crate::support::core::Core;
use crate::{logged_in, make_accounts, relay};

fn operator_and_guest(durability: Durability) -> Core {
    let mut core = begun_with(durability);
    connect(&mut core, 1, NEAR, true);
    ask_all(&mut core, 1, "/login Jefa Jefa-password");
    connect(&mut core, 2, FAR, false);
    core.send(2, "Eva se ha unido al chat.");
    core.keep_all();
    core.heard(1);
    core
}

const ACTS: [(&str, &str); 10] = [
    ("/mute Ana 1h", "MUTE"),
    ("/unmute Ana", "UNMUTE"),
    ("/ban Ana", "BAN"),
    ("/unban Ana", "UNBAN"),
    ("/ban 10.0.0.0/8", "BAN"),
    ("/op Ana", "OP"),
    ("/deop Ana", "DEOP"),
    ("/room junta members", "ROOM"),
    ("/allow junta Ana", "ALLOW"),
    ("/deny junta Ana", "DENY"),
];

#[test]
fn an_act_is_told_once_it_is_kept() {
    let mut core = operator_and_guest(Durability::Commit);
    for (line, act) in ACTS {
        let mut told = ask_all(&mut core, 1, line);
        assert!(!told.iter().any(|line| line.starts_with("* NOTE ")), "{told:?}");
        core.send(1, "/ping después");
        assert!(!core.keep_all().is_empty(), "{line}");
        told = core.heard(1);
        let done = told.iter().position(|line| line.starts_with(&format!("* NOTE {act} DONE ")));
        let pong = told.iter().position(|line| line == "* PONG después");
        assert!(done.is_some() && done < pong, "{line}: {told:?}");
    }
    // What is kept nowhere is told at once.
    expect(&mut core, 1, "/kick Eva", "* NOTE KICK DONE Eva :");
}

#[test]
fn an_act_that_cannot_be_kept_is_done_and_the_operator_is_told_so() {
    for was_in_trouble in [true, false] {
        let mut core = operator_and_guest(Durability::Commit);
        let now = core.now();
        for (line, act) in ACTS {
            core.chat.handle_history_trouble(was_in_trouble, now);
            core.turn();
            core.heard(1);
            let mut told = ask_all(&mut core, 1, line);
            if !was_in_trouble {
                assert_eq!(told, [""; 0], "{line}");
                core.chat.handle_history_trouble(true, now);
                core.turn();
                told = core.heard(1);
            }
            let start = format!("* NOTE {act} NOT_KEPT ");
            assert!(told.iter().any(|line| line.starts_with(&start)), "{line}: {told:?}");
            assert!(!told.iter().any(|line| line.contains(" DONE ")), "{line}: {told:?}");
        }
    }
}

#[test]
fn what_was_told_as_done_is_there_after_a_kill() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Jefa", "operator"), ("Ana", "user")]);
    let mut expected = "* NOTE LOGIN DONE";
    for act in ["ban", "unban", "ban", "unban", "ban"] {
        let killed = relay(&folder, &[]);
        let mut ana = killed.client();
        ana.send("/login Ana Ana-password");
        let told = ana.next_line();
        assert!(told.starts_with(expected), "{told}");
        let mut jefa = logged_in(&killed, "Jefa", "Jefa-password");
        jefa.send(&format!("/{act} Ana"));
        while !jefa.next_line().starts_with(&format!("* NOTE {} DONE Ana", act.to_uppercase())) {}
        drop(killed);
        expected = if act == "ban" { "* FAIL LOGIN BANNED" } else { "* NOTE LOGIN DONE" };
    }
}

#[test]
fn of_a_guest_the_block_is_told_by_which_it_is_taken_back() {
    let mut core = operator_and_guest(Durability::None);
    expect(&mut core, 1, "/mute Eva", "* NOTE MUTE DONE Eva 198.51.100.7/32 :");
    expect(&mut core, 1, "/ban Eva 1h ruido", "* NOTE BAN DONE Eva 198.51.100.7/32 :");
    expect(&mut core, 1, "/unban 198.51.100.7/32", "* NOTE UNBAN DONE 198.51.100.7/32 :");
    expect(&mut core, 1, "/unmute 198.51.100.7/32", "* NOTE UNMUTE DONE 198.51.100.7/32 :");
    connect(&mut core, 3, "2001:db8:1:2::3", false);
    core.send(3, "Luis se ha unido al chat.");
    expect(&mut core, 1, "/ban Luis", "* NOTE BAN DONE Luis 2001:db8:1:2::/64 :");
    // Written as an address it is the same.
    expect(&mut core, 1, "/unban 2001:db8:1:2::3", "* NOTE UNBAN DONE 2001:db8:1:2::3 :");
}

#[test]
fn the_log_names_the_block_of_a_guest_who_is_banned() {
    let mut core = operator_and_guest(Durability::None);
    let now = core.now();
    core.chat.handle_bytes(ClientId(1), b"/ban Eva 1h ruido\n", now);
    let acts = std::iter::from_fn(|| core.chat.poll_event()).filter_map(|event| match event {
        Event::Act { kind, target, object, .. } => Some((kind, target, object)),
        _ => None,
    });
    let expected = ("ban", "Eva".to_owned(), "198.51.100.7/32".to_owned());
    assert_eq!(acts.collect::<Vec<_>>(), [expected]);
}

#[test]
fn operators_are_told_which_bans_and_mutes_are_in_force_the_newest_first() {
    let mut core = operator_and_guest(Durability::None);
    let mut act = |line: &str, ms: u64| {
        core.chat.handle_clock(1_700_000_000_000 + ms);
        ask_all(&mut core, 1, line)
    };
    assert_eq!(act("/bans", 0), ["* END BANS shown=0 of=0"]);
    act("/mute Ana 1h demasiado ruido", 1000);
    act("/ban Eva", 2000);
    act("/ban 10.0.0.0/8 5s", 3000);
    assert_eq!(
        act("/vetos", 4000),
        [
            "* BANS kind=ban target=10.0.0.0/8 since=2023-11-14T22:13:23.000Z until=2023-11-14T22:13:28.000Z by=Jefa",
            "* BANS kind=ban target=198.51.100.7/32 since=2023-11-14T22:13:22.000Z until=2023-11-15T22:13:22.000Z by=Jefa",
            "* BANS kind=mute target=Ana since=2023-11-14T22:13:21.000Z until=2023-11-14T23:13:21.000Z by=Jefa \
             why=demasiado\\sruido",
            "* END BANS shown=3 of=3",
        ]
    );
    act("/unban 198.51.100.7/32", 9000);
    let told = act("/bans", 9000);
    assert!(told[0].starts_with("* BANS kind=mute target=Ana ") && told[1] == "* END BANS shown=1 of=1");
    (0..100).for_each(|number| drop(act(&format!("/ban 10.0.0.{number}"), 10_000 + number)));
    let told = act("/bans", 11_000);
    assert!(told[0].starts_with("* BANS kind=ban target=10.0.0.99/32 "), "{}", told[0]);
    assert_eq!((told.len(), &*told[64]), (65, "* END BANS shown=64 of=101"));
}

#[test]
fn nobody_but_operators_is_told_who_is_banned() {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    expect(&mut core, 1, "/bans", "* FAIL BANS NOT_OPERATOR :");
    ask_all(&mut core, 1, "/login Ana Ana-password");
    expect(&mut core, 1, "/bans", "* FAIL BANS NOT_OPERATOR :");
    assert!(!ask_all(&mut core, 1, "/help").iter().any(|line| line.contains("/bans")));
}
