//! What operators see: metrics, health, and log lines about what happened.
//!
//! ```text
//! facts ──► metrics (counters, histograms) ─┐
//!       └─► log (one line a fact)           ├─► /metrics
//! view ───► scrape (gauges, at each scrape) ┘   /healthz  /readyz
//! ```
//!
//! Always holds: no label and no line at info level comes from a caller.
//!
//! Not here: listening (`node`), REST for people and programs (`api`), what SIP and RTP count
//! (they count it themselves; `node` hands it to [`metrics::Metrics`]).

pub mod health;
pub mod log;
pub mod losses;
pub mod metrics;

mod scrape;
