//! SIP over TCP, crowded: strangers take no place of those who are known, and do not stay.
//!
//! Not here: what a stranger is answered (`tests/b2bua/strangers.rs`).

use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use carillon::acd::config::Network;
use carillon::acd::config::TrunkConfig;
use carillon::base::id::TrunkId;
use carillon::base::time::Millis;
use carillon::node::count::Counts;
use carillon::node::port::crowd::Full;
use carillon::node::port::places::Limits;
use carillon::node::port::places::Places;
use carillon::node::pulse::Pulse;
use carillon::node::shard::Inbox;
use carillon::node::shard::Shards;
use carillon::node::tcp::TcpConnections;
use carillon::observe::metrics::Metrics;
use carillon::resource::ConnectionLimits;
use carillon::sip::flow::Flow;
use carillon::sip::flow::Transport;

use crate::carillon::Carillon;
use crate::flood::connect;
use crate::flood::is_closed;
use crate::wait::until;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
pub(crate) const TRUNK: Ipv4Addr = Ipv4Addr::LOCALHOST;

fn stranger(nth: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 9, nth)
}

/// A table of connections that listens; nobody reads what it hands on.
pub(crate) struct Table {
    pub(crate) connections: TcpConnections,
    pub(crate) port: u16,
    pub(crate) shards: Shards,
    _inboxes: Vec<Inbox>,
    runtime: tokio::runtime::Runtime,
}

impl Table {
    /// Takes calls from [`TRUNK`] alone.
    pub(crate) fn new(limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let metrics = Arc::new(Metrics::new().expect("metrics"));
        let (shards, _inboxes) = Shards::new(Counts::new(&metrics));
        let network = Network { address: TRUNK.into(), prefix: 32 };
        shards.trunks(&Arc::from([TrunkConfig {
            id: TrunkId::new("pbx"),
            peers: vec!["sip:127.0.0.1".to_owned()],
            outbound_proxy: None,
            allowed_sources: vec![network],
            inbound_auth: None,
            outbound_auth: None,
        }]));
        let connections = TcpConnections::new(&shards, limits);
        let mut table = Self { connections, port: 0, shards, _inboxes, runtime };
        table.port = table.listen(Ipv4Addr::LOCALHOST);
        table
    }

    /// Listens at one more port of this address.
    pub(crate) fn listen(&self, address: Ipv4Addr) -> u16 {
        let listener = self.runtime.block_on(tokio::net::TcpListener::bind((address, 0)));
        let listener = listener.expect("bound");
        let local = listener.local_addr().expect("bound");
        let pulse = Pulse::default();
        self.runtime.block_on(async { self.connections.listen(listener, local, &pulse) });
        local.port()
    }

    fn flow(&self, peer: SocketAddr) -> Flow {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        Flow { transport: Transport::Tcp, local, peer }
    }

    /// A connection on which one OPTIONS was sent and taken.
    fn opened(&self, from: Ipv4Addr) -> TcpStream {
        let mut stream = connect(from, self.port);
        stream.write_all(options().as_bytes()).expect("sent");
        // A keep-alive is answered when all before it was taken.
        stream.write_all(b"\r\n\r\n").expect("sent");
        stream.set_read_timeout(Some(DEADLINE)).expect("set");
        stream.read_exact(&mut [0; 2]).expect("a place, and an answer");
        stream
    }
}

pub(crate) fn options() -> String {
    "OPTIONS sip:sales@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx\r\n\
     From: <sip:c@127.0.0.1>;tag=t\r\nTo: <sip:sales@127.0.0.1>\r\nCall-ID: x\r\n\
     CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        .to_owned()
}

pub(crate) fn limits() -> Limits {
    let few = Limits { all: 8, of_one: 4, strangers: 3, of_one_stranger: 2, ..Limits::of(8) };
    Limits { first_within: Millis(20_000), stranger_idle: Millis(20_000), ..few }
}

fn refused(mut stream: TcpStream, why: &str) {
    until(why, DEADLINE, || is_closed(&mut stream).then_some(()));
}

#[test]
fn strangers_leave_room_for_those_who_are_known() {
    let table = Table::new(limits());
    let _first = table.opened(stranger(1));
    let _second = table.opened(stranger(1));
    refused(connect(stranger(1), table.port), "a stranger has two places");
    let third = table.opened(stranger(2));
    refused(connect(stranger(3), table.port), "strangers have three places");
    let trunks: Vec<TcpStream> = (0..4).map(|_| table.opened(TRUNK)).collect();
    refused(connect(TRUNK, table.port), "a trunk has four places");
    // Who was let in is no stranger any more, and leaves the place to another.
    table.connections.let_in(table.flow(third.local_addr().expect("bound")));
    let _fourth = table.opened(stranger(3));
    refused(connect(stranger(4), table.port), "strangers have three places");
    drop(trunks);
    until("a place that was left is free again", DEADLINE, || {
        let mut again = connect(TRUNK, table.port);
        again.write_all(b"\r\n\r\n").ok()?;
        again.set_read_timeout(Some(Duration::from_millis(200))).ok()?;
        again.read_exact(&mut [0; 2]).ok()
    });
}

