//! Where the boxes stand, and where lines leave and enter them.

use super::Point;
use super::labels;
use crate::workflow::Transition;

/// The least height of a box, and the least width.
const BOX: (i32, i32) = (44, 110);
/// The least distance of two lines that end at the same side of a box.
const PITCH: i32 = 16;
/// The least distance of two columns, and what a label between them needs besides its width.
const GAP: (i32, i32) = (96, 76);
/// The least distance of two rows.
const ROW_GAP: i32 = 60;
/// How high a loop stands on its box.
pub(super) const LOOP: i32 = 28;

/// A state's box.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) column: usize,
    pub(super) row: usize,
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) width: i32,
    pub(super) height: i32,
    /// Records may begin here.
    pub(super) initial: bool,
    /// Nothing leads to another state.
    pub(super) last: bool,
}

impl Node<'_> {
    pub(super) fn right(&self) -> i32 {
        self.left + self.width
    }

    pub(super) fn bottom(&self) -> i32 {
        self.top + self.height
    }

    pub(super) fn middle(&self) -> Point {
        Point { x: self.left + self.width / 2, y: self.top + self.height / 2 }
    }
}

/// Everything that leads from one state to another, or leaves it as it is.
#[derive(Debug)]
pub(super) struct Edge<'a> {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) actions: Vec<&'a str>,
}

/// How a line gets to its end without running through a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Above its box.
    Loop,
    /// Straight between two boxes of one column that follow each other.
    Upright,
    /// Beside a column.
    Around,
    /// Between two columns that follow each other.
    Across,
    /// Below all boxes.
    Below,
}

/// An end of a line at a side of a box; the order is that from top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Port {
    node: usize,
    right: bool,
    rank: (usize, bool),
    edge: usize,
    start: bool,
}

