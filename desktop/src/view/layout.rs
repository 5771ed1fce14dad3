//! Where the words of a row stand: text in styles goes in, lines that fit a width come out. Knows no font; it is given a
//! function that measures.

use unicode_linebreak::{BreakOpportunity, linebreaks};
use unicode_segmentation::UnicodeSegmentation;

/// Text in one style.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a, S> {
    pub(super) text: &'a str,
    pub(super) style: S,
}

/// A part of a line in one style: bytes `start..end` of the runs' text in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece<S> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) style: S,
    /// Which of the runs it is of.
    pub(super) run: usize,
}

/// A line: bytes `start..end`, the break behind them not counted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line<S> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) pieces: Vec<Piece<S>>,
}

impl<S> Line<S> {
    /// How far it goes.
    pub(super) fn width(&self) -> f64 {
        self.pieces.last().map_or(0.0, |piece| piece.x + piece.width)
    }
}

/// Breaks text into lines that are no wider than `width`, where the script allows it; what is wider by itself is broken
/// between characters. There is at least one line.
pub(super) fn wrap<S: Copy>(
    runs: &[Run<'_, S>],
    width: f64,
    measure: &mut impl FnMut(&str, S) -> f64,
) -> Vec<Line<S>> {
    let text: String = runs.iter().map(|run| run.text).collect();
    let mut wrapper = Wrapper::new(runs, &text, width, measure);
    let mut start = 0;
    for (end, opportunity) in linebreaks(&text) {
        wrapper.put_word(start, end);
        // The last one is the end of the text.
        if opportunity == BreakOpportunity::Mandatory && end < text.len() {
            wrapper.end_line(end);
        }
        start = end;
    }
    if text.ends_with(is_break) {
        wrapper.end_line(text.len());
    }
    wrapper.finish()
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{2028}' | '\u{2029}')
}

struct Wrapper<'a, S, M> {
    runs: &'a [Run<'a, S>],
    /// Where each run begins.
    starts: Vec<usize>,
    text: &'a str,
    width: f64,
    measure: &'a mut M,
    lines: Vec<Line<S>>,
    line: Line<S>,
}

impl<'a, S: Copy, M: FnMut(&str, S) -> f64> Wrapper<'a, S, M> {
    fn new(runs: &'a [Run<'a, S>], text: &'a str, width: f64, measure: &'a mut M) -> Self {
        let mut at = 0;
        let mut starts = Vec::with_capacity(runs.len());
        for run in runs {
            starts.push(at);
            at += run.text.len();
        }
        let line = Line { start: 0, end: 0, pieces: Vec::new() };
        Self { runs, starts, text, width, measure, lines: Vec::new(), line }
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// The parts of `start..end` by style, with their widths.
    fn pieces(&mut self, start: usize, end: usize) -> Vec<Piece<S>> {
        let mut pieces = Vec::new();
        let mut x = 0.0;
        let first = self.starts.partition_point(|at| *at <= start).saturating_sub(1);
        for index in first..self.runs.len() {
            let (Some(run), Some(at)) = (self.runs.get(index), self.starts.get(index)) else { break };
            let (from, to) = (start.max(*at), end.min(at + run.text.len()));
            if *at >= end {
                break;
            }
            if from < to {
                let words = self.slice(from, to);
                let width = (self.measure)(words, run.style);
                pieces.push(Piece { start: from, end: to, x, width, style: run.style, run: index });
                x += width;
            }
        }
        pieces
    }

    /// Puts what may not be broken, and the space behind it.
    fn put_word(&mut self, start: usize, end: usize) {
        let word = self.slice(start, end);
        let end = end - word.chars().rev().take_while(|c| is_break(*c)).map(char::len_utf8).sum::<usize>();
        let ink_end = start + self.slice(start, end).trim_end_matches(' ').len();
        let (ink, space) = (self.pieces(start, ink_end), self.pieces(ink_end, end));
        let ink_width: f64 = ink.iter().map(|piece| piece.width).sum();
        if self.line.width() + ink_width > self.width && !self.line.pieces.is_empty() {
            self.end_line(start);
        }
        if ink_width > self.width {
            self.put_broken(start, ink_end);
        } else {
            ink.into_iter().for_each(|piece| self.push(piece));
        }
        space.into_iter().for_each(|piece| self.push(piece));
        self.line.end = end;
    }

    /// Puts a word that is wider than a line.
    fn put_broken(&mut self, start: usize, end: usize) {
        for (offset, grapheme) in self.slice(start, end).grapheme_indices(true) {
            let at = start + offset;
            for piece in self.pieces(at, at + grapheme.len()) {
                if self.line.width() + piece.width > self.width && !self.line.pieces.is_empty() {
                    self.end_line(at);
                }
                self.push(piece);
            }
        }
    }

    fn push(&mut self, piece: Piece<S>) {
        let x = self.line.width();
        self.line.end = piece.end;
        if let Some(last) = self.line.pieces.last_mut() {
            if last.run == piece.run && last.end == piece.start {
                last.end = piece.end;
                last.width += piece.width;
                return;
            }
        }
        self.line.pieces.push(Piece { x, ..piece });
    }

    fn end_line(&mut self, next: usize) {
        let line = std::mem::replace(&mut self.line, Line { start: next, end: next, pieces: Vec::new() });
        self.lines.push(line);
    }

    fn finish(mut self) -> Vec<Line<S>> {
        self.end_line(0);
        self.lines
    }
}

