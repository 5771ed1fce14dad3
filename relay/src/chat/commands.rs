//! The lines that start with `/`.

use tertulia_wire::command::{Command, CommandError, NAMES};
use tertulia_wire::limits::{NAME_BYTES_MAX, PING_BYTES_MAX, ROOM_BYTES_MAX};
use tertulia_wire::name::Name;
use tertulia_wire::tags::escape;
use tertulia_wire::text::cut;

use super::answers::refusal;
use super::rooms::Notice;
use super::sessions::SessionId;
use super::tagged::TagValues;
use super::{Chat, ClientId, RoomId};
use crate::moment::Moment;
use crate::phrases::Phrase;

/// Lines of an answer that lists something: what fits into one outbox. The rest is asked for with `after=`.
pub(super) const LISTED_MAX: usize = 256;

const _: () =
    assert!(LISTED_MAX * (2 * (2 * NAME_BYTES_MAX + 3) + ROOM_BYTES_MAX + 24) < 2 * super::ANSWER_BYTES_MAX);

impl Chat {
    /// A command, without its slash.
    pub(super) fn handle_command(&mut self, client: ClientId, line: &str, now: Moment) {
        let (label, rest) = match self.is_extended(client) {
            true => Command::split_label(line),
            false => (None, line.into()),
        };
        self.labeling = label.map(|label| (client, label.into()));
        self.do_command(client, &rest, now);
        self.labeling = None;
    }

    fn do_command(&mut self, client: ClientId, line: &str, now: Moment) {
        match Command::parse(line) {
            Ok(Command::Hello(hello)) => self.handle_hello(client, &hello, now),
            Ok(Command::Join { room }) if self.is_extended(client) => self.add_room(client, room, now),
            Ok(Command::Join { room }) => self.join_room(client, room, now),
            Ok(Command::Part { room }) => self.leave_room(client, room, now),
            Ok(Command::Rooms { after }) => self.list_rooms(client, after.as_deref()),
            Ok(Command::Who { room, after }) => self.list_names(client, room.as_deref(), after.as_deref()),
            Ok(Command::Msg { to, text }) => self.tell(client, &to, text),
            Ok(Command::History(asked)) => self.ask_history(client, &asked),
            Ok(Command::Search(asked)) => self.ask_search(client, &asked),
            Ok(Command::Nick { name }) => self.change_name(client, &name, now),
            Ok(Command::Help) => self.help(client),
            Ok(Command::Ping { word }) => {
                let words = format!("PONG {}", cut(word, PING_BYTES_MAX));
                self.answer(client, words.trim_end(), None);
            }
            Ok(Command::Pong) => {}
            Ok(Command::Quit) => {
                self.sign_off(client);
                self.answer(client, "NOTE QUIT BYE", Some(Phrase::Bye));
                self.close(client, now);
            }
            Err(CommandError::Unknown { .. }) if self.do_account_command(client, line, now) => {}
            Err(error) => self.refuse_command(client, error),
        }
    }

    pub(super) fn refuse_command(&mut self, client: ClientId, error: CommandError<'_>) {
        match error {
            CommandError::Unknown { word } => {
                let word =
                    echoed(&cut(word, ROOM_BYTES_MAX).to_ascii_uppercase()).unwrap_or("COMMAND".into());
                let words = format!("FAIL {word} UNKNOWN_COMMAND");
                // What is said there begins with tags, and needs no second slash.
                let is_extended = self.is_extended(client);
                let phrase = if is_extended { Phrase::UnknownToPrograms } else { Phrase::UnknownCommand };
                self.answer(client, &words, Some(phrase));
            }
            CommandError::NoNumber { command, word } => {
                let word = echoed(cut(word, ROOM_BYTES_MAX)).unwrap_or("NUMBER".into());
                self.answer(client, &format!("FAIL {command} NO_NUMBER {word}"), Some(Phrase::NoNumber));
            }
            CommandError::NoTime { command, word } => {
                let word = echoed(cut(word, ROOM_BYTES_MAX)).unwrap_or("TIME".into());
                self.answer(client, &format!("FAIL {command} NO_TIME {word}"), Some(Phrase::NoTime));
            }
            CommandError::Missing { command, what } => {
                self.answer(client, &format!("FAIL {command} MISSING {what}"), Some(Phrase::Missing));
            }
        }
    }

