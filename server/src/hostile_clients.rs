//! The whole server, over real connections, with clients that send half of what they should, too much, or under a false name.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

use crate::{
    command_line::LimitSettings,
    connections::{self, ConnectionLimits},
    public_url::PublicUrl,
    refusals::Refusals,
    serve::router,
    stopping::Stop,
};
use muster_domain::{DeviceName, ModelName, NewDevice, SecurityToken};
use muster_registry::{AccountName, Actor, NewRegistration, PartRows, Password, Registry, Source, SystemWorld};
use std::{
    future::pending,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct horse battery staple";
const MODEL: &str = "Contoso.Aircraft.AircraftModel";

struct Server {
    address: SocketAddr,
    registry: Registry,
    refusals: Refusals,
    _folder: TempDir,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// All headers of this name.
    fn all(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    fn header(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }

    /// Name and value of the session's cookie.
    fn cookie(&self) -> &str {
        self.header("set-cookie").split(';').next().unwrap()
    }

    /// Seconds.
    fn retry_after(&self) -> u32 {
        self.header("retry-after").parse().unwrap()
    }
}

fn settings() -> LimitSettings {
    LimitSettings {
        trusted_proxies: "".parse().unwrap(),
        max_connections: 1_000.try_into().unwrap(),
        max_connections_per_address: 900.try_into().unwrap(),
        device_rate: 10.try_into().unwrap(),
        account_rate: 500.try_into().unwrap(),
    }
}

impl Server {
    async fn start() -> Self {
        Self::start_with(settings(), None).await
    }

    async fn start_with(settings: LimitSettings, public: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("muster.db").display());
        let registry = Registry::open(&url, Arc::new(SystemWorld)).await.unwrap();
        let listener = connections::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let refusals = Refusals::default();
        let router = router(
            registry.clone(),
            PublicUrl::parse(public).unwrap(),
            &settings,
            refusals.clone(),
            Stop::never(),
            axum::Router::new(),
        );
        let limits = ConnectionLimits::new(
            settings.max_connections.get(),
            settings.max_connections_per_address.get(),
            settings.trusted_proxies,
            refusals.clone(),
        );
        tokio::spawn(connections::serve(listener, router, limits, pending()));
        Self { address, registry, refusals, _folder: folder }
    }

    /// An account with a user, who is signed in: the cookie.
    async fn account(&self, name: &str) -> (Actor, String) {
        let operator = self.registry.add_account(&AccountName::parse(name).unwrap()).await.unwrap();
        let password = Password::new(PASSWORD.to_owned()).unwrap();
        let email = format!("{name}@example.com");
        self.registry.add_user(&operator, &email, &password).await.unwrap();
        let source = Source::of(Ipv4Addr::LOCALHOST.into());
        let (key, actor) = self.registry.sign_in(&email, source, &password).await.unwrap();
        (actor, format!("cookie: muster_session={}\r\n", key.reveal()))
    }

    /// Registers devices in an account; gives their tokens.
    async fn devices(&self, actor: &Actor, names: &[&str]) -> Vec<SecurityToken> {
        let model = format!(
            r#"{{"@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "tm:ThingModel", "title": "{MODEL}",
                "properties": {{"altitude": {{"type": "number"}}, "callSign": {{"type": "string"}}}}}}"#
        );
        self.registry.put_model(actor, model.as_bytes()).await.unwrap();
        let new = NewRegistration {
            file_name: "fleet.csv".to_owned(),
            devices: 10,
            parts: 1,
            group: None,
            idempotency_key: None,
        };
        let id = self.registry.begin_registration(actor, new).await.unwrap();
        let row = |name: &&str| NewDevice {
            name: DeviceName::parse(name).unwrap(),
            model: ModelName::parse(MODEL).unwrap(),
            friendly_name: None,
            description: None,
            tier: None,
        };
        let devices = (1..).zip(names.iter().map(row)).collect();
        let part = PartRows { number: 0, attempt: 1, devices, ..PartRows::default() };
        let outcome = self.registry.register_part(actor, id, part).await.unwrap();
        outcome.tokens.into_iter().map(|(_, token)| token).collect()
    }

    /// Begins a request, and sends no more than this of its body.
    async fn half_send(&self, head: &str, announced: usize, sent: &str) -> TcpStream {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        let host = if head.contains("\r\nhost:") { String::new() } else { format!("host: {}\r\n", self.address) };
        let text = format!("{head}{host}connection: close\r\ncontent-length: {announced}\r\n\r\n{sent}");
        connection.write_all(text.as_bytes()).await.unwrap();
        connection
    }

    /// Sends a request with its whole body.
    async fn ask(&self, head: &str, body: &str) -> Answer {
        read(self.half_send(head, body.len(), body).await).await
    }

    /// The head of a call of a server function, as our page sends it.
    fn function(&self, name: &str, more: &str) -> String {
        let origin =
            if more.contains("origin:") { String::new() } else { format!("origin: http://{}\r\n", self.address) };
        format!(
            "POST /fn/{name} HTTP/1.1\r\ncontent-type: application/json\r\naccept: application/json\r\n{origin}{more}"
        )
    }

    async fn sign_in(&self, email: &str, password: &str, more: &str) -> Answer {
        let body = format!(r#"{{"email": "{email}", "password": "{password}", "to": "/devices"}}"#);
        self.ask(&self.function("sign-in", more), &body).await
    }
}

