//! Audio and reports from elsewhere, while one waits and while two talk: nobody hears them, nobody
//! is cut off by them, and they are counted.
//!
//! A stranger here is another address, and another port of the very address the phones have; it
//! hums a pitch of its own, with the phones' SSRC and with others.
//!
//! Not here: who may take a stream over, and when (`tests/media/latch.rs`).

use std::net::SocketAddr;
use std::net::UdpSocket;
use std::time::Duration;

use crate::audio::hears;
use crate::audio::strength;
use crate::beside::Beside;
use crate::carillon::Carillon;
use crate::phone::Phone;
use crate::phone::tone_packet;
use crate::wait::until;

const CALLER_HUMS: f64 = 700.0;
const AGENT_HUMS: f64 = 1100.0;
const STRANGER_HUMS: f64 = 2300.0;
/// What the process may grow by, in KiB: a log, some calls that are remembered.
const KIB_MAX: u64 = 8_000;
const BURSTS: u32 = 150;
const IN_A_BURST: u32 = 20;

/// Sends bursts of forged packets to these ports; what came back.
fn shout(from: &str, ports: &[SocketAddr]) -> usize {
    let socket = UdpSocket::bind((from, 0)).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_millis(5))).expect("set");
    let mut heard = 0;
    for burst in 0..BURSTS {
        for nth in 0..IN_A_BURST {
            let frame = burst * IN_A_BURST + nth;
            let mut packet = tone_packet(STRANGER_HUMS, frame);
            if nth % 2 == 1 {
                packet[8..12].copy_from_slice(&frame.to_be_bytes()); // Another SSRC each time.
            }
            for port in ports {
                socket.send_to(&packet, port).expect("sent");
            }
        }
        for port in ports {
            socket.send_to(&rtcp_bye(7), port).expect("sent");
        }
        // The pause between bursts.
        heard += usize::from(socket.recv(&mut [0; 2048]).is_ok());
    }
    heard
}

/// An empty report and a BYE of this source (RFC 3550 §6.6).
fn rtcp_bye(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0x81, 203, 0, 1]);
    packet.extend(ssrc.to_be_bytes());
    packet
}

/// Nobody has ever heard the stranger.
fn assert_unheard(phone: &Phone) {
    for packet in phone.heard().iter().filter(|packet| packet.payload_type == 0) {
        let strength = strength(packet, STRANGER_HUMS);
        // Music has something at every pitch; a hum is all there is of a packet.
        assert!(strength < 0.8, "the stranger is heard: {strength}");
    }
}

fn dropped(node: &Carillon) -> f64 {
    node.metric("carillon_rtp_dropped_total", "why=\"stranger\"")
}

#[test]
fn nobody_hears_a_stranger() {
    let node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {ringSeconds: 60}\n");
    let beside = Beside::start(&node);
    let memory = node.memory_kib();
    let (mut caller, mut agent) = (Phone::new(), Phone::new());
    node.hire("101", agent.port());
    let answer = caller.call("sales", node.sip);
    let to_caller = answer.media().expect("an address");
    // Before the caller has said anything, another address cannot speak for it.
    assert_eq!(shout("127.0.0.2", &[to_caller]), 0);
    // One at its own address can, until it speaks from where it said it would be.
    assert!(shout("127.0.0.1", &[to_caller]) > 0, "whoever comes first is taken for it");
    let before = caller.heard().len();
    caller.hum(CALLER_HUMS);
    until("the caller hears the music again", Duration::from_secs(10), || {
        (caller.heard().len() > before + 50).then_some(())
    });
    for from in ["127.0.0.2", "127.0.0.1"] {
        assert_eq!(shout(from, &[to_caller]), 0, "{from} while one waits");
    }

    node.wish("101", "ready");
    let invite = agent.answer();
    let to_agent = invite.media().expect("an address");
    agent.hum(AGENT_HUMS);
    both_hear(&caller, &agent);
    let counted = dropped(&node);
    for from in ["127.0.0.2", "127.0.0.1"] {
        assert_eq!(shout(from, &[to_caller, to_agent]), 0, "{from} while two talk");
    }
    both_hear(&caller, &agent);
    until("they are counted", Duration::from_secs(5), || {
        // The kernel may have dropped some; most came.
        (dropped(&node) > counted + f64::from(BURSTS * IN_A_BURST)).then_some(())
    });
    for phone in [&caller, &agent] {
        assert_unheard(phone);
    }
    node.hang_up("sales");
    caller.released();
    agent.released();
    beside.finish(&node);
    let grown = node.memory_kib().saturating_sub(memory);
    println!("audio of strangers: {grown} KiB more than {memory}");
    assert!(grown < KIB_MAX, "{grown} KiB more than {memory}");
}

fn both_hear(caller: &Phone, agent: &Phone) {
    until("they hear each other", Duration::from_secs(10), || {
        (hears(caller, AGENT_HUMS) && hears(agent, CALLER_HUMS)).then_some(())
    });
}
