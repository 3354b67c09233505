//! Files in messages; their bytes are stored once per content.

use rusqlite::{OptionalExtension as _, Row};

use super::packed::{Packed, unpack};
use super::{Db, Error, Result, Tx, messages};
use crate::model::{Attachment, AttachmentId, ConversationId, MessageId};

/// A file about to be stored with its message.
#[derive(Debug, Clone)]
pub struct NewAttachment {
    /// Safe file name.
    pub filename: String,
    /// Media type as named by the sender.
    pub content_type: String,
    /// Shown in the text rather than under it.
    pub inline: bool,
    /// Content-ID without angle brackets.
    pub content_id: Option<String>,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// The content.
    pub packed: Packed,
}

impl NewAttachment {
    /// Packs a file; done before a transaction.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(
        filename: String,
        content_type: String,
        inline: bool,
        content_id: Option<String>,
        bytes: &[u8],
    ) -> Result<Self> {
        let sha256 = crate::secret::sha256(bytes);
        Ok(Self {
            filename,
            content_type,
            inline,
            content_id,
            sha256,
            packed: Packed::pack(bytes)?,
        })
    }

    /// Its name, and whether it is shown within the text: what the search knows of it.
    #[must_use]
    pub fn name_and_place(&self) -> (&str, bool) {
        (&self.filename, self.inline)
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Attachment> {
    Ok(Attachment {
        id: AttachmentId(row.get(0)?),
        filename: row.get(1)?,
        content_type: row.get(2)?,
        size_bytes: row.get(3)?,
        inline: row.get(4)?,
        content_id: row.get(5)?,
        sha256: row.get(6)?,
    })
}

const COLUMNS: &str =
    "id, filename, content_type, size_bytes, inline, content_id, lower(hex(sha256))";

/// The files of a message in their order.
///
/// # Errors
/// Those of SQLite.
pub fn list(db: &Db, message_id: MessageId) -> Result<Vec<Attachment>> {
    let sql = format!("SELECT {COLUMNS} FROM attachments WHERE message_id = ?1 ORDER BY position");
    let rows = db
        .prepare_cached(&sql)?
        .query_map([message_id.0], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Finds a file with its bytes and the conversation it belongs to.
///
/// # Errors
/// Those of SQLite, and when the stored bytes are damaged.
pub fn find(db: &Db, id: AttachmentId) -> Result<Option<(Attachment, ConversationId, Vec<u8>)>> {
    let found = db
        .prepare_cached(
            "SELECT a.id, a.filename, a.content_type, a.size_bytes, a.inline, a.content_id,
                    lower(hex(a.sha256)), m.conversation_id, b.zstd
             FROM attachments a
             JOIN messages m ON m.id = a.message_id
             JOIN blobs b ON b.sha256 = a.sha256
             WHERE a.id = ?1",
        )?
        .query_row([id.0], |row| {
            Ok((
                from_row(row)?,
                ConversationId(row.get(7)?),
                row.get::<_, Vec<u8>>(8)?,
            ))
        })
        .optional()?;
    let Some((attachment, conversation_id, zstd)) = found else {
        return Ok(None);
    };
    let bytes = unpack(attachment.size_bytes, &zstd)?;
    Ok(Some((attachment, conversation_id, bytes)))
}

/// A content by its hash.
///
/// # Errors
/// Those of SQLite, and when it is missing or damaged.
pub(super) fn find_content(db: &Db, sha256: &[u8; 32]) -> Result<Vec<u8>> {
    let found = db
        .prepare_cached("SELECT size_bytes, zstd FROM blobs WHERE sha256 = ?1")?
        .query_row([sha256], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    let gone = || Error::Value("the content of a file is gone".to_owned());
    let (size_bytes, zstd) = found.ok_or_else(gone)?;
    unpack(size_bytes, &zstd)
}

/// Stores the files of a message.
///
/// # Errors
/// Those of SQLite.
pub fn insert_all(tx: &Tx<'_>, message_id: MessageId, files: &[NewAttachment]) -> Result<()> {
    for (position, file) in (0_i64..).zip(files) {
        insert(tx, message_id, position, file)?;
    }
    Ok(())
}

fn insert(tx: &Tx<'_>, message_id: MessageId, position: i64, file: &NewAttachment) -> Result<()> {
    insert_blob(tx, file)?;
    tx.prepare_cached(
        "INSERT INTO attachments (message_id, position, filename, content_type, size_bytes,
                inline, content_id, sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        message_id.0,
        position,
        &file.filename,
        &file.content_type,
        file.packed.size_bytes(),
        file.inline,
        &file.content_id,
        file.sha256,
    ))?;
    Ok(())
}

fn insert_blob(tx: &Tx<'_>, file: &NewAttachment) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO blobs (sha256, size_bytes, zstd) VALUES (?1, ?2, ?3)
         ON CONFLICT (sha256) DO NOTHING",
    )?
    .execute((
        file.sha256,
        file.packed.size_bytes(),
        file.packed.as_stored(),
    ))?;
    Ok(())
}

/// Makes the files of a message what it is read to hold now. One in the same place keeps its id, so
/// that links to it stay good. Returns whether anything had to be changed.
///
/// # Errors
/// Those of SQLite.
pub fn replace_all(tx: &Tx<'_>, message_id: MessageId, files: &[NewAttachment]) -> Result<bool> {
    let before = list(tx, message_id)?;
    let same = |(old, new): (&Attachment, &NewAttachment)| {
        let hash: String = new
            .sha256
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        (
            &old.filename,
            &old.content_type,
            old.inline,
            &old.content_id,
        ) == (
            &new.filename,
            &new.content_type,
            new.inline,
            &new.content_id,
        ) && old.sha256 == hash
    };
    if before.len() == files.len() && before.iter().zip(files).all(same) {
        return Ok(false);
    }
    messages::keep_whole(tx, message_id, files)?;
    for (position, file) in (0_i64..).zip(files) {
        let Some(old) = usize::try_from(position).ok().and_then(|at| before.get(at)) else {
            insert(tx, message_id, position, file)?;
            continue;
        };
        insert_blob(tx, file)?;
        tx.prepare_cached(
            "UPDATE attachments SET position = ?2, filename = ?3, content_type = ?4, size_bytes = ?5,
                    inline = ?6, content_id = ?7, sha256 = ?8 WHERE id = ?1",
        )?
        .execute((
            old.id.0,
            position,
            &file.filename,
            &file.content_type,
            file.packed.size_bytes(),
            file.inline,
            &file.content_id,
            file.sha256,
        ))?;
    }
    for old in before.iter().skip(files.len()) {
        tx.prepare_cached("DELETE FROM attachments WHERE id = ?1")?
            .execute([old.id.0])?;
    }
    for old in &before {
        tx.prepare_cached(
            "DELETE FROM blobs WHERE sha256 = unhex(?1)
                AND NOT EXISTS (SELECT 1 FROM attachments WHERE sha256 = unhex(?1))",
        )?
        .execute([&old.sha256])?;
    }
    Ok(true)
}
