//! A sheet's title, words, rows and buttons.

use fltk::app;
use fltk::button::{Button, CheckButton};
use fltk::enums::{Align, Event, FrameType, Key};
use fltk::frame::Frame;
use fltk::group::{Group, Scroll, ScrollType};
use fltk::input::{Input as Field, SecretInput};
use fltk::prelude::*;

use super::choice::Choice;
use super::emoji::Grid;
use super::row::{Control, FormRow, row_height};
use crate::view::arrange::{Room, place};
use crate::view::list::{List, ListRow, Wishes};
use crate::view::paint::{Brush, EXACT, REGULAR, color, fill_round, outline_round};
use crate::view::parts::{Look, button, button_width, dress_field, frame, ink, set_label, set_words};
use crate::view::post::{Post, Wish};

/// Around a list that has nothing else around it, in pixels: the corners are round.
const BARE_MARGIN: i32 = 4;

/// A sheet that is built.
pub(super) struct Form {
    pub(super) group: Group,
    title: Option<Frame>,
    words: Vec<Frame>,
    scroll: Scroll,
    pub(super) rows: Vec<FormRow>,
    buttons: Vec<Button>,
    pub(super) grid: Option<Grid>,
    pub(super) list: Option<List>,
    /// What is wrong with what was filled in.
    trouble: Frame,
    /// Characters that the sheet is wide.
    columns: i32,
}

/// Puts a sheet together, inside the group that is open.
pub(super) struct Builder<'a> {
    pub(super) brush: &'a Brush,
    post: &'a Post,
    form: Form,
}

impl<'a> Builder<'a> {
    pub(super) fn new(brush: &'a Brush, post: &'a Post, title: &str, columns: i32) -> Self {
        let palette = brush.palette();
        let mut group = Group::new(0, 0, 10, 10, None);
        group.set_frame(FrameType::NoBox);
        // The ground first, then what stands on it.
        group.super_draw_first(false);
        group.draw(move |group| {
            let (x, y, w, h) = (group.x(), group.y(), group.w(), group.h());
            fill_round(x, y, w, h, palette.panel);
            outline_round(x, y, w, h, palette.border);
        });
        let heading = (!title.is_empty()).then(|| {
            let mut heading = frame(brush, title, Align::Left);
            ink(&mut heading, brush, palette.text, true);
            heading
        });
        let mut trouble = frame(brush, "", Align::Left);
        ink(&mut trouble, brush, palette.failed, false);
        trouble.set_align(Align::Left | Align::Inside | Align::Wrap | Align::Top);
        let mut scroll = Scroll::new(0, 0, 10, 10, None);
        scroll.set_type(ScrollType::Vertical);
        scroll.set_color(color(palette.panel));
        scroll.set_scrollbar_size(brush.scroll_width());
        let mut bar = scroll.scrollbar();
        bar.set_frame(FrameType::FlatBox);
        bar.set_color(color(palette.panel));
        bar.set_slider_frame(FrameType::RFlatBox);
        bar.set_selection_color(color(palette.border));
        scroll.end();
        let form = Form {
            group,
            title: heading,
            words: Vec::new(),
            scroll,
            rows: Vec::new(),
            buttons: Vec::new(),
            grid: None,
            list: None,
            trouble,
            columns,
        };
        Self { brush, post, form }
    }

    /// Words below the title.
    pub(super) fn words(&mut self, text: &str, is_error: bool) {
        let palette = self.brush.palette();
        let mut words = frame(self.brush, text, Align::Left);
        let colour = if is_error { palette.failed } else { palette.muted };
        ink(&mut words, self.brush, colour, false);
        words.set_align(Align::Left | Align::Inside | Align::Wrap | Align::Top);
        self.form.words.push(words);
    }

    /// What is compared letter by letter: each as wide as the next.
    pub(super) fn exact(&mut self, text: &str) {
        let text_colour = self.brush.palette().text;
        self.words(text, false);
        if let Some(exact) = self.form.words.last_mut() {
            ink(exact, self.brush, text_colour, false);
            exact.set_label_font(EXACT);
        }
    }

    fn row(&mut self, label: Option<&str>, control: Control) {
        let label = label.map(|text| {
            let mut label = frame(self.brush, text, Align::Left);
            label.set_align(Align::Left | Align::Inside | Align::Clip | Align::Wrap);
            label.set_label_color(color(self.brush.palette().muted));
            label.set_label_size(self.brush.small());
            self.form.scroll.add(&label);
            label
        });
        match &control {
            Control::Field(field) => self.form.scroll.add(field),
            Control::Secret(field) => self.form.scroll.add(field),
            Control::Choice(choice) => self.form.scroll.add(&choice.widget),
            Control::Check(check) => self.form.scroll.add(check),
        }
        self.form.rows.push(FormRow { label, control });
    }

