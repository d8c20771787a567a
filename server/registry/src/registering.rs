//! What happens to a row of a registration file: the rules, apart from any database.

use crate::{
    index::text::normal,
    types::{GroupName, Status},
};
use muster_domain::{
    DeviceName, Field, FieldSet, NewDevice, PricingTier, SecurityToken, errors_csv, spreadsheet_would_change,
};
use uuid::Uuid;

/// The most rows of a part.
pub const MAX_PART_ROWS: usize = 10_000;

/// The most parts of a file: 100 by rows, and two for each 2 MiB of 256 MiB; see `muster_domain::PartRange`.
pub(crate) const MAX_PARTS: u32 = 1_000;

/// The most of a file's name that is kept.
pub(crate) const MAX_FILE_NAME_CHARS: usize = 255;

/// The seed page's sentence, letter for letter.
const MODEL_NOT_FOUND: &str = "A request to add a device failed because the specified model was not found";

/// A registration that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRegistration {
    /// The file's name, for people; control characters and what is over 255 characters are dropped.
    pub file_name: String,
    /// How many devices it asks for.
    pub devices: u64,
    /// How many parts it comes in.
    pub parts: u32,
    /// The group that its devices join. If there is none of that name, it is made with the first of them.
    pub group: Option<GroupName>,
}

/// The rows of one part of a file.
#[derive(Clone, Debug, Default)]
pub struct PartRows {
    /// Its place in the file, from 0.
    pub number: u32,
    /// 1 the first time it is sent, then more. An attempt that is not above the last one taken is refused.
    pub attempt: u32,
    /// A later pass over the same file: devices that were registered before and have never connected get a new
    /// token; nothing else changes, and neither do the registration's counts.
    pub renew: bool,
    /// The fields in which no row of the file has a value. What a registered device has there is not compared.
    pub missing_fields: FieldSet,
    /// The rows that the check found right, each with its line.
    pub devices: Vec<(u64, NewDevice)>,
    /// The rows that it did not. They fail.
    pub refused: Vec<RefusedRow>,
}

/// A row that the check found wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Its line.
    pub line: u64,
    /// Its fields as they were.
    pub fields: [String; 5],
    /// What is wrong.
    pub error: String,
}

/// What became of a part.
#[derive(Default)]
pub struct PartOutcome {
    /// Devices that were registered; each has a token.
    pub registered: u32,
    /// Devices that were registered before, with the same fields.
    pub already: u32,
    /// Those of them that have never connected: their tokens may have been lost.
    pub already_never_connected: u32,
    /// Rows that failed; each has a row in `errors_csv`.
    pub failed: u32,
    /// The new tokens, in the order of the file. They exist here and in what is made of this, and nowhere else.
    pub tokens: Vec<(DeviceName, SecurityToken)>,
    /// Rows of `errors.csv`, without its header.
    pub errors_csv: Vec<u8>,
    /// Device names in them that a spreadsheet would change.
    pub fragile_names: u32,
}

impl std::fmt::Debug for PartOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { registered, already, failed, .. } = self;
        write!(f, "PartOutcome({registered} registered, {already} already, {failed} failed)")
    }
}

/// The most of `errors.csv` that is read at once, where it is of more than one part: a part is about as large.
pub(crate) const MAX_ERRORS_BYTES: i64 = 2 * 1024 * 1024;

/// Some of the `errors.csv` of a registration, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorsPage {
    /// Rows of `errors.csv`, without its header.
    pub rows: Vec<u8>,
    /// The number of the last part in it, where the next page goes on; `None`: that was all.
    pub next: Option<u32>,
}

/// A device as the database has it, before a row of its name is registered.
pub(crate) struct Existing {
    pub(crate) id: Uuid,
    pub(crate) model: String,
    pub(crate) friendly_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) tier: PricingTier,
    pub(crate) status: Status,
    /// Whether a token of it was ever shown.
    pub(crate) is_used: bool,
    /// The part of a registration that made its newest token: see [`token_from`].
    pub(crate) token_from: Option<Vec<u8>>,
}

impl Existing {
    /// Whether nobody has used a token of it yet, as far as can be known.
    fn never_connected(&self) -> bool {
        !self.is_used && self.status == Status::Registered
    }

