//! Address lists (RFC 5322 section 3.4), read as they are written: names without quotes, commas in
//! encoded words, missing brackets, spaces in an address, routes, groups, semicolons as separators.
//!
//! Encoded words are decoded only after the list was taken apart, so that nothing inside one can
//! pretend to be another address.

mod marks;

use crate::model::Address;

use super::header::{is_bidi_control, visible};
use super::words;
use marks::{
    closed, comment, in_brackets, quote, quoted_string, unwrapped, up_to_separator,
    without_comments, without_spaces,
};

/// Bytes read of one field.
const FIELD_BYTES_MAX: usize = 256 * 1024;
/// Addresses read of one field.
pub(crate) const LIST_MAX: usize = 2_000;
/// Words kept of one name.
const WORDS_MAX: usize = 500;

/// Reads an address list, groups opened.
pub(crate) fn read(raw: &[u8], charset: Option<&str>) -> Vec<Address> {
    let raw = words::unfold(raw.get(..FIELD_BYTES_MAX).unwrap_or(raw));
    let mut reader = Reader {
        charset,
        list: Vec::new(),
        words: Vec::new(),
        comment: Vec::new(),
        in_brackets: None,
        space: false,
        has_sign: false,
        unclosed: Unclosed::default(),
        groups_end: raw.iter().rposition(|b| *b == b';'),
    };
    reader.read(&raw);
    reader.list
}

/// A word outside brackets, as it stands.
#[derive(Default)]
struct Word {
    text: Vec<u8>,
    quoted: bool,
    /// Whether white space stands before it.
    apart: bool,
}

#[derive(Default)]
struct Unclosed {
    quote: bool,
    comment: bool,
    bracket: bool,
    literal: bool,
}

struct Reader<'a> {
    charset: Option<&'a str>,
    list: Vec<Address>,
    words: Vec<Word>,
    comment: Vec<u8>,
    in_brackets: Option<Vec<u8>>,
    space: bool,
    /// Whether an at sign stands in the words.
    has_sign: bool,
    /// Whether a quote, a comment or a bracket was found to have no end: then none behind it is looked
    /// for again, which keeps the time linear.
    unclosed: Unclosed,
    /// Where the last group ends: a colon behind it opens none.
    groups_end: Option<usize>,
}

