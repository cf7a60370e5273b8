//! The media threads with real sockets on loopback: what two phones hear, and whom nobody hears.

use std::net::UdpSocket;
use std::sync::mpsc;
use std::time::Duration;

use carillon::base::id::PromptId;
use carillon::base::time::Millis;
use carillon::media::counters::Counters;
use carillon::media::dtmf::Digit;
use carillon::media::dtmf::Event;
use carillon::media::g711;
use carillon::media::order::Order;
use carillon::media::order::Program;
use carillon::media::order::Report;
use carillon::media::rtp;
use carillon::media::rtp::Header;
use carillon::node::rtp::MediaThreads;
use carillon::node::shard::SHARDS;
use carillon::sdp::Codec;

use crate::peer::*;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A phone that answers every packet it hears with one of its own: the media's pacing is its clock,
/// so nothing depends on how fast the machine is.
struct Phone {
    socket: UdpSocket,
    codec: Codec,
    ssrc: u32,
    level: i16,
    sent: u32,
    heard: Vec<Left>,
}

impl Phone {
    fn new(codec: Codec, ssrc: u32, level: i16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, codec, ssrc, level, sent: 0, heard: Vec::new() }
    }

    fn open(&self, media: &MediaThreads, nth: u32) {
        let agreed = agreed(&self.socket.local_addr().unwrap().to_string(), self.codec);
        let port = media.ports(0)[0];
        let order = Order::Open { stream: leg(nth), port, agreed, signalled_by: None };
        media.order(0, order);
    }

    /// Hears one packet.
    fn hear(&mut self) -> Left {
        let mut bytes = [0; 2048];
        let (len, _) = self.socket.recv_from(&mut bytes).unwrap();
        let (header, audio) = rtp::parse(&bytes[..len]).unwrap();
        let to = self.socket.local_addr().unwrap();
        let left = Left { at: 0, to, header, audio: audio.to_vec() };
        self.heard.push(left.clone());
        left
    }

    fn speak(&mut self, port: u16) {
        let packet = speech(self.codec, self.ssrc, self.sent, self.level);
        self.sent += 1;
        self.socket.send_to(&packet, ("127.0.0.1", port)).unwrap();
    }

    /// The loudness of the last packet heard.
    fn level(&self) -> i16 {
        self.heard.last().map_or(0, |last| g711::decode(self.codec, last.audio[0]))
    }
}

fn start() -> (MediaThreads, mpsc::Receiver<Report>) {
    let (reports, reported) = mpsc::channel();
    let media = MediaThreads::start(&[0], prompts(), move |report| {
        let _ = reports.send(report);
    });
    (media.unwrap(), reported)
}

fn counters(media: &MediaThreads) -> Counters {
    media.counters().next().unwrap()
}

fn near(level: i16, expected: i16) -> bool {
    (i32::from(level) - i32::from(expected)).abs() < i32::from(expected) / 20 + 40
}

/// Lets both phones talk until the condition holds.
fn talk_until(port: u16, a: &mut Phone, b: &mut Phone, holds: impl Fn(&Phone, &Phone) -> bool) {
    for _ in 0..2000 {
        a.speak(port);
        b.speak(port);
        a.hear();
        b.hear();
        if holds(a, b) {
            return;
        }
    }
    panic!("a hears {}, b hears {}", a.level(), b.level());
}

/// No packet repeated, none missing, and no gap over 60 ms in the audio.
fn is_smooth(heard: &[Left]) {
    for pair in heard.windows(2) {
        let (before, after) = (&pair[0].header, &pair[1].header);
        assert_eq!(before.ssrc, after.ssrc);
        assert_eq!(after.sequence.wrapping_sub(before.sequence), 1);
        let step = after.timestamp.wrapping_sub(before.timestamp);
        // A stall of the test machine is no fault of the join; it is seen as a marked leap.
        assert!((160..=640).contains(&step) || after.marker, "{step} samples");
    }
}

