//! Who may say what, from PROTOCOL.md, sections 1, 2 and 5.

use tertulia_relay::phrases::Phrase;

use crate::grammar::{self, Name, Row, cut, escape, is_reserved, is_room, key, quoted, row, unescape};
use crate::model::Model;

/// A name that is held.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    base: String,
    tail: String,
    /// What it asked for, where that was taken.
    asked: Option<String>,
    /// Others were shown that it joined.
    is_announced: bool,
}

impl Held {
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", self.base, self.tail)
    }

    fn is_own(&self, name: &Name) -> bool {
        name.base == self.base || Some(&name.base) == self.asked.as_ref()
    }

    /// What it may call itself.
    pub(crate) fn own_names(&self) -> Vec<String> {
        let bases = [Some(&self.base), self.asked.as_ref()];
        let both = |base: &String| [format!("{base}{}", self.tail), base.clone()];
        bases.into_iter().flatten().flat_map(both).collect()
    }
}

/// The commands, as `/help` lists them.
const HELP: [(&str, Phrase); 12] = [
    ("/hello v=1 name=NAME", Phrase::HelpHello),
    ("/join ROOM /sala", Phrase::HelpJoin),
    ("/part ROOM /dejar", Phrase::HelpPart),
    ("/rooms /salas", Phrase::HelpRooms),
    ("/who [room=ROOM] /quien", Phrase::HelpWho),
    ("/msg NAME TEXT /privado", Phrase::HelpMsg),
    ("/nick NAME /nombre", Phrase::HelpNick),
    ("/history [N] /historial", Phrase::HelpHistory),
    ("/search WORDS /buscar", Phrase::HelpSearch),
    ("/help /ayuda", Phrase::HelpHelp),
    ("/ping [WORD]", Phrase::HelpPing),
    ("/quit /salir", Phrase::HelpQuit),
];

/// What `/help` lists besides where there are accounts.
#[cfg(feature = "history")]
const HELP_ACCOUNTS: [(&str, Phrase); 4] = [
    ("/register NAME PASSWORD /registrar", Phrase::HelpRegister),
    ("/login NAME PASSWORD /entrar", Phrase::HelpLogin),
    ("/passwd PASSWORD /clave", Phrase::HelpPasswd),
    ("/read room=ROOM id=ID /leido", Phrase::HelpRead),
];

/// What was typed, or this where that cannot be a word.
fn echoed(typed: &str, otherwise: &str) -> String {
    if typed.is_empty() || typed.starts_with(':') { otherwise.into() } else { escape(typed) }
}

impl Model {
    pub(crate) fn relay_line(&self, words: &str, phrase: Option<Phrase>) -> String {
        let sentence = phrase.map(|phrase| format!(" :{}", phrase.in_language(self.language)));
        format!("* {words}{}", sentence.unwrap_or_default())
    }

    pub(crate) fn answer(&mut self, id: u32, words: &str, phrase: Option<Phrase>) {
        let line = self.relay_line(words, phrase);
        self.person(id).ears.answer(&format!("{line}\n"));
    }

    /// A line, clean and without its ending.
    pub(crate) fn take_text(&mut self, id: u32, line: &str, now: u64) {
        if line.is_empty() {
            return;
        }
        match row(line) {
            Row::Join(name) => self.join(id, &name, line, now),
            Row::Leave(name) => match &self.person(id).held {
                Some(held) if held.is_own(&name) => self.forget_name(id, now),
                _ => self.say_text(id, line),
            },
            Row::Say { quote, name, text } => self.say_named(id, quote, &name, &text, line),
            Row::Command(line) => self.command(id, &line, now),
            Row::Text(text) => self.say_text(id, &text),
        }
    }

    /// Text without a name.
    fn say_text(&mut self, id: u32, text: &str) {
        let held = &self.person(id).held;
        match held.as_ref().map(Held::shown) {
            Some(shown) => self.say_here(id, &format!("{shown}: {text}")),
            None if text.ends_with(grammar::JOIN) => {
                self.answer(id, "FAIL JOIN NAME_INVALID", Some(Phrase::NameInvalid));
            }
            None => self.answer(id, "FAIL SAY NAME_NEEDED", Some(Phrase::NameNeeded)),
        }
    }

    fn say_here(&mut self, id: u32, line: &str) {
        if let Some(room) = self.person(id).room.clone() {
            self.kept.push_back((room.clone(), line.to_owned()));
            self.say(&room, Some(id), line);
        }
    }

    /// `NAME: TEXT`, or a reply.
    fn say_named(&mut self, id: u32, quote: Option<String>, name: &Name, text: &str, line: &str) {
        let held = self.person(id).held.clone();
        let shown = match held {
            Some(held) if held.is_own(name) => format!("{}{}", held.base, name.tail),
            Some(held) if held.is_announced => {
                self.seen.forged += 1;
                return self.say_text(id, line);
            }
            _ => {
                if let Some((code, phrase)) = self.why_not(id, &name.base) {
                    let words = format!("FAIL SAY {code} {}", escape(&name.base));
                    return self.answer(id, &words, Some(phrase));
                }
                self.hold(id, name, None, false);
                format!("{}{}", name.base, name.tail)
            }
        };
        if text.is_empty() {
            return;
        }
        let quote = quote.map_or_else(String::new, |quote| format!("[RESPUESTA a '{}'] ", quoted(&quote)));
        self.say_here(id, &format!("{quote}{shown}: {text}"));
    }

