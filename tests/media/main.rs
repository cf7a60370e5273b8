//! SDP and media: offer/answer, RTP, RTCP, G.711, DTMF, prompts, relaying, latching, pacing.

mod dtmf;
mod engine;
mod g711;
mod latch;
mod pacing;
mod peer;
mod prompt;
mod relay;
mod rtp;
mod sdp;
