//! How the relay is reached, and as whom: its address, TLS, an account. The password comes from the environment or from a file of
//! its own, as the token does, and is never repeated.

use std::path::{Path, PathBuf};

use tertulia_wire::account::is_password;
use tertulia_wire::limits::{PORT, TLS_PORT};
use tertulia_wire::secret::Secret;
use tertulia_wire::tls::Fingerprint;

use super::cannot_read;
use crate::phrases::Told;
use crate::socket::Way;
use crate::trust::trust;

/// The variable that may hold the password of the relay's account.
pub const PASSWORD_VARIABLE: &str = "TERTULIA_RELAY_PASSWORD";

/// An account at the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The account, which is also the bridge's name.
    pub name: String,
    /// Its password.
    pub password: Secret<String>,
}

/// What was given of the relay's address.
pub(super) struct GivenWay {
    pub(super) relay: Option<String>,
    pub(super) is_tls: bool,
    pub(super) fingerprint: Option<String>,
}

pub(super) fn way(given: GivenWay) -> Result<Way, Told> {
    let fingerprint = match given.fingerprint {
        // What was given is not repeated: it may be a secret, in the wrong place.
        Some(text) => Some(text.parse::<Fingerprint>().map_err(|_| {
            Told::new(
                "--relay-fingerprint: eso no es la huella SHA-256 de un certificado, 64 cifras hexadecimales; `tertulia-relay cert self-signed` la dice",
                "--relay-fingerprint: that is no SHA-256 fingerprint of a certificate, 64 hexadecimal digits; `tertulia-relay cert self-signed` tells it",
            )
        })?),
        None => None,
    };
    let is_tls = given.is_tls || fingerprint.is_some();
    let port = if is_tls { TLS_PORT } else { PORT };
    let address = given.relay.unwrap_or_else(|| format!("127.0.0.1:{port}"));
    let trust = is_tls.then(|| trust(&address, fingerprint)).transpose()?;
    Ok(Way { address, trust })
}

/// The account, where one is named.
pub(super) fn login(
    name: Option<String>,
    file: Option<PathBuf>,
    secret: Option<Secret<String>>,
) -> Result<Option<Login>, Told> {
    let Some(name) = name else {
        return match file {
            Some(_) => Err(Told::new(
                "--password-file va con --login: di también de qué cuenta es",
                "--password-file goes with --login: say also whose it is",
            )),
            None => Ok(None),
        };
    };
    let (text, place) = match (file, secret) {
        (Some(path), _) => (read(&path)?, path.display().to_string()),
        (None, Some(secret)) => (secret, PASSWORD_VARIABLE.to_owned()),
        (None, None) => {
            return Err(Told::new(
                format!(
                    "--login necesita la contraseña de la cuenta, en {PASSWORD_VARIABLE} o en un fichero para --password-file"
                ),
                format!(
                    "--login needs the account's password, in {PASSWORD_VARIABLE} or in a file for --password-file"
                ),
            ));
        }
    };
    let password = Secret(text.trim().to_owned());
    if !is_password(&password) || password.contains(char::is_control) {
        return Err(Told::new(
            format!(
                "lo que hay en {place} no puede ser una contraseña: tiene de 8 a 256 bytes, en una línea"
            ),
            format!("what is in {place} can be no password: it has 8 to 256 bytes, in one line"),
        ));
    }
    Ok(Some(Login { name, password }))
}

fn read(path: &Path) -> Result<Secret<String>, Told> {
    std::fs::read_to_string(path).map(Secret).map_err(|error| cannot_read(path, &error))
}
