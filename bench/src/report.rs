//! The figures as Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use crate::load::Round;

/// One operation: the server's and the plain handler's rounds, in turns.
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    pub(crate) server: Vec<Round>,
    pub(crate) plain: Vec<Round>,
    /// How large an answer is, in bytes.
    pub(crate) sizes: (usize, usize),
}

/// All figures of one database.
pub(crate) struct Section {
    pub(crate) database: &'static str,
    pub(crate) description: String,
    pub(crate) figures: Vec<Figures>,
    /// In milliseconds.
    pub(crate) starts: Vec<Duration>,
    /// In MiB: after the start, the most under load, and after the load.
    pub(crate) memory: (f64, f64, f64),
}

fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Rounds together.
struct Sum {
    rate: f64,
    p50: f64,
    p99: f64,
    most: f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn sum(rounds: &[Round]) -> Sum {
    let mut all: Vec<Duration> = rounds.iter().flat_map(|round| round.latencies.iter().copied()).collect();
    all.sort_unstable();
    let seconds: f64 = rounds.iter().map(|round| round.elapsed.as_secs_f64()).sum();
    let at =
        |percent: usize| all.get(all.len() * percent / 100).copied().unwrap_or_default().as_secs_f64() * 1e3;
    Sum {
        rate: all.len() as f64 / seconds,
        p50: at(50),
        p99: at(99),
        most: all.last().copied().unwrap_or_default().as_secs_f64() * 1e3,
    }
}

/// The ratio of each round, sorted.
fn ratios(figures: &Figures) -> Vec<f64> {
    let mut ratios: Vec<f64> = figures
        .server
        .iter()
        .zip(&figures.plain)
        .map(|(server, plain)| server.rate() / plain.rate())
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios
}

impl Section {
    /// The section as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut out = format!("\n### {}\n\n{}\n\n", self.database, self.description);
        out.push_str(
            "| operation | requests/s | p50 ms | p99 ms | max ms | plain requests/s | plain p50 ms | plain p99 ms | \
             ratio | ratio by round | answer bytes (plain) |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|--:|---|---|\n",
        );
        for figures in &self.figures {
            let (server, plain) = (sum(&figures.server), sum(&figures.plain));
            let rounds: Vec<String> = ratios(figures).iter().map(|ratio| format!("{ratio:.2}")).collect();
            let _ = writeln!(
                out,
                "| {} | {:.0} | {:.2} | {:.2} | {:.1} | {:.0} | {:.2} | {:.2} | **{:.2}** | {} | {} ({}) |",
                figures.name,
                server.rate,
                server.p50,
                server.p99,
                server.most,
                plain.rate,
                plain.p50,
                plain.p99,
                server.rate / plain.rate,
                rounds.join(" "),
                figures.sizes.0,
                figures.sizes.1,
            );
        }
        let mut starts: Vec<f64> = self.starts.iter().map(|start| start.as_secs_f64() * 1e3).collect();
        starts.sort_unstable_by(f64::total_cmp);
        let (idle, most, after) = self.memory;
        let _ = write!(
            out,
            "\n| start-up, median of {} (least, most) | resident after the start | most under load | after the load |\n\
             |---|---|---|---|\n\
             | {:.0} ms ({:.0}, {:.0}) | {idle:.1} MiB | {most:.1} MiB | {after:.1} MiB |\n",
            starts.len(),
            median(&starts),
            starts.first().copied().unwrap_or_default(),
            starts.last().copied().unwrap_or_default(),
        );
        out
    }
}
