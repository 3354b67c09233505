//! What the tests stand on.

pub mod child;
pub mod site;
pub mod stage;
