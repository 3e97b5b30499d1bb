//! What an accelerator answers to a call of every kernel: the same bits, the same text.

use std::fmt::Debug;

use auralis_core::{
    Accelerator, AudioBlockMut, Biquad, Complex, ConvolutionMode, ConvolverSpec, Latency, Result,
    Window,
};

/// The name of each kernel, and what it answered to data of length `n`, in the order of
/// [`Kernel::NAMES`](auralis_core::Kernel::NAMES).
pub fn answers(a: &dyn Accelerator, n: usize) -> Vec<(&'static str, String)> {
    let (x, y) = (noise(n, 1), noise(n, 2));
    let (cx, cy) = (complex(&x, &y), complex(&y, &x));
    let (dx, dy) = (double(&x), double(&y));
    let short: Vec<_> = noise(5, 3);
    let i16s: Vec<_> = x.iter().map(|x| (x * 32767.0) as i16).collect();
    let i32s: Vec<_> = x.iter().map(|x| (x * 2e9) as i32).collect();
    let i24s: Vec<_> = i32s
        .iter()
        .map(|i| [(i >> 8) as u8, (i >> 16) as u8, (i >> 24) as u8])
        .collect();
    let planes: Vec<_> = (0..3).map(|seed| noise(n, seed)).collect();
    let planes: Vec<_> = planes.iter().map(Vec::as_slice).collect();
    let many: Vec<_> = std::iter::repeat_n(x.as_slice(), 100).collect();
    let windows = [
        Window::Hann,
        Window::Hamming,
        Window::Blackman,
        Window::BlackmanHarris,
    ];
    let modes = [
        ConvolutionMode::Same,
        ConvolutionMode::Full,
        ConvolutionMode::Valid,
    ];
    let rms_len = (n + 1).saturating_sub(3);
    let convolved = |mode: ConvolutionMode| mode.output_len(n, short.len());
    vec![
        ("scale", changed(&x, |d| a.scale(d, 0.7))),
        ("ramp", changed(&x, |d| a.ramp(d, 0.1, 0.9))),
        (
            "channel_gains",
            changed(&noise(3 * n, 1), |d| a.channel_gains(d, &[0.5, 1.5, 2.5]))
                + &changed(&noise(7, 1), |d| a.channel_gains(d, &[0.5, 1.5, 2.5])),
        ),
        ("add", changed(&x, |d| a.add(d, &y))),
        ("mix", changed(&x, |d| a.mix(d, &y, 0.3))),
        ("mul", changed(&x, |d| a.mul(d, &y))),
        ("dot", said(a.dot(&x, &y)) + &said(a.dot(&x, &short))),
        ("sum_squares", said(a.sum_squares(&x))),
        ("peak", said(a.peak(&x))),
        ("min_max", said(a.min_max(&x))),
        (
            "clip",
            changed(&x, |d| a.clip(d, -0.5, 0.5)) + &changed(&x, |d| a.clip(d, 1.0, -1.0)),
        ),
        (
            "interleave",
            changed(&noise(3 * n, 9), |d| a.interleave(d, &planes))
                + &changed(&noise(100 * n, 9), |d| a.interleave(d, &many))
                + &changed(&[], |d| a.interleave(d, &[])),
        ),
        (
            "deinterleave",
            deinterleaved(a, n, 3) + &deinterleaved(a, n, 100) + &deinterleaved(a, n, 0),
        ),
        ("f32_from_i16", changed(&y, |d| a.f32_from_i16(d, &i16s))),
        ("f32_from_i24", changed(&y, |d| a.f32_from_i24(d, &i24s))),
        ("f32_from_i32", changed(&y, |d| a.f32_from_i32(d, &i32s))),
        ("i16_from_f32", changed(&i16s, |d| a.i16_from_f32(d, &y))),
        ("i24_from_f32", changed(&i24s, |d| a.i24_from_f32(d, &y))),
        ("i32_from_f32", changed(&i32s, |d| a.i32_from_f32(d, &y))),
        ("complex_mul", changed(&cx, |d| a.complex_mul(d, &cy, &cy))),
        (
            "complex_mul_add",
            changed(&cx, |d| a.complex_mul_add(d, &cy, &cy)),
        ),
        ("tanh", changed(&y, |d| a.tanh(d))),
        ("exp", changed(&y, |d| a.exp(d))),
        ("ln", changed(&y, |d| a.ln(d))),
        ("window", each(windows, |w| changed(&x, |d| a.window(d, w)))),
        (
            "moving_rms",
            changed(&noise(rms_len, 4), |d| a.moving_rms(d, &x, 3))
                + &changed(&x, |d| a.moving_rms(d, &x, 0)),
        ),
        (
            "convolve",
            each(modes, |m| {
                changed(&noise(convolved(m), 4), |d| a.convolve(d, &x, &short, m))
            }),
        ),
        ("scale_f64", changed(&dx, |d| a.scale_f64(d, 0.7))),
        (
            "channel_gains_f64",
            changed(&dx, |d| a.channel_gains_f64(d, &[0.5])),
        ),
        (
            "moving_rms_f64",
            changed(&double(&noise(rms_len, 4)), |d| a.moving_rms_f64(d, &dx, 3)),
        ),
        (
            "convolve_f64",
            each(modes, |m| {
                changed(&vec![0.0; m.output_len(n, n)], |d| {
                    a.convolve_f64(d, &dx, &dy, m)
                })
            }),
        ),
        (
            "complex_fft",
            said(a.plan_complex_fft(n).map(|mut fft| {
                let mut again =
                    changed(&cx, |d| fft.forward(d)) + &changed(&cx, |d| fft.inverse(d));
                again += &changed(&complex(&short, &short), |d| fft.forward(d));
                (fft.len(), again)
            })),
        ),
        (
            "real_fft",
            said(a.plan_real_fft(n).map(|mut fft| {
                let bins = complex(&noise(n / 2 + 1, 6), &noise(n / 2 + 1, 7));
                (
                    fft.len(),
                    fft.bins(),
                    changed(&bins, |d| fft.forward(d, &x))
                        + &changed(&x, |d| fft.inverse(d, &bins))
                        + &changed(&x, |d| fft.inverse(d, &[])),
                )
            })),
        ),
        (
            "convolver",
            each([Latency::Zero, Latency::OneBlock], |latency| {
                let spec = ConvolverSpec {
                    impulse: &x,
                    block: 4,
                    latency,
                };
                said(a.plan_convolver(&spec).map(|mut convolver| {
                    let mut all = changed(&y, |d| convolver.process(d, &x));
                    all += &changed(&short, |d| convolver.process(d, &noise(5, 8)));
                    all += &changed(&short, |d| convolver.process(d, &[]));
                    convolver.reset();
                    (
                        convolver.latency(),
                        all + &changed(&y, |d| convolver.process(d, &x)),
                    )
                }))
            }),
        ),
        ("biquads", biquads(a, n)),
        (
            "fir",
            said(a.plan_fir(&short[..n.min(5)]).map(|mut fir| {
                let all =
                    changed(&y, |d| fir.process(d, &x)) + &changed(&y, |d| fir.process(d, &x));
                fir.reset();
                all + &changed(&y, |d| fir.process(d, &x))
                    + &changed(&y, |d| fir.process(d, &[0.5]))
            })),
        ),
        (
            "complex_fft_f64",
            said(a.plan_complex_fft_f64(n).map(|mut fft| {
                let data = complex(&dx, &dy);
                (
                    fft.len(),
                    changed(&data, |d| fft.forward(d)) + &changed(&data, |d| fft.inverse(d)),
                )
            })),
        ),
        (
            "real_fft_f64",
            said(a.plan_real_fft_f64(n).map(|mut fft| {
                let bins = complex(&double(&noise(n / 2 + 1, 6)), &double(&noise(n / 2 + 1, 7)));
                (
                    fft.len(),
                    changed(&bins, |d| fft.forward(d, &dx))
                        + &changed(&dx, |d| fft.inverse(d, &bins)),
                )
            })),
        ),
    ]
}

