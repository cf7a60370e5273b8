//! A softphone's sound: a tone of its own every 20 ms, and a count of what is heard.
//!
//! Always holds: the phone sends at the pace of RTP whatever it hears, and stops when dropped.
//!
//! Not here: judging the sound; the demo only tells whether there was any.

use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::media::g711;
use crate::media::rtp;
use crate::node::entropy;
use crate::sdp::Agreed;
use crate::sdp::Codec;
use crate::sdp::CodecList;
use crate::sdp::Direction;
use crate::sdp::Local;
use crate::sdp::negotiate::PTIME_MS;

const FRAME: usize = 160;

/// A phone's microphone and ear.
pub(super) struct Voice {
    socket: Arc<UdpSocket>,
    heard: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Voice {
    /// Opens a port for RTP.
    pub(super) async fn open() -> io::Result<Self> {
        let socket = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        Ok(Self { socket, heard: Arc::default(), tasks: Vec::new() })
    }

    /// What the phone can do, to be offered or answered with.
    pub(super) fn local(&self) -> io::Result<Local> {
        let address = self.socket.local_addr()?;
        Ok(Local {
            address: address.ip(),
            port: address.port(),
            id: entropy::number() >> 2,
            version: 1,
            direction: Direction::SendRecv,
            codecs: CodecList::preferring(Codec::Pcmu),
            ptime_ms: PTIME_MS,
        })
    }

    /// Begins to speak and to listen.
    pub(super) fn begin(&mut self, agreed: &Agreed) {
        let (socket, heard) = (Arc::clone(&self.socket), Arc::clone(&self.heard));
        self.tasks.push(tokio::spawn(async move {
            let mut packet = [0; 2048];
            while let Ok(length) = socket.recv(&mut packet).await {
                if rtp::parse(&packet[..length]).is_some() {
                    heard.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
        let codec = agreed.codec;
        self.tasks.push(tokio::spawn(hum(Arc::clone(&self.socket), agreed.remote, codec)));
    }

    /// How many packets were heard so far.
    pub(super) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Sends a soft triangle wave of a pitch of its own until aborted.
async fn hum(socket: Arc<UdpSocket>, peer: SocketAddr, codec: Codec) {
    let (ssrc, period) = (entropy::number() as u32, 20 + (entropy::number() % 40) as i32);
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut packet = [0; rtp::HEADER_LEN + FRAME];
    for sequence in 0_u32.. {
        pace.tick().await;
        let header = rtp::Header {
            marker: sequence == 0,
            payload: codec.payload(),
            sequence: sequence as u16,
            timestamp: sequence.wrapping_mul(FRAME as u32),
            ssrc,
        };
        rtp::write(&header, &mut packet);
        for (nth, byte) in packet[rtp::HEADER_LEN..].iter_mut().enumerate() {
            let phase = (nth as i32) % period;
            let height = (2 * phase - period).abs() * 4000 / period - 2000;
            *byte = g711::encode(codec, height as i16);
        }
        let _ = socket.send_to(&packet, peer).await;
    }
}
