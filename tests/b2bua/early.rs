//! Audio before the answer: 183, PRACK, late offers, and prompts of rules.

use carillon::acd::config::AnswerMode;
use carillon::acd::config::Overflow;
use carillon::acd::config::OverflowAction;
use carillon::base::id::PromptId;
use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::media::order::Order;
use carillon::media::order::Report;
use carillon::sdp::Session;
use carillon::sip::header::name::Name;
use carillon::sip::method::Method;

use crate::phone::Answer;
use crate::phone::Phone;
use crate::world::World;
use crate::world::queue;

fn call_with(
    headers: &'static [(&'static str, &'static str)],
    offer: bool,
) -> impl FnOnce(&mut Phone, LocalTime) {
    move |phone, now| {
        let mut invite = phone.compose("sales");
        for (name, value) in headers {
            invite = invite.raw(name, value);
        }
        if offer {
            invite = invite.body("application/sdp", phone.sdp.clone().into_bytes());
        }
        phone.send_invite(now, invite.build());
    }
}

fn opened(world: &World) -> usize {
    world.media.iter().filter(|order| matches!(order, Order::Open { .. })).count()
}

#[test]
fn music_before_the_answer() {
    let mut world = World::new(50, AnswerMode::EarlyMedia);
    let caller = world.caller();
    world.with(caller, call_with(&[], true));
    world.run_secs(60);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 183, 183]);
    assert_eq!(opened(&world), 1);
    let _ann = world.agent("ann");
    world.run_secs(5);
    let answers: Vec<_> =
        world.phones[caller].heard.iter().filter(|m| !m.body().is_empty()).collect();
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 183, 183, 200]);
    assert!(answers.iter().all(|answer| answer.body() == answers[0].body()), "one answer");
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn reliably_where_the_caller_can() {
    for headers in [&[("Supported", "100rel")], &[("Require", "100rel")]] {
        let mut world = World::new(51, AnswerMode::EarlyMedia);
        let caller = world.caller();
        world.with(caller, call_with(headers, true));
        world.run_secs(2);
        let progress = world.phones[caller].heard[1].clone();
        assert_eq!(progress.header(Name::Require).as_deref(), Some("100rel"));
        assert_eq!(world.phones[caller].statuses(&Method::Prack), [200]);
        let _ann = world.agent("ann");
        world.run_secs(3);
        assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 183, 200]);
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}

#[test]
fn every_18x_where_the_caller_insists() {
    let mut world = World::new(57, AnswerMode::OnAgent);
    let caller = world.caller();
    world.with(caller, call_with(&[("Require", "100rel")], true));
    world.run_secs(60);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 180, 180]);
    assert_eq!(world.phones[caller].statuses(&Method::Prack), [200, 200]);
    let _ann = world.agent("ann");
    world.run_secs(3);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 180, 180, 200]);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_second_offer_before_the_first_is_answered_is_told_to_come_later() {
    let mut world = World::new(59, AnswerMode::OnAgent);
    let caller = world.caller();
    world.with(caller, call_with(&[], true));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 180]);
    world.with(caller, |phone, now| {
        let body = phone.sdp.clone();
        phone.send(now, Method::Update, Some(("application/sdp", body)));
    });
    world.run_secs(1);
    let answer = world.phones[caller].heard.last().expect("an answer").clone();
    assert_eq!((answer.method(), answer.status()), (Method::Update, Some(500)));
    // RFC 3311 §5.2: between 0 and 10 seconds.
    let pause = answer.retry_after().expect("readable").expect("Retry-After");
    assert!(pause <= 10, "{pause:?}");
    let _ann = world.agent("ann");
    world.run_secs(3);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 180, 200]);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn an_offer_among_other_parts() {
    let mut world = World::new(58, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| {
        let sdp = &phone.sdp;
        let body = format!(
            "--cut\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
             --cut\r\nContent-Type: application/sdp\r\n\r\n{sdp}\r\n--cut--\r\n"
        );
        let kind = "multipart/mixed;boundary=\"cut\"";
        let invite = phone.compose("sales").body(kind, body.into_bytes());
        phone.send_invite(now, invite.build());
    });
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 200]);
    assert_eq!(opened(&world), 1);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn without_a_prack_the_call_is_given_up() {
    let mut world = World::new(52, AnswerMode::EarlyMedia);
    let caller = world.caller();
    world.phones[caller].forgets_prack = true;
    world.with(caller, call_with(&[("Supported", "100rel")], true));
    world.run_secs(40);
    let statuses = world.phones[caller].statuses(&Method::Invite);
    assert_eq!(statuses.last(), Some(&504), "{statuses:?}");
    assert!(statuses.iter().filter(|status| **status == 183).count() > 4, "{statuses:?}");
    world.assert_clean();
}

