//! Plain tables for a terminal.

use std::fmt::Write;

use auralis_core::profiler::Report;

use super::FileReport;
use super::figures::{clock, count, duration, level, ratio};
use super::names::{message, names};
use super::operations::by_total;
use crate::optimizer::GivenUp;

/// What a file name is given at least, however narrow the terminal.
const NARROWEST_NAME: usize = 12;
/// The space between columns.
const GAP: &str = "  ";

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const YELLOW: &str = "33";

/// The files of a run as a table with its units, followed by notes and errors.
///
/// `width` is the terminal's: long names are cut in the middle and notes are wrapped to it. `color`
/// adds ANSI colours. A figure that is not there is `-`.
pub fn files_table(files: &[FileReport], color: bool, width: usize) -> String {
    let ink = Ink { color };
    let names = names(files);
    let mut rows = vec![
        [
            "file",
            "asked",
            "got",
            "true peak",
            "length",
            "delay",
            "time",
            "speed",
        ]
        .map(str::to_owned),
        [
            "",
            "LUFS",
            "LUFS",
            "dBTP",
            "min:s",
            "samples",
            "s",
            "x real time",
        ]
        .map(str::to_owned),
    ];
    rows.extend(
        files
            .iter()
            .zip(&names)
            .map(|(file, name)| cells(file, name)),
    );
    let others = (1..rows[0].len()).map(|column| widest(&rows, column) + GAP.len());
    let room = width.saturating_sub(others.sum()).max(NARROWEST_NAME);
    for row in &mut rows {
        row[0] = shortened(&row[0], room);
    }
    let mut text = aligned(&rows, &ink, 2);
    let notes = |file: &FileReport| file.notes().into_iter().map(message).collect();
    let errors = |file: &FileReport| file.outcome.as_ref().err().map(|e| message(e));
    let errors = |file: &FileReport| errors(file).into_iter().collect();
    text += &remarks(
        "notes",
        YELLOW,
        &ink,
        width,
        files.iter().map(notes).zip(&names),
    );
    text += &remarks(
        "errors",
        RED,
        &ink,
        width,
        files.iter().map(errors).zip(&names),
    );
    text
}

/// The backends that broke, in a sentence each under a heading; nothing if none did.
pub fn given_up_list(given_up: &[GivenUp], color: bool, width: usize) -> String {
    let sentences = given_up.iter().map(ToString::to_string);
    sentences_under("backends", sentences, color, width)
}

/// The plugins that were rejected, in a sentence each under a heading; nothing if none was.
pub fn rejected_plugins_list(rejected: &[String], color: bool, width: usize) -> String {
    sentences_under("plugins", rejected.iter().cloned(), color, width)
}

fn sentences_under(
    heading: &str,
    sentences: impl Iterator<Item = String>,
    color: bool,
    width: usize,
) -> String {
    let paragraphs: String = sentences
        .map(|sentence| wrapped(&message(&sentence), width))
        .collect();
    if paragraphs.is_empty() {
        return paragraphs;
    }
    let heading = Ink { color }.paint(Some(YELLOW), heading);
    format!("{heading}\n{paragraphs}")
}

/// The operations of a profiler as a table, the one that took longest first. Those that never ran
/// are left out.
pub fn operations_table(report: &Report) -> String {
    let header = ["operation", "total", "runs", "mean", "p50", "p99"].map(str::to_owned);
    let operations = by_total(report).into_iter().map(|operation| {
        [
            message(&operation.name),
            duration(operation.total_ns as f64),
            count(operation.count),
            duration(operation.mean_ns),
            duration(operation.p50_ns as f64),
            duration(operation.p99_ns as f64),
        ]
    });
    let rows: Vec<_> = std::iter::once(header).chain(operations).collect();
    aligned(&rows, &Ink { color: false }, 1)
}

