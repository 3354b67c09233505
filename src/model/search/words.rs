//! A text to the words of the index, in any script.
//!
//! - Letters lose case and diacritics (Unicode's compatibility decomposition): `Müller`, `MULLER` and
//!   full-width `ｍｕｌｌｅｒ` are one word; so are Arabic with and without vowel signs.
//! - Chinese, Japanese, Korean, Thai and their neighbours write without spaces, or put endings onto words.
//!   A run of them becomes its overlapping pairs, and its last sign alone: `退款单` gives `退款`, `款单`,
//!   `单`. A searched run is the same pairs one after the other; a single sign is the beginning of a pair.
//!   No dictionary is needed, and what was written is found wherever it stands.
//! - Everything else parts words: `INV-2027.18` is three, which are found as they follow each other.

use std::ops::Range;

use unicode_normalization::char::{compose, decompose_compatible, is_combining_mark};

/// Longer words are cut: nobody searches by more of them.
const WORD_MAX_BYTES: usize = 48;

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// As the index has it.
    pub text: &'a str,
    /// Where in the text it was read.
    pub start: usize,
    /// Where it ends there.
    pub end: usize,
    /// What it is.
    pub shape: Shape,
}

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Letters and digits between spaces.
    Word,
    /// Two neighbours of a run without spaces.
    Pair,
    /// The last sign of such a run.
    Last,
    /// Such a sign that stands alone.
    Single,
}

/// Calls `found` for each word in its order.
pub fn each(text: &str, mut found: impl FnMut(Word<'_>)) {
    let mut reader = Reader {
        word: String::new(),
        start: 0,
        end: 0,
        run: Vec::new(),
        found: &mut found,
    };
    for (at, sign) in text.char_indices() {
        reader.take(at..at + sign.len_utf8(), sign);
    }
    reader.end_word();
    reader.end_run();
}

/// The words of a text with where they stand.
#[must_use]
pub fn list(text: &str) -> Vec<(String, Range<usize>, Shape)> {
    let mut all = Vec::new();
    each(text, |word| {
        all.push((word.text.to_owned(), word.start..word.end, word.shape));
    });
    all
}

/// A sign of a run without spaces, composed, and where it stands.
type Cell = (char, Range<usize>);

struct Reader<'f, F: FnMut(Word<'_>)> {
    word: String,
    start: usize,
    end: usize,
    run: Vec<Cell>,
    found: &'f mut F,
}

impl<F: FnMut(Word<'_>)> Reader<'_, F> {
    fn take(&mut self, at: Range<usize>, sign: char) {
        if sign.is_ascii_alphanumeric() {
            self.end_run();
            self.push(&at, sign.to_ascii_lowercase());
        } else if sign.is_ascii() {
            self.end_word();
            self.end_run();
        } else if is_invisible(sign) {
            // Soft hyphens and joiners are not seen; what they stand in is one word.
        } else if is_unspaced(sign) {
            self.end_word();
            self.add_cell(at, sign);
        } else if is_combining_mark(sign) && !self.run.is_empty() {
            self.extend_run(at.end);
        } else {
            self.end_run();
            self.take_other(&at, sign);
        }
    }

    /// Letters of scripts with spaces, in their plain form.
    fn take_other(&mut self, at: &Range<usize>, sign: char) {
        if !sign.is_alphanumeric() && !is_combining_mark(sign) {
            self.end_word();
            return;
        }
        decompose_compatible(sign, |part| {
            if is_combining_mark(part) {
                // A vowel sign of an Indic script is a letter, an accent is not.
                if is_indic(part) && !self.word.is_empty() {
                    self.push(at, part);
                }
            } else if part.is_alphanumeric() {
                for letter in part.to_lowercase() {
                    match plain(letter) {
                        Some(letters) => letters.chars().for_each(|one| self.push(at, one)),
                        None if is_combining_mark(letter) => {}
                        None => self.push(at, letter),
                    }
                }
            }
        });
        self.end = self.end.max(at.end);
    }

    fn push(&mut self, at: &Range<usize>, letter: char) {
        if self.word.is_empty() {
            self.start = at.start;
        }
        if self.word.len() + letter.len_utf8() <= WORD_MAX_BYTES {
            self.word.push(letter);
        }
        self.end = at.end;
    }

    fn add_cell(&mut self, at: Range<usize>, sign: char) {
        let sign = full_width(sign);
        // Marks of kana and the parts of a Korean syllable, where they come apart.
        if let Some((before, place)) = self.run.last_mut()
            && let Some(whole) = compose(*before, sign)
        {
            (*before, place.end) = (whole, at.end);
            return;
        }
        if sign.is_alphanumeric() || is_combining_mark(sign) {
            self.run.push((sign, at));
        } else {
            self.end_run();
        }
    }

    fn extend_run(&mut self, end: usize) {
        if let Some((_, place)) = self.run.last_mut() {
            place.end = end;
        }
    }

    fn end_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        (self.found)(Word {
            text: &self.word,
            start: self.start,
            end: self.end,
            shape: Shape::Word,
        });
        self.word.clear();
    }

    fn end_run(&mut self) {
        let Some((last, place)) = self.run.last() else {
            return;
        };
        let alone = if self.run.len() == 1 {
            Shape::Single
        } else {
            Shape::Last
        };
        let mut text = String::new();
        for pair in self.run.windows(2) {
            if let [(one, from), (other, to)] = pair {
                text.clear();
                text.extend([*one, *other]);
                (self.found)(Word {
                    text: &text,
                    start: from.start,
                    end: to.end,
                    shape: Shape::Pair,
                });
            }
        }
        (self.found)(Word {
            text: last.encode_utf8(&mut [0; 4]),
            start: place.start,
            end: place.end,
            shape: alone,
        });
        self.run.clear();
    }
}

