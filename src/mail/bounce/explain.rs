//! Plain sentences for the person whose message did not arrive: what happened, what it means, what to
//! do. The server's own words are shown below them.

use super::cause::Cause;

/// For a recipient whom the message has not reached yet.
pub(super) const DELAYED: &str = "The message has not been delivered yet; the mail servers keep trying. \
     Nothing needs to be done: if they give up, that is shown here.";
/// For a recipient who got it.
pub(super) const DELIVERED: &str = "The message was delivered.";

/// What a status code (RFC 3463; may be empty) and a server's words (may be empty) mean, and what to
/// do about it. Never empty.
#[must_use]
pub fn explain(status: &str, diagnostic: &str) -> &'static str {
    match Cause::of(status, diagnostic) {
        Some(cause) => sentence(cause),
        None if status.starts_with('4') => {
            "The receiving server could not take the message, and it was given up after several attempts. \
             Send it again later."
        }
        None => {
            "The receiving server refused the message and gave no reason that is known here. \
             Its own words may tell; ask the customer for another way to reach them."
        }
    }
}

const fn sentence(cause: Cause) -> &'static str {
    match cause {
        Cause::UnknownUser => {
            "There is no such address at the receiving server. \
             Check its spelling, or ask the customer for another address, and send again."
        }
        Cause::UnknownHost => {
            "The part of the address behind the @ does not exist or takes no mail. \
             Check its spelling, correct it, and send again."
        }
        Cause::Moved => {
            "The customer no longer uses this address. \
             Look for the new one in the server's words, or ask for it, and send again."
        }
        Cause::Disabled => {
            "The customer's mailbox is switched off or takes no mail at present. \
             Reach them another way, or send again later."
        }
        Cause::Full => {
            "The customer's mailbox is full. \
             Send again in a few days, or tell them another way that they must make room."
        }
        Cause::TooBig => {
            "The message is larger than the receiving server accepts. \
             Send it with fewer or smaller attachments, or share them by a link."
        }
        Cause::BadSender => {
            "The receiving server does not accept our sender address. \
             Ask whoever runs our mail domain to check that the address exists and may be answered."
        }
        Cause::NoAnswer => {
            "The receiving server could not be reached. \
             Check the part of the address behind the @; if it is right, send again later."
        }
        Cause::Loop => {
            "The message was passed round in circles between mail servers, usually by a forwarding at the customer's. \
             Tell them another way, or use another address."
        }
        Cause::Expired => {
            "The message could not be delivered in the time allowed, and the mail servers gave up. \
             Check the address, and send again."
        }
        Cause::Greylisted => {
            "The receiving server asked to be tried again later, and was not reached in time. \
             Send the message again."
        }
        Cause::Throttled => {
            "The receiving server takes no more of our mail for the moment. \
             Send the message again in some hours."
        }
        Cause::Authentication => {
            "The receiving server could not verify that the message is really from us. \
             Ask whoever runs our mail domain to check its SPF, DKIM and DMARC records."
        }
        Cause::Relaying => {
            "The server that was asked does not take mail for this address. \
             Check the part of the address behind the @; if it is right, the customer's mail is set up wrongly."
        }
        Cause::NotAllowed => {
            "This address takes mail only from certain senders. \
             Ask the customer to let us write to it, or for another address."
        }
        Cause::Spam => {
            "The receiving server refused the message by its rules against unwanted mail. \
             Ask the customer to allow our address; if it happens with many, ask whoever runs our mail domain."
        }
        Cause::Content => {
            "The receiving server does not accept what the message contains, such as a kind of attachment. \
             Send it without the attachments, or share them by a link."
        }
        Cause::ServerFault => "The receiving server has a fault. Send the message again later.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_refusals_get_the_sentence_that_helps() {
        let cases = [
            (
                "5.1.1",
                "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found",
                "no such address",
            ),
            (
                "5.1.10",
                "550 5.1.10 Recipient not found by SMTP address lookup",
                "no such address",
            ),
            (
                "5.4.1",
                "550 5.4.1 Recipient address rejected: Access denied",
                "no such address",
            ),
            ("5.2.2", "552 5.2.2 Over quota", "mailbox is full"),
            ("5.0.0", "550 mailbox is full", "mailbox is full"),
            (
                "5.7.1",
                "550 5.7.1 Service unavailable; client host blocked using a blocklist",
                "unwanted mail",
            ),
            (
                "5.7.1",
                "554 5.7.1 <ada@example.org>: Relay access denied",
                "does not take mail",
            ),
            (
                "5.7.26",
                "550 5.7.26 Unauthenticated email is not accepted",
                "really from us",
            ),
            (
                "5.7.133",
                "550 5.7.133 sender not authenticated for group",
                "certain senders",
            ),
            ("5.1.2", "Host unknown", "behind the @"),
            (
                "5.3.4",
                "552 5.3.4 message size exceeds limit",
                "larger than",
            ),
            (
                "4.7.1",
                "450 4.7.1 Greylisted, please try again",
                "tried again later",
            ),
            ("4.4.7", "message expired", "time allowed"),
            ("5.1.8", "sender address rejected", "our sender address"),
            (
                "5.1.6",
                "user has moved to another address",
                "no longer uses",
            ),
            ("5.2.1", "account is disabled", "switched off"),
            ("", "", "no reason that is known"),
        ];
        for (status, words, part) in cases {
            let sentence = explain(status, words);
            assert!(sentence.contains(part), "{status} {words}: {sentence}");
        }
    }
}
