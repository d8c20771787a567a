//! The next devices in an order, from any place and either way, without counting through those before.
//!
//! There are three ways to find them. *Few* that match are fetched, all, and sorted (`few.rs`). Of *many*, the first in
//! the order come soon: an index that has the order is walked, and those that do not match are passed over. By name,
//! there is such an index of the account and of each group. For all else there are the *kinds*: devices of one model that
//! are alike in status, tier and whether they were seen stand side by side, by name. A filter by these is a choice of
//! kinds. An order by them is a row of segments, and each segment is a merge of its kinds.
//!
//! A search, a registration and an order by friendly name are a matter of the texts in memory (`walk_texts.rs`).

use super::{
    Connection, DEVICE_OF_ID, Database, KIND_WALK, KIND_WALK_END,
    few::{self, Source},
    selection::{Kind, Selection, members, push_facets, push_ids},
    sql,
    walk_texts::{is_in_texts, walk_seen, walk_texts},
};
use crate::{errors::StoreError, fleet::Sort, grid::Grid, texts::Hits};
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

const BY_NAME: Columns = Columns { key: None, name: "d.name" };
pub(super) const BY_LAST_SEEN: Columns = Columns { key: Some("v.last_seen"), name: "v.name" };

/// Groups that are walked side by side. Devices of more than these are looked for among all.
const MAX_GROUP_LINES: usize = 16;

/// Kinds that are walked side by side. Of more, as thousands of models make them, the texts are asked.
const MAX_WALKED_KINDS: usize = 1_000;

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

    /// Appends the order and how many, or all.
    pub(super) fn push_order(self, statement: &mut QueryBuilder<Database>, is_descending: bool, limit: Option<usize>) {
        let way = if is_descending { " DESC" } else { "" };
        statement.push(" ORDER BY ");
        if let Some(key) = self.key {
            statement.push(key).push(way).push(", ");
        }
        statement.push(self.name).push(way);
        if let Some(limit) = limit {
            statement.push(" LIMIT ").push_bind(limit as i64);
        }
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
    /// An index is walked that has all of them in this order.
    Line(Line),
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
    let line = line(selection, sort);
    // Where nothing, or next to nothing, is passed over, a walk is always the shortest way.
    let is_dense = match (&selection.search, line) {
        (Some(_), _) => is_in_texts(sort) && !selection.is_beyond_texts(),
        (None, Some(_)) => !selection.has_kinds(),
        (None, None) => selection.is_whole_kinds() && !matches!(sort, Sort::LastSeen | Sort::FriendlyName),
    };
    if !is_dense && let Some(source) = few::source(connection, selection, grid.few).await? {
        return Ok(Plan::Few(source));
    }
    if let Some(search) = &selection.search {
        return Ok(Plan::Texts(search.hits.clone()));
    }
    let is_walked = line.is_some() || selection.kinds.len() <= MAX_WALKED_KINDS;
    if sort == Sort::FriendlyName || !is_walked {
        return Ok(Plan::Texts(selection.hits(connection, grid, "").await?));
    }
    Ok(line.map_or(Plan::Segments, Plan::Line))
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
        Plan::Line(line) => return walk_line(connection, selection, *line, None, way).await,
        Plan::Texts(hits) if is_in_texts(way.sort) => return walk_texts(connection, selection, hits, None, way).await,
        Plan::Texts(hits) => Some(hits),
        Plan::Segments => None,
    };
    let mut found = Vec::new();
    for (segment, from) in segments(selection, way) {
        let rest = Way { from, limit: way.limit - found.len(), ..*way };
        found.extend(match (segment, hits) {
            (Segment::Kinds(kinds), None) if has_group_lines(selection) => {
                let rest = Way { sort: Sort::Name, ..rest };
                walk_line(connection, selection, Line::Members, Some(&kinds), &rest).await?
            }
            (Segment::Kinds(kinds), None) => walk_kinds(connection, selection, &kinds, &rest).await?,
            (Segment::Kinds(kinds), Some(hits)) => {
                let rest = Way { sort: Sort::Name, ..rest };
                let devices: u64 = kinds.iter().map(|kind| kind.devices).sum();
                if devices <= grid.few.min(hits.len() as u64) {
                    few::fetch(connection, selection, &Source::Kinds(kinds), None, &rest).await?
                } else {
                    walk_texts(connection, selection, hits, Some(&kinds), &rest).await?
                }
            }
            (Segment::Seen(_), None) => walk_line(connection, selection, Line::Seen, None, &rest).await?,
            (Segment::Seen(kinds), Some(hits)) => walk_seen(connection, grid, selection, hits, &kinds, &rest).await?,
        });
        if found.len() >= way.limit {
            break;
        }
    }
    Ok(found)
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

/// How many devices the selection has.
pub(super) async fn count(connection: &mut Connection, selection: &Selection) -> Result<u64, StoreError> {
    if selection.kinds.is_empty() {
        return Ok(0);
    }
    match &selection.search {
        None if selection.is_whole_kinds() => return Ok(selection.devices()),
        None if selection.groups.len() == 1 && !selection.has_kinds() => {
            return members(connection, &selection.groups).await;
        }
        Some(search) if !selection.is_beyond_texts() => return Ok(search.hits.len() as u64),
        _ => {}
    }
    let source = few::source(connection, selection, u64::MAX).await?;
    let source = source.unwrap_or_else(|| Source::Kinds(selection.kinds.clone()));
    few::count(connection, selection, &source).await
}

