//! The model definition: a W3C *WoT Thing Model* (Thing Description 1.1, section 9), as far as Muster uses it.
//!
//! A definition is refused with everything that is wrong with it, each with its place, so that one reading of
//! the answer is enough to mend it. What Muster makes no use of (`forms`, `links`, words of other vocabularies)
//! is not looked at; what it cannot follow (`tm:extends`, a `tm:ref` to another document) is refused, since devices'
//! data would otherwise be held against half a model.
//!
//! A definition is a stranger's file, and the data of every device is checked against it. So everything that makes
//! reading it, compiling it or checking data against it expensive has a limit here: see the constants of [`ThingModel`].

mod affordances;
mod example;
mod json;
mod references;
mod schema;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::names::ModelName;
use crate::shown::shown;

/// A part of a model: its name, and its definition as it was written.
pub type Affordance = (String, Value);

/// What a kind of device can report and do.
#[derive(Clone, Debug, PartialEq)]
pub struct ThingModel {
    /// Its name: the definition's `title`.
    pub name: ModelName,
    /// A note about it: the definition's `description`.
    pub description: Option<String>,
    /// The device's state, sorted by name. Each definition is a data schema.
    pub properties: Vec<Affordance>,
    /// What happens to the device, sorted by name. The data schema of each is its `data`.
    pub events: Vec<Affordance>,
    /// What the device can be told, sorted by name.
    pub actions: Vec<Affordance>,
}

/// Something in a model definition that is to be mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{place}: {sentence}")]
pub struct ModelProblem {
    /// Where: `line 3, column 14` if the text is not JSON there, otherwise a JSON pointer (RFC 6901) such as
    /// `/properties/altitude/type`.
    pub place: String,
    /// What is wrong and what to do, for a person.
    pub sentence: String,
}

/// The JSON-LD contexts that make a document a WoT one: of TD 1.1 and of TD 1.0.
const CONTEXTS: [&str; 2] = ["https://www.w3.org/2022/wot/td/v1.1", "https://www.w3.org/2019/wot/td/v1"];

const THING_MODEL: &str = "tm:ThingModel";

impl ThingModel {
    /// The most bytes a definition has: 1 MiB. The largest published ones have some 100 kB.
    pub const MAX_BYTES: usize = 1024 * 1024;

    /// How deep its objects and arrays may be nested. Data schemas of real devices need less than 10; the limit
    /// keeps a made-up file from exhausting the stack of whoever reads it.
    pub const MAX_DEPTH: usize = 32;

    /// How many properties it may have, how many events, and how many actions.
    pub const MAX_AFFORDANCES: usize = 1_000;

    /// How many JSON values it may have. In memory, the shortest take 600 bytes (an object of one key), so reading a
    /// definition takes 32 MB at most. The largest published ones have some 10,000.
    pub const MAX_VALUES: usize = 100_000;

    /// How many data schemas it may have, nested ones included. A value that a device sends may be checked against
    /// each of them. A model of 1,000 properties, each an object of four, has as many.
    pub const MAX_SCHEMAS: usize = 5_000;

    /// How many values its `enum`s and names its `required`s list, all together. There are 249 countries and
    /// 600 time zones.
    pub const MAX_LISTED: usize = 10_000;

    /// How many different patterns it may have. Each is compiled to a program of its own.
    pub const MAX_PATTERNS: usize = 100;

    /// How many characters a pattern may have. One for a date and time has 60.
    pub const MAX_PATTERN_CHARS: usize = 1_000;

    /// How many problems are reported at once.
    pub const MAX_PROBLEMS: usize = 100;

    /// Reads a definition.
    ///
    /// # Errors
    /// Everything that is wrong with it, at most [`Self::MAX_PROBLEMS`]; never empty. If it is not JSON, that is
    /// the only problem.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<ModelProblem>> {
        let mut problems = Problems::default();
        let root = json::read(bytes, &mut problems).map_err(|problem| vec![problem])?;
        let Value::Object(mut root) = root else {
            return Err(vec![ModelProblem {
                place: "line 1, column 1".to_owned(),
                sentence: "A model definition must be a JSON object: it begins with { and ends with }.".to_owned(),
            }]);
        };
        check_context(&root, &mut problems);
        check_type(&root, &mut problems);
        check_links(&root, &mut problems);
        let name = check_title(&root, &mut problems);
        let description = match root.get("description") {
            None => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                problems.add("/description", "The description must be text in double quotes.");
                None
            }
        };
        references::resolve(&mut root, &mut problems);
        let properties = affordances::properties(root.remove("properties"), &mut problems);
        let events = affordances::events(root.remove("events"), &mut problems);
        let actions = affordances::actions(root.remove("actions"), &mut problems);
        match name {
            Some(name) if problems.found.is_empty() => Ok(Self { name, description, properties, events, actions }),
            _ => Err(problems.found),
        }
    }
}

