//! What customers write, and what is written in Outlook: short texts, HTML, files, answers, and mail that
//! is not quite in order.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::book::{Book, Letter};
use crate::random::Random;

/// Where customers live.
pub(crate) const SHOP: &str = "shop.example";
/// How many customers there are.
pub(crate) const CUSTOMERS: usize = 8;

/// A customer's address.
pub(crate) fn customer(n: usize) -> String {
    format!("customer{}@{SHOP}", n % CUSTOMERS)
}

/// A message to a mailbox, and how it is noted.
pub(crate) fn incoming(book: &Book, random: &mut Random, mailbox: &str) -> (Letter, Vec<u8>) {
    let n = book.number();
    let from = customer(random.below(CUSTOMERS));
    compose(book, random, (n, mailbox), (&from, mailbox), false)
}

/// A message that somebody wrote in Outlook, as it lies in Sent Items.
pub(crate) fn outlook(book: &Book, random: &mut Random, mailbox: &str) -> (Letter, Vec<u8>) {
    let n = book.number();
    let to = customer(random.below(CUSTOMERS));
    compose(book, random, (n, mailbox), (mailbox, &to), true)
}

fn compose(
    book: &Book,
    random: &mut Random,
    (n, mailbox): (usize, &str),
    (from, to): (&str, &str),
    outlook: bool,
) -> (Letter, Vec<u8>) {
    let token = format!("L{n}");
    let id = if random.percent(4) && !outlook {
        String::new()
    } else {
        format!(
            "letter-{n}@{}",
            if outlook { "outlook.example" } else { SHOP }
        )
    };
    let id_line = if id.is_empty() {
        String::new()
    } else {
        format!("Message-ID: <{id}>\r\n")
    };
    // Every third answers an earlier one.
    let earlier = random
        .percent(33)
        .then(|| book.earlier(mailbox, random.below(20)))
        .flatten();
    let answers = earlier.map_or_else(String::new, |letter| {
        format!("In-Reply-To: <{0}>\r\nReferences: <{0}>\r\n", letter.id)
    });
    // Some also to a colleague, whom an answer to everyone goes to as well.
    let cc = if random.percent(15) && !outlook {
        let other = customer(random.below(CUSTOMERS));
        if other == from {
            String::new()
        } else {
            format!("Cc: {other}\r\n")
        }
    } else {
        String::new()
    };
    let head = format!(
        "From: Somebody <{from}>\r\nTo: {to}\r\n{cc}Subject: Order {n} [{token}]\r\n\
         Date: Fri, 15 Jan 2027 08:{:02}:{:02} +0000\r\n{id_line}{answers}MIME-Version: 1.0\r\n",
        n / 60 % 60,
        n % 60
    );
    let raw = format!("{head}{}", content(random, n)).into_bytes();
    let letter = Letter {
        mailbox: mailbox.to_owned(),
        token,
        id,
        outlook,
    };
    (letter, raw)
}

fn content(random: &mut Random, n: usize) -> String {
    let lines = random.between(1, 60);
    let text = format!("Where is order {n}? It was to be here on Tuesday.\r\n").repeat(lines);
    match random.below(10) {
        0..=5 => format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{text}"),
        6 | 7 => {
            let html = text.replace("\r\n", "<br>\r\n");
            format!(
                "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
                 {text}\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>{html}</p>\r\n--b--\r\n"
            )
        }
        8 => {
            let size = random.between(2_000, 120_000);
            let file: Vec<u8> = (0..size / 8)
                .flat_map(|at| (at * n).to_le_bytes())
                .collect();
            let encoded: Vec<String> = file.chunks(57).map(|line| STANDARD.encode(line)).collect();
            format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n\
                 --b\r\nContent-Type: application/pdf; name=order-{n}.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n\
                 {}\r\n--b--\r\n",
                encoded.join("\r\n")
            )
        }
        // The end never comes, and the character set does not exist.
        _ => format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=x-none\r\n\r\n{text}"
        ),
    }
}
