//! The `mailhatch` program: reads its arguments and runs a command of [`mailhatch::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    mailhatch::cli::main()
}
