//! What an administrator must know of, and the duty to tell of it: once when it begins, once when it is
//! over, by each channel.

use super::ids::{AlertId, MailboxId};
use super::words::words;
use crate::problem::Problem;

words! {
    /// What an alert is about; the most severe first.
    AlertKind {
        /// The disk is nearly full: soon nothing can be taken at all.
        Disk = "disk",
        /// A mailbox does not receive.
        Receiving = "receiving",
        /// A mailbox does not send.
        Sending = "sending",
        /// The Entra app's secret or certificate is near its end, or past it.
        AppSecret = "app_secret",
        /// A reply has failed for good.
        Delivery = "delivery",
        /// The ledger and the server differ, or rows of it need a person.
        Ledger = "ledger",
        /// The nightly backup failed.
        Backup = "backup",
    }
}

words! {
    /// Which of its two moments is told.
    AlertPhase {
        /// It has begun.
        Opened = "opened",
        /// It is over.
        Over = "over",
    }
}

words! {
    /// How administrators are told, besides the pages.
    AlertChannel {
        /// Mail to them.
        Mail = "mail",
        /// A signed request to an address of theirs.
        Webhook = "webhook",
    }
}

words! {
    /// Where the duty to tell stands.
    NoticeState {
        /// To be told when its time comes.
        Due = "due",
        /// Told.
        Told = "told",
        /// Not told any more: it was over before it could be.
        Dropped = "dropped",
        /// Not told after many tries.
        GivenUp = "given_up",
    }
}

/// What should be known now, as it is found; one with a new key opens an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertCause {
    /// What it is about.
    pub kind: AlertKind,
    /// Names the one thing it is about, such as `mailbox:3:receive`; one alert is open for it at most.
    pub key: String,
    /// The mailbox concerned.
    pub mailbox_id: Option<MailboxId>,
    /// In a few words, without anything of customers.
    pub title: String,
    /// Cause and remedy.
    pub problem: Problem,
    /// The path of the page where it is mended.
    pub place: String,
}

/// An alert, open or over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Row id.
    pub id: AlertId,
    /// Its name for the outside; never used twice.
    pub public_id: String,
    /// What was found, as it was last.
    pub cause: AlertCause,
    /// When it began, unix seconds UTC.
    pub opened_at: i64,
    /// When it was over.
    pub closed_at: Option<i64>,
}

/// The duty to tell of one moment of an alert by one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Of which alert.
    pub alert_id: AlertId,
    /// Which moment.
    pub phase: AlertPhase,
    /// By which channel.
    pub channel: AlertChannel,
    /// Where it stands.
    pub state: NoticeState,
    /// How often it was tried; counted before anything is dialled.
    pub attempts: i64,
    /// When it is tried next.
    pub next_attempt_at: i64,
    /// When it was told.
    pub told_at: Option<i64>,
    /// How it was told, for people.
    pub way: String,
    /// What stopped the last try.
    pub problem: Option<Problem>,
    /// When the duty began.
    pub created_at: i64,
}
