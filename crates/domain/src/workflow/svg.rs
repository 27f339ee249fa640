//! Pictures of state machines, for whoever reads them without a tool that knows Mermaid.
//!
//! A picture stands by itself and takes the colour of the page around it. Everything is counted in whole
//! pixels, so that the same table gives the same text everywhere.

mod labels;
mod layout;
mod lines;
#[cfg(test)]
mod tests;

use labels::Label;
use layout::{Layout, Node};
use lines::Line;

use super::Transition;

/// How far the dot stands before the box of an initial state.
const DOT: i32 = 34;
/// What is left free around the whole.
const MARGIN: i32 = 16;

/// A place in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    x: i32,
    y: i32,
}

/// The picture of a machine, as SVG.
pub(super) fn draw(name: &str, states: &[String], initial: &[String], transitions: &[Transition]) -> String {
    Picture::new(states, initial, transitions).write(name)
}

/// Everything at its place.
struct Picture<'a> {
    layout: Layout<'a>,
    lines: Vec<Line>,
    labels: Vec<Label<'a>>,
}

impl<'a> Picture<'a> {
    fn new(states: &'a [String], initial: &[String], transitions: &'a [Transition]) -> Self {
        let layout = Layout::new(states, initial, transitions);
        let lines = lines::lines(&layout);
        let labels = labels::labels(&layout, &lines);
        Self { layout, lines, labels }
    }

    fn write(&self, name: &str) -> String {
        let (low, high) = self.extent();
        let (width, height) = (high.x - low.x, high.y - low.y);
        // Several pictures may share a page, where a name is given once.
        let arrow: String =
            name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
        let arrow = format!("fairlead-{arrow}-arrow");
        let name = escape(name);
        let mut parts = vec![
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{} {} {width} {height}\" \
                 width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"State machine: {name}\" \
                 style=\"max-width:100%;height:auto\">",
                low.x, low.y
            ),
            format!("<title>State machine: {name}</title>"),
            format!(
                "<defs><marker id=\"{arrow}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" \
                 markerHeight=\"7\" orient=\"auto\"><path d=\"M0 1L10 5L0 9z\" fill=\"currentColor\"/>\
                 </marker></defs>"
            ),
            "<g fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.3\">".to_owned(),
        ];
        parts.extend(self.lines.iter().map(|line| path(line, &arrow)));
        parts.extend(self.layout.nodes.iter().flat_map(|node| outline(node, &arrow)));
        parts.push("</g>".to_owned());
        parts.push(
            "<g fill=\"currentColor\" text-anchor=\"middle\" \
             font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,monospace\">"
                .to_owned(),
        );
        parts.push("<g font-size=\"13\" font-weight=\"600\">".to_owned());
        parts.extend(self.layout.nodes.iter().map(|node| text(node.middle(), node.name)));
        parts.push("</g>".to_owned());
        // The page's own background unless it says otherwise: a white halo would hide light text.
        parts.push(
            "<g font-size=\"12\" stroke-width=\"4\" stroke-linejoin=\"round\" paint-order=\"stroke\" \
             style=\"stroke:var(--fairlead-halo,Canvas);paint-order:stroke\">"
                .to_owned(),
        );
        parts.extend(self.labels.iter().flat_map(Label::rows).map(|(place, word)| text(place, word)));
        parts.push("</g></g></svg>".to_owned());
        parts.join("\n")
    }

    /// The corners of what is drawn, with a margin.
    fn extent(&self) -> (Point, Point) {
        let mut points: Vec<Point> = Vec::new();
        for node in &self.layout.nodes {
            let before = if node.initial { DOT + 6 } else { 0 };
            points.push(Point { x: node.left - before, y: node.top });
            points.push(Point { x: node.right(), y: node.bottom() });
        }
        // A curve stays among the points that bend it.
        points.extend(self.lines.iter().flat_map(|line| line.curves.iter().flatten()));
        for area in self.labels.iter().map(Label::area) {
            points.push(Point { x: area.left, y: area.top });
            points.push(Point { x: area.right, y: area.bottom });
        }
        let low = |part: fn(&Point) -> i32| points.iter().map(part).min().unwrap_or(0) - MARGIN;
        let high = |part: fn(&Point) -> i32| points.iter().map(part).max().unwrap_or(0) + MARGIN;
        (Point { x: low(|p| p.x), y: low(|p| p.y) }, Point { x: high(|p| p.x), y: high(|p| p.y) })
    }
}

fn path(line: &Line, arrow: &str) -> String {
    let start = line.curves.first().map(|[start, ..]| format!("M{} {}", start.x, start.y));
    let bends = line.curves.iter().map(|[_, first, second, end]| {
        format!("C{} {} {} {} {} {}", first.x, first.y, second.x, second.y, end.x, end.y)
    });
    let way: String = start.into_iter().chain(bends).collect();
    format!("<path d=\"{way}\" marker-end=\"url(#{arrow})\"/>")
}

/// A state's box: with a dot before it where records begin, with a second border where they end.
fn outline(node: &Node, arrow: &str) -> Vec<String> {
    let border = |inset: i32, radius: i32| {
        format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{radius}\"/>",
            node.left + inset,
            node.top + inset,
            node.width - 2 * inset,
            node.height - 2 * inset,
        )
    };
    let mut parts = vec![border(0, 10)];
    if node.last {
        parts.push(border(4, 7));
    }
    if node.initial {
        let (dot, y) = (node.left - DOT, node.middle().y);
        parts.push(format!("<circle cx=\"{dot}\" cy=\"{y}\" r=\"5\" fill=\"currentColor\"/>"));
        parts.push(format!("<path d=\"M{dot} {y}L{} {y}\" marker-end=\"url(#{arrow})\"/>", node.left));
    }
    parts
}

/// One word around a place.
fn text(place: Point, word: &str) -> String {
    format!("<text x=\"{}\" y=\"{}\">{}</text>", place.x, place.y + 4, escape(word))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
