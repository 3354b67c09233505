//! From tokens to text or to the HTML that Outlook wrapped (MS-OXRTFEX section 2.2.3).

use std::collections::BTreeMap;

use super::Document;
use super::token::{Token, Tokens};
use crate::mail::tnef::codepage;

/// Groups inside groups that are told apart; deeper ones share what the last says.
const DEPTH_MAX: usize = 500;
/// Fonts whose character set is remembered.
const FONTS_MAX: usize = 2_000;
/// Longest link that is shown behind its text.
const LINK_MAX: usize = 2_000;

/// What the text is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The text itself.
    Text,
    /// A tag of the wrapped HTML, `{\*\htmltag …}`.
    Tag,
    /// The font table: says which character set a font has.
    Fonts,
    /// What a field does: where a link leads.
    Instruction,
    /// What is not shown: tables of styles and colours, pictures, …
    Skipped,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    place: Place,
    /// Rich Text beside the wrapped HTML, to be left out (`\htmlrtf`).
    beside: bool,
    hidden: bool,
    codepage: u32,
    /// Characters to skip behind `\u`.
    fallback: usize,
    /// Where this group's text begins in the output when it is what a field shows.
    shown_from: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Rich,
    WrappedHtml,
    WrappedText,
}

struct Reader {
    form: Form,
    group: Group,
    outer: Vec<Group>,
    /// Groups too deep to be told apart.
    uncounted: usize,
    default_codepage: u32,
    fonts: BTreeMap<i32, u32>,
    font: i32,
    out: String,
    /// Bytes not yet decoded, all of one code page and place.
    pending: Vec<u8>,
    instruction: String,
    link: Option<String>,
    /// The next word names a group that may be passed over (`\*`).
    optional: bool,
    skip: usize,
    high_surrogate: Option<u16>,
}

/// Reads a document. Whatever is wrong with it, what can be read is.
pub(crate) fn read(rtf: &[u8]) -> Document {
    let mut reader = Reader {
        form: Form::Rich,
        group: Group {
            place: Place::Text,
            beside: false,
            hidden: false,
            codepage: 1252,
            fallback: 1,
            shown_from: None,
        },
        outer: Vec::new(),
        uncounted: 0,
        default_codepage: 1252,
        fonts: BTreeMap::new(),
        font: 0,
        out: String::new(),
        pending: Vec::new(),
        instruction: String::new(),
        link: None,
        optional: false,
        skip: 0,
        high_surrogate: None,
    };
    for token in Tokens::new(rtf) {
        reader.token(token);
    }
    reader.flush();
    match reader.form {
        Form::WrappedHtml => Document::Html(reader.out),
        Form::Rich | Form::WrappedText => Document::Text(reader.out.trim_end().to_owned()),
    }
}

impl Reader {
    fn token(&mut self, token: Token<'_>) {
        let optional = std::mem::take(&mut self.optional);
        match token {
            Token::Open => self.open(),
            Token::Close => self.close(),
            Token::Symbol(b'*') => self.optional = true,
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Byte(_) if self.skip > 0 => self.skip -= 1,
            Token::Byte(byte) => self.pending.push(byte),
            Token::Binary => {}
            Token::Word(word, number) => self.word(word, number, optional),
        }
    }

    fn open(&mut self) {
        self.flush();
        self.skip = 0;
        if self.outer.len() < DEPTH_MAX {
            self.outer.push(self.group);
            self.group.shown_from = None;
        } else {
            self.uncounted += 1;
        }
    }

    fn close(&mut self) {
        self.flush();
        self.skip = 0;
        if self.uncounted > 0 {
            self.uncounted -= 1;
            return;
        }
        let Some(outer) = self.outer.pop() else {
            return;
        };
        if self.group.place == Place::Instruction && outer.place != Place::Instruction {
            self.link = link(&self.instruction);
            self.instruction.clear();
        }
        if let Some(from) = self.group.shown_from
            && let Some(link) = self.link.take()
        {
            let bare = link.trim_start_matches("mailto:");
            let shown = self.out.get(from..).filter(|text| text.len() <= LINK_MAX);
            if !shown.is_some_and(|text| text.contains(bare)) {
                self.out.push_str(&format!(" <{link}>"));
            }
        }
        self.group = outer;
    }

