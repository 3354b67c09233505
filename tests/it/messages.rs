//! Messages and files: shown so that nothing in them acts.

use mailhatch::model::{Address, Role};
use mailhatch::store;

use crate::support::site::{Browser, Site};

const HOSTILE: &str = "From: Eve <eve@example.net>\nTo: support@example.com\nSubject: Hi\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html; charset=utf-8\n\n<p onclick=\"x()\">Read <script>alert(1)</script>this</p><img src=\"cid:logo@x\"><img src=\"https://track.example/p.gif\"><form action=\"/sign-out\"><button>b</button></form><a href=\"javascript:x()\">l</a><iframe src=\"/\"></iframe>\n--r\nContent-Type: image/png; name=\"logo.png\"\nContent-ID: <logo@x>\nContent-Disposition: inline\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--r--\n--m\nContent-Type: text/html; name=\"page.html\"\nContent-Disposition: attachment; filename=\"page.html\"\n\n<script>alert(1)</script>\n--m\nContent-Type: image/svg+xml; name=\"pic.svg\"\nContent-Disposition: attachment; filename=\"pic.svg\"\nContent-ID: <pic@x>\n\n<svg/>\n--m--\n";

fn site() -> (Site, Browser) {
    let site = Site::empty();
    site.agent("ada@example.com", "Ada", Role::Agent);
    let mailbox = site.mailbox("support@example.com", "Support");
    site.conversation(mailbox, &Address::new("Eve", "eve@example.net"), HOSTILE);
    let browser = site.signed_in("ada@example.com");
    (site, browser)
}

#[test]
fn a_message_s_own_html_is_shown_in_a_sandbox_under_its_own_policy() {
    let (_site, mut browser) = site();
    let page = browser.get("/conversations/1").body;
    assert!(
        page.contains("src=\"/messages/1/body\" sandbox=\"allow-same-origin allow-popups"),
        "{page}"
    );
    // Where no script measures it, it has about the height of its text.
    assert!(page.contains("<iframe class=\"mail\" height=\"1"), "{page}");
    assert!(
        !page.contains("<p onclick") && !page.contains("cid:logo"),
        "the message's HTML is in our page"
    );
    let body = browser.get("/messages/1/body");
    assert_eq!(body.status, 200);
    let policy = body.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("sandbox allow-same-origin"),
        "{policy}"
    );
    assert!(
        !policy.contains("allow-scripts") && !policy.contains("script-src"),
        "{policy}"
    );
    assert!(policy.contains("form-action 'none'") && policy.contains("frame-ancestors 'self'"));
    assert_eq!(body.header("referrer-policy"), "no-referrer");
    assert_eq!(body.header("x-frame-options"), "SAMEORIGIN");
    for bad in ["<script", "onclick", "<form", "javascript:", "<iframe"] {
        assert!(!body.body.contains(bad), "{bad} in {}", body.body);
    }
    assert!(body.body.contains("Read ") && body.body.contains("this"));
}

#[test]
fn pictures_of_other_servers_are_let_in_only_for_the_answer_that_was_asked() {
    let (_site, mut browser) = site();
    let blocked = browser.get("/messages/1/body");
    assert!(!blocked.body.contains("track.example") && blocked.body.contains("Show pictures"));
    assert!(
        blocked
            .body
            .contains("1 picture from another server is not shown.")
    );
    assert!(!blocked.header("content-security-policy").contains("https:"));
    let shown = browser.get("/messages/1/body?images=1");
    assert!(
        shown.body.contains("https://track.example/p.gif") && !shown.body.contains("Show pictures")
    );
    assert!(
        shown
            .header("content-security-policy")
            .contains("img-src 'self' https: http: data:")
    );
    assert!(
        browser
            .get("/messages/1/body")
            .body
            .contains("Show pictures")
    );
}

const NEWS: &str = "From: News <news@shop.example>\nTo: support@example.com\nSubject: News\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n<p>Spring</p><img src=\"https://pics.shop.example/a.jpg\"><div style=\"background:url(https://pics.shop.example/b.jpg)\">b</div><img width=1 height=1 src=\"https://pics.shop.example/opened\">\n";
const PROVEN: &str =
    "Authentication-Results: spf=pass; dkim=pass; dmarc=pass header.from=shop.example\n";

/// Two messages in one sender's name; only the first is proven to be theirs.
fn news() -> (Site, Browser) {
    let site = Site::empty();
    site.agent("ada@example.com", "Ada", Role::Agent);
    let mailbox = site.mailbox("support@example.com", "Support");
    let sender = Address::new("News", "news@shop.example");
    site.conversation(mailbox, &sender, &format!("{PROVEN}{NEWS}"));
    site.conversation(mailbox, &sender, NEWS);
    let browser = site.signed_in("ada@example.com");
    (site, browser)
}

