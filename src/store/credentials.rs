//! What we keep to authenticate a mailbox: tokens, sealed under the mailbox's id.

use rusqlite::{OptionalExtension as _, Row};

use super::{Db, Result, Tx};
use crate::model::{Credential, MailboxId};
use crate::secret::{Sealer, SecretError};

fn purpose(kind: &str, id: MailboxId) -> String {
    format!("credential:{id}:{kind}")
}

/// Finds the credential of a mailbox and opens it.
///
/// # Errors
/// Those of SQLite, and when a token does not open with this key.
pub fn find(db: &Db, sealer: &Sealer, id: MailboxId) -> Result<Option<Credential>> {
    let found = db
        .prepare_cached(
            "SELECT tenant_id, object_id, upn, person_name, refresh_token, refreshed_at,
                    exchange_token, exchange_expires_at, graph_token, graph_expires_at
             FROM credentials WHERE mailbox_id = ?1",
        )?
        .query_row([id.0], |row| Ok(open(row, sealer, id)))
        .optional()?;
    match found {
        Some(credential) => Ok(Some(credential?)),
        None => Ok(None),
    }
}

fn open(row: &Row<'_>, sealer: &Sealer, id: MailboxId) -> Result<Credential> {
    let token = |column: usize, kind: &str| -> Result<Option<String>> {
        let sealed: Option<Vec<u8>> = row.get(column)?;
        Ok(sealed
            .map(|sealed| sealer.open_text(&purpose(kind, id), &sealed))
            .transpose()?)
    };
    Ok(Credential {
        mailbox_id: id,
        tenant_id: row.get(0)?,
        object_id: row.get(1)?,
        upn: row.get(2)?,
        person_name: row.get(3)?,
        refresh_token: token(4, "refresh")?.ok_or(SecretError::DoesNotOpen)?,
        refreshed_at: row.get(5)?,
        exchange_token: token(6, "exchange")?,
        exchange_expires_at: row.get(7)?,
        graph_token: token(8, "graph")?,
        graph_expires_at: row.get(9)?,
    })
}

/// Stores or replaces the credential of a mailbox.
///
/// # Errors
/// Those of SQLite.
pub fn upsert(tx: &Tx<'_>, sealer: &Sealer, credential: &Credential) -> Result<()> {
    let id = credential.mailbox_id;
    let seal = |kind: &str, token: &str| sealer.seal(&purpose(kind, id), token.as_bytes());
    tx.prepare_cached(
        "INSERT INTO credentials (mailbox_id, tenant_id, object_id, upn, person_name, refresh_token,
                refreshed_at, exchange_token, exchange_expires_at, graph_token, graph_expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (mailbox_id) DO UPDATE SET
                tenant_id = excluded.tenant_id, object_id = excluded.object_id, upn = excluded.upn,
                person_name = excluded.person_name, refresh_token = excluded.refresh_token,
                refreshed_at = excluded.refreshed_at, exchange_token = excluded.exchange_token,
                exchange_expires_at = excluded.exchange_expires_at,
                graph_token = excluded.graph_token, graph_expires_at = excluded.graph_expires_at",
    )?
    .execute((
        id.0,
        &credential.tenant_id,
        &credential.object_id,
        &credential.upn,
        &credential.person_name,
        seal("refresh", &credential.refresh_token),
        credential.refreshed_at,
        credential.exchange_token.as_deref().map(|token| seal("exchange", token)),
        credential.exchange_expires_at,
        credential.graph_token.as_deref().map(|token| seal("graph", token)),
        credential.graph_expires_at,
    ))?;
    Ok(())
}

/// Mailboxes whose credential has not been refreshed since `before_at`: an unused refresh token dies
/// after 90 days.
///
/// # Errors
/// Those of SQLite.
pub fn list_stale(db: &Db, before_at: i64) -> Result<Vec<MailboxId>> {
    let rows = db
        .prepare_cached(
            "SELECT c.mailbox_id FROM credentials c JOIN mailboxes m ON m.id = c.mailbox_id
             WHERE c.refreshed_at < ?1 AND m.status IN ('active', 'paused', 'choosing')
               AND (m.status <> 'paused' OR m.problem IS NULL)",
        )?
        .query_map([before_at], |row| row.get(0).map(MailboxId))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}
