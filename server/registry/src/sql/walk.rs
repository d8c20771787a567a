//! The next devices in an order, from any place and either way, without counting through those before.
//!
//! There are three ways to find them. *Few* that match are fetched, all, and sorted (`few.rs`). Of *many*, the first in
//! the order come soon: an index that has the order is walked, and those that do not match are passed over. By name,
//! there is such an index of the account and of each group. For all else there are the *kinds*: devices of one model that
//! are alike in status, tier and whether they were seen stand side by side, by name. A filter by these is a choice of
//! kinds. An order by them is a row of segments, and each segment is a merge of its kinds.
//!
//! A search, a registration, an order by friendly name, and a large group in any way but by name, are a matter of the texts
//! in memory (`walk_texts.rs`).

use super::{
    Connection, Database,
    few::{self, Source},
    runs::{self, MAX_RUNS, Runs},
    selection::{Kind, Selection, push_ids},
    sql,
    walk_texts::{is_in_texts, search_seen, walk_texts},
};
use crate::{errors::StoreError, fleet::Sort, grid::Grid, hits::Hits, search::Query};
use sqlx::QueryBuilder;
use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Devices: their ids and names.
pub(super) type Found = Vec<(Uuid, String)>;

/// What devices are sorted by before the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Number(i64),
    Text(String),
}

impl Key {
    /// As a [`Cursor`](crate::fleet::Cursor) has it.
    pub(super) fn parse(sort: Sort, text: &str) -> Self {
        match sort {
            Sort::Name => Self::Number(0),
            Sort::Tier | Sort::Status | Sort::LastSeen => Self::Number(text.parse().unwrap_or_default()),
            Sort::Model | Sort::FriendlyName => Self::Text(text.to_owned()),
        }
    }
}

/// A place in an order.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) key: Key,
    pub(super) name: String,
    /// Whether the device at this place is one of those asked for.
    pub(super) is_inclusive: bool,
}

/// Which devices come next.
pub(super) struct Way {
    pub(super) sort: Sort,
    pub(super) is_descending: bool,
    pub(super) from: Option<Bound>,
    pub(super) limit: usize,
}

/// The columns of an order.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    pub(super) key: Option<&'static str>,
    pub(super) name: &'static str,
}

pub(super) const BY_NAME: Columns = Columns { key: None, name: "d.name" };

impl Columns {
    /// Appends that a device stands behind a place, or before one.
    pub(super) fn push_side(self, statement: &mut QueryBuilder<Database>, bound: &Bound, is_below: bool) {
        let side = match (is_below, bound.is_inclusive) {
            (false, false) => " > ",
            (false, true) => " >= ",
            (true, false) => " < ",
            (true, true) => " <= ",
        };
        statement.push(" AND ");
        match self.key {
            None => statement.push(self.name).push(side).push_bind(bound.name.clone()),
            Some(key) => {
                statement.push("(").push(key).push(", ").push(self.name).push(")").push(side).push("(");
                match &bound.key {
                    Key::Number(number) => statement.push_bind(*number),
                    Key::Text(text) => statement.push_bind(text.clone()),
                };
                statement.push(", ").push_bind(bound.name.clone()).push(")")
            }
        };
    }

    /// Appends the order, and how many.
    pub(super) fn push_order(self, statement: &mut QueryBuilder<Database>, is_descending: bool, limit: usize) {
        let way = if is_descending { " DESC" } else { "" };
        statement.push(" ORDER BY ");
        if let Some(key) = self.key {
            statement.push(key).push(way).push(", ");
        }
        statement.push(self.name).push(way).push(" LIMIT ").push_bind(limit as i64);
    }
}

/// How the devices of a selection are found in an order.
pub(super) enum Plan {
    /// There are none.
    Nothing,
    /// They are fetched from here, and sorted.
    Few(Source),
    /// The texts say which come next.
    Texts(Arc<Hits>),
    /// All devices of the account are walked, by name.
    Names,
    /// The groups are walked side by side, by name.
    Members,
    /// Kind by kind.
    Segments,
}

/// Decides how.
pub(super) async fn plan(
    connection: &mut Connection,
    grid: &Grid,
    selection: &Selection,
    sort: Sort,
) -> Result<Plan, StoreError> {
    if selection.kinds.is_empty() {
        return Ok(Plan::Nothing);
    }
    let has_groups = !selection.groups.is_empty();
    let is_by_groups = has_groups && sort == Sort::Name && selection.groups.len() <= MAX_RUNS && !selection.has_kinds();
    // Where nothing, or next to nothing, is passed over, a walk is always the shortest way.
    let is_dense = match &selection.search {
        Some(_) => is_in_texts(sort) && !selection.is_beyond_texts(),
        None => is_by_groups || !has_groups && sort != Sort::FriendlyName,
    };
    if !is_dense && let Some(source) = few::source(selection, grid.few) {
        return Ok(Plan::Few(source));
    }
    if let Some(search) = &selection.search {
        return Ok(Plan::Texts(search.hits.clone()));
    }
    Ok(if is_by_groups {
        Plan::Members
    } else if !has_groups && sort == Sort::Name && !selection.has_kinds() {
        Plan::Names
    } else if has_groups || sort == Sort::FriendlyName || selection.kinds.len() > MAX_RUNS {
        Plan::Texts(selection.hits(connection, grid, &Query::default()).await?)
    } else {
        Plan::Segments
    })
}