#[test]
fn tracking_pixels_are_counted_apart_and_never_loaded() {
    let (_site, mut browser) = news();
    let blocked = browser.get("/messages/1/body").body;
    let sentence = "3 pictures from other servers are not shown, 1 of them a tracking pixel.";
    assert!(blocked.contains(sentence), "{blocked}");
    let shown = browser.get("/messages/1/body?images=1").body;
    assert!(
        shown.contains("a.jpg") && shown.contains("b.jpg"),
        "{shown}"
    );
    assert!(!shown.contains("/opened"), "{shown}");
    assert!(shown.contains("A tracking pixel was kept out."), "{shown}");
}

#[test]
fn a_sender_s_pictures_can_be_chosen_for_good_and_only_where_the_mail_is_proven_theirs() {
    let (_site, mut browser) = news();
    let conversation = browser.get("/conversations/1");
    let page = &conversation.body;
    assert!(page.contains("wait until you ask for them"), "{page}");
    let form = [
        ("address", "news@shop.example"),
        ("back", "/conversations/1"),
    ];
    let answer = browser.post("/picture-senders", &conversation, &form);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/conversations/1")
    );
    let proven = browser.get("/messages/1/body");
    assert!(proven.body.contains("a.jpg"), "{}", proven.body);
    assert!(proven.header("content-security-policy").contains("https:"));
    let doubtful = browser.get("/messages/2/body");
    assert!(!doubtful.body.contains("a.jpg"), "{}", doubtful.body);
    assert!(
        doubtful
            .body
            .contains("nothing proves that this message is theirs")
    );
    assert!(
        !doubtful
            .header("content-security-policy")
            .contains("https:")
    );
    let page = browser.get("/conversations/1").body;
    assert!(page.contains("in their mail are shown"), "{page}");
    browser.post("/picture-senders/removal", &conversation, &form);
    assert!(!browser.get("/messages/1/body").body.contains("a.jpg"));
}

#[test]
fn only_an_address_can_be_chosen_and_only_by_an_agent() {
    let (site, mut browser) = news();
    let page = browser.get("/conversations/1");
    let answer = browser.post("/picture-senders", &page, &[("address", "nobody")]);
    assert_eq!(answer.status, 400);
    let form = [("address", "news@shop.example")];
    let answer = site.browser().post_bare("/picture-senders", &form);
    assert!(answer.status >= 300, "{}", answer.status);
    assert!(!browser.get("/messages/1/body").body.contains("a.jpg"));
}

#[test]
fn the_frame_says_whether_the_mail_needs_white_paper() {
    let site = Site::empty();
    site.agent("ada@example.com", "Ada", Role::Agent);
    let mailbox = site.mailbox("support@example.com", "Support");
    let sender = Address::new("Eve", "eve@example.net");
    let letter = |body: &str| {
        format!(
            "From: Eve <eve@example.net>\nTo: support@example.com\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n{body}\n"
        )
    };
    site.conversation(mailbox, &sender, &letter("<p style='color:#000'>plain</p>"));
    let dressed = letter("<body class=news bgcolor=#224466><p style='color:#fff'>dressed</p>");
    site.conversation(mailbox, &sender, &dressed);
    let mut browser = site.signed_in("ada@example.com");
    let plain = browser.get("/messages/1/body").body;
    assert!(!plain.contains("mailhatch-paper") && plain.contains("data-theme=\"system\""));
    let dressed = browser.get("/messages/2/body").body;
    assert!(
        dressed.contains("class=\"mailhatch-mail mailhatch-paper news\""),
        "{dressed}"
    );
}

#[test]
fn a_picture_in_the_text_comes_by_its_content_id() {
    let (_site, mut browser) = site();
    assert!(
        browser
            .get("/messages/1/body")
            .body
            .contains("src=\"/messages/1/cid/logo%40x\"")
    );
    let picture = browser.get("/messages/1/cid/logo%40x");
    assert_eq!(
        (picture.status, picture.header("content-type")),
        (200, "image/png")
    );
    assert_eq!(picture.header("content-disposition"), "inline");
    assert!(
        picture
            .header("content-security-policy")
            .contains("sandbox")
    );
    assert_eq!(picture.bytes, b"\x89PNG\r\n\x1a\n");
    // A drawing can hold scripts: it is never shown.
    let drawing = browser.get("/messages/1/cid/pic%40x");
    assert_eq!(drawing.header("content-type"), "application/octet-stream");
    assert!(
        drawing
            .header("content-disposition")
            .starts_with("attachment")
    );
    assert_eq!(browser.get("/messages/1/cid/none").status, 404);
}

