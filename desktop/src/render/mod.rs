//! What is to be drawn, as data: the model read, never changed. Pixels, fonts and wrapping are the view's; it asks for
//! [`screen`] after each event, and for the rows that can be seen ([`row`], [`row_key`]).
//!
//! [`draw`] makes a text of it, so that tests compare what a person would see.

mod banner;
mod copy;
mod draw;
mod question;
mod row;
mod screen;
mod spans;
mod style;

pub use copy::{Point, copy_text};
pub use draw::draw;
pub use question::{Field, Question, operator_acts, question};
pub use row::{
    Name, Row, RowKind, Separator, can_be_answered, row, row_count, row_key, row_position, rows,
    unread_position,
};
pub use screen::{
    Banner, BannerKind, Button, Compose, ConversationRow, Hint, NameQuestion, PersonRow, Screen, SearchBar,
    SearchResult, people, rooms_with_drafts, screen,
};
pub use spans::{Span, is_web_link};
pub use style::{Paint, Style};
