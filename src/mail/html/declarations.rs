//! Which declarations a stranger's mail may bring: how things look, never where they lie on the screen
//! and never anything that loads, runs or moves. Read with a real CSS tokenizer and written anew from
//! its tokens, so that no escape, comment or broken quote hides anything.

use cssparser::{
    AtRuleParser, CowRcStr, DeclarationParser, ParseError, Parser, ParserState,
    QualifiedRuleParser, RuleBodyItemParser, RuleBodyParser, ToCss as _, Token,
    TokenSerializationType,
};

use super::colour::{Colour, Fate};

/// Longest value, in bytes.
const VALUE_BYTES_MAX: usize = 1_000;
/// Functions inside each other.
const DEPTH_MAX: usize = 6;

/// What styles may use of their surroundings, and what was learnt from them.
pub(super) struct Paint<'p> {
    /// The address from which a background picture is loaded, if it may be.
    pub(super) picture: &'p mut dyn FnMut(&str) -> Option<String>,
    /// Colours get a counterpart for a dark page.
    pub(super) adapts: bool,
    /// There are colours that are right on white paper only.
    pub(super) needs_paper: bool,
}

impl Paint<'_> {
    /// A colour of words, with its counterpart.
    pub(super) fn words(&mut self, written: &str) -> String {
        let fate = Colour::read(written).map(|colour| colour.as_words(written));
        self.settle(fate, written)
    }

    /// A colour of a ground, with its counterpart.
    pub(super) fn ground(&mut self, written: &str) -> String {
        let fate = Colour::read(written).map(|colour| colour.as_ground(written));
        self.settle(fate, written)
    }

    fn settle(&mut self, fate: Option<Fate>, written: &str) -> String {
        match fate {
            Some(Fate::Adapted(value)) if self.adapts => value,
            Some(Fate::Paper) => {
                self.needs_paper = true;
                written.to_owned()
            }
            _ => written.to_owned(),
        }
    }
}

/// Filters the declarations of a `style` attribute or of one rule. Broken and unknown ones go.
pub(super) fn filter(style: &str, paint: &mut Paint<'_>) -> String {
    filter_in(&mut Parser::new(style), paint)
}

/// The same for what the parser stands before.
pub(super) fn filter_in(input: &mut Parser<'_>, paint: &mut Paint<'_>) -> String {
    let mut declarations = Declarations { paint };
    RuleBodyParser::new(input, &mut declarations)
        .flatten()
        .collect::<Vec<_>>()
        .join(";")
}

struct Declarations<'d, 'p> {
    paint: &'d mut Paint<'p>,
}

type Outcome<T> = Result<T, ParseError<()>>;

fn no<T>() -> Outcome<T> {
    Err(ParseError::custom(()))
}

impl<'i> DeclarationParser<'i> for Declarations<'_, '_> {
    type Declaration = String;
    type Error = ();

    fn parse_value(
        &mut self,
        name: CowRcStr<'i>,
        input: &mut Parser<'i>,
        _start: &ParserState,
    ) -> Outcome<String> {
        let name = name.to_ascii_lowercase();
        if !is_allowed(&name) {
            return no();
        }
        let start = input.state();
        let mut value = Value::new(&name);
        value.take(input, 0, self.paint)?;
        let important = if value.important { "!important" } else { "" };
        let text = value.text.trim();
        if text.is_empty() || text.len() > VALUE_BYTES_MAX || !is_word_allowed(&name, text) {
            return no();
        }
        let (name, text) = match name.as_str() {
            "color" => ("color", self.paint.words(text)),
            "background-color" => ("background-color", self.paint.ground(text)),
            "background" if value.refused || !value.drawn => {
                input.reset(&start);
                let Some(colour) = ground_colour(input) else {
                    // `none` and its like take a ground away; a position says nothing without a picture.
                    let word = text.split(' ').next().unwrap_or_default();
                    let takes_away = matches!(word, "none" | "initial" | "inherit" | "unset");
                    return if takes_away {
                        Ok(format!("background:none{important}"))
                    } else {
                        no()
                    };
                };
                ("background-color", self.paint.ground(&colour))
            }
            "background" | "background-image" if value.refused => return no(),
            "background" | "background-image" => {
                self.paint.needs_paper |= value.drawn;
                (name.as_str(), text.to_owned())
            }
            other => (other, text.to_owned()),
        };
        Ok(format!("{name}:{text}{important}"))
    }
}

