//! Windows code pages by number, as names of character sets.

use std::borrow::Cow;

use crate::mail::charset;

/// Decodes by a code page; by the likeliest set when the number means nothing.
pub(crate) fn decode(bytes: &[u8], codepage: u32) -> String {
    let name = name(codepage);
    charset::decode(bytes, name.as_deref()).0
}

/// The name of the character set.
fn name(codepage: u32) -> Option<Cow<'static, str>> {
    Some(match codepage {
        437 | 850 | 858 => "ibm850".into(),
        866 => "ibm866".into(),
        874 => "windows-874".into(),
        932 => "shift_jis".into(),
        936 => "gbk".into(),
        949 | 51949 => "euc-kr".into(),
        950 => "big5".into(),
        1200 => "utf-16le".into(),
        1250..=1258 => format!("windows-{codepage}").into(),
        10000 => "macintosh".into(),
        20127 => "us-ascii".into(),
        20866 => "koi8-r".into(),
        20932 | 51932 => "euc-jp".into(),
        21866 => "koi8-u".into(),
        28591..=28605 => format!("iso-8859-{}", codepage - 28590).into(),
        38598 => "iso-8859-8".into(),
        50220..=50222 => "iso-2022-jp".into(),
        51936 => "gb2312".into(),
        52936 => "hz-gb-2312".into(),
        54936 => "gb18030".into(),
        65000 => "utf-7".into(),
        65001 => "utf-8".into(),
        _ => return None,
    })
}
