//! Reports as one page for a browser, which needs nothing beside it.

mod charts;

use std::fmt::Write;

use crate::report::{BesideFloor, Percentiles, Ratio, Report};
use crate::text::grouped;

const STYLE: &str = include_str!("style.css");

/// Reports of the same work.
#[derive(Debug, Clone)]
pub struct Section {
    /// What they have in common; none where it is plain.
    pub title: String,
    /// Side by side where there are several.
    pub runs: Vec<Report>,
}

/// One page of all sections.
pub fn page(title: &str, sections: &[Section]) -> Result<String, String> {
    let mut body = String::new();
    let first = sections.iter().flat_map(|section| &section.runs).next();
    let Some(first) = first else { return Err("nothing was run: there is no page to write".into()) };
    let _ = write!(body, "<h1>{}</h1>{}", escaped(title), origin(first));
    for section in sections {
        if !section.title.is_empty() {
            let _ = write!(body, "<h2>{}</h2>", escaped(&section.title));
        }
        match section.runs.as_slice() {
            [run] => body.push_str(&details(run)?),
            runs => body.push_str(&side_by_side(runs)?),
        }
    }
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n",
        escaped(title)
    ))
}

/// When and where.
fn origin(run: &Report) -> String {
    let machine = &run.machine;
    format!(
        "<p class=\"dim\">{} · Linux {}, {} × {}, {} MiB · at most {} open files, ports {} to {} · \
         tertulia-loadtest {}</p>",
        date(run.begun_unix_s),
        escaped(&machine.kernel),
        machine.processors,
        escaped(&machine.processor),
        grouped(machine.memory_mib as f64),
        grouped(machine.open_files_max as f64),
        machine.local_ports.0,
        machine.local_ports.1,
        escaped(&run.version)
    )
}

/// A table and bars of several runs, and each of them folded away.
fn side_by_side(runs: &[Report]) -> Result<String, String> {
    let mut text = String::new();
    if let Some(first) = runs.first() {
        let _ = write!(text, "<p>{}</p>", escaped(&first.plan.to_string()));
    }
    let rate = |run: &Report| Some(run.rate_per_s);
    let cpu = |run: &Report| Some(run.server.as_ref()?.cpu_us_per_delivery);
    let p99 = |run: &Report| Some(run.latency_us.each.p99 as f64 / 1e3);
    text.push_str("<div class=\"bars\">");
    text.push_str(&bars("Deliveries a second", runs, rate, grouped));
    text.push_str(&bars("Processor of the server, µs a delivery", runs, cpu, |value| format!("{value:.3}")));
    text.push_str(&bars("Latency of each receiver, p99 in ms", runs, p99, |value| format!("{value:.2}")));
    text.push_str("</div>");
    text.push_str(&comparison(runs));
    for run in runs {
        let name = escaped(name(run));
        let _ = write!(text, "<details><summary>{name}</summary>{}</details>", details(run)?);
    }
    Ok(text)
}

fn name(run: &Report) -> &str {
    if run.server_name.is_empty() { &run.target } else { &run.server_name }
}

/// Horizontal bars, which need no picture: the longest is the greatest.
fn bars(
    title: &str,
    runs: &[Report],
    figure: impl Fn(&Report) -> Option<f64>,
    shown: impl Fn(f64) -> String,
) -> String {
    let most = runs.iter().filter_map(&figure).fold(0.0, f64::max);
    let mut text = format!("<figure><figcaption>{title}</figcaption>");
    for run in runs {
        let Some(value) = figure(run) else { continue };
        let share = if most > 0.0 { value / most * 100.0 } else { 0.0 };
        let ours = if run.server_name.starts_with("tertulia") { " ours" } else { "" };
        let _ = write!(
            text,
            "<div class=\"bar{ours}\"><span>{}</span><div><i style=\"width:{share:.2}%\"></i></div><b>{}</b></div>",
            escaped(name(run)),
            shown(value)
        );
    }
    text + "</figure>"
}

