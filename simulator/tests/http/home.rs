//! The page at `/`.

use crate::site::Site;

#[test]
fn a_customers_letter_lands_in_the_inbox_and_the_page_lists_the_accounts() {
    let site = Site::start();
    let home = site.get(&format!("{}/", site.endpoints().login_url));
    assert_eq!(home.status, 200);
    assert!(
        home.body.contains("Pretend Microsoft 365") && home.body.contains(&site.demo.support_upn)
    );
    let before = site
        .world()
        .folder("support@harbourlights.example", "INBOX")
        .len();
    let letters = format!("{}/letters", site.endpoints().login_url);
    let form = [
        ("name", "Zo\u{eb} Field"),
        ("from", "zoe@customer.example"),
        ("to", "support@harbourlights.example"),
        ("subject", "Broken\r\nBcc: x@y.example"),
        ("body", "The lamp is <b>dark</b>."),
    ];
    assert!(site.post(&letters, &form).body.contains("Sent."));
    let inbox = site
        .world()
        .folder("support@harbourlights.example", "INBOX");
    assert_eq!(inbox.len(), before + 1);
    let raw = &inbox.last().unwrap().raw;
    let parsed = mail_parser::MessageParser::default()
        .parse(raw.as_ref())
        .unwrap();
    assert_eq!(
        parsed.from().unwrap().first().unwrap().name(),
        Some("Zo\u{eb} Field")
    );
    assert!(
        parsed.bcc().is_none(),
        "a subject cannot smuggle in a header"
    );
    let wrong = [
        ("from", "no address"),
        ("to", "support@harbourlights.example"),
    ];
    assert!(
        site.post(&letters, &wrong)
            .body
            .contains("Nothing was sent")
    );
}

#[test]
fn paths_that_do_not_exist_are_not_found() {
    let site = Site::start();
    for path in ["/x", "/common/oauth2/token", "/graphs"] {
        assert_eq!(
            site.get(&format!("{}{path}", site.endpoints().login_url))
                .status,
            404,
            "{path}"
        );
    }
}