fn report(token: &SecurityToken) -> String {
    format!("POST /device/v1/state HTTP/1.1\r\nauthorization: Bearer {}\r\n", token.reveal())
}

/// Reads a response: to its length, or to the end of the connection.
async fn read(mut connection: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let whole = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let answer =
            Answer { status: head.split(' ').nth(1)?.parse().ok()?, head: head.to_owned(), body: body.to_owned() };
        let length = answer.header("content-length").parse::<usize>().unwrap_or_default();
        (body.len() >= length).then_some(answer)
    };
    let reading = async {
        loop {
            if let Some(answer) = whole(&bytes) {
                return answer;
            }
            if !matches!(connection.read_buf(&mut bytes).await, Ok(1..)) {
                return Answer { status: 0, head: String::new(), body: String::new() };
            }
        }
    };
    timeout(PATIENCE, reading).await.unwrap()
}

/// Sends until it is refused.
async fn until_refused(mut ask: impl AsyncFnMut() -> Answer) -> Answer {
    for _ in 0..5_000 {
        let answer = ask().await;
        if matches!(answer.status, 429 | 503) {
            return answer;
        }
    }
    panic!("it is never refused")
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_reports_of_one_device_do_not_stop_another() {
    let server = Server::start().await;
    let (actor, _) = server.account("alpha").await;
    let tokens = server.devices(&actor, &["slow", "good"]).await;
    let mut half_sent = Vec::new();
    for _ in 0..50 {
        half_sent.push(server.half_send(&report(&tokens[0]), 256 * 1024, r#"{"callSign": "x"#).await);
    }
    // Excess requests are refused, which also shows that the others are in progress.
    let refused = until_refused(async || server.ask(&report(&tokens[0]), "{}").await).await;
    assert_eq!((refused.status, refused.retry_after()), (429, 1));
    assert_eq!(refused.header("content-type"), "application/problem+json");
    for _ in 0..20 {
        assert_eq!(server.ask(&report(&tokens[1]), r#"{"altitude": 7}"#).await.status, 204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_reports_of_many_devices_do_not_stop_another() {
    let server = Server::start().await;
    let (actor, _) = server.account("alpha").await;
    let names: Vec<_> = (0..301).map(|at| format!("device-{at}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let tokens = server.devices(&actor, &names).await;
    let mut half_sent = Vec::new();
    for token in &tokens[1..] {
        half_sent.push(server.half_send(&report(token), 256 * 1024, r#"{"callSign": "x"#).await);
    }
    for _ in 0..20 {
        assert_eq!(server.ask(&report(&tokens[0]), r#"{"altitude": 7}"#).await.status, 204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_parts_of_one_account_do_not_stop_another() {
    let server = Server::start().await;
    let (.., slow) = server.account("alpha").await;
    let (.., good) = server.account("beta").await;
    let mut half_sent = Vec::new();
    for _ in 0..100 {
        half_sent.push(server.half_send(&server.function("register-part", &slow), 2_000_000, "x").await);
    }
    let begin = r#"{"file_name": "fleet.csv", "devices": 1, "parts": 1, "group": null}"#;
    for cookie in [&good, &slow] {
        let begun = server.ask(&server.function("begin-registration", cookie), begin).await;
        assert_eq!(begun.status, 200, "{}", begun.body);
        // It goes by the same limit as a part.
        let undo = format!(r#"{{"registration": {}, "after": null}}"#, begun.body);
        assert_eq!(server.ask(&server.function("undo-registration", cookie), &undo).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_sign_ins_do_not_stop_another() {
    let server = Server::start().await;
    server.account("alpha").await;
    let mut half_sent = Vec::new();
    for _ in 0..300 {
        half_sent.push(server.half_send(&server.function("sign-in", ""), 1_000, r#"{"email": "#).await);
    }
    assert_eq!(server.sign_in("alpha@example.com", PASSWORD, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_are_refused_before_they_arrive() {
    let server = Server::start().await;
    let (actor, cookie) = server.account("alpha").await;
    let tokens = server.devices(&actor, &["a"]).await;
    let too_large = read(server.half_send(&report(&tokens[0]), 256 * 1024 + 1, "").await).await;
    assert_eq!((too_large.status, too_large.header("content-type")), (413, "application/problem+json"));
    for (name, cookie) in [("register-part", cookie.as_str()), ("sign-in", "")] {
        let answer = read(server.half_send(&server.function(name, cookie), 64 * 1024 * 1024, "").await).await;
        assert_eq!(answer.status, 413, "{name}");
        assert!(answer.body.contains("Refused"), "{}", answer.body);
    }
    // Nobody is signed in: there is nothing that large to send.
    let answer = read(server.half_send(&server.function("sign-in", ""), 20_000, "").await).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_rate_are_refused_with_a_time() {
    let slow = LimitSettings { device_rate: 1.try_into().unwrap(), account_rate: 1.try_into().unwrap(), ..settings() };
    let server = Server::start_with(slow, None).await;
    let (actor, cookie) = server.account("alpha").await;
    let (.., other) = server.account("beta").await;
    let tokens = server.devices(&actor, &["fast", "good"]).await;
    let refused = until_refused(async || server.ask(&report(&tokens[0]), r#"{"altitude": 7}"#).await).await;
    assert_eq!((refused.status, refused.retry_after()), (429, 1));
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(server.ask(&report(&tokens[1]), r#"{"altitude": 7}"#).await.status, 204, "another device");

    let refused = until_refused(async || server.ask(&server.function("me", &cookie), "{}").await).await;
    assert_eq!((refused.status, refused.retry_after()), (429, 1));
    assert_eq!(refused.body, r#"{"TooMany":{"retry_after_s":1}}"#, "as the page reads it");
    assert_eq!(server.ask(&server.function("me", &other), "{}").await.status, 200, "another account");
    // Counted, and not one line each.
    let summary = server.refusals.take_summary().unwrap();
    assert_eq!(summary, "device rate exceeded: 1, account rate exceeded: 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_behind_a_proxy_have_a_limit_for_each_forwarded_address() {
    let trusting = LimitSettings {
        trusted_proxies: "127.0.0.1".parse().unwrap(),
        max_connections_per_address: 5.try_into().unwrap(),
        ..settings()
    };
    let server = Server::start_with(trusting, None).await;
    server.account("alpha").await;
    let from = |address: &str| format!("x-forwarded-for: {address}\r\n");
    let (slow, other) = (from("203.0.113.7"), from("203.0.113.8"));
    let mut half_sent = Vec::new();
    // The server takes requests in any order, and gives up on slow bodies: another one before each that should be refused.
    let mut until_refused = async |more: &str| {
        until_refused(async || {
            half_sent.push(server.half_send(&server.function("sign-in", &slow), 1_000, r#"{"email": "#).await);
            server.sign_in("alpha@example.com", PASSWORD, more).await
        })
        .await
    };
    let refused = until_refused(&slow).await;
    assert_eq!((refused.status, refused.retry_after()), (429, 1));
    let answer = server.sign_in("alpha@example.com", PASSWORD, &other).await;
    assert_eq!(answer.status, 200, "another address through the same proxy");
    // The client's own entry comes before the proxy's.
    assert_eq!(until_refused(&from("203.0.113.8, 203.0.113.7")).await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_address_is_ignored_without_a_configured_proxy() {
    let server =
        Server::start_with(LimitSettings { max_connections_per_address: 5.try_into().unwrap(), ..settings() }, None)
            .await;
    let mut held = Vec::new();
    for at in 0..5 {
        let head = server.function("sign-in", &format!("x-forwarded-for: 203.0.113.{at}\r\n"));
        held.push(server.half_send(&head, 1_000, "{").await);
    }
    let refused = until_refused(async || {
        let head = format!(
            "GET /healthz HTTP/1.1\r\nhost: {}\r\nx-forwarded-for: 203.0.113.99\r\nconnection: close\r\n\r\n",
            server.address
        );
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        let _ = connection.write_all(head.as_bytes()).await;
        let answer = read(connection).await;
        // A refused connection may be reset before its answer is read.
        if answer.status == 0 { Answer { status: 503, ..answer } } else { answer }
    });
    assert_eq!(refused.await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn stranger_does_not_lock_a_user_out() {
    let trusting = LimitSettings { trusted_proxies: "127.0.0.0/8".parse().unwrap(), ..settings() };
    let server = Server::start_with(trusting, None).await;
    server.account("alpha").await;
    let (stranger, user) = ("x-forwarded-for: 203.0.113.7\r\n", "x-forwarded-for: 192.0.2.1\r\n");
    let refused = until_refused(async || server.sign_in("alpha@example.com", "wrong", stranger).await).await;
    assert_eq!(refused.status, 429);
    assert!((1..=5).contains(&refused.retry_after()), "{}", refused.head);
    assert!(refused.body.starts_with(r#"{"TooMany":"#), "{}", refused.body);
    assert_eq!(server.sign_in("alpha@example.com", PASSWORD, stranger).await.status, 429);
    assert_eq!(server.sign_in("alpha@example.com", PASSWORD, user).await.status, 200);
    assert_eq!(server.refusals.take_summary().unwrap(), "too many wrong passwords: 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn cookie_is_secure_wherever_the_portal_is_reached_over_https() {
    const SECURE: &str = "; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000";
    const PLAIN: &str = "; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000";
    let check = async |public: Option<&str>, proxies: &str, more: &str, is_secure: bool| {
        let settings = LimitSettings { trusted_proxies: proxies.parse().unwrap(), ..settings() };
        let server = Server::start_with(settings, public).await;
        server.account("alpha").await;
        let answer = server.sign_in("alpha@example.com", PASSWORD, more).await;
        assert_eq!(answer.status, 200, "{public:?} {proxies} {more}: {}", answer.body);
        let cookie = answer.header("set-cookie");
        let (name, attributes) =
            if is_secure { ("__Host-muster_session=mss_", SECURE) } else { ("muster_session=mss_", PLAIN) };
        assert!(cookie.starts_with(name) && cookie.ends_with(attributes), "{public:?} {proxies} {more}: {cookie}");
        // It is the cookie that counts.
        let cookie = format!("{more}cookie: {}\r\n", answer.cookie());
        assert_eq!(server.ask(&server.function("me", &cookie), "{}").await.status, 200, "{cookie}");
    };
    check(None, "", "", false).await;
    check(Some("https://muster.example.com:443/"), "", "origin: https://muster.example.com\r\n", true).await;
    let at = "host: muster.example.com\r\norigin: https://muster.example.com\r\n";
    check(None, "", at, true).await;
    check(None, "127.0.0.1", &format!("{at}x-forwarded-proto: https\r\n"), true).await;
    let inner = "host: 10.0.0.7:3000\r\norigin: https://muster.example.com\r\n";
    let forwarded = format!("{inner}x-forwarded-proto: https\r\nx-forwarded-host: muster.example.com\r\n");
    check(None, "127.0.0.1", &forwarded, true).await;
    let forwarded = format!("{inner}forwarded: for=203.0.113.7;proto=https;host=muster.example.com\r\n");
    check(None, "127.0.0.1", &forwarded, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_of_another_address_says_what_to_set() {
    let server = Server::start().await;
    let more = "host: 10.0.0.7:3000\r\norigin: https://muster.example.com\r\n";
    let answer = server.sign_in("alpha@example.com", PASSWORD, more).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("set MUSTER_PUBLIC_URL"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_sign_in_ends_the_session_that_it_replaces() {
    let server = Server::start().await;
    server.account("alpha").await;
    let me =
        async |cookie: &str| server.ask(&server.function("me", &format!("cookie: {cookie}\r\n")), "{}").await.status;
    let first = server.sign_in("alpha@example.com", PASSWORD, "").await;
    let elsewhere = server.sign_in("alpha@example.com", PASSWORD, "").await;
    assert_eq!((me(first.cookie()).await, me(elsewhere.cookie()).await), (200, 200));
    let with_first = format!("cookie: {}\r\n", first.cookie());
    // A wrong password replaces nothing.
    assert_eq!(server.sign_in("alpha@example.com", "wrong", &with_first).await.status, 422);
    assert_eq!(me(first.cookie()).await, 200);
    let second = server.sign_in("alpha@example.com", PASSWORD, &with_first).await;
    assert_eq!((me(first.cookie()).await, me(second.cookie()).await, me(elsewhere.cookie()).await), (401, 200, 200));

    let with_second = format!("cookie: {}\r\n", second.cookie());
    let out = server.ask(&server.function("sign-out", &with_second), "{}").await;
    assert_eq!((out.status, out.header("clear-site-data")), (200, "\"storage\""));
    assert!(out.header("set-cookie").starts_with("muster_session=; "), "{}", out.head);
    assert_eq!(me(second.cookie()).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_get_problems_for_every_refusal() {
    let server = Server::start().await;
    let (actor, _) = server.account("alpha").await;
    let tokens = server.devices(&actor, &["a"]).await;
    let authorization = format!("authorization: Bearer {}\r\n", tokens[0].reveal());
    let check = async |request: &str, more: &str, expected: u16| {
        let answer = server.ask(&format!("{request} HTTP/1.1\r\n{more}"), "").await;
        let kind = answer.header("content-type");
        assert_eq!((answer.status, kind), (expected, "application/problem+json"), "{request}");
    };
    check("POST /device/v1/state", "", 401).await;
    check("GET /device/v1/state", &authorization, 405).await;
    check("PUT /device/v1/state", &authorization, 405).await;
    check("POST /device/v1/nothing", &authorization, 404).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_of_another_version_learns_so() {
    let server = Server::start().await;
    let (.., cookie) = server.account("alpha").await;
    let check = async |function: &str, expected: u16| {
        let answer = server.ask(&server.function(function, &cookie), "{}").await;
        assert_eq!(answer.status, expected, "{function}");
        assert_eq!(answer.body, r#"{"Refused":"Muster was updated. Reload the page."}"#, "{function}");
    };
    check("what-there-was-before", 404).await;
    check("generate-tokens", 422).await;
}
