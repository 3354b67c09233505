//! The pages: the only module that knows actix-web, and, with `app`, the only async one. All routes
//! stand on one screen below; a resource is one file here and one folder of templates.

mod addresses;
mod admin;
mod admin_health;
mod agents;
mod alerts;
mod assets;
mod attachments;
mod backfills;
mod banners;
mod checks;
mod client;
mod context;
mod conversations;
mod csrf;
mod error;
mod events;
mod files;
mod flash;
mod folders;
mod format;
mod forms;
mod guide;
mod headers;
mod health;
mod inbox;
mod ledger;
mod live;
mod mailbox_acts;
mod mailbox_words;
mod mailboxes;
mod messages;
mod microsoft;
mod microsoft_callback;
mod outbox;
mod page;
mod picture_senders;
mod readings;
mod search;
mod session;
mod setup;
mod sign_in;
mod themes;
mod undo_window;
mod waiting;
mod zone;

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, ServiceConfig, get, post, resource};
use actix_web::{App, HttpServer};

use attachments::message as attached;
pub use context::{Context, Shared};
pub use error::Error;

/// Every route there is.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        // Signing in
        .route("/setup", get().to(setup::new))
        .route("/setup", post().to(setup::create))
        .route("/sign-in", get().to(sign_in::new))
        .route("/sign-in", post().to(sign_in::create))
        .service(resource("/sign-out").route(post().to(sign_in::delete)))
        .service(resource("/theme").route(post().to(themes::update)))
        // The inbox
        .service(resource("/").route(get().to(inbox::index)))
        .service(resource("/live").route(get().to(live::show)))
        .service(resource("/search").route(get().to(search::index)))
        // A conversation
        .service(resource("/conversations/{number}").route(get().to(conversations::show)))
        .service(resource("/conversations/{number}/replies").route(post().to(conversations::reply)))
        .service(resource("/conversations/{number}/notes").route(post().to(conversations::note)))
        .service(
            resource("/conversations/{number}/assignment").route(post().to(conversations::assign)),
        )
        .service(resource("/conversations/{number}/closure").route(post().to(conversations::close)))
        .service(
            resource("/conversations/{number}/reopening").route(post().to(conversations::reopen)),
        )
        .service(resource("/conversations/{number}/waiting").route(post().to(conversations::wait)))
        // Messages and files
        .service(resource("/messages/{id}").route(get().to(messages::show)))
        .service(resource("/messages/{id}/body").route(get().to(messages::body)))
        .service(resource("/messages/{id}/conversation").route(post().to(conversations::place)))
        .service(resource("/messages/{id}/raw").route(get().to(messages::raw)))
        .service(resource("/messages/{id}/source").route(get().to(messages::source)))
        .service(resource("/messages/{id}/cid/{cid:.*}").route(get().to(messages::picture)))
        .service(resource("/attachments/{id}").route(get().to(attachments::show)))
        .service(resource("/attachments/{id}/message/{at}").route(get().to(attached::show)))
        .service(resource("/attachments/{id}/message/{at}/body").route(get().to(attached::body)))
        .service(resource("/attachments/{id}/message/{at}/raw").route(get().to(attached::raw)))
        .service(
            resource("/attachments/{id}/message/{at}/files/{n}").route(get().to(attached::file)),
        )
        .service(
            resource("/attachments/{id}/message/{at}/cid/{c:.*}")
                .route(get().to(attached::picture)),
        )
        .service(resource("/picture-senders").route(post().to(picture_senders::create)))
        .service(resource("/picture-senders/removal").route(post().to(picture_senders::delete)))
        // Deliveries
        .service(resource("/outbox").route(get().to(outbox::index)))
        .service(resource("/deliveries/{id}/retry").route(post().to(outbox::retry)))
        .service(resource("/deliveries/{id}/cancellation").route(post().to(outbox::cancel)))
        .service(resource("/deliveries/{id}/settlement").route(post().to(outbox::settle)))
        .service(resource("/deliveries/{id}/time").route(post().to(outbox::reschedule)))
        .service(resource("/deliveries/{id}/withdrawal").route(post().to(outbox::withdraw)))
        .configure(mailbox_routes)
        .configure(administration)
        .configure(alerts_routes)
        // For machines
        .service(resource("/healthz").route(get().to(health::live)))
        .service(resource("/readyz").route(get().to(health::ready)))
        .service(resource("/metrics").route(get().to(health::metrics)))
        // Assets
        .service(
            web::scope("/static")
                .wrap(Compress::default())
                .service(resource("/{hash}/{name:.*}").route(get().to(assets::show))),
        )
        .default_service(web::to(missing));
}

