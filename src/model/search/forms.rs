//! Other forms of a searched word. They are made when somebody asks, not when mail is indexed: names and
//! numbers in the index stay as written, no language has to be guessed, and the word itself can come first.
//!
//! The endings are the common ones of European languages. A form that is no word of any language is in no
//! message, so making too many does no harm but a look into the index each.

use std::collections::BTreeSet;

/// The most forms of a word, itself included.
const FORMS_MAX: usize = 40;
/// Shorter words have no other form: `the` is not `thes`.
const LENGTH_MIN: usize = 3;

/// Endings taken off, longest first, and how many letters must stay.
const OFF: &[(&str, usize)] = &[
    ("ings", 4),
    ("ing", 4),
    ("ern", 4),
    ("ens", 4),
    ("ed", 4),
    ("es", 3),
    ("os", 4),
    ("as", 4),
    ("en", 4),
    ("er", 4),
    ("em", 4),
    ("n", 5),
    ("s", 3),
    ("e", 3),
    ("i", 4),
    ("a", 4),
    ("o", 4),
];
/// Endings put on.
const ON: &[&str] = &[
    "s", "e", "es", "en", "n", "er", "ed", "ing", "em", "ern", "i", "a", "o", "as", "os",
];

/// A word and its other forms, itself first. `plain` is as [`super::words`] has it.
#[must_use]
pub(super) fn of(plain: &str) -> Vec<String> {
    let mut forms = vec![plain.to_owned()];
    if plain.len() < LENGTH_MIN || !plain.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return forms;
    }
    let mut seen: BTreeSet<String> = forms.iter().cloned().collect();
    let mut add = |form: String| {
        if forms.len() < FORMS_MAX && seen.insert(form.clone()) {
            forms.push(form);
        }
    };
    let stems = stems(plain);
    for stem in stems.iter().filter(|stem| *stem != plain) {
        add(stem.clone());
    }
    for stem in &stems {
        if let Some(rest) = stem.strip_suffix('y').filter(|rest| rest.len() > 1) {
            add(format!("{rest}ies"));
            add(format!("{rest}ied"));
        }
        if let Some(last) = doubled(stem) {
            add(format!("{stem}{last}ed"));
            add(format!("{stem}{last}ing"));
        }
        if let Some(rest) = stem.strip_suffix("al") {
            add(format!("{rest}aux"));
        }
        for ending in ON {
            add(format!("{stem}{ending}"));
        }
    }
    forms
}

/// The word and what its other forms begin with.
fn stems(word: &str) -> Vec<String> {
    let mut stems = vec![word.to_owned()];
    let mut add = |stem: String| {
        if !stems.contains(&stem) {
            stems.push(stem);
        }
    };
    for (long, short) in [("ies", "y"), ("ied", "y"), ("aux", "al")] {
        if let Some(rest) = word.strip_suffix(long).filter(|rest| rest.len() > 1) {
            add(format!("{rest}{short}"));
            return stems;
        }
    }
    let off = OFF.iter().find_map(|(ending, least)| {
        word.strip_suffix(ending)
            .filter(|rest| rest.len() >= *least)
            .map(|rest| (rest, *ending))
    });
    if let Some((rest, ending)) = off {
        let letters: Vec<char> = rest.chars().rev().take(2).collect();
        if matches!(ending, "ed" | "ing" | "ings")
            && let [last, before] = letters.as_slice()
            && last == before
            && !matches!(last, 's' | 'l' | 'e' | 'o')
        {
            // shipped, ship
            add(rest.strip_suffix(*last).unwrap_or(rest).to_owned());
        }
        add(rest.to_owned());
    }
    stems
}

/// The last letter, where English doubles it before an ending: ship, shipped.
fn doubled(stem: &str) -> Option<char> {
    let vowel = |letter: char| matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u');
    let last: Vec<char> = stem.chars().rev().take(3).collect();
    match last.as_slice() {
        [last, middle, first] => {
            (!vowel(*last) && vowel(*middle) && !vowel(*first) && !matches!(last, 'w' | 'x' | 'y'))
                .then_some(*last)
        }
        _ => None,
    }
}

/// The same German word with its umlauts written as two letters, or read from them: `Müller`, `Mueller`,
/// `Muller`. `typed` is as the person wrote it, `plain` as the index has it.
#[must_use]
pub(super) fn umlauts(typed: &str, plain: &str) -> Option<String> {
    let written = typed
        .to_lowercase()
        .replace(['ä', 'Ä'], "ae")
        .replace(['ö', 'Ö'], "oe")
        .replace(['ü', 'Ü'], "ue");
    if written != typed.to_lowercase() {
        let mut other = String::new();
        super::words::each(&written, |word| other.push_str(word.text));
        return Some(other).filter(|other| other != plain);
    }
    let read = plain
        .replace("ae", "a")
        .replace("oe", "o")
        .replace("ue", "u");
    (read != plain && read.len() >= LENGTH_MIN).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_find_each_other() {
        for words in [
            vec!["lamp", "lamps"],
            vec!["invoice", "invoices", "invoiced", "invoicing"],
            vec!["order", "orders", "ordered", "ordering"],
            vec!["delivery", "deliveries"],
            vec!["ship", "ships", "shipped", "shipping"],
            vec!["reply", "replies", "replied"],
            vec!["refund", "refunds", "refunded"],
            vec!["rechnung", "rechnungen"],
            vec!["lampe", "lampen"],
            vec!["kunde", "kunden"],
            vec!["bestellung", "bestellungen"],
            vec!["haus", "hauser", "hausern"],
            vec!["commande", "commandes"],
            vec!["cheval", "chevaux"],
            vec!["factura", "facturas"],
            vec!["ordine", "ordini"],
        ] {
            for one in &words {
                let forms = of(one);
                assert_eq!(forms.first().unwrap(), one);
                for other in &words {
                    assert!(
                        forms.iter().any(|form| form == other),
                        "{one} does not find {other}: {forms:?}"
                    );
                }
                assert!(forms.len() <= FORMS_MAX);
            }
        }
    }

    #[test]
    fn numbers_other_scripts_and_the_shortest_words_have_one_form() {
        for word in ["4711", "a1", "it", "заказ", "退款"] {
            assert_eq!(of(word), [word]);
        }
    }

    #[test]
    fn an_umlaut_may_be_written_as_two_letters() {
        assert_eq!(umlauts("Müller", "muller").unwrap(), "mueller");
        assert_eq!(umlauts("mueller", "mueller").unwrap(), "muller");
        assert_eq!(umlauts("Lampe", "lampe"), None);
    }
}
