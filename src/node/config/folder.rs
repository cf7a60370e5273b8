//! The folder of YAML files: looked at, and read into a configuration or a list of mistakes.
//!
//! ```text
//! look ─► texts ─► resource::read ─► mistakes ─► reported, nothing changes
//!                                └► configuration ─► known: commands for the log
//! ```
//!
//! Always holds: a folder with one mistake is none; what was read beside the texts (PINs, audio) is
//! remembered, so that a change there is noticed too.
//!
//! Not here: the shapes and sentences (`resource`), what differs from the log ([`super::known`]),
//! when to look ([`super::watch`]).

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::acd::config::Address;
use crate::base::id::QueueId;
use crate::media::built_in;
use crate::media::prompt;
use crate::node::config::known::Known;
use crate::node::config::prompts::Stamp;
use crate::resource;
use crate::resource::Configuration;
use crate::resource::File;
use crate::resource::Kind;
use crate::resource::Mistake;
use crate::resource::Outside;

/// Why a folder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or the folder itself cannot be read.
    #[error("{path}: {source}; {}", remedy(source))]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Everything that is wrong with it.
    #[error("{}", lines(.0).join("\n"))]
    Mistakes(Vec<Mistake>),
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of other errors the system says enough")]
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "make it, or name the folder that has the YAML files",
        io::ErrorKind::PermissionDenied => "let the user whom Carillon runs as read it",
        _ => "it must be a folder of YAML files, or one such file",
    }
}

fn lines(mistakes: &[Mistake]) -> Vec<String> {
    mistakes.iter().map(ToString::to_string).collect()
}

impl FolderError {
    /// All of it, a line each.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Unreadable { .. } => vec![self.to_string()],
            Self::Mistakes(mistakes) => lines(mistakes),
        }
    }
}

/// What files beside the configuration tell the checks.
pub struct Disk<'a> {
    built_in: Vec<&'static str>,
    known: &'a Known,
    seen: RefCell<Beside>,
}

impl<'a> Disk<'a> {
    /// Looks at this machine's disk; `known` is what the log holds.
    pub fn new(known: &'a Known) -> Self {
        let built_in = built_in::FILES.iter().map(|(name, _)| *name).collect();
        Self { built_in, known, seen: RefCell::default() }
    }

    fn secret(path: &str) -> Result<String, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn remember(&self, path: &str, seen: Seen) {
        self.seen.borrow_mut().0.push((path.to_owned(), seen));
    }
}

impl Outside for Disk<'_> {
    fn read_secret(&self, path: &str) -> Result<String, String> {
        let secret = Self::secret(path);
        self.remember(path, Seen::Secret(secret.clone()));
        secret
    }

    fn check_audio(&self, path: &str) -> Result<(), String> {
        self.remember(path, Seen::Audio(Stamp::of(path)));
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        prompt::decode(path, &bytes).map(drop).map_err(|error| error.to_string())
    }

    fn built_in_prompts(&self) -> &[&str] {
        &self.built_in
    }

    fn known_names(&self, kind: Kind) -> Vec<String> {
        self.known.elsewhere(kind)
    }

    fn known_addresses(&self) -> Vec<(Address, QueueId)> {
        self.known.addresses_elsewhere()
    }
}

/// The files that a configuration named, as they were when it was read.
#[derive(Default)]
pub struct Beside(Vec<(String, Seen)>);

enum Seen {
    Secret(Result<String, String>),
    Audio(Option<Stamp>),
}

impl Beside {
    /// Tells whether all of them are as they were.
    pub fn is_unchanged(&self) -> bool {
        self.0.iter().all(|(path, seen)| match seen {
            Seen::Secret(secret) => Disk::secret(path) == *secret,
            Seen::Audio(stamp) => Stamp::of(path) == *stamp,
        })
    }
}

/// What a folder holds, before anything is made of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Texts {
    /// Names, as mistakes are to show them, and contents, in order of the names.
    files: Vec<(String, Vec<u8>)>,
    /// What lies there and is not read, a sentence each.
    pub overlooked: Vec<String>,
}

/// Reads every YAML and JSON file of the folder, or one file.
pub fn look(folder: &Path) -> Result<Texts, FolderError> {
    let contents = |path: &Path| {
        let name = path.to_string_lossy().into_owned();
        fs::read(path).map(|bytes| (name, bytes)).map_err(|error| unreadable(path, error))
    };
    if folder.is_file() {
        return Ok(Texts { files: vec![contents(folder)?], overlooked: Vec::new() });
    }
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let mut paths: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| !is_hidden(path)).collect();
    paths.sort();
    let files = paths.iter().filter(|path| is_resource(path) && path.is_file());
    let files = files.map(|path| contents(path)).collect::<Result<_, _>>()?;
    Ok(Texts { files, overlooked: paths.iter().filter_map(|path| overlooked(path)).collect() })
}

fn unreadable(path: &Path, source: io::Error) -> FolderError {
    FolderError::Unreadable { path: path.to_owned(), source }
}

/// Hidden files are an editor's, or the machinery of a mounted ConfigMap.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn is_resource(path: &Path) -> bool {
    path.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known))
}

/// Says that something is not read which somebody may mean to be.
fn overlooked(path: &Path) -> Option<String> {
    let name = path.display();
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Some(format!(
            "{name}: folders in the folder are not read; put its files beside the others"
        )),
        Err(error) if is_resource(path) => {
            Some(format!("{name}: a link that leads nowhere is not read ({error})"))
        }
        Ok(_) | Err(_) => None,
    }
}

/// Makes a configuration of what was found, and says what else was read for it.
pub fn read(texts: &Texts, known: &Known) -> (Result<Configuration, Vec<Mistake>>, Beside) {
    let disk = Disk::new(known);
    let decoded: Vec<_> = texts.files.iter().map(|(name, bytes)| decode(name, bytes)).collect();
    let (files, garbled): (Vec<_>, Vec<_>) = decoded.into_iter().partition(Result::is_ok);
    let garbled: Vec<Mistake> = garbled.into_iter().filter_map(Result::err).collect();
    if !garbled.is_empty() {
        return (Err(garbled), Beside::default());
    }
    let files: Vec<File<'_>> = files.into_iter().flatten().collect();
    let read = resource::read(&files, &disk);
    (read, disk.seen.into_inner())
}

/// Takes a file's bytes for text.
pub fn decode<'a>(name: &'a str, bytes: &'a [u8]) -> Result<File<'a>, Mistake> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => {
            return Ok(File { name, text: text.strip_prefix('\u{feff}').unwrap_or(text) });
        }
        Err(error) => error,
    };
    let at = error.valid_up_to();
    let line = 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    let wrong = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "this file is UTF-16".to_owned()
    } else {
        format!("byte {} of the file (0x{:02x}) is not UTF-8", at + 1, bytes[at])
    };
    Err(Mistake {
        place: resource::mistake::Place {
            file: name.to_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
        },
        field: resource::mistake::FieldPath::default(),
        wrong,
        remedy: "save the file as UTF-8".to_owned(),
    })
}
