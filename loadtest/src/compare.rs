//! `compare`: two reports beside each other. A change counts where it is beyond what the repeats of both runs spread
//! together.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::options::Compare;
use crate::output;
use crate::report::{Figures, Report, SCHEMA_VERSION, median};

/// With fewer repeats there is no band of noise to tell.
const REPEATS_MIN: usize = 3;
/// A smaller change is never told: the repeats of an open loop may all but agree, and no user would feel it.
const CHANGE_TOLD_MIN: f64 = 0.01;
/// In a wider band nearly everything would be noise: the runs tell nothing of each other in that figure.
const BAND_MAX: f64 = 0.2;

type Figure = fn(&Figures) -> Option<f64>;

/// Name, how to get it, and whether more of it is better.
const FIGURES: [(&str, Figure, bool); 8] = [
    ("deliveries/s", |figures| Some(figures.rate_per_s), true),
    ("accepted/s", |figures| Some(figures.accepted_per_s), true),
    ("p50 µs", |figures| Some(figures.p50_us), false),
    ("p99 µs", |figures| Some(figures.p99_us), false),
    ("p99.9 µs", |figures| Some(figures.p99_9_us), false),
    ("last p99 µs", |figures| Some(figures.last_p99_us), false),
    ("server µs/delivery", |figures| figures.server_cpu_us_per_delivery, false),
    ("server KiB", |figures| figures.server_resident_kib, false),
];

/// Does what `compare` is asked for.
pub fn compare(options: &Compare) -> Result<ExitCode, String> {
    let (before, after) = (read(&options.before)?, read(&options.after)?);
    let differences = differences(&before, &after);
    if !differences.is_empty() && !options.force {
        return Err(format!(
            "these runs are not comparable: {} (--force compares them all the same)",
            differences.join("; ")
        ));
    }
    output::print(&table(&before, &after))?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<Report, String> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("{name}: no JSON: {error}"))?;
    match json.get("schema_version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(SCHEMA_VERSION) => {}
        version => {
            let version = version.map_or_else(|| "none".to_owned(), |version| version.to_string());
            return Err(format!(
                "{name}: schema_version is {version}, and this program reads {SCHEMA_VERSION}"
            ));
        }
    }
    serde_json::from_value(json).map_err(|error| format!("{name}: not a report of run --json: {error}"))
}

/// Why two runs cannot be compared; empty: they can.
fn differences(before: &Report, after: &Report) -> Vec<String> {
    let mut differences = Vec::new();
    if before.machine != after.machine {
        differences.push(format!("other machine or limits: {:?}, {:?}", before.machine, after.machine));
    }
    if before.version != after.version {
        differences.push(format!("other versions of the generator: {}, {}", before.version, after.version));
    }
    if before.plan != after.plan {
        differences.push(format!("other plan: {}; {}", before.plan, after.plan));
    }
    for (which, report) in [("the first", before), ("the second", after)] {
        if let Some(reason) = report.invalid.first() {
            differences.push(format!("{which} is INVALID: {reason}"));
        }
        if report.is_partial {
            differences.push(format!("{which} was ended before its time"));
        }
    }
    differences
}

/// How far a figure's repeats lie from their median, at most, as a share of it.
fn spread(repeats: &[f64]) -> Option<f64> {
    let middle = median(repeats).filter(|middle| *middle != 0.0 && repeats.len() >= REPEATS_MIN)?;
    repeats.iter().map(|value| (value / middle - 1.0).abs()).reduce(f64::max)
}

/// What a change means: its share of before, the band of noise, and what to say.
fn verdict(before: &[f64], after: &[f64], is_more_better: bool) -> Option<(f64, Option<f64>, &'static str)> {
    let (old, new) = (median(before)?, median(after)?);
    let change = if old == 0.0 { 0.0 } else { new / old - 1.0 };
    let band = spread(before).zip(spread(after)).map(|(before, after)| (before + after).max(CHANGE_TOLD_MIN));
    let word = match band {
        None => "no band: --repeat 3 or more",
        Some(band) if band > BAND_MAX => "TOO NOISY to tell: more or longer repeats, an idle machine",
        Some(band) if change.abs() <= band => "noise",
        Some(_) if (change > 0.0) == is_more_better => "better",
        Some(_) => "WORSE",
    };
    Some((change, band, word))
}

