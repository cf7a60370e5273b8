//! Phones that say everything until it was heard: many calls on one socket, with the repeats of
//! RFC 3261 §17 and §13.3.1.4 and nothing else of it.
//!
//! They speak plain text, as `phone.rs` does, and share no code with Carillon. A request is said
//! again until its answer comes, a 200 to an INVITE until its ACK; what is heard again is answered
//! again with the same bytes.
//!
//! Not here: audio (`phone.rs`), the link they talk over (`link.rs`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::phone::Text;

/// The first pause before something is said again, and the longest.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// How long something is said at all: 64·T1.
const PATIENCE: Duration = Duration::from_secs(32);

/// How many messages are heard in a row, however many there are.
const HEARD_MAX: usize = 100;

/// What the phones of a line do.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// They call the queue, one after the other, and wait until the other side hangs up; no more
    /// than so many, and until they are told to stop.
    Callers { queue: String, calls: usize, pause: Duration },
    /// They answer at once, talk for this long and hang up.
    Agents { talk: Duration },
}

/// What happened on a line, by Call-ID.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    /// How many calls were begun.
    pub(crate) begun: usize,
    /// No more are begun.
    pub(crate) is_over: bool,
    /// Who got a 200, or the ACK of one.
    pub(crate) talked: BTreeSet<String>,
    /// Whose BYE came, or was answered.
    pub(crate) ended: BTreeSet<String>,
    /// What went wrong.
    pub(crate) complaints: Vec<String>,
    /// What was said once more, because no answer came in time.
    pub(crate) said_again: Vec<String>,
    /// What was heard once more, though it had been answered.
    pub(crate) heard_again: Vec<String>,
}

/// A socket full of phones; they live on until it is dropped.
pub(crate) struct Line {
    /// Where they are.
    pub(crate) at: SocketAddr,
    phones: Option<Phones>,
    story: Arc<Mutex<Story>>,
    enough: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Something that is said until it was heard.
struct Saying {
    text: String,
    is_said: bool,
    due: Instant,
    pause: Duration,
    until: Instant,
}

struct Phones {
    socket: UdpSocket,
    part: Part,
    /// Where everything is sent.
    peer: SocketAddr,
    /// What the phones call their own address.
    named: SocketAddr,
    started: usize,
    next_call: Instant,
    sayings: BTreeMap<String, Saying>,
    /// What was answered to a request, by its branch and method.
    answers: BTreeMap<String, String>,
    /// What follows, by Call-ID: a caller's ACK, an agent's BYE.
    follows: BTreeMap<String, String>,
    story: Arc<Mutex<Story>>,
    enough: Arc<AtomicBool>,
}

impl Line {
    /// Takes a port; nobody speaks before [`Self::begin`].
    pub(crate) fn new(part: Part) -> Self {
        Self::at(Ipv4Addr::LOCALHOST, part)
    }