#[test]
fn two_phones_hear_welcome_then_music_then_each_other() {
    let (media, reported) = start();
    let port = media.ports(0)[0];
    let mut caller = Phone::new(Codec::Pcmu, 70, 2000);
    let mut agent = Phone::new(Codec::Pcma, 80, 6000);
    caller.open(&media, 0);
    let program = Program {
        first: vec![PromptId::new("welcome")],
        music: Some(PromptId::new("music")),
        announcement: None,
    };
    media.order(0, Order::Play { stream: leg(0), program, token: 1 });
    // Silence may come first: the two orders arrive one after the other.
    while !near(caller.hear().level(), WELCOME) {}
    for _ in 0..4 {
        assert!(near(caller.hear().level(), WELCOME));
    }
    for _ in 0..10 {
        assert!(near(caller.hear().level(), MUSIC));
    }

    agent.open(&media, 1);
    media.order(0, Order::Join { a: leg(0), b: leg(1) });
    talk_until(port, &mut caller, &mut agent, |caller, agent| {
        near(caller.level(), 6000) && near(agent.level(), 2000)
    });
    is_smooth(&caller.heard);
    is_smooth(&agent.heard);

    press(&caller, port, '5');
    let digit = Digit::from_char('5').unwrap();
    let heard = reported.recv_timeout(PATIENCE).unwrap();
    assert_eq!(heard, Report::Digit { stream: leg(0), digit });
    let key = std::iter::repeat_with(|| agent.hear()).find(|packet| packet.header.payload == 101);
    assert_eq!(Event::parse(&key.unwrap().audio).unwrap().digit, digit);
    let order = Order::SendDigit { stream: leg(0), digit, duration: Millis(60) };
    media.order(0, order);
    let key = std::iter::repeat_with(|| caller.hear()).find(|packet| packet.header.payload == 101);
    assert_eq!(Event::parse(&key.unwrap().audio).unwrap().digit, digit);
    media.stop();
}

fn press(phone: &Phone, port: u16, sign: char) {
    let digit = Digit::from_char(sign).unwrap();
    for part in 0..5_u16 {
        let event = Event { digit, end: part >= 2, duration: 160 * (part + 1).min(3) };
        let header = Header {
            marker: part == 0,
            payload: 101,
            sequence: 65_000_u16.wrapping_add(phone.sent as u16 + part),
            timestamp: 0xffff_0000_u32.wrapping_add(phone.sent * 160),
            ssrc: phone.ssrc,
        };
        let bytes = packet(header, &event.write());
        phone.socket.send_to(&bytes, ("127.0.0.1", port)).unwrap();
    }
}

#[test]
fn strangers_are_not_heard() {
    let (media, _reported) = start();
    let port = media.ports(0)[0];
    let mut caller = Phone::new(Codec::Pcmu, 70, 2000);
    let mut agent = Phone::new(Codec::Pcmu, 80, 6000);
    caller.open(&media, 0);
    agent.open(&media, 1);
    media.order(0, Order::Join { a: leg(0), b: leg(1) });
    talk_until(port, &mut caller, &mut agent, |caller, _| near(caller.level(), 6000));
    // Both have been heard, so nobody else can latch.
    let mut stranger = Phone::new(Codec::Pcmu, 90, 12_000);
    let already = caller.heard.len();
    for _ in 0..20 {
        stranger.speak(port);
        caller.speak(port);
        agent.speak(port);
        caller.hear();
        agent.hear();
    }
    let heard = caller.heard[already..].iter().chain(&agent.heard);
    assert!(heard.into_iter().all(|packet| packet.level() < 10_000));
    while counters(&media).strangers < 20 {
        agent.speak(port);
        caller.hear();
    }
    media.stop();
}

#[test]
fn a_busy_port_is_said_and_threads_end() {
    let (media, _reported) = start();
    let port = media.ports(0)[0];
    assert!(MediaThreads::start(&[port], prompts(), |_| ()).is_err());
    media.stop();
    media.stop();
    let again = MediaThreads::start(&[port], prompts(), |_| ()).unwrap();
    drop(again);
}

#[test]
fn shards_and_ports_are_dealt_out_to_the_threads() {
    for count in [1, 2, 3, 4, 5, 8, 16] {
        let media = MediaThreads::start(&vec![0; count], prompts(), |_| ()).unwrap();
        let shards = 0..usize::from(SHARDS);
        let of_shards: Vec<Vec<u16>> = shards.map(|shard| media.ports(shard)).collect();
        assert!(of_shards.iter().all(|ports| !ports.is_empty()), "{count}");
        let mut all = of_shards.concat();
        let given = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "every port is somebody's");
        if count >= 4 * of_shards.len() {
            assert_eq!(given, count, "and nobody else's, if there are enough");
        }
        media.stop();
    }
}
