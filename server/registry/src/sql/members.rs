//! Who is in a group, as a search and a walk through the texts need to know it: some lines of blocks. They are kept in
//! memory, and read again when somebody has joined or left.

use super::{Connection, DEVICE_OF_ID, selection::push_ids, sql};
use crate::{
    errors::StoreError,
    grid::{Grid, KeptMembers},
    texts::{Block, Lines},
};
use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, query_as};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// The groups' versions, which change whenever somebody joins or leaves. They are asked for before the blocks are: then
/// whoever joined by that version is in a block that was read.
pub(super) async fn versions(connection: &mut Connection, groups: &[Uuid]) -> Result<HashMap<Uuid, i64>, StoreError> {
    let mut statement =
        sql("SELECT device_group, CAST(SUM(version) AS BIGINT) FROM group_counts WHERE device_group IN ");
    push_ids(&mut statement, groups);
    statement.push(" GROUP BY device_group");
    let rows: Vec<(Uuid, i64)> = statement.build_query_as().fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
}

/// The lines of the devices that are in any of these groups, of these blocks: the account's, or some of them.
pub(super) async fn lines(
    connection: &mut Connection,
    grid: &Grid,
    versions: &HashMap<Uuid, i64>,
    blocks: &HashMap<i64, Block>,
    has_all_blocks: bool,
) -> Result<HashMap<i64, Arc<Lines>>, StoreError> {
    let mut all: HashMap<i64, Arc<Lines>> = HashMap::new();
    for (group, version) in versions {
        let members = match grid.kept_members(*group, *version, blocks) {
            Some(members) => members,
            None => {
                let members = Arc::new(read(connection, *group, blocks).await?);
                if has_all_blocks {
                    grid.keep_members(*group, *version, &members);
                }
                members
            }
        };
        for (id, (_, lines)) in members.iter() {
            all.entry(*id).and_modify(|there| *there = Arc::new(there.or(lines))).or_insert_with(|| lines.clone());
        }
    }
    Ok(all)
}

async fn read(
    connection: &mut Connection,
    group: Uuid,
    blocks: &HashMap<i64, Block>,
) -> Result<KeptMembers, StoreError> {
    let statement = format!("SELECT d.block, v.name FROM group_members AS v {DEVICE_OF_ID} WHERE v.device_group = $1");
    let mut rows = query_as::<_, (i64, String)>(AssertSqlSafe(statement)).bind(group).fetch(connection);
    let mut found: HashMap<i64, Lines> = HashMap::new();
    while let Some((id, name)) = rows.try_next().await? {
        // Who is registered since the blocks were read joins with the next version.
        if let Some(line) = blocks.get(&id).and_then(|block| block.line_of(&name)) {
            found.entry(id).or_default().insert(line);
        }
    }
    let kept = |(id, lines)| Some((id, (blocks.get(&id)?.texts(), Arc::new(lines))));
    Ok(found.into_iter().filter_map(kept).collect())
}
