//! What outlives a process: the picture of a leg, from which another one hangs up.

use carillon::acd::command::Command;
use carillon::acd::command::Dialog;
use carillon::acd::config::AnswerMode;
use carillon::acd::effect::Cause;
use carillon::acd::effect::Effect;
use carillon::b2bua::Output;
use carillon::b2bua::Ua;
use carillon::b2bua::codec;
use carillon::base::id::LegId;
use carillon::sip::flow::Flow;
use carillon::sip::flow::Transport;
use carillon::sip::header::name::Name;
use carillon::sip::method::Method;

use crate::world::UA;
use crate::world::World;
use crate::world::address;

#[test]
fn another_process_hangs_up_on_both() {
    let mut world = World::new(90, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    let kept: Vec<(LegId, Dialog)> = world
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::EnqueueCall(arrival) => {
                Some((LegId::of_caller(arrival.call), arrival.dialog.clone()))
            }
            Command::AnswerReservation { leg, dialog } => Some((*leg, dialog.clone())),
            _ => None,
        })
        .collect();
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
    world.run(carillon::base::time::Millis(1));
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
    let bytes = arrival.dialog.0.to_vec();
    assert!(bytes.len() < 1200, "{} bytes", bytes.len());
    assert!(codec::decode(&Dialog::from(bytes.clone())).is_some_and(|p| p.agreed.is_some()));
    for end in 0..bytes.len() {
        assert_eq!(codec::decode(&Dialog::from(bytes[..end].to_vec())), None, "{end} bytes");
    }
    let mut newer = bytes;
    newer[0] += 1;
    assert_eq!(codec::decode(&Dialog::from(newer)), None);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn effects_for_legs_nobody_has_end_them() {
    let mut world = World::new(92, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run(carillon::base::time::Millis(6));
    world.ua = Ua::new(World::identity(), [9; 32]);
    world.set_trunks(world.trunks.clone());
    world.run_secs(1);
    assert_eq!(world.proposed(|command| matches!(command, Command::EndLeg { .. })), 1);
    world.run_secs(60);
    assert_eq!(carillon::acd::view::View::new(&world.core).calls().len(), 0);
}
