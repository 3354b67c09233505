//! Microsoft as data: the addresses of each cloud, the scopes, the limits, and what differs for
//! personal accounts.
//!
//! Addresses: Microsoft, "National clouds" and "Microsoft 365 endpoints"; for China the IMAP and SMTP
//! hosts and the scope prefix, and for `DoD` the scope prefix, are those found in public configurations,
//! for Microsoft documents none. Every one can be overridden.

use std::str::FromStr;

use super::{HostPort, Limits, SentCopy};

/// The tenant all personal accounts (Outlook.com, Hotmail, Live) belong to.
/// Source: Microsoft, "OpenID Connect on the Microsoft identity platform".
pub const PERSONAL_TENANT_ID: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Seconds after an accepted submission by which its copy stands in Sent Items. Microsoft promises
/// none; it takes seconds as a rule, so after this long we take an absent copy as never sent.
pub const SENT_COPY_DELAY_SECONDS: u64 = 300;

/// Which of Microsoft's separate clouds holds the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cloud {
    /// The worldwide cloud, GCC included.
    #[default]
    Global,
    /// US Government, GCC High.
    UsGov,
    /// US Government, Department of Defense.
    UsGovDod,
    /// China, run by 21Vianet.
    China,
}

impl Cloud {
    /// All clouds, the usual one first.
    pub const ALL: [Self; 4] = [Self::Global, Self::UsGov, Self::UsGovDod, Self::China];

    /// The name used in `AZURE_CLOUD`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGov => "usgov",
            Self::UsGovDod => "usgov-dod",
            Self::China => "china",
        }
    }
}

impl FromStr for Cloud {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|cloud| cloud.as_str() == name)
            .ok_or_else(|| format!("\"{text}\" is not one of global, usgov, usgov-dod, china"))
    }
}

/// The resource an access token is for; one token serves one resource only.
/// Source: Microsoft, "OAuth 2.0 authorization code flow".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// IMAP and SMTP.
    Exchange,
    /// Microsoft Graph.
    Graph,
}

/// Permissions asked of Exchange.
const EXCHANGE_PERMISSIONS: [&str; 2] = ["IMAP.AccessAsUser.All", "SMTP.Send"];
/// Permissions asked of Graph: sending when SMTP is switched off, and reading who the user is.
const GRAPH_PERMISSIONS: [&str; 2] = ["Mail.Send", "User.Read"];
/// What OpenID Connect names without a resource. `offline_access` is what makes Entra give a
/// refresh token.
const OPENID_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Where a cloud's services are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Entra, without a slash at the end.
    pub login_url: String,
    /// Microsoft Graph, without a slash at the end.
    pub graph_url: String,
    /// IMAP over TLS.
    pub imap: HostPort,
    /// SMTP submission with STARTTLS, for work and school accounts.
    pub smtp: HostPort,
    /// The same for personal accounts.
    pub smtp_personal: HostPort,
    /// What stands before `IMAP.AccessAsUser.All` in a scope; ends with a slash.
    pub scope_prefix: String,
    /// What stands before `Mail.Send` in a scope; ends with a slash. It names Graph even where
    /// `graph_url` is overridden.
    pub graph_scope_prefix: String,
    /// Where an administrator manages app registrations, without a slash at the end.
    pub portal_url: String,
}

/// Addresses set one by one over a cloud's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Entra (`MAILHATCH_MICROSOFT_LOGIN_URL`).
    pub login_url: Option<String>,
    /// Microsoft Graph (`MAILHATCH_MICROSOFT_GRAPH_URL`).
    pub graph_url: Option<String>,
    /// IMAP (`MAILHATCH_MICROSOFT_IMAP`).
    pub imap: Option<HostPort>,
    /// SMTP (`MAILHATCH_MICROSOFT_SMTP`), for every kind of account.
    pub smtp: Option<HostPort>,
    /// Scope prefix (`MAILHATCH_MICROSOFT_SCOPE_PREFIX`).
    pub scope_prefix: Option<String>,
}

/// One row of the table of clouds.
struct Preset {
    login: &'static str,
    graph: &'static str,
    imap: &'static str,
    smtp: &'static str,
    smtp_personal: &'static str,
    scope_prefix: &'static str,
    portal: &'static str,
}

