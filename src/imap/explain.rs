//! What an IMAP server's refusal means: its words, in, and a [`Problem`] out.
//!
//! The first rows are Exchange Online's own texts, the others the response codes of RFC 5530 that any server may
//! use. A text that is not in the table is told as it came and tried again: a server knows more reasons than we.

use crate::net::{Server, for_powershell};
use crate::problem::{Disposition, Problem};

/// Code of the problem that some of the messages asked for are gone; the others can still be had.
pub(super) const MESSAGES_GONE: &str = "imap_messages_gone";
/// Codes of the problem that the server asks for a pause.
const THROTTLED: &str = "imap_throttled";
const BACK_OFF: &str = "imap_backoff";
/// Longest wait a server may impose, and the wait when it is throttling and names none.
const BACKOFF_MAX_SECONDS: u64 = 3600;
const BACKOFF_DEFAULT_SECONDS: u64 = 300;

const ADMIN: Disposition = Disposition::NeedsAdmin;
const GIVE_UP: Disposition = Disposition::GiveUp;
const SOON: Disposition = Disposition::RetryAfter { seconds: 0 };
const IN_A_MINUTE: Disposition = Disposition::RetryAfter { seconds: 60 };
const IN_FIVE_MINUTES: Disposition = Disposition::RetryAfter { seconds: 300 };

const SHOW_IMAP: &str =
    "Get-CASMailbox -Identity {mailbox} | Format-List ImapEnabled,SmtpClientAuthenticationDisabled";
const ENABLE_IMAP: &str = "Set-CASMailbox -Identity {mailbox} -ImapEnabled $true";

/// One kind of refusal.
struct Row {
    /// What the reply contains, in lower case.
    needle: &'static str,
    code: &'static str,
    disposition: Disposition,
    sentence: &'static str,
    remedy: &'static str,
    command: Option<&'static str>,
}

const fn row(
    needle: &'static str,
    code: &'static str,
    disposition: Disposition,
    sentence: &'static str,
    remedy: &'static str,
) -> Row {
    Row {
        needle,
        code,
        disposition,
        sentence,
        remedy,
        command: None,
    }
}

const fn with_command(mut row: Row, command: &'static str) -> Row {
    row.command = Some(command);
    row
}

