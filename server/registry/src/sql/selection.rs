//! Which devices match a filter: what is known of them before any is looked at, and the conditions that they meet.

use super::{Connection, DEVICE_OF_NAME, Database, NAMES, OFFSET_0, blocks, count, json_names, members, sql};
use crate::{
    errors::StoreError,
    fleet::DeviceFilter,
    grid::Grid,
    hits::{Facets, Hits, Wanted},
    search::{List, MAX_SEARCHED_NAMES, Query, Separators, mac_notations},
    texts::{Block, Lines},
    types::{AccountId, RegistrationId, Timestamp, tier_code},
};
use sqlx::{AssertSqlSafe, QueryBuilder, query, query_as, query_scalar};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// Devices of one model that are alike in status, tier and whether they were seen: a run in two indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) model: Uuid,
    pub(super) model_name: String,
    /// status * 8 + tier * 2 + seen, as the table has it.
    pub(super) facet: i16,
    pub(super) devices: u64,
}

impl Kind {
    pub(super) fn status(&self) -> i16 {
        self.facet >> 3
    }

    pub(super) fn tier(&self) -> i16 {
        self.facet >> 1 & 3
    }

    pub(super) fn is_seen(&self) -> bool {
        self.facet & 1 == 1
    }
}

/// What is looked for in the texts.
pub(super) struct Search {
    query: Query,
    /// The devices that it finds, of the filter's registration, kinds and groups.
    pub(super) hits: Arc<Hits>,
}

/// The devices that match a filter.
pub(super) struct Selection {
    pub(super) account: Uuid,
    pub(super) filter: DeviceFilter,
    /// The kinds that match the filter's status, model, tier and whether seen, in the order of models' names.
    pub(super) kinds: Vec<Kind>,
    pub(super) search: Option<Search>,
    /// Of a search for a list of device names: those that the account does not have.
    pub(super) names_not_found: Vec<String>,
    /// The filter's groups, as far as the account has them.
    pub(super) groups: Vec<Uuid>,
    /// How many devices are in them, those in two of them twice.
    pub(super) members: u64,
    /// Only those registered by then.
    registered_by: Option<Timestamp>,
    /// Only those that never showed a token.
    is_unused: bool,
}

impl Selection {
    /// Looks up what the filter names.
    pub(super) async fn of(
        connection: &mut Connection,
        grid: &Grid,
        account: AccountId,
        filter: &DeviceFilter,
    ) -> Result<Self, StoreError> {
        let mut selection = Self {
            account: account.0,
            filter: filter.clone(),
            kinds: Vec::new(),
            search: None,
            names_not_found: Vec::new(),
            groups: Vec::new(),
            members: 0,
            registered_by: None,
            is_unused: false,
        };
        if let Some(RegistrationId(id)) = filter.registration {
            let is_theirs = query("SELECT 1 FROM registrations WHERE id = $1 AND account = $2");
            if is_theirs.bind(id).bind(account.0).fetch_optional(&mut *connection).await?.is_none() {
                return Ok(selection);
            }
        }
        if !filter.groups.is_empty() {
            let mut statement = sql("SELECT id FROM device_groups WHERE account = ");
            statement.push_bind(account.0).push(" AND name IN (");
            let mut list = statement.separated(", ");
            for group in &filter.groups {
                list.push_bind(group.as_str().to_owned());
            }
            statement.push(")");
            selection.groups = statement.build_query_scalar().fetch_all(&mut *connection).await?;
            if selection.groups.is_empty() {
                return Ok(selection);
            }
            selection.members = number_in(connection, &selection.groups).await?;
        }
        let mut query = filter.registration.map(|_| Query::default());
        if let Some(search) = filter.search.as_deref().filter(|search| !search.is_empty()) {
            query = selection.query(connection, grid, search).await?;
            if query.is_none() {
                return Ok(selection);
            }
        }
        let all = kinds(connection, account.0).await?;
        selection.kinds = all.into_iter().filter(|kind| matches(kind, filter)).collect();
        if let Some(query) = query.filter(|_| !selection.kinds.is_empty()) {
            let hits = selection.hits(connection, grid, &query).await?;
            selection.search = Some(Search { query, hits });
        }
        Ok(selection)
    }

