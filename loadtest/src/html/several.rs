//! Several runs of the same work side by side: other servers, or repeats.

use std::fmt::Write;

use super::charts::{self, Bar};
use super::name;
use super::run::{details, list};
use super::tables::{Table, class_of};
use super::units::{cost, count, escaped, memory, time};
use crate::report::Report;
use crate::text::grouped;

/// Our own relay's name begins so.
const OURS: &str = "tertulia-relay";

/// A run with what to call it among the others.
pub(super) struct Row<'a> {
    /// Text, no markup.
    pub(super) name: String,
    pub(super) run: &'a Report,
}

/// A table, bars, and each run by itself, folded away. Where all were given the same rate, that is nobody's merit, and it
/// stands with each run alone.
pub(super) fn side_by_side(runs: &[Report]) -> Result<String, String> {
    let rows: Vec<Row<'_>> = runs.iter().map(|run| Row { name: name(run).to_owned(), run }).collect();
    let is_rate_given = runs.iter().all(|run| run.plan.rate_per_s.is_some());
    let mut text = comparison("run", &rows, is_rate_given);
    let rate = |run: &Report| Some(run.rate_per_s);
    let cpu = |run: &Report| Some(run.server.as_ref()?.cpu_us_per_delivery);
    let p50 = |run: &Report| (run.latency_us.each.count > 0).then_some(run.latency_us.each.p50 as f64);
    let p99 = |run: &Report| (run.latency_us.each.count > 0).then_some(run.latency_us.each.p99 as f64);
    let shown = |us: f64| time(us as u64);
    text.push_str("<div class=\"charts\">");
    if is_rate_given {
        text.push_str(&bars("p50 of each receiver", "shorter is better", &rows, p50, shown)?);
    } else {
        text.push_str(&bars("Deliveries per second", "longer is better", &rows, rate, grouped)?);
    }
    text.push_str(&bars("p99 of each receiver", "shorter is better", &rows, p99, shown)?);
    text.push_str(&bars("Server CPU per delivery", "shorter is better", &rows, cpu, cost)?);
    text.push_str("</div><h3>Each run</h3>");
    Ok(text + &each(&rows)?)
}

/// Each run by itself, folded away.
pub(super) fn each(rows: &[Row<'_>]) -> Result<String, String> {
    let mut text = String::new();
    for Row { name, run } in rows {
        let _ = write!(
            text,
            "<details><summary><b>{}</b>{} <span class=\"dim\">{} deliveries/s</span></summary>{}{}</details>",
            escaped(name),
            flags(run),
            grouped(run.rate_per_s),
            list("Why it is INVALID", &run.invalid),
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

/// One line for each run.
pub(super) fn comparison(first_head: &str, rows: &[Row<'_>], is_rate_given: bool) -> String {
    let rates = if is_rate_given { &[][..] } else { &["deliveries/s", "accepted lines/s"] };
    let others = [
        "p50",
        "p99",
        "p99.9",
        "last p99",
        "CPU / delivery",
        "memory",
        "lost",
        "doubled",
        "out of order",
        "corrupt",
    ];
    let heads: Vec<&str> = [first_head].into_iter().chain(rates.iter().copied()).chain(others).collect();
    let mut table = Table::new(&heads);
    for Row { name, run } in rows {
        let each = &run.latency_us.each;
        let of_each = |us| if each.count == 0 { "–".to_owned() } else { time(us) };
        let server = run.server.as_ref();
        let rates = if is_rate_given {
            Vec::new()
        } else {
            vec![grouped(run.rate_per_s), grouped(run.accepted_per_s)]
        };
        let figures = [
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
        let name = format!("{}{}", escaped(name), flags(run));
        table.row(
            if is_ours(run) && rows.iter().any(|row| !is_ours(row.run)) { "ours" } else { "" },
            &name,
            rates.into_iter().chain(figures).map(|figure| ("", figure)).chain(checks),
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
    rows: &[Row<'_>],
    figure: impl Fn(&Report) -> Option<f64>,
    shown: impl Fn(f64) -> String,
) -> Result<String, String> {
    let bars: Vec<Bar<'_>> = rows
        .iter()
        .map(|Row { name, run }| Bar {
            name,
            value: figure(run).map(|value| (value, shown(value))),
            is_ours: is_ours(run),
            is_invalid: !run.invalid.is_empty(),
        })
        .collect();
    charts::bars(title, better, &bars)
}
