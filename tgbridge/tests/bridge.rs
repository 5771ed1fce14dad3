//! The core by tables: what it does with what comes, without sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tertulia_tgbridge::bridge::{
    Backlog, Bridge, FetchFrom, InDoubt, LinkSettings, Naming, Notices, Now, Output, PaceSettings,
    QUEUE_BYTES_MAX, Saved, SayLine, SendMessage, Settings, Target,
};
use tertulia_tgbridge::phrases::Language;
use tertulia_tgbridge::telegram::reply::CallError;
use tertulia_tgbridge::telegram::types::updates;
use tertulia_wire::session::{Config, Line, Say, Session};

const BOT: i64 = 42;
const START_MS: u64 = 1_700_000_000_000;

fn settings() -> Settings {
    Settings {
        name: "Telegram".to_owned(),
        bot_id: BOT,
        language: Language::Es,
        links: vec![
            LinkSettings { chat: -5, thread: None, room: "uno".to_owned() },
            LinkSettings { chat: -6, thread: None, room: "dos".to_owned() },
        ],
        naming: Naming::Full,
        tells_edits: true,
        hears_bots: false,
        hears_bridges: false,
        notices: Notices::Off,
        backlog: Backlog::Replay,
        in_doubt: InDoubt::Resend,
        pace: PaceSettings { interval: Duration::ZERO, per_minute: 0 },
        poll_timeout: Duration::from_secs(50),
        takes_over: false,
        started_unix_ms: START_MS,
        seed: 5,
    }
}

/// A bridge and what it has put out.
struct Stage {
    bridge: Bridge,
    now: Now,
    outputs: Vec<Output>,
    updates: i64,
    lines: u64,
}

impl Stage {
    fn new(settings: Settings) -> Self {
        let mut stage = Self::from(settings, Saved::default());
        for link in 0..2 {
            stage.bridge.handle_fetched(link, false, stage.now);
        }
        stage.take();
        stage
    }

    fn from(settings: Settings, saved: Saved) -> Self {
        let bridge = Bridge::new(settings, saved);
        let now = Now { at: Duration::ZERO, unix_ms: START_MS };
        let mut stage = Self { bridge, now, outputs: Vec::new(), updates: 0, lines: 100 };
        stage.bridge.handle_relay_ready(stage.now);
        stage.take();
        stage
    }

    fn take(&mut self) -> Vec<Output> {
        let mut taken = Vec::new();
        while let Some(output) = self.bridge.poll_output() {
            taken.push(output);
        }
        self.outputs.extend(taken.clone());
        taken
    }

    fn pass(&mut self, time: Duration) {
        self.now.at += time;
        self.now.unix_ms += u64::try_from(time.as_millis()).unwrap();
        self.bridge.handle_time(self.now);
    }

    /// A message of Ana's in a chat, with these keys besides; what is put out.
    fn message(&mut self, chat: i64, content: Value) -> Vec<Output> {
        let mut message = json!({"message_id": 500 + self.updates, "date": START_MS / 1000, "chat": {"id": chat},
            "from": {"id": 7, "first_name": "Ana"}});
        message.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        self.update(json!({ "message": message }))
    }

    fn update(&mut self, content: Value) -> Vec<Output> {
        self.updates += 1;
        let mut update = json!({ "update_id": self.updates });
        update.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        self.bridge.handle_updates(Ok(updates(&mut json!([update]))), self.now);
        self.take()
    }

    fn line(&mut self, room: &str, name: &str, text: &str) -> Vec<Output> {
        self.lines += 1;
        let line = line(self.lines, room, name, text);
        self.bridge.handle_line(&line, self.now);
        self.take()
    }

    fn sent(&mut self, link: usize, result: Result<i64, CallError>) -> Vec<Output> {
        self.bridge.handle_sent(Target::Link(link), result, self.now);
        self.take()
    }
}

