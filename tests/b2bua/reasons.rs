//! The Reason a caller's PBX hears with a final status, and what is written down of it.

use carillon::acd::command::Refusal;
use carillon::acd::config::AnswerMode;
use carillon::acd::config::Overflow;
use carillon::acd::config::OverflowAction;
use carillon::acd::config::OverflowRule;
use carillon::b2bua::counter::Rejected;
use carillon::b2bua::counter::TurnedAway;
use carillon::b2bua::counter::Why;
use carillon::sip::header::name::Name;

use crate::phone::sdp;
use crate::world::World;
use crate::world::queue;

/// Calls an address with this audio: status, Reason, and what was written down.
fn call(world: &mut World, user: &str, formats: &str) -> (u16, String, TurnedAway) {
    let caller = world.caller();
    world.with(caller, |phone, now| {
        phone.sdp = sdp(phone.at, "sendrecv", formats);
        phone.call(now, user);
    });
    world.run_secs(1);
    let answer = world.phones[caller].heard.last().expect("an answer");
    let status = answer.status().expect("a response");
    let reason = answer.header(Name::Reason).expect("a Reason").into_owned();
    assert_eq!(world.turned_away.len(), 1, "{:?}", world.turned_away);
    let told = world.turned_away.remove(0);
    assert_eq!(told.status, status);
    assert_eq!(told.source, world.phones[caller].at.ip());
    assert_eq!(told.call_id, answer.call_id().expect("a Call-ID"));
    (status, reason, told)
}

#[test]
fn a_queue_says_why_it_takes_nobody() {
    let statuses = [
        (404, 1),
        (486, 17),
        (600, 17),
        (480, 20),
        (403, 21),
        (603, 21),
        (410, 22),
        (484, 28),
        (500, 41),
        (503, 42),
        (488, 65),
        (504, 102),
        (499, 31),
    ];
    for (status, cause) in statuses {
        let mut world = World::new(90, AnswerMode::OnEntry);
        let mut shut = queue("shut", AnswerMode::OnEntry);
        shut.open = false;
        let action = OverflowAction::Reject { status };
        shut.overflow.closed = Overflow { play: None, action };
        world.put_queue(shut);
        let (answered, reason, told) = call(&mut world, "shut", "0");
        assert_eq!(answered, status);
        assert!(reason.starts_with(&format!("Q.850;cause={cause};text=")), "{status}: {reason}");
        let rule = OverflowRule::Closed;
        let by_rule = |why: &Why| match why {
            Why::Refused(Refusal::TurnedAway { rule: by, .. }) => *by == rule,
            Why::Refused(_) | Why::Rejected(_) => false,
        };
        assert!(by_rule(&told.why), "{told:?}");
        assert_eq!(told.trunk.as_ref().map(|trunk| trunk.as_str()), Some("pbx"));
        world.assert_clean();
    }
}

#[test]
fn the_node_says_why_it_takes_nobody() {
    let mut world = World::new(91, AnswerMode::OnEntry);
    let (status, reason, told) = call(&mut world, "nobody", "0");
    assert_eq!((status, reason.contains("cause=1;")), (404, true), "{reason}");
    assert!(matches!(told.why, Why::Refused(Refusal::UnknownAddress(_))), "{told:?}");

    let (status, reason, told) = call(&mut world, "sales", "9 18");
    assert_eq!((status, reason.contains("cause=65;")), (488, true), "{reason}");
    assert_eq!(told.why, Why::Rejected(Rejected::Media));

    world.ua.set_draining(true);
    let (status, reason, told) = call(&mut world, "sales", "0");
    assert_eq!((status, reason.contains("cause=42;")), (503, true), "{reason}");
    assert_eq!(told.why, Why::Rejected(Rejected::Draining));
    world.ua.set_draining(false);

    world.minority = true;
    let (status, reason, told) = call(&mut world, "sales", "0");
    assert_eq!((status, reason.contains("cause=42;")), (503, true), "{reason}");
    assert_eq!(told.why, Why::Rejected(Rejected::Unavailable));
    world.minority = false;

    world.set_trunks(Vec::new());
    let (status, reason, told) = call(&mut world, "sales", "0");
    assert_eq!((status, reason.contains("cause=21;")), (403, true), "{reason}");
    assert_eq!((told.why, told.trunk), (Why::Rejected(Rejected::Source), None));
    world.assert_clean();
}

#[test]
fn who_is_taken_is_not_written_down() {
    let mut world = World::new(92, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
    assert_eq!(world.turned_away, []);
}
