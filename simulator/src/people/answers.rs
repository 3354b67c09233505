//! In charge of what correspondents write back: answers that quote ours, and automatic replies.

use mail_parser::{Message, MessageParser};

use super::compose::{Letter, Part, Who, attachment, html, inline, lamp_picture, pdf, plain};
use super::number_of;
use crate::world::{Outgoing, headers};

/// First answers, in the order they are picked by the message's number.
const FIRST: [&str; 6] = [
    "Hello {name},\n\nthank you for the quick answer. The number on the underside is HL-2-0417, bought in\n\
     March. Does that help?\n\nBest wishes\n{me}",
    "Hi,\n\nI tried that just now: switched it off at the wall, waited a minute, switched it on again.\n\
     It still flickers when the dimmer is below the middle.\n\n{me}",
    "Dear {name},\n\nthat is very kind. Yes, please send the replacement to the address on the invoice.\n\
     Do I have to send the old one back?\n\nKind regards\n{me}",
    "Thanks! One more thing: is the cable long enough for a ceiling of 3.20 m, or do I need the\n\
     longer one?\n\n{me}",
    "Good morning,\n\nthe delivery date is fine for us. Could you put the order number PO-7731 on the\n\
     delivery note?\n\nMany thanks\n{me}",
    "Hello,\n\nI have attached what you asked for. Tell me if you need anything else.\n\n{me}",
];

/// Later answers in the same thread.
const LATER: [&str; 4] = [
    "Perfect, that did it. Thank you for your patience, {name}!\n\n{me}",
    "Great, then I wait for the parcel. You can close this from my side.\n\n{me}",
    "Understood. I will get back to you when I am at home and can look at it again.\n\n{me}",
    "Thank you, all clear now.\n\nBest wishes\n{me}",
];

/// What we sent, as far as an answer needs it.
struct Ours<'raw> {
    message: Message<'raw>,
    from: Who,
    subject: String,
    id: String,
    references: String,
}

fn read(raw: &[u8]) -> Option<Ours<'_>> {
    let message = MessageParser::default().parse(raw)?;
    let sender = message
        .reply_to()
        .or_else(|| message.from())
        .and_then(|list| list.first())?;
    let from = Who::new(sender.name().unwrap_or_default(), sender.address()?);
    let id = headers::get(raw, "Message-ID").unwrap_or_default();
    let before = headers::get(raw, "References").unwrap_or_default();
    let references = format!("{before} {id}")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let subject = message.subject().unwrap_or_default().to_owned();
    Some(Ours {
        message,
        from,
        subject,
        id,
        references,
    })
}

/// Whether the message was written by a machine, so that nobody answers it (RFC 3834).
pub(super) fn is_automatic(raw: &[u8]) -> bool {
    headers::get(raw, "Auto-Submitted").is_some_and(|value| !value.eq_ignore_ascii_case("no"))
}

/// The person behind an address: the name our mail gave them, else one made from the address.
fn person(ours: &Ours<'_>, address: &str) -> Who {
    let given = ours.message.to().and_then(|list| {
        let found = list.iter().find(|one| {
            one.address()
                .is_some_and(|known| known.eq_ignore_ascii_case(address))
        });
        found.and_then(|one| one.name()).map(str::to_owned)
    });
    Who::new(&given.unwrap_or_else(|| name_from(address)), address)
}

/// `answers.kim-lee@…` → `Kim Lee`.
fn name_from(address: &str) -> String {
    let local = address.split('@').next().unwrap_or_default();
    let words: Vec<String> = local
        .split(['.', '-', '_', '+'])
        .filter(|word| !["answers", "away", "delay", "busy", ""].contains(word))
        .map(|word| {
            let mut letters = word.chars();
            let first = letters
                .next()
                .map(|c| c.to_uppercase().to_string())
                .unwrap_or_default();
            format!("{first}{}", letters.as_str())
        })
        .collect();
    if words.is_empty() {
        "Kim Doyle".to_owned()
    } else {
        words.join(" ")
    }
}

fn reply_subject(subject: &str) -> String {
    let known = ["re:", "aw:"].iter().any(|start| {
        subject
            .get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    });
    if known {
        subject.to_owned()
    } else {
        format!("Re: {subject}")
    }
}

/// A person's answer to our mail, and the address it goes to.
pub(super) fn answer(
    outgoing: &Outgoing,
    by: &str,
    at: i64,
    serial: u64,
) -> Option<(String, Vec<u8>)> {
    let ours = read(&outgoing.raw)?;
    let me = person(&ours, by);
    let number = number_of(&ours.id);
    let later = ours.references.matches('<').count() > 2;
    let texts: &[&str] = if later { &LATER } else { &FIRST };
    let pick = usize::try_from(number).unwrap_or_default() % texts.len();
    let text = texts.get(pick).copied().unwrap_or_default();
    let first_name = ours
        .from
        .name
        .split(' ')
        .next()
        .filter(|name| !name.is_empty());
    let text = text
        .replace("{name}", first_name.unwrap_or("there"))
        .replace("{me}", &me.name);
    let said = ours.message.body_text(0).unwrap_or_default().into_owned();
    let written = ours
        .message
        .date()
        .map_or(outgoing.at, mail_parser::DateTime::to_timestamp);
    let attaches = text.contains("attached") || number.is_multiple_of(5);
    let body = if number.is_multiple_of(3) {
        outlook(&text, &ours, &said, written)
    } else {
        plain(&format!("{text}\n\n{}", quoted(&ours, &said, written)))
    };
    let content = match (attaches, number.is_multiple_of(2)) {
        (false, _) => body,
        (true, true) => Part::Many(
            "mixed",
            vec![
                body,
                attachment("receipt.pdf", "application/pdf", &pdf("Receipt HL-2-0417")),
            ],
        ),
        (true, false) => Part::Many(
            "mixed",
            vec![body, attachment("lamp.png", "image/png", &lamp_picture())],
        ),
    };
    let domain = by
        .rsplit_once('@')
        .map_or("home.example", |(_, domain)| domain);
    let letter = Letter {
        from: me,
        to: ours.from.clone(),
        subject: reply_subject(&ours.subject),
        at,
        message_id: format!("<answer.{number:08x}.{serial}@{domain}>"),
        more: vec![
            ("In-Reply-To", ours.id.clone()),
            ("References", ours.references.clone()),
        ],
        content,
    };
    Some((ours.from.address, letter.write()))
}

