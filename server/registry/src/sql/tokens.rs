//! Storing new tokens.

use super::{Connection, FOR_UPDATE, ROWS_AT_ONCE, sql};
use crate::{
    errors::StoreError,
    store::NewToken,
    types::{AccountId, Timestamp},
};
use std::collections::HashMap;
use uuid::Uuid;

/// The tokens before the newest that keep working, 32 bytes each. Who makes a ninth without using any ends the first.
const MAX_OLD_BYTES: usize = 8 * 32;

/// What becomes of the tokens that a device has.
#[derive(Clone, Copy)]
pub(super) enum Old {
    /// All of them keep working until the new one is first used.
    Keep,
    /// They stop now.
    Stop,
    /// The newest stops, since nobody has it; those before it keep working.
    KeepButNewest,
}

/// Stores these tokens as the newest of their devices; gives the devices that are there. `from` is the part of a
/// registration that made them.
pub(super) async fn replace(
    connection: &mut Connection,
    account: AccountId,
    tokens: &[NewToken],
    old: Old,
    from: Option<&[u8]>,
    now: Timestamp,
) -> Result<Vec<Uuid>, StoreError> {
    let mut there = Vec::with_capacity(tokens.len());
    for some in tokens.chunks(ROWS_AT_ONCE) {
        let before = tokens_now(connection, account, some).await?;
        let known: Vec<_> = some.iter().filter_map(|token| Some((token, before.get(&token.device)?))).collect();
        if known.is_empty() {
            continue;
        }
        let mut statement =
            sql("UPDATE devices SET token_hash = v.column2, old_token_hashes = v.column3, token_made_at = ");
        statement.push_bind(now.as_ms()).push(", token_from = ").push_bind(from.map(<[u8]>::to_vec)).push(" FROM (");
        statement.push_values(known.iter(), |mut row, (token, before)| {
            let kept = match old {
                Old::Keep => before.as_slice(),
                Old::Stop => &[],
                Old::KeepButNewest => before.get(32..).unwrap_or_default(),
            };
            let kept = kept[..kept.len().min(MAX_OLD_BYTES)].to_vec();
            row.push_bind(token.device).push_bind(token.hash.as_bytes().to_vec()).push_bind(kept);
        });
        statement.push(") AS v WHERE devices.id = v.column1");
        statement.build().execute(&mut *connection).await?;
        there.extend(known.iter().map(|(token, _)| token.device));
    }
    Ok(there)
}

/// The hashes of the tokens that the devices have, newest first, each row kept from others until the transaction ends.
async fn tokens_now(
    connection: &mut Connection,
    account: AccountId,
    tokens: &[NewToken],
) -> Result<HashMap<Uuid, Vec<u8>>, StoreError> {
    // The account is compared here: in the condition, it would tempt PostgreSQL to read all the account's devices.
    let mut statement = sql("SELECT id, account, token_hash, old_token_hashes FROM devices WHERE id IN (");
    let mut list = statement.separated(", ");
    for token in tokens {
        list.push_bind(token.device);
    }
    // In one order, so that two such transactions do not wait for each other.
    statement.push(") ORDER BY id").push(FOR_UPDATE);
    let rows: Vec<(Uuid, Uuid, Vec<u8>, Vec<u8>)> = statement.build_query_as().fetch_all(&mut *connection).await?;
    Ok(rows
        .into_iter()
        .filter(|(_, owner, _, _)| *owner == account.0)
        .map(|(id, _, mut newest, old)| {
            newest.extend(old);
            (id, newest)
        })
        .collect())
}
