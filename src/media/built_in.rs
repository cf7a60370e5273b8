//! The prompts that come with the program: spoken pieces, numbers, music, a beep.
//!
//! Made by `src/media/audio/make.sh` out of `src/media/audio/phrases.txt` and kept in the program,
//! so that a fresh node has something to play.
//!
//! Always holds: every file in the folder is in the table and can be decoded
//! (`tests/media/prompt.rs`).
//!
//! Not here: prompts of the deployment (`Prompt` resources), which may replace these by name.

use std::sync::Arc;

use crate::base::id::PromptId;
use crate::media::prompt;
use crate::media::prompt::PromptSet;

macro_rules! audio {
    ($name:literal) => {
        ($name, include_bytes!(concat!("audio/", $name, ".wav")).as_slice())
    };
}

/// Name and WAV file of every built-in prompt, by name.
pub const FILES: &[(&str, &[u8])] = &[
    audio!("all-agents-busy"),
    audio!("beep"),
    audio!("closed"),
    audio!("goodbye"),
    audio!("in-the-queue"),
    audio!("less-than-one-minute"),
    audio!("minute"),
    audio!("minutes"),
    audio!("music"),
    audio!("not-possible-now"),
    audio!("number-0"),
    audio!("number-1"),
    audio!("number-10"),
    audio!("number-100"),
    audio!("number-11"),
    audio!("number-12"),
    audio!("number-13"),
    audio!("number-14"),
    audio!("number-15"),
    audio!("number-16"),
    audio!("number-17"),
    audio!("number-18"),
    audio!("number-19"),
    audio!("number-2"),
    audio!("number-20"),
    audio!("number-3"),
    audio!("number-30"),
    audio!("number-4"),
    audio!("number-40"),
    audio!("number-5"),
    audio!("number-50"),
    audio!("number-6"),
    audio!("number-60"),
    audio!("number-7"),
    audio!("number-70"),
    audio!("number-8"),
    audio!("number-80"),
    audio!("number-9"),
    audio!("number-90"),
    audio!("please-enter-your-number"),
    audio!("please-enter-your-pin"),
    audio!("please-hold"),
    audio!("the-expected-wait-is"),
    audio!("to-log-out-press-one"),
    audio!("welcome"),
    audio!("wrong-number-or-pin"),
    audio!("you-are-logged-in"),
    audio!("you-are-logged-out"),
    audio!("you-are-number"),
];

/// The file of this name.
pub fn file(name: &str) -> Option<&'static [u8]> {
    let nth = FILES.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    Some(FILES[nth].1)
}

/// All built-in prompts, decoded.
pub fn prompts() -> PromptSet {
    let mut set = PromptSet::default();
    for (name, wav) in FILES {
        // A test decodes every one of them, so none is ever passed over here.
        if let Ok(prompt) = prompt::decode(name, wav) {
            set.insert(PromptId::new(name), Arc::new(prompt));
        }
    }
    set
}

/// The pieces that say a whole number up to 199, in order; larger ones are said as 199.
pub fn number(number: u32) -> Vec<PromptId> {
    let number = number.min(199);
    let mut pieces = Vec::new();
    let mut rest = number;
    if rest >= 100 {
        pieces.push(piece(1));
        pieces.push(piece(100));
        rest -= 100;
    }
    if rest > 20 {
        pieces.push(piece(rest / 10 * 10));
        rest %= 10;
    }
    if rest > 0 || number == 0 {
        pieces.push(piece(rest));
    }
    pieces
}

fn piece(number: u32) -> PromptId {
    PromptId::new(&format!("number-{number}"))
}
