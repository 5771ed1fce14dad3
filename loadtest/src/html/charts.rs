//! The pictures of a report, as SVG within the page.

use plotters::coord::combinators::WithKeyPoints;
use plotters::prelude::*;

use crate::report::Report;

const SIZE: (u32, u32) = (460, 300);
/// Stand for what the page's style says; no other colour of a picture is one of them.
const INK: RGBColor = RGBColor(1, 2, 3);
const GRID: RGBColor = RGBColor(4, 5, 6);
const BLUE: RGBColor = RGBColor(59, 130, 196);
const ORANGE: RGBColor = RGBColor(222, 132, 38);
const RED: RGBColor = RGBColor(208, 72, 84);

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Axes and grid, alike in all pictures.
macro_rules! mesh {
    ($chart:expr, $x:expr, $y:expr, $x_label:expr, $y_label:expr) => {
        $chart
            .configure_mesh()
            .axis_style(INK)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 13, &INK))
            .axis_desc_style(("sans-serif", 13, &INK))
            .x_desc($x)
            .y_desc($y)
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter($x_label)
            .y_label_formatter($y_label)
            .draw()?
    };
}
/// How many of a hundred samples there were up to each latency.
pub(super) fn histogram(run: &Report) -> Result<String, String> {
    let all: u64 = run.histogram.iter().map(|bucket| bucket.count).sum();
    let (Some(first), Some(last)) = (run.histogram.first(), run.histogram.last()) else {
        return Ok(nothing("Latency of each receiver"));
    };
    let share = |count: u64| 100.0 * count as f64 / all.max(1) as f64;
    let most = run.histogram.iter().map(|bucket| share(bucket.count)).fold(0.0, f64::max);
    let begin = first.up_to_us as f64 / 1e3 / 1.3;
    let end = last.up_to_us as f64 / 1e3 * 1.3;
    let draw = |svg: &mut String| -> Outcome {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .margin_right(18)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(logarithmic(begin, end), 0.0..most * 1.08)?;
        mesh!(
            chart,
            "ms from when a line was due",
            "% of deliveries",
            &|ms: &f64| short(*ms),
            &|share: &f64| short(*share)
        );
        let mut below_ms = begin;
        for bucket in &run.histogram {
            let up_to_ms = bucket.up_to_us as f64 / 1e3;
            let corners = [(below_ms, 0.0), (up_to_ms, share(bucket.count))];
            chart.draw_series([Rectangle::new(corners, BLUE.mix(0.85).filled())])?;
            below_ms = up_to_ms;
        }
        root.present()?;
        Ok(())
    };
    figure("Latency of each receiver", "", draw)
}

/// Latencies of each piece of time.
pub(super) fn latency_over_time(run: &Report) -> Result<String, String> {
    let title = "Latency over time";
    let with_samples: Vec<_> = run.timeline.iter().filter(|interval| interval.delivered > 0).collect();
    let (true, Some(last)) = (with_samples.len() > 1, with_samples.last()) else { return Ok(nothing(title)) };
    let ms = |us: u64| us.max(1) as f64 / 1e3;
    let least = with_samples.iter().map(|interval| ms(interval.p50_us)).fold(f64::INFINITY, f64::min);
    let most = with_samples.iter().map(|interval| ms(interval.max_us)).fold(0.0, f64::max);
    let draw = |svg: &mut String| -> Outcome {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .margin_right(18)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(0.0..last.end_s, logarithmic(least / 1.3, most * 1.3))?;
        mesh!(chart, "seconds", "ms", &|s: &f64| short(*s), &|ms: &f64| short(*ms));
        let middle = |interval: &crate::report::Interval| interval.end_s - interval.length_s / 2.0;
        let p50 = with_samples.iter().map(|interval| (middle(interval), ms(interval.p50_us)));
        let p99 = with_samples.iter().map(|interval| (middle(interval), ms(interval.p99_us)));
        let max = with_samples.iter().map(|interval| (middle(interval), ms(interval.max_us)));
        chart.draw_series(LineSeries::new(p50, BLUE.stroke_width(2)))?;
        chart.draw_series(LineSeries::new(p99, ORANGE.stroke_width(2)))?;
        chart.draw_series(LineSeries::new(max, RED.stroke_width(2)))?;
        root.present()?;
        Ok(())
    };
    figure(title, "<i class=\"blue\">p50</i> <i class=\"orange\">p99</i> <i class=\"red\">max</i>", draw)
}

/// Deliveries a second of each piece of time.
pub(super) fn throughput_over_time(run: &Report) -> Result<String, String> {
    let title = "Deliveries a second over time";
    let (true, Some(last)) = (run.timeline.len() > 1, run.timeline.last()) else { return Ok(nothing(title)) };
    let per_s = |interval: &crate::report::Interval| interval.delivered as f64 / interval.length_s.max(1e-6);
    let most = run.timeline.iter().map(per_s).fold(1.0, f64::max);
    let draw = |svg: &mut String| -> Outcome {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .margin_right(18)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(0.0..last.end_s, 0.0..most * 1.1)?;
        mesh!(chart, "seconds", "deliveries/s", &|s: &f64| short(*s), &|rate: &f64| short(*rate));
        let points = || {
            run.timeline.iter().flat_map(|interval| {
                let rate = per_s(interval);
                [(interval.end_s - interval.length_s, rate), (interval.end_s, rate)]
            })
        };
        chart
            .draw_series(AreaSeries::new(points(), 0.0, BLUE.mix(0.25)).border_style(BLUE.stroke_width(2)))?;
        root.present()?;
        Ok(())
    };
    figure(title, "", draw)
}

/// A picture with its caption, in the colours of the page.
fn figure(title: &str, legend: &str, draw: impl FnOnce(&mut String) -> Outcome) -> Result<String, String> {
    let mut svg = String::new();
    draw(&mut svg).map_err(|error| format!("{title}: the picture cannot be drawn: {error}"))?;
    let (width, height) = SIZE;
    let svg = svg
        .replace("#010203", "currentColor")
        .replace("#040506", "var(--line)")
        .replace(&format!("width=\"{width}\" height=\"{height}\" viewBox"), "viewBox");
    Ok(format!(
        "<figure><figcaption>{title} <span class=\"legend\">{legend}</span></figcaption>{svg}</figure>"
    ))
}

fn nothing(title: &str) -> String {
    format!(
        "<figure><figcaption>{title}</figcaption><p class=\"dim\">Too little was measured to draw it.</p></figure>"
    )
}

/// A logarithmic axis with a line at 1, 2 and 5 of each power of ten, or at the powers alone where it is long.
fn logarithmic(begin: f64, end: f64) -> WithKeyPoints<LogCoord<f64>> {
    let digits: &[f64] = if end / begin > 500.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let powers = (-4..9).map(|power| 10f64.powi(power));
    let points = powers.flat_map(|power| digits.iter().map(move |digit| digit * power));
    let points = points.filter(|point| (begin..=end).contains(point)).collect();
    LogCoord::from((begin..end).log_scale()).with_key_points(points)
}

/// A number of an axis.
fn short(value: f64) -> String {
    let (value, unit) = match value.abs() {
        size if size >= 1e6 => (value / 1e6, " M"),
        size if size >= 1e4 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let text = match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 0.1 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_an_axis_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.05, "0.05"),
            (0.5, "0.5"),
            (2.0, "2"),
            (250.0, "250"),
            (10_000.0, "10 k"),
            (2_500_000.0, "2.5 M"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
