//! What one does, another sees: pages follow by themselves.

use crate::desk;
use crate::support::browser::Browser;
use crate::support::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_browser_follows_new_mail_and_a_colleagues_answer_without_reloading() {
    let (program, simulator, demo) = Program::serve();
    let (first, second) = (Browser::start().await, Browser::start().await);
    desk::sign_in(&first, &program).await;
    desk::connect(&first, &program).await;
    first.go(&program.url).await;
    desk::sign_in(&second, &program).await;
    second.see_with("#nothing", "Everything is answered").await;
    for browser in [&first, &second] {
        desk::stay(browser).await;
    }

    for (number, subject) in ["Does the Mole fit outdoors?", "A dent in the Beacon"]
        .iter()
        .enumerate()
    {
        let raw = format!(
            "From: Nora Field <nora{number}@customer.example>\r\nTo: {}\r\n\
             Subject: {subject}\r\nMessage-ID: <live.{number}@customer.example>\r\n\r\n\
             Please tell me.\r\n",
            demo.support_address
        );
        assert!(
            simulator
                .world()
                .deliver(&demo.support_address, raw.as_bytes())
        );
        for browser in [&first, &second] {
            browser.see_with(desk::SUBJECT, subject).await;
        }
    }
    for browser in [&first, &second] {
        desk::has_stayed(browser).await;
    }

    for browser in [&first, &second] {
        browser.click_with(desk::SUBJECT, "Does the Mole").await;
        browser.see(".letter").await;
    }
    desk::stay(&second).await;
    first.write(".editor-text", "Yes, it does.").await;
    first.click_with("button[name=then]", "Send").await;
    // The page after the form, not the one before it.
    first.see(".letter.ours").await;
    desk::stay(&first).await;
    // Nobody answers here: the states come by themselves, the last one too.
    for browser in [&first, &second] {
        browser.see_with(".letter.ours .chip", "Sent").await;
        desk::has_stayed(browser).await;
    }
    second.see_with("#talk-head", "Waiting").await;
    first.end().await;
    second.end().await;
}
