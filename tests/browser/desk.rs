//! What several tests do at the desk: sign in, connect the support mailbox, find a conversation.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::browser::{Browser, PATIENCE};
use crate::support::program::Program;

/// Signs in, and ends in the inbox.
pub(crate) async fn sign_in(browser: &Browser, program: &Program) {
    browser.go(&program.url).await;
    browser.write("#email", &program.email).await;
    browser.write("#password", &program.password).await;
    browser.click_with("button", "Sign in").await;
    browser.see_with("h1", "Open").await;
}

/// Connects the support mailbox and takes all its mail; ends on the page after that.
pub(crate) async fn connect(browser: &Browser, program: &Program) {
    browser.go(&format!("{}/mailboxes/new", program.url)).await;
    browser.click_with("button", "Sign in at Microsoft").await;
    browser.click(&account(program)).await;
    browser.click("#accept").await;
    browser.click("input[value=all]").await;
    browser.click_with("button", "Begin").await;
    browser.see(".flash").await;
}

/// The support mailbox's button in the pretend Microsoft's list of accounts.
pub(crate) fn account(program: &Program) -> String {
    format!("button[name=account][value='{}']", program.support_upn)
}

/// The link to the conversation with this subject, in a list.
pub(crate) const SUBJECT: &str = "#rows .entry-link";

/// A file to send along: a small PDF.
pub(crate) fn file(folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("Lantern manual.pdf");
    let pdf = "%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
        2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
        3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\n\
        trailer<</Root 1 0 R>>\n%%EOF\n";
    std::fs::write(&path, pdf).unwrap();
    path
}

/// Loads the page again until these words are there: for a browser that runs no script.
pub(crate) async fn reload_until(browser: &Browser, css: &str, words: &str) {
    let end = Instant::now() + PATIENCE;
    while browser.shown(css, words).await.is_none() {
        if Instant::now() > end {
            browser
                .give_up(&format!("{css} with {words:?} does not come"))
                .await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        browser.reload().await;
    }
}

/// Marks the page, so that a reload would show.
pub(crate) async fn stay(browser: &Browser) {
    browser.run("window.sinceTheTestLooked = true").await;
}

/// It has not been loaded again since.
pub(crate) async fn has_stayed(browser: &Browser) {
    let marked = browser
        .run("return window.sinceTheTestLooked === true")
        .await;
    assert_eq!(marked, true, "the page was loaded again");
}

/// Says how long something took; shown with `--nocapture`.
#[expect(
    clippy::print_stdout,
    reason = "numbers for whoever reads the test's output"
)]
pub(crate) fn tell(sentence: &str) {
    println!("{sentence}");
}