    fn symbol(&mut self, symbol: u8) {
        let text = match symbol {
            b'~' => "\u{a0}",
            b'_' => "\u{2011}",
            // An optional hyphen is seen only where a line breaks.
            _ => return,
        };
        self.put(text);
    }

    fn word(&mut self, word: &[u8], number: Option<i32>, optional: bool) {
        self.skip = 0;
        if self.group.place == Place::Skipped {
            return;
        }
        if optional || is_destination(word) {
            self.enter(word, optional);
            return;
        }
        let on = number != Some(0);
        match word {
            b"fromhtml" if on && self.out.is_empty() => self.form = Form::WrappedHtml,
            b"fromtext" if self.out.is_empty() => self.form = Form::WrappedText,
            b"htmlrtf" => {
                self.flush();
                self.group.beside = on;
            }
            b"v" => {
                self.flush();
                self.group.hidden = on;
            }
            b"ansicpg" => {
                let codepage = number.and_then(|number| u32::try_from(number).ok());
                self.default_codepage = codepage.unwrap_or(1252);
                self.set_codepage(self.default_codepage);
            }
            b"mac" => self.set_codepage(10000),
            b"pc" => self.set_codepage(437),
            b"pca" => self.set_codepage(850),
            b"f" | b"fcharset" | b"cpg" | b"plain" => self.font_word(word, number),
            b"uc" => {
                let count = number.and_then(|number| usize::try_from(number).ok());
                self.group.fallback = count.unwrap_or(1).min(8);
            }
            b"u" => self.unicode(number.unwrap_or_default()),
            _ => {
                if let Some(text) = self.character(word) {
                    self.put(text);
                }
            }
        }
    }

    /// The first word of a group says what the group is.
    fn enter(&mut self, word: &[u8], optional: bool) {
        self.flush();
        let place = match word {
            b"htmltag" if self.form == Form::WrappedHtml => Place::Tag,
            b"fonttbl" => Place::Fonts,
            b"fldinst" => Place::Instruction,
            b"fldrslt" => {
                self.group.shown_from = Some(self.out.len());
                return;
            }
            // The text of a shape stands where the shape does.
            b"shptxt" | b"shpinst" | b"background" if !optional => return,
            _ => Place::Skipped,
        };
        self.group.place = place;
    }

    fn set_codepage(&mut self, codepage: u32) {
        self.flush();
        self.group.codepage = codepage;
    }

    fn font_word(&mut self, word: &[u8], number: Option<i32>) {
        let number = number.unwrap_or_default();
        let in_table = self.group.place == Place::Fonts;
        match word {
            b"plain" => self.set_codepage(self.default_codepage),
            b"f" if in_table => self.font = number,
            b"f" => {
                let known = self.fonts.get(&number).copied();
                self.set_codepage(known.unwrap_or(self.default_codepage));
            }
            _ if !in_table || self.fonts.len() >= FONTS_MAX => {}
            b"cpg" => {
                self.fonts
                    .insert(self.font, u32::try_from(number).unwrap_or_default());
            }
            _ => {
                if let Some(codepage) = charset(number) {
                    self.fonts.insert(self.font, codepage);
                }
            }
        }
    }

