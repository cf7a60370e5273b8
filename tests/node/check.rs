//! `carillon check` names file, line and remedy of every mistake, and says so in its status.

use std::fs;

use crate::program::carillon;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

#[test]
fn a_good_folder_is_counted() {
    let folder = folder(&[
        ("queues.yaml", "kind: Queue\nmetadata: {name: sales}\nspec: {}\n"),
        ("agents.yml", "kind: Agent\nmetadata: {name: \"2771\"}\nspec: {queues: [sales]}\n"),
        ("notes.txt", "not a resource"),
        (".hidden.yaml", "kind: Nonsense\n"),
    ]);
    let said = carillon(&["check", &folder.path().to_string_lossy()]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    assert!(said.out.contains("no mistake (queues: 1, agents: 1, trunks: 0)"), "{}", said.out);
}

#[test]
fn every_mistake_is_named_with_file_and_line() {
    let folder = folder(&[
        ("a.yaml", "kind: Queue\nmetadata: {name: sales}\nspec:\n  ringSeconds: 0\n"),
        ("b.yaml", "kind: Agent\nmetadata: {name: \"2771\"}\nspec: {queues: [slaes]}\n"),
    ]);
    let said = carillon(&["check", &folder.path().to_string_lossy()]);
    assert_eq!(said.status, Some(1));
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!(lines.len(), 2, "{}", said.err);
    assert!(lines[0].contains("a.yaml:4: spec.ringSeconds: 0 is below 1"), "{}", said.err);
    assert!(lines[1].contains("b.yaml:3:") && lines[1].contains("sales"), "{}", said.err);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let said = carillon(&["check", "/no/such/folder"]);
    assert_eq!(said.status, Some(1));
    assert!(said.err.contains("/no/such/folder"), "{}", said.err);
}

#[test]
fn what_is_not_understood_is_status_2() {
    assert_eq!(carillon(&["juggle"]).status, Some(2));
    assert_eq!(carillon(&["demo", "--agents", "0"]).status, Some(2));
    assert_eq!(carillon(&[]).status, Some(2));
}
