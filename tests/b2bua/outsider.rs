//! Who has overheard everything and speaks from elsewhere: no call is ended or changed by it, and
//! nothing is kept.

use std::net::SocketAddr;

use carillon::acd::config::AnswerMode;
use carillon::acd::config::Credentials;
use carillon::acd::config::Network;
use carillon::acd::config::TrunkConfig;
use carillon::b2bua::counter::Counter;
use carillon::b2bua::counter::Rejected;
use carillon::b2bua::counter::Why;
use carillon::base::id::TrunkId;
use carillon::base::secret::Private;
use carillon::base::time::Millis;
use carillon::sip::digest::Subject;
use carillon::sip::digest::challenge;
use carillon::sip::digest::client;
use carillon::sip::header::name::Name;
use carillon::sip::message::Message;
use carillon::sip::method::Method;

use crate::phone::Answer;
use crate::phone::Phone;
use crate::phone::sdp;
use crate::world::UA;
use crate::world::World;
use crate::world::address;
use crate::world::trunk;

const ELSEWHERE: &str = "203.0.113.9:5060";

/// Adds a phone elsewhere that knows all that one phone knows.
fn outsider(world: &mut World, of: usize) -> usize {
    let mut phone = Phone::new("outsider", address(ELSEWHERE), address(UA));
    phone.dialog.clone_from(&world.phones[of].dialog);
    phone.invite.clone_from(&world.phones[of].invite);
    world.phones.push(phone);
    world.phones.len() - 1
}

/// Two who talk: the world, the agent's phone, the caller's.
fn talking(seed: u64) -> (World, usize, usize) {
    let mut world = World::new(seed, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(5);
    assert_eq!(world.ua.legs(), 2);
    (world, ann, caller)
}

fn outsiders_counted(world: &World) -> usize {
    let counted = Counter::Rejected(Rejected::Outsider);
    world.counters.iter().filter(|counter| **counter == counted).count()
}

/// What somebody might want of another's call, with the body it takes.
fn wishes() -> Vec<(Method, Option<(&'static str, String)>)> {
    let elsewhere = || Some(("application/sdp", sdp(address(ELSEWHERE), "sendrecv", "0 8 101")));
    let key = Some(("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n".to_owned()));
    vec![
        (Method::Invite, elsewhere()),
        (Method::Update, elsewhere()),
        (Method::Info, key),
        (Method::Refer, None),
        (Method::Notify, None),
        (Method::Prack, None),
        (Method::Options, None),
        (Method::Bye, None),
    ]
}

#[test]
fn an_outsiders_request_changes_no_call() {
    let (mut world, ann, caller) = talking(90);
    world.run_secs(40);
    let (before, kept) = ((world.commands.len(), world.media.len()), world.ua.transactions());
    for victim in [ann, caller] {
        let outsider = outsider(&mut world, victim);
        for (method, body) in wishes() {
            world.with(outsider, |phone, now| phone.send(now, method.clone(), body));
            world.run(Millis(100));
            assert_eq!(world.phones[outsider].statuses(&method), [403], "{method}");
            assert_eq!(world.ua.transactions(), kept, "{method}");
        }
        world.phones.truncate(outsider);
    }
    assert_eq!((world.commands.len(), world.media.len()), before);
    assert_eq!(world.ua.legs(), 2);
    assert_eq!(outsiders_counted(&world), 2 * wishes().len());
    let told = world.turned_away.last().expect("the log says so");
    assert_eq!(told.why, Why::Rejected(Rejected::Outsider));
    assert_eq!(told.source, address(ELSEWHERE).ip());
    world.with(caller, |phone, now| phone.bye(now));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Bye), [200], "its numbers count as before");
    world.assert_clean();
}

