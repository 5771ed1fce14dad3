//! A relay that ends and starts again: with another clock, or with everybody coming back.

use std::process::Command;

use crate::extended::{Speaker, in_file, word};
use crate::support::{Client, Folder, Relay};

/// The clock's libraries, as the program that sets clocks knows them.
fn preload() -> String {
    let output = Command::new("faketime").args(["-m", "-f", "-1h", "env"]).output();
    let output = output.expect("faketime is missing: install it, `make deps` does");
    let said = String::from_utf8(output.stdout).unwrap();
    let preload = said.lines().find_map(|line| line.strip_prefix("LD_PRELOAD="));
    preload.unwrap_or_else(|| panic!("faketime does not say how: {said}")).to_owned()
}

/// A relay that starts at this time.
fn relay_at(folder: &Folder, time: &str) -> Relay {
    let mut command = Relay::command();
    command.args(["--listen", "127.0.0.1:0", "--flood", "0", "--history"]).arg(folder.file());
    command.env("LD_PRELOAD", preload()).env("FAKETIME", time).env("TZ", "UTC");
    // What measures how long something takes goes on as it is.
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    Relay::from_command(command)
}

/// Says a line, and gives its id and the hour that its acknowledgement names: `2026-11-25T16`.
fn say(speaker: &mut Speaker, label: &str) -> (u64, String) {
    speaker.say(label, "hola");
    let ack = speaker.wait_for(&format!("* ACK label={label} "));
    let time = word(&ack, "time");
    (word(&ack, "id").parse().unwrap(), time[.."2026-11-25T16".len()].to_owned())
}

#[test]
fn when_the_clock_goes_back_while_the_relay_runs_ids_grow_and_times_follow_the_clock() {
    let folder = Folder::new();
    let clock = folder.file().with_file_name("clock");
    let set = |time: &str| std::fs::write(&clock, time).unwrap();
    set("@2030-06-01 12:00:10");
    let mut command = Relay::command();
    command.args(["--listen", "127.0.0.1:0", "--flood", "0", "--history"]).arg(folder.file());
    command.env("LD_PRELOAD", preload()).env("FAKETIME_TIMESTAMP_FILE", &clock).env("TZ", "UTC");
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_NO_CACHE", "1");
    let relay = Relay::from_command(command);
    let mut ana = Speaker::greet(relay.address(), "Ana");
    let mut said = vec![say(&mut ana, "1")];
    set("@2030-06-01 11:00:10");
    said.push(say(&mut ana, "2"));
    // The session is as good as before.
    let mut ana = Speaker::back(relay.address(), &ana.token);
    said.push(say(&mut ana, "3"));
    assert_eq!(say(&mut ana, "1"), said[0], "a repeat gets the first answer");
    set("@2030-06-01 12:30:10");
    said.push(say(&mut ana, "4"));
    let hours: Vec<&str> = said.iter().map(|(_, hour)| hour.as_str()).collect();
    assert_eq!(hours, ["2030-06-01T12", "2030-06-01T11", "2030-06-01T11", "2030-06-01T12"]);
    assert!(said.is_sorted_by(|(one, _), (other, _)| one < other), "{said:?}");
    relay.stop();
    let kept: Vec<u64> = in_file(&folder.file()).into_iter().map(|line| line.id).collect();
    assert_eq!(kept, said.iter().map(|(id, _)| *id).collect::<Vec<_>>());
}

#[test]
fn when_the_clock_goes_back_an_hour_ids_grow_and_times_follow_the_clock() {
    let folder = Folder::new();
    let relay = relay_at(&folder, "@2030-06-01 12:00:10");
    let mut ana = Speaker::greet(relay.address(), "Ana");
    let mut said = Vec::new();
    said.push(say(&mut ana, "1"));
    relay.stop();
    let relay = relay_at(&folder, "@2030-06-01 11:00:10");
    let mut ana = Speaker::back(relay.address(), &ana.token);
    said.push(say(&mut ana, "2"));
    said.push(say(&mut ana, "3"));
    assert_eq!(say(&mut ana, "1"), said[0], "a repeat gets the first answer");
    relay.signal("KILL");
    relay.await_end();
    let relay = relay_at(&folder, "@2030-06-01 13:00:10");
    let mut ana = Speaker::back(relay.address(), &ana.token);
    said.push(say(&mut ana, "4"));
    relay.stop();
    let hours: Vec<&str> = said.iter().map(|(_, hour)| hour.as_str()).collect();
    assert_eq!(hours, ["2030-06-01T12", "2030-06-01T11", "2030-06-01T11", "2030-06-01T13"]);
    assert!(said.is_sorted_by(|(one, _), (other, _)| one < other), "{said:?}");
    let kept: Vec<u64> = in_file(&folder.file()).into_iter().map(|line| line.id).collect();
    assert_eq!(kept, said.iter().map(|(id, _)| *id).collect::<Vec<_>>());
}

