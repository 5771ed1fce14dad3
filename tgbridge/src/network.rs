//! Why something did not go over the network, in a sentence for people. What it says holds no address: one may hold the token.

use std::error::Error;
use std::io::{self, ErrorKind};

use tertulia_wire::tls::Untrusted;
use tertulia_wire::tls::rustls::{CertificateError, Error as TlsError};

use crate::phrases::Told;

/// Causes of an error that are looked at.
const CAUSES_MAX: usize = 16;

/// Why, as far as the error or one of its causes tells; the innermost one's own words where none is known.
pub fn told(error: &(dyn Error + 'static)) -> Told {
    let mut last = error;
    let mut timed_out = None;
    for _ in 0..CAUSES_MAX {
        let known = match last.downcast_ref::<io::Error>() {
            Some(error) => of_io(error),
            None => last.downcast_ref::<TlsError>().map(of_tls).or_else(|| of_words(&last.to_string())),
        };
        match known {
            // That it took too long says less than what it took so long over.
            Some(known) if known == too_late() => timed_out = Some(known),
            Some(known) => return known,
            None => {}
        }
        let Some(cause) = last.source() else { break };
        last = cause;
    }
    timed_out.unwrap_or_else(|| Told::same(last.to_string()))
}

fn of_io(error: &io::Error) -> Option<Told> {
    // What is wrapped in such an error is none of its causes.
    if let Some(inner) = error.get_ref() {
        let of_inner = inner.downcast_ref::<TlsError>().map(of_tls);
        return of_inner
            .or_else(|| inner.downcast_ref().and_then(of_io))
            .or_else(|| of_words(&error.to_string()));
    }
    let (spanish, english) = match error.kind() {
        ErrorKind::ConnectionRefused => {
            ("nadie escucha ahí: conexión rechazada", "nobody listens there: connection refused")
        }
        ErrorKind::TimedOut => return Some(too_late()),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            ("no hay camino hasta allí", "there is no way there")
        }
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => return Some(cut()),
        ErrorKind::AddrInUse => ("otro programa ya usa ese puerto", "another program uses that port already"),
        ErrorKind::AddrNotAvailable => {
            ("esa dirección no es de esta máquina", "that is no address of this machine")
        }
        ErrorKind::PermissionDenied => ("no está permitido", "that is not permitted"),
        _ => return of_words(&error.to_string()),
    };
    Some(Told::new(spanish, english))
}

fn of_tls(error: &TlsError) -> Told {
    let untrusted = Untrusted::of(error);
    if let Some(why) = untrusted.and_then(|untrusted| untrusted.why.as_ref()) {
        return of_tls(why);
    }
    let (spanish, english) = match error {
        TlsError::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => (
            "su certificado no vale hoy; ¿va bien el reloj de esta máquina?",
            "its certificate is not valid today; is this machine's clock right?",
        ),
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => ("su certificado es de otro nombre", "its certificate is for another name"),
        _ if untrusted.is_some_and(|untrusted| untrusted.expected.is_some()) => {
            ("su certificado tiene otra huella", "its certificate has another fingerprint")
        }
        TlsError::InvalidCertificate(_) => {
            ("nadie de confianza firma su certificado", "nobody that is trusted vouches for its certificate")
        }
        TlsError::InvalidMessage(_) => ("ahí no se habla TLS", "no TLS is spoken there"),
        other => {
            return Told::new(
                format!("no se llega a un acuerdo por TLS ({other})"),
                format!("no agreement over TLS ({other})"),
            );
        }
    };
    Told::new(spanish, english)
}

/// What the libraries say in words alone.
fn of_words(words: &str) -> Option<Told> {
    let has = |any: &[&str]| any.iter().any(|some| words.contains(some));
    if has(&["dns error", "failed to lookup address"]) {
        Some(Told::new(
            "no hay ninguna máquina con ese nombre, o no se puede preguntar",
            "no machine has that name, or nobody can be asked",
        ))
    } else if has(&["tunnel", "proxy authorization", "proxy authentication", "SOCKS"]) {
        Some(Told::new("el proxy no deja pasar", "the proxy lets nothing through"))
    } else if has(&["connection closed before", "end of file before"]) {
        Some(cut())
    } else {
        has(&["timed out", "deadline has elapsed"]).then(too_late)
    }
}

fn too_late() -> Told {
    Told::new("no ha contestado a tiempo", "no answer came in time")
}

fn cut() -> Told {
    Told::new("se ha cortado la conexión", "the connection was cut")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tertulia_wire::tls::Fingerprint;
    use tertulia_wire::tls::rustls::{InvalidMessage, OtherError};

    use super::*;
    use crate::phrases::Language;

    const PRINT: Fingerprint = Fingerprint([0xab; 32]);

    fn english(error: &(dyn Error + 'static)) -> String {
        told(error).shown(Language::En).to_owned()
    }

    #[test]
    fn each_kind_of_failure_has_a_sentence_without_numbers() {
        for (kind, words) in [
            (ErrorKind::ConnectionRefused, "refused"),
            (ErrorKind::TimedOut, "in time"),
            (ErrorKind::NetworkUnreachable, "no way there"),
            (ErrorKind::ConnectionReset, "cut"),
            (ErrorKind::UnexpectedEof, "cut"),
            (ErrorKind::AddrInUse, "another program"),
        ] {
            assert!(english(&io::Error::from(kind)).contains(words), "{kind:?}");
        }
        assert!(english(&io::Error::from_raw_os_error(111)).contains("connection refused"));
        assert!(!english(&io::Error::from_raw_os_error(111)).contains("os error"));
        let lookup = io::Error::other("failed to lookup address information: Name or service not known");
        assert!(english(&lookup).contains("no machine has that name"));
    }

    #[test]
    fn a_certificate_is_told_by_what_is_wrong_with_it() {
        let of = |error: CertificateError| {
            english(&io::Error::other(io::Error::other(TlsError::InvalidCertificate(error))))
        };
        assert!(of(CertificateError::Expired).contains("clock"));
        assert!(of(CertificateError::NotValidForName).contains("another name"));
        assert!(of(CertificateError::UnknownIssuer).contains("trusted"));
        let not_taken = |expected, why: Option<CertificateError>| {
            let why = why.map(TlsError::InvalidCertificate);
            of(CertificateError::Other(OtherError(Arc::new(Untrusted { shown: PRINT, expected, why }))))
        };
        assert!(not_taken(Some(PRINT), None).contains("another fingerprint"));
        assert!(not_taken(None, Some(CertificateError::Expired)).contains("clock"));
        assert!(not_taken(None, None).contains("trusted"));
        assert!(english(&TlsError::InvalidMessage(InvalidMessage::InvalidContentType)).contains("no TLS"));
    }

    #[test]
    fn the_innermost_cause_tells_and_what_is_not_known_keeps_its_own_words() {
        #[derive(Debug)]
        struct Outer(&'static str, io::Error);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.1)
            }
        }
        let refused = io::Error::from(ErrorKind::ConnectionRefused);
        assert!(english(&Outer("error sending request", refused)).contains("refused"));
        assert!(
            english(&Outer("client error (Connect): timed out", io::Error::other("x"))).contains("in time")
        );
        assert_eq!(english(&Outer("a", io::Error::other("something of tomorrow"))), "something of tomorrow");
    }
}
