//! Which certificate a server must show where TLS is spoken.

use std::io;
use std::path::Path;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ClientConnection, Resumption};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring as crypto};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Bytes of a fingerprint.
const FINGERPRINT_BYTES: usize = 32;

/// SHA-256 of a certificate.
pub type Fingerprint = [u8; FINGERPRINT_BYTES];

/// `AB:CD:…` or `abcd…`, as OpenSSL and the relay write it.
pub fn parse_fingerprint(text: &str) -> Result<Fingerprint, String> {
    const EXPECTED: &str =
        "expected the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons";
    let digits: Vec<u8> = text
        .chars()
        .filter(|digit| *digit != ':')
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(EXPECTED))
        .collect::<Result<_, _>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |sum, digit| sum * 16 + digit)).collect();
    bytes.try_into().ok().filter(|_| digits.len() == 2 * FINGERPRINT_BYTES).ok_or_else(|| EXPECTED.into())
}

/// What is needed to speak TLS with a server.
#[derive(Debug, Clone)]
pub struct Trust {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Trust {
    /// Takes the one certificate that has this fingerprint.
    pub fn pinned(fingerprint: Fingerprint, address: std::net::IpAddr) -> Result<Self, String> {
        Self::checking(Some(fingerprint), address)
    }

    /// Takes any certificate: whoever is on the way can be the server.
    pub fn any(address: std::net::IpAddr) -> Result<Self, String> {
        Self::checking(None, address)
    }

    fn checking(fingerprint: Option<Fingerprint>, address: std::net::IpAddr) -> Result<Self, String> {
        let algorithms = crypto::default_provider().signature_verification_algorithms;
        let verifier = Arc::new(Verifier { fingerprint, algorithms });
        let config = builder()?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        Ok(Self::of(config, ServerName::IpAddress(address.into())))
    }

    /// Takes what one of the certificates in this file vouches for, under this name.
    pub fn vouched(file: &Path, name: &str) -> Result<Self, String> {
        let wrong = |error: String| format!("--tls-ca {}: {error}", file.display());
        let name =
            ServerName::try_from(name.to_owned()).map_err(|error| format!("--tls-name {name}: {error}"))?;
        let certificates = CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(wrong("no certificate in it".into()));
        }
        Ok(Self::of(builder()?.with_root_certificates(roots).with_no_client_auth(), name))
    }

    fn of(mut config: ClientConfig, name: ServerName<'static>) -> Self {
        // Each client is somebody else: none has a ticket.
        config.resumption = Resumption::disabled();
        Self { config: Arc::new(config), name }
    }

    pub(crate) fn begin(&self) -> io::Result<ClientConnection> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(io::Error::other)
    }
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, String> {
    ClientConfig::builder_with_provider(Arc::new(crypto::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))
}

/// Looks at the fingerprint alone, or at nothing.
#[derive(Debug)]
struct Verifier {
    fingerprint: Option<Fingerprint>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = digest(&SHA256, end_entity);
        if self.fingerprint.is_none_or(|fingerprint| fingerprint == shown.as_ref()) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons_and_nothing_else_is() {
        let with = ["AB"; 32].join(":");
        assert_eq!(parse_fingerprint(&with), Ok([0xab; 32]));
        assert_eq!(parse_fingerprint(&"ab".repeat(32)), Ok([0xab; 32]));
        for wrong in ["", "AB", &"ab".repeat(33), &"a".repeat(63), &"xy".repeat(32)] {
            assert!(parse_fingerprint(wrong).is_err(), "{wrong}");
        }
    }
}
