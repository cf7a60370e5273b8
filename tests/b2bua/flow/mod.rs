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

use carillon::base::time::Millis;

use crate::flow::scene::Scene;
use crate::told;

/// How long is waited for what comes of a message.
const PAUSE: Millis = Millis(50);

#[test]
fn flows_come_true() {
    told::come_true("b2bua/flows", play, |expected, told| {
        told::difference(expected, told, 8, |rest| rest.iter().take(12).copied().collect())
    });
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
