//! Where settings come from besides the command line: a file and the environment. Each becomes a flag as if it stood on
//! the command line, unless something stronger has it: flags, then the environment, then the file.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::{Asked, Options, OptionsError, SWITCHES, is_flag, read_flag};

/// What stands before the flag's name in the environment, with `_` for `-`.
const VARIABLE_START: &str = "TERTULIA_RELAY_";

/// Bytes of a file of settings. A longer one is something else.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Flags that may be given several times: in the file, an array.
const LISTS: [&str; 6] =
    ["listen", "tls-listen", "proxy-listen", "proxy-from", "trusted", "max-per-ip-exempt"];

/// A flag from elsewhere, and all values of it.
struct Setting {
    flag: String,
    /// `true` stands for a flag without a value.
    values: Vec<String>,
    /// Where it stands, for people.
    origin: String,
}

/// Reads the arguments, the program's name not among them, and what stands in the environment and in the file that one
/// of the two names.
pub fn parse_all(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Asked, OptionsError> {
    let (arguments, file) = take_file(arguments.into_iter().collect())?;
    let mut variables = variables(environment)?;
    let from_variable = variables.iter().position(|setting| setting.flag == "config");
    let file_of_variable = from_variable.map(|place| variables.remove(place).values.concat().into());
    let file: Option<PathBuf> = file.or(file_of_variable);
    let settings = file.as_deref().map_or(Ok(Vec::new()), settings_of_file)?;
    for setting in settings.iter().chain(&variables) {
        setting.check()?;
    }
    let named = named_flags(&arguments);
    let is_in = |flag: &str, settings: &[Setting]| settings.iter().any(|setting| setting.flag == flag);
    let mut all: Vec<OsString> = Vec::new();
    let from_file = settings.iter().filter(|setting| !is_in(&setting.flag, &variables));
    for setting in from_file.chain(&variables).filter(|setting| !named.contains(&setting.flag)) {
        all.extend(setting.arguments());
    }
    all.extend(arguments);
    let mut asked = super::parse(all)?;
    if let Asked::Run(options) | Asked::Check(options) = &mut asked {
        options.config = file;
    }
    Ok(asked)
}

impl Setting {
    /// A wrong value is told with where it stands.
    fn check(&self) -> Result<(), OptionsError> {
        if SWITCHES.contains(&self.flag.as_str()) {
            return Ok(());
        }
        for argument in self.arguments() {
            let mut parser = lexopt::Parser::from_args([argument]);
            // The flag itself; its value is what is looked at.
            drop(parser.next());
            let read = read_flag(&mut Options::default(), &self.flag, &mut parser);
            if let Err(OptionsError(sentence)) = read {
                let sentence = sentence.strip_prefix("--").unwrap_or(&sentence);
                return Err(OptionsError(format!("{}: {sentence}", self.origin)));
            }
        }
        Ok(())
    }

    fn arguments(&self) -> Vec<OsString> {
        if SWITCHES.contains(&self.flag.as_str()) {
            let is_on = self.values.first().is_some_and(|value| value == "true");
            return is_on.then(|| format!("--{}", self.flag).into()).into_iter().collect();
        }
        self.values.iter().map(|value| format!("--{}={value}", self.flag).into()).collect()
    }
}

/// Takes `--config FILE` out of the arguments.
fn take_file(arguments: Vec<OsString>) -> Result<(Vec<OsString>, Option<PathBuf>), OptionsError> {
    let (mut others, mut file) = (Vec::new(), None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let value = if argument == "--config" {
            let value = arguments.next().ok_or("--config: a value must follow");
            Some(value.map_err(|sentence| OptionsError(sentence.into()))?)
        } else {
            argument.to_str().and_then(|text| text.strip_prefix("--config=")).map(OsString::from)
        };
        match value {
            Some(_) if file.is_some() => {
                return Err(OptionsError("--config: only one file can be named".into()));
            }
            Some(value) => file = Some(PathBuf::from(value)),
            None => others.push(argument),
        }
    }
    Ok((others, file))
}

/// The flags that the command line names.
fn named_flags(arguments: &[OsString]) -> Vec<String> {
    let mut named = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let Some(flag) = argument.to_str().and_then(|text| text.strip_prefix("--")) else { continue };
        let (flag, has_value) = flag.split_once('=').map_or((flag, false), |(flag, _)| (flag, true));
        if is_flag(flag) {
            named.push(flag.to_owned());
            // What follows is its value, whatever it looks like.
            if !has_value && !SWITCHES.contains(&flag) {
                arguments.next();
            }
        }
    }
    named
}

/// Whether a flag can stand in a file or in the environment, too: one that is about a single account cannot.
fn is_setting(flag: &str) -> bool {
    is_flag(flag) && flag != "role"
}

