//! Whatever Carillon copies from one side to another may be hostile: names callers give, addresses
//! and targets in REST bodies, texts of the configuration. What goes out is one well-formed
//! message with the headers it always has, and logs, metrics and events keep their lines. Others do
//! not notice.
//!
//! Two parsers judge what goes out: our own and that of `sipx-sip`.
//!
//! Not here: every builder by itself (`tests/sip/injection.rs`).

use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::time::Duration;

use bytes::Bytes;
use carillon::sip::Message;
use serde_json::Value;
use serde_json::json;
use sipx_sip::Finding;
use sipx_sip::Limits;

use crate::beside::Beside;
use crate::carillon::Carillon;
use crate::carillon::TOKEN;
use crate::phone::Text;
use crate::stranger::Overheard;
use crate::stranger::Stranger;
use crate::stranger::status;
use crate::wait::until;

/// What the process may grow by, in KiB: a log, some calls that are remembered.
const KIB_MAX: u64 = 32_000;

/// What somebody may put where a word is expected.
const HOSTILE: [&str; 12] = [
    "x\r\nEvil: yes",
    "x\nEvil: yes",
    "x\rEvil: yes",
    "x\r\n\r\nINVITE sip:evil SIP/2.0",
    "x\0y",
    "\"><sip:evil@127.0.0.9>;tag=evil",
    "a;b,c<d>\\",
    "x%0d%0aEvil: yes",
    "x%00y",
    "Zoë 🦀 \u{202e}\u{2028}Evil",
    "\u{85}Evil: yes\u{b}",
    "?Evil=yes&Subject=x",
];

/// An agent's phone that is always busy, and a caller.
struct Scene {
    node: Carillon,
    desk: UdpSocket,
    caller: Stranger,
    calls: u32,
    /// The header names of an INVITE to the desk, and of a REFER.
    usual: Vec<Vec<String>>,
}

/// Reads a message with both parsers, and returns the names of its headers.
fn judged(bytes: &[u8], what: &str) -> Vec<String> {
    let shown = String::from_utf8_lossy(bytes).into_owned();
    let bytes = Bytes::copy_from_slice(bytes);
    let ours =
        Message::parse(bytes.clone()).unwrap_or_else(|error| panic!("{what}: {error:?}\n{shown}"));
    let theirs = sipx_sip::parse_datagram(bytes, &Limits::datagram())
        .unwrap_or_else(|error| panic!("{what}: {error:?}\n{shown}"));
    let findings = sipx_sip::validate(&theirs);
    assert!(findings.iter().all(Finding::is_repairable), "{what}: {findings:?}\n{shown}");
    let names: Vec<String> = ours.all_headers().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(theirs.headers().len(), names.len(), "{what}: {shown}");
    assert_eq!(theirs.body().as_ref(), ours.body(), "{what}: {shown}");
    assert!(!names.iter().any(|name| name.eq_ignore_ascii_case("evil")), "{what}: {shown}");
    let plain = |letter: char| !letter.is_ascii_control() || "\r\n\t".contains(letter);
    assert!(shown.chars().all(plain), "{what}: {shown:?}");
    names
}

impl Scene {
    fn new() -> Self {
        let node = Carillon::start(
            "kind: Queue\nmetadata: {name: sales}\nspec: {displayName: Sales, ringSeconds: 60}\n",
        );
        let desk = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        desk.set_read_timeout(Some(Duration::from_millis(100))).expect("set");
        let caller = Stranger::at("127.0.0.1", node.sip);
        let scene = Self { node, desk, caller, calls: 0, usual: Vec::new() };
        scene.node.write(
            "agents.yaml",
            &format!(
                "kind: Agent\nmetadata: {{name: \"101\"}}\nspec: {{queues: [sales], device: \
                 {{address: \"{}\"}}}}\n",
                scene.device("101")
            ),
        );
        scene.node.wait_for_agent("101", "LoggedOut");
        scene.log_in(&json!({}));
        scene
    }

