//! Whether the sender's domain stands behind the message, and where answers would go.

use super::lookalike::organisation;
use super::{Evidence, Finding, Known, Severity, domain_of};

const ASK: &str = "Do not open files, follow links or act on what it asks before the sender has confirmed it another way, \
     such as by telephone.";

/// Domains where anybody gets an address in a minute.
const FREE: [&str; 22] = [
    "aol.com",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "web.de",
    "yahoo.com",
    "yandex.com",
    "yandex.ru",
];

fn is(word: Option<&String>, wanted: &[&str]) -> bool {
    word.is_some_and(|word| wanted.contains(&word.as_str()))
}

/// The domain that confirmed the sender: DMARC passed, or Exchange's sum of all checks did.
pub(super) fn confirmed(evidence: &Evidence, domain: &str) -> Option<String> {
    if domain.is_empty() {
        return None;
    }
    if evidence.internal {
        return Some(domain.to_owned());
    }
    let verdicts = evidence.verdicts.as_ref()?;
    let passed = is(
        verdicts.authentication.dmarc.as_ref(),
        &["pass", "bestguesspass"],
    ) || is(verdicts.composite.as_ref(), &["pass"]);
    let refused = is(verdicts.composite.as_ref(), &["fail"]);
    (passed && !refused).then(|| domain.to_owned())
}

/// The checks failed in a way that means something. Lists and forwarding break them honestly
/// (RFC 7960), and a domain that publishes nothing leaves nothing to fail.
pub(super) fn unconfirmed(
    evidence: &Evidence,
    known: &Known,
    domain: &str,
    is_confirmed: bool,
) -> Option<Finding> {
    let verdicts = evidence.verdicts.as_ref().filter(|_| !is_confirmed)?;
    let own = known.own_domains.iter().any(|own| own == domain);
    let dmarc_failed = is(
        verdicts.authentication.dmarc.as_ref(),
        &["fail", "permerror"],
    );
    let summed_up = is(verdicts.composite.as_ref(), &["fail"]);
    let forged_server = is(verdicts.authentication.spf.as_ref(), &["fail"])
        && !is(verdicts.authentication.dkim.as_ref(), &["pass"]);
    if own && (dmarc_failed || summed_up || forged_server) && !evidence.relayed {
        return Some(Finding::new(
            Severity::Danger,
            format!("Not from {domain}"),
            "It claims to come from your own organisation, but was sent from elsewhere and failed the checks.",
            ASK,
        ));
    }
    if evidence.relayed {
        return None;
    }
    if dmarc_failed {
        let strict = is(
            verdicts.action.as_ref(),
            &["quarantine", "reject", "oreject", "permerror"],
        ) || summed_up;
        return Some(Finding::new(
            if strict {
                Severity::Danger
            } else {
                Severity::Warn
            },
            format!("Not confirmed by {domain}"),
            format!(
                "{domain} marks its mail so that it can be recognised, and this message does not carry the mark. It may be \
                 forged, or was forwarded on its way."
            ),
            ASK,
        ));
    }
    (summed_up || forged_server).then(|| {
        Finding::new(
            Severity::Warn,
            format!("Not confirmed by {domain}"),
            format!("The server that sent this is not one that {domain} sends from."),
            ASK,
        )
    })
}

/// Answers would go to another organisation. Newsletters and shops do that every day, so it is loud only
/// where the address they leave is ours or a company's, and the one they go to anybody's.
pub(super) fn answers_elsewhere(
    evidence: &Evidence,
    known: &Known,
    domain: &str,
) -> Option<Finding> {
    let home = organisation(domain);
    let other = evidence.reply_to.iter().find(|who| {
        let there = domain_of(&who.address);
        !there.is_empty() && organisation(&there) != home
    })?;
    if domain.is_empty() || evidence.relayed {
        return None;
    }
    let there = domain_of(&other.address);
    if known.own_domains.contains(&there) {
        return None;
    }
    let free = |domain: &str| FREE.contains(&domain);
    let from_known = known
        .own_domains
        .iter()
        .chain(&known.partners)
        .any(|familiar| organisation(familiar) == home);
    let severity = if from_known && !free(&home) && free(&there) {
        Severity::Warn
    } else {
        Severity::Info
    };
    let advice = if severity == Severity::Warn {
        "Check the address in To before you send an answer."
    } else {
        ""
    };
    Some(Finding::new(
        severity,
        format!("Answers go to {there}"),
        format!(
            "The message is from {}, but asks for answers to {}.",
            evidence.from.address, other.address
        ),
        advice,
    ))
}

/// Nobody has had mail from this address yet.
pub(super) fn first() -> Finding {
    Finding::new(
        Severity::Info,
        "First message from this sender",
        "Nobody wrote to you from this address before.",
        "",
    )
}
