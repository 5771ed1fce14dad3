//! The pictures of a report, as SVG within the page.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use super::units::{short, short_time, time};
use crate::report::{Interval, Report, median};

/// The picture has whole coordinates: the finer, the smoother.
const FINE: i32 = 4;
const SIZE: (u32, u32) = (440 * FINE as u32, 280 * FINE as u32);
/// What the page's style says for each of these; no other colour is in a picture.
const COLOURS: [(RGBColor, &str); 9] = [
    (TEXT, "var(--dim)"),
    (GRID, "var(--line)"),
    (BAR, "var(--bar)"),
    (P50, "var(--p50)"),
    (P99, "var(--p99)"),
    (MAX, "var(--max)"),
    (INK, "var(--ink)"),
    (OURS, "var(--ours)"),
    (BAD, "var(--bad)"),
];
const TEXT: RGBColor = RGBColor(1, 2, 1);
const GRID: RGBColor = RGBColor(1, 2, 2);
const BAR: RGBColor = RGBColor(1, 2, 3);
const P50: RGBColor = RGBColor(1, 2, 4);
const P99: RGBColor = RGBColor(1, 2, 5);
const MAX: RGBColor = RGBColor(1, 2, 6);
const INK: RGBColor = RGBColor(1, 2, 7);
const OURS: RGBColor = RGBColor(1, 2, 8);
const BAD: RGBColor = RGBColor(1, 2, 9);
const AFTER_WARMUP: &str = "time after the warm-up";
/// Of what marks a step on a curve, its radius.
const RING: i32 = 4 * FINE;
/// Of one bar with the words above it, in the same steps as the picture's size.
const BAR_STEP: i32 = 44 * FINE;
const BAR_TOP: i32 = 28 * FINE;
const BAR_HEIGHT: i32 = 10 * FINE;
const BAR_LETTERS: i32 = 17 * FINE;
/// A bar is never so short that nobody sees whose it is.
const BAR_LENGTH_MIN: i32 = 4 * FINE;
/// Of a bar that is not to be trusted.
const OUTLINE: i32 = 3 * FINE / 2;
/// From one bucket of a histogram to the next, where nothing tells it.
const BUCKET_RATIO: f64 = 1.122;

type Failure = Box<dyn std::error::Error>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

type OfInterval = fn(&Interval) -> u64;

/// A picture, but for what is drawn on it.
struct Frame<'a> {
    title: &'a str,
    /// Markup: what the colours mean.
    legend: String,
    x: &'a Axis,
    x_title: &'a str,
    y: &'a Axis,
    y_title: &'a str,
}

/// How many of a hundred samples there were up to each latency.
pub(super) fn histogram(run: &Report) -> Result<String, String> {
    let title = "Distribution";
    let all: u64 = run.histogram.iter().map(|bucket| bucket.count).sum();
    let (Some(first), Some(last), true) = (run.histogram.first(), run.histogram.last(), all > 0) else {
        return Ok(nothing(title));
    };
    let share = |count: u64| 100.0 * count as f64 / all as f64;
    let most = run.histogram.iter().map(|bucket| share(bucket.count)).fold(0.0, f64::max);
    let mut below = (first.up_to_us as f64 / BUCKET_RATIO).max(0.5);
    let x = Axis::logarithmic(below / 1.1, last.up_to_us as f64 * 1.15, 6, short_time);
    let y = Axis::linear(most * 1.1, 5, short);
    let each = &run.latency_us.each;
    let legend = format!(
        "{}{}",
        key("p50", &format!("p50 {}", time(each.p50))),
        key("p99", &format!("p99 {}", time(each.p99)))
    );
    let frame = Frame {
        title,
        legend,
        x: &x,
        x_title: "latency of each receiver (logarithmic)",
        y: &y,
        y_title: "share of deliveries, %",
    };
    frame.picture(|chart| {
        for bucket in &run.histogram {
            let up_to = bucket.up_to_us as f64;
            let corners = [(below, 0.0), (up_to, share(bucket.count))];
            chart.draw_series([Rectangle::new(corners, BAR.filled())])?;
            below = up_to;
        }
        for (us, colour) in [(each.p50, P50), (each.p99, P99)] {
            let us = us as f64;
            chart.draw_series([PathElement::new([(us, 0.0), (us, most * 1.1)], wide(colour))])?;
        }
        Ok(())
    })
}

