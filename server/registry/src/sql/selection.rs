//! Which devices match a filter: what is known of them before any is looked at, and the conditions that they meet.

use super::{Connection, Database, OFFSET_0, blocks, count, members, sql};
use crate::{
    errors::StoreError,
    fleet::DeviceFilter,
    grid::Grid,
    hits::{Facets, Hits, Wanted},
    texts::{fold, has_text},
    types::{AccountId, RegistrationId, Timestamp, tier_code},
};
use sqlx::{QueryBuilder, query, query_as};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// No name and no friendly name is longer (256 characters of 4 bytes), and none has a control character.
const MAX_SEARCH_BYTES: usize = 1_024;

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
    /// Folded. Nothing, where all devices of a registration are looked for.
    text: String,
    /// The devices that have it, of the filter's registration, kinds and groups.
    pub(super) hits: Arc<Hits>,
}

/// The devices that match a filter.
pub(super) struct Selection {
    pub(super) account: Uuid,
    pub(super) filter: DeviceFilter,
    /// The kinds that match the filter's status, model, tier and whether seen, in the order of models' names.
    pub(super) kinds: Vec<Kind>,
    pub(super) search: Option<Search>,
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
        let search = filter.search.as_deref().filter(|text| !text.is_empty()).map(fold);
        let search = search.or_else(|| filter.registration.map(|_| String::new()));
        if search.as_ref().is_some_and(|text| text.len() > MAX_SEARCH_BYTES || text.chars().any(char::is_control)) {
            return Ok(selection);
        }
        let all = kinds(connection, account.0).await?;
        selection.kinds = all.into_iter().filter(|kind| matches(kind, filter)).collect();
        if let Some(text) = search.filter(|_| !selection.kinds.is_empty()) {
            let hits = selection.hits(connection, grid, &text).await?;
            selection.search = Some(Search { text, hits });
        }
        Ok(selection)
    }

    /// Only those registered by then.
    pub(super) fn registered_by(self, at: Timestamp) -> Self {
        Self { registered_by: Some(at), ..self }
    }

    /// Only those that never showed a token.
    pub(super) fn unused(self) -> Self {
        Self { is_unused: true, ..self }
    }

    /// The devices of the filter's registration, kinds and groups that have a folded text in what a search looks into.
    pub(super) async fn hits(
        &self,
        connection: &mut Connection,
        grid: &Grid,
        text: &str,
    ) -> Result<Arc<Hits>, StoreError> {
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
        let wanted = Wanted { text: text.to_owned(), model, facets, lines };
        let find = move || Hits::find(blocks, &wanted);
        Ok(Arc::new(grid.scan(find).await?))
    }

    /// Whether the search, if there is one, finds a device with this name, friendly name and model.
    pub(super) fn finds(&self, name: &str, friendly_name: Option<&str>, model: &str) -> bool {
        let fields = [name, friendly_name.unwrap_or_default(), model];
        self.search.as_ref().is_none_or(|search| has_text(fields, &search.text))
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
