//! Puts what `tm:ref` refers to in its place (TD 1.1, section 9.3.3), where that is in the same definition.
//!
//! References multiply: forty definitions, each with two references to the next, expand to 2⁴⁰ values. So the size and
//! the depth of the result are limited, and reaching either ends the work.

use serde_json::{Map, Value};

use super::{Problems, ThingModel, member};
use crate::shown::shown;

const REFERENCE: &str = "tm:ref";

/// The most that the properties, events and actions are in place of their references: twice the size of a file. Without
/// references no definition reaches it, since each of its at most [`ThingModel::MAX_VALUES`] values counts as 10 bytes
/// and its text.
const MAX_EXPANDED_BYTES: usize = 2 * ThingModel::MAX_BYTES;

/// Expands the references within a definition. One to another document is left as it is.
pub(super) fn resolve(root: &mut Map<String, Value>, problems: &mut Problems) {
    const PARTS: [&str; 3] = ["properties", "events", "actions"];
    if !PARTS.iter().filter_map(|part| root.get(*part)).any(has_reference) {
        return;
    }
    let definition = Value::Object(std::mem::take(root));
    let mut expansion = Expansion { definition: &definition, bytes: 0, following: 0 };
    let expand_part =
        |part: &str| definition.get(part).map(|value| expansion.expand(&format!("/{part}"), value, 1)).transpose();
    let expanded: Result<Vec<_>, _> = PARTS.into_iter().map(expand_part).collect();
    let Value::Object(definition) = definition else { return };
    *root = definition;
    match expanded {
        Ok(values) => {
            root.extend(PARTS.iter().zip(values).filter_map(|(part, value)| Some(((*part).to_owned(), value?))))
        }
        Err((place, sentence)) => {
            problems.add(&place, sentence);
            // What is left in them would be reported as well, though it is a consequence.
            PARTS.iter().for_each(|part| drop(root.remove(*part)));
        }
    }
}

fn has_reference(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.get(REFERENCE).is_some_and(Value::is_string) || members.values().any(has_reference)
        }
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

/// A place, and what is wrong there.
type Wrong = (String, String);

struct Expansion<'a> {
    definition: &'a Value,
    bytes: usize,
    /// How many references are being followed. Problems within them are reported at the first one.
    following: usize,
}

impl Expansion<'_> {
    /// A copy of `value`, without references in it. `depth` counts levels of nesting and references that were followed,
    /// so that a reference to itself ends there, too.
    fn expand(&mut self, place: &str, value: &Value, depth: usize) -> Result<Value, Wrong> {
        if depth > ThingModel::MAX_DEPTH {
            let most = ThingModel::MAX_DEPTH;
            let sentence = format!("The references here form a cycle, or are nested deeper than {most} levels.");
            return Err((place.to_owned(), sentence));
        }
        self.spend(place, 10)?;
        match value {
            Value::Object(members) => self.expand_object(place, members, depth),
            Value::Array(items) => {
                let expand =
                    |(index, item): (usize, _)| self.expand(&self.below(place, &index.to_string()), item, depth + 1);
                items.iter().enumerate().map(expand).collect()
            }
            Value::String(text) => self.spend(place, text.len()).map(|()| value.clone()),
            _ => Ok(value.clone()),
        }
    }

    fn expand_object(&mut self, place: &str, members: &Map<String, Value>, depth: usize) -> Result<Value, Wrong> {
        let pointer = members.get(REFERENCE).and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        let mut expanded = match pointer {
            None => Value::Object(Map::new()),
            Some(pointer) => match self.definition.pointer(pointer) {
                Some(target) => {
                    self.following += 1;
                    let expanded = self.expand(place, target, depth + 1)?;
                    self.following -= 1;
                    expanded
                }
                None => {
                    let sentence = format!("This definition has nothing at `{}`.", shown(pointer));
                    return Err((self.below(place, REFERENCE), sentence));
                }
            },
        };
        for (key, value) in members {
            if key == REFERENCE && pointer.is_some() {
                continue;
            }
            self.spend(place, key.len())?;
            let value = self.expand(&self.below(place, &shown(key)), value, depth + 1)?;
            // Keys beside a reference are a JSON Merge Patch (RFC 7396) on its target.
            if pointer.is_some() {
                merge(&mut expanded, key, value);
            } else if let Value::Object(expanded) = &mut expanded {
                expanded.insert(key.clone(), value);
            }
        }
        Ok(expanded)
    }

    fn below(&self, place: &str, key: &str) -> String {
        if self.following > 0 { place.to_owned() } else { member(place, key) }
    }

    fn spend(&mut self, place: &str, bytes: usize) -> Result<(), Wrong> {
        self.bytes += bytes;
        if self.bytes > MAX_EXPANDED_BYTES {
            return Err((
                place.to_owned(),
                "With its references expanded, this definition is larger than 2 MiB.".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Puts `value` at `key` of `target`: member by member where it is an object, and `null` removes what is there.
fn merge(target: &mut Value, key: &str, value: Value) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    match value {
        Value::Null => {
            members.remove(key);
        }
        Value::Object(patch) => {
            let target = members.entry(key).or_insert(Value::Null);
            if patch.is_empty() && !target.is_object() {
                *target = Value::Object(Map::new());
            }
            for (key, value) in patch {
                merge(target, &key, value);
            }
        }
        value => {
            members.insert(key.to_owned(), value);
        }
    }
}
