//! A phone of the tests that hears: a few lines of SIP in plain text, and RTP both ways.
//!
//! It speaks SIP by string formatting on purpose: it shares no code with Carillon, so a mistake in
//! Carillon's codec cannot hide itself.
//!
//! Not here: judging what was heard (`audio.rs`).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::wait::until;

/// One RTP packet as heard.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) at: Instant,
    pub(crate) sequence: u16,
    pub(crate) payload_type: u8,
    pub(crate) payload: Vec<u8>,
}

/// A phone with one call.
pub(crate) struct Phone {
    sip: Arc<UdpSocket>,
    rtp: Arc<UdpSocket>,
    heard: Arc<Mutex<Vec<Heard>>>,
    spoken: Arc<Mutex<Vec<Instant>>>,
    media: Arc<Mutex<Option<SocketAddr>>>,
    over: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

/// A text message taken apart as far as a phone needs it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    pub(crate) first: String,
    headers: BTreeMap<String, Vec<String>>,
    body: String,
}

impl Text {
    pub(crate) fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let first = lines.next().unwrap_or_default().to_owned();
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let values = headers.entry(name.trim().to_lowercase()).or_default();
            values.push(value.trim().to_owned());
        }
        Self { first, headers, body: body.to_owned() }
    }

    /// The first value of a header, empty if absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|values| values.first()).map_or("", String::as_str)
    }

    /// All lines of a header, each with its line end.
    pub(crate) fn all(&self, name: &str) -> String {
        let values = self.headers.get(name).map(Vec::as_slice).unwrap_or_default();
        values.iter().map(|value| format!("{name}: {value}\r\n")).collect()
    }

    /// The URI of its Contact.
    pub(crate) fn contact(&self) -> String {
        let contact = self.header("contact");
        let inner = contact.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        inner.map_or(contact, |(uri, _)| uri).to_owned()
    }

    /// Where it wants audio.
    pub(crate) fn media(&self) -> Option<SocketAddr> {
        let host = self.body.lines().find_map(|line| line.strip_prefix("c=IN IP4 "))?;
        let port = self.body.lines().find_map(|line| line.strip_prefix("m=audio "))?;
        let port: u16 = port.split(' ').next()?.parse().ok()?;
        Some(SocketAddr::new(host.trim().parse().ok()?, port))
    }
}

impl Phone {
    /// Takes two free ports and begins to listen for RTP.
    pub(crate) fn new() -> Self {
        let sip = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        sip.set_read_timeout(Some(Duration::from_millis(100))).expect("set");
        let rtp = Arc::new(UdpSocket::bind("127.0.0.1:0").expect("a socket"));
        rtp.set_read_timeout(Some(Duration::from_millis(50))).expect("set");
        let mut phone = Self {
            sip: Arc::new(sip),
            rtp,
            heard: Arc::default(),
            spoken: Arc::default(),
            media: Arc::default(),
            over: Arc::default(),
            threads: Vec::new(),
        };
        phone.listen();
        phone
    }

    /// The port it is rung at.
    pub(crate) fn port(&self) -> u16 {
        self.sip.local_addr().expect("bound").port()
    }