    /// What a search is for; `None`: no device can have it.
    ///
    /// Words may be a list of device names, or a text such as the friendly name "Jet 1". They are a list if each is the
    /// name of a device. If only some are, or none and there are commas between them, they are a list if no device has
    /// the text.
    async fn query(
        &mut self,
        connection: &mut Connection,
        grid: &Grid,
        search: &str,
    ) -> Result<Option<Query>, StoreError> {
        let text = Query::of_text(search);
        let Some(list) = List::parse(search) else { return Ok(text) };
        if list.words.len() > MAX_SEARCHED_NAMES {
            return Ok(None);
        }
        let (names, not_found) = find_names(connection, self.account, &list).await?;
        let may_be_list = !names.is_empty() || list.separators != Separators::Spaces;
        let is_list = not_found.is_empty()
            || list.separators == Separators::LineEnds
            || may_be_list && !is_in_texts(connection, grid, self.account, text.clone()).await?;
        if !is_list {
            return Ok(text);
        }
        self.names_not_found = not_found;
        Ok(Some(Query::Names(names)))
    }

    /// Only those registered by then.
    pub(super) fn registered_by(self, at: Timestamp) -> Self {
        Self { registered_by: Some(at), ..self }
    }

    /// Only those that never showed a token.
    pub(super) fn unused(self) -> Self {
        Self { is_unused: true, ..self }
    }

    /// The devices of the filter's registration, kinds and groups that a search finds.
    pub(super) async fn hits(
        &self,
        connection: &mut Connection,
        grid: &Grid,
        query: &Query,
    ) -> Result<Arc<Hits>, StoreError> {
        // First of all: then the blocks that are loaded have these devices, unless they are gone.
        let (texts, named) = match query {
            Query::Texts(texts) => (texts.clone(), None),
            Query::Names(names) => (Vec::new(), Some(blocks_of(connection, self.account, names).await?)),
        };
        let registration = self.filter.registration.map(|registration| registration.0);
        let versions =
            if self.groups.is_empty() { None } else { Some(members::versions(connection, &self.groups).await?) };
        let blocks = blocks::load(connection, grid, self.account, registration).await?;
        let lines = match versions {
            Some(versions) => Some(members::lines(connection, grid, &versions, &blocks, registration.is_none()).await?),
            None => None,
        };
        let facets =
            if self.has_facets() { Facets::that(|facet| matches_facet(facet, &self.filter)) } else { Facets::ALL };
        let model = self.filter.model.as_ref().map(|model| model.as_str().to_owned());
        let find = move || {
            let lines = match named {
                Some(named) => Some(lines_of(&blocks, &named, lines)),
                None => lines,
            };
            Hits::find(blocks, &Wanted { texts, model, facets, lines })
        };
        Ok(Arc::new(grid.scan(find).await?))
    }

    /// Whether the search, if there is one, finds a device with this name, friendly name and model.
    pub(super) fn finds(&self, name: &str, friendly_name: Option<&str>, model: &str) -> bool {
        let finds = |search: &Search| search.query.finds(name, friendly_name.unwrap_or_default(), model);
        self.search.as_ref().is_none_or(finds)
    }

    /// Whether only some kinds of devices match.
    pub(super) fn has_kinds(&self) -> bool {
        self.has_facets() || self.filter.model.is_some()
    }

    /// Whether only devices of some status, or tier, match, or only those that were never seen.
    fn has_facets(&self) -> bool {
        self.filter.status.is_some() || self.filter.tier.is_some() || self.filter.never_seen
    }

    /// Whether there are conditions that are not known of a device in memory.
    pub(super) fn is_beyond_texts(&self) -> bool {
        self.registered_by.is_some() || self.is_unused
    }