fn comparison(runs: &[Report]) -> String {
    let mut text = String::from(
        "<div class=\"wide\"><table><tr><th></th><th>accepted/s</th><th>deliveries/s</th><th>p50</th><th>p99</th>\
         <th>p99.9</th><th>last p99</th><th>CPU µs/delivery</th><th>KiB</th><th>lost</th><th>doubled</th>\
         <th>disordered</th><th>corrupt</th></tr>",
    );
    for run in runs {
        let each = &run.latency_us.each;
        let (cpu, kib) = match &run.server {
            Some(server) => {
                (format!("{:.3}", server.cpu_us_per_delivery), grouped(server.resident_kib as f64))
            }
            None => ("-".into(), "-".into()),
        };
        let mark = if run.invalid.is_empty() { "" } else { " <em>INVALID</em>" };
        let _ = write!(text, "<tr><th>{}{mark}</th>", escaped(name(run)));
        let cells = [
            grouped(run.accepted_per_s),
            grouped(run.rate_per_s),
            time(each.p50),
            time(each.p99),
            time(each.p99_9),
            time(run.latency_us.last.p99),
            cpu,
            kib,
        ];
        for cell in cells {
            let _ = write!(text, "<td>{cell}</td>");
        }
        for count in [run.counts.lost, run.counts.doubled, run.counts.out_of_order, run.counts.corrupt] {
            let class = if count == 0 { "good" } else { "bad" };
            let _ = write!(text, "<td class=\"{class}\">{}</td>", grouped(count as f64));
        }
        text.push_str("</tr>");
    }
    text + "</table></div>"
}

/// All of one run.
fn details(run: &Report) -> Result<String, String> {
    let mut text = String::new();
    for reason in &run.invalid {
        let _ = write!(text, "<p class=\"banner bad\"><b>INVALID</b> {}</p>", escaped(reason));
    }
    if run.is_partial {
        text.push_str("<p class=\"banner\"><b>PARTIAL</b> the run was ended before its time</p>");
    }
    let _ = write!(
        text,
        "<p>{}<br><span class=\"dim\">{} at {}</span></p>",
        escaped(&run.plan.to_string()),
        escaped(name(run)),
        escaped(&run.target)
    );
    text.push_str(&tiles(run));
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
    for (class, what, lines) in [("", "The server said", &run.complaints), ("", "Note", &run.hints)] {
        for line in lines {
            let _ = write!(text, "<p class=\"banner{class}\"><b>{what}</b> {}</p>", escaped(line));
        }
    }
    Ok(text)
}

fn tiles(run: &Report) -> String {
    let counts = &run.counts;
    let mut text = String::from("<div class=\"tiles\">");
    let mut tile = |class: &str, figure: String, what: &str| {
        let _ = write!(text, "<div class=\"tile {class}\"><b>{figure}</b>{what}</div>");
    };
    tile("", grouped(run.rate_per_s), "deliveries a second");
    tile("", grouped(run.accepted_per_s), "lines accepted a second");
    tile("", time(run.latency_us.each.p99), "p99 of each receiver");
    for (count, what) in [
        (counts.lost, "lost"),
        (counts.doubled, "doubled"),
        (counts.out_of_order, "out of order"),
        (counts.corrupt, "corrupt"),
    ] {
        tile(if count == 0 { "good" } else { "bad" }, grouped(count as f64), what);
    }
    if run.under_way > 0 {
        tile("bad", grouped(run.under_way as f64), "still under way");
    }
    text + "</div>"
}

fn beside_floor(floor: &BesideFloor, is_closed: bool) -> String {
    let mut text = format!(
        "<h3>{}</h3><div class=\"wide\"><table><tr><th>server divided by floor, in \
         turns</th><th>median</th><th>least</th><th>greatest</th></tr>",
        floor.headline(is_closed)
    );
    let rows = [
        ("deliveries a second", Some(floor.rate)),
        ("p50", Some(floor.p50)),
        ("p99", Some(floor.p99)),
        ("processor for each delivery", floor.server_cpu),
    ];
    for (name, ratio) in rows {
        let Some(Ratio { median, least, greatest, .. }) = ratio else { continue };
        let _ = write!(
            text,
            "<tr><th>{name}</th><td>{median:.3}</td><td>{least:.3}</td><td>{greatest:.3}</td></tr>"
        );
    }
    text + "</table></div>"
}

