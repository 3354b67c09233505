//! What was wrong with a message, in words. A defect never stops the reading of the rest.

use std::fmt;

/// Something in a message that breaks the rules, and how it was read nevertheless.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Defect {
    /// The message has no header fields at all.
    NoHeaders,
    /// The header section ran into the body without the empty line between them.
    NoBlankLine,
    /// The header section was longer than we read.
    HeadersTooLong,
    /// The message has no usable From address.
    NoFrom,
    /// The Date field is missing or cannot be read.
    BadDate,
    /// The message has no Message-ID.
    NoMessageId,
    /// A field that may stand once stands several times; the first counts.
    RepeatedField(&'static str),
    /// A multipart names no boundary, or its boundary never occurs.
    NoBoundary,
    /// The closing boundary of a multipart is missing: the message may have been cut off.
    Unterminated,
    /// Parts are nested deeper than we follow; the rest is kept as one attachment.
    TooDeep,
    /// There are more parts than we read; the others are only in the original message.
    TooManyParts,
    /// Base64 content with foreign characters or a broken end.
    BadBase64,
    /// Quoted-printable content with broken escapes.
    BadQuotedPrintable,
    /// A transfer encoding nobody knows; the bytes were taken as they are.
    UnknownEncoding(String),
    /// A character set nobody knows; the text was guessed.
    UnknownCharset(String),
    /// Text that does not fit its declared character set.
    BadCharset(String),
    /// An attachment's name would have reached outside its folder or hidden its true ending.
    UnsafeFilename,
    /// A winmail.dat that could not be unpacked; it is kept as the file it is.
    UnreadableTnef,
    /// A winmail.dat that ends in the middle; what could be read of it was unpacked.
    CutOffTnef,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeaders => f.write_str("there are no header fields"),
            Self::NoBlankLine => {
                f.write_str("the empty line between header fields and body is missing")
            }
            Self::HeadersTooLong => {
                f.write_str("the header section is too long; its end was not read")
            }
            Self::NoFrom => f.write_str("there is no usable From address"),
            Self::BadDate => f.write_str("the Date field is missing or cannot be read"),
            Self::NoMessageId => f.write_str("there is no Message-ID"),
            Self::RepeatedField(name) => {
                write!(
                    f,
                    "the field {name} occurs several times; the first one counts"
                )
            }
            Self::NoBoundary => f.write_str("a multipart has no boundary that occurs in it"),
            Self::Unterminated => {
                f.write_str("the end of a multipart is missing; the message may have been cut off")
            }
            Self::TooDeep => {
                f.write_str("parts are nested too deep; the rest was kept as one attachment")
            }
            Self::TooManyParts => f.write_str("there are too many parts; not all were read"),
            Self::BadBase64 => f.write_str("base64 content is damaged"),
            Self::BadQuotedPrintable => f.write_str("quoted-printable content is damaged"),
            Self::UnknownEncoding(name) => write!(f, "the transfer encoding {name} is unknown"),
            Self::UnknownCharset(name) => write!(f, "the character set {name} is unknown"),
            Self::BadCharset(name) => {
                write!(f, "text does not fit its declared character set {name}")
            }
            Self::UnreadableTnef => {
                f.write_str("winmail.dat could not be unpacked and was kept as an attachment")
            }
            Self::CutOffTnef => {
                f.write_str("winmail.dat is damaged; a part of what it held may be missing")
            }
            Self::UnsafeFilename => f.write_str("an attachment had an unsafe file name"),
        }
    }
}
