//! The texts that a search looks into, as the database keeps them: see `texts.rs`.

use super::{Connection, DEVICE_OF_NAME, FOR_UPDATE_SKIP_LOCKED, NAMES, json_names, sql};
use crate::{
    errors::StoreError,
    grid::Texts,
    texts::{Block, SMALL_BLOCK_DEVICES, with_tier, without},
    types::AccountId,
};
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// Blocks that one statement reads, of some 500 KiB each.
const BLOCKS_AT_ONCE: usize = 16;

/// The blocks of an account, or of one of its registrations: those that are kept, and the others from the database.
pub(super) async fn load(
    connection: &mut Connection,
    texts: &Texts,
    account: Uuid,
    only: Option<Uuid>,
) -> Result<Vec<Arc<Block>>, StoreError> {
    let all: Vec<(i64, i64, Option<Uuid>)> =
        query_as("SELECT id, version, registration FROM text_blocks WHERE account = $1")
            .bind(account)
            .fetch_all(&mut *connection)
            .await?;
    let split = || {
        let kept = texts.kept(account, all.iter().map(|(id, version, _)| (*id, *version)));
        let wanted = all.iter().filter(|(.., registration)| only.is_none() || only == *registration);
        let (mut blocks, mut missing) = (Vec::new(), Vec::new());
        for (id, ..) in wanted {
            match kept.get(id) {
                Some(block) => blocks.push(block.clone()),
                None => missing.push(*id),
            }
        }
        (blocks, missing)
    };
    let (mut blocks, mut missing) = split();
    if missing.is_empty() {
        return Ok(blocks);
    }
    let _turn = texts.turn_to_read().await;
    (blocks, missing) = split();
    for some in missing.chunks(BLOCKS_AT_ONCE) {
        let mut statement = sql("SELECT id, version, texts FROM text_blocks WHERE account = ");
        statement.push_bind(account).push(" AND id IN (");
        let mut list = statement.separated(", ");
        for id in some {
            list.push_bind(*id);
        }
        statement.push(")");
        let rows: Vec<(i64, i64, String)> =
            statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        for (id, version, text) in rows {
            let block = Arc::new(Block::new(text));
            texts.keep(account, id, version, &block);
            blocks.push(block);
        }
    }
    Ok(blocks)
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
    let new = query_scalar(
        "INSERT INTO text_blocks (account, registration, version, devices, texts) VALUES ($1, $2, 0, 0, '') RETURNING id",
    );
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
    query("UPDATE text_blocks SET texts = texts || $2, devices = devices + $3, version = version + 1 WHERE id = $1")
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
    rewrite(connection, account, names, without).await
}

/// Notes another tier of devices. Nobody else may change devices of the account meanwhile.
pub(super) async fn change_tier<'a>(
    connection: &mut Connection,
    account: AccountId,
    names: impl Iterator<Item = &'a str>,
    tier: i16,
) -> Result<(), StoreError> {
    let change = |text: &str, names: &HashSet<&str>| {
        let text = with_tier(text, names, tier);
        let devices = text.lines().count();
        (text, devices)
    };
    rewrite(connection, account, names, change).await
}

/// Makes another text of each block that has devices of these names: that, and how many devices it has.
async fn rewrite<'a>(
    connection: &mut Connection,
    account: AccountId,
    names: impl Iterator<Item = &'a str>,
    change: impl Fn(&str, &HashSet<&str>) -> (String, usize),
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
        let text: Option<String> = query_scalar("SELECT texts FROM text_blocks WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut *connection)
            .await?;
        let Some(text) = text else { continue };
        let (made, devices) = change(&text, &names);
        if devices == 0 {
            query("DELETE FROM text_blocks WHERE id = $1").bind(id).execute(&mut *connection).await?;
        } else if made != text {
            query("UPDATE text_blocks SET texts = $2, devices = $3, version = version + 1 WHERE id = $1")
                .bind(id)
                .bind(made)
                .bind(devices as i64)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}
