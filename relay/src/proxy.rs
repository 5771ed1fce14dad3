//! The PROXY protocol: who stands behind a proxy, as the proxy says it before anything else. Knows no socket; whether the
//! proxy may be believed is for others to know.
//!
//! Source: The PROXY protocol, versions 1 and 2 (HAProxy, proxy-protocol.txt).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str;

/// Bytes of a header. The protocol allows more in version 2; what a relay needs takes some fifty.
pub const HEADER_BYTES_MAX: usize = 2048;

/// Section 2.1: with its line ending.
const TEXT_BYTES_MAX: usize = 107;
const TEXT_START: &[u8] = b"PROXY ";

/// Section 2.2.
const BINARY_START: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const BINARY_FIXED_BYTES: usize = 16;
const LOCAL: u8 = 0x20;
const PROXIED: u8 = 0x21;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;

/// Section 2.2.5: `PP2_TYPE_SSL`, and the bit that says that the client spoke TLS.
const TLS: u8 = 0x20;
const CLIENT_SPOKE_TLS: u8 = 0x01;

/// What the first bytes of a connection say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// It may become a header.
    Incomplete,
    /// A header, so many bytes long, and who stands behind the proxy.
    Header(usize, Behind),
    /// It is none.
    Invalid,
}

/// Who stands behind a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// Nobody: the proxy looks whether the relay is well.
    Itself,
    /// Somebody who has no IP address, or whom the proxy does not name.
    Unknown,
    /// Somebody from this address.
    Client {
        /// Where the client connected to the proxy from.
        address: IpAddr,
        /// Whether it did so through TLS, as far as the proxy says.
        is_encrypted: bool,
    },
}

/// Reads the header that a connection begins with.
pub fn parse(bytes: &[u8]) -> Parsed {
    if begins_like(bytes, TEXT_START) {
        parse_text(bytes)
    } else if begins_like(bytes, BINARY_START) {
        parse_binary(bytes)
    } else {
        Parsed::Invalid
    }
}

/// Whether the shorter of the two is how the other one begins.
fn begins_like(bytes: &[u8], start: &[u8]) -> bool {
    bytes.iter().zip(start).all(|(byte, expected)| byte == expected)
}

fn parse_text(bytes: &[u8]) -> Parsed {
    let line = bytes.get(..TEXT_BYTES_MAX).unwrap_or(bytes);
    let Some(end) = memchr::memchr(b'\n', line) else {
        return if line.len() < TEXT_BYTES_MAX { Parsed::Incomplete } else { Parsed::Invalid };
    };
    let words = line.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let behind = words.and_then(|words| str::from_utf8(words).ok()).and_then(behind_of_text);
    behind.map_or(Parsed::Invalid, |behind| Parsed::Header(end + 1, behind))
}

/// `PROXY TCP4 SOURCE DESTINATION PORT PORT`; behind `UNKNOWN` stands anything.
fn behind_of_text(line: &str) -> Option<Behind> {
    let mut words = line.split(' ');
    let (_, family) = (words.next()?, words.next()?);
    if family == "UNKNOWN" {
        return Some(Behind::Unknown);
    }
    let (source, destination) = (words.next()?, words.next()?);
    let is_port = |word: &str| !word.starts_with('+') && word.parse::<u16>().is_ok();
    let has_ports = is_port(words.next()?) && is_port(words.next()?);
    let address: IpAddr = match family {
        "TCP4" => source.parse::<Ipv4Addr>().ok().zip(destination.parse::<Ipv4Addr>().ok())?.0.into(),
        "TCP6" => source.parse::<Ipv6Addr>().ok().zip(destination.parse::<Ipv6Addr>().ok())?.0.into(),
        _ => return None,
    };
    let is_right = has_ports && words.next().is_none();
    is_right.then_some(Behind::Client { address, is_encrypted: false })
}

fn parse_binary(bytes: &[u8]) -> Parsed {
    let Some(fixed) = bytes.first_chunk::<BINARY_FIXED_BYTES>() else { return Parsed::Incomplete };
    let [.., command, family, length_high, length_low] = *fixed;
    let length = BINARY_FIXED_BYTES + usize::from(u16::from_be_bytes([length_high, length_low]));
    if length > HEADER_BYTES_MAX || ![LOCAL, PROXIED].contains(&command) {
        return Parsed::Invalid;
    }
    let Some(rest) = bytes.get(BINARY_FIXED_BYTES..length) else { return Parsed::Incomplete };
    if command == LOCAL {
        return Parsed::Header(length, Behind::Itself);
    }
    let client = match family {
        TCP4 => {
            rest.split_first_chunk::<12>().map(|([a, b, c, d, ..], more)| ([*a, *b, *c, *d].into(), more))
        }
        TCP6 => rest.split_first_chunk::<36>().and_then(|(addresses, more)| {
            let source: [u8; 16] = *addresses.first_chunk()?;
            Some((IpAddr::from(source), more))
        }),
        _ => return Parsed::Header(length, Behind::Unknown),
    };
    let Some((address, more)) = client else { return Parsed::Invalid };
    let behind = Behind::Client { address, is_encrypted: spoke_tls(more) };
    Parsed::Header(length, behind)
}

