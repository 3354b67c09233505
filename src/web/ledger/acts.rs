//! What an administrator does about rows of the ledger: another try, "it is fine so", and a comparison now.

use actix_web::HttpResponse;

use super::super::context::Shared;
use super::super::error::Error;
use super::super::flash::Flash;
use super::super::forms::{Fields, Posted};
use super::super::page::{go_saying, local_path};
use super::super::session::Admin;
use super::PATH;
use crate::model::{Folder, FolderId, MailboxId, MailboxStatus};
use crate::store::{self, Tx};

/// Changes rows of a folder under a UIDVALIDITY: one UID, or all that wait for a person. Says how many.
type Change = fn(&Tx<'_>, FolderId, u32, Option<u32>, i64) -> store::Result<usize>;

/// Which messages a form is about.
#[derive(Debug, Clone, Copy)]
struct Which {
    mailbox_id: MailboxId,
    /// Without one: every folder of the mailbox.
    folder_id: Option<FolderId>,
    /// Without one: all messages of the folder that wait for a person.
    uid: Option<(u32, u32)>,
}

impl Which {
    fn read(fields: &Fields) -> Result<Self, Error> {
        let unreadable = || Error::BadRequest("The form does not say what it is about.".to_owned());
        let number = |name: &str| -> Result<Option<i64>, Error> {
            match fields.get(name) {
                "" => Ok(None),
                text => text.parse().map(Some).map_err(|_| unreadable()),
            }
        };
        let small = |name: &str| -> Result<Option<u32>, Error> {
            number(name)?
                .map(|number| u32::try_from(number).map_err(|_| unreadable()))
                .transpose()
        };
        let (validity, uid) = (small("uid_validity")?, small("uid")?);
        Ok(Self {
            mailbox_id: MailboxId(number("mailbox")?.ok_or_else(unreadable)?),
            folder_id: number("folder")?.map(FolderId),
            uid: validity.zip(uid),
        })
    }

    /// The folders meant; an error when there are none such.
    fn folders(self, tx: &Tx<'_>) -> Result<Vec<Folder>, Error> {
        let mut folders = store::folders::list(tx, self.mailbox_id)?;
        folders.retain(|folder| self.folder_id.is_none_or(|id| id == folder.id));
        if folders.is_empty() {
            return Err(Error::NotFound("folder"));
        }
        Ok(folders)
    }

    /// Does something to the rows meant; says to how many.
    async fn write(self, context: &Shared, change: Change) -> Result<usize, Error> {
        let now = context.now();
        let all = move |tx: &Tx<'_>| {
            let mut changed = 0;
            for folder in self.folders(tx)? {
                let Some(cursor) = folder.cursor else {
                    continue;
                };
                let uid = match self.uid {
                    // Its UIDs have changed meaning since the page was made.
                    Some((validity, _)) if validity != cursor.uid_validity => continue,
                    uid => uid.map(|(_, uid)| uid),
                };
                changed += change(tx, folder.id, cursor.uid_validity, uid, now)?;
            }
            Ok::<_, Error>(changed)
        };
        context.store(move |store| store.write(all)).await
    }
}

fn back(fields: &Fields) -> String {
    local_path(fields.get("back"), PATH).to_owned()
}

const SETTLED: &str = "This message no longer needs a try: it has been taken meanwhile.";

/// `POST /admin/ledger/retries`: asks the server again for one message, or without a UID for all that
/// need a person in a folder.
///
/// # Errors
/// Those of the store.
pub(in crate::web) async fn retry(
    context: Shared,
    admin: Admin,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let which = Which::read(&form.fields)?;
    let asked = which.write(&context, store::fates::update_retry).await?;
    let flash = match asked {
        0 => Flash::bad(SETTLED),
        1 => Flash::good("The server is asked for this message again."),
        count => Flash::good(format!(
            "The server is asked for these {count} messages again, a hundred at a time."
        )),
    };
    tracing::info!(
        agent.id = admin.agent.id.0,
        mailbox.id = which.mailbox_id.0,
        asked,
        "messages are tried again"
    );
    context.services.work.wake_poller(which.mailbox_id);
    Ok(go_saying(&context, &back(&form.fields), &flash))
}

/// `POST /admin/ledger/dismissals`: one message, or without a UID all that need a person in a folder, are fine
/// as they are.
///
/// # Errors
/// Those of the store.
pub(in crate::web) async fn dismiss(
    context: Shared,
    admin: Admin,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let which = Which::read(&form.fields)?;
    let dismissed = which
        .write(&context, store::fates::update_dismissed)
        .await?;
    let flash = match dismissed {
        0 => Flash::bad(SETTLED),
        1 => Flash::good("This message has left the list. The ledger keeps it."),
        count => Flash::good(format!(
            "These {count} messages have left the list. The ledger keeps them."
        )),
    };
    tracing::info!(
        agent.id = admin.agent.id.0,
        mailbox.id = which.mailbox_id.0,
        dismissed,
        "messages need no person any more"
    );
    Ok(go_saying(&context, &back(&form.fields), &flash))
}

/// `POST /admin/ledger/checks`: compares a folder with the server now, or without a folder all of a mailbox.
///
/// # Errors
/// Those of the store.
pub(in crate::web) async fn check(
    context: Shared,
    admin: Admin,
    form: Posted,
) -> Result<HttpResponse, Error> {
    let which = Which::read(&form.fields)?;
    let now = context.now();
    let status = context
        .store(move |store| {
            store.write(|tx| {
                // One that is not watched any more is not compared.
                for folder in which.folders(tx)?.iter().filter(|folder| folder.watched) {
                    store::ledger_checks::upsert_due(tx, folder.id, now)?;
                }
                let mailbox = store::mailboxes::find(tx, which.mailbox_id)?;
                Ok::<_, Error>(mailbox.map(|mailbox| mailbox.status))
            })
        })
        .await?;
    let flash = if status == Some(MailboxStatus::Active) {
        Flash::good(
            "The ledger is being compared with the server. Load this page again in a moment for the outcome.",
        )
    } else {
        Flash::good("The mailbox does not receive now. It is compared as soon as it does.")
    };
    tracing::info!(
        agent.id = admin.agent.id.0,
        mailbox.id = which.mailbox_id.0,
        "a comparison with the server was asked for"
    );
    context.services.work.wake_poller(which.mailbox_id);
    Ok(go_saying(&context, &back(&form.fields), &flash))
}
