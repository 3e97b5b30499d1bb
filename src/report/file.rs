//! The part of the page on one file: figures, notes, and the course of the file in plots.

use maud::{Markup, html};

use super::figures::{clock, fixed, level, ratio};
use super::names::{message, visible};
use super::page::typeset;
use super::plot::{Plot, Shape, absent, columns, position, time_axis};
use super::{Asked, FileReport};
use crate::chain::amplitude;
use crate::master::{Delivery, Timeline};

/// What is no more than rounding, in decibels.
const ROUNDING_DB: f64 = 0.005;
/// What is said instead of a plot without a series.
const UNRECORDED: &str = "not recorded";
/// The loudness that a plot spans at least, in LU.
const LOUDNESS_SPAN: f64 = 36.0;

/// How a file came out, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As asked, as far as anything was asked.
    Good,
    /// Delivered, with something to know.
    Noted,
    /// Not delivered.
    Failed,
}

impl Verdict {
    /// The verdict on a file that was to stay under this true peak.
    pub fn of(file: &FileReport, ceiling_dbtp: Option<f64>) -> Self {
        match &file.outcome {
            Err(_) => Self::Failed,
            Ok(delivery) => {
                let quiet = file.notes().is_empty() && excess(delivery, ceiling_dbtp).is_none();
                if quiet { Self::Good } else { Self::Noted }
            }
        }
    }

    /// The verdict as a coloured word.
    pub fn badge(self) -> Markup {
        let (style, word) = match self {
            Self::Good => ("badge good", "as asked"),
            Self::Noted => ("badge noted", "see notes"),
            Self::Failed => ("badge failed", "failed"),
        };
        html! { span class=(style) { (word) } }
    }
}

/// By how many decibels a delivery is above the ceiling, if it is.
fn excess(delivery: &Delivery, ceiling_dbtp: Option<f64>) -> Option<f64> {
    let over = delivery.true_peak_out_dbtp? - ceiling_dbtp?;
    (over > ROUNDING_DB).then_some(over)
}

/// The section on one file.
pub fn section(file: &FileReport, name: &str, index: usize, asked: &Asked) -> Markup {
    html! {
        article id=(format!("file-{index}")) {
            div .head {
                h2 { bdi { (name) } }
                (Verdict::of(file, asked.ceiling_dbtp).badge())
            }
            p .path {
                bdi { (visible(&file.input)) }
                @if file.outcome.is_ok() {
                    span .arrow { " \u{2192} " } bdi { (visible(&file.output)) }
                }
            }
            @match &file.outcome {
                Err(error) => p .note .failed { b { "Nothing was written. " } (message(error)) },
                Ok(delivery) => {
                    (figures(file, delivery))
                    (notes(file, delivery, asked))
                    (course(file, delivery, asked))
                }
            }
        }
    }
}

fn figures(file: &FileReport, delivery: &Delivery) -> Markup {
    let time = match file.times_real_time() {
        Some(speed) => format!("{}\u{d7} real time", ratio(speed)),
        None if file.from_cache => "verified, not rendered again".to_owned(),
        None => String::new(),
    };
    let source = format!("{} Hz, {} ch", delivery.sample_rate, delivery.channels);
    let renderings = match delivery.renderings {
        1 => "1 rendering".to_owned(),
        n => format!("{n} renderings"),
    };
    let before = delivery.loudness_in_lufs;
    let was = before.map_or_else(String::new, |lufs| format!("was {}", fixed(lufs, 2)));
    let length = file.audio_seconds().map_or_else(|| "-".to_owned(), clock);
    let cells = [
        (
            "Asked",
            level(delivery.loudness_target_lufs),
            "LUFS",
            String::new(),
        ),
        ("Got", level(delivery.loudness_out_lufs), "LUFS", was),
        (
            "True peak",
            level(delivery.true_peak_out_dbtp),
            "dBTP",
            String::new(),
        ),
        ("Gain", fixed(delivery.gain_db, 2), "dB", renderings),
        (
            "Limiting",
            level(delivery.reduction_db),
            "dB",
            "at most".to_owned(),
        ),
        ("Length", length, "", source),
        (
            "Delay",
            delivery.latency_samples.to_string(),
            "samples",
            String::new(),
        ),
        ("Time", format!("{:.2}", file.wall_seconds), "s", time),
    ];
    html! {
        dl .figures {
            @for (name, figure, unit, remark) in &cells {
                div {
                    dt { (name) }
                    dd {
                        strong { (typeset(figure)) }
                        @if figure != "-" { " " span .unit { (unit) } }
                        @if figure != "-" && !remark.is_empty() { small { (typeset(remark)) } }
                    }
                }
            }
        }
    }
}

fn notes(file: &FileReport, delivery: &Delivery, asked: &Asked) -> Markup {
    let excess = excess(delivery, asked.ceiling_dbtp)
        .map(|over| format!("the true peak is {over:.2} dB above the ceiling"));
    let notes = file.notes().into_iter().chain(excess.as_deref());
    html! { @for note in notes { p .note { (message(note)) } } }
}

fn course(file: &FileReport, delivery: &Delivery, asked: &Asked) -> Markup {
    let Timeline {
        peak_in,
        peak_out,
        momentary_lufs,
        reduction_db,
    } = &delivery.timeline;
    let [before, after] = [peak_in, peak_out].map(|series| columns(series, 0.0));
    let full_scale = before.iter().chain(&after).copied().fold(1.0, f32::max);
    let ceiling = asked.ceiling_dbtp;
    html! {
        div .course {
            (waveform("Before", "wave before", &before, full_scale, None))
            (waveform("After", "wave after", &after, full_scale, ceiling))
            (loudness(momentary_lufs, delivery))
            (reduction(reduction_db))
            @if let Some(seconds) = file.audio_seconds() { (time_axis(seconds)) }
        }
    }
}

