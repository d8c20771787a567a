//! Checks a value against a schema, and says what is wrong with it.

use super::{Enum, Members, Others, Rule, Schema, pattern::Caches, pattern::Patterns};
use muster_domain::shown_up_to;
use serde_json::{Number, Value};
use std::{cmp::Ordering, collections::HashSet, fmt::Write};

/// The most characters of a part of the model or the report that a sentence repeats.
const SHOWN_CHARS: usize = 60;

/// How many bytes of text are compared, counted or copied in the time of a step.
const BYTES_PER_STEP: u64 = 64;

/// How many bytes of text are held against a format in the time of a step.
const FORMAT_BYTES_PER_STEP: u64 = 8;

/// The cost to copy a value, look the copy up and store it: memory is allocated for it.
const COPY_STEPS: u64 = 4;
const REMEMBER_STEPS: u64 = 20;

/// How many transitions of an automaton are followed in the time of a step.
const TRANSITIONS_PER_STEP: u64 = 8;

/// One check under way.
pub(super) struct Run<'a> {
    patterns: &'a Patterns,
    caches: Caches,
    steps_left: u64,
}

pub(super) enum Failure<'a> {
    Fault(Fault<'a>),
    OutOfSteps,
}

/// A violation of a schema, and where in the value it is.
pub(super) struct Fault<'a> {
    wrong: Wrong<'a>,
    /// The keys that lead there, innermost first.
    path: Vec<Key<'a>>,
}

enum Wrong<'a> {
    Rule(&'a Rule),
    Missing(&'a str),
    NotAllowed,
}

enum Key<'a> {
    Name(&'a str),
    Index(usize),
}

type Checked<'a> = Result<(), Failure<'a>>;

impl<'a> Run<'a> {
    pub(super) fn new(patterns: &'a Patterns, max_steps: u64) -> Self {
        Self { patterns, caches: Caches::default(), steps_left: max_steps }
    }

    pub(super) fn steps_left(&self) -> u64 {
        self.steps_left
    }

    fn spend(&mut self, steps: u64) -> Result<(), Failure<'static>> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(Failure::OutOfSteps)?;
        Ok(())
    }

    fn spend_on_text(&mut self, bytes: usize) -> Result<(), Failure<'static>> {
        self.spend(bytes as u64 / BYTES_PER_STEP)
    }

    /// The value as a text that is the same for all equal values; `None` if it is longer than `most` bytes.
    fn canonical(&mut self, value: &Value, most: usize) -> Result<Option<String>, Failure<'static>> {
        self.spend(COPY_STEPS)?;
        let mut text = String::new();
        let is_whole = write_canonical(value, &mut text, most, &mut |steps| self.spend(steps))?;
        self.spend_on_text(text.len())?;
        Ok(is_whole.then_some(text))
    }
}

impl Schema {
    pub(super) fn check<'a>(&'a self, value: &'a Value, run: &mut Run) -> Checked<'a> {
        run.spend(1 + self.0.len() as u64)?;
        self.0.iter().try_for_each(|rule| rule.check(value, run))
    }

    /// Whether the value fits, where it is not said why not.
    fn fits(&self, value: &Value, run: &mut Run) -> Result<bool, Failure<'static>> {
        match self.check(value, run) {
            Ok(()) => Ok(true),
            Err(Failure::Fault(_)) => Ok(false),
            Err(Failure::OutOfSteps) => Err(Failure::OutOfSteps),
        }
    }
}

