//! A bridge as a process, between a Telegram of the tests' own and a real relay.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod fake;
mod support;

use fake::{Fake, GROUP};
use serde_json::json;
use support::{Bridge, Folder, Process, Relay, assert_hides_token, until};

/// Everybody, ready.
struct Scene {
    fake: Fake,
    relay: Relay,
    bridge: Bridge,
    folder: Folder,
}

impl Scene {
    fn new(flags: &[&str]) -> Self {
        Self::with(Fake::start(), flags)
    }

    fn with(fake: Fake, flags: &[&str]) -> Self {
        let folder = Folder::new();
        let relay = Relay::start(&folder);
        let bridge = Bridge::start(&fake, &relay, &folder, flags);
        bridge.await_ready();
        // From here on, what is said in the room is for Telegram.
        let cursor = || {
            std::fs::read_to_string(folder.path("bridge.json"))
                .is_ok_and(|text| text.contains("\"cursor\":0") || !text.contains("\"cursor\":null"))
        };
        until(|| cursor().then_some(()), || "a cursor in the state file".to_owned());
        Self { fake, relay, bridge, folder }
    }

    fn await_line(&self, line: &str) {
        until(
            || self.fake.lines().iter().any(|sent| sent == line).then_some(()),
            || format!("{line:?} in {:?}; it said {:?}", self.fake.lines(), self.bridge.process.said()),
        );
    }
}

#[test]
fn lines_and_messages_cross_in_both_directions_and_replies_find_what_they_answer() {
    let scene = Scene::new(&[]);
    let mut ana = scene.relay.client("Ana");
    let message = scene.fake.message("Luis", json!({"text": "hola\ndesde Telegram"}));
    assert_eq!(ana.await_heard("hola"), "Telegram - Luis: hola\u{2028}desde Telegram");
    ana.tell("Ana: buenas");
    scene.await_line("Ana: buenas");
    ana.tell("[RESPUESTA a 'Telegram - Luis: hola'] Ana: te leo");
    let sent = until(|| scene.fake.sent().into_iter().find(|sent| sent.text.contains("te leo")), String::new);
    // A plain client's reply has no id, so it quotes.
    assert_eq!(sent.text, "Ana: (re Telegram - Luis: hola) te leo");
    let buenas = scene.fake.sent()[0].id;
    scene.fake.message("Luis", json!({"text": "y yo a ti", "reply_to_message": {
        "message_id": buenas, "chat": {"id": GROUP}, "from": {"id": fake::BOT_ID, "is_bot": true}, "text": "Ana: buenas"}}));
    assert_eq!(ana.await_heard("y yo"), "[RESPUESTA a 'Ana: buenas'] Telegram - Luis: y yo a ti");
    assert!(message > 0);
}

#[test]
fn the_commands_of_the_bot_are_answered_and_not_passed_on() {
    let scene = Scene::new(&[]);
    let ana = scene.relay.client("Ana");
    scene.fake.message("Luis", json!({"text": "/start"}));
    scene.fake.message("Luis", json!({"text": "/quien@puente_bot"}));
    scene.fake.message_in(-99, "Eva", json!({"text": "/start"}));
    scene.fake.message("Luis", json!({"text": "/otra cosa"}));
    ana.await_heard("/otra cosa");
    scene.await_line("* en la sala general: Ana");
    until(
        || scene.fake.sent().into_iter().find(|sent| sent.chat == -99 && sent.text.contains("-99")),
        String::new,
    );
    assert!(
        scene.fake.lines().iter().any(|line| line.contains("Soy un puente") && line.contains("sala general"))
    );
    assert!(!ana.heard().iter().any(|line| line.contains("/start") || line.contains("/quien")));
}

