//! Streaming convolution: the choice of a form, and what turns blocks into calls of any length.

use std::fmt::Debug;

use auralis_core::{Convolver, ConvolverSpec, Error, ErrorKind, Latency, Result};

use super::MAX_LEN;
use super::circular::Windows;
use super::correlate::Correlation;
use super::fir::DirectForm;
use super::head::Head;
use super::overlap_save::{OverlapSave, fast_len};
use super::partitioned;
use super::schedule::schedule;
use crate::check;
use crate::isa::Isa;

/// Up to this many taps the direct form costs less than transforms.
const DIRECT_TAPS: usize = 32;

/// The blocks that are transformed: shorter calls go through the direct form until such a block is
/// full, longer ones are cut.
const BLOCKS: std::ops::RangeInclusive<usize> = 64..=1 << 20;

/// Plans a convolution.
///
/// Up to 32 taps run in direct form; a response of up to two blocks is one partition, and a longer
/// one is cut into partitions of a block and, behind them, longer ones. A NaN or an infinity spoils the block that holds it and
/// those that the response reaches.
pub(crate) fn plan_convolver<I: Isa>(
    isa: I,
    spec: &ConvolverSpec<'_>,
) -> Result<Box<dyn Convolver>> {
    let taps = spec.impulse.len();
    for (what, found) in [("taps", taps), ("block", spec.block)] {
        if !(1..=MAX_LEN).contains(&found) {
            let message = "a convolver has 1 to 2^28 taps and a block of 1 to 2^28 samples";
            return Err(Error::new(ErrorKind::InvalidInput, message).with(what, found));
        }
    }
    let block = spec.block.clamp(*BLOCKS.start(), *BLOCKS.end());
    Ok(if taps <= DIRECT_TAPS {
        delayed(DirectForm::new(isa, spec.impulse), spec)
    } else if taps <= 2 * block {
        single(isa, spec, block)
    } else {
        let engine = Head::new(isa, spec.impulse, &schedule(taps, block));
        let history = partitioned::history(block);
        let blocks = Blocks::new(isa, engine, &spec.impulse[..block], history, block);
        delayed(blocks, spec)
    })
}

/// One partition: by pairs of windows where that costs less, else by a transform of a whole block.
fn single<I: Isa>(isa: I, spec: &ConvolverSpec<'_>, block: usize) -> Box<dyn Convolver> {
    let impulse = spec.impulse;
    if let Some(engine) = Windows::streaming(isa, impulse, block) {
        let history = engine.history();
        return delayed(Blocks::new(isa, engine, impulse, history, block), spec);
    }
    let history = (impulse.len() - 1).next_multiple_of(2);
    let engine = OverlapSave::new(isa, impulse, fast_len(history + block));
    delayed(Blocks::new(isa, engine, impulse, history, block), spec)
}

fn delayed(inner: impl Convolver + 'static, spec: &ConvolverSpec<'_>) -> Box<dyn Convolver> {
    match spec.latency {
        Latency::Zero => Box::new(inner),
        Latency::OneBlock => Box::new(Delayed::new(inner, spec.block)),
    }
}

/// What convolves blocks. `history` is the samples before the block, at least those that the taps of
/// the first partition reach; the block may be filled in part, from its beginning.
pub(super) trait Engine: Debug + Send {
    /// Convolves the block, and writes what begins `from` samples into it.
    fn convolve(&mut self, dst: &mut [f32], history: &[f32], block: &[f32], from: usize);

    /// Adds what later partitions than the first give at `from` samples into the block.
    fn add_older(&mut self, dst: &mut [f32], history: &[f32], from: usize);

    /// Goes on to the next block, after the whole of this one.
    fn finish(&mut self, history: &[f32], block: &[f32]);

    /// Forgets what came before.
    fn reset(&mut self);
}

impl<I: Isa> Engine for OverlapSave<I, f32> {
    fn convolve(&mut self, dst: &mut [f32], history: &[f32], block: &[f32], from: usize) {
        self.packed.write(0, history);
        self.packed.write(history.len(), block);
        self.packed.silence(history.len() + block.len());
        self.run();
        self.packed.read(dst, history.len() + from);
    }

    fn add_older(&mut self, _: &mut [f32], _: &[f32], _: usize) {}

    fn finish(&mut self, _: &[f32], _: &[f32]) {}

    fn reset(&mut self) {}
}

impl Engine for Windows<f32> {
    fn convolve(&mut self, dst: &mut [f32], history: &[f32], block: &[f32], from: usize) {
        self.convolve(dst, [history, block], history.len() + from);
    }

    fn add_older(&mut self, _: &mut [f32], _: &[f32], _: usize) {}

    fn finish(&mut self, _: &[f32], _: &[f32]) {}

    fn reset(&mut self) {}
}

/// Gives every call its output at once, whether or not it fills a block: a few samples in direct
/// form, more by transforming the block as far as it is filled.
#[derive(Debug)]
struct Blocks<I, E> {
    isa: I,
    engine: E,
    /// The taps of the first partition, reversed.
    reversed: Vec<f32>,
    /// The history and the current block.
    window: Vec<f32>,
    history: usize,
    block: usize,
    filled: usize,
    /// The longest call that costs less in direct form.
    direct: usize,
}

impl<I: Isa, E: Engine> Blocks<I, E> {
    fn new(isa: I, engine: E, taps: &[f32], history: usize, block: usize) -> Self {
        // A transform there and back costs about as much as 4 n log2 n multiplications and
        // additions in direct form.
        let len = history + block;
        let transforms = 4 * len * len.ilog2() as usize;
        Self {
            isa,
            engine,
            reversed: taps.iter().rev().copied().collect(),
            window: vec![0.0; len],
            history,
            block,
            filled: 0,
            direct: transforms / taps.len(),
        }
    }

