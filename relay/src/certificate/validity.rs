//! Whether a certificate is good now, and for how long yet.

use std::time::Duration;

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::ring as crypto;
use rustls::pki_types::UnixTime;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

use super::{Files, read_chain};

/// How long before its end somebody should know.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// A sentence, if the certificate is good no more, not yet, or not for long. Who pins its fingerprint does not ask; whoever
/// trusts the authority that gave it does. `since_1970`: now.
pub fn validity_warning(files: &Files, since_1970: Duration) -> Option<String> {
    let chain = read_chain(files).ok()?;
    let certificate = ParsedCertificate::try_from(chain.first()?).ok()?;
    let algorithms = crypto::default_provider().signature_verification_algorithms.all;
    // Nobody vouches for it here: its time is looked at before that is found out.
    let fault_at = |at| {
        let (at, roots) = (UnixTime::since_unix_epoch(at), RootCertStore::empty());
        match verify_server_cert_signed_by_trust_anchor(&certificate, &roots, &[], at, algorithms) {
            Err(Error::InvalidCertificate(error)) => Some(error),
            _ => None,
        }
    };
    let is_over =
        |error| matches!(error, Some(CertificateError::Expired | CertificateError::ExpiredContext { .. }));
    let why = match fault_at(since_1970) {
        Some(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            "is not good yet; look at this machine's clock"
        }
        error if is_over(error.clone()) => "has expired; renew it and send SIGHUP",
        _ if is_over(fault_at(since_1970 + SOON)) => "expires within 14 days; renew it and send SIGHUP",
        _ => return None,
    };
    Some(format!("certificate {}: {why}", files.certificate.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::{CERTIFICATE_FILE, KEY_FILE, SelfSigned};
    use crate::clock::unix_ms;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn a_certificate_is_doubted_before_and_after_its_time_and_shortly_before_its_end() {
        let folder = std::env::temp_dir().join(format!("tertulia-validity-{}", std::process::id()));
        SelfSigned { folder: folder.clone(), hosts: vec!["relay.example".into()] }.make().unwrap();
        let files = Files { certificate: folder.join(CERTIFICATE_FILE), key: folder.join(KEY_FILE) };
        let now = Duration::from_millis(unix_ms());
        let year = DAY * 365;
        let said = |at| validity_warning(&files, at).unwrap_or_default();
        for (at, expected) in [
            (now, ""),
            (now - 2 * DAY, "is not good yet"),
            (now + 10 * year - 15 * DAY, ""),
            (now + 10 * year - 13 * DAY, "expires within 14 days"),
            (now + 10 * year + DAY, "has expired"),
        ] {
            let said = said(at);
            assert_eq!(said.is_empty(), expected.is_empty(), "{said}");
            assert!(said.contains(expected), "{said} without {expected}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
