//! Connections: how they are accepted, what each may use, and when they are closed.

use crate::{
    body::on_drop,
    client::TrustedProxies,
    in_flight::{Entry, InFlight},
    refusals::{Reason, Refusals},
};
use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{ConnectInfo, Request},
    middleware::Next,
    response::Response,
    serve::Listener,
};
use futures_util::StreamExt;
use http::{Extensions, header};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
    service::TowerToHyperService,
};
use muster_registry::Source;
use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

/// The read buffer of a connection, and so the largest request head. hyper's default is 400 KiB. 10,000 full buffers take
/// 320 MiB.
const BUFFER_BYTES: usize = 32 * 1024;

/// How long the other side may take for something before its connection ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// For the head of the first request.
    first_request: Duration,
    /// For being idle, and the head of any other request. Devices that report once a minute keep their connections.
    idle: Duration,
    /// For reading anything of a response.
    write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { first_request: Duration::from_secs(20), idle: Duration::from_secs(120), write: Duration::from_secs(30) }
    }
}

/// The send buffer of a socket, which the kernel doubles. By default it grows to 4 MiB for each client that does not read,
/// and then a whole asset counts as sent. At 100 ms to the client this is still 20 Mbit/s for each connection.
const SEND_BUFFER_BYTES: u32 = 256 * 1024;

/// How long open connections stay open after the server was asked to stop. A connection that was just accepted has a request
/// on its way, and hyper closes it without a response if nothing of that has been read.
const SETTLING_TIME: Duration = Duration::from_millis(250);

/// An unread body is read up to this size, and for this long.
const MAX_DRAINED_BYTES: usize = 4 * 1024 * 1024;
const MAX_DRAIN_TIME: Duration = Duration::from_secs(30);

/// Connections that wait to be accepted. The system may allow fewer, and resets the rest. A thousand, which is usual, is
/// too few when all devices of a hall get their power back.
const BACKLOG: u32 = 65_535;

/// The response to an excess connection. Its request is not read.
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-type: application/problem+json\r\n\
    content-length: 67\r\nconnection: close\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Too many connections\",\"status\":503}\n";

/// The limits on open connections, in total and per address.
pub(crate) struct ConnectionLimits {
    all: Arc<Semaphore>,
    of_address: Arc<InFlight<Source>>,
    proxies: TrustedProxies,
    refusals: Refusals,
    timeouts: Timeouts,
}

/// How many connections are open.
#[derive(Clone, Debug)]
pub(crate) struct OpenConnections {
    all: Arc<Semaphore>,
    limit: usize,
}

impl OpenConnections {
    pub(crate) fn open(&self) -> usize {
        self.limit - self.all.available_permits()
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }
}

/// A permit for one open connection, released when dropped.
struct ConnectionPermit {
    _of_all: OwnedSemaphorePermit,
    _of_address: Option<Entry<Source>>,
}

impl ConnectionLimits {
    pub(crate) fn new(max: usize, max_per_address: usize, proxies: TrustedProxies, refusals: Refusals) -> Self {
        let all = Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS)));
        Self { all, of_address: InFlight::new(max_per_address), proxies, refusals, timeouts: Timeouts::default() }
    }

    /// How many connections are open, now and later.
    pub(crate) fn open_connections(&self) -> OpenConnections {
        OpenConnections { all: self.all.clone(), limit: self.all.available_permits() }
    }

    /// A permit for a connection from this address. A configured proxy's connections serve many clients, so their requests
    /// are counted instead (`overload.rs`).
    fn enter(&self, peer: SocketAddr) -> Result<ConnectionPermit, Reason> {
        let of_all = self.all.clone().try_acquire_owned().map_err(|_| Reason::Connections)?;
        let of_address = if self.proxies.contains(peer.ip()) {
            None
        } else {
            Some(self.of_address.enter(Source::of(peer.ip())).ok_or(Reason::OfAddress)?)
        };
        Ok(ConnectionPermit { _of_all: of_all, _of_address: of_address })
    }
}

/// Listens at this address. Must be called in the runtime.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait until the system has forgotten the connections of before. Elsewhere it means less.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves connections until `stop`, then finishes the requests in progress. New connections are still answered, because a
/// load balancer asks whether this server is ready. Dropping this future cuts off what is in progress.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    stop: impl Future<Output = ()>,
) {
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(limits.timeouts.idle).max_buf_size(BUFFER_BYTES);
    let connections = GracefulShutdown::new();
    let (is_serving, _) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut stop => break,
        };
        if let Some((permit, stream)) = admit(&limits, stream, peer) {
            let (connection, has_sent) = connection(&protocol, &router, stream, peer, &limits.timeouts);
            spawn(connections.watch(connection), permit, has_sent, limits.timeouts, is_serving.subscribe());
        }
    }
    protocol.keep_alive(false);
    let mut finished = pin!(async {
        sleep(SETTLING_TIME).await;
        connections.shutdown().await;
    });
    loop {
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut finished => return,
        };
        if let Some((permit, stream)) = admit(&limits, stream, peer) {
            let (connection, has_sent) = connection(&protocol, &router, stream, peer, &limits.timeouts);
            spawn(connection, permit, has_sent, limits.timeouts, is_serving.subscribe());
        }
    }
}

