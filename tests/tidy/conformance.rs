//! What is said of RFCs is true of the tree: the places and tests a page or comment names exist.
//!
//! Comments cite `RFC 3261 §17.2.1`. A citation without a section is refused, because nobody can
//! check it. `tests/sip/conformance.md` names an item of the program and a test on every line, or
//! says why a thing is not done.

use crate::tree::judge;
use crate::tree::read;
use crate::tree::rust_files;
use crate::tree::top;
use crate::tree::walk;

#[test]
fn citations_in_the_sip_floor_name_their_section() {
    let mut complaints = Vec::new();
    for file in rust_files("src/sip") {
        for (index, line) in file.text.lines().enumerate() {
            let Some(comment) = line.trim_start().strip_prefix("// ") else { continue };
            let cites = comment.starts_with("RFC ");
            if cites && !comment.contains('§') {
                complaints.push(format!("{}:{}: {comment}", file.path, index + 1));
            }
        }
    }
    judge(&complaints, "write the section: `// RFC 3261 §17.2.1: …`");
}

#[test]
fn the_conformance_page_names_what_exists() {
    let page = read(&top().join("tests/sip/conformance.md"));
    let mut complaints = Vec::new();
    let mut rows = 0;
    for (index, line) in page.text.lines().enumerate() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", section, _, level, place, test, ""] = cells[..] else { continue };
        if section == "§" || section.starts_with('-') {
            continue;
        }
        rows += 1;
        let mut wrong =
            |what: &str| complaints.push(format!("{}:{}: {what}", page.path, index + 1));
        if !["must", "should", "may"].contains(&level) {
            wrong("the level is must, should or may");
        }
        let done = !place.starts_with("*not done, because* ");
        if done && (!place.starts_with('`') || test.is_empty()) {
            wrong("what is done names its place and its test");
        }
        let places =
            place.split(", ").filter(|_| done).chain(Some(test).filter(|it| !it.is_empty()));
        for named in places.filter(|named| !exists(named.trim_matches('`'))) {
            wrong(&format!("there is no {named}"));
        }
    }
    assert!(rows > 150, "only {rows} lines were understood");
    walk(&top().join("tests/b2bua/flows"), &mut |path| {
        let flow = read(path).path;
        if !page.text.contains(&format!("`{flow}`")) {
            complaints.push(format!("{}: {flow} is named nowhere", page.path));
        }
    });
    judge(&complaints, "name the item or the test as it is called now, or say what is not done");
}

/// Tells whether `src/a.rs::item` names something that is defined there, or a flow that is played.
fn exists(named: &str) -> bool {
    if named.starts_with("tests/b2bua/flows/") {
        return top().join(named).is_file();
    }
    let Some((path, item)) = named.split_once("::") else { return false };
    let Ok(text) = std::fs::read_to_string(top().join(path)) else { return false };
    let defined = |line: &str| {
        let words: Vec<&str> = line.split([' ', '(', '<', ':', ';', '{']).collect();
        words.windows(2).any(|pair| {
            ["fn", "struct", "enum", "const", "type", "trait"].contains(&pair[0]) && pair[1] == item
        })
    };
    text.lines().any(defined)
}
