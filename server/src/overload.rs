//! Keeps the server responsive under overload, and keeps one sender from blocking others.
//!
//! A request passes, in this order: a rate limit and a concurrency limit (of its device or account), the arrival of its
//! body (which takes memory but no permit), and a permit, held while it is processed. Excess requests are rejected with
//! 429 if their sender sends too much, else with 503.

use crate::{
    body::{BodyError, BodyMemory, Charge},
    body_limit,
    client::{Client, source_of},
    command_line::LimitSettings,
    connections,
    fair_limit::{Bounds, Busy, FairLimit, Permit},
    in_flight::{Entry, InFlight, until_sent},
    rate_limit::RateLimit,
    refusals::{Reason, Refused},
};
use axum::{
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, Method, StatusCode, header};
use muster_app::fns::Work;
use muster_domain::SecurityToken;
use muster_registry::{AccountId, Actor, AuthenticatedDevice, Source};
use std::{hash::Hash, sync::Arc, time::Duration};
use tokio::time::timeout;

/// The longest that a request is worked on. A part of 10,000 rows takes well below a second.
pub(crate) const WORK_TIMEOUT: Duration = Duration::from_secs(60);

/// Bodies of pages in memory, of the 1 GiB that a server may take: an upload has six parts of 2 MiB under way, so one
/// account, which has half, can send four files concurrently.
const PAGE_BODY_BYTES: usize = 96 * 1024 * 1024;

/// Bodies of devices in memory: 128 of the largest reports, or half a million small ones. They are counted apart, so that
/// an upload continues beside them.
const DEVICE_BODY_BYTES: usize = 32 * 1024 * 1024;

/// Concurrent requests of one device. A device needs one; a few more may be on their way after it gave up on others.
const REQUESTS_PER_DEVICE: usize = 4;

/// Concurrent requests of one account, including those whose body arrives or whose response is being sent. 60 people with
/// a page each have some 300; each response is at most about 1 MiB.
const REQUESTS_PER_ACCOUNT: usize = 512;

/// A report takes one more permit for each 16 KiB: large reports take long to check and store.
const BYTES_PER_PERMIT: usize = 16 * 1024;

/// Reports being checked and stored: SQLite stores those that wait in one transaction, so with fewer it would store fewer
/// beside an upload. One account leaves a quarter to others. What came this far is not refused for a short wait; what waits
/// has its body in memory, which is limited as well.
const REPORTS: Bounds = Bounds {
    permits: 256,
    permits_per_holder: 192,
    waiting: 256,
    waiting_per_holder: 128,
    max_wait: Duration::from_secs(5),
};

/// Tokens of devices being looked up, by address, on 2 (SQLite) or 3 (PostgreSQL) connections. A device that cannot be looked up soon is refused
/// before anything else is done for it: it can come again.
const DEVICE_LOOKUPS: Bounds = Bounds {
    permits: 32,
    permits_per_holder: 24,
    waiting: 256,
    waiting_per_holder: 128,
    max_wait: Duration::from_millis(250),
};

/// Sessions being looked up, by address. A whole company may have one.
const SESSION_LOOKUPS: Bounds = Bounds { permits: 32, permits_per_holder: 24, ..PAGES };

/// Pages and server functions. They read from 4 (SQLite) or 12 (PostgreSQL) connections in the order in which they come: with
/// more permits, an account that searches would have that many before another.
const PAGES: Bounds = Bounds {
    permits: 32,
    permits_per_holder: 24,
    waiting: 512,
    waiting_per_holder: 256,
    max_wait: Duration::from_secs(5),
};

/// Of those, the ones that are about 10,000 devices at a time. Each takes a connection to the database, of 12, and the
/// registry holds about ten times the size of its body. A page that uploads has six under way, so two of one account
/// share what there is, and their pages wait up to 70 seconds.
const BULK: Bounds = Bounds {
    permits: 8,
    permits_per_holder: 6,
    waiting: 128,
    waiting_per_holder: 48,
    max_wait: Duration::from_secs(20),
};

/// Sign-ins, by address. Hashing a password takes 20 ms or more, and two are hashed concurrently: so a flood of one address
/// keeps 16 waiting, and another address comes next.
const SIGN_INS: Bounds = Bounds {
    permits: 4,
    permits_per_holder: 2,
    waiting: 256,
    waiting_per_holder: 16,
    max_wait: Duration::from_secs(10),
};

/// Who a request is charged to: an account, or an address if nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    Account(AccountId),
    Source(Source),
}

