//! The file of the history and its threads, without a relay around them.

#![cfg(feature = "history")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tertulia_relay::batch::{Batch, Durability, Kept, Key, SessionRow, Work};
use tertulia_relay::chat::{Answer, Question, Remembered, Wanted};
use tertulia_relay::clock::unix_ms;
use tertulia_relay::history::{
    CLOCK_SET_MS, INDEX_LEAP_LINES, Journal, Keeper, Manner, News, Opening, Parcel, QUESTIONS_MAX, Retention,
    SESSIONS_WAITING_MAX, Store, WAITING_BYTES_MAX,
};
use tertulia_wire::limits::LABELS_KEPT;

const DEADLINE: Duration = Duration::from_secs(20);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const FOREVER: Retention = Retention { age_max: Duration::ZERO, rows_max: 0 };
const LINE: Kept<'_> = Kept {
    id: 0,
    unix_ms: 0,
    room: "general",
    name: "Ana",
    reply: None,
    quote: None,
    key: None,
    text: "hola",
};

/// A folder that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tertulia-file-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("history.db")
    }

    fn store(&self) -> Store {
        Store::open(&self.file(), Opening::default()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The line with this place in time.
fn line(number: u64) -> Kept<'static> {
    Kept { id: number << 16, unix_ms: number, ..LINE }
}

fn batch<'a>(lines: impl IntoIterator<Item = Kept<'a>>) -> Batch {
    let mut batch = Batch::default();
    lines.into_iter().for_each(|line| batch.push(line));
    batch
}

fn work<'a>(number: u64, lines: impl IntoIterator<Item = Kept<'a>>) -> Work {
    Work { number, lines: batch(lines), ..Work::default() }
}

fn session(sid: u64, used_unix_ms: u64) -> SessionRow {
    let mut token_hash = [0; 16];
    token_hash[..8].copy_from_slice(&sid.to_le_bytes());
    let rooms = vec!["general".to_owned(), "cocina".to_owned()];
    SessionRow {
        token_hash,
        sid,
        name: "Ana".to_owned(),
        rooms,
        account: None,
        token_epoch: 0,
        muted_until_unix_ms: 0,
        is_present: false,
        used_unix_ms,
    }
}

fn keep(store: &mut Store, work: Work) {
    let mut parcel = Parcel::default();
    parcel.add(work, true);
    store.keep(&parcel).unwrap();
}

fn texts(lines: &Batch) -> Vec<String> {
    lines.iter().map(|line| line.text.to_owned()).collect()
}

fn numbers(lines: &Batch) -> Vec<u64> {
    lines.iter().map(|line| line.id >> 16).collect()
}

/// A keeper whose bell is heard.
struct Running {
    keeper: Keeper,
    bell: Receiver<()>,
    remembered: Remembered,
}

impl Running {
    fn start(path: &Path, opening: Opening) -> Self {
        Self::start_with(path, opening, || ())
    }

    /// `then` is done by the thread that rings.
    fn start_with(path: &Path, opening: Opening, then: impl Fn() + Send + Sync + 'static) -> Self {
        let (ring, bell) = channel();
        let manner = Manner { opening, retention: FOREVER };
        let ring = std::sync::Mutex::new(ring);
        let ring = std::sync::Arc::new(move || {
            let _ = ring.lock().unwrap().send(());
            then();
        });
        let (keeper, remembered) = Keeper::start(path, manner, ring).unwrap();
        Self { keeper, bell, remembered }
    }

    /// News from the time on at which `is_there` says so; all answers until then.
    fn wait(&self, is_there: impl Fn(&News) -> bool) -> News {
        let until = Instant::now() + DEADLINE;
        let (mut answers, mut lost) = (Vec::new(), None);
        loop {
            let mut news = self.keeper.take_news();
            answers.append(&mut news.answers);
            lost = lost.max(news.lost);
            (news.answers, news.lost) = (std::mem::take(&mut answers), lost);
            if is_there(&news) {
                return news;
            }
            answers = news.answers;
            let left = until.saturating_duration_since(Instant::now());
            self.bell.recv_timeout(left).expect("the bell rings in time");
        }
    }

    fn ask(&self, what: Wanted) -> Batch {
        self.keeper.ask(Question { ticket: 7, what });
        let news = self.wait(|news| !news.answers.is_empty());
        match news.answers.into_iter().next() {
            Some((7, Answer::Lines(lines))) => lines,
            other => panic!("{other:?}"),
        }
    }

    fn page(&self, limit: u32) -> Batch {
        self.ask(Wanted::Lines { room: "general".to_owned(), before: None, after: None, limit })
    }
}

fn starting_with(journal: Journal) -> Opening {
    Opening { journal, ..Opening::default() }
}

#[test]
fn lines_come_out_as_they_went_in() {
    let folder = Folder::new();
    let mut store = folder.store();
    let key = Some(Key { sid: 7, label: "a.1-_", hash: u32::MAX });
    let lines = [
        line(1),
        Kept { unix_ms: 1_700_000_000_000, ..line(2) },
        Kept { reply: Some(1 << 16), quote: Some("¿qué?"), key, ..line(3) },
        Kept { quote: Some(""), key: Some(Key { sid: 8, label: "b", hash: 0 }), text: "", ..line(4) },
        Kept { name: "Luis - Eva", text: "ñ 🙂 \0 '\"", ..line(5) },
    ];
    keep(&mut store, work(1, lines));
    let given = store.lines("general", None, None, 100).unwrap();
    assert_eq!(given.iter().collect::<Vec<_>>(), lines);
    let mut each = Batch::default();
    store
        .each(|line| {
            each.push(line);
            true
        })
        .unwrap();
    assert_eq!(each.iter().collect::<Vec<_>>(), lines);
}

#[test]
fn a_page_holds_the_newest_lines_before_an_id_or_the_oldest_behind_one() {
    let folder = Folder::new();
    let mut store = folder.store();
    keep(&mut store, work(1, (1..=9).map(line)));
    keep(&mut store, work(2, [Kept { room: "cocina", ..line(10) }]));
    let page = |before: Option<u64>, after: Option<u64>, limit| {
        let id = |number: Option<u64>| number.map(|number| number << 16);
        numbers(&store.lines("general", id(before), id(after), limit).unwrap())
    };
    assert_eq!(page(None, None, 2), [8, 9]);
    assert_eq!(page(Some(5), None, 2), [3, 4]);
    assert_eq!(page(None, Some(5), 2), [6, 7]);
    assert_eq!(page(Some(7), Some(5), 9), [6]);
    assert_eq!(page(Some(u64::MAX), Some(0), 9).len(), 9);
    assert_eq!(numbers(&store.lines("cocina", None, None, 9).unwrap()), [10]);
    assert!(store.lines("nadie", None, None, 9).unwrap().is_empty());
}

