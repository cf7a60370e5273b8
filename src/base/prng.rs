//! A small seeded generator that gives the same numbers everywhere.
//!
//! SplitMix64 (Steele, Lea, Flood 2014): one addition and a mix per number, any seed is good.
//!
//! Always holds: the numbers depend on the seed alone, so replicas that store it stay equal.
//! Not for secrets: tags, nonces and keys come from the machine's entropy (`node::entropy`).

use serde::Deserialize;
use serde::Serialize;

/// A generator whose whole state is one number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prng {
    state: u64,
}

impl Prng {
    /// Starts a sequence; equal seeds give equal sequences.
    pub fn from_seed(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number, all 64 bits of it even.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        (wide >> 64) as u64
    }
}
