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
    let mut eva = scene.relay.client("Eva");
    eva.tell("/join cine");
    eva.tell("/ping dentro");
    eva.await_heard("* PONG dentro");
    scene
        .fake
        .message("Luis", json!({"text": "en el tema", "message_thread_id": 7, "is_topic_message": true}));
    scene
        .fake
        .message("Luis", json!({"text": "en otro tema", "message_thread_id": 8, "is_topic_message": true}));
    scene.fake.message("Luis", json!({"text": "en el grupo"}));
    ana.await_heard("en el grupo");
    assert_eq!(eva.await_heard("en el tema"), "Telegram - Luis: en el tema");
    assert!(!eva.heard().join("\n").contains("en otro tema"));
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
    let fake = Fake::start();
    for number in 0..3 {
        fake.message("Luis", json!({"text": format!("viejo {number}"), "date": 1_000_000}));
    }
    let mut scene = Scene::with(fake, &["--backlog", "max-age=10m"]);
    let ana = scene.relay.client("Ana");
    scene.fake.message("Luis", json!({"text": "nuevo"}));
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
    let heard = ana.heard();
    assert!(!heard.iter().any(|line| line.contains("viejo")), "{heard:?}");
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
fn a_token_that_telegram_does_not_know_is_told_once_and_ends_it_at_the_start() {
    let (fake, folder) = (Fake::start(), Folder::new());
    let relay = Relay::start(&folder);
    for missing in [false, true] {
        // One that knows neither method nor token answers 404.
        let script = if missing { "getMe 404; getUpdates 404 x2" } else { "getMe 401; getUpdates 401" };
        fake.script(script);
        let mut bridge = Bridge::start(&fake, &relay, &folder, &[]);
        assert_eq!(bridge.process.await_exit(), Some(2));
        let said = until(
            || {
                let said = bridge.process.said();
                said.iter().any(|line| line.contains("@BotFather")).then_some(said)
            },
            || "why".to_owned(),
        );
        assert_eq!(said.iter().filter(|line| line.contains("token")).count(), 1, "{said:?}");
        fake.world().forget_faults();
    }
}

#[test]
fn what_the_check_cannot_reach_it_tells_in_sentences() {
    let nobody = "127.0.0.1:9";
    for (language, words) in [("es", "conexión rechazada"), ("en", "connection refused")] {
        let (text, code) = Bridge::output(&[
            "check",
            "--lang",
            language,
            "--api-url",
            &format!("http://{nobody}"),
            "--relay",
            nobody,
        ]);
        assert_eq!((text.matches(words).count(), code), (2, Some(1)), "{text}");
        assert!(!text.contains("os error") && !text.contains("http"), "{text}");
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
    // One that never worked would end it.
    until(|| (scene.fake.world().polls > 1).then_some(()), || "a second poll".to_owned());
    // An implementation that repeats the address, and so the token, in all that it refuses.
    scene
        .fake
        .script("sendMessage echo; getUpdates echo x2; getUpdates html; sendMessage html; getUpdates 401");
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
fn a_token_or_password_on_the_command_line_is_not_repeated() {
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
        "--password-file",
        "--relay-fingerprint",
        "--no-such-flag",
    ] {
        for secret in [fake::SECRET, &whole, other, support::PASSWORD] {
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
    let mut process = Process::start(command.args(["-c", &format!("echo x{}y >&2", fake::SECRET)]));
    process.await_exit();
}

/// Established connections of a process, by the port that they lead to.
fn connections(pid: u32) -> Vec<u16> {
    let folder = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = folder.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let inodes: Vec<String> = links
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let table = std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).unwrap();
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    let open = rows.filter(|row| row[3] == "01" && inodes.iter().any(|inode| *inode == row[9]));
    open.map(|row| u16::from_str_radix(row[2].split_once(':').unwrap().1, 16).unwrap()).collect()
}

#[test]
fn while_nothing_happens_only_the_poll_wakes_it_over_one_connection_each_way() {
    let scene = Scene::new(&["--poll-timeout", "12"]);
    let ana = scene.relay.client("Ana");
    scene.fake.message("Luis", json!({"text": "hola"}));
    ana.await_heard("hola");
    let pid = scene.bridge.process.pid();
    let switches = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
        line.trim().parse().unwrap()
    };
    let polls = || scene.fake.world().polls;
    let next = |before: usize| until(|| (polls() > before).then_some(()), || "the next poll".to_owned());
    next(polls());
    let (first, before) = (polls(), switches());
    next(first);
    // A poll's end, the next one's beginning, and no more: what turns once a second would have turned ten times.
    let count = switches() - before;
    println!("{count} wake-ups in a poll of 12 s");
    assert!(count <= 8, "{count} wake-ups in a poll");
    let ports = connections(pid);
    let to = |port: u16| ports.iter().filter(|other| **other == port).count();
    assert_eq!(to(scene.relay.address.port()), 1, "{ports:?}");
    // Polls that Telegram holds back for as long as it may are none that failed.
    let status = std::fs::read_to_string(scene.folder.path("status.json")).unwrap();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["calls_failed_total"], 0, "{status}");
    // One waits; another one was for calls, and is closed when it has been idle.
    assert!((1..=2).contains(&to(scene.fake.address.port())), "{ports:?}");
}

