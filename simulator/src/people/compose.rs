//! In charge of writing messages as outside mail programs write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    /// The display name; may be empty.
    pub(super) name: String,
    /// The address.
    pub(super) address: String,
}

impl Who {
    pub(super) fn new(name: &str, address: &str) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
        }
    }

    /// As a From or To field shows it.
    pub(super) fn shown(&self) -> String {
        if self.name.is_empty() {
            format!("<{}>", self.address)
        } else if self.name.is_ascii() {
            format!("\"{}\" <{}>", self.name, self.address)
        } else {
            format!("{} <{}>", encoded(&self.name), self.address)
        }
    }
}

/// A body part.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// One with content, its header fields first.
    Leaf(Vec<(&'static str, String)>, Vec<u8>),
    /// A multipart of this subtype, with parameters where it has any.
    Many(&'static str, Vec<Part>),
}

/// A message to write.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) from: Who,
    pub(super) to: Who,
    pub(super) subject: String,
    /// When it was written, unix seconds UTC.
    pub(super) at: i64,
    /// With angle brackets.
    pub(super) message_id: String,
    /// Further header fields.
    pub(super) more: Vec<(&'static str, String)>,
    pub(super) content: Part,
}

/// Plain text; quoted-printable where it is not short ASCII.
pub(super) fn plain(text: &str) -> Part {
    leaf_text("text/plain; charset=\"utf-8\"", text)
}

/// HTML text.
pub(super) fn html(text: &str) -> Part {
    leaf_text("text/html; charset=\"utf-8\"", text)
}

/// Plain text in ISO 8859-1, as older programs write German.
pub(super) fn latin1(text: &str) -> Part {
    let bytes: Vec<u8> = text
        .chars()
        .map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?'))
        .collect();
    let fields = vec![
        (
            "Content-Type",
            "text/plain; charset=iso-8859-1; format=flowed".to_owned(),
        ),
        ("Content-Transfer-Encoding", "quoted-printable".to_owned()),
    ];
    Part::Leaf(fields, quoted_printable(&bytes))
}

/// Plain text in base64, as usual for Japanese.
pub(super) fn base64_text(text: &str) -> Part {
    let fields = vec![
        ("Content-Type", "text/plain; charset=\"UTF-8\"".to_owned()),
        ("Content-Transfer-Encoding", "base64".to_owned()),
    ];
    Part::Leaf(fields, wrapped(text.replace('\n', "\r\n").as_bytes()))
}

/// An attached file.
pub(super) fn attachment(name: &str, mime: &str, bytes: &[u8]) -> Part {
    let fields = vec![
        ("Content-Type", format!("{mime}; name=\"{name}\"")),
        ("Content-Description", name.to_owned()),
        (
            "Content-Disposition",
            format!("attachment; filename=\"{name}\"; size={}", bytes.len()),
        ),
        ("Content-Transfer-Encoding", "base64".to_owned()),
    ];
    Part::Leaf(fields, wrapped(bytes))
}

/// An image shown inside the HTML as `cid:`.
pub(super) fn inline(cid: &str, name: &str, mime: &str, bytes: &[u8]) -> Part {
    let fields = vec![
        ("Content-Type", format!("{mime}; name=\"{name}\"")),
        (
            "Content-Disposition",
            format!("inline; filename=\"{name}\""),
        ),
        ("Content-ID", format!("<{cid}>")),
        ("Content-Transfer-Encoding", "base64".to_owned()),
    ];
    Part::Leaf(fields, wrapped(bytes))
}

fn leaf_text(kind: &str, text: &str) -> Part {
    let simple = text.is_ascii() && text.lines().all(|line| line.len() <= 200);
    let (encoding, body) = if simple {
        ("7bit", lines(text))
    } else {
        ("quoted-printable", quoted_printable(text.as_bytes()))
    };
    let fields = vec![
        ("Content-Type", kind.to_owned()),
        ("Content-Transfer-Encoding", encoding.to_owned()),
    ];
    Part::Leaf(fields, body)
}

/// Text with network line ends and one at the end.
fn lines(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for line in text.lines() {
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Base64 in lines of 76.
pub(super) fn wrapped(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in STANDARD.encode(bytes).as_bytes().chunks(76) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Quoted-printable (RFC 2045 section 6.7) of text with `\n` between lines.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = String::new();
    for line in bytes
        .strip_suffix(b"\n")
        .unwrap_or(bytes)
        .split(|byte| *byte == b'\n')
    {
        let mut column = 0;
        for (at, byte) in line.iter().enumerate() {
            let last = at + 1 == line.len();
            let simple = matches!(byte, b'!'..=b'<' | b'>'..=b'~')
                || (matches!(byte, b' ' | b'\t') && !last);
            let piece = if simple {
                char::from(*byte).to_string()
            } else {
                format!("={byte:02X}")
            };
            if column + piece.len() > 75 {
                out.push_str("=\r\n");
                column = 0;
            }
            column += piece.len();
            out.push_str(&piece);
        }
        out.push_str("\r\n");
    }
    out.into_bytes()
}

/// A header text, as encoded words where it is not ASCII (RFC 2047).
pub(super) fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    let mut piece = String::new();
    for letter in text.chars() {
        if piece.len() + letter.len_utf8() > 42 {
            words.push(std::mem::take(&mut piece));
        }
        piece.push(letter);
    }
    words.push(piece);
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)))
        .collect();
    words.join("\r\n ")
}

