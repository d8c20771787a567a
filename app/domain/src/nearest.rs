//! "Did you mean …?": the known name that a mistyped one resembles.

/// The known name that `name` was probably meant to be, or `None` if none is plausibly a typing error away.
///
/// One that differs only in letter case wins. Otherwise the one reached with the fewest inserted, deleted,
/// replaced or swapped characters, as long as these are few for the length of the name: one in a name of up to
/// 7 characters, one more for every 4 above that, never more than 4, and never more than a third of the name.
/// Of equals, the first.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let chars = name.chars().count();
    if chars == 0 {
        return None;
    }
    // The cap also keeps a hopeless comparison cheap: names whose lengths differ by more are not compared.
    let allowed = (chars / 4).clamp(1, 4);
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let folded = candidate.to_lowercase();
        if folded == name {
            return Some(candidate);
        }
        if folded.chars().count().abs_diff(chars) > allowed {
            continue;
        }
        let distance = strsim::osa_distance(&name, &folded);
        // In a very short name one change is already another name: `A1` is not a typing error for `B1`.
        let plausible = distance <= allowed && distance * 3 <= chars;
        if plausible && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
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
        check("Contoso.Airplane.AirplaneModel", None);
        check("Contoso.Trian.Engine", Some("Contoso.Train.Engine"));
        check("Pmup", Some("Pump"));
        check("pump2", Some("PUMP2"));
        check("Lamp", None);
        check("", None);
        check("P", None);
    }
}
