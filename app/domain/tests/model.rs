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
    assert_snapshot!(told("hello"), @"line 1, column 1: The file is not JSON here: expected value.");
    assert_snapshot!(told("{\n  \"é日\": 1,,\n}"), @"line 2, column 11: The file is not JSON here: key must be a string.");
    assert_snapshot!(told("{\n  \"a\": [1, 2,]\n}"), @"line 2, column 14: The file is not JSON here: trailing comma.");
    assert_snapshot!(told("{ \"a\": {"), @"line 1, column 8: The file ends too early (EOF while parsing an object). Is its end missing?");
    assert_snapshot!(told("{} {}"), @"line 1, column 4: The file is not JSON here: trailing characters.");
    assert_snapshot!(told("{\"a\": \"two\nlines\"}"), @r"line 2, column 1: The file is not JSON here: control character (\u0000-\u001F) found while parsing a string.");
    assert_snapshot!(told("{'a': 1}"), @"line 1, column 2: The file is not JSON here: key must be a string.");
    assert_snapshot!(told("{\"a\": 1e999}"), @"line 1, column 11: The file is not JSON here: number out of range.");
    assert_snapshot!(told(b"{\n\"title\": \"Z\xfcrich\"}"), @"line 2, column 12: The file is not UTF-8 here. Save it again with the encoding UTF-8.");
    assert_snapshot!(told("[]"), @"line 1, column 1: A model definition is a JSON object: it begins with { and ends with }.");
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
    /title: This key stands more than once in its object. Take out all but one.
    /properties/c/type: This key stands more than once in its object. Take out all but one.
    /x/1/y: This key stands more than once in its object. Take out all but one.
    /properties/a~1b~0: A name here cannot contain `/`. The letters A-Z and a-z, digits, and . _ : - are allowed.
    ");
}

#[test]
fn not_a_thing_model() {
    assert_snapshot!(told("{}"), @r#"
    /@context: A Thing Model says what it is written in. Put in "@context": "https://www.w3.org/2022/wot/td/v1.1".
    /@type: A Thing Model says that it is one. Put in "@type": "tm:ThingModel".
    /title: The title is missing. Put in "title" with the model's name, such as Contoso.Aircraft.AircraftModel.
    "#);
    assert_snapshot!(told(r#"{ "@context": "https://www.w3.org/2022/wot/td/v1.1", "title": "MyLamp", "id": "urn:x", "security": "none", "@type": "Thing" }"#), @r#"/@type: This is a Thing Description, which describes one device. A model definition describes all devices of a kind: take out what is about the one (id, security, base, forms), and put in "@type": "tm:ThingModel"."#);
    assert_snapshot!(told(r#"{ "@context": 7, "@type": 7, "title": 7, "description": 7, "properties": [], "events": 1, "actions": null }"#), @r#"
    /@context: A Thing Model says what it is written in. Put in "@context": "https://www.w3.org/2022/wot/td/v1.1".
    /@type: A Thing Model says that it is one. Put in "@type": "tm:ThingModel".
    /title: The title is a text in double quotes: the model's name.
    /description: The description is a text in double quotes.
    /properties: This has to be an object with a definition for each name.
    /events: This has to be an object with a definition for each name.
    /actions: This has to be an object with a definition for each name.
    "#);
    assert_snapshot!(told(format!(r#"{{ {CONTEXT}, "@type": "tm:ThingModel", "title": "Lamp Thing" }}"#)), @"/title: The title is the model's name, and `Lamp Thing` is none. A model name cannot contain a space. The letters A-Z and a-z, digits and _ are allowed, in parts joined by dots.");
    assert_snapshot!(told(format!(r#"{{ {CONTEXT}, "@type": "tm:ThingModel", "title": "" }}"#)), @"/title: The title is empty. It is the model's name, such as Contoso.Aircraft.AircraftModel.");
}

#[test]
fn what_is_elsewhere() {
    assert_snapshot!(model(r#""links": [{ "rel": "type" }, { "rel": "tm:extends", "href": "x" }], "properties": { "a": { "tm:ref": "x#/y" } }, "events": { "b": { "data": { "tm:ref": "x" } } }"#), @"
    /links/1: Muster does not fetch the model that this one extends. Copy its parts into this definition, and take the link out.
    /properties/a/tm:ref: Muster does not fetch other models. Copy the definition that is meant to this place.
    /events/b/data/tm:ref: Muster does not fetch other models. Copy the definition that is meant to this place.
    ");
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
    /properties/it/maximum: `{{MAX}}` is a placeholder. Put a number in its place before uploading the model.
    /properties/it/multipleOf: This has to be a number above 0.
    /properties/it/minLength: This has to be a whole number, 0 or more.
    /properties/it/maxLength: This has to be a whole number, 0 or more.
    ");
}

#[test]
fn other_keywords() {
    assert_snapshot!(property(r#"{ "enum": [], "oneOf": [], "required": true, "readOnly": "yes", "title": 7 }"#), @r#"
    /properties/it/title: This has to be a text in double quotes.
    /properties/it/readOnly: This has to be true or false, without quotes.
    /properties/it/enum: This has to be an array with the values that are allowed, at least one.
    /properties/it/oneOf: This has to be an array of schemas, at least one.
    /properties/it/required: This has to be an array of names, and stands beside "properties", such as ["latitude", "longitude"].
    "#);
    assert_snapshot!(property(r#"{ "enum": [1, 2, 1], "oneOf": [{ "type": "x" }], "required": ["a", 7], "readOnly": true, "writeOnly": true }"#), @r#"
    /properties/it/writeOnly: It is readOnly as well, so it could never be used. Take out one of them.
    /properties/it/enum: A value stands more than once. Take out all but one.
    /properties/it/oneOf/0/type: `x` is not a type. The types are boolean, integer, number, string, object, array, null.
    /properties/it/required: This has to be an array of names, and stands beside "properties", such as ["latitude", "longitude"].
    "#);
    assert_snapshot!(property(r#"{ "properties": { "a": { "items": [{}, 7] }, "b": { "items": 7 } }, "observable": 1, "uriVariables": { "x": 1 } }"#), @r#"
    /properties/it/properties/a/items/1: This has to be an object, such as { "type": "number" }.
    /properties/it/properties/b/items: This has to be an object, such as { "type": "number" }.
    /properties/it/observable: This has to be true or false, without quotes.
    /properties/it/uriVariables/x: This has to be an object, such as { "type": "number" }.
    "#);
    assert_snapshot!(property(r#"{ "properties": [] }"#), @"/properties/it/properties: This has to be an object with a definition for each name.");
    assert_snapshot!(model(r#""events": { "e": { "data": 7, "title": 7 } }, "actions": { "a": { "input": 7, "output": { "type": "int" }, "safe": 1 }, "b": 7 }"#), @r#"
    /events/e/title: This has to be a text in double quotes.
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
