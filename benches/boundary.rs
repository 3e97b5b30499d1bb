//! What the plugin boundary costs: the same kernels of the same library, called raw and through the
//! guarded table, in turn; and what it takes to probe a plugin and to load one that is known.
//!
//! Run with `cargo bench --bench boundary`. Every time is the least of the rounds, and the raw
//! function stands twice in each round: what those two differ by is noise.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auralis::core::accelerator::AcceleratorSettings;
use auralis::core::{
    Accelerator, BuildContext, Convolver, ConvolverSpec, CpuFeatures, Latency, Options,
};
use auralis::registry::plugin::{Allowance, LoadedPlugin, Loader, Probe, Store, Voucher};
use libloading::Library;

const ROUNDS: usize = 40;
const CALLS: u32 = 20_000;
const FRAMES: usize = 64;
const BLOCK: usize = 512;
const TAPS: usize = 8192;
const PLANS: usize = 8;

type RawScale = unsafe extern "C" fn(*mut f32, usize, f32);
type RawMix = unsafe extern "C" fn(*mut f32, *const f32, usize, f32);
type RawPlan = *mut std::ffi::c_void;
type RawConvolver = unsafe extern "C" fn(*const f32, usize, usize) -> RawPlan;
type RawConvolve = unsafe extern "C" fn(RawPlan, *mut f32, *const f32, usize) -> bool;

/// A copy without debug information, as a release is shipped; the library itself where there is no
/// `strip`.
fn stripped(library: &Path, folder: &Path) -> PathBuf {
    let copy = folder.join(library.file_name().expect("a file"));
    let strip = Command::new("strip")
        .arg("-o")
        .args([&copy, library])
        .status();
    match strip {
        Ok(status) if status.success() => copy,
        _ => library.into(),
    }
}

/// The raw functions of the library that the loader has opened.
struct Raw {
    scale: RawScale,
    mix: RawMix,
    plan: RawConvolver,
    convolve: RawConvolve,
}

/// What was just built needs no seal.
fn allowed() -> Allowance {
    Allowance {
        voucher: Voucher::Caller,
        ..Allowance::default()
    }
}

fn main() {
    let file = library("plugin_boundary");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = || Store::at(folder.path().join("store"));
    let probe = || Probe::new(env!("CARGO_BIN_EXE_auralis"));
    let loader = || Loader::new(store().expect("a store"), Some(probe()));
    let plugin = loader()
        .load(&file, &allowed())
        .unwrap_or_else(|e| panic!("{e:?}"));
    let accelerator = build(&plugin);
    let raw = Raw::of(&plugin);
    let machine = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{}, {machine} threads, least of {ROUNDS} rounds",
        std::env::consts::ARCH
    );

    check(&*accelerator, &raw);
    println!(
        "\n{:28} {:>10} {:>10} {:>10} {:>12}",
        "", "raw", "raw again", "guarded", "difference"
    );
    kernels(&*accelerator, &raw);
    convolver(&*accelerator, &raw);

    println!("\n{:28} {:>10} {:>10}", "", "load known", "probe");
    for (name, backends) in [
        ("plugin_gain", "1 backend"),
        ("plugin_boundary", "all accelerators"),
    ] {
        let file = stripped(&library(name), folder.path());
        let known = || loader().load(&file, &allowed());
        known().unwrap_or_else(|e| panic!("{e:?}"));
        let load = least(ROUNDS, || drop(black_box(known())));
        let probing = least(ROUNDS, || {
            let outcome = probe().run(&file);
            assert!(outcome.is_ok(), "{outcome:?}");
        });
        let name = format!("{backends}, {} KiB", kibibytes(&file));
        println!(
            "{name:28} {:>7.2} ms {:>7.2} ms   (goals 2 ms, 30 ms)",
            milliseconds(load),
            milliseconds(probing)
        );
    }
}