#[test]
fn each_fault_of_telegram_costs_time_and_no_message() {
    let scene = Scene::new(&[]);
    let mut ana = scene.relay.client("Ana");
    scene.fake.script("getUpdates 500; getUpdates html; getUpdates cut; getUpdates 429 1");
    scene.fake.script("sendMessage 429 1; sendMessage 500; sendMessage taken-cut; sendMessage html");
    for number in 0..5 {
        scene.fake.message("Luis", json!({"text": format!("de allí {number}")}));
        ana.tell(&format!("Ana: de aquí {number}"));
    }
    for number in 0..5 {
        ana.await_heard(&format!("de allí {number}"));
        scene.await_line(&format!("Ana: de aquí {number}"));
    }
    let heard: Vec<String> = ana.heard().into_iter().filter(|line| line.contains("de allí")).collect();
    assert_eq!(heard.len(), 5, "{heard:?}");
    // What may have arrived comes again, marked; all else once, in order.
    let sent = scene.fake.sent();
    assert!(sent.iter().filter(|sent| sent.text.starts_with("(quizá repetido)")).count() >= 1, "{sent:?}");
    let unmarked = sent.iter().filter(|sent| !sent.text.starts_with("(quizá"));
    let lines: Vec<String> =
        unmarked.flat_map(|sent| sent.text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert!(lines.is_sorted() && lines.windows(2).all(|pair| pair[0] != pair[1]), "{lines:?}");
}

#[test]
fn a_poll_that_hangs_is_given_up_and_asked_again() {
    let fake = Fake::start();
    fake.script("getUpdates hang");
    let scene = Scene::with(fake, &[]);
    let ana = scene.relay.client("Ana");
    scene.fake.message("Luis", json!({"text": "¿sigues ahí?"}));
    ana.await_heard("¿sigues ahí?");
    assert!(scene.fake.world().polls >= 2);
}

#[test]
fn a_group_that_becomes_a_supergroup_is_followed_and_remembered() {
    let mut scene = Scene::new(&[]);
    let mut ana = scene.relay.client("Ana");
    scene.fake.world().migrated.insert(GROUP, -1_009_999);
    ana.tell("Ana: ¿dónde estáis?");
    scene.await_line("Ana: ¿dónde estáis?");
    assert_eq!(scene.fake.sent()[0].chat, -1_009_999);
    scene.fake.message_in(-1_009_999, "Luis", json!({"text": "aquí"}));
    ana.await_heard("Telegram - Luis: aquí");
    scene.bridge.restart();
    scene.bridge.await_ready();
    ana.tell("Ana: ya os veo");
    scene.await_line("Ana: ya os veo");
    assert_eq!(scene.fake.sent()[1].chat, -1_009_999);
    assert!(scene.folder.0.exists());
}

#[test]
fn another_program_with_the_same_token_is_told_in_one_sentence_and_ends_it() {
    let mut scene = Scene::new(&[]);
    scene.fake.script("getUpdates 409 x2");
    scene.bridge.process.await_said("mismo token");
    scene.bridge.process.await_said("contesta de nuevo");
    let said = scene.bridge.process.said();
    assert_eq!(said.iter().filter(|line| line.contains("mismo token")).count(), 1, "{said:?}");
    assert_eq!(scene.bridge.process.terminate(), Some(0));
}

#[test]
fn an_implementation_that_does_not_wait_does_not_make_it_spin_and_one_that_lacks_methods_costs_a_warning() {
    let fake = Fake::start();
    fake.world().is_hasty = true;
    fake.world()
        .missing
        .extend(["getChat", "getChatMember", "getWebhookInfo", "sendChatAction"].map(str::to_owned));
    let scene = Scene::with(fake, &[]);
    scene.bridge.process.await_said("aviso: getChatMember");
    let ana = scene.relay.client("Ana");
    let before = scene.fake.world().polls;
    let started = std::time::Instant::now();
    scene.fake.message("Luis", json!({"text": "hola"}));
    ana.await_heard("hola");
    until(|| (scene.fake.world().polls > before + 2).then_some(()), String::new);
    let polls = scene.fake.world().polls - before;
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap();
    // One a second, and two for the message.
    assert!(polls <= seconds + 4, "{polls} polls in {seconds} s");
}

#[test]
fn topics_have_rooms_of_their_own() {
    let folder = Folder::new();
    let file = folder.path("bridge.toml");
    let links = format!(
        "[[links]]\nchat = {GROUP}\nroom = 'general'\n[[links]]\nchat = {GROUP}\nthread = 7\nroom = 'cine'\n"
    );
    std::fs::write(&file, links).unwrap();
    let scene = Scene::new(&["--config", &file]);
    let mut ana = scene.relay.client("Ana");
    scene
        .fake
        .message("Luis", json!({"text": "en el tema", "message_thread_id": 7, "is_topic_message": true}));
    scene
        .fake
        .message("Luis", json!({"text": "en otro tema", "message_thread_id": 8, "is_topic_message": true}));
    scene.fake.message("Luis", json!({"text": "en el grupo"}));
    ana.await_heard("en el grupo");
    ana.tell("/join cine");
    ana.tell("Ana: para el tema");
    let sent =
        until(|| scene.fake.sent().into_iter().find(|sent| sent.text.contains("para el tema")), String::new);
    assert_eq!(sent.thread, Some(7));
    let heard = ana.heard().join("\n");
    assert!(!heard.contains("en otro tema") && !heard.contains("en el tema"), "{heard}");
}

#[test]
fn a_burst_arrives_whole_and_in_order_in_few_messages() {
    let scene = Scene::new(&["--pace", "0.2,0"]);
    let mut ana = scene.relay.client("Ana");
    let lines: Vec<String> = (0..5000).map(|number| format!("Ana: línea número {number}")).collect();
    lines.iter().for_each(|line| ana.tell(line));
    scene.await_line(&lines[4999]);
    assert_eq!(scene.fake.lines(), lines);
    let units: usize = lines.iter().map(|line| line.encode_utf16().count() + 1).sum();
    let sent = scene.fake.sent().len();
    println!("{sent} messages; {} would hold the text", units.div_ceil(4096));
    assert!(sent <= units.div_ceil(4096) + 3, "{sent} messages");
}

#[test]
fn what_is_too_old_is_left_out_and_that_is_said_on_both_sides() {
    let mut scene = Scene::new(&["--backlog", "max-age=10m"]);
    let ana = scene.relay.client("Ana");
    for number in 0..3 {
        scene.fake.message("Luis", json!({"text": format!("viejo {number}"), "date": 1_000_000}));
    }
    scene.fake.message("Luis", json!({"text": "nuevo"}));
    ana.await_heard("nuevo");
    // How many are told at once is for the polls to say.
    let count = |lines: Vec<String>| -> usize {
        let told = lines
            .iter()
            .filter_map(|line| line.split_once(" mensaje")?.0.rsplit(' ').next()?.parse::<usize>().ok());
        told.sum()
    };
    until(|| (count(ana.heard()) == 3).then_some(()), || format!("3 in {:?}", ana.heard()));
    until(|| (count(scene.fake.lines()) == 3).then_some(()), || format!("3 in {:?}", scene.fake.lines()));
    ana.await_heard("de hace más de 10 min no se re");
    assert!(!ana.heard().iter().any(|line| line.contains("viejo")));
    assert_eq!(scene.bridge.process.terminate(), Some(0));
}

#[test]
fn the_check_says_what_is_wrong_and_what_to_do_and_never_the_token() {
    let (fake, folder) = (Fake::start(), Folder::new());
    let relay = Relay::start(&folder);
    let me = json!({"id": fake::BOT_ID, "username": "puente_bot", "can_read_all_group_messages": false});
    fake.world().answers.insert("getMe".to_owned(), me);
    fake.script("sendChatAction echo");
    let (api, address) = (format!("http://{}", fake.address), relay.address.to_string());
    let flags = ["check", "--api-url", &api, "--relay", &address, "--chat", "-5"];
    let (text, code) = Bridge::output(&flags);
    assert_eq!(code, Some(1), "{text}");
    for words in ["@puente_bot", "/setprivacy", "relay de Tertulia", "<token>"] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn what_goes_through_a_proxy_reaches_it_with_the_whole_address() {
    let (fake, folder) = (Fake::start(), Folder::new());
    let relay = Relay::start(&folder);
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let bridge = Bridge::start(&fake, &relay, &folder, &["--proxy", &url]);
    let (mut caller, _) = proxy.accept().unwrap();
    let mut start = [0; 12];
    std::io::Read::read_exact(&mut caller, &mut start).unwrap();
    assert_eq!(&start, b"POST http://");
    drop(bridge);
}

#[test]
fn the_token_is_in_no_log_no_status_no_state_and_no_metrics_whatever_fails() {
    let mut scene = Scene::new(&["--metrics", "127.0.0.1:0"]);
    let mut ana = scene.relay.client("Ana");
    // An implementation that repeats the address, and so the token, in all that it refuses.
    scene
        .fake
        .script("sendMessage echo x2; getUpdates echo x2; getUpdates html; sendMessage html; getUpdates 401");
    ana.tell("Ana: uno");
    scene.fake.message("Luis", json!({"text": "dos"}));
    ana.await_heard("dos");
    ana.tell("Ana: tres");
    until(
        || scene.fake.lines().iter().any(|line| line.contains("tres")).then_some(()),
        || format!("{:?}", scene.fake.lines()),
    );
    let metrics = scene.bridge.process.await_said("metrics on ");
    let mut caller = std::net::TcpStream::connect(metrics.strip_prefix("metrics on ").unwrap()).unwrap();
    std::io::Write::write_all(&mut caller, b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut shown = String::new();
    std::io::Read::read_to_string(&mut caller, &mut shown).unwrap();
    assert!(shown.contains("tertulia_tgbridge_lines_to_chat_total 1"), "{shown}");
    let status = until(|| std::fs::read_to_string(scene.folder.path("status.json")).ok(), String::new);
    assert!(status.contains("last_good_poll_seconds"), "{status}");
    assert_eq!(scene.bridge.process.terminate(), Some(0));
    // The address of nobody: connections are refused.
    let (text, _) = Bridge::output(&["check", "--api-url", "http://127.0.0.1:9", "--relay", "127.0.0.1:9"]);
    assert!(text.contains("Telegram"), "{text}");
    let state = std::fs::read_to_string(scene.folder.path("bridge.json")).unwrap();
    for text in [&shown, &status, &state].into_iter().chain(&scene.bridge.process.said()) {
        assert_hides_token(text);
    }
}

#[test]
fn a_token_on_the_command_line_is_not_repeated() {
    let whole = format!("{}:{}", fake::BOT_ID, fake::SECRET);
    let other = "987654321:AAHqwertyuiopASDFGHJKLzxcvbnm123456";
    for flag in [
        "--chat",
        "--names",
        "--backlog",
        "--metrics",
        "--pace",
        "--room",
        "--config",
        "--token-file",
        "--no-such-flag",
    ] {
        for secret in [fake::SECRET, &whole, other] {
            let (text, code) = Bridge::output(&[flag, secret]);
            assert_eq!(code, Some(2), "{text}");
            assert!(!text.contains("AAHqwerty"), "{flag}: {text}");
        }
    }
    let (text, code) = Bridge::output(&[&whole]);
    assert_eq!(code, Some(2), "{text}");
}

#[test]
#[should_panic(expected = "the token is in: x<here>y")]
fn a_token_that_some_process_says_fails_the_test() {
    let mut command = std::process::Command::new("sh");
    drop(Process::start(command.args(["-c", &format!("echo x{}y >&2", fake::SECRET)])));
}

#[test]
fn while_nothing_happens_nothing_wakes_it() {
    let scene = Scene::new(&["--poll-timeout", "50"]);
    let ana = scene.relay.client("Ana");
    scene.fake.message("Luis", json!({"text": "hola"}));
    ana.await_heard("hola");
    let path = format!("/proc/{}/status", scene.bridge.process.pid());
    let switches = || {
        let status = std::fs::read_to_string(&path).unwrap();
        status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).unwrap().to_owned()
    };
    // A whole second without a single turn: what turns every second never has one.
    until(
        || {
            let before = switches();
            std::thread::sleep(std::time::Duration::from_millis(1500));
            (switches() == before).then_some(())
        },
        switches,
    );
}

#[test]
fn messages_cross_one_by_one() {
    let scene = Scene::new(&["--poll-timeout", "50"]);
    let ana = scene.relay.client("Ana");
    let mut times: Vec<std::time::Duration> = (0..30)
        .map(|number| {
            let text = format!("mensaje {number}.");
            let started = std::time::Instant::now();
            scene.fake.message("Luis", json!({ "text": &text }));
            ana.await_heard(&text);
            started.elapsed()
        })
        .collect();
    times.sort();
    println!("from Telegram to a client of the chat: median {:?}, longest {:?}", times[15], times[29]);
}
