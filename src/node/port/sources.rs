//! What one address may take of SIP at this node, and all strangers together.
//!
//! | who sends | too many messages | too many INVITEs, or calls half open |
//! |---|---|---|
//! | an address some trunk names | wait | 503 |
//! | a guest: a call of theirs was let in, or we rang them | wait | 503, as for strangers |
//! | a stranger: anybody else | wait, in all as well | 503 |
//!
//! A message that waits does so in its stream; a datagram is dropped instead, and sent again. Who
//! really sent a datagram nobody knows, so each kind is counted apart.
//!
//! A half-open call is one without its final answer, or without the ACK of it. Guests send as many
//! messages as trunks may, so that a phone behind no trunk goes on talking whoever else knocks.
//!
//! Always holds: memory is bounded by the numbers of addresses below, and by the calls there are;
//! what strangers take is taken from strangers alone.
//!
//! Not here: who has how many connections ([`crate::node::tcp`]), whom a trunk names
//! ([`crate::node::shard::Shards::is_named`]).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::b2bua::counter::Rejected;
use crate::base::rate::Bucket;
use crate::base::rate::Rate;
use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::node::port::crowd::Crowd;
use crate::node::port::crowd::Place;
use crate::node::port::crowd::as_one;
use crate::node::port::rates::PAUSE;
use crate::node::port::rates::Rates;
use crate::resource::SipLimits;
use crate::resource::SourceLimits;

/// Of how many addresses of one kind it is known how often they ask.
const ADDRESSES_MAX: usize = 10_000;

/// How many guests there may be: each agent's phone at an address of its own, and callers besides.
const GUESTS_MAX: usize = 20_000;

/// How long a guest who is not heard of stays one.
const GUEST_FOR: Millis = Millis::from_secs(3600);

/// Whom a message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An address some trunk names, or a guest.
    Known,
    /// Anybody else.
    Stranger,
}

/// Why a message is dropped, or has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    /// Its address sends too many.
    Source,
    /// Strangers together send too many.
    Strangers,
    /// More of its address wait than a shard can take.
    Backlog,
}

impl Flood {
    /// The reason as metrics and log lines have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source_flood",
            Self::Strangers => "strangers_flood",
            Self::Backlog => "source_backlog",
        }
    }
}

/// What every address takes.
#[derive(Debug)]
pub struct Sources {
    books: Mutex<Books>,
    half_open: Arc<Crowd>,
}

#[derive(Debug)]
struct Books {
    limits: SipLimits,
    datagrams: Messages,
    streams: Messages,
    /// Of addresses some trunk names, and of all others.
    invites: [Rates; 2],
    guests: Guests,
}

/// Messages that came one way.
#[derive(Debug)]
struct Messages {
    /// Of addresses some trunk names, and of guests.
    known: Rates,
    /// Of everybody else, each.
    strangers: Rates,
    /// Of everybody else, together.
    in_all: Bucket,
}

impl Messages {
    fn new() -> Self {
        let (known, strangers) = (Rates::new(ADDRESSES_MAX), Rates::new(ADDRESSES_MAX));
        Self { known, strangers, in_all: Bucket::default() }
    }

    fn admit(
        &mut self,
        now: LocalTime,
        from: IpAddr,
        is_known: bool,
        limits: &SipLimits,
    ) -> Result<Standing, Flood> {
        if is_known {
            let rate = Rate::of(limits.trunks.messages_per_second);
            let admitted = self.known.admit(now, from, rate);
            return if admitted { Ok(Standing::Known) } else { Err(Flood::Source) };
        }
        let rate = Rate::of(limits.strangers.messages_per_second);
        if !self.strangers.admit(now, from, rate) {
            return Err(Flood::Source);
        }
        let rate = Rate::of(limits.strangers_messages_per_second);
        self.in_all.admit(rate, now).map_err(|_| Flood::Strangers)?;
        Ok(Standing::Stranger)
    }
}

