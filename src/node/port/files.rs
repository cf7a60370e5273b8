//! Open files: as many as the system allows, and which port may have how many connections.
//!
//! | for | connections | of one address |
//! |---|---|---|
//! | REST and events | 16,384, or half of what is left | 1,024 (an ingress, a site), or a quarter |
//! | metrics and health | 64 | 32 |
//! | SIP over TCP | [as written], or half of what is left | half, or as written |
//!
//! A place with 10,000 agents whose desktops each keep a connection fits, with phones that speak
//! SIP over TCP besides; that takes some 33,000 open files (`ulimit -n`, `LimitNOFILE`), and where
//! the system allows fewer, the shares shrink and one log line says so.
//!
//! Always holds: the shares together leave room for the log, the RTP ports and the folder.
//!
//! Not here: counting connections ([`super::crowd`]).
//!
//! [as written]: crate::resource::ConnectionLimits

use std::sync::LazyLock;

use nix::sys::resource::Resource;
use nix::sys::resource::getrlimit;
use nix::sys::resource::setrlimit;

use crate::resource::CONNECTIONS;

/// What the node itself has open at most: the log, sockets for audio and SIP, the folder.
const OWN: usize = 384;
/// Connections for metrics and health.
const OBSERVE: usize = 64;
/// Connections for REST: as many desktops as there are phones.
const API: usize = CONNECTIONS as usize;
/// What is assumed where the system does not say.
const USUAL: usize = 1024;

/// One connection for each agent of one site, or the ingress everybody comes by.
const API_OF_ONE: usize = 1024;
/// A monitor and the kubelet need a few.
pub const OBSERVE_OF_ONE: usize = 32;

/// Who may have how many connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// REST and events.
    pub api: usize,
    /// REST and events of one address; a quarter where there are few.
    pub api_of_one: usize,
    /// Metrics and health.
    pub observe: usize,
    /// SIP over TCP, at most.
    pub sip: usize,
}

impl Shares {
    /// Shares out this many open files.
    pub fn of(files: usize) -> Self {
        let left = files.saturating_sub(OWN + OBSERVE);
        // With next to nothing a node still answers somebody.
        let half = (left / 2).max(16);
        let api = half.min(API);
        Self { api, api_of_one: API_OF_ONE.min(api / 4), observe: OBSERVE, sip: half }
    }

    /// The shares of this process; its limit of open files is raised when this is first asked.
    pub fn here() -> Self {
        static HERE: LazyLock<Shares> = LazyLock::new(|| {
            let files = raise();
            let shares = Shares::of(files);
            if shares.api < API {
                let connections = shares.api;
                tracing::warn!(files, connections, "few files may be open; see ulimit -n");
            }
            shares
        });
        *HERE
    }
}

/// How many files this process may have open, after asking for as many as there may be.
fn raise() -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return USUAL };
    let raised = setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
    usize::try_from(if raised { hard } else { soft }).unwrap_or(usize::MAX)
}
