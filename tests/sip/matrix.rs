//! Every state and every input of the machines of the SIP floor, as text that is read in review.
//!
//! The snapshots lie in `tests/sip/matrix/`. `UPDATE=1 cargo test --test sip matrix` rewrites them.

use std::fmt::Debug;
use std::fmt::Write;
use std::path::Path;

use carillon::sip::dialog::state;
use carillon::sip::transaction::client;
use carillon::sip::transaction::invite_client;
use carillon::sip::transaction::invite_server;
use carillon::sip::transaction::machine::Action;
use carillon::sip::transaction::machine::Step;
use carillon::sip::transaction::server;

/// One line for each state and input, under a line for how the machine begins.
fn matrix<State: Copy + Debug + PartialEq, Input: Copy + Debug>(
    title: &str,
    start: Step<State>,
    (states, inputs): (&[State], &[Input]),
    step: impl Fn(State, Input) -> Step<State>,
) -> String {
    let mut text = format!("# {title}\n# state + input -> next state: actions\n\n");
    let _ = writeln!(text, "start -> {:?}{}", start.0, orders(start.1));
    for state in states {
        text.push('\n');
        for input in inputs {
            let (next, actions) = step(*state, *input);
            let row = format!("{state:?} + {input:?}");
            let _ = if next == *state && actions.is_empty() {
                writeln!(text, "{row:<34} -> ignored")
            } else {
                writeln!(text, "{row:<34} -> {next:?}{}", orders(actions))
            };
        }
    }
    text
}

fn orders(actions: &[Action]) -> String {
    let listed: Vec<String> = actions.iter().map(|action| format!("{action:?}")).collect();
    if listed.is_empty() { String::new() } else { format!(": {}", listed.join(", ")) }
}

pub(crate) fn compare(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sip/matrix").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).expect("the snapshot is written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, text, "{name} differs; look, then UPDATE=1");
}

#[test]
fn invite_client_matrix() {
    let all = (invite_client::STATES, invite_client::INPUTS);
    let title = "INVITE client transaction, RFC 3261 figure 5 with RFC 6026 section 7.2";
    let text = matrix(title, invite_client::START, all, invite_client::step);
    compare("invite_client.txt", &text);
}

#[test]
fn invite_server_matrix() {
    let all = (invite_server::STATES, invite_server::INPUTS);
    let title = "INVITE server transaction, RFC 3261 figure 7 with RFC 6026 section 7.1";
    let text = matrix(title, invite_server::START, all, invite_server::step);
    compare("invite_server.txt", &text);
}

#[test]
fn client_matrix() {
    let all = (client::STATES, client::INPUTS);
    let title = "client transaction of any other method, RFC 3261 figure 6";
    compare("client.txt", &matrix(title, client::START, all, client::step));
}

#[test]
fn server_matrix() {
    let all = (server::STATES, server::INPUTS);
    let title = "server transaction of any other method, RFC 3261 figure 8";
    compare("server.txt", &matrix(title, server::START, all, server::step));
}

#[test]
fn dialog_matrix() {
    let step = |state, input| -> Step<state::State> { (state::step(state, input), &[]) };
    let all = (state::STATES, state::INPUTS);
    let title = "dialog, RFC 3261 sections 12 and 15";
    compare("dialog.txt", &matrix(title, (state::State::Early, &[]), all, step));
}
