//! One RFC 5322 e-mail as the pages need it.

use serde::{Deserialize, Serialize};

use super::delivery::Delivery;
use super::ids::{AttachmentId, ConversationId, MailboxId, MessageId};
use super::words::words;

words! {
    /// Which way a message went.
    Direction {
        /// From outside to us.
        Incoming = "incoming",
        /// From us to outside, whether written here or in Outlook.
        Outgoing = "outgoing",
    }
}

words! {
    /// What wrote a message.
    Kind {
        /// A person, as far as can be told.
        Message = "message",
        /// A machine's answer, such as an out-of-office note.
        AutoReply = "auto_reply",
        /// A delivery status notification about a message of ours.
        Bounce = "bounce",
        /// A mailing list or newsletter.
        List = "list",
        /// Another machine.
        Notification = "notification",
    }
}

words! {
    /// Which rule placed a message in its conversation; the order of trying is that of
    /// [`crate::mail::thread::place`].
    PlacedBy {
        /// Nobody wrote it down: it came before the program did.
        Unknown = "unknown",
        /// It was written here, in this conversation.
        Written = "written",
        /// Earlier messages here speak of it, or it came here before in another form.
        OwnId = "own_id",
        /// It answers a message of ours, by an id that we gave.
        OurId = "our_id",
        /// Its In-Reply-To names a message of the conversation.
        InReplyTo = "in_reply_to",
        /// Its References name a message of the conversation.
        References = "references",
        /// It is a delivery report about a reply of ours.
        Report = "report",
        /// Outlook's Thread-Index says so, and subject or contact agree.
        ThreadIndex = "thread_index",
        /// Same contact, same subject behind its Re:, a short while ago.
        Subject = "subject",
        /// It answers an old conversation under a new subject, which begins a new one.
        NewSubject = "new_subject",
        /// It belongs to nothing that is known.
        New = "new",
        /// A person moved it.
        Moved = "moved",
    }
}

/// A name and an address, as a header field gives them; the address may be malformed.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Display name; empty when there is none.
    #[serde(default)]
    pub name: String,
    /// The address.
    pub address: String,
}

impl Address {
    /// An address with a name.
    pub fn new(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: address.into(),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.address)
        } else {
            write!(f, "{} <{}>", self.name, self.address)
        }
    }
}

/// To whom a message went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipients {
    /// To.
    #[serde(default)]
    pub to: Vec<Address>,
    /// Cc.
    #[serde(default)]
    pub cc: Vec<Address>,
    /// Bcc; known only of what we wrote.
    #[serde(default)]
    pub bcc: Vec<Address>,
    /// Where answers are asked to go.
    #[serde(default)]
    pub reply_to: Vec<Address>,
}

/// One e-mail of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Row id.
    pub id: MessageId,
    /// The mailbox it belongs to.
    pub mailbox_id: MailboxId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Which way it went.
    pub direction: Direction,
    /// What wrote it.
    pub kind: Kind,
    /// The agent who wrote it, if it was written here.
    pub agent_name: Option<String>,
    /// The Message-ID header without angle brackets (Graph's name for it).
    pub internet_message_id: String,
    /// From.
    pub from: Address,
    /// To whom.
    pub recipients: Recipients,
    /// Subject.
    pub subject: String,
    /// The text to read.
    pub text: String,
    /// What the writer newly wrote.
    pub reply_text: String,
    /// There is an HTML form.
    pub has_html: bool,
    /// It carries quoted history.
    pub quoted: bool,
    /// What is wrong with it, in words.
    pub defects: Vec<String>,
    /// Its Date, or when it arrived.
    pub sent_at: i64,
    /// When it was stored.
    pub created_at: i64,
    /// Its files.
    pub attachments: Vec<Attachment>,
    /// How it was handed over, if it was written here.
    pub delivery: Option<Delivery>,
    /// Which rule placed it in its conversation.
    pub placed_by: PlacedBy,
}

/// One file in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Row id.
    pub id: AttachmentId,
    /// Safe file name.
    pub filename: String,
    /// Media type as its sender named it.
    pub content_type: String,
    /// Decoded size.
    pub size_bytes: i64,
    /// Shown in the text rather than under it.
    pub inline: bool,
    /// Content-ID without angle brackets.
    pub content_id: Option<String>,
    /// Lower-case hex SHA-256 of the content.
    pub sha256: String,
}
