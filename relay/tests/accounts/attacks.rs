//! What somebody may try.

use std::time::Instant;

use crate::support::{Client, DEADLINE, Folder};
use crate::{ask, device, expect, logged_in, make_accounts, relay};

/// The next line that the relay says for itself.
fn next_answer(client: &mut Client) -> String {
    loop {
        let line = client.next_line();
        if line.starts_with("* ") {
            return line;
        }
    }
}

#[test]
fn ten_thousand_guesses_find_nothing_and_the_others_do_not_wait() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let relay = relay(&folder, &[]);
    let [mut luis, mut eva] = relay.people(["Luis", "Eva"]);
    let mut thief = relay.client();
    let guesses: String = (0..10_000).map(|number| format!("/login Ana guess-{number}\n")).collect();
    let (mut refused, mut too_soon) = (0, 0);
    std::thread::scope(|scope| {
        let mut writer = Client::stream(&thief).try_clone().unwrap();
        scope.spawn(move || std::io::Write::write_all(&mut writer, guesses.as_bytes()).unwrap());
        for number in 0..10_000 {
            let line = next_answer(&mut thief);
            refused += usize::from(line.starts_with("* FAIL LOGIN REFUSED :"));
            too_soon += usize::from(line.starts_with("* FAIL LOGIN TOO_SOON "));
            if number % 1000 == 0 {
                luis.tell(&format!("Luis: {number}"));
                eva.hears(&[&format!("Luis: {number}")]);
            }
        }
    });
    assert_eq!(refused + too_soon, 10_000);
    // Some are free, and then one for each delay that has passed.
    assert!((4..50).contains(&refused), "{refused} were looked at");
    expect(&mut relay.client(), "/login Ana Ana-password", "* FAIL LOGIN TOO_SOON ");
    let said = relay.stop().concat();
    assert!(said.contains("login_failed name=Ana from=127.0.0.1") && !said.contains("guess-"), "{said}");
}

#[test]
fn a_flood_of_new_accounts_from_one_address_comes_to_its_end() {
    let folder = Folder::new();
    let relay = relay(&folder, &[]);
    let mut done = 0;
    for number in 0..100 {
        let answer = ask(&mut relay.client(), &format!("/register n{number} una clave"));
        done += usize::from(answer.starts_with("* NOTE REGISTER DONE"));
        assert!(answer.starts_with("* NOTE REGISTER DONE") || answer.starts_with("* FAIL REGISTER TOO_SOON"));
    }
    assert!((4..20).contains(&done), "{done}");
}

#[test]
fn log_ins_that_all_come_at_once_are_refused_as_busy_and_delay_no_line() {
    let folder = Folder::new();
    let relay = relay(&folder, &["--trusted", "127.0.0.0/8", "--argon2-memory", "32768"]);
    let [mut luis, mut eva] = relay.people(["Luis", "Eva"]);
    let mut crowd: Vec<Client> = (0..200).map(|_| relay.client()).collect();
    for (number, client) in crowd.iter_mut().enumerate() {
        client.send(&format!("/login n{number} adivinada"));
    }
    luis.tell("Luis: hola");
    eva.hears(&["Luis: hola"]);
    let answers: Vec<String> = crowd.iter_mut().map(next_answer).collect();
    let count = |start: &str| answers.iter().filter(|answer| answer.starts_with(start)).count();
    let (refused, busy) = (count("* FAIL LOGIN REFUSED :"), count("* FAIL LOGIN BUSY :"));
    assert_eq!(refused + busy, 200, "{answers:?}");
    // How many are looked at meanwhile depends on the machine; `core` counts those that may wait.
    assert!(refused > 0 && busy > 0, "{refused} {busy}");
}

#[cfg(feature = "confusables")]
#[test]
fn nobody_takes_a_name_that_looks_like_an_accounts() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Paypal", "user")]);
    let relay = relay(&folder, &[]);
    for name in ["Paypal", "PAYPAL", "PaypaI", "Раураl", "Paypa\u{217c}", "Pay\u{ad}pal"] {
        let mut squatter = relay.client();
        let answer = ask(&mut squatter, &format!("/register {name} una clave"));
        assert!(answer.starts_with("* FAIL REGISTER NAME_"), "{name}: {answer}");
        let answer = ask(&mut squatter, &format!("/nick {name}"));
        assert!(answer.starts_with("* FAIL NICK NAME_"), "{name}: {answer}");
        let answer = ask(&mut squatter, &format!("{name} se ha unido al chat."));
        assert!(answer.contains("RENAMED") || answer.contains("NAME_INVALID"), "{name}: {answer}");
    }
}

