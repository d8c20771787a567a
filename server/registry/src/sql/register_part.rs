//! A part of a file is registered: in one transaction, on SQLite together with other parts.

use super::{
    Connection, DEVICE_OF_NAME, NAMES,
    groups::{group_of, group_to_join, may_have_another},
    json_names, lock,
    members::{self, Membership},
    segments, sql, status, tier,
    tokens::{self, MadeBy, Old},
};
use crate::{
    errors::{RegisterError, StoreError},
    index::segment::push_line,
    registering::{Decision, Existing, Fate, PartOutcome, PartRows, decide, outcome, token_from},
    store::{Lock, NewPart, NewToken},
    types::{AccountId, GroupName, RegistrationId, Status, Timestamp, tier_code},
    world::{World, id_at},
};
use muster_domain::{FieldSet, NewDevice, PricingTier, SecurityToken};
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

/// Random bytes drawn at once: it takes a call of the system each time.
const DRAWN_AT_ONCE: usize = 8 * 1024;

/// How often rows are looked at again because another transaction registered some of them meanwhile. Each time it
/// has ended, so that the next look sees its rows.
const LOOKS: usize = 3;

/// Names that are looked at to see whether a part is new. Only the time depends on what they tell.
const SAMPLED: usize = 16;

/// New devices in one statement, of seven values each: a third of a part. SQLite copies each page that a statement is
/// the first to write to, and so is quicker with few long ones; it takes 32,766 values.
const INSERTED_AT_ONCE: usize = 3_334;

/// Registers the rows of a part. What is refused is refused before anything is written.
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
    // Beside other parts, but not beside what changes many devices at once.
    lock(connection, account.0, Lock::Shared).await?;
    if let Some(name) = new_group {
        let name = GroupName::parse(&name).map_err(|_| StoreError::Corrupt)?;
        if group_of(connection, *account, &name).await?.is_none() {
            may_have_another(connection, *account).await?;
        }
    }
    if !take_part(connection, *id, part).await? {
        return Err(RegisterError::Superseded);
    }
    let mut registering = Registering::begin(connection, *account, *id, part, world.as_ref()).await?;
    registering.rows(connection, &part.devices).await?;
    if has_group && !registering.joining.is_empty() {
        let new_id = id_at(registering.now, registering.random());
        if let Some(group) = group_to_join(connection, *account, *id, new_id).await? {
            let names = registering.joining.iter().map(|at| part.devices[*at].1.name.as_str());
            members::change(connection, *account, group, Membership::Join, names).await?;
        }
    }
    let outcome = outcome(part, registering.fates);
    store_counts(connection, *id, part, &outcome).await?;
    Ok(outcome)
}

/// Notes the attempt, and so keeps other attempts at the same part waiting until this transaction ends. False: a
/// later attempt was here first.
async fn take_part(connection: &mut Connection, id: RegistrationId, part: &PartRows) -> Result<bool, StoreError> {
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

/// A part while its rows are registered.
struct Registering<'w> {
    world: &'w dyn World,
    account: AccountId,
    now: Timestamp,
    default_tier: PricingTier,
    registration: Uuid,
    /// This part, as a device remembers who made its token.
    part: Vec<u8>,
    renew: bool,
    missing_fields: FieldSet,
    models: HashMap<String, Uuid>,
    /// By the row's place in the part.
    fates: Vec<Option<Fate>>,
    /// Random bytes that nobody has seen yet.
    drawn: Zeroizing<Vec<u8>>,
    /// The rows whose devices join the group, by their places in the part.
    joining: Vec<usize>,
}

