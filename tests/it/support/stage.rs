//! The program's services over a store of their own, facing the pretend Microsoft 365.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mailhatch::app;
use mailhatch::clock::Clock;
use mailhatch::config::{Config, Environment};
use mailhatch::model::{
    Agent, Conversation, ConversationId, DeliveryState, Fate, FolderRole, InboxQuery, Leaves,
    Mailbox, MailboxId, Message, Role, SignedIn, TakeFrom, View,
};
use mailhatch::oauth::CallbackQuery;
use mailhatch::reply::{self, Queued, ReplyDraft, Terms};
use mailhatch::secret::random_token;
use mailhatch::store::{self, check, sessions};
use mailhatch::work::connect::{self, Begin, Finished};
use mailhatch::work::wake::Wake;
use mailhatch::work::{
    PollStep, Poller, Running, SendStep, Sender, Services, poll_step, send_step,
};
use mailhatch_simulator::{Demo, Options, Simulator};
use url::Url;

/// When hand-set clocks start, unix seconds UTC.
pub(crate) const NOW: i64 = 1_800_000_000;

/// The services, the simulator they face, and an administrator who has signed in.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) demo: Demo,
    pub(crate) clock: Clock,
    pub(crate) services: Arc<Services>,
    pub(crate) admin: SignedIn,
    pub(crate) folder: tempfile::TempDir,
}

impl Stage {
    /// Everything set up, nothing connected; time stands still unless moved.
    pub(crate) fn new() -> Self {
        Self::with(Clock::hand(NOW), &[])
    }

    /// With these settings over the usual ones; an empty value takes a setting away.
    pub(crate) fn with(clock: Clock, settings: &[(&str, &str)]) -> Self {
        // Microsoft's clock goes on when ours is set to another time.
        let (shared, began_at) = (clock.clone(), clock.now() - clock.steady());
        let options = Options {
            clock: mailhatch_simulator::clock::Clock::new(move || began_at + shared.steady()),
            ..Options::default()
        };
        let simulator = Simulator::start(options).unwrap();
        let demo = simulator.populate("http://localhost:8025/microsoft/callback");
        assert!(
            simulator
                .entra()
                .update_app(&demo.client_id, |app| app.admin_consented = true)
        );
        let folder = tempfile::tempdir().unwrap();
        let services = services(&simulator, &demo, folder.path(), clock.clone(), settings);
        let admin = sign_in(&services, "admin@example.com", Role::Admin);
        Self {
            simulator,
            demo,
            clock,
            services,
            admin,
            folder,
        }
    }

    /// The services again over the same database, as after a restart.
    pub(crate) fn restart(&mut self) {
        self.reconfigure(|_| {});
    }

    /// As after a restart with other settings.
    pub(crate) fn reconfigure(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = Config::clone(&self.services.config);
        change(&mut config);
        self.services = app::open(config, self.clock.clone()).unwrap();
    }

    /// Faces other IMAP and SMTP servers, whose certificates this root signs.
    pub(crate) fn face(&mut self, imap: &str, smtp: &str, ca_pem: &str) {
        self.reconfigure(|config| {
            config.endpoints.imap = Some(imap.to_owned());
            config.endpoints.smtp = Some(smtp.to_owned());
            let roots = config.extra_roots.take().unwrap_or_default();
            config.extra_roots = Some([roots.as_slice(), b"\n", ca_pem.as_bytes()].concat());
        });
    }

    /// Forgets the access tokens of a mailbox, as if they had ended.
    pub(crate) fn clear_tokens(&self, id: MailboxId) {
        let services = &self.services;
        let found = services
            .store
            .read(|db| store::credentials::find(db, &services.sealer, id));
        let mut credential = found.unwrap().unwrap();
        credential.exchange_token = None;
        credential.graph_token = None;
        services
            .store
            .write(|tx| store::credentials::upsert(tx, &services.sealer, &credential))
            .unwrap();
    }

    /// Connects the support mailbox of the ready-made tenant and takes all its mail.
    pub(crate) fn connect(&self) -> MailboxId {
        let id = self.consent("", &self.demo.support_upn.clone());
        connect::choose(&self.services, id, TakeFrom::All, 0).unwrap();
        id
    }

