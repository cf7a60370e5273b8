//! One machine's table: every state against every input, as text that is committed and reviewed.
//!
//! A line says: input, outcome, then what is different: states, orders, facts. `UPDATE=1` writes
//! the files anew; without it a difference fails and shows the first line that differs.
//!
//! Not here: which states and inputs there are (`call`, `agent`, `reservation`).

use std::fmt::Write;
use std::path::Path;

use carillon::acd::command::Command;
use carillon::acd::command::Outcome;
use carillon::acd::effect::Effect;
use carillon::acd::effect::Order;
use carillon::acd::fact::Fact;

use crate::center::Center;

/// What is given to a machine: a command, or time.
pub(crate) enum Input {
    Give(Command),
    Wait(u64),
}

/// A state of the machine by name, and the center in it.
pub(crate) type Row = (&'static str, Center);

/// Writes every row against every column.
pub(crate) fn render(
    title: &str,
    rows: &[Row],
    columns: &[(&str, Input)],
    picture: impl Fn(&Center) -> String,
) -> String {
    let mut text = format!("# {title}\n");
    for (name, center) in rows {
        let before = picture(center);
        writeln!(text, "\n== {name}: {before}").unwrap();
        for (column, input) in columns {
            let line = cell(center, input, &before, &picture);
            writeln!(text, "{column:<34} {line}").unwrap();
        }
    }
    text
}

fn cell(
    center: &Center,
    input: &Input,
    before: &str,
    picture: &impl Fn(&Center) -> String,
) -> String {
    let mut center = center.clone();
    let (outcome, out) = match input {
        Input::Give(command) => {
            let outcome = center.give(command.clone());
            (word_of(&outcome), std::mem::take(&mut center.out))
        }
        Input::Wait(seconds) => (String::from("Waited"), center.advance(*seconds)),
    };
    let after = picture(&center);
    let mut parts = vec![outcome];
    if after != before {
        parts.push(after);
    }
    parts.extend(out.orders.iter().map(order));
    parts.extend(out.facts.iter().map(fact));
    parts.join(" · ")
}

/// A refusal without the names in it.
fn word_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "Done".to_owned(),
        Outcome::Refused(refusal) => format!("Refused {}", first_word(&format!("{refusal:?}"))),
    }
}

fn order(order: &Order) -> String {
    let leg = order.effect.leg().nth;
    match &order.effect {
        Effect::ReleaseLeg { cause, .. } | Effect::ReleaseOrphan { cause, .. } => {
            format!("!{} {leg} {cause:?}", first_word(&format!("{:?}", order.effect)))
        }
        Effect::JoinLegs { agent, .. } => format!("!JoinLegs {leg} {}", agent.nth),
        Effect::HoldCaller { .. }
        | Effect::AdoptLeg { .. }
        | Effect::RingAgent(_)
        | Effect::PlayPrompt { .. }
        | Effect::TransferLeg { .. } => {
            format!("!{} {leg}", first_word(&format!("{:?}", order.effect)))
        }
    }
}

fn fact(fact: &Fact) -> String {
    if let Fact::ReservationEnded { agent, why, .. } = fact {
        format!("ReservationEnded {agent} {why:?}")
    } else if let Fact::CallEnded { why, .. } = fact {
        format!("CallEnded {why:?}")
    } else if let Fact::AgentLoggedOut { agent, reason, .. } = fact {
        format!("AgentLoggedOut {agent} {reason:?}")
    } else {
        first_word(&format!("{fact:?}"))
    }
}

fn first_word(debug: &str) -> String {
    debug.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

/// Compares a table with the committed one, or writes it.
pub(crate) fn compare(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix").join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    for (nth, (is, was)) in text.lines().zip(committed.lines()).enumerate() {
        assert_eq!(is, was, "{file}:{}: run with UPDATE=1 and review the difference", nth + 1);
    }
    let (is, was) = (text.lines().count(), committed.lines().count());
    assert_eq!(is, was, "{file}: run with UPDATE=1 and review the difference");
}