#[test]
fn a_picture_in_the_text_comes_by_its_location() {
    let site = Site::empty();
    site.agent("ada@example.com", "Ada", Role::Agent);
    let mailbox = site.mailbox("support@example.com", "Support");
    let letter = "From: Eve <eve@example.net>\nTo: support@example.com\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n<img src=\"http://pics.example/a b/100%.png\">\n--r\nContent-Type: image/png\nContent-Location: http://pics.example/a b/100%.png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--r--\n";
    site.conversation(mailbox, &Address::new("Eve", "eve@example.net"), letter);
    let mut browser = site.signed_in("ada@example.com");
    let body = browser.get("/messages/1/body").body;
    let address = "/messages/1/cid/http%3A%2F%2Fpics.example%2Fa%20b%2F100%25.png";
    assert!(body.contains(&format!("src=\"{address}\"")), "{body}");
    assert!(!body.contains("not shown"), "{body}");
    assert_eq!(browser.get(address).bytes, b"\x89PNG\r\n\x1a\n");
}

#[test]
fn files_are_handed_out_inert() {
    let (site, mut browser) = site();
    let files = site
        .store()
        .read(|db| store::attachments::list(db, mailhatch::model::MessageId(1)))
        .unwrap();
    let page = files
        .iter()
        .find(|file| file.filename == "page.html")
        .unwrap();
    let answer = browser.get(&format!("/attachments/{}", page.id));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert!(
        answer
            .header("content-disposition")
            .starts_with("attachment; filename=\"page.html\"")
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").contains("sandbox"));
    let list = browser.get("/conversations/1").body;
    assert!(list.contains("page.html") && list.contains("bytes"));
    assert!(
        !list.contains("logo.png"),
        "a picture of the text stands among the files"
    );
}

#[test]
fn the_original_can_be_saved_byte_for_byte() {
    let (_site, mut browser) = site();
    let raw = browser.get("/messages/1/raw");
    assert_eq!(
        (raw.status, raw.header("content-type")),
        (200, "message/rfc822")
    );
    assert!(raw.header("content-disposition").contains("message-1.eml"));
    assert_eq!(raw.body, HOSTILE.replace('\n', "\r\n"));
    let link = browser.get("/messages/1");
    assert_eq!(
        (link.status, link.header("location")),
        (303, "/conversations/1#message-1")
    );
}

#[test]
fn nothing_of_a_message_is_given_to_strangers() {
    let (site, _) = site();
    for path in [
        "/messages/1",
        "/messages/1/body",
        "/messages/1/raw",
        "/messages/1/source",
        "/messages/1/cid/logo%40x",
        "/attachments/1",
        "/conversations/1",
    ] {
        let answer = site.browser().get(path);
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").starts_with("/sign-in"), "{path}");
    }
}

#[test]
fn the_source_shows_fields_parts_and_bytes_without_acting() {
    let (site, mut browser) = site();
    let page = browser.get("/messages/1/source");
    assert_eq!(page.status, 200);
    let body = &page.body;
    for shown in [
        "multipart/mixed",
        "image/svg+xml",
        "pic.svg",
        "Content-Type",
        "Original (.eml",
    ] {
        assert!(body.contains(shown), "{shown} is missing in {body}");
    }
    assert!(!body.contains("<script>alert"), "{body}");
    assert!(body.contains("&lt;script&gt;alert(1)") || body.contains("&#60;script&#62;alert(1)"));
    assert_eq!(browser.get("/messages/99/source").status, 404);
    // Only the beginning of a large one.
    let long = format!(
        "From: a@example.net\nSubject: =?utf-8?Q?Gr=C3=B6=C3=9Fe?=\n\n{}END",
        "0123456789\n".repeat(60_000)
    );
    let mailbox = site.mailbox("two@example.com", "Two");
    site.conversation(mailbox, &Address::new("A", "a@example.net"), &long);
    let page = browser.get("/messages/2/source").body;
    assert!(page.contains("Größe") && page.contains("The beginning only."));
    assert!(!page.contains("END</pre>") && page.len() < 500_000);
}

#[test]
fn a_signature_in_html_is_folded_with_what_it_quotes() {
    let (site, mut browser) = site();
    let mailbox = site.mailbox("two@example.com", "Two");
    let raw = "From: a@example.net\nSubject: Re: Lamp\nContent-Type: text/html\n\n<div>It works, thank you very much.</div><div class=\"gmail_signature\">Ann, Sales</div><div class=\"gmail_quote\"><div class=\"gmail_attr\">On Monday Support wrote:</div><blockquote class=\"gmail_quote\">Try the switch.</blockquote></div>\n";
    site.conversation(mailbox, &Address::new("A", "a@example.net"), raw);
    let body = browser.get("/messages/2/body").body;
    let at = |text: &str| {
        body.find(text)
            .unwrap_or_else(|| panic!("{text} in {body}"))
    };
    assert!(at("It works") < at("<summary>Signature</summary>"));
    assert!(at("<summary>Signature</summary>") < at("Ann, Sales"));
    assert!(at("Ann, Sales") < at("<summary>Quoted history</summary>"));
    assert!(at("<summary>Quoted history</summary>") < at("Try the switch."));
}
