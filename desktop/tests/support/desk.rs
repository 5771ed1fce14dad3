//! A display of its own without a window manager, windows of the program on it, a keyboard and a mouse that work them,
//! and pictures of what a person would see.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::Event as XEvent;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt, CreateWindowAux, WindowClass};

use super::{DEADLINE, Folder, until};

/// The screen: larger than any window that is tested, at 200 % as well.
pub(crate) const SCREEN: (u32, u32) = (1920, 1300);

/// The programs that this needs, and where they come from.
const TOOLS: [(&str, &str); 3] = [("Xvfb", "xvfb"), ("xdotool", "xdotool"), ("import", "imagemagick")];

/// How long a picture must stay the same to be what there is to see.
const STILL_FOR: Duration = Duration::from_millis(250);

/// How long a tool may take.
const TOOL_SECONDS: &str = "30";

/// The name of the window's class, by which it is found.
const CLASS: &str = "tertulia-desktop";

fn is_there(tool: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(tool).is_file())
}

/// Letters that have a key of their own on the displays of these tests. Those without one are put on a key for a moment
/// when they are typed, which a busy machine sees too late.
const LETTERS: &str = "áéíóúüñÁÉÍÓÚÑ¿¡📚🙂🙏";

/// Puts the letters on keys that nothing is on.
fn give_letters(display: &str) {
    let (connection, _) = x11rb::connect(Some(display)).expect("the display");
    let (first, last) = (connection.setup().min_keycode, connection.setup().max_keycode);
    let map = connection.get_keyboard_mapping(first, last - first + 1).unwrap().reply().unwrap();
    let each = usize::from(map.keysyms_per_keycode);
    let free =
        map.keysyms.chunks(each).enumerate().filter(|(_, symbols)| symbols.iter().all(|symbol| *symbol == 0));
    let letters = LETTERS.chars();
    for ((key, _), letter) in free.zip(letters) {
        // Latin-1 is itself; all else is Unicode with a bit above it (X Window System Protocol, appendix A).
        let code = u32::from(letter);
        let symbol = if code < 0x100 { code } else { 0x0100_0000 | code };
        let symbols = vec![symbol; each];
        let keycode = first + u8::try_from(key).unwrap();
        connection
            .change_keyboard_mapping(1, keycode, map.keysyms_per_keycode, &symbols)
            .unwrap()
            .check()
            .unwrap();
    }
}

/// A display, which goes with the value.
pub(crate) struct Desk {
    server: Child,
    display: String,
}