    fn hold(&mut self, id: u32, name: &Name, asked: Option<String>, is_announced: bool) {
        let (base, tail) = (name.base.clone(), name.tail.clone());
        self.person(id).held = Some(Held { base, tail, asked, is_announced });
    }

    /// Why somebody may not hold this name.
    fn why_not(&self, id: u32, base: &str) -> Option<(&'static str, Phrase)> {
        if is_reserved(base) {
            return Some(("NAME_RESERVED", Phrase::NameReserved));
        }
        let is_held = self.holders(base).any(|holder| holder != id);
        is_held.then_some(("NAME_IN_USE", Phrase::NameInUse))
    }

    fn holders(&self, base: &str) -> impl Iterator<Item = u32> {
        let wanted = key(base);
        self.people.iter().filter_map(move |(id, person)| {
            person.held.as_ref().filter(|held| key(&held.base) == wanted).map(|_| *id)
        })
    }

    /// Whether a join under this name is one, and not text.
    pub(crate) fn may_join_as(&mut self, id: u32, name: &Name) -> bool {
        let held = &self.person(id).held;
        held.as_ref().is_none_or(|held| !held.is_announced || held.is_own(name))
    }

    pub(crate) fn join(&mut self, id: u32, name: &Name, line: &str, now: u64) {
        match &self.person(id).held {
            Some(held) if held.is_announced && held.is_own(name) => return,
            Some(held) if held.is_announced => return self.say_text(id, line),
            _ => {}
        }
        self.person(id).held = None;
        let numbers = std::iter::once(String::new()).chain((2..).map(|number| format!("_{number}")));
        let numbered = |number: String| format!("{}{number}", cut(&name.base, 64 - number.len()).trim_end());
        let base = numbers.map(numbered).find(|base| self.why_not(id, base).is_none()).unwrap_or_default();
        let asked = (base != name.base).then(|| name.base.clone());
        let was_renamed = asked.is_some();
        self.hold(id, &Name { base: base.clone(), tail: name.tail.clone() }, asked, true);
        self.notice(id, true, now);
        if was_renamed {
            self.seen.renamed += 1;
            self.answer(id, &format!("NOTE JOIN RENAMED {}", escape(&base)), Some(Phrase::Renamed));
        }
    }

    pub(crate) fn forget_name(&mut self, id: u32, now: u64) {
        let Some(person) = self.people.get_mut(&id) else { return };
        if person.held.as_ref().is_some_and(|held| held.is_announced) {
            self.notice(id, false, now);
        }
        self.person(id).held = None;
    }

