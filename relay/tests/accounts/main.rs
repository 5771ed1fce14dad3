//! Accounts, access and operators, on real sockets with a real relay. The rules on addresses are in `core`, where an
//! address can be any.

#![cfg(feature = "history")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod attacks;
mod core;
mod devices;
mod kept;
mod keys;
mod login;
mod mutes;
mod operators;
mod sanctions;
mod simulation;
mod tools;

use support::{CHEAP, Client, Folder, Relay};

/// A relay with these flags and cheap passwords.
fn relay(folder: &Folder, flags: &[&str]) -> Relay {
    folder.relay(&[&CHEAP[..], flags].concat())
}

/// The last line that the relay gave in answer to this one.
#[track_caller]
fn ask(client: &mut Client, line: &str) -> String {
    client.forget();
    client.tell(line);
    let lines = client.all_lines();
    lines.iter().rfind(|line| line.starts_with("* ")).unwrap_or_else(|| panic!("{line}: {lines:?}")).clone()
}

#[track_caller]
fn expect(client: &mut Client, line: &str, answer: &str) {
    let heard = ask(client, line);
    assert!(heard.starts_with(answer), "{line}: {heard:?} instead of {answer:?}");
}

/// A connection that has logged in.
#[track_caller]
fn logged_in(relay: &Relay, name: &str, password: &str) -> Client {
    let mut client = relay.client();
    client.tell(&format!("/login {name} {password}"));
    let lines = client.all_lines();
    assert!(lines.iter().any(|line| line.starts_with("* NOTE LOGIN DONE")), "{name}: {lines:?}");
    client
}

/// An extended connection that has logged in, and its token.
fn device(relay: &Relay, name: &str) -> (Client, String) {
    let mut client = relay.client();
    client.tell(&format!("/hello v=1 name={name}"));
    client.tell(&format!("/login {name} {name}-password"));
    client.forget();
    client.tell(&format!("/hello v=1 name={name}"));
    let hello = client.all_lines().into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    let token = hello.split(' ').find_map(|word| word.strip_prefix("token=")).unwrap().to_owned();
    (client, token)
}

/// Runs `account WORDS` on the file, with this on standard input. Whether it was done, and what it said.
fn account(folder: &Folder, words: &[&str], input: &str) -> (bool, String, String) {
    let output = folder.account(words, input);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn make_accounts(folder: &Folder, accounts: &[(&str, &str)]) {
    folder.make_accounts(accounts);
}
