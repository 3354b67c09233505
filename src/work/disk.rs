//! Free space where the data is kept.

use std::path::Path;

use crate::problem::{Disposition, Problem};

/// Bytes that may still be written below a folder.
///
/// # Errors
/// When the system cannot tell.
pub fn free_bytes(folder: &Path) -> Result<u64, Problem> {
    match rustix::fs::statvfs(folder) {
        Ok(found) => Ok(found.f_bavail.saturating_mul(found.f_frsize)),
        Err(error) => Err(Problem::new(
            "disk",
            Disposition::NeedsAdmin,
            format!(
                "The data folder {} cannot be looked at: {error}.",
                folder.display()
            ),
            "Check that it exists and that this user may enter it.",
        )),
    }
}

/// That too little is free.
#[must_use]
pub fn too_full(free_bytes: u64) -> Problem {
    Problem::new(
        "disk",
        Disposition::NeedsAdmin,
        format!(
            "Only {} MB are free where the data is kept. When none is left, no mail is taken until there is; what was taken stays.",
            free_bytes / (1024 * 1024)
        ),
        "Free some space, or move the data folder to a larger disk.",
    )
}
