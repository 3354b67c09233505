//! Answers that Microsoft's servers have been seen to give in place of the right one.

use std::time::Duration;

use mailhatch_simulator::faults::{Action, Point};

use crate::random::Random;

/// In the words of the server.
const SAID: [(Point, &str); 20] = [
    (Point::ImapGreeting, "* BYE Connection is closed. 13"),
    (Point::ImapAuthenticate, "NO AUTHENTICATE failed."),
    (Point::ImapList, "NO Server Unavailable. 15"),
    (Point::ImapSelect, "NO Server Unavailable. 15"),
    (
        Point::ImapSelect,
        "NO Request is throttled. Suggested Backoff Time: 3000 milliseconds",
    ),
    (
        Point::ImapFetch,
        "BAD Request is throttled. Suggested Backoff Time: 2000 milliseconds",
    ),
    (
        Point::ImapBody,
        "NO Some of the requested messages no longer exist.",
    ),
    (Point::ImapIdle, "* BYE Connection closed. 14"),
    (Point::SmtpGreeting, "421 4.3.2 Service not available"),
    (
        Point::SmtpHello,
        "421 4.3.2 The maximum number of concurrent server connections has exceeded a limit",
    ),
    (
        Point::SmtpStartTls,
        "454 4.7.0 TLS not available due to temporary reason",
    ),
    (Point::SmtpAuth, "535 5.7.3 Authentication unsuccessful"),
    (
        Point::SmtpAuth,
        "454 4.7.0 Temporary authentication failure",
    ),
    (
        Point::SmtpMail,
        "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
    ),
    (Point::SmtpRcpt, "450 4.2.0 Greylisted, try again later"),
    (
        Point::SmtpRcpt,
        "451 4.7.500 Server busy. Please try again later",
    ),
    (
        Point::SmtpRcpt,
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    ),
    (Point::SmtpData, "452 4.3.1 Insufficient system resources"),
    (Point::SmtpAccepted, "Server Unavailable."),
    (Point::SmtpQuit, "421 4.4.2 Connection timed out"),
];

/// Where a server hangs up.
const HANGS_UP: [Point; 20] = [
    Point::ImapGreeting,
    Point::ImapAuthenticate,
    Point::ImapList,
    Point::ImapSelect,
    Point::ImapSearch,
    Point::ImapSizes,
    Point::ImapBody,
    Point::ImapBody,
    Point::ImapIdle,
    Point::SmtpHello,
    Point::SmtpAuth,
    Point::SmtpMail,
    Point::SmtpRcpt,
    Point::SmtpData,
    Point::SmtpAccepted,
    Point::SmtpAccepted,
    Point::Graph,
    Point::GraphAccepted,
    Point::TokenRefresh,
    Point::TokenIssued,
];

/// Where a server falls silent; after a message was taken the most.
const HANGS: [Point; 6] = [
    Point::ImapBody,
    Point::SmtpAccepted,
    Point::SmtpAccepted,
    Point::SmtpQuit,
    Point::GraphAccepted,
    Point::TokenRefresh,
];

/// What goes wrong next, and where.
pub(crate) fn one(random: &mut Random) -> (Point, Action) {
    match random.below(10) {
        0..=3 => {
            let (point, words) = *random.pick(&SAID);
            (point, Action::Reply(words.to_owned()))
        }
        4..=6 => (*random.pick(&HANGS_UP), Action::Close),
        7 => (*random.pick(&HANGS), Action::Hang),
        8 => {
            let points = [
                Point::ImapFetch,
                Point::SmtpAccepted,
                Point::Graph,
                Point::TokenRefresh,
            ];
            let time = Duration::from_millis(random.between(500, 4_000) as u64);
            (*random.pick(&points), Action::Delay(time))
        }
        _ => http(random),
    }
}

fn http(random: &mut Random) -> (Point, Action) {
    let wait = vec![("Retry-After".to_owned(), "3".to_owned())];
    let page = "<html>Bad Gateway</html>".to_owned();
    let entra = |status, error: &str, code| {
        let words = "as told by Entra".to_owned();
        Action::Entra(status, error.to_owned(), code, words)
    };
    match random.below(7) {
        0 => (Point::Graph, Action::Http(429, wait, "{}".to_owned())),
        1 => (Point::Graph, Action::Http(503, Vec::new(), "{}".to_owned())),
        2 => (Point::Graph, Action::Http(401, Vec::new(), "{}".to_owned())),
        3 => (Point::GraphAccepted, Action::Http(504, Vec::new(), page)),
        4 => (Point::TokenRefresh, Action::Http(502, Vec::new(), page)),
        5 => (Point::TokenRefresh, entra(400, "invalid_grant", 50173)),
        _ => (
            Point::TokenRefresh,
            entra(503, "temporarily_unavailable", 90033),
        ),
    }
}
