//! What the relay counts, as Prometheus text over HTTP, on the same loop.
//!
//! Source: Prometheus text exposition format 0.0.4.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::time::Duration;

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};

use crate::chat::{Chat, Cut};
use crate::server::{Counts, METRICS, Refusal};

/// Requests at once; a further one takes the place of the oldest.
const REQUESTS_MAX: usize = 8;

/// Bytes of a request's head.
const REQUEST_BYTES_MAX: usize = 4096;

/// Upper ends of the histogram's buckets.
const BUCKETS_US: [u64; 10] = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000];

/// What is told, read when somebody asks.
pub struct Snapshot<'a> {
    /// Of the loop.
    pub server: &'a Counts,
    /// Of the chat.
    pub chat: &'a Chat,
    /// Connections there are.
    pub clients: usize,
    /// How the history fares, where there is one.
    #[cfg(feature = "history")]
    pub history: Option<crate::history::State>,
}

/// Serves the metrics.
pub struct MetricsServer {
    listener: TcpListener,
    requests: [Option<Request>; REQUESTS_MAX],
    next_slot: usize,
    /// Somebody may be waiting to be accepted.
    is_ready: bool,
    turns: Histogram,
}

struct Request {
    stream: TcpStream,
    head: Vec<u8>,
    answer: Vec<u8>,
}

#[derive(Default)]
struct Histogram {
    buckets: [u64; BUCKETS_US.len()],
    count: u64,
    sum: Duration,
}

impl MetricsServer {
    /// Answers on this listening socket.
    pub fn new(listener: std::net::TcpListener, registry: &Registry) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(listener);
        registry.register(&mut listener, METRICS, Interest::READABLE)?;
        let requests = Default::default();
        Ok(Self { listener, requests, next_slot: 0, is_ready: true, turns: Histogram::default() })
    }

    /// A turn of the loop took so long.
    pub fn measure_turn(&mut self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        for (bucket, upper_us) in self.turns.buckets.iter_mut().zip(BUCKETS_US) {
            *bucket += u64::from(us <= upper_us);
        }
        self.turns.count += 1;
        self.turns.sum += duration;
    }

    /// An event of one of the metrics' sockets.
    pub fn handle(&mut self, event: &Event, registry: &Registry, snapshot: &Snapshot<'_>) {
        if event.token() == METRICS {
            self.is_ready = true;
            return self.accept(registry);
        }
        let Some(slot) = event.token().0.checked_sub(METRICS.0 + 1) else { return };
        let is_done = match self.requests.get_mut(slot) {
            Some(Some(request)) => request.advance(|| text(snapshot, &self.turns)),
            _ => false,
        };
        if is_done {
            self.free(slot, registry);
        }
    }

    /// Once a turn: whoever could not be accepted for want of descriptors may be now.
    pub fn accept(&mut self, registry: &Registry) {
        while self.is_ready {
            let (mut stream, _) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.is_ready = error.kind() != io::ErrorKind::WouldBlock;
                    return;
                }
            };
            let slot = self.next_slot;
            self.next_slot = (slot + 1) % REQUESTS_MAX;
            self.free(slot, registry);
            let interest = Interest::READABLE | Interest::WRITABLE;
            if registry.register(&mut stream, Token(METRICS.0 + 1 + slot), interest).is_ok() {
                if let Some(place) = self.requests.get_mut(slot) {
                    *place = Some(Request { stream, head: Vec::new(), answer: Vec::new() });
                }
            }
        }
    }

    fn free(&mut self, slot: usize, registry: &Registry) {
        if let Some(mut request) = self.requests.get_mut(slot).and_then(Option::take) {
            let _ = registry.deregister(&mut request.stream);
        }
    }
}

impl Request {
    /// Goes on as far as the socket lets it. True: it is over.
    fn advance(&mut self, text: impl Fn() -> String) -> bool {
        let mut buffer = [0; 1024];
        while self.answer.is_empty() {
            match self.stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(bytes) => self.head.extend_from_slice(buffer.get(..bytes).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(_) => return true,
            }
            if self.head.len() > REQUEST_BYTES_MAX {
                return true;
            }
            if self.head.windows(2).any(|pair| pair == b"\n\n")
                || self.head.windows(4).any(|four| four == b"\r\n\r\n")
            {
                self.answer = self.respond(text()).into_bytes();
            }
        }
        while !self.answer.is_empty() {
            match self.stream.write(&self.answer) {
                Ok(bytes) => drop(self.answer.drain(..bytes)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(_) => return true,
            }
        }
        true
    }

    fn respond(&self, text: String) -> String {
        let is_known = self.head.starts_with(b"GET /metrics ") || self.head.starts_with(b"GET / ");
        let (status, text) =
            if is_known { ("200 OK", text) } else { ("404 Not Found", "GET /metrics\n".to_owned()) };
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        )
    }
}

