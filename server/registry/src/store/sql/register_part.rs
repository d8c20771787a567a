//! Registering a part of a file in one transaction. On SQLite, other parts share it.

use super::{
    Connection, DEVICE_OF_NAME, NAMES,
    columns::{group_name, status, tier},
    groups::{check_group_limit, find_group, group_to_join},
    lock,
    new_devices::{SharedColumns, insert},
    segments::members::{self, Membership},
    statements::json_names,
    tokens::{self, PreviousTokens, TokenOrigin},
};
use crate::{
    errors::{RegisterError, StoreError},
    registrations::{
        PartOutcome, PartRows,
        rules::{Decision, Existing, RowOutcome, decide, outcome, token_from},
    },
    store::contract::{Lock, NewPart, NewToken},
    types::AccountId,
    world::{World, id_at},
};
use muster_domain::{FieldSet, NewDevice, RegistrationId, SecurityToken};
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

/// Random bytes drawn at a time: each draw is a system call.
const RANDOM_BYTES_PER_DRAW: usize = 8 * 1024;

/// How often rows are settled: once, and again if another transaction registered some of them meanwhile. It has committed by
/// then, so that the next look-up finds its rows.
const MAX_PASSES: usize = 3;

/// The size of the sample that predicts whether a part is new. Only the speed depends on it.
const SAMPLE_SIZE: usize = 16;

/// Registers the rows of a part. A refusal comes before anything is written.
pub(crate) async fn register(
    connection: &mut Connection,
    NewPart { account, registration: id, rows: part, world }: &NewPart,
) -> Result<PartOutcome, RegisterError> {
    let found: Option<(bool, Option<String>, i32)> = query_as(
        "SELECT device_group IS NOT NULL OR new_group IS NOT NULL, new_group, parts
         FROM registrations WHERE id = $1 AND account = $2",
    )
    .bind(id.0)
    .bind(account.0)
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::from)?;
    let (has_group, new_group, parts) = found.ok_or(RegisterError::UnknownRegistration)?;
    if part.number >= parts.cast_unsigned() {
        return Err(RegisterError::OverLimit("The file has fewer parts than this one. Upload the file again."));
    }
    // Other parts may run concurrently, but not actions on many devices.
    lock(connection, account.0, Lock::Shared).await?;
    if let Some(name) = new_group {
        let name = group_name(&name)?;
        if find_group(connection, *account, &name).await?.is_none() {
            check_group_limit(connection, *account).await?;
        }
    }
    if !record_attempt(connection, *id, part).await? {
        return Err(RegisterError::Superseded);
    }
    let mut registration = PartRegistration::begin(connection, *account, *id, part, world.as_ref()).await?;
    registration.register_rows(connection, &part.devices).await?;
    if has_group && !registration.joining.is_empty() {
        let new_id = id_at(registration.shared.now, registration.random());
        if let Some(group) = group_to_join(connection, *account, *id, new_id).await? {
            let names = registration.joining.iter().map(|at| part.devices[*at].1.name.as_str());
            members::change(connection, *account, group, Membership::Join, names).await?;
        }
    }
    let outcome = outcome(part, registration.outcomes);
    store_counts(connection, *id, part, &outcome).await?;
    Ok(outcome)
}

/// Records the attempt. So other attempts at the same part wait until this transaction ends. Returns false if a later
/// attempt was recorded before.
async fn record_attempt(connection: &mut Connection, id: RegistrationId, part: &PartRows) -> Result<bool, StoreError> {
    let taken = query(
        "INSERT INTO registration_parts (registration, number, renew, attempt) VALUES ($1, $2, $3, $4)
         ON CONFLICT (registration, renew, number) DO UPDATE SET attempt = excluded.attempt
         WHERE registration_parts.attempt < excluded.attempt",
    )
    .bind(id.0)
    .bind(part.number.cast_signed())
    .bind(i16::from(part.renew))
    .bind(part.attempt.cast_signed())
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() > 0)
}

async fn store_counts(
    connection: &mut Connection,
    id: RegistrationId,
    part: &PartRows,
    outcome: &PartOutcome,
) -> Result<(), StoreError> {
    query(
        "UPDATE registration_parts SET registered = $4, already = $5, failed = $6, errors_csv = $7
         WHERE registration = $1 AND number = $2 AND renew = $3",
    )
    .bind(id.0)
    .bind(part.number.cast_signed())
    .bind(i16::from(part.renew))
    .bind(outcome.registered.cast_signed())
    .bind(outcome.already.cast_signed())
    .bind(outcome.failed.cast_signed())
    .bind(Some(outcome.errors_csv.as_slice()).filter(|errors| !errors.is_empty()))
    .execute(connection)
    .await?;
    Ok(())
}