#[test]
fn a_late_offer_is_made_in_the_200() {
    let mut world = World::new(53, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, call_with(&[], false));
    world.run_secs(1);
    let answer = world.phones[caller].heard.last().expect("200").clone();
    assert!(Session::parse(answer.body()).is_ok(), "our offer");
    assert_eq!(opened(&world), 1);
    let _ann = world.agent("ann");
    world.run_secs(5);
    assert!(world.media.iter().any(|order| matches!(order, Order::Join { .. })));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_late_offer_is_made_early_where_it_can_be_reliable() {
    let mut world = World::new(54, AnswerMode::EarlyMedia);
    let caller = world.caller();
    world.with(caller, call_with(&[("Supported", "100rel")], false));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 183]);
    assert_eq!(opened(&world), 1, "the answer came in the PRACK");
    let _ann = world.agent("ann");
    world.run_secs(5);
    let last = world.phones[caller].heard.iter().rfind(|m| m.status() == Some(200));
    assert!(last.is_some_and(|answer| answer.body().is_empty()), "all is said");
    assert_eq!(world.ua.legs(), 2);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_late_offer_that_cannot_be_early_rings() {
    let mut world = World::new(55, AnswerMode::EarlyMedia);
    let caller = world.caller();
    world.with(caller, call_with(&[], false));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 180]);
    let _ann = world.agent("ann");
    world.run_secs(5);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 180, 200]);
    assert!(world.media.iter().any(|order| matches!(order, Order::Join { .. })));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_rule_speaks_before_it_turns_away() {
    let mut world = World::new(56, AnswerMode::OnEntry);
    let mut closed = queue("sales", AnswerMode::OnEntry);
    closed.open = false;
    closed.caller.music = Some(PromptId::new("music"));
    let action = OverflowAction::Reject { status: 480 };
    closed.overflow.closed = Overflow { play: Some(PromptId::new("closed")), action };
    world.put_queue(closed);
    let caller = world.caller();
    world.with(caller, call_with(&[], true));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 183]);
    let playing = world.media.iter().find_map(|order| match order {
        Order::Play { stream, token, .. } => Some((*stream, *token)),
        _ => None,
    });
    let (stream, token) = playing.expect("the prompt is played");
    world.with_ua(|ua, now| ua.handle_report(now, Report::Finished { stream, token }));
    let is_music = |order: &Order| match order {
        Order::Play { program, .. } => program.music == Some(PromptId::new("music")),
        _ => false,
    };
    assert!(world.media.iter().any(is_music), "there is music until the rule's action is settled");
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Invite), [100, 183, 480]);
    world.assert_clean();
}

#[test]
fn a_second_invite_before_the_first_is_answered_is_500() {
    let mut world = World::new(39, AnswerMode::EarlyMedia);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.phones[ann].answer = Answer::After(Millis(5000));
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    world.with(caller, |phone, now| {
        let body = phone.sdp.clone();
        phone.send(now, Method::Invite, Some(("application/sdp", body)));
    });
    world.run_secs(1);
    let answer = world.phones[caller].heard.last().expect("an answer").clone();
    assert_eq!(answer.status(), Some(500));
    let wait: u32 =
        answer.header(Name::RetryAfter).expect("Retry-After").parse().expect("a number");
    assert!(wait <= 10);
    // The first one is answered and acknowledged as if nothing had been.
    world.run_secs(60);
    assert_eq!(world.phones[caller].statuses(&Method::Invite).last(), Some(&200));
    assert_eq!(world.ua.legs(), 2, "they talk");
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}
