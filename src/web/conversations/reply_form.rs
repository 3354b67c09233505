//! The form under a conversation: what stands in it, and what is wrong with it.

use std::collections::BTreeMap;

use crate::model::{Address, Attachment, AttachmentId, Message};
use crate::reply::Defaults;
use crate::secret::random_token;
use crate::web::addresses;
use crate::web::format;
use crate::web::forms::Fields;

/// What is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A reply to who wrote.
    Reply,
    /// A reply to everyone.
    All,
    /// An internal remark.
    Note,
}

impl Mode {
    pub(super) fn from_word(word: &str) -> Option<Self> {
        match word {
            "reply" => Some(Self::Reply),
            "all" => Some(Self::All),
            "note" => Some(Self::Note),
            _ => None,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::All => "all",
            Self::Note => "note",
        }
    }
}

/// A file of the message that this one is sent in place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptFile {
    pub(super) id: AttachmentId,
    pub(super) filename: String,
    pub(super) size: String,
    /// It is sent along again.
    pub(super) kept: bool,
}

/// The fields as they are shown.
#[derive(Debug, Clone)]
pub(super) struct ReplyForm {
    pub(super) mode: Mode,
    pub(super) to: String,
    pub(super) cc: String,
    pub(super) bcc: String,
    pub(super) subject: String,
    /// Plain text; the form's value without JavaScript.
    pub(super) text: String,
    /// What the rich editor made; empty when it was not used.
    pub(super) html: String,
    pub(super) quote: bool,
    /// One per shown form, so that a second press of the button sends nothing twice.
    pub(super) key: String,
    /// The newest message that was there when the form was made.
    pub(super) seen: i64,
    /// The message of ours that this one is sent in place of: it failed or was stopped. 0 for none.
    pub(super) instead_of: i64,
    /// What the rich editor starts with, where it was not used yet.
    pub(super) draft_html: String,
    /// The files of that message.
    pub(super) kept_files: Vec<KeptFile>,
    /// A time to leave at, as it was typed.
    pub(super) leave_at: String,
    /// Mail that comes before that time keeps it from leaving.
    pub(super) unless_answered: bool,
    /// A sentence about the whole form.
    pub(super) warning: String,
    mistakes: BTreeMap<&'static str, String>,
}

impl ReplyForm {
    pub(super) fn fresh(mode: Mode, defaults: &Defaults, seen: i64) -> Self {
        Self {
            mode,
            to: addresses::join(&defaults.to),
            cc: addresses::join(&defaults.cc),
            bcc: String::new(),
            subject: defaults.subject.clone(),
            text: String::new(),
            html: String::new(),
            quote: true,
            key: random_token(),
            seen,
            instead_of: 0,
            draft_html: String::new(),
            kept_files: Vec::new(),
            leave_at: String::new(),
            unless_answered: true,
            warning: String::new(),
            mistakes: BTreeMap::new(),
        }
    }

    /// A message of ours that did not leave, to be put right and sent again; `draft_html` is what was written in the
    /// rich editor.
    pub(super) fn edit(message: &Message, draft_html: String, seen: i64) -> Self {
        let defaults = Defaults {
            to: message.recipients.to.clone(),
            cc: message.recipients.cc.clone(),
            subject: message.subject.clone(),
        };
        let mut form = Self::fresh(Mode::All, &defaults, seen);
        form.bcc = addresses::join(&message.recipients.bcc);
        form.text.clone_from(&message.reply_text);
        form.instead_of = message.id.0;
        form.draft_html = draft_html;
        form.quote = message.quoted;
        form.keep(&message.attachments, |_| true);
        form
    }

    /// Offers the files of the message that this one is sent in place of.
    pub(super) fn keep(&mut self, files: &[Attachment], kept: impl Fn(AttachmentId) -> bool) {
        let files = files.iter().filter(|file| !file.inline);
        self.kept_files = files
            .map(|file| KeptFile {
                id: file.id,
                filename: file.filename.clone(),
                size: format::size(file.size_bytes),
                kept: kept(file.id),
            })
            .collect();
    }

    /// A form that was sent and whose reply was taken back since gets a key of its own.
    pub(super) fn begin_anew(&mut self) {
        self.key = random_token();
    }

    /// A note that needs correcting.
    pub(super) fn note(text: &str, mistake: String, defaults: &Defaults, seen: i64) -> Self {
        let mut form = Self::fresh(Mode::Note, defaults, seen);
        text.clone_into(&mut form.text);
        form.refuse("text", mistake);
        form
    }

    pub(super) fn read(fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).to_owned();
        Self {
            mode: Mode::from_word(fields.get("mode")).unwrap_or(Mode::Reply),
            to: text("to"),
            cc: text("cc"),
            bcc: text("bcc"),
            subject: text("subject"),
            text: text("text"),
            html: text("html"),
            quote: fields.is_on("quote"),
            key: text("key"),
            seen: fields.get("seen").parse().unwrap_or(0),
            instead_of: fields.get("instead_of").parse().unwrap_or(0),
            draft_html: String::new(),
            kept_files: Vec::new(),
            leave_at: text("leave_at"),
            unless_answered: fields.is_on("unless_answered"),
            warning: String::new(),
            mistakes: BTreeMap::new(),
        }
    }

    /// The recipients in To, Cc and Bcc; what is no address is a mistake at its field.
    pub(super) fn recipients(&mut self) -> [Vec<Address>; 3] {
        let mut read = |name: &'static str, text: &str| {
            addresses::parse(text).unwrap_or_else(|sentence| {
                self.mistakes.insert(name, sentence);
                Vec::new()
            })
        };
        [
            read("to", &self.to),
            read("cc", &self.cc),
            read("bcc", &self.bcc),
        ]
    }

    pub(super) fn refuse(&mut self, field: &'static str, sentence: impl Into<String>) {
        self.mistakes.insert(field, sentence.into());
    }

    pub(super) fn is_wrong(&self) -> bool {
        !self.mistakes.is_empty() || !self.warning.is_empty()
    }

    /// What is wrong with a field; empty when nothing is.
    pub(super) fn mistake(&self, field: &str) -> &str {
        self.mistakes.get(field).map_or("", String::as_str)
    }

    /// Whether the fields that are seldom changed are shown.
    pub(super) fn shows_more(&self) -> bool {
        !self.cc.is_empty()
            || !self.bcc.is_empty()
            || ["cc", "bcc", "subject"]
                .iter()
                .any(|field| self.mistakes.contains_key(field))
    }
}
