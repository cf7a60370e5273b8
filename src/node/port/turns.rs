//! What waits, by the address it is from: each has its turn, however much of one there is.
//!
//! Always holds: of addresses of which something waits, none is served twice before each of the
//! others once; what waits is bounded, in all and of one address. An IPv6 network of 64 bits counts
//! as one address.
//!
//! Not here: what waits for what ([`crate::node::waiting`]).

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;

use futures_util::task::AtomicWaker;

use crate::node::port::crowd::Full;
use crate::node::port::crowd::as_one;

/// A queue of many addresses, with one taker.
#[derive(Debug)]
pub struct Turns<T> {
    all: usize,
    of_one: usize,
    waiting: Mutex<Waits<T>>,
    taker: AtomicWaker,
}

#[derive(Debug)]
struct Waits<T> {
    all: usize,
    by_address: BTreeMap<IpAddr, VecDeque<T>>,
    /// The addresses above, the next one first.
    turns: VecDeque<IpAddr>,
}

impl<T> Turns<T> {
    /// So many may wait in all, and so many of one address.
    pub fn new(all: usize, of_one: usize) -> Self {
        let (by_address, turns) = (BTreeMap::new(), VecDeque::new());
        let waiting = Mutex::new(Waits { all: 0, by_address, turns });
        Self { all, of_one, waiting, taker: AtomicWaker::new() }
    }

    /// Lets one more of this address wait, if there is room.
    pub fn put(&self, from: IpAddr, one: T) -> Result<(), Full> {
        let address = as_one(from);
        let waits = &mut *self.lock();
        if waits.all >= self.all {
            return Err(Full::All);
        }
        let of_one = waits.by_address.entry(address).or_default();
        if of_one.len() >= self.of_one {
            return Err(Full::Address);
        }
        if of_one.is_empty() {
            waits.turns.push_back(address);
        }
        of_one.push_back(one);
        waits.all += 1;
        self.taker.wake();
        Ok(())
    }

    /// Takes the next one of the address whose turn it is.
    pub fn poll_take(&self, context: &mut Context<'_>) -> Poll<T> {
        self.taker.register(context.waker());
        let waits = &mut *self.lock();
        let Some(address) = waits.turns.pop_front() else { return Poll::Pending };
        let Some(of_one) = waits.by_address.get_mut(&address) else { return Poll::Pending };
        let one = of_one.pop_front();
        if of_one.is_empty() {
            waits.by_address.remove(&address);
        } else {
            waits.turns.push_back(address);
        }
        waits.all = waits.all.saturating_sub(1);
        one.map_or(Poll::Pending, Poll::Ready)
    }

    fn lock(&self) -> MutexGuard<'_, Waits<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
