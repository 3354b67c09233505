//! Mail that breaks the rules of its own form.

use super::{Odd, crlf, odd, odd_bytes};
use crate::people::compose::{Part, html, plain};

pub(super) fn all() -> Vec<Odd> {
    vec![
        bare(),
        long_lines(),
        twice(),
        torn(),
        machine_text(),
        long_subject(),
        empty(),
    ]
}

/// No From, no Subject, no Date, no Message-ID.
fn bare() -> Odd {
    odd_bytes(
        ("", "unknown@device.example"),
        "",
        b"\r\nToner low in device 4, tray 2.\r\n",
    )
    .without("From")
    .without("Subject")
    .without("Date")
    .without("Message-ID")
    .without("MIME-Version")
}

/// One line of thirty thousand letters, and a word that no screen is wide enough for.
fn long_lines() -> Odd {
    let sentence = "I did not know that the return key may be used in mail, so I write everything in one line, as one does. ";
    let text = format!(
        "{}And here is the link: https://very-long.example/{}\n",
        sentence.repeat(280),
        "abcdefghij".repeat(60)
    );
    let mut bytes =
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            .to_vec();
    bytes.extend(crlf(&text));
    odd_bytes(("Otto Line", "otto@oneline.example"), "one line", &bytes)
}

/// Fields that may stand once, twice.
fn twice() -> Odd {
    odd(
        ("Bridget Twice", "bridget@twice.example"),
        "The first subject",
        plain("Which of my subjects do you see?\n\nBridget\n"),
    )
    .field("Subject", "The second subject")
    .field("From", "\"Somebody Else\" <else@elsewhere.example>")
}

/// Cut off in the middle of a file, with a NUL byte on the way.
fn torn() -> Odd {
    let text = "Content-Type: multipart/mixed; boundary=\"torn\"\n\n--torn\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nThe connection is bad here, I hope this\0 arrives whole.\n\n\
        --torn\nContent-Type: image/png; name=\"half.png\"\nContent-Disposition: attachment; filename=\"half.png\"\nContent-Transfer-Encoding: base64\n\niVBORw0KGgoAAAANSUhEUgAAAEAAAAAwBAMAAABTZWEsAAAAD1BMVEUm!!MjhUVD";
    odd_bytes(
        ("Finn at Sea", "finn@ferry.example"),
        "From the ferry",
        &crlf(text),
    )
}

/// Text that means its spaces.
fn machine_text() -> Odd {
    let text = "Hello,\n\nthis is what the controller prints before it stops:\n\n    ERR 0x17  bus timeout at node 4\n      |  node   state    volts   amps |\n      |     1   ok        23.9    1.2 |\n      |     2   ok        23.8    1.1 |\n      |     4   LOST       0.0    0.0 |\n\n\
        > set node 4 reset\n< NACK\n\nif (x < 3 && y > 5) { retry(); }\n\nWhat now?\n\nKim\n";
    odd(
        ("Kim Sørby", "kim@stagecraft.example"),
        "Controller stops with ERR 0x17",
        plain(text),
    )
}

/// A subject that is a letter, and a file whose name is turned around in the middle.
fn long_subject() -> Odd {
    let subject = "Question about the lamp in the window of your shop at the old harbour, the one with the green shade and the brass foot that stood left of the door until last Tuesday, ".repeat(5);
    let file = Part::Leaf(
        vec![
            ("Content-Type", "application/octet-stream".to_owned()),
            (
                "Content-Disposition",
                "attachment;\r\n filename*=utf-8''window%E2%80%AEgpj.exe".to_owned(),
            ),
            ("Content-Transfer-Encoding", "7bit".to_owned()),
        ],
        b"This file is empty on purpose.\r\n".to_vec(),
    );
    odd(
        ("Agatha Long", "agatha@longwinded.example"),
        subject.trim(),
        Part::Many("mixed", vec![html("<p>Is it still for sale?</p>"), file]),
    )
}

/// Nothing at all.
fn empty() -> Odd {
    odd(("Quentin Blank", "quentin@blank.example"), "", plain(""))
}
