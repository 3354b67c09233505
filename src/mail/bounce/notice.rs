//! Amazon's notices about mail sent through SES: JSON in a message of its notification service
//! (Amazon SES developer guide, "Amazon SNS notification contents").

use serde_json::Value;

use super::super::parse::Parsed;
use super::{Bounce, BouncedRecipient, Original, status};
use crate::model::Address;

/// Reads such a notice; `None` for every other message.
pub(super) fn read(message: &Parsed) -> Option<Bounce> {
    let is_notice = message.headers.has("x-amz-sns-message-id");
    if !is_notice || !message.text.trim_start().starts_with('{') {
        return None;
    }
    let notice = json(&message.text)?;
    let kind = text_at(&notice, "/notificationType").or_else(|| text_at(&notice, "/eventType"))?;
    let (list, action) = match kind {
        "Bounce" => ("/bounce/bouncedRecipients", "failed"),
        "DeliveryDelay" => ("/deliveryDelay/delayedRecipients", "delayed"),
        "Delivery" => ("/delivery/recipients", "delivered"),
        _ => return None,
    };
    let recipients = list_at(&notice, list).iter();
    Some(Bounce {
        recipients: recipients
            .take(super::RECIPIENTS_MAX)
            .map(|one| recipient(one, action))
            .collect(),
        original_message_id: message_id(&notice),
        original: Original {
            subject: text_at(&notice, "/mail/commonHeaders/subject").map(str::to_owned),
            to: list_at(&notice, "/mail/commonHeaders/to")
                .iter()
                .filter_map(Value::as_str)
                .map(|address| Address::new("", address))
                .collect(),
            ..Original::default()
        },
    })
}

fn text_at<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str()
}

fn list_at<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    let list = value.pointer(path).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn recipient(one: &Value, action: &str) -> BouncedRecipient {
    let text = |path: &str| text_at(one, path).unwrap_or_default();
    let address = one.as_str().unwrap_or_else(|| text("/emailAddress"));
    let diagnostic = text("/diagnosticCode");
    let (_, diagnostic) = diagnostic.split_once("; ").unwrap_or(("", diagnostic));
    let mut recipient = BouncedRecipient {
        address: address.to_owned(),
        action: action.to_owned(),
        status: text("/status").to_owned(),
        diagnostic: diagnostic.chars().take(super::DIAGNOSTIC_MAX).collect(),
        final_address: None,
    };
    recipient.status = status::settle(&recipient, "");
    recipient
}

fn message_id(notice: &Value) -> Option<String> {
    let listed = list_at(notice, "/mail/headers").iter();
    let listed = listed
        .filter(|field| {
            text_at(field, "/name").is_some_and(|name| name.eq_ignore_ascii_case("message-id"))
        })
        .find_map(|field| text_at(field, "/value"));
    let id = text_at(notice, "/mail/commonHeaders/messageId").or(listed)?;
    let id = id.trim_matches(['<', '>', ' ']);
    (!id.is_empty()).then(|| id.to_owned())
}

/// The object at the start of the text, whose lines the mailer may have broken anywhere.
fn json(text: &str) -> Option<Value> {
    let block: String = text
        .lines()
        .skip_while(|line| line.trim().is_empty())
        .take_while(|line| !line.trim().is_empty())
        .collect();
    let notice: Value = serde_json::Deserializer::from_str(&block)
        .into_iter()
        .next()?
        .ok()?;
    match text_at(&notice, "/Message") {
        Some(inner) => serde_json::from_str(inner).ok(),
        None => Some(notice),
    }
}
