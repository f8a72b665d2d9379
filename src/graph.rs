//! Topological sort, and the cycles that prevent it.

/// The result of walking a graph, depth first in the order of its nodes and edges.
#[derive(Debug)]
pub(crate) struct Walk {
    /// Every node after the nodes that it leads to, cycles aside.
    pub(crate) order: Vec<usize>,
    /// The cycles found: the nodes in order, each with the number of its edge that
    /// leads to the next; the last one's leads back to the first. Of many cycles
    /// through the same nodes, only the first ones.
    pub(crate) cycles: Vec<Vec<(usize, usize)>>,
}

/// Walks a graph of that many nodes, where `edge(node, n)` is the `n`th node to
/// which a node leads, or `None` after the last one.
///
/// Takes time linear in nodes and edges, and does not recurse.
//
// The open nodes are those on the path from `start` to the present node. A node is done,
// and takes its place in the order, once all of its edges have been followed, so that
// whatever it leads to is done before; an edge to an open node is the exception, and
// closes a cycle: the part of the path from that node on. Each edge is followed once,
// and each cycle has such an edge, since of its nodes the one that is opened first is
// still open when the edge that leads back to it is followed. So a graph without cycles
// is ordered, and of a graph with cycles at least one is found. Of cycles that share
// nodes, those that leave the path through a node that is done are not found.
#[expect(
    clippy::indexing_slicing,
    reason = "edges lead to nodes of the graph: callers number both by one table"
)]
#[expect(clippy::arithmetic_side_effects, reason = "of an open node, an edge was taken")]
pub(crate) fn walk(nodes: usize, edge: impl Fn(usize, usize) -> Option<usize>) -> Walk {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    // The total length of the cycles could be quadratic.
    let mut budget = nodes.saturating_mul(2).max(10_000);
    // The number of nodes that were open before each node was.
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
                    if walk.cycles.is_empty() || ring.len() <= budget {
                        let edges = ring.iter().map(|&(node, next)| (node, next - 1));
                        walk.cycles.push(edges.collect());
                    }
                    budget = budget.saturating_sub(ring.len());
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
    fn nodes_come_after_those_they_lead_to_and_cycles_are_found_once() {
        let edges: [&[usize]; 5] = [&[1, 2], &[2], &[], &[4], &[0, 3]];
        let walk = walk(5, |node, at| edges[node].get(at).copied());
        assert_eq!(walk.order, [2, 1, 0, 4, 3]);
        assert_eq!(walk.cycles, [[(3, 0), (4, 1)]]);
    }

    #[test]
    fn of_very_many_cycles_only_the_first_are_returned() {
        let walk = walk(100, |_, at| Some(at).filter(|&to| to < 100));
        let length: usize = walk.cycles.iter().map(Vec::len).sum();
        assert!((9_900..=10_000).contains(&length), "{length}");
        assert_eq!(walk.order.len(), 100);
    }
}
