//! The table of refusals: what a submission server says, and what it means. Read by [`super::explain`].
//!
//! Rows stand from the special to the general, for the first that fits counts. Most are Exchange Online's, after
//! Microsoft's "Non-delivery reports in Exchange Online" and "Improvements to SMTP submission".

use super::{Stage, Suggestion};
use crate::problem::Disposition;

/// An enhanced status code (RFC 3463).
pub(super) type Status = (u16, u16, u16);

/// One kind of refusal. What is empty or zero fits everything.
pub(super) struct Row {
    /// Where it can happen.
    pub(super) stage: Option<Stage>,
    /// The reply code.
    pub(super) reply: u16,
    /// Ranges of enhanced status codes, both ends included.
    pub(super) status: &'static [(Status, Status)],
    /// Words, in lower case; one of them must be in the text.
    pub(super) words: &'static [&'static str],
    pub(super) code: &'static str,
    pub(super) disposition: Disposition,
    pub(super) sentence: &'static str,
    pub(super) remedy: &'static str,
    pub(super) command: Option<&'static str>,
    pub(super) link: Option<&'static str>,
    pub(super) suggests: Option<Suggestion>,
}

impl Row {
    const fn at(mut self, stage: Stage) -> Self {
        self.stage = Some(stage);
        self
    }
    const fn reply(mut self, reply: u16) -> Self {
        self.reply = reply;
        self
    }
    const fn status(mut self, status: &'static [(Status, Status)]) -> Self {
        self.status = status;
        self
    }
    const fn words(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }
    const fn command(mut self, command: &'static str) -> Self {
        self.command = Some(command);
        self
    }
    const fn link(mut self, link: &'static str) -> Self {
        self.link = Some(link);
        self
    }
    const fn suggests(mut self, suggestion: Suggestion) -> Self {
        self.suggests = Some(suggestion);
        self
    }
}

const fn row(
    code: &'static str,
    disposition: Disposition,
    sentence: &'static str,
    remedy: &'static str,
) -> Row {
    Row {
        stage: None,
        reply: 0,
        status: &[],
        words: &[],
        code,
        disposition,
        sentence,
        remedy,
        command: None,
        link: None,
        suggests: None,
    }
}

const fn after(seconds: u64) -> Disposition {
    Disposition::RetryAfter { seconds }
}

const ADMIN: Disposition = Disposition::NeedsAdmin;
const GIVE_UP: Disposition = Disposition::GiveUp;
const HOURS: Disposition = after(4 * 3600);
/// Exchange Online tells many sign-in failures under one status; only the words tell them apart.
const SIGN_IN_REFUSED: &[(Status, Status)] = &[((5, 7, 139), (5, 7, 139))];

const ENABLE_SMTP: &str =
    "Set-CASMailbox -Identity {user} -SmtpClientAuthenticationDisabled $false";
const SHOW_SMTP: &str =
    "Get-CASMailbox -Identity {user} | Format-List ImapEnabled,SmtpClientAuthenticationDisabled";
const GRANT_SEND_AS: &str =
    "Add-RecipientPermission -Identity {from} -AccessRights SendAs -Trustee {user}";