/// Letters whose plain form Unicode does not give, and the variants of Arabic that people mix.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'þ' => "th",
        'ς' => "σ",
        'ى' | 'ی' => "ي",
        'ة' => "ه",
        'ک' => "ك",
        'ـ' => "",
        _ => return None,
    })
}

/// Half-width kana and Korean letters in their usual form.
fn full_width(sign: char) -> char {
    if !matches!(sign, '\u{FF66}'..='\u{FFDC}') {
        return sign;
    }
    let mut usual = sign;
    decompose_compatible(sign, |part| usual = part);
    usual
}

fn is_invisible(sign: char) -> bool {
    matches!(sign, '\u{AD}' | '\u{200C}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Devanagari to Sinhala, and Tibetan.
fn is_indic(sign: char) -> bool {
    matches!(sign, '\u{900}'..='\u{DFF}' | '\u{F00}'..='\u{FFF}')
}

/// Scripts written without spaces between words, and Korean, whose words carry endings.
fn is_unspaced(sign: char) -> bool {
    matches!(sign,
        '\u{E00}'..='\u{EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' // Burmese, Khmer
        | '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}' // Korean
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' // kana and its signs
        | '\u{3105}'..='\u{312F}' | '\u{31A0}'..='\u{31BF}' // Bopomofo
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' // Han
        | '\u{FF66}'..='\u{FFDC}' | '\u{1B000}'..='\u{1B16F}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        list(text).into_iter().map(|(word, _, _)| word).collect()
    }

    #[test]
    fn case_diacritics_and_width_do_not_matter() {
        for (text, words) in [
            ("Müller MULLER muller", vec!["muller"; 3]),
            ("Mu\u{308}ller", vec!["muller"]),
            ("STRASSE Straße", vec!["strasse"; 2]),
            ("façade Crème brûlée", vec!["facade", "creme", "brulee"]),
            (
                "Łódź Ærø İstanbul ΣΊΣΥΦΟΣ",
                vec!["lodz", "aero", "istanbul", "σισυφοσ"],
            ),
            ("ＡＢＣ１２３ ﬁn", vec!["abc123", "fin"]),
            ("co\u{AD}op", vec!["coop"]),
        ] {
            assert_eq!(read(text), words, "{text}");
        }
    }

    #[test]
    fn signs_part_words_and_numbers_stay_whole() {
        assert_eq!(
            read("INV-2027.18, it's mia@shop.example!"),
            ["inv", "2027", "18", "it", "s", "mia", "shop", "example"]
        );
        assert!(read(" \u{0}\r\n\t.,;=\"'*()^ 🙂 ").is_empty());
        assert_eq!(read(&"a".repeat(500)), ["a".repeat(WORD_MAX_BYTES)]);
    }

    #[test]
    fn runs_without_spaces_become_overlapping_pairs() {
        assert_eq!(read("退款单"), ["退款", "款单", "单"]);
        assert_eq!(read("猫"), ["猫"]);
        assert_eq!(
            read("iPhone手机。订单"),
            ["iphone", "手机", "机", "订单", "单"]
        );
        assert_eq!(
            read("配送状況 テスト"),
            ["配送", "送状", "状況", "況", "テス", "スト", "ト"]
        );
        assert_eq!(read("배송지 변경"), ["배송", "송지", "지", "변경", "경"]);
        assert_eq!(read("สวัสดี").first().unwrap(), "สว");
    }

    #[test]
    fn one_text_in_two_encodings_of_unicode_reads_the_same() {
        for (one, other) in [
            ("が", "か\u{3099}"),
            ("ガラス", "ｶﾞﾗｽ"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
            ("é", "e\u{301}"),
        ] {
            assert_eq!(read(one), read(other), "{one}");
        }
    }

    #[test]
    fn arabic_and_hebrew_read_the_same_with_and_without_vowels_and_hindi_keeps_its_own() {
        assert_eq!(read("مُحَمَّد"), read("محمد"));
        assert_eq!(read("أحمد إلى فاتورة"), ["احمد", "الي", "فاتوره"]);
        assert_eq!(read("שָׁלוֹם"), read("שלום"));
        assert_eq!(read("हिन्दी में"), ["हिन्दी", "में"]);
    }

    #[test]
    fn a_word_knows_where_it_stands() {
        for text in ["Grüße, Ünal!", "abc退款单def", "か\u{3099}き ﾊﾞｽ"] {
            for (word, place, _) in list(text) {
                let again = read(text.get(place).unwrap());
                assert!(again.contains(&word), "{text}: {word} in {again:?}");
            }
        }
    }
}
