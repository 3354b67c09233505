//! Graph's JSON message as MIME. Attachments are refused: programs that have any send MIME.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::GraphError;
use super::send::{Outgoing, header_text, mailbox_text};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    message: Message,
    #[serde(default = "yes")]
    save_to_sent_items: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Message {
    subject: String,
    body: Body,
    to_recipients: Vec<Recipient>,
    cc_recipients: Vec<Recipient>,
    bcc_recipients: Vec<Recipient>,
    reply_to: Vec<Recipient>,
    from: Option<Recipient>,
    internet_message_headers: Vec<Header>,
    attachments: Vec<serde_json::Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    content_type: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: EmailAddress,
}

#[derive(Deserialize)]
struct EmailAddress {
    address: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

/// Reads the request body of sendMail in its JSON form.
pub(super) fn read(body: &[u8]) -> Result<Outgoing, GraphError> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|_| {
        GraphError::new(
            400,
            "BadRequest",
            "Unable to read JSON request payload. Please ensure Content-Type header is set and \
             payload is of valid JSON format.",
        )
    })?;
    let message = envelope.message;
    if !message.attachments.is_empty() {
        return Err(GraphError::new(
            400,
            "ErrorInvalidRequest",
            "This pretend Graph takes attachments inside MIME only.",
        ));
    }
    check_headers(&message.internet_message_headers)?;
    let everyone = [
        &message.to_recipients,
        &message.cc_recipients,
        &message.bcc_recipients,
    ];
    let recipients = everyone
        .into_iter()
        .flatten()
        .map(|one| one.email_address.address.clone())
        .collect();
    Ok(Outgoing {
        raw: mime(&message),
        recipients,
        from: message.from.map(|from| from.email_address.address),
        save_to_sent: envelope.save_to_sent_items,
    })
}

/// Only custom `x-` names, at most five.
fn check_headers(headers: &[Header]) -> Result<(), GraphError> {
    if headers.len() > 5 {
        return Err(GraphError::new(
            400,
            "InvalidInternetMessageHeaderCollection",
            "Maximum number of headers in one message should be less than or equal to 5.",
        ));
    }
    match headers
        .iter()
        .find(|header| !header.name.to_lowercase().starts_with("x-"))
    {
        None => Ok(()),
        Some(header) => Err(GraphError::new(
            400,
            "InvalidInternetMessageHeader",
            format!(
                "The internet message header name '{}' should start with 'x-' or 'X-'.",
                header.name
            ),
        )),
    }
}

fn mime(message: &Message) -> Vec<u8> {
    let mut lines: Vec<String> = Vec::new();
    let lists = [
        ("To", &message.to_recipients),
        ("Cc", &message.cc_recipients),
        ("Bcc", &message.bcc_recipients),
        ("Reply-To", &message.reply_to),
    ];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        let all = list
            .iter()
            .map(|one| mailbox_text(&one.email_address.name, &one.email_address.address));
        lines.push(format!(
            "{name}: {}",
            all.collect::<Vec<_>>().join(",\r\n ")
        ));
    }
    lines.push(format!("Subject: {}", header_text(&message.subject)));
    let extra = message.internet_message_headers.iter();
    lines.extend(extra.map(|header| format!("{}: {}", header.name, header_text(&header.value))));
    let kind = if message.body.content_type.eq_ignore_ascii_case("html") {
        "html"
    } else {
        "plain"
    };
    lines.push("MIME-Version: 1.0".to_owned());
    lines.push(format!("Content-Type: text/{kind}; charset=utf-8"));
    lines.push("Content-Transfer-Encoding: base64".to_owned());
    lines.push(String::new());
    let content = STANDARD.encode(&message.body.content);
    // RFC 2045 §6.8: at most 76 characters a line.
    let mut line = String::new();
    for letter in content.chars() {
        line.push(letter);
        if line.len() == 76 {
            lines.push(std::mem::take(&mut line));
        }
    }
    lines.push(line);
    lines.push(String::new());
    lines.join("\r\n").into_bytes()
}
