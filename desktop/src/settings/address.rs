//! The relay's address, as a person writes it.

use tertulia_wire::limits::{PORT, TLS_PORT};

use crate::phrases::{Phrase, Sentence};

/// A host of version 6 that stands without brackets, and so without a port.
fn is_bare_v6(relay: &str) -> bool {
    let is_of_v6 = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.' | '%');
    relay.matches(':').count() > 1 && relay.chars().all(is_of_v6)
}

/// The host, and the port where there is one.
fn parts_of_relay(relay: &str) -> (&str, Option<&str>) {
    if is_bare_v6(relay) || relay.ends_with(']') {
        return (relay, None);
    }
    match relay.rsplit_once(':') {
        Some((host, port)) => (host, Some(port).filter(|port| !port.is_empty())),
        None => (relay, None),
    }
}

/// What a relay's address is taken for: without a port, the port of old, or that of TLS.
pub(super) fn mended_relay(relay: &str, has_tls: bool) -> String {
    let port = if has_tls { TLS_PORT } else { PORT };
    let relay = relay.trim();
    if relay.is_empty() {
        return format!("127.0.0.1:{port}");
    }
    if is_bare_v6(relay) {
        return format!("[{relay}]:{port}");
    }
    match relay.rsplit_once(':') {
        Some((_, given)) if given.parse::<u16>().is_ok() => relay.to_owned(),
        Some((host, "")) => format!("{host}:{port}"),
        _ => format!("{relay}:{port}"),
    }
}

/// A relay's address as a person writes it; empty: the usual one. An error: why it is none.
pub fn check_relay(relay: &str) -> Result<(), Sentence> {
    let relay = relay.trim();
    let (host, port) = parts_of_relay(relay);
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let is_host = !host.is_empty() && !host.contains(char::is_whitespace);
    if relay.is_empty() || (is_host && is_port) {
        return Ok(());
    }
    Err(Sentence::new(Phrase::SettingRelayInvalid, &[relay]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_is_refused() {
        for good in ["", "casa", "casa:", "casa:2005", "::1", "[::1]", "[::1]:7", "10.0.0.5:1"] {
            assert_eq!(check_relay(good), Ok(()), "{good}");
        }
        for wrong in ["casa:99999", "casa:0", "casa:dos", ":2000", "dos palabras:2000", "[::1]:x"] {
            assert_eq!(check_relay(wrong).unwrap_err().phrase(), Phrase::SettingRelayInvalid, "{wrong}");
        }
    }
}