/// The table; the first row that fits counts.
static ROWS: &[Row] = &[
    with_command(
        row(
            "user is authenticated but not connected",
            "imap_not_connected",
            IN_FIVE_MINUTES,
            "Microsoft accepted the sign-in but did not open the mailbox.",
            "This can pass by itself when there were too many connections. If it stays: the account that signed in needs Full Access to this mailbox, the address must be spelled right, IMAP must be enabled for it (personal Outlook.com accounts: Settings, Mail, Forwarding and IMAP), and it needs an Exchange licence.",
        ),
        SHOW_IMAP,
    ),
    row(
        "request is throttled",
        THROTTLED,
        IN_FIVE_MINUTES,
        "The server asks for a pause: this mailbox has used up its share for now.",
        "Nothing to do. Reading goes on by itself after the pause, in smaller steps.",
    ),
    row(
        "suggested backoff time",
        BACK_OFF,
        IN_FIVE_MINUTES,
        "The server is busy and names the time after which to come back.",
        "Nothing to do. Reading goes on by itself at that time.",
    ),
    with_command(
        row(
            "authenticate failed",
            "imap_auth_failed",
            ADMIN,
            "The server refused the sign-in to this mailbox without saying why.",
            "An administrator checks: IMAP is enabled for the mailbox, it has an Exchange licence, the account that signed in has Full Access if the mailbox is shared, the sign-in name (UPN) is right, and no Conditional Access policy blocks it. Then reconnect the mailbox.",
        ),
        ENABLE_IMAP,
    ),
    row(
        "login failed",
        "imap_password_refused",
        ADMIN,
        "The server refused a sign-in by password.",
        "Microsoft has switched off passwords for IMAP. Connect the mailbox again with \"Sign in with Microsoft\".",
    ),
    row(
        "command error. 10",
        "imap_command_too_long",
        GIVE_UP,
        "The server could not read a command of ours, probably because it was too long.",
        "This is a fault in Mailhatch. Please report it with the details shown here.",
    ),
    row(
        "command argument error. 11",
        "imap_argument_refused",
        GIVE_UP,
        "The server refused this one message or argument as too big or malformed.",
        "The message stays as it is; the others are not affected. If the mailbox is almost full, make room and try again.",
    ),
    row(
        "command argument error. 12",
        "imap_option_refused",
        GIVE_UP,
        "The server does not know an option we asked for.",
        "This is a fault in Mailhatch. Please report it with the details shown here.",
    ),
    row(
        "command received in invalid state",
        "imap_wrong_state",
        SOON,
        "The server expected another command at this point of the session.",
        "A new session is started by itself. If it happens again and again, please report it.",
    ),
    row(
        "server unavailable",
        "imap_server_unavailable",
        IN_A_MINUTE,
        "The part of Microsoft 365 that holds this mailbox is not available at the moment.",
        "It is tried again by itself. If it lasts, look at the service health page of the Microsoft 365 admin center.",
    ),
    row(
        "connection is closed. 13",
        "imap_session_ended",
        SOON,
        "The server ended the session after it had been quiet for a while.",
        "Nothing to do. A new session is started by itself.",
    ),
    row(
        "connection closed. 14",
        "imap_connection_dropped",
        IN_A_MINUTE,
        "The server closed the connection, usually because of a limit.",
        "A new connection is made by itself. If it happens often, other programs may be reading this mailbox too.",
    ),
    row(
        "folder name is reserved",
        "imap_folder_reserved",
        GIVE_UP,
        "The server keeps this folder name for itself.",
        "Choose another folder in the mailbox's settings.",
    ),
    row(
        "some of the requested messages no longer exist",
        MESSAGES_GONE,
        SOON,
        "Some messages were deleted or moved while they were being read.",
        "Nothing to do. The others are read.",
    ),
    row(
        "maximum size of appendable message",
        "imap_append_too_big",
        GIVE_UP,
        "The message is bigger than this mailbox takes.",
        "Nothing was filed. An administrator can raise the mailbox's size limit.",
    ),
    row(
        "[authenticationfailed]",
        "imap_credentials_refused",
        ADMIN,
        "The server says that the sign-in name or its proof is wrong.",
        "Check the sign-in name, then reconnect the mailbox.",
    ),
    row(
        "[authorizationfailed]",
        "imap_not_authorized",
        ADMIN,
        "The sign-in is right, but it may not open this mailbox.",
        "An administrator must give the account access to the mailbox.",
    ),
    row(
        "[expired]",
        "imap_expired",
        Disposition::NeedsSignIn,
        "The server says that the sign-in has expired.",
        "Reconnect the mailbox.",
    ),
    row(
        "[privacyrequired]",
        "imap_privacy_required",
        ADMIN,
        "The server wants encryption it does not see.",
        "Use the server's encrypted port, 993.",
    ),
    row(
        "[contactadmin]",
        "imap_contact_admin",
        ADMIN,
        "The server asks that its administrator be told.",
        "Pass the details shown here on to the administrator of the mail server.",
    ),
    row(
        "[noperm]",
        "imap_no_permission",
        ADMIN,
        "The server does not permit this in this folder.",
        "An administrator must give the account the right, or choose another folder in the mailbox's settings.",
    ),
    row(
        "[inuse]",
        "imap_in_use",
        IN_A_MINUTE,
        "Another program is using this folder at the moment.",
        "Nothing to do. It is tried again by itself.",
    ),
    row(
        "[unavailable]",
        "imap_unavailable",
        IN_A_MINUTE,
        "The mail server cannot reach a part of itself at the moment.",
        "Nothing to do. It is tried again by itself.",
    ),
    row(
        "[limit]",
        "imap_limit",
        IN_FIVE_MINUTES,
        "A limit of the mail server has been reached.",
        "It is tried again by itself. If it stays, close other programs that read this mailbox or ask the server's administrator.",
    ),
    row(
        "[overquota]",
        "imap_over_quota",
        ADMIN,
        "The mailbox is full.",
        "Delete or archive mail, or ask the administrator for more room.",
    ),
    row(
        "[expungeissued]",
        "imap_expunge_issued",
        SOON,
        "Another program deleted messages in this folder at this moment.",
        "Nothing to do. The folder is read again.",
    ),
    row(
        "[corruption]",
        "imap_corruption",
        ADMIN,
        "The mail server has found damage in this mailbox.",
        "Its administrator must repair the mailbox. What Mailhatch has already received is not affected.",
    ),
    row(
        "[serverbug]",
        "imap_server_bug",
        IN_FIVE_MINUTES,
        "The mail server reports a fault of its own.",
        "It is tried again by itself. If it stays, tell the server's administrator.",
    ),
    row(
        "[clientbug]",
        "imap_client_bug",
        IN_FIVE_MINUTES,
        "The mail server reports a fault in what we sent.",
        "This is a fault in Mailhatch. Please report it with the details shown here.",
    ),
    row(
        "[cannot]",
        "imap_cannot",
        GIVE_UP,
        "The mail server says this can never be done.",
        "Choose another folder in the mailbox's settings.",
    ),
    row(
        "[nonexistent]",
        "imap_no_such_folder",
        ADMIN,
        "The folder does not exist any more.",
        "Choose the folders to read in the mailbox's settings.",
    ),
    row(
        "[trycreate]",
        "imap_try_create",
        ADMIN,
        "The folder to file in does not exist.",
        "Create it in the mailbox, or choose another in the mailbox's settings.",
    ),
    row(
        "[alreadyexists]",
        "imap_already_exists",
        GIVE_UP,
        "A folder of that name exists already.",
        "Nothing to do.",
    ),
];

