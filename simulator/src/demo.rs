//! The ready-made tenant: Harbour Lights, a lamp maker, its people and its application.

use crate::entra::{App, Audience, Secret, Tenant, random};
use crate::server::Services;
use crate::world::User;

/// Names and keys of the ready-made tenant.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The application.
    pub client_id: String,
    /// Its secret's value.
    pub client_secret: String,
    /// Its secret's id, which is not what a program must send.
    pub client_secret_id: String,
    /// The directory (GUID).
    pub tenant_id: String,
    /// Sign-in name of the support mailbox; it differs from the address.
    pub support_upn: String,
    /// Its address.
    pub support_address: String,
    /// A shared mailbox.
    pub orders_address: String,
    /// A mailbox with a collection of odd mail, for looking at.
    pub odd_address: String,
    /// Staff who may open the shared mailbox and send as it.
    pub staff_upns: Vec<String>,
    /// Whoever may consent for everybody.
    pub admin_upn: String,
    /// An Outlook.com account.
    pub personal_upn: String,
}

const DOMAIN: &str = "harbourlights.example";
const TENANT_ID: &str = "6f2c8a54-3b1d-4e77-9a60-5d0c1b7e4f21";
const CLIENT_ID: &str = "b3a9d1e2-7c44-4f0b-8e15-2a6f90c3d7b8";
const YEAR_SECONDS: i64 = 365 * 86_400;

/// Fills an empty world.
pub(crate) fn populate(services: &Services, redirect_uri: &str) -> Demo {
    let demo = Demo {
        client_id: CLIENT_ID.to_owned(),
        client_secret: format!("Qx8~{}", random::text(36)),
        client_secret_id: random::guid(),
        tenant_id: TENANT_ID.to_owned(),
        support_upn: "support@harbourlights.onmicrosoft.example".to_owned(),
        support_address: format!("support@{DOMAIN}"),
        orders_address: format!("orders@{DOMAIN}"),
        odd_address: format!("odd-mail@{DOMAIN}"),
        staff_upns: vec![format!("ann.berg@{DOMAIN}"), format!("ben.okafor@{DOMAIN}")],
        admin_upn: format!("admin@{DOMAIN}"),
        personal_upn: "harbour.lights@outlook.example".to_owned(),
    };
    services.entra.add_tenant(Tenant {
        id: demo.tenant_id.clone(),
        name: "Harbour Lights".to_owned(),
        domains: vec![
            DOMAIN.to_owned(),
            "harbourlights.onmicrosoft.example".to_owned(),
        ],
    });
    add_people(services, &demo);
    services.entra.make_admin(&demo.admin_upn);
    services
        .entra
        .register_app(app(services, &demo, redirect_uri));
    demo
}

fn add_people(services: &Services, demo: &Demo) {
    let tenant = &demo.tenant_id;
    let support = User::work(tenant, &demo.support_upn, "Harbour Lights Support")
        .with_address(&demo.support_address)
        .with_alias(&format!("help@{DOMAIN}"))
        .with_access_to(&demo.orders_address);
    services.world.add_user(support);
    for (upn, name) in demo.staff_upns.iter().zip(["Ann Berg", "Ben Okafor"]) {
        services
            .world
            .add_user(User::work(tenant, upn, name).with_access_to(&demo.orders_address));
    }
    services
        .world
        .add_user(User::work(tenant, &demo.admin_upn, "Ida Admin"));
    services
        .world
        .add_user(User::work(tenant, &demo.odd_address, "Odd Mail"));
    services.world.add_user(User::shared(
        tenant,
        &demo.orders_address,
        "Harbour Lights Orders",
    ));
    services.world.add_user(User::personal(
        &demo.personal_upn,
        "Harbour Lights (Outlook.com)",
    ));
}

/// Registered for every account type, so that `common` works as well as the tenant's own id.
fn app(services: &Services, demo: &Demo, redirect_uri: &str) -> App {
    let secret = Secret {
        value: demo.client_secret.clone(),
        id: demo.client_secret_id.clone(),
        expires_at: services.world.clock().now() + YEAR_SECONDS,
    };
    let permissions = [
        "IMAP.AccessAsUser.All",
        "SMTP.Send",
        "Mail.Send",
        "Mail.Send.Shared",
        "User.Read",
    ];
    App {
        audience: Audience::AnyDirectoryAndPersonal,
        secrets: vec![secret],
        permissions: permissions
            .map(|name| format!("https://graph.microsoft.com/{name}"))
            .to_vec(),
        ..App::web(
            &demo.client_id,
            &demo.tenant_id,
            "Shared Inbox",
            redirect_uri,
        )
    }
}
