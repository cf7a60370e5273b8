//! Things by name, each in a block of its own that copies of the table share until it changes.
//!
//! A map that holds large things by value moves its neighbours whenever one comes or goes, and a
//! copy of it copies them all. Here the map holds a pointer each: it stays small enough for the
//! processor's caches with tens of thousands of things, and a snapshot copies pointers.
//!
//! Always holds: what a copy of the table shows never changes; in order of names; stored as a map
//! of the things themselves.
//!
//! Not here: what is in the tables ([`super::State`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

/// Things by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Table<K: Ord, V>(BTreeMap<K, Arc<V>>);

impl<K: Ord, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, V: Clone> Table<K, V> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains_key(&self, name: &K) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn get(&self, name: &K) -> Option<&V> {
        self.0.get(name).map(|thing| &**thing)
    }

    /// The thing, to be changed: made its own first if a copy of the table shares it.
    pub(super) fn to_mut(&mut self, name: &K) -> Option<&mut V> {
        self.0.get_mut(name).map(Arc::make_mut)
    }

    /// Puts a thing in, in place of an earlier one of this name.
    pub(super) fn insert(&mut self, name: K, thing: V) -> Option<Arc<V>> {
        self.0.insert(name, Arc::new(thing))
    }

    pub(super) fn remove(&mut self, name: &K) -> Option<V> {
        self.0.remove(name).map(Arc::unwrap_or_clone)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.values().map(|thing| &**thing)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(name, thing)| (name, &**thing))
    }
}
