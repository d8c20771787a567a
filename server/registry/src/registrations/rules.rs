//! The rules for a row of a registration file, independent of the database.

use super::{PartOutcome, PartRows};
use crate::index::text::normal;
use muster_domain::{
    DeviceName, Field, FieldSet, NewDevice, PricingTier, RowFailure, SecurityToken, Status, errors_csv,
    spreadsheet_would_change,
};
use uuid::Uuid;

/// A device that already has the name of a row.
pub(crate) struct Existing {
    pub(crate) id: Uuid,
    pub(crate) model: String,
    pub(crate) friendly_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) tier: PricingTier,
    pub(crate) status: Status,
    /// Whether the device has ever used a token.
    pub(crate) is_used: bool,
    /// The part of a registration that made its newest token: see [`token_from`].
    pub(crate) token_from: Option<Vec<u8>>,
}

impl Existing {
    /// Whether the device has never used a token, as far as the database knows.
    fn never_connected(&self) -> bool {
        !self.is_used && self.status == Status::Registered
    }

    /// The first field in which a row differs from the device. Fields that the file lacks, and a blank tier, are equal
    /// to anything.
    fn differs_in(&self, row: &NewDevice, missing_fields: FieldSet) -> Option<Field> {
        let differs = |field: Field, text: Option<&str>, new: Option<&str>| {
            // The check reports a field as missing only if no row has a value there. If a client reports otherwise, the
            // value counts.
            let is_compared = new.is_some() || !missing_fields.contains(field);
            is_compared && !is_same_text(text, new)
        };
        let friendly_name = row.friendly_name.as_ref().map(|name| name.as_str());
        let description = row.description.as_ref().map(|text| text.as_str());
        if self.model != row.model.as_str() {
            Some(Field::ModelName)
        } else if differs(Field::FriendlyName, self.friendly_name.as_deref(), friendly_name) {
            Some(Field::FriendlyName)
        } else if differs(Field::Description, self.description.as_deref(), description) {
            Some(Field::Description)
        } else if row.tier.is_some_and(|tier| tier != self.tier) {
            Some(Field::PricingTier)
        } else {
            None
        }
    }
}

/// Whether two texts look the same: they may differ in Unicode composition and zero-width characters. Earlier versions
/// of Muster stored texts unchanged.
fn is_same_text(one: Option<&str>, other: Option<&str>) -> bool {
    one == other || normal(one.unwrap_or_default()).trim() == normal(other.unwrap_or_default()).trim()
}

/// What to do with a row.
pub(crate) enum Decision {
    /// Add a device of the model with this id.
    Add(Uuid),
    /// An earlier attempt at this part created its newest token, and the response was lost: issue another token
    /// instead.
    Reissue(Uuid),
    /// It is already registered, and nothing changes.
    Already { never_connected: bool },
    /// It is already registered and has never connected, and the operator requested a new token.
    Renew(Uuid),
    /// The row fails.
    Fail(RowFailure),
}

/// What is stored with a device about the part, and the pass over the file, that created its newest token.
pub(crate) fn token_from(registration: Uuid, part: &PartRows) -> Vec<u8> {
    let mut from = registration.as_bytes().to_vec();
    from.extend(part.number.to_be_bytes());
    from.push(u8::from(part.renew));
    from
}

/// Whether the same part of the same registration created the newest token in its first pass.
fn is_of_first_pass(existing: &Existing, part: &[u8]) -> bool {
    let (Some(from), Some((_, place))) = (existing.token_from.as_deref(), part.split_last()) else { return false };
    from.split_last().is_some_and(|(pass, before)| *pass == 0 && before == place)
}

/// Decides about a row, given the device with its name and the id of its model, if they exist.
pub(crate) fn decide(
    row: &NewDevice,
    existing: Option<&Existing>,
    model: Option<Uuid>,
    part: &[u8],
    renew: bool,
    missing_fields: FieldSet,
) -> Decision {
    match (existing, model) {
        (Some(existing), _) => match existing.differs_in(row, missing_fields) {
            Some(field) => Decision::Fail(RowFailure::Differs(field)),
            None if existing.never_connected() && existing.token_from.as_deref() == Some(part) => {
                Decision::Reissue(existing.id)
            }
            // An earlier pass over the same file created its token: it is in the same `tokens.csv` already.
            None if existing.never_connected() && renew && !is_of_first_pass(existing, part) => {
                Decision::Renew(existing.id)
            }
            None => Decision::Already { never_connected: existing.never_connected() },
        },
        // A later pass adds no devices: the row fails as before, or its device was deleted meanwhile.
        (None, Some(model)) if !renew => Decision::Add(model),
        (None, _) => Decision::Fail(RowFailure::UnknownModel),
    }
}

/// The outcome of a row.
pub(crate) enum RowOutcome {
    Registered(SecurityToken),
    Renewed(SecurityToken),
    Already { never_connected: bool },
    Failed(String),
}

/// The outcome of a part from the outcomes of its rows in order: counts, tokens, and `errors.csv`, in the order of the
/// file.
pub(crate) fn outcome(part: &PartRows, outcomes: Vec<Option<RowOutcome>>) -> PartOutcome {
    let mut outcome = PartOutcome::default();
    let mut refused = part.refused.iter().peekable();
    let mut refuse = |outcome: &mut PartOutcome, before_line: u64| {
        while let Some(row) = refused.next_if(|row| row.line < before_line) {
            outcome.failed += 1;
            let [name, model, friendly_name, description, tier] = &row.fields;
            outcome.fragile_names += u32::from(spreadsheet_would_change(name));
            errors_csv::push_row(
                &mut outcome.errors_csv,
                [name, model, friendly_name, description, tier],
                row.line,
                &row.error,
            );
        }
    };
    for ((line, row), row_outcome) in part.devices.iter().zip(outcomes) {
        refuse(&mut outcome, *line);
        let token = |outcome: &mut PartOutcome, name: &DeviceName, token| outcome.tokens.push((name.clone(), token));
        match row_outcome {
            Some(RowOutcome::Registered(made)) => {
                outcome.registered += 1;
                token(&mut outcome, &row.name, made);
            }
            Some(RowOutcome::Renewed(made)) => {
                outcome.already += 1;
                token(&mut outcome, &row.name, made);
            }
            Some(RowOutcome::Already { never_connected }) => {
                outcome.already += 1;
                outcome.already_never_connected += u32::from(never_connected);
            }
            Some(RowOutcome::Failed(sentence)) => {
                outcome.failed += 1;
                outcome.fragile_names += u32::from(spreadsheet_would_change(row.name.as_str()));
                errors_csv::push_device(&mut outcome.errors_csv, row, *line, &sentence);
            }
            // All rows of a registered part have an outcome.
            None => outcome.failed += 1,
        }
    }
    refuse(&mut outcome, u64::MAX);
    outcome
}
