//! The server's answers about a checked file before it is uploaded: models that the account does not have, names that lost
//! their leading zeros, and the expected outcome of its rows.

use crate::fns::{
    Failure,
    registrations::{registered_with_leading_zeros, unknown_models},
};
use futures_util::future::try_join;
use muster_domain::{CheckReport, DeviceName, DryRun, LeadingZeros, ModelName, UnknownModel};

/// The dry run of the file: see [`muster_client::dry_run`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// So many rows were compared with the registered devices.
    Pending {
        rows: u64,
    },
    Done(DryRun),
    /// There was no answer; a sentence. The file can be uploaded all the same.
    Failed(String),
}

impl Comparison {
    pub(super) const START: Self = Self::Pending { rows: 0 };

    pub(super) fn failed(failure: &Failure) -> Self {
        Self::Failed(not_compared(failure))
    }
}

fn not_compared(failure: &Failure) -> String {
    format!("The file could not be compared with your models and devices: {}", failure.full_sentence())
}

/// The server's answer about a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Lookup {
    #[default]
    Pending,
    Done {
        unknown_models: Vec<UnknownModel>,
        leading_zeros: Vec<LeadingZeros>,
    },
    /// There was no answer; a sentence. The file can be uploaded all the same.
    Failed(String),
}

impl Lookup {
    /// Asks the server about a file without problems.
    pub(super) async fn ask(report: &CheckReport) -> Self {
        let models = report.models.iter().filter_map(|model| ModelName::parse(&model.name).ok()).collect();
        let names: Vec<_> = report.numeric_names.iter().filter_map(|name| DeviceName::parse(name).ok()).collect();
        let leading_zeros =
            async { if names.is_empty() { Ok(Vec::new()) } else { registered_with_leading_zeros(names).await } };
        match try_join(unknown_models(models), leading_zeros).await {
            Ok((unknown_models, leading_zeros)) => Self::Done { unknown_models, leading_zeros },
            Err(failure) => Self::Failed(not_compared(&failure)),
        }
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    pub(super) fn unknown_models(&self) -> &[UnknownModel] {
        match self {
            Self::Done { unknown_models, .. } => unknown_models,
            Self::Pending | Self::Failed(_) => &[],
        }
    }

    pub(super) fn leading_zeros(&self) -> &[LeadingZeros] {
        match self {
            Self::Done { leading_zeros, .. } => leading_zeros,
            Self::Pending | Self::Failed(_) => &[],
        }
    }
}

/// How many devices of the file have this model.
pub(super) fn devices_of(report: &CheckReport, model: &str) -> u64 {
    report.models.iter().find(|count| count.name == model).map_or(0, |count| count.devices)
}
