//! People who do whatever comes to their minds, and operators too. Whatever they do: nobody is heard under a name that is
//! an account's without having logged in as it, nobody who is muted is heard, be it as a guest or as an account, and what is
//! said in a closed room is heard by those alone who may enter it.
//!
//! `RELAY_SEEDS=n` plays n seeds; `RELAY_SEED=s` plays that one again.

use std::collections::{BTreeMap, BTreeSet};

use tertulia_relay::account::Role;
use tertulia_relay::chat::ClientId;

use crate::core::{FAR, NEAR, ask_all, begun, connect};
use crate::support::core::Core;

const CLIENTS: u32 = 7;
const STEPS: usize = 300;
const ACCOUNTS: [(&str, Role); 2] = [("Ana", Role::User), ("Jefa", Role::Operator)];

struct Rng(u64);

impl Rng {
    fn below(&mut self, end: usize) -> usize {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// What is true of a connection, as far as the answers that it hears tell.
#[derive(Default)]
struct Person {
    is_extended: bool,
    account: Option<String>,
    /// The name that it has been given without an account.
    guest: Option<String>,
    is_far: bool,
    rooms: BTreeSet<String>,
}

struct World {
    core: Core,
    rng: Rng,
    people: BTreeMap<u32, Person>,
    /// Accounts that are muted.
    muted: BTreeSet<String>,
    /// Connections that were muted as guests, whatever they are now.
    muted_guests: BTreeSet<u32>,
    /// Guests from far away are, with one of them.
    is_far_muted: bool,
    is_closed: bool,
    members: BTreeSet<String>,
    operators: BTreeSet<String>,
    said: u32,
    heard_in_closed: u32,
    refused: u32,
    guests_muted: u32,
}

impl World {
    fn may_enter(&self, person: &Person) -> bool {
        let is_named = |name: &String| self.members.contains(name) || self.operators.contains(name);
        !self.is_closed || person.account.as_ref().is_some_and(is_named)
    }

    /// Takes down what everybody heard, and looks whether they may.
    fn listen(&mut self, speaker: u32) {
        for closed in std::mem::take(&mut self.core.closed) {
            self.forget(closed);
        }
        for client in 0..CLIENTS {
            for line in self.core.heard(client) {
                self.note(client, &line);
                self.judge(client, speaker, &line);
            }
        }
    }

    fn forget(&mut self, client: u32) {
        self.people.remove(&client);
        self.muted_guests.remove(&client);
    }

    fn note(&mut self, client: u32, line: &str) {
        let Some(person) = self.people.get_mut(&client) else { return };
        let word = |key: &str| line.split(' ').find_map(|word| word.strip_prefix(key)).map(str::to_owned);
        if line.starts_with("* NOTE LOGIN DONE") || line.starts_with("* NOTE REGISTER DONE") {
            // An operator registers names for others.
            person.account = person.account.take().or(word("name="));
            person.guest = None;
        } else if let Some(name) = line.strip_prefix("* NOTE NICK RENAMED ") {
            person.guest = name.split(' ').next().filter(|_| person.account.is_none()).map(str::to_owned);
        } else if line.starts_with("* HELLO") {
            (person.is_extended, person.rooms, person.guest) = (true, BTreeSet::new(), None);
        } else if line.starts_with("* JOINED") {
            if !person.is_extended {
                person.rooms.clear();
            }
            person.rooms.extend(word("room="));
        } else if line.starts_with("* PARTED") {
            word("room=").iter().for_each(|room| {
                person.rooms.remove(room);
            });
        } else if line.starts_with("* FAIL SAY MUTED") || line.contains(" NOT_ALLOWED ") {
            self.refused += 1;
        }
    }

    /// A line of text says itself who said it, as what, and where.
    fn judge(&mut self, client: u32, speaker: u32, line: &str) {
        let body =
            line.strip_prefix('@').and_then(|rest| rest.split_once(' ')).map_or(line, |(_, body)| body);
        let said = body.strip_prefix("[RESPUESTA a 'x'] ").unwrap_or(body);
        let Some((name, text)) = said.split_once(": ").filter(|_| !line.starts_with("* ")) else { return };
        let Some((_, text)) = text.split_once("said-by-") else { return };
        let base = name.split(" - ").next().unwrap();
        let words: Vec<&str> = text.split(' ').collect();
        assert_eq!(words[0].parse(), Ok(speaker), "{line}");
        assert!(!self.muted_guests.contains(&speaker), "one muted as a guest is heard: {line:?}");
        let account = self.people.get(&speaker).and_then(|person| person.account.clone());
        let is_far = self.people.get(&speaker).is_some_and(|person| person.is_far);
        assert!(
            account.is_some() || !is_far || !self.is_far_muted,
            "a guest from far away is heard: {line:?}"
        );
        for (owned, _) in ACCOUNTS {
            if base.eq_ignore_ascii_case(owned) {
                assert_eq!(account.as_deref(), Some(owned), "{client} hears {line:?}");
            }
        }
        assert!(
            account.is_none_or(|account| !self.muted.contains(&account)),
            "a muted one is heard: {line:?}"
        );
        if words[1] == "junta" && self.is_closed {
            let person = &self.people[&client];
            assert!(self.may_enter(person), "{client} ({:?}) hears {line:?}", person.account);
            self.heard_in_closed += 1;
        }
    }

    fn step(&mut self) {
        let client = u32::try_from(self.rng.below(CLIENTS as usize)).unwrap();
        if !self.people.contains_key(&client) {
            let address = self.rng.pick(&[FAR, NEAR]);
            connect(&mut self.core, client, address, true);
            let rooms = BTreeSet::from(["general".to_owned()]);
            let person = Person { rooms, is_far: address == FAR, ..Person::default() };
            self.people.insert(client, person);
        }
        let line = self.line(client);
        self.said += u32::from(line.contains("said-by-"));
        if line.ends_with(" ha abandonado el chat.") {
            self.people.get_mut(&client).unwrap().guest = None;
        }
        let answers = ask_all(&mut self.core, client, &line);
        answers.iter().for_each(|answer| self.note(client, answer));
        if answers.iter().any(|answer| answer.starts_with("* NOTE ") && answer.contains(" DONE ")) {
            self.note_act(&line.split(' ').collect::<Vec<_>>());
        }
        self.listen(client);
        if self.rng.below(40) == 0 {
            self.core.chat.handle_gone(ClientId(client), self.core.now());
            self.core.turn();
            self.forget(client);
        }
        let seconds = self.rng.pick(&[0.1, 1.0, 20.0]);
        self.core.pass(seconds);
        self.listen(u32::MAX);
    }

    fn note_act(&mut self, act: &[&str]) {
        let name = |index: usize| act[index].replace("ANA", "Ana");
        let target = name(1);
        let is_account = ACCOUNTS.iter().any(|(account, _)| *account == target);
        match act[0] {
            "/mute" if is_account => drop(self.muted.insert(target)),
            "/mute" => {
                let is_meant = |(_, person): &(&u32, &Person)| person.guest.as_ref() == Some(&target);
                if let Some((client, person)) = self.people.iter().find(is_meant) {
                    self.is_far_muted |= person.is_far;
                    self.muted_guests.insert(*client);
                    self.guests_muted += 1;
                }
            }
            "/unmute" if is_account => {
                let people = &self.people;
                self.muted_guests.retain(|client| people[client].account.as_ref() != Some(&target));
                self.muted.remove(&target);
            }
            // Who has the name is not always known here.
            "/unmute" => (self.is_far_muted, self.muted_guests) = (false, BTreeSet::new()),
            "/room" => {
                self.is_closed = act[2] == "members";
                if !self.is_closed {
                    self.members.clear();
                }
            }
            "/allow" => drop(self.members.insert(name(2))),
            "/deny" => drop(self.members.remove(&name(2))),
            "/op" => drop(self.operators.insert(target)),
            "/deop" => drop(self.operators.remove(&target)),
            _ => {}
        }
    }

    fn line(&mut self, client: u32) -> String {
        let name = self.rng.pick(&["Ana", "ANA", "Jefa", "Eva", "Luis"]);
        let person = &self.people[&client];
        let room = if person.rooms.contains("junta") && (!person.is_extended || self.rng.below(2) == 0) {
            "junta"
        } else {
            "general"
        };
        let is_extended = person.is_extended;
        let text = format!("said-by-{client} {room}");
        let number = self.said;
        let guest = format!("G{}", self.rng.below(CLIENTS as usize));
        match self.rng.below(34) {
            0 => format!("/login {name} {name}-password"),
            1 => format!("/login {name} adivinada"),
            2 => format!("/hello v=1 name={name}"),
            3 => format!("{name} se ha unido al chat."),
            4 => format!("{name} ha abandonado el chat."),
            5 => format!("/nick {name}"),
            6 | 22 | 23 => "/join junta".to_owned(),
            7 => "/join general".to_owned(),
            8 => format!("/msg {name} said-by-{client} nowhere"),
            9 => format!("/mute {name}"),
            10 => format!("/unmute {name}"),
            11 => format!("/room junta {}", self.rng.pick(&["members", "members", "members", "open"])),
            12 => format!("/allow junta {name}"),
            13 => format!("/deny junta {name}"),
            14 => format!("/kick {name}"),
            15 => "/part junta".to_owned(),
            26 | 27 => format!("/nick G{client}"),
            28..=30 => format!("/mute {guest}"),
            31 => format!("/unmute {guest}"),
            32 => format!("/op {}", self.rng.pick(&["Ana", "ANA"])),
            33 => "/deop Ana".to_owned(),
            16 => format!("/register {name} una clave cualquiera"),
            _ if is_extended => match self.rng.below(3) {
                0 => format!("@label=n{number};room={room};as=Pepe {text}"),
                1 => format!("@label=n{number};to={name} said-by-{client} nowhere"),
                _ => format!("@label=n{number};room={room} {text}"),
            },
            17 => format!("[RESPUESTA a 'x'] {name}: {text}"),
            18 => format!("{name} - Pepe: {text}"),
            _ => format!("{name}: {text}"),
        }
    }
}

fn play(seed: u64) -> [u32; 4] {
    let mut world = World {
        core: begun(),
        rng: Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
        people: BTreeMap::new(),
        muted: BTreeSet::new(),
        muted_guests: BTreeSet::new(),
        is_far_muted: false,
        guests_muted: 0,
        is_closed: false,
        members: BTreeSet::new(),
        operators: BTreeSet::from(["Jefa".to_owned()]),
        said: 0,
        heard_in_closed: 0,
        refused: 0,
    };
    (0..STEPS).for_each(|_| world.step());
    [world.said, world.heard_in_closed, world.refused, world.guests_muted]
}

#[test]
fn whatever_people_do_names_mutes_and_closed_rooms_hold() {
    let number = |name: &str| std::env::var(name).ok().and_then(|seed| seed.parse::<u64>().ok());
    let seeds = number("RELAY_SEED").map_or(1..=number("RELAY_SEEDS").unwrap_or(400), |seed| seed..=seed);
    let mut counts = [0; 4];
    let is_one = seeds.clone().count() == 1;
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| play(seed));
        let more = outcome.unwrap_or_else(|_| panic!("replay with RELAY_SEED={seed}"));
        counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
    }
    // What is never tried is never found.
    let [said, heard, refused, guests_muted] = counts;
    assert!(is_one || (said > 1000 && heard > 100 && refused > 100 && guests_muted > 100), "{counts:?}");
}
