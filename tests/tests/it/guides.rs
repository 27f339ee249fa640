//! What the guides tell one to type, typed: whoever follows them gets what stands there.

use serde_json::{Deserializer, Value, json};
use tokio::process::Command;

use crate::support::Server;

on_both_databases! {
    ten_calls_get_one_started;
    the_readme_walks_from_a_lead_to_a_payment;
}

/// Printed behind each block, so that what it printed can be told from what the next one did.
const END: &str = "-- end of block --";
/// In a guide: whatever stands there.
const ANY: &str = "…";

fn guide(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The fenced blocks of a text, each with its language.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let fenced = text.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap()).collect()
}

/// Runs blocks in one shell, against the demo. Answers with what each printed.
async fn run(demo: &Server, blocks: &[&str]) -> Vec<Vec<Value>> {
    for program in ["curl", "jq"] {
        let there = Command::new(program).arg("--version").output().await;
        assert!(there.is_ok(), "{program} is missing: the guides need it (`cargo xtask setup` installs it)");
    }
    let between = format!("\necho '{END}'\n");
    let script = (blocks.join(&between) + &between).replace("http://127.0.0.1:8080", &demo.url);
    let folder = tempfile::tempdir().unwrap();
    let output =
        Command::new("bash").args(["-euo", "pipefail", "-c", &script]).current_dir(folder.path()).output();
    let output = output.await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    let parts = printed.split(END).take(blocks.len());
    let values =
        |part: &str| Deserializer::from_str(part).into_iter().map(|value| value.expect(part)).collect();
    parts.map(values).collect()
}

/// Whether an answer is what a guide shows.
fn is_as_shown(answer: &Value, shown: &Value) -> bool {
    match (answer, shown) {
        (_, Value::String(any)) if any == ANY => !answer.is_null(),
        (Value::Object(answer), Value::Object(shown)) => {
            answer.len() == shown.len()
                && shown.iter().all(|(name, shown)| answer.get(name).is_some_and(|it| is_as_shown(it, shown)))
        }
        (Value::Array(answer), Value::Array(shown)) => {
            answer.len() == shown.len() && answer.iter().zip(shown).all(|(it, shown)| is_as_shown(it, shown))
        }
        _ => answer == shown,
    }
}

/// Before what a guide types: each request leaves a line in a file.
const COUNTING: &str = ": > calls\ncurl() { echo >> calls; command curl \"$@\"; }\n";
/// Behind a block: how many requests there were.
const COUNTED: &str = "\nwc -l < calls";

async fn ten_calls_get_one_started(server: Server) {
    let demo = Server::demo(server.database.kind).await;
    let text = guide("docs/getting-started.md");
    assert!(text.starts_with("# Getting started: ten calls\n\nTen calls, "));
    let steps: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let numbered = (1..).zip(&steps).take_while(|(number, step)| step.starts_with(&format!("{number}. ")));
    assert_eq!((numbered.count(), steps.len()), (10, 11), "ten calls, and what comes then: {steps:?}");
    let blocks = blocks(&text);
    let typed = blocks.iter().filter(|(language, _)| *language == "bash");
    let mut typed: Vec<String> = typed.map(|(_, block)| format!("{block}{COUNTED}")).collect();
    typed[0].insert_str(0, COUNTING);
    let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    // Whoever types it again gets the same.
    for _ in 0..2 {
        let mut printed = run(&demo, &typed).await;
        let made: Vec<Value> = printed.iter_mut().map(|block| block.pop().unwrap()).collect();
        let one_each: Vec<Value> = (0..=10).map(|calls| json!(calls)).collect();
        assert_eq!(made, one_each, "what they take, and one call with each step");
        is_answered_as_shown(&blocks, printed);
    }
    demo.verify().await;
}

/// Holds what each block printed against what the guide shows under it.
fn is_answered_as_shown(blocks: &[(&str, &str)], printed: Vec<Vec<Value>>) {
    let mut printed = printed.into_iter();
    let mut compared = 0;
    for (at, (language, _)) in blocks.iter().enumerate() {
        if *language != "bash" {
            continue;
        }
        let printed = printed.next().unwrap();
        let shown: Vec<Value> = match blocks.get(at + 1) {
            Some(("json", shown)) => Deserializer::from_str(shown).into_iter().map(Result::unwrap).collect(),
            _ => Vec::new(),
        };
        let alike = printed.len() == shown.len()
            && printed.iter().zip(&shown).all(|(answer, shown)| is_as_shown(answer, shown));
        assert!(alike, "the guide shows {}\nand the server answers {}", json!(shown), json!(printed));
        compared += shown.len();
    }
    assert!(compared >= 10, "only {compared} answers were compared");
}

async fn the_readme_walks_from_a_lead_to_a_payment(server: Server) {
    let demo = Server::demo(server.database.kind).await;
    let text = guide("README.md");
    let walk: Vec<&str> =
        blocks(&text).into_iter().filter(|(it, _)| *it == "bash").map(|(_, it)| it).collect();
    assert_eq!(walk.len(), 1, "the README has one walk");
    let printed = run(&demo, &walk).await.remove(0);
    for answer in &printed {
        assert!(answer.get("code").is_none(), "refused: {answer}");
    }
    let last = printed.last().unwrap();
    let shown =
        json!({"number": ANY, "status": "completed", "paid": {"amount": "120000.00", "currency": "CNY"}});
    assert!(is_as_shown(last, &shown), "{last}");
    demo.verify().await;
}
