//! The known name that is nearest to an unknown one.

/// The longest name that is compared, in bytes: the distance takes quadratic time, and
/// nobody mistypes a whole page.
const LONGEST: usize = 200;

/// The number of comparisons of single letters after which suggestions stop: a document
/// may be wrong a million times over.
const MAX_COMPARED: usize = 20_000_000;

/// Returns the nearest known name, if any is near.
///
/// Measured by the optimal string alignment distance: letters omitted, inserted,
/// replaced or swapped. At most a third of the name may differ, or one letter. If none is
/// so near, the first path that ends in the name: `ticket.cost` for `cost`.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest_within(name, known, &mut 0)
}

/// Returns the [`nearest`] name, unless too much was `compared` before.
pub(crate) fn nearest_within<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    compared: &mut usize,
) -> Option<String> {
    if name.len() > LONGEST {
        return None;
    }
    let within = (name.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    let mut ending = None;
    for candidate in known {
        if ending.is_none() && ends_in(candidate, name) {
            ending = Some(candidate);
        }
        // A letter has at most four bytes.
        let difference = candidate.len().abs_diff(name.len());
        if difference > within.saturating_mul(4) || candidate.len() > LONGEST {
            continue;
        }
        let letters = name.len().saturating_mul(candidate.len()).max(1);
        *compared = compared.saturating_add(letters);
        if *compared > MAX_COMPARED {
            break;
        }
        let found = (strsim::osa_distance(name, candidate), candidate);
        if found.0 <= within && best.is_none_or(|best| found < best) {
            best = Some(found);
        }
    }
    best.map(|(_, name)| name).or(ending).map(ToOwned::to_owned)
}

/// Returns whether a path ends in a name, or in a shorter path.
fn ends_in(path: &str, name: &str) -> bool {
    !name.is_empty() && path.strip_suffix(name).is_some_and(|above| above.ends_with('.'))
}

/// Ends a message about an unknown name, given the nearest known one.
pub(crate) fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["jobs.edit", "jobs.delete", "orders"];
        assert_eq!(nearest("jobs.edti", known), Some("jobs.edit".into()));
        assert_eq!(nearest("invoices", known), None);
        assert_eq!(nearest("edit", known), Some("jobs.edit".into()));
        assert_eq!(nearest("dit", known), None);
        assert_eq!(nearest("", known), None);
    }
}
