//! The pretend Microsoft Graph: who am I, send mail, and what lies in a folder.
//!
//! Microsoft Graph reference: "user: sendMail", "Get a user", "List messages"; errors as Exchange
//! words them.

mod json_message;
mod send;

pub(crate) use send::{header_text, mailbox_text};
use serde_json::{Map, Value, json};

use crate::entra::{Grant, Resource, random, time};
use crate::http::{Method, Request, Response};
use crate::server::Services;
use crate::world::{Role, User, headers};

/// A refusal in Graph's words.
#[derive(Debug)]
pub(crate) struct GraphError {
    status: u16,
    code: &'static str,
    message: String,
}

impl GraphError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    fn access_denied() -> Self {
        Self::new(
            403,
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        )
    }

    fn respond(&self, now: i64) -> Response {
        let id = random::guid();
        let body = json!({"error": {
            "code": self.code, "message": self.message,
            "innerError": {
                "date": time::rfc3339(now).trim_end_matches('Z'),
                "request-id": id, "client-request-id": id,
            },
        }});
        let response = Response::json(self.status, &body).with_header("request-id", &id);
        if self.status == 401 {
            return response.with_header(
                "WWW-Authenticate",
                "Bearer realm=\"\", \
                 authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
                 client_id=\"00000003-0000-0000-c000-000000000000\"",
            );
        }
        response
    }
}

/// A caller whose token is good.
struct Caller {
    grant: Grant,
    user: User,
}

/// Names the person whose token a request carries, for faults that concern one person.
pub(crate) fn who(services: &Services, request: &Request) -> Vec<String> {
    let grant = bearer(request).and_then(|token| services.entra.check(token));
    grant
        .map(|grant| services.entra.names_of(&grant.upn))
        .unwrap_or_default()
}

/// Answers a request below the Graph address; `path` has no leading slash.
pub(crate) fn answer(services: &Services, path: &str, request: &Request) -> Response {
    let answer = dispatch(services, path, request);
    answer.unwrap_or_else(|error| error.respond(services.world.clock().now()))
}

fn dispatch(services: &Services, path: &str, request: &Request) -> Result<Response, GraphError> {
    let caller = authenticate(services, request)?;
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let (target, rest) = match segments.as_slice() {
        ["v1.0", "me", rest @ ..] => (Some(caller.user.clone()), rest),
        ["v1.0", "users", name, rest @ ..] => (find_user(services, name), rest),
        _ => return Err(not_found("Resource not found for the segment.")),
    };
    let own = target
        .as_ref()
        .is_some_and(|target| target.object_id == caller.user.object_id);
    match (request.method, rest) {
        (Method::Get, []) => {
            let target = target.ok_or_else(|| {
                not_found(
                    "Resource does not exist or one of its queried reference-property objects are \
                     not present.",
                )
            })?;
            profile(&caller, &target, own, request)
        }
        (Method::Post, ["sendMail"] | ["microsoft.graph.sendMail"]) => {
            let target = target.ok_or_else(|| invalid_user(&segments))?;
            send::send_mail(services, &caller, &target, own, request)
        }
        (Method::Get, ["mailFolders", folder, "messages"]) => {
            let target = target.ok_or_else(|| invalid_user(&segments))?;
            messages(services, &caller, &target, folder, own, request)
        }
        _ => Err(not_found("Resource not found for the segment.")),
    }
}

fn not_found(message: &str) -> GraphError {
    GraphError::new(404, "Request_ResourceNotFound", message)
}