/// Personal accounts exist in the worldwide cloud only; the others repeat their SMTP host.
const fn preset(cloud: Cloud) -> Preset {
    match cloud {
        Cloud::Global => Preset {
            login: "https://login.microsoftonline.com",
            graph: "https://graph.microsoft.com",
            imap: "outlook.office365.com",
            smtp: "smtp.office365.com",
            smtp_personal: "smtp-mail.outlook.com",
            scope_prefix: "https://outlook.office.com/",
            portal: "https://entra.microsoft.com",
        },
        Cloud::UsGov => Preset {
            login: "https://login.microsoftonline.us",
            graph: "https://graph.microsoft.us",
            imap: "outlook.office365.us",
            smtp: "outlook.office365.us",
            smtp_personal: "outlook.office365.us",
            scope_prefix: "https://outlook.office365.us/",
            portal: "https://portal.azure.us",
        },
        Cloud::UsGovDod => Preset {
            login: "https://login.microsoftonline.us",
            graph: "https://dod-graph.microsoft.us",
            imap: "outlook-dod.office365.us",
            smtp: "outlook-dod.office365.us",
            smtp_personal: "outlook-dod.office365.us",
            scope_prefix: "https://outlook-dod.office365.us/",
            portal: "https://portal.azure.us",
        },
        Cloud::China => Preset {
            login: "https://login.partner.microsoftonline.cn",
            graph: "https://microsoftgraph.chinacloudapi.cn",
            imap: "partner.outlook.cn",
            smtp: "smtp.partner.outlook.cn",
            smtp_personal: "smtp.partner.outlook.cn",
            scope_prefix: "https://partner.outlook.cn/",
            portal: "https://portal.azure.cn",
        },
    }
}

impl Endpoints {
    /// The addresses of a cloud, with what is set by hand put over them.
    #[must_use]
    pub fn new(cloud: Cloud, overrides: &Overrides) -> Self {
        let row = preset(cloud);
        let url = |set: &Option<String>, own: &str| {
            let text = set.as_deref().unwrap_or(own);
            text.trim().trim_end_matches('/').to_owned()
        };
        let smtp = |own: &str| {
            overrides
                .smtp
                .clone()
                .unwrap_or_else(|| HostPort::new(own, 587))
        };
        Self {
            login_url: url(&overrides.login_url, row.login),
            graph_url: url(&overrides.graph_url, row.graph),
            imap: overrides
                .imap
                .clone()
                .unwrap_or_else(|| HostPort::new(row.imap, 993)),
            smtp: smtp(row.smtp),
            smtp_personal: smtp(row.smtp_personal),
            scope_prefix: format!("{}/", url(&overrides.scope_prefix, row.scope_prefix)),
            graph_scope_prefix: format!("{}/", row.graph),
            portal_url: row.portal.to_owned(),
        }
    }

    /// The scopes of one resource, as Entra wants them in a token request.
    #[must_use]
    pub fn scopes(&self, resource: Resource) -> Vec<String> {
        let (prefix, permissions) = match resource {
            Resource::Exchange => (&self.scope_prefix, EXCHANGE_PERMISSIONS),
            Resource::Graph => (&self.graph_scope_prefix, GRAPH_PERMISSIONS),
        };
        permissions
            .iter()
            .map(|permission| format!("{prefix}{permission}"))
            .collect()
    }

    /// All a mailbox's owner is asked to agree to, in one sign-in: the scopes of both resources. A
    /// permission asked for later would need another sign-in.
    #[must_use]
    pub fn consent_scopes(&self) -> Vec<String> {
        openid_scopes()
            .into_iter()
            .chain(self.scopes(Resource::Exchange))
            .chain(self.scopes(Resource::Graph))
            .collect()
    }

    /// How the servers treat the accounts of this tenant.
    #[must_use]
    pub fn traits(&self, tenant_id: &str) -> Traits {
        let personal = is_personal(tenant_id);
        Traits {
            personal,
            imap: self.imap.clone(),
            smtp: if personal {
                self.smtp_personal.clone()
            } else {
                self.smtp.clone()
            },
            sent_copy: SentCopy::Server,
            sent_copy_delay_seconds: SENT_COPY_DELAY_SECONDS,
            replaces_message_id: personal,
            imap_off_until_enabled: personal,
            limits: LIMITS,
        }
    }
}

/// The scopes that belong to no resource.
#[must_use]
pub fn openid_scopes() -> Vec<String> {
    OPENID_SCOPES.map(str::to_owned).to_vec()
}