/// A plugin that cargo built beside this program.
fn library(name: &str) -> PathBuf {
    let beside = std::env::current_exe().expect("a path of its own");
    beside.with_file_name(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"))
}

fn build(plugin: &LoadedPlugin) -> Arc<dyn Accelerator> {
    let candidates = plugin.candidates::<dyn Accelerator>();
    let boundary = candidates
        .iter()
        .find(|c| c.facts.id == "boundary")
        .expect("the backend");
    let context = BuildContext {
        options: &Options::default(),
        settings: &AcceleratorSettings::default(),
        cpu: CpuFeatures::detect(),
    };
    boundary.build(&context).unwrap_or_else(|e| panic!("{e:?}"))
}

impl Raw {
    fn of(plugin: &LoadedPlugin) -> Self {
        // SAFETY: the library is open already: no constructor runs again.
        let library = unsafe { Library::new(plugin.opened()) }.expect("the library");
        // SAFETY: the functions have these types, see `tests/plugins/boundary/src/raw.rs`.
        let raw = unsafe {
            Self {
                scale: *library.get(b"raw_scale").expect("raw_scale"),
                mix: *library.get(b"raw_mix").expect("raw_mix"),
                plan: *library.get(b"raw_convolver").expect("raw_convolver"),
                convolve: *library.get(b"raw_convolve").expect("raw_convolve"),
            }
        };
        std::mem::forget(library);
        raw
    }
}

/// Both ways must give the same bits before either is timed.
fn check(accelerator: &dyn Accelerator, raw: &Raw) {
    let src = noise(FRAMES);
    let (mut ours, mut theirs) = (noise(FRAMES), noise(FRAMES));
    accelerator
        .mix(&mut ours, &src, 0.3)
        .expect("equal lengths");
    accelerator.scale(&mut ours, 0.7).expect("any length");
    // SAFETY: both slices are of so many samples.
    unsafe {
        (raw.mix)(theirs.as_mut_ptr(), src.as_ptr(), FRAMES, 0.3);
        (raw.scale)(theirs.as_mut_ptr(), FRAMES, 0.7);
    }
    assert_eq!(ours, theirs);
}

fn kernels(accelerator: &dyn Accelerator, raw: &Raw) {
    // All three work on the same samples: where they lie must not decide.
    let src = noise(FRAMES);
    let mut data = noise(FRAMES);
    let data = data.as_mut_ptr();
    // SAFETY: the samples outlive this function, and one closure at a time uses them.
    let dst = || unsafe { std::slice::from_raw_parts_mut(data, FRAMES) };
    // A gain of one keeps the samples as they are, however often.
    let gain = black_box(1.0);
    // SAFETY: the slice is of so many samples.
    let scaled = || unsafe { (raw.scale)(data, FRAMES, gain) };
    let scale = compare(CALLS, scaled, scaled, || {
        accelerator.scale(dst(), gain).expect("any length");
    });
    row("scale, 64 frames", &scale, "goal 5 ns");
    let gain = black_box(0.0);
    // SAFETY: both slices are of so many samples.
    let mixed = || unsafe { (raw.mix)(data, src.as_ptr(), FRAMES, gain) };
    let mix = compare(CALLS, mixed, mixed, || {
        accelerator.mix(dst(), &src, gain).expect("equal lengths");
    });
    row("mix, 64 frames", &mix, "goal 5 ns");
}

fn convolver(accelerator: &dyn Accelerator, raw: &Raw) {
    let impulse = noise(TAPS);
    let spec = ConvolverSpec {
        impulse: &impulse,
        block: BLOCK,
        latency: Latency::Zero,
    };
    let src = noise(BLOCK);
    let (mut a, mut b, mut c) = (noise(BLOCK), noise(BLOCK), noise(BLOCK));
    // Where a plan's memory lies makes more of a difference than the boundary: several of each, each
    // of the three made first in turn.
    let mut least = [f64::MAX; 3];
    for turn in 0..PLANS {
        let mut planned = [std::ptr::null_mut(); 2];
        let mut guarded: Option<Box<dyn Convolver>> = None;
        for step in 0..3 {
            match (turn + step) % 3 {
                2 => guarded = Some(accelerator.plan_convolver(&spec).expect("a plan")),
                // SAFETY: the slice is of so many samples.
                way => planned[way] = unsafe { (raw.plan)(impulse.as_ptr(), TAPS, BLOCK) },
            }
        }
        let [first, second] = planned;
        assert!(!first.is_null() && !second.is_null());
        let mut guarded = guarded.expect("one of the three");
        let times = compare(
            CALLS / 200,
            // SAFETY: the plan is used here alone, both slices are of so many samples.
            || assert!(unsafe { (raw.convolve)(first, a.as_mut_ptr(), src.as_ptr(), BLOCK) }),
            // SAFETY: as above.
            || assert!(unsafe { (raw.convolve)(second, b.as_mut_ptr(), src.as_ptr(), BLOCK) }),
            || {
                guarded
                    .process(&mut c, &src)
                    .expect("a block of the planned length")
            },
        );
        // After as many blocks of the same input, all three say the same.
        assert_eq!((&a, &b), (&b, &c));
        least = std::array::from_fn(|way| least[way].min(times[way]));
    }
    row(&format!("convolver, {BLOCK} frames"), &least, "goal 3 %");
}

/// The least time of a call each: raw, raw again, guarded.
fn compare(
    calls: u32,
    mut raw: impl FnMut(),
    mut again: impl FnMut(),
    mut guarded: impl FnMut(),
) -> [f64; 3] {
    let mut least = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        least[0] = least[0].min(timed(calls, &mut raw));
        least[1] = least[1].min(timed(calls, &mut again));
        least[2] = least[2].min(timed(calls, &mut guarded));
    }
    least.map(|time| time.as_secs_f64() * 1e9 / f64::from(calls))
}

fn timed(calls: u32, call: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..calls).for_each(|_| call());
    start.elapsed()
}

fn least(rounds: usize, mut run: impl FnMut()) -> Duration {
    (0..rounds)
        .map(|_| timed(1, &mut run))
        .min()
        .unwrap_or_default()
}

fn row(name: &str, [raw, again, guarded]: &[f64; 3], goal: &str) {
    let base = raw.min(*again);
    println!(
        "{name:28} {raw:>7.1} ns {again:>7.1} ns {guarded:>7.1} ns {:>+7.1} ns = {:+.1} %   ({goal})",
        guarded - base,
        (guarded / base - 1.0) * 100.0
    );
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn kibibytes(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |m| m.len() / 1024)
}

/// Samples within full scale, the same at every call: Knuth's MMIX generator.
fn noise(len: usize) -> Vec<f32> {
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}
