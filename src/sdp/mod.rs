//! SDP: what a peer says it can receive, and the offer/answer both sides settle it with (RFC 3264).
//!
//! ```text
//! bytes ─► Session::parse ─► answer ─► (our answer, Agreed)        the peer offered
//!                          └► accept ─► Agreed                     the peer answered our offer
//! Local ─► offer ─► bytes        Local + Agreed ─► offer_again ─► bytes
//! ```
//!
//! One audio stream a leg: G.711 and RFC 4733 telephone events. Whatever else is offered (video,
//! fax, secured profiles) is declined in its place with port 0, never left out.
//!
//! RTCP has no port of its own here:
//!
//! | the peer | sends its reports | gets ours |
//! |---|---|---|
//! | multiplexes (`a=rtcp-mux`, RFC 5761) | to our RTP port | where its audio comes from |
//! | knows `a=rtcp` (RFC 3605) | to our RTP port, which we name | where it says, or at port + 1 |
//! | knows neither | to our RTP port + 1 | at its port + 1 |
//!
//! In the second row two kinds of packets meet on one port though the peer did not agree to
//! multiplex, which RFC 5761 5.1.1 asks an offerer not to do: only our own reading is concerned,
//! and it tells them apart. In the third they are heard if that port is one of the same media
//! thread, as it is for an even port in the middle of the range; else they are strangers.
//!
//! A packet length (`a=ptime`) is a wish of who receives (RFC 4566 6): we send what we make as the
//! peer asks, 10 to 40 ms, and repeat its wish as ours, so that both ways are alike. What is
//! relayed keeps the length its sender gave it, for cutting it anew would cost delay; so the offer
//! to a second party asks for the length the first one asked for.
//!
//! Always holds: an answer has the offer's `m=` lines in the offer's order and names only formats
//! the offer named (`tests/media/sdp.rs`). Identifier and version of `o=` are handed in; the caller
//! raises the version when, and only when, what it says has changed.
//!
//! Not here: who owes whom an offer (`sip::dialog`), and packets (`media`).

pub mod negotiate;
pub mod session;
pub mod write;

pub use negotiate::Agreed;
pub use negotiate::Codec;
pub use negotiate::CodecList;
pub use negotiate::Local;
pub use negotiate::Refusal;
pub use negotiate::accept;
pub use negotiate::accept_again;
pub use negotiate::answer;
pub use negotiate::offer;
pub use negotiate::offer_again;
pub use session::Direction;
pub use session::Session;
