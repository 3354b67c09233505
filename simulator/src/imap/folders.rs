//! In charge of commands about folders: LIST, LSUB, STATUS, CREATE, DELETE, RENAME, SUBSCRIBE.

use std::io;

use imap_codec::imap_types::mailbox::{ListMailbox, Mailbox as Name};
use imap_codec::imap_types::status::StatusDataItemName;

use super::session::{Next, Session, Struck};
use super::utf7;
use crate::faults::Point;
use crate::world::mailbox::FolderError;
use crate::world::{Flag, Folder};

/// A folder name as the world writes it.
pub(super) fn name_of(name: &Name<'_>) -> String {
    match name {
        Name::Inbox => "INBOX".to_owned(),
        Name::Other(other) => utf7::decode(&String::from_utf8_lossy(other.as_ref())),
    }
}

/// A name as the wire writes it, in quotes where needed.
fn quoted(name: &str) -> String {
    let wire = utf7::encode(name);
    let plain = wire.bytes().all(|byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'{' | b'"' | b'\\' | b'%' | b'*')
    });
    if plain && !wire.is_empty() {
        wire
    } else {
        format!("\"{}\"", wire.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// Whether a LIST pattern fits; `%` stops at `/`. INBOX minds no case.
fn fits(pattern: &str, name: &str) -> bool {
    fn walk(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                walk(rest, name) || name.split_first().is_some_and(|(_, n)| walk(pattern, n))
            }
            (Some(('%', rest)), _) => {
                walk(rest, name)
                    || name
                        .split_first()
                        .is_some_and(|(c, n)| *c != '/' && walk(pattern, n))
            }
            (Some((p, rest)), Some((c, n))) => {
                p.to_lowercase().eq(c.to_lowercase()) && walk(rest, n)
            }
            _ => false,
        }
    }
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    walk(&chars(pattern), &chars(name))
}

impl Session {
    /// LIST and LSUB.
    pub(super) fn list(
        &mut self,
        tag: &str,
        verb: &str,
        reference: &Name<'_>,
        pattern: &ListMailbox<'_>,
    ) -> io::Result<Next> {
        if let Struck::Answered(next) = self.strike(Point::ImapList, tag)? {
            return Ok(next);
        }
        let pattern = match pattern {
            ListMailbox::Token(token) => String::from_utf8_lossy(token.as_ref()).into_owned(),
            ListMailbox::String(text) => String::from_utf8_lossy(text.as_ref()).into_owned(),
        };
        if pattern.is_empty() {
            self.line(&format!("* {verb} (\\Noselect \\HasChildren) \"/\" \"\""))?;
            return self.ok(tag, verb);
        }
        let whole = format!("{}{}", name_of(reference), utf7::decode(&pattern));
        let folders = self
            .mailbox(|mailbox| mailbox.folders().to_vec())
            .unwrap_or_default();
        let user = self
            .login
            .as_ref()
            .and_then(|login| self.service.world.user(&login.mailbox));
        let flags = user.is_some_and(|user| user.list_flags);
        for folder in &folders {
            if !fits(&whole, &folder.name) || (verb == "LSUB" && !folder.subscribed) {
                continue;
            }
            let below = format!("{}/", folder.name);
            let parent = folders.iter().any(|other| other.name.starts_with(&below));
            let mut words = vec![if parent {
                "\\HasChildren"
            } else {
                "\\HasNoChildren"
            }];
            words.extend(folder.role.list_flag().filter(|_| flags));
            let words = words.join(" ");
            self.line(&format!(
                "* {verb} ({words}) \"/\" {}",
                quoted(&folder.name)
            ))?;
        }
        self.ok(tag, verb)
    }

