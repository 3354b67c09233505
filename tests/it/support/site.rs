//! The pages over a store of their own, and a browser of few words to ask them.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use mailhatch::app;
use mailhatch::clock::Clock;
use mailhatch::config::{Config, Environment};
use mailhatch::model::{
    Address, AgentId, ContactId, ConversationId, Credential, Direction, Kind, MailboxId,
    MailboxStatus, MessageId, PlacedBy, Recipients, Role, Status,
};
use mailhatch::secret::sha256;
use mailhatch::store::derived::Derived;
use mailhatch::store::messages::{NewMessage, Packed};
use mailhatch::store::{self, Store};
use mailhatch::web::{Context, Shared, server};

/// When the tests' clock starts, unix seconds UTC.
pub(crate) const NOW: i64 = 1_800_000_000;
/// The password of every agent made here.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The pages, served on a free port until dropped.
pub(crate) struct Site {
    /// Where they are.
    pub(crate) address: SocketAddr,
    /// What they stand on.
    pub(crate) context: Shared,
    /// Time as the pages see it.
    pub(crate) clock: Clock,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Site {
    /// An empty installation with these settings.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::at(
            TcpListener::bind("127.0.0.1:0").unwrap(),
            settings,
            Clock::hand(NOW),
        )
    }

    /// An empty installation.
    pub(crate) fn empty() -> Self {
        Self::with(&[])
    }

    /// An installation on this listener.
    pub(crate) fn at(listener: TcpListener, settings: &[(&str, &str)], clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = listener.local_addr().unwrap();
        let path = folder.path().display().to_string();
        let usual = [
            ("MAILHATCH_DATA_DIR", path.as_str()),
            (
                "MAILHATCH_SECRET_KEY",
                "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
            ),
            ("MAILHATCH_BACKUP_CRON", ""),
        ];
        let environment: Environment = usual
            .iter()
            .chain(settings)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let services = app::open(
            Config::from_environment(&environment).unwrap(),
            clock.clone(),
        )
        .unwrap();
        let context: Shared = Data::new(Context::new(services));
        let (sender, receiver) = mpsc::channel();
        let served = context.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let running = server(served, listener, None).unwrap();
                sender.send(running.handle()).unwrap();
                running.await.unwrap();
            });
        });
        let handle = receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        Self {
            address,
            context,
            clock,
            handle,
            thread: Some(thread),
            _folder: folder,
        }
    }

    /// The database.
    pub(crate) fn store(&self) -> &Store {
        &self.context.services.store
    }

    /// Adds an agent with [`PASSWORD`].
    pub(crate) fn agent(&self, email: &str, name: &str, role: Role) -> AgentId {
        let hash = mailhatch::password::hash(PASSWORD).unwrap();
        self.store()
            .write(|tx| store::agents::insert(tx, email, name, role, &hash, NOW))
            .unwrap()
    }

    /// Adds a mailbox that works.
    pub(crate) fn mailbox(&self, address: &str, name: &str) -> MailboxId {
        let sealer = &self.context.services.sealer;
        self.store()
            .write(|tx| -> store::Result<MailboxId> {
                let id = store::mailboxes::insert(tx, address, name, false, NOW)?;
                let credential = Credential {
                    mailbox_id: id,
                    tenant_id: "tenant".to_owned(),
                    object_id: address.to_owned(),
                    upn: address.to_owned(),
                    person_name: name.to_owned(),
                    refresh_token: "r".to_owned(),
                    refreshed_at: NOW,
                    exchange_token: None,
                    exchange_expires_at: 0,
                    graph_token: None,
                    graph_expires_at: 0,
                };
                store::credentials::upsert(tx, sealer, &credential)?;
                store::mailboxes::update_status(tx, id, MailboxStatus::Active, None, NOW)?;
                Ok(id)
            })
            .unwrap()
    }

    /// Begins a conversation with one incoming message.
    pub(crate) fn conversation(
        &self,
        mailbox_id: MailboxId,
        from: &Address,
        raw: &str,
    ) -> ConversationId {
        let (parsed, _) = mailhatch::mail::parse(raw.as_bytes());
        let id = self
            .store()
            .write(|tx| -> store::Result<ConversationId> {
                let contact: ContactId = store::contacts::upsert(tx, from, NOW)?;
                store::conversations::insert(
                    tx,
                    mailbox_id,
                    contact,
                    &parsed.subject,
                    Status::Open,
                    NOW,
                )
            })
            .unwrap();
        self.message(mailbox_id, id, Direction::Incoming, raw, NOW);
        id
    }

    /// Files a raw message into a conversation.
    pub(crate) fn message(
        &self,
        mailbox_id: MailboxId,
        conversation_id: ConversationId,
        direction: Direction,
        raw: &str,
        at: i64,
    ) -> MessageId {
        let raw = raw.replace('\n', "\r\n");
        let (parsed, _) = mailhatch::mail::parse(raw.as_bytes());
        let split =
            mailhatch::mail::quote::split(&parsed.subject, &parsed.text, parsed.html.as_deref());
        let plain = |list: &[Address]| -> Vec<Address> {
            list.iter()
                .map(|who| Address::new(who.name.clone(), who.address.clone()))
                .collect()
        };
        let from = plain(&parsed.from).into_iter().next().unwrap_or_default();
        let recipients = Recipients {
            to: plain(&parsed.to),
            cc: plain(&parsed.cc),
            bcc: Vec::new(),
            reply_to: plain(&parsed.reply_to),
        };
        let identity = sha256(format!("{conversation_id}{raw}{at}").as_bytes());
        let files: Vec<_> = parsed
            .attachments
            .iter()
            .map(|file| {
                store::attachments::NewAttachment::new(
                    file.filename.clone(),
                    file.content_type.clone(),
                    file.inline,
                    file.content_id.clone(),
                    &file.bytes,
                )
                .unwrap()
            })
            .collect();
        let preview = mailhatch::mail::html::preview(&split.reply_text, 200);
        self.store()
            .write(|tx| -> store::Result<MessageId> {
                let derived = Derived {
                    kind: Kind::Message,
                    internet_message_id: parsed.message_id.as_deref().unwrap_or_default(),
                    identity,
                    from: &from,
                    recipients: &recipients,
                    subject: &parsed.subject,
                    preview: &preview,
                    text: &parsed.text,
                    reply_text: &split.reply_text,
                    has_html: parsed.html.is_some(),
                    quoted: split.quoted,
                    defects: &[],
                    thread_guid: None,
                    version: mailhatch::intake::DERIVED_VERSION,
                };
                let new = NewMessage {
                    mailbox_id,
                    conversation_id,
                    direction,
                    agent_id: None,
                    placed_by: PlacedBy::New,
                    derived,
                    sent_at: at,
                };
                let id = store::messages::insert(tx, &new, NOW)?;
                store::messages::insert_raw(tx, id, &Packed::pack(raw.as_bytes())?)?;
                store::attachments::insert_all(tx, id, &files)?;
                store::search::upsert_stored(tx, id)?;
                store::conversations::refresh(tx, conversation_id)?;
                Ok(id)
            })
            .unwrap()
    }

    /// A browser without cookies.
    pub(crate) fn browser(&self) -> Browser {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .new_agent();
        Browser {
            base: format!("http://{}", self.address),
            cookies: BTreeMap::new(),
            agent,
            headers: Vec::new(),
        }
    }

    /// A browser of an agent who has signed in.
    pub(crate) fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        let form = browser.get("/sign-in");
        let answer = browser.post(
            "/sign-in",
            &form,
            &[("email", email), ("password", PASSWORD)],
        );
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.context.streams.stop();
        drop(self.handle.stop(true));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.unwrap();
            }
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// Header fields, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Body as text.
    pub(crate) body: String,
    /// Body as bytes.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// A header field's first value; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// The value of a hidden field of the first form that has it.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let start = self
            .body
            .find(&mark)
            .unwrap_or_else(|| panic!("no field {name} in {}", self.body))
            + mark.len();
        self.body
            .split_at(start)
            .1
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    }
}