/// Admits a connection, or refuses it if a limit is reached.
fn admit(limits: &ConnectionLimits, stream: TcpStream, peer: SocketAddr) -> Option<(ConnectionPermit, TcpStream)> {
    match limits.enter(peer) {
        Ok(permit) => Some((permit, stream)),
        Err(reason) => {
            limits.refusals.count(reason);
            refuse(stream);
            None
        }
    }
}

/// The service of one connection, and whether a first request has come.
fn connection(
    protocol: &http1::Builder,
    router: &Router,
    stream: TcpStream,
    peer: SocketAddr,
    timeouts: &Timeouts,
) -> (impl GracefulConnection<Error = hyper::Error> + Send + 'static, Arc<AtomicBool>) {
    let has_sent = Arc::new(AtomicBool::new(false));
    let service = router.clone().map_request({
        let has_sent = has_sent.clone();
        move |mut request: http::Request<Incoming>| {
            has_sent.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.map(Body::new)
        }
    });
    let stream = TokioIo::new(with_timeout(stream, timeouts.write));
    (protocol.serve_connection(stream, TowerToHyperService::new(service)), has_sent)
}

/// Serves a connection until it ends, its first request is overdue, or the server is dropped.
fn spawn(
    connection: impl Future<Output = hyper::Result<()>> + Send + 'static,
    permit: ConnectionPermit,
    has_sent: Arc<AtomicBool>,
    timeouts: Timeouts,
    mut is_serving: watch::Receiver<()>,
) {
    tokio::spawn(async move {
        let _permit = permit;
        let first_request_is_overdue = async {
            sleep(timeouts.first_request).await;
            if has_sent.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            ended = connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended");
                }
            }
            () = first_request_is_overdue => {}
            _ = is_serving.changed() => {}
        }
    });
}

/// Answers a connection that is one too many, without waiting for anything.
fn refuse(stream: TcpStream) {
    let Ok(mut stream) = stream.into_std() else { return };
    // It fits the buffer of a new connection. Unread bytes would make the other side forget the answer, and a client
    // that sends more than this, or later, may see only that the connection was closed.
    let _ = stream.write(REFUSAL);
    let _ = stream.read(&mut [0; 4 * 1024]);
}

/// Ends a connection whose other side does not read.
fn with_timeout(stream: TcpStream, write: Duration) -> Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(write));
    Box::pin(stream)
}

/// Drains every unread body before the response is done: one that is refused, too large, or has no right.
///
/// A server that closes a connection with unread bytes makes the other side's system forget the response, and all that
/// is left there is "connection reset".
pub(crate) async fn drain_unread_body(mut request: Request, next: Next) -> Response {
    // A client that asked whether to send has sent nothing yet, and learns from the response not to.
    if request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    let is_wanted = Arc::new(AtomicBool::new(true));
    request.extensions_mut().insert(Drains(is_wanted.clone()));
    let drain_rest = move |body: Body| {
        if !body.is_end_stream()
            && is_wanted.load(Ordering::Relaxed)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(timeout(MAX_DRAIN_TIME, drain(body)));
        }
    };
    next.run(request.map(|body| on_drop(body, drain_rest))).await
}

/// Whether the body of a request is drained.
#[derive(Clone)]
struct Drains(Arc<AtomicBool>);

/// Does not drain the rest of a body that arrives too slowly.
pub(crate) fn do_not_drain(request: &Extensions) {
    if let Some(Drains(is_wanted)) = request.get() {
        is_wanted.store(false, Ordering::Relaxed);
    }
}

