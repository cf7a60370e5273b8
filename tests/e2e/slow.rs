//! Senders who are slow, endless or untrue about lengths, by the hundred: they have their places,
//! their time and no more, and others call meanwhile, over TCP as well.
//!
//! Not here: each of them by itself (`streams.rs`), counting places (`tests/node/crowd.rs`).

use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::time::Duration;
use std::time::Instant;

use socket2::Domain;
use socket2::Socket;
use socket2::Type;

use crate::siege::Siege;
use crate::siege::WRONG;
use crate::siege::socket;
use crate::siege::stranger;
use crate::sipp::Over;
use crate::wait::until;

/// Connections of the PBX gone wrong, and of all strangers.
const PLACES: [usize; 2] = [250, 150];

/// What a connection may cost: its buffers, ours and that of one message at most.
const KIB_EACH: usize = 160;
const KIB_BESIDE: usize = 16 * 1024;

fn options(branch: &str, more: &str) -> String {
    format!(
        "OPTIONS sip:sales@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;rport;branch=z9hG4bK\
         {branch}\r\nFrom: <sip:c@127.0.0.1>;tag=t\r\nTo: <sip:sales@127.0.0.1>\r\nCall-ID: \
         {branch}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n{more}\r\n"
    )
}

/// What is sent at each turn.
type Form = Box<dyn Fn(usize) -> Vec<u8>>;

/// A connection that sends and listens without waiting.
struct Sender {
    stream: TcpStream,
    said: Vec<u8>,
    is_open: bool,
}

impl Sender {
    fn new(from: Ipv4Addr, siege: &Siege) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((from, 0)).into()).expect("bound");
        let node = SocketAddr::from((Ipv4Addr::LOCALHOST, siege.node.sip));
        socket.connect(&node.into()).expect("connected");
        socket.set_nonblocking(true).expect("set");
        Self { stream: socket.into(), said: Vec::new(), is_open: true }
    }

    /// Sends as much of this as is taken now.
    fn send(&mut self, bytes: &[u8]) {
        // One that is closed is noticed when it is listened to.
        let _ = self.stream.write(bytes);
    }

    /// Hears what the node says; `false`: it has closed.
    fn listen(&mut self) -> bool {
        let mut buffer = [0; 4096];
        while self.is_open {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.is_open = false,
                Ok(read) => self.said.extend(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => self.is_open = false,
            }
        }
        false
    }

    /// The statuses of what was answered.
    fn statuses(&self) -> Vec<String> {
        let said = String::from_utf8_lossy(&self.said).into_owned();
        let lines = said.lines().filter_map(|line| line.strip_prefix("SIP/2.0 "));
        lines.filter_map(|rest| Some(rest.split(' ').next()?.to_owned())).collect()
    }
}

fn files(siege: &Siege) -> usize {
    let open = std::fs::read_dir(format!("/proc/{}/fd", siege.node.pid()));
    open.expect("it runs").count()
}

fn begin() -> Siege {
    let [wrong, strange] = PLACES;
    Siege::begin(&format!(
        "{{connectionsInAll: 600, trunks: {{connections: {wrong}}}, strangers: {{connections: 100, \
         connectionsInAll: {strange}}}}}"
    ))
}

#[test]
fn a_byte_a_second_takes_a_place_for_a_while_and_no_more() {
    let siege = begin();
    let (before, files_before) = (siege.memory(), files(&siege));
    let [wrong, strange] = PLACES;
    let mut senders: Vec<Sender> = (0..wrong + 20).map(|_| Sender::new(WRONG, &siege)).collect();
    let strangers = (0..strange + 20).map(|nth| Sender::new(stranger(nth as u32 % 4), &siege));
    senders.extend(strangers);
    until("those beyond their places are refused", Duration::from_secs(20), || {
        let refused = siege.node.metric("carillon_connections_refused_total", "port=\"sip\"");
        (refused >= 40.0).then_some(())
    });
    let request = options("slow", "Content-Length: 0\r\n");
    let drip = std::thread::spawn(move || {
        for byte in request.as_bytes().chunks(1).take(60) {
            senders.iter_mut().for_each(|sender| sender.send(byte));
            let next = Instant::now() + Duration::from_secs(1);
            while Instant::now() < next {
                std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
            }
            if !senders.iter_mut().fold(false, |any, sender| sender.listen() | any) {
                return senders;
            }
        }
        senders
    });
    siege.calls_go_through(Over::Tcp);
    let grown = siege.memory().saturating_sub(before);
    let senders = drip.join().expect("no panic");
    assert!(senders.iter().all(|sender| !sender.is_open), "all are closed");
    assert!(senders.iter().all(|sender| sender.said.is_empty()), "none had anything to say");
    println!("slow: {grown} KiB more than {before}");
    assert!(grown <= (wrong + strange) * KIB_EACH + KIB_BESIDE, "{grown} KiB more");
    until("their files are closed", Duration::from_secs(20), || {
        (files(&siege) <= files_before + 4).then_some(())
    });
    siege.end();
}

