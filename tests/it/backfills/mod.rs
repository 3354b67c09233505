//! Older mail by date range: what is announced comes, once, as history, and new mail never waits for it.

mod history;
mod order;
mod progress;
