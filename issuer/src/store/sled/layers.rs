//! What lies above sled's tree: rows that are durable in the journal and have not been moved into the tree yet.
//!
//! ```text
//! group     what the changes of the running group wrote: theirs alone until it is durable
//! recent    what is in the journal's current file
//! leaving   what is in its other file, on its way into the tree
//! tree      everything else
//! ```
//!
//! Whoever reads takes the uppermost of a row. A layer leaves once all of it is in the tree and synced, so a row is never missing
//! in between, and a tree that has half of a layer is never seen.

use crate::store::Order;
use sled::{IVec, Tree};
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

/// Rows above others, each with what it says now; none when it was taken away.
pub(super) type Layer = BTreeMap<IVec, Option<IVec>>;

/// Keys from here to there.
pub(super) type Span = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// Returns the keys of one kind.
pub(super) fn of_kind(kind: u8) -> Span {
    (Bound::Included(vec![kind]), Bound::Excluded(vec![kind.saturating_add(1)]))
}

/// Returns the keys of one kind behind this one.
pub(super) fn behind(kind: u8, after: Option<Vec<u8>>) -> Span {
    let (first, last) = of_kind(kind);
    (after.map_or(first, Bound::Excluded), last)
}

/// Something that rows are read from.
pub(super) trait Look {
    /// Returns the row under `key`.
    fn get(&self, key: &[u8]) -> sled::Result<Option<IVec>>;

    /// Returns the first `most` rows of a span in this order.
    fn rows(&self, span: &Span, order: Order, most: usize) -> sled::Result<Vec<(IVec, IVec)>>;
}

/// The tree and the layers that everybody sees.
pub(super) struct Layers {
    tree: Tree,
    above: RwLock<Above>,
}

#[derive(Default)]
struct Above {
    recent: Layer,
    leaving: Option<Arc<Layer>>,
}

impl Layers {
    /// Returns a tree with what a journal says lies above it.
    pub(super) fn of(tree: Tree, recent: Layer, leaving: Option<Arc<Layer>>) -> Self {
        Self { tree, above: RwLock::new(Above { recent, leaving }) }
    }

    /// The tree below, for what moves layers into it.
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Lets everybody see what a group wrote; it must be durable.
    pub(super) fn publish(&self, group: Layer) {
        self.above.write().unwrap_or_else(PoisonError::into_inner).recent.extend(group);
    }

    /// Makes the recent rows the leaving ones and returns them. None may be leaving.
    pub(super) fn turn(&self) -> Arc<Layer> {
        let mut above = self.above.write().unwrap_or_else(PoisonError::into_inner);
        let leaving = Arc::new(std::mem::take(&mut above.recent));
        above.leaving = Some(Arc::clone(&leaving));
        leaving
    }

    /// Forgets the layer that was leaving: the tree has all of it.
    pub(super) fn left(&self) {
        let left = self.above.write().unwrap_or_else(PoisonError::into_inner).leaving.take();
        drop(left); // thousands of rows, and the lock is free again
    }

    fn get_below(&self, group: Option<&Layer>, key: &[u8]) -> sled::Result<Option<IVec>> {
        if let Some(row) = group.and_then(|group| group.get(key)) {
            return Ok(row.clone());
        }
        {
            let above = self.above.read().unwrap_or_else(PoisonError::into_inner);
            let leaving = || above.leaving.as_ref().and_then(|leaving| leaving.get(key));
            if let Some(row) = above.recent.get(key).or_else(leaving) {
                return Ok(row.clone());
            }
        }
        self.tree.get(key) // as it was above all layers a moment ago, or newer
    }

    fn rows_below(
        &self,
        group: Option<&Layer>,
        span: &Span,
        order: Order,
        most: usize,
    ) -> sled::Result<Vec<(IVec, IVec)>> {
        if is_empty(span) {
            return Ok(Vec::new());
        }
        let above = self.above.read().unwrap_or_else(PoisonError::into_inner);
        let layers = [group, Some(&above.recent), above.leaving.as_deref()];
        let mut sources: Vec<Source<'_>> =
            layers.into_iter().flatten().map(|layer| of_layer(layer, span, order)).collect();
        sources.push(of_tree(&self.tree, span, order));
        merged(sources.into_iter().map(Iterator::peekable).collect(), order, most)
    }
}

impl Look for Layers {
    fn get(&self, key: &[u8]) -> sled::Result<Option<IVec>> {
        self.get_below(None, key)
    }

    fn rows(&self, span: &Span, order: Order, most: usize) -> sled::Result<Vec<(IVec, IVec)>> {
        self.rows_below(None, span, order, most)
    }
}

/// The rows as a group of changes sees them: what it wrote itself, and below it what everybody sees.
pub(super) struct Rows {
    layers: Arc<Layers>,
    group: Layer,
    bytes: usize,
}

