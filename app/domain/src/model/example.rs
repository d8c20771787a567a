//! Values that a device might report, for a person who connects one.

use serde_json::{Map, Number, Value};

use super::ThingModel;

/// How deep an example is. Deeper schemas give no value.
const MAX_DEPTH: usize = 8;

/// The longest text in an example that is made up.
const MAX_TEXT_CHARS: u64 = 64;

impl ThingModel {
    /// A value for each property that a device sends, as far as one can be made up: the first that the definition names
    /// (`const`, `default`, `examples`, `enum`), or a small one of its type. Rules such as `pattern` are not followed.
    pub fn example_values(&self) -> impl Iterator<Item = (&str, Value)> {
        self.properties.iter().filter_map(|(name, schema)| Some((name.as_str(), example(schema, 0)?)))
    }
}

fn example(schema: &Value, depth: usize) -> Option<Value> {
    let schema = schema.as_object().filter(|_| depth < MAX_DEPTH)?;
    let first = |key: &str| schema.get(key)?.as_array()?.first().cloned();
    let named = schema.get("const").or_else(|| schema.get("default")).cloned();
    if let Some(value) = named.or_else(|| first("examples")).or_else(|| first("enum")) {
        return Some(value);
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => Some(true.into()),
        Some("integer") => number(schema, true),
        Some("number") => number(schema, false),
        Some("string") => text(schema),
        Some("array") => list(schema, depth),
        Some("object") => object(schema, depth),
        Some("null") => Some(Value::Null),
        _ => first("oneOf").and_then(|schema| example(&schema, depth + 1)),
    }
}

/// 0, or the nearest number that the limits allow.
fn number(schema: &Map<String, Value>, is_integer: bool) -> Option<Value> {
    let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
    let step = limit("multipleOf").filter(|step| *step > 0.0).unwrap_or(1.0);
    let mut value: f64 = 0.0;
    if let Some(least) = limit("minimum") {
        value = value.max((least / step).ceil() * step);
    }
    if let Some(below) = limit("exclusiveMinimum") {
        value = value.max(((below / step).floor() + 1.0) * step);
    }
    if let Some(most) = limit("maximum") {
        value = value.min((most / step).floor() * step);
    }
    if let Some(above) = limit("exclusiveMaximum") {
        value = value.min(((above / step).ceil() - 1.0) * step);
    }
    // As whole numbers are written: 20, not 20.0.
    let is_whole = value.fract() == 0.0 && value.abs() < 1e15;
    match (is_whole, is_integer) {
        (true, _) => Some((value as i64).into()),
        (false, true) => None,
        (false, false) => Number::from_f64(value).map(Value::Number),
    }
}

fn text(schema: &Map<String, Value>) -> Option<Value> {
    let value = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("date") => "2026-01-31",
        Some("time") => "12:00:00Z",
        Some("email") => "device@example.com",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        Some("uri") => "https://example.com/",
        Some("uuid") => "018f0000-0000-7000-8000-000000000000",
        _ => "text",
    };
    let length = |key: &str| schema.get(key).and_then(Value::as_u64);
    let (least, most) = (length("minLength").unwrap_or(0), length("maxLength").unwrap_or(u64::MAX));
    if least > MAX_TEXT_CHARS {
        return None;
    }
    let padded = value.chars().chain(std::iter::repeat('x'));
    let chars = (value.len() as u64).max(least).min(most) as usize;
    Some(padded.take(chars).collect::<String>().into())
}

fn list(schema: &Map<String, Value>, depth: usize) -> Option<Value> {
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0).min(16) as usize;
    if least == 0 {
        return Some(Value::Array(Vec::new()));
    }
    let items = schema.get("items")?;
    let item = example(items, depth + 1)?;
    Some(Value::Array(vec![item; least]))
}

/// Its required members.
fn object(schema: &Map<String, Value>, depth: usize) -> Option<Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let members = required.map(|name| Some((name.to_owned(), example(properties?.get(name)?, depth + 1)?)));
    members.collect::<Option<Map<_, _>>>().map(Value::Object)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    #[test]
    fn example_follows_the_schema() {
        let check = |schema: &str, expected: &str| {
            let value = example(&serde_json::from_str(schema).unwrap(), 0);
            assert_eq!(value.map(|value| value.to_string()).unwrap_or_default(), expected, "{schema}");
        };
        check(r#"{"type": "number"}"#, "0");
        check(r#"{"type": "number", "minimum": -500, "maximum": -2.5}"#, "-3");
        check(r#"{"type": "number", "minimum": 0.25, "multipleOf": 0.5}"#, "0.5");
        check(r#"{"type": "integer", "exclusiveMinimum": 3}"#, "4");
        check(r#"{"type": "integer", "exclusiveMaximum": -3}"#, "-4");
        check(r#"{"type": "boolean"}"#, "true");
        check(r#"{"type": "null"}"#, "null");
        check(r#"{"type": "string"}"#, r#""text""#);
        check(r#"{"type": "string", "minLength": 6}"#, r#""textxx""#);
        check(r#"{"type": "string", "maxLength": 2}"#, r#""te""#);
        check(r#"{"type": "string", "minLength": 65}"#, "");
        check(r#"{"type": "string", "format": "ipv4"}"#, r#""192.0.2.1""#);
        check(r#"{"enum": ["open", "closed"]}"#, r#""open""#);
        check(r#"{"type": "string", "const": "a", "enum": ["b"]}"#, r#""a""#);
        check(r#"{"type": "number", "default": 20.5}"#, "20.5");
        check(r#"{"oneOf": [{"type": "integer", "minimum": 7}]}"#, "7");
        check(r#"{"type": "array"}"#, "[]");
        check(r#"{"type": "array", "minItems": 2, "items": {"type": "integer"}}"#, "[0,0]");
        check(r#"{"type": "array", "minItems": 2}"#, "");
        let position =
            r#"{"type": "object", "required": ["lat"], "properties": {"lat": {"type": "number"}, "lon": {}}}"#;
        check(position, r#"{"lat":0}"#);
        check(r#"{"type": "object"}"#, "{}");
        check(r#"{"type": "object", "required": ["a"]}"#, "");
        check("{}", "");
        check("true", "");
    }

    #[test]
    fn deep_schema_gives_no_value() {
        let mut schema = r#"{"type": "integer"}"#.to_owned();
        for _ in 0..MAX_DEPTH {
            schema = format!(r#"{{"type": "array", "minItems": 1, "items": {schema}}}"#);
        }
        assert_eq!(example(&serde_json::from_str(&schema).unwrap(), 0), None);
    }
}
