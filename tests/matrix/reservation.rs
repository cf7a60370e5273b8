//! The reservation machine's table, `reservation.txt`: one phone and several, each policy,
//! against everything that can end them.

use carillon::acd::command::*;
use carillon::acd::config::*;
use carillon::acd::view::View;
use carillon::base::id::*;
use carillon::base::time::Millis;

use crate::center::*;
use crate::table::*;

/// Ann and bob serve `sales`, ann idle longer, and cy is not ready. One caller is reserved.
fn reserved(strategy: Strategy, action: RingAction) -> Center {
    let mut center = Center::new();
    let mut sales = queue("sales");
    let policy = RingPolicy { action, delay: Millis::from_secs(10) };
    sales.strategy = strategy;
    (sales.on_ring_out, sales.on_declined, sales.on_busy) = (policy, policy, policy);
    center.done(put_queue(sales));
    for name in ["ann", "bob"] {
        center.done(put_agent(agent(name, &["sales"])));
        center.done(log_in(name));
        center.done(set_ready(name));
        center.advance(1);
    }
    center.done(put_agent(agent("cy", &["sales"])));
    center.done(log_in("cy"));
    center.done(enqueue(1, "sales"));
    center.advance(3);
    center
}

fn rows() -> Vec<Row> {
    let mut ended = reserved(Strategy::MostIdle, RingAction::NotReady);
    ended.done(hang_up(caller_leg(1)));
    let mut joined = reserved(Strategy::RingAll, RingAction::NotReady);
    joined.done(set_ready("cy"));
    let mut alone = reserved(Strategy::MostIdle, RingAction::NotReady);
    alone.done(Command::ForceLogOut { agent: agent_id("bob"), by: by(Role::Supervisor) });
    vec![
        ("MostIdle, NotReady after", reserved(Strategy::MostIdle, RingAction::NotReady)),
        ("MostIdle, StayReady after", reserved(Strategy::MostIdle, RingAction::StayReady)),
        ("MostIdle, LogOut after", reserved(Strategy::MostIdle, RingAction::LogOut)),
        ("MostIdle, nobody else there", alone),
        ("RingAll, NotReady after", reserved(Strategy::RingAll, RingAction::NotReady)),
        ("RingAll, StayReady after", reserved(Strategy::RingAll, RingAction::StayReady)),
        ("RingAll, cy rung late", joined),
        ("over", ended),
    ]
}

fn columns() -> Vec<(&'static str, Input)> {
    let ann = agent_leg(1, 1);
    let fail = |why| Input::Give(Command::FailReservation { leg: ann, why });
    let supervisor = || by(Role::Supervisor);
    let transfer =
        Command::TransferCall { call: CallId(1), to: address("elsewhere"), by: supervisor() };
    let force = Command::ForceLogOut { agent: agent_id("ann"), by: supervisor() };
    let unreachable = DeviceState::Unreachable;
    let device = Command::ReportDevice { agent: agent_id("ann"), state: unreachable };
    vec![
        ("ann answers", Input::Give(answer(1, 1))),
        ("bob answers", Input::Give(answer(1, 2))),
        ("cy answers", Input::Give(answer(1, 3))),
        ("Declined", fail(RingFailure::Declined)),
        ("Busy", fail(RingFailure::Busy)),
        ("NoAnswer", fail(RingFailure::NoAnswer)),
        ("Unreachable", fail(RingFailure::Unreachable)),
        ("WrongAddress", fail(RingFailure::WrongAddress)),
        ("NoCodec", fail(RingFailure::NoCodec)),
        ("ann's leg ends", Input::Give(hang_up(ann))),
        ("the caller hangs up", Input::Give(hang_up(caller_leg(1)))),
        ("HangUpCall", Input::Give(Command::HangUpCall { call: CallId(1), by: supervisor() })),
        ("TransferCall", Input::Give(transfer)),
        ("cy SetReady", Input::Give(set_ready("cy"))),
        ("ann SetReady", Input::Give(set_ready("ann"))),
        ("ann SetNotReady", Input::Give(set_not_ready("ann", "Break"))),
        ("ann forced out", Input::Give(force)),
        ("ann's device Unreachable", Input::Give(device)),
        ("LoseNode", Input::Give(Command::LoseNode { owner: owner(1, 1) })),
        ("rung out", Input::Wait(13)),
        ("rung out, the late one too", Input::Wait(16)),
        ("a minute", Input::Wait(60)),
    ]
}

fn picture(center: &Center) -> String {
    let view = View::new(&center.state);
    let call = view.call(CallId(1)).unwrap();
    let agents = view.agents().into_iter().map(|agent| {
        let reason = agent.reason.map(|reason| format!("({reason})")).unwrap_or_default();
        format!("{} {:?}{reason}", agent.id, agent.state)
    });
    format!("{:?}, {}", call.state, agents.collect::<Vec<_>>().join(", "))
}

#[test]
fn every_reservation_meets_every_end() {
    let title = "A reservation against everything that can end it (tests/matrix/reservation.rs)";
    compare("reservation.txt", &render(title, &rows(), &columns(), picture));
}
