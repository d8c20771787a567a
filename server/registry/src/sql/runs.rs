//! Devices that stand side by side in an index, in the order that is asked for: *runs*. The next of several runs are
//! found by a merge.

use super::{
    Connection, Database, KIND_WALK, MEMBER_WALK, SEEN_WALK,
    selection::{Kind, Selection, push_facets},
    sql,
    walk::{BY_NAME, Bound, Columns, Key, Way},
};
use crate::errors::StoreError;
use sqlx::QueryBuilder;
use uuid::Uuid;

/// Runs that are merged. Of more groups than these, or more kinds, as thousands of models make them, the devices are
/// found in another way.
pub(super) const MAX_RUNS: usize = 1_000;

/// Which runs.
#[derive(Clone, Copy)]
pub(super) enum Runs<'k> {
    /// Each of these kinds, by name.
    Kinds(&'k [Kind]),
    /// Each of the selection's groups, by name.
    Members,
    /// Each of these kinds, by when its devices were last seen. They have sent data.
    Seen(&'k [Kind]),
}

/// A device of a run: its id, its name, and what stands before the name in the order.
pub(super) type Placed = (Uuid, String, i64);

const BY_LAST_SEEN: Columns = Columns { key: Some("v.last_seen"), name: "v.name" };
const BY_MEMBER: Columns = Columns { key: None, name: "v.name" };

impl Runs<'_> {
    fn len(self, selection: &Selection) -> usize {
        match self {
            Self::Kinds(kinds) | Self::Seen(kinds) => kinds.len(),
            Self::Members => selection.groups.len(),
        }
    }
}

/// The next devices of these runs. A first look takes a few of each: where that gives as many as are asked for, the
/// last of those is a place that the answer does not reach beyond, and each run is walked that far and no farther.
pub(super) async fn walk(
    connection: &mut Connection,
    selection: &Selection,
    runs: Runs<'_>,
    way: &Way,
) -> Result<Vec<Placed>, StoreError> {
    let of_each = (2 * way.limit).div_ceil(runs.len(selection).max(1)).min(way.limit);
    let look = walk_each(connection, selection, runs, way, None, of_each).await?;
    if of_each == way.limit {
        return Ok(look);
    }
    let last = look.get(way.limit - 1).map(|(_, name, place)| Bound {
        key: Key::Number(*place),
        name: name.clone(),
        is_inclusive: true,
    });
    walk_each(connection, selection, runs, way, last.as_ref(), way.limit).await
}

/// The first so many of each run up to a place, and of all of those the first.
async fn walk_each(
    connection: &mut Connection,
    selection: &Selection,
    runs: Runs<'_>,
    way: &Way,
    until: Option<&Bound>,
    of_each: usize,
) -> Result<Vec<Placed>, StoreError> {
    let mut statement = sql("WITH ");
    let (what, columns, [before, behind]) = match runs {
        Runs::Kinds(kinds) => {
            push_kind_list(&mut statement, selection.account, kinds);
            ("d.id, d.name, CAST(0 AS BIGINT)", BY_NAME, KIND_WALK)
        }
        Runs::Members => {
            push_group_list(&mut statement, &selection.groups);
            // A device may be in two groups.
            ("DISTINCT v.device, v.name, CAST(0 AS BIGINT)", BY_MEMBER, MEMBER_WALK)
        }
        Runs::Seen(kinds) => {
            push_kind_list(&mut statement, selection.account, kinds);
            ("v.device, v.name, v.last_seen", BY_LAST_SEEN, SEEN_WALK)
        }
    };
    statement.push(" SELECT ").push(what).push(" FROM k ").push(before);
    if !matches!(runs, Runs::Members) {
        selection.push_groups(&mut statement);
    }
    selection.push_others(&mut statement);
    if let Some(from) = &way.from {
        columns.push_side(&mut statement, from, way.is_descending);
    }
    if let Some(until) = until {
        columns.push_side(&mut statement, until, !way.is_descending);
    }
    columns.push_order(&mut statement, way.is_descending, of_each);
    statement.push(behind);
    columns.push_order(&mut statement, way.is_descending, way.limit);
    Ok(statement.build_query_as().persistent(false).fetch_all(connection).await?)
}

/// Appends kinds, for [`KIND_WALK`], [`SEEN_WALK`] and [`DEVICES_OF_KIND`](super::DEVICES_OF_KIND).
///
/// Many are not listed one by one: they are all kinds of some facets, of one model or of all, and the counters have those.
pub(super) fn push_kind_list(statement: &mut QueryBuilder<Database>, account: Uuid, kinds: &[Kind]) {
    statement.push("k (model, facet) AS (");
    if kinds.len() <= MAX_RUNS {
        statement.push_values(kinds, |mut row, kind| {
            row.push_bind(kind.model).push(kind.facet);
        });
    } else {
        statement.push("SELECT DISTINCT d.model, d.facet FROM device_counts AS d WHERE d.account = ");
        statement.push_bind(account);
        push_facets(statement, kinds);
    }
    statement.push(")");
}

/// Appends groups, for [`MEMBER_WALK`].
fn push_group_list(statement: &mut QueryBuilder<Database>, groups: &[Uuid]) {
    statement.push("k (device_group) AS (");
    statement.push_values(groups, |mut row, group| {
        row.push_bind(*group);
    });
    statement.push(")");
}
