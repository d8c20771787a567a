//! Which devices match a filter: the look-ups before a scan of the index, and the same conditions in SQL for devices
//! that are about to change.

use super::{
    Connection, DEVICE_NAMED,
    groups::exact_groups,
    searched_names::find_names,
    segments::{
        by_name::names_by_segment,
        loading::{Loaded, load},
        stored::{LoadError, LoadMode},
    },
    statements::{json_names, sql},
};
use crate::{
    errors::StoreError,
    fleet::search::{List, Query, Separators},
    index::{
        FleetIndex, Page,
        criteria::{Criteria, StatusBytes},
        lines::Lines,
        matches::Matches,
        segment::Segment,
    },
    types::{AccountId, status_code, tier_code},
};
use muster_domain::{DeviceFilter, DeviceQuery, MAX_SEARCHED_NAMES, RegistrationId, Sort, Status, Timestamp};
use sqlx::{query, query_scalar};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Debug,
};
use uuid::Uuid;

/// A filter whose names are looked up and whose search is parsed.
pub(super) struct Selection {
    account: Uuid,
    filter: DeviceFilter,
    /// Nothing can match: the account does not have what the filter names.
    is_empty: bool,
    query: Query,
    /// In a search for a list of device names: the names that the account does not have.
    pub(super) names_not_found: Vec<String>,
    /// The filter's model.
    model: Option<Uuid>,
    /// The filter's groups that the account has.
    groups: Vec<Uuid>,
    /// Only devices that are `Active`, but not seen since then.
    silent_since: Option<Timestamp>,
    /// Only devices registered by then.
    registered_by: Option<Timestamp>,
    /// Only devices that never used a token.
    is_unused: bool,
}

impl Selection {
    /// Looks up what the filter names. The filter's hours of silence are those since `silent_since`.
    pub(super) async fn of(
        connection: &mut Connection,
        index: &FleetIndex,
        account: AccountId,
        filter: &DeviceFilter,
        silent_since: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        let mut selection = Self {
            account: account.0,
            filter: filter.clone(),
            is_empty: true,
            query: Query::default(),
            names_not_found: Vec::new(),
            model: None,
            groups: Vec::new(),
            silent_since,
            registered_by: None,
            is_unused: false,
        };
        if let Some(RegistrationId(id)) = filter.registration {
            let is_own = query("SELECT 1 FROM registrations WHERE id = $1 AND account = $2");
            if is_own.bind(id).bind(account.0).fetch_optional(&mut *connection).await?.is_none() {
                return Ok(selection);
            }
        }
        if let Some(model) = &filter.model {
            let model = query_scalar("SELECT id FROM models WHERE account = $1 AND name = $2")
                .bind(account.0)
                .bind(model.as_str())
                .fetch_optional(&mut *connection)
                .await?;
            let Some(model) = model else { return Ok(selection) };
            selection.model = Some(model);
        }
        if !filter.groups.is_empty() {
            selection.groups = exact_groups(connection, account, &filter.groups).await?;
            if selection.groups.is_empty() {
                return Ok(selection);
            }
        }
        if let Some(search) = filter.search.as_deref().filter(|search| !search.is_empty()) {
            let Some(query) = selection.query(connection, index, search).await? else { return Ok(selection) };
            selection.query = query;
        }
        Ok(Self { is_empty: false, ..selection })
    }

    /// Parses a search; `None`: no device can match.
    ///
    /// Words may be a list of device names, or a text such as the friendly name "Jet 1". They are a list if each is the
    /// name of a device. If only some are, or none and there are commas between them, they are a list if no device has
    /// the text.
    async fn query(
        &mut self,
        connection: &mut Connection,
        index: &FleetIndex,
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
            || may_be_list && !is_in_texts(connection, index, self.account, text.clone()).await?;
        if !is_list {
            return Ok(text);
        }
        self.names_not_found = not_found;
        Ok(Some(Query::Names(names)))
    }

    /// Only devices registered by then.
    pub(super) fn registered_by(self, at: Timestamp) -> Self {
        Self { registered_by: Some(at), ..self }
    }

    /// Only devices that never used a token.
    pub(super) fn unused(self) -> Self {
        Self { is_unused: true, ..self }
    }