impl Desk {
    /// Opens a display under a number that is free. Fails where a tool is missing: a window that nobody saw is not tested.
    pub(crate) fn open() -> Self {
        let missing: Vec<&str> =
            TOOLS.iter().filter(|(tool, _)| !is_there(tool)).map(|(_, package)| *package).collect();
        assert!(missing.is_empty(), "missing: {}; `make deps` installs them", missing.join(", "));
        let screen = format!("{}x{}x24", SCREEN.0, SCREEN.1);
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp", "-noreset", "-dpi", "96"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb has not opened a display");
        let display = format!(":{}", number.trim());
        give_letters(&display);
        Self { server, display }
    }

    pub(crate) fn display(&self) -> &str {
        &self.display
    }

    /// Runs a tool on the display.
    fn run(&self, tool: &str, arguments: &[&str]) -> Output {
        // `import` waits for a click where the window is gone.
        let mut command = Command::new("timeout");
        command.args([TOOL_SECONDS, tool]).args(arguments).env("DISPLAY", &self.display);
        let output = command.output().expect(tool);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{tool} {arguments:?}: {} {said}", output.status);
        output
    }

    /// The command that opens a window, with a home of its own. More may be set before it is started.
    pub(crate) fn command(&self, home: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tertulia-desktop"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DISPLAY", &self.display)
            .env("HOME", home)
            .env("LANG", "C.UTF-8")
            .env("LC_ALL", "C.UTF-8")
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Opens a window of the program.
    pub(crate) fn window(&self, home: &Path, arguments: &[&str]) -> Window<'_> {
        self.start(&mut self.command(home, arguments))
    }

    /// What was copied last.
    pub(crate) fn clipboard(&self) -> String {
        let (connection, screen) = x11rb::connect(Some(&self.display)).expect("the display");
        let root = connection.setup().roots[screen].root;
        let window = connection.generate_id().unwrap();
        let aux = CreateWindowAux::new();
        let made = connection.create_window(0, window, root, 0, 0, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &aux);
        made.unwrap().check().unwrap();
        let atom = |name: &str| connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
        let (clipboard, text, kept) = (atom("CLIPBOARD"), atom("UTF8_STRING"), atom("KEPT"));
        connection.convert_selection(window, clipboard, text, kept, x11rb::CURRENT_TIME).unwrap();
        connection.flush().unwrap();
        until("what was copied", || {
            matches!(connection.poll_for_event().unwrap()?, XEvent::SelectionNotify(_)).then_some(())
        });
        let property = connection.get_property(true, window, kept, AtomEnum::ANY, 0, u32::MAX / 4);
        String::from_utf8(property.unwrap().reply().unwrap().value).unwrap()
    }

    /// Opens the window of a command.
    pub(crate) fn start(&self, command: &mut Command) -> Window<'_> {
        let window = self.find(command.spawn().expect("the window's program"));
        // All of it is on the screen, at whatever size.
        window.move_to(0, 0);
        window.focus();
        window
    }

    /// The window of a process.
    pub(crate) fn find(&self, child: Child) -> Window<'_> {
        let pid = child.id().to_string();
        let mut window = Window { desk: self, child, id: String::new() };
        window.id = until("the window", || {
            let find = ["search", "--onlyvisible", "--all", "--pid", &pid, "--class", CLASS];
            let output = Command::new("xdotool").args(find).env("DISPLAY", &self.display).output().unwrap();
            let ids = String::from_utf8(output.stdout).unwrap();
            ids.lines().next().map(str::to_owned)
        });
        window
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A window of the program, killed when the value goes.
pub(crate) struct Window<'a> {
    desk: &'a Desk,
    child: Child,
    id: String,
}

