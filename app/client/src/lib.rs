//! The upload of a registration file that was checked, independent of where it runs.
//!
//! [`Upload`] sends the parts of the file, several concurrently, retries a part whose answer was lost or that the server
//! could not take, and returns the results in file order. Its environment comes in through three traits: [`Clock`] (time and
//! randomness), [`Transport`] (the server and the file) and [`Results`] (tokens, errors and progress). The page implements
//! them with the browser's APIs; a command line would implement them with its own.
//!
//! The futures are not `Send`: an upload runs on one thread, such as a browser's or tokio's `LocalSet`. The concurrent
//! requests still overlap.

#![warn(missing_docs)]

mod clock;
mod dry_run;
mod failure;
mod part;
mod progress;
mod retry;
mod rows;
mod transport;
mod upload;

pub use clock::Clock;
pub use dry_run::dry_run;
pub use failure::{FailureKind, RequestFailure, UNAVAILABLE};
pub use part::{FileSlice, NewRegistration, Part, PartDone};
pub use progress::{Progress, Results, Stopped};
pub use retry::retried;
pub use transport::Transport;
pub use upload::{Pass, Upload};
