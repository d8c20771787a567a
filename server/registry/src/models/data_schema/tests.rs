//! Schemas accept and reject data, with clear sentences, in bounded time.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

use super::{MAX_STEPS, Refusal, Schemas, format::Format, pattern::Patterns};
use muster_domain::ThingModel;
use serde_json::Value;

/// A model with these properties.
fn model(properties: &str) -> Result<Schemas, String> {
    let context = r#""@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "tm:ThingModel", "title": "M""#;
    let definition = format!("{{ {context}, \"properties\": {{ {properties} }} }}");
    let compiled = ThingModel::parse(definition.as_bytes()).and_then(|model| Schemas::compile(&model));
    compiled.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// The sentence for `value` if the model's property `p` has this schema; empty if it is allowed.
fn said(schema: &str, value: &str) -> String {
    let schemas = model(&format!("\"p\": {schema}")).unwrap_or_else(|problems| panic!("{schema}: {problems}"));
    let report = serde_json::from_str(&format!("{{ \"p\": {value} }}")).unwrap();
    match schemas.check(&report, MAX_STEPS) {
        Ok(_) => String::new(),
        Err(Refusal::Contradicts { field, sentence }) => {
            assert!(sentence.contains(&field) && sentence.len() < 500, "{sentence}");
            let start = format!("`{field}` contradicts the model definition: ");
            format!("{field}: {}", sentence.strip_prefix(&start).unwrap())
        }
        Err(error) => panic!("{schema} {value}: {error:?}"),
    }
}

#[test]
fn keywords() {
    for (schema, allowed, refused, reason) in [
        (
            r#"{"type": "integer"}"#,
            "[1, -1, 1.0, 1e300, 18446744073709551615, -0.0]",
            r#"[1.5, "1", null, true, [], {}]"#,
            "it has to be an integer",
        ),
        (r#"{"type": "number"}"#, "[1, 1.5]", r#"["1", null]"#, "it has to be a number"),
        (r#"{"type": "boolean"}"#, "[true, false]", r#"[0, "true", null]"#, "it has to be true or false"),
        (r#"{"type": "string"}"#, r#"["", "é"]"#, "[0, null, [], {}]", "it has to be a string"),
        (r#"{"type": "object"}"#, r#"[{}, {"a": 1}]"#, "[0, null, []]", "it has to be an object"),
        (r#"{"type": "array"}"#, "[[], [1]]", "[0, null, {}]", "it has to be an array"),
        (r#"{"type": "null"}"#, "[null]", "[0, false, {}]", "it has to be null"),
        (r#"{"const": 1}"#, "[1, 1.0, 1e0]", r#"[2, "1", true, null]"#, "it has to be 1"),
        (
            r#"{"const": {"b": [1, 2.0], "a": "x"}}"#,
            r#"[{"a": "x", "b": [1.0, 2]}]"#,
            r#"[{"a": "x"}, {"a": "x", "b": [1, 2], "c": 0}]"#,
            r#"it has to be {"a":"x","b":[1,2]}"#,
        ),
        (
            r#"{"enum": ["on", "off", 1, null]}"#,
            r#"["on", "off", 1.0, null]"#,
            r#"["On", "", 2, "1", "onn", ["on"], "a long text"]"#,
            r#"it has to be one of "on", "off", 1, null"#,
        ),
        (r#"{"minimum": 2}"#, r#"[2, 2.0, 3e300, "1"]"#, "[1, 1.999, -3e300]", "it has to be at least 2"),
        (r#"{"exclusiveMinimum": 2}"#, "[2.001, 3]", "[2, 2.0]", "it has to be more than 2"),
        (r#"{"maximum": 2.5}"#, "[2.5, 2]", "[2.501, 3]", "it has to be at most 2.5"),
        (r#"{"exclusiveMaximum": 2}"#, "[1.999, -1]", "[2, 2.0]", "it has to be less than 2"),
        (
            r#"{"maximum": 9007199254740992}"#,
            "[9007199254740992]",
            "[9007199254740993]",
            "it has to be at most 9007199254740992",
        ),
        (
            r#"{"multipleOf": 5}"#,
            "[0, -10, 15, 20.0]",
            "[1, 2.5, 18446744073709551614]",
            "it has to be a multiple of 5",
        ),
        (
            r#"{"multipleOf": 0.01}"#,
            "[19.99, 0.07, 1e300, 4.35, -1.1]",
            "[0.005, 19.991]",
            "it has to be a multiple of 0.01",
        ),
        (r#"{"multipleOf": 5e-324}"#, "[1, 1e308]", "[]", ""),
        (r#"{"multipleOf": 1e308}"#, "[0, 1e308]", "[1]", "it has to be a multiple of 1e+308"),
        (r#"{"minLength": 2}"#, r#"["ab", "éé", 7]"#, r#"["", "é"]"#, "it needs at least 2 characters"),
        (r#"{"maxLength": 2}"#, r#"["", "éé", []]"#, r#"["abc"]"#, "it may have at most 2 characters"),
        (r#"{"maxLength": 18446744073709551615}"#, r#"[""]"#, "[]", ""),
        (
            r#"{"pattern": "^a+$"}"#,
            r#"["a", "aa", 7]"#,
            r#"["", "b", "ab", "a\n"]"#,
            "it has to match the pattern ^a+$",
        ),
        (
            r#"{"format": "date-time"}"#,
            r#"["2026-11-23T08:30:00Z", 7]"#,
            r#"["2026-11-23", "yesterday"]"#,
            "it has to be a date and time such as 2026-11-23T08:30:00Z",
        ),
        (r#"{"format": "my-own"}"#, r#"["anything"]"#, "[]", ""),
        (r#"{"minItems": 1}"#, r#"[[0], "", {}]"#, "[[]]", "it needs at least 1 items"),
        (r#"{"maxItems": 1}"#, "[[], [0]]", "[[0, 0]]", "it may have at most 1 items"),
        (
            r#"{"uniqueItems": true}"#,
            r#"[[], [1, 2, "1", [1], {"a": 1}]]"#,
            r#"[[1, 2, 1.0], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]]"#,
            "its items have to differ from each other",
        ),
        (r#"{"uniqueItems": false}"#, "[[1, 1]]", "[]", ""),
        (r#"{"minProperties": 1}"#, r#"[{"a": 0}, []]"#, "[{}]", "it needs at least 1 members"),
        (r#"{"maxProperties": 1}"#, r#"[{}, {"a": 0}]"#, r#"[{"a": 0, "b": 0}]"#, "it may have at most 1 members"),
        (r#"{"required": ["a", "b"]}"#, r#"[{"a": 0, "b": 0}, []]"#, r#"[{"a": 0}]"#, "`b` is missing"),
        (
            r#"{"oneOf": [{"type": "integer"}, {"minimum": 2}]}"#,
            r#"[1, 2.5, "text"]"#,
            "[2, 1.5]",
            "it has to fit exactly one of the schemas in oneOf",
        ),
        (
            r#"{"anyOf": [{"type": "string"}, {"minimum": 2, "type": "number"}]}"#,
            r#"["", 2]"#,
            "[1, null]",
            "it has to fit one of the schemas in anyOf",
        ),
        (r#"{"allOf": [{"type": "number"}, {"minimum": 2}]}"#, "[2]", "[1]", "it has to be at least 2"),
        (r#"{"not": {"type": "null"}}"#, "[0]", "[null]", "it fits the schema in not, which it must not"),
        (
            r#"{"if": {"type": "string"}, "then": {"maxLength": 1}, "else": {"type": "null"}}"#,
            r#"["a", null]"#,
            r#"["ab"]"#,
            "it may have at most 1 characters",
        ),
        (r#"{"then": {"maxLength": 1}}"#, r#"["ab"]"#, "[]", ""),
    ] {
        let values = |texts: &str| serde_json::from_str::<Vec<Value>>(texts).unwrap();
        for value in values(allowed) {
            assert_eq!(said(schema, &value.to_string()), "", "{schema} {value}");
        }
        for value in values(refused) {
            assert_eq!(said(schema, &value.to_string()), format!("p: {reason}."), "{schema} {value}");
        }
    }
}

#[test]
fn places() {
    let position = r#"{"type": "object", "properties": {"lat": {"type": "number"}, "a/b": {"type": "number"}}, "required": ["lat"], "additionalProperties": false}"#;
    for (schema, value, expected) in [
        (position, r#"{"lat": "north"}"#, "p/lat: it has to be a number."),
        (position, r#"{"lat": 1, "a/b": "x"}"#, "p/a~1b: it has to be a number."),
        (position, r#"{"lat": 1, "lon": 1}"#, "p/lon: the model has no such member here."),
        (position, "{}", "p: `lat` is missing."),
        (r#"{"additionalProperties": {"type": "number"}}"#, r#"{"x": 1, "y": null}"#, "p/y: it has to be a number."),
        (
            r#"{"properties": {"x": {}}, "additionalProperties": {"type": "number"}}"#,
            r#"{"x": null, "y": null}"#,
            "p/y: it has to be a number.",
        ),
        (r#"{"items": {"items": {"type": "number"}}}"#, "[[1], [2, null]]", "p/1/1: it has to be a number."),
        (r#"{"items": [{"type": "number"}, {"type": "string"}]}"#, r#"[1, "x", null]"#, ""),
        (r#"{"items": [{"type": "number"}, {"type": "string"}]}"#, "[1, 2]", "p/1: it has to be a string."),
        (r#"{"items": [{"type": "number"}, {"type": "string"}]}"#, "[1]", ""),
    ] {
        assert_eq!(said(schema, value), expected, "{schema} {value}");
    }
    let key = "k".repeat(10_000);
    let long = said(r#"{"additionalProperties": {"type": "number"}}"#, &format!("{{\"{key}\u{202e}\": null}}"));
    assert!(long.starts_with("p/kkk") && long.len() < 200, "{long}");
    let schemas = model("\"p\": {}").unwrap();
    let unknown = schemas.check(&serde_json::from_str("{\"n\\u001b\": 1}").unwrap(), MAX_STEPS);
    let (field, sentence) = ("n\u{241b}".to_owned(), "The device's model has no property `n\u{241b}`.".to_owned());
    assert_eq!(unknown, Err(Refusal::Contradicts { field, sentence }));
}

#[test]
fn formats() {
    for (name, fitting, others) in [
        (
            "date-time",
            vec![
                "2026-11-23T08:30:00Z",
                "2026-11-23t08:30:00.123456789z",
                "2024-02-29 23:59:60+01:00",
                "2000-02-29T00:00:00-23:59",
            ],
            vec![
                "",
                "2026-11-23",
                "2026-11-23T08:30:00",
                "2026-11-23T24:00:00Z",
                "2026-11-23T08:60:00Z",
                "2026-11-23T08:30:61Z",
                "1900-02-29T00:00:00Z",
                "2026-13-01T00:00:00Z",
                "2026-11-23T08:30:00.Z",
                "2026-11-23T08:30:00+1:00",
                "2026-11-23T08:30:00+24:00",
                "2026-11-23T08:30:00Zx",
                "２026-11-23T08:30:00Z",
            ],
        ),
        (
            "date",
            vec!["2026-11-30", "0000-01-01"],
            vec!["2026-11-31", "2026-1-1", "26-11-23", "2026-11-00", "2026-00-01", "+2026-1-01", "2026-11-23 "],
        ),
        (
            "time",
            vec!["08:30:00Z", "08:30:00.5+05:30"],
            vec!["08:30:00", "08:30Z", "8:30:00Z", "08:30:00 Z", "Z", "08:30:00+", "08:30:00-é"],
        ),
        ("email", vec!["a@b", "joe.bloggs+x@example.com", "\"a@b\"@c"], vec!["", "a", "@b", "a@", "a b@c", "a@b\n"]),
        ("ipv4", vec!["192.0.2.1"], vec!["192.0.2", "192.0.2.256", "192.0.2.01", "::1"]),
        ("ipv6", vec!["::", "2001:db8::1", "::ffff:192.0.2.1"], vec!["192.0.2.1", ":::", "fe80::1%eth0"]),
        (
            "uri",
            vec!["https://example.com/ä?b#c", "urn:dev:ops:1", "a:"],
            vec!["", "/path", "1a:b", "a b:c", "https://a b", ":x"],
        ),
        (
            "uuid",
            vec!["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
            vec![
                "",
                "123e4567e89b12d3a456426614174000",
                "{123e4567-e89b-12d3-a456-426614174000}",
                "123e4567-e89b-12d3-a456-42661417400g",
            ],
        ),
    ] {
        let format = Format::named(name).unwrap();
        for text in fitting {
            assert!(format.fits(text), "{name} {text:?}");
        }
        for text in others {
            assert!(!format.fits(text), "{name} {text:?}");
        }
    }
    assert_eq!(Format::named("hostname"), None);
}

/// The patterns are those of ECMAScript.
#[test]
fn patterns() {
    for (pattern, matching, others) in [
        ("^[A-Z]{2}\\d{4}$", vec!["AB1234"], vec!["AB123", "AB12345", "xAB1234", "AB１234"]),
        ("b", vec!["abc"], vec!["", "B"]),
        ("^\\w+$", vec!["a_1"], vec!["é", "a-1"]),
        ("^\\W\\D\\S$", vec!["-a-"], vec!["a1 ", "é\u{a0}\u{a0}"]),
        ("^[\\w-]+$", vec!["a-b"], vec!["a b"]),
        ("^[\\w.-]+@[\\w-]+$", vec!["a.b-c@d-e"], vec!["a@"]),
        ("^[[&~a]+$", vec!["[&~a"], vec!["b"]),
        ("^[\\]\\\\]$", vec!["]", "\\"], vec!["["]),
        ("\\bon\\b", vec!["is on now", "éoné"], vec!["once"]),
        ("on\\B", vec!["once"], vec!["on"]),
        ("^\\s$", vec![" ", "\u{a0}", "\u{feff}", "\n"], vec!["", "a"]),
        ("^[\\s]$", vec![" "], vec!["s"]),
        ("^[\\b]$", vec!["\u{8}"], vec!["b"]),
        ("^\\u00e9\\x41\\/\\-$", vec!["éA/-"], vec!["e"]),
        ("^\\p{Lu}\\p{L}*$", vec!["Éa"], vec!["éa"]),
        ("^.{2}$", vec!["éé"], vec!["é"]),
        ("^(a|b)*$", vec!["", "abba"], vec!["c"]),
        ("^(?:a|b)(?<name>c)$", vec!["ac"], vec!["a"]),
        ("", vec!["", "é"], vec![]),
        ("^(a+)+$", vec!["aaa"], vec!["aaab"]),
        ("^\\(?in\\)?$", vec!["in", "(in)"], vec!["(out)"]),
        ("^[(?a-z]+$", vec!["(?i"], vec!["I"]),
    ] {
        let mut patterns = Patterns::default();
        let number = patterns.add("/", pattern).unwrap_or_else(|problem| panic!("{pattern}: {problem}"));
        let mut caches = super::pattern::Caches::default();
        for text in matching {
            assert!(patterns.is_match(number, text, &mut caches), "{pattern} {text:?}");
        }
        for text in others {
            assert!(!patterns.is_match(number, text, &mut caches), "{pattern} {text:?}");
        }
    }
}

#[test]
fn patterns_that_cannot_be_used() {
    const TOO_LARGE: &str = "With this pattern, those of the model are too large to be checked quickly.";
    let property = |pattern: &str| format!("\"type\": \"string\", \"pattern\": {}", Value::from(pattern));
    for (pattern, reason) in [
        ("(", "This pattern cannot be used: unclosed group."),
        ("a**{", "This pattern cannot be used:"),
        ("\\", "This pattern cannot be used:"),
        ("[z-a]", "This pattern cannot be used: invalid character class range"),
        ("(?i)a", "This pattern cannot be used: flags, such as (?i), are not supported."),
        ("a\\\\(?i:b)", "This pattern cannot be used: flags"),
        ("[](?i)]", "This pattern cannot be used: flags"),
        ("(?=a)b", "This pattern cannot be used: look-around, including look-ahead and look-behind, is not supported."),
        ("(?<!a)b", "This pattern cannot be used: look-around"),
        ("(a)\\1", "This pattern cannot be used: backreferences are not supported."),
        ("\\p{Nonsense}", "This pattern cannot be used: Unicode property not found."),
        (&"(".repeat(500), "This pattern cannot be used:"),
        (
            &format!("{}{}", "(".repeat(100), ")".repeat(100)),
            "This pattern cannot be used: exceed the maximum number of nested",
        ),
        ("\\p{L}{180}", TOO_LARGE),
        ("((a{100}){100}){100}", TOO_LARGE),
        ("a{1000000}", TOO_LARGE),
        ("(a?){50000}a{50000}", TOO_LARGE),
        ("(?:.{0,1000}x){1000}", TOO_LARGE),
        ("a{4294967295}", TOO_LARGE),
        ("[\\p{L}\\p{N}]{500}", TOO_LARGE),
    ] {
        let problem = model(&format!("\"p\": {{ {} }}", property(pattern))).err().unwrap();
        assert!(problem.starts_with(&format!("/properties/p/pattern: {reason}")), "{pattern:.40}: {problem}");
        assert!(problem.len() < 400, "{problem}");
    }
    // What one must not be, many must not be together; the same one is compiled once.
    let many = |pattern: &dyn Fn(usize) -> String| {
        let properties: Vec<_> =
            (0..90).map(|number| format!("\"p{number}\": {{ {} }}", property(&pattern(number)))).collect();
        model(&properties.join(","))
    };
    assert!(many(&|number| format!("[\\p{{L}}]{{{}}}", 1 + number)).err().unwrap().contains(TOO_LARGE));
    let one = many(&|_| "^\\p{L}{20}$".to_owned()).ok().unwrap();
    assert!(one.patterns.bytes() < 1024 * 1024);
    assert!(many(&|number| format!("^[A-Za-z]{{1,{}}}-\\d{{4}}$", 1 + number)).is_ok());
}

/// However a model and a report are made, the check ends within its steps.
#[test]
fn hostile_models_and_reports() {
    const BYTES: usize = 256 * 1024;
    let repeated = |item: &str, with: &str| format!("[{}]", vec![item; (BYTES - 10) / (item.len() + 1)].join(with));
    let digits = repeated("1", ",");
    let small_objects = repeated(r#"{"":1}"#, ",");
    let distinct = format!("[{}]", (100_000..137_000).map(|it| it.to_string()).collect::<Vec<_>>().join(","));
    let text = format!("\"{}\"", "a".repeat(BYTES - 10));
    let long_key = format!("{{\"{}\": 1}}", "k".repeat(BYTES - 20));
    let nested = format!("{}{}", "[".repeat(120), "]".repeat(120));
    let wide =
        |keyword: &str, schema: &str, count: usize| format!(r#"{{"{keyword}": [{}]}}"#, vec![schema; count].join(","));
    let items = |schema: &str| format!(r#"{{"items": {schema}}}"#);
    let nest = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    let listed: Vec<_> = (0..9_000).map(|number| format!("\"{number:08}\"")).collect();
    let required: Vec<_> = (0..9_000).map(|number| format!("\"r{number}\"")).collect();
    let long_constant = format!(r#"{{"not": {{"const": "{}"}}}}"#, "a".repeat(100_000));
    for (kind, schema, report) in [
        ("many schemas for each item", items(&wide("allOf", "{}", 4_000)), &digits),
        ("many schemas of which none fits", items(&wide("oneOf", r#"{"type": "null"}"#, 4_000)), &digits),
        ("many schemas of which the last fits", items(&wide("anyOf", r#"{"not": {}}"#, 2_400)), &digits),
        ("nested choices", items(&nest(r#"{"oneOf": [{}, {"anyOf": ["#, "{}", "]}]}", 7)), &digits),
        ("nested negations", items(&nest(r#"{"not": "#, "{}", "}", 14)), &digits),
        ("nested conditions", items(&nest(r#"{"if": {}, "then": "#, "{}", "}", 20)), &digits),
        ("a large enum", items(&format!(r#"{{"enum": [{}]}}"#, listed.join(","))), &distinct),
        ("an enum that a large value has to be compared with", wide("allOf", &long_constant, 9), &text),
        (
            "a long list of what is required",
            items(&format!(r#"{{"required": [{}]}}"#, required.join(","))),
            &small_objects,
        ),
        ("items that have to differ", r#"{"uniqueItems": true}"#.to_owned(), &distinct),
        ("items that have to differ, many times", wide("allOf", r#"{"uniqueItems": true}"#, 4_000), &distinct),
        ("large items that have to differ", items(r#"{"uniqueItems": true}"#), &format!("[{digits}]")),
        ("an automaton for a long text", r#"{"pattern": "(a?){300}a{300}b"}"#.to_owned(), &text),
        (
            "many automata for a long text",
            format!(
                r#"{{"allOf": [{}]}}"#,
                (1..90).map(|it| format!(r#"{{"pattern": "a{{{it}}}b"}}"#)).collect::<Vec<_>>().join(",")
            ),
            &text,
        ),
        ("an automaton for many short texts", items(r#"{"pattern": "(a?){1000}a{1000}b"}"#), &repeated("\"a\"", ",")),
        ("lengths of a long text", wide("allOf", r#"{"maxLength": 1000000, "minLength": 1}"#, 4_000), &text),
        ("formats of a long text", wide("allOf", r#"{"format": "uri"}"#, 4_000), &text),
        ("a long key", wide("allOf", r#"{"additionalProperties": {}}"#, 2_000), &long_key),
        ("deep nesting", nest(r#"{"items": "#, "{}", "}", 27), &nested),
        (
            "numbers at the limits",
            items(r#"{"multipleOf": 5e-324, "minimum": -1e308, "maximum": 1e308}"#),
            &repeated("1e308", ","),
        ),
        ("long numbers", items(r#"{"type": "integer", "multipleOf": 3}"#), &repeated(&"9".repeat(300), ",")),
    ] {
        let schemas = model(&format!("\"p\": {schema}")).unwrap_or_else(|problems| panic!("{kind}: {problems}"));
        let report = format!("{{\"p\":{report}}}");
        assert!(report.len() <= BYTES + 10, "{kind}: {}", report.len());
        let report = serde_json::from_str(&report).unwrap();
        match schemas.check(&report, MAX_STEPS) {
            Ok(steps) => assert!(steps <= MAX_STEPS, "{kind}"),
            Err(Refusal::TooManySteps { field }) => assert_eq!(field, "p", "{kind}"),
            Err(Refusal::Contradicts { sentence, .. }) => assert!(sentence.len() < 500, "{kind}: {sentence}"),
        }
        // Whether a check ends does not depend on how many steps it may take, and neither does what it says if it does.
        assert!(matches!(schemas.check(&report, 0), Err(Refusal::TooManySteps { .. })), "{kind}");
    }
}

#[test]
fn models_as_they_are_written_are_accepted() {
    for definition in [
        include_str!("../../../../../app/domain/tests/models/lamp.json"),
        include_str!("../../../../../app/domain/tests/models/meter.json"),
        include_str!("../../../../../app/domain/tests/models/aircraft.json"),
    ] {
        let model = ThingModel::parse(definition.as_bytes()).unwrap();
        if let Err(problems) = Schemas::compile(&model) {
            panic!("{problems:?}");
        }
    }
}

/// Large reports of honest devices take a small part of the steps.
#[test]
fn honest_reports() {
    let steps = |schema: &str, report: String| {
        let schemas = model(&format!("\"p\": {schema}")).unwrap();
        assert!(report.len() <= 256 * 1024, "{}", report.len());
        schemas.check(&serde_json::from_str(&report).unwrap(), MAX_STEPS).unwrap()
    };
    let list = |item: &dyn Fn(usize) -> String, count: usize| {
        format!("{{\"p\":[{}]}}", (0..count).map(item).collect::<Vec<_>>().join(","))
    };
    let samples = steps(
        r#"{"type": "array", "items": {"type": "number", "minimum": -1000, "maximum": 1000}}"#,
        list(&|it| format!("{:.2}", it % 900), 37_000),
    );
    let track = steps(
        r#"{"type": "array", "items": {"type": "object", "required": ["t", "lat", "lon"], "additionalProperties": false, "properties": {
            "t": {"type": "string", "format": "date-time"}, "lat": {"type": "number", "minimum": -90, "maximum": 90},
            "lon": {"type": "number", "minimum": -180, "maximum": 180}}}}"#,
        list(
            &|it| format!(r#"{{"t":"2026-11-23T08:30:{:02}Z","lat":{}.5,"lon":{}.25}}"#, it % 60, it % 90, it % 180),
            4_500,
        ),
    );
    let codes = steps(
        r#"{"items": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"}}"#,
        list(&|it| format!("\"AB-{it:04}\""), 9_999),
    );
    let choices = steps(
        r#"{"items": {"oneOf": [{"type": "string", "enum": ["on", "off", "auto"]}, {"type": "integer"}, {"type": "null"}]}}"#,
        list(&|it| ["\"on\"", "7", "null"][it % 3].to_owned(), 50_000),
    );
    let payload = steps(
        r#"{"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/]*=*$"}"#,
        format!("{{\"p\":\"{}==\"}}", "Ab+/".repeat(60_000)),
    );
    for (kind, steps) in
        [("samples", samples), ("track", track), ("codes", codes), ("choices", choices), ("payload", payload)]
    {
        assert!(steps < MAX_STEPS / 4, "{kind}: {steps}");
    }
}

/// The largest that the limits of a model allow, of each kind. The cache has room for several of them.
#[test]
fn the_memory_of_a_model_is_bounded() {
    let many =
        |item: &dyn Fn(usize) -> String, count: usize, with: &str| (0..count).map(item).collect::<Vec<_>>().join(with);
    for (kind, properties) in [
        (
            "properties",
            many(
                &|it| {
                    format!(
                        r#""p{it}": {{"type": "object", "properties": {{"a": {{}}, "b": {{}}, "c": {{}}, "d": {{}}}}}}"#
                    )
                },
                1_000,
                ",",
            ),
        ),
        (
            "rules",
            many(
                &|it| {
                    format!(
                        r#""p{it}": {{"minimum": 1, "maximum": 2, "multipleOf": 3, "minLength": 1, "maxLength": 2, "minItems": 1, "maxItems": 2, "uniqueItems": true, "format": "uri"}}"#
                    )
                },
                1_000,
                ",",
            ),
        ),
        ("listed values", format!(r#""p": {{"enum": [{}]}}"#, many(&|it| format!("\"{it:080}\""), 10_000, ","))),
        ("long constants", many(&|it| format!(r#""p{it}": {{"const": "{}"}}"#, "x".repeat(900)), 1_000, ",")),
        (
            "choices",
            format!(
                r#""p": {{"oneOf": [{}]}}"#,
                many(&|_| r#"{"type": "object", "properties": {"a": {}}}"#.to_owned(), 2_490, ",")
            ),
        ),
        ("patterns", many(&|it| format!(r#""p{it}": {{"pattern": "^[\\p{{L}}]{{1,{}}}$"}}"#, it + 1), 10, ",")),
    ] {
        let schemas = model(&properties).unwrap_or_else(|problems| panic!("{kind}: {problems:.300}"));
        assert!((100_000..8 * 1024 * 1024).contains(&schemas.bytes()), "{kind}: {}", schemas.bytes());
    }
}
