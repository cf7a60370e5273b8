//! The sleep of a thread that takes orders: no order is slept over, and none wakes it needlessly.

use std::sync::mpsc;
use std::time::Duration;

use carillon::base::time::LocalTime;
use carillon::node::clock;
use carillon::node::nap::Nap;
use carillon::node::nap::nap;
use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;

const ASKERS: u64 = 4;
const ORDERS: u64 = 20_000;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the sleeper is woken, within so long.
fn is_rung(nap: &Nap, within: PollTimeout) -> bool {
    let mut watched = [PollFd::new(nap.waker(), PollFlags::POLLIN)];
    poll(&mut watched, within).expect("one descriptor to watch") == 1
}

#[test]
fn no_order_is_slept_over() {
    let (bell, mut nap) = nap().unwrap();
    let (orders, given) = mpsc::channel();
    let (done, all_done) = mpsc::channel();
    std::thread::spawn(move || {
        let mut taken = 0;
        while taken < ASKERS * ORDERS {
            nap.announce(None);
            let before = taken;
            taken += given.try_iter().count() as u64;
            // Without a deadline, an order that nobody rang for would never be found.
            let rung = taken == before && is_rung(&nap, PollTimeout::NONE);
            nap.rise(rung);
        }
        let _ = done.send(());
    });
    std::thread::scope(|scope| {
        for _ in 0..ASKERS {
            scope.spawn(|| {
                for order in 0..ORDERS {
                    orders.send(order).unwrap();
                    bell.ring();
                }
            });
        }
    });
    all_done.recv_timeout(PATIENCE).expect("every order is found");
}

#[test]
fn who_rises_soon_by_itself_is_not_woken() {
    let (bell, mut nap) = nap().unwrap();
    let soon = LocalTime(clock::local().0 + 1_000);
    nap.announce(Some(soon));
    bell.ring();
    assert!(!is_rung(&nap, PollTimeout::ZERO));
    nap.rise(false);
    bell.ring();
    assert!(!is_rung(&nap, PollTimeout::ZERO), "it is awake");
    nap.announce(Some(LocalTime(clock::local().0 + 60_000_000)));
    bell.ring();
    bell.ring();
    assert!(is_rung(&nap, PollTimeout::ZERO), "an order would lie for a minute");
    nap.rise(true);
    assert!(!is_rung(&nap, PollTimeout::ZERO), "one byte, taken");
}
