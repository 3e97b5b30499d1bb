//! The reference: plain loops that say what each kernel means. Others are checked against it.

use std::sync::Arc;

use auralis_core::{
    Accelerator, BuildContext, Complex, CpuFeatures, Descriptor, Kernel, NoOptions, Result, Window,
    register,
};

use crate::check;
use crate::isa::Portable;
use crate::plan::{self, for_each_planned};

register! {
    Descriptor::<dyn Accelerator> {
        id: "scalar",
        summary: "Plain loops: the reference",
        version: env!("CARGO_PKG_VERSION"),
        rank: 0,
        requires: CpuFeatures::NONE,
        capabilities: Kernel::NAMES,
        options_schema: NoOptions::SCHEMA,
        build,
    }
}

fn build(context: &BuildContext<'_, dyn Accelerator>) -> Result<Arc<dyn Accelerator>> {
    context.options.parse::<NoOptions>()?;
    Ok(Arc::new(Scalar))
}

const TWO_15: f32 = 32_768.0;
const TWO_23: f32 = 8_388_608.0;
const TWO_31: f32 = 2_147_483_648.0;

#[derive(Debug)]
struct Scalar;

macro_rules! planned {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {$(
        fn $name(&self, $($arg: $type),*) -> Result<$result> {
            plan::$name(Portable, $($arg),*)
        }
    )*};
}

impl Accelerator for Scalar {
    fn scale(&self, data: &mut [f32], gain: f32) -> Result<()> {
        for x in data {
            *x *= gain;
        }
        Ok(())
    }

    fn ramp(&self, data: &mut [f32], from: f32, to: f32) -> Result<()> {
        let n = data.len() as f64;
        let (from, to) = (f64::from(from), f64::from(to));
        for (i, x) in data.iter_mut().enumerate() {
            let gain = from + (to - from) * i as f64 / n;
            *x = (f64::from(*x) * gain) as f32;
        }
        Ok(())
    }

    fn channel_gains(&self, interleaved: &mut [f32], gains: &[f32]) -> Result<()> {
        check::frames(interleaved.len(), gains.len())?;
        for (i, x) in interleaved.iter_mut().enumerate() {
            *x *= gains[i % gains.len()];
        }
        Ok(())
    }

    fn add(&self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        for (d, s) in dst.iter_mut().zip(src) {
            *d += s;
        }
        Ok(())
    }

