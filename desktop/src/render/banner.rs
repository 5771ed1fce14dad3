//! The strip above the transcript: what is wrong with the connection, and when it is tried again.

use super::screen::{Banner, BannerKind, Button};
use crate::model::{Act, Model, Status, seconds_until};
use crate::phrases::{AccountPhrase, Phrase, Sentence};

/// What is wrong, the gravest first.
pub(super) fn banner(model: &Model) -> Option<Banner> {
    let plain = |sentence: Sentence, kind| {
        let text = sentence.in_language(model.language());
        Some(Banner { text, kind, button: None })
    };
    if model.closing_since.is_some() {
        return plain(Phrase::Leaving.into(), BannerKind::Progress);
    }
    if let Some(reason) = &model.outbox_error {
        let reason = reason.in_language(model.language());
        return plain(Sentence::new(Phrase::OutboxFailed, &[&reason]), BannerKind::Trouble);
    }
    match &model.status {
        Status::NotBegun => None,
        Status::Connecting => {
            plain(Sentence::new(Phrase::Connecting, &[&model.settings.relay]), BannerKind::Progress)
        }
        Status::Ready if !model.is_history_kept => plain(Phrase::HistoryTrouble.into(), BannerKind::Trouble),
        Status::Ready => None,
        Status::NameRefused { name, again_at } => {
            let seconds = again_at.map(|at| seconds_until(at, model.now.monotonic).to_string())?;
            plain(Sentence::new(Phrase::NameAgain, &[name, &seconds]), BannerKind::Progress)
        }
        Status::LoginAgain { why, again_at } => {
            let seconds = seconds_until(*again_at, model.now.monotonic).to_string();
            let why = why.in_language(model.language());
            plain(Sentence::new(AccountPhrase::LoginAgain, &[&why, &seconds]), BannerKind::Trouble)
        }
        Status::HelloRefused { why } => {
            let (relay, why) = (&model.settings.relay, why.in_language(model.language()));
            with_button(model, Sentence::new(Phrase::HelloRefused, &[relay, &why]))
        }
        Status::Removed { why } => {
            let label = AccountPhrase::ComeBack.in_language(model.language());
            with_button_of(model, label, why.clone())
        }
        Status::LinkGone => plain(Phrase::LinkGone.into(), BannerKind::Trouble),
        Status::Waiting { .. } => waiting(model),
        Status::TakenOver => with_button(model, Phrase::TakenOver.into()),
        Status::Ended => with_button(model, Sentence::new(Phrase::Disconnected, &[&model.settings.relay])),
    }
}

fn waiting(model: &Model) -> Option<Banner> {
    let why = model.status.trouble(&model.settings.relay, model.language())?.in_language(model.language());
    let seconds =
        model.status.again_at().map(|at| seconds_until(at, model.now.monotonic)).unwrap_or_default();
    let sentence = match seconds {
        0 => Sentence::new(Phrase::RetryNow, &[&why]),
        _ => Sentence::new(Phrase::RetryIn, &[&why, &seconds.to_string()]),
    };
    with_button(model, sentence)
}

fn with_button(model: &Model, sentence: Sentence) -> Option<Banner> {
    with_button_of(model, Phrase::Connect.in_language(model.language()), sentence)
}

fn with_button_of(model: &Model, label: &str, sentence: Sentence) -> Option<Banner> {
    Some(Banner {
        text: sentence.in_language(model.language()),
        kind: BannerKind::Trouble,
        button: Some(Button { label: label.to_owned(), act: Act::Reconnect }),
    })
}
