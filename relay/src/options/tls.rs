//! The flags of TLS, and what stands behind the word `cert`.

use std::net::SocketAddr;
use std::path::PathBuf;

use tertulia_wire::limits::TLS_PORT;

use super::OptionsError;
use super::values::parse_address;

/// Where TLS is spoken, and with which certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Where to listen. Empty: with a certificate, on port 2001 of all addresses.
    pub listen: Vec<SocketAddr>,
    /// The certificate's file.
    pub certificate: Option<PathBuf>,
    /// The file of its key.
    pub key: Option<PathBuf>,
}

pub(super) const FLAGS: [&str; 3] = ["tls-listen", "tls-cert", "tls-key"];

impl TlsOptions {
    pub(super) fn read_flag(
        &mut self,
        flag: &str,
        value: &str,
        wrong: impl Fn(&str) -> OptionsError,
    ) -> Result<(), OptionsError> {
        match flag {
            "tls-listen" => self.listen.push(
                parse_address(value, Some(TLS_PORT))
                    .ok_or_else(|| wrong("an address, as 0.0.0.0:2001 or [::]:2001"))?,
            ),
            _ if value.is_empty() => return Err(wrong("a file")),
            "tls-cert" => self.certificate = Some(value.into()),
            _ => self.key = Some(value.into()),
        }
        Ok(())
    }

    /// What was said about it must be complete.
    pub(super) fn check(&self) -> Result<(), OptionsError> {
        let given = match (&self.certificate, &self.key) {
            (Some(_), None) => "--tls-cert: --tls-key FILE must go with it",
            (None, Some(_)) => "--tls-key: --tls-cert FILE must go with it",
            (None, None) if !self.listen.is_empty() => {
                "--tls-listen: --tls-cert FILE and --tls-key FILE must go with it; `tertulia-relay cert self-signed` makes them"
            }
            _ => return Ok(()),
        };
        Err(OptionsError(given.into()))
    }

    /// The files of certificate and key, if there are to be any.
    pub fn files(&self) -> Option<crate::certificate::Files> {
        let (certificate, key) = (self.certificate.clone()?, self.key.clone()?);
        Some(crate::certificate::Files { certificate, key })
    }
}

/// What stands behind the word `cert`, up to the end.
pub(super) fn read_tool(parser: &mut lexopt::Parser) -> Result<crate::certificate::SelfSigned, OptionsError> {
    use lexopt::prelude::*;
    let word = parser.value().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    if word != "self-signed" {
        return Err(OptionsError(format!("cert {word}: expected self-signed")));
    }
    let mut wanted = crate::certificate::SelfSigned { folder: ".".into(), hosts: Vec::new() };
    while let Some(argument) = parser.next().map_err(|error| OptionsError(error.to_string()))? {
        let flag = super::shown(&argument);
        let is_folder = match argument {
            Long("out") => true,
            Long("host") => false,
            _ => return Err(OptionsError(format!("{flag}: no such argument of cert self-signed"))),
        };
        let value = parser.value().map_err(|_| OptionsError(format!("{flag}: a value must follow")))?;
        if is_folder {
            wanted.folder = value.into();
        } else {
            wanted.hosts.push(value.to_string_lossy().into_owned());
        }
    }
    Ok(wanted)
}
