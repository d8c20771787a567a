//! Measures the grid: loads many devices into an empty database, then asks for pages and counts as the grid does.
//!
//!     cargo run --release -p muster-registry --example grid -- sqlite://FILE [--devices N] [--runs N] [--json] [--only TEXT]
//!
//! A database that has the devices already is measured as it is.
#![expect(clippy::unwrap_used, reason = "a measuring program, not a server")]

use muster_domain::{DeviceName, ModelName, NewDevice, PricingTier, SecurityToken};
use muster_registry::{
    AccountId, AccountName, Change, Chosen, Cursor, DeviceFilter, DeviceItem, DeviceQuery, GroupName, Matching,
    NewRegistration, PartRows, Password, Place, RegistrationId, Registry, Sort, Status, SystemWorld,
};
use std::{sync::Arc, time::Instant};

const MODELS: usize = 12;
const PART: usize = 10_000;
const PAGE: u32 = 100;
const SORTS: [Sort; 6] = [Sort::Name, Sort::Model, Sort::FriendlyName, Sort::Tier, Sort::Status, Sort::LastSeen];

struct Options {
    url: String,
    devices: usize,
    runs: usize,
    json: bool,
    only: String,
}

impl Options {
    fn parse() -> Self {
        let mut options = Self { url: String::new(), devices: 1_000_000, runs: 100, json: false, only: String::new() };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--devices" => options.devices = words.next().unwrap().parse().unwrap(),
                "--runs" => options.runs = words.next().unwrap().parse().unwrap(),
                "--only" => options.only = words.next().unwrap(),
                "--json" => options.json = true,
                _ => options.url = word,
            }
        }
        if options.url.is_empty() {
            options.url = std::env::var("MUSTER_TEST_POSTGRES_URL").expect("say which database to measure");
        }
        options
    }

    fn say(&self, what: &str, times_ms: &mut [f64]) {
        times_ms.sort_by(f64::total_cmp);
        let at = |share: f64| times_ms[((times_ms.len() - 1) as f64 * share).round() as usize];
        let database = self.url.split(':').next().unwrap();
        let (p50, p99) = (at(0.5), at(0.99));
        if self.json {
            println!(
                r#"{{"database": "{database}", "what": "{what}", "runs": {}, "p50_ms": {p50:.2}, "p99_ms": {p99:.2}}}"#,
                times_ms.len()
            );
        } else {
            println!("{what:<52} {p50:>9.2} {p99:>9.2}{}", if p99 > 100.0 { "  SLOW" } else { "" });
        }
    }
}

/// A number that looks random and is the same each time.
fn mix(at: usize) -> usize {
    let mut x = (at as u64).wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    usize::try_from((x ^ (x >> 31)) >> 2).unwrap()
}

fn device(at: usize) -> NewDevice {
    const PLACES: [&str; 8] = ["Berlin", "Lagos", "Quito", "Osaka", "Perth", "Turin", "Malmö", "Denver"];
    const KINDS: [&str; 10] =
        ["sensor", "pump", "valve", "meter", "gateway", "camera", "heater", "lamp", "lift", "door"];
    let random = mix(at);
    let friendly = format!("{} {} {}", PLACES[random % 8], KINDS[random / 8 % 10], random / 80 % 100_000);
    NewDevice {
        name: DeviceName::parse(&format!("device-{at:07}")).unwrap(),
        model: ModelName::parse(&format!("Contoso.Plant.Model{:02}", random / 7 % MODELS)).unwrap(),
        // Every tenth has none.
        friendly_name: (!(random / 3).is_multiple_of(10))
            .then(|| muster_domain::FriendlyName::parse(&friendly).unwrap()),
        description: None,
        tier: Some(PricingTier::ALL[random / 11 % 4]),
    }
}

fn group(name: &str) -> GroupName {
    GroupName::parse(name).unwrap()
}