#[test]
fn an_outsiders_ack_is_none() {
    let mut world = World::new(91, AnswerMode::OnEntry);
    let caller = world.caller();
    world.phones[caller].forgets_ack = true;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    let outsider = outsider(&mut world, caller);
    world.with(outsider, |phone, now| phone.remember_ack(now));
    world.run_secs(1);
    assert!(world.counters.contains(&Counter::Stray));
    assert!(!world.counters.contains(&Counter::AckMissing));
    world.run_secs(40);
    assert!(world.counters.contains(&Counter::AckMissing), "nobody has acknowledged");
    world.assert_clean();
}

#[test]
fn a_cancel_counts_from_where_its_invite_came() {
    let mut world = World::new(92, AnswerMode::OnAgent);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.phones[ann].answer = Answer::Ring;
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(2);
    let (key, invite) = world.phones[caller].invite.clone().expect("an INVITE");
    let cancel = format!(
        "CANCEL {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch={}\r\nMax-Forwards: 70\r\nFrom: {}\r\n\
         To: {}\r\nCall-ID: {}\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n",
        invite.request_uri_text(),
        world.phones[caller].at,
        key.branch(),
        invite.header(Name::From).expect("From"),
        invite.header(Name::To).expect("To"),
        invite.header(Name::CallId).expect("Call-ID"),
    );
    let outsider = outsider(&mut world, caller);
    // Its answer goes to the port of the Via.
    let port = world.phones[caller].at.port();
    world.phones[outsider].at.set_port(port);
    let from = world.phones[outsider].at;
    world.inject(&cancel, from);
    world.run_secs(1);
    assert_eq!(world.ua.legs(), 2, "it still rings");
    assert!(!world.phones[caller].statuses(&Method::Invite).contains(&487));
    world.with(caller, Phone::cancel);
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Invite).last(), Some(&487));
    world.assert_clean();
}

/// A response to what a phone was asked, as if the phone had given it.
fn response(request: &Message, status: u16) -> String {
    let line = |name: Name| request.header(name).expect("present").into_owned();
    let body =
        if status == 200 { sdp(address(ELSEWHERE), "sendrecv", "0 101") } else { String::new() };
    format!(
        "SIP/2.0 {status} So\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=outsider\r\nCall-ID: {}\r\nCSeq: \
         {}\r\nContact: <sip:outsider@{ELSEWHERE}>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        line(Name::Via),
        line(Name::From),
        line(Name::To),
        line(Name::CallId),
        line(Name::CSeq),
        body.len(),
    )
}

#[test]
fn a_response_counts_from_where_the_request_went() {
    for status in [180, 200, 302, 486, 603] {
        let mut world = World::new(93, AnswerMode::OnEntry);
        let (ann, caller) = (world.agent("ann"), world.caller());
        world.phones[ann].answer = Answer::After(Millis(3000));
        world.with(caller, |phone, now| phone.call(now, "sales"));
        world.run_secs(1);
        let invite = world.phones[ann].requests(&Method::Invite)[0].clone();
        let outsider = outsider(&mut world, ann);
        for moment in ["while it rings", "while they talk", "when the INVITE is forgotten"] {
            world.inject(&response(&invite, status), address(ELSEWHERE));
            world.run_secs(40);
            assert_eq!(world.ua.legs(), 2, "{status} {moment}");
            assert_eq!(world.phones[outsider].heard.len(), 0, "{status} {moment}");
        }
        let from_agent = world.phones[ann].requests(&Method::Ack).len();
        assert_eq!(from_agent, 1, "{status}: the agent's answer was taken");
        world.with(caller, |phone, now| phone.bye(now));
        world.assert_clean();
    }
}

