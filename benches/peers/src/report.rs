//! The table: of several runs, the median of each ratio.

use std::fmt::Write;
use std::path::Path;

use crate::cell::{Measured, NotRun};
use crate::groups::Findings;

/// A cell over all runs.
struct Row<'a> {
    kernel: &'a str,
    size: &'a str,
    /// Our time in nanoseconds; none if ours was wrong.
    ours: Option<f64>,
    /// The time of our second turn by that of our first.
    control: f64,
    /// The peers' times by ours, the best first.
    peers: Vec<(&'a str, f64)>,
    not_run: &'a [NotRun],
}

impl Row<'_> {
    /// The best peer's time by ours: above 1 is ahead.
    fn ratio(&self) -> Option<f64> {
        self.peers.first().map(|(_, ratio)| *ratio)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n.is_multiple_of(2) => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

fn geometric_mean(values: &[f64]) -> f64 {
    (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp()
}

fn row<'a>(first: &'a Measured, runs: &[&Measured]) -> Row<'a> {
    let of = |run: &Measured, peer: &str| {
        run.peers
            .iter()
            .find(|(who, _)| who == peer)
            .map(|(_, ns)| *ns)
    };
    let mut peers: Vec<_> = first
        .peers
        .iter()
        .map(|(who, _)| {
            let ratios = runs
                .iter()
                .filter_map(|run| Some(of(run, who)? / run.ours?.0));
            (who.as_str(), median(ratios.collect()))
        })
        .filter(|(_, ratio)| ratio.is_finite())
        .collect();
    peers.sort_by(|a, b| a.1.total_cmp(&b.1));
    let ours = || runs.iter().filter_map(|run| run.ours);
    Row {
        kernel: first.key.kernel,
        size: &first.key.size,
        ours: first
            .ours
            .map(|_| median(ours().map(|(first, _)| first).collect())),
        control: median(ours().map(|(first, second)| second / first).collect()),
        peers,
        not_run: &first.not_run,
    }
}

/// The whole report, as Markdown.
pub fn table(machine: &[(&str, String)], runs: &[Findings]) -> String {
    let Some(first) = runs.first() else {
        return String::new();
    };
    let rows: Vec<_> = first
        .cells
        .iter()
        .map(|cell| {
            let of = |run: &'_ Findings| run.cells.iter().position(|c| c.key == cell.key);
            let same: Vec<_> = runs
                .iter()
                .filter_map(|run| Some(&run.cells[of(run)?]))
                .collect();
            row(cell, &same)
        })
        .collect();
    let mut text = String::new();
    head(&mut text, machine, runs.len());
    if !rows.is_empty() {
        summary(&mut text, &rows);
    }
    figures(&mut text, runs);
    if !rows.is_empty() {
        cells(&mut text, &rows);
    }
    left_out(&mut text, &rows);
    text
}

fn head(text: &mut String, machine: &[(&str, String)], runs: usize) {
    for (name, value) in machine {
        line(text, &format!("- {name}: {value}"));
    }
    line(text, &format!("- Runs: {runs}, the median of each ratio"));
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn kernels<'a>(rows: &[Row<'a>]) -> Vec<&'a str> {
    let mut kernels = Vec::new();
    for row in rows {
        if !kernels.contains(&row.kernel) {
            kernels.push(row.kernel);
        }
    }
    kernels
}

