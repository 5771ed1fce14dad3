//! Whether what answers at an address is a relay, and what it promises. Asks from a room of its own, so that nobody notices.

use std::time::Duration;

use tertulia_wire::heard::{Greeting, Heard};
use tertulia_wire::limits::TAGGED_LINE_BYTES_MAX;
use tertulia_wire::lines::{Line, Lines};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Finding, Level};

/// The room that it asks from; and the start of its name, which is followed by a number.
const ROOM: &str = "tgbridge-check";

/// What a relay says of itself.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// It lets a bridge in: what an acknowledgement promises, and how many lines a second it takes of one; 0: any number.
    Greeted { durability: String, rate: u32 },
    /// It does not, with this word.
    Refused(String),
    /// It is none.
    Strange,
}

/// Asks the relay at an address, `HOST:PORT`, for at most so long.
pub(super) async fn find(address: &str, wait: Duration) -> Finding {
    match timeout(wait, ask(address)).await {
        Ok(Ok(said)) => of(address, &said),
        Ok(Err(error)) => Finding::new(
            Level::Wrong,
            format!("no se puede conectar con {address}: {error}; ¿está en marcha tertulia-relay?"),
            format!("cannot connect to {address}: {error}; is tertulia-relay running?"),
        ),
        Err(_) => of(address, &Said::Strange),
    }
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
        Said::Greeted { durability, rate } => {
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
        Said::Refused(code) => Finding::new(
            Level::Warning,
            format!("en {address} contesta un relay de Tertulia, y no deja entrar a cualquiera: {code}"),
            format!("a Tertulia relay answers at {address}, and does not let everybody in: {code}"),
        ),
        Said::Strange => Finding::new(
            Level::Wrong,
            format!("lo que contesta en {address} no es un relay de Tertulia"),
            format!("what answers at {address} is no Tertulia relay"),
        ),
    }
}

async fn ask(address: &str) -> std::io::Result<Said> {
    let mut socket = TcpStream::connect(address).await?;
    let hello = format!("/hello v=1 name={ROOM}-{} room={ROOM}\n", std::process::id());
    socket.write_all(hello.as_bytes()).await?;
    let (mut lines, mut buffer) = (Lines::new(TAGGED_LINE_BYTES_MAX), [0; 4096]);
    loop {
        let count = socket.read(&mut buffer).await?;
        let mut bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(Said::Strange);
        }
        while let Some(line) = lines.next(&mut bytes) {
            let Line::Whole(line) = line else { continue };
            let said = std::str::from_utf8(line).ok().and_then(greeting);
            if let Some(said) = said {
                // Whether it hears this is of no consequence.
                let _ = socket.write_all(b"/quit\n").await;
                return Ok(said);
            }
        }
    }
}

fn greeting(line: &str) -> Option<Said> {
    match Heard::parse(line) {
        Heard::Hello(Greeting { durability, rate, .. }) => {
            Some(Said::Greeted { durability: durability.into_owned(), rate })
        }
        Heard::HelloRefused { code, .. } => Some(Said::Refused(code.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrases::Language;

    #[test]
    fn a_relay_is_told_with_what_it_promises() {
        let hello = "* HELLO v=1 name=a token=t sid=3 line=16384 burst=20 rate=5 durability=sync";
        let finding = of("a:1", &greeting(hello).unwrap());
        assert_eq!(finding.level, Level::Well);
        let shown = finding.shown(Language::En);
        assert!(shown.contains("durability=sync") && shown.contains("5 lines a second"), "{shown}");
        let keeps_nothing = Said::Greeted { durability: "none".to_owned(), rate: 0 };
        assert_eq!(of("a:1", &keeps_nothing).level, Level::Warning);
        let refused = greeting("* FAIL HELLO LOGIN_NEEDED :x").unwrap();
        assert_eq!(
            (of("a:1", &refused).level, of("a:1", &Said::Strange).level),
            (Level::Warning, Level::Wrong)
        );
        assert_eq!(greeting("* WELCOME"), None);
    }
}
