//! What a message is made of: its parts as a list with depths, for a person who looks at the source.

use std::borrow::Cow;

use super::header;
use super::mime::{Body, Part, Walker};

/// Parts listed.
const PIECES_MAX: usize = 300;
/// Messages inside messages that are opened.
const MESSAGES_MAX: usize = 4;

/// One part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// How many parts it lies in.
    pub depth: usize,
    /// `type/subtype` in lower case.
    pub content_type: String,
    /// Its file name as given; empty when it has none.
    pub filename: String,
    /// Its character set as declared; empty when it declares none.
    pub charset: String,
    /// `inline`, `attachment` or what else it asks for; empty when it asks nothing.
    pub disposition: String,
    /// Size of its content, transfer encoding undone; `None` for a part that holds others.
    pub size_bytes: Option<usize>,
}

/// Lists the parts of a message in their order, at most 300.
#[must_use]
pub fn outline(raw: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    add(raw, 0, MESSAGES_MAX, &mut pieces);
    pieces
}

fn add(raw: &[u8], depth: usize, messages: usize, pieces: &mut Vec<Piece>) {
    let (headers, body, _) = header::split(raw);
    let mut defects = Vec::new();
    let root = Walker {
        defects: &mut defects,
        parts: 0,
    }
    .part(&headers, Cow::Borrowed(body), 0, false);
    visit(&root, depth, messages, pieces);
}

fn visit(part: &Part<'_>, depth: usize, messages: usize, pieces: &mut Vec<Piece>) {
    if pieces.len() >= PIECES_MAX {
        return;
    }
    let size_bytes = match &part.body {
        Body::Leaf(bytes) => Some(bytes.len()),
        Body::Multi(_) => None,
    };
    pieces.push(Piece {
        depth,
        content_type: part.content_type.clone(),
        filename: part.filename().unwrap_or_default().to_owned(),
        charset: part.parameter("charset").unwrap_or_default().to_owned(),
        disposition: part.disposition.value.clone(),
        size_bytes,
    });
    match &part.body {
        Body::Multi(parts) => {
            for inner in parts {
                visit(inner, depth + 1, messages, pieces);
            }
        }
        Body::Leaf(bytes) if part.content_type == "message/rfc822" && messages > 0 => {
            add(bytes, depth + 1, messages - 1, pieces);
        }
        Body::Leaf(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_listed_with_their_depth_also_inside_an_attached_message() {
        let raw = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=koi8-r\r\n\
                    Content-Transfer-Encoding: 8bit\r\n\r\nx\r\n--a\r\nContent-Type: message/rfc822\r\n\r\n\
                    Content-Type: text/html\r\n\r\n<p>y\r\n--a--\r\n";
        let found: Vec<(usize, String)> = outline(raw)
            .into_iter()
            .map(|piece| (piece.depth, piece.content_type))
            .collect();
        let expected = [
            (0, "multipart/mixed"),
            (1, "text/plain"),
            (1, "message/rfc822"),
            (2, "text/html"),
        ];
        assert_eq!(
            found,
            expected.map(|(depth, kind)| (depth, kind.to_owned()))
        );
        assert_eq!(outline(raw)[1].charset, "koi8-r");
    }

    #[test]
    fn messages_within_messages_end_somewhere() {
        let mut raw = b"Content-Type: text/plain\r\n\r\nx".to_vec();
        for _ in 0..50 {
            let mut outer = b"Content-Type: message/rfc822\r\n\r\n".to_vec();
            outer.append(&mut raw);
            raw = outer;
        }
        assert_eq!(outline(&raw).len(), MESSAGES_MAX + 1);
    }
}