/// What a reply means, when the table knows it. `reply` is a line without its tag (`NO AUTHENTICATE failed.`),
/// `user` whose mailbox was to be opened.
#[must_use]
pub fn known(reply: &str, user: &str) -> Option<Problem> {
    let lower = reply.to_lowercase();
    let row = ROWS.iter().find(|row| lower.contains(row.needle))?;
    let disposition = match (row.disposition, backoff_seconds(&lower)) {
        (Disposition::RetryAfter { .. }, Some(seconds)) => Disposition::RetryAfter { seconds },
        (disposition, _) => disposition,
    };
    let problem = Problem::new(row.code, disposition, row.sentence, row.remedy).with_detail(reply);
    Some(match row.command {
        Some(command) => problem.with_command(command.replace("{mailbox}", &for_powershell(user))),
        None => problem,
    })
}

/// What a refusing reply means; one the table does not know is told by its kind.
#[must_use]
pub fn refusal(reply: &str, user: &str) -> Problem {
    if let Some(problem) = known(reply, user) {
        return problem;
    }
    let kind = reply.split_ascii_whitespace().next().unwrap_or_default();
    let (code, disposition, sentence, remedy) = if kind.eq_ignore_ascii_case("NO") {
        (
            "imap_refused",
            IN_FIVE_MINUTES,
            "The mail server said no to what was asked.",
            "Its own words are shown here. It is tried again by itself.",
        )
    } else if kind.eq_ignore_ascii_case("BAD") {
        (
            "imap_not_understood",
            IN_FIVE_MINUTES,
            "The mail server did not understand a command.",
            "It is tried again by itself. If it stays so, please report it with the details shown here.",
        )
    } else if kind.eq_ignore_ascii_case("BYE") {
        (
            "imap_goodbye",
            SOON,
            "The mail server ended the session.",
            "A new session is started by itself.",
        )
    } else {
        (
            "imap_out_of_step",
            SOON,
            "The mail server's answer did not fit what was asked.",
            "A new session is started by itself. If it happens again and again, please report it.",
        )
    };
    Problem::new(code, disposition, sentence, remedy).with_detail(reply)
}

/// `Suggested Backoff Time: 299961 milliseconds`, in whole seconds and within reason.
fn backoff_seconds(lower: &str) -> Option<u64> {
    if !lower.contains("throttled") && !lower.contains("backoff") {
        return None;
    }
    let told = lower.split_once("backoff time:").and_then(|(_, rest)| {
        let digits: String = rest
            .trim_start()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse::<u64>().ok()
    });
    Some(told.map_or(BACKOFF_DEFAULT_SECONDS, |milliseconds| {
        milliseconds.div_ceil(1000).clamp(1, BACKOFF_MAX_SECONDS)
    }))
}

pub(super) fn unexpected(server: &Server) -> Problem {
    Problem::new(
        "imap_unexpected_answer",
        IN_A_MINUTE,
        format!("{server} gave an answer that does not follow IMAP, so the session was ended."),
        "It is tried again with a new session. If it stays so, please report it with the details shown here.",
    )
}

/// Whether the server asks for a pause of this mailbox's, whatever it is asked for.
#[must_use]
pub fn asks_for_pause(problem: &Problem) -> bool {
    [THROTTLED, BACK_OFF].contains(&problem.code.as_str())
}

/// Whether the server says that the folder named is not there.
#[must_use]
pub fn is_no_folder(problem: &Problem) -> bool {
    ["imap_no_such_folder", "imap_try_create"].contains(&problem.code.as_str())
}

/// Whether the server refused the sign-in itself, which a new token may mend.
#[must_use]
pub fn is_login_refusal(problem: &Problem) -> bool {
    ["imap_auth_failed", "imap_credentials_refused"].contains(&problem.code.as_str())
}

pub(super) fn no_xoauth2(server: &Server) -> Problem {
    Problem::new(
        "imap_no_xoauth2",
        ADMIN,
        format!("{server} does not offer the sign-in this mailbox needs (XOAUTH2)."),
        "Check the server's name in the mailbox's settings. For Microsoft 365 and Outlook.com it is outlook.office365.com, port 993.",
    )
}