impl AtRuleParser<'_> for Declarations<'_, '_> {
    type Prelude = ();
    type AtRule = String;
    type Error = ();
}

impl QualifiedRuleParser<'_> for Declarations<'_, '_> {
    type Prelude = ();
    type QualifiedRule = String;
    type Error = ();
}

impl RuleBodyItemParser<'_, String, ()> for Declarations<'_, '_> {
    fn parse_declarations(&self) -> bool {
        true
    }

    fn parse_qualified(&self) -> bool {
        false
    }
}

/// The first colour of a `background`; reads to its end.
fn ground_colour(input: &mut Parser<'_>) -> Option<String> {
    let mut found = None;
    while !input.is_exhausted() {
        let start = input.position();
        if Colour::parse(input).is_none() {
            if input.next().is_err() {
                break;
            }
        } else if found.is_none() {
            found = Some(input.slice_from(start).trim().to_owned());
        }
    }
    found
}

/// A value as it is written anew.
struct Value<'n> {
    name: &'n str,
    text: String,
    last: TokenSerializationType,
    important: bool,
    /// It has a picture that is not loaded.
    refused: bool,
    /// It has a picture or a gradient.
    drawn: bool,
}

impl<'n> Value<'n> {
    fn new(name: &'n str) -> Self {
        Self {
            name,
            text: String::new(),
            last: TokenSerializationType::Nothing,
            important: false,
            refused: false,
            drawn: false,
        }
    }

    fn take(&mut self, input: &mut Parser<'_>, depth: usize, paint: &mut Paint<'_>) -> Outcome<()> {
        while let Ok(token) = input.next_including_whitespace().cloned() {
            if self.important && !matches!(token, Token::WhiteSpace(_)) {
                return no();
            }
            match &token {
                Token::WhiteSpace(_) | Token::Comma | Token::Delim('+' | '-' | '*' | '/') => {
                    self.push(&token)
                }
                Token::Ident(word) if is_plain(word) => self.push(&token),
                Token::Hash(word) | Token::IDHash(word) if is_plain(word) => self.push(&token),
                Token::QuotedString(text) if self.names_fonts() && is_harmless(text) => {
                    self.push(&token);
                }
                Token::Number { value, .. } if value.abs() <= 100_000.0 => self.push(&token),
                Token::Percentage { unit_value, .. } if self.suits(*unit_value * 100.0, "%") => {
                    self.push(&token);
                }
                Token::Dimension { value, unit, .. }
                    if depth > 0 || self.suits(*value, &unit.to_ascii_lowercase()) =>
                {
                    if is_of_the_screen(unit) {
                        return no();
                    }
                    self.push(&token);
                }
                Token::UnquotedUrl(url) if self.is_background() => self.picture(url, paint),
                Token::Function(function) if depth < DEPTH_MAX => {
                    let function = function.to_ascii_lowercase();
                    if function == "url" && self.is_background() {
                        let url = input.parse_nested_block(|input| {
                            let url = input.expect_string()?.to_string();
                            Ok::<_, ParseError<()>>(url)
                        })?;
                        self.picture(&url, paint);
                        continue;
                    }
                    if !self.may_call(&function) {
                        return no();
                    }
                    self.drawn |= function.ends_with("-gradient");
                    self.push(&token);
                    self.last = TokenSerializationType::Nothing;
                    input.parse_nested_block(|input| self.take(input, depth + 1, paint))?;
                    self.push(&Token::CloseParenthesis);
                }
                Token::ParenthesisBlock if depth > 0 && depth < DEPTH_MAX => {
                    self.push(&token);
                    self.last = TokenSerializationType::Nothing;
                    input.parse_nested_block(|input| self.take(input, depth + 1, paint))?;
                    self.push(&Token::CloseParenthesis);
                }
                Token::Delim('!') if depth == 0 => {
                    input.expect_ident_matching("important")?;
                    self.important = true;
                }
                _ => return no(),
            }
            if self.text.len() > VALUE_BYTES_MAX {
                return no();
            }
        }
        Ok(())
    }

