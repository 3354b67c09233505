//! What a submission server's refusal means: its reply in, a [`Problem`] and a suggestion out.
//!
//! The table is in `refusals`. What it does not know is judged by RFC 5321 §4.2.1: 4yz passes, 5yz stays.

use super::refusals::{ROWS, Row, Status};
use super::{Stage, Suggestion};
use crate::net::{Server, for_powershell};
use crate::problem::{Disposition, Problem};

const SOON: Disposition = Disposition::RetryAfter { seconds: 0 };

/// What the refused dialogue was about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Where it ended.
    pub stage: Stage,
    /// Who signed in.
    pub user: &'a str,
    /// The address the message was sent from, when it came to that.
    pub mail_from: &'a str,
}

/// What a refusing reply (4yz or 5yz) means. `text` is the reply without its code, lines joined.
#[must_use]
pub fn refusal(reply: u16, text: &str, about: &About<'_>) -> (Problem, Option<Suggestion>) {
    let lower = text.to_lowercase();
    let status = status_in(&lower);
    let detail = format!("{reply} {text}");
    let Some(row) = ROWS
        .iter()
        .find(|row| fits(row, reply, status, &lower, about.stage))
    else {
        let (problem, suggests) = unlisted(reply, about.stage);
        return (problem.with_detail(detail), suggests);
    };
    let mut problem =
        Problem::new(row.code, row.disposition, row.sentence, row.remedy).with_detail(detail);
    if let Some(command) = row.command {
        let from = if about.mail_from.is_empty() {
            about.user
        } else {
            about.mail_from
        };
        problem = problem.with_command(
            command
                .replace("{user}", &for_powershell(about.user))
                .replace("{from}", &for_powershell(from)),
        );
    }
    if let Some(link) = row.link {
        problem = problem.with_link(link);
    }
    (problem, row.suggests)
}

fn fits(row: &Row, reply: u16, status: Option<Status>, lower: &str, stage: Stage) -> bool {
    let in_range = |(low, high): &(Status, Status)| status.is_some_and(|s| *low <= s && s <= *high);
    row.stage.is_none_or(|wanted| wanted == stage)
        && (row.reply == 0 || row.reply == reply)
        && (row.status.is_empty() || row.status.iter().any(in_range))
        && (row.words.is_empty() || row.words.iter().any(|words| lower.contains(words)))
}

/// The enhanced status code at the beginning of the text (RFC 2034 §4).
fn status_in(text: &str) -> Option<Status> {
    let word = text.split_ascii_whitespace().next()?;
    let mut parts = word
        .trim_end_matches([';', ':', ','])
        .split('.')
        .map(|part| part.parse::<u16>().ok());
    let status = (parts.next()??, parts.next()??, parts.next()??);
    (parts.next().is_none() && matches!(status.0, 4 | 5)).then_some(status)
}

