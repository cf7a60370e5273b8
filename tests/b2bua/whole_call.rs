//! A whole call: from the caller's INVITE through music, ringing and talking to either BYE.

use std::collections::BTreeMap;

use carillon::acd::command::Command;
use carillon::acd::config::AnswerMode;
use carillon::base::time::Millis;
use carillon::media::order::Order;
use carillon::sip::header::name::Name;
use carillon::sip::method::Method;

use crate::phone::Answer;
use crate::world::World;

/// The names of the media orders, without their details.
fn orders(world: &World) -> Vec<&'static str> {
    let name = |order: &Order| match order {
        Order::Open { .. } => "open",
        Order::Update { .. } => "update",
        Order::Play { .. } => "play",
        Order::StopPlaying { .. } => "stop",
        Order::Join { .. } => "join",
        Order::Part { .. } => "part",
        Order::SendDigit { .. } => "digit",
        Order::Watch { .. } => "watch",
        Order::Close { .. } => "close",
    };
    world.media.iter().map(name).collect()
}

#[test]
fn a_caller_hears_music_then_talks_and_hangs_up() {
    let mut world = World::new(1, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.phones[ann].answer = Answer::After(Millis::from_secs(3));
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 200]);
    assert_eq!(orders(&world), ["open", "play"]);
    world.run_secs(5);
    assert_eq!(orders(&world), ["open", "play", "open", "join"]);
    let invite = world.phones[ann].requests(&Method::Invite)[0].clone();
    let from = invite.from().expect("From");
    assert_eq!(from.display.as_deref(), Some("Sales/Alice"));
    assert_eq!(from.uri.user.as_deref(), Some("p1"));
    assert!(invite.header(Name::PAssertedIdentity).is_some());
    assert_eq!(invite.extension("X-ACD-Queue").as_deref(), Some("sales"));
    assert_eq!(world.phones[ann].requests(&Method::Ack).len(), 1);
    world.with(caller, |phone, now| phone.bye(now));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Bye), [200]);
    assert_eq!(world.phones[ann].requests(&Method::Bye).len(), 1);
    world.assert_clean();
    let updates = world.proposed(|command| matches!(command, Command::UpdateLeg { .. }));
    assert_eq!(
        (world.commands.len(), updates),
        (5, 2),
        "arrived, acknowledged, rings, answered, ended"
    );
}

#[test]
fn the_agent_hangs_up() {
    let mut world = World::new(2, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    world.with(ann, |phone, now| phone.bye(now));
    world.run_secs(1);
    let bye = world.phones[caller].requests(&Method::Bye)[0].clone();
    assert!(bye.header(Name::Reason).is_some_and(|reason| reason.contains("cause=16")));
    world.assert_clean();
}

#[test]
fn a_person_ends_the_call() {
    let mut world = World::new(3, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    world.hang_up();
    world.run_secs(1);
    for phone in [ann, caller] {
        assert_eq!(world.phones[phone].requests(&Method::Bye).len(), 1);
    }
    world.assert_clean();
}

#[test]
fn on_agent_the_caller_is_answered_when_the_agent_is() {
    let mut world = World::new(4, AnswerMode::OnAgent);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.phones[ann].answer = Answer::After(Millis::from_secs(2));
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 180]);
    assert!(world.media.is_empty());
    world.run_secs(3);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 180, 200]);
    assert!(orders(&world).contains(&"join"));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_waiting_caller_is_told_so_every_minute() {
    let mut world = World::new(5, AnswerMode::OnAgent);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(170);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 180, 180, 180, 180]);
    world.with(caller, |phone, now| phone.cancel(now));
    world.assert_clean();
}

#[test]
fn a_call_may_last() {
    let mut world = World::new(6, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(4 * 3600);
    assert_eq!(world.ua.legs(), 2);
    assert!(world.phones[ann].requests(&Method::Update).len() >= 7);
    assert_eq!(world.proposed(|c| matches!(c, Command::EndLeg { .. })), 0);
    world.with(ann, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn every_request_has_a_branch_of_its_own() {
    let mut world = World::new(7, AnswerMode::OnEntry);
    let (ann, bob, caller) = (world.agent("ann"), world.agent("bob"), world.caller());
    world.phones[ann].answer = Answer::Ring;
    world.phones[bob].answer = Answer::Ring;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    let ann_rings = !world.phones[ann].requests(&Method::Invite).is_empty();
    let other = if ann_rings { bob } else { ann };
    world.phones[other].answer = Answer::After(Millis::from_secs(1));
    world.run_secs(2 * 3600);
    world.with(caller, |phone, now| phone.bye(now));
    world.run_secs(1);
    let mut branches = BTreeMap::new();
    for request in world.phones.iter().flat_map(|phone| &phone.heard).filter(|it| it.is_request()) {
        let via = request.top_via().expect("a Via");
        assert!(via.has_cookie(), "{via}");
        let before = branches.insert(via.branch().map(str::to_owned), request.method());
        // RFC 3261 §9.1: a CANCEL has the branch of its INVITE.
        let shared = (request.method() == Method::Cancel).then_some(Method::Invite);
        assert_eq!(before, shared, "{via}");
    }
    let seen = |method| branches.values().filter(|it| **it == method).count();
    let seen = [Method::Invite, Method::Cancel, Method::Ack, Method::Update, Method::Bye].map(seen);
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    world.assert_clean();
}
