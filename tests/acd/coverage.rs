//! What all scripts together must show: every word of the core once, and never a secret.
//!
//! Every command, effect, fact and refusal the doors of the core can name is told by some script;
//! what cannot be is named here with the reason. Every private value in a script contains
//! [`SECRET`], and what a log would print of entries, outcomes, facts and states must not.
//!
//! Not here: what each script claims (`scripts/`).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::notation::SECRET;
use crate::script::Script;
use crate::world::World;

/// What no script can bring about.
const UNSCRIPTED: [&str; 2] = [
    // Said only when the core finds itself broken, which no command can bring about (`quarantine`).
    "CallQuarantined",
    "AgentQuarantined",
];

#[test]
fn every_command_effect_fact_and_refusal_is_in_some_script() {
    let printed = printed();
    let words: BTreeSet<&str> = printed.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let doors = [
        ("src/acd/command.rs", "Command"),
        ("src/acd/outcome.rs", "Refusal"),
        ("src/acd/command.rs", "RingFailure"),
        ("src/acd/effect.rs", "Effect"),
        ("src/acd/effect.rs", "Cause"),
        ("src/acd/fact.rs", "Fact"),
        ("src/acd/ending.rs", "ReservationEnd"),
        ("src/acd/ending.rs", "CallEnd"),
    ];
    let all = doors.iter().flat_map(|(path, name)| variants(path, name));
    let missing: Vec<String> = all
        .filter(|variant| !words.contains(variant.as_str()))
        .filter(|variant| !UNSCRIPTED.contains(&variant.as_str()))
        .collect();
    assert!(missing.is_empty(), "write a script for each of these: {missing:?}");
}

#[test]
fn nothing_private_is_ever_printed() {
    let printed = printed();
    let leak = printed.lines().find(|line| line.contains(SECRET));
    assert_eq!(leak, None, "wrap the value in `Private`");
    let hidden = ["EnqueueCall", "PutAgent", "LogIn", "PutTrunk", "CallEnqueued", "RingAgent"];
    for kind in hidden {
        assert!(printed.contains(kind), "{kind} carries private values and was not printed");
    }
}

/// What a log would print of all the scripts.
fn printed() -> String {
    let mut printed = String::new();
    for path in crate::told::stories("acd/scripts") {
        let text = fs::read_to_string(&path).expect("a script can be read");
        let mut world = World::new();
        let played = Script::parse(&text).and_then(|script| script.play_in(&mut world));
        played.unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
        printed.push_str(&world.printed());
    }
    printed
}

/// The names of an enum's variants, as its file has them.
fn variants(path: &str, name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = fs::read_to_string(&path).expect("a source file can be read");
    let file = syn::parse_file(&text).expect("a source file is Rust");
    let found = file.items.iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == name => Some(item),
        _ => None,
    });
    let found = found.unwrap_or_else(|| panic!("{} has no enum {name}", path.display()));
    found.variants.iter().map(|variant| variant.ident.to_string()).collect()
}
