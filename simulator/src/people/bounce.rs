//! In charge of delivery status notifications as Exchange writes them (RFC 3464).

use super::answers::escaped;
use super::compose::{Letter, Part, Who, html, plain};
use crate::world::submission::{domain, exchange_message_id};
use crate::world::{Outgoing, headers};

/// What happened to the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It will not be delivered.
    Failed,
    /// It is late and will be tried again.
    Delayed,
}

/// The notification about `recipient`, for the envelope sender; none when there is nobody to tell.
pub(super) fn notice(
    outgoing: &Outgoing,
    recipient: &str,
    fate: Fate,
    at: i64,
    serial: u64,
) -> Option<(String, Vec<u8>)> {
    if outgoing.mail_from.is_empty() {
        return None;
    }
    let subject = headers::get(&outgoing.raw, "Subject").unwrap_or_default();
    let subject = decoded(&outgoing.raw).unwrap_or(subject);
    let id = headers::get(&outgoing.raw, "Message-ID").unwrap_or_default();
    let (title, action, status, diagnostic) = match fate {
        Fate::Failed => (
            format!("Undeliverable: {subject}"),
            "failed",
            "5.1.10",
            "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        ),
        Fate::Delayed => (
            format!("Delivery delayed: {subject}"),
            "delayed",
            "4.4.7",
            "smtp;400 4.4.7 Message delayed",
        ),
    };
    let said = match fate {
        Fate::Failed => format!(
            "Your message to {recipient} couldn't be delivered.\n\n\
             {recipient} wasn't found at {}.\n\nStatus code: 550 5.1.10\n",
            domain(recipient)
        ),
        Fate::Delayed => format!(
            "Delivery of your message to {recipient} is taking longer than usual.\n\n\
             The attempts go on; there is nothing you need to do now.\n"
        ),
    };
    let page = format!(
        "<html><body><p>{}</p></body></html>\n",
        escaped(&said).replace('\n', "<br>\n")
    );
    let host = "AM7PR05MB6742.eurprd05.prod.outlook.com";
    let mut status_lines = format!(
        "Reporting-MTA: dns;{host}\r\nReceived-From-MTA: dns;{host}\r\nArrival-Date: {}\r\n\r\n\
         Final-Recipient: rfc822;{recipient}\r\nAction: {action}\r\nStatus: {status}\r\n\
         Diagnostic-Code: {diagnostic}\r\n",
        mail_parser::DateTime::from_timestamp(outgoing.at).to_rfc822()
    );
    if fate == Fate::Delayed {
        let until = mail_parser::DateTime::from_timestamp(outgoing.at + 86_400).to_rfc822();
        status_lines.push_str(&format!("Will-Retry-Until: {until}\r\n"));
    }
    let field = |value: &str| vec![("Content-Type", value.to_owned())];
    let content = Part::Many(
        "report; report-type=delivery-status",
        vec![
            Part::Many("alternative", vec![plain(&said), html(&page)]),
            Part::Leaf(field("message/delivery-status"), status_lines.into_bytes()),
            Part::Leaf(field("message/rfc822"), outgoing.raw.to_vec()),
        ],
    );
    let postmaster = format!(
        "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{}",
        domain(&outgoing.mail_from)
    );
    let letter = Letter {
        from: Who::new("Microsoft Outlook", &postmaster),
        to: Who::new("", &outgoing.mail_from),
        subject: title,
        at,
        message_id: exchange_message_id(serial),
        more: vec![
            ("In-Reply-To", id.clone()),
            ("References", id),
            ("Return-Path", "<>".to_owned()),
            ("Auto-Submitted", "auto-replied".to_owned()),
            ("X-MS-Exchange-Message-Is-Ndr", String::new()),
        ],
        content,
    };
    Some((outgoing.mail_from.clone(), letter.write()))
}

/// The subject with its encoded words read.
fn decoded(raw: &[u8]) -> Option<String> {
    let message = mail_parser::MessageParser::default().parse_headers(raw)?;
    message.subject().map(str::to_owned)
}
