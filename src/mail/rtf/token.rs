//! Rich Text as tokens.

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`
    Open,
    /// `}`
    Close,
    /// `\name` with its number.
    Word(&'a [u8], Option<i32>),
    /// `\*`, `\~` and the like.
    Symbol(u8),
    /// A byte of text in the current character set, also from `\'e4`.
    Byte(u8),
    /// `\binN` with its bytes, which are no text.
    Binary,
}

/// Goes through the tokens. Line breaks of the file itself are none.
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn new(rtf: &'a [u8]) -> Self {
        Self { rest: rtf }
    }

    fn advance(&mut self, by: usize) {
        self.rest = self.rest.get(by..).unwrap_or_default();
    }

    /// What follows a backslash.
    fn control(&mut self) -> Option<Token<'a>> {
        let first = *self.rest.first()?;
        if first == b'\'' {
            let digit = |at: usize| {
                let digit = char::from(*self.rest.get(at)?).to_digit(16)?;
                u8::try_from(digit).ok()
            };
            let byte = digit(1).zip(digit(2)).map(|(high, low)| high << 4 | low);
            self.advance(if byte.is_some() { 3 } else { 1 });
            return Some(byte.map_or(Token::Symbol(b'\''), Token::Byte));
        }
        if !first.is_ascii_alphabetic() {
            self.advance(1);
            return Some(match first {
                b'\\' | b'{' | b'}' => Token::Byte(first),
                b'\r' | b'\n' => Token::Word(b"par", None),
                _ => Token::Symbol(first),
            });
        }
        let letters = run(self.rest, u8::is_ascii_alphabetic);
        let (word, rest) = self.rest.split_at_checked(letters)?;
        self.rest = rest;
        let negative = self.rest.first() == Some(&b'-');
        let digits_at = usize::from(negative);
        let digits = run(
            self.rest.get(digits_at..).unwrap_or_default(),
            u8::is_ascii_digit,
        );
        let mut number = None;
        if digits > 0 {
            let end = digits_at + digits.min(10);
            let text = self.rest.get(..end).unwrap_or_default();
            number = std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok());
            self.advance(digits_at + digits);
        }
        if self.rest.first() == Some(&b' ') {
            self.advance(1);
        }
        if word == b"bin" {
            let length = number.and_then(|length: i32| usize::try_from(length).ok());
            self.advance(length.unwrap_or_default());
            return Some(Token::Binary);
        }
        Some(Token::Word(word, number))
    }
}

fn run(bytes: &[u8], wanted: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| wanted(byte)).count()
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            return match first {
                b'{' => Some(Token::Open),
                b'}' => Some(Token::Close),
                b'\\' => self.control(),
                b'\r' | b'\n' | 0 => continue,
                b'\t' => Some(Token::Word(b"tab", None)),
                byte => Some(Token::Byte(*byte)),
            };
        }
    }
}