    /// How many devices are of these kinds.
    pub(super) fn devices(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.devices).sum()
    }

    /// Appends that the device `d` is of one of these kinds.
    pub(super) fn push_kinds(&self, statement: &mut QueryBuilder<Database>) {
        if let Some(status) = self.filter.status {
            statement.push(" AND d.status = ").push(status.code());
        }
        if let Some(tier) = self.filter.tier {
            statement.push(" AND d.tier = ").push(tier_code(tier));
        }
        // They are all of this one, then.
        if let Some(kind) = self.kinds.first().filter(|_| self.filter.model.is_some()) {
            statement.push(" AND d.model = ").push_bind(kind.model);
        }
        if self.filter.never_seen {
            statement.push(" AND d.seen = 0");
        }
    }

    /// Appends that the device `d` is in one of the groups, if there are any.
    pub(super) fn push_groups(&self, statement: &mut QueryBuilder<Database>) {
        if !self.groups.is_empty() {
            statement.push(" AND EXISTS (SELECT 1 FROM group_members gm WHERE gm.device_group IN ");
            push_ids(statement, &self.groups);
            statement.push(" AND gm.name = d.name").push(OFFSET_0).push(")");
        }
    }

    /// Appends the other conditions that the device `d` meets.
    pub(super) fn push_others(&self, statement: &mut QueryBuilder<Database>) {
        if let Some(registration) = self.filter.registration {
            statement.push(" AND d.registration = ").push_bind(registration.0);
        }
        if let Some(at) = self.registered_by {
            statement.push(" AND d.registered_at <= ").push_bind(at.as_ms());
        }
        if self.is_unused {
            statement.push(" AND d.first_used IS NULL");
        }
    }
}

/// The devices that the words of a list name, and the words that name none. A MAC address names a device in any notation,
/// unless there is one that is called exactly so.
async fn find_names(
    connection: &mut Connection,
    account: Uuid,
    list: &List,
) -> Result<(HashSet<String>, Vec<String>), StoreError> {
    let asked = json_names(list.names());
    let mut names = existing(connection, account, asked).await?;
    // Addresses are written in lower case or in upper case.
    let mut notations: Vec<(&str, Vec<String>)> = Vec::new();
    for word in list.words.iter().filter(|word| !names.contains(*word)) {
        let lower = mac_notations(word);
        let upper: Vec<String> = lower.iter().map(|notation| notation.to_ascii_uppercase()).collect();
        notations.push((word, [lower, upper].concat()));
    }
    let asked = json_names(notations.iter().flat_map(|(_, notations)| notations).map(String::as_str));
    let found = existing(connection, account, asked).await?;
    let mut not_found = Vec::new();
    for (word, notations) in notations {
        if !notations.iter().any(|notation| found.contains(notation)) {
            not_found.push(word.to_owned());
        }
    }
    names.extend(found);
    Ok((names, not_found))
}

/// Those of these names, a JSON array, that devices of the account have.
async fn existing(connection: &mut Connection, account: Uuid, names: String) -> Result<HashSet<String>, StoreError> {
    let statement = format!("SELECT d.name FROM {NAMES} {DEVICE_OF_NAME}");
    let found: Vec<String> =
        query_scalar(AssertSqlSafe(statement)).bind(account).bind(names).fetch_all(connection).await?;
    Ok(found.into_iter().collect())
}

/// Whether any device of the account has what is searched for in its texts.
async fn is_in_texts(
    connection: &mut Connection,
    grid: &Grid,
    account: Uuid,
    query: Option<Query>,
) -> Result<bool, StoreError> {
    let Some(Query::Texts(texts)) = query else { return Ok(false) };
    let blocks = blocks::load(connection, grid, account, None).await?;
    let find = move || Hits::find(blocks, &Wanted { texts, ..Wanted::default() }).len() > 0;
    grid.scan(find).await
}

/// The blocks that have the devices of these names.
async fn blocks_of(
    connection: &mut Connection,
    account: Uuid,
    names: &HashSet<String>,
) -> Result<Vec<(i64, String)>, StoreError> {
    let statement = format!("SELECT d.block, d.name FROM {NAMES} {DEVICE_OF_NAME}");
    let found = query_as(AssertSqlSafe(statement)).bind(account).bind(json_names(names.iter().map(String::as_str)));
    Ok(found.fetch_all(connection).await?)
}

