//! SIP over TCP: two connections from one port of a peer, peers who send too fast, and streams that
//! cannot be read.
//!
//! Not here: how many connections there may be (`crowd.rs`).

use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpStream;

use carillon::base::time::Millis;
use carillon::node::port::places::Limits;
use carillon::resource::SipLimits;
use carillon::resource::SourceLimits;
use socket2::Domain;
use socket2::Socket;
use socket2::Type;

use crate::carillon::Carillon;
use crate::crowd::DEADLINE;
use crate::crowd::TRUNK;
use crate::crowd::Table;
use crate::crowd::limits;
use crate::crowd::options;
use crate::flood::is_closed;
use crate::wait::until;

/// A connection from a port of our choice, which others of ours may have as well; 0: a free one.
fn connect(from: u16, to: (Ipv4Addr, u16)) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("set");
    socket.bind(&SocketAddr::from((TRUNK, from)).into()).expect("bound");
    socket.connect(&SocketAddr::from(to).into()).expect("connected");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).expect("set");
    stream
}

/// Sends a request and a keep-alive; the answer to that one comes when both were taken.
fn is_served(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(false).expect("set");
    let asked = options() + "\r\n\r\n";
    let mut said = [0; 2];
    stream.write_all(asked.as_bytes()).and_then(|()| stream.read_exact(&mut said)).is_ok()
        && &said == b"\r\n"
}

#[test]
fn one_port_of_a_peer_may_be_connected_to_two_of_ours() {
    let table = Table::new(limits());
    let other = table.listen(Ipv4Addr::LOCALHOST);
    let mut first = connect(0, (Ipv4Addr::LOCALHOST, table.port));
    assert!(is_served(&mut first));
    let from = first.local_addr().expect("bound").port();
    let mut second = connect(from, (Ipv4Addr::LOCALHOST, other));
    assert!(is_served(&mut second));
    assert!(is_served(&mut first), "the second one took nothing from it");
    drop(first);
    // Whoever comes after the end of the first one was noticed finds the second one as it was.
    until("a place is free again", DEADLINE, || {
        let mut others: Vec<_> =
            (0..3).map(|_| connect(0, (Ipv4Addr::LOCALHOST, table.port))).collect();
        others.iter_mut().all(is_served).then_some(())
    });
    assert!(is_served(&mut second), "the end of the first one was its own");
}

#[test]
fn a_peer_that_connects_anew_from_its_port_outlives_its_last_connection() {
    let table = Table::new(limits());
    // Behind one listener for every address the system lets both of them be open.
    let port = table.listen(Ipv4Addr::UNSPECIFIED);
    let mut last = connect(0, (Ipv4Addr::LOCALHOST, port));
    assert!(is_served(&mut last));
    let broken = options().replace("Content-Length: 0", "Content-Length: -1");
    last.write_all(broken.as_bytes()).expect("sent");
    last.read_exact(&mut [0; 7]).expect("it is told, and may go on reading for a while");
    let from = last.local_addr().expect("bound").port();
    let mut anew = connect(from, (Ipv4Addr::new(127, 0, 0, 2), port));
    assert!(is_served(&mut anew));
    until("the last one is over", DEADLINE, || is_closed(&mut last).then_some(()));
    assert!(is_served(&mut anew), "and took nothing with it");
}

#[test]
fn beyond_its_rate_a_stream_is_read_later_and_loses_nothing() {
    let mut node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    node.kill();
    let path = node.config().join("settings.yaml");
    let settings = std::fs::read_to_string(&path).expect("written before");
    let limits = "  sip:\n    limits: {trunks: {invitesPerSecond: 1, messagesPerSecond: 20}}\n";
    node.write("settings.yaml", &settings.replace("  sip:\n", limits));
    node.launch();
    let mut trunk = connect(0, (Ipv4Addr::LOCALHOST, node.sip));
    for nth in 0..100 {
        let asked = options().replace("z9hG4bKx", &format!("z9hG4bK{nth}"));
        trunk.write_all(asked.as_bytes()).expect("sent");
    }
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    let answers = |said: &[u8]| String::from_utf8_lossy(said).matches("SIP/2.0 200").count();
    while answers(&said) < 100 {
        let read = trunk.read(&mut buffer).expect("the next answer");
        assert!(read > 0, "closed after {} answers", answers(&said));
        said.extend(&buffer[..read]);
    }
    let slowed = node.metric("carillon_sip_rejected_total", "why=\"source_flood\"");
    assert!(slowed >= 1.0, "it was too fast");
}