fn waveform(
    name: &str,
    style: &'static str,
    peaks: &[f32],
    full_scale: f32,
    ceiling_dbtp: Option<f64>,
) -> Markup {
    let Some(peak) = peaks.iter().copied().reduce(f32::max) else {
        return absent(name, UNRECORDED);
    };
    let full_scale = f64::from(full_scale);
    let heights: Vec<_> = peaks.iter().map(|p| f64::from(*p) / full_scale).collect();
    let peak_db = if peak > 0.0 {
        format!("{} dBFS", fixed(20.0 * f64::from(peak).log10(), 1))
    } else {
        "digital silence".to_owned()
    };
    let edge = 0.5 / full_scale;
    let ceiling = ceiling_dbtp.map(|db| edge * amplitude(db));
    Plot {
        name,
        legend: html! {
            span { "sample peak " (typeset(&peak_db)) }
            @if let Some(db) = ceiling_dbtp {
                span { (key("guide")) "ceiling " (typeset(&db.to_string())) " dBTP" }
            }
        },
        description: format!("Waveform {}: sample peak {peak_db}", name.to_lowercase()),
        ticks: [
            ("0 dBFS", 0.5 - edge),
            (typeset("-6").as_str(), 0.5 - edge / 2.0),
        ]
        .map(|(label, at)| (label.to_owned(), at))
        .to_vec(),
        lines: ceiling.map_or_else(Vec::new, |c| vec![("guide", 0.5 - c), ("guide", 0.5 + c)]),
        shapes: vec![Shape::bars(style, &heights)],
    }
    .figure()
}

fn loudness(momentary: &[f32], delivery: &Delivery) -> Markup {
    const NAME: &str = "Loudness";
    let (got, asked) = (delivery.loudness_out_lufs, delivery.loudness_target_lufs);
    let course = columns(momentary, f32::MIN);
    let Some(loudest) = course.iter().copied().reduce(f32::max) else {
        return absent(NAME, UNRECORDED);
    };
    let highest = [Some(f64::from(loudest)), got, asked];
    let highest = highest.into_iter().flatten().fold(-60.0, f64::max);
    let top = 6.0 * (highest / 6.0).ceil();
    let lowest = got.into_iter().chain(asked).fold(top, f64::min) - 12.0;
    let bottom = (6.0 * (lowest / 6.0).floor()).min(top - LOUDNESS_SPAN);
    let course: Vec<_> = course
        .iter()
        .map(|lufs| position(f64::from(*lufs), top, bottom))
        .collect();
    let line = |style, lufs: Option<f64>| lufs.map(|l| (style, position(l, top, bottom)));
    let step = if top - bottom > LOUDNESS_SPAN { 24 } else { 12 };
    Plot {
        name: NAME,
        legend: html! {
            span { (key("momentary")) "momentary" }
            @if let Some(lufs) = got {
                span { (key("integrated")) "integrated " (typeset(&fixed(lufs, 2))) " LUFS" }
            }
            @if let Some(lufs) = asked {
                span { (key("guide")) "asked " (typeset(&fixed(lufs, 2))) " LUFS" }
            }
        },
        description: format!(
            "Momentary loudness of the output: at most {} LUFS, integrated {} LUFS, asked {} LUFS",
            fixed(f64::from(loudest.max(-120.0)), 1),
            level(got),
            level(asked),
        ),
        ticks: (0..)
            .step_by(step)
            .map(|down| top - f64::from(down))
            .take_while(|lufs| *lufs > bottom)
            .map(|lufs| (typeset(&fixed(lufs, 0)), position(lufs, top, bottom)))
            .collect(),
        lines: [line("integrated", got), line("guide", asked)]
            .into_iter()
            .flatten()
            .collect(),
        shapes: vec![
            Shape::below("momentary-area", &course),
            Shape::line("momentary", &course),
        ],
    }
    .figure()
}

fn reduction(reduction_db: &[f32]) -> Markup {
    const NAME: &str = "Gain reduction";
    let course = columns(reduction_db, 0.0);
    let Some(most) = course.iter().copied().reduce(f32::max).map(f64::from) else {
        return absent(NAME, UNRECORDED);
    };
    if most < ROUNDING_DB {
        return absent(NAME, "none was needed");
    }
    let bottom = 3.0 * (most / 3.0).ceil().max(2.0);
    let course: Vec<_> = course.iter().map(|db| f64::from(*db) / bottom).collect();
    Plot {
        name: NAME,
        legend: html! { span { "at most " (fixed(most, 2)) " dB" } },
        description: format!("Gain reduction of the limiter: at most {most:.2} dB"),
        ticks: vec![
            ("0 dB".to_owned(), 0.0),
            (typeset(&(-bottom / 2.0).to_string()), 0.5),
        ],
        lines: Vec::new(),
        shapes: vec![Shape::hanging("reduction", &course)],
    }
    .figure()
}

/// A piece of a line as the key to its meaning.
fn key(style: &str) -> Markup {
    html! {
        svg .key viewBox="0 0 20 10" aria-hidden="true" { path class=(style) d="M0 5H20" {} }
    }
}
