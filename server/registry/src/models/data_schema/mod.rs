//! Checks reports against the data schemas of their model (TD 1.1, section 5.3.2), in a limited number of steps.
//!
//! A schema is compiled to a tree of rules. There are no references in it, so each of its nodes meets each value of a
//! report at most once. At the limits of a model that would still be 5,000 schemas × 131,000 values (the most that fit
//! into 256 KiB), so the steps are counted, and a check ends where [`MAX_STEPS`] are used up.

mod check;
mod compile;
mod format;
mod pattern;
#[cfg(test)]
mod tests;

use check::Run;
use format::Format;
use muster_domain::{ModelProblem, ThingModel, shown_up_to};
use pattern::Patterns;
use serde_json::{Map, Number, Value};
use std::{
    collections::{HashMap, HashSet},
    fmt,
};

/// The most steps that a check takes. A step is a rule, a member, 64 bytes of text, or 8 transitions of a pattern's
/// automaton.
pub(crate) const MAX_STEPS: u64 = 4_000_000;

/// The data schemas of a model's properties, compiled.
pub(crate) struct Schemas {
    properties: HashMap<String, Schema>,
    patterns: Patterns,
    bytes: usize,
}

/// Why a report was rejected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It contradicts the model.
    Contradicts {
        /// The property, or a path in it.
        field: String,
        /// What is wrong, for a user.
        sentence: String,
    },
    /// Its check takes more steps than it may.
    TooManySteps {
        /// The property at which there were none left.
        field: String,
    },
}

impl Schemas {
    /// Compiles the schemas of a model.
    ///
    /// # Errors
    /// Its patterns that cannot be used.
    pub(crate) fn compile(model: &ThingModel) -> Result<Self, Vec<ModelProblem>> {
        compile::compile(model)
    }

    /// The memory they take: what was allocated for every rule, list, text and automaton, as it was counted while they
    /// were compiled, with 16 bytes for each allocation.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the model has a property of this name.
    pub(crate) fn has(&self, property: &str) -> bool {
        self.properties.contains_key(property)
    }

    /// Checks that every property is one of the model, and its value one that the model allows. Returns the steps it took.
    pub(crate) fn check(&self, given: &Map<String, Value>, max_steps: u64) -> Result<u64, Refusal> {
        let mut run = Run::new(&self.patterns, max_steps);
        for (name, value) in given {
            let shown = shown_up_to(name, 64);
            let Some(schema) = self.properties.get(name) else {
                let sentence = format!("The device's model has no property `{shown}`.");
                return Err(Refusal::Contradicts { field: shown, sentence });
            };
            match schema.check(value, &mut run) {
                Ok(()) => {}
                Err(check::Failure::OutOfSteps) => return Err(Refusal::TooManySteps { field: shown }),
                Err(check::Failure::Fault(fault)) => {
                    let field = shown_up_to(&format!("{shown}{}", fault.pointer()), 200);
                    let reason = fault.reason(&self.patterns);
                    let sentence = format!("`{field}` contradicts the model definition: {reason}.");
                    return Err(Refusal::Contradicts { field, sentence });
                }
            }
        }
        Ok(max_steps - run.steps_left())
    }
}

/// The rules for a value; all must hold.
#[derive(Default)]
struct Schema(Vec<Rule>);

enum Rule {
    Type(Type),
    Const(String),
    Enum(Box<Enum>),
    Minimum(Number),
    Above(Number),
    Maximum(Number),
    Below(Number),
    MultipleOf(Number),
    MinLength(u64),
    MaxLength(u64),
    Format(Format),
    /// The number of a pattern.
    Pattern(usize),
    Items(Box<Schema>),
    /// The first items, each with a schema of its own.
    FirstItems(Vec<Schema>),
    MinItems(u64),
    MaxItems(u64),
    UniqueItems,
    Members(Box<Members>),
    Required(Vec<String>),
    MinProperties(u64),
    MaxProperties(u64),
    OneOf(Vec<Schema>),
    AnyOf(Vec<Schema>),
    AllOf(Vec<Schema>),
    Not(Box<Schema>),
    If(Box<Condition>),
}

/// The values of an `enum`, as canonical texts.
struct Enum {
    texts: HashSet<String>,
    longest: usize,
    /// The first of them, for a sentence.
    sample: String,
}

/// The schemas of an object's members.
struct Members {
    named: HashMap<String, Schema>,
    others: Others,
}

/// What members may be that have no schema of their own.
enum Others {
    Anything,
    Nothing,
    Schema(Schema),
}

struct Condition {
    test: Schema,
    then: Schema,
    otherwise: Schema,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Boolean,
    Integer,
    Number,
    String,
    Object,
    Array,
    Null,
}

impl Type {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "object" => Self::Object,
            "array" => Self::Array,
            "null" => Self::Null,
            _ => return None,
        })
    }

    fn has(self, value: &Value) -> bool {
        match (self, value) {
            // 1.0 is an integer, and so is 1e300.
            (Self::Integer, Value::Number(number)) => {
                !number.is_f64() || number.as_f64().is_some_and(|it| it.fract() == 0.0)
            }
            (Self::Boolean, Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::String, Value::String(_))
            | (Self::Object, Value::Object(_))
            | (Self::Array, Value::Array(_))
            | (Self::Null, Value::Null) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "true or false",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Null => "null",
        })
    }
}