/// Our text with `> ` before every line, under the usual introduction.
fn quoted(ours: &Ours<'_>, said: &str, written: i64) -> String {
    let date = mail_parser::DateTime::from_timestamp(written).to_rfc822();
    let lines: Vec<String> = said
        .lines()
        .map(|line| {
            if line.starts_with('>') {
                format!(">{line}")
            } else {
                format!("> {line}")
            }
        })
        .collect();
    let name = if ours.from.name.is_empty() {
        &ours.from.address
    } else {
        &ours.from.name
    };
    format!("On {date}, {name} wrote:\n{}", lines.join("\n"))
}

/// The same as Outlook writes it: HTML with the block of From, Sent, To, Subject.
fn outlook(text: &str, ours: &Ours<'_>, said: &str, written: i64) -> Part {
    let date = mail_parser::DateTime::from_timestamp(written).to_rfc822();
    let paragraphs = |text: &str| {
        text.split("\n\n")
            .map(|part| {
                format!(
                    "<p class=\"MsoNormal\">{}</p>",
                    escaped(part).replace('\n', "<br>\n")
                )
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    let block = format!(
        "<div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\">\n\
         <p class=\"MsoNormal\"><b>From:</b> {} &lt;{}&gt;<br>\n<b>Sent:</b> {date}<br>\n\
         <b>Subject:</b> {}</p></div>",
        escaped(&ours.from.name),
        escaped(&ours.from.address),
        escaped(&ours.subject)
    );
    let page = format!(
        "<html xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head>\n\
         <meta name=\"Generator\" content=\"Microsoft Word 15 (filtered medium)\">\n\
         <style>p.MsoNormal{{margin:0cm;font-size:11.0pt;font-family:\"Calibri\",sans-serif}}</style>\n\
         </head><body lang=\"EN-GB\"><div class=\"WordSection1\">\n{}\n<p class=\"MsoNormal\">&nbsp;</p>\n\
         {block}\n{}\n</div></body></html>\n",
        paragraphs(text),
        paragraphs(said)
    );
    let under = format!(
        "{text}\n\nFrom: {} <{}>\nSent: {date}\nSubject: {}\n\n{said}",
        ours.from.name, ours.from.address, ours.subject
    );
    Part::Many("alternative", vec![plain(&under), html(&page)])
}

/// Text made safe for HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The automatic reply of somebody who is away, as Exchange writes it.
pub(super) fn away(
    outgoing: &Outgoing,
    by: &str,
    at: i64,
    serial: u64,
) -> Option<(String, Vec<u8>)> {
    let ours = read(&outgoing.raw)?;
    let me = person(&ours, by);
    let text = format!(
        "I am out of the office until Monday and read no mail.\n\
         In urgent cases please write to my colleagues at desk@{}.\n\n{}\n",
        by.rsplit_once('@')
            .map_or("home.example", |(_, domain)| domain),
        me.name
    );
    let page = format!(
        "<html><body><p>{}</p></body></html>\n",
        escaped(&text).replace('\n', "<br>\n")
    );
    let letter = Letter {
        from: me,
        to: ours.from.clone(),
        subject: format!("Automatic reply: {}", ours.subject),
        at,
        message_id: crate::world::submission::exchange_message_id(serial),
        more: vec![
            ("In-Reply-To", ours.id.clone()),
            ("References", ours.references),
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("X-Auto-Response-Suppress", "All".to_owned()),
        ],
        content: Part::Many("alternative", vec![plain(&text), html(&page)]),
    };
    Some((outgoing.mail_from.clone(), letter.write()))
}

/// An HTML mail with a picture inside, for [`super::seed`].
pub(super) fn with_picture(text: &str, page: &str, cid: &str) -> Part {
    let picture = inline(cid, "image001.png", "image/png", &lamp_picture());
    let related = Part::Many("related; type=\"text/html\"", vec![html(page), picture]);
    Part::Many("alternative", vec![plain(text), related])
}

#[cfg(test)]
mod tests {
    use super::{name_from, reply_subject};

    #[test]
    fn names_come_from_the_address() {
        assert_eq!(name_from("answers.kim-lee@willow.example"), "Kim Lee");
        assert_eq!(name_from("answers@willow.example"), "Kim Doyle");
    }

    #[test]
    fn a_subject_gets_one_prefix() {
        assert_eq!(reply_subject("Lamp"), "Re: Lamp");
        assert_eq!(reply_subject("AW: Lampe"), "AW: Lampe");
    }
}
