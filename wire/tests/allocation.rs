//! What the relay does with each line that it passes on needs no memory of its own.

#![allow(clippy::unwrap_used, reason = "a test")]

use tertulia_wire::lines::{Line, Lines};
use tertulia_wire::message::Message;
use tertulia_wire::text::clean;

#[test]
fn taking_lines_off_a_read_cleaning_and_reading_them_allocates_nothing() {
    let read =
        "Ana: hola, ¿qué tal?\nAna se ha unido al chat.\n[RESPUESTA a 'hola'] Ana - Eva: sí\n/ping x\n"
            .repeat(50);
    let mut lines = Lines::default();
    let mut count = 0;
    let info = allocation_counter::measure(|| {
        let mut input = read.as_bytes();
        while let Some(Line::Whole(line)) = lines.next(&mut input) {
            let text = clean(std::str::from_utf8(line).unwrap_or_default());
            count += usize::from(!matches!(Message::parse(&text), Message::Text(_)));
        }
    });
    assert_eq!((count, info.count_total), (200, 0));
}
