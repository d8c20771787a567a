//! The texts that a search looks into, as the database keeps them: see `texts.rs`.

use super::{Connection, DEVICE_OF_NAME, Database, FOR_UPDATE_SKIP_LOCKED, NAMES, NEW_VERSION, json_names, marks, sql};
use crate::{
    errors::StoreError,
    grid::{Grid, Texts},
    texts::{Block, SMALL_BLOCK_DEVICES, without},
    types::AccountId,
};
use sqlx::{AssertSqlSafe, QueryBuilder, query, query_as, query_scalar};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// Blocks that one statement reads, of some 500 KiB each.
const BLOCKS_AT_ONCE: usize = 16;

/// Marks that one statement reads, of 10 KiB each.
const MARKS_AT_ONCE: usize = 256;

/// The blocks of an account, or of one of its registrations, as they are: those that are kept, and the others from the
/// database.
pub(super) async fn load(
    connection: &mut Connection,
    grid: &Grid,
    account: Uuid,
    only: Option<Uuid>,
) -> Result<HashMap<i64, Block>, StoreError> {
    // First of all: what is folded from now on is read here, or there, or twice.
    let new = marks::new(connection, account).await?;
    if new.values().map(Vec::len).sum::<usize>() as u64 > grid.many_marks() {
        grid.fold(AccountId(account));
    }
    let is_wanted = |_, registration| only.is_none() || only == registration;
    let mut blocks = those(connection, &grid.texts, account, is_wanted).await?;
    for (id, marks) in &new {
        if let Some(block) = blocks.get_mut(id) {
            *block = block.with_marks(&marks::marked(block, marks));
        }
    }
    Ok(blocks)
}

