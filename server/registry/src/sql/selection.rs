//! Which devices match a filter: what is known of them before any is looked at, and the conditions that they meet.

use super::{CONTAINS, Connection, Database, FOUND, FOUND_DEVICES, OFFSET_0, count, found_pattern, sql};
use crate::{
    errors::StoreError,
    fleet::DeviceFilter,
    types::{AccountId, RegistrationId, Timestamp, tier_code},
};
use sqlx::{QueryBuilder, query, query_as, query_scalar};
use uuid::Uuid;

/// No name and no friendly name is longer (256 characters of 4 bytes), and none has a control character.
const MAX_SEARCH_BYTES: usize = 1_024;

/// The shortest text that the index of three letters answers.
pub(super) const MIN_LETTERS: usize = 3;

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

/// What is searched for.
pub(super) struct Search {
    /// In lower case.
    pub(super) text: String,
    /// The models that have it in their names: all of their devices match.
    pub(super) models: Vec<Uuid>,
}

/// The devices that match a filter.
pub(super) struct Selection {
    pub(super) account: Uuid,
    pub(super) filter: DeviceFilter,
    /// The kinds that match the filter's status, model, tier and whether seen, in the order of models' names.
    pub(super) kinds: Vec<Kind>,
    pub(super) search: Option<Search>,
    /// Where it found models and nothing else, those.
    models: Vec<Uuid>,
    /// The filter's groups, as far as the account has them.
    pub(super) groups: Vec<Uuid>,
    /// Only those registered by then.
    registered_by: Option<Timestamp>,
    /// Only those that never showed a token.
    is_unused: bool,
}

impl Selection {
    /// Looks up what the filter names.
    pub(super) async fn of(
        connection: &mut Connection,
        account: AccountId,
        filter: &DeviceFilter,
    ) -> Result<Self, StoreError> {
        let mut selection = Self {
            account: account.0,
            filter: filter.clone(),
            kinds: Vec::new(),
            search: None,
            models: Vec::new(),
            groups: Vec::new(),
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
        }
        let search = filter.search.as_deref().filter(|text| !text.is_empty()).map(str::to_lowercase);
        if search.as_ref().is_some_and(|text| text.len() > MAX_SEARCH_BYTES || text.chars().any(char::is_control)) {
            return Ok(selection);
        }
        let all = kinds(connection, account.0).await?;
        selection.search = search.map(|text| {
            let has_it = |kind: &&Kind| kind.model_name.to_lowercase().contains(&text);
            let mut models: Vec<Uuid> = all.iter().filter(has_it).map(|kind| kind.model).collect();
            models.dedup();
            Search { text, models }
        });
        selection.kinds = all.into_iter().filter(|kind| matches(kind, filter)).collect();
        if let Some(Search { text, models }) = &selection.search
            && !models.is_empty()
            && text.chars().count() >= MIN_LETTERS
            && !is_in_text(connection, account.0, text).await?
        {
            // Only models' names have it: it is a filter by those.
            selection.models.clone_from(models);
            selection.kinds.retain(|kind| selection.models.contains(&kind.model));
            selection.search = None;
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

    /// Whether only some kinds of devices match.
    pub(super) fn has_kinds(&self) -> bool {
        let DeviceFilter { status, model, tier, never_seen, .. } = &self.filter;
        status.is_some() || model.is_some() || tier.is_some() || *never_seen || !self.models.is_empty()
    }

    /// Whether all devices of these kinds match, so that nothing is left to be looked at.
    pub(super) fn is_whole_kinds(&self) -> bool {
        self.search.is_none() && self.groups.is_empty() && self.filter.registration.is_none()
    }

    /// How many devices are of these kinds.
    pub(super) fn devices(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.devices).sum()
    }

    /// The kinds that a search finds by their model's name.
    pub(super) fn kinds_found(&self) -> Vec<Kind> {
        let has_it = |kind: &&Kind| self.search.as_ref().is_some_and(|search| search.models.contains(&kind.model));
        self.kinds.iter().filter(has_it).cloned().collect()
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
        if !self.models.is_empty() {
            statement.push(" AND d.model IN ");
            push_ids(statement, &self.models);
        }
    }

    /// Appends that the search finds the device `d`, in a way that no index answers: where a walk asks this, it is
    /// quicker to look at each.
    pub(super) fn push_search(&self, statement: &mut QueryBuilder<Database>) {
        let Some(search) = &self.search else { return };
        statement.push(" AND (");
        if !search.models.is_empty() {
            statement.push("d.model IN ");
            push_ids(statement, &search.models);
            statement.push(" OR ");
        }
        statement.push(CONTAINS).push_bind(search.text.clone()).push(") > 0)");
    }

    /// Appends the other conditions that the device `d` meets.
    pub(super) fn push_others(&self, statement: &mut QueryBuilder<Database>) {
        if !self.groups.is_empty() {
            statement.push(" AND EXISTS (SELECT 1 FROM group_members gm WHERE gm.device_group IN ");
            push_ids(statement, &self.groups);
            statement.push(" AND gm.name = d.name").push(OFFSET_0).push(")");
        }
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
    filter.status.is_none_or(|status| kind.status() == status.code())
        && filter.tier.is_none_or(|tier| kind.tier() == tier_code(tier))
        && filter.model.as_ref().is_none_or(|model| kind.model_name == model.as_str())
        && !(filter.never_seen && kind.is_seen())
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

/// Whether the index of three letters finds a text in any device of the account.
async fn is_in_text(connection: &mut Connection, account: Uuid, text: &str) -> Result<bool, StoreError> {
    let mut statement = sql("SELECT 1 FROM ");
    statement.push(FOUND_DEVICES).push(" WHERE d.account = ").push_bind(account);
    statement.push(FOUND).push_bind(found_pattern(text)).push(" LIMIT 1");
    Ok(statement.build().persistent(false).fetch_optional(connection).await?.is_some())
}

/// How many devices are in these groups, those in two of them twice.
pub(super) async fn members(connection: &mut Connection, groups: &[Uuid]) -> Result<u64, StoreError> {
    let mut statement =
        sql("SELECT CAST(COALESCE(SUM(devices), 0) AS BIGINT) FROM group_counts WHERE device_group IN ");
    push_ids(&mut statement, groups);
    Ok(count(statement.build_query_scalar().fetch_one(connection).await?))
}

/// How many devices of a registration there are, at most this many.
pub(super) async fn registered(
    connection: &mut Connection,
    registration: RegistrationId,
    most: i64,
) -> Result<u64, StoreError> {
    let there = query_scalar("SELECT COUNT(*) FROM (SELECT 1 FROM devices WHERE registration = $1 LIMIT $2) AS those");
    Ok(count(there.bind(registration.0).bind(most).fetch_one(connection).await?))
}