    /// A field with what stands in it.
    pub(super) fn field(&mut self, label: &str, value: &str) {
        let mut field = Field::new(0, 0, 10, 10, None);
        field.set_label(label);
        field.set_label_type(fltk::enums::LabelType::None);
        dress_field(&mut field, self.brush);
        field.set_value(value);
        let _ = field.set_position(i32::try_from(value.len()).unwrap_or(i32::MAX));
        field.super_handle_first(false);
        let (post, scroll) = (self.post.clone(), self.form.scroll.clone());
        field.handle(move |field, event| {
            if event == Event::Focus {
                bring(&scroll, field);
            }
            event == Event::KeyDown && press(&post)
        });
        self.row(Some(label), Control::Field(field));
    }

    /// What stands in the last field is replaced by what is typed.
    pub(super) fn select(&mut self) {
        if let Some(FormRow { control: Control::Field(field), .. }) = self.form.rows.last_mut() {
            let length = i32::try_from(field.value().len()).unwrap_or(i32::MAX);
            let _ = field.set_position(length);
            let _ = field.set_mark(0);
        }
    }

    /// A field for a password.
    pub(super) fn secret(&mut self, label: &str) {
        let mut field = SecretInput::new(0, 0, 10, 10, None);
        field.set_label(label);
        field.set_label_type(fltk::enums::LabelType::None);
        dress_field(&mut field, self.brush);
        field.super_handle_first(false);
        let post = self.post.clone();
        field.handle(move |_, event| event == Event::KeyDown && press(&post));
        self.row(Some(label), Control::Secret(field));
    }

    /// One of several.
    pub(super) fn choice(&mut self, label: &str, options: &[&str], chosen: usize) {
        let choice = Choice::new(*self.brush, self.post, label, options, chosen);
        let scroll = self.form.scroll.clone();
        choice.when_focused(move |widget| bring(&scroll, widget));
        self.row(Some(label), Control::Choice(choice));
    }

    /// Yes or no.
    pub(super) fn check(&mut self, label: &str, is_checked: bool) {
        let palette = self.brush.palette();
        let mut check = CheckButton::new(0, 0, 10, 10, None);
        // The toolkit leaves nothing between the box and the words.
        set_label(&mut check, &format!(" {label}"));
        check.set_checked(is_checked);
        check.set_label_color(color(palette.text));
        check.set_label_font(REGULAR);
        check.set_label_size(self.brush.size);
        check.set_color(color(palette.background));
        check.set_selection_color(color(palette.accent));
        let scroll = self.form.scroll.clone();
        check.handle(move |check, event| {
            if event == Event::Focus {
                bring(&scroll, check);
            }
            false
        });
        self.row(None, Control::Check(check));
    }

    /// The emoji in a grid, below a field that looks for some.
    pub(super) fn grid(&mut self) {
        self.form.grid = Some(Grid::new(*self.brush, self.post));
        let (Some(grid), Some(FormRow { control: Control::Field(field), .. })) =
            (&self.form.grid, self.form.rows.first_mut())
        else {
            return;
        };
        field.set_trigger(fltk::enums::CallbackTrigger::Changed);
        let mut found = grid.clone();
        field.set_callback(move |field| found.look_for(&field.value()));
    }

    /// Rows to choose from.
    pub(super) fn list(&mut self, label: &str, rows: Vec<ListRow>, wishes: Wishes) -> &mut List {
        let mut list = List::new(*self.brush, self.post, label, wishes);
        list.set(rows);
        self.form.list.insert(list)
    }

    /// A button that accepts what stands there, or does not.
    pub(super) fn button(&mut self, label: &str, is_accepted: bool) {
        let look = if is_accepted { Look::Strong } else { Look::Calm };
        let wish = Wish::CloseSheet { is_accepted };
        let mut button = button(self.brush, label, look, self.post, wish);
        // Here the keyboard goes from one to the next.
        button.visible_focus(true);
        self.form.buttons.push(button);
    }

    pub(super) fn build(self) -> Form {
        self.form.group.end();
        self.form
    }
}

impl Form {
    /// Where the keyboard goes first.
    pub(super) fn focus(&mut self) {
        if let Some(list) = &mut self.list {
            let _ = list.widget.take_focus();
            return;
        }
        match self.rows.first_mut().map(|row| &mut row.control) {
            Some(Control::Field(field)) => drop(field.take_focus()),
            Some(Control::Secret(field)) => drop(field.take_focus()),
            Some(Control::Choice(choice)) => drop(choice.widget.take_focus()),
            Some(Control::Check(check)) => drop(check.take_focus()),
            None => drop(self.buttons.first_mut().map(|button| button.take_focus())),
        }
    }

