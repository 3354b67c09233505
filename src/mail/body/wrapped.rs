//! Parts that hold a message in another wrapping: signed S/MIME in one file, and winmail.dat.

use std::borrow::Cow;

use super::Collector;
use crate::mail::defect::Defect;
use crate::mail::mime::{Body, Part, Walker};
use crate::mail::{header, protected, tnef};

/// Signed S/MIME files that are opened in one message.
const SIGNED_MAX: usize = 3;
/// Files of one message up to which winmail.dat adds to them.
const FILES_MAX: usize = 2_000;

impl Collector<'_> {
    /// The part inside a signed S/MIME file (RFC 8551 section 3.5.2), or the part itself.
    pub(super) fn signed_content<'a>(&mut self, part: Part<'a>) -> Result<Part<'a>, Part<'a>> {
        let name = || part.filename().unwrap_or_default().to_ascii_lowercase();
        let Body::Leaf(bytes) = &part.body else {
            return Err(part);
        };
        if self.signed >= SIGNED_MAX || !protected::is_smime(&part.content_type, &name()) {
            return Err(part);
        }
        let Some(protected::cms::Content::Signed(inner)) = protected::cms::read(bytes) else {
            return Err(part);
        };
        let (headers, body, _) = header::split(&inner);
        if !headers.has("content-type") {
            return Err(part);
        }
        self.signed += 1;
        let mut walker = Walker {
            defects: self.defects,
            parts: self.leaves,
        };
        Ok(walker.part(&headers, Cow::Owned(body.to_vec()), 0, false))
    }

    /// Puts what a winmail.dat holds in its place; false when the part is none or cannot be unpacked.
    pub(super) fn unpack(&mut self, part: &Part<'_>) -> bool {
        let Body::Leaf(bytes) = &part.body else {
            return false;
        };
        let is_named = matches!(
            part.content_type.as_str(),
            "application/ms-tnef" | "application/vnd.ms-tnef"
        );
        let may_be = is_named || !part.content_type.starts_with("message/");
        if !may_be || !(is_named || tnef::is_tnef(bytes)) {
            return false;
        }
        let Some(unpacked) = tnef::open(bytes) else {
            self.defects.push(Defect::UnreadableTnef);
            return false;
        };
        if unpacked.cut_off {
            self.defects.push(Defect::CutOffTnef);
        }
        let room = FILES_MAX.saturating_sub(self.attachments.len());
        if unpacked.attachments.len() > room {
            self.defects.push(Defect::TooManyParts);
        }
        self.attachments
            .extend(unpacked.attachments.into_iter().take(room));
        self.bodies.extend(unpacked.bodies.into_iter().take(room));
        let (segment, event) = &mut self.winmail;
        if segment.text.is_none() && segment.html.is_none() {
            segment.text = unpacked.text;
            segment.html = unpacked.html;
        }
        if self.class.is_empty() {
            self.class = unpacked.class;
        }
        *event = event.take().or(unpacked.calendar);
        true
    }
}
