//! `GET /metrics`: what Muster has done, as Prometheus reads it.
//!
//! Labels have few values: no account, user, device or address is among them.

use crate::{client::is_near, connections::OpenConnections, problem::Problem, refusals::Reason};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{Method, StatusCode, header};
use leptos::server_fn::axum::server_fn_paths;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use muster_registry::Registry;
use std::time::{Duration, Instant};

/// Bounds of the durations that are counted, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0];

/// How often what was measured is put into those.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// What there is to be read.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorded: PrometheusHandle,
    registry: Registry,
    connections: OpenConnections,
}

impl Metrics {
    /// Records from now on, in the whole process.
    pub(crate) fn start(registry: Registry, connections: OpenConnections) -> Result<Self, String> {
        let bounds = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
        let recorded = bounds.and_then(PrometheusBuilder::install_recorder);
        let recorded = recorded.map_err(|error| format!("metrics cannot be recorded: {error}"))?;
        describe();
        gauge!("muster_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        // A counter that is there from the start shows its first increase.
        for (_, reason) in Reason::ALL {
            counter!("muster_refusals_total", "reason" => reason).absolute(0);
        }
        for name in ["muster_registrations_total", "muster_devices_registered_total", "muster_tokens_issued_total"] {
            counter!(name).absolute(0);
        }
        Ok(Self { recorded, registry, connections })
    }

    /// The route, for a listener of its own.
    pub(crate) fn route(self) -> Router {
        Router::new().route("/metrics", get(page)).with_state(self)
    }

    /// The same, for clients on this machine or in its network: what a portal is used for is nobody else's business.
    pub(crate) fn route_for_near(self) -> Router {
        self.route().layer(from_fn(only_near))
    }

    /// Keeps what is recorded small, as long as it is polled.
    pub(crate) async fn upkeep(&self) {
        loop {
            tokio::time::sleep(UPKEEP_INTERVAL).await;
            self.recorded.run_upkeep();
        }
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
    describe_gauge!("muster_database_connections", "Connections to the database by pool and state.");
}

/// What is recorded, and what is measured when somebody asks.
async fn page(State(metrics): State<Metrics>) -> Response {
    let Metrics { recorded, registry, connections } = metrics;
    let count = |count: usize| u32::try_from(count).map_or(f64::INFINITY, f64::from);
    gauge!("muster_connections").set(count(connections.open()));
    gauge!("muster_connections_limit").set(count(connections.limit()));
    for pool in registry.pools() {
        for (state, connections) in [("idle", pool.idle), ("used", pool.open.saturating_sub(pool.idle))] {
            gauge!("muster_database_connections", "pool" => pool.name, "state" => state).set(count(connections));
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], recorded.render()).into_response()
}

async fn only_near(request: Request, next: Next) -> Response {
    if is_near(&request) {
        return next.run(request).await;
    }
    Problem::new(StatusCode::NOT_FOUND, "There is nothing at this address.").into_response()
}

/// Counts a request by its route, and how long it took.
pub(crate) async fn count_request(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let (method, route) = (method(request.method()), route(&request));
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    counter!("muster_http_requests_total", "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    histogram!("muster_http_request_duration_seconds", "method" => method, "route" => route).record(begun.elapsed());
    response
}

/// Clients can invent methods; each would be a label.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

/// The route as the code has it, not the address, of which there are as many as devices.
fn route(request: &Request) -> String {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    if !route.starts_with("/fn/") {
        return route.to_owned();
    }
    server_fn_paths().find(|(path, _)| *path == request.uri().path()).map_or(route, |(path, _)| path).to_owned()
}
