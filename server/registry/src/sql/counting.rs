//! How many devices match. Mostly the counters tell; where they do not, devices are gone through one behind the other,
//! where the fewest stand, and none of them is kept.

use super::{
    Connection, DEVICE_OF_ID, DEVICES_OF_KIND, Database,
    few::push_named,
    json_names,
    runs::push_kind_list,
    selection::{Selection, push_ids},
    sql,
};
use crate::{errors::StoreError, grid::Grid, texts::Hits};
use futures_util::TryStreamExt;
use sqlx::QueryBuilder;
use std::collections::HashSet;

/// To look a name up takes about as long as to read so many that stand side by side.
const LOOK: u64 = 4;

/// The most names that are looked up with one statement, and that are put into a set before others have their turn.
const MAX_NAMES: u64 = 10_000;

/// Where devices are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Through {
    /// The kinds that match.
    Kinds,
    /// The selection's groups.
    Groups,
    /// What the search found.
    Hits,
}

/// How many devices match, where that is known without going through any.
fn known(selection: &Selection) -> Option<u64> {
    if selection.kinds.is_empty() {
        return Some(0);
    }
    match &selection.search {
        None if selection.is_whole_kinds() => Some(selection.devices()),
        None if selection.groups.len() == 1 && !selection.has_kinds() => Some(selection.members),
        Some(search) if !selection.is_beyond_texts() => Some(search.hits.len() as u64),
        _ => None,
    }
}

/// Where the fewest devices stand, and how many those are.
fn through(selection: &Selection) -> (u64, Through) {
    let mut ways = vec![(selection.devices(), Through::Kinds)];
    if !selection.groups.is_empty() {
        ways.push((selection.members, Through::Groups));
    }
    if let Some(search) = &selection.search {
        ways.push((LOOK * search.hits.len() as u64, Through::Hits));
    }
    ways.into_iter().min_by_key(|(devices, _)| *devices).unwrap_or((0, Through::Kinds))
}

/// Whether many devices are gone through to count.
pub(super) fn is_heavy(selection: &Selection, grid: &Grid) -> bool {
    known(selection).is_none() && through(selection).0 > grid.few
}

/// How many devices the selection has.
pub(super) async fn devices(
    connection: &mut Connection,
    grid: &Grid,
    selection: &Selection,
) -> Result<u64, StoreError> {
    if let Some(known) = known(selection) {
        return Ok(known);
    }
    let way = through(selection).1;
    let Some(search) = &selection.search else {
        let there: i64 =
            statement(selection, way, true).build_query_scalar().persistent(false).fetch_one(connection).await?;
        return Ok(super::count(there));
    };
    if way == Through::Hits {
        return look_up(connection, grid, selection, &search.hits).await;
    }
    let mut left = names(&search.hits).await;
    let hits = left.len();
    let mut statement = statement(selection, way, false);
    let mut there = statement.build_query_scalar::<String>().persistent(false).fetch(connection);
    while let Some(name) = there.try_next().await? {
        // A device that is in two groups comes twice.
        left.remove(name.as_str());
    }
    Ok((hits - left.len()) as u64)
}

/// A statement for the names of the devices that stand there, or for how many those are, without those that are known
/// not to match.
fn statement(selection: &Selection, way: Through, is_number: bool) -> QueryBuilder<Database> {
    let mut statement = sql("");
    match way {
        Through::Kinds | Through::Hits => {
            statement.push("WITH ");
            push_kind_list(&mut statement, selection.account, &selection.kinds);
            statement.push(if is_number { " SELECT COUNT(*)" } else { " SELECT d.name" });
            statement.push(" FROM k ").push(DEVICES_OF_KIND).push(" WHERE 1 = 1");
            selection.push_groups(&mut statement);
        }
        Through::Groups => {
            statement.push(if is_number { "SELECT COUNT(DISTINCT v.name)" } else { "SELECT v.name" });
            statement.push(" FROM group_members AS v ");
            // What a search found is of the filter's kinds.
            let has_others = is_number && selection.has_kinds();
            if has_others {
                statement.push(DEVICE_OF_ID);
            }
            statement.push(" WHERE v.device_group IN ");
            push_ids(&mut statement, &selection.groups);
            if has_others {
                selection.push_kinds(&mut statement);
            }
        }
    }
    statement
}

/// The names of what a search found. Of a million, others have their turn meanwhile.
async fn names(hits: &Hits) -> HashSet<&str> {
    let mut names = HashSet::with_capacity(hits.len());
    for (entry, at) in hits.entries().zip(1_u64..) {
        names.insert(entry.name);
        if at.is_multiple_of(MAX_NAMES) {
            tokio::task::yield_now().await;
        }
    }
    names
}

/// How many of what a search found match, by a look at each.
async fn look_up(
    connection: &mut Connection,
    grid: &Grid,
    selection: &Selection,
    hits: &Hits,
) -> Result<u64, StoreError> {
    let at_once = grid.few.clamp(1, MAX_NAMES) as usize;
    let (mut entries, mut found) = (hits.entries().peekable(), 0);
    while entries.peek().is_some() {
        let mut statement = sql("SELECT COUNT(*) FROM ");
        let names = json_names(entries.by_ref().take(at_once).map(|entry| entry.name));
        push_named(&mut statement, selection.account, names);
        statement.push(" WHERE 1 = 1");
        selection.push_groups(&mut statement);
        let there: i64 = statement.build_query_scalar().persistent(false).fetch_one(&mut *connection).await?;
        found += super::count(there);
    }
    Ok(found)
}