fn invalid_user(segments: &[&str]) -> GraphError {
    let name = segments.get(2).copied().unwrap_or_default();
    GraphError::new(
        404,
        "ErrorInvalidUser",
        format!("The requested user '{name}' is invalid."),
    )
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn authenticate(services: &Services, request: &Request) -> Result<Caller, GraphError> {
    let refuse = |message: &str| GraphError::new(401, "InvalidAuthenticationToken", message);
    let token = bearer(request).ok_or_else(|| refuse("Access token is empty."))?;
    let grant = services.entra.check(token).ok_or_else(|| {
        refuse(if token.contains('.') || token.starts_with("EwB") {
            "Lifetime validation failed, the token is expired."
        } else {
            "IDX14100: JWT is not well formed, there are no dots (.)."
        })
    })?;
    if grant.resource != Resource::Graph {
        return Err(refuse("Access token validation failure. Invalid audience."));
    }
    let user = services
        .world
        .user(&grant.upn)
        .filter(|user| !user.disabled);
    let user =
        user.ok_or_else(|| refuse("The identity of the calling user could not be established."))?;
    Ok(Caller { grant, user })
}

/// A user by object id, sign-in name or address.
fn find_user(services: &Services, name: &str) -> Option<User> {
    let by_id = services
        .world
        .users()
        .into_iter()
        .find(|user| user.object_id.eq_ignore_ascii_case(name));
    by_id.or_else(|| services.world.user(name))
}

/// The mailbox behind a user, if Graph can reach it.
fn check_mailbox(target: &User) -> Result<(), GraphError> {
    let reachable = target.licensed && target.kind != crate::world::AccountKind::Guest;
    if reachable {
        return Ok(());
    }
    Err(GraphError::new(
        404,
        "MailboxNotEnabledForRESTAPI",
        "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    ))
}

/// `GET /me` and `GET /users/{id}`.
fn profile(
    caller: &Caller,
    target: &User,
    own: bool,
    request: &Request,
) -> Result<Response, GraphError> {
    let allowed = if own {
        caller.grant.has("User.Read")
    } else {
        caller.grant.has("User.ReadBasic.All")
    };
    if !allowed {
        return Err(GraphError::new(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        ));
    }
    let personal = target.kind == crate::world::AccountKind::Personal;
    let mut proxies = vec![format!("SMTP:{}", target.address)];
    proxies.extend(target.aliases.iter().map(|alias| format!("smtp:{alias}")));
    let all = json!({
        "id": target.object_id,
        "displayName": target.display_name,
        "userPrincipalName": target.upn,
        // Personal accounts have been seen without it; a program must cope.
        "mail": Some(&target.address).filter(|_| !personal && target.licensed),
        "proxyAddresses": if personal { json!([]) } else { json!(proxies) },
    });
    let mut body = Map::new();
    body.insert(
        "@odata.context".to_owned(),
        "https://graph.microsoft.com/v1.0/$metadata#users/$entity".into(),
    );
    for name in
        selected(request).unwrap_or_else(|| vec!["id", "displayName", "userPrincipalName", "mail"])
    {
        if let Some(value) = all.get(name) {
            body.insert(name.to_owned(), value.clone());
        }
    }
    Ok(Response::json(200, &Value::Object(body)))
}

fn selected(request: &Request) -> Option<Vec<&str>> {
    request
        .query
        .get("$select")
        .map(|list| list.split(',').map(str::trim).collect())
}

/// `GET /me/mailFolders/{folder}/messages`, newest first, with a filter on `internetMessageId`.
fn messages(
    services: &Services,
    caller: &Caller,
    target: &User,
    folder: &str,
    own: bool,
    request: &Request,
) -> Result<Response, GraphError> {
    let scopes: &[&str] = if own {
        &[
            "Mail.Read",
            "Mail.ReadWrite",
            "Mail.ReadBasic",
            "Mail.Read.Shared",
            "Mail.ReadWrite.Shared",
        ]
    } else {
        &["Mail.Read.Shared", "Mail.ReadWrite.Shared"]
    };
    if !scopes.iter().any(|scope| caller.grant.has(scope)) {
        return Err(GraphError::access_denied());
    }
    if !own && !services.world.may_open(&caller.grant.upn, &target.address) {
        return Err(GraphError::new(
            404,
            "ErrorItemNotFound",
            "Default folder Root not found.",
        ));
    }
    check_mailbox(target)?;
    let role = match folder.to_lowercase().as_str() {
        "inbox" => Role::Inbox,
        "sentitems" => Role::Sent,
        "drafts" => Role::Drafts,
        "deleteditems" => Role::Deleted,
        "junkemail" => Role::Junk,
        _ => {
            return Err(GraphError::new(
                404,
                "ErrorItemNotFound",
                "The specified object was not found in the store.",
            ));
        }
    };
    let wanted = request.query.get("$filter").map(wanted_id).transpose()?;
    let top = request
        .query
        .get("$top")
        .and_then(|text| text.parse().ok())
        .unwrap_or(10);
    let name = services
        .world
        .folder_name(&target.address, role)
        .unwrap_or_default();
    let stored = services.world.folder(&target.address, &name);
    let found = stored.iter().rev().filter_map(|message| {
        let id = headers::get(&message.raw, "Message-ID").unwrap_or_default();
        if wanted.as_ref().is_some_and(|wanted| *wanted != id) {
            return None;
        }
        let date = time::rfc3339(message.internal_date_at);
        Some(json!({
            "id": format!("AAMk{:08x}{:08x}", message.uid, message.internal_date_at),
            "internetMessageId": id,
            "subject": headers::get(&message.raw, "Subject").unwrap_or_default(),
            "receivedDateTime": date, "sentDateTime": date,
            "isRead": message.flags.contains(&crate::world::Flag::Seen),
        }))
    });
    let value: Vec<Value> = found.take(top).collect();
    Ok(Response::json(
        200,
        &json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#messages", "value": value,
        }),
    ))
}

/// The id of `internetMessageId eq '…'`; a quote inside is doubled (`OData` 4.01 URL conventions
/// §5.1.1.6.1).
fn wanted_id(filter: &str) -> Result<String, GraphError> {
    let words = filter
        .trim()
        .strip_prefix("internetMessageId")
        .map(str::trim_start);
    let value = words
        .and_then(|rest| rest.strip_prefix("eq"))
        .map(str::trim);
    let value = value
        .and_then(|text| text.strip_prefix('\''))
        .and_then(|text| text.strip_suffix('\''));
    value.map(|text| text.replace("''", "'")).ok_or_else(|| {
        GraphError::new(
            400,
            "ErrorInvalidUrlQueryFilter",
            "The query filter contains one or more invalid nodes.",
        )
    })
}
