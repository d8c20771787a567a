//! "Did you mean …?": the known name that a mistyped one resembles.

/// The known name that `name` was probably meant to be, or `None` if none is plausibly a typing error away.
///
/// One that differs only in letter case wins. Otherwise the one reached with the fewest inserted, deleted,
/// replaced or swapped characters, as long as these are few for the length of the name: one in a name of up to
/// 7 characters, one more for every 4 above that, never more than 4, and never more than a third of the name.
/// Of equals, the first.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut steps = u64::MAX;
    KnownNames::new(known).nearest(name, &mut steps)
}

/// Known names, prepared for looking up many others among them.
pub struct KnownNames<'a>(Vec<Known<'a>>);

struct Known<'a> {
    name: &'a str,
    /// Its place among the known names as they were given.
    order: usize,
    lower: Vec<char>,
    letters: u64,
}

impl<'a> KnownNames<'a> {
    /// Prepares these names.
    pub fn new(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<_> = names
            .into_iter()
            .enumerate()
            .map(|(order, name)| {
                let lower = lower_case(name);
                Known { name, order, letters: letters(&lower), lower }
            })
            .collect();
        // By length, so that those of a plausible length are one slice; then by text, so that an equal one is found fast.
        known.sort_by(|a, b| (a.lower.len(), &a.lower).cmp(&(b.lower.len(), &b.lower)));
        Self(known)
    }

    /// As [`nearest`], with at most `steps` steps, of which those it takes are subtracted. A step is a comparison of two
    /// characters, 1 to 2 ns. Without any left, only a name that differs in nothing but letter case is found.
    #[must_use]
    pub fn nearest(&self, name: &str, steps: &mut u64) -> Option<&'a str> {
        let name = lower_case(name);
        let at = self.0.partition_point(|known| (known.lower.len(), &known.lower) < (name.len(), &name));
        if let Some(equal) = self.0.get(at).filter(|known| known.lower == name && !name.is_empty()) {
            return Some(equal.name);
        }
        // In a very short name one change is already another name: `A1` is not a typing error for `B1`.
        let allowed = (name.len() / 4).clamp(1, 4).min(name.len() / 3);
        if allowed == 0 {
            return None;
        }
        let from = self.0.partition_point(|known| known.lower.len() < name.len() - allowed);
        let letters = letters(&name);
        let mut rows = Rows::default();
        let mut best: Option<(usize, &Known)> = None;
        for known in self.0[from..].iter().take_while(|known| known.lower.len() <= name.len() + allowed) {
            *steps = steps.checked_sub(1)?;
            // A replaced character is one letter less and another one more; every other change is less.
            if (known.letters ^ letters).count_ones() as usize > 2 * allowed {
                continue;
            }
            let Some(distance) = rows.distance(&name, &known.lower, allowed, steps)? else { continue };
            if best.is_none_or(|(least, found)| (distance, known.order) < (least, found.order)) {
                best = Some((distance, known));
            }
        }
        best.map(|(_, known)| known.name)
    }
}

