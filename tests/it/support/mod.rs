//! What the tests stand on.

pub mod child;
pub mod office;
pub mod site;
pub mod stage;
