//! Row ids as types of their own, so that one cannot be taken for another.

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

id! {
    /// A person who signs in and answers.
    AgentId;
    /// A signed-in browser.
    SessionId;
    /// An address we serve.
    MailboxId;
    /// A folder of a mailbox, in the IMAP sense.
    FolderId;
    /// An outside person.
    ContactId;
    /// A conversation; its number on the pages is this id.
    ConversationId;
    /// One e-mail.
    MessageId;
    /// One file in a message.
    AttachmentId;
    /// The duty to hand one message over.
    DeliveryId;
    /// What an administrator must know of.
    AlertId;
    /// One fetching of older mail.
    BackfillId;
}
