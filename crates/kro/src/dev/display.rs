//! The live view, as text: a tree of graphs, instances and nodes.

use std::fmt::Write;

use kro_engine::Timestamp;
use kro_manager::{GraphView, InstanceView, NodeView, View};

use crate::terminal::{BOLD, CYAN, DIM, GREEN, RED, RESET, YELLOW};

/// The tree, a line for each entry, each at most `width` columns wide.
pub fn draw_tree(view: &View, now: Timestamp, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for graph in &view.graphs {
        draw_graph(graph, now, width, &mut lines);
    }
    if view.graphs.is_empty() {
        lines.push(format!("{DIM}no graphs yet: apply one with kubectl, or name a file with -f{RESET}"));
    }
    lines
}

fn draw_graph(graph: &GraphView, now: Timestamp, width: usize, lines: &mut Vec<String>) {
    let mark = if graph.ready { Mark::Done } else { Mark::of_graph(graph) };
    let mut line = Line::new(width);
    line.push(mark.color(), mark.symbol());
    line.push(BOLD, &graph.name);
    line.push(DIM, if graph.kind.is_empty() { "graph" } else { &graph.kind });
    if graph.revision > 0 {
        line.push(DIM, &format!("revision {}", graph.revision));
    }
    line.push(mark.color(), &graph.message);
    lines.push(line.text);
    for instance in &graph.instances {
        draw_instance(graph, instance, now, width, lines);
    }
}

fn draw_instance(graph: &GraphView, instance: &InstanceView, now: Timestamp, width: usize, lines: &mut Vec<String>) {
    if !graph.kind.is_empty() {
        let mark = if instance.ready { Mark::Done } else { Mark::of_state(&instance.state) };
        let done = instance.nodes.iter().filter(|node| Mark::of_state(&node.state) == Mark::Done).count();
        let mut line = Line::new(width);
        line.push("", " ");
        line.push(mark.color(), mark.symbol());
        line.push(CYAN, &name_of(instance));
        line.push(mark.color(), &instance.state);
        line.push(DIM, &format!("{done}/{}", instance.nodes.len()));
        if mark != Mark::Done {
            line.push(DIM, &duration(now.since_ms(instance.since)));
        }
        if let Some(retry) = instance.next_retry {
            line.push(YELLOW, &format!("next try in {}", duration(retry.since_ms(now))));
        }
        lines.push(line.text);
    }
    let columns = Columns::of(&instance.nodes);
    lines.extend(instance.nodes.iter().map(|node| draw_node(node, &columns, now, width)));
    let blamed = instance.nodes.iter().any(|node| !node.reason.is_empty());
    if !instance.message.is_empty() && !blamed {
        let mut line = Line::new(width);
        line.push("", "     ");
        line.push(YELLOW, &instance.message);
        lines.push(line.text);
    }
}

/// Widths that make the nodes of an instance stand in columns.
struct Columns {
    id: usize,
    object: usize,
}

impl Columns {
    fn of(nodes: &[NodeView]) -> Self {
        let widest = |text: fn(&NodeView) -> String| nodes.iter().map(|node| text(node).chars().count()).max();
        Self {
            id: widest(|node| node.id.to_string()).unwrap_or(0).min(32),
            object: widest(object_of).unwrap_or(0).min(48),
        }
    }
}

fn draw_node(node: &NodeView, columns: &Columns, now: Timestamp, width: usize) -> String {
    let mark = Mark::of_state(&node.state);
    let mut line = Line::new(width);
    line.push("", "    ");
    line.push(mark.color(), mark.symbol());
    line.push("", &format!("{:<1$}", node.id, columns.id));
    line.push(DIM, &format!("{:<1$}", object_of(node), columns.object));
    if mark == Mark::Skipped {
        line.push(DIM, "skipped");
    } else if mark != Mark::Done {
        line.push(DIM, &format!("{:>4}", duration(now.since_ms(node.since))));
        line.push(mark.color(), &node.reason);
    }
    line.text
}

