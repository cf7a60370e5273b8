//! Callers who are turned away leave a line that says why; a flood of them does not fill a disk.
//!
//! Not here: what they are answered (`tests/b2bua/reasons.rs`).

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::UdpSocket;
use std::sync::Mutex;
use std::time::Duration;

use carillon::b2bua::counter::Rejected;
use carillon::b2bua::counter::TurnedAway;
use carillon::b2bua::counter::Why;
use carillon::base::id::TrunkId;
use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::node::door;
use carillon::node::door::Door;
use carillon::node::door::LeftOut;
use carillon::observe::log;

use crate::carillon::Carillon;
use crate::wait::until;

const DEADLINE: Duration = Duration::from_secs(20);
const NUMBER: &str = "+49301234";

fn stranger(source: u32) -> TurnedAway {
    let source = IpAddr::V4(Ipv4Addr::from(source));
    let why = Why::Rejected(Rejected::Source);
    TurnedAway { status: 403, why, source, trunk: None, call_id: "x@y".to_owned() }
}

fn outsider(source: u32) -> TurnedAway {
    TurnedAway { why: Why::Rejected(Rejected::Outsider), ..stranger(source) }
}

fn by_trunk(trunk: &str) -> TurnedAway {
    let why = Why::Rejected(Rejected::Media);
    TurnedAway { trunk: Some(TrunkId::new(trunk)), why, ..stranger(1) }
}

/// A line is due; none of its row had none.
const DUE: Option<LeftOut> = Some(LeftOut { here: 0, elsewhere: 0 });
const START: LocalTime = LocalTime(5_000_000);

#[test]
fn an_address_is_told_of_once_a_minute() {
    let mut door = Door::default();
    assert_eq!(door.due(START, &stranger(1)), DUE);
    assert_eq!(door.due(START + Millis::from_secs(59), &stranger(1)), None);
    assert_eq!(door.due(START + Millis::from_secs(59), &stranger(2)), DUE);
    let later = door.due(START + Millis::from_secs(60), &stranger(1));
    assert_eq!(later, Some(LeftOut { here: 1, elsewhere: 0 }));
}

#[test]
fn a_flood_of_strangers_is_told_of_a_thousand_times_a_minute_at_most() {
    let mut door = Door::default();
    let told = (0..5000).filter(|nth| door.due(START, &stranger(*nth)).is_some()).count();
    assert_eq!(told, 1000);
    assert_eq!(door.due(START, &outsider(7)), DUE, "a row of its own");
    assert_eq!(door.due(START, &stranger(7)), None);
    let later = START + Millis::from_secs(60);
    let first = door.due(later, &stranger(9999)).expect("the first ones are forgotten");
    assert_eq!(first, LeftOut { here: 0, elsewhere: 4001 }, "what they left out is not");
    assert_eq!(door.due(later, &stranger(9998)), DUE, "it is told once");
}

#[test]
fn what_was_left_out_is_told_of_the_same_address_and_in_the_same_row() {
    let mut door = Door::default();
    for caller in [&stranger(1), &stranger(2), &outsider(1), &by_trunk("pbx")] {
        assert_eq!(door.due(START, caller), DUE);
    }
    for (caller, more) in [(&stranger(1), 3), (&outsider(1), 5), (&stranger(2), 0)] {
        assert!((0..more).all(|_| door.due(START, caller).is_none()));
    }
    let later = START + Millis::from_secs(60);
    for (caller, here) in
        [(&stranger(2), 0), (&outsider(1), 5), (&stranger(1), 3), (&by_trunk("pbx"), 0)]
    {
        assert_eq!(door.due(later, caller), Some(LeftOut { here, elsewhere: 0 }));
    }
}

#[test]
fn a_flood_by_a_trunk_is_told_of_twenty_times_a_second() {
    let mut door = Door::default();
    let flood = by_trunk("pbx");
    let told = |door: &mut Door, at| (0..500).filter(|_| door.due(at, &flood).is_some()).count();
    assert_eq!(told(&mut door, START), 20);
    assert_eq!(told(&mut door, START + Millis(999)), 0);
    assert_eq!(door.due(START + Millis(999), &by_trunk("carrier")), DUE, "it has lines of its own");
    let next = door.due(START + Millis::from_secs(1), &flood);
    assert_eq!(next, Some(LeftOut { here: 980, elsewhere: 0 }));
    assert_eq!(told(&mut door, START + Millis::from_secs(1)), 19);
}