    /// Finds the matching devices, and evaluates a function of them. The index has neither the time of registration nor
    /// whether a token was used: see [`Selection::matching_now`].
    pub(super) async fn evaluate<T: Send + 'static>(
        &self,
        connection: &mut Connection,
        index: &FleetIndex,
        what: impl FnOnce(&Matches) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (scan, _) = self.scan(connection, index, LoadMode::Complete, what).await?;
        index.scan(scan).await
    }

    /// As [`Selection::evaluate`], for a page. Requests for the same page share one scan while it runs. They share its
    /// result until the data changes, if it depends neither on last-seen times, which change all the time, nor on a
    /// list of names, which are looked up before the data is loaded.
    pub(super) async fn page(
        &self,
        connection: &mut Connection,
        index: &FleetIndex,
        mode: LoadMode,
        query: &DeviceQuery,
        what: impl FnOnce(&Matches) -> Page + Send + 'static,
    ) -> Result<Page, LoadError> {
        let (scan, state) = self.scan(connection, index, mode, what).await?;
        let texts = match &self.query {
            Query::Texts(texts) => Some(texts),
            Query::Names(_) => None,
        };
        // With the groups' ids: their names can be exchanged without a change of the data. With the time: hours of silence
        // are counted from now. With the texts: whether a search is a text depends on devices of other registrations, too.
        let asked = format!("{} {state:?} {:?} {:?} {texts:?} {query:?}", self.account, self.groups, self.silent_since);
        let is_cached = query.sort != Sort::LastSeen && self.silent_since.is_none() && texts.is_some();
        Ok(index.pages.get(&asked, is_cached, index.scan(scan)).await?)
    }

    /// The scan that finds the matching devices and evaluates a function of them, and the state of the scanned data.
    async fn scan<T: Send + 'static>(
        &self,
        connection: &mut Connection,
        index: &FleetIndex,
        mode: LoadMode,
        what: impl FnOnce(&Matches) -> T + Send + 'static,
    ) -> Result<(impl FnOnce() -> T + Send + 'static, impl Debug), LoadError> {
        // Look up names before the segments are loaded: then the segments have these devices, unless they were deleted.
        let (texts, named) = match &self.query {
            Query::Texts(texts) => (texts.clone(), None),
            Query::Names(names) => {
                (Vec::new(), Some(names_by_segment(connection, self.account, names.iter().map(String::as_str)).await?))
            }
        };
        let registration = self.filter.registration.map(|registration| registration.0);
        let loaded = if self.is_empty {
            Loaded::default()
        } else {
            load(connection, index, self.account, registration, mode).await?
        };
        let state = loaded.state;
        let filter = &self.filter;
        let has_status_bytes = filter.status.is_some() || filter.tier.is_some() || filter.never_seen;
        let criteria = Criteria {
            texts,
            model: filter.model.as_ref().map(|model| model.as_str().to_owned()),
            status_bytes: if has_status_bytes {
                StatusBytes::matching(|status_byte| matches_status_byte(status_byte, filter))
            } else {
                StatusBytes::ALL
            },
            groups: Some(self.groups.clone()).filter(|groups| !groups.is_empty()),
            lines: None,
            silent_since: self.silent_since.map(Timestamp::as_ms),
        };
        let scan = move || {
            let segments = loaded.with_last_seen();
            let lines = named.map(|named| lines_of(&segments, &named));
            what(&Matches::find(&segments, &Criteria { lines, ..criteria }))
        };
        Ok((scan, state))
    }

    /// The devices with these names that match in the database now, in no particular order. `lock_clause` locks them until
    /// the transaction ends.
    ///
    /// Groups are not checked again: the index has their current members, and transactions that lock devices also hold
    /// the lock of the account, without which no device joins or leaves.
    pub(super) async fn matching_now(
        &self,
        connection: &mut Connection,
        names: &[String],
        lock_clause: &'static str,
    ) -> Result<Vec<(Uuid, String)>, StoreError> {
        let [before_names, before_account, behind] = DEVICE_NAMED;
        let mut statement = sql("SELECT d.id, d.name FROM ");
        statement.push(before_names).push_bind(json_names(names.iter().map(String::as_str)));
        statement.push(before_account).push_bind(self.account).push(behind).push(" WHERE 1 = 1");
        if let Some(status) = self.filter.status {
            statement.push(" AND d.status = ").push(status_code(status));
        }
        if let Some(tier) = self.filter.tier {
            statement.push(" AND d.tier = ").push(tier_code(tier));
        }
        if let Some(model) = self.model {
            statement.push(" AND d.model = ").push_bind(model);
        }
        if self.filter.never_seen {
            statement.push(" AND d.seen = 0");
        }
        if let Some(since) = self.silent_since {
            statement.push(" AND d.status = ").push(status_code(Status::Active));
            statement.push(" AND EXISTS (SELECT 1 FROM device_states s WHERE s.device = d.id AND s.last_seen < ");
            statement.push_bind(since.as_ms()).push(")");
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
        statement.push(lock_clause);
        Ok(statement.build_query_as().persistent(false).fetch_all(connection).await?)
    }
}

/// Whether any device of the account matches a search for a text.
async fn is_in_texts(
    connection: &mut Connection,
    index: &FleetIndex,
    account: Uuid,
    query: Option<Query>,
) -> Result<bool, StoreError> {
    let Some(Query::Texts(texts)) = query else { return Ok(false) };
    let segments = load(connection, index, account, None, LoadMode::Complete).await?.segments;
    index.scan(move || Matches::find(&segments, &Criteria { texts, ..Criteria::default() }).count() > 0).await
}

/// The lines of devices, by segment and name.
fn lines_of(segments: &HashMap<i64, Segment>, named: &BTreeMap<i64, HashSet<String>>) -> HashMap<i64, Lines> {
    let mut found = HashMap::new();
    for (id, names) in named {
        let Some(segment) = segments.get(id) else { continue };
        let mut lines = Lines::default();
        names.iter().filter_map(|name| segment.line_of(name)).for_each(|line| lines.insert(line));
        found.insert(*id, lines);
    }
    found
}

/// Whether devices with this status byte match the filter's status, tier and `never_seen`.
fn matches_status_byte(status_byte: u8, filter: &DeviceFilter) -> bool {
    filter.status.is_none_or(|status| i16::from(status_byte >> 3) == status_code(status))
        && filter.tier.is_none_or(|tier| i16::from(status_byte >> 1 & 3) == tier_code(tier))
        && !(filter.never_seen && status_byte & 1 == 1)
}
