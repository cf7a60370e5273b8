//! The table of second logins, `login.txt`: who is logged in already in every state and under
//! every policy, against each kind of second login.

use carillon::acd::command::*;
use carillon::acd::config::*;
use carillon::acd::view::View;
use carillon::base::time::Millis;

use crate::center::*;
use crate::table::*;

const POLICIES: [DuplicateLogin; 3] =
    [DuplicateLogin::Reject, DuplicateLogin::Warn, DuplicateLogin::TakeOver];

/// Ann is logged in at her phone and alone in `sales`; bob is at his own, cy is not here.
fn open(policy: DuplicateLogin) -> Center {
    let mut center = Center::new();
    let settings = Settings { duplicate_login: policy, ..Settings::default() };
    let source = Source::Folder;
    center.done(Command::PutSettings { settings: Box::new(settings), source });
    center.done(put_queue(queue("sales")));
    let mut ann = agent("ann", &["sales"]);
    ann.wrap_up = Some(Millis::from_secs(10));
    center.done(put_agent(ann));
    center.done(put_agent(agent("bob", &[])));
    center.done(put_agent(agent("cy", &[])));
    center.done(log_in("ann"));
    center.done(log_in("bob"));
    center
}

fn rows() -> Vec<Row> {
    let steps = [
        ("NotReady", vec![]),
        ("Ready", vec![set_ready("ann")]),
        ("Reserved", vec![enqueue(1, "sales")]),
        ("Talking", vec![answer(1, 1)]),
        ("WrapUp", vec![hang_up(caller_leg(1))]),
    ];
    let mut rows = Vec::new();
    for policy in POLICIES {
        let mut center = open(policy);
        for (state, commands) in &steps {
            for command in commands {
                center.done(command.clone());
            }
            center.advance(1);
            let name: &'static str = format!("{policy:?}, {state}").leak();
            rows.push((name, center.clone()));
        }
    }
    rows
}

fn login_at(name: &str, device: &str) -> Input {
    Input::Give(Command::LogIn(Box::new(LogIn {
        agent: agent_id(name),
        pin: None,
        device: Some(format!("sip:{device}@pbx")),
        kind: LoginKind::Callback,
        by: by(Role::Agent),
    })))
}

fn columns() -> Vec<(&'static str, Input)> {
    vec![
        ("ann again, the same device", login_at("ann", "ann")),
        ("ann, another device", login_at("ann", "desk")),
        ("ann, at bob's device", login_at("ann", "bob")),
        ("cy, at ann's device", login_at("cy", "ann")),
        ("bob, at ann's device", login_at("bob", "ann")),
    ]
}

fn picture(center: &Center) -> String {
    let agents = View::new(&center.state).agents().into_iter().map(|agent| {
        let reason = agent.reason.map(|reason| format!("({reason})")).unwrap_or_default();
        let place = agent.device.map(|device| format!(" at {device}")).unwrap_or_default();
        format!("{} {:?}{reason}{place}", agent.id, agent.state)
    });
    agents.collect::<Vec<_>>().join(", ")
}

#[test]
fn every_login_meets_every_second_one() {
    let title = "Logins against second logins (tests/matrix/login.rs)";
    compare("login.txt", &render(title, &rows(), &columns(), picture));
}
