//! Which certificate the relay must show where TLS is spoken: one that the system trusts, or the one with a given fingerprint.

use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring as crypto};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier as SystemVerifier;

use crate::phrases::Told;

/// Bytes of a fingerprint.
const FINGERPRINT_BYTES: usize = 32;

/// SHA-256 of a certificate.
pub type Fingerprint = [u8; FINGERPRINT_BYTES];

/// `AB:CD:…` or `abcd…`, as OpenSSL and the relay write it.
pub fn parse_fingerprint(text: &str) -> Option<Fingerprint> {
    let digits: String = text.chars().filter(|digit| *digit != ':').collect();
    if digits.len() != 2 * FINGERPRINT_BYTES || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut fingerprint = [0; FINGERPRINT_BYTES];
    for (at, byte) in fingerprint.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(fingerprint)
}

/// As [`parse_fingerprint`] reads it, with colons.
pub fn show_fingerprint(fingerprint: &Fingerprint) -> String {
    fingerprint.map(|byte| format!("{byte:02X}")).join(":")
}

/// What is needed to speak TLS with the relay. Clones remember the same fingerprint.
#[derive(Debug, Clone)]
pub struct Trust {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
    verifier: Arc<Verifier>,
}

impl Trust {
    /// Takes the certificate with this fingerprint, whatever it says, and no other; without one, what the system trusts and
    /// what is for the host of `address`, `HOST:PORT`. Why not, for people.
    pub fn new(address: &str, fingerprint: Option<Fingerprint>) -> Result<Self, Told> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| {
            Told::new(
                "--relay: con TLS hace falta HOST:PUERTO; un nombre con letras de fuera del inglés se escribe como xn--…",
                "--relay: TLS needs HOST:PORT; a name with letters beyond English ones is written as xn--…",
            )
        })?;
        let provider = Arc::new(crypto::default_provider());
        let wrong = |error: Error| Told::same(format!("TLS: {error}"));
        let system = match fingerprint {
            Some(_) => None,
            None => Some(SystemVerifier::new(provider.clone()).map_err(wrong)?),
        };
        let verifier =
            Arc::new(Verifier { fingerprint, system, provider: provider.clone(), shown: Mutex::new(None) });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(wrong)?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config), name, verifier })
    }

    /// Whether a fingerprint decides, and not the system.
    pub fn is_pinned(&self) -> bool {
        self.verifier.fingerprint.is_some()
    }

    /// Another connection begins, in which none was shown yet.
    pub(crate) fn forget_shown(&self) {
        *self.verifier.shown.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The fingerprint of the certificate that the last connection was shown, trusted or not.
    pub fn shown(&self) -> Option<Fingerprint> {
        *self.verifier.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Verifier {
    fingerprint: Option<Fingerprint>,
    /// None where the fingerprint decides.
    system: Option<SystemVerifier>,
    provider: Arc<CryptoProvider>,
    shown: Mutex<Option<Fingerprint>>,
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
        let shown: Option<Fingerprint> = digest(&SHA256, end_entity).as_ref().try_into().ok();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        match &self.system {
            Some(system) => {
                system.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None if shown == self.fingerprint => Ok(ServerCertVerified::assertion()),
            None => Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)),
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
        assert_eq!(parse_fingerprint(&with), Some([0xab; 32]));
        assert_eq!(parse_fingerprint(&"ab".repeat(32)), Some([0xab; 32]));
        assert_eq!(show_fingerprint(&[0xab; 32]), with);
        for wrong in ["", "AB", &"ab".repeat(33), &"a".repeat(63), &"xy".repeat(32), &"+1".repeat(32)] {
            assert_eq!(parse_fingerprint(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_host_of_the_address_is_whom_the_certificate_must_name() {
        let name = |address: &str| Trust::new(address, Some([0; 32])).map(|trust| trust.name);
        assert_eq!(name("chat.example:2001"), Ok(ServerName::try_from("chat.example").unwrap()));
        assert_eq!(name("[::1]:2001"), Ok(ServerName::try_from("::1").unwrap()));
        assert_eq!(name("127.0.0.1:2001"), Ok(ServerName::try_from("127.0.0.1").unwrap()));
        assert!(name("not a host:1").is_err());
    }
}