    fn join_room(&mut self, client: ClientId, room: &str, now: Moment) {
        if !self.admits(client, "JOIN", room) {
            return;
        }
        let room = match self.rooms.find_or_add(room) {
            Ok(room) => room,
            Err(error) => return self.refuse_room(client, error),
        };
        if self.room_of(client) != Some(room) {
            let is_announced = self.is_announced(client);
            if is_announced {
                self.notice(client, Notice::Leave, now);
            }
            self.move_to(client, room);
            if is_announced {
                self.notice(client, Notice::Join, now);
            }
        }
        let words = format!("JOINED room={}", escape(&self.room_name(room)));
        self.answer(client, &words, Some(Phrase::Joined));
    }

    fn list_rooms(&mut self, client: ClientId, after: Option<&str>) {
        let rooms = self.rooms.iter().filter(|room| {
            let mut members = room.members.iter();
            // A room that only somebody hidden has made says what that would say.
            let is_seen = members.len() == 0 || members.any(|member| self.is_listed_for(*member, client));
            is_seen && self.may_enter(client, &room.name)
        });
        let (first, total) = first_in_order(&mut rooms.map(|room| &*room.name), after);
        let shown = first.len();
        let mut answer = String::new();
        for name in first {
            let Some(id) = self.rooms.find(name) else { continue };
            let Some(room) = self.rooms.get(id) else { continue };
            let is_counted = |member: &&ClientId| {
                self.is_named(**member)
                    && !self.is_listed_before(**member, id)
                    && self.is_listed_for(**member, client)
            };
            let here = room.members.iter().filter(is_counted).count();
            let is_away = |session: &&SessionId| !self.is_session_listed_before(**session, id);
            let names = here + room.away.iter().filter(is_away).count();
            answer.push_str(&format!("* ROOMS room={} names={names}\n", escape(name)));
        }
        answer.push_str(&format!("* END ROOMS shown={shown} of={total}\n"));
        self.answer_lines(client, answer);
    }

    fn list_names(&mut self, client: ClientId, room: Option<&str>, after: Option<&str>) {
        let room = room.filter(|room| !room.is_empty());
        let asked = room.map_or_else(|| self.room_of(client), |name| self.rooms.find(name));
        let may_enter =
            |id: &RoomId| self.rooms.get(*id).is_some_and(|room| self.may_enter(client, &room.name));
        let asked = asked.filter(may_enter);
        let Some((id, room)) = asked.and_then(|id| Some((id, self.rooms.get(id)?))) else {
            let room = echoed(cut(room.unwrap_or_default(), ROOM_BYTES_MAX)).unwrap_or("ROOM".into());
            let words = format!("FAIL WHO NO_SUCH_ROOM {room}");
            return self.answer(client, &words, Some(Phrase::NoSuchRoom));
        };
        let room_name = escape(&room.name).into_owned();
        let is_listed =
            |member: &&ClientId| !self.is_listed_before(**member, id) && self.is_listed_for(**member, client);
        let members = room.members.iter().filter(is_listed);
        let names = members.filter_map(|&member| {
            self.client(member).and_then(|state| state.named.as_ref()).map(|named| named.shown.as_str())
        });
        let away = room
            .away
            .iter()
            .filter(|session| !self.is_session_listed_before(**session, id))
            .filter_map(|&session| self.sessions.get(session).map(|session| session.name.as_str()));
        let (first, total) = first_in_order(&mut names.chain(away), after);
        let mut answer = String::new();
        for name in &first {
            answer.push_str(&format!("* WHO room={room_name} name={}\n", escape(name)));
        }
        answer.push_str(&format!("* END WHO room={room_name} shown={} of={total}\n", first.len()));
        self.answer_lines(client, answer);
    }

    fn tell(&mut self, client: ClientId, to: &str, text: &str) {
        let Some(from) = self.shown_name(client) else {
            return self.answer(client, "FAIL MSG NAME_NEEDED", Some(Phrase::NameNeeded));
        };
        let receivers = Name::parse(to).map_or(Vec::new(), |name| self.names.holders(name.base()));
        let escaped = echoed(cut(to, 2 * NAME_BYTES_MAX)).unwrap_or("NAME".into());
        if receivers.is_empty() {
            return self.answer(client, &format!("FAIL MSG NOT_HERE {escaped}"), Some(Phrase::NotHere));
        }
        if self.withholds(client, "MSG", text) {
            return;
        }
        let Some(id) = self.hand_over(&receivers, &from, text, TagValues::default()) else {
            return self.answer(client, &format!("FAIL MSG NOT_READING {escaped}"), Some(Phrase::NotReading));
        };
        let values = TagValues { id, to: Some(to), ..TagValues::default() };
        self.tell_own_devices(client, &receivers, &from, text, values);
    }