row! {
    struct ExistingRow {
        name: String,
        id: Uuid,
        model: String,
        friendly_name: Option<String>,
        description: Option<String>,
        tier: i16,
        status: i16,
        first_used: Option<i64>,
        token_from: Option<Vec<u8>>,
    }
}

/// A part whose rows are being registered.
struct PartRegistration<'w> {
    world: &'w dyn World,
    shared: SharedColumns,
    renew: bool,
    missing_fields: FieldSet,
    models: HashMap<String, Uuid>,
    /// By the index of the row in the part.
    outcomes: Vec<Option<RowOutcome>>,
    /// Random bytes that are not used yet.
    drawn: Zeroizing<Vec<u8>>,
    /// The rows whose devices join the group, by their index in the part.
    joining: Vec<usize>,
}

impl<'w> PartRegistration<'w> {
    async fn begin(
        connection: &mut Connection,
        account: AccountId,
        id: RegistrationId,
        part: &PartRows,
        world: &'w dyn World,
    ) -> Result<Self, StoreError> {
        let default_tier = tier(
            query_scalar("SELECT default_tier FROM accounts WHERE id = $1")
                .bind(account.0)
                .fetch_one(&mut *connection)
                .await?,
        )?;
        let models = models_of(connection, account, &part.devices).await?;
        Ok(Self {
            world,
            shared: SharedColumns {
                account,
                now: world.now(),
                default_tier,
                registration: id.0,
                part: token_from(id.0, part),
            },
            renew: part.renew,
            missing_fields: part.missing_fields,
            models,
            outcomes: part.devices.iter().map(|_| None).collect(),
            drawn: Zeroizing::default(),
            joining: Vec::new(),
        })
    }

    /// Registers the rows: finds the names that are taken, decides, and stores. If another transaction takes a name in
    /// between, the row is settled again.
    async fn register_rows(
        &mut self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
    ) -> Result<(), StoreError> {
        self.fail_repeated(rows);
        let mut open: Vec<usize> = (0..rows.len()).filter(|&at| self.outcomes[at].is_none()).collect();
        // In a fixed order, so that two such transactions do not wait for each other.
        let sort = |open: &mut [usize]| open.sort_unstable_by(|&a, &b| rows[a].1.name.cmp(&rows[b].1.name));
        sort(&mut open);
        if self.is_probably_new(connection, rows, &open).await? {
            open = self.insert_without_lookup(connection, rows, &open).await?;
        }
        for _ in 0..MAX_PASSES {
            if open.is_empty() {
                return Ok(());
            }
            sort(&mut open);
            open = self.settle_rows(connection, rows, &open).await?;
        }
        if open.is_empty() { Ok(()) } else { Err(StoreError::Unavailable) }
    }

    /// Whether a sample of the rows has only new names. Then most of the other names are new, too.
    async fn is_probably_new(
        &self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        open: &[usize],
    ) -> Result<bool, StoreError> {
        let sample: Vec<usize> = open.iter().copied().step_by(1 + open.len() / SAMPLE_SIZE).collect();
        Ok(!self.renew && self.existing(connection, rows, &sample).await?.is_empty())
    }

    /// The devices with the names of these rows.
    async fn existing(
        &self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        open: &[usize],
    ) -> Result<HashMap<String, Existing>, StoreError> {
        existing_devices(connection, self.shared.account, open.iter().map(|&at| rows[at].1.name.as_str())).await
    }

    /// Adds the devices whose names are available, without looking up the others. Returns the other rows.
    async fn insert_without_lookup(
        &mut self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        open: &[usize],
    ) -> Result<Vec<usize>, StoreError> {
        let (mut added, mut unsettled) = (Vec::with_capacity(open.len()), Vec::new());
        for &at in open {
            match self.models.get(rows[at].1.model.as_str()).copied() {
                Some(model) => added.push((at, model, self.new_token())),
                None => unsettled.push(at),
            }
        }
        unsettled.extend(self.add(connection, rows, added).await?);
        Ok(unsettled)
    }

    /// The check of a file finds repeated names before. This is for clients that send parts without a check.
    fn fail_repeated(&mut self, rows: &[(u64, NewDevice)]) {
        let mut first = HashMap::with_capacity(rows.len());
        for (at, (line, row)) in rows.iter().enumerate() {
            let first_line = *first.entry(row.name.as_str()).or_insert(*line);
            if first_line != *line {
                self.outcomes[at] =
                    Some(RowOutcome::Failed(format!("This device name is already used in line {first_line}")));
            }
        }
    }

