//! The command line: what holds for this run, or a sentence that says what is wrong with it.

use std::ffi::OsString;
use std::fmt;

use lexopt::prelude::*;

use crate::colour::Theme;
use crate::files::PROFILE_DEFAULT;
use crate::phrases::Language;
use crate::settings::Flags;

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
    /// Whose settings, drafts and session are used.
    pub profile: String,
    /// What stands before the settings in this run.
    pub flags: Flags,
}

/// A wrong command line: which flag, what was given, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionsError(String);

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; see tertulia-desktop --help", self.0)
    }
}

impl std::error::Error for OptionsError {}

/// Reads the arguments, the program's name not among them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, OptionsError> {
    let mut options = Options { profile: PROFILE_DEFAULT.to_owned(), flags: Flags::default() };
    let mut wants_help = false;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| OptionsError(error.to_string()))? {
        match argument {
            Long("help") | Short('h') => wants_help = true,
            Long("version") | Short('V') => return Ok(Asked::Version),
            Long(flag) => {
                let flag = flag.to_owned();
                read_flag(&mut options, &flag, &mut parser)?;
            }
            Short(letter) => return Err(OptionsError(format!("-{letter}: no such argument"))),
            Value(value) => {
                let value = value.to_string_lossy().into_owned();
                return Err(OptionsError(format!("{value}: no such argument")));
            }
        }
    }
    Ok(if wants_help { Asked::Help(options.flags.language) } else { Asked::Run(options) })
}

const FLAGS: [&str; 6] = ["relay", "name", "room", "lang", "theme", "profile"];

fn read_flag(options: &mut Options, flag: &str, parser: &mut lexopt::Parser) -> Result<(), OptionsError> {
    if !FLAGS.contains(&flag) {
        return Err(OptionsError(format!("--{flag}: no such flag")));
    }
    let value = parser.value().map_err(|_| OptionsError(format!("--{flag}: a value must follow")))?;
    let value = value.to_string_lossy().into_owned();
    let wrong = |expected: &str| OptionsError(format!("--{flag} {value}: expected {expected}"));
    let flags = &mut options.flags;
    match flag {
        "relay" => flags.relay = Some(value),
        "name" => flags.name = Some(value),
        "room" => flags.rooms.get_or_insert_default().push(value),
        "lang" => flags.language = Some(Language::from_name(&value).ok_or_else(|| wrong("es or en"))?),
        "theme" => flags.theme = Some(Theme::from_name(&value).ok_or_else(|| wrong("light or dark"))?),
        _ => options.profile = value,
    }
    Ok(())
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
  --name NAME         the name to be known by       [asked for]
  --room ROOM         a room to be in, repeatable   [general]
  --lang es|en        language of the window        [the desktop's]
  --theme light|dark  colours                       [light]
  --profile NAME      settings, drafts and session of its own, so that two windows can be open  [default]
  --version, --help

A flag holds for this run; what is chosen in the window is kept. FLTK_SCALING_FACTOR=2 makes everything twice as large.
";

const HELP_ES: &str = "\
tertulia-desktop: la ventana del chat

  --relay HOST:PORT   a quién conectarse                    [127.0.0.1:2000]
  --name NAME         el nombre que ven los demás           [se pregunta]
  --room ROOM         una sala en la que estar, repetible   [general]
  --lang es|en        idioma de la ventana                  [el del escritorio]
  --theme light|dark  colores                               [light]
  --profile NAME      ajustes, borradores y sesión propios, para tener dos ventanas abiertas  [default]
  --version, --help

Una opción vale para esta vez; lo que se elige en la ventana se guarda. FLTK_SCALING_FACTOR=2 lo hace todo el doble de grande.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Asked, String> {
        parse(arguments.iter().map(OsString::from)).map_err(|error| error.to_string())
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
        assert_eq!((options.flags, options.profile.as_str()), (expected, "default"));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_was_expected() {
        let cases = [
            (&["--lang", "fr"][..], "--lang fr: expected es or en; see tertulia-desktop --help"),
            (&["--color", "x"], "--color: no such flag; see tertulia-desktop --help"),
            (&["--name"], "--name: a value must follow; see tertulia-desktop --help"),
            (&["hola"], "hola: no such argument; see tertulia-desktop --help"),
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
