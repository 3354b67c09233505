//! In charge of signing in: capabilities, XOAUTH2 and who may open which mailbox.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imap_codec::imap_types::auth::AuthMechanism;
use imap_codec::imap_types::core::Vec1;
use imap_codec::imap_types::extensions::enable::CapabilityEnable;

use super::session::{Login, Next, Session, Struck};
use crate::entra::{Grant, Resource};
use crate::faults::Point;
use crate::world::wire::Line;
use crate::world::{AccountKind, ImapDisabled, take_fault};

/// How long the second step of a two-step AUTHENTICATE may take.
const STEP_DEADLINE: Duration = Duration::from_secs(60);

/// Longest authentication line; access tokens take 2 to 4 kB of it.
const STEP_LIMIT: usize = 16 * 1024;

/// The two fields of an XOAUTH2 payload:
/// `user=` … 0x01 `auth=Bearer ` … 0x01 0x01.
pub(crate) fn xoauth2(payload: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(payload)
        .ok()?
        .strip_suffix("\u{1}\u{1}")?;
    let (user, auth) = text.split_once('\u{1}')?;
    let user = user.strip_prefix("user=")?;
    let (scheme, token) = auth.strip_prefix("auth=")?.split_once(' ')?;
    let fine = scheme.eq_ignore_ascii_case("Bearer") && !user.is_empty() && !token.is_empty();
    fine.then(|| (user.to_owned(), token.to_owned()))
}

/// Whether a grant is for Exchange and carries this permission.
pub(crate) fn carries(grant: &Grant, permission: &str) -> bool {
    grant.resource == Resource::Exchange
        && grant.scopes.iter().any(|scope| {
            let name = scope.rsplit('/').next().unwrap_or_default();
            name.eq_ignore_ascii_case(permission)
        })
}

/// The challenge of a refusal in XOAUTH2's long form.
pub(crate) fn json_challenge() -> String {
    STANDARD.encode(br#"{"status":"400","schemes":"Bearer","scope":"https://outlook.office.com/"}"#)
}

impl Session {
    /// The capability list before or after signing in.
    pub(super) fn capabilities(&self) -> String {
        let quirks = self.service.world.quirks();
        let auth = if self.login.is_some() || !quirks.login_disabled {
            "AUTH=PLAIN AUTH=XOAUTH2"
        } else {
            "AUTH=XOAUTH2 LOGINDISABLED"
        };
        let uidplus = if quirks.offers_uidplus {
            " UIDPLUS"
        } else {
            ""
        };
        let moves = if quirks.offers_move { " MOVE" } else { "" };
        let common = format!("SASL-IR{uidplus}{moves} ID UNSELECT");
        let rest = "IDLE NAMESPACE LITERAL+";
        let mut list = format!("IMAP4 IMAP4rev1 {auth} {common} CHILDREN {rest}");
        if self.login.is_some() {
            list = format!(
                "IMAP4 IMAP4rev1 {auth} {common} CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION \
                 BACKENDAUTHENTICATE CHILDREN {rest}"
            );
            if quirks.imap4rev2 {
                list.push_str(" ENABLE IMAP4rev2");
            }
        }
        list
    }

    /// ENABLE, which only tenants with the rev2 advertisement know.
    pub(super) fn enable(
        &mut self,
        tag: &str,
        wanted: &Vec1<CapabilityEnable<'static>>,
    ) -> io::Result<Next> {
        if !self.service.world.quirks().imap4rev2 {
            return self.answer(tag, "BAD Command Error. 10");
        }
        let rev2 = wanted
            .as_ref()
            .iter()
            .any(|one| one.to_string().eq_ignore_ascii_case("IMAP4rev2"));
        if rev2 {
            self.rev2 = true;
            self.line("* ENABLED IMAP4rev2")?;
        }
        self.ok(tag, "ENABLE")
    }

    /// AUTHENTICATE, in one step or two.
    pub(super) fn authenticate(
        &mut self,
        tag: &str,
        mechanism: &AuthMechanism<'_>,
        initial: Option<Vec<u8>>,
    ) -> io::Result<Next> {
        if self.login.is_some() {
            return self.answer(tag, "BAD Command received in Invalid state.");
        }
        if *mechanism != AuthMechanism::XOAuth2 {
            return match self.strike(Point::ImapAuthenticate, tag)? {
                Struck::Answered(next) => Ok(next),
                Struck::No => self.answer(tag, "NO AUTHENTICATE failed."),
            };
        }
        let payload = match initial {
            Some(payload) => payload,
            None => {
                self.line("+ ")?;
                let Line::Whole(line) = self.wire.line(STEP_LIMIT, STEP_DEADLINE)? else {
                    return self.answer(tag, "BAD Command Error. 10");
                };
                if line.trim_ascii() == b"*" {
                    return self.answer(
                        tag,
                        "BAD The AUTHENTICATE exchange was canceled by the client.",
                    );
                }
                STANDARD.decode(line.trim_ascii()).unwrap_or_default()
            }
        };
        let fields = xoauth2(&payload);
        if let Some(action) = self.fault_at_sign_in(fields.as_ref().map(|(user, _)| user.as_str()))
            && let Struck::Answered(next) = self.act(action, tag)?
        {
            return Ok(next);
        }
        match fields.and_then(|(user, token)| self.open(&user, &token)) {
            Some(login) => {
                self.login = Some(login);
                self.ok(tag, "AUTHENTICATE")
            }
            None => self.refuse(tag),
        }
    }

    fn fault_at_sign_in(&self, user: Option<&str>) -> Option<crate::faults::Action> {
        let names = user
            .map(|name| self.service.world.names_of(name))
            .unwrap_or_default();
        take_fault(&self.service.faults, Point::ImapAuthenticate, &names)
    }

    /// Decides; `None` is a refusal.
    fn open(&self, name: &str, token: &str) -> Option<Login> {
        let world = &self.service.world;
        let grant = self.service.entra.check(token)?;
        if !carries(&grant, "IMAP.AccessAsUser.All") {
            return None;
        }
        let user = world.user(name)?;
        if !user.licensed && user.kind != AccountKind::Guest {
            return None;
        }
        let off = !user.imap_enabled;
        if off && world.quirks().imap_disabled == ImapDisabled::AuthenticateFailed {
            return None;
        }
        let epoch = world.read_mailbox(&user.upn, |mailbox| mailbox.session_epoch);
        let connected = epoch.is_some() && !off && world.may_open(&grant.upn, &user.upn);
        let mut names = world.names_of(name);
        names.push(grant.upn.to_lowercase());
        Some(Login {
            mailbox: user.upn,
            names,
            expires_at: grant.expires_at,
            connected,
            epoch: epoch.unwrap_or_default(),
        })
    }

    fn refuse(&mut self, tag: &str) -> io::Result<Next> {
        if self.service.world.quirks().json_challenge {
            self.line(&format!("+ {}", json_challenge()))?;
            // The client owes an empty line; whatever it says, the answer is the same.
            self.wire.line(STEP_LIMIT, STEP_DEADLINE)?;
        }
        self.answer(tag, "NO AUTHENTICATE failed.")
    }
}
