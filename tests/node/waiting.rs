//! What waits at a shard is served in turns: nobody gets more than his share by sending more.

use bytes::Bytes;
use carillon::node::port::crowd::Full;
use carillon::node::port::sources::Standing;
use carillon::node::waiting::Arrived;
use carillon::node::waiting::Intake;
use carillon::node::waiting::queues;
use carillon::sip::Message;
use carillon::sip::Transport;
use carillon::sip::flow::Flow;

/// In each queue.
const MESSAGES: usize = 200;

const OPTIONS: &str = "OPTIONS sip:a@192.0.2.1 SIP/2.0\r\n\
    Via: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
    From: <sip:b@192.0.2.2>;tag=1\r\nTo: <sip:a@192.0.2.1>\r\n\
    Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

/// Tells the four kinds apart by the port they come from.
fn flow(port: u16) -> Flow {
    flow_from(2, port)
}

fn flow_from(host: u8, port: u16) -> Flow {
    let address = |host, port| ([192, 0, 2, host], port).into();
    Flow { transport: Transport::Udp, local: address(1, 5060), peer: address(host, port) }
}

/// A datagram from a host that is known.
fn datagram(intake: &Intake, host: u8, port: u16) -> Result<(), Full> {
    intake.datagram(Bytes::from_static(b"x"), flow_from(host, port), Standing::Known)
}

fn port_of(arrived: &Arrived) -> usize {
    let (Arrived::Datagram(_, flow) | Arrived::Message(_, flow)) = arrived;
    usize::from(flow.peer.port())
}

#[tokio::test]
async fn each_of_those_who_wait_is_served_in_turn() {
    let (intake, mut waiting) = queues();
    for nth in 0..MESSAGES {
        let message = Message::parse(Bytes::from_static(OPTIONS.as_bytes())).unwrap();
        assert_eq!(datagram(&intake, nth as u8, 0), Ok(()));
        intake.message(message.clone(), flow(1), Standing::Known).await;
        let strange = intake.datagram(Bytes::from_static(b"x"), flow(2), Standing::Stranger);
        assert_eq!(strange, Ok(()));
        intake.message(message, flow(3), Standing::Stranger).await;
    }
    let mut served = [0; 4];
    for _ in 0..4 * MESSAGES {
        served[port_of(&waiting.next().await.unwrap())] += 1;
        let (least, most) = (served.iter().min().unwrap(), served.iter().max().unwrap());
        assert!(most - least <= 1, "{served:?}");
    }
}

#[tokio::test]
async fn nobody_waits_for_all_that_another_has_sent() {
    let (intake, mut waiting) = queues();
    let mut taken = 0;
    while datagram(&intake, 66, 0) == Ok(()) {
        taken += 1;
    }
    assert_eq!(taken, 4096);
    assert_eq!(datagram(&intake, 66, 0), Err(Full::Address), "others are not meant");
    assert_eq!(datagram(&intake, 7, 1), Ok(()));
    assert_eq!(port_of(&waiting.next().await.unwrap()), 0);
    assert_eq!(port_of(&waiting.next().await.unwrap()), 1, "its turn comes next");
    assert_eq!(port_of(&waiting.next().await.unwrap()), 0);
    // What was served has left its place.
    assert_eq!(datagram(&intake, 66, 0), Ok(()));
}

#[tokio::test]
async fn who_waits_alone_is_served_at_once() {
    let (intake, mut waiting) = queues();
    for port in [3, 3, 0, 3] {
        let standing = if port == 0 { Standing::Known } else { Standing::Stranger };
        assert_eq!(intake.datagram(Bytes::from_static(b"x"), flow(port), standing), Ok(()));
        assert_eq!(port_of(&waiting.next().await.unwrap()), usize::from(port));
    }
    drop(intake);
    assert!(waiting.next().await.is_none(), "the node is stopping");
}