    fn mix(&self, dst: &mut [f32], src: &[f32], gain: f32) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        for (d, s) in dst.iter_mut().zip(src) {
            *d += s * gain;
        }
        Ok(())
    }

    fn mul(&self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        for (d, s) in dst.iter_mut().zip(src) {
            *d *= s;
        }
        Ok(())
    }

    fn dot(&self, a: &[f32], b: &[f32]) -> Result<f32> {
        check::equal(a.len(), b.len())?;
        let mut sum = 0.0;
        for (a, b) in a.iter().zip(b) {
            sum += f64::from(*a) * f64::from(*b);
        }
        Ok(sum as f32)
    }

    fn sum_squares(&self, data: &[f32]) -> Result<f32> {
        self.dot(data, data)
    }

    fn peak(&self, data: &[f32]) -> Result<f32> {
        let mut peak = 0.0;
        for x in data {
            if x.abs() > peak {
                peak = x.abs();
            }
        }
        Ok(peak)
    }

    fn min_max(&self, data: &[f32]) -> Result<(f32, f32)> {
        let (mut min, mut max) = (f32::INFINITY, f32::NEG_INFINITY);
        for x in data {
            if *x < min {
                min = *x;
            }
            if *x > max {
                max = *x;
            }
        }
        Ok((min, max))
    }

    fn clip(&self, data: &mut [f32], low: f32, high: f32) -> Result<()> {
        check::range(low, high)?;
        for x in data {
            *x = x.clamp(low, high);
        }
        Ok(())
    }

    fn interleave(&self, dst: &mut [f32], planes: &[&[f32]]) -> Result<()> {
        check::planes(planes, dst.len())?;
        for (channel, plane) in planes.iter().enumerate() {
            for (i, x) in plane.iter().enumerate() {
                dst[i * planes.len() + channel] = *x;
            }
        }
        Ok(())
    }

    fn deinterleave(&self, planes: &mut [&mut [f32]], src: &[f32]) -> Result<()> {
        check::planes(planes, src.len())?;
        let channels = planes.len();
        for (channel, plane) in planes.iter_mut().enumerate() {
            for (i, x) in plane.iter_mut().enumerate() {
                *x = src[i * channels + channel];
            }
        }
        Ok(())
    }

    fn f32_from_i16(&self, dst: &mut [f32], src: &[i16]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        for (d, s) in dst.iter_mut().zip(src) {
            *d = f32::from(*s) / TWO_15;
        }
        Ok(())
    }

    fn f32_from_i24(&self, dst: &mut [f32], src: &[[u8; 3]]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        for (d, &[low, middle, high]) in dst.iter_mut().zip(src) {
            // As the upper three bytes of an i32 it has its sign, and is 2^8 times its value.
            *d = i32::from_le_bytes([0, low, middle, high]) as f32 / TWO_31;
        }
        Ok(())
    }

    fn f32_from_i32(&self, dst: &mut [f32], src: &[i32]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        for (d, s) in dst.iter_mut().zip(src) {
            *d = *s as f32 / TWO_31;
        }
        Ok(())
    }

    // `as` limits to the range of the integer and turns NaN into 0.

    fn i16_from_f32(&self, dst: &mut [i16], src: &[f32]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        for (d, s) in dst.iter_mut().zip(src) {
            *d = (s * TWO_15).round_ties_even() as i16;
        }
        Ok(())
    }

    fn i24_from_f32(&self, dst: &mut [[u8; 3]], src: &[f32]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        for (d, s) in dst.iter_mut().zip(src) {
            let limited = (s * TWO_23).clamp(-TWO_23, TWO_23 - 1.0);
            let [low, middle, high, _] = (limited.round_ties_even() as i32).to_le_bytes();
            *d = [low, middle, high];
        }
        Ok(())
    }

    fn i32_from_f32(&self, dst: &mut [i32], src: &[f32]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        for (d, s) in dst.iter_mut().zip(src) {
            *d = (s * TWO_31).round_ties_even() as i32;
        }
        Ok(())
    }

    fn complex_mul(
        &self,
        dst: &mut [Complex<f32>],
        a: &[Complex<f32>],
        b: &[Complex<f32>],
    ) -> Result<()> {
        check::equal(dst.len(), a.len())?;
        check::equal(dst.len(), b.len())?;
        for (d, (a, b)) in dst.iter_mut().zip(a.iter().zip(b)) {
            *d = a * b;
        }
        Ok(())
    }

    fn complex_mul_add(
        &self,
        dst: &mut [Complex<f32>],
        a: &[Complex<f32>],
        b: &[Complex<f32>],
    ) -> Result<()> {
        check::equal(dst.len(), a.len())?;
        check::equal(dst.len(), b.len())?;
        for (d, (a, b)) in dst.iter_mut().zip(a.iter().zip(b)) {
            *d += a * b;
        }
        Ok(())
    }

    fn tanh(&self, data: &mut [f32]) -> Result<()> {
        for x in data {
            *x = f64::from(*x).tanh() as f32;
        }
        Ok(())
    }

    fn exp(&self, data: &mut [f32]) -> Result<()> {
        for x in data {
            *x = f64::from(*x).exp() as f32;
        }
        Ok(())
    }

    fn ln(&self, data: &mut [f32]) -> Result<()> {
        for x in data {
            *x = f64::from(*x).ln() as f32;
        }
        Ok(())
    }

    fn scale_f64(&self, data: &mut [f64], gain: f64) -> Result<()> {
        for x in data {
            *x *= gain;
        }
        Ok(())
    }

    fn channel_gains_f64(&self, interleaved: &mut [f64], gains: &[f64]) -> Result<()> {
        check::frames(interleaved.len(), gains.len())?;
        for (i, x) in interleaved.iter_mut().enumerate() {
            *x *= gains[i % gains.len()];
        }
        Ok(())
    }

    for_each_planned!(planned);

    fn window(&self, dst: &mut [f32], window: Window) -> Result<()> {
        plan::window(Portable, dst, window)
    }
}
