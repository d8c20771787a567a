//! Devices that match and are few: fetched, all of them, by the index that leaves out the most; then sorted.

use super::{
    ACCOUNT_OF_EACH, Connection, DEVICE_OF_ID, DEVICES_OF_KIND, Database, FOUND, FOUND_DEVICES, found_pattern,
    selection::{Kind, MIN_LETTERS, Selection, members, push_ids, registered},
    sql,
    walk::{Columns, Found, Way, push_kind_list},
};
use crate::{errors::StoreError, fleet::Sort};
use sqlx::QueryBuilder;
use uuid::Uuid;

/// How many devices tell whether a search finds many.
const SAMPLE: i64 = 2_000;

/// The most devices that are remembered once the index of three letters has found them; of more, it is asked again.
const MAX_IDS: usize = 1_000;

/// Where matching devices are found. Where there are several sources, no device is in two of them.
pub(super) enum Source {
    /// In the index of three letters, but for those of models that the search finds by name.
    Text,
    /// These, which that index found.
    Ids(Vec<Uuid>),
    /// Side by side, kind by kind. With `has_it`, the search finds them all.
    Kinds { kinds: Vec<Kind>, has_it: bool },
    /// In the selection's groups.
    Groups,
    /// In the selection's registration.
    Registration,
    /// Among all devices of the account.
    All,
}

/// The sources that have the fewest devices, if those are at most `most`.
pub(super) async fn sources(
    connection: &mut Connection,
    selection: &Selection,
    most: u64,
) -> Result<Option<Vec<Source>>, StoreError> {
    let mut best = (selection.devices(), vec![Source::Kinds { kinds: selection.kinds.clone(), has_it: false }]);
    if !selection.groups.is_empty() {
        let devices = members(connection, &selection.groups).await?;
        if devices < best.0 {
            best = (devices, vec![Source::Groups]);
        }
    }
    if let Some(registration) = selection.filter.registration {
        let devices = registered(connection, registration, limit(most)).await?;
        if devices < best.0 {
            best = (devices, vec![Source::Registration]);
        }
    }
    if let Some((devices, text)) = text_sources(connection, selection, most.min(best.0)).await?
        && devices < best.0
    {
        best = (devices, text);
    }
    Ok(Some(best).filter(|(devices, _)| *devices <= most).map(|(_, sources)| sources))
}

/// The source to count many devices in.
pub(super) fn many(selection: &Selection) -> Vec<Source> {
    vec![match () {
        () if selection.search.is_some() => Source::All,
        () if selection.has_kinds() => Source::Kinds { kinds: selection.kinds.clone(), has_it: false },
        () if !selection.groups.is_empty() => Source::Groups,
        () => Source::Registration,
    }]
}

/// Whether a walk meets what is searched for often enough, as far as some devices tell. Where it would not, it may have
/// to look at all of them, in an order that is not that of the table; to read the table and sort is quicker then.
pub(super) async fn is_often(
    connection: &mut Connection,
    selection: &Selection,
    sort: Sort,
) -> Result<bool, StoreError> {
    let mut statement = sql("SELECT COUNT(*) FROM (SELECT d.search, d.model FROM devices AS d WHERE d.account = ");
    statement.push_bind(selection.account).push(" ORDER BY d.name LIMIT ").push(SAMPLE).push(") AS d WHERE 1 = 1");
    selection.push_search(&mut statement);
    let found: i64 = statement.build_query_scalar().persistent(false).fetch_one(connection).await?;
    // What stands in friendly names stands together, in their order.
    let often = if sort == Sort::FriendlyName { SAMPLE / 2 } else { SAMPLE / 20 };
    Ok(found >= often)
}

/// What a search finds, and how many that are, or a few more; nothing, where they are more than `most`.
async fn text_sources(
    connection: &mut Connection,
    selection: &Selection,
    most: u64,
) -> Result<Option<(u64, Vec<Source>)>, StoreError> {
    let Some(search) = selection.search.as_ref().filter(|search| search.text.chars().count() >= MIN_LETTERS) else {
        return Ok(None);
    };
    let kinds = selection.kinds_found();
    let by_model: u64 = kinds.iter().map(|kind| kind.devices).sum();
    if by_model > most {
        return Ok(None);
    }
    let mut statement = sql("SELECT d.id FROM ");
    statement.push(FOUND_DEVICES).push(" WHERE d.account = ").push_bind(selection.account);
    statement.push(FOUND).push_bind(found_pattern(&search.text));
    statement.push(" LIMIT ").push_bind(limit(most - by_model));
    let ids: Vec<Uuid> = statement.build_query_scalar().persistent(false).fetch_all(connection).await?;
    let devices = by_model + ids.len() as u64;
    let mut sources = vec![if ids.len() > MAX_IDS { Source::Text } else { Source::Ids(ids) }];
    if !kinds.is_empty() {
        sources.push(Source::Kinds { kinds, has_it: true });
    }
    Ok(Some((devices, sources)).filter(|_| devices <= most))
}