    /// Convolves a block that comes in one call, from where it lies.
    fn whole(&mut self, dst: &mut [f32], src: &[f32]) {
        let (history, _) = self.window.split_at_mut(self.history);
        self.engine.convolve(dst, history, src, 0);
        self.engine.finish(history, src);
        let kept = history.len().saturating_sub(src.len());
        history.copy_within(history.len() - kept.., 0);
        let taken = history.len() - kept;
        history[kept..].copy_from_slice(&src[src.len() - taken..]);
    }

    /// Convolves what fits into the current block.
    fn step(&mut self, dst: &mut [f32], src: &[f32]) {
        if src.len() == self.block {
            return self.whole(dst, src);
        }
        let (from, to) = (self.filled, self.filled + src.len());
        self.window[self.history + from..self.history + to].copy_from_slice(src);
        let (history, block) = self.window.split_at(self.history);
        if src.len() <= self.direct {
            let reached = self.history + 1 - self.reversed.len();
            let (window, reversed) = (&self.window[reached + from..], &self.reversed);
            let window = &window[..reversed.len() - 1 + src.len()];
            self.isa
                .run(Correlation::<I, f32>::new(dst, window, reversed));
            self.engine.add_older(dst, history, from);
        } else {
            self.engine.convolve(dst, history, &block[..to], from);
        }
        self.filled = to;
        if self.filled == self.block {
            self.engine.finish(history, block);
            self.window.copy_within(self.block.., 0);
            self.filled = 0;
        }
    }
}

impl<I: Isa, E: Engine> Convolver for Blocks<I, E> {
    fn latency(&self) -> usize {
        0
    }

    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        let (mut dst, mut src) = (dst, src);
        while !src.is_empty() {
            let now = src.len().min(self.block - self.filled);
            let (dst_now, dst_later) = dst.split_at_mut(now);
            let (src_now, src_later) = src.split_at(now);
            self.step(dst_now, src_now);
            (dst, src) = (dst_later, src_later);
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.engine.reset();
        self.window.fill(0.0);
        self.filled = 0;
    }
}

/// Gathers whole blocks for a convolver without latency, and gives out what the last one made.
#[derive(Debug)]
struct Delayed<C> {
    inner: C,
    gathered: Vec<f32>,
    made: Vec<f32>,
    filled: usize,
}

impl<C: Convolver> Delayed<C> {
    fn new(inner: C, block: usize) -> Self {
        Self {
            inner,
            gathered: vec![0.0; block],
            made: vec![0.0; block],
            filled: 0,
        }
    }
}

impl<C: Convolver> Convolver for Delayed<C> {
    fn latency(&self) -> usize {
        self.made.len()
    }

    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        let mut done = 0;
        while done < src.len() {
            let now = (src.len() - done).min(self.made.len() - self.filled);
            let stretch = self.filled..self.filled + now;
            dst[done..done + now].copy_from_slice(&self.made[stretch.clone()]);
            self.gathered[stretch].copy_from_slice(&src[done..done + now]);
            self.filled += now;
            done += now;
            if self.filled == self.made.len() {
                self.inner.process(&mut self.made, &self.gathered)?;
                self.filled = 0;
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.inner.reset();
        self.made.fill(0.0);
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::schedule::parts;
    use super::*;
    use crate::isa::Portable;

    fn noise(seed: u32, len: usize) -> Vec<f32> {
        let next = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some((*state >> 8) as f32 / (1 << 23) as f32 - 1.0)
        };
        std::iter::repeat_with(|| ())
            .scan(seed, |state, ()| next(state))
            .take(len)
            .collect()
    }

    /// However the response is cut and the stream too, with a reset before.
    #[test]
    fn partitions_of_every_size_add_up_to_the_convolution() {
        let (signal, impulse) = (noise(1, 3000), noise(2, 1500));
        let bound = 16.0
            * f64::from(f32::EPSILON)
            * impulse.iter().map(|t| f64::from(t.abs())).sum::<f64>();
        let right: Vec<f64> = (0..signal.len())
            .map(|n| {
                (0..impulse.len().min(n + 1))
                    .map(|k| f64::from(impulse[k]) * f64::from(signal[n - k]))
                    .sum()
            })
            .collect();
        for (block, ratios) in [
            (8, &[][..]),
            (8, &[4]),
            (8, &[4, 16]),
            (8, &[16, 64]),
            (9, &[4, 20]),
            (7, &[8]),
        ] {
            for calls in [&[block][..], &[1, 3, 2 * block, 5, 40 * block]] {
                let head = Head::new(Portable, &impulse, &parts(impulse.len(), block, ratios));
                let history = partitioned::history(block);
                let mut blocks = Blocks::new(Portable, head, &impulse[..block], history, block);
                blocks.process(&mut vec![0.0; 777], &noise(3, 777)).unwrap();
                blocks.reset();
                let mut at = 0;
                for call in calls.iter().cycle() {
                    let end = signal.len().min(at + call);
                    let mut found = vec![0.0; end - at];
                    blocks.process(&mut found, &signal[at..end]).unwrap();
                    for (found, right) in found.iter().zip(&right[at..]) {
                        let off = (f64::from(*found) - right).abs();
                        assert!(
                            off <= bound,
                            "{block} {ratios:?} {calls:?}, {at}: off by {off:e}"
                        );
                    }
                    at = end;
                    if at == signal.len() {
                        break;
                    }
                }
            }
        }
    }
}