pub(super) static ROWS: &[Row] = &[
    row(
        "smtp_auth_disabled_tenant",
        ADMIN,
        "Sending by SMTP is switched off for this Microsoft 365 organisation.",
        "An administrator switches it on for this mailbox (the mailbox's setting wins over the organisation's), or this mailbox sends by Microsoft Graph instead.",
    )
    .status(SIGN_IN_REFUSED)
    .words(&["smtpclientauthentication is disabled for the tenant"])
    .command(ENABLE_SMTP)
    .link("https://aka.ms/smtp_auth_disabled")
    .suggests(Suggestion::UseGraph),
    row(
        "smtp_auth_disabled_mailbox",
        ADMIN,
        "Sending by SMTP is switched off for this mailbox.",
        "An administrator switches it on (Microsoft 365 admin center: the user, Mail, Manage email apps, Authenticated SMTP), or this mailbox sends by Microsoft Graph instead.",
    )
    .status(SIGN_IN_REFUSED)
    .words(&["smtpclientauthentication is disabled"])
    .command(ENABLE_SMTP)
    .link("https://aka.ms/smtp_auth_disabled")
    .suggests(Suggestion::UseGraph),
    row(
        "smtp_password_disabled",
        ADMIN,
        "The server refused a sign-in by password: this organisation allows none.",
        "Connect the mailbox again with \"Sign in with Microsoft\".",
    )
    .status(SIGN_IN_REFUSED)
    .words(&["basic authentication is disabled"]),
    row(
        "smtp_security_defaults",
        ADMIN,
        "The organisation's security defaults block sending by SMTP.",
        "Let this mailbox send by Microsoft Graph, or have an administrator replace the security defaults by Conditional Access policies.",
    )
    .status(SIGN_IN_REFUSED)
    .words(&["security defaults"])
    .suggests(Suggestion::UseGraph),
    row(
        "smtp_policy_blocks",
        ADMIN,
        "A policy of the organisation does not let this mailbox sign in for sending.",
        "An administrator checks the Conditional Access policies and whether Authenticated SMTP is allowed for this mailbox, or this mailbox sends by Microsoft Graph instead.",
    )
    .status(SIGN_IN_REFUSED)
    .words(&["did not meet the criteria"])
    .command(SHOW_SMTP)
    .suggests(Suggestion::UseGraph),
    row(
        "smtp_credentials_incorrect",
        Disposition::NeedsSignIn,
        "The server says that the sign-in for sending is wrong.",
        "Reconnect the mailbox.",
    )
    .status(SIGN_IN_REFUSED)
    .words(&["credentials were incorrect"])
    .suggests(Suggestion::RefreshToken),
    row(
        "smtp_auth_failed",
        ADMIN,
        "The server refused the sign-in for sending without saying why.",
        "An administrator checks: Authenticated SMTP is allowed for this mailbox, the sign-in name (UPN) is right, and no Conditional Access policy blocks it. Or this mailbox sends by Microsoft Graph instead.",
    )
    .reply(535)
    .status(&[((5, 7, 3), (5, 7, 3))])
    .command(ENABLE_SMTP)
    .suggests(Suggestion::RefreshToken),
    row(
        "smtp_password_removed",
        ADMIN,
        "Microsoft no longer accepts passwords for sending.",
        "Connect the mailbox again with \"Sign in with Microsoft\".",
    )
    .status(&[((5, 7, 30), (5, 7, 30))]),
    row(
        "smtp_not_signed_in",
        GIVE_UP,
        "The server took the connection for one that has not signed in.",
        "This is a fault in Mailhatch, or the server's name is wrong: for Microsoft 365 it is smtp.office365.com, port 587.",
    )
    .status(&[((5, 7, 57), (5, 7, 57))]),
    row(
        "smtp_auth_unavailable",
        after(60),
        "The server cannot check sign-ins at the moment.",
        "Nothing to do. It is tried again by itself.",
    )
    .reply(454)
    .status(&[((4, 7, 0), (4, 7, 0))]),
    row(
        "smtp_proxy_trouble",
        after(300),
        "Microsoft's front door could not reach the server that holds this mailbox.",
        "It is tried again by itself. If it stays and this is a shared mailbox, check that the account that signed in may send as it.",
    )
    .reply(451)
    .status(&[((4, 7, 0), (4, 7, 0))])
    .words(&["prx", "temporary server error"]),
    row(
        "smtp_recipient_busy",
        after(120),
        "The recipient's mailbox takes too many messages at this moment.",
        "Nothing to do. It is tried again by itself.",
    )
    .reply(432)
    .words(&["storedrv.deliver", "recipient thread limit"]),
    row(
        "smtp_too_many_connections",
        after(60),
        "Too many programs are sending from this mailbox at the same time; Microsoft allows three.",
        "It is tried again by itself. If it stays so, find the other programs that send from this mailbox.",
    )
    .reply(432)
    .link("https://aka.ms/concurrent_sending"),
    row(
        "smtp_service_unavailable",
        after(60),
        "The sending service is not available at the moment.",
        "Nothing to do. It is tried again by itself.",
    )
    .reply(421)
    .status(&[((4, 3, 2), (4, 3, 2))]),
    row(
        "smtp_server_timeout",
        after(60),
        "The server ended the connection because something took too long.",
        "Nothing to do. It is tried again by itself.",
    )
    .reply(421)
    .status(&[((4, 4, 0), (4, 4, 999))]),
    row(
        "smtp_sending_restricted",
        HOURS,
        "Microsoft holds back mail from this organisation for a while because its sending looks suspicious.",
        "It is tried again in some hours. An administrator should look for a compromised account or an unusual amount of mail.",
    )
    .status(&[((4, 7, 500), (4, 7, 699)), ((4, 7, 850), (4, 7, 899))]),
    row(
        "smtp_too_many_recipients",
        after(60),
        "This message has more recipients than the server takes at once.",
        "The remaining recipients are tried in another go. If it stays so, divide the message.",
    )
    .status(&[((4, 5, 3), (4, 5, 3)), ((5, 5, 3), (5, 5, 3))]),
    row(
        "smtp_hello_refused",
        ADMIN,
        "The server does not accept the name this machine introduces itself with.",
        "Set MAILHATCH_URL to an address with a proper host name and restart.",
    )
    .at(Stage::Connect)
    .status(&[((5, 5, 4), (5, 5, 4))]),
    row(
        "smtp_xoauth2_malformed",
        GIVE_UP,
        "The server could not read the proof of our sign-in.",
        "Reconnect the mailbox. If it stays so, please report it with the details shown here.",
    )
    .status(&[((5, 5, 124), (5, 5, 124))])
    .suggests(Suggestion::RefreshToken),
    row(
        "smtp_syntax",
        GIVE_UP,
        "The server could not read a command of ours.",
        "Check the recipients' addresses for odd characters. If they are right, please report it with the details shown here.",
    )
    .status(&[((5, 5, 0), (5, 5, 2)), ((5, 5, 4), (5, 5, 4))]),
    row(
        "smtp_send_as_denied",
        ADMIN,
        "The account that signed in may not send as this address.",
        "An administrator grants Send As for it, or the mailbox is connected with the account it belongs to.",
    )
    .status(&[((5, 7, 60), (5, 7, 60))])
    .command(GRANT_SEND_AS),
    row(
        "smtp_send_as_denied_late",
        ADMIN,
        "Exchange took the message and then refused it: the account that signed in lacks the right Send As.",
        "An administrator grants Send As for this address. The right takes up to an hour to work.",
    )
    .words(&["sendasdenied"])
    .command(GRANT_SEND_AS),
    row(
        "smtp_daily_limit",
        HOURS,
        "This mailbox has reached the number of recipients Microsoft allows in a day.",
        "It is tried again by itself. The limit counts the last 24 hours.",
    )
    .status(&[((5, 1, 90), (5, 1, 90))]),
    row(
        "smtp_submission_quota",
        HOURS,
        "This mailbox has used up its quota for sending.",
        "It is tried again by itself over the next 24 hours.",
    )
    .words(&["submissionquotaexceeded", "submission quota exceeded"]),
    row(
        "smtp_spam_verdict",
        ADMIN,
        "Microsoft takes this message or this account for a source of spam.",
        "Sign in to the mailbox at outlook.com and confirm the account if it asks for that; otherwise change the message.",
    )
    .words(&["outboundspam"]),
    row(
        "smtp_recipient_full",
        GIVE_UP,
        "The recipient's mailbox is full.",
        "Tell the recipient by another way, or send again later.",
    )
    .at(Stage::Recipients)
    .status(&[((5, 2, 2), (5, 2, 2))]),
    row(
        "smtp_mailbox_full",
        ADMIN,
        "The mailbox that sends is full; Sent Items counts too.",
        "Delete or archive mail in it, or ask an administrator for more room.",
    )
    .status(&[((5, 2, 2), (5, 2, 2))]),
    row(
        "smtp_quota_exceeded",
        ADMIN,
        "Exchange cannot file the message because a quota of the sending mailbox is used up.",
        "Delete or archive mail in it, or ask an administrator for more room.",
    )
    .words(&["quotaexceeded"]),
    row(
        "smtp_blocked_mailbox_full",
        ADMIN,
        "Microsoft has blocked sending from this mailbox for some hours because it was full again and again.",
        "Make room in the mailbox. The block lifts by itself; support cannot lift it.",
    )
    .status(&[((5, 2, 251), (5, 2, 251))]),
    row(
        "smtp_blocked_send_as",
        ADMIN,
        "Microsoft has blocked sending from this mailbox for some hours because it tried again and again to send as an address it may not use.",
        "Grant Send As or correct the sender's address. The block lifts by itself; support cannot lift it.",
    )
    .status(&[((5, 2, 252), (5, 2, 252))])
    .command(GRANT_SEND_AS),
    row(
        "smtp_blocked_licence",
        ADMIN,
        "Microsoft has blocked sending from this mailbox for some hours because it has no valid licence.",
        "Assign an Exchange licence. The block lifts by itself; support cannot lift it.",
    )
    .status(&[((5, 2, 253), (5, 2, 253))]),
    row(
        "smtp_blocked_recipients_count",
        ADMIN,
        "Microsoft has blocked sending from this mailbox for some hours because its messages had too many recipients again and again.",
        "Send to fewer recipients at once. The block lifts by itself; support cannot lift it.",
    )
    .status(&[((5, 2, 254), (5, 2, 254))]),
    row(
        "smtp_blocked_recipients_invalid",
        ADMIN,
        "Microsoft has blocked sending from this mailbox for some hours because it wrote to invalid addresses again and again.",
        "Correct the addresses. The block lifts by itself; support cannot lift it.",
    )
    .status(&[((5, 2, 255), (5, 2, 255))]),
    row(
        "smtp_account_blocked",
        ADMIN,
        "Microsoft has blocked this account because it sent spam.",
        "An administrator makes the account safe and releases it on the page \"Restricted entities\" of the Microsoft Defender portal.",
    )
    .status(&[((5, 1, 8), (5, 1, 8))]),
    row(
        "smtp_banned_sender",
        ADMIN,
        "Microsoft has banned this sender.",
        "An administrator must ask Microsoft support to lift the ban.",
    )
    .status(&[((5, 7, 501), (5, 7, 503))]),
    row(
        "smtp_tenant_threshold",
        ADMIN,
        "The whole organisation may not send at the moment: Microsoft found too much suspicious mail from it.",
        "An administrator looks for compromised accounts and asks Microsoft support.",
    )
    .status(&[((5, 7, 705), (5, 7, 705))]),
    row(
        "smtp_traffic_not_accepted",
        ADMIN,
        "Microsoft does not accept mail from this network address for this organisation, as it does with new or trial organisations.",
        "An administrator asks Microsoft support, or the organisation gets a paid licence.",
    )
    .status(&[((5, 7, 708), (5, 7, 708))]),
    row(
        "smtp_trial_limit",
        HOURS,
        "This trial organisation has reached the number of outside recipients it may write to in a day.",
        "It is tried again by itself. A paid licence raises the limit.",
    )
    .status(&[((5, 7, 232), (5, 7, 232)), ((4, 7, 232), (4, 7, 232))]),
    row(
        "smtp_tenant_limit",
        HOURS,
        "This organisation has reached the number of outside recipients it may write to in a day.",
        "It is tried again by itself. More licences raise the limit.",
    )
    .status(&[((5, 7, 233), (5, 7, 233)), ((4, 7, 233), (4, 7, 233))]),
    row(
        "smtp_recipient_blocked",
        GIVE_UP,
        "A recipient stands on the organisation's own block list, so the whole message was refused.",
        "Remove this recipient, or have an administrator remove the entry from the Tenant Allow/Block List.",
    )
    .status(&[((5, 7, 703), (5, 7, 703))]),
    row(
        "smtp_recipient_unknown",
        GIVE_UP,
        "The recipient's address does not exist.",
        "Check the address for a spelling mistake and send again.",
    )
    .status(&[
        ((5, 1, 1), (5, 1, 3)),
        ((5, 1, 10), (5, 1, 10)),
        ((5, 4, 1), (5, 4, 1)),
    ]),
    row(
        "smtp_recipient_hourly_limit",
        after(3600),
        "The recipient has received too many messages in this hour.",
        "Nothing to do. It is tried again by itself.",
    )
    .status(&[((5, 2, 121), (5, 2, 122)), ((4, 2, 121), (4, 2, 122))]),
    row(
        "smtp_bare_line_feed",
        GIVE_UP,
        "The server found characters it does not allow in the message.",
        "This is a fault in Mailhatch. Please report it with the details shown here.",
    )
    .status(&[((5, 6, 11), (5, 6, 11))]),
    row(
        "smtp_from_malformed",
        GIVE_UP,
        "The server does not accept the sender line of the message.",
        "Check the sender's name and address in the mailbox's settings.",
    )
    .status(&[((5, 7, 512), (5, 7, 512))]),
    row(
        "smtp_message_too_big",
        GIVE_UP,
        "The message is bigger than the server takes.",
        "Send fewer or smaller attachments.",
    )
    .reply(552),
    row(
        "smtp_message_over_limit",
        GIVE_UP,
        "The message is bigger than this mailbox may send.",
        "Send fewer or smaller attachments, or ask an administrator to raise the limit.",
    )
    .status(&[((5, 3, 4), (5, 3, 4)), ((5, 2, 3), (5, 2, 3))]),
    row(
        "smtp_refused_by_policy",
        GIVE_UP,
        "A rule of the server or of the organisation forbids this message.",
        "The server's own words are shown here; an administrator can change the rule.",
    )
    .status(&[((5, 7, 0), (5, 7, 2))]),
];
