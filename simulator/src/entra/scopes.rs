//! Scopes: which resource each belongs to, what it is called on the consent page, and who may
//! consent.

use super::errors::AadError;

/// What an access token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// `https://outlook.office.com`: IMAP, POP and SMTP.
    Exchange,
    /// `https://graph.microsoft.com`.
    Graph,
}

impl Resource {
    /// The audience of its access tokens.
    pub(crate) fn audience(self) -> &'static str {
        match self {
            Self::Exchange => "https://outlook.office.com",
            Self::Graph => "https://graph.microsoft.com",
        }
    }

    /// Its application id, the same in every directory.
    fn app_id(self) -> &'static str {
        match self {
            Self::Exchange => "00000002-0000-0ff1-ce00-000000000000",
            Self::Graph => "00000003-0000-0000-c000-000000000000",
        }
    }
}

/// Prefixes of the scopes of Exchange; the second names the same resource.
const EXCHANGE: [&str; 2] = [
    "https://outlook.office.com/",
    "https://outlook.office365.com/",
];
const GRAPH: &str = "https://graph.microsoft.com/";
const OIDC: [&str; 4] = ["openid", "profile", "email", "offline_access"];
const EXCHANGE_NAMES: [&str; 3] = ["IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"];
const GRAPH_NAMES: [&str; 17] = [
    "User.Read",
    "Mail.Send",
    "Mail.Send.Shared",
    "Mail.Read",
    "Mail.Read.Shared",
    "Mail.ReadBasic",
    "Mail.ReadWrite",
    "Mail.ReadWrite.Shared",
    "MailboxSettings.Read",
    "Contacts.Read",
    "Calendars.Read",
    "User.ReadBasic.All",
    "People.Read",
    "Files.Read.All",
    // Exchange's protocol permissions are listed under Graph in the portal, and a Graph token can
    // carry them.
    "IMAP.AccessAsUser.All",
    "POP.AccessAsUser.All",
    "SMTP.Send",
];
/// The name that stands for everything granted on a resource.
pub(crate) const DEFAULT: &str = ".default";

/// One requested scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// `None` for the OpenID Connect scopes.
    pub(crate) resource: Option<Resource>,
    /// In Microsoft's spelling, without the resource.
    pub(crate) name: String,
    prefix: &'static str,
}

impl Scope {
    /// Reads a space-separated list as the endpoints do.
    pub(crate) fn parse_list(text: &str, app_name: &str) -> Result<Vec<Self>, AadError> {
        let mut scopes: Vec<Self> = Vec::new();
        for word in text.split_ascii_whitespace() {
            let scope = Self::parse(word, app_name)?;
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        let named = |scope: &&Self| scope.resource.is_some() && scope.name != DEFAULT;
        if scopes.iter().any(|scope| scope.name == DEFAULT)
            && scopes.iter().any(|scope| named(&scope))
        {
            return Err(AadError::new(
                400,
                "invalid_scope",
                70011,
                format!(
                    "The provided request must include a 'scope' input parameter. The provided \
                     value for the input parameter 'scope' is not valid. The scope {text} is not \
                     valid. .default scope can't be combined with resource-specific scopes."
                ),
            ));
        }
        Ok(scopes)
    }

    fn parse(word: &str, app_name: &str) -> Result<Self, AadError> {
        if let Some(name) = OIDC.iter().find(|name| name.eq_ignore_ascii_case(word)) {
            return Ok(Self {
                resource: None,
                name: (*name).to_owned(),
                prefix: "",
            });
        }
        let (resource, prefix, name) = split(word).ok_or_else(|| {
            let resource = word.rsplit_once('/').map_or(word, |(resource, _)| resource);
            AadError::new(
                400,
                "invalid_resource",
                500_011,
                format!(
                    "The resource principal named {resource} was not found in the tenant. This \
                     can happen if the application has not been installed by the administrator of \
                     the tenant or consented to by any user in the tenant. You might have sent \
                     your authentication request to the wrong tenant."
                ),
            )
        })?;
        let names: &[&str] = match resource {
            Resource::Exchange => &EXCHANGE_NAMES,
            Resource::Graph => &GRAPH_NAMES,
        };
        let known = names
            .iter()
            .chain([&DEFAULT])
            .find(|known| known.eq_ignore_ascii_case(name));
        let unknown = || {
            let text = format!(
                "The application '{app_name}' asked for scope '{name}' that doesn't exist on the \
                 resource '{}'. Contact the app vendor.",
                resource.app_id()
            );
            AadError::new(400, "invalid_client", 650_053, text)
        };
        let name = (*known.ok_or_else(unknown)?).to_owned();
        Ok(Self {
            resource: Some(resource),
            name,
            prefix,
        })
    }

    /// As it stands in the `scope` of an answer.
    pub(crate) fn to_text(&self) -> String {
        format!("{}{}", self.prefix, self.name)
    }

    /// What consents are recorded under.
    pub(crate) fn key(&self) -> String {
        let resource = self.resource.map_or("", Resource::audience);
        format!("{resource}/{}", self.name.to_lowercase())
    }

    /// Microsoft's name of the permission on the consent page.
    pub(crate) fn label(&self) -> &'static str {
        match self.name.as_str() {
            "IMAP.AccessAsUser.All" => "Read and write access to your mail via IMAP",
            "POP.AccessAsUser.All" => "Read and write access to your mail via POP",
            "SMTP.Send" => "Access to sending emails from your mailbox",
            "Mail.Send" => "Send mail as you",
            "Mail.Send.Shared" => "Send mail on behalf of others or yourself",
            "Mail.Read" => "Read your mail",
            "Mail.ReadBasic" => "Read your basic mail",
            "Mail.Read.Shared" => "Read mail you can access",
            "Mail.ReadWrite" => "Read and write access to your mail",
            "Mail.ReadWrite.Shared" => "Read and write mail you can access",
            "MailboxSettings.Read" => "Read your mailbox settings",
            "User.Read" => "Sign you in and read your profile",
            "User.ReadBasic.All" => "Read all users' basic profiles",
            "Contacts.Read" => "Read your contacts",
            "Calendars.Read" => "Read your calendars",
            "People.Read" => "Read your relevant people list",
            "Files.Read.All" => "Read all files that you have access to",
            "openid" => "Sign you in",
            "profile" => "View your basic profile",
            "email" => "View your email address",
            "offline_access" => "Maintain access to data you have given it access to",
            _ => "Everything this app is registered for",
        }
    }

