//! Why a message was not delivered, as far as codes and words tell.

use super::words;

/// The common causes; each has a sentence in `explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    UnknownUser,
    UnknownHost,
    Moved,
    Disabled,
    Full,
    TooBig,
    BadSender,
    NoAnswer,
    Loop,
    Expired,
    Greylisted,
    Throttled,
    Authentication,
    Relaying,
    NotAllowed,
    Spam,
    Content,
    ServerFault,
}

/// Words by which servers name a cause, folded (see [`words::fold`]). The first that matches counts:
/// exact causes come before vague ones.
const WORDS: &[(Cause, &[&str])] = &[
    (
        Cause::Greylisted,
        &["greylist", "graylist", "grey-list", "gray-list", "greylisting"],
    ),
    (
        Cause::Authentication,
        &[
            "dmarc", "dkim", "spf ", "(spf)", "sender policy framework", "unauthenticated email",
            "authentication checks failed", "does not designate", "sender id",
            "not passed authentication", "unauthenticated mail", "spf)", "spf check", "spf fail",
        ],
    ),
    (
        Cause::Relaying,
        &[
            "relay access denied", "relaying denied", "unable to relay", "relay not permitted",
            "relaying not allowed", "relaying prohibited", "not permitted to relay", "relay denied",
            "we do not relay", "relay operation rejected", "open relay", "cannot relay",
            "isn't in my list of allowed rcpthosts", "no relaying", "relaying mail to",
        ],
    ),
    (
        Cause::Full,
        &[
            "mailbox full", "mailbox is full", "over quota", "overquota", "over the quota",
            "quota exceeded", "exceeded storage", "exceeds quota", "exceeded the quota", "exceeded their quota",
            "mailbox size limit", "exceeds allowed size", "storage quota", "mail box full",
            "inbox is full", "mailbox has exceeded", "out of storage", "disk quota",
            "quotaexceeded", "quota is full", "would exceed", "not enough storage", "mailfolder is full",
            "full mailbox", "account is full", "exceeded email quota", "voll", "boîte pleine",
            "ящик переполнен", "переполнен", "buzón lleno", "casella piena", "storage exceeded",
            "容量超過", "いっぱい", "邮箱已满", "信箱已滿",
        ],
    ),
    (
        Cause::TooBig,
        &[
            "message too large", "message size", "size limit", "too big", "exceeds maximum",
            "exceeds size", "larger than", "message is too large", "maximum allowed size",
            "exceeds the maximum", "sizelimit", "exceeded maximum", "file size",
        ],
    ),
    (
        Cause::Moved,
        &[
            "has moved", "user has changed", "new address is", "changed address", "has been replaced by",
            "address has changed", "no longer on server", "no longer with", "left the company", "left the organi",
        ],
    ),
    (
        Cause::Disabled,
        &[
            "disabled", "suspended", "inactive", "deactivated", "account closed", "mailbox closed",
            "account expired", "has expired", "discontinued", "not active", "no longer active",
            "is locked", "frozen", "terminated", "temporarily limited", "is blocked by administrator",
        ],
    ),
    (
        Cause::UnknownHost,
        &[
            "host unknown", "unknown host", "host not found", "domain not found", "no such domain",
            "domain does not exist", "domain name not found", "name or service not known",
            "unrouteable mail domain", "unrouteable domain", "nxdomain", "hostname unknown",
            "unknown domain", "invalid domain", "couldn't find any host", "dns error", "dns lookup",
            "nameservers", "name server", "bad destination", "no mx", "domain could not be found",
            "address lookup failed", "domain isn't", "domain name is invalid", "null mx", "nullmx",
            "illegal host/domain", "could not be resolved", "can't resolve", "unresolvable", "smtp mx",
        ],
    ),
    (
        Cause::Loop,
        &[
            "too many hops", "mail loop", "routing loop", "loops back", "hop count", "looping",
            "mail forwarding loop", "too many received", "already has my delivered-to", "loop detected",
        ],
    ),
    (
        Cause::BadSender,
        &[
            "sender address rejected", "sender rejected", "domain of sender", "sender domain",
            "sender not pre-approved", "verify sender", "sender verify failed", "sender denied",
            "bad sender", "sender address does not exist", "invalid sender", "unknown sender",
            "sender is not allowed", "blocked sender", "sender blocked",
            "sender address is", "from address",
        ],
    ),
    (
        Cause::UnknownUser,
        &[
            "user unknown", "unknown user", "no such user", "no such recipient", "no such mailbox",
            "no such address", "no such account", "no such person", "no such local", "no such email",
            "mailbox not found", "user not found", "account not found", "address not found",
            "recipient not found", "recipnotfound", "recipientnotfound", "nosuchuser", "unknown recipient",
            "recipient unknown", "unknown address", "addressee unknown", "address unknown", "not a known user",
            "unknown local", "unknown mailbox", "unknown account", "unknown email", "unknown or illegal alias",
            "does not exist", "doesn't exist", "not exist", "not a valid", "isn't a valid", "no mailbox here",
            "invalid recipient", "invalid mailbox", "invalid user", "invalid address", "invalid final delivery",
            "bad address", "bad mailbox", "bad recipient", "unrouteable address", "not listed in",
            "no longer valid", "not our customer", "mailbox unavailable", "user doesn't have", "no account",
            "does not have an account", "no valid recipients", "recipient address rejected", "recipient rejected",
            "recipient name is not recognized", "not known here", "is not known", "undeliverable address",
            "wasn't found", "couldn't be found", "could not be found", "not local", "user invalid",
            "адрес не существует", "не существует", "пользователь не найден", "existiert nicht", "unbekannt",
            "n'existe pas", "no existe", "non esiste", "não existe", "宛先不明", "存在しません", "見つかりません",
            "不存在", "nie istnieje", "mailbox does not", "unknown.", "not a mailbox",
        ],
    ),
    (
        Cause::NotAllowed,
        &[
            "not authorized", "not permitted", "restricted", "not a member", "not allowed to post",
            "not accepting", "only accepts", "do not have permission", "don't have permission",
            "need permission", "authorization", "not allowed to send", "prohibited by administrator",
            "only allows", "not members",
        ],
    ),
    (
        Cause::Content,
        &[
            "virus", "malware", "infected", "attachment", "content rejected", "message content",
            "banned file", "prohibited content", "illegal attachment", "executable",
        ],
    ),
    (
        Cause::Throttled,
        &[
            "too many connections", "rate limit", "too many messages", "throttl", "try again later",
            "too many recipients", "temporarily deferred", "too fast", "too busy", "excessive",
            "sending limit", "exceeded the limit", "too much mail", "daily limit", "hourly",
        ],
    ),
    (
        Cause::Spam,
        &[
            "spam", "blacklist", "blocklist", "block list", "blocked", "dnsbl", "rbl", "reputation",
            "unsolicited", "junk", "policy", "access denied", "bulk mail", "listed in", "listed at",
            "banned", "refused by", "not accepted", "rejected by", "denied", "reverse dns", "ptr record",
        ],
    ),
    (
        Cause::NoAnswer,
        &[
            "connection refused", "connection timed out", "timed out", "timeout", "no answer",
            "could not connect", "couldn't connect", "cannot connect", "can't connect", "connection dropped", "connection reset",
            "network is unreachable", "no route to host", "host not reachable", "unreachable",
            "lost connection", "unable to connect", "connection failed", "host is down", "deferred",
            "could not initiate smtp", "smtp conversation", "failed to connect", "not responding",
        ],
    ),
    (
        Cause::Expired,
        &[
            "message expired", "delivery time expired", "retry timeout exceeded", "multiple retries",
            "been in the queue", "too long in", "retry time not reached", "maximum delivery attempts",
            "giving up", "cannot send message for", "could not be delivered for", "queue too long", "gave up",
        ],
    ),
    (
        Cause::ServerFault,
        &[
            "system error", "local error", "server error", "internal error", "temporary failure",
            "insufficient system", "disk full", "i/o error", "mail system", "configuration error",
            "service unavailable", "local configuration", "write error",
        ],
    ),
];

