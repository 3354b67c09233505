//! Subjects without what programs put before and behind them.

/// What stands before a subject in replies and forwards, without the colon, in lower case.
const MARKS: &[&str] = &[
    "re",
    "aw",
    "sv",
    "vs",
    "antw",
    "odp",
    "rif",
    "r",
    "res",
    "ref",
    "ynt",
    "ilt",
    "bls",
    "vb",
    "vl",
    "wg",
    "tr",
    "fw",
    "fwd",
    "rv",
    "enc",
    "pd",
    "i",
    "doorst",
    "antwort",
    "weiterleitung",
    "réf",
    "rép",
    "réponse",
    "transfert",
    "fs",
    "továbbítás",
    "továbbítva",
    "vá",
    "απ",
    "σχετ",
    "πρθ",
    "ha",
    "на",
    "ответ",
    "re2",
    "回复",
    "回覆",
    "答复",
    "转发",
    "轉寄",
    "返信",
    "回信",
    "trs",
];

/// Subjects that say nothing of the matter, folded. Two messages are not one matter because of them.
const GENERIC: &[&str] = &[
    "hi",
    "hello",
    "hey",
    "help",
    "question",
    "questions",
    "a question",
    "quick question",
    "request",
    "inquiry",
    "enquiry",
    "support",
    "issue",
    "problem",
    "urgent",
    "important",
    "info",
    "information",
    "test",
    "message",
    "contact",
    "contact form",
    "feedback",
    "no subject",
    "your mail",
    "your email",
    "your message",
    "none",
    "order",
    "your order",
    "my order",
    "invoice",
    "your invoice",
    "payment",
    "quote",
    "offer",
    "account",
    "thanks",
    "thank you",
    "update",
    "reminder",
    "appointment",
    "meeting",
    "document",
    "documents",
    "attachment",
    "file",
    "files",
    "photo",
    "photos",
    "image",
    "hallo",
    "guten tag",
    "frage",
    "anfrage",
    "hilfe",
    "rechnung",
    "bestellung",
    "angebot",
    "termin",
    "danke",
    "kein betreff",
    "wichtig",
    "dringend",
    "kontaktformular",
    "bonjour",
    "demande",
    "facture",
    "commande",
    "devis",
    "sans objet",
    "hola",
    "consulta",
    "pregunta",
    "factura",
    "pedido",
    "gracias",
    "sin asunto",
    "ciao",
    "richiesta",
    "fattura",
    "ordine",
    "olá",
    "pergunta",
    "fatura",
    "vraag",
    "factuur",
    "bestelling",
    "fråga",
    "faktura",
    "pytanie",
    "zapytanie",
    "zamówienie",
    "вопрос",
    "заказ",
    "счет",
    "без темы",
    "件名なし",
    "お問い合わせ",
    "咨询",
];

/// Words that servers put before a subject to warn of its sender.
const WARNINGS: &[&str] = &["external", "extern", "ext", "caution", "externe", "externo"];

/// Marks, tags and wrappings taken off one subject.
const STEPS_MAX: usize = 60;
/// Longest subject that is taken apart, in characters.
const SUBJECT_CHARS_MAX: usize = 2_000;
/// Longest tag, in characters.
const TAG_CHARS_MAX: usize = 40;

/// The subject without `Re:`, `AW:`, `Fwd:` and their kin, without `(fwd)` at its end and the brackets of
/// `[Fwd: …]` (RFC 5256 section 2.1), white space collapsed. Tags in brackets stay, also behind a mark:
/// `Re: [team] Re: x` becomes `[team] x`. Empty when nothing else is left.
#[must_use]
pub fn base_subject(subject: &str) -> String {
    let subject: String = subject.chars().take(SUBJECT_CHARS_MAX).collect();
    let collapsed = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut tags = String::new();
    let mut rest = collapsed.as_str();
    for _ in 0..STEPS_MAX {
        if let Some(less) = strip_mark(rest)
            .or_else(|| strip_end(rest))
            .or_else(|| unwrap(rest))
        {
            rest = less;
            continue;
        }
        // A tag is passed over only when a mark stands behind it.
        let Some((tag, after)) = split_tag(rest) else {
            break;
        };
        let Some(stripped) = strip_mark(after) else {
            break;
        };
        let tag = format!("[{tag}] ");
        if !tags.contains(&tag) {
            tags.push_str(&tag);
        }
        rest = stripped;
    }
    format!("{tags}{rest}").trim().to_owned()
}

