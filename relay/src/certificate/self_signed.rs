//! `cert self-signed`: a certificate to start with, which clients know by its fingerprint.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

use super::fingerprint;
use crate::clock::unix_ms;

/// The file that the certificate goes to.
pub const CERTIFICATE_FILE: &str = "certificate.pem";
/// The file that its key goes to.
pub const KEY_FILE: &str = "key.pem";

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long it is good. Who pins the fingerprint trusts this one certificate and no other.
const VALID: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A certificate to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelfSigned {
    /// The folder of the two files.
    pub folder: PathBuf,
    /// Names and addresses that it is for. Empty: this machine's own.
    pub hosts: Vec<String>,
}

impl SelfSigned {
    /// Makes certificate and key and writes them, the key readable by its owner alone. Returns what to tell the operator.
    /// A file that is there stays, and nothing is made.
    pub fn make(&self) -> Result<String, String> {
        let hosts = if self.hosts.is_empty() { own_hosts() } else { self.hosts.clone() };
        if let Some(wrong) = hosts.iter().find(|host| !is_host(host)) {
            return Err(format!("--host {wrong:?}: expected a name or an address, as chat.example.org"));
        }
        let refused = |error: rcgen::Error| format!("no certificate for {}: {error}", hosts.join(", "));
        let mut wanted = CertificateParams::new(hosts.clone()).map_err(refused)?;
        let now = date_time_ymd(1970, 1, 1) + Duration::from_millis(unix_ms());
        wanted.not_before = now - DAY;
        wanted.not_after = now + VALID;
        let name = hosts.first().map_or("tertulia", String::as_str);
        wanted.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().map_err(refused)?;
        let certificate = wanted.self_signed(&key).map_err(refused)?;

        std::fs::create_dir_all(&self.folder)
            .map_err(|error| format!("--out {}: {error}", self.folder.display()))?;
        let (certificate_path, key_path) = (self.folder.join(CERTIFICATE_FILE), self.folder.join(KEY_FILE));
        if let Some(there) = [&certificate_path, &key_path].into_iter().find(|path| path.exists()) {
            return Err(in_the_way(there));
        }
        write(&key_path, &key.serialize_pem(), 0o600)?;
        write(&certificate_path, &certificate.pem(), 0o644)?;
        Ok(format!(
            "for {}\nsha256 {}\n--tls-cert {} --tls-key {}\n",
            hosts.join(", "),
            fingerprint(certificate.der()),
            certificate_path.display(),
            key_path.display()
        ))
    }
}

/// What this machine is called, by itself and by the network.
fn own_hosts() -> Vec<String> {
    let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let node = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let node = node.trim();
    if is_host(node) && !hosts.iter().any(|host| host == node) {
        hosts.insert(0, node.to_owned());
    }
    hosts
}

/// Whether a client could connect by this name or address (RFC 5280, section 4.2.1.6; an underscore is often met).
fn is_host(host: &str) -> bool {
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    let is_label = |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(is_right);
    host.parse::<std::net::IpAddr>().is_ok() || host.len() <= 253 && host.split('.').all(is_label)
}

fn in_the_way(path: &Path) -> String {
    format!("{} is there already; move it away, or pass --out with another folder", path.display())
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => in_the_way(path),
        _ => format!("{}: {error}", path.display()),
    })
}
