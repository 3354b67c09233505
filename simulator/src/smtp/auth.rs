//! In charge of AUTH: XOAUTH2 in one step or two, and every way Exchange refuses it.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::session::{COMMAND_DEADLINE, HOST, LINE_LIMIT, Login, Next, Session, Struck};
use crate::faults::Point;
use crate::imap::{carries, json_challenge, xoauth2};
use crate::world::wire::Line;
use crate::world::{SmtpAuth, User};

impl Session {
    /// AUTH.
    pub(super) fn auth(&mut self, rest: &str) -> io::Result<Next> {
        if !self.secure || !self.greeted {
            return self.say("504 5.7.4 Unrecognized authentication type");
        }
        if self.login.is_some() {
            return self.say("503 5.5.2 Already authenticated");
        }
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        match mechanism.to_ascii_uppercase().as_str() {
            "XOAUTH2" => self.bearer(initial.trim()),
            "LOGIN" => self.password(initial.trim()),
            _ => self.say("504 5.7.4 Unrecognized authentication type"),
        }
    }

    /// The next line of the exchange; none when the client cancels with `*`.
    fn step(&mut self, challenge: &str) -> io::Result<Option<String>> {
        self.say(&format!("334 {challenge}"))?;
        match self.wire.line(LINE_LIMIT, COMMAND_DEADLINE)? {
            Line::Whole(line) if line.trim_ascii() != b"*" => Ok(Some(
                String::from_utf8_lossy(line.trim_ascii()).into_owned(),
            )),
            _ => Ok(None),
        }
    }

    /// AUTH LOGIN: the words are taken and refused, as since 2022.
    fn password(&mut self, initial: &str) -> io::Result<Next> {
        if initial.is_empty() && self.step("VXNlcm5hbWU6")?.is_none() {
            return self.say("501 5.7.0 Authentication cancelled");
        }
        if self.step("UGFzc3dvcmQ6")?.is_none() {
            return self.say("501 5.7.0 Authentication cancelled");
        }
        self.say(&format!(
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [{HOST}]"
        ))
    }

    fn bearer(&mut self, initial: &str) -> io::Result<Next> {
        let encoded = if initial.is_empty() {
            match self.step("")? {
                Some(line) => line,
                None => return self.say("501 5.7.0 Authentication cancelled"),
            }
        } else {
            initial.to_owned()
        };
        let Ok(payload) = STANDARD.decode(&encoded) else {
            return self.say("501 5.5.4 Invalid XOAUTH2 auth data");
        };
        let fields = xoauth2(&payload);
        let name = fields.as_ref().map(|(name, _)| name.as_str());
        self.names = name
            .map(|name| self.service.world.names_of(name))
            .unwrap_or_default();
        if let Struck::Answered(next) = self.strike(Point::SmtpAuth)? {
            return Ok(next);
        }
        match fields.and_then(|(name, token)| self.mailbox_for(&name, &token)) {
            None => self.refuse(),
            Some(user) => self.enter(user),
        }
    }

    /// The mailbox a token opens under this name; none is a refusal.
    fn mailbox_for(&self, name: &str, token: &str) -> Option<User> {
        let world = &self.service.world;
        let grant = self.service.entra.check(token)?;
        let user = world.user(name)?;
        let by_upn = user.upn.eq_ignore_ascii_case(name) || !world.quirks().smtp_needs_upn;
        let fine = carries(&grant, "SMTP.Send")
            && by_upn
            && user.licensed
            && world.may_open(&grant.upn, &user.upn);
        fine.then_some(user)
    }

    fn enter(&mut self, user: User) -> io::Result<Next> {
        let what = match user.smtp_auth {
            SmtpAuth::Enabled => None,
            SmtpAuth::DisabledForMailbox => Some("Mailbox"),
            SmtpAuth::DisabledForTenant => Some("Tenant"),
        };
        if let Some(what) = what {
            return self.say(&format!(
                "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for \
                 the {what}. Visit https://aka.ms/smtp_auth_disabled for more information. [{HOST}]"
            ));
        }
        let most = self.service.world.quirks().smtp_connections;
        let Some(place) = self.service.limits.connect(&user.upn, most) else {
            return self.say(&format!(
                "432 4.3.2 Concurrent connections limit exceeded. \
                 Visit https://aka.ms/concurrent_sending [Hostname={HOST}]"
            ));
        };
        self.login = Some(Login {
            mailbox: user.upn,
            _place: place,
        });
        self.say("235 2.7.0 Authentication successful")
    }

    fn refuse(&mut self) -> io::Result<Next> {
        if self.service.world.quirks().json_challenge {
            // The client owes an empty line; whatever it says, the answer is the same.
            self.step(&json_challenge())?;
        }
        self.say(&format!("535 5.7.3 Authentication unsuccessful [{HOST}]"))
    }
}
