//! The page: what was asked, the totals, every file, and where the time went.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figures::{clock, level, ratio};
use super::file::{self, Verdict};
use super::names::{message, names};
use super::{FileReport, FolderReport, operations};

const STYLE: &str = include_str!("style.css");

/// One self-contained page: no script, nothing loaded from elsewhere, light or dark as the reader
/// prefers. A file takes at most some 60 KB of it.
pub fn html(report: &FolderReport) -> String {
    let names = names(&report.files);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // A file name or a tag that got past the escaping still could not load or run a thing.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Auralis: " (headline(report)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (header(report))
                    (totals(report))
                    (overview(report, &names))
                    @for (index, (file, name)) in report.files.iter().zip(&names).enumerate() {
                        (file::section(file, name, index, &report.asked))
                    }
                    (operations::section(&report.profile))
                }
                footer {
                    "Auralis " (env!("CARGO_PKG_VERSION")) ". Every level was measured on the \
                     samples as written: loudness by ITU-R BS.1770-4, true peak by its four-fold \
                     oversampling."
                }
            }
        }
    };
    page.into_string()
}

/// A number with a typographic minus, which is as wide as a digit; a dash for a missing one.
pub fn typeset(number: &str) -> String {
    match number {
        "-" => "\u{2013}".to_owned(),
        _ => number.replace('-', "\u{2212}"),
    }
}

fn headline(report: &FolderReport) -> String {
    let all = report.files.len();
    let delivered = report.files.iter().filter(|f| f.outcome.is_ok()).count();
    let files = match (delivered, all) {
        (1, 1) => "1 file mastered".to_owned(),
        (delivered, all) if delivered == all => format!("{all} files mastered"),
        _ => format!("{delivered} of {all} files mastered"),
    };
    let asked = &report.asked;
    let target = asked.loudness_lufs.map(|l| format!(" to {l}\u{a0}LUFS"));
    let ceiling = asked
        .ceiling_dbtp
        .map(|c| format!(", peaks under {c}\u{a0}dBTP"));
    typeset(
        &[
            files,
            target.unwrap_or_default(),
            ceiling.unwrap_or_default(),
        ]
        .concat(),
    )
}

fn header(report: &FolderReport) -> Markup {
    let machine = &report.machine;
    html! {
        header {
            p .eyebrow { "Auralis mastering report" }
            h1 { (headline(report)) }
            dl {
                dt { "Chain" }
                dd {
                    @for (index, stage) in report.asked.chain.iter().enumerate() {
                        @if index > 0 { span .arrow { " \u{2192} " } }
                        (message(stage))
                    }
                    @if report.asked.chain.is_empty() { "no stages" }
                }
                dt { "Machine" }
                dd {
                    (machine.cores) @if machine.cores == 1 { " core" } @else { " cores" }
                    @if !machine.cpu_features.is_empty() {
                        ": " span .faint { (message(&machine.cpu_features)) }
                    }
                }
                @if !report.backends.is_empty() {
                    dt { "Backends" }
                    dd {
                        ul .backends {
                            @for backend in &report.backends {
                                li {
                                    (message(&backend.kind)) " "
                                    b { (message(&backend.id)) }
                                    span .faint { " (" (message(&backend.decided_by)) ")" }
                                }
                            }
                        }
                    }
                }
                @if !report.given_up.is_empty() {
                    dt { "Given up" }
                    dd {
                        ul .backends {
                            @for given_up in &report.given_up {
                                li { (message(&given_up.to_string())) }
                            }
                        }
                    }
                }
                @if !report.rejected_plugins.is_empty() {
                    dt { "Rejected plugins" }
                    dd {
                        ul .backends {
                            @for plugin in &report.rejected_plugins {
                                li { (message(plugin)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn totals(report: &FolderReport) -> Markup {
    let files = || report.files.iter();
    let failed = files().filter(|f| f.outcome.is_err()).count();
    let verified = files()
        .filter(|f| f.from_cache && f.outcome.is_ok())
        .count();
    let audio = files().filter_map(FileReport::audio_seconds).sum::<f64>();
    let rendered = files()
        .filter(|f| !f.from_cache)
        .filter_map(FileReport::audio_seconds)
        .sum::<f64>();
    let speed = rendered / report.wall_seconds;
    html! {
        section .totals aria-label="Totals" {
            (total(&report.files.len().to_string(), "files", &[(failed, "failed")]))
            (total(&clock(audio), "of audio", &[(verified, "verified only")]))
            (total(&format!("{:.2} s", report.wall_seconds), "wall time", &[]))
            @if speed.is_finite() && rendered > 0.0 {
                (total(&format!("{}\u{d7}", ratio(speed)), "real time", &[]))
            }
        }
    }
}

fn total(figure: &str, unit: &str, of_which: &[(usize, &str)]) -> Markup {
    html! {
        p {
            strong { (figure) }
            span { (unit) }
            @for (count, what) in of_which.iter().filter(|(count, _)| *count > 0) {
                em { (count) " " (what) }
            }
        }
    }
}

fn overview(report: &FolderReport, names: &[String]) -> Markup {
    html! {
        section {
            h2 { "Files" }
            div .scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { "File" }
                            @for (name, unit) in [
                                ("Asked", "LUFS"), ("Got", "LUFS"), ("True peak", "dBTP"),
                                ("Length", "min:s"), ("Delay", "samples"), ("Time", "s"),
                                ("Speed", "\u{d7} real time"),
                            ] {
                                th scope="col" .number { (name) small { (unit) } }
                            }
                            th scope="col" { "Verdict" }
                        }
                    }
                    tbody {
                        @for (index, (file, name)) in report.files.iter().zip(names).enumerate() {
                            (row(file, name, index, report.asked.ceiling_dbtp))
                        }
                    }
                }
            }
        }
    }
}

fn row(file: &FileReport, name: &str, index: usize, ceiling: Option<f64>) -> Markup {
    let delivery = file.outcome.as_ref().ok();
    let missing = || "-".to_owned();
    let figures = [
        level(delivery.and_then(|d| d.loudness_target_lufs)),
        level(delivery.and_then(|d| d.loudness_out_lufs)),
        level(delivery.and_then(|d| d.true_peak_out_dbtp)),
        file.audio_seconds().map_or_else(missing, clock),
        delivery.map_or_else(missing, |d| d.latency_samples.to_string()),
        format!("{:.2}", file.wall_seconds),
        file.times_real_time().map_or_else(missing, ratio),
    ];
    html! {
        tr {
            th scope="row" { a href=(format!("#file-{index}")) { bdi { (name) } } }
            @for figure in &figures { td .number { (typeset(figure)) } }
            td { (Verdict::of(file, ceiling).badge()) }
        }
    }
}
