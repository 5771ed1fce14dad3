//! Lines that begin with `/`: what they are called in both languages, what they need, what they do.

use tertulia_wire::account::AccountCommand;
use tertulia_wire::command::CommandError;

use super::accounts::What;
use super::{Act, ConversationId, Kind, Model, Sentence};
use crate::phrases::{AccountPhrase, Language, Phrase};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Join,
    Part,
    Nick,
    Msg,
    Ignore,
    Unignore,
    Mute,
    Search,
    Who,
    Rooms,
    Help,
    Quit,
    Login,
    Register,
    Passwd,
}

/// An order of the window.
struct Named {
    order: Order,
    spanish: &'static str,
    english: &'static str,
    help: Phrase,
    /// The word that it needs.
    needs: Option<(&'static str, &'static str)>,
}

const fn named(
    order: Order,
    spanish: &'static str,
    english: &'static str,
    help: Phrase,
    needs: Option<(&'static str, &'static str)>,
) -> Named {
    Named { order, spanish, english, help, needs }
}

const NAME: Option<(&str, &str)> = Some(("NOMBRE", "NAME"));

/// All of them, as the help tells them.
const ORDERS: [Named; 15] = [
    named(Order::Join, "sala", "join", Phrase::HelpJoin, Some(("NOMBRE", "ROOM"))),
    named(Order::Part, "dejar", "part", Phrase::HelpPart, None),
    named(Order::Nick, "nombre", "nick", Phrase::HelpNick, NAME),
    named(Order::Msg, "privado", "msg", Phrase::HelpMsg, NAME),
    named(Order::Ignore, "ignorar", "ignore", Phrase::HelpIgnore, NAME),
    named(Order::Unignore, "atender", "unignore", Phrase::HelpUnignore, NAME),
    named(Order::Mute, "silencio", "mute", Phrase::HelpMute, None),
    named(Order::Search, "buscar", "search", Phrase::HelpSearch, None),
    named(Order::Who, "quien", "who", Phrase::HelpWho, None),
    named(Order::Rooms, "salas", "rooms", Phrase::HelpRooms, None),
    named(Order::Help, "ayuda", "help", Phrase::HelpHelp, None),
    named(Order::Quit, "salir", "quit", Phrase::HelpQuit, None),
    named(Order::Login, "entrar", "login", Phrase::Account(AccountPhrase::HelpLogin), None),
    named(Order::Register, "registrar", "register", Phrase::Account(AccountPhrase::HelpRegister), None),
    named(Order::Passwd, "clave", "passwd", Phrase::Account(AccountPhrase::HelpPasswd), None),
];

/// Whether a password may stand in a text: a line of it is an order that takes one, and more than its word.
pub(super) fn holds_password(text: &str) -> bool {
    text.lines().any(line_holds_password)
}

fn line_holds_password(line: &str) -> bool {
    let Some((word, _)) =
        line.trim_start().strip_prefix('/').and_then(|rest| rest.split_once(char::is_whitespace))
    else {
        return false;
    };
    let word = crate::fold::search_key(word);
    let takes_one = |named: &&Named| matches!(named.order, Order::Login | Order::Register | Order::Passwd);
    ORDERS.iter().filter(takes_one).any(|named| named.is(&word))
}

impl Named {
    fn is(&self, word: &str) -> bool {
        self.spanish == word || self.english == word
    }

    fn in_language(&self, language: Language) -> &'static str {
        if language == Language::Es { self.spanish } else { self.english }
    }
}

/// Names of orders that begin like this: those of the language first.
pub(super) fn names_beginning_with(start: &str, language: Language) -> Vec<&'static str> {
    let start = crate::fold::search_key(start);
    let other = if language == Language::Es { Language::En } else { Language::Es };
    let mut names: Vec<&str> = Vec::new();
    for language in [language, other] {
        let fitting = ORDERS.iter().map(|named| named.in_language(language));
        let new: Vec<&str> =
            fitting.filter(|name| name.starts_with(&start) && !names.contains(name)).collect();
        names.extend(new);
    }
    names
}

/// What is told while an order is being written. None: no order is.
pub(crate) fn hint_for(text: &str, language: Language) -> Option<Sentence> {
    let rest = text.strip_prefix('/').filter(|rest| !rest.starts_with('/') && !text.contains('\n'))?;
    let (word, has_more) = rest.split_once(' ').map_or((rest, false), |(word, _)| (word, true));
    let word = crate::fold::search_key(word);
    if let Some(named) = ORDERS.iter().find(|named| named.is(&word)) {
        return Some(named.help.into());
    }
    if !matches!(AccountCommand::parse(&word), Err(CommandError::Unknown { .. })) {
        return Some(AccountPhrase::HelpActs.into());
    }
    let names = if has_more { Vec::new() } else { names_beginning_with(&word, language) };
    if names.is_empty() {
        return Some(Sentence::new(Phrase::CommandUnknown, &[&word]));
    }
    let of_language: Vec<String> = ORDERS
        .iter()
        .map(|named| named.in_language(language))
        .filter(|name| names.contains(name))
        .map(|name| format!("/{name}"))
        .collect();
    match (of_language.is_empty(), names.first()) {
        (true, Some(first)) => Some(Sentence::quoted(&format!("/{first}"))),
        _ => Some(Sentence::quoted(&of_language.join("  "))),
    }
}