/// Appends ` FROM` a source ` WHERE` the selection's conditions.
fn push_source(statement: &mut QueryBuilder<Database>, selection: &Selection, source: &Source) {
    statement.push(" FROM ");
    match source {
        Source::Text => statement.push(FOUND_DEVICES),
        Source::Kinds { .. } => statement.push("k ").push(DEVICES_OF_KIND),
        Source::Groups => {
            statement.push("(SELECT DISTINCT device FROM group_members WHERE device_group IN ");
            push_ids(statement, &selection.groups);
            statement.push(") AS v ").push(DEVICE_OF_ID)
        }
        Source::Ids(_) | Source::Registration | Source::All => statement.push("devices AS d"),
    };
    // A sort may ask for more of a device than its row has.
    statement.push(" LEFT JOIN models m ON m.id = d.model LEFT JOIN device_states s ON s.device = d.id WHERE 1 = 1");
    if matches!(source, Source::All) {
        statement.push(" AND ").push(ACCOUNT_OF_EACH).push(" = ").push_bind(selection.account);
    }
    match source {
        Source::Ids(ids) => {
            statement.push(" AND d.id IN ");
            push_ids(statement, ids);
            push_no_model_found(statement, selection);
        }
        Source::Text => {
            statement.push(" AND d.account = ").push_bind(selection.account).push(FOUND);
            statement.push_bind(found_pattern(selection.search.as_ref().map_or("", |search| &search.text)));
            push_no_model_found(statement, selection);
        }
        Source::Kinds { has_it: true, .. } => {}
        _ => selection.push_search(statement),
    }
    if !matches!(source, Source::Kinds { .. }) {
        selection.push_kinds(statement);
    }
    selection.push_others(statement);
}

/// Appends that the search does not find the device `d` by its model.
fn push_no_model_found(statement: &mut QueryBuilder<Database>, selection: &Selection) {
    if let Some(search) = selection.search.as_ref().filter(|search| !search.models.is_empty()) {
        statement.push(" AND d.model NOT IN ");
        push_ids(statement, &search.models);
    }
}

/// One more than so many, as databases take a limit.
pub(super) fn limit(most: u64) -> i64 {
    i64::try_from(most.saturating_add(1)).unwrap_or(i64::MAX)
}

/// Begins a statement with the kinds that its sources name.
fn with_kinds(sources: &[Source]) -> QueryBuilder<Database> {
    let mut statement = sql("");
    for source in sources {
        if let Source::Kinds { kinds, .. } = source {
            statement.push("WITH ");
            push_kind_list(&mut statement, kinds);
        }
    }
    statement
}

/// The next devices, of all that these sources have.
pub(super) async fn fetch(
    connection: &mut Connection,
    selection: &Selection,
    sources: &[Source],
    way: &Way,
) -> Result<Found, StoreError> {
    let key = match way.sort {
        Sort::Name => None,
        Sort::Model => Some("m.name"),
        Sort::FriendlyName => Some("d.friendly_key"),
        Sort::Tier => Some("d.tier"),
        Sort::Status => Some("d.status"),
        Sort::LastSeen => Some("COALESCE(s.last_seen, 0)"),
    };
    let columns = Columns { key, name: "d.name" };
    let mut statement = with_kinds(sources);
    statement.push(" SELECT id, name FROM (");
    for (at, source) in sources.iter().enumerate() {
        statement.push(if at > 0 { " UNION ALL " } else { "" });
        statement.push("SELECT d.id, d.name, ").push(key.unwrap_or("0")).push(" AS place");
        push_source(&mut statement, selection, source);
        if let Some(from) = &way.from {
            columns.push_side(&mut statement, from, way.is_descending);
        }
    }
    statement.push(") AS those");
    Columns { key: Some("place"), name: "name" }.push_order(&mut statement, way.is_descending, way.limit);
    Ok(statement.build_query_as().persistent(false).fetch_all(connection).await?)
}

/// How many devices of the selection these sources have.
pub(super) async fn count(
    connection: &mut Connection,
    selection: &Selection,
    sources: &[Source],
) -> Result<u64, StoreError> {
    let mut statement = with_kinds(sources);
    statement.push(" SELECT COUNT(*) FROM (");
    for (at, source) in sources.iter().enumerate() {
        statement.push(if at > 0 { " UNION ALL " } else { "" });
        statement.push("SELECT 1");
        push_source(&mut statement, selection, source);
    }
    statement.push(") AS those");
    let there: i64 = statement.build_query_scalar().persistent(false).fetch_one(connection).await?;
    Ok(super::count(there))
}