    fn push(&mut self, token: &Token<'_>) {
        let kind = token.serialization_type();
        // A comment stood between them: together they would be another token.
        if self.last.needs_separator_when_before(kind) {
            self.text.push(' ');
        }
        self.last = kind;
        self.text.push_str(&token.to_css_string());
    }

    fn picture(&mut self, url: &str, paint: &mut Paint<'_>) {
        self.drawn = true;
        let address = (paint.picture)(url).filter(|address| is_harmless(address));
        match address {
            Some(address) => {
                self.text.push_str(&format!("url(\"{address}\")"));
            }
            None => self.refused = true,
        }
    }

    fn is_background(&self) -> bool {
        matches!(self.name, "background" | "background-image")
    }

    fn names_fonts(&self) -> bool {
        matches!(self.name, "font" | "font-family" | "quotes")
    }

    /// No size tears the page apart or pulls something over something else.
    fn suits(&self, value: f32, unit: &str) -> bool {
        let (most, least) = match unit {
            "em" | "rem" | "ex" | "ch" => (150.0, -6.0),
            "in" | "cm" => (50.0, -2.0),
            _ => (5_000.0, -120.0),
        };
        let pulls = self.name.starts_with("margin") || self.name.ends_with("-shadow");
        // Word draws tables a little to the left, and hangs the numbers of lists.
        let least = if pulls { least / 3.0 } else { least };
        value <= most && value >= least
    }

    fn may_call(&self, function: &str) -> bool {
        match function {
            "rgb" | "rgba" | "hsl" | "hsla" => true,
            "calc" | "min" | "max" | "clamp" => {
                self.name.ends_with("width") || matches!(self.name, "font-size" | "line-height")
            }
            "linear-gradient" | "radial-gradient" => self.is_background(),
            _ => false,
        }
    }
}

/// Units of the window: the frame is made as tall as its content, which would grow with the frame.
fn is_of_the_screen(unit: &str) -> bool {
    let unit = unit.to_ascii_lowercase();
    unit != "vw"
        && ["vh", "vw", "vi", "vb", "vmin", "vmax"]
            .iter()
            .any(|known| unit.ends_with(known))
}

