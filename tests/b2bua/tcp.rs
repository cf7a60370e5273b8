//! A caller over TCP: everything goes back on the connection it came by.

use bytes::Bytes;
use carillon::acd::command::Outcome;
use carillon::acd::config::AnswerMode;
use carillon::acd::effect::Cause;
use carillon::acd::effect::Effect;
use carillon::b2bua::Listener;
use carillon::b2bua::Output;
use carillon::b2bua::Ua;
use carillon::base::id::LegId;
use carillon::base::time::LocalTime;
use carillon::sip::flow::Flow;
use carillon::sip::flow::Transport;
use carillon::sip::header::name::Name;
use carillon::sip::message::Message;
use carillon::sip::method::Method;
use carillon::sip::uri::HostPort;

use crate::phone::sdp;
use crate::world::UA;
use crate::world::World;
use crate::world::address;
use crate::world::queue;
use crate::world::trunk;

fn request(method: &str, to: &str, body: &str) -> Message {
    let text = format!(
        "{method} sip:sales@127.0.0.1:5060;transport=tcp SIP/2.0\r\n\
         Via: SIP/2.0/TCP 127.0.0.1:49152;branch=z9hG4bK{method}\r\nMax-Forwards: 70\r\n\
         From: <sip:a@127.0.0.1>;tag=1\r\nTo: {to}\r\nCall-ID: tcp\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:a@127.0.0.1:5999;transport=tcp>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len(),
    );
    Message::parse(Bytes::from(text)).expect("well-formed")
}

/// What was sent, and everything else that came out.
fn drain(ua: &mut Ua, flow: Flow) -> (Vec<Message>, Vec<Output>) {
    let (mut sent, mut rest) = (Vec::new(), Vec::new());
    while let Some(output) = ua.poll_output() {
        match output {
            Output::Transmit { bytes, flow: way } => {
                assert_eq!(way, flow, "on the caller's connection");
                sent.push(Message::parse(bytes).expect("readable"));
            }
            other => rest.push(other),
        }
    }
    (sent, rest)
}

#[test]
fn everything_goes_back_by_the_connection() {
    let mut identity = World::identity();
    let local = address(UA);
    let (transport, advertised) = (Transport::Tcp, HostPort::from(local));
    identity.listeners.push(Listener { transport, local, advertised });
    let mut ua = Ua::new(identity, [3; 32]);
    ua.set_trunks([trunk()].into());
    let flow = Flow { transport, local, peer: address("127.0.0.1:49152") };
    let now = LocalTime(1);
    let body = sdp(flow.peer, "sendrecv", "0 8 101").replace("59152", "40000");
    ua.handle_message(now, request("INVITE", "<sip:sales@127.0.0.1>", &body), flow);
    let (_, rest) = drain(&mut ua, flow);
    let proposed = rest.into_iter().find_map(|output| match output {
        Output::Propose { request, command } => Some((request, command)),
        _ => None,
    });
    let (name, command) = proposed.expect("a proposal");
    let carillon::acd::command::Command::EnqueueCall(arrival) = command else {
        panic!("{command:?}");
    };
    ua.handle_outcome(now, name, Ok(Outcome::Done));
    let leg = LegId::of_caller(arrival.call);
    let sales = queue("sales", AnswerMode::OnEntry);
    let (queue, treatment) = (sales.id, sales.caller);
    ua.handle_order(now, Effect::HoldCaller { leg, queue, treatment });
    let (sent, _) = drain(&mut ua, flow);
    let accepted = sent.last().expect("200");
    assert_eq!(accepted.status(), Some(200));
    let contact = accepted.header(Name::Contact).expect("a Contact").into_owned();
    assert_eq!(contact, "<sip:sales@127.0.0.1:5060;transport=tcp>");
    let to = accepted.header(Name::To).expect("To").into_owned();
    ua.handle_message(now, request("ACK", &to, ""), flow);
    ua.handle_order(now, Effect::ReleaseLeg { leg, cause: Cause::Requested });
    let (sent, _) = drain(&mut ua, flow);
    assert_eq!(sent.last().map(Message::method), Some(Method::Bye));
    ua.handle_transport_error(now, flow);
    assert_eq!(ua.legs(), 0, "nobody is left to answer the BYE");
}
