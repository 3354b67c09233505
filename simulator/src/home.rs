//! The page at `/`: what this is, who lives here, a form to write as a customer, and what customers
//! received.

use std::fmt::Write as _;

use mail_parser::MessageParser;

use crate::entra::pages::page;
use crate::entra::{random, time};
use crate::http::{Method, Params, Request, Response, escape};
use crate::server::Services;
use crate::world::{AccountKind, Outgoing, User};

/// How many of the last mails are shown.
const SHOWN: usize = 20;

/// Answers `/` and `/letters`; `None` for every other path.
pub(crate) fn answer(services: &Services, request: &Request) -> Option<Response> {
    match (request.path.as_str(), request.method) {
        ("/", Method::Get) => Some(show(services, None)),
        ("/letters", Method::Post) => Some(write(services, &request.form)),
        _ => None,
    }
}

/// Delivers what a customer wrote, as if it had come from outside.
fn write(services: &Services, form: &Params) -> Response {
    let text = |name: &str| {
        form.get(name)
            .unwrap_or_default()
            .trim()
            .replace(['\r', '\n'], " ")
    };
    let (name, from, to, subject) = (text("name"), text("from"), text("to"), text("subject"));
    let sound = |address: &str| {
        address
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
            && address
                .chars()
                .all(|letter| letter.is_ascii_graphic() && !matches!(letter, '<' | '>' | ',' | ';'))
    };
    if !sound(&from) {
        return show(
            services,
            Some("The customer's address needs a name, an @ and a domain. Nothing was sent."),
        );
    }
    let now = services.world.clock().now();
    let date = mail_parser::DateTime::from_timestamp(now).to_rfc822();
    let domain = from
        .rsplit_once('@')
        .map_or("customer.example", |(_, domain)| domain);
    let body = form
        .get("body")
        .unwrap_or_default()
        .replace("\r\n", "\n")
        .replace('\n', "\r\n");
    let raw = format!(
        "From: {}\r\nTo: {to}\r\nSubject: {}\r\nDate: {date}\r\nMessage-ID: <{}@{domain}>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n",
        crate::graph::mailbox_text(&name, &from),
        crate::graph::header_text(&subject),
        random::guid(),
    );
    if services.world.deliver(&to, raw.as_bytes()) {
        show(services, Some("Sent. It lies in the mailbox now."))
    } else {
        show(
            services,
            Some("Nobody here has that address. Nothing was sent."),
        )
    }
}

fn show(services: &Services, notice: Option<&str>) -> Response {
    let users = services.world.users();
    let notice = notice.map(|text| {
        format!(
            "<p class=\"notice\" id=\"notice\" role=\"status\">{}</p>",
            escape(text)
        )
    });
    page(
        200,
        "Home",
        "wide",
        &format!(
            "<h1>Pretend Microsoft 365</h1><p>A stand-in for Entra, Exchange Online and Microsoft \
             Graph, for trying out and for tests. It lives in the memory of this program: stop it \
             and everything here is gone.</p>{}{}{}{}",
            notice.unwrap_or_default(),
            accounts(&users),
            form(&users),
            received(&services.world.outgoing())
        ),
    )
}

fn accounts(users: &[User]) -> String {
    let mut rows = String::new();
    for user in users {
        let kind = match user.kind {
            AccountKind::Work => "work",
            AccountKind::Personal => "personal",
            AccountKind::Shared => "shared mailbox",
            AccountKind::Guest => "guest",
        };
        let _infallible = write!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{kind}</td></tr>",
            escape(&user.display_name),
            escape(&user.upn),
            escape(&user.address)
        );
    }
    format!(
        "<h2>Accounts</h2><table id=\"accounts\"><thead><tr><th>Name</th><th>Sign-in name</th><th>\
         Address</th><th>Kind</th></tr></thead><tbody>{rows}</tbody></table>"
    )
}

fn form(users: &[User]) -> String {
    let options: String = users
        .iter()
        .filter(|user| user.kind != AccountKind::Guest)
        .map(|user| format!("<option>{}</option>", escape(&user.address)))
        .collect();
    format!(
        "<h2>Write as a customer</h2><form method=\"post\" action=\"/letters\" id=\"letter\">\
         <label>Your name<input name=\"name\" value=\"Nora Field\"></label><label>Your \
         address<input name=\"from\" type=\"email\" required \
         value=\"nora.field@customer.example\"></label><label>To<select name=\"to\">\
         {options}</select></label><label>Subject<input name=\"subject\" required value=\"A \
         question\"></label><label>Text<textarea name=\"body\" rows=\"6\" required></textarea>\
         </label><div class=\"row\"><button class=\"main\" id=\"send\">Send</button></div></form>"
    )
}

fn received(outgoing: &[Outgoing]) -> String {
    let mut rows = String::new();
    for mail in outgoing.iter().rev().take(SHOWN) {
        let parsed = MessageParser::default().parse(mail.raw.as_ref());
        let subject = parsed
            .as_ref()
            .and_then(|message| message.subject())
            .unwrap_or("(no subject)");
        let text = parsed
            .as_ref()
            .and_then(|message| message.body_text(0))
            .unwrap_or_default();
        let text: String = text.chars().take(2000).collect();
        let _infallible = write!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td><b>{}</b><pre>{}</pre></td></tr>",
            time::timestamp(mail.at),
            escape(&mail.mail_from),
            escape(&mail.recipients.join(", ")),
            escape(subject),
            escape(&text)
        );
    }
    if rows.is_empty() {
        return "<h2>What customers received</h2><p>Nothing yet. <a href=\"/\">Look again</a></p>"
            .to_owned();
    }
    format!(
        "<h2>What customers received</h2><p><a href=\"/\">Look again</a></p><table \
         id=\"received\"><thead><tr><th>When</th><th>From</th><th>To</th><th>Mail</th></tr>\
         </thead><tbody>{rows}</tbody></table>"
    )
}
