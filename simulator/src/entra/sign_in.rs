//! Which accounts may sign in where, and what Entra tells those who may not.

use super::Entra;
use super::app::{App, Audience};
use super::consent::is_consumer;
use super::errors::{self, AadError};
use super::tenant::Authority;
use crate::world::{AccountKind, User};

impl Entra {
    /// The accounts the picker shows.
    pub(super) fn pickable(&self, authority: &Authority) -> Vec<User> {
        let may = |user: &User| match (authority, user.kind) {
            (_, AccountKind::Shared) => false,
            (Authority::Tenant(id), AccountKind::Work | AccountKind::Guest) => {
                user.tenant_id == *id
            }
            (Authority::Common | Authority::Organizations, AccountKind::Work)
            | (Authority::Common | Authority::Consumers, AccountKind::Personal) => true,
            _ => false,
        };
        self.world.users().into_iter().filter(may).collect()
    }

    /// The account behind a name, or why it may not sign in here.
    pub(super) fn sign_in(
        &self,
        authority: &Authority,
        app: &App,
        name: &str,
    ) -> Result<User, AadError> {
        let refuse =
            |code: u32, text: String| Err(AadError::new(400, "invalid_request", code, text));
        let Some(user) = self.account(name.trim()) else {
            return refuse(
                50034,
                format!(
                    "The user account {name} does not exist in the directory. To sign into this \
                     application, the account must be added to the directory."
                ),
            );
        };
        if user.disabled || user.kind == AccountKind::Shared {
            return Err(AadError::new(
                400,
                "invalid_grant",
                50057,
                errors::sentence(50057),
            ));
        }
        let personal_refused = !matches!(authority, Authority::Common | Authority::Consumers)
            || app.audience != Audience::AnyDirectoryAndPersonal
                && app.audience != Audience::PersonalOnly;
        if is_consumer(&user) && personal_refused {
            return refuse(
                500_208,
                format!(
                    "The domain of {name} is not a valid login domain for the account type. You \
                     can't sign in here with a personal account. Use your work or school account \
                     instead."
                ),
            );
        }
        if !self
            .pickable(authority)
            .iter()
            .any(|known| known.upn == user.upn)
        {
            return refuse(
                50020,
                format!(
                    "User account '{name}' from identity provider 'https://sts.windows.net/{}/' \
                     does not exist in this tenant and cannot access the application '{}'({}) in \
                     that tenant. The account needs to be added as an external user in the tenant \
                     first. Sign out and sign in again with a different account.",
                    user.tenant_id, app.client_id, app.name
                ),
            );
        }
        if app.assignment_required
            && !app
                .assigned
                .iter()
                .any(|upn| upn.eq_ignore_ascii_case(&user.upn))
        {
            return refuse(
                50105,
                format!(
                    "Your administrator has configured the application {} ('{}') to block users \
                     unless they are specifically granted ('assigned') access to the application. \
                     The signed in user '{name}' is blocked because they are not a direct member \
                     of a group with access, nor had access directly assigned by an \
                     administrator. Please contact your administrator to assign access to this \
                     application.",
                    app.name, app.client_id
                ),
            );
        }
        Ok(user)
    }
}