/// The lines of these devices, of those lines only, if there are any given.
fn lines_of(
    blocks: &HashMap<i64, Block>,
    named: &[(i64, String)],
    only: Option<HashMap<i64, Arc<Lines>>>,
) -> HashMap<i64, Arc<Lines>> {
    let mut found: HashMap<i64, Lines> = HashMap::new();
    for (id, name) in named {
        if let Some(line) = blocks.get(id).and_then(|block| block.line_of(name)) {
            found.entry(*id).or_default().insert(line);
        }
    }
    let both = |(id, lines): (i64, Lines)| match &only {
        None => Some((id, Arc::new(lines))),
        Some(only) => only.get(&id).map(|only| (id, Arc::new(lines.and(only)))),
    };
    found.into_iter().filter_map(both).collect()
}

/// Whether devices of this kind match a filter, as far as it is about that.
fn matches(kind: &Kind, filter: &DeviceFilter) -> bool {
    filter.model.as_ref().is_none_or(|model| kind.model_name == model.as_str()) && matches_facet(kind.facet, filter)
}

/// Whether devices of this facet match a filter, as far as it is about their status, tier and whether they were seen.
fn matches_facet(facet: i16, filter: &DeviceFilter) -> bool {
    filter.status.is_none_or(|status| facet >> 3 == status.code())
        && filter.tier.is_none_or(|tier| facet >> 1 & 3 == tier_code(tier))
        && !(filter.never_seen && facet & 1 == 1)
}

/// Appends that the device `d` is of a facet that one of these kinds has, and of their model, if that is one.
pub(super) fn push_facets(statement: &mut QueryBuilder<Database>, kinds: &[Kind]) {
    let facets: BTreeSet<i16> = kinds.iter().map(|kind| kind.facet).collect();
    statement.push(" AND d.facet IN (");
    let mut list = statement.separated(", ");
    for facet in facets {
        list.push(facet);
    }
    statement.push(")");
    if let Some(first) = kinds.first().filter(|first| kinds.iter().all(|kind| kind.model == first.model)) {
        statement.push(" AND d.model = ").push_bind(first.model);
    }
}

/// Appends ids in brackets. PostgreSQL does not take a list of nothing.
pub(super) fn push_ids(statement: &mut QueryBuilder<Database>, ids: &[Uuid]) {
    statement.push("(");
    let mut list = statement.separated(", ");
    if ids.is_empty() {
        list.push("NULL");
    }
    for id in ids {
        list.push_bind(*id);
    }
    statement.push(")");
}

/// The kinds of devices that the account has, in the order of models' names.
async fn kinds(connection: &mut Connection, account: Uuid) -> Result<Vec<Kind>, StoreError> {
    let rows: Vec<(Uuid, String, i16, i64)> = query_as(
        "SELECT c.model, m.name, c.facet, CAST(SUM(c.devices) AS BIGINT) FROM device_counts c JOIN models m ON m.id = c.model
         WHERE c.account = $1 GROUP BY c.model, m.name, c.facet HAVING SUM(c.devices) > 0 ORDER BY m.name, c.facet",
    )
    .bind(account)
    .fetch_all(connection)
    .await?;
    let kind = |(model, model_name, facet, devices)| Kind { model, model_name, facet, devices: count(devices) };
    Ok(rows.into_iter().map(kind).collect())
}

/// How many devices are in these groups, those in two of them twice.
async fn number_in(connection: &mut Connection, groups: &[Uuid]) -> Result<u64, StoreError> {
    let mut statement =
        sql("SELECT CAST(COALESCE(SUM(devices), 0) AS BIGINT) FROM group_counts WHERE device_group IN ");
    push_ids(&mut statement, groups);
    Ok(count(statement.build_query_scalar().fetch_one(connection).await?))
}
