//! `tertulia-relay account`.

use std::os::unix::fs::PermissionsExt;

use tertulia_relay::clock::unix_ms;
use tertulia_wire::time::rfc3339;

use crate::support::{Folder, Relay};
use crate::{account, device, expect, logged_in, make_accounts, relay};

#[test]
fn accounts_are_made_listed_changed_and_removed() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Luis", "operator")]);
    let (done, listed, said) = account(&folder, &["list"], "");
    assert!(done && listed == "user\tAna\t-\noperator\tLuis\t-\n", "{listed}{said}");
    assert!(account(&folder, &["role", "Ana", "bridge"], "").0);
    assert!(account(&folder, &["remove", "Luis"], "").0);
    assert!(account(&folder, &["passwd", "Ana"], "otra clave\n").0);
    assert_eq!(account(&folder, &["list"], "").1, "bridge\tAna\t-\n");
    let relay = relay(&folder, &[]);
    let before = rfc3339(unix_ms());
    logged_in(&relay, "Ana", "otra clave");
    expect(&mut relay.client(), "/login Luis Luis-password", "* FAIL LOGIN REFUSED :");
    relay.stop();
    // A midnight may lie between.
    let days = [before, rfc3339(unix_ms())].map(|time| format!("bridge\tAna\t{}\n", &time[..10]));
    let listed = account(&folder, &["list"], "").1;
    assert!(days.contains(&listed), "{listed}");
}

#[test]
fn what_cannot_be_an_account_is_refused_with_a_sentence() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let long = "x".repeat(100_000);
    let cases = [
        (&["add", "Ana"][..], "una clave", "Ana: the account Ana is there"),
        (&["add", "ANA"], "una clave", "ANA: the account Ana is there"),
        (&["add", "Tertulia"], "una clave", "Tertulia: the name is reserved"),
        (&["add", "a:b"], "una clave", "a:b: a name cannot hold"),
        (&["add", "Ana - Luis"], "una clave", "Ana - Luis: an account has no"),
        (&["add", "Luis"], "corta", "a password has 8 to 256 bytes"),
        (&["add", "Luis"], "una\0clave", "a password has no control characters"),
        (&["add", "Luis"], "una \u{202a}clave", "a password has no control characters"),
        (&["add", "Luis"], &long, "a password has 8 to 256 bytes"),
        (&["add", "--help"], "una clave", "account add: a NAME must follow, and --help is a flag"),
        (&["add", "Luis", "secreta"], "", "secreta: no such argument"),
        (&["passwd", "Luis"], "una clave", "Luis: there is no such account"),
        (&["role", "Ana", "king"], "", "account role king: expected user"),
        (&["dance"], "", "account dance: expected add"),
    ];
    for (words, input, sentence) in cases {
        let (done, _, said) = account(&folder, words, &format!("{input}\n"));
        assert!(!done && said.starts_with(&format!("tertulia-relay: {sentence}")), "{words:?}: {said}");
    }
    let nowhere = Folder::new();
    assert!(account(&nowhere, &["list"], "").2.contains("there is no such history"));
}

#[test]
fn what_is_changed_beside_a_running_relay_counts_for_the_next_log_in() {
    let folder = Folder::new();
    let relay = relay(&folder, &[]);
    let mut guest = relay.named("Ana");
    make_accounts(&folder, &[("Ana", "operator")]);
    let mut ana = logged_in(&relay, "Ana", "Ana-password");
    assert!(guest.lines_until_closed().iter().any(|line| line.starts_with("* FAIL RELAY NAME_REGISTERED :")));
    expect(&mut ana, "/kick Nadie", "* FAIL KICK NOT_HERE Nadie :");
    assert!(account(&folder, &["role", "Ana", "user"], "").0);
    expect(&mut relay.client(), "/login Nadie adivinada", "* FAIL LOGIN REFUSED :");
    expect(&mut ana, "/kick Nadie", "* FAIL KICK NOT_OPERATOR :");
    assert!(account(&folder, &["remove", "Ana"], "").0);
    expect(&mut relay.client(), "/login Ana Ana-password", "* FAIL LOGIN REFUSED :");
    assert!(ana.lines_until_closed().iter().any(|line| line.starts_with("* FAIL RELAY ACCOUNT_REMOVED :")));
    let mut free = relay.client();
    free.tell("Ana: libre");
    free.hears(&[]);
}