#[test]
fn the_newest_labels_of_a_session_are_known() {
    let folder = Folder::new();
    let mut store = folder.store();
    let count = LABELS_KEPT as u64 + 10;
    let said = |number: u64| {
        let key = Some(Key { sid: number % 2, label: if number % 3 == 0 { "x" } else { "a.7" }, hash: 1 });
        Kept { key, unix_ms: number, ..line(number) }
    };
    keep(&mut store, work(1, (1..2 * count).map(said).chain([line(2 * count)])));
    let labeled = store.labeled(1, u64::MAX).unwrap();
    assert_eq!(labeled.len(), LABELS_KEPT);
    assert!(labeled.iter().all(|line| line.key.unwrap().sid == 1));
    let (first, last) = (labeled.iter().next().unwrap().id >> 16, labeled.iter().last().unwrap().id >> 16);
    assert_eq!((first, last), (21, 2 * count - 1));
    assert!(store.labeled(2, u64::MAX).unwrap().is_empty());
    // The next run has them by an index, and what is said in it is not in there.
    drop(store);
    let mut store = folder.store();
    assert!(store.labeled(1, u64::MAX).unwrap().iter().eq(labeled.iter()));
    keep(&mut store, work(2, [said(2 * count + 1), said(2 * count + 2)]));
    let labeled = numbers(&store.labeled(1, u64::MAX).unwrap());
    assert_eq!((labeled.len(), labeled[0], *labeled.last().unwrap()), (LABELS_KEPT, 23, 2 * count + 1));
    let before = numbers(&store.labeled(1, (2 * count) << 16).unwrap());
    assert_eq!((before.len(), *before.last().unwrap()), (LABELS_KEPT, 2 * count - 1));
    keep(&mut store, work(3, (2 * count + 3..2 * count + 35_000).map(said)));
    store.tidy().unwrap();
    let other = Connection::open(folder.file()).unwrap();
    let indexed = "SELECT count(*) FROM label";
    assert_eq!(other.query_row(indexed, [], |row| row.get::<_, u64>(0)).unwrap(), 2 * count + 34_998);
    let labeled = numbers(&store.labeled(1, u64::MAX).unwrap());
    assert!(labeled.is_sorted_by(|one, other| other - one == 2) && labeled.len() == LABELS_KEPT);
    store.prune(Retention { rows_max: 10, ..FOREVER }, 0, 1_000_000).unwrap();
    store.tidy().unwrap();
    assert_eq!(store.labeled(1, u64::MAX).unwrap().len(), 5);
}

#[test]
fn a_page_of_a_room_is_the_same_however_many_of_its_lines_are_in_the_index() {
    let folder = Folder::new();
    let mut store = folder.store();
    let room = |number: u64| match number {
        _ if number % 1000 == 7 => "desván",
        _ if number % 3 == 0 => "cocina",
        _ => "general",
    };
    let said = |number: u64| Kept { room: room(number), ..line(number) };
    let check = |store: &Store, last: u64| {
        for name in ["general", "cocina", "desván", "sótano"] {
            let all: Vec<u64> = (1..=last).filter(|number| room(*number) == name).collect();
            for (before, after) in
                [(last + 1, 0), (last - 3, 0), (4_500, 0), (last, 4_000), (4_600, 90), (3, 2)]
            {
                let between = |number: &&u64| (after + 1..before).contains(*number);
                let all: Vec<u64> = all.iter().filter(between).copied().collect();
                let (first, rest) = (&all[..all.len().min(60)], &all[all.len().saturating_sub(60)..]);
                let (before, after) = (before << 16, after << 16);
                let oldest = store.lines(name, Some(before), Some(after), 60).unwrap();
                assert_eq!(numbers(&oldest), first, "{name} from {after} to {before} of {last}");
                if after == 0 {
                    let newest = store.lines(name, Some(before), None, 60).unwrap();
                    assert_eq!(numbers(&newest), rest, "{name} before {before} of {last}");
                }
            }
        }
    };
    keep(&mut store, work(1, (1..=4_090).map(said)));
    store.tidy().unwrap();
    check(&store, 4_090);
    keep(&mut store, work(2, (4_091..=5_000).map(said)));
    store.tidy().unwrap();
    check(&store, 5_000);
    keep(&mut store, work(3, (5_001..=5_020).map(said)));
    check(&store, 5_020);
    let indexed = Connection::open(folder.file()).unwrap();
    let count = |query: &str| indexed.query_row(query, [], |row| row.get::<_, u64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM room_line"), 5_000);
    // The next run has all of them in the index, and what goes is not in there either.
    drop(store);
    let mut store = folder.store();
    check(&store, 5_020);
    store.prune(Retention { rows_max: 1_000, ..FOREVER }, 0, 1_000_000).unwrap();
    assert_eq!(count("SELECT count(*) FROM room_line"), 1_000);
    let oldest = store.lines("general", None, Some(0), 1).unwrap();
    assert_eq!(numbers(&oldest), [4_021]);
}

#[test]
fn a_line_said_behind_ids_of_the_future_is_found_in_its_room_and_by_its_words() {
    let folder = Folder::new();
    let mut store = folder.store();
    keep(&mut store, work(1, (100_000..105_000).map(line)));
    store.tidy().unwrap();
    store.fill_index(INDEX_LEAP_LINES).unwrap();
    let key = Some(Key { sid: 9, label: "x", hash: 1 });
    keep(&mut store, work(2, [Kept { text: "berenjena", key, ..line(7) }]));
    assert_eq!(numbers(&store.lines("general", None, Some(0), 1).unwrap()), [7]);
    assert_eq!(numbers(&store.search(Some("general"), "berenjena", None, 5).unwrap()), [7]);
    assert_eq!(numbers(&store.labeled(9, u64::MAX).unwrap()), [7]);
}

#[test]
fn a_line_that_had_to_go_because_its_id_was_given_again_is_no_repeat() {
    let folder = Folder::new();
    let mut store = folder.store();
    let mut taken_in = Batch::default();
    taken_in.push(Kept { key: Some(Key { sid: 9, label: "x", hash: 1 }), ..line(7) });
    taken_in.push(Kept { key: Some(Key { sid: 9, label: "y", hash: 1 }), ..line(8) });
    store.insert_new(&taken_in).unwrap();
    drop(store);
    // All of it is in the indexes.
    let mut store = folder.store();
    keep(&mut store, work(1, [Kept { text: "otra", ..line(7) }]));
    assert_eq!(numbers(&store.labeled(9, u64::MAX).unwrap()), [8]);
}

#[test]
fn sessions_and_the_ceiling_are_there_again() {
    let folder = Folder::new();
    let now = unix_ms();
    let present = SessionRow { is_present: true, rooms: Vec::new(), ..session(2, now - 1) };
    let lapsed = session(9, now - 31 * DAY.as_millis() as u64);
    let mut store = folder.store();
    let first =
        Work { sessions: vec![session(1, 5), present.clone(), lapsed], id_ceiling: Some(77), ..work(1, []) };
    keep(&mut store, first);
    keep(&mut store, Work { sessions: vec![session(1, now)], id_ceiling: Some(70), ..work(2, []) });
    drop(store);
    let mut store = folder.store();
    let remembered = store.remembered(now).unwrap();
    assert_eq!(remembered.sessions, [present, session(1, now)], "whoever is there comes first");
    assert_eq!((remembered.newest, remembered.last_sid), (77, 9));
    assert_eq!(store.prune_sessions(now).unwrap(), 1);
    let remembered = store.remembered(now).unwrap();
    assert_eq!((remembered.sessions.len(), remembered.last_sid), (2, 9), "numbers are not given again");
    keep(&mut store, work(3, [Kept { key: Some(Key { sid: 12, label: "x", hash: 0 }), ..line(3) }]));
    let remembered = store.remembered(now).unwrap();
    assert_eq!((remembered.newest, remembered.last_sid), (3 << 16, 12));
}

#[test]
fn a_session_that_was_forgotten_is_there_no_more_and_its_number_is_not_given_again() {
    let folder = Folder::new();
    let now = unix_ms();
    let mut store = folder.store();
    keep(&mut store, Work { sessions: vec![session(7, now), session(9, now)], ..work(1, []) });
    // What comes later counts, also where both wait to be written.
    let mut parcel = Parcel::default();
    parcel.add(Work { sessions: vec![session(9, now), session(11, now)], ..work(2, []) }, true);
    parcel.add(Work { forgotten: vec![9, 11], ..work(3, []) }, true);
    assert!(!parcel.is_empty());
    store.keep(&parcel).unwrap();
    let remembered = store.remembered(now).unwrap();
    assert_eq!(remembered.sessions.iter().map(|row| row.sid).collect::<Vec<_>>(), [7]);
    assert_eq!(remembered.last_sid, 11);
}

#[test]
fn whoever_shows_lines_slowly_lets_the_log_beside_the_file_end_and_sees_each_line_once() {
    let folder = Folder::new();
    let text = "x".repeat(1_000);
    let mut store = folder.store();
    let mut say = |first: u64, count: u64| {
        let lines = (first..first + count).map(|number| Kept { text: &text, ..line(number) });
        keep(&mut store, work(1, lines));
    };
    say(1, 1_000);
    let reader = Store::open_to_read(&folder.file(), Duration::ZERO).unwrap();
    let mut shown = Vec::new();
    let show = |line: Kept<'_>| {
        shown.push(line.id >> 16);
        // Meanwhile much is said.
        if shown.len() == 500 {
            (1..=40).for_each(|times| say(times * 1_000 + 1, 1_000));
        }
        true
    };
    reader.each(show).unwrap();
    assert_eq!(shown, (1..=1_000).collect::<Vec<_>>());
    let log = std::fs::metadata(folder.0.join("history.db-wal")).unwrap().len();
    assert!(log < 20_000_000, "{log} bytes of log for 40 MB of lines");
}

