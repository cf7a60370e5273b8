//! Notices that a part of the node has ended which must not: a shard, a socket, the log, a thread.
//!
//! A part that panics is gone for good, and its calls with it; the rest would go on as if nothing
//! were wrong. So whoever runs the node is told ([`Pulse::ended`]), `/healthz` fails, and the
//! process ends with an error, to be started anew.
//!
//! Always holds: a part that is stopped on purpose (aborted, or told to) is not reported; of all
//! that end, the first is named.
//!
//! Not here: what is done about it ([`crate::node`]), connections, which end all the time.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Knows whether all parts are alive; clones are the same.
#[derive(Clone, Debug)]
pub struct Pulse {
    ended: Arc<watch::Sender<Option<String>>>,
}

/// Held by a part as long as it lives.
#[derive(Clone, Debug)]
pub struct Alive {
    what: String,
    pulse: Pulse,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { ended: Arc::new(watch::Sender::new(None)) }
    }
}

impl Pulse {
    /// Runs a part that is not to end by itself.
    pub fn keep(
        &self,
        what: impl Into<String>,
        part: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let alive = self.alive(what);
        tokio::spawn(async move {
            part.await;
            alive.pulse.report(&alive.what);
        })
    }

    /// What a thread holds: if it is dropped by a panic, the part has ended.
    pub fn alive(&self, what: impl Into<String>) -> Alive {
        Alive { what: what.into(), pulse: self.clone() }
    }

    /// The part that has ended, as soon as one has.
    pub fn watched(&self) -> watch::Receiver<Option<String>> {
        self.ended.subscribe()
    }

    /// Waits until a part has ended; its name.
    pub async fn ended(&self) -> String {
        let mut watched = self.watched();
        let ended = watched.wait_for(Option::is_some).await;
        ended.ok().and_then(|ended| ended.clone()).unwrap_or_default()
    }

    fn report(&self, what: &str) {
        self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            if first {
                *ended = Some(what.to_owned());
            }
            first
        });
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.pulse.report(&self.what);
        }
    }
}
