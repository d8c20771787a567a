//! Compiles data schemas, which the domain has found to be right and within its limits, and counts their memory.

use super::{
    Condition, Enum, Format, Members, Others, Rule, Schema, Schemas, Type, check::canonical, pattern::Patterns,
};
use muster_domain::{ModelProblem, ThingModel, shown_up_to};
use serde_json::{Map, Number, Value};
use std::{
    collections::{HashMap, HashSet},
    mem::size_of,
};

/// The allocator's overhead for an allocation.
const ALLOCATION_BYTES: usize = 16;

/// How many values of an `enum` a sentence names.
const SAMPLE_VALUES: usize = 5;

#[derive(Default)]
struct Compiler {
    patterns: Patterns,
    problems: Vec<ModelProblem>,
    bytes: usize,
}

pub(super) fn compile(model: &ThingModel) -> Result<Schemas, Vec<ModelProblem>> {
    let mut compiler = Compiler::default();
    let properties = model.properties.iter().map(|(name, schema)| {
        compiler.count_entry::<(String, Schema)>(name.len());
        (name.clone(), compiler.schema(&format!("/properties/{name}"), schema))
    });
    let properties = properties.collect();
    if !compiler.problems.is_empty() {
        return Err(compiler.problems);
    }
    let bytes = size_of::<Schemas>() + compiler.bytes + compiler.patterns.bytes();
    Ok(Schemas { properties, patterns: compiler.patterns, bytes })
}

impl Compiler {
    fn count(&mut self, bytes: usize) {
        self.bytes += bytes + ALLOCATION_BYTES;
    }

    /// An entry of a hash table, which may be half empty, and its text.
    fn count_entry<T>(&mut self, text_bytes: usize) {
        self.count(2 * (size_of::<T>() + 1) + text_bytes);
    }

    fn schema(&mut self, place: &str, schema: &Value) -> Schema {
        let Value::Object(schema) = schema else { return Schema::default() };
        let mut rules: Vec<Rule> =
            schema.iter().filter_map(|(key, value)| self.rule(place, schema, key, value)).collect();
        rules.shrink_to_fit();
        self.count(rules.len() * size_of::<Rule>());
        Schema(rules)
    }

    /// The rule that a keyword makes, if it makes one.
    fn rule(&mut self, place: &str, schema: &Map<String, Value>, key: &str, value: &Value) -> Option<Rule> {
        let at = |key: &str| format!("{place}/{key}");
        Some(match key {
            "type" => Rule::Type(Type::named(value.as_str()?)?),
            "const" => Rule::Const(self.text(canonical(value))),
            "enum" => Rule::Enum(self.listed(value.as_array()?)),
            "minimum" => Rule::Minimum(number(value)?),
            "exclusiveMinimum" => Rule::Above(number(value)?),
            "maximum" => Rule::Maximum(number(value)?),
            "exclusiveMaximum" => Rule::Below(number(value)?),
            "multipleOf" => Rule::MultipleOf(number(value)?),
            "minLength" => Rule::MinLength(value.as_u64()?),
            "maxLength" => Rule::MaxLength(value.as_u64()?),
            "format" => Rule::Format(Format::named(value.as_str()?)?),
            "pattern" => match self.patterns.add(&at(key), value.as_str()?) {
                Ok(number) => Rule::Pattern(number),
                Err(problem) => {
                    if self.problems.len() < ThingModel::MAX_PROBLEMS {
                        self.problems.push(problem);
                    }
                    return None;
                }
            },
            "items" => match value {
                Value::Array(items) => Rule::FirstItems(self.schemas(&at(key), items)),
                items => Rule::Items(self.boxed(&at(key), items)),
            },
            "minItems" => Rule::MinItems(value.as_u64()?),
            "maxItems" => Rule::MaxItems(value.as_u64()?),
            "uniqueItems" => value.as_bool()?.then_some(Rule::UniqueItems)?,
            "properties" => self.members(place, Some(value.as_object()?), schema.get("additionalProperties")),
            "additionalProperties" if !schema.contains_key("properties") => self.members(place, None, Some(value)),
            "required" => {
                let names: Vec<_> = value.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                names.iter().for_each(|name| self.count(size_of::<String>() + name.len()));
                Rule::Required(names)
            }
            "minProperties" => Rule::MinProperties(value.as_u64()?),
            "maxProperties" => Rule::MaxProperties(value.as_u64()?),
            "oneOf" => Rule::OneOf(self.schemas(&at(key), value.as_array()?)),
            "anyOf" => Rule::AnyOf(self.schemas(&at(key), value.as_array()?)),
            "allOf" => Rule::AllOf(self.schemas(&at(key), value.as_array()?)),
            "not" => Rule::Not(self.boxed(&at(key), value)),
            "if" => {
                let mut branch =
                    |key: &str| schema.get(key).map_or_else(Schema::default, |value| self.schema(&at(key), value));
                let condition = Condition { test: branch("if"), then: branch("then"), otherwise: branch("else") };
                self.count(size_of::<Condition>());
                Rule::If(Box::new(condition))
            }
            _ => return None,
        })
    }

    fn boxed(&mut self, place: &str, schema: &Value) -> Box<Schema> {
        self.count(size_of::<Schema>());
        Box::new(self.schema(place, schema))
    }

    fn schemas(&mut self, place: &str, schemas: &[Value]) -> Vec<Schema> {
        self.count(schemas.len() * size_of::<Schema>());
        schemas.iter().enumerate().map(|(index, schema)| self.schema(&format!("{place}/{index}"), schema)).collect()
    }

    fn text(&mut self, text: String) -> String {
        self.count(text.len());
        text
    }

    fn listed(&mut self, values: &[Value]) -> Box<Enum> {
        let texts: HashSet<String> = values.iter().map(canonical).collect();
        texts.iter().for_each(|text| self.count_entry::<String>(text.len()));
        let sample = values.iter().take(SAMPLE_VALUES).map(|value| shown_up_to(&value.to_string(), 30));
        let mut sample = sample.collect::<Vec<_>>().join(", ");
        if values.len() > SAMPLE_VALUES {
            sample.push_str(", …");
        }
        self.count(size_of::<Enum>() + sample.len());
        Box::new(Enum { longest: texts.iter().map(String::len).max().unwrap_or(0), texts, sample })
    }

    fn members(&mut self, place: &str, named: Option<&Map<String, Value>>, others: Option<&Value>) -> Rule {
        let named = named.into_iter().flatten().map(|(name, schema)| {
            self.count_entry::<(String, Schema)>(name.len());
            (name.clone(), self.schema(&format!("{place}/properties/{}", shown_up_to(name, 60)), schema))
        });
        let named: HashMap<_, _> = named.collect();
        let others = match others {
            None | Some(Value::Bool(true)) => Others::Anything,
            Some(Value::Bool(false)) => Others::Nothing,
            Some(schema) => Others::Schema(self.schema(&format!("{place}/additionalProperties"), schema)),
        };
        self.count(size_of::<Members>());
        Rule::Members(Box::new(Members { named, others }))
    }
}

fn number(value: &Value) -> Option<Number> {
    value.as_number().cloned()
}