/// Latencies of each piece of time. Where nothing came, there is no line.
pub(super) fn latency_over_time(run: &Report) -> Result<String, String> {
    let title = "Latency over time";
    let some = || run.timeline.iter().filter(|interval| interval.delivered > 0);
    let (true, Some(last)) = (some().count() > 1, run.timeline.last()) else { return Ok(nothing(title)) };
    let least = some().map(|interval| interval.p50_us.max(1)).min().unwrap_or(1) as f64;
    let most = some().map(|interval| interval.max_us).max().unwrap_or(1) as f64;
    let x = Axis::seconds(last.end_s);
    let y = Axis::logarithmic(least / 1.4, most * 1.4, 6, short_time);
    let legend = [key("p50", "p50"), key("p99", "p99"), key("max", "max")].concat();
    let frame =
        Frame { title, legend, x: &x, x_title: AFTER_WARMUP, y: &y, y_title: "latency (logarithmic)" };
    let lines: [(RGBColor, OfInterval); 3] =
        [(MAX, |piece| piece.max_us), (P99, |piece| piece.p99_us), (P50, |piece| piece.p50_us)];
    frame.picture(|chart| {
        for (colour, figure) in lines {
            for pieces in run.timeline.split(|interval| interval.delivered == 0) {
                let points =
                    pieces.iter().map(|piece| (piece.end_s - piece.length_s / 2.0, figure(piece) as f64));
                chart.draw_series(LineSeries::new(points, wide(colour)))?;
            }
        }
        Ok(())
    })
}

/// Deliveries a second of each piece of time.
pub(super) fn throughput_over_time(run: &Report) -> Result<String, String> {
    let title = "Throughput over time";
    let timeline = without_slivers(&run.timeline);
    let (true, Some(last)) = (timeline.len() > 1, timeline.last()) else { return Ok(nothing(title)) };
    let per_s = |piece: &Interval| piece.delivered as f64 / piece.length_s.max(1e-6);
    let most = timeline.iter().map(per_s).fold(1.0, f64::max);
    let x = Axis::seconds(last.end_s);
    let y = Axis::linear(most * 1.15, 6, short);
    let legend = key("p50", "deliveries");
    let frame = Frame { title, legend, x: &x, x_title: AFTER_WARMUP, y: &y, y_title: "deliveries a second" };
    frame.picture(|chart| {
        let points = timeline.iter().flat_map(|piece| {
            let rate = per_s(piece);
            [(piece.end_s - piece.length_s, rate), (piece.end_s, rate)]
        });
        chart.draw_series(AreaSeries::new(points, 0.0, P50.mix(0.22)).border_style(wide(P50)))?;
        Ok(())
    })
}

/// Pieces of time with each that is too short to tell a rate counted to the one before it: where a run, or a repeat of it,
/// ends soon behind a piece, few lines in nearly no time would stand there as a peak.
fn without_slivers(timeline: &[Interval]) -> Vec<Interval> {
    let lengths: Vec<f64> = timeline.iter().map(|piece| piece.length_s).collect();
    let typical_s = median(&lengths).unwrap_or_default();
    let mut whole: Vec<Interval> = Vec::new();
    for piece in timeline {
        match whole.last_mut() {
            Some(before) if piece.length_s < typical_s / 2.0 => {
                before.end_s = piece.end_s;
                before.length_s += piece.length_s;
                before.delivered += piece.delivered;
            }
            _ => whole.push(piece.clone()),
        }
    }
    whole
}

/// A step of a ramp on its curve.
pub(super) struct Point {
    /// Lines a second, or clients.
    pub(super) x: f64,
    /// What came of it; none where nothing did.
    pub(super) y: Option<f64>,
    /// It is not to be trusted.
    pub(super) is_invalid: bool,
}