/// A word without signs that would need an escape.
pub(super) fn is_plain(word: &str) -> bool {
    word.len() <= 200
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

/// Text that cannot end its quotes, its element or its attribute.
pub(super) fn is_harmless(text: &str) -> bool {
    text.len() <= 4_000
        && !text
            .chars()
            .any(|c| c.is_control() || matches!(c, '<' | '>' | '"' | '\\'))
}

/// Words of properties that could do more than look like something.
fn is_word_allowed(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    match name {
        "display" => {
            matches!(
                value.as_str(),
                "block"
                    | "inline"
                    | "inline-block"
                    | "none"
                    | "list-item"
                    | "flex"
                    | "inline-flex"
                    | "inherit"
                    | "initial"
            ) || value.starts_with("table")
                || value == "inline-table"
        }
        // Only sideways: what is cut off below would have a second scroll bar.
        "overflow" | "overflow-y" => matches!(value.as_str(), "hidden" | "visible"),
        "float" => matches!(value.as_str(), "left" | "right" | "none"),
        _ => true,
    }
}

fn is_allowed(name: &str) -> bool {
    const FAMILIES: [&str; 6] = [
        "border",
        "margin",
        "padding",
        "font",
        "text-",
        "list-style-",
    ];
    let in_family = FAMILIES.iter().any(|family| name.starts_with(family))
        && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        && !name.starts_with("border-image")
        && name != "list-style-image";
    in_family
        || matches!(
            name,
            "align-items"
                | "background"
                | "background-color"
                | "background-image"
                | "background-position"
                | "background-repeat"
                | "background-size"
                | "box-shadow"
                | "box-sizing"
                | "caption-side"
                | "clear"
                | "color"
                | "direction"
                | "display"
                | "empty-cells"
                | "flex"
                | "flex-direction"
                | "flex-wrap"
                | "float"
                | "gap"
                | "height"
                | "hyphens"
                | "justify-content"
                | "letter-spacing"
                | "line-height"
                | "list-style"
                | "max-height"
                | "max-width"
                | "min-height"
                | "min-width"
                | "object-fit"
                | "opacity"
                | "overflow"
                | "overflow-wrap"
                | "overflow-x"
                | "overflow-y"
                | "quotes"
                | "tab-size"
                | "table-layout"
                | "unicode-bidi"
                | "vertical-align"
                | "visibility"
                | "white-space"
                | "width"
                | "word-break"
                | "word-spacing"
                | "word-wrap"
                | "-webkit-text-size-adjust"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(style: &str) -> String {
        let mut own = |url: &str| url.strip_prefix("cid:").map(|id| format!("/own/{id}"));
        let mut paint = Paint {
            picture: &mut own,
            adapts: false,
            needs_paper: false,
        };
        super::filter(style, &mut paint)
    }

    #[test]
    fn looks_stay_and_tricks_go() {
        assert_eq!(
            filter(
                "color:red; position:fixed; top:0; margin:0 auto;z-index:9;background:url(http://x)"
            ),
            "color:red;margin:0 auto"
        );
        for trick in [
            "width:expression(alert(1))",
            "wid\\74h:exp\\72 ession(alert(1))",
            "behavior:url(x.htc)",
            "-moz-binding:url(x)",
            "transform:scale(9)",
            "animation:x 1s",
            "content:'x'",
            "filter:blur(9px)",
            "color:var(--x)",
            "--x:red",
            "width:env(x)",
            "list-style:url(x)",
            "list-style-image:url(x)",
            "border-image:url(x)",
            "cursor:url(x),auto",
            "mask:url(x)",
            "background:image-set('x' 1x)",
            "background-image:url(javascript:x)",
            "background-image:url('http://x/y')",
            "font-family:url(x)",
            "color:red\\3b position\\3a fixed",
            "display:contents",
            "mso-hide:all",
            "*display:none",
        ] {
            assert_eq!(filter(trick), "", "{trick}");
        }
    }

    #[test]
    fn escapes_and_comments_hide_nothing() {
        assert_eq!(filter("c\\6f lor:r\\65 d"), "color:red");
        assert_eq!(filter("background:#fff u/**/rl(x)"), "");
        assert_eq!(filter("pos/**/ition:fixed;color:/*;*/blue"), "color:blue");
        assert_eq!(filter("font-family:'</style><script>'"), "");
        assert_eq!(filter("margin:0;color:red}body{color:blue"), "margin:0");
    }

    #[test]
    fn sizes_stay_within_reason() {
        assert_eq!(filter("margin:-900px"), "");
        assert_eq!(filter("margin-left:calc(0px - 900px)"), "");
        assert_eq!(
            filter("margin-left:-5.4pt;text-indent:-18pt"),
            "margin-left:-5.4pt;text-indent:-18pt"
        );
        assert_eq!(
            filter("height:100vh;min-height:100dvh;width:100vw"),
            "width:100vw"
        );
        assert_eq!(filter("height:999999px;text-indent:-9999px"), "");
        assert_eq!(
            filter("width:9999/**/px;height:1/**/px"),
            "width:9999 px;height:1 px"
        );
        assert_eq!(
            filter("width:calc((480px - 100%) * 480)"),
            "width:calc((480px - 100%) * 480)"
        );
    }

    #[test]
    fn a_semicolon_in_quotes_does_not_split() {
        assert_eq!(
            filter("font-family:'a;b',serif;color:blue !important"),
            "font-family:\"a;b\",serif;color:blue!important"
        );
    }

    #[test]
    fn the_colour_of_a_background_survives_its_picture() {
        assert_eq!(
            filter("background:#eee url(http://x/y.png) no-repeat"),
            "background-color:#eee"
        );
        assert_eq!(
            filter("background:url(cid:a) no-repeat #eee"),
            "background:url(\"/own/a\") no-repeat #eee"
        );
        assert_eq!(filter("background:none"), "background:none");
    }

    #[test]
    fn colours_get_their_counterpart_and_paper_is_asked_for() {
        let mut none = |_: &str| None;
        let mut paint = Paint {
            picture: &mut none,
            adapts: true,
            needs_paper: false,
        };
        let style = "color:windowtext;background:white;color:#000!important";
        assert_eq!(
            super::filter(style, &mut paint),
            "color:windowtext;background-color:light-dark(white,transparent);color:light-dark(#000,#e6e6e6)!important"
        );
        assert!(!paint.needs_paper);
        super::filter("background:#003366", &mut paint);
        assert!(paint.needs_paper);
    }
}
