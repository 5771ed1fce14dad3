//! All of one run.

use std::fmt::Write;

use super::charts;
use super::tables::{beside_floor, class_of, latencies, processes};
use super::units::{count, date, escaped, memory, time};
use crate::answers::Answered;
use crate::report::{Figures, Report};
use crate::text::grouped;

/// Everything but the banners, which stand at the top of the page.
pub(super) fn details(run: &Report) -> Result<String, String> {
    let mut text = facts(run);
    text.push_str(&tiles(run));
    text.push_str(&deliveries(run));
    if let Some(floor) = &run.floor {
        text.push_str(&beside_floor(floor, run.plan.window.is_some()));
    }
    text.push_str(&latencies(run));
    text.push_str("<div class=\"charts\">");
    text.push_str(&charts::histogram(run)?);
    text.push_str(&charts::latency_over_time(run)?);
    text.push_str(&charts::throughput_over_time(run)?);
    text.push_str("</div>");
    text.push_str(&processes(run));
    let violations = run.trace.as_ref().map_or(&[][..], |judged| &judged.first);
    text.push_str(&list("Promises that the trace shows to be broken", violations));
    text.push_str(&list("What the server said against it", &run.complaints));
    text.push_str(&list("To read these figures", &run.hints));
    Ok(text)
}

/// What is to be known before the figures.
fn facts(run: &Report) -> String {
    let machine = &run.machine;
    let where_to = match run.server_name.as_str() {
        "" => escaped(&run.target),
        server => {
            let file = run.server_file_fnv1a.as_ref().map(|hash| format!(" (FNV-1a {})", escaped(hash)));
            format!("{}{} at {}", escaped(server), file.unwrap_or_default(), escaped(&run.target))
        }
    };
    let on = format!(
        "{} × {}, {} of memory, Linux {}",
        machine.processors,
        escaped(&machine.processor),
        memory(machine.memory_mib.saturating_mul(1024)),
        escaped(&machine.kernel)
    );
    let (first_port, last_port) = machine.local_ports;
    let limits =
        format!("{} open files; local ports {first_port} to {last_port}", count(machine.open_files_max));
    let mut text = String::from("<dl class=\"facts\">");
    for (name, fact) in [
        ("Plan", escaped(&run.plan.to_string())),
        ("Server", where_to),
        ("Machine", on),
        ("Its limits", limits),
        ("Began", date(run.begun_unix_s)),
        (
            "Generator",
            format!("tertulia-loadtest {}, commit {}", escaped(&run.version), escaped(&run.commit)),
        ),
    ] {
        let _ = write!(text, "<dt>{name}</dt><dd>{fact}</dd>");
    }
    text + "</dl>"
}

fn tiles(run: &Report) -> String {
    let each = &run.latency_us.each;
    let p99 = if each.count == 0 { "–".to_owned() } else { time(each.p99) };
    let mut text = String::from("<div class=\"tiles\">");
    for (figure, what, note) in [
        (grouped(run.rate_per_s), "deliveries/s", spread(run, |figures| figures.rate_per_s, grouped)),
        (
            grouped(run.accepted_per_s),
            "accepted lines/s",
            spread(run, |figures| figures.accepted_per_s, grouped),
        ),
        (p99, "p99 of each receiver", spread(run, |figures| figures.p99_us, |us| time(us as u64))),
    ] {
        let _ = write!(text, "<div class=\"tile figure\"><b>{figure}</b>{what}<small>{note}</small></div>");
    }
    let counts = run.counts;
    let judged = run.trace.as_ref().filter(|judged| judged.unread.is_none());
    let checks = [
        (counts.lost, "lost"),
        (counts.doubled, "doubled"),
        (counts.out_of_order, "out of order"),
        (counts.corrupt, "corrupt"),
    ];
    for (found, what) in checks.into_iter().chain(judged.map(|judged| (judged.violations, "violations"))) {
        let mark = if found == 0 { "✓" } else { "✗" };
        let _ = write!(
            text,
            "<div class=\"tile check {}\"><b>{} <i>{mark}</i></b>{what}</div>",
            class_of(found),
            count(found)
        );
    }
    text + "</div>"
}

/// From the least to the greatest of several repeats.
fn spread(run: &Report, figure: impl Fn(&Figures) -> f64, shown: impl Fn(f64) -> String) -> String {
    if run.repeats.len() < 2 {
        return String::new();
    }
    let least = run.repeats.iter().map(&figure).fold(f64::INFINITY, f64::min);
    let greatest = run.repeats.iter().map(&figure).fold(0.0, f64::max);
    format!("{} to {} ({} repeats)", shown(least), shown(greatest), run.repeats.len())
}

/// What the checks were made of.
fn deliveries(run: &Report) -> String {
    let mut text = format!(
        "<p>{} of {} deliveries arrived; the server accepted {} of {} lines that were due. Both include the warm-up, \
         whose {} deliveries are checked but not timed.",
        count(run.counts.delivered),
        count(run.expected),
        count(run.accepted),
        count(run.due),
        count(run.warmup_delivered)
    );
    if let Some(Answered { acked, refused, not_kept, unanswered, durability, .. }) = &run.answered {
        let _ = write!(
            text,
            " Of the senders' lines, {} were acknowledged (durability {}), {} refused, {} said and not kept, and {} got no \
             answer.",
            count(*acked),
            escaped(durability),
            count(*refused),
            count(*not_kept),
            count(*unanswered)
        );
    }
    if let Some(judged) = &run.trace {
        let _ = write!(text, " The trace: {}.", escaped(&judged.to_string()));
    }
    if run.under_way > 0 {
        let _ = write!(
            text,
            " <b>{} deliveries were still under way</b> when nobody waited any more; they are not counted as lost.",
            count(run.under_way)
        );
    }
    if run.negative > 0 {
        let _ = write!(
            text,
            " <b>{} samples came before they could</b>: a clock is wrong. They are in no percentile.",
            count(run.negative)
        );
    }
    text + "</p>"
}

pub(super) fn list(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut text = format!("<h3>{title}</h3><ul>");
    for line in lines {
        let _ = write!(text, "<li>{}</li>", escaped(line));
    }
    text + "</ul>"
}
