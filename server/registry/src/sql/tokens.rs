//! Storing new tokens.

use super::{Connection, FOR_NO_KEY_UPDATE, ROWS_AT_ONCE, sql};
use crate::{
    errors::StoreError,
    store::NewToken,
    types::{AccountId, Timestamp, TokenJob},
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

/// What makes the tokens. Their devices remember it.
#[derive(Clone, Copy)]
pub(super) enum MadeBy<'p> {
    /// A part of a registration: see [`token_from`](crate::registering::token_from).
    Part(&'p [u8]),
    /// A job, which may be sent again.
    Job(TokenJob),
}

impl MadeBy<'_> {
    fn noted(self) -> Vec<u8> {
        match self {
            Self::Part(part) => part.to_vec(),
            Self::Job(job) => job.noted(),
        }
    }

    /// The tokens that keep working beside a new one; `None`: the device has one of a later attempt, and is left alone.
    fn kept(self, before: &Before, old: Old) -> Option<&[u8]> {
        let old = match self {
            Self::Part(_) => old,
            Self::Job(job) => match before.token_from.as_deref().and_then(|noted| job.attempt_in(noted)) {
                Some(attempt) if attempt >= job.attempt => return None,
                // Nobody has what an earlier attempt made.
                Some(_) if matches!(old, Old::Keep) => Old::KeepButNewest,
                _ => old,
            },
        };
        let kept = match old {
            Old::Keep => &before.hashes,
            Old::Stop => [].as_slice(),
            Old::KeepButNewest => before.hashes.get(32..).unwrap_or_default(),
        };
        Some(&kept[..kept.len().min(MAX_OLD_BYTES)])
    }
}

/// What a device has before it gets a new token.
struct Before {
    /// The hashes of its tokens, 32 bytes each, newest first.
    hashes: Vec<u8>,
    /// What made the newest.
    token_from: Option<Vec<u8>>,
}

/// Stores these tokens as the newest of their devices; gives the devices that are there and have no later ones.
pub(super) async fn replace(
    connection: &mut Connection,
    account: AccountId,
    tokens: &[NewToken],
    old: Old,
    made_by: MadeBy<'_>,
    now: Timestamp,
) -> Result<Vec<Uuid>, StoreError> {
    let mut there = Vec::with_capacity(tokens.len());
    for some in tokens.chunks(ROWS_AT_ONCE) {
        let before = tokens_now(connection, account, some).await?;
        let kept = |token: &NewToken| made_by.kept(before.get(&token.device)?, old);
        let replaced: Vec<_> = some.iter().filter_map(|token| Some((token, kept(token)?))).collect();
        if replaced.is_empty() {
            continue;
        }
        let mut statement =
            sql("UPDATE devices SET token_hash = v.column2, old_token_hashes = v.column3, token_made_at = ");
        statement.push_bind(now.as_ms()).push(", token_from = ").push_bind(made_by.noted()).push(" FROM (");
        statement.push_values(replaced.iter(), |mut row, (token, kept)| {
            row.push_bind(token.device).push_bind(token.hash.as_bytes().to_vec()).push_bind(kept.to_vec());
        });
        statement.push(") AS v WHERE devices.id = v.column1");
        statement.build().execute(&mut *connection).await?;
        there.extend(replaced.iter().map(|(token, _)| token.device));
    }
    Ok(there)
}

/// What the devices have now, each row kept from others until the transaction ends.
async fn tokens_now(
    connection: &mut Connection,
    account: AccountId,
    tokens: &[NewToken],
) -> Result<HashMap<Uuid, Before>, StoreError> {
    // The account is compared here: in the condition, it would tempt PostgreSQL to read all the account's devices.
    let mut statement = sql("SELECT id, account, token_hash, old_token_hashes, token_from FROM devices WHERE id IN (");
    let mut list = statement.separated(", ");
    for token in tokens {
        list.push_bind(token.device);
    }
    // In one order, so that two such transactions do not wait for each other.
    statement.push(") ORDER BY id").push(FOR_NO_KEY_UPDATE);
    type Row = (Uuid, Uuid, Vec<u8>, Vec<u8>, Option<Vec<u8>>);
    let rows: Vec<Row> = statement.build_query_as().fetch_all(&mut *connection).await?;
    Ok(rows
        .into_iter()
        .filter(|(_, owner, ..)| *owner == account.0)
        .map(|(id, _, mut hashes, old, token_from)| {
            hashes.extend(old);
            (id, Before { hashes, token_from })
        })
        .collect())
}
