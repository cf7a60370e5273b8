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
    assert!(
        said.out.contains("no mistake (queues: 1, agents: 1, trunks: 0, tokens: 0)"),
        "{}",
        said.out
    );
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
    assert!(said.err.contains("/no/such/folder: "), "{}", said.err);
    assert!(said.err.contains("make it, or name the folder"), "{}", said.err);
}

#[test]
fn what_is_not_understood_is_status_2() {
    assert_eq!(carillon(&["juggle"]).status, Some(2));
    assert_eq!(carillon(&["demo", "--agents", "0"]).status, Some(2));
    assert_eq!(carillon(&[]).status, Some(2));
}

#[test]
fn a_single_file_is_read_too() {
    let folder = folder(&[
        ("queues.yaml", "kind: Queue\nmetadata: {name: sales}\nspec: {}\n"),
        ("broken.yaml", "kind: Nonsense\n"),
    ]);
    let file = folder.path().join("queues.yaml");
    let said = carillon(&["check", &file.to_string_lossy()]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    assert!(said.out.contains("queues.yaml: no mistake (queues: 1"), "{}", said.out);
}

#[test]
fn what_an_empty_folder_leaves_to_the_defaults_is_said() {
    let folder = folder(&[]);
    let said = carillon(&["check", &folder.path().to_string_lossy()]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    for words in [
        "no Queue",
        "no Trunk lets anybody in",
        "0.0.0.0:5060 (UDP)",
        "RTP on ports 20000-",
        "no api.tokensFile",
    ] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
}

#[test]
fn the_file_of_tokens_is_checked_too() {
    let settings = "kind: Settings\nmetadata: {name: default}\nspec: {api: {tokensFile: t.txt}}\n";
    let folder = folder(&[("settings.yaml", settings)]);
    let check = || carillon(&["check", &folder.path().to_string_lossy()]);
    let missing = check();
    assert_eq!(missing.status, Some(1));
    let tokens = folder.path().join("t.txt");
    let named = format!("{}: ", tokens.display());
    assert!(missing.err.contains(&named), "{}", missing.err);
    assert!(missing.err.contains("api.tokensFile"), "{}", missing.err);
    fs::write(&tokens, "tokens:\n- {name: ops, role: Boss, token: \"0123456789abcdef\"}\n")
        .unwrap();
    let wrong = check();
    assert_eq!(wrong.status, Some(1));
    assert!(wrong.err.contains("t.txt:2: ") && wrong.err.contains("Boss"), "{}", wrong.err);
    fs::write(&tokens, "tokens:\n- {name: ops, role: Viewer, token: \"0123456789abcdef\"}\n")
        .unwrap();
    let right = check();
    assert_eq!(right.status, Some(0), "{}", right.err);
    assert!(right.out.contains("tokens: 1"), "{}", right.out);
}
