//! What the tests stand on, for the benchmarks.

#[path = "../../tests/it/support/child.rs"]
pub(crate) mod child;
#[path = "../../tests/it/support/stage.rs"]
pub(crate) mod stage;
