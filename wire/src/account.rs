//! The commands of accounts and of operators. A relay without accounts knows none of them, so they stand apart from
//! [`crate::command`].

use std::borrow::Cow;

use crate::command::CommandError;
use crate::limits::PASSWORD_BYTES_MAX;
use crate::secret::Secret;
use crate::tags::unescape;
use crate::text::{LINE_BREAK, is_default_ignorable};

/// A command of somebody who has an account, wants one, or is an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCommand<'a> {
    /// `/register NAME PASSWORD`: the name becomes an account.
    Register {
        /// As written; may not be valid.
        name: Cow<'a, str>,
        /// The rest of the line.
        password: Secret<&'a str>,
    },
    /// `/login NAME PASSWORD`: be known as that account, and join as it.
    Login {
        /// As written.
        name: Cow<'a, str>,
        /// The rest of the line.
        password: Secret<&'a str>,
    },
    /// `/passwd PASSWORD`: another password.
    Passwd {
        /// The rest of the line.
        password: Secret<&'a str>,
    },
    /// `/read [room=ROOM] id=ID`: what was read up to this line, on whatever device.
    Read {
        /// The room; without it the one the connection is in.
        room: Option<Cow<'a, str>>,
        /// The newest line that was read.
        id: u64,
    },
    /// What an operator does to somebody, or to a room.
    Act(Act<'a>),
}

/// What an operator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act<'a> {
    /// What.
    pub kind: ActKind,
    /// Of `/bans` nothing; else a name; of `/ban`, `/unban` and `/unmute` also an address or a block of them; of the acts on rooms a room.
    pub target: Cow<'a, str>,
    /// Of the acts on rooms: the access, or the name. Else empty.
    pub object: Cow<'a, str>,
    /// For how long, in seconds. None: nothing was said of it.
    pub span_s: Option<u64>,
    /// Why, for the operator's log; may be empty.
    pub why: String,
}

/// The acts of operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActKind {
    /// `/kick NAME [WHY]`
    Kick,
    /// `/mute NAME [TIME] [WHY]`
    Mute,
    /// `/unmute NAME|ADDRESS`
    Unmute,
    /// `/ban NAME|ADDRESS|CIDR [TIME] [WHY]`
    Ban,
    /// `/unban NAME|ADDRESS|CIDR`
    Unban,
    /// `/bans`
    Bans,
    /// `/op NAME`
    Op,
    /// `/deop NAME`
    Deop,
    /// `/room ROOM open|registered|members`
    Room,
    /// `/allow ROOM NAME`
    Allow,
    /// `/deny ROOM NAME`
    Deny,
}

impl ActKind {
    /// As it is written by programs and in the operator's log, in lower case.
    pub fn word(self) -> &'static str {
        NAMES.iter().find(|(_, _, _, kind)| *kind == Some(self)).map_or("act", |(word, ..)| word)
    }

    /// As it stands in answers of the relay, in capitals.
    pub fn command(self) -> &'static str {
        match self {
            Self::Kick => "KICK",
            Self::Mute => "MUTE",
            Self::Unmute => "UNMUTE",
            Self::Ban => "BAN",
            Self::Unban => "UNBAN",
            Self::Bans => "BANS",
            Self::Op => "OP",
            Self::Deop => "DEOP",
            Self::Room => "ROOM",
            Self::Allow => "ALLOW",
            Self::Deny => "DENY",
        }
    }

    /// What is missing where the second word is.
    fn object(self) -> Option<&'static str> {
        match self {
            Self::Room => Some("ACCESS"),
            Self::Allow | Self::Deny => Some("NAME"),
            _ => None,
        }
    }
}

/// English name, Spanish name, what follows it, and which act it is.
pub const NAMES: [(&str, &str, &str, Option<ActKind>); 15] = [
    ("register", "registrar", "NAME PASSWORD", None),
    ("login", "entrar", "NAME PASSWORD", None),
    ("passwd", "clave", "PASSWORD", None),
    ("read", "leido", "room=ROOM id=ID", None),
    ("kick", "expulsar", "NAME [WHY]", Some(ActKind::Kick)),
    ("mute", "silenciar", "NAME [TIME] [WHY]", Some(ActKind::Mute)),
    ("unmute", "desilenciar", "NAME|ADDRESS", Some(ActKind::Unmute)),
    ("ban", "vetar", "NAME|ADDRESS [TIME] [WHY]", Some(ActKind::Ban)),
    ("unban", "desvetar", "NAME|ADDRESS", Some(ActKind::Unban)),
    ("bans", "vetos", "", Some(ActKind::Bans)),
    ("op", "op", "NAME", Some(ActKind::Op)),
    ("deop", "deop", "NAME", Some(ActKind::Deop)),
    ("room", "acceso", "ROOM open|registered|members", Some(ActKind::Room)),
    ("allow", "permitir", "ROOM NAME", Some(ActKind::Allow)),
    ("deny", "denegar", "ROOM NAME", Some(ActKind::Deny)),
];

