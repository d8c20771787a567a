//! The grid's view, as it stands in the address: so it can be sent to a colleague.

use crate::{
    fns::devices::{DeviceFilter, DeviceView, MAX_SILENT_HOURS, Place, Sort, Status},
    query::path_with,
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};
use muster_domain::PricingTier;

/// A sort's word in the address; the last first has a `-` before it.
fn word(sort: Sort) -> &'static str {
    match sort {
        Sort::Name => "name",
        Sort::Model => "model",
        Sort::FriendlyName => "friendly-name",
        Sort::Tier => "tier",
        Sort::Status => "status",
        Sort::LastSeen => "last-seen",
    }
}

/// The view of the address. Invalid parameters are ignored.
pub(super) fn current_view() -> Memo<DeviceView> {
    let query = use_query_map();
    Memo::new(move |_| parse(&query.read()))
}

fn parse(query: &ParamsMap) -> DeviceView {
    let text = |name: &str| query.get(name).filter(|value| !value.is_empty());
    let filter = DeviceFilter {
        search: text("q"),
        status: text("status").and_then(|word| Status::parse(&word)),
        model: text("model"),
        tier: text("tier").and_then(|word| PricingTier::parse(&word).ok()),
        groups: query.get_all("group").unwrap_or_default().into_iter().filter(|name| !name.is_empty()).collect(),
        never_seen: text("seen").as_deref() == Some("never"),
        registration: text("registration").and_then(|id| id.parse().ok()),
        silent_hours: text("silent").and_then(|hours| parse_hours(&hours)),
    };
    let sorted = text("sort").unwrap_or_default();
    let (is_descending, sorted) = match sorted.strip_prefix('-') {
        Some(sorted) => (true, sorted),
        None => (false, sorted.as_str()),
    };
    let sort = Sort::ALL.into_iter().find(|sort| word(*sort) == sorted).unwrap_or_default();
    let place = match (text("after"), text("before"), text("page").as_deref()) {
        (Some(cursor), _, _) => Place::After(cursor),
        (None, Some(cursor), _) => Place::Before(cursor),
        (None, None, Some("last")) => Place::Last,
        (None, None, _) => Place::First,
    };
    DeviceView { filter, sort, is_descending, place }
}

/// A number of hours that the filter takes.
pub(super) fn parse_hours(text: &str) -> Option<u32> {
    text.parse().ok().filter(|hours| (1..=MAX_SILENT_HOURS).contains(hours))
}

/// The address of a view.
pub(super) fn address(view: &DeviceView) -> String {
    let DeviceFilter { search, status, model, tier, groups, never_seen, registration, silent_hours } = &view.filter;
    let registration = registration.map(|id| id.to_string());
    let silent_hours = silent_hours.map(|hours| hours.to_string());
    let sort = format!("{}{}", if view.is_descending { "-" } else { "" }, word(view.sort));
    let (after, before, page) = match &view.place {
        Place::First => (None, None, None),
        Place::After(cursor) => (Some(cursor.as_str()), None, None),
        Place::Before(cursor) => (None, Some(cursor.as_str()), None),
        Place::Last => (None, None, Some("last")),
    };
    let mut parameters = vec![
        ("q", search.as_deref()),
        ("status", status.map(Status::as_str)),
        ("model", model.as_deref()),
        ("tier", tier.map(PricingTier::as_str)),
        ("seen", never_seen.then_some("never")),
        ("silent", silent_hours.as_deref()),
        ("registration", registration.as_deref()),
    ];
    parameters.extend(groups.iter().map(|group| ("group", Some(group.as_str()))));
    parameters.extend([
        ("sort", Some(sort.as_str()).filter(|sort| *sort != word(Sort::Name))),
        ("after", after),
        ("before", before),
        ("page", page),
    ]);
    path_with("/devices", &parameters)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_address_says_the_whole_view() {
        let check = |view: DeviceView, expected: &str| {
            let there = address(&view);
            assert_eq!(there, expected);
            let mut query = ParamsMap::new();
            for pair in there.split_once('?').map_or("", |(_, query)| query).split('&').filter(|pair| !pair.is_empty())
            {
                let (name, value) = pair.split_once('=').unwrap();
                query.insert(name.to_owned(), value.replace("%20", " ").replace("%7E", "~"));
            }
            assert_eq!(parse(&query), view);
        };
        check(DeviceView::default(), "/devices");
        let filter = DeviceFilter {
            search: Some("a b".to_owned()),
            status: Some(Status::Active),
            model: Some("Contoso.Pump".to_owned()),
            tier: Some(PricingTier::Large),
            groups: vec!["Berlin".to_owned(), "Rome".to_owned()],
            never_seen: true,
            registration: Some(Uuid::nil()),
            silent_hours: Some(24),
        };
        check(
            DeviceView { filter, sort: Sort::LastSeen, is_descending: true, place: Place::After("d1~7".to_owned()) },
            "/devices?q=a%20b&status=Active&model=Contoso.Pump&tier=Large&seen=never&silent=24&registration=00000000-0000-0000-0000-000000000000&group=Berlin&group=Rome&sort=-last-seen&after=d1~7",
        );
        check(
            DeviceView { is_descending: true, place: Place::Last, ..DeviceView::default() },
            "/devices?sort=-name&page=last",
        );
        check(
            DeviceView { sort: Sort::Tier, place: Place::Before("x".to_owned()), ..DeviceView::default() },
            "/devices?sort=tier&before=x",
        );
    }
}
