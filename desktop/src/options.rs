//! The command line: what holds for this run, or a sentence that says what is wrong with it.

use std::ffi::OsString;

use lexopt::prelude::*;

use crate::colour::Theme;
use crate::phrases::{Language, Phrase, Sentence, fill};
use crate::settings::{Flags, check_name, check_relay, room_key};
use tertulia_wire::limits::ROOMS_PER_CLIENT_MAX;

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// To open the window.
    Run(Options),
    /// To explain the flags, in this language; without one, in the desktop's.
    Help(Option<Language>),
    /// To say the version.
    Version,
}

/// How to open the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whose settings, drafts and session are used. None: the usual one, or the next that is free.
    pub profile: Option<String>,
    /// What stands before the settings in this run.
    pub flags: Flags,
}

/// A wrong command line: which flag, what was given, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionsError {
    what: Sentence,
    /// What can be chosen from, where that is little.
    either: Option<[&'static str; 2]>,
    /// Why the value cannot be.
    why: Option<Sentence>,
    /// Which language the command line asks for.
    language: Option<Language>,
}

impl OptionsError {
    fn new(phrase: Phrase, words: &[&str]) -> Self {
        Self { what: Sentence::new(phrase, words), either: None, why: None, language: None }
    }

    /// What is wrong and what helps, in the language that the command line asks for, or else in this one.
    pub fn sentence(&self, language: Language) -> String {
        let language = self.language.unwrap_or(language);
        let mut what = self.what.in_language(language);
        if let Some(words) = &self.either {
            what.push_str(&fill(Phrase::EitherOr.in_language(language), words));
        }
        if let Some(why) = &self.why {
            what = format!("{what}: {}", why.in_language(language));
        }
        fill(Phrase::SeeHelp.in_language(language), &[what])
    }
}

/// Reads the arguments, the program's name not among them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, OptionsError> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let language = language_of(&arguments);
    let mut options = Options { profile: None, flags: Flags::default() };
    match read_all(&mut options, arguments) {
        Ok(Some(asked)) => Ok(asked),
        Ok(None) => Ok(Asked::Run(options)),
        Err(error) => Err(OptionsError { language, ..error }),
    }
}

/// The language that the arguments ask for, wherever they do: what is wrong before is told in it as well.
fn language_of(arguments: &[OsString]) -> Option<Language> {
    let words = arguments.iter().map(|argument| argument.to_str().unwrap_or_default());
    let mut followed = words.clone().zip(words.clone().skip(1));
    let apart = followed.find_map(|(flag, value)| (flag == "--lang").then_some(value));
    let joined = || words.clone().find_map(|word| word.strip_prefix("--lang="));
    apart.or_else(joined).and_then(Language::from_name)
}

/// Reads all arguments into the options. What is asked for, if that is not to run.
fn read_all(
    options: &mut Options,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<Asked>, OptionsError> {
    let mut wants_help = false;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) =
        parser.next().map_err(|error| OptionsError::new(Phrase::Verbatim, &[&error.to_string()]))?
    {
        match argument {
            Long("help") | Short('h') => wants_help = true,
            Long("version") | Short('V') => return Ok(Some(Asked::Version)),
            Long(flag) => {
                let flag = flag.to_owned();
                read_flag(options, &flag, &mut parser)?;
            }
            Short(letter) => return Err(OptionsError::new(Phrase::FlagUnknown, &[&format!("-{letter}")])),
            Value(value) => {
                let value = value.to_string_lossy().into_owned();
                return Err(OptionsError::new(Phrase::ArgumentUnknown, &[&value]));
            }
        }
    }
    Ok(wants_help.then_some(Asked::Help(options.flags.language)))
}

const FLAGS: [&str; 8] = ["relay", "tls", "name", "login", "room", "lang", "theme", "profile"];

fn read_flag(options: &mut Options, flag: &str, parser: &mut lexopt::Parser) -> Result<(), OptionsError> {
    let dashed = format!("--{flag}");
    if !FLAGS.contains(&flag) {
        return Err(OptionsError::new(Phrase::FlagUnknown, &[&dashed]));
    }
    if flag == "tls" {
        options.flags.tls = Some(true);
        return Ok(());
    }
    let value = parser.value().map_err(|_| OptionsError::new(Phrase::FlagBare, &[&dashed]))?;
    let value = value.to_string_lossy().into_owned();
    let wrong = |either| OptionsError {
        either: Some(either),
        ..OptionsError::new(Phrase::FlagInvalid, &[&dashed, &value])
    };
    let flags = &mut options.flags;
    check_value(flag, &value, flags.rooms.as_ref().map_or(0, Vec::len))
        .map_err(|why| OptionsError { why: Some(why), ..OptionsError::new(Phrase::Verbatim, &[&dashed]) })?;
    match flag {
        "relay" => flags.relay = Some(value),
        "name" => flags.name = Some(value),
        "login" => (flags.name, flags.login) = (Some(value), Some(true)),
        "room" => flags.rooms.get_or_insert_default().push(value),
        "lang" => flags.language = Some(Language::from_name(&value).ok_or_else(|| wrong(["es", "en"]))?),
        "theme" => flags.theme = Some(Theme::from_name(&value).ok_or_else(|| wrong(["light", "dark"]))?),
        _ => options.profile = Some(value),
    }
    Ok(())
}

