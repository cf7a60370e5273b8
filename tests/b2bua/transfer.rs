//! A caller sent elsewhere: 302 before the answer, REFER afterwards, and all that can go wrong.

use carillon::acd::command::Command;
use carillon::acd::config::Address;
use carillon::acd::config::AnswerMode;
use carillon::base::id::PromptId;
use carillon::media::order::Order;
use carillon::sip::header::name::Name;
use carillon::sip::method::Method;

use crate::world::World;

fn settled(world: &World) -> Vec<Option<u16>> {
    let refused = |command: &Command| match command {
        Command::SettleTransfer { refused, .. } => Some(*refused),
        _ => None,
    };
    world.commands.iter().filter_map(refused).collect()
}

fn referred(seed: u64, answer: (u16, Vec<u16>)) -> (World, usize) {
    let mut world = World::new(seed, AnswerMode::OnEntry);
    let caller = world.caller();
    world.phones[caller].referred = answer;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    world.transfer("bob");
    world.run_secs(1);
    (world, caller)
}

#[test]
fn before_the_answer_by_302() {
    let mut world = World::new(80, AnswerMode::OnAgent);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    world.transfer("bob");
    world.run_secs(1);
    let answer = world.phones[caller].heard.last().expect("302").clone();
    assert_eq!(answer.status(), Some(302));
    assert_eq!(answer.header(Name::Contact).as_deref(), Some("<sip:bob@other.test>"));
    assert_eq!(settled(&world), [None]);
    world.assert_clean();
}

#[test]
fn by_refer_and_it_works() {
    let (mut world, caller) = referred(81, (202, vec![100, 180, 200]));
    let refer = world.phones[caller].requests(&Method::Refer)[0].clone();
    assert_eq!(refer.header(Name::ReferTo).as_deref(), Some("<sip:bob@other.test>"));
    assert!(refer.has(Name::ReferredBy));
    assert_eq!(world.phones[caller].statuses(&Method::Notify), [200, 200, 200]);
    assert_eq!(settled(&world), [None]);
    assert_eq!(world.phones[caller].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}

#[test]
fn by_refer_and_it_is_refused() {
    for (answer, status) in [((202, vec![100, 486]), 486), ((603, vec![]), 603)] {
        let (mut world, caller) = referred(82, answer);
        assert_eq!(settled(&world), [Some(status)]);
        assert_eq!(world.phones[caller].requests(&Method::Bye).len(), 0, "waits on");
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}

#[test]
fn by_refer_and_nobody_says_how_it_went() {
    let (mut world, _caller) = referred(83, (202, vec![]));
    assert_eq!(settled(&world), []);
    world.run_secs(40);
    assert_eq!(settled(&world), [None], "taken and silent: it has gone its way");
    world.assert_clean();

    let (mut world, caller) = referred(84, (202, vec![100]));
    world.run_secs(100);
    assert_eq!(settled(&world), [], "it rings there");
    world.run_secs(100);
    assert_eq!(settled(&world), [Some(408)]);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn by_refer_and_the_caller_hangs_up_because_it_worked() {
    let (mut world, caller) = referred(85, (202, vec![100]));
    world.with(caller, |phone, now| phone.bye(now));
    world.run_secs(1);
    assert_eq!(settled(&world), [None]);
    world.assert_clean();
}

#[test]
fn a_number_is_called_at_the_trunk_the_caller_came_by() {
    let number = || Address { user: "+4922199".to_owned(), host: None };
    let target = "<sip:+4922199@127.0.0.1:5070;user=phone>";
    let mut world = World::new(86, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    world.transfer_to(number());
    world.run_secs(1);
    let refer = world.phones[caller].requests(&Method::Refer)[0].clone();
    assert_eq!(refer.header(Name::ReferTo).as_deref(), Some(target));
    assert_eq!(settled(&world), [None]);
    world.assert_clean();

    let mut world = World::new(87, AnswerMode::OnAgent);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    world.transfer_to(number());
    world.run_secs(1);
    let moved = world.phones[caller].heard.last().expect("302").clone();
    assert_eq!((moved.status(), moved.header(Name::Contact).as_deref()), (Some(302), Some(target)));
    world.assert_clean();
}

#[test]
fn whose_agent_hangs_up_meanwhile_hears_music() {
    let mut world = World::new(88, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.phones[caller].referred = (202, vec![100]);
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    let leg = world.leg(caller);
    world.transfer("bob");
    world.run_secs(1);
    let before = world.media.len();
    world.with(ann, |phone, now| phone.bye(now));
    world.run_secs(1);
    let ordered = &world.media[before..];
    let played = ordered.iter().find_map(|order| match order {
        Order::Play { stream, program, .. } if *stream == leg => Some(program.music.clone()),
        _ => None,
    });
    assert_eq!(played, Some(Some(PromptId::new("music"))), "{ordered:?}");
    assert_eq!(settled(&world), []);
    // It rings there for too long: the call ends, as there is nobody to go back to.
    world.run_secs(200);
    assert_eq!(settled(&world), [Some(408)]);
    assert_eq!(world.phones[caller].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}
