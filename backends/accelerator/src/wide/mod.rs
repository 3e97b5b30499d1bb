//! Kernels by hand, once over the vectors of any instruction set.

pub(crate) mod complex;
pub(crate) mod convert;
pub(crate) mod gain;
pub(crate) mod layout;
pub(crate) mod math;
pub(crate) mod reduce;
#[cfg(target_arch = "x86_64")]
pub(crate) mod tabled;
mod walk;

/// Replaces generic kernels of an instruction set by those of this module: `exp` and `ln` by those of one
/// of its modules.
macro_rules! by_hand {
    (@ $isa:ident $($module:ident $name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        impl Kernels for $isa {
            $(
                #[inline(always)]
                fn $name(self, $($arg: $type),*) -> $result {
                    crate::wide::$module::$name(self, $($arg),*)
                }
            )*
        }
    };
    ($isa:ident $functions:ident) => {
        by_hand! {
            @ $isa
            gain scale(data: &mut [f32], gain: f32) -> ();
            gain add(dst: &mut [f32], src: &[f32]) -> ();
            gain mix(dst: &mut [f32], src: &[f32], gain: f32) -> ();
            gain mul(dst: &mut [f32], src: &[f32]) -> ();
            gain clip(data: &mut [f32], low: f32, high: f32) -> ();
            reduce dot(a: &[f32], b: &[f32]) -> f32;
            reduce sum_squares(data: &[f32]) -> f32;
            reduce peak(data: &[f32]) -> f32;
            reduce min_max(data: &[f32]) -> (f32, f32);
            layout interleave(dst: &mut [f32], planes: &[&[f32]]) -> ();
            layout deinterleave(planes: &mut [&mut [f32]], src: &[f32]) -> ();
            convert f32_from_i16(dst: &mut [f32], src: &[i16]) -> ();
            convert f32_from_i24(dst: &mut [f32], src: &[[u8; 3]]) -> ();
            convert f32_from_i32(dst: &mut [f32], src: &[i32]) -> ();
            convert i16_from_f32(dst: &mut [i16], src: &[f32]) -> ();
            convert i24_from_f32(dst: &mut [[u8; 3]], src: &[f32]) -> ();
            convert i32_from_f32(dst: &mut [i32], src: &[f32]) -> ();
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
