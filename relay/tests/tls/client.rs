//! A client that speaks TLS and knows a relay by the fingerprint of its certificate.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, HandshakeKind, SignatureScheme,
    SupportedProtocolVersion,
};
use tertulia_relay::certificate::fingerprint;

use crate::support::{DEADLINE, matches};

pub(crate) const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

/// Takes the one certificate that has this fingerprint.
#[derive(Debug)]
struct Pin {
    fingerprint: String,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if fingerprint(end_entity) == self.fingerprint {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::General("another certificate".into()))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A client's side of TLS that takes the one certificate with this fingerprint.
pub(crate) fn pinned(fingerprint: &str, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let provider: CryptoProvider = ring::default_provider();
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Pin { fingerprint: fingerprint.to_owned(), algorithms };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Arc::new(config)
}

/// A connection to a relay through TLS.
pub(crate) struct Secure {
    pub(crate) tls: ClientConnection,
    pub(crate) stream: TcpStream,
    heard: Vec<u8>,
    pings: u32,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As TLS says it: nothing was cut off.
    Clean,
    /// Somehow else.
    CutOff,
}

impl Secure {
    /// Connects and finishes the handshake.
    pub(crate) fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> Self {
        Self::try_connect(address, config).expect("the handshake is finished")
    }

    pub(crate) fn try_connect(address: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
        Self::over(stream, config)
    }

    /// Finishes the handshake on a connection that is there.
    pub(crate) fn over(mut stream: TcpStream, config: &Arc<ClientConfig>) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        let name = ServerName::try_from("relay.example").unwrap();
        let mut tls = ClientConnection::new(Arc::clone(config), name).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        Ok(Self { tls, stream, heard: Vec::new(), pings: 0 })
    }

    /// Connects, and says two lines: the first one in the same segment as the end of the handshake, the other behind it.
    pub(crate) fn connect_and_say(address: SocketAddr, config: &Arc<ClientConfig>, lines: [&str; 2]) -> Self {
        let mut stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let name = ServerName::try_from("relay.example").unwrap();
        let mut tls = ClientConnection::new(Arc::clone(config), name).unwrap();
        while tls.is_handshaking() {
            if tls.wants_write() {
                tls.write_tls(&mut stream).unwrap();
            } else {
                tls.read_tls(&mut stream).unwrap();
                tls.process_new_packets().unwrap();
            }
        }
        let mut client = Self { tls, stream, heard: Vec::new(), pings: 0 };
        lines.iter().for_each(|line| client.send(line));
        client
    }

    pub(crate) fn kind(&self) -> Option<HandshakeKind> {
        self.tls.handshake_kind()
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.tls.writer().write_all(bytes).unwrap();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.stream).expect("the relay reads");
        }
    }

    pub(crate) fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\n").as_bytes());
    }

    /// The next line, or how it ended, or `None` in time.
    pub(crate) fn hear(&mut self, patience: Duration) -> Option<Result<String, End>> {
        let until = Instant::now() + patience;
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                return Some(Ok(String::from_utf8(line[..end].to_vec()).unwrap()));
            }
            let mut piece = [0; 4096];
            match self.tls.reader().read(&mut piece) {
                Ok(0) => return Some(Err(End::Clean)),
                Ok(bytes) => {
                    self.heard.extend_from_slice(&piece[..bytes]);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Some(Err(End::CutOff)),
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.stream.set_read_timeout(Some(left)).unwrap();
            match self.tls.read_tls(&mut self.stream) {
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return Some(Err(End::CutOff)),
            }
            if self.tls.process_new_packets().is_err() {
                return Some(Err(End::CutOff));
            }
        }
    }

    #[track_caller]
    pub(crate) fn next_line(&mut self) -> String {
        match self.hear(DEADLINE) {
            Some(Ok(line)) => line,
            other => panic!("{other:?} instead of a line"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_line(&mut self, pattern: &str) {
        let line = self.next_line();
        assert!(matches(pattern, &line), "{line:?} instead of {pattern:?}");
    }

    /// Waits until the relay has dealt with all that was sent here; what is heard before is dropped.
    pub(crate) fn sync(&mut self) {
        self.pings += 1;
        let word = format!("sync-{}", self.pings);
        self.send(&format!("/ping {word}"));
        while self.next_line() != format!("* PONG {word}") {}
    }

    /// Joins as `name` and has heard what was said before.
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.send(&format!("{name} se ha unido al chat."));
        self.sync();
        self
    }

    /// All lines up to the end, and which end that was.
    pub(crate) fn until_the_end(&mut self, patience: Duration) -> (Vec<String>, End) {
        let until = Instant::now() + patience;
        let mut lines = Vec::new();
        loop {
            match self.hear(until.saturating_duration_since(Instant::now())) {
                Some(Ok(line)) => lines.push(line),
                Some(Err(end)) => return (lines, end),
                None => panic!("it does not end; heard {} lines", lines.len()),
            }
        }
    }

    /// Says, as TLS says it, that nothing more comes.
    pub(crate) fn say_goodbye(&mut self) {
        self.tls.send_close_notify();
        self.tls.write_tls(&mut self.stream).unwrap();
    }
}
