//! In charge of mail that customers write of their own accord while a demonstration runs.

use super::compose::{Letter, Who, html, plain};

/// Name, address, subject, text.
const FRESH: [(&str, &str, &str, &str); 10] = [
    (
        "Nora Whitfield",
        "nora.whitfield@fennel.example",
        "Bulb type for the Pier floor lamp",
        "Hello,\n\nwhich bulb goes into the Pier floor lamp? The label came off and I would rather not guess.\n\n\
         Nora Whitfield",
    ),
    (
        "Tomasz Lis",
        "tomasz@lis-interiors.example",
        "Quote for 24 Mole wall lights",
        "Good afternoon,\n\nwe are fitting out a small hotel and need 24 Mole wall lights in brass, delivered\n\
         in the second half of next month. What would your price be, and is there a trade discount?\n\n\
         Tomasz Lis\nLis Interiors",
    ),
    (
        "Priya Nand",
        "priya.nand@rowanhouse.example",
        "Parcel arrived open",
        "Hi there,\n\nthe parcel with order HL-20418 came today with one side open. The shade seems fine but the\n\
         screws are missing. Could you send them?\n\nThanks, Priya",
    ),
    (
        "Gustav Ek",
        "gustav.ek@birch.example",
        "Can I return a lamp after 20 days?",
        "Hello,\n\nI bought the Buoy table lamp twenty days ago. It is lovely but too big for the shelf.\n\
         Can I still return it?\n\nRegards\nGustav",
    ),
    (
        "Elena Duarte",
        "elena@duarte-photo.example",
        "Colour temperature",
        "Hi,\n\nis the Signal desk lamp available with 4000 K? The shop shows only 2700 K.\n\nElena",
    ),
    (
        "Sam Achterberg",
        "sam@achterberg.example",
        "Invoice needs our VAT number",
        "Dear team,\n\nplease add our VAT number to invoice 2026-1187 and send it again:\nNL000099998B57.\n\n\
         Kind regards\nSam Achterberg",
    ),
    (
        "Yuki Tanabe",
        "yuki.tanabe@hinoki.example",
        "Plug for Japan",
        "Hello,\n\ndo your lamps work with 100 V, and do you ship to Sapporo?\n\nYuki",
    ),
    (
        "Ruth Calloway",
        "ruth.calloway@meadow.example",
        "Humming noise",
        "Good evening,\n\nsince last week our Beacon ceiling light hums when it is dimmed. Switching it off for an\n\
         hour helps for a while. Is that dangerous?\n\nRuth Calloway",
    ),
    (
        "Olivier Blanc",
        "olivier@atelier-blanc.example",
        "Spare glass for the Lantern",
        "Bonjour,\n\nthe glass of my Lantern broke while moving. Is it sold separately?\n\nMerci, Olivier Blanc",
    ),
    (
        "Hana Novotna",
        "hana@novotna.example",
        "Thank you",
        "Dear Harbour Lights,\n\nthe new switch arrived and works. Thank you for the quick help!\n\nHana",
    ),
];

/// The mail with this number, its sender first; after the last the first comes again.
pub(super) fn fresh(number: u32, to: &str, at: i64, serial: u64) -> (String, Vec<u8>) {
    let pick = usize::try_from(number).unwrap_or_default() % FRESH.len();
    let (name, address, subject, text) = FRESH.get(pick).copied().unwrap_or_default();
    let domain = address
        .rsplit_once('@')
        .map_or("home.example", |(_, domain)| domain);
    let content = if number % 3 == 2 {
        html(&format!(
            "<div dir=\"ltr\">{}</div>\n",
            text.replace('\n', "<br>\n")
        ))
    } else {
        plain(text)
    };
    let letter = Letter {
        from: Who::new(name, address),
        to: Who::new("", to),
        subject: subject.to_owned(),
        at,
        message_id: format!("<fresh.{number}.{serial}@{domain}>"),
        more: Vec::new(),
        content,
    };
    (address.to_owned(), letter.write())
}
