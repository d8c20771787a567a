//! Pages of the devices of an account, and how many there are.

use super::{
    Connection, DEVICE_OF_NAME, Db, NAMES,
    columns::count,
    devices::{ItemRow, item},
    leading_zeros,
    segments::stored::{LoadError, LoadMode},
    selection::Selection,
    statements::{json_names, sql},
};
use crate::{
    errors::StoreError,
    fleet::MAX_PAGE_DEVICES,
    index::{
        matches::Matches,
        order::{Bound, Key, Order},
    },
    store::contract::Fleet,
    types::AccountId,
};
use async_trait::async_trait;
use muster_domain::{
    Cursor, DeviceFilter, DeviceItem, DeviceName, DevicePage, DeviceQuery, LeadingZeros, NamesNotFound, PagePosition,
    Sort, Timestamp,
};
use sqlx::{AssertSqlSafe, query_as, query_scalar};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

#[async_trait]
impl Fleet for Db {
    async fn devices(&self, account: AccountId, query: &DeviceQuery, now: Timestamp) -> Result<DevicePage, StoreError> {
        let limit = query.limit.clamp(1, MAX_PAGE_DEVICES) as usize;
        let (cursor, is_backwards) = (query.position.cursor(), query.position.is_backwards());
        let bound = cursor.map(|cursor| Bound {
            key: Key::parse(query.sort, &cursor.key),
            name: cursor.name.to_string(),
            is_inclusive: false,
        });
        // Backwards in a descending order is ascending.
        let order = Order { sort: query.sort, is_descending: query.is_descending != is_backwards };
        let mut connection = self.reader().acquire().await?;
        let selection =
            Selection::of(&mut connection, self.index(), account, &query.filter, query.filter.silent_since(now))
                .await?;
        let page = move |matches: &Matches| {
            let ahead = matches.first(order, bound.as_ref(), limit + 1);
            let has_behind = bound.is_some_and(|bound| {
                let from = Bound { is_inclusive: true, ..bound };
                !matches.first(order.reversed(), Some(&from), 1).is_empty()
            });
            (ahead, has_behind, matches.count() as u64)
        };
        // The list of all devices by name can come from the database immediately.
        let is_plain = query.filter == DeviceFilter::default() && query.sort == Sort::Name;
        let mode =
            if is_plain && query.position == PagePosition::First { LoadMode::OnlyIfQuick } else { LoadMode::Complete };
        let (mut found, has_behind, total) =
            match selection.page(&mut connection, self.index(), mode, query, page).await {
                Ok(page) => page,
                Err(LoadError::TakesLong) => {
                    self.index().load(account);
                    // No next page yet: the index would return it in natural order, and skip devices.
                    let page = page_by_name(&mut connection, account, query).await?;
                    return Ok(DevicePage { has_next: false, ..page });
                }
                Err(LoadError::Store(StoreError::FleetTooLarge)) if is_plain => {
                    note_too_large(account);
                    let page = page_by_name(&mut connection, account, query).await?;
                    return Ok(DevicePage { is_too_large: true, ..page });
                }
                Err(error) => return Err(error.into()),
            };
        let has_more = found.len() > limit;
        found.truncate(limit);
        if is_backwards {
            found.reverse();
        }
        let (has_previous, has_next) = if is_backwards { (has_more, has_behind) } else { (has_behind, has_more) };
        let items = items(&mut connection, account, &found).await?;
        Ok(DevicePage {
            items,
            total,
            has_next,
            has_previous,
            is_too_large: false,
            names_not_found: NamesNotFound::of(selection.names_not_found),
        })
    }

    async fn count_devices(
        &self,
        account: AccountId,
        filter: &DeviceFilter,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut connection = self.reader().acquire().await?;
        let selection = Selection::of(&mut connection, self.index(), account, filter, filter.silent_since(now)).await?;
        selection.evaluate(&mut connection, self.index(), |matches| matches.count() as u64).await
    }

