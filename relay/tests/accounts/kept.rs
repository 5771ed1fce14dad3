//! What is written of accounts, where two write into one file: the relay, and a tool.

use tertulia_relay::account::{
    AccountRow, Change, ReadMarker, Role, RoomAccess, RoomRow, Sanction, SanctionKind, Target,
};
use tertulia_relay::batch::Work;
use tertulia_relay::history::{Opening, Parcel, Store};
use tertulia_wire::secret::Secret;

use crate::support::Folder;

fn store(folder: &Folder) -> Store {
    Store::open(&folder.file(), Opening::default()).unwrap()
}

fn account(number: u64, name: &str) -> AccountRow {
    AccountRow {
        number,
        name: name.to_owned(),
        password: Secret(format!("{name}-hash")),
        role: Role::User,
        seen_unix_ms: None,
        token_epoch: 0,
    }
}

fn another_password(number: u64, before: Option<&str>, password: &str) -> Change {
    let secret = |hash: &str| Secret(hash.to_owned());
    Change::Password { number, before: before.map(secret), password: secret(password) }
}

/// What a relay writes at once that has these works to keep.
fn keep(store: &mut Store, works: &[&[Change]]) {
    let mut parcel = Parcel::default();
    for (number, changes) in (1..).zip(works) {
        parcel.add(Work { number, changes: changes.to_vec(), ..Work::default() }, true);
    }
    store.keep(&parcel).unwrap();
}

/// Name, password and role of each account.
fn accounts(store: &Store) -> Vec<(String, String, Role)> {
    let rows = store.accounts().unwrap().accounts.into_iter();
    rows.map(|row| (row.name, (*row.password).clone(), row.role)).collect()
}

#[test]
fn of_an_account_that_a_tool_has_removed_nothing_comes_back_that_a_relay_still_writes() {
    let folder = Folder::new();
    let mut store = store(&folder);
    let luis = account(2, "Luis");
    keep(&mut store, &[&[Change::Account(account(1, "Ana")), Change::Account(luis)]]);
    store.change_accounts(&[Change::AccountGone(1)]).unwrap();
    let mute = |target| Sanction {
        kind: SanctionKind::Mute,
        target,
        since_unix_ms: 7,
        until_unix_ms: None,
        by: "Jefa".to_owned(),
        why: String::new(),
    };
    let read = |account| Change::Read(ReadMarker { account, room: "general".to_owned(), id: 7 });
    let room = RoomRow { room: "junta".to_owned(), access: RoomAccess::Members, members: vec![2] };
    keep(
        &mut store,
        &[&[
            Change::Role(1, Role::Operator),
            another_password(1, Some("Ana-hash"), "otra"),
            Change::Sanction(mute(Target::Account(1))),
            Change::Sanction(mute(Target::Account(2))),
            read(1),
            read(2),
            Change::Room(room.clone()),
        ]],
    );
    let kept = store.accounts().unwrap();
    assert_eq!(kept.accounts, [account(2, "Luis")]);
    assert_eq!(kept.sanctions, [mute(Target::Account(2))]);
    assert_eq!(kept.markers.iter().map(|marker| marker.account).collect::<Vec<_>>(), [2]);
    assert_eq!(kept.rooms, [room]);
}

#[test]
fn a_relay_writes_what_it_has_changed_and_leaves_what_a_tool_has_changed() {
    let folder = Folder::new();
    let mut store = store(&folder);
    keep(&mut store, &[&[Change::Account(account(1, "Ana"))]]);
    store.change_accounts(&[another_password(1, None, "del-operador")]).unwrap();
    keep(&mut store, &[&[Change::Role(1, Role::Operator)]]);
    let ana = |password: &str, role| ("Ana".to_owned(), password.to_owned(), role);
    assert_eq!(accounts(&store), [ana("del-operador", Role::Operator)]);
    store.change_accounts(&[Change::Role(1, Role::Bridge)]).unwrap();
    // It was hashed anew, or chosen, by who knew another one.
    keep(&mut store, &[&[another_password(1, Some("Ana-hash"), "vieja")]]);
    assert_eq!(accounts(&store), [ana("del-operador", Role::Bridge)]);
    keep(&mut store, &[&[another_password(1, Some("del-operador"), "propia")]]);
    assert_eq!(accounts(&store), [ana("propia", Role::Bridge)]);
}

#[test]
fn changes_that_wait_together_come_to_what_they_would_have_come_to_one_by_one() {
    let folder = Folder::new();
    let mut store = store(&folder);
    keep(&mut store, &[&[Change::Account(account(1, "Ana"))]]);
    let first = [Change::Role(1, Role::Operator), another_password(1, Some("Ana-hash"), "uno")];
    let second = [another_password(1, Some("uno"), "dos"), Change::Role(1, Role::Bridge)];
    let third = [Change::Account(account(2, "Luis")), another_password(2, Some("Luis-hash"), "tres")];
    let works: [&[Change]; 3] = [&first, &second, &third];
    keep(&mut store, &works);
    assert_eq!(
        accounts(&store),
        [("Ana".into(), "dos".into(), Role::Bridge), ("Luis".into(), "tres".into(), Role::User)]
    );
}

#[test]
fn a_name_that_a_tool_has_given_away_meanwhile_stays_with_whom_it_gave_it() {
    let folder = Folder::new();
    let mut store = store(&folder);
    store.change_accounts(&[Change::Account(account(1, "Ana"))]).unwrap();
    keep(&mut store, &[&[Change::Account(AccountRow { number: 2, ..account(1, "Ana") })]]);
    keep(&mut store, &[&[Change::Account(AccountRow { role: Role::Operator, ..account(1, "Ana") })]]);
    assert_eq!(store.accounts().unwrap().accounts, [account(1, "Ana")]);
}
