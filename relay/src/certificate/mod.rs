//! Certificate and key, from their files to what TLS needs; and the fingerprint by which people know a relay.

mod self_signed;
mod validity;

use std::path::PathBuf;
use std::sync::Arc;

use ring::digest;
use rustls::crypto::ring as crypto;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ProducesTickets, ServerConfig};

pub use self_signed::{CERTIFICATE_FILE, KEY_FILE, SelfSigned};
pub use validity::validity_warning;

/// Tickets given at each handshake: who connects again with one needs no signature.
const TICKETS: usize = 1;

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate and those that vouch for it, in PEM (RFC 7468), its own first.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// Certificate and key, ready for use.
pub struct Identity {
    config: Arc<ServerConfig>,
    tickets: Arc<dyn ProducesTickets>,
    fingerprint: String,
}

impl Identity {
    /// Reads the files. Fails with a sentence if they cannot be read, hold no certificate or no key, or do not belong
    /// together. Tickets given under `old` stay good.
    pub fn load(files: &Files, old: Option<&Self>) -> Result<Self, String> {
        let chain = read_chain(files)?;
        let key = read_key(files)?;
        let fingerprint = chain.first().map(|first| fingerprint(first)).unwrap_or_default();
        let refused = |error: rustls::Error| {
            let Files { certificate, key } = files;
            format!("{} and {} are of no use: {error}", certificate.display(), key.display())
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(refused)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(refused)?;
        let tickets = match old {
            Some(old) => Arc::clone(&old.tickets),
            None => crypto::Ticketer::new().map_err(refused)?,
        };
        config.ticketer = Arc::clone(&tickets);
        config.send_tls13_tickets = TICKETS;
        // A ticket holds all that is needed: nothing is remembered here.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self { config: Arc::new(config), tickets, fingerprint })
    }

    /// For connections that begin.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// Of the certificate, see [`fingerprint`].
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// SHA-256 of a certificate as it goes over the wire, as OpenSSL writes it: `AB:CD:…`.
pub fn fingerprint(certificate: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, certificate);
    let bytes: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

fn read_chain(files: &Files) -> Result<Vec<CertificateDer<'static>>, String> {
    let path = &files.certificate;
    let chain = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match chain {
        Ok(chain) if chain.is_empty() => Err(format!("--tls-cert {}: no certificate in it", path.display())),
        chain => chain.map_err(|error| format!("--tls-cert {}: {error}", path.display())),
    }
}

fn read_key(files: &Files) -> Result<PrivateKeyDer<'static>, String> {
    use rustls::pki_types::pem::Error;
    PrivateKeyDer::from_pem_file(&files.key).map_err(|error| {
        let path = files.key.display();
        match error {
            Error::NoItemsFound => format!("--tls-key {path}: no key in it"),
            // What the error shows of the file could be the key.
            Error::Io(error) => format!("--tls-key {path}: {error}"),
            _ => format!("--tls-key {path}: not a key in PEM"),
        }
    })
}
