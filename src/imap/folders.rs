//! What each folder is for: by the flags of LIST where they are given, else by its name in many languages.
//!
//! Exchange Online names its folders in the language the mailbox was first opened in, and does not promise
//! the special-use flags of RFC 6154. So flags win, and a name counts only for a role no flag has given. A
//! person may always override the result.

use super::answers::Listed;
use super::folder_names::BY_NAME;

/// What a folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FolderRole {
    /// Where new mail arrives.
    Inbox,
    /// Copies of what was sent.
    Sent,
    /// Unfinished mail.
    Drafts,
    /// Deleted mail.
    Trash,
    /// Spam.
    Junk,
    /// Put away by hand.
    Archive,
    /// Calendar, contacts and the like, or a name that cannot be opened: never read as mail.
    NotMail,
}

/// One folder of the mailbox. IMAP calls this a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// The name as people read it.
    pub name: String,
    /// The name as the server wants it (modified UTF-7).
    pub raw_name: String,
    /// The flags of LIST, with their backslash.
    pub flags: Vec<String>,
    /// What it is for, when that is known.
    pub role: Option<FolderRole>,
    /// What stands between a folder's name and the names above it.
    pub delimiter: Option<String>,
}

const BY_FLAG: [(&str, FolderRole); 6] = [
    ("\\Sent", FolderRole::Sent),
    ("\\Drafts", FolderRole::Drafts),
    ("\\Trash", FolderRole::Trash),
    ("\\Junk", FolderRole::Junk),
    ("\\Archive", FolderRole::Archive),
    ("\\Noselect", FolderRole::NotMail),
];

/// Makes folders of a LIST answer.
pub(super) fn from_list(listed: Vec<Listed>) -> Vec<Folder> {
    let by_flag: Vec<Option<FolderRole>> = listed.iter().map(role_by_flag).collect();
    let mut taken: Vec<FolderRole> = by_flag.iter().flatten().copied().collect();
    listed
        .into_iter()
        .zip(by_flag)
        .map(|(one, by_flag)| {
            let name = decode_utf7(&one.raw_name);
            let role = by_flag.or_else(|| {
                let role = role_by_name(&name, one.delimiter.as_deref())?;
                let many = role == FolderRole::NotMail;
                if !many && taken.contains(&role) {
                    return None;
                }
                taken.push(role);
                Some(role)
            });
            Folder {
                name,
                raw_name: one.raw_name,
                flags: one.flags,
                role,
                delimiter: one.delimiter,
            }
        })
        .collect()
}

fn role_by_flag(one: &Listed) -> Option<FolderRole> {
    if one.raw_name.eq_ignore_ascii_case("INBOX") {
        return Some(FolderRole::Inbox);
    }
    let has = |wanted: &str| one.flags.iter().any(|f| f.eq_ignore_ascii_case(wanted));
    if has("\\NonExistent") {
        return Some(FolderRole::NotMail);
    }
    BY_FLAG
        .iter()
        .find(|(flag, _)| has(flag))
        .map(|(_, role)| *role)
}