#[test]
fn what_looks_like_sql_is_a_name_a_password_a_room_or_a_reason_like_any_other() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Jefa", "operator")]);
    let relay = relay(&folder, &["--trusted", "127.0.0.0/8"]);
    let poison = "'); DROP TABLE account; --";
    let name = "';DROP\\sTABLE\\saccount;--";
    let mut eve = relay.client();
    expect(&mut eve, &format!("/register {name} {poison}"), "* NOTE REGISTER DONE name=");
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    for line in [
        format!("/mute {name} 1h {poison}"),
        "/room 'DROP-- members".to_owned(),
        format!("/allow 'DROP-- {name}"),
        format!("/ban {name} {poison}"),
    ] {
        let answer = ask(&mut jefa, &line);
        assert!(answer.contains(" DONE "), "{line}: {answer}");
    }
    jefa.tell("Jefa: hola");
    expect(&mut jefa, "/read room='DROP-- id=7", "* READ room='drop-- id=7");
    expect(&mut relay.client(), &format!("/login {name} ' OR 1=1 --"), "* FAIL LOGIN REFUSED :");
    expect(&mut relay.client(), "/login '\\sOR\\s1=1\\s-- cualquiera", "* FAIL LOGIN REFUSED :");
    relay.stop();
    let file = rusqlite::Connection::open(folder.file()).unwrap();
    let count = |table: &str| {
        file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, u64>(0)).unwrap()
    };
    assert_eq!(["account", "sanction", "room_access", "read_marker"].map(count), [2, 2, 1, 1]);
}

#[test]
fn no_secret_stands_in_the_log_in_the_file_or_in_the_list_of_processes() {
    const SECRETS: [&str; 4] = ["secreto-uno", "secreto-dos", "secreto-tres", "secreto-cuatro"];
    let folder = Folder::new();
    let (done, _, said) = crate::account(&folder, &["add", "Ana"], "secreto-uno\n");
    assert!(done && !said.contains("secreto"), "{said}");
    let relay = relay(&folder, &[]);
    let mut ana = logged_in(&relay, "Ana", SECRETS[0]);
    expect(&mut ana, "/passwd secreto-dos", "* NOTE PASSWD DONE :");
    expect(&mut relay.client(), "/login Ana secreto-tres", "* FAIL LOGIN REFUSED :");
    expect(&mut relay.client(), "/register Luis secreto-cuatro", "* NOTE REGISTER DONE");
    // Typed wrong, a password must not be said either.
    ana.forget();
    let answer = ask(&mut ana, "/register Ana");
    assert!(answer.starts_with("* FAIL REGISTER MISSING PASSWORD"), "{answer}");
    let command = std::fs::read(format!("/proc/{}/cmdline", relay.pid())).unwrap();
    let said = relay.stop().concat();
    let kept = std::fs::read(folder.file()).unwrap();
    for secret in SECRETS {
        let has = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!has(said.as_bytes()) && !has(&kept) && !has(&command), "{secret}");
    }
}

#[test]
fn a_stolen_token_of_a_banned_account_opens_nothing() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Jefa", "operator")]);
    let first = relay(&folder, &[]);
    let mut ana = logged_in(&first, "Ana", "Ana-password");
    ana.send("/quit");
    ana.lines_until_closed();
    let mut ana = first.client();
    ana.tell("/hello v=1 name=Ana");
    ana.tell("/login Ana Ana-password");
    ana.forget();
    ana.tell("/hello v=1 name=Ana");
    let hello = ana.all_lines().into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    let token = hello.split(' ').find_map(|word| word.strip_prefix("token=")).unwrap().to_owned();
    let mut jefa = logged_in(&first, "Jefa", "Jefa-password");
    expect(&mut jefa, "/ban Ana 1h ruido", "* NOTE BAN DONE Ana :");
    let told = ana.lines_until_closed();
    assert!(told.iter().any(|line| line.starts_with("* FAIL RELAY BANNED :")), "{told:?}");
    let resume = format!("/hello v=1 name=Ana resume={token}");
    expect(&mut first.client(), &resume, "* FAIL HELLO BANNED :");
    first.stop();
    let second = relay(&folder, &[]);
    expect(&mut second.client(), &resume, "* FAIL HELLO BANNED :");
    let mut again = second.client();
    again.send("/login Ana Ana-password");
    let told = again.lines_until_closed();
    assert!(told[0].starts_with("* FAIL LOGIN BANNED :"), "{told:?}");
    let mut jefa = logged_in(&second, "Jefa", "Jefa-password");
    expect(&mut jefa, "/unban Ana", "* NOTE UNBAN DONE Ana :");
    logged_in(&second, "Ana", "Ana-password");
}

