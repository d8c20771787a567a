//! Devices that match and are few: fetched, all of them, from where the fewest others stand beside them; then sorted.

use super::{
    Connection, DEVICE_NAMED, DEVICE_OF_ID, DEVICES_OF_KIND, Database, json_names,
    runs::push_kind_list,
    selection::{Kind, Selection, push_facets, push_ids},
    sql,
    walk::{Columns, Found, Way},
};
use crate::{errors::StoreError, fleet::Sort};
use sqlx::QueryBuilder;
use uuid::Uuid;

/// Where matching devices are found.
pub(super) enum Source {
    /// Those of these names, a JSON array. The search found all of them.
    Names(String),
    /// Side by side, kind by kind.
    Kinds(Vec<Kind>),
    /// In the selection's groups.
    Groups,
}

/// The source that has the fewest devices, if those are at most `most`. What a search finds is of the selection's kinds
/// and groups already.
pub(super) fn source(selection: &Selection, most: u64) -> Option<Source> {
    if let Some(search) = &selection.search {
        let names = || Source::Names(json_names(search.hits.entries().map(|entry| entry.name)));
        return (search.hits.len() as u64 <= most).then(names);
    }
    let devices = selection.devices();
    if !selection.groups.is_empty() && selection.members < devices {
        return (selection.members <= most).then_some(Source::Groups);
    }
    (devices <= most).then(|| Source::Kinds(selection.kinds.clone()))
}

/// The device `d` of each of the names in a JSON array, after ` FROM`.
pub(super) fn push_named(statement: &mut QueryBuilder<Database>, account: Uuid, names: String) {
    let [before, between, behind] = DEVICE_NAMED;
    statement.push(before).push_bind(names).push(between).push_bind(account).push(behind);
}

/// A statement for the devices `d` of a source, with their models `m`. With `kinds`, for those of these kinds only.
fn select(selection: &Selection, source: &Source, kinds: Option<&[Kind]>) -> QueryBuilder<Database> {
    let mut statement = sql("");
    if let Source::Kinds(kinds) = source {
        statement.push("WITH ");
        push_kind_list(&mut statement, selection.account, kinds);
    }
    statement.push(" SELECT d.id, d.name FROM ");
    match source {
        Source::Names(names) => push_named(&mut statement, selection.account, names.clone()),
        Source::Kinds(_) => {
            statement.push("k ").push(DEVICES_OF_KIND);
        }
        Source::Groups => {
            statement.push("(SELECT DISTINCT device FROM group_members WHERE device_group IN ");
            push_ids(&mut statement, &selection.groups);
            statement.push(") AS v ").push(DEVICE_OF_ID);
        }
    }
    statement.push(" LEFT JOIN models m ON m.id = d.model WHERE 1 = 1");
    if let Some(kinds) = kinds {
        push_facets(&mut statement, kinds);
    }
    if !matches!(source, Source::Kinds(_)) {
        selection.push_kinds(&mut statement);
    }
    if !matches!(source, Source::Groups) {
        selection.push_groups(&mut statement);
    }
    selection.push_others(&mut statement);
    statement
}

/// The next devices, of all that a source has. With `kinds`, of those kinds only.
pub(super) async fn fetch(
    connection: &mut Connection,
    selection: &Selection,
    source: &Source,
    kinds: Option<&[Kind]>,
    way: &Way,
) -> Result<Found, StoreError> {
    let key = match way.sort {
        Sort::Name => None,
        Sort::Model => Some("m.name"),
        Sort::FriendlyName => Some("d.friendly_key"),
        Sort::Tier => Some("d.tier"),
        Sort::Status => Some("d.status"),
        // One look for each: joined, PostgreSQL may take all states there are first.
        Sort::LastSeen => Some("COALESCE((SELECT st.last_seen FROM device_states st WHERE st.device = d.id), 0)"),
    };
    let columns = Columns { key, name: "d.name" };
    let mut statement = select(selection, source, kinds);
    if let Some(from) = &way.from {
        columns.push_side(&mut statement, from, way.is_descending);
    }
    columns.push_order(&mut statement, way.is_descending, way.limit);
    Ok(statement.build_query_as().persistent(false).fetch_all(connection).await?)
}
