//! Any cut of a byte stream gives the same lines; no line is longer than the limit, nor holds a line feed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tertulia_wire::lines::{Line, Lines};

fn all<'a>(max: usize, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Option<Vec<u8>>> {
    let mut lines = Lines::new(max);
    let mut found = Vec::new();
    for mut piece in pieces {
        while let Some(line) = lines.next(&mut piece) {
            found.push(match line {
                Line::Whole(text) => Some(text.to_vec()),
                Line::TooLong => None,
            });
        }
        assert!(lines.held_bytes() <= 2 * max + 16);
    }
    if let Some(Line::Whole(text)) = lines.finish() {
        found.push(Some(text.to_vec()));
    }
    found
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (max, step, bytes) = (usize::from(input.0) + 1, usize::from(input.1) + 1, input.2);
    let whole = all(max, std::iter::once(bytes));
    assert_eq!(whole, all(max, bytes.chunks(step)));
    assert_eq!(whole, all(max, bytes.chunks(1)));
    for line in whole.into_iter().flatten() {
        assert!(line.len() <= max && !line.contains(&b'\n'));
    }
});
