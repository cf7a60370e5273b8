//! The caller gives up: CANCEL in every state, and the ways it can cross an answer.

use carillon::acd::command::Command;
use carillon::acd::config::AnswerMode;
use carillon::base::time::Millis;
use carillon::sip::header::name::Name;
use carillon::sip::method::Method;

use crate::phone::Answer;
use crate::world::World;

fn ends(world: &World) -> usize {
    world.proposed(|command| matches!(command, Command::EndLeg { .. }))
}

#[test]
fn before_the_core_has_heard_of_the_call() {
    let mut world = World::new(10, AnswerMode::OnEntry);
    world.commit_after = Millis(2000);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run(Millis(100));
    world.with(caller, |phone, now| phone.cancel(now));
    world.run(Millis(100));
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 487]);
    assert_eq!(ends(&world), 0, "the end waits until the beginning is known");
    world.run_secs(10);
    assert_eq!(ends(&world), 1);
    world.assert_clean();
}

#[test]
fn at_every_millisecond_of_the_beginning() {
    for at in 0..60 {
        for answer in [AnswerMode::OnEntry, AnswerMode::EarlyMedia, AnswerMode::OnAgent] {
            let mut world = World::new(11, answer);
            let (ann, caller) = (world.agent("ann"), world.caller());
            world.phones[ann].answer = Answer::After(Millis(10));
            world.with(caller, |phone, now| phone.call(now, "sales"));
            world.run(Millis(at));
            world.with(caller, |phone, now| phone.cancel(now));
            world.run_secs(2);
            let statuses = world.phones[caller].statuses(&Method::Invite);
            if statuses.contains(&200) {
                world.with(caller, |phone, now| phone.bye(now));
            } else {
                assert_eq!(statuses.last(), Some(&487), "at {at} ms, {answer:?}");
            }
            world.assert_clean();
        }
    }
}

#[test]
fn while_the_agents_phone_rings() {
    let mut world = World::new(12, AnswerMode::OnAgent);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.phones[ann].answer = Answer::Ring;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(2);
    world.with(caller, |phone, now| phone.cancel(now));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 180, 487]);
    let cancel = world.phones[ann].requests(&Method::Cancel)[0].clone();
    assert!(cancel.header(Name::Reason).is_some_and(|reason| reason.contains("487")));
    assert_eq!(world.phones[ann].requests(&Method::Bye).len(), 0, "its dialog is early");
    world.assert_clean();
}

#[test]
fn while_the_agent_picks_up() {
    for after in 0..40 {
        let mut world = World::new(13, AnswerMode::OnAgent);
        let (ann, caller) = (world.agent("ann"), world.caller());
        world.phones[ann].answer = Answer::After(Millis(1000));
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run(Millis(1000 + after));
        world.with(caller, |phone, now| phone.cancel(now));
        world.run_secs(2);
        if world.phones[caller].statuses(&Method::Invite).contains(&200) {
            world.with(caller, |phone, now| phone.bye(now));
        }
        world.assert_clean();
    }
}

#[test]
fn by_bye_in_the_early_dialog() {
    let mut world = World::new(14, AnswerMode::OnAgent);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    world.with(caller, |phone, now| phone.bye(now));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Bye), [200]);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 180, 487]);
    world.assert_clean();
}

#[test]
fn a_phone_that_says_nothing_is_cancelled_only_when_it_does() {
    let mut world = World::new(15, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.phones[ann].answer = Answer::Silent;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run(Millis(50));
    // The phone's own 100 counts as a provisional response, so its CANCEL is not held back.
    world.with(caller, |phone, now| phone.bye(now));
    world.run_secs(1);
    assert_eq!(world.phones[ann].requests(&Method::Cancel).len(), 1);
    world.assert_clean();
}

fn invite_that_expires(world: &mut World, seconds: &str) -> usize {
    let caller = world.caller();
    world.with(caller, |phone, now| {
        let body = phone.sdp.clone().into_bytes();
        let invite = phone.compose("sales").raw("Expires", seconds);
        phone.send_invite(now, invite.body("application/sdp", body).build());
    });
    caller
}

#[test]
fn an_invite_expires_unless_it_is_answered_in_time() {
    let mut world = World::new(17, AnswerMode::OnAgent);
    let ann = world.agent("ann");
    world.phones[ann].answer = Answer::Ring;
    let caller = invite_that_expires(&mut world, "10");
    world.run_secs(9);
    assert_eq!(world.phones[caller].statuses(&Method::Invite).last(), Some(&180));
    world.run_secs(2);
    assert_eq!(world.phones[caller].statuses(&Method::Invite).last(), Some(&487));
    assert_eq!(world.phones[ann].requests(&Method::Cancel).len(), 1, "the agent's phone stops");
    world.assert_clean();

    let mut world = World::new(18, AnswerMode::OnEntry);
    let caller = invite_that_expires(&mut world, "10");
    world.run_secs(30);
    assert_eq!(ends(&world), 0, "answered in time");
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}
