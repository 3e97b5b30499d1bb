//! Convolution: as a stream without latency beyond the block, and of a whole signal.

use std::ffi::c_int;
use std::ptr::null;

use auralis::core::{ConvolutionMode, ConvolverSpec, Latency};
use fft_convolver::{FFTConvolver, TwoStageFFTConvolver};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use super::{Context, Findings};
use crate::aligned::{Aligned, noise, wide};
use crate::cell::Cell;
use crate::peers::ipp::{ALGORITHM_AUTO, ALGORITHM_FFT, DATA_F32, Ipp, memory};
use crate::peers::zita::Zita;

const SECONDS_10: usize = 480_000;
const TAPS: [usize; 3] = [512, 8192, 65536];
const BLOCKS: [usize; 2] = [64, 512];
/// Relative to the largest sample of the result.
const TOLERANCE: f64 = 1e-5;
/// More partitions than this of one size, and the uniform convolver takes minutes for nothing.
const MOST_PARTITIONS: usize = 256;

#[derive(Clone)]
struct Audio {
    from: Aligned<f32>,
    to: Aligned<f32>,
}

fn to(d: &Audio) -> Vec<f64> {
    wide(&d.to)
}

/// An impulse response that dies away.
fn impulse(taps: usize) -> Aligned<f32> {
    let mut impulse = noise(taps, 7);
    for (i, tap) in impulse.iter_mut().enumerate() {
        *tap *= 0.05 * (-5.0 * i as f32 / taps as f32).exp();
    }
    impulse
}

/// The first `len` samples of the convolution, in double precision by one long transform.
fn exact(signal: &[f32], impulse: &[f32], len: usize) -> Vec<f64> {
    let points = (signal.len() + impulse.len()).next_power_of_two();
    let mut planner = FftPlanner::<f64>::new();
    let spectrum = |planner: &mut FftPlanner<f64>, samples: &[f32]| {
        let mut at = vec![Complex::default(); points];
        for (at, &x) in at.iter_mut().zip(samples) {
            at.re = x.into();
        }
        planner.plan_fft_forward(points).process(&mut at);
        at
    };
    let mut product = spectrum(&mut planner, signal);
    let other = spectrum(&mut planner, impulse);
    product.iter_mut().zip(other).for_each(|(x, y)| *x *= y);
    planner.plan_fft_inverse(points).process(&mut product);
    product[..len]
        .iter()
        .map(|z| z.re / points as f64)
        .collect()
}

/// Streams and whole signals.
pub fn run(context: &Context, findings: &mut Findings) {
    for taps in TAPS {
        let (signal, impulse) = (noise(SECONDS_10, 6), impulse(taps));
        let full = exact(&signal, &impulse, SECONDS_10 + taps - 1);
        for block in BLOCKS {
            stream(context, findings, &signal, &impulse, &full, block);
        }
        whole(context, findings, &signal, &impulse, full);
    }
}

/// A shim of zita-convolver that is freed.
struct Handle {
    zita: &'static Zita,
    handle: *mut std::ffi::c_void,
}

impl Handle {
    /// Convolves the next block.
    fn process(&self, to: &mut [f32], from: &[f32]) {
        // SAFETY: both pointers are to a block of the samples that the shim was made for.
        unsafe { (self.zita.process)(self.handle, to.as_mut_ptr(), from.as_ptr()) };
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle comes from the shim and is freed once.
        unsafe { (self.zita.free)(self.handle) }
    }
}

fn zita(impulse: &[f32], block: usize) -> Result<Handle, String> {
    let zita = Zita::get()?;
    // SAFETY: the impulse has as many taps; the library copies it.
    let handle = unsafe { (zita.new)(impulse.as_ptr(), impulse.len() as c_int, block as c_int) };
    if handle.is_null() {
        return Err("it refuses this size".into());
    }
    Ok(Handle { zita, handle })
}

/// Calls `process` with every block of the signal: a whole number of them.
fn blocks(d: &mut Audio, block: usize, mut process: impl FnMut(&mut [f32], &[f32])) {
    for (to, from) in d.to.chunks_exact_mut(block).zip(d.from.chunks_exact(block)) {
        process(to, from);
    }
}

