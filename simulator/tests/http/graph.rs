//! Graph: who am I, sendMail as MIME and JSON, finding a message in Sent Items.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailhatch_simulator::faults::{Action, Point};
use mailhatch_simulator::world::{Via, headers};
use serde_json::{Value, json};

use crate::calls::{IMAP, SEND};
use crate::site::{Answer, Site};

const SHARED: &str = "https://graph.microsoft.com/Mail.Send.Shared";
const READ: &str = "https://graph.microsoft.com/User.Read";
const MESSAGE: &str = "From: Somebody Else <else@elsewhere.example>\r\nTo: \
                       nora@customer.example\r\nCc: \"Field, Max\" <max@customer.example>\r\nBcc: \
                       hidden@customer.example\r\nSubject: Lamp\r\nMessage-ID: \
                       <one@mailhatch.example>\r\nX-Kept: yes\r\n\r\nHello\r\n";

fn token(site: &Site, upn: &str, scope: &str) -> String {
    site.entra()
        .issue(upn, &site.demo.client_id, &[scope])
        .access_token
}

fn send_as(site: &Site, who: &str, token: &str, kind: &str, body: &[u8]) -> Answer {
    let url = format!("{}/v1.0/{who}/sendMail", site.endpoints().graph_url);
    let bearer = format!("Bearer {token}");
    site.send(
        &url,
        &[("authorization", &bearer), ("content-type", kind)],
        body,
    )
}

fn send_mime(site: &Site, who: &str, token: &str) -> Answer {
    send_as(
        site,
        who,
        token,
        "text/plain",
        STANDARD.encode(MESSAGE).as_bytes(),
    )
}

fn get(site: &Site, path: &str, token: &str) -> (u16, Value) {
    let url = format!("{}/v1.0/{path}", site.endpoints().graph_url);
    let answer = site.get_with(&url, &[("authorization", &format!("Bearer {token}"))]);
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

fn assert_refused(answer: &Answer, status: u16, code: &str) {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        (answer.status, body["error"]["code"].as_str()),
        (status, Some(code)),
        "{body}"
    );
    assert!(body["error"]["innerError"]["request-id"].is_string());
}

#[test]
fn me_tells_sign_in_name_and_address_apart() {
    let site = Site::start();
    let select = "me?$select=mail,userPrincipalName,proxyAddresses,displayName,id";
    let (status, me) = get(&site, select, &token(&site, &site.demo.support_upn, READ));
    assert_eq!(status, 200, "{me}");
    assert_eq!(me["userPrincipalName"], site.demo.support_upn.as_str());
    assert_eq!(me["mail"], "support@harbourlights.example");
    assert_eq!(
        me["proxyAddresses"][0],
        "SMTP:support@harbourlights.example"
    );
    let (_, personal) = get(&site, select, &token(&site, &site.demo.personal_upn, READ));
    assert_eq!(personal["mail"], Value::Null);
    assert_eq!(
        personal["userPrincipalName"],
        site.demo.personal_upn.as_str()
    );
    let (status, body) = get(&site, "me", &token(&site, &site.demo.staff_upns[0], SEND));
    assert_eq!(
        (status, &body["error"]["code"]),
        (403, &json!("Authorization_RequestDenied"))
    );
}

#[test]
fn a_mime_message_is_accepted_without_a_word_and_sent_from_the_signed_in_user() {
    let site = Site::start();
    let token = token(&site, &site.demo.support_upn, SEND);
    let answer = send_mime(&site, "me", &token);
    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    let submissions = site.world().submissions();
    let one = &submissions[0];
    assert_eq!(
        (one.via, one.mail_from.as_str()),
        (Via::Graph, "support@harbourlights.example")
    );
    assert_eq!(
        one.recipients,
        [
            "nora@customer.example",
            "max@customer.example",
            "hidden@customer.example"
        ]
    );
    let from = headers::get(&one.raw, "From").unwrap();
    assert_eq!(
        from,
        "\"Harbour Lights Support\" <support@harbourlights.example>"
    );
    assert_eq!(headers::get(&one.raw, "X-Kept").as_deref(), Some("yes"));
    assert_eq!(one.effective_message_id, "<one@mailhatch.example>");
    assert!(headers::get(&one.raw, "Date").is_some());
    let seen = &site.world().outgoing()[0].raw;
    assert!(
        headers::get(seen, "Bcc").is_none(),
        "recipients do not see Bcc"
    );
    assert_eq!(
        site.world()
            .folder("support@harbourlights.example", "Sent Items")
            .len(),
        1
    );
}

#[test]
fn a_shared_mailbox_needs_the_shared_scope_and_send_as() {
    let site = Site::start();
    let orders = format!("users/{}", site.demo.orders_address);
    let ann = &site.demo.staff_upns[0];
    assert_refused(
        &send_mime(&site, &orders, &token(&site, ann, SEND)),
        403,
        "ErrorAccessDenied",
    );
    let shared = token(&site, ann, SHARED);
    assert_eq!(send_mime(&site, &orders, &shared).status, 202);
    assert_eq!(
        site.world().submissions()[0].mail_from,
        site.demo.orders_address
    );
    assert_eq!(
        site.world()
            .folder(&site.demo.orders_address, "Sent Items")
            .len(),
        1
    );
    assert_refused(
        &send_mime(&site, &format!("users/{}", site.demo.admin_upn), &shared),
        403,
        "ErrorSendAsDenied",
    );
    assert_refused(
        &send_mime(&site, "users/nobody@x.example", &shared),
        404,
        "ErrorInvalidUser",
    );
}

