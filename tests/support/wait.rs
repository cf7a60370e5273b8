//! Waiting for a condition with a deadline, instead of sleeping and hoping.
//!
//! Not here: measuring. A deadline is far longer than the thing should take.

use std::time::Duration;
use std::time::Instant;

/// Looks again and again until `look` finds something; fails with `what` after `within`.
pub(crate) fn until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < within, "waited {within:?} in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
