//! Several runs of the same work side by side: other servers, or the steps of a ramp.

use std::fmt::Write;

use super::charts::{self, Bar};
use super::name;
use super::run::details;
use super::tables::{Table, class_of};
use super::units::{cost, count, escaped, memory, time};
use crate::report::Report;
use crate::text::grouped;

/// Our own relay's name begins so.
const OURS: &str = "tertulia-relay";

/// A table, bars, and each run by itself, folded away.
pub(super) fn side_by_side(runs: &[Report]) -> Result<String, String> {
    let mut text = comparison(runs);
    let rate = |run: &Report| Some(run.rate_per_s);
    let cpu = |run: &Report| Some(run.server.as_ref()?.cpu_us_per_delivery);
    let p99 = |run: &Report| (run.latency_us.each.count > 0).then_some(run.latency_us.each.p99 as f64);
    text.push_str("<div class=\"charts\">");
    text.push_str(&bars("Deliveries per second", "longer is better", runs, rate, grouped)?);
    text.push_str(&bars("Server CPU per delivery", "shorter is better", runs, cpu, cost)?);
    text.push_str(&bars("p99 of each receiver", "shorter is better", runs, p99, |us| time(us as u64))?);
    text.push_str("</div><h3>Each run</h3>");
    for run in runs {
        let _ = write!(
            text,
            "<details><summary><b>{}</b>{} <span class=\"dim\">{} deliveries/s</span></summary>{}</details>",
            escaped(name(run)),
            flags(run),
            grouped(run.rate_per_s),
            details(run)?
        );
    }
    Ok(text)
}

fn flags(run: &Report) -> String {
    let mut text = String::new();
    if !run.invalid.is_empty() {
        text.push_str(" <span class=\"flag bad\">INVALID</span>");
    }
    if run.is_partial {
        text.push_str(" <span class=\"flag partial\">PARTIAL</span>");
    }
    text
}

fn is_ours(run: &Report) -> bool {
    run.server_name.starts_with(OURS)
}

fn comparison(runs: &[Report]) -> String {
    let mut table = Table::new(&[
        "run",
        "deliveries/s",
        "accepted lines/s",
        "p50",
        "p99",
        "p99.9",
        "last p99",
        "CPU/delivery",
        "memory",
        "lost",
        "doubled",
        "out of order",
        "corrupt",
    ]);
    for run in runs {
        let each = &run.latency_us.each;
        let of_each = |us| if each.count == 0 { "–".to_owned() } else { time(us) };
        let server = run.server.as_ref();
        let figures = [
            grouped(run.rate_per_s),
            grouped(run.accepted_per_s),
            of_each(each.p50),
            of_each(each.p99),
            of_each(each.p99_9),
            of_each(run.latency_us.last.p99),
            server.map_or("–".into(), |server| cost(server.cpu_us_per_delivery)),
            server.map_or("–".into(), |server| memory(server.resident_kib)),
        ];
        let counts = run.counts;
        let checks = [counts.lost, counts.doubled, counts.out_of_order, counts.corrupt]
            .map(|found| (class_of(found), count(found)));
        let name = format!("{}{}", escaped(name(run)), flags(run));
        table.row(
            if is_ours(run) { "ours" } else { "" },
            &name,
            figures.into_iter().map(|figure| ("", figure)).chain(checks),
        );
    }
    table.finish()
        + "<p class=\"dim\">p50, p99 and p99.9 are of each receiver, last p99 of the last receiver, all from when a \
           line was due.</p>"
}

/// A bar for each run.
fn bars(
    title: &str,
    better: &str,
    runs: &[Report],
    figure: impl Fn(&Report) -> Option<f64>,
    shown: impl Fn(f64) -> String,
) -> Result<String, String> {
    let bars: Vec<Bar<'_>> = runs
        .iter()
        .map(|run| Bar {
            name: name(run),
            value: figure(run).map(|value| (value, shown(value))),
            is_ours: is_ours(run),
        })
        .collect();
    charts::bars(title, better, &bars)
}
