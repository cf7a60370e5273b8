//! openraft's own suite for storage, over the real log, snapshot files and state machine.

use std::sync::Arc;

use carillon::acd::State;
use carillon::base::id::LogIndex;
use carillon::cluster::figures::Figures;
use carillon::cluster::log_store::LogStore;
use carillon::cluster::replica::Picture;
use carillon::cluster::replica::Replica;
use carillon::cluster::snapshot::SnapshotFolder;
use carillon::cluster::state_machine::StateMachine;
use carillon::cluster::types::StoredMembers;
use carillon::cluster::types::Types;
use openraft::StorageError;
use openraft::testing::log::StoreBuilder;
use openraft::testing::log::Suite;
use tempfile::TempDir;

use crate::world;

struct Builder;

impl StoreBuilder<Types, LogStore, StateMachine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, LogStore, StateMachine), StorageError<Types>> {
        let folder = tempfile::tempdir().unwrap();
        let figures = Arc::new(Figures::new(world::local));
        let log = LogStore::open(&folder.path().join("log"), Arc::clone(&figures)).unwrap();
        let snapshots = SnapshotFolder::open(folder.path().join("snapshots")).unwrap();
        let members = StoredMembers::default();
        let picture = Picture { state: State::new(), applied: None, members };
        let (replica, _batches) = Replica::new(picture, LogIndex(0));
        Ok((folder, log, StateMachine::new(replica, snapshots, figures)))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_passes_the_suite_of_openraft() {
    Suite::test_all(Builder).await.unwrap();
}