/// The devices of the selection that come next.
pub(super) async fn find(
    connection: &mut Connection,
    grid: &Grid,
    selection: &Selection,
    plan: &Plan,
    way: &Way,
) -> Result<Found, StoreError> {
    let hits = match plan {
        Plan::Nothing => return Ok(Vec::new()),
        Plan::Few(source) => return few::fetch(connection, selection, source, None, way).await,
        Plan::Names => return walk_names(connection, selection, way).await,
        Plan::Texts(hits) if is_in_texts(way.sort) => return walk_texts(connection, selection, hits, None, way).await,
        Plan::Members => return walk_runs(connection, selection, Runs::Members, way).await,
        Plan::Texts(hits) => Some(hits),
        Plan::Segments => None,
    };
    let mut found = Vec::new();
    for (segment, from) in segments(selection, way) {
        let rest = Way { from, limit: way.limit - found.len(), ..*way };
        found.extend(match (segment, hits) {
            (Segment::Kinds(kinds), None) => walk_runs(connection, selection, Runs::Kinds(&kinds), &rest).await?,
            (Segment::Kinds(kinds), Some(hits)) => {
                let by_name = Way { sort: Sort::Name, ..rest };
                walk_texts(connection, selection, hits, Some(&kinds), &by_name).await?
            }
            (Segment::Seen(kinds), Some(hits)) if selection.search.is_some() => {
                search_seen(connection, grid, selection, hits, &kinds, &rest).await?
            }
            (Segment::Seen(kinds), _) => walk_runs(connection, selection, Runs::Seen(&kinds), &rest).await?,
        });
        if found.len() >= way.limit {
            break;
        }
    }
    Ok(found)
}

/// The next devices of these runs.
async fn walk_runs(
    connection: &mut Connection,
    selection: &Selection,
    runs: Runs<'_>,
    way: &Way,
) -> Result<Found, StoreError> {
    let found = runs::walk(connection, selection, runs, way).await?;
    Ok(found.into_iter().map(|(id, name, _)| (id, name)).collect())
}

/// Those of these devices that the selection has now, by name. With `locked`, they stay as they are until the
/// transaction ends.
pub(super) async fn still(
    connection: &mut Connection,
    selection: &Selection,
    ids: &[Uuid],
    locked: &'static str,
) -> Result<Found, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = sql("SELECT d.id, d.name FROM devices AS d WHERE d.id IN ");
    push_ids(&mut statement, ids);
    selection.push_kinds(&mut statement);
    selection.push_groups(&mut statement);
    selection.push_others(&mut statement);
    statement.push(" ORDER BY d.name").push(locked);
    Ok(statement.build_query_as().persistent(false).fetch_all(connection).await?)
}

/// The next of the account's devices, by name, that the selection has.
async fn walk_names(connection: &mut Connection, selection: &Selection, way: &Way) -> Result<Found, StoreError> {
    let mut statement = sql("SELECT d.id, d.name FROM devices AS d WHERE d.account = ");
    statement.push_bind(selection.account);
    selection.push_others(&mut statement);
    if let Some(from) = &way.from {
        BY_NAME.push_side(&mut statement, from, way.is_descending);
    }
    BY_NAME.push_order(&mut statement, way.is_descending, way.limit);
    Ok(statement.build_query_as().persistent(false).fetch_all(connection).await?)
}

/// Devices that follow each other in an order: all of one segment stand before all of the next.
#[derive(Debug, PartialEq, Eq)]
enum Segment {
    /// Of these kinds, by name.
    Kinds(Vec<Kind>),
    /// Of these kinds, that have sent data, by when.
    Seen(Vec<Kind>),
}

/// The segments of an order from a place on, and where to begin in each.
fn segments(selection: &Selection, way: &Way) -> Vec<(Segment, Option<Bound>)> {
    let mut by_key: BTreeMap<Key, Vec<Kind>> = BTreeMap::new();
    for kind in &selection.kinds {
        let key = match way.sort {
            Sort::Name | Sort::FriendlyName => Key::Number(0),
            Sort::Model => Key::Text(kind.model_name.clone()),
            Sort::Tier => Key::Number(kind.tier().into()),
            Sort::Status => Key::Number(kind.status().into()),
            // Any number stands for all the times.
            Sort::LastSeen => Key::Number(kind.is_seen().into()),
        };
        by_key.entry(key).or_default().push(kind.clone());
    }
    let mut segments = Vec::new();
    for (key, kinds) in by_key {
        let from = match (way.sort, &way.from) {
            (_, None) => None,
            (Sort::Name | Sort::FriendlyName, from) => from.clone(),
            (sort, Some(from)) => {
                let place = match (sort, &from.key) {
                    (Sort::LastSeen, Key::Number(at)) => Key::Number((*at > 0).into()),
                    (_, key) => key.clone(),
                };
                let order = if way.is_descending { place.cmp(&key) } else { key.cmp(&place) };
                match order {
                    Ordering::Less => continue,
                    Ordering::Equal => Some(from.clone()),
                    Ordering::Greater => None,
                }
            }
        };
        let is_seen = way.sort == Sort::LastSeen && key == Key::Number(1);
        segments.push((if is_seen { Segment::Seen(kinds) } else { Segment::Kinds(kinds) }, from));
    }
    if way.is_descending {
        segments.reverse();
    }
    segments
}