    /// How large it would like to be.
    pub(super) fn size(&self, brush: &Brush) -> (i32, i32) {
        let width = self.columns * brush.size * 4 / 7;
        let inner = width - 2 * brush.margin();
        let words: i32 = self.words.iter().map(|words| words_height(brush, words, inner)).sum();
        let trouble = words_height(brush, &self.trouble, inner);
        let list = self.list.as_ref().map_or(0, |list| list.wanted_height());
        let title = if self.title.is_some() { brush.control() } else { 0 };
        let grid = if self.grid.is_some() { 14 * brush.control() } else { 0 };
        let buttons = if self.buttons.is_empty() { 0 } else { brush.control() + brush.margin() };
        let rows: i32 = self.rows.iter().map(|row| row_height(brush, row)).sum();
        let around = if self.is_bare() { 2 * BARE_MARGIN } else { 2 * brush.margin() };
        (width, around + title + words + trouble + rows + grid + list + buttons)
    }

    /// Puts the parts in their places.
    pub(super) fn arrange(&mut self, brush: &Brush, room: Room) {
        if let Some(list) = self.list.as_mut().filter(|_| self.title.is_none()) {
            return place(&mut list.widget, room.inset(BARE_MARGIN, BARE_MARGIN));
        }
        let mut room = room.inset(brush.margin(), brush.margin());
        if let Some(title) = &mut self.title {
            place(title, room.top(brush.control()));
        }
        for words in &mut self.words {
            let height = words_height(brush, words, room.w);
            place(words, room.top(height));
        }
        if !self.buttons.is_empty() {
            let mut foot = room.bottom(brush.control());
            room.bottom(brush.margin());
            for button in &mut self.buttons {
                let width = button_width(brush, &button.label());
                place(button, foot.right(width));
                foot.right(brush.gap());
            }
        }
        let height = words_height(brush, &self.trouble, room.w);
        place(&mut self.trouble, room.bottom(height));
        if let Some(list) = &mut self.list {
            return place(&mut list.widget, room);
        }
        let rows: i32 = self.rows.iter().map(|row| row_height(brush, row)).sum();
        let mut area = if self.grid.is_some() { room.top(rows) } else { room };
        let has_bar = rows > area.h;
        if has_bar {
            area.h = self.whole_rows(brush, area.h);
        }
        place(&mut self.scroll, area);
        area.y -= self.scroll.yposition();
        area.w -= if has_bar { brush.scroll_width() + brush.gap() } else { 0 };
        // More than is seen has its place as well.
        area.h = rows.max(area.h);
        for row in &mut self.rows {
            let mut part = area.top(row_height(brush, row));
            part.bottom(brush.gap());
            if let Some(label) = &mut row.label {
                place(label, part.left(part.w * 9 / 20));
                part.left(brush.gap());
            }
            match &mut row.control {
                Control::Field(field) => place(field, part),
                Control::Secret(field) => place(field, part),
                Control::Choice(choice) => place(&mut choice.widget, part),
                Control::Check(check) => place(check, part),
            }
        }
        if let Some(grid) = &mut self.grid {
            place(&mut grid.widget, room);
        }
    }

    /// The height of as many rows as fit, so that none is cut.
    fn whole_rows(&self, brush: &Brush, height: i32) -> i32 {
        let mut whole = 0;
        for row in &self.rows {
            let next = whole + row_height(brush, row);
            if next > height {
                break;
            }
            whole = next;
        }
        if whole == 0 { height } else { whole }
    }

    /// Says what is wrong; the sheet is to be arranged anew.
    pub(super) fn complain(&mut self, brush: &Brush, trouble: &str) {
        set_words(&mut self.trouble, trouble);
        ink(&mut self.trouble, brush, brush.palette().failed, false);
    }

    /// Only a list, to its edges.
    fn is_bare(&self) -> bool {
        self.title.is_none()
    }
}

/// What has the keyboard can be seen.
fn bring(scroll: &Scroll, widget: &impl WidgetExt) {
    let mut scroll = scroll.clone();
    let above = scroll.y() - widget.y();
    let below = widget.y() + widget.h() - scroll.y() - scroll.h();
    if above > 0 || below > 0 {
        let down = if above > 0 { -above } else { below };
        scroll.scroll_to(0, scroll.yposition() + down);
    }
}

fn words_height(brush: &Brush, words: &Frame, width: i32) -> i32 {
    fltk::draw::set_font(words.label_font(), brush.size);
    if words.label().is_empty() {
        return 0;
    }
    let (_, height) = fltk::draw::wrap_measure(&words.label(), width, false);
    height + brush.gap()
}

/// The keys of a sheet.
pub(super) fn press(post: &Post) -> bool {
    let is_accepted = match app::event_key() {
        Key::Escape => false,
        Key::Enter | Key::KPEnter => true,
        _ => return false,
    };
    post.send(Wish::CloseSheet { is_accepted });
    true
}