    /// STATUS.
    pub(super) fn status(
        &mut self,
        tag: &str,
        name: &Name<'_>,
        items: &[StatusDataItemName],
    ) -> io::Result<Next> {
        let folder = self
            .mailbox(|mailbox| mailbox.find(&name_of(name)).cloned())
            .flatten();
        let Some(folder) = folder else {
            return self.answer(tag, &format!("NO {} doesn't exist.", name_of(name)));
        };
        let mut parts = Vec::new();
        for item in items {
            match status_item(&folder, item) {
                Some(part) => parts.push(part),
                None => return self.answer(tag, "BAD Command Argument Error. 12"),
            }
        }
        self.line(&format!(
            "* STATUS {} ({})",
            quoted(&folder.name),
            parts.join(" ")
        ))?;
        self.ok(tag, "STATUS")
    }

    /// CREATE.
    pub(super) fn create(&mut self, tag: &str, name: &Name<'_>) -> io::Result<Next> {
        let done = self.change(|mailbox| mailbox.create(&name_of(name)));
        self.folder_result(tag, "CREATE", done)
    }

    /// DELETE.
    pub(super) fn delete(&mut self, tag: &str, name: &Name<'_>) -> io::Result<Next> {
        let done = self.change(|mailbox| mailbox.delete(&name_of(name)));
        self.folder_result(tag, "DELETE", done)
    }

    /// RENAME.
    pub(super) fn rename(&mut self, tag: &str, from: &Name<'_>, to: &Name<'_>) -> io::Result<Next> {
        let done = self.change(|mailbox| mailbox.rename(&name_of(from), &name_of(to)));
        self.folder_result(tag, "RENAME", done)
    }

    /// SUBSCRIBE and UNSUBSCRIBE.
    pub(super) fn subscribe(&mut self, tag: &str, name: &Name<'_>, on: bool) -> io::Result<Next> {
        let done = self.change(|mailbox| {
            let folder = mailbox
                .find_mut(&name_of(name))
                .ok_or(FolderError::Missing)?;
            folder.subscribed = on;
            Ok(())
        });
        self.folder_result(tag, if on { "SUBSCRIBE" } else { "UNSUBSCRIBE" }, done)
    }

    fn folder_result(
        &mut self,
        tag: &str,
        verb: &str,
        done: Option<Result<(), FolderError>>,
    ) -> io::Result<Next> {
        match done {
            Some(Ok(())) => self.ok(tag, verb),
            Some(Err(FolderError::Reserved)) => self.answer(tag, "NO Folder name is reserved."),
            Some(Err(FolderError::Exists)) => self.answer(tag, "NO Mailbox already exists."),
            Some(Err(FolderError::Missing)) => self.answer(tag, "NO Mailbox doesn't exist."),
            None => self.answer(tag, "NO Server Unavailable. 15"),
        }
    }
}

fn status_item(folder: &Folder, item: &StatusDataItemName) -> Option<String> {
    let unseen = || {
        folder
            .messages
            .iter()
            .filter(|one| !one.flags.contains(&Flag::Seen))
            .count()
    };
    Some(match item {
        StatusDataItemName::Messages => format!("MESSAGES {}", folder.messages.len()),
        StatusDataItemName::Recent => "RECENT 0".to_owned(),
        StatusDataItemName::UidNext => format!("UIDNEXT {}", folder.next_uid),
        StatusDataItemName::UidValidity => format!("UIDVALIDITY {}", folder.uid_validity),
        StatusDataItemName::Unseen => format!("UNSEEN {}", unseen()),
        // Exchange offers none of the extensions that bring the others.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{fits, quoted};

    #[test]
    fn a_percent_stops_at_the_next_level_and_a_star_does_not() {
        assert!(fits("%", "INBOX") && fits("*", "Own/Deep") && !fits("%", "Own/Deep"));
        assert!(fits("inbox", "INBOX") && fits("Own/%", "Own/Deep") && !fits("Own", "Owner"));
    }

    #[test]
    fn a_name_with_a_space_is_quoted() {
        assert_eq!(quoted("Sent Items"), "\"Sent Items\"");
        assert_eq!(quoted("Entwürfe"), "Entw&APw-rfe");
    }
}