#[test]
fn both_tags_name_a_dialog() {
    let (mut world, ann, caller) = talking(94);
    let lies = [(ann, true), (ann, false), (caller, true), (caller, false)];
    for (nth, (victim, ours)) in lies.into_iter().enumerate() {
        let liar = outsider(&mut world, victim);
        world.phones[liar].name = format!("liar{nth}");
        // From where the victim is; only the tags are guessed.
        let victims = world.phones[victim].at.ip();
        world.phones[liar].at = SocketAddr::new(victims, 7000);
        let dialog = world.phones[liar].dialog.as_mut().expect("a dialog");
        let side = if ours { &mut dialog.remote } else { &mut dialog.local };
        *side = side.clone().with_param("tag", Some("guessed"));
        for (method, body) in wishes() {
            world.with(liar, |phone, now| phone.send(now, method.clone(), body));
            world.run(Millis(100));
            let last = world.phones[liar].statuses(&method).last().copied();
            assert_eq!(last, Some(481), "{method}");
        }
        world.phones.truncate(liar);
    }
    assert_eq!(world.ua.legs(), 2);
    world.with(ann, |phone, now| phone.bye(now));
    world.assert_clean();
}

const ROAMER: client::Login<'_> = client::Login { username: "roamer", password: "open sesame" };
const OTHER: client::Login<'_> = client::Login { username: "other", password: "me too" };

/// A trunk that takes calls from everywhere with a password.
fn anywhere(login: client::Login<'_>) -> TrunkConfig {
    let inbound_auth = Credentials {
        username: login.username.to_owned(),
        password: Private::new(login.password.to_owned()),
    };
    TrunkConfig {
        id: TrunkId::new(login.username),
        allowed_sources: Vec::new(),
        inbound_auth: Some(inbound_auth),
        ..trunk()
    }
}

/// The trunks from now on: the phones' own addresses are nobody's, and two customers may call from
/// everywhere, each with its password.
fn two_customers() -> Vec<TrunkConfig> {
    let nowhere = Network { address: address("192.0.2.0:1").ip(), prefix: 32 };
    let pbx = TrunkConfig { allowed_sources: vec![nowhere], ..trunk() };
    vec![pbx, anywhere(OTHER), anywhere(ROAMER)]
}

/// Answers the challenge that was heard last.
fn proof(phone: &Phone, method: &str, uri: &str, login: client::Login<'_>) -> String {
    let asked = phone.heard.last().expect("an answer");
    assert_eq!(asked.status(), Some(401));
    let challenge = challenge::challenges(asked, Name::WwwAuthenticate).remove(0);
    client::answer(&challenge, login, Subject { method, body: b"" }, uri, "c", 1).to_string()
}

/// Somebody calls sales and gives the password asked for; returns the phone.
fn calls_with(world: &mut World, login: client::Login<'_>) -> usize {
    let asks = world.caller();
    world.with(asks, |phone, now| phone.call(now, "sales"));
    world.run_secs(1);
    let proof = proof(&world.phones[asks], "INVITE", "sip:sales@127.0.0.1:5060", login);
    let caller = world.caller();
    world.with(caller, |phone, now| {
        let body = phone.sdp.clone().into_bytes();
        let invite = phone.compose("sales").raw("Authorization", &proof);
        phone.send_invite(now, invite.body("application/sdp", body).build());
    });
    world.run_secs(5);
    assert_eq!(world.phones[caller].statuses(&Method::Invite).last(), Some(&200));
    caller
}

/// Sends a request within the dialog, and the same again with a password.
fn asks_with(world: &mut World, phone: usize, method: &Method, login: client::Login<'_>) {
    let words = || {
        let body = || sdp(address(ELSEWHERE), "sendrecv", "0 8 101");
        (*method == Method::Invite).then(|| ("application/sdp", body()))
    };
    world.with(phone, |phone, now| phone.send(now, method.clone(), words()));
    world.run_secs(1);
    let dialog = world.phones[phone].dialog.as_ref().expect("a dialog");
    let uri = dialog.remote_target.to_string();
    let proof = proof(&world.phones[phone], method.as_str(), &uri, login);
    world.with(phone, |phone, now| {
        phone.send_with(now, method.clone(), words(), &[("Authorization", &proof)]);
    });
    world.run_secs(1);
}

