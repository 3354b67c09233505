//! What the tests stand on.

pub(crate) mod child;
pub(crate) mod office;
pub(crate) mod site;
pub(crate) mod stage;
