//! The native window of Tertulia. Not built yet: nothing here runs.
//!
//! What will live here, a core that decides and a shell that moves bytes:
//!
//! - `model`: all state of the window; an event goes in, commands come out. Knows no widget and no socket.
//! - `render`: turns the model into lines of text, so that tests compare what a person would see.
//! - `view`: the only module that names fltk.
//! - `link`: the thread that owns the socket and a session with the relay.
//! - `notify`: notices of the desktop.
//!
//! It depends on `tertulia-wire` and on nothing else of this project.
