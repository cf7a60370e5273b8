//! The configuration folder of a running node: what is wrong with it is said and counted once,
//! nothing changes, and nothing keeps a node down that was up before.
//!
//! Not here: the sentences about mistakes (`tests/resource`), callers meanwhile (`tests/e2e`).

use std::fs;

use crate::place::NEW;
use crate::place::OLD;
use crate::place::Place;
use crate::place::Running;
use crate::wait::until;

const QUEUE: &[u8] = b"kind: Queue\nmetadata: {name: sales}\n";

/// A WAV file of silence, this many samples long.
fn wav(samples: u32) -> Vec<u8> {
    let mut bytes = Vec::from(*b"RIFF");
    bytes.extend((36 + samples * 2).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(8000_u32.to_le_bytes());
    bytes.extend(16_000_u32.to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((samples * 2).to_le_bytes());
    bytes.resize(44 + samples as usize * 2, 0);
    bytes
}

fn with_prompt() -> Place {
    let place = Place::new();
    place.write("own.wav", wav(800));
    place.write("sales.yaml", QUEUE);
    let prompt = b"kind: Prompt\nmetadata: {name: own}\nspec: {source: {file: own.wav}}\n";
    place.write("prompt.yaml", prompt);
    place
}

fn queues(place: &Place, token: &str) -> String {
    let (status, text) = place.ask(place.api, token, "GET", "/api/v1/queues");
    assert_eq!(status, 200, "{text}");
    text
}

/// Ends the process as a crash would, and starts it on the same folders.
fn crash(place: &Place, mut node: Running) -> Running {
    node.process.kill().expect("it works on this machine");
    node.process.wait().expect("it works on this machine");
    drop(node);
    place.start()
}

#[test]
fn a_bad_folder_does_not_keep_a_node_down_that_was_up() {
    let place = with_prompt();
    let node = place.start();
    node.says("carillon is ready for calls");
    fs::remove_file(place.path("config/own.wav")).expect("it works on this machine");
    place.write("more.yaml", b"kind: Queue\nmetadata: {name: more}\nspec: {ringSeconds: 0}\n");

    let node = crash(&place, node);
    node.says("ringSeconds: 0 is below 1");
    node.says("own.wav cannot be played");
    let ready = node.says("carillon is ready for calls");
    assert!(ready.contains(&place.sip.to_string()), "{ready}");
    assert!(queues(&place, OLD).contains("\"sales\""));
    assert_eq!(place.rejected(), "1");

    // The Settings themselves are as they were, too.
    place.write("settings.yaml", b"kind: Settings\nmetadata: {name: default}\nspec: {api: 1}\n");
    place.write("more.yaml", b"");
    let node = crash(&place, node);
    node.says("spec.api: is a number");
    node.says("carillon is ready for calls");
    assert!(queues(&place, OLD).contains("\"sales\""));

    place.write_settings("tokens.yaml");
    place.write("own.wav", wav(800));
    place.write("more.yaml", b"kind: Queue\nmetadata: {name: more}\n");
    until("what is mended is taken", crate::place::PATIENCE, || {
        queues(&place, OLD).contains("\"more\"").then_some(())
    });
}

#[test]
fn a_bad_folder_keeps_a_node_down_that_was_never_up() {
    let place = Place::new();
    place.write("sales.yaml", b"kind: Queue\nmetadata: {name: sales}\nspec: {ringSeconds: 0}\n");
    assert!(place.fail().contains("ringSeconds: 0 is below 1"));
    assert!(place.fail().contains("ringSeconds: 0 is below 1"), "the second time it is taken");
}

#[test]
fn a_bad_file_of_tokens_does_not_keep_a_node_down_that_was_up() {
    let place = Place::new();
    let node = place.start();
    node.says("carillon is ready for calls");
    fs::write(place.path("tokens.yaml"), "tokens: nobody\n").expect("it works on this machine");
    let node = crash(&place, node);
    node.says("REST lets nobody in");
    node.says("carillon is ready for calls");
    assert_eq!(place.ask(place.api, OLD, "GET", "/api/v1/queues").0, 401);
    place.write_tokens(NEW);
    node.says("the file of tokens has changed");
    queues(&place, NEW);
}

#[test]
fn an_overwritten_file_of_a_prompt_is_loaded_anew() {
    let place = with_prompt();
    let node = place.start();
    node.says("carillon is ready for calls");
    fs::write(place.path("config/own.wav"), wav(1600)).expect("it works on this machine");
    let said = node.says("its file has changed and is read again");
    assert!(said.contains("own"), "{said}");
    fs::write(place.path("config/own.wav"), "no sound").expect("it works on this machine");
    node.says("own.wav cannot be played");
    assert_eq!(place.rejected(), "1");
}

#[test]
fn what_rest_owns_is_a_mistake_in_the_folder_and_said_once() {
    let place = Place::new();
    let node = place.start();
    node.says("carillon is ready for calls");
    let path = "/api/v1/queues/sales";
    let (status, text) = place.send(place.api, OLD, "PUT", path, "{\"addresses\": [\"100\"]}");
    assert_eq!(status, 200, "{text}");

    place.write(
        "a.yaml",
        b"kind: Queue\nmetadata: {name: support}\n---\n\nkind: Queue\nmetadata: {name: sales}\n",
    );
    let said = node.says("Queue sales is configured elsewhere already");
    assert!(said.contains("a.yaml:") && said.contains("through REST"), "{said}");
    place
        .write("a.yaml", b"kind: Queue\nmetadata: {name: support}\nspec: {addresses: [\"100\"]}\n");
    let said = node.says("100 reaches queue sales already");
    assert!(said.contains("a.yaml:3"), "{said}");
    assert!(!queues(&place, OLD).contains("support"), "half of the folder is applied");

    // More looks than one, in which nothing is said, counted or proposed.
    let applied = || place.ask(place.observe, "", "GET", "/metrics").1;
    let index = |metrics: String| {
        let line = metrics.lines().find(|line| line.starts_with("carillon_raft_applied_index "));
        line.expect("it is counted").to_owned()
    };
    let before = index(applied());
    node.is_silent(std::time::Duration::from_secs(11));
    assert_eq!(index(applied()), before);
    assert_eq!(place.rejected(), "2");

    assert_eq!(place.ask(place.api, OLD, "DELETE", path).0, 200);
    until("the folder is taken", crate::place::PATIENCE, || {
        queues(&place, OLD).contains("support").then_some(())
    });
}

#[test]
fn what_is_overlooked_is_said() {
    let place = Place::new();
    place.write("sales.yaml", QUEUE);
    fs::create_dir(place.path("config/sub")).expect("it works on this machine");
    std::os::unix::fs::symlink("nowhere", place.path("config/gone.yaml"))
        .expect("it works on this machine");
    let node = place.start();
    node.says("gone.yaml: a link that leads nowhere");
    node.says("sub: folders in the folder are not read");
    node.says("carillon is ready for calls");
}
