//! What one entry caused: a buffer every step of it adds to.
//!
//! Always holds: it knows orders, facts and work, and nothing of the state, so that each part of
//! the core can add to it without seeing [`apply`](super::apply), which sees them all.
//!
//! Not here: what may be ordered ([`super::effect`]), what may have happened ([`super::fact`]).

use crate::acd::effect::Effect;
use crate::acd::effect::Order;
use crate::acd::fact::Fact;
use crate::base::id::Owner;

/// What one entry caused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// What is to be done, and by whom.
    pub orders: Vec<Order>,
    /// What happened.
    pub facts: Vec<Fact>,
    /// How many agents were looked at to find who goes to another phone: the one piece of work that
    /// may leave neither order nor fact, and yet keeps all replicas busy.
    pub walked: usize,
}

impl Output {
    pub(in crate::acd) fn order(&mut self, owner: Owner, effect: Effect) {
        self.orders.push(Order { owner, effect });
    }

    pub(in crate::acd) fn fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }
}
