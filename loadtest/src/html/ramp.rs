//! The page of a ramp: how far it went, why it ended, and how latency and deliveries went as it went up.

use std::fmt::Write;

use super::charts::{Point, curve};
use super::several::{Row, comparison, each};
use super::units::{escaped, memory};
use super::{by_whom, name, whole};
use crate::report::Report;

/// A ramp that has ended.
#[derive(Debug)]
pub struct Ramp<'a> {
    /// What became more: `rate` or `clients`.
    pub axis: &'a str,
    /// What was to be done.
    pub plan: &'a str,
    /// What was loaded.
    pub target: &'a str,
    /// What was to end it.
    pub bounds: &'a str,
    /// How far it went.
    pub headline: &'a str,
    /// Why it ended, and what follows from it, in sentences.
    pub told: &'a [String],
    /// The server ended it, and not the generator or whoever started it.
    pub says_of_server: bool,
    /// In the order in which they were measured.
    pub steps: &'a [RampStep<'a>],
}

/// One step.
#[derive(Debug)]
pub struct RampStep<'a> {
    /// Lines a second, or clients.
    pub value: f64,
    /// The step before had the same value, and was INVALID.
    pub is_again: bool,
    /// What came of it.
    pub run: &'a Report,
}

impl RampStep<'_> {
    fn name(&self, axis: &str) -> String {
        format!("{axis} {}{}", self.value, if self.is_again { ", again" } else { "" })
    }
}

/// The page of a ramp. A step that is not to be trusted is marked where it stands; that a ramp has an end is no alarm.
pub fn ramp_page(ramp: &Ramp<'_>) -> Result<String, String> {
    let Some(first) = ramp.steps.first() else {
        return Err("no step was measured: there is no page to write".into());
    };
    let title = format!("Ramp of {}", name(first.run));
    let class = if ramp.says_of_server { "neutral" } else { "partial" };
    let mut body = format!("<h1>{}</h1>{}", escaped(&title), by_whom(first.run));
    let _ = write!(body, "<div class=\"banner {class}\"><p><b>{}</b></p><ul>", escaped(ramp.headline));
    for sentence in ramp.told {
        let _ = write!(body, "<li>{}</li>", escaped(sentence));
    }
    body.push_str("</ul></div>");
    body.push_str(&facts(ramp, first.run));
    body.push_str(&curves(ramp)?);
    let rows: Vec<Row<'_>> =
        ramp.steps.iter().map(|step| Row { name: step.name(ramp.axis), run: step.run }).collect();
    let _ =
        write!(body, "<h3>Steps</h3>{}<h3>Each step</h3>{}", comparison("step", &rows, false), each(&rows)?);
    Ok(whole(&title, &body))
}

fn facts(ramp: &Ramp<'_>, first: &Report) -> String {
    let machine = &first.machine;
    let on = format!(
        "{} × {}, {} of memory, Linux {}",
        machine.processors,
        escaped(&machine.processor),
        memory(machine.memory_mib.saturating_mul(1024)),
        escaped(&machine.kernel)
    );
    let mut text = String::from("<dl class=\"facts\">");
    for (name, fact) in [
        ("Plan", escaped(ramp.plan)),
        ("Bounds", escaped(ramp.bounds)),
        ("Server", escaped(ramp.target)),
        ("Machine", on),
    ] {
        let _ = write!(text, "<dt>{name}</dt><dd>{fact}</dd>");
    }
    text + "</dl>"
}

fn curves(ramp: &Ramp<'_>) -> Result<String, String> {
    let points = |figure: &dyn Fn(&Report) -> Option<f64>| -> Vec<Point> {
        let point = |step: &RampStep<'_>| Point {
            x: step.value,
            y: figure(step.run),
            is_invalid: !step.run.invalid.is_empty(),
        };
        ramp.steps.iter().map(point).collect()
    };
    let x_title = if ramp.axis == "rate" { "lines a second, all senders together" } else { "clients" };
    let p99 = points(&|run| (run.latency_us.each.count > 0).then_some(run.latency_us.each.p99 as f64));
    let rate = points(&|run| Some(run.rate_per_s));
    let of = ramp.axis;
    Ok(format!(
        "<div class=\"charts two\">{}{}</div>",
        curve(&format!("p99 by {of}"), x_title, "p99 (logarithmic)", &p99, true)?,
        curve(&format!("Deliveries by {of}"), x_title, "deliveries a second", &rate, false)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn page(told: &[&str], says_of_server: bool, steps: &[(f64, Report)]) -> String {
        let told: Vec<String> = told.iter().map(|sentence| (*sentence).to_owned()).collect();
        let steps: Vec<RampStep<'_>> = steps
            .iter()
            .map(|(value, run)| RampStep { value: *value, is_again: *value == 300.0, run })
            .collect();
        ramp_page(&Ramp {
            axis: "rate",
            plan: "a ramp of <many> lines",
            target: "a fresh relay",
            bounds: "lost>0",
            headline: "last good step: rate 100",
            told: &told,
            says_of_server,
            steps: &steps,
        })
        .unwrap()
    }

    #[test]
    fn the_page_of_a_ramp_tells_how_far_it_went_why_it_ended_and_what_was_to_be_done() {
        let page = page(&["at rate 200: p99>1s broke"], true, &[(100.0, example()), (200.0, example())]);
        for word in [
            "<h1>Ramp of a relay</h1>",
            "last good step: rate 100",
            "at rate 200: p99&gt;1s broke",
            "a ramp of &lt;many&gt; lines",
            "lost&gt;0",
            "aria-label=\"p99 by rate\"",
            "aria-label=\"Deliveries by rate\"",
            "lines a second, all senders together",
        ] {
            assert!(page.contains(word), "{word}");
        }
        assert!(!page.contains("banner bad"), "an end is no alarm");
        assert!(!page.contains("INVALID"));
    }

    #[test]
    fn a_step_that_is_invalid_is_marked_in_curve_and_table_alone() {
        let invalid = Report { invalid: vec!["late".into()], ..example() };
        let steps = [(100.0, example()), (200.0, invalid), (300.0, example())];
        let page = page(&["at rate 200: INVALID: late"], false, &steps);
        assert!(page.contains("<b>rate 300, again</b>") && page.contains("<b>rate 100</b>"));
        assert!(page.contains("banner partial") && !page.contains("banner bad"));
        assert_eq!(page.matches("stroke=\"var(--bad)\"").count(), 2, "a ring on each curve");
        assert_eq!(page.matches("key ring").count(), 2);
        assert!(page.contains("rate 200 <span class=\"flag bad\">INVALID</span>"));
        assert!(page.contains("<h3>Why it is INVALID</h3><ul><li>late</li>"));
    }
}
