//! Stories in files that are played and told again: what is told must be what stands there.
//!
//! `SCRIPT=ring_out` plays only those with that in their name. `UPDATE=1` writes down what was
//! told; the difference is what is to be reviewed.
//!
//! Shared (`#[path]`). Not here: the notation of a story, which each test brings along.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Plays every story of a folder below `tests`; fails with what differs in each.
pub(crate) fn come_true(
    folder: &str,
    play: impl Fn(&str) -> Result<String, String>,
    difference: impl Fn(&str, &str) -> String,
) {
    let update = std::env::var_os("UPDATE").is_some();
    let chosen = std::env::var("SCRIPT").unwrap_or_default();
    let mut wrong = Vec::new();
    for path in stories(folder).into_iter().filter(|path| path.to_string_lossy().contains(&chosen))
    {
        if let Err(why) = check(&path, update, &play, &difference) {
            wrong.push(format!("{}\n{why}", path.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {folder} did not come true; UPDATE=1 rewrites them for review\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Every story of a folder below `tests`, in order of names.
pub(crate) fn stories(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let entries = fs::read_dir(&folder).expect("the folder of stories can be read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// Plays one story; what differs is told.
fn check(
    path: &Path,
    update: bool,
    play: impl Fn(&str) -> Result<String, String>,
    difference: impl Fn(&str, &str) -> String,
) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let told = play(&text)?;
    if told == text {
        return Ok(());
    }
    if update {
        return fs::write(path, told).map_err(|error| error.to_string());
    }
    Err(difference(&text, &told))
}

/// The first lines that differ, marked, behind so many that are the same; `block` says how many
/// of those that follow belong to it.
pub(crate) fn difference(
    expected: &str,
    told: &str,
    before: usize,
    block: impl for<'a> Fn(&[&'a str]) -> Vec<&'a str>,
) -> String {
    let (expected, told): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), told.lines().collect());
    let same = expected.iter().zip(&told).take_while(|(one, other)| one == other).count();
    let shown = |mark: &str, line: &&str| format!("  {mark} {line}");
    let mut lines: Vec<String> =
        expected[same.saturating_sub(before)..same].iter().map(|line| shown(" ", line)).collect();
    for (mark, text) in [("-", &expected), ("+", &told)] {
        lines.extend(block(&text[same..]).iter().map(|line| shown(mark, line)));
    }
    lines.join("\n")
}