    /// The first field in which a row differs from the device, of those that the file has. A blank tier agrees with any.
    fn differs_in(&self, row: &NewDevice, missing_fields: FieldSet) -> Option<Field> {
        let differs = |field: Field, text: Option<&str>, new: Option<&str>| {
            // The check reports no field as missing in which a row has a value. If a client does, the value counts.
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

/// Whether two texts for people are the same except for what is invisible: how their letters are composed, and characters
/// without width. Earlier versions of Muster stored both as they came.
fn is_same_text(one: Option<&str>, other: Option<&str>) -> bool {
    one == other || normal(one.unwrap_or_default()).trim() == normal(other.unwrap_or_default()).trim()
}

/// What is to be done for a row.
pub(crate) enum Decision {
    /// A new device, of the model with this id.
    Add(Uuid),
    /// This same part made its newest token, and the answer was lost: another takes the place of the lost one.
    Again(Uuid),
    /// It was registered before, and nothing changes.
    Already { never_connected: bool },
    /// It was registered before and has never connected, and the operator asked for a new token.
    Renew(Uuid),
    /// It fails, with this sentence.
    Fail(String),
}

/// How a device remembers which part of a file, in which pass over it, made its newest token.
pub(crate) fn token_from(registration: Uuid, part: &PartRows) -> Vec<u8> {
    let mut from = registration.as_bytes().to_vec();
    from.extend(part.number.to_be_bytes());
    from.push(u8::from(part.renew));
    from
}

/// Whether the same part of the same registration made the device's newest token in its first pass.
fn is_of_first_pass(existing: &Existing, part: &[u8]) -> bool {
    let (Some(from), Some((_, place))) = (existing.token_from.as_deref(), part.split_last()) else { return false };
    from.split_last().is_some_and(|(pass, before)| *pass == 0 && before == place)
}

/// What is to be done for one row, given the device of its name and its model's id, where there are any.
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
            Some(field) => Decision::Fail(format!(
                "A device with this name is already registered with a different {}",
                field.label().to_lowercase()
            )),
            None if existing.never_connected() && existing.token_from.as_deref() == Some(part) => {
                Decision::Again(existing.id)
            }
            // Its token was made by an earlier pass over the same file, and came with its answer: it is in the same
            // `tokens.csv` already.
            None if existing.never_connected() && renew && !is_of_first_pass(existing, part) => {
                Decision::Renew(existing.id)
            }
            None => Decision::Already { never_connected: existing.never_connected() },
        },
        // A later pass makes no devices: the row fails again as it failed before, or was deleted meanwhile.
        (None, Some(model)) if !renew => Decision::Add(model),
        (None, _) => Decision::Fail(MODEL_NOT_FOUND.to_owned()),
    }
}

/// What became of one row.
pub(crate) enum Fate {
    Registered(SecurityToken),
    Renewed(SecurityToken),
    Already { never_connected: bool },
    Failed(String),
}

/// What became of a part, by its rows' fates, in their order: counted, and what is to be handed out, in the order of the
/// file.
pub(crate) fn outcome(part: &PartRows, fates: Vec<Option<Fate>>) -> PartOutcome {
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
    for ((line, row), fate) in part.devices.iter().zip(fates) {
        refuse(&mut outcome, *line);
        let token = |outcome: &mut PartOutcome, name: &DeviceName, token| outcome.tokens.push((name.clone(), token));
        match fate {
            Some(Fate::Registered(made)) => {
                outcome.registered += 1;
                token(&mut outcome, &row.name, made);
            }
            Some(Fate::Renewed(made)) => {
                outcome.already += 1;
                token(&mut outcome, &row.name, made);
            }
            Some(Fate::Already { never_connected }) => {
                outcome.already += 1;
                outcome.already_never_connected += u32::from(never_connected);
            }
            Some(Fate::Failed(sentence)) => {
                outcome.failed += 1;
                outcome.fragile_names += u32::from(spreadsheet_would_change(row.name.as_str()));
                errors_csv::push_device(&mut outcome.errors_csv, row, *line, &sentence);
            }
            // A part whose rows are registered leaves none open.
            None => outcome.failed += 1,
        }
    }
    refuse(&mut outcome, u64::MAX);
    outcome
}
