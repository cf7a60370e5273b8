//! The other nodes of the cluster, from what was typed to what the cluster floor needs.
//!
//! Always holds: nodes that were given different secrets are different clusters, and do not talk; a
//! mistake is said with what to write instead.
//!
//! Not here: how the cluster begins and who leads it (`cluster::membership`).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;

use sha2::Digest;
use sha2::Sha256;

use crate::base::id::NodeId;
use crate::cluster::ClusterConfig;
use crate::cluster::identity::ClusterId;
use crate::cluster::membership::Bootstrap;
use crate::node::args::Membership;

/// A shorter secret could be guessed.
const KEY_MIN: usize = 32;

/// Why the cluster cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum MembershipError {
    /// This node is none of the members.
    #[error("--members does not name node {0}: every member stands there, this one as well")]
    NotAMember(u64),
    /// A number stands twice.
    #[error("--members names node {0} twice: each node has a number of its own")]
    Twice(u64),
    /// An address stands twice.
    #[error("--members names {0} twice: each node has an address of its own")]
    SameAddress(String),
    /// The secret cannot be read.
    #[error("the cluster's key {}: {source}; make one with: openssl rand -hex 32", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The secret could be guessed.
    #[error("the cluster's key {} is too short; make one with: openssl rand -hex 32", .0.display())]
    TooShort(PathBuf),
    /// Nobody can be heard at no port.
    #[error("--members: \"{0}\" names no port to be heard at; write --cluster-listen")]
    NoPort(String),
}

/// Fills in how a node takes part in its cluster; one that was told of no others is alone.
pub fn take_part(
    config: ClusterConfig,
    wanted: &Membership,
) -> Result<ClusterConfig, MembershipError> {
    let Some(number) = wanted.node else { return Ok(config) };
    let mut members = BTreeMap::new();
    for (number, address) in &wanted.members {
        if members.values().any(|known| known == address) {
            return Err(MembershipError::SameAddress(address.clone()));
        }
        if members.insert(NodeId(*number), address.clone()).is_some() {
            return Err(MembershipError::Twice(*number));
        }
    }
    let node = NodeId(number);
    let own = members.get(&node).cloned().ok_or(MembershipError::NotAMember(number))?;
    let port = own.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let port: u16 = port.ok_or_else(|| MembershipError::NoPort(own.clone()))?;
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let cluster = cluster_of(wanted.cluster_key.as_deref().unwrap_or_else(|| Path::new("")))?;
    Ok(ClusterConfig {
        listen: Some(wanted.cluster_listen.unwrap_or(everywhere)),
        advertise: Some(own),
        bootstrap: Bootstrap::Together { cluster, node, members },
        ..config
    })
}

/// The name of the cluster, which only those know who have its secret.
fn cluster_of(path: &Path) -> Result<ClusterId, MembershipError> {
    let unreadable = |source| MembershipError::Unreadable { path: path.to_owned(), source };
    let key = std::fs::read(path).map_err(unreadable)?;
    let key = key.trim_ascii();
    if key.len() < KEY_MIN {
        return Err(MembershipError::TooShort(path.to_owned()));
    }
    let hash = Sha256::new().chain_update(b"carillon cluster").chain_update(key).finalize();
    Ok(ClusterId(hash.iter().take(16).fold(0, |name, byte| name << 8 | u128::from(*byte))))
}
