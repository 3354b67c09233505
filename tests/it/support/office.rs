//! The pages facing the pretend Microsoft 365, and an administrator's browser.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mailhatch::clock::Clock;
use mailhatch::model::{Mailbox, MailboxId, Role};
use mailhatch::store;
use mailhatch_simulator::{Demo, Options, Simulator};
use url::Url;

use super::site::{Answer, Browser, NOW, Site};

/// Who administers.
pub(crate) const ADMIN: &str = "alex@example.com";

/// The pages over an empty store, the simulator they face, and an administrator.
pub(crate) struct Office {
    pub(crate) site: Site,
    pub(crate) simulator: Simulator,
    pub(crate) demo: Demo,
    _roots: tempfile::NamedTempFile,
}

impl Office {
    /// With the Entra app in the environment, and consent given for the organisation.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With these settings over the usual ones; an empty value takes a setting away.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let clock = Clock::hand(NOW);
        let shared = clock.clone();
        let simulator = Simulator::start(Options {
            clock: mailhatch_simulator::clock::Clock::new(move || shared.now()),
            ..Options::default()
        })
        .unwrap();
        let demo = simulator.populate("http://localhost:8025/microsoft/callback");
        let consented = simulator
            .entra()
            .update_app(&demo.client_id, |app| app.admin_consented = true);
        assert!(consented);
        let there = simulator.endpoints();
        let mut roots = tempfile::NamedTempFile::new().unwrap();
        roots.write_all(there.ca_pem.as_bytes()).unwrap();
        let data = roots.path().with_extension("data").display().to_string();
        let mut all = vec![
            ("AZURE_APP_ID", demo.client_id.as_str()),
            ("AZURE_APP_SECRET", demo.client_secret.as_str()),
            ("MAILHATCH_DATA_DIR", data.as_str()),
            ("MAILHATCH_CA_FILE", roots.path().to_str().unwrap()),
            ("MAILHATCH_MICROSOFT_LOGIN_URL", there.login_url.as_str()),
            ("MAILHATCH_MICROSOFT_GRAPH_URL", there.graph_url.as_str()),
            ("MAILHATCH_MICROSOFT_IMAP", there.imap.as_str()),
            ("MAILHATCH_MICROSOFT_SMTP", there.smtp.as_str()),
            (
                "MAILHATCH_MICROSOFT_SCOPE_PREFIX",
                there.scope_prefix.as_str(),
            ),
        ];
        all.retain(|(name, _)| settings.iter().all(|(other, _)| name != other));
        all.extend_from_slice(settings);
        let site = Site::at(TcpListener::bind("127.0.0.1:0").unwrap(), &all, clock);
        site.agent(ADMIN, "Alex Admin", Role::Admin);
        Self {
            site,
            simulator,
            demo,
            _roots: roots,
        }
    }

    /// The administrator's browser.
    pub(crate) fn admin(&self) -> Browser {
        self.site.signed_in(ADMIN)
    }

    /// Sends the form that begins a connection; gives the address at Microsoft.
    pub(crate) fn leave(&self, browser: &mut Browser, mailbox_address: &str) -> String {
        let page = browser.get("/mailboxes/new");
        let answer = browser.post("/mailboxes", &page, &[("mailbox_address", mailbox_address)]);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let to = answer.header("location").to_owned();
        assert!(
            to.starts_with(&self.simulator.endpoints().login_url),
            "{to}"
        );
        to
    }

    /// What the browser is sent back with when this person signs in and agrees.
    pub(crate) fn consent(&self, url: &str, upn: &str) -> String {
        path_of(&self.simulator.entra().consent(url, upn).unwrap())
    }

    /// Connects the mailbox of this person as a browser would, up to its checklist.
    pub(crate) fn connect(
        &self,
        browser: &mut Browser,
        mailbox_address: &str,
        upn: &str,
    ) -> MailboxId {
        let url = self.leave(browser, mailbox_address);
        let back = browser.get(&self.consent(&url, upn));
        assert_eq!(back.status, 303, "{}", back.body);
        let to = back.header("location");
        let id = to
            .strip_prefix("/mailboxes/")
            .and_then(|rest| rest.strip_suffix("/checks"));
        MailboxId(
            id.unwrap_or_else(|| panic!("sent to {to}"))
                .parse()
                .unwrap(),
        )
    }

    /// A mailbox as it is stored.
    pub(crate) fn mailbox(&self, id: MailboxId) -> Option<Mailbox> {
        self.site
            .store()
            .read(|db| store::mailboxes::find(db, id))
            .unwrap()
    }
}

/// The checklist of a mailbox once nothing more is to come.
pub(crate) fn checked(browser: &mut Browser, id: MailboxId) -> Answer {
    let path = format!("/mailboxes/{id}/checks");
    until(|| Some(browser.get(&path)).filter(|page| !page.body.contains("Trying every way")))
}

/// The text of the element with this id, which holds nothing but text.
pub(crate) fn text_of(page: &Answer, id: &str) -> String {
    let found = page
        .body
        .split_once(&format!("id=\"{id}\""))
        .and_then(|(_, rest)| {
            let (_, text) = rest.split_once('>')?;
            text.split_once('<')
        });
    let (text, _) = found.unwrap_or_else(|| panic!("no {id} in {}", page.body));
    text.replace("&#38;", "&").replace("&amp;", "&")
}

/// The path and query of an address at our own callback.
pub(crate) fn path_of(location: &str) -> String {
    let url = Url::parse(location).unwrap();
    assert_eq!(url.path(), "/microsoft/callback", "{location}");
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// Asks again and again until there is something, for ten seconds at most.
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let (_bell, quiet) = mpsc::channel::<()>();
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "it did not come in time");
        let _ = quiet.recv_timeout(Duration::from_millis(20));
    }
}
