//! The seeds that ever failed: read before every run, and added to by the run that finds one.
//!
//! A line is a seed and what it found. In CI (`CI` is set) nothing is written: what a run there
//! finds is in its output, and a changed checkout would be of no use to anybody.
//!
//! Always holds: a seed stands there once.
//!
//! Not here: running a seed ([`super::run`]).

use std::fs;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

/// Every seed that ever failed, one a line, with what it found.
const FAILED_ONCE: &str = include_str!("seeds.txt");

/// What became of a seed that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Written,
    Before,
    /// This is CI, or the file cannot be written.
    Not,
}

/// The seeds to run again.
pub(crate) fn kept() -> impl Iterator<Item = u64> {
    seeds_of(FAILED_ONCE).map(|(line, seed)| {
        seed.unwrap_or_else(|| panic!("seeds.txt: `{line}` does not begin with a seed"))
    })
}

/// Adds a seed that has just failed, and why.
pub(crate) fn keep(seed: u64, why: &str) -> Kept {
    match std::env::var_os("CI") {
        Some(_) => Kept::Not,
        None => keep_in(&path(), seed, why),
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sim/seeds.txt")
}

fn keep_in(path: &Path, seed: u64, why: &str) -> Kept {
    let Ok(text) = fs::read_to_string(path) else {
        return Kept::Not;
    };
    if seeds_of(&text).any(|(_, kept)| kept == Some(seed)) {
        return Kept::Before;
    }
    let why = why.lines().next().unwrap_or_default();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let file = OpenOptions::new().append(true).open(path);
    match file.and_then(|mut file| writeln!(file, "{end}{seed}  {why}")) {
        Ok(()) => Kept::Written,
        Err(_) => Kept::Not,
    }
}

fn seeds_of(text: &str) -> impl Iterator<Item = (&str, Option<u64>)> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| (line, line.split_whitespace().next().and_then(|seed| seed.parse().ok())))
}

#[test]
fn a_seed_that_fails_is_kept_once() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("seeds.txt");
    fs::write(&path, "# Seeds.\n12  something").expect("a file can be written");
    assert_eq!(keep_in(&path, 7, "it broke\nin many lines"), Kept::Written);
    assert_eq!(keep_in(&path, 7, "it broke otherwise"), Kept::Before);
    assert_eq!(keep_in(&path, 12, "it broke again"), Kept::Before);
    let text = fs::read_to_string(&path).expect("the file can be read");
    assert_eq!(text, "# Seeds.\n12  something\n7  it broke\n");
    assert_eq!(keep_in(&folder.path().join("elsewhere"), 7, "it broke"), Kept::Not);
}
