//! The store from outside.
