//! Whether what answers at an address is a relay, and what it promises. Asks from a room of its own, so that nobody notices.

use std::io;
use std::time::Duration;

use tertulia_wire::heard::{Greeting, Heard};
use tertulia_wire::limits::TAGGED_LINE_BYTES_MAX;
use tertulia_wire::lines::{Line, Lines};
use tertulia_wire::secret::Secret;
use tertulia_wire::tags::escape;
use tertulia_wire::tls::{Fingerprint, Trust};
use tokio::time::timeout;

use super::{Finding, Level};
use crate::network;
use crate::options::Login;
use crate::phrases::Language;
use crate::run::ROLE;
use crate::socket::{Socket, Way, connect, turned_away};
use crate::trust::untrusted;

/// The room that it asks from; and the start of its name, which is followed by a number.
const ROOM: &str = "tgbridge-check";

/// What a relay says of itself.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// It lets a bridge in.
    Greeted {
        /// What an acknowledgement promises.
        durability: String,
        /// How many lines a second it takes of one; 0: any number.
        rate: u32,
        /// What the account may do. None: it was not asked for a password.
        role: Option<String>,
    },
    /// It does not, with this word.
    Refused(String),
    /// It does not take the password, with this word.
    NoLogin(String),
    /// Others could read the password, so it was not sent.
    NotPrivate,
    /// It is none.
    Strange,
}

/// Asks the relay, for at most so long.
pub(super) async fn find(way: &Way, login: Option<&Login>, wait: Duration) -> Vec<Finding> {
    match timeout(wait, ask(way, login)).await {
        Ok(Ok((certificate, said))) => {
            let mut findings: Vec<Finding> =
                certificate.map(|shown| of_certificate(way, shown)).into_iter().collect();
            findings.push(of(&way.address, &said));
            findings.extend(login.and_then(|login| of_login(&login.name, &said)));
            findings
        }
        Ok(Err(error)) => vec![unreachable(way, &error)],
        Err(_) => vec![of(&way.address, &Said::Strange)],
    }
}

fn unreachable(way: &Way, error: &io::Error) -> Finding {
    let (address, why) = (&way.address, network::told(error));
    let (spanish, english) = (why.shown(Language::Es), why.shown(Language::En));
    match untrusted(error).map(|untrusted| untrusted.shown) {
        Some(shown) => Finding::new(
            Level::Wrong,
            format!(
                "el relay de {address} no es de fiar: {spanish}. Enseña {shown}: si es la huella que dijo el relay al hacer su certificado, pasa --relay-fingerprint con ella"
            ),
            format!(
                "the relay at {address} is not to be trusted: {english}. It shows {shown}: if that is the fingerprint that the relay told when it made its certificate, pass it with --relay-fingerprint"
            ),
        ),
        None => Finding::new(
            Level::Wrong,
            format!(
                "no se puede conectar con {address}: {spanish}; ¿está en marcha tertulia-relay, y es ese su puerto?"
            ),
            format!(
                "cannot connect to {address}: {english}; is tertulia-relay running, and is that its port?"
            ),
        ),
    }
}

/// Why what is said cannot be read on its way.
fn of_certificate(way: &Way, shown: Fingerprint) -> Finding {
    let expected = way.trust.as_ref().and_then(Trust::expected);
    let (spanish, english) = match expected.is_some() {
        true => ("la huella es la de --relay-fingerprint", "the fingerprint is that of --relay-fingerprint"),
        false => ("el sistema confía en el certificado", "the system trusts the certificate"),
    };
    Finding::new(
        Level::Well,
        format!("TLS con el relay: {spanish}, {shown}"),
        format!("TLS with the relay: {english}, {shown}"),
    )
}