    /// The same at another address.
    pub(crate) fn at(address: Ipv4Addr, part: Part) -> Self {
        let socket = UdpSocket::bind((address, 0)).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(10))).expect("set");
        let at = socket.local_addr().expect("bound");
        let (story, enough) = (Arc::<Mutex<Story>>::default(), Arc::<AtomicBool>::default());
        let phones = Phones {
            socket,
            part,
            peer: at,
            named: at,
            started: 0,
            next_call: Instant::now(),
            sayings: BTreeMap::new(),
            answers: BTreeMap::new(),
            follows: BTreeMap::new(),
            story: Arc::clone(&story),
            enough: Arc::clone(&enough),
        };
        Self { at, phones: Some(phones), story, enough, over: Arc::default(), thread: None }
    }

    /// Begins to speak over the link at this address, which is also what they call their own.
    pub(crate) fn begin(&mut self, link: SocketAddr) {
        self.begin_with(link, link);
    }

    /// Begins to speak to a node directly.
    pub(crate) fn begin_without_link(&mut self, node: SocketAddr) {
        self.begin_with(self.at, node);
    }

    fn begin_with(&mut self, named: SocketAddr, peer: SocketAddr) {
        let Some(mut phones) = self.phones.take() else { return };
        (phones.named, phones.peer, phones.next_call) = (named, peer, Instant::now());
        let over = Arc::clone(&self.over);
        self.thread = Some(thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                phones.step();
            }
        }));
    }

    /// Lets nobody begin a call any more; the story tells when that is so.
    pub(crate) fn stop_calling(&self) {
        self.enough.store(true, Ordering::Relaxed);
    }

    /// What happened so far.
    pub(crate) fn story(&self) -> Story {
        self.story.lock().expect("no panic holds it").clone()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Phones {
    fn step(&mut self) {
        let mut buffer = [0; 65_535];
        // Whatever is there is heard before anything is said again: who is late must not take that
        // for a silence of the other side.
        for _ in 0..HEARD_MAX {
            let Ok(read) = self.socket.recv(&mut buffer) else { break };
            let text = Text::read(&String::from_utf8_lossy(&buffer[..read]));
            if let Some(rest) = text.first.strip_prefix("SIP/2.0 ") {
                let status = rest.split(' ').next().and_then(|status| status.parse().ok());
                self.on_response(&text, status.unwrap_or(0));
            } else {
                self.on_request(&text);
            }
        }
        self.call_when_due();
        self.repeat();
    }

    fn call_when_due(&mut self) {
        let Part::Callers { queue, calls, pause } = &self.part else { return };
        if self.started == *calls || self.enough.load(Ordering::Relaxed) {
            self.tell(|story| story.is_over = true);
            return;
        }
        if Instant::now() < self.next_call {
            return;
        }
        self.next_call += *pause;
        let (queue, nth, at) = (queue.clone(), self.started, self.named);
        self.started += 1;
        let body = description(at);
        let invite = format!(
            "INVITE sip:{queue}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKi{nth}\r\n\
             From: <sip:c{nth}@{at}>;tag=c{nth}\r\nTo: <sip:{queue}@127.0.0.1>\r\nCall-ID: \
             c{nth}@{at}\r\nCSeq: 1 INVITE\r\nContact: <sip:c{nth}@{at}>\r\nMax-Forwards: \
             70\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.tell(|story| story.begun += 1);
        self.say(format!("INVITE c{nth}@{at}"), invite, Duration::ZERO);
    }

    /// Says something after a while, and again until it is heard.
    fn say(&mut self, name: String, text: String, after: Duration) {
        let due = Instant::now() + after;
        let saying = Saying { text, is_said: false, due, pause: T1, until: due + PATIENCE };
        self.sayings.insert(name, saying);
    }

    fn repeat(&mut self) {
        let now = Instant::now();
        for (name, saying) in self.sayings.iter_mut().filter(|(_, saying)| saying.due <= now) {
            let _ = self.socket.send_to(saying.text.as_bytes(), self.peer);
            if std::mem::replace(&mut saying.is_said, true) {
                self.story.lock().expect("no panic holds it").said_again.push(name.clone());
            }
            (saying.due, saying.pause) = (now + saying.pause, (saying.pause * 2).min(T2));
        }
        let given_up = |saying: &Saying| now > saying.until;
        for (name, _) in self.sayings.extract_if(.., |_, saying| given_up(saying)) {
            let mut story = self.story.lock().expect("no panic holds it");
            story.complaints.push(format!("nobody heard {name}"));
        }
    }

    fn send(&self, text: &str) {
        let _ = self.socket.send_to(text.as_bytes(), self.peer);
    }

    fn tell(&self, what: impl FnOnce(&mut Story)) {
        what(&mut self.story.lock().expect("no panic holds it"));
    }

    fn on_response(&mut self, text: &Text, status: u16) {
        let call = text.header("call-id").to_owned();
        let method = text.header("cseq").split(' ').nth(1).unwrap_or_default();
        let name = format!("{method} {call}");
        if method != "INVITE" {
            self.sayings.remove(&name);
            self.tell(|story| {
                story.ended.insert(call);
            });
            return;
        }
        // RFC 3261 §17.1.1.2: any response stops the repeats.
        self.sayings.remove(&name);
        match status {
            100..200 => {}
            200..300 => {
                let ack = self.follows.entry(call.clone()).or_insert_with(|| ack(text, self.named));
                let ack = ack.clone();
                self.send(&ack);
                self.tell(|story| {
                    if !story.talked.insert(call) {
                        story.heard_again.push(name);
                    }
                });
            }
            _ => self.tell(|story| story.complaints.push(format!("{call}: {}", text.first))),
        }
    }

    fn on_request(&mut self, text: &Text) {
        let method = text.first.split(' ').next().unwrap_or_default().to_owned();
        let call = text.header("call-id").to_owned();
        let key = format!("{method} {}", text.header("via"));
        if let Some(answer) = self.answers.get(&key) {
            self.send(answer);
            self.tell(|story| story.heard_again.push(key));
            return;
        }
        match method.as_str() {
            "INVITE" => {
                let answer = answer(text, self.named);
                self.answers.insert(key, answer.clone());
                self.say(format!("200 {call}"), answer, Duration::ZERO);
                self.follows.insert(call, bye(text, self.named));
            }
            "ACK" => self.on_ack(&call),
            _ => {
                let answer = response(text, "200 OK", "");
                self.send(&answer);
                self.answers.insert(key, answer);
                if method == "BYE" {
                    self.tell(|story| {
                        story.ended.insert(call);
                    });
                }
            }
        }
    }

    fn on_ack(&mut self, call: &str) {
        self.sayings.remove(&format!("200 {call}"));
        let Part::Agents { talk } = self.part else { return };
        // The BYE was made from the INVITE; it goes out once.
        let Some(bye) = self.follows.remove(call) else { return };
        self.tell(|story| {
            story.talked.insert(call.to_owned());
        });
        self.say(format!("BYE {call}"), bye, talk);
    }
}

fn description(at: SocketAddr) -> String {
    // Nobody listens at the port of discarding.
    format!(
        "v=0\r\no=p 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 9 RTP/AVP \
         0\r\na=rtpmap:0 PCMU/8000\r\n",
        ip = at.ip()
    )
}

/// The ACK of a 200 to our INVITE.
fn ack(answer: &Text, at: SocketAddr) -> String {
    let call = answer.header("call-id");
    format!(
        "ACK {} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKa{call}\r\nMax-Forwards: \
         70\r\n{}{}{}CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
        answer.contact(),
        answer.all("from"),
        answer.all("to"),
        answer.all("call-id"),
    )
}

/// A response to a request.
fn response(request: &Text, status: &str, more: &str) -> String {
    format!(
        "SIP/2.0 {status}\r\n{}{}{}{}{}{}",
        request.all("via"),
        request.all("from"),
        request.all("call-id"),
        request.all("cseq"),
        if more.is_empty() { request.all("to") } else { String::new() },
        if more.is_empty() { "Content-Length: 0\r\n\r\n" } else { more },
    )
}

/// The 200 to an INVITE.
fn answer(invite: &Text, at: SocketAddr) -> String {
    let body = description(at);
    let more = format!(
        "To: {};tag=agent\r\nContact: <sip:agent@{at}>\r\nContent-Type: \
         application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        invite.header("to"),
        body.len()
    );
    response(invite, "200 OK", &more)
}

/// The BYE that will end the call of an INVITE we answer.
fn bye(invite: &Text, at: SocketAddr) -> String {
    let call = invite.header("call-id");
    format!(
        "BYE {} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKb{call}\r\nMax-Forwards: \
         70\r\nFrom: {};tag=agent\r\nTo: {}\r\n{}CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
        invite.contact(),
        invite.header("to"),
        invite.header("from"),
        invite.all("call-id"),
    )
}
