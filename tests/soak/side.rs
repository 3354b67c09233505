//! The servers' side of an installation: the pretend Microsoft 365, or real Dovecot and Postfix.

use std::sync::Arc;

use mailhatch_simulator::Simulator;
use mailhatch_simulator::world::{Role, SmtpAuth, User};

use crate::interop::dovecot::doveadm;
use crate::interop::servers::{Key, Options, Servers};
use crate::letters::{CUSTOMERS, customer};

/// What is special about a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A work account.
    Work,
    /// A work account whose folders have German names.
    German,
    /// Outlook.com: the Message-ID is replaced on the way.
    Personal,
    /// SMTP is switched off: replies leave through Graph.
    Graph,
    /// A shared mailbox that somebody opens.
    Shared,
    /// The tenant files no copies of what leaves over SMTP.
    NoCopy,
    /// On Dovecot and Postfix.
    Real,
}

/// A mailbox as its server has it.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    /// Its address.
    pub(crate) address: String,
    /// Who signs in for it.
    pub(crate) upn: String,
    /// What is special about it.
    pub(crate) kind: Kind,
    /// The folder of what was sent.
    pub(crate) sent: String,
    /// Where people move mail to.
    pub(crate) away: &'static str,
}

/// The servers.
pub(crate) enum Side {
    /// The pretend Microsoft 365.
    Pretend(Arc<Simulator>),
    /// Dovecot and Postfix.
    Real(Box<Servers>),
}

const KINDS: [Kind; 8] = [
    Kind::Work,
    Kind::Personal,
    Kind::Graph,
    Kind::NoCopy,
    Kind::Shared,
    Kind::German,
    Kind::Work,
    Kind::Personal,
];

/// Makes so many mailboxes at the pretend Microsoft 365.
pub(crate) fn pretend(simulator: &Simulator, tenant: &str, count: usize) -> Vec<Desk> {
    let world = simulator.world();
    (0..count)
        .map(|n| {
            let kind = match KINDS[n % KINDS.len()] {
                Kind::NoCopy if n >= KINDS.len() => Kind::Work,
                kind => kind,
            };
            let mut address = format!("desk{n}@harbourlights.example");
            let mut upn = address.clone();
            match kind {
                Kind::Personal => {
                    address = format!("desk{n}@outlook.example");
                    upn.clone_from(&address);
                    world.add_user(User::personal(&address, "Desk"));
                }
                Kind::Shared => {
                    upn = format!("person{n}@harbourlights.example");
                    world.add_user(User::shared(tenant, &address, "Desk"));
                    world.add_user(User::work(tenant, &upn, "Person").with_access_to(&address));
                }
                Kind::German => {
                    let user = User::work(tenant, &address, "Desk");
                    world.add_user(user.with_language(mailhatch_simulator::world::Language::De));
                }
                _ => {
                    let mut user = User::work(tenant, &address, "Desk");
                    if kind == Kind::Graph {
                        user.smtp_auth = SmtpAuth::DisabledForMailbox;
                    }
                    user.smtp_sent_copy = kind != Kind::NoCopy;
                    world.add_user(user);
                }
            }
            let sent = world.folder_name(&address, Role::Sent).unwrap();
            let away = if kind == Kind::German {
                "Archiv"
            } else {
                "Archive"
            };
            Desk {
                address,
                upn,
                kind,
                sent,
                away,
            }
        })
        .collect()
}

/// Starts Dovecot and Postfix with so many mailboxes; they believe the pretend Entra's tokens.
pub(crate) fn real(simulator: &Simulator, tenant: &str, count: usize) -> (Side, Vec<Desk>) {
    let desks: Vec<Desk> = (0..count)
        .map(|n| {
            let address = format!("real{n}@harbourlights.example");
            simulator
                .world()
                .add_user(User::work(tenant, &address, "Desk"));
            Desk {
                upn: address.clone(),
                address,
                kind: Kind::Real,
                sent: "Sent Items".to_owned(),
                away: "Deleted Items",
            }
        })
        .collect();
    let keys = simulator.entra().public_keys().into_iter();
    let mut users: Vec<String> = desks.iter().map(|one| one.address.clone()).collect();
    users.extend((0..CUSTOMERS).map(customer));
    let servers = Servers::start(Options {
        keys: keys
            .map(|(kid, public_key_pem)| Key {
                kid,
                public_key_pem,
            })
            .collect(),
        audience: Some("https://outlook.office.com".to_owned()),
        users,
        ..Options::default()
    });
    (Side::Real(Box::new(servers.unwrap())), desks)
}

