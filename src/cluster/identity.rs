//! Who this data directory is: cluster, node, and how often it was started.
//!
//! `identity` is a text file, written anew (aside, fsynced, renamed) at every start with the next
//! incarnation; `lock` is locked as long as the process lives, so that two cannot share the disk.
//!
//! Always holds: a node id is never changed once written and never given to another disk; an
//! incarnation is used once, because it is on the disk before it is told to anybody.
//!
//! Not here: who hands out node ids ([`super::membership`]), the check on connect
//! ([`super::peer`]).

use std::fmt;
use std::fs;
use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use serde::Deserialize;
use serde::Serialize;

use crate::base::id::Incarnation;
use crate::base::id::NodeId;
use crate::base::id::Owner;
use crate::cluster::snapshot::sync_folder;

const FIRST_LINE: &str = "carillon identity 1";

/// Names a cluster; drawn once when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClusterId(pub u128);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Who this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The cluster its data belongs to.
    pub cluster: ClusterId,
    /// The node, and which life of it.
    pub owner: Owner,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Another process uses it.
    #[error("the data directory is in use by another process")]
    InUse,
    /// The file is not one of ours, or of a newer program.
    #[error("the identity file cannot be understood (line {line})")]
    NotUnderstood {
        /// The line, counted from 1.
        line: usize,
    },
    /// The directory belongs to another cluster or node than was configured.
    #[error("the data directory belongs to node {} of cluster {}", .0.owner.node.0, .0.cluster)]
    SomebodyElse(Identity),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// A data directory held by this process.
#[derive(Debug)]
pub struct Held {
    /// Who we are, in this life.
    pub identity: Identity,
    /// Whether the directory was empty before.
    pub fresh: bool,
    _lock: File,
}

/// Takes a data directory: the next life of who it says, or the first of who `fresh` names.
pub fn take(
    data: &Path,
    fresh: impl FnOnce() -> (ClusterId, NodeId),
    expected: Option<(ClusterId, NodeId)>,
) -> Result<Held, IdentityError> {
    private_folder(data)?;
    let lock = File::create(data.join("lock"))?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => IdentityError::InUse,
        TryLockError::Error(error) => IdentityError::Disk(error),
    })?;
    let path = data.join("identity");
    let (mut identity, is_fresh) = match fs::read_to_string(&path) {
        Ok(text) => (parse(&text)?, false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (cluster, node) = fresh();
            (Identity { cluster, owner: Owner { node, incarnation: Incarnation(0) } }, true)
        }
        Err(error) => return Err(error.into()),
    };
    if expected.is_some_and(|expected| expected != (identity.cluster, identity.owner.node)) {
        return Err(IdentityError::SomebodyElse(identity));
    }
    identity.owner.incarnation.0 += 1;
    write(data, &identity)?;
    Ok(Held { identity, fresh: is_fresh, _lock: lock })
}

/// Makes a folder, if it is missing, that nobody else on the machine may look into: the log and
/// the snapshots hold PINs, passwords and callers' numbers.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn parse(text: &str) -> Result<Identity, IdentityError> {
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err(IdentityError::NotUnderstood { line: 1 });
    }
    let mut field = |line: usize, name: &str, radix: u32| {
        lines
            .next()
            .and_then(|text| text.strip_prefix(name)?.strip_prefix(' '))
            .and_then(|digits| u128::from_str_radix(digits, radix).ok())
            .ok_or(IdentityError::NotUnderstood { line })
    };
    let cluster = ClusterId(field(2, "cluster", 16)?);
    let node = field(3, "node", 10)?;
    let incarnation = field(4, "incarnation", 10)?;
    let node = u64::try_from(node).map_err(|_| IdentityError::NotUnderstood { line: 3 })?;
    let incarnation =
        u64::try_from(incarnation).map_err(|_| IdentityError::NotUnderstood { line: 4 })?;
    let owner = Owner { node: NodeId(node), incarnation: Incarnation(incarnation) };
    Ok(Identity { cluster, owner })
}

fn write(data: &Path, identity: &Identity) -> Result<(), IdentityError> {
    let Identity { cluster, owner } = identity;
    let text = format!(
        "{FIRST_LINE}\ncluster {cluster}\nnode {}\nincarnation {}\n",
        owner.node.0, owner.incarnation.0
    );
    let half = data.join("identity.half");
    let mut file = File::create(&half)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&half, data.join("identity"))?;
    sync_folder(data)?;
    Ok(())
}
