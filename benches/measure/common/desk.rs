//! A help desk with mailboxes, before the pretend Microsoft 365 or before real Dovecot and Postfix.

use mailhatch::clock::Clock;
use mailhatch::model::{MailboxId, TakeFrom};
use mailhatch::providers::microsoft::Resource;
use mailhatch::secret::random_token;
use mailhatch::store::{self, Db};
use mailhatch::work::connect;
use mailhatch::work::credentials::{Freshness, access_token};
use mailhatch_simulator::world::User;
use serde_json::{Value, json};

use super::program::Program;
use crate::interop::servers::{Key, Options, Servers};
use crate::support::stage::Stage;

/// Somebody outside to whom the real servers take mail.
pub(crate) const CUSTOMER: &str = "customer@shop.example";

/// The desk. Its mailboxes are connected and take all mail.
pub(crate) struct Desk {
    pub(crate) stage: Stage,
    pub(crate) servers: Option<Servers>,
    pub(crate) mailboxes: Vec<(MailboxId, String)>,
}

impl Desk {
    /// So many mailboxes before the pretend Microsoft 365.
    pub(crate) fn pretend(count: usize) -> Self {
        Self::new(count, false)
    }

    /// So many mailboxes before real Dovecot and Postfix that believe the pretend Entra's tokens.
    pub(crate) fn real(count: usize) -> Self {
        Self::new(count, true)
    }

    fn new(count: usize, real: bool) -> Self {
        let mut stage = Stage::with(Clock::System, &[]);
        let addresses: Vec<String> = (0..count)
            .map(|n| format!("desk{n}@harbourlights.example"))
            .collect();
        for address in &addresses {
            let user = User::work(&stage.demo.tenant_id, address, "Desk");
            stage.simulator.world().add_user(user);
        }
        let servers = real.then(|| start_servers(&mut stage, &addresses));
        let mailboxes = addresses
            .into_iter()
            .map(|address| {
                let id = stage.consent("", &address);
                connect::choose(&stage.services, id, TakeFrom::All, 0).unwrap();
                (id, address)
            })
            .collect();
        Self {
            stage,
            servers,
            mailboxes,
        }
    }

    /// Puts messages into a mailbox's inbox.
    pub(crate) fn deliver(&self, address: &str, messages: impl Iterator<Item = Vec<u8>>) {
        match &self.servers {
            Some(servers) => servers.deliver_many(address, messages),
            None => {
                for raw in messages {
                    assert!(self.stage.simulator.world().deliver(address, &raw));
                }
            }
        }
    }

    /// Starts the program.
    pub(crate) fn serve(&self) -> Program {
        Program::serve(&self.stage, &self.settings())
    }

    /// What the program is set to besides the stage's settings.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let mut settings = Vec::new();
        if self.servers.is_some() {
            let (imap, smtp) = self.endpoints();
            settings = vec![
                ("MAILHATCH_MICROSOFT_IMAP".to_owned(), imap),
                ("MAILHATCH_MICROSOFT_SMTP".to_owned(), smtp),
                ("MAILHATCH_CA_FILE".to_owned(), self.ca_file()),
            ];
        }
        settings
    }

    fn endpoints(&self) -> (String, String) {
        match &self.servers {
            Some(servers) => (
                format!("localhost:{}", servers.imap_port()),
                format!("localhost:{}", servers.smtp_port()),
            ),
            None => {
                let endpoints = self.stage.simulator.endpoints();
                (endpoints.imap.clone(), endpoints.smtp.clone())
            }
        }
    }

    /// A file with the roots of all servers here.
    pub(crate) fn ca_file(&self) -> String {
        let mut roots = self.stage.simulator.endpoints().ca_pem.clone();
        if let Some(servers) = &self.servers {
            roots.push_str(servers.ca_pem());
        }
        let path = self.stage.folder.path().join("roots.pem");
        std::fs::write(&path, roots).unwrap();
        path.display().to_string()
    }

    /// What a rival needs to sign in: servers, root and a token for each mailbox. To be asked while the
    /// program does not run, for the stage renews tokens too.
    pub(crate) fn sign_ins(&self) -> Value {
        let (imap, smtp) = self.endpoints();
        let accounts: Vec<Value> = self
            .mailboxes
            .iter()
            .map(|(id, address)| {
                let services = &self.stage.services;
                let token =
                    access_token(services, *id, Resource::Exchange, Freshness::Stored).unwrap();
                json!({ "user": address, "token": token.token.as_str() })
            })
            .collect();
        json!({ "imap": imap, "smtp": smtp, "ca": self.ca_file(), "accounts": accounts })
    }

    /// The cookie of an agent who has signed in, as a header field.
    pub(crate) fn cookie(&self) -> String {
        let (token, now) = (random_token(), self.stage.clock.now());
        let agent = self.stage.admin.agent.id;
        self.stage
            .services
            .store
            .write(|tx| store::sessions::insert(tx, agent, &token, &random_token(), now))
            .unwrap();
        format!("Cookie: mailhatch_session={token}\r\n")
    }

    /// A number from the database.
    pub(crate) fn count(&self, sql: &str) -> usize {
        let read = |db: &Db| {
            db.query_row(sql, [], |row| row.get(0))
                .map_err(store::Error::from)
        };
        let count: i64 = self.stage.services.store.read(read).unwrap();
        usize::try_from(count).unwrap()
    }
}

fn start_servers(stage: &mut Stage, addresses: &[String]) -> Servers {
    let keys = stage.simulator.entra().public_keys();
    let keys = keys.into_iter().map(|(kid, public_key_pem)| Key {
        kid,
        public_key_pem,
    });
    let servers = Servers::start(Options {
        keys: keys.collect(),
        audience: Some("https://outlook.office.com".to_owned()),
        password: true,
        users: addresses
            .iter()
            .map(String::as_str)
            .chain([CUSTOMER])
            .map(str::to_owned)
            .collect(),
        ..Options::default()
    })
    .unwrap();
    let (imap, smtp) = (servers.imap_port(), servers.smtp_port());
    stage.face(
        &format!("localhost:{imap}"),
        &format!("localhost:{smtp}"),
        servers.ca_pem(),
    );
    servers
}
