//! Domains made to be taken for another: letters of other alphabets (Unicode Technical Standard 39
//! section 4), `rn` for `m`, `0` for `o`, and one letter more, less or other.

use unicode_security::MixedScript as _;

use super::{Finding, Known, Severity};

/// Shorter names differ from one another by one letter all the time.
const NAME_MIN: usize = 6;
/// Longest domain (RFC 1035 section 2.3.4).
const DOMAIN_MAX: usize = 253;

/// Second-level labels under which countries give out names.
const SHARED: [&str; 12] = [
    "ac", "co", "com", "edu", "gov", "gob", "go", "net", "ne", "or", "org", "gv",
];

/// The part of a domain that an organisation registers: `shop.example.co.uk` becomes `example.co.uk`. A
/// rule of thumb in place of the Public Suffix List.
#[must_use]
pub fn organisation(domain: &str) -> String {
    let labels: Vec<&str> = domain.trim_matches('.').split('.').collect();
    let country = labels.last().is_some_and(|last| last.len() == 2);
    let second = labels.iter().rev().nth(1).copied().unwrap_or_default();
    let take = if country && SHARED.contains(&second) {
        3
    } else {
        2
    };
    let skip = labels.len().saturating_sub(take);
    labels
        .into_iter()
        .skip(skip)
        .collect::<Vec<_>>()
        .join(".")
        .to_lowercase()
}

/// A text as the eye takes it.
pub(super) fn skeleton(text: &str) -> String {
    let lower = text.to_lowercase();
    unicode_security::skeleton(&lower)
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .replace("vv", "w")
}

fn without_accents(skeleton: &str) -> String {
    skeleton
        .chars()
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
        .collect()
}

pub(super) fn finding(domain: &str, known: &Known) -> Option<Finding> {
    if domain.is_empty() || domain.len() > DOMAIN_MAX {
        return None;
    }
    let (shown, _) = idna::domain_to_unicode(domain);
    let ours = organisation(&shown);
    let everybody = || known.own_domains.iter().chain(&known.partners);
    if everybody()
        .any(|known| organisation(known) == ours || organisation(known) == organisation(domain))
    {
        return None;
    }
    let own = |target: &String| known.own_domains.contains(target);
    for target in everybody() {
        let (target_shown, _) = idna::domain_to_unicode(target);
        let theirs = organisation(&target_shown);
        let whose = if own(target) {
            "your own domain"
        } else {
            "a domain you write with"
        };
        if skeleton(&ours) == skeleton(&theirs) {
            return Some(Finding::new(
                Severity::Danger,
                format!("Not {theirs}"),
                format!(
                    "The sender's domain {} is made to look like {theirs}, {whose}, but is another.",
                    spelled(&ours)
                ),
                "Believe nothing of it. Ask the person it claims to be, by an address or number you already have.",
            ));
        }
        if is_one_off(&ours, &theirs) {
            return Some(Finding::new(
                Severity::Warn,
                format!("Almost {theirs}, but not quite"),
                format!(
                    "The sender's domain {} differs from {theirs}, {whose}, by one letter.",
                    spelled(&ours)
                ),
                "Read the address letter by letter before you answer or pay.",
            ));
        }
    }
    let name = ours.split('.').next().unwrap_or_default();
    (!name.is_single_script()).then(|| {
        Finding::new(
            Severity::Warn,
            "Mixed alphabets in the address",
            format!("The sender's domain {} has letters of several alphabets, so that it can look like another.", spelled(&ours)),
            "Do not follow its links before you know the sender.",
        )
    })
}

/// A domain with its true spelling where letters deceive.
fn spelled(domain: &str) -> String {
    match idna::domain_to_ascii(domain) {
        Ok(ascii) if ascii != domain => format!("{domain} ({ascii})"),
        _ => domain.to_owned(),
    }
}

/// One letter added, lost, changed or swapped, or another accent, in otherwise equal domains.
fn is_one_off(ours: &str, theirs: &str) -> bool {
    let (Some((name, ending)), Some((other, other_ending))) =
        (ours.split_once('.'), theirs.split_once('.'))
    else {
        return false;
    };
    let long_enough = |name: &str| name.chars().count() >= NAME_MIN;
    if ending != other_ending || !long_enough(name) || !long_enough(other) {
        return false;
    }
    if without_accents(&skeleton(name)) == without_accents(&skeleton(other)) {
        return true;
    }
    // A number counted on is a series, not a disguise.
    let letters = |text: &str| {
        text.chars()
            .filter(|c| !c.is_ascii_digit())
            .collect::<String>()
    };
    letters(name) != letters(other) && strsim::damerau_levenshtein(name, other) == 1
}