#[test]
fn a_closed_room_is_not_entered_nor_read_nor_searched_by_who_may_not() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Luis", "user"), ("Jefa", "operator")]);
    let relay = relay(&folder, &[]);
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    let mut luis = logged_in(&relay, "Luis", "Luis-password");
    luis.tell("/join junta");
    luis.tell("Luis: sin escoba");
    expect(&mut jefa, "/room junta members", "* NOTE ROOM DONE junta members :");
    assert!(luis.all_lines().iter().any(|line| line.starts_with("* JOINED room=general :")));
    expect(&mut jefa, "/allow junta Ana", "* NOTE ALLOW DONE junta Ana :");
    let mut ana = logged_in(&relay, "Ana", "Ana-password");
    expect(&mut ana, "/join JUNTA", "* JOINED room=junta :");
    ana.tell("Ana: es secreto");
    let mut extended = relay.client();
    extended.tell("/hello v=1 name=Eva");
    let mut guest = relay.client();
    for client in [&mut luis, &mut extended, &mut guest] {
        for (line, command) in [
            ("/join junta", "JOIN"),
            ("/join Junta", "JOIN"),
            ("/history room=junta", "HISTORY"),
            ("/history room=JUNTA limit=9", "HISTORY"),
            ("/search room=junta secreto", "SEARCH"),
        ] {
            expect(client, line, &format!("* FAIL {command} NOT_ALLOWED junta"));
        }
        expect(client, "/who room=junta", "* FAIL WHO NO_SUCH_ROOM junta :");
        client.forget();
        client.tell("/rooms");
        assert!(client.all_lines().iter().all(|line| !line.contains("junta")));
        client.tell("/search secreto");
        assert!(client.all_lines().iter().all(|line| !line.contains("Ana: es")));
    }
    expect(&mut extended, "@label=1;room=junta hola", "* FAIL SAY NO_ROOM label=1 :");
    expect(&mut relay.client(), "/hello v=1 name=Pepe room=junta", "* FAIL HELLO NOT_ALLOWED junta :");
    ana.hears(&[]);
    expect(&mut jefa, "/deny junta Ana", "* NOTE DENY DONE junta Ana :");
    expect(&mut ana, "/join junta", "* FAIL JOIN NOT_ALLOWED junta :");
    relay.stop();
    let relay = crate::relay(&folder, &[]);
    let mut ana = logged_in(&relay, "Ana", "Ana-password");
    expect(&mut ana, "/history room=junta", "* FAIL HISTORY NOT_ALLOWED junta :");
}

#[test]
fn a_log_in_that_is_looked_at_holds_only_its_own_connection_back() {
    let folder = Folder::new();
    let relay = relay(&folder, &["--argon2-memory", "65536", "--argon2-passes", "3"]);
    let [mut luis, mut eva] = relay.people(["Luis", "Eva"]);
    let mut slow = relay.client();
    slow.send("/login Ana adivinada\nSlow: después");
    let begun = Instant::now();
    let mut lines = 0;
    while begun.elapsed() < DEADLINE && lines < 20 {
        luis.tell("Luis: hola");
        eva.hears(&["Luis: hola"]);
        lines += 1;
    }
    assert_eq!(lines, 20);
    assert!(next_answer(&mut slow).starts_with("* FAIL LOGIN REFUSED :"));
}

