//! Things that name each other: an order in which what is named comes first, and
//! the cycles that prevent one.

/// A walk over a graph, depth first in the order of its nodes and edges.
#[derive(Debug)]
pub(crate) struct Walk {
    /// Every node after all that it leads to, cycles aside.
    pub(crate) order: Vec<usize>,
    /// The cycles found: the nodes in order, each with the number of its edge that
    /// leads to the next; the last one's leads back to the first. Of many cycles
    /// through the same nodes, only the first ones.
    pub(crate) cycles: Vec<Vec<(usize, usize)>>,
}

/// Walks a graph of that many nodes, where `edge(node, n)` is the `n`th node to
/// which a node leads, or `None` after the last one.
///
/// Linear in nodes and edges, and not recursive.
#[expect(
    clippy::indexing_slicing,
    reason = "edges lead to nodes of the graph: who calls numbers both by one table"
)]
#[expect(clippy::arithmetic_side_effects, reason = "of an open node, an edge was taken")]
pub(crate) fn walk(nodes: usize, edge: impl Fn(usize, usize) -> Option<usize>) -> Walk {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    // The total length of all cycles could be quadratic.
    let mut most_told = nodes.saturating_mul(2).max(10_000);
    // How many nodes were open before a node was.
    let mut depths = vec![0; nodes];
    let mut states = vec![State::New; nodes];
    let mut walk = Walk { order: Vec::with_capacity(nodes), cycles: Vec::new() };
    let mut open: Vec<(usize, usize)> = Vec::new();
    for start in 0..nodes {
        if states[start] != State::New {
            continue;
        }
        states[start] = State::Open;
        open.push((start, 0));
        while let Some((node, next)) = open.last_mut() {
            let (node, at) = (*node, *next);
            *next += 1;
            match edge(node, at) {
                None => {
                    states[node] = State::Done;
                    walk.order.push(node);
                    open.pop();
                }
                Some(to) if states[to] == State::New => {
                    states[to] = State::Open;
                    depths[to] = open.len();
                    open.push((to, 0));
                }
                Some(to) if states[to] == State::Open => {
                    let ring = &open[depths[to]..];
                    if walk.cycles.is_empty() || ring.len() <= most_told {
                        let edges = ring.iter().map(|&(node, next)| (node, next - 1));
                        walk.cycles.push(edges.collect());
                    }
                    most_told = most_told.saturating_sub(ring.len());
                }
                Some(_) => {}
            }
        }
    }
    walk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_comes_first_and_cycles_are_met_once() {
        let edges: [&[usize]; 5] = [&[1, 2], &[2], &[], &[4], &[0, 3]];
        let walk = walk(5, |node, at| edges[node].get(at).copied());
        assert_eq!(walk.order, [2, 1, 0, 4, 3]);
        assert_eq!(walk.cycles, [[(3, 0), (4, 1)]]);
    }

    #[test]
    fn of_very_many_cycles_the_first_are_told() {
        let walk = walk(100, |_, at| Some(at).filter(|&to| to < 100));
        let told: usize = walk.cycles.iter().map(Vec::len).sum();
        assert!((9_900..=10_000).contains(&told), "{told}");
        assert_eq!(walk.order.len(), 100);
    }
}