fn of_login(name: &str, said: &Said) -> Option<Finding> {
    let Said::Greeted { role, .. } = said else { return None };
    Some(match role.as_deref() {
        Some(role) if role == ROLE => Finding::new(
            Level::Well,
            format!("el puente entra como {name}, papel {role}"),
            format!("the bridge logs in as {name}, role {role}"),
        ),
        Some(role) => Finding::new(
            Level::Warning,
            format!(
                "el puente entra como {name}, papel {role}: con --access registered no puede hablar por otros; tertulia-relay account role {name} bridge"
            ),
            format!(
                "the bridge logs in as {name}, role {role}: with --access registered it cannot speak for others; tertulia-relay account role {name} bridge"
            ),
        ),
        None => Finding::new(
            Level::Warning,
            format!(
                "el relay no tiene la cuenta {name}, y deja entrar sin ella; tertulia-relay account add {name} --role bridge, y arráncalo de nuevo"
            ),
            format!(
                "the relay has no account {name}, and lets it in without; tertulia-relay account add {name} --role bridge, and start it anew"
            ),
        ),
    })
}

fn of(address: &str, said: &Said) -> Finding {
    match said {
        Said::Greeted { durability, .. } if durability == "none" => Finding::new(
            Level::Warning,
            format!(
                "el relay de Tertulia en {address} no guarda nada (durability=none): lo que se diga mientras el puente no esté se pierde"
            ),
            format!(
                "the Tertulia relay at {address} keeps nothing (durability=none): what is said while the bridge is away is lost"
            ),
        ),
        Said::Greeted { durability, rate, .. } => {
            let (pace, speed) = match rate {
                0 => (String::new(), String::new()),
                rate => (
                    format!("; acepta {rate} líneas por segundo de este puente"),
                    format!("; it takes {rate} lines a second of this bridge"),
                ),
            };
            Finding::new(
                Level::Well,
                format!("en {address} contesta un relay de Tertulia, durability={durability}{pace}"),
                format!("a Tertulia relay answers at {address}, durability={durability}{speed}"),
            )
        }
        Said::Refused(code) if code == "LOGIN_NEEDED" => Finding::new(
            Level::Wrong,
            format!(
                "el relay de {address} solo deja entrar con una cuenta: --login, y su contraseña en TERTULIA_RELAY_PASSWORD"
            ),
            format!(
                "the relay at {address} lets only accounts in: --login, with its password in TERTULIA_RELAY_PASSWORD"
            ),
        ),
        Said::Refused(code) => Finding::new(
            Level::Warning,
            format!("en {address} contesta un relay de Tertulia, y no deja entrar a cualquiera: {code}"),
            format!("a Tertulia relay answers at {address}, and does not let everybody in: {code}"),
        ),
        Said::NoLogin(code) => Finding::new(
            Level::Wrong,
            format!("el relay de {address} no acepta la cuenta y la contraseña: {code}"),
            format!("the relay at {address} does not accept the account and its password: {code}"),
        ),
        Said::NotPrivate => Finding::new(
            Level::Wrong,
            "la contraseña no va por una conexión que otros pueden leer: usa --relay-tls, o --relay-fingerprint",
            "the password does not go over a connection that others can read: use --relay-tls, or --relay-fingerprint",
        ),
        Said::Strange => Finding::new(
            Level::Wrong,
            format!("lo que contesta en {address} no es un relay de Tertulia"),
            format!("what answers at {address} is no Tertulia relay"),
        ),
    }
}

/// Of the certificate that was taken, where TLS is spoken; and what was said.
async fn ask(way: &Way, login: Option<&Login>) -> io::Result<(Option<Fingerprint>, Said)> {
    let mut socket = match connect(way.clone()).await {
        Ok(socket) => socket,
        Err(error) => {
            let refused = turned_away(&error).map(|away| Said::Refused(away.code().to_owned()));
            return refused.map(|said| (None, said)).ok_or(error);
        }
    };
    let certificate = socket.certificate();
    let name = match login {
        Some(login) => escape(&login.name).into_owned(),
        None => format!("{ROOM}-{}", std::process::id()),
    };
    let hello = format!("/hello v=1 name={name} room={ROOM}\n");
    socket.write(&hello).await?;
    let mut answers = Answers { lines: Lines::new(TAGGED_LINE_BYTES_MAX), buffer: [0; 4096], from: 0, to: 0 };
    let mut said = answers.next(&mut socket).await?;
    let wants_login = |said: &Said| matches!(said, Said::Refused(code) if matches!(code.as_str(), "LOGIN_NEEDED" | "NAME_REGISTERED"));
    if let Some(login) = login.filter(|_| wants_login(&said)) {
        if !socket.is_private() {
            return Ok((certificate, Said::NotPrivate));
        }
        let line = Secret(format!("/login {name} {}\n{hello}", *login.password));
        socket.write(&line).await?;
        said = answers.next(&mut socket).await?;
    }
    // Whether it hears this is of no consequence.
    let _ = socket.write("/quit\n").await;
    Ok((certificate, said))
}

