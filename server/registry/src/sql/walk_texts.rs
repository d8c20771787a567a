//! The next devices of those that the texts have. They give the names that come first in an order; what is not known in
//! memory, the database says of those, some at a time, until there are enough.

use super::{
    Connection,
    few::{self, Source, push_named},
    json_names,
    runs::{self, Placed, Runs},
    selection::{Kind, Selection, push_facets},
    sql,
    walk::{Bound, Found, Key, Way},
};
use crate::{
    errors::StoreError,
    fleet::Sort,
    grid::Grid,
    hits::{Entry, Facets, Hits, Order},
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// How many more devices the first look is at than are asked for: of those that a search finds, some may not match the
/// filter.
const MORE: usize = 150;

/// Each look is at so many times more, since each chooses anew from all that the search found.
const LOOK_GROWTH: usize = 8;

/// The most devices of a look at those that have sent data.
const MAX_LOOK: usize = 20_000;

/// Very many are so many times as many as are few.
const VERY_MANY: u64 = 5;

/// Whether what a search looks into has what this sorts by.
pub(super) fn is_in_texts(sort: Sort) -> bool {
    sort != Sort::LastSeen
}

/// The next of those that the texts have. With `kinds`, of those kinds only.
pub(super) async fn walk_texts(
    connection: &mut Connection,
    grid: &Grid,
    selection: &Selection,
    hits: &Arc<Hits>,
    kinds: Option<&[Kind]>,
    way: &Way,
) -> Result<Found, StoreError> {
    let facets = kinds.map_or(Facets::ALL, |kinds| Facets::that(|facet| kinds.iter().any(|kind| kind.facet == facet)));
    let is_all = kinds.is_none() && !selection.is_beyond_texts();
    let mut look = if is_all { way.limit } else { first_look(way) };
    let (mut from, mut found) = (way.from.clone(), Vec::new());
    loop {
        let (names, last) = first_of(grid, hits, facets, way, from, look).await?;
        let mut statement = sql("SELECT d.id, d.name FROM ");
        push_named(&mut statement, selection.account, json_names(names.iter().map(String::as_str)));
        statement.push(" WHERE 1 = 1");
        if let Some(kinds) = kinds {
            push_facets(&mut statement, kinds);
        }
        selection.push_others(&mut statement);
        let rows: Found = statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let mut ids: HashMap<String, Uuid> = rows.into_iter().map(|(id, name)| (name, id)).collect();
        let is_last = names.len() < look;
        found.extend(names.into_iter().filter_map(|name| Some((ids.remove(&name)?, name))));
        if is_last || found.len() >= way.limit {
            found.truncate(way.limit);
            return Ok(found);
        }
        from = last;
        look *= LOOK_GROWTH;
    }
}

fn first_look(way: &Way) -> usize {
    way.limit + (3 * way.limit).min(MORE)
}

/// The names that come first behind a place, and the place of the last of them.
async fn first_of(
    grid: &Grid,
    hits: &Arc<Hits>,
    facets: Facets,
    way: &Way,
    from: Option<Bound>,
    limit: usize,
) -> Result<(Vec<String>, Option<Bound>), StoreError> {
    let (hits, order) = (hits.clone(), Order { sort: way.sort, is_descending: way.is_descending });
    let first = move || {
        let place = from.as_ref().map(|bound| {
            let (text, number) = match &bound.key {
                Key::Text(text) => (text.as_str(), 0),
                Key::Number(number) => ("", *number),
            };
            // A tier is below 4, and a status below 3.
            let number = number.clamp(-1, 4) as i16;
            let facet = if order.sort == Sort::Tier { number << 1 } else { number << 3 };
            (Entry { name: &bound.name, friendly_name: text, model: text, facet }, bound.is_inclusive)
        });
        let entries = hits.first(order, facets, place, limit);
        let last = entries.last().map(|entry| Bound {
            key: match order.sort {
                Sort::FriendlyName => Key::Text(entry.friendly_name.to_owned()),
                Sort::Model => Key::Text(entry.model.to_owned()),
                Sort::Tier => Key::Number(entry.tier().into()),
                Sort::Status => Key::Number(entry.status().into()),
                Sort::Name | Sort::LastSeen => Key::Number(0),
            },
            name: entry.name.to_owned(),
            is_inclusive: false,
        });
        (entries.into_iter().map(|entry| entry.name.to_owned()).collect(), last)
    };
    grid.scan(first).await
}

/// The next of those that a search finds and that have sent data, of these kinds, by when. The texts do not tell when that
/// was: so the devices that come next are looked at.
///
/// Where those that it finds come late, it would go on for long. So when more were looked at than are few,
/// all that the search finds are fetched; but where it finds very many, they come soon.
pub(super) async fn search_seen(
    connection: &mut Connection,
    grid: &Grid,
    selection: &Selection,
    hits: &Hits,
    kinds: &[Kind],
    way: &Way,
) -> Result<Found, StoreError> {
    let (mut from, mut found, mut looked_at) = (way.from.clone(), Vec::new(), 0);
    let mut look = first_look(way);
    loop {
        let next = runs::walk(connection, selection, Runs::Seen(kinds), &Way { from, limit: look, ..*way }).await?;
        let is_last = next.len() < look;
        looked_at += next.len() as u64;
        from = next.last().map(|(_, name, place)| Bound {
            key: Key::Number(*place),
            name: name.clone(),
            is_inclusive: false,
        });
        found.extend(found_of(connection, selection, next).await?);
        if is_last || found.len() >= way.limit {
            found.truncate(way.limit);
            return Ok(found);
        }
        if looked_at > grid.few && hits.len() as u64 <= VERY_MANY * grid.few {
            let names = json_names(hits.entries().map(|entry| entry.name));
            return few::fetch(connection, selection, &Source::Names(names), Some(kinds), way).await;
        }
        look = (LOOK_GROWTH * look).min(MAX_LOOK);
    }
}

/// Those of these devices that the search finds.
async fn found_of(
    connection: &mut Connection,
    selection: &Selection,
    devices: Vec<Placed>,
) -> Result<Found, StoreError> {
    let mut statement = sql("SELECT d.name, d.friendly_name, m.name FROM ");
    push_named(&mut statement, selection.account, json_names(devices.iter().map(|(_, name, _)| name.as_str())));
    statement.push(" JOIN models m ON m.id = d.model");
    let rows: Vec<(String, Option<String>, String)> =
        statement.build_query_as().persistent(false).fetch_all(connection).await?;
    let finds = |(name, friendly_name, model): &(String, Option<String>, String)| {
        selection.finds(name, friendly_name.as_deref(), model)
    };
    let names: HashSet<String> = rows.into_iter().filter(finds).map(|(name, ..)| name).collect();
    let found = devices.into_iter().filter(|(_, name, _)| names.contains(name));
    Ok(found.map(|(id, name, _)| (id, name)).collect())
}