    /// Whether the Microsoft-managed consent policy leaves this one to administrators (Microsoft,
    /// "Manage app consent policies", microsoft-user-default-recommended).
    pub(crate) fn needs_admin(&self) -> bool {
        match self.resource {
            None => false,
            Some(_) => !matches!(
                self.name.as_str(),
                "SMTP.Send" | "Mail.Send" | "Mail.Send.Shared" | "User.Read" | "User.ReadBasic.All"
            ),
        }
    }
}

/// The resource, its prefix as written, and the bare name. A scope without a resource means Graph.
fn split(word: &str) -> Option<(Resource, &'static str, &str)> {
    let after = |prefix: &'static str| {
        let head = word.get(..prefix.len())?;
        // The resource may be written with a doubled slash before the name
        // (`https://outlook.office.com//…`).
        head.eq_ignore_ascii_case(prefix).then(|| {
            word.get(prefix.len()..)
                .unwrap_or("")
                .trim_start_matches('/')
        })
    };
    for prefix in EXCHANGE {
        if let Some(name) = after(prefix) {
            return Some((Resource::Exchange, prefix, name));
        }
    }
    if let Some(name) = after(GRAPH) {
        return Some((Resource::Graph, GRAPH, name));
    }
    (!word.contains('/')).then_some((Resource::Graph, "", word))
}

/// The resources named, in order of first mention.
pub(crate) fn resources(scopes: &[Scope]) -> Vec<Resource> {
    let mut found = Vec::new();
    for resource in scopes.iter().filter_map(|scope| scope.resource) {
        if !found.contains(&resource) {
            found.push(resource);
        }
    }
    found
}

/// Every permission of a registration as a scope of one resource. The protocol permissions listed
/// under Graph count for Exchange too, which is how the portal offers them.
pub(crate) fn configured(permissions: &[String], resource: Resource) -> Vec<Scope> {
    let (names, prefix): (&[&str], _) = match resource {
        Resource::Exchange => (&EXCHANGE_NAMES, EXCHANGE[0]),
        Resource::Graph => (&GRAPH_NAMES, GRAPH),
    };
    let bare = permissions
        .iter()
        .map(|text| text.rsplit('/').next().unwrap_or(text));
    bare.filter_map(|name| names.iter().find(|known| known.eq_ignore_ascii_case(name)))
        .map(|name| Scope {
            resource: Some(resource),
            name: (*name).to_owned(),
            prefix,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_without_a_resource_means_graph() {
        let scopes = Scope::parse_list("openid IMAP.AccessAsUser.All", "app").unwrap();
        assert_eq!(scopes[0].resource, None);
        assert_eq!(scopes[1].resource, Some(Resource::Graph));
    }

    #[test]
    fn an_unknown_resource_and_an_unknown_name_have_their_own_numbers() {
        let error = Scope::parse_list("https://outlook.office365.us/SMTP.Send", "app").unwrap_err();
        assert_eq!(error.code, 500_011);
        let error = Scope::parse_list("https://outlook.office.com/Mail.Send", "app").unwrap_err();
        assert_eq!(error.code, 650_053);
        let error =
            Scope::parse_list("User.Read https://graph.microsoft.com/.default", "app").unwrap_err();
        assert_eq!((error.code, error.error.as_str()), (70011, "invalid_scope"));
    }
}
