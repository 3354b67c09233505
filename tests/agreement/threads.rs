//! Whether the threads of mailing-list archives come out as the conversations they are: the second of the
//! comparisons with the corpora (`archives.rs`). `just corpus` prints its table.

#![expect(clippy::print_stdout, reason = "the table is what the test is run for")]

#[cfg(test)]
mod archives;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod replies;
#[cfg(test)]
#[expect(
    dead_code,
    reason = "the other comparison asks more of a unit than its bytes and name"
)]
mod unit;
