//! The protocol between nodes: TCP, length-prefixed frames, postcard inside.
//!
//! ```text
//! dialer                                  listener
//!   Hello {cluster, from, to, purpose} ──►
//!                              ◄── Welcome {cluster, node, incarnation}   or Refused
//!   Call {id, ask}  ──►
//!                              ◄── Return {id, answer}
//! ```
//!
//! One connection serves one [`frame::Purpose`], so that a large batch of entries or a snapshot
//! never stands in front of a heartbeat. One codec reads a connection from its first byte to its
//! last: nothing is read ahead into a buffer that a second codec does not know of.
//!
//! Always holds: nothing is said to a node before it has proved to be the one meant (an address is
//! given to another pod sooner or later); every call has its own deadline, and one that misses it
//! ends the connection it was made on.
//!
//! Not here: what Raft says over it ([`super::network`]).

pub mod frame;
pub mod link;
pub mod server;
