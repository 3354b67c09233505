//! Local stand-ins for parts written elsewhere (`work`, `reply`). Removed when those land.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::clock::Clock;
use crate::config::Config;
use crate::model::{Agent, DeliveryId, DeliveryState, MailboxId};
use crate::problem::{Disposition, Problem};
use crate::secret::Sealer;
use crate::store::Store;

#[derive(Clone, Debug)]
pub struct Services {
    pub store: Arc<Store>,
    pub sealer: Sealer,
    pub clock: Clock,
    pub config: Arc<Config>,
    pub work: Arc<Work>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Good,
    Busy,
    Trouble,
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Part {
    pub name: String,
    pub health: Health,
    pub sentence: String,
}

#[derive(Debug)]
pub struct Work {
    pub store: Arc<Store>,
    pub clock: Clock,
    pub parts: Mutex<BTreeMap<String, Part>>,
}

impl Work {
    pub fn new(store: Arc<Store>, clock: Clock) -> Self {
        Self { store, clock, parts: Mutex::default() }
    }
    pub fn wake_sender(&self, _: MailboxId) {}
    pub fn wake_poller(&self, _: MailboxId) {}
    pub fn parts(&self) -> Vec<Part> {
        self.parts.lock().unwrap().values().cloned().collect()
    }
    pub fn retry_delivery(&self, id: DeliveryId, _: &Agent) -> Result<(), Problem> {
        self.set(id, DeliveryState::Queued)
    }
    pub fn cancel_delivery(&self, id: DeliveryId, _: &Agent) -> Result<(), Problem> {
        self.set(id, DeliveryState::Cancelled)
    }
    pub fn settle_delivery(&self, id: DeliveryId, was_sent: bool, _: &Agent) -> Result<(), Problem> {
        self.set(id, if was_sent { DeliveryState::Sent } else { DeliveryState::Queued })
    }
    fn set(&self, id: DeliveryId, state: DeliveryState) -> Result<(), Problem> {
        use crate::store::deliveries;
        let now = self.clock.now();
        self.store
            .write(|tx| {
                let Some(delivery) = deliveries::find(tx, id)? else {
                    return Ok(());
                };
                let change = deliveries::Change { next_attempt_at: now, ..Default::default() };
                deliveries::update_state(tx, &delivery, state, &change, now)
            })
            .map_err(|_| Problem::new("x", Disposition::GiveUp, "It failed.", "Try again."))
    }
}

pub mod metrics {
    pub fn render(_: &crate::store::Store, _: &super::Work) -> String {
        "# EOF\n".to_owned()
    }
}

pub mod reply {
    use crate::model::{Address, ConversationId, Agent, Status, MailboxId, DeliveryId};
    use crate::store::{self, Db, Store};

    #[derive(Debug, Clone)]
    pub struct ReplyFile {
        pub filename: String,
        pub content_type: String,
        pub bytes: Vec<u8>,
    }
    #[derive(Debug, Clone)]
    pub struct ReplyDraft {
        pub conversation_id: ConversationId,
        pub to: Vec<Address>,
        pub cc: Vec<Address>,
        pub bcc: Vec<Address>,
        pub subject: String,
        pub html: Option<String>,
        pub text: String,
        pub attachments: Vec<ReplyFile>,
        pub quote: bool,
        pub idempotency_key: String,
        pub then: Status,
    }
    #[derive(Debug, Clone)]
    pub struct Defaults {
        pub to: Vec<Address>,
        pub cc: Vec<Address>,
        pub subject: String,
        pub quoted_preview: String,
    }
    #[derive(Debug, Clone, Copy)]
    pub struct Queued {
        pub delivery_id: DeliveryId,
        pub conversation_id: ConversationId,
        pub mailbox_id: MailboxId,
    }
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("{sentence}")]
        Invalid { field: &'static str, sentence: String },
        #[error(transparent)]
        Store(#[from] store::Error),
    }
    pub fn defaults(db: &Db, id: ConversationId, all: bool) -> store::Result<Defaults> {
        let c = store::conversations::find(db, id)?;
        let mut d = Defaults { to: vec![], cc: vec![], subject: String::new(), quoted_preview: String::new() };
        if let Some(c) = c {
            d.to.push(Address::new(c.contact.name, c.contact.address));
            d.subject = format!("Re: {}", c.subject);
        }
        if all && let Some(last) = store::messages::list(db, id)?.last() {
            d.cc.clone_from(&last.recipients.cc);
            d.quoted_preview.clone_from(&last.text);
        }
        Ok(d)
    }
    pub fn queue(store: &Store, now: i64, actor: &Agent, draft: &ReplyDraft) -> Result<Queued, Error> {
        use crate::model::{Direction, Kind, Recipients};
        if draft.to.is_empty() {
            return Err(Error::Invalid { field: "to", sentence: "Name at least one recipient.".into() });
        }
        store.write(|tx| {
            if let Some(d) = store::deliveries::find_by_idempotency_key(tx, &draft.idempotency_key)? {
                return Ok(Queued { delivery_id: d.id, conversation_id: d.conversation_id, mailbox_id: d.mailbox_id });
            }
            let c = store::conversations::find(tx, draft.conversation_id)?.unwrap();
            let m = store::mailboxes::find(tx, c.mailbox_id)?.unwrap();
            let recipients = Recipients { to: draft.to.clone(), cc: draft.cc.clone(), bcc: draft.bcc.clone(), reply_to: vec![] };
            let from = Address::new(m.name.clone(), m.address.clone());
            let id = store::messages::insert(tx, &store::messages::NewMessage {
                mailbox_id: c.mailbox_id, conversation_id: c.id, direction: Direction::Outgoing, kind: Kind::Message,
                agent_id: Some(actor.id), internet_message_id: &draft.idempotency_key,
                identity: crate::secret::sha256(draft.idempotency_key.as_bytes()), from: &from, recipients: &recipients,
                subject: &draft.subject, preview: &draft.text, text: &draft.text, reply_text: &draft.text,
                has_html: false, quoted: false, defects: &[], sent_at: now }, now)?;
            let delivery_id = store::deliveries::insert(tx, id, &draft.idempotency_key, now, now)?;
            crate::desk::change_status(tx, now, Some(actor.id), &c, draft.then)?;
            store::conversations::refresh(tx, c.id)?;
            Ok(Queued { delivery_id, conversation_id: c.id, mailbox_id: c.mailbox_id })
        })
    }
}