fn stream(
    context: &Context,
    findings: &mut Findings,
    signal: &[f32],
    impulse: &[f32],
    full: &[f64],
    block: usize,
) {
    let taps = impulse.len();
    let len = signal.len() / block * block;
    let data = Audio {
        from: Aligned::from_fn(len, |i| signal[i]),
        to: Aligned::zeroed(len),
    };
    let uniform = || {
        if taps / block > MOST_PARTITIONS {
            return Err(format!(
                "more than {MOST_PARTITIONS} partitions of one size"
            ));
        }
        let mut convolver = FFTConvolver::default();
        convolver
            .init(block, impulse)
            .map_err(|error| error.to_string())?;
        Ok(move |d: &mut Audio| {
            blocks(d, block, |to, from| convolver.process(from, to).unwrap());
        })
    };
    let two_stage = || {
        let mut convolver = TwoStageFFTConvolver::default();
        let tail = (taps / 8).clamp(block, 8192);
        convolver
            .init(block, tail, impulse)
            .map_err(|error| error.to_string())?;
        Ok::<_, String>(move |d: &mut Audio| {
            blocks(d, block, |to, from| convolver.process(from, to).unwrap());
        })
    };
    let size = format!("{taps} taps, blocks of {block}, 10 s");
    let expected = full[..len].to_vec();
    let cell = Cell::new("streaming convolution", size, data, expected, TOLERANCE, to)
        .process_time()
        .ours(|| {
            let spec = ConvolverSpec {
                impulse,
                block,
                latency: Latency::Zero,
            };
            let mut plan = context.accelerator().plan_convolver(&spec).expect("a plan");
            move |d: &mut Audio| blocks(d, block, |to, from| plan.process(to, from).unwrap())
        })
        .peer(
            "zita-convolver",
            zita(impulse, block).map(|shim| {
                move |d: &mut Audio| blocks(d, block, |to, from| shim.process(to, from))
            }),
        )
        .peer("fft-convolver", uniform())
        .peer("fft-convolver, two stages", two_stage());
    findings.cells.push(cell.measure(context.effort));
}

fn whole(
    context: &Context,
    findings: &mut Findings,
    signal: &[f32],
    impulse: &[f32],
    full: Vec<f64>,
) {
    let (taps, len) = (impulse.len(), full.len());
    let from = Aligned::from_fn(signal.len(), |i| signal[i]);
    let data = Audio {
        from,
        to: Aligned::zeroed(len),
    };
    let convolve = |ipp: &'static Ipp, algorithm: c_int| {
        let (n, taps) = (signal.len() as c_int, taps as c_int);
        let mut size = 0;
        // SAFETY: the size is written to a variable of this function.
        unsafe { (ipp.convolve_size)(n, taps, DATA_F32, algorithm, &mut size) };
        let mut work = memory(size);
        // SAFETY: the output has the sum of both lengths less one; the work is of the size asked for.
        move |d: &mut Audio| unsafe {
            let (from, to, work) = (d.from.as_ptr(), d.to.as_mut_ptr(), work.as_mut_ptr());
            (ipp.convolve)(from, n, impulse.as_ptr(), taps, to, algorithm, work);
        }
    };
    let python = || {
        let python = context.python.as_ref().map_err(String::clone)?;
        let prepare = || python.set("oaconvolve", &[signal, impulse], "");
        prepare()?;
        let answer = move |d: &mut Audio| d.to.copy_from_slice(&python.answer());
        Ok::<_, String>((answer, |calls| python.time(calls)))
    };
    let size = format!("{taps} taps, 10 s");
    let cell = Cell::new("whole-signal convolution", size, data, full, TOLERANCE, to)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Audio| {
                ours.convolve(&mut d.to, &d.from, impulse, ConvolutionMode::Full)
                    .unwrap();
            }
        })
        .peer("IPP", Ipp::get().map(|ipp| convolve(ipp, ALGORITHM_AUTO)))
        .peer(
            "IPP FIR",
            Ipp::get().map(|ipp| fir(ipp, impulse, signal.len())),
        )
        .peer_elsewhere("SciPy oaconvolve", python());
    findings.cells.push(cell.measure(context.effort));
}

/// IPP's filter, told to use Fourier transforms: the signal, then silence until the tail has passed.
fn fir(ipp: &'static Ipp, impulse: &[f32], len: usize) -> impl FnMut(&mut Audio) + use<> {
    let (mut size, mut work) = (0, 0);
    // SAFETY: the sizes are written to variables of this function.
    unsafe { (ipp.fir_size)(impulse.len() as c_int, DATA_F32, &mut size, &mut work) };
    let (mut specification, mut work) = (memory(size), memory(work));
    let tail = impulse.len() - 1;
    let (mut delay, silence) = (vec![0.0; tail.max(1)], vec![0.0; tail.max(1)]);
    let taps = impulse.to_vec();
    // SAFETY: the specification is of the size that the library asked for.
    unsafe {
        let to = specification.as_mut_ptr().cast();
        (ipp.fir_init)(taps.as_ptr(), taps.len() as c_int, ALGORITHM_FFT, to);
    }
    // SAFETY: the output has the signal's length and that of the tail; the delay line has one sample
    // less than there are taps; the work is of the size that the library asked for.
    move |d: &mut Audio| unsafe {
        let _ = &taps;
        let (plan, work) = (specification.as_mut_ptr().cast(), work.as_mut_ptr());
        let (from, to, line) = (d.from.as_ptr(), d.to.as_mut_ptr(), delay.as_mut_ptr());
        (ipp.fir)(from, to, len as c_int, plan, null(), line, work);
        (ipp.fir)(
            silence.as_ptr(),
            to.add(len),
            tail as c_int,
            plan,
            line,
            line,
            work,
        );
    }
}