/// What comes from the relay, line by line.
struct Answers {
    lines: Lines,
    buffer: [u8; 4096],
    /// What of the buffer was not taken yet.
    from: usize,
    to: usize,
}

impl Answers {
    /// The next line that tells something.
    async fn next(&mut self, socket: &mut Socket) -> io::Result<Said> {
        loop {
            let mut bytes = self.buffer.get(self.from..self.to).unwrap_or_default();
            while let Some(line) = self.lines.next(&mut bytes) {
                let said = match line {
                    Line::Whole(line) => std::str::from_utf8(line).ok().and_then(greeting),
                    _ => None,
                };
                if let Some(said) = said {
                    self.from = self.to.saturating_sub(bytes.len());
                    return Ok(said);
                }
            }
            (self.from, self.to) = (0, socket.read(&mut self.buffer).await?);
            if self.to == 0 {
                return Ok(Said::Strange);
            }
        }
    }
}

fn greeting(line: &str) -> Option<Said> {
    match Heard::parse(line) {
        Heard::Hello(Greeting { durability, rate, role, .. }) => Some(Said::Greeted {
            durability: durability.into_owned(),
            rate,
            role: role.map(|role| role.into_owned()),
        }),
        Heard::HelloRefused { code, .. } => Some(Said::Refused(code.to_owned())),
        Heard::LoginRefused { code, .. } => Some(Said::NoLogin(code.to_owned())),
        Heard::Other { words, .. } => {
            let rest = words.strip_prefix("FAIL RELAY ")?;
            rest.split(' ').next().map(|code| Said::Refused(code.to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_told_with_what_it_promises() {
        let hello = "* HELLO v=1 name=a token=t sid=3 line=16384 burst=20 rate=5 durability=sync";
        let finding = of("a:1", &greeting(hello).unwrap());
        assert_eq!(finding.level, Level::Well);
        let shown = finding.shown(Language::En);
        assert!(shown.contains("durability=sync") && shown.contains("5 lines a second"), "{shown}");
        let keeps_nothing = Said::Greeted { durability: "none".to_owned(), rate: 0, role: None };
        assert_eq!(of("a:1", &keeps_nothing).level, Level::Warning);
        let refused = greeting("* FAIL HELLO LOGIN_NEEDED :x").unwrap();
        assert_eq!(
            (of("a:1", &refused).level, of("a:1", &Said::Strange).level),
            (Level::Wrong, Level::Wrong)
        );
        let full = greeting("* FAIL RELAY FULL :x").unwrap();
        assert!(of("a:1", &full).shown(Language::En).contains("does not let everybody in: FULL"));
        assert_eq!(greeting("* WELCOME"), None);
    }

    #[test]
    fn an_account_is_told_with_what_it_may_do() {
        let role = |role: &str| {
            let hello =
                format!("* HELLO v=1 name=a token=t sid=3 line=16384 burst=0 rate=0 durability=sync {role}");
            of_login("Puente", &greeting(&hello).unwrap()).unwrap().level
        };
        assert_eq!(role("role=bridge"), Level::Well);
        assert_eq!((role("role=user"), role("")), (Level::Warning, Level::Warning));
        let refused = greeting("* FAIL LOGIN REFUSED :x").unwrap();
        assert_eq!((of("a:1", &refused).level, of_login("Puente", &refused)), (Level::Wrong, None));
        assert_eq!(of("a:1", &Said::NotPrivate).level, Level::Wrong);
    }
}
