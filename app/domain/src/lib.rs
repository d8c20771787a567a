//! What a registration is: devices, their names and tokens, the registration file, the model definition.
//!
//! Everything here is a value or a function of its arguments. There is no async, I/O, UI, SQL, clock or
//! randomness, and `tests/purity.rs` holds the dependency list to that; so the same code checks a file in the
//! browser, on the server and in a terminal.

#![warn(missing_docs)]

mod base62;
pub mod credential;
mod csv_out;
mod device;
pub mod file;
mod fleet;
mod guard;
mod lookalike;
mod model;
mod names;
mod nearest;
mod nfc;
mod rejection;
mod shown;
mod text;
mod tier;
mod time;

pub use credential::{AccessKey, Credential, CredentialProblem, Kind, SecretHash, SecurityToken, SessionKey};
pub use csv_out::{errors_csv, problems_csv, registration_csv, spreadsheet_would_change, tokens_csv};
pub use device::NewDevice;
pub use file::{
    Cause, Check, CheckReport, ColumnNames, Count, EncodingGuess, Field, FieldSet, Layout, LayoutProblem, MAX_DEVICES,
    MAX_FILE_BYTES, MAX_ROW_BYTES, Mapping, MappingOffer, OfferedColumn, PART_BYTES, PART_ROWS, PartRange, PreviewRow,
    Problem, ProblemGroup, ReadOptions, Reader, Row, Separator, Sink, TierCount, UnknownField,
};
pub use fleet::{
    CallOutcome, Change, Cursor, DeviceDetail, DeviceFilter, DeviceItem, DevicePage, DeviceQuery, DryRun,
    ExpectedFailures, GroupName, GroupNameProblem, GroupSummary, LeadingZeros, MAX_DEVICES_PER_CALL, MAX_FILTER_GROUPS,
    MAX_SEARCHED_NAMES, MAX_SILENT_HOURS, Matching, ModelOutcome, ModelPut, ModelSummary, NamesNotFound, OldTokens,
    OverLimit, PAGE_DEVICES, PagePosition, RegistrationId, RegistrationSummary, RowFailure, Sort, Status, Targets,
    TokenJob, UnknownModel,
};
pub use model::{Affordance, ModelProblem, ThingModel};
pub use names::{DeviceName, DeviceNameProblem, ModelName, ModelNameProblem};
pub use nearest::{KnownNames, nearest};
pub use rejection::{Rejection, rejection_in};
pub use shown::{shown_up_to, thousands};
pub use text::{Description, FriendlyName, TextProblem, is_invisible, looks_empty, normalized};
pub use tier::{PricingTier, UnknownTier};
pub use time::Timestamp;