/// The permissions an administrator adds under "API permissions", all of them delegated ones of Microsoft
/// Graph, in the portal's order.
#[must_use]
pub fn permissions() -> Vec<&'static str> {
    let mut all: Vec<_> = OPENID_SCOPES
        .into_iter()
        .chain(EXCHANGE_PERMISSIONS)
        .chain(GRAPH_PERMISSIONS)
        .collect();
    all.sort_unstable_by_key(|name| name.to_ascii_lowercase());
    all
}

/// Whether a tenant id is that of the personal accounts.
#[must_use]
pub fn is_personal(tenant_id: &str) -> bool {
    tenant_id.eq_ignore_ascii_case(PERSONAL_TENANT_ID)
}

/// Whether a scope Entra granted is this permission. Entra writes scopes with or without the resource
/// before them and in any case.
#[must_use]
pub fn grants(scope: &str, permission: &str) -> bool {
    scope
        .rsplit('/')
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case(permission))
}

/// How Microsoft's servers treat one kind of account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traits {
    /// A personal account (Outlook.com), not one of an organisation.
    pub personal: bool,
    /// Where its mail is read.
    pub imap: HostPort,
    /// Where its mail is submitted.
    pub smtp: HostPort,
    /// Who files the copy of what is sent over SMTP. Graph files one always.
    pub sent_copy: SentCopy,
    /// Seconds after which that copy is surely there.
    pub sent_copy_delay_seconds: u64,
    /// Whether submission puts another Message-ID in place of ours; the new one stands in the server's
    /// last reply, ours in `X-Microsoft-Original-Message-ID`.
    pub replaces_message_id: bool,
    /// Whether IMAP is off until the owner enables it in Outlook's settings.
    pub imap_off_until_enabled: bool,
    /// What the servers allow. For personal accounts Microsoft publishes no numbers; they are lower.
    pub limits: Limits,
}

/// Source: Microsoft, "Exchange Online limits" and "SMTP submission improvements"; the Graph size is its
/// request limit of 4 MB less the base64 encoding, with room for the request around it.
const LIMITS: Limits = Limits {
    messages_per_minute: 30,
    connections_allowed: 3,
    connections_used: 1,
    recipients_per_message: 500,
    recipients_per_day: 10_000,
    smtp_message_max_bytes: 35 * 1024 * 1024,
    http_message_max_bytes: 3_000_000,
};

/// Sent Items as Exchange names it in the language the mailbox was first opened in; the first two are
/// English: organisations, then Outlook.com. Needed where the server does not mark the folder `\Sent`.
const SENT_FOLDER_NAMES: [&str; 42] = [
    "Sent Items",
    "Sent",
    "Gesendete Elemente",
    "Gesendet",
    "Éléments envoyés",
    "Elementos enviados",
    "Enviados",
    "Posta inviata",
    "Itens Enviados",
    "Itens enviados",
    "Verzonden items",
    "Verzonden",
    "Sendt post",
    "Skickat",
    "Skickade objekt",
    "Sendte elementer",
    "Lähetetyt",
    "Lähetetyt kohteet",
    "Elementy wysłane",
    "Wysłane",
    "Odeslaná pošta",
    "Odoslaná pošta",
    "Elküldött elemek",
    "Elemente trimise",
    "Gönderilmiş Öğeler",
    "Απεσταλμένα",
    "Отправленные",
    "Надіслані",
    "Изпратени",
    "Poslane stavke",
    "Poslano",
    "Saadetud üksused",
    "Išsiųsti elementai",
    "Elements enviats",
    "送信済みアイテム",
    "送信済み",
    "已发送邮件",
    "寄件備份",
    "보낸 편지함",
    "פריטים שנשלחו",
    "العناصر المرسلة",
    "Mục Đã gửi",
];

/// How surely a folder's name (decoded, without its parents) is that of Sent Items: 0 is surest;
/// `None` when it is not one we know. Compare candidates by it, for a mailbox may hold a folder of its own
/// called "Sent" beside "Sent Items".
#[must_use]
pub fn sent_folder_rank(name: &str) -> Option<usize> {
    let name = name.trim().to_lowercase();
    SENT_FOLDER_NAMES
        .iter()
        .position(|known| known.to_lowercase() == name)
}

#[cfg(test)]
mod tests;
