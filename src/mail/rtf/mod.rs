//! Rich Text as Outlook sends it: compressed (`lzfu`), and often only a wrapping around HTML or plain text
//! (MS-OXRTFEX). What is really Rich Text becomes plain text.

mod lzfu;
mod reader;
mod token;

pub(crate) use lzfu::decompress;
pub(crate) use reader::read;

/// What a Rich Text document amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Document {
    /// The HTML it was made from.
    Html(String),
    /// Its text, or the plain text it was made from.
    Text(String),
}

#[cfg(test)]
mod tests;