    /// Everything heard so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no panic holds it").clone()
    }

    /// When each packet was sent so far.
    pub(crate) fn spoken(&self) -> Vec<Instant> {
        self.spoken.lock().expect("no panic holds it").clone()
    }

    fn listen(&mut self) {
        let (rtp, heard, over) =
            (Arc::clone(&self.rtp), Arc::clone(&self.heard), Arc::clone(&self.over));
        self.threads.push(thread::spawn(move || {
            let mut packet = [0; 2048];
            while !over.load(Ordering::Relaxed) {
                let Ok(read) = rtp.recv(&mut packet) else { continue };
                if read >= 12 && packet[0] >> 6 == 2 {
                    heard.lock().expect("no panic holds it").push(Heard {
                        at: Instant::now(),
                        sequence: u16::from_be_bytes([packet[2], packet[3]]),
                        payload_type: packet[1] & 0x7f,
                        payload: packet[12..read].to_vec(),
                    });
                }
            }
        }));
    }

    /// Sends a tone of this pitch until the phone is dropped.
    pub(crate) fn hum(&mut self, hertz: f64) {
        let (rtp, media, over) =
            (Arc::clone(&self.rtp), Arc::clone(&self.media), Arc::clone(&self.over));
        let spoken = Arc::clone(&self.spoken);
        self.threads.push(thread::spawn(move || {
            let begun = Instant::now();
            for frame in 0_u32.. {
                let due = begun + Duration::from_millis(20) * frame;
                while Instant::now() < due {
                    thread::park_timeout(due - Instant::now());
                }
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let target = *media.lock().expect("no panic holds it");
                if let Some(target) = target {
                    let _ = rtp.send_to(&tone_packet(hertz, frame), target);
                    spoken.lock().expect("no panic holds it").push(Instant::now());
                }
            }
        }));
    }

    /// Sends nothing any more, as if its power was gone; it still hears.
    pub(crate) fn hush(&self) {
        *self.media.lock().expect("no panic holds it") = None;
    }

    /// Sends one RFC 4733 digit: four packets and three ends.
    pub(crate) fn press(&self, event: u8, timestamp: u32) {
        let target = self.media.lock().expect("no panic holds it").expect("in a call");
        for nth in 0..7_u16 {
            let end = nth >= 4;
            let duration = 160 * (nth.min(4) + 1);
            let mut packet = vec![0x80, 101 | if nth == 0 { 0x80 } else { 0 }];
            packet.extend((40_000 + nth).to_be_bytes());
            packet.extend(timestamp.to_be_bytes());
            packet.extend(7_u32.to_be_bytes());
            packet.extend([event, if end { 0x8a } else { 0x0a }]);
            packet.extend(duration.to_be_bytes());
            self.rtp.send_to(&packet, target).expect("sent");
        }
    }

    fn receive(&self) -> Option<(Text, SocketAddr)> {
        let mut buffer = [0; 65_535];
        let (read, from) = self.sip.recv_from(&mut buffer).ok()?;
        Some((Text::read(&String::from_utf8_lossy(&buffer[..read])), from))
    }

    fn wait_for(&self, what: &str, wanted: impl Fn(&Text) -> bool) -> (Text, SocketAddr) {
        until(what, Duration::from_secs(20), || self.receive().filter(|(text, _)| wanted(text)))
    }

    fn description(&self) -> String {
        let port = self.rtp.local_addr().expect("bound").port();
        format!(
            "v=0\r\no=p 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio \
             {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 \
             telephone-event/8000\r\na=fmtp:101 0-16\r\n"
        )
    }

    fn begin_media(&self, text: &Text) {
        *self.media.lock().expect("no panic holds it") = text.media();
    }

    /// Calls `queue` and is answered; the dialog's last answer.
    pub(crate) fn call(&self, queue: &str, node: u16) -> Text {
        let (port, body) = (self.port(), self.description());
        let head = format!(
            "From: \"Test Caller\" <sip:4711@127.0.0.1:{port}>;tag=caller\r\nCall-ID: \
             call-{port}@test\r\nContact: <sip:4711@127.0.0.1:{port}>\r\nMax-Forwards: 70\r\n"
        );
        let invite = format!(
            "INVITE sip:{queue}@127.0.0.1:{node} SIP/2.0\r\nVia: SIP/2.0/UDP \
             127.0.0.1:{port};branch=z9hG4bKi{port}\r\n{head}To: \
             <sip:{queue}@127.0.0.1:{node}>\r\nCSeq: 1 INVITE\r\nContent-Type: \
             application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let node = SocketAddr::from(([127, 0, 0, 1], node));
        self.sip.send_to(invite.as_bytes(), node).expect("sent");
        let (answer, _) = self.wait_for("200", |text| text.first.starts_with("SIP/2.0 200"));
        self.begin_media(&answer);
        let ack = format!(
            "ACK {} SIP/2.0\r\nVia: SIP/2.0/UDP \
             127.0.0.1:{port};branch=z9hG4bKa{port}\r\n{head}{}CSeq: 1 \
             ACK\r\nContent-Length: 0\r\n\r\n",
            answer.contact(),
            answer.all("to"),
        );
        self.sip.send_to(ack.as_bytes(), node).expect("sent");
        answer
    }

    /// Waits to be rung, answers, and returns the INVITE.
    pub(crate) fn answer(&self) -> Text {
        let (invite, node) = self.rung();
        self.pick_up(&invite, node);
        invite
    }

    /// Waits to be rung; the INVITE, and where from.
    pub(crate) fn rung(&self) -> (Text, SocketAddr) {
        self.wait_for("an INVITE", |text| text.first.starts_with("INVITE"))
    }

    /// Answers the INVITE and waits for the ACK.
    pub(crate) fn pick_up(&self, invite: &Text, node: SocketAddr) {
        self.begin_media(invite);
        let body = self.description();
        let tag = if invite.header("to").contains("tag=") { "" } else { ";tag=agent" };
        let answer = format!(
            "SIP/2.0 200 OK\r\n{}{}To: {}{tag}\r\n{}{}Contact: \
             <sip:agent@127.0.0.1:{}>\r\nContent-Type: application/sdp\r\nContent-Length: \
             {}\r\n\r\n{body}",
            invite.all("via"),
            invite.all("from"),
            invite.header("to"),
            invite.all("call-id"),
            invite.all("cseq"),
            self.port(),
            body.len()
        );
        self.sip.send_to(answer.as_bytes(), node).expect("sent");
        self.wait_for("the ACK", |text| text.first.starts_with("ACK"));
    }

    /// Waits to be told to send its audio elsewhere, and does; the re-INVITE.
    pub(crate) fn moved(&self) -> Text {
        let (invite, node) = self.wait_for("a re-INVITE", |text| {
            text.first.starts_with("INVITE") && text.header("to").contains("tag=")
        });
        self.pick_up(&invite, node);
        invite
    }

    /// Waits for the BYE and answers it.
    pub(crate) fn released(&self) {
        let (bye, node) = self.wait_for("the BYE", |text| text.first.starts_with("BYE"));
        let answer = format!(
            "SIP/2.0 200 OK\r\n{}{}{}{}{}Content-Length: 0\r\n\r\n",
            bye.all("via"),
            bye.all("from"),
            bye.all("to"),
            bye.all("call-id"),
            bye.all("cseq"),
        );
        self.sip.send_to(answer.as_bytes(), node).expect("sent");
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// The `frame`th 20 ms of a tone as an RTP packet of G.711 µ-law.
pub(crate) fn tone_packet(hertz: f64, frame: u32) -> Vec<u8> {
    let mut packet = vec![0x80, if frame == 0 { 0x80 } else { 0 }];
    packet.extend((frame as u16).to_be_bytes());
    packet.extend((frame * 160).to_be_bytes());
    packet.extend(7_u32.to_be_bytes());
    packet.extend((0..160).map(|n| {
        let moment = f64::from(frame * 160 + n) / 8000.0;
        encode((f64::sin(moment * hertz * std::f64::consts::TAU) * 8000.0) as i32)
    }));
    packet
}

/// ITU-T G.711 µ-law of one sample.
fn encode(sample: i32) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.abs().min(32_635) + 132;
    let exponent = 31 - magnitude.leading_zeros() as i32 - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | (exponent << 4) | mantissa) as u8
}

/// The sample of one µ-law byte.
pub(crate) fn decode(byte: u8) -> f64 {
    let byte = !byte;
    let exponent = i32::from(byte >> 4) & 7;
    let magnitude = (((i32::from(byte) & 0x0f) << 3) + 132) << exponent;
    f64::from(if byte & 0x80 == 0 { magnitude - 132 } else { 132 - magnitude })
}
