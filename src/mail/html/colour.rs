//! Colours of mail on a page that may be dark. Mail is written for white paper; where its colours allow
//! it they get a counterpart for a dark ground, and where not the mail is shown on paper.

use cssparser::color::{parse_hash_color, parse_named_color};
use cssparser::{Parser, Token};

/// The lightest ground that adapted mail gets in the dark; words are made readable on it.
const DARK_GROUND: Colour = Colour::opaque(0x26, 0x2f, 0x2c);
const WHITE: Colour = Colour::opaque(0xff, 0xff, 0xff);

/// Least contrast of words to their ground (WCAG 2.2, 1.4.3).
const READABLE: f32 = 4.5;
/// Words with less contrast to white than this were meant for another ground.
const MEANT_FOR_WHITE: f32 = 1.9;

/// A colour of sRGB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Colour {
    red: u8,
    green: u8,
    blue: u8,
    alpha: f32,
}

/// How a colour fares on a dark page.
#[derive(Debug, PartialEq)]
pub(super) enum Fate {
    /// It needs no counterpart.
    Kept,
    /// The value that holds both.
    Adapted(String),
    /// It is right on white paper only.
    Paper,
}

impl Colour {
    const fn opaque(red: u8, green: u8, blue: u8) -> Self {
        Self {
            red,
            green,
            blue,
            alpha: 1.0,
        }
    }

    /// Reads the text of a style.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut parser = Parser::new(text);
        Self::parse(&mut parser).filter(|_| parser.is_exhausted())
    }

    /// Takes a colour from the input, or leaves the input where it was.
    pub(super) fn parse(input: &mut Parser<'_>) -> Option<Self> {
        let start = input.state();
        let token = input.next().ok().cloned();
        let found = match &token {
            Some(Token::Ident(name)) if name.eq_ignore_ascii_case("transparent") => Some(Self {
                alpha: 0.0,
                ..WHITE
            }),
            Some(Token::Ident(name)) => parse_named_color(name)
                .ok()
                .map(|(red, green, blue)| Self::opaque(red, green, blue)),
            Some(Token::Hash(digits) | Token::IDHash(digits)) => Self::hash(digits),
            Some(Token::Function(name)) => {
                let is_hue = name.to_ascii_lowercase().starts_with("hsl");
                let known = is_hue || name.to_ascii_lowercase().starts_with("rgb");
                let parts = numbers(input);
                known.then(|| Self::from_parts(is_hue, &parts)).flatten()
            }
            _ => None,
        };
        if found.is_none() {
            input.reset(&start);
        }
        found
    }

    fn hash(digits: &str) -> Option<Self> {
        let (red, green, blue, alpha) = parse_hash_color(digits.as_bytes()).ok()?;
        Some(Self {
            red,
            green,
            blue,
            alpha,
        })
    }

    /// From the numbers of `rgb()` or `hsl()`; shares count of 255, or of one for the transparency.
    fn from_parts(is_hue: bool, parts: &[Part]) -> Option<Self> {
        let [first, second, third, rest @ ..] = parts else {
            return None;
        };
        let alpha = rest.first().map_or(1.0, |part| part.of(1.0));
        if is_hue {
            let lightness = third.of(1.0).clamp(0.0, 1.0);
            let mut colour = from_hsl(first.of(360.0), second.of(1.0).clamp(0.0, 1.0), lightness);
            colour.alpha = alpha;
            return Some(colour);
        }
        Some(Self {
            red: byte(first.of(255.0)),
            green: byte(second.of(255.0)),
            blue: byte(third.of(255.0)),
            alpha,
        })
    }

    /// How these words fare.
    pub(super) fn as_words(self, written: &str) -> Fate {
        if self.alpha < 0.4 {
            return Fate::Kept;
        }
        if contrast(self, WHITE) < MEANT_FOR_WHITE {
            return Fate::Paper;
        }
        let (hue, saturation, lightness) = self.to_hsl();
        // The light counterpart of a dark tone, no brighter than our own ink.
        let mut lightness = (1.0 - lightness).clamp(0.45, 0.9);
        let mut dark = from_hsl(hue, saturation, lightness);
        while contrast(dark, DARK_GROUND) < READABLE && lightness < 0.98 {
            lightness += 0.02;
            dark = from_hsl(hue, saturation, lightness);
        }
        Fate::Adapted(format!("light-dark({written},{})", dark.hex()))
    }

    /// How this ground fares.
    pub(super) fn as_ground(self, written: &str) -> Fate {
        if self.alpha < 0.05 {
            return Fate::Kept;
        }
        let (_, saturation, lightness) = self.to_hsl();
        if self.luminance() > 0.95 {
            Fate::Adapted(format!("light-dark({written},transparent)"))
        } else if lightness > 0.9 && saturation < 0.45 {
            Fate::Adapted(format!("light-dark({written},{})", DARK_GROUND.hex()))
        } else {
            Fate::Paper
        }
    }

    fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f32 {
        let linear = |value: u8| {
            let value = f32::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    fn to_hsl(self) -> (f32, f32, f32) {
        let [red, green, blue] = [self.red, self.green, self.blue].map(|c| f32::from(c) / 255.0);
        let (max, min) = (red.max(green).max(blue), red.min(green).min(blue));
        let (lightness, range) = (f32::midpoint(max, min), max - min);
        if range < f32::EPSILON {
            return (0.0, 0.0, lightness);
        }
        let saturation = range / (1.0 - (2.0 * lightness - 1.0).abs()).max(f32::EPSILON);
        let sixth = if (max - red).abs() < f32::EPSILON {
            ((green - blue) / range).rem_euclid(6.0)
        } else if (max - green).abs() < f32::EPSILON {
            (blue - red) / range + 2.0
        } else {
            (red - green) / range + 4.0
        };
        (sixth * 60.0, saturation.min(1.0), lightness)
    }
}

/// A colour as attributes write it (HTML standard, "rules for parsing a legacy color value"), as styles do.
pub(super) fn with_hash(colour: &str) -> String {
    let colour = colour.trim();
    let is_bare = matches!(colour.len(), 3 | 6) && colour.bytes().all(|b| b.is_ascii_hexdigit());
    if is_bare && parse_named_color(colour).is_err() {
        format!("#{colour}")
    } else {
        colour.to_owned()
    }
}

/// Contrast of two colours (WCAG 2.2).
fn contrast(one: Colour, other: Colour) -> f32 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn from_hsl(hue: f32, saturation: f32, lightness: f32) -> Colour {
    // CSS Color 4, 7.1.
    let channel = |n: f32| {
        let k = (n + hue / 30.0).rem_euclid(12.0);
        let a = saturation * lightness.min(1.0 - lightness);
        byte(255.0 * (lightness - a * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)))
    };
    Colour::opaque(channel(0.0), channel(8.0), channel(4.0))
}

