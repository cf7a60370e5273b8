//! Waiting for a condition with a deadline in tests that run on tokio, as `wait.rs` does elsewhere.
//!
//! Not here: measuring. The deadline is far longer than the thing should take.

use std::time::Duration;
use std::time::Instant;

/// Longer than anything here may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until `ask` finds something; fails with `what` after [`PATIENCE`].
pub(crate) async fn until_some<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
