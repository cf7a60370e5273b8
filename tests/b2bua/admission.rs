//! Who may call in: addresses, passwords, both or neither, and answers that are played again.

use carillon::acd::command::Command;
use carillon::acd::config::AnswerMode;
use carillon::acd::config::Credentials;
use carillon::acd::config::Network;
use carillon::acd::config::TrunkConfig;
use carillon::base::id::TrunkId;
use carillon::base::secret::Private;
use carillon::sip::digest::Subject;
use carillon::sip::digest::challenge;
use carillon::sip::digest::challenge::Challenge;
use carillon::sip::digest::client;
use carillon::sip::header::name::Name;
use carillon::sip::message::Message;
use carillon::sip::method::Method;

use crate::world::World;
use crate::world::trunk;

const SALES: &str = "sip:sales@127.0.0.1:5060";
const HERE: &str = "127.0.0.0";
const ELSEWHERE: &str = "192.0.2.0";

fn admits(name: &str, source: Option<&str>, login: Option<(&str, &str)>) -> TrunkConfig {
    let network = |text: &str| Network { address: text.parse().expect("an address"), prefix: 8 };
    let credentials = |(user, password): (&str, &str)| Credentials {
        username: user.to_owned(),
        password: Private::new(password.to_owned()),
    };
    TrunkConfig {
        id: TrunkId::new(name),
        allowed_sources: source.map(network).into_iter().collect(),
        inbound_auth: login.map(credentials),
        ..trunk()
    }
}

/// Sends an INVITE to `user`, with an Authorization if one is given; returns what came back.
fn invite(world: &mut World, user: &str, proof: Option<&str>) -> (usize, Message) {
    let caller = world.caller();
    world.with(caller, |phone, now| {
        let body = phone.sdp.clone().into_bytes();
        let invite = phone.compose(user).raw("P-Asserted-Identity", "<sip:4711@boss.test>");
        let invite = match proof {
            Some(proof) => invite.raw("Authorization", proof),
            None => invite,
        };
        phone.send_invite(now, invite.body("application/sdp", body).build());
    });
    world.run_secs(1);
    (caller, world.phones[caller].heard.last().expect("an answer").clone())
}

fn challenge_in(answer: &Message) -> Challenge {
    assert_eq!(answer.status(), Some(401));
    challenge::challenges(answer, Name::WwwAuthenticate).remove(0)
}

/// Answers for an INVITE to sales; `qop=auth` leaves the body out.
fn proof(challenge: &Challenge, login: (&str, &str)) -> String {
    let login = client::Login { username: login.0, password: login.1 };
    let subject = Subject { method: "INVITE", body: b"" };
    client::answer(challenge, login, subject, SALES, "c", 1).to_string()
}

/// Calls sales, answers the challenge if one comes; returns the final status.
fn calls(world: &mut World, login: (&str, &str)) -> Option<u16> {
    let (caller, answer) = invite(world, "sales", None);
    let (caller, answer) = if answer.status() == Some(401) {
        let proof = proof(&challenge_in(&answer), login);
        invite(world, "sales", Some(&proof))
    } else {
        (caller, answer)
    };
    if answer.status() == Some(200) {
        world.with(caller, |phone, now| phone.bye(now));
        world.run_secs(1);
    }
    answer.status()
}

/// The number the core was told the last caller has.
fn shown_number(world: &World) -> Option<String> {
    let mut arrivals = world.commands.iter().filter_map(|command| match command {
        Command::EnqueueCall(arrival) => Some(arrival.caller.number.expose().clone()),
        _ => None,
    });
    arrivals.next_back().expect("a call")
}

