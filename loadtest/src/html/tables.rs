//! The tables of one run.

use std::fmt::Write;

use super::units::{cost, count, memory, share, time};
use crate::report::{BesideFloor, Percentiles, Ratio, Report};
use crate::text::grouped;

/// A table in a box of its own, which scrolls where it is wider than the page.
pub(super) struct Table(String);

impl Table {
    pub(super) fn new(heads: &[&str]) -> Self {
        let mut table = String::from("<div class=\"wide\" tabindex=\"0\"><table><thead><tr>");
        for head in heads {
            let _ = write!(table, "<th scope=\"col\">{head}</th>");
        }
        Self(table + "</tr></thead><tbody>")
    }

    /// Cells are markup, each with its class.
    pub(super) fn row<'a>(
        &mut self,
        class: &str,
        name: &str,
        cells: impl IntoIterator<Item = (&'a str, String)>,
    ) {
        let _ = write!(self.0, "<tr class=\"{class}\"><th scope=\"row\">{name}</th>");
        for (class, cell) in cells {
            let _ = write!(self.0, "<td class=\"{class}\">{cell}</td>");
        }
        self.0.push_str("</tr>");
    }

    pub(super) fn finish(self) -> String {
        self.0 + "</tbody></table></div>"
    }
}

/// Good when it is none.
pub(super) fn class_of(count: u64) -> &'static str {
    if count == 0 { "good" } else { "bad" }
}

pub(super) fn latencies(run: &Report) -> String {
    let mut table =
        Table::new(&["latency", "min", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max", "samples"]);
    let latency = &run.latency_us;
    let ack = run.answered.as_ref().map(|_| ("acknowledged", &latency.ack));
    let rows = [
        ("first receiver", &latency.first),
        ("each receiver", &latency.each),
        ("last receiver", &latency.last),
        ("service", &run.service_us),
        ("connect", &run.connect_us),
    ];
    for (name, p) in rows.into_iter().chain(ack) {
        let Percentiles { count: samples, min, p50, p90, p95, p99, p99_9, p99_99, max } = *p;
        let times = [min, p50, p90, p95, p99, p99_9, p99_99, max]
            .map(|us| if samples == 0 { "–".into() } else { time(us) });
        let cells = times.into_iter().chain([count(samples)]);
        table.row("", name, cells.map(|cell| ("", cell)));
    }
    let mut text = format!("<h3>Latency</h3>{}", table.finish());
    text.push_str(
        "<p class=\"dim\">First, each and last receiver are response times: they count from when a line was <b>due</b>, \
         so that a line which had to wait counts its wait (no coordinated omission); service counts from when it was \
         <b>really sent</b>. Connect is the time until a client’s connection stood.</p>",
    );
    if run.beyond_horizon > 0 {
        let _ = write!(
            text,
            "<p class=\"dim\">{} lines came so late that only “each receiver” and the checks know of them.</p>",
            count(run.beyond_horizon)
        );
    }
    text
}

/// `is_closed`: the plan is a closed loop, so that the rate is what the server carried.
pub(super) fn beside_floor(floor: &BesideFloor, is_closed: bool) -> String {
    let Ratio { least, greatest, pairs, .. } = if is_closed { floor.rate } else { floor.p50 };
    let mut table = Table::new(&["server ÷ reference server", "median", "least", "greatest", "better is"]);
    let rows = [
        ("deliveries a second", Some(floor.rate), "more"),
        ("latency of each receiver, p50", Some(floor.p50), "less"),
        ("latency of each receiver, p99", Some(floor.p99), "less"),
        ("server CPU per delivery", floor.server_cpu, "less"),
    ];
    for (name, ratio, better) in rows {
        let Some(ratio) = ratio else { continue };
        let figures =
            [ratio.median, ratio.least, ratio.greatest].map(|figure| ("", format!("{figure:.3} ×")));
        table.row("", name, figures.into_iter().chain([("dim", better.to_owned())]));
    }
    format!(
        "<h3>Beside the reference server</h3><p class=\"floor\"><b>{}</b> \
         <span class=\"dim\">({least:.2} to {greatest:.2} in {pairs} {})</span></p>{}<p class=\"dim\">The reference \
         server only passes bytes on. Both did the same work in turns.</p>",
        floor.headline(is_closed),
        if pairs == 1 { "pair" } else { "pairs" },
        table.finish()
    )
}

pub(super) fn processes(run: &Report) -> String {
    let own = &run.generator;
    let mut table = Table::new(&["process", "CPU", "CPU per delivery", "memory", "most memory", "wake-ups"]);
    let plain = |cells: [String; 5]| cells.map(|cell| ("", cell));
    if let Some(server) = &run.server {
        table.row(
            "",
            "server",
            plain([
                share(server.cpu_share),
                cost(server.cpu_us_per_delivery),
                memory(server.resident_kib),
                memory(server.resident_peak_kib),
                format!("{}/s", grouped(server.wakeups_per_s)),
            ]),
        );
    }
    table.row(
        "",
        "generator",
        plain([
            share(own.cpu_share),
            cost(own.cpu_us_per_delivery),
            memory(own.resident_kib),
            "–".into(),
            "–".into(),
        ]),
    );
    let mut text = format!("<h3>Server and generator</h3>{}<dl class=\"facts\">", table.finish());
    for (name, fact) in facts(run) {
        let _ = write!(text, "<dt>{name}</dt><dd>{fact}</dd>");
    }
    text + "</dl>"
}

fn facts(run: &Report) -> Vec<(&'static str, String)> {
    let own = &run.generator;
    let mut facts = Vec::new();
    match &run.server {
        None => facts.push(("Server", "its process is not known, so there are no figures of it".into())),
        Some(server) => {
            if let Some(before) = server.resident_before_kib {
                facts
                    .push(("Server before", format!("{} of memory before the first client", memory(before))));
            }
        }
    }
    facts.push((
        "Generator",
        format!(
            "{} of its CPU per delivery outside the kernel; {:.1} KiB for each client",
            cost(own.user_us_per_delivery),
            own.resident_kib_per_client
        ),
    ));
    facts.push((
        "Punctuality",
        format!(
            "{} lines more than 10 ms late, {} never sent; lateness p99 {}",
            count(own.late),
            count(own.unsent),
            time(own.lateness_p99_us)
        ),
    ));
    facts.push((
        "Loop lag",
        format!("p99 {}, at most {}", time(own.loop_lag_p99_us), time(own.loop_lag_max_us)),
    ));
    facts.push(("Kernel", format!("at most {} for TCP, whole machine", memory(run.tcp_memory_peak_kib))));
    facts.push((
        "Connections",
        format!(
            "{} closed by the server; at most {} notices to one client",
            count(run.closed),
            count(u64::from(run.others_max))
        ),
    ));
    facts
}
