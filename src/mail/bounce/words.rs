//! The words by which reports are known that do not follow RFC 3464, all folded (see [`fold`]).

mod sentences;
mod subjects;

pub(super) use sentences::SENTENCES;
pub(super) use subjects::SUBJECTS;

/// How the local part or the name of a mail system's address begins.
pub(super) const SYSTEM_ADDRESSES: &[&str] = &[
    "mailer-daemon",
    "mailerdaemon",
    "mailer_daemon",
    "mailer daemon",
    "postmaster",
    "post_master",
    "mail-daemon",
    "maildaemon",
    "mail-delivery",
    "maildelivery",
    "mail_delivery",
    "microsoftexchange",
    "mdaemon",
    "mmdf",
    "mailsystem",
    "systemadministrator",
    "system administrator",
];

/// What stands in the name of a mail system.
pub(super) const SYSTEM_NAMES: &[&str] = &[
    "mail delivery s",
    "mail deliver system",
    "mail administrator",
    "internet mail delivery",
    "system administrator",
    "administrateur système",
    "systemadministrator",
    "administrador del sistema",
    "amministratore di sistema",
    "delivery subsystem",
    "delivery system",
    "mailer daemon",
    "mailer-daemon",
    "mailserver",
    "mail server",
    "smtp mail service",
];

/// What stands before the subject of an answer or a forwarded message.
pub(super) const ANSWER_PREFIXES: &[&str] = &[
    "re:", "re :", "aw:", "sv:", "vs:", "antw:", "odp:", "ynt:", "res:", "rif:", "r:", "回复:",
    "答复:", "fwd:", "fw:", "wg:", "tr:", "tr :", "rv:", "i:", "enc:", "doorst:", "vb:", "vl:",
    "pd:", "转发:",
];

/// How a report calls the message it is about.
pub(super) const YOUR_MESSAGE: &[&str] = &[
    "your message",
    "your mail",
    "your email",
    "your e-mail",
    "message that you sent",
    "message you sent",
    "ihre nachricht",
    "ihre e-mail",
    "votre message",
    "su mensaje",
    "il messaggio",
    "sua mensagem",
    "uw bericht",
    "ваше сообщение",
    "ваше письмо",
];

/// How fields begin that only a returned message has in a report's text.
pub(super) const COPY_FIELDS: &[&str] = &[
    "received: ",
    "received:from",
    "return-path:",
    "message-id:",
    "dkim-signature:",
    "domainkey-signature:",
    "authentication-results:",
    "x-originating-ip:",
    "mime-version:",
    "arc-seal:",
];

/// How the line begins that announces a returned message.
pub(super) const COPY_MARKS: &[&str] = &[
    "below this line is a copy",
    "below is a copy of the original",
    "original message",
    "original mail",
    "message header follow",
    "message headers follow",
    "message headers:",
    "message header:",
    "message text follows",
    "this is a copy of ",
    "returned message",
    "returned mail -",
    "unsent message",
    "headers of the original",
    "the header of the original",
    "the headers of the original",
    "start of returned message",
    "begin returned message",
    "included is a copy of",
    "copy of the message",
    "bounced e-mail",
    "bounced message",
    "undelivered message follows",
    "message is attached below",
    "your original message",
    "the text of the message follows",
    "start of original message",
    "ursprüngliche nachricht",
    "message d'origine",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "元のメッセージ",
];

/// What stands in the subject of a warning that delivery takes longer.
pub(super) const DELAY_SUBJECTS: &[&str] = &[
    "delayed",
    "delay",
    "warning",
    "still being retried",
    "could not send message for past",
    "verzöger",
    "retard",
    "ritard",
    "retras",
    "atraso",
    "задерж",
    "遅延",
    "延迟",
    "延遲",
];

/// What such a warning says.
pub(super) const DELAY_TEXTS: &[&str] = &[
    "will retry",
    "will be retried",
    "still trying",
    "not yet been delivered",
    "keep trying",
    "continue to try",
    "continue trying",
    "warning message only",
    "this is a warning only",
    "need not resend",
    "do not need to resend",
    "no action is required on your part",
    "temporary failure report",
    "will be attempted",
    "delivery attempts will continue",
    "has been delayed",
    "is delayed",
    "wird weiterhin versucht",
    "weitere zustellversuche",
];

/// What stands in the subject when delivery was given up, whatever the text warns of.
pub(super) const FAILURE_SUBJECTS: &[&str] = &[
    "fail",
    "undeliver",
    "returned",
    "unzustellbar",
    "non remis",
    "cannot send message",
    "not delivered",
    "rejected",
    "unknown",
];

/// What the text says then.
pub(super) const FAILURE_TEXTS: &[&str] = &[
    "giving up",
    "given up",
    "gave up",
    "will be deleted from queue",
    "permanent error",
    "permanent fatal errors",
    "failed permanently",
    "has been returned to",
    "will not continue",
    "not be retried",
];

/// Labels before a failed address.
pub(super) const LABELS: &[&str] = &[
    "recipient",
    "undeliver",
    "deliver",
    "unknown user",
    "user unknown",
    "mailbox",
    "failed",
    "mail address",
    "email address",
    "e-mail address",
    "invalid",
    "bounced",
    "rejected",
    "intended for",
    "destinat",
    "empfänger",
    "получател",
    "адрес",
    "宛先",
    "收件人",
    "rcpt",
    "account",
    "user",
    "unable to send",
    "message to",
    "error for",
    "reach",
];

/// Whether some of these words stand in a folded text, at the start of a word of it: looked up there
/// only, a hundred of them cost less than one search of the whole text each.
pub(super) fn holds(text: &str, list: &[&str]) -> bool {
    starts(text).any(|rest| begins(rest, list))
}

/// What follows each start of a word; every character of a script without spaces is one.
pub(super) fn starts(text: &str) -> impl Iterator<Item = &str> {
    let mut previous = ' ';
    text.char_indices().filter_map(move |(at, c)| {
        let starts = !c.is_ascii() || !previous.is_ascii_alphanumeric();
        previous = c;
        let starts = starts && c != ' ';
        starts.then(|| text.get(at..)).flatten()
    })
}

/// Whether a text begins with one of these words.
pub(super) fn begins(text: &str, list: &[&str]) -> bool {
    let first = text.as_bytes().first();
    list.iter()
        .any(|words| words.as_bytes().first() == first && text.starts_with(words))
}

/// A text in the form in which these words are compared: lower case, white space collapsed, one
/// kind of apostrophe; at most `limit` characters are read.
pub(super) fn fold(text: &str, limit: usize) -> String {
    let mut folded = String::with_capacity(text.len().min(limit));
    let mut space = false;
    for c in text.chars().take(limit) {
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if space && !folded.is_empty() {
            folded.push(' ');
        }
        space = false;
        match c {
            '’' | '‘' | '´' => folded.push('\''),
            c => folded.extend(c.to_lowercase()),
        }
    }
    folded
}