impl Reader<'_> {
    fn read(&mut self, raw: &[u8]) {
        let mut rest = raw;
        while let Some((&byte, after)) = rest.split_first() {
            if self.list.len() >= LIST_MAX {
                return;
            }
            rest = match byte {
                b' ' | b'\t' => {
                    self.space = true;
                    after
                }
                b'"' => self.quoted(after),
                b'(' => self.take_comment(after),
                b'<' => self.brackets(after),
                b'[' if self.ends_with(b'@') => self.literal(rest),
                b',' | b';' => {
                    self.finish();
                    after
                }
                b':' if self.opens_group(raw.len() - rest.len(), after) => {
                    self.words.clear();
                    self.comment.clear();
                    after
                }
                b'=' if rest.starts_with(b"=?") => self.encoded_word(rest),
                b'>' => after,
                b':' if self.in_brackets.is_some() => after,
                _ => {
                    self.push(&[byte]);
                    after
                }
            };
        }
        self.finish();
    }

    fn ends_with(&self, byte: u8) -> bool {
        self.words
            .last()
            .is_some_and(|word| word.text.last() == Some(&byte))
    }

    /// Adds to the current word, or begins one.
    fn push(&mut self, bytes: &[u8]) {
        self.has_sign |= bytes.contains(&b'@');
        if self.words.len() >= WORDS_MAX {
            self.finish();
        }
        match self.words.last_mut() {
            Some(word) if !self.space && !word.quoted => word.text.extend_from_slice(bytes),
            _ => self.words.push(Word {
                text: bytes.to_vec(),
                quoted: false,
                apart: self.space,
            }),
        }
        self.space = false;
    }

    fn quoted<'r>(&mut self, after: &'r [u8]) -> &'r [u8] {
        let found = if self.unclosed.quote {
            None
        } else {
            quoted_string(after)
        };
        let Some((text, rest)) = found else {
            // No closing quote: the mark alone is the mistake.
            self.unclosed.quote = true;
            return after;
        };
        if self.words.len() >= WORDS_MAX {
            self.finish();
        }
        self.words.push(Word {
            text,
            quoted: true,
            apart: self.space,
        });
        self.space = false;
        rest
    }

    fn take_comment<'r>(&mut self, after: &'r [u8]) -> &'r [u8] {
        let found = if self.unclosed.comment {
            None
        } else {
            comment(after)
        };
        let Some((inside, rest)) = found else {
            self.unclosed.comment = true;
            return after;
        };
        if !self.comment.is_empty() {
            self.comment.push(b' ');
        }
        self.comment.extend_from_slice(&inside);
        rest
    }

    fn brackets<'r>(&mut self, after: &'r [u8]) -> &'r [u8] {
        if self.in_brackets.is_some() {
            // A second address without a comma before it.
            self.finish();
        }
        let found = if self.unclosed.bracket {
            None
        } else {
            in_brackets(after)
        };
        self.unclosed.bracket |= found.is_none();
        let (inside, rest) = found.unwrap_or_else(|| up_to_separator(after));
        self.in_brackets = Some(inside.to_vec());
        self.space = true;
        rest
    }

    fn literal<'r>(&mut self, rest: &'r [u8]) -> &'r [u8] {
        let found = if self.unclosed.literal {
            None
        } else {
            memchr::memchr(b']', rest)
        };
        self.unclosed.literal |= found.is_none();
        let end = found.map_or(1, |at| at + 1);
        let (literal, after) = rest.split_at(end);
        self.push(literal);
        after
    }

    fn encoded_word<'r>(&mut self, rest: &'r [u8]) -> &'r [u8] {
        let length = words::word_length(rest).unwrap_or(2);
        let (word, after) = rest.split_at(length.min(rest.len()));
        self.push(word);
        after
    }

    /// A colon ends a group's name when a semicolon ends the group, or when nothing follows at all;
    /// `mailto:` is cut off the same way.
    fn opens_group(&self, at: usize, after: &[u8]) -> bool {
        let link =
            matches!(self.words.as_slice(), [word] if word.text.eq_ignore_ascii_case(b"mailto"));
        let group = self.groups_end.is_some_and(|end| end > at) || after.trim_ascii().is_empty();
        self.in_brackets.is_none() && !self.has_sign && (group || link)
    }

    fn finish(&mut self) {
        let words = std::mem::take(&mut self.words);
        let mut comment = std::mem::take(&mut self.comment);
        self.space = false;
        self.has_sign = false;
        if let Some(inside) = self.in_brackets.take() {
            let phrase = self.phrase(&words, &comment);
            let found = self.specification(&inside);
            self.add(phrase, found);
            return;
        }
        let words = glued(words);
        if !words.iter().any(Word::is_address) {
            self.without_address(&words, &comment);
            return;
        }
        // `Ada Lovelace ada@x.org`, or several addresses with nothing but spaces between them.
        let mut before: Vec<Word> = Vec::new();
        for word in words {
            if word.is_address() {
                let phrase =
                    self.phrase(&std::mem::take(&mut before), &std::mem::take(&mut comment));
                let found = self.specification(&word.text);
                self.add(phrase, found);
            } else {
                before.push(word);
            }
        }
    }

    fn without_address(&mut self, words: &[Word], comment: &[u8]) {
        let decoded_comment = self.decode(comment);
        if let [word] = words
            && !word.text.starts_with(b"=?")
            && !word.quoted
            && !decoded_comment.is_empty()
            && !decoded_comment.contains('@')
        {
            // A local name with a comment about it: `MAILER-DAEMON (Mail Delivery System)`.
            let found = self.specification(&word.text);
            self.add(decoded_comment, found);
            return;
        }
        let phrase = self.phrase(words, b"");
        if decoded_comment.contains('@') {
            self.add(phrase, without_spaces(&decoded_comment));
        } else if phrase.contains('@') && !phrase.contains(' ') {
            self.add(String::new(), phrase);
        } else {
            let phrase = if phrase.is_empty() {
                decoded_comment
            } else {
                phrase
            };
            // A word alone is rather a name than an address without its domain.
            self.add(phrase, String::new());
        }
    }

    fn phrase(&self, words: &[Word], comment: &[u8]) -> String {
        let mut joined = Vec::new();
        for word in words {
            if word.apart && !joined.is_empty() {
                joined.push(b' ');
            }
            joined.extend_from_slice(&word.text);
        }
        let name = self.decode(&joined);
        let name = unwrapped(&name);
        if name.is_empty() {
            self.decode(comment)
        } else {
            name.to_owned()
        }
    }

    fn decode(&self, raw: &[u8]) -> String {
        if raw.is_empty() {
            return String::new();
        }
        visible(&words::decode(raw, self.charset))
    }

    /// An address as it stands: route and stray marks gone, spaces around its dots and sign closed.
    fn specification(&self, raw: &[u8]) -> String {
        let plain =
            |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'.' | b'-' | b'_' | b'+');
        if raw.iter().all(plain) {
            return raw.iter().map(|b| char::from(*b)).collect();
        }
        let text = words::decode(&without_comments(raw), self.charset);
        let text = text.trim();
        let text = match text.split_once(':') {
            // A route before the address (RFC 5322 section 4.4), or a link's scheme.
            Some((before, after))
                if (before.starts_with('@') || before.eq_ignore_ascii_case("mailto"))
                    && after.contains('@') =>
            {
                after
            }
            _ => text,
        };
        if !text.contains('@') && text.contains(':') {
            // `<undisclosed-recipients:;>`
            return String::new();
        }
        let text = text.trim_matches(|c: char| matches!(c, '<' | '>' | '\'') || c.is_whitespace());
        let text = unwrapped(text);
        let plain: String = text
            .chars()
            .filter(|c| !c.is_control() && !is_bidi_control(*c))
            .collect();
        if plain.contains('"') {
            return plain.trim().to_owned();
        }
        closed(&plain)
    }

    fn add(&mut self, name: String, address: String) {
        let (name, address) = if address.contains('@') || !address.contains(' ') {
            (name, address)
        } else if name.is_empty() {
            // `<the postmaster>` is a name in the wrong place.
            (address, String::new())
        } else {
            (name, String::new())
        };
        if name.is_empty() && address.is_empty() {
            return;
        }
        self.list.push(Address { name, address });
    }
}

