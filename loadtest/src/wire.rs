//! The bytes of one client on their way to the server and back: as they are, or through TLS.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;
use tertulia_wire::tls::Untrusted;
use tertulia_wire::tls::rustls::ClientConnection;

use crate::trust::Trust;

/// Bytes encrypted that the socket has not taken; past it nothing more is.
const ENCRYPTED_BYTES_MAX: usize = 16 * 1024;

/// A socket, and what its bytes pass through.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Wire {
    /// Over a connect that is under way.
    pub(crate) fn new(stream: TcpStream, trust: Option<&Trust>) -> io::Result<Self> {
        let tls = trust.map(Trust::begin).transpose().map_err(io::Error::other)?.map(|mut tls| {
            tls.set_buffer_limit(Some(ENCRYPTED_BYTES_MAX));
            Box::new(tls)
        });
        Ok(Self { stream, tls })
    }

    /// Whether a read that does not fill the buffer may have left something.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Goes on with the handshake. True: there is none, or it is over.
    pub(crate) fn shake(&mut self) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else { return Ok(true) };
        loop {
            match push(tls, &mut self.stream) {
                Ok(()) if !tls.is_handshaking() => return Ok(true),
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
            match pull(tls, &mut self.stream) {
                Ok(0) => return Err(io::Error::other("the server closed it in the handshake of TLS")),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes what was encrypted and waits.
    pub(crate) fn push(&mut self) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => push(tls, &mut self.stream),
            None => Ok(()),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.read(buffer) };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => drop(pull(tls, &mut self.stream)?),
                // A server that ends without TLS's word for it has ended.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                outcome => return outcome,
            }
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.write(bytes) };
        push(tls, &mut self.stream)?;
        let taken = tls.writer().write(bytes)?;
        match push(tls, &mut self.stream) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push()
    }
}

fn push(tls: &mut ClientConnection, stream: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(stream)?;
    }
    Ok(())
}

fn pull(tls: &mut ClientConnection, stream: &mut TcpStream) -> io::Result<usize> {
    let bytes = tls.read_tls(stream)?;
    if let Err(error) = tls.process_new_packets() {
        // The alert that says why; the server may be gone already.
        let _ = push(tls, stream);
        return Err(match Untrusted::of(&error) {
            Some(untrusted) => io::Error::new(ErrorKind::InvalidData, untrusted.clone()),
            None => io::Error::new(ErrorKind::InvalidData, error),
        });
    }
    match push(tls, stream) {
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};
    use std::sync::Arc;
    use std::thread;
    use std::time::{Duration, Instant};

    use rcgen::{CertificateParams, KeyPair};
    use tertulia_wire::tls::rustls::pki_types::PrivateKeyDer;
    use tertulia_wire::tls::rustls::{self, ServerConfig, ServerConnection, StreamOwned};

    use super::*;
    use crate::trust::{self, Fingerprint};

    const DEADLINE: Duration = Duration::from_secs(10);

    /// A server that says back what it hears. Its address, fingerprint, and certificate in PEM.
    fn echo() -> (SocketAddr, Fingerprint, String) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(["relay.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        let fingerprint = Fingerprint::of(certificate.der());
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let config = Arc::new(config);
            for stream in listener.incoming().flatten() {
                let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(tls, stream);
                let mut buffer = [0; 4096];
                while let Ok(bytes @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..bytes]).is_err() {
                        break;
                    }
                }
            }
        });
        (address, fingerprint, certificate.pem())
    }

    fn connect(address: SocketAddr, trust: &Trust) -> io::Result<Wire> {
        let mut wire = Wire::new(TcpStream::connect(address).unwrap(), Some(trust)).unwrap();
        let until = Instant::now() + DEADLINE;
        loop {
            match wire.stream.peer_addr() {
                Ok(_) if wire.shake()? => return Ok(wire),
                _ => assert!(Instant::now() < until, "the handshake does not end"),
            }
            thread::yield_now();
        }
    }

    #[test]
    fn what_goes_out_comes_back_whole() {
        let (address, fingerprint, _) = echo();
        let mut wire = connect(address, &trust::pinned(fingerprint, address.ip()).unwrap()).unwrap();
        let said: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
        let (mut rest, mut heard, mut buffer) = (&said[..], Vec::new(), [0; 1000]);
        let until = Instant::now() + DEADLINE;
        while heard.len() < said.len() {
            match wire.write(rest) {
                Ok(taken) => rest = &rest[taken..],
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            match wire.read(&mut buffer) {
                Ok(bytes) => heard.extend_from_slice(&buffer[..bytes]),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            assert!(Instant::now() < until, "{} of {} came back", heard.len(), said.len());
        }
        assert!(heard == said);
    }

    #[test]
    fn a_certificate_that_is_not_the_one_is_refused() {
        let (address, fingerprint, pem) = echo();
        let folder = std::env::temp_dir().join(format!("tertulia-loadtest-ca-{}.pem", std::process::id()));
        std::fs::write(&folder, pem).unwrap();
        let mut other = fingerprint;
        other.0[0] ^= 1;
        let ip = address.ip();
        let refused = |trust: Result<Trust, String>| connect(address, &trust.unwrap()).is_err();
        assert!(refused(trust::pinned(other, ip)));
        assert!(!refused(trust::any(ip)));
        assert!(!refused(trust::vouched(&folder, "relay.example")));
        assert!(refused(trust::vouched(&folder, "other.example")));
        std::fs::remove_file(folder).unwrap();
    }
}