    fn device(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.desk.local_addr().expect("bound"))
    }

    fn log_in(&self, body: &Value) -> u16 {
        self.node.ask("/api/v1/agents/101/login", body).0
    }

    /// The next request the desk gets, retransmissions of others left out.
    fn rung(&self, call: &str) -> (Vec<u8>, SocketAddr) {
        let mut buffer = [0; 65_535];
        until(&format!("the desk is rung for {call}"), Duration::from_secs(10), || {
            let (read, from) = self.desk.recv_from(&mut buffer).ok()?;
            let fresh = buffer.starts_with(b"INVITE");
            fresh.then(|| (buffer[..read].to_vec(), from))
        })
    }

    /// Calls with these From and further lines; if the call is taken, the INVITE the desk gets.
    fn ring(&mut self, from: Option<&str>, more: &str, what: &str) -> Option<Vec<u8>> {
        self.calls += 1;
        let mut known = Overheard::of_nothing("sales", &format!("c{}", self.calls), self.node.sip);
        if let Some(from) = from {
            known.from = format!("{from};tag=c{}", self.calls);
        }
        let answer = self.caller.call(&known, more);
        let given = status(Some(&answer));
        if given != 200 {
            assert!((400..500).contains(&given), "{what}: {given}");
            return None;
        }
        let (status, problem) = self.node.ask("/api/v1/agents/101/ready", &json!({}));
        assert_eq!(status, 200, "{problem}");
        let (invite, node) = self.rung(what);
        let text = Text::read(&String::from_utf8_lossy(&invite));
        let busy = format!(
            "SIP/2.0 486 Busy Here\r\n{}{}To: {};tag=desk\r\n{}{}Content-Length: 0\r\n\r\n",
            text.all("via"),
            text.all("from"),
            text.header("to"),
            text.all("call-id"),
            text.all("cseq"),
        );
        self.desk.send_to(busy.as_bytes(), node).expect("sent");
        self.node.wait_for_agent("101", "NotReady");
        Some(invite)
    }

    fn the_call(&self) -> String {
        let calls = self.node.read("/api/v1/queues/sales/calls");
        calls["items"][0]["id"].as_str().expect("a call").to_owned()
    }

    /// Ends the call that waits.
    fn end(&self) {
        self.node.hang_up("sales");
        self.answer("BYE", "200 OK");
        self.node.wait_for_queue("sales", "/waiting", 0);
    }

    /// Waits until the caller gets a request, judges it, and answers it.
    fn answer(&self, method: &str, status: &str) -> Vec<String> {
        let (text, bytes) = until(method, Duration::from_secs(10), || {
            self.caller.hear_bytes().filter(|(text, _)| text.first.starts_with(method))
        });
        let answer = format!(
            "SIP/2.0 {status}\r\n{}{}{}{}{}Content-Length: 0\r\n\r\n",
            text.all("via"),
            text.all("from"),
            text.all("to"),
            text.all("call-id"),
            text.all("cseq"),
        );
        self.caller.say(&answer);
        judged(&bytes, method)
    }

    /// Rings with this, and compares the headers with the usual ones.
    fn ring_as_usual(&mut self, from: Option<&str>, more: &str, what: &str) -> bool {
        let Some(invite) = self.ring(from, more, what) else { return false };
        let names = judged(&invite, what);
        assert_eq!(names, self.usual[0], "{what}: {}", String::from_utf8_lossy(&invite));
        self.end();
        true
    }
}

#[test]
fn nothing_copied_breaks_out_of_its_place() {
    let mut scene = Scene::new();
    let beside = Beside::start(&scene.node);
    let before = scene.node.memory_kib();
    let plain = scene.ring(None, "", "plain").expect("a plain call is taken");
    scene.usual.push(judged(&plain, "plain"));
    scene.end();
    names_of_callers(&mut scene);
    addresses_of_phones(&mut scene);
    targets_of_transfers(&mut scene);
    texts_of_the_configuration(&mut scene);
    bodies_that_are_no_text(&scene);
    beside.finish(&scene.node);
    what_is_told_keeps_its_lines(&scene);
    let grown = scene.node.memory_kib().saturating_sub(before);
    println!("injected: {grown} KiB more than {before}");
    assert!(grown < KIB_MAX, "{grown} KiB more than {before}");
}

fn names_of_callers(scene: &mut Scene) {
    let long = "x".repeat(1_500);
    let mut taken = 0;
    for name in HOSTILE.into_iter().chain([long.as_str()]) {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        let escaped: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let here = "127.0.0.1:9";
        let shapes = [
            (format!("\"{quoted}\" <sip:x@{here}>"), String::new()),
            (format!("<sip:{escaped}@{here}>"), String::new()),
            (
                format!("<sip:x@{here}>"),
                format!("P-Asserted-Identity: \"{quoted}\" <sip:{escaped}@{here}>\r\n"),
            ),
        ];
        for (from, more) in shapes {
            let shown: String = name.chars().take(40).collect();
            let what = format!("a caller who is called {shown:?}");
            taken += u32::from(scene.ring_as_usual(Some(&from), &more, &what));
        }
    }
    assert!(taken > 20, "only {taken} calls were taken");
}

fn addresses_of_phones(scene: &mut Scene) {
    for word in HOSTILE {
        let plain = scene.device("101");
        let escaped: String = word.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for device in [format!("{plain};x={word}"), scene.device(word), scene.device(&escaped)] {
            let (logged_out, problem) =
                scene.node.ask("/api/v1/agents/101/force-logout", &json!({}));
            assert_eq!(logged_out, 200, "{problem}");
            match scene.log_in(&json!({ "device": device })) {
                200 => {
                    scene.ring_as_usual(None, "", &format!("a phone at {device:?}"));
                }
                status => {
                    assert_eq!(status, 422, "{device:?}");
                    assert_eq!(scene.log_in(&json!({})), 200);
                }
            }
        }
    }
}