impl Model {
    /// Does what a line that begins with `/` says. False: it stays in the input, and the person was told why.
    pub(super) fn obey(&mut self, line: &str) -> bool {
        let rest = line.strip_prefix('/').unwrap_or(line);
        let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let word = crate::fold::search_key(word);
        let rest = rest.trim();
        // In the window a room is muted by it; an operator who names somebody means the act.
        let is_act = word == "mute" && !rest.is_empty() && self.account.is_operator();
        let Some(named) = ORDERS.iter().find(|named| named.is(&word) && !is_act) else {
            if let Some(is_taken) = self.obey_act(line) {
                return is_taken;
            }
            self.complain(Sentence::new(Phrase::CommandUnknown, &[&word]));
            return false;
        };
        if let Some((spanish, english)) = named.needs.filter(|_| rest.is_empty()) {
            let missing = if self.language() == Language::Es { spanish } else { english };
            self.complain(Sentence::new(Phrase::CommandMissing, &[missing]));
            return false;
        }
        self.obey_order(named.order, rest)
    }

    fn obey_order(&mut self, order: Order, rest: &str) -> bool {
        let shown = self.conversations.shown().id;
        match order {
            Order::Join => self.join(rest),
            Order::Part => return self.obey_part(rest),
            Order::Nick => self.rename(rest),
            Order::Msg => return self.obey_msg(rest),
            Order::Ignore => self.ignore(rest, true),
            Order::Unignore => self.ignore(rest, false),
            Order::Mute => {
                let room = &self.conversations.shown().name;
                let is_muted = self.settings.is_muted(room);
                self.mute(shown, !is_muted);
            }
            Order::Search => self.open_search(rest),
            Order::Who => return self.obey_who(),
            Order::Rooms => return self.obey_rooms(),
            Order::Help => self.tell_help(shown),
            Order::Quit => self.handle_act(Act::Close),
            Order::Login => return self.obey_password(rest, |name| What::Login { name }),
            Order::Register => return self.obey_password(rest, |name| What::Register { name }),
            Order::Passwd => return self.obey_password(rest, |name| What::Passwd { name }),
        }
        true
    }

    fn obey_part(&mut self, rest: &str) -> bool {
        let room = crate::settings::room_key(rest).ok();
        let id = match room.filter(|_| !rest.is_empty()) {
            None if rest.is_empty() => Some(self.conversations.shown().id),
            None => None,
            Some(room) => self.conversations.find(Kind::Room, &room),
        };
        match id {
            Some(id) => self.leave(id),
            None => self.complain(Phrase::NoRoom),
        }
        id.is_some()
    }

    /// `/msg NAME TEXT`, where a name with spaces is in quotes or has them escaped as `\s`.
    fn obey_msg(&mut self, rest: &str) -> bool {
        let (name, text) = match rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            Some((name, text)) => (name.to_owned(), text),
            None => self.longest_name(rest).unwrap_or_else(|| {
                let (name, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                (tertulia_wire::tags::unescape(name).into_owned(), text)
            }),
        };
        let text = text.trim();
        if !self.fits(text) {
            return false;
        }
        let from = self.conversations.shown().id;
        let Some(id) = self.talk(&name) else { return false };
        if text.is_empty() {
            return true;
        }
        let is_said = self.say(id, text, None);
        if !is_said && from != id {
            self.select(from);
        }
        is_said
    }

    /// A name with spaces that is known here and that the text begins with.
    fn longest_name<'a>(&self, text: &'a str) -> Option<(String, &'a str)> {
        let people = self.conversations.shown().people.iter();
        let fits = people.filter_map(|person| {
            let rest = text.strip_prefix(&*person.name)?;
            let is_whole = rest.is_empty() || rest.starts_with(char::is_whitespace);
            is_whole.then(|| (person.name.to_string(), rest))
        });
        fits.max_by_key(|(name, _)| name.len())
    }

    fn obey_who(&mut self) -> bool {
        let shown = self.conversations.shown();
        if shown.kind != Kind::Room {
            self.complain(Phrase::NotARoom);
            return false;
        }
        let room = shown.name.clone();
        self.with_connection(|model| model.ask_people(&room, true))
    }

    fn obey_rooms(&mut self) -> bool {
        self.with_connection(Self::ask_rooms)
    }

    pub(super) fn with_connection(&mut self, act: impl FnOnce(&mut Self)) -> bool {
        let is_ready = self.status == super::Status::Ready;
        if is_ready {
            act(self);
        } else {
            self.complain(Phrase::NeedsConnection);
        }
        is_ready
    }

    fn tell_help(&mut self, conversation: ConversationId) {
        for named in &ORDERS {
            self.tell(conversation, named.help);
        }
        if self.account.is_operator() {
            self.tell(conversation, AccountPhrase::HelpActs);
        }
    }
}
