//! The query of the grid, in the page's address: so it can be sent to a colleague.

use crate::{fns::Failure, query::path_with};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};
use muster_domain::{
    Cursor, DeviceFilter, DeviceQuery, GroupName, MAX_SILENT_HOURS, ModelName, PagePosition, PricingTier, Sort, Status,
};

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

/// The query of the address. Invalid parameters are ignored, except those of [`address_problem`].
pub(super) fn current_view() -> Memo<DeviceQuery> {
    let query = use_query_map();
    Memo::new(move |_| parse(&query.read()))
}

/// Why no devices can be shown: the address has the name of a model or group that is invalid. Without that filter, a
/// mistyped link would show the whole fleet, ready to be selected.
pub(super) fn address_problem() -> Memo<Option<String>> {
    let query = use_query_map();
    Memo::new(move |_| problem_in(&query.read()))
}

fn problem_in(query: &ParamsMap) -> Option<String> {
    let model = query.get("model").filter(|name| !name.is_empty()).and_then(|name| ModelName::parse(&name).err());
    let groups: Vec<_> = query.get_all("group").unwrap_or_default();
    let mut groups = groups.iter().filter(|name| !name.is_empty());
    let problem = match model {
        Some(problem) => problem.to_string(),
        None => groups.find_map(|name| GroupName::existing(name).err())?.to_string(),
    };
    Some(Failure::Refused(format!("The filter in this page's address is invalid. {problem}")).full_sentence())
}

fn parse(query: &ParamsMap) -> DeviceQuery {
    let text = |name: &str| query.get(name).filter(|value| !value.is_empty());
    let groups = query.get_all("group").unwrap_or_default();
    let filter = DeviceFilter {
        search: text("q"),
        status: text("status").and_then(|word| Status::parse(&word)),
        model: text("model").and_then(|name| ModelName::parse(&name).ok()),
        tier: text("tier").and_then(|word| PricingTier::parse(&word).ok()),
        groups: groups.iter().filter_map(|name| GroupName::existing(name).ok()).collect(),
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
    let cursor = |name: &str| text(name).and_then(|cursor| Cursor::parse(&cursor).ok());
    let position = match (cursor("after"), cursor("before"), text("page").as_deref()) {
        (Some(cursor), _, _) => PagePosition::After(cursor),
        (None, Some(cursor), _) => PagePosition::Before(cursor),
        (None, None, Some("last")) => PagePosition::Last,
        (None, None, _) => PagePosition::First,
    };
    DeviceQuery { filter, sort, is_descending, position, ..DeviceQuery::default() }
}

/// A number of hours that the filter takes.
pub(super) fn parse_hours(text: &str) -> Option<u32> {
    text.parse().ok().filter(|hours| (1..=MAX_SILENT_HOURS).contains(hours))
}

/// The address of a view.
pub(super) fn address(view: &DeviceQuery) -> String {
    let DeviceFilter { search, status, model, tier, groups, never_seen, registration, silent_hours } = &view.filter;
    let registration = registration.map(|id| id.to_string());
    let silent_hours = silent_hours.map(|hours| hours.to_string());
    let sort = format!("{}{}", if view.is_descending { "-" } else { "" }, word(view.sort));
    let cursor = view.position.cursor().map(Cursor::to_string);
    let (after, before, page) = match &view.position {
        PagePosition::First => (None, None, None),
        PagePosition::After(_) => (cursor.as_deref(), None, None),
        PagePosition::Before(_) => (None, cursor.as_deref(), None),
        PagePosition::Last => (None, None, Some("last")),
    };
    let mut parameters = vec![
        ("q", search.as_deref()),
        ("status", status.map(Status::as_str)),
        ("model", model.as_ref().map(ModelName::as_str)),
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
    fn invalid_name_in_the_address_is_a_problem() {
        let problem = |parameter: &'static str, value: &str| {
            let mut query = ParamsMap::new();
            query.insert(parameter, value.to_owned());
            problem_in(&query)
        };
        let ends = |problem: Option<String>, end: &str| problem.is_some_and(|problem| problem.ends_with(end));
        assert!(ends(
            problem("model", "a b"),
            "is invalid. A model name cannot contain a space. The letters A-Z and a-z, digits and _ are allowed, in parts joined by dots."
        ));
        assert!(ends(
            problem("group", "two\nlines"),
            "is invalid. A device group's name is 1 to 128 characters, without line breaks."
        ));
        for (parameter, value) in [("model", ""), ("model", "Contoso.Pump"), ("group", "Hall 3"), ("status", "x")] {
            assert_eq!(problem(parameter, value), None, "{parameter}={value}");
        }
    }

    #[test]
    fn an_address_says_the_whole_view() {
        let check = |view: DeviceQuery, expected: &str| {
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
        check(DeviceQuery::default(), "/devices");
        let filter = DeviceFilter {
            search: Some("a b".to_owned()),
            status: Some(Status::Active),
            model: Some("Contoso.Pump".parse().unwrap()),
            tier: Some(PricingTier::Large),
            groups: vec!["Berlin".parse().unwrap(), "Rome".parse().unwrap()],
            never_seen: true,
            registration: Some(Uuid::nil().into()),
            silent_hours: Some(24),
        };
        check(
            DeviceQuery {
                filter,
                sort: Sort::LastSeen,
                is_descending: true,
                position: PagePosition::After(Cursor::parse("d1~7").unwrap()),
                ..DeviceQuery::default()
            },
            "/devices?q=a%20b&status=Active&model=Contoso.Pump&tier=Large&seen=never&silent=24&registration=00000000-0000-0000-0000-000000000000&group=Berlin&group=Rome&sort=-last-seen&after=d1~7",
        );
        check(
            DeviceQuery { is_descending: true, position: PagePosition::Last, ..DeviceQuery::default() },
            "/devices?sort=-name&page=last",
        );
        check(
            DeviceQuery {
                sort: Sort::Tier,
                position: PagePosition::Before(Cursor::parse("x").unwrap()),
                ..DeviceQuery::default()
            },
            "/devices?sort=tier&before=x",
        );
    }
}