fn summary(text: &mut String, rows: &[Row<'_>]) {
    line(
        text,
        "\n| Kernel | Cells | Behind | Least ratio | At | Geometric mean |",
    );
    line(text, "| --- | --: | --: | --: | --- | --: |");
    let mut add = |name: &str, rows: &[&Row<'_>]| {
        let ratios: Vec<_> = rows.iter().filter_map(|row| row.ratio()).collect();
        let least = rows
            .iter()
            .filter_map(|row| Some((row, row.ratio()?)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let Some((worst, least)) = least else { return };
        let behind = ratios.iter().filter(|ratio| **ratio < 1.0).count();
        let mean = geometric_mean(&ratios);
        let (kernel, size, peer) = (worst.kernel, worst.size, worst.peers[0].0);
        let at = if kernel == name {
            String::new()
        } else {
            format!("{kernel} ")
        };
        line(
            text,
            &format!(
                "| {name} | {} | {behind} | {least:.2} | {at}{size}, {peer} | {mean:.2} |",
                ratios.len()
            ),
        );
    };
    for kernel in kernels(rows) {
        add(
            kernel,
            &rows
                .iter()
                .filter(|row| row.kernel == kernel)
                .collect::<Vec<_>>(),
        );
    }
    add("**all**", &rows.iter().collect::<Vec<_>>());
}

fn figures(text: &mut String, runs: &[Findings]) {
    let Some(first) = runs.first().filter(|run| !run.figures.is_empty()) else {
        return;
    };
    line(text, "\n| Figure | Measured | Aim |");
    line(text, "| --- | --: | --- |");
    for figure in &first.figures {
        let same = runs
            .iter()
            .flat_map(|run| &run.figures)
            .filter(|f| f.name == figure.name);
        let value = median(same.map(|f| f.value).collect());
        let unit = figure.unit;
        line(
            text,
            &format!("| {} | {value:.2} {unit} | {} |", figure.name, figure.goal),
        );
    }
}

fn cells(text: &mut String, rows: &[Row<'_>]) {
    line(
        text,
        "\n| Kernel | Size | Ours | Ratio | Best peer | Other peers | Again |",
    );
    line(text, "| --- | --- | --: | --: | --- | --- | --: |");
    for row in rows {
        let ours = row.ours.map_or("wrong".into(), duration);
        let ratio = row.ratio().map_or("-".into(), |ratio| match ratio {
            ..1.0 => format!("**{ratio:.2}**"),
            _ => format!("{ratio:.2}"),
        });
        let mut peers = row.peers.iter();
        let best = peers.next().map_or("-", |(who, _)| *who);
        let others: Vec<_> = peers
            .map(|(who, ratio)| format!("{who} {ratio:.2}"))
            .collect();
        let (kernel, size, others) = (row.kernel, row.size, others.join(", "));
        let again = row.control;
        line(
            text,
            &format!("| {kernel} | {size} | {ours} | {ratio} | {best} | {others} | {again:.2} |"),
        );
    }
}

fn duration(ns: f64) -> String {
    match ns {
        ..1e3 => format!("{ns:.1} ns"),
        1e3..1e6 => format!("{:.2} µs", ns / 1e3),
        _ => format!("{:.2} ms", ns / 1e6),
    }
}

/// Every peer that was not timed, and where.
fn left_out(text: &mut String, rows: &[Row<'_>]) {
    let mut reasons: Vec<(&NotRun, Vec<String>)> = Vec::new();
    for row in rows {
        for not_run in row.not_run {
            let at = format!("{} {}", row.kernel, row.size);
            match reasons.iter_mut().find(|(reason, _)| *reason == not_run) {
                Some((_, cells)) => cells.push(at),
                None => reasons.push((not_run, vec![at])),
            }
        }
    }
    if !reasons.is_empty() {
        line(text, "\nNot run:\n");
    }
    for (NotRun { who, why }, cells) in reasons {
        let where_ = match &cells[..] {
            [one] => one.clone(),
            [first, .., last] => format!("{} cells, from {first} to {last}", cells.len()),
            [] => String::new(),
        };
        let _ = writeln!(text, "- {who}: {why} ({where_})");
    }
}

const BEGIN: &str = "<!-- what run.sh --write puts here -->";
const END: &str = "<!-- up to here -->";

/// Keeps the report in `benches/results`, and in the page on speed between its two marks.
pub fn keep(folder: &Path, date: &str, table: &str) -> Result<(), String> {
    let results = folder.join("../results");
    std::fs::create_dir_all(&results).map_err(|error| error.to_string())?;
    let file = results.join(format!("peers-{date}.md"));
    let title = format!("# Auralis beside its peers, {date}\n\n");
    write(
        &file,
        &format!("{title}How to read and repeat this: docs/speed.md.\n\n{table}"),
    )?;

    let page = folder.join("../../docs/speed.md");
    let fault = |error: std::io::Error| format!("{}: {error}", page.display());
    let text = std::fs::read_to_string(&page).map_err(fault)?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| format!("{} lacks its marks", page.display()))?;
    write(&page, &format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    eprintln!("wrote {}", file.display());
    Ok(())
}
