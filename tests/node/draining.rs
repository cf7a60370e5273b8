//! A node that is told to stop says so to whoever asks, while its last callers hang up.

use std::net::UdpSocket;
use std::time::Duration;

use crate::carillon::Carillon;
use crate::wait::until;

const DEADLINE: Duration = Duration::from_secs(20);

const QUEUE: &str =
    "kind: Queue\nmetadata: {name: sales}\nspec: {overflow: {noAgents: {wait: {}}}}\n";

struct Peer {
    socket: UdpSocket,
    node: u16,
    asked: u32,
}

impl Peer {
    fn new(node: &Carillon) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a deadline");
        Self { socket, node: node.sip, asked: 0 }
    }

    fn send(&self, method: &str, call_id: &str, to: &str, body: &str) {
        let cseq = if method == "BYE" { 2 } else { 1 };
        let (me, node) = (self.socket.local_addr().expect("bound"), self.node);
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "{method} sip:sales@127.0.0.1:{node} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {me};branch=z9hG4bK{method}{call_id}\r\nMax-Forwards: 70\r\n\
             From: <sip:p@{me}>;tag=1\r\nTo: <sip:sales@127.0.0.1>{to}\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:p@{me}>\r\n{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len(),
        );
        self.socket.send_to(text.as_bytes(), ("127.0.0.1", node)).expect("sent");
    }

    /// The next message that holds these words.
    fn hear(&self, words: &str) -> Option<String> {
        let mut buffer = [0; 4000];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.contains(words) {
                return Some(text);
            }
        }
        None
    }

    /// Asks how the node is; the first line of its answer.
    fn ask(&mut self) -> Option<String> {
        self.asked += 1;
        let call_id = format!("health{}", self.asked);
        self.send("OPTIONS", &call_id, "", "");
        let answer = self.hear(&call_id)?;
        assert_eq!(answer.contains("Retry-After:"), answer.starts_with("SIP/2.0 503"), "{answer}");
        answer.lines().next().map(str::to_owned)
    }
}

/// Calls, and waits in the queue; the tag of the node in that dialog.
fn call(node: &Carillon, peer: &Peer) -> String {
    let me = peer.socket.local_addr().expect("bound");
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {} RTP/AVP 0\r\n",
        me.port()
    );
    peer.send("INVITE", "call", "", &sdp);
    let answer = until("200", DEADLINE, || peer.hear("SIP/2.0 200 OK"));
    let to = answer.lines().find_map(|line| line.strip_prefix("To: ")).expect("To");
    let tag = to.split_once(";tag=").expect("a tag").1.to_owned();
    peer.send("ACK", "call", &format!(";tag={tag}"), "");
    node.wait_for_queue("sales", "/waiting", 1);
    tag
}

#[test]
fn a_node_that_stops_answers_503_to_options() {
    let mut node = Carillon::start(QUEUE);
    let mut peer = Peer::new(&node);
    assert_eq!(until("an answer", DEADLINE, || peer.ask()), "SIP/2.0 200 OK");

    // A caller who does not answer the BYE keeps the node until its patience is at an end.
    call(&node, &peer);

    node.tell_to_stop();
    until("the caller's BYE", DEADLINE, || peer.hear("BYE "));
    assert_eq!(until("an answer", DEADLINE, || peer.ask()), "SIP/2.0 503 Service Unavailable");
    node.terminate();
}

#[test]
fn a_drained_node_keeps_its_calls_refuses_new_ones_and_takes_them_again() {
    let node = Carillon::start(QUEUE);
    let peer = Peer::new(&node);
    let tag = call(&node, &peer);

    let (status, answer) = node.ask("/api/v1/cluster/drain", &serde_json::json!({}));
    assert_eq!((status, &answer["draining"]), (200, &serde_json::json!(true)));
    let other = Peer::new(&node);
    other.send("INVITE", "late", "", "");
    let refused = until("an answer", DEADLINE, || other.hear("SIP/2.0 503"));
    assert!(refused.contains("Retry-After:"), "{refused}");
    node.wait_for_queue("sales", "/waiting", 1);

    let (status, answer) = node.send("DELETE", "/api/v1/cluster/drain", &serde_json::json!({}));
    assert_eq!((status, &answer["draining"]), (200, &serde_json::json!(false)));
    other.send("INVITE", "later", "", "");
    until("the call is taken", DEADLINE, || other.hear("SIP/2.0 200 OK"));
    node.wait_for_queue("sales", "/waiting", 2);

    peer.send("BYE", "call", &format!(";tag={tag}"), "");
    until("the first call has ended", DEADLINE, || peer.hear("SIP/2.0 200 OK"));
    node.wait_for_queue("sales", "/waiting", 1);
}