    async fn registered_with_leading_zeros(
        &self,
        account: AccountId,
        names: &[DeviceName],
    ) -> Result<Vec<LeadingZeros>, StoreError> {
        let mut connection = self.reader().acquire().await?;
        leading_zeros::find(&mut connection, account, names).await
    }
}

/// A page of all devices by name from the database, in the order of bytes. It is used until the fleet index is loaded,
/// and for a fleet that is too large for it.
async fn page_by_name(
    connection: &mut Connection,
    account: AccountId,
    DeviceQuery { position, is_descending, limit, .. }: &DeviceQuery,
) -> Result<DevicePage, StoreError> {
    let limit = (*limit).clamp(1, MAX_PAGE_DEVICES) as usize;
    let (cursor, is_backwards) = (position.cursor(), position.is_backwards());
    let is_down = *is_descending != is_backwards;
    let mut found = names_from(connection, account, cursor.map(|cursor| (cursor, false)), is_down, limit + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    if is_backwards {
        found.reverse();
    }
    let has_behind = match cursor {
        Some(cursor) => !names_from(connection, account, Some((cursor, true)), !is_down, 1).await?.is_empty(),
        None => false,
    };
    let (has_previous, has_next) = if is_backwards { (has_more, has_behind) } else { (has_behind, has_more) };
    let total: i64 = query_scalar("SELECT CAST(COALESCE(SUM(devices), 0) AS BIGINT) FROM segments WHERE account = $1")
        .bind(account.0)
        .fetch_one(&mut *connection)
        .await?;
    let items = items(connection, account, &found).await?;
    Ok(DevicePage { items, total: count(total), has_next, has_previous, ..DevicePage::default() })
}

/// The names after a cursor (or including it), ascending or descending.
async fn names_from(
    connection: &mut Connection,
    account: AccountId,
    from: Option<(&Cursor, bool)>,
    is_down: bool,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let mut statement = sql("SELECT name FROM devices WHERE account = ");
    statement.push_bind(account.0);
    if let Some((cursor, is_inclusive)) = from {
        statement.push(" AND name ").push(if is_down { "<" } else { ">" }).push(if is_inclusive { "= " } else { " " });
        statement.push_bind(cursor.name.as_str().to_owned());
    }
    statement.push(" ORDER BY name").push(if is_down { " DESC" } else { "" }).push(" LIMIT ").push_bind(limit as i64);
    Ok(statement.build_query_scalar().persistent(false).fetch_all(connection).await?)
}

/// Logs, at most once a minute, that a fleet does not fit into the memory of the index.
fn note_too_large(account: AccountId) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() > Duration::from_secs(60)) {
        *last = Some(Instant::now());
        tracing::warn!(account = %account.0, "a fleet is too large for the index: raise MUSTER_INDEX_MEMORY");
    }
}

/// The rows of a page: these devices, in this order.
async fn items(
    connection: &mut Connection,
    account: AccountId,
    found: &[String],
) -> Result<Vec<DeviceItem>, StoreError> {
    // Not joins, for which PostgreSQL may choose to read all models for each device.
    let rows: Vec<ItemRow> = query_as(AssertSqlSafe(format!(
        "SELECT d.name, (SELECT m.name FROM models m WHERE m.id = d.model) AS model, d.friendly_name, d.tier, d.status,
                (SELECT s.last_seen FROM device_states s WHERE s.device = d.id) AS last_seen
         FROM {NAMES} {DEVICE_OF_NAME}"
    )))
    .bind(account.0)
    .bind(json_names(found.iter().map(String::as_str)))
    .fetch_all(connection)
    .await?;
    let places: HashMap<&str, usize> = found.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut items = rows.into_iter().map(item).collect::<Result<Vec<_>, _>>()?;
    items.sort_unstable_by_key(|item| places.get(item.name.as_str()));
    Ok(items)
}
