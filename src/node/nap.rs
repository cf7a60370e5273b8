//! How a thread sleeps that others give orders to: until its own next deadline, or an order.
//!
//! ```text
//! sleeper: announce ─► look for orders ─► poll(…, waker) ─► rise
//! asker:   give the order ─► ring: does it sleep much longer? ─► a byte to the waker
//! ```
//!
//! A thread that paces packets rises every few milliseconds by itself; waking it for each order
//! would cost both sides more than the order does. So an order may wait up to [`PATIENCE`].
//!
//! Always holds: an order given before [`Nap::announce`] is found by the look that follows it, one
//! given after it sees the announcement; none is slept over.
//!
//! Not here: the orders themselves, and what is polled besides ([`super::rtp`]).

use std::io;
use std::io::Read;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::sync::atomic::fence;

use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::node::clock;

/// How long an order may lie until the sleeper rises by itself.
const PATIENCE: Millis = Millis(5);

/// What the clock never shows: a sleeper without a deadline.
const FOR_EVER: LocalTime = LocalTime(u64::MAX);

/// The asker's side.
pub struct Bell {
    waker: UnixStream,
    until: Arc<AtomicU64>,
}

/// The sleeper's side.
pub struct Nap {
    waker: UnixStream,
    /// When the sleeper rises by itself, in microseconds of local time; 0 while it is awake.
    until: Arc<AtomicU64>,
}

/// Makes both sides; the sleeper is awake.
pub fn nap() -> io::Result<(Bell, Nap)> {
    let (bell, nap) = UnixStream::pair()?;
    bell.set_nonblocking(true)?;
    nap.set_nonblocking(true)?;
    let until = Arc::new(AtomicU64::new(0));
    Ok((Bell { waker: bell, until: Arc::clone(&until) }, Nap { waker: nap, until }))
}

impl Bell {
    /// Wakes the sleeper if what was just given to it would lie too long.
    pub fn ring(&self) {
        // Between the order and this look; its twin stands in `announce`.
        fence(Ordering::SeqCst);
        let until = self.until.load(Ordering::Relaxed);
        if until <= (clock::local() + PATIENCE).0 {
            return;
        }
        // One byte is enough, whoever writes it.
        let first = self.until.compare_exchange(until, 0, Ordering::Relaxed, Ordering::Relaxed);
        if first.is_ok() {
            let _ = (&self.waker).write(&[0]);
        }
    }
}

impl Nap {
    /// Says until when the sleeper will sleep; it looks for orders once more before it does.
    pub fn announce(&self, until: Option<LocalTime>) {
        self.until.store(until.unwrap_or(FOR_EVER).0, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// What is to be polled for reading while asleep.
    pub fn waker(&self) -> BorrowedFd<'_> {
        self.waker.as_fd()
    }

    /// Ends the sleep; `rung` says whether the waker was readable.
    pub fn rise(&mut self, rung: bool) {
        self.until.store(0, Ordering::Relaxed);
        if rung {
            let _ = self.waker.read(&mut [0; 64]);
        }
    }
}
