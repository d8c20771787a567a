//! Fixtures of the tests: a registry on its own database, a clock that is set by hand, and helpers.

use muster_domain::{
    Description, DeviceFilter, DeviceName, DevicePage, DeviceQuery, FriendlyName, GroupName, ModelName, NewDevice,
    PricingTier, RegistrationId, SecurityToken, Status, Targets, TokenJob,
};
use muster_registry::{
    AccountName, Actor, AuthError, AuthenticatedDevice, FakeWorld, IndexOptions, NewRegistration, OpenOptions,
    PartOutcome, PartRows, Password, Registry, Source, UserId,
};
use sqlx::{AssertSqlSafe, Connection, Decode, Executor, PgConnection, Postgres, Sqlite, SqliteConnection, Type};
use std::{path::PathBuf, sync::Arc};

/// 2026-11-23 00:00 UTC, or so.
pub(crate) const START_MS: i64 = 1_795_392_000_000;
pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const MODEL: &str = "Contoso.Aircraft.AircraftModel";

#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) registry: Registry,
    pub(crate) world: Arc<FakeWorld>,
    pub(crate) url: String,
    /// The folder of the SQLite file.
    pub(crate) folder: Option<PathBuf>,
}

/// An account with one user, and the model [`MODEL`].
pub(crate) struct Tenant {
    /// The user, in a browser session.
    pub(crate) actor: Actor,
    pub(crate) user: UserId,
    pub(crate) email: String,
    registry: Registry,
}

pub(crate) async fn on_sqlite(test: impl AsyncFnOnce(&Fixture)) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("made/on/the/way/muster.db").display());
    let fixture = Fixture::open(url, Some(folder.path().to_owned())).await;
    test(&fixture).await;
}

pub(crate) async fn on_postgres(test: impl AsyncFnOnce(&Fixture)) {
    let Ok(server) = std::env::var("MUSTER_TEST_POSTGRES_URL") else {
        panic!("run through `make test`, which starts a PostgreSQL");
    };
    let mut admin = PgConnection::connect(&server).await.unwrap();
    let name = format!("muster_{}", uuid_of_now());
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let (before, _) = server.rsplit_once('/').unwrap();
    let fixture = Fixture::open(format!("{before}/{name}"), None).await;
    test(&fixture).await;
    drop(fixture);
    admin.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
}

/// A name that no other test has, in this process or another.
fn uuid_of_now() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:016x}{:016x}", RandomState::new().hash_one(1), RandomState::new().hash_one(2))
}

impl Fixture {
    async fn open(url: String, folder: Option<PathBuf>) -> Self {
        let world = Arc::new(FakeWorld::at(START_MS));
        let registry = Registry::open(&url, world.clone()).await.unwrap();
        Self { registry, world, url, folder }
    }

    /// Another server on the same database and clock.
    pub(crate) async fn another_server(&self) -> Registry {
        Registry::open(&self.url, self.world.clone()).await.unwrap()
    }

    /// Another one, whose index compacts whatever it finds.
    pub(crate) async fn another_that_compacts(&self) -> Registry {
        let index = IndexOptions { max_changes: 0, ..IndexOptions::default() };
        self.another_with(OpenOptions { index, ..OpenOptions::default() }).await
    }

    pub(crate) async fn another_with(&self, options: OpenOptions) -> Registry {
        Registry::open_with(&self.url, self.world.clone(), options).await.unwrap()
    }

    pub(crate) async fn tenant(&self, name: &str) -> Tenant {
        let operator = self.registry.add_account(&AccountName::parse(name).unwrap()).await.unwrap();
        let email = format!("{name}@example.com");
        let user = self.registry.add_user(&operator, &email, &password(PASSWORD)).await.unwrap();
        let (key, actor) = self.registry.sign_in(&email, office(), &password(PASSWORD)).await.unwrap();
        self.registry.sign_out(&key).await.unwrap();
        let tenant = Tenant { actor, user, email, registry: self.registry.clone() };
        tenant.put_model(MODEL).await;
        tenant
    }