/// A refusal the table does not know.
fn unlisted(reply: u16, stage: Stage) -> (Problem, Option<Suggestion>) {
    let (code, disposition, sentence, remedy) = match (reply, stage) {
        (421, _) => (
            "smtp_closing",
            SOON,
            "The mail server closed the connection.",
            "Nothing to do. It is tried again by itself.",
        ),
        (..500, Stage::SignIn) => (
            "smtp_sign_in_later",
            SOON,
            "The mail server could not check the sign-in at the moment.",
            "Nothing to do. It is tried again by itself.",
        ),
        (..500, Stage::Recipients) => (
            "smtp_recipient_later",
            SOON,
            "The mail server cannot take mail for this recipient at the moment.",
            "Nothing to do. It is tried again by itself.",
        ),
        (..500, _) => (
            "smtp_later",
            SOON,
            "The mail server cannot take the message at the moment.",
            "Nothing to do. It is tried again by itself.",
        ),
        (_, Stage::Connect | Stage::Encrypt) => (
            "smtp_connection_refused",
            Disposition::NeedsAdmin,
            "The mail server does not want to speak with this machine.",
            "The server's own words are shown here. Check its name and port in the mailbox's settings.",
        ),
        (_, Stage::SignIn) => (
            "smtp_sign_in_refused",
            Disposition::NeedsAdmin,
            "The mail server refused the sign-in for sending.",
            "The server's own words are shown here. Reconnect the mailbox; if that does not help, an administrator must allow sending for it.",
        ),
        (_, Stage::Sender) => (
            "smtp_sender_refused",
            Disposition::NeedsAdmin,
            "The mail server does not let this mailbox send from its address.",
            "The server's own words are shown here. An administrator must allow this sender.",
        ),
        (_, Stage::Recipients) => (
            "smtp_recipient_refused",
            Disposition::GiveUp,
            "The mail server does not take mail for this recipient.",
            "The server's own words are shown here. Check the address.",
        ),
        (_, Stage::Content) => (
            "smtp_message_refused",
            Disposition::GiveUp,
            "The mail server refused the message itself.",
            "The server's own words are shown here. Change the message and send it again.",
        ),
    };
    let suggests = (stage == Stage::SignIn && reply >= 500).then_some(Suggestion::RefreshToken);
    (Problem::new(code, disposition, sentence, remedy), suggests)
}

pub(super) fn unexpected(server: &Server, detail: &str) -> Problem {
    Problem::new(
        "smtp_unexpected_answer",
        Disposition::RetryAfter { seconds: 60 },
        format!("{server} gave an answer that does not follow SMTP, so the connection was closed."),
        "Check the server's name and port: sending wants 587. Otherwise it is tried again by itself.",
    )
    .with_detail(detail)
}

pub(super) fn no_starttls(server: &Server) -> Problem {
    Problem::new(
        "smtp_no_starttls",
        Disposition::NeedsAdmin,
        format!("{server} does not offer encryption (STARTTLS), so nothing was sent."),
        "Check the server's name and port: sending wants 587. A firewall that changes mail traffic can be the cause too.",
    )
}

pub(super) fn tampered(server: &Server) -> Problem {
    Problem::new(
        "smtp_tampered",
        Disposition::NeedsAdmin,
        format!(
            "Something between here and {server} slipped answers into the connection before encryption began, so nothing was sent."
        ),
        "Check the network: a firewall that changes mail traffic must let this connection pass untouched.",
    )
}

pub(super) fn no_xoauth2(server: &Server) -> Problem {
    Problem::new(
        "smtp_no_xoauth2",
        Disposition::NeedsAdmin,
        format!("{server} does not offer the sign-in this mailbox needs (XOAUTH2)."),
        "Check the server's name in the mailbox's settings, or let this mailbox send by Microsoft Graph.",
    )
}

pub(super) fn no_password_sign_in(server: &Server) -> Problem {
    Problem::new(
        "smtp_no_password",
        Disposition::NeedsAdmin,
        format!("{server} does not take a name and a password (neither PLAIN nor LOGIN)."),
        "Leave name and password empty if the server knows this machine by its address; otherwise use another server.",
    )
}

pub(super) fn password_in_clear(server: &Server) -> Problem {
    Problem::new(
        "smtp_password_in_clear",
        Disposition::NeedsAdmin,
        format!("The connection to {server} is not encrypted, so the password was not sent."),
        "Choose STARTTLS or TLS, or leave name and password empty.",
    )
}

pub(super) fn bad_address(address: &str) -> Problem {
    Problem::new(
        "smtp_bad_address",
        Disposition::GiveUp,
        "This is not a mail address, so no server can take it.",
        "Correct the address and send again.",
    )
    .with_detail(address)
}

pub(super) fn no_recipients() -> Problem {
    Problem::new(
        "smtp_no_recipients",
        Disposition::GiveUp,
        "The message has no recipient.",
        "Add one and send again.",
    )
}

