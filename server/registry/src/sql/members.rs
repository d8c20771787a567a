//! Who is in a group, for the fleet index: some lines of segments. They are cached, and read again when somebody has joined or left.

use super::{Connection, DEVICE_OF_ID, selection::push_ids, sql};
use crate::{
    errors::StoreError,
    index::{FleetIndex, GroupMembers, lines::Lines, segment::Segment},
};
use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, query_as};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use uuid::Uuid;

/// The groups' versions, which change whenever somebody joins or leaves. They are asked for before the segments are: then
/// whoever joined by that version is in a segment that was read.
pub(super) async fn versions(connection: &mut Connection, groups: &[Uuid]) -> Result<BTreeMap<Uuid, i64>, StoreError> {
    let mut statement =
        sql("SELECT device_group, CAST(SUM(version) AS BIGINT) FROM group_counts WHERE device_group IN ");
    push_ids(&mut statement, groups);
    statement.push(" GROUP BY device_group");
    let rows: Vec<(Uuid, i64)> = statement.build_query_as().fetch_all(connection).await?;
    Ok(rows.into_iter().collect())
}

/// The lines of the devices that are in any of these groups, of these segments: the account's, or some of them.
pub(super) async fn lines(
    connection: &mut Connection,
    index: &FleetIndex,
    versions: &BTreeMap<Uuid, i64>,
    segments: &HashMap<i64, Segment>,
    has_all_segments: bool,
) -> Result<HashMap<i64, Arc<Lines>>, StoreError> {
    let mut all: HashMap<i64, Arc<Lines>> = HashMap::new();
    for (group, version) in versions {
        let members = match index.cached_members(*group, *version, segments) {
            Some(members) => members,
            None => {
                let members = Arc::new(read(connection, *group, segments).await?);
                if has_all_segments {
                    index.cache_members(*group, *version, &members);
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
    segments: &HashMap<i64, Segment>,
) -> Result<GroupMembers, StoreError> {
    let statement =
        format!("SELECT d.segment, v.name FROM group_members AS v {DEVICE_OF_ID} WHERE v.device_group = $1");
    let mut rows = query_as::<_, (i64, String)>(AssertSqlSafe(statement)).bind(group).fetch(connection);
    let mut found: HashMap<i64, Lines> = HashMap::new();
    while let Some((id, name)) = rows.try_next().await? {
        // Who is registered since the segments were read joins with the next version.
        if let Some(line) = segments.get(&id).and_then(|segment| segment.line_of(&name)) {
            found.entry(id).or_default().insert(line);
        }
    }
    let kept = |(id, lines)| Some((id, (segments.get(&id)?.texts(), Arc::new(lines))));
    Ok(found.into_iter().filter_map(kept).collect())
}