    /// `/nick`: whoever types a command can read its answer, so a name in use is refused, not numbered.
    fn change_name(&mut self, client: ClientId, name: &str, now: Moment) {
        // An extended connection says each line as whoever `as=` names.
        let is_one = |name: &Name<'_>| name.tail().is_empty() || !self.is_extended(client);
        let Some(name) = Name::parse(name).ok().filter(is_one) else {
            return self.answer(client, "FAIL NICK NAME_INVALID", Some(Phrase::NameInvalid));
        };
        if self.is_announced(client) && self.shown_name(client).as_deref() == Some(name.as_str()) {
            let words = format!("NOTE NICK RENAMED {}", escape(name.as_str()));
            return self.answer(client, &words, Some(Phrase::NickChanged));
        }
        let claimed =
            self.check_tail(client, name.tail()).and_then(|()| self.claim_name(client, name.base()));
        if let Err(refused) = claimed {
            let (code, phrase) = refusal(refused);
            return self.answer(client, &format!("FAIL NICK {code} {}", escape(name.base())), Some(phrase));
        }
        self.forget_name(client, None, now);
        // The old name may have shared a key with the new one, and took it along.
        let _ = self.claim_name(client, name.base());
        self.set_name(client, name.base(), name.tail(), None, true);
        self.note_session(client);
        self.notice(client, Notice::Join, now);
        self.answer(
            client,
            &format!("NOTE NICK RENAMED {}", escape(name.as_str())),
            Some(Phrase::NickChanged),
        );
    }

    fn help(&mut self, client: ClientId) {
        let mut answer = String::new();
        for (english, spanish, words) in NAMES {
            let Some(phrase) = help_for(english) else { continue };
            let line = format!("/{english} {words}");
            let also = if spanish == english { String::new() } else { format!(" /{spanish}") };
            let sentence = phrase.in_language(self.settings.language);
            answer.push_str(&format!("* HELP {}{also} :{sentence}\n", line.trim_end()));
        }
        self.help_accounts(client, &mut answer);
        answer.push_str("* END HELP\n");
        self.answer_lines(client, answer);
    }

    pub(super) fn is_announced(&self, client: ClientId) -> bool {
        let named = self.client(client).and_then(|state| state.named.as_ref());
        named.is_some_and(|named| named.is_announced)
    }

    fn is_named(&self, client: ClientId) -> bool {
        self.client(client).is_some_and(|state| state.named.is_some())
    }

    pub(super) fn room_name(&self, room: RoomId) -> String {
        self.rooms.get(room).map_or_else(String::new, |room| room.name.to_string())
    }
}

/// What somebody typed, as a word of an answer. None: it cannot be one, being empty or beginning like a sentence.
pub(super) fn echoed(typed: &str) -> Option<String> {
    (!typed.is_empty() && !typed.starts_with(':')).then(|| escape(typed).into_owned())
}

fn help_for(command: &str) -> Option<Phrase> {
    Some(match command {
        "hello" => Phrase::HelpHello,
        "join" => Phrase::HelpJoin,
        "part" => Phrase::HelpPart,
        "rooms" => Phrase::HelpRooms,
        "who" => Phrase::HelpWho,
        "msg" => Phrase::HelpMsg,
        "nick" => Phrase::HelpNick,
        "history" => Phrase::HelpHistory,
        "search" => Phrase::HelpSearch,
        "help" => Phrase::HelpHelp,
        "ping" => Phrase::HelpPing,
        "quit" => Phrase::HelpQuit,
        _ => return None,
    })
}

/// The first [`LISTED_MAX`] of these names behind `after`, in order, and how many there are in all. Holds no more than it
/// returns, however many there are.
fn first_in_order<'a>(
    names: &mut dyn Iterator<Item = &'a str>,
    after: Option<&str>,
) -> (Vec<&'a str>, usize) {
    let mut first: Vec<&str> = Vec::new();
    let mut total = 0;
    for name in names {
        total += 1;
        if after.is_some_and(|after| name <= after) {
            continue;
        }
        let index = first.partition_point(|other| *other <= name);
        if index < LISTED_MAX {
            first.insert(index, name);
            first.truncate(LISTED_MAX);
        }
    }
    (first, total)
}
