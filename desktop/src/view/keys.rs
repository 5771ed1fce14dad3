//! The keys that do the same wherever the keyboard is.

use fltk::app;
use fltk::enums::{Key, Shortcut};

use super::post::{Post, Sheet, Wish};
use crate::model::Act;

/// Says what the key that is pressed now is to do. False: it is nobody's.
pub(super) fn press(post: &Post) -> bool {
    if post.is_covered() {
        return false;
    }
    let state = app::event_state();
    let (shift, ctrl) = (state.contains(Shortcut::Shift), state.contains(Shortcut::Ctrl));
    let wish = match (app::event_key(), ctrl, state.contains(Shortcut::Alt)) {
        (Key::Up, false, true) | (Key::PageUp, true, _) => Wish::Act(Act::SelectNext { backwards: true }),
        (Key::Down, false, true) | (Key::PageDown, true, _) => {
            Wish::Act(Act::SelectNext { backwards: false })
        }
        (Key::Tab, true, _) => Wish::Act(Act::SelectNext { backwards: shift }),
        (Key::PageUp, false, false) => Wish::Page(-1),
        (Key::PageDown, false, false) => Wish::Page(1),
        (Key::Home, true, _) if shift => Wish::ToStart,
        (Key::End, true, _) if shift => Wish::Act(Act::JumpToEnd),
        (Key::Escape, ..) => Wish::Escape,
        (Key::F1, ..) => Wish::Open(Sheet::Help),
        (Key::F3, ..) => Wish::Act(Act::SearchStep { forwards: shift }),
        (Key::F5, ..) => Wish::Act(Act::Reconnect),
        (Key::F6, ..) => Wish::NextPane { is_back: shift },
        (key, true, false) => match key.to_char() {
            Some('f') => Wish::Act(Act::OpenSearch),
            Some('j') if shift => Wish::Act(Act::JumpToEnd),
            Some('j') => Wish::Act(Act::JumpToUnread),
            Some('u') => Wish::Act(Act::SelectUnread),
            Some('e') => Wish::Open(Sheet::Emoji),
            Some('k') => Wish::Open(Sheet::Room),
            Some('p') => Wish::TogglePeople,
            Some(',') => Wish::Open(Sheet::Settings),
            Some('+' | '=') => Wish::Act(Act::Zoom(Some(true))),
            Some('-') => Wish::Act(Act::Zoom(Some(false))),
            Some('0') => Wish::Act(Act::Zoom(None)),
            Some('q') => Wish::Act(Act::Close),
            _ => return zoom_on_keypad(key, post),
        },
        _ => return false,
    };
    post.send(wish);
    true
}

/// Whether the key that is pressed now asks for a menu: the key for it, or Shift+F10 on keyboards without one.
pub(super) fn is_menu_key() -> bool {
    let key = app::event_key();
    key == Key::Menu || (key == Key::F10 && app::event_state().contains(Shortcut::Shift))
}

/// The keys that walk through the transcript. What is typed there goes into the input.
pub(super) fn press_in_transcript(post: &Post) -> bool {
    let state = app::event_state();
    let is_plain = !state.intersects(Shortcut::Ctrl | Shortcut::Alt | Shortcut::Meta);
    let wish = match app::event_key() {
        _ if is_menu_key() => Wish::MenuOfRow,
        Key::Up if is_plain => Wish::Step { is_down: false },
        Key::Down if is_plain => Wish::Step { is_down: true },
        Key::Home if is_plain => Wish::ToStart,
        Key::End if is_plain => Wish::Act(Act::JumpToEnd),
        Key::Enter | Key::KPEnter if is_plain => Wish::ActOnRow,
        Key::Tab if is_plain => Wish::NextPane { is_back: state.contains(Shortcut::Shift) },
        key if state.contains(Shortcut::Ctrl) && key.to_char() == Some('a') => Wish::SelectAll,
        key if state.contains(Shortcut::Ctrl) && key.to_char() == Some('c') => Wish::Copy,
        key if state.contains(Shortcut::Ctrl) && key.to_char() == Some('r') => Wish::ReplyToRow,
        _ if press(post) => return true,
        _ => {
            let text = app::event_text();
            let is_text = is_plain && text.chars().next().is_some_and(|c| !c.is_control());
            if !is_text {
                return false;
            }
            Wish::TypeIntoInput(text)
        }
    };
    post.send(wish);
    true
}

fn zoom_on_keypad(key: Key, post: &Post) -> bool {
    let direction = match key.bits() - Key::KP.bits() {
        0x2b => true,
        0x2d => false,
        _ => return false,
    };
    post.send(Wish::Act(Act::Zoom(Some(direction))));
    true
}