/// Whether the subject says that it is an answer or a forward.
#[must_use]
pub fn is_marked_subject(subject: &str) -> bool {
    let mut rest = subject.trim();
    for _ in 0..3 {
        if strip_mark(rest).is_some() || unwrap(rest).is_some() {
            return true;
        }
        match split_tag(rest) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    false
}

/// A subject for comparing: its base in lower case, letters and digits only, without tags and warnings
/// that servers put before it. A tag with a digit stays, for it may be a number that tells two apart.
#[must_use]
pub fn folded(subject: &str) -> String {
    let base = base_subject(subject).to_lowercase();
    let mut rest = base.as_str();
    for _ in 0..STEPS_MAX {
        let less = split_tag(rest)
            .filter(|(tag, after)| {
                !after.is_empty() && !tag.chars().any(|sign| sign.is_ascii_digit())
            })
            .map(|(_, after)| after);
        let warned = rest
            .split_once(':')
            .filter(|(word, _)| WARNINGS.contains(&word.trim()))
            .map(|(_, after)| after.trim_start());
        match less.or(warned) {
            Some(less) => rest = less,
            None => break,
        }
    }
    let rest = strip_mark(rest).unwrap_or(rest);
    rest.split(|sign: char| !sign.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a subject says too little to take two messages for one matter.
#[must_use]
pub fn is_generic(subject: &str) -> bool {
    let folded = folded(subject);
    folded.chars().count() < 4 || GENERIC.contains(&folded.as_str())
}

/// The Thread-Topic of a message with this subject: the subject without its marks.
#[must_use]
pub fn thread_topic(subject: &str) -> String {
    base_subject(subject)
}

/// Takes one `Re:`, `Re[2]:`, `RE :`, `AW:` from the start.
fn strip_mark(subject: &str) -> Option<&str> {
    let at = subject.find([':', '：'])?;
    let (head, after) = subject.split_at_checked(at)?;
    if head.len() > TAG_CHARS_MAX * 2 {
        return None;
    }
    let head = head.trim_end();
    let word = head.trim_end_matches(|c: char| {
        c.is_ascii_digit() || c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | '^' | '*')
    });
    let lower = word.trim_end_matches('.').to_lowercase();
    let rest = after.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '：'));
    MARKS.contains(&lower.as_str()).then_some(rest)
}

/// Takes `(fwd)` from either end.
fn strip_end(subject: &str) -> Option<&str> {
    let is_mark =
        |text: &str| text.eq_ignore_ascii_case("(fwd)") || text.eq_ignore_ascii_case("(fw)");
    for length in [5, 4] {
        let end = subject.len().checked_sub(length);
        if let Some((before, mark)) = end.and_then(|at| subject.split_at_checked(at))
            && is_mark(mark)
        {
            return Some(before.trim_end());
        }
        if let Some((mark, after)) = subject.split_at_checked(length)
            && is_mark(mark)
        {
            return Some(after.trim_start());
        }
    }
    None
}

/// Takes the brackets of `[Fwd: …]`, and the mark in them.
fn unwrap(subject: &str) -> Option<&str> {
    let inside = subject.strip_prefix('[')?.strip_suffix(']')?;
    strip_mark(inside)
}

/// A tag in brackets at the start, and what stands behind it.
fn split_tag(subject: &str) -> Option<(&str, &str)> {
    let (tag, after) = subject.strip_prefix('[')?.split_once(']')?;
    let is_tag = !tag.is_empty() && tag.chars().count() <= TAG_CHARS_MAX;
    is_tag.then(|| (tag, after.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_in_many_languages_and_tags_stay() {
        for subject in [
            "Re: x",
            "AW: SV: x",
            "WG: Fwd: x",
            "RE: [team] Re: x",
            "Re[2]: x",
            "Re (3): x",
            "Re : : Re: x",
            "Réf : x",
            "回复：x",
            "Odp: x",
            "Re: [Fwd: [Fwd: FW: x]]",
            "[Fwd: x]",
            "x (fwd)",
            "Fwd: (fwd) x",
        ] {
            let base = base_subject(subject);
            assert!(base == "x" || base == "[team] x", "{subject} gave {base}");
        }
        assert_eq!(
            base_subject("[ticket 7]  Printer: on fire"),
            "[ticket 7] Printer: on fire"
        );
        for whole in ["Request - no mark", "fwd is an acronym (four-wheel drive)"] {
            assert_eq!(base_subject(whole), whole);
        }
    }

    #[test]
    fn a_subject_of_marks_alone_is_empty() {
        for subject in ["Re:", "FW: (Fwd) (Fwd) ", "Re: Re:", ""] {
            assert_eq!(base_subject(subject), "", "{subject}");
        }
    }

    #[test]
    fn hostile_subjects_end() {
        let _ = base_subject(&"re:".repeat(100_000));
        let _ = base_subject(&"[a".repeat(100_000));
        let _ = base_subject(&"[a] re: ".repeat(100_000));
        let _ = folded(&"[b]".repeat(100_000));
    }

    #[test]
    fn tags_and_warnings_do_not_make_a_subject_another_but_numbers_do() {
        assert_eq!(
            folded("[EXTERNAL] RE: Lamp, broken!"),
            folded("Lamp broken")
        );
        assert_eq!(folded("EXTERNAL: AW: Lamp broken"), "lamp broken");
        assert_ne!(folded("[ticket 7] Lamp"), folded("[ticket 8] Lamp"));
        assert_ne!(folded("Order 17"), folded("Order 18"));
    }

    #[test]
    fn a_subject_that_says_nothing_is_generic() {
        for subject in [
            "Hi",
            "Re: Question?",
            "Rechnung",
            "x",
            "",
            "Re: (no subject)",
        ] {
            assert!(is_generic(subject), "{subject}");
        }
        for subject in ["Order 1877", "The lamp on my desk", "Rechnung 2024-17"] {
            assert!(!is_generic(subject), "{subject}");
        }
    }

    #[test]
    fn a_marked_subject_is_known_behind_tags_too() {
        for subject in ["Re: x", "[team] AW: x", "[EXTERNAL] [x] RE: y", "[Fwd: x]"] {
            assert!(is_marked_subject(subject), "{subject}");
        }
        for subject in ["Order: x", "[team] x", "Reply to you", ""] {
            assert!(!is_marked_subject(subject), "{subject}");
        }
    }
}
