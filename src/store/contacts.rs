//! The people outside.

use super::{Db, Result, Tx};
use crate::model::{Address, ContactId};

/// Finds or makes the contact with this address; a name that came with it replaces an empty one.
///
/// # Errors
/// Those of SQLite.
pub fn upsert(tx: &Tx<'_>, who: &Address, now: i64) -> Result<ContactId> {
    let id = tx
        .prepare_cached(
            "INSERT INTO contacts (address, name, created_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (address) DO UPDATE SET
                    name = CASE WHEN excluded.name <> '' THEN excluded.name ELSE name END
             RETURNING id",
        )?
        .query_row((&who.address, &who.name, now), |row| row.get(0))?;
    Ok(ContactId(id))
}

/// As [`upsert`] by an older message: a name that is known already is newer.
///
/// # Errors
/// Those of SQLite.
pub fn upsert_older(tx: &Tx<'_>, who: &Address, now: i64) -> Result<ContactId> {
    let id = tx
        .prepare_cached(
            "INSERT INTO contacts (address, name, created_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (address) DO UPDATE SET
                    name = CASE WHEN name = '' THEN excluded.name ELSE name END
             RETURNING id",
        )?
        .query_row((&who.address, &who.name, now), |row| row.get(0))?;
    Ok(ContactId(id))
}

/// Corrects the name of a contact, unless it has another name by now.
///
/// # Errors
/// Those of SQLite.
pub fn update_name(tx: &Tx<'_>, address: &str, before: &str, name: &str) -> Result<()> {
    tx.execute(
        "UPDATE contacts SET name = ?3 WHERE address = ?1 AND name = ?2",
        (address, before, name),
    )?;
    Ok(())
}

/// Marks an address as one that mail came back from.
///
/// # Errors
/// Those of SQLite.
pub fn update_bounced(tx: &Tx<'_>, address: &str, now: i64) -> Result<()> {
    tx.execute(
        "UPDATE contacts SET bounced_at = ?2 WHERE address = ?1",
        (address, now),
    )?;
    Ok(())
}

/// The addresses of the newest conversations, one for each, spam left out.
///
/// # Errors
/// Those of SQLite.
pub fn list_of_newest(db: &Db, conversations: u32) -> Result<Vec<String>> {
    let rows = db
        .prepare_cached(
            "SELECT k.address FROM conversations c JOIN contacts k ON k.id = c.contact_id
             WHERE c.id > (SELECT MAX(id) FROM conversations) - ?1 AND c.status <> 'spam'",
        )?
        .query_map([conversations], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}