fn object_of(node: &NodeView) -> String {
    if node.name.is_empty() { node.kind.to_string() } else { format!("{}/{}", node.kind, node.name) }
}

/// `namespace/name`, or the name alone.
pub fn name_of(instance: &InstanceView) -> String {
    if instance.namespace.is_empty() {
        return instance.name.to_string();
    }
    format!("{}/{}", instance.namespace, instance.name)
}

/// How something stands, at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Done,
    Waiting,
    Skipped,
    Failed,
    Leaving,
}

impl Mark {
    fn of_state(state: &str) -> Self {
        match state {
            "SYNCED" | "ACTIVE" => Self::Done,
            "SKIPPED" => Self::Skipped,
            "ERROR" => Self::Failed,
            "DELETING" => Self::Leaving,
            _ => Self::Waiting,
        }
    }

    fn of_graph(graph: &GraphView) -> Self {
        if graph.state == "Inactive" && !graph.message.is_empty() { Self::Failed } else { Self::Waiting }
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Done => "✔",
            Self::Waiting => "◌",
            Self::Skipped => "–",
            Self::Failed => "✘",
            Self::Leaving => "⌫",
        }
    }

    fn color(self) -> &'static str {
        match self {
            Self::Done => GREEN,
            Self::Waiting => YELLOW,
            Self::Skipped => DIM,
            Self::Failed => RED,
            Self::Leaving => CYAN,
        }
    }
}

/// `900ms` never shows: whole seconds are enough for people, tenths below ten.
fn duration(ms: i64) -> String {
    let ms = ms.max(0);
    match ms {
        0..10_000 => format!("{}.{}s", ms / 1000, ms % 1000 / 100),
        10_000..120_000 => format!("{}s", ms / 1000),
        _ => format!("{}m", ms / 60_000),
    }
}

/// A line of coloured words that never gets wider than the terminal.
struct Line {
    text: String,
    room: usize,
}

impl Line {
    fn new(width: usize) -> Self {
        Self { text: String::new(), room: width }
    }

    /// Appends a word and a space; cuts it where the room ends.
    fn push(&mut self, color: &str, word: &str) {
        let mut word = word.replace(['\n', '\t', '\r', '\x1b'], " ");
        if word.is_empty() || self.room == 0 {
            return;
        }
        if word.chars().count() > self.room {
            word = word.chars().take(self.room - 1).chain(['…']).collect();
        }
        self.room = self.room.saturating_sub(word.chars().count() + 1);
        let end = if color.is_empty() { "" } else { RESET };
        let _ = write!(self.text, "{color}{word}{end} ");
    }
}

/// A line for each thing that changed between two views: for logs and pipes.
pub fn describe_changes(before: &View, after: &View) -> Vec<String> {
    let mut lines = Vec::new();
    for graph in &after.graphs {
        let old = before.graphs.iter().find(|old| old.name == graph.name);
        if old.is_none_or(|old| (old.ready, &old.message) != (graph.ready, &graph.message)) {
            let verdict = if graph.ready { "ready" } else { "not ready" };
            lines.push(join(&[&format!("graph {}", graph.name), verdict, &graph.message]));
        }
        for instance in &graph.instances {
            let old = old.and_then(|old| {
                old.instances.iter().find(|old| (&old.namespace, &old.name) == (&instance.namespace, &instance.name))
            });
            describe_instance(graph, old, instance, &mut lines);
        }
    }
    for graph in before.graphs.iter().filter(|old| !after.graphs.iter().any(|graph| graph.name == old.name)) {
        lines.push(format!("graph {} gone", graph.name));
    }
    lines
}

