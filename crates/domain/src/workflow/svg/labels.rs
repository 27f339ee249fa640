//! The names of actions at their lines.

use super::Point;
use super::layout::{Edge, LOOP, Layout, Node, Way};
use super::lines::{FLAT, Line, PARTS, along};

/// The height of one name.
const ROW: i32 = 15;

/// The names of the actions of one edge, one below the other around a place.
#[derive(Debug)]
pub(super) struct Label<'a> {
    actions: Vec<&'a str>,
    middle: Point,
    size: (i32, i32),
}

/// What something covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

impl Label<'_> {
    pub(super) fn area(&self) -> Area {
        around(self.middle, self.size)
    }

    /// Every name with its place.
    pub(super) fn rows(&self) -> impl Iterator<Item = (Point, &str)> {
        let first = self.middle.y - (self.size.1 - ROW) / 2;
        (0..)
            .zip(&self.actions)
            .map(move |(row, action)| (Point { x: self.middle.x, y: first + row * ROW }, *action))
    }
}

impl Area {
    pub(super) fn of(node: &Node) -> Self {
        Self { left: node.left, top: node.top, right: node.right(), bottom: node.bottom() }
    }

    /// How much of the one covers the other.
    pub(super) fn shared(self, other: Self) -> i32 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0) * height.max(0)
    }

    pub(super) fn holds(self, point: Point) -> bool {
        self.left < point.x && point.x < self.right && self.top < point.y && point.y < self.bottom
    }
}

/// A number of things; nobody draws more than fit here.
pub(super) fn count(things: usize) -> i32 {
    u16::try_from(things).map_or(i32::from(u16::MAX), i32::from)
}

/// How long a word is.
pub(super) fn letters(word: &str) -> i32 {
    count(word.chars().count())
}

/// The width and height of an edge's label; every letter has the same width.
pub(super) fn size(edge: &Edge) -> (i32, i32) {
    let longest = edge.actions.iter().map(|action| letters(action)).max().unwrap_or(0);
    (longest * 15 / 2 + 4, count(edge.actions.len()) * ROW)
}

/// A label for every edge, in an order of their own.
pub(super) fn labels<'a>(layout: &Layout<'a>, lines: &[Line]) -> Vec<Label<'a>> {
    // Those that can stand in one place only come first: the others get out of their way.
    let free = |edge: &Edge| matches!(layout.way(edge), Way::Across | Way::Around);
    let mut labels = Vec::new();
    for wanted in [false, true] {
        for (index, edge) in layout.edges.iter().enumerate().filter(|(_, edge)| free(edge) == wanted) {
            let middle =
                if wanted { best(layout, lines, index, &labels) } else { fixed(layout, &lines[index], edge) };
            labels.push(Label { actions: edge.actions.clone(), middle, size: size(edge) });
        }
    }
    labels
}

/// Where the label of a line stands that has its own room.
fn fixed(layout: &Layout, line: &Line, edge: &Edge) -> Point {
    let (width, height) = size(edge);
    let Some(curve) = line.curves.get(line.curves.len() / 2) else {
        return Point { x: 0, y: 0 };
    };
    let middle = along(curve, PARTS / 2);
    match layout.way(edge) {
        Way::Loop => Point { x: middle.x, y: layout.nodes[edge.from].top - LOOP - 5 - height / 2 },
        Way::Upright => {
            let (from, to) = (&layout.nodes[edge.from], &layout.nodes[edge.to]);
            // Right of the line, unless the line back is there.
            let left = from.row < to.row && layout.leads(edge.to, edge.from);
            let beside = width / 2 + 6;
            let x = if left { middle.x - beside } else { middle.x + beside };
            Point { x, y: from.bottom().min(to.bottom()) + 8 + height / 2 }
        }
        Way::Around | Way::Across | Way::Below => middle,
    }
}

/// The place at a line where a label covers least of anything else.
fn best(layout: &Layout, lines: &[Line], index: usize, labels: &[Label]) -> Point {
    let edge = &layout.edges[index];
    let size = size(edge);
    let Some(curve) = lines[index].curves.first() else {
        return Point { x: 0, y: 0 };
    };
    let others = lines.iter().enumerate().filter(|(other, _)| *other != index);
    let points: Vec<Point> = others
        .flat_map(|(_, line)| &line.curves)
        .flat_map(|curve| (0..=PARTS).map(move |part| along(curve, part)))
        .collect();
    let cost = |place: Point| {
        let area = around(place, (size.0 + 4, size.1 + 2));
        let words: i32 = labels.iter().map(|label| area.shared(label.area())).sum();
        let boxes: i32 = layout.nodes.iter().map(|node| area.shared(Area::of(node))).sum();
        let crossed = count(points.iter().filter(|point| area.holds(**point)).count());
        4 * words + 4 * boxes + 60 * crossed
    };
    let [start, .., end] = curve;
    let beside = size.1 / 2 + 4;
    // Beside a flat line a name reads better than on it; beside a steep one it would seem to float.
    let shifts = if (start.y - end.y).abs() > FLAT {
        [0, -beside, beside]
    } else if start.x < end.x {
        [-beside, 0, beside]
    } else {
        [beside, 0, -beside]
    };
    let places = (4..=PARTS - 4).flat_map(|part| {
        (0..).zip(shifts).map(move |(rank, shift)| {
            let on = along(curve, part);
            let place = Point { x: on.x, y: on.y + shift };
            (place, (part - PARTS / 2).abs() * 6 + rank * 50)
        })
    });
    places.min_by_key(|(place, dislike)| cost(*place) + dislike).map_or(*start, |(place, _)| place)
}

fn around(middle: Point, (width, height): (i32, i32)) -> Area {
    let (left, top) = (middle.x - width / 2, middle.y - height / 2);
    Area { left, top, right: left + width, bottom: top + height }
}
