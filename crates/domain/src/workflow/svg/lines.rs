//! The lines between the boxes.

use super::Point;
use super::labels;
use super::layout::{Edge, LOOP, Layout, Node, Way};

/// How far a line that goes around boxes swings out.
const SWING: i32 = 60;
/// How far a line leans away from the one that leads back.
const LEAN: i32 = 24;
/// How far a line may fall or rise and still look level.
pub(super) const FLAT: i32 = 24;
/// How finely a curve is looked at.
pub(super) const PARTS: i32 = 16;

/// A cubic curve: where it starts, the two points that bend it, where it ends.
pub(super) type Curve = [Point; 4];

/// The line of an edge.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) curves: Vec<Curve>,
}

/// A line for every edge, in their order.
pub(super) fn lines(layout: &Layout) -> Vec<Line> {
    let mut lane = layout.nodes.iter().map(Node::bottom).max().unwrap_or(0) + 24;
    let mut lines = Vec::new();
    for (index, edge) in layout.edges.iter().enumerate() {
        let (start, end) = (layout.port(index, true), layout.port(index, false));
        let curves = match layout.way(edge) {
            Way::Loop => vec![on_top(layout, edge)],
            Way::Upright => vec![upright(layout, edge)],
            Way::Around => vec![[start, aside(start, SWING), aside(end, SWING), end]],
            Way::Across => vec![across(layout, edge, start, end)],
            Way::Below => {
                // Every such line has a height of its own, with room for its label.
                let room = labels::size(edge).1 / 2 + 8;
                let y = lane + room;
                lane = y + room;
                below(start, end, y)
            }
        };
        lines.push(Line { curves });
    }
    lines
}

/// A place on a curve, in parts of the way.
pub(super) fn along(curve: &Curve, part: i32) -> Point {
    let rest = PARTS - part;
    let weights = [rest * rest * rest, 3 * rest * rest * part, 3 * rest * part * part, part * part * part];
    let sum = |pick: fn(&Point) -> i32| {
        let parts = curve.iter().zip(weights).map(|(point, weight)| pick(point) * weight);
        parts.sum::<i32>() / (PARTS * PARTS * PARTS)
    };
    Point { x: sum(|point| point.x), y: sum(|point| point.y) }
}

fn aside(point: Point, by: i32) -> Point {
    Point { x: point.x + by, y: point.y }
}

/// Two lines that lead back and forth lean apart, so that each has room for its label.
fn across(layout: &Layout, edge: &Edge, start: Point, end: Point) -> Curve {
    let half = (end.x - start.x) / 2;
    let fall = end.y - start.y;
    // Whatever leads to the right leaves above what comes back.
    let leans = fall.abs() > FLAT && layout.leads(edge.to, edge.from);
    let by = if leans { LEAN * fall.signum() } else { 0 };
    [start, aside(start, half + by), aside(end, by - half), end]
}

fn on_top(layout: &Layout, edge: &Edge) -> Curve {
    let node = &layout.nodes[edge.from];
    // A straight line from above ends in the middle and left of it.
    let middle = node.left + if layout.is_below(edge.from) { node.width * 4 / 5 } else { node.width / 2 };
    let point = |x: i32, above: i32| Point { x: middle + x, y: node.top - above };
    // A curve reaches three quarters of the way to the points that bend it.
    let height = LOOP * 4 / 3;
    [point(-12, 0), point(-22, height), point(22, height), point(12, 0)]
}

/// Down and up stand beside each other.
fn upright(layout: &Layout, edge: &Edge) -> Curve {
    let (from, to) = (&layout.nodes[edge.from], &layout.nodes[edge.to]);
    let down = from.row < to.row;
    let x = from.left + if down { from.width * 3 / 10 } else { from.width / 2 };
    let (start, end) = if down { (from.bottom(), to.top) } else { (from.top, to.bottom()) };
    straight(Point { x, y: start }, Point { x, y: end })
}

fn below(start: Point, end: Point, y: i32) -> Vec<Curve> {
    let ahead = if end.x < start.x { -SWING } else { SWING };
    let (leave, arrive) = (Point { x: start.x + ahead, y }, Point { x: end.x - ahead, y });
    vec![
        [start, aside(start, ahead), aside(leave, -ahead), leave],
        straight(leave, arrive),
        [arrive, aside(arrive, ahead), aside(end, -ahead), end],
    ]
}

fn straight(start: Point, end: Point) -> Curve {
    let between = |one: i32, other: i32, thirds: i32| one + (other - one) * thirds / 3;
    let point =
        |thirds: i32| Point { x: between(start.x, end.x, thirds), y: between(start.y, end.y, thirds) };
    [start, point(1), point(2), end]
}