    /// Goes to the pretend Microsoft and back, as a browser would.
    pub(crate) fn consent(&self, mailbox_address: &str, upn: &str) -> MailboxId {
        let begin = Begin::Connect {
            mailbox_address: mailbox_address.to_owned(),
        };
        let url = connect::begin(&self.services, &self.admin, &begin).unwrap();
        match self.come_back(&url, upn) {
            Ok(Finished::Mailbox { id, .. }) => id,
            other => panic!("not connected: {other:?}"),
        }
    }

    /// The browser's part and the callback.
    pub(crate) fn come_back(&self, url: &str, upn: &str) -> Result<Finished, connect::Refused> {
        let location = self.simulator.entra().consent(url, upn).unwrap();
        connect::finish(&self.services, Some(&self.admin), &query(&location))
    }

    pub(crate) fn mailbox(&self, id: MailboxId) -> Mailbox {
        self.services
            .store
            .read(|db| store::mailboxes::find(db, id))
            .unwrap()
            .unwrap()
    }

    /// One poll by a new poller.
    pub(crate) fn poll(&self, id: MailboxId) -> PollStep {
        poll_step(&self.services, &mut Poller::default(), id, &Wake::default())
    }

    /// Polls, and expects so many new messages.
    pub(crate) fn receives(&self, id: MailboxId, count: u64) {
        assert_eq!(self.poll(id), PollStep::Synced(count));
    }

    /// Sends until nothing is due.
    pub(crate) fn send_all(&self, id: MailboxId) {
        let mut sender = Sender::default();
        for _ in 0..1_000 {
            if let SendStep::Nothing(_) = send_step(&self.services, &mut sender, id).unwrap() {
                return;
            }
        }
        panic!("the sender never came to rest");
    }

    /// All conversations of a view, newest first.
    pub(crate) fn conversations(&self, view: View) -> Vec<ConversationId> {
        let agent_id = self.admin.agent.id;
        let query = InboxQuery {
            view,
            mailbox_id: None,
            agent_id,
            after: None,
            limit: 10_000,
        };
        let page = self
            .services
            .store
            .read(|db| store::inbox::page(db, &query))
            .unwrap();
        page.rows.into_iter().map(|row| row.id).collect()
    }

    pub(crate) fn conversation(&self, id: ConversationId) -> Conversation {
        self.services
            .store
            .read(|db| store::conversations::find(db, id))
            .unwrap()
            .unwrap()
    }

    pub(crate) fn messages(&self, id: ConversationId) -> Vec<Message> {
        self.services
            .store
            .read(|db| store::messages::list(db, id))
            .unwrap()
    }

    /// Queues an answer to everyone of a conversation.
    pub(crate) fn reply(&self, id: ConversationId, text: &str) -> Queued {
        self.reply_with(id, text, |_| {})
    }

    /// As [`Stage::reply`], changed before it is queued.
    pub(crate) fn reply_with(
        &self,
        id: ConversationId,
        text: &str,
        change: impl FnOnce(&mut ReplyDraft),
    ) -> Queued {
        self.reply_to_leave(id, text, Leaves::AtOnce, change)
    }

    /// As [`Stage::reply_with`], to leave later.
    pub(crate) fn reply_to_leave(
        &self,
        id: ConversationId,
        text: &str,
        leaves: Leaves,
        change: impl FnOnce(&mut ReplyDraft),
    ) -> Queued {
        let terms = Terms {
            leaves,
            ..Terms::default()
        };
        let defaults = self
            .services
            .store
            .read(|db| reply::defaults(db, id, true))
            .unwrap();
        let mut draft = ReplyDraft {
            conversation_id: id,
            to: defaults.to,
            cc: defaults.cc,
            bcc: Vec::new(),
            subject: defaults.subject,
            html: None,
            text: text.to_owned(),
            attachments: Vec::new(),
            quote: true,
            idempotency_key: random_token(),
            then: mailhatch::model::Status::Waiting,
        };
        change(&mut draft);
        reply::queue_to_leave(
            &self.services.store,
            &self.services.ids(),
            self.clock.now(),
            &self.admin.agent,
            &draft,
            terms,
        )
        .unwrap()
    }