impl Letter {
    /// The message in bytes.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = String::new();
        let date = mail_parser::DateTime::from_timestamp(self.at).to_rfc822();
        for (name, value) in [
            ("From", self.from.shown()),
            ("To", self.to.shown()),
            ("Subject", encoded(&self.subject)),
            ("Date", date),
            ("Message-ID", self.message_id.clone()),
        ] {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        for (name, value) in &self.more {
            // Ids one to a line, so that no line grows beyond what RFC 5322 allows.
            let value = if *name == "References" {
                value.replace(' ', "\r\n ")
            } else {
                value.clone()
            };
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("MIME-Version: 1.0\r\n");
        let mut bytes = out.into_bytes();
        let seed = self
            .message_id
            .trim_matches(['<', '>'])
            .split('@')
            .next()
            .unwrap_or_default();
        write_part(&self.content, seed, &mut 0, &mut bytes);
        bytes
    }
}

pub(super) fn write_part(part: &Part, seed: &str, count: &mut u32, out: &mut Vec<u8>) {
    match part {
        Part::Leaf(fields, body) => {
            for (name, value) in fields {
                out.extend(format!("{name}: {value}\r\n").bytes());
            }
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(body);
        }
        Part::Many(kind, parts) => {
            *count += 1;
            let boundary = format!("_{count:03}_{seed}_");
            out.extend(
                format!("Content-Type: multipart/{kind};\r\n\tboundary=\"{boundary}\"\r\n\r\n")
                    .bytes(),
            );
            for inner in parts {
                out.extend(format!("--{boundary}\r\n").bytes());
                write_part(inner, seed, count, out);
                out.extend_from_slice(b"\r\n");
            }
            out.extend(format!("--{boundary}--\r\n").bytes());
        }
    }
}

/// What Exchange's checks found about a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checks {
    /// All is well.
    Pass,
    /// The domain publishes nothing to check against.
    None,
    /// A list or forwarding broke the signature.
    Relayed,
    /// Forged, and its domain asks to refuse such mail.
    Forged,
    /// Forged, and taken for phishing.
    Phishing,
    /// Genuine, but taken for spam.
    Spam,
}

impl Checks {
    /// The fields Exchange writes; `domain` is the one in From.
    fn fields(self, domain: &str) -> String {
        let (spf, dkim, dmarc, sum) = match self {
            Self::Pass | Self::Spam => (
                "pass",
                "pass (signature was verified)",
                "pass action=none",
                "pass reason=100",
            ),
            Self::None => (
                "none",
                "none (message not signed)",
                "none action=none",
                "none reason=405",
            ),
            Self::Relayed => (
                "pass",
                "fail (body hash did not verify)",
                "fail action=none",
                "pass reason=130",
            ),
            Self::Forged | Self::Phishing => (
                "fail",
                "none (message not signed)",
                "fail action=oreject",
                "fail reason=000",
            ),
        };
        let (scl, filter, category) = match self {
            Self::Phishing => (8, "SPM", "PHSH"),
            Self::Spam => (6, "SPM", "SPM"),
            _ => (1, "NSPM", "NONE"),
        };
        format!(
            "Authentication-Results: spf={spf} (sender IP is 192.0.2.25)\r\n \
             smtp.mailfrom={domain}; dkim={dkim}\r\n \
             header.d={domain};dmarc={dmarc}\r\n header.from={domain};compauth={sum}\r\n\
             X-Forefront-Antispam-Report: CIP:192.0.2.25;CTRY:;LANG:en;SCL:{scl};SRV:;IPV:NLI;\r\n \
             SFV:{filter};H:mx.{domain};CAT:{category};DIR:INB;\r\n\
             X-MS-Exchange-Organization-SCL: {scl}\r\n"
        )
    }
}