    /// `\u8364`: a UTF-16 unit, written as a signed number; some writers give whole characters.
    fn unicode(&mut self, number: i32) {
        self.skip = self.group.fallback;
        let unit = if number < 0 {
            number + 0x1_0000
        } else {
            number
        };
        let Ok(unit) = u32::try_from(unit) else {
            return;
        };
        match (u16::try_from(unit), self.high_surrogate.take()) {
            (Ok(low @ 0xdc00..=0xdfff), Some(high)) => {
                let pair = char::decode_utf16([high, low]).next();
                if let Some(Ok(c)) = pair {
                    self.put(c.encode_utf8(&mut [0; 4]));
                }
            }
            (Ok(high @ 0xd800..=0xdbff), _) => self.high_surrogate = Some(high),
            _ => {
                if let Some(c) = char::from_u32(unit).filter(|c| *c != '\0') {
                    self.put(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    fn character(&self, word: &[u8]) -> Option<&'static str> {
        let html = self.form == Form::WrappedHtml;
        Some(match word {
            b"par" | b"line" | b"sect" | b"page" | b"row" | b"nestrow" => {
                if html {
                    "\r\n"
                } else {
                    "\n"
                }
            }
            b"tab" | b"cell" | b"nestcell" => "\t",
            b"lquote" => "\u{2018}",
            b"rquote" => "\u{2019}",
            b"ldblquote" => "\u{201c}",
            b"rdblquote" => "\u{201d}",
            b"bullet" => "\u{2022}",
            b"endash" => "\u{2013}",
            b"emdash" => "\u{2014}",
            b"emspace" => "\u{2003}",
            b"enspace" => "\u{2002}",
            b"zwj" => "\u{200d}",
            b"zwnj" => "\u{200c}",
            _ => return None,
        })
    }

    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.pending);
        if self.is_shown() {
            let text = codepage::decode(&bytes, self.group.codepage);
            self.write(&text);
        }
    }

    fn put(&mut self, text: &str) {
        self.flush();
        if self.is_shown() {
            self.write(text);
        }
    }

    fn is_shown(&self) -> bool {
        match self.group.place {
            Place::Skipped | Place::Fonts => false,
            Place::Tag => !self.group.beside,
            Place::Text | Place::Instruction => !self.group.beside && !self.group.hidden,
        }
    }

    fn write(&mut self, text: &str) {
        match (self.group.place, self.form) {
            (Place::Instruction, Form::WrappedHtml) => {}
            (Place::Instruction, _) => {
                if self.instruction.len() < LINK_MAX {
                    self.instruction.push_str(text);
                }
            }
            // Entities stand in tags of their own; a bare angle bracket between tags is text.
            (Place::Text, Form::WrappedHtml) => {
                let text = text.replace('<', "&lt;").replace('>', "&gt;");
                self.out.push_str(&text);
            }
            _ => self.out.push_str(text),
        }
    }
}

/// Groups that are not text although they are not marked with `\*`.
fn is_destination(word: &[u8]) -> bool {
    matches!(
        word,
        b"fonttbl"
            | b"colortbl"
            | b"stylesheet"
            | b"info"
            | b"pict"
            | b"object"
            | b"header"
            | b"headerl"
            | b"headerr"
            | b"headerf"
            | b"footer"
            | b"footerl"
            | b"footerr"
            | b"footerf"
            | b"listtable"
            | b"listoverridetable"
            | b"revtbl"
            | b"rsidtbl"
            | b"themedata"
            | b"datastore"
            | b"latentstyles"
            | b"fldinst"
            | b"fldrslt"
            | b"xe"
            | b"tc"
    )
}

/// Where `HYPERLINK "https://…"` leads.
fn link(instruction: &str) -> Option<String> {
    let (_, rest) = instruction.split_once("HYPERLINK")?;
    let rest = rest.trim_start();
    let target = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split_whitespace().next()?,
    };
    let known = ["http://", "https://", "mailto:"];
    known
        .iter()
        .any(|scheme| target.starts_with(scheme))
        .then(|| target.trim().to_owned())
}

/// The code page that a font's `\fcharset` means.
fn charset(number: i32) -> Option<u32> {
    Some(match number {
        0 => 1252,
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        254 => 437,
        255 => 850,
        _ => return None,
    })
}
