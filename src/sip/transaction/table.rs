//! Transactions by key and by slot, and which of them use a flow.
//!
//! A slot is a place in a vector with a generation; whoever holds a slot of an ended transaction
//! (a timer in the heap) finds nothing there, even after the place is taken again.
//!
//! Always holds: every key leads to a live slot, and `len` counts exactly the live ones.
//!
//! Not here: what a transaction is (`clients.rs`, `servers.rs`).

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::hash::Hash;

use crate::sip::flow::Flow;

/// A place in the table, of one transaction only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    index: u32,
    generation: u32,
}

#[derive(Debug)]
struct Place<K, V> {
    generation: u32,
    held: Option<(K, Flow, V)>,
}

/// Transactions of one kind.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    places: Vec<Place<K, V>>,
    free: Vec<u32>,
    by_key: HashMap<K, Slot>,
    by_flow: BTreeSet<(Flow, Slot)>,
}

impl<K: Clone + Eq + Hash, V> Table<K, V> {
    /// A table with nothing in it.
    pub(super) fn empty() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            by_key: HashMap::new(),
            by_flow: BTreeSet::new(),
        }
    }

    /// Puts a transaction in. Its key must not be in use.
    pub(super) fn insert(&mut self, key: K, flow: Flow, value: V) -> Slot {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, held: None });
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        let slot = Slot { index, generation: place.generation };
        place.held = Some((key.clone(), flow, value));
        self.by_key.insert(key, slot);
        self.by_flow.insert((flow, slot));
        slot
    }

    /// Takes a transaction out.
    pub(super) fn remove(&mut self, slot: Slot) -> Option<V> {
        let place = self.places.get_mut(slot.index as usize)?;
        if place.generation != slot.generation {
            return None;
        }
        let (key, flow, value) = place.held.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(slot.index);
        self.by_key.remove(&key);
        self.by_flow.remove(&(flow, slot));
        Some(value)
    }

    /// The place of the transaction with this key.
    pub(super) fn find(&self, key: &K) -> Option<Slot> {
        self.by_key.get(key).copied()
    }

    /// The transaction in this place, if it is still the same one.
    pub(super) fn at(&self, slot: Slot) -> Option<(&K, Flow, &V)> {
        let place = self.places.get(slot.index as usize)?;
        let (key, flow, value) = place.held.as_ref()?;
        (place.generation == slot.generation).then_some((key, *flow, value))
    }

    /// The same, to be changed.
    pub(super) fn at_mut(&mut self, slot: Slot) -> Option<(&K, Flow, &mut V)> {
        let place = self.places.get_mut(slot.index as usize)?;
        let (key, flow, value) = place.held.as_mut()?;
        (place.generation == slot.generation).then_some((&*key, *flow, value))
    }

    /// Moves a transaction to another flow.
    pub(super) fn move_to(&mut self, slot: Slot, flow: Flow) {
        let Some(place) = self.places.get_mut(slot.index as usize) else { return };
        let Some((_, old, _)) = place.held.as_mut() else { return };
        if place.generation == slot.generation {
            self.by_flow.remove(&(*old, slot));
            *old = flow;
            self.by_flow.insert((flow, slot));
        }
    }

    /// The transactions that use `flow`, oldest place first.
    pub(super) fn using(&self, flow: Flow) -> Vec<Slot> {
        let first = Slot { index: 0, generation: 0 };
        self.by_flow
            .range((flow, first)..)
            .take_while(|(used, _)| *used == flow)
            .map(|(_, slot)| *slot)
            .collect()
    }

    /// How many transactions there are.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }
}