fn table(before: &Report, after: &Report) -> String {
    let mut text = format!(
        "before  {} {}, {} repeats\nafter   {} {}, {} repeats\nplan    {}\n{}\n{:<20}{:>16}{:>16}{:>10}{:>10}\n",
        before.target,
        before.server_name,
        before.repeats.len(),
        after.target,
        after.server_name,
        after.repeats.len(),
        after.plan,
        builds(before, after),
        "median of repeats",
        "before",
        "after",
        "change",
        "noise"
    );
    for (name, figure, is_more_better) in FIGURES {
        let values = |report: &Report| -> Vec<f64> { report.repeats.iter().filter_map(figure).collect() };
        let (old, new) = (values(before), values(after));
        let Some((change, band, word)) = verdict(&old, &new, is_more_better) else { continue };
        let band = band.map_or_else(|| "-".to_owned(), |band| format!("±{:.1} %", band * 100.0));
        text.push_str(&format!(
            "{name:<20}{:>16.3}{:>16.3}{:>+8.1} %{band:>10}  {word}\n",
            median(&old).unwrap_or_default(),
            median(&new).unwrap_or_default(),
            change * 100.0
        ));
    }
    for (name, of) in [
        ("lost", (|report: &Report| report.counts.lost) as fn(&Report) -> u64),
        ("doubled", |report| report.counts.doubled),
        ("out of order", |report| report.counts.out_of_order),
        ("corrupt", |report| report.counts.corrupt),
    ] {
        let (old, new) = (of(before), of(after));
        let word = if new > old { "  WORSE" } else { "" };
        text.push_str(&format!("{name:<20}{old:>16}{new:>16}{:>20}{word}\n", ""));
    }
    text
}

/// What was built anew between the two.
fn builds(before: &Report, after: &Report) -> String {
    let mut text = String::new();
    if before.commit != after.commit {
        text.push_str(&format!("note    generators of other commits: {}, {}\n", before.commit, after.commit));
    }
    if let (Some(old), Some(new)) = (&before.server_file_fnv1a, &after.server_file_fnv1a) {
        let same = if old == new { "the same file" } else { "another file" };
        text.push_str(&format!("server  {same} (FNV-1a {old}, {new})\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn a_change_within_the_spread_of_the_repeats_is_noise() {
        let word =
            |before: &[f64], after: &[f64], is_more_better| verdict(before, after, is_more_better).unwrap().2;
        assert_eq!(word(&[100.0, 90.0, 110.0], &[105.0, 104.0, 106.0], true), "noise");
        assert_eq!(word(&[100.0, 97.0, 103.0], &[105.0, 102.0, 108.0], true), "noise");
        assert_eq!(word(&[100.0, 99.0, 101.0], &[105.0, 104.0, 106.0], true), "better");
        assert_eq!(word(&[100.0, 99.0, 101.0], &[105.0, 104.0, 106.0], false), "WORSE");
        assert_eq!(word(&[100.0, 99.0], &[200.0, 104.0, 106.0], false), "no band: --repeat 3 or more");
        assert!(verdict(&[], &[1.0], true).is_none());
    }

    #[test]
    fn a_change_of_a_thousandth_is_noise_however_well_the_repeats_agree() {
        let (_, band, word) = verdict(&[1000.0, 1000.0, 1000.0], &[999.0, 999.0, 999.0], true).unwrap();
        assert_eq!((band, word), (Some(CHANGE_TOLD_MIN), "noise"));
    }

    #[test]
    fn runs_of_other_machines_or_plans_or_that_are_worthless_are_refused() {
        assert!(differences(&example(), &example()).is_empty());
        let mut other = example();
        other.machine.processors = 64;
        assert!(differences(&example(), &other)[0].starts_with("other machine"));
        let mut other = example();
        other.plan.clients = 11;
        assert!(differences(&example(), &other)[0].starts_with("other plan"));
        for change in [
            |report: &mut Report| report.plan.spins = true,
            |report: &mut Report| report.plan.with_floor = true,
        ] {
            let mut other = example();
            change(&mut other);
            assert!(differences(&example(), &other)[0].starts_with("other plan"));
        }
        let other = Report { version: "9".into(), ..example() };
        assert!(differences(&example(), &other)[0].starts_with("other versions of the generator"));
        let other = Report { invalid: vec!["late".into()], is_partial: true, ..example() };
        assert_eq!(differences(&other, &example()).len(), 2);
    }

    #[test]
    fn a_band_so_wide_that_it_tells_nothing_is_named() {
        let word = |before: &[f64], after: &[f64]| verdict(before, after, true).unwrap().2;
        assert!(word(&[100.0, 50.0, 290.0], &[300.0, 301.0, 302.0]).starts_with("TOO NOISY"));
        assert_eq!(word(&[100.0, 90.0, 110.0], &[200.0, 190.0, 210.0]), "better");
    }

    #[test]
    fn the_table_says_whether_generator_and_server_are_other_builds() {
        let text = table(&example(), &example());
        assert!(text.contains("the same file") && !text.contains("other commits"), "{text}");
        let other = Report { commit: "fedc".into(), server_file_fnv1a: Some("0".into()), ..example() };
        let text = table(&example(), &other);
        assert!(text.contains("other commits: 0123456789abcdef, fedc"), "{text}");
        assert!(text.contains("another file"), "{text}");
    }

    #[test]
    fn the_table_has_every_figure_and_the_four_checks() {
        let text = table(&example(), &example());
        for name in ["deliveries/s", "p99 µs", "lost", "doubled", "out of order", "corrupt"] {
            assert!(text.lines().any(|line| line.starts_with(name)), "{name}: {text}");
        }
    }
}
