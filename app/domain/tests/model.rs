//! What a model definition may be, and everything that can be wrong with one.

use insta::assert_snapshot;
use muster_domain::ThingModel;

const CONTEXT: &str = r#""@context": "https://www.w3.org/2022/wot/td/v1.1""#;

/// What a person is told about these bytes, or the model in them.
fn told(bytes: impl AsRef<[u8]>) -> String {
    match ThingModel::parse(bytes.as_ref()) {
        Err(problems) => problems.iter().map(|problem| format!("{problem}\n")).collect(),
        Ok(model) => {
            let names = |of: &[muster_domain::Affordance]| {
                of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(" ")
            };
            let (properties, events, actions) = (names(&model.properties), names(&model.events), names(&model.actions));
            format!("{}: {:?}\n[{properties}] [{events}] [{actions}]", model.name, model.description)
        }
    }
}

/// A model of these further members.
fn model(members: &str) -> String {
    told(format!("{{ {CONTEXT}, \"@type\": \"tm:ThingModel\", \"title\": \"M\", {members} }}"))
}

/// A model of one property, which is this schema.
fn property(schema: &str) -> String {
    model(&format!("\"properties\": {{ \"it\": {schema} }}"))
}

#[test]
fn a_model() {
    assert_snapshot!(told(
        r#"{
            "@context": ["https://www.w3.org/2022/wot/td/v1.1", { "saref": "https://w3id.org/saref#" }],
            "@type": ["saref:LightSwitch", "tm:ThingModel"],
            "title": "Contoso.Aircraft.AircraftModel",
            "description": "An aircraft — é",
            "version": { "model": "1.0.0" },
            "properties": {
                "position": {
                    "type": "object", "required": ["latitude"], "readOnly": true, "observable": true,
                    "properties": {
                        "latitude": { "type": "number", "minimum": -90, "maximum": 90 },
                        "longitude": { "type": "number", "minimum": -180, "exclusiveMaximum": 180 }
                    }
                },
                "altitude": { "type": "number", "unit": "m", "minimum": -500, "maximum": -500, "multipleOf": 0.5 },
                "phase": { "enum": ["taxi", "climb", null, 1] },
                "legs": { "type": "array", "items": [{ "type": "string", "minLength": 1, "maxLength": 4 }], "minItems": 0 },
                "any": { "oneOf": [{ "type": "null" }, { "const": 5 }] }
            },
            "events": { "overheated": { "data": { "type": "number" }, "forms": [] } },
            "actions": { "land": { "input": { "type": "boolean" }, "safe": false } },
            "links": [{ "rel": "license", "href": "x" }],
            "tm:optional": ["/events/overheated"]
        }"#
    ), @r#"
    Contoso.Aircraft.AircraftModel: Some("An aircraft — é")
    [altitude any legs phase position] [overheated] [land]
    "#);
    assert_snapshot!(told(r#"{"@context":"https://www.w3.org/2019/wot/td/v1","@type":"tm:ThingModel","title":"M"}"#), @"
    M: None
    [] [] []
    ");
    assert_eq!(
        told(format!("\u{feff}{{ {CONTEXT}, \"@type\": \"tm:ThingModel\", \"title\": \"M\" }}")),
        "M: None\n[] [] []"
    );
}

#[test]
fn not_json() {
    assert_snapshot!(told(""), @"line 1, column 1: The file is empty. A model definition is a JSON object.");
    assert_snapshot!(told(" \n"), @"line 1, column 1: The file is empty. A model definition is a JSON object.");
    assert_snapshot!(told("hello"), @"line 1, column 1: This isn't a JSON file: expected value.");
    assert_snapshot!(told("{\n  \"é日\": 1,,\n}"), @"line 2, column 11: This isn't a JSON file: key must be a string.");
    assert_snapshot!(told("{\n  \"a\": [1, 2,]\n}"), @"line 2, column 14: This isn't a JSON file: trailing comma.");
    assert_snapshot!(told("{ \"a\": {"), @"line 1, column 8: The file ends too early (EOF while parsing an object). Is part of it missing?");
    assert_snapshot!(told("{} {}"), @"line 1, column 4: This isn't a JSON file: trailing characters.");
    assert_snapshot!(told("{\"a\": \"two\nlines\"}"), @r"line 2, column 1: This isn't a JSON file: control character (\u0000-\u001F) found while parsing a string.");
    assert_snapshot!(told("{'a': 1}"), @"line 1, column 2: This isn't a JSON file: key must be a string.");
    assert_snapshot!(told("{\"a\": 1e999}"), @"line 1, column 11: This isn't a JSON file: number out of range.");
    assert_snapshot!(told(b"{\n\"title\": \"Z\xfcrich\"}"), @"line 2, column 12: The file is not UTF-8 here. Save it again with the encoding UTF-8.");
    assert_snapshot!(told("[]"), @"line 1, column 1: A model definition must be a JSON object: it begins with { and ends with }.");
    assert_snapshot!(told(vec![b' '; ThingModel::MAX_BYTES + 1]), @"line 1, column 1: A model definition has at most 1 MiB. Is this the right file?");
}

#[test]
fn too_deep() {
    let deep = |levels: usize| format!("\"x\": {}{}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert_snapshot!(model(&deep(ThingModel::MAX_DEPTH)), @"
    M: None
    [] [] []
    ");
    assert_snapshot!(model(&deep(ThingModel::MAX_DEPTH + 1)), @"line 1, column 131: Objects and arrays are nested deeper than 32 levels here.");
    assert_snapshot!(model(&deep(100_000)), @"line 1, column 130: Objects and arrays are nested deeper than 32 levels here.");
}

#[test]
fn a_key_twice() {
    assert_snapshot!(model(r#""title": "N", "properties": { "a/b~": {}, "c": { "type": "null", "type": "null" } }, "x": [{}, {"y": 1, "y": 2}]"#), @"
    /title: This key appears more than once in its object. Remove all but one.
    /properties/c/type: This key appears more than once in its object. Remove all but one.
    /x/1/y: This key appears more than once in its object. Remove all but one.
    /properties/a~1b~0: A name here cannot contain `/`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    ");
}

#[test]
fn not_a_thing_model() {
    assert_snapshot!(told("{}"), @r#"
    /@context: Add `"@context": "https://www.w3.org/2022/wot/td/v1.1"`.
    /@type: Add `"@type": "tm:ThingModel"`.
    /title: The title is missing. Add "title" with the model's name, such as Contoso.Aircraft.AircraftModel.
    "#);
    assert_snapshot!(told(r#"{ "@context": "https://www.w3.org/2022/wot/td/v1.1", "title": "MyLamp", "id": "urn:x", "security": "none", "@type": "Thing" }"#), @r#"/@type: This is a Thing Description, which describes one device. A model definition describes all devices of a kind: remove what describes the one device (id, security, base, forms), and add `"@type": "tm:ThingModel"`."#);
    assert_snapshot!(told(r#"{ "@context": 7, "@type": 7, "title": 7, "description": 7, "properties": [], "events": 1, "actions": null }"#), @r#"
    /@context: Add `"@context": "https://www.w3.org/2022/wot/td/v1.1"`.
    /@type: Add `"@type": "tm:ThingModel"`.
    /title: The title must be text in double quotes: the model's name.
    /description: The description must be text in double quotes.
    /properties: This has to be an object with a definition for each name.
    /events: This has to be an object with a definition for each name.
    /actions: This has to be an object with a definition for each name.
    "#);
    assert_snapshot!(told(format!(r#"{{ {CONTEXT}, "@type": "tm:ThingModel", "title": "Lamp Thing" }}"#)), @"/title: `Lamp Thing` isn't a valid model name. A model name cannot contain a space. The letters A-Z and a-z, digits and _ are allowed, in parts joined by dots.");
    assert_snapshot!(told(format!(r#"{{ {CONTEXT}, "@type": "tm:ThingModel", "title": "" }}"#)), @"/title: The title is empty. It is the model's name, such as Contoso.Aircraft.AircraftModel.");
}

#[test]
fn what_is_elsewhere() {
    assert_snapshot!(model(r#""links": [{ "rel": "type" }, { "rel": "tm:extends", "href": "x" }], "properties": { "a": { "tm:ref": "x#/y" } }, "events": { "b": { "data": { "tm:ref": "x" } } }"#), @"
    /links/1: Muster does not fetch the model that this one extends. Copy its parts into this definition, and remove the link.
    /properties/a/tm:ref: Muster does not fetch other models. Copy that definition here.
    /events/b/data/tm:ref: Muster does not fetch other models. Copy that definition here.
    ");
}

/// Thing Models as their authors write them, in the manner of the examples of TD 1.1 and of vendors' catalogues.
#[test]
fn models_as_they_are_written_are_accepted() {
    for (definition, properties) in [
        (include_str!("models/lamp.json"), 4),
        (include_str!("models/meter.json"), 13),
        (include_str!("models/aircraft.json"), 3),
    ] {
        match ThingModel::parse(definition.as_bytes()) {
            Ok(model) => assert_eq!(model.properties.len(), properties, "{}", model.name),
            Err(problems) => assert_eq!(problems, [], "{definition:.200}"),
        }
    }
}

#[test]
fn references_within_the_definition() {
    // The example of TD 1.1, section 9.3.3.
    let generic = r#""genericTemperature": { "type": "number", "unit": "C" }"#;
    let properties = |members: &str| {
        let definition = format!(
            "{{ {CONTEXT}, \"@type\": \"tm:ThingModel\", \"title\": \"M\", \"schemaDefinitions\": {{ \"position\": {{ \"type\": \"object\" }} }}, \"properties\": {{ {members} }} }}"
        );
        match ThingModel::parse(definition.as_bytes()) {
            Ok(model) => model.properties.iter().map(|(name, schema)| format!("{name}: {schema}\n")).collect(),
            Err(problems) => problems.iter().map(|problem| format!("{problem}\n")).collect::<String>(),
        }
    };
    assert_snapshot!(properties(&format!(r##"{generic},
        "innerTemperature": {{ "tm:ref": "#/properties/genericTemperature", "title": "The inner temperature", "minimum": 10, "maximum": 15 }},
        "outerTemperature": {{ "tm:ref": "#/properties/innerTemperature", "title": "The outer temperature", "minimum": null }},
        "track": {{ "type": "array", "items": {{ "tm:ref": "#/schemaDefinitions/position", "properties": {{ "t": {{ "tm:ref": "#/properties/genericTemperature" }} }} }} }}"##)), @r#"
    genericTemperature: {"type":"number","unit":"C"}
    innerTemperature: {"maximum":15,"minimum":10,"title":"The inner temperature","type":"number","unit":"C"}
    outerTemperature: {"maximum":15,"title":"The outer temperature","type":"number","unit":"C"}
    track: {"items":{"properties":{"t":{"type":"number","unit":"C"}},"type":"object"},"type":"array"}
    "#);
    assert_snapshot!(properties(r##""a": { "tm:ref": "#/properties/b" }"##), @"/properties/a/tm:ref: This definition has nothing at `/properties/b`.");
    assert_snapshot!(properties(r##""a": { "tm:ref": "https://example.com/model#/properties/b" }"##), @"/properties/a/tm:ref: Muster does not fetch other models. Copy that definition here.");
    assert_snapshot!(properties(r##""a": { "tm:ref": "#/properties/a" }"##), @"/properties/a: The references here form a cycle, or are nested deeper than 32 levels.");
    assert_snapshot!(properties(r##""a": { "items": { "tm:ref": "#/properties/b" } }, "b": { "items": { "tm:ref": "#/properties/a" } }"##), @"/properties/a/items: The references here form a cycle, or are nested deeper than 32 levels.");
    assert_snapshot!(properties(r##""a": { "tm:ref": "#" }"##), @"/properties/a: The references here form a cycle, or are nested deeper than 32 levels.");
    let doubling: Vec<_> = (0..46).map(|n| format!(r##""d{n}": {{ "allOf": [{{ "tm:ref": "#/properties/d{0}" }}, {{ "tm:ref": "#/properties/d{0}" }}] }}"##, n + 1)).collect();
    assert_snapshot!(properties(&format!("{}, \"d46\": {{}}", doubling.join(","))), @"/properties/d0/allOf/0: The references here form a cycle, or are nested deeper than 32 levels.");
    let wide: Vec<_> = (0..900).map(|n| format!(r##""p{n}": {{ "tm:ref": "#/properties/x" }}"##)).collect();
    assert_snapshot!(properties(&format!("{}, \"x\": {{ \"description\": \"{}\" }}", wide.join(","), "x".repeat(500_000))), @"/properties/p101: With its references expanded, this definition is larger than 2 MiB.");
}

/// What would make Muster accept data that the definition's author meant to refuse.
#[test]
fn words_that_are_not_applied() {
    assert_snapshot!(property(r##"{ "$ref": "#/definitions/x", "definitions": { "x": {} } }"##), @r#"/properties/it/$ref: Muster does not follow references in a data schema. Copy that schema here, or refer to another part of this definition with "tm:ref"."#);
    assert_snapshot!(property(r#"{ "items": { "patternProperties": { "^a": {} } }, "dependentRequired": {}, "contains": {} }"#), @"
    /properties/it/contains: Muster does not check data by `contains`, so it would accept what this refuses. Remove it.
    /properties/it/dependentRequired: Muster does not check data by `dependentRequired`, so it would accept what this refuses. Remove it.
    /properties/it/items/patternProperties: Muster does not check data by `patternProperties`, so it would accept what this refuses. Remove it.
    ");
    for word in
        ["$dynamicRef", "additionalItems", "dependencies", "prefixItems", "propertyNames", "unevaluatedProperties"]
    {
        assert!(
            property(&format!("{{ \"{word}\": {{}} }}"))
                .starts_with(&format!("/properties/it/{word}: Muster does not check data by `{word}`")),
            "{word}"
        );
    }
}

#[test]
fn combinations_of_schemas() {
    assert_snapshot!(property(r#"{ "anyOf": [], "allOf": [7], "not": 7, "if": true, "additionalProperties": "no", "uniqueItems": 1, "minProperties": 2, "maxProperties": 1 }"#), @r#"
    /properties/it/uniqueItems: This has to be true or false, without quotes.
    /properties/it/minProperties: No value fits: minProperties is 2, and maxProperties is 1. Swap or change them.
    /properties/it/anyOf: This has to be an array of schemas, at least one.
    /properties/it/allOf/0: This has to be an object, such as { "type": "number" }.
    /properties/it/not: This has to be an object, such as { "type": "number" }.
    /properties/it/if: This has to be an object, such as { "type": "number" }.
    /properties/it/additionalProperties: This has to be an object, such as { "type": "number" }.
    "#);
    assert_snapshot!(property(r#"{ "anyOf": [{}], "allOf": [{ "not": {} }], "if": {}, "then": {}, "else": {}, "additionalProperties": false, "uniqueItems": true }"#), @"
    M: None
    [it] [] []
    ");
    assert_snapshot!(property(r#"{ "additionalProperties": { "type": "widget" }, "then": { "type": "widget" } }"#), @"
    /properties/it/then/type: `widget` is not a type. The types are boolean, integer, number, string, object, array, null.
    /properties/it/additionalProperties/type: `widget` is not a type. The types are boolean, integer, number, string, object, array, null.
    ");
}

/// Each limit, reached and passed by one.
#[test]
fn limits_of_a_model() {
    const NONE: &str = "M: None\n[it] [] []";
    let many = |item: &str, count: usize| vec![item; count].join(",");
    let schemas = |count: usize| property(&format!(r#"{{ "oneOf": [{}] }}"#, many("{}", count - 1)));
    assert_eq!(schemas(ThingModel::MAX_SCHEMAS), NONE);
    assert_snapshot!(schemas(ThingModel::MAX_SCHEMAS + 1), @"/properties/it/oneOf/4999: A model has at most 5000 data schemas, including nested ones.");
    assert_eq!(schemas(ThingModel::MAX_SCHEMAS + 100), schemas(ThingModel::MAX_SCHEMAS + 1), "reported once");

    let listed = |count: usize| {
        let values: Vec<_> = (0..count - 2).map(|number| number.to_string()).collect();
        property(&format!(r#"{{ "enum": [{}], "required": ["a", "b"] }}"#, values.join(",")))
    };
    assert_eq!(listed(ThingModel::MAX_LISTED), NONE);
    assert_snapshot!(listed(ThingModel::MAX_LISTED + 1), @"/properties/it/required: All enum and required lists of a model have at most 10000 entries together.");

    let patterns = |count: usize| {
        let patterns: Vec<_> = (0..count * 2).map(|number| format!(r#"{{ "pattern": "{}" }}"#, number / 2)).collect();
        property(&format!(r#"{{ "oneOf": [{}] }}"#, patterns.join(",")))
    };
    assert_eq!(patterns(ThingModel::MAX_PATTERNS), NONE);
    assert_snapshot!(patterns(ThingModel::MAX_PATTERNS + 1), @"/properties/it/oneOf/200/pattern: A model has at most 100 different patterns.");
    assert_eq!(patterns(ThingModel::MAX_PATTERNS + 100), patterns(ThingModel::MAX_PATTERNS + 1), "reported once");

    let pattern = |chars: usize| property(&format!(r#"{{ "pattern": "{}" }}"#, "é".repeat(chars)));
    assert_eq!(pattern(ThingModel::MAX_PATTERN_CHARS), NONE);
    assert_snapshot!(pattern(ThingModel::MAX_PATTERN_CHARS + 1), @"/properties/it/pattern: A pattern has at most 1000 characters, and this one has 1001.");

    // The definition itself, its five members and what is in `x`.
    let values = |count: usize| model(&format!(r#""properties": {{ "it": {{}} }}, "x": [{}]"#, many("0", count - 7)));
    assert_eq!(values(ThingModel::MAX_VALUES), NONE);
    assert_snapshot!(values(ThingModel::MAX_VALUES + 1), @"line 1, column 200113: A model definition has at most 100000 JSON values.");
}

/// Definitions whose reading could take quadratic time or memory; each is read within the limits of a test.
#[test]
fn definitions_that_are_expensive_to_read() {
    let long = "k".repeat(500_000);
    let below_a_long_key = model(&format!(r#""{long}": [{}]"#, vec!["0"; 90_000].join(",")));
    assert_eq!(below_a_long_key, "M: None\n[] [] []");
    let equal: Vec<_> = (0..9_000).map(|number| format!("\"{}{number:04}\"", "x".repeat(100))).collect();
    assert_eq!(property(&format!(r#"{{ "enum": [{}] }}"#, equal.join(","))), "M: None\n[it] [] []");
    let repeated = model(&format!(r#""x": {{ {} }}"#, vec![format!("\"{}\": 1", "k".repeat(1_000)); 900].join(",")));
    assert!(repeated.lines().count() == ThingModel::MAX_PROBLEMS && repeated.len() < 20_000, "{}", repeated.len());
    let deep = model(&format!("{}{}", r#""x": {"#.repeat(20_000), "}".repeat(20_000)));
    assert!(deep.contains("nested deeper than 32 levels"), "{deep}");
    let numbers =
        model(&format!(r#""x": [{}, {}, 1e-400, -0.0]"#, "9".repeat(300), format_args!("0.{}", "1".repeat(100_000))));
    assert_eq!(numbers, "M: None\n[] [] []");
}

#[test]
fn names() {
    let long = "a".repeat(129);
    assert_snapshot!(model(&format!(r#""properties": {{ "": {{}}, "a b": {{}}, "a/b": {{}}, "-a": {{}}, "{long}": {{}}, "_a.b:c-7": {{}}, "\u001b": {{}} }}"#)), @"
    /properties/: A name here is empty.
    /properties/␛: A name here cannot contain the invisible character U+001B. The letters A-Z and a-z, digits, and . _ : - are allowed.
    /properties/-a: A name here begins with a letter, a digit or _.
    /properties/a b: A name here cannot contain a space. The letters A-Z and a-z, digits, and . _ : - are allowed.
    /properties/a~1b: A name here cannot contain `/`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    /properties/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…: A name here has at most 128 characters, and this one has 129.
    ");
}

#[test]
fn types() {
    assert_snapshot!(property(r#"{ "type": "float" }"#), @"/properties/it/type: `float` is not a type. Did you mean number? The types are boolean, integer, number, string, object, array, null.");
    assert_snapshot!(property(r#"{ "type": "Number" }"#), @"/properties/it/type: `Number` is not a type. Did you mean number? The types are boolean, integer, number, string, object, array, null.");
    assert_snapshot!(property(r#"{ "type": "widget" }"#), @"/properties/it/type: `widget` is not a type. The types are boolean, integer, number, string, object, array, null.");
    assert_snapshot!(property(r#"{ "type": ["string", "null"] }"#), @r#"/properties/it/type: A Thing Model has one type here. For a choice, use "oneOf" with a schema for each."#);
    assert_snapshot!(property(r#"{ "type": 7 }"#), @"/properties/it/type: The type has to be one of these, in double quotes: boolean, integer, number, string, object, array, null.");
    assert_snapshot!(property(r#""number""#), @r#"/properties/it: This has to be an object, such as { "type": "number" }."#);
}

#[test]
fn limits() {
    assert_snapshot!(property(r#"{ "minimum": 2, "maximum": 1, "minLength": 3, "maxLength": 2, "minItems": 1, "maxItems": 0 }"#), @"
    /properties/it/minimum: No value fits: minimum is 2, and maximum is 1. Swap or change them.
    /properties/it/minLength: No value fits: minLength is 3, and maxLength is 2. Swap or change them.
    /properties/it/minItems: No value fits: minItems is 1, and maxItems is 0. Swap or change them.
    ");
    assert_snapshot!(property(r#"{ "minimum": 1, "exclusiveMaximum": 1 }"#), @"/properties/it/minimum: No value fits: minimum is 1, and exclusiveMaximum is 1. Swap or change them.");
    assert_snapshot!(property(r#"{ "exclusiveMinimum": 1, "exclusiveMaximum": 1 }"#), @"/properties/it/exclusiveMinimum: No value fits: exclusiveMinimum is 1, and exclusiveMaximum is 1. Swap or change them.");
    assert_snapshot!(property(r#"{ "minimum": "0", "maximum": "{{MAX}}", "multipleOf": 0, "minLength": -1, "maxLength": 1.5 }"#), @"
    /properties/it/minimum: This has to be a number.
    /properties/it/maximum: `{{MAX}}` is a placeholder. Replace it with a number before uploading the model.
    /properties/it/multipleOf: This has to be a number above 0.
    /properties/it/minLength: This has to be a whole number, 0 or more.
    /properties/it/maxLength: This has to be a whole number, 0 or more.
    ");
}

#[test]
fn other_keywords() {
    assert_snapshot!(property(r#"{ "enum": [], "oneOf": [], "required": true, "readOnly": "yes", "title": 7 }"#), @r#"
    /properties/it/title: This has to be text in double quotes.
    /properties/it/readOnly: This has to be true or false, without quotes.
    /properties/it/enum: This has to be an array with the values that are allowed, at least one.
    /properties/it/oneOf: This has to be an array of schemas, at least one.
    /properties/it/required: This has to be an array of names next to "properties", such as ["latitude", "longitude"].
    "#);
    assert_snapshot!(property(r#"{ "enum": [1, 2, 1], "oneOf": [{ "type": "x" }], "required": ["a", 7], "readOnly": true, "writeOnly": true }"#), @r#"
    /properties/it/writeOnly: It is readOnly as well, so it could never be used. Remove one of them.
    /properties/it/enum: A value is listed more than once. Remove all but one.
    /properties/it/oneOf/0/type: `x` is not a type. The types are boolean, integer, number, string, object, array, null.
    /properties/it/required: This has to be an array of names next to "properties", such as ["latitude", "longitude"].
    "#);
    assert_snapshot!(property(r#"{ "properties": { "a": { "items": [{}, 7] }, "b": { "items": 7 } }, "observable": 1, "uriVariables": { "x": 1 } }"#), @r#"
    /properties/it/properties/a/items/1: This has to be an object, such as { "type": "number" }.
    /properties/it/properties/b/items: This has to be an object, such as { "type": "number" }.
    /properties/it/observable: This has to be true or false, without quotes.
    /properties/it/uriVariables/x: This has to be an object, such as { "type": "number" }.
    "#);
    assert_snapshot!(property(r#"{ "properties": [] }"#), @"/properties/it/properties: This has to be an object with a definition for each name.");
    assert_snapshot!(model(r#""events": { "e": { "data": 7, "title": 7 } }, "actions": { "a": { "input": 7, "output": { "type": "int" }, "safe": 1 }, "b": 7 }"#), @r#"
    /events/e/title: This has to be text in double quotes.
    /events/e/data: This has to be an object, such as { "type": "number" }.
    /actions/a/input: This has to be an object, such as { "type": "number" }.
    /actions/a/output/type: `int` is not a type. Did you mean integer? The types are boolean, integer, number, string, object, array, null.
    /actions/a/safe: This has to be true or false, without quotes.
    /actions/b: This has to be an object, such as { "type": "number" }.
    "#);
}

#[test]
fn what_is_told_is_bounded() {
    let many: String = (0..500).map(|number| format!("\"p{number}\": 7,")).collect();
    assert_eq!(model(&format!("\"properties\": {{ {many} \"x\": {{}} }}")).lines().count(), ThingModel::MAX_PROBLEMS);
    let many: String = (0..1_000).map(|number| format!("\"p{number}\": {{}},")).collect();
    assert_snapshot!(model(&format!("\"properties\": {{ {many} \"x\": {{}} }}")), @"/properties: There are 1001 here, and at most 1000 are allowed.");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), json in r#"[{}\[\]":,a1@ \n\\]{0,100}"#) {
        let _ = ThingModel::parse(&bytes);
        let _ = ThingModel::parse(json.as_bytes());
        let _ = property(&json);
    }
}
