//! The expected outcome of rows, found without changing anything.

use super::{
    Connection,
    register_part::{existing_devices, models_of},
};
use crate::{
    errors::StoreError,
    registrations::rules::{Decision, decide},
    types::AccountId,
};
use muster_domain::{DryRun, FieldSet, NewDevice};

/// Decides about each row as [`super::register_part::register`] would.
pub(super) async fn dry_run(
    connection: &mut Connection,
    account: AccountId,
    rows: &[(u64, NewDevice)],
    missing_fields: FieldSet,
) -> Result<DryRun, StoreError> {
    let models = models_of(connection, account, rows).await?;
    let existing = existing_devices(connection, account, rows.iter().map(|(_, row)| row.name.as_str())).await?;
    let mut dry_run = DryRun::default();
    for (line, row) in rows {
        let model = models.get(row.model.as_str()).copied();
        // No part created the tokens of registered devices, so none is issued again.
        match decide(row, existing.get(row.name.as_str()), model, &[], false, missing_fields) {
            Decision::Add(_) => dry_run.new += 1,
            Decision::Already { .. } | Decision::Reissue(_) | Decision::Renew(_) => dry_run.already += 1,
            Decision::Fail(failure) => dry_run.fail(failure, *line, &row.name),
        }
    }
    Ok(dry_run)
}
