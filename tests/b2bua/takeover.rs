//! What outlives a process: the picture of a leg, from which another one goes on, or hangs up.
//!
//! Not here: which node goes on with which call (`tests/acd`), real processes (`tests/e2e`).

use carillon::acd::command::CallStateName;
use carillon::acd::command::Command;
use carillon::acd::command::Dialog;
use carillon::acd::command::LegEnd;
use carillon::acd::config::AnswerMode;
use carillon::acd::effect::Cause;
use carillon::acd::effect::Effect;
use carillon::acd::view::View;
use carillon::b2bua::Output;
use carillon::b2bua::Ua;
use carillon::b2bua::codec;
use carillon::base::id::LegId;
use carillon::base::time::Millis;
use carillon::media::order::Order;
use carillon::sip::flow::Flow;
use carillon::sip::flow::Transport;
use carillon::sip::header::name::Name;
use carillon::sip::method::Method;

use crate::phone::Answer;
use crate::world::UA;
use crate::world::World;
use crate::world::address;

#[test]
fn another_process_hangs_up_on_both() {
    let mut world = World::new(90, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    let legs = View::new(&world.core).legs_of(world.owner);
    let kept: Vec<(LegId, Dialog)> =
        legs.into_iter().filter_map(|leg| Some((leg.leg, leg.dialog?))).collect();
    assert_eq!(kept.len(), 2);
    world.ua = Ua::new(World::identity(), [9; 32]);
    for (leg, dialog) in kept {
        let cause = Cause::NodeLost;
        let orphan = Effect::ReleaseOrphan { leg, dialog, cause };
        world.with_ua(|ua, now| ua.handle_order(now, orphan));
    }
    world.run_secs(1);
    for phone in [ann, caller] {
        let bye = world.phones[phone].requests(&Method::Bye)[0].clone();
        assert!(bye.header(Name::Reason).is_some_and(|reason| reason.contains("cause=41")));
    }
    world.run_secs(40);
    assert_eq!(world.ua.legs(), 0);
    assert_eq!(world.ua.transactions(), 0);
}

#[test]
fn a_retransmission_at_another_node_is_the_same_request() {
    let mut world = World::new(93, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run(Millis(1));
    let sent = world.phones[caller].invite.clone().expect("sent");
    let via = format!("SIP/2.0/UDP {};branch={}", world.phones[caller].at, sent.0.branch());
    let invite = sent.1.with_top(Name::Via, via);
    let propose = |seed: u8| {
        let mut ua = Ua::new(World::identity(), [seed; 32]);
        ua.set_trunks(world.trunks.clone().into());
        let peer = world.phones[caller].at;
        let (transport, local) = (Transport::Udp, address(UA));
        ua.handle_message(world.now, invite.clone(), Flow { transport, local, peer });
        let proposed = |output| match output {
            Output::Propose { request, command: Command::EnqueueCall(arrival) } => {
                Some((request, arrival.call))
            }
            _ => None,
        };
        std::iter::from_fn(|| ua.poll_output()).find_map(proposed).expect("a proposal")
    };
    assert_eq!(propose(1), propose(2));
}

#[test]
fn a_picture_is_read_back_whole_or_not_at_all() {
    let mut world = World::new(91, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    let Some(Command::EnqueueCall(arrival)) = world.commands.first().cloned() else {
        panic!("no call");
    };
    let confirmed = View::new(&world.core).legs_of(world.owner)[0].dialog.clone().expect("kept");
    assert!(confirmed.0.len() < 1200, "{} bytes", confirmed.0.len());
    assert_ne!(confirmed, arrival.dialog, "the INVITE is kept until its ACK");
    for picture in [confirmed, arrival.dialog] {
        let bytes = picture.0.to_vec();
        let read = codec::decode(&picture).expect("a picture");
        assert!(read.leg().is_some_and(|leg| leg.agreed.is_some()));
        for end in 0..bytes.len() {
            assert_eq!(codec::decode(&Dialog::from(bytes[..end].to_vec())), None, "{end} bytes");
        }
        let mut newer = bytes;
        newer[0] += 1;
        assert_eq!(codec::decode(&Dialog::from(newer)), None);
    }
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn effects_for_legs_nobody_has_end_them() {
    let mut world = World::new(92, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run(Millis(6));
    world.ua = Ua::new(World::identity(), [9; 32]);
    world.set_trunks(world.trunks.clone());
    world.run_secs(1);
    assert_eq!(world.proposed(|command| matches!(command, Command::EndLeg { .. })), 1);
    world.run_secs(60);
    assert_eq!(View::new(&world.core).calls().len(), 0);
}

/// The one call there is.
fn state(world: &World) -> CallStateName {
    View::new(&world.core).calls()[0].state
}

fn opened(world: &World) -> usize {
    world.media.iter().filter(|order| matches!(order, Order::Open { .. })).count()
}

fn joined(world: &World) -> usize {
    world.media.iter().filter(|order| matches!(order, Order::Join { .. })).count()
}

/// The INVITEs a phone got within its dialog.
fn reinvites(world: &World, phone: usize) -> Vec<carillon::sip::message::Message> {
    let inside = |m: &&&carillon::sip::message::Message| m.to().is_ok_and(|to| to.tag().is_some());
    let invites = world.phones[phone].requests(&Method::Invite);
    invites.iter().filter(inside).map(|m| (*m).clone()).collect()
}

#[test]
fn a_caller_who_waits_waits_on_in_the_next_life() {
    let mut world = World::new(94, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    world.crash();
    world.run_secs(1);
    assert_eq!(state(&world), CallStateName::Waiting);
    let invites = reinvites(&world, caller);
    assert_eq!(invites.len(), 1);
    let words = String::from_utf8(invites[0].body().to_vec()).expect("text");
    assert!(words.contains(" 2 IN IP4 ") && words.contains("m=audio 2000"), "{words}");
    let hears = |order: &&Order| matches!(order, Order::Play { .. });
    assert_eq!((opened(&world), world.media.iter().filter(hears).count()), (1, 1));

    let agent = world.agent("ann");
    world.run_secs(3);
    assert_eq!((state(&world), joined(&world)), (CallStateName::Talking, 1));
    world.with(caller, |phone, now| phone.bye(now));
    world.run_secs(1);
    assert_eq!(world.phones[agent].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}

#[test]
fn two_who_talk_talk_on_in_the_next_life() {
    let mut world = World::new(95, AnswerMode::OnEntry);
    let (agent, caller) = (world.agent("ann"), world.caller());
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    let numbers = |world: &World, phone: usize| {
        let requests = world.phones[phone].heard.iter().filter(|m| m.is_request());
        requests.filter_map(|m| Some(m.cseq().ok()?.number)).max()
    };
    let before = numbers(&world, agent);
    for life in 1..=3 {
        world.crash();
        world.run_secs(1);
        assert_eq!((state(&world), joined(&world)), (CallStateName::Talking, 1));
        for phone in [agent, caller] {
            assert_eq!(reinvites(&world, phone).len(), life, "phone {phone}");
            assert!(world.phones[phone].requests(&Method::Bye).is_empty());
        }
    }
    assert!(numbers(&world, agent) > before, "CSeq grows over lives");
    world.with(agent, |phone, now| phone.bye(now));
    world.run_secs(1);
    assert_eq!(world.phones[caller].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}

#[test]
fn a_phone_that_rings_is_stopped_and_rung_anew() {
    let mut world = World::new(96, AnswerMode::OnEntry);
    let (agent, caller) = (world.agent("ann"), world.caller());
    world.phones[agent].answer = Answer::After(Millis::from_secs(6));
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(3);
    assert_eq!(state(&world), CallStateName::Reserved);
    world.crash();
    world.run_secs(1);
    assert_eq!(state(&world), CallStateName::Reserved);
    let invites = world.phones[agent].requests(&Method::Invite);
    let ids: Vec<_> = invites.iter().filter_map(|invite| invite.call_id().ok()).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
    let cancel = world.phones[agent].requests(&Method::Cancel);
    assert!(cancel.len() == 1 && cancel[0].call_id().ok() == Some(ids[0]));
    world.run_secs(6);
    assert_eq!((state(&world), joined(&world)), (CallStateName::Talking, 1));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_caller_without_an_answer_gets_it_from_the_next_life() {
    for answer in [AnswerMode::OnAgent, AnswerMode::EarlyMedia] {
        let mut world = World::new(97, answer);
        let (agent, caller) = (world.agent("ann"), world.caller());
        world.phones[agent].answer = Answer::After(Millis::from_secs(4));
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run_secs(2);
        world.crash();
        world.run_secs(8);
        assert_eq!((state(&world), joined(&world)), (CallStateName::Talking, 1));
        let statuses = world.phones[caller].statuses(&Method::Invite);
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}

#[test]
fn an_answer_under_way_is_given_again() {
    let mut world = World::new(98, AnswerMode::OnEntry);
    let caller = world.caller();
    world.phones[caller].forgets_ack = true;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    world.crash();
    world.phones[caller].forgets_ack = false;
    world.run_secs(5);
    assert_eq!(state(&world), CallStateName::Waiting);
    assert_eq!(reinvites(&world, caller).len(), 1, "the audio moves after the ACK");
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn who_knows_of_no_such_call_or_says_nothing_is_lost_with_the_node() {
    for refusal in [Some(481), None] {
        let mut world = World::new(99, AnswerMode::OnEntry);
        let caller = world.caller();
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run_secs(5);
        match refusal {
            Some(status) => world.phones[caller].refuses = Some((Method::Invite, status)),
            None => world.phones[caller].at = address("127.0.0.1:9"),
        }
        world.crash();
        world.run_secs(60);
        let lost = |command: &Command| {
            matches!(command, Command::EndLeg { why: LegEnd::LostWithNode, .. })
        };
        assert_eq!(world.proposed(lost), 1, "{refusal:?}");
        assert_eq!(View::new(&world.core).calls().len(), 0);
        world.assert_clean();
    }
}

#[test]
fn who_refuses_to_move_stays_on_the_line() {
    for status in [488, 491, 500] {
        let mut world = World::new(100, AnswerMode::OnEntry);
        let caller = world.caller();
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run_secs(5);
        world.phones[caller].refuses = Some((Method::Invite, status));
        world.crash();
        world.run_secs(1);
        world.phones[caller].refuses = None;
        world.run_secs(10);
        assert_eq!(state(&world), CallStateName::Waiting, "{status}");
        let asked = reinvites(&world, caller).len();
        assert_eq!(asked > 1, status != 488, "{asked} after {status}");
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}
