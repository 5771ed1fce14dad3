//! An eye and a finger at a display: pixels are looked at and keys pressed without a program in between, so that what is
//! measured is the window's time.

use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    ConnectionExt as _, ImageFormat, InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// Longest look.
const LOOK_MAX: Duration = Duration::from_secs(60);

/// A connection to a display.
pub(crate) struct Eye {
    connection: RustConnection,
    root: u32,
}

/// A part of the screen, in pixels.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) x: i16,
    pub(crate) y: i16,
    pub(crate) w: u16,
    pub(crate) h: u16,
}

impl Eye {
    pub(crate) fn open(display: &str) -> Self {
        let (connection, screen) = x11rb::connect(Some(display)).expect("the display");
        let root = connection.setup().roots[screen].root;
        Self { connection, root }
    }

    /// What there is to see in a part of the screen.
    pub(crate) fn look(&self, part: Part) -> Vec<u8> {
        let Part { x, y, w, h } = part;
        let image = self.connection.get_image(ImageFormat::Z_PIXMAP, self.root, x, y, w, h, !0);
        image.unwrap().reply().unwrap().data
    }

    /// How long it takes until a part looks as it is to look.
    pub(crate) fn time_until(&self, part: Part, is_right: impl Fn(&[u8]) -> bool) -> Duration {
        let begin = Instant::now();
        while !is_right(&self.look(part)) {
            assert!(begin.elapsed() < LOOK_MAX, "it never looks right");
        }
        begin.elapsed()
    }

    /// A window's title, from its property.
    pub(crate) fn title(&self, window: u32) -> String {
        let atom = |name: &[u8]| self.connection.intern_atom(false, name).unwrap().reply().unwrap().atom;
        let (title, text) = (atom(b"_NET_WM_NAME"), atom(b"UTF8_STRING"));
        let property = self.connection.get_property(false, window, title, text, 0, 1024).unwrap();
        String::from_utf8(property.reply().unwrap().value).unwrap()
    }

    /// No window has the keyboard.
    pub(crate) fn take_the_keyboard_away(&self) {
        self.connection.set_input_focus(InputFocus::NONE, x11rb::NONE, x11rb::CURRENT_TIME).unwrap();
        self.connection.flush().unwrap();
    }

    /// Presses a key and lets it go.
    pub(crate) fn press(&self, keycode: u8) {
        for event in [KEY_PRESS_EVENT, KEY_RELEASE_EVENT] {
            self.connection.xtest_fake_input(event, keycode, 0, self.root, 0, 0, 0).unwrap();
        }
        self.connection.flush().unwrap();
    }

    /// Presses a key while another one is held.
    pub(crate) fn press_with(&self, held: u8, keycode: u8) {
        self.connection.xtest_fake_input(KEY_PRESS_EVENT, held, 0, self.root, 0, 0, 0).unwrap();
        self.press(keycode);
        self.connection.xtest_fake_input(KEY_RELEASE_EVENT, held, 0, self.root, 0, 0, 0).unwrap();
        self.connection.flush().unwrap();
    }

    /// The code of the key with this symbol.
    pub(crate) fn keycode(&self, symbol: u32) -> u8 {
        let setup = self.connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let map = self.connection.get_keyboard_mapping(first, last - first + 1).unwrap().reply().unwrap();
        let each = usize::from(map.keysyms_per_keycode);
        let at = map.keysyms.chunks(each).position(|symbols| symbols.contains(&symbol)).expect("such a key");
        first + u8::try_from(at).unwrap()
    }
}
