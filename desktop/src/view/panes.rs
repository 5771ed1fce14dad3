//! What the window is made of: each part made once, in the order in which it is drawn.

use fltk::button::Button;
use fltk::enums::{Align, CallbackTrigger, Event, FrameType, Key};
use fltk::frame::Frame;
use fltk::group::Group;
use fltk::input::Input as Field;
use fltk::prelude::*;
use fltk::widget::Widget;
use fltk::window::DoubleWindow;
use fltk::{app, draw};

use super::input::Input;
use super::list::{List, Wishes};
use super::paint::{Brush, color, fill, fill_round, outline_round};
use super::parts::{Look, Strip, button, dress, dress_field, field, frame, ink, set_name};
use super::post::{Post, Sheet, Wish};
use super::transcript::Transcript;
use super::{CLASS, SIZE, SIZE_MIN, handle_window, keys};
use crate::model::Act;
use crate::phrases::{Language, Phrase};

/// All parts.
pub(super) struct Panes {
    pub(super) window: DoubleWindow,
    /// Behind everything: the panels and the lines between them.
    pub(super) ground: Widget,
    pub(super) rooms: List,
    pub(super) join: Button,
    pub(super) own_name: Button,
    pub(super) heading: Frame,
    pub(super) count: Frame,
    pub(super) find: Button,
    pub(super) show_people: Button,
    pub(super) settings: Button,
    pub(super) banner: Strip,
    pub(super) banner_button: Button,
    pub(super) search: SearchParts,
    pub(super) transcript: Transcript,
    pub(super) jump: Button,
    /// To the rule above what was not read.
    pub(super) unread: Button,
    /// The ground below the transcript.
    pub(super) floor: Widget,
    pub(super) hint: Frame,
    pub(super) reply: Frame,
    pub(super) reply_cancel: Button,
    pub(super) field: Widget,
    pub(super) input: Input,
    pub(super) emoji: Button,
    pub(super) send: Button,
    pub(super) people: List,
    /// What lies over the window.
    pub(super) veil: Group,
}

/// The search bar.
pub(super) struct SearchParts {
    pub(super) field: Field,
    pub(super) status: Frame,
    pub(super) up: Button,
    pub(super) down: Button,
    pub(super) history: Button,
    pub(super) close: Button,
    pub(super) results: List,
}

impl Panes {
    /// Makes the window and shows it.
    pub(super) fn new(brush: Brush, post: &Post, language: Language) -> Self {
        let say = |phrase: Phrase| phrase.in_language(language);
        let mut window = begin_window(&brush);
        let ground = surface();
        let wishes = Wishes { pick: Wish::PickConversation, menu: Wish::ConversationMenu };
        let rooms = List::new(brush, post, say(Phrase::Rooms), wishes);
        let press = |label: &str, look, wish| button(&brush, label, look, post, wish);
        let join = press("+", Look::Flat, Wish::Open(Sheet::Room));
        let mut own_name = press("", Look::Flat, Wish::Open(Sheet::Settings));
        own_name.set_align(Align::Left | Align::Inside | Align::Clip);
        let heading = frame(&brush, "", Align::Left);
        let count = frame(&brush, "", Align::Left);
        let find = press(say(Phrase::SearchLabel), Look::Flat, Wish::Act(Act::OpenSearch));
        let show_people = press(say(Phrase::PeopleLabel), Look::Flat, Wish::TogglePeople);
        let settings = press(say(Phrase::Settings), Look::Flat, Wish::Open(Sheet::Settings));
        let banner = Strip::new(&brush);
        let banner_button = press("", Look::Calm, Wish::Act(Act::Reconnect));
        let search = SearchParts::new(&brush, post, language);
        let mut transcript = Transcript::new(brush, post, say(Phrase::Transcript));
        let jump = press("", Look::Strong, Wish::Act(Act::JumpToEnd));
        let unread = press("", Look::Strong, Wish::Act(Act::JumpToUnread));
        let floor = surface();
        let hint = frame(&brush, "", Align::Left);
        let reply = frame(&brush, "", Align::Left);
        let reply_cancel = press("×", Look::Flat, Wish::Act(Act::Cancel));
        transcript.lies_under(&[jump.clone(), unread.clone()]);
        let field = surface();
        let input = Input::new(brush, post);
        let emoji = press("☺", Look::Flat, Wish::Open(Sheet::Emoji));
        let send = press(say(Phrase::Send), Look::Strong, Wish::SendNow);
        let wishes = Wishes { pick: Wish::PickPerson, menu: Wish::PersonMenu };
        let people = List::new(brush, post, say(Phrase::PeopleLabel), wishes);
        let veil = veil();
        window.end();
        window.make_resizable(true);
        listen(&mut window, post);
        window.show();
        let mut panes = Self {
            window,
            ground,
            rooms,
            join,
            own_name,
            heading,
            count,
            find,
            show_people,
            settings,
            banner,
            banner_button,
            search,
            transcript,
            jump,
            unread,
            floor,
            hint,
            reply,
            reply_cancel,
            field,
            input,
            emoji,
            send,
            people,
            veil,
        };
        panes.restyle(brush, language);
        panes.focus_input();
        panes
    }