pub(super) fn too_big(bytes: usize, max_bytes: u64) -> Problem {
    Problem::new(
        "smtp_too_big",
        Disposition::GiveUp,
        format!(
            "The message has {} MB, but the server takes at most {} MB.",
            bytes.div_ceil(1_000_000),
            max_bytes / 1_000_000
        ),
        "Send fewer or smaller attachments, or put the files where the recipient can fetch them.",
    )
}

pub(super) fn no_smtputf8(server: &Server) -> Problem {
    Problem::new(
        "smtp_no_utf8",
        Disposition::GiveUp,
        format!("An address holds letters outside ASCII, which {server} cannot handle."),
        "Use another address of this recipient, if there is one.",
    )
}

pub(super) fn no_eight_bit(server: &Server) -> Problem {
    Problem::new(
        "smtp_no_8bit",
        Disposition::GiveUp,
        format!("The message is not encoded for {server}, which takes ASCII only."),
        "This is a fault in Mailhatch. Please report it with the details shown here.",
    )
}

pub(super) fn unknown_outcome(server: &Server, detail: &str) -> Problem {
    Problem::new(
        "smtp_outcome_unknown",
        // Never by itself: a second copy may be worse than a question.
        Disposition::GiveUp,
        format!("The whole message was handed to {server}, but the connection ended before it said whether it took it."),
        "Mailhatch looks for the message in Sent Items. If it is not there, send it again.",
    )
    .with_detail(detail)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn told(reply: u16, text: &str, stage: Stage) -> (Problem, Option<Suggestion>) {
        let about = About {
            stage,
            user: "anna@contoso.example",
            mail_from: "support@contoso.example",
        };
        refusal(reply, text, &about)
    }

    /// A reply that should meet exactly this row.
    fn reply_for(row: &Row) -> (u16, String, Stage) {
        let status = row.status.first().map(|(low, _)| *low);
        let class = status.map_or(5, |s| s.0);
        let reply = if row.reply == 0 {
            class * 100 + 50
        } else {
            row.reply
        };
        let (a, b, c) = status.unwrap_or((reply / 100, 0, 999));
        let words = row.words.first().copied().unwrap_or("words");
        let stage = row.stage.unwrap_or(Stage::Content);
        (reply, format!("{a}.{b}.{c} {words}"), stage)
    }

    #[test]
    fn every_kind_of_refusal_has_its_own_code_and_sentence_and_says_what_to_do() {
        let (mut codes, mut sentences) = (BTreeSet::new(), BTreeSet::new());
        for row in ROWS {
            assert!(codes.insert(row.code), "{} twice", row.code);
            assert!(
                sentences.insert(row.sentence.to_owned()),
                "{} twice",
                row.code
            );
            assert!(row.sentence.ends_with('.') && row.remedy.ends_with('.'));
            assert!(row.words.iter().all(|w| *w == w.to_lowercase()));
            let (reply, text, stage) = reply_for(row);
            let (problem, suggests) = told(reply, &text, stage);
            assert_eq!(
                problem.code, row.code,
                "{reply} {text}: a row above hides it"
            );
            assert_eq!(
                (problem.disposition, suggests),
                (row.disposition, row.suggests)
            );
        }
        let stages = [
            Stage::Connect,
            Stage::SignIn,
            Stage::Sender,
            Stage::Recipients,
            Stage::Content,
        ];
        for (reply, stage) in stages.map(|s| (599, s)).into_iter().chain([
            (499, Stage::SignIn),
            (499, Stage::Recipients),
            (499, Stage::Content),
            (421, Stage::Content),
        ]) {
            let (problem, _) = told(reply, "odd", stage);
            assert!(sentences.insert(problem.sentence), "{reply} at {stage:?}");
        }
    }

    /// Replies as recorded, with what they mean.
    const RECORDED: [(u16, &str, &str, Option<Suggestion>); 16] = [
        (
            535,
            "5.7.3 Authentication unsuccessful [AM0PR10CA0001.EURPRD10.PROD.OUTLOOK.COM]",
            "smtp_auth_failed",
            Some(Suggestion::RefreshToken),
        ),
        (
            535,
            "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.",
            "smtp_auth_disabled_tenant",
            Some(Suggestion::UseGraph),
        ),
        (
            535,
            "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information.",
            "smtp_auth_disabled_mailbox",
            Some(Suggestion::UseGraph),
        ),
        (
            535,
            "5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator.",
            "smtp_security_defaults",
            Some(Suggestion::UseGraph),
        ),
        (
            535,
            "5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator.",
            "smtp_policy_blocks",
            Some(Suggestion::UseGraph),
        ),
        (
            451,
            "4.7.0 Temporary server error. Please try again later. PRX4",
            "smtp_proxy_trouble",
            None,
        ),
        (
            432,
            "4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending",
            "smtp_too_many_connections",
            None,
        ),
        (
            432,
            "4.3.2 STOREDRV.Deliver; recipient thread limit exceeded",
            "smtp_recipient_busy",
            None,
        ),
        (
            550,
            "5.7.60 SMTP; Client does not have permissions to send as this sender",
            "smtp_send_as_denied",
            None,
        ),
        (
            554,
            "5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message",
            "smtp_send_as_denied_late",
            None,
        ),
        (
            554,
            "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed",
            "smtp_submission_quota",
            None,
        ),
        (
            554,
            "5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; WASCL UserAction",
            "smtp_spam_verdict",
            None,
        ),
        (
            554,
            "5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException",
            "smtp_mailbox_full",
            None,
        ),
        (
            550,
            "5.2.252 SMTP AUTH blocked",
            "smtp_blocked_send_as",
            None,
        ),
        (
            550,
            "5.7.708 Service unavailable. Access denied, traffic not accepted from this IP",
            "smtp_traffic_not_accepted",
            None,
        ),
        (
            451,
            "4.7.650 The mail server has been temporarily rate limited",
            "smtp_sending_restricted",
            None,
        ),
    ];

    #[test]
    fn replies_as_exchange_online_gives_them_are_known() {
        for (reply, text, code, suggests) in RECORDED {
            let (problem, got) = told(reply, text, Stage::Content);
            assert_eq!((problem.code.as_str(), got), (code, suggests), "{text}");
        }
    }

    #[test]
    fn the_command_to_paste_names_the_accounts() {
        let (problem, _) = told(550, "5.7.60 no", Stage::Content);
        assert_eq!(
            problem.command.as_deref(),
            Some(
                "Add-RecipientPermission -Identity support@contoso.example -AccessRights SendAs -Trustee anna@contoso.example"
            )
        );
        let (problem, _) = told(535, "5.7.3 no", Stage::SignIn);
        assert_eq!(
            problem.command.as_deref(),
            Some(
                "Set-CASMailbox -Identity anna@contoso.example -SmtpClientAuthenticationDisabled $false"
            )
        );
    }

    #[test]
    fn an_unknown_4xx_passes_and_an_unknown_5xx_stays() {
        for stage in [Stage::Sender, Stage::Recipients, Stage::Content] {
            assert!(told(450, "odd", stage).0.is_transient());
            assert!(told(450, "4.9.9 odd", stage).0.is_transient());
            assert!(!told(550, "odd", stage).0.is_transient());
            assert!(!told(554, "5.9.9 odd", stage).0.is_transient());
        }
    }

    #[test]
    fn only_a_whole_enhanced_status_is_read() {
        assert_eq!(status_in("5.7.139 x"), Some((5, 7, 139)));
        assert_eq!(status_in("5.2.0; x"), Some((5, 2, 0)));
        for odd in ["", "5.7", "5.7.1.2 x", "2.0.0 ok", "10.0.0.1 x", "a.b.c"] {
            assert_eq!(status_in(odd), None, "{odd}");
        }
    }
}