#[test]
fn a_clock_that_is_wrong_lets_no_session_lapse() {
    let folder = Folder::new();
    let now = unix_ms();
    keep(&mut folder.store(), Work { sessions: vec![session(7, now)], ..work(1, [line(now)]) });
    let sids = |clock_ms| -> Vec<u64> {
        folder.store().begin(clock_ms).unwrap().sessions.iter().map(|row| row.sid).collect()
    };
    assert_eq!(sids(now + 100 * DAY.as_millis() as u64), [7]);
    assert_eq!(sids(0), [7]);
    assert_eq!(sids(now), [7]);
}

#[test]
fn the_newest_lines_of_all_rooms_are_taken_up() {
    let folder = Folder::new();
    let mut store = folder.store();
    let rooms =
        |number: u64| Kept { room: if number % 3 == 0 { "cocina" } else { "general" }, ..line(number) };
    keep(&mut store, work(1, (1..=10).map(rooms)));
    let remembered = store.remembered(0).unwrap();
    assert_eq!((numbers(&remembered.recent), remembered.recent_after), ((1..=10).collect(), 0));
    let text = "x".repeat(16 * 1024);
    keep(&mut store, work(2, (11..=200).map(|number| Kept { text: &text, ..rooms(number) })));
    let remembered = store.remembered(0).unwrap();
    let (first, bytes) = (remembered.recent.iter().next().unwrap().id, remembered.recent.bytes());
    assert!((1 << 20..(1 << 20) + 32 * 1024).contains(&bytes), "{bytes}");
    assert_eq!(remembered.recent_after, first - (1 << 16));
    assert_eq!(remembered.recent.iter().last().unwrap().id >> 16, 200);
}