/// The boxes, and what leads from one to another.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) edges: Vec<Edge<'a>>,
    ports: Vec<Port>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(states: &'a [String], initial: &[String], transitions: &'a [Transition]) -> Self {
        let edges = edges(states, transitions);
        let first: Vec<usize> = initial.iter().filter_map(|state| index(states, state)).collect();
        let columns = columns(states.len(), &first, &edges);
        let node = |(index, name): (usize, &'a String)| Node {
            name,
            column: columns[index],
            row: columns[..index].iter().filter(|column| **column == columns[index]).count(),
            left: 0,
            top: 0,
            width: 0,
            height: 0,
            initial: first.contains(&index),
            last: !edges.iter().any(|edge| edge.from == index && edge.to != index),
        };
        let nodes = states.iter().enumerate().map(node).collect();
        let mut layout = Self { nodes, edges, ports: Vec::new() };
        layout.ports = layout.ports();
        layout.set_columns();
        layout.set_rows();
        layout
    }

    pub(super) fn way(&self, edge: &Edge) -> Way {
        let (from, to) = (&self.nodes[edge.from], &self.nodes[edge.to]);
        match (from.column.abs_diff(to.column), from.row.abs_diff(to.row)) {
            (0, 0) => Way::Loop,
            (0, 1) => Way::Upright,
            (0, _) => Way::Around,
            (1, _) => Way::Across,
            _ => Way::Below,
        }
    }

    /// Whether something leads straight from the one to the other.
    pub(super) fn leads(&self, from: usize, to: usize) -> bool {
        self.edges.iter().any(|edge| edge.from == from && edge.to == to)
    }

    /// Whether a straight line meets this box from above.
    pub(super) fn is_below(&self, node: usize) -> bool {
        self.edges.iter().any(|edge| {
            let other = if edge.from == node { edge.to } else { edge.from };
            (edge.from == node || edge.to == node)
                && self.way(edge) == Way::Upright
                && self.nodes[other].row < self.nodes[node].row
        })
    }

    /// Where an edge leaves its first box, or enters its second.
    pub(super) fn port(&self, edge: usize, start: bool) -> Point {
        let Some(port) = self.ports.iter().find(|port| port.edge == edge && port.start == start) else {
            return Point { x: 0, y: 0 };
        };
        let node = &self.nodes[port.node];
        let peers = self.ports.iter().filter(|other| other.node == port.node && other.right == port.right);
        let (mut all, mut before) = (0, 0);
        for other in peers {
            all += 1;
            before += i32::from(other < port);
        }
        let x = if port.right { node.right() } else { node.left };
        Point { x, y: node.top + node.height * (before + 1) / (all + 1) }
    }

    /// Lines to higher boxes end above those to lower ones, so that few of them cross.
    fn ports(&self) -> Vec<Port> {
        let mut ports = Vec::new();
        for (edge, line) in self.edges.iter().enumerate() {
            let (from, to) = (&self.nodes[line.from], &self.nodes[line.to]);
            let way = self.way(line);
            if matches!(way, Way::Loop | Way::Upright) {
                continue;
            }
            let back = to.column < from.column;
            let rank = |here: &Node, there: &Node| match way {
                Way::Across => there.row + 1,
                Way::Around if there.row < here.row => 0,
                _ => usize::MAX,
            };
            let around = way == Way::Around;
            let port = |node: usize, right: bool, rank: usize, start: bool| Port {
                node,
                right,
                rank: (rank, back),
                edge,
                start,
            };
            ports.push(port(line.from, around || !back, rank(from, to), true));
            ports.push(port(line.to, around || back, rank(to, from), false));
        }
        ports.sort();
        ports
    }

    fn set_columns(&mut self) {
        let mut left = 0;
        let last = self.nodes.iter().map(|node| node.column).max().unwrap_or(0);
        for column in 0..=last {
            let here = self.nodes.iter().filter(|node| node.column == column);
            let width = here.map(|node| labels::letters(node.name) * 8 + 36).max().unwrap_or(0).max(BOX.1);
            for node in self.nodes.iter_mut().filter(|node| node.column == column) {
                (node.left, node.width) = (left, width);
            }
            let within = |edge: &&Edge| {
                let (from, to) = (self.nodes[edge.from].column, self.nodes[edge.to].column);
                from.min(to) == column && matches!(self.way(edge), Way::Across | Way::Around)
            };
            let between = self.edges.iter().filter(within);
            let crowd = labels::count(between.clone().count());
            let label = between.map(|edge| labels::size(edge).0).max().unwrap_or(0);
            left += width + GAP.0.max(label + GAP.1) + 12 * (crowd - 2).max(0);
        }
    }

    fn set_rows(&mut self) {
        for index in 0..self.nodes.len() {
            let side = |right: bool| {
                self.ports.iter().filter(|port| port.node == index && port.right == right).count()
            };
            let ends = labels::count(side(true).max(side(false)));
            self.nodes[index].height = BOX.0.max(PITCH * (ends + 1));
        }
        let mut top = 0;
        let last = self.nodes.iter().map(|node| node.row).max().unwrap_or(0);
        for row in 0..=last {
            if row > 0 {
                let here = (0..self.nodes.len()).filter(|node| self.nodes[*node].row == row);
                top += here.map(|node| self.room_above(node)).max().unwrap_or(0).max(ROW_GAP);
            }
            let here = self.nodes.iter().filter(|node| node.row == row);
            let height = here.map(|node| node.height).max().unwrap_or(0);
            for node in self.nodes.iter_mut().filter(|node| node.row == row) {
                node.top = top + (height - node.height) / 2;
            }
            top += height;
        }
    }

    /// What the loop on a box needs, and above it the labels of the straight lines to it.
    fn room_above(&self, node: usize) -> i32 {
        let highest = |wanted: Way, below: &dyn Fn(&Edge) -> bool| {
            let edges = self.edges.iter().filter(|edge| self.way(edge) == wanted && below(edge));
            edges.map(|edge| labels::size(edge).1).max()
        };
        let on_top = highest(Way::Loop, &|edge| edge.from == node).map_or(0, |height| height + LOOP + 12);
        let straight = highest(Way::Upright, &|edge| {
            let lower = if self.nodes[edge.from].row > self.nodes[edge.to].row { edge.from } else { edge.to };
            lower == node
        });
        on_top + straight.map_or(0, |height| height + 24)
    }
}

fn index(states: &[String], state: &str) -> Option<usize> {
    states.iter().position(|name| name == state)
}

fn edges<'a>(states: &[String], transitions: &'a [Transition]) -> Vec<Edge<'a>> {
    let mut edges: Vec<Edge<'a>> = Vec::new();
    for step in transitions {
        let action = step.action.as_str();
        for start in &step.from {
            let end = step.to.as_ref().unwrap_or(start);
            let (Some(from), Some(to)) = (index(states, start), index(states, end)) else {
                continue;
            };
            match edges.iter_mut().find(|edge| edge.from == from && edge.to == to) {
                Some(edge) if edge.actions.contains(&action) => {}
                Some(edge) => edge.actions.push(action),
                None => edges.push(Edge { from, to, actions: vec![action] }),
            }
        }
    }
    edges
}

/// How many steps each state is from the initial ones; what they never reach comes last.
fn columns(states: usize, initial: &[usize], edges: &[Edge]) -> Vec<usize> {
    let mut columns: Vec<Option<usize>> = vec![None; states];
    for state in initial {
        columns[*state] = Some(0);
    }
    let mut reached = initial.to_vec();
    let mut next = 0;
    while let Some(state) = reached.get(next).copied() {
        next += 1;
        let column = columns[state].map(|column| column + 1);
        for edge in edges.iter().filter(|edge| edge.from == state) {
            if columns[edge.to].is_none() {
                columns[edge.to] = column;
                reached.push(edge.to);
            }
        }
    }
    let beyond = columns.iter().flatten().max().map_or(0, |column| column + 1);
    columns.into_iter().map(|column| column.unwrap_or(beyond)).collect()
}
