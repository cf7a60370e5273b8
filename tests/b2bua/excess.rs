//! Callers beyond a limit, and calls that are half open: 503 and nothing kept, and a count that is
//! right whichever way a call goes on.
//!
//! Not here: when somebody is beyond a limit (`tests/node/sources.rs`).

use carillon::acd::config::AnswerMode;
use carillon::b2bua::Output;
use carillon::b2bua::counter::Counter;
use carillon::b2bua::counter::Rejected;
use carillon::base::time::Millis;
use carillon::sip::flow::Flow;
use carillon::sip::flow::Transport;
use carillon::sip::header::name::Name;
use carillon::sip::message::Message;
use carillon::sip::method::Method;

use crate::phone::Answer;
use crate::world::UA;
use crate::world::World;
use crate::world::address;

/// Hands a message over as one too many; what is answered.
fn too_many(world: &mut World, phone: usize, message: &Message) -> Vec<Message> {
    let (local, peer) = (address(UA), world.phones[phone].at);
    let flow = Flow { transport: Transport::Udp, local, peer };
    world.ua.handle_excess(world.now, message.clone(), flow, Rejected::TooOften);
    let mut answers = Vec::new();
    while let Some(output) = world.ua.poll_output() {
        match output {
            Output::Transmit { bytes, .. } => answers.push(Message::parse(bytes).expect("ours")),
            Output::Count(counter) => world.counters.push(counter),
            Output::TurnedAway(caller) => world.turned_away.push(*caller),
            other => panic!("{other:?}"),
        }
    }
    answers
}

#[test]
fn one_too_many_is_answered_and_forgotten() {
    let mut world = World::new(71, AnswerMode::OnEntry);
    let caller = world.caller();
    let via = "SIP/2.0/UDP 127.0.0.1:6000;rport;branch=z9hG4bKexcess";
    let invite = world.phones[caller].compose("sales").raw("Via", via).build();
    for _ in 0..3 {
        let answers = too_many(&mut world, caller, &invite);
        assert_eq!(answers.iter().filter_map(Message::status).collect::<Vec<_>>(), [503]);
        assert_eq!(answers[0].header(Name::RetryAfter).as_deref(), Some("5"));
    }
    assert_eq!((world.ua.transactions(), world.ua.legs()), (0, 0));
    assert_eq!(world.ua.next_deadline(), None);
    let rejected = Counter::Rejected(Rejected::TooOften);
    assert_eq!(world.counters.iter().filter(|counter| **counter == rejected).count(), 3);
    assert_eq!(world.turned_away.len(), 3);
}

#[test]
fn a_repeat_of_a_call_that_has_begun_is_no_call_too_many() {
    let mut world = World::new(72, AnswerMode::OnAgent);
    let caller = world.caller();
    let via = "SIP/2.0/UDP 127.0.0.1:6000;rport;branch=z9hG4bKrepeat";
    let invite = world.phones[caller].compose("sales").raw("Via", via).build();
    let (text, at) = (String::from_utf8_lossy(invite.as_bytes()), world.phones[caller].at);
    world.inject(&text, at);
    world.run_secs(1);
    let answers = too_many(&mut world, caller, &invite);
    assert_eq!(answers.iter().filter_map(Message::status).collect::<Vec<_>>(), [180]);
    assert_eq!(world.half_open.len(), 1);
    let _gone = world.hang_up();
    world.assert_clean();
}

/// A caller in a queue of this kind whose agent answers after a second; how many calls are half
/// open before the answer, and after its ACK.
fn half_open(answer: AnswerMode, forgets_ack: bool) -> [usize; 3] {
    let mut world = World::new(73, answer);
    let (agent, caller) = (world.agent("ann"), world.caller());
    world.phones[agent].answer = Answer::After(Millis(1000));
    world.phones[caller].forgets_ack = forgets_ack;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run(Millis(500));
    let source = world.phones[caller].at.ip();
    assert!(world.half_open.values().all(|from| *from == source));
    let before = world.half_open.len();
    world.run_secs(2);
    let after = world.half_open.len();
    world.run_secs(40);
    [before, after, world.half_open.len()]
}

#[test]
fn a_call_is_half_open_until_its_answer_is_acknowledged() {
    assert_eq!(half_open(AnswerMode::OnAgent, false), [1, 0, 0]);
    assert_eq!(half_open(AnswerMode::EarlyMedia, false), [1, 0, 0]);
    assert_eq!(half_open(AnswerMode::OnEntry, false), [0, 0, 0]);
    assert_eq!(half_open(AnswerMode::OnEntry, true), [1, 1, 0], "for 64 T1");
    assert_eq!(half_open(AnswerMode::OnAgent, true), [1, 1, 0]);
}

#[test]
fn a_call_that_is_taken_back_or_refused_is_not_half_open() {
    let mut world = World::new(74, AnswerMode::OnAgent);
    let (leaves, lost) = (world.caller(), world.caller());
    world.with(leaves, |phone, now| phone.call(now, "sales"));
    world.with(lost, |phone, now| phone.call(now, "nobody"));
    world.run(Millis(100));
    assert_eq!(world.half_open.len(), 1, "the other is refused already");
    world.with(leaves, |phone, now| phone.cancel(now));
    world.run_secs(1);
    assert_eq!(world.phones[lost].statuses(&Method::Invite).last(), Some(&404));
    world.assert_clean();
}

#[test]
fn a_reinvite_makes_no_call_half_open() {
    let mut world = World::new(75, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    world.phones[caller].forgets_ack = true;
    let body = world.phones[caller].sdp.clone();
    world.with(caller, |phone, now| {
        phone.send(now, Method::Invite, Some(("application/sdp", body)));
    });
    world.run_secs(1);
    assert_eq!(world.half_open.len(), 0);
}
