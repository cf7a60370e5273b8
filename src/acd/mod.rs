//! The pure core: queues, agents, calls, and who gets whom.

use serde::Deserialize;
use serde::Serialize;

use crate::acd::config::Settings;
use crate::base::time::ClusterTime;

pub mod apply;
pub mod check;
pub mod command;
pub mod config;
pub mod effect;
pub mod fact;
pub mod view;

/// Everything the core knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    now: ClusterTime,
    settings: Settings,
}

impl State {
    /// An empty center; `seed` starts its generator.
    pub fn new(_seed: u64) -> Self {
        Self { now: ClusterTime::default(), settings: Settings::default() }
    }

    /// The replicated clock.
    pub fn now(&self) -> ClusterTime {
        self.now
    }

    /// When the next deadline falls due: then an `Advance` must be proposed.
    pub fn next_deadline(&self) -> Option<ClusterTime> {
        None
    }
}
