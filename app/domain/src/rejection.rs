//! A value that arrived and breaks its rule, as it passes through serde.

/// How the error of such a value begins. serde passes errors on as text, with its own words behind them; no error of its
/// own begins like this.
const MARK: &str = "rejected: ";

/// A value breaks its rule, as an error of serde. Its `Display` is for [`rejection_in`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MARK}{0}")]
pub struct Rejection<P: std::error::Error>(pub P);

/// The sentence for a person in an error of serde, if a value broke its rule. `None`: the input has another shape than the
/// type, which only a program can get wrong.
#[must_use]
pub fn rejection_in(error: &str) -> Option<&str> {
    let sentence = error.strip_prefix(MARK)?;
    // JSON's errors say where they are.
    Some(sentence.rsplit_once(" at line ").map_or(sentence, |(sentence, _)| sentence))
}
