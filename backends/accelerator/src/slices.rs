//! The kernels on slices that this crate has, each with the check of its arguments.

/// Calls `$callback!` with every kernel: its method, its arguments, its result and the check that
/// comes before it. What stands before the semicolon is passed on in front of the list.
macro_rules! for_each_kernel {
    ($callback:ident $(; $($first:tt)*)?) => {
        $callback! {
            $($($first)*;)?
            scale(data: &mut [f32], gain: f32) -> (), Ok(());
            ramp(data: &mut [f32], from: f32, to: f32) -> (), Ok(());
            channel_gains(interleaved: &mut [f32], gains: &[f32]) -> (),
                check::frames(interleaved.len(), gains.len());
            add(dst: &mut [f32], src: &[f32]) -> (), check::equal(dst.len(), src.len());
            mix(dst: &mut [f32], src: &[f32], gain: f32) -> (), check::equal(dst.len(), src.len());
            mul(dst: &mut [f32], src: &[f32]) -> (), check::equal(dst.len(), src.len());
            dot(a: &[f32], b: &[f32]) -> f32, check::equal(a.len(), b.len());
            sum_squares(data: &[f32]) -> f32, Ok(());
            peak(data: &[f32]) -> f32, Ok(());
            min_max(data: &[f32]) -> (f32, f32), Ok(());
            clip(data: &mut [f32], low: f32, high: f32) -> (), check::range(low, high);
            interleave(dst: &mut [f32], planes: &[&[f32]]) -> (),
                check::planes(planes, dst.len());
            deinterleave(planes: &mut [&mut [f32]], src: &[f32]) -> (),
                check::planes(planes, src.len());
            f32_from_i16(dst: &mut [f32], src: &[i16]) -> (), check::equal(dst.len(), src.len());
            f32_from_i24(dst: &mut [f32], src: &[[u8; 3]]) -> (),
                check::equal(dst.len(), src.len());
            f32_from_i32(dst: &mut [f32], src: &[i32]) -> (), check::equal(dst.len(), src.len());
            i16_from_f32(dst: &mut [i16], src: &[f32]) -> (), check::equal(dst.len(), src.len());
            i24_from_f32(dst: &mut [[u8; 3]], src: &[f32]) -> (),
                check::equal(dst.len(), src.len());
            i32_from_f32(dst: &mut [i32], src: &[f32]) -> (), check::equal(dst.len(), src.len());
            complex_mul(dst: &mut [Complex<f32>], a: &[Complex<f32>], b: &[Complex<f32>]) -> (),
                check::all_equal(dst.len(), a.len(), b.len());
            complex_mul_add(dst: &mut [Complex<f32>], a: &[Complex<f32>], b: &[Complex<f32>]) -> (),
                check::all_equal(dst.len(), a.len(), b.len());
            tanh(data: &mut [f32]) -> (), Ok(());
            exp(data: &mut [f32]) -> (), Ok(());
            ln(data: &mut [f32]) -> (), Ok(());
            scale_f64(data: &mut [f64], gain: f64) -> (), Ok(());
            channel_gains_f64(interleaved: &mut [f64], gains: &[f64]) -> (),
                check::frames(interleaved.len(), gains.len());
        }
    };
}

/// Implements [`Compiled`](crate::compiled::Compiled) for a token and its target features.
macro_rules! compiled {
    ($isa:ident $features:literal) => {
        for_each_kernel!(compiled; $isa $features);
    };
    ($isa:ident $features:literal;
     $($name:ident($($arg:ident: $type:ty),*) -> $result:ty, $check:expr;)*) => {
        impl crate::compiled::Compiled for $isa {
            $(
                #[inline(always)]
                fn $name<const HALVES: bool>(&self, $($arg: $type),*) -> Result<$result> {
                    #[target_feature(enable = $features)]
                    fn inner<const HALVES: bool>(
                        isa: &$isa,
                        $($arg: $type),*
                    ) -> Result<$result> {
                        $check?;
                        Ok(crate::kernels::Kernels::$name(isa.known::<HALVES>(), $($arg),*))
                    }
                    // SAFETY: the token proves that the CPU has these features.
                    unsafe { inner::<HALVES>(self, $($arg),*) }
                }
            )*
        }
    };
}
