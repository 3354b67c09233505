//! What is in the mailbox is not as it should be.