#[test]
fn a_file_that_the_relay_makes_is_its_owners_alone() {
    let folder = Folder::new();
    let relay = relay(&folder, &[]);
    relay.named("Ana").tell("Ana: hola");
    for ending in ["history.db", "history.db-wal", "history.db-shm"] {
        let mode = std::fs::metadata(folder.0.join(ending)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{ending}");
    }
}

#[test]
fn accounts_without_a_place_to_keep_them_are_refused_at_the_start() {
    let refused = Relay::try_from_command({
        let mut command = Relay::command();
        command.args(["--access", "registered"]);
        command
    });
    let (_, said) = refused.err().unwrap();
    assert!(said.concat().contains("--access registered: accounts are kept in the history"), "{said:?}");
}

#[test]
fn an_account_made_anew_under_a_name_that_was_removed_is_its_new_owners_and_nobody_elses() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "operator")]);
    let relay = relay(&folder, &[]);
    let mut old = logged_in(&relay, "Ana", "Ana-password");
    assert!(account(&folder, &["remove", "Ana"], "").0);
    assert!(account(&folder, &["add", "Ana"], "otra clave\n").0);
    logged_in(&relay, "Ana", "otra clave");
    assert!(old.lines_until_closed().iter().any(|line| line.starts_with("* FAIL RELAY ACCOUNT_REMOVED :")));
    let mut squatter = relay.client();
    expect(&mut squatter, "/register Ana una clave", "* FAIL REGISTER NAME_REGISTERED Ana :");
    expect(&mut squatter, "/nick Ana", "* FAIL NICK NAME_REGISTERED Ana :");
}

#[test]
fn another_password_from_a_tool_ends_whatever_came_with_the_old_one() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Luis", "user")]);
    let first = relay(&folder, &[]);
    let (mut desk, token) = device(&first, "Ana");
    let mut phone = logged_in(&first, "Ana", "Ana-password");
    let (mut other, others) = device(&first, "Luis");
    assert!(account(&folder, &["passwd", "Ana"], "otra clave\n").0);
    first.signal("HUP");
    for device in [&mut desk, &mut phone] {
        assert!(
            device
                .lines_until_closed()
                .iter()
                .any(|line| line.starts_with("* FAIL RELAY PASSWORD_CHANGED :"))
        );
    }
    other.tell("/ping x");
    let resume = format!("/hello v=1 name=Ana resume={token}");
    expect(&mut first.client(), &resume, "* FAIL HELLO NAME_REGISTERED Ana :");
    logged_in(&first, "Ana", "otra clave");
    first.stop();
    // The same where no relay runs meanwhile.
    assert!(account(&folder, &["passwd", "Luis"], "otra clave\n").0);
    let second = relay(&folder, &[]);
    let resume = format!("/hello v=1 name=Luis resume={others}");
    expect(&mut second.client(), &resume, "* FAIL HELLO NAME_REGISTERED Luis :");
}

#[test]
fn at_a_hangup_the_accounts_are_looked_at_and_who_has_none_any_more_goes() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Luis", "operator")]);
    let mut relay = relay(&folder, &[]);
    let (mut desk, token) = device(&relay, "Ana");
    let mut luis = logged_in(&relay, "Luis", "Luis-password");
    assert!(account(&folder, &["remove", "Ana"], "").0);
    assert!(account(&folder, &["role", "Luis", "user"], "").0);
    let mut squatter = relay.named("Eva");
    make_accounts(&folder, &[("Eva", "user")]);
    relay.signal("HUP");
    relay.await_said("accounts changed=2 gone=1");
    assert!(desk.lines_until_closed().iter().any(|line| line.starts_with("* FAIL RELAY ACCOUNT_REMOVED :")));
    expect(&mut luis, "/kick Nadie", "* FAIL KICK NOT_OPERATOR :");
    assert!(
        squatter.lines_until_closed().iter().any(|line| line.starts_with("* FAIL RELAY NAME_REGISTERED :"))
    );
    expect(&mut relay.client(), "/nick Eva", "* FAIL NICK NAME_REGISTERED Eva :");
    let mut free = relay.client();
    free.tell(&format!("/hello v=1 name=Ana resume={token}"));
    let told = free.all_lines();
    assert!(told.iter().any(|line| line.starts_with("* WARN HELLO RESUME_UNKNOWN :")), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("* HELLO v=1 name=Ana ")), "{told:?}");
}

