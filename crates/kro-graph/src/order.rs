//! Order: topological order, deletion waves, cycles, and soft edges that never make a cycle.
//!
//! A graph is given as one list per node: the nodes it depends on. Every result is a function of that alone.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::NodeIndex;

/// For every node the nodes it depends on.
pub type Edges = Vec<Vec<NodeIndex>>;

/// Puts every node after its dependencies: repeatedly the lowest index whose dependencies are all out.
/// Nodes on a cycle, or behind one, are left out.
pub fn sort(dependencies: &Edges) -> Vec<NodeIndex> {
    let dependents = reverse(dependencies);
    let mut missing: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    let mut ready: BinaryHeap<Reverse<NodeIndex>> =
        indices(dependencies).filter(|node| missing[node.get()] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(dependencies.len());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for dependent in &dependents[node.get()] {
            missing[dependent.get()] -= 1;
            if missing[dependent.get()] == 0 {
                ready.push(Reverse(*dependent));
            }
        }
    }
    order
}

/// The deletion wave of each node: those that nothing depends on form the first layer and have the highest number, the
/// last layer has 1. Nodes of a cycle get 1. `order` is that of [`sort`].
pub fn waves(dependencies: &Edges, order: &[NodeIndex]) -> Vec<u32> {
    let mut layer = vec![0_u32; dependencies.len()];
    for node in order.iter().rev() {
        for dependency in &dependencies[node.get()] {
            layer[dependency.get()] = layer[dependency.get()].max(layer[node.get()] + 1);
        }
    }
    let layers = layer.iter().max().map_or(0, |deepest| deepest + 1);
    layer.iter().map(|layer| layers - layer).collect()
}

/// The soft edges that can be kept: all that close no cycle with the hard edges and with soft edges kept before them.
/// They are tried in the order of their nodes, so the choice is stable.
pub fn keep_acyclic(hard: &Edges, soft: &Edges) -> Edges {
    if soft.iter().all(Vec::is_empty) {
        return soft.clone();
    }
    let both: Edges = hard.iter().zip(soft).map(|(hard, soft)| merge(hard, soft)).collect();
    let component = components(&both);
    let mut kept: Edges = vec![Vec::new(); hard.len()];
    let mut current = hard.clone();
    for node in indices(soft) {
        for target in &soft[node.get()] {
            // Only edges inside a component can be part of a cycle.
            let suspicious = component[node.get()] == component[target.get()];
            if suspicious && reaches(&current, *target, node) {
                continue;
            }
            kept[node.get()].push(*target);
            current[node.get()].push(*target);
        }
    }
    kept
}

/// One shortest cycle of each group of nodes that all depend on each other. A cycle starts at its lowest node and lists
/// nodes in the direction of dependency; the first is not repeated at the end. Sorted by the first node.
pub fn cycles(dependencies: &Edges) -> Vec<Vec<NodeIndex>> {
    let component = components(dependencies);
    let mut size = vec![0_usize; dependencies.len()];
    component.iter().for_each(|lowest| size[*lowest] += 1);
    let is_knot = |node: &NodeIndex| {
        let is_lowest = component[node.get()] == node.get();
        is_lowest && (size[node.get()] > 1 || dependencies[node.get()].contains(node))
    };
    indices(dependencies).filter(is_knot).filter_map(|node| shortest_cycle(dependencies, node)).collect()
}

/// The shortest way from a node back to itself.
fn shortest_cycle(dependencies: &Edges, start: NodeIndex) -> Option<Vec<NodeIndex>> {
    let mut previous: Vec<Option<NodeIndex>> = vec![None; dependencies.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for target in &dependencies[node.get()] {
            if *target == start {
                return Some(walk_back(&previous, node, start));
            }
            if previous[target.get()].is_none() {
                previous[target.get()] = Some(node);
                queue.push_back(*target);
            }
        }
    }
    None
}

fn walk_back(previous: &[Option<NodeIndex>], last: NodeIndex, start: NodeIndex) -> Vec<NodeIndex> {
    let mut cycle = vec![last];
    let mut here = last;
    while here != start {
        let Some(before) = previous[here.get()] else { break };
        cycle.push(before);
        here = before;
    }
    cycle.reverse();
    cycle
}

fn reaches(dependencies: &Edges, from: NodeIndex, to: NodeIndex) -> bool {
    let mut seen = vec![false; dependencies.len()];
    let mut stack = vec![from];
    while let Some(node) = stack.pop() {
        if node == to {
            return true;
        }
        if !std::mem::replace(&mut seen[node.get()], true) {
            stack.extend(&dependencies[node.get()]);
        }
    }
    false
}

/// For every node the number of its strongly connected component: the lowest index in it. Kosaraju's two passes with
/// explicit stacks, since chains may be long.
fn components(dependencies: &Edges) -> Vec<usize> {
    let dependents = reverse(dependencies);
    let mut component = vec![usize::MAX; dependencies.len()];
    for root in finishing_order(dependencies).into_iter().rev() {
        if component[root.get()] != usize::MAX {
            continue;
        }
        let mut members = Vec::new();
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            if component[node.get()] == usize::MAX {
                component[node.get()] = root.get();
                members.push(node);
                stack.extend(&dependents[node.get()]);
            }
        }
        let lowest = members.iter().map(|node| node.get()).min().unwrap_or_default();
        members.iter().for_each(|node| component[node.get()] = lowest);
    }
    component
}

