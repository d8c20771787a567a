//! The fleet as callers see it: filters, orders, pages, targets, changes and their outcomes.
//!
//! These types travel: the page, the server functions and the registry use the same ones. A name that arrives is parsed
//! by the type that it becomes (see [`crate::rejection_in`]); the limits of lists are checked by
//! [`DeviceFilter::check`] and [`Targets::check`].

mod device;
mod dry_run;
mod filter;
mod group;
mod model;
mod page;
mod registration;
mod status;
mod targets;
mod token_job;

pub use device::{DeviceDetail, DeviceItem};
pub use dry_run::{DryRun, ExpectedFailures, RowFailure};
pub use filter::{DeviceFilter, MAX_FILTER_GROUPS, MAX_SEARCHED_NAMES, MAX_SILENT_HOURS};
pub use group::{GroupName, GroupNameProblem, GroupSummary};
pub use model::{ModelOutcome, ModelPut, ModelSummary, UnknownModel};
pub use page::{Cursor, DevicePage, DeviceQuery, NamesNotFound, PAGE_DEVICES, PagePosition, Sort};
pub use registration::{LeadingZeros, RegistrationId, RegistrationSummary};
pub use status::Status;
pub use targets::{CallOutcome, Change, MAX_DEVICES_PER_CALL, Matching, Targets};
pub use token_job::{OldTokens, TokenJob};

/// A list is longer than its limit; a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OverLimit(&'static str);