    /// The input has the keyboard.
    pub(super) fn focus_input(&mut self) {
        let _ = self.input.widget.take_focus();
    }

    /// The next pane that can be seen has the keyboard, or the one before.
    pub(super) fn focus_next(&mut self, is_back: bool) {
        let mut panes = vec![self.rooms.widget.as_base_widget(), self.transcript.widget.as_base_widget()];
        if self.search.field.visible() {
            panes.push(self.search.field.as_base_widget());
        }
        if self.search.results.widget.visible() {
            panes.push(self.search.results.widget.as_base_widget());
        }
        panes.push(self.input.widget.as_base_widget());
        if self.people.widget.visible() {
            panes.push(self.people.widget.as_base_widget());
        }
        let now = panes.iter().position(|pane| pane.has_focus()).unwrap_or_default();
        let step = if is_back { panes.len() - 1 } else { 1 };
        let next = (now + step) % panes.len();
        if let Some(pane) = panes.get_mut(next) {
            let _ = pane.take_focus();
        }
    }

    /// Other colours, another font, another language.
    pub(super) fn restyle(&mut self, brush: Brush, language: Language) {
        let palette = brush.palette();
        self.window.set_color(color(palette.panel));
        draw_ground(&mut self.ground, brush);
        draw_floor(&mut self.floor, brush);
        draw_field(&mut self.field, brush);
        self.rooms.restyle(brush);
        self.people.restyle(brush);
        self.input.restyle(brush);
        let flat = [&mut self.join, &mut self.own_name, &mut self.find, &mut self.show_people];
        flat.into_iter().for_each(|button| dress(button, &brush, Look::Flat));
        let flat = [&mut self.settings, &mut self.reply_cancel, &mut self.emoji];
        flat.into_iter().for_each(|button| dress(button, &brush, Look::Flat));
        dress(&mut self.banner_button, &brush, Look::Calm);
        dress(&mut self.jump, &brush, Look::Strong);
        dress(&mut self.unread, &brush, Look::Strong);
        dress(&mut self.send, &brush, Look::Strong);
        self.emoji.set_color(color(palette.background));
        ink(&mut self.heading, &brush, palette.text, true);
        ink(&mut self.count, &brush, palette.muted, false);
        ink(&mut self.hint, &brush, palette.muted, false);
        ink(&mut self.reply, &brush, palette.muted, false);
        self.hint.set_label_size(brush.small());
        self.reply.set_label_size(brush.small());
        self.search.restyle(&brush);
        let say = |phrase: Phrase| phrase.in_language(language);
        self.find.set_label(say(Phrase::SearchLabel));
        self.show_people.set_label(say(Phrase::PeopleLabel));
        self.settings.set_label(say(Phrase::Settings));
        self.send.set_label(say(Phrase::Send));
        self.rooms.widget.set_label(say(Phrase::Rooms));
        self.search.results.widget.set_label(say(Phrase::SearchHistory));
        self.people.widget.set_label(say(Phrase::PeopleLabel));
        self.transcript.widget.set_label(say(Phrase::Transcript));
        self.search.field.set_label(say(Phrase::SearchLabel));
        self.unread.set_label(say(Phrase::ToUnread));
        let names = [
            (&mut self.join, Phrase::JoinRoom, "Ctrl+K"),
            (&mut self.own_name, Phrase::OwnName, "Ctrl+,"),
            (&mut self.find, Phrase::SearchLabel, "Ctrl+F"),
            (&mut self.show_people, Phrase::PeopleLabel, "Ctrl+P"),
            (&mut self.settings, Phrase::Settings, "Ctrl+,"),
            (&mut self.banner_button, Phrase::Connect, "F5"),
            (&mut self.search.up, Phrase::SearchUp, "Enter"),
            (&mut self.search.down, Phrase::SearchDown, "F3"),
            (&mut self.search.history, Phrase::SearchHistory, "Ctrl+Enter"),
            (&mut self.search.close, Phrase::SearchClose, "Esc"),
            (&mut self.unread, Phrase::ToUnread, "Ctrl+J"),
            (&mut self.jump, Phrase::ToEnd, "Ctrl+Shift+J"),
            (&mut self.reply_cancel, Phrase::ReplyCancel, "Esc"),
            (&mut self.emoji, Phrase::Emoji, "Ctrl+E"),
            (&mut self.send, Phrase::Send, "Enter"),
        ];
        names.into_iter().for_each(|(button, name, keys)| set_name(button, say(name), keys));
    }

    /// What each part that can be touched is called, for who does not know its sign or cannot see it: what its tip says,
    /// or else its label.
    pub(super) fn names(&self) -> Vec<String> {
        let buttons = [
            &self.join,
            &self.own_name,
            &self.find,
            &self.show_people,
            &self.settings,
            &self.banner_button,
            &self.search.up,
            &self.search.down,
            &self.search.history,
            &self.search.close,
            &self.unread,
            &self.jump,
            &self.reply_cancel,
            &self.emoji,
            &self.send,
        ];
        let tips = buttons.map(|button| button.tooltip().unwrap_or_else(|| button.label()));
        let widgets = [&self.rooms.widget, &self.people.widget, &self.transcript.widget];
        let labels = widgets.map(|widget| widget.label());
        let fields =
            [self.search.field.label(), self.input.widget.label(), self.search.results.widget.label()];
        tips.into_iter().chain(labels).chain(fields).collect()
    }
}

