//! The words by which reports are known that do not follow RFC 3464, all folded (see [`fold`]).

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
    "re:", "re :", "aw:", "sv:", "vs:", "antw:", "odp:", "ynt:", "res:", "rif:", "r:", "回复:", "答复:",
    "fwd:", "fw:", "wg:", "tr:", "tr :", "rv:", "i:", "enc:", "doorst:", "vb:", "vl:", "pd:", "转发:",
];

/// What stands in the subject of a report.
pub(super) const SUBJECTS: &[&str] = &[
    "undeliver", "delivery status notification", "delivery status", "delivery failure", "delivery failed",
    "delivery has failed", "failure notice", "failure delivery", "failed delivery", "returned mail",
    "returned to sender", "return to sender", "mail delivery", "delivery notification", "could not be delivered", "couldn't be delivered",
    "cannot be delivered", "could not send", "could not deliver", "unable to deliver", "not delivered",
    "non delivery", "nondeliver", "non-delivery", "non-deliver", "delivery report", "warning: message", "mail failed",
    "mail failure", "message failure", "message delayed", "delayed mail", "delivery delayed", "delivery delay",
    "delivery error", "error during delivery", "user unknown", "unknown user", "failed mail", "failed message", "message failed",
    "delivery problem", "mail system error", "error sending your mail", "error sending mail", "bounce notification", "bounced mail", "bounced message",
    "message rejected", "mail rejected", "rejected mail", "message blocked", "message not sent", "mail not sent",
    "still being retried", "postmaster notify", "smtp server: errors from", "are not member", "not member article",
    "unzustellbar", "nicht zugestellt", "nicht zustellbar", "zustellung fehlgeschlagen", "fehler bei der zustellung", "nachricht nicht zustellbar",
    "non remis", "non distribu", "échec de la remise", "échec de remise", "échec de distribution", "non délivré", "avis de non-remise",
    "non recapitabile", "mancato recapito", "mancata consegna", "impossibile recapitare", "errore di consegna",
    "no se puede entregar", "no entregado", "no entregable", "error de entrega", "no se pudo entregar", "fallo en la entrega",
    "não é possível entregar", "não entregue", "falha na entrega", "não foi possível entregar",
    "onbestelbaar", "niet bezorgd", "kan niet worden bezorgd", "niet afgeleverd",
    "olevererbart", "kan inte levereras", "ej levererat", "kan ikke leveres", "ikke levert", "ikke leveret", "kunne ikke leveres",
    "toimittaminen epäonnistui", "ei voi toimittaa", "ei voitu toimittaa",
    "niedostarcz", "nie można dostarczyć", "nie dostarczono", "zwrot nie", "nedoručiteln", "nelze doručit", "kézbesíthetetlen",
    "nem kézbesíthető", "nelivrat", "teslim edilemedi", "iletilemedi", "nepavyko pristatyti", "nav piegād",
    "не доставлен", "недоставлен", "не удается доставить", "не удалось доставить", "невозможно доставить", "не може бути доставлен",
    "δεν παραδόθηκε", "αδυναμία παράδοσης", "לא ניתן למסור", "تعذر التسليم", "غير قابل للتسليم",
    "配信できません", "配信不能", "配達できません", "配信エラー", "送信エラー", "不達", "エラーメール", "返送",
    "退信", "未送达", "未传递", "未傳遞", "無法傳遞", "无法投递", "投递失败", "無法投遞", "传递失败", "傳送失敗",
    "배달되지 않", "배달 실패", "반송", "전송 실패", "không gửi được", "ส่งไม่ได้",
];

