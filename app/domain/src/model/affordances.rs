//! The three kinds of things that a model consists of: properties, events and actions.

use serde_json::{Map, Value};

use super::schema::{self, boolean, text};
use super::{Affordance, Problems, ThingModel, member};
use crate::shown::{shown, shown_char};

/// The most characters of a name. It is a key of every message that a device sends.
const MAX_NAME_CHARS: usize = 128;

/// Reads the properties: each is a data schema with a few words more.
pub(super) fn properties(value: Option<Value>, problems: &mut Problems) -> Vec<Affordance> {
    read("/properties", value, problems, |place, property, problems| {
        schema::check(place, property, problems);
        if let Value::Object(property) = property {
            boolean(place, property, "observable", problems);
            schemas(place, property, "uriVariables", problems);
        }
    })
}

/// Reads the events: the data of each is a data schema.
pub(super) fn events(value: Option<Value>, problems: &mut Problems) -> Vec<Affordance> {
    read("/events", value, problems, |place, event, problems| {
        affordance(place, event, &["subscription", "data", "dataResponse", "cancellation"], problems);
    })
}

/// Reads the actions: what goes in and what comes out are data schemas.
pub(super) fn actions(value: Option<Value>, problems: &mut Problems) -> Vec<Affordance> {
    read("/actions", value, problems, |place, action, problems| {
        affordance(place, action, &["input", "output"], problems);
        if let Value::Object(action) = action {
            for key in ["safe", "idempotent", "synchronous"] {
                boolean(place, action, key, problems);
            }
        }
    })
}

fn read(
    place: &str,
    value: Option<Value>,
    problems: &mut Problems,
    check: impl Fn(&str, &Value, &mut Problems),
) -> Vec<Affordance> {
    let members = match value {
        None => return Vec::new(),
        Some(Value::Object(members)) => members,
        Some(_) => {
            problems.add(place, "This has to be an object with a definition for each name.");
            return Vec::new();
        }
    };
    if members.len() > ThingModel::MAX_AFFORDANCES {
        let (most, found) = (ThingModel::MAX_AFFORDANCES, members.len());
        problems.add(place, format!("There are {found} here, and at most {most} are allowed."));
        return Vec::new();
    }
    for (name, definition) in &members {
        let place = member(place, &shown(name));
        check_name(&place, name, problems);
        check(&place, definition, problems);
    }
    members.into_iter().collect()
}

/// A name is 1 to 128 of `A-Z a-z 0-9 . _ : -`, first a letter, a digit or `_`.
///
/// W3C allows any text. These are safe in a URL, which has the name of an event, and in the heading of a column.
fn check_name(place: &str, name: &str, problems: &mut Problems) {
    let allowed = |it: &char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | ':' | '-');
    if let Some(wrong) = name.chars().find(|it| !allowed(it)) {
        let wrong = shown_char(wrong);
        problems.add(
            place,
            format!("A name here cannot contain {wrong}. The letters A-Z and a-z, digits, and . _ : - are allowed."),
        );
    } else if name.is_empty() {
        problems.add(place, "A name here is empty.");
    } else if name.len() > MAX_NAME_CHARS {
        problems.add(
            place,
            format!("A name here has at most {MAX_NAME_CHARS} characters, and this one has {}.", name.len()),
        );
    } else if name.starts_with(['.', ':', '-']) {
        problems.add(place, "A name here begins with a letter, a digit or _.");
    }
}

fn affordance(place: &str, value: &Value, schema_keys: &[&str], problems: &mut Problems) {
    let Some(object) = schema::object(place, value, problems) else {
        return;
    };
    for key in ["title", "description"] {
        text(place, object, key, problems);
    }
    for key in schema_keys {
        if let Some(value) = object.get(*key) {
            schema::check(&member(place, key), value, problems);
        }
    }
    schemas(place, object, "uriVariables", problems);
}

fn schemas(place: &str, object: &Map<String, Value>, key: &str, problems: &mut Problems) {
    if let Some(value) = object.get(key) {
        schema::check_all(&member(place, key), value, problems);
    }
}