fn cells(file: &FileReport, name: &str) -> [String; 8] {
    let delivery = file.outcome.as_ref().ok();
    let missing = || "-".to_owned();
    [
        name.to_owned(),
        level(delivery.and_then(|d| d.loudness_target_lufs)),
        level(delivery.and_then(|d| d.loudness_out_lufs)),
        level(delivery.and_then(|d| d.true_peak_out_dbtp)),
        file.audio_seconds().map_or_else(missing, clock),
        delivery.map_or_else(missing, |d| d.latency_samples.to_string()),
        format!("{:.2}", file.wall_seconds),
        match file.times_real_time() {
            None if file.from_cache && delivery.is_some() => "verified".to_owned(),
            speed => speed.map_or_else(missing, ratio),
        },
    ]
}

/// The rows with the first column to the left and the others to the right. The first `heads` rows
/// are the header: names, then units.
fn aligned<const N: usize>(rows: &[[String; N]], ink: &Ink, heads: usize) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| widest(rows, column));
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let mut line = format!("{:<1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(widths).skip(1) {
            let _ = write!(line, "{GAP}{cell:>width$}");
        }
        let style = match index {
            0 => Some(BOLD),
            index if index < heads => Some(DIM),
            _ => None,
        };
        text += &ink.paint(style, line.trim_end());
        text.push('\n');
    }
    text
}

fn widest<const N: usize>(rows: &[[String; N]], column: usize) -> usize {
    let widths = rows.iter().map(|row| row[column].chars().count());
    widths.max().unwrap_or(0)
}

/// A heading, then each file's remarks under its name.
fn remarks<'a>(
    heading: &str,
    style: &str,
    ink: &Ink,
    width: usize,
    files: impl Iterator<Item = (Vec<String>, &'a String)>,
) -> String {
    let mut text = String::new();
    for (remarks, name) in files {
        for remark in remarks {
            if text.is_empty() {
                let _ = writeln!(text, "\n{}", ink.paint(Some(style), heading));
            }
            text += &wrapped(&format!("{name}: {remark}"), width);
        }
    }
    text
}

/// A paragraph whose first line is indented by two and whose others by four.
fn wrapped(paragraph: &str, width: usize) -> String {
    let mut text = String::new();
    let mut line = " ".to_owned();
    for word in paragraph.split(' ') {
        let length = line.chars().count() + 1 + word.chars().count();
        if length > width && !line.trim().is_empty() {
            let _ = writeln!(text, "{line}");
            line = "   ".to_owned();
        }
        line.push(' ');
        line += word;
    }
    let _ = writeln!(text, "{line}");
    text
}

/// A name in at most `room` characters: what is too much is left out in the middle, so that the
/// beginning and the suffix stay.
fn shortened(name: &str, room: usize) -> String {
    let length = name.chars().count();
    if length <= room {
        return name.to_owned();
    }
    let kept = room.saturating_sub(1);
    let tail = kept / 2;
    let head = name.chars().take(kept - tail);
    let tail = name.chars().skip(length - tail);
    head.chain(['\u{2026}']).chain(tail).collect()
}

/// Colours, or none.
struct Ink {
    color: bool,
}

impl Ink {
    fn paint(&self, style: Option<&str>, text: &str) -> String {
        match style {
            Some(style) if self.color => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_in_the_middle() {
        assert_eq!(shortened("song.wav", 8), "song.wav");
        assert_eq!(shortened("a long song.wav", 9), "a lo\u{2026}.wav");
        assert_eq!(shortened("äöüäöüäöü", 4), "äö\u{2026}ü");
        assert_eq!(shortened("song", 1), "\u{2026}");
    }

    #[test]
    fn a_paragraph_keeps_within_the_width_and_loses_no_word() {
        let text = "asked -9 LUFS, got -12.3 LUFS with 12.0 dB of limiting";
        for width in [0, 8, 20, 200] {
            let wrapped = wrapped(text, width);
            let words: Vec<_> = wrapped.split_whitespace().collect();
            assert_eq!(words.join(" "), text);
            let fits = |line: &str| line.chars().count() <= width.max(4 + "limiting".len());
            assert!(wrapped.lines().all(fits), "{wrapped}");
        }
    }
}
