//! Mutes of those who have no account: whom they hold, and for how long. In the core, where an address can be any.

use tertulia_relay::account::{Change, Sanction};
use tertulia_relay::batch::SessionRow;

use crate::core::{FAR, NEAR, ask, begun, begun_again, connect, expect};
use crate::support::core::Core;
use crate::support::{Client, Folder};
use crate::{logged_in, make_accounts, relay};

/// Somewhere else.
const ELSEWHERE: &str = "198.51.100.8";

/// What the clock of a core begins with.
const BEGIN_MS: u64 = 1_700_000_000_000;
const HOUR_MS: u64 = 3_600_000;

/// An operator on connection 1.
fn with_operator() -> Core {
    let mut core = begun();
    connect(&mut core, 1, NEAR, true);
    ask(&mut core, 1, "/login Jefa Jefa-password");
    core
}

/// A guest of that name on that connection, whom the operator mutes.
fn mute_guest(core: &mut Core, client: u32, address: &str, name: &str) {
    connect(core, client, address, true);
    core.send(client, &format!("{name} se ha unido al chat."));
    expect(core, 1, &format!("/mute {name}"), &format!("* NOTE MUTE DONE {name} "));
}

/// An extended connection of that name, and its token.
fn extended(core: &mut Core, client: u32, address: &str, name: &str) -> String {
    connect(core, client, address, true);
    core.send(client, &format!("/hello v=1 name={name}"));
    let hello = core.heard(client).into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    hello.split(' ').find_map(|word| word.strip_prefix("token=")).unwrap().to_owned()
}

/// What the operator hears of this line.
fn heard_of(core: &mut Core, client: u32, line: &str) -> Vec<String> {
    core.heard(1);
    core.send(client, line);
    core.heard(1)
}

/// Sessions and bans as they were kept.
fn kept(core: &mut Core) -> (Vec<SessionRow>, Vec<Sanction>) {
    let (mut sessions, mut sanctions) = (Vec::new(), Vec::new());
    for work in core.keep_all() {
        for row in work.sessions {
            sessions.retain(|known: &SessionRow| known.sid != row.sid);
            sessions.push(row);
        }
        for change in work.changes {
            sanctions.extend(if let Change::Sanction(sanction) = change { Some(sanction) } else { None });
        }
    }
    (sessions, sanctions)
}

