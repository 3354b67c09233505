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
    let value = json(&message.text)?;
    let kind = value["notificationType"]
        .as_str()
        .or_else(|| value["eventType"].as_str())?;
    let (list, action) = match kind {
        "Bounce" => (&value["bounce"]["bouncedRecipients"], "failed"),
        "DeliveryDelay" => (&value["deliveryDelay"]["delayedRecipients"], "delayed"),
        "Delivery" => (&value["delivery"]["recipients"], "delivered"),
        _ => return None,
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let recipients = list.as_array().into_iter().flatten().map(|one| {
        let address = one["emailAddress"].as_str().or(one.as_str());
        BouncedRecipient {
            address: address.unwrap_or_default().to_owned(),
            action: action.to_owned(),
            status: text(&one["status"]),
            diagnostic: text(&one["diagnosticCode"]),
            final_address: None,
        }
    });
    let mut recipients: Vec<_> = recipients.take(super::RECIPIENTS_MAX).collect();
    for recipient in &mut recipients {
        if let Some((_, words)) = recipient.diagnostic.split_once("; ") {
            recipient.diagnostic = words.to_owned();
        }
        recipient.status = status::settle(recipient, "");
    }
    let fields = &value["mail"]["commonHeaders"];
    let listed = value["mail"]["headers"].as_array().into_iter().flatten();
    let listed = listed
        .filter(|field| {
            field["name"]
                .as_str()
                .is_some_and(|name| name.eq_ignore_ascii_case("message-id"))
        })
        .find_map(|field| field["value"].as_str());
    let id = fields["messageId"].as_str().or(listed).unwrap_or_default();
    let to = fields["to"].as_array().into_iter().flatten();
    Some(Bounce {
        recipients,
        original_message_id: Some(id.trim_matches(['<', '>']).to_owned())
            .filter(|id| !id.is_empty()),
        original: Original {
            subject: fields["subject"].as_str().map(str::to_owned),
            to: to
                .filter_map(Value::as_str)
                .map(|address| Address::new("", address))
                .collect(),
            ..Original::default()
        },
    })
}

/// The object at the start of the text, whose lines the mailer may have broken anywhere.
fn json(text: &str) -> Option<Value> {
    let block: String = text
        .lines()
        .skip_while(|line| line.trim().is_empty())
        .take_while(|line| !line.trim().is_empty())
        .collect();
    let value: Value = serde_json::Deserializer::from_str(&block)
        .into_iter()
        .next()?
        .ok()?;
    match value["Message"].as_str() {
        Some(inner) => serde_json::from_str(inner).ok(),
        None => Some(value),
    }
}