    fn command(&mut self, id: u32, line: &str, now: u64) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let first = rest.split(' ').find(|word| !word.is_empty() && !word.contains('='));
        let option = |key: &str| {
            let options = rest.split(' ').filter_map(|word| word.split_once('='));
            options.into_iter().find(|(name, _)| *name == key).map(|(_, value)| unescape(value))
        };
        match &*word.to_lowercase() {
            "join" | "sala" => self.go_to(id, first, now),
            "rooms" | "salas" => self.list_rooms(id, option("after").as_deref()),
            "who" | "quien" => {
                let room = option("room").or_else(|| first.map(str::to_owned));
                self.list_names(id, room.as_deref(), option("after").as_deref());
            }
            "msg" | "privado" => self.tell(id, rest.trim_start_matches(' ')),
            "nick" | "nombre" => self.rename(id, rest.trim(), now),
            "help" | "ayuda" => {
                HELP.iter()
                    .for_each(|(words, phrase)| self.answer(id, &format!("HELP {words}"), Some(*phrase)));
                #[cfg(feature = "history")]
                HELP_ACCOUNTS
                    .iter()
                    .for_each(|(words, phrase)| self.answer(id, &format!("HELP {words}"), Some(*phrase)));
                self.answer(id, "END HELP", None);
            }
            "ping" => self.answer(id, format!("PONG {}", cut(rest.trim(), 64)).trim_end(), None),
            "pong" => {}
            // What an end of the input may leave of `/rooms`.
            "room" if cfg!(feature = "history") => {
                self.answer(id, "FAIL ROOM MISSING ROOM", Some(Phrase::Missing));
            }
            "quit" | "salir" => {
                self.answer(id, "NOTE QUIT BYE", Some(Phrase::Bye));
                self.forget_name(id, now);
                self.start_closing(id, now);
            }
            _ => {
                let word = echoed(&cut(word, 32).to_uppercase(), "COMMAND");
                let words = format!("FAIL {word} UNKNOWN_COMMAND");
                self.answer(id, &words, Some(Phrase::UnknownCommand));
            }
        }
    }

    fn missing(&mut self, id: u32, what: &str) {
        self.answer(id, &format!("FAIL {what}"), Some(Phrase::Missing));
    }

    fn go_to(&mut self, id: u32, room: Option<&str>, now: u64) {
        let Some(room) = room.map(str::to_lowercase) else { return self.missing(id, "JOIN MISSING ROOM") };
        if !is_room(&room) {
            return self.answer(id, "FAIL JOIN ROOM_INVALID", Some(Phrase::RoomInvalid));
        }
        let left = self.person(id).room.clone().unwrap_or_default();
        if left != room {
            let is_announced = self.person(id).held.as_ref().is_some_and(|held| held.is_announced);
            if is_announced {
                self.notice(id, false, now);
            }
            let (from, to) = (self.open_room(&left), self.open_room(&room));
            self.person(id).room = Some(room.clone());
            self.person(id).ears.switch(from, to);
            self.free_rooms();
            if is_announced {
                self.notice(id, true, now);
            }
        }
        self.answer(id, &format!("JOINED room={}", escape(&room)), Some(Phrase::Joined));
    }

    fn list_rooms(&mut self, id: u32, after: Option<&str>) {
        let names = |room: &String| {
            let is_there =
                |person: &&crate::model::Person| person.room.as_ref() == Some(room) && person.held.is_some();
            self.people.values().filter(is_there).count()
        };
        let behind: Vec<&String> =
            self.rooms.keys().filter(|room| after.is_none_or(|after| room.as_str() > after)).collect();
        let lines =
            behind.iter().map(|room| format!("* ROOMS room={} names={}\n", escape(room), names(room)));
        let end = format!("* END ROOMS shown={} of={}\n", behind.len(), self.rooms.len());
        let answer = lines.collect::<String>() + &end;
        self.person(id).ears.answer(&answer);
    }

    fn list_names(&mut self, id: u32, room: Option<&str>, after: Option<&str>) {
        let here = self.person(id).room.clone().unwrap_or_default();
        let room = room.filter(|room| !room.is_empty());
        let room_name = room.map_or(here, str::to_lowercase);
        if !self.rooms.contains_key(&room_name) {
            let words =
                format!("FAIL WHO NO_SUCH_ROOM {}", echoed(cut(room.unwrap_or_default(), 32), "ROOM"));
            return self.answer(id, &words, Some(Phrase::NoSuchRoom));
        }
        let inside = self.people.values().filter(|person| person.room.as_ref() == Some(&room_name));
        let mut names: Vec<String> =
            inside.filter_map(|person| Some(person.held.as_ref()?.shown())).collect();
        names.sort();
        let total = names.len();
        names.retain(|name| after.is_none_or(|after| name.as_str() > after));
        let room_name = escape(&room_name);
        let line = |name: &String| format!("* WHO room={room_name} name={}\n", escape(name));
        let end = format!("* END WHO room={room_name} shown={} of={total}\n", names.len());
        let answer = names.iter().map(line).collect::<String>() + &end;
        self.person(id).ears.answer(&answer);
    }

    fn tell(&mut self, id: u32, rest: &str) {
        let (to, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let to = unescape(to);
        if to.is_empty() || text.is_empty() {
            let what = if to.is_empty() { "NAME" } else { "TEXT" };
            return self.missing(id, &format!("MSG MISSING {what}"));
        }
        let Some(from) = self.person(id).held.as_ref().map(Held::shown) else {
            return self.answer(id, "FAIL MSG NAME_NEEDED", Some(Phrase::NameNeeded));
        };
        let receiver = grammar::name(&to).and_then(|name| self.holders(&name.base).next());
        let escaped = echoed(cut(&to, 128), "NAME");
        match receiver {
            None => self.answer(id, &format!("FAIL MSG NOT_HERE {escaped}"), Some(Phrase::NotHere)),
            Some(receiver) if self.person(receiver).ears.has_place() => {
                self.person(receiver).ears.answer(&format!("* PRIVATE {} :{text}\n", escape(&from)));
            }
            Some(_) => {
                self.seen.not_reading += 1;
                self.answer(id, &format!("FAIL MSG NOT_READING {escaped}"), Some(Phrase::NotReading));
            }
        }
    }

    fn rename(&mut self, id: u32, name: &str, now: u64) {
        let name = unescape(name);
        if name.trim().is_empty() {
            return self.missing(id, "NICK MISSING NAME");
        }
        let Some(name) = grammar::name(name.trim()) else {
            return self.answer(id, "FAIL NICK NAME_INVALID", Some(Phrase::NameInvalid));
        };
        let wanted = format!("{}{}", name.base, name.tail);
        let held = self.person(id).held.as_ref();
        if held.is_some_and(|held| held.is_announced && held.shown() == wanted) {
            let words = format!("NOTE NICK RENAMED {}", escape(&wanted));
            return self.answer(id, &words, Some(Phrase::NickChanged));
        }
        if let Some((code, phrase)) = self.why_not(id, &name.base) {
            return self.answer(id, &format!("FAIL NICK {code} {}", escape(&name.base)), Some(phrase));
        }
        self.forget_name(id, now);
        self.hold(id, &name, None, true);
        self.notice(id, true, now);
        let words = format!("NOTE NICK RENAMED {}", escape(&wanted));
        self.answer(id, &words, Some(Phrase::NickChanged));
    }
}