/// Only names at the top count ("Projects/Sent" is somebody's own); what lies under a calendar is no mail.
fn role_by_name(name: &str, delimiter: Option<&str>) -> Option<FolderRole> {
    let lower = name.to_lowercase();
    let delimiter = delimiter.filter(|d| !d.is_empty());
    let parts: Vec<&str> = match delimiter {
        Some(delimiter) => lower.split(delimiter).collect(),
        None => vec![lower.as_str()],
    };
    // Some servers keep all folders below INBOX, Gmail its own below [Gmail].
    let parts = match parts.as_slice() {
        ["inbox" | "[gmail]" | "[google mail]", rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    let (top, below) = parts.split_first()?;
    let role = BY_NAME
        .iter()
        .find(|(_, names)| names.split('|').any(|name| name == top.trim()))
        .map(|(role, _)| *role)?;
    (below.is_empty() || role == FolderRole::NotMail).then_some(role)
}

/// Decodes modified UTF-7 (RFC 3501 §5.1.3). What is not valid stays as it is.
#[must_use]
pub fn decode_utf7(raw: &str) -> String {
    let mut name = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        name.push_str(before);
        let Some((coded, behind)) = after.split_once('-') else {
            name.push('&');
            rest = after;
            break;
        };
        if coded.is_empty() {
            name.push('&');
        } else if let Some(text) = decode_run(coded) {
            name.push_str(&text);
        } else {
            name.push('&');
            name.push_str(coded);
            name.push('-');
        }
        rest = behind;
    }
    name.push_str(rest);
    name
}

/// One run of modified base64 (`,` for `/`, no padding) over UTF-16, big end first.
fn decode_run(coded: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(coded.replace(',', "/"))
        .ok()?;
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| {
            pair.iter()
                .fold(0_u16, |unit, b| (unit << 8) | u16::from(*b))
        })
        .collect();
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(folders: &[(&str, &[&str])]) -> Vec<Option<FolderRole>> {
        let listed = folders
            .iter()
            .map(|(name, flags)| Listed {
                raw_name: (*name).to_owned(),
                delimiter: Some("/".to_owned()),
                flags: flags.iter().map(|&f| f.to_owned()).collect(),
            })
            .collect();
        from_list(listed).into_iter().map(|f| f.role).collect()
    }

    #[test]
    fn flags_decide_and_a_name_does_not_give_a_role_twice() {
        let found = roles(&[
            ("Inbox", &[]),
            ("Sent", &[]),
            ("Gesendet 2024", &["\\Sent"]),
            ("Deleted", &["\\HasNoChildren", "\\trash"]),
            ("Projects/Sent", &[]),
            ("[Gmail]", &["\\Noselect"]),
        ]);
        let expected = [
            Some(FolderRole::Inbox),
            None,
            Some(FolderRole::Sent),
            Some(FolderRole::Trash),
            None,
            Some(FolderRole::NotMail),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn localized_names_are_known_without_flags() {
        let found = roles(&[
            ("Gesendete Elemente", &[]),
            ("Entw&APw-rfe", &[]),
            ("Gel&APY-schte Elemente", &[]),
            ("Junk-E-Mail", &[]),
            ("Archiv", &[]),
            ("Kalender/Geburtstage", &[]),
            ("&kAFP4W4IMH8wojCkMMYw4A-", &[]),
        ]);
        let expected = [
            Some(FolderRole::Sent),
            Some(FolderRole::Drafts),
            Some(FolderRole::Trash),
            Some(FolderRole::Junk),
            Some(FolderRole::Archive),
            Some(FolderRole::NotMail),
            None,
        ];
        assert_eq!(found, expected, "the second Sent folder gets no role");
        let french = roles(&[("&AMk-l&AOk-ments envoy&AOk-s", &[])]);
        assert_eq!(french, [Some(FolderRole::Sent)]);
    }

    #[test]
    fn no_name_stands_under_two_roles() {
        let mut all: Vec<&str> = BY_NAME.iter().flat_map(|(_, n)| n.split('|')).collect();
        assert!(all.iter().all(|name| name.to_lowercase() == *name));
        all.sort_unstable();
        let twice = all.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None);
    }

    #[test]
    fn modified_utf7_is_decoded_and_broken_names_stay() {
        assert_eq!(decode_utf7("&ZeVnLIqe-"), "日本語");
        assert_eq!(decode_utf7("Q&-A"), "Q&A");
        assert_eq!(decode_utf7("&2D3eAA-"), "😀");
        assert_eq!(decode_utf7("a&b"), "a&b");
        assert_eq!(decode_utf7("&!!-x"), "&!!-x");
        assert_eq!(decode_utf7("&2D0-"), "&2D0-", "half a surrogate pair");
    }
}
