//! The `pattern`s of a model, compiled to automata whose size and running time are known.
//!
//! JSON Schema asks for the regular expressions of ECMAScript. Without look-around and backreferences, which only an
//! engine of exponential time can follow, they are those of the `regex` crates, except for a few escapes.

use muster_domain::ModelProblem;
use regex_automata::nfa::thompson::{Compiler, Config, NFA, State, WhichCaptures, pikevm};
use std::collections::{HashMap, hash_map::Entry};

/// The most that the patterns of a model take, compiled. `^[\p{L} ]{1,64}$` takes 1 MB; one for a date 1 kB.
pub(super) const MAX_COMPILED_BYTES: usize = 2 * 1024 * 1024;

/// How deep groups may be nested: the parser of patterns is recursive.
const MAX_NESTING: u32 = 50;

/// A compiled pattern.
pub(super) struct Pattern {
    text: String,
    automaton: pikevm::PikeVM,
    /// The most transitions that the automaton follows for one byte of text.
    width: u64,
}

/// The different patterns of a model, by number.
#[derive(Default)]
pub(super) struct Patterns {
    all: Vec<Pattern>,
    numbers: HashMap<String, usize>,
    bytes: usize,
    is_full: bool,
}

/// Working memory of the automata, one per pattern, made when it is first used.
#[derive(Default)]
pub(super) struct Caches(HashMap<usize, pikevm::Cache>);

impl Pattern {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// How long [`Pattern::is_match`] takes at most, in transitions. The first use makes the working memory.
    pub(super) fn cost(&self, text: &str) -> u64 {
        self.width.saturating_mul(text.len() as u64 + 1)
    }
}

impl Patterns {
    pub(super) fn get(&self, number: usize) -> &Pattern {
        &self.all[number]
    }

    /// Whether a text has a part that the pattern matches.
    pub(super) fn is_match(&self, number: usize, text: &str, caches: &mut Caches) -> bool {
        let automaton = &self.all[number].automaton;
        automaton.is_match(caches.0.entry(number).or_insert_with(|| automaton.create_cache()), text)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of this pattern, which is compiled unless the model has it elsewhere.
    pub(super) fn add(&mut self, place: &str, text: &str) -> Result<usize, ModelProblem> {
        let next = self.all.len();
        let entry = match self.numbers.entry(text.to_owned()) {
            Entry::Occupied(known) => return Ok(*known.get()),
            Entry::Vacant(entry) => entry,
        };
        let problem = |sentence: String| ModelProblem { place: place.to_owned(), sentence };
        let too_large = || {
            problem(
                "With this pattern, those of the model are too large to be checked quickly. Make its counts, such as \
                 {1,64}, or its classes, such as \\p{L}, smaller; maxLength limits a text as well."
                    .to_owned(),
            )
        };
        // The work to find out that one is too large is done once, not for each that follows.
        if self.is_full {
            return Err(too_large());
        }
        let Some(translated) = translated(text) else {
            return Err(problem("This pattern cannot be used: flags, such as (?i), are not supported.".to_owned()));
        };
        let mut parser = regex_syntax::ParserBuilder::new().nest_limit(MAX_NESTING).build();
        let parsed = parser.parse(&translated).map_err(|error| {
            let reason = match error {
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => error.kind().to_string(),
                _ => "it cannot be read".to_owned(),
            };
            problem(format!("This pattern cannot be used: {reason}."))
        })?;
        let config = Config::new()
            // An automaton of bytes: searching for empty matches between characters could take quadratic time.
            .utf8(false)
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(Some(MAX_COMPILED_BYTES - self.bytes));
        let compiled = Compiler::new().configure(config).build_from_hir(&parsed);
        let Ok(automaton) = compiled.and_then(pikevm::PikeVM::new_from_nfa) else {
            self.is_full = true;
            return Err(too_large());
        };
        let nfa = automaton.get_nfa();
        self.bytes += nfa.memory_usage().min(MAX_COMPILED_BYTES - self.bytes);
        let width = width(nfa);
        entry.insert(next);
        self.all.push(Pattern { text: text.to_owned(), automaton, width });
        Ok(next)
    }
}

fn width(nfa: &NFA) -> u64 {
    let transitions = |state: &State| match state {
        State::Sparse(sparse) => sparse.transitions.len(),
        State::Dense(_) => 256,
        State::Union { alternates } => alternates.len(),
        State::BinaryUnion { .. } => 2,
        _ => 1,
    };
    nfa.states().iter().map(transitions).sum::<usize>() as u64
}

/// The pattern in the words of `regex-syntax`. In ECMAScript `\d`, `\w` and `\b` are about ASCII, and within a class `[`,
/// `&` and `~` are literal. `None`: it has flags.
fn translated(pattern: &str) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    let mut is_in_class = false;
    while let Some(char) = chars.next() {
        match (char, is_in_class) {
            ('\\', _) => match (chars.next(), is_in_class) {
                (Some('d'), _) => out.push_str("[0-9]"),
                (Some('D'), _) => out.push_str("[^0-9]"),
                (Some('w'), _) => out.push_str("[0-9A-Za-z_]"),
                (Some('W'), _) => out.push_str("[^0-9A-Za-z_]"),
                (Some('s'), _) => {
                    out.push_str(r"[\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]")
                }
                (Some('S'), _) => {
                    out.push_str(r"[^\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]")
                }
                (Some('b'), true) => out.push_str(r"\x08"),
                (Some('b'), false) => out.push_str(r"(?-u:\b)"),
                (Some('B'), false) => out.push_str(r"(?-u:\B)"),
                (Some(escaped), _) => out.extend(['\\', escaped]),
                (None, _) => out.push('\\'),
            },
            ('[', false) => {
                is_in_class = true;
                out.push('[');
            }
            ('[' | '&' | '~', true) => out.extend(['\\', char]),
            (']', true) => {
                is_in_class = false;
                out.push(']');
            }
            ('(', false) if begins_with_flags(chars.as_str()) => return None,
            _ => out.push(char),
        }
    }
    Some(out)
}

/// Whether this, behind `(`, sets flags, which ECMAScript does not have within a pattern: without letter case, a hundred
/// large classes of characters take more than a second to compile.
fn begins_with_flags(text: &str) -> bool {
    let next = text.strip_prefix('?').and_then(|rest| rest.chars().next());
    next.is_some_and(|next| next == '-' || (next.is_ascii_alphabetic() && next != 'P'))
}