impl<'a> AccountCommand<'a> {
    /// Reads what follows the slash. Of `/login` and `/register` the password is all that stands behind the name, spaces
    /// included, but for those at its ends.
    pub fn parse(line: &'a str) -> Result<Self, CommandError<'a>> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let is_word = |name: &str| word.eq_ignore_ascii_case(name);
        let known = NAMES.iter().find(|(english, spanish, _, _)| is_word(english) || is_word(spanish));
        match known {
            Some((_, _, _, Some(kind))) => parse_act(*kind, rest),
            Some(("register", ..)) => {
                let (name, password) = parse_secret(rest, "REGISTER")?;
                Ok(Self::Register { name, password })
            }
            Some(("login", ..)) => {
                let (name, password) = parse_secret(rest, "LOGIN")?;
                Ok(Self::Login { name, password })
            }
            Some(("passwd", ..)) if rest.trim().is_empty() => {
                Err(CommandError::Missing { command: "PASSWD", what: "PASSWORD" })
            }
            Some(("passwd", ..)) => Ok(Self::Passwd { password: Secret(rest.trim()) }),
            Some(("read", ..)) => parse_read(rest),
            _ => Err(CommandError::Unknown { word }),
        }
    }
}

/// Whether somebody is about to say a password to everybody: a line of the text begins with a command that takes one, which is
/// none because something stands before it, be it white space or a name. Whether a password follows does not matter.
pub fn holds_password(text: &str) -> bool {
    let is_break = |c: char| matches!(c, '\n' | LINE_BREAK | '\u{2029}');
    memchr::memchr(b'/', text.as_bytes()).is_some() && text.split(is_break).any(begins_with_secret)
}

fn begins_with_secret(line: &str) -> bool {
    let is_blank = |c: char| c.is_whitespace() || is_default_ignorable(c);
    let Some(rest) = line.trim_start_matches(is_blank).strip_prefix('/') else { return false };
    let word = rest.split(is_blank).next().unwrap_or_default();
    let mut secret = NAMES.iter().filter(|(_, _, words, _)| words.ends_with("PASSWORD"));
    secret.any(|(english, spanish, ..)| {
        word.eq_ignore_ascii_case(english) || word.eq_ignore_ascii_case(spanish)
    })
}

/// Whether this can be a password: 8 bytes to [`PASSWORD_BYTES_MAX`].
pub fn is_password(text: &str) -> bool {
    (8..=PASSWORD_BYTES_MAX).contains(&text.len())
}

fn parse_secret<'a>(
    rest: &'a str,
    command: &'static str,
) -> Result<(Cow<'a, str>, Secret<&'a str>), CommandError<'a>> {
    let (name, password) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    let missing = |what| Err(CommandError::Missing { command, what });
    let name = unescape(name);
    if name.is_empty() {
        return missing("NAME");
    }
    let password = password.trim();
    if password.is_empty() { missing("PASSWORD") } else { Ok((name, Secret(password))) }
}

fn words(rest: &str) -> impl Iterator<Item = &str> {
    rest.split(' ').filter(|word| !word.is_empty() && !word.starts_with("label="))
}

fn parse_read(rest: &str) -> Result<AccountCommand<'_>, CommandError<'_>> {
    let value =
        |key: &str| words(rest).filter_map(|word| word.split_once('=')).find(|(name, _)| *name == key);
    let (_, id) = value("id").ok_or(CommandError::Missing { command: "READ", what: "ID" })?;
    let number = id.parse().map_err(|_| CommandError::NoNumber { command: "READ", word: id })?;
    Ok(AccountCommand::Read { room: value("room").map(|(_, room)| unescape(room)), id: number })
}

fn parse_act(kind: ActKind, rest: &str) -> Result<AccountCommand<'_>, CommandError<'_>> {
    if kind == ActKind::Bans {
        let (target, object, why) = (Cow::Borrowed(""), Cow::Borrowed(""), String::new());
        return Ok(AccountCommand::Act(Act { kind, target, object, span_s: None, why }));
    }
    let missing = |what| CommandError::Missing { command: kind.command(), what };
    let mut words = words(rest).peekable();
    let target = words.next().map(unescape).filter(|target| !target.is_empty());
    let is_on_room = kind.object().is_some();
    let target = target.ok_or(missing(if is_on_room { "ROOM" } else { "NAME" }))?;
    let object = match kind.object() {
        Some(what) => words.next().map(unescape).filter(|object| !object.is_empty()).ok_or(missing(what))?,
        None => Cow::Borrowed(""),
    };
    let has_span = matches!(kind, ActKind::Mute | ActKind::Ban);
    let word = words.peek().copied().filter(|word| has_span && looks_like_span(word));
    let span_s = word.and_then(parse_span);
    if let Some(word) = word.filter(|_| span_s.is_none()) {
        return Err(CommandError::NoTime { command: kind.command(), word });
    }
    if word.is_some() {
        words.next();
    }
    let why = words.collect::<Vec<_>>().join(" ");
    Ok(AccountCommand::Act(Act { kind, target, object, span_s, why }))
}

/// Whether a word is meant as a time: a slip in one must not make a ban without end, for a reason that begins with it.
fn looks_like_span(word: &str) -> bool {
    word.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit())
}