impl Window<'_> {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The display's number for it.
    pub(crate) fn id(&self) -> u32 {
        self.id.parse().expect("a number")
    }

    /// Puts it elsewhere on the screen: what another window covers is not seen.
    pub(crate) fn move_to(&self, x: i32, y: i32) {
        let (left, top) = (x.to_string(), y.to_string());
        // It says nothing where it is there already.
        self.desk.run("xdotool", &["windowmove", &self.id, &left, &top]);
        until("the place of the window", || {
            let output = self.desk.run("xdotool", &["getwindowgeometry", "--shell", &self.id]);
            let text = String::from_utf8(output.stdout).unwrap();
            (text.contains(&format!("X={x}\n")) && text.contains(&format!("Y={y}\n"))).then_some(())
        });
    }

    /// What stands in its transcript, line by line, without the times; the input has the keyboard before and after.
    pub(crate) fn transcript(&self) -> Vec<String> {
        self.focus();
        self.keys(&["shift+F6", "ctrl+a", "ctrl+c", "Escape"]);
        let text = self.desk.clipboard();
        text.lines().map(|line| line.split_once("] ").map_or(line, |(_, said)| said).to_owned()).collect()
    }

    /// Waits until its transcript is as it is to be, and gives it.
    pub(crate) fn await_transcript(&self, what: &str, is_right: impl Fn(&[String]) -> bool) -> Vec<String> {
        until(what, || Some(self.transcript()).filter(|lines| is_right(lines)))
    }

    pub(crate) fn focus(&self) {
        self.desk.run("xdotool", &["windowfocus", "--sync", &self.id]);
    }

    /// Types, as a person does whose keyboard has all characters.
    pub(crate) fn types(&self, text: &str) {
        self.desk.run("xdotool", &["type", "--delay", "6", "--", text]);
    }

    /// Presses keys: `Return`, `shift+Return`, `ctrl+f`.
    pub(crate) fn keys(&self, keys: &[&str]) {
        self.desk.run("xdotool", &[&["key", "--delay", "10"], keys].concat());
    }

    /// Clicks with a button, at a place of the window.
    pub(crate) fn click(&self, x: i32, y: i32, button: u32) {
        let (x, y, button) = (x.to_string(), y.to_string(), button.to_string());
        self.desk.run("xdotool", &["mousemove", "--window", &self.id, &x, &y, "click", &button]);
    }

    /// Clicks twice.
    pub(crate) fn double_click(&self, x: i32, y: i32) {
        let (x, y) = (x.to_string(), y.to_string());
        let click = ["click", "--repeat", "2", "--delay", "60", "1"];
        self.desk.run("xdotool", &[&["mousemove", "--window", &self.id, &x, &y], &click[..]].concat());
    }

    /// Turns the wheel by so many notches, away from the person.
    pub(crate) fn wheel_up(&self, x: i32, y: i32, notches: u32) {
        let (x, y, notches) = (x.to_string(), y.to_string(), notches.to_string());
        let turn = ["click", "--repeat", &notches, "--delay", "4", "4"];
        self.desk.run("xdotool", &[&["mousemove", "--window", &self.id, &x, &y], &turn[..]].concat());
    }

    /// Drags from one place of the window to another.
    pub(crate) fn drag(&self, from: (i32, i32), to: (i32, i32)) {
        let [x, y, to_x, to_y] = [from.0, from.1, to.0, to.1].map(|at| at.to_string());
        let id = self.id.as_str();
        self.desk.run("xdotool", &["mousemove", "--window", id, &x, &y, "mousedown", "1"]);
        self.desk.run("xdotool", &["mousemove", "--window", id, &to_x, &to_y, "mouseup", "1"]);
    }

    pub(crate) fn resize(&self, width: u32, height: u32) {
        let (w, h) = (width.to_string(), height.to_string());
        self.desk.run("xdotool", &["windowsize", "--sync", &self.id, &w, &h]);
    }

    /// Its title.
    pub(crate) fn title(&self) -> String {
        let output = self.desk.run("xdotool", &["getwindowname", &self.id]);
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// What a person sees now.
    pub(crate) fn picture(&self) -> Picture {
        let output = self.desk.run("import", &["-window", &self.id, "-depth", "8", "ppm:-"]);
        Picture::parse(&output.stdout)
    }

    /// What a person sees once nothing moves any more.
    pub(crate) fn still(&self) -> Picture {
        let deadline = Instant::now() + DEADLINE;
        let (mut last, mut since) = (self.picture(), Instant::now());
        while since.elapsed() < STILL_FOR {
            assert!(Instant::now() < deadline, "the picture never stands still");
            let next = self.picture();
            if next != last {
                (last, since) = (next, Instant::now());
            }
        }
        last
    }

    /// Waits until the picture is as it is to be, and gives it.
    pub(crate) fn await_picture(&self, what: &str, is_right: impl Fn(&Picture) -> bool) -> Picture {
        until(what, || Some(self.picture()).filter(|picture| is_right(picture)))
    }

    /// Keeps what there is to see, where the pictures are to be kept.
    pub(crate) fn keep_picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os("TERTULIA_PICTURES") {
            self.still();
            let path = PathBuf::from(folder).join(format!("{name}.png"));
            self.desk.run("import", &["-window", &self.id, "-strip", path.to_str().unwrap()]);
        }
    }

    /// What `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, as the system does when a person logs out, and waits until it has.
    pub(crate) fn close(mut self) {
        let sent = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status();
        assert!(sent.unwrap().success());
        self.await_end();
    }

    /// Waits until it has ended by itself: with which code, and what it said where its standard error is a pipe.
    pub(crate) fn end(&mut self) -> (Option<i32>, String) {
        let status = until("the end of the window", || self.child.try_wait().unwrap());
        let said = self.child.stderr.take().map(std::io::read_to_string);
        (status.code(), said.and_then(Result::ok).unwrap_or_default())
    }

    /// Waits until it has ended by itself.
    pub(crate) fn await_end(&mut self) {
        let status = until("the end of the window", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        // What there was to see when a test failed, where pictures are kept.
        if let Some(folder) = std::env::var_os("TERTULIA_PICTURES").filter(|_| std::thread::panicking()) {
            let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
            let path = PathBuf::from(folder).join(format!("failed-{test}-{}.png", self.pid()));
            let import = ["import", "-window", &self.id, path.to_str().unwrap_or("failed.png")];
            let _ = Command::new("timeout")
                .arg(TOOL_SECONDS)
                .args(import)
                .env("DISPLAY", &self.desk.display)
                .status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What there is to see, three bytes a pixel.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// Reads a binary PPM.
    fn parse(bytes: &[u8]) -> Self {
        let mut at = 0;
        let mut word = || {
            let rest = &bytes[at..];
            let end = rest.iter().position(u8::is_ascii_whitespace).unwrap();
            at += end + 1;
            std::str::from_utf8(&rest[..end]).unwrap().to_owned()
        };
        assert_eq!(word(), "P6");
        let [width, height, depth] = [(); 3].map(|()| word().parse::<usize>().unwrap());
        assert_eq!(depth, 255);
        let pixels = bytes[at..].to_vec();
        assert_eq!(pixels.len(), 3 * width * height);
        Self { width, height, pixels }
    }

    /// How many pixels of a part are of this colour, but for `off` in each of its parts.
    pub(crate) fn count_in(&self, part: (usize, usize, usize, usize), colour: [u8; 3], off: u8) -> usize {
        let (x, y, w, h) = part;
        let rows = (y..y + h).flat_map(|y| (x..x + w).map(move |x| (x, y)));
        rows.filter(|(x, y)| is_near(&self.pixel(*x, *y), colour, off)).count()
    }

    pub(crate) fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y * self.width + x);
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }

    /// How many pixels are of this colour, but for `off` in each of its parts.
    pub(crate) fn count(&self, colour: [u8; 3], off: u8) -> usize {
        self.pixels.chunks_exact(3).filter(|pixel| is_near(pixel, colour, off)).count()
    }

    /// The share of pixels that are not as in the other picture, which has the same size.
    pub(crate) fn changed(&self, other: &Self) -> f64 {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let pairs = self.pixels.chunks_exact(3).zip(other.pixels.chunks_exact(3));
        let changed = pairs.filter(|(one, other)| one != other).count();
        changed as f64 / (self.width * self.height) as f64
    }

    /// How bright it is in the middle of all pixels, 0 to 255.
    pub(crate) fn brightness(&self) -> f64 {
        self.pixels.iter().map(|part| f64::from(*part)).sum::<f64>() / self.pixels.len() as f64
    }

    /// Pixels of a colour that is no grey, by more than `off`: emoji and links have some.
    pub(crate) fn coloured(&self, off: u8) -> usize {
        let is_coloured = |pixel: &&[u8]| {
            let (most, least) = (pixel.iter().max().unwrap(), pixel.iter().min().unwrap());
            most - least > off
        };
        self.pixels.chunks_exact(3).filter(is_coloured).count()
    }
}

fn is_near(pixel: &[u8], colour: [u8; 3], off: u8) -> bool {
    pixel.iter().zip(colour).all(|(part, wanted)| part.abs_diff(wanted) <= off)
}

/// A home of its own for a window.
pub(crate) fn home() -> Folder {
    Folder::new()
}
