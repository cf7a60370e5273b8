//! SDP and media: offer/answer, RTP, RTCP, G.711, DTMF, prompts, relaying, latching, pacing.

#![expect(clippy::unwrap_used, reason = "what these tests build themselves is there")]

mod dtmf;
mod engine;
mod g711;
mod joined;
mod latch;
mod lengths;
mod pacing;
mod peer;
mod prompt;
mod relay;
mod rtcp;
mod rtp;
mod sdp;
mod threads;