#[test]
fn who_was_in_a_room_before_it_was_closed_hears_nothing_of_it_on_coming_back() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Luis", "user"), ("Mar", "user"), ("Jefa", "operator")]);
    let first = relay(&folder, &[]);
    let members = ["Luis", "Mar"].map(|name| {
        let (mut client, token) = device(&first, name);
        client.tell("/join junta");
        client.reset();
        token
    });
    let guests = ["Eva", "Pepe"].map(|name| {
        let mut client = first.client();
        client.tell(&format!("/hello v=1 name={name} room=junta"));
        let hello = client.all_lines().into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
        client.reset();
        hello.split(' ').find_map(|word| word.strip_prefix("token=")).unwrap().to_owned()
    });
    let mut jefa = logged_in(&first, "Jefa", "Jefa-password");
    expect(&mut jefa, "/room junta members", "* NOTE ROOM DONE junta members :");
    expect(&mut jefa, "/allow junta Ana", "* NOTE ALLOW DONE junta Ana :");
    let mut ana = logged_in(&first, "Ana", "Ana-password");
    ana.tell("/join junta");
    ana.tell("Ana: es secreto");
    let come_back = |relay: &crate::support::Relay, name: &str, token: &str| {
        for (time, after) in ["", " after=1", " after=junta:1", " room=junta"].into_iter().enumerate() {
            let mut client = relay.client();
            client.tell(&format!("/hello v=1 name={name} resume={token}{after}"));
            client.tell("/who room=junta");
            client.tell("@label=1;room=junta;reply=1 hola");
            let told = client.all_lines();
            // It is told once: from then on that room is none of the session's.
            let is_told = told.iter().any(|line| line.starts_with("* FAIL JOIN NOT_ALLOWED junta :"));
            assert_eq!(is_told, time == 0, "{name}{after}: {told:?}");
            assert!(
                !told.iter().any(|line| line.contains("secreto") || line.contains("room=junta")),
                "{name}{after}: {told:?}"
            );
            client.reset();
        }
    };
    come_back(&first, "Luis", &members[0]);
    come_back(&first, "Eva", &guests[0]);
    // Those who had seen them there see that they are not any more, and hear nothing else of them.
    let heard: Vec<String> = ana.all_lines().into_iter().filter(|line| !line.starts_with("* ")).collect();
    assert!(heard.iter().all(|line| line.ends_with(" ha abandonado el chat.")), "{heard:?}");
    assert!(["Luis", "Eva"].iter().all(|name| heard.contains(&format!("{name} ha abandonado el chat."))));
    first.stop();
    let second = relay(&folder, &[]);
    come_back(&second, "Mar", &members[1]);
    come_back(&second, "Pepe", &guests[1]);
}

#[test]
fn what_is_no_token_opens_nothing_and_breaks_nothing() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let relay = relay(&folder, &[]);
    let (_device, token) = device(&relay, "Ana");
    let start = &token[..31];
    for wrong in ["0", "'OR''='", "%", "00000000000000000000000000000000", start, &format!("{token}0")] {
        let answer = ask(&mut relay.client(), &format!("/hello v=1 name=Ana resume={wrong}"));
        assert!(answer.starts_with("* FAIL HELLO NAME_REGISTERED Ana :"), "{wrong}: {answer}");
    }
}

#[test]
fn what_is_longer_than_a_name_is_no_accounts_and_is_not_looked_up() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Jefa", "operator")]);
    let relay = relay(&folder, &["--trusted", "127.0.0.0/8"]);
    let long = "\u{fdfa}".repeat(5000);
    let mut thief = relay.client();
    expect(&mut thief, &format!("/login {long} adivinada"), "* FAIL LOGIN NAME_INVALID :");
    expect(&mut thief, &format!("/register {long} adivinada"), "* FAIL REGISTER NAME_INVALID :");
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    for act in ["op", "deop", "kick", "mute", "unmute", "ban", "unban"] {
        let answer = ask(&mut jefa, &format!("/{act} {long}"));
        assert!(answer.starts_with(&format!("* FAIL {} ", act.to_uppercase())), "{answer}");
    }
    let said = relay.stop().concat();
    assert!(!said.contains("login_failed"), "{said}");
}

#[test]
fn no_line_of_the_log_is_longer_than_what_a_pipe_takes_at_once() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Jefa", "operator")]);
    let mut relay = relay(&folder, &[]);
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    let why = "porque sí ".repeat(1000);
    expect(&mut jefa, &format!("/mute Ana 1h {why}"), "* NOTE MUTE DONE Ana :");
    let line = relay.await_said("act kind=mute by=Jefa target=Ana ");
    assert!(line.contains("why=porque\\ssí"), "{line}");
    assert!(line.len() < 4096, "{} bytes", line.len());
}
