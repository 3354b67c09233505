//! Mail as programs really write it, on the page: it fits its frame, can be read in light and dark, and
//! only the page scrolls.

use std::path::PathBuf;

use serde_json::json;

use crate::desk;
use crate::support::browser::Browser;
use crate::support::program::Program;

/// Screens on which every letter is looked at: name, colours, width, height, a telephone.
const SCREENS: [(&str, &str, u32, u32, bool); 4] = [
    ("light", "light", 1280, 1400, false),
    ("dark", "dark", 1280, 1400, false),
    ("phone", "light", 390, 1400, true),
    ("phone-dark", "dark", 390, 1400, true),
];

/// Our own letters: name, HTML, and whether it needs white paper in the dark.
fn letters() -> Vec<(&'static str, String, bool)> {
    let deep = format!(
        "<p>Two hundred tables inside each other:</p>{}<p>deep within, and still to be read</p>{}",
        "<table border=0 cellpadding=6 width='100%'><tr><td>".repeat(200),
        "</td></tr></table>".repeat(200)
    );
    let quotes = format!(
        "<p>My answer.</p>{}<p>the first words</p>{}",
        "<blockquote style='margin:0 0 0 40px;padding-left:10px'><p>then</p>".repeat(30),
        "</blockquote>".repeat(30)
    );
    vec![
        (
            "newsletter",
            include_str!("letters/newsletter.html").to_owned(),
            true,
        ),
        (
            "outlook",
            include_str!("letters/outlook.html").to_owned(),
            false,
        ),
        ("wide", include_str!("letters/wide.html").to_owned(), false),
        ("deep", deep, false),
        ("quotes", quotes, false),
    ]
}

/// Messages to look at beside ours: files or folders in `TEST_LETTERS`, separated by colons.
fn more() -> Vec<PathBuf> {
    let named = std::env::var("TEST_LETTERS").unwrap_or_default();
    let mut paths = Vec::new();
    for name in named.split(':').filter(|name| !name.is_empty()) {
        match std::fs::read_dir(name) {
            Ok(found) => paths.extend(found.map(|entry| entry.unwrap().path())),
            Err(_) => paths.push(PathBuf::from(name)),
        }
    }
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_of_all_kinds_fits_its_frame_and_can_be_read_in_light_and_dark() {
    let (program, simulator, demo) = Program::serve();
    let browser = Browser::start().await;
    let mut names: Vec<(String, Option<bool>)> = Vec::new();
    for (name, html, paper) in letters() {
        let raw = format!(
            "From: Grace Hopper <grace.{name}@customer.example>\r\nTo: {}\r\nSubject: {name}\r\nMessage-ID: <{name}@customer.example>\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n",
            demo.support_address
        );
        assert!(
            simulator
                .world()
                .deliver(&demo.support_address, raw.as_bytes())
        );
        names.push((name.to_owned(), Some(paper)));
    }
    for path in more() {
        let raw = std::fs::read(&path).unwrap();
        assert!(simulator.world().deliver(&demo.support_address, &raw));
        names.push((
            path.file_stem().unwrap().to_string_lossy().into_owned(),
            None,
        ));
    }
    desk::sign_in(&browser, &program).await;
    desk::connect(&browser, &program).await;
    let last = format!(
        "return fetch('/messages/{}/body').then((answer) => answer.status)",
        names.len()
    );
    while browser.run(&last).await != json!(200) {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    for (screen, scheme, width, height, telephone) in SCREENS {
        browser.screen(width, height, telephone).await;
        browser.colours(scheme).await;
        for (place, (name, paper)) in names.iter().enumerate() {
            browser
                .go(&format!("{}/messages/{}", program.url, place + 1))
                .await;
            browser.see("h1").await;
            let what = format!("{name} on {screen}");
            browser.picture(&format!("letters/{name}-{screen}")).await;
            let Some(paper) = paper else {
                continue;
            };
            browser.fits(width.into(), &what).await;
            let found = browser.run(FRAME).await;
            assert_eq!(
                found["scrolls"],
                json!(false),
                "{what} scrolls twice: {found}"
            );
            assert_eq!(found["paper"], json!(paper), "{what}: {found}");
            browser.enter_frame("iframe.mail").await;
            browser.readable(&what).await;
            browser.leave_frame().await;
        }
    }
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_a_proven_sender_are_shown_always_once_an_agent_says_so() {
    let (program, simulator, demo) = Program::serve();
    let browser = Browser::start().await;
    let raw = format!(
        "Authentication-Results: spf=pass; dkim=pass; dmarc=pass\r\nFrom: News <news@shop.example>\r\nTo: {}\r\n\
         Subject: Spring\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{}\r\n",
        demo.support_address,
        include_str!("letters/newsletter.html")
    );
    assert!(
        simulator
            .world()
            .deliver(&demo.support_address, raw.as_bytes())
    );
    desk::sign_in(&browser, &program).await;
    desk::connect(&browser, &program).await;
    browser.go(&program.url).await;
    browser.click_with(desk::SUBJECT, "Spring").await;
    let sentence = "4 pictures from other servers are not shown, 1 of them a tracking pixel.";
    browser.see_with(".picture-bar", sentence).await;
    browser.picture("letters/pictures-wait").await;
    browser
        .click_with(
            ".picture-bar button",
            "Always show pictures from news@shop.example",
        )
        .await;
    browser.see_with(".flash", "are shown from now on").await;
    browser
        .see_with(".picture-bar", "A tracking pixel was kept out.")
        .await;
    assert!(browser.shown(".picture-bar button", "").await.is_none());
    browser.enter_frame("iframe.mail").await;
    assert_eq!(
        browser
            .all("img[src^='https://pictures.shop.example/']")
            .await
            .len(),
        3
    );
    assert_eq!(browser.all("img[src*='track.shop.example']").await.len(), 0);
    browser.leave_frame().await;
    browser
        .click_with(".panel button", "Let them wait again")
        .await;
    browser.see_with(".picture-bar", sentence).await;
    browser.end().await;
}

/// Whether the frame scrolls by itself, and on what ground the mail lies.
const FRAME: &str = r"
const frame = document.querySelector('iframe.mail');
const page = frame.contentDocument.documentElement;
return {
  scrolls: page.scrollHeight > frame.clientHeight || page.scrollWidth > frame.clientWidth,
  heights: [page.scrollHeight, frame.clientHeight], widths: [page.scrollWidth, frame.clientWidth],
  paper: Boolean(page.querySelector('.mailhatch-paper')),
};
";
