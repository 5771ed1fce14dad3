//! Whom to trust where TLS is spoken with the relay. What trust is stands in [`tertulia_wire::tls`].

use std::io;
use std::sync::Arc;

use rustls_platform_verifier::Verifier as SystemVerifier;
use tertulia_wire::tls::rustls::crypto::ring;
use tertulia_wire::tls::{Fingerprint, Trust, TrustError, Untrusted, host_of};

use crate::phrases::Told;

/// Takes the certificate with this fingerprint, whatever it says, and no other; without one, what the system trusts and what is for
/// the host of `address`, `HOST:PORT`. Why not, for people.
pub fn trust(address: &str, fingerprint: Option<Fingerprint>) -> Result<Trust, Told> {
    let host = host_of(address);
    let trust = match fingerprint {
        Some(fingerprint) => Trust::pinned(fingerprint, host),
        None => SystemVerifier::new(Arc::new(ring::default_provider()))
            .map_err(TrustError::Tls)
            .and_then(|system| Trust::vouched_by(Arc::new(system), host)),
    };
    trust.map_err(|error| match error {
        TrustError::Host(_) => Told::new(
            "--relay: con TLS hace falta HOST:PUERTO; un nombre con letras de fuera del inglés se escribe como xn--…",
            "--relay: TLS needs HOST:PORT; a name with letters beyond English ones is written as xn--…",
        ),
        other => Told::same(other.to_string()),
    })
}

/// Which certificate was not taken, if that is why there is no connection.
pub fn untrusted(error: &io::Error) -> Option<&Untrusted> {
    error.get_ref()?.downcast_ref().and_then(Untrusted::of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrases::Language;

    #[test]
    fn what_is_no_host_is_told_with_how_one_is_written() {
        for fingerprint in [None, Some(Fingerprint([0; 32]))] {
            let told = trust("not a host:1", fingerprint).unwrap_err();
            assert!(told.shown(Language::En).contains("HOST:PORT"), "{told:?}");
        }
        assert!(trust("relay.example:2001", Some(Fingerprint([0; 32]))).is_ok());
    }
}