impl Side {
    /// Puts a message into an inbox as if it came from outside.
    pub(crate) fn deliver(&self, to: &Desk, raw: &[u8]) {
        match self {
            Self::Pretend(simulator) => assert!(simulator.world().deliver(&to.address, raw)),
            Self::Real(servers) => servers.deliver(&to.address, raw),
        }
    }

    /// Files a message in Sent Items, as Outlook does.
    pub(crate) fn file_sent(&self, of: &Desk, raw: &[u8]) {
        match self {
            Self::Pretend(simulator) => {
                let world = simulator.world();
                // A fault may have renamed the folder.
                let name = world.folder_name(&of.address, Role::Sent).unwrap();
                world.append(&of.address, &name, raw, true).unwrap();
            }
            Self::Real(servers) => {
                let (name, domain) = of.address.split_once('@').unwrap();
                servers.deliver(&format!("\"{name}+Sent Items\"@{domain}"), raw);
            }
        }
    }

    /// Moves a message from one folder to another; says whether it was there.
    pub(crate) fn carry(&self, of: &Desk, uid: u32, from: &str, to: &str) -> bool {
        match self {
            Self::Pretend(simulator) => {
                let world = simulator.world();
                let messages = world.folder(&of.address, from);
                let Some(found) = messages.iter().find(|stored| stored.uid == uid) else {
                    return false;
                };
                // Gone before it comes: nothing is ever in both.
                world.remove(&of.address, from, uid)
                    && world.append(&of.address, to, &found.raw, true).is_some()
            }
            Self::Real(servers) => real_carry(servers, &of.address, uid, (from, to)),
        }
    }

    /// The UIDs in a folder.
    pub(crate) fn uids(&self, of: &Desk, folder: &str) -> Vec<u32> {
        match self {
            Self::Pretend(simulator) => {
                let messages = simulator.world().folder(&of.address, folder);
                messages.iter().map(|stored| stored.uid).collect()
            }
            Self::Real(servers) => real_uids(servers, &of.address, folder),
        }
    }

    /// What the customers have received: each message once for each of them.
    pub(crate) fn received(&self) -> Vec<(String, Vec<u8>)> {
        let mut all = Vec::new();
        match self {
            Self::Pretend(simulator) => {
                for outgoing in simulator.world().outgoing() {
                    for recipient in &outgoing.recipients {
                        all.push((recipient.clone(), outgoing.raw.to_vec()));
                    }
                }
            }
            Self::Real(servers) => {
                for address in (0..CUSTOMERS).map(customer) {
                    let messages = servers.messages(&address, "INBOX").into_iter();
                    all.extend(messages.map(|raw| (address.clone(), raw)));
                }
            }
        }
        all
    }
}

/// The UIDs in a folder of Dovecot's, ascending.
fn real_uids(servers: &Servers, address: &str, folder: &str) -> Vec<u32> {
    let arguments = ["fetch", "-u", address, "uid", "mailbox", folder, "all"];
    let output = doveadm(servers.folder(), &arguments).unwrap();
    let output = String::from_utf8(output).unwrap();
    let uid = |line: &str| line.trim().strip_prefix("uid=")?.parse().ok();
    output.lines().filter_map(uid).collect()
}

/// Moves a message to another folder of Dovecot's; says whether it was there.
fn real_carry(servers: &Servers, address: &str, uid: u32, (from, to): (&str, &str)) -> bool {
    let number = uid.to_string();
    let arguments = ["move", "-u", address, to, "mailbox", from, "uid", &number];
    let was_there = real_uids(servers, address, from).contains(&uid);
    was_there && doveadm(servers.folder(), &arguments).is_ok()
}
