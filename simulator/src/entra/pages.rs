//! The pages a person sees at the pretend Entra: plain HTML, no script, marked as pretend on every
//! one.
//!
//! Names and ids are fixed, so that a browser can be driven: buttons `name="account"` with the
//! sign-in name as value; ids `accept`, `cancel`, `approve`, `accept-for-all`, `other-account`,
//! `continue`, `error-code`.

use std::fmt::Write as _;

use super::app::App;
use super::errors::{AadError, sentence};
use super::scopes::Scope;
use crate::http::{FORM_TARGET, Request, Response, encode_pairs, escape};
use crate::world::{AccountKind, User};

/// The style of every page of the simulator.
const STYLE: &str = include_str!("pages.css");

/// A whole page. `body` is HTML.
pub(crate) fn page(status: u16, title: &str, class: &str, body: &str) -> Response {
    let title = escape(title);
    Response::html(
        status,
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta \
             name=\"viewport\" content=\"width=device-width\"><title>{title} - Pretend Microsoft \
             365</title><style>{STYLE}</style></head><body><div class=\"banner\">Pretend \
             Microsoft 365. For trying out and testing. Nothing here reaches Microsoft; no \
             password is asked.</div><main class=\"{class}\">{body}</main></body></html>\n"
        ),
    )
}

/// The address a page's forms post to, and links derived from it.
pub(super) struct Links {
    action: String,
    other_account: String,
}

impl Links {
    /// For the request being answered.
    pub(super) fn of(request: &Request) -> Self {
        let pairs = request.query.pairs();
        let action = format!("{}?{}", request.path, encode_pairs(pairs));
        let mut other: Vec<(String, String)> = pairs
            .iter()
            .filter(|(name, _)| name != "login_hint" && name != "prompt")
            .cloned()
            .collect();
        other.push(("prompt".to_owned(), "select_account".to_owned()));
        let other_account = format!("{}?{}", request.path, encode_pairs(&other));
        Self {
            action,
            other_account,
        }
    }

    fn form(&self, body: &str) -> String {
        format!(
            "<form method=\"post\" action=\"{}\">{body}</form>",
            escape(&self.action)
        )
    }

    fn other(&self, id: &str, text: &str) -> String {
        format!(
            "<a id=\"{id}\" href=\"{}\">{text}</a>",
            escape(&self.other_account)
        )
    }
}

const BRAND: &str = "<p class=\"brand\">Pretend Microsoft</p>";

/// Entra's "Sorry, but we're having trouble signing you in". Entra sends it with status 200.
pub(super) fn error(error: &AadError, now: i64) -> Response {
    let description = escape(&error.description(now));
    page(
        200,
        "Sign in to your account",
        "",
        &format!(
            "{BRAND}<h1>Sign in</h1><p>Sorry, but we're having trouble signing you in.</p><p \
             class=\"problem\" id=\"error\">{description}</p><p class=\"small\">Error code: <span \
             id=\"error-code\">AADSTS{}</span></p>",
            error.code
        ),
    )
}

