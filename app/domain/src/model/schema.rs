//! Checks a data schema: what a property's value, or an event's data, may be (TD 1.1, section 5.3.2).

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};

use super::{Problems, member};
use crate::nearest::nearest;
use crate::shown::shown;

/// The types there are, which are those of JSON.
const TYPES: [&str; 7] = ["boolean", "integer", "number", "string", "object", "array", "null"];

/// Names of types in other languages, and what they are here.
const OTHER_NAMES: [(&str, &str); 9] = [
    ("bool", "boolean"),
    ("int", "integer"),
    ("long", "integer"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("text", "string"),
    ("datetime", "string"),
    ("list", "array"),
];

/// Words that restrict a value in some draft of JSON Schema, and that Muster does not apply. To ignore one would be to
/// accept data that its author meant to refuse. Every other word that is not applied is an annotation.
const NOT_APPLIED: [&str; 18] = [
    "$dynamicRef",
    "$recursiveRef",
    "additionalItems",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "disallow",
    "divisibleBy",
    "extends",
    "maxContains",
    "minContains",
    "patternProperties",
    "prefixItems",
    "propertyDependencies",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Checks the schema at `place`, and all within it.
pub(super) fn check(place: &str, value: &Value, problems: &mut Problems) {
    let Some(schema) = object(place, value, problems).filter(|_| problems.admits_schema(place)) else {
        return;
    };
    check_words(place, schema, problems);
    check_type(place, schema, problems);
    for key in ["title", "description", "unit", "format", "pattern", "contentEncoding", "contentMediaType"] {
        text(place, schema, key, problems);
    }
    let read_only = boolean(place, schema, "readOnly", problems);
    let write_only = boolean(place, schema, "writeOnly", problems);
    if read_only == Some(true) && write_only == Some(true) {
        problems
            .add(&member(place, "writeOnly"), "It is readOnly as well, so it could never be used. Remove one of them.");
    }
    boolean(place, schema, "uniqueItems", problems);
    if let Some(Value::String(pattern)) = schema.get("pattern") {
        problems.count_pattern(&member(place, "pattern"), pattern);
    }
    check_limits(place, schema, problems);
    check_lists(place, schema, problems);
    for key in ["not", "if", "then", "else"] {
        if let Some(schema) = schema.get(key) {
            check(&member(place, key), schema, problems);
        }
    }
    match schema.get("additionalProperties") {
        None | Some(Value::Bool(_)) => {}
        Some(others) => check(&member(place, "additionalProperties"), others, problems),
    }
    if let Some(members) = schema.get("properties") {
        check_all(&member(place, "properties"), members, problems);
    }
    match schema.get("items") {
        None => {}
        Some(Value::Array(items)) => check_each(&member(place, "items"), items, problems),
        Some(items) => check(&member(place, "items"), items, problems),
    }
}

/// Checks an object of which every member is a schema.
pub(super) fn check_all(place: &str, value: &Value, problems: &mut Problems) {
    match value {
        Value::Object(members) => {
            for (name, schema) in members {
                check(&member(place, &shown(name)), schema, problems);
            }
        }
        _ => problems.add(place, "This has to be an object with a definition for each name."),
    }
}

fn check_each(place: &str, schemas: &[Value], problems: &mut Problems) {
    for (index, schema) in schemas.iter().enumerate() {
        check(&member(place, &index.to_string()), schema, problems);
    }
}

/// The object at `place`, unless it is something else or only refers to another model.
pub(super) fn object<'a>(place: &str, value: &'a Value, problems: &mut Problems) -> Option<&'a Map<String, Value>> {
    let Value::Object(object) = value else {
        problems.add(place, "This has to be an object, such as { \"type\": \"number\" }.");
        return None;
    };
    if object.contains_key("tm:ref") {
        problems.add(&member(place, "tm:ref"), "Muster does not fetch other models. Copy that definition here.");
        return None;
    }
    Some(object)
}

/// The words that Muster cannot apply.
fn check_words(place: &str, schema: &Map<String, Value>, problems: &mut Problems) {
    if schema.contains_key("$ref") {
        problems.add(
            &member(place, "$ref"),
            "Muster does not follow references in a data schema. Copy that schema here, or refer to another part of \
             this definition with \"tm:ref\".",
        );
    }
    for key in NOT_APPLIED {
        if schema.contains_key(key) {
            problems.add(
                &member(place, key),
                format!("Muster does not check data by `{key}`, so it would accept what this refuses. Remove it."),
            );
        }
    }
}

fn check_type(place: &str, schema: &Map<String, Value>, problems: &mut Problems) {
    let Some(value) = schema.get("type") else {
        return;
    };
    let place = &member(place, "type");
    let types = TYPES.join(", ");
    match value {
        Value::String(name) if TYPES.contains(&name.as_str()) => {}
        Value::String(name) => {
            let folded = name.to_lowercase();
            let other = OTHER_NAMES.iter().find(|(other, _)| *other == folded).map(|(_, known)| *known);
            let meant = other.or_else(|| nearest(name, TYPES.into_iter()));
            let meant = meant.map_or(String::new(), |meant| format!(" Did you mean {meant}?"));
            problems.add(place, format!("`{}` is not a type.{meant} The types are {types}.", shown(name)));
        }
        Value::Array(_) => {
            problems.add(place, "A Thing Model has one type here. For a choice, use \"oneOf\" with a schema for each.");
        }
        _ => problems.add(place, format!("The type has to be one of these, in double quotes: {types}.")),
    }
}