fn line(id: u64, room: &str, name: &str, text: &str) -> Line {
    Line {
        id: Some(id),
        unix_ms: Some(START_MS),
        room: Some(room.to_owned()),
        key: Some((3, format!("k{id}"))),
        reply: None,
        quote: None,
        is_private: false,
        to: None,
        notice: None,
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn says(outputs: &[Output]) -> Vec<SayLine> {
    outputs
        .iter()
        .filter_map(|output| if let Output::Say(line) = output { Some(line.clone()) } else { None })
        .collect()
}

fn texts(outputs: &[Output]) -> Vec<String> {
    sends(outputs).into_iter().map(|send| send.text).collect()
}

fn sends(outputs: &[Output]) -> Vec<SendMessage> {
    outputs
        .iter()
        .filter_map(|output| if let Output::Send(send) = output { Some(send.clone()) } else { None })
        .collect()
}

fn refused(code: i64, description: &str, retry_after: Option<u64>) -> CallError {
    let retry_after = retry_after.map(Duration::from_secs);
    CallError::Refused { code, description: description.to_owned(), retry_after, migrate_to: None }
}

#[test]
fn a_message_is_said_under_its_update_and_confirmed_once_it_is_acknowledged() {
    let mut stage = Stage::new(settings());
    let said = says(&stage.message(-5, json!({"text": "hola"})));
    assert_eq!(
        (said[0].label.as_str(), said[0].room.as_str(), said[0].as_who.as_deref()),
        ("t1", "uno", Some("Ana"))
    );
    assert_eq!(stage.bridge.offset(), 0);
    stage.bridge.handle_acknowledged("t1", 9, stage.now);
    assert_eq!(stage.bridge.offset(), 2);
    let polls = stage.take();
    assert!(matches!(polls[..], [Output::Poll(poll)] if poll.offset == Some(2)), "{polls:?}");
}

#[test]
fn an_update_that_comes_again_is_not_said_again() {
    let mut stage = Stage::new(settings());
    stage.message(-5, json!({"text": "hola"}));
    stage.bridge.handle_acknowledged("t1", 9, stage.now);
    stage.take();
    stage.updates = 0;
    assert_eq!(says(&stage.message(-5, json!({"text": "hola"}))), []);
}

#[test]
fn ids_of_updates_that_begin_anew_after_a_week_of_silence_are_taken() {
    let mut stage = Stage::new(settings());
    stage.updates = 5000;
    stage.message(-5, json!({"text": "uno"}));
    stage.bridge.handle_acknowledged("t5001", 9, stage.now);
    stage.pass(Duration::from_secs(8 * 24 * 3600));
    stage.updates = 10;
    assert_eq!(says(&stage.message(-5, json!({"text": "dos"})))[0].label, "t11");
    stage.bridge.handle_acknowledged("t11", 10, stage.now);
    assert_eq!(stage.bridge.offset(), 12);
}

#[test]
fn edits_are_told_once_as_edits_or_not_at_all_and_a_place_that_moves_is_none() {
    for (tells_edits, expected) in [(true, vec!["(editado) hola"]), (false, vec![])] {
        let mut stage = Stage::new(Settings { tells_edits, ..settings() });
        let edit = json!({"edited_message": {"message_id": 1, "chat": {"id": -5}, "text": "hola", "from": {"id": 7, "first_name": "Ana"}}});
        let said = says(&stage.update(edit));
        assert_eq!(said.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), expected);
    }
    let mut stage = Stage::new(settings());
    let moved =
        json!({"edited_message": {"message_id": 1, "chat": {"id": -5}, "location": {"latitude": 1.0}}});
    assert_eq!(says(&stage.update(moved)), []);
}

#[test]
fn channel_posts_and_anonymous_administrators_are_said_under_the_title_of_their_chat() {
    let mut stage = Stage::new(settings());
    let post = json!({"channel_post": {"message_id": 1, "chat": {"id": -5, "title": "Canal"},
        "sender_chat": {"id": -5, "title": "Canal"}, "text": "aviso"}});
    assert_eq!(says(&stage.update(post))[0].as_who.as_deref(), Some("Canal"));
    stage.bridge.handle_acknowledged("t1", 9, stage.now);
    let said = stage.message(
        -5,
        json!({"text": "x", "from": {"id": 1_087_968_824, "is_bot": true, "first_name": "Group"},
        "sender_chat": {"id": -5, "title": "Grupo"}}),
    );
    assert_eq!(says(&said)[0].as_who.as_deref(), Some("Grupo"));
}

#[test]
fn forwards_and_answers_to_what_is_not_known_say_so_in_a_few_words() {
    let mut stage = Stage::new(settings());
    let said = says(&stage.message(
        -5,
        json!({"text": "mira", "forward_origin": {"type": "hidden_user", "sender_user_name": "Eva"}}),
    ));
    assert_eq!(said[0].text, "(reenviado de Eva) mira");
    stage.bridge.handle_acknowledged("t1", 9, stage.now);
    let answered = json!({"message_id": 3, "chat": {"id": -5}, "from": {"id": 8, "first_name": "Eva"}, "text": "a".repeat(99)});
    let said = says(&stage.message(-5, json!({"text": "sí", "reply_to_message": answered})));
    assert_eq!(said[0].text, format!("(re Eva: {}…) sí", "a".repeat(45)));
    stage.bridge.handle_acknowledged("t2", 10, stage.now);
    // Of the bridge's own message, the name of who really said it.
    let own = json!({"message_id": 4, "chat": {"id": -5}, "from": {"id": BOT, "is_bot": true}, "text": "Luis: hola"});
    let said = says(&stage.message(-5, json!({"text": "sí", "reply_to_message": own})));
    assert_eq!(said[0].text, "(re Luis: hola) sí");
}

#[test]
fn answers_find_their_line_also_in_a_message_that_holds_several() {
    let mut stage = Stage::new(Settings {
        pace: PaceSettings { interval: Duration::from_secs(1), per_minute: 0 },
        ..settings()
    });
    stage.line("uno", "Luis", "primera");
    stage.sent(0, Ok(70));
    stage.line("uno", "Luis", "segunda");
    stage.line("uno", "Eva", "tercera");
    stage.pass(Duration::from_secs(1));
    assert_eq!(texts(&stage.take()), ["Luis: segunda\nEva: tercera"]);
    stage.sent(0, Ok(71));
    for (quote, line) in [(json!({"text": "segunda", "position": 6}), 102), (json!(null), 103)] {
        let own = json!({"message_id": 71, "chat": {"id": -5}, "from": {"id": BOT, "is_bot": true}, "text": "Luis: segunda\nEva: tercera"});
        let content = json!({"text": "sí", "reply_to_message": own, "quote": quote});
        let said = says(&stage.message(-5, content));
        assert_eq!((said[0].reply, said[0].text.as_str()), (Some(line), "sí"));
        stage.bridge.handle_acknowledged(&said[0].label, 200 + line, stage.now);
        stage.take();
    }
    // And the other way round: a line that answers what Telegram's people said.
    let message = 500 + stage.updates - 1;
    stage.pass(Duration::from_secs(1));
    let mut answer = line(400, "uno", "Luis", "no");
    answer.reply = Some(303);
    stage.bridge.handle_line(&answer, stage.now);
    let sent = sends(&stage.take());
    assert_eq!((sent[0].text.as_str(), sent[0].reply_to), ("Luis: no", Some(message)));
}

#[test]
fn what_could_go_round_in_circles_is_dropped() {
    let mut stage = Stage::new(settings());
    for from in [
        json!({"id": BOT, "is_bot": true, "first_name": "yo"}),
        json!({"id": 9, "is_bot": true, "first_name": "otro"}),
    ] {
        assert_eq!(says(&stage.message(-5, json!({"text": "eco", "from": from}))), []);
    }
    for name in ["Telegram - Ana", "Telegram", "IRC - Ana"] {
        assert_eq!(texts(&stage.line("uno", name, "eco")), Vec::<String>::new(), "{name}");
    }
    let mut open = Stage::new(Settings { hears_bots: true, hears_bridges: true, ..settings() });
    let other = json!({"id": 9, "is_bot": true, "first_name": "otro"});
    assert_eq!(says(&open.message(-5, json!({"text": "eco", "from": other}))).len(), 1);
    assert_eq!(texts(&open.line("uno", "IRC - Ana", "hola")), ["IRC - Ana: hola"]);
    assert_eq!(texts(&open.line("uno", "Telegram - Ana", "eco")), Vec::<String>::new());
}

#[test]
fn a_long_wait_of_one_chat_stops_neither_reading_nor_the_other_chat() {
    let mut stage = Stage::new(settings());
    assert_eq!(texts(&stage.line("uno", "Luis", "uno")), ["Luis: uno"]);
    let outputs = stage.sent(0, Err(refused(429, "Too Many Requests", Some(5820))));
    assert_eq!(texts(&outputs), Vec::<String>::new());
    stage.line("uno", "Luis", "dos");
    assert_eq!(texts(&stage.line("dos", "Eva", "aquí")), ["Eva: aquí"]);
    assert_eq!(says(&stage.message(-5, json!({"text": "hola"}))).len(), 1);
    stage.pass(Duration::from_secs(5819));
    assert_eq!(texts(&stage.take()), Vec::<String>::new());
    stage.pass(Duration::from_secs(1));
    assert_eq!(texts(&stage.take()), ["Luis: uno\nLuis: dos"]);
}

#[test]
fn what_has_no_room_stays_in_the_history_and_is_fetched_from_there() {
    let mut stage = Stage::new(settings());
    stage.line("uno", "Luis", "primera");
    let long = "x".repeat(QUEUE_BYTES_MAX / 4);
    (0..6).for_each(|_| drop(stage.line("uno", "Luis", &long)));
    let waiting = stage.bridge.waiting().next().unwrap().1;
    assert_eq!(waiting, 1 + 4);
    // Telegram takes the first line and the parts of most others; then there is room.
    let mut asked = Vec::new();
    for message in 0..20 {
        asked.extend(stage.sent(0, Ok(message)));
    }
    let fetches = asked
        .iter()
        .filter(|output| matches!(output, Output::Fetch { link: 0, from: FetchFrom::After(105), .. }));
    assert_eq!(fetches.count(), 1, "{asked:?}");
}

#[test]
fn a_line_that_telegram_does_not_take_is_found_left_out_and_said_to_be() {
    let pace = PaceSettings { interval: Duration::from_secs(1), per_minute: 0 };
    let mut stage = Stage::new(Settings { pace, ..settings() });
    stage.line("uno", "Luis", "primera");
    stage.sent(0, Ok(1));
    for text in ["buena", "mala", "otra"] {
        stage.line("uno", "Luis", text);
    }
    let mut sent = Vec::new();
    for _ in 0..8 {
        stage.pass(Duration::from_secs(1));
        for text in texts(&stage.take()) {
            let is_bad = text.contains("mala");
            sent.push(text);
            let error = refused(400, "Bad Request: can't parse entities", None);
            stage.sent(0, if is_bad { Err(error) } else { Ok(2) });
        }
    }
    let expected = [
        "Luis: buena\nLuis: mala\nLuis: otra",
        "Luis: buena",
        "Luis: mala",
        "* Telegram no acepta una línea de Luis: Bad Request: can't parse entities\nLuis: otra",
    ];
    let shown: Vec<&str> = sent.iter().map(String::as_str).collect();
    assert!(
        shown == expected || shown[..3] == expected[..3] && shown.last() == Some(&"Luis: otra"),
        "{shown:?}"
    );
}

#[test]
fn a_chat_that_takes_nothing_keeps_its_lines_and_is_logged_once() {
    let mut stage = Stage::new(settings());
    stage.line("uno", "Luis", "hola");
    for _ in 0..3 {
        stage.sent(0, Err(refused(403, "Forbidden: bot was kicked from the supergroup chat", None)));
        stage.pass(Duration::from_secs(600));
        assert_eq!(texts(&stage.take()), ["Luis: hola"]);
    }
    let logs = stage
        .outputs
        .iter()
        .filter(|output| matches!(output, Output::Log(text) if text.contains("no se pierde nada")));
    assert_eq!(logs.count(), 1);
}

#[test]
fn what_may_have_arrived_is_sent_again_marked_or_left_out() {
    for (in_doubt, after_restart, then) in
        [(InDoubt::Resend, "(quizá repetido)\nLuis: uno", "Luis: dos"), (InDoubt::Skip, "Luis: dos", "")]
    {
        let settings = Settings { in_doubt, ..settings() };
        let mut stage = Stage::new(settings.clone());
        stage.line("uno", "Luis", "uno");
        assert!(stage.bridge.take_dirty(), "it is noted before the call");
        let saved = Saved::parse(&stage.bridge.saved().to_text()).unwrap();
        // Killed here. The lines are in the history.
        let mut stage = Stage::from(settings, saved);
        let fetch = stage.outputs.iter().find_map(|output| match output {
            Output::Fetch { link: 0, from, .. } => Some(*from),
            _ => None,
        });
        assert_eq!(fetch, Some(FetchFrom::After(0)));
        for (id, text) in [(101, "uno"), (102, "dos")] {
            stage.bridge.handle_fetched_line(0, &line(id, "uno", "Luis", text), stage.now);
        }
        stage.bridge.handle_fetched(0, false, stage.now);
        assert_eq!(texts(&stage.take()), [after_restart]);
        assert_eq!(texts(&stage.sent(0, Ok(1))).concat(), then);
    }
}

#[test]
fn what_is_older_than_wanted_is_counted_and_told_on_both_sides() {
    let backlog = Backlog::MaxAge(Duration::from_secs(600));
    let mut stage = Stage::from(Settings { backlog, ..settings() }, Saved::default());
    stage.bridge.handle_fetched(0, false, stage.now);
    stage.bridge.handle_missed("uno", stage.now);
    for id in 1..=4 {
        let mut old = line(id, "uno", "Luis", "viejo");
        old.unix_ms = Some(START_MS - if id < 4 { 601_000 } else { 0 });
        stage.bridge.handle_fetched_line(0, &old, stage.now);
    }
    stage.bridge.handle_fetched(0, false, stage.now);
    let outputs = stage.take();
    let words = "3 mensajes de hace más de 10 min no se reenviaron";
    assert_eq!(texts(&outputs), [format!("Luis: viejo\n* {words}")]);
    assert_eq!(says(&outputs)[0].text, words);
}

#[test]
fn who_comes_and_goes_is_not_told_or_in_one_line_a_minute() {
    let mut stage = Stage::new(settings());
    stage.bridge.handle_notice("uno", "Eva", true, stage.now);
    assert_eq!(stage.bridge.next_due(), None);
    let mut stage = Stage::new(Settings { notices: Notices::Fold, ..settings() });
    for (name, has_joined) in
        [("Eva", true), ("Luis", false), ("Ana", false), ("Ana", true), ("Telegram", true)]
    {
        stage.bridge.handle_notice("uno", name, has_joined, stage.now);
    }
    stage.pass(Duration::from_secs(59));
    assert_eq!(texts(&stage.take()), Vec::<String>::new());
    stage.pass(Duration::from_secs(1));
    assert_eq!(texts(&stage.take()), ["* entran: Eva; salen: Luis"]);
}

#[test]
fn text_that_looks_like_marks_or_like_another_line_goes_as_it_is() {
    let mut stage = Stage::new(settings());
    let sent = texts(&stage.line("uno", "Luis", "*a* _b <i>c`[d](e)\u{2028}Ana: no fui yo"));
    assert_eq!(sent, ["Luis: *a* _b <i>c`[d](e)\n  Ana: no fui yo"]);
}

#[test]
fn a_message_longer_than_a_line_is_said_in_parts_that_share_its_update() {
    let mut stage = Stage::new(settings());
    let text = "palabra ".repeat(4000);
    let said =
        says(&stage.message(-5, json!({"rich_message": {"blocks": [{"type": "paragraph", "text": text}]}})));
    assert_eq!(said.iter().map(|line| line.label.as_str()).collect::<Vec<_>>(), ["t1", "t1.1", "t1.2"]);
    assert_eq!(said.iter().map(|line| line.text.as_str()).collect::<String>(), text.trim_end());
    for label in ["t1", "t1.1"] {
        stage.bridge.handle_acknowledged(label, 9, stage.now);
        assert_eq!(stage.bridge.offset(), 0);
    }
    stage.bridge.handle_acknowledged("t1.2", 9, stage.now);
    assert_eq!(stage.bridge.offset(), 2);
}

#[test]
fn ten_conflicts_end_it_unless_it_takes_over() {
    for (takes_over, stops) in [(false, true), (true, false)] {
        let mut stage = Stage::new(Settings { takes_over, ..settings() });
        for _ in 0..10 {
            stage.bridge.handle_updates(
                Err(refused(409, "Conflict: terminated by other getUpdates request", None)),
                stage.now,
            );
            stage.pass(Duration::from_secs(60));
            stage.take();
        }
        assert_eq!(stage.outputs.iter().any(|output| matches!(output, Output::Stop { .. })), stops);
        let logs = stage
            .outputs
            .iter()
            .filter(|output| matches!(output, Output::Log(text) if text.contains("mismo token")));
        assert_eq!(logs.count(), 1);
    }
}

#[test]
fn nothing_is_due_while_nothing_happens() {
    let stage = Stage::new(settings());
    assert_eq!(stage.bridge.next_due(), None);
}

#[test]
fn a_line_said_again_under_another_id_after_the_relay_was_killed_is_sent_once() {
    let mut stage = Stage::new(settings());
    stage.line("uno", "Luis", "hola");
    stage.sent(0, Ok(1));
    let mut again = line(900, "uno", "Luis", "hola");
    again.key = Some((3, "k101".to_owned()));
    stage.bridge.handle_line(&again, stage.now);
    assert_eq!(texts(&stage.take()), Vec::<String>::new());
}

#[test]
fn a_room_that_was_never_heard_is_told_from_the_first_line_heard_on_whatever_is_killed() {
    let mut stage = Stage::from(settings(), Saved::default());
    for (id, text) in [(7, "uno"), (8, "dos")] {
        stage.bridge.handle_line(&line(id, "uno", "Luis", text), stage.now);
    }
    // The newest line of the history is one of those.
    stage.bridge.handle_fetched_line(0, &line(8, "uno", "Luis", "dos"), stage.now);
    stage.bridge.handle_fetched(0, true, stage.now);
    assert_eq!(texts(&stage.take()), ["Luis: uno\nLuis: dos"]);
    let saved = Saved::parse(&stage.bridge.saved().to_text()).unwrap();
    let stage = Stage::from(settings(), saved);
    assert!(
        stage
            .outputs
            .iter()
            .any(|output| matches!(output, Output::Fetch { link: 0, from: FetchFrom::After(6), .. }))
    );
}

#[test]
fn a_history_that_cannot_be_read_at_first_is_not_told_from_its_beginning_later() {
    let mut stage = Stage::from(settings(), Saved::default());
    stage.bridge.handle_fetch_refused(0, "NOT_KEPT", stage.now);
    stage.take();
    let saved = Saved::parse(&stage.bridge.saved().to_text()).unwrap();
    let stage = Stage::from(settings(), saved);
    assert!(
        stage
            .outputs
            .iter()
            .any(|output| matches!(output, Output::Fetch { link: 0, from: FetchFrom::Newest, .. }))
    );
}

fn logs(stage: &Stage, words: &str) -> usize {
    let is_it = |output: &&Output| matches!(output, Output::Log(text) if text.contains(words));
    stage.outputs.iter().filter(is_it).count()
}

fn restarted(stage: &Stage, settings: Settings) -> Stage {
    Stage::from(settings, Saved::parse(&stage.bridge.saved().to_text()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_part_of_a_message_is_a_line_that_the_session_takes(
        lines in prop::collection::vec("[a-zñ😀 ;\\\\]{0,30}", 1..40), times in 1_usize..80, who in "[!-~ ]{1,64}",
    ) {
        let mut stage = Stage::new(settings());
        let text = vec![lines.join("\n"); times].join("\n");
        let from = json!({"id": 7, "first_name": who});
        let said = says(&stage.message(-5, json!({"text": text, "from": from})));
        let mut session = Session::new(Config::new("x", "Telegram", &["uno"], 1));
        for line in said {
            let say = Say {
                room: &line.room, text: &line.text, reply: Some(u64::MAX), as_who: line.as_who.as_deref(), to: None,
            };
            let taken = session.say_labeled(&line.label, &say);
            let is_blank = line.text.trim_matches('\u{2028}').is_empty();
            prop_assert!(taken.is_ok() || is_blank, "{taken:?}");
        }
    }
}

#[test]
fn a_long_message_of_many_lines_comes_whole() {
    let mut stage = Stage::new(settings());
    let text = "a\n".repeat(10_000);
    let said = says(&stage.message(-5, json!({"text": text})));
    let whole: String = said.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(whole, "a\u{2028}".repeat(10_000).trim_end_matches('\u{2028}'));
    assert!(said.iter().all(|line| line.text.len() <= 15_000));
}

#[test]
fn a_line_that_the_room_does_not_take_is_told_in_one_language() {
    let mut stage = Stage::new(settings());
    stage.message(-5, json!({"text": "hola"}));
    stage.bridge.handle_say_refused("t1", "LINE_TOO_LONG", stage.now);
    assert_eq!(texts(&stage.take()), ["* el relay no acepta un mensaje de Ana: es demasiado largo"]);
}

#[test]
fn a_line_that_seems_to_hold_a_password_is_told_as_such_and_not_by_a_code() {
    let mut stage = Stage::new(settings());
    stage.message(-5, json!({"text": "/entrar Ana una clave"}));
    stage.bridge.handle_say_refused("t1", "HOLDS_PASSWORD", stage.now);
    let told = "* el relay no acepta un mensaje de Ana: parece una orden con una contraseña";
    assert_eq!(texts(&stage.take()), [told]);
}

fn topics() -> Settings {
    let topic = |thread, room: &str| LinkSettings { chat: -5, thread: Some(thread), room: room.to_owned() };
    let pace = PaceSettings { interval: Duration::from_secs(1), per_minute: 0 };
    Settings { links: vec![topic(2, "uno"), topic(3, "dos")], pace, ..settings() }
}

#[test]
fn topics_of_one_chat_share_its_pace_and_take_turns() {
    let mut stage = Stage::new(topics());
    let long = "x".repeat(4000);
    for _ in 0..3 {
        stage.line("uno", "Luis", &long);
        stage.line("dos", "Eva", &long);
    }
    let mut order = Vec::new();
    for _ in 0..6 {
        let sent: Vec<SendMessage> = sends(&std::mem::take(&mut stage.outputs));
        assert_eq!(sent.len(), 1, "one message a second, whichever topic it is for");
        order.push(sent[0].thread.unwrap());
        let Target::Link(link) = sent[0].target else { panic!("it is a link's") };
        stage.sent(link, Ok(1));
        stage.pass(Duration::from_secs(1));
        stage.take();
    }
    assert_eq!(order, [2, 3, 2, 3, 2, 3]);
}

#[test]
fn a_429_in_one_topic_stops_the_others_of_its_chat_and_a_closed_topic_does_not() {
    let mut stage = Stage::new(topics());
    stage.line("uno", "Luis", "hola");
    stage.sent(0, Err(refused(429, "Too Many Requests", Some(60))));
    assert_eq!(texts(&stage.line("dos", "Eva", "hola")), Vec::<String>::new());
    stage.pass(Duration::from_secs(60));
    assert_eq!(texts(&stage.take()), ["Eva: hola"]);
    assert_eq!(logs(&stage, "pide esperar 60 s"), 1);
    let mut stage = Stage::new(topics());
    stage.line("uno", "Luis", "hola");
    stage.sent(0, Err(refused(400, "Bad Request: message thread not found", None)));
    stage.pass(Duration::from_secs(1));
    assert_eq!(texts(&stage.line("dos", "Eva", "hola")), ["Eva: hola"]);
}

#[test]
fn answers_to_strangers_keep_the_pace_too() {
    let pace = PaceSettings { interval: Duration::from_secs(1), per_minute: 0 };
    let mut stage = Stage::new(Settings { pace, ..settings() });
    let asked = |stage: &mut Stage, chat: i64| texts(&stage.message(chat, json!({"text": "/start"}))).len();
    let at_once: usize = (100..150).map(|chat| asked(&mut stage, chat)).sum();
    assert_eq!(at_once, 30);
    stage.pass(Duration::from_secs(1));
    assert_eq!(texts(&stage.take()).len(), 20);
}

#[test]
fn whatever_is_refused_that_is_not_about_the_text_is_kept_and_tried_again() {
    let errors = [
        refused(400, "Bad Request: something of tomorrow", None),
        refused(400, "Bad Request: message thread not found", None),
        CallError::NotApi { status: 400 },
        CallError::NotApi { status: 404 },
    ];
    for error in errors {
        let mut stage = Stage::new(settings());
        stage.line("uno", "Luis", "hola");
        for _ in 0..5 {
            assert_eq!(texts(&stage.sent(0, Err(error.clone()))), Vec::<String>::new());
            assert_eq!(stage.bridge.troubled(), 1);
            stage.pass(Duration::from_secs(600));
            assert_eq!(texts(&stage.take()), ["Luis: hola"], "{error:?}");
        }
        stage.sent(0, Ok(1));
        assert_eq!(stage.bridge.troubled(), 0);
    }
}

#[test]
fn an_answer_whose_message_is_gone_goes_once_without_it() {
    let mut stage = Stage::new(settings());
    stage.message(-5, json!({"text": "hola"}));
    stage.bridge.handle_acknowledged("t1", 9, stage.now);
    stage.take();
    let answer = Line { reply: Some(9), ..line(400, "uno", "Luis", "sí") };
    stage.bridge.handle_line(&answer, stage.now);
    assert_eq!(sends(&stage.take())[0].reply_to, Some(501 - 1));
    let gone = refused(400, "Bad Request: message to be replied not found", None);
    let again = sends(&stage.sent(0, Err(gone.clone())));
    assert_eq!((again[0].reply_to, again[0].text.as_str()), (None, "Luis: (respuesta) sí"));
    assert_eq!(texts(&stage.sent(0, Err(gone))), Vec::<String>::new());
    assert_eq!(stage.bridge.waiting().next().unwrap().1, 1);
}

#[test]
fn a_chat_that_moved_is_known_under_both_numbers() {
    let mut stage = Stage::new(settings());
    stage.line("uno", "Luis", "hola");
    let moved = CallError::Refused {
        code: 400,
        description: "Bad Request: group chat was upgraded to a supergroup chat".to_owned(),
        retry_after: None,
        migrate_to: Some(-1005),
    };
    assert_eq!(sends(&stage.sent(0, Err(moved)))[0].chat, -1005);
    stage.sent(0, Ok(1));
    for chat in [-5, -1005] {
        let mut settings = settings();
        settings.links[0].chat = chat;
        let again = restarted(&stage, settings);
        let from = again.outputs.iter().find_map(|output| match output {
            Output::Fetch { link: 0, from, .. } => Some(*from),
            _ => None,
        });
        assert_eq!(from, Some(FetchFrom::After(101)), "{chat}");
    }
}

#[test]
fn a_group_that_moves_numbers_its_messages_anew_and_tells_so_itself() {
    for service in [
        json!({"message": {"message_id": 900, "date": 0, "chat": {"id": -5}, "migrate_to_chat_id": -1005}}),
        json!({"message": {"message_id": 1, "date": 0, "chat": {"id": -1005}, "migrate_from_chat_id": -5}}),
    ] {
        let mut stage = Stage::new(settings());
        stage.line("uno", "Luis", "antes");
        stage.sent(0, Ok(3));
        for line in says(&stage.update(service)) {
            stage.bridge.handle_acknowledged(&line.label, 150, stage.now);
        }
        stage.take();
        assert_eq!(sends(&stage.line("uno", "Luis", "hola"))[0].chat, -1005);
        // The new chat's third message is not that of the old one.
        let answered = json!({"message_id": 3, "chat": {"id": -1005}, "from": {"id": 8, "first_name": "Eva"}, "text": "x"});
        let said = says(&stage.message(-1005, json!({"text": "sí", "reply_to_message": answered})));
        assert_eq!((said[0].reply, said[0].text.as_str()), (None, "(re Eva: x) sí"));
    }
}

#[test]
fn what_the_history_cannot_give_now_is_asked_for_again() {
    let mut stage = Stage::new(settings());
    stage.line("uno", "Luis", "hola");
    stage.sent(0, Ok(1));
    stage.bridge.handle_missed("uno", stage.now);
    stage.take();
    for wait in [2, 4, 8, 16] {
        stage.bridge.handle_fetch_refused(0, "UNREADABLE", stage.now);
        assert_eq!(stage.take().iter().filter(|output| matches!(output, Output::Fetch { .. })).count(), 0);
        assert_eq!(stage.bridge.next_due(), Some(stage.now.at + Duration::from_secs(wait)));
        stage.pass(Duration::from_secs(wait));
        let outputs = stage.take();
        assert!(
            outputs.iter().any(|output| matches!(output, Output::Fetch { from: FetchFrom::After(101), .. })),
            "{outputs:?}"
        );
    }
    assert_eq!(logs(&stage, "se le pide otra vez"), 1);
    stage.bridge.handle_fetched_line(0, &line(102, "uno", "Luis", "dos"), stage.now);
    stage.bridge.handle_fetched(0, false, stage.now);
    assert_eq!(texts(&stage.take()), ["Luis: dos"]);
}

#[test]
fn a_relay_that_keeps_nothing_gives_no_alarm_at_the_start_and_one_for_what_was_missed() {
    let mut stage = Stage::new(settings());
    stage.line("uno", "Luis", "hola");
    stage.sent(0, Ok(1));
    let mut stage = restarted(&stage, settings());
    stage.bridge.handle_fetch_refused(0, "NOT_KEPT", stage.now);
    assert_eq!(texts(&stage.take()), Vec::<String>::new());
    stage.bridge.handle_missed("uno", stage.now);
    stage.bridge.handle_fetch_refused(0, "NOT_KEPT", stage.now);
    let sent = texts(&stage.take());
    assert!(sent.len() == 1 && sent[0].starts_with("* el relay ya no guarda"), "{sent:?}");
    stage.sent(0, Ok(2));
    stage.lines = 200;
    assert_eq!(texts(&stage.line("uno", "Luis", "sigo")), ["Luis: sigo"]);
}

#[test]
fn a_room_that_does_not_let_it_in_is_asked_again_and_its_messages_wait() {
    let mut stage = Stage::new(settings());
    stage.bridge.handle_room_lost("uno", stage.now);
    assert_eq!(says(&stage.message(-5, json!({"text": "para uno"}))), []);
    assert_eq!(stage.bridge.troubled(), 1);
    stage.pass(Duration::from_secs(30));
    assert!(stage.take().contains(&Output::Join { room: "uno".to_owned() }));
    stage.bridge.handle_room_joined("uno", stage.now);
    let outputs = stage.take();
    assert_eq!(says(&outputs)[0].text, "para uno");
    assert!(outputs.iter().any(|output| matches!(output, Output::Fetch { link: 0, .. })), "{outputs:?}");
}

#[test]
fn messages_that_come_too_late_for_a_room_are_said_in_their_order_once_it_is_open() {
    let mut stage = Stage::new(settings());
    let message = |chat: i64, text: &str| json!({"message_id": 1, "chat": {"id": chat}, "from": {"id": 7, "first_name": "Ana"}, "text": text});
    let all = json!([
        {"update_id": 3, "message": message(-5, "tres")},
        {"update_id": 1, "message": message(-5, "uno")},
        {"update_id": 2, "message": message(-6, "dos")},
    ]);
    stage.bridge.handle_updates(Ok(updates(&mut all.clone())), stage.now);
    let said: Vec<String> = says(&stage.take()).into_iter().map(|line| line.text).collect();
    assert_eq!(said, ["uno", "dos", "tres"]);
    stage.bridge.handle_say_refused("t1", "NO_ROOM", stage.now);
    stage.bridge.handle_say_refused("t3", "NO_ROOM", stage.now);
    stage.bridge.handle_acknowledged("t2", 9, stage.now);
    assert_eq!((says(&stage.take()), stage.bridge.offset()), (vec![], 0));
    stage.bridge.handle_room_joined("uno", stage.now);
    let said: Vec<String> = says(&stage.take()).into_iter().map(|line| line.label).collect();
    assert_eq!(said, ["t1", "t3"]);
    stage.bridge.handle_acknowledged("t1", 10, stage.now);
    stage.bridge.handle_acknowledged("t3", 11, stage.now);
    assert_eq!(stage.bridge.offset(), 4);
}

#[test]
fn who_is_there_is_answered_by_question_also_where_one_is_refused() {
    let mut stage = Stage::new(settings());
    let mut questions = Vec::new();
    for chat in [-5, -6] {
        for output in stage.message(chat, json!({"text": "/quien"})) {
            if let Output::Who { question, .. } = output {
                questions.push(question);
            }
        }
    }
    stage.bridge.handle_who_refused(questions[0], stage.now);
    stage.bridge.handle_who(questions[1], "Eva");
    stage.bridge.handle_who_end(questions[1], stage.now);
    assert_eq!(texts(&stage.take()), ["* en la sala uno no hay nadie", "* en la sala dos: Eva"]);
}

#[test]
fn an_edit_is_as_old_as_its_edit() {
    let backlog = Backlog::MaxAge(Duration::from_secs(600));
    for (edited, count) in [(START_MS / 1000, 1), (START_MS / 1000 - 601, 0)] {
        let mut stage = Stage::new(Settings { backlog, ..settings() });
        let message = json!({"message_id": 1, "chat": {"id": -5}, "date": 1000, "edit_date": edited, "text": "x", "from": {"id": 7, "first_name": "Ana"}});
        assert_eq!(says(&stage.update(json!({ "edited_message": message }))).len(), count);
    }
}

#[test]
fn clocks_that_differ_make_nothing_old_that_was_just_said() {
    let backlog = Backlog::MaxAge(Duration::from_secs(600));
    let mut stage = Stage::new(Settings { backlog, ..settings() });
    let old = Line { unix_ms: Some(1), ..line(150, "uno", "Luis", "hola") };
    stage.bridge.handle_line(&old, stage.now);
    assert_eq!(texts(&stage.take()), ["Luis: hola"]);
    // Telegram's clock is a day behind; what comes behind an empty poll was written since.
    let day = 24 * 3600;
    stage.bridge.handle_updates(Ok(vec![]), stage.now);
    stage.pass(Duration::from_secs(20));
    stage.take();
    let date = START_MS / 1000 - day;
    let said = says(&stage.message(-5, json!({"text": "viva", "date": date})));
    assert_eq!(said[0].text, "viva");
    stage.bridge.handle_acknowledged("t1", 9, stage.now);
    stage.take();
    // And what comes long after is judged by what that showed.
    stage.pass(Duration::from_secs(1000));
    let date = date + 1000;
    assert_eq!(says(&stage.message(-5, json!({"text": "también", "date": date})))[0].text, "también");
    stage.bridge.handle_acknowledged("t2", 10, stage.now);
    stage.take();
    assert_eq!(says(&stage.message(-5, json!({"text": "vieja", "date": date - 700}))), []);
}

#[test]
fn the_clock_of_the_first_answer_counts_until_a_message_just_written_tells() {
    const AWAY_MS: u64 = 24 * 3600 * 1000;
    let fresh = |stage: &mut Stage, date_ms: u64| {
        let written = json!({"text": "hola", "date": date_ms / 1000});
        !says(&stage.message(-5, written)).is_empty()
    };
    let backlog = Backlog::MaxAge(Duration::from_secs(600));
    for is_told in [false, true] {
        // This clock is a day ahead: what was said just now looks a day old.
        let mut stage = Stage::new(Settings { backlog, ..settings() });
        if is_told {
            stage.bridge.handle_clock(START_MS - AWAY_MS, stage.now);
        }
        assert_eq!(fresh(&mut stage, START_MS - AWAY_MS - 1000), is_told);
        assert!(!fresh(&mut stage, START_MS - AWAY_MS - 3_600_000), "an hour old is too old there");
    }
    let backlog = Backlog::MaxAge(Duration::from_secs(10));
    let mut stage = Stage::new(Settings { backlog, ..settings() });
    stage.bridge.handle_updates(Ok(Vec::new()), stage.now);
    stage.pass(Duration::from_secs(50));
    stage.take();
    let live = |stage: &Stage| stage.now.unix_ms - AWAY_MS;
    let now = live(&stage);
    fresh(&mut stage, now);
    stage.bridge.handle_clock(stage.now.unix_ms + AWAY_MS, stage.now);
    // By now a message may be old, and tells no time.
    stage.pass(Duration::from_secs(600));
    let now = live(&stage);
    assert!(fresh(&mut stage, now), "what a message told is not taken back");
}

#[test]
fn a_token_that_never_worked_ends_it_and_one_that_did_is_told_once_and_tried_less_and_less() {
    let unknown = || Err(refused(401, "Unauthorized", None));
    for error in [refused(401, "Unauthorized", None), refused(404, "Not Found", None)] {
        let mut stage = Stage::new(settings());
        stage.bridge.handle_updates(Err(error), stage.now);
        let outputs = stage.take();
        let stop = outputs.iter().find_map(|output| match output {
            Output::Stop { why, is_final } => Some((why.contains("@BotFather"), *is_final)),
            _ => None,
        });
        assert_eq!((stop, logs(&stage, "token")), (Some((true, true)), 0));
    }
    let mut stage = Stage::new(settings());
    stage.bridge.handle_updates(Ok(Vec::new()), stage.now);
    let mut waits = Vec::new();
    for _ in 0..14 {
        stage.pass(Duration::from_secs(3600));
        stage.take();
        stage.bridge.handle_updates(unknown(), stage.now);
        stage.take();
        waits.push((stage.bridge.next_due().unwrap() - stage.now.at).as_secs());
    }
    assert_eq!((waits[0], waits[1], waits[13]), (5, 10, 1800));
    stage.line("uno", "Luis", "hola");
    stage.sent(0, Err(refused(401, "Unauthorized", None)));
    assert_eq!((logs(&stage, "ya no conoce"), logs(&stage, "401")), (1, 1));
    stage.pass(Duration::from_secs(3600));
    stage.bridge.handle_updates(Ok(Vec::new()), stage.now);
    stage.take();
    assert_eq!(logs(&stage, "contesta de nuevo"), 1);
    assert!(!stage.outputs.iter().any(|output| matches!(output, Output::Stop { .. })));
}

#[test]
fn a_room_that_counts_from_elsewhere_is_heard_from_there() {
    let mut stage = Stage::new(settings());
    stage.line("uno", "Luis", "hola");
    stage.sent(0, Ok(1));
    stage.bridge.handle_room_anew("uno", 7, stage.now);
    assert!(stage.bridge.take_dirty());
    // Said again, because the relay had not kept it.
    let again = Line { key: Some((3, "k101".to_owned())), ..line(8, "uno", "Luis", "hola") };
    stage.bridge.handle_line(&again, stage.now);
    assert_eq!(texts(&stage.take()), Vec::<String>::new());
    stage.bridge.handle_line(&line(9, "uno", "Luis", "de nuevo"), stage.now);
    assert_eq!(texts(&stage.take()), ["Luis: de nuevo"]);
}

#[test]
fn what_is_said_under_the_name_that_the_relay_gave_does_not_come_back() {
    let mut stage = Stage::new(Settings { hears_bridges: true, ..settings() });
    stage.bridge.handle_name("Telegram_2");
    assert_eq!(texts(&stage.line("uno", "Telegram_2 - Ana", "eco")), Vec::<String>::new());
    stage.bridge.handle_missed("uno", stage.now);
    let own = line(200, "uno", "OtroNombre - Ana", "eco");
    stage.bridge.handle_fetched_own(0, &own);
    stage.bridge.handle_fetched_line(0, &own, stage.now);
    stage.bridge.handle_fetched(0, false, stage.now);
    assert_eq!(texts(&stage.take()), Vec::<String>::new());
}

#[test]
fn an_answer_finds_its_line_among_the_bridges_own_sentences() {
    let mut stage = Stage::new(settings());
    stage.line("uno", "Luis", "primera");
    stage.message(-5, json!({"text": "/start"}));
    stage.line("uno", "Eva", "segunda");
    let text = texts(&stage.sent(0, Ok(70))).concat();
    assert!(text.starts_with("* ") && text.ends_with("\nEva: segunda"), "{text}");
    stage.sent(0, Ok(71));
    let position = text.find("segunda").map(|at| text[..at].encode_utf16().count()).unwrap();
    for (position, words, reply) in [(position, "segunda", Some(102)), (2, "Soy un puente", None)] {
        let own =
            json!({"message_id": 71, "chat": {"id": -5}, "from": {"id": BOT, "is_bot": true}, "text": text});
        let quote = json!({"text": words, "position": position});
        let said = says(&stage.message(-5, json!({"text": "sí", "reply_to_message": own, "quote": quote})));
        assert_eq!(said[0].reply, reply, "{}", said[0].text);
        assert!(reply.is_some() || said[0].text == "(re Soy un puente) sí", "{}", said[0].text);
        stage.bridge.handle_acknowledged(&said[0].label, 300 + u64::try_from(position).unwrap(), stage.now);
        stage.take();
    }
}

#[test]
fn an_update_that_cannot_be_read_is_found_and_stepped_over_without_haste() {
    let mut stage = Stage::new(settings());
    stage.message(-5, json!({"text": "hola"}));
    stage.bridge.handle_acknowledged("t1", 9, stage.now);
    stage.take();
    let mut limits = Vec::new();
    for _ in 0..4 {
        stage.bridge.handle_updates(Err(CallError::Undecodable), stage.now);
        assert_eq!(
            stage.take().iter().filter(|output| matches!(output, Output::Poll(_))).count(),
            0,
            "no haste"
        );
        stage.pass(Duration::from_millis(500));
        for output in stage.take() {
            if let Output::Poll(poll) = output {
                limits.push((poll.limit, poll.offset));
            }
        }
    }
    assert_eq!(limits, [(1, Some(2)), (1, Some(2)), (1, Some(2)), (1, Some(3))]);
    assert_eq!(logs(&stage, "la actualización 2 de Telegram"), 1);
    for limit in [2, 4, 8, 16, 32, 64, 100, 100] {
        stage.bridge.handle_updates(Ok(vec![]), stage.now);
        stage.pass(Duration::from_secs(1));
        let outputs = stage.take();
        assert!(matches!(outputs[..], [.., Output::Poll(poll)] if poll.limit == limit), "{outputs:?}");
    }
    stage.bridge.handle_updates(Err(CallError::TooLarge), stage.now);
    stage.pass(Duration::from_millis(500));
    assert!(matches!(stage.take()[..], [.., Output::Poll(poll)] if poll.limit == 50));
    assert_eq!(logs(&stage, "demasiado grande"), 1);
}

#[test]
fn a_person_whose_name_looks_like_a_bridges_is_told_once_in_the_log() {
    let mut stage = Stage::new(settings());
    for _ in 0..3 {
        assert_eq!(texts(&stage.line("uno", "Jean - Luc", "hola")), Vec::<String>::new());
    }
    assert_eq!(logs(&stage, "Jean - Luc"), 1);
    for number in 0..500 {
        stage.line("uno", &format!("N - {number}"), "hola");
    }
    assert_eq!(logs(&stage, "--bridges on"), 64);
}

#[test]
fn what_was_said_while_it_was_away_is_told_once_however_many_polls_bring_it_and_outlives_a_kill() {
    let backlog = Backlog::MaxAge(Duration::from_secs(600));
    let settings = Settings { backlog, ..settings() };
    let mut stage = Stage::new(settings.clone());
    for _ in 0..3 {
        assert_eq!(says(&stage.message(-5, json!({"text": "vieja", "date": 1000}))), []);
        stage.pass(Duration::from_secs(1));
        stage.take();
    }
    // Killed before it was told.
    let mut stage = restarted(&stage, settings.clone());
    stage.pass(Duration::from_secs(5));
    let outputs = stage.take();
    let words = "3 mensajes de hace más de 10 min no se reenviaron";
    assert_eq!(says(&outputs).iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), [words]);
    assert_eq!(texts(&outputs), [format!("* {words}")]);
    assert!(stage.bridge.take_dirty(), "the room's sentence is kept before it is said");
    // And before it was sent.
    let mut stage = restarted(&stage, settings);
    stage.bridge.handle_time(stage.now);
    assert_eq!(texts(&stage.outputs), [format!("* {words}")]);
    stage.sent(0, Ok(1));
    assert!(!stage.bridge.saved().to_text().contains(words));
}

#[test]
fn two_programs_that_take_turns_are_found_out_all_the_same() {
    let mut stage = Stage::new(settings());
    for _ in 0..10 {
        stage.bridge.handle_updates(Err(refused(409, "Conflict", None)), stage.now);
        stage.pass(Duration::from_secs(55));
        stage.bridge.handle_updates(Ok(vec![]), stage.now);
        stage.pass(Duration::from_secs(5));
        stage.take();
    }
    assert!(stage.outputs.iter().any(|output| matches!(output, Output::Stop { .. })));
}

#[test]
fn a_channels_post_of_the_bridges_own_is_known_by_its_number() {
    let mut stage = Stage::new(settings());
    stage.line("uno", "Luis", "hola");
    stage.sent(0, Ok(70));
    for (id, count) in [(70, 0), (71, 1)] {
        let post = json!({"channel_post": {"message_id": id, "chat": {"id": -5}, "sender_chat": {"id": -5, "title": "Canal"}, "text": "hola"}});
        assert_eq!(says(&stage.update(post)).len(), count);
    }
}

#[test]
fn a_message_from_telegram_costs_one_write_before_the_poll_that_confirms_it() {
    let mut stage = Stage::new(settings());
    stage.bridge.take_dirty();
    stage.message(-5, json!({"text": "hola"}));
    assert!(!stage.bridge.take_dirty(), "a repeat is harmless");
    stage.bridge.handle_acknowledged("t1", 9, stage.now);
    assert!(stage.bridge.take_dirty());
    assert!(matches!(stage.take()[..], [Output::Poll(poll)] if poll.offset == Some(2)));
}

#[test]
fn labels_of_another_source_are_others() {
    let stage = Stage::new(settings());
    let mut saved = stage.bridge.saved();
    assert!(!saved.bind(BOT, "https://one"));
    assert!(saved.bind(BOT + 1, "https://one"));
    let mut stage = Stage::from(settings(), saved);
    assert_eq!(says(&stage.message(-5, json!({"text": "hola"})))[0].label, "g1.t1");
}

#[test]
fn what_must_wait_for_something_else_is_not_due() {
    let backlog = Backlog::MaxAge(Duration::from_secs(600));
    let mut stage = Stage::new(Settings { backlog, ..settings() });
    let skip = |stage: &mut Stage| {
        stage.message(-5, json!({"text": "vieja", "date": 1000}));
        stage.pass(Duration::from_secs(6));
        texts(&stage.take())
    };
    assert_eq!(skip(&mut stage), ["* 1 mensaje de hace más de 10 min no se reenvió"]);
    // The next sentence waits until Telegram has that one.
    assert_eq!(skip(&mut stage), Vec::<String>::new());
    assert!(stage.bridge.next_due().is_none_or(|due| due > stage.now.at), "it would turn for nothing");
    assert_eq!(texts(&stage.sent(0, Ok(1))), ["* 1 mensaje de hace más de 10 min no se reenvió"]);
    stage.sent(0, Ok(2));
    stage.bridge.handle_room_lost("uno", stage.now);
    stage.bridge.handle_relay_gone(stage.now);
    stage.pass(Duration::from_secs(60));
    assert!(stage.bridge.next_due().is_none_or(|due| due > stage.now.at), "it would turn for nothing");
}

#[test]
fn a_sentence_said_before_the_room_is_known_does_not_make_a_kill_forget_the_room() {
    let mut stage = Stage::from(settings(), Saved::default());
    stage.message(-5, json!({"text": "/start"}));
    stage.bridge.handle_fetched_line(0, &line(100, "uno", "Luis", "antes"), stage.now);
    stage.bridge.handle_fetched(0, false, stage.now);
    stage.line("uno", "Luis", "hola");
    let stage = restarted(&stage, settings());
    let is_it =
        |output: &Output| matches!(output, Output::Fetch { link: 0, from: FetchFrom::After(100), .. });
    assert!(stage.outputs.iter().any(is_it), "{:?}", stage.outputs);
}
