//! The Date field of a message that is composed on one day and leaves on another.

use chrono::DateTime;

/// The message with this Date (unix seconds UTC) in place of the one it was composed with; all else stays.
///
/// Date says when its writer wanted the message to enter the mail system (RFC 5322 §3.6.1): for one that is to
/// leave tomorrow at nine, that is tomorrow at nine.
#[must_use]
pub fn with_date(raw: &[u8], at: i64) -> Vec<u8> {
    let date = DateTime::from_timestamp(at, 0)
        .unwrap_or_default()
        .format("Date: %a, %d %b %Y %H:%M:%S +0000\r\n")
        .to_string();
    let mut dated = Vec::with_capacity(raw.len());
    let mut in_header = true;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        in_header &= !line.trim_ascii().is_empty();
        if in_header && line.starts_with(b"Date:") {
            dated.extend_from_slice(date.as_bytes());
        } else {
            dated.extend_from_slice(line);
        }
    }
    dated
}

#[cfg(test)]
mod tests {
    use super::with_date;

    #[test]
    fn the_date_is_replaced_and_everything_else_stays() {
        let raw = b"From: a@x\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\nSubject: Date\r\n\r\nDate: tomorrow\r\n";
        let told = String::from_utf8(with_date(raw, 1_800_000_000)).unwrap();
        assert_eq!(
            told,
            "From: a@x\r\nDate: Fri, 15 Jan 2027 08:00:00 +0000\r\nSubject: Date\r\n\r\nDate: tomorrow\r\n"
        );
    }
}