#[test]
fn who_has_moved_gives_the_password() {
    let mut world = World::new(95, AnswerMode::OnEntry);
    let ann = world.agent("ann");
    world.set_trunks(two_customers());
    let caller = calls_with(&mut world, ROAMER);
    let moved = outsider(&mut world, caller);
    asks_with(&mut world, moved, &Method::Invite, ROAMER);
    world.run_secs(40);
    assert_eq!(world.phones[moved].statuses(&Method::Invite), [401, 100, 200]);
    assert!(!world.counters.contains(&Counter::AckMissing), "its ACK counts without a password");
    assert_eq!(outsiders_counted(&world), 0);
    world.with(moved, |phone, now| phone.bye(now));
    world.run_secs(1);
    assert_eq!(world.phones[moved].statuses(&Method::Bye), [200]);
    assert_eq!(world.phones[ann].requests(&Method::Bye).len(), 1);
    world.assert_clean();
}

#[test]
fn another_customers_password_opens_no_call() {
    let mut world = World::new(97, AnswerMode::OnEntry);
    let ann = world.agent("ann");
    world.set_trunks(two_customers());
    let caller = calls_with(&mut world, ROAMER);
    let before = (world.commands.len(), world.media.len());
    let thief = outsider(&mut world, caller);
    for method in [Method::Bye, Method::Invite] {
        asks_with(&mut world, thief, &method, OTHER);
        let finals = world.phones[thief].statuses(&method);
        assert_eq!(finals, [401, 401], "{method}: a right password, and none of this call's");
    }
    world.phones.truncate(thief);
    // No password let the agent's phone in, so none is asked for.
    let thief = outsider(&mut world, ann);
    for method in [Method::Bye, Method::Invite] {
        world.with(thief, |phone, now| phone.send(now, method.clone(), None));
        world.run_secs(1);
        assert_eq!(world.phones[thief].statuses(&method), [403], "{method}");
    }
    world.phones.truncate(thief);
    assert_eq!((world.commands.len(), world.media.len()), before);
    assert_eq!(world.ua.legs(), 2);
    // Nor does any when the trunk is gone.
    world.set_trunks(vec![anywhere(OTHER)]);
    let moved = outsider(&mut world, caller);
    world.with(moved, |phone, now| phone.bye(now));
    world.run_secs(1);
    assert_eq!(world.phones[moved].statuses(&Method::Bye), [403]);
    world.with(caller, |phone, now| phone.bye(now));
    world.run_secs(1);
    assert_eq!(world.phones[caller].statuses(&Method::Bye), [200]);
    world.assert_clean();
}

#[test]
fn no_password_opens_a_call_that_came_in_without() {
    let (mut world, _, caller) = talking(98);
    world.set_trunks(two_customers());
    let thief = outsider(&mut world, caller);
    for method in [Method::Bye, Method::Invite] {
        world.with(thief, |phone, now| phone.send(now, method.clone(), None));
        world.run_secs(1);
        assert_eq!(world.phones[thief].statuses(&method), [403], "{method}");
    }
    assert_eq!(world.ua.legs(), 2);
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}

#[test]
fn a_second_phone_that_hangs_up_by_itself_ends_nobody_elses_call() {
    let mut world = World::new(96, AnswerMode::OnEntry);
    let (ann, caller) = (world.agent("ann"), world.caller());
    world.phones[ann].answer = Answer::After(Millis(100));
    world.with(caller, |phone, now| phone.call(now, "sales"));
    world.run_secs(2);
    let other = outsider(&mut world, ann);
    world.phones[other].at = world.phones[ann].at;
    world.phones[other].at.set_port(7000);
    let dialog = world.phones[other].dialog.as_mut().expect("a dialog");
    dialog.local = dialog.local.clone().with_param("tag", Some("second"));
    world.with(other, |phone, now| phone.bye(now));
    world.run_secs(1);
    assert_eq!(world.phones[other].statuses(&Method::Bye), [481]);
    assert_eq!(world.ua.legs(), 2, "the first one talks on");
    world.with(caller, |phone, now| phone.bye(now));
    world.assert_clean();
}