fn describe_instance(graph: &GraphView, old: Option<&InstanceView>, new: &InstanceView, lines: &mut Vec<String>) {
    let subject =
        if graph.kind.is_empty() { graph.name.to_string() } else { format!("{} {}", graph.kind, name_of(new)) };
    for node in &new.nodes {
        let before = old.and_then(|old| old.nodes.iter().find(|before| before.id == node.id));
        if before.is_none_or(|before| (&before.state, &before.reason) != (&node.state, &node.reason)) {
            let place = format!("{subject}: {} {}", node.id, object_of(node));
            lines.push(join(&[&place, &node.state, &node.reason]));
        }
    }
    if !graph.kind.is_empty() && old.is_none_or(|old| (old.ready, &old.state) != (new.ready, &new.state)) {
        lines.push(join(&[&subject, &new.state, if new.ready { "ready" } else { "" }]));
    }
}

fn join(words: &[&str]) -> String {
    let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
    words.join("  ").replace('\n', " ")
}

/// What is not ready, a line each: the reason for a failed `--once`.
pub fn describe_unready(view: &View) -> Vec<String> {
    let mut lines = Vec::new();
    for graph in &view.graphs {
        if !graph.ready {
            lines.push(join(&[&format!("graph {}", graph.name), "is not ready:", &graph.message]));
        }
        for instance in graph.instances.iter().filter(|instance| !instance.ready) {
            let subject = format!("{} {}", graph.kind, name_of(instance));
            lines.push(join(&[subject.trim(), "is", &instance.state, &instance.message]));
            let waiting = instance.nodes.iter().filter(|node| !node.reason.is_empty());
            lines.extend(waiting.map(|node| join(&["  ", &node.id, &node.state, &node.reason])));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(state: &str, reason: &str) -> View {
        let node = NodeView {
            id: "deployment".into(),
            kind: "Deployment".into(),
            name: "shop".into(),
            state: state.into(),
            reason: reason.to_owned(),
            since: Timestamp::from_ms(1_000),
        };
        let instance = InstanceView {
            namespace: "default".into(),
            name: "shop".into(),
            ready: state == "SYNCED",
            state: if state == "SYNCED" { "ACTIVE".into() } else { "IN_PROGRESS".into() },
            message: String::new(),
            since: Timestamp::from_ms(0),
            next_retry: None,
            nodes: vec![node],
        };
        let graph = GraphView {
            name: "webapp".into(),
            kind: "WebApp".into(),
            ready: true,
            refused: false,
            state: "Active".into(),
            message: "".into(),
            revision: 1,
            instances: vec![instance],
        };
        View { graphs: vec![graph], ..View::default() }
    }

    fn plain(lines: &[String]) -> Vec<String> {
        let strip = |line: &String| anstream::adapter::strip_str(line).to_string().trim_end().to_owned();
        lines.iter().map(strip).collect()
    }

    #[test]
    fn the_tree_shows_what_is_waited_for() {
        let lines = draw_tree(&view("WAITING_FOR_READINESS", "not ready\nyet"), Timestamp::from_ms(2_500), 80);
        assert_eq!(
            plain(&lines),
            [
                "✔ webapp WebApp revision 1",
                "  ◌ default/shop IN_PROGRESS 0/1 2.5s",
                "     ◌ deployment Deployment/shop 1.5s not ready yet",
            ]
        );
    }

    #[test]
    fn lines_fit_the_terminal() {
        let lines = draw_tree(&view("ERROR", &"long ".repeat(50)), Timestamp::from_ms(0), 40);
        for line in plain(&lines) {
            assert!(line.chars().count() <= 40, "{line}");
        }
    }

    #[test]
    fn plain_lines_tell_changes_only() {
        let (before, after) = (view("WAITING_FOR_READINESS", "x"), view("SYNCED", ""));
        assert_eq!(describe_changes(&before, &before), Vec::<String>::new());
        assert_eq!(
            describe_changes(&before, &after),
            ["WebApp default/shop: deployment Deployment/shop  SYNCED", "WebApp default/shop  ACTIVE  ready"]
        );
        assert_eq!(describe_changes(&after, &View::default()), ["graph webapp gone"]);
    }

    #[test]
    fn durations_are_short() {
        for (ms, text) in [(0, "0.0s"), (2_540, "2.5s"), (61_000, "61s"), (130_000, "2m"), (-5, "0.0s")] {
            assert_eq!(duration(ms), text);
        }
    }
}