fn text(snapshot: &Snapshot<'_>, turns: &Histogram) -> String {
    let (server, chat) = (snapshot.server, snapshot.chat);
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
        let _ = write!(text, "# HELP tertulia_{name} {help}\n# TYPE tertulia_{name} {kind}\n");
        for (labels, value) in samples {
            let _ = writeln!(text, "tertulia_{name}{labels} {value}");
        }
    };
    let one = |value: u64| [(String::new(), value)];
    family("clients", "gauge", "Connections there are.", &one(snapshot.clients as u64));
    family("named_clients", "gauge", "Connections that hold a name.", &one(chat.named_clients() as u64));
    family(
        "sessions",
        "gauge",
        "Sessions of extended clients, those away too.",
        &one(chat.session_count() as u64),
    );
    family("rooms", "gauge", "Rooms there are.", &one(chat.room_count() as u64));
    family("accepted_total", "counter", "Connections let in.", &one(server.accepted));
    let refused: Vec<_> = Refusal::ALL
        .iter()
        .zip(server.refused)
        .map(|(refusal, count)| (format!("{{reason=\"{}\"}}", refusal.word()), count))
        .collect();
    family("refused_total", "counter", "Callers not let in.", &refused);
    let cut: Vec<_> = Cut::ALL
        .iter()
        .zip(chat.counts().cut)
        .map(|(cut, count)| (format!("{{reason=\"{}\"}}", cut.word()), count))
        .collect();
    family("cut_total", "counter", "Connections the relay ended.", &cut);
    family("lines_in_total", "counter", "Lines taken from clients.", &one(chat.counts().lines_in));
    family("lines_out_total", "counter", "Lines handed to clients.", &one(chat.counts().lines_out));
    family("bytes_in_total", "counter", "Bytes read.", &one(server.bytes_in));
    family("bytes_out_total", "counter", "Bytes written.", &one(server.bytes_out));
    #[cfg(feature = "tls")]
    {
        family("tls_handshakes_total", "counter", "TLS handshakes finished.", &one(server.handshakes));
        family(
            "tls_failed_total",
            "counter",
            "Connections that broke at TLS, in the handshake or later.",
            &one(server.handshakes_failed),
        );
    }
    family(
        "queued_bytes",
        "gauge",
        "Bytes that wait to be written, over all clients.",
        &one(chat.queued_bytes()),
    );
    family("log_bytes", "gauge", "Bytes kept in the logs of all rooms.", &one(chat.log_bytes() as u64));
    #[cfg(feature = "history")]
    if let Some(history) = &snapshot.history {
        family("history_lines", "gauge", "Lines in the history.", &one(history.rows));
        family(
            "history_not_kept_total",
            "counter",
            "Lines that found no place in it.",
            &one(history.not_kept),
        );
        let is_in_trouble = u64::from(history.trouble.is_some());
        family("history_trouble", "gauge", "1 while it cannot be written.", &one(is_in_trouble));
    }
    write_turns(&mut text, turns);
    text
}

fn write_turns(text: &mut String, turns: &Histogram) {
    const NAME: &str = "tertulia_turn_seconds";
    let _ = write!(text, "# HELP {NAME} Time of a turn of the loop.\n# TYPE {NAME} histogram\n");
    for (upper_us, count) in BUCKETS_US.iter().zip(turns.buckets) {
        let upper = Duration::from_micros(*upper_us).as_secs_f64();
        let _ = writeln!(text, "{NAME}_bucket{{le=\"{upper}\"}} {count}");
    }
    let _ = writeln!(text, "{NAME}_bucket{{le=\"+Inf\"}} {}", turns.count);
    let _ = writeln!(text, "{NAME}_sum {}\n{NAME}_count {}", turns.sum.as_secs_f64(), turns.count);
}
