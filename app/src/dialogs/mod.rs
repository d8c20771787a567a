//! The dialogs, and the menu that opens them.

mod confirm;
mod menu;
mod modal;
mod register;
mod tokens;

pub(crate) use confirm::ConfirmDialog;
pub(crate) use menu::{Menu, MenuItem};
pub(crate) use modal::Modal;
pub(crate) use register::RegisterDialog;
pub(crate) use tokens::TokensDialog;