impl Sources {
    /// Nobody has taken anything yet.
    pub fn new(limits: SipLimits) -> Self {
        let books = Books {
            limits,
            datagrams: Messages::new(),
            streams: Messages::new(),
            invites: [Rates::new(ADDRESSES_MAX), Rates::new(ADDRESSES_MAX)],
            guests: Guests::default(),
        };
        // How many one may have is asked for each call, as it may change.
        let half_open = Crowd::new(usize::MAX, usize::MAX);
        Self { books: Mutex::new(books), half_open }
    }

    /// Takes the limits as configured now.
    pub fn set_limits(&self, limits: SipLimits) {
        self.lock().limits = limits;
    }

    /// Lets a datagram be read, or tells why it is dropped.
    pub fn admit(&self, now: LocalTime, from: IpAddr, is_named: bool) -> Result<Standing, Flood> {
        self.admit_to(|books| &mut books.datagrams, now, from, is_named)
    }

    /// Lets a message of a stream be read, or tells why it has to wait.
    pub fn admit_from_stream(
        &self,
        now: LocalTime,
        from: IpAddr,
        is_named: bool,
    ) -> Result<Standing, Flood> {
        self.admit_to(|books| &mut books.streams, now, from, is_named)
    }

    fn admit_to(
        &self,
        messages: fn(&mut Books) -> &mut Messages,
        now: LocalTime,
        from: IpAddr,
        is_named: bool,
    ) -> Result<Standing, Flood> {
        let books = &mut *self.lock();
        let is_known = is_named || books.guests.has(now, from);
        let limits = books.limits;
        messages(books).admit(now, from, is_known, &limits)
    }

    /// Lets an INVITE begin a call, or tells why not.
    pub fn admit_invite(
        &self,
        now: LocalTime,
        from: IpAddr,
        is_named: bool,
    ) -> Result<(), Rejected> {
        let books = &mut *self.lock();
        let [of_trunks, of_others] = &mut books.invites;
        let SipLimits { trunks, strangers, .. } = books.limits;
        let (rates, limits) = if is_named { (of_trunks, trunks) } else { (of_others, strangers) };
        let SourceLimits { invites_per_second, half_open_calls, .. } = limits;
        if !rates.admit(now, from, Rate::of(invites_per_second)) {
            return Err(Rejected::TooOften);
        }
        let room = self.half_open.taken_by(from) < usize::try_from(half_open_calls).unwrap_or(0);
        if room { Ok(()) } else { Err(Rejected::HalfOpen) }
    }

    /// Notes a call of this address that is half open, until what is returned is dropped.
    ///
    /// Calls that begin in several shards in the same moment may be a few more than allowed.
    pub fn half_open(&self, from: IpAddr) -> Option<Place> {
        self.half_open.enter(from).ok()
    }

    /// How many calls are half open.
    pub fn half_open_calls(&self) -> usize {
        self.half_open.taken()
    }

    /// Treats this address as a guest from now on.
    pub fn let_in(&self, now: LocalTime, from: IpAddr) {
        self.lock().guests.let_in(now, from);
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Addresses with which there is or was a call, and when they were last heard of.
#[derive(Debug, Default)]
struct Guests {
    by_address: BTreeMap<IpAddr, LocalTime>,
    looked: Option<LocalTime>,
}

impl Guests {
    fn has(&mut self, now: LocalTime, from: IpAddr) -> bool {
        let Some(heard) = self.by_address.get_mut(&as_one(from)) else { return false };
        let stays = now.since(*heard) < GUEST_FOR;
        if stays {
            *heard = now;
        }
        stays
    }

    fn let_in(&mut self, now: LocalTime, from: IpAddr) {
        if self.by_address.len() >= GUESTS_MAX {
            self.forget(now);
        }
        if self.by_address.len() < GUESTS_MAX || self.has(now, from) {
            self.by_address.insert(as_one(from), now);
        }
    }

    /// Forgets who was not heard of for long; every datagram waits meanwhile, so now and then only.
    fn forget(&mut self, now: LocalTime) {
        if self.looked.is_some_and(|looked| now.since(looked) < PAUSE) {
            return;
        }
        self.looked = Some(now);
        self.by_address.retain(|_, heard| now.since(*heard) < GUEST_FOR);
    }
}