#[test]
fn an_act_on_an_account_that_a_tool_has_removed_a_moment_ago_brings_nothing_of_it_back() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Luis", "user"), ("Jefa", "operator")]);
    let relay = relay(&folder, &[]);
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    let mut ana = logged_in(&relay, "Ana", "Ana-password");
    let (mut luis, _) = device(&relay, "Luis");
    assert!(account(&folder, &["remove", "Ana"], "").0);
    expect(&mut jefa, "/op Ana", "* FAIL OP NO_ACCOUNT Ana :");
    assert!(ana.lines_until_closed().iter().any(|line| line.starts_with("* FAIL RELAY ACCOUNT_REMOVED :")));
    assert!(account(&folder, &["remove", "Luis"], "").0);
    luis.send("/passwd la de siempre");
    assert!(luis.lines_until_closed().iter().any(|line| line.starts_with("* FAIL RELAY ACCOUNT_REMOVED :")));
    assert!(account(&folder, &["remove", "Jefa"], "").0);
    jefa.send("/op Jefa");
    assert!(jefa.lines_until_closed().iter().any(|line| line.starts_with("* FAIL RELAY ACCOUNT_REMOVED :")));
    relay.stop();
    assert_eq!(account(&folder, &["list"], "").1, "");
}

#[test]
fn a_password_from_a_tool_stays_whatever_else_is_changed_of_the_account_beside_it() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Jefa", "operator")]);
    let first = relay(&folder, &[]);
    let mut jefa = logged_in(&first, "Jefa", "Jefa-password");
    assert!(account(&folder, &["passwd", "Ana"], "otra clave\n").0);
    expect(&mut jefa, "/op Ana", "* NOTE OP DONE Ana :");
    expect(&mut first.client(), "/login Ana Ana-password", "* FAIL LOGIN REFUSED :");
    first.stop();
    let second = relay(&folder, &[]);
    expect(&mut second.client(), "/login Ana Ana-password", "* FAIL LOGIN REFUSED :");
    expect(&mut second.client(), "/login Ana otra clave", "* NOTE LOGIN DONE name=Ana role=operator :");
}

#[test]
fn a_file_that_cannot_be_read_at_a_hangup_is_told_and_the_accounts_from_before_go_on() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "operator")]);
    let mut relay = relay(&folder, &["--lang", "en"]);
    let mut ana = logged_in(&relay, "Ana", "Ana-password");
    assert!(account(&folder, &["role", "Ana", "user"], "").0);
    let file = rusqlite::Connection::open(folder.file()).unwrap();
    file.execute_batch("ALTER TABLE account RENAME TO hidden").unwrap();
    relay.signal("HUP");
    let line = relay.await_said("accounts not read: ");
    assert!(
        line.contains(folder.file().to_str().unwrap()) && line.contains("no such table: account"),
        "{line}"
    );
    assert!(line.ends_with("; the accounts from before stay; mend the file and send SIGHUP again"), "{line}");
    expect(&mut ana, "/kick Nadie", "* FAIL KICK NOT_HERE Nadie :");
    logged_in(&relay, "Ana", "Ana-password");
    file.execute_batch("ALTER TABLE hidden RENAME TO account").unwrap();
    relay.signal("HUP");
    relay.await_said("accounts changed=1 gone=0");
    expect(&mut ana, "/kick Nadie", "* FAIL KICK NOT_OPERATOR :");
}