#[test]
fn a_webhook_is_told_and_taken_away_when_that_is_asked_for() {
    let (fake, folder) = (Fake::start(), Folder::new());
    fake.world().webhook = Some("https://example.org/hook".to_owned());
    let relay = Relay::start(&folder);
    let bridge = Bridge::start(&fake, &relay, &folder, &[]);
    bridge.process.await_said("--delete-webhook");
    drop(bridge);
    assert!(fake.world().webhook.is_some());
    let bridge = Bridge::start(&fake, &relay, &folder, &["--delete-webhook"]);
    bridge.process.await_said("deleteWebhook: ok");
    let ana = relay.client("Ana");
    fake.message("Luis", json!({"text": "hola"}));
    ana.await_heard("Telegram - Luis: hola");
}

#[test]
fn in_english_everything_is_in_english() {
    let fake = Fake::start();
    fake.message("Luis", json!({"text": "old", "date": 1_000_000}));
    let mut scene = Scene::with(fake, &["--lang", "en", "--backlog", "max-age=10m"]);
    let mut ana = scene.relay.client("Ana");
    scene.fake.script("sendMessage taken-cut; sendMessage 429 1");
    ana.tell("Ana: one");
    scene.fake.message("Luis", json!({"text": "/start"}));
    scene.fake.message("Luis", json!({"text": "/who"}));
    scene.fake.message("Luis", json!({"sticker": {"emoji": "😀"}}));
    ana.await_heard("[sticker 😀]");
    for words in [
        "(perhaps repeated)",
        "I am a bridge",
        "in the room general: Ana",
        "older than 10 min was not forwarded",
    ] {
        until(
            || scene.fake.lines().iter().any(|line| line.contains(words)).then_some(()),
            || format!("{words} in {:?}", scene.fake.lines()),
        );
    }
    ana.await_heard("1 message older than 10 min was not forwarded");
    assert_eq!(scene.bridge.process.terminate(), Some(0));
    let spanish = ["no se ", "el chat", "Telegram pide", "sala ", "quizá", "bien:", "aviso:", "mal:"];
    for line in scene.bridge.process.said().iter().chain(&scene.fake.lines()) {
        assert!(!spanish.iter().any(|words| line.contains(words)), "{line}");
    }
    let (text, code) = Bridge::output(&["--lang", "en", "--chat", "x"]);
    assert!(text.contains("no number of a chat") && code == Some(2), "{text}");
}

#[test]
fn two_programs_with_one_token_tell_each_other_so_and_no_message_comes_twice() {
    let (fake, folder, other) = (Fake::start(), Folder::new(), Folder::new());
    let relay = Relay::start(&folder);
    let first = Bridge::start(&fake, &relay, &folder, &["--poll-timeout", "20"]);
    first.await_ready();
    let second =
        Bridge::start(&fake, &relay, &other, &["--poll-timeout", "20", "--name", "Otro", "--room", "otra"]);
    first.process.await_said("mismo token");
    drop(second);
    let ana = relay.client("Ana");
    fake.message("Luis", json!({"text": "para quien lea"}));
    ana.await_heard("para quien lea");
    first.process.await_said("contesta de nuevo");
    assert_eq!(ana.heard().iter().filter(|line| line.contains("para quien lea")).count(), 1);
}

