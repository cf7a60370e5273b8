//! The core, told by scripts: one behaviour a file in `scripts/`, each begun by its claim.
//!
//! `cargo test --test acd` plays them all; `SCRIPT=ring_out` only those with that in their name.
//! `UPDATE=1` writes what happened under the rules; the difference is what is to be reviewed.
//!
//! Besides: [`coverage`], what all of them must show together; [`names`], what is compared most;
//! [`quarantine`], a broken state; [`relocation`], what thousands cost who change desks.
//!
//! Not here: the notation (`tests/support/script.rs`), every state against every input
//! (`tests/matrix`), chance (`tests/sim`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "one group of words after the other is asked whether a thing is theirs"
)]

use std::fs;
use std::path::Path;
use std::path::PathBuf;

mod coverage;
mod names;
#[path = "../support/notation.rs"]
mod notation;
mod quarantine;
mod relocation;
#[path = "../support/script.rs"]
mod script;
#[path = "../support/step.rs"]
mod step;
#[path = "../support/wording.rs"]
mod wording;
#[path = "../support/world.rs"]
mod world;

use script::Script;

#[test]
fn scripts_come_true() {
    let update = std::env::var_os("UPDATE").is_some();
    let chosen = std::env::var("SCRIPT").unwrap_or_default();
    let mut wrong = Vec::new();
    for path in scripts().into_iter().filter(|path| path.to_string_lossy().contains(&chosen)) {
        if let Err(why) = check(&path, update) {
            wrong.push(format!("{}\n{why}", path.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} scripts did not come true; UPDATE=1 rewrites them for review\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn there_are_scripts_for_everything_promised() {
    assert!(scripts().len() >= 60, "only {} scripts", scripts().len());
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acd/scripts");
    let entries = fs::read_dir(&folder).expect("the folder of scripts can be read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// Plays one script; what differs is told line by line.
fn check(path: &Path, update: bool) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let told = Script::parse(&text)?.play()?;
    if told == text {
        return Ok(());
    }
    if update {
        return fs::write(path, told).map_err(|error| error.to_string());
    }
    Err(difference(&text, &told))
}

/// Both texts, with the lines that differ marked; the rest of a block is its context.
fn difference(expected: &str, told: &str) -> String {
    let (expected, told): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), told.lines().collect());
    let same = expected.iter().zip(&told).take_while(|(one, other)| one == other).count();
    let mut lines: Vec<String> =
        expected[same.saturating_sub(4)..same].iter().map(|line| format!("    {line}")).collect();
    let block = |lines: &[&str]| -> Vec<String> {
        lines[same.min(lines.len())..]
            .iter()
            .take_while(|line| !line.is_empty())
            .map(|line| (*line).to_owned())
            .collect()
    };
    lines.extend(block(&expected).into_iter().map(|line| format!("  - {line}")));
    lines.extend(block(&told).into_iter().map(|line| format!("  + {line}")));
    lines.join("\n")
}
