//! `GET /metrics`, in the format of Prometheus.
//!
//! Every label has a fixed, small set of values. Accounts, users, devices and addresses are never labels.

use crate::{client::is_internal, connections::OpenConnections, problem::Problem, refusals::Reason};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{Method, header};
use leptos::server_fn::axum::server_fn_paths;
use metrics::{Counter, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use muster_registry::Registry;
use std::time::{Duration, Instant};

/// Upper bounds of the buckets of durations, in seconds.
const DURATION_BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0];

/// How often recorded durations are merged into the buckets. Until then, each takes memory of its own.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The recorded metrics, and the sources of those that are measured on request.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorded: PrometheusHandle,
    registry: Registry,
    connections: OpenConnections,
}

impl Metrics {
    /// Starts recording, for the whole process.
    ///
    /// # Errors
    /// A sentence, if something else in the process records metrics already.
    pub(crate) fn start(registry: Registry, connections: OpenConnections) -> Result<Self, String> {
        let builder =
            PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS);
        let recorded = builder.and_then(PrometheusBuilder::install_recorder);
        let recorded = recorded.map_err(|error| format!("metrics cannot be recorded: {error}"))?;
        describe();
        gauge!("muster_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        // A series that starts at 0 lets Prometheus see its first increase.
        for (_, reason) in Reason::ALL {
            counter!("muster_refusals_total", "reason" => reason).absolute(0);
        }
        for name in ["muster_registrations_total", "muster_devices_registered_total", "muster_tokens_issued_total"] {
            counter!(name).absolute(0);
        }
        for outcome in ReportOutcome::ALL {
            outcome.counter().absolute(0);
        }
        Ok(Self { recorded, registry, connections })
    }

    /// The route, open to every client: for a separate listener.
    pub(crate) fn route(self) -> Router {
        Router::new().route("/metrics", get(read)).with_state(self)
    }

    /// The route for the portal's listener. Only clients on this machine or in a private network get an answer, because the
    /// portal may be open to the internet.
    pub(crate) fn internal_route(self) -> Router {
        self.route().layer(from_fn(internal_only))
    }

    /// Merges recorded durations regularly, as long as it is polled.
    pub(crate) async fn upkeep(&self) {
        loop {
            tokio::time::sleep(UPKEEP_INTERVAL).await;
            self.recorded.run_upkeep();
        }
    }
}

/// What became of a device's report.
#[derive(Clone, Copy)]
pub(crate) enum ReportOutcome {
    Stored,
    /// The report itself is at fault.
    Refused,
    /// The database could not be used.
    Failed,
}

impl ReportOutcome {
    const ALL: [Self; 3] = [Self::Stored, Self::Refused, Self::Failed];

    /// Counts one more report with this outcome.
    pub(crate) fn count(self) {
        self.counter().increment(1);
    }

    fn counter(self) -> Counter {
        let outcome = match self {
            Self::Stored => "stored",
            Self::Refused => "refused",
            Self::Failed => "failed",
        };
        counter!("muster_device_reports_total", "outcome" => outcome)
    }
}

fn describe() {
    describe_gauge!("muster_build_info", "The version of Muster that runs; always 1.");
    describe_counter!("muster_http_requests_total", "Requests by method, route and status of the response.");
    describe_histogram!("muster_http_request_duration_seconds", Unit::Seconds, "Time until a response began.");
    describe_counter!("muster_device_reports_total", "Reports of devices by outcome.");
    describe_counter!("muster_registrations_total", "Registrations that were begun.");
    describe_counter!("muster_devices_registered_total", "Devices that were registered.");
    describe_counter!("muster_tokens_issued_total", "Security tokens that were issued, at registration or later.");
    describe_counter!("muster_refusals_total", "Requests and connections that were refused, by reason.");
    describe_gauge!("muster_connections", "Open connections of clients.");
    describe_gauge!("muster_connections_limit", "Connections of clients that may be open at once.");
    describe_gauge!("muster_index_accounts", "Accounts whose devices are in the fleet index of this server.");
    describe_gauge!("muster_index_devices", "Devices in the fleet index of this server.");
    describe_gauge!("muster_index_bytes", Unit::Bytes, "Memory that the devices in the fleet index take.");
    describe_gauge!("muster_index_bytes_limit", Unit::Bytes, "Memory that they may take.");
    describe_gauge!(
        "muster_index_unpublished_age_seconds",
        Unit::Seconds,
        "How long last-seen times have waited to be published to the other servers: usually below 3."
    );
    describe_histogram!("muster_index_scan_seconds", Unit::Seconds, "Time that a query of the fleet index took.");
    describe_gauge!("muster_database_connections", "Connections to the database by pool and state.");
}

/// `GET /metrics`: everything recorded, and the connections open now.
async fn read(State(metrics): State<Metrics>) -> Response {
    let Metrics { recorded, registry, connections } = metrics;
    #[expect(clippy::cast_precision_loss, reason = "below 2^53 it is exact, and above it nobody minds")]
    let count = |count: usize| count as f64;
    gauge!("muster_connections").set(count(connections.open()));
    gauge!("muster_connections_limit").set(count(connections.limit()));
    let index = registry.index_use();
    gauge!("muster_index_accounts").set(count(index.accounts));
    gauge!("muster_index_devices").set(count(index.devices));
    gauge!("muster_index_bytes").set(count(index.bytes));
    gauge!("muster_index_bytes_limit").set(count(index.max_bytes));
    gauge!("muster_index_unpublished_age_seconds").set(index.unpublished_age.as_secs_f64());
    for pool in registry.pools() {
        for (state, connections) in [("idle", pool.idle), ("used", pool.open.saturating_sub(pool.idle))] {
            gauge!("muster_database_connections", "pool" => pool.name, "state" => state).set(count(connections));
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], recorded.render()).into_response()
}

async fn internal_only(request: Request, next: Next) -> Response {
    if is_internal(&request) { next.run(request).await } else { Problem::not_found().into_response() }
}

/// Records each request: its method, route, status, and the time until the response began.
pub(crate) async fn count_request(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let (method, route) = (method(request.method()), route(&request));
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    counter!("muster_http_requests_total", "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    histogram!("muster_http_request_duration_seconds", "method" => method, "route" => route).record(start.elapsed());
    response
}

/// The label of a method. Clients can invent methods, so rare ones share a label.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

/// The pattern of the route, such as `/devices/{name}`, or the path of a server function that exists.
fn route(request: &Request) -> String {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    if !route.starts_with("/fn/") {
        return route.to_owned();
    }
    server_fn_paths().find(|(path, _)| *path == request.uri().path()).map_or(route, |(path, _)| path).to_owned()
}
