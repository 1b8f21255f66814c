//! Maps and sets of a few entries: sorted vectors, since a list holds 64 rules at most.
//!
//! A B-tree would do the same, and weigh 30 KB in a verifier that is to fit into 100.

use serde::{Serialize, Serializer};
use std::borrow::Borrow;

/// Values by key, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortedMap<K, V>(Vec<(K, V)>);

impl<K: Ord, V> SortedMap<K, V> {
    /// Returns how many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value of this key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.iter().find(|(held, _)| held.borrow() == key).map(|(_, value)| value)
    }

    /// Returns the values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Adds an entry, in the place of one with this key.
    #[inline(never)] // lists are loaded, not judged: small is better than fast
    pub fn insert(&mut self, key: K, value: V) {
        match self.0.binary_search_by(|(held, _)| held.cmp(&key)) {
            Ok(place) => {
                if let Some((_, held)) = self.0.get_mut(place) {
                    *held = value;
                }
            }
            Err(place) => self.0.insert(place, (key, value)),
        }
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for SortedMap<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Serialize, V: Serialize> Serialize for SortedMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// Members, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortedSet<K>(SortedMap<K, ()>);

impl<K: Ord> SortedSet<K> {
    /// Returns how many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether this is a member.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.get(key).is_some()
    }
}

impl<K> Default for SortedSet<K> {
    fn default() -> Self {
        Self(SortedMap::default())
    }
}

impl<K: Ord> FromIterator<K> for SortedSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(members: I) -> Self {
        Self(members.into_iter().map(|member| (member, ())).collect())
    }
}

impl<K: Ord, const N: usize> From<[K; N]> for SortedSet<K> {
    fn from(members: [K; N]) -> Self {
        members.into_iter().collect()
    }
}

impl<K: Serialize> Serialize for SortedSet<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.0.iter().map(|(member, ())| member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn maps_and_sets_are_those_of_the_standard_library(entries in proptest::collection::vec((0..30_u8, any::<u8>()), 0..40)) {
            let (map, tree): (SortedMap<_, _>, BTreeMap<_, _>) = (entries.iter().copied().collect(), entries.iter().copied().collect());
            let (set, tree_set): (SortedSet<_>, BTreeSet<_>) = (entries.iter().map(|entry| entry.0).collect(), entries.iter().map(|entry| entry.0).collect());
            prop_assert_eq!((map.len(), set.len()), (tree.len(), tree_set.len()));
            prop_assert_eq!((map.is_empty(), set.is_empty()), (tree.is_empty(), tree_set.is_empty()));
            for key in 0..30 {
                prop_assert_eq!(map.get(&key), tree.get(&key));
                prop_assert_eq!(set.contains(&key), tree_set.contains(&key));
            }
            prop_assert!(map.values().eq(tree.values()));
            prop_assert_eq!(serde_json::to_string(&map).unwrap(), serde_json::to_string(&tree).unwrap());
            prop_assert_eq!(serde_json::to_string(&set).unwrap(), serde_json::to_string(&tree_set).unwrap());
            let again: SortedMap<_, _> = tree.into_iter().rev().collect();
            prop_assert_eq!(again, map);
        }
    }
}
