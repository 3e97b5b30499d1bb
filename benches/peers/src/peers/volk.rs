//! VOLK, with the implementations that its own profile chose.

use std::ffi::c_char;
use std::sync::OnceLock;

use rustfft::num_complex::Complex;

use super::{Peer, open, symbol, text};

/// A kernel of VOLK: a variable that holds a function, which the first call puts in place.
pub struct Variable<F>(*const F);

// SAFETY: the variable belongs to a library that is never closed, and this program reads and calls it
// from one thread only.
unsafe impl<F> Send for Variable<F> {}
// SAFETY: as above.
unsafe impl<F> Sync for Variable<F> {}

impl<F: Copy> Variable<F> {
    /// The function, as a C program's call finds it.
    #[inline(always)]
    pub fn get(&self) -> F {
        // SAFETY: the address is that of a variable of this type in a library that is never closed.
        unsafe { self.0.read_volatile() }
    }
}

macro_rules! kernels {
    ($($kernel:ident = $symbol:literal ($($type:ty),*);)*) => {
        /// The kernels.
        pub struct Volk {
            $(pub $kernel: Variable<unsafe extern "C" fn($($type),*)>,)*
            pub version: String,
        }

        impl Volk {
            fn load() -> Result<Self, String> {
                let library = open(&["libvolk.so", "libvolk.so.3.2", "libvolk.so.2.5"])?;
                let version: unsafe extern "C" fn() -> *const c_char =
                    symbol(library, "volk_version")?;
                Ok(Self {
                    $($kernel: Variable(symbol(library, $symbol)?),)*
                    // SAFETY: it takes nothing and returns a constant.
                    version: format!("VOLK {}", text(unsafe { version() })),
                })
            }
        }
    };
}

kernels! {
    scale = "volk_32f_s32f_multiply_32f" (*mut f32, *const f32, f32, u32);
    mul = "volk_32f_x2_multiply_32f" (*mut f32, *const f32, *const f32, u32);
    dot = "volk_32f_x2_dot_prod_32f" (*mut f32, *const f32, *const f32, u32);
    index_max = "volk_32f_index_max_32u" (*mut u32, *const f32, u32);
    index_min = "volk_32f_index_min_32u" (*mut u32, *const f32, u32);
    complex_mul = "volk_32fc_x2_multiply_32fc"
        (*mut Complex<f32>, *const Complex<f32>, *const Complex<f32>, u32);
    deinterleave = "volk_32fc_deinterleave_32f_x2"
        (*mut f32, *mut f32, *const Complex<f32>, u32);
    interleave = "volk_32f_x2_interleave_32fc" (*mut Complex<f32>, *const f32, *const f32, u32);
    f32_from_i16 = "volk_16i_s32f_convert_32f" (*mut f32, *const i16, f32, u32);
    tanh = "volk_32f_tanh_32f" (*mut f32, *const f32, u32);
    exp = "volk_32f_exp_32f" (*mut f32, *const f32, u32);
    log2 = "volk_32f_log2_32f" (*mut f32, *const f32, u32);
    i16_from_f32 = "volk_32f_s32f_convert_16i" (*mut i16, *const f32, f32, u32);
}

impl Volk {
    /// The kernels of the library.
    pub fn get() -> Peer<Self> {
        static ONCE: OnceLock<Result<Volk, String>> = OnceLock::new();
        ONCE.get_or_init(Self::load)
            .as_ref()
            .map_err(String::as_str)
    }
}