/// An index that has devices in an order, whatever their kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Of the account, by name.
    Names,
    /// Of the selection's groups, by name.
    Members,
    /// That have sent data, by when.
    Seen,
}

/// Whether the selection's groups are walked, each by itself.
fn has_group_lines(selection: &Selection) -> bool {
    (1..=MAX_GROUP_LINES).contains(&selection.groups.len())
}

/// The index that has the devices of a selection by name.
fn line(selection: &Selection, sort: Sort) -> Option<Line> {
    match sort {
        Sort::Name if has_group_lines(selection) => Some(Line::Members),
        Sort::Name if !selection.has_kinds() => Some(Line::Names),
        _ => None,
    }
}

/// The next of a line that the selection has. With `kinds`, of those kinds only.
async fn walk_line(
    connection: &mut Connection,
    selection: &Selection,
    line: Line,
    kinds: Option<&[Kind]>,
    way: &Way,
) -> Result<Found, StoreError> {
    let mut statement = sql("SELECT id, name FROM (");
    let groups: Vec<Option<Uuid>> = match line {
        Line::Members => selection.groups.iter().copied().map(Some).collect(),
        Line::Names | Line::Seen => vec![None],
    };
    for (at, group) in groups.into_iter().enumerate() {
        // Without ALL: a device may be in two groups.
        statement.push(if at > 0 { " UNION " } else { "" });
        statement.push("SELECT id, name, place FROM (SELECT d.id, d.name, ");
        let columns = match line {
            Line::Names => {
                statement.push("0 AS place FROM devices AS d WHERE d.account = ").push_bind(selection.account);
                BY_NAME
            }
            Line::Members => {
                statement.push("0 AS place FROM group_members AS v ").push(DEVICE_OF_ID);
                statement.push(" WHERE v.device_group = ").push_bind(group);
                Columns { key: None, name: "v.name" }
            }
            Line::Seen => {
                statement.push("v.last_seen AS place FROM device_states AS v ").push(DEVICE_OF_ID);
                statement.push(" WHERE v.account = ").push_bind(selection.account);
                BY_LAST_SEEN
            }
        };
        if let Some(kinds) = kinds {
            push_facets(&mut statement, kinds);
        }
        selection.push_kinds(&mut statement);
        if line != Line::Members {
            selection.push_groups(&mut statement);
        }
        selection.push_others(&mut statement);
        if let Some(from) = &way.from {
            columns.push_side(&mut statement, from, way.is_descending);
        }
        columns.push_order(&mut statement, way.is_descending, Some(way.limit));
        statement.push(") AS of_one");
    }
    statement.push(") AS those");
    Columns { key: Some("place"), name: "name" }.push_order(&mut statement, way.is_descending, Some(way.limit));
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

/// Merges the runs of these kinds. A first look takes a few of each run: where that gives as many as are asked for,
/// the last of those is a place that the answer does not reach beyond, and each run is walked that far and no farther.
async fn walk_kinds(
    connection: &mut Connection,
    selection: &Selection,
    kinds: &[Kind],
    way: &Way,
) -> Result<Found, StoreError> {
    let of_each = (2 * way.limit).div_ceil(kinds.len()).min(way.limit);
    let look = walk_each(connection, selection, kinds, way, None, of_each).await?;
    if of_each == way.limit {
        return Ok(look);
    }
    let last =
        look.get(way.limit - 1).map(|(_, name)| Bound { key: Key::Number(0), name: name.clone(), is_inclusive: true });
    walk_each(connection, selection, kinds, way, last.as_ref(), way.limit).await
}

/// The first so many of each run up to a place, and of all of those the first.
async fn walk_each(
    connection: &mut Connection,
    selection: &Selection,
    kinds: &[Kind],
    way: &Way,
    until: Option<&Bound>,
    of_each: usize,
) -> Result<Found, StoreError> {
    let mut statement = sql("WITH ");
    push_kind_list(&mut statement, kinds);
    statement.push(" SELECT d.id, d.name FROM k ").push(KIND_WALK);
    selection.push_groups(&mut statement);
    selection.push_others(&mut statement);
    if let Some(from) = &way.from {
        BY_NAME.push_side(&mut statement, from, way.is_descending);
    }
    if let Some(until) = until {
        BY_NAME.push_side(&mut statement, until, !way.is_descending);
    }
    BY_NAME.push_order(&mut statement, way.is_descending, Some(of_each));
    statement.push(KIND_WALK_END);
    BY_NAME.push_order(&mut statement, way.is_descending, Some(way.limit));
    Ok(statement.build_query_as().persistent(false).fetch_all(connection).await?)
}

/// Appends kinds, for [`KIND_WALK`] and [`DEVICES_OF_KIND`](super::DEVICES_OF_KIND).
pub(super) fn push_kind_list(statement: &mut QueryBuilder<Database>, kinds: &[Kind]) {
    statement.push("k (model, facet) AS (");
    statement.push_values(kinds, |mut row, kind| {
        row.push_bind(kind.model).push(kind.facet);
    });
    statement.push(")");
}
