//! Connections that ask for nothing, over real sockets: they are bounded, they end, and they take
//! nothing from anybody else.
//!
//! Not here: how often a token may ask (`tests/api/limits.rs`).

use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use carillon::node::port::crowd::Crowd;
use carillon::node::port::crowd::Full;
use carillon::node::port::files::Shares;
use carillon::node::port::http;
use carillon::node::port::http::Limits;
use carillon::observe::metrics::Metrics;
use socket2::Domain;
use socket2::Socket;
use socket2::Type;

use crate::carillon::Carillon;
use crate::wait::until;

const DEADLINE: Duration = Duration::from_secs(20);

/// A connection from an address of our choice.
pub(crate) fn connect(from: Ipv4Addr, to: u16) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((from, 0)).into()).expect("bound");
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, to)).into()).expect("connected");
    socket.into()
}

/// Whether the other side has closed the connection; what it said before is passed over.
pub(crate) fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).expect("set");
    let mut said = [0; 1024];
    loop {
        match stream.read(&mut said) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(_) => return true,
        }
    }
}

/// A router behind these limits, on a runtime of its own; both end with what is returned.
fn serve(limits: Limits) -> (tokio::runtime::Runtime, u16) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let big = "x".repeat(1 << 20);
    let router =
        Router::new().route("/", get(|| async { "ok" })).route("/big", get(|| async { big }));
    let metrics = Arc::new(Metrics::new().expect("metrics"));
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("bound");
    let port = listener.local_addr().expect("bound").port();
    runtime.spawn(http::serve(listener, router, limits, ("api", metrics)));
    (runtime, port)
}

fn limits(within: Duration) -> Limits {
    Limits { all: 4, of_one: 2, head_within: within, taken_within: within }
}

#[test]
fn half_a_request_is_not_waited_for() {
    let (_runtime, port) = serve(limits(Duration::from_millis(200)));
    let mut half = connect(Ipv4Addr::LOCALHOST, port);
    half.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").expect("sent");
    until("half a request is closed", DEADLINE, || is_closed(&mut half).then_some(()));
    let mut silent = connect(Ipv4Addr::LOCALHOST, port);
    until("a silent connection is closed", DEADLINE, || is_closed(&mut silent).then_some(()));
    let mut idle = connect(Ipv4Addr::LOCALHOST, port);
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
    until("an idle connection is closed", DEADLINE, || is_closed(&mut idle).then_some(()));
}

#[test]
fn who_does_not_take_the_answer_is_not_waited_for() {
    let within = Duration::from_millis(200);
    let limits = Limits { all: 1, of_one: 1, head_within: DEADLINE * 2, taken_within: within };
    let (_runtime, port) = serve(limits);
    let mut deaf = connect(Ipv4Addr::LOCALHOST, port);
    // Far more than the kernel takes for both of us.
    for _ in 0..64 {
        if deaf.write_all(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n").is_err() {
            break;
        }
    }
    until("its place is free again", DEADLINE, || {
        let mut next = connect(Ipv4Addr::LOCALHOST, port);
        next.set_read_timeout(Some(Duration::from_millis(200))).expect("set");
        next.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
        let mut said = String::new();
        next.read_to_string(&mut said).ok()?;
        said.ends_with("ok").then_some(())
    });
    drop(deaf);
}

#[test]
fn places_are_limited_and_given_back() {
    let from = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
    let crowd = Crowd::new(3, 2);
    let first = crowd.enter(from(1)).expect("a place");
    let _second = crowd.enter(from(1)).expect("a place");
    assert_eq!(crowd.enter(from(1)).err(), Some(Full::Address));
    let _third = crowd.enter(from(2)).expect("a place");
    assert_eq!(crowd.enter(from(3)).err(), Some(Full::All));
    drop(first);
    assert_eq!(crowd.taken(), 2);
    assert!(crowd.enter("::ffff:192.0.2.1".parse().expect("an address")).is_ok());
    // One host has a whole network of IPv6.
    let crowd = Crowd::new(3, 1);
    let _first = crowd.enter("2001:db8::1".parse().expect("an address")).expect("a place");
    assert_eq!(crowd.enter("2001:db8::ffff:1".parse().expect("ok")).err(), Some(Full::Address));
    assert!(crowd.enter("2001:db8:0:1::1".parse().expect("an address")).is_ok());
}

#[test]
fn each_port_has_a_share_of_the_open_files() {
    for files in [0, 256, 1024, 4096, 1 << 20] {
        let shares = Shares::of(files);
        let all = shares.api + shares.observe + shares.sip;
        assert!(files < 1024 || all + 256 < files, "{files}: {shares:?}");
        assert!(shares.api_of_one * 4 <= shares.api, "{files}: one takes not all: {shares:?}");
        assert!(shares.api > 0 && shares.observe > 0 && shares.sip > 0, "{files}: {shares:?}");
    }
    let plenty = Shares::of(1 << 20);
    assert!(plenty.api > 10_000 && plenty.sip > 10_000, "a desktop and a phone for each agent");
}

#[test]
fn a_flood_from_one_address_takes_nothing_from_others() {
    // Ours are as many as theirs.
    let _ = Shares::here();
    let node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    // The first one dropped is to be seen as a change, so each reason is there before.
    for why in ["source_flood", "strangers_flood", "outsider", "unreadable"] {
        let shown = format!("carillon_sip_rejected_total{{why=\"{why}\"}} 0");
        assert!(node.metrics_page().contains(&shown), "{why}");
    }
    let flood = Ipv4Addr::new(127, 0, 0, 66);
    let mut streams: Vec<TcpStream> = (0..1100).map(|_| connect(flood, node.api)).collect();
    for stream in &mut streams {
        // Some of them are closed already.
        let _ = stream.write_all(b"GET /api/v1/queues HTTP/1.1\r\n");
    }
    until("the rest are refused and counted", DEADLINE, || {
        let refused = node.metric("carillon_connections_refused_total", "port=\"api\"");
        (refused >= 1100.0 - 1024.0).then_some(())
    });
    assert!(node.log().matches("a connection was refused").count() <= 4, "{}", node.log());
    assert_eq!(node.read("/api/v1/queues/sales")["name"], "sales");
    let mut at_metrics: Vec<TcpStream> = (0..40).map(|_| connect(flood, node.metrics)).collect();
    until("the metrics port refuses, too", DEADLINE, || {
        let refused = node.metric("carillon_connections_refused_total", "port=\"observe\"");
        (refused >= 8.0).then_some(())
    });
    at_metrics.clear();
    until("half requests end", Duration::from_secs(40), || {
        streams.iter_mut().all(is_closed).then_some(())
    });
}
