//! Registrations: beginning, finishing and listing them, and their `errors.csv`.

use super::{
    Db,
    columns::count,
    dry_run::dry_run,
    groups::{check_group_limit, find_group},
    statements::sql,
};
use crate::{
    errors::{GroupError, RegisterError, StoreError},
    registrations::{ErrorsPage, MAX_ERRORS_BYTES, NewRegistration, PartOutcome},
    store::contract::{NewPart, Registrations},
    types::{AccountId, UserId},
};
use async_trait::async_trait;
use muster_domain::{DryRun, FieldSet, GroupName, NewDevice, RegistrationId, RegistrationSummary, Timestamp};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

row! {
    struct SummaryRow {
        id: Uuid,
        file_name: String,
        email: Option<String>,
        begun_at: i64,
        finished_at: Option<i64>,
        devices: i64,
        registered: i64,
        already: i64,
        failed: i64,
    }
}

#[async_trait]
impl Registrations for Db {
    async fn begin_registration(
        &self,
        account: AccountId,
        user: Option<UserId>,
        id: RegistrationId,
        new: &NewRegistration,
        now: Timestamp,
    ) -> Result<RegistrationId, GroupError> {
        let mut tx = self.write().await?;
        let (mut group, mut new_group) = (None, None);
        if let Some(name) = &new.group {
            group = find_group(&mut tx, account, name).await?;
            if group.is_none() {
                // It is created with the first device that joins. A group over the limit is reported before the upload.
                check_group_limit(&mut tx, account).await?;
                new_group = Some(name.cleaned()?);
            }
        }
        // Without a key, nothing conflicts.
        let begun = query_scalar(
            "INSERT INTO registrations
                (id, account, person, device_group, new_group, file_name, devices, parts, begun_at, idempotency_key)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (account, idempotency_key) DO UPDATE SET idempotency_key = excluded.idempotency_key
             RETURNING id",
        )
        .bind(id.0)
        .bind(account.0)
        .bind(user.map(|user| user.0))
        .bind(group)
        .bind(new_group.as_ref().map(GroupName::as_str))
        .bind(&new.file_name)
        .bind(new.devices.cast_signed())
        .bind(new.parts.cast_signed())
        .bind(now.as_ms())
        .bind(new.idempotency_key)
        .fetch_one(&mut *tx)
        .await
        .map_err(StoreError::from)?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(RegistrationId(begun))
    }

    async fn register_part(&self, part: NewPart) -> Result<PartOutcome, RegisterError> {
        self.write_part(part).await
    }

    async fn dry_run(
        &self,
        account: AccountId,
        rows: &[(u64, NewDevice)],
        missing_fields: FieldSet,
    ) -> Result<DryRun, StoreError> {
        let mut connection = self.reader().acquire().await?;
        dry_run(&mut connection, account, rows, missing_fields).await
    }

    async fn finish_registration(
        &self,
        account: AccountId,
        id: RegistrationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        // The numbers of parts are distinct, and below the number of parts.
        let done = query(
            "UPDATE registrations SET finished_at = COALESCE(finished_at, CASE WHEN parts <= (
                SELECT COUNT(*) FROM registration_parts t WHERE t.registration = registrations.id AND t.renew = 0
             ) THEN $3 END) WHERE id = $1 AND account = $2",
        )
        .bind(id.0)
        .bind(account.0)
        .bind(now.as_ms())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    async fn registrations(
        &self,
        account: AccountId,
        only: Option<RegistrationId>,
        before: Option<RegistrationId>,
        limit: u32,
    ) -> Result<Vec<RegistrationSummary>, StoreError> {
        let mut statement = sql("SELECT r.id, r.file_name, p.email, r.begun_at, r.finished_at, r.devices,
                COALESCE(SUM(t.registered), 0) AS registered, COALESCE(SUM(t.already), 0) AS already,
                COALESCE(SUM(t.failed), 0) AS failed
             FROM registrations r LEFT JOIN people p ON p.id = r.person
             LEFT JOIN registration_parts t ON t.registration = r.id AND t.renew = 0 WHERE r.account = ");
        statement.push_bind(account.0);
        if let Some(only) = only {
            statement.push(" AND r.id = ").push_bind(only.0);
        }
        if let Some(before) = before {
            statement.push(" AND r.id < ").push_bind(before.0);
        }
        statement.push(
            " GROUP BY r.id, r.file_name, p.email, r.begun_at, r.finished_at, r.devices ORDER BY r.id DESC LIMIT ",
        );
        statement.push_bind(i64::from(limit));
        let rows: Vec<SummaryRow> = statement.build_query_as().fetch_all(self.reader()).await?;
        let summary = |row: SummaryRow| RegistrationSummary {
            id: RegistrationId(row.id),
            file_name: row.file_name,
            by: row.email.unwrap_or_default(),
            begun: Timestamp::from_ms(row.begun_at),
            finished: row.finished_at.map(Timestamp::from_ms),
            devices: count(row.devices),
            registered: count(row.registered),
            already: count(row.already),
            failed: count(row.failed),
        };
        Ok(rows.into_iter().map(summary).collect())
    }

    async fn errors_csv(
        &self,
        account: AccountId,
        id: RegistrationId,
        after: Option<u32>,
    ) -> Result<Option<ErrorsPage>, StoreError> {
        let mut connection = self.reader().acquire().await?;
        let known = query("SELECT 1 FROM registrations WHERE id = $1 AND account = $2").bind(id.0).bind(account.0);
        if known.fetch_optional(&mut *connection).await?.is_none() {
            return Ok(None);
        }
        let after = after.map_or(-1, i64::from);
        let sizes: Vec<(i32, i64)> = query_as(
            "SELECT number, CAST(LENGTH(errors_csv) AS BIGINT) FROM registration_parts
             WHERE registration = $1 AND renew = 0 AND errors_csv IS NOT NULL AND number > $2 ORDER BY number",
        )
        .bind(id.0)
        .bind(after)
        .fetch_all(&mut *connection)
        .await?;
        let Some(&(first, mut bytes)) = sizes.first() else { return Ok(Some(ErrorsPage::default())) };
        let mut last = first;
        for (number, size) in &sizes[1..] {
            bytes += size;
            if bytes > MAX_ERRORS_BYTES {
                break;
            }
            last = *number;
        }
        let parts: Vec<Vec<u8>> = query_scalar(
            "SELECT errors_csv FROM registration_parts WHERE registration = $1 AND renew = 0 AND errors_csv IS NOT NULL
             AND number > $2 AND number <= $3 ORDER BY number",
        )
        .bind(id.0)
        .bind(after)
        .bind(last)
        .fetch_all(&mut *connection)
        .await?;
        let has_more = sizes.last().is_some_and(|(number, _)| *number > last);
        Ok(Some(ErrorsPage { rows: parts.concat(), next: has_more.then(|| last.cast_unsigned()) }))
    }
}
