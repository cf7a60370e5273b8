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
