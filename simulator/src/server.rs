//! The one web server: Entra under `/`, Graph under `/graph`, a page about all of it at `/`.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};

use crate::entra::Entra;
use crate::faults::{Action, Faults, Point};
use crate::http::{FORM_TARGET, Method, Request, Response};
use crate::world::{Stop, World};
use crate::{graph, home};

/// Bodies above this are not read to their end.
const BODY_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// What the pages and endpoints work on.
#[derive(Clone)]
pub(crate) struct Services {
    /// The mailboxes.
    pub(crate) world: Arc<World>,
    /// The accounts.
    pub(crate) entra: Arc<Entra>,
    /// What goes wrong.
    pub(crate) faults: Arc<Faults>,
}

/// The running server.
pub(crate) struct Server {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// A second handle to a connection's socket, to break it without an answer.
struct Wire {
    socket: TcpStream,
    _registered: Option<crate::world::stop::Registered>,
}

impl Server {
    /// Serves `listener` on a thread of its own.
    pub(crate) fn start(services: Services, listener: TcpListener, stop: Stop) -> io::Result<Self> {
        let (started, wait) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("pretend-http".to_owned())
            .spawn(move || {
                rt::System::new().block_on(async move {
                    let server = HttpServer::new(move || {
                        let services = services.clone();
                        App::new().default_service(web::to(
                            move |request: HttpRequest, body: web::Payload| {
                                serve(services.clone(), request, body)
                            },
                        ))
                    })
                    .on_connect(move |connection, extensions| {
                        if let Some(wire) = wire(connection, &stop) {
                            extensions.insert(Arc::new(wire));
                        }
                    })
                    .workers(1)
                    .disable_signals()
                    .shutdown_timeout(1)
                    .listen(listener);
                    match server {
                        Ok(server) => {
                            let server = server.run();
                            // Nobody waits any more when the receiver is gone; the handle stops the
                            // server then.
                            if started.send(Ok(server.handle())).is_ok()
                                && let Err(error) = server.await
                            {
                                tracing::error!(%error, "the pretend web server ended");
                            }
                        }
                        Err(error) => {
                            if started.send(Err(error)).is_err() {
                                tracing::error!("the pretend web server was not waited for");
                            }
                        }
                    }
                });
            })?;
        let handle = wait
            .recv_timeout(Duration::from_secs(20))
            .map_err(|_| io::Error::other("the web server did not start in time"))??;
        Ok(Self {
            handle,
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The command goes out with the call; the future only reports that it was carried out.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the pretend web server panicked");
        }
    }
}

fn wire(connection: &dyn std::any::Any, stop: &Stop) -> Option<Wire> {
    let stream = connection.downcast_ref::<rt::net::TcpStream>()?;
    let socket = TcpStream::from(stream.as_fd().try_clone_to_owned().ok()?);
    let registered = stop.register(&socket).ok();
    Some(Wire {
        socket,
        _registered: registered,
    })
}

/// Reads the request, lets the scripted fault strike, and answers.
async fn serve(services: Services, request: HttpRequest, body: web::Payload) -> HttpResponse {
    let Ok(Ok(body)) = body.to_bytes_limited(BODY_LIMIT_BYTES).await else {
        return send(Response::text_page(413, "too large"));
    };
    let asked = plain(&request, body.to_vec());
    let point = point(&services, &asked);
    let struck = point
        .as_ref()
        .and_then(|(point, who)| strike(&services, *point, who));
    if let Some(answer) = act(&services, &request, &asked, struck).await {
        return answer;
    }
    // Whose request it was is known before it is done: a refresh token may be gone afterwards.
    let answer = route(&services, &asked);
    let late = match &point {
        Some((Point::Graph, who)) if asked.method == Method::Post && answer.status == 202 => {
            strike(&services, Point::GraphAccepted, who)
        }
        Some((Point::TokenRefresh, who)) if answer.status == 200 => {
            strike(&services, Point::TokenIssued, who)
        }
        _ => None,
    };
    match act(&services, &request, &asked, late).await {
        Some(struck) => struck,
        None => send(answer),
    }
}

/// Does what a fault says; an answer, where the request is answered by it.
async fn act(
    services: &Services,
    request: &HttpRequest,
    asked: &Request,
    action: Option<Action>,
) -> Option<HttpResponse> {
    match action? {
        Action::Delay(time) => {
            rt::time::sleep(time).await;
            None
        }
        Action::Hang => std::future::pending().await,
        Action::Close => {
            if let Some(wire) = request.conn_data::<Arc<Wire>>()
                && let Err(error) = wire.socket.shutdown(std::net::Shutdown::Both)
            {
                tracing::debug!(%error, "the connection was gone already");
            }
            Some(HttpResponse::new(StatusCode::SERVICE_UNAVAILABLE))
        }
        Action::Http(status, headers, body) => Some(send(Response {
            status,
            headers,
            body: body.into_bytes(),
        })),
        Action::Reply(text) => Some(send(Response::text_page(200, &text))),
        Action::Entra(status, error, code, text) => {
            let refusal = (status, error.as_str(), code, text.as_str());
            Some(send(services.entra.scripted_refusal(asked, refusal)))
        }
    }
}

fn plain(request: &HttpRequest, body: Vec<u8>) -> Request {
    let method = match request.method().as_str() {
        "GET" | "HEAD" => Method::Get,
        "POST" => Method::Post,
        _ => Method::Other,
    };
    let headers = request.headers().iter().map(|(name, value)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });
    Request::new(
        method,
        request.path(),
        request.query_string(),
        headers.collect(),
        body,
    )
}

fn send(answer: Response) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponse::build(status);
    for (name, value) in answer
        .headers
        .into_iter()
        .filter(|(name, _)| name != FORM_TARGET)
    {
        builder.append_header((name, value));
    }
    builder.body(answer.body)
}

fn route(services: &Services, request: &Request) -> Response {
    if let Some(path) = request.path.strip_prefix("/graph/") {
        return graph::answer(services, path, request);
    }
    if let Some(response) = home::answer(services, request) {
        return response;
    }
    services
        .entra
        .answer(request)
        .unwrap_or_else(|| Response::text_page(404, "There is nothing here."))
}

/// The scripted fault that a request of one of `who`, or of nobody known, meets at a point.
fn strike(services: &Services, point: Point, who: &[String]) -> Option<Action> {
    if who.is_empty() {
        return services.faults.take(point, None);
    }
    who.iter()
        .find_map(|name| services.faults.take(point, Some(name)))
}

fn point(services: &Services, request: &Request) -> Option<(Point, Vec<String>)> {
    let path = request.path.as_str();
    if path.starts_with("/graph/") {
        return Some((Point::Graph, graph::who(services, request)));
    }
    if path.ends_with("/.well-known/openid-configuration") {
        return Some((Point::Discovery, Vec::new()));
    }
    if path.ends_with("/discovery/v2.0/keys") {
        return Some((Point::Keys, Vec::new()));
    }
    if path.ends_with("/oauth2/v2.0/authorize") && request.method == Method::Get {
        let hint = request.query.get("login_hint").map(str::to_owned);
        return Some((Point::Authorize, hint.into_iter().collect()));
    }
    if path.ends_with("/oauth2/v2.0/token") {
        return services.entra.token_point(request);
    }
    None
}