#[test]
fn what_is_wrong_with_a_message_or_token_is_named() {
    let site = Site::start();
    let good = token(&site, &site.demo.support_upn, SEND);
    let bad = send_as(&site, "me", &good, "text/plain", b"this is not base64!");
    assert_refused(&bad, 400, "ErrorMimeContentInvalidBase64String");
    let huge = vec![b'A'; 4 * 1024 * 1024 + 4];
    assert_refused(
        &send_as(&site, "me", &good, "text/plain", &huge),
        413,
        "ErrorMessageSizeExceeded",
    );
    let nobody = STANDARD.encode("Subject: x\r\n\r\nx\r\n");
    assert_refused(
        &send_as(&site, "me", &good, "text/plain", nobody.as_bytes()),
        400,
        "ErrorInvalidRecipients",
    );
    let as_json = send_as(
        &site,
        "me",
        &good,
        "application/json",
        STANDARD.encode(MESSAGE).as_bytes(),
    );
    assert_refused(&as_json, 400, "BadRequest");
    let imap = token(&site, &site.demo.support_upn, IMAP);
    assert_refused(
        &send_mime(&site, "me", &imap),
        401,
        "InvalidAuthenticationToken",
    );
    site.world()
        .update_user(&site.demo.support_upn, |user| user.licensed = false);
    assert_refused(
        &send_mime(&site, "me", &good),
        404,
        "MailboxNotEnabledForRESTAPI",
    );
    site.entra().expire_access_tokens();
    assert_refused(
        &send_mime(&site, "me", &good),
        401,
        "InvalidAuthenticationToken",
    );
    assert!(site.world().submissions().is_empty());
}

#[test]
fn throttling_is_scripted_with_retry_after() {
    let site = Site::start();
    let good = token(&site, &site.demo.support_upn, SEND);
    let body =
        json!({"error": {"code": "ApplicationThrottled", "message": "Slow down."}}).to_string();
    site.faults().once(
        Point::Graph,
        Action::Http(429, vec![("Retry-After".into(), "30".into())], body),
    );
    let answer = send_mime(&site, "me", &good);
    assert_eq!(
        (answer.status, answer.retry_after.as_deref()),
        (429, Some("30"))
    );
    assert_eq!(send_mime(&site, "me", &good).status, 202);
}

#[test]
fn json_becomes_mime_and_may_leave_no_copy() {
    let site = Site::start();
    let good = token(&site, &site.demo.support_upn, SEND);
    let send = |message: Value, save: bool| {
        let body = json!({"message": message, "saveToSentItems": save}).to_string();
        send_as(&site, "me", &good, "application/json", body.as_bytes())
    };
    let message = json!({
        "subject": "Gr\u{fc}\u{df}e", "body": {"contentType": "Text", "content": "Hello \u{e4}"},
        "toRecipients": [{"emailAddress": {"address": "nora@customer.example", "name": "Nora"}}],
        "internetMessageHeaders": [{"name": "x-ticket", "value": "7"}],
    });
    assert_eq!(send(message.clone(), false).status, 202);
    let raw = site.world().submissions()[0].raw.clone();
    let parsed = mail_parser::MessageParser::default().parse(&raw).unwrap();
    assert_eq!(parsed.subject(), Some("Gr\u{fc}\u{df}e"));
    assert_eq!(parsed.body_text(0).unwrap().trim_end(), "Hello \u{e4}");
    assert_eq!(headers::get(&raw, "x-ticket").as_deref(), Some("7"));
    assert!(
        site.world()
            .folder("support@harbourlights.example", "Sent Items")
            .is_empty()
    );
    let mut reply = message;
    reply["internetMessageHeaders"] = json!([{"name": "In-Reply-To", "value": "<a@b>"}]);
    assert_refused(&send(reply, true), 400, "InvalidInternetMessageHeader");
}

#[test]
fn a_message_is_found_in_sent_items_by_its_id() {
    let site = Site::start();
    assert_eq!(
        send_mime(&site, "me", &token(&site, &site.demo.support_upn, SEND)).status,
        202
    );
    let filter = |id: &str| {
        let id = format!("%3C{id}%3E");
        format!("me/mailFolders/sentitems/messages?$filter=internetMessageId%20eq%20'{id}'")
    };
    let sender = token(&site, &site.demo.support_upn, "User.Read");
    assert_eq!(
        get(&site, &filter("one@mailhatch.example"), &sender).0,
        403,
        "needs Mail.Read"
    );
    let reader = token(
        &site,
        &site.demo.support_upn,
        "https://graph.microsoft.com/Mail.Read",
    );
    let (status, found) = get(&site, &filter("one@mailhatch.example"), &reader);
    assert_eq!((status, found["value"].as_array().unwrap().len()), (200, 1));
    assert_eq!(found["value"][0]["subject"], "Lamp");
    let (_, none) = get(&site, &filter("two@mailhatch.example"), &reader);
    assert!(none["value"].as_array().unwrap().is_empty());
    let (status, _) = get(
        &site,
        "me/mailFolders/sentitems/messages?$filter=subject%20eq%20'x'",
        &reader,
    );
    assert_eq!(status, 400);
}