impl Rule {
    fn check<'a>(&'a self, value: &'a Value, run: &mut Run) -> Checked<'a> {
        let holds = match (self, value) {
            (Self::Type(kind), _) => kind.has(value),
            (Self::Const(text), _) => run.canonical(value, text.len())?.as_ref() == Some(text),
            (Self::Enum(listed), _) => {
                let Enum { texts, longest, .. } = &**listed;
                run.canonical(value, *longest)?.is_some_and(|text| texts.contains(&text))
            }
            (Self::Minimum(least), Value::Number(number)) => compare(number, least).is_ge(),
            (Self::Above(bound), Value::Number(number)) => compare(number, bound).is_gt(),
            (Self::Maximum(most), Value::Number(number)) => compare(number, most).is_le(),
            (Self::Below(bound), Value::Number(number)) => compare(number, bound).is_lt(),
            (Self::MultipleOf(step), Value::Number(number)) => is_multiple(number, step),
            (Self::MinLength(least), Value::String(text)) => run.chars(text)? >= *least,
            (Self::MaxLength(most), Value::String(text)) => run.chars(text)? <= *most,
            (Self::Format(format), Value::String(text)) => {
                run.spend(text.len() as u64 / FORMAT_BYTES_PER_STEP)?;
                format.fits(text)
            }
            (Self::Pattern(number), Value::String(text)) => {
                run.spend(run.patterns.get(*number).cost(text) / TRANSITIONS_PER_STEP)?;
                run.patterns.is_match(*number, text, &mut run.caches)
            }
            (Self::Items(schema), Value::Array(items)) => {
                return items
                    .iter()
                    .enumerate()
                    .try_for_each(|(index, item)| within_item(index, schema.check(item, run)));
            }
            (Self::FirstItems(schemas), Value::Array(items)) => {
                let mut pairs = schemas.iter().zip(items).enumerate();
                return pairs.try_for_each(|(index, (schema, item))| within_item(index, schema.check(item, run)));
            }
            (Self::MinItems(least), Value::Array(items)) => items.len() as u64 >= *least,
            (Self::MaxItems(most), Value::Array(items)) => items.len() as u64 <= *most,
            (Self::UniqueItems, Value::Array(items)) => {
                let mut texts = HashSet::new();
                let mut is_unique = true;
                for item in items {
                    run.spend(REMEMBER_STEPS)?;
                    is_unique = is_unique && run.canonical(item, usize::MAX)?.is_some_and(|text| texts.insert(text));
                }
                is_unique
            }
            (Self::Members(members), Value::Object(object)) => {
                let mut object = object.iter();
                return object.try_for_each(|(name, value)| {
                    members.check(name, value, run).map_err(|it| it.within(Key::Name(name)))
                });
            }
            (Self::Required(names), Value::Object(object)) => {
                run.spend(names.len() as u64)?;
                let missing = names.iter().find(|name| !object.contains_key(*name));
                return missing.map_or(Ok(()), |name| Err(Failure::because(Wrong::Missing(name))));
            }
            (Self::MinProperties(least), Value::Object(object)) => object.len() as u64 >= *least,
            (Self::MaxProperties(most), Value::Object(object)) => object.len() as u64 <= *most,
            (Self::OneOf(schemas), _) => {
                let mut fitting = 0;
                for schema in schemas {
                    fitting += u32::from(schema.fits(value, run)?);
                }
                fitting == 1
            }
            (Self::AnyOf(schemas), _) => {
                let mut fits = false;
                for schema in schemas {
                    fits = fits || schema.fits(value, run)?;
                }
                fits
            }
            (Self::AllOf(schemas), _) => return schemas.iter().try_for_each(|schema| schema.check(value, run)),
            (Self::Not(schema), _) => !schema.fits(value, run)?,
            (Self::If(condition), _) => {
                let fits = condition.test.fits(value, run)?;
                let branch = if fits { &condition.then } else { &condition.otherwise };
                return branch.check(value, run);
            }
            // A rule about values of another type.
            _ => true,
        };
        if holds { Ok(()) } else { Err(Failure::because(Wrong::Rule(self))) }
    }
}

impl Members {
    fn check<'a>(&'a self, name: &'a str, value: &'a Value, run: &mut Run) -> Checked<'a> {
        run.spend(1)?;
        run.spend_on_text(name.len())?;
        match (self.named.get(name), &self.others) {
            (Some(schema), _) | (None, Others::Schema(schema)) => schema.check(value, run),
            (None, Others::Anything) => Ok(()),
            (None, Others::Nothing) => Err(Failure::because(Wrong::NotAllowed)),
        }
    }
}

impl Run<'_> {
    fn chars(&mut self, text: &str) -> Result<u64, Failure<'static>> {
        self.spend_on_text(text.len())?;
        Ok(text.chars().count() as u64)
    }
}

