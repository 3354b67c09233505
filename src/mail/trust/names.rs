//! Names that say something else than the address behind them. Most programs show only the name.

use super::lookalike::{organisation, skeleton};
use super::{Evidence, Finding, Known, Severity, domain_of};

pub(super) fn finding(evidence: &Evidence, known: &Known, domain: &str) -> Option<Finding> {
    if domain.is_empty() || known.own_domains.iter().any(|own| own == domain) {
        return None;
    }
    let from = &evidence.from;
    if let Some(shown) = address_in(&from.name)
        && organisation(&domain_of(&shown)) != organisation(domain)
    {
        return Some(Finding::new(
            Severity::Warn,
            format!("Named {shown}, but not from there"),
            format!(
                "The name looks like an address, but the message is from {}.",
                from.address
            ),
            "Go by the address, not by the name.",
        ));
    }
    // Lists put their own address behind their members' names.
    if evidence.relayed {
        return None;
    }
    let name = folded(&from.name);
    let colleague = known.colleagues.iter().find(|colleague| {
        // One word is anybody's name.
        colleague.split_whitespace().count() > 1 && folded(colleague) == name
    })?;
    Some(Finding::new(
        Severity::Warn,
        format!("Uses the name of {colleague}"),
        format!(
            "You have a colleague or mailbox of that name, but this message is from {}, an address outside.",
            from.address
        ),
        "If it asks for something unusual, ask your colleague in person first.",
    ))
}

/// An address in a display name, such as `"boss@ours.example" <x@elsewhere.example>`.
fn address_in(name: &str) -> Option<String> {
    name.split(|c: char| c.is_whitespace() || "<>()[]\"',;".contains(c))
        .find(|word| {
            word.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && domain.contains('.') && !domain.ends_with('.')
            })
        })
        .map(str::to_owned)
}

/// A name as the eye takes it: no case, no order of given name and surname, look-alike letters made equal.
fn folded(name: &str) -> Vec<String> {
    let mut words: Vec<String> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(skeleton)
        .collect();
    words.sort();
    words
}
