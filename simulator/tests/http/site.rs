//! A running simulator with a clock of its own, and a plain HTTP client.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use mailhatch_simulator::clock::Clock;
use mailhatch_simulator::entra::{App, Entra};
use mailhatch_simulator::faults::Faults;
use mailhatch_simulator::world::World;
use mailhatch_simulator::{Demo, Endpoints, Options, Simulator};
use serde_json::Value;

pub(crate) const REDIRECT_URI: &str = "http://localhost:8025/microsoft/callback";

/// The simulator under test.
pub(crate) struct Site {
    simulator: Simulator,
    time: Arc<AtomicI64>,
    agent: ureq::Agent,
    pub(crate) demo: Demo,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) cookie: Option<String>,
    pub(crate) body: String,
}

impl Site {
    pub(crate) fn start() -> Self {
        let time = Arc::new(AtomicI64::new(1_780_000_000));
        let now = Arc::clone(&time);
        let clock = Clock::new(move || now.load(Ordering::SeqCst));
        let simulator = Simulator::start(Options {
            clock,
            ..Options::default()
        })
        .unwrap();
        let demo = simulator.populate(REDIRECT_URI);
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .into();
        Self {
            simulator,
            time,
            agent,
            demo,
        }
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        self.simulator.endpoints()
    }

    pub(crate) fn entra(&self) -> &Arc<Entra> {
        self.simulator.entra()
    }

    pub(crate) fn world(&self) -> &Arc<World> {
        self.simulator.world()
    }

    pub(crate) fn faults(&self) -> &Arc<Faults> {
        self.simulator.faults()
    }

    pub(crate) fn now(&self) -> i64 {
        self.time.load(Ordering::SeqCst)
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.time.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Another registration in the same directory; its client id.
    pub(crate) fn second_app(&self) -> String {
        let id = "0e000000-0000-4000-8000-000000000002";
        self.entra()
            .register_app(App::web(id, &self.demo.tenant_id, "Second", REDIRECT_URI));
        id.to_owned()
    }

    pub(crate) fn authorize_url(&self, scope: &str, more: &[(&str, &str)]) -> String {
        let base = format!(
            "{}/common/oauth2/v2.0/authorize",
            self.endpoints().login_url
        );
        let mut url = url::Url::parse(&base).unwrap();
        url.query_pairs_mut()
            .append_pair("client_id", &self.demo.client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("scope", scope)
            .extend_pairs(more);
        url.into()
    }

    fn read(response: ureq::http::Response<ureq::Body>) -> Answer {
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let cookie = header("set-cookie").map(|text| text.split(';').next().unwrap().to_owned());
        let (location, retry_after) = (header("location"), header("retry-after"));
        let status = response.status().as_u16();
        let body = response.into_body().read_to_string().unwrap();
        Answer {
            status,
            location,
            retry_after,
            cookie,
            body,
        }
    }

    pub(crate) fn get_with(&self, url: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::read(request.call().unwrap())
    }

    pub(crate) fn get(&self, url: &str) -> Answer {
        self.get_with(url, &[])
    }

    pub(crate) fn post(&self, url: &str, form: &[(&str, &str)]) -> Answer {
        Self::read(
            self.agent
                .post(url)
                .send_form(form.iter().copied())
                .unwrap(),
        )
    }

    pub(crate) fn send(&self, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = self.agent.post(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::read(request.send(body).unwrap())
    }

    pub(crate) fn try_get(&self, path: &str, timeout: Duration) -> Result<(), ureq::Error> {
        let request = self
            .agent
            .get(format!("{}{path}", self.endpoints().login_url));
        request
            .config()
            .timeout_global(Some(timeout))
            .build()
            .call()
            .map(|_| ())
    }

    pub(crate) fn get_json(&self, path: &str) -> (u16, Value) {
        let answer = self.get(&format!("{}{path}", self.endpoints().login_url));
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }

    pub(crate) fn token(&self, tenant: &str, form: &[(&str, &str)]) -> (u16, Value) {
        self.token_with(tenant, form, &[])
    }

    pub(crate) fn token_with(
        &self,
        tenant: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> (u16, Value) {
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.endpoints().login_url);
        let mut request = self.agent.post(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = Self::read(request.send_form(form.iter().copied()).unwrap());
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }
}

/// One field of an address' query.
pub(crate) fn query_of(address: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(address).unwrap();
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