pub(super) fn no_uids(server: &Server, folder: &str) -> Problem {
    Problem::new(
        "imap_no_uids",
        ADMIN,
        format!("{server} gives the messages in this folder no lasting numbers, so none could be recognised again."),
        "Leave this folder out in the mailbox's settings.",
    )
    .with_detail(folder)
}

pub(super) fn bad_name(server: &Server) -> Problem {
    Problem::new(
        "imap_bad_name",
        GIVE_UP,
        format!(
            "A folder name or message id holds a control character and cannot be sent to {server}."
        ),
        "Choose the folder again in the mailbox's settings.",
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_of_refusal_has_its_own_code_and_sentence_and_says_what_to_do() {
        let mut codes = BTreeSet::new();
        let mut sentences = BTreeSet::new();
        for row in ROWS {
            assert!(codes.insert(row.code), "{} twice", row.code);
            assert!(sentences.insert(row.sentence), "{} twice", row.sentence);
            assert!(row.remedy.ends_with('.') && row.sentence.ends_with('.'));
            assert_eq!(row.needle, row.needle.to_lowercase());
            let problem = known(&format!("NO {} x", row.needle), "a@b.example").unwrap();
            assert_eq!(problem.code, row.code, "a row above it hides {}", row.code);
        }
        for reply in ["NO odd", "BAD odd", "BYE odd", "OK odd"] {
            assert!(sentences.insert(Box::leak(refusal(reply, "u").sentence.into_boxed_str())));
        }
    }

    #[test]
    fn replies_as_exchange_online_gives_them_are_known() {
        let cases = [
            ("NO AUTHENTICATE failed.", "imap_auth_failed", ADMIN),
            ("NO LOGIN failed.", "imap_password_refused", ADMIN),
            (
                "BAD User is authenticated but not connected.",
                "imap_not_connected",
                IN_FIVE_MINUTES,
            ),
            ("BAD Command Error. 10", "imap_command_too_long", GIVE_UP),
            (
                "BAD Command Argument Error. 11",
                "imap_argument_refused",
                GIVE_UP,
            ),
            (
                "BAD Command Argument Error. 12",
                "imap_option_refused",
                GIVE_UP,
            ),
            (
                "BAD Command received in Invalid state.",
                "imap_wrong_state",
                SOON,
            ),
            (
                "NO Server Unavailable. 15",
                "imap_server_unavailable",
                IN_A_MINUTE,
            ),
            (
                "Server Unavailable.",
                "imap_server_unavailable",
                IN_A_MINUTE,
            ),
            ("BYE Connection is closed. 13", "imap_session_ended", SOON),
            (
                "BYE Connection closed. 14",
                "imap_connection_dropped",
                IN_A_MINUTE,
            ),
            (
                "NO Folder name is reserved",
                "imap_folder_reserved",
                GIVE_UP,
            ),
            (
                "NO [AUTHENTICATIONFAILED] Invalid credentials",
                "imap_credentials_refused",
                ADMIN,
            ),
            ("NO [UNAVAILABLE] later", "imap_unavailable", IN_A_MINUTE),
            (
                "NO mailbox does not like you",
                "imap_refused",
                IN_FIVE_MINUTES,
            ),
        ];
        for (reply, code, disposition) in cases {
            let problem = refusal(reply, "support@contoso.example");
            assert_eq!(
                (problem.code.as_str(), problem.disposition),
                (code, disposition)
            );
            assert_eq!(problem.detail, reply);
        }
    }

    #[test]
    fn a_suggested_backoff_becomes_seconds_and_is_bounded() {
        let wait = |reply: &str| refusal(reply, "u").wait_seconds();
        let words = "Request is throttled. Suggested Backoff Time:";
        assert_eq!(wait(&format!("NO {words} 299961 milliseconds")), 300);
        assert_eq!(wait(&format!("BAD {words} 1 milliseconds")), 1);
        assert_eq!(
            wait(&format!("BAD {words} 99999999999 milliseconds")),
            BACKOFF_MAX_SECONDS
        );
        assert_eq!(wait("NO Request is throttled."), BACKOFF_DEFAULT_SECONDS);
    }

    #[test]
    fn a_command_to_paste_names_the_mailbox_safely() {
        let problem = refusal("NO AUTHENTICATE failed.", "o'neil@contoso.example");
        assert_eq!(
            problem.command.as_deref(),
            Some("Set-CASMailbox -Identity 'o''neil@contoso.example' -ImapEnabled $true")
        );
    }
}
