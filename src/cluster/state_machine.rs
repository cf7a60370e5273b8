//! What openraft calls with committed entries and snapshots.
//!
//! The state lives in memory. On start the newest snapshot is read, then openraft applies the log
//! again up to the last commit that was written down.
//!
//! Always holds: entries are applied one after another in log order, and each proposer has its
//! answer as soon as its own entry is applied. A snapshot is built from a copy of the state: only
//! the copying holds the state still.
//!
//! Not here: the copy of the state itself ([`super::replica`]), the files ([`super::snapshot`]).

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::StreamExt;
use openraft::OptionalSend;
use openraft::RaftSnapshotBuilder;
use openraft::storage::EntryResponder;
use openraft::storage::RaftStateMachine;
use tokio::task::spawn_blocking;

use crate::cluster::codec::Coverage;
use crate::cluster::figures::Figures;
use crate::cluster::replica::Picture;
use crate::cluster::replica::Replica;
use crate::cluster::snapshot;
use crate::cluster::snapshot::SnapshotFolder;
use crate::cluster::types::LogId;
use crate::cluster::types::SnapshotMeta;
use crate::cluster::types::StoredMembers;
use crate::cluster::types::Types;

/// A snapshot as openraft hands it around: what it covers and the file's bytes.
pub type Snapshot = openraft::type_config::alias::SnapshotOf<Types, Bytes>;

/// Raft's door to this node's copy of the state.
#[derive(Clone, Debug)]
pub struct StateMachine {
    replica: Arc<Replica>,
    folder: SnapshotFolder,
    figures: Arc<Figures>,
}

impl StateMachine {
    /// Stands before a copy of the state, keeping snapshots in `folder`.
    pub fn new(replica: Arc<Replica>, folder: SnapshotFolder, figures: Arc<Figures>) -> Self {
        Self { replica, folder, figures }
    }
}

impl RaftStateMachine<Types> for StateMachine {
    type SnapshotData = Bytes;
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembers), io::Error> {
        let picture = self.replica.read();
        Ok((picture.applied, picture.members.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<Types>, io::Error>> + Unpin + OptionalSend,
    {
        while let Some(item) = entries.next().await {
            let (entry, responder) = item?;
            let reply = self.replica.apply(entry);
            if let Some(responder) = responder {
                responder.send(reply);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        bytes: Bytes,
    ) -> Result<(), io::Error> {
        let folder = self.folder.clone();
        let coverage = Coverage::from(meta);
        let state = blocking(move || {
            let (_, state) = snapshot::decode(&bytes)?;
            folder.write(&coverage, &bytes)?;
            Ok(state)
        })
        .await?;
        let members = meta.last_membership.clone();
        self.replica.install(Picture { state, applied: meta.last_log_id, members });
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        let folder = self.folder.clone();
        let Some(found) = blocking(move || folder.newest()).await? else { return Ok(None) };
        Ok(Some(Snapshot { meta: found.coverage.try_into()?, snapshot: found.bytes }))
    }
}

impl RaftSnapshotBuilder<Types> for StateMachine {
    type SnapshotData = Bytes;

    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        let since = self.figures.now();
        let (replica, folder) = (Arc::clone(&self.replica), self.folder.clone());
        let built = blocking(move || {
            let Picture { state, applied, members } = replica.read().clone();
            let meta = SnapshotMeta { last_log_id: applied, last_membership: members };
            let coverage = Coverage::from(&meta);
            let bytes = snapshot::encode(&coverage, &state);
            folder.write(&coverage, &bytes)?;
            Ok(Snapshot { meta, snapshot: bytes })
        })
        .await?;
        self.figures.snapshot.count(self.figures.us_since(since));
        Ok(built)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, io::Error> + Send + 'static,
) -> Result<T, io::Error> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}
