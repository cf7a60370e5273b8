//! Snapshots as files: the whole state at one entry, so that older entries can go.
//!
//! ```text
//! magic (8) │ version (2) │ length (4) │ coverage │ length (8) │ state │ SHA-256 (32) of it all
//! ```
//!
//! Coverage and state are postcard. A file is written under another name, fsynced, renamed, and the
//! folder fsynced; the two newest are kept.
//!
//! Always holds: a file with the right name is complete, or its checksum says it is damaged.
//!
//! Not here: when one is made ([`super::state_machine`]), how it travels ([`super::network`]).

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use bytes::Bytes;
use sha2::Digest;
use sha2::Sha256;

use crate::acd::State;
use crate::cluster::codec::CodecError;
use crate::cluster::codec::Coverage;
use crate::cluster::codec::from_bytes;
use crate::cluster::codec::to_bytes;
use crate::cluster::identity::private_folder;

const MAGIC: &[u8; 8] = b"CARSNAP\n";
/// 3: who waits for a device stands by it.
const VERSION: u16 = 3;
const WHAT: &str = "a snapshot";
const KEPT: usize = 2;

/// Writes a snapshot's bytes.
pub fn encode(coverage: &Coverage, state: &State) -> Bytes {
    let coverage = to_bytes(coverage);
    let state = to_bytes(state);
    let mut bytes = Vec::with_capacity(coverage.len() + state.len() + 54);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&(coverage.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&coverage);
    bytes.extend_from_slice(&(state.len() as u64).to_be_bytes());
    bytes.extend_from_slice(&state);
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    Bytes::from(bytes)
}

/// Reads a snapshot's bytes.
pub fn decode(bytes: &[u8]) -> Result<(Coverage, State), CodecError> {
    let malformed = CodecError::Malformed { what: WHAT };
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| malformed.clone())?;
    let (version, rest) = rest.split_first_chunk().ok_or_else(|| malformed.clone())?;
    let found = u16::from_be_bytes(*version);
    if found != VERSION {
        return Err(CodecError::UnknownVersion { what: WHAT, found, known: VERSION });
    }
    let (body, sum) = rest.split_last_chunk::<32>().ok_or_else(|| malformed.clone())?;
    if Sha256::digest(&bytes[..bytes.len() - sum.len()])[..] != sum[..] {
        return Err(malformed);
    }
    let (length, body) = body.split_first_chunk().ok_or_else(|| malformed.clone())?;
    let length = u32::from_be_bytes(*length) as usize;
    let (coverage, body) = body.split_at_checked(length).ok_or_else(|| malformed.clone())?;
    let (length, state) = body.split_first_chunk().ok_or_else(|| malformed.clone())?;
    if u64::from_be_bytes(*length) != state.len() as u64 {
        return Err(malformed);
    }
    Ok((from_bytes(WHAT, coverage)?, from_bytes(WHAT, state)?))
}

/// The folder of snapshots.
#[derive(Clone, Debug)]
pub struct SnapshotFolder {
    folder: PathBuf,
}

/// A file and what is in it.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it covers.
    pub coverage: Coverage,
    /// The state.
    pub state: State,
    /// The whole file.
    pub bytes: Bytes,
}

impl SnapshotFolder {
    /// Opens the folder, made if it is missing; removes what was left half written.
    pub fn open(folder: PathBuf) -> Result<Self, io::Error> {
        private_folder(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "half") {
                fs::remove_file(path)?;
            }
        }
        Ok(Self { folder })
    }

    /// Keeps one more snapshot and drops all but the newest two.
    pub fn write(&self, coverage: &Coverage, bytes: &[u8]) -> Result<(), io::Error> {
        let name = name_of(coverage);
        let half = self.folder.join(format!("{name}.half"));
        let mut file = File::create(&half)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&half, self.folder.join(name))?;
        sync_folder(&self.folder)?;
        for old in self.files()?.iter().rev().skip(KEPT) {
            fs::remove_file(old)?;
        }
        Ok(())
    }

    /// The newest that can be read; an older one if the newest is damaged.
    pub fn newest(&self) -> Result<Option<Found>, io::Error> {
        let mut damage = None;
        for path in self.files()?.iter().rev() {
            let bytes = Bytes::from(fs::read(path)?);
            match decode(&bytes) {
                Ok((coverage, state)) => return Ok(Some(Found { coverage, state, bytes })),
                Err(error) => {
                    tracing::error!(path = %path.display(), %error, "a snapshot cannot be read");
                    damage = Some(error);
                }
            }
        }
        damage.map_or(Ok(None), |error| Err(error.into()))
    }

    /// Names in order of age, the newest last.
    fn files(&self) -> Result<Vec<PathBuf>, io::Error> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "snapshot") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Sorts by index first: the log is one line of entries, whoever led.
fn name_of(coverage: &Coverage) -> String {
    let (index, term) = coverage.last.map_or((0, 0), |last| (last.index, last.term));
    format!("{index:020}-{term:020}.snapshot")
}

/// Makes a rename last through a power cut.
pub fn sync_folder(folder: &Path) -> Result<(), io::Error> {
    File::open(folder)?.sync_all()
}
