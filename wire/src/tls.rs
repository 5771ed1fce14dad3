//! Which certificate a relay must show where TLS is spoken: one with this fingerprint, one that somebody vouches for, or
//! any. For programs that connect to a relay; they own the socket. Behind the feature `tls`, which the relay does without.

mod turned_away;

use std::error::Error as StdError;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ClientConnection, Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring as crypto};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};

pub use rustls;
pub use turned_away::{FirstBytes, TURNED_AWAY_BYTES_MAX, TurnedAway};

/// Bytes of a fingerprint.
const FINGERPRINT_BYTES: usize = 32;

/// SHA-256 of a certificate. Written as `AB:CD:…`; read also without colons and in small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; FINGERPRINT_BYTES]);

/// A text is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FingerprintError;

impl fmt::Display for FingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons")
    }
}

impl StdError for FingerprintError {}

impl Fingerprint {
    /// Of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        let mut bytes = [0; FINGERPRINT_BYTES];
        // SHA-256 has as many.
        bytes.iter_mut().zip(digest(&SHA256, certificate).as_ref()).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digits = text.trim().chars().filter(|digit| *digit != ':');
        let digits: Option<Vec<u8>> =
            digits.map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let digits = digits.filter(|digits| digits.len() == 2 * FINGERPRINT_BYTES).ok_or(FingerprintError)?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |sum, digit| sum << 4 | digit)).collect();
        bytes.try_into().map(Self).map_err(|_| FingerprintError)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

/// Why a certificate was not taken. Nothing was said to whoever showed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Untrusted {
    /// What it is.
    pub shown: Fingerprint,
    /// Another one was expected. Else nobody vouches for it.
    pub expected: Option<Fingerprint>,
    /// Why nobody does, where somebody was asked.
    pub why: Option<Error>,
}

impl Untrusted {
    /// What ended a handshake, if it was that.
    pub fn of(error: &Error) -> Option<&Self> {
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => other.downcast_ref(),
            _ => None,
        }
    }

    fn into_error(self) -> Error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(self))))
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.shown;
        match (self.expected, &self.why) {
            (Some(expected), _) => {
                write!(f, "the certificate is another one: its SHA-256 is {shown}, not {expected}")
            }
            (None, Some(why)) => {
                write!(f, "nobody vouches for the certificate ({why}); its SHA-256 is {shown}")
            }
            (None, None) => write!(f, "nobody vouches for the certificate; its SHA-256 is {shown}"),
        }
    }
}

impl StdError for Untrusted {}

/// Of `HOST:PORT`, without the brackets of an IPv6 address; all of it where there is no port.
pub fn host_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Why nobody can be trusted like that.
#[derive(Debug, Clone, PartialEq)]
pub enum TrustError {
    /// It is no name of a host, and no address.
    Host(String),
    /// Nobody is there to vouch for anything.
    NoRoots,
    /// TLS cannot be spoken like that.
    Tls(Error),
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => write!(f, "{host} is no name of a host"),
            Self::NoRoots => f.write_str("no certificate to trust in"),
            Self::Tls(error) => write!(f, "TLS: {error}"),
        }
    }
}

impl StdError for TrustError {}

/// What is needed to speak TLS with a relay: whom to trust, and its name. No two connections are known as the same client's.
#[derive(Debug, Clone)]
pub struct Trust {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    expected: Option<Fingerprint>,
}

impl Trust {
    /// Takes the one certificate that has this fingerprint, whatever it says of itself.
    pub fn pinned(fingerprint: Fingerprint, host: &str) -> Result<Self, TrustError> {
        Self::checking(Check::Pinned(fingerprint), host)
    }

    /// Takes any certificate: whoever is on the way can be the relay.
    pub fn any(host: &str) -> Result<Self, TrustError> {
        Self::checking(Check::Any, host)
    }