/// All limits of one server.
pub(crate) struct Limits {
    device_rate: RateLimit<[u8; 16]>,
    account_rate: RateLimit<AccountId>,
    of_token: Arc<InFlight<(Source, [u8; 16])>>,
    of_device: Arc<InFlight<[u8; 16]>>,
    of_account: Arc<InFlight<AccountId>>,
    of_address: Arc<InFlight<Source>>,
    page_bodies: Arc<BodyMemory<Party>>,
    device_bodies: Arc<BodyMemory<AccountId>>,
    device_lookups: Arc<FairLimit<Source>>,
    session_lookups: Arc<FairLimit<Source>>,
    reports: Arc<FairLimit<AccountId>>,
    pages: Arc<FairLimit<Party>>,
    bulk: Arc<FairLimit<Party>>,
    sign_ins: Arc<FairLimit<Source>>,
}

impl Limits {
    pub(crate) fn new(settings: &LimitSettings) -> Arc<Self> {
        Arc::new(Self {
            device_rate: RateLimit::per_second(settings.device_rate),
            account_rate: RateLimit::per_second(settings.account_rate),
            of_token: InFlight::new(REQUESTS_PER_DEVICE),
            of_device: InFlight::new(REQUESTS_PER_DEVICE),
            of_account: InFlight::new(REQUESTS_PER_ACCOUNT),
            of_address: InFlight::new(settings.max_connections_per_address.get()),
            page_bodies: BodyMemory::new(PAGE_BODY_BYTES, PAGE_BODY_BYTES / 2),
            device_bodies: BodyMemory::new(DEVICE_BODY_BYTES, DEVICE_BODY_BYTES * 3 / 4),
            device_lookups: FairLimit::new(DEVICE_LOOKUPS),
            session_lookups: FairLimit::new(SESSION_LOOKUPS),
            reports: FairLimit::new(REPORTS),
            pages: FairLimit::new(PAGES),
            bulk: FairLimit::new(BULK),
            sign_ins: FairLimit::new(SIGN_INS),
        })
    }

    /// A permit to look up the device that a token names. Whether it is that device's is not known yet: so what others send
    /// in its name counts only for those behind the same address.
    pub(crate) async fn device_lookup(
        &self,
        source: Source,
        token: &SecurityToken,
    ) -> Result<(Permit<Source>, Entry<(Source, [u8; 16])>), Refused> {
        let entry = self.of_token.enter((source, token.id().into_bytes()));
        let entry = entry.ok_or_else(|| Refused::too_many(Reason::OfDevice, Duration::from_secs(1)))?;
        let permit = self.device_lookups.acquire(source, 1).await.map_err(|_| Refused::busy(Reason::Busy))?;
        Ok((permit, entry))
    }

    /// A permit to look up a session.
    pub(crate) async fn session_lookup(&self, source: Source) -> Result<Permit<Source>, Refused> {
        self.session_lookups.acquire(source, 1).await.map_err(|_| Refused::busy(Reason::Busy))
    }

    /// Lets a request of a device in, with its whole body.
    pub(crate) async fn admit_device(
        &self,
        device: &AuthenticatedDevice,
        request: Request,
        max_bytes: usize,
    ) -> Result<Admitted, Refused> {
        let id = device.id().into_bytes();
        self.device_rate.check(&id).map_err(|wait| Refused::too_many(Reason::DeviceRate, wait))?;
        let entry = self.of_device.enter(id);
        let entry = entry.ok_or_else(|| Refused::too_many(Reason::OfDevice, Duration::from_secs(1)))?;
        let (request, charge) = receive(&self.device_bodies, device.account(), request, max_bytes).await?;
        let permits = 1 + (charge.bytes() / BYTES_PER_PERMIT) as u32;
        let permit = self.reports.acquire(device.account(), permits).await.map_err(|_| Refused::busy(Reason::Busy))?;
        Ok(Admitted { request, entry: Box::new(entry), work: Arc::new((permit, charge)) })
    }

