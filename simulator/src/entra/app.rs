//! Application registrations: what an administrator set up in the Entra portal.

/// A registered application.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the independent switches of the portal"
)]
pub struct App {
    /// Application (client) id, a GUID.
    pub client_id: String,
    /// The directory it is registered in.
    pub tenant_id: String,
    /// Supported account types.
    pub audience: Audience,
    /// Display name, shown on the consent page.
    pub name: String,
    /// Client secrets.
    pub secrets: Vec<Secret>,
    /// Certificates whose keys may sign client assertions, PEM.
    pub certificates: Vec<String>,
    /// Redirect URIs, compared exactly apart from the port of `http://localhost`.
    pub redirect_uris: Vec<String>,
    /// Configured delegated permissions, as full scopes or bare names.
    pub permissions: Vec<String>,
    /// Registered under "Mobile and desktop applications": must not authenticate.
    pub public_client: bool,
    /// Registered under "Single-page application": refresh tokens live 24 hours.
    pub spa: bool,
    /// Only users in `assigned` may sign in, and only an administrator may consent.
    pub assignment_required: bool,
    /// Sign-in names of the assigned users, lower case.
    pub assigned: Vec<String>,
    /// Whether ordinary users may consent to mailbox access (IMAP, `Mail.Read` and the like).
    pub user_may_consent: bool,
    /// An administrator of the home directory consented to `permissions` for everyone.
    pub admin_consented: bool,
    /// The consent page shows a verified publisher.
    pub verified_publisher: bool,
}

/// Supported account types (`signInAudience`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// `AzureADMyOrg`.
    SingleTenant,
    /// `AzureADMultipleOrgs`.
    AnyDirectory,
    /// `AzureADandPersonalMicrosoftAccount`.
    AnyDirectoryAndPersonal,
    /// `PersonalMicrosoftAccount`.
    PersonalOnly,
}

/// A client secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// What the application must send.
    pub value: String,
    /// The secret's id, which people paste by mistake.
    pub id: String,
    /// Unix seconds UTC.
    pub expires_at: i64,
}

impl App {
    /// A confidential web application of one directory, without secrets, with Entra's defaults:
    /// users may consent to what the policy leaves to them, nothing is consented yet.
    #[must_use]
    pub fn web(client_id: &str, tenant_id: &str, name: &str, redirect_uri: &str) -> Self {
        Self {
            client_id: client_id.to_lowercase(),
            tenant_id: tenant_id.to_lowercase(),
            audience: Audience::SingleTenant,
            name: name.to_owned(),
            secrets: Vec::new(),
            certificates: Vec::new(),
            redirect_uris: vec![redirect_uri.to_owned()],
            permissions: Vec::new(),
            public_client: false,
            spa: false,
            assignment_required: false,
            assigned: Vec::new(),
            user_may_consent: true,
            admin_consented: false,
            verified_publisher: false,
        }
    }

    /// Whether `uri` is one of the registered redirect URIs (Microsoft, "Redirect URI
    /// restrictions": exact and case-sensitive; the port is ignored for `http://localhost`).
    pub(crate) fn allows_redirect(&self, uri: &str) -> bool {
        self.redirect_uris
            .iter()
            .any(|known| known == uri || same_on_localhost(known, uri))
    }
}

fn same_on_localhost(known: &str, asked: &str) -> bool {
    let without_port = |text: &str| {
        let mut url = url::Url::parse(text).ok()?;
        if url.scheme() != "http" || !matches!(url.host_str(), Some("localhost" | "127.0.0.1")) {
            return None;
        }
        url.set_port(None).ok()?;
        Some(url)
    };
    match (without_port(known), without_port(asked)) {
        (Some(known), Some(asked)) => known == asked,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_matches_exactly_except_for_the_port_of_localhost() {
        let mut app = App::web("c", "t", "n", "https://help.example/microsoft/callback");
        assert!(app.allows_redirect("https://help.example/microsoft/callback"));
        assert!(!app.allows_redirect("https://help.example/Microsoft/callback"));
        assert!(!app.allows_redirect("https://help.example:8443/microsoft/callback"));
        app.redirect_uris = vec!["http://localhost:8025/microsoft/callback".into()];
        assert!(app.allows_redirect("http://localhost:41233/microsoft/callback"));
        assert!(!app.allows_redirect("http://localhost:8025/other"));
        assert!(!app.allows_redirect("http://127.0.0.1:8025/microsoft/callback"));
    }
}