/// How a figure goes as a ramp goes up: a line through what is to be trusted, and an empty ring for what is not.
pub(super) fn curve(
    title: &str,
    x_title: &str,
    y_title: &str,
    points: &[Point],
    is_time: bool,
) -> Result<String, String> {
    let known = || points.iter().filter_map(|point| Some((point.x, point.y?, point.is_invalid)));
    let greatest = known().map(|(_, y, _)| y).fold(0.0, f64::max);
    let least = known().map(|(_, y, _)| y).fold(f64::INFINITY, f64::min);
    if greatest <= 0.0 {
        return Ok(nothing(title));
    }
    let x = Axis::linear(points.iter().map(|point| point.x).fold(0.0, f64::max) * 1.05, 6, short);
    let y = match is_time {
        true => Axis::logarithmic(least.max(1.0) / 1.4, greatest * 1.4, 6, short_time),
        false => Axis::linear(greatest * 1.15, 6, short),
    };
    let colour = if is_time { P99 } else { P50 };
    let mut legend = key(if is_time { "p99" } else { "p50" }, y_title);
    if known().any(|(_, _, is_invalid)| is_invalid) {
        legend.push_str(&key("ring", "INVALID"));
    }
    let frame = Frame { title, legend, x: &x, x_title, y: &y, y_title };
    frame.picture(|chart| {
        let valid = || known().filter(|(_, _, is_invalid)| !is_invalid).map(|(x, y, _)| (x, y));
        chart.draw_series(LineSeries::new(valid(), wide(colour)))?;
        chart.draw_series(valid().map(|at| Circle::new(at, RING, colour.filled())))?;
        let rings = known().filter(|(_, _, is_invalid)| *is_invalid);
        chart.draw_series(rings.map(|(x, y, _)| Circle::new((x, y), RING, wide(BAD))))?;
        Ok(())
    })
}

/// One horizontal bar.
pub(super) struct Bar<'a> {
    /// Whose it is.
    pub(super) name: &'a str,
    /// How long, and the same in words; none where it is not known.
    pub(super) value: Option<(f64, String)>,
    /// It is the relay's.
    pub(super) is_ours: bool,
    /// It is not to be trusted: only its outline is drawn.
    pub(super) is_invalid: bool,
}

