//! Where links really lead: unwrapped from the wrappers of mail gateways, and compared with what their
//! words pretend.

use url::Url;

use super::pictures::{percent_decode, strip_scheme};

/// Wrappers inside each other.
const WRAPPERS_MAX: usize = 4;
/// Longest target that is shown, in characters.
const SHOWN_CHARS: usize = 120;

/// Gateways that replace links by their own address: the end of the host's name, the start of the path,
/// and which part of the query holds the link.
const WRAPPERS: [(&str, &str, &str); 9] = [
    // https://learn.microsoft.com/defender-office-365/safe-links-about
    ("safelinks.protection.outlook.com", "/", "url"),
    ("safelinks.protection.office365.us", "/", "url"),
    ("urldefense.proofpoint.com", "/v1/url", "u"),
    ("linkprotect.cudasvc.com", "/url", "a"),
    ("clicktime.trendmicro.com", "/", "url"),
    ("www.google.com", "/url", "q"),
    ("l.facebook.com", "/l.php", "u"),
    ("www.linkedin.com", "/redir/redirect", "url"),
    ("url.emailprotection.link", "/", "u"),
];

/// A link's true target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Said of the link when one points at it.
    pub(super) title: String,
    /// The host, when the link's words pretend another one.
    pub(super) contradicts: Option<String>,
}

