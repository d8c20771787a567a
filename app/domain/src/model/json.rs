//! Reads JSON strictly: with limits on its depth and its number of values, and without the same key twice in an object.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{ModelProblem, Problems, ThingModel, member};
use crate::shown::shown;

/// Reads a whole text; keys that occur twice are added to `problems`.
///
/// # Errors
/// Where and why the text is not JSON, or is too large or too deep.
pub(super) fn read(bytes: &[u8], problems: &mut Problems) -> Result<Value, ModelProblem> {
    // Windows' editors put a byte order mark before everything, and RFC 8259 lets a reader pass over it.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let at_start =
        |sentence: &str| ModelProblem { place: "line 1, column 1".to_owned(), sentence: sentence.to_owned() };
    if bytes.len() > ThingModel::MAX_BYTES {
        return Err(at_start("A model definition has at most 1 MiB. Is this the right file?"));
    }
    if bytes.trim_ascii().is_empty() {
        return Err(at_start("The file is empty. A model definition is a JSON object."));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| ModelProblem {
        place: place(bytes, error.valid_up_to()),
        sentence: "The file is not UTF-8 here. Save it again with the encoding UTF-8.".to_owned(),
    })?;
    let found = Found::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    let node = Node { path: &Path::Root, depth: 1, found: &found };
    let value = node.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    let value = value.map_err(|error| syntax(text, &error))?;
    for pointer in found.repeated.into_inner() {
        problems.add(&pointer, "This key appears more than once in its object. Remove all but one.");
    }
    Ok(value)
}

fn syntax(text: &str, error: &serde_json::Error) -> ModelProblem {
    let message = error.to_string();
    let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
    // Its columns are bytes of the line; those on the screen are characters.
    let line_start = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (line_start + error.column().saturating_sub(1)).min(text.len());
    let sentence = if error.is_eof() {
        format!("The file ends too early ({reason}). Is part of it missing?")
    } else if error.is_data() {
        format!("{reason}.")
    } else {
        format!("This isn't a JSON file: {reason}.")
    };
    ModelProblem { place: place(text.as_bytes(), at), sentence }
}

fn place(bytes: &[u8], at: usize) -> String {
    let before = &bytes[..at];
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    // Every character has exactly one byte that does not continue another.
    let column = before[line_start..].iter().filter(|&&byte| byte & 0xc0 != 0x80).count() + 1;
    format!("line {line}, column {column}")
}

/// The keys that lead to a value. A chain of references, because a copy of the whole path for every value would
/// take quadratic time for a long key with much below it.
enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// The path as a JSON pointer. Its keys are the file's own, which may be long and hold anything.
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Key(parent, key) => member(&parent.pointer(), &shown(key)),
            Self::Index(parent, index) => member(&parent.pointer(), &index.to_string()),
        }
    }
}

/// What the reader has found so far.
#[derive(Default)]
struct Found {
    values: Cell<usize>,
    repeated: RefCell<Vec<String>>,
}

/// A value that is about to be read, and where it is.
#[derive(Clone, Copy)]
struct Node<'a> {
    path: &'a Path<'a>,
    depth: usize,
    found: &'a Found,
}

impl<'a> Node<'a> {
    fn child<'b>(self, path: &'b Path<'b>) -> Node<'b>
    where
        'a: 'b,
    {
        Node { path, depth: self.depth + 1, found: self.found }
    }

    fn check_depth<E: Error>(&self) -> Result<(), E> {
        if self.depth > ThingModel::MAX_DEPTH {
            let message = format!("Objects and arrays are nested deeper than {} levels here", ThingModel::MAX_DEPTH);
            return Err(E::custom(message));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let values = self.found.values.get() + 1;
        self.found.values.set(values);
        if values > ThingModel::MAX_VALUES {
            let message = format!("A model definition has at most {} JSON values", ThingModel::MAX_VALUES);
            return Err(D::Error::custom(message));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut array = Vec::new();
        loop {
            let path = Path::Index(self.path, array.len());
            match items.next_element_seed(self.child(&path))? {
                Some(item) => array.push(item),
                None => return Ok(Value::Array(array)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let path = Path::Key(self.path, &key);
            let value = members.next_value_seed(self.child(&path))?;
            if object.contains_key(&key) {
                let mut repeated = self.found.repeated.borrow_mut();
                // One more than is ever reported, so that it is known to be too many.
                if repeated.len() <= ThingModel::MAX_PROBLEMS {
                    repeated.push(path.pointer());
                }
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
