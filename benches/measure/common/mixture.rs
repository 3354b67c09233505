//! Mail as a help desk gets it: short texts, HTML with history, attachments, lists, answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    /// The next one. Xorshift (Marsaglia 2003).
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap() % limit
    }

    fn text(&mut self, bytes: usize) -> String {
        const WORDS: [&str; 16] = [
            "lamp",
            "order",
            "the",
            "was",
            "delivered",
            "green",
            "shade",
            "please",
            "broken",
            "invoice",
            "we",
            "would",
            "Grüße",
            "replace",
            "since",
            "Tuesday.",
        ];
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            for _ in 0..11 {
                text.push_str(WORDS[self.below(WORDS.len())]);
                text.push(' ');
            }
            text.push_str("\r\n");
        }
        text
    }

    /// Base64 of bytes that do not compress, as those of pictures and PDF files.
    fn file(&mut self, bytes: usize) -> String {
        let content: Vec<u8> = (0..bytes / 8)
            .flat_map(|_| self.next().to_le_bytes())
            .collect();
        let mut lines = String::with_capacity(bytes * 3 / 2);
        for part in content.chunks(57) {
            lines.push_str(&STANDARD.encode(part));
            lines.push_str("\r\n");
        }
        lines
    }
}

/// Message number `n`. Six of ten are short texts, a quarter HTML of 10 to 40 kB, an eighth has an
/// attachment of 40 to 280 kB, every fortieth one of 0.35 to 0.95 MB; every third answers an earlier one.
/// Ten thousand of them have 590 MB.
pub(crate) fn message(n: usize) -> Vec<u8> {
    let mut numbers = Numbers((n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let head = head(n);
    match n % 40 {
        0..24 => {
            let bytes = 1_000 + numbers.below(6_000);
            let text = numbers.text(bytes);
            format!("{head}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}")
        }
        24..34 => format!("{head}{}", html(&mut numbers)),
        34..39 => {
            let bytes = 40_000 + numbers.below(240_000);
            format!("{head}{}", attachment(&mut numbers, n, bytes))
        }
        _ => {
            let bytes = 350_000 + numbers.below(600_000);
            format!("{head}{}", attachment(&mut numbers, n, bytes))
        }
    }
    .into_bytes()
}

fn head(n: usize) -> String {
    let answers = if n % 3 == 2 {
        let earlier = format!("<mixture-{}@shop.example>", n - 2);
        format!("In-Reply-To: {earlier}\r\nReferences: {earlier}\r\n")
    } else {
        String::new()
    };
    let list = if n.is_multiple_of(29) {
        "List-Id: <news.shop.example>\r\n"
    } else {
        ""
    };
    format!(
        "Received: from mail.shop.example by mx.harbourlights.example; Fri, 15 Jan 2027 08:00:00 +0000\r\n\
         Authentication-Results: mx.harbourlights.example; spf=pass; dkim=pass; dmarc=pass\r\n\
         From: Customer {n} <customer{}@shop.example>\r\nTo: support@harbourlights.example\r\n\
         Subject: Order {n}\r\nDate: Fri, 15 Jan 2027 08:00:00 +0000\r\n\
         Message-ID: <mixture-{n}@shop.example>\r\n{answers}{list}MIME-Version: 1.0\r\n",
        n % 900
    )
}

fn html(numbers: &mut Numbers) -> String {
    let bytes = 3_000 + numbers.below(9_000);
    let text = numbers.text(bytes / 3);
    let paragraphs: String = numbers
        .text(bytes)
        .lines()
        .map(|line| format!("<p style=\"margin:0;color:#333\"><span>{line}</span></p>\r\n"))
        .collect();
    format!(
        "Content-Type: multipart/alternative; boundary=\"middle\"\r\n\r\n--middle\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--middle\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n<html><body>{paragraphs}<blockquote>{paragraphs}</blockquote></body></html>\r\n\
         --middle--\r\n"
    )
}

fn attachment(numbers: &mut Numbers, n: usize, bytes: usize) -> String {
    let text = numbers.text(800);
    let file = numbers.file(bytes);
    format!(
        "Content-Type: multipart/mixed; boundary=\"outer\"\r\n\r\n--outer\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--outer\r\n\
         Content-Type: image/jpeg; name=\"photo-{n}.jpg\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"photo-{n}.jpg\"\r\n\r\n{file}--outer--\r\n"
    )
}