/// The byte nearest to `x` within a line, between characters.
pub(super) fn offset_at<S: Copy>(
    line: &Line<S>,
    x: f64,
    text: &str,
    measure: &mut impl FnMut(&str, S) -> f64,
) -> usize {
    let Some(piece) = line.pieces.iter().find(|piece| x < piece.x + piece.width) else { return line.end };
    let words = text.get(piece.start..piece.end).unwrap_or_default();
    let mut before = 0.0;
    for (offset, grapheme) in words.grapheme_indices(true) {
        let end = offset + grapheme.len();
        let after = measure(words.get(..end).unwrap_or_default(), piece.style);
        if x - piece.x < (before + after) / 2.0 {
            return piece.start + offset;
        }
        before = after;
    }
    piece.end
}

/// How far from the line's beginning a byte of it stands.
pub(super) fn x_at<S: Copy>(
    line: &Line<S>,
    offset: usize,
    text: &str,
    measure: &mut impl FnMut(&str, S) -> f64,
) -> f64 {
    let Some(piece) = line.pieces.iter().find(|piece| offset < piece.end) else { return line.width() };
    piece.x + measure(text.get(piece.start..offset.max(piece.start)).unwrap_or_default(), piece.style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Each character is one wide.
    fn measure(text: &str, _: u8) -> f64 {
        text.chars().count() as f64
    }

    fn lines(runs: &[&str], width: f64) -> Vec<String> {
        let text: String = runs.concat();
        let runs: Vec<_> =
            runs.iter().enumerate().map(|(index, text)| Run { text, style: index as u8 }).collect();
        let lines = wrap(&runs, width, &mut measure);
        lines.iter().map(|line| text[line.start..line.end].to_owned()).collect()
    }

    #[test]
    fn words_go_to_the_next_line_and_leave_their_space_behind() {
        assert_eq!(lines(&["hola qué tal"], 8.0), ["hola qué ", "tal"]);
        assert_eq!(lines(&["hola qué tal"], 7.0), ["hola ", "qué tal"]);
        assert_eq!(lines(&[""], 5.0), [""]);
    }

    #[test]
    fn what_is_too_wide_by_itself_is_broken_between_characters() {
        assert_eq!(lines(&["a abcdefgh b"], 4.0), ["a ", "abcd", "efgh ", "b"]);
    }

    #[test]
    fn breaks_of_the_text_are_kept() {
        assert_eq!(lines(&["uno\u{2028}dos\n\ntres\n"], 20.0), ["uno", "dos", "", "tres", ""]);
    }

    #[test]
    fn a_word_in_several_styles_is_not_broken_where_they_change() {
        assert_eq!(lines(&["ab ", "cd", "ef"], 6.0), ["ab ", "cdef"]);
    }

    #[test]
    fn letters_without_spaces_between_them_break_where_their_script_does() {
        assert_eq!(lines(&["漢字漢字漢字"], 4.0), ["漢字漢字", "漢字"]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_it_may_be_and_every_byte_is_in_one(
            texts in proptest::collection::vec("[a-z漢é 🙂\u{2028}\n.-]{0,30}", 0..4), width in 3.0..40.0f64,
        ) {
            let runs: Vec<_> = texts.iter().map(|text| Run { text: text.as_str(), style: 0 }).collect();
            let text = texts.concat();
            let lines = wrap(&runs, width, &mut measure);
            let mut at = 0;
            for line in &lines {
                prop_assert!(text[at..line.start].chars().all(is_break), "nothing is left out");
                let ink = text[line.start..line.end].trim_end_matches(' ');
                prop_assert!(measure(ink, 0) <= width, "{ink}");
                prop_assert_eq!(line.width(), measure(&text[line.start..line.end], 0));
                at = line.end;
            }
            prop_assert!(text[at..].chars().all(is_break));
        }

        #[test]
        fn a_place_is_found_again_where_it_was_drawn(text in "[a-zé漢 ]{1,40}", width in 4.0..20.0f64) {
            let runs = [Run { text: text.as_str(), style: 0 }];
            for line in wrap(&runs, width, &mut measure) {
                for (offset, _) in text[line.start..line.end].char_indices() {
                    let offset = line.start + offset;
                    let x = x_at(&line, offset, &text, &mut measure);
                    prop_assert_eq!(offset_at(&line, x + 0.1, &text, &mut measure), offset);
                }
            }
        }
    }
}
