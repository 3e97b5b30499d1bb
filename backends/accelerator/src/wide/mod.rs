//! Kernels by hand, once over the vectors of any instruction set.

pub(crate) mod complex;
pub(crate) mod convert;
pub(crate) mod double;
pub(crate) mod gain;
pub(crate) mod layout;
pub(crate) mod math;
pub(crate) mod reduce;
#[cfg(target_arch = "x86_64")]
pub(crate) mod tabled;
#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
mod walk;

/// Replaces generic kernels of an instruction set by those of this module: `exp` and `ln` by those of one
/// of its modules. `in halves` says when narrow vectors are faster where the CPU computes whole ones in
/// halves.
macro_rules! by_hand {
    (@ $isa:ident
     $($module:ident $name:ident $arguments:tt -> $result:ty $(, in halves $narrow:expr)?;)*) => {
        impl Kernels for $isa {
            $(by_hand! { @ $module $name $arguments -> $result $(, in halves $narrow)? })*
        }
    };
    (@ $module:ident $name:ident($($arg:ident: $type:ty),*) -> $result:ty) => {
        #[inline(always)]
        fn $name(self, $($arg: $type),*) -> $result {
            crate::wide::$module::$name(self, $($arg),*)
        }
    };
    (@ $module:ident $name:ident($($arg:ident: $type:ty),*) -> $result:ty, in halves $narrow:expr) => {
        #[inline(always)]
        fn $name(self, $($arg: $type),*) -> $result {
            if self.halves() && $narrow {
                crate::wide::$module::$name(crate::simd::Vectors::narrow(self), $($arg),*)
            } else {
                crate::wide::$module::$name(self, $($arg),*)
            }
        }
    };
    ($isa:ident $functions:ident) => {
        by_hand! {
            @ $isa
            gain scale(data: &mut [f32], gain: f32) -> (), in halves true;
            gain channel_gains(interleaved: &mut [f32], gains: &[f32]) -> (), in halves true;
            gain add(dst: &mut [f32], src: &[f32]) -> (), in halves true;
            gain mix(dst: &mut [f32], src: &[f32], gain: f32) -> (), in halves true;
            gain mul(dst: &mut [f32], src: &[f32]) -> (), in halves true;
            gain clip(data: &mut [f32], low: f32, high: f32) -> (),
                in halves data.len() < crate::wide::gain::LONG;
            reduce dot(a: &[f32], b: &[f32]) -> f32, in halves true;
            reduce sum_squares(data: &[f32]) -> f32;
            reduce peak(data: &[f32]) -> f32;
            reduce min_max(data: &[f32]) -> (f32, f32), in halves true;
            layout interleave(dst: &mut [f32], planes: &[&[f32]]) -> ();
            layout deinterleave(planes: &mut [&mut [f32]], src: &[f32]) -> ();
            convert f32_from_i16(dst: &mut [f32], src: &[i16]) -> ();
            convert f32_from_i24(dst: &mut [f32], src: &[[u8; 3]]) -> (), in halves true;
            convert f32_from_i32(dst: &mut [f32], src: &[i32]) -> (),
                in halves dst.len() >= crate::wide::convert::LONG;
            convert i16_from_f32(dst: &mut [i16], src: &[f32]) -> ();
            convert i24_from_f32(dst: &mut [[u8; 3]], src: &[f32]) -> ();
            convert i32_from_f32(dst: &mut [i32], src: &[f32]) -> (),
                in halves dst.len() >= crate::wide::convert::LONG;
            double scale_f64(data: &mut [f64], gain: f64) -> (), in halves true;
            double channel_gains_f64(interleaved: &mut [f64], gains: &[f64]) -> (), in halves true;
            math tanh(data: &mut [f32]) -> ();
            $functions exp(data: &mut [f32]) -> ();
            $functions ln(data: &mut [f32]) -> ();
            complex complex_mul(
                dst: &mut [Complex<f32>],
                a: &[Complex<f32>],
                b: &[Complex<f32>]
            ) -> ();
            complex complex_mul_add(
                dst: &mut [Complex<f32>],
                a: &[Complex<f32>],
                b: &[Complex<f32>]
            ) -> ();
        }
    };
}

pub(crate) use by_hand;
