//! How often each address may ask: a bucket for each, in a table of bounded size.
//!
//! An address whose bucket has filled up again is forgotten when its place is wanted; there is no
//! telling it from one that was never heard of. While every place is taken by an address that does
//! ask, all others share one bucket: who sends from ever new addresses gets no more than that.
//!
//! Always holds: at most [`Rates::new`]'s number of addresses is known; forgetting is done at most
//! once in a while, so that asking is cheap however many there are.
//!
//! Not here: what counts as one address ([`as_one`]), and what becomes of who asks too often
//! ([`super::sources`]).

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::rate::Bucket;
use crate::base::rate::Rate;
use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::node::port::crowd::as_one;

/// Between two looks for addresses that can be forgotten.
pub(super) const PAUSE: Millis = Millis::from_secs(1);

/// The buckets of many addresses.
#[derive(Debug)]
pub struct Rates {
    addresses_max: usize,
    by_address: BTreeMap<IpAddr, Bucket>,
    others: Bucket,
    looked: Option<LocalTime>,
}

impl Rates {
    /// Keeps apart so many addresses.
    pub fn new(addresses_max: usize) -> Self {
        let (by_address, others) = (BTreeMap::new(), Bucket::default());
        Self { addresses_max, by_address, others, looked: None }
    }

    /// Tells whether this address may ask once more.
    pub fn admit(&mut self, now: LocalTime, from: IpAddr, rate: Rate) -> bool {
        let address = as_one(from);
        if let Some(bucket) = self.by_address.get_mut(&address) {
            return bucket.admit(rate, now).is_ok();
        }
        if self.by_address.len() >= self.addresses_max {
            self.forget(now, rate);
        }
        let bucket = match self.by_address.len() < self.addresses_max {
            true => self.by_address.entry(address).or_default(),
            false => &mut self.others,
        };
        bucket.admit(rate, now).is_ok()
    }

    /// How many addresses are kept apart.
    pub fn addresses(&self) -> usize {
        self.by_address.len()
    }

    fn forget(&mut self, now: LocalTime, rate: Rate) {
        if self.looked.is_some_and(|looked| now.since(looked) < PAUSE) {
            return;
        }
        self.looked = Some(now);
        self.by_address.retain(|_, bucket| !bucket.is_full(rate, now));
    }
}
