use super::labels::Area;
use super::lines::{PARTS, along};
use super::*;
use crate::workflow::{TakenBy, Workflow, machines};

fn step(action: &str, from: &[&str], to: Option<&str>) -> Transition {
    Transition {
        action: action.to_owned(),
        label: crate::values::Label { en: "", zh_cn: "" },
        from: from.iter().map(|state| (*state).to_owned()).collect(),
        to: to.map(ToOwned::to_owned),
        by: TakenBy::System,
        permission: None,
        guards: Vec::new(),
    }
}

fn names(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The value of an attribute at the beginning of a tag's text.
fn attribute(tag: &str, name: &str) -> Option<i32> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"')?.0.parse().ok()
}

/// Every tag, without its brackets.
fn tags(svg: &str) -> Vec<&str> {
    svg.split('<').skip(1).map(|part| part.split_once('>').expect("a tag ends").0).collect()
}

fn well_formed(svg: &str) {
    let mut open = Vec::new();
    for tag in tags(svg) {
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?}");
    for rest in svg.split('&').skip(1) {
        assert!(["amp;", "lt;", "gt;", "quot;"].iter().any(|name| rest.starts_with(name)), "{rest}");
    }
}

/// Lines run through no box, boxes and labels cover nothing.
fn tidy(name: &str, picture: &Picture) {
    let boxes: Vec<Area> = picture.layout.nodes.iter().map(Area::of).collect();
    let labels: Vec<Area> = picture.labels.iter().map(Label::area).collect();
    let all: Vec<Area> = boxes.iter().chain(&labels).copied().collect();
    for (index, one) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            assert_eq!(one.shared(*other), 0, "{name}: {one:?} {other:?}");
        }
    }
    for curve in picture.lines.iter().flat_map(|line| &line.curves) {
        for point in (0..=PARTS).map(|part| along(curve, part)) {
            assert!(!boxes.iter().any(|area| area.holds(point)), "{name}: {point:?} of {curve:?}");
        }
    }
}

fn picture(machine: &Workflow) -> Picture<'_> {
    Picture::new(&machine.states, &machine.initial, &machine.transitions)
}

#[test]
fn every_machine_has_a_picture_of_all_its_states_and_actions() {
    for machine in machines() {
        let actions = machine.transitions.iter().map(|step| &step.action);
        for word in machine.states.iter().chain(actions) {
            assert!(machine.svg.contains(&format!(">{word}</text>")), "{} {word}", machine.name);
        }
        assert!(machine.svg.contains(&format!("<title>State machine: {}</title>", machine.name)));
        assert_eq!(machine.svg.matches("<circle ").count(), machine.initial.len());
        assert!(machine.svg.len() < 100_000);
        well_formed(&machine.svg);
        tidy(&machine.name, &picture(&machine));
    }
}

#[test]
fn pictures_are_the_same_every_time() {
    for (one, other) in machines().iter().zip(machines()) {
        assert_eq!(one.svg, other.svg);
    }
}

#[test]
fn pictures_stay_within_their_frames() {
    for machine in machines() {
        let (_, frame) = machine.svg.split_once("viewBox=\"").unwrap();
        let frame: Vec<i32> =
            frame.split('"').next().unwrap().split(' ').map(|part| part.parse().unwrap()).collect();
        let inside = |x: i32, y: i32| {
            let fits = (frame[0]..=frame[0] + frame[2]).contains(&x)
                && (frame[1]..=frame[1] + frame[3]).contains(&y);
            assert!(fits, "{}: {x} {y} in {frame:?}", machine.name);
        };
        let mut boxes = 0;
        for tag in tags(&machine.svg) {
            let number = |name: &str| attribute(tag, name).unwrap();
            if tag.starts_with("rect ") {
                boxes += 1;
                inside(number("x"), number("y"));
                inside(number("x") + number("width"), number("y") + number("height"));
            } else if tag.starts_with("text ") {
                inside(number("x"), number("y"));
            } else if tag.starts_with("circle ") {
                inside(number("cx") - number("r"), number("cy") - number("r"));
            }
        }
        assert!(boxes >= machine.states.len());
        let picture = picture(&machine);
        for point in picture.lines.iter().flat_map(|line| &line.curves).flatten() {
            inside(point.x, point.y);
        }
        for area in picture.labels.iter().map(Label::area) {
            inside(area.left, area.top);
            inside(area.right, area.bottom);
        }
    }
}

#[test]
fn lines_go_around_boxes() {
    let states = names(&["a", "b", "c", "d", "e", "f", "lost"]);
    let transitions = [
        step("on", &["a"], Some("b")),
        step("other", &["a"], Some("c")),
        step("third", &["a"], Some("d")),
        step("further", &["b"], Some("e")),
        step("end", &["e"], Some("f")),
        step("down", &["b"], Some("d")),
        step("up", &["d"], Some("b")),
        step("restart", &["e", "f"], Some("a")),
        step("start-over", &["f"], Some("a")),
        step("found", &["lost"], Some("b")),
        step("look", &["a", "b", "c", "d", "e", "f", "lost"], None),
    ];
    let picture = Picture::new(&states, &states[..1], &transitions);
    tidy("around", &picture);
    let columns: Vec<usize> = picture.layout.nodes.iter().map(|node| node.column).collect();
    assert_eq!(columns, [0, 1, 1, 1, 2, 3, 4]);
    let last: Vec<&str> =
        picture.layout.nodes.iter().filter(|node| node.last).map(|node| node.name).collect();
    assert_eq!(last, ["c"]);
    let both = picture.labels.iter().find(|label| label.rows().count() == 2).unwrap();
    let rows: Vec<&str> = both.rows().map(|(_, action)| action).collect();
    assert_eq!(rows, ["restart", "start-over"]);
    well_formed(&picture.write("around"));
}

#[test]
fn ends_have_a_second_border_and_text_is_escaped() {
    let states = names(&["a<b", "\"c\" & d"]);
    let transitions = [step("x>y", &["a<b"], Some("\"c\" & d")), step("stay", &["\"c\" & d"], None)];
    let svg = draw("R&D \"<", &states, &states[..1], &transitions);
    well_formed(&svg);
    assert_eq!(svg.matches("<rect ").count(), 3);
    assert!(svg.contains(">a&lt;b</text>") && svg.contains(">&quot;c&quot; &amp; d</text>"));
    assert!(svg.contains(">x&gt;y</text>") && svg.contains("id=\"fairlead-R-D----arrow\""));
}

#[test]
fn a_machine_without_states_has_an_empty_picture() {
    well_formed(&draw("nothing", &[], &[], &[]));
}
