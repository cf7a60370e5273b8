//! Mistakes that need two objects: names nobody has, and what is said twice.
//!
//! Reading notes every name an object has, every name it refers to and every address a queue
//! claims, each with its place. Here they are held against one another, after all files are read.
//!
//! Always holds: what is said twice is reported at the second place and names the first.
//!
//! Not here: mistakes one object has by itself (`queue`, `agent`, …).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::acd::config::Address;
use crate::base::id::QueueId;
use crate::resource::Kind;
use crate::resource::Outside;
use crate::resource::mistake::FieldPath;
use crate::resource::mistake::Mistake;
use crate::resource::mistake::Place;
use crate::resource::read::Claim;
use crate::resource::read::Reference;
use crate::resource::read::nearest;

/// A file describes an object.
pub(super) struct Definition {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) place: Place,
}

/// Notes what does not fit together.
pub(super) fn check(
    definitions: &[Definition],
    references: &[Reference],
    claims: &[Claim],
    outside: &dyn Outside,
    mistakes: &mut Vec<Mistake>,
) {
    duplicates(definitions, mistakes);
    others(definitions, outside, mistakes);
    unknown_names(definitions, references, outside, mistakes);
    shared_addresses(definitions, claims, mistakes);
    others_addresses(claims, outside, mistakes);
}

fn duplicates(definitions: &[Definition], mistakes: &mut Vec<Mistake>) {
    let mut first: BTreeMap<(Kind, &str), &Place> = BTreeMap::new();
    for Definition { kind, name, place } in definitions {
        let Some(first) = first.get(&(*kind, name.as_str())) else {
            first.insert((*kind, name), place);
            continue;
        };
        mistakes.push(Mistake {
            place: place.clone(),
            field: FieldPath::default().field("metadata").field("name"),
            wrong: format!("{kind} {name} is described at {first} already"),
            remedy: "remove one of the two, or give it another name".to_owned(),
        });
    }
}

/// Notes what is described here and belongs to another source.
fn others(definitions: &[Definition], outside: &dyn Outside, mistakes: &mut Vec<Mistake>) {
    let mut known: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    for Definition { kind, name, place } in definitions {
        let known =
            known.entry(*kind).or_insert_with(|| outside.known_names(*kind).into_iter().collect());
        if known.contains(name) {
            mistakes.push(Mistake {
                place: place.clone(),
                field: FieldPath::default().field("metadata").field("name"),
                wrong: format!("{kind} {name} is configured elsewhere already (REST)"),
                remedy: "take it out of the folder, or delete it through REST first".to_owned(),
            });
        }
    }
}

/// Notes addresses that reach a queue of another source.
fn others_addresses(claims: &[Claim], outside: &dyn Outside, mistakes: &mut Vec<Mistake>) {
    let known: BTreeMap<Address, QueueId> = outside.known_addresses().into_iter().collect();
    for Claim { address, queue, place, field } in claims {
        let Some(other) = known.get(address).filter(|other| other.as_str() != queue) else {
            continue;
        };
        mistakes.push(Mistake {
            place: place.clone(),
            field: field.clone(),
            wrong: format!("{address} reaches queue {other} already, configured elsewhere (REST)"),
            remedy: "an address reaches one queue; take it from one of the two".to_owned(),
        });
    }
}

/// Notes names that nobody has.
pub(super) fn unknown_names(
    definitions: &[Definition],
    references: &[Reference],
    outside: &dyn Outside,
    mistakes: &mut Vec<Mistake>,
) {
    let mut known: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    for reference in references {
        let kind = reference.kind;
        known.entry(kind).or_insert_with(|| names(kind, definitions, outside));
    }
    for Reference { kind, name, place, field } in references {
        let Some(known) = known.get(kind).filter(|known| !known.contains(name)) else { continue };
        let remedy = match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("describe a {kind} of this name, or remove the word"),
        };
        mistakes.push(Mistake {
            place: place.clone(),
            field: field.clone(),
            wrong: format!("there is no {kind} {name}"),
            remedy,
        });
    }
}

fn names(kind: Kind, definitions: &[Definition], outside: &dyn Outside) -> BTreeSet<String> {
    let described = definitions.iter().filter(|definition| definition.kind == kind);
    let mut names: BTreeSet<String> = described.map(|one| one.name.clone()).collect();
    if kind == Kind::Prompt {
        names.extend(outside.built_in_prompts().iter().map(|name| (*name).to_owned()));
    }
    names.extend(outside.known_names(kind));
    names
}

fn shared_addresses(definitions: &[Definition], claims: &[Claim], mistakes: &mut Vec<Mistake>) {
    let is_described_once = |queue: &str| {
        let queues = definitions.iter().filter(|definition| definition.kind == Kind::Queue);
        queues.filter(|definition| definition.name == queue).take(2).count() == 1
    };
    let mut first: BTreeMap<_, &Claim> = BTreeMap::new();
    for claim in claims {
        let Claim { address, queue, place, field } = claim;
        let Some(other) = first.get(address) else {
            first.insert(address, claim);
            continue;
        };
        let (wrong, remedy) = if other.queue != *queue {
            let wrong =
                format!("{address} reaches queue {} already, at {}", other.queue, other.place);
            (wrong, "an address reaches one queue; take it from one of the two")
        } else if is_described_once(queue) {
            (format!("{address} stands here twice"), "remove one of the two")
        } else {
            continue; // The whole queue is described twice, which is said already.
        };
        let (place, field) = (place.clone(), field.clone());
        mistakes.push(Mistake { place, field, wrong, remedy: remedy.to_owned() });
    }
}