/// A file as the first relays wrote it.
fn first_schema(path: &Path, lines: u64) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; BEGIN; PRAGMA application_id = 0x74657274;
             CREATE TABLE room (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
             CREATE TABLE line (
                 id INTEGER PRIMARY KEY, room INTEGER NOT NULL REFERENCES room, name TEXT NOT NULL, quote TEXT,
                 text TEXT NOT NULL
             ) STRICT;
             CREATE INDEX line_by_room ON line (room, id);
             INSERT INTO room VALUES (1, 'general'); PRAGMA user_version = 1;",
        )
        .unwrap();
    for number in 1..=lines {
        let id = i64::try_from(number << 16).unwrap();
        connection.execute("INSERT INTO line VALUES (?1, 1, 'Ana', 'cita', 'hola')", [id]).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

/// What the first relays of the third schema had beside that.
const THIRD_SCHEMA: &str = "
    ALTER TABLE line ADD COLUMN unix_ms INTEGER;
    ALTER TABLE line ADD COLUMN reply INTEGER;
    ALTER TABLE line ADD COLUMN sid INTEGER;
    ALTER TABLE line ADD COLUMN label TEXT;
    ALTER TABLE line ADD COLUMN hash INTEGER;
    CREATE INDEX line_by_session ON line (sid) WHERE sid IS NOT NULL;
    CREATE TABLE session (
        sid INTEGER PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE, name TEXT, rooms TEXT, is_present INTEGER,
        used_unix_ms INTEGER
    ) STRICT;
    CREATE TABLE value (name TEXT PRIMARY KEY, value INTEGER) STRICT, WITHOUT ROWID;
    CREATE VIRTUAL TABLE word USING fts5(
        room, name, text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
    );
    PRAGMA user_version = 3;";

#[test]
fn a_file_of_the_third_schema_is_brought_up_to_date_with_its_labels_and_rooms() {
    let folder = Folder::new();
    first_schema(&folder.file(), 3_000);
    let old = Connection::open(folder.file()).unwrap();
    old.execute_batch(THIRD_SCHEMA).unwrap();
    old.execute_batch("UPDATE line SET sid = 7, label = 'n' || id, hash = 1 WHERE id % 3 = 0").unwrap();
    drop(old);
    let mut store = folder.store();
    assert_eq!((store.rows(), store.labeled(7, u64::MAX).unwrap().len()), (3_000, 1_000));
    assert_eq!(numbers(&store.lines("general", None, Some(0), 2).unwrap()), [1, 2]);
    keep(&mut store, work(1, [line(3_001)]));
    assert_eq!(numbers(&store.lines("general", None, None, 2).unwrap()), [3_000, 3_001]);
    assert_eq!(store.check().unwrap().fault, None);
}

#[test]
fn a_file_of_an_earlier_relay_is_brought_up_to_date_with_its_lines() {
    let folder = Folder::new();
    first_schema(&folder.file(), 3_000);
    let reader = Store::open_to_read(&folder.file(), DEADLINE).unwrap();
    drop(reader);
    let mut store = folder.store();
    assert_eq!(store.rows(), 3_000);
    keep(&mut store, work(1, [Kept { reply: Some(5), text: "añadido", ..line(3_001) }]));
    let last: Vec<_> =
        store.lines("general", None, None, 2).unwrap().iter().map(|line| (line.id, line.unix_ms)).collect();
    assert_eq!(last, [(3_000 << 16, 3_000), (3_001 << 16, 3_001)]);
    index(&mut store);
    assert_eq!(numbers(&store.search(None, "hola", Some(2_000 << 16), 2).unwrap()), [1_998, 1_999]);
    let checked = store.check().unwrap();
    assert_eq!((checked.fault, checked.rows, checked.indexed), (None, 3_001, 3_001));
}

#[test]
fn an_id_that_somebody_took_in_meanwhile_does_not_stop_the_lines_that_are_said() {
    let folder = Folder::new();
    let mut store = folder.store();
    store.insert_new(&batch([line(5), line(6)])).unwrap();
    index(&mut store);
    let mut parcel = Parcel::default();
    // What is the same has not gone.
    parcel.add(work(1, [line(4), Kept { text: "dicho", ..line(5) }, line(6)]), true);
    assert_eq!(store.keep(&parcel).unwrap(), 1);
    assert_eq!(texts(&store.lines("general", None, None, 9).unwrap()), ["hola", "dicho", "hola"]);
    assert_eq!(store.rows(), 3);
    index(&mut store);
    assert_eq!((found(&store, None, "hola"), found(&store, None, "dicho")), (vec![4, 6], vec![5]));
}

#[test]
fn what_another_program_writes_is_counted_and_what_we_write_is_not_counted_again() {
    let folder = Folder::new();
    let (mut store, mut other) = (folder.store(), folder.store());
    keep(&mut store, work(1, (1..=20).map(line)));
    assert!(!store.recount().unwrap(), "nobody else has written");
    other.insert_new(&batch((21..=30).map(line))).unwrap();
    assert!(store.recount().unwrap());
    assert_eq!(store.rows(), 30);
    assert_eq!(other.prune(Retention { rows_max: 5, ..FOREVER }, 0, 100).unwrap(), 25);
    assert_eq!(store.prune(Retention { rows_max: 7, ..FOREVER }, 0, 100).unwrap(), 0);
    assert_eq!(store.rows(), 5);
    let mut parcel = Parcel::default();
    parcel.add(work(2, (29..=33).map(line)), true);
    store.keep(&parcel).unwrap();
    assert!(store.recount().unwrap(), "a write had to be tried again");
    assert_eq!(store.rows(), 8);
}

#[test]
fn in_every_journal_lines_are_kept_told_in_order_and_given() {
    for (words, journal) in Journal::ALL {
        let folder = Folder::new();
        let kept = Running::start(&folder.file(), starting_with(journal));
        assert_eq!(kept.keeper.journal(), journal, "{words}");
        let mut last = 0;
        for number in 1..=50 {
            assert!(kept.keeper.put(work(number, [line(number)])));
            assert_eq!(
                kept.page(100).len() as u64,
                number,
                "{words}: what was said before is part of the answer"
            );
            let now = kept.wait(|news| news.kept >= number).kept;
            assert!(now >= last);
            last = now;
        }
        assert_eq!(last, 50);
        let key = Some(Key { sid: 3, label: "x", hash: 1 });
        assert!(
            kept.keeper
                .put(Work { sessions: vec![session(3, unix_ms())], ..work(51, [Kept { key, ..line(51) }]) })
        );
        assert_eq!(numbers(&kept.ask(Wanted::Labels(3, u64::MAX))), [51]);
        let search = Wanted::Search { room: None, words: "HÓL".to_owned(), before: None, limit: 2 };
        assert_eq!(numbers(&kept.ask(search)), [50, 51]);
        drop(kept);
        let again = Running::start(&folder.file(), starting_with(Journal::Wal));
        assert_eq!(again.keeper.journal(), Journal::Wal, "{words}");
        let Remembered { newest, id_ceiling, last_sid, sid_ceiling, .. } = again.remembered;
        assert!(newest >> 16 > 51 && id_ceiling > newest, "{words}: ids {newest} {id_ceiling}");
        assert!(last_sid > 3 && sid_ceiling > last_sid, "{words}: sids {last_sid} {sid_ceiling}");
        assert_eq!(again.remembered.recent.len(), 51);
    }
}

#[test]
fn a_file_system_without_shared_memory_is_found_out() {
    let folder = Folder::new();
    // What leads nowhere cannot be mapped.
    let shared = folder.0.join("history.db-shm");
    std::os::unix::fs::symlink(&shared, &shared).unwrap();
    let kept = Running::start(&folder.file(), Opening::default());
    assert_eq!(kept.keeper.journal(), Journal::WalAlone);
    assert!(kept.keeper.put(work(1, [line(1)])));
    kept.wait(|news| news.kept == 1);
    assert_eq!(numbers(&kept.page(9)), [1]);
    let error = Store::open_to_read(&folder.file(), Duration::ZERO).unwrap_err();
    assert!(error.is_busy(), "{error}");
    drop(kept);
    // Also the operator's tools.
    assert_eq!(
        Store::open_to_read(&folder.file(), Duration::ZERO)
            .unwrap()
            .lines("general", None, None, 9)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn while_another_program_holds_the_file_trouble_is_told_and_nothing_is_lost() {
    for (words, journal) in [Journal::ALL[0], Journal::ALL[2]] {
        let folder = Folder::new();
        let opening = Opening { busy_wait: Duration::from_millis(20), ..starting_with(journal) };
        let kept = Running::start(&folder.file(), opening);
        let other = Connection::open(folder.file()).unwrap();
        other.execute_batch("BEGIN EXCLUSIVE").unwrap();
        for number in 1..=100 {
            assert!(kept.keeper.put(work(number, [line(number)])));
        }
        let trouble = kept.wait(|news| news.trouble.is_some());
        assert!(trouble.trouble.unwrap().contains("locked by another program"), "{words}");
        assert_eq!(trouble.kept, 0);
        other.execute_batch("ROLLBACK").unwrap();
        let news = kept.wait(|news| news.kept == 100 && news.trouble.is_none());
        assert_eq!((news.kept, kept.keeper.state().not_kept), (100, 0));
        assert_eq!(kept.page(1000).len(), 100, "{words}");
    }
}

#[test]
fn of_what_finds_no_place_only_the_lines_are_lost() {
    let folder = Folder::new();
    let opening = Opening { busy_wait: Duration::from_millis(20), ..Opening::default() };
    let kept = Running::start(&folder.file(), opening);
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let text = "x".repeat(16 * 1024);
    let mut lost = Vec::new();
    for number in 1..=600 {
        let lines = work(number, [Kept { text: &text, ..line(number) }]);
        let sessions = vec![session(number % 5, unix_ms() + number)];
        if !kept.keeper.put(Work { sessions, id_ceiling: Some(number), ..lines }) {
            lost.push(number);
        }
    }
    assert!(!lost.is_empty() && lost[0] > (WAITING_BYTES_MAX / (17 * 1024)) as u64, "{lost:?}");
    assert!(
        kept.keeper.put(Work { id_ceiling: Some(1 << 61), ..work(601, []) }),
        "there is place for what is no line"
    );
    other.execute_batch("ROLLBACK").unwrap();
    kept.wait(|news| news.kept == 601);
    assert_eq!(kept.keeper.state().not_kept, lost.len() as u64);
    assert_eq!(kept.keeper.state().rows, 600 - lost.len() as u64);
    drop(kept);
    let again = Running::start(&folder.file(), Opening::default());
    assert_eq!(again.remembered.newest, 1 << 61);
    assert_eq!(again.remembered.sessions.iter().map(|row| row.sid).collect::<Vec<_>>(), [0, 4, 3, 2, 1]);
}

#[test]
fn sessions_that_wait_are_bounded_and_the_newest_row_of_each_counts() {
    let mut parcel = Parcel::default();
    for number in 0..2 * SESSIONS_WAITING_MAX as u64 {
        parcel
            .add(Work { sessions: vec![session(number, 1), session(7, number)], ..work(number, []) }, false);
    }
    assert_eq!(parcel.sessions.len(), SESSIONS_WAITING_MAX);
    let mut parcel = Parcel::default();
    (1..=3).for_each(|used| parcel.add(Work { sessions: vec![session(7, used)], ..work(used, []) }, true));
    assert_eq!(parcel.sessions.into_values().collect::<Vec<_>>(), [session(7, 3)]);
}

#[test]
fn questions_are_bounded_and_the_bell_rings_when_there_is_place_again() {
    let folder = Folder::new();
    let kept = Running::start(&folder.file(), Opening { busy_wait: DEADLINE, ..Opening::default() });
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // The reader waits for this one to be written.
    assert!(kept.keeper.put(work(1, [line(1)])));
    let mut asked = 0;
    while kept.keeper.takes_questions() {
        asked += 1;
        kept.keeper.ask(Question { ticket: asked, what: Wanted::Labels(asked, u64::MAX) });
    }
    assert!((QUESTIONS_MAX..=QUESTIONS_MAX + 1).contains(&(asked as usize)), "{asked}");
    other.execute_batch("ROLLBACK").unwrap();
    let news = kept.wait(|news| news.answers.len() as u64 == asked);
    assert_eq!(
        news.answers.iter().map(|(ticket, _)| *ticket).collect::<Vec<_>>(),
        (1..=asked).collect::<Vec<_>>()
    );
    assert!(kept.keeper.takes_questions());
}

#[test]
fn damage_that_is_met_while_the_relay_runs_is_told_with_what_to_do() {
    let folder = Folder::new();
    let mut store = folder.store();
    let text = "x".repeat(4_000);
    keep(&mut store, work(1, (1..=1_000).map(|number| Kept { text: &text, ..line(number) })));
    drop(store);
    let kept = Running::start(&folder.file(), Opening::default());
    let bytes = std::fs::read(folder.file()).unwrap();
    let damaged: Vec<u8> =
        bytes.iter().enumerate().map(|(at, byte)| if at < 8192 { *byte } else { 0xa5 }).collect();
    std::fs::write(folder.file(), damaged).unwrap();
    let what = Wanted::Lines { room: "general".to_owned(), before: Some(500 << 16), after: None, limit: 400 };
    kept.keeper.ask(Question { ticket: 1, what });
    let news = kept.wait(|news| !news.answers.is_empty() && news.trouble.is_some());
    assert!(matches!(news.answers[..], [(1, Answer::Damaged)]), "{news:?}");
    let trouble = news.trouble.unwrap();
    assert!(trouble.contains("is damaged") && trouble.contains("--history-repair"), "{trouble}");
}

/// Ends the thread that rings first, if it is this one.
fn ends(thread: &'static str) -> impl Fn() + Send + Sync {
    let has_rung = AtomicBool::new(false);
    move || {
        let is_it = std::thread::current().name() == Some(thread);
        if is_it && !has_rung.swap(true, Ordering::Relaxed) {
            std::panic::resume_unwind(Box::new("a test"));
        }
    }
}

#[test]
fn a_writer_that_has_ended_is_told_and_what_is_said_then_is_not_kept() {
    for journal in [Journal::Wal, Journal::WalAlone] {
        let folder = Folder::new();
        let kept = Running::start_with(&folder.file(), starting_with(journal), ends("history"));
        assert!(kept.keeper.put(work(1, [line(1)])));
        let news = kept.wait(|news| news.trouble.is_some());
        assert!(news.trouble.unwrap().contains("the thread that writes the history has ended"));
        assert_eq!((news.kept, news.lost), (1, Some(1)));
        assert!(!kept.keeper.put(work(2, [line(2), line(3)])));
        assert!(!kept.keeper.put(Work { sessions: vec![session(7, 1)], ..work(3, []) }));
        assert_eq!(kept.keeper.state().not_kept, 2);
        let what = Wanted::Lines { room: "general".to_owned(), before: None, after: Some(0), limit: 9 };
        kept.keeper.ask(Question { ticket: 4, what });
        let news = kept.wait(|news| !news.answers.is_empty());
        assert_eq!(news.kept, 1);
        match (&news.answers[..], journal.has_readers()) {
            ([(4, Answer::Lines(lines))], true) => assert_eq!(numbers(lines), [1]),
            ([(4, Answer::Unreadable)], false) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_a_writer_had_in_hand_when_it_ended_is_lost() {
    let folder = Folder::new();
    let opening = Opening { busy_wait: Duration::from_millis(20), ..Opening::default() };
    let kept = Running::start_with(&folder.file(), opening, ends("history"));
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // It rings because the file is locked.
    let taken = (1..=3).filter(|number| kept.keeper.put(work(*number, [line(*number)]))).count() as u64;
    let news = kept.wait(|news| news.lost.is_some());
    assert_eq!((news.kept, news.lost), (0, Some(taken)));
    assert_eq!(kept.keeper.state().not_kept, 3);
    other.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_reader_that_has_ended_is_told_and_no_question_waits_for_it() {
    let folder = Folder::new();
    let (go_on, may_go_on) = channel();
    let (may_go_on, end) = (std::sync::Mutex::new(may_go_on), ends("history-reads"));
    let kept = Running::start_with(&folder.file(), Opening::default(), move || {
        if std::thread::current().name() == Some("history-reads") {
            let _ = may_go_on.lock().unwrap().recv_timeout(DEADLINE);
        }
        end();
    });
    let ask = |ticket| kept.keeper.ask(Question { ticket, what: Wanted::Labels(1, u64::MAX) });
    ask(1);
    ask(2);
    go_on.send(()).unwrap();
    drop(go_on);
    let news = kept.wait(|news| news.answers.len() == 2);
    assert!(matches!(news.answers[..], [(1, Answer::Lines(_)), (2, Answer::Unreadable)]), "{news:?}");
    assert!(news.trouble.unwrap().contains("the thread that reads the history has ended"));
    ask(3);
    let news = kept.wait(|news| !news.answers.is_empty());
    assert!(matches!(news.answers[..], [(3, Answer::Unreadable)]), "{news:?}");
    assert!(kept.keeper.put(work(1, [line(1)])));
    assert_eq!(kept.wait(|news| news.kept == 1).lost, None);
}

#[test]
fn a_line_counts_as_kept_only_once_it_is_in_the_file() {
    let folder = Folder::new();
    let opening = Opening { durability: Durability::Sync, ..Opening::default() };
    let kept = Running::start(&folder.file(), opening);
    let other = Connection::open(folder.file()).unwrap();
    for number in 1..=20 {
        assert!(kept.keeper.put(work(number, [line(number)])));
        let told = kept.wait(|news| news.kept >= number).kept;
        let count: u64 = other.query_row("SELECT count(*) FROM line", [], |row| row.get(0)).unwrap();
        assert!(count >= told, "{count} {told}");
    }
}

/// Takes all lines into the index that are enough for a step.
fn index(store: &mut Store) {
    while store.lacks_index().unwrap() {
        store.fill_index(INDEX_LEAP_LINES).unwrap();
    }
}

fn found(store: &Store, room: Option<&str>, words: &str) -> Vec<u64> {
    numbers(&store.search(room, words, None, 3).unwrap())
}

/// Lines enough to fill the index, behind which stand some that it does not hold.
fn searchable(folder: &Folder) -> Store {
    let mut store = folder.store();
    let word = |number: u64| match number {
        100 => "Canción única",
        200 => "otra CANCION",
        number if number % 2 == 0 => "par",
        _ => "impar",
    };
    let said = |number: u64| {
        let room = if number % 4 == 0 { "cocina" } else { "general" };
        Kept { text: word(number), room, ..line(number) }
    };
    keep(&mut store, work(1, (1..=4_000).map(said)));
    index(&mut store);
    keep(&mut store, work(2, [Kept { text: "una canción recién dicha", name: "Íñigo", ..line(4_001) }]));
    store
}

#[test]
fn words_are_found_by_their_beginning_without_accents_and_the_newest_first() {
    let folder = Folder::new();
    let store = searchable(&folder);
    assert_eq!(found(&store, None, "cancion"), [100, 200, 4_001]);
    assert_eq!(found(&store, None, "CANCIÓN"), [100, 200, 4_001]);
    assert_eq!(found(&store, None, "canc"), [100, 200, 4_001]);
    assert_eq!(found(&store, None, "unica canc"), [100]);
    assert_eq!(found(&store, None, "canc única"), [], "only the last word may be a beginning");
    assert_eq!(found(&store, None, "inigo"), [4_001]);
    assert_eq!(found(&store, None, "par"), [3_996, 3_998, 4_000]);
    assert_eq!(found(&store, Some("general"), "par"), [3_990, 3_994, 3_998]);
    assert_eq!(found(&store, Some("cocina"), "canc"), [100, 200]);
    assert_eq!(found(&store, Some("nadie"), "canc"), []);
    assert_eq!(numbers(&store.search(None, "canc", Some(200 << 16), 9).unwrap()), [100]);
    assert_eq!(found(&store, None, "1"), [], "the number of a room is no word of its lines");
}

#[test]
fn what_somebody_looks_for_is_never_taken_for_an_operator() {
    let folder = Folder::new();
    let mut store = searchable(&folder);
    for words in [
        "",
        " ",
        "\"",
        "*",
        "OR",
        "par OR canc",
        "NOT",
        "NEAR(a b)",
        "text:par",
        "{name",
        "par\"* OR \"x",
        "a AND",
        "-",
        "+",
        "room:1",
        "'; DROP TABLE line; --",
        "\0",
        "🙂",
    ] {
        assert_eq!(store.search(None, words, None, 9).unwrap().len(), 0, "{words}");
    }
    let text = "text:par NEAR(a b) 'x' OR";
    keep(&mut store, work(3, [Kept { text, ..line(5_000) }]));
    for words in ["text:par", "NEAR(a b)", "'x'", "\"NEAR", "near OR", "(b) OR"] {
        assert_eq!(found(&store, None, words), [5_000], "{words}");
    }
}

#[test]
fn what_goes_from_the_history_is_found_no_more_and_what_is_taken_in_late_is() {
    let folder = Folder::new();
    let mut store = searchable(&folder);
    let retention = Retention { rows_max: 3_850, ..FOREVER };
    assert_eq!(store.prune(retention, 0, 100).unwrap(), 100);
    assert_eq!(found(&store, None, "canc"), [200, 4_001]);
    assert_eq!(store.prune(retention, 0, 1_000).unwrap(), 51);
    assert_eq!(found(&store, None, "canc"), [200, 4_001]);
    let aged = Retention { age_max: Duration::from_secs(1), rows_max: 0 };
    assert_eq!(store.prune(aged, 1_200, 100).unwrap(), 48);
    assert_eq!(found(&store, None, "canc"), [200, 4_001]);
    assert_eq!(store.prune(aged, 1_201, 100).unwrap(), 1);
    assert_eq!(store.prune(aged, 1_201, 100).unwrap(), 0);
    assert_eq!(found(&store, None, "canc"), [4_001]);
    assert_eq!(store.rows(), 3_801);
    let other = Connection::open(folder.file()).unwrap();
    let indexed = "SELECT count(*) FROM word WHERE word MATCH 'cancion'";
    assert_eq!(other.query_row(indexed, [], |row| row.get::<_, u64>(0)).unwrap(), 0, "nothing of it is left");
    store.insert_new(&batch([Kept { text: "canción de antes", ..line(50) }, line(3_000)])).unwrap();
    assert_eq!(found(&store, None, "canc"), [50, 4_001]);
    assert_eq!(found(&store, None, "hola"), [], "what is there already stays as it is");
    assert_eq!(store.check().unwrap().fault, None);
}

#[test]
fn a_line_is_too_old_only_where_its_id_and_its_own_time_are() {
    let folder = Folder::new();
    let mut store = folder.store();
    let now = CLOCK_SET_MS + 10 * DAY.as_millis() as u64;
    let (old, new) = (now - 3_000, now - 1_000);
    let said = [
        line(old),
        Kept { unix_ms: new, ..line(old + 1) },
        Kept { unix_ms: 77, ..line(old + 2) },
        Kept { unix_ms: 77, ..line(new) },
        line(new + 1),
    ];
    keep(&mut store, work(1, said));
    let retention = Retention { age_max: Duration::from_secs(2), rows_max: 0 };
    assert_eq!(store.prune(retention, now, 100).unwrap(), 2);
    assert_eq!(numbers(&store.lines("general", None, None, 9).unwrap()), [old + 1, new, new + 1]);
}

#[test]
fn lines_of_a_clock_that_was_not_set_are_as_old_as_the_first_line_of_one_that_was() {
    let folder = Folder::new();
    let mut store = folder.store();
    keep(&mut store, work(1, [line(5), line(6)]));
    let retention = Retention { age_max: DAY, rows_max: 0 };
    let (first, day) = (CLOCK_SET_MS + 1_000, DAY.as_millis() as u64);
    assert_eq!(store.prune(retention, first, 100).unwrap(), 0, "of none of them is known how old it is");
    keep(&mut store, work(2, [line(first)]));
    assert_eq!(store.prune(retention, first + day, 100).unwrap(), 0);
    assert_eq!(store.prune(retention, first + day + 1, 100).unwrap(), 3);
}

#[test]
fn the_present_of_retention_is_a_day_ahead_at_once_and_then_a_day_in_an_hour_and_never_ahead_of_the_clock() {
    let folder = Folder::new();
    let mut store = folder.store();
    let (hour, day) = (Duration::from_secs(3600), DAY.as_millis() as u64);
    let now = CLOCK_SET_MS + 500 * day;
    assert_eq!(store.present(5, hour).unwrap(), None, "a clock that was never set");
    assert_eq!(store.present(now, Duration::ZERO).unwrap(), Some(now), "nothing else is known");
    let ahead = now + 100 * day;
    assert_eq!(store.present(ahead, Duration::ZERO).unwrap(), Some(now + day));
    assert_eq!(store.present(ahead, Duration::ZERO).unwrap(), Some(now + day), "once");
    let present = store.present(ahead, hour).unwrap().unwrap();
    assert_eq!(present, now + 2 * day + hour.as_millis() as u64);
    assert_eq!(store.present(now, hour).unwrap(), Some(now), "it is never ahead of the clock");
    drop(store);
    let mut store = folder.store();
    assert_eq!(store.present(ahead, Duration::ZERO).unwrap(), Some(present), "also in the next run");
    assert_eq!(store.present(ahead, hour * 200).unwrap(), Some(ahead));
}

#[test]
fn a_file_of_an_earlier_relay_has_the_present_of_its_newest_line() {
    let folder = Folder::new();
    let mut store = folder.store();
    let said = CLOCK_SET_MS + 1_000_000;
    keep(&mut store, work(1, [line(said)]));
    let day = DAY.as_millis() as u64;
    assert_eq!(store.present(said + 100 * day, Duration::ZERO).unwrap(), Some(said + day));
}

#[test]
fn what_went_from_the_history_is_not_taken_for_something_that_was_never_said() {
    let folder = Folder::new();
    let mut store = folder.store();
    keep(&mut store, work(1, (1..=10).map(line)));
    assert_eq!(store.remembered(0).unwrap().recent_after, 0);
    store.prune(Retention { rows_max: 6, ..FOREVER }, 0, 100).unwrap();
    let remembered = store.remembered(0).unwrap();
    assert_eq!((numbers(&remembered.recent), remembered.recent_after), ((5..=10).collect(), 4 << 16));
    store.prune(Retention { rows_max: 1, ..FOREVER }, 0, 100).unwrap();
    drop(store);
    let remembered = folder.store().remembered(0).unwrap();
    assert_eq!((numbers(&remembered.recent), remembered.recent_after), (vec![10], 9 << 16));
}

#[test]
fn the_index_is_filled_when_nothing_waits() {
    let folder = Folder::new();
    let kept = Running::start(&folder.file(), Opening::default());
    let lines =
        (1..=5_000).map(|number| if number == 1 { Kept { text: "aguja", ..line(1) } } else { line(number) });
    assert!(kept.keeper.put(work(1, lines)));
    kept.wait(|news| news.kept == 1);
    let search = || Wanted::Search { room: None, words: "aguja".to_owned(), before: None, limit: 9 };
    let until = Instant::now() + DEADLINE;
    while kept.ask(search()).is_empty() {
        assert!(Instant::now() < until, "the index is never filled");
        std::thread::yield_now();
    }
    assert_eq!(numbers(&kept.ask(search())), [1]);
}

#[test]
fn what_is_taken_in_beside_a_relay_where_nobody_speaks_is_found_once_somebody_looks_for_it() {
    for journal in [Journal::Wal, Journal::Truncate] {
        let folder = Folder::new();
        let kept = Running::start(&folder.file(), starting_with(journal));
        assert!(kept.keeper.put(work(1, [line(1)])));
        kept.wait(|news| news.kept == 1);
        let mut other = Store::open(&folder.file(), starting_with(journal)).unwrap();
        let text = |number| if number == 2 { "aguja" } else { "paja" };
        other
            .insert_new(&batch((2..=5_000).map(|number| Kept { text: text(number), ..line(number) })))
            .unwrap();
        let search = || Wanted::Search { room: None, words: "aguja".to_owned(), before: None, limit: 9 };
        let until = Instant::now() + DEADLINE;
        while kept.ask(search()).is_empty() {
            assert!(Instant::now() < until, "the index is never filled");
            std::thread::yield_now();
        }
        assert_eq!(numbers(&kept.ask(search())), [2]);
        assert_eq!(kept.keeper.state().rows, 5_000);
    }
}

#[test]
fn with_its_last_line_a_room_goes_and_so_do_the_labels() {
    let folder = Folder::new();
    let mut store = folder.store();
    let rooms = ["cocina", "desván", "general"];
    let said = |number: u64| {
        let key = Some(Key { sid: 3, label: "x", hash: 1 });
        Kept { room: rooms[(number / 3_000) as usize], key, ..line(number) }
    };
    keep(&mut store, work(1, (1..=6_000).map(said)));
    // The next start has all in the indexes.
    drop(store);
    let mut store = folder.store();
    // In no index yet.
    keep(&mut store, work(2, [Kept { room: "jardín", ..line(6_001) }]));
    assert_eq!(store.prune_rooms().unwrap(), 0);
    store.prune(Retention { rows_max: 3_000, ..FOREVER }, 0, 1_000_000).unwrap();
    assert_eq!(store.prune_rooms().unwrap(), 1);
    store.prune(Retention { rows_max: 2, ..FOREVER }, 0, 1_000_000).unwrap();
    assert_eq!(store.prune_rooms().unwrap(), 1);
    assert_eq!(store.prune_rooms().unwrap(), 0);
    let other = Connection::open(folder.file()).unwrap();
    let count = |table: &str| {
        let query = format!("SELECT count(*) FROM {table}");
        other.query_row(&query, [], |row| row.get::<_, u64>(0)).unwrap()
    };
    assert_eq!(count("room"), 2);
    keep(&mut store, work(3, [Kept { room: "cocina", text: "otra vez", ..line(6_002) }]));
    assert_eq!(texts(&store.lines("cocina", None, None, 9).unwrap()), ["otra vez"]);
    assert_eq!(numbers(&store.lines("general", None, None, 9).unwrap()), [6_000]);
    drop(store);
    let mut store = folder.store();
    // Of the lines that are gone, too.
    assert_eq!(count("label"), 6_000);
    store.sweep_labels().unwrap();
    assert_eq!(count("label"), 1);
    store.prune(Retention { rows_max: 1, ..FOREVER }, 0, 100).unwrap();
    store.sweep_labels().unwrap();
    assert_eq!(count("label"), 0);
    assert!(store.labeled(3, u64::MAX).unwrap().is_empty());
}

#[test]
fn of_long_lines_that_the_index_lacks_a_search_looks_at_the_newest_only() {
    let folder = Folder::new();
    let mut store = folder.store();
    let text = |number: u64| format!("palabra{number} {}", "x".repeat(16 * 1024 - 20));
    let texts: Vec<String> = (1..=100).map(text).collect();
    keep(&mut store, work(1, texts.iter().zip(1..).map(|(text, number)| Kept { text, ..line(number) })));
    for room in [None, Some("general")] {
        assert_eq!(found(&store, room, "palabra99"), [99]);
        assert_eq!(found(&store, room, "palabra50"), [], "{room:?}: of 256 KiB, it is too far away");
    }
    while store.fill_index(INDEX_LEAP_LINES).unwrap().lines > 0 {}
    assert_eq!(found(&store, None, "palabra50"), [50]);
}

#[test]
fn a_step_of_the_index_takes_fewer_long_lines_than_short_ones() {
    let folder = Folder::new();
    let mut store = folder.store();
    let text = "x".repeat(16 * 1024);
    keep(&mut store, work(1, (1..=100).map(|number| Kept { text: &text, ..line(number) })));
    assert_eq!(store.fill_index(INDEX_LEAP_LINES).unwrap().lines, 16);
    assert_eq!(store.index_backlog().unwrap().lines, 84);
}

#[test]
fn a_search_that_takes_too_long_is_given_up_and_the_next_one_is_answered() {
    let folder = Folder::new();
    let mut store = folder.store();
    keep(&mut store, work(1, (1..=5_000).map(line)));
    store.tidy().unwrap();
    index(&mut store);
    for room in [None, Some("general")] {
        let error = store.search_within(room, "hola", None, 2_000, Duration::ZERO).unwrap_err();
        assert!(error.is_costly() && !error.is_damaged() && !error.is_busy(), "{error}");
        assert_eq!(store.search_within(room, "hola", None, 2_000, DEADLINE).unwrap().len(), 2_000);
        assert_eq!(store.lines("general", None, None, 1_000).unwrap().len(), 1_000);
    }
}

#[test]
fn what_is_in_most_lines_is_found_in_the_newest_of_them_without_asking_the_index() {
    let folder = Folder::new();
    let mut store = folder.store();
    keep(&mut store, work(1, (1..=5_000).map(line)));
    store.tidy().unwrap();
    index(&mut store);
    for (room, before) in [None, Some("general")].into_iter().zip([5_001, 3_001]) {
        let found = |limit, time_max| store.search_within(room, "hola", Some(before << 16), limit, time_max);
        let newest: Vec<u64> = (before - 100..before).collect();
        assert_eq!(numbers(&found(100, Duration::ZERO).unwrap()), newest);
        // The rest is the index's, and nothing is told twice.
        let more: Vec<u64> = (before - 2_000..before).collect();
        assert_eq!(numbers(&found(2_000, DEADLINE).unwrap()), more);
    }
}

#[test]
fn a_room_of_many_lines_is_searched_like_one_of_few() {
    let folder = Folder::new();
    let mut store = folder.store();
    let room = |number: u64| if number.is_multiple_of(1_000) { "cocina" } else { "general" };
    keep(&mut store, work(1, (1..=22_000).map(|number| Kept { room: room(number), ..line(number) })));
    store.tidy().unwrap();
    index(&mut store);
    assert_eq!(found(&store, Some("general"), "hola"), [21_997, 21_998, 21_999]);
    assert_eq!(found(&store, Some("cocina"), "hola"), [20_000, 21_000, 22_000]);
    assert_eq!(
        numbers(&store.search(Some("general"), "hola", Some(5_001 << 16), 2).unwrap()),
        [4_998, 4_999]
    );
}

#[test]
fn other_questions_are_answered_before_searches_that_were_asked_sooner() {
    let folder = Folder::new();
    let kept = Running::start(&folder.file(), Opening { busy_wait: DEADLINE, ..Opening::default() });
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // The reader waits for this one to be written.
    assert!(kept.keeper.put(work(1, [line(1)])));
    let search = || Wanted::Search { room: None, words: "hola".to_owned(), before: None, limit: 2 };
    kept.keeper.ask(Question { ticket: 1, what: search() });
    kept.keeper.ask(Question { ticket: 2, what: search() });
    kept.keeper.ask(Question { ticket: 3, what: Wanted::Labels(3, u64::MAX) });
    other.execute_batch("ROLLBACK").unwrap();
    let news = kept.wait(|news| news.answers.len() == 3);
    let place = |ticket| news.answers.iter().position(|(answered, _)| *answered == ticket);
    assert!(place(3) < place(2), "{news:?}");
}