fn byte(value: f32) -> u8 {
    cssparser::color::clamp_floor_256_f32(value)
}

#[derive(Clone, Copy)]
enum Part {
    Number(f32),
    Share(f32),
}

impl Part {
    fn of(self, whole: f32) -> f32 {
        match self {
            Self::Number(number) => number,
            Self::Share(share) => share * whole,
        }
    }
}

/// The numbers of the function whose name was just read.
fn numbers(input: &mut Parser<'_>) -> Vec<Part> {
    let inside = input.parse_nested_block(|input| {
        let mut parts = Vec::new();
        while let Ok(token) = input.next() {
            match token {
                Token::Number { value, .. } | Token::Dimension { value, .. } => {
                    parts.push(Part::Number(*value));
                }
                Token::Percentage { unit_value, .. } => parts.push(Part::Share(*unit_value)),
                Token::Comma | Token::Delim('/') => {}
                _ => return Ok(Vec::new()),
            }
        }
        Ok::<_, cssparser::ParseError<()>>(parts)
    });
    inside.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Fate {
        Colour::read(text).unwrap().as_words(text)
    }

    #[test]
    fn every_way_to_write_a_colour_is_read() {
        let red = Some(Colour::opaque(255, 0, 0));
        for text in [
            "red",
            "#f00",
            "#FF0000",
            "rgb(255, 0, 0)",
            "rgb(100% 0% 0%)",
            "hsl(0, 100%, 50%)",
            "rgba(255,0,0,1)",
        ] {
            assert_eq!(Colour::read(text), red, "{text}");
        }
        for text in ["inherit", "red blue", "rgb(a)", "url(x)", ""] {
            assert_eq!(Colour::read(text), None, "{text}");
        }
    }

    #[test]
    fn dark_words_get_a_light_counterpart_that_can_be_read() {
        assert_eq!(
            words("#000"),
            Fate::Adapted("light-dark(#000,#e6e6e6)".to_owned())
        );
        for text in ["#1f497d", "blue", "red", "#888", "navy", "#006400"] {
            let Fate::Adapted(value) = words(text) else {
                panic!("{text} is not adapted");
            };
            let dark = value.rsplit(',').next().unwrap().trim_end_matches(')');
            let dark = Colour::read(dark).unwrap();
            assert!(contrast(dark, DARK_GROUND) >= READABLE, "{text}: {value}");
        }
    }

    #[test]
    fn what_was_meant_for_another_ground_stays_on_paper() {
        assert_eq!(words("white"), Fate::Paper);
        assert_eq!(words("yellow"), Fate::Paper);
        let ground = |text: &str| Colour::read(text).unwrap().as_ground(text);
        assert_eq!(ground("navy"), Fate::Paper);
        assert_eq!(ground("transparent"), Fate::Kept);
        assert_eq!(
            ground("white"),
            Fate::Adapted("light-dark(white,transparent)".to_owned())
        );
        assert!(matches!(ground("#f4f4f4"), Fate::Adapted(_)));
    }
}