/// `90s`, `30m`, `12h`, `7d`, `2w`: in seconds, at least one.
fn parse_span(word: &str) -> Option<u64> {
    let units = [('w', 7 * 24 * 3600), ('d', 24 * 3600), ('h', 3600), ('m', 60), ('s', 1)];
    let word = word.to_ascii_lowercase();
    let (unit, seconds) = units.into_iter().find(|(unit, _)| word.ends_with(*unit))?;
    let span_s = word.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(seconds)?;
    (span_s > 0).then_some(span_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_command_is_known_by_its_english_and_its_spanish_name() {
        for (english, spanish, _, _) in NAMES {
            let line = |word: &str| format!("{word} Ana id=7 clave");
            assert_eq!(AccountCommand::parse(&line(english)), AccountCommand::parse(&line(spanish)));
            assert!(AccountCommand::parse(&line(english)).is_ok(), "{english}");
        }
        assert_eq!(AccountCommand::parse("baila"), Err(CommandError::Unknown { word: "baila" }));
    }

    #[test]
    fn a_password_is_the_rest_of_the_line_and_is_not_shown() {
        let parsed = AccountCommand::parse("login Ana\\sMaría dos  palabras label=x ").unwrap();
        let expected =
            AccountCommand::Login { name: "Ana María".into(), password: Secret("dos  palabras label=x") };
        assert_eq!(parsed, expected);
        assert!(!format!("{parsed:?}").contains("palabras"));
        let missing = |what| Err(CommandError::Missing { command: "LOGIN", what });
        assert_eq!(AccountCommand::parse("login"), missing("NAME"));
        assert_eq!(AccountCommand::parse("login Ana  "), missing("PASSWORD"));
    }

    #[test]
    fn an_act_has_a_target_a_time_and_a_reason() {
        let act = |line: &'static str| match AccountCommand::parse(line) {
            Ok(AccountCommand::Act(act)) => act,
            other => panic!("{other:?}"),
        };
        let ban = act("ban 10.0.0.0/8 12h demasiado ruido label=b");
        assert_eq!((&*ban.target, ban.span_s, &*ban.why), ("10.0.0.0/8", Some(43_200), "demasiado ruido"));
        let kick = act("kick Ana 5m de ruido");
        assert_eq!((kick.span_s, &*kick.why), (None, "5m de ruido"));
        let room = act("acceso junta members");
        assert_eq!((room.kind, &*room.target, &*room.object), (ActKind::Room, "junta", "members"));
        let missing = CommandError::Missing { command: "ALLOW", what: "NAME" };
        assert_eq!(AccountCommand::parse("allow junta"), Err(missing));
        assert_eq!((act("mute Ana 2w").span_s, act("mute Ana 1H").span_s), (Some(1_209_600), Some(3600)));
        for word in ["99999999999999999999d", "5x", "1h30m", "0", "0h", "-1h", "3"] {
            let (line, error) =
                (format!("ban Ana {word} ruido"), CommandError::NoTime { command: "BAN", word });
            assert_eq!(AccountCommand::parse(&line), Err(error));
        }
        assert_eq!(act("ban Ana - ruido").span_s, None);
    }

    #[test]
    fn a_command_that_takes_a_password_is_known_behind_whatever_does_not_show_and_in_each_line() {
        for text in [
            "/login Ana clave",
            " /login Ana clave",
            "\t/LOGIN Ana clave",
            "\u{a0}/Entrar Ana clave",
            "\u{feff}\u{200b} /register Ana clave",
            "\u{3000}/registrar",
            "/passwd\u{a0}clave",
            "hola\u{2028} /clave otra",
            "hola\n/login Ana clave",
        ] {
            assert!(holds_password(text), "{text:?}");
        }
        for text in [
            "",
            "/",
            "hola",
            "no /login Ana clave",
            "/loginAna clave",
            "//login Ana",
            " /msg Ana /login",
            "a/login",
        ] {
            assert!(!holds_password(text), "{text:?}");
        }
        let secret = NAMES.iter().filter(|(english, ..)| holds_password(&format!(" /{english} x")));
        assert_eq!(secret.map(|(english, ..)| *english).collect::<Vec<_>>(), ["register", "login", "passwd"]);
    }

    proptest! {
        #[test]
        fn no_password_is_said_whatever_blanks_stand_before_its_command(
            blanks in "[\t \u{a0}\u{2003}\u{200b}\u{feff}\u{2028}]{0,6}", word in "[lL][oO][gG][iI][nN]|[cC][lL][aA][vV][eE]",
            rest in "([ \t\u{a0}].{0,9})?",
        ) {
            let text = format!("{blanks}/{word}{rest}");
            prop_assert!(holds_password(&text));
        }

        #[test]
        fn no_input_makes_the_parser_panic(word in 0..NAMES.len(), rest in any::<String>()) {
            let (name, _, _, _) = NAMES[word];
            let _ = AccountCommand::parse(&format!("{name} {rest}"));
            let _ = AccountCommand::parse(&rest);
        }
    }
}