#[test]
fn who_was_muted_as_a_guest_is_muted_as_whatever_account_it_logs_in_to() {
    let mut core = with_operator();
    mute_guest(&mut core, 2, FAR, "Eva");
    expect(&mut core, 2, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    expect(&mut core, 2, "Ana: hola", "* FAIL SAY MUTED :");
    // Another device of the account is not.
    connect(&mut core, 3, ELSEWHERE, true);
    expect(&mut core, 3, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    assert_eq!(heard_of(&mut core, 3, "Ana: hola"), ["Ana: hola"]);
    expect(&mut core, 1, "/unmute Ana", "* NOTE UNMUTE DONE Ana :");
    assert_eq!(heard_of(&mut core, 2, "Ana: y yo"), ["Ana: y yo"]);
    expect(&mut core, 1, "/unmute Ana", "* FAIL UNMUTE NO_SUCH Ana :");
}

#[test]
fn the_session_of_a_muted_guest_is_muted_after_a_restart_too_and_whatever_it_logs_in_to() {
    let mut core = with_operator();
    let token = extended(&mut core, 2, NEAR, "Eva");
    expect(&mut core, 1, "/mute Eva 2h", "* NOTE MUTE DONE Eva ");
    let (sessions, _) = kept(&mut core);
    let mut core = begun_again(sessions, Vec::new());
    connect(&mut core, 1, NEAR, true);
    connect(&mut core, 2, ELSEWHERE, true);
    core.send(2, &format!("/hello v=1 name=Eva resume={token}"));
    expect(&mut core, 2, "@label=1 hola", "* FAIL SAY MUTED label=1 :");
    expect(&mut core, 2, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    expect(&mut core, 2, "@label=2 hola", "* FAIL SAY MUTED label=2 :");
    let (sessions, _) = kept(&mut core);
    let mut core = begun_again(sessions, Vec::new());
    connect(&mut core, 1, NEAR, true);
    connect(&mut core, 2, ELSEWHERE, true);
    core.send(2, &format!("/hello v=1 name=Ana resume={token}"));
    expect(&mut core, 2, "@label=3 hola", "* FAIL SAY MUTED label=3 :");
    core.chat.handle_clock(BEGIN_MS + 2 * HOUR_MS);
    assert_eq!(heard_of(&mut core, 2, "@label=4 hola"), ["Ana: hola"]);
}

#[test]
fn a_plain_guest_who_is_muted_takes_that_into_the_session_that_it_logs_in_for() {
    let mut core = with_operator();
    connect(&mut core, 2, FAR, true);
    core.send(2, "/hello v=1 name=Ana");
    core.send(2, "Eva: hola");
    expect(&mut core, 1, "/mute Eva", "* NOTE MUTE DONE Eva ");
    expect(&mut core, 2, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    core.send(2, "/hello v=1 name=Ana");
    assert!(core.heard(2).iter().any(|line| line.starts_with("* HELLO ")));
    expect(&mut core, 2, "@label=1 hola", "* FAIL SAY MUTED label=1 :");
    core.gone(2);
    let (sessions, _) = kept(&mut core);
    assert_eq!(sessions.last().map(|row| row.muted_until_unix_ms), Some(u64::MAX));
}

#[test]
fn a_guest_who_connects_anew_from_where_it_was_muted_says_nothing_and_nobody_sees_it() {
    let mut core = with_operator();
    mute_guest(&mut core, 2, FAR, "Eva");
    core.gone(2);
    core.heard(1);
    connect(&mut core, 2, FAR, true);
    for line in ["Eva se ha unido al chat.", "Eva: hola", "Pepe: hola", "/nick Pepe", "/msg Jefa hola"] {
        expect(&mut core, 2, line, "* FAIL SAY MUTED :");
    }
    let token = extended(&mut core, 3, FAR, "OidmeTodos");
    expect(&mut core, 3, "@label=1 hola", "* FAIL SAY MUTED label=1 :");
    expect(&mut core, 3, "/join cocina", "* JOINED room=cocina ");
    core.send(3, "/part cocina");
    core.gone(3);
    connect(&mut core, 3, FAR, true);
    core.send(3, &format!("/hello v=1 name=OidmeOtraVez resume={token}"));
    assert!(core.heard(3).iter().any(|line| line.starts_with("* HELLO ")));
    core.gone(3);
    core.pass(60.0);
    core.gone(2);
    assert_eq!(core.heard(1), [""; 0]);
    // It hears what the others say.
    connect(&mut core, 3, FAR, true);
    core.send(1, "Jefa: hola");
    assert_eq!(core.heard(3), ["Jefa: hola"]);
}

#[test]
fn a_mute_of_a_guest_holds_where_it_came_from_for_a_day_or_as_long_as_was_said() {
    let says = |core: &mut Core, address: &str| {
        connect(core, 3, address, true);
        let heard = heard_of(core, 3, "Pepe: hola");
        core.gone(3);
        core.heard(1);
        heard == ["Pepe: hola"]
    };
    for (span, hours) in [("", 24), (" 2h", 2), (" 100h", 100)] {
        let mut core = with_operator();
        connect(&mut core, 2, FAR, true);
        core.send(2, "Eva se ha unido al chat.");
        expect(&mut core, 1, &format!("/mute Eva{span} ruido"), "* NOTE MUTE DONE Eva ");
        let (_, sanctions) = kept(&mut core);
        assert_eq!((says(&mut core, FAR), says(&mut core, ELSEWHERE)), (false, true));
        // The relay is started again.
        let mut core = begun_again(Vec::new(), sanctions);
        connect(&mut core, 1, NEAR, true);
        core.chat.handle_clock(BEGIN_MS + hours * HOUR_MS - 1);
        assert!(!says(&mut core, FAR), "{span}");
        core.chat.handle_clock(BEGIN_MS + hours * HOUR_MS);
        assert!(says(&mut core, FAR), "{span}");
    }
}

#[test]
fn who_has_logged_in_is_not_muted_because_of_a_guest_with_the_same_address() {
    let mut core = with_operator();
    connect(&mut core, 3, FAR, true);
    expect(&mut core, 3, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    connect(&mut core, 4, FAR, true);
    core.send(4, "Luis se ha unido al chat.");
    mute_guest(&mut core, 2, FAR, "Eva");
    assert_eq!(heard_of(&mut core, 3, "Ana: hola"), ["Ana: hola"]);
    // The neighbour without an account is, until it logs in, or an operator lets it speak.
    expect(&mut core, 4, "Luis: hola", "* FAIL SAY MUTED :");
    expect(&mut core, 4, "/login Ana Ana-password", "* NOTE LOGIN DONE");
    assert_eq!(heard_of(&mut core, 4, "Ana: hola"), ["Ana: hola"]);
    connect(&mut core, 5, FAR, true);
    expect(&mut core, 5, "Pepe: hola", "* FAIL SAY MUTED :");
    expect(&mut core, 1, &format!("/unmute {FAR}"), &format!("* NOTE UNMUTE DONE {FAR} :"));
    assert_eq!(heard_of(&mut core, 5, "Pepe: hola"), ["Pepe: hola"]);
    assert_eq!(heard_of(&mut core, 2, "Eva: hola"), ["Eva: hola"]);
    expect(&mut core, 1, &format!("/unmute {FAR}"), &format!("* FAIL UNMUTE NO_SUCH {FAR} :"));
}

/// A relay where Oidme, who is muted by its address, is there in extended mode, and nobody has seen it come.
fn with_somebody_hidden() -> (Core, String) {
    let mut core = with_operator();
    core.send(1, "Jefa se ha unido al chat.");
    connect(&mut core, 9, ELSEWHERE, true);
    core.send(9, "Luis se ha unido al chat.");
    mute_guest(&mut core, 2, FAR, "Eva");
    core.gone(2);
    let token = extended(&mut core, 3, FAR, "Oidme");
    [1, 9].into_iter().for_each(|client| drop(core.heard(client)));
    (core, token)
}

#[test]
fn who_is_hidden_stands_in_no_list_but_its_own_and_that_of_operators() {
    let (mut core, _) = with_somebody_hidden();
    let lists = |core: &mut Core, client: u32, line: &str| {
        core.send(client, line);
        core.heard(client).concat().contains("Oidme")
    };
    core.send(3, "/join Oidme-todos");
    core.heard(3);
    assert_eq!([1, 3, 9].map(|client| lists(&mut core, client, "/who")), [true, true, false]);
    core.send(9, "/rooms");
    assert!(!core.heard(9).concat().to_lowercase().contains("oidme"));
}

#[test]
fn who_was_hidden_is_seen_to_come_before_it_says_something_and_to_go() {
    let (mut core, _) = with_somebody_hidden();
    expect(&mut core, 1, &format!("/unmute {FAR}"), &format!("* NOTE UNMUTE DONE {FAR} :"));
    core.send(3, "@label=1 hola");
    assert_eq!(core.heard(9), ["Oidme se ha unido al chat.", "Oidme: hola"]);
    core.gone(3);
    core.pass(60.0);
    assert_eq!(core.heard(9), ["Oidme ha abandonado el chat."]);
}

#[test]
fn who_was_hidden_when_the_relay_ended_is_missed_by_nobody_after_it() {
    for comes_back in [true, false] {
        let (mut core, token) = with_somebody_hidden();
        let (sessions, sanctions) = kept(&mut core);
        let mut core = begun_again(sessions, sanctions);
        connect(&mut core, 9, ELSEWHERE, true);
        core.send(9, "Luis se ha unido al chat.");
        core.heard(9);
        if comes_back {
            connect(&mut core, 3, FAR, true);
            core.send(3, &format!("/hello v=1 name=Oidme resume={token}"));
            assert!(core.heard(3).iter().any(|line| line.starts_with("* HELLO ")));
            core.gone(3);
        }
        core.pass(120.0);
        assert_eq!(core.heard(9), [""; 0]);
    }
}

#[test]
fn a_guest_who_is_away_can_be_allowed_to_speak_again_by_its_name() {
    let mut core = with_operator();
    let token = extended(&mut core, 2, FAR, "Eva");
    expect(&mut core, 1, "/mute Eva", "* NOTE MUTE DONE Eva ");
    core.gone(2);
    core.pass(60.0);
    expect(&mut core, 1, "/unmute Eva", "* NOTE UNMUTE DONE Eva :");
    expect(&mut core, 1, "/unmute Eva", "* FAIL UNMUTE NOT_HERE Eva :");
    expect(&mut core, 1, &format!("/unmute {FAR}"), &format!("* NOTE UNMUTE DONE {FAR} :"));
    connect(&mut core, 2, FAR, true);
    core.send(2, &format!("/hello v=1 name=Eva resume={token}"));
    core.heard(2);
    expect(&mut core, 2, "@label=1 hola", "* ACK label=1 ");
}

#[test]
fn a_guest_on_this_machine_is_muted_and_nobody_else_there() {
    let mut core = with_operator();
    mute_guest(&mut core, 2, NEAR, "Eva");
    expect(&mut core, 2, "Eva: hola", "* FAIL SAY MUTED :");
    connect(&mut core, 3, NEAR, true);
    assert_eq!(heard_of(&mut core, 3, "Pepe: hola"), ["Pepe: hola"]);
}

#[test]
fn a_block_of_ipv6_counts_as_one_address() {
    let mut core = with_operator();
    mute_guest(&mut core, 2, "2001:db8:1:2::3", "Eva");
    connect(&mut core, 3, "2001:db8:1:2:ffff::9", true);
    expect(&mut core, 3, "Pepe: hola", "* FAIL SAY MUTED :");
    expect(&mut core, 1, "/unmute 2001:db8:1:2::3", "* NOTE UNMUTE DONE 2001:db8:1:2::3 :");
    assert_eq!(heard_of(&mut core, 3, "Pepe: hola"), ["Pepe: hola"]);
}

#[test]
fn a_muted_session_is_muted_by_the_relay_that_is_started_next() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Jefa", "operator")]);
    let first = relay(&folder, &[]);
    let mut eva = first.client();
    eva.tell("/hello v=1 name=Eva");
    let hello = eva.all_lines().into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    let token = hello.split(' ').find_map(|word| word.strip_prefix("token=")).unwrap().to_owned();
    crate::expect(&mut logged_in(&first, "Jefa", "Jefa-password"), "/mute Eva", "* NOTE MUTE DONE Eva ");
    first.stop();
    let second = relay(&folder, &[]);
    let mut eva: Client = second.client();
    eva.tell(&format!("/hello v=1 name=Eva resume={token}"));
    crate::expect(&mut eva, "@label=1 hola", "* FAIL SAY MUTED label=1 :");
    eva.tell("/login Ana Ana-password");
    crate::expect(&mut eva, "@label=2 hola", "* FAIL SAY MUTED label=2 :");
}
