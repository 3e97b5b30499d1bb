//! The names of the kernels, and the list that code over all of them is made from.

/// Calls `$callback!` with every kernel on slices: its name in [`Kernel`](crate::Kernel), its
/// method, its arguments and its result. The first argument is always a slice.
///
/// Whatever forwards calls to another accelerator (the composed accelerator, the adapters of the
/// plugin boundary, the test doubles) is made from this list, so that none can leave one out.
#[macro_export]
macro_rules! for_each_slice_kernel {
    ($callback:ident) => {
        $callback! {
            Scale scale(data: &mut [f32], gain: f32) -> ();
            Ramp ramp(data: &mut [f32], from: f32, to: f32) -> ();
            ChannelGains channel_gains(interleaved: &mut [f32], gains: &[f32]) -> ();
            Add add(dst: &mut [f32], src: &[f32]) -> ();
            Mix mix(dst: &mut [f32], src: &[f32], gain: f32) -> ();
            Mul mul(dst: &mut [f32], src: &[f32]) -> ();
            Dot dot(a: &[f32], b: &[f32]) -> f32;
            SumSquares sum_squares(data: &[f32]) -> f32;
            Peak peak(data: &[f32]) -> f32;
            MinMax min_max(data: &[f32]) -> (f32, f32);
            Clip clip(data: &mut [f32], low: f32, high: f32) -> ();
            Interleave interleave(dst: &mut [f32], planes: &[&[f32]]) -> ();
            Deinterleave deinterleave(planes: &mut [&mut [f32]], src: &[f32]) -> ();
            F32FromI16 f32_from_i16(dst: &mut [f32], src: &[i16]) -> ();
            F32FromI24 f32_from_i24(dst: &mut [f32], src: &[[u8; 3]]) -> ();
            F32FromI32 f32_from_i32(dst: &mut [f32], src: &[i32]) -> ();
            I16FromF32 i16_from_f32(dst: &mut [i16], src: &[f32]) -> ();
            I24FromF32 i24_from_f32(dst: &mut [[u8; 3]], src: &[f32]) -> ();
            I32FromF32 i32_from_f32(dst: &mut [i32], src: &[f32]) -> ();
            ComplexMul complex_mul(
                dst: &mut [$crate::Complex<f32>],
                a: &[$crate::Complex<f32>],
                b: &[$crate::Complex<f32>],
            ) -> ();
            ComplexMulAdd complex_mul_add(
                dst: &mut [$crate::Complex<f32>],
                a: &[$crate::Complex<f32>],
                b: &[$crate::Complex<f32>],
            ) -> ();
            Tanh tanh(data: &mut [f32]) -> ();
            Exp exp(data: &mut [f32]) -> ();
            Ln ln(data: &mut [f32]) -> ();
            Window window(dst: &mut [f32], window: $crate::Window) -> ();
            MovingRms moving_rms(dst: &mut [f32], src: &[f32], window: usize) -> ();
            Convolve convolve(
                dst: &mut [f32],
                signal: &[f32],
                kernel: &[f32],
                mode: $crate::ConvolutionMode,
            ) -> ();
            ScaleF64 scale_f64(data: &mut [f64], gain: f64) -> ();
            ChannelGainsF64 channel_gains_f64(interleaved: &mut [f64], gains: &[f64]) -> ();
            MovingRmsF64 moving_rms_f64(dst: &mut [f64], src: &[f64], window: usize) -> ();
            ConvolveF64 convolve_f64(
                dst: &mut [f64],
                signal: &[f64],
                kernel: &[f64],
                mode: $crate::ConvolutionMode,
            ) -> ();
        }
    };
}