#[test]
fn who_is_too_fast_for_ever_is_let_go() {
    let table = Table::new(Limits { held_within: Millis(300), ..limits() });
    let rarely = SourceLimits { messages_per_second: 2, ..SipLimits::default().trunks };
    table.shards.limit(SipLimits { trunks: rarely, ..SipLimits::default() });
    let mut trunk = connect(0, (TRUNK, table.port));
    trunk.write_all(options().repeat(50).as_bytes()).expect("sent");
    until("the stream is closed", DEADLINE, || is_closed(&mut trunk).then_some(()));
}

/// A table whose trunk may send one message a second, and waits with the next one for a while only.
fn slow_table() -> Table {
    let table = Table::new(Limits { held_within: Millis(300), ..limits() });
    let rarely = SourceLimits { messages_per_second: 1, ..SipLimits::default().trunks };
    table.shards.limit(SipLimits { trunks: rarely, ..SipLimits::default() });
    table
}

#[test]
fn a_keep_alive_takes_nothing_of_what_its_address_may_send() {
    let table = slow_table();
    let mut first = connect(0, (Ipv4Addr::LOCALHOST, table.port));
    assert!(is_served(&mut first), "this was the message of this second");
    let mut second = connect(0, (Ipv4Addr::LOCALHOST, table.port));
    for stream in [&mut first, &mut second] {
        stream.write_all(b"\r\n\r\n").expect("sent");
        let mut said = [0; 2];
        stream.read_exact(&mut said).expect("it is not closed for want of room");
        assert_eq!(&said, b"\r\n");
    }
}

#[test]
fn heaps_of_keep_alives_are_messages() {
    let table = slow_table();
    let mut trunk = connect(0, (Ipv4Addr::LOCALHOST, table.port));
    assert!(is_served(&mut trunk));
    trunk.write_all("\r\n\r\n".repeat(50).as_bytes()).expect("sent");
    until("the stream is closed", DEADLINE, || is_closed(&mut trunk).then_some(()));
}

#[test]
fn streams_that_cannot_be_read_are_counted_and_told_of_now_and_then() {
    let node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    let rejected =
        |why: &str| node.metric("carillon_sip_rejected_total", &format!("why=\"{why}\""));
    let broken = options().replace("Content-Length: 0", "Content-Length: -1");
    let mut streams: Vec<_> =
        (0..20).map(|_| connect(0, (Ipv4Addr::LOCALHOST, node.sip))).collect();
    for stream in &mut streams {
        stream.write_all(broken.as_bytes()).expect("sent");
        let mut said = [0; 11];
        stream.read_exact(&mut said).expect("answered");
        assert_eq!(&said, b"SIP/2.0 400");
    }
    until("they are closed", DEADLINE, || streams.iter_mut().all(is_closed).then_some(()));
    assert_eq!((rejected("framing"), rejected("unreadable")), (20.0, 0.0));
    let log = node.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("could not be read")).collect();
    assert!((1..=2).contains(&told.len()), "{log}");
    assert!(told[0].contains(" WARN ") && told[0].contains("wrong Content-Length"), "{log}");
    // What is laid out well and says something wrong is refused alone.
    let wrong = options().replace("1 OPTIONS", "1 INVITE");
    let mut stream = connect(0, (Ipv4Addr::LOCALHOST, node.sip));
    stream.write_all((wrong + &options()).as_bytes()).expect("sent");
    let mut said = Vec::new();
    while !String::from_utf8_lossy(&said).contains("SIP/2.0 200") {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).expect("the next answer");
        assert!(read > 0, "closed after {}", String::from_utf8_lossy(&said));
        said.extend(&buffer[..read]);
    }
    assert!(said.starts_with(b"SIP/2.0 400"), "{}", String::from_utf8_lossy(&said));
    assert_eq!((rejected("framing"), rejected("unreadable")), (20.0, 1.0));
}
