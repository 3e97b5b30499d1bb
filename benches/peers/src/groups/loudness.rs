//! Loudness and true peak of stereo audio.

use std::path::PathBuf;

use auralis::core::AudioBlock;
use auralis::meter::{LoudnessMeter, TruePeak, channel_weights};

use super::{Context, Figure, Findings};
use crate::aligned::{Aligned, noise};
use crate::cell::Cell;
use crate::peers::ebur128::Ebur128;
use crate::peers::program::ffmpeg;

const RATE: u32 = 48_000;
const BLOCK: usize = 4096;
/// What meters may differ by, in LU.
const TOLERANCE_LU: f64 = 0.01;

#[derive(Clone)]
struct Audio {
    planar: Aligned<f32>,
    interleaved: Aligned<f32>,
    loudness: f64,
    peak: f64,
}

/// Noise whose level swells and fades, so that the gate has something to do.
fn audio(seconds: usize) -> Audio {
    let frames = seconds * RATE as usize;
    let mut planar = noise(2 * frames, 12);
    for (i, x) in planar.iter_mut().enumerate() {
        let time = (i % frames) as f32 / RATE as f32;
        *x *= 0.25 * (1.05 + (time * 1.3).sin());
    }
    let interleaved = Aligned::from_fn(2 * frames, |i| planar[i % 2 * frames + i / 2]);
    Audio {
        planar,
        interleaved,
        loudness: 0.0,
        peak: 0.0,
    }
}

fn loudness(d: &Audio) -> Vec<f64> {
    vec![d.loudness]
}

/// Ours: both meters over the same blocks.
fn ours(context: &Context, d: &mut Audio) {
    let parts = context.optimizer.parts();
    let weights = channel_weights(2, None);
    let mut meter = LoudnessMeter::new(RATE, weights, BLOCK, parts).expect("a meter");
    let mut peaks = TruePeak::new(RATE, 2, &parts.accelerator).expect("a meter");
    let frames = d.planar.len() / 2;
    let all = AudioBlock::new(&d.planar, 2, frames, frames).expect("a block");
    let mut highest = [0.0f32];
    for start in (0..frames).step_by(BLOCK) {
        let block = all.range(start..frames.min(start + BLOCK));
        meter.process(&block).expect("a block of the right size");
        for (channel, samples) in block.planes().enumerate() {
            let cell = samples.len();
            peaks
                .process(channel, samples, 0, cell, &mut highest)
                .expect("a cell");
        }
    }
    (d.loudness, d.peak) = (meter.integrated(), highest[0].into());
}

/// The crate's meter.
fn of_the_crate(d: &mut Audio) {
    use ebur128::{EbuR128, Mode};
    let mut meter = EbuR128::new(2, RATE, Mode::I | Mode::TRUE_PEAK).expect("a meter");
    meter.add_frames_f32(&d.interleaved).expect("frames");
    d.loudness = meter.loudness_global().expect("measured");
    let peak = |channel| meter.true_peak(channel).expect("measured");
    d.peak = peak(0).max(peak(1));
}

/// ffmpeg's filter over a file, less ffmpeg without it.
struct Filter {
    file: PathBuf,
    without_ns: f64,
}

impl Filter {
    fn new(d: &Audio) -> Result<Self, String> {
        let file = std::env::temp_dir().join(format!("auralis-peers-{}.f32", std::process::id()));
        let bytes: Vec<u8> = d.interleaved.iter().flat_map(|x| x.to_le_bytes()).collect();
        std::fs::write(&file, bytes).map_err(|error| error.to_string())?;
        let mut this = Self {
            file,
            without_ns: f64::INFINITY,
        };
        for _ in 0..10 {
            this.without_ns = this.without_ns.min(ffmpeg(&this.file, "anull")?.ns);
        }
        Ok(this)
    }

    fn loudness(&self) -> f64 {
        let filter = "ebur128=peak=true:metadata=1,ametadata=print:key=lavfi.r128.I:file=-";
        let found = ffmpeg(&self.file, filter).ok();
        let last = found
            .as_ref()
            .and_then(|run| run.printed.rsplit_once("lavfi.r128.I="));
        last.and_then(|(_, value)| value.trim().parse().ok())
            .unwrap_or(f64::NAN)
    }

    fn time(&self) -> f64 {
        ffmpeg(&self.file, "ebur128=peak=true:framelog=verbose")
            .map_or(f64::INFINITY, |run| run.ns - self.without_ns)
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        // A temporary file: what can't be removed is left to the system.
        let _ = std::fs::remove_file(&self.file);
    }
}

/// The libraries over 10 seconds, and the program over 20.
pub fn run(context: &Context, findings: &mut Findings) {
    libraries(context, findings);
    program(context, findings);
}

/// A cell with the crate's answer as the expected one.
fn cell<'a>(context: &'a Context, size: &str, data: Audio) -> Cell<'a, Audio> {
    let mut exact = data.clone();
    of_the_crate(&mut exact);
    let tolerance = TOLERANCE_LU / exact.loudness.abs();
    Cell::new(
        "loudness and true peak",
        size,
        data,
        vec![exact.loudness],
        tolerance,
        loudness,
    )
    .process_time()
    .ours(|| |d: &mut Audio| ours(context, d))
}

fn libraries(context: &Context, findings: &mut Findings) {
    let data = audio(10);
    let mut mine = data.clone();
    ours(context, &mut mine);
    if let Ok(library) = Ebur128::get() {
        let (loudness, peak) = library.measure(&mine.interleaved, 2, RATE);
        findings.figures.push(Figure {
            name: "loudness beside libebur128".into(),
            value: mine.loudness - loudness,
            unit: "LU",
            goal: "within 0.01 LU",
        });
        findings.figures.push(Figure {
            name: "true peak of noise beside libebur128".into(),
            value: 20.0 * (mine.peak / peak).log10(),
            unit: "dB",
            goal: "interpolators differ",
        });
    }
    let cell = cell(context, "10 s stereo", data)
        .peer(
            "libebur128",
            Ebur128::get().map(|library| {
                move |d: &mut Audio| {
                    (d.loudness, d.peak) = library.measure(&d.interleaved, 2, RATE);
                }
            }),
        )
        .peer("ebur128", Ok::<_, String>(of_the_crate));
    findings.cells.push(cell.measure(context.effort));
}

fn program(context: &Context, findings: &mut Findings) {
    let data = audio(20);
    let filter = Filter::new(&data);
    let peer = filter.as_ref().map(|filter| {
        let answer = |d: &mut Audio| d.loudness = filter.loudness();
        let time = |calls: u32| (0..calls).map(|_| filter.time()).sum();
        (answer, time)
    });
    let cell = cell(context, "20 s stereo, the filter alone", data).peer_elsewhere("ffmpeg", peer);
    findings.cells.push(cell.measure(context.effort));
}
