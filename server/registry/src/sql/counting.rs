//! How many devices match: the counters tell, or what was found in memory. Only few are ever counted one by one.

use super::{
    Connection, DEVICE_OF_ID,
    selection::{Selection, push_ids},
    sql,
};
use crate::{errors::StoreError, grid::Grid, search::Query};

/// How many devices the selection has.
pub(super) async fn devices(
    connection: &mut Connection,
    grid: &Grid,
    selection: &Selection,
) -> Result<u64, StoreError> {
    if selection.kinds.is_empty() {
        return Ok(0);
    }
    match &selection.search {
        Some(search) => Ok(search.hits.len() as u64),
        None if selection.groups.is_empty() => Ok(selection.devices()),
        None if selection.groups.len() == 1 && !selection.has_kinds() => Ok(selection.members),
        None if selection.members <= grid.few => in_groups(connection, selection).await,
        None => Ok(selection.hits(connection, grid, &Query::default()).await?.len() as u64),
    }
}

/// How many devices of the groups are of the kinds. One that is in two groups is one.
async fn in_groups(connection: &mut Connection, selection: &Selection) -> Result<u64, StoreError> {
    let mut statement = sql("SELECT COUNT(DISTINCT v.name) FROM group_members AS v ");
    if selection.has_kinds() {
        statement.push(DEVICE_OF_ID);
    }
    statement.push(" WHERE v.device_group IN ");
    push_ids(&mut statement, &selection.groups);
    if selection.has_kinds() {
        selection.push_kinds(&mut statement);
    }
    Ok(super::count(statement.build_query_scalar().persistent(false).fetch_one(connection).await?))
}
