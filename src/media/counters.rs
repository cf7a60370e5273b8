//! What a media thread counts, for the metrics.
//!
//! Always holds: every packet received is counted in `received` and, if it was not used, in exactly
//! one of `strangers`, `ambiguous` and `malformed`.
//!
//! Not here: names and labels of metrics (`observe`).

/// Everything counted since the thread began; only `streams` goes down again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Streams open now.
    pub streams: u64,
    /// Streams joined with another now, each of the two counted.
    pub joined: u64,
    /// Packets sent, RTP and RTCP.
    pub sent: u64,
    /// RTP packets that left more than 10 ms after they were due.
    pub late: u64,
    /// Packets received, RTP and RTCP.
    pub received: u64,
    /// Packets of nobody: dropped.
    pub strangers: u64,
    /// Packets that could be of several streams: dropped.
    pub ambiguous: u64,
    /// Reports of peers by RTCP, read and used.
    pub reports: u64,
    /// Packets of ours that never came to the peer, as its reports tell.
    pub undelivered: u64,
    /// Neither RTP nor RTCP, or of a payload type that was not agreed: dropped.
    pub malformed: u64,
    /// RTP packets that never came, by their sequence numbers.
    pub lost: u64,
    /// Streams that latched onto an address that was not announced.
    pub latched: u64,
    /// Keys heard.
    pub digits: u64,
    /// Orders for a port this thread does not have.
    pub misdirected: u64,
}
