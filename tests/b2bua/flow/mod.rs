//! Flows: calls told as RFC 3665 tells them, message by message, F1, F2, F3.
//!
//! ```text
//! # A caller hangs up.                    the claim, one sentence
//! party alice 192.0.2.101:5060            who takes part, and what is configured ([`scene`])
//! show From Contact                       only these header lines are shown; without: all
//!
//! F1 alice -> carillon                    sent by a party, as it stands
//!     INVITE sip:sales@127.0.0.1 SIP/2.0
//!     …
//! core hears EnqueueCall                  what came of it for the core and for media
//! F2 carillon -> alice                    sent by Carillon
//!     SIP/2.0 200 OK
//!     …
//! after 15s                               lets time pass
//! drain                                   the node is to take no more calls
//! ```
//!
//! Names in braces stand for what Carillon draws at random (`{tag1}`, [`names`]); parties use them,
//! too. Content-Length is counted, `{credentials ann secret}` answers the latest challenge, and
//! `\s`, `\t`, `\0` are a blank at the end of a line, a tab and a NUL.
//!
//! Messages are numbered, and what comes of each is written, when a flow is played with `UPDATE=1`;
//! the difference is the review. When a flow ends, nothing may be left of its calls anywhere.
//!
//! Not here: the world the flow is played in ([`crate::world`]).

mod names;
mod scene;

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use carillon::base::time::Millis;

use crate::flow::scene::Scene;

/// How long is waited for what comes of a message.
const PAUSE: Millis = Millis(50);

#[test]
fn flows_come_true() {
    let update = std::env::var_os("UPDATE").is_some();
    let chosen = std::env::var("SCRIPT").unwrap_or_default();
    let mut wrong = Vec::new();
    for path in flows().into_iter().filter(|path| path.to_string_lossy().contains(&chosen)) {
        if let Err(why) = check(&path, update) {
            wrong.push(format!("{}\n{why}", path.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} flows did not come true; UPDATE=1 rewrites them for review\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn flows() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/b2bua/flows");
    let entries = fs::read_dir(&folder).expect("the folder of flows can be read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// Plays one flow; the first lines that differ are told.
fn check(path: &Path, update: bool) -> Result<(), String> {
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

fn difference(expected: &str, told: &str) -> String {
    let (expected, told): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), told.lines().collect());
    let same = expected.iter().zip(&told).take_while(|(one, other)| one == other).count();
    let mut lines: Vec<String> =
        expected[same.saturating_sub(8)..same].iter().map(|line| format!("    {line}")).collect();
    let block = |lines: &[&str]| -> Vec<String> {
        lines.iter().skip(same).take(12).map(|line| (*line).to_owned()).collect()
    };
    lines.extend(block(&expected).into_iter().map(|line| format!("  - {line}")));
    lines.extend(block(&told).into_iter().map(|line| format!("  + {line}")));
    lines.join("\n")
}

/// One thing that happens, or is remarked, in a flow.
enum Entry {
    /// A remark or a declaration.
    Words(String),
    /// A party sends a message.
    Sent { from: String, lines: Vec<String> },
    /// Time passes.
    After(String),
    /// The node drains.
    Drain,
}

/// Plays a flow and writes down what came of it, in the same notation.
fn play(text: &str) -> Result<String, String> {
    if !text.starts_with("# ") {
        return Err("the first line is not `# ` and a claim".to_owned());
    }
    let mut scene = Scene::default();
    for entry in entries(text)? {
        match entry {
            Entry::Words(words) => scene.remark(&words)?,
            Entry::Sent { from, lines } => {
                scene.send(&from, &lines)?;
                scene.pass(PAUSE);
            }
            Entry::After(pause) => {
                scene.say(format!("after {pause}"));
                scene.pass(length(&pause).ok_or_else(|| format!("`{pause}` is no time"))?);
            }
            Entry::Drain => {
                scene.say("drain".to_owned());
                scene.drain();
            }
        }
    }
    Ok(scene.finish())
}

fn length(text: &str) -> Option<Millis> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Millis(number)),
        "s" => Some(Millis::from_secs(number)),
        _ => None,
    }
}

/// What parties do and what is remarked; what came of it is left out.
fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let mut body = Vec::new();
        while let Some(next) = lines.next_if(|next| next.is_empty() || next.starts_with("    ")) {
            body.push(next.strip_prefix("    ").unwrap_or_default().to_owned());
        }
        while body.last().is_some_and(String::is_empty) {
            body.pop();
        }
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["core" | "media", ..] | [_, "carillon", "->", _] | [""] => {}
            [_, from, "->", "carillon"] => {
                entries.push(Entry::Sent { from: from.to_owned(), lines: body });
            }
            ["after", pause] => entries.push(Entry::After(pause.to_owned())),
            ["drain"] => entries.push(Entry::Drain),
            ["#" | "party" | "queue" | "agent" | "trunk" | "show", ..] => {
                entries.push(Entry::Words(line.to_owned()));
            }
            _ => return Err(format!("`{line}` means nothing")),
        }
    }
    Ok(entries)
}
