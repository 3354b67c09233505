//! The guide to connecting Microsoft, `docs/microsoft.md`, as a part of a page.

use std::fmt;

use askama::filters::HtmlSafe;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::work::entra_app::AppState;

const TEXT: &str = include_str!("../../docs/microsoft.md");

/// The guide as HTML, made of our own Markdown; nothing in it comes from elsewhere but the two
/// addresses, and those are put in before it is made HTML.
#[derive(Debug, Clone)]
pub(super) struct Guide(String);

impl fmt::Display for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// Written by pulldown-cmark, with raw HTML turned into text.
impl HtmlSafe for Guide {}

impl Guide {
    /// The guide with this installation's addresses filled in.
    #[must_use]
    pub(super) fn new(app: &AppState) -> Self {
        let base = app.redirect_uri.trim_end_matches("/microsoft/callback");
        let mut text = TEXT.replace("<MAILHATCH_URL>", base);
        if let Some(consent) = &app.admin_consent_url {
            text = text.replace("<ADMIN_CONSENT_URL>", consent);
        }
        Self(render(&text))
    }
}

fn render(markdown: &str) -> String {
    let mut events: Vec<Event<'_>> = Vec::new();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            // The page has its own first heading.
            Event::Start(Tag::Heading {
                level,
                id: _,
                classes,
                attrs,
            }) => {
                events.push(Event::Start(Tag::Heading {
                    level: below(level),
                    id: None,
                    classes,
                    attrs,
                }));
            }
            Event::End(TagEnd::Heading(level)) => {
                name_heading(&mut events);
                events.push(Event::End(TagEnd::Heading(below(level))));
            }
            Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
            other => events.push(other),
        }
    }
    let mut out = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut out, events.into_iter());
    out
}

const fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

/// Gives the heading that has just been written an id made of its words, so that it can be linked to.
fn name_heading(events: &mut [Event<'_>]) {
    let mut words = String::new();
    for event in events.iter_mut().rev() {
        match event {
            Event::Text(text) | Event::Code(text) => words.insert_str(0, text),
            Event::Start(Tag::Heading { id, .. }) => {
                let slug: Vec<String> = words
                    .split(|c: char| !c.is_ascii_alphanumeric())
                    .filter(|word| !word.is_empty())
                    .map(str::to_ascii_lowercase)
                    .collect();
                *id = Some(CowStr::from(format!("guide-{}", slug.join("-"))));
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_in_the_guide_is_shown_as_text() {
        let html = render("# One\n\n<script>x</script>\n\nand <b>y</b> & `<z>`\n");
        assert!(html.contains("<h2 id=\"guide-one\">One</h2>"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
        assert!(!html.contains("<script"), "{html}");
        assert!(!html.contains("<b>"), "{html}");
    }

    #[test]
    fn the_headings_of_the_guide_can_be_linked_to() {
        let html = render(TEXT);
        assert!(
            html.contains("id=\"guide-1-give-mailhatch-an-address-microsoft-accepts\""),
            "{html}"
        );
        assert!(html.contains("<table>"), "{html}");
    }
}
