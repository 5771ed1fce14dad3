//! Recognises clients of other protocols by their first bytes: a web page must not be able to chat through a
//! visitor's browser.

/// Another protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// An HTTP request (RFC 9112, section 3).
    Http,
    /// A TLS record with a handshake in it (RFC 8446, section 5.1).
    Tls,
    /// An SSH version line (RFC 4253, section 4.2).
    Ssh,
}

impl Foreign {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Http, Self::Tls, Self::Ssh];

    /// As it is written in log, metrics and protocol.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Ssh => "ssh",
        }
    }
}

const METHODS: [&[u8]; 8] =
    [b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"TRACE "];

/// What a request names right behind its method; no chat line goes on like this.
const TARGETS: [&[u8]; 4] = [b"/", b"*", b"http://", b"https://"];

/// Which protocol a connection speaks whose first bytes these are. May be asked again as more arrive.
pub(super) fn detect(first: &[u8]) -> Option<Foreign> {
    if first.starts_with(b"\x16\x03") {
        return Some(Foreign::Tls);
    }
    if first.starts_with(b"SSH-1.") || first.starts_with(b"SSH-2.") {
        return Some(Foreign::Ssh);
    }
    let target = METHODS.iter().find_map(|method| first.strip_prefix(*method));
    if target.is_some_and(|target| TARGETS.iter().any(|start| target.starts_with(start))) {
        return Some(Foreign::Http);
    }
    is_request_line(first).then_some(Foreign::Http)
}

/// `METHOD TARGET HTTP/1.1` with whatever method and target.
fn is_request_line(first: &[u8]) -> bool {
    let line = first.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut words = line.split(|&byte| byte == b' ');
    let (Some(method), Some(_), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    let is_token = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'-';
    !method.is_empty() && method.iter().all(is_token) && version.starts_with(b"HTTP/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_protocols_are_known_by_their_first_bytes() {
        let cases: [(&[u8], Option<Foreign>); 12] = [
            (b"GET / HTTP/1.1\r\nHost: x\r\n", Some(Foreign::Http)),
            (b"POST /x", Some(Foreign::Http)),
            (b"OPTIONS * HTTP/1.1\n", Some(Foreign::Http)),
            (b"CONNECT a.example:443 HTTP/1.1\r\n", Some(Foreign::Http)),
            (b"PRI * HTTP/2.0\r\n", Some(Foreign::Http)),
            (b"\x16\x03\x01\x02\x00", Some(Foreign::Tls)),
            (b"SSH-2.0-OpenSSH_9.2\r\n", Some(Foreign::Ssh)),
            (b"GET", None),
            (b"GET se ha unido al chat.", None),
            (b"SSH-fan: hola", None),
            (b"Ana: GET / HTTP/1.1", None),
            (b"hola, qu\xc3\xa9 tal", None),
        ];
        for (first, expected) in cases {
            assert_eq!(detect(first), expected, "{:?}", String::from_utf8_lossy(first));
        }
    }
}