/// What is wrong so far, and how much was met of what a model may have only so much of.
#[derive(Debug, Default)]
struct Problems {
    found: Vec<ModelProblem>,
    schemas: usize,
    listed: usize,
    patterns: BTreeSet<String>,
}

impl Problems {
    fn add(&mut self, place: &str, sentence: impl Into<String>) {
        if self.found.len() < ThingModel::MAX_PROBLEMS {
            self.found.push(ModelProblem { place: place.to_owned(), sentence: sentence.into() });
        }
    }

    /// Counts a schema. False above the limit, which is reported once.
    fn admits_schema(&mut self, place: &str) -> bool {
        self.schemas += 1;
        if self.schemas == ThingModel::MAX_SCHEMAS + 1 {
            let most = ThingModel::MAX_SCHEMAS;
            self.add(place, format!("A model has at most {most} data schemas, including nested ones."));
        }
        self.schemas <= ThingModel::MAX_SCHEMAS
    }

    /// Counts the values of an `enum`, or the names of a `required`. False above the limit, which is reported once.
    fn admits_listed(&mut self, place: &str, values: usize) -> bool {
        let most = ThingModel::MAX_LISTED;
        let was_within = self.listed <= most;
        self.listed = self.listed.saturating_add(values);
        if was_within && self.listed > most {
            self.add(place, format!("All enum and required lists of a model have at most {most} entries together."));
        }
        self.listed <= most
    }

    /// Counts a pattern, unless the model has the same one elsewhere.
    fn count_pattern(&mut self, place: &str, pattern: &str) {
        let (most, most_chars) = (ThingModel::MAX_PATTERNS, ThingModel::MAX_PATTERN_CHARS);
        let chars = pattern.chars().count();
        if chars > most_chars {
            self.add(place, format!("A pattern has at most {most_chars} characters, and this one has {chars}."));
        } else if self.patterns.len() <= most && self.patterns.insert(pattern.to_owned()) && self.patterns.len() > most
        {
            self.add(place, format!("A model has at most {most} different patterns."));
        }
    }
}

/// Whether a string, or one of an array's, is one of these.
fn names_one_of(value: Option<&Value>, wanted: &[&str]) -> bool {
    match value {
        Some(Value::String(text)) => wanted.contains(&text.as_str()),
        Some(Value::Array(items)) => items.iter().any(|item| item.as_str().is_some_and(|text| wanted.contains(&text))),
        _ => false,
    }
}

fn check_context(root: &Map<String, Value>, problems: &mut Problems) {
    if !names_one_of(root.get("@context"), &CONTEXTS) {
        problems.add("/@context", format!("Add `\"@context\": \"{}\"`.", CONTEXTS[0]));
    }
}

fn check_type(root: &Map<String, Value>, problems: &mut Problems) {
    if names_one_of(root.get("@type"), &[THING_MODEL]) {
        return;
    }
    // Only a Thing Description, which is about one device, says how to reach it and what it asks for.
    let described = ["id", "security", "securityDefinitions", "base"].iter().any(|key| root.contains_key(*key));
    problems.add(
        "/@type",
        if described {
            format!(
                "This is a Thing Description, which describes one device. A model definition describes all devices \
                 of a kind: remove what describes the one device (id, security, base, forms), and add \
                 `\"@type\": \"{THING_MODEL}\"`."
            )
        } else {
            format!("Add `\"@type\": \"{THING_MODEL}\"`.")
        },
    );
}

fn check_title(root: &Map<String, Value>, problems: &mut Problems) -> Option<ModelName> {
    let sentence = match root.get("title") {
        Some(Value::String(title)) => match ModelName::parse(title) {
            Ok(name) => return Some(name),
            Err(_) if title.is_empty() => "The title is empty. It is the model's name, such as \
                 Contoso.Aircraft.AircraftModel."
                .to_owned(),
            Err(problem) => format!("`{}` isn't a valid model name. {problem}.", shown(title)),
        },
        Some(_) => "The title must be text in double quotes: the model's name.".to_owned(),
        None => "The title is missing. Add \"title\" with the model's name, such as \
             Contoso.Aircraft.AircraftModel."
            .to_owned(),
    };
    problems.add("/title", sentence);
    None
}

fn check_links(root: &Map<String, Value>, problems: &mut Problems) {
    let Some(Value::Array(links)) = root.get("links") else {
        return;
    };
    for (index, link) in links.iter().enumerate() {
        if link.get("rel").and_then(Value::as_str) == Some("tm:extends") {
            problems.add(
                &format!("/links/{index}"),
                "Muster does not fetch the model that this one extends. Copy its parts into this definition, and \
                 remove the link.",
            );
        }
    }
}

/// The pointer to a member of what is at `pointer` (RFC 6901).
fn member(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}
