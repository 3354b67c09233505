//! Where a signature begins.

/// Longest signature after a bare `--`, in lines; `-- ` with its space is certain.
const LOOSE_MAX: usize = 12;
/// Longest signature after `-- `, in lines.
const CERTAIN_MAX: usize = 40;

/// What programs on phones and Outlook put under a mail, in lower case.
const PROGRAM_LINES: &[&str] = &[
    "sent from my ",
    "gesendet mit iphone",
    "az iphone-omról küldve",
    "trimis de pe ",
    "enviado do iphone",
    "enviado de mi ",
    "從我的 iphone 傳送",
    "sent from mail for windows",
    "sent from outlook",
    "sent from yahoo",
    "sent from mailbox",
    "sent from proton",
    "sent with proton",
    "sent from gmail mobile",
    "sent via ",
    "get outlook for ",
    "download outlook for",
    "sent using ",
    "von meinem iphone gesendet",
    "von meinem ipad gesendet",
    "von meinem ",
    "gesendet von mail für windows",
    "gesendet von meinem ",
    "gesendet von outlook",
    "holen sie sich outlook für ",
    "outlook für ",
    "gesendet mit der ",
    "diese nachricht wurde von meinem",
    "envoyé de mon ",
    "envoyé depuis mon",
    "envoyé à partir de ",
    "obtenez outlook pour ",
    "télécharger outlook pour",
    "téléchargez outlook pour",
    "enviado desde mi ",
    "enviado desde outlook",
    "enviado desde correo para windows",
    "obtener outlook para ",
    "descargar outlook para",
    "enviado do meu ",
    "enviado a partir do",
    "obter o outlook para ",
    "baixar o outlook para",
    "inviato da iphone",
    "inviato da ipad",
    "inviato dal mio ",
    "inviato da posta per windows",
    "scarica outlook per ",
    "ottieni outlook per ",
    "verstuurd vanaf mijn ",
    "verzonden vanuit ",
    "verzonden met",
    "outlook voor ",
    "download outlook voor ",
    "skickat från min ",
    "skickat från outlook",
    "skickat från e-post för windows",
    "skaffa outlook för ",
    "hämta outlook för ",
    "sendt fra min ",
    "hent outlook til ",
    "få outlook til ",
    "lähetetty iphone",
    "hanki outlook ",
    "wysłane z ",
    "pobierz outlook",
    "отправлено с ",
    "отправлено из ",
    "получить outlook для",
    "iphoneから送信",
    "从我的iphone发送",
    "发自我的iphone",
];

/// Which line of a stretch of new text begins the signature.
pub(super) fn start(lines: &[&str]) -> Option<usize> {
    let marked = lines.iter().enumerate().find_map(|(at, line)| {
        let certain = matches!(*line, "-- " | "-- \u{a0}");
        let loose = matches!(line.trim(), "--" | "—" | "__");
        if !certain && !loose {
            return None;
        }
        let after = lines.get(at + 1..).unwrap_or_default();
        let after = after.iter().filter(|line| !line.trim().is_empty());
        let rest = after.take(CERTAIN_MAX + 1).count();
        let fits = (certain && rest <= CERTAIN_MAX) || (loose && (1..=LOOSE_MAX).contains(&rest));
        fits.then_some(at)
    });
    let program = program_lines_start(lines);
    match (marked, program) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The first of the programs' own lines at the end; there may be several.
fn program_lines_start(lines: &[&str]) -> Option<usize> {
    let mut start = None;
    for (at, line) in lines.iter().enumerate().rev() {
        if line.trim().is_empty() {
            continue;
        }
        if !is_program_line(line) {
            break;
        }
        start = Some(at);
    }
    start
}

fn is_program_line(line: &str) -> bool {
    let line = line
        .trim()
        .trim_start_matches(['*', '_', '-', '[', '<', ' '])
        .to_lowercase();
    line.chars().count() <= 150 && PROGRAM_LINES.iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_mark_begins_a_signature() {
        assert_eq!(start(&["Hi", "-- ", "Ada"]), Some(1));
        assert_eq!(start(&["Hi", "", "--", "Ada"]), Some(2));
        assert_eq!(start(&["a", "--"]), None);
    }

    #[test]
    fn a_programs_own_line_is_a_signature_only_at_the_end() {
        assert_eq!(start(&["Hi", "", "Sent from my iPhone", ""]), Some(2));
        assert_eq!(start(&["Hi", "Von meinem iPhone gesendet"]), Some(1));
        assert_eq!(start(&["Sent from my iPhone", "", "But wait"]), None);
    }
}