/// What a report says has become of the message.
pub(super) const SENTENCES: &[&str] = &[
    "not be delivered", "couldn't be delivered", "can't be delivered", "was not delivered", "wasn't delivered", "not delivered to",
    "not been delivered", "hasn't been delivered", "cannot be delivered", "able to deliver", "could not deliver", "couldn't deliver", "cannot deliver",
    "can't deliver", "not deliver your", "did not deliver", "error delivering", "trouble delivering", "problem delivering",
    "undeliver", "nondeliver", "non-deliver", "delivery to the following", "delivery failed", "delivery has failed",
    "delivery failure", "delivery to these recipients", "delivery of your message", "delivery attempt", "failed to deliver", "failed delivery", "failed permanently",
    "fatal errors", "fatal error", "delivery errors", "delivery problems", "permanent error", "permanent failure", "did not reach", "could not be reached", "couldn't be reached",
    "returned to you", "returned to sender", "being returned", "has been returned", "was returned", "returning message", "returned mail", "bounced", "bounce notification",
    "will be retried", "still being retried", "still trying", "could not be sent", "couldn't be sent", "couldn't send", "was not sent", "unable to send",
    "error sending your mail", "errors occurred", "error has occurred", "error occurred while", "an error was detected", "while attempting to deliver",
    "was rejected", "been rejected", "message was blocked", "mail was blocked", "has been blocked", "your message was refused", "was refused", "not accepted by",
    "failed recipients", "failed addresses", "following recipient", "following addresses failed", "transcript of session",
    "the group you tried to contact", "you are not a member of this mailing list", "not allowed to post to this",
    "no valid recipients", "unable to forward", "message has not been received",
    "nicht zugestellt", "nicht zustellbar", "unzustellbar", "konnte nicht ausgeliefert", "nicht übermittelt",
    "n'a pas pu être", "n'a pas pu etre", "n'a pas été remis", "n'ont pas pu être", "échec de la remise", "impossible de remettre", "non remis", "n'a pas été distribué",
    "no se ha podido entregar", "no se pudo entregar", "no ha podido ser entregado", "no pudo ser entregado", "no se entregó",
    "não pôde ser entregue", "não foi possível entregar", "não foi entregue", "falha na entrega",
    "non è stato recapitato", "non è stato possibile recapitare", "impossibile recapitare", "non è stato consegnato", "recapito non riuscito",
    "niet worden bezorgd", "niet bezorgd", "niet worden afgeleverd", "onbestelbaar", "kunde inte levereras", "inte kunnat levereras", "kan inte levereras", "gick inte att leverera",
    "kunne ikke leveres", "kan ikke leveres", "ei voitu toimittaa", "ei voi toimittaa", "toimittaminen epäonnistui",
    "nie można dostarczyć", "nie mogła zostać dostarczona", "nie została dostarczona", "nie została doręczona", "nie mogła być dostarczona", "nelze doručit", "nepodařilo se doručit", "nem kézbesíthető",
    "nem sikerült kézbesíteni", "nu a putut fi livrat", "teslim edilemedi", "iletilemedi", "netika piegādāt", "nevarēja piegādāt",
    "не доставлено", "не было доставлено", "не может быть доставлено", "не удалось доставить", "не удается доставить", "невозможно доставить", "не вдалося доставити",
    "δεν παραδόθηκε", "تعذر تسليم", "لم يتم تسليم", "לא נמסרה",
    "配信できません", "配信不能", "配達できません", "送信できません", "送信できなかった", "お届けできません", "届きませんでした", "届けることができません", "配信されません", "送ることができません",
    "无法投递", "无法送达", "未能送达", "無法傳遞", "無法投遞", "退信", "投递失败", "被退回", "传递失败", "未能投递",
    "배달할 수 없", "전달할 수 없", "전송할 수 없", "반송", "배달되지 않",
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
    "delayed", "delay", "warning", "still being retried", "could not send message for past", "verzöger", "retard", "ritard", "retras", "atraso",
    "задерж", "遅延", "延迟", "延遲",
];

/// What such a warning says.
pub(super) const DELAY_TEXTS: &[&str] = &[
    "will retry", "will be retried", "still trying", "not yet been delivered", "keep trying", "continue to try", "continue trying",
    "warning message only", "this is a warning only", "need not resend", "do not need to resend", "no action is required on your part",
    "temporary failure report", "will be attempted", "delivery attempts will continue", "has been delayed", "is delayed", "wird weiterhin versucht", "weitere zustellversuche",
];

/// What stands in the subject when delivery was given up, whatever the text warns of.
pub(super) const FAILURE_SUBJECTS: &[&str] = &[
    "fail", "undeliver", "returned", "unzustellbar", "non remis", "cannot send message", "not delivered", "rejected",
];

/// What the text says then.
pub(super) const FAILURE_TEXTS: &[&str] = &[
    "giving up", "given up", "gave up", "will be deleted from queue", "could not be delivered for", "permanent error", "permanent fatal errors", "failed permanently",
    "has been returned to",
];

/// Labels before a failed address.
pub(super) const LABELS: &[&str] = &[
    "recipient", "deliver", "unknown user", "user unknown", "mailbox", "failed", "mail address", "email address", "e-mail address",
    "invalid", "bounced", "rejected", "intended for", "destinat", "empfänger", "получател", "адрес", "宛先", "收件人", "rcpt", "account", "user",
    "unable to send", "message to", "error for", "reach",
];

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