/// What to say of a link with this address and these words.
pub(super) fn target(href: &str, words: &str) -> Option<Target> {
    let url = Url::parse(href.trim()).ok()?;
    match url.scheme() {
        "http" | "https" => {}
        "mailto" => {
            let to = percent_decode(url.path());
            return Some(Target {
                title: format!("Write to {}", shortened(&to)),
                contradicts: None,
            });
        }
        _ => return None,
    }
    let (real, wrapper) = unwrap(&url);
    let host = shown_host(&real);
    let mut path = percent_decode(real.path());
    path.retain(|c| !c.is_control() && !is_invisible(c));
    let mut title = shortened(&format!("{host}{}", path.trim_end_matches('/')));
    if let Some(wrapper) = wrapper {
        title = format!("{title} (through {})", shown_host(&wrapper));
    }
    let pretended = pretended_host(words);
    let contradicts = pretended.filter(|host| !is_kin(host, real.host_str().unwrap_or_default()));
    Some(Target {
        title: format!("Leads to {title}"),
        contradicts: contradicts.map(|_| host),
    })
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Signs that turn or hide text.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The innermost target, and the outermost wrapper if there is one.
fn unwrap(url: &Url) -> (Url, Option<Url>) {
    let mut real = url.clone();
    for _ in 0..WRAPPERS_MAX {
        match unwrapped(&real) {
            Some(inner) => real = inner,
            None => break,
        }
    }
    let wrapper = (real != *url).then(|| url.clone());
    (real, wrapper)
}

fn unwrapped(url: &Url) -> Option<Url> {
    let host = url.host_str()?;
    let ends = |known: &str| {
        host.strip_suffix(known)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let parameter = |wanted: &str| {
        url.query_pairs()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let inner = if ends("urldefense.proofpoint.com") && url.path().starts_with("/v2/") {
        // Proofpoint's second form writes `-` for `%` and `_` for `/`.
        percent_decode(&parameter("u")?.replace('-', "%").replace('_', "/"))
    } else if (ends("urldefense.com") || ends("urldefense.us")) && url.path().starts_with("/v3/") {
        urldefense_v3(url)?
    } else if ends("mimecast.com") {
        // Only the domain stands in it.
        format!("https://{}", parameter("domain")?)
    } else {
        let known = WRAPPERS
            .iter()
            .find(|(host, path, _)| ends(host) && url.path().starts_with(path));
        parameter(known?.2)?
    };
    let inner = Url::parse(&inner).or_else(|_| Url::parse(&format!("http://{inner}")));
    inner
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// Proofpoint's third form: `/v3/__ADDRESS__;SIGNS!!…`, where each `*` of the address stands for the next
/// of the signs, and `**` with a letter for several.
fn urldefense_v3(url: &Url) -> Option<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let text = url.as_str().split_once("/v3/__")?.1;
    let (address, rest) = text.rsplit_once("__;")?;
    let signs = rest.split('!').next().unwrap_or_default();
    let signs = URL_SAFE_NO_PAD
        .decode(signs.trim_end_matches('='))
        .unwrap_or_default();
    let signs = String::from_utf8_lossy(&signs).into_owned();
    let mut signs = signs.chars();
    let mut out = String::new();
    let mut letters = address.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '*' {
            out.push(letter);
            continue;
        }
        let mut count = 1;
        if letters.next_if_eq(&'*').is_some() {
            const LENGTHS: &str =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let place = letters.next().and_then(|letter| LENGTHS.find(letter));
            count = place.map_or(1, |place| place + 2);
        }
        out.extend(signs.by_ref().take(count));
    }
    Some(out)
}

/// The host as a person can trust it: letters of one alphabet as they are, mixtures as they are looked up.
fn shown_host(url: &Url) -> String {
    let ascii = url.host_str().unwrap_or_default();
    if !ascii.contains("xn--") {
        return ascii.to_owned();
    }
    let (unicode, outcome) = idna::domain_to_unicode(ascii);
    let letters = || unicode.chars().filter(|c| c.is_alphabetic());
    let is_latin =
        |c: char| c.is_ascii() || matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}');
    if outcome.is_err() || unicode.chars().any(is_invisible) {
        ascii.to_owned()
    } else if letters().all(is_latin) {
        unicode
    } else if unicode.split('.').any(|label| {
        label.chars().any(|c| c.is_alphabetic() && is_latin(c))
            && label.chars().any(|c| c.is_alphabetic() && !is_latin(c))
    }) {
        ascii.to_owned()
    } else {
        format!("{unicode} ({ascii})")
    }
}

/// The host that a link's words name, when they look like an address.
fn pretended_host(words: &str) -> Option<String> {
    let words: String = words.chars().filter(|c| !is_invisible(*c)).collect();
    let words = words.trim().trim_matches(['<', '>', '(', ')', '"', '\'']);
    if words.is_empty() || words.len() > 2_000 || words.contains(char::is_whitespace) {
        return None;
    }
    let has_scheme = ["http://", "https://"]
        .iter()
        .any(|scheme| strip_scheme(words, scheme).is_some());
    if !has_scheme && words.contains('@') {
        return None;
    }
    let url = if has_scheme {
        Url::parse(words)
    } else {
        Url::parse(&format!("http://{words}"))
    };
    let url = url.ok()?;
    let host = url.domain()?.trim_end_matches('.').to_ascii_lowercase();
    let (_, last) = host.rsplit_once('.')?;
    // `readme.txt` and `v2.1` are no hosts; without a scheme only well-known endings are believed.
    let is_ending = last.len() == 2 && last.bytes().all(|b| b.is_ascii_alphabetic())
        || matches!(
            last,
            "com"
                | "org"
                | "net"
                | "info"
                | "biz"
                | "edu"
                | "gov"
                | "app"
                | "dev"
                | "online"
                | "shop"
                | "cloud"
        )
        || last.starts_with("xn--");
    (has_scheme || host.starts_with("www.") || is_ending).then_some(host)
}

/// Whether two hosts belong together: the same, or one within the other's domain.
fn is_kin(one: &str, other: &str) -> bool {
    let bare = |host: &str| {
        host.trim_start_matches("www.")
            .trim_end_matches('.')
            .to_ascii_lowercase()
    };
    let (one, other) = (bare(one), bare(other));
    let within = |inner: &str, outer: &str| {
        inner
            .strip_suffix(outer)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    within(&one, &other) || within(&other, &one) || base(&one) == base(&other)
}

/// The part of a host that one owner has, near enough: two labels, or three under `co.uk` and its like.
fn base(host: &str) -> String {
    let labels: Vec<&str> = host.rsplit('.').take(3).collect();
    let count = match labels.as_slice() {
        [country, second, _] if country.len() == 2 && second.len() <= 3 => 3,
        _ => 2,
    };
    let mut kept: Vec<&str> = labels.into_iter().take(count).collect();
    kept.reverse();
    kept.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(href: &str) -> String {
        target(href, "here").unwrap().title
    }

    #[test]
    fn a_link_says_where_it_leads() {
        assert_eq!(
            title("https://x.example/a%20b/?c=d#e"),
            "Leads to x.example/a b"
        );
        assert_eq!(
            title("https://paypal.example@evil.example/"),
            "Leads to evil.example"
        );
        assert_eq!(
            title("mailto:ada%40x.example?subject=y"),
            "Write to ada@x.example"
        );
        assert_eq!(target("tel:1", "here"), None);
        assert!(
            title(&format!("https://x.example/{}", "a".repeat(500)))
                .chars()
                .count()
                < 140
        );
    }

    #[test]
    fn wrappers_are_taken_off() {
        for wrapped in [
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fx.example%2Fa&data=05",
            "https://urldefense.proofpoint.com/v2/url?u=https-3A__x.example_a&d=Dw&c=x",
            "https://urldefense.proofpoint.com/v1/url?u=https://x.example/a&k=x",
            "https://urldefense.com/v3/__https://x.example/*a__;fn5-!!abc$",
            "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fx.example%2fa&c=E",
            "https://www.google.com/url?q=https://x.example/a&sa=D",
        ] {
            let found = title(wrapped);
            assert!(
                found.starts_with("Leads to x.example/"),
                "{wrapped}: {found}"
            );
            assert!(found.contains("(through "), "{wrapped}: {found}");
        }
        assert_eq!(
            title("https://protect-eu.mimecast.com/s/AbC?domain=x.example"),
            "Leads to x.example (through protect-eu.mimecast.com)"
        );
        let inner =
            "https%3A%2F%2Furldefense.proofpoint.com%2Fv2%2Furl%3Fu%3Dhttps-3A__x.example_a";
        assert_eq!(
            title(&format!(
                "https://nam02.safelinks.protection.outlook.com/?url={inner}"
            )),
            "Leads to x.example/a (through nam02.safelinks.protection.outlook.com)"
        );
        assert_eq!(
            title(
                "https://safelinks.protection.outlook.com.evil.example/?url=https://good.example"
            ),
            "Leads to safelinks.protection.outlook.com.evil.example"
        );
        assert_eq!(
            title("https://x.safelinks.protection.outlook.com/?url=javascript:alert(1)"),
            "Leads to x.safelinks.protection.outlook.com"
        );
    }

    #[test]
    fn words_that_name_another_host_are_found_out() {
        let pretends = |href: &str, words: &str| target(href, words).unwrap().contradicts;
        let evil = Some("evil.example".to_owned());
        for words in [
            "https://bank.example/login",
            "www.bank.example",
            "bank.com",
            " <http://bank.example> ",
            "ba\u{200b}nk.com",
        ] {
            assert_eq!(pretends("https://evil.example/x", words), evil, "{words}");
        }
        for words in [
            "Click here",
            "https://evil.example/",
            "www.evil.example",
            "login.evil.example",
            "report.pdf",
            "ada@bank.com",
            "Version 2.1",
            "",
        ] {
            assert_eq!(pretends("https://evil.example/x", words), None, "{words}");
        }
        let wrapped =
            "https://a.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.bank.co.uk";
        assert_eq!(pretends(wrapped, "https://online.bank.co.uk"), None);
        assert_eq!(
            pretends("https://click.news.bank.example/1", "www.bank.example"),
            None
        );
    }

    #[test]
    fn hosts_of_mixed_letters_are_shown_as_they_are_looked_up() {
        assert_eq!(
            title("https://xn--mller-kva.example/"),
            "Leads to müller.example"
        );
        // A Cyrillic a among Latin letters.
        assert_eq!(
            title("https://p\u{430}ypal.example/"),
            "Leads to xn--pypal-4ve.example"
        );
        let cyrillic = title("https://\u{440}\u{430}\u{443}.example/");
        assert!(cyrillic.contains(" (xn--"), "{cyrillic}");
    }
}