/// What is written down of these callers.
fn written(callers: &[TurnedAway]) -> String {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("log");
    let file = std::fs::File::create(&path).expect("a file");
    let subscriber = log::subscriber(log::Format::Plain, "info", Mutex::new(file));
    tracing::subscriber::with_default(subscriber, || {
        for caller in callers {
            door::write(caller, LeftOut { here: 4, elsewhere: 7 });
        }
    });
    std::fs::read_to_string(path).expect("written")
}

#[test]
fn every_line_names_the_call() {
    let callers = [stranger(1), outsider(1), by_trunk("pbx")]
        .map(|caller| TurnedAway { call_id: "a\r\nb@c".to_owned() + &"x".repeat(500), ..caller });
    let log = written(&callers);
    assert_eq!(log.lines().count(), callers.len(), "{log}");
    for line in log.lines() {
        assert!(line.contains("sip_call_id=\"ab@cxx"), "{line}");
        assert!(line.contains("left_out=4") && line.contains("elsewhere=7"), "{line}");
        assert!(line.len() < 500, "{line}");
    }
}

/// Calls an address of the node; the first line of the final answer and its Reason.
fn call(node: &Carillon, user: &str, nth: u32) -> (String, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(DEADLINE)).expect("set");
    let port = socket.local_addr().expect("bound").port();
    let invite = format!(
        "INVITE sip:{user}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP \
         127.0.0.1:{port};branch=z9hG4bK{user}{nth};rport\r\n\
         From: <sip:{NUMBER}@127.0.0.1>;tag=t\r\nTo: <sip:{user}@127.0.0.1>\r\n\
         Call-ID: {user}{nth}@test\r\nCSeq: 1 INVITE\r\nContact: \
         <sip:{NUMBER}@127.0.0.1:{port}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    socket.send_to(invite.as_bytes(), ("127.0.0.1", node.sip)).expect("sent");
    let mut buffer = [0; 65_535];
    loop {
        let read = socket.recv(&mut buffer).expect("an answer");
        let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
        let first = text.lines().next().unwrap_or_default().to_owned();
        if !first.starts_with("SIP/2.0 1") {
            let reason = text.lines().find(|line| line.starts_with("Reason"));
            return (first, reason.unwrap_or_default().to_owned());
        }
    }
}

#[test]
fn the_log_says_who_is_turned_away_and_what_to_do() {
    let mut node = Carillon::start("kind: Queue\nmetadata: {name: shut}\nspec: {open: false}\n");
    let (status, reason) = call(&node, "nobody", 1);
    assert!(status.contains("404") && reason.contains("cause=1;"), "{status} {reason}");
    let (status, reason) = call(&node, "shut", 1);
    assert!(status.contains("480") && reason.contains("cause=20;"), "{status} {reason}");
    let line = |node: &Carillon, words: &str| {
        let log = node.log();
        log.lines().find(|line| line.contains(words)).map(str::to_owned)
    };
    let unknown = until("the 404 is told", DEADLINE, || line(&node, "nobody1@test"));
    let shut = until("the 480 is told", DEADLINE, || line(&node, "shut1@test"));
    for (line, words) in [(&unknown, "UnknownAddress"), (&shut, "Closed"), (&shut, "shut")] {
        assert!(line.contains(" INFO ") && line.contains("loopback"), "{line}");
        assert!(line.contains(words), "{line}");
    }
    assert!(!node.log().contains("no Trunk"), "{}", node.log());

    node.kill();
    let settings = node.config().join("settings.yaml");
    let text = std::fs::read_to_string(&settings).expect("written before");
    let (before, _) = text.split_once("---\nkind: Trunk").expect("a trunk");
    node.write("settings.yaml", before);
    node.launch();
    assert!(node.log().contains("no Trunk lets anybody in"), "{}", node.log());
    for nth in 2..5 {
        let (status, reason) = call(&node, "shut", nth);
        assert!(status.contains("403") && reason.contains("cause=21;"), "{status} {reason}");
    }
    let remedy = "no Trunk allows calls from 127.0.0.1; add it to a Trunk's inbound.allowedSources";
    let warning = until("the stranger is told of", DEADLINE, || line(&node, remedy));
    assert!(warning.contains(" WARN ") && warning.contains("shut2@test"), "{warning}");
    assert_eq!(node.log().matches(remedy).count(), 1, "{}", node.log());
    assert!(!node.log().contains(NUMBER), "{}", node.log());
    node.kill();
}