#[test]
fn one_network_of_ipv6_is_one_stranger() {
    let limits = limits();
    let mut places = Places::default();
    let address = |text: &str| text.parse().expect("an address");
    let mut take = |text| places.take(address(text), false, &limits);
    assert_eq!((take("2001:db8::1"), take("2001:db8::2")), (Ok(()), Ok(())));
    assert_eq!(take("2001:db8::ffff:3"), Err(Full::Address), "one host has all of it");
    assert_eq!(take("2001:db8:0:1::1"), Ok(()));
    assert_eq!(take("192.0.2.1"), Err(Full::All));
    places.let_in(address("2001:db8::4"));
    let mut take = |text, known| places.take(address(text), known, &limits);
    assert_eq!(take("::ffff:192.0.2.1", false), Ok(()));
    let known: Vec<_> = (0..4).map(|_| take("2001:db8::5", true)).collect();
    assert_eq!(known, [Ok(()), Ok(()), Ok(()), Err(Full::Address)]);
    places.leave(address("2001:db8::6"), true);
    assert_eq!(places.take(address("2001:db8::7"), true, &limits), Ok(()));
}

#[test]
fn what_is_written_goes_before_the_usual_shares() {
    let none = ConnectionLimits::default();
    assert_eq!(Limits::written(1600, none), Limits::of(1600));
    let some = ConnectionLimits { all: Some(320), strangers: Some(5000), ..none };
    let limits = Limits::written(1600, some);
    assert_eq!((limits.all, limits.of_one), (320, 160));
    assert_eq!((limits.strangers, limits.of_one_stranger), (1600, 200), "files go before words");
    let some = ConnectionLimits { all: Some(90_000), of_stranger: Some(9), ..none };
    let limits = Limits::written(1600, some);
    assert_eq!((limits.all, limits.of_one_stranger), (1600, 9));
    let some = ConnectionLimits { all: Some(90_000), ..none };
    assert_eq!(Limits::written(100_000, some).all, 90_000, "more than is usual");
}

#[test]
fn line_ends_do_not_keep_a_stranger() {
    let table = Table::new(Limits { stranger_idle: Millis(1500), ..limits() });
    let mut trunk = table.opened(TRUNK);
    let mut stranger = table.opened(stranger(1));
    let begun = std::time::Instant::now();
    until("the stranger is closed all the same", DEADLINE, || {
        let _ = (trunk.write_all(b"\r\n\r\n"), stranger.write_all(b"\r\n\r\n"));
        is_closed(&mut stranger).then_some(())
    });
    assert!(begun.elapsed() >= Duration::from_millis(1000), "it had its time");
    assert!(!is_closed(&mut trunk), "a trunk named it");
}

#[test]
fn who_says_nothing_whole_is_not_waited_for() {
    let table = Table::new(Limits { first_within: Millis(300), ..limits() });
    let mut silent = connect(TRUNK, table.port);
    let mut half = connect(TRUNK, table.port);
    half.write_all(b"OPTIONS sip:sales@127.0.0.1 SIP/2.0\r\nVia: ").expect("sent");
    until("the silent one is closed", DEADLINE, || is_closed(&mut silent).then_some(()));
    until("half a message is not enough", DEADLINE, || is_closed(&mut half).then_some(()));
}

#[test]
fn a_stranger_may_not_be_idle_for_long() {
    let table = Table::new(Limits { stranger_idle: Millis(300), ..limits() });
    let mut trunk = table.opened(TRUNK);
    let mut known = table.opened(stranger(1));
    table.connections.let_in(table.flow(known.local_addr().expect("bound")));
    let mut unknown = table.opened(stranger(1));
    until("the stranger is closed", DEADLINE, || is_closed(&mut unknown).then_some(()));
    let mut another = table.opened(stranger(1));
    until("the next one, too", DEADLINE, || is_closed(&mut another).then_some(()));
    assert!(!is_closed(&mut trunk), "a trunk named it");
    assert!(!is_closed(&mut known), "a call of it was taken");
}

#[test]
fn a_stranger_who_hangs_up_is_not_called_back() {
    let table = Table::new(limits());
    let listener = TcpListener::bind((stranger(5), 0)).expect("bound");
    let flow = table.flow(listener.local_addr().expect("bound"));
    let _inside = table.runtime.enter();
    table.connections.send(flow, Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"));
    table.connections.send(flow, Bytes::from_static(b"OPTIONS sip:x SIP/2.0\r\n\r\n"));
    let (mut called, _) = listener.accept().expect("we call for requests of our own");
    let mut said = [0; 7];
    called.read_exact(&mut said).expect("said");
    assert_eq!(&said, b"OPTIONS");
    listener.set_nonblocking(true).expect("set");
    let more = listener.accept().expect_err("one connection only");
    assert_eq!(more.kind(), ErrorKind::WouldBlock);
}

#[test]
fn refusals_are_counted_and_said_now_and_then() {
    let mut node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    node.kill();
    let path = node.config().join("settings.yaml");
    let settings = std::fs::read_to_string(&path).expect("written before");
    node.write("settings.yaml", &settings.replace("127.0.0.0/8", "127.0.0.1/32"));
    node.launch();
    let _streams: Vec<TcpStream> = (0..200).map(|_| connect(stranger(6), node.sip)).collect();
    until("strangers are refused", DEADLINE, || {
        let refused = node.metric("carillon_connections_refused_total", "port=\"sip\"");
        (refused >= 200.0 - 128.0).then_some(())
    });
    assert!(node.log().matches("a SIP connection was refused").count() <= 2, "{}", node.log());
    let mut trunk = connect(TRUNK, node.sip);
    trunk.write_all(options().as_bytes()).expect("sent");
    trunk.set_read_timeout(Some(DEADLINE)).expect("set");
    let mut said = [0; 11];
    trunk.read_exact(&mut said).expect("answered");
    assert_eq!(&said, b"SIP/2.0 200");
}