/// Has a relay run at this time until it has looked at what is too old, and says a line meanwhile.
fn run_at(folder: &Folder, time: &str, name: &str) {
    let relay = relay_at(folder, time);
    let mut speaker = Speaker::greet(relay.address(), name);
    say(&mut speaker, "1");
    relay.stop();
}

#[test]
fn a_clock_that_is_a_hundred_days_ahead_takes_no_line_away() {
    let folder = Folder::new();
    run_at(&folder, "@2030-06-01 12:00:00", "Ana");
    for name in ["Luis", "Eva"] {
        run_at(&folder, "@2030-09-09 12:00:00", name);
    }
    run_at(&folder, "@2030-06-01 12:05:00", "Teo");
    assert_eq!(in_file(&folder.file()).len(), 4);
}

#[test]
fn lines_that_were_said_before_the_clock_was_set_stay_once_it_is() {
    for first in [None, Some("@2030-06-01 12:00:00")] {
        let folder = Folder::new();
        first.iter().for_each(|time| run_at(&folder, time, "Ana"));
        let relay = relay_at(&folder, "@1970-01-02 00:00:00");
        let mut luis = Speaker::greet(relay.address(), "Luis");
        let said = say(&mut luis, "1");
        relay.stop();
        run_at(&folder, "@2030-06-01 12:05:00", "Eva");
        let relay = relay_at(&folder, "@2030-06-01 12:10:00");
        let mut luis = Speaker::back(relay.address(), &luis.token);
        assert_eq!(say(&mut luis, "1"), said, "a repeat gets the first answer");
        relay.stop();
        assert_eq!(in_file(&folder.file()).len(), 2 + first.iter().count());
    }
}

#[test]
fn a_relay_that_ends_leaves_nothing_beside_its_file() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let mut ana = Speaker::greet(relay.address(), "Ana");
    say(&mut ana, "0");
    relay.stop();
    for label in 1..10 {
        let relay = folder.relay(&[]);
        ana = Speaker::back(relay.address(), &ana.token);
        say(&mut ana, &label.to_string());
        ana.client.send("/history");
        relay.stop();
        let files: Vec<_> =
            std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files, [folder.file()]);
    }
}

#[test]
fn whoever_comes_back_after_a_restart_shows_nobody_anything() {
    let folder = Folder::new();
    let relay = folder.relay(&[]);
    let names = ["Ana", "Luis", "Eva"];
    let mut speakers = names.map(|name| Speaker::greet(relay.address(), name));
    speakers[0].say("1", "hasta ahora");
    speakers[0].acknowledged("1");
    relay.stop();
    let relay = folder.relay(&[]);
    // It is there before they are.
    let mut listener: Client = relay.client();
    listener.sync();
    let mut back = Vec::new();
    for speaker in &speakers {
        back.push(Speaker::back(relay.address(), &speaker.token));
        listener.hears(&[]);
    }
    for (speaker, name) in back.iter_mut().zip(names) {
        speaker.say("2", "he vuelto");
        speaker.acknowledged("2");
        listener.hears(&[&format!("{name}: he vuelto")]);
    }
    for speaker in &mut back {
        speaker.count("");
        assert!(!speaker.heard.iter().any(|line| line.contains("notice=")), "{:?}", speaker.heard);
    }
    // The name is held: nobody else gets it.
    let mut other = relay.client();
    other.send("Ana: soy otra");
    other.expect_line("* FAIL SAY NAME_IN_USE Ana :…");
}
