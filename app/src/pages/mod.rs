//! The pages, one file each.

mod connect;
mod device;
mod devices;
mod groups;
mod models;
mod not_found;
mod registrations;
mod selection;
mod settings;
mod sign_in;

pub(crate) use device::Device;
pub(crate) use devices::Devices;
pub(crate) use groups::Groups;
pub(crate) use models::Models;
pub(crate) use not_found::NotFound;
pub(crate) use registrations::Registrations;
pub(crate) use settings::Settings;
pub use sign_in::RefusedSignIn;
pub(crate) use sign_in::SignIn;