/// The routes of mailboxes and of connecting them.
fn mailbox_routes(routes: &mut ServiceConfig) {
    routes
        .route("/mailboxes", get().to(mailboxes::index))
        .route("/mailboxes", post().to(mailboxes::create))
        .route("/mailboxes/new", get().to(mailboxes::new))
        .route("/mailboxes/{id}", get().to(mailboxes::show))
        .route("/mailboxes/{id}", post().to(mailboxes::update))
        .route("/mailboxes/{id}/checks", get().to(checks::index))
        .route("/mailboxes/{id}/checks", post().to(checks::create))
        .route("/mailboxes/{id}/choice", post().to(checks::choose))
        .configure(folder_routes)
        .route("/mailboxes/{id}/sign-in", post().to(mailbox_acts::sign_in))
        .route("/mailboxes/{id}/sync", post().to(mailbox_acts::sync))
        .route("/mailboxes/{id}/pause", post().to(mailbox_acts::pause))
        .service(resource("/mailboxes/{id}/resumption").route(post().to(mailbox_acts::resume)))
        .configure(older_mail)
        .service(resource("/mailboxes/{id}/sending").route(post().to(mailbox_acts::send_again)))
        .route("/microsoft/callback", get().to(microsoft_callback::show));
}

/// The routes of the administration.
fn administration(routes: &mut ServiceConfig) {
    routes
        .route("/admin", get().to(admin::index))
        .route("/admin/agents", get().to(agents::index))
        .route("/admin/agents", post().to(agents::create))
        .service(resource("/admin/agents/{id}/password").route(post().to(agents::reset_password)))
        .route("/admin/agents/{id}/disablement", post().to(agents::disable))
        .route("/admin/agents/{id}/enablement", post().to(agents::enable))
        .route("/admin/microsoft", get().to(microsoft::show))
        .route("/admin/microsoft", post().to(microsoft::update))
        .route("/admin/microsoft/check", post().to(microsoft::check))
        .route("/admin/microsoft/consent", post().to(microsoft::consent))
        .service(resource("/admin/undo-window").route(post().to(undo_window::update)))
        .route("/admin/ledger", get().to(ledger::index))
        .route("/admin/ledger/folder", get().to(ledger::folder))
        .route("/admin/ledger/retries", post().to(ledger::retry))
        .route("/admin/ledger/dismissals", post().to(ledger::dismiss))
        .route("/admin/ledger/checks", post().to(ledger::check))
        .route("/admin/health", get().to(admin_health::show));
}

/// What administrators are told, and how.
fn alerts_routes(routes: &mut ServiceConfig) {
    routes
        .route("/admin/alerts", get().to(alerts::index))
        .route("/admin/alerts/mail", post().to(alerts::mail))
        .route("/admin/alerts/mail/test", post().to(alerts::test_mail))
        .route("/admin/alerts/webhook", post().to(alerts::webhook))
        .route(
            "/admin/alerts/webhook/test",
            post().to(alerts::test_webhook),
        )
        .route("/admin/alerts/disk", post().to(alerts::disk));
}

/// The routes of fetching older mail.
fn older_mail(routes: &mut ServiceConfig) {
    routes
        .route("/mailboxes/{id}/backfills", post().to(backfills::create))
        .route("/mailboxes/{id}/backfills/new", get().to(backfills::new))
        .route("/backfills/{id}/pause", post().to(backfills::pause))
        .service(resource("/backfills/{id}/resumption").route(post().to(backfills::resume)))
        .service(resource("/backfills/{id}/cancellation").route(post().to(backfills::cancel)));
}

/// The routes of a mailbox's folders and of what is written back.
fn folder_routes(routes: &mut ServiceConfig) {
    routes
        .route("/mailboxes/{id}/folders", get().to(folders::index))
        .route("/mailboxes/{id}/folders", post().to(folders::update))
        .route(
            "/mailboxes/{id}/sent-folder",
            post().to(folders::update_sent),
        )
        .route(
            "/mailboxes/{id}/write-back",
            post().to(folders::update_write_back),
        )
        .route(
            "/mailboxes/{id}/write-back/retries",
            post().to(folders::retry),
        )
        .route(
            "/mailboxes/{id}/write-back/removal",
            post().to(folders::forget),
        );
}

/// Any other address.
async fn missing() -> Result<actix_web::HttpResponse, Error> {
    Err(Error::NotFound("page"))
}

/// A server for these pages on a bound listener. It runs when awaited and does not listen to signals;
/// stop [`Context::streams`] before it, or it waits for open pages.
///
/// # Errors
/// When the listener cannot be used.
pub fn server(
    context: Shared,
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(context.clone())
            .configure(configure)
            // From the inside out.
            .wrap(from_fn(csrf::guard))
            .wrap(from_fn(session::recognise))
            .wrap(from_fn(error::render))
            .wrap(from_fn(headers::add))
    })
    .workers(2)
    .worker_max_blocking_threads(8)
    .client_request_timeout(Duration::from_secs(15))
    .keep_alive(Duration::from_secs(75))
    .shutdown_timeout(10)
    .disable_signals();
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
}
