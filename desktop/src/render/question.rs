//! The question that lies over the window, but for that for a name: what it says, what is to be filled in, what is pressed.

use tertulia_wire::account::ActKind;

use crate::model::{Model, SPANS, What, has_reason, has_span};
use crate::phrases::{AccountPhrase as Words, Phrase, fill};

/// Hexadecimal pairs of a fingerprint in one row.
const PAIRS_OF_A_ROW: usize = 16;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Another one for each question.
    pub number: u64,
    /// Above all else.
    pub title: String,
    /// What was wrong with the last answer.
    pub error: Option<String>,
    /// What it is about.
    pub words: Vec<String>,
    /// What is to be compared letter by letter, row by row.
    pub exact: Option<String>,
    /// What is to be filled in, in this order.
    pub fields: Vec<Field>,
    /// On the button that says yes; none: there is only to be waited.
    pub accept: Option<String>,
    /// On the one that says no.
    pub cancel: String,
}

/// Something to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A password: what is typed is not shown.
    Secret {
        /// Beside it.
        label: String,
    },
    /// A text.
    Text {
        /// Beside it.
        label: String,
    },
    /// One of several, the first of them at first.
    Choice {
        /// Beside it.
        label: String,
        /// What there is to choose from.
        options: Vec<String>,
    },
    /// Yes or no; no at first.
    Check {
        /// Beside it.
        label: String,
    },
}

/// The question there is.
pub fn question(model: &Model) -> Option<Question> {
    let asked = model.account.asked.as_ref().filter(|_| model.naming.is_none())?;
    let language = model.language();
    let say = |phrase: Words, words: &[&str]| fill(phrase.in_language(language), words);
    let cancel = match &asked.what {
        What::Password { .. } => say(Words::OtherName, &[]),
        _ => Phrase::Cancel.in_language(language).to_owned(),
    };
    let keep = || {
        let label = say(Words::KeepPassword, &[]);
        model.account.has_keyring.then_some(Field::Check { label })
    };
    let secret = |phrase| Field::Secret { label: say(phrase, &[]) };
    let mut exact = None;
    let (title, words, fields, accept) = match &asked.what {
        What::Certificate { relay, fingerprint } => {
            exact = Some(rows_of(&fingerprint.to_string()));
            let words = vec![say(Words::CertificateUnknown, &[relay])];
            (say(Words::CertificateTitle, &[]), words, Vec::new(), say(Words::CertificateTrust, &[]))
        }
        What::Password { name, is_needed_by_all } => {
            let why = if *is_needed_by_all {
                say(Words::LoginNeeded, &[&model.settings.relay])
            } else {
                say(Words::NameRegistered, &[name])
            };
            let fields = std::iter::once(secret(Words::Password)).chain(keep()).collect();
            (say(Words::PasswordTitle, &[name]), vec![why], fields, say(Words::LogIn, &[]))
        }
        What::Login { name } => {
            let fields = std::iter::once(secret(Words::Password)).chain(keep()).collect();
            (say(Words::PasswordTitle, &[name]), Vec::new(), fields, say(Words::LogIn, &[]))
        }
        What::Checking { name } => {
            // What is typed meanwhile has its place here, and is seen by nobody.
            let fields = vec![secret(Words::Password)];
            (
                say(Words::PasswordTitle, &[name]),
                vec![say(Words::PasswordChecked, &[])],
                fields,
                String::new(),
            )
        }
        What::Register { name } => {
            let fields = [secret(Words::Password), secret(Words::PasswordAgain)];
            let words = vec![say(Words::RegisterWords, &[])];
            let fields = fields.into_iter().chain(keep()).collect();
            (say(Words::RegisterTitle, &[name]), words, fields, say(Words::Register, &[]))
        }
        What::Passwd { name } => {
            let fields = [secret(Words::PasswordNew), secret(Words::PasswordAgain)];
            let words = vec![say(Words::PasswdWords, &[])];
            let fields = fields.into_iter().chain(keep()).collect();
            (say(Words::PasswdTitle, &[name]), words, fields, say(Words::Passwd, &[]))
        }
        What::Act { kind, name } => {
            let (title, words, accept) = act_words(*kind);
            let title = say(title, &[name]).trim_end_matches('…').to_owned();
            (title, vec![say(words, &[])], act_fields(*kind, model), say(accept, &[]))
        }
    };
    let accept = Some(accept).filter(|accept| !accept.is_empty());
    let error = asked.error.as_ref().map(|error| error.in_language(language));
    Some(Question { number: asked.number, title, error, words, exact, fields, accept, cancel })
}

fn act_words(kind: ActKind) -> (Words, Words, Words) {
    match kind {
        ActKind::Mute => (Words::Mute, Words::MuteWords, Words::DoMute),
        ActKind::Ban => (Words::Ban, Words::BanWords, Words::DoBan),
        ActKind::Op => (Words::Op, Words::OpWords, Words::DoOp),
        ActKind::Deop => (Words::Deop, Words::DeopWords, Words::DoDeop),
        _ => (Words::Kick, Words::KickWords, Words::DoKick),
    }
}

fn act_fields(kind: ActKind, model: &Model) -> Vec<Field> {
    let say = |phrase: Words| phrase.in_language(model.language()).to_owned();
    let options = || SPANS.iter().map(|(words, _)| say(*words)).collect();
    let span = has_span(kind).then(|| Field::Choice { label: say(Words::ForHowLong), options: options() });
    let why = has_reason(kind).then(|| Field::Text { label: say(Words::Why) });
    span.into_iter().chain(why).collect()
}

/// What an operator may do to a person, for a menu: what it says, and which act it is. Nothing for everybody else.
pub fn operator_acts(model: &Model, name: &str) -> Vec<(String, ActKind)> {
    if !model.account.is_operator() || model.is_own_name(name) {
        return Vec::new();
    }
    let acts = [
        (Words::Kick, ActKind::Kick),
        (Words::Mute, ActKind::Mute),
        (Words::Unmute, ActKind::Unmute),
        (Words::Ban, ActKind::Ban),
        (Words::Op, ActKind::Op),
        (Words::Deop, ActKind::Deop),
    ];
    let say = |phrase: Words| fill(phrase.in_language(model.language()), &[name]);
    acts.into_iter().map(|(phrase, kind)| (say(phrase), kind)).collect()
}

/// A fingerprint in rows, which a person compares one by one.
fn rows_of(fingerprint: &str) -> String {
    let pairs: Vec<&str> = fingerprint.split(':').collect();
    pairs.chunks(PAIRS_OF_A_ROW).map(|row| row.join(":")).collect::<Vec<_>>().join("\n")
}
