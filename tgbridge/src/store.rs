//! The state file: what a bridge must know after a restart. It is replaced as a whole, so a kill leaves the old one or the
//! new one; and it is locked, so that two bridges cannot share it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::bridge::Saved;
use crate::phrases::Told;

/// A state file, locked as long as the value lives.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    _lock: File,
}

impl Store {
    /// Locks the file, and reads it. One that is not there is a new bridge's. Why not, for people.
    pub fn open(path: &Path) -> Result<(Self, Saved), Told> {
        let shown = path.display();
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| {
                Told::new(
                    format!("no se puede crear la carpeta de {shown}: {error}"),
                    format!("cannot make the folder of {shown}: {error}"),
                )
            })?;
        }
        let lock = private(&beside(path, "lock"), false).map_err(|error| {
            Told::new(
                format!("no se puede bloquear {shown}: {error}"),
                format!("cannot lock {shown}: {error}"),
            )
        })?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Told::new(
                format!("otro tertulia-tgbridge usa {shown}; apágalo, o pasa --state con otro fichero"),
                format!("another tertulia-tgbridge uses {shown}; stop it, or pass --state with another file"),
            )
        })?;
        let store = Self { path: path.to_owned(), _lock: lock };
        match fs::read_to_string(path) {
            Ok(text) => {
                let saved = Saved::parse(&text).map_err(|why| Told::new(
                    format!("{shown} no es un fichero de estado de esta versión ({why}); apártalo para empezar de nuevo, con lo que se diga desde entonces"),
                    format!("{shown} is no state file of this version ({why}); move it away to begin anew, with what is said from then on"),
                ))?;
                Ok((store, saved))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((store, Saved::default())),
            Err(error) => Err(Told::new(
                format!("no se puede leer {shown}: {error}"),
                format!("cannot read {shown}: {error}"),
            )),
        }
    }

    /// Replaces the file. Once this returns, it outlives a power cut.
    pub fn save(&self, text: &str) -> io::Result<()> {
        let new = beside(&self.path, "new");
        let mut file = private(&new, true)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        fs::rename(&new, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// Replaces a file that nobody must rely on after a power cut.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = beside(path, "new");
    fs::write(&new, text)?;
    fs::rename(&new, path)
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(extension);
    path.with_file_name(name)
}

/// Only the owner may read it: it holds the session's token.
fn private(path: &Path, is_emptied: bool) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(is_emptied).mode(0o600).open(path)
}
