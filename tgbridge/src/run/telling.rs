//! What the loop tells of itself: the status file, and metrics to whoever asks.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use super::{Runner, say};
use crate::network;
use crate::phrases::{Language, Told};
use crate::status::Status;
use crate::store;

/// The status file is written at most so often.
const STATUS_EVERY: Duration = Duration::from_secs(1);

/// How long a client of the metrics may take.
const METRICS_WAIT: Duration = Duration::from_secs(2);

impl Runner {
    pub(super) fn tell_status(&mut self) {
        let Some(path) = &self.options.status else { return };
        let status = Status::of(&self.bridge, self.relay.session.is_ready(), self.writes);
        if self.status.as_ref() == Some(&status) {
            self.status_due = None;
            return;
        }
        let due = self.status_written.map(|written| written + STATUS_EVERY);
        if due.is_some_and(|due| due > Instant::now()) {
            self.status_due = due;
            return;
        }
        if let Err(error) = store::replace(path, &status.json()) {
            say(&format!("cannot write {}: {error}", path.display()));
        }
        self.status = Some(status);
        self.status_due = None;
        self.status_written = Some(Instant::now());
    }

    pub(super) fn tell_metrics(&self, mut caller: TcpStream) {
        let answer = Status::of(&self.bridge, self.relay.session.is_ready(), self.writes).http();
        tokio::spawn(async move {
            let told = async {
                let mut request = [0; 1024];
                let _ = caller.read(&mut request).await;
                let _ = caller.write_all(answer.as_bytes()).await;
                let _ = caller.shutdown().await;
            };
            let _ = timeout(METRICS_WAIT, told).await;
        });
    }
}

/// Listens for who asks for metrics, and says where.
pub(super) async fn listen(address: Option<SocketAddr>) -> Result<Option<TcpListener>, Told> {
    let Some(address) = address else { return Ok(None) };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Told::new(
            format!(
                "no se pueden servir métricas en {address}: {}; pasa --metrics con otra dirección",
                network::told(&error).shown(Language::Es)
            ),
            format!(
                "cannot serve metrics on {address}: {}; pass --metrics with another address",
                network::told(&error).shown(Language::En)
            ),
        )
    })?;
    if let Ok(address) = listener.local_addr() {
        say(&format!("metrics on {address}"));
    }
    Ok(Some(listener))
}

/// The next caller; never, where nobody listens.
pub(super) async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    match listener {
        Some(listener) => loop {
            if let Ok((caller, _)) = listener.accept().await {
                return caller;
            }
            tokio::time::sleep(METRICS_WAIT).await;
        },
        None => std::future::pending().await,
    }
}