impl Word {
    fn is_address(&self) -> bool {
        !self.quoted && !self.text.starts_with(b"=?") && self.text.contains(&b'@')
    }
}

/// Puts together what obsolete syntax lets stand apart (`ada @ x . org`) and a quoted local part with
/// its domain.
fn glued(words: Vec<Word>) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::with_capacity(words.len());
    for word in words {
        let Some(last) = out.last_mut() else {
            out.push(word);
            continue;
        };
        // `ada@ x`, `ada@x. org`
        let open = !last.quoted
            && (last.text.ends_with(b"@") || (last.is_address() && last.text.ends_with(b".")));
        // `ada @x`, `ada@x .org`
        let goes_on = !word.quoted
            && if last.is_address() {
                word.text.starts_with(b".")
            } else {
                word.text.starts_with(b"@")
            };
        // `"ada lovelace"@x.org`, `shakey!"a,b"`
        let touching = !word.apart && (word.quoted || word.text.starts_with(b"@"));
        let touching = touching && !last.quoted && !last.text.starts_with(b"=?");
        let joins = open || goes_on || touching;
        if joins {
            if last.quoted {
                last.text = quote(&last.text);
                last.quoted = false;
            }
            let text = if word.quoted {
                quote(&word.text)
            } else {
                word.text
            };
            last.text.extend_from_slice(&text);
        } else {
            out.push(word);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(raw: &str) -> Vec<(String, String)> {
        read(raw.as_bytes(), None)
            .into_iter()
            .map(|found| (found.name, found.address))
            .collect()
    }

    fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
        wanted
            .iter()
            .map(|(name, address)| ((*name).to_owned(), (*address).to_owned()))
            .collect()
    }

    #[test]
    fn addresses_are_read_in_all_their_forms() {
        let raw = " \"Doe, Jane\" <jane@x.org>, =?utf-8?Q?J=C3=B6rg?= <j@x.org>, plain@x.org, (Ada) a@x.org";
        let wanted = [
            ("Doe, Jane", "jane@x.org"),
            ("Jörg", "j@x.org"),
            ("", "plain@x.org"),
            ("Ada", "a@x.org"),
        ];
        assert_eq!(list(raw), pairs(&wanted));
    }

    #[test]
    fn groups_are_opened_and_empty_ones_vanish() {
        assert_eq!(list("undisclosed-recipients:;"), []);
        assert_eq!(list("<Undisclosed-Recipient:;>"), []);
        let wanted = [("", "a@x.org"), ("B", "b@x.org"), ("", "c@x.org")];
        assert_eq!(list("Team: a@x.org, B <b@x.org>;, c@x.org"), pairs(&wanted));
    }

    #[test]
    fn a_comma_in_an_encoded_word_separates_nothing() {
        let raw = "=?iso-8859-1?Q?B=FCrger,=20Ada?= <a@x.org>";
        assert_eq!(list(raw), pairs(&[("Bürger, Ada", "a@x.org")]));
        let forged = "=?utf-8?Q?a=40bank.example,_x?= <eve@x.org>";
        assert_eq!(list(forged), pairs(&[("a@bank.example, x", "eve@x.org")]));
    }

    #[test]
    fn a_quoted_local_part_stays_whole() {
        let wanted = [("", "\"ada l\"@x.org"), ("Ada", "\"a,b\"@x.org")];
        assert_eq!(list("\"ada l\"@x.org, Ada <\"a,b\"@x.org>"), pairs(&wanted));
    }

    #[test]
    fn an_address_behind_a_name_needs_no_brackets() {
        assert_eq!(
            list("Ada Lovelace ada@x.org"),
            pairs(&[("Ada Lovelace", "ada@x.org")])
        );
        assert_eq!(
            list("a@x.org b@x.org"),
            pairs(&[("", "a@x.org"), ("", "b@x.org")])
        );
        assert_eq!(list("Ada (ada@x.org)"), pairs(&[("Ada", "ada@x.org")]));
        assert_eq!(
            list("a@x.org; b@x.org"),
            pairs(&[("", "a@x.org"), ("", "b@x.org")])
        );
        assert_eq!(list("A <a@x.org"), pairs(&[("A", "a@x.org")]));
    }

    #[test]
    fn obsolete_spaces_and_routes_are_taken_out() {
        assert_eq!(list("ada @ x . org"), pairs(&[("", "ada@x.org")]));
        assert_eq!(
            list("A <@relay.org,@b.org:ada@x.org>"),
            pairs(&[("A", "ada@x.org")])
        );
        assert_eq!(list("ada@[192.0.2.1]"), pairs(&[("", "ada@[192.0.2.1]")]));
        assert_eq!(list("<mailto:ada@x.org>"), pairs(&[("", "ada@x.org")]));
    }

    #[test]
    fn names_without_an_address_stay_names() {
        assert_eq!(list("The Manager"), pairs(&[("The Manager", "")]));
        assert_eq!(list("Someone"), pairs(&[("Someone", "")]));
        assert_eq!(
            list("MAILER-DAEMON (Mail System)"),
            pairs(&[("Mail System", "MAILER-DAEMON")])
        );
        assert_eq!(list("=?utf-8?Q?Ada?= <>"), pairs(&[("Ada", "")]));
        assert_eq!(list("\"ada@x.org\""), pairs(&[("", "ada@x.org")]));
    }

    #[test]
    fn a_name_keeps_its_parts_and_its_quotes_go() {
        assert_eq!(
            list("Ada \"K.\" Byron <a@x.org>"),
            pairs(&[("Ada K. Byron", "a@x.org")])
        );
        assert_eq!(list("'Ada' <'a@x.org'>"), pairs(&[("Ada", "a@x.org")]));
        assert_eq!(
            list("\"O'Neil \\\"Ada\\\"\" <a@x.org>"),
            pairs(&[("O'Neil \"Ada\"", "a@x.org")])
        );
    }

    #[test]
    fn broken_quotes_and_brackets_cost_nothing_else() {
        assert_eq!(
            list("\"Ada <a@x.org>, b@x.org"),
            pairs(&[("Ada", "a@x.org"), ("", "b@x.org")])
        );
        assert_eq!(list("<<a@x.org>>"), pairs(&[("", "a@x.org")]));
        assert_eq!(list("<a@x.org>\""), pairs(&[("", "a@x.org")]));
        assert_eq!(list(",,<>,;"), []);
    }
}
