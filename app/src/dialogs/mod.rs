//! The dialogs, and the menu that opens them.

mod actions;
mod confirm;
mod export;
mod job;
mod menu;
mod modal;
mod register;
mod to_disk;
mod toast;
mod tokens;
mod undo;

pub(crate) use actions::{Actions, DialogSignals, Dialogs, Done};
pub(crate) use modal::Modal;
pub(crate) use undo::UndoDialog;

use confirm::{ConfirmDialog, Question};
use export::ExportDialog;
use menu::{Menu, MenuItem};
use register::RegisterDialog;
use toast::Toast;
use tokens::TokensDialog;
