//! From an empty inbox to an answered customer, as a person does it.

use std::time::Instant;

use crate::desk;
use crate::support::browser::Browser;
use crate::support::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_connects_a_mailbox_answers_a_customer_and_reads_the_answer_without_reloading() {
    let program = Program::demo();
    let browser = Browser::start().await;
    sign_in(&browser, &program).await;
    connect(&browser, &program).await;
    open_conversation(&browser, &program).await;
    reply(&browser).await;
    follow(&browser).await;
    received(&browser, &program).await;
    browser.end().await;
}

async fn sign_in(browser: &Browser, program: &Program) {
    browser.go(&program.url).await;
    browser.see_with("h1", "Sign in").await;
    browser.picture("01-sign-in").await;
    desk::sign_in(browser, program).await;
    browser.see_with("#nothing h2", "No mailbox yet").await;
    browser.see_with("#nothing a", "Add a mailbox").await;
    browser.picture("02-empty-inbox").await;
}

async fn connect(browser: &Browser, program: &Program) {
    browser
        .click_with("nav a[href='/mailboxes']", "Mailboxes")
        .await;
    browser.click_with("main a", "Add a mailbox").await;
    browser.see_with("h2", "Microsoft 365 or Outlook.com").await;
    browser.picture("03-add-mailbox").await;
    browser.click_with("button", "Sign in at Microsoft").await;
    let account = desk::account(program);
    browser.see(&account).await;
    browser.picture("04-microsoft-account").await;
    browser.click(&account).await;
    browser.see("#accept").await;
    let wanted = browser.see("#permissions").await.text().await.unwrap();
    assert!(wanted.contains("mail"), "asked for: {wanted}");
    browser.picture("05-microsoft-consent").await;
    browser.click("#accept").await;
    checklist(browser).await;
}

async fn checklist(browser: &Browser) {
    browser
        .see_with("#choice-title", "Which mail shall Mailhatch take?")
        .await;
    let good = browser.all(".check-line.check-good").await.len();
    let bad = browser.all(".check-line.check-bad").await.len();
    if good < 4 || bad > 0 {
        browser
            .give_up(&format!("{good} checks are good and {bad} bad"))
            .await;
    }
    let choices = browser.see(".choices").await.text().await.unwrap();
    assert!(
        choices.contains("15 messages"),
        "how much there is stands beside the choice: {choices}"
    );
    browser.picture("06-checklist").await;
    browser.click("input[value=all]").await;
    browser.click_with("button", "Begin").await;
}

async fn open_conversation(browser: &Browser, program: &Program) {
    let begun = Instant::now();
    browser.see(".flash").await;
    browser.go(&program.url).await;
    desk::stay(browser).await;
    browser.see(desk::SUBJECT).await;
    desk::tell(&format!(
        "the first conversation was there {:?} after Begin",
        begun.elapsed()
    ));
    // Maeve wrote twice: fifteen messages are fourteen conversations.
    browser.see_with("#rows", "Maeve Corrigan").await;
    for _ in 0..200 {
        if browser.all("#rows > li").await.len() >= 14 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(browser.all("#rows > li").await.len() >= 14);
    desk::tell(&format!(
        "all conversations were there {:?} after Begin",
        begun.elapsed()
    ));
    desk::has_stayed(browser).await;
    browser.picture("07-inbox").await;
    browser
        .click_with(desk::SUBJECT, "Crack in the shade")
        .await;
    browser.see_with("#timeline .letter", "Carla Mendes").await;
    browser.enter_frame("iframe.mail").await;
    browser.see("img").await;
    browser.leave_frame().await;
    browser.picture("08-conversation").await;
}

async fn reply(browser: &Browser) {
    let folder = tempfile::tempdir().unwrap();
    browser
        .write(".editor-text", "Dear Carla,\n\nthank you for the picture. ")
        .await;
    browser.click("button[title=Bold]").await;
    browser
        .write(".editor-text", "A new shade is on its way")
        .await;
    browser.click("button[title=Bold]").await;
    browser
        .write(
            ".editor-text",
            ", free of charge. The manual shows how to change it.\n\nAlex",
        )
        .await;
    browser
        .choose_file("#attachments", &desk::file(&folder))
        .await;
    let html = browser
        .run("return document.querySelector('input[name=html]').value")
        .await;
    let html = html.as_str().unwrap().to_owned();
    assert!(html.contains("<b>A new shade is on its way</b>"), "{html}");
    browser
        .run("document.querySelector('#write').scrollIntoView({block: 'end'})")
        .await;
    browser.picture("09-reply-with-attachment").await;
    browser.click_with("button[name=then]", "Send").await;
    browser.see(".letter.ours").await;
}

/// The reply is sent and the customer answers, while the page stays.
async fn follow(browser: &Browser) {
    let begun = Instant::now();
    desk::stay(browser).await;
    let state = browser.see(".letter.ours .chip").await.text().await;
    desk::tell(&format!("the reply is first seen as {state:?}"));
    browser.see_with(".letter.ours .chip", "Sent").await;
    desk::tell(&format!("the reply was sent after {:?}", begun.elapsed()));
    browser
        .see_with(".letter.ours .files", "Lantern manual.pdf")
        .await;
    browser
        .run("document.querySelector('.letter.ours').scrollIntoView({block: 'center'})")
        .await;
    browser.picture("10-sent").await;
    browser.see(".letter.ours ~ .letter:not(.ours)").await;
    desk::tell(&format!(
        "the customer's answer was there after {:?}",
        begun.elapsed()
    ));
    browser
        .see_with(".letter.ours ~ .letter:not(.ours)", "Carla Mendes")
        .await;
    desk::has_stayed(browser).await;
    browser
        .run("document.querySelector('.letter.ours ~ .letter:not(.ours)').scrollIntoView({block: 'center'})")
        .await;
    browser.picture("11-customer-answered").await;
}

/// What the customer got, as the pretend Microsoft shows it.
async fn received(browser: &Browser, program: &Program) {
    browser.go(&program.microsoft).await;
    let mail = browser.see("#received").await.text().await.unwrap();
    assert!(mail.contains("carla.mendes@olivar.example"), "{mail}");
    assert!(mail.contains("A new shade is on its way"), "{mail}");
}