    /// The first on SQLite, the second on PostgreSQL.
    pub(crate) fn by_database<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        if self.url.starts_with("sqlite://") { sqlite } else { postgres }
    }

    /// A number directly from the database.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.values(sql).await[0]
    }

    /// The texts of a column, directly from the database.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        self.values(sql).await
    }

    async fn values<T>(&self, sql: &str) -> Vec<T>
    where
        T: Send + Unpin + for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.url.starts_with("sqlite://") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
        }
    }

    /// Changes the database past the registry.
    pub(crate) async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.url.strip_prefix("sqlite://") {
            Some(file) => {
                let mut connection = SqliteConnection::connect(&format!("sqlite://{file}")).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            }
            None => {
                let mut connection = PgConnection::connect(&self.url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            }
        }
    }

    /// Runs a statement in a transaction that lasts until the connection is dropped. `None` on SQLite, where such a
    /// transaction would be the only writer.
    pub(crate) async fn hold_on_postgres(&self, sql: &str) -> Option<PgConnection> {
        if self.url.starts_with("sqlite://") {
            return None;
        }
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {sql}"))).execute(&mut connection).await.unwrap();
        Some(connection)
    }

    pub(crate) async fn works(&self, token: &SecurityToken) -> bool {
        match self.registry.authenticate(token).await {
            Ok(device) => {
                self.registry.record_token_use(&device).await.unwrap();
                true
            }
            Err(AuthError::Unknown) => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn connect(&self, token: &SecurityToken) -> AuthenticatedDevice {
        let device = self.registry.authenticate(token).await.unwrap();
        self.registry.record_token_use(&device).await.unwrap();
        device
    }

    pub(crate) async fn report(&self, token: &SecurityToken, body: &str) {
        let device = self.registry.authenticate(token).await.unwrap();
        self.registry.record_state(&device, body.as_bytes()).await.unwrap();
    }
}

impl Tenant {
    /// The same account, asked of another server.
    pub(crate) fn on(&self, registry: &Registry) -> Self {
        Self { actor: self.actor.clone(), user: self.user, email: self.email.clone(), registry: registry.clone() }
    }

    pub(crate) async fn put_model(&self, title: &str) {
        self.registry
            .put_model(&self.actor, definition(title, r#""altitude": {"type": "number"}"#).as_bytes())
            .await
            .unwrap();
    }

    pub(crate) async fn begin(&self) -> RegistrationId {
        self.begin_with(3, None).await
    }

    pub(crate) async fn begin_with(&self, parts: u32, group: Option<&str>) -> RegistrationId {
        let group = group.map(|group| GroupName::parse(group).unwrap());
        let new =
            NewRegistration { file_name: "fleet.csv".to_owned(), devices: 10, parts, group, idempotency_key: None };
        self.registry.begin_registration(&self.actor, new).await.unwrap()
    }

    /// Registers these devices in a registration of their own, and gives their tokens in this order.
    pub(crate) async fn register(&self, names: &[&str]) -> Vec<SecurityToken> {
        let id = self.begin().await;
        let outcome = self.part(id, part(0, 1, names)).await;
        assert_eq!(outcome.registered as usize, names.len());
        tokens_of(outcome)
    }

    pub(crate) async fn part(&self, id: RegistrationId, part: PartRows) -> PartOutcome {
        self.registry.register_part(&self.actor, id, part).await.unwrap()
    }

    /// How many devices the account has.
    pub(crate) async fn devices(&self) -> u64 {
        self.registry.count_devices(&self.actor, &DeviceFilter::default()).await.unwrap()
    }

    pub(crate) async fn page(&self, query: DeviceQuery) -> DevicePage {
        self.registry.devices(&self.actor, &query).await.unwrap()
    }

    pub(crate) async fn names(&self, query: DeviceQuery) -> Vec<String> {
        let page = self.page(query).await;
        page.items.iter().map(|item| item.name.to_string()).collect()
    }

    pub(crate) async fn status(&self, name: &str) -> Option<Status> {
        let detail = self.registry.device(&self.actor, &device_name(name)).await.unwrap();
        detail.map(|detail| detail.item.status)
    }
}

/// A model definition with these properties.
pub(crate) fn definition(title: &str, properties: &str) -> String {
    format!(
        r#"{{"@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "tm:ThingModel", "title": "{title}", "properties": {{{properties}}}}}"#
    )
}

pub(crate) fn password(text: &str) -> Password {
    Password::new(text.to_owned()).unwrap()
}

/// Where a request comes from.
pub(crate) fn source(address: &str) -> Source {
    Source::of(address.parse().unwrap())
}

/// Where people usually sign in from.
pub(crate) fn office() -> Source {
    source("192.0.2.1")
}

pub(crate) fn device_name(text: &str) -> DeviceName {
    DeviceName::parse(text).unwrap()
}

pub(crate) fn device_names(texts: &[&str]) -> Vec<DeviceName> {
    texts.iter().copied().map(device_name).collect()
}

pub(crate) fn model_name(text: &str) -> ModelName {
    ModelName::parse(text).unwrap()
}

/// The first attempt of a job of its own.
pub(crate) fn new_job() -> TokenJob {
    TokenJob { id: uuid_of_now().parse().unwrap(), attempt: 1 }
}

/// A row with nothing but what it must have.
pub(crate) fn row(name: &str) -> NewDevice {
    NewDevice { name: device_name(name), model: model_name(MODEL), friendly_name: None, description: None, tier: None }
}

/// A row by its five fields; blank ones are not there.
pub(crate) fn row_of([name, model, friendly_name, description, tier]: [&str; 5]) -> NewDevice {
    NewDevice {
        name: device_name(name),
        model: model_name(model),
        friendly_name: FriendlyName::parse(friendly_name).ok(),
        description: Description::parse(description).ok(),
        tier: PricingTier::parse(tier).ok(),
    }
}

/// A part with a row for each name, in the lines from 1.
pub(crate) fn part(number: u32, attempt: u32, names: &[&str]) -> PartRows {
    part_of(number, attempt, names.iter().map(|name| row(name)).collect())
}

pub(crate) fn part_of(number: u32, attempt: u32, rows: Vec<NewDevice>) -> PartRows {
    PartRows { number, attempt, devices: (1..).zip(rows).collect(), ..PartRows::default() }
}

/// The same as a later pass, which asks for new tokens.
pub(crate) fn renewing(part: PartRows) -> PartRows {
    PartRows { renew: true, ..part }
}

pub(crate) fn tokens_of(outcome: PartOutcome) -> Vec<SecurityToken> {
    outcome.tokens.into_iter().map(|(_, token)| token).collect()
}

pub(crate) fn first_token(outcome: PartOutcome) -> SecurityToken {
    tokens_of(outcome).into_iter().next().unwrap()
}

/// `[registered, already, already_never_connected, failed, tokens]`
pub(crate) fn numbers(outcome: &PartOutcome) -> [u32; 5] {
    let tokens = u32::try_from(outcome.tokens.len()).unwrap();
    [outcome.registered, outcome.already, outcome.already_never_connected, outcome.failed, tokens]
}

/// The errors, without the fields and lines before them.
pub(crate) fn errors(outcome: &PartOutcome) -> Vec<String> {
    let text = std::str::from_utf8(&outcome.errors_csv).unwrap();
    text.lines().map(|line| line.rsplit_once(',').unwrap().1.to_owned()).collect()
}

pub(crate) fn named(names: &[DeviceName]) -> Targets {
    Targets::Named(names.to_vec())
}

/// The first page of the devices that match, of the maximum size.
pub(crate) fn matching(filter: DeviceFilter) -> DeviceQuery {
    DeviceQuery { filter, ..all() }
}

/// The first page of the devices that match, of the maximum size.
pub(crate) fn all() -> DeviceQuery {
    DeviceQuery { limit: 500, ..DeviceQuery::default() }
}

/// Waits until a condition holds.
pub(crate) async fn until(holds: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("waited for half a minute");
}
