//! An agent's phone that does not simply answer: it declines, is busy, rings out, is away, asks
//! who we are, forks, or answers too late.

use carillon::acd::command::CallStateName;
use carillon::acd::command::Command;
use carillon::acd::command::RingFailure;
use carillon::acd::config::AnswerMode;
use carillon::acd::config::Credentials;
use carillon::acd::config::Network;
use carillon::acd::config::Strategy;
use carillon::acd::config::TrunkConfig;
use carillon::acd::view::View;
use carillon::b2bua::counter::Counter;
use carillon::b2bua::counter::Rejected;
use carillon::base::id::TrunkId;
use carillon::base::secret::Private;
use carillon::base::time::Millis;
use carillon::media::order::Order;
use carillon::sip::header::name::Name;
use carillon::sip::method::Method;

use crate::edited::edited;
use crate::phone::Answer;
use crate::world::World;
use crate::world::queue;
use crate::world::trunk;

fn failures(world: &World) -> Vec<RingFailure> {
    let why = |command: &Command| match command {
        Command::FailReservation { why, .. } => Some(*why),
        _ => None,
    };
    world.commands.iter().filter_map(why).collect()
}

fn ring_one(seed: u64, answer: Answer) -> (World, usize, usize) {
    let mut world = World::new(seed, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.phones[ann].answer = answer;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    (world, ann, caller)
}

#[test]
fn every_status_is_told_by_its_meaning() {
    let cases = [
        (486, RingFailure::Busy),
        (600, RingFailure::Busy),
        (480, RingFailure::NoAnswer),
        (408, RingFailure::NoAnswer),
        (487, RingFailure::NoAnswer),
        (603, RingFailure::Declined),
        (403, RingFailure::Declined),
        (302, RingFailure::Declined),
        (404, RingFailure::WrongAddress),
        (410, RingFailure::WrongAddress),
        (484, RingFailure::WrongAddress),
        (488, RingFailure::NoCodec),
        (415, RingFailure::NoCodec),
        (606, RingFailure::NoCodec),
        (500, RingFailure::Unreachable),
        (503, RingFailure::Unreachable),
    ];
    for (status, why) in cases {
        let (mut world, ann, caller) = ring_one(20, Answer::Refuse(status, Millis(100)));
        world.run_secs(2);
        assert_eq!(failures(&world), [why], "{status}");
        assert_eq!(world.phones[ann].requests(&Method::Invite).len(), 1);
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}

#[test]
fn a_phone_that_rings_out_is_cancelled_and_the_next_one_rings() {
    let mut world = World::new(21, AnswerMode::OnEntry);
    let (ann, bob, caller) = (world.agent("ann"), world.agent("bob"), world.caller());
    world.phones[ann].answer = Answer::Ring;
    world.phones[bob].answer = Answer::Ring;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(20);
    let cancelled = |nth: usize| world.phones[nth].requests(&Method::Cancel).len();
    assert_eq!(cancelled(ann) + cancelled(bob), 1);
    let rung = |nth: usize| world.phones[nth].requests(&Method::Invite).len();
    assert_eq!((rung(ann), rung(bob)), (1, 1));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn no_phone_rings_for_ever() {
    let (mut world, ann, caller) = ring_one(20, Answer::Ring);
    world.run_secs(1);
    // The core's order to stop is lost.
    world.deaf = true;
    world.run_secs(340);
    assert!(world.phones[ann].requests(&Method::Cancel).is_empty());
    world.run_secs(30);
    assert_eq!(world.phones[ann].requests(&Method::Cancel).len(), 1);
    assert_eq!(failures(&world), [RingFailure::NoAnswer]);
    world.deaf = false;
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_phone_that_is_gone_is_unreachable() {
    let mut world = World::new(22, AnswerMode::OnEntry);
    world.log_in("ann", "sip:ann@127.0.0.1:9999", None);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5); // Long before the phone could have rung out.
    assert_eq!(failures(&world), [RingFailure::Unreachable]);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn an_address_that_is_none_is_wrong() {
    let mut world = World::new(23, AnswerMode::OnEntry);
    world.log_in("ann", "mailto:ann@example.org", None);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    assert_eq!(failures(&world), [RingFailure::WrongAddress]);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn all_ring_and_the_losers_log_no_missed_call() {
    let mut world = World::new(24, AnswerMode::OnEntry);
    let mut all = queue("sales", AnswerMode::OnEntry);
    all.strategy = Strategy::RingAll;
    world.put_queue(all);
    let agents = [world.agent("ann"), world.agent("bob"), world.agent("eve")];
    for nth in [agents[0], agents[2]] {
        world.phones[nth].answer = Answer::Ring;
    }
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(3);
    for nth in [agents[0], agents[2]] {
        let cancel = world.phones[nth].requests(&Method::Cancel)[0].clone();
        let reason = cancel.header(Name::Reason).expect("a Reason").into_owned();
        assert_eq!(reason, "SIP;cause=200;text=\"Call completed elsewhere\"");
    }
    assert_eq!(world.phones[agents[1]].requests(&Method::Ack).len(), 1);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn who_is_ready_later_rings_along_and_may_have_the_call() {
    for late_answers in [true, false] {
        let mut world = World::new(27, AnswerMode::OnEntry);
        let mut all = queue("sales", AnswerMode::OnEntry);
        all.strategy = Strategy::RingAll;
        world.put_queue(all);
        let ann = world.agent("ann");
        let answers = Answer::After(Millis(6000));
        world.phones[ann].answer = if late_answers { Answer::Ring } else { answers };
        let caller = world.caller();
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run_secs(3);
        let bob = world.agent("bob");
        world.phones[bob].answer =
            if late_answers { Answer::After(Millis(1000)) } else { Answer::Ring };
        world.run_secs(1);
        assert_eq!(world.phones[bob].requests(&Method::Invite).len(), 1);
        assert_eq!(world.phones[ann].requests(&Method::Cancel).len(), 0, "ann rings on");
        assert_eq!(world.ua.legs(), 3);
        world.run_secs(5);
        let (winner, other) = if late_answers { (bob, ann) } else { (ann, bob) };
        assert_eq!(world.phones[winner].requests(&Method::Ack).len(), 1);
        let cancel = world.phones[other].requests(&Method::Cancel)[0].clone();
        assert!(cancel.header(Name::Reason).is_some_and(|why| why.contains("cause=200")));
        assert_eq!(world.ua.legs(), 2);
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}

#[test]
fn two_who_pick_up_at_once_are_one_call() {
    for apart in 0..30 {
        let mut world = World::new(25, AnswerMode::OnEntry);
        let mut all = queue("sales", AnswerMode::OnEntry);
        all.strategy = Strategy::RingAll;
        world.put_queue(all);
        let (ann, bob) = (world.agent("ann"), world.agent("bob"));
        world.phones[bob].answer = Answer::After(Millis(1000 + apart));
        let caller = world.caller();
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run_secs(3);
        assert_eq!(world.ua.legs(), 2, "{apart} ms apart");
        let hung_up = |nth: usize| world.phones[nth].requests(&Method::Bye).len();
        let cancelled = |nth: usize| world.phones[nth].requests(&Method::Cancel).len();
        assert_eq!(hung_up(ann), 0);
        assert!(hung_up(bob) + cancelled(bob) > 0);
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}

fn with_password() -> TrunkConfig {
    let password = Private::new("secret".to_owned());
    let login = Credentials { username: "acd".to_owned(), password };
    TrunkConfig { outbound_auth: Some(login), ..trunk() }
}

#[test]
fn a_trunk_that_asks_is_answered_once() {
    for known in [true, false] {
        let mut world = World::new(26, AnswerMode::OnEntry);
        let mut pbx = if known { with_password() } else { trunk() };
        pbx.peers = vec!["sip:127.0.0.1:6000".to_owned()];
        world.set_trunks(vec![pbx]);
        let ann = world.caller();
        world.log_in("ann", "sip:ann@pbx.example", Some(TrunkId::new("pbx")));
        world.phones[ann].answer = Answer::Challenge(Box::new(Answer::After(Millis(100))));
        let caller = world.caller();
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run_secs(3);
        let invites = world.phones[ann].requests(&Method::Invite);
        assert_eq!(invites.len(), if known { 2 } else { 1 });
        assert_eq!(invites[0].request_uri_text(), "sip:ann@pbx.example");
        if known {
            let proof = invites[1].header(Name::Authorization).expect("credentials");
            assert!(proof.contains("username=\"acd\""), "{proof}");
            assert_eq!(invites[1].cseq().expect("CSeq").number, 2);
            // RFC 3261 §22.1: the ACK repeats the credentials of its INVITE.
            let ack = world.phones[ann].requests(&Method::Ack)[0];
            assert_eq!(ack.header(Name::Authorization), Some(proof));
            assert_eq!(world.ua.legs(), 2);
        } else {
            assert_eq!(failures(&world), [RingFailure::Unreachable]);
        }
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}

#[test]
fn a_phone_behind_no_trunk_is_shown_the_password_of_the_trunk_at_its_address_alone() {
    for (source, taken) in [("127.0.0.0", true), ("192.0.2.0", false)] {
        let mut world = World::new(33, AnswerMode::OnEntry);
        let sources = vec![Network { address: source.parse().expect("an address"), prefix: 8 }];
        let stranger = TrunkConfig { allowed_sources: sources, ..with_password() };
        // The caller comes in by the second, which has no password to show.
        world.set_trunks(vec![stranger, trunk()]);
        let (ann, caller) = (world.agent("ann"), world.caller());
        world.phones[ann].answer = Answer::Challenge(Box::new(Answer::After(Millis(100))));
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run_secs(3);
        let proofs = world.phones[ann].requests(&Method::Invite);
        let shown = proofs.iter().filter(|invite| invite.has(Name::Authorization)).count();
        assert_eq!(shown == 1, taken, "{source}");
        assert_eq!(failures(&world).is_empty(), taken, "{source}");
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}

#[test]
fn a_phone_that_wants_longer_intervals_is_asked_again() {
    let (mut world, ann, caller) = ring_one(34, Answer::TooBrief(3600));
    world.run_secs(3);
    let invites = world.phones[ann].requests(&Method::Invite);
    let asked = |nth: usize| invites[nth].header(Name::SessionExpires).expect("asked").into_owned();
    assert_eq!((invites.len(), asked(0), asked(1)), (2, "1800".to_owned(), "3600".to_owned()));
    assert_eq!(invites[1].header(Name::MinSe).as_deref(), Some("3600"));
    assert_eq!(invites[1].cseq().expect("CSeq").number, 2);
    assert_eq!((failures(&world), world.ua.legs()), (vec![], 2));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_full_shard_rings_nobody() {
    let mut world = World::new(35, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    world.ua.set_legs_max(1);
    let ann = world.agent("ann");
    world.run_secs(1);
    assert_eq!(failures(&world), [RingFailure::Unreachable]);
    assert!(world.counters.contains(&Counter::Rejected(Rejected::TooMany)));
    assert_eq!(world.phones[ann].requests(&Method::Invite).len(), 0);
    assert_eq!(world.ua.legs(), 1, "the caller goes on waiting");
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn media_is_told_where_the_phone_is_heard_whatever_its_sdp_says() {
    let mut world = World::new(36, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    let inside = "10.0.0.7:4000".parse().expect("an address");
    world.phones[ann].sdp = crate::phone::sdp(inside, "sendrecv", "0 8 101");
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(3);
    let opened = world.media.iter().find_map(|order| match order {
        Order::Open { stream, agreed, signalled_by, .. } if stream.nth == 1 => {
            Some((agreed.remote.ip(), *signalled_by))
        }
        _ => None,
    });
    assert_eq!(opened, Some((inside.ip(), Some(world.phones[ann].at.ip()))));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn the_next_peer_is_tried_when_one_is_in_trouble() {
    let mut world = World::new(27, AnswerMode::OnEntry);
    let (first, second) = (world.caller(), world.caller());
    let peers = vec!["sip:pbx.test".to_owned(), "sip:127.0.0.1:6002".to_owned()];
    world.set_trunks(vec![TrunkConfig { peers, ..trunk() }]);
    world.log_in("ann", "sip:ann@pbx.example", Some(TrunkId::new("pbx")));
    world.phones[first].answer = Answer::Refuse(503, Millis(100));
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(3);
    assert_eq!(world.phones[first].requests(&Method::Invite).len(), 1);
    assert_eq!(world.phones[second].requests(&Method::Invite).len(), 1);
    assert_eq!(failures(&world), []);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn every_address_of_a_name_is_tried() {
    let mut world = World::new(27, AnswerMode::OnEntry);
    let (first, last) = (world.caller(), world.caller());
    // It is at three addresses: who is in trouble, nobody, and who answers.
    world.set_trunks(vec![TrunkConfig { peers: vec!["sip:pbxes.test".to_owned()], ..trunk() }]);
    world.log_in("ann", "sip:ann@pbx.example", Some(TrunkId::new("pbx")));
    world.phones[first].answer = Answer::Refuse(503, Millis(100));
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(8);
    assert_eq!(world.phones[first].requests(&Method::Invite).len(), 1);
    assert!(world.mail.iter().any(|(to, _)| to.port() == 6001), "the second one was asked");
    assert_eq!(world.phones[last].requests(&Method::Invite).len(), 1);
    assert_eq!(failures(&world), []);
    assert_eq!(world.ua.legs(), 2, "they talk");
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn an_outbound_proxy_is_a_route() {
    let mut world = World::new(28, AnswerMode::OnEntry);
    let proxy = world.caller();
    let outbound_proxy = Some("sip:127.0.0.1:6000".to_owned());
    world.set_trunks(vec![TrunkConfig { outbound_proxy, ..trunk() }]);
    world.log_in("ann", "sip:ann@pbx.example", Some(TrunkId::new("pbx")));
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(3);
    let invite = world.phones[proxy].requests(&Method::Invite)[0].clone();
    assert_eq!(invite.header(Name::Route).as_deref(), Some("<sip:127.0.0.1:6000;lr>"));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn sdp_in_a_reliable_response_counts() {
    let (mut world, ann, caller) = ring_one(29, Answer::Reliable(Millis(1000)));
    world.run_secs(3);
    let prack = world.phones[ann].requests(&Method::Prack)[0].clone();
    assert_eq!(prack.header(Name::RAck).as_deref(), Some("7 1 INVITE"));
    assert_eq!(world.ua.legs(), 2);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_phone_without_a_common_codec_is_hung_up() {
    let (mut world, ann, caller) = ring_one(30, Answer::After(Millis(100)));
    world.phones[ann].sdp = crate::phone::sdp(world.phones[ann].at, "sendrecv", "9 18");
    world.run_secs(2);
    assert_eq!(failures(&world), [RingFailure::NoCodec]);
    assert_eq!(world.phones[ann].requests(&Method::Bye).len(), 1);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_second_phone_behind_a_fork_is_hung_up() {
    let (mut world, ann, caller) = ring_one(31, Answer::After(Millis(100)));
    world.run_secs(2);
    let invite = world.phones[ann].requests(&Method::Invite)[0].clone();
    let other = world.caller();
    let at = world.phones[other].at;
    let line = |name: Name| invite.header(name).expect("present").into_owned();
    let sdp = world.phones[other].sdp.clone();
    let answer = format!(
        "SIP/2.0 200 OK\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=other\r\nCall-ID: {}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:other@{at}>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{sdp}",
        line(Name::Via),
        line(Name::From),
        line(Name::To),
        line(Name::CallId),
        sdp.len(),
    );
    world.inject(&answer, at);
    world.run_secs(1);
    let heard: Vec<_> = world.phones[other].heard.iter().map(|m| m.method()).collect();
    assert_eq!(heard, [Method::Ack, Method::Bye]);
    assert!(world.counters.contains(&Counter::ForkHungUp));
    assert_eq!(world.ua.legs(), 2, "the call goes on");
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn an_agent_who_picks_up_for_nobody_is_hung_up() {
    let (mut world, ann, caller) = ring_one(32, Answer::After(Millis(1000)));
    world.run(Millis(900));
    world.commit_after = Millis(500);
    world.run(Millis(150));
    world.with(caller, |phone, now| phone.bye(now));
    world.run_secs(3);
    assert_eq!(world.phones[ann].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}

#[test]
fn a_call_that_goes_in_a_circle_runs_out_of_hops() {
    for (given, shown) in [(Some(7), 6), (Some(1), 0), (Some(255), 69), (None, 69)] {
        let mut world = World::new(34, AnswerMode::OnEntry);
        let (ann, caller) = (world.agent("ann"), world.caller());
        world.with(caller, |phone, now| {
            let body = phone.sdp.clone().into_bytes();
            let invite = phone.compose("sales").body("application/sdp", body).build();
            let line = given.map(|hops| format!("Max-Forwards: {hops}\r\n")).unwrap_or_default();
            phone.send_invite(now, edited(&invite, "Max-Forwards: 70\r\n", &line));
        });
        world.run_secs(3);
        let rung = world.phones[ann].requests(&Method::Invite)[0].clone();
        assert_eq!(rung.max_forwards().ok().flatten(), Some(shown), "{given:?}");
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}

#[test]
fn a_phone_that_answers_with_something_unreadable_is_talked_to() {
    for odd in ["Record-Route: <sip:127.0.0.1;lr>,", "Contact: <sip:p0@127.0.0.1:6000>;"] {
        let mut world = World::new(70, AnswerMode::OnEntry);
        let (ann, caller) = (world.agent("ann"), world.caller());
        odd.clone_into(&mut world.phones[ann].extra);
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run_secs(5);
        assert_eq!(world.phones[ann].requests(&Method::Ack).len(), 1, "{odd}");
        assert_eq!(View::new(&world.core).calls()[0].state, CallStateName::Talking, "{odd}");
        world.with(caller, |phone, now| phone.bye(now));
        world.run_secs(1);
        assert_eq!(world.phones[ann].requests(&Method::Bye).len(), 1, "{odd}");
        world.assert_clean();
    }
}
