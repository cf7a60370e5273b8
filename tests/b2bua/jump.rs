//! Orders that were lost because a snapshot jumped over them: legs and core agree again.
//!
//! Not here: how a shard is told of a jump (`tests/cluster/snapshot.rs`).

use std::collections::BTreeSet;

use carillon::acd::command::Command;
use carillon::acd::command::LegEnd;
use carillon::acd::command::Outcome;
use carillon::acd::config::AnswerMode;
use carillon::acd::view::View;
use carillon::base::id::LegId;
use carillon::base::time::Millis;
use carillon::sip::method::Method;

use crate::world::OWNER;
use crate::world::World;

/// The legs the core knows.
fn known(world: &World) -> BTreeSet<LegId> {
    View::new(&world.core).legs_of(OWNER).into_iter().map(|leg| leg.leg).collect()
}

fn jump(world: &mut World, standing: &BTreeSet<LegId>) {
    let known = known(world);
    world.with_ua(|ua, now| ua.handle_jump(now, standing, &known));
}

fn lost(world: &World) -> Vec<LegId> {
    let lost = |command: &Command| match command {
        Command::EndLeg { leg, why: LegEnd::Lost } => Some(*leg),
        _ => None,
    };
    world.commands.iter().filter_map(lost).collect()
}

#[test]
fn who_was_to_be_released_is() {
    let mut world = World::new(80, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    world.deaf = true;
    assert_eq!(world.hang_up(), Outcome::Done);
    world.deaf = false;
    world.run_secs(5);
    assert_eq!(world.ua.legs(), 2, "nobody told them");
    let standing = known(&world);
    jump(&mut world, &standing);
    world.run_secs(1);
    for phone in [ann, caller] {
        assert_eq!(world.phones[phone].requests(&Method::Bye).len(), 1);
    }
    assert_eq!(lost(&world), []);
    world.assert_clean();
}

#[test]
fn a_phone_that_was_to_be_rung_is_reported_lost() {
    let mut world = World::new(81, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.deaf = true;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    world.deaf = false;
    let standing = known(&world);
    assert_eq!((standing.len(), world.ua.legs()), (2, 1), "the caller's and the agent's");
    jump(&mut world, &BTreeSet::new());
    world.run_secs(1);
    assert_eq!(lost(&world), [], "its order may be still to come");
    jump(&mut world, &standing);
    world.run(Millis(2));
    assert_eq!(lost(&world), [LegId { nth: 1, ..world.leg(caller) }]);
    assert_eq!(world.ua.legs(), 1, "the caller is still here");
    // The call goes on: an agent who takes it gets it.
    world.agent("bob");
    world.run_secs(5);
    let answer = world.phones[caller].heard.last().expect("an answer");
    assert_eq!(answer.status(), Some(200));
    assert_eq!(world.phones[ann].requests(&Method::Invite).len(), 0);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_call_the_core_may_not_have_heard_of_is_spared() {
    let mut world = World::new(82, AnswerMode::OnEntry);
    world.commit_after = Millis(500);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run(Millis(20));
    assert_eq!(world.ua.legs(), 1);
    jump(&mut world, &BTreeSet::new());
    world.run_secs(2);
    let answer = world.phones[caller].heard.last().expect("an answer");
    assert_eq!(answer.status(), Some(200));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn who_agrees_already_is_left_alone() {
    let mut world = World::new(83, AnswerMode::OnEntry);
    let (_ann, caller) = (world.agent("ann"), world.caller());
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    let (asked, media) = (world.commands.len(), world.media.len());
    let standing = known(&world);
    jump(&mut world, &standing);
    world.run_secs(1);
    assert_eq!((world.commands.len(), world.media.len()), (asked, media));
    assert_eq!(world.ua.legs(), 2);
    world.with(caller, |phone, now| phone.bye(now));
    jump(&mut world, &standing);
    world.assert_clean();
}
