//! Reports as one page for a browser, which needs nothing beside it: no network, no script, no font.

mod axis;
mod charts;
mod ramp;
mod run;
mod several;
mod tables;
mod units;

use std::fmt::Write;

use crate::report::Report;
pub use ramp::{Ramp, RampStep, ramp_page};
use units::{date, escaped};

const STYLE: &str = include_str!("style.css");

/// Reports of the same work.
#[derive(Debug, Clone)]
pub struct Section {
    /// What they have in common; empty where it is plain.
    pub title: String,
    /// A sentence below the title, or nothing.
    pub note: String,
    /// Side by side where there are several.
    pub runs: Vec<Report>,
}

/// One page of these runs, side by side where there are several.
pub fn page(title: &str, runs: &[Report]) -> Result<String, String> {
    page_of(title, &[], &[Section { title: String::new(), note: String::new(), runs: runs.to_vec() }])
}

/// What was loaded, as the title of its page.
pub fn heading(run: &Report) -> String {
    format!("Load of {}", name(run))
}

/// One page of all sections; the notes stand before them.
pub fn page_of(title: &str, notes: &[String], sections: &[Section]) -> Result<String, String> {
    let mut runs = sections.iter().flat_map(|section| &section.runs);
    let Some(first) = runs.next() else { return Err("nothing was run: there is no page to write".into()) };
    let is_alone = runs.next().is_none();
    let mut body = format!("<h1>{}</h1>", escaped(title));
    if !is_alone {
        body.push_str(&by_whom(first));
    }
    body.push_str(&banners(sections, is_alone));
    for note in notes {
        let _ = write!(body, "<p class=\"dim\">{}</p>", escaped(note));
    }
    for section in sections {
        if !section.title.is_empty() {
            let _ = write!(body, "<h2>{}</h2>", escaped(&section.title));
        }
        if !section.note.is_empty() {
            let _ = write!(body, "<p class=\"dim\">{}</p>", escaped(&section.note));
        }
        match section.runs.as_slice() {
            [] => body.push_str("<p class=\"dim\">Nothing was run.</p>"),
            [run] => body.push_str(&run::details(run)?),
            runs => {
                body.push_str(&shared_plan(runs));
                body.push_str(&several::side_by_side(runs)?);
            }
        }
    }
    Ok(whole(title, &body))
}

fn whole(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n",
        escaped(title)
    )
}

/// When, and by what.
fn by_whom(run: &Report) -> String {
    let (when, version) = (date(run.begun_unix_s), escaped(&run.version));
    format!("<p class=\"dim\">{when} · tertulia-loadtest {version}</p>")
}

/// What to call it.
fn name(run: &Report) -> &str {
    if run.server_name.is_empty() { &run.target } else { &run.server_name }
}

/// What nobody may overlook: which runs are worthless, which are not whole, and which were held back. Among several it is
/// one line each, which unfolds.
fn banners(sections: &[Section], is_alone: bool) -> String {
    let mut invalid = String::new();
    let mut partial = String::new();
    let mut held_back = String::new();
    let mut count_invalid = 0;
    for section in sections {
        for run in &section.runs {
            let whose = match (is_alone, section.title.as_str()) {
                (true, _) => String::new(),
                (false, "") => format!("<b>{}</b>: ", escaped(name(run))),
                (false, title) => format!("<b>{}</b>, {}: ", escaped(name(run)), escaped(title)),
            };
            for reason in &run.invalid {
                let _ = write!(invalid, "<li>{whose}{}</li>", escaped(reason));
            }
            count_invalid += usize::from(!run.invalid.is_empty());
            for caution in &run.cautions {
                let _ = write!(held_back, "<li>{whose}{}</li>", escaped(caution));
            }
            if run.is_partial {
                let _ = write!(partial, "<li>{whose}the run was ended before its time</li>");
            }
        }
    }
    let banner = |class: &str, title: &str, lines: String| match lines.as_str() {
        "" => String::new(),
        lines if is_alone => {
            format!("<div class=\"banner {class}\" role=\"alert\"><p>{title}</p><ul>{lines}</ul></div>")
        }
        lines => {
            format!("<details class=\"banner {class}\"><summary>{title}</summary><ul>{lines}</ul></details>")
        }
    };
    let all: usize = sections.iter().map(|section| section.runs.len()).sum();
    let whose = match is_alone {
        true => "these figures are".to_owned(),
        false if count_invalid == 1 => format!("the figures of 1 of {all} runs are"),
        false => format!("the figures of {count_invalid} of {all} runs are"),
    };
    banner("bad", &format!("<b>INVALID</b> {whose} not to be trusted"), invalid)
        + &banner("partial", "<b>HELD BACK</b> the figures are not what the server could carry", held_back)
        + &banner("partial", "<b>PARTIAL</b> not all of the plan was done", partial)
}

