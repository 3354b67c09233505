//! Plain data and pure rules: no I/O, no SQL, no HTTP. Words are those of a help desk; where a
//! protocol uses the same word for something else, the protocol's word yields (a *mailbox* here is an
//! address we serve, a *folder* is what IMAP calls a mailbox).

mod agent;
mod alert;
mod backfill;
mod conversation;
mod delivery;
mod folder;
mod ids;
mod ledger;
mod mailbox;
mod message;
pub mod search;
mod words;
mod write_back;

pub use agent::{Agent, Role, SignedIn};
pub use alert::{Alert, AlertCause, AlertChannel, AlertKind, AlertPhase, Notice, NoticeState};
pub use backfill::{Backfill, BackfillFolder, BackfillFolderState, BackfillState, Days};
pub use conversation::{
    Beginning, Contact, Conversation, ConversationRow, Event, EventKind, InboxCounts, InboxPage,
    InboxQuery, Note, Status, View,
};
pub use delivery::{
    Attempt, Delivery, DeliveryState, Leaves, OutboxRow, RefusedRecipient, SendLimits, StoppedBy,
};
pub use folder::{Cursor, Fate, FateCount, FateRow, Folder, FolderRole};
pub use ids::{
    AgentId, AlertId, AttachmentId, BackfillId, ContactId, ConversationId, DeliveryId, FolderId,
    MailboxId, MessageId, SessionId,
};
pub use ledger::{
    COMPARED_EVERY_SECONDS, Comparison, Differing, Label, LedgerCheck, Recovered, Sighting, Trace,
    Traced, TracedDelivery, TracedMessage, bare_message_id,
};
pub use mailbox::{Credential, Mailbox, MailboxStatus, TakeFrom, WayOut};
pub use message::{Address, Attachment, Direction, Kind, Message, PlacedBy, Recipients};
pub use words::Word;
pub use write_back::{MoveTarget, WriteBack, WriteBackAct, WriteBackSettings, WriteBackState};