    /// Takes what one of the roots vouches for, under the host's name. Without roots, nothing.
    pub fn vouched(roots: RootCertStore, host: &str) -> Result<Self, TrustError> {
        if roots.is_empty() {
            return Err(TrustError::NoRoots);
        }
        let provider = Arc::new(crypto::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        // A root that is none was not among them; of revoked ones nothing was said.
        let verifier = verifier.map_err(|error| TrustError::Tls(Error::General(error.to_string())))?;
        Self::vouched_by(verifier, host)
    }

    /// Takes what the verifier vouches for, under the host's name. That who shows it has its key is checked here.
    pub fn vouched_by(verifier: Arc<dyn ServerCertVerifier>, host: &str) -> Result<Self, TrustError> {
        Self::checking(Check::Vouched(verifier), host)
    }

    /// Takes nothing, and says in [`Untrusted`] what was shown.
    pub fn none(host: &str) -> Result<Self, TrustError> {
        Self::checking(Check::None, host)
    }

    fn checking(check: Check, host: &str) -> Result<Self, TrustError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TrustError::Host(host.to_owned()))?;
        let expected = match check {
            Check::Pinned(fingerprint) => Some(fingerprint),
            _ => None,
        };
        let provider = Arc::new(crypto::default_provider());
        let verifier = Arc::new(Verifier { check, provider: Arc::clone(&provider) });
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Tls)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), name, expected })
    }

    /// Of the one certificate that is taken, where there is one.
    pub fn expected(&self) -> Option<Fingerprint> {
        self.expected
    }

    /// For those who begin connections by other means.
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// Whom the certificate must name, where somebody vouches for it.
    pub fn server_name(&self) -> ServerName<'static> {
        self.name.clone()
    }

    /// Begins a connection.
    pub fn begin(&self) -> Result<ClientConnection, Error> {
        ClientConnection::new(self.config(), self.server_name())
    }
}

#[derive(Debug)]
enum Check {
    Pinned(Fingerprint),
    Vouched(Arc<dyn ServerCertVerifier>),
    Any,
    None,
}

/// Says of each certificate that is not taken what it is.
#[derive(Debug)]
struct Verifier {
    check: Check,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Fingerprint::of(end_entity);
        let untrusted = |expected, why| Err(Untrusted { shown, expected, why }.into_error());
        match &self.check {
            Check::Any => Ok(ServerCertVerified::assertion()),
            Check::Pinned(expected) if *expected == shown => Ok(ServerCertVerified::assertion()),
            Check::Pinned(expected) => untrusted(Some(*expected), None),
            Check::None => untrusted(None, None),
            Check::Vouched(verifier) => {
                let verdict =
                    verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
                verdict.or_else(|why| untrusted(None, Some(why)))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons_and_nothing_else_is() {
        let with = ["AB"; 32].join(":");
        let read = |text: &str| text.parse::<Fingerprint>();
        assert_eq!(read(&with), Ok(Fingerprint([0xab; 32])));
        assert_eq!(read(&format!(" {} ", "ab".repeat(32))), Ok(Fingerprint([0xab; 32])));
        assert_eq!(Fingerprint([0xab; 32]).to_string(), with);
        for wrong in ["", "AB", &"ab".repeat(33), &"a".repeat(63), &"xy".repeat(32), &"+1".repeat(32)] {
            assert_eq!(read(wrong), Err(FingerprintError), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_taken_is_told_with_what_it_is() {
        let shown = Fingerprint::of(b"");
        assert!(shown.to_string().starts_with("E3:B0:C4:42"), "SHA-256 of nothing");
        let error = Untrusted { shown, expected: None, why: None }.into_error();
        assert_eq!(Untrusted::of(&error).map(|untrusted| untrusted.shown), Some(shown));
        assert_eq!(Untrusted::of(&Error::DecryptError), None);
    }

    #[test]
    fn the_host_of_the_address_is_whom_the_certificate_must_name() {
        for (address, host) in [
            ("relay.example:2001", "relay.example"),
            ("[::1]:2001", "::1"),
            ("127.0.0.1:2001", "127.0.0.1"),
            ("relay.example", "relay.example"),
        ] {
            let trust = Trust::pinned(Fingerprint([0; 32]), host_of(address)).unwrap();
            assert_eq!(trust.server_name(), ServerName::try_from(host).unwrap(), "{address}");
            assert_eq!(trust.expected(), Some(Fingerprint([0; 32])));
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for host in ["relay.example", "127.0.0.1", "::1"] {
            assert!(Trust::none(host).is_ok_and(|trust| trust.begin().is_ok()), "{host}");
        }
        assert_eq!(Trust::none("a b").err(), Some(TrustError::Host("a b".to_owned())));
        assert_eq!(Trust::vouched(RootCertStore::empty(), "::1").err(), Some(TrustError::NoRoots));
    }
}