#[test]
fn a_token_of_the_old_password_opens_nothing_after_a_restart_of_a_relay_that_was_not_told_of_the_new_one() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Luis", "user"), ("Eva", "user")]);
    let first = relay(&folder, &[]);
    let (mut ana, anas) = device(&first, "Ana");
    let (mut luis, luises) = device(&first, "Luis");
    let (mut eva, evas) = device(&first, "Eva");
    assert!(account(&folder, &["passwd", "Ana"], "otra clave\n").0);
    assert!(account(&folder, &["remove", "Luis"], "").0);
    // It keeps where they are, whoever they are.
    [&mut ana, &mut luis, &mut eva].into_iter().for_each(|device| device.tell("/join cocina"));
    first.stop();
    let second = relay(&folder, &[]);
    let resume = format!("/hello v=1 name=Ana resume={anas}");
    expect(&mut second.client(), &resume, "* FAIL HELLO NAME_REGISTERED Ana :");
    let mut luis = second.client();
    luis.tell(&format!("/hello v=1 name=Luis resume={luises}"));
    let told = luis.all_lines();
    assert!(told.iter().any(|line| line.starts_with("* WARN HELLO RESUME_UNKNOWN :")), "{told:?}");
    let mut eva = second.client();
    eva.tell(&format!("/hello v=1 name=Eva resume={evas}"));
    assert!(eva.all_lines().iter().any(|line| line.starts_with("* HELLO v=1 name=Eva ")));
    logged_in(&second, "Ana", "otra clave");
}

#[test]
fn a_device_that_has_chosen_another_password_comes_back_with_its_token_after_a_restart() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let first = relay(&folder, &[]);
    let (mut ana, token) = device(&first, "Ana");
    expect(&mut ana, "/passwd la segunda", "* NOTE PASSWD DONE :");
    first.stop();
    let second = relay(&folder, &[]);
    let mut ana = second.client();
    ana.tell(&format!("/hello v=1 name=Ana resume={token}"));
    assert!(ana.all_lines().iter().any(|line| line.contains(&token)));
}

#[test]
fn who_is_an_operator_no_more_hears_nothing_more_of_a_closed_room() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Jefa", "operator"), ("Ana", "operator"), ("Luis", "operator")]);
    let mut relay = relay(&folder, &[]);
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    expect(&mut jefa, "/room junta members", "* NOTE ROOM DONE junta members :");
    expect(&mut jefa, "/join junta", "* JOINED room=junta :");
    let mut ana = logged_in(&relay, "Ana", "Ana-password");
    expect(&mut ana, "/join junta", "* JOINED room=junta :");
    let (mut luis, _) = device(&relay, "Luis");
    expect(&mut luis, "/join junta", "* JOINED room=junta ");
    expect(&mut jefa, "/deop Ana", "* NOTE DEOP DONE Ana :");
    assert!(ana.all_lines().iter().any(|line| line.starts_with("* JOINED room=general :")));
    assert!(account(&folder, &["role", "Luis", "user"], "").0);
    relay.signal("HUP");
    relay.await_said("accounts changed=1 gone=0");
    luis.sync();
    ana.forget();
    luis.forget();
    jefa.tell("Jefa: es secreto");
    ana.hears(&[]);
    assert!(luis.all_lines().iter().all(|line| !line.contains("secreto")));
    expect(&mut luis, "@label=1;room=junta hola", "* FAIL SAY NO_ROOM label=1 :");
}

#[test]
fn who_is_a_bridge_no_more_speaks_for_nobody_else_where_everybody_needs_an_account() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Jefa", "operator"), ("Telegram", "bridge")]);
    let relay = relay(&folder, &["--access", "registered"]);
    let mut ana = logged_in(&relay, "Ana", "Ana-password");
    let mut bridge = logged_in(&relay, "Telegram", "Telegram-password");
    expect(&mut bridge, "/nick Telegram\\s-\\sPepe", "* NOTE NICK RENAMED Telegram\\s-\\sPepe :");
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    expect(&mut jefa, "/deop Telegram", "* NOTE DEOP DONE Telegram :");
    ana.sync();
    ana.forget();
    expect(&mut bridge, "Telegram - Pepe: hola", "* FAIL SAY NOT_BRIDGE Telegram :");
    bridge.tell("hola");
    ana.hears(&["Telegram: hola"]);
}
