//! People who do whatever comes to their minds, and operators too. Whatever they do: nobody is heard under a name that is
//! an account's without having logged in as it, nobody who is muted is heard, and what is said in a closed room is heard by
//! those alone who may enter it.
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
    rooms: BTreeSet<String>,
}

struct World {
    core: Core,
    rng: Rng,
    people: BTreeMap<u32, Person>,
    /// Accounts that are muted, and connections.
    muted: BTreeSet<String>,
    is_closed: bool,
    members: BTreeSet<String>,
    operators: BTreeSet<String>,
    said: u32,
    heard_in_closed: u32,
    refused: u32,
}

impl World {
    fn may_enter(&self, person: &Person) -> bool {
        let is_named = |name: &String| self.members.contains(name) || self.operators.contains(name);
        !self.is_closed || person.account.as_ref().is_some_and(is_named)
    }

    /// Takes down what everybody heard, and looks whether they may.
    fn listen(&mut self, speaker: u32) {
        for closed in std::mem::take(&mut self.core.closed) {
            self.people.remove(&closed);
        }
        for client in 0..CLIENTS {
            for line in self.core.heard(client) {
                self.note(client, &line);
                self.judge(client, speaker, &line);
            }
        }
    }

    fn note(&mut self, client: u32, line: &str) {
        let Some(person) = self.people.get_mut(&client) else { return };
        let word = |key: &str| line.split(' ').find_map(|word| word.strip_prefix(key)).map(str::to_owned);
        if line.starts_with("* NOTE LOGIN DONE") || line.starts_with("* NOTE REGISTER DONE") {
            // An operator registers names for others.
            person.account = person.account.take().or(word("name="));
        } else if line.starts_with("* HELLO") {
            (person.is_extended, person.rooms) = (true, BTreeSet::new());
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
        let account = self.people.get(&speaker).and_then(|person| person.account.clone());
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
            let person = Person { rooms: BTreeSet::from(["general".to_owned()]), ..Person::default() };
            self.people.insert(client, person);
        }
        let line = self.line(client);
        self.said += u32::from(line.contains("said-by-"));
        let answers = ask_all(&mut self.core, client, &line);
        answers.iter().for_each(|answer| self.note(client, answer));
        if answers.iter().any(|answer| answer.starts_with("* NOTE ") && answer.contains(" DONE ")) {
            self.note_act(&line.split(' ').collect::<Vec<_>>());
        }
        self.listen(client);
        if self.rng.below(40) == 0 {
            self.core.chat.handle_gone(ClientId(client), self.core.now());
            self.core.turn();
            self.people.remove(&client);
        }
        let seconds = self.rng.pick(&[0.1, 1.0, 20.0]);
        self.core.pass(seconds);
        self.listen(u32::MAX);
    }

    fn note_act(&mut self, act: &[&str]) {
        let name = |index: usize| act[index].replace("ANA", "Ana");
        let target = name(1);
        // Of guests it is the connection that is muted.
        let is_account = ACCOUNTS.iter().any(|(account, _)| *account == target);
        match act[0] {
            "/mute" if is_account => drop(self.muted.insert(target)),
            "/unmute" => drop(self.muted.remove(&target)),
            "/room" => {
                self.is_closed = act[2] == "members";
                if !self.is_closed {
                    self.members.clear();
                }
            }
            "/allow" => drop(self.members.insert(name(2))),
            "/deny" => drop(self.members.remove(&name(2))),
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
        match self.rng.below(22) {
            0 => format!("/login {name} {name}-password"),
            1 => format!("/login {name} adivinada"),
            2 => format!("/hello v=1 name={name}"),
            3 => format!("{name} se ha unido al chat."),
            4 => format!("{name} ha abandonado el chat."),
            5 => format!("/nick {name}"),
            6 => "/join junta".to_owned(),
            7 => "/join general".to_owned(),
            8 => format!("/msg {name} said-by-{client} nowhere"),
            9 => format!("/mute {name}"),
            10 => format!("/unmute {name}"),
            11 => format!("/room junta {}", self.rng.pick(&["members", "open"])),
            12 => format!("/allow junta {name}"),
            13 => format!("/deny junta {name}"),
            14 => format!("/kick {name}"),
            15 => "/part junta".to_owned(),
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

fn play(seed: u64) -> (u32, u32, u32) {
    let mut world = World {
        core: begun(),
        rng: Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
        people: BTreeMap::new(),
        muted: BTreeSet::new(),
        is_closed: false,
        members: BTreeSet::new(),
        operators: BTreeSet::from(["Jefa".to_owned()]),
        said: 0,
        heard_in_closed: 0,
        refused: 0,
    };
    (0..STEPS).for_each(|_| world.step());
    (world.said, world.heard_in_closed, world.refused)
}

#[test]
fn whatever_people_do_names_mutes_and_closed_rooms_hold() {
    let number = |name: &str| std::env::var(name).ok().and_then(|seed| seed.parse::<u64>().ok());
    let seeds = number("RELAY_SEED").map_or(1..=number("RELAY_SEEDS").unwrap_or(60), |seed| seed..=seed);
    let (mut said, mut heard, mut refused) = (0, 0, 0);
    let is_one = seeds.clone().count() == 1;
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| play(seed));
        let (more_said, more_heard, more_refused) =
            outcome.unwrap_or_else(|_| panic!("replay with RELAY_SEED={seed}"));
        (said, heard, refused) = (said + more_said, heard + more_heard, refused + more_refused);
    }
    // What is never tried is never found.
    assert!(is_one || (said > 1000 && heard > 20 && refused > 100), "{said} {heard} {refused}");
}
