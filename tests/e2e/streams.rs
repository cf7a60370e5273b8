//! TCP connections that dawdle, lie about lengths, or send nonsense: answered where that is
//! possible, and closed; others do not notice.

use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use crate::beside::Beside;
use crate::carillon::Carillon;

/// What the process may grow by, in KiB: a log, some calls that are remembered.
const KIB_MAX: u64 = 8_000;

const QUEUE: &str =
    "kind: Queue\nmetadata: {name: sales}\nspec: {overflow: {noAgents: {wait: {}}}}\n";

fn options(branch: &str, length: usize) -> String {
    format!(
        "OPTIONS sip:sales@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{branch}\
         \r\nFrom: <sip:c@127.0.0.1>;tag=t\r\nTo: <sip:sales@127.0.0.1>\r\nCall-ID: {branch}\r\n\
         CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn connect(node: &Carillon) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", node.sip)).expect("connected");
    stream.set_read_timeout(Some(Duration::from_millis(500))).expect("set");
    stream
}

/// Reads until the node closes, sending `drip` twice a second; what was read and how long it took.
fn read_to_end(mut stream: TcpStream, drip: &[u8]) -> (String, Duration) {
    let begin = Instant::now();
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    while begin.elapsed() < Duration::from_secs(40) {
        match stream.read(&mut buffer) {
            Ok(0) => return (String::from_utf8_lossy(&all).into_owned(), begin.elapsed()),
            Ok(read) => all.extend_from_slice(&buffer[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let _ = stream.write_all(drip);
            }
            Err(_) => return (String::from_utf8_lossy(&all).into_owned(), begin.elapsed()),
        }
    }
    panic!("the node keeps the connection; it said {}", String::from_utf8_lossy(&all));
}

fn statuses(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.strip_prefix("SIP/2.0 ")?.split(' ').next()).collect()
}

#[test]
fn a_message_that_was_begun_must_be_finished_soon() {
    let node = Carillon::start(QUEUE);
    let (beside, before) = (Beside::start(&node), node.memory_kib());
    let mut known = connect(&node);
    known.write_all(options("known", 0).as_bytes()).expect("sent");
    known.write_all(b"OPTIONS sip:sales@127.0.0.1 SIP/2.0\r\nSubject: ").expect("sent");
    let mut stranger = connect(&node);
    stranger.write_all(b"OPTIONS sip:sales@127.0.0.1 SIP/2.0\r\nSubject: ").expect("sent");
    let strangers = std::thread::spawn(move || read_to_end(stranger, b"x"));
    let (said, took) = read_to_end(known, b"x");
    assert_eq!(statuses(&said), ["200"]);
    assert!((12..25).contains(&took.as_secs()), "{took:?}, however often a byte came");
    let (said, took) = strangers.join().expect("no panic");
    assert_eq!(said, "");
    assert!((8..20).contains(&took.as_secs()), "{took:?}");
    // A whole message and then silence is a connection in good order.
    let mut quiet = connect(&node);
    quiet.write_all(options("quiet", 0).as_bytes()).expect("sent");
    let begin = Instant::now();
    let mut buffer = [0; 4096];
    while begin.elapsed() < Duration::from_secs(20) {
        match quiet.read(&mut buffer) {
            Ok(0) => panic!("closed after {:?}", begin.elapsed()),
            Ok(_) => {}
            Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock), "{error}"),
        }
    }
    assert_unnoticed(&node, beside, before);
}

/// Nobody has noticed, and little is kept.
fn assert_unnoticed(node: &Carillon, beside: Beside, before: u64) {
    beside.finish(node);
    let grown = node.memory_kib().saturating_sub(before);
    println!("streams: {grown} KiB more than {before}");
    assert!(grown < KIB_MAX, "{grown} KiB more than {before}");
}

#[test]
fn the_last_request_of_an_unreadable_stream_is_answered_and_the_stream_closed() {
    let node = Carillon::start(QUEUE);
    let (beside, before) = (Beside::start(&node), node.memory_kib());
    let junk = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";
    let next = options("next", 0);
    let cases = [
        // Far too long: 513, though the body is on its way.
        (format!("{}{}", options("long", 90_000), "x".repeat(60_000)), vec!["513"]),
        // No length at all: 400, and what follows could be anything.
        (options("none", 0).replace("Content-Length: 0\r\n", ""), vec!["400"]),
        // A length too short: the message is as long as it says, the rest of the body is junk.
        (format!("{}{junk}{next}", options("short", 3)), vec!["200"]),
    ];
    for (bytes, expected) in cases {
        let mut stream = connect(&node);
        stream.write_all(bytes.as_bytes()).expect("sent");
        let (said, took) = read_to_end(stream, next.as_bytes());
        assert_eq!(statuses(&said), expected, "{said}");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    assert_unnoticed(&node, beside, before);
}