/// A SOCKS 5 proxy that asks for no password. How many connections it made.
fn socks5() -> (std::net::SocketAddr, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (listener.local_addr().unwrap(), std::sync::Arc::default());
    let counted = std::sync::Arc::<std::sync::atomic::AtomicUsize>::clone(&count);
    std::thread::spawn(move || {
        for caller in listener.incoming().map_while(Result::ok) {
            let counted = counted.clone();
            std::thread::spawn(move || -> std::io::Result<()> {
                let mut caller = caller;
                let mut greeting = [0; 2];
                caller.read_exact(&mut greeting)?;
                caller.read_exact(&mut vec![0; usize::from(greeting[1])])?;
                caller.write_all(&[5, 0])?;
                let mut request = [0; 10];
                caller.read_exact(&mut request)?;
                assert_eq!(request[..4], [5, 1, 0, 1], "a connection to an IPv4 address");
                let ip = std::net::Ipv4Addr::new(request[4], request[5], request[6], request[7]);
                let port = u16::from_be_bytes([request[8], request[9]]);
                let mut server = std::net::TcpStream::connect((ip, port))?;
                caller.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
                counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let (mut from, mut to) = (caller.try_clone()?, server.try_clone()?);
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                std::io::copy(&mut server, &mut caller).map(drop)
            });
        }
    });
    (address, count)
}

#[test]
fn a_socks5_proxy_carries_everything() {
    let (address, count) = socks5();
    let scene = Scene::new(&["--proxy", &format!("socks5://{address}")]);
    let mut ana = scene.relay.client("Ana");
    scene.fake.message("Luis", json!({"text": "hola"}));
    ana.await_heard("hola");
    ana.tell("Ana: buenas");
    scene.await_line("Ana: buenas");
    assert!(count.load(std::sync::atomic::Ordering::Relaxed) > 0);
}

#[test]
fn a_relay_that_holds_floods_back_gets_every_message_at_its_own_pace() {
    let (fake, folder) = (Fake::start(), Folder::new());
    let relay = Relay::with(&folder, &[]);
    let bridge = Bridge::start(&fake, &relay, &folder, &[]);
    bridge.await_ready();
    let ana = relay.client("Ana");
    let expected: Vec<String> = (0..60).map(|number| format!("Telegram - Luis: mensaje {number}.")).collect();
    for number in 0..60 {
        fake.message("Luis", json!({"text": format!("mensaje {number}.")}));
    }
    ana.await_heard("mensaje 59.");
    let heard: Vec<String> = ana.heard().into_iter().filter(|line| line.contains("mensaje")).collect();
    assert_eq!(heard, expected);
    assert!(bridge.process.said().iter().all(|line| !line.contains("FLOOD")));
}

#[test]
fn each_message_costs_few_writes_of_the_state() {
    let scene = Scene::new(&[]);
    let mut ana = scene.relay.client("Ana");
    let metric = |name: &str| -> Option<u64> {
        let status = std::fs::read_to_string(scene.folder.path("status.json")).ok()?;
        serde_json::from_str::<serde_json::Value>(&status).ok()?[name].as_u64()
    };
    let reached = |messages: u64, lines: u64| {
        until(
            || {
                let is_there = metric("lines_to_chat_total") == Some(messages)
                    && metric("lines_to_telegram_total") == Some(lines);
                metric("state_writes_total").filter(|_| is_there)
            },
            || "the status".to_owned(),
        )
    };
    let before = reached(0, 0);
    for number in 0..10 {
        scene.fake.message("Luis", json!({"text": format!("de allí {number}.")}));
        ana.await_heard(&format!("de allí {number}."));
    }
    let there = reached(10, 0) - before;
    for number in 0..10 {
        ana.tell(&format!("Ana: de aquí {number}."));
        scene.await_line(&format!("Ana: de aquí {number}."));
    }
    let here = reached(10, 10) - before - there;
    println!("10 messages from Telegram cost {there} writes, 10 to it {here}");
    assert!(there <= 12 && here <= 22, "{there} and {here} writes");
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
