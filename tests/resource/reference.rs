//! The page of everything that can be written (`src/resource/README.md`) against the program: its
//! ranges, words and defaults are those that are read, and no field is left out.

use std::fs;
use std::path::Path;

use carillon::resource::Configuration;
use carillon::resource::File;
use carillon::resource::NodeSettings;
use carillon::resource::read;

use crate::outside::World;

/// What is said of a part that is larger than its whole.
const TOO_LARGE: &str = " is more than ";

/// Values of fields of `Settings` that are no numbers, or whose bounds fit only with others.
const OTHERS: [(&str, &str); 8] = [
    ("sip.listen", "[{transport: Udp, port: 5070}]"),
    ("sip.advertise", "192.0.2.1"),
    ("sip.limits.strangers.messagesPerSecond", "100"),
    ("rtp.ports", "\"30000-30001\""),
    ("rtp.advertise", "192.0.2.1"),
    ("api.listen", "\":8081\""),
    ("api.tokensFile", "tokens.yaml"),
    ("observe.listen", "\":9091\""),
];

/// A row of a table: the kind, the field, what it may be, what it is when left out.
struct Row {
    kind: String,
    field: String,
    /// It is marked as read when the node starts.
    at_start: bool,
    range: String,
    usual: String,
}

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn rows() -> Vec<Row> {
    let mut kind = String::new();
    let mut rows = Vec::new();
    for line in text("src/resource/README.md").lines() {
        if let Some(name) = line.strip_prefix("## ") {
            kind = name.to_owned();
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, field, range, usual, _, _] = cells[..] else { continue };
        let at_start = field.ends_with('¹');
        let Some(field) = field.strip_prefix('`').and_then(|field| field.split('`').next()) else {
            continue;
        };
        let [field, range, usual] = [field, range, usual].map(str::to_owned);
        rows.push(Row { kind: kind.clone(), field, at_start, range, usual });
    }
    assert!(rows.len() > 50, "the tables are not found");
    rows
}

/// A document with this field; `None` has only what must stand beside it.
fn document(kind: &str, field: &str, value: Option<&str>) -> String {
    let (group, leaf) = field.rsplit_once('.').unwrap_or(("", field));
    let beside = match (group, leaf) {
        ("caller.announcements", "everySeconds") => "prompt: music, ",
        ("onRingOut" | "onDeclined" | "onBusy", "delaySeconds") => "action: StayReady, ",
        _ => "",
    };
    let list = if leaf == "allowedLogins" { ["[", "]"] } else { ["", ""] };
    let own = value.map(|value| format!("{leaf}: {}{value}{}", list[0], list[1]));
    let inner = format!("{{{beside}{}}}", own.unwrap_or_default());
    let groups = group.split('.').filter(|group| !group.is_empty()).rev();
    let spec = groups.fold(inner, |inner, group| format!("{{{group}: {inner}}}"));
    format!("kind: {kind}\nmetadata: {{name: default}}\nspec: {spec}\n")
}

fn taken(kind: &str, field: &str, value: Option<&str>) -> Result<Configuration, String> {
    let text = document(kind, field, value);
    let read = read(&[File { name: "one.yaml", text: &text }], &World);
    read.map_err(|mistakes| {
        let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        format!("{text}{}", said.join("\n"))
    })
}

#[test]
fn every_range_is_as_it_is_written() {
    let mut numbers = 0;
    for Row { kind, field, range, usual, .. } in rows() {
        let Some((low, high)) = range.split_once(" to ") else { continue };
        let (Ok(low), Ok(high)) = (low.parse::<i64>(), high.parse::<i64>()) else { continue };
        numbers += 1;
        for inside in [low, high] {
            let Err(said) = taken(&kind, &field, Some(&inside.to_string())) else { continue };
            // In range, but a part of something that has to be written as well.
            assert!(field.starts_with("sip.limits.") && said.contains(TOO_LARGE), "{said}");
        }
        for outside in [low - 1, high + 1] {
            let taken = taken(&kind, &field, Some(&outside.to_string()));
            let is_refused = taken.is_err_and(|said| !said.contains(TOO_LARGE));
            assert!(is_refused, "{kind} {field}: {outside} is taken");
        }
        if usual.parse::<i64>().is_ok() {
            let left_out = taken(&kind, &field, None).unwrap();
            assert_eq!(taken(&kind, &field, Some(&usual)).unwrap(), left_out, "{kind} {field}");
        }
    }
    assert!(numbers > 20, "the ranges are not found");
}

#[test]
fn every_word_is_as_it_is_written() {
    let mut found = 0;
    for Row { kind, field, range, usual, .. } in rows() {
        let words: Vec<&str> = range.split('`').skip(1).step_by(2).collect();
        let are_words = words.iter().all(|word| !word.contains(['.', '{', '"']));
        // A range in backticks only shows what something looks like.
        if words.is_empty() || !are_words || field.ends_with("auth") || field == "sip.listen" {
            continue;
        }
        found += 1;
        for word in &words {
            taken(&kind, &field, Some(word)).unwrap();
        }
        assert!(taken(&kind, &field, Some("Nonsense")).is_err(), "{kind} {field}");
        let usual = usual.trim_matches('`');
        if words.contains(&usual) {
            let left_out = taken(&kind, &field, None).unwrap();
            assert_eq!(taken(&kind, &field, Some(usual)).unwrap(), left_out, "{kind} {field}");
        }
    }
    assert!(found > 10, "the words are not found");
}

#[test]
fn no_field_is_left_out() {
    let page = text("src/resource/README.md");
    let words: Vec<&str> = page.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let everything = text("tests/resource/good/everything.yaml");
    let before_colons = everything.split(':').filter_map(|piece| {
        let start = piece.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        Some(&piece[start..]).filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
    });
    let others = ["apiVersion", "namespace", "labels", "annotations", "app", "note", "sip"];
    for field in before_colons.filter(|field| !others.contains(field)) {
        assert!(words.contains(&field), "{field} is not in src/resource/README.md");
    }
}

#[test]
fn every_address_and_port_left_out_is_as_it_is_written() {
    let mut found = 0;
    for Row { kind, field, usual, .. } in rows().iter().filter(|row| row.usual.starts_with('"')) {
        found += 1;
        let left_out = taken(kind, field, None).unwrap();
        assert_eq!(taken(kind, field, Some(usual)).unwrap(), left_out, "{kind} {field}");
    }
    assert_eq!(found, 3);
}

#[test]
fn what_waits_for_a_restart_is_marked() {
    let usual = NodeSettings::default();
    let mut found = [0; 2];
    for Row { kind, field, at_start, range, .. } in rows() {
        let other = OTHERS.iter().find(|(name, _)| *name == field).map(|(_, value)| *value);
        let others = other.into_iter().chain(range.split(" to "));
        let mut read = others.filter_map(|value| taken(&kind, &field, Some(value)).ok());
        let Some(node) = read.find(|read| read.node != usual).map(|read| read.node) else {
            assert!(!at_start, "{kind} {field} is the same for every node, and follows");
            continue;
        };
        let (waiting, followed) = (node.changed_since(&usual), node.followed_since(&usual));
        let field = vec![field.as_str()];
        let said = if at_start { (field, vec![]) } else { (vec![], field) };
        assert_eq!((waiting, followed), said);
        found[usize::from(at_start)] += 1;
    }
    assert_eq!(found, [7, 14], "followed and read at the start");
}