fn variables(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<Setting>, OptionsError> {
    let mut settings = Vec::new();
    for (variable, value) in environment {
        let Some(name) = variable.to_str().and_then(|name| name.strip_prefix(VARIABLE_START)) else {
            continue;
        };
        let flag = name.to_ascii_lowercase().replace('_', "-");
        let origin = variable.to_string_lossy().into_owned();
        if flag != "config" && !is_setting(&flag) {
            return Err(OptionsError(format!("{origin}: there is no flag --{flag}")));
        }
        let value = value.to_string_lossy().into_owned();
        if SWITCHES.contains(&flag.as_str()) && !["true", "false"].contains(&value.as_str()) {
            return Err(OptionsError(format!("{origin}={value}: expected true or false")));
        }
        let values = if LISTS.contains(&flag.as_str()) {
            value.split(',').map(|part| part.trim().to_owned()).collect()
        } else {
            vec![value]
        };
        settings.push(Setting { flag, values, origin });
    }
    Ok(settings)
}

fn settings_of_file(path: &Path) -> Result<Vec<Setting>, OptionsError> {
    let wrong = |error: &dyn std::fmt::Display| OptionsError(format!("--config {}: {error}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| wrong(&error))?.len();
    if length > FILE_BYTES_MAX {
        return Err(wrong(&format!("{length} bytes; expected a file of settings")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    settings_of_text(&text, path.as_os_str())
}

fn settings_of_text(text: &str, name: &OsStr) -> Result<Vec<Setting>, OptionsError> {
    let name = name.to_string_lossy();
    let at = |place: usize| {
        let before = text.as_bytes().iter().take(place);
        format!("{name}:{}", 1 + before.filter(|byte| **byte == b'\n').count())
    };
    let table = DeTable::parse(text).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        OptionsError(format!("{}: {}", at(place), error.message()))
    })?;
    let mut settings = Vec::new();
    for (key, value) in table.get_ref() {
        let (flag, origin) = (key.get_ref().to_string(), at(key.span().start));
        if !is_setting(&flag) {
            return Err(OptionsError(format!("{origin}: {flag}: there is no such setting")));
        }
        let values = values(&flag, value.get_ref()).map_err(|expected| {
            OptionsError(format!("{}: {flag}: expected {expected}", at(value.span().start)))
        })?;
        settings.push(Setting { flag, values, origin });
    }
    Ok(settings)
}

/// What stands behind `=`, as on the command line; or what was expected there.
fn values(flag: &str, value: &DeValue<'_>) -> Result<Vec<String>, &'static str> {
    if SWITCHES.contains(&flag) {
        return value.as_bool().map(|is_on| vec![is_on.to_string()]).ok_or("true or false");
    }
    let one = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        _ => None,
    };
    match value {
        DeValue::Array(values) if LISTS.contains(&flag) => {
            values.iter().map(|value| one(value.get_ref())).collect::<Option<_>>().ok_or("texts in the list")
        }
        value => one(value).map(|value| vec![value]).ok_or("a text or a number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    /// A file of settings, which goes with the value.
    struct File(PathBuf);

    impl File {
        fn new(test: &str, text: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tertulia-config-{}-{test}", std::process::id()));
            std::fs::write(&path, text).unwrap();
            Self(path)
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Options, String> {
        let pairs = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        match parse_all(arguments.iter().map(OsString::from), pairs) {
            Ok(Asked::Run(options)) => Ok(*options),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn flags_are_stronger_than_the_environment_and_that_than_the_file() {
        let file = File::new(
            "order",
            "listen = ['127.0.0.1:1', '127.0.0.1:2']\nmax-per-ip = 3\nmax-clients = 3\nlang = 'en'\n",
        );
        let path = file.0.to_str().unwrap();
        let variables =
            [("TERTULIA_RELAY_MAX_PER_IP", "2"), ("TERTULIA_RELAY_MAX_CLIENTS", "2"), ("HOME", "/")];
        let options = run(&["--max-clients", "1", "--config", path], &variables).unwrap();
        assert_eq!((options.max_clients, options.max_per_ip), (Some(1), 2));
        assert_eq!(options.language, crate::phrases::Language::En);
        assert_eq!(options.listen.len(), 2);
        let options = run(&["--listen=127.0.0.1:9"], &[("TERTULIA_RELAY_CONFIG", path)]).unwrap();
        assert_eq!(options.listen, ["127.0.0.1:9".parse().unwrap()]);
        assert_eq!(options.max_per_ip, 3);
        assert_eq!(options.config.as_deref(), Some(file.0.as_path()));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            ("lang = 'en'\n\ncolour = 1\n", ":3: colour: there is no such setting"),
            ("role = 'operator'\n", ":1: role: there is no such setting"),
            ("lang = 'fr'\n", ":1: lang fr: expected es or en"),
            ("\nflood = [1]\n", ":2: flood: expected a text or a number"),
            ("max-clients = 1\nmax-clients = 2\n", ":2: duplicate key"),
            ("[relay]\nlang = 'en'\n", ":1: relay: there is no such setting"),
            ("history-repair = 1\n", ":1: history-repair: expected true or false"),
            ("help = true\n", ":1: help: there is no such setting"),
            ("config = 'x'\n", ":1: config: there is no such setting"),
            ("lang = \n", ":1: "),
        ];
        for (number, (text, part)) in cases.into_iter().enumerate() {
            let file = File::new(&format!("wrong-{number}"), text);
            let path = file.0.to_str().unwrap();
            let error = run(&["--config", path], &[]).unwrap_err();
            assert!(error.contains(&format!("{path}{part}")), "{error}");
        }
        let error = run(&[], &[("TERTULIA_RELAY_COLOUR", "1")]).unwrap_err();
        assert!(error.starts_with("TERTULIA_RELAY_COLOUR: there is no flag --colour"), "{error}");
        let error = run(&[], &[("TERTULIA_RELAY_LANG", "fr")]).unwrap_err();
        assert!(error.starts_with("TERTULIA_RELAY_LANG: lang fr: expected es or en"), "{error}");
        let error = run(&["--config", "/nowhere/x"], &[]).unwrap_err();
        assert!(error.starts_with("--config /nowhere/x: "), "{error}");
    }

    #[test]
    fn a_value_that_looks_like_a_flag_is_none() {
        let named = named_flags(&["--history", "--lang", "--listen=--x", "export"].map(OsString::from));
        assert_eq!(named, ["history", "listen"]);
    }
}
