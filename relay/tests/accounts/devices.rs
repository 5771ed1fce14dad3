//! One account on several devices.

use crate::support::{Client, Folder};
use crate::{device, expect, logged_in, make_accounts, relay};

#[test]
fn an_account_comes_with_its_first_device_and_goes_with_its_last() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let relay = relay(&folder, &[]);
    let [mut luis] = relay.people(["Luis"]);
    let mut phone = logged_in(&relay, "Ana", "Ana-password");
    let (mut desk, _) = device(&relay, "Ana");
    luis.hears(&["Ana se ha unido al chat."]);
    phone.tell("Ana: desde el móvil");
    assert!(desk.all_lines().iter().any(|line| line.ends_with(" Ana: desde el móvil")));
    phone.forget();
    desk.tell("@label=1 desde la mesa");
    phone.hears(&["Ana: desde la mesa"]);
    luis.forget();
    luis.tell("/who");
    luis.hears(&[
        "* WHO room=general name=Ana",
        "* WHO room=general name=Luis",
        "* END WHO room=general shown=2 of=2",
    ]);
    luis.tell("/rooms");
    luis.hears(&["* ROOMS room=general names=2", "* END ROOMS shown=1 of=1"]);
    luis.tell("/msg Ana hola");
    phone.hears(&["* PRIVATE Luis :hola"]);
    desk.sync();
    desk.tell("/join cocina");
    desk.send("/quit");
    desk.lines_until_closed();
    luis.hears(&[]);
    phone.send("/quit");
    phone.lines_until_closed();
    luis.hears(&["Ana ha abandonado el chat."]);
}

#[test]
fn a_device_that_may_come_back_is_not_missed_while_another_is_there() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let relay = relay(&folder, &[]);
    let [mut luis] = relay.people(["Luis"]);
    let (desk, token) = device(&relay, "Ana");
    let mut phone = logged_in(&relay, "Ana", "Ana-password");
    desk.reset();
    phone.send("/quit");
    phone.lines_until_closed();
    let mut desk = relay.client();
    desk.tell(&format!("/hello v=1 name=Ana resume={token}"));
    desk.tell("@label=1 otra vez");
    luis.hears(&["Ana se ha unido al chat.", "Ana: otra vez"]);
}

#[test]
fn what_was_read_on_one_device_is_read_on_the_others_and_only_grows() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let first = relay(&folder, &[]);
    let (mut desk, token) = device(&first, "Ana");
    let (mut phone, _) = device(&first, "Ana");
    let mut guest = first.named("Eva");
    guest.tell("Eva: hola");
    let id = |client: &mut Client| {
        let line = client.all_lines().into_iter().rfind(|line| line.ends_with("Eva: hola")).unwrap();
        line["@id=".len()..].split(';').next().unwrap().parse::<u64>().unwrap()
    };
    let id = id(&mut desk);
    phone.forget();
    expect(&mut desk, &format!("/read room=general id={id}"), &format!("* READ room=general id={id}"));
    phone.hears(&[&format!("* READ room=general id={id}")]);
    expect(&mut desk, "/read room=general id=1", &format!("* READ room=general id={id}"));
    phone.hears(&[]);
    expect(&mut guest, "/read room=general id=1", "* FAIL READ LOGIN_NEEDED :");
    let far = crate::ask(&mut phone, "/leido room=general id=18446744073709551615");
    let far: u64 = far.strip_prefix("* READ room=general id=").unwrap().parse().unwrap();
    assert!(far >= id && far < u64::MAX / 2, "{far}");
    first.stop();
    let second = relay(&folder, &[]);
    let mut desk = second.client();
    desk.tell(&format!("/hello v=1 name=Ana resume={token}"));
    let told = desk.all_lines();
    assert!(told.contains(&format!("* READ room=general id={far}")), "{told:?}");
    let mut phone = logged_in(&second, "Ana", "Ana-password");
    phone.tell("/ping x");
    let (mut tablet, _) = device(&second, "Ana");
    tablet.tell("/ping x");
}

#[test]
fn what_one_device_says_to_somebody_alone_reaches_the_account_s_other_devices_and_nobody_else() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Eva L", "user")]);
    let relay = relay(&folder, &[]);
    let [mut luis, mut bea] = relay.people(["Luis", "Bea"]);
    let (mut desk, _) = device(&relay, "Ana");
    let (mut phone, _) = device(&relay, "Ana");
    let mut plain = logged_in(&relay, "Ana", "Ana-password");
    for client in [&mut luis, &mut bea, &mut desk, &mut phone, &mut plain] {
        client.sync();
        client.forget();
    }
    desk.tell("@label=1;to=Luis solo para ti");
    luis.hears(&["* PRIVATE Ana :solo para ti"]);
    let heard = phone.all_lines();
    let [line] = &heard[..] else { panic!("{heard:?}") };
    assert!(line.contains(";key=") && line.ends_with(";private=1;to=Luis Ana: solo para ti"), "{line}");
    plain.tell("/msg Luis y esto");
    luis.hears(&["* PRIVATE Ana :y esto"]);
    assert!(phone.all_lines().iter().any(|line| line.ends_with(";private=1;to=Luis Ana: y esto")));
    assert!(desk.all_lines().iter().any(|line| line.ends_with(";private=1;to=Luis Ana: y esto")));
    desk.tell("@label=2;to=Nadie no llega");
    desk.tell("@label=3;to=Ana a mí");
    assert!(!phone.all_lines().iter().any(|line| line.contains("to=")));
    plain.hears(&["* PRIVATE Ana :a mí"]);
    bea.hears(&[]);
}
