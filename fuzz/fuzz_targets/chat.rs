//! The relay's core under any bytes from three clients, with sockets that take any part of what is offered:
//! it does not panic, comes to rest, and what it writes is whole lines of text.
#![no_main]

use std::io::IoSlice;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tertulia_relay::chat::{Chat, ClientId, Origin, Sent, Settings, Sink};
use tertulia_relay::flood::Flood;
use tertulia_relay::moment::Moment;
use tertulia_relay::phrases::Language;

const CLIENTS: u32 = 3;

#[derive(Default)]
struct Socket {
    heard: Vec<u8>,
    takes: usize,
}

struct Sockets(Vec<Socket>);

impl Sink for Sockets {
    fn write(&mut self, client: ClientId, pieces: &[IoSlice<'_>]) -> Sent {
        let socket = &mut self.0[client.0 as usize];
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).take(socket.takes).collect();
        socket.heard.extend(&bytes);
        if bytes.is_empty() { Sent::Full } else { Sent::Bytes(bytes.len()) }
    }
}

fn turn(chat: &mut Chat, sockets: &mut Sockets, now: Moment) {
    chat.handle_time(now);
    for _ in 0..64 {
        chat.flush(now, sockets);
        while chat.poll_resumed(now).is_some() {}
        while let Some(client) = chat.poll_ended() {
            chat.handle_gone(client, now);
        }
        if !chat.needs_flush() {
            return;
        }
    }
}

fuzz_target!(|actions: Vec<(u8, u16, &[u8])>| {
    let settings =
        Settings { flood: Some(Flood::new(20, 5)), language: Language::Es, room_log_bytes: 0, token_key: [0; 32].into(), labels_max: 1000 };
    let mut chat = Chat::new(settings);
    let mut sockets = Sockets((0..CLIENTS).map(|_| Socket { takes: usize::MAX, ..Socket::default() }).collect());
    let mut now = Moment::START;
    for number in 0..CLIENTS {
        chat.handle_connect(ClientId(number), Origin::default());
    }
    for (what, amount, bytes) in actions {
        let client = ClientId(u32::from(what) % CLIENTS);
        match what / 64 {
            0 => now = now.after(Duration::from_millis(u64::from(amount))),
            1 => {
                sockets.0[client.0 as usize].takes = usize::from(amount);
                chat.handle_writable(client);
            }
            2 if what % 32 == 0 => chat.handle_end_of_input(client, now),
            _ if chat.wants_read(client) => chat.handle_bytes(client, bytes, now),
            _ => {}
        }
        turn(&mut chat, &mut sockets, now);
        let _ = chat.queued_bytes();
    }
    for number in 0..CLIENTS {
        sockets.0[number as usize].takes = usize::MAX;
        chat.handle_writable(ClientId(number));
        chat.handle_end_of_input(ClientId(number), now);
    }
    for _ in 0..4000 {
        turn(&mut chat, &mut sockets, now);
        match chat.next_due() {
            Some(due) => now = due.max(now),
            None => break,
        }
    }
    assert_eq!(chat.next_due(), None);
    assert_eq!(chat.named_clients(), 0);
    assert_eq!(chat.room_count(), 1);
    for socket in &sockets.0 {
        assert!(std::str::from_utf8(&socket.heard).is_ok());
        assert!(!socket.heard.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\n' | b'\t')));
    }
});
