//! When two sides change a call at once: how long each waits after a 491 (RFC 3261 §14.1).
//!
//! The side that made the Call-ID waits 2.1 to 4 seconds, the other 0 to 2, both in steps of
//! 10 ms, so that the second attempt of one meets the pause of the other.
//!
//! Not here: who gets a 491 (`offer_answer`), and drawing the random number (handed in).

use crate::base::time::Millis;

/// The pause before a refused change is tried again, if it is still wanted.
pub fn retry_after(owns_call_id: bool, random: u64) -> Millis {
    if owns_call_id { Millis(2100 + 10 * (random % 191)) } else { Millis(10 * (random % 201)) }
}
