//! Resolves `includes`, of roles and of editions.

use crate::graph;
use crate::names::{NameMap, keys};
use crate::problem::{Faults, Place, ProblemKind, truncate_list};

/// Resolves `includes` to the numbers included by each number, and reports unknown
/// names and cycles.
#[expect(clippy::indexing_slicing, reason = "numbers of what is known, by name")]
pub(crate) fn includes<'a, V>(
    what: &'static str,
    plural: &'static str,
    entries: impl Iterator<Item = (&'a str, &'a [String])>,
    known: &NameMap<V>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Vec<Vec<usize>> {
    let mut of = vec![Vec::new(); known.len()];
    let mut positions = vec![Vec::new(); known.len()];
    for (name, includes) in entries {
        let Some(number) = known.get_index_of(name) else { continue };
        let place = place.name(name);
        let list = place.key("includes");
        for (at, included) in includes.iter().enumerate() {
            match known.get_index_of(included.as_str()) {
                Some(included) => {
                    of[number].push(included);
                    positions[number].push(at);
                }
                None => faults.unknown(&list.item(at), what, included, keys(known)),
            }
        }
    }
    let walk = graph::walk(known.len(), |node, at| of[node].get(at).copied());
    let name = |number: usize| known.get_index(number).map_or("", |(name, _)| name);
    for ring in &walk.cycles {
        let Some(&(last, edge)) = ring.last() else { continue };
        let place = place.name(name(last));
        let list = place.key("includes");
        let names = truncate_list(ring.iter().map(|&(node, _)| name(node).to_owned()).collect());
        faults.push(&list.item(positions[last][edge]), ProblemKind::Cycle { what: plural, names });
    }
    of
}
