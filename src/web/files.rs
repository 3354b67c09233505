//! Files beside a message's text as pages list them: with their size, and a warning before one is saved that
//! can do harm.

use super::format;
use crate::mail::trust::{self, Finding};
use crate::model::Attachment;

/// A file in a list.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Safe name.
    pub(super) filename: String,
    /// Size in words.
    pub(super) size: String,
    /// Where its bytes are.
    pub(super) url: String,
    /// Where it is shown as a message, when it is one.
    pub(super) message_url: Option<String>,
    /// Why to think before it is opened.
    pub(super) warning: Option<Finding>,
}

impl File {
    /// A file at this address.
    #[must_use]
    pub(super) fn new(
        filename: &str,
        content_type: &str,
        size_bytes: i64,
        url: String,
        message_url: String,
    ) -> Self {
        Self {
            filename: filename.to_owned(),
            size: format::size(size_bytes),
            url,
            message_url: is_message(filename, content_type).then_some(message_url),
            warning: trust::risk(filename, content_type).map(trust::Risk::finding),
        }
    }

    /// A stored file.
    #[must_use]
    pub(super) fn stored(file: &Attachment) -> Self {
        let url = format!("/attachments/{}", file.id);
        Self::new(
            &file.filename,
            &file.content_type,
            file.size_bytes,
            url.clone(),
            format!("{url}/message/{}", super::attachments::message::ITSELF),
        )
    }

    /// How loud its warning is, as a word for the style sheet.
    #[must_use]
    pub(super) fn tone(&self) -> &'static str {
        self.warning.as_ref().map_or("", tone)
    }
}

/// How loud a finding is, as a word for the style sheet.
#[must_use]
pub(super) fn tone(finding: &Finding) -> &'static str {
    match finding.severity {
        trust::Severity::Info => "info",
        trust::Severity::Warn => "warn",
        trust::Severity::Danger => "bad",
    }
}

/// Whether a file is a mail message.
#[must_use]
pub(super) fn is_message(filename: &str, content_type: &str) -> bool {
    matches!(content_type, "message/rfc822" | "message/global") || has_ending(filename, "eml")
}

/// Whether a file is a calendar.
#[must_use]
pub(super) fn is_calendar(file: &Attachment) -> bool {
    matches!(
        file.content_type.as_str(),
        "text/calendar" | "application/ics"
    ) || has_ending(&file.filename, "ics")
}

fn has_ending(filename: &str, wanted: &str) -> bool {
    filename
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending.eq_ignore_ascii_case(wanted))
}