/// What all of these were to do, where it is the same.
fn shared_plan(runs: &[Report]) -> String {
    let Some(first) = runs.first() else { return String::new() };
    let like_first =
        |run: &Report| crate::plan::Planned { protocol: first.plan.protocol, ..run.plan.clone() };
    if !runs.iter().all(|run| like_first(run) == first.plan) {
        return format!("<p>{} runs; their plans differ and stand with each of them.</p>", runs.len());
    }
    let plan = first.plan.to_string();
    if runs.iter().all(|run| run.plan.protocol == first.plan.protocol) {
        return format!("<p>{}</p>", escaped(&plan));
    }
    let plan = plan.replacen(&format!(" ({})", first.plan.protocol), "", 1);
    format!("<p>{}; each server in its own protocol</p>", escaped(&plan))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judged::Judged;
    use crate::report::{BesideFloor, Ratio, example, judged};

    #[test]
    fn a_page_tells_plan_checks_and_percentiles() {
        let page = page("a page", &[example()]).unwrap();
        let plan = example().plan.to_string();
        for word in [
            plan.as_str(),
            "lost",
            "doubled",
            "out of order",
            "corrupt",
            "min",
            "p50",
            "p90",
            "p95",
            "p99",
            "p99.9",
            "p99.99",
            "max",
            "first receiver",
            "each receiver",
            "last receiver",
            "service",
            "connect",
            "coordinated omission",
            "2027-01-15 08:00 UTC",
            "127.0.0.1:2000",
            "a relay",
            "tertulia-loadtest 0.0.0",
        ] {
            assert!(page.contains(word), "{word}");
        }
        assert_eq!(page.matches("<svg").count(), 3);
        assert_eq!(page.matches("tile check bad").count(), 1, "seven are lost");
        assert_eq!(page.matches("tile check good").count(), 3);
    }

    #[test]
    fn a_page_fetches_nothing() {
        let page = page("a page", &[example(), example()]).unwrap();
        for fetch in ["src=", "href=", "url(", "@import", "<script", "<link"] {
            assert!(!page.contains(fetch), "{fetch}");
        }
        let rest = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!rest.contains("http://") && !rest.contains("https://"));
    }

    #[test]
    fn what_comes_from_outside_is_text_and_no_markup() {
        let evil = || "<script>&\"'".to_owned();
        let mut run = Report {
            complaints: vec![evil()],
            trace: Some(Judged { first: vec![evil()], unread: Some(evil()), ..Judged::default() }),
            hints: vec![evil()],
            invalid: vec![evil()],
            server_name: evil(),
            target: evil(),
            version: evil(),
            ..example()
        };
        run.machine.processor = evil();
        run.machine.kernel = evil();
        for runs in [vec![run.clone()], vec![run.clone(), run]] {
            let page = page(&evil(), &runs).unwrap();
            assert!(page.contains("&lt;script&gt;&amp;&quot;&#39;") && !page.contains("<script"));
        }
    }

    #[test]
    fn a_page_tells_how_many_promises_a_trace_shows_to_be_broken_and_which() {
        let told = page("a page", &[Report { trace: Some(judged()), ..example() }]).unwrap();
        assert!(told.contains("<b>1 <i>✗</i></b>violations") && told.contains("<li>A line was lost.</li>"));
        let without = page("a page", &[example()]).unwrap();
        assert!(!without.contains("violations") && !without.contains("The trace"));
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
        let alone = page("a page", std::slice::from_ref(&report)).unwrap();
        assert!(alone.contains("<b>INVALID</b>") && alone.contains("<li>late</li>"));
        assert!(alone.contains("<b>PARTIAL</b>"));
        assert_eq!(alone.matches("Too little was measured").count(), 3);
        let among = page("a page", &[example(), report]).unwrap();
        assert!(among.contains("<b>a relay</b>: late"));
        let good = page("a page", &[example()]).unwrap();
        assert!(!good.contains("INVALID") && !good.contains("PARTIAL"));
        assert!(page("", &[]).is_err());
    }

    #[test]
    fn one_interval_or_none_that_delivered_is_no_line() {
        let mut run = example();
        run.timeline.truncate(1);
        assert_eq!(page("a page", &[run]).unwrap().matches("Too little").count(), 2);
        let mut still = example();
        still.timeline.iter_mut().for_each(|interval| interval.delivered = 0);
        assert_eq!(page("a page", &[still]).unwrap().matches("Too little").count(), 1);
        let mut empty = example();
        empty.histogram.iter_mut().for_each(|bucket| bucket.count = 0);
        assert_eq!(page("a page", &[empty]).unwrap().matches("Too little").count(), 1);
    }

    #[test]
    fn several_runs_stand_side_by_side_as_they_were_given_and_ours_stands_out() {
        let closed = |mut run: Report| {
            (run.plan.rate_per_s, run.plan.window) = (None, Some(1));
            run
        };
        let ours = Report { server_name: "tertulia-relay 0".into(), rate_per_s: 900.0, ..example() };
        let page = page("a page", &[closed(example()), closed(ours)]).unwrap();
        assert_eq!(page.matches("<details>").count(), 2);
        assert!(!page.contains("INVALID"));
        assert_eq!(page.matches("aria-label=\"Server CPU per delivery\"").count(), 1);
        assert_eq!(page.matches("<svg").count(), 3 + 2 * 3, "three with bars, and three of each run");
        // Each time one bar, and two words above it.
        assert_eq!(page.matches("fill=\"var(--ours)\"").count(), 3 * 3);
        assert!(page.contains("\n900\n</text>"), "what stands above a bar");
        assert!(page.find("a relay") < page.find("tertulia-relay 0"));
        assert!(page.contains(&closed(example()).plan.to_string()));
    }

    #[test]
    fn at_a_rate_that_is_given_nobody_is_compared_by_it() {
        let mut open = example();
        open.plan.rate_per_s = Some(100.0);
        let mut closed = example();
        (closed.plan.rate_per_s, closed.plan.window) = (None, Some(1));
        let rates = |run: &Report| {
            let page = page("a page", &[run.clone(), run.clone()]).unwrap();
            let table = page.split("</table>").next().unwrap();
            (page.contains("aria-label=\"Deliveries per second\""), table.contains("deliveries/s"))
        };
        assert_eq!((rates(&open), rates(&closed)), ((false, false), (true, true)));
    }

    #[test]
    fn among_several_a_run_that_is_invalid_is_marked_on_its_bars_and_the_reasons_are_folded_away() {
        let invalid = Report { invalid: vec!["late".into()], ..example() };
        let page = page("a page", &[example(), invalid]).unwrap();
        assert!(page.contains(
            "<details class=\"banner bad\"><summary><b>INVALID</b> the figures of 1 of 2 runs are"
        ));
        let bars = page.matches("INVALID  ").count();
        assert_eq!(
            (bars, page.matches("height=\"40\" opacity=\"1\" fill=\"var(--bad)\"").count()),
            (3, 3),
            "a mark on each picture's bar"
        );
    }

    #[test]
    fn one_run_is_called_by_what_was_loaded() {
        assert_eq!(heading(&example()), "Load of a relay");
        let nameless = Report { server_name: String::new(), ..example() };
        assert_eq!(heading(&nameless), "Load of 127.0.0.1:2000");
    }

    #[test]
    fn flood_control_stands_in_a_banner_before_the_figures() {
        let run = Report { cautions: vec!["this is flood control".into()], ..example() };
        let page = page("a page", &[run]).unwrap();
        let banner = page.find("<div class=\"banner partial\"").unwrap();
        let note = page.find("this is flood control").unwrap();
        assert!(banner < note && note < page.find("class=\"tiles\"").unwrap());
    }

    #[test]
    fn every_axis_says_what_it_is_and_whether_it_is_logarithmic() {
        let page = page("a page", &[example()]).unwrap();
        for title in [
            "share of deliveries, %",
            "latency (logarithmic)",
            "deliveries a second",
            "time after the warm-up",
        ] {
            assert!(page.contains(&format!("\n{title}\n</text>")), "{title}");
        }
        assert!(!page.contains("behind the warm-up"));
    }

    #[test]
    fn sections_have_their_titles() {
        let section =
            |title: &str| Section { title: title.into(), note: "a < b".into(), runs: vec![example()] };
        let page = page_of("a page", &["c > d".into()], &[section("one"), section("<two>")]).unwrap();
        assert!(page.contains("<h2>one</h2>") && page.contains("<h2>&lt;two&gt;</h2>"));
        assert!(page.contains("a &lt; b") && page.contains("c &gt; d"));
    }

    #[test]
    fn a_floor_is_told_as_a_share_of_what_the_machine_can_do() {
        let rate = Ratio { median: 0.912, least: 0.8, greatest: 1.0, pairs: 3 };
        let floor = BesideFloor { figures: Vec::new(), rate, p50: rate, p99: rate, server_cpu: None };
        let mut run = Report { floor: Some(floor), ..example() };
        let open = page("a page", std::slice::from_ref(&run)).unwrap();
        assert!(open.contains("0.91 times as late"), "in an open loop the rate is given");
        run.plan.window = Some(1);
        let page = page("a page", &[run]).unwrap();
        assert!(page.contains("<b>0.91 of what this machine can do</b>"));
        assert!(page.contains("(0.80 to 1.00 in 3 pairs)"));
    }
}
