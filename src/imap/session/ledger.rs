//! What the ledger asks of a server: which messages there are, and what one is that cannot be taken.

use std::ops::Range;

use super::{ANSWER_TIME_MAX, Session, answers};
use crate::problem::Problem;

/// Most that a few header fields may bring.
const HEAD_BYTES_MAX: u64 = 256 * 1024;

impl Session {
    /// The UIDs of the open folder within a stretch, sorted.
    ///
    /// # Errors
    /// When the server refuses or the connection fails.
    pub fn uids_within(&mut self, stretch: Range<u32>) -> Result<Vec<u32>, Problem> {
        let Some(last) = stretch
            .end
            .checked_sub(1)
            .filter(|last| *last >= stretch.start)
        else {
            return Ok(Vec::new());
        };
        let mut uids = self.search(&format!("UID {}:{last}", stretch.start))?;
        uids.retain(|uid| stretch.contains(uid));
        Ok(uids)
    }

    /// What a message is: its Message-ID, From, Subject and Date, of a message that is too big to be fetched.
    ///
    /// # Errors
    /// When the server refuses, the connection fails or the answer exceeds its bounds.
    pub fn fetch_head(&mut self, uid: u32) -> Result<Option<Vec<u8>>, Problem> {
        let fields = "MESSAGE-ID FROM SUBJECT DATE";
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[HEADER.FIELDS ({fields})])");
        let inner = &mut self.inner;
        let answer = self.talk.run(HEAD_BYTES_MAX, ANSWER_TIME_MAX, || {
            inner.run_command_and_read_response(&command)
        })?;
        Ok(answers::head(&answer, uid))
    }
}
