//! Without JavaScript every action is a plain form, and answering works all the same.

use crate::desk;
use crate::support::browser::Browser;
use crate::support::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn without_javascript_a_person_connects_a_mailbox_and_answers_with_a_file_and_closes() {
    let program = Program::demo();
    let browser = Browser::without_javascript().await;
    desk::sign_in(&browser, &program).await;
    desk::connect(&browser, &program).await;
    open(&browser, &program).await;
    assert!(
        browser.all("html.scripted, .editor-text").await.is_empty(),
        "scripts run although they are switched off"
    );

    let folder = tempfile::tempdir().unwrap();
    browser
        .write(
            "textarea#text",
            "Dear Leif,\n\nthe right invoice is attached.\n\nAlex",
        )
        .await;
    browser
        .choose_file("#attachments", &desk::file(&folder))
        .await;
    browser.picture("plain/reply").await;
    browser
        .click_with("button[name=then]", "Send and close")
        .await;
    desk::reload_until(&browser, ".letter.ours .chip", "Sent").await;
    browser
        .see_with(".letter.ours .files", "Lantern manual.pdf")
        .await;
    desk::reload_until(
        &browser,
        ".letter.ours ~ .letter:not(.ours)",
        "Leif Sandvik",
    )
    .await;

    // His answer opened it again.
    browser.click_with("#talk-head button", "Close").await;
    browser.see_with("#talk-head button", "Reopen").await;
    browser.picture("plain/closed").await;
    browser.go(&format!("{}/?view=closed", program.url)).await;
    browser.see_with(desk::SUBJECT, "Wrong amount").await;
    browser.end().await;
}

async fn open(browser: &Browser, program: &Program) {
    browser.go(&program.url).await;
    desk::reload_until(browser, desk::SUBJECT, "Wrong amount").await;
    browser.click_with(desk::SUBJECT, "Wrong amount").await;
    browser.see_with(".letter", "Leif Sandvik").await;
}