/// Reads what is left of a body.
async fn drain(body: Body) {
    let (mut pieces, mut bytes) = (body.into_data_stream(), 0);
    while let Some(Ok(piece)) = pieces.next().await {
        bytes += piece.len();
        if bytes > MAX_DRAINED_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use axum::{
        body::Bytes,
        middleware::from_fn,
        routing::{get, post},
    };
    use http::StatusCode;
    use std::{future::pending, net::Ipv4Addr};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Longer than anything here takes.
    const PATIENCE: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(200);

    /// A server with these limits, its address, and how many more connections it takes.
    fn start(router: Router, limits: ConnectionLimits) -> (SocketAddr, Arc<Semaphore>) {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let (address, all) = (listener.local_addr().unwrap(), limits.all.clone());
        tokio::spawn(serve(listener, router, limits, pending()));
        (address, all)
    }

    fn limits(max: usize, max_per_address: usize) -> ConnectionLimits {
        ConnectionLimits::new(max, max_per_address, TrustedProxies::default(), Refusals::default())
    }

    async fn connect(from: [u8; 4], to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        socket.connect(to).await.unwrap()
    }

    /// Waits until something holds.
    async fn until(holds: impl Fn() -> bool) {
        timeout(PATIENCE, async {
            while !holds() {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
    }

    async fn rest(connection: &mut TcpStream) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset is an end, too.
        let _ = timeout(PATIENCE, connection.read_to_end(&mut bytes)).await.unwrap();
        bytes
    }

    #[tokio::test]
    async fn sender_of_an_unread_body_gets_the_response_and_may_send_more() {
        let router =
            Router::new().route("/", post(|| async { StatusCode::UNAUTHORIZED })).layer(from_fn(drain_unread_body));
        let (address, _) = start(router, limits(10, 10));
        let mut connection = TcpStream::connect(address).await.unwrap();
        for _ in 0..2 {
            let body = vec![b'x'; 3 * 1024 * 1024];
            let head = format!("POST / HTTP/1.1\r\nhost: muster\r\ncontent-length: {}\r\n\r\n", body.len());
            connection.write_all(head.as_bytes()).await.unwrap();
            connection.write_all(&body).await.unwrap();
            let mut answer = [0; 32];
            connection.read_exact(&mut answer).await.unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 401 Unauthorized\r\n"), "{}", answer.escape_ascii());
            while !answer.ends_with(b"\r\n\r\n") {
                answer.rotate_left(1);
                *answer.last_mut().unwrap() = connection.read_u8().await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn server_that_is_told_to_stop_ends_when_nothing_is_under_way() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(serve(listener, Router::new(), limits(10, 10), async { stopped.await.unwrap() }));
        let _idle = TcpStream::connect(address).await.unwrap();
        stop.send(()).unwrap();
        timeout(Duration::from_secs(10), server).await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn connection_that_is_not_read_ends() {
        static LARGE: [u8; 32 * 1024 * 1024] = [b'x'; 32 * 1024 * 1024];
        let router = Router::new().route("/", get(|| async { Bytes::from_static(&LARGE) }));
        let timeouts = Timeouts { write: SHORT, ..Timeouts::default() };
        let (address, all) = start(router, ConnectionLimits { timeouts, ..limits(10, 10) });
        let mut unread = Vec::new();
        for _ in 0..8 {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(b"GET / HTTP/1.1\r\nhost: muster\r\n\r\n").await.unwrap();
            unread.push(connection);
        }
        until(|| all.available_permits() < 10).await;
        until(|| all.available_permits() == 10).await;
        // One that reads gets it all.
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(b"GET / HTTP/1.1\r\nhost: muster\r\nconnection: close\r\n\r\n").await.unwrap();
        assert!(rest(&mut connection).await.len() > LARGE.len());
    }

    #[tokio::test]
    async fn connection_without_a_request_ends() {
        let timeouts = Timeouts { first_request: SHORT, ..Timeouts::default() };
        let (address, all) = start(Router::new(), ConnectionLimits { timeouts, ..limits(10, 10) });
        for begun in [b"".as_slice(), b"GET / HTTP/1.1\r\nhost: mus"] {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(begun).await.unwrap();
            assert_eq!(rest(&mut connection).await, b"");
        }
        until(|| all.available_permits() == 10).await;
    }

    #[tokio::test]
    async fn half_sent_head_of_a_later_request_ends() {
        let timeouts = Timeouts { idle: SHORT, ..Timeouts::default() };
        let router = Router::new().route("/", get(|| async { "answer" }));
        let (address, _) = start(router, ConnectionLimits { timeouts, ..limits(10, 10) });
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(b"GET / HTTP/1.1\r\nhost: muster\r\n\r\nGET / HTTP/1.1\r\nhost:").await.unwrap();
        let answer = rest(&mut connection).await;
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", answer.escape_ascii());
    }

    #[tokio::test]
    async fn connections_have_a_limit_in_all_and_for_each_address() {
        let limits = limits(5, 3);
        let refusals = limits.refusals.clone();
        let (address, all) = start(Router::new().route("/", get(|| async { "answer" })), limits);
        let (one, other, third) = ([127, 0, 0, 1], [127, 0, 0, 2], [127, 0, 0, 3]);
        let ask = async |connection: &mut TcpStream| {
            let _ = connection.write_all(b"GET / HTTP/1.1\r\nhost: muster\r\nconnection: close\r\n\r\n").await;
            String::from_utf8(rest(connection).await).unwrap()
        };
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(connect(one, address).await);
        }
        until(|| all.available_permits() == 2).await;
        let mut excess = connect(one, address).await;
        let refused = rest(&mut excess).await;
        assert_eq!(refused, REFUSAL, "{}", refused.escape_ascii());
        held.push(connect(other, address).await);
        until(|| all.available_permits() == 1).await;
        assert!(ask(&mut connect(other, address).await).await.starts_with("HTTP/1.1 200"));
        until(|| all.available_permits() == 1).await;
        held.push(connect(other, address).await);
        until(|| all.available_permits() == 0).await;
        assert_eq!(rest(&mut connect(third, address).await).await, REFUSAL);
        let summary = "too many connections: 1, too many connections or requests of one address: 1";
        assert_eq!(refusals.take_summary().unwrap(), summary);
        held.clear();
        assert!(ask(&mut connect(one, address).await).await.starts_with("HTTP/1.1 200"));
    }

    #[test]
    fn refusal_is_a_whole_response() {
        let text = str::from_utf8(REFUSAL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}