impl Cause {
    /// The cause that a server's words name.
    pub(super) fn by_words(text: &str) -> Option<Self> {
        let text = words::fold(text, 4_000);
        let named = |(_, list): &&(Self, &[&str])| list.iter().any(|words| text.contains(words));
        WORDS.iter().find(named).map(|(cause, _)| *cause)
    }

    /// The cause that a code names, and whether it surely means that: Exchange Online answers `5.7.1`,
    /// `5.4.1` and others for many causes.
    pub(super) fn by_code(status: &str) -> Option<(Self, bool)> {
        let mut pieces = status.split('.').skip(1);
        let code = (pieces.next()?.parse().ok()?, pieces.next()?.parse().ok()?);
        let found: (Self, bool) = match code {
            (1_u16, 1 | 3 | 10_u16) | (2, 5) => (Self::UnknownUser, true),
            (1, 0 | 4) => (Self::UnknownUser, false),
            (1, 2) | (4, 4 | 3 | 310) => (Self::UnknownHost, true),
            (1, 6) => (Self::Moved, false),
            (1, 7 | 8) => (Self::BadSender, true),
            (1, 9) => (Self::BadSender, false),
            (1, 100..) => (Self::UnknownUser, false),
            (2, 1) => (Self::Disabled, false),
            (2, 2) => (Self::Full, true),
            (2, 3) | (3, 4) => (Self::TooBig, true),
            (2, 4) | (7, 2) => (Self::NotAllowed, false),
            (3, 1) => (Self::Full, false),
            (3, _) => (Self::ServerFault, false),
            (4, 1 | 2) => (Self::NoAnswer, false),
            (4, 5) => (Self::Throttled, false),
            (4, 6 | 14) => (Self::Loop, true),
            (4, 7) => (Self::Expired, false),
            (4, 316) => (Self::NoAnswer, true),
            (6, _) => (Self::Content, false),
            (7, 20..=29 | 9 | 509) => (Self::Authentication, true),
            (7, 64) => (Self::Relaying, true),
            (7, 12..=17 | 117..=136 | 193) => (Self::NotAllowed, true),
            (7, 500..=699) => (Self::Spam, true),
            (7, _) => (Self::Spam, false),
            _ => return None,
        };
        Some(found)
    }

    /// The cause by both: an exact code first, then words, then a vague code.
    pub(super) fn of(status: &str, diagnostic: &str) -> Option<Self> {
        match Self::by_code(status) {
            Some((cause, true)) => Some(cause),
            vague => Self::by_words(diagnostic).or(vague.map(|(cause, _)| cause)),
        }
    }

    /// Subject and detail of the status code that stands for the cause (RFC 3463 section 3, RFC 7372).
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::UnknownUser => "1.1",
            Self::UnknownHost => "1.2",
            Self::Moved => "1.6",
            Self::BadSender => "1.8",
            Self::Disabled => "2.1",
            Self::Full => "2.2",
            Self::TooBig => "3.4",
            Self::NoAnswer => "4.1",
            Self::Throttled => "4.5",
            Self::Loop => "4.6",
            Self::Expired => "4.7",
            Self::Authentication => "7.26",
            Self::NotAllowed => "7.2",
            Self::Relaying | Self::Spam | Self::Content | Self::Greylisted => "7.1",
            Self::ServerFault => "3.0",
        }
    }
}
