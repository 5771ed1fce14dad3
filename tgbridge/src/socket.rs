//! How the relay is reached: a socket, with TLS over it or without. Knows nothing of what is said.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tertulia_wire::tls::{Fingerprint, FirstBytes, TURNED_AWAY_BYTES_MAX, Trust, TurnedAway};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long establishing a connection may take, TLS included.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// Where the relay is, and whether it speaks TLS there.
#[derive(Debug, Clone)]
pub struct Way {
    /// `HOST:PORT`.
    pub address: String,
    /// None: without TLS.
    pub trust: Option<Trust>,
}

/// What bytes go through.
trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// A connection with the relay.
pub struct Socket {
    stream: Box<dyn Stream>,
    is_private: bool,
    certificate: Option<Fingerprint>,
    /// Something that was written may still lie in the TLS layer.
    is_flush_due: bool,
}

/// What a socket has done.
#[derive(Debug)]
pub enum Moved {
    /// So many bytes came; none: the other side has ended.
    Read(io::Result<usize>),
    /// So many bytes were taken.
    Written(io::Result<usize>),
}

/// Goes on where it was when a turn is given up.
pub(crate) type Connecting = Pin<Box<dyn Future<Output = io::Result<Socket>>>>;

/// Connects, within a time.
pub(crate) fn connect(way: Way) -> Connecting {
    Box::pin(async move {
        let connected = timeout(CONNECT_WAIT, Socket::open(&way)).await;
        connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    })
}

impl Socket {
    async fn open(way: &Way) -> io::Result<Self> {
        let socket = TcpStream::connect(&way.address).await?;
        // Without it, lines only come a little later.
        let _ = socket.set_nodelay(true);
        let is_local = socket.peer_addr()?.ip().to_canonical().is_loopback();
        let (stream, certificate): (Box<dyn Stream>, _) = match &way.trust {
            Some(trust) => {
                let stream = shake(trust, socket).await?;
                let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                let certificate = shown.map(|shown| Fingerprint::of(shown));
                (Box::new(stream), certificate)
            }
            None => (Box::new(socket), None),
        };
        let is_private = is_local || way.trust.is_some();
        Ok(Self { stream, is_private, certificate, is_flush_due: false })
    }

    /// Nobody else can read what goes through it: it is encrypted, or does not leave the machine.
    pub fn is_private(&self) -> bool {
        self.is_private
    }

    /// Of the certificate that was taken. None: without TLS.
    pub fn certificate(&self) -> Option<Fingerprint> {
        self.certificate
    }

    /// Writes all of a text.
    pub(crate) async fn write(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await
    }

    /// Reads into `buffer`; so many bytes, none where the other side has ended.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer).await
    }

    /// Writes what it takes of `unsent`, or else reads into `buffer`, where `wants_read` says so; whichever can be done first.
    /// Nothing is lost when the wait is given up.
    pub async fn transfer(&mut self, unsent: &[u8], buffer: &mut [u8], wants_read: bool) -> Moved {
        poll_fn(|context| {
            let mut stream = Pin::new(&mut self.stream);
            if !unsent.is_empty() {
                if let Poll::Ready(written) = stream.as_mut().poll_write(context, unsent) {
                    self.is_flush_due = true;
                    return Poll::Ready(Moved::Written(written));
                }
            }
            if self.is_flush_due {
                match stream.as_mut().poll_flush(context) {
                    Poll::Ready(Ok(())) => self.is_flush_due = false,
                    Poll::Ready(Err(error)) => return Poll::Ready(Moved::Written(Err(error))),
                    Poll::Pending => {}
                }
            }
            if !wants_read {
                return Poll::Pending;
            }
            let mut read = ReadBuf::new(buffer);
            stream.poll_read(context, &mut read).map(|done| Moved::Read(done.map(|()| read.filled().len())))
        })
        .await
    }
}

/// Shakes hands. A relay that lets nobody in from here says so in plain text: then the error holds a [`TurnedAway`].
async fn shake(trust: &Trust, socket: TcpStream) -> io::Result<TlsStream<Noted>> {
    let noted = Noted { socket, first: FirstBytes::default() };
    let shaking = TlsConnector::from(trust.config()).connect(trust.server_name(), noted);
    let (error, mut noted) = match shaking.into_fallible().await {
        Ok(stream) => return Ok(stream),
        Err(failed) => failed,
    };
    let mut buffer = [0; TURNED_AWAY_BYTES_MAX];
    while noted.first.may_be_turned_away() && noted.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    Err(noted.first.turned_away().map_or(error, io::Error::other))
}

/// Who was turned away, if that is why there is no connection.
pub fn turned_away(error: &io::Error) -> Option<&TurnedAway> {
    error.get_ref()?.downcast_ref()
}

/// A socket, of whose first bytes a note is taken.
struct Noted {
    socket: TcpStream,
    first: FirstBytes,
}

impl AsyncRead for Noted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        self.first.note(buffer.filled().get(before..).unwrap_or_default());
        read
    }
}

impl AsyncWrite for Noted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
