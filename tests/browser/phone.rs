//! On a telephone, in light and dark: nothing is wider than the screen.

use crate::desk;
use crate::support::browser::Browser;
use crate::support::program::Program;

const WIDTH: u32 = 390;

#[tokio::test(flavor = "multi_thread")]
async fn on_a_telephone_every_page_fits_in_light_and_dark() {
    let program = Program::demo();
    let browser = Browser::start().await;
    browser.screen(WIDTH, 844, true).await;
    desk::sign_in(&browser, &program).await;
    desk::connect(&browser, &program).await;
    browser.go(&program.url).await;
    browser.see_with(desk::SUBJECT, "Dimmer flickers").await;

    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        browser.colours(scheme).await;
        browser.go(&program.url).await;
        grounds.push(
            browser
                .run("return getComputedStyle(document.body).backgroundColor")
                .await,
        );
        look(&browser, "inbox", scheme).await;
        talk(&browser, scheme).await;
        for (name, path) in [
            ("mailboxes", "/mailboxes"),
            ("add-mailbox", "/mailboxes/new"),
            ("guide", "/admin/microsoft"),
            ("health", "/admin/health"),
            ("ledger", "/admin/ledger"),
            ("agents", "/admin/agents"),
            ("outbox", "/outbox"),
        ] {
            browser.go(&format!("{}{path}", program.url)).await;
            look(&browser, name, scheme).await;
        }
    }
    assert_ne!(grounds[0], grounds[1], "dark is as light as light");
    browser.end().await;
}

async fn talk(browser: &Browser, scheme: &str) {
    browser.click_with(desk::SUBJECT, "Dimmer flickers").await;
    browser.see(".letter iframe.mail").await;
    browser.see(".editor-text").await;
    look(browser, "conversation", scheme).await;
    browser
        .run("document.querySelector('#write').scrollIntoView()")
        .await;
    look(browser, "reply", scheme).await;
}

async fn look(browser: &Browser, name: &str, scheme: &str) {
    browser.see("h1").await;
    browser.fits(WIDTH.into(), name).await;
    browser.readable(&format!("{name} in {scheme}")).await;
    browser.picture(&format!("phone/{name}-{scheme}")).await;
}
