//! Files: listed with a warning where one can do harm, and messages among them shown as messages.

use mailhatch::model::{Address, Role};

use crate::support::site::{Browser, Site};

const FILES: &str = "From: Eve <eve@example.net>\nTo: support@example.com\nSubject: Files\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\nSee the files.\n--m\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"Invoice.pdf.exe\"\n\nx\n--m\nContent-Type: text/html\nContent-Disposition: attachment; filename=\"voicemail.html\"\n\nx\n--m\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"plain.pdf\"\n\nx\n--m\nContent-Type: message/rfc822\nContent-Disposition: attachment; filename=\"outer.eml\"\n\nFrom: \"Rosa <b>\" <rosa@example.org>\nTo: eve@example.net\nSubject: Outer <i>\nDate: Mon, 4 Jan 2027 10:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html; charset=utf-8\n\n<p onclick=\"x()\">Outer <b>text</b><script>alert(1)</script></p><img src=\"cid:pic@o\"><img src=\"https://track.example/p.gif\">\n--r\nContent-Type: image/png\nContent-ID: <pic@o>\nContent-Disposition: inline\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--r--\n--o\nContent-Type: message/rfc822\n\nFrom: inner@example.org\nSubject: Inner\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=i\n\n--i\nContent-Type: text/plain\n\nInner text.\n--i\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"deep.pdf\"\n\ndeep\n--i--\n\n--o--\n\n--m--\n";

fn site() -> (Site, Browser) {
    let site = Site::empty();
    site.agent("ada@example.com", "Ada", Role::Agent);
    let mailbox = site.mailbox("support@example.com", "Support");
    site.conversation(mailbox, &Address::new("Eve", "eve@example.net"), FILES);
    let browser = site.signed_in("ada@example.com");
    (site, browser)
}

/// The address in the first link whose text, or what follows it, holds `words`.
fn link(page: &str, words: &str) -> String {
    let (before, _) = page
        .split_once(words)
        .unwrap_or_else(|| panic!("{words} is missing in {page}"));
    let (_, tag) = before.rsplit_once("<a ").unwrap();
    let (_, href) = tag.split_once("href=\"").unwrap();
    href.split('"').next().unwrap().to_owned()
}

#[test]
fn a_dangerous_file_is_saved_only_after_its_warning() {
    let (_site, mut browser) = site();
    let page = browser.get("/conversations/1").body;
    let list = page.split("aria-label=\"Files\"").nth(1).unwrap();
    let item = |name: &str| {
        list.split("<li>")
            .find(|item| item.contains(name))
            .unwrap()
            .to_owned()
    };
    let program = item("Invoice.pdf.exe");
    assert!(
        program.contains("<details class=\"file-warned file-bad\"")
            && program.contains("Disguised file."),
        "{program}"
    );
    assert!(program.contains("Save it all the same"));
    assert!(item("voicemail.html").contains("file-warn"));
    let harmless = item("plain.pdf");
    assert!(!harmless.contains("<details") && harmless.contains("download=\"plain.pdf\""));
}

#[test]
fn an_attached_message_is_shown_like_one_with_its_own_files() {
    let (_site, mut browser) = site();
    let page = browser.get("/conversations/1").body;
    let outer = link(&page, "outer.eml");
    let shown = browser.get(&outer);
    assert_eq!(shown.status, 200);
    assert!(shown.body.contains("Outer &lt;i&gt;") || shown.body.contains("Outer &#60;i&#62;"));
    assert!(!shown.body.contains("<p onclick") && !shown.body.contains("<script>alert"));
    assert!(shown.body.contains(&format!("src=\"{outer}/body\"")));
    let body = browser.get(&format!("{outer}/body"));
    let policy = body.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"));
    assert!(body.body.contains("Outer ") && !body.body.contains("alert(1)"));
    assert!(!body.body.contains("track.example"));
    assert!(body.body.contains(&format!("src=\"{outer}/cid/pic%40o\"")));
    let picture = browser.get(&format!("{outer}/cid/pic%40o"));
    assert_eq!(picture.header("content-type"), "image/png");
    assert_eq!(browser.get(&format!("{outer}/cid/none")).status, 404);

    let inner = link(&shown.body, "Inner.eml");
    let shown = browser.get(&inner).body;
    assert!(shown.contains("Inner text.") && shown.contains("The message it came in"));
    let deep = browser.get(&link(&shown, "deep.pdf"));
    assert_eq!((deep.status, deep.body.trim_end()), (200, "deep"));
    assert!(
        deep.header("content-disposition")
            .starts_with("attachment; filename=\"deep.pdf\"")
    );
    let raw = browser.get(&format!("{inner}/raw"));
    assert!(
        raw.body.starts_with("From: inner@example.org"),
        "{}",
        raw.body
    );
}

#[test]
fn only_messages_are_shown_as_messages_and_only_to_agents() {
    let (site, mut browser) = site();
    let page = browser.get("/conversations/1").body;
    let outer = link(&page, "outer.eml");
    let file = link(&page, "plain.pdf");
    for path in [
        format!("{file}/message/0"),
        format!("{outer}.9"),
        format!("{outer}.0"),
        format!("{outer}.x"),
        format!("{outer}.1.0"),
        format!("{outer}{}", ".0".repeat(40)),
        format!("{outer}/files/7"),
        "/attachments/99/message/0".to_owned(),
    ] {
        assert_eq!(browser.get(&path).status, 404, "{path}");
    }
    for noun in ["", "/body", "/raw", "/files/0", "/cid/x"] {
        let answer = site.browser().get(&format!("{outer}{noun}"));
        assert_eq!(answer.status, 303, "{noun}");
    }
}