/// "Pick an account". With a hint only that account is offered at first.
pub(super) fn picker(
    links: &Links,
    app: &str,
    users: &[User],
    hint: Option<&str>,
    problem: Option<&(AadError, i64)>,
) -> Response {
    let hinted: Vec<&User> = hint
        .map(|hint| users.iter().filter(|user| user.is_called(hint)).collect())
        .unwrap_or_default();
    let shown: Vec<&User> = if hinted.is_empty() {
        users.iter().collect()
    } else {
        hinted
    };
    let mut buttons = String::new();
    for user in &shown {
        let kind = match user.kind {
            AccountKind::Personal => "personal account",
            AccountKind::Guest => "guest",
            AccountKind::Work | AccountKind::Shared => "work account",
        };
        let _infallible = write!(
            buttons,
            "<button class=\"account\" name=\"account\" value=\"{upn}\"><b>{name}</b><span>{upn}, \
             {kind}</span></button>",
            upn = escape(&user.upn),
            name = escape(&user.display_name),
        );
    }
    let problem = problem.map(|(error, now)| {
        format!(
            "<p class=\"problem\" id=\"error\">{}</p><p class=\"small\">Error code: <span \
             id=\"error-code\">AADSTS{}</span></p>",
            escape(&error.description(*now)),
            error.code
        )
    });
    let accounts = links.form(&buttons);
    let typed = links.form(&format!(
        "<label class=\"small\">Use another account<input id=\"other-account\" name=\"account\" \
         value=\"{}\" autocomplete=\"off\"></label><div class=\"row\"><button id=\"next\" \
         class=\"main\">Next</button></div>",
        escape(if shown.len() == users.len() {
            hint.unwrap_or_default()
        } else {
            ""
        })
    ));
    let all = if shown.len() < users.len() {
        links.other("all-accounts", "Show all accounts")
    } else {
        String::new()
    };
    page(
        200,
        "Pick an account",
        "",
        &format!(
            "{BRAND}{}<h1>Pick an account</h1><p>to continue to <b>{}</b></p>{accounts}<p>\
             {all}</p>{typed}",
            problem.unwrap_or_default(),
            escape(app)
        ),
    )
}

/// The second factor, which here is a button.
pub(super) fn second_factor(links: &Links, user: &User) -> Response {
    let form = links.form(&format!(
        "<input type=\"hidden\" name=\"account\" value=\"{}\"><div class=\"row\"><button \
         id=\"approve\" class=\"main\" name=\"approve\" value=\"yes\">Approve</button></div>",
        escape(&user.upn)
    ));
    page(
        200,
        "Approve sign in request",
        "",
        &format!(
            "{BRAND}<p class=\"small\">{}</p><h1>Approve sign in request</h1><p>This account \
             needs a second factor. A real one would ask your telephone.</p>{form}",
            escape(&user.upn)
        ),
    )
}

fn permission_list(scopes: &[Scope]) -> String {
    let mut labels: Vec<&str> = Vec::new();
    for label in scopes.iter().map(Scope::label) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
        .iter()
        .map(|label| format!("<li>{}</li>", escape(label)))
        .collect()
}

fn publisher(app: &App) -> &'static str {
    if app.verified_publisher {
        "verified publisher"
    } else {
        "unverified"
    }
}

/// "Permissions requested", of a user; an administrator may accept for everyone.
pub(super) fn consent(
    links: &Links,
    app: &App,
    user: &User,
    scopes: &[Scope],
    admin: bool,
) -> Response {
    let for_all = if admin {
        "<button id=\"accept-for-all\" name=\"decision\" value=\"accept_for_all\">Accept on \
         behalf of your organization</button>"
    } else {
        ""
    };
    let form = links.form(&format!(
        "<input type=\"hidden\" name=\"account\" value=\"{}\"><input type=\"hidden\" \
         name=\"approve\" value=\"yes\"><div class=\"row\">{for_all}<button id=\"cancel\" \
         name=\"decision\" value=\"cancel\">Cancel</button><button id=\"accept\" class=\"main\" \
         name=\"decision\" value=\"accept\">Accept</button></div>",
        escape(&user.upn)
    ));
    page(
        200,
        "Permissions requested",
        "",
        &format!(
            "{BRAND}<p class=\"small\" id=\"signed-in-as\">{}</p><h1>Permissions requested</h1><p>\
             <b>{}</b><br><span class=\"small\">{}</span></p><p>This app would like to:</p><ul \
             id=\"permissions\">{}</ul><p class=\"small\">Accepting these permissions means that \
             you allow this app to use your data as specified in its terms of service and privacy \
             statement.</p>{form}",
            escape(&user.upn),
            escape(&app.name),
            publisher(app),
            permission_list(scopes)
        ),
    )
}

