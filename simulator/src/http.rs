//! HTTP requests and answers as plain values, so that the pages and endpoints need no server to be
//! run.

use url::form_urlencoded;

/// The verbs the endpoints tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// GET or HEAD.
    Get,
    /// POST.
    Post,
    /// Any other.
    Other,
}

impl Method {
    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Other => "other",
        }
    }
}

/// Decoded fields of a query or form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes `application/x-www-form-urlencoded`.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The first field of that name; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// All fields.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The verb.
    pub(crate) method: Method,
    /// Decoded path, starting with a slash.
    pub(crate) path: String,
    /// Fields of the query.
    pub(crate) query: Params,
    /// Fields of the body, when it is a form.
    pub(crate) form: Params,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as it came.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Puts the parts together and decodes them.
    pub(crate) fn new(
        method: Method,
        path: &str,
        query: &str,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Self {
        let mut request = Self {
            method,
            path: decode_path(path),
            query: Params::decode(query.as_bytes()),
            form: Params::default(),
            headers,
            body,
        };
        let kind = request
            .header("content-type")
            .unwrap_or_default()
            .to_lowercase();
        if kind.starts_with("application/x-www-form-urlencoded") {
            request.form = Params::decode(&request.body);
        }
        // An authorization request may come as a form (OpenID Connect Core §3.1.2.1).
        if request.query.is_empty() && request.form.get("response_type").is_some() {
            request.query = request.form.clone();
            request.method = Method::Get;
        }
        request
    }

    /// A form posted to `address`, as a browser would; `None` when it is no URL.
    pub(crate) fn posted_to(address: &str, form: &[(&str, &str)]) -> Option<Self> {
        let url = url::Url::parse(address).ok()?;
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let headers = vec![(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        )];
        let query = url.query().unwrap_or_default();
        Some(Self::new(
            Method::Post,
            url.path(),
            query,
            headers,
            body.into_bytes(),
        ))
    }

    /// The first header of that name (lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A cookie's value.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let all = self.headers.iter().filter(|(key, _)| key == "cookie");
        all.flat_map(|(_, value)| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name && !value.is_empty()).then_some(value))
    }
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    /// HTTP status.
    pub(crate) status: u16,
    /// In order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// An answer with a body of the given type.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    /// JSON.
    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", value.to_string())
    }

    /// A page.
    pub(crate) fn html(status: u16, html: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", html)
            .with_header("Cache-Control", "no-store")
            .with_header(
                "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'",
            )
    }

    /// Plain text.
    pub(crate) fn text_page(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text)
    }

    /// 302 to `location`, as Entra redirects.
    pub(crate) fn redirect(location: &str) -> Self {
        Self::new(302, "text/plain", Vec::new())
            .with_header("Location", location)
            .with_header("Cache-Control", "no-store")
    }

    /// Adds a header.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a session cookie; an empty value removes it.
    pub(crate) fn with_cookie(self, name: &str, value: &str) -> Self {
        let age = if value.is_empty() { "; Max-Age=0" } else { "" };
        self.with_header(
            "Set-Cookie",
            &format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}"),
        )
    }

    /// Where a redirect leads.
    pub(crate) fn location(&self) -> Option<String> {
        let found = self.headers.iter().find(|(name, _)| name == "Location");
        found.map(|(_, value)| value.clone())
    }

    /// For the page of `response_mode=form_post`: the address its form posts to, with the fields as
    /// query.
    pub(crate) fn form_target(&self) -> Option<String> {
        let found = self.headers.iter().find(|(name, _)| name == FORM_TARGET);
        found.map(|(_, value)| value.clone())
    }

    /// The body without markup, for messages.
    pub(crate) fn text(&self) -> String {
        let html = String::from_utf8_lossy(&self.body);
        let html = html
            .rsplit_once("</style>")
            .map_or(html.as_ref(), |(_, body)| body);
        let mut out = String::new();
        let mut inside = false;
        for letter in html.chars() {
            match letter {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    out.push(' ');
                }
                _ if !inside => out.push(letter),
                _ => {}
            }
        }
        let words: Vec<&str> = out.split_whitespace().collect();
        words
            .join(" ")
            .replace("&#39;", "'")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
    }
}

/// Not sent: tells [`Response::form_target`] what the page would post.
pub(crate) const FORM_TARGET: &str = "X-Form-Target";

/// Encodes fields as `application/x-www-form-urlencoded`.
pub(crate) fn encode_pairs(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// Decodes one form-url-encoded value.
pub(crate) fn decode_component(text: &str) -> String {
    // As the name of a nameless pair; a literal `&` or `=` inside cannot occur in encoded text, but
    // may in text that was sent raw, where it is kept.
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map(|(key, _)| key.into_owned())
        .unwrap_or_default()
}

/// Decodes percent signs of a path, where a plus is a plus.
fn decode_path(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| decode_component(&part.replace('+', "%2B")));
    parts.collect::<Vec<_>>().join("/")
}

/// Text made safe for HTML, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}
