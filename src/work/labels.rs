//! Asks the server what a message is that is too big to be taken, so that a page can say more than its number.

use super::sync::Pass;
use crate::imap;
use crate::intake;
use crate::problem::Problem;
use crate::store::{self, fates};

/// Asks once for each such message of the pass's folder.
pub(super) fn ask(pass: &Pass<'_>, session: &mut imap::Session) -> Result<(), Problem> {
    let store = &pass.services.store;
    let (folder, validity) = (pass.folder.id, pass.uid_validity);
    let failed = |error: store::Error| error.to_problem();
    let unnamed = store
        .read(|db| fates::list_unnamed(db, folder, validity))
        .map_err(failed)?;
    for uid in unnamed {
        if pass.wake.is_stopped() {
            return Ok(());
        }
        // Before it is done: what breaks the session must not break every session.
        let now = pass.services.clock.now();
        store
            .write(|tx| fates::update_asked(tx, folder, validity, uid, now))
            .map_err(failed)?;
        match session.fetch_head(uid) {
            Ok(Some(head)) => {
                let label = intake::label(&head);
                store
                    .write(|tx| fates::update_label(tx, folder, validity, uid, &label))
                    .map_err(failed)?;
            }
            Ok(None) => {}
            // It is only a courtesy while the session lives.
            Err(problem) => {
                if session.noop().is_err() {
                    return Err(problem);
                }
            }
        }
    }
    Ok(())
}
