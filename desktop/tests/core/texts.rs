//! Whatever is written or heard: nothing panics, and no letter of it is lost on the way to the screen.

use proptest::prelude::*;
use tertulia_desktop::model::{Act, TEXT_BYTES_MAX};
use tertulia_desktop::render::{self, Point};
use tertulia_desktop::settings::Settings;
use tertulia_wire::text::clean;

use crate::window::{Window, line, settings};

/// Texts with what matters in them: names, links, breaks, marks, letters of many bytes.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("Ana"),
        Just("luis"),
        Just("Luis"),
        Just("https://a.es/(b)?c=ñ"),
        Just("http://"),
        Just("\u{2028}"),
        Just("cena"),
        Just("n\u{303}"),
        Just("😀"),
        Just("ẞİ"),
        Just(" "),
        Just(":"),
        Just("/"),
    ];
    let piece = prop_oneof![4 => piece.prop_map(str::to_owned), 1 => any::<String>()];
    proptest::collection::vec(piece, 0..12)
        .prop_map(|pieces| clean(&pieces.concat().replace('\n', "")).into_owned())
}

fn broken(text: &str) -> String {
    text.replace('\u{2028}', "\n")
}

fn window() -> Window {
    let keywords = vec!["cena".to_owned(), "İ".to_owned()];
    let mut window = Window::ready_with(Settings { keywords, ..settings() });
    window.hear("general", "Luis", "hola");
    window.act(Act::OpenSearch);
    window
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_row_shows_all_of_a_text_and_nothing_else(text in text(), words in text()) {
        let mut window = window();
        window.act(Act::Search(words));
        window.hear_line(line(Some(2000), Some("general"), "Eva", &text));
        let row = render::row(&window.model, 1).unwrap();
        let shown: String = row.body.iter().map(|span| span.text.as_str()).collect();
        prop_assert_eq!(shown, broken(&text));
        prop_assert!(row.body.iter().all(|span| !span.text.is_empty()) || text.is_empty());
    }

    #[test]
    fn any_part_of_a_text_can_be_copied(text in text(), from in 0..200_usize, to in 0..200_usize) {
        let mut window = window();
        window.hear_line(line(Some(2000), Some("general"), "Eva", &text));
        let entry = render::row(&window.model, 1).unwrap().entry;
        let copied = render::copy_text(&window.model, Point { entry, byte: from }, Point { entry, byte: to });
        let is_part = broken(&text).contains(&copied);
        prop_assert!(is_part, "{:?}", copied);
    }

    #[test]
    fn what_is_written_stays_until_it_is_taken(text in text(), cursor in 0..100_usize, tabs in 0..4) {
        let mut window = window();
        window.act(Act::Edit { text: text.clone(), cursor });
        for _ in 0..tabs {
            window.act(Act::Complete { backwards: tabs % 2 == 0 });
        }
        let compose = window.screen().compose;
        prop_assert!(compose.text.is_char_boundary(compose.cursor));
        let written = compose.text.clone();
        window.act(Act::Send);
        let is_taken = window.input().is_empty();
        let said = window.take_said();
        let is_command = written.trim().starts_with('/') && !written.trim().starts_with("//");
        if !is_command && is_taken && !written.is_empty() {
            prop_assert_eq!(said.len(), 1);
            let text = written.trim();
            let text = if text.starts_with("//") { &text[1..] } else { text };
            prop_assert_eq!(broken(&said[0].text), broken(text).trim().to_owned());
        }
        if !is_taken {
            prop_assert_eq!(window.input(), written);
            prop_assert!(said.is_empty());
        }
    }

    #[test]
    fn a_paste_is_all_there_or_refused(text in any::<String>()) {
        let mut window = window();
        window.commands.clear();
        window.act(Act::Paste(text.clone()));
        window.act(Act::ConfirmPaste(true));
        let pasted = window.view_commands().into_iter().find_map(|command| match command {
            tertulia_desktop::model::ViewCommand::InsertText(text) => Some(text),
            _ => None,
        });
        let expected = text.replace("\r\n", "\n").replace('\r', "\n");
        prop_assert_eq!(pasted, Some(expected).filter(|text| !text.is_empty() && text.len() <= TEXT_BYTES_MAX));
    }

    #[test]
    fn drafts_of_any_text_come_back(text in any::<String>()) {
        let mut window = window();
        window.write(&text);
        let kept = window.model.drafts();
        let mut again = Window::with(settings());
        again.model.restore_drafts(&kept).unwrap();
        prop_assert_eq!(again.input(), text);
    }
}