fn lower_case(name: &str) -> Vec<char> {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// Which characters a text has: a bit for each, which some share.
fn letters(text: &[char]) -> u64 {
    let bit = |character: char| character.to_digit(10).unwrap_or(10 + u32::from(character) % 54);
    text.iter().fold(0, |letters, &character| letters | 1 << bit(character))
}

/// The last three rows of the table of distances between the beginnings of two texts.
#[derive(Default)]
struct Rows([Vec<usize>; 3]);

impl Rows {
    /// How many characters to insert, delete, replace or swap with their neighbour, none of them twice, to get from `a`
    /// to `b`, if that is at most `most`; the outer `None` if there are not enough steps left.
    ///
    /// (The optimal string alignment distance. Only what is at most `most` beside the diagonal can be as near.)
    fn distance(&mut self, a: &[char], b: &[char], most: usize, steps: &mut u64) -> Option<Option<usize>> {
        let before = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let (a, b) = (&a[before..], &b[before..]);
        let behind = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
        let (a, b) = (&a[..a.len() - behind], &b[..b.len() - behind]);
        *steps = steps.checked_sub((before + behind) as u64)?;
        if a.len().abs_diff(b.len()) > most {
            return Some(None);
        }

        let too_far = most + 1;
        let [before, last, row] = &mut self.0;
        for cells in [&mut *before, &mut *last, &mut *row] {
            cells.clear();
            cells.resize(b.len() + 1, too_far);
        }
        for (column, cell) in last.iter_mut().enumerate().take(too_far) {
            *cell = column;
        }
        let mut least_of_last = 0;
        for i in 1..=a.len() {
            let (from, to) = (i.saturating_sub(most).max(1), (i + most).min(b.len()));
            *steps = steps.checked_sub((to + 1).saturating_sub(from) as u64)?;
            row[from - 1] = if from == 1 { i.min(too_far) } else { too_far };
            let mut least = row[from - 1];
            for j in from..=to {
                let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut cell = replaced.min(last[j] + 1).min(row[j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    cell = cell.min(before[j - 2] + 1);
                }
                row[j] = cell.min(too_far);
                least = least.min(row[j]);
            }
            if let Some(next) = row.get_mut(to + 1) {
                *next = too_far;
            }
            // Every later cell comes from one of these two rows; from the one before last, by a swap.
            if least > most && least_of_last >= most {
                return Some(None);
            }
            least_of_last = least;
            std::mem::swap(before, last);
            std::mem::swap(last, row);
        }
        Some(last.last().copied().filter(|distance| *distance <= most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_probably_meant() {
        let known = ["Contoso.Aircraft.AircraftModel", "Contoso.Train.Engine", "Pump", "PUMP2"];
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(nearest(name, known.into_iter()), expected, "{name}");
        };
        check("contoso.aircraft.aircraftmodel", Some("Contoso.Aircraft.AircraftModel"));
        check("Contoso.Aircraft.AircraftModle", Some("Contoso.Aircraft.AircraftModel"));
        check("Contoso.Aircaft.AircraftMdoel", Some("Contoso.Aircraft.AircraftModel"));
        check("Contoso.Aircraft.Aircraft_Model1", Some("Contoso.Aircraft.AircraftModel"));
        check("onContoso.Aircraft.AircraftModel", Some("Contoso.Aircraft.AircraftModel"));
        check("Contoso.Airplane.AirplaneModel", None);
        check("Contoso.Trian.Engine", Some("Contoso.Train.Engine"));
        check("Pmup", Some("Pump"));
        check("pump2", Some("PUMP2"));
        check("Lamp", None);
        check("", None);
        check("P", None);
        assert_eq!(nearest("pump", ["PumP", "Pump"].into_iter()), Some("PumP"), "of equals, the first");
        assert_eq!(nearest("Pummp", ["Pumps", "Pump", "Pumpp"].into_iter()), Some("Pump"));
        assert_eq!(nearest("Pumq", ["Pumz", "Pump", "Puma"].into_iter()), Some("Pumz"), "of equals, the first");
    }

    /// The distance as its definition says it, without a shortcut.
    fn plain_distance(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                if i == 0 || j == 0 {
                    table[i][j] = i + j;
                    continue;
                }
                let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                table[i][j] = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    table[i][j] = table[i][j].min(table[i - 2][j - 2] + 1);
                }
            }
        }
        table[a.len()][b.len()]
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn shortcuts_change_no_distance(a in "[abcd]{0,12}", b in "[abcd]{0,12}", most in 1..5_usize) {
            let (a, b) = (lower_case(&a), lower_case(&b));
            let plain = Some(plain_distance(&a, &b)).filter(|distance| *distance <= most);
            let (mut rows, mut steps) = (Rows::default(), u64::MAX);
            proptest::prop_assert_eq!(rows.distance(&a, &b, most, &mut steps), Some(plain));
            proptest::prop_assert_eq!(rows.distance(&b, &a, most, &mut steps), Some(plain), "with rows used before");
        }

        #[test]
        fn preparation_changes_no_answer(name in "[abA.]{0,20}", known in proptest::collection::vec("[abA.]{0,20}", 0..20)) {
            let lower = lower_case(&name);
            let allowed = (lower.len() / 4).clamp(1, 4).min(lower.len() / 3);
            let distances = known.iter().map(|known| (plain_distance(&lower, &lower_case(known)), known.as_str()));
            let expected = distances.filter(|(distance, _)| *distance <= allowed && !lower.is_empty()).min_by_key(|(distance, _)| *distance);
            proptest::prop_assert_eq!(nearest(&name, known.iter().map(String::as_str)), expected.map(|(_, known)| known));
        }
    }

    #[test]
    fn steps_are_limited() {
        // As many as an account may have, as long as they may be, and all of them nearly alike.
        let known: Vec<String> = (0..10_000).map(|number| format!("M{}{number:05}", "ab".repeat(125))).collect();
        let known = KnownNames::new(known.iter().map(String::as_str));
        let mut steps = 10_000_000;
        let find = |number: usize, steps: &mut u64| {
            known.nearest(&format!("M{}{number:05}", "ba".repeat(125)), steps).map(|name| &name[251..])
        };
        assert_eq!(find(7, &mut 1_000_000_000), Some("00007"));
        let found = (0..1_000).filter(|&number| find(number, &mut steps).is_some()).count();
        assert!((0..10).contains(&found) && steps < 1_000, "{found} {steps}");
        assert_eq!(
            known.nearest(&format!("m{}00007", "AB".repeat(125)), &mut 0).map(|name| &name[251..]),
            Some("00007")
        );
    }
}