async fn load(registry: &Registry, options: &Options) -> AccountId {
    let account = registry.add_account(&AccountName::parse("bench").unwrap()).await.unwrap();
    let password = Password::new("correct horse battery staple".to_owned()).unwrap();
    let person = registry.add_person("bench@example.com", account, &password).await.unwrap();
    for model in 0..MODELS {
        let definition = format!(
            r#"{{"@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "tm:ThingModel", "title": "Contoso.Plant.Model{model:02}", "properties": {{"altitude": {{"type": "number"}}}}}}"#
        );
        registry.put_model(account, definition.as_bytes()).await.unwrap();
    }
    let mut tokens: Vec<(DeviceName, SecurityToken)> = Vec::new();
    let mut parts_ms = Vec::new();
    let begun = Instant::now();
    for (from, to) in [(0, options.devices / 2), (options.devices / 2, options.devices)] {
        let new = NewRegistration {
            file_name: "fleet.csv".to_owned(),
            devices: (to - from) as u64,
            parts: u32::try_from((to - from).div_ceil(PART)).unwrap(),
            group: None,
        };
        let id = registry.begin_registration(account, person, new).await.unwrap();
        for (number, first) in (from..to).step_by(PART).enumerate() {
            let rows = (first..to.min(first + PART)).map(|at| (at as u64, device(at))).collect();
            let part =
                PartRows { number: u32::try_from(number).unwrap(), attempt: 1, devices: rows, ..PartRows::default() };
            let before = Instant::now();
            let made = registry.register_part(account, id, part).await.unwrap();
            parts_ms.push(before.elapsed().as_secs_f64() * 1_000.0);
            tokens.extend(made.tokens);
        }
        registry.finish_registration(account, id).await.unwrap();
    }
    let all_ms = begun.elapsed().as_secs_f64() * 1_000.0;
    options.say("register a part of 10,000", &mut parts_ms);
    options.say("register all", &mut [all_ms]);

    // Reports, one transaction each, would take an hour: a few go through the registry, the rest is set as they set it.
    let before = Instant::now();
    let mut reports_ms = Vec::new();
    for (_, token) in tokens.iter().step_by(tokens.len() / 200 + 1) {
        let device = registry.authenticate(token).await.unwrap();
        let before = Instant::now();
        registry.record_state(&device, br#"{"altitude": 1}"#).await.unwrap();
        reports_ms.push(before.elapsed().as_secs_f64() * 1_000.0);
    }
    options.say("a first report", &mut reports_ms);
    set_seen(&options.url).await;
    let some = |step: usize, at: usize| -> Vec<DeviceName> {
        tokens
            .iter()
            .enumerate()
            .filter(|(place, _)| mix(*place) % step == at)
            .map(|(_, (name, _))| name.clone())
            .collect()
    };
    for (names, change) in [
        (some(20, 7), Change::Disable),
        (some(2, 1), Change::AddToGroup(group("Half"))),
        (some(1_000, 3), Change::AddToGroup(group("Few"))),
        (some(50, 3), Change::AddToGroup(group("Twenty thousand"))),
    ] {
        for names in names.chunks(PART) {
            registry.change_devices(account, &Chosen::Named(names.to_vec()), &change).await.unwrap();
        }
    }
    options.say("reports, groups and the disabled", &mut [before.elapsed().as_secs_f64() * 1_000.0]);
    account
}

/// Some 30 % have sent data.
async fn set_seen(url: &str) {
    use sqlx::Connection;
    let states = "INSERT INTO device_states (device, account, name, state, last_seen)
        SELECT id, account, name, '{}', 1795392000000 + HASH FROM devices WHERE HASH % 10 < 3 AND seen = 0";
    let seen = "UPDATE devices SET status = 1, seen = 1 WHERE HASH % 10 < 3 AND seen = 0";
    if let Some(file) = url.strip_prefix("sqlite:") {
        let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite:{file}")).await.unwrap();
        for text in [states, seen] {
            let text = text.replace("HASH", "((CAST(SUBSTR(name, 8) AS INTEGER) * 48271) % 1000003)");
            sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
        }
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        for text in [states, seen] {
            let text = text.replace("HASH", "((CAST(SUBSTR(name, 8) AS BIGINT) * 48271) % 1000003)");
            sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
        }
    }
}

struct Bench {
    registry: Registry,
    account: AccountId,
    options: Options,
}

impl Bench {
    async fn page(&self, what: &str, query: &DeviceQuery) -> Vec<DeviceItem> {
        if !what.contains(&self.options.only) {
            return Vec::new();
        }
        let mut items = Vec::new();
        let mut times = Vec::new();
        // What is hopeless is not repeated.
        while times.len() < self.options.runs && times.iter().sum::<f64>() < 10_000.0 {
            let before = Instant::now();
            items = self.registry.devices(self.account, query).await.unwrap().items;
            times.push(before.elapsed().as_secs_f64() * 1_000.0);
        }
        self.options.say(what, &mut times);
        items
    }

    async fn count(&self, what: &str, filter: &DeviceFilter) {
        let what = &format!("{what}, count");
        if !what.contains(&self.options.only) {
            return;
        }
        let mut times = Vec::new();
        let mut counted = 0;
        while times.len() < self.options.runs && times.iter().sum::<f64>() < 5_000.0 {
            let before = Instant::now();
            counted = self.registry.count_devices(self.account, filter).await.unwrap();
            times.push(before.elapsed().as_secs_f64() * 1_000.0);
        }
        self.options.say(&format!("{what} ({counted})"), &mut times);
    }

    /// First and last page of each sort both ways, one from within, and the count.
    async fn all(&self, what: &str, filter: DeviceFilter) {
        self.count(what, &filter).await;
        for (sort, is_descending) in SORTS.into_iter().flat_map(|sort| [(sort, false), (sort, true)]) {
            let way = if is_descending { " desc" } else { "" };
            let what = format!("{what}, by {sort:?}{way}");
            let query = DeviceQuery { filter: filter.clone(), sort, is_descending, place: Place::First, limit: PAGE };
            let first = self.page(&format!("{what}, first"), &query).await;
            let last = DeviceQuery { place: Place::Last, ..query.clone() };
            self.page(&format!("{what}, last"), &last).await;
            let Some(item) = first.last() else { continue };
            // Behind the first page, and for the sort by name far behind.
            let mut name = item.name.clone();
            if sort == Sort::Name {
                name = DeviceName::parse("device-0654321").unwrap();
            }
            let place = Place::After(Cursor { name, key: item.sort_key(sort) });
            self.page(&format!("{what}, middle"), &DeviceQuery { place, ..query }).await;
        }
    }

    async fn walk(&self, what: &str, filter: DeviceFilter) {
        if !what.contains(&self.options.only) {
            return;
        }
        let mut times = Vec::new();
        let mut after = None;
        for _ in 0..20 {
            let matching = Matching {
                filter: filter.clone(),
                registered_by: self.registry.now(),
                except: Vec::new(),
                after: after.clone(),
            };
            let before = Instant::now();
            let (_, next) = self.registry.export(self.account, &Chosen::Matching(matching)).await.unwrap();
            times.push(before.elapsed().as_secs_f64() * 1_000.0);
            after = next;
            if after.is_none() {
                break;
            }
        }
        self.options.say(what, &mut times);
    }
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let registry = Registry::open(&options.url, Arc::new(SystemWorld)).await.unwrap();
    let there = registry.account_named(&AccountName::parse("bench").unwrap()).await.unwrap();
    let account = match there {
        Some(account) => account,
        None => load(&registry, &options).await,
    };
    let registrations: Vec<RegistrationId> =
        registry.registrations(account, None, 2).await.unwrap().into_iter().map(|one| one.id).collect();
    let bench = Bench { registry, account, options };
    let none = DeviceFilter::default;
    let search = |text: &str| DeviceFilter { search: Some(text.to_owned()), ..none() };
    let model = ModelName::parse("Contoso.Plant.Model03").unwrap();
    let tier = Some(PricingTier::Large);
    let in_group = |name: &str| DeviceFilter { groups: vec![group(name)], ..none() };

    bench.all("all", none()).await;
    bench.all("disabled", DeviceFilter { status: Some(Status::Disabled), ..none() }).await;
    bench.all("active", DeviceFilter { status: Some(Status::Active), ..none() }).await;
    bench.all("one model", DeviceFilter { model: Some(model.clone()), ..none() }).await;
    bench.all("tier", DeviceFilter { tier, ..none() }).await;
    bench.all("never seen", DeviceFilter { never_seen: true, ..none() }).await;
    let narrow =
        DeviceFilter { status: Some(Status::Disabled), tier, model: Some(model.clone()), never_seen: true, ..none() };
    bench.all("disabled large of a model never seen", narrow).await;
    bench.all("search of one", search("device-0654321")).await;
    bench.all("search of some (turin lamp 12)", search("TURIN lamp 12")).await;
    bench.all("search of a percent (berlin sensor)", search("berlin sensor")).await;
    bench.all("search of many (osaka)", search("osaka")).await;
    bench.all("search of all (device)", search("device")).await;
    bench.all("search of the last tenth (device-09)", search("device-09")).await;
    bench.all("search of a model (model03)", search("model03")).await;
    bench.all("search of none (nothing has)", search("nothing has")).await;
    bench.all("two letters (ma)", search("ma")).await;
    bench.all("one letter (z)", search("z")).await;
    bench.all("two letters of none (xq)", search("xq")).await;
    bench.all("osaka, active, tier", DeviceFilter { status: Some(Status::Active), tier, ..search("osaka") }).await;
    bench.all("few's group", in_group("Few")).await;
    bench.all("20,000's group", in_group("Twenty thousand")).await;
    bench.all("half's group", in_group("Half")).await;
    bench.all("half's group, disabled", DeviceFilter { status: Some(Status::Disabled), ..in_group("Half") }).await;
    bench.all("half's group, osaka", DeviceFilter { search: Some("osaka".to_owned()), ..in_group("Half") }).await;
    bench.all("two groups", DeviceFilter { groups: vec![group("Half"), group("Few")], ..none() }).await;
    let registration = registrations.first().copied();
    bench.all("a registration", DeviceFilter { registration, ..none() }).await;
    bench.walk("walk of all, 10,000 a call", none()).await;
    bench.walk("walk of the active, 10,000 a call", DeviceFilter { status: Some(Status::Active), ..none() }).await;
    bench.walk("walk of osaka, 10,000 a call", search("osaka")).await;
    bench.walk("walk of a registration, 10,000 a call", DeviceFilter { registration, ..none() }).await;
    bench.walk("walk of half's group, 10,000 a call", in_group("Half")).await;
    for (what, is_groups) in [("list of models", false), ("list of groups", true)] {
        let mut times = Vec::new();
        for _ in 0..20 {
            let before = Instant::now();
            if is_groups {
                bench.registry.groups(account).await.unwrap();
            } else {
                bench.registry.models(account).await.unwrap();
            }
            times.push(before.elapsed().as_secs_f64() * 1_000.0);
        }
        bench.options.say(what, &mut times);
    }
}
