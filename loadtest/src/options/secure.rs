//! The flags of TLS.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::trust::{self, Fingerprint, Trust};

/// Whether TLS is spoken, and with whom.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Through TLS")]
pub struct Secure {
    /// Through TLS; without --target, a relay is started with a certificate of its own
    #[arg(long)]
    pub tls: bool,
    /// With --tls --target: the SHA-256 of the certificate that the server must show
    #[arg(long, value_name = "HEX", requires_all = ["tls", "target"], value_parser = str::parse::<Fingerprint>)]
    pub tls_fingerprint: Option<Fingerprint>,
    /// With --tls --target: take whatever certificate the server shows
    #[arg(long, requires_all = ["tls", "target"], conflicts_with = "tls_fingerprint")]
    pub tls_insecure: bool,
    /// With --tls --target: certificates in PEM, one of which vouches for the server's
    #[arg(
        long,
        value_name = "FILE",
        requires_all = ["tls", "target"],
        conflicts_with_all = ["tls_fingerprint", "tls_insecure"]
    )]
    pub tls_ca: Option<PathBuf>,
    /// With --tls-ca: the name that the certificate must be for, if not the target's address
    #[arg(long, value_name = "HOST", requires = "tls_ca")]
    pub tls_name: Option<String>,
}

impl Secure {
    /// A server that was named is trusted for a reason, or without one where that was said.
    pub fn check(&self) -> Result<(), String> {
        let has_word = self.tls_insecure || self.tls_fingerprint.is_some() || self.tls_ca.is_some();
        if !self.tls || has_word {
            return Ok(());
        }
        Err("--tls: say which certificate is the server's: --tls-fingerprint HEX or --tls-ca FILE; or --tls-insecure"
            .into())
    }

    /// Which certificate the server at this address must show, where TLS is spoken.
    pub fn trust(&self, address: SocketAddr) -> Result<Option<Trust>, String> {
        let ip = address.ip();
        let trust = match (self.tls_fingerprint, &self.tls_ca) {
            (Some(fingerprint), _) => trust::pinned(fingerprint, ip)?,
            (None, Some(file)) => {
                trust::vouched(file, &self.tls_name.clone().unwrap_or_else(|| ip.to_string()))?
            }
            (None, None) if self.tls_insecure => trust::any(ip)?,
            (None, None) => return Ok(None),
        };
        Ok(Some(trust))
    }
}
