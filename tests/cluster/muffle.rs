//! A node whose answers can be kept from its peers: a door before it that lets all in and, once
//! it is muffled, nothing out.
//!
//! Not here: any assertion about Carillon.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinHandle;

/// The door; it is closed when dropped.
pub(crate) struct Door {
    muffled: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Door {
    /// Opens a door at `at` to what listens on `inside`.
    pub(crate) async fn open(at: SocketAddr, inside: SocketAddr) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let muffled = Arc::new(AtomicBool::new(false));
        let out = Arc::clone(&muffled);
        let task = tokio::spawn(async move {
            while let Ok((outer, _)) = listener.accept().await {
                let Ok(inner) = TcpStream::connect(inside).await else { continue };
                let ((from_outer, to_outer), (from_inner, to_inner)) =
                    (outer.into_split(), inner.into_split());
                tokio::spawn(carry(from_outer, to_inner, Arc::default()));
                tokio::spawn(carry(from_inner, to_outer, Arc::clone(&out)));
            }
        });
        Self { muffled, task }
    }

    /// From here on nothing that is said inside is heard outside.
    pub(crate) fn muffle(&self) {
        self.muffled.store(true, Ordering::SeqCst);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, muffled: Arc<AtomicBool>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if !muffled.load(Ordering::SeqCst) && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
