//! A Chromium with a profile of its own, driven through chromedriver.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::support::cdp::Cdp;
use crate::support::process::Process;

/// How long anything that must come may take; on a quiet machine it takes a tenth.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// A browser with one window. Everything it is and wrote is gone when it goes away.
pub(crate) struct Browser {
    pub(super) client: Client,
    /// Pages may run scripts.
    scripts: bool,
    _driver: Process,
    /// After the driver: profile and temporary files go when nobody writes into them any more.
    _folder: tempfile::TempDir,
}

/// Where a program is: named by the environment, else where Debian puts it.
fn find(variable: &str, usual: &str, package: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(|| PathBuf::from(usual), PathBuf::from);
    assert!(
        path.exists(),
        "{} is not there. Install it (on Debian: apt-get install {package}), or name it in {variable}.",
        path.display()
    );
    path
}

/// Starts chromedriver on a port it chooses, and returns its address.
fn start_driver(folder: &Path) -> (Process, String) {
    let driver = find(
        "TEST_CHROMEDRIVER",
        "/usr/bin/chromedriver",
        "chromium-driver",
    );
    let mut command = Command::new(driver);
    command
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut process = Process::start(&mut command, folder);
    let lines = BufReader::new(process.child().stdout.take().unwrap()).lines();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                // The test may have given up; the rest is read all the same.
                let _ = sender.send(port.trim_end_matches('.').to_owned());
            }
        }
    });
    let port = receiver
        .recv_timeout(PATIENCE)
        .expect("chromedriver says its port");
    (process, format!("http://127.0.0.1:{port}"))
}

impl Browser {
    /// A window of 1280 by 900.
    pub(crate) async fn start() -> Self {
        Self::with(true, json!({}), &[]).await
    }

    /// The same for somebody who has switched JavaScript off.
    pub(crate) async fn without_javascript() -> Self {
        Self::with(
            false,
            json!({ "profile.managed_default_content_settings.javascript": 2 }),
            &[],
        )
        .await
    }

    /// One whose requests are all written down, see [`Browser::requests`]; whatever lies outside this
    /// machine's `localhost` is looked for at `elsewhere`.
    pub(crate) async fn watched(elsewhere: SocketAddr) -> Self {
        let rule = format!("--host-resolver-rules=MAP * {elsewhere}, EXCLUDE localhost");
        // Else Chromium forbids a page from elsewhere what is mapped to this machine.
        let reach = "--disable-features=LocalNetworkAccessChecks";
        Self::with(true, json!({}), &[&rule, reach]).await
    }

