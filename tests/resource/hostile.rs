//! Text that is no configuration at all neither stops nor stalls the reader.

use carillon::resource::File;
use carillon::resource::read;
use proptest::prelude::*;

use crate::outside::World;

fn is_refused(text: &str) -> bool {
    read(&[File { name: "hostile.yaml", text }], &World).is_err()
}

#[test]
fn deep_nesting_is_refused_without_going_deep() {
    assert!(is_refused(&"[".repeat(100_000)));
    assert!(is_refused(&"- ".repeat(100_000)));
    assert!(is_refused(&"{a: ".repeat(100_000)));
    let steps: String = (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(is_refused(&steps));
}

#[test]
fn a_mistake_is_one_line_whatever_it_is_about() {
    let text = "kind: Queue\nmetadata: {name: \"sa\\r\\nX: y\"}\n\
                spec: {\"a\\nb\": 1, open: \"\\e[31m\"}\n";
    let mistakes = read(&[File { name: "hostile.yaml", text }], &World).unwrap_err();
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert!(told.len() >= 3, "{told:?}");
    assert!(told.iter().any(|told| told.contains("sa\\r\\nX")), "{told:?}");
    assert!(!told.iter().any(|told| told.contains(char::is_control)), "{told:?}");
}

#[test]
fn aliases_cannot_grow() {
    assert!(is_refused("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"));
}

#[test]
fn strange_keys_are_only_mistakes() {
    assert!(is_refused("? [a, b]\n: c\nkind: Queue\n"));
    assert!(is_refused("1: 2\ntrue: false\n~: ~\n"));
    assert!(is_refused("<<: {kind: Queue}\n"));
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}") {
        let _ = is_refused(&text);
    }

    #[test]
    fn any_yaml_like_text_gets_an_answer(
        text in prop::collection::vec(
            prop::sample::select(vec![
                "kind: ", "a: ", "- ", "{", "}", "[", "]", ",", "'", "\"", "#", "&a", "*a", "!t ",
                "|", "\n", "\n  ", " ", "12", "---\n",
            ]),
            0..60,
        ).prop_map(|parts| parts.concat())
    ) {
        let _ = is_refused(&text);
    }
}
