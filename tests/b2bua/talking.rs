//! While two talk: hold and resume, re-INVITE and glare, keys, refreshes, and the end of those
//! who are not there any more.

use carillon::acd::command::Command;
use carillon::acd::command::LegEnd;
use carillon::acd::config::AnswerMode;
use carillon::acd::fact::CallEnd;
use carillon::acd::fact::Fact;
use carillon::b2bua::counter::Counter;
use carillon::base::id::LegId;
use carillon::base::time::Millis;
use carillon::media::dtmf::Digit;
use carillon::media::order::Order;
use carillon::media::order::Report;
use carillon::sdp::Direction;
use carillon::sdp::Session;
use carillon::sip::header::name::Name;
use carillon::sip::message::Message;
use carillon::sip::method::Method;

use crate::phone::sdp;
use crate::world::World;

/// Two who talk: the world, the agent's phone, the caller's.
fn talking(seed: u64) -> (World, usize, usize) {
    talking_with(seed, "0 8 101", "0 8 101")
}

fn talking_with(seed: u64, agents: &str, callers: &str) -> (World, usize, usize) {
    let mut world = World::new(seed, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    for (phone, formats) in [(ann, agents), (caller, callers)] {
        world.phones[phone].sdp = sdp(world.phones[phone].at, "sendrecv", formats);
    }
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    assert_eq!(world.ua.legs(), 2);
    (world, ann, caller)
}

fn reinvite(world: &mut World, phone: usize, direction: &str) -> Message {
    let words = sdp(world.phones[phone].at, direction, "0 8 101");
    change(world, phone, Method::Invite, Some(words));
    world.phones[phone].heard.last().expect("an answer").clone()
}

fn change(world: &mut World, phone: usize, method: Method, words: Option<String>) {
    let body = words.map(|words| ("application/sdp", words));
    world.with(phone, |phone, now| {
        phone.send(now, method, body);
    });
    world.run_secs(1);
}

fn holds(world: &World) -> Vec<bool> {
    let held = |command: &Command| match command {
        Command::HoldLeg { held, .. } => Some(*held),
        _ => None,
    };
    world.commands.iter().filter_map(held).collect()
}

fn ends(world: &World) -> Vec<LegEnd> {
    let why = |command: &Command| match command {
        Command::EndLeg { why, .. } => Some(*why),
        _ => None,
    };
    world.commands.iter().filter_map(why).collect()
}

#[test]
fn hold_and_resume() {
    let (mut world, ann, caller) = talking(60);
    let before = world.phones[ann].requests(&Method::Invite)[0].clone();
    let before = Session::parse(before.body()).expect("our offer");
    let answer = reinvite(&mut world, ann, "sendonly");
    let said = Session::parse(answer.body()).expect("our answer");
    assert_eq!(said.media[0].direction, Direction::RecvOnly);
    assert_eq!((&said.id, said.version), (&before.id, before.version + 1));
    let again = reinvite(&mut world, ann, "sendonly");
    assert_eq!(again.body(), answer.body(), "nothing new, nothing new said");
    assert_eq!(holds(&world), [true]);
    let back = reinvite(&mut world, ann, "sendrecv");
    assert_eq!(Session::parse(back.body()).expect("ours").version, before.version + 2);
    assert_eq!(holds(&world), [true, false]);
    let updates = world.media.iter().filter(|order| matches!(order, Order::Update { .. }));
    assert_eq!(updates.count(), 2);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn hold_by_update() {
    let (mut world, _ann, caller) = talking(61);
    let words = sdp(world.phones[caller].at, "inactive", "0 8 101");
    change(&mut world, caller, Method::Update, Some(words));
    let answer = world.phones[caller].heard.last().expect("an answer").clone();
    assert_eq!(answer.status(), Some(200));
    let said = Session::parse(answer.body()).expect("our answer");
    assert_eq!(said.media[0].direction, Direction::Inactive);
    assert_eq!(holds(&world), [true]);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn an_empty_reinvite_gets_our_offer() {
    let (mut world, _ann, caller) = talking(62);
    world.phones[caller].invite = None;
    change(&mut world, caller, Method::Invite, None);
    let answer = world.phones[caller].heard.last().expect("an answer").clone();
    assert_eq!(answer.status(), Some(200));
    assert!(Session::parse(answer.body()).is_ok());
    // This phone's machine sends no ACK for a re-INVITE it has forgotten: the call is given up.
    world.run_secs(40);
    assert!(world.counters.contains(&Counter::AckMissing));
    assert_eq!(ends(&world)[0], LegEnd::Lost);
    world.assert_clean();
}

#[test]
fn audio_we_do_not_speak_changes_nothing() {
    let (mut world, _ann, caller) = talking(63);
    let words = sdp(world.phones[caller].at, "sendrecv", "9");
    for method in [Method::Invite, Method::Update] {
        change(&mut world, caller, method, Some(words.clone()));
        let answer = world.phones[caller].heard.last().expect("an answer");
        let why = answer.header(Name::Warning).map(|warning| warning[..4].to_owned());
        assert_eq!((answer.status(), why.as_deref()), (Some(488), Some("305 ")));
    }
    assert_eq!(world.ua.legs(), 2);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn changes_that_meet() {
    let mut world = World::new(64, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.phones[ann].allow = "INVITE, ACK, BYE, CANCEL, INFO";
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    let sent = |world: &World| {
        let ours = Counter::RequestSent(Method::Invite);
        world.counters.iter().filter(|counter| **counter == ours).count()
    };
    // Our refresh is on its way when the phone's hold sets out: both get 491 (RFC 3261 §14.2).
    while sent(&world) < 2 {
        world.run(Millis(1));
    }
    assert_eq!(reinvite(&mut world, ann, "sendonly").method(), Method::Invite);
    assert!(world.phones[ann].statuses(&Method::Invite).contains(&491));
    world.run_secs(5);
    assert_eq!(sent(&world), 3, "tried again after 2.1 to 4 seconds");
    assert_eq!(world.phones[ann].requests(&Method::Ack).len(), 2, "and taken");
    assert_eq!(world.ua.legs(), 2);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_call_ends_cleanly_after_a_partition() {
    let (mut world, ann, caller) = talking(71);
    world.minority = true;
    world.with(caller, |phone, now| phone.bye(now));
    world.run_secs(30);
    assert_eq!(world.phones[caller].statuses(&Method::Bye), [200]);
    assert_eq!(world.phones[ann].requests(&Method::Bye).len(), 0, "nothing was decided");
    assert_eq!(world.ua.legs(), 1);
    world.minority = false;
    world.run_secs(3);
    assert_eq!(world.phones[ann].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}

#[test]
fn requests_that_do_not_fit() {
    let (mut world, ann, _caller) = talking(65);
    let cases = [
        (Method::Refer, 603),
        (Method::Subscribe, 489),
        (Method::Message, 405),
        (Method::Options, 200),
        (Method::Prack, 481),
        (Method::Notify, 489),
        (Method::from("FROBNICATE"), 501),
    ];
    for (method, status) in cases {
        change(&mut world, ann, method.clone(), None);
        assert_eq!(world.phones[ann].statuses(&method), [status], "{method}");
    }
    world.with(ann, |phone, now| {
        phone.send_with(now, Method::Notify, None, &[("Event", "refer")]);
    });
    world.run_secs(1);
    assert_eq!(world.phones[ann].statuses(&Method::Notify), [489, 481], "nobody was sent on");
    world.phones[ann].dialog.as_mut().expect("a dialog").local_cseq = 0;
    change(&mut world, ann, Method::Info, None);
    assert_eq!(world.phones[ann].statuses(&Method::Info), [500], "a stale CSeq");
    let stale = world.phones[ann].heard.last().expect("500");
    assert!(!stale.has(Name::RetryAfter), "later it is as stale as now");
    world.hang_up();
    world.assert_clean();
}

#[test]
fn keys_cross_by_info_and_event() {
    let (mut world, ann, caller) = talking(66);
    let relay = "application/dtmf-relay";
    let press = |world: &mut World, phone: usize, kind: &'static str, body: &str| {
        let body = Some((kind, body.to_owned()));
        world.with(phone, |phone, now| phone.send(now, Method::Info, body));
        world.run_secs(1);
    };
    press(&mut world, caller, relay, "Signal=5\r\nDuration=200\r\n");
    let sent: Vec<_> = world
        .media
        .iter()
        .filter_map(|order| match order {
            Order::SendDigit { stream, digit, duration } => Some((stream.nth, *digit, duration.0)),
            _ => None,
        })
        .collect();
    assert_eq!(sent, [(1, Digit::from_char('5').expect("a key"), 200)]);
    press(&mut world, caller, "text/plain", "5");
    press(&mut world, caller, relay, "Signal=X\r\n");
    change(&mut world, caller, Method::Info, None);
    let statuses = world.phones[caller].statuses(&Method::Info);
    assert_eq!(statuses, [200, 415, 400, 200], "an empty INFO asks whether we are there");
    // Both take events, so what media hears it has relayed by itself.
    let stream = LegId { call: world.leg(caller).call, nth: 0 };
    let digit = Digit::from_char('#').expect("a key");
    world.with_ua(|ua, now| ua.handle_report(now, Report::Digit { stream, digit }));
    world.run_secs(1);
    assert_eq!(world.phones[ann].requests(&Method::Info).len(), 0);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn keys_reach_a_phone_without_events_by_info() {
    let (mut world, ann, caller) = talking_with(67, "0 8", "0 8 101");
    let stream = LegId { call: world.leg(caller).call, nth: 0 };
    let digit = Digit::from_char('#').expect("a key");
    world.with_ua(|ua, now| ua.handle_report(now, Report::Digit { stream, digit }));
    world.run_secs(1);
    let info = world.phones[ann].requests(&Method::Info)[0].clone();
    assert!(info.body().starts_with(b"Signal=#\r\n"));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_party_that_is_gone_is_noticed_by_the_refresh() {
    let (mut world, ann, caller) = talking(68);
    world.phones[ann].at.set_port(9);
    world.run_secs(1000);
    assert_eq!(ends(&world), [LegEnd::Lost]);
    assert_eq!(world.phones[caller].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}

#[test]
fn a_refusal_of_the_refresh_ends_nothing_unless_it_says_so() {
    let cases = [(488, false), (603, false), (500, false), (481, true), (408, true)];
    for (status, is_over) in cases {
        let (mut world, ann, caller) = talking(68);
        world.phones[ann].refuses = Some((Method::Update, status));
        world.run_secs(950);
        assert_eq!(ends(&world).is_empty(), !is_over, "{status}");
        assert_eq!(world.ua.legs(), if is_over { 0 } else { 2 }, "{status}");
        if !is_over {
            world.with(caller, |phone, now| phone.bye(now));
        }
        world.assert_clean();
    }
}

#[test]
fn a_phone_that_takes_no_update_after_all_is_refreshed_by_reinvite() {
    for status in [405, 501] {
        let (mut world, ann, caller) = talking(74);
        world.phones[ann].refuses = Some((Method::Update, status));
        world.run_secs(1000);
        assert_eq!(world.phones[ann].requests(&Method::Update).len(), 1, "{status}");
        assert_eq!(world.phones[ann].requests(&Method::Invite).len(), 2, "{status}");
        world.run_secs(3000);
        assert_eq!(world.phones[ann].requests(&Method::Update).len(), 1, "tried once");
        assert_eq!(world.phones[ann].requests(&Method::Invite).len(), 5, "every half interval");
        assert_eq!(world.ua.legs(), 2, "{status}");
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}

/// Every watch that was ordered: of whom, and for how long.
fn watches(world: &World) -> Vec<(u32, Option<Millis>)> {
    let watch = |order: &Order| match order {
        Order::Watch { stream, silence } => Some((stream.nth, *silence)),
        _ => None,
    };
    let mut watches: Vec<_> = world.media.iter().filter_map(watch).collect();
    watches.sort_unstable();
    watches
}

#[test]
fn a_talking_party_media_hears_nothing_of_is_given_up() {
    for (gone, ended) in [(0, CallEnd::CallerLost), (1, CallEnd::AgentLost)] {
        let mut world = World::new(71, AnswerMode::OnEntry);
        let (ann, caller) = (world.agent("ann"), world.caller());
        let silence = Some(Millis::from_secs(60));
        world.with_ua(|ua, _| ua.set_lost_after(silence));
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run_secs(5);
        assert_eq!(watches(&world), [(0, silence), (1, silence)], "from the join on");
        let stream = LegId { nth: gone, ..world.leg(caller) };
        world.with_ua(|ua, now| ua.handle_report(now, Report::Lost { stream }));
        world.run_secs(5);
        assert!(world.counters.contains(&Counter::MediaLost));
        assert_eq!(ends(&world), [LegEnd::Lost]);
        for phone in [ann, caller] {
            assert_eq!(world.phones[phone].requests(&Method::Bye).len(), 1, "both are told");
        }
        let why = |fact: &Fact| match fact {
            Fact::CallEnded { why, .. } => Some(why.clone()),
            _ => None,
        };
        assert_eq!(world.facts.iter().find_map(why), Some(ended));
        world.assert_clean();
    }
}

#[test]
fn who_waits_or_is_not_to_be_watched_is_not() {
    let (mut world, _ann, caller) = talking(72);
    assert_eq!(watches(&world), [], "unless it is configured");
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
    let mut world = World::new(72, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with_ua(|ua, _| ua.set_lost_after(Some(Millis::from_secs(60))));
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    assert_eq!(watches(&world), [], "music needs no answer");
    let stream = world.leg(caller);
    world.with_ua(|ua, now| ua.handle_report(now, Report::Lost { stream }));
    world.run_secs(1);
    assert_eq!(world.ua.legs(), 1, "a report that comes too late");
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn streams_of_one_peer_have_the_ports_in_turn() {
    let mut world = World::new(73, AnswerMode::OnEntry);
    for _ in 0..3 {
        let caller = world.caller();
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run_secs(1);
    }
    let port = |order: &Order| match order {
        Order::Open { port, .. } => Some(*port),
        _ => None,
    };
    let ports: Vec<u16> = world.media.iter().filter_map(port).collect();
    assert_eq!(ports, [20_000, 20_002, 20_000]);
}

#[test]
fn a_refresher_that_stops_ends_the_call() {
    let mut world = World::new(69, AnswerMode::OnEntry);
    let caller = world.caller();
    world.with(caller, |phone, now| {
        let body = phone.sdp.clone().into_bytes();
        let invite = phone.compose("sales").raw("Supported", "timer");
        let invite = invite.raw("Session-Expires", "120;refresher=uac");
        phone.send_invite(now, invite.body("application/sdp", body).build());
    });
    world.run_secs(1);
    let answer = world.phones[caller].heard.last().expect("200").clone();
    assert_eq!(answer.header(Name::SessionExpires).as_deref(), Some("120;refresher=uac"));
    assert_eq!(answer.header(Name::Require).as_deref(), Some("timer"));
    world.run_secs(60);
    let again = [("Supported", "timer"), ("Session-Expires", "120;refresher=uac")];
    world.with(caller, |phone, now| phone.send_with(now, Method::Update, None, &again));
    world.run_secs(80);
    assert_eq!(world.ua.legs(), 1, "refreshed once");
    world.run_secs(20);
    assert!(world.counters.contains(&Counter::SessionExpired));
    assert_eq!(world.phones[caller].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}

#[test]
fn without_an_ack_the_caller_is_given_up() {
    let mut world = World::new(70, AnswerMode::OnEntry);
    let caller = world.caller();
    world.phones[caller].forgets_ack = true;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(20);
    let accepted = world.phones[caller].statuses(&Method::Invite);
    assert!(accepted.iter().filter(|status| **status == 200).count() > 4, "{accepted:?}");
    assert_eq!(world.phones[caller].requests(&Method::Bye).len(), 0);
    world.run_secs(20);
    assert_eq!(ends(&world), [LegEnd::Lost]);
    assert_eq!(world.phones[caller].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}

#[test]
fn a_refresh_that_only_ever_gets_100_leaves_nothing_behind() {
    let mut world = World::new(74, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    // Without UPDATE the refresh is a re-INVITE, which no timer of the transaction ends.
    world.phones[ann].allow = "INVITE, ACK, BYE";
    world.phones[ann].stalls = true;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(2000);
    assert_eq!(world.phones[ann].requests(&Method::Invite).len(), 2, "one to ring, one to refresh");
    assert!(world.counters.contains(&Counter::SessionExpired));
    assert_eq!(world.phones[ann].requests(&Method::Bye).len(), 1);
    assert_eq!(world.phones[ann].requests(&Method::Cancel).len(), 1);
    world.assert_clean();
}

#[test]
fn a_caller_is_hung_up_after_its_ack() {
    let mut world = World::new(75, AnswerMode::OnEntry);
    let caller = world.caller();
    world.phones[caller].forgets_ack = true;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    world.hang_up();
    world.run_secs(5);
    // RFC 3261 §15: the callee must not send a BYE before the ACK, or the end of waiting for it.
    assert_eq!(world.phones[caller].requests(&Method::Bye).len(), 0);
    world.with(caller, |phone, now| phone.remember_ack(now));
    world.run_secs(1);
    assert_eq!(world.phones[caller].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}

#[test]
fn an_ack_that_lacks_the_answer_ends_the_call() {
    let mut world = World::new(76, AnswerMode::OnEntry);
    let caller = world.caller();
    world.phones[caller].forgets_ack = true;
    world.with(caller, |phone, now| {
        let invite = phone.compose("sales").build();
        phone.send_invite(now, invite);
    });
    world.run_secs(1);
    let answer = world.phones[caller].heard.last().expect("200").clone();
    assert!(Session::parse(answer.body()).is_ok(), "our offer");
    world.with(caller, |phone, now| phone.remember_ack(now));
    world.run_secs(1);
    assert_eq!(ends(&world), [LegEnd::Lost]);
    assert_eq!(world.phones[caller].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}

#[test]
fn a_header_that_a_bye_does_not_need_may_be_unreadable() {
    let mut world = World::new(131, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    let odd = [("Contact", "<sip:p1@127.0.0.1:6002>;")];
    world.with(caller, |phone, now| phone.send_with(now, Method::Bye, None, &odd));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Bye), [200]);
    assert_eq!(world.phones[ann].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}
