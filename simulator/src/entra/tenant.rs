//! The `{T}` in every path: `common`, `organizations`, `consumers`, or one tenant by GUID or
//! domain.

use super::app::{App, Audience};
use super::errors::AadError;

/// The tenant of all personal accounts.
pub const CONSUMER_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A directory known to the pretend Entra.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// GUID.
    pub id: String,
    /// Name shown on pages.
    pub name: String,
    /// Verified domains, lower case.
    pub domains: Vec<String>,
}

/// Who may sign in at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authority {
    /// Work and personal accounts.
    Common,
    /// Work accounts of any directory.
    Organizations,
    /// Personal accounts.
    Consumers,
    /// Members and guests of this directory (GUID).
    Tenant(String),
}

impl Authority {
    /// Reads the path segment against the known directories.
    pub(crate) fn parse(text: &str, tenants: &[Tenant]) -> Result<Self, AadError> {
        let text = text.to_lowercase();
        match text.as_str() {
            "common" => return Ok(Self::Common),
            "organizations" => return Ok(Self::Organizations),
            "consumers" | CONSUMER_TENANT => return Ok(Self::Consumers),
            _ => {}
        }
        if let Some(tenant) = tenants
            .iter()
            .find(|t| t.id == text || t.domains.contains(&text))
        {
            return Ok(Self::Tenant(tenant.id.clone()));
        }
        if is_guid(&text) || text.contains('.') {
            return Err(AadError::new(
                400,
                "invalid_request",
                90002,
                format!(
                    "Tenant '{text}' not found. Check to make sure you have the correct tenant ID \
                     and are signing into the correct cloud. Check with your subscription \
                     administrator, this may happen if there are no active subscriptions for the \
                     tenant."
                ),
            ));
        }
        Err(AadError::new(
            400,
            "invalid_request",
            900_023,
            format!(
                "Specified tenant identifier '{text}' is neither a valid DNS name, nor a valid \
                 external domain."
            ),
        ))
    }

    /// The issuer the metadata of this path names: the literal `{tenantid}` where several tenants
    /// sign in.
    pub(crate) fn metadata_issuer(&self, login_url: &str) -> String {
        match self {
            Self::Common | Self::Organizations => format!("{login_url}/{{tenantid}}/v2.0"),
            Self::Consumers => format!("{login_url}/{CONSUMER_TENANT}/v2.0"),
            Self::Tenant(id) => format!("{login_url}/{id}/v2.0"),
        }
    }

    /// Whether an application's registered audience may be used at this path.
    pub(crate) fn admit_app(&self, app: &App) -> Result<(), AadError> {
        let id = &app.client_id;
        let name = &app.name;
        let refuse =
            |code: u32, text: String| Err(AadError::new(400, "invalid_request", code, text));
        let work_only = || {
            refuse(
                9_002_332,
                format!(
                    "Application '{id}'({name}) is configured for use by Azure Active Directory \
                     users only. Please do not use the /consumers endpoint to serve this request."
                ),
            )
        };
        match (app.audience, self) {
            (Audience::SingleTenant, Self::Common | Self::Organizations) => refuse(
                50194,
                format!(
                    "Application '{id}'({name}) is not configured as a multi-tenant application. \
                     Usage of the /common endpoint is not supported for such apps created after \
                     '10/15/2018'. Use a tenant-specific endpoint or configure the application to \
                     be multi-tenant."
                ),
            ),
            (Audience::SingleTenant | Audience::AnyDirectory, Self::Consumers) => work_only(),
            (Audience::SingleTenant, Self::Tenant(tenant)) if *tenant != app.tenant_id => {
                Err(AadError::unknown_app(id, tenant))
            }
            (Audience::PersonalOnly, Self::Common | Self::Organizations | Self::Tenant(_)) => {
                refuse(
                    9_002_331,
                    format!(
                        "Application '{id}'({name}) is configured for use by Microsoft Account \
                         users only. Please use the /consumers endpoint to serve this request."
                    ),
                )
            }
            _ => Ok(()),
        }
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, letter)| match at {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        })
}