    /// Lets a request of a page in, with its whole body.
    async fn admit_page(&self, request: Request) -> Result<Admitted, Refused> {
        let source = source_of(&request);
        let account = request.extensions().get::<Actor>().map(Actor::account);
        let party = account.map_or(Party::Source(source), Party::Account);
        // Without an account, the connections of an address are counted.
        let mut entry = None;
        if let Some(account) = account {
            self.account_rate.check(&account).map_err(|wait| Refused::too_many(Reason::AccountRate, wait))?;
            entry = self.of_account.enter(account);
            if entry.is_none() {
                return Err(Refused::too_many(Reason::OfAccount, Duration::from_secs(1)));
            }
        }
        let path = request.uri().path().to_owned();
        let is_sign_in = request.method() == Method::POST && matches!(path.as_str(), "/fn/sign-in" | "/sign-in");
        let max_bytes = if account.is_some() { body_limit::max_body_bytes(&path) } else { MAX_SIGN_IN_BYTES };
        let (request, charge) = receive(&self.page_bodies, party, request, max_bytes).await?;
        let permits = async {
            Ok::<_, Busy>(if is_sign_in {
                Permits::SignIn { _permit: self.sign_ins.acquire(source, 1).await? }
            } else {
                let bulk = if is_bulk(&path) { Some(self.bulk.acquire(party, 1).await?) } else { None };
                Permits::Page { _page: self.pages.acquire(party, 1).await?, _bulk: bulk }
            })
        };
        let permits = permits.await.map_err(|_| Refused::busy(Reason::Busy))?;
        Ok(Admitted { request, entry: Box::new(entry), work: Arc::new((permits, charge)) })
    }
}

/// The request with its body in memory.
async fn receive<H: Hash + Eq + Copy>(
    memory: &Arc<BodyMemory<H>>,
    holder: H,
    request: Request,
    max_bytes: usize,
) -> Result<(Request, Charge<H>), Refused> {
    let (parts, mut body) = request.into_parts();
    let announced = content_length(&parts.headers);
    let received = memory.receive(holder, &mut body, announced, max_bytes).await;
    let (bytes, charge) = received.map_err(|error| match error {
        BodyError::Slow | BodyError::Broken => {
            connections::do_not_drain(&parts.extensions);
            Refused { reason: Reason::SlowBody, status: StatusCode::REQUEST_TIMEOUT, retry_after_s: 1 }
        }
        BodyError::TooLarge => {
            Refused { reason: Reason::TooLarge, status: StatusCode::PAYLOAD_TOO_LARGE, retry_after_s: 1 }
        }
        BodyError::NoMemory => Refused::busy(Reason::BodyMemory),
    })?;
    let mut request = Request::from_parts(parts, Body::from(bytes));
    // It is in memory, within its limit.
    DefaultBodyLimit::disable().apply(&mut request);
    Ok((request, charge))
}

/// A request that was let in.
pub(crate) struct Admitted {
    request: Request,
    entry: Box<dyn Send + Unpin>,
    /// Its permits, and the memory of its body.
    work: Arc<dyn Send + Sync>,
}

enum Permits {
    SignIn { _permit: Permit<Source> },
    Page { _page: Permit<Party>, _bulk: Option<Permit<Party>> },
}

impl Admitted {
    /// Processes the request.
    pub(crate) async fn run(self, next: Next) -> Result<Response, Refused> {
        let Self { mut request, entry, work } = self;
        request.extensions_mut().insert(Work(Arc::downgrade(&work)));
        let response = timeout(WORK_TIMEOUT, next.run(request)).await;
        let response = response.map_err(|_| Refused::busy(Reason::Unavailable))?;
        Ok(until_sent(response, entry))
    }
}

/// Lets the requests of pages in. Behind [`crate::session_layer::authenticate_session`].
pub(crate) async fn admit_page(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let is_function = is_function(&request);
    let done = async { limits.admit_page(request).await?.run(next).await };
    done.await.unwrap_or_else(|refused: Refused| refused.answer(is_function))
}

/// Limits the concurrent requests of one address through a proxy. Without a proxy, its connections are counted.
pub(crate) async fn limit_address(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    if !request.extensions().get::<Client>().is_some_and(|client| client.is_proxied) {
        return next.run(request).await;
    }
    let entry = limits.of_address.enter(source_of(&request));
    match entry {
        Some(entry) => until_sent(next.run(request).await, entry),
        None => Refused::too_many(Reason::OfAddress, Duration::from_secs(1)).answer(is_function(&request)),
    }
}

/// Whether the page itself reads the answer.
pub(crate) fn is_function(request: &Request) -> bool {
    request.uri().path().starts_with("/fn/")
}

fn is_bulk(path: &str) -> bool {
    const FUNCTIONS: [&str; 7] = [
        "register-part",
        "dry-run-part",
        "registration-errors",
        "generate-tokens",
        "change-devices",
        "export-devices",
        "undo-registration",
    ];
    path.strip_prefix("/fn/").is_some_and(|name| FUNCTIONS.contains(&name))
}

/// What somebody who is not signed in may send: an email address and a password have a few hundred bytes.
const MAX_SIGN_IN_BYTES: usize = 16 * 1024;

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Lets the process have as many connections as the system allows it; gives how many files that is.
pub(crate) fn raise_open_files() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit on open files stays as it is");
        1_024
    })
}
