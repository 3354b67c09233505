//! Sign-ins at Microsoft that have been begun: one-time, bound to the browser's session, ten minutes.

use rusqlite::OptionalExtension as _;

use super::{Db, Result, Tx};
use crate::model::{MailboxId, SessionId};
use crate::secret::{Sealer, sha256};

/// How long a sign-in at Microsoft may take.
pub const LIFETIME_SECONDS: i64 = 600;

/// Why the person was sent to Microsoft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To connect a mailbox: this address when reached as a delegate, the person's own when empty.
    Connect {
        /// The shared mailbox's address, or empty.
        mailbox_address: String,
    },
    /// To sign in again for this mailbox.
    Reconnect {
        /// The mailbox.
        mailbox_id: MailboxId,
    },
    /// To grant consent for the whole tenant.
    AdminConsent,
}

/// What must be remembered between leaving for Microsoft and coming back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Why.
    pub purpose: Purpose,
    /// The session that began it.
    pub session_id: SessionId,
    /// Must come back in the ID token.
    pub nonce: String,
    /// Proves that who redeems the code also asked for it (RFC 7636).
    pub pkce_verifier: String,
    /// When it stops being good.
    pub expires_at: i64,
    /// When it came back.
    pub used_at: Option<i64>,
    /// What it led to: a reload of the callback goes there.
    pub result_mailbox_id: Option<MailboxId>,
}

/// Writes a flow down under its `state`.
///
/// # Errors
/// Those of SQLite.
pub fn insert(tx: &Tx<'_>, sealer: &Sealer, state: &str, flow: &Flow, now: i64) -> Result<()> {
    let (purpose, mailbox_id, address) = match &flow.purpose {
        Purpose::Connect { mailbox_address } => ("connect", None, mailbox_address.as_str()),
        Purpose::Reconnect { mailbox_id } => ("reconnect", Some(mailbox_id.0), ""),
        Purpose::AdminConsent => ("admin_consent", None, ""),
    };
    let secrets = format!("{} {}", flow.nonce, flow.pkce_verifier);
    let hash = sha256(state.as_bytes());
    tx.execute(
        "INSERT INTO oauth_flows (state_hash, session_id, purpose, mailbox_id, mailbox_address, secrets,
                created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            hash,
            flow.session_id.0,
            purpose,
            mailbox_id,
            address,
            sealer.seal("oauth_flow", secrets.as_bytes()),
            now,
            flow.expires_at,
        ),
    )?;
    Ok(())
}

/// Finds a flow by the `state` that came back, used or not, expired or not.
///
/// # Errors
/// Those of SQLite, and when it does not open with this key.
pub fn find(db: &Db, sealer: &Sealer, state: &str) -> Result<Option<Flow>> {
    let found = db
        .prepare_cached(
            "SELECT purpose, mailbox_id, mailbox_address, session_id, secrets, expires_at, used_at,
                    result_mailbox_id
             FROM oauth_flows WHERE state_hash = ?1",
        )?
        .query_row([sha256(state.as_bytes())], |row| {
            let word: String = row.get(0)?;
            let mailbox_id: Option<i64> = row.get(1)?;
            let purpose = match (word.as_str(), mailbox_id) {
                ("reconnect", Some(id)) => Purpose::Reconnect {
                    mailbox_id: MailboxId(id),
                },
                ("admin_consent", _) => Purpose::AdminConsent,
                _ => Purpose::Connect {
                    mailbox_address: row.get(2)?,
                },
            };
            let sealed: Vec<u8> = row.get(4)?;
            let flow = Flow {
                purpose,
                session_id: SessionId(row.get(3)?),
                nonce: String::new(),
                pkce_verifier: String::new(),
                expires_at: row.get(5)?,
                used_at: row.get(6)?,
                result_mailbox_id: row.get::<_, Option<i64>>(7)?.map(MailboxId),
            };
            Ok((flow, sealed))
        })
        .optional()?;
    let Some((mut flow, sealed)) = found else {
        return Ok(None);
    };
    let secrets = sealer.open_text("oauth_flow", &sealed)?;
    let (nonce, verifier) = secrets.split_once(' ').unwrap_or_default();
    nonce.clone_into(&mut flow.nonce);
    verifier.clone_into(&mut flow.pkce_verifier);
    Ok(Some(flow))
}

/// Takes a flow for use. `false` when somebody took it before: a state is good once.
///
/// # Errors
/// Those of SQLite.
pub fn claim(tx: &Tx<'_>, state: &str, now: i64) -> Result<bool> {
    let taken = tx.execute(
        "UPDATE oauth_flows SET used_at = ?2
         WHERE state_hash = ?1 AND used_at IS NULL AND expires_at > ?2",
        (sha256(state.as_bytes()), now),
    )?;
    Ok(taken == 1)
}

/// Writes down what a flow led to.
///
/// # Errors
/// Those of SQLite.
pub fn update_result(tx: &Tx<'_>, state: &str, mailbox_id: MailboxId) -> Result<()> {
    tx.execute(
        "UPDATE oauth_flows SET result_mailbox_id = ?2 WHERE state_hash = ?1",
        (sha256(state.as_bytes()), mailbox_id.0),
    )?;
    Ok(())
}

/// Forgets flows that ended more than a day ago.
///
/// # Errors
/// Those of SQLite.
pub fn delete_old(tx: &Tx<'_>, now: i64) -> Result<usize> {
    Ok(tx.execute(
        "DELETE FROM oauth_flows WHERE expires_at < ?1",
        [now - 24 * 3600],
    )?)
}
