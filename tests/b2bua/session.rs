//! The session timer we ask for: as configured, for new dialogs, and more where a phone says so.

use carillon::acd::config::AnswerMode;
use carillon::base::time::Millis;
use carillon::sip::message::Message;
use carillon::sip::method::Method;

use crate::world::World;

fn interval(message: &Message) -> u32 {
    message.session_expires().expect("readable").expect("there").seconds
}

fn intervals(world: &World, phone: usize, method: &Method) -> Vec<u32> {
    world.phones[phone].requests(method).into_iter().map(interval).collect()
}

/// What a caller is told in the 200.
fn promised(world: &World, caller: usize) -> u32 {
    let answers = world.phones[caller].heard.iter();
    let mut accepted = answers.filter(|message| message.status() == Some(200));
    interval(accepted.next().expect("200"))
}

#[test]
fn the_interval_is_as_configured_for_dialogs_that_begin() {
    let mut world = World::new(80, AnswerMode::OnEntry);
    let (ann, first) = (world.agent("ann"), world.caller());
    world.ua.set_session_expires(Millis::from_secs(300));
    world.with(first, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    assert_eq!(promised(&world, first), 300);
    assert_eq!(intervals(&world, ann, &Method::Invite), [300]);

    world.ua.set_session_expires(Millis::from_secs(7200));
    let second = world.caller();
    world.with(second, |phone, now| phone.call(now, "sales"));
    world.run_secs(160);
    assert_eq!(promised(&world, second), 7200);
    for phone in [ann, first] {
        assert_eq!(intervals(&world, phone, &Method::Update), [300], "as it was agreed");
    }
    assert!(intervals(&world, second, &Method::Update).is_empty());
    for caller in [first, second] {
        world.with(caller, |phone, now| phone.bye(now));
    }
    world.assert_clean();
}

#[test]
fn a_phone_that_wants_longer_intervals_gets_them() {
    let mut world = World::new(81, AnswerMode::OnEntry);
    let caller = world.caller();
    world.phones[caller].refuses = Some((Method::Update, 422));
    "Min-SE: 400".clone_into(&mut world.phones[caller].extra);
    world.ua.set_session_expires(Millis::from_secs(300));
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(151);
    world.phones[caller].refuses = None;
    world.run_secs(250);
    let asked = intervals(&world, caller, &Method::Update);
    assert!(asked.len() >= 3 && asked[0] == 300, "{asked:?}");
    assert!(asked[1..].iter().all(|asked| *asked == 400), "{asked:?}");
    // RFC 4028 §7.4: every refresh after the 422 says what it has learnt from it.
    let least: Vec<Option<u32>> = world.phones[caller]
        .requests(&Method::Update)
        .into_iter()
        .map(|update| update.min_se().expect("readable"))
        .collect();
    assert_eq!((least[0], least[1], least.last()), (None, Some(400), Some(&Some(400))));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}