/// Horizontal bars, the longest as wide as the picture. `note`: which way is better.
pub(super) fn bars(title: &str, note: &str, bars: &[Bar<'_>]) -> Result<String, String> {
    let size = (SIZE.0, bars.len().max(1) as u32 * BAR_STEP as u32);
    let mut svg = String::new();
    draw_bars(&mut svg, size, bars).map_err(|error| failed(title, &*error))?;
    let note = format!("<span class=\"dim\">{note}</span>");
    Ok(format!("<figure class=\"bars\">{}{}</figure>", caption(title, &note), coloured(svg, title, size)))
}

fn draw_bars(svg: &mut String, size: (u32, u32), bars: &[Bar<'_>]) -> Result<(), Failure> {
    let root = SVGBackend::with_string(svg, size).into_drawing_area();
    let width = size.0 as i32;
    let most = bars.iter().filter_map(|bar| Some(bar.value.as_ref()?.0)).fold(0.0, f64::max);
    let letters = |ours: bool, at: HPos| {
        let colour = if ours { &OURS } else { &INK };
        TextStyle::from(("sans-serif", BAR_LETTERS)).color(colour).pos(Pos::new(at, VPos::Bottom))
    };
    for (index, bar) in bars.iter().enumerate() {
        let y = index as i32 * BAR_STEP;
        let words = bar.value.as_ref().map_or("not known", |(_, words)| words);
        let words = if bar.is_invalid { format!("INVALID  {words}") } else { words.to_owned() };
        root.draw(&Text::new(
            bar.name.to_owned(),
            (0, y + BAR_TOP - FINE),
            letters(bar.is_ours, HPos::Left),
        ))?;
        let mut right = letters(bar.is_ours, HPos::Right);
        if bar.is_invalid {
            right = right.color(&BAD);
        }
        root.draw(&Text::new(words, (width, y + BAR_TOP - FINE), right))?;
        let (top, bottom) = (y + BAR_TOP, y + BAR_TOP + BAR_HEIGHT);
        root.draw(&Rectangle::new([(0, top), (width, bottom)], GRID.filled()))?;
        if let Some((value, _)) = &bar.value {
            let share = if most > 0.0 { value / most } else { 0.0 };
            let length = ((share * f64::from(width)).round() as i32).max(BAR_LENGTH_MIN);
            let colour = if bar.is_ours { OURS } else { BAR };
            let filled = if bar.is_invalid { BAD } else { colour };
            root.draw(&Rectangle::new([(0, top), (length, bottom)], filled.filled()))?;
            if bar.is_invalid {
                let inner = [(OUTLINE, top + OUTLINE), (length - OUTLINE, bottom - OUTLINE)];
                root.draw(&Rectangle::new(inner, GRID.filled()))?;
            }
        }
    }
    root.present()?;
    Ok(())
}

/// The picture in the colours of the page, as wide as there is place.
fn coloured(mut svg: String, title: &str, (width, height): (u32, u32)) -> String {
    for (colour, named) in COLOURS {
        let RGBColor(red, green, blue) = colour;
        svg = svg.replace(&format!("#{red:02X}{green:02X}{blue:02X}"), named);
    }
    svg.replace(
        &format!("width=\"{width}\" height=\"{height}\" viewBox"),
        &format!("role=\"img\" aria-label=\"{title}\" viewBox"),
    )
}

fn failed(title: &str, error: &dyn std::error::Error) -> String {
    format!("{title}: the picture cannot be drawn: {error}")
}

impl Frame<'_> {
    /// The picture with its caption, in the colours of the page.
    fn picture(
        &self,
        draw: impl FnOnce(&mut Chart<'_, '_>) -> Result<(), Failure>,
    ) -> Result<String, String> {
        let mut svg = String::new();
        self.draw(&mut svg, draw).map_err(|error| failed(self.title, &*error))?;
        let svg = coloured(svg, self.title, SIZE);
        Ok(format!("<figure>{}{svg}</figure>", caption(self.title, &self.legend)))
    }

    fn draw(
        &self,
        svg: &mut String,
        draw: impl FnOnce(&mut Chart<'_, '_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(10 * FINE)
            .margin_right(20 * FINE)
            .x_label_area_size(50 * FINE)
            .y_label_area_size(84 * FINE)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        let thin = FINE as u32;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .axis_style(TEXT.stroke_width(thin))
            .bold_line_style(GRID.stroke_width(thin))
            .light_line_style(TRANSPARENT)
            .set_all_tick_mark_size(4 * FINE)
            .label_style(("sans-serif", 17 * FINE, &TEXT))
            .axis_desc_style(("sans-serif", 17 * FINE, &TEXT))
            .x_desc(self.x_title)
            .y_desc(self.y_title)
            .x_label_formatter(&|value| self.x.label(*value))
            .y_label_formatter(&|value| self.y.label(*value))
            .draw()?;
        draw(&mut chart)?;
        drop(chart);
        root.present()?;
        Ok(())
    }
}

fn wide(colour: RGBColor) -> ShapeStyle {
    colour.stroke_width(2 * FINE as u32)
}

fn key(class: &str, text: &str) -> String {
    format!("<span class=\"key {class}\">{text}</span>")
}

fn caption(title: &str, legend: &str) -> String {
    format!("<figcaption><b>{title}</b><span>{legend}</span></figcaption>")
}

fn nothing(title: &str) -> String {
    format!(
        "<figure>{}<p class=\"dim\">Too little was measured to draw anything.</p></figure>",
        caption(title, "")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_sliver_of_time_is_no_peak() {
        let piece =
            |end_s, length_s, delivered| Interval { end_s, length_s, delivered, ..Interval::default() };
        let timeline = [piece(0.25, 0.25, 100), piece(0.5, 0.25, 100), piece(0.51, 0.01, 40)];
        let whole = without_slivers(&timeline);
        assert_eq!(whole.len(), 2);
        assert_eq!(whole.last(), Some(&piece(0.51, 0.26, 140)));
        assert_eq!(without_slivers(&timeline[..2]), timeline[..2]);
    }
}