/// Looks for what the proxy says of the client's TLS among type, length and value of whatever else it says.
fn spoke_tls(mut more: &[u8]) -> bool {
    while let Some(([kind, length_high, length_low], rest)) = more.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        let Some((value, behind)) = rest.split_at_checked(length) else { return false };
        if *kind == TLS {
            return value.first().is_some_and(|client| client & CLIENT_SPOKE_TLS != 0);
        }
        more = behind;
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(address: &str, is_encrypted: bool) -> Behind {
        Behind::Client { address: address.parse().unwrap(), is_encrypted }
    }

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [BINARY_START, &[command, family], &length, rest].concat()
    }

    #[test]
    fn a_line_of_version_1_names_the_client() {
        let line = b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 2000\r\n";
        assert_eq!(parse(line), Parsed::Header(line.len(), client("192.0.2.1", false)));
        let line = b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\nAna: hola\n";
        assert_eq!(parse(line), Parsed::Header(36, client("2001:db8::1", false)));
        let line = b"PROXY UNKNOWN whatever stands here\r\n";
        assert_eq!(parse(line), Parsed::Header(line.len(), Behind::Unknown));
    }

    #[test]
    fn what_is_no_header_is_refused_as_soon_as_that_is_known() {
        let wrong: [&[u8]; 13] = [
            b"A",
            b"PROXX",
            b"Ana se ha unido al chat.\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 2000\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.9 56324\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 2000 1\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 65536\r\n",
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY TCP4 127.1 192.0.2.9 1 2\r\n",
            b"PROXY UDP4 192.0.2.1 192.0.2.9 1 2\r\n",
            b"PROXY \r\n",
            b"\r\n\r\n\0\r\nQUIT\x0a\x31\x11\0\0",
            b"\r\n\r\n\0\r\nQUIT\x0a\x21\x11\xff\xff",
        ];
        for bytes in wrong {
            assert_eq!(parse(bytes), Parsed::Invalid, "{:?}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(parse(&[TEXT_START, &[b'x'; TEXT_BYTES_MAX]].concat()), Parsed::Invalid);
        assert_eq!(parse(&binary(PROXIED, TCP4, &[0; 11])), Parsed::Invalid);
    }

    #[test]
    fn a_header_of_version_2_names_the_client_and_whether_it_spoke_tls() {
        let four = [192, 0, 2, 1, 192, 0, 2, 9, 1, 2, 3, 4];
        let header = binary(PROXIED, TCP4, &four);
        assert_eq!(parse(&header), Parsed::Header(28, client("192.0.2.1", false)));
        let six = [&Ipv6Addr::LOCALHOST.octets()[..], &[0; 20]].concat();
        assert_eq!(parse(&binary(PROXIED, TCP6, &six)), Parsed::Header(52, client("::1", false)));
        let tls = |bits: u8| [&four[..], &[0x04, 0, 1, 7, 0x20, 0, 5, bits, 0, 0, 0, 0]].concat();
        assert_eq!(parse(&binary(PROXIED, TCP4, &tls(1))), Parsed::Header(40, client("192.0.2.1", true)));
        assert_eq!(parse(&binary(PROXIED, TCP4, &tls(6))), Parsed::Header(40, client("192.0.2.1", false)));
        assert_eq!(parse(&binary(LOCAL, 0, &[])), Parsed::Header(16, Behind::Itself));
        assert_eq!(parse(&binary(PROXIED, 0x31, &[0; 216])), Parsed::Header(232, Behind::Unknown));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_within_what_there_is(bytes: Vec<u8>, kind in 0..3) {
            let start: &[u8] = match kind { 0 => b"", 1 => TEXT_START, _ => BINARY_START };
            let bytes = [start, &bytes].concat();
            if let Parsed::Header(length, _) = parse(&bytes) {
                prop_assert!(length <= bytes.len());
                prop_assert_eq!(parse(&bytes[..length]), parse(&bytes));
            }
        }

        #[test]
        fn a_header_cut_short_is_incomplete(address: [u8; 4], ports: [u8; 4], more in proptest::collection::vec(any::<u8>(), 0..64), cut: proptest::sample::Index) {
            let rest = [&address[..], &[0; 4], &ports, &more].concat();
            let header = binary(PROXIED, TCP4, &rest);
            let is_header = matches!(parse(&header), Parsed::Header(length, Behind::Client { address: found, .. })
                if length == header.len() && found == IpAddr::from(address));
            prop_assert!(is_header);
            prop_assert_eq!(parse(&header[..cut.index(header.len())]), Parsed::Incomplete);
        }

        #[test]
        fn a_line_names_the_address_that_was_written(address: std::net::Ipv6Addr, port: u16) {
            let line = format!("PROXY TCP6 {address} ::1 {port} 2000\r\n");
            let expected = Parsed::Header(line.len(), Behind::Client { address: address.into(), is_encrypted: false });
            prop_assert_eq!(parse(line.as_bytes()), expected);
            for cut in 0..line.len() {
                prop_assert_eq!(parse(&line.as_bytes()[..cut]), Parsed::Incomplete);
            }
        }
    }
}
