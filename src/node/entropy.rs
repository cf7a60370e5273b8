//! The only place that asks the operating system for randomness.
//!
//! Always holds: keys, tags and identifiers are drawn here or from a generator seeded here.

use crate::base::id::RequestId;

/// Fills a buffer with random bytes.
///
/// # Panics
///
/// When the operating system has no randomness to give, which leaves nothing safe to do.
pub fn fill(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the operating system gives randomness"); // See above.
}

/// An array of random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// A random number.
pub fn number() -> u64 {
    u64::from_le_bytes(bytes())
}

/// A new name for a proposal.
pub fn request_id() -> RequestId {
    RequestId(u128::from_le_bytes(bytes()))
}
