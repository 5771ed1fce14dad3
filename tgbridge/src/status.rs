//! What a running bridge tells of itself: a small JSON file, and Prometheus text over HTTP. Ages are told as moments, so
//! that nothing needs to be written while nothing happens.

use std::fmt::Write as _;

use crate::bridge::Bridge;

/// Name, what it means, kind, and the values with their labels.
type Metric = (&'static str, &'static str, &'static str, Vec<(String, u64)>);

/// What there is to tell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    metrics: Vec<Metric>,
}

impl Status {
    /// Looks at a bridge, whose state file was written so often.
    pub fn of(bridge: &Bridge, is_relay_ready: bool, state_writes: u64) -> Self {
        let counters = bridge.counters();
        let one = |value: u64| vec![(String::new(), value)];
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let waiting = bridge.waiting().map(|(link, count)| {
            let thread = link.thread.map(|thread| format!("/{thread}")).unwrap_or_default();
            (format!("{{chat=\"{}{thread}\",room=\"{}\"}}", link.chat, escape(&link.room)), number(count))
        });
        let metrics = vec![
            (
                "last_good_poll_seconds",
                "When Telegram answered a poll last, since 1970.",
                "gauge",
                one(counters.last_good_poll_unix_ms / 1000),
            ),
            (
                "relay_connected",
                "Whether the relay has greeted the bridge.",
                "gauge",
                one(u64::from(is_relay_ready)),
            ),
            ("waiting_for_telegram_lines", "Lines that wait for Telegram.", "gauge", waiting.collect()),
            (
                "waiting_for_relay_lines",
                "Lines without an answer of the relay.",
                "gauge",
                one(number(bridge.unacknowledged())),
            ),
            (
                "lines_to_telegram_total",
                "Lines that Telegram took.",
                "counter",
                one(counters.lines_to_telegram),
            ),
            (
                "messages_to_telegram_total",
                "Messages that they were in.",
                "counter",
                one(counters.messages_to_telegram),
            ),
            (
                "lines_to_chat_total",
                "Lines that the relay acknowledged.",
                "counter",
                one(counters.lines_to_chat),
            ),
            (
                "too_many_requests_total",
                "Answers that told to send less often.",
                "counter",
                one(counters.too_many_requests),
            ),
            ("calls_failed_total", "Calls that failed otherwise.", "counter", one(counters.calls_failed)),
            ("state_writes_total", "How often the state file was written.", "counter", one(state_writes)),
            (
                "troubled_links",
                "Links whose chat takes nothing now, or whose room is closed.",
                "gauge",
                one(number(bridge.troubled())),
            ),
            ("skipped_total", "Lines and messages that were too old.", "counter", one(counters.skipped)),
        ];
        Self { metrics }
    }

    /// As Prometheus reads it.
    pub fn prometheus(&self) -> String {
        let mut text = String::new();
        for (name, help, kind, values) in &self.metrics {
            let _ = writeln!(
                text,
                "# HELP tertulia_tgbridge_{name} {help}\n# TYPE tertulia_tgbridge_{name} {kind}"
            );
            for (labels, value) in values {
                let _ = writeln!(text, "tertulia_tgbridge_{name}{labels} {value}");
            }
        }
        text
    }

    /// As one JSON object; what has labels is an object of its own.
    pub fn json(&self) -> String {
        let mut all = serde_json::Map::new();
        for (name, _, _, values) in &self.metrics {
            let value = match values.as_slice() {
                [(labels, value)] if labels.is_empty() => (*value).into(),
                many => many
                    .iter()
                    .map(|(labels, value)| (labels.clone(), (*value).into()))
                    .collect::<serde_json::Map<_, _>>()
                    .into(),
            };
            all.insert((*name).to_owned(), value);
        }
        format!("{}\n", serde_json::Value::Object(all))
    }

    /// An HTTP answer with the Prometheus text.
    pub fn http(&self) -> String {
        let text = self.prometheus();
        let length = text.len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