    /// The state of a queued reply.
    pub(crate) fn state(&self, queued: Queued) -> DeliveryState {
        let found = self
            .services
            .store
            .read(|db| store::deliveries::find(db, queued.delivery_id))
            .unwrap();
        found.unwrap().state
    }

    /// How many messages of the inbox met a fate.
    pub(crate) fn fates(&self, id: MailboxId, fate: Fate) -> i64 {
        let count = self.services.store.read(|db| {
            let folder = store::folders::find_by_role(db, id, FolderRole::Inbox)?.unwrap();
            store::fates::count(db, folder.id)
        });
        count
            .unwrap()
            .into_iter()
            .find(|row| row.fate == fate)
            .map_or(0, |row| row.count)
    }

    /// Starts the loops.
    pub(crate) fn run(&self) -> Running {
        Running::start(&self.services).unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let broken = self.services.store.read(check::run).unwrap();
        assert!(broken.is_empty(), "invariants broken: {broken:?}");
    }
}

/// Services over a database in `folder`.
pub(crate) fn services(
    simulator: &Simulator,
    demo: &Demo,
    folder: &std::path::Path,
    clock: Clock,
    settings: &[(&str, &str)],
) -> Arc<Services> {
    let endpoints = simulator.endpoints();
    let folder = folder.display().to_string();
    let usual = [
        ("MAILHATCH_DATA_DIR", folder.as_str()),
        (
            "MAILHATCH_SECRET_KEY",
            "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        ),
        ("MAILHATCH_BACKUP_CRON", ""),
        ("AZURE_APP_ID", demo.client_id.as_str()),
        ("AZURE_APP_SECRET", demo.client_secret.as_str()),
        (
            "MAILHATCH_MICROSOFT_LOGIN_URL",
            endpoints.login_url.as_str(),
        ),
        (
            "MAILHATCH_MICROSOFT_GRAPH_URL",
            endpoints.graph_url.as_str(),
        ),
        ("MAILHATCH_MICROSOFT_IMAP", endpoints.imap.as_str()),
        ("MAILHATCH_MICROSOFT_SMTP", endpoints.smtp.as_str()),
        (
            "MAILHATCH_MICROSOFT_SCOPE_PREFIX",
            endpoints.scope_prefix.as_str(),
        ),
    ];
    let environment: Environment = usual
        .iter()
        .chain(settings)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut config = Config::from_environment(&environment).unwrap();
    config.extra_roots = Some(endpoints.ca_pem.clone().into_bytes());
    app::open(config, clock).unwrap()
}

/// An agent with a session.
pub(crate) fn sign_in(services: &Services, email: &str, role: Role) -> SignedIn {
    let now = services.clock.now();
    let (agent, session_id, csrf_token): (Agent, _, _) = services
        .store
        .write(|tx| {
            let id = store::agents::insert(tx, email, "Alex Admin", role, "x", now)?;
            let csrf_token = random_token();
            let session_id = sessions::insert(tx, id, &random_token(), &csrf_token, now)?;
            let agent = store::agents::find(tx, id)?.unwrap();
            Ok::<_, store::Error>((agent, session_id, csrf_token))
        })
        .unwrap();
    SignedIn {
        session_id,
        csrf_token,
        agent,
    }
}

/// The query of a redirect.
pub(crate) fn query(location: &str) -> CallbackQuery {
    let url = Url::parse(location).unwrap();
    let get = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    CallbackQuery {
        code: get("code"),
        state: get("state"),
        error: get("error"),
        error_description: get("error_description"),
        error_subcode: get("error_subcode"),
        admin_consent: get("admin_consent"),
        tenant: get("tenant"),
    }
}

/// Waits until something is so; gives up with a sentence.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    while !so() {
        assert!(Instant::now() < end, "waited 30 s in vain: {what}");
        let _ = never.recv_timeout(Duration::from_millis(20));
    }
}

/// A plain message.
pub(crate) fn mail(from: &str, subject: &str, id: &str, more: &str, text: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: support@harbourlights.example\r\nSubject: {subject}\r\n\
         Date: Fri, 15 Jan 2027 08:00:00 +0000\r\nMessage-ID: <{id}>\r\n{more}\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}
