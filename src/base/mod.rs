//! Words everybody shares: names of things, the two clocks, a generator, rates, and private values.
//!
//! Floor 0 of the house: it imports nothing of Carillon and decides nothing. What is here has no
//! behaviour beyond being compared, printed and stored.
//!
//! Not here: anything a single floor could own by itself.

pub mod id;
mod name;
pub mod prng;
pub mod rate;
pub mod secret;
pub mod time;