/// A browser of few words: it keeps cookies and follows nothing by itself.
pub(crate) struct Browser {
    base: String,
    /// Its cookies.
    pub(crate) cookies: BTreeMap<String, String>,
    /// Header fields it sends along.
    pub(crate) headers: Vec<(String, String)>,
    agent: ureq::Agent,
}

impl Browser {
    /// Asks for a page.
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in self.all_headers() {
            request = request.header(name, value);
        }
        let answer = request.call().unwrap();
        self.take(answer)
    }

    /// Sends a form of this page, with its token.
    pub(crate) fn post(&mut self, path: &str, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let csrf = page.hidden("csrf");
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.post_bare(path, &all)
    }

    /// Sends just these fields.
    pub(crate) fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.send(path, "application/x-www-form-urlencoded", body.as_bytes())
    }

    /// Sends a form with files: field, name, content.
    pub(crate) fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend_from_slice(
                format!(
                    "--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                )
                .as_bytes(),
            );
        }
        for (field, name, content) in files {
            body.extend_from_slice(
                format!("--edge\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: text/plain\r\n\r\n").as_bytes(),
            );
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--edge--\r\n");
        self.send(path, "multipart/form-data; boundary=edge", &body)
    }

    fn send(&mut self, path: &str, kind: &str, body: &[u8]) -> Answer {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("content-type", kind);
        for (name, value) in self.all_headers() {
            request = request.header(name, value);
        }
        let answer = request.send(body).unwrap();
        self.take(answer)
    }

    fn all_headers(&self) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            headers.push(("cookie".to_owned(), cookies.join("; ")));
        }
        headers
    }

    fn take(&mut self, answer: ureq::http::Response<ureq::Body>) -> Answer {
        let status = answer.status().as_u16();
        let headers: Vec<(String, String)> = answer
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    value.to_str().unwrap_or_default().to_owned(),
                )
            })
            .collect();
        for (_, cookie) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() || cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let bytes = answer
            .into_body()
            .into_with_config()
            .limit(64 * 1024 * 1024)
            .read_to_vec()
            .unwrap();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answer {
            status,
            headers,
            body,
            bytes,
        }
    }
}
