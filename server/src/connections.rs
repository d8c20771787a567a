//! The connections of devices and browsers: how they are accepted, what one may cost, and when it ends.

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    middleware::Next,
    response::Response,
    serve::Listener,
};
use futures_util::StreamExt;
use http::header;
use http_body::{Frame, SizeHint};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use muster_app::fns::ClientAddress;
use std::{
    convert::Infallible,
    io, mem,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::Handle,
    sync::watch,
    time::timeout,
};

/// What is kept of a request that comes faster than it is read. By itself hyper takes 400 KiB: too much where some
/// thousand devices send a large report at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long a connection may be idle, or be at the headers of a request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// What nobody wants of a body is read up to here, and for so long.
const MAX_UNWANTED_BYTES: usize = 4 * 1024 * 1024;
const MAX_UNWANTED: Duration = Duration::from_secs(30);

/// How many may have connected and not been accepted yet. The system may allow fewer; those beyond it are reset. A
/// thousand, which is usual, is too few where all devices of a hall get their power back.
const BACKLOG: u32 = 65_535;

/// Listens at this address. Must be called in the runtime.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait until the system has forgotten the connections of before. Elsewhere it means less.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves who connects, until `stop`; then finishes the requests under way. Whoever connects meanwhile is answered,
/// too, since a load balancer asks whether this server is ready; how, is the router's business. Requests that are under
/// way when this is dropped are cut off.
pub(crate) async fn serve(mut listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(IDLE_TIMEOUT).max_buf_size(BUFFER_BYTES);
    let connections = GracefulShutdown::new();
    let (is_serving, _) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut stop => break,
        };
        let connection = protocol.serve_connection(TokioIo::new(stream), service(&router, peer));
        spawn(connections.watch(connection), is_serving.subscribe());
    }
    protocol.keep_alive(false);
    let mut finished = pin!(connections.shutdown());
    loop {
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut finished => return,
        };
        spawn(protocol.serve_connection(TokioIo::new(stream), service(&router, peer)), is_serving.subscribe());
    }
}

/// What answers the requests of one connection: the router, told whose they are.
fn service(
    router: &Router,
    peer: SocketAddr,
) -> impl hyper::service::Service<hyper::Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static>
+ Send
+ 'static {
    let router = TowerToHyperService::new(router.clone());
    let address = ClientAddress(peer.ip());
    service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(address);
        hyper::service::Service::call(&router, request)
    })
}

/// Serves a connection until it ends, or nobody serves any more.
fn spawn(connection: impl Future<Output = hyper::Result<()>> + Send + 'static, mut is_serving: watch::Receiver<()>) {
    tokio::spawn(async move {
        tokio::select! {
            ended = connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended");
                }
            }
            _ = is_serving.changed() => {}
        }
    });
}

/// Lets every body be read to its end, whoever answers without it: one that is refused, too large or has no right.
///
/// A server that closes a connection while something comes in on it makes the other side's system forget the answer,
/// and all that is left there is "connection reset".
pub(crate) async fn read_away(request: Request, next: Next) -> Response {
    // Who asked whether to send it has not begun, and is told by the answer not to.
    if request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::new(Unwanted(body)))).await
}

/// A body that reads what is left of itself when it is dropped.
struct Unwanted(Body);

impl HttpBody for Unwanted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Drop for Unwanted {
    fn drop(&mut self) {
        if !self.0.is_end_stream()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(timeout(MAX_UNWANTED, read(mem::take(&mut self.0))));
        }
    }
}

async fn read(body: Body) {
    let (mut pieces, mut bytes) = (body.into_data_stream(), 0);
    while let Some(Ok(piece)) = pieces.next().await {
        bytes += piece.len();
        if bytes > MAX_UNWANTED_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use axum::{middleware::from_fn, routing::post};
    use http::StatusCode;
    use std::future::pending;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    #[tokio::test]
    async fn whoever_sends_what_nobody_reads_still_gets_the_answer_and_may_go_on() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", post(|| async { StatusCode::UNAUTHORIZED })).layer(from_fn(read_away));
        tokio::spawn(serve(listener, router, pending()));
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
    async fn told_to_stop_it_ends_when_nothing_is_under_way() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(serve(listener, Router::new(), async { stopped.await.unwrap() }));
        let _idle = TcpStream::connect(address).await.unwrap();
        stop.send(()).unwrap();
        timeout(Duration::from_secs(10), server).await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