    /// Settles the rows whose devices no other transaction changes meanwhile. Returns the others.
    async fn settle_rows(
        &mut self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        open: &[usize],
    ) -> Result<Vec<usize>, StoreError> {
        let existing = self.existing(connection, rows, open).await?;
        let (mut added, mut reissued, mut renewed) = (Vec::new(), Vec::new(), Vec::new());
        for &at in open {
            let row = &rows[at].1;
            let model = self.models.get(row.model.as_str()).copied();
            let existing = existing.get(row.name.as_str());
            match decide(row, existing, model, &self.shared.part, self.renew, self.missing_fields) {
                Decision::Add(model) => added.push((at, model, self.new_token())),
                Decision::Reissue(device) => reissued.push((at, self.token(device))),
                Decision::Renew(device) => renewed.push((at, self.token(device))),
                Decision::Already { never_connected } => {
                    self.joining.push(at);
                    self.outcomes[at] = Some(RowOutcome::Already { never_connected });
                }
                Decision::Fail(failure) => self.outcomes[at] = Some(RowOutcome::Failed(failure.sentence())),
            }
        }
        let mut unsettled = Vec::new();
        let is_new = !self.renew;
        for (made, old) in [(reissued, PreviousTokens::RevokeNewest), (renewed, PreviousTokens::Keep)] {
            let hashes: Vec<_> =
                made.iter().map(|(_, token)| NewToken { device: token.id(), hash: token.hash() }).collect();
            let replaced: HashSet<_> = tokens::replace(
                connection,
                self.shared.account,
                &hashes,
                old,
                TokenOrigin::Part(&self.shared.part),
                self.shared.now,
            )
            .await?
            .into_iter()
            .collect();
            for (at, token) in made {
                if !replaced.contains(&token.id()) {
                    unsettled.push(at);
                    continue;
                }
                self.joining.push(at);
                self.outcomes[at] =
                    Some(if is_new { RowOutcome::Registered(token) } else { RowOutcome::Renewed(token) });
            }
        }
        unsettled.extend(self.add(connection, rows, added).await?);
        Ok(unsettled)
    }

    /// Adds devices. Returns the rows whose names were taken meanwhile.
    async fn add(
        &mut self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        added: Vec<(usize, Uuid, SecurityToken)>,
    ) -> Result<Vec<usize>, StoreError> {
        let inserted = insert(connection, &self.shared, rows, &added).await?;
        let mut unsettled = Vec::new();
        for (at, _, token) in added {
            if inserted.contains(&token.id()) {
                self.joining.push(at);
                self.outcomes[at] = Some(RowOutcome::Registered(token));
            } else {
                unsettled.push(at);
            }
        }
        Ok(unsettled)
    }

    /// A token for a new device.
    fn new_token(&mut self) -> SecurityToken {
        let id = id_at(self.shared.now, self.random());
        self.token(id)
    }

    fn token(&mut self, device: Uuid) -> SecurityToken {
        SecurityToken::new(device, self.random())
    }

    /// Unpredictable bytes, drawn many at a time.
    fn random<const N: usize>(&mut self) -> [u8; N] {
        if self.drawn.len() < N {
            self.drawn.resize(RANDOM_BYTES_PER_DRAW, 0);
            self.world.fill_random(&mut self.drawn);
        }
        let mut bytes = [0; N];
        let remaining = self.drawn.len() - N;
        bytes.copy_from_slice(&self.drawn[remaining..]);
        // The bytes may become a secret: leave no copy.
        self.drawn[remaining..].zeroize();
        self.drawn.truncate(remaining);
        bytes
    }
}

/// The ids of the models of these rows, by name, as far as the account has them.
pub(super) async fn models_of(
    connection: &mut Connection,
    account: AccountId,
    rows: &[(u64, NewDevice)],
) -> Result<HashMap<String, Uuid>, StoreError> {
    let names: HashSet<&str> = rows.iter().map(|(_, row)| row.model.as_str()).collect();
    let models: Vec<(String, Uuid)> = query_as(AssertSqlSafe(format!(
        "SELECT m.name, m.id FROM {NAMES} JOIN models m ON m.account = $1 AND m.name = v.value"
    )))
    .bind(account.0)
    .bind(json_names(names.into_iter()))
    .fetch_all(connection)
    .await?;
    Ok(models.into_iter().collect())
}

/// The account's devices with these names, by name.
pub(super) async fn existing_devices(
    connection: &mut Connection,
    account: AccountId,
    names: impl Iterator<Item = &str>,
) -> Result<HashMap<String, Existing>, StoreError> {
    let rows: Vec<ExistingRow> = query_as(AssertSqlSafe(format!(
        "SELECT d.name, d.id, m.name AS model, d.friendly_name, d.description, d.tier, d.status, d.first_used, d.token_from
         FROM {NAMES} {DEVICE_OF_NAME} JOIN models m ON m.id = d.model"
    )))
    .bind(account.0)
    .bind(json_names(names))
    .fetch_all(connection)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let existing = Existing {
            id: row.id,
            model: row.model,
            friendly_name: row.friendly_name,
            description: row.description,
            tier: tier(row.tier)?,
            status: status(row.status)?,
            is_used: row.first_used.is_some(),
            token_from: row.token_from,
        };
        found.insert(row.name, existing);
    }
    Ok(found)
}
