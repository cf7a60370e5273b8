//! The agent machine's table, `agent.txt`: an agent in every state against every input.

use carillon::acd::command::*;
use carillon::acd::view::View;
use carillon::base::time::Millis;

use crate::center::*;
use crate::table::*;

/// Ann serves `sales`, with ten seconds of wrap-up; nobody else does.
fn open() -> Center {
    let mut center = Center::new();
    center.done(put_queue(queue("sales")));
    let mut ann = agent("ann", &["sales"]);
    ann.wrap_up = Some(Millis::from_secs(10));
    center.done(put_agent(ann));
    center
}

fn with(mut center: Center, commands: Vec<Command>) -> Center {
    for command in commands {
        center.done(command);
    }
    center.advance(1);
    center
}

fn device(state: DeviceState) -> Command {
    Command::ReportDevice { agent: agent_id("ann"), state }
}

fn rows() -> Vec<Row> {
    let ready = || with(open(), vec![log_in("ann"), set_ready("ann")]);
    let reserved = || with(ready(), vec![enqueue(1, "sales")]);
    let talking = || with(reserved(), vec![answer(1, 1)]);
    let wrap_up = || with(talking(), vec![hang_up(caller_leg(1))]);
    vec![
        ("LoggedOut", with(open(), vec![])),
        ("NotReady", with(open(), vec![log_in("ann"), set_not_ready("ann", "Lunch")])),
        ("Ready", ready()),
        ("Ready, device Busy", with(ready(), vec![device(DeviceState::Busy)])),
        ("Ready, device Unreachable", with(ready(), vec![device(DeviceState::Unreachable)])),
        ("Ready, device Unknown", with(ready(), vec![device(DeviceState::Unknown)])),
        ("Reserved", reserved()),
        ("Talking", talking()),
        ("Talking, not ready after it", with(talking(), vec![set_not_ready("ann", "Break")])),
        ("WrapUp", wrap_up()),
        (
            "WrapUp, not ready after it",
            with(talking(), vec![set_not_ready("ann", "Break"), hang_up(caller_leg(1))]),
        ),
    ]
}

fn columns() -> Vec<(&'static str, Input)> {
    let ann = || agent_id("ann");
    let elsewhere = Command::LogIn(Box::new(LogIn {
        agent: ann(),
        pin: None,
        device: Some("sip:other@pbx".to_owned()),
        kind: LoginKind::Callback,
        by: by(Role::Agent),
    }));
    let out = |role| Input::Give(Command::LogOut { agent: ann(), by: by(role) });
    let force = |role| Input::Give(Command::ForceLogOut { agent: ann(), by: by(role) });
    let remove =
        Command::RemoveAgent { agent: ann(), source: carillon::acd::config::Source::Folder };
    vec![
        ("LogIn, the same device", Input::Give(log_in("ann"))),
        ("LogIn, another device", Input::Give(elsewhere)),
        ("LogOut by the agent", out(Role::Agent)),
        ("LogOut by a supervisor", out(Role::Supervisor)),
        ("ForceLogOut by a supervisor", force(Role::Supervisor)),
        ("ForceLogOut by an administrator", force(Role::Administrator)),
        ("SetReady", Input::Give(set_ready("ann"))),
        ("SetNotReady Break", Input::Give(set_not_ready("ann", "Break"))),
        ("SetNotReady, unknown reason", Input::Give(set_not_ready("ann", "Bored"))),
        ("EndWrapUp", Input::Give(Command::EndWrapUp { agent: ann(), by: by(Role::Agent) })),
        ("device Idle", Input::Give(device(DeviceState::Idle))),
        ("device Busy", Input::Give(device(DeviceState::Busy))),
        ("device Unreachable", Input::Give(device(DeviceState::Unreachable))),
        ("device Unknown", Input::Give(device(DeviceState::Unknown))),
        ("a caller arrives", Input::Give(enqueue(2, "sales"))),
        ("answers", Input::Give(answer(1, 1))),
        ("hangs up", Input::Give(hang_up(agent_leg(1, 1)))),
        ("the caller hangs up", Input::Give(hang_up(caller_leg(1)))),
        ("LoseNode", Input::Give(Command::LoseNode { owner: owner(1, 1) })),
        ("RemoveAgent", Input::Give(remove)),
        ("5 seconds", Input::Wait(5)),
        ("20 seconds", Input::Wait(20)),
        ("40 seconds", Input::Wait(40)),
        ("3 hours", Input::Wait(10_800)),
    ]
}

fn picture(center: &Center) -> String {
    let view = View::new(&center.state);
    let Some(ann) = view.agent(&agent_id("ann")) else {
        return "gone".to_owned();
    };
    let reason = ann.reason.map(|reason| format!("({reason})")).unwrap_or_default();
    let call = ann.call.map(|call| format!(" call {}", call.0)).unwrap_or_default();
    format!("{:?}{reason}{call}, device {:?}", ann.state, ann.device_state)
}

#[test]
fn every_state_of_an_agent_meets_every_input() {
    let title = "An agent in every state against every input (tests/matrix/agent.rs)";
    compare("agent.txt", &render(title, &rows(), &columns(), picture));
}