/// Bytes that one group writes at most, and one change more; the changes behind it are another group.
pub(super) const GROUP_BYTES: usize = 512 * 1024;

impl Rows {
    /// Returns the rows of a store, with nothing written.
    pub(super) fn of(layers: Arc<Layers>) -> Self {
        Self { layers, group: Layer::new(), bytes: 0 }
    }

    /// Takes in what a change writes.
    pub(super) fn write(&mut self, Batch(rows): Batch) {
        for (key, row) in rows {
            let bytes = key.len().saturating_add(row.as_ref().map_or(0, |row| row.len()));
            self.bytes = self.bytes.saturating_add(bytes);
            self.group.insert(key, row);
        }
    }

    /// Returns whether so much was written that no other change should join.
    pub(super) fn are_many(&self) -> bool {
        self.bytes > GROUP_BYTES
    }

    /// Returns what the group wrote.
    pub(super) fn group(&self) -> &Layer {
        &self.group
    }

    /// Lets everybody see what the group wrote, and begins another one. It must be durable.
    pub(super) fn publish(&mut self) {
        self.bytes = 0;
        self.layers.publish(std::mem::take(&mut self.group));
    }

    /// The layers that everybody sees.
    pub(super) fn layers(&self) -> &Arc<Layers> {
        &self.layers
    }
}

impl Look for Rows {
    fn get(&self, key: &[u8]) -> sled::Result<Option<IVec>> {
        self.layers.get_below(Some(&self.group), key)
    }

    fn rows(&self, span: &Span, order: Order, most: usize) -> sled::Result<Vec<(IVec, IVec)>> {
        self.layers.rows_below(Some(&self.group), span, order, most)
    }
}

/// What one change writes, all of it or nothing.
#[derive(Default)]
pub(super) struct Batch(Vec<(IVec, Option<IVec>)>);

impl Batch {
    /// Puts a row in place of the one before.
    pub(super) fn insert(&mut self, key: impl Into<IVec>, row: impl Into<IVec>) {
        self.0.push((key.into(), Some(row.into())));
    }

    /// Takes a row away, if there is one.
    pub(super) fn remove(&mut self, key: impl Into<IVec>) {
        self.0.push((key.into(), None));
    }
}

type Found = sled::Result<(IVec, Option<IVec>)>;
type Source<'a> = Box<dyn Iterator<Item = Found> + 'a>;

fn of_layer<'a>(layer: &'a Layer, (from, to): &Span, order: Order) -> Source<'a> {
    let span = (from.as_ref().map(Vec::as_slice), to.as_ref().map(Vec::as_slice));
    ordered(layer.range::<[u8], _>(span).map(|(key, row)| Ok((key.clone(), row.clone()))), order)
}

fn of_tree<'a>(tree: &Tree, span: &Span, order: Order) -> Source<'a> {
    ordered(tree.range::<Vec<u8>, _>(span.clone()).map(|row| row.map(|(key, row)| (key, Some(row)))), order)
}

fn ordered<'a>(rows: impl DoubleEndedIterator<Item = Found> + 'a, order: Order) -> Source<'a> {
    match order {
        Order::OldestFirst => Box::new(rows),
        Order::NewestFirst => Box::new(rows.rev()),
    }
}

/// Merges sources that each have a key at most once: the first one that has it says what the row is.
fn merged(mut sources: Vec<Peekable<Source<'_>>>, order: Order, most: usize) -> sled::Result<Vec<(IVec, IVec)>> {
    let mut rows = Vec::new();
    while rows.len() < most {
        let mut next: Option<IVec> = None;
        for source in &mut sources {
            match source.peek() {
                Some(Ok((key, _))) => {
                    let sooner = next.as_ref().is_none_or(|next| match order {
                        Order::OldestFirst => key < next,
                        Order::NewestFirst => key > next,
                    });
                    if sooner {
                        next = Some(key.clone());
                    }
                }
                Some(Err(error)) => return Err(error.clone()),
                None => {}
            }
        }
        let Some(next) = next else { break };
        let has = |found: &Found| found.as_ref().is_ok_and(|(key, _)| *key == next);
        let found: Vec<_> = sources.iter_mut().filter_map(|source| source.next_if(has)).collect();
        if let Some(Ok((key, Some(row)))) = found.into_iter().next() {
            rows.push((key, row));
        }
    }
    Ok(rows)
}