/// A message as Exchange stores it after it came in from outside.
pub(super) fn arrived(raw: &[u8], from: &str, at: i64) -> Vec<u8> {
    arrived_after(Checks::Pass, raw, from, at)
}

/// The same, with what the checks found.
pub(super) fn arrived_after(checks: Checks, raw: &[u8], from: &str, at: i64) -> Vec<u8> {
    let domain = crate::world::submission::domain(from);
    let date = mail_parser::DateTime::from_timestamp(at).to_rfc822();
    let mut out = format!(
        "Received: from mx.{domain} (192.0.2.25) by\r\n \
         AM7PR05FT011.mail.protection.outlook.com (10.233.255.11) with Microsoft SMTP\r\n \
         Server (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15.20.8769.9; {date}\r\n\
         {}Return-Path: {from}\r\n",
        checks.fields(&domain)
    )
    .into_bytes();
    out.extend_from_slice(raw);
    out
}

/// A one-page PDF that says `text`.
pub(super) fn pdf(text: &str) -> Vec<u8> {
    let safe: String = text
        .chars()
        .filter(|c| c.is_ascii() && !matches!(c, '(' | ')' | '\\'))
        .collect();
    let stream = format!("BT /F1 18 Tf 60 760 Td ({safe}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R \
         /Resources << /Font << /F1 4 0 R >> >> >>"
            .to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        format!(
            "<< /Length {} >>\nstream\n{stream}\nendstream",
            stream.len()
        ),
    ];
    let mut out = "%PDF-1.4\n".to_owned();
    let mut table = String::from("0000000000 65535 f \n");
    for (at, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let start = out.len();
    let count = objects.len() + 1;
    out.push_str(&format!(
        "xref\n0 {count}\n{table}trailer << /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    ));
    out.into_bytes()
}

/// A small picture of a cracked lamp, PNG.
pub(super) fn lamp_picture() -> Vec<u8> {
    const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAEAAAAAwBAMAAABTZWEsAAAAD1BMVEUmMjhUVDz/yiiwvsW3HBzvlGwlAAAA\
        qElEQVR42sXU0Q2EIAwGYIgLFFxAm9uADdx/KCkgHHctKDGhr/8X+j8ASr072tD0cllcuShybqCTC6IHqAGG2fkWpgLAAhvyD7JA18A0\
        Khx8iXyAB+yOOyDmvgPtYIAtAMdAyqmD3zEA7DdABlx56ID7c5A3pPkDPzluwo1dnXhvawADQFdAvNUJwBBQBYD8NiNovN4AWu+fQPML\
        WVznj5kMFldmFpg2JxYqNonQ01SYAAAAAElFTkSuQmCC";
    STANDARD.decode(PNG).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{encoded, lamp_picture, pdf, quoted_printable};

    #[test]
    fn long_lines_are_folded_and_spaces_at_the_end_protected() {
        let out = String::from_utf8(quoted_printable("ä=\u{e4} \n".as_bytes())).unwrap();
        assert_eq!(out, "=C3=A4=3D=C3=A4=20\r\n");
        let long = String::from_utf8(quoted_printable("x".repeat(200).as_bytes())).unwrap();
        assert!(long.lines().all(|line| line.len() <= 76) && long.contains("=\r\n"));
    }

    #[test]
    fn a_subject_in_another_script_becomes_encoded_words() {
        let subject = encoded("ランプの点滅についてのご相談とお問い合わせ");
        assert!(subject.contains("?=\r\n =?utf-8?B?"), "{subject}");
    }

    #[test]
    fn the_files_are_what_they_claim() {
        assert!(lamp_picture().starts_with(b"\x89PNG\r\n"));
        assert!(pdf("Invoice 1").starts_with(b"%PDF-1.4"));
    }
}
