//! To be filled next.