/// A block with a stride longer than its planes: what lies between must stay as it is.
fn biquads(a: &dyn Accelerator, n: usize) -> String {
    let sections = [
        Biquad {
            b0: 0.2,
            b1: 0.4,
            b2: 0.2,
            a1: -0.5,
            a2: 0.3,
        },
        Biquad {
            b0: 1.0,
            b1: -1.0,
            b2: 0.0,
            a1: -0.9,
            a2: 0.0,
        },
    ];
    let stride = n + 3;
    said(a.plan_biquads(&sections, 2).map(|mut cascade| {
        let mut run = |channels| {
            changed(&noise(stride * 3, 5), |d| {
                cascade.process(&mut AudioBlockMut::new(d, channels, n, stride)?)
            })
        };
        let all = run(2) + &run(2) + &run(3);
        cascade.reset();
        (cascade.channels(), all)
    }))
}

fn deinterleaved(a: &dyn Accelerator, n: usize, channels: usize) -> String {
    let src = noise(n * channels, 1);
    changed(&noise(n * channels, 2), |d| {
        let mut planes: Vec<_> = d.chunks_mut(n.max(1)).collect();
        a.deinterleave(&mut planes, &src)
    })
}

fn each<T>(items: impl IntoIterator<Item = T>, run: impl FnMut(T) -> String) -> String {
    items.into_iter().map(run).collect()
}

fn changed<T: Clone + Debug>(start: &[T], run: impl FnOnce(&mut [T]) -> Result<()>) -> String {
    let mut data = start.to_vec();
    let answer = said(run(&mut data));
    format!("{answer}{data:?}\n")
}

fn said<T: Debug>(answer: Result<T>) -> String {
    match answer {
        Ok(value) => format!("{value:?}\n"),
        Err(error) => format!("{error:?}; {error}\n"),
    }
}

/// Samples from -1 to 1, of a linear congruential generator (Knuth's MMIX constants).
fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn complex<T: Copy>(re: &[T], im: &[T]) -> Vec<Complex<T>> {
    re.iter()
        .zip(im)
        .map(|(re, im)| Complex::new(*re, *im))
        .collect()
}

fn double(data: &[f32]) -> Vec<f64> {
    data.iter().map(|x| f64::from(*x)).collect()
}