/// The keywords with a number, and each lower limit with its upper one.
fn check_limits(place: &str, schema: &Map<String, Value>, problems: &mut Problems) {
    let minimum = number(place, schema, "minimum", problems);
    let maximum = number(place, schema, "maximum", problems);
    let above = number(place, schema, "exclusiveMinimum", problems);
    let below = number(place, schema, "exclusiveMaximum", problems);
    if let Some(step) = number(place, schema, "multipleOf", problems)
        && step <= 0.0
    {
        problems.add(&member(place, "multipleOf"), "This has to be a number above 0.");
    }
    for (low_key, low, high_key, high, may_be_equal) in [
        ("minimum", minimum, "maximum", maximum, true),
        ("minimum", minimum, "exclusiveMaximum", below, false),
        ("exclusiveMinimum", above, "maximum", maximum, false),
        ("exclusiveMinimum", above, "exclusiveMaximum", below, false),
        (
            "minLength",
            length(place, schema, "minLength", problems),
            "maxLength",
            length(place, schema, "maxLength", problems),
            true,
        ),
        (
            "minItems",
            length(place, schema, "minItems", problems),
            "maxItems",
            length(place, schema, "maxItems", problems),
            true,
        ),
        (
            "minProperties",
            length(place, schema, "minProperties", problems),
            "maxProperties",
            length(place, schema, "maxProperties", problems),
            true,
        ),
    ] {
        if let (Some(low), Some(high)) = (low, high)
            && (low > high || (low == high && !may_be_equal))
        {
            problems.add(
                &member(place, low_key),
                format!("No value fits: {low_key} is {low}, and {high_key} is {high}. Swap or change them."),
            );
        }
    }
}

/// The keywords with an array.
fn check_lists(place: &str, schema: &Map<String, Value>, problems: &mut Problems) {
    if let Some(value) = schema.get("enum") {
        let place = &member(place, "enum");
        match value {
            Value::Array(values) if !values.is_empty() => {
                let mut texts = BTreeSet::new();
                if problems.admits_listed(place, values.len())
                    && values.iter().any(|value| !texts.insert(value.to_string()))
                {
                    problems.add(place, "A value is listed more than once. Remove all but one.");
                }
            }
            _ => problems.add(place, "This has to be an array with the values that are allowed, at least one."),
        }
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        match schema.get(key) {
            None => {}
            Some(Value::Array(schemas)) if !schemas.is_empty() => check_each(&member(place, key), schemas, problems),
            Some(_) => problems.add(&member(place, key), "This has to be an array of schemas, at least one."),
        }
    }
    if let Some(value) = schema.get("required") {
        let place = &member(place, "required");
        match value {
            Value::Array(names) if names.iter().all(Value::is_string) => {
                problems.admits_listed(place, names.len());
            }
            _ => problems.add(
                place,
                "This has to be an array of names next to \"properties\", such as [\"latitude\", \"longitude\"].",
            ),
        }
    }
}

fn number(place: &str, schema: &Map<String, Value>, key: &str, problems: &mut Problems) -> Option<f64> {
    let value = schema.get(key)?;
    let number = value.as_number().and_then(Number::as_f64);
    if number.is_none() {
        wrong(place, key, value, "a number", problems);
    }
    number
}

fn length(place: &str, schema: &Map<String, Value>, key: &str, problems: &mut Problems) -> Option<f64> {
    let value = schema.get(key)?;
    match value.as_u64() {
        // As large as this, one more or less is nothing.
        Some(length) => Some(length as f64),
        None => {
            wrong(place, key, value, "a whole number, 0 or more", problems);
            None
        }
    }
}

/// A member that is `true` or `false`, if it is there.
pub(super) fn boolean(place: &str, object: &Map<String, Value>, key: &str, problems: &mut Problems) -> Option<bool> {
    let value = object.get(key)?;
    if !value.is_boolean() {
        wrong(place, key, value, "true or false, without quotes", problems);
    }
    value.as_bool()
}

/// A member that is a text, if it is there.
pub(super) fn text(place: &str, object: &Map<String, Value>, key: &str, problems: &mut Problems) {
    if let Some(value) = object.get(key)
        && !value.is_string()
    {
        wrong(place, key, value, "text in double quotes", problems);
    }
}

fn wrong(place: &str, key: &str, value: &Value, right: &str, problems: &mut Problems) {
    let sentence = match value {
        Value::String(text) if text.contains("{{") => {
            format!("`{}` is a placeholder. Replace it with {right} before uploading the model.", shown(text))
        }
        _ => format!("This has to be {right}."),
    };
    problems.add(&member(place, key), sentence);
}
