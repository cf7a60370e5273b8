//! The pure core: queues, agents, calls, and who gets whom.

pub mod command;
pub mod config;
pub mod effect;
pub mod fact;
pub mod view;

/// Everything the core knows.
pub struct State {}