fn targets_of_transfers(scene: &mut Scene) {
    let known = Overheard::of_nothing("sales", "to-transfer", scene.node.sip);
    assert_eq!(status(Some(&scene.caller.call(&known, ""))), 200);
    scene.node.wait_for_queue("sales", "/waiting", 1);
    let path = format!("/api/v1/calls/{}/transfer", scene.the_call());
    let transfer = |to: &str| match scene.node.ask(&path, &json!({ "to": to })).0 {
        202 => Some(scene.answer("REFER", "603 Decline")),
        status => {
            assert!((400..500).contains(&status), "{to:?}: {status}");
            None
        }
    };
    let usual = transfer("sip:plain@127.0.0.1").expect("a plain transfer is tried");
    for word in HOSTILE {
        let escaped: String = word.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let targets = [
            word.to_owned(),
            format!("sip:{word}@127.0.0.1"),
            format!("sip:{escaped}@127.0.0.1"),
            format!("sip:x@127.0.0.1;x={word}"),
            format!("tel:{word}"),
        ];
        for to in targets {
            if let Some(names) = transfer(&to) {
                assert_eq!(names, usual, "{to:?}");
            }
        }
    }
    scene.end();
}

fn texts_of_the_configuration(scene: &mut Scene) {
    for (nth, word) in HOSTILE.into_iter().enumerate() {
        let refused = || scene.node.metric("carillon_config_rejected_total", "");
        let before = refused();
        let shown = || scene.node.read("/api/v1/queues/sales")["displayName"].clone();
        // JSON is YAML, escapes and all.
        let write = |name: &str| {
            let queue = json!({
                "kind": "Queue", "metadata": { "name": "sales" },
                "spec": { "displayName": name, "ringSeconds": 60 },
            });
            scene.node.write("centre.yaml", &queue.to_string());
        };
        // The same mistake twice is one mistake, so something right stands between them.
        let right = format!("Sales {nth}");
        write(&right);
        until("a plain text is taken", Duration::from_secs(20), || {
            (shown() == right.as_str()).then_some(())
        });
        write(word);
        let taken = until("the text is taken or refused", Duration::from_secs(20), || {
            let now = (shown() == word, refused() > before);
            (now.0 || now.1).then_some(now.0)
        });
        if taken {
            let what = format!("a queue that is called {word:?}");
            assert!(scene.ring_as_usual(None, "", &what), "{what}");
        }
    }
}

/// Half of a surrogate pair, NUL and raw line ends are no reason for an answer that is none.
fn bodies_that_are_no_text(scene: &Scene) {
    let bodies =
        [r#"{"reason": "\ud800"}"#, r#"{"reason": "x\u0000y"}"#, "{\"reason\": \"x\r\ny\"}", "\0"];
    for body in bodies {
        let answer = http(
            scene.node.api,
            &format!(
                "POST /api/v1/agents/101/not-ready HTTP/1.0\r\nAuthorization: Bearer \
                 {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        );
        let first = answer.lines().next().unwrap_or_default();
        let refused = first.contains(" 400 ") || first.contains(" 422 ");
        assert!(refused, "{body:?}: {answer}");
        let (_, problem) = answer.split_once("\r\n\r\n").expect("a body");
        assert!(serde_json::from_str::<Value>(problem).is_ok(), "{body:?}: {answer}");
    }
}

fn what_is_told_keeps_its_lines(scene: &Scene) {
    for line in scene.node.log().lines() {
        let begins = line.split_whitespace().next().unwrap_or_default();
        assert!(begins.starts_with("20") && begins.ends_with('Z'), "a log line: {line:?}");
    }
    for line in scene.node.metrics_page().lines().filter(|line| !line.starts_with("# ")) {
        let value = line.rsplit(' ').next().unwrap_or_default();
        let sound = line.starts_with("carillon_") && value.parse::<f64>().is_ok();
        assert!(sound, "a line of the metrics: {line:?}");
    }
    let events = http(
        scene.node.api,
        &format!("GET /api/v1/events?after=0 HTTP/1.0\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"),
    );
    let (_, events) = events.split_once("\r\n\r\n").expect("a head");
    let mut told = 0;
    for line in events.split(['\r', '\n']).filter(|line| !line.is_empty()) {
        match line.split_once(':') {
            Some(("data", data)) => {
                assert!(serde_json::from_str::<Value>(data).is_ok(), "{line:?}");
                told += 1;
            }
            Some(("event", name)) => {
                assert!(name.trim().bytes().all(|byte| byte.is_ascii_alphanumeric()), "{line:?}");
            }
            Some(("id", id)) => assert!(id.trim().parse::<u64>().is_ok(), "{line:?}"),
            Some(("", _)) => {}
            other => panic!("a line of the events: {other:?}"),
        }
    }
    assert!(told > 100, "only {told} events: {events}");
}

/// Sends a request as it is written; everything that comes within a second of the last byte.
fn http(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("set");
    stream.write_all(request.as_bytes()).expect("sent");
    let (mut all, mut buffer) = (Vec::new(), [0; 65_536]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        all.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(all).expect("what is said is UTF-8")
}
