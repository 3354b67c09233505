//! File names of attachments, made safe to show and to save.

use super::header::is_bidi_control;

/// Longest name kept, in characters; the ending survives.
const NAME_MAX: usize = 150;

/// Makes a name safe: no path, no control or direction-changing characters, no leading dots, a sane
/// length. The flag is true when something dangerous was taken out.
pub(crate) fn safe(name: &str) -> (String, bool) {
    let last = name
        .rsplit(['/', '\\'])
        .map(str::trim)
        .find(|piece| !piece.is_empty() && !piece.chars().all(|c| c == '.'))
        .unwrap_or_default();
    let mut unsafe_name = name.contains("../") || name.contains("..\\") || name.starts_with('/');
    let mut out = String::with_capacity(last.len());
    for c in last.chars() {
        if c.is_control()
            || is_bidi_control(c)
            || matches!(c, '\u{200b}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
        {
            unsafe_name |= is_bidi_control(c) || c == '\0';
            if matches!(c, '\t' | '\n' | '\r') {
                out.push(' ');
            }
        } else if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') {
            out.push('_');
        } else {
            out.push(c);
        }
    }
    let joined = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let trimmed = joined
        .trim_start_matches('.')
        .trim_end_matches(['.', ' '])
        .trim();
    (shorten(trimmed), unsafe_name)
}

fn shorten(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending)
        .filter(|ending| ending.chars().count() <= 10)
        .unwrap_or_default();
    let room = NAME_MAX - ending.chars().count() - 1;
    let mut short: String = name.chars().take(room).collect();
    if !ending.is_empty() {
        short.push('.');
        short.push_str(ending);
    }
    short
}

/// A name for a part that has none, by its content type.
pub(crate) fn default_name(content_type: &str, number: usize) -> String {
    let ending = match content_type {
        "text/plain" => "txt",
        "text/html" => "html",
        "text/calendar" => return "invite.ics".to_owned(),
        "message/rfc822" | "message/global" => return "message.eml".to_owned(),
        "message/delivery-status" => return "delivery-status.txt".to_owned(),
        "message/disposition-notification" => return "read-receipt.txt".to_owned(),
        "text/rfc822-headers" => return "original-headers.txt".to_owned(),
        "application/pgp-encrypted" => return "pgp-version.txt".to_owned(),
        "application/pgp-signature" => return "signature.asc".to_owned(),
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => {
            return "smime.p7s".to_owned();
        }
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => return "smime.p7m".to_owned(),
        "application/ms-tnef" => return "winmail.dat".to_owned(),
        "image/jpeg" | "image/jpg" => "jpg",
        "image/png" => "png",
        "image/gif" => "gif",
        "application/pdf" => "pdf",
        "image/webp" => "webp",
        "image/svg+xml" => "svg",
        "image/bmp" => "bmp",
        "image/tiff" => "tif",
        "text/csv" => "csv",
        "text/vcard" | "text/x-vcard" => "vcf",
        "text/xml" | "application/xml" => "xml",
        "application/json" => "json",
        "application/zip" | "application/x-zip-compressed" => "zip",
        "application/msword" => "doc",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "audio/mpeg" => "mp3",
        "video/mp4" => "mp4",
        other if other.starts_with("text/") => "txt",
        _ => "bin",
    };
    let stem = if content_type.starts_with("image/") {
        "image"
    } else {
        "attachment"
    };
    format!("{stem}-{number}.{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_reduced_to_its_last_piece() {
        assert_eq!(safe("../../etc/passwd"), ("passwd".to_owned(), true));
        assert_eq!(
            safe("C:\\Users\\x\\report.pdf"),
            ("report.pdf".to_owned(), false)
        );
        assert_eq!(safe(".."), (String::new(), false));
    }

    #[test]
    fn a_hidden_ending_is_uncovered() {
        assert_eq!(
            safe("invoice\u{202e}fdp.exe"),
            ("invoicefdp.exe".to_owned(), true)
        );
    }

    #[test]
    fn line_breaks_and_reserved_characters_go_and_letters_stay() {
        assert_eq!(safe("a\r\n b:c?.txt").0, "a b_c_.txt");
        assert_eq!(
            safe("Übersicht 2024 – 見積.xlsx").0,
            "Übersicht 2024 – 見積.xlsx"
        );
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let (name, _) = safe(&format!("{}.docx", "x".repeat(400)));
        assert!(name.ends_with(".docx") && name.chars().count() <= 150);
    }
}