fn within_item(index: usize, checked: Checked<'_>) -> Checked<'_> {
    checked.map_err(|failure| failure.within(Key::Index(index)))
}

impl<'a> Failure<'a> {
    fn because(wrong: Wrong<'a>) -> Self {
        Self::Fault(Fault { wrong, path: Vec::new() })
    }

    fn within(mut self, key: Key<'a>) -> Self {
        if let Self::Fault(fault) = &mut self {
            fault.path.push(key);
        }
        self
    }
}

impl Fault<'_> {
    /// Where in the value, as a JSON pointer.
    pub(super) fn pointer(&self) -> String {
        self.path.iter().rev().fold(String::new(), |mut pointer, key| {
            pointer.push('/');
            match key {
                Key::Name(name) => {
                    pointer.push_str(&shown_up_to(name, SHOWN_CHARS).replace('~', "~0").replace('/', "~1"));
                }
                Key::Index(index) => pointer.push_str(&index.to_string()),
            }
            pointer
        })
    }

    /// The model's rules.
    pub(super) fn reason(&self, patterns: &Patterns) -> String {
        let rule = match &self.wrong {
            Wrong::Missing(name) => return format!("`{}` is missing", shown_up_to(name, SHOWN_CHARS)),
            Wrong::NotAllowed => return "the model has no such member here".to_owned(),
            Wrong::Rule(rule) => rule,
        };
        match rule {
            Rule::Type(kind) => format!("it has to be {kind}"),
            Rule::Const(text) => format!("it has to be {}", shown_up_to(text, SHOWN_CHARS)),
            Rule::Enum(listed) => format!("it has to be one of {}", listed.sample),
            Rule::Minimum(least) => format!("it has to be at least {least}"),
            Rule::Above(bound) => format!("it has to be more than {bound}"),
            Rule::Maximum(most) => format!("it has to be at most {most}"),
            Rule::Below(bound) => format!("it has to be less than {bound}"),
            Rule::MultipleOf(step) => format!("it has to be a multiple of {step}"),
            Rule::MinLength(least) => format!("it needs at least {least} characters"),
            Rule::MaxLength(most) => format!("it may have at most {most} characters"),
            Rule::Format(format) => format!("it has to be {}", format.example()),
            Rule::Pattern(number) => {
                format!("it has to match the pattern {}", shown_up_to(patterns.get(*number).text(), SHOWN_CHARS))
            }
            Rule::MinItems(least) => format!("it needs at least {least} items"),
            Rule::MaxItems(most) => format!("it may have at most {most} items"),
            Rule::UniqueItems => "its items have to differ from each other".to_owned(),
            Rule::MinProperties(least) => format!("it needs at least {least} members"),
            Rule::MaxProperties(most) => format!("it may have at most {most} members"),
            Rule::OneOf(_) => "it has to fit exactly one of the schemas in oneOf".to_owned(),
            Rule::AnyOf(_) => "it has to fit one of the schemas in anyOf".to_owned(),
            Rule::Not(_) => "it fits the schema in not, which it must not".to_owned(),
            // Their faults are those of the schemas in them.
            Rule::Items(_)
            | Rule::FirstItems(_)
            | Rule::Members(_)
            | Rule::Required(_)
            | Rule::AllOf(_)
            | Rule::If(_) => "it does not fit".to_owned(),
        }
    }
}

/// Compares integers exactly, and other numbers as they are kept.
fn compare(a: &Number, b: &Number) -> Ordering {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
    }
}

fn is_multiple(number: &Number, step: &Number) -> bool {
    if let (Some(number), Some(step)) = (number.as_i128(), step.as_i128()) {
        return step != 0 && number % step == 0;
    }
    let (Some(number), Some(step)) = (number.as_f64(), step.as_f64()) else { return false };
    let times = number / step;
    // 19.99 is a multiple of 0.01, though neither is stored exactly; for a number that is too large it cannot be decided.
    !times.is_finite() || (times - times.round()).abs() <= 4.0 * f64::EPSILON * times.abs()
}

/// A value as a text that is the same for all equal values: 1 and 1.0 are, and so are objects in any order.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    let _ = write_canonical(value, &mut text, usize::MAX, &mut |_| Ok(()));
    text
}

/// Writes the canonical text. Returns whether it has at most `most` bytes; the rest of a longer one is not written.
fn write_canonical(
    value: &Value,
    text: &mut String,
    most: usize,
    spend: &mut impl FnMut(u64) -> Result<(), Failure<'static>>,
) -> Result<bool, Failure<'static>> {
    spend(1)?;
    match value {
        Value::Number(number) => match number.as_f64() {
            // Up to here, every integer has a floating-point number of its own.
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9.0e15 => {
                let _ = write!(text, "{}", float as i64);
            }
            _ => {
                let _ = write!(text, "{number}");
            }
        },
        // Quoting never makes a text shorter, and most texts are longer than what they are compared with.
        Value::String(string) if string.len() + 2 > most => return Ok(false),
        Value::Null | Value::Bool(_) | Value::String(_) => {
            let _ = write!(text, "{value}");
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                if text.len() > most || !write_canonical(item, text, most, spend)? {
                    return Ok(false);
                }
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                if text.len().saturating_add(name.len()) > most {
                    return Ok(false);
                }
                let comma = if index > 0 { "," } else { "" };
                let _ = write!(text, "{comma}{}:", Value::String(name.clone()));
                if !write_canonical(value, text, most, spend)? {
                    return Ok(false);
                }
            }
            text.push('}');
        }
    }
    Ok(text.len() <= most)
}
