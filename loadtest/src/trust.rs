//! Whom to trust where TLS is spoken, as the flags say it. What trust is stands in [`tertulia_wire::tls`].

use std::net::IpAddr;
use std::path::Path;

use tertulia_wire::tls::rustls::RootCertStore;
use tertulia_wire::tls::rustls::pki_types::CertificateDer;
use tertulia_wire::tls::rustls::pki_types::pem::PemObject;
pub use tertulia_wire::tls::{Fingerprint, Trust};

/// Takes the one certificate that has this fingerprint.
pub fn pinned(fingerprint: Fingerprint, address: IpAddr) -> Result<Trust, String> {
    Trust::pinned(fingerprint, &address.to_string()).map_err(|error| error.to_string())
}

/// Takes any certificate: whoever is on the way can be the server.
pub fn any(address: IpAddr) -> Result<Trust, String> {
    Trust::any(&address.to_string()).map_err(|error| error.to_string())
}

/// Takes what one of the certificates in this file vouches for, under this name.
pub fn vouched(file: &Path, name: &str) -> Result<Trust, String> {
    let wrong = |error: String| format!("--tls-ca {}: {error}", file.display());
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("no certificate in it".into()));
    }
    Trust::vouched(roots, name).map_err(|error| format!("--tls-name {name}: {error}"))
}
