//! Storing new tokens.

use super::{
    Connection, FOR_NO_KEY_UPDATE,
    statements::{MAX_ROWS_PER_STATEMENT, sql},
};
use crate::{errors::StoreError, store::contract::NewToken, types::AccountId};
use muster_domain::{Timestamp, TokenJob};
use std::collections::HashMap;
use uuid::Uuid;

/// At most eight old tokens stay valid, of 32 bytes each; a ninth revokes the oldest.
const MAX_OLD_BYTES: usize = 8 * 32;

/// What happens to the old tokens of a device.
#[derive(Clone, Copy)]
pub(super) enum PreviousTokens {
    /// All stay valid until the new one is first used.
    Keep,
    /// All are revoked now.
    Revoke,
    /// The newest is revoked, since nobody has it; the older ones stay valid.
    RevokeNewest,
}

/// What creates a token. It is stored with the device.
#[derive(Clone, Copy)]
pub(super) enum TokenOrigin<'p> {
    /// A part of a registration: see [`token_from`](crate::registrations::rules::token_from).
    Part(&'p [u8]),
    /// A job, which may be sent again.
    Job(TokenJob),
}

impl TokenOrigin<'_> {
    fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Part(part) => part.to_vec(),
            Self::Job(job) => job_bytes(job),
        }
    }

    /// The hashes of the tokens that stay valid beside a new one. `None`: the device has a token of a later attempt,
    /// and is left alone.
    fn retained_hashes(self, before: &CurrentTokens, old: PreviousTokens) -> Option<&[u8]> {
        let old = match self {
            Self::Part(_) => old,
            Self::Job(job) => match before.token_from.as_deref().and_then(|origin| attempt_of(job, origin)) {
                Some(attempt) if attempt >= job.attempt => return None,
                // Nobody has the token of an earlier attempt.
                Some(_) if matches!(old, PreviousTokens::Keep) => PreviousTokens::RevokeNewest,
                _ => old,
            },
        };
        let retained = match old {
            PreviousTokens::Keep => &before.hashes,
            PreviousTokens::Revoke => [].as_slice(),
            PreviousTokens::RevokeNewest => before.hashes.get(32..).unwrap_or_default(),
        };
        Some(&retained[..retained.len().min(MAX_OLD_BYTES)])
    }
}

/// A job as it is stored with a device. A part of a registration takes a byte more.
fn job_bytes(job: TokenJob) -> Vec<u8> {
    let mut bytes = job.id.as_bytes().to_vec();
    bytes.extend(job.attempt.to_be_bytes());
    bytes
}

/// The attempt of a job that is stored with a device; `None` if something else is stored.
fn attempt_of(job: TokenJob, origin: &[u8]) -> Option<u32> {
    let attempt = origin.strip_prefix(job.id.as_bytes())?;
    attempt.try_into().ok().map(u32::from_be_bytes)
}

/// The tokens of a device before it gets a new one.
struct CurrentTokens {
    /// The hashes of its tokens, 32 bytes each, newest first.
    hashes: Vec<u8>,
    /// The origin of the newest.
    token_from: Option<Vec<u8>>,
}

/// Stores these tokens as the newest of their devices. Returns the devices that exist and have no later token.
pub(super) async fn replace(
    connection: &mut Connection,
    account: AccountId,
    tokens: &[NewToken],
    old: PreviousTokens,
    origin: TokenOrigin<'_>,
    now: Timestamp,
) -> Result<Vec<Uuid>, StoreError> {
    let mut replaced_devices = Vec::with_capacity(tokens.len());
    for chunk in tokens.chunks(MAX_ROWS_PER_STATEMENT) {
        let before = current_tokens(connection, account, chunk).await?;
        let retained = |token: &NewToken| origin.retained_hashes(before.get(&token.device)?, old);
        let replaced: Vec<_> = chunk.iter().filter_map(|token| Some((token, retained(token)?))).collect();
        if replaced.is_empty() {
            continue;
        }
        let mut statement =
            sql("UPDATE devices SET token_hash = v.column2, old_token_hashes = v.column3, token_made_at = ");
        statement.push_bind(now.as_ms()).push(", token_from = ").push_bind(origin.to_bytes()).push(" FROM (");
        statement.push_values(replaced.iter(), |mut row, (token, retained)| {
            row.push_bind(token.device).push_bind(token.hash.as_bytes().to_vec()).push_bind(retained.to_vec());
        });
        statement.push(") AS v WHERE devices.id = v.column1");
        statement.build().execute(&mut *connection).await?;
        replaced_devices.extend(replaced.iter().map(|(token, _)| token.device));
    }
    Ok(replaced_devices)
}

row! {
    struct TokensRow {
        id: Uuid,
        account: Uuid,
        token_hash: Vec<u8>,
        old_token_hashes: Vec<u8>,
        token_from: Option<Vec<u8>>,
    }
}

/// The current tokens of the devices. Each row is locked until the transaction ends.
async fn current_tokens(
    connection: &mut Connection,
    account: AccountId,
    tokens: &[NewToken],
) -> Result<HashMap<Uuid, CurrentTokens>, StoreError> {
    // The account is compared below: in the condition, it would tempt PostgreSQL to read all devices of the account.
    let mut statement = sql("SELECT id, account, token_hash, old_token_hashes, token_from FROM devices WHERE id IN (");
    let mut list = statement.separated(", ");
    for token in tokens {
        list.push_bind(token.device);
    }
    // In a fixed order, so that two such transactions do not wait for each other.
    statement.push(") ORDER BY id").push(FOR_NO_KEY_UPDATE);
    let rows: Vec<TokensRow> = statement.build_query_as().fetch_all(&mut *connection).await?;
    Ok(rows
        .into_iter()
        .filter(|row| row.account == account.0)
        .map(|row| {
            let hashes = [row.token_hash, row.old_token_hashes].concat();
            (row.id, CurrentTokens { hashes, token_from: row.token_from })
        })
        .collect())
}
