//! Messages that are signed, encrypted, or kept on their sender's server: what they are, why they cannot
//! be read here, and what to do. Nothing is decrypted and no signature is checked; a signed content is shown.

pub(crate) mod cms;

use serde::Serialize;

use super::Parsed;

/// How a message is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Encrypted with S/MIME (RFC 8551 section 3.3).
    SmimeEncrypted,
    /// S/MIME that holds something other than a message to read: compressed content, or certificates.
    SmimeOther,
    /// Signed with S/MIME; the text is readable.
    SmimeSigned,
    /// Encrypted with PGP, as MIME parts (RFC 3156) or in the text.
    PgpEncrypted,
    /// Signed with PGP; the text is readable.
    PgpSigned,
    /// Encrypted by Microsoft 365 (Purview Message Encryption, rights management).
    Microsoft,
}

/// How Microsoft 365 names the file that only it can open.
const RPMSG_TYPE: &str = "application/x-microsoft-rpmsg-message";
/// Where it lets recipients read.
const READING_PAGES: [&str; 3] = [
    "https://outlook.office365.com/Encryption/",
    "https://outlook.office.com/Encryption/",
    "https://outlook.office365.us/Encryption/",
];

impl Protection {
    /// Whether the content can be read here all the same.
    #[must_use]
    pub fn is_readable(self) -> bool {
        matches!(self, Self::SmimeSigned | Self::PgpSigned)
    }

    /// What it is, as one sentence.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::SmimeEncrypted => "This message is encrypted with S/MIME.",
            Self::SmimeOther => {
                "This message is wrapped in S/MIME in a way that cannot be read here."
            }
            Self::SmimeSigned => "This message is signed with S/MIME.",
            Self::PgpEncrypted => "This message is encrypted with PGP.",
            Self::PgpSigned => "This message is signed with PGP.",
            Self::Microsoft => "This message is encrypted by Microsoft 365.",
        }
    }

    /// Why it cannot be read here, or what the signature means.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::SmimeEncrypted | Self::PgpEncrypted => {
                "It opens only with the private key of the person it was encrypted for, and no private key is kept here."
            }
            Self::SmimeOther => {
                "It holds compressed content or certificates instead of a plain message."
            }
            Self::SmimeSigned | Self::PgpSigned => {
                "Its text is shown as it came. The signature itself was not checked."
            }
            Self::Microsoft => {
                "Its content stays with Microsoft, which shows it only to recipients who sign in or enter a code."
            }
        }
    }

    /// What sender or reader can do; empty when there is nothing to do.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::SmimeEncrypted => {
                "Ask the sender to send it again without encryption, or download the original and open it in Outlook with the mailbox's certificate."
            }
            Self::SmimeOther => "Download the original and open it in Outlook.",
            Self::PgpEncrypted => {
                "Ask the sender to send it again without encryption, or download the original and open it in a mail program that holds the private key."
            }
            Self::Microsoft => {
                "Open the mailbox in Outlook to read it, or follow the sender's link \u{201c}Read the message\u{201d}. Or ask the sender to send it without encryption."
            }
            Self::SmimeSigned | Self::PgpSigned => "",
        }
    }
}

/// How a message is protected; `None` for an ordinary one. `was_opened` says that a signed S/MIME content
/// was taken out of its file.
pub(crate) fn of(message: &Parsed, was_opened: bool) -> Option<Protection> {
    let by_file = message.attachments.iter().filter_map(|file| {
        let name = file.filename.to_ascii_lowercase();
        Some(match file.content_type.as_str() {
            RPMSG_TYPE => Protection::Microsoft,
            _ if name.ends_with(".rpmsg") => Protection::Microsoft,
            "text/html" if is_microsoft_page(&name, &file.bytes) => Protection::Microsoft,
            "application/pgp-encrypted" => Protection::PgpEncrypted,
            "application/pgp-signature" => Protection::PgpSigned,
            "application/pkcs7-signature" | "application/x-pkcs7-signature" => {
                Protection::SmimeSigned
            }
            kind if is_smime(kind, &name) => match cms::read(&file.bytes)? {
                cms::Content::Encrypted => Protection::SmimeEncrypted,
                // Beside a text it is a file like any other.
                _ if !message.text.trim().is_empty() => return None,
                cms::Content::Signed(_) | cms::Content::Other => Protection::SmimeOther,
            },
            _ => return None,
        })
    });
    let opened = was_opened.then_some(Protection::SmimeSigned);
    let mut found: Vec<Protection> = by_file
        .chain(opened)
        .chain(in_text(&message.text))
        .collect();
    // What keeps the text from being read is said before what does not.
    found.sort_by_key(|protection| protection.is_readable());
    found.into_iter().next()
}

/// Whether a part is S/MIME in one file rather than a signature beside the text. A document that is signed
/// as a file (`invoice.xml.p7m`) is a file.
pub(crate) fn is_smime(content_type: &str, name: &str) -> bool {
    let stem = name.strip_suffix(".p7m");
    let is_named = matches!(
        content_type,
        "application/pkcs7-mime" | "application/x-pkcs7-mime"
    );
    stem.map_or(is_named, |stem| !stem.contains('.'))
}

/// The page by which Microsoft 365 lets a recipient read, when the message links to it.
#[must_use]
pub fn reading_page(message: &Parsed) -> Option<String> {
    let html = message.html.as_deref().unwrap_or_default();
    let text = [html, message.text.as_str()];
    text.iter().find_map(|text| {
        let at = READING_PAGES.iter().find_map(|page| text.find(page))?;
        let link = text.get(at..)?;
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>');
        Some(link.split(ends).next()?.replace("&amp;", "&"))
    })
}

/// Before rpmsg, Microsoft sent a page with the content inside, to be opened in a browser.
fn is_microsoft_page(name: &str, page: &[u8]) -> bool {
    let head = page.get(..64 * 1024).unwrap_or(page);
    name == "message.html" && {
        let head = String::from_utf8_lossy(head);
        READING_PAGES.iter().any(|page| head.contains(page))
    }
}

/// PGP in the text itself (RFC 9580 section 6.2): armour that begins and ends at the start of a line.
fn in_text(text: &str) -> Option<Protection> {
    let mut begun = None;
    for line in text.lines() {
        match (line.trim_end(), begun) {
            ("-----BEGIN PGP MESSAGE-----", None) => begun = Some(Protection::PgpEncrypted),
            ("-----BEGIN PGP SIGNED MESSAGE-----", None) => begun = Some(Protection::PgpSigned),
            ("-----END PGP MESSAGE-----", Some(Protection::PgpEncrypted))
            | ("-----END PGP SIGNATURE-----", Some(Protection::PgpSigned)) => return begun,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