    async fn with(scripts: bool, preferences: Value, more: &[&str]) -> Self {
        let chromium = find("TEST_CHROMIUM", "/usr/bin/chromium", "chromium");
        let folder = tempfile::tempdir().unwrap();
        let (driver, address) = start_driver(folder.path());
        let profile = format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        );
        let mut arguments = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--hide-scrollbars",
            "--lang=en-GB",
            &profile,
        ];
        arguments.extend_from_slice(more);
        let capabilities = json!({
            "goog:loggingPrefs": { "performance": if more.is_empty() { "OFF" } else { "ALL" } },
            "goog:chromeOptions": {
                "binary": chromium,
                "args": arguments,
                "prefs": preferences,
            }
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("an object was written above")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&address)
            .await
            .expect("Chromium starts");
        let browser = Self {
            client,
            scripts,
            _driver: driver,
            _folder: folder,
        };
        browser.screen(1280, 900, false).await;
        browser
    }

    /// A command of the `DevTools` protocol.
    pub(crate) async fn cdp(&self, name: &'static str, parameters: Value) {
        let command = Cdp { name, parameters };
        self.client.issue_cmd(command).await.unwrap();
    }

    /// Sets the size of the screen; a telephone's also behaves like one.
    pub(crate) async fn screen(&self, width: u32, height: u32, telephone: bool) {
        let parameters = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": telephone,
        });
        self.cdp("Emulation.setDeviceMetricsOverride", parameters)
            .await;
    }

    /// Sets the colours the system asks for: `light` or `dark`.
    pub(crate) async fn colours(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.cdp(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await;
    }

    /// Goes to an address.
    pub(crate) async fn go(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Loads the page again.
    pub(crate) async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    /// Where the window is.
    pub(crate) async fn address(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    /// All that match now.
    pub(crate) async fn all(&self, css: &str) -> Vec<Element> {
        self.client.find_all(Locator::Css(css)).await.unwrap()
    }

    /// The first that matches and is shown, once there is one.
    pub(crate) async fn see(&self, css: &str) -> Element {
        self.see_with(css, "").await
    }

    /// The first that matches, is shown and holds these words, once there is one.
    pub(crate) async fn see_with(&self, css: &str, words: &str) -> Element {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.shown(css, words).await {
                return found;
            }
            if Instant::now() > end {
                self.give_up(&format!("{css} with {words:?} is not shown"))
                    .await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The first that matches, is shown and holds these words, if there is one now.
    pub(crate) async fn shown(&self, css: &str, words: &str) -> Option<Element> {
        for element in self.all(css).await {
            // A part of the page may be exchanged while it is looked at: then it is looked for again.
            let Ok(true) = element.is_displayed().await else {
                continue;
            };
            if words.is_empty() || element.text().await.is_ok_and(|text| text.contains(words)) {
                return Some(element);
            }
        }
        None
    }

    /// Fails, and says what is to be seen instead.
    pub(crate) async fn give_up(&self, sentence: &str) -> ! {
        let body = match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        let folder = screens();
        let picture = folder.join("failed.png");
        if let Ok(png) = self.client.screenshot().await {
            let _ = std::fs::create_dir_all(&folder);
            let _ = std::fs::write(&picture, png);
        }
        let address = self.address().await;
        panic!(
            "{sentence}. At {address} stands ({}):\n{body}",
            picture.display()
        );
    }

    /// Clicks the first that matches and is shown.
    pub(crate) async fn click(&self, css: &str) {
        self.click_with(css, "").await;
    }

    /// Clicks the first that matches, is shown and holds these words.
    pub(crate) async fn click_with(&self, css: &str, words: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            // What stands there may be exchanged between the look and the click.
            let Err(error) = self.see_with(css, words).await.click().await else {
                return;
            };
            if Instant::now() > end {
                self.give_up(&format!("{css} cannot be clicked: {error}"))
                    .await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Types into the first that matches and is shown.
    pub(crate) async fn write(&self, css: &str, text: &str) {
        self.see(css).await.send_keys(text).await.unwrap();
    }

    /// Chooses a file in a form, whether its field is shown as such or not.
    pub(crate) async fn choose_file(&self, css: &str, path: &Path) {
        let field = self.client.find(Locator::Css(css)).await.unwrap();
        field.send_keys(path.to_str().unwrap()).await.unwrap();
    }

    /// What a script returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Goes into the frame that matches; `leave_frame` leads out.
    pub(crate) async fn enter_frame(&self, css: &str) {
        self.see(css).await.enter_frame().await.unwrap();
    }

    /// Back to the page around the frame.
    pub(crate) async fn leave_frame(&self) {
        self.client.enter_parent_frame().await.unwrap();
    }

    /// Keeps a picture of what is to be seen.
    pub(crate) async fn picture(&self, name: &str) {
        if self.scripts {
            self.settle().await;
        }
        let png = self.client.screenshot().await.unwrap();
        let file = screens().join(format!("{name}.png"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, png).unwrap();
    }

    /// Ends the browser in order.
    pub(crate) async fn end(self) {
        self.client.close().await.unwrap();
    }
}

/// Where pictures go.
fn screens() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("TEST_SCREENS")
        .map_or_else(|| root.join("target/screens"), |path| root.join(path))
}