#[test]
fn endless_messages_end() {
    let siege = begin();
    let before = siege.memory();
    let callers = siege.callers(Over::Udp);
    let endless = |begin: String, more: String| {
        move |turn: usize| match turn {
            0 => begin.clone().into_bytes(),
            _ => more.clone().into_bytes(),
        }
    };
    let long = "x".repeat(1000);
    let forms: [(&str, Form); 5] = [
        (
            "",
            Box::new(endless(
                options("h", "").replace("\r\n\r\n", "\r\n"),
                format!("X: {long}\r\n"),
            )),
        ),
        ("", Box::new(endless("OPTIONS sip:".to_owned(), long.clone()))),
        ("513", Box::new(endless(options("b", "Content-Length: 1000000000\r\n"), long.clone()))),
        (
            "400",
            Box::new(endless(
                options("c", "Content-Length: 99999999999999999999\r\n"),
                long.clone(),
            )),
        ),
        ("200", Box::new(endless(options("g", "Content-Length: 0\r\n"), long.clone()))),
    ];
    let mut senders: Vec<Sender> = (0..100).map(|_| Sender::new(WRONG, &siege)).collect();
    let mut turn = 0;
    until("every endless stream is closed", Duration::from_secs(60), || {
        for (sender, (_, form)) in senders.iter_mut().zip(forms.iter().cycle()) {
            sender.send(&form(turn));
        }
        turn += 1;
        let open = senders.iter_mut().filter_map(|sender| sender.listen().then_some(())).count();
        (open == 0).then_some(())
    });
    for (sender, (status, _)) in senders.iter().zip(forms.iter().cycle()) {
        let expected: Vec<&str> = status.split(' ').filter(|status| !status.is_empty()).collect();
        assert_eq!(sender.statuses(), expected);
    }
    let grown = siege.memory().saturating_sub(before);
    println!("endless: {grown} KiB more than {before}");
    assert!(grown <= 100 * KIB_EACH + KIB_BESIDE, "{grown} KiB more");
    callers.finish_at_once();
    siege.end();
}

#[test]
fn who_asks_in_heaps_and_never_listens_is_let_go() {
    let siege = begin();
    let before = siege.memory();
    let heap: String =
        (0..200).map(|nth| options(&format!("heap{nth}"), "Content-Length: 0\r\n")).collect();
    let mut senders: Vec<Sender> = (0..20).map(|_| Sender::new(WRONG, &siege)).collect();
    let asked = || siege.node.metric("carillon_sip_requests_total", "method=\"OPTIONS\"");
    until("heaps are asked", Duration::from_secs(60), || {
        senders.iter_mut().for_each(|sender| sender.send(heap.as_bytes()));
        (asked() >= 20_000.0).then_some(())
    });
    siege.calls_go_through(Over::Tcp);
    let grown = siege.memory().saturating_sub(before);
    println!("heaps: {grown} KiB more than {before}");
    assert!(grown <= 20 * 1024 + 2 * KIB_BESIDE, "{grown} KiB more");
    drop(senders);
    siege.falls("carillon_sip_transactions", 0.0);
    siege.end();
}

#[test]
fn untrue_lengths_are_refused_whichever_way_they_come() {
    let siege = begin();
    let before = siege.memory();
    let callers = siege.callers(Over::Udp);
    let lies =
        ["Content-Length: 5\r\nContent-Length: 7\r\n", "Content-Length: -1\r\n", "l: one\r\n"];
    for (nth, lie) in lies.iter().enumerate() {
        let text = options(&format!("lie{nth}"), lie) + "12345";
        let mut sender = Sender::new(WRONG, &siege);
        sender.send(text.as_bytes());
        until("the stream is closed", Duration::from_secs(20), || (!sender.listen()).then_some(()));
        assert_eq!(sender.statuses(), ["400"], "{lie}");
        assert_eq!(exchange(&siege, &text).as_deref(), Some("400"), "{lie}");
    }
    let long = options("long", "Content-Length: 70\r\n") + "12345";
    assert_eq!(exchange(&siege, &long).as_deref(), Some("400"), "longer than the datagram");
    let brief = options("brief", "Content-Length: 2\r\n") + "12345";
    assert_eq!(exchange(&siege, &brief).as_deref(), Some("200"), "the rest is nobody's");
    callers.finish_at_once();
    let grown = siege.memory().saturating_sub(before);
    println!("untrue: {grown} KiB more than {before}");
    assert!(grown <= KIB_BESIDE, "{grown} KiB more than {before}");
    siege.end();
}

/// Sends a datagram, and again, until it is answered; the status.
fn exchange(siege: &Siege, text: &str) -> Option<String> {
    let from: UdpSocket = socket(WRONG);
    let datagram = text.replace("SIP/2.0/TCP", "SIP/2.0/UDP");
    let mut buffer = [0; 4096];
    let said = until("an answer", Duration::from_secs(20), || {
        let _ = from.send_to(datagram.as_bytes(), ("127.0.0.1", siege.node.sip));
        let read = from.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..read]).into_owned())
    });
    said.split(' ').nth(1).map(str::to_owned)
}
