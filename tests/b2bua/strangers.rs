//! Nobody a trunk names: answered like anybody, and nothing is kept of it.

use std::collections::BTreeSet;

use carillon::acd::config::AnswerMode;
use carillon::acd::config::Credentials;
use carillon::acd::config::Network;
use carillon::acd::config::TrunkConfig;
use carillon::b2bua::Output;
use carillon::base::secret::Private;
use carillon::sip::flow::Flow;
use carillon::sip::flow::Transport;
use carillon::sip::message::Message;
use carillon::sip::method::Method;

use crate::world::UA;
use crate::world::World;
use crate::world::address;
use crate::world::trunk;

/// A world whose trunk takes calls from elsewhere, with a password or without.
fn world(password: bool) -> World {
    let mut world = World::new(51, AnswerMode::OnEntry);
    let elsewhere = Network { address: address("192.0.2.0:1").ip(), prefix: 24 };
    let login = Credentials {
        username: "gate".to_owned(),
        password: Private::new("open sesame".to_owned()),
    };
    let mine = TrunkConfig { allowed_sources: vec![elsewhere], ..trunk() };
    let anywhere =
        TrunkConfig { allowed_sources: Vec::new(), inbound_auth: Some(login), ..trunk() };
    world.set_trunks(if password { vec![mine, anywhere] } else { vec![mine] });
    world
}

fn request(method: &str, nth: usize, padding: &str, to: &str) -> String {
    format!(
        "{method} sip:sales@127.0.0.1:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:6000;rport;branch=z9hG4bK-{nth}-{padding}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:x@127.0.0.1>;tag=x\r\nTo: <sip:sales@127.0.0.1>{to}\r\n\
         Call-ID: {nth}@x\r\nCSeq: 1 {method}\r\nContact: <sip:x@127.0.0.1:6000>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// Hands a request over from somewhere on this machine; the answers.
fn ask(world: &mut World, request: String) -> Vec<Message> {
    let message = Message::parse(request.into()).expect("a message");
    let (local, peer) = (address(UA), address("127.0.0.1:6000"));
    world.ua.handle_message(world.now, message, Flow { transport: Transport::Udp, local, peer });
    let mut answers = Vec::new();
    while let Some(output) = world.ua.poll_output() {
        match output {
            Output::Transmit { bytes, .. } => answers.push(Message::parse(bytes).expect("ours")),
            Output::Count(_) | Output::TurnedAway(_) => {}
            other => panic!("{other:?}"),
        }
    }
    answers
}

fn statuses(answers: &[Message]) -> Vec<u16> {
    answers.iter().filter_map(Message::status).collect()
}

#[test]
fn nothing_is_kept_of_who_no_trunk_names() {
    for (password, invited) in [(false, 403), (true, 401)] {
        let mut world = world(password);
        let cases = [
            ("OPTIONS", "", 200),
            ("INVITE", "", invited),
            ("REGISTER", "", 405),
            ("SUBSCRIBE", "", 489),
            ("BYE", ";tag=none", 481),
            ("CANCEL", "", 481),
        ];
        let padding = "x".repeat(2000);
        for (method, to, status) in cases {
            for nth in 0..20 {
                let answers = ask(&mut world, request(method, nth, &padding, to));
                assert_eq!(statuses(&answers), [status], "{method}");
                assert_eq!(world.ua.transactions(), 0, "{method}");
            }
        }
        assert_eq!(world.ua.next_deadline(), None);
    }
}

#[test]
fn who_a_trunk_names_has_transactions() {
    let mut world = World::new(52, AnswerMode::OnEntry);
    let answers = ask(&mut world, request("OPTIONS", 1, "", ""));
    assert_eq!((statuses(&answers), world.ua.transactions()), (vec![200], 1));
}

#[test]
fn a_repeat_is_answered_with_the_same_tag() {
    let mut world = world(true);
    for method in ["OPTIONS", "INVITE", "REGISTER"] {
        let tags: BTreeSet<String> = (0..3)
            .flat_map(|_| ask(&mut world, request(method, 1, "", "")))
            .map(|answer| answer.to().expect("To").tag().expect("a tag").to_owned())
            .collect();
        assert_eq!(tags.len(), 1, "{method}: RFC 3261 section 8.2.7");
    }
}

#[test]
fn an_agent_whose_phone_no_trunk_names_may_hang_up() {
    let mut world = world(false);
    let agent = world.agent("2771");
    world.set_trunks(vec![TrunkConfig {
        allowed_sources: vec![Network { address: world.phones[agent].at.ip(), prefix: 8 }],
        ..trunk()
    }]);
    let caller = world.caller();
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(3);
    // From here on nobody is allowed; the dialogs there are go on.
    world.set_trunks(Vec::new());
    world.with(agent, |phone, now| phone.bye(now));
    world.run_secs(2);
    assert_eq!(world.phones[agent].statuses(&Method::Bye), [200]);
}