/// The blocks of an account that are wanted, by their ids and registrations; without the new marks.
pub(super) async fn those(
    connection: &mut Connection,
    texts: &Texts,
    account: Uuid,
    is_wanted: impl Fn(i64, Option<Uuid>) -> bool,
) -> Result<HashMap<i64, Block>, StoreError> {
    let mut found = kept(connection, texts, account, &is_wanted).await?;
    if found.stale.is_empty() && found.missing.is_empty() {
        return Ok(found.blocks);
    }
    let _turn = texts.turn_to_read().await;
    found = kept(connection, texts, account, &is_wanted).await?;
    read_marks(connection, texts, account, &mut found).await?;
    for some in found.missing.chunks(BLOCKS_AT_ONCE) {
        let mut statement = sql("SELECT t.id, t.version, t.texts, m.version, m.marks
             FROM text_blocks t LEFT JOIN block_marks m ON m.block = t.id WHERE t.id IN ");
        push_numbers(&mut statement, some.iter().copied());
        type Row = (i64, i64, String, Option<i64>, Option<Vec<u8>>);
        let rows: Vec<Row> = statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        // 8 MiB of text: some 10 ms for a processor.
        let parse = move || {
            let parsed = rows.into_iter().map(|(id, version, text, marks_version, marks)| {
                (id, (version, marks_version.unwrap_or_default()), Block::new(text, &marks.unwrap_or_default()))
            });
            parsed.collect::<Vec<_>>()
        };
        for (id, version, block) in tokio::task::spawn_blocking(parse).await.map_err(|_| StoreError::Unavailable)? {
            texts.keep(account, id, version, &block);
            found.blocks.insert(id, block);
        }
    }
    Ok(found.blocks)
}

/// What is known of the blocks that are wanted.
#[derive(Default)]
struct Known {
    /// Those that are kept as they are.
    blocks: HashMap<i64, Block>,
    /// Those of which the marks are others by now, with the version of their texts.
    stale: Vec<(i64, i64, Block)>,
    /// Those that are to be read.
    missing: Vec<i64>,
}

async fn kept(
    connection: &mut Connection,
    texts: &Texts,
    account: Uuid,
    is_wanted: impl Fn(i64, Option<Uuid>) -> bool,
) -> Result<Known, StoreError> {
    let all: Vec<(i64, Option<Uuid>, i64, Option<i64>)> = query_as(
        "SELECT t.id, t.registration, t.version, m.version
         FROM text_blocks t LEFT JOIN block_marks m ON m.block = t.id WHERE t.account = $1",
    )
    .bind(account)
    .fetch_all(&mut *connection)
    .await?;
    let mut kept = texts.kept(account, all.iter().map(|(id, _, version, _)| (*id, *version)));
    let mut known = Known::default();
    for (id, registration, version, marks_version) in all {
        if !is_wanted(id, registration) {
            continue;
        }
        match kept.remove(&id) {
            Some((there, block)) if there == (version, marks_version.unwrap_or_default()) => {
                known.blocks.insert(id, block);
            }
            Some((_, block)) => known.stale.push((id, version, block)),
            None => known.missing.push(id),
        }
    }
    Ok(known)
}

/// Reads the marks of the stale blocks.
async fn read_marks(
    connection: &mut Connection,
    texts: &Texts,
    account: Uuid,
    known: &mut Known,
) -> Result<(), StoreError> {
    for some in known.stale.chunks(MARKS_AT_ONCE) {
        let mut statement = sql("SELECT t.id, t.version, m.version, m.marks
             FROM text_blocks t JOIN block_marks m ON m.block = t.id WHERE t.id IN ");
        push_numbers(&mut statement, some.iter().map(|(id, ..)| *id));
        let rows: Vec<(i64, i64, i64, Vec<u8>)> =
            statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let mut rows: HashMap<i64, _> =
            rows.into_iter().map(|(id, text, marks, bytes)| (id, (text, marks, bytes))).collect();
        for (id, version, block) in some {
            match rows.remove(id) {
                Some((text, marks_version, marks)) if text == *version => {
                    let block = block.with_marks(&marks);
                    texts.keep(account, *id, (text, marks_version), &block);
                    known.blocks.insert(*id, block);
                }
                // Its texts have changed meanwhile.
                _ => known.missing.push(*id),
            }
        }
    }
    Ok(())
}

/// Appends numbers in brackets, at least one.
fn push_numbers(statement: &mut QueryBuilder<Database>, numbers: impl Iterator<Item = i64>) {
    statement.push("(");
    let mut list = statement.separated(", ");
    for number in numbers {
        list.push_bind(number);
    }
    statement.push(")");
}

/// A block to add so many devices of a registration to: one that has few, or a new one. Others leave it alone until the
/// transaction ends.
pub(super) async fn open(
    connection: &mut Connection,
    account: AccountId,
    registration: Uuid,
    devices: usize,
) -> Result<i64, StoreError> {
    if devices < SMALL_BLOCK_DEVICES {
        let small: Option<i64> = query_scalar(AssertSqlSafe(format!(
            "SELECT id FROM text_blocks WHERE account = $1 AND registration = $2 AND devices < $3 ORDER BY id DESC LIMIT 1{FOR_UPDATE_SKIP_LOCKED}"
        )))
        .bind(account.0)
        .bind(registration)
        .bind(SMALL_BLOCK_DEVICES as i64)
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(small) = small {
            return Ok(small);
        }
    }
    let new = query_scalar(AssertSqlSafe(format!(
        "INSERT INTO text_blocks (account, registration, version, devices, texts)
         VALUES ($1, $2, {NEW_VERSION}, 0, '') RETURNING id"
    )));
    Ok(new.bind(account.0).bind(registration).fetch_one(connection).await?)
}

/// Adds the lines of so many devices to a block that was opened.
pub(super) async fn add(
    connection: &mut Connection,
    block: i64,
    lines: &str,
    devices: usize,
) -> Result<(), StoreError> {
    if devices == 0 {
        query("DELETE FROM text_blocks WHERE id = $1 AND devices = 0").bind(block).execute(connection).await?;
        return Ok(());
    }
    query(AssertSqlSafe(format!(
        "UPDATE text_blocks SET texts = texts || $2, devices = devices + $3, version = {NEW_VERSION} WHERE id = $1"
    )))
    .bind(block)
    .bind(lines)
    .bind(devices as i64)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes devices out of their blocks, before they are deleted. Nobody else may change devices of the account meanwhile.
pub(super) async fn remove<'a>(
    connection: &mut Connection,
    account: AccountId,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), StoreError> {
    let rows: Vec<(i64, String)> =
        query_as(AssertSqlSafe(format!("SELECT d.block, d.name FROM {NAMES} {DEVICE_OF_NAME}")))
            .bind(account.0)
            .bind(json_names(names))
            .fetch_all(&mut *connection)
            .await?;
    let mut blocks: BTreeMap<i64, HashSet<&str>> = BTreeMap::new();
    for (block, name) in &rows {
        blocks.entry(*block).or_default().insert(name);
    }
    for (id, names) in blocks {
        let found: Option<(String, Option<Vec<u8>>)> = query_as(
            "SELECT t.texts, m.marks FROM text_blocks t LEFT JOIN block_marks m ON m.block = t.id WHERE t.id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
        let Some((text, marks)) = found else { continue };
        let (left, left_marks, devices) = without(&text, marks.as_deref().unwrap_or_default(), &names);
        if devices == 0 {
            query("DELETE FROM text_blocks WHERE id = $1").bind(id).execute(&mut *connection).await?;
            continue;
        }
        query(AssertSqlSafe(format!(
            "UPDATE text_blocks SET texts = $2, devices = $3, version = {NEW_VERSION} WHERE id = $1"
        )))
        .bind(id)
        .bind(left)
        .bind(devices as i64)
        .execute(&mut *connection)
        .await?;
        if marks.is_some() {
            marks::store(connection, id, &left_marks).await?;
        }
    }
    Ok(())
}