/// Calls `$callback!` with every planned object: its name in [`Kernel`](crate::Kernel), the method
/// that plans it, its arguments and its result.
#[macro_export]
macro_rules! for_each_plan {
    ($callback:ident) => {
        $callback! {
            ComplexFft plan_complex_fft(len: usize) -> Box<dyn $crate::ComplexFft<f32>>;
            RealFft plan_real_fft(len: usize) -> Box<dyn $crate::RealFft<f32>>;
            Convolver plan_convolver(spec: &$crate::ConvolverSpec<'_>)
                -> Box<dyn $crate::Convolver>;
            Biquads plan_biquads(sections: &[$crate::Biquad], channels: usize)
                -> Box<dyn $crate::BiquadCascade>;
            Fir plan_fir(taps: &[f32]) -> Box<dyn $crate::Fir>;
            ComplexFftF64 plan_complex_fft_f64(len: usize) -> Box<dyn $crate::ComplexFft<f64>>;
            RealFftF64 plan_real_fft_f64(len: usize) -> Box<dyn $crate::RealFft<f64>>;
        }
    };
}

macro_rules! kernels {
    ($($name:ident $text:literal)*) => {
        /// A kernel or planned object of an accelerator, by which backends are chosen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Kernel {
            $(
                #[doc = concat!("`", $text, "`")]
                $name,
            )*
        }

        impl Kernel {
            /// Every kernel, in the order of their discriminants.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name of every kernel, in the same order: what a complete backend lists.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// The name in descriptors, configuration and reports.
            pub const fn name(self) -> &'static str {
                Self::NAMES[self as usize]
            }

            /// The kernel of this name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::NAMES.iter().position(|n| *n == name).map(|i| Self::ALL[i])
            }
        }
    };
}

impl Kernel {
    /// Whether it is a kernel on slices that takes as long as its one length says. A planned object
    /// is none, nor is what depends on a window or a number of taps too.
    pub const fn has_one_length(self) -> bool {
        !matches!(
            self,
            Self::MovingRms
                | Self::Convolve
                | Self::MovingRmsF64
                | Self::ConvolveF64
                | Self::ComplexFft
                | Self::RealFft
                | Self::Convolver
                | Self::Biquads
                | Self::Fir
                | Self::ComplexFftF64
                | Self::RealFftF64
        )
    }
}

kernels! {
    Scale "scale"
    Ramp "ramp"
    ChannelGains "channel_gains"
    Add "add"
    Mix "mix"
    Mul "mul"
    Dot "dot"
    SumSquares "sum_squares"
    Peak "peak"
    MinMax "min_max"
    Clip "clip"
    Interleave "interleave"
    Deinterleave "deinterleave"
    F32FromI16 "f32_from_i16"
    F32FromI24 "f32_from_i24"
    F32FromI32 "f32_from_i32"
    I16FromF32 "i16_from_f32"
    I24FromF32 "i24_from_f32"
    I32FromF32 "i32_from_f32"
    ComplexMul "complex_mul"
    ComplexMulAdd "complex_mul_add"
    Tanh "tanh"
    Exp "exp"
    Ln "ln"
    Window "window"
    MovingRms "moving_rms"
    Convolve "convolve"
    ScaleF64 "scale_f64"
    ChannelGainsF64 "channel_gains_f64"
    MovingRmsF64 "moving_rms_f64"
    ConvolveF64 "convolve_f64"
    ComplexFft "complex_fft"
    RealFft "real_fft"
    Convolver "convolver"
    Biquads "biquads"
    Fir "fir"
    ComplexFftF64 "complex_fft_f64"
    RealFftF64 "real_fft_f64"
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! count {
        ($($name:ident $method:ident ($($arguments:tt)*) -> $result:ty;)*) => {
            const { [$(Kernel::$name),*] }
        };
    }

    #[test]
    fn every_kernel_is_listed_once() {
        let slices = for_each_slice_kernel!(count);
        let plans = for_each_plan!(count);
        let listed: Vec<_> = slices.into_iter().chain(plans).collect();
        assert_eq!(listed, Kernel::ALL);
        for &kernel in Kernel::ALL {
            assert_eq!(Kernel::parse(kernel.name()), Some(kernel));
        }
        assert_eq!(Kernel::parse("none"), None);
    }
}
