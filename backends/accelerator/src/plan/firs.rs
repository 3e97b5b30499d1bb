//! The three filters of an interpolator by four, from shared loads and sums.

use std::array;
use std::marker::PhantomData;

use auralis_core::{AudioBlockMut, FirBank, OneByOne, Result};

use super::correlate::GROUP;
use super::fir::{History, plan_fir};
use super::mul_add;
use crate::arithmetic::Arithmetic;
use crate::check;
use crate::isa::{Body, Isa};

/// Plans filters with these taps.
pub(crate) fn plan_firs<I: Isa>(isa: I, taps: &[&[f32]]) -> Result<Box<dyn FirBank>> {
    if let &[first, middle, last] = taps
        && let Some(bank) = Mirrored::new(isa, first, middle, last)
    {
        return Ok(Box::new(bank));
    }
    let filters = taps.iter().map(|taps| plan_fir(isa, taps));
    Ok(Box::new(OneByOne::new(filters.collect::<Result<_>>()?)))
}

/// The taps of one place from either end: what the first filter has there in common with the last
/// one, those of the middle one, and how the first differs from what it has in common.
type Pair = [f32; 3];

/// A symmetric filter of an even number of taps, and two that are each other's mirror image. Sums and
/// differences of samples as far from the one end as from the other take half the multiplications.
#[derive(Debug)]
struct Mirrored<I> {
    isa: I,
    pairs: Vec<Pair>,
    history: History,
}

impl<I: Isa> Mirrored<I> {
    fn new(isa: I, first: &[f32], middle: &[f32], last: &[f32]) -> Option<Self> {
        let taps = first.len();
        let alike = |a: &[f32], b: &[f32]| a.iter().eq(b.iter().rev());
        let fits = (1..=GROUP).contains(&taps) && taps.is_multiple_of(2) && middle.len() == taps;
        if !fits || !alike(middle, middle) || !alike(first, last) {
            return None;
        }
        let pairs = (0..taps / 2).map(|i| {
            let (begin, end) = (last[i], first[i]);
            [(begin + end) / 2.0, middle[i], (begin - end) / 2.0]
        });
        Some(Self {
            isa,
            pairs: pairs.collect(),
            history: History::new(taps),
        })
    }
}

impl<I: Isa> FirBank for Mirrored<I> {
    fn process(&mut self, block: &mut AudioBlockMut<'_>, src: &[f32]) -> Result<()> {
        check::equal(block.frames(), src.len())?;
        check::channels(block.channels(), 3)?;
        let mut planes = block.planes_mut();
        let mut planes: [&mut [f32]; 3] = array::from_fn(|_| planes.next().unwrap_or_default());
        self.history.next(src, |outputs, padded| {
            self.isa.run(Outputs {
                isa: PhantomData::<I>,
                planes: planes.each_mut().map(|plane| &mut plane[outputs.clone()]),
                padded,
                pairs: &self.pairs,
            });
        });
        Ok(())
    }

    fn reset(&mut self) {
        self.history.forget();
    }
}

/// The next outputs of each filter.
struct Outputs<'a, I> {
    isa: PhantomData<I>,
    planes: [&'a mut [f32]; 3],
    padded: &'a [f32],
    pairs: &'a [Pair],
}

impl<I: Isa> Body for Outputs<'_, I> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let len = self.planes[0].len();
        let mut at = 0;
        // As many at once as the sums of three filters find registers for.
        if I::Arithmetic::LANES == 64 {
            while at + 32 <= len {
                self.several::<32>(at);
                at += 32;
            }
        }
        while at + 16 <= len {
            self.several::<16>(at);
            at += 16;
        }
        while at + 8 <= len {
            self.several::<8>(at);
            at += 8;
        }
        while at < len {
            self.several::<1>(at);
            at += 1;
        }
    }
}

impl<I: Isa> Outputs<'_, I> {
    #[inline(always)]
    fn several<const N: usize>(&mut self, at: usize) {
        let outputs = outputs::<I, N>(&self.padded[at..], self.pairs);
        for (plane, outputs) in self.planes.iter_mut().zip(outputs) {
            plane[at..][..N].copy_from_slice(&outputs);
        }
    }
}

/// Every output is summed in the same order, so that a stream has the same bits however it is cut into
/// blocks.
#[inline(always)]
fn outputs<I: Isa, const N: usize>(padded: &[f32], pairs: &[Pair]) -> [[f32; N]; 3] {
    let last = 2 * pairs.len() - 1;
    let padded = &padded[..last + N];
    let (mut common, mut middle, mut other) = ([0.0; N], [0.0; N], [0.0; N]);
    for (from, &[both, between, either]) in pairs.iter().enumerate() {
        let (near, far) = (&padded[from..][..N], &padded[last - from..][..N]);
        for i in 0..N {
            let (sum, difference) = (near[i] + far[i], near[i] - far[i]);
            common[i] = mul_add::<I, f32>(both, sum, common[i]);
            middle[i] = mul_add::<I, f32>(between, sum, middle[i]);
            other[i] = mul_add::<I, f32>(either, difference, other[i]);
        }
    }
    let mut ends = [common; 2];
    for i in 0..N {
        ends[0][i] += other[i];
        ends[1][i] -= other[i];
    }
    [ends[0], middle, ends[1]]
}
