//! The flags of TLS.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::login::{self, Login};
use crate::names::Names;
use crate::protocol::Protocol;
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
    /// With --target: the clients log in, as accounts whose names are these three letters or digits and a number of four
    /// hexadecimal digits: with abc, abc0000, abc0001 and so on. All have one password, in TERTULIA_PASSWORD or --password-file
    #[arg(long, value_name = "ABC", requires = "target", value_parser = str::parse::<Names>, help_heading = ACCOUNTS)]
    pub login: Option<Names>,
    /// With --login: the file that the password stands in; `-`: standard input
    #[arg(long, value_name = "FILE", requires = "login", help_heading = ACCOUNTS)]
    pub password_file: Option<PathBuf>,
}

/// Heading of the flags of accounts.
const ACCOUNTS: &str = "With accounts";

impl Secure {
    /// A server that was named is trusted for a reason, or without one where that was said.
    pub fn check(&self, address: SocketAddr, protocol: Protocol) -> Result<(), String> {
        self.check_login(address, protocol)?;
        let has_word = self.tls_insecure || self.tls_fingerprint.is_some() || self.tls_ca.is_some();
        if !self.tls || has_word {
            return Ok(());
        }
        Err("--tls: say which certificate is the server's: --tls-fingerprint HEX or --tls-ca FILE; or --tls-insecure"
            .into())
    }

    /// A password goes over an encrypted connection, or to a server on this machine, and nowhere else.
    fn check_login(&self, address: SocketAddr, protocol: Protocol) -> Result<(), String> {
        if self.login.is_none() {
            return Ok(());
        }
        if !matches!(protocol, Protocol::Plain | Protocol::Extended) {
            return Err(format!("--login: --protocol {protocol} knows no accounts"));
        }
        if !self.tls && !address.ip().to_canonical().is_loopback() {
            return Err(format!(
                "--login: {address} is another machine, and a password does not go there without --tls"
            ));
        }
        Ok(())
    }

    /// As whom the clients log in, where they are to.
    pub fn login(&self) -> Result<Option<Login>, String> {
        let Some(names) = self.login else { return Ok(None) };
        let password = login::read_password(self.password_file.as_deref())?;
        Login::new(names, &password).map(Some)
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