impl<'w> Registering<'w> {
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
        let names: HashSet<&str> = part.devices.iter().map(|(_, row)| row.model.as_str()).collect();
        let models: Vec<(String, Uuid)> = query_as(AssertSqlSafe(format!(
            "SELECT m.name, m.id FROM {NAMES} JOIN models m ON m.account = $1 AND m.name = v.value"
        )))
        .bind(account.0)
        .bind(json_names(names.into_iter()))
        .fetch_all(connection)
        .await?;
        Ok(Self {
            world,
            account,
            now: world.now(),
            default_tier,
            registration: id.0,
            part: token_from(id.0, part),
            renew: part.renew,
            missing_fields: part.missing_fields,
            models: models.into_iter().collect(),
            fates: part.devices.iter().map(|_| None).collect(),
            drawn: Zeroizing::default(),
            joining: Vec::new(),
        })
    }

    /// Registers the rows: looks which of the names are taken, decides, and stores. A name that another
    /// transaction took between the look and the storing is looked at again.
    async fn rows(&mut self, connection: &mut Connection, rows: &[(u64, NewDevice)]) -> Result<(), StoreError> {
        self.fail_repeated(rows);
        let mut open: Vec<usize> = (0..rows.len()).filter(|&at| self.fates[at].is_none()).collect();
        // In one order, so that two such transactions do not wait for each other.
        let sort = |open: &mut [usize]| open.sort_unstable_by(|&a, &b| rows[a].1.name.cmp(&rows[b].1.name));
        sort(&mut open);
        if self.seems_new(connection, rows, &open).await? {
            open = self.add_unseen(connection, rows, &open).await?;
        }
        for _ in 0..LOOKS {
            if open.is_empty() {
                return Ok(());
            }
            sort(&mut open);
            open = self.look(connection, rows, &open).await?;
        }
        if open.is_empty() { Ok(()) } else { Err(StoreError::Unavailable) }
    }

    /// Whether some of the rows, all over the part, are of names that nobody has. Then most of the others are, too.
    async fn seems_new(
        &self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        open: &[usize],
    ) -> Result<bool, StoreError> {
        let some: Vec<usize> = open.iter().copied().step_by(1 + open.len() / SAMPLED).collect();
        Ok(!self.renew && self.existing(connection, rows, &some).await?.is_empty())
    }

    /// Adds the devices whose names are free, without a look at who has which; gives the other rows.
    async fn add_unseen(
        &mut self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        open: &[usize],
    ) -> Result<Vec<usize>, StoreError> {
        let (mut added, mut left) = (Vec::with_capacity(open.len()), Vec::new());
        for &at in open {
            match self.models.get(rows[at].1.model.as_str()).copied() {
                Some(model) => added.push((at, model, self.new_token())),
                None => left.push(at),
            }
        }
        left.extend(self.add(connection, rows, added).await?);
        Ok(left)
    }

    /// The check of a whole file finds these before they come here; who sends parts without it meets them here.
    fn fail_repeated(&mut self, rows: &[(u64, NewDevice)]) {
        let mut first = HashMap::with_capacity(rows.len());
        for (at, (line, row)) in rows.iter().enumerate() {
            let first_line = *first.entry(row.name.as_str()).or_insert(*line);
            if first_line != *line {
                self.fates[at] = Some(Fate::Failed(format!("This device name is already used in line {first_line}")));
            }
        }
    }

    /// Settles those of the rows that nobody else touches meanwhile; gives the others.
    async fn look(
        &mut self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        open: &[usize],
    ) -> Result<Vec<usize>, StoreError> {
        let existing = self.existing(connection, rows, open).await?;
        let (mut added, mut again, mut renewed) = (Vec::new(), Vec::new(), Vec::new());
        for &at in open {
            let row = &rows[at].1;
            let model = self.models.get(row.model.as_str()).copied();
            let existing = existing.get(row.name.as_str());
            match decide(row, existing, model, &self.part, self.renew, self.missing_fields) {
                Decision::Add(model) => added.push((at, model, self.new_token())),
                Decision::Again(device) => again.push((at, self.token(device))),
                Decision::Renew(device) => renewed.push((at, self.token(device))),
                Decision::Already { never_connected } => {
                    self.joining.push(at);
                    self.fates[at] = Some(Fate::Already { never_connected });
                }
                Decision::Fail(sentence) => self.fates[at] = Some(Fate::Failed(sentence)),
            }
        }
        let mut left = Vec::new();
        let is_new = !self.renew;
        for (made, old) in [(again, Old::KeepButNewest), (renewed, Old::Keep)] {
            let hashes: Vec<_> =
                made.iter().map(|(_, token)| NewToken { device: token.id(), hash: token.hash() }).collect();
            let there: HashSet<_> =
                tokens::replace(connection, self.account, &hashes, old, MadeBy::Part(&self.part), self.now)
                    .await?
                    .into_iter()
                    .collect();
            for (at, token) in made {
                if !there.contains(&token.id()) {
                    left.push(at);
                    continue;
                }
                self.joining.push(at);
                self.fates[at] = Some(if is_new { Fate::Registered(token) } else { Fate::Renewed(token) });
            }
        }
        left.extend(self.add(connection, rows, added).await?);
        Ok(left)
    }

    /// Adds devices; gives the rows of those whose names were taken meanwhile.
    async fn add(
        &mut self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        added: Vec<(usize, Uuid, SecurityToken)>,
    ) -> Result<Vec<usize>, StoreError> {
        let there = self.insert(connection, rows, &added).await?;
        let mut left = Vec::new();
        for (at, _, token) in added {
            if there.contains(&token.id()) {
                self.joining.push(at);
                self.fates[at] = Some(Fate::Registered(token));
            } else {
                left.push(at);
            }
        }
        Ok(left)
    }

    /// A token for a device that is new.
    fn new_token(&mut self) -> SecurityToken {
        let id = id_at(self.now, self.random());
        self.token(id)
    }

    fn token(&mut self, device: Uuid) -> SecurityToken {
        SecurityToken::new(device, self.random())
    }

    /// Bytes that nobody can guess, drawn many at a time.
    fn random<const N: usize>(&mut self) -> [u8; N] {
        if self.drawn.len() < N {
            self.drawn.resize(DRAWN_AT_ONCE, 0);
            self.world.fill_random(&mut self.drawn);
        }
        let mut bytes = [0; N];
        let left = self.drawn.len() - N;
        bytes.copy_from_slice(&self.drawn[left..]);
        // It may become a secret: nothing of it stays here.
        self.drawn[left..].zeroize();
        self.drawn.truncate(left);
        bytes
    }

    /// The devices that have the names of these rows.
    async fn existing(
        &self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        open: &[usize],
    ) -> Result<HashMap<String, Existing>, StoreError> {
        type Row = (String, Uuid, String, Option<String>, Option<String>, i16, i16, Option<i64>, Option<Vec<u8>>);
        let taken: Vec<Row> = query_as(AssertSqlSafe(format!(
            "SELECT d.name, d.id, m.name, d.friendly_name, d.description, d.tier, d.status, d.first_used, d.token_from
             FROM {NAMES} {DEVICE_OF_NAME} JOIN models m ON m.id = d.model"
        )))
        .bind(self.account.0)
        .bind(json_names(open.iter().map(|&at| rows[at].1.name.as_str())))
        .fetch_all(connection)
        .await?;
        let mut found = HashMap::with_capacity(taken.len());
        for (name, id, model, friendly_name, description, tier_code, status_code, first_used, token_from) in taken {
            let existing = Existing {
                id,
                model,
                friendly_name,
                description,
                tier: tier(tier_code)?,
                status: status(status_code)?,
                is_used: first_used.is_some(),
                token_from,
            };
            found.insert(name, existing);
        }
        Ok(found)
    }

    /// Stores new devices; gives the ids of those whose names were still free.
    async fn insert(
        &self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        added: &[(usize, Uuid, SecurityToken)],
    ) -> Result<HashSet<Uuid>, StoreError> {
        let mut there = HashSet::with_capacity(added.len());
        if added.is_empty() {
            return Ok(there);
        }
        let segment = segments::open(connection, self.account, self.registration, added.len()).await?;
        for some in added.chunks(INSERTED_AT_ONCE) {
            if self.insert_some(connection, rows, some, segment).await? == some.len() as u64 {
                there.extend(some.iter().map(|(_, _, token)| token.id()));
                continue;
            }
            let all: Vec<Uuid> = query_scalar(AssertSqlSafe(format!("SELECT d.id FROM {NAMES} {DEVICE_OF_NAME}")))
                .bind(self.account.0)
                .bind(json_names(some.iter().map(|(at, ..)| rows[*at].1.name.as_str())))
                .fetch_all(&mut *connection)
                .await?;
            let all: HashSet<Uuid> = all.into_iter().collect();
            there.extend(some.iter().map(|(_, _, token)| token.id()).filter(|id| all.contains(id)));
        }
        let mut lines = String::new();
        for (at, _, _) in added.iter().filter(|(_, _, token)| there.contains(&token.id())) {
            let row = &rows[*at].1;
            push_line(
                &mut lines,
                row.name.as_str(),
                row.friendly_name.as_ref().map(|name| name.as_str()),
                row.model.as_str(),
                tier_code(row.tier.unwrap_or(self.default_tier)),
            );
        }
        segments::add(connection, segment, &lines, there.len()).await?;
        Ok(there)
    }

    /// Stores those whose names are still free; gives how many they were.
    async fn insert_some(
        &self,
        connection: &mut Connection,
        rows: &[(u64, NewDevice)],
        some: &[(usize, Uuid, SecurityToken)],
        segment: i64,
    ) -> Result<u64, StoreError> {
        // What is the same for all is handed over once.
        let mut statement =
            sql("INSERT INTO devices (account, status, registered_at, token_made_at, old_token_hashes, token_from,
                registration, segment, id, name, model, friendly_name, description, tier, token_hash) SELECT ");
        statement.push_bind(self.account.0).push(", ");
        statement.push_bind(Status::Registered.code()).push(", ");
        statement.push_bind(self.now.as_ms()).push(", ");
        statement.push_bind(self.now.as_ms()).push(", ");
        statement.push_bind(Vec::<u8>::new()).push(", ");
        statement.push_bind(self.part.as_slice()).push(", ");
        statement.push_bind(self.registration).push(", ");
        statement.push_bind(segment).push(", v.* FROM (");
        statement.push_values(some, |mut values, (at, model, token)| {
            let row = &rows[*at].1;
            values
                .push_bind(token.id())
                .push_bind(row.name.as_str())
                .push_bind(*model)
                .push_bind(row.friendly_name.as_ref().map(|name| name.as_str()))
                .push_bind(row.description.as_ref().map(|text| text.as_str()))
                .push_bind(tier_code(row.tier.unwrap_or(self.default_tier)))
                .push_bind(token.hash().as_bytes().to_vec());
        });
        statement.push(") AS v WHERE true ON CONFLICT (account, name) DO NOTHING");
        // A statement of another length is not one that will be used again.
        let statement = statement.build().persistent(some.len() == INSERTED_AT_ONCE);
        Ok(statement.execute(connection).await?.rows_affected())
    }
}