fn latencies(run: &Report) -> String {
    let mut text = String::from(
        "<h3>Latency</h3><div class=\"wide\"><table><tr><th></th><th>min</th><th>p50</th><th>p90</th><th>p95</th>\
         <th>p99</th><th>p99.9</th><th>p99.99</th><th>max</th></tr>",
    );
    let latency = &run.latency_us;
    for (name, p) in [
        ("first receiver", &latency.first),
        ("each receiver", &latency.each),
        ("last receiver", &latency.last),
        ("service", &run.service_us),
        ("connect", &run.connect_us),
    ] {
        let Percentiles { min, p50, p90, p95, p99, p99_9, p99_99, max, .. } = *p;
        let _ = write!(text, "<tr><th>{name}</th>");
        for value in [min, p50, p90, p95, p99, p99_9, p99_99, max] {
            let _ = write!(text, "<td>{}</td>", time(value));
        }
        text.push_str("</tr>");
    }
    text + "</table></div><p class=\"dim\">First, each and last count from when a line was <em>due</em>: one that had to \
            wait counts its wait, so that a stall shows in every line that was due meanwhile. Service counts from when it \
            was really sent.</p>"
}

fn processes(run: &Report) -> String {
    let own = &run.generator;
    let mut text = String::from(
        "<h3>Processes</h3><div class=\"wide\"><table><tr><th></th><th>CPU</th><th>CPU a delivery</th><th>resident</th>\
         <th></th></tr>",
    );
    if let Some(server) = &run.server {
        let _ = write!(
            text,
            "<tr><th>server</th><td>{:.1} %</td><td>{:.3} µs</td><td>{} KiB</td><td>at most {} KiB, woken {} times a \
             second</td></tr>",
            server.cpu_share * 100.0,
            server.cpu_us_per_delivery,
            grouped(server.resident_kib as f64),
            grouped(server.resident_peak_kib as f64),
            grouped(server.wakeups_per_s)
        );
    }
    let _ = write!(
        text,
        "<tr><th>generator</th><td>{:.1} %</td><td>{:.3} µs</td><td>{} KiB</td><td>{} lines late, lateness p99 {}, loop \
         lag p99 {}</td></tr></table></div>",
        own.cpu_share * 100.0,
        own.cpu_us_per_delivery,
        grouped(own.resident_kib as f64),
        grouped(own.late as f64),
        time(own.lateness_p99_us),
        time(own.loop_lag_p99_us)
    );
    text
}

/// Microseconds as people read them.
fn time(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..10_000 => format!("{:.2} ms", us as f64 / 1e3),
        10_000..1_000_000 => format!("{:.1} ms", us as f64 / 1e3),
        _ => format!("{:.2} s", us as f64 / 1e6),
    }
}

/// Seconds since 1970 as date and time, UTC: the days of the Gregorian calendar, in eras of 400 years.
fn date(unix_s: u64) -> String {
    let (days, seconds) = (unix_s / 86_400, unix_s % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn of(runs: &[Report]) -> String {
        page("a page", &[Section { title: String::new(), runs: runs.to_vec() }]).unwrap()
    }

    #[test]
    fn a_page_tells_plan_checks_and_percentiles_and_fetches_nothing() {
        let page = of(&[example()]);
        for word in ["10 clients (plain)", "lost", "doubled", "out of order", "corrupt", "p99.99", "<svg"] {
            assert!(page.contains(word), "{word}");
        }
        for fetched in ["src=", "href=", "url(", "@import"] {
            assert!(!page.contains(fetched), "{fetched}");
        }
    }

    #[test]
    fn what_servers_say_is_text_and_no_markup() {
        let page = of(&[Report { complaints: vec!["<script>&".into()], ..example() }]);
        assert!(page.contains("&lt;script&gt;&amp;") && !page.contains("<script"));
    }

    #[test]
    fn a_worthless_run_says_so_and_a_run_without_time_has_a_page() {
        let report = Report {
            invalid: vec!["late".into()],
            is_partial: true,
            timeline: Vec::new(),
            histogram: Vec::new(),
            ..example()
        };
        let page = of(&[report]);
        assert!(page.contains("<b>INVALID</b> late") && page.contains("<b>PARTIAL</b>"));
        assert!(super::page("", &[]).is_err());
    }

    #[test]
    fn several_runs_stand_side_by_side_and_ours_stands_out() {
        let ours = Report { server_name: "tertulia-relay 0".into(), ..example() };
        let page = of(&[example(), ours]);
        assert_eq!(page.matches("<details>").count(), 2);
        assert!(page.contains("bar ours"));
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_827_696), "2000-02-29 12:34 UTC");
        assert_eq!(date(1_795_392_000), "2026-11-23 00:00 UTC");
    }
}