/// Whether a value can be what it is given for, as far as that can be known of it alone. An error: why it cannot.
fn check_value(flag: &str, value: &str, rooms: usize) -> Result<(), Sentence> {
    match flag {
        "relay" => check_relay(value),
        // Empty: it is asked for.
        "name" if !value.trim().is_empty() => check_name(value.trim()),
        "room" if rooms >= ROOMS_PER_CLIENT_MAX => {
            Err(Sentence::new(Phrase::TooManyRooms, &[&ROOMS_PER_CLIENT_MAX.to_string()]))
        }
        "room" => match room_key(value) {
            Ok(_) => Ok(()),
            Err(_) => Err(Sentence::new(Phrase::SettingRoomInvalid, &[value])),
        },
        _ => Ok(()),
    }
}

/// What the flags mean.
pub fn help(language: Language) -> &'static str {
    match language {
        Language::En => HELP_EN,
        Language::Es => HELP_ES,
    }
}

const HELP_EN: &str = "\
tertulia-desktop: the window of the chat

  --relay HOST:PORT   whom to connect to            [127.0.0.1:2000]
  --tls               encrypted; without a port in --relay, 2001
  --name NAME         the name to be known by       [asked for]
  --login NAME        the same, of an account: its password is asked for, or taken from the desktop's keyring
  --room ROOM         a room to be in, repeatable   [general]
  --lang es|en        language of the window        [the desktop's]
  --theme light|dark  colours                       [light]
  --profile NAME      settings, drafts and session of its own   [default; where it is open already, default-2 and so on]
  --version, --help

A flag holds for this run; what is chosen in the window is kept. FLTK_SCALING_FACTOR=2 makes everything twice as large.
";

const HELP_ES: &str = "\
tertulia-desktop: la ventana del chat

  --relay HOST:PORT   a quién conectarse                    [127.0.0.1:2000]
  --tls               cifrado; sin puerto en --relay, el 2001
  --name NAME         el nombre que ven los demás           [se pregunta]
  --login NAME        lo mismo, el de una cuenta: su contraseña se pregunta, o la tiene el llavero del escritorio
  --room ROOM         una sala en la que estar, repetible   [general]
  --lang es|en        idioma de la ventana                  [el del escritorio]
  --theme light|dark  colores                               [light]
  --profile NAME      ajustes, borradores y sesión propios      [default; si ya está abierto, default-2, etc.]
  --version, --help

Una opción vale para esta vez; lo que se elige en la ventana se guarda. FLTK_SCALING_FACTOR=2 lo hace todo el doble de grande.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Asked, String> {
        parse(arguments.iter().map(OsString::from)).map_err(|error| error.sentence(Language::Es))
    }

    #[test]
    fn what_is_given_stands_in_the_options_and_nothing_else() {
        let Ok(Asked::Run(options)) =
            read(&["--room", "a", "--relay=h:1", "--room", "b", "--theme", "oscuro"])
        else {
            panic!("no run")
        };
        let expected = Flags {
            relay: Some("h:1".into()),
            rooms: Some(vec!["a".into(), "b".into()]),
            theme: Some(Theme::Dark),
            ..Flags::default()
        };
        assert_eq!((options.flags, options.profile), (expected, None));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_was_expected() {
        let cases = [
            (&["--lang", "fr"][..], "--lang fr: se espera es o en; mira tertulia-desktop --help"),
            (&["--color", "x"], "no existe la opción --color; mira tertulia-desktop --help"),
            (&["-x"], "no existe la opción -x; mira tertulia-desktop --help"),
            (&["--name"], "falta un valor detrás de --name; mira tertulia-desktop --help"),
            (&["hola"], "sobra «hola»; mira tertulia-desktop --help"),
            (
                &["--lang", "en", "--theme", "pink"],
                "--theme pink: expected light or dark; see tertulia-desktop --help",
            ),
            (
                &["--relay", "casa:99999"],
                "--relay: «casa:99999» no vale como dirección: máquina:puerto, con un puerto de 1 a 65535; mira tertulia-desktop --help",
            ),
            (
                &["--room", "dos salas"],
                "--room: «dos salas» no vale como sala: hasta 32 bytes, sin espacios ni dos puntos; mira tertulia-desktop --help",
            ),
            (
                &["--lang", "en", "--name", "a:b"],
                "--name: that is no name: up to 64 bytes, no colon or invisible signs, not starting with * / @ [ #; see tertulia-desktop --help",
            ),
            (
                &["--room", "a b", "--lang", "en"],
                "--room: “a b” is no room: up to 32 bytes, no spaces or colons; see tertulia-desktop --help",
            ),
            (&["--lang", "en", "--name"], "a value must follow --name; see tertulia-desktop --help"),
        ];
        for (arguments, expected) in cases {
            assert_eq!(read(arguments), Err(expected.to_owned()));
        }
    }

    #[test]
    fn the_help_names_each_flag_in_both_languages() {
        for language in [Language::Es, Language::En] {
            for flag in FLAGS {
                assert!(help(language).contains(&format!("\n  --{flag} ")), "{flag}");
            }
        }
        assert_eq!(read(&["--help", "--lang", "en"]), Ok(Asked::Help(Some(Language::En))));
    }
}
