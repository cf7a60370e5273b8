//! The only worldly place: clocks, entropy, sockets and threads.
//!
//! Always holds: nothing here decides about a call; clocks and entropy are read in [`clock`] and
//! [`entropy`] alone.
//!
//! Not here: what is put together (every other floor).

pub mod clock;
pub mod entropy;
pub mod rtp;