impl SearchParts {
    fn new(brush: &Brush, post: &Post, language: Language) -> Self {
        let mut field = field(brush, Phrase::SearchLabel.in_language(language));
        field.set_trigger(CallbackTrigger::Changed);
        let changed = post.clone();
        field.set_callback(move |field| changed.send(Wish::Act(Act::Search(field.value()))));
        field.super_handle_first(false);
        let pressed = post.clone();
        field.handle(move |_, event| event == Event::KeyDown && search_key(&pressed));
        let press = |label: &str, wish| button(brush, label, Look::Flat, post, wish);
        Self {
            field,
            status: frame(brush, "", Align::Left),
            up: press("↑", Wish::Act(Act::SearchStep { forwards: false })),
            down: press("↓", Wish::Act(Act::SearchStep { forwards: true })),
            history: button(brush, "", Look::Calm, post, Wish::Act(Act::SearchHistory)),
            close: press("×", Wish::Act(Act::CloseSearch)),
            results: List::new(
                *brush,
                post,
                Phrase::SearchLabel.in_language(language),
                Wishes {
                    pick: |index| Wish::Act(Act::OpenResult(index)),
                    menu: |index, _| Wish::Act(Act::OpenResult(index)),
                },
            ),
        }
    }

    fn restyle(&mut self, brush: &Brush) {
        dress_field(&mut self.field, brush);
        ink(&mut self.status, brush, brush.palette().muted, false);
        self.status.set_label_size(brush.small());
        for button in [&mut self.up, &mut self.down, &mut self.close] {
            dress(button, brush, Look::Flat);
        }
        dress(&mut self.history, brush, Look::Calm);
        self.results.restyle(*brush);
    }
}

/// Enter goes to the match above, as one reads backwards; Shift+Enter to the one below; Ctrl+Enter asks the history.
fn search_key(post: &Post) -> bool {
    let forwards = app::is_event_shift();
    let wish = match app::event_key() {
        Key::Enter | Key::KPEnter if app::is_event_ctrl() => Wish::Act(Act::SearchHistory),
        Key::Enter | Key::KPEnter | Key::Up => Wish::Act(Act::SearchStep { forwards }),
        Key::Down => Wish::Act(Act::SearchStep { forwards: true }),
        Key::Escape => Wish::Act(Act::CloseSearch),
        _ => return keys::press(post),
    };
    post.send(wish);
    true
}

/// The window, open for its parts.
fn begin_window(brush: &Brush) -> DoubleWindow {
    let mut window = DoubleWindow::new(0, 0, SIZE.0, SIZE.1, None).center_screen();
    window.set_xclass(CLASS);
    window.set_color(color(brush.palette().panel));
    window.size_range(SIZE_MIN.0, SIZE_MIN.1, 0, 0);
    window
}

/// A part that is only drawn.
fn surface() -> Widget {
    let mut surface = Widget::new(0, 0, 10, 10, None);
    surface.super_draw(false);
    surface
}

/// What sheets lie in, hidden while there is none.
fn veil() -> Group {
    let mut veil = Group::new(0, 0, SIZE.0, SIZE.1, None);
    veil.end();
    veil.hide();
    veil
}

fn listen(window: &mut DoubleWindow, post: &Post) {
    let keys = post.clone();
    window.handle(move |_, event| handle_window(event, &keys));
    let close = post.clone();
    window.set_callback(move |_| {
        // Escape closes no window here.
        if app::event() == Event::Close {
            close.send(Wish::Act(Act::Close));
        }
    });
    let sized = post.clone();
    window.resize_callback(move |_, _, _, _, _| sized.send(Wish::Arrange));
}

/// The panels are the window's ground; the middle is brighter, with a line at its sides.
fn draw_ground(ground: &mut Widget, brush: Brush) {
    ground.draw(move |ground| {
        let palette = brush.palette();
        fill(ground.x(), ground.y(), ground.w(), ground.h(), palette.panel);
    });
}

fn draw_floor(floor: &mut Widget, brush: Brush) {
    floor.draw(move |floor| {
        fill(floor.x(), floor.y(), floor.w(), floor.h(), brush.palette().background);
    });
}

/// The input and its buttons stand in one round field.
fn draw_field(field: &mut Widget, brush: Brush) {
    field.draw(move |field| {
        let palette = brush.palette();
        let (x, y, w, h) = (field.x(), field.y(), field.w(), field.h());
        draw::push_clip(x, y, w, h);
        fill_round(x, y, w, h, palette.background);
        outline_round(x, y, w, h, palette.border);
        draw::pop_clip();
    });
    field.set_frame(FrameType::NoBox);
}
