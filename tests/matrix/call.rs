//! The call machine's table, `call.txt`: a caller in every state against every input.

use carillon::acd::command::*;
use carillon::acd::config::*;
use carillon::acd::view::View;
use carillon::base::id::*;

use crate::center::*;
use crate::table::*;

/// Ann serves `sales`; `lonely` is served by nobody, and its rule plays first.
fn open() -> Center {
    let mut center = Center::new();
    center.done(Command::StartNode { owner: owner(2, 1) });
    center.done(put_queue(queue("sales")));
    let mut lonely = queue("lonely");
    lonely.overflow.no_agents = Overflow {
        play: Some(PromptId::new("sorry")),
        action: OverflowAction::Transfer { to: address("voicemail") },
    };
    center.done(put_queue(lonely));
    center.done(put_agent(agent("ann", &["sales"])));
    center.done(log_in("ann"));
    center
}

fn with(mut center: Center, commands: Vec<Command>) -> Center {
    for command in commands {
        center.done(command);
    }
    center.advance(10);
    center
}

fn transfer() -> Command {
    Command::TransferCall { call: CallId(1), to: address("elsewhere"), by: by(Role::Supervisor) }
}

fn rows() -> Vec<Row> {
    let waiting = || with(open(), vec![enqueue(1, "sales")]);
    let reserved = || with(open(), vec![set_ready("ann"), enqueue(1, "sales")]);
    let talking = || with(reserved(), vec![answer(1, 1)]);
    let hold = |leg| Command::HoldLeg { leg, held: true };
    let arriving = || with(open(), vec![enqueue(1, "lonely")]);
    let alone = || with(talking(), vec![transfer(), hang_up(agent_leg(1, 1))]);
    vec![
        ("not there", with(open(), vec![])),
        ("Arriving", arriving()),
        ("Waiting", waiting()),
        ("Reserved", reserved()),
        ("Talking", talking()),
        ("Held by the agent", with(talking(), vec![hold(agent_leg(1, 1))])),
        ("Held by both", with(talking(), vec![hold(agent_leg(1, 1)), hold(caller_leg(1))])),
        ("Transferring from the queue", with(waiting(), vec![transfer()])),
        ("Transferring from a talk", with(talking(), vec![transfer()])),
        ("Transferring, agent gone", alone()),
        (
            "Transferring by a rule",
            with(arriving(), vec![Command::FinishPrompt { leg: caller_leg(1) }]),
        ),
        ("Ended", with(waiting(), vec![hang_up(caller_leg(1))])),
    ]
}

fn columns() -> Vec<(&'static str, Input)> {
    let (caller, agent) = (caller_leg(1), agent_leg(1, 1));
    let supervisor = || by(Role::Supervisor);
    let end = |leg, why| Input::Give(Command::EndLeg { leg, why });
    let fail = |why| Input::Give(Command::FailReservation { leg: agent, why });
    let hold = |leg, held| Input::Give(Command::HoldLeg { leg, held });
    let settle = |refused| Input::Give(Command::SettleTransfer { leg: caller, refused });
    let prioritize = Command::PrioritizeCall { call: CallId(1), priority: 5, by: supervisor() };
    let force = Command::ForceLogOut { agent: agent_id("ann"), by: supervisor() };
    vec![
        ("EnqueueCall, the same name", Input::Give(enqueue(1, "sales"))),
        ("agent becomes Ready", Input::Give(set_ready("ann"))),
        ("agent becomes NotReady", Input::Give(set_not_ready("ann", "Break"))),
        ("agent forced out", Input::Give(force)),
        ("AnswerReservation", Input::Give(answer(1, 1))),
        ("AnswerReservation, other leg", Input::Give(answer(1, 9))),
        ("FailReservation Declined", fail(RingFailure::Declined)),
        ("FailReservation Unreachable", fail(RingFailure::Unreachable)),
        ("UpdateLeg, caller", Input::Give(Command::UpdateLeg { leg: caller, dialog: dialog() })),
        ("UpdateLeg, agent", Input::Give(Command::UpdateLeg { leg: agent, dialog: dialog() })),
        ("HoldLeg, caller", hold(caller, true)),
        ("HoldLeg, agent", hold(agent, true)),
        ("HoldLeg, caller is back", hold(caller, false)),
        ("HoldLeg, agent is back", hold(agent, false)),
        ("EndLeg, caller HungUp", end(caller, LegEnd::HungUp)),
        ("EndLeg, caller Lost", end(caller, LegEnd::Lost)),
        ("EndLeg, agent HungUp", end(agent, LegEnd::HungUp)),
        ("EndLeg, agent Lost", end(agent, LegEnd::Lost)),
        ("FinishPrompt", Input::Give(Command::FinishPrompt { leg: caller })),
        ("SettleTransfer", settle(None)),
        ("SettleTransfer, refused 486", settle(Some(486))),
        ("TransferCall", Input::Give(transfer())),
        ("HangUpCall", Input::Give(Command::HangUpCall { call: CallId(1), by: supervisor() })),
        ("PrioritizeCall", Input::Give(prioritize)),
        ("LoseNode", Input::Give(Command::LoseNode { owner: owner(1, 1) })),
        ("LoseNode, another", Input::Give(Command::LoseNode { owner: owner(2, 1) })),
        ("StartNode, its next life", Input::Give(Command::StartNode { owner: owner(1, 2) })),
        ("15 seconds", Input::Wait(15)),
        ("6 minutes", Input::Wait(360)),
    ]
}

fn picture(center: &Center) -> String {
    let view = View::new(&center.state);
    let Some(call) = view.call(CallId(1)) else {
        return "none".to_owned();
    };
    let place = call.place.map(|place| format!(" at {place}")).unwrap_or_default();
    let ann = view.agent(&agent_id("ann")).unwrap();
    let reason = ann.reason.map(|reason| format!("({reason})")).unwrap_or_default();
    format!("{:?}{place}, ann {:?}{reason}", call.state, ann.state)
}

#[test]
fn every_state_of_a_call_meets_every_input() {
    let title = "A call in every state against every input (tests/matrix/call.rs)";
    compare("call.txt", &render(title, &rows(), &columns(), picture));
}
