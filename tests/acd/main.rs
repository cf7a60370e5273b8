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

#[path = "../support/center.rs"]
#[expect(dead_code, reason = "the tables of tests/matrix ask more of it")]
mod center;
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
#[path = "../support/told.rs"]
mod told;
#[path = "../support/usual.rs"]
mod usual;
#[path = "../support/wording.rs"]
mod wording;
#[path = "../support/world.rs"]
mod world;

use script::Script;

#[test]
fn scripts_come_true() {
    let play = |text: &str| Script::parse(text)?.play();
    told::come_true("acd/scripts", play, |expected, told| {
        // The rest of the block that differs is its context.
        let block = |line: &&&str| !line.is_empty();
        told::difference(expected, told, 4, |rest| rest.iter().take_while(block).copied().collect())
    });
}

#[test]
fn there_are_scripts_for_everything_promised() {
    let scripts = told::stories("acd/scripts").len();
    assert!(scripts >= 60, "only {scripts} scripts");
}