#[test]
fn a_trunk_takes_calls_as_its_addresses_and_its_password_say() {
    let (right, wrong) = (("gate", "open sesame"), ("gate", "wrong"));
    let login = Some(right);
    // Sources, password; what a caller from 127.0.0.1 gets with the right and the wrong password.
    let cases = [
        (None, None, 403, 403),
        (Some(HERE), None, 200, 200),
        (Some(ELSEWHERE), None, 403, 403),
        (None, login, 200, 401),
        (Some(HERE), login, 200, 401),
        (Some(ELSEWHERE), login, 403, 403),
    ];
    for (source, login, with_right, with_wrong) in cases {
        let mut world = World::new(44, AnswerMode::OnEntry);
        world.set_trunks(vec![admits("pbx", source, login)]);
        let case = format!("{source:?} {login:?}");
        assert_eq!(calls(&mut world, right), Some(with_right), "{case}");
        assert_eq!(calls(&mut world, wrong), Some(with_wrong), "{case}");
        if with_right == 200 {
            // An asserted identity is worth what vouches for it: the address.
            let asserted = Some("4711".to_owned());
            assert_eq!(shown_number(&world) == asserted, source.is_some(), "{case}");
        }
        world.assert_clean();
    }
}

#[test]
fn a_password_counts_where_its_trunk_takes_calls_from() {
    let mut world = World::new(45, AnswerMode::OnEntry);
    let (far, near) = (("gate", "far"), ("gate", "near"));
    let anywhere = ("door", "any");
    world.set_trunks(vec![
        admits("far", Some(ELSEWHERE), Some(far)),
        admits("any", None, Some(anywhere)),
        admits("near", Some(HERE), Some(near)),
    ]);
    assert_eq!(calls(&mut world, far), Some(401), "right, but not from here");
    assert_eq!(calls(&mut world, near), Some(200));
    assert_eq!(calls(&mut world, anywhere), Some(200));
    world.assert_clean();
    // One that asks for nothing more opens for its addresses, whatever the others ask.
    world.set_trunks(vec![admits("near", Some(HERE), Some(near)), trunk()]);
    assert_eq!(calls(&mut world, ("", "")), Some(200));
    world.assert_clean();
}

#[test]
fn an_overheard_answer_opens_nothing() {
    let mut world = World::new(46, AnswerMode::OnEntry);
    let login = ("gate", "open sesame");
    world.set_trunks(vec![admits("pbx", None, Some(login))]);
    world.put_queue(crate::world::queue("board", AnswerMode::OnEntry));
    let asked = challenge_in(&invite(&mut world, "sales", None).1);
    let overheard = proof(&asked, login);
    let (caller, answer) = invite(&mut world, "sales", Some(&overheard));
    assert_eq!(answer.status(), Some(200));
    // While the call lives, and after it; to the same queue and to another.
    for _ in 0..2 {
        let again = challenge_in(&invite(&mut world, "sales", Some(&overheard)).1);
        assert!(again.stale, "a phone that uses a nonce again is not asked for its password");
        assert_eq!(invite(&mut world, "board", Some(&overheard)).1.status(), Some(400));
        if world.phones[caller].requests(&Method::Bye).is_empty() {
            world.with(caller, |phone, now| phone.bye(now));
            world.run_secs(40);
        }
    }
    // The very INVITE again, when its transaction is long forgotten.
    let (_, first) = world.phones[caller].invite.clone().expect("sent");
    let thief = world.caller();
    world.with(thief, |phone, now| {
        let _key = phone.send_as(now, &first, "z9hG4bKthief");
    });
    world.run_secs(1);
    assert!(challenge_in(world.phones[thief].heard.last().expect("an answer")).stale);
    // The password's owner goes on.
    let fresh = challenge_in(&invite(&mut world, "sales", Some(&overheard)).1);
    let fresh = proof(&fresh, login);
    let (caller, answer) = invite(&mut world, "sales", Some(&fresh));
    assert_eq!(answer.status(), Some(200));
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_network_of_no_bits_is_every_address_of_its_kind() {
    let network = |address: &str, prefix| Network { address: address.parse().unwrap(), prefix };
    let holds = |network: Network, address: &str| network.contains(address.parse().unwrap());
    for address in ["0.0.0.0", "192.0.2.1", "255.255.255.255", "::ffff:192.0.2.1"] {
        assert!(holds(network("0.0.0.0", 0), address), "{address}");
        assert!(!holds(network("::", 0), address), "{address}");
    }
    for address in ["::1", "2001:db8::1"] {
        assert!(holds(network("::", 0), address), "{address}");
        assert!(!holds(network("0.0.0.0", 0), address), "{address}");
    }
    assert!(holds(network("192.0.2.1", 32), "192.0.2.1"));
    assert!(!holds(network("192.0.2.1", 32), "192.0.2.2"));
}