/// Whether a span has no room for a key; `BTreeMap` panics on one that ends before it begins.
fn is_empty((from, to): &Span) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from >= to,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(rows: &[(&[u8], &[u8])]) -> Tree {
        let db = sled::Config::new().temporary(true).open().unwrap();
        for (key, row) in rows {
            db.insert(key, *row).unwrap();
        }
        (*db).clone()
    }

    fn batch(rows: &[(&[u8], Option<&[u8]>)]) -> Batch {
        Batch(rows.iter().map(|(key, row)| ((*key).into(), row.map(IVec::from))).collect())
    }

    fn shown(look: &impl Look, span: &Span, order: Order, most: usize) -> String {
        let rows = look.rows(span, order, most).unwrap();
        let texts = rows.iter().map(|(key, row)| format!("{}{}", key.escape_ascii(), row.escape_ascii()));
        texts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_a_group_wrote_is_seen_by_its_changes_and_by_others_once_it_is_published() {
        let layers = Arc::new(Layers::of(tree(&[(b"a", b"0")]), Layer::new(), None));
        let mut rows = Rows::of(Arc::clone(&layers));
        rows.write(batch(&[(b"a", Some(b"1")), (b"b", Some(b"2"))]));
        rows.write(batch(&[(b"a", Some(b"3")), (b"b", None), (b"c", Some(b"4"))]));
        assert_eq!(rows.get(b"a").unwrap().unwrap(), b"3");
        assert_eq!(rows.get(b"b").unwrap(), None);
        assert_eq!(layers.get(b"a").unwrap().unwrap(), b"0");
        assert_eq!(layers.get(b"c").unwrap(), None);
        rows.publish();
        assert!(rows.group().is_empty());
        assert_eq!(layers.get(b"a").unwrap().unwrap(), b"3");
        assert_eq!(layers.get(b"c").unwrap().unwrap(), b"4");
        assert_eq!(layers.tree().get(b"a").unwrap().unwrap(), b"0", "it is not moved by that");
    }

    #[test]
    fn the_uppermost_of_a_row_is_read_and_a_row_that_was_taken_away_is_gone_in_either_order() {
        let below = tree(&[(b"a", b"t"), (b"b", b"t"), (b"d", b"t"), (b"f", b"t"), (b"h", b"t")]);
        let layers = Arc::new(Layers::of(below, Layer::new(), None));
        let mut rows = Rows::of(Arc::clone(&layers));
        rows.write(batch(&[(b"b", Some(b"l")), (b"c", Some(b"l")), (b"d", None), (b"e", Some(b"l"))]));
        rows.publish();
        layers.turn();
        rows.write(batch(&[(b"c", None), (b"d", Some(b"r")), (b"e", Some(b"r")), (b"g", Some(b"r"))]));
        rows.publish();
        rows.write(batch(&[(b"e", None), (b"h", Some(b"g")), (b"i", Some(b"g"))]));
        let all = (Bound::Unbounded, Bound::Unbounded);
        assert_eq!(shown(&*layers, &all, Order::OldestFirst, 99), "at bl dr er ft gr ht");
        assert_eq!(shown(&rows, &all, Order::OldestFirst, 99), "at bl dr ft gr hg ig");
        assert_eq!(shown(&rows, &all, Order::NewestFirst, 99), "ig hg gr ft dr bl at");
        assert_eq!(shown(&rows, &all, Order::NewestFirst, 3), "ig hg gr");
        assert_eq!(shown(&rows, &all, Order::OldestFirst, 0), "");
        let span = |from: &[u8], to: &[u8]| (Bound::Excluded(from.to_vec()), Bound::Excluded(to.to_vec()));
        assert_eq!(shown(&rows, &span(b"b", b"g"), Order::OldestFirst, 99), "dr ft");
        assert_eq!(shown(&rows, &span(b"c", b"d"), Order::OldestFirst, 99), "");
        for (from, to) in [(b"d", b"d"), (b"g", b"b")] {
            assert_eq!(shown(&rows, &span(from, to), Order::NewestFirst, 99), "", "and no panic");
        }
        assert_eq!(shown(&rows, &behind(b'd', None), Order::OldestFirst, 9), "dr");
        assert_eq!(shown(&rows, &behind(b'd', Some(b"d".to_vec())), Order::OldestFirst, 9), "");
    }

    #[test]
    fn a_layer_that_left_is_what_the_tree_says() {
        let layers = Layers::of(tree(&[]), Layer::from([(b"a".into(), Some(b"1".into()))]), None);
        let leaving = layers.turn();
        assert_eq!(layers.get(b"a").unwrap().unwrap(), b"1");
        for (key, row) in &*leaving {
            layers.tree().insert(key, row.clone().unwrap()).unwrap();
        }
        layers.left();
        assert_eq!(layers.get(b"a").unwrap().unwrap(), b"1");
        layers.tree().remove(b"a").unwrap();
        assert_eq!(layers.get(b"a").unwrap(), None, "nothing is above it any more");
    }

    #[test]
    fn a_group_that_wrote_much_is_known_by_it() {
        let mut rows = Rows::of(Arc::new(Layers::of(tree(&[]), Layer::new(), None)));
        let large = vec![0; GROUP_BYTES];
        rows.write(batch(&[(b"", Some(&large))]));
        assert!(!rows.are_many());
        rows.write(batch(&[(b"b", None)]));
        assert!(rows.are_many());
        rows.publish();
        assert!(!rows.are_many());
    }
}
