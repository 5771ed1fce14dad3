//! The pictures of a report, as SVG within the page.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use super::units::{short, short_time, time};
use crate::report::{Interval, Report};

/// The picture has whole coordinates: the finer, the smoother.
const FINE: i32 = 4;
const SIZE: (u32, u32) = (440 * FINE as u32, 280 * FINE as u32);
/// What the page's style says for each of these; no other colour is in a picture.
const COLOURS: [(RGBColor, &str); 8] = [
    (TEXT, "var(--dim)"),
    (GRID, "var(--line)"),
    (BAR, "var(--bar)"),
    (P50, "var(--p50)"),
    (P99, "var(--p99)"),
    (MAX, "var(--max)"),
    (INK, "var(--ink)"),
    (OURS, "var(--ours)"),
];
const TEXT: RGBColor = RGBColor(1, 2, 1);
const GRID: RGBColor = RGBColor(1, 2, 2);
const BAR: RGBColor = RGBColor(1, 2, 3);
const P50: RGBColor = RGBColor(1, 2, 4);
const P99: RGBColor = RGBColor(1, 2, 5);
const MAX: RGBColor = RGBColor(1, 2, 6);
const INK: RGBColor = RGBColor(1, 2, 7);
const OURS: RGBColor = RGBColor(1, 2, 8);
/// Of one bar with the words above it, in the same steps as the picture's size.
const BAR_STEP: i32 = 44 * FINE;
const BAR_TOP: i32 = 28 * FINE;
const BAR_HEIGHT: i32 = 10 * FINE;
const BAR_LETTERS: i32 = 17 * FINE;
/// A bar is never so short that nobody sees whose it is.
const BAR_LENGTH_MIN: i32 = 3 * FINE;
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
    let y = Axis::linear(most * 1.1, 5, |share| format!("{} %", short(share)));
    let each = &run.latency_us.each;
    let legend = format!(
        "{}{}",
        key("p50", &format!("p50 {}", time(each.p50))),
        key("p99", &format!("p99 {}", time(each.p99)))
    );
    let frame = Frame { title, legend, x: &x, x_title: "latency of each receiver (logarithmic)", y: &y };
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
    let frame = Frame { title, legend, x: &x, x_title: "time behind the warm-up", y: &y };
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
    let (true, Some(last)) = (run.timeline.len() > 1, run.timeline.last()) else { return Ok(nothing(title)) };
    let per_s = |piece: &Interval| piece.delivered as f64 / piece.length_s.max(1e-6);
    let most = run.timeline.iter().map(per_s).fold(1.0, f64::max);
    let x = Axis::seconds(last.end_s);
    let y = Axis::linear(most * 1.15, 6, |rate| format!("{}/s", short(rate)));
    let legend = key("p50", "deliveries");
    let frame = Frame { title, legend, x: &x, x_title: "time behind the warm-up", y: &y };
    frame.picture(|chart| {
        let points = run.timeline.iter().flat_map(|piece| {
            let rate = per_s(piece);
            [(piece.end_s - piece.length_s, rate), (piece.end_s, rate)]
        });
        chart.draw_series(AreaSeries::new(points, 0.0, P50.mix(0.22)).border_style(wide(P50)))?;
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
        root.draw(&Text::new(
            bar.name.to_owned(),
            (0, y + BAR_TOP - FINE),
            letters(bar.is_ours, HPos::Left),
        ))?;
        root.draw(&Text::new(
            words.to_owned(),
            (width, y + BAR_TOP - FINE),
            letters(bar.is_ours, HPos::Right),
        ))?;
        let (top, bottom) = (y + BAR_TOP, y + BAR_TOP + BAR_HEIGHT);
        root.draw(&Rectangle::new([(0, top), (width, bottom)], GRID.filled()))?;
        if let Some((value, _)) = &bar.value {
            let share = if most > 0.0 { value / most } else { 0.0 };
            let length = ((share * f64::from(width)).round() as i32).max(BAR_LENGTH_MIN);
            let colour = if bar.is_ours { OURS } else { BAR };
            root.draw(&Rectangle::new([(0, top), (length, bottom)], colour.filled()))?;
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
            .y_label_area_size(62 * FINE)
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
