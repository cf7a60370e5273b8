//! Places for connections: so many in all, so many of one address.
//!
//! Always holds: a place is given back when its [`Place`] is dropped, and memory is bounded by the
//! places taken. An IPv6 network of 64 bits counts as one address, because one host has all of it.
//!
//! Not here: what is done on a connection ([`super::http`], [`crate::node::tcp`]).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// All places are taken.
    All,
    /// All places one address may take are taken by this one.
    Address,
}

impl Full {
    /// The reason as metrics and log lines have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "full",
            Self::Address => "address",
        }
    }
}

/// The places of one port.
#[derive(Debug)]
pub struct Crowd {
    all: usize,
    of_one: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: BTreeMap<IpAddr, usize>,
}

/// A place that was taken.
#[derive(Debug)]
pub struct Place {
    crowd: Arc<Crowd>,
    address: IpAddr,
}

impl Crowd {
    /// `all` places, of which one address may take `of_one`.
    pub fn new(all: usize, of_one: usize) -> Arc<Self> {
        Arc::new(Self { all, of_one, taken: Mutex::default() })
    }

    /// Takes a place for somebody from this address.
    pub fn enter(self: &Arc<Self>, from: IpAddr) -> Result<Place, Full> {
        let address = as_one(from);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.all {
            return Err(Full::All);
        }
        let of_one = taken.by_address.entry(address).or_default();
        if *of_one >= self.of_one {
            return Err(Full::Address);
        }
        *of_one += 1;
        taken.all += 1;
        Ok(Place { crowd: Arc::clone(self), address })
    }

    /// How many places this address has taken.
    pub fn taken_by(&self, from: IpAddr) -> usize {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.by_address.get(&as_one(from)).copied().unwrap_or_default()
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.crowd.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        if let Some(of_one) = taken.by_address.get_mut(&self.address) {
            *of_one = of_one.saturating_sub(1);
            if *of_one == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// What counts as one address.
pub fn as_one(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}