/// Nodes in the order in which a depth-first search leaves them.
fn finishing_order(edges: &Edges) -> Vec<NodeIndex> {
    let mut seen = vec![false; edges.len()];
    let mut order = Vec::with_capacity(edges.len());
    for root in indices(edges) {
        let mut stack = vec![(root, 0_usize)];
        while let Some((node, next)) = stack.pop() {
            if next == 0 && std::mem::replace(&mut seen[node.get()], true) {
                continue;
            }
            match edges[node.get()].get(next) {
                Some(target) => {
                    stack.push((node, next + 1));
                    if !seen[target.get()] {
                        stack.push((*target, 0));
                    }
                }
                None => order.push(node),
            }
        }
    }
    order
}

fn reverse(edges: &Edges) -> Edges {
    let mut reversed: Edges = vec![Vec::new(); edges.len()];
    for node in indices(edges) {
        for target in &edges[node.get()] {
            reversed[target.get()].push(node);
        }
    }
    reversed
}

fn merge(left: &[NodeIndex], right: &[NodeIndex]) -> Vec<NodeIndex> {
    left.iter().chain(right).copied().collect()
}

#[allow(clippy::cast_possible_truncation)] // the number of resources is bounded far below
fn indices(edges: &Edges) -> impl Iterator<Item = NodeIndex> + use<> {
    (0..edges.len() as u32).map(NodeIndex)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `"A:FB B:F"`: A needs F and B, B needs F; nodes are the letters from A.
    fn graph(nodes: usize, text: &str) -> Edges {
        let mut edges = vec![Vec::new(); nodes];
        let index = |letter: u8| NodeIndex(u32::from(letter - b'A'));
        for part in text.split_whitespace() {
            let bytes = part.as_bytes();
            edges[index(bytes[0]).get()] = bytes[2..].iter().map(|letter| index(*letter)).collect();
        }
        edges
    }

    fn letters(nodes: &[NodeIndex]) -> String {
        nodes.iter().map(|node| char::from(b'A' + u8::try_from(node.0).unwrap())).collect()
    }

    #[test]
    fn sorts_by_the_lowest_ready_index() {
        for (nodes, edges, order) in
            [(6, "C:D", "ABDCEF"), (6, "A:FB B:F", "CDEFBA"), (4, "B:AC D:C", "ACBD"), (2, "A:B B:A", ""), (0, "", "")]
        {
            assert_eq!(letters(&sort(&graph(nodes, edges))), order, "{edges}");
        }
    }

    #[test]
    fn counts_waves_from_the_dependents() {
        let counted = |nodes, edges| {
            let edges = graph(nodes, edges);
            waves(&edges, &sort(&edges))
        };
        assert_eq!(counted(4, "B:A C:B"), [1, 2, 3, 3]);
        assert_eq!(counted(3, ""), [1, 1, 1]);
    }

    #[test]
    fn finds_one_cycle_for_each_knot() {
        let found = |nodes, edges| cycles(&graph(nodes, edges)).iter().map(|cycle| letters(cycle)).collect::<Vec<_>>();
        assert_eq!(found(3, "A:B B:C C:A"), ["ABC"]);
        assert_eq!(found(5, "A:B B:CA C:A D:E E:D"), ["AB", "DE"]);
        assert_eq!(found(3, "B:A C:B"), Vec::<String>::new());
        assert_eq!(found(1, "A:A"), ["A"]);
    }

    #[test]
    fn drops_soft_edges_that_close_a_cycle() {
        let kept = keep_acyclic(&graph(3, "B:A"), &graph(3, "A:BC C:B"));
        assert_eq!(kept, graph(3, "A:C"), "B already needs A; with A:C kept, C:B would close a cycle");
    }

    fn arbitrary_edges() -> impl Strategy<Value = (Edges, Edges)> {
        (1_usize..12).prop_flat_map(|nodes| {
            let edge = (0..nodes, 0..nodes);
            let edges = move |pairs: Vec<(usize, usize)>| {
                let mut edges: Edges = vec![Vec::new(); nodes];
                for (from, to) in pairs {
                    edges[from].push(NodeIndex(u32::try_from(to).unwrap()));
                }
                edges.iter_mut().for_each(|targets| {
                    targets.sort();
                    targets.dedup();
                });
                edges
            };
            (proptest::collection::vec(edge.clone(), 0..20), proptest::collection::vec(edge, 0..20))
                .prop_map(move |(hard, soft)| (edges(hard), edges(soft)))
        })
    }

    proptest! {
        #[test]
        fn a_graph_is_sorted_or_has_a_cycle((edges, _) in arbitrary_edges()) {
            let order = sort(&edges);
            let position = |node: &NodeIndex| order.iter().position(|other| other == node);
            for node in &order {
                prop_assert!(edges[node.get()].iter().all(|target| position(target) < position(node)));
            }
            prop_assert_eq!(order.len() == edges.len(), cycles(&edges).is_empty());
        }

        #[test]
        fn soft_edges_never_make_a_cycle((hard, soft) in arbitrary_edges()) {
            let kept = keep_acyclic(&hard, &soft);
            let both: Edges = hard.iter().zip(&kept).map(|(hard, kept)| merge(hard, kept)).collect();
            prop_assert_eq!(sort(&both).len() == hard.len(), sort(&hard).len() == hard.len());
        }
    }
}