/// The same for a whole organization.
pub(super) fn admin_consent(links: &Links, app: &App, user: &User, scopes: &[Scope]) -> Response {
    let form = links.form(&format!(
        "<input type=\"hidden\" name=\"account\" value=\"{}\"><div class=\"row\"><button \
         id=\"cancel\" name=\"decision\" value=\"cancel\">Cancel</button><button id=\"accept\" \
         class=\"main\" name=\"decision\" value=\"accept\">Accept</button></div>",
        escape(&user.upn)
    ));
    page(
        200,
        "Permissions requested",
        "",
        &format!(
            "{BRAND}<p class=\"small\" id=\"signed-in-as\">{}</p><h1>Permissions requested</h1><p \
             class=\"brand\">Review for your organization</p><p><b>{}</b><br><span \
             class=\"small\">{}</span></p><p>This app would like to:</p><ul id=\"permissions\">\
             {}</ul><p class=\"small\">If you accept, this app will get access to the specified \
             resources for all users in your organization. No one else will be prompted to review \
             these permissions.</p>{form}",
            escape(&user.upn),
            escape(&app.name),
            publisher(app),
            permission_list(scopes)
        ),
    )
}

/// "Need admin approval" (AADSTS90094). The application hears nothing unless the person goes back.
pub(super) fn needs_admin(
    links: &Links,
    app: &App,
    user: &User,
    scopes: &[Scope],
    can_return: bool,
) -> Response {
    let back = if can_return {
        links.form(
            "<div class=\"row\"><button id=\"cancel\" name=\"decision\" value=\"cancel\">Return \
             to the application without granting consent</button></div>",
        )
    } else {
        links.form(
            "<div class=\"row\"><button id=\"cancel\" name=\"decision\" value=\"cancel\">\
             Cancel</button></div>",
        )
    };
    let admin = links.other(
        "admin-account",
        "Have an admin account? Sign in with that account",
    );
    page(
        200,
        "Need admin approval",
        "",
        &format!(
            "{BRAND}<p class=\"small\" id=\"signed-in-as\">{}</p><h1>Need admin approval</h1><p>\
             <b>{name}</b><br><span class=\"small\">{}</span></p><p>{name} needs permission to \
             access resources in your organization that only an admin can grant. Please ask an \
             admin to grant permission to this app before you can use it.</p><ul \
             id=\"permissions\">{}</ul><p>{admin}</p>{back}<p class=\"small\">Error code: <span \
             id=\"error-code\">AADSTS90094</span></p>",
            escape(&user.upn),
            publisher(app),
            permission_list(scopes),
            name = escape(&app.name)
        ),
    )
}

/// The answer as a form. Entra's page posts itself by script; this one has a button.
pub(super) fn form_post(redirect_uri: &str, params: &[(String, String)]) -> Response {
    let fields: String = params
        .iter()
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escape(name),
                escape(value)
            )
        })
        .collect();
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    page(
        200,
        "Working...",
        "",
        &format!(
            "{BRAND}<h1>Working...</h1><form method=\"post\" action=\"{}\">{fields}<p>Go back to \
             the application.</p><div class=\"row\"><button id=\"continue\" class=\"main\">\
             Continue</button></div></form>",
            escape(redirect_uri)
        ),
    )
    .with_header(
        FORM_TARGET,
        &format!("{redirect_uri}{separator}{}", encode_pairs(params)),
    )
}

/// The page an error's `error_uri` leads to.
pub(super) fn meaning(code: Option<u32>) -> Response {
    let text = code.map_or("Add ?code= and a number to the address.", sentence);
    let code = code.map_or_else(
        || "An error code".to_owned(),
        |code| format!("AADSTS{code}"),
    );
    page(
        200,
        "Error codes",
        "",
        &format!("{BRAND}<h1>{code}</h1><p>{}</p>", escape(text)),
    )
}

/// After signing out.
pub(super) fn signed_out() -> Response {
    page(
        200,
        "Sign out",
        "",
        &format!(
            "{BRAND}<h1>You signed out of your account</h1><p>It's a good idea to close all \
             browser windows.</p>"
        ),
    )
}
