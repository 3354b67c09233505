//! In charge of mail going out: the Sent copy, the Message-ID, and who receives it.

use std::sync::Arc;

use super::{AccountKind, Flag, Role, World, headers};

/// Which way a message was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// SMTP submission.
    Smtp,
    /// Graph sendMail.
    Graph,
}

/// A message handed in for sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The mailbox it is sent from: sign-in name or address.
    pub mailbox: String,
    /// The envelope sender.
    pub mail_from: String,
    /// The envelope recipients.
    pub recipients: Vec<String>,
    /// The message as handed in.
    pub raw: Vec<u8>,
    /// Which way it came.
    pub via: Via,
    /// Whether a copy goes to Sent Items.
    pub save_to_sent: bool,
    /// When, unix seconds UTC.
    pub at: i64,
    /// The Message-ID the recipients see; filled in by [`World::submit`].
    pub effective_message_id: String,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The Message-ID the recipients see, with angle brackets.
    pub effective_message_id: String,
}

/// A message on its way to addresses outside this world's mailboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The envelope sender, where bounces go.
    pub mail_from: String,
    /// The outside recipients.
    pub recipients: Vec<String>,
    /// The message as recipients see it.
    pub raw: Arc<[u8]>,
    /// When it left, unix seconds UTC.
    pub at: i64,
}

impl World {
    /// Sends a message: files the Sent copy, gives personal accounts a new Message-ID, and hands it
    /// to local mailboxes and to the correspondents outside. Checks no rights.
    ///
    /// # Errors
    /// When the sending mailbox does not exist.
    pub fn submit(&self, mut submission: Submission) -> Result<Submitted, String> {
        let user = self.user(&submission.mailbox);
        let user = user.ok_or_else(|| format!("no mailbox {}", submission.mailbox))?;
        let serial = self.next_serial();
        let (raw, id) = self.identified(&submission, user.kind, serial);
        submission.effective_message_id.clone_from(&id);
        if submission.save_to_sent {
            self.change_mailbox(&user.upn, |mailbox| {
                mailbox
                    .role_mut(Role::Sent)
                    .map(|sent| sent.add(&raw, &[Flag::Seen], submission.at))
            });
        }
        let seen = headers::without(&raw, "Bcc");
        let seen = headers::with_first(&seen, "Received", &received(&submission, serial));
        self.state().submissions.push(submission.clone());
        self.route(&submission, &seen);
        Ok(Submitted {
            effective_message_id: id,
        })
    }

    /// Everything accepted so far, in order.
    #[must_use]
    pub fn submissions(&self) -> Vec<Submission> {
        self.state().submissions.clone()
    }

    /// Everything that left for outside addresses so far, in order, as the recipients see it.
    #[must_use]
    pub fn outgoing(&self) -> Vec<Outgoing> {
        self.state().outgoing.clone()
    }

    /// Whether mail for `address` stays here: its mailbox exists or its domain is one of ours.
    #[must_use]
    pub fn is_local_domain(&self, address: &str) -> bool {
        let domain = domain(address);
        self.state().users.iter().any(|user| {
            user.kind != AccountKind::Guest
                && (domain_is(&user.address, &domain)
                    || user.aliases.iter().any(|alias| domain_is(alias, &domain)))
        })
    }

    pub(crate) fn next_serial(&self) -> u64 {
        let mut state = self.state();
        state.serial += 1;
        state.serial
    }

    /// The message with the id it will have, and that id.
    ///
    /// Outlook.com replaces the Message-ID at SMTP submission and keeps the old one in
    /// `X-Microsoft-Original-Message-ID`; the case of the host varies. Work accounts keep theirs.
    fn identified(&self, submission: &Submission, kind: AccountKind, n: u64) -> (Vec<u8>, String) {
        let own = headers::get(&submission.raw, "Message-ID").filter(|id| !id.is_empty());
        let rewrites = kind == AccountKind::Personal
            && (submission.via == Via::Smtp || self.quirks().graph_rewrites_message_id);
        match own {
            Some(id) if !rewrites => (submission.raw.clone(), id),
            Some(id) => {
                let new = exchange_message_id(n);
                let raw = headers::without(&submission.raw, "Message-ID");
                let raw = headers::with_first(&raw, "X-Microsoft-Original-Message-ID", &id);
                (headers::with_first(&raw, "Message-ID", &new), new)
            }
            None => {
                let new = exchange_message_id(n);
                let raw = headers::without(&submission.raw, "Message-ID");
                (headers::with_first(&raw, "Message-ID", &new), new)
            }
        }
    }

    /// Delivers to mailboxes here and hands the rest to the correspondents.
    fn route(&self, submission: &Submission, seen: &[u8]) {
        let mut outside = Vec::new();
        for recipient in &submission.recipients {
            if !self.deliver(recipient, seen) {
                outside.push(recipient.clone());
            }
        }
        if outside.is_empty() {
            return;
        }
        let outgoing = Outgoing {
            mail_from: submission.mail_from.clone(),
            recipients: outside,
            raw: Arc::from(seen),
            at: submission.at,
        };
        let mut state = self.state();
        state.outgoing.push(outgoing.clone());
        if let Some(sender) = &state.outside
            && sender.send(outgoing).is_err()
        {
            // The correspondents have gone home.
            state.outside = None;
        }
    }
}

/// A Message-ID as Exchange Online writes it; every second one with the host in upper case.
pub(crate) fn exchange_message_id(serial: u64) -> String {
    let mixed = serial.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let host = "AM7PR05MB6742.eurprd05.prod.outlook.com";
    let host = if serial.is_multiple_of(2) {
        host.to_uppercase()
    } else {
        host.to_owned()
    };
    format!("<AM7PR05MB6742{mixed:016X}{serial:06X}@{host}>")
}

fn received(submission: &Submission, serial: u64) -> String {
    let via = match submission.via {
        Via::Smtp => "ESMTPSA",
        Via::Graph => "HTTPS",
    };
    let date = mail_parser::DateTime::from_timestamp(submission.at).to_rfc822();
    format!(
        "from client.mailbox.example by AM7PR05MB6742.eurprd05.prod.outlook.com\r\n \
         with Microsoft {via} id 15.20.8769.{serial}; {date}"
    )
}

/// The part behind the `@`, lower case.
pub(crate) fn domain(address: &str) -> String {
    address
        .rsplit_once('@')
        .map_or("", |(_, domain)| domain)
        .to_lowercase()
}

fn domain_is(address: &str, wanted: &str) -> bool {
    domain(address) == wanted
}
